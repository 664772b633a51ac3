/*
 * Tests of controller/cache/hashtable.c.
 * layer: cache
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "controller/cache/hashtable.h"

#define MANY 5000

struct thing {
	struct hashnode node;
	char key[16];
};

static void
finds_what_was_added_and_not_removed(void **state UNUSED)
{
	static struct thing things[MANY];
	struct hashtable t = { .first = NULL };

	assert_null(hashtable_find(&t, "0"));
	for (size_t i = 0; i < MANY; i++) {
		(void)snprintf(things[i].key, sizeof(things[i].key), "%zu", i);
		hashtable_add(&t, &things[i].node, things[i].key);
	}
	assert_int_equal(hashtable_count(&t), MANY);
	for (size_t i = 0; i < MANY; i += 2)
		hashtable_remove(&t, &things[i].node);
	assert_int_equal(hashtable_count(&t), MANY / 2);
	for (size_t i = 0; i < MANY; i++)
		assert_ptr_equal(hashtable_find(&t, things[i].key),
		    i % 2 == 0 ? NULL : &things[i].node);
	assert_null(hashtable_find(&t, ""));
	for (size_t i = 1; i < MANY; i += 2)
		hashtable_remove(&t, &things[i].node);
	assert_null(t.first);
}

static void
keeps_the_order_of_insertion(void **state UNUSED)
{
	struct thing things[] = { { .key = "b" }, { .key = "c" },
		{ .key = "a" }, { .key = "d" } };
	struct hashtable t = { .first = NULL };

	for (size_t i = 0; i < ARRAY_SIZE(things); i++)
		hashtable_add(&t, &things[i].node, things[i].key);
	hashtable_remove(&t, &things[1].node);
	assert_ptr_equal(t.first, &things[0].node);
	assert_ptr_equal(hashtable_next(t.first), &things[2].node);
	assert_ptr_equal(hashtable_next(&things[2].node), &things[3].node);
	assert_null(hashtable_next(&things[3].node));
	while (t.first != NULL)
		hashtable_remove(&t, t.first);
	assert_int_equal(hashtable_count(&t), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_added_and_not_removed),
		cmocka_unit_test(keeps_the_order_of_insertion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
