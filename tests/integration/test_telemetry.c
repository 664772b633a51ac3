/*
 * What an operator sees of the whole program: metrics to act on, and a log
 * that others cannot fill.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "keyrig.h"

#define P "sealed_secrets_controller_"

/* The value behind this name and labels; -1: no such series. */
static double
value(const char *text, const char *series)
{
	AUTO_STR char *line = xasprintf("\n%s%s ", P, series);
	const char *at = strstr(text, line);

	return at == NULL ? -1 : strtod(at + strlen(line), NULL);
}

static void
metrics_to_act_on_are_there_from_the_start(void **state)
{
	static const char *const zeros[] = {
		"queue_depth",
		"queue_oldest_age_seconds",
		"reconcile_duration_seconds_count",
		"drift_total{action=\"detected\"}",
		"drift_total{action=\"repaired\"}",
		"watch_restarts_total{reason=\"expired\",resource="
		"\"sealedsecrets\"}",
		"watch_restarts_total{reason=\"ended\",resource="
		"\"secrets-metadata\"}",
		"api_requests_total{code=\"200\",resource=\"secrets\","
		"verb=\"update\"}",
		"api_requests_total{code=\"200\",resource="
		"\"sealedsecrets/status\",verb=\"update\"}",
	};
	struct harness *h = *state;
	AUTO_STR char *text = NULL;

	harness_start_ready(h, NULL);
	text = harness_metrics(h);
	for (size_t i = 0; i < ARRAY_SIZE(zeros); i++)
		if (value(text, zeros[i]) != 0)
			fail_msg("%s: %g", zeros[i], value(text, zeros[i]));
	assert_true(value(text,
			"watch_last_sync_timestamp_seconds{"
			"namespace=\"\",resource="
			"\"sealedsecrets\"}") > 1e9);
	assert_true(value(text,
			"api_requests_total{code=\"200\",resource="
			"\"sealedsecrets\",verb=\"list\"}") == 1);
	assert_true(value(text,
			"api_requests_total{code=\"201\",resource="
			"\"secrets\",verb=\"create\"}") == 1);
}

static void
requests_are_counted_by_verb_and_resource(void **state)
{
	struct harness *h = *state;
	AUTO_STR char *text = NULL;

	harness_start_ready(h, NULL);
	harness_create(h, "a", "one", "value");
	harness_expect(
	    h, harness_wait_synced(h, "a", "one", "True", HARNESS_SOON_MS));
	harness_expect(
	    h, harness_wait_event(h, "a", "one", "Unsealed", HARNESS_SOON_MS));
	text = harness_metrics(h);
	assert_true(value(text,
			"api_requests_total{code=\"200\",resource="
			"\"sealedsecrets/status\",verb=\"update\"}") == 1);
	assert_true(value(text,
			"api_requests_total{code=\"201\",resource=\"events\","
			"verb=\"create\"}") >= 1);
	assert_true(value(text,
			"api_requests_total{code=\"200\",resource="
			"\"sealedsecrets\",verb=\"watch\"}") == 1);
	assert_true(value(text, "reconcile_duration_seconds_count") >= 1);
}

static void
asking_for_a_certificate_that_is_not_there_does_not_fill_the_log(void **state)
{
	struct harness *h = *state;
	AUTO(api) struct api *web = NULL;
	AUTO_JSON json_t *list = NULL;
	json_t *v;
	size_t i;

	harness_start_ready(h, NULL);
	(void)harness_cert(h);
	assert_int_equal(
	    api_get(h->api, &list, "/api/v1/namespaces/kube-system/secrets"),
	    200);
	json_array_foreach(json_object_get(list, "items"), i, v)
	    keyrig_delete(h, jsonx_str(v, "metadata", "name", NULL));
	harness_expect(h, keyrig_wait_none(h->http, KEYRIG_LIMIT_MS));
	web = api_new(h->http, NULL);
	for (i = 0; i < 20; i++)
		assert_int_equal(api_get(web, NULL, "/v1/cert.pem"), 500);
	harness_expect(
	    h, proc_said_times(h->controller, "cannot get certificates") == 1);
}

int
main(void)
{
#define T(test)                          \
	cmocka_unit_test_setup_teardown( \
	    test, harness_setup, harness_teardown_kill)
	const struct CMUnitTest tests[] = {
		T(metrics_to_act_on_are_there_from_the_start),
		T(requests_are_counted_by_verb_and_resource),
		T(asking_for_a_certificate_that_is_not_there_does_not_fill_the_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
