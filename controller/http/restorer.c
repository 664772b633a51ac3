/*
 * Restore of keys; see restorer.h. Everything is looked at before the first
 * write: the backup as a whole, the cluster, and what the server says to each
 * key that is to be created. Repeating a restore that was cut short completes
 * it, for what has been created is "unchanged" then.
 */
#include "restorer.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "auth.h"
#include "base/clock.h"
#include "base/jsonx.h"
#include "base/log.h"
#include "base/mem.h"
#include "restore.h"

#define LOOK_MS 20 /* whether the registry has the keys */

/* What the server said may quote what it was sent: neither the answer nor the
 * log repeats it. */
static void
fail(const struct call *c, const char *what, const char *name, size_t created,
    const struct err *err)
{
	AUTO_STR char *text = xasprintf(
	    "%s %s: %s; %zu keys were created, send the same backup again",
	    what, name, err_code_name(err->code), created);

	log_error("Cannot restore keys", "request", c->id, "error", text);
	http_reply_error(c->reply, 503, text);
}

static bool
is_over(const struct call *c)
{
	return c->pool != NULL && pool_stopping(c->pool);
}

static int
create(struct call *c, const struct restore_item *item, bool dry_run,
    struct err *err)
{
	const struct admin_backend *b = &c->cfg->backend;

	if (is_over(c))
		return err_set(err, ERR_CANCELLED, "shutting down");
	return b->create(b->ctx, item->key->secret, dry_run, err);
}

/* False: reply is the answer. */
static bool
rehearse(struct call *c, struct restore_plan *p)
{
	for (size_t i = 0; i < p->count; i++) {
		struct restore_item *item = &p->items[i];
		struct err err = ERR_INIT;

		if (item->result != RESTORE_CREATED ||
		    create(c, item, true, &err) == 0)
			continue;
		if (err.code != ERR_EXISTS) {
			fail(c, "the server would not take", item->key->name, 0,
			    &err);
			return false;
		}
		restore_conflict(item,
		    "a Secret of this name exists and is not labelled as a "
		    "sealing key");
	}
	return true;
}

/* Somebody was faster with this name: with the same key, as a repetition of
 * this very restore would be? */
static bool
is_ours(struct call *c, const struct restore_item *item)
{
	const struct admin_backend *b = &c->cfg->backend;
	AUTO_JSON json_t *live = NULL;
	struct err ignored = ERR_INIT;
	const json_t *v;
	size_t i;

	if (b->secrets(b->ctx, &live, &ignored) < 0)
		return false;
	json_array_foreach(live, i, v)
	{
		const char *name = jsonx_str(v, "name", NULL);
		const char *fp = jsonx_str(v, "fingerprint", NULL);

		if (name != NULL && fp != NULL &&
		    strcmp(name, item->key->name) == 0)
			return strcmp(fp, keypair_fingerprint(item->key->kp)) ==
			    0;
	}
	return false;
}

/* False: reply is the answer. */
static bool
create_all(struct call *c, struct restore_plan *p)
{
	size_t done = 0;

	for (size_t i = 0; i < p->count; i++) {
		struct restore_item *item = &p->items[i];
		struct err err = ERR_INIT;

		if (item->result != RESTORE_CREATED)
			continue;
		if (create(c, item, false, &err) < 0 &&
		    !(err.code == ERR_EXISTS && is_ours(c, item))) {
			fail(c, "the server did not take", item->key->name,
			    done, &err);
			return false;
		}
		done++;
	}
	return true;
}

static bool
all_known(const struct call *c, const struct restore_plan *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->items[i].result == RESTORE_CREATED &&
		    !registry_knows(c->cfg->keys, p->items[i].key->name))
			return false;
	return true;
}

/* The keys come in through the watch, like everybody's; the answer is to say
 * which one seals with them. */
static void
settle(const struct call *c, const struct restore_plan *p)
{
	const struct timespec tick = { .tv_nsec = LOOK_MS * 1000000L };
	uint64_t end = clock_mono_ms(&clock_system) + c->cfg->settle_ms;

	while (!all_known(c, p) && clock_mono_ms(&clock_system) < end &&
	    !is_over(c))
		(void)nanosleep(&tick, NULL);
}

static json_t *
sealing_key(const struct call *c)
{
	struct registry_current current;
	json_t *v;

	if (!registry_serving(c->cfg->keys, &current))
		return json_null();
	v = json_object();
	jsonx_set_str(v, "name", current.name);
	jsonx_set_str(v, "fingerprint", current.fingerprint);
	return v;
}

static void
answer(struct call *c, const struct restore_plan *p, bool dry_run)
{
	bool conflict = restore_count(p, RESTORE_CONFLICT) > 0;
	AUTO_JSON json_t *v = json_object();

	jsonx_set(v, "dryRun", json_boolean(dry_run));
	jsonx_set(v, "keys", restore_answer(p));
	jsonx_set(v, "seals", sealing_key(c));
	http_reply_json(c->reply, conflict ? 409 : 200, v);
}

static json_t *
to_create(const struct restore_plan *p)
{
	json_t *out = json_array();

	for (size_t i = 0; i < p->count; i++) {
		json_t *v;

		if (p->items[i].result != RESTORE_CREATED)
			continue;
		v = json_object();
		jsonx_set_str(
		    v, "fingerprint", keypair_fingerprint(p->items[i].key->kp));
		(void)json_array_append_new(out, v);
	}
	return out;
}

static bool
audit(const struct call *c, const struct restore_plan *p)
{
	AUTO_JSON json_t *keys = to_create(p);
	AUTO_STR char *fingerprints = call_fingerprints(keys);
	struct admin_record record = {
		.action = auth_action_name(ADMIN_RESTORE),
		.fingerprints = fingerprints,
		.form = "plain",
		.object = p->items[p->count - 1].key->name,
		.keys = json_array_size(keys),
	};

	return call_audit(c, &record);
}

/* Of what writes nothing there is no audit record. */
static void
note(const struct call *c, const struct restore_plan *p, bool dry_run)
{
	char keys[32];

	(void)snprintf(keys, sizeof(keys), "%zu", p->count);
	log_info("Restore of keys", "dryRun", dry_run ? "true" : "false",
	    "keys", keys, "user", c->user->name, "uid", c->user->uid, "source",
	    c->head->peer, "request", c->id);
}

static void
carry_out(struct call *c, struct restore_plan *p, bool dry_run)
{
	note(c, p, dry_run);
	if (restore_count(p, RESTORE_CONFLICT) > 0) {
		answer(c, p, dry_run);
		return;
	}
	if (!rehearse(c, p))
		return;
	if (!dry_run && restore_count(p, RESTORE_CONFLICT) == 0 &&
	    restore_count(p, RESTORE_CREATED) > 0) {
		if (!audit(c, p) || !create_all(c, p))
			return;
		settle(c, p);
	}
	answer(c, p, dry_run);
}

static void
refuse_backup(struct call *c, const struct err *err)
{
	http_reply_error(
	    c->reply, err->code == ERR_TOOBIG ? 413 : 400, err->msg);
}

void
restorer_run(struct call *c, struct buf *body, bool dry_run)
{
	const struct admin_backend *b = &c->cfg->backend;
	AUTO(backup) struct backup *backup = NULL;
	AUTO(restore_plan) struct restore_plan *plan = NULL;
	AUTO_JSON json_t *live = NULL;
	struct err err = ERR_INIT;

	if (backup_parse(buf_str(body), body->len, &backup, &err) < 0) {
		refuse_backup(c, &err);
		return;
	}
	buf_release(body);
	if (b->secrets(b->ctx, &live, &err) < 0) {
		log_error(
		    "Cannot restore keys", "request", c->id, "error", err.msg);
		http_reply_error(
		    c->reply, 503, "the key Secrets could not be read");
		return;
	}
	plan = restore_plan(backup, live);
	carry_out(c, plan, dry_run);
}
