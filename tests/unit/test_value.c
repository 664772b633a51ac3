/*
 * Tests of controller/tmpl/value.c.
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
#include "controller/tmpl/value.h"
#include "tmplrig.h"

static struct value
list_of(struct env *e, const struct type *type, const struct value *v, size_t n)
{
	struct value l;

	assert_int_equal(list_new(e, type, 0, &l), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(list_append(e, &l, v[i]), 0);
	return l;
}

static void
names_types_and_kinds_as_go_does(void **state UNUSED)
{
	static const struct {
		const struct type *type;
		const char *name, *kind;
	} cases[] = {
		{ NULL, "<nil>", "invalid" },
		{ &type_int, "int", "int" },
		{ &type_uint8, "uint8", "uint8" },
		{ &type_list, "[]interface {}", "slice" },
		{ &type_lists, "[][]interface {}", "slice" },
		{ &type_strings, "[]string", "slice" },
		{ &type_dict, "map[string]interface {}", "map" },
		{ &type_strmap, "map[string]string", "map" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct value v = { .type = cases[i].type };

		assert_string_equal(value_type_name(&v), cases[i].name);
		assert_string_equal(value_kind_name(&v), cases[i].kind);
	}
}

static void
truth_is_not_being_the_zero_of_a_type(void **state UNUSED)
{
	struct value v[] = { value_nil(), value_bool(false), value_int(0),
		value_int64(0), value_uint8(0), value_float64(0),
		value_float64(-0.0), value_str("", 0), list_nil(&type_list),
		{ .type = &type_dict }, value_bool(true), value_int(-1),
		value_int64(5), value_uint8(1), value_float64(0.1),
		value_float64(__builtin_nan("")), value_str("0", 1) };

	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		assert_int_equal(value_truth(&v[i]), i >= 10);
}

static void
lists_share_their_elements_until_they_outgrow_them(void **state UNUSED)
{
	struct value a, b;
	struct env e;

	tmplrig_env(&e);
	assert_int_equal(list_new(&e, &type_list, 2, &a), 0);
	assert_int_equal(list_append(&e, &a, value_int(1)), 0);
	b = a;
	assert_int_equal(list_append(&e, &a, value_int(2)), 0);
	assert_int_equal(list_len(&a), 2);
	assert_int_equal(list_len(&b), 1);
	a.u.l.v[0].u.i = 7;
	assert_int_equal(list_get(&b, 0).u.i, 7);
	/* Something behind it, so that it cannot grow in place. */
	assert_non_null(env_alloc(&e, 1));
	assert_int_equal(list_append(&e, &a, value_int(3)), 0);
	a.u.l.v[0].u.i = 8;
	assert_int_equal(list_get(&b, 0).u.i, 7);
	env_release(&e);
}

static void
elements_of_interface_type_are_marked_and_come_out_unmarked(void **state UNUSED)
{
	struct value one = value_int(1), any, ints;
	struct env e;

	tmplrig_env(&e);
	any = list_of(&e, &type_list, &one, 1);
	ints = list_of(&e, &type_ints, &one, 1);
	assert_true(any.u.l.v[0].iface);
	assert_false(ints.u.l.v[0].iface);
	assert_false(list_get(&any, 0).iface);
	env_release(&e);
}

static void
deep_equality_is_strict_about_types(void **state UNUSED)
{
	struct value ab[] = { value_cstr("a"), value_int(1) };
	struct value a, b, m, n;
	struct env e;
	bool equal;

	tmplrig_env(&e);
	a = list_of(&e, &type_list, ab, 2);
	b = list_of(&e, &type_list, ab, 2);
	assert_int_equal(value_deep_equal(&e, &a, &b, &equal), 0);
	assert_true(equal);
	b.u.l.v[1] = value_int64(1);
	assert_int_equal(value_deep_equal(&e, &a, &b, &equal), 0);
	assert_false(equal);
	/* nil and empty are not equal */
	a = list_of(&e, &type_list, ab, 0);
	b = list_nil(&type_list);
	assert_int_equal(value_deep_equal(&e, &a, &b, &equal), 0);
	assert_false(equal);

	assert_int_equal(dict_new(&e, &type_dict, &m), 0);
	assert_int_equal(dict_new(&e, &type_dict, &n), 0);
	assert_int_equal(dict_set(&e, &m, "k", 1, ab[0]), 0);
	assert_int_equal(dict_set(&e, &n, "k", 1, ab[0]), 0);
	assert_int_equal(value_deep_equal(&e, &m, &n, &equal), 0);
	assert_true(equal);
	assert_int_equal(dict_set(&e, &n, "k", 1, value_nil()), 0);
	assert_int_equal(value_deep_equal(&e, &m, &n, &equal), 0);
	assert_false(equal);
	env_release(&e);
}

static void
deep_equality_of_endless_values_ends(void **state UNUSED)
{
	struct value m, n;
	struct env e;
	bool equal;

	tmplrig_env(&e);
	assert_int_equal(dict_new(&e, &type_dict, &m), 0);
	assert_int_equal(dict_new(&e, &type_dict, &n), 0);
	assert_int_equal(dict_set(&e, &m, "s", 1, m), 0);
	assert_int_equal(dict_set(&e, &n, "s", 1, n), 0);
	assert_int_equal(value_deep_equal(&e, &m, &n, &equal), -1);
	assert_string_equal(e.fault, "out of budget: nested too deeply");
	env_release(&e);
}

static void
only_comparable_types_are_compared_for_identity(void **state UNUSED)
{
	struct value a = value_cstr("a"), b = value_str("ab", 1);
	struct value l = list_nil(&type_list);
	struct env e;
	bool same;

	tmplrig_env(&e);
	assert_int_equal(value_identical(&e, &a, &b, &same), 0);
	assert_true(same);
	assert_int_equal(value_identical(&e, &a, &l, &same), 0);
	assert_false(same);
	assert_int_equal(value_identical(&e, &l, &l, &same), -1);
	assert_string_equal(e.fault,
	    "runtime error: comparing uncomparable type []interface {}");
	env_release(&e);
}

static void
an_object_may_be_a_copy(void **state UNUSED)
{
	struct value a = value_int(7), copy;
	struct env e;

	tmplrig_env(&e);
	assert_int_equal(
	    value_obj_copy(&e, &type_list, &a, sizeof(a), &copy), 0);
	assert_ptr_equal(copy.type, &type_list);
	a.u.i = 8;
	assert_int_equal(((const struct value *)copy.u.obj)->u.i, 7);
	assert_int_equal(
	    value_obj_copy(&e, &type_list, &a, SIZE_MAX - 3, &copy), -1);
	env_release(&e);
}

static void
lists_do_not_grow_beyond_the_budget(void **state UNUSED)
{
	struct value l;
	struct env e;

	tmplrig_env(&e);
	assert_int_equal(list_new(&e, &type_list, UINT32_MAX, &l), -1);
	env_release(&e);
	tmplrig_env(&e);
	assert_int_equal(list_new(&e, &type_list, 0, &l), 0);
	while (list_append(&e, &l, value_int(1)) == 0)
		assert_in_range(list_len(&l), 1, 4 * 1024 * 1024);
	assert_true(e.exhausted);
	env_release(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_types_and_kinds_as_go_does),
		cmocka_unit_test(truth_is_not_being_the_zero_of_a_type),
		cmocka_unit_test(
		    lists_share_their_elements_until_they_outgrow_them),
		cmocka_unit_test(
		    elements_of_interface_type_are_marked_and_come_out_unmarked),
		cmocka_unit_test(deep_equality_is_strict_about_types),
		cmocka_unit_test(deep_equality_of_endless_values_ends),
		cmocka_unit_test(
		    only_comparable_types_are_compared_for_identity),
		cmocka_unit_test(an_object_may_be_a_copy),
		cmocka_unit_test(lists_do_not_grow_beyond_the_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
