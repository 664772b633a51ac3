/*
 * Tests of controller/tmpl/strconv.c.
 * layer: tmpl
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "base/mem.h"
#include "controller/tmpl/strconv.h"
#include "tmplrig.h"

static void
reads_integers_by_their_prefix(void **state UNUSED)
{
	static const struct {
		const char *in;
		enum strconv_result result;
		int64_t want;
	} cases[] = {
		{ "0", STRCONV_OK, 0 },
		{ "-0", STRCONV_OK, 0 },
		{ "0755", STRCONV_OK, 493 },
		{ "0x1F", STRCONV_OK, 31 },
		{ "0b101", STRCONV_OK, 5 },
		{ "0o17", STRCONV_OK, 15 },
		{ "1_000", STRCONV_OK, 1000 },
		{ "0x_1", STRCONV_OK, 1 },
		{ "+7", STRCONV_OK, 7 },
		{ "9223372036854775807", STRCONV_OK, INT64_MAX },
		{ "-9223372036854775808", STRCONV_OK, INT64_MIN },
		{ "9223372036854775808", STRCONV_RANGE, INT64_MAX },
		{ "-9223372036854775809", STRCONV_RANGE, INT64_MIN },
		{ "99999999999999999999", STRCONV_RANGE, INT64_MAX },
		{ "", STRCONV_SYNTAX, 0 },
		{ "-", STRCONV_SYNTAX, 0 },
		{ "08", STRCONV_SYNTAX, 0 },
		{ "1__0", STRCONV_SYNTAX, 0 },
		{ "_1", STRCONV_SYNTAX, 0 },
		{ "1_", STRCONV_SYNTAX, 0 },
		{ "0x", STRCONV_SYNTAX, 0 },
		{ " 1", STRCONV_SYNTAX, 0 },
		{ "1.0", STRCONV_SYNTAX, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t got = -1;

		assert_int_equal(strconv_parse_int(
				     cases[i].in, strlen(cases[i].in), 0, &got),
		    cases[i].result);
		assert_true(got == cases[i].want);
	}
}

static void
knows_no_prefix_and_no_underscore_in_base_ten(void **state UNUSED)
{
	int64_t got;
	uint64_t big;

	assert_int_equal(strconv_parse_int("010", 3, 10, &got), STRCONV_OK);
	assert_int_equal(got, 10);
	assert_int_equal(strconv_parse_int("1_0", 3, 10, &got), STRCONV_SYNTAX);
	assert_int_equal(
	    strconv_parse_uint("18446744073709551615", 20, 10, &big),
	    STRCONV_OK);
	assert_true(big == UINT64_MAX);
	assert_int_equal(
	    strconv_parse_uint("18446744073709551616", 20, 10, &big),
	    STRCONV_RANGE);
	assert_true(big == UINT64_MAX);
}

static void
reads_floating_point_numbers(void **state UNUSED)
{
	static const struct {
		const char *in;
		enum strconv_result result;
		double want;
	} cases[] = {
		{ "1.5", STRCONV_OK, 1.5 },
		{ ".5", STRCONV_OK, 0.5 },
		{ "5.", STRCONV_OK, 5 },
		{ "-1e3", STRCONV_OK, -1000 },
		{ "1_000.5", STRCONV_OK, 1000.5 },
		{ "0x1p-2", STRCONV_OK, 0.25 },
		{ "0X1.8P1", STRCONV_OK, 3 },
		{ "Inf", STRCONV_OK, __builtin_inf() },
		{ "-infinity", STRCONV_OK, -__builtin_inf() },
		{ "1e400", STRCONV_RANGE, __builtin_inf() },
		{ "1e-400", STRCONV_OK, 0 },
		{ "0x1", STRCONV_SYNTAX, 0 },
		{ "1e", STRCONV_SYNTAX, 0 },
		{ "1e+", STRCONV_SYNTAX, 0 },
		{ ".", STRCONV_SYNTAX, 0 },
		{ "1.2.3", STRCONV_SYNTAX, 0 },
		{ "1__0", STRCONV_SYNTAX, 0 },
		{ "0x1e", STRCONV_SYNTAX, 0 },
		{ " 1", STRCONV_SYNTAX, 0 },
		{ "1,5", STRCONV_SYNTAX, 0 },
		{ "", STRCONV_SYNTAX, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		double got = -1;

		assert_int_equal(
		    strconv_parse_float(cases[i].in, strlen(cases[i].in), &got),
		    cases[i].result);
		assert_true(got <= cases[i].want && got >= cases[i].want);
	}
	{
		double nan = 0;

		assert_int_equal(
		    strconv_parse_float("NaN", 3, &nan), STRCONV_OK);
		assert_true(nan != nan);
	}
}

static void
formats_floating_point_numbers(void **state UNUSED)
{
	static const struct {
		double f;
		char verb;
		int prec;
		const char *want;
	} cases[] = {
		{ 0, 'g', -1, "0" },
		{ -0.0, 'g', -1, "-0" },
		{ 3, 'g', -1, "3" },
		{ 0.1, 'g', -1, "0.1" },
		{ 100000, 'g', -1, "100000" },
		{ 1e6, 'g', -1, "1e+06" },
		{ 123456789, 'g', -1, "1.23456789e+08" },
		{ 123456.789, 'g', -1, "123456.789" },
		{ 1e-4, 'g', -1, "0.0001" },
		{ 1e-5, 'g', -1, "1e-05" },
		{ 5e-324, 'g', -1, "5e-324" },
		{ 1.7976931348623157e308, 'g', -1, "1.7976931348623157e+308" },
		{ 5.684341886080801e-14, 'g', -1, "5.684341886080801e-14" },
		{ 9007199254740992.0, 'g', -1, "9.007199254740992e+15" },
		{ 1e21, 'f', -1, "1000000000000000000000" },
		{ 0.000123, 'f', -1, "0.000123" },
		{ 1.5, 'e', -1, "1.5e+00" },
		{ 1e100, 'E', -1, "1E+100" },
		{ 2.5, 'f', 0, "2" },
		{ 3.5, 'f', 0, "4" },
		{ 1.005, 'f', 2, "1.00" },
		{ 1234.5678, 'e', 3, "1.235e+03" },
		{ 100, 'g', 3, "100" },
		{ 1000, 'g', 3, "1e+03" },
		{ 1, 'x', -1, "0x1p+00" },
		{ 1.5, 'X', -1, "0X1.8P+00" },
		{ 0, 'x', -1, "0x0p+00" },
		{ 1.999, 'x', 0, "0x1p+01" },
		{ 1.5, 'x', 3, "0x1.800p+00" },
		{ 1, 'b', -1, "4503599627370496p-52" },
		{ __builtin_inf(), 'g', -1, "+Inf" },
		{ -__builtin_inf(), 'f', 2, "-Inf" },
	};
	struct env e;

	tmplrig_env(&e);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct value v;
		struct text t;

		text_init(&t, &e);
		strconv_format_float(
		    &t, cases[i].f, cases[i].verb, cases[i].prec);
		assert_int_equal(text_done(&t, &v), 0);
		tmplrig_assert_str(&v, cases[i].want);
	}
	env_release(&e);
}

static void
shortest_digits_read_back_as_the_same_number(void **state UNUSED)
{
	uint64_t bits = UINT64_C(0x9E3779B97F4A7C15);

	for (int i = 0; i < 20000; i++) {
		char digits[18], tmp[40];
		double f, back;
		int exp;

		bits =
		    bits * UINT64_C(6364136223846793005) + 1442695040888963407;
		memcpy(&f, &bits, sizeof(f));
		/* Every second one a power of two: its neighbours are at
		 * unequal distances. */
		if (i % 2 == 0) {
			uint64_t power = bits & UINT64_C(0x7FF0000000000000);

			memcpy(&f, &power, sizeof(f));
		}
		if (!__builtin_isfinite(f) || f == 0)
			continue;
		f = __builtin_fabs(f);
		assert_in_range(strconv_shortest(f, digits, &exp), 1, 17);
		(void)snprintf(tmp, sizeof(tmp), "0.%se%d", digits, exp);
		back = strtod(tmp, NULL);
		assert_memory_equal(&back, &f, sizeof(f));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_integers_by_their_prefix),
		cmocka_unit_test(knows_no_prefix_and_no_underscore_in_base_ten),
		cmocka_unit_test(reads_floating_point_numbers),
		cmocka_unit_test(formats_floating_point_numbers),
		cmocka_unit_test(shortest_digits_read_back_as_the_same_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
