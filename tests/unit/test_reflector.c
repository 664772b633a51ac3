/*
 * Tests of controller/cache/reflector.c on a scripted mux and a clock that the
 * tests move: the cases of client-go's reflector tests and those of our own.
 * layer: cache
 */
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

static uint32_t
smallest(void)
{
	return 0;
}

/* ---- the handler writes down what it is told ---- */

static void
put_log(struct fixture *f, const char *what, const struct objkey *key,
    const struct index_record *rec, const char *more)
{
	size_t len = strlen(f->log);

	assert_true(len + 400 < sizeof(f->log));
	(void)snprintf(f->log + len, sizeof(f->log) - len, "%s%s/%s:%s%s ",
	    what, key->ns, key->name, rec->uid, more);
}

static bool
on_reduce(void *ctx UNUSED, const json_t *obj, struct index_record *rec)
{
	index_copy_id(rec->uid, sizeof(rec->uid),
	    jsonx_str(obj, "metadata", "uid", NULL));
	index_copy_id(rec->rv, sizeof(rec->rv),
	    jsonx_str(obj, "metadata", "resourceVersion", NULL));
	return !jsonx_is_true(obj, "skip", NULL);
}

static void
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
static void
on_gone(void *ctx, const struct objkey *key, const struct index_record *old,
    json_t *obj)
{
	struct fixture *f = ctx;

	assert_false(index_get(f->index, key, NULL));
	put_log(f, "-", key, old, obj != NULL ? "!" : "");
}

static void
on_synced(void *ctx)
{
	struct fixture *f = ctx;

	(void)snprintf(f->log + strlen(f->log), sizeof(f->log) - strlen(f->log),
	    "synced ");
}

static void
on_trouble(void *ctx, const struct err *err)
{
	struct fixture *f = ctx;

	assert_int_not_equal(err->code, ERR_NONE);
	f->troubles++;
	f->trouble = *err;
}

/* ---- set-up and steps ---- */

static void
use(struct fixture *f, const struct kube_resource *res, const char *ns,
    const char *selector)
{
	reflector_free(f->r);
	f->cfg.resource = res;
	f->cfg.ns = ns;
	f->cfg.selector = selector;
	f->r = reflector_new(&f->cfg);
}

static int
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

static int
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
static void
told(struct fixture *f, const char *want)
{
	assert_string_equal(f->log, want);
	f->log[0] = '\0';
}

/* Starts what is due now. */
static struct kube_stream *
starts(struct fixture *f)
{
	assert_int_equal(f->mux.nopen, 0);
	assert_int_equal(reflector_tick(f->r), RUNNING);
	return scriptmux_only(&f->mux);
}

static struct kube_stream *
starts_list(struct fixture *f)
{
	struct kube_stream *s = starts(f);

	assert_null(strstr(s->path, "watch="));
	return s;
}

static struct kube_stream *
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
static void
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

static void
says(struct fixture *f, const char *text)
{
	assert_true(scriptmux_text(&f->mux, scriptmux_only(&f->mux), text));
}

/* Says it, and the reader wants no more. */
static void
says_finally(struct fixture *f, const char *text)
{
	assert_false(scriptmux_text(&f->mux, scriptmux_only(&f->mux), text));
	assert_int_equal(f->mux.nopen, 0);
}

static void
ends(struct fixture *f, enum err_code code)
{
	scriptmux_end(&f->mux, scriptmux_only(&f->mux), code);
}

/* The whole of an answer. */
static void
answers(struct fixture *f, int status, const char *body)
{
	scriptmux_begin(scriptmux_only(&f->mux), status, true, -1);
	says(f, body);
	ends(f, ERR_NONE);
}

static void
refuses(struct fixture *f, int status, int retry_after)
{
	struct kube_stream *s = scriptmux_only(&f->mux);

	scriptmux_begin(s, status, false, retry_after);
	says(f, "refused");
	ends(f, ERR_NONE);
}

static void
lists(struct fixture *f, const char *body)
{
	starts_list(f);
	answers(f, 200, body);
}

static void
opens_watch(struct fixture *f, const char *version)
{
	scriptmux_begin(starts_watch(f, version), 200, true, -1);
}

/* In sync at version 10 with a/x, and a watch open. */
static void
comes_into_sync(struct fixture *f)
{
	lists(f, LIST("10", OBJ("a", "x", "u1", "5")));
	told(f, "La/x:u1@5 synced ");
	opens_watch(f, "10");
}

static double
restarts(struct fixture *f, const char *reason)
{
	return metrics_value(
	    f->metrics, METRIC_WATCH_RESTARTS, "secrets", reason);
}

/* ---- requests ---- */

static void
lists_in_pages_then_watches_from_the_version_of_the_list(void **state)
{
	struct fixture *f = *state;
	struct kube_stream *s;

	s = starts_list(f);
	assert_string_equal(s->path, LIST_PATH);
	assert_string_equal(s->accept, "application/json");
	assert_int_equal(s->idle_timeout_ms, 60000);
	answers(f, 200, PAGE("10", "to/ken+1", OBJ("a", "x", "u1", "5")));
	assert_false(reflector_has_synced(f->r));
	s = starts_list(f);
	assert_string_equal(s->path, LIST_PATH "&continue=to%2Fken%2B1");
	answers(f, 200, LIST("10", OBJ("b", "y", "u2", "6")));
	assert_true(reflector_has_synced(f->r));
	told(f, "La/x:u1@5 Lb/y:u2@6 synced ");
	s = starts(f);
	assert_string_equal(
	    s->path, "/api/v1/secrets?" WATCH_QUERY "10&timeoutSeconds=300");
	assert_string_equal(s->accept, "application/json");
	assert_int_equal(s->idle_timeout_ms, 180000);
}

static void
asks_for_one_namespace_and_a_selector(void **state)
{
	struct fixture *f = *state;
	struct kube_stream *s;

	f->cfg.page_limit = 7;
	use(f, &KUBE_SECRETS, "keys", "example.com/key=active");
	s = starts_list(f);
	assert_string_equal(s->path,
	    "/api/v1/namespaces/keys/secrets?labelSelector="
	    "example.com%2Fkey%3Dactive&limit=7");
	answers(f, 200, LIST("10", ""));
	s = starts_watch(f, "10");
	assert_non_null(strstr(s->path,
	    "/api/v1/namespaces/keys/secrets?labelSelector="
	    "example.com%2Fkey%3Dactive&watch=true"));
}

static void
asks_for_metadata_alone_where_that_is_enough(void **state)
{
	struct fixture *f = *state;
	struct kube_stream *s;

	use(f, &KUBE_SECRETS_META, NULL, NULL);
	s = starts_list(f);
	assert_string_equal(s->accept,
	    "application/json;as=PartialObjectMetadataList;"
	    "g=meta.k8s.io;v=v1");
	answers(f, 200, LIST("10", ""));
	s = starts_watch(f, "10");
	assert_string_equal(s->accept,
	    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
}

static uint32_t
largest(void)
{
	return UINT32_MAX;
}

static void
watches_last_five_to_ten_minutes(void **state)
{
	struct fixture *f = *state;
	uint32_t (*const randoms[])(void) = { smallest, largest, NULL };

	for (size_t i = 0; i < ARRAY_SIZE(randoms); i++) {
		struct kube_stream *s;
		const char *p;

		f->cfg.random = randoms[i];
		use(f, &KUBE_SECRETS, NULL, NULL);
		lists(f, LIST("10", ""));
		s = starts(f);
		p = strstr(s->path, "&timeoutSeconds=");
		assert_non_null(p);
		assert_in_range(strtoul(p + 16, NULL, 10), 300, 600);
		use(f, &KUBE_SECRETS, NULL, NULL);
	}
}

/* ---- objects ---- */

static void
reports_what_a_watch_brings(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	says(f,
	    EVENT("ADDED", OBJ("b", "y", "u2", "11"))
		EVENT("MODIFIED", OBJ("a", "x", "u1", "12"))
		    EVENT("DELETED", OBJ("a", "x", "u1", "13")));
	told(f, "Wb/y:u2@11 Wa/x:u1@5>12 -a/x:u1! ");
	assert_int_equal(index_count(f->index), 1);
}

static void
goes_on_from_the_version_of_the_last_event(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *event, *version;
	} cases[] = {
		{ EVENT("ADDED", OBJ("b", "y", "u2", "11")), "11" },
		{ EVENT("MODIFIED", OBJ("b", "y", "u2", "12")), "12" },
		{ EVENT("DELETED", OBJ("b", "y", "u2", "13")), "13" },
		{ BOOKMARK("14"), "14" },
		/* Opaque: not compared by size. */
		{ BOOKMARK("9-x/z"), "9-x%2Fz" },
		/* No version, no move. */
		{ EVENT("BOOKMARK", "{}"), "9-x%2Fz" },
	};

	comes_into_sync(f);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		says(f, cases[i].event);
		fakeclock_advance_s(&f->clock, 300);
		ends(f, ERR_NONE);
		opens_watch(f, cases[i].version);
	}
	assert_int_equal(f->troubles, 0);
	assert_int_equal(restarts(f, "ended"), ARRAY_SIZE(cases));
}

static void
duplicate_events_change_nothing(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	says(f, EVENT("MODIFIED", OBJ("a", "x", "u1", "5")));
	says(f, EVENT("ADDED", OBJ("a", "x", "u1", "5")));
	told(f, "Wa/x:u1@5>5 Wa/x:u1@5>5 ");
	assert_int_equal(index_count(f->index), 1);
}

static void
a_missed_delete_is_found_by_the_next_list(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	says(f, EVENT("ADDED", OBJ("b", "y", "u2", "11")));
	says_finally(f, EVENT("ERROR", STATUS("410", "Expired", "")));
	told(f, "Wb/y:u2@11 ");
	lists(f, LIST("20", OBJ("b", "y", "u2", "11")));
	told(f, "Lb/y:u2@11>11 -a/x:u1 ");
	opens_watch(f, "20");
}

static void
the_same_name_with_a_new_uid_is_a_new_object(void **state)
{
	struct fixture *f = *state;
	struct objkey key = { .ns = "a", .name = "x" };

	comes_into_sync(f);
	assert_true(index_note(f->index, &key, "u1", 1, 2, 3));
	says(f, EVENT("MODIFIED", OBJ("a", "x", "u9", "11")));
	told(f, "-a/x:u1 Wa/x:u9@11 ");
	says_finally(f, EVENT("ERROR", STATUS("410", "Expired", "")));
	lists(f, LIST("20", OBJ("a", "x", "u10", "15")));
	told(f, "-a/x:u9 La/x:u10@15 ");
	assert_int_equal(index_count(f->index), 1);
}

static void
results_of_workers_survive_events_and_lists(void **state)
{
	struct fixture *f = *state;
	struct objkey key = { .ns = "a", .name = "x" };
	struct index_record rec;

	comes_into_sync(f);
	assert_true(index_note(f->index, &key, "u1", 1, 2, 3));
	/* on_changed() compares with the index, notes included. */
	says(f, EVENT("MODIFIED", OBJ("a", "x", "u1", "11")));
	says_finally(f, EVENT("ERROR", STATUS("410", "Expired", "")));
	lists(f, LIST("20", OBJ("a", "x", "u1", "11")));
	assert_true(index_get(f->index, &key, &rec));
	assert_int_equal(rec.hint, 1);
	assert_int_equal(rec.result, 2);
	assert_int_equal(rec.note, 3);
}

static void
an_object_that_is_not_kept_is_not_stored(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	says(f, EVENT("ADDED", NOT_KEPT("b", "y", "u2", "11")));
	told(f, "");
	assert_int_equal(index_count(f->index), 1);
	/* No longer kept. */
	says(f, EVENT("MODIFIED", NOT_KEPT("a", "x", "u1", "12")));
	told(f, "-a/x:u1 ");
	assert_int_equal(index_count(f->index), 0);
}

static void
the_end_of_an_unknown_object_is_told_where_kept(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	says(f, EVENT("DELETED", OBJ("b", "y", "u2", "11")));
	told(f, "-b/y:u2! ");
	says(f, EVENT("DELETED", NOT_KEPT("b", "z", "u3", "12")));
	told(f, "");
	says(f, EVENT("DELETED", NOT_KEPT("a", "x", "u1", "13")));
	told(f, "-a/x:u1! ");
}

static void
a_bad_object_does_not_disturb_the_good_ones(void **state)
{
	struct fixture *f = *state;
	static const char *const bad[] = {
		"{}",
		"{\"metadata\":7}",
		"{\"metadata\":{\"name\":\"x\"}}",
		OBJ("", "x", "u9", "1"),
		OBJ("a", "", "u9", "1"),
		OBJ("a", "../x", "u9", "1"),
		OBJ("A b", "x", "u9", "1"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char text[1024];

		use(f, &KUBE_SECRETS, NULL, NULL);
		f->troubles = 0;
		(void)snprintf(text, sizeof(text),
		    "{\"items\":[" OBJ("a", "x", "u1", "5") ",%s," OBJ(
			"b", "y", "u2", "6") LIST_TAIL("10", ""),
		    bad[i]);
		lists(f, text);
		assert_true(reflector_has_synced(f->r));
		assert_int_equal(f->troubles, 1);
		assert_int_equal(f->trouble.code, ERR_INVALID);
		opens_watch(f, "10");
		(void)snprintf(text, sizeof(text),
		    "{\"type\":\"ADDED\",\"object\":%s}\n" EVENT(
			"ADDED", OBJ("b", "z", "u3", "11")),
		    bad[i]);
		says(f, text);
		assert_int_equal(index_count(f->index), 3);
		/* The same trouble again: no second line. */
		assert_int_equal(f->troubles, 1);
	}
}

static void
a_bad_object_is_named_in_the_trouble(void **state)
{
	struct fixture *f = *state;

	lists(f, LIST("10", "{\"metadata\":{\"name\":\"lost\"}}"));
	assert_non_null(strstr(f->trouble.msg, "list secrets: object lost: "));
	opens_watch(f, "10");
	/* What is no name does not get into the text. */
	fakeclock_advance_s(&f->clock, 31);
	says(f, EVENT("ADDED", "{\"metadata\":{\"name\":\"a b\"}}"));
	assert_non_null(
	    strstr(f->trouble.msg, "watch secrets: object without a usable"));
	assert_null(strstr(f->trouble.msg, "a b"));
}

static void
an_object_of_another_namespace_is_not_taken(void **state)
{
	struct fixture *f = *state;

	use(f, &KUBE_SECRETS, "a", NULL);
	lists(f,
	    LIST("10", OBJ("a", "x", "u1", "5") "," OBJ("b", "y", "u2", "6")));
	told(f, "La/x:u1@5 synced ");
	assert_int_equal(f->troubles, 1);
	assert_non_null(
	    strstr(f->trouble.msg, "list secrets in namespace a: object y"));
	opens_watch(f, "10");
	says(f, EVENT("DELETED", OBJ("b", "y", "u2", "11")));
	told(f, "");
}

static void
namespaces_may_share_an_index(void **state)
{
	struct fixture *f = *state;

	use(f, &KUBE_SECRETS, "a", NULL);
	lists(f, LIST("10", OBJ("a", "x", "u1", "5")));
	use(f, &KUBE_SECRETS, "b", NULL);
	lists(f, LIST("10", OBJ("b", "x", "u2", "5")));
	/* Its own go, the others' stay. */
	opens_watch(f, "10");
	says_finally(f, EVENT("ERROR", STATUS("410", "Gone", "")));
	lists(f, LIST("20", ""));
	told(f, "La/x:u1@5 synced Lb/x:u2@5 synced -b/x:u2 ");
	assert_int_equal(index_count(f->index), 1);
}

/* ---- expired versions and tokens ---- */

static void
an_expired_version_means_one_list_at_once(void **state)
{
	struct fixture *f = *state;

	for (int as_event = 0; as_event < 2; as_event++) {
		use(f, &KUBE_SECRETS, NULL, NULL);
		lists(f, LIST("10", OBJ("a", "x", "u1", "5")));
		starts_watch(f, "10");
		if (as_event == 1) {
			scriptmux_begin(scriptmux_only(&f->mux), 200, true, -1);
			says_finally(
			    f, EVENT("ERROR", STATUS("410", "Expired", "")));
		} else {
			answers(f, 410, STATUS("410", "Expired", ""));
		}
		f->log[0] = '\0';
		lists(f, LIST("20", OBJ("a", "x", "u1", "5")));
		told(f, "La/x:u1@5>5 ");
		opens_watch(f, "20");
		assert_int_equal(f->troubles, 0);
	}
	assert_int_equal(restarts(f, "expired"), 2);
}

static void
versions_that_expire_all_the_time_are_paced(void **state)
{
	struct fixture *f = *state;
	static const uint64_t want[] = { 0, 1600, 3200, 6400, 12800, 25600,
		30000, 30000 };

	lists(f, LIST("10", ""));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		starts_watch(f, "10");
		answers(f, 410, STATUS("410", "Expired", ""));
		if (want[i] > 0)
			waits(f, want[i]);
		lists(f, LIST("10", ""));
	}
	/* Two quiet minutes later all is forgiven. */
	opens_watch(f, "10");
	fakeclock_advance_ms(&f->clock, QUIET_MS);
	says_finally(f, EVENT("ERROR", STATUS("410", "Gone", "")));
	lists(f, LIST("10", ""));
}

static void
an_expired_token_means_one_whole_list(void **state)
{
	struct fixture *f = *state;
	struct kube_stream *s;

	comes_into_sync(f);
	says(f, EVENT("ADDED", OBJ("b", "y", "u2", "11")));
	says_finally(f, EVENT("ERROR", STATUS("410", "Expired", "")));
	f->log[0] = '\0';
	/* b/y is seen by the list that is given up, and gone in the next. */
	lists(f, PAGE("20", "next", OBJ("b", "y", "u2", "11")));
	starts_list(f);
	answers(f, 410, STATUS("410", "Expired", ""));
	told(f, "Lb/y:u2@11>11 ");
	s = starts_list(f);
	assert_string_equal(s->path, "/api/v1/secrets");
	answers(f, 200, LIST("21", OBJ("a", "x", "u1", "5")));
	told(f, "La/x:u1@5>5 -b/y:u2 ");
	opens_watch(f, "21");
	/* The next one has pages again. */
	fakeclock_advance_ms(&f->clock, QUIET_MS);
	says_finally(f, EVENT("ERROR", STATUS("410", "Expired", "")));
	assert_string_equal(starts_list(f)->path, LIST_PATH);
}

static void
a_whole_list_that_expires_waits(void **state)
{
	struct fixture *f = *state;

	lists(f, PAGE("20", "next", OBJ("b", "y", "u2", "11")));
	starts_list(f);
	answers(f, 410, STATUS("410", "Expired", ""));
	starts_list(f);
	answers(f, 410, STATUS("410", "Expired", ""));
	waits(f, FIRST_MS);
	assert_string_equal(starts_list(f)->path, LIST_PATH);
	answers(f, 410, STATUS("410", "Expired", ""));
	waits(f, 2 * FIRST_MS);
	assert_false(reflector_has_synced(f->r));
}

static void
pages_that_never_end_are_given_up(void **state)
{
	struct fixture *f = *state;

	lists(f, PAGE("20", "same", OBJ("b", "y", "u2", "11")));
	lists(f, PAGE("20", "same", OBJ("b", "y", "u2", "11")));
	/* Once more without a limit, then in peace. */
	assert_string_equal(starts_list(f)->path, "/api/v1/secrets");
	answers(f, 200, PAGE("20", "same", ""));
	lists(f, PAGE("20", "same", ""));
	waits(f, FIRST_MS);
	assert_false(reflector_has_synced(f->r));
}

static void
a_version_from_the_future_waits_then_lists(void **state)
{
	struct fixture *f = *state;
	static const char too_large[] = STATUS("504", "Timeout",
	    ",\"details\":{\"retryAfterSeconds\":1,\"causes\":[{\"reason\":"
	    "\"ResourceVersionTooLarge\"}]}");

	comes_into_sync(f);
	ends(f, ERR_TRANSPORT);
	waits(f, FIRST_MS);
	starts_watch(f, "10");
	answers(f, 504, too_large);
	waits(f, 1600);
	starts_watch(f, "10");
	answers(f, 504, too_large);
	waits(f, 3200);
	lists(f, LIST("3", OBJ("a", "x", "u1", "2")));
	told(f, "La/x:u1@5>2 ");
	opens_watch(f, "3");
}

/* ---- refusals and cuts ---- */

static void
too_many_requests_means_waiting_not_listing(void **state)
{
	struct fixture *f = *state;
	static const struct {
		int retry_after;
		uint64_t want;
	} cases[] = {
		{ -1, 800 },
		{ 0, 1600 },
		{ 1, 3200 },
		{ 30, 30000 },
		{ 2, 12800 },
		{ 3600, 60000 },
	};

	comes_into_sync(f);
	ends(f, ERR_NONE);
	waits(f, FIRST_MS);
	fakeclock_advance_ms(&f->clock, QUIET_MS);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		starts_watch(f, "10");
		refuses(f, 429, cases[i].retry_after);
		waits(f, cases[i].want);
	}
	starts_watch(f, "10");
	assert_int_equal(restarts(f, "throttled"), ARRAY_SIZE(cases));
}

static void
a_throttled_page_is_asked_for_again(void **state)
{
	struct fixture *f = *state;

	lists(f, PAGE("10", "next", OBJ("a", "x", "u1", "5")));
	for (uint64_t n = 0; n < 5; n++) {
		assert_string_equal(
		    starts_list(f)->path, LIST_PATH "&continue=next");
		refuses(f, 429, -1);
		waits(f, FIRST_MS << n);
	}
	lists(f, LIST("10", OBJ("b", "y", "u2", "5")));
	told(f, "La/x:u1@5 Lb/y:u2@5 synced ");
}

static void
a_page_that_keeps_failing_starts_the_list_over(void **state)
{
	struct fixture *f = *state;

	lists(f, PAGE("10", "next", OBJ("a", "x", "u1", "5")));
	for (uint64_t n = 0; n < 3; n++) {
		assert_string_equal(
		    starts_list(f)->path, LIST_PATH "&continue=next");
		refuses(f, 500, -1);
		waits(f, FIRST_MS << n);
	}
	assert_string_equal(starts_list(f)->path, LIST_PATH);
	answers(f, 200, LIST("11", OBJ("b", "y", "u2", "5")));
	told(f, "La/x:u1@5 Lb/y:u2@5 -a/x:u1 synced ");
}

static void
errors_of_the_server_wait_then_list(void **state)
{
	struct fixture *f = *state;
	static const char event[] =
	    EVENT("ERROR", STATUS("500", "InternalError", ""));

	comes_into_sync(f);
	says_finally(f, event);
	waits(f, FIRST_MS);
	opens_watch(f, "10");
	says_finally(f, event);
	waits(f, 2 * FIRST_MS);
	starts_watch(f, "10");
	refuses(f, 503, -1);
	waits(f, 4 * FIRST_MS);
	starts_list(f);
	/* Ten minutes of it: never more than 30 s apart, never the end. */
	for (int i = 0; i < 20; i++) {
		refuses(f, 502, -1);
		if (i > 2)
			waits(f, 30000);
		else
			waits(f, FIRST_MS << (3 + i));
		starts_list(f);
	}
	answers(f, 200, LIST("30", OBJ("a", "x", "u1", "5")));
	told(f, "La/x:u1@5>5 ");
}

static void
progress_forgives_the_failures_before_it(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	for (uint64_t n = 0; n < 2; n++) {
		ends(f, ERR_TRANSPORT);
		waits(f, FIRST_MS << n);
		opens_watch(f, "10");
	}
	says(f, BOOKMARK("11"));
	for (uint64_t n = 0; n < 2; n++) {
		ends(f, ERR_TRANSPORT);
		waits(f, FIRST_MS << n);
		opens_watch(f, "11");
	}
	ends(f, ERR_TRANSPORT);
	waits(f, FIRST_MS << 2);
	starts_list(f);
}

/* An outage long enough for the version to expire: once the server answers,
 * nothing is waited for any more. */
static void
an_expired_version_after_an_outage_means_one_list_at_once(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	for (uint64_t n = 0; n < 2; n++) {
		ends(f, ERR_TRANSPORT);
		waits(f, FIRST_MS << n);
		starts_watch(f, "10");
	}
	answers(f, 410, STATUS("410", "Expired", ""));
	lists(f, LIST("20", ""));
	opens_watch(f, "20");
}

static void
a_wrong_token_is_tried_again_at_once_but_once(void **state)
{
	struct fixture *f = *state;

	starts_list(f);
	refuses(f, 401, -1);
	assert_int_equal(f->troubles, 0);
	starts_list(f);
	refuses(f, 401, -1);
	assert_int_equal(f->troubles, 1);
	assert_int_equal(f->trouble.code, ERR_UNAUTHORIZED);
	waits(f, FIRST_MS);
	starts_list(f);
	refuses(f, 401, -1);
	waits(f, 2 * FIRST_MS);
	/* An answer in between: the next one is new. */
	lists(f, LIST("10", ""));
	for (int i = 0; i < 3; i++) {
		starts_watch(f, "10");
		refuses(f, 401, -1);
		opens_watch(f, "10");
		fakeclock_advance_s(&f->clock, 300);
		ends(f, ERR_NONE);
	}
}

static void
a_refused_list_is_told_and_tried_for_ever(void **state)
{
	struct fixture *f = *state;
	static const struct {
		int status;
		enum err_code code;
	} cases[] = {
		{ 404, ERR_NOTFOUND },
		{ 406, ERR_BADREQUEST },
		{ 301, ERR_SERVER },
		{ 204, ERR_SERVER },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t waited = 0, ms;
		unsigned tries = 0;

		use(f, &KUBE_SECRETS, NULL, NULL);
		f->troubles = 0;
		while (waited < 600000) {
			starts_list(f);
			refuses(f, cases[i].status, -1);
			tries++;
			ms = reflector_tick(f->r);
			assert_in_range(ms, FIRST_MS, 30000);
			waits(f, ms);
			waited += ms;
		}
		assert_in_range(tries, 20, 26);
		/* At most one line in 30 s. */
		assert_in_range(f->troubles, 18, 21);
		assert_int_equal(f->trouble.code, cases[i].code);
		assert_non_null(strstr(f->trouble.msg, "list secrets: "));
		assert_false(reflector_has_synced(f->r));
		/* Cured. */
		lists(f, LIST("10", ""));
		assert_true(reflector_has_synced(f->r));
	}
}

/* As an API server does to everybody while it starts: not believed yet. */
static void
refuses_for_a_moment(struct fixture *f)
{
	for (uint64_t n = 1; n < 3; n++) {
		starts_watch(f, "10");
		refuses(f, 403, -1);
		waits(f, n * 1000);
	}
	assert_int_equal(f->troubles, 0);
}

static void
a_watch_that_is_refused_for_a_moment_goes_on(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	/* A long outage before it counts for nothing here. */
	for (uint64_t n = 0; n < 2; n++) {
		ends(f, ERR_TRANSPORT);
		waits(f, FIRST_MS << n);
		if (n < 1)
			starts_watch(f, "10");
	}
	f->troubles = 0;
	refuses_for_a_moment(f);
	opens_watch(f, "10");
	says(f, EVENT("ADDED", OBJ("a", "y", "u2", "13")));
	told(f, "Wa/y:u2@13 ");
}

static void
a_list_that_is_not_granted_is_told_once_in_our_words(void **state)
{
	struct fixture *f = *state;
	uint64_t ms;

	use(f, &KUBE_SECRETS, "a", NULL);
	assert_false(reflector_is_settled(f->r));
	for (unsigned n = 0; n < 20; n++) {
		starts_list(f);
		refuses(f, 403, -1);
		assert_true(reflector_is_settled(f->r));
		ms = reflector_tick(f->r);
		assert_in_range(ms, FIRST_MS, 30000);
		waits(f, ms);
	}
	assert_int_equal(f->troubles, 1);
	assert_int_equal(f->trouble.code, ERR_FORBIDDEN);
	assert_string_equal(f->trouble.msg, "list secrets in namespace a");
	assert_false(reflector_has_synced(f->r));
	/* Granted, and taken away again: that is news. */
	lists(f, LIST("10", ""));
	assert_true(reflector_has_synced(f->r));
	opens_watch(f, "10");
	ends(f, ERR_TRANSPORT);
	waits(f, reflector_tick(f->r));
	f->troubles = 0;
	refuses_for_a_moment(f);
	starts_watch(f, "10");
	refuses(f, 403, -1);
	assert_int_equal(f->troubles, 1);
	assert_string_equal(f->trouble.msg, "watch secrets in namespace a");
}

static void
lists_now_and_then_where_it_may_not_watch(void **state)
{
	struct fixture *f = *state;

	f->cfg.poll_ms = 4000;
	use(f, &KUBE_SECRETS, NULL, NULL);
	lists(f, LIST("10", OBJ("a", "x", "u1", "5")));
	told(f, "La/x:u1@5 synced ");
	starts_watch(f, "10");
	refuses(f, 403, -1);
	/* The watch is tried again after a minute, not at each list. */
	for (unsigned n = 0; n < 14; n++) {
		waits(f, 4000);
		lists(f, LIST("11", OBJ("a", "x", "u1", "5")));
		told(f, "La/x:u1@5>5 ");
	}
	waits(f, 4000);
	lists(f, LIST("12", ""));
	told(f, "-a/x:u1 ");
	assert_int_equal(f->troubles, 1);
	assert_string_equal(f->trouble.msg, "watch secrets");
	/* Granted at last. */
	opens_watch(f, "12");
	says(f, EVENT("ADDED", OBJ("a", "y", "u2", "13")));
	told(f, "Wa/y:u2@13 ");
}

static void
losing_the_right_to_watch_removes_nothing(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	ends(f, ERR_TRANSPORT);
	waits(f, FIRST_MS);
	refuses_for_a_moment(f);
	starts_watch(f, "10");
	refuses(f, 403, -1);
	waits(f, 30000);
	for (uint64_t n = 1; n < 10; n++) {
		starts_list(f);
		refuses(f, 403, -1);
		waits(f, n < 6 ? FIRST_MS << n : 30000);
	}
	assert_int_equal(f->trouble.code, ERR_FORBIDDEN);
	assert_int_equal(f->troubles, 1);
	told(f, "");
	assert_true(reflector_has_synced(f->r));
	assert_int_equal(index_count(f->index), 1);
}

static void
a_vanished_resource_removes_nothing_until_a_list_says_so(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	ends(f, ERR_TRANSPORT);
	waits(f, FIRST_MS);
	for (uint64_t n = 1; n < 3; n++) {
		starts_watch(f, "10");
		refuses(f, 404, -1);
		waits(f, FIRST_MS << n);
	}
	for (uint64_t n = 3; n < 6; n++) {
		starts_list(f);
		refuses(f, 404, -1);
		waits(f, FIRST_MS << n);
	}
	told(f, "");
	lists(f, LIST("50", ""));
	told(f, "-a/x:u1 ");
}

static void
the_answer_of_a_refusal_is_read_only_so_far(void **state)
{
	struct fixture *f = *state;
	static char page[4096];
	bool more = true;
	unsigned n = 0;

	memset(page, 'x', sizeof(page));
	scriptmux_begin(starts_list(f), 500, false, -1);
	while (more && n++ < 100)
		more = scriptmux_data(
		    &f->mux, scriptmux_only(&f->mux), page, sizeof(page));
	assert_in_range(n, 2, 10);
	assert_int_equal(f->trouble.code, ERR_SERVER);
	waits(f, FIRST_MS);
}

static void
garbage_is_told_and_never_taken_for_a_list(void **state)
{
	struct fixture *f = *state;
	static const struct {
		bool json;
		const char *body;
	} cases[] = {
		{ false, "<html>It works</html>" },
		{ false, LIST("10", "") },
		{ true, "<html>It works</html>" },
		{ true, "{}" },
		{ true, "[]" },
		{ true, "" },
		{ true, "{\"kind\":\"Status\",\"status\":\"Success\"}" },
		{ true, "{\"items\":[]}" },
		{ true, LIST("", "") },
		{ true, "{\"items\":[7]" LIST_TAIL("10", "") },
		{ true, "{\"items\":[" LIST_TAIL("10", "") "{}" },
	};

	comes_into_sync(f);
	says_finally(f, EVENT("ERROR", STATUS("410", "Expired", "")));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kube_stream *s = starts_list(f);

		f->troubles = 0;
		scriptmux_begin(s, 200, cases[i].json, -1);
		if (scriptmux_text(&f->mux, s, cases[i].body))
			scriptmux_end(&f->mux, s, ERR_NONE);
		assert_int_equal(f->troubles, 1);
		assert_int_equal(f->trouble.code, ERR_INVALID);
		waits(f, reflector_tick(f->r));
		fakeclock_advance_s(&f->clock, 31);
	}
	/* Nobody was declared gone for it. */
	told(f, "");
	assert_int_equal(index_count(f->index), 1);
}

static void
garbage_in_a_watch_waits_then_lists(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	says_finally(f, "no event\n" EVENT("ADDED", OBJ("b", "y", "u2", "9")));
	assert_int_equal(f->trouble.code, ERR_INVALID);
	waits(f, FIRST_MS);
	opens_watch(f, "10");
	says_finally(f, "{\"type\":\"ADDED\"}\n");
	waits(f, 2 * FIRST_MS);
	scriptmux_begin(starts_watch(f, "10"), 200, false, -1);
	says_finally(f, "<html>");
	waits(f, 4 * FIRST_MS);
	starts_list(f);
	told(f, "");
}

static void
an_unknown_event_is_skipped(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	says(f,
	    EVENT("RENAMED", OBJ("a", "x", "u1", "11"))
		EVENT("ADDED", OBJ("b", "y", "u2", "12")));
	told(f, "Wb/y:u2@12 ");
	assert_int_equal(f->troubles, 1);
	assert_non_null(strstr(f->trouble.msg, "event skipped"));
}

/* ---- short, silent and cut streams ---- */

static void
very_short_watches_do_not_make_a_busy_loop(void **state)
{
	struct fixture *f = *state;
	uint64_t waited = 0;
	unsigned watches = 0;

	lists(f, LIST("10", ""));
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t ms = reflector_tick(f->r);

		if (f->mux.nopen == 0) {
			fakeclock_advance_ms(&f->clock, ms);
			waited += ms;
			continue;
		}
		scriptmux_begin(scriptmux_only(&f->mux), 200, true, -1);
		if (strstr(scriptmux_only(&f->mux)->path, "watch=") == NULL)
			says(f, LIST("10", ""));
		else
			watches++;
		ends(f, ERR_NONE);
	}
	assert_true(watches > 300);
	/* Once the waits have grown, one request in 30 s and the list that
	 * each third failure brings. */
	assert_true(waited / watches > 29000);
	assert_true(f->troubles > 0);
	assert_int_equal(restarts(f, "short"), watches);
}

static void
short_watches_with_events_come_once_a_second(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	for (int i = 0; i < 10; i++) {
		fakeclock_advance_ms(&f->clock, 300);
		says(f, EVENT("MODIFIED", OBJ("a", "x", "u1", "11")));
		ends(f, ERR_NONE);
		waits(f, 700);
		opens_watch(f, "11");
	}
	assert_int_equal(f->troubles, 0);
}

static void
a_watch_that_ends_in_time_goes_on_at_once(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	for (int i = 0; i < 5; i++) {
		fakeclock_advance_s(&f->clock, i == 0 ? 1 : 300);
		ends(f, ERR_NONE);
		opens_watch(f, "10");
	}
	assert_int_equal(f->troubles, 0);
	assert_int_equal(f->mux.started, 7);
}

static void
a_silent_watch_is_started_again_from_its_version(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	says(f, BOOKMARK("11"));
	fakeclock_advance_s(&f->clock, 180);
	ends(f, ERR_TIMEOUT);
	waits(f, FIRST_MS);
	opens_watch(f, "11");
	fakeclock_advance_s(&f->clock, 180);
	ends(f, ERR_TIMEOUT);
	waits(f, FIRST_MS);
	/* Not worth a line while it heals at once. */
	assert_int_equal(f->troubles, 0);
	assert_int_equal(restarts(f, "timeout"), 2);
}

static void
lasting_trouble_of_the_path_is_told(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	ends(f, ERR_TRANSPORT);
	assert_int_equal(f->troubles, 0);
	waits(f, FIRST_MS);
	starts_watch(f, "10");
	ends(f, ERR_TRANSPORT);
	assert_int_equal(f->troubles, 1);
	assert_int_equal(f->trouble.code, ERR_TRANSPORT);
	/* Before the first list is in, at once. */
	use(f, &KUBE_SECRETS, NULL, NULL);
	starts_list(f);
	ends(f, ERR_TRANSPORT);
	assert_int_equal(f->troubles, 2);
}

static void
failures_are_forgiven_after_two_quiet_minutes(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	ends(f, ERR_TRANSPORT);
	waits(f, FIRST_MS);
	opens_watch(f, "10");
	fakeclock_advance_ms(&f->clock, QUIET_MS - FIRST_MS - 1);
	ends(f, ERR_TRANSPORT);
	waits(f, 2 * FIRST_MS);
	opens_watch(f, "10");
	fakeclock_advance_ms(&f->clock, QUIET_MS - 2 * FIRST_MS);
	ends(f, ERR_TRANSPORT);
	waits(f, FIRST_MS);
}

static void
a_request_that_cannot_start_waits(void **state)
{
	struct fixture *f = *state;

	f->mux.refuse = true;
	assert_int_equal(reflector_tick(f->r), FIRST_MS);
	assert_int_equal(f->trouble.code, ERR_TRANSPORT);
	fakeclock_advance_ms(&f->clock, FIRST_MS);
	assert_int_equal(reflector_tick(f->r), 2 * FIRST_MS);
	fakeclock_advance_ms(&f->clock, 2 * FIRST_MS);
	f->mux.refuse = false;
	starts_list(f);
}

static void
an_end_without_an_answer_is_a_failure(void **state)
{
	struct fixture *f = *state;

	starts_list(f);
	ends(f, ERR_NONE);
	assert_int_equal(f->trouble.code, ERR_TRANSPORT);
	waits(f, FIRST_MS);
}

/* ---- over the limit ---- */

/* One string value of more than KUBE_ITEM_MAX bytes. */
static bool
says_too_much(struct fixture *f)
{
	static char piece[256 * 1024];

	memset(piece, 'x', sizeof(piece));
	for (size_t n = 0; n <= KUBE_ITEM_MAX; n += sizeof(piece))
		if (!scriptmux_data(
			&f->mux, scriptmux_only(&f->mux), piece, sizeof(piece)))
			return false;
	return true;
}

static void
an_oversize_line_means_one_list_then_paced_ones(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	for (uint64_t n = 0; n < 4; n++) {
		says(f, "{\"type\":\"ADDED\",\"object\":{\"x\":\"");
		assert_false(says_too_much(f));
		if (n > 0)
			waits(f, FIRST_MS << n);
		lists(f, LIST("10", OBJ("a", "x", "u1", "5")));
		opens_watch(f, "10");
	}
	assert_int_equal(f->troubles, 1);
	assert_int_equal(f->trouble.code, ERR_TOOBIG);
	assert_int_equal(restarts(f, "oversize"), 4);
	says(f, EVENT("ADDED", OBJ("b", "y", "u2", "11")));
	assert_int_equal(index_count(f->index), 2);
}

static void
an_oversize_item_of_a_list_is_skipped_and_told(void **state)
{
	struct fixture *f = *state;

	scriptmux_begin(starts_list(f), 200, true, -1);
	says(f,
	    "{\"items\":[" OBJ("a", "x", "u1", "5") ",{\"metadata\":"
						    "{\"name\":\"");
	assert_true(says_too_much(f));
	says(f, "\"}}," OBJ("b", "y", "u2", "6") LIST_TAIL("10", ""));
	ends(f, ERR_NONE);
	told(f, "La/x:u1@5 Lb/y:u2@6 synced ");
	assert_int_equal(f->troubles, 1);
	assert_int_equal(f->trouble.code, ERR_TOOBIG);
	opens_watch(f, "10");
}

static void
an_absurd_version_is_not_remembered(void **state)
{
	struct fixture *f = *state;
	char text[4096];
	size_t len;

	comes_into_sync(f);
	len = (size_t)snprintf(text, sizeof(text),
	    "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":"
	    "{\"resourceVersion\":\"");
	memset(text + len, '1', 2000);
	(void)snprintf(text + len + 2000, sizeof(text) - len - 2000, "\"}}}\n");
	says(f, text);
	fakeclock_advance_s(&f->clock, 300);
	ends(f, ERR_NONE);
	starts_watch(f, "10");
}

/* ---- pieces ---- */

static void
a_list_cut_anywhere_is_never_taken_for_complete(void **state)
{
	struct fixture *f = *state;
	static const char text[] =
	    LIST("10", OBJ("a", "x", "u1", "5") "," OBJ("b", "y", "u2", "6"));
	/* All but the final newline make a complete list. */
	const size_t whole = sizeof(text) - 2;
	static const enum err_code endings[] = { ERR_NONE, ERR_TRANSPORT };

	for (size_t cut = 0; cut < 2 * whole; cut++) {
		struct kube_stream *s;

		index_free(f->index);
		f->cfg.index = f->index = index_new();
		use(f, &KUBE_SECRETS, NULL, NULL);
		lists(f, LIST("8", OBJ("c", "z", "u3", "1")));
		opens_watch(f, "8");
		says_finally(f, EVENT("ERROR", STATUS("410", "Gone", "")));
		f->log[0] = '\0';
		s = starts_list(f);
		scriptmux_begin(s, 200, true, -1);
		if (scriptmux_data(&f->mux, s, text, cut / 2))
			scriptmux_end(&f->mux, s, endings[cut % 2]);
		assert_null(strchr(f->log, '-'));
		assert_true(index_get(f->index,
		    &(struct objkey) { .ns = "c", .name = "z" }, NULL));
		assert_in_range(reflector_tick(f->r), FIRST_MS, RUNNING - 1);
	}
}

static void
a_list_in_two_pieces_is_the_same_list(void **state)
{
	struct fixture *f = *state;
	static const char text[] =
	    LIST("10", OBJ("a", "x", "u1", "5") "," OBJ("b", "y", "u2", "6"));

	for (size_t cut = 0; cut < sizeof(text); cut++) {
		struct kube_stream *s;

		index_free(f->index);
		f->cfg.index = f->index = index_new();
		use(f, &KUBE_SECRETS, NULL, NULL);
		s = starts_list(f);
		scriptmux_begin(s, 200, true, -1);
		assert_true(scriptmux_data(&f->mux, s, text, cut));
		assert_false(reflector_has_synced(f->r));
		assert_true(scriptmux_text(&f->mux, s, text + cut));
		ends(f, ERR_NONE);
		told(f, "La/x:u1@5 Lb/y:u2@6 synced ");
	}
}

static void
a_watch_cut_anywhere_gives_whole_events_only(void **state)
{
	struct fixture *f = *state;
	static const char one[] = EVENT("ADDED", OBJ("b", "y", "u2", "11"));
	static const char text[] = EVENT("ADDED", OBJ("b", "y", "u2", "11"))
	    EVENT("DELETED", OBJ("b", "y", "u2", "12"));
	const size_t whole = sizeof(text) - 1;

	for (size_t cut = 0; cut <= whole; cut++) {
		bool first = cut >= sizeof(one) - 1, both = cut == whole;
		bool clean = cut == 0 || cut == sizeof(one) - 1 || both;

		index_free(f->index);
		f->cfg.index = f->index = index_new();
		use(f, &KUBE_SECRETS, NULL, NULL);
		comes_into_sync(f);
		assert_true(scriptmux_data(
		    &f->mux, scriptmux_only(&f->mux), text, cut));
		told(f,
		    both	? "Wb/y:u2@11 -b/y:u2! "
			: first ? "Wb/y:u2@11 "
				: "");
		fakeclock_advance_s(&f->clock, 300);
		ends(f, ERR_NONE);
		/* Cut in a line, it waits; and it goes on behind the last
		 * whole event. */
		if (!clean)
			waits(f, FIRST_MS);
		opens_watch(f, both ? "12" : first ? "11" : "10");
		says(f, text);
		told(f,
		    first && !both ? "Wb/y:u2@11>11 -b/y:u2! "
				   : "Wb/y:u2@11 -b/y:u2! ");
	}
}

static void
a_watch_in_two_pieces_is_the_same_watch(void **state)
{
	struct fixture *f = *state;
	static const char text[] = EVENT("ADDED", OBJ("b", "y", "u2", "11"))
	    EVENT("DELETED", OBJ("b", "y", "u2", "12"));

	comes_into_sync(f);
	for (size_t cut = 0; cut < sizeof(text); cut++) {
		assert_true(scriptmux_data(
		    &f->mux, scriptmux_only(&f->mux), text, cut));
		says(f, text + cut);
		told(f, "Wb/y:u2@11 -b/y:u2! ");
	}
}

/* ---- stopping, signs of life ---- */

/* One more step of a life, whatever stream is open. */
static void
live(struct fixture *f, unsigned step)
{
	static const char *const texts[] = { "{\"items\":[",
		OBJ("a", "x", "u1", "5"), LIST_TAIL("10", ""), NULL,
		"{\"type\":\"ADDED\",", "\"object\":" OBJ("b", "y", "u2", "11"),
		"}\n" };

	if (f->mux.nopen == 0) {
		(void)reflector_tick(f->r);
		scriptmux_begin(scriptmux_only(&f->mux), 200, true, -1);
		return;
	}
	if (texts[step] != NULL)
		says(f, texts[step]);
	else
		ends(f, ERR_NONE);
}

static void
may_be_freed_at_any_point(void **state)
{
	struct fixture *f = *state;

	for (unsigned n = 0; n <= 9; n++) {
		unsigned cancelled = f->mux.cancelled, text = 0;
		bool open;

		use(f, &KUBE_SECRETS, NULL, NULL);
		for (unsigned i = 0; i < n; i++) {
			open = f->mux.nopen > 0;
			live(f, text);
			text += open;
		}
		open = f->mux.nopen > 0;
		reflector_free(f->r);
		f->r = NULL;
		assert_int_equal(f->mux.nopen, 0);
		assert_int_equal(f->mux.cancelled, cancelled + open);
	}
	reflector_free(NULL);
}

static void
handlers_may_be_left_out(void **state)
{
	struct fixture *f = *state;

	f->cfg.handler = (struct reflector_handler) { .reduce = on_reduce };
	use(f, &KUBE_SECRETS, NULL, NULL);
	lists(f, LIST("10", OBJ("a", "x", "u1", "5") ",{}"));
	opens_watch(f, "10");
	says(f, EVENT("DELETED", OBJ("a", "x", "u1", "11")));
	assert_int_equal(index_count(f->index), 0);
}

static void
says_when_it_was_last_seen_alive(void **state)
{
	struct fixture *f = *state;

	use(f, &KUBE_SECRETS, "a", NULL);
	assert_int_equal(reflector_last_seen_s(f->r), 0);
	lists(f, LIST("10", ""));
	assert_int_equal(reflector_last_seen_s(f->r), FAKECLOCK_WALL_S);
	opens_watch(f, "10");
	fakeclock_advance_s(&f->clock, 60);
	assert_int_equal(reflector_last_seen_s(f->r), FAKECLOCK_WALL_S);
	says(f, BOOKMARK("11"));
	assert_int_equal(reflector_last_seen_s(f->r), FAKECLOCK_WALL_S + 60);
	assert_true(metrics_value(f->metrics, METRIC_WATCH_LAST_SEEN, "secrets",
			"a") == (double)(FAKECLOCK_WALL_S + 60));
	/* The series goes with it. */
	reflector_free(f->r);
	f->r = NULL;
	assert_true(metrics_value(f->metrics, METRIC_WATCH_LAST_SEEN, "secrets",
			"a") == 0);
}

static double
in_step(const struct fixture *f)
{
	return metrics_value(
	    f->metrics, METRIC_WATCH_LAST_SYNC, "secrets", "a");
}

static void
a_refusal_is_a_sign_of_life_but_no_sync(void **state)
{
	struct fixture *f = *state;
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	use(f, &KUBE_SECRETS, "a", NULL);
	assert_int_equal(metrics_render(f->metrics, &text, &err), 0);
	assert_non_null(strstr(buf_str(&text),
	    "watch_last_sync_timestamp_seconds{"
	    "namespace=\"a\",resource=\"secrets\"} 0\n"));
	assert_non_null(strstr(buf_str(&text),
	    "watch_restarts_total{reason=\"expired\",resource=\"secrets\"} "
	    "0\n"));
	scriptmux_begin(starts_list(f), 403, true, -1);
	ends(f, ERR_NONE);
	assert_int_equal(reflector_last_seen_s(f->r), FAKECLOCK_WALL_S);
	assert_true(in_step(f) == 0);
	fakeclock_advance_s(&f->clock, 60);
	lists(f, LIST("10", ""));
	assert_true(in_step(f) == (double)(FAKECLOCK_WALL_S + 60));
	opens_watch(f, "10");
	fakeclock_advance_s(&f->clock, 60);
	says(f, BOOKMARK("11"));
	assert_true(in_step(f) == (double)(FAKECLOCK_WALL_S + 120));
}

static void
works_without_metrics_and_names_metadata_streams_apart(void **state)
{
	struct fixture *f = *state;

	f->cfg.label = "key-secrets";
	use(f, &KUBE_SECRETS_META, NULL, NULL);
	lists(f, LIST("10", ""));
	opens_watch(f, "10");
	fakeclock_advance_s(&f->clock, 2);
	ends(f, ERR_NONE);
	assert_true(metrics_value(f->metrics, METRIC_WATCH_RESTARTS,
			"key-secrets", "ended") == 1);
	f->cfg.label = NULL;

	use(f, &KUBE_SECRETS_META, NULL, NULL);
	lists(f, LIST("10", ""));
	opens_watch(f, "10");
	fakeclock_advance_s(&f->clock, 2);
	ends(f, ERR_NONE);
	assert_true(metrics_value(f->metrics, METRIC_WATCH_RESTARTS,
			"secrets-metadata", "ended") == 1);
	f->cfg.metrics = NULL;
	use(f, &KUBE_SECRETS, NULL, NULL);
	lists(f, LIST("10", ""));
	assert_true(reflector_has_synced(f->r));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lists_in_pages_then_watches_from_the_version_of_the_list),
		TEST(asks_for_one_namespace_and_a_selector),
		TEST(asks_for_metadata_alone_where_that_is_enough),
		TEST(watches_last_five_to_ten_minutes),
		TEST(reports_what_a_watch_brings),
		TEST(goes_on_from_the_version_of_the_last_event),
		TEST(duplicate_events_change_nothing),
		TEST(a_missed_delete_is_found_by_the_next_list),
		TEST(the_same_name_with_a_new_uid_is_a_new_object),
		TEST(results_of_workers_survive_events_and_lists),
		TEST(an_object_that_is_not_kept_is_not_stored),
		TEST(the_end_of_an_unknown_object_is_told_where_kept),
		TEST(a_bad_object_does_not_disturb_the_good_ones),
		TEST(a_bad_object_is_named_in_the_trouble),
		TEST(an_object_of_another_namespace_is_not_taken),
		TEST(namespaces_may_share_an_index),
		TEST(an_expired_version_means_one_list_at_once),
		TEST(versions_that_expire_all_the_time_are_paced),
		TEST(an_expired_token_means_one_whole_list),
		TEST(a_whole_list_that_expires_waits),
		TEST(pages_that_never_end_are_given_up),
		TEST(a_version_from_the_future_waits_then_lists),
		TEST(too_many_requests_means_waiting_not_listing),
		TEST(a_throttled_page_is_asked_for_again),
		TEST(a_page_that_keeps_failing_starts_the_list_over),
		TEST(errors_of_the_server_wait_then_list),
		TEST(progress_forgives_the_failures_before_it),
		TEST(an_expired_version_after_an_outage_means_one_list_at_once),
		TEST(a_wrong_token_is_tried_again_at_once_but_once),
		TEST(a_refused_list_is_told_and_tried_for_ever),
		TEST(a_watch_that_is_refused_for_a_moment_goes_on),
		TEST(a_list_that_is_not_granted_is_told_once_in_our_words),
		TEST(lists_now_and_then_where_it_may_not_watch),
		TEST(losing_the_right_to_watch_removes_nothing),
		TEST(a_vanished_resource_removes_nothing_until_a_list_says_so),
		TEST(the_answer_of_a_refusal_is_read_only_so_far),
		TEST(garbage_is_told_and_never_taken_for_a_list),
		TEST(garbage_in_a_watch_waits_then_lists),
		TEST(an_unknown_event_is_skipped),
		TEST(very_short_watches_do_not_make_a_busy_loop),
		TEST(short_watches_with_events_come_once_a_second),
		TEST(a_watch_that_ends_in_time_goes_on_at_once),
		TEST(a_silent_watch_is_started_again_from_its_version),
		TEST(lasting_trouble_of_the_path_is_told),
		TEST(failures_are_forgiven_after_two_quiet_minutes),
		TEST(a_request_that_cannot_start_waits),
		TEST(an_end_without_an_answer_is_a_failure),
		TEST(an_oversize_line_means_one_list_then_paced_ones),
		TEST(an_oversize_item_of_a_list_is_skipped_and_told),
		TEST(an_absurd_version_is_not_remembered),
		TEST(a_list_cut_anywhere_is_never_taken_for_complete),
		TEST(a_list_in_two_pieces_is_the_same_list),
		TEST(a_watch_cut_anywhere_gives_whole_events_only),
		TEST(a_watch_in_two_pieces_is_the_same_watch),
		TEST(may_be_freed_at_any_point),
		TEST(handlers_may_be_left_out),
		TEST(says_when_it_was_last_seen_alive),
		TEST(a_refusal_is_a_sign_of_life_but_no_sync),
		TEST(works_without_metrics_and_names_metadata_streams_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
