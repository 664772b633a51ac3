/*
 * Tests of keystore/usage.c: ids of keys, and objects that need them.
 * layer: keystore
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"
#include "keystore/usage.h"

static bool
keep_one(const void *ctx, uint32_t id)
{
	return id == *(const uint32_t *)ctx;
}

static uint32_t
take(struct usage *u, uint32_t key, unsigned items)
{
	AUTO_RELEASE(registry_uses) struct registry_uses uses = { .n = 0 };

	for (unsigned i = 0; i < items; i++)
		registry_uses_add(&uses, key);
	return usage_take(u, &uses);
}

static void
a_needed_key_keeps_its_id_and_others_are_forgotten(void **state UNUSED)
{
	struct usage u = { .nkeys = 0 };
	uint32_t a = usage_id(&u, "a"), b = usage_id(&u, "b");
	uint32_t c = usage_id(&u, "c"), mix = take(&u, b, 2);

	assert_int_not_equal(a, b);
	assert_int_equal(usage_id(&u, "a"), a);
	usage_forget(&u, keep_one, &a);
	assert_non_null(usage_find(&u, a));
	assert_int_equal(usage_find(&u, b)->items, 2);
	assert_null(usage_find(&u, c));
	assert_int_equal(usage_id(&u, "b"), b);
	usage_give(&u, mix);
	usage_forget(&u, keep_one, &a);
	assert_null(usage_find(&u, b));
	usage_release(&u);
}

static void
ids_go_round_the_two_that_mean_something_else(void **state UNUSED)
{
	struct usage u = { .last_id = UINT32_MAX - 2 };

	assert_int_equal(usage_id(&u, "a"), UINT32_MAX - 1);
	assert_int_equal(usage_id(&u, "b"), 1);
	usage_release(&u);
}

static void
items_that_were_not_tried_are_counted_apart(void **state UNUSED)
{
	struct usage u = { .nkeys = 0 };
	uint32_t mix = take(&u, REGISTRY_USE_UNTRIED, 3);

	assert_int_equal(u.untried, 3);
	assert_false(usage_lacks_keys(&u, mix));
	usage_give(&u, mix);
	assert_int_equal(u.untried, 0);
	assert_true(usage_lacks_keys(&u, take(&u, 0, 1)));
	assert_false(usage_lacks_keys(&u, take(&u, 0, 0)));
	assert_false(usage_lacks_keys(&u, 0));
	usage_release(&u);
}

static void
thousands_of_mixes_come_and_go_and_numbers_are_used_again(void **state UNUSED)
{
	struct usage u = { .nkeys = 0 };
	uint32_t a = usage_id(&u, "a");
	uint32_t *mix = xcalloc(2000, sizeof(*mix));
	uint64_t sum = 0;

	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 2000; i++)
			mix[i] = take(&u, a, 1 + i % 500);
		for (unsigned i = 0; i < 2000; i++) {
			assert_in_range(mix[i], 1, 500);
			assert_int_equal(mix[i], mix[i % 500]);
			sum += 1 + i % 500;
		}
		assert_int_equal(usage_find(&u, a)->items, sum);
		for (unsigned i = 2000; i-- > 0;)
			usage_give(&u, mix[i]);
		assert_int_equal(usage_find(&u, a)->items, 0);
		assert_int_equal(u.used, 0);
		sum = 0;
	}
	mem_free_wiped(mix);
	usage_release(&u);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_needed_key_keeps_its_id_and_others_are_forgotten),
		cmocka_unit_test(ids_go_round_the_two_that_mean_something_else),
		cmocka_unit_test(items_that_were_not_tried_are_counted_apart),
		cmocka_unit_test(
		    thousands_of_mixes_come_and_go_and_numbers_are_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
