/*
 * Tests of controller/kube/eventfold.c: the rules of client-go's correlator.
 * layer: kube
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "controller/kube/eventfold.h"

#define T0_S INT64_C(1776857288)
#define M0   (1000 * NS_PER_S)
#define N0   1000 /* name of an event at T0_S */

static struct eventfold_result
see(struct eventfold *f, uint64_t object, uint64_t kind, uint64_t message,
    uint64_t at_s)
{
	struct eventfold_key key = {
		.object = object,
		.similar = object * 1000 + kind,
		.exact = (object * 1000 + kind) * 1000 + message,
	};
	struct eventfold_result r;

	eventfold_observe(
	    f, &key, N0 + at_s, T0_S + (int64_t)at_s, M0 + at_s * NS_PER_S, &r);
	return r;
}

static void
repeats_are_counted_under_the_first_name(void **state UNUSED)
{
	AUTO(eventfold) struct eventfold *f = eventfold_new();

	for (unsigned i = 0; i < 6; i++) {
		struct eventfold_result r = see(f, 1, 1, 1, i);

		assert_false(r.drop);
		assert_false(r.combined);
		assert_int_equal(r.count, i + 1);
		assert_int_equal(r.name, N0);
		assert_int_equal(r.first_s, T0_S);
	}
	/* Another message, kind or object is another event. */
	assert_int_equal(see(f, 1, 1, 2, 7).count, 1);
	assert_int_equal(see(f, 1, 2, 1, 7).count, 1);
	assert_int_equal(see(f, 2, 1, 1, 7).count, 1);
}

static void
the_tenth_different_message_begins_a_combined_event(void **state UNUSED)
{
	AUTO(eventfold) struct eventfold *f = eventfold_new();
	struct eventfold_result r;

	for (unsigned i = 1; i <= 9; i++)
		assert_false(see(f, 1, 1, i, i).combined);
	r = see(f, 1, 1, 10, 10);
	assert_true(r.combined);
	assert_int_equal(r.count, 1);
	r = see(f, 1, 1, 11, 11);
	assert_true(r.combined);
	assert_int_equal(r.count, 2);
	assert_int_equal(r.name, N0 + 10);
	/* The first nine go on by themselves. */
	r = see(f, 1, 1, 9, 12);
	assert_false(r.combined);
	assert_int_equal(r.count, 2);
	/* Another kind of event is not concerned. */
	assert_false(see(f, 1, 2, 1, 13).combined);
}

static void
ten_quiet_minutes_begin_anew(void **state UNUSED)
{
	AUTO(eventfold) struct eventfold *f = eventfold_new();

	for (unsigned i = 1; i <= 10; i++)
		(void)see(f, 1, 1, i, i);
	assert_true(see(f, 1, 1, 11, 610).combined);
	assert_true(see(f, 1, 1, 12, 1210).combined);
	assert_false(see(f, 1, 1, 13, 1811).combined);
}

static void
an_object_gets_25_at_once_then_one_in_five_minutes(void **state UNUSED)
{
	AUTO(eventfold) struct eventfold *f = eventfold_new();

	for (unsigned i = 0; i < 25; i++)
		assert_false(see(f, 1, 1, 1, 0).drop);
	assert_true(see(f, 1, 1, 1, 0).drop);
	assert_true(see(f, 1, 2, 1, 0).drop);
	assert_false(see(f, 2, 1, 1, 0).drop);
	assert_true(see(f, 1, 1, 1, 299).drop);
	assert_false(see(f, 1, 1, 1, 301).drop);
	assert_true(see(f, 1, 1, 1, 302).drop);
	/* What was dropped was counted all the same. */
	assert_int_equal(see(f, 1, 1, 1, 601).count, 30);
	/* A day gives no more than the burst. */
	for (unsigned i = 0; i < 25; i++)
		assert_false(see(f, 1, 1, 1, 90000).drop);
	assert_true(see(f, 1, 1, 1, 90000).drop);
}

static void
the_tables_are_bounded(void **state UNUSED)
{
	AUTO(eventfold) struct eventfold *f = eventfold_new();

	for (uint64_t i = 1; i <= 10000; i++)
		assert_int_equal(see(f, i, 1, 1, 0).count, 1);
	assert_int_equal(eventfold_size(f), 4096);
	assert_int_equal(see(f, 10000, 1, 1, 0).count, 2);
	assert_int_equal(see(f, 1, 1, 1, 0).count, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(repeats_are_counted_under_the_first_name),
		cmocka_unit_test(
		    the_tenth_different_message_begins_a_combined_event),
		cmocka_unit_test(ten_quiet_minutes_begin_anew),
		cmocka_unit_test(
		    an_object_gets_25_at_once_then_one_in_five_minutes),
		cmocka_unit_test(the_tables_are_bounded),
	};

	return cmocka_run_group_tests_name("eventfold", tests, NULL, NULL);
}
