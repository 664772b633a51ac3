/*
 * What the tests of controller/cache/reflector.c share: a reflector on a
 * scripted mux and a clock that the tests move, a handler that writes down what
 * it is told, and the steps of a life.
 */
#ifndef TESTS_UNIT_REFLECTORRIG_H
#define TESTS_UNIT_REFLECTORRIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/jsonx.h"
#include "base/mem.h"
#include "cache/reflector.h"
#include "fakeclock.h"
#include "kube/watch.h"
#include "metrics/metrics.h"
#include "scriptmux.h"

#define RUNNING	    60000 /* what a tick returns while a stream is open */
#define FIRST_MS    UINT64_C(800) /* back-off, for the smallest random value */
#define QUIET_MS    120000
#define LIST_PATH   "/api/v1/secrets?limit=500"
#define WATCH_QUERY "watch=true&allowWatchBookmarks=true&resourceVersion="

#define META(ns, name, uid, rv)                                   \
	"\"metadata\":{\"namespace\":\"" ns "\",\"name\":\"" name \
	"\",\"uid\":\"" uid "\",\"resourceVersion\":\"" rv "\"}"
#define OBJ(ns, name, uid, rv) "{" META(ns, name, uid, rv) "}"
#define NOT_KEPT(ns, name, uid, rv) \
	"{\"skip\":true," META(ns, name, uid, rv) "}"
#define LIST_TAIL(rv, cont)                                                   \
	"],\"metadata\":{\"resourceVersion\":\"" rv "\",\"continue\":\"" cont \
	"\"}}\n"
#define PAGE(rv, cont, items) "{\"items\":[" items LIST_TAIL(rv, cont)
#define LIST(rv, items)	      PAGE(rv, "", items)
#define EVENT(type, obj)      "{\"type\":\"" type "\",\"object\":" obj "}\n"
#define BOOKMARK(rv)                              \
	EVENT("BOOKMARK",                         \
	    "{\"metadata\":{\"resourceVersion\":" \
	    "\"" rv "\"}}")
#define STATUS(code, reason, more)                                        \
	"{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"no\"," \
	"\"reason\":\"" reason "\",\"code\":" code more "}"

struct fixture {
	struct fakeclock clock;
	struct clock as_clock;
	struct scriptmux mux;
	struct index *index;
	struct metrics *metrics;
	struct reflector *r;
	struct reflector_config cfg;
	char log[8192]; /* what the handler was told */
	unsigned troubles;
	struct err trouble; /* the last one */
};

static inline uint32_t
smallest(void)
{
	return 0;
}

/* ---- the handler writes down what it is told ---- */

static inline void
put_log(struct fixture *f, const char *what, const struct objkey *key,
    const struct index_record *rec, const char *more)
{
	size_t len = strlen(f->log);

	assert_true(len + 400 < sizeof(f->log));
	(void)snprintf(f->log + len, sizeof(f->log) - len, "%s%s/%s:%s%s ",
	    what, key->ns, key->name, rec->uid, more);
}

static inline bool
on_reduce(void *ctx UNUSED, const json_t *obj, struct index_record *rec)
{
	index_copy_id(rec->uid, sizeof(rec->uid),
	    jsonx_str(obj, "metadata", "uid", NULL));
	index_copy_id(rec->rv, sizeof(rec->rv),
	    jsonx_str(obj, "metadata", "resourceVersion", NULL));
	return !jsonx_is_true(obj, "skip", NULL);
}

static inline void
on_changed(void *ctx, const struct objkey *key, const struct index_record *old,
    const struct index_record *now, json_t *obj, enum reflector_via via)
{
	struct fixture *f = ctx;
	struct index_record there;
	char more[64];

	assert_non_null(obj);
	assert_true(index_get(f->index, key, &there));
	assert_memory_equal(&there, now, sizeof(there));
	(void)snprintf(more, sizeof(more), "@%s%s%s", old ? old->rv : "",
	    old ? ">" : "", now->rv);
	put_log(f, via == REFLECTOR_LIST ? "L" : "W", key, now, more);
}

/* "!" where the last state came along. */
static inline void
on_gone(void *ctx, const struct objkey *key, const struct index_record *old,
    json_t *obj)
{
	struct fixture *f = ctx;

	assert_false(index_get(f->index, key, NULL));
	put_log(f, "-", key, old, obj != NULL ? "!" : "");
}

static inline void
on_synced(void *ctx)
{
	struct fixture *f = ctx;

	(void)snprintf(f->log + strlen(f->log), sizeof(f->log) - strlen(f->log),
	    "synced ");
}

static inline void
on_trouble(void *ctx, const struct err *err)
{
	struct fixture *f = ctx;

	assert_int_not_equal(err->code, ERR_NONE);
	f->troubles++;
	f->trouble = *err;
}

/* ---- set-up and steps ---- */

static inline void
use(struct fixture *f, const struct kube_resource *res, const char *ns,
    const char *selector)
{
	reflector_free(f->r);
	f->cfg.resource = res;
	f->cfg.ns = ns;
	f->cfg.selector = selector;
	f->r = reflector_new(&f->cfg);
}

static inline int
setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	fakeclock_init(&f.clock);
	f.as_clock = fakeclock_clock(&f.clock);
	scriptmux_init(&f.mux);
	f.index = index_new();
	f.metrics = metrics_new("test");
	f.cfg = (struct reflector_config) { .mux = &f.mux.mux,
		.index = f.index,
		.clock = &f.as_clock,
		.metrics = f.metrics,
		.random = smallest,
		.handler = { .ctx = &f,
		    .reduce = on_reduce,
		    .changed = on_changed,
		    .gone = on_gone,
		    .synced = on_synced,
		    .trouble = on_trouble } };
	use(&f, &KUBE_SECRETS, NULL, NULL);
	*state = &f;
	return 0;
}

static inline int
teardown(void **state)
{
	struct fixture *f = *state;

	reflector_free(f->r);
	scriptmux_release(&f->mux);
	index_free(f->index);
	metrics_free(f->metrics);
	return 0;
}

/* What was told since the last call. */
static inline void
told(struct fixture *f, const char *want)
{
	assert_string_equal(f->log, want);
	f->log[0] = '\0';
}

/* Starts what is due now. */
static inline struct kube_stream *
starts(struct fixture *f)
{
	assert_int_equal(f->mux.nopen, 0);
	assert_int_equal(reflector_tick(f->r), RUNNING);
	return scriptmux_only(&f->mux);
}

static inline struct kube_stream *
starts_list(struct fixture *f)
{
	struct kube_stream *s = starts(f);

	assert_null(strstr(s->path, "watch="));
	return s;
}

static inline struct kube_stream *
starts_watch(struct fixture *f, const char *version)
{
	struct kube_stream *s = starts(f);
	char want[128];

	(void)snprintf(
	    want, sizeof(want), WATCH_QUERY "%s&timeoutSeconds=300", version);
	assert_non_null(strstr(s->path, want));
	return s;
}

/* Nothing starts before ms have gone by. */
static inline void
waits(struct fixture *f, uint64_t ms)
{
	unsigned started = f->mux.started;

	assert_int_equal(f->mux.nopen, 0);
	assert_int_equal(reflector_tick(f->r), ms);
	fakeclock_advance_ms(&f->clock, ms - 1);
	assert_int_equal(reflector_tick(f->r), 1);
	assert_int_equal(f->mux.started, started);
	fakeclock_advance_ms(&f->clock, 1);
}

static inline void
says(struct fixture *f, const char *text)
{
	assert_true(scriptmux_text(&f->mux, scriptmux_only(&f->mux), text));
}

/* Says it, and the reader wants no more. */
static inline void
says_finally(struct fixture *f, const char *text)
{
	assert_false(scriptmux_text(&f->mux, scriptmux_only(&f->mux), text));
	assert_int_equal(f->mux.nopen, 0);
}

static inline void
ends(struct fixture *f, enum err_code code)
{
	scriptmux_end(&f->mux, scriptmux_only(&f->mux), code);
}

/* The whole of an answer. */
static inline void
answers(struct fixture *f, int status, const char *body)
{
	scriptmux_begin(scriptmux_only(&f->mux), status, true, -1);
	says(f, body);
	ends(f, ERR_NONE);
}

static inline void
refuses(struct fixture *f, int status, int retry_after)
{
	struct kube_stream *s = scriptmux_only(&f->mux);

	scriptmux_begin(s, status, false, retry_after);
	says(f, "refused");
	ends(f, ERR_NONE);
}

static inline void
lists(struct fixture *f, const char *body)
{
	starts_list(f);
	answers(f, 200, body);
}

static inline void
opens_watch(struct fixture *f, const char *version)
{
	scriptmux_begin(starts_watch(f, version), 200, true, -1);
}

/* In sync at version 10 with a/x, and a watch open. */
static inline void
comes_into_sync(struct fixture *f)
{
	lists(f, LIST("10", OBJ("a", "x", "u1", "5")));
	told(f, "La/x:u1@5 synced ");
	opens_watch(f, "10");
}

static inline double
restarts(struct fixture *f, const char *reason)
{
	return metrics_value(
	    f->metrics, METRIC_WATCH_RESTARTS, "secrets", reason);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
