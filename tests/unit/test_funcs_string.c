/*
 * Tests of controller/tmpl/funcs_string.c: sprig's functions on strings.
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

static void
strips_white_space_and_given_characters(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ trim \" \\t\\u00a0 a b\\n\" }}|", "a b|" },
		{ "{{ trimAll \"-\303\251\" \"\303\251-a-\303\251\" }} {{ "
		  "trimall \"\" \"a\" }} {{ trimAll \"a\" \"aaa\" }}|",
		    "a a |" },
		{ "{{ trimPrefix \"a\" \"aab\" }} {{ trimSuffix \"b\" \"abb\" "
		  "}} {{ trimPrefix \"x\" \"ab\" }} {{ trimSuffix \"abc\" "
		  "\"b\" }}",
		    "ab ab ab b" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
cuts_by_bytes(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ substr 0 3 \"fooo\" }} {{ substr 0 10 \"foo\" }} {{ "
		  "substr -1 2 \"foo\" }} {{ substr 1 -1 \"foo\" }} {{ substr "
		  "3 3 \"foo\" }}|",
		    "foo foo fo oo |" },
		{ "{{ trunc 3 \"foooooo\" }} {{ trunc -3 \"baaaaaar\" }} {{ "
		  "trunc -999 \"bar\" }} {{ trunc 0 \"a\" }}|",
		    "foo aar bar |" },
		{ "{{ printf \"%q\" (trunc 1 \"\303\251\") }}", "\"\\xc3\"" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
refuses_bounds_outside_the_text(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ substr -1 9 \"foo\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <substr -1 9 "
		    "\"foo\">: error calling substr: runtime error: slice "
		    "bounds out of range (value withheld)" },
		{ "{{ substr -1 -1 \"foo\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <substr -1 -1 "
		    "\"foo\">: error calling substr: runtime error: slice "
		    "bounds out of range (value withheld)" },
		{ "{{ substr 9 -1 \"foo\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <substr 9 -1 "
		    "\"foo\">: error calling substr: runtime error: slice "
		    "bounds out of range (value withheld)" },
		{ "{{ substr 2 1 \"foo\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <substr 2 1 "
		    "\"foo\">: error calling substr: runtime error: slice "
		    "bounds out of range (value withheld)" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
abbreviates(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ abbrev 5 \"hello world\" }} {{ abbrev 3 \"hello world\" "
		  "}} {{ abbrev 11 \"hello world\" }}",
		    "he... hello world hello world" },
		{ "{{ abbrevboth 5 10 \"1234 5678 9123\" }} {{ abbrevboth 5 6 "
		  "\"1234 5678 9123\" }} {{ abbrevboth 5 7 \"1234 5678 9123\" "
		  "}} {{ abbrevboth 0 10 \"1234 5678 9123\" }} {{ abbrevboth 9 "
		  "8 \"1234 5678 9123\" }} {{ abbrevboth 99 8 \"1234 5678 "
		  "9123\" }} {{ abbrevboth -3 5 \"1234 5678 9123\" }}",
		    "...5678... 1234 5678 9123 ...5... 1234 56... ... 9123 ... "
		    "9123 12..." },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
wraps_at_spaces_and_cuts_long_words_only_when_asked(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ wrap 5 \"Hello  World abcdefgh ij\" | quote }}",
		    "\"Hello\\nWorld\\nabcdefgh\\nij\"" },
		{ "{{ wrapWith 5 \"\\t\" \"Hello World abcdefgh ij\" | quote "
		  "}}",
		    "\"Hello\\tWorld\\tabcde\\tfgh\\tij\"" },
		{ "{{ wrapWith 3 \"\" \"abcdefg\" | quote }} {{ wrap 0 \"ab "
		  "c\" | quote }} {{ wrap 9 \"\" | quote }} {{ wrap 3 "
		  "\"abcdef\" }}",
		    "\"abc\\ndef\\ng\" \"ab\\nc\" \"\" abcdef" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
looks_for_parts(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ contains \"b\" \"abc\" }} {{ contains \"\" \"\" }} {{ "
		  "contains \"abc\" \"b\" }} {{ hasPrefix \"a\" \"ab\" }} {{ "
		  "hasPrefix \"b\" \"ab\" }} {{ hasSuffix \"b\" \"ab\" }} {{ "
		  "hasSuffix \"xab\" \"ab\" }}",
		    "true true false true false true false" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
replaces_all_and_inserts_around_each_character(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ replace \"a\" \"bb\" \"banana\" }} {{ replace \"\" \"-\" "
		  "\"a\303\251\" }} {{ replace \"a\" \"a\" \"a\" }} {{ replace "
		  "\"na\" \"\" \"banana\" }} {{ replace \"\" \"\" \"ab\" }} {{ "
		  "replace \"\" \"-\" \"\" }}",
		    "bbbnbbnbb -a-\303\251- a ba ab -" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
chooses_the_plural(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ plural \"one\" \"many\" 1 }} {{ plural \"one\" \"many\" "
		  "0 }} {{ plural \"one\" \"many\" -1 }}",
		    "one many many" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
joins_values_with_spaces(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ cat \"a\" \"\" \"b\" nil 3 }}|{{ cat }}|{{ cat nil }}|{{ "
		  "cat (list 1 2) true }}",
		    "a  b 3|||[1 2] true" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
indents_every_line(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ indent 2 \"a\\n\\nb\\n\" | quote }} {{ nindent 1 \"a\" | "
		  "quote }} {{ indent 0 \"\" | quote }}",
		    "\"  a\\n  \\n  b\\n  \" \"\\n a\" \"\"" },
		{ "{{ indent -1 \"a\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <indent -1 "
		    "\"a\">: error calling indent: strings: negative Repeat "
		    "count" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
quotes_as_go_does_and_leaves_nil_out(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ quote \"a\\\"b\\u2028\\x07\\xff\" 1 nil true (list "
		  "\"a\") }}|{{ quote .nope }}|{{ squote \"it's\" nil 2.5 "
		  "}}|{{ quote }}",
		    "\"a\\\"b\\u2028\\a\\xff\" \"1\" \"true\" \"[a]\"||'it's' "
		    "'2.5'|" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
makes_text_of_anything(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ toString 1e7 }} {{ toString nil }} {{ toString (list 1 "
		  "nil) }} {{ toString \"x\" }} {{ toString false }}",
		    "1e+07 <nil> [1 <nil>] x false" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
takes_bytes_for_latin_1_in_initials_and_nospace(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ initials \"First Try  x\" }} {{ initials \"\" }} {{ "
		  "initials \"\303\251 b\" | quote }} {{ nospace \" h e\\tl \" "
		  "}} {{ nospace \"\303\251\" }} {{ nospace \"\303\251 b\" | "
		  "quote }}",
		    "FTx  \"\303\203b\" hel \303\251 \"\303\203\302\251b\"" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
repeats(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ repeat 3 \"ab\" }} {{ repeat 0 \"ab\" }} {{ repeat 3 "
		  "\"\" }} {{ repeat 4 \"x\" }}",
		    "ababab   xxxx" },
		{ "{{ repeat -1 \"a\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <repeat -1 "
		    "\"a\">: error calling repeat: strings: negative Repeat "
		    "count" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
changes_case(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ upper \"a\303\251\303\237\" }} {{ lower \"\303\200B\" }} "
		  "{{ title \"it's a_b\" }} {{ untitle \"First Try\" }} {{ "
		  "swapcase \"aB cD\" }} {{ camelcase \"http_server\" }} {{ "
		  "snakecase \"HTTPServer\" }} {{ kebabcase \"FirstName\" }}",
		    "A\303\211\303\237 \303\240b It'S A_b first try Ab Cd "
		    "HttpServer http_server first-name" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
greets(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ hello }}", "Hello!" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
large_results_and_long_work_end_with_the_budget(void **state UNUSED)
{
	static const char *const texts[] = {
		"{{ repeat 1000000000 \"x\" }}",
		"{{ repeat 9223372036854775807 \"xx\" }}",
		"{{ indent 1000000000 \"x\" }}",
		"{{ $s := repeat 100000 \"x\" }}{{ $t := replace \"x\" $s $s "
		"}}",
		"{{ $s := repeat 4000000 \"x\" }}{{ range until 100000 }}{{ $t "
		":= contains \"y\" $s }}{{ end }}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		AUTO_STR char *why = tmplrig_error(texts[i], NULL);

		if (why == NULL)
			print_error("in %s\n", texts[i]);
		assert_non_null(why);
		assert_non_null(strstr(why, "out of budget: "));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strips_white_space_and_given_characters),
		cmocka_unit_test(cuts_by_bytes),
		cmocka_unit_test(refuses_bounds_outside_the_text),
		cmocka_unit_test(abbreviates),
		cmocka_unit_test(
		    wraps_at_spaces_and_cuts_long_words_only_when_asked),
		cmocka_unit_test(looks_for_parts),
		cmocka_unit_test(
		    replaces_all_and_inserts_around_each_character),
		cmocka_unit_test(chooses_the_plural),
		cmocka_unit_test(joins_values_with_spaces),
		cmocka_unit_test(indents_every_line),
		cmocka_unit_test(quotes_as_go_does_and_leaves_nil_out),
		cmocka_unit_test(makes_text_of_anything),
		cmocka_unit_test(
		    takes_bytes_for_latin_1_in_initials_and_nospace),
		cmocka_unit_test(repeats),
		cmocka_unit_test(changes_case),
		cmocka_unit_test(greets),
		cmocka_unit_test(
		    large_results_and_long_work_end_with_the_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
