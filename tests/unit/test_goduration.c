/*
 * Tests of controller/tmpl/goduration.c: Go's durations.
 * layer: tmpl
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "base/compiler.h"
#include "controller/tmpl/goduration.h"
#include "tmplrig.h"

static void
parses_durations(void **state UNUSED)
{
	static const struct {
		const char *text;
		int64_t want;
		const char *error;
	} cases[] = {
		{ "1h2m3.5s", 3723500000000, NULL },
		{ "-1.5h", -5400000000000, NULL },
		{ "1\xc2\xb5s1\xce\xbcs1us", 3000, NULL },
		{ ".5m", 30000000000, NULL },
		{ "0", 0, NULL },
		{ "-9223372036854775808ns", INT64_MIN, NULL },
		{ "9223372036854775808ns", 0,
		    "time: invalid duration " WITHHELD },
		{ "", 0, "time: invalid duration " WITHHELD },
		{ ".s", 0, "time: invalid duration " WITHHELD },
		{ "1", 0, "time: missing unit in duration " WITHHELD },
		{ "1d", 0,
		    "time: unknown unit " WITHHELD " in duration " WITHHELD },
		{ "3000000h", 0, "time: invalid duration " WITHHELD },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct value text = value_cstr(cases[i].text);
		struct env e;
		int64_t d;

		tmplrig_env(&e);
		assert_int_equal(goduration_parse(&e, &text, &d),
		    cases[i].error == NULL ? 0 : -1);
		assert_int_equal(d, cases[i].want);
		if (cases[i].error != NULL)
			assert_string_equal(e.fault, cases[i].error);
		env_release(&e);
	}
}

static void
rounds_durations(void **state UNUSED)
{
	assert_int_equal(goduration_round(1500, 1000), 2000);
	assert_int_equal(goduration_round(1499, 1000), 1000);
	assert_int_equal(goduration_round(-1500, 1000), -2000);
	assert_int_equal(goduration_round(-1499, 1000), -1000);
	assert_int_equal(goduration_round(5, 0), 5);
	assert_int_equal(goduration_round(INT64_MAX, 1000), INT64_MAX);
	assert_int_equal(goduration_round(INT64_MIN, 1000), INT64_MIN);
}

static void
prints_durations(void **state UNUSED)
{
	static const struct {
		int64_t d;
		const char *want;
	} cases[] = {
		{ 0, "0s" },
		{ 1, "1ns" },
		{ 1100, "1.1\xc2\xb5s" },
		{ 2200000, "2.2ms" },
		{ 3300000000, "3.3s" },
		{ 4 * GODURATION_MINUTE + 5 * GODURATION_SECOND, "4m5s" },
		{ 5 * GODURATION_HOUR + 6001000000, "5h0m6.001s" },
		{ -GODURATION_SECOND, "-1s" },
		{ INT64_MAX, "2562047h47m16.854775807s" },
		{ INT64_MIN, "-2562047h47m16.854775808s" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char out[GODURATION_MAX];

		goduration_string(cases[i].d, out);
		assert_string_equal(out, cases[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_durations),
		cmocka_unit_test(rounds_durations),
		cmocka_unit_test(prints_durations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
