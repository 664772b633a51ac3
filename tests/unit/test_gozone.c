/*
 * Tests of controller/tmpl/gozone.c: zone files.
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
#include "controller/tmpl/gozone.h"
#include "tmplrig.h"

static const struct gozone *
load(const char *name)
{
	const struct gozone *z = NULL;

	assert_int_equal(gozone_load(name, strlen(name), &z), 0);
	return z;
}

static void
knows_what_holds_at_an_instant(void **state UNUSED)
{
	static const struct {
		const char *zone;
		int64_t s;
		const char *name;
		int offset;
		bool is_dst;
	} cases[] = {
		{ "Europe/Berlin", 1553993999, "CET", 3600, false },
		{ "Europe/Berlin", 1553994000, "CEST", 7200, true },
		{ "Europe/Berlin", 4102444800, "CET", 3600, false },
		{ "Europe/Berlin", 7258118400 + 15552000, "CEST", 7200, true },
		{ "Europe/Berlin", -3000000000, "LMT", 3208, false },
		{ "America/New_York", -2000000000, "EST", -18000, false },
		{ "Australia/Sydney", 4102444800, "AEDT", 39600, true },
		{ "Asia/Kolkata", 951782400, "IST", 19800, false },
		{ "Etc/GMT+5", 0, "-05", -18000, false },
		{ "", 0, "UTC", 0, false },
		{ "UTC", 0, "UTC", 0, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct gozone_at at;

		gozone_lookup(load(cases[i].zone), cases[i].s, &at);
		assert_int_equal(at.name_len, strlen(cases[i].name));
		assert_memory_equal(at.name, cases[i].name, at.name_len);
		assert_int_equal(at.offset, cases[i].offset);
		assert_int_equal(at.is_dst, cases[i].is_dst);
		assert_true(at.start <= cases[i].s && cases[i].s < at.end);
	}
}

static void
refuses_what_is_no_zone(void **state UNUSED)
{
	static const char *const names[] = { "PST", "europe/berlin", "Europe",
		"Europe/", "../zoneinfo/UTC", "/etc/localtime", "\\x",
		"Nowhere/City", "zone.tab" };
	const struct gozone *z;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(
		    gozone_load(names[i], strlen(names[i]), &z), -1);
	assert_int_equal(gozone_load("UTC\0", 4, &z), -1);
	assert_int_equal(gozone_load("Europe/Berlin\0", 14, &z), -1);
}

static void
gives_everybody_the_same_zone(void **state UNUSED)
{
	assert_ptr_equal(load("Asia/Tokyo"), load("Asia/Tokyo"));
	assert_ptr_equal(load("Local"), gozone_local());
	assert_string_equal(gozone_name(load("Asia/Tokyo")), "Asia/Tokyo");
	assert_string_equal(gozone_name(NULL), "UTC");
	assert_string_equal(gozone_name(gozone_local()), "UTC");
}

static void
finds_offsets_by_abbreviation(void **state UNUSED)
{
	const struct gozone *berlin = load("Europe/Berlin");
	int offset = 0;

	assert_true(gozone_lookup_name(berlin, "CEST", 4, 0, &offset));
	assert_int_equal(offset, 7200);
	assert_false(gozone_lookup_name(berlin, "PST", 3, 0, &offset));
	assert_false(gozone_lookup_name(NULL, "CET", 3, 0, &offset));
}

static void
makes_zones_of_one_offset(void **state UNUSED)
{
	const struct gozone *a, *b, *c;
	struct gozone_at at;
	struct env e;

	tmplrig_env(&e);
	a = gozone_fixed(&e, "XYZ", 3, -90);
	b = gozone_fixed(&e, "XYZ", 3, -90);
	c = gozone_fixed(&e, "XYZ", 3, 90);
	gozone_lookup(a, INT64_MIN, &at);
	assert_int_equal(at.offset, -90);
	assert_memory_equal(at.name, "XYZ", 3);
	assert_true(gozone_equal(a, b));
	assert_false(gozone_equal(a, c));
	assert_false(gozone_equal(a, NULL));
	env_release(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_what_holds_at_an_instant),
		cmocka_unit_test(refuses_what_is_no_zone),
		cmocka_unit_test(gives_everybody_the_same_zone),
		cmocka_unit_test(finds_offsets_by_abbreviation),
		cmocka_unit_test(makes_zones_of_one_offset),
	};

	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
