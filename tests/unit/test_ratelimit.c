/*
 * Tests of controller/cache/ratelimit.c.
 * layer: cache
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "cache/ratelimit.h"

#define R_LOW  0
#define R_HALF 0x80000000u
#define R_HIGH UINT32_MAX

static void
backs_off_exponentially_up_to_the_cap(void **state UNUSED)
{
	static const struct {
		unsigned failures;
		uint64_t want_ms;
	} cases[] = {
		{ 0, 5 },
		{ 1, 10 },
		{ 10, 5120 },
		{ 13, 40960 },
		{ 14, 60000 },
		{ 18, 60000 },
		{ 64, 60000 },
		{ 200, 60000 },
		{ UINT32_MAX, 60000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(
		    ratelimit_backoff_ms(cases[i].failures), cases[i].want_ms);
}

static void
retries_fast_first_then_slowly_with_jitter(void **state UNUSED)
{
	static const struct {
		unsigned failures, fast;
		uint32_t r;
		unsigned asked_s;
		uint64_t want_ms;
	} cases[] = {
		/* Fast: no jitter. */
		{ 0, 5, R_HIGH, 0, 5 },
		{ 4, 5, R_LOW, 0, 80 },
		{ 4, 5, R_HIGH, 0, 80 },
		/* Slow: between half and all of 1 s, 2 s, ... 60 s. */
		{ 5, 5, R_LOW, 0, 500 },
		{ 5, 5, R_HALF, 0, 750 },
		{ 5, 5, R_HIGH, 0, 1000 },
		{ 6, 5, R_LOW, 0, 1000 },
		{ 6, 5, R_HIGH, 0, 2000 },
		{ 10, 5, R_HIGH, 0, 32000 },
		{ 11, 5, R_LOW, 0, 30000 },
		{ 11, 5, R_HIGH, 0, 60000 },
		{ UINT32_MAX, 5, R_LOW, 0, 30000 },
		{ UINT32_MAX, 5, R_HIGH, 0, 60000 },
		/* No fast retries at all. */
		{ 0, 0, R_HIGH, 0, 1000 },
		/* Retry-After where it is longer, up to the cap. */
		{ 0, 5, R_LOW, 1, 1000 },
		{ 5, 5, R_HIGH, 1, 1000 },
		{ 6, 5, R_HIGH, 1, 2000 },
		{ 0, 5, R_LOW, 60, 60000 },
		{ 0, 5, R_LOW, 61, 60000 },
		{ 0, 5, R_LOW, UINT32_MAX, 60000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(
		    ratelimit_delay_ms(cases[i].failures, cases[i].fast,
			cases[i].r, cases[i].asked_s),
		    cases[i].want_ms);
}

static void
reflectors_wait_from_800_ms_to_30_s(void **state UNUSED)
{
	static const struct {
		unsigned failures;
		uint32_t r;
		uint64_t want_ms;
	} cases[] = {
		{ 0, R_LOW, 800 },
		{ 0, R_HALF, 1200 },
		{ 0, R_HIGH, 1600 },
		{ 1, R_LOW, 1600 },
		{ 4, R_LOW, 12800 },
		{ 4, R_HIGH, 25600 },
		{ 5, R_LOW, 25600 },
		{ 5, R_HIGH, 30000 },
		{ 6, R_LOW, 30000 },
		{ UINT32_MAX, R_HIGH, 30000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(
		    ratelimit_reflector_ms(cases[i].failures, cases[i].r),
		    cases[i].want_ms);
}

static void
repairs_wait_a_second_and_longer_where_they_are_many(void **state UNUSED)
{
	static const struct {
		unsigned repairs;
		uint64_t want_ms;
	} cases[] = {
		{ 1, 1000 },
		{ 5, 1000 },
		{ 6, 2000 },
		{ 9, 16000 },
		{ 13, 256000 },
		{ 14, 300000 },
		{ UINT32_MAX, 300000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(
		    ratelimit_repair_ms(cases[i].repairs), cases[i].want_ms);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(backs_off_exponentially_up_to_the_cap),
		cmocka_unit_test(retries_fast_first_then_slowly_with_jitter),
		cmocka_unit_test(reflectors_wait_from_800_ms_to_30_s),
		cmocka_unit_test(
		    repairs_wait_a_second_and_longer_where_they_are_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
