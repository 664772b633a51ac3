/*
 * Times and durations against vectors from Go.
 */
/* layer: base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "base/timefmt.h"
#include "timefmt_vectors.h"

static void
parses_durations_exactly_as_go_does(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(duration_vectors); i++) {
		struct err err = ERR_INIT;
		int64_t ns = -77;
		int rc =
		    timefmt_parse_duration(duration_vectors[i].in, &ns, &err);

		if (duration_vectors[i].error != NULL) {
			assert_int_equal(rc, -1);
			assert_string_equal(err.msg, duration_vectors[i].error);
			assert_int_equal(err.code, ERR_INVALID);
			assert_int_equal(ns, -77);
			continue;
		}
		if (rc != 0 || ns != duration_vectors[i].ns)
			print_error("%s\n", duration_vectors[i].in);
		assert_int_equal(rc, 0);
		assert_int_equal(ns, duration_vectors[i].ns);
	}
}

static void
prints_durations_exactly_as_go_does(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(duration_texts); i++) {
		char out[TIMEFMT_MAX];

		timefmt_duration(duration_texts[i].ns, out);
		assert_string_equal(out, duration_texts[i].text);
	}
}

static void
parses_rfc1123_times_exactly_as_go_does(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(rfc1123z_vectors); i++) {
		struct err err = ERR_INIT;
		int64_t s = 0;
		int rc =
		    timefmt_parse_rfc1123z(rfc1123z_vectors[i].in, &s, &err);

		if ((rc == 0) != rfc1123z_vectors[i].ok)
			print_error("'%s'\n", rfc1123z_vectors[i].in);
		assert_int_equal(rc, rfc1123z_vectors[i].ok ? 0 : -1);
		assert_int_equal(s, rfc1123z_vectors[i].unix_s);
	}
}

static void
parses_rfc3339_times_exactly_as_go_does(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(rfc3339_vectors); i++) {
		struct err err = ERR_INIT;
		int64_t s = 0;
		int rc = timefmt_parse_rfc3339(rfc3339_vectors[i].in, &s, &err);

		if ((rc == 0) != rfc3339_vectors[i].ok)
			print_error("'%s'\n", rfc3339_vectors[i].in);
		assert_int_equal(rc, rfc3339_vectors[i].ok ? 0 : -1);
		assert_int_equal(s, rfc3339_vectors[i].unix_s);
	}
}

static void
prints_times_with_the_digits_asked_for(void **state UNUSED)
{
	char out[TIMEFMT_MAX];

	timefmt_rfc3339(1776857288, out);
	assert_string_equal(out, "2026-04-22T11:28:08Z");
	timefmt_rfc3339(0, out);
	assert_string_equal(out, "1970-01-01T00:00:00Z");
	timefmt_rfc3339(-1, out);
	assert_string_equal(out, "1969-12-31T23:59:59Z");
	timefmt_rfc3339(951782400, out);
	assert_string_equal(out, "2000-02-29T00:00:00Z");
	timefmt_rfc3339_ms(INT64_C(1776857288123999999), out);
	assert_string_equal(out, "2026-04-22T11:28:08.123Z");
	timefmt_rfc3339_us(INT64_C(1776857288000001999), out);
	assert_string_equal(out, "2026-04-22T11:28:08.000001Z");
	timefmt_rfc3339_ms(-1, out);
	assert_string_equal(out, "1969-12-31T23:59:59.999Z");
}

static void
prints_any_number_of_seconds_without_overflow(void **state UNUSED)
{
	char out[TIMEFMT_MAX];

	timefmt_rfc3339(INT64_C(253402300800), out);
	assert_string_equal(out, "10000-01-01T00:00:00Z");
	timefmt_rfc3339(INT64_MAX / 1000, out);
	assert_true(strlen(out) < TIMEFMT_MAX);
	assert_int_equal(out[strlen(out) - 1], 'Z');
}

static void
reads_back_what_it_prints(void **state UNUSED)
{
	for (int64_t s = -5000000000; s < 20000000000;
	     s += 86400 * 29 + 12345) {
		char out[TIMEFMT_MAX];
		struct err err = ERR_INIT;
		int64_t back = 0;

		timefmt_rfc3339(s, out);
		assert_int_equal(timefmt_parse_rfc3339(out, &back, &err), 0);
		assert_int_equal(back, s);
	}
}

static void
stands_in_for_a_time_that_is_missing_or_none(void **state UNUSED)
{
	assert_int_equal(timefmt_rfc3339_or("1970-01-01T00:01:40Z", 7), 100);
	assert_int_equal(timefmt_rfc3339_or(NULL, 7), 7);
	assert_int_equal(timefmt_rfc3339_or("", 7), 7);
	assert_int_equal(timefmt_rfc3339_or("yesterday", INT64_MAX), INT64_MAX);
}

static void
cuts_the_error_of_an_endless_duration(void **state UNUSED)
{
	static char text[100000];
	struct err err = ERR_INIT;
	int64_t ns;

	memset(text, 'x', sizeof(text) - 1);
	text[0] = '1';
	assert_int_equal(timefmt_parse_duration(text, &ns, &err), -1);
	assert_non_null(strstr(err.msg, "time: unknown unit \"xxx"));
	assert_true(strlen(err.msg) < ERR_TEXT_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_durations_exactly_as_go_does),
		cmocka_unit_test(prints_durations_exactly_as_go_does),
		cmocka_unit_test(parses_rfc1123_times_exactly_as_go_does),
		cmocka_unit_test(parses_rfc3339_times_exactly_as_go_does),
		cmocka_unit_test(prints_times_with_the_digits_asked_for),
		cmocka_unit_test(prints_any_number_of_seconds_without_overflow),
		cmocka_unit_test(reads_back_what_it_prints),
		cmocka_unit_test(stands_in_for_a_time_that_is_missing_or_none),
		cmocka_unit_test(cuts_the_error_of_an_endless_duration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
