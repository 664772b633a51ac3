/*
 * Tests of controller/tmpl/str.c.
 * layer: tmpl
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "controller/tmpl/str.h"
#include "tmplrig.h"

static void
compares_bytes_then_lengths(void **state UNUSED)
{
	const struct str nul = { "a\0b", 3 };

	assert_true(str_eq(str_c(""), (struct str) { 0 }));
	assert_false(str_eq(str_c("a"), nul));
	assert_true(str_compare(str_c("a"), str_c("b")) < 0);
	assert_true(str_compare(str_c("ab"), str_c("a")) > 0);
	assert_true(str_compare(str_c("a"), nul) < 0);
	assert_int_equal(str_compare(str_c(""), (struct str) { 0 }), 0);
	assert_true(str_compare(str_c("\xff"), str_c("a")) > 0);
}

static void
finds_prefixes_and_suffixes(void **state UNUSED)
{
	assert_true(str_has_prefix(str_c("ab"), str_c("a")));
	assert_true(str_has_prefix(str_c("ab"), str_c("")));
	assert_false(str_has_prefix(str_c("a"), str_c("ab")));
	assert_true(str_has_suffix(str_c("ab"), str_c("b")));
	assert_false(str_has_suffix(str_c("ab"), str_c("a")));
	assert_false(str_has_suffix(str_c("b"), str_c("ab")));
}

static void
finds_parts_from_a_place_on(void **state UNUSED)
{
	const struct str s = { "a\0a", 3 };

	assert_int_equal(str_find(s, 0, str_c("a")), 0);
	assert_int_equal(str_find(s, 1, str_c("a")), 2);
	assert_int_equal(str_find(s, 3, str_c("a")), STR_NONE);
	assert_int_equal(str_find(s, 3, str_c("")), 3);
	assert_int_equal(str_find(s, 4, str_c("")), STR_NONE);
	assert_int_equal(str_find_char(s, 0), 1);
	assert_int_equal(str_find_char((struct str) { 0 }, 'a'), STR_NONE);
	assert_int_equal(str_rfind(s, 'a'), 2);
	assert_int_equal(str_rfind(s, 'b'), STR_NONE);
}

static void
trims_unicode_space_but_not_invalid_bytes(void **state UNUSED)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "" },
		{ " \t\r\n\v\f ", "" },
		{ "\xC2\xA0 a b \xE3\x80\x80", "a b" },
		{ "\x85 a\xA0", "\x85 a\xA0" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct str got = str_trim_space(str_c(cases[i].text));

		assert_true(str_eq(got, str_c(cases[i].want)));
	}
}

static void
charges_by_the_length_of_all_string_arguments(void **state UNUSED)
{
	struct value args[] = { value_str(NULL, 1600), value_int(5),
		value_str(NULL, 160) };
	struct env e;
	struct call c = { &e, "f", args, ARRAY_SIZE(args) };
	uint64_t before;

	tmplrig_env(&e);
	before = e.left.steps;
	assert_int_equal(str_charge(&c), 0);
	assert_int_equal(before - e.left.steps, 111);
	e.left.steps = 100;
	assert_int_equal(str_charge(&c), -1);
	env_release(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares_bytes_then_lengths),
		cmocka_unit_test(finds_prefixes_and_suffixes),
		cmocka_unit_test(finds_parts_from_a_place_on),
		cmocka_unit_test(trims_unicode_space_but_not_invalid_bytes),
		cmocka_unit_test(charges_by_the_length_of_all_string_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
