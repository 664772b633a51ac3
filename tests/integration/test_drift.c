/*
 * What others do to a Secret of ours is put right, once, and nothing that is
 * theirs is touched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "harness.h"

#define SECRET_PATH "/api/v1/namespaces/%s/secrets/%s"
#define SEALED_PATH "/apis/bitnami.com/v1alpha1/namespaces/%s/sealedsecrets/%s"
/* A repair takes no longer, on a machine that has other things to do. */
#define REPAIR_MS HARNESS_SOON_MS
/* Long enough for a write that should not come. */
#define QUIET_MS 1500

static int
start_with(void **state, const char *const args[])
{
	struct harness *h = harness_new(NULL);

	*state = h;
	harness_start_ready(h, args);
	return 0;
}

static int
start(void **state)
{
	return start_with(state, NULL);
}

static int
start_detecting(void **state)
{
	static const char *const args[] = { "--drift=detect", NULL };

	return start_with(state, args);
}

static int
start_off(void **state)
{
	static const char *const args[] = { "--drift", "off", NULL };

	return start_with(state, args);
}

/* One item, a label and an annotation in the template. */
static void
create(struct harness *h, const char *name, json_t *annotations)
{
	AUTO_JSON json_t *v = object_sealed("a", name, OBJECT_STRICT);
	json_t *template =
	    jsonx_object(v, "spec", "template", "metadata", NULL);

	jsonx_set(template, "labels", json_pack("{s:s}", "team", "blue"));
	jsonx_set(template, "annotations", json_pack("{s:s}", "note", "n1"));
	jsonx_set(json_object_get(v, "metadata"), "annotations", annotations);
	object_seal(v, harness_cert(h), HARNESS_KEY, "right");
	harness_post(h, v);
	harness_expect(
	    h, harness_wait_synced(h, "a", name, "True", HARNESS_SOON_MS));
}

static void
edit(struct harness *h, const char *name, const char *patch)
{
	AUTO_JSON json_t *body = json_loads(patch, 0, NULL);

	assert_non_null(body);
	assert_int_equal(
	    api_patch(h->api, API_MERGE, body, NULL, SECRET_PATH, "a", name),
	    200);
}

static int64_t
events(struct harness *h, const char *name, const char *reason)
{
	AUTO_JSON json_t *v = NULL;
	int64_t n = 0;
	json_t *e;
	size_t i;

	assert_int_equal(api_get(h->api, &v,
			     "/api/v1/namespaces/a/events?fieldSelector="
			     "involvedObject.name%%3D%s%%2Creason%%3D%s",
			     name, reason),
	    200);
	json_array_foreach(json_object_get(v, "items"), i, e) n +=
	    jsonx_int(e, "count", NULL);
	return n;
}

struct look {
	struct harness *h;
	const char *name;
	const char *reason;
	int64_t events;
};

/* Everything that the SealedSecret says. */
static bool
looks_right(void *ctx)
{
	const struct look *l = ctx;
	AUTO_JSON json_t *s = harness_secret(l->h, "a", l->name);
	AUTO_JSON json_t *v = harness_sealed(l->h, "a", l->name);
	const char *team = jsonx_str(s, "metadata", "labels", "team", NULL);
	const char *note =
	    jsonx_str(s, "metadata", "annotations", "note", NULL);
	const json_t *refs =
	    jsonx_array(s, "metadata", "ownerReferences", NULL);
	const char *uid = jsonx_str(json_array_get(refs, 0), "uid", NULL);

	return s != NULL && object_has(s, HARNESS_KEY, "right") &&
	    json_object_size(json_object_get(s, "data")) == 1 && team != NULL &&
	    strcmp(team, "blue") == 0 && note != NULL &&
	    strcmp(note, "n1") == 0 && json_array_size(refs) == 1 &&
	    uid != NULL && strcmp(uid, object_uid(v)) == 0;
}

static bool
events_are(void *ctx)
{
	const struct look *l = ctx;

	return events(l->h, l->name, l->reason) == l->events;
}

static void
a_hand_edit_of_what_we_set_is_reverted_with_one_event(void **state)
{
	static const char *const edits[] = {
		"{\"data\":{\"" HARNESS_KEY "\":\"d3Jvbmc=\"}}",
		"{\"data\":{\"" HARNESS_KEY "\":null}}",
		"{\"data\":{\"added\":\"eA==\"}}",
		"{\"metadata\":{\"labels\":{\"team\":\"red\"}}}",
		"{\"metadata\":{\"labels\":{\"team\":null}}}",
		"{\"metadata\":{\"annotations\":{\"note\":\"n2\"}}}",
		"{\"metadata\":{\"ownerReferences\":null}}",
	};
	struct harness *h = *state;
	struct look l = { h, "hand", "Drifted", 0 };
	char line[96];

	create(h, "hand", json_object());
	for (size_t i = 0; i < ARRAY_SIZE(edits); i++) {
		edit(h, "hand", edits[i]);
		l.events = (int64_t)i + 1;
		if (!wait_until(events_are, &l, REPAIR_MS) ||
		    !looks_right(&l)) {
			print_error("%s\n", edits[i]);
			harness_expect(h, looks_right(&l));
			harness_expect(h, events_are(&l));
		}
		/* So that a person's edits are told from a program's. */
		harness_expect(
		    h, wait_stays(looks_right, &l, i + 1 < 5 ? 0 : QUIET_MS));
	}
	(void)snprintf(line, sizeof(line),
	    "drift_total{action=\"repaired\"} %zu", ARRAY_SIZE(edits));
	harness_expect(h, harness_metrics_hold(h, line));
	assert_int_equal(events(h, "hand", "Unsealed"), 1);
	harness_expect(h, events_are(&l));
}

static bool
no_writes(void *ctx)
{
	struct harness *h = ctx;
	AUTO_JSON json_t *all = control_requests(h->api);
	json_t *r;
	size_t i;

	json_array_foreach(all, i, r)
	{
		const char *agent = jsonx_str(r, "userAgent", NULL);
		const char *verb = jsonx_str(r, "verb", NULL);

		if (agent == NULL || strncmp(agent, "controller/", 11) != 0)
			continue;
		if (strcmp(verb, "create") == 0 ||
		    strcmp(verb, "update") == 0 || strcmp(verb, "patch") == 0)
			return false;
	}
	return true;
}

static void
foreign_labels_and_annotations_are_no_drift(void **state)
{
	struct harness *h = *state;
	struct look l = { h, "labels", "Drifted", 1 };
	AUTO_JSON json_t *s = NULL;

	create(h, "labels", json_object());
	harness_expect(h,
	    harness_wait_event(h, "a", "labels", "Unsealed", HARNESS_SOON_MS));
	control_clear_requests(h->api);
	edit(h, "labels",
	    "{\"metadata\":{\"labels\":{\"theirs\":\"1\"},"
	    "\"annotations\":{\"theirs\":\"2\"}}}");
	harness_expect(h, wait_stays(no_writes, h, QUIET_MS));
	/* They outlive a repair, too. */
	edit(h, "labels", "{\"data\":{\"" HARNESS_KEY "\":\"d3Jvbmc=\"}}");
	harness_expect(h, wait_until(events_are, &l, REPAIR_MS));
	harness_expect(h, looks_right(&l));
	s = harness_secret(h, "a", "labels");
	assert_string_equal(
	    jsonx_str(s, "metadata", "labels", "theirs", NULL), "1");
	assert_string_equal(
	    jsonx_str(s, "metadata", "annotations", "theirs", NULL), "2");
}

static void
under_patch_the_items_of_others_survive(void **state)
{
	struct harness *h = *state;
	struct look l = { h, "patched", "Drifted", 1 };
	AUTO_JSON json_t *first =
	    object_secret("a", "patched", "theirs", "t1", NULL);
	AUTO_JSON json_t *s = NULL;

	jsonx_set(json_object_get(first, "metadata"), "annotations",
	    json_pack("{s:s}", "sealedsecrets.bitnami.com/patch", "true"));
	harness_post(h, first);
	create(h, "patched", json_object());
	harness_expect(h,
	    harness_wait_event(h, "a", "patched", "Unsealed", HARNESS_SOON_MS));
	control_clear_requests(h->api);
	edit(
	    h, "patched", "{\"data\":{\"more\":\"eA==\",\"theirs\":\"dDI=\"}}");
	harness_expect(h, wait_stays(no_writes, h, QUIET_MS));
	edit(h, "patched", "{\"data\":{\"" HARNESS_KEY "\":\"d3Jvbmc=\"}}");
	harness_expect(h, wait_until(events_are, &l, REPAIR_MS));
	s = harness_secret(h, "a", "patched");
	assert_true(object_has(s, HARNESS_KEY, "right"));
	assert_true(object_has(s, "theirs", "t2"));
	assert_true(object_has(s, "more", "x"));
}

/* Left as it is, wherever the wish comes from. */
static void
expect_left(struct harness *h, const char *name)
{
	AUTO_JSON json_t *s = NULL;

	harness_expect(
	    h, harness_wait_event(h, "a", name, "Unsealed", HARNESS_SOON_MS));
	edit(h, name, "{\"data\":{\"" HARNESS_KEY "\":\"d3Jvbmc=\"}}");
	control_clear_requests(h->api);
	harness_expect(h, wait_stays(no_writes, h, QUIET_MS));
	s = harness_secret(h, "a", name);
	assert_true(object_has(s, HARNESS_KEY, "wrong"));
	assert_int_equal(events(h, name, "Drifted"), 0);
}

static void
an_object_may_opt_out(void **state)
{
	struct harness *h = *state;

	create(h, "out",
	    json_pack("{s:s}", "sealedsecrets.bitnami.com/drift", "ignore"));
	expect_left(h, "out");
	/* A deleted Secret comes back all the same. */
	assert_int_equal(
	    api_delete(h->api, NULL, NULL, SECRET_PATH, "a", "out"), 200);
	harness_expect(
	    h, harness_wait_value(h, "a", "out", "right", REPAIR_MS));
}

static void
detection_alone_tells_once_and_writes_nothing(void **state)
{
	static const char *const args[] = { "--drift=detect", NULL };
	struct harness *h = *state;
	struct look l = { h, "seen", "Drifted", 1 };
	AUTO_JSON json_t *s = NULL;

	create(h, "seen", json_object());
	edit(h, "seen", "{\"data\":{\"" HARNESS_KEY "\":\"d3Jvbmc=\"}}");
	harness_expect(h, wait_until(events_are, &l, REPAIR_MS));
	harness_expect(h, wait_stays(events_are, &l, QUIET_MS));
	harness_expect(
	    h, harness_metrics_hold(h, "drift_total{action=\"detected\"} 1"));
	s = harness_secret(h, "a", "seen");
	assert_true(object_has(s, HARNESS_KEY, "wrong"));
	/* Another process finds it, too, and knows that it was told. */
	harness_kill(h);
	harness_start_ready(h, args);
	harness_expect(
	    h, harness_wait_metrics(h, "drift_total{action=\"detected\"} 1"));
	harness_expect(h, wait_stays(events_are, &l, QUIET_MS));
	harness_expect(h, harness_metrics_hold(h, "events_dropped_total 0"));
	/* A new generation is applied whatever the mode. */
	harness_change(h, "a", "seen", "second");
	harness_expect(
	    h, harness_wait_value(h, "a", "seen", "second", REPAIR_MS));
}

static void
switched_off_nothing_is_looked_for(void **state)
{
	struct harness *h = *state;

	create(h, "off", json_object());
	expect_left(h, "off");
}

static bool
version_stays(void *ctx)
{
	const struct look *l = ctx;
	AUTO_JSON json_t *s = harness_secret(l->h, "a", l->name);

	/* Here the expected version. */
	return strcmp(object_version(s), l->reason) == 0;
}

static void
two_controllers_do_not_fight_each_other(void **state)
{
	struct harness *h = *state;
	AUTO(proc) struct proc *second = harness_spawn(h, NULL);
	struct look l = { h, "two", NULL, 0 };
	AUTO_JSON json_t *s = NULL;

	harness_expect(h,
	    proc_wait_said(
		second, "HTTP metrics server serving", HARNESS_LATE_MS));
	create(h, "two", json_object());
	/* Time enough for both to have looked at it. */
	harness_expect(h, wait_stays(looks_right, &l, QUIET_MS));
	for (unsigned i = 0; i < 3; i++) {
		edit(h, "two", "{\"data\":{\"" HARNESS_KEY "\":\"d3Jvbmc=\"}}");
		harness_expect(h, wait_until(looks_right, &l, REPAIR_MS));
	}
	s = harness_secret(h, "a", "two");
	l.reason = object_version(s);
	harness_expect(h, wait_stays(version_stays, &l, QUIET_MS));
	l.reason = "Drifted";
	l.events = 3;
	harness_expect(h, wait_until(events_are, &l, HARNESS_SOON_MS));
	harness_expect(h, wait_stays(events_are, &l, QUIET_MS));
	assert_int_equal(proc_stop(second, HARNESS_LATE_MS), 0);
}

static void
a_writer_that_fights_back_is_not_fought(void **state)
{
	struct harness *h = *state;
	struct look l = { h, "war", "Drifted", 0 };
	int64_t end;
	unsigned edits = 0;

	create(h, "war", json_object());
	end = wait_now_ms() + 12000;
	while (wait_now_ms() < end) {
		if (!wait_until(looks_right, &l, 1000))
			continue;
		edit(h, "war", "{\"data\":{\"" HARNESS_KEY "\":\"d3Jvbmc=\"}}");
		edits++;
	}
	/* Five a second apart, then after 2, 4 and 8 more. */
	if (edits < 3 || edits > 9)
		fail_msg("%u edits", edits);
}

static void
whoever_keeps_deleting_is_not_fought(void **state)
{
	struct harness *h = *state;
	struct look l = { h, "gone", "Drifted", 0 };
	int64_t end;
	unsigned deletions = 0;

	create(h, "gone", json_object());
	end = wait_now_ms() + 12000;
	while (wait_now_ms() < end) {
		if (!wait_until(looks_right, &l, 1000))
			continue;
		deletions += api_delete(h->api, NULL, NULL, SECRET_PATH, "a",
				 "gone") == 200;
	}
	/* As above. */
	if (deletions < 3 || deletions > 9)
		fail_msg("%u deletions", deletions);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_hand_edit_of_what_we_set_is_reverted_with_one_event),
		cmocka_unit_test(foreign_labels_and_annotations_are_no_drift),
		cmocka_unit_test(under_patch_the_items_of_others_survive),
		cmocka_unit_test(an_object_may_opt_out),
		cmocka_unit_test(a_writer_that_fights_back_is_not_fought),
		cmocka_unit_test(whoever_keeps_deleting_is_not_fought),
	};
	const struct CMUnitTest detecting[] = {
		cmocka_unit_test(detection_alone_tells_once_and_writes_nothing),
	};
	const struct CMUnitTest pair[] = {
		cmocka_unit_test(two_controllers_do_not_fight_each_other),
	};
	const struct CMUnitTest off[] = {
		cmocka_unit_test(switched_off_nothing_is_looked_for),
	};

	return cmocka_run_group_tests(tests, start, harness_teardown_kill) +
	    cmocka_run_group_tests(pair, start, harness_teardown_kill) +
	    cmocka_run_group_tests(
		detecting, start_detecting, harness_teardown_kill) +
	    cmocka_run_group_tests(off, start_off, harness_teardown_kill);
}
