/*
 * Tests of controller/tmpl/utf8.c.
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
#include "controller/tmpl/utf8.h"
#include "tmplrig.h"

static void
decodes_with_a_width_of_one_for_what_is_invalid(void **state UNUSED)
{
	static const struct {
		const char *in;
		size_t len, width;
		uint32_t rune;
	} cases[] = {
		{ "", 0, 0, UTF8_ERROR },
		{ "a", 1, 1, 'a' },
		{ "\xC3\xA9", 2, 2, 0xE9 },
		{ "\xE2\x82\xAC", 3, 3, 0x20AC },
		{ "\xF0\x9F\x98\x80", 4, 4, 0x1F600 },
		{ "\xF4\x8F\xBF\xBF", 4, 4, 0x10FFFF },
		/* overlong, surrogate, too large, cut, stray */
		{ "\xC0\x80", 2, 1, UTF8_ERROR },
		{ "\xE0\x80\x80", 3, 1, UTF8_ERROR },
		{ "\xED\xA0\x80", 3, 1, UTF8_ERROR },
		{ "\xF4\x90\x80\x80", 4, 1, UTF8_ERROR },
		{ "\xF5\x80\x80\x80", 4, 1, UTF8_ERROR },
		{ "\xE2\x82", 2, 1, UTF8_ERROR },
		{ "\xE2\x28\xA1", 3, 1, UTF8_ERROR },
		{ "\x80", 1, 1, UTF8_ERROR },
		/* the character itself is three bytes wide */
		{ "\xEF\xBF\xBD", 3, 3, UTF8_ERROR },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t r = 0;

		assert_int_equal(
		    utf8_decode(cases[i].in, cases[i].len, &r), cases[i].width);
		assert_int_equal(r, cases[i].rune);
	}
}

static void
decodes_the_last_character(void **state UNUSED)
{
	static const struct {
		const char *in;
		size_t len, width;
		uint32_t rune;
	} cases[] = {
		{ "", 0, 0, UTF8_ERROR },
		{ "xa", 2, 1, 'a' },
		{ "x\xF0\x9F\x98\x80", 5, 4, 0x1F600 },
		{ "x\x9F\x98\x80", 4, 1, UTF8_ERROR },
		{ "\xC3", 1, 1, UTF8_ERROR },
		{ "a\x80", 2, 1, UTF8_ERROR },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t r = 0;

		assert_int_equal(
		    utf8_decode_last(cases[i].in, cases[i].len, &r),
		    cases[i].width);
		assert_int_equal(r, cases[i].rune);
	}
}

static void
encodes_every_scalar_value_so_that_it_decodes_again(void **state UNUSED)
{
	for (uint32_t r = 0; r <= UTF8_MAX_RUNE; r += r < 0x3000 ? 1 : 61) {
		bool scalar = r < 0xD800 || r > 0xDFFF;
		uint32_t back;
		char enc[4];
		size_t n = utf8_encode(r, enc);

		assert_int_equal(utf8_decode(enc, n, &back), n);
		assert_int_equal(back, scalar ? r : UTF8_ERROR);
	}
}

static void
counts_and_validates(void **state UNUSED)
{
	assert_int_equal(utf8_count("a\xC3\xA9\xFFz", 5), 4);
	assert_int_equal(utf8_count("", 0), 0);
	assert_true(utf8_valid("a\xC3\xA9", 3));
	assert_true(utf8_valid("\xEF\xBF\xBD", 3));
	assert_false(utf8_valid("a\xC3", 2));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    decodes_with_a_width_of_one_for_what_is_invalid),
		cmocka_unit_test(decodes_the_last_character),
		cmocka_unit_test(
		    encodes_every_scalar_value_so_that_it_decodes_again),
		cmocka_unit_test(counts_and_validates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
