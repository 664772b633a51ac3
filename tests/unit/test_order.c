/*
 * The order in which keys are tried. layer: keystore
 */
#include "keystore/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"

static void
gives_out_each_place_once_from_a_place_on_and_around(void **state UNUSED)
{
	static const size_t want[] = { 3, 4, 0, 1 };
	AUTO_RELEASE(order) struct order o;

	order_init(&o, 5, 3);
	assert_true(order_take(&o, 2));
	assert_false(order_take(&o, 2));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		assert_int_equal(order_next(&o), want[i]);
	assert_int_equal(order_next(&o), ORDER_NONE);
	assert_false(order_take(&o, 0));
}

static void
no_place_is_never_given_out(void **state UNUSED)
{
	AUTO_RELEASE(order) struct order o;

	order_init(&o, 0, 0);
	assert_false(order_take(&o, 0));
	assert_false(order_take(&o, ORDER_NONE));
	assert_int_equal(order_next(&o), ORDER_NONE);
}

static void
searches_at_the_same_time_begin_apart(void **state UNUSED)
{
	static const struct {
		size_t n, from;
		unsigned others;
		size_t want;
	} cases[] = { { 50, 0, 0, 0 }, { 50, 0, 1, 12 }, { 50, 0, 2, 25 },
		{ 50, 0, 3, 37 }, { 50, 0, 4, 0 }, { 50, 40, 1, 2 },
		{ 1, 0, 3, 0 }, { 0, 0, 1, 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(
		    order_spread(cases[i].n, cases[i].from, cases[i].others),
		    cases[i].want);
}

static void
what_was_right_more_often_comes_first(void **state UNUSED)
{
	struct order_trust t = { 0 };

	assert_true(order_time_first(&t));
	order_judge(&t, 7, 0, 7);
	assert_false(order_time_first(&t));
	order_judge(&t, 3, 3, 7);
	assert_true(order_time_first(&t));
}

static void
what_says_nothing_changes_nothing(void **state UNUSED)
{
	struct order_trust t = { -1 };

	order_judge(&t, 3, 3, 3);
	order_judge(&t, 5, 3, 4);
	order_judge(&t, ORDER_NONE, ORDER_NONE, 4);
	order_judge(&t, 4, ORDER_NONE, 4);
	order_judge(&t, 3, 3, ORDER_NONE);
	assert_int_equal(t.score, -1);
}

static void
a_long_row_of_one_kind_is_soon_forgotten(void **state UNUSED)
{
	struct order_trust t = { 0 };

	for (int i = 0; i < 1000; i++)
		order_judge(&t, 7, 0, 7);
	for (int i = 0; i < 4; i++)
		order_judge(&t, 0, 0, 7);
	assert_true(order_time_first(&t));
	for (int i = 0; i < 1000; i++)
		order_judge(&t, 0, 0, 7);
	for (int i = 0; i < 5; i++)
		order_judge(&t, 7, 0, 7);
	assert_false(order_time_first(&t));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    gives_out_each_place_once_from_a_place_on_and_around),
		cmocka_unit_test(no_place_is_never_given_out),
		cmocka_unit_test(searches_at_the_same_time_begin_apart),
		cmocka_unit_test(what_was_right_more_often_comes_first),
		cmocka_unit_test(what_says_nothing_changes_nothing),
		cmocka_unit_test(a_long_row_of_one_kind_is_soon_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
