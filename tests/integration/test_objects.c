/*
 * What a user sees: SealedSecrets become Secrets, change, and go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/codec.h"
#include "base/jsonx.h"
#include "base/mem.h"
#include "harness.h"

#define SEALED "/apis/bitnami.com/v1alpha1/namespaces/a/sealedsecrets"
#define CANARY "canary-7d0c2f-never-to-be-seen"

static void
a_sealed_secret_becomes_a_secret(void **state)
{
	struct harness *h = *state;
	AUTO_JSON json_t *secret = NULL;
	AUTO_JSON json_t *sealed = NULL;
	const json_t *owner;

	harness_create(h, "a", "one", "first");
	harness_expect(
	    h, harness_wait_synced(h, "a", "one", "True", HARNESS_SOON_MS));
	secret = harness_secret(h, "a", "one");
	sealed = harness_sealed(h, "a", "one");
	harness_expect(h, object_has(secret, HARNESS_KEY, "first"));
	owner = json_array_get(
	    jsonx_array(secret, "metadata", "ownerReferences", NULL), 0);
	assert_string_equal(jsonx_str(owner, "uid", NULL), object_uid(sealed));
	assert_true(jsonx_is_true(owner, "controller", NULL));
	assert_null(jsonx_get(owner, "blockOwnerDeletion", NULL));
	harness_expect(
	    h, harness_wait_event(h, "a", "one", "Unsealed", HARNESS_SOON_MS));
}

static void
a_change_reaches_the_secret(void **state)
{
	struct harness *h = *state;

	harness_create(h, "a", "one", "first");
	harness_expect(
	    h, harness_wait_value(h, "a", "one", "first", HARNESS_SOON_MS));
	harness_change(h, "a", "one", "second");
	harness_expect(
	    h, harness_wait_value(h, "a", "one", "second", HARNESS_SOON_MS));
	harness_expect(
	    h, harness_wait_synced(h, "a", "one", "True", HARNESS_SOON_MS));
}

static void
a_deleted_secret_comes_back(void **state)
{
	struct harness *h = *state;

	harness_create(h, "a", "one", "first");
	harness_expect(
	    h, harness_wait_synced(h, "a", "one", "True", HARNESS_SOON_MS));
	assert_int_equal(
	    api_delete(h->api, NULL, NULL, "/api/v1/namespaces/a/secrets/one"),
	    200);
	harness_expect(
	    h, harness_wait_value(h, "a", "one", "first", HARNESS_SOON_MS));
}

static void
a_deleted_sealed_secret_takes_its_secret_along(void **state)
{
	struct harness *h = *state;

	harness_create(h, "a", "one", "first");
	harness_expect(
	    h, harness_wait_synced(h, "a", "one", "True", HARNESS_SOON_MS));
	assert_int_equal(
	    api_delete(h->api, NULL, NULL,
		"/apis/bitnami.com/v1alpha1/namespaces/a/sealedsecrets/one"),
	    200);
	harness_expect(
	    h, harness_wait_no_secret(h, "a", "one", HARNESS_SOON_MS));
}

static void
a_sealed_secret_made_again_gets_its_secret_again(void **state)
{
	struct harness *h = *state;

	harness_create(h, "a", "one", "first");
	harness_expect(
	    h, harness_wait_synced(h, "a", "one", "True", HARNESS_SOON_MS));
	/* The old Secret stays until the collector comes, so to speak. */
	control_post(h->api, "settings", json_pack("{s:b}", "gc", 0));
	assert_int_equal(
	    api_delete(h->api, NULL, NULL,
		"/apis/bitnami.com/v1alpha1/namespaces/a/sealedsecrets/one"),
	    200);
	harness_create(h, "a", "one", "second");
	control_post(h->api, "settings", json_pack("{s:b}", "gc", 1));
	harness_expect(
	    h, harness_wait_value(h, "a", "one", "second", HARNESS_LATE_MS));
	harness_expect(
	    h, harness_wait_synced(h, "a", "one", "True", HARNESS_LATE_MS));
}

static void
post(struct harness *h, const char *ns, const char *name,
    enum object_scope scope, const char *sealed_for_ns,
    const char *sealed_for_name)
{
	AUTO_JSON json_t *seen =
	    object_sealed(sealed_for_ns, sealed_for_name, scope);
	AUTO_JSON json_t *v = object_sealed(ns, name, scope);

	object_seal(seen, harness_cert(h), HARNESS_KEY, CANARY);
	jsonx_set(jsonx_object(v, "spec", NULL), "encryptedData",
	    json_incref(jsonx_object(seen, "spec", "encryptedData", NULL)));
	harness_post(h, v);
}

static void
scopes_decide_where_an_item_opens(void **state)
{
	static const struct {
		const char *ns;
		const char *name;
		enum object_scope scope;
		const char *sealed_ns;
		const char *sealed_name;
		const char *want;
	} cases[] = {
		{ "a", "strict", OBJECT_STRICT, "a", "strict", "True" },
		{ "a", "othername", OBJECT_STRICT, "a", "strict", "False" },
		{ "b", "strict", OBJECT_STRICT, "a", "strict", "False" },
		{ "a", "wide", OBJECT_NAMESPACE_WIDE, "a", "any", "True" },
		{ "b", "wide", OBJECT_NAMESPACE_WIDE, "a", "any", "False" },
		{ "b", "all", OBJECT_CLUSTER_WIDE, "a", "any", "True" },
	};
	struct harness *h = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		post(h, cases[i].ns, cases[i].name, cases[i].scope,
		    cases[i].sealed_ns, cases[i].sealed_name);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *secret = NULL;

		harness_expect(h,
		    harness_wait_synced(h, cases[i].ns, cases[i].name,
			cases[i].want, HARNESS_SOON_MS));
		secret = harness_secret(h, cases[i].ns, cases[i].name);
		harness_expect(h,
		    (secret != NULL) == (strcmp(cases[i].want, "True") == 0));
	}
	harness_expect(h,
	    harness_wait_event(
		h, "a", "othername", "ErrUnsealFailed", HARNESS_SOON_MS));
}

/* Only the annotation changes, which is no new generation. */
static void
a_scope_that_is_added_later_is_a_reason_to_run(void **state)
{
	struct harness *h = *state;
	AUTO_JSON json_t *seen = object_sealed("a", "any", OBJECT_CLUSTER_WIDE);
	AUTO_JSON json_t *v = object_sealed("a", "late", OBJECT_STRICT);
	AUTO_JSON json_t *patch = json_pack("{s:{s:{s:s}}}", "metadata",
	    "annotations", "sealedsecrets.bitnami.com/cluster-wide", "true");
	AUTO_JSON json_t *label =
	    json_pack("{s:{s:{s:s}}}", "metadata", "labels", "team", "blue");
	AUTO_JSON json_t *after = NULL;

	object_seal(seen, harness_cert(h), HARNESS_KEY, "value");
	jsonx_set(jsonx_object(v, "spec", NULL), "encryptedData",
	    json_incref(jsonx_object(seen, "spec", "encryptedData", NULL)));
	harness_post(h, v);
	harness_expect(
	    h, harness_wait_synced(h, "a", "late", "False", HARNESS_SOON_MS));
	assert_int_equal(
	    api_patch(h->api, API_MERGE, patch, NULL, SEALED "/late"), 200);
	harness_expect(
	    h, harness_wait_value(h, "a", "late", "value", HARNESS_SOON_MS));
	harness_expect(
	    h, harness_wait_synced(h, "a", "late", "True", HARNESS_SOON_MS));
	after = harness_sealed(h, "a", "late");
	assert_int_equal(jsonx_int(after, "metadata", "generation", NULL), 1);
	/* A label and our own status are none. */
	harness_expect(
	    h, harness_wait_event(h, "a", "late", "Unsealed", HARNESS_SOON_MS));
	assert_int_equal(
	    api_patch(h->api, API_MERGE, label, NULL, SEALED "/late"), 200);
	harness_create(h, "a", "next", "value");
	harness_expect(
	    h, harness_wait_synced(h, "a", "next", "True", HARNESS_SOON_MS));
	assert_int_equal(
	    proc_said_times(h->controller, "msg=Updating key=a/late\n"), 2);
}

static void
one_bad_object_does_not_disturb_another(void **state)
{
	struct harness *h = *state;
	AUTO_JSON json_t *bad = object_sealed("a", "bad", OBJECT_STRICT);
	AUTO_JSON json_t *stored = NULL;

	jsonx_set_str(jsonx_object(bad, "spec", "encryptedData", NULL), "k",
	    "NOT!BASE64");
	harness_post(h, bad);
	harness_create(h, "a", "good", "value");
	harness_expect(
	    h, harness_wait_synced(h, "a", "good", "True", HARNESS_SOON_MS));
	harness_expect(
	    h, harness_wait_synced(h, "a", "bad", "False", HARNESS_SOON_MS));
	stored = harness_sealed(h, "a", "bad");
	harness_expect(h,
	    strstr(object_synced_message(stored),
		"illegal base64 data at input byte 3 (k)") != NULL);
}

static void
a_foreign_secret_is_left_alone(void **state)
{
	struct harness *h = *state;
	AUTO_JSON json_t *v =
	    object_secret("a", "one", HARNESS_KEY, "mine", NULL);
	AUTO_JSON json_t *after = NULL;

	harness_post(h, v);
	harness_create(h, "a", "one", "yours");
	harness_expect(
	    h, harness_wait_synced(h, "a", "one", "False", HARNESS_SOON_MS));
	after = harness_secret(h, "a", "one");
	harness_expect(h, object_has(after, HARNESS_KEY, "mine"));
	/* Once it is out of the way the object heals by itself. */
	assert_int_equal(
	    api_delete(h->api, NULL, NULL, "/api/v1/namespaces/a/secrets/one"),
	    200);
	harness_expect(
	    h, harness_wait_value(h, "a", "one", "yours", HARNESS_LATE_MS));
	harness_expect(
	    h, harness_wait_synced(h, "a", "one", "True", HARNESS_LATE_MS));
}

/* The canary as text and as the base64 of its three alignments. */
static bool
shows_canary(const char *text)
{
	static const char *const lead[] = { "", "x", "xx" };

	if (strstr(text, CANARY) != NULL)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(lead); i++) {
		AUTO_RELEASE(buf) struct buf b = BUF_INIT(4096);
		AUTO_STR char *plain = xasprintf("%s%s", lead[i], CANARY);
		AUTO_STR char *core = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(
		    base64_encode(plain, strlen(plain), &b, &err), 0);
		/* Without the ends, which depend on the neighbours. */
		core = xstrndup(buf_str(&b) + 4, b.len - 8);
		if (strstr(text, core) != NULL)
			return true;
	}
	return false;
}

static char *
body_of(struct harness *h, const char *path)
{
	struct api_request req = { .path = path, .accept = "*/*" };
	struct api_reply reply;
	char *out;

	api_do(h->api, &req, &reply);
	assert_int_equal(reply.code, 200);
	out = xstrdup(reply.text);
	api_reply_release(&reply);
	return out;
}

static void
no_value_shows_anywhere_but_in_its_secret(void **state)
{
	struct harness *h = *state;
	AUTO_STR char *events = NULL;
	AUTO_STR char *objects = NULL;
	AUTO_STR char *metrics = NULL;
	AUTO_STR char *log = NULL;

	post(h, "a", "good", OBJECT_STRICT, "a", "good");
	post(h, "a", "bad", OBJECT_STRICT, "b", "bad");
	harness_expect(
	    h, harness_wait_synced(h, "a", "good", "True", HARNESS_SOON_MS));
	harness_expect(
	    h, harness_wait_synced(h, "a", "bad", "False", HARNESS_SOON_MS));
	harness_expect(
	    h, harness_wait_event(h, "a", "good", "Unsealed", HARNESS_SOON_MS));
	events = body_of(h, "/api/v1/events");
	objects = body_of(h, "/apis/bitnami.com/v1alpha1/sealedsecrets");
	metrics = harness_metrics(h);
	log = proc_output(h->controller);
	harness_expect(h, !shows_canary(events));
	harness_expect(h, !shows_canary(objects));
	harness_expect(h, !shows_canary(metrics));
	harness_expect(h, !shows_canary(log));
	/* The search itself works. */
	free(log);
	log = body_of(h, "/api/v1/namespaces/a/secrets");
	assert_true(shows_canary(log));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_sealed_secret_becomes_a_secret, harness_setup_ready,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(a_change_reaches_the_secret,
		    harness_setup_ready, harness_teardown),
		cmocka_unit_test_setup_teardown(a_deleted_secret_comes_back,
		    harness_setup_ready, harness_teardown),
		cmocka_unit_test_setup_teardown(
		    a_deleted_sealed_secret_takes_its_secret_along,
		    harness_setup_ready, harness_teardown),
		cmocka_unit_test_setup_teardown(
		    a_sealed_secret_made_again_gets_its_secret_again,
		    harness_setup_ready, harness_teardown),
		cmocka_unit_test_setup_teardown(
		    scopes_decide_where_an_item_opens, harness_setup_ready,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(
		    a_scope_that_is_added_later_is_a_reason_to_run,
		    harness_setup_ready, harness_teardown),
		cmocka_unit_test_setup_teardown(
		    one_bad_object_does_not_disturb_another,
		    harness_setup_ready, harness_teardown),
		cmocka_unit_test_setup_teardown(a_foreign_secret_is_left_alone,
		    harness_setup_ready, harness_teardown),
		cmocka_unit_test_setup_teardown(
		    no_value_shows_anywhere_but_in_its_secret,
		    harness_setup_ready, harness_teardown),
	};

	return cmocka_run_group_tests_name("objects", tests, NULL, NULL);
}
