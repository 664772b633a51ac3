/*
 * Two hundred malformed SealedSecrets, as an API server without a schema
 * would store them, beside two hundred good ones; and an API server that
 * quotes what it was sent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/jsonx.h"
#include "base/mem.h"
#include "harness.h"
#include "lib/sanitized.h"

#define SEALED_PATH "/apis/bitnami.com/v1alpha1/namespaces/a/sealedsecrets"
#define GOOD	    200
#define BAD	    200
#define ITEMS	    3000
#define LONG_VALUE  (1000 * 1000)
#define DEEP	    100
#define SETTLE_MS   60000
/* In kB: what a second pass over everything may add. Sanitizers keep what is
 * freed for a while. */
#define GROWTH_MAX (SANITIZED ? 1024UL * 1024 : 4096UL)
#define CANARY	   "canary-5f1e77-never-to-be-seen"
#define CANARY_B64 "Y2FuYXJ5LTVmMWU3Ny1uZXZlci10by1iZS1zZWVu"

static int
start(void **state)
{
	struct harness *h = harness_new(NULL);

	*state = h;
	control_post(h->api, "settings", json_pack("{s:b}", "schema", 0));
	harness_start_ready(h, NULL);
	(void)harness_cert(h);
	return 0;
}

/* ---- the bad ones ---- */

struct bad {
	const char *spec;
	const char *names; /* must be in the message */
};

#define TEMPLATE(text) "{\"encryptedData\":{},\"template\":{" text "}}"

static const struct bad kinds[] = {
	{ "null", "spec" },
	{ "7", "spec" },
	{ "[]", "spec" },
	{ "\"text\"", "spec" },
	{ "{\"encryptedData\":7}", "spec.encryptedData" },
	{ "{\"encryptedData\":[],\"template\":null}", "spec.encryptedData" },
	{ "{\"encryptedData\":{\"num\":7}}", "num" },
	{ "{\"encryptedData\":{\"nul\":null}}", "nul" },
	{ "{\"encryptedData\":{\"flag\":true}}", "flag" },
	{ "{\"encryptedData\":{\"tree\":{\"a\":[[[{}]]]}}}", "tree" },
	{ "{\"encryptedData\":{\"b64\":\"%%%\"}}", "b64" },
	{ "{\"encryptedData\":{\"url\":\"_-8=\"}}", "url" },
	{ "{\"encryptedData\":{\"empty\":\"\"}}", "empty" },
	{ "{\"encryptedData\":{\"cut\":\"AgA=\"}}", "cut" },
	{ "{\"encryptedData\":{\"a/b\":\"AgAA\"}}", "a/b" },
	{ "{\"encryptedData\":{\"..\":\"AgAA\"}}", ".." },
	{ "{\"encryptedData\":{},\"template\":[]}", "spec.template" },
	{ "{\"encryptedData\":{},\"template\":7}", "spec.template" },
	{ TEMPLATE("\"metadata\":7"), "spec.template.metadata" },
	{ TEMPLATE("\"metadata\":{\"labels\":{\"a\":7}}"),
	    "spec.template.metadata.labels" },
	{ TEMPLATE("\"metadata\":{\"labels\":\"text\"}"),
	    "spec.template.metadata.labels" },
	{ TEMPLATE("\"metadata\":{\"annotations\":{\"a\":true}}"),
	    "spec.template.metadata.annotations" },
	{ TEMPLATE("\"metadata\":{\"annotations\":[]}"),
	    "spec.template.metadata.annotations" },
	{ TEMPLATE("\"metadata\":{\"finalizers\":{\"a\":1}}"),
	    "spec.template.metadata.finalizers" },
	{ TEMPLATE("\"type\":[]"), "spec.template.type" },
	{ TEMPLATE("\"immutable\":\"yes\""), "spec.template.immutable" },
	{ TEMPLATE("\"data\":[]"), "spec.template.data" },
	{ TEMPLATE(
	      "\"data\":{\"t\":\"{{ range until 1000000000 }}{{ end }}\"}"),
	    "out of budget: steps (t)" },
	{ TEMPLATE("\"data\":{\"t\":\"{{ range 100000 }}{{ range 100000 }}"
		   "{{ end }}{{ end }}\"}"),
	    "out of budget: steps (t)" },
	{ TEMPLATE("\"data\":{\"t\":\"{{ define `r` }}{{ template `r` }}"
		   "{{ end }}{{ template `r` }}\"}"),
	    "out of budget: nested too deeply (t)" },
	{ TEMPLATE("\"type\":\"bootstrap.kubernetes.io/token\""), "type" },
	{ "{\"data\":7}", "spec.data" },
	{ "{\"data\":{}}", "spec.data" },
};

static json_t *
parse(const char *text)
{
	json_t *v = json_loads(text, JSON_DECODE_ANY, NULL);

	if (v == NULL)
		fail_msg("%s", text);
	return v;
}

static json_t *
many_items(void)
{
	json_t *items = json_object();
	char name[16];

	for (unsigned i = 0; i < ITEMS; i++) {
		(void)snprintf(name, sizeof(name), "item-%04u", i);
		jsonx_set_str(items, name, "AgAA");
	}
	return json_pack("{s:o}", "encryptedData", items);
}

static json_t *
long_value(void)
{
	char *text = xmalloc(LONG_VALUE + 1);
	json_t *v;

	memset(text, 'A', LONG_VALUE);
	text[LONG_VALUE] = '\0';
	v = json_pack("{s:{s:s}}", "encryptedData", "long", text);
	free(text);
	return v;
}

static json_t *
deep_value(void)
{
	json_t *v = json_array();

	for (unsigned i = 0; i < DEEP; i++)
		v = json_pack("[o]", v);
	return json_pack("{s:{s:o}}", "encryptedData", "deep", v);
}

/* The spec of bad object number i, and what its message must name. */
static json_t *
bad_spec(unsigned i, const char **names)
{
	switch (i) {
	case 0:
		*names = "item-0000";
		return many_items();
	case 1:
	case 2:
		*names = "long";
		return long_value();
	case 3:
	case 4:
		*names = "deep";
		return deep_value();
	default:
		*names = kinds[i % ARRAY_SIZE(kinds)].names;
		return parse(kinds[i % ARRAY_SIZE(kinds)].spec);
	}
}

static void
create_bad(struct harness *h, unsigned i)
{
	const char *names;
	AUTO_STR char *name = xasprintf("bad-%u", i);
	AUTO_JSON json_t *v = object_sealed("a", name, OBJECT_STRICT);

	jsonx_set(v, "spec", bad_spec(i, &names));
	if (api_post(h->api, v, NULL, SEALED_PATH) != 201)
		fail_msg("bad-%u was refused", i);
}

static void
check_bad(struct harness *h, unsigned i)
{
	const char *names;
	AUTO_STR char *name = xasprintf("bad-%u", i);
	AUTO_JSON json_t *v = harness_sealed(h, "a", name);
	AUTO_JSON json_t *s = harness_secret(h, "a", name);
	const char *message = object_synced_message(v);

	json_decref(bad_spec(i, &names));
	if (strcmp(object_synced(v), "False") != 0 ||
	    strstr(message, names) == NULL || strlen(message) > 4096 ||
	    s != NULL)
		fail_msg("%s: %s %s", name, object_synced(v), message);
}

/* ---- all together ---- */

static bool
all_decided(void *ctx)
{
	struct harness *h = ctx;
	AUTO_JSON json_t *all = NULL;
	size_t i, good = 0, bad = 0;
	json_t *v;

	if (api_get(h->api, &all, SEALED_PATH) != 200)
		return false;
	json_array_foreach(json_object_get(all, "items"), i, v)
	{
		if (jsonx_int(v, "status", "observedGeneration", NULL) !=
		    jsonx_int(v, "metadata", "generation", NULL))
			continue;
		good += strcmp(object_synced(v), "True") == 0;
		bad += strcmp(object_synced(v), "False") == 0;
	}
	return good == GOOD && bad == BAD;
}

static unsigned long
anonymous_kb(struct harness *h)
{
	long kb = proc_status(h->controller, "RssAnon");

	assert_true(kb > 0);
	return (unsigned long)kb;
}

/* Another generation of every object. */
static void
touch_all(struct harness *h)
{
	for (unsigned i = 0; i < GOOD + BAD; i++) {
		AUTO_STR char *name = i < GOOD ? xasprintf("good-%u", i)
					       : xasprintf("bad-%u", i - GOOD);
		AUTO_JSON json_t *v = harness_sealed(h, "a", name);

		if (json_is_object(json_object_get(v, "spec")))
			jsonx_set_str(
			    json_object_get(v, "spec"), "touched", "yes");
		else
			jsonx_set(v, "spec", json_integer(8));
		assert_int_equal(
		    api_put(h->api, v, NULL, SEALED_PATH "/%s", name), 200);
	}
}

static void
the_good_are_served_and_the_bad_are_told(void **state)
{
	struct harness *h = *state;
	unsigned long before, after;

	for (unsigned i = 0; i < GOOD || i < BAD; i++) {
		AUTO_STR char *name = xasprintf("good-%u", i);

		if (i < BAD)
			create_bad(h, i);
		if (i < GOOD)
			harness_create(h, "a", name, CANARY);
	}
	harness_expect(h, wait_until(all_decided, h, SETTLE_MS));
	for (unsigned i = 0; i < BAD; i++)
		check_bad(h, i);
	before = anonymous_kb(h);
	touch_all(h);
	harness_expect(h, wait_until(all_decided, h, SETTLE_MS));
	after = anonymous_kb(h);
	if (after > before + GROWTH_MAX)
		fail_msg("from %lu to %lu kB", before, after);
	harness_expect(h, proc_running(h->controller));
	harness_expect(h, harness_wait_ready(h, HARNESS_SOON_MS));
}

/* ---- nothing leaks ---- */

static bool
holds_canary(const char *text)
{
	/* In base64 without its ends, which depend on what is around it. */
	return strstr(text, CANARY) != NULL ||
	    strstr(text, "NhbmFyeS01ZjFlNzctbmV2ZXIt") != NULL ||
	    strstr(text, "Y2FuYXJ5LTVmMWU3Ny1uZXZlci") != NULL ||
	    strstr(text, "YW5hcnktNWYxZTc3LW5ldmVy") != NULL;
}

static void
expect_clean(struct harness *h, const char *base, const char *path)
{
	AUTO(api) struct api *web = api_new(base, NULL);
	struct api_request req = { .path = path, .accept = "*/*" };
	struct api_reply reply;

	api_do(web, &req, &reply);
	assert_int_equal(reply.code, 200);
	if (holds_canary(reply.text))
		fail_msg("canary in %s", path);
	harness_expect(h, strlen(reply.text) > 0);
	api_reply_release(&reply);
}

static void
a_server_that_quotes_its_input_leaks_nothing(void **state)
{
	struct harness *h = *state;
	AUTO_STR char *log = NULL;

	/* As the good ones have it, so that the search below can find it. */
	assert_true(holds_canary("x" CANARY_B64 "x"));
	control_rule(h->api,
	    json_pack("{s:s,s:s,s:s,s:s,s:i,s:s,s:s,s:b,s:i}", "verb", "create",
		"resource", "secrets", "namespace", "a", "action", "status",
		"code", 422, "reason", "Invalid", "message", "refused", "echo",
		1, "times", 0));
	control_rule(h->api,
	    json_pack("{s:s,s:s,s:s,s:s,s:i,s:s,s:s,s:b,s:i}", "verb", "update",
		"resource", "secrets", "namespace", "a", "action", "status",
		"code", 403, "reason", "Forbidden", "message", "refused",
		"echo", 1, "times", 0));
	harness_create(h, "a", "echoed", CANARY);
	harness_expect(
	    h, harness_wait_synced(h, "a", "echoed", "False", HARNESS_SOON_MS));
	harness_expect(h,
	    harness_wait_event(
		h, "a", "echoed", "ErrUpdateFailed", HARNESS_SOON_MS));
	harness_change(h, "a", "good-1", CANARY "!");
	harness_expect(
	    h, harness_wait_synced(h, "a", "good-1", "False", HARNESS_SOON_MS));
	control_clear_rules(h->api);
	expect_clean(h, api_base(h->api), SEALED_PATH);
	expect_clean(h, api_base(h->api), "/api/v1/namespaces/a/events");
	expect_clean(h, h->metrics, "/metrics");
	expect_clean(h, h->http, "/healthz");
	log = proc_output(h->controller);
	harness_expect(h, !holds_canary(log));
	harness_expect(h, strlen(log) > 1000);
	/* It heals all the same. */
	harness_expect(
	    h, harness_wait_value(h, "a", "echoed", CANARY, HARNESS_LATE_MS));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_good_are_served_and_the_bad_are_told),
		cmocka_unit_test(a_server_that_quotes_its_input_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, start, harness_teardown_kill);
}
