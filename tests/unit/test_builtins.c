/*
 * Tests of controller/tmpl/builtins.c.
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
compares_as_go_does(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ eq 1 1 }}", "true" },
		{ "{{ eq 1 2 3 1 }}", "true" },
		{ "{{ eq \"a\" \"a\" }}", "true" },
		{ "{{ eq 1.0 1.0 }}", "true" },
		{ "{{ eq true false }}", "false" },
		{ "{{ eq (index .x 0) 97 }}", "true" },
		{ "{{ eq 97 (index .x 0) }}", "true" },
		{ "{{ eq -1 (index .x 0) }}", "false" },
		{ "{{ eq nil nil }}", "true" },
		{ "{{ eq .nope nil }}", "true" },
		{ "{{ eq .nope .gone }}", "true" },
		{ "{{ eq 1 .nope }}", "false" },
		{ "{{ eq . nil }}", "false" },
		{ "{{ eq nil . }}", "false" },
		{ "{{ eq 1 \"1\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <eq 1 \"1\">: "
		    "error calling eq: incompatible types for comparison: int "
		    "and string" },
		{ "{{ eq 1 1.0 }}",
		    "template: cfg:1:3: executing \"cfg\" at <eq 1 1.0>: error "
		    "calling eq: incompatible types for comparison: int and "
		    "float64" },
		{ "{{ eq 1 1 \"x\" }}", "true" },
		{ "{{ eq 1 2 \"x\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <eq 1 2 \"x\">: "
		    "error calling eq: incompatible types for comparison: int "
		    "and string" },
		{ "{{ eq 1 }}",
		    "template: cfg:1:3: executing \"cfg\" at <eq 1>: error "
		    "calling eq: missing argument for comparison" },
		{ "{{ eq }}",
		    "template: cfg:1:3: executing \"cfg\" at <eq>: wrong "
		    "number of args for eq: want at least 1 got 0" },
		{ "{{ ne 1 2 }}", "true" },
		{ "{{ ne \"a\" \"a\" }}", "false" },
		{ "{{ ne nil 1 }}", "true" },
		{ "{{ ne 1 \"a\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <ne 1 \"a\">: "
		    "error calling ne: incompatible types for comparison: int "
		    "and string" },
		{ "{{ ne 1 }}",
		    "template: cfg:1:3: executing \"cfg\" at <ne>: wrong "
		    "number of args for ne: want 2 got 1" },
		{ "{{ lt 1 2 }} {{ lt 2 1 }} {{ lt 1 1 }}",
		    "true false false" },
		{ "{{ le 1 1 }} {{ le 2 1 }}", "true false" },
		{ "{{ gt 2 1 }} {{ gt 1 1 }}", "true false" },
		{ "{{ ge 1 1 }} {{ ge 1 2 }}", "true false" },
		{ "{{ lt \"a\" \"b\" }} {{ lt \"ab\" \"a\" }} {{ lt \"\" \"a\" "
		  "}}",
		    "true false true" },
		{ "{{ lt 1.5 2.5 }}", "true" },
		{ "{{ lt -1 (index .x 0) }} {{ lt (index .x 0) -1 }} {{ lt "
		  "(index .x 0) 98 }}",
		    "true false true" },
		{ "{{ lt true false }}",
		    "template: cfg:1:3: executing \"cfg\" at <lt true false>: "
		    "error calling lt: invalid type for comparison" },
		{ "{{ lt nil 1 }}",
		    "template: cfg:1:3: executing \"cfg\" at <lt nil 1>: error "
		    "calling lt: invalid type for comparison" },
		{ "{{ lt 1 nil }}",
		    "template: cfg:1:3: executing \"cfg\" at <lt 1 nil>: error "
		    "calling lt: invalid type for comparison" },
		{ "{{ lt 1 \"a\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <lt 1 \"a\">: "
		    "error calling lt: incompatible types for comparison: int "
		    "and string" },
		{ "{{ lt 1 1.5 }}",
		    "template: cfg:1:3: executing \"cfg\" at <lt 1 1.5>: error "
		    "calling lt: incompatible types for comparison: int and "
		    "float64" },
		{ "{{ lt . . }}",
		    "template: cfg:1:3: executing \"cfg\" at <lt . .>: error "
		    "calling lt: invalid type for comparison" },
		{ "{{ gt 1 nil }}",
		    "template: cfg:1:3: executing \"cfg\" at <gt 1 nil>: error "
		    "calling gt: invalid type for comparison" },
		{ "{{ ge \"a\" 1 }}",
		    "template: cfg:1:3: executing \"cfg\" at <ge \"a\" 1>: "
		    "error calling ge: incompatible types for comparison: "
		    "string and int" },
		{ "{{ le nil nil }}",
		    "template: cfg:1:3: executing \"cfg\" at <le nil nil>: "
		    "error calling le: invalid type for comparison" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
combines_truth_and_stops_early(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ and 1 0 2 }}", "0" },
		{ "{{ and 1 2 }}", "2" },
		{ "{{ and \"\" 1 }}|", "|" },
		{ "{{ or 0 \"\" \"x\" }}", "x" },
		{ "{{ or 0 \"\" }}|", "|" },
		{ "{{ or 1 (index 1 2) }}", "1" },
		{ "{{ and 0 (index 1 2) }}", "0" },
		{ "{{ and 1 (index 1 2) }}",
		    "template: cfg:1:10: executing \"cfg\" at <index 1 2>: "
		    "error calling index: can't index item of type int" },
		{ "{{ 0 | and 1 }}", "0" },
		{ "{{ 5 | or 0 }}", "5" },
		{ "{{ not 0 }} {{ not 1 }} {{ not \"\" }} {{ not nil }} {{ not "
		  ". }}",
		    "true false true true false" },
		{ "{{ and . .nope }}", "<no value>" },
		{ "{{ or .nope .y }}|", "|" },
		{ "{{ and true }}", "true" },
		{ "{{ and nil }}", "<no value>" },
		{ "{{ or nil 1 }}", "1" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
indexes_and_measures(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ index . \"x\" }}", "abc" },
		{ "{{ index . \"nope\" }}|", "|" },
		{ "{{ index .x 0 }} {{ index .x 2 }}", "97 99" },
		{ "{{ index . }}",
		    "map[bin:\377\000A host-name:db n:42 x:abc y:]" },
		{ "{{ index .x }}", "abc" },
		{ "{{ index . \"x\" 1 }}", "98" },
		{ "{{ index nil 0 }}",
		    "template: cfg:1:3: executing \"cfg\" at <index nil 0>: "
		    "error calling index: index of untyped nil" },
		{ "{{ index .nope 0 }}",
		    "template: cfg:1:3: executing \"cfg\" at <index .nope 0>: "
		    "error calling index: index of untyped nil" },
		{ "{{ index 1 0 }}",
		    "template: cfg:1:3: executing \"cfg\" at <index 1 0>: "
		    "error calling index: can't index item of type int" },
		{ "{{ index .x \"a\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <index .x \"a\">: "
		    "error calling index: cannot index slice/array with type "
		    "string" },
		{ "{{ index .x nil }}",
		    "template: cfg:1:3: executing \"cfg\" at <index .x nil>: "
		    "error calling index: cannot index slice/array with nil" },
		{ "{{ index .x 1.5 }}",
		    "template: cfg:1:3: executing \"cfg\" at <index .x 1.5>: "
		    "error calling index: cannot index slice/array with type "
		    "float64" },
		{ "{{ index . 1 }}",
		    "template: cfg:1:3: executing \"cfg\" at <index . 1>: "
		    "error calling index: value has type int; should be "
		    "string" },
		{ "{{ index . nil }}",
		    "template: cfg:1:3: executing \"cfg\" at <index . nil>: "
		    "error calling index: value is nil; should be of type "
		    "string" },
		{ "{{ index . \"x\" 0 0 }}",
		    "template: cfg:1:3: executing \"cfg\" at <index . \"x\" 0 "
		    "0>: error calling index: can't index item of type uint8" },
		{ "{{ index .x 3 }}",
		    "template: cfg:1:3: executing \"cfg\" at <index .x 3>: "
		    "error calling index: reflect: string index out of range" },
		{ "{{ index .y 0 }}",
		    "template: cfg:1:3: executing \"cfg\" at <index .y 0>: "
		    "error calling index: reflect: string index out of range" },
		{ "{{ index }}",
		    "template: cfg:1:3: executing \"cfg\" at <index>: wrong "
		    "number of args for index: want at least 1 got 0" },
		{ "{{ len .x }} {{ len .y }} {{ len . }}", "3 0 5" },
		{ "{{ len 1 }}",
		    "template: cfg:1:3: executing \"cfg\" at <len 1>: error "
		    "calling len: len of type int" },
		{ "{{ len nil }}",
		    "template: cfg:1:3: executing \"cfg\" at <len nil>: error "
		    "calling len: reflect: call of reflect.Value.Type on zero "
		    "Value" },
		{ "{{ len true }}",
		    "template: cfg:1:3: executing \"cfg\" at <len true>: error "
		    "calling len: len of type bool" },
		{ "{{ len 1.5 }}",
		    "template: cfg:1:3: executing \"cfg\" at <len 1.5>: error "
		    "calling len: len of type float64" },
		{ "{{ len }}",
		    "template: cfg:1:3: executing \"cfg\" at <len>: wrong "
		    "number of args for len: want 1 got 0" },
		{ "{{ len .x .y }}",
		    "template: cfg:1:3: executing \"cfg\" at <len>: wrong "
		    "number of args for len: want 1 got 2" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
an_index_out_of_range_does_not_say_which(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ index .x 4 }}",
		    "template: cfg:1:3: executing \"cfg\" at <index .x 4>: "
		    "error calling index: index out of range: "
		    "(value withheld)" },
		{ "{{ index .x -1 }}",
		    "template: cfg:1:3: executing \"cfg\" at <index .x -1>: "
		    "error calling index: index out of range: "
		    "(value withheld)" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
escapes_for_html_javascript_and_urls(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ html \"<a href='x'>&\\\"\" }}",
		    "&lt;a href=&#39;x&#39;&gt;&amp;&#34;" },
		{ "{{ html .nope }}", "&lt;no value&gt;" },
		{ "{{ html 1 2 \"a\" }}", "1 2a" },
		{ "{{ html \"\\x00\" }}", "\357\277\275" },
		{ "{{ html . }}",
		    "map[bin:\377\357\277\275A host-name:db n:42 x:abc y:]" },
		{ "{{ html }}|", "|" },
		{ "{{ html nil \"<\" }}", "&lt;no value&gt;&lt;" },
		{ "{{ js \"\\\\'\\\"<>&=\" }}",
		    "\\\\\\'\\\"\\u003C\\u003E\\u0026\\u003D" },
		{ "{{ js \"\\n\\x01\303\251\\U000E0001\\u00a0\" }}",
		    "\\u000A\\u0001\303\251\\uE0001\\u00A0" },
		{ "{{ js nil }}", "\\u003Cno value\\u003E" },
		{ "{{ js 1 \"a\" }}", "1a" },
		{ "{{ urlquery \"a b/\303\274-_.~\" }}", "a+b%2F%C3%BC-_.~" },
		{ "{{ urlquery \"+&=%\" }}", "%2B%26%3D%25" },
		{ "{{ urlquery .nope }}", "%3Cno+value%3E" },
		{ "{{ urlquery 1 2 }}", "1+2" },
		{ "{{ \"a&b\" | html | urlquery }}", "a%26amp%3Bb" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
call_finds_nothing_to_call(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ call }}",
		    "template: cfg:1:3: executing \"cfg\" at <call>: wrong "
		    "number of args for call: want at least 1 got 0" },
		{ "{{ call 1 }}",
		    "template: cfg:1:3: executing \"cfg\" at <call 1>: error "
		    "calling call: non-function 1 of type int" },
		{ "{{ call \"a\" 1 }}",
		    "template: cfg:1:3: executing \"cfg\" at <call \"a\" 1>: "
		    "error calling call: non-function \"a\" of type string" },
		{ "{{ call nil }}",
		    "template: cfg:1:3: executing \"cfg\" at <call nil>: error "
		    "calling call: call of nil" },
		{ "{{ call .nope }}",
		    "template: cfg:1:3: executing \"cfg\" at <call .nope>: "
		    "error calling call: call of nil" },
		{ "{{ call . 1 }}",
		    "template: cfg:1:3: executing \"cfg\" at <call . 1>: error "
		    "calling call: non-function . of type map[string]string" },
		{ "{{ call (print 1) }}",
		    "template: cfg:1:3: executing \"cfg\" at <call (print 1)>: "
		    "error calling call: non-function print 1 of type string" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares_as_go_does),
		cmocka_unit_test(combines_truth_and_stops_early),
		cmocka_unit_test(indexes_and_measures),
		cmocka_unit_test(an_index_out_of_range_does_not_say_which),
		cmocka_unit_test(escapes_for_html_javascript_and_urls),
		cmocka_unit_test(call_finds_nothing_to_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
