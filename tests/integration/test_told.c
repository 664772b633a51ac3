/*
 * What the program tells while objects come, fail and go: the log lines that
 * people search for, events and their folding, the reference's metrics.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "harness.h"

#define P      "sealed_secrets_controller_"
#define SEALED "/apis/bitnami.com/v1alpha1/namespaces/a/sealedsecrets"
/* The first attempt and the fast ones. */
#define ATTEMPTS 6

static const char *const as_json[] = { "--log-format=json", "--old-gc-behavior",
	"--additional-namespaces=a,b", NULL };
static const char *const as_text[] = { "--old-gc-behavior",
	"--additional-namespaces=a,b", NULL };

static int
start_server(void **state)
{
	struct harness *h = harness_new(NULL);

	*state = h;
	/* Only the controller deletes. */
	control_post(h->api, "settings", json_pack("{s:b}", "gc", 0));
	return 0;
}

/* Without a schema, so that nothing stands between it and the program. */
static void
create_bad(struct harness *h, const char *name)
{
	AUTO_JSON json_t *v = object_sealed("a", name, OBJECT_STRICT);

	jsonx_set_str(
	    jsonx_object(v, "spec", "encryptedData", NULL), "k", "AgAA");
	harness_post(h, v);
}

/* Nothing can be created until the rules are cleared. */
static void
exceed_quota(struct harness *h)
{
	control_rule(h->api,
	    json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:i}", "verb",
		"create", "resource", "secrets", "namespace", "a", "action",
		"status", "code", 403, "reason", "Forbidden", "message",
		"exceeded quota", "times", 0));
}

/* ---- the log ---- */

/* The next write of the Secret and the next status fail. */
static int64_t
refuse_once(struct harness *h)
{
	control_rule(h->api,
	    json_pack("{s:s, s:s, s:s, s:s, s:i}", "verb", "update", "resource",
		"secrets", "namespace", "a", "action", "status", "code", 500));
	return control_rule(h->api,
	    json_pack("{s:s, s:s, s:s, s:s, s:i}", "verb", "update", "resource",
		"sealedsecrets/status", "namespace", "a", "action", "status",
		"code", 500));
}

/* A life with everything in it that is told of a good object. */
static void
live(struct harness *h)
{
	int64_t rule;

	harness_create(h, "a", "good", "value");
	harness_expect(
	    h, harness_wait_synced(h, "a", "good", "True", HARNESS_SOON_MS));
	rule = refuse_once(h);
	harness_change(h, "a", "good", "other");
	harness_expect(h, control_wait_fired(h->api, rule, 1, HARNESS_SOON_MS));
	harness_expect(
	    h, harness_wait_synced(h, "a", "good", "True", HARNESS_SOON_MS));
	proc_signal(h->controller, SIGUSR1);
	harness_expect(h, harness_wait_keys(h, 2, HARNESS_SOON_MS));
	assert_int_equal(api_delete(h->api, NULL, NULL, SEALED "/good"), 200);
	harness_expect(
	    h, harness_wait_no_secret(h, "a", "good", HARNESS_SOON_MS));
}

static void
the_lines_that_people_search_for_are_there(void **state)
{
	static const char *const lines[] = {
		" level=INFO msg=\"Starting sealed-secrets controller\" "
		"version=",
		" level=INFO msg=\"HTTP server serving\" addr=127.0.0.1:",
		" level=INFO msg=\"HTTP metrics server serving\" "
		"addr=127.0.0.1:",
		" level=INFO msg=\"Searching for existing private keys\"\n",
		" level=INFO msg=\"Starting informer\" namespace=kube-system\n",
		" level=INFO msg=\"Starting informer\" namespace=b\n",
		" level=INFO msg=\"New key written\" namespace=kube-system "
		"name=sealed-secrets-key",
		" level=INFO msg=\"Certificate generated\" "
		"certificate=\"-----BEGIN CERTIFICATE-----\\n",
		" level=INFO msg=Updating key=a/good\n",
		" level=ERROR msg=\"Error updating, giving up\" "
		"key=a/bad error=\"no key could decrypt secret (k)",
		" level=ERROR msg=\"Error updating SealedSecret status\" "
		"sealed-secret=a/good error=",
		" level=ERROR msg=\"Error updating, will retry\" key=a/good "
		"error=",
		" level=INFO msg=\"SealedSecret has gone, deleting Secret\" "
		"sealed-secret=a/good\n",
		" level=INFO msg=\"Shutting down controller\"\n",
		" level=INFO msg=\"Event(v1.ObjectReference{Kind:"
		"\\\"SealedSecret\\\", Namespace:\\\"a\\\", Name:\\\"good\\\", "
		"UID:\\\"",
		"\\\", APIVersion:\\\"bitnami.com/v1alpha1\\\", "
		"ResourceVersion:\\\"",
		"\\\", FieldPath:\\\"\\\"}): type: 'Normal' reason: "
		"'Unsealed' SealedSecret unsealed successfully\"\n",
		"): type: 'Warning' reason: 'ErrUnsealFailed' Failed to "
		"unseal: no key could decrypt secret (k)",
	};
	struct harness *h = *state;

	harness_start_ready(h, as_text);
	create_bad(h, "bad");
	live(h);
	harness_expect(
	    h, harness_wait_synced(h, "a", "bad", "False", HARNESS_SOON_MS));
	harness_expect(
	    h, harness_wait_event(h, "a", "bad", "ErrUnsealFailed", 2000));
	harness_expect(h, proc_stop(h->controller, 12000) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (proc_said(h->controller, lines[i]))
			continue;
		proc_show(h->controller);
		fail_msg("no line with %s", lines[i]);
	}
}

struct seen {
	const char *msg, *level, *member;
	bool found;
};

static void
look_at_line(const char *line, struct seen *seen, size_t n)
{
	AUTO_JSON json_t *v = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	const char *msg = jsonx_str(v, "msg", NULL);
	const char *level = jsonx_str(v, "level", NULL);

	if (msg == NULL || level == NULL || jsonx_str(v, "time", NULL) == NULL)
		fail_msg("%s", line);
	for (size_t i = 0; i < n; i++)
		if (strcmp(msg, seen[i].msg) == 0) {
			assert_string_equal(level, seen[i].level);
			assert_non_null(jsonx_str(v, seen[i].member, NULL));
			seen[i].found = true;
		}
}

static void
in_json_every_line_is_an_object_with_the_same_fields(void **state)
{
	struct seen seen[] = {
		{ "Starting sealed-secrets controller", "INFO", "version",
		    false },
		{ "Starting informer", "INFO", "namespace", false },
		{ "New key written", "INFO", "name", false },
		{ "Certificate generated", "INFO", "certificate", false },
		{ "Updating", "INFO", "key", false },
		{ "Error updating, will retry", "ERROR", "error", false },
		{ "Error updating SealedSecret status", "ERROR",
		    "sealed-secret", false },
		{ "SealedSecret has gone, deleting Secret", "INFO",
		    "sealed-secret", false },
		{ "Shutting down controller", "INFO", "msg", false },
	};
	struct harness *h = *state;
	AUTO_STR char *log = NULL;
	char *save = NULL;

	harness_start_ready(h, NULL);
	(void)harness_cert(h);
	harness_kill(h);
	proc_free(h->controller);
	/* The ports stay unknown: the lines that tell them differ. */
	h->controller = harness_spawn(h, as_json);
	live(h);
	harness_expect(h, proc_stop(h->controller, 12000) == 0);
	log = proc_output(h->controller);
	for (char *line = strtok_r(log, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		look_at_line(line, seen, ARRAY_SIZE(seen));
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
		if (!seen[i].found)
			fail_msg("no line \"%s\"", seen[i].msg);
}

/* ---- events ---- */

struct folded {
	struct harness *h;
	const char *reason;
	int64_t count;
};

/* One event of this reason, counted so often at least. */
static bool
is_folded(void *ctx)
{
	const struct folded *f = ctx;
	AUTO_JSON json_t *all = NULL;
	json_t *items;

	if (api_get(f->h->api, &all,
		"/api/v1/namespaces/a/events?fieldSelector="
		"involvedObject.name%%3Done%%2Creason%%3D%s",
		f->reason) != 200)
		return false;
	items = json_object_get(all, "items");
	return json_array_size(items) == 1 &&
	    jsonx_int(json_array_get(items, 0), "count", NULL) >= f->count;
}

static void
repeated_failures_are_one_event_with_a_count(void **state)
{
	struct harness *h = *state;
	struct folded failed = { h, "ErrUpdateFailed", ATTEMPTS };
	struct folded done = { h, "Unsealed", 1 };
	AUTO_JSON json_t *all = NULL;
	json_t *e;
	size_t i;

	exceed_quota(h);
	harness_create(h, "a", "one", "value");
	harness_expect(h, wait_until(is_folded, &failed, HARNESS_SOON_MS));
	control_clear_rules(h->api);
	harness_expect(
	    h, harness_wait_value(h, "a", "one", "value", HARNESS_LATE_MS));
	harness_expect(h, wait_until(is_folded, &done, HARNESS_SOON_MS));
	assert_int_equal(
	    api_get(h->api, &all, "/api/v1/namespaces/a/events"), 200);
	json_array_foreach(json_object_get(all, "items"), i, e)
	{
		const char *type = jsonx_str(e, "type", NULL);
		const char *reason = jsonx_str(e, "reason", NULL);

		assert_string_equal(jsonx_str(e, "source", "component", NULL),
		    "sealed-secrets");
		assert_string_equal(
		    jsonx_str(e, "reportingComponent", NULL), "sealed-secrets");
		assert_string_equal(type,
		    strcmp(reason, "Unsealed") == 0 ? "Normal" : "Warning");
		assert_string_equal(
		    jsonx_str(e, "involvedObject", "kind", NULL),
		    "SealedSecret");
		assert_string_equal(
		    jsonx_str(e, "involvedObject", "apiVersion", NULL),
		    "bitnami.com/v1alpha1");
	}
}

/* ---- metrics ---- */

struct wanted_line {
	struct harness *h;
	const char *text;
	bool there;
};

static bool
line_is(void *ctx)
{
	const struct wanted_line *w = ctx;

	return harness_metrics_hold(w->h, w->text) == w->there;
}

static void
expect_line(struct harness *h, const char *text, bool there)
{
	struct wanted_line w = { h, text, there };

	if (!wait_until(line_is, &w, 5000)) {
		AUTO_STR char *all = harness_metrics(h);

		fail_msg("%s %s: %s", there ? "no" : "still", text, all);
	}
}

#define CONDITION(name, value)                               \
	P "condition_info{condition=\"Synced\",name=\"" name \
	  "\",namespace=\"a\",ss_app_kubernetes_io_instance=\"\"} " value "\n"

static void
the_reference_s_metrics_follow_what_happens(void **state)
{
	static const char *const at_start[] = {
		P "build_info{revision=\"",
		P "unseal_requests_total 0\n",
		"\nprocess_cpu_seconds_total ",
		"\nprocess_resident_memory_bytes ",
		"\nprocess_start_time_seconds ",
		"\nprocess_open_fds ",
	};
	static const char *const later[] = {
		P "unseal_errors_total{namespace=\"a\",reason=\"unseal\"} 1\n",
		P "http_requests_total{code=\"200\",method=\"get\","
		  "path=\"/v1/cert.pem\"} ",
		P "http_request_duration_seconds_bucket{method=\"get\","
		  "path=\"/v1/cert.pem\",le=\"0.005\"} ",
		P "http_request_duration_seconds_bucket{method=\"get\","
		  "path=\"/v1/cert.pem\",le=\"10\"} ",
		P "http_request_duration_seconds_bucket{method=\"get\","
		  "path=\"/v1/cert.pem\",le=\"+Inf\"} ",
		CONDITION("bad", "-1"),
		CONDITION("good", "1"),
	};
	struct harness *h = *state;
	struct wanted_line none = { h, P "condition_info{", false };

	for (size_t i = 0; i < ARRAY_SIZE(at_start); i++)
		expect_line(h, at_start[i], true);
	harness_expect(h, line_is(&none));
	harness_create(h, "a", "good", "value");
	create_bad(h, "bad");
	harness_expect(
	    h, harness_wait_synced(h, "a", "good", "True", HARNESS_SOON_MS));
	harness_expect(
	    h, harness_wait_synced(h, "a", "bad", "False", HARNESS_SOON_MS));
	for (size_t i = 0; i < ARRAY_SIZE(later); i++)
		expect_line(h, later[i], true);
	expect_line(h, P "unseal_requests_total 0\n", false);
	assert_int_equal(api_delete(h->api, NULL, NULL, SEALED "/bad"), 200);
	expect_line(h, "name=\"bad\"", false);
	expect_line(h, CONDITION("good", "1"), true);
}

static void
names_can_be_kept_out_of_the_metrics(void **state)
{
	static const char *const args[] = { "--metrics-omit-secret-labels",
		NULL };
	struct harness *h = *state;
	AUTO_STR char *text = NULL;

	harness_start_ready(h, args);
	harness_create(h, "a", "hidden-good", "value");
	create_bad(h, "hidden-bad");
	harness_expect(h,
	    harness_wait_synced(
		h, "a", "hidden-good", "True", HARNESS_SOON_MS));
	harness_expect(h,
	    harness_wait_synced(
		h, "a", "hidden-bad", "False", HARNESS_SOON_MS));
	expect_line(h,
	    P "unseal_errors_total{namespace=\"a\",reason=\"unseal\"} 1\n",
	    true);
	expect_line(h, P "unseal_requests_total 0\n", false);
	text = harness_metrics(h);
	harness_expect(h, strstr(text, "condition_info") == NULL);
	harness_expect(h, strstr(text, "hidden") == NULL);
	harness_expect(h, strstr(text, P "unseal_requests_total ") != NULL);
}

/* ---- status ---- */

static bool
says_unmanaged(void *ctx)
{
	AUTO_JSON json_t *v = harness_sealed(ctx, "a", "one");

	return strstr(object_synced_message(v), "is not managed") != NULL;
}

/* The cause changes, the object does not. */
static void
the_message_follows_the_cause(void **state)
{
	struct harness *h = *state;
	AUTO_JSON json_t *foreign =
	    object_secret("a", "one", HARNESS_KEY, "theirs", NULL);
	AUTO_JSON json_t *v = NULL;

	exceed_quota(h);
	harness_create(h, "a", "one", "value");
	harness_expect(
	    h, harness_wait_synced(h, "a", "one", "False", HARNESS_SOON_MS));
	v = harness_sealed(h, "a", "one");
	harness_expect(
	    h, strstr(object_synced_message(v), "exceeded quota") != NULL);
	control_clear_rules(h->api);
	harness_post(h, foreign);
	harness_expect(h, wait_until(says_unmanaged, h, HARNESS_LATE_MS));
	json_decref(v);
	v = harness_sealed(h, "a", "one");
	assert_int_equal(jsonx_int(v, "metadata", "generation", NULL), 1);
	assert_int_equal(jsonx_int(v, "status", "observedGeneration", NULL), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    the_lines_that_people_search_for_are_there, start_server,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(
		    in_json_every_line_is_an_object_with_the_same_fields,
		    start_server, harness_teardown),
		cmocka_unit_test_setup_teardown(
		    repeated_failures_are_one_event_with_a_count,
		    harness_setup_ready, harness_teardown),
		cmocka_unit_test_setup_teardown(
		    the_reference_s_metrics_follow_what_happens,
		    harness_setup_ready, harness_teardown),
		cmocka_unit_test_setup_teardown(
		    names_can_be_kept_out_of_the_metrics, start_server,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(the_message_follows_the_cause,
		    harness_setup_ready, harness_teardown),
	};

	return cmocka_run_group_tests_name("told", tests, NULL, NULL);
}
