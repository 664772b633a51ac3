/*
 * Tests of controller/tmpl/dict.c.
 * layer: tmpl
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "base/mem.h"
#include "controller/tmpl/dict.h"
#include "tmplrig.h"

#define MANY 1000

/* Keys that live as long as the test. */
static char keys[MANY][32];

static struct value
filled(struct env *e, size_t n)
{
	struct value m;

	assert_int_equal(dict_new(e, &type_dict, &m), 0);
	for (size_t i = 0; i < n; i++) {
		/* Not in their order. */
		size_t k = i * 617 % n;

		(void)snprintf(keys[k], sizeof(keys[k]), "k%03zu", k);
		assert_int_equal(
		    dict_set(e, &m, keys[k], 4, value_int((int64_t)k)), 0);
	}
	return m;
}

static void
finds_what_was_set_few_or_many(void **state UNUSED)
{
	static const size_t sizes[] = { 0, 1, 8, 9, 100, MANY };

	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct value m, v;
		struct env e;

		tmplrig_env(&e);
		m = filled(&e, sizes[s]);
		assert_int_equal(dict_len(&m), sizes[s]);
		for (size_t i = 0; i < sizes[s]; i++) {
			assert_true(dict_get(&m, keys[i], 4, &v));
			assert_int_equal(v.u.i, i);
			assert_false(v.iface);
		}
		assert_false(dict_has(&m, "k", 1));
		assert_false(dict_has(&m, "k0000", 5));
		env_release(&e);
	}
}

static void
goes_through_the_keys_in_order(void **state UNUSED)
{
	struct dict_entry *entries;
	struct value m;
	struct env e;

	tmplrig_env(&e);
	m = filled(&e, MANY);
	assert_int_equal(dict_entries(&e, &m, &entries), 0);
	for (size_t i = 0; i < MANY; i++) {
		assert_string_equal(entries[i].key, keys[i]);
		assert_int_equal(entries[i].value.u.i, i);
		assert_true(entries[i].value.iface);
	}
	/* Found still, after the sorting; and the copy does not change. */
	assert_true(dict_has(&m, keys[500], 4));
	assert_int_equal(dict_delete(&e, &m, keys[0], 4), 0);
	assert_string_equal(entries[0].key, keys[0]);
	env_release(&e);
}

static void
keys_are_bytes_and_a_prefix_comes_first(void **state UNUSED)
{
	static const struct {
		const char *key;
		size_t len;
	} order[] = { { "", 0 }, { "\0", 1 }, { "A", 1 }, { "a", 1 },
		{ "a\0b", 3 }, { "ab", 2 }, { "\xff", 1 } };
	struct dict_entry *entries;
	struct value m;
	struct env e;

	tmplrig_env(&e);
	assert_int_equal(dict_new(&e, &type_dict, &m), 0);
	for (size_t i = ARRAY_SIZE(order); i > 0; i--)
		assert_int_equal(dict_set(&e, &m, order[i - 1].key,
				     order[i - 1].len, value_nil()),
		    0);
	assert_int_equal(dict_entries(&e, &m, &entries), 0);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		assert_int_equal(entries[i].keylen, order[i].len);
		assert_memory_equal(entries[i].key, order[i].key, order[i].len);
	}
	env_release(&e);
}

static void
setting_again_replaces_and_copies_see_it(void **state UNUSED)
{
	struct value m, copy, v;
	struct env e;

	tmplrig_env(&e);
	m = filled(&e, 20);
	copy = m;
	assert_int_equal(dict_set(&e, &copy, "k003", 4, value_nil()), 0);
	assert_int_equal(dict_len(&m), 20);
	assert_true(dict_get(&m, "k003", 4, &v));
	assert_null(v.type);
	env_release(&e);
}

static void
deletes_one_and_keeps_the_others(void **state UNUSED)
{
	static const size_t sizes[] = { 5, 100 };

	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct value m;
		struct env e;

		tmplrig_env(&e);
		m = filled(&e, sizes[s]);
		assert_int_equal(dict_delete(&e, &m, "k002", 4), 0);
		assert_int_equal(dict_delete(&e, &m, "nope", 4), 0);
		assert_int_equal(dict_len(&m), sizes[s] - 1);
		for (size_t i = 0; i < sizes[s]; i++)
			assert_int_equal(dict_has(&m, keys[i], 4), i != 2);
		env_release(&e);
	}
}

/* Steps that a call takes of the budget. */
#define STEPS_OF(e, call)                          \
	__extension__({                            \
		uint64_t before = (e)->left.steps; \
		assert_int_equal(call, 0);         \
		before - (e)->left.steps;          \
	})

/* Each of them goes through all keys, byte by byte. */
static void
long_keys_cost_what_they_take(void **state UNUSED)
{
	enum { N = 20, LEN = 64 * 1024 };
	static char text[N][LEN];
	struct dict_entry *entries;
	struct value m;
	struct env e;

	tmplrig_env(&e);
	assert_int_equal(dict_new(&e, &type_dict, &m), 0);
	for (size_t i = 0; i < N; i++) {
		memset(text[i], 'k', LEN);
		text[i][LEN - 1] = (char)('z' - i);
		assert_true(
		    STEPS_OF(&e, dict_set(&e, &m, text[i], LEN, value_nil())) >=
		    LEN / 64);
	}
	/* Sorted, and then only copied. */
	assert_true(
	    STEPS_OF(&e, dict_entries(&e, &m, &entries)) >= 4 * N * LEN / 64);
	assert_in_range(STEPS_OF(&e, dict_entries(&e, &m, &entries)),
	    N * LEN / 64, 2 * N * LEN / 64);
	assert_true(STEPS_OF(&e, dict_delete(&e, &m, text[3], LEN)) >=
	    (N - 1) * LEN / 64);
	assert_true(
	    STEPS_OF(&e, dict_delete(&e, &m, text[4], LEN)) < N * LEN / 64);
	assert_int_equal(STEPS_OF(&e, dict_delete(&e, &m, text[4], LEN)), 0);
	env_release(&e);
}

static void
a_nil_map_is_empty_and_cannot_be_written(void **state UNUSED)
{
	struct value m = { .type = &type_dict }, v;
	struct dict_entry *entries;
	struct env e;

	tmplrig_env(&e);
	assert_int_equal(dict_len(&m), 0);
	assert_false(dict_get(&m, "a", 1, &v));
	assert_int_equal(dict_entries(&e, &m, &entries), 0);
	assert_int_equal(dict_delete(&e, &m, "a", 1), 0);
	assert_int_equal(dict_set(&e, &m, "a", 1, value_nil()), -1);
	assert_string_equal(e.fault, "assignment to entry in nil map");
	env_release(&e);
}

static void
values_of_string_maps_are_no_interfaces(void **state UNUSED)
{
	struct dict_entry *entries;
	struct value m;
	struct env e;

	tmplrig_env(&e);
	assert_int_equal(dict_new(&e, &type_strmap, &m), 0);
	assert_int_equal(dict_set(&e, &m, "a", 1, value_cstr("b")), 0);
	assert_int_equal(dict_entries(&e, &m, &entries), 0);
	assert_false(entries[0].value.iface);
	env_release(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_set_few_or_many),
		cmocka_unit_test(goes_through_the_keys_in_order),
		cmocka_unit_test(keys_are_bytes_and_a_prefix_comes_first),
		cmocka_unit_test(setting_again_replaces_and_copies_see_it),
		cmocka_unit_test(deletes_one_and_keeps_the_others),
		cmocka_unit_test(long_keys_cost_what_they_take),
		cmocka_unit_test(a_nil_map_is_empty_and_cannot_be_written),
		cmocka_unit_test(values_of_string_maps_are_no_interfaces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
