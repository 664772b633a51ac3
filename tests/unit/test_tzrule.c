/*
 * Tests of controller/tmpl/tzrule.c: POSIX TZ rules.
 * layer: tmpl
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "base/compiler.h"
#include "controller/tmpl/tzrule.h"

#define YEAR_1972 63072000

static void
applies_rules(void **state UNUSED)
{
	static const struct {
		const char *rule;
		int64_t s;
		const char *name;
		int offset;
		int64_t start, end;
	} cases[] = {
		{ "CET-1CEST,M3.5.0,M10.5.0/3", 1593561600, "CEST", 7200,
		    1585443600, 1603587600 },
		{ "CET-1CEST,M3.5.0,M10.5.0/3", 1603587600, "CET", 3600,
		    1603587600, 1609372800 },
		{ "AEST-10AEDT,M10.1.0,M4.1.0/3", 1577836800, "AEDT", 39600,
		    1577836800, 1586016000 },
		{ "EST5EDT", 1593561600, "EDT", -14400, 1583650800,
		    1604210400 },
		{ "<-03>3", 0, "-03", -10800, 77, INT64_MAX },
		{ "XXX-5:30:15", 0, "XXX", 19815, 77, INT64_MAX },
		{ "AAA0BBB,J60/0,J61/0", YEAR_1972 + 60 * 86400, "BBB", 3600,
		    YEAR_1972 + 60 * 86400, YEAR_1972 + 61 * 86400 - 3600 },
		{ "AAA0BBB,59/0,60/0", YEAR_1972 + 59 * 86400, "BBB", 3600,
		    YEAR_1972 + 59 * 86400, YEAR_1972 + 60 * 86400 - 3600 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct gozone_at at;

		assert_true(tzrule_lookup(cases[i].rule, 77, cases[i].s, &at));
		assert_int_equal(at.name_len, strlen(cases[i].name));
		assert_memory_equal(at.name, cases[i].name, at.name_len);
		assert_int_equal(at.offset, cases[i].offset);
		assert_int_equal(at.start, cases[i].start);
		assert_int_equal(at.end, cases[i].end);
	}
}

static void
refuses_what_is_no_rule(void **state UNUSED)
{
	static const char *const rules[] = { "", "A", "AB5", "CET", "<CET",
		"CET-", "CET-169", "CET-1C", "CET-1CEST,", "CET-1CEST,M3.5.0",
		"CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
		"CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,J0,J5",
		"CET-1CEST,M3.5.0,M10.5.0/3x", "CET-1CEST:M3.5.0" };
	struct gozone_at at = { .offset = 42 };

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		assert_false(tzrule_lookup(rules[i], 0, 0, &at));
	assert_int_equal(at.offset, 42);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(applies_rules),
		cmocka_unit_test(refuses_what_is_no_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
