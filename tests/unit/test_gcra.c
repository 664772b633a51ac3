/*
 * The rate limit, with a clock that stands where it is put.
 * layer: http
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "controller/http/gcra.h"

#define START_NS (UINT64_C(1000) * NS_PER_S)
#define HALF_S	 (NS_PER_S / 2)

static uint64_t now_ns;

static uint64_t
mono(void *ctx UNUSED)
{
	return now_ns;
}

static int64_t
wall(void *ctx UNUSED)
{
	return 0;
}

static const struct clock test_clock = { .mono_ns = mono, .wall_ns = wall };

static struct gcra *
make(unsigned rate, unsigned burst, size_t clients)
{
	const struct gcra_config cfg = { rate, burst, clients, &test_clock };

	now_ns = START_NS;
	return gcra_new(&cfg);
}

static void
the_default_lets_three_pass_at_once_and_then_two_a_second(void **state UNUSED)
{
	/* In order: when, what comes of it. */
	static const struct {
		uint64_t at_ns;
		bool allowed;
		uint64_t remaining, reset_s, retry_s;
	} steps[] = {
		{ 0, true, 2, 1, 0 },
		{ 0, true, 1, 1, 0 },
		{ 0, true, 0, 2, 0 },
		{ 0, false, 0, 2, 1 },
		{ HALF_S - 1, false, 0, 2, 1 },
		{ HALF_S, true, 0, 2, 0 },
		{ HALF_S, false, 0, 2, 1 },
		{ 2 * HALF_S, true, 0, 2, 0 },
		/* Empty again. */
		{ 10 * HALF_S, true, 2, 1, 0 },
	};
	struct gcra *g = make(2, 2, 0);

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		struct gcra_verdict v;

		now_ns = START_NS + steps[i].at_ns;
		v = gcra_take(g, 0, "10.0.0.1");
		assert_int_equal(v.allowed, steps[i].allowed);
		assert_int_equal(v.limit, 3);
		assert_int_equal(v.remaining, steps[i].remaining);
		assert_int_equal(v.reset_s, steps[i].reset_s);
		assert_int_equal(v.retry_after_s, steps[i].retry_s);
	}
	gcra_free(g);
}

static void
a_long_wait_is_told_in_whole_seconds_rounded_up(void **state UNUSED)
{
	struct gcra *g = make(1, 0, 0);
	struct gcra_verdict v;

	assert_true(gcra_take(g, 0, "a").allowed);
	now_ns += 1;
	v = gcra_take(g, 0, "a");
	assert_false(v.allowed);
	assert_int_equal(v.retry_after_s, 1);
	assert_int_equal(v.limit, 1);
	gcra_free(g);
}

static void
each_client_and_each_path_has_a_bucket_of_its_own(void **state UNUSED)
{
	struct gcra *g = make(2, 0, 0);

	assert_true(gcra_take(g, 0, "a").allowed);
	assert_false(gcra_take(g, 0, "a").allowed);
	assert_true(gcra_take(g, 1, "a").allowed);
	gcra_free(g);
	g = make(2, 2, 0);
	for (int i = 0; i < 3; i++)
		assert_true(gcra_take(g, 0, "a").allowed);
	assert_false(gcra_take(g, 0, "a").allowed);
	assert_true(gcra_take(g, 0, "b").allowed);
	gcra_free(g);
}

static void
case_does_not_make_another_client_and_length_does(void **state UNUSED)
{
	char one[1000], other[1000];
	struct gcra *g = make(2, 0, 0);

	memset(one, 'X', sizeof(one) - 1);
	memset(other, 'x', sizeof(other) - 1);
	one[sizeof(one) - 1] = other[sizeof(other) - 1] = '\0';
	assert_true(gcra_take(g, 0, one).allowed);
	assert_false(gcra_take(g, 0, other).allowed);
	now_ns += NS_PER_S;
	other[0] = 'y';
	assert_true(gcra_take(g, 0, one).allowed);
	now_ns += HALF_S / GCRA_SHARED_FACTOR;
	assert_true(gcra_take(g, 0, other).allowed);
	gcra_free(g);
}

/* So many of 10 s of requests from n clients, 100 a second, that pass. */
static unsigned
passed(struct gcra *g, unsigned clients)
{
	unsigned n = 0;
	char name[32];

	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "10.0.0.%u", i % clients);
		n += gcra_take(g, 0, name).allowed;
		now_ns += NS_PER_S / 100;
	}
	return n;
}

static void
made_up_clients_do_not_escape_the_bucket_that_all_share(void **state UNUSED)
{
	/* Three at once and then two a second, for one; four times the rate
	 * for all of them, however many names they take. */
	static const struct {
		unsigned clients, most;
	} cases[] = {
		{ 1, 3 + 20 },
		{ 100, 12 + 80 },
		{ 1000, 12 + 80 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct gcra *g = make(2, 2, 0);
		unsigned n = passed(g, cases[i].clients);

		assert_in_range(n, cases[i].most - 1, cases[i].most);
		gcra_free(g);
	}
}

static void
what_the_shared_bucket_refuses_costs_the_client_nothing(void **state UNUSED)
{
	struct gcra *g = make(2, 0, 0);
	struct gcra_verdict v;
	char name[] = "a";

	/* All that the others may take together. */
	for (; name[0] < 'a' + GCRA_SHARED_FACTOR; name[0]++)
		assert_true(gcra_take(g, 0, name).allowed);
	v = gcra_take(g, 0, "victim");
	assert_false(v.allowed);
	assert_int_equal(v.remaining, 0);
	assert_int_equal(v.retry_after_s, 1);
	now_ns += HALF_S / GCRA_SHARED_FACTOR;
	assert_true(gcra_take(g, 0, "victim").allowed);
	gcra_free(g);
}

static void
the_client_seen_longest_ago_is_forgotten_first(void **state UNUSED)
{
	struct gcra *g = make(2, 0, 2);
	static const char *const names[] = { "a", "b", "c" };

	/* The interval of the shared bucket lies between any two. */
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_true(gcra_take(g, 0, names[i]).allowed);
		now_ns += HALF_S / GCRA_SHARED_FACTOR;
	}
	/* Remembered: c and b. Forgotten: a. */
	assert_false(gcra_take(g, 0, "c").allowed);
	assert_false(gcra_take(g, 0, "b").allowed);
	assert_true(gcra_take(g, 0, "a").allowed);
	gcra_free(g);
}

static void
the_table_stays_right_while_clients_come_and_go(void **state UNUSED)
{
	struct gcra *g = make(1, 0, 8);
	char name[32];

	for (unsigned i = 0; i < 10000; i++) {
		(void)snprintf(name, sizeof(name), "%u", i * 7919 % 31);
		now_ns += 2 * NS_PER_S;
		assert_true(gcra_take(g, i % 2, name).allowed);
		assert_false(gcra_take(g, i % 2, name).allowed);
	}
	gcra_free(g);
}

static void
rate_0_is_no_limit(void **state UNUSED)
{
	struct gcra *g = make(0, 0, 0);

	assert_true(gcra_unlimited(g));
	gcra_free(g);
	g = make(1, 0, 0);
	assert_false(gcra_unlimited(g));
	gcra_free(g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_default_lets_three_pass_at_once_and_then_two_a_second),
		cmocka_unit_test(
		    a_long_wait_is_told_in_whole_seconds_rounded_up),
		cmocka_unit_test(
		    each_client_and_each_path_has_a_bucket_of_its_own),
		cmocka_unit_test(
		    case_does_not_make_another_client_and_length_does),
		cmocka_unit_test(
		    made_up_clients_do_not_escape_the_bucket_that_all_share),
		cmocka_unit_test(
		    what_the_shared_bucket_refuses_costs_the_client_nothing),
		cmocka_unit_test(
		    the_client_seen_longest_ago_is_forgotten_first),
		cmocka_unit_test(
		    the_table_stays_right_while_clients_come_and_go),
		cmocka_unit_test(rate_0_is_no_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
