/*
 * Tests of controller/tmpl/jsondec.c: the JSON decoder.
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
reads_strings(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ fromJson "
		  "\"\\\"\\\\\\\"\\\\\\\\\\\\/"
		  "\\\\b\\\\f\\\\n\\\\r\\\\t\\\\u00e9\\\\ud83d\\\\ude00\\\"\" "
		  "| quote }} {{ fromJson "
		  "\"\\\"\\\\ud800x\\\\ude00\\\\ud800\\\\u0041\\\"\" | quote "
		  "}} {{ fromJson \"\\\"a\\xff\\\"\" | quote }} {{ fromJson "
		  "\"\\\"\\\"\" | quote }}",
		    "\"\\\"\\\\/\\b\\f\\n\\r\\t\303\251\360\237\230\200\" "
		    "\"\357\277\275x\357\277\275\357\277\275A\" "
		    "\"a\357\277\275\" \"\"" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
reads_numbers(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ range list \"0\" \"-0\" \"1e3\" \"-1.5E-2\" \"12345678\" "
		  "\"1e-400\" \"0.1\" }}{{ fromJson . }} {{ end }}",
		    "0 -0 1000 -0.015 1.2345678e+07 0 0.1 " },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
the_last_of_equal_keys_wins(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ fromJson \" { \\\"a\\\" : 1 , \\\"a\\\" : [ { } , [ ] ] "
		  "} \" | toJson }}",
		    "{\"a\":[{},[]]}" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
says_where_it_stopped(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ mustFromJson \"01\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"01\">: error calling mustFromJson: invalid character "
		    "(value withheld) after top-level value" },
		{ "{{ mustFromJson \"-\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"-\">: error calling mustFromJson: invalid character "
		    "(value withheld) in numeric literal" },
		{ "{{ mustFromJson \"1.\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"1.\">: error calling mustFromJson: invalid character "
		    "(value withheld) after decimal point in numeric literal" },
		{ "{{ mustFromJson \"1e\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"1e\">: error calling mustFromJson: invalid character "
		    "(value withheld) in exponent of numeric literal" },
		{ "{{ mustFromJson \"1.x\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"1.x\">: error calling mustFromJson: invalid character "
		    "(value withheld) after decimal point in numeric literal" },
		{ "{{ mustFromJson \"tru\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"tru\">: error calling mustFromJson: invalid character "
		    "(value withheld) in literal true (expecting 'e')" },
		{ "{{ mustFromJson \"trux\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"trux\">: error calling mustFromJson: invalid character "
		    "(value withheld) in literal true (expecting 'e')" },
		{ "{{ mustFromJson \"fx\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"fx\">: error calling mustFromJson: invalid character "
		    "(value withheld) in literal false (expecting 'a')" },
		{ "{{ mustFromJson \"nil\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"nil\">: error calling mustFromJson: invalid character "
		    "(value withheld) in literal null (expecting 'u')" },
		{ "{{ mustFromJson \"\\\"a\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"\\\"a\">: error calling mustFromJson: unexpected end of "
		    "JSON input" },
		{ "{{ mustFromJson \"\\\"\\n\\\"\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"\\\"\\n\\\"\">: error calling mustFromJson: invalid "
		    "character (value withheld) in string literal" },
		{ "{{ mustFromJson \"\\\"\\\\x\\\"\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"\\\"\\\\x\\\"\">: error calling mustFromJson: invalid "
		    "character (value withheld) in string escape code" },
		{ "{{ mustFromJson \"\\\"\\\\u12g4\\\"\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"\\\"\\\\u12g4\\\"\">: error calling mustFromJson: "
		    "invalid character (value withheld) in \\u hexadecimal "
		    "character escape" },
		{ "{{ mustFromJson \"\\\"\\\\\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"\\\"\\\\\">: error calling mustFromJson: invalid "
		    "character (value withheld) in string escape code" },
		{ "{{ mustFromJson \"[1 2]\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"[1 2]\">: error calling mustFromJson: invalid character "
		    "(value withheld) after array element" },
		{ "{{ mustFromJson \"[1,]\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"[1,]\">: error calling mustFromJson: invalid character "
		    "(value withheld) looking for beginning of value" },
		{ "{{ mustFromJson \"[1\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"[1\">: error calling mustFromJson: unexpected end of "
		    "JSON input" },
		{ "{{ mustFromJson \"{1:2}\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"{1:2}\">: error calling mustFromJson: invalid character "
		    "(value withheld) looking for beginning of object key "
		    "string" },
		{ "{{ mustFromJson \"{\\\"a\\\" 1}\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"{\\\"a\\\" 1}\">: error calling mustFromJson: invalid "
		    "character (value withheld) after object key" },
		{ "{{ mustFromJson \"{\\\"a\\\":1 \\\"b\\\"}\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"{\\\"a\\\":1 \\\"b\\\"}\">: error calling mustFromJson: "
		    "invalid character (value withheld) after object key:value "
		    "pair" },
		{ "{{ mustFromJson \"{\\\"a\\\":1,}\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"{\\\"a\\\":1,}\">: error calling mustFromJson: invalid "
		    "character (value withheld) looking for beginning of "
		    "object key string" },
		{ "{{ mustFromJson \"{\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"{\">: error calling mustFromJson: unexpected end of "
		    "JSON input" },
		{ "{{ mustFromJson \"{\\\"a\\\"\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"{\\\"a\\\"\">: error calling mustFromJson: unexpected "
		    "end of JSON input" },
		{ "{{ mustFromJson \"1 2\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson \"1 "
		    "2\">: error calling mustFromJson: invalid character "
		    "(value withheld) after top-level value" },
		{ "{{ mustFromJson \"]\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"]\">: error calling mustFromJson: invalid character "
		    "(value withheld) looking for beginning of value" },
		{ "{{ mustFromJson \"\\x00\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"\\x00\">: error calling mustFromJson: invalid character "
		    "(value withheld) looking for beginning of value" },
		{ "{{ mustFromJson \"[1e999\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"[1e999\">: error calling mustFromJson: unexpected end "
		    "of JSON input" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
nests_as_deep_as_go_allows(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ $l := fromJson (print (repeat 10000 \"[\") (repeat 10000 "
		  "\"]\")) }}{{ len $l }}",
		    "1" },
		{ "{{ mustFromJson (print (repeat 10001 \"[\") (repeat 10001 "
		  "\"]\")) }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "(print (repeat 10001 \"[\") (repeat 10001 \"]\"))>: error "
		    "calling mustFromJson: invalid character (value withheld) "
		    "exceeded max depth" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_strings),
		cmocka_unit_test(reads_numbers),
		cmocka_unit_test(the_last_of_equal_keys_wins),
		cmocka_unit_test(says_where_it_stopped),
		cmocka_unit_test(nests_as_deep_as_go_allows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
