/*
 * The text format by itself; the names that are in use are in test_metrics.c.
 */
/* layer: metrics */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include <string.h>

#include "controller/metrics/exposition.h"

#define P "sealed_secrets_controller_"

static const struct family gauge = { "g", "A gauge.", FAMILY_GAUGE, 0,
	{ "b", "c", "a" } };
static const struct family plain = { "p_total", "A counter.", FAMILY_COUNTER, 0,
	{ NULL } };
static const struct family times = { "t", "A histogram.", FAMILY_HISTOGRAM, 0,
	{ "x" } };

static void
names_a_family_with_its_help_and_type(void **state UNUSED)
{
	AUTO_RELEASE(buf) struct buf out = BUF_INIT(4096);
	struct err err = ERR_INIT;
	struct exposition x = { .out = &out, .err = &err };

	exposition_family(&x, &gauge);
	exposition_family(&x, &plain);
	exposition_family(&x, &times);
	assert_false(x.failed);
	assert_string_equal(buf_str(&out),
	    "# HELP " P "g A gauge.\n# TYPE " P "g gauge\n# HELP " P
	    "p_total A counter.\n# TYPE " P "p_total counter\n# HELP " P
	    "t A histogram.\n# TYPE " P "t histogram\n");
}

static void
puts_labels_in_the_order_of_their_names_with_escapes(void **state UNUSED)
{
	AUTO_RELEASE(buf) struct buf out = BUF_INIT(4096);
	struct err err = ERR_INIT;
	struct exposition x = { .out = &out, .err = &err };

	exposition_value(&x, &gauge, "of b\0\"\\\n\0\0", 1.5);
	exposition_value(&x, &plain, "", 3);
	assert_false(x.failed);
	assert_string_equal(buf_str(&out),
	    P "g{a=\"\",b=\"of b\",c=\"\\\"\\\\\\n\"} 1.5\n" P "p_total 3\n");
}

static void
adds_the_buckets_up(void **state UNUSED)
{
	static const struct family_histogram h = { .count = 6,
		.in = { 1, 0, 2, [FAMILY_BUCKETS - 1] = 2 } };
	static const char *const parts[] = {
		P "t_bucket{x=\"v\",le=\"0.005\"} 1\n" P
		  "t_bucket{x=\"v\",le=\"0.01\"} 1\n" P
		  "t_bucket{x=\"v\",le=\"0.025\"} 3\n",
		P "t_bucket{x=\"v\",le=\"10\"} 5\n" P
		  "t_bucket{x=\"v\",le=\"+Inf\"} 6\n" P
		  "t_sum{x=\"v\"} 7.25\n" P "t_count{x=\"v\"} 6\n",
	};
	AUTO_RELEASE(buf) struct buf out = BUF_INIT(4096);
	struct err err = ERR_INIT;
	struct exposition x = { .out = &out, .err = &err };

	exposition_histogram(&x, &times, "v", &h, 7.25);
	assert_false(x.failed);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		assert_non_null(strstr(buf_str(&out), parts[i]));
}

static void
does_nothing_after_a_failure(void **state UNUSED)
{
	AUTO_RELEASE(buf) struct buf out = BUF_INIT(40);
	struct err err = ERR_INIT;
	struct exposition x = { .out = &out, .err = &err };
	size_t len;

	exposition_value(&x, &gauge, "\0\0", 1);
	assert_true(x.failed);
	assert_int_equal(err.code, ERR_TOOBIG);
	len = out.len;
	exposition_value(&x, &plain, "", 1);
	assert_int_equal(out.len, len);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_a_family_with_its_help_and_type),
		cmocka_unit_test(
		    puts_labels_in_the_order_of_their_names_with_escapes),
		cmocka_unit_test(adds_the_buckets_up),
		cmocka_unit_test(does_nothing_after_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
