/*
 * What the two watches mean for the work queue.
 */
#include "handlers.h"

#include <string.h>

#include "base/jsonx.h"
#include "base/log.h"
#include "reconcile.h"
#include "sealedsecret.h"
#include "sealedsecret/merge.h"

/* index_record.flags of a Secret; of a SealedSecret it is the instance tag. */
enum secret_flags {
	SECRET_MANAGED = 1,
	SECRET_PATCH = 2,
	SECRET_OWNED = 4, /* by a SealedSecret of its own name */
};

static void
reduce_common(const json_t *obj, struct index_record *rec)
{
	const char *uid = jsonx_str(obj, "metadata", "uid", NULL);
	const char *rv = jsonx_str(obj, "metadata", "resourceVersion", NULL);

	index_copy_id(rec->uid, sizeof(rec->uid), uid != NULL ? uid : "");
	index_copy_id(rec->rv, sizeof(rec->rv), rv != NULL ? rv : "");
	rec->generation = jsonx_int(obj, "metadata", "generation", NULL);
}

/* ---- SealedSecrets ---- */

static bool
sealedsecret_reduce(
    void *ctx UNUSED, const json_t *obj, struct index_record *rec)
{
	reduce_common(obj, rec);
	rec->digest = sealedsecret_digest(obj);
	rec->flags = sealedsecret_instance_tag(obj);
	return true;
}

/* The label app.kubernetes.io/instance is part of the series: move it. */
static void
move_series(const struct controller_config *cfg, const struct objkey *key,
    const struct index_record *old, const json_t *obj)
{
	enum err_code code;
	bool ok = reconcile_succeeded(old->result);

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

	if (old != NULL && old->flags != now->flags)
		move_series(h->cfg, key, old, obj);
	if (old == NULL || strcmp(old->uid, now->uid) != 0 ||
	    old->digest != now->digest) {
		workqueue_add(h->cfg->queue, key,
		    via == REFLECTOR_LIST ? WORKQUEUE_BACKLOG : WORKQUEUE_NEW,
		    json_incref(obj));
		return;
	}
	if (via == REFLECTOR_LIST || !log_enabled(LOG_LEVEL_DEBUG))
		return;
	objkey_text(key, text);
	log_debug(
	    "update suppressed, no changes in spec", "sealed-secret", text);
}

static void
sealedsecret_gone(void *ctx, const struct objkey *key,
    const struct index_record *old UNUSED, json_t *obj UNUSED)
{
	const struct handlers *h = ctx;

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
	log_warn("Error watching SealedSecrets", "error", err->msg);
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
	const char *owner = merge_controller_uid(obj);
	const char *name = jsonx_str(obj, "metadata", "name", NULL);

	reduce_common(obj, rec);
	if (owner != NULL)
		index_copy_id(rec->owner_uid, sizeof(rec->owner_uid), owner);
	if (merge_annotated(obj, ANNOTATION_MANAGED))
		rec->flags |= SECRET_MANAGED;
	if (merge_annotated(obj, ANNOTATION_PATCH))
		rec->flags |= SECRET_PATCH;
	if (name != NULL && merge_controlled_by_name(obj, name))
		rec->flags |= SECRET_OWNED;
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

/* A foreign Secret that was in the way may be written to from now on. */
static void
secret_changed(void *ctx, const struct objkey *key,
    const struct index_record *old, const struct index_record *now,
    json_t *obj UNUSED, enum reflector_via via UNUSED)
{
	const struct handlers *h = ctx;
	struct index_record sealed;
	enum err_code code;

	if (old == NULL || old->flags == now->flags ||
	    !index_get(h->cfg->sealedsecrets, key, &sealed))
		return;
	if (reconcile_failed(sealed.result, &code) && code == ERR_UNMANAGED)
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
	log_warn("Error watching Secrets", "error", err->msg);
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

static void
enqueue_if_no_key(
    void *ctx, const struct objkey *key, const struct index_record *rec)
{
	const struct handlers *h = ctx;
	enum err_code code;

	if (reconcile_failed(rec->result, &code) && code == ERR_NOKEY)
		workqueue_add(h->cfg->queue, key, WORKQUEUE_BACKLOG, NULL);
}

void
handlers_keys_changed(struct handlers *h)
{
	index_walk(h->cfg->sealedsecrets, enqueue_if_no_key, h);
}
