/*
 * Tests of controller/tmpl/funcs_regex.c: sprig's functions on regular
 * expressions. layer: tmpl
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "tmplrig.h"

static void
matches_and_finds(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ regexMatch \"^a.*c$\" .x }}{{ regexMatch \"(\" .x }}",
		    "truefalse" },
		{ "{{ regexFind \"[a-z]+\" \"12abc3de\" }}|{{ regexFind \"z\" "
		  ".x }}|{{ regexFindAll \"a\" \"banana\" 2 }}{{ regexFindAll "
		  "\"\" \"ab\" -1 | len }}",
		    "abc||[a a]3" },
		{ "{{ mustRegexMatch \"(\" .x }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustRegexMatch "
		    "\"(\" .x>: error calling mustRegexMatch: error parsing "
		    "regexp: missing closing ): `(value withheld)`" },
		{ "{{ regexFind .bin .x }}",
		    "template: cfg:1:3: executing \"cfg\" at <regexFind .bin "
		    ".x>: error calling regexFind: regexp: Compile((value "
		    "withheld)): error parsing regexp: invalid UTF-8: `(value "
		    "withheld)`" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
replaces_as_go_does(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ regexReplaceAll \"a(x*)b\" \"-ab-axxb-\" \"${1}W\" }} {{ "
		  "regexReplaceAll \"a(x*)b\" \"-ab-axxb-\" \"$1W\" }} {{ "
		  "regexReplaceAll \"a(?P<n>x*)b\" \"-ab-axxb-\" \"$n$$$\" }}",
		    "-W-xxW- --- -$$-xx$$-" },
		{ "{{ regexReplaceAll \"a*\" \"baac\" \"-\" }} {{ "
		  "regexReplaceAllLiteral \"a(x*)b\" \"-ab-\" \"$1\" }}",
		    "-b-c- -$1-" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
splits_as_go_does(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ regexSplit \"a\" \"banana\" -1 | len }}{{ regexSplit "
		  "\"a\" \"banana\" 0 | len }}{{ regexSplit \"a\" \"banana\" 1 "
		  "| len }}{{ regexSplit \"a\" \"banana\" 2 | len }}",
		    "4012" },
		{ "{{ regexSplit \"a*\" \"baac\" -1 }}{{ regexSplit \"x\" \"\" "
		  "-1 | len }}",
		    "[b c]1" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
quotes_what_is_special(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ regexQuoteMeta \"1.2*3[a]\" }}", "1\\.2\\*3\\[a\\]" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
sees_invalid_bytes_as_one_character(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ regexReplaceAll \".\" .bin \"-\" }}|{{ regexFind "
		  "\"[^A]\" .bin | printf \"%x\" }}",
		    "---|ff" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
answers_where_backtracking_would_not_end(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ regexMatch \"(a+)+$\" (printf \"%sb\" (repeat 60 \"a\")) "
		  "}}",
		    "false" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
refuses_what_it_cannot_do_exactly(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ regexMatch \"(?i)\\\\p{Lu}\" .x }}",
		    "template: cfg:1:3: executing \"cfg\" at <regexMatch "
		    "\"(?i)\\\\p{Lu}\" .x>: error calling regexMatch: error "
		    "parsing regexp: expression is not supported here: `(value "
		    "withheld)`" },
		{ "{{ regexReplaceAll \"(a*)*\" \"aa\" \"<$1>\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <regexReplaceAll "
		    "\"(a*)*\" \"aa\" \"<$1>\">: error calling "
		    "regexReplaceAll: groups inside a repeated group that may "
		    "match nothing are not supported" },
		{ "{{ regexReplaceAll \"(a*)*\" \"aa\" \"<$0>\" }}", "<aa>" },
		{ "{{ regexFind \"([^c]{0,1}?)+b\" \"ab\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <regexFind "
		    "\"([^c]{0,1}?)+b\" \"ab\">: error calling regexFind: a "
		    "repeated group that would rather match nothing is not "
		    "supported" },
		{ "{{ regexSplit \"(|a)*\" \"ab\" -1 }}",
		    "template: cfg:1:3: executing \"cfg\" at <regexSplit "
		    "\"(|a)*\" \"ab\" -1>: error calling regexSplit: a "
		    "repeated "
		    "group that would rather match nothing is not supported" },
		/* Whether there is a match, it can tell. */
		{ "{{ regexMatch \"^(a{0,1}?)+$\" \"aaa\" }}", "true" },
		/* No turn but the first begins the text, so nothing differs. */
		{ "{{ regexFind \"(^|[ ])+a\" \"  a\" }}", "  a" },
		{ "{{ regexFind \"(b|a*)*\" \"aba\" }}", "aba" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_and_finds),
		cmocka_unit_test(replaces_as_go_does),
		cmocka_unit_test(splits_as_go_does),
		cmocka_unit_test(quotes_what_is_special),
		cmocka_unit_test(sees_invalid_bytes_as_one_character),
		cmocka_unit_test(answers_where_backtracking_would_not_end),
		cmocka_unit_test(refuses_what_it_cannot_do_exactly),
	};

	/* What Go rendered, it rendered with this zone. */
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
