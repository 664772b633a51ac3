/*
 * Tests of controller/tmpl/gotime.c: the arithmetic of times.
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
#include "controller/tmpl/goduration.h"
#include "controller/tmpl/gotime.h"

#define DAY 86400

static struct gotime
at(int64_t year, int64_t month, int64_t day)
{
	return gotime_date(
	    &(struct gotime_date) { year, month, day, 0, 0, 0, 0 }, NULL);
}

static void
knows_the_calendar(void **state UNUSED)
{
	static const struct {
		int64_t s, year;
		int month, day, yday, weekday, hour;
	} cases[] = {
		{ 0, 1970, 1, 1, 1, 4, 0 },
		{ 951782400, 2000, 2, 29, 60, 2, 0 },
		{ 951868799, 2000, 2, 29, 60, 2, 23 },
		{ 4107542400, 2100, 3, 1, 60, 1, 0 },
		{ -62135596800, 1, 1, 1, 1, 1, 0 },
		{ -62167219200, 0, 1, 1, 1, 6, 0 },
		{ 253402300799, 9999, 12, 31, 365, 5, 23 },
		{ -1, 1969, 12, 31, 365, 3, 23 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct gotime t = gotime_unix(cases[i].s, NULL);
		struct gotime_parts p;
		struct gotime again;

		gotime_split(&t, &p);
		assert_int_equal(p.year, cases[i].year);
		assert_int_equal(p.month, cases[i].month);
		assert_int_equal(p.day, cases[i].day);
		assert_int_equal(p.yday, cases[i].yday);
		assert_int_equal(p.weekday, cases[i].weekday);
		assert_int_equal(p.hour, cases[i].hour);
		again = gotime_date(&(struct gotime_date) { p.year, p.month,
					p.day, p.hour, p.min, p.sec, 0 },
		    NULL);
		assert_int_equal(gotime_unix_s(&again), cases[i].s);
	}
}

static void
normalises_dates(void **state UNUSED)
{
	struct gotime t = at(2020, 14, 31), u = at(2021, 3, 3);
	struct gotime v = at(2020, 0, 0), w = at(2019, 11, 30);

	assert_int_equal(gotime_compare(&t, &u), 0);
	assert_int_equal(gotime_compare(&v, &w), 0);
	t = gotime_date(
	    &(struct gotime_date) { 2020, 1, 1, 0, 0, 0, -1 }, NULL);
	assert_int_equal(gotime_unix_s(&t), 1577836799);
	assert_int_equal(t.nsec, 999999999);
}

static void
adds_and_subtracts(void **state UNUSED)
{
	struct gotime t = at(2020, 2, 28), u;

	u = gotime_add_date(&t, 0, 0, 2);
	assert_int_equal(gotime_sub(&u, &t), 2 * DAY * GODURATION_SECOND);
	u = gotime_add_date(&t, 1, 1, 1);
	assert_int_equal(gotime_unix_s(&u), 1616976000);
	u = gotime_add(t, -1);
	assert_int_equal(u.nsec, 999999999);
	assert_int_equal(gotime_compare(&u, &t), -1);
	u = at(1, 1, 1);
	assert_int_equal(gotime_sub(&t, &u), INT64_MAX);
	assert_int_equal(gotime_sub(&u, &t), INT64_MIN);
}

static void
uses_the_monotonic_reading(void **state UNUSED)
{
	struct gotime t = at(2020, 1, 1), u = at(2021, 1, 1);

	t.has_mono = u.has_mono = true;
	t.mono = 500;
	u.mono = 400;
	assert_int_equal(gotime_sub(&t, &u), 100);
	assert_int_equal(gotime_compare(&t, &u), 1);
	t = gotime_add(t, 7);
	assert_int_equal(t.mono, 507);
	t = gotime_round(t, 1);
	assert_false(t.has_mono);
}

static void
rounds_times(void **state UNUSED)
{
	struct gotime t = gotime_add(at(2020, 2, 28), 35 * GODURATION_MINUTE);
	struct gotime u = gotime_truncate(t, GODURATION_HOUR);

	assert_int_equal(gotime_unix_s(&u), 1582848000);
	u = gotime_round(t, GODURATION_HOUR);
	assert_int_equal(gotime_unix_s(&u), 1582851600);
	u = gotime_truncate(t, 0);
	assert_int_equal(gotime_compare(&u, &t), 0);
	t = gotime_add(at(0, 1, 1), 1);
	u = gotime_truncate(t, GODURATION_SECOND);
	assert_int_equal(gotime_unix_s(&u), -62167219200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_the_calendar),
		cmocka_unit_test(normalises_dates),
		cmocka_unit_test(adds_and_subtracts),
		cmocka_unit_test(uses_the_monotonic_reading),
		cmocka_unit_test(rounds_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
