/*
 * Tests of controller/kube/limiter.c.
 * layer: kube
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fakeclock.h"
#include "kube/client.h"

static void
a_burst_passes_and_the_rest_waits_in_turn(void **state UNUSED)
{
	struct fakeclock fake;
	struct clock clock;
	struct kube_limiter *l;

	fakeclock_init(&fake);
	clock = fakeclock_clock(&fake);
	l = kube_limiter_new(5, 10, &clock);
	for (int i = 0; i < 10; i++)
		assert_int_equal(kube_limiter_reserve(l), 0);
	/* Each further one queues behind the one before. */
	for (uint64_t i = 1; i <= 3; i++)
		assert_in_range(kube_limiter_reserve(l),
		    i * 200 * NS_PER_MS - 1000, i * 200 * NS_PER_MS + 1000);
	kube_limiter_free(l);
}

static void
time_refills_up_to_the_burst(void **state UNUSED)
{
	struct fakeclock fake;
	struct clock clock;
	struct kube_limiter *l;

	fakeclock_init(&fake);
	clock = fakeclock_clock(&fake);
	l = kube_limiter_new(2, 2, &clock);
	assert_int_equal(kube_limiter_reserve(l), 0);
	assert_int_equal(kube_limiter_reserve(l), 0);
	fakeclock_advance_ms(&fake, 500);
	assert_int_equal(kube_limiter_reserve(l), 0);
	assert_true(kube_limiter_reserve(l) > 0);
	fakeclock_advance_s(&fake, 3600);
	assert_int_equal(kube_limiter_reserve(l), 0);
	assert_int_equal(kube_limiter_reserve(l), 0);
	assert_true(kube_limiter_reserve(l) > 0);
	kube_limiter_free(l);
}

static void
no_rate_means_no_limit(void **state UNUSED)
{
	static const double rates[] = { 0, -1 };

	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		struct kube_limiter *l = kube_limiter_new(rates[i], 1, NULL);

		for (int n = 0; n < 1000; n++)
			assert_int_equal(kube_limiter_reserve(l), 0);
		kube_limiter_free(l);
	}
	assert_int_equal(kube_limiter_reserve(NULL), 0);
}

static void
a_burst_below_one_still_lets_requests_through(void **state UNUSED)
{
	struct fakeclock fake;
	struct clock clock;
	struct kube_limiter *l;

	fakeclock_init(&fake);
	clock = fakeclock_clock(&fake);
	l = kube_limiter_new(1, 0, &clock);
	assert_int_equal(kube_limiter_reserve(l), 0);
	fakeclock_advance_s(&fake, 1);
	assert_int_equal(kube_limiter_reserve(l), 0);
	kube_limiter_free(l);
}

static void
a_stop_ends_the_wait(void **state UNUSED)
{
	struct kube_limiter *l = kube_limiter_new(0.0001, 1, NULL);
	struct err err = ERR_INIT;
	struct stop stop;

	stop_init(&stop);
	assert_int_equal(kube_limiter_wait(l, &stop, &err), 0);
	stop_request(&stop);
	/* The bucket would open in hours. */
	assert_int_equal(kube_limiter_wait(l, &stop, &err), -1);
	assert_int_equal(err.code, ERR_CANCELLED);
	assert_int_equal(kube_limiter_wait(NULL, &stop, &err), -1);
	stop_release(&stop);
	kube_limiter_free(l);
}

static void
waiting_takes_as_long_as_reserved(void **state UNUSED)
{
	struct kube_limiter *l = kube_limiter_new(50, 1, NULL);
	uint64_t begin = clock_mono_ns(&clock_system);
	struct err err = ERR_INIT;
	struct stop stop;

	stop_init(&stop);
	assert_int_equal(kube_limiter_wait(l, NULL, &err), 0);
	assert_int_equal(kube_limiter_wait(l, NULL, &err), 0);
	assert_int_equal(kube_limiter_wait(l, &stop, &err), 0);
	/* Two tokens at 20 ms each; timers are not exact. */
	assert_true(clock_mono_ns(&clock_system) - begin >= 38 * NS_PER_MS);
	stop_release(&stop);
	kube_limiter_free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_passes_and_the_rest_waits_in_turn),
		cmocka_unit_test(time_refills_up_to_the_burst),
		cmocka_unit_test(no_rate_means_no_limit),
		cmocka_unit_test(a_burst_below_one_still_lets_requests_through),
		cmocka_unit_test(a_stop_ends_the_wait),
		cmocka_unit_test(waiting_takes_as_long_as_reserved),
	};

	return cmocka_run_group_tests_name("limiter", tests, NULL, NULL);
}
