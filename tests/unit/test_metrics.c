/*
 * The text exposition: names, order, escapes, histograms; the bound on series;
 * removal; threads.
 */
/* layer: metrics */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/thread.h"
#include "metrics/metrics.h"

#define P	   "sealed_secrets_controller_"
#define SERIES_MAX 20000

static char *
render(struct metrics *m)
{
	struct buf b = BUF_INIT(64 << 20);
	struct err err = ERR_INIT;
	char *text;

	assert_int_equal(metrics_render(m, &b, &err), 0);
	text = buf_take(&b, NULL);
	return text;
}

/* Whether text has this whole line. */
static bool
has_line(const char *text, const char *line)
{
	size_t len = strlen(line);
	const char *p = text;

	while ((p = strstr(p, line)) != NULL) {
		if ((p == text || p[-1] == '\n') && p[len] == '\n')
			return true;
		p++;
	}
	return false;
}

static void
begins_with_zeros_for_all_that_has_no_labels(void **state UNUSED)
{
	static const char *const lines[] = {
		"# HELP " P "build_info Build information.",
		"# TYPE " P "build_info gauge",
		P "build_info{revision=\"v1.2.3\"} 0",
		"# HELP " P "unseal_requests_total Total number of sealed "
		"secret unseal requests",
		"# TYPE " P "unseal_requests_total counter",
		P "unseal_requests_total 0",
		P "queue_depth 0",
		P "queue_oldest_age_seconds 0",
		P "keys 0",
		P "key_not_before_timestamp_seconds 0",
		P "key_not_after_timestamp_seconds 0",
		P "key_renewal_due_timestamp_seconds 0",
		P "key_secrets_skipped 0",
		P "events_dropped_total 0",
		P "series_dropped_total 0",
		"# TYPE " P "reconcile_duration_seconds histogram",
		P "reconcile_duration_seconds_bucket{le=\"0.005\"} 0",
		P "reconcile_duration_seconds_bucket{le=\"+Inf\"} 0",
		P "reconcile_duration_seconds_sum 0",
		P "reconcile_duration_seconds_count 0",
	};
	AUTO(metrics) struct metrics *m = metrics_new("v1.2.3");
	AUTO_STR char *text = render(m);

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_true(has_line(text, lines[i]));
	assert_null(strstr(text, "unseal_errors_total"));
	assert_null(strstr(text, "condition_info"));
	assert_null(strstr(text, "http_"));
}

static void
names_every_family_as_the_reference_does(void **state UNUSED)
{
	static const char *const lines[] = {
		"# HELP " P "unseal_errors_total Total number of sealed secret "
		"unseal errors by reason",
		"# TYPE " P "unseal_errors_total counter",
		P "unseal_errors_total{namespace=\"ns\",reason=\"unseal\"} 1",
		"# HELP " P "condition_info Current SealedSecret condition "
		"status. Values are -1 (false), 0 (unknown or absent), 1 "
		"(true)",
		"# TYPE " P "condition_info gauge",
		P "condition_info{condition=\"Synced\",name=\"n\","
		  "namespace=\"ns\",ss_app_kubernetes_io_instance=\"\"} -1",
		"# HELP " P "http_requests_total A counter for requests to "
		"the wrapped handler.",
		"# TYPE " P "http_requests_total counter",
		P "http_requests_total{code=\"200\",method=\"get\","
		  "path=\"/v1/verify\"} 2",
		"# HELP " P "http_request_duration_seconds A histogram of "
		"latencies for requests.",
		"# TYPE " P "http_request_duration_seconds histogram",
		P "http_request_duration_seconds_count{method=\"get\","
		  "path=\"/v1/verify\"} 1",
		P "watch_restarts_total{reason=\"gone\",resource=\"secrets\"} "
		  "1",
		P "watch_last_seen_timestamp_seconds{namespace=\"\","
		  "resource=\"secrets\"} 1.776857288e+09",
		P "api_requests_total{code=\"409\",resource=\"secrets\",verb="
		  "\"update\"} 1",
	};
	AUTO(metrics) struct metrics *m = metrics_new("v");
	AUTO_STR char *text = NULL;

	metrics_inc(m, METRIC_UNSEAL_ERRORS, "unseal", "ns");
	metrics_set(m, METRIC_CONDITION_INFO, -1, "ns", "n", "Synced", "");
	metrics_inc(m, METRIC_HTTP_REQUESTS, "/v1/verify", "200", "get");
	metrics_inc(m, METRIC_HTTP_REQUESTS, "/v1/verify", "200", "get");
	metrics_observe(m, METRIC_HTTP_DURATION, 0.1, "/v1/verify", "get");
	metrics_inc(m, METRIC_WATCH_RESTARTS, "secrets", "gone");
	metrics_set(m, METRIC_WATCH_LAST_SEEN, 1776857288.0, "secrets", "");
	metrics_inc(m, METRIC_API_REQUESTS, "update", "secrets", "409");
	text = render(m);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_true(has_line(text, lines[i]));
}

static void
set_depth(void *ctx)
{
	metrics_set(ctx, METRIC_QUEUE_DEPTH, 7);
}

static void
gauges_of_the_moment_are_set_at_each_rendering(void **state UNUSED)
{
	AUTO(metrics) struct metrics *m = metrics_new("v");
	AUTO_STR char *with = NULL, *without = NULL;

	metrics_on_render(m, set_depth, m);
	with = render(m);
	assert_true(has_line(with, P "queue_depth 7"));
	metrics_off_render(m, m);
	metrics_set(m, METRIC_QUEUE_DEPTH, 1);
	without = render(m);
	assert_true(has_line(without, P "queue_depth 1"));
	metrics_on_render(NULL, set_depth, m);
}

static void
counts_into_cumulative_buckets(void **state UNUSED)
{
	static const char want[] =
	    P "reconcile_duration_seconds_bucket{le=\"0.005\"} 1\n" P
	      "reconcile_duration_seconds_bucket{le=\"0.01\"} 2\n" P
	      "reconcile_duration_seconds_bucket{le=\"0.025\"} 3\n" P
	      "reconcile_duration_seconds_bucket{le=\"0.05\"} 3\n" P
	      "reconcile_duration_seconds_bucket{le=\"0.1\"} 3\n" P
	      "reconcile_duration_seconds_bucket{le=\"0.25\"} 3\n" P
	      "reconcile_duration_seconds_bucket{le=\"0.5\"} 3\n" P
	      "reconcile_duration_seconds_bucket{le=\"1\"} 3\n" P
	      "reconcile_duration_seconds_bucket{le=\"2.5\"} 4\n" P
	      "reconcile_duration_seconds_bucket{le=\"5\"} 4\n" P
	      "reconcile_duration_seconds_bucket{le=\"10\"} 5\n" P
	      "reconcile_duration_seconds_bucket{le=\"+Inf\"} 6\n" P
	      "reconcile_duration_seconds_sum 112.53\n" P
	      "reconcile_duration_seconds_count 6\n";
	static const double values[] = { 0.005, 0.00625, 0.01875, 2.5, 10,
		100 };
	AUTO(metrics) struct metrics *m = metrics_new("v");
	AUTO_STR char *text = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		metrics_observe(m, METRIC_RECONCILE_DURATION, values[i]);
	text = render(m);
	assert_non_null(strstr(text, want));
}

static void
escapes_label_values(void **state UNUSED)
{
	AUTO(metrics) struct metrics *m = metrics_new("a\"b\\c\nd{}=,\xc3\xa9");
	AUTO_STR char *text = render(m);

	assert_true(has_line(
	    text, P "build_info{revision=\"a\\\"b\\\\c\\nd{}=,\xc3\xa9\"} 0"));
}

static void
sorts_families_and_series(void **state UNUSED)
{
	AUTO(metrics) struct metrics *m = metrics_new("v");
	AUTO_STR char *text = NULL;
	char last[128] = "", name[128];
	unsigned families = 0;

	metrics_inc(m, METRIC_UNSEAL_ERRORS, "b", "z");
	metrics_inc(m, METRIC_UNSEAL_ERRORS, "a", "bc");
	metrics_inc(m, METRIC_UNSEAL_ERRORS, "ab", "c");
	text = render(m);
	for (const char *p = text; (p = strstr(p, "# TYPE ")) != NULL; p++) {
		assert_int_equal(sscanf(p, "# TYPE %127s", name), 1);
		assert_true(strcmp(last, name) < 0);
		memcpy(last, name, sizeof(last));
		families++;
	}
	assert_true(families > 15);
	assert_non_null(strstr(text,
	    P "unseal_errors_total{namespace=\"bc\",reason=\"a\"} 1\n" P
	      "unseal_errors_total{namespace=\"c\",reason=\"ab\"} 1\n" P
	      "unseal_errors_total{namespace=\"z\",reason=\"b\"} 1\n"));
	assert_int_equal(text[strlen(text) - 1], '\n');
}

static void
keeps_apart_values_that_look_alike_when_joined(void **state UNUSED)
{
	AUTO(metrics) struct metrics *m = metrics_new("v");

	metrics_add(m, METRIC_UNSEAL_ERRORS, 1, "a", "bc");
	metrics_add(m, METRIC_UNSEAL_ERRORS, 2, "ab", "c");
	metrics_add(m, METRIC_UNSEAL_ERRORS, 4, "abc", "");
	metrics_add(m, METRIC_UNSEAL_ERRORS, 8, "", "abc");
	assert_true(metrics_value(m, METRIC_UNSEAL_ERRORS, "a", "bc") == 1);
	assert_true(metrics_value(m, METRIC_UNSEAL_ERRORS, "ab", "c") == 2);
	assert_true(metrics_value(m, METRIC_UNSEAL_ERRORS, "abc", "") == 4);
	assert_true(metrics_value(m, METRIC_UNSEAL_ERRORS, "", "abc") == 8);
	assert_true(metrics_value(m, METRIC_UNSEAL_ERRORS, "x", "y") == 0);
}

static void
removes_one_series_or_all_of_an_object(void **state UNUSED)
{
	AUTO(metrics) struct metrics *m = metrics_new("v");
	AUTO_STR char *text = NULL;

	metrics_set(m, METRIC_CONDITION_INFO, 1, "ns", "n", "Synced", "");
	metrics_set(m, METRIC_CONDITION_INFO, 1, "ns", "n", "Synced", "app");
	metrics_set(m, METRIC_CONDITION_INFO, 1, "ns", "n", "Other", "");
	metrics_set(m, METRIC_CONDITION_INFO, 1, "ns", "n2", "Synced", "");
	metrics_set(m, METRIC_CONDITION_INFO, 1, "ns2", "n", "Synced", "");
	metrics_remove(m, METRIC_CONDITION_INFO, "ns", "n", "Synced", "app");
	metrics_remove(m, METRIC_CONDITION_INFO, "ns", "n", "Synced", "none");
	metrics_remove(m, METRIC_CONDITION_INFO, "no", "n", "Synced", "");
	text = render(m);
	assert_null(strstr(text, "\"app\""));
	assert_non_null(strstr(text, "condition=\"Other\""));
	metrics_remove_prefix(m, METRIC_CONDITION_INFO, 2, "ns", "n");
	assert_true(metrics_value(m, METRIC_CONDITION_INFO, "ns", "n", "Synced",
			"") == 0);
	assert_true(metrics_value(
			m, METRIC_CONDITION_INFO, "ns", "n", "Other", "") == 0);
	assert_true(metrics_value(m, METRIC_CONDITION_INFO, "ns", "n2",
			"Synced", "") == 1);
	metrics_remove_prefix(m, METRIC_CONDITION_INFO, 1, "ns");
	assert_true(metrics_value(m, METRIC_CONDITION_INFO, "ns", "n2",
			"Synced", "") == 0);
	assert_true(metrics_value(m, METRIC_CONDITION_INFO, "ns2", "n",
			"Synced", "") == 1);
	metrics_remove_prefix(
	    m, METRIC_CONDITION_INFO, 3, "ns2", "n", "Synced");
	assert_true(metrics_value(m, METRIC_CONDITION_INFO, "ns2", "n",
			"Synced", "") == 0);
	metrics_set(m, METRIC_CONDITION_INFO, 1, "ns", "n", "Synced", "");
	metrics_remove_prefix(m, METRIC_CONDITION_INFO, 0);
	free(text);
	text = render(m);
	assert_null(strstr(text, "condition_info"));
}

static void
bounds_the_series_of_a_family_and_counts_the_rest(void **state UNUSED)
{
	AUTO(metrics) struct metrics *m = metrics_new("v");
	char name[32];

	for (int i = 0; i < SERIES_MAX + 3; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		metrics_inc(m, METRIC_UNSEAL_ERRORS, "unseal", name);
	}
	assert_true(metrics_value(m, METRIC_SERIES_DROPPED) == 3);
	assert_true(
	    metrics_value(m, METRIC_UNSEAL_ERRORS, "unseal", "n0") == 1);
	assert_true(
	    metrics_value(m, METRIC_UNSEAL_ERRORS, "unseal", name) == 0);
	/* Known ones go on, other families are free, room comes back. */
	metrics_inc(m, METRIC_UNSEAL_ERRORS, "unseal", "n0");
	assert_true(
	    metrics_value(m, METRIC_UNSEAL_ERRORS, "unseal", "n0") == 2);
	metrics_inc(m, METRIC_API_REQUESTS, "get", "secrets", "200");
	assert_true(metrics_value(
			m, METRIC_API_REQUESTS, "get", "secrets", "200") == 1);
	metrics_remove(m, METRIC_UNSEAL_ERRORS, "unseal", "n0");
	metrics_inc(m, METRIC_UNSEAL_ERRORS, "unseal", name);
	assert_true(
	    metrics_value(m, METRIC_UNSEAL_ERRORS, "unseal", name) == 1);
	assert_true(metrics_value(m, METRIC_SERIES_DROPPED) == 3);
}

static void
does_nothing_without_an_object(void **state UNUSED)
{
	struct buf b = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	metrics_inc(NULL, METRIC_UNSEAL_REQUESTS);
	metrics_add(NULL, METRIC_UNSEAL_REQUESTS, 5);
	metrics_set(NULL, METRIC_KEYS, 5);
	metrics_observe(NULL, METRIC_RECONCILE_DURATION, 5);
	metrics_remove(NULL, METRIC_UNSEAL_ERRORS, "a", "b");
	metrics_remove_prefix(NULL, METRIC_CONDITION_INFO, 2, "a", "b");
	assert_true(metrics_value(NULL, METRIC_UNSEAL_REQUESTS) == 0);
	assert_int_equal(metrics_render(NULL, &b, &err), 0);
	assert_null(strstr(buf_str(&b), P));
	buf_release(&b);
	metrics_free(NULL);
}

static void
leaves_the_buffer_alone_where_the_text_does_not_fit(void **state UNUSED)
{
	AUTO(metrics) struct metrics *m = metrics_new("v");
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(4000);
	AUTO_RELEASE(buf) struct buf tiny = BUF_INIT(10);
	struct err err = ERR_INIT;

	buf_puts(&b, "kept");
	assert_int_equal(metrics_render(m, &b, &err), -1);
	assert_int_equal(err.code, ERR_TOOBIG);
	assert_string_equal(buf_str(&b), "kept");
	assert_int_equal(metrics_render(m, &tiny, &err), -1);
	assert_string_equal(buf_str(&tiny), "");
}

static void *
use_from_a_thread(void *arg)
{
	struct metrics *m = arg;

	for (int i = 0; i < 500; i++) {
		metrics_inc(m, METRIC_UNSEAL_REQUESTS);
		metrics_set(m, METRIC_CONDITION_INFO, i, "ns", "n", "c", "");
		metrics_observe(m, METRIC_RECONCILE_DURATION, 0.1);
		metrics_remove_prefix(m, METRIC_CONDITION_INFO, 2, "ns", "n");
		if (i % 100 == 0)
			free(render(m));
	}
	return NULL;
}

static void
counts_right_from_many_threads(void **state UNUSED)
{
	AUTO(metrics) struct metrics *m = metrics_new("v");
	struct thread t[4];

	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		thread_start(&t[i], "user", use_from_a_thread, m);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		thread_join(&t[i]);
	assert_true(metrics_value(m, METRIC_UNSEAL_REQUESTS) == 2000);
	assert_true(
	    metrics_value(m, METRIC_CONDITION_INFO, "ns", "n", "c", "") == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins_with_zeros_for_all_that_has_no_labels),
		cmocka_unit_test(names_every_family_as_the_reference_does),
		cmocka_unit_test(
		    gauges_of_the_moment_are_set_at_each_rendering),
		cmocka_unit_test(counts_into_cumulative_buckets),
		cmocka_unit_test(escapes_label_values),
		cmocka_unit_test(sorts_families_and_series),
		cmocka_unit_test(
		    keeps_apart_values_that_look_alike_when_joined),
		cmocka_unit_test(removes_one_series_or_all_of_an_object),
		cmocka_unit_test(
		    bounds_the_series_of_a_family_and_counts_the_rest),
		cmocka_unit_test(does_nothing_without_an_object),
		cmocka_unit_test(
		    leaves_the_buffer_alone_where_the_text_does_not_fit),
		cmocka_unit_test(counts_right_from_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
