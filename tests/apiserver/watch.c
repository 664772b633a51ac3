/*
 * Watches: one JSON line per change until the time is over, the client goes,
 * or a test ends them.
 */
#include "watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "selector.h"
#include "settings.h"
#include "status.h"
#include "store.h"
#include "validate.h"

#define TIMEOUT_MIN_S	 1800
#define TICK_MS		 100
#define BOOKMARK_LEAD_MS 2000
#define MAX_INJECTED	 64

struct watch {
	struct call *c;
	struct selector *labels;
	struct selector *fields;
	uint64_t next; /* number of the next event to look at */
	uint64_t rv;   /* newest version that was looked at */
	bool bookmarks;
	bool said_farewell;
	int64_t deadline;
	int64_t bookmark_at;
	struct settings seen;
	size_t injected;
	json_t *error; /* the stream's only line */
};

struct injection {
	char resource[64];
	char *line;
	size_t giant;
};

/* Guarded by the lock of the store. */
static struct injection injections[MAX_INJECTED];
static size_t ninjections;
static unsigned open_watches[TYPES_COUNT];

json_t *
watch_counts(void)
{
	json_t *out = json_object();
	unsigned total = 0;

	store_lock();
	for (size_t i = 0; i < TYPES_COUNT; i++) {
		json_put(
		    out, types_all[i].plural, json_integer(open_watches[i]));
		total += open_watches[i];
	}
	store_unlock();
	json_put(out, "total", json_integer(total));
	return out;
}

void
watch_inject(const char *resource, const char *line, size_t giant)
{
	struct injection *in;

	store_lock();
	if (ninjections < MAX_INJECTED) {
		in = &injections[ninjections++];
		snprintf(in->resource, sizeof(in->resource), "%s", resource);
		in->line = util_strdup(line);
		in->giant = giant;
	}
	store_wake();
	store_unlock();
}

/* -- lines -- */

static void
add_line(struct sbuf *out, const char *type, const json_t *obj)
{
	json_t *line = json_pack("{s:s, s:O}", "type", type, "object", obj);
	char *text = json_text(line);

	sbuf_adds(out, text);
	sbuf_adds(out, "\n");
	free(text);
	json_decref(line);
}

static void
add_object(
    const struct watch *w, struct sbuf *out, const char *type, json_t *obj)
{
	json_t *v = w->c->partial ? call_partial(obj) : json_incref(obj);

	add_line(out, type, v);
	json_decref(v);
}

/* prev as it was, but with the version of the change that hid it. */
static json_t *
with_version(const json_t *prev, uint64_t rv)
{
	json_t *out = json_deep_copy(prev);
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)rv);
	json_puts(json_child(out, "metadata"), "resourceVersion", text);
	return out;
}

static bool
selects(const struct watch *w, const json_t *obj)
{
	return selector_matches(w->labels, obj) &&
	    selector_matches(w->fields, obj);
}

static bool
in_scope(const struct watch *w, const struct store_event *e)
{
	size_t n = strlen(w->c->ns);

	if (e->res != w->c->res)
		return false;
	if (n > 0 && (strncmp(e->key, w->c->ns, n) != 0 || e->key[n] != '/'))
		return false;
	return *w->c->name == '\0' ||
	    strcmp(json_str(json_object_get(e->obj, "metadata"), "name"),
		w->c->name) == 0;
}

static void
add_event(const struct watch *w, struct sbuf *out, const struct store_event *e)
{
	bool before = selects(w, e->prev);
	bool after = e->change != STORE_DELETED && selects(w, e->obj);
	json_t *gone;

	if (after) {
		add_object(w, out, before ? "MODIFIED" : "ADDED", e->obj);
	} else if (before) {
		gone = with_version(e->prev, e->rv);
		add_object(w, out, "DELETED", gone);
		json_decref(gone);
	}
}

static void
add_bookmark(const struct watch *w, struct sbuf *out)
{
	char rv[24];
	json_t *obj;

	snprintf(rv, sizeof(rv), "%llu", (unsigned long long)w->rv);
	obj = json_pack("{s:s, s:s, s:{s:s}}", "kind",
	    w->c->partial ? "PartialObjectMetadata" : w->c->res->kind,
	    "apiVersion",
	    w->c->partial ? "meta.k8s.io/v1" : w->c->res->api_version,
	    "metadata", "resourceVersion", rv);
	add_line(out, "BOOKMARK", obj);
	json_decref(obj);
}

static void
add_injection(struct sbuf *out, const char *line, size_t giant)
{
	char filler[4096];

	memset(filler, 'x', sizeof(filler));
	sbuf_adds(out, line);
	while (giant > 0) {
		size_t n = giant < sizeof(filler) ? giant : sizeof(filler);

		sbuf_add(out, filler, n);
		giant -= n;
	}
	sbuf_adds(out, "\n");
}

/* -- start -- */

static void
initial_state(struct watch *w, struct sbuf *out)
{
	struct store_items all;

	if (store_snapshot(w->c->res, store_rv(), &all) < 0)
		return;
	for (size_t i = 0; i < all.n; i++) {
		json_t *meta = json_object_get(all.items[i], "metadata");
		const char *ns = json_str(meta, "namespace");

		if (*w->c->ns != '\0' &&
		    (ns == NULL || strcmp(ns, w->c->ns) != 0))
			continue;
		if (selects(w, all.items[i]))
			add_object(w, out, "ADDED", all.items[i]);
	}
	store_items_release(&all);
}

static json_t *
bad_version(const char *text)
{
	char *msg = util_format("resourceVersion: Invalid value: \"%s\": "
				"strconv.ParseUint: parsing \"%s\": invalid "
				"syntax",
	    text, text);
	json_t *s = status_new(500, "", msg, NULL);

	free(msg);
	return s;
}

/* Streamed lists are what a server with that feature off forbids. */
static json_t *
check_options(const struct call *c)
{
	static const struct resource options = {
		.group = "meta.k8s.io",
		.kind = "ListOptions",
	};
	json_t *causes = json_array(), *s = NULL;

	if (http_param(c->req, "sendInitialEvents") != NULL)
		validate_cause(causes, "sendInitialEvents",
		    "FieldValueForbidden",
		    "Forbidden: sendInitialEvents is forbidden for watch "
		    "unless the WatchList feature gate is enabled");
	else if (http_param(c->req, "resourceVersionMatch") != NULL)
		validate_cause(causes, "resourceVersionMatch",
		    "FieldValueForbidden",
		    "Forbidden: resourceVersionMatch is forbidden for watch "
		    "unless sendInitialEvents is provided");
	if (json_array_size(causes) > 0)
		s = status_invalid(&options, "", causes);
	json_decref(causes);
	return s;
}

/* Returns the refusal, or NULL. Runs under the lock. */
static json_t *
find_start(struct watch *w, struct sbuf *out)
{
	const char *text = http_param(w->c->req, "resourceVersion");
	uint64_t rv = 0;

	if (text != NULL && *text != '\0' && !util_parse_u64(text, &rv))
		return bad_version(text);
	if (rv == 0) {
		initial_state(w, out);
		w->next = store_event_end();
		w->rv = store_rv();
		return NULL;
	}
	w->next = store_event_after(rv);
	w->rv = rv;
	if (rv >= store_floor())
		return NULL;
	w->error = status_too_old(rv, store_floor());
	return w->seen.expired_as_http ? json_incref(w->error) : NULL;
}

static json_t *
parse_selectors(struct watch *w)
{
	const struct call *c = w->c;
	char *why = NULL;
	json_t *s;

	if (selector_parse_labels(
		http_param(c->req, "labelSelector"), &w->labels, &why) == 0 &&
	    selector_parse_fields(c->res, http_param(c->req, "fieldSelector"),
		&w->fields, &why) == 0)
		return NULL;
	s = status_bad_request(why);
	free(why);
	return s;
}

static void
init_times(struct watch *w)
{
	const char *text = http_param(w->c->req, "timeoutSeconds");
	uint64_t seconds = 0;

	if (text == NULL || !util_parse_u64(text, &seconds) || seconds == 0)
		seconds = TIMEOUT_MIN_S;
	w->seen = settings_get();
	w->bookmarks = http_param_true(w->c->req, "allowWatchBookmarks");
	w->deadline = util_now_ms() + (int64_t)seconds * 1000;
	w->bookmark_at = util_now_ms() + w->seen.bookmark_ms;
}

/* -- the stream -- */

static void
gather_events(struct watch *w, struct sbuf *out)
{
	const struct store_event *e;

	while ((e = store_event_at(w->next)) != NULL) {
		if (in_scope(w, e))
			add_event(w, out, e);
		w->rv = e->rv;
		w->next++;
	}
	for (; w->injected < ninjections; w->injected++) {
		const struct injection *in = &injections[w->injected];

		if (strcmp(in->resource, "*") == 0 ||
		    strcmp(in->resource, w->c->res->plural) == 0)
			add_injection(out, in->line, in->giant);
	}
}

static void
gather_bookmark(struct watch *w, const struct settings *now, struct sbuf *out)
{
	int64_t t = util_now_ms();
	bool farewell =
	    !w->said_farewell && t >= w->deadline - BOOKMARK_LEAD_MS;

	if (w->bookmarks &&
	    (farewell || t >= w->bookmark_at ||
		now->bookmark_epoch != w->seen.bookmark_epoch)) {
		add_bookmark(w, out);
		w->bookmark_at = t + now->bookmark_ms;
	}
	w->said_farewell = w->said_farewell || farewell;
	w->seen.bookmark_epoch = now->bookmark_epoch;
}

static int
flush_lines(struct watch *w, struct sbuf *out)
{
	int ret = http_write_chunk(w->c->conn, out->data, out->len);

	sbuf_release(out);
	return ret;
}

static void
stream(struct watch *w, struct sbuf *out)
{
	for (;;) {
		struct settings now = settings_get();

		gather_bookmark(w, &now, out);
		if (flush_lines(w, out) < 0 || conn_peer_gone(w->c->conn))
			return;
		if (now.drop_epoch != w->seen.drop_epoch) {
			if (now.drop_clean)
				http_end_chunked(w->c->conn);
			else
				conn_abort(w->c->conn);
			return;
		}
		if (util_now_ms() >= w->deadline) {
			http_end_chunked(w->c->conn);
			return;
		}
		store_lock();
		if (store_event_end() == w->next && w->injected == ninjections)
			store_wait(TICK_MS);
		gather_events(w, out);
		store_unlock();
	}
}

/* Headers, and then nothing for as long as the client bears it. */
static void
stay_mute(struct watch *w)
{
	while (!conn_peer_gone(w->c->conn) &&
	    settings_get().drop_epoch == w->seen.drop_epoch) {
		store_lock();
		store_wait(TICK_MS);
		store_unlock();
	}
	conn_abort(w->c->conn);
}

static void
run(struct watch *w, struct sbuf *out)
{
	const json_t *fault = w->c->fault;
	const char *action = json_str(fault, "action");

	if (action == NULL)
		action = "";
	if (strcmp(action, "watch_expired") == 0 && w->error == NULL)
		w->error = status_too_old(w->rv, store_floor());
	if (http_start_chunked(w->c->conn, 200, "application/json") < 0)
		return;
	if (strcmp(action, "mute") == 0) {
		stay_mute(w);
		return;
	}
	if (w->error != NULL) {
		add_line(out, "ERROR", w->error);
		flush_lines(w, out);
		http_end_chunked(w->c->conn);
		return;
	}
	if (strcmp(action, "watch_line") == 0) {
		const char *line = json_str(fault, "line");

		add_injection(out, line == NULL ? "" : line,
		    (size_t)json_num(fault, "bytes", 0));
	}
	stream(w, out);
}

void
watch_serve(struct call *c)
{
	struct watch w = { .c = c };
	struct sbuf out = { 0 };
	json_t *fail;

	init_times(&w);
	fail = check_options(c);
	if (fail == NULL)
		fail = parse_selectors(&w);
	store_lock();
	if (fail == NULL)
		fail = find_start(&w, &out);
	if (fail != NULL) {
		call_fail(c, fail);
	} else {
		w.injected = ninjections;
		open_watches[c->res->index]++;
	}
	store_unlock();
	if (fail == NULL) {
		c->streamed = true;
		c->code = 200;
		run(&w, &out);
		store_lock();
		open_watches[c->res->index]--;
		store_unlock();
	}
	sbuf_release(&out);
	selector_free(w.labels);
	selector_free(w.fields);
	json_decref(w.error);
}
