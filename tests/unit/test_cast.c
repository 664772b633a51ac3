/*
 * Tests of controller/tmpl/cast.c.
 * layer: tmpl
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include <math.h>

#include "controller/tmpl/cast.h"
#include "tmplrig.h"

static const struct type type_month = { .name = "time.Month",
	.kind = KIND_INT };
static const struct type type_nanoseconds = { .name = "time.Duration",
	.kind = KIND_INT64 };

static void
strings_become_integers_by_go_syntax(void **state UNUSED)
{
	static const struct {
		const char *text;
		int64_t want;
	} cases[] = {
		{ "", 0 },
		{ "12", 12 },
		{ "-0x1F", -31 },
		{ "0b11", 3 },
		{ "010", 8 },
		{ "08", 0 },
		{ "1_000", 1000 },
		{ "3.00", 3 },
		{ "3.0.", 3 },
		{ "3.", 0 },
		{ "3.5", 0 },
		{ ".0", 0 },
		{ " 5", 0 },
		{ "9223372036854775807", INT64_MAX },
		{ "9223372036854775808", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct value v = value_cstr(cases[i].text);

		assert_int_equal(cast_int64(&v), cases[i].want);
	}
}

static void
other_kinds_become_integers_where_cast_knows_them(void **state UNUSED)
{
	const struct {
		struct value v;
		int64_t want;
	} cases[] = {
		{ value_nil(), 0 },
		{ value_bool(true), 1 },
		{ value_int(-5), -5 },
		{ value_uint8(200), 200 },
		{ value_float64(-2.9), -2 },
		{ value_float64(1e300), INT64_MIN },
		{ value_float64((double)NAN), INT64_MIN },
		{ { .type = &type_month, .u.i = 3 }, 3 },
		{ { .type = &type_nanoseconds, .u.i = 3 }, 0 },
		{ list_nil(&type_list), 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(cast_int64(&cases[i].v), cases[i].want);
}

static void
anything_becomes_a_float(void **state UNUSED)
{
	const struct {
		struct value v;
		double want;
	} cases[] = {
		{ value_cstr("1.5e3"), 1500 },
		{ value_cstr("0x1p-2"), 0.25 },
		{ value_cstr("1e400"), 0 },
		{ value_cstr("x"), 0 },
		{ value_int(3), 3 },
		{ value_uint8(3), 3 },
		{ value_bool(true), 1 },
		{ value_float64(2.5), 2.5 },
		{ value_nil(), 0 },
	};
	struct value inf = value_cstr("-inf");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		double got = cast_float64(&cases[i].v);

		assert_memory_equal(&got, &cases[i].want, sizeof(got));
	}
	assert_true(isinf(cast_float64(&inf)) != 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_become_integers_by_go_syntax),
		cmocka_unit_test(
		    other_kinds_become_integers_where_cast_knows_them),
		cmocka_unit_test(anything_becomes_a_float),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
