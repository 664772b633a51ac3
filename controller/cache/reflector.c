/*
 * The reflector: one resource, one stream at a time, list then watch for ever.
 *
 * Every stream ends in stream_done(), which turns what happened into one error
 * value (ERR_NONE: it ended as it should) and hands it to list_ended() or
 * watch_ended(). These alone set what comes next: the step (list or watch), the
 * place (continue token or version) and the time; setback.c decides where a
 * stream did not lead on. reflector_tick() starts it. Nothing is ever concluded
 * from a list that is not complete.
 */
#include "cache/reflector.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/random.h>

#include "base/hash.h"
#include "base/jsonx.h"
#include "base/mem.h"
#include "kube/watch.h"
#include "metrics/metrics.h"
#include "setback.h"

#define PAGE_LIMIT	 500
#define PAGES_MAX	 20000 /* of one list */
#define VERSION_MAX	 1024  /* resourceVersion */
#define LABEL_MAX	 64
#define PATH_BYTES_MAX	 (32 * 1024) /* > 3 * LIST_TOKEN_MAX + selector */
#define REFUSAL_MAX	 (16 * 1024) /* kept of a refusal's body */
#define LIST_IDLE_MS	 60000
#define LIST_TOTAL_MS	 300000 /* one page */
#define WATCH_IDLE_MS	 180000
#define WATCH_SECONDS	 300 /* asked for: so many */
#define WATCH_SECONDS_TO 600 /* to so many */
#define TROUBLE_EVERY_MS 30000
#define TICK_MAX_MS	 60000
#define POLL_MS		 30000 /* between lists where watching is refused */

enum step { STEP_LIST, STEP_WATCH };

/* Kinds of trouble beside the error codes. */
enum {
	TROUBLE_OBJECT = ERR_UNSUPPORTED + 1,
	TROUBLE_EVENT,
	TROUBLE_KINDS,
};

struct reflector {
	struct reflector_config cfg;
	char *ns, *selector;   /* cfg's, copied */
	char label[LABEL_MAX]; /* of the metrics: resource */

	/* Where we are. */
	enum step step;
	char *version;	/* watch: from here */
	char *token;	/* list: next page; NULL: the first */
	unsigned pages; /* list: read so far */
	bool whole;	/* list: without a limit */
	uint64_t epoch; /* number of the list */

	/* When to go on. */
	uint64_t due_ms;
	struct setback setback;

	/* The stream. */
	bool running;
	struct kube_stream *stream;
	uint64_t started_ms;
	struct list_decoder *list;
	struct watch_decoder *watch;
	bool eventful;		      /* watch: something came */
	struct kube_response refusal; /* status; body of a refusal */
	struct err *verdict;	      /* why we ended it ourselves */

	uint64_t told_ms[TROUBLE_KINDS]; /* 0: never */
	atomic_bool synced;
	atomic_bool refused; /* told so; until a watch is granted */
	_Atomic int64_t last_seen_s;
	int64_t in_step_s; /* last told */
};

static uint32_t
draw(void)
{
	uint32_t r;
	uint64_t ns;

	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) == (ssize_t)sizeof(r))
		return r;
	/* Only spreads load, so the keyed hash of the time will do. */
	ns = clock_mono_ns(&clock_system);
	return (uint32_t)hash_bytes(&ns, sizeof(ns));
}

static char *
copy_or_null(const char *s)
{
	return s == NULL ? NULL : xstrdup(s);
}

/* Metadata-only streams have a name of their own: a namespace may have both. */
static void
set_label(struct reflector *r)
{
	const struct kube_resource *res = r->cfg.resource;

	if (r->cfg.label != NULL)
		(void)snprintf(r->label, sizeof(r->label), "%s", r->cfg.label);
	else
		(void)snprintf(r->label, sizeof(r->label), "%s%s", res->plural,
		    res->metadata_only ? "-metadata" : "");
}

static const char *
ns_label(const struct reflector *r)
{
	return r->ns == NULL ? "" : r->ns;
}

/* A stream that never gets anywhere is there all the same: in step at time
 * 0, which is never. */
static void
make_series(const struct reflector *r)
{
	static const char *const reasons[] = { "ended", "short", "expired",
		"oversize" };
	static const enum err_code codes[] = { ERR_TRANSPORT, ERR_TIMEOUT,
		ERR_SERVER, ERR_THROTTLED, ERR_FORBIDDEN, ERR_UNAUTHORIZED };

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		metrics_add(r->cfg.metrics, METRIC_WATCH_RESTARTS, 0.0,
		    r->label, reasons[i]);
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		metrics_add(r->cfg.metrics, METRIC_WATCH_RESTARTS, 0.0,
		    r->label, err_code_name(codes[i]));
	metrics_set(
	    r->cfg.metrics, METRIC_WATCH_LAST_SEEN, 0.0, r->label, ns_label(r));
	metrics_set(
	    r->cfg.metrics, METRIC_WATCH_LAST_SYNC, 0.0, r->label, ns_label(r));
}

struct reflector *
reflector_new(const struct reflector_config *cfg)
{
	struct reflector *r = xcalloc(1, sizeof(*r));

	r->cfg = *cfg;
	r->ns = copy_or_null(cfg->ns);
	r->selector = copy_or_null(cfg->selector);
	r->cfg.ns = r->ns;
	r->cfg.selector = r->selector;
	if (r->cfg.page_limit == 0)
		r->cfg.page_limit = PAGE_LIMIT;
	if (r->cfg.poll_ms == 0)
		r->cfg.poll_ms = POLL_MS;
	if (r->cfg.random == NULL)
		r->cfg.random = draw;
	setback_init(&r->setback, r->cfg.random, r->cfg.poll_ms);
	r->epoch = 1;
	atomic_init(&r->synced, false);
	atomic_init(&r->refused, false);
	atomic_init(&r->last_seen_s, 0);
	set_label(r);
	make_series(r);
	buf_init(&r->refusal.body, REFUSAL_MAX);
	return r;
}

static void
drop_decoders(struct reflector *r)
{
	list_decoder_free(r->list);
	watch_decoder_free(r->watch);
	r->list = NULL;
	r->watch = NULL;
	buf_release(&r->refusal.body);
	free(r->verdict);
	r->verdict = NULL;
}

void
reflector_free(struct reflector *r)
{
	if (r == NULL)
		return;
	if (r->running)
		r->cfg.mux->cancel(r->cfg.mux->ctx, r->stream);
	drop_decoders(r);
	metrics_remove(
	    r->cfg.metrics, METRIC_WATCH_LAST_SEEN, r->label, ns_label(r));
	metrics_remove(
	    r->cfg.metrics, METRIC_WATCH_LAST_SYNC, r->label, ns_label(r));
	free(r->version);
	free(r->token);
	free(r->selector);
	free(r->ns);
	free(r);
}

bool
reflector_has_synced(const struct reflector *r)
{
	return atomic_load(&r->synced);
}

bool
reflector_is_settled(const struct reflector *r)
{
	return atomic_load(&r->synced) || atomic_load(&r->refused);
}

int64_t
reflector_last_seen_s(const struct reflector *r)
{
	return atomic_load(&r->last_seen_s);
}

static uint64_t
now_ms(const struct reflector *r)
{
	return clock_mono_ms(r->cfg.clock);
}

static void
note_alive(struct reflector *r)
{
	int64_t s = clock_wall_s(r->cfg.clock);

	if (s == atomic_load(&r->last_seen_s))
		return;
	atomic_store(&r->last_seen_s, s);
	metrics_set(r->cfg.metrics, METRIC_WATCH_LAST_SEEN, (double)s, r->label,
	    ns_label(r));
}

/* What the index has is what the cluster has, or had a moment ago. */
static void
note_in_step(struct reflector *r)
{
	int64_t s = clock_wall_s(r->cfg.clock);

	if (s == r->in_step_s)
		return;
	r->in_step_s = s;
	metrics_set(r->cfg.metrics, METRIC_WATCH_LAST_SYNC, (double)s, r->label,
	    ns_label(r));
}

static void
count_restart(struct reflector *r, const char *reason)
{
	metrics_inc(r->cfg.metrics, METRIC_WATCH_RESTARTS, r->label, reason);
}

static void
name_stream(const struct reflector *r, char *buf, size_t size)
{
	(void)snprintf(buf, size, "%s %s%s%s",
	    r->step == STEP_LIST ? "list" : "watch", r->cfg.resource->plural,
	    r->ns == NULL ? "" : " in namespace ", ns_label(r));
}

/* One line per kind of trouble and half minute. */
static void
tell(struct reflector *r, unsigned kind, const struct err *why)
{
	uint64_t now = now_ms(r);
	struct err err = *why;
	char stream[160];

	if (r->cfg.handler.trouble == NULL)
		return;
	if (r->told_ms[kind] != 0 && now < r->told_ms[kind] + TROUBLE_EVERY_MS)
		return;
	r->told_ms[kind] = now == 0 ? 1 : now;
	name_stream(r, stream, sizeof(stream));
	(void)err_wrap(&err, "%s", stream);
	r->cfg.handler.trouble(r->cfg.handler.ctx, &err);
}

/* ---- objects ---- */

static void
report_gone(struct reflector *r, const struct objkey *key,
    const struct index_record *old, json_t *obj)
{
	if (r->cfg.handler.gone != NULL)
		r->cfg.handler.gone(r->cfg.handler.ctx, key, old, obj);
}

/* False: told as trouble, to be skipped. */
static bool
object_key(struct reflector *r, const json_t *obj, struct objkey *key)
{
	const char *name = jsonx_str(obj, "metadata", "name", NULL);
	struct err err = ERR_INIT;

	if (objkey_of(obj, key, &err) == 0) {
		if (r->ns == NULL || strcmp(r->ns, key->ns) == 0)
			return true;
		err_set(&err, ERR_INVALID, "object of another namespace, %s",
		    key->ns);
		err_wrap(&err, "object %s", key->name);
	} else if (name != NULL && objkey_valid_name(name, strlen(name))) {
		err_wrap(&err, "object %s", name);
	} else {
		err_wrap(&err, "object without a usable name");
	}
	tell(r, TROUBLE_OBJECT, &err);
	return false;
}

static void
object_dropped(struct reflector *r, const struct objkey *key)
{
	struct index_record old;

	if (index_remove(r->cfg.index, key, &old))
		report_gone(r, key, &old, NULL);
}

/* The body may be in another thread's hands once changed() has seen it, so
 * everything is read from it before. */
static void
object_seen(struct reflector *r, json_t *obj, enum reflector_via via)
{
	const struct reflector_handler *h = &r->cfg.handler;
	struct index_record old, now = { .generation = 0 };
	struct objkey key;
	bool had;

	if (!object_key(r, obj, &key))
		return;
	if (!h->reduce(h->ctx, obj, &now)) {
		object_dropped(r, &key);
		return;
	}
	/* The same name with another UID: one went, another came. */
	if (index_get(r->cfg.index, &key, &old) &&
	    strcmp(old.uid, now.uid) != 0)
		object_dropped(r, &key);
	had = index_put(r->cfg.index, &key, &now, r->epoch, &old);
	if (had)
		index_keep_notes(&now, &old);
	if (h->changed != NULL)
		h->changed(h->ctx, &key, had ? &old : NULL, &now, obj, via);
}

/* A deletion is reported even of an object we never stored: its name may have
 * to be filled again. */
static void
object_deleted(struct reflector *r, json_t *obj)
{
	const struct reflector_handler *h = &r->cfg.handler;
	struct index_record old = { .generation = 0 };
	struct objkey key;

	if (!object_key(r, obj, &key))
		return;
	if (index_remove(r->cfg.index, &key, &old) ||
	    h->reduce(h->ctx, obj, &old))
		report_gone(r, &key, &old, obj);
}

static void
object_swept(
    void *ctx, const struct objkey *key, const struct index_record *rec)
{
	report_gone(ctx, key, rec, NULL);
}

static bool
list_item(void *ctx, json_t *item)
{
	object_seen(ctx, item, REFLECTOR_LIST);
	return true;
}

/* ---- events ---- */

static void
move_version(struct reflector *r, const json_t *obj)
{
	const char *v = jsonx_str(obj, "metadata", "resourceVersion", NULL);

	if (v == NULL || v[0] == '\0' || strlen(v) > VERSION_MAX ||
	    strcmp(v, r->version) == 0)
		return;
	free(r->version);
	r->version = xstrdup(v);
	setback_progress(&r->setback);
}

static struct err *
verdict(struct reflector *r)
{
	if (r->verdict == NULL)
		r->verdict = xcalloc(1, sizeof(*r->verdict));
	return r->verdict;
}

static void
unknown_event(struct reflector *r, const char *detail)
{
	struct err err = ERR_INIT;

	err_set(&err, ERR_INVALID, "event skipped: %s",
	    detail == NULL ? "unknown type" : detail);
	tell(r, TROUBLE_EVENT, &err);
}

static bool
watch_event(void *ctx, const struct watch_event *ev)
{
	struct reflector *r = ctx;

	switch (ev->type) {
	case WATCH_ADDED:
	case WATCH_MODIFIED:
	case WATCH_DELETED:
	case WATCH_BOOKMARK:
		r->eventful = true;
		note_in_step(r);
		move_version(r, ev->object);
		if (ev->type == WATCH_DELETED)
			object_deleted(r, ev->object);
		else if (ev->type != WATCH_BOOKMARK)
			object_seen(r, ev->object, REFLECTOR_WATCH);
		return true;
	case WATCH_UNKNOWN:
		unknown_event(r, ev->detail);
		return true;
	case WATCH_ERROR:
		(void)kube_status_object_error(ev->object, verdict(r));
		return false;
	case WATCH_OVERSIZE:
		err_set(verdict(r), ERR_TOOBIG,
		    "an event of more than %u bytes was skipped",
		    KUBE_ITEM_MAX);
		return false;
	case WATCH_BAD:
		err_set(verdict(r), ERR_INVALID, "not an event: %s",
		    ev->detail == NULL ? "unreadable" : ev->detail);
		return false;
	}
	return false;
}

/* ---- the next step ---- */

static void
begin_list(struct reflector *r, bool whole)
{
	r->step = STEP_LIST;
	r->whole = whole;
	r->pages = 0;
	free(r->token);
	r->token = NULL;
	/* What an abandoned list has stored must not count as seen by this
	 * one. */
	r->epoch++;
}

static void
wait_for(struct reflector *r, uint64_t ms)
{
	r->due_ms = now_ms(r) + ms;
}

/* Not granted is a setting rather than trouble: said once, in our words. */
static void
refused(struct reflector *r)
{
	struct err err = ERR_INIT;
	char stream[160];

	if (atomic_exchange(&r->refused, true) ||
	    r->cfg.handler.trouble == NULL)
		return;
	name_stream(r, stream, sizeof(stream));
	err_set(&err, ERR_FORBIDDEN, "%s", stream);
	r->cfg.handler.trouble(r->cfg.handler.ctx, &err);
}

static void
follow(
    struct reflector *r, const struct setback_plan *plan, const struct err *why)
{
	count_restart(r, plan->reason);
	/* Told of the step that failed. */
	if (plan->say == SETBACK_REFUSED)
		refused(r);
	else if (plan->say == SETBACK_TROUBLE)
		tell(r, why->code, why);
	if (plan->place != SETBACK_HERE)
		begin_list(r, plan->place == SETBACK_WHOLE_LIST);
	wait_for(r, plan->wait_ms);
}

static void
watch_ended(struct reflector *r, struct err *why)
{
	struct setback_plan plan = setback_watch(&r->setback,
	    &(struct setback_end) {
		.why = why,
		.now_ms = now_ms(r),
		.synced = reflector_has_synced(r),
		.age_ms = now_ms(r) - r->started_ms,
		.eventful = r->eventful,
	    });

	follow(r, &plan, why);
}

static void
list_complete(struct reflector *r)
{
	(void)index_sweep(r->cfg.index, r->ns, r->epoch, object_swept, r);
	note_in_step(r);
	if (!setback_may_watch(&r->setback, now_ms(r))) {
		begin_list(r, false);
		wait_for(r, r->cfg.poll_ms);
	} else {
		r->step = STEP_WATCH;
		free(r->token);
		r->token = NULL;
		wait_for(r, 0);
	}
	mem_trim();
	if (atomic_exchange(&r->synced, true))
		return;
	if (r->cfg.handler.synced != NULL)
		r->cfg.handler.synced(r->cfg.handler.ctx);
}

/* What the page says of the list; checked, for it decides about deletions. */
static int
take_page(struct reflector *r, struct err *err)
{
	const char *version = list_decoder_resource_version(r->list);
	const char *token = list_decoder_continue(r->list);

	if (version[0] == '\0' || strlen(version) > VERSION_MAX)
		return err_set(
		    err, ERR_INVALID, "the list has no usable version");
	if (++r->pages > PAGES_MAX ||
	    (r->token != NULL && strcmp(token, r->token) == 0))
		return err_set(err, ERR_GONE, "the pages do not end");
	free(r->version);
	r->version = xstrdup(version);
	free(r->token);
	r->token = token[0] == '\0' ? NULL : xstrdup(token);
	setback_moved(&r->setback);
	return 0;
}

static void
list_ended(struct reflector *r, struct err *why)
{
	struct setback_plan plan;

	if (why->code == ERR_NONE && take_page(r, why) == 0) {
		if (r->token == NULL)
			list_complete(r);
		else
			wait_for(r, 0);
		return;
	}
	plan = setback_list(&r->setback,
	    &(struct setback_end) {
		.why = why,
		.now_ms = now_ms(r),
		.synced = reflector_has_synced(r),
		.paged = r->pages > 0 && !r->whole,
	    });
	follow(r, &plan, why);
}

/* ---- the stream ---- */

static void
stream_begin(void *ctx, int status, bool json, int retry_after_s)
{
	struct reflector *r = ctx;

	note_alive(r);
	r->refusal.status = status;
	r->refusal.json = json;
	r->refusal.retry_after_s = retry_after_s;
	if (status != 200)
		return;
	setback_answered(&r->setback, r->step == STEP_WATCH);
	if (r->step == STEP_WATCH)
		atomic_store(&r->refused, false);
	if (!json)
		err_set(verdict(r), ERR_INVALID, "the answer is not JSON");
}

static bool
stream_data(void *ctx, const char *p, size_t len)
{
	struct reflector *r = ctx;
	struct err err = ERR_INIT;

	note_alive(r);
	if (r->refusal.status != 200)
		return buf_append(&r->refusal.body, p, len, &err) == 0;
	if (r->verdict != NULL)
		return false;
	if (r->watch != NULL)
		return watch_decoder_feed(r->watch, p, len);
	if (list_decoder_feed(r->list, p, len, &err) == 0)
		return true;
	*verdict(r) = err;
	return false;
}

/* A body that ends in the middle was cut, whatever the transport says. */
static void
judge_list(struct reflector *r, struct err *why)
{
	struct err skipped = ERR_INIT;
	unsigned n = list_decoder_oversize(r->list);

	if (n > 0) {
		err_set(&skipped, ERR_TOOBIG,
		    "%u objects of more than %u bytes were skipped", n,
		    KUBE_ITEM_MAX);
		tell(r, ERR_TOOBIG, &skipped);
	}
	if (list_decoder_end(r->list, why) == 0)
		return;
	assert(why->code != ERR_NONE);
}

/* One error value of everything that can end a stream. */
static void
judge(struct reflector *r, const struct err *err, struct err *why)
{
	if (r->verdict != NULL)
		*why = *r->verdict;
	else if (r->refusal.status != 0 && r->refusal.status != 200)
		(void)kube_status_error(&r->refusal, why);
	else if (err->code != ERR_NONE)
		*why = *err;
	else if (r->refusal.status == 0)
		err_set(why, ERR_TRANSPORT, "no answer");
	else if (r->watch == NULL)
		judge_list(r, why);
	else if (watch_decoder_partial(r->watch))
		err_set(why, ERR_TRANSPORT, "the stream was cut in a line");
}

static void
stream_done(void *ctx, const struct err *err)
{
	struct reflector *r = ctx;
	struct err why = ERR_INIT;

	r->running = false;
	r->stream = NULL;
	judge(r, err, &why);
	if (r->step == STEP_LIST)
		list_ended(r, &why);
	else
		watch_ended(r, &why);
	drop_decoders(r);
}

static void
put_number(struct buf *path, const char *name, unsigned n)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", n);
	kube_path_query(path, name, text);
}

static void
put_path(struct reflector *r, struct buf *path)
{
	unsigned spread = WATCH_SECONDS_TO - WATCH_SECONDS + 1;

	kube_path_collection(r->cfg.resource, r->ns, path);
	if (r->selector != NULL)
		kube_path_query(path, "labelSelector", r->selector);
	if (r->step == STEP_LIST) {
		/* No resourceVersion: the most recent state. */
		if (!r->whole)
			put_number(path, "limit", r->cfg.page_limit);
		if (r->token != NULL)
			kube_path_query(path, "continue", r->token);
		return;
	}
	kube_path_query(path, "watch", "true");
	kube_path_query(path, "allowWatchBookmarks", "true");
	kube_path_query(path, "resourceVersion", r->version);
	put_number(
	    path, "timeoutSeconds", WATCH_SECONDS + r->cfg.random() % spread);
}

static void
new_decoder(struct reflector *r)
{
	if (r->step == STEP_WATCH) {
		r->watch = watch_decoder_new(KUBE_ITEM_MAX, watch_event, r);
		return;
	}
	r->list = list_decoder_new(KUBE_ITEM_MAX, list_item, r);
	list_decoder_skip_oversize(r->list);
}

static void
start_stream(struct reflector *r)
{
	static const struct err unstarted = { .code = ERR_TRANSPORT,
		.msg = "the request could not be started" };
	const struct kube_stream_handler handler = { .ctx = r,
		.begin = stream_begin,
		.data = stream_data,
		.done = stream_done };
	AUTO_RELEASE(buf) struct buf path = BUF_INIT(PATH_BYTES_MAX);
	bool list = r->step == STEP_LIST;
	struct kube_stream_request req;
	struct kube_stream *stream;

	put_path(r, &path);
	req = (struct kube_stream_request) { .path = buf_str(&path),
		.accept = kube_accept(r->cfg.resource, list),
		.idle_timeout_ms = list ? LIST_IDLE_MS : WATCH_IDLE_MS,
		.total_timeout_ms = list ? LIST_TOTAL_MS : 0 };
	new_decoder(r);
	r->refusal.status = 0;
	r->eventful = false;
	r->started_ms = now_ms(r);
	r->running = true;
	stream = r->cfg.mux->start(r->cfg.mux->ctx, &req, &handler);
	if (stream == NULL && r->running)
		stream_done(r, &unstarted);
	else if (r->running)
		r->stream = stream;
}

uint64_t
reflector_tick(struct reflector *r)
{
	uint64_t now = now_ms(r);

	/* The mux judges silence of a running stream. */
	if (!r->running && now >= r->due_ms)
		start_stream(r);
	if (r->running)
		return TICK_MAX_MS;
	return r->due_ms > now ? r->due_ms - now : 0;
}
