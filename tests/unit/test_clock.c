/*
 * System clocks and the conversions.
 */
/* layer: base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "fakeclock.h"

static void
never_runs_backwards(void **state UNUSED)
{
	uint64_t last = clock_mono_ns(&clock_system);

	for (int i = 0; i < 1000; i++) {
		uint64_t now = clock_mono_ns(&clock_system);

		assert_true(now >= last);
		last = now;
	}
	assert_true(clock_mono_ms(&clock_system) >= last / NS_PER_MS);
}

static void
tells_the_time_of_day_in_utc(void **state UNUSED)
{
	int64_t before = (int64_t)time(NULL);
	int64_t s = clock_wall_s(&clock_system);
	int64_t ns = clock_wall_ns(&clock_system);

	/* time(2) may lag by one tick of the kernel. */
	assert_true(s >= before && s <= (int64_t)time(NULL) + 1);
	assert_true(ns / (int64_t)NS_PER_S >= s);
}

static void
rounds_seconds_towards_the_past(void **state UNUSED)
{
	static const struct {
		int64_t ns, s;
	} cases[] = {
		{ 0, 0 },
		{ 999999999, 0 },
		{ 1000000000, 1 },
		{ -1, -1 },
		{ -1000000000, -1 },
		{ -1000000001, -2 },
	};
	struct fakeclock f;
	struct clock c;

	fakeclock_init(&f);
	c = fakeclock_clock(&f);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fakeclock_set_wall_ns(&f, cases[i].ns);
		assert_int_equal(clock_wall_s(&c), cases[i].s);
	}
}

static void
goes_through_the_interface(void **state UNUSED)
{
	struct fakeclock f;
	struct clock c;

	fakeclock_init(&f);
	c = fakeclock_clock(&f);
	assert_int_equal(clock_mono_ms(&c), 1000000);
	assert_int_equal(clock_wall_s(&c), FAKECLOCK_WALL_S);
	fakeclock_advance_s(&f, 2);
	fakeclock_advance_ms(&f, 500);
	assert_int_equal(clock_mono_ms(&c), 1002500);
	assert_int_equal(clock_wall_s(&c), FAKECLOCK_WALL_S + 2);
	fakeclock_set_wall_s(&f, 5);
	assert_int_equal(clock_wall_ns(&c), 5 * (int64_t)NS_PER_S);
	assert_int_equal(clock_mono_ns(&c), 1002500 * NS_PER_MS);
}

static uint64_t
seven(void *ctx UNUSED)
{
	return 7;
}

static void
cpu_time_is_the_threads_own_unless_the_clock_has_one(void **state UNUSED)
{
	struct fakeclock f;
	struct clock c;
	uint64_t first = clock_cpu_ns(&clock_system), later = first;

	/* Ends, as this loop itself takes CPU time. */
	while (later == first)
		later = clock_cpu_ns(&clock_system);
	assert_true(later > first);
	fakeclock_init(&f);
	c = fakeclock_clock(&f);
	assert_true(clock_cpu_ns(&c) >= later);
	c.cpu_ns = seven;
	assert_int_equal(clock_cpu_ns(&c), 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(never_runs_backwards),
		cmocka_unit_test(tells_the_time_of_day_in_utc),
		cmocka_unit_test(rounds_seconds_towards_the_past),
		cmocka_unit_test(goes_through_the_interface),
		cmocka_unit_test(
		    cpu_time_is_the_threads_own_unless_the_clock_has_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
