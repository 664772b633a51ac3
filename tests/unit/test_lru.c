/*
 * Tests of controller/kube/lru.c.
 * layer: kube
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "controller/kube/lru.h"

static void
put(struct lru *l, uint64_t key, int value)
{
	bool fresh;
	int *p = lru_use(l, key, &fresh);

	assert_true(fresh);
	assert_int_equal(*p, 0);
	*p = value;
}

static void
assert_has(struct lru *l, uint64_t key, int want)
{
	bool fresh;
	const int *p = lru_use(l, key, &fresh);

	assert_false(fresh);
	assert_int_equal(*p, want);
}

static void
values_stay_with_their_keys(void **state UNUSED)
{
	AUTO(lru) struct lru *l = lru_new(5000, sizeof(int));

	/* More keys than buckets, and keys of one bucket. */
	for (int i = 1; i <= 2000; i++)
		put(l, (uint64_t)i * 512, i);
	for (int i = 1; i <= 2000; i++)
		assert_has(l, (uint64_t)i * 512, i);
	assert_int_equal(lru_count(l), 2000);
}

static void
the_entry_used_longest_ago_makes_room(void **state UNUSED)
{
	AUTO(lru) struct lru *l = lru_new(3, sizeof(int));

	put(l, 1, 10);
	put(l, 2, 20);
	put(l, 3, 30);
	assert_has(l, 1, 10);
	put(l, 4, 40); /* instead of 2 */
	assert_int_equal(lru_count(l), 3);
	assert_has(l, 3, 30);
	assert_has(l, 1, 10);
	assert_has(l, 4, 40);
	put(l, 2, 21); /* instead of 3, zero-filled */
	put(l, 3, 31); /* instead of 1 */
	assert_has(l, 4, 40);
	assert_int_equal(lru_count(l), 3);
}

static void
one_place_is_enough(void **state UNUSED)
{
	AUTO(lru) struct lru *l = lru_new(1, sizeof(int));

	for (uint64_t i = 0; i < 100; i++)
		put(l, i, (int)i + 1);
	assert_has(l, 99, 100);
	assert_int_equal(lru_count(l), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_stay_with_their_keys),
		cmocka_unit_test(the_entry_used_longest_ago_makes_room),
		cmocka_unit_test(one_place_is_enough),
	};

	return cmocka_run_group_tests_name("lru", tests, NULL, NULL);
}
