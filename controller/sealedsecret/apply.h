/*
 * Brings the Secret in the cluster to what a SealedSecret asks for: read,
 * judge, merge, write with the version that was read.
 */
#ifndef CONTROLLER_SEALEDSECRET_APPLY_H
#define CONTROLLER_SEALEDSECRET_APPLY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "kube/client.h"
#include "sealedsecret/controller.h"
#include "sealedsecret/merge.h"

/* Lost races (409, vanished meanwhile) before the work queue takes over. */
#define APPLY_TRIES	5
#define APPLY_OTHER_MAX 64  /* name of a manager, cut */
#define APPLY_SEEN_MAX	128 /* a UID and a version */

struct apply_request {
	struct kube_client *client;
	const struct objkey *key;
	const char *owner_uid;
	const json_t *desired;
	const char *key_ns;	   /* see unseal.h */
	const char *allowed_types; /* see desired.h */
	bool absent;		   /* believed not to exist: POST before GET */
	/* Exactly this was applied before: a difference is drift. */
	bool applied;
	int64_t applied_s; /* and held then, Unix seconds; 0: not known */
	enum drift_mode drift;
	const json_t *rendered; /* see merge_repair() */
	const char *made_uid;	/* the Secret of this UID (as an index has it)
				   was ours; NULL: none */
	json_t **written;	/* what was written, its metadata at least:
				   owned by the caller; may be NULL */
};

enum apply_outcome {
	APPLY_UNCHANGED,
	APPLY_CREATED,
	APPLY_UPDATED,
	APPLY_REPAIRED, /* drift, put right */
	APPLY_DRIFTED,	/* drift, left as it is: the mode is to detect it */
};

struct apply_result {
	enum apply_outcome outcome;
	/* Print of the Secret that may stay as it is (UNCHANGED, DRIFTED);
	 * 0: not known. */
	uint64_t print;
	/* On ERR_UNMANAGED: it belongs to a SealedSecret of this name with
	 * another UID, and garbage collection will see to it. */
	bool collectable;
	char drift[MERGE_TEXT_MAX];  /* what differed, for people */
	char other[APPLY_OTHER_MAX]; /* who wrote it, "" where unknown */
	char seen[APPLY_SEEN_MAX];   /* which Secret, as of which version */
};

/*
 * ERR_UNMANAGED: a foreign Secret is in the way. ERR_IMMUTABLE: it is frozen;
 * the text is the API server's. Otherwise the API server's error. ret is
 * filled in either case.
 */
int apply_secret(const struct apply_request *rq, struct apply_result *ret,
    struct err *err) MUST_CHECK;
/*
 * --old-gc-behavior: deletes the Secret of a SealedSecret that is gone, only
 * where it is controlled by one of that name or annotated managed.
 */
int apply_delete_orphan(struct kube_client *client, const struct objkey *key,
    struct err *err) MUST_CHECK;

#endif
