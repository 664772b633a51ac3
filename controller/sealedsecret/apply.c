/*
 * Brings the Secret in the cluster to what a SealedSecret asks for.
 */
#include "apply.h"

#include <stdio.h>
#include <string.h>

#include "base/jsonx.h"
#include "base/timefmt.h"
#include "desired.h"
#include "fields.h"
#include "redact.h"
#include "sealedsecret/merge.h"
#include "sealedsecret/scope.h"
#include "shape.h"

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

/* The Secret was seen as ours, and lost its owner reference since. */
static bool
was_ours(const struct apply_request *rq, const json_t *live)
{
	const char *uid = jsonx_str(live, "metadata", "uid", NULL);
	char id[INDEX_UID_MAX];

	if (rq->made_uid == NULL || uid == NULL)
		return false;
	index_copy_id(id, sizeof(id), uid);
	return strcmp(id, rq->made_uid) == 0;
}

/*
 * Ours by what it says of itself, for a process that has not seen it before:
 * nobody owns it, we alone wrote its contents, and it is no younger than the
 * word that they were applied.
 */
static bool
says_ours(const struct apply_request *rq, const json_t *live)
{
	const char *owner = merge_controller_uid(rq->desired);
	const char *made =
	    jsonx_str(live, "metadata", "creationTimestamp", NULL);

	if (owner == NULL || strcmp(owner, rq->owner_uid) != 0 ||
	    json_array_size(
		jsonx_array(live, "metadata", "ownerReferences", NULL)) > 0)
		return false;
	return timefmt_rfc3339_or(made, INT64_MAX) <= rq->applied_s &&
	    fields_all_data_ours(live);
}

/*
 * What differs was right before: the very same was applied, to this Secret.
 * One that is not owned, because it is patched or was never to be, must have
 * been written by us at least.
 */
static bool
is_drift(const struct apply_request *rq, const json_t *live)
{
	const char *owner = merge_controller_uid(live);

	if (!rq->applied || rq->drift == DRIFT_OFF)
		return false;
	if ((owner != NULL && strcmp(owner, rq->owner_uid) == 0) ||
	    was_ours(rq, live) || says_ours(rq, live))
		return true;
	return fields_any_ours(live) &&
	    (merge_annotated(live, ANNOTATION_PATCH) ||
		jsonx_get(rq->desired, "metadata", "ownerReferences", NULL) ==
		    NULL);
}

/* The owner reference may be put back. On its own word alone only where
 * nothing of its contents is at stake. */
static bool
may_regain(
    const struct apply_request *rq, const json_t *live, const json_t *next)
{
	if (!rq->applied || rq->drift != DRIFT_REPAIR)
		return false;
	return was_ours(rq, live) ||
	    (says_ours(rq, live) &&
		json_equal(json_object_get(live, "data"),
		    json_object_get(next, "data")));
}

static int
check_right(const struct apply_request *rq, const json_t *live,
    const json_t *next, struct apply_result *ret, struct err *err)
{
	if (!may_regain(rq, live, next) &&
	    merge_check_owner(live, rq->owner_uid, err) < 0) {
		ret->collectable =
		    merge_controlled_by_name(live, rq->key->name);
		return -1;
	}
	if (desired_check_key_label(next, rq->key_ns, err) < 0)
		return -1;
	return desired_check_type(next, rq->allowed_types, err);
}

static void
note_live(const json_t *live, struct apply_result *ret)
{
	struct index_record rec = { .flags = 0 };

	shape_of_secret(live, &rec);
	ret->print = shape_print(&rec);
}

static void
note_drift(const json_t *live, const json_t *next, struct apply_result *ret)
{
	const char *other = fields_last_other(live);
	const char *uid = jsonx_str(live, "metadata", "uid", NULL);
	const char *rv = jsonx_str(live, "metadata", "resourceVersion", NULL);

	merge_describe(live, next, ret->drift);
	(void)snprintf(
	    ret->other, sizeof(ret->other), "%s", other != NULL ? other : "");
	(void)snprintf(ret->seen, sizeof(ret->seen), "%s/%s",
	    uid != NULL ? uid : "", rv != NULL ? rv : "");
}

/* NULL in *next: nothing to write. */
static int
plan_update(const struct apply_request *rq, const json_t *live, json_t **next,
    struct apply_result *ret, struct err *err)
{
	AUTO_JSON json_t *want = NULL;
	bool drift = is_drift(rq, live);
	int rc;

	rc = drift ? merge_repair(live, rq->desired, rq->rendered, &want, err)
		   : merge_secret(live, rq->desired, &want, err);
	if (rc < 0)
		return -1;
	/* A Secret that was made without an owner reference and is still as
	 * it was made is no failure; only writing to it needs a right. */
	if (want == NULL) {
		note_live(live, ret);
		ret->outcome = APPLY_UNCHANGED;
		return 0;
	}
	if (drift)
		note_drift(live, want, ret);
	if (drift && rq->drift == DRIFT_DETECT) {
		note_live(live, ret);
		ret->outcome = APPLY_DRIFTED;
		return 0;
	}
	if (check_right(rq, live, want, ret, err) < 0)
		return -1;
	*next = STEAL(want);
	return 0;
}

static int
update(const struct apply_request *rq, const json_t *live,
    struct apply_result *ret, bool *again, struct err *err)
{
	AUTO_JSON json_t *next = NULL;

	if (plan_update(rq, live, &next, ret, err) < 0)
		return -1;
	if (next == NULL)
		return 0;
	if (kube_update(rq->client, &KUBE_SECRETS_META, rq->key, next,
		rq->written, err) == 0) {
		ret->outcome =
		    ret->drift[0] != '\0' ? APPLY_REPAIRED : APPLY_UPDATED;
		return 0;
	}
	recognise_immutable(err);
	redact_error(next, err);
	*again = err->code == ERR_CONFLICT || err->code == ERR_NOTFOUND;
	return -1;
}

static int
attempt(const struct apply_request *rq, bool absent, struct apply_result *ret,
    bool *again, struct err *err)
{
	AUTO_JSON json_t *live = NULL;

	*ret = (struct apply_result) { .outcome = APPLY_CREATED };
	if (!absent) {
		if (kube_get(rq->client, &KUBE_SECRETS, rq->key, &live, err) ==
		    0)
			return update(rq, live, ret, again, err);
		if (err->code != ERR_NOTFOUND)
			return -1;
	}
	return create(rq, again, err);
}

int
apply_secret(
    const struct apply_request *rq, struct apply_result *ret, struct err *err)
{
	for (unsigned i = 0; i < APPLY_TRIES; i++) {
		bool again = false;

		err_clear(err);
		if (attempt(rq, rq->absent && i == 0, ret, &again, err) == 0) {
			err_clear(err);
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
