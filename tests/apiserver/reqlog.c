/*
 * A bounded list of requests and a counter for each kind of them.
 */
#include "reqlog.h"

#include <pthread.h>
#include <stdlib.h>

#define LOG_MAX 50000

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static json_t *entries;
static json_t *counts;
static uint64_t first_id = 1;
static int64_t start_ms;

static void
init_locked(void)
{
	if (entries != NULL)
		return;
	entries = json_array();
	counts = json_object();
	if (start_ms == 0)
		start_ms = util_now_ms();
}

static json_t *
entry_new(const struct call *c, uint64_t id)
{
	const char *ua = http_header(c->req, "User-Agent");
	const char *type = http_header(c->req, "Content-Type");
	const char *accept = http_header(c->req, "Accept");
	json_t *e = json_pack("{s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:s}", "id",
	    (json_int_t)id, "ms", (json_int_t)(util_now_ms() - start_ms),
	    "verb", c->verb, "resource", c->resource, "namespace", c->ns,
	    "name", c->name, "query", c->req->query, "userAgent",
	    ua == NULL ? "" : ua);

	json_puts(e, "accept", accept == NULL ? "" : accept);
	json_puts(e, "contentType", type == NULL ? "" : type);
	json_puts(e, "path", c->req->path);
	json_put(e, "bodyBytes", json_integer((json_int_t)c->req->body_len));
	json_put(e, "status", json_integer(0));
	json_put(e, "done", json_false());
	if (c->fault != NULL)
		json_put(
		    e, "fault", json_incref(json_object_get(c->fault, "id")));
	return e;
}

uint64_t
reqlog_start(const struct call *c)
{
	char *what = util_format("%s %s", c->verb, c->resource);
	uint64_t id;

	pthread_mutex_lock(&mu);
	init_locked();
	if (json_array_size(entries) == LOG_MAX) {
		json_array_remove(entries, 0);
		first_id++;
	}
	id = first_id + json_array_size(entries);
	json_array_append_new(entries, entry_new(c, id));
	json_put(counts, what, json_integer(json_num(counts, what, 0) + 1));
	pthread_mutex_unlock(&mu);
	free(what);
	return id;
}

void
reqlog_end(uint64_t id, int status)
{
	json_t *e;

	pthread_mutex_lock(&mu);
	e = id < first_id ? NULL : json_array_get(entries, id - first_id);
	if (e != NULL) {
		json_put(e, "status", json_integer(status));
		json_put(e, "done", json_true());
	}
	pthread_mutex_unlock(&mu);
}

void
reqlog_clear(void)
{
	pthread_mutex_lock(&mu);
	init_locked();
	first_id += json_array_size(entries);
	json_array_clear(entries);
	json_object_clear(counts);
	pthread_mutex_unlock(&mu);
}

json_t *
reqlog_dump(void)
{
	json_t *out;

	pthread_mutex_lock(&mu);
	init_locked();
	out = json_pack("{s:o, s:o}", "requests", json_deep_copy(entries),
	    "counts", json_deep_copy(counts));
	pthread_mutex_unlock(&mu);
	return out;
}
