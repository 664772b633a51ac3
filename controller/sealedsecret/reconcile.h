/*
 * One run for one SealedSecret: read, unseal, apply, status, event, metric.
 * Level-triggered and idempotent: it looks at what is there now, and a second
 * run finds nothing to do.
 */
#ifndef CONTROLLER_SEALEDSECRET_RECONCILE_H
#define CONTROLLER_SEALEDSECRET_RECONCILE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "sealedsecret/controller.h"

struct reconcile {
	const struct controller_config *cfg;
	struct kube_client *client;
	bool secrets_synced; /* the index of Secrets is complete */
};

enum reconcile_next {
	RECONCILE_DONE,	   /* nothing to do until something changes */
	RECONCILE_AGAIN,   /* at once: what was read is out of date */
	RECONCILE_RETRY,   /* with back-off */
	RECONCILE_RECHECK, /* only a change helps: look now and then */
	RECONCILE_LATER,   /* after delay_ms: put right just now, or
			      stopped from outside */
	RECONCILE_PACED,   /* in its turn of what has time */
};

struct reconcile_result {
	enum reconcile_next next;
	bool repeated; /* the last run failed in the same way */
	bool logged;   /* the failure has its line already */
	uint64_t delay_ms;
	struct err err; /* ERR_NONE where the run succeeded */
};

/*
 * Where the records tell that nothing has to be done, nothing is read, opened
 * or written. body is stolen; NULL: read it. Runs for one key never overlap.
 * The outcome is noted in the record of the SealedSecret.
 */
void reconcile(const struct reconcile *rc, const struct objkey *key,
    json_t *body, struct reconcile_result *ret);

/* index_record.marks of a SealedSecret. */
enum reconcile_mark {
	RECONCILE_MARK_WRITING = 1, /* what comes from now on may be drift */
	RECONCILE_MARK_PACED = 2,   /* has been told RECONCILE_PACED */
};

/* What index_record.result of a SealedSecret means. */
bool reconcile_failed(uint32_t result, enum err_code *code);
bool reconcile_succeeded(uint32_t result);
/* "Error updating ns/name: the target Secret is immutable. ..." */
#define RECONCILE_IMMUTABLE_MAX 640
void reconcile_immutable_text(
    const struct objkey *key, char out[static RECONCILE_IMMUTABLE_MAX]);

#endif
