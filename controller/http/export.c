/*
 * Export of the keys; see export.h. Nothing of a key enters the answer before
 * the export has been written down.
 */
#include "export.h"

#include <string.h>

#include "auth.h"
#include "base/digest.h"
#include "base/jsonx.h"
#include "base/log.h"
#include "base/mem.h"
#include "keystore/secretform.h"
#include "routes.h"

static void
fail(const struct call *c, unsigned status, const char *text,
    const struct err *err)
{
	log_error("Cannot export keys", "request", c->id, "error", err->msg);
	http_reply_error(c->reply, status, text);
}

static bool
may_now(const struct call *c)
{
	uint64_t wait_s = limit_take_export(c->limit);

	if (wait_s == 0)
		return true;
	http_reply_field(c->reply, "Retry-After", wait_s);
	http_reply_error(c->reply, 429, "too many exports");
	return false;
}

/* Without its owner the key of somebody else would seal where it is restored.
 */
static void
drop_produced(const struct call *c, json_t *keys)
{
	for (size_t i = json_array_size(keys); i-- > 0;) {
		const json_t *key = json_array_get(keys, i);
		const char *name = jsonx_str(key, "name", NULL);

		if (!secretform_is_produced(json_object_get(key, "secret")))
			continue;
		log_warn("A key secret that a SealedSecret produced is not "
			 "exported",
		    "request", c->id, "secretname", name != NULL ? name : "");
		(void)json_array_remove(keys, i);
	}
}

/* [{"secret"}] -> the Secrets alone. */
static json_t *
secrets_of(const json_t *keys)
{
	json_t *out = json_array();
	json_t *key;
	size_t i;

	json_array_foreach((json_t *)keys, i, key)(void)
	    json_array_append(out, json_object_get(key, "secret"));
	return out;
}

/* The backup in the form that is configured. */
static int
make_backup(
    const struct call *c, const json_t *keys, struct buf *out, struct err *err)
{
	AUTO_JSON json_t *secrets = secrets_of(keys);
	AUTO(secret) struct secret *plain = NULL;

	if (backup_write(secrets, &plain, err) < 0)
		return -1;
	if (c->recipients != NULL)
		return backup_encrypt(c->recipients, plain, out, err);
	return buf_append(out, secret_bytes(plain), secret_len(plain), err);
}

static bool
audit(const struct call *c, const json_t *keys, const char *fingerprints)
{
	const json_t *first = json_array_get(keys, 0);
	struct registry_current current;
	struct admin_record record = {
		.action = auth_action_name(ADMIN_EXPORT),
		.fingerprints = fingerprints,
		.form = c->recipients != NULL ? "encrypted" : "plain",
		.object = jsonx_str(first, "name", NULL),
		.keys = json_array_size(keys),
	};

	if (registry_serving(c->cfg->keys, &current))
		record.object = current.name;
	return call_audit(c, &record);
}

/* What is to be noted once the backup has left. */
struct noting {
	struct pool_job job; /* the first member */
	const struct admin_config *cfg;
	char id[CALL_ID_MAX];
	json_t *keys; /* names and fingerprints */
};

static void
note_now(struct pool_job *job, bool cancelled)
{
	struct noting *n = (struct noting *)(void *)job;

	if (cancelled)
		log_warn("An export did not go out whole, so its keys do not "
			 "count as backed up",
		    "request", n->id);
	else
		n->cfg->backend.exported(n->cfg->backend.ctx, n->keys);
	json_decref(n->keys);
	mem_free_wiped(n);
}

static struct pool_job *
note_later(const struct call *c, const json_t *keys)
{
	struct noting *n = xcalloc(1, sizeof(*n));
	const json_t *key;
	size_t i;

	n->job.run = note_now;
	n->cfg = c->cfg;
	memcpy(n->id, c->id, sizeof(n->id));
	n->keys = json_array();
	json_array_foreach((json_t *)keys, i, key)
	{
		json_t *v = json_copy((json_t *)key);

		(void)json_object_del(v, "secret");
		(void)json_array_append_new(n->keys, v);
	}
	return &n->job;
}

static void
answer(struct call *c, const json_t *keys, struct buf *backup)
{
	AUTO_STR char *fingerprints = call_fingerprints(keys);
	AUTO_RELEASE(buf) struct buf digest = BUF_INIT(DIGEST_FIELD_MAX);
	struct http_reply *reply = c->reply;

	if (!audit(c, keys, fingerprints))
		return;
	digest_put_field(buf_str(backup), backup->len, &digest);
	http_reply_text_field(reply, "Content-Digest", buf_str(&digest));
	http_reply_text_field(reply, "X-Key-Fingerprints", fingerprints);
	buf_release(&reply->body);
	reply->body = *backup;
	*backup = (struct buf)BUF_INIT(0);
	reply->status = 200;
	reply->content_type =
	    c->recipients != NULL ? "application/cms" : "application/yaml";
	reply->after = note_later(c, keys);
}

void
export_run(struct call *c)
{
	AUTO_RELEASE(buf) struct buf backup = BUF_INIT(HTTP_TASK_REPLY_MAX);
	AUTO_JSON json_t *keys = NULL;
	struct err err = ERR_INIT;

	if (!may_now(c))
		return;
	if (c->cfg->backend.secrets(c->cfg->backend.ctx, &keys, &err) < 0) {
		fail(c, 503, "the key Secrets could not be read", &err);
		return;
	}
	drop_produced(c, keys);
	if (json_array_size(keys) == 0)
		http_reply_error(c->reply, 404, "there are no key Secrets");
	else if (make_backup(c, keys, &backup, &err) < 0)
		fail(c, 500, "the backup could not be made", &err);
	else
		answer(c, keys, &backup);
}
