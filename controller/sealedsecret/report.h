/*
 * What a run tells the world: status, event, metric.
 */
#ifndef CONTROLLER_SEALEDSECRET_REPORT_H
#define CONTROLLER_SEALEDSECRET_REPORT_H

#include "base/compiler.h"
#include "base/err.h"
#include "sealedsecret.h"
#include "sealedsecret/condition.h"
#include "sealedsecret/controller.h"

/* Conflicts before the work queue takes over. */
#define REPORT_TRIES 5
/* Of the text in status and events: an error and what was tried. */
#define REPORT_MESSAGE_MAX (ERR_TEXT_MAX + 1024)
/* Keys named in it; more are counted. */
#define REPORT_KEYS_MAX 5

struct report {
	const struct controller_config *cfg;
	struct kube_client *client;
	const struct sealedsecret *ss;
};

enum report_status {
	REPORT_SAME, /* nothing to write */
	REPORT_WRITTEN,
	REPORT_SUPERSEDED, /* the object is newer, another one, or gone */
	REPORT_NOWHERE,	   /* its CRD has no status subresource */
	REPORT_FAILED,
};

/* err is set for the last two. */
enum report_status report_status(const struct report *r,
    const struct condition_outcome *outcome, struct err *err) MUST_CHECK;
void report_event(const struct report *r, const char *type, const char *reason,
    const char *message);
/* Unless another process told the same about it; see event_record_once(). */
void report_event_once(const struct report *r, const char *type,
    const char *reason, const char *message, const char *about);
/* condition_info: 1 or -1; withdrawn where the object has gone meanwhile.
 * False: the object's labels have changed meanwhile, so another run is due. */
bool report_metric(const struct report *r, bool ok) MUST_CHECK;
/* Drops every series of an object. */
void
report_forget(const struct controller_config *cfg, const struct objkey *key);
/*
 * The text for status and events: the failure's, and for ERR_NOKEY a last line
 * that says what was tried.
 */
void report_message(const struct report *r, const struct err *failure,
    char out[static REPORT_MESSAGE_MAX]);

#endif
