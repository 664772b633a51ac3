/*
 * A restart does nothing where nothing happened, and finds what did happen
 * while the controller was down.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "harness.h"

#define SEALED_PATH  "/apis/bitnami.com/v1alpha1/namespaces/a/sealedsecrets"
#define SECRETS_PATH "/api/v1/namespaces/a/secrets"
#define OBJECTS	     40
#define QUIET_MS     2000
#define STOP_MS	     12000

static void
stop_controller(struct harness *h)
{
	harness_expect(h, proc_stop(h->controller, STOP_MS) == 0);
}

/* Requests of the controller about objects of the namespace a, but for lists
 * and watches; those whose answers are to have a form. */
static unsigned
requests_as(struct harness *h, const char *verb, const char *form)
{
	AUTO_JSON json_t *all = control_requests(h->api);
	unsigned n = 0;
	json_t *r;
	size_t i;

	json_array_foreach(all, i, r)
	{
		const char *agent = jsonx_str(r, "userAgent", NULL);
		const char *v = jsonx_str(r, "verb", NULL);
		const char *ns = jsonx_str(r, "namespace", NULL);

		if (agent == NULL || strncmp(agent, "controller/", 11) != 0 ||
		    ns == NULL || strcmp(ns, "a") != 0 ||
		    strcmp(v, "list") == 0 || strcmp(v, "watch") == 0)
			continue;
		if (verb != NULL && strcmp(verb, v) != 0)
			continue;
		n += strstr(jsonx_str(r, "accept", NULL), form) != NULL;
	}
	return n;
}

static unsigned
requests(struct harness *h, const char *verb)
{
	return requests_as(h, verb, "");
}

static bool
no_requests(void *ctx)
{
	return requests(ctx, NULL) == 0;
}

static void
create_many(struct harness *h, const char *prefix, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		AUTO_STR char *name = xasprintf("%s-%u", prefix, i);

		harness_create(h, "a", name, "right");
	}
	for (unsigned i = 0; i < n; i++) {
		AUTO_STR char *name = xasprintf("%s-%u", prefix, i);

		harness_expect(h,
		    harness_wait_synced(h, "a", name, "True", HARNESS_SOON_MS));
		harness_expect(h,
		    harness_wait_event(
			h, "a", name, "Unsealed", HARNESS_SOON_MS));
	}
}

static void
patch(struct harness *h, const char *type, const char *text, const char *what,
    const char *name)
{
	AUTO_JSON json_t *body = json_loads(text, 0, NULL);

	assert_non_null(body);
	assert_int_equal(api_patch(h->api, type, body, NULL,
			     strcmp(what, "secrets") == 0 ? SECRETS_PATH "/%s"
							  : SEALED_PATH "/%s",
			     name),
	    200);
}

static void
of_unchanged_objects_no_request_is_made(void **state)
{
	struct harness *h = *state;

	create_many(h, "same", OBJECTS);
	/* What is not ours may change as it likes. */
	stop_controller(h);
	patch(h, API_MERGE,
	    "{\"metadata\":{\"labels\":{\"theirs\":\"1\"},"
	    "\"annotations\":{\"theirs\":\"2\"}}}",
	    "secrets", "same-1");
	patch(h, API_MERGE, "{\"metadata\":{\"labels\":{\"theirs\":\"1\"}}}",
	    "sealedsecrets", "same-2");
	control_clear_requests(h->api);
	harness_start_ready(h, NULL);
	harness_expect(h, wait_stays(no_requests, h, QUIET_MS));
	/* No run was made, hence nothing was unsealed. */
	harness_expect(h, !proc_said(h->controller, "Updating"));
	harness_expect(h, harness_metrics_hold(h, "name=\"same-3\""));
}

static bool
each_was_looked_at(void *ctx)
{
	return requests_as(ctx, "get", "as=PartialObjectMetadata;") == OBJECTS;
}

static bool
that_is_all(void *ctx)
{
	return each_was_looked_at(ctx) && requests(ctx, NULL) == OBJECTS;
}

/* Nobody watches Secrets then. */
static void
with_skip_recreate_only_metadata_are_asked_for(void **state)
{
	static const char *const args[] = { "--skip-recreate", NULL };
	struct harness *h = *state;

	create_many(h, "same", OBJECTS);
	stop_controller(h);
	control_clear_requests(h->api);
	harness_start_ready(h, args);
	harness_expect(h, wait_until(each_was_looked_at, h, HARNESS_SOON_MS));
	harness_expect(h, wait_stays(that_is_all, h, QUIET_MS));
	harness_expect(h, !proc_said(h->controller, "Updating"));
	/* What is not as it should be is run all the same. */
	stop_controller(h);
	patch(h, API_MERGE, "{\"data\":{\"" HARNESS_KEY "\":\"d3Jvbmc=\"}}",
	    "secrets", "same-0");
	assert_int_equal(
	    api_delete(h->api, NULL, NULL, SECRETS_PATH "/same-1"), 200);
	harness_start_ready(h, args);
	harness_expect(
	    h, harness_wait_value(h, "a", "same-0", "right", HARNESS_SOON_MS));
	harness_expect(
	    h, harness_wait_value(h, "a", "same-1", "right", HARNESS_SOON_MS));
}

static void
what_happened_while_down_is_put_right(void **state)
{
	struct harness *h = *state;

	create_many(h, "down", 6);
	stop_controller(h);
	patch(h, API_MERGE, "{\"data\":{\"" HARNESS_KEY "\":\"d3Jvbmc=\"}}",
	    "secrets", "down-0");
	patch(h, API_MERGE, "{\"data\":{\"added\":\"eA==\"}}", "secrets",
	    "down-1");
	patch(h, API_MERGE, "{\"data\":{\"" HARNESS_KEY "\":null}}", "secrets",
	    "down-2");
	assert_int_equal(
	    api_delete(h->api, NULL, NULL, SECRETS_PATH "/down-3"), 200);
	/* The sealed label is the strict one, so that this cannot work. */
	patch(h, API_MERGE,
	    "{\"metadata\":{\"annotations\":{\"sealedsecrets.bitnami.com/"
	    "cluster-wide\":\"true\"}}}",
	    "sealedsecrets", "down-4");
	harness_change(h, "a", "down-5", "new");
	harness_start_ready(h, NULL);
	for (unsigned i = 0; i < 4; i++) {
		AUTO_STR char *name = xasprintf("down-%u", i);

		harness_expect(h,
		    harness_wait_value(h, "a", name, "right", HARNESS_SOON_MS));
	}
	harness_expect(
	    h, harness_wait_synced(h, "a", "down-4", "False", HARNESS_SOON_MS));
	harness_expect(
	    h, harness_wait_value(h, "a", "down-5", "new", HARNESS_SOON_MS));
	harness_expect(h,
	    harness_wait_event(h, "a", "down-0", "Drifted", HARNESS_SOON_MS));
	{
		AUTO_JSON json_t *s = harness_secret(h, "a", "down-1");

		assert_int_equal(
		    json_object_size(json_object_get(s, "data")), 1);
	}
}

/* Somebody with the name of our manager makes the Secret again, as it was but
 * for the owner. */
static void
make_again(struct harness *h, const char *name)
{
	AUTO_JSON json_t *old = harness_secret(h, "a", name);
	AUTO_JSON json_t *s = json_pack("{s:s,s:s,s:{s:s},s:O}", "apiVersion",
	    "v1", "kind", "Secret", "metadata", "name", name, "data",
	    json_object_get(old, "data"));

	assert_int_equal(
	    api_delete(h->api, NULL, NULL, SECRETS_PATH "/%s", name), 200);
	assert_int_equal(
	    api_post(h->api, s, NULL, SECRETS_PATH "?fieldManager=controller"),
	    201);
}

static size_t
owners(struct harness *h, const char *name)
{
	AUTO_JSON json_t *s = harness_secret(h, "a", name);

	return json_array_size(
	    jsonx_array(s, "metadata", "ownerReferences", NULL));
}

struct owned {
	struct harness *h;
	const char *name;
};

static bool
is_owned(void *ctx)
{
	const struct owned *o = ctx;

	return owners(o->h, o->name) == 1;
}

static void
a_reference_taken_away_while_down_is_put_back(void **state)
{
	static const char none[] = "{\"metadata\":{\"ownerReferences\":null}}";
	struct harness *h = *state;
	struct owned first = { h, "ref-0" };

	create_many(h, "ref", 3);
	stop_controller(h);
	patch(h, API_MERGE, none, "secrets", "ref-0");
	patch(h, API_MERGE,
	    "{\"metadata\":{\"ownerReferences\":null},"
	    "\"data\":{\"" HARNESS_KEY "\":\"dGhlaXJz\"}}",
	    "secrets", "ref-1");
	/* In a later second than that of the status. */
	harness_expect(h, !wait_until(is_owned, &first, QUIET_MS));
	make_again(h, "ref-2");
	harness_start_ready(h, NULL);
	harness_expect(h, wait_until(is_owned, &first, HARNESS_SOON_MS));
	harness_expect(
	    h, harness_wait_event(h, "a", "ref-0", "Drifted", HARNESS_SOON_MS));
	/* These are foreign by now. */
	harness_expect(
	    h, harness_wait_synced(h, "a", "ref-1", "False", HARNESS_SOON_MS));
	harness_expect(
	    h, harness_wait_synced(h, "a", "ref-2", "False", HARNESS_SOON_MS));
	harness_expect(h, harness_wait_value(h, "a", "ref-1", "theirs", 0));
	harness_expect(h, owners(h, "ref-1") + owners(h, "ref-2") == 0);
	harness_expect(
	    h, harness_wait_synced(h, "a", "ref-0", "True", HARNESS_SOON_MS));
	/* And while it runs. */
	patch(h, API_MERGE, none, "secrets", "ref-0");
	harness_expect(h, wait_until(is_owned, &first, HARNESS_SOON_MS));
}

static void
what_failed_before_is_tried_again(void **state)
{
	struct harness *h = *state;
	AUTO_JSON json_t *v = object_sealed("a", "failed", OBJECT_STRICT);

	jsonx_set_str(
	    jsonx_object(v, "spec", "encryptedData", NULL), "k", "AgAA");
	harness_post(h, v);
	harness_expect(
	    h, harness_wait_synced(h, "a", "failed", "False", HARNESS_SOON_MS));
	stop_controller(h);
	harness_start_ready(h, NULL);
	harness_expect(
	    h, proc_wait_said(h->controller, "key=a/failed", HARNESS_SOON_MS));
}

/* As the reference leaves a status: Synced alone, without a reason. */
static void
make_old_status(struct harness *h, const char *name)
{
	AUTO_JSON json_t *v = harness_sealed(h, "a", name);
	AUTO_JSON json_t *list = json_array();
	json_t *synced = json_copy(
	    json_array_get(jsonx_array(v, "status", "conditions", NULL), 0));

	json_object_del(synced, "reason");
	(void)json_array_append_new(list, synced);
	jsonx_set(
	    json_object_get(v, "status"), "conditions", json_incref(list));
	assert_int_equal(
	    api_put(h->api, v, NULL, SEALED_PATH "/%s/status", name), 200);
}

static unsigned
old_statuses(struct harness *h)
{
	AUTO_JSON json_t *all = NULL;
	unsigned n = 0;
	json_t *v;
	size_t i;

	assert_int_equal(api_get(h->api, &all, SEALED_PATH), 200);
	json_array_foreach(json_object_get(all, "items"), i, v) n +=
	    json_array_size(jsonx_array(v, "status", "conditions", NULL)) == 1;
	return n;
}

static bool
all_extended(void *ctx)
{
	return old_statuses(ctx) == 0;
}

static void
statuses_of_the_reference_are_extended_at_leisure(void **state)
{
	struct harness *h = *state;
	int64_t begin;

	create_many(h, "old", 4);
	stop_controller(h);
	for (unsigned i = 0; i < 4; i++) {
		AUTO_STR char *name = xasprintf("old-%u", i);

		make_old_status(h, name);
	}
	control_clear_requests(h->api);
	begin = wait_now_ms();
	harness_start_ready(h, NULL);
	harness_expect(h, wait_until(all_extended, h, 20000));
	/* One a second. */
	assert_true(wait_now_ms() - begin >= 3000);
	assert_int_equal(requests(h, "update"), 4);
	assert_int_equal(requests(h, "create"), 0);
	assert_int_equal(requests(h, "patch"), 0);
}

#define RANDOM_OBJECTS 10

/* A SealedSecret whose template makes up an item of its own. */
static void
create_random(struct harness *h, const char *name)
{
	AUTO_JSON json_t *v = object_sealed("a", name, OBJECT_STRICT);

	jsonx_set(jsonx_object(v, "spec", "template", NULL), "data",
	    json_pack("{s:s,s:s}", "made", "{{ randAlphaNum 16 }}", "stamp",
		"{{ now | unixEpoch }} {{ uuidv4 }}"));
	object_seal(v, harness_cert(h), HARNESS_KEY, "right");
	harness_post(h, v);
	harness_expect(
	    h, harness_wait_synced(h, "a", name, "True", HARNESS_SOON_MS));
	harness_expect(
	    h, harness_wait_event(h, "a", name, "Unsealed", HARNESS_SOON_MS));
}

static json_t *
all_secrets(struct harness *h)
{
	json_t *list = NULL, *items;

	assert_int_equal(api_get(h->api, &list, SECRETS_PATH), 200);
	items = json_incref(json_object_get(list, "items"));
	assert_int_equal(json_array_size(items), RANDOM_OBJECTS);
	json_decref(list);
	return items;
}

static bool
has_listed(void *ctx)
{
	const struct harness *h = ctx;

	return control_count(h->api, "list sealedsecrets") > 0 &&
	    control_count(h->api, "list secrets") > 0;
}

static void
list_again(struct harness *h)
{
	control_clear_requests(h->api);
	control_post(h->api, "expire-history", NULL);
	control_post(h->api, "drop-watches", json_pack("{s:b}", "clean", 1));
	harness_expect(h, wait_until(has_listed, h, HARNESS_LATE_MS));
}

/* Its metadata too: nothing was written, not even the same. */
static void
expect_the_same(struct harness *h, const json_t *before)
{
	AUTO_JSON json_t *after = NULL;

	harness_expect(h, wait_stays(no_requests, h, QUIET_MS));
	after = all_secrets(h);
	harness_expect(h, json_equal((json_t *)before, after));
}

static void
what_a_template_made_up_outlives_lists_and_kills(void **state)
{
	struct harness *h = *state;
	AUTO_JSON json_t *before = NULL;

	for (unsigned i = 0; i < RANDOM_OBJECTS; i++) {
		AUTO_STR char *name = xasprintf("random-%u", i);

		create_random(h, name);
	}
	before = all_secrets(h);
	list_again(h);
	expect_the_same(h, before);
	for (unsigned i = 0; i < 2; i++) {
		proc_kill(h->controller);
		control_clear_requests(h->api);
		harness_start_ready(h, NULL);
		expect_the_same(h, before);
		harness_expect(h, !proc_said(h->controller, "Updating"));
	}
	/* The process that found it so lists again. */
	list_again(h);
	expect_the_same(h, before);
}

int
main(void)
{
#define T(name)                          \
	cmocka_unit_test_setup_teardown( \
	    name, harness_setup_ready, harness_teardown_kill)
	const struct CMUnitTest tests[] = {
		T(of_unchanged_objects_no_request_is_made),
		T(with_skip_recreate_only_metadata_are_asked_for),
		T(what_happened_while_down_is_put_right),
		T(a_reference_taken_away_while_down_is_put_back),
		T(what_failed_before_is_tried_again),
		T(what_a_template_made_up_outlives_lists_and_kills),
		T(statuses_of_the_reference_are_extended_at_leisure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
