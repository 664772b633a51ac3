/*
 * Brings the Secret in the cluster to what a SealedSecret asks for: read,
 * judge, merge, write with the version that was read.
 */
#ifndef CONTROLLER_SEALEDSECRET_APPLY_H
#define CONTROLLER_SEALEDSECRET_APPLY_H

#include <jansson.h>
#include <stdbool.h>

#include "base/compiler.h"
#include "base/err.h"
#include "kube/client.h"

/* Lost races (409, vanished meanwhile) before the work queue takes over. */
#define APPLY_TRIES 5

struct apply_request {
	struct kube_client *client;
	const struct objkey *key;
	const char *owner_uid;
	const json_t *desired;
	const char *key_ns; /* see unseal.h */
	bool absent;	    /* believed not to exist: POST before GET */
	json_t **written;   /* what was written, its metadata at least: owned
			       by the caller; may be NULL */
};

enum apply_outcome { APPLY_UNCHANGED, APPLY_CREATED, APPLY_UPDATED };

/*
 * ERR_UNMANAGED: a foreign Secret is in the way. ERR_IMMUTABLE: it is frozen;
 * the text is the API server's. Otherwise the API server's error.
 */
int apply_secret(const struct apply_request *rq, enum apply_outcome *ret,
    struct err *err) MUST_CHECK;
/*
 * --old-gc-behavior: deletes the Secret of a SealedSecret that is gone, only
 * where it is controlled by one of that name or annotated managed.
 */
int apply_delete_orphan(struct kube_client *client, const struct objkey *key,
    struct err *err) MUST_CHECK;

#endif
