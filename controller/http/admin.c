/*
 * The admin listener: its routes, its limits, the list of keys.
 */
#include "http/admin.h"

#include <string.h>

#include "auth.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/jsonx.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timefmt.h"
#include "call.h"
#include "export.h"
#include "restorer.h"
#include "routes.h"
#include "tls.h"

/* One request after the other: reviews and exports never run side by side. */
#define TASK_THREADS	1
#define CONNECTIONS_MAX 16
#define IDLE_MS		15000 /* of a handshake too */
#define READ_MS		30000
#define WRITE_MS	120000
#define SMALL_BODY_MAX	((size_t)64 * 1024)
/* Fingerprints of all keys go into a field of the answer's head. */
#define CONNECTION_MEMORY   ((size_t)128 * 1024)
#define RECIPIENTS_FILE_MAX ((size_t)256 * 1024)

struct admin {
	struct admin_config cfg;
	struct tls *tls;
	struct backup_recipients *recipients;
	struct limit *limit;
};

/* ---- admission, on the listener's thread ---- */

static bool
admit(struct admin *a, const struct head *head, const char *method,
    struct http_reply *reply)
{
	http_reply_text_field(reply, "Cache-Control", "no-store");
	if (!auth_admit(a->limit, head, reply))
		return false;
	if (strcmp(head->method, method) == 0)
		return true;
	http_reply_text_field(reply, "Allow", method);
	http_reply_error(reply, 405, "method not allowed");
	return false;
}

static bool
admit_get(void *ctx, const struct head *head, struct http_reply *reply)
{
	return admit(ctx, head, "GET", reply);
}

static bool
admit_post(void *ctx, const struct head *head, struct http_reply *reply)
{
	return admit(ctx, head, "POST", reply);
}

/* ---- the list ---- */

static void
set_time(json_t *obj, const char *name, int64_t unix_s)
{
	char text[TIMEFMT_MAX];

	timefmt_rfc3339(unix_s, text);
	jsonx_set_str(obj, name, text);
}

static const char *
state_of(const struct registry_key *k)
{
	if (k->expired)
		return "expired";
	return k->pending ? "pending" : "active";
}

static json_t *
describe(const struct registry_key *k)
{
	json_t *v = json_object();

	jsonx_set_str(v, "name", k->nnames > 0 ? k->names[0] : "");
	jsonx_set_str(v, "fingerprint", k->fingerprint);
	set_time(v, "notBefore", k->not_before);
	set_time(v, "notAfter", k->not_after);
	set_time(v, "order", k->order_s);
	jsonx_set(v, "seals", json_boolean(k->seals));
	jsonx_set_str(v, "state", state_of(k));
	jsonx_set(v, "opened", json_integer((json_int_t)k->opened));
	jsonx_set(v, "items", json_integer((json_int_t)k->items));
	jsonx_set(v, "backedUp", json_null());
	if (k->backed_up)
		set_time(v, "backedUp", k->backed_up_s);
	jsonx_set(v, "namespaces", json_null());
	if (k->namespaces != NULL)
		jsonx_set_str(v, "namespaces", k->namespaces);
	return v;
}

static void
list_run(struct call *c)
{
	AUTO_RELEASE(registry_listing) struct registry_listing list = { 0 };
	AUTO_JSON json_t *v = json_object();
	json_t *keys = json_array();

	registry_list(c->cfg->keys, &list);
	for (size_t i = 0; i < list.n; i++)
		(void)json_array_append_new(keys, describe(&list.key[i]));
	jsonx_set_str(v, "namespace", c->cfg->ns);
	jsonx_set(
	    v, "unknownItems", json_integer((json_int_t)list.unknown_items));
	jsonx_set(v, "keys", keys);
	http_reply_json(c->reply, 200, v);
}

/* ---- work, on the thread of the pool ---- */

/* False: reply is the answer. user is the caller's to release. */
static bool
open_call(struct admin *a, enum admin_action action, struct admin_user *user,
    struct call *c)
{
	c->cfg = &a->cfg;
	c->recipients = a->recipients;
	c->limit = a->limit;
	c->user = user;
	call_id(c->id);
	http_reply_text_field(c->reply, "X-Request-Id", c->id);
	return auth_grant(
	    &a->cfg.backend, a->limit, c->head, action, user, c->reply);
}

static void
work_list(void *ctx, const struct head *head, struct buf *body UNUSED,
    const struct pool *pool, struct http_reply *reply)
{
	AUTO_RELEASE(admin_user) struct admin_user user = { 0 };
	struct call c = { .head = head, .pool = pool, .reply = reply };

	if (open_call(ctx, ADMIN_LIST, &user, &c))
		list_run(&c);
}

static void
work_export(void *ctx, const struct head *head, struct buf *body UNUSED,
    const struct pool *pool, struct http_reply *reply)
{
	AUTO_RELEASE(admin_user) struct admin_user user = { 0 };
	struct call c = { .head = head, .pool = pool, .reply = reply };

	if (open_call(ctx, ADMIN_EXPORT, &user, &c))
		export_run(&c);
}

/* A word that is not understood must not write. */
static bool
read_dry_run(const struct head *head, bool *ret)
{
	*ret = false;
	if (head->odd_args || head->nargs > 1)
		return false;
	if (head->nargs == 0)
		return true;
	*ret = strcmp(head->args[0].value, "true") == 0;
	return strcmp(head->args[0].name, "dryRun") == 0 &&
	    (*ret || strcmp(head->args[0].value, "false") == 0);
}

static void
work_restore(void *ctx, const struct head *head, struct buf *body,
    const struct pool *pool, struct http_reply *reply)
{
	AUTO_RELEASE(admin_user) struct admin_user user = { 0 };
	struct call c = { .head = head, .pool = pool, .reply = reply };
	bool dry_run;

	if (!open_call(ctx, ADMIN_RESTORE, &user, &c))
		return;
	if (!read_dry_run(head, &dry_run))
		http_reply_error(
		    reply, 400, "the only argument is dryRun, true or false");
	else
		restorer_run(&c, body, dry_run);
}

static const struct http_task tasks[] = {
	{ .path = "/v1/keys",
	    .credentials = true,
	    .admit = admit_get,
	    .work = work_list,
	    .body_max = SMALL_BODY_MAX },
	{ .path = "/v1/keys/export",
	    .credentials = true,
	    .admit = admit_post,
	    .work = work_export,
	    .body_max = SMALL_BODY_MAX },
	{ .path = "/v1/keys/restore",
	    .credentials = true,
	    .admit = admit_post,
	    .work = work_restore },
};

/* ---- start ---- */

static int
load_recipients(struct admin *a, struct err *err)
{
	AUTO_RELEASE(buf) struct buf pem = BUF_INIT(RECIPIENTS_FILE_MAX);
	const char *file = a->cfg.recipients_file;

	if (file[0] == '\0')
		return 0;
	if (file_read(file, &pem, err) < 0)
		return -1;
	if (backup_recipients_load(
		buf_str(&pem), pem.len, &a->recipients, err) < 0)
		return err_wrap(err, "%s", file);
	return 0;
}

static void
release(void *ctx)
{
	struct admin *a = ctx;

	tls_free(a->tls);
	backup_recipients_free(a->recipients);
	limit_free(a->limit);
}

int
http_admin_start(
    const struct admin_config *cfg, struct http_server **ret, struct err *err)
{
	struct admin *a = xcalloc(1, sizeof(*a));
	struct http_listener_config lc = {
		.listen_addr = cfg->listen_addr,
		.tasks = tasks,
		.ntasks = ARRAY_SIZE(tasks),
		.task_threads = TASK_THREADS,
		.ctx = a,
		.release = release,
		.metrics = cfg->metrics,
		.clock = &clock_system,
		.threads = 1,
		.body_max = SMALL_BODY_MAX,
		.conns = {
			.max = CONNECTIONS_MAX,
			.idle_ms = IDLE_MS,
			.read_ms = READ_MS,
			.write_ms = WRITE_MS,
		},
		.connection_memory = CONNECTION_MEMORY,
	};

	a->cfg = *cfg;
	a->limit = limit_new(&clock_system);
	if (tls_new(cfg->cert_file, cfg->key_file, &clock_system, &a->tls,
		err) < 0 ||
	    load_recipients(a, err) < 0) {
		release(a);
		mem_free_wiped(a);
		err->code = ERR_INVALID;
		return -1;
	}
	lc.tls = a->tls;
	return http_server_start(&lc, ret, err);
}
