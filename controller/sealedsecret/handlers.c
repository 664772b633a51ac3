/*
 * What the two watches mean for the work queue.
 */
#include "handlers.h"

#include <string.h>

#include "base/hash.h"
#include "base/jsonx.h"
#include "base/log.h"
#include "reconcile.h"
#include "sealedsecret.h"
#include "shape.h"

static void
reduce_common(const json_t *obj, struct index_record *rec)
{
	const char *uid = jsonx_str(obj, "metadata", "uid", NULL);
	const char *rv = jsonx_str(obj, "metadata", "resourceVersion", NULL);

	index_copy_id(rec->uid, sizeof(rec->uid), uid != NULL ? uid : "");
	index_copy_id(rec->rv, sizeof(rec->rv), rv != NULL ? rv : "");
	rec->generation = jsonx_int(obj, "metadata", "generation", NULL);
}

/* A stream that is not granted is the cluster's choice, told once. */
static void
log_trouble(const char *msg, const struct err *err)
{
	if (err->code == ERR_FORBIDDEN)
		log_info(
		    "Not permitted, going on without it", "stream", err->msg);
	else
		log_warn(msg, "error", err->msg);
}

/* ---- SealedSecrets ---- */

static bool
sealedsecret_reduce(
    void *ctx UNUSED, const json_t *obj, struct index_record *rec)
{
	reduce_common(obj, rec);
	rec->digest = sealedsecret_digest(obj);
	rec->flags = sealedsecret_instance_tag(obj);
	rec->items = sealedsecret_items(obj);
	shape_of_sealed(obj, rec);
	return true;
}

/* By its own status. */
static bool
is_in_order(const struct index_record *rec)
{
	return (rec->state & (SEALED_SETTLED | SEALED_EXTEND)) != 0;
}

/* An object that is in order may see no run, but has its series. */
static void
first_series(const struct controller_config *cfg, const struct objkey *key,
    const struct index_record *now, const json_t *obj)
{
	if (!cfg->omit_secret_metrics && is_in_order(now))
		metrics_set(cfg->metrics, METRIC_CONDITION_INFO, 1.0, key->ns,
		    key->name, "Synced", sealedsecret_instance(obj));
}

/* The label app.kubernetes.io/instance is part of the series: move it. */
static void
move_series(const struct controller_config *cfg, const struct objkey *key,
    const struct index_record *old, const json_t *obj)
{
	enum err_code code;
	bool ok = reconcile_succeeded(old->result) ||
	    (old->result == 0 && is_in_order(old));

	if (cfg->omit_secret_metrics)
		return;
	metrics_remove_prefix(
	    cfg->metrics, METRIC_CONDITION_INFO, 2, key->ns, key->name);
	if (ok || reconcile_failed(old->result, &code))
		metrics_set(cfg->metrics, METRIC_CONDITION_INFO, ok ? 1 : -1,
		    key->ns, key->name, "Synced", sealedsecret_instance(obj));
}

static void
sealedsecret_changed(void *ctx, const struct objkey *key,
    const struct index_record *old, const struct index_record *now, json_t *obj,
    enum reflector_via via)
{
	const struct handlers *h = ctx;
	char text[OBJKEY_TEXT_MAX];

	/* Other items, other keys: the index has dropped the note. */
	if (old != NULL &&
	    (old->digest != now->digest || strcmp(old->uid, now->uid) != 0))
		registry_release_uses(h->cfg->keys, old->uses);
	if (old == NULL)
		first_series(h->cfg, key, now, obj);
	else if (old->flags != now->flags)
		move_series(h->cfg, key, old, obj);
	if (old == NULL || strcmp(old->uid, now->uid) != 0 ||
	    old->digest != now->digest || old->generation != now->generation) {
		workqueue_add(h->cfg->queue, key,
		    via == REFLECTOR_LIST ? WORKQUEUE_BACKLOG : WORKQUEUE_NEW,
		    json_incref(obj));
		return;
	}
	/* Not for every object of a list that is read again. */
	if (via == REFLECTOR_LIST)
		return;
	objkey_text(key, text);
	log_info(
	    "update suppressed, no changes in spec", "sealed-secret", text);
}

static void
sealedsecret_gone(void *ctx, const struct objkey *key,
    const struct index_record *old, json_t *obj UNUSED)
{
	const struct handlers *h = ctx;

	registry_release_uses(h->cfg->keys, old->uses);
	if (!h->cfg->omit_secret_metrics)
		metrics_remove_prefix(h->cfg->metrics, METRIC_CONDITION_INFO, 2,
		    key->ns, key->name);
	/* The Secret is the garbage collector's business, unless the old way
	 * was asked for. */
	if (h->cfg->old_gc)
		workqueue_add(h->cfg->queue, key, WORKQUEUE_NEW, NULL);
}

static void
sealedsecret_trouble(void *ctx UNUSED, const struct err *err)
{
	log_trouble("Error watching SealedSecrets", err);
}

struct reflector_handler
handlers_sealedsecret(struct handlers *h)
{
	return (struct reflector_handler) {
		.ctx = h,
		.reduce = sealedsecret_reduce,
		.changed = sealedsecret_changed,
		.gone = sealedsecret_gone,
		.trouble = sealedsecret_trouble,
	};
}

/* ---- Secrets ---- */

static bool
secret_reduce(void *ctx UNUSED, const json_t *obj, struct index_record *rec)
{
	reduce_common(obj, rec);
	shape_of_secret(obj, rec);
	return true;
}

void
handlers_secret_written(const struct controller_config *cfg,
    const struct objkey *key, const json_t *secret)
{
	struct index_record rec = { .flags = 0 };

	if (secret_reduce(NULL, secret, &rec))
		(void)index_add(cfg->secrets, key, &rec);
}

/* The Secret does not look as it should, or as a run has left it. */
static bool
looks_drifted(const struct handlers *h, const struct index_record *sealed,
    const struct index_record *secret)
{
	if (h->cfg->drift == DRIFT_OFF ||
	    (sealed->state & SEALED_IGNORE_DRIFT) != 0)
		return false;
	/* What was never there in the right form cannot have been changed. */
	if (!reconcile_succeeded(sealed->result) &&
	    (sealed->marks & RECONCILE_MARK_WRITING) == 0)
		return false;
	return !shape_fits(sealed, secret) &&
	    sealed->accepted != shape_print(secret);
}

static bool
is_unblocked(const struct index_record *sealed, const struct index_record *old,
    const struct index_record *now)
{
	enum err_code code;

	/* A foreign Secret that was in the way may be written to from now
	 * on. */
	return old != NULL &&
	    ((old->flags ^ now->flags) & SECRET_RIGHTS) != 0 &&
	    reconcile_failed(sealed->result, &code) && code == ERR_UNMANAGED;
}

static void
secret_changed(void *ctx, const struct objkey *key,
    const struct index_record *old, const struct index_record *now,
    json_t *obj UNUSED, enum reflector_via via UNUSED)
{
	const struct handlers *h = ctx;
	struct index_record sealed;

	if (!index_get(h->cfg->sealedsecrets, key, &sealed))
		return;
	/* Remembered, so that an owner reference that somebody takes away can
	 * be put back. */
	if ((now->flags & SECRET_OWNED) != 0)
		(void)index_note(h->cfg->secrets, key, now->uid, 0, 0,
		    hash_str(now->owner_uid));
	if (is_unblocked(&sealed, old, now) || looks_drifted(h, &sealed, now))
		workqueue_add(h->cfg->queue, key, WORKQUEUE_NEW, NULL);
}

/*
 * Made again where it was ours, also under the UID of a SealedSecret that was
 * deleted and made anew. What was only patched, or foreign, is not; where a
 * foreign one was in the way, the waiting retry finds the place free.
 */
static void
secret_gone(void *ctx, const struct objkey *key, const struct index_record *old,
    json_t *obj UNUSED)
{
	const struct handlers *h = ctx;
	struct index_record sealed;

	if ((old->flags & (SECRET_OWNED | SECRET_MANAGED)) != 0 &&
	    index_get(h->cfg->sealedsecrets, key, &sealed))
		workqueue_add(h->cfg->queue, key, WORKQUEUE_NEW, NULL);
}

static void
secret_trouble(void *ctx UNUSED, const struct err *err)
{
	log_trouble("Error watching Secrets", err);
}

struct reflector_handler
handlers_secret(struct handlers *h)
{
	return (struct reflector_handler) {
		.ctx = h,
		.reduce = secret_reduce,
		.changed = secret_changed,
		.gone = secret_gone,
		.trouble = secret_trouble,
	};
}

/* ---- keys ---- */

void
handlers_note_uses(const struct controller_config *cfg,
    const struct objkey *key, const char *uid, uint64_t digest,
    const struct registry_uses *uses)
{
	uint32_t now = 0, old = 0;

	if (uses != NULL)
		now = registry_count_uses(cfg->keys, uses);
	if (index_note_uses(cfg->sealedsecrets, key, uid, digest, now, &old))
		registry_release_uses(cfg->keys, old);
	else
		registry_release_uses(cfg->keys, now);
}

static void
enqueue_if_no_key(
    void *ctx, const struct objkey *key, const struct index_record *rec)
{
	const struct handlers *h = ctx;
	enum err_code code;

	if (registry_uses_lack_keys(h->cfg->keys, rec->uses))
		handlers_note_uses(h->cfg, key, rec->uid, rec->digest, NULL);
	if (reconcile_failed(rec->result, &code) && code == ERR_NOKEY)
		workqueue_add(h->cfg->queue, key, WORKQUEUE_BACKLOG, NULL);
}

void
handlers_keys_changed(struct handlers *h)
{
	index_walk(h->cfg->sealedsecrets, enqueue_if_no_key, h);
}
