/*
 * Brings the Secret in the cluster to what a SealedSecret asks for.
 */
#include "apply.h"

#include <string.h>

#include "base/jsonx.h"
#include "desired.h"
#include "redact.h"
#include "sealedsecret/merge.h"
#include "sealedsecret/scope.h"

/* The API server has no code of its own for it. */
static void
recognise_immutable(struct err *err)
{
	static const char tail[] = "field is immutable when `immutable` is set";
	size_t len = strlen(err->msg);

	if (err->code == ERR_UNPROCESSABLE && len >= sizeof(tail) - 1 &&
	    strcmp(err->msg + len - (sizeof(tail) - 1), tail) == 0)
		err->code = ERR_IMMUTABLE;
}

/* *again: what was read is out of date. */
static int
create(const struct apply_request *rq, bool *again, struct err *err)
{
	/* The answer need not repeat the contents. */
	if (kube_create(rq->client, &KUBE_SECRETS_META, rq->key->ns,
		rq->desired, rq->written, err) == 0)
		return 0;
	redact_error(rq->desired, err);
	*again = err->code == ERR_EXISTS;
	return -1;
}

/* NULL in *ret: nothing to write. */
static int
plan_update(const struct apply_request *rq, const json_t *live, json_t **ret,
    struct err *err)
{
	AUTO_JSON json_t *next = NULL;
	struct err denied = ERR_INIT;
	int owned = merge_check_owner(live, rq->owner_uid, &denied);

	if (merge_secret(live, rq->desired, &next, err) < 0)
		return -1;
	/* A Secret that was made without an owner reference and is still as
	 * it was made is no failure; only writing to it needs a right. */
	if (next == NULL) {
		*ret = NULL;
		return 0;
	}
	if (owned < 0) {
		*err = denied;
		return -1;
	}
	if (desired_check_key_label(next, rq->key_ns, err) < 0)
		return -1;
	*ret = STEAL(next);
	return 0;
}

static int
update(const struct apply_request *rq, const json_t *live,
    enum apply_outcome *ret, bool *again, struct err *err)
{
	AUTO_JSON json_t *next = NULL;

	if (plan_update(rq, live, &next, err) < 0)
		return -1;
	if (next == NULL) {
		*ret = APPLY_UNCHANGED;
		return 0;
	}
	if (kube_update(rq->client, &KUBE_SECRETS_META, rq->key, next,
		rq->written, err) == 0) {
		*ret = APPLY_UPDATED;
		return 0;
	}
	recognise_immutable(err);
	redact_error(next, err);
	*again = err->code == ERR_CONFLICT || err->code == ERR_NOTFOUND;
	return -1;
}

static int
attempt(const struct apply_request *rq, bool absent, enum apply_outcome *ret,
    bool *again, struct err *err)
{
	AUTO_JSON json_t *live = NULL;

	if (!absent) {
		if (kube_get(rq->client, &KUBE_SECRETS, rq->key, &live, err) ==
		    0)
			return update(rq, live, ret, again, err);
		if (err->code != ERR_NOTFOUND)
			return -1;
	}
	*ret = APPLY_CREATED;
	return create(rq, again, err);
}

int
apply_secret(
    const struct apply_request *rq, enum apply_outcome *ret, struct err *err)
{
	enum apply_outcome outcome = APPLY_UNCHANGED;

	for (unsigned i = 0; i < APPLY_TRIES; i++) {
		bool again = false;

		err_clear(err);
		if (attempt(rq, rq->absent && i == 0, &outcome, &again, err) ==
		    0) {
			err_clear(err);
			*ret = outcome;
			return 0;
		}
		if (!again)
			return -1;
	}
	return -1;
}

int
apply_delete_orphan(
    struct kube_client *client, const struct objkey *key, struct err *err)
{
	AUTO_JSON json_t *live = NULL;

	if (kube_get(client, &KUBE_SECRETS, key, &live, err) < 0)
		return err->code == ERR_NOTFOUND ? 0 : -1;
	if (!merge_controlled_by_name(live, key->name) &&
	    !merge_annotated(live, ANNOTATION_MANAGED))
		return 0;
	if (kube_delete(client, &KUBE_SECRETS, key,
		jsonx_str(live, "metadata", "uid", NULL),
		jsonx_str(live, "metadata", "resourceVersion", NULL), err) == 0)
		return 0;
	return err->code == ERR_NOTFOUND ? 0 : -1;
}
