/*
 * Lock-out and rate of exports, with a clock that stands where it is put.
 * layer: http
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "controller/http/limit.h"
#include "fakeclock.h"

#define A "10.0.0.1"
#define B "10.0.0.2"

static struct fakeclock fake;
static struct clock clock_;
static struct limit *l;

static int
setup(void **state UNUSED)
{
	fakeclock_init(&fake);
	clock_ = fakeclock_clock(&fake);
	l = limit_new(&clock_);
	return 0;
}

static int
teardown(void **state UNUSED)
{
	limit_free(l);
	return 0;
}

static void
refuse(const char *source, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		limit_refused(l, source);
}

static void
five_refusals_lock_a_source_out_and_nobody_else(void **state UNUSED)
{
	refuse(A, LIMIT_REFUSALS - 1);
	assert_int_equal(limit_locked_s(l, A), 0);
	refuse(A, 1);
	assert_int_equal(limit_locked_s(l, A), LIMIT_LOCK_S);
	assert_int_equal(limit_locked_s(l, B), 0);
}

static void
the_lock_ends_and_begins_counting_anew(void **state UNUSED)
{
	refuse(A, LIMIT_REFUSALS);
	fakeclock_advance_s(&fake, LIMIT_LOCK_S - 1);
	assert_int_equal(limit_locked_s(l, A), 1);
	fakeclock_advance_s(&fake, 1);
	assert_int_equal(limit_locked_s(l, A), 0);
	refuse(A, LIMIT_REFUSALS - 1);
	assert_int_equal(limit_locked_s(l, A), 0);
	refuse(A, 1);
	assert_true(limit_locked_s(l, A) > 0);
}

static void
a_granted_request_clears_the_refusals(void **state UNUSED)
{
	refuse(A, LIMIT_REFUSALS - 1);
	limit_granted(l, A);
	assert_int_equal(limit_sources(l), 0);
	refuse(A, LIMIT_REFUSALS - 1);
	assert_int_equal(limit_locked_s(l, A), 0);
	limit_granted(l, B);
	assert_int_equal(limit_sources(l), 1);
}

static void
the_table_is_bounded_and_forgets_the_oldest(void **state UNUSED)
{
	char name[32];

	refuse(A, LIMIT_REFUSALS);
	for (unsigned i = 0; i < LIMIT_SOURCES_MAX - 1; i++) {
		fakeclock_advance_ms(&fake, 1);
		(void)snprintf(name, sizeof(name), "192.0.2.%u", i);
		refuse(name, 1);
	}
	assert_true(limit_locked_s(l, A) > 0);
	refuse(B, 1);
	assert_int_equal(limit_sources(l), LIMIT_SOURCES_MAX);
	assert_int_equal(limit_locked_s(l, A), 0);
}

static void
a_grant_does_not_end_a_lock(void **state UNUSED)
{
	refuse(A, LIMIT_REFUSALS);
	limit_granted(l, A);
	assert_int_equal(limit_locked_s(l, A), LIMIT_LOCK_S);
	fakeclock_advance_s(&fake, LIMIT_LOCK_S);
	limit_granted(l, A);
	assert_int_equal(limit_sources(l), 0);
}

static void
a_token_is_known_for_an_hour_or_until_it_is_refused(void **state UNUSED)
{
	AUTO(secret) struct secret *one = secret_from("one", 3);
	AUTO(secret) struct secret *two = secret_from("two", 3);

	assert_false(limit_knows(l, one));
	limit_know(l, one);
	limit_know(l, two);
	assert_true(limit_knows(l, one) && limit_knows(l, two));
	limit_forget(l, two);
	assert_true(limit_knows(l, one));
	assert_false(limit_knows(l, two));
	fakeclock_advance_s(&fake, LIMIT_KNOWN_S - 1);
	assert_true(limit_knows(l, one));
	fakeclock_advance_s(&fake, 1);
	assert_false(limit_knows(l, one));
	limit_know(l, one);
	assert_true(limit_knows(l, one));
}

static void
known_tokens_are_bounded_and_the_oldest_goes(void **state UNUSED)
{
	AUTO(secret) struct secret *first = secret_from("first", 5);
	char text[16];

	limit_know(l, first);
	for (unsigned i = 0; i < LIMIT_KNOWN_MAX; i++) {
		AUTO(secret) struct secret *other = NULL;

		assert_true(limit_knows(l, first));
		fakeclock_advance_ms(&fake, 1);
		(void)snprintf(text, sizeof(text), "t%u", i);
		other = secret_from(text, strlen(text));
		limit_know(l, other);
		assert_true(limit_knows(l, other));
	}
	assert_false(limit_knows(l, first));
}

static void
exports_are_few_in_a_time(void **state UNUSED)
{
	for (unsigned i = 0; i < LIMIT_EXPORTS; i++)
		assert_int_equal(limit_take_export(l), 0);
	assert_int_equal(limit_take_export(l), LIMIT_EXPORT_S);
	fakeclock_advance_s(&fake, LIMIT_EXPORT_S - 1);
	assert_int_equal(limit_take_export(l), 1);
	fakeclock_advance_s(&fake, 1);
	assert_int_equal(limit_take_export(l), 0);
	assert_int_equal(limit_take_export(l), LIMIT_EXPORT_S);
	fakeclock_advance_s(&fake, 100 * LIMIT_EXPORT_S);
	for (unsigned i = 0; i < LIMIT_EXPORTS; i++)
		assert_int_equal(limit_take_export(l), 0);
	assert_true(limit_take_export(l) > 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(five_refusals_lock_a_source_out_and_nobody_else),
		T(the_lock_ends_and_begins_counting_anew),
		T(a_granted_request_clears_the_refusals),
		T(the_table_is_bounded_and_forgets_the_oldest),
		T(a_grant_does_not_end_a_lock),
		T(a_token_is_known_for_an_hour_or_until_it_is_refused),
		T(known_tokens_are_bounded_and_the_oldest_goes),
		T(exports_are_few_in_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
