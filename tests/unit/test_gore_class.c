/*
 * Tests of controller/tmpl/gore_class.c: classes and escapes of patterns.
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
#include "tmplrig.h"

#define FIND(pattern, text) "{{ regexFindAll `" pattern "` \"" text "\" -1 }}"
#define BAD(pattern, what)                                              \
	{                                                               \
		FIND(pattern, "a"),                                     \
		    "template: cfg:1:3: executing \"cfg\" at "          \
		    "<regexFindAll `" pattern                           \
		    "` \"a\" -1>: error calling regexFindAll: "         \
		    "regexp: Compile(" WITHHELD                         \
		    "): error parsing regexp: " what ": `" WITHHELD "`" \
	}

static void
finds_what_is_in_a_class(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ FIND("[a-c]", "abcd"), "[a b c]" },
		{ FIND("[^a-c]", "abcd"), "[d]" },
		{ FIND("[]a]", "a]b"), "[a ]]" },
		{ FIND("[^]a]", "a]b"), "[b]" },
		{ FIND("[a-]", "a-b"), "[a -]" },
		{ FIND("[[:digit:]x]", "1x!"), "[1 x]" },
		{ FIND("[[:^digit:]]", "1x!"), "[x !]" },
		{ FIND("[\\d\\s]", "1 x"), "[1  ]" },
		{ FIND("\\W", "a_!"), "[!]" },
		{ FIND("(?i)[k]", "kK\u212a"), "[k K \u212a]" },
		{ FIND("\\p{Greek}", "a\u03b1"), "[\u03b1]" },
		{ FIND("\\p{^Greek}", "a\u03b1"), "[a]" },
		{ FIND("\\PL", "a1"), "[1]" },
		{ FIND("[\\x{d800}]", "a"), "[]" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
reads_escapes(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ FIND("\\x41", "A"), "[A]" },
		{ FIND("\\x{e9}", "\u00e9"), "[\u00e9]" },
		{ FIND("\\101", "A"), "[A]" },
		{ FIND("\\.\\*", "a.*"), "[.*]" },
		{ FIND("[\\t-\\n]", "a\\tb"), "[\t]" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
refuses_what_go_refuses(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		BAD("[a", "missing closing ]"),
		BAD("[c-a]", "invalid character class range"),
		BAD("[[:nope:]]", "invalid character class range"),
		BAD("\\p{Grek}", "invalid character class range"),
		BAD("\\1", "invalid escape sequence"),
		BAD("\\x{110000}", "invalid escape sequence"),
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
refuses_what_it_cannot_say_exactly(void **state UNUSED)
{
	static const char *const patterns[] = { "(?i)\\p{Lu}", "(?i)\\PL" };

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		AUTO_STR char *text =
		    xasprintf("{{ regexMatch `%s` \"a\" }}", patterns[i]);
		AUTO_STR char *error = tmplrig_error(text, NULL);

		assert_non_null(error);
		assert_non_null(
		    strstr(error, "expression is not supported here"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_is_in_a_class),
		cmocka_unit_test(reads_escapes),
		cmocka_unit_test(refuses_what_go_refuses),
		cmocka_unit_test(refuses_what_it_cannot_say_exactly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
