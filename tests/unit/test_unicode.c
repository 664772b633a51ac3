/*
 * Tests of controller/tmpl/unicode.c.
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
#include "controller/tmpl/unicode.h"
#include "tmplrig.h"

static void
knows_the_classes_of_characters(void **state UNUSED)
{
	assert_true(unicode_is_letter('a') && unicode_is_letter(0xE9));
	assert_true(unicode_is_letter(0x65E5));
	assert_false(unicode_is_letter('_') || unicode_is_letter('1'));
	assert_false(unicode_is_letter('@') || unicode_is_letter('['));
	assert_true(unicode_is_digit('7') && unicode_is_digit(0x0663));
	assert_false(unicode_is_digit(0xB2));
	assert_true(unicode_is_number(0xB2));
	assert_true(unicode_is_upper(0xC9) && unicode_is_lower(0xE9));
	assert_false(unicode_is_upper(0x1C5) || unicode_is_lower(0x1C5));
	assert_true(unicode_is_punct('!') && unicode_is_punct('_'));
	assert_false(unicode_is_punct('+') || unicode_is_punct('$'));
}

static void
takes_go_s_view_of_space_and_of_what_can_be_printed(void **state UNUSED)
{
	static const uint32_t spaces[] = { ' ', '\t', '\n', '\v', '\f', '\r',
		0x85, 0xA0, 0x1680, 0x2003, 0x2028, 0x3000 };
	static const uint32_t others[] = { 'a', 0, 0x200B, 0xFEFF, 0x180E };

	for (size_t i = 0; i < ARRAY_SIZE(spaces); i++)
		assert_true(unicode_is_space(spaces[i]));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_false(unicode_is_space(others[i]));
	assert_true(unicode_is_print(' ') && unicode_is_print(0x1F600));
	assert_false(unicode_is_print(0xA0) || unicode_is_print(0xAD));
	assert_false(unicode_is_print(0x7F) || unicode_is_print(0x378));
	assert_false(unicode_is_print(0x110000));
}

static void
maps_cases_one_to_one(void **state UNUSED)
{
	assert_int_equal(unicode_to_upper(0xE9), 0xC9);
	assert_int_equal(unicode_to_upper(0xDF), 0xDF);
	assert_int_equal(unicode_to_upper(0x131), 'I');
	assert_int_equal(unicode_to_upper(0xB5), 0x39C);
	assert_int_equal(unicode_to_lower(0x130), 'i');
	assert_int_equal(unicode_to_lower(0x3A3), 0x3C3);
	assert_int_equal(unicode_to_title(0x1C6), 0x1C5);
	assert_int_equal(unicode_to_title(0xDF), 0xDF);
	assert_int_equal(unicode_to_upper(0x110000), 0x110000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_the_classes_of_characters),
		cmocka_unit_test(
		    takes_go_s_view_of_space_and_of_what_can_be_printed),
		cmocka_unit_test(maps_cases_one_to_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
