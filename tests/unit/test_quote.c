/*
 * Tests of controller/tmpl/quote.c.
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
#include "controller/tmpl/quote.h"
#include "tmplrig.h"

static void
quotes_as_go_does(void **state UNUSED)
{
	static const struct {
		const char *in;
		size_t len;
		bool ascii;
		const char *want;
	} cases[] = {
		{ "", 0, false, "\"\"" },
		{ "a\"b\\", 4, false, "\"a\\\"b\\\\\"" },
		{ "\a\b\f\n\r\t\v", 7, false, "\"\\a\\b\\f\\n\\r\\t\\v\"" },
		{ "\0\x01\x7f", 3, false, "\"\\x00\\x01\\x7f\"" },
		{ "\xC3\xA9", 2, false, "\"\xC3\xA9\"" },
		{ "\xC3\xA9", 2, true, "\"\\u00e9\"" },
		{ "\xF0\x9F\x98\x80", 4, true, "\"\\U0001f600\"" },
		{ "\xFF", 1, false, "\"\\xff\"" },
		{ "\xC2\xA0", 2, false, "\"\\u00a0\"" },
		{ "\xEF\xBF\xBD", 3, false, "\"\xEF\xBF\xBD\"" },
		{ "'", 1, false, "\"'\"" },
	};
	struct env e;

	tmplrig_env(&e);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct value v;
		struct text t;

		text_init(&t, &e);
		quote_string(&t, cases[i].in, cases[i].len, cases[i].ascii);
		assert_int_equal(text_done(&t, &v), 0);
		tmplrig_assert_str(&v, cases[i].want);
	}
	env_release(&e);
}

static void
unquotes_literals_and_refuses_malformed_ones(void **state UNUSED)
{
	static const struct {
		const char *in;
		const char *want; /* NULL: refused */
	} cases[] = {
		{ "\"a b\"", "a b" },
		{ "\"\\n\\\"\\\\\"", "\n\"\\" },
		{ "\"\\x41\\101\\u00e9\\U0001F600\"",
		    "AA\xC3\xA9\xF0\x9F\x98\x80" },
		{ "\"\\xff\"", "\xff" },
		{ "`a\\n\r\nb`", "a\\n\nb" },
		{ "\"\\'\"", NULL },
		{ "\"\\q\"", NULL },
		{ "\"\\x4\"", NULL },
		{ "\"\\400\"", NULL },
		{ "\"\\ud800\"", NULL },
		{ "\"\\U00110000\"", NULL },
		{ "\"a", NULL },
		{ "a", NULL },
	};
	struct env e;

	tmplrig_env(&e);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct value v;
		int rc =
		    quote_unquote(&e, cases[i].in, strlen(cases[i].in), &v);

		assert_int_equal(rc, cases[i].want == NULL ? -1 : 0);
		if (cases[i].want != NULL)
			tmplrig_assert_str(&v, cases[i].want);
	}
	env_release(&e);
}

static void
quotes_characters(void **state UNUSED)
{
	static const struct {
		uint32_t rune;
		bool ascii;
		const char *want;
	} cases[] = {
		{ 'a', false, "'a'" },
		{ '\'', false, "'\\''" },
		{ '"', false, "'\"'" },
		{ 0xE9, true, "'\\u00e9'" },
		{ 0xD800, false, "'\xEF\xBF\xBD'" },
		{ 0x110000, true, "'\\ufffd'" },
	};
	struct env e;

	tmplrig_env(&e);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct value v;
		struct text t;

		text_init(&t, &e);
		quote_rune(&t, cases[i].rune, cases[i].ascii);
		assert_int_equal(text_done(&t, &v), 0);
		tmplrig_assert_str(&v, cases[i].want);
	}
	env_release(&e);
}

static void
knows_what_fits_between_backquotes(void **state UNUSED)
{
	assert_true(quote_can_backquote("a\tb\"", 4));
	assert_true(quote_can_backquote("\xC3\xA9", 2));
	assert_false(quote_can_backquote("a`", 2));
	assert_false(quote_can_backquote("a\n", 2));
	assert_false(quote_can_backquote("\x7f", 1));
	assert_false(quote_can_backquote("\xff", 1));
	assert_false(quote_can_backquote("\xEF\xBB\xBF", 3));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quotes_as_go_does),
		cmocka_unit_test(unquotes_literals_and_refuses_malformed_ones),
		cmocka_unit_test(quotes_characters),
		cmocka_unit_test(knows_what_fits_between_backquotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
