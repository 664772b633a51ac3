/*
 * Tests of controller/tmpl/exec.c.
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
prints_values_of_actions(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "plain }} text", "plain }} text" },
		{ "{{ .x }}", "abc" },
		{ "{{ .nope }}", "<no value>" },
		{ "{{ .nope.deeper }}", "<no value>" },
		{ "{{ index . \"nope\" }}|", "|" },
		{ "{{ index . \"host-name\" }}", "db" },
		{ "{{ 1 }}{{ -2 }}{{ 1.5 }}{{ true }}{{ \"s\" }}{{ 'a' }}",
		    "1-21.5trues97" },
		{ "{{ . | len }}", "5" },
		{ "{{ 1e6 }} {{ 123456789.0 }} {{ 100000.0 }} {{ 0.00001 }}",
		    "1e+06 1.23456789e+08 100000 1e-05" },
		{ "{{ .x | printf \"%s-%s\" \"a\" }}", "a-abc" },
		{ "{{ (printf \"%d\" 3) }}", "3" },
		{ "{{ $.x }}", "abc" },
		{ "{{ print nil }}", "<nil>" },
		{ "{{ .x | html | }}", "abc" },
		{ "{{ 1_000_000 }} {{ 0x1F }} {{ 0755 }} {{ 0b11 }} {{ -0.0 }} "
		  "{{ 1e1 }}",
		    "1000000 31 493 3 -0 10" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
branches_on_go_s_truth(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ if .x }}a{{ else }}b{{ end }}", "a" },
		{ "{{ if .y }}a{{ else }}b{{ end }}", "b" },
		{ "{{ if .nope }}a{{ end }}", "" },
		{ "{{ if 0 }}a{{ else if 1 }}b{{ else }}c{{ end }}", "b" },
		{ "{{ if 0.0 }}a{{ else if \"\" }}b{{ else }}c{{ end }}", "c" },
		{ "{{ if false }}a{{ else if . }}b{{ end }}", "b" },
		{ "{{ with .x }}[{{ . }}]{{ else }}none{{ end }}", "[abc]" },
		{ "{{ with .y }}[{{ . }}]{{ else }}none {{ .x }}{{ end }}",
		    "none abc" },
		{ "{{ with .y }}a{{ else with .x }}[{{ . }}]{{ end }}",
		    "[abc]" },
		{ "{{ with $v := .x }}{{ $v }}{{ end }}", "abc" },
		{ "{{ if $v := .y }}a{{ else }}[{{ $v }}]{{ end }}", "[]" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
ranges_over_maps_lists_and_numbers(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ range . }}[{{ print . | len }}]{{ end }}",
		    "[3][2][2][3][0]" },
		{ "{{ range $k, $v := . }}{{ $k }}={{ len $v }};{{ end }}",
		    "bin=3;host-name=2;n=2;x=3;y=0;" },
		{ "{{ range 3 }}{{ . }}{{ end }}", "012" },
		{ "{{ range $i := 3 }}{{ $i }}{{ end }}", "012" },
		{ "{{ range 0 }}a{{ else }}none{{ end }}", "none" },
		{ "{{ range -2 }}a{{ else }}none{{ end }}", "none" },
		{ "{{ range .nope }}a{{ else }}none {{ .x }}{{ end }}",
		    "none abc" },
		{ "{{ range 5 }}{{ if eq . 3 }}{{ break }}{{ end }}{{ . }}{{ "
		  "end }}",
		    "012" },
		{ "{{ range 5 }}{{ if eq . 3 }}{{ continue }}{{ end }}{{ . "
		  "}}{{ end }}",
		    "0124" },
		{ "{{ range 2 }}{{ range 3 }}{{ if eq . 1 }}{{ break }}{{ end "
		  "}}{{ . }}{{ end }};{{ end }}",
		    "0;0;" },
		{ "{{ range 'c' }}{{ if gt . 3 }}{{ break }}{{ end }}{{ . }}{{ "
		  "end }}",
		    "0123" },
		{ "{{ $k := 0 }}{{ $v := 0 }}{{ range $k, $v = . }}{{ end }}{{ "
		  "$k }}{{ $v }}",
		    "y" },
		{ "{{ $e := 0 }}{{ range $e = 4 }}{{ end }}{{ $e }}", "3" },
		{ "{{ range $i, $c := . }}{{ $i }}{{ else }}x{{ end }}",
		    "binhost-namenxy" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
keeps_variables_within_their_block(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ $a := 1 }}{{ if true }}{{ $a := 2 }}{{ $a }}{{ end }}{{ "
		  "$a }}",
		    "21" },
		{ "{{ $a := 1 }}{{ if true }}{{ $a = 2 }}{{ end }}{{ $a }}",
		    "2" },
		{ "{{ $a := 1 }}{{ range 3 }}{{ $a = . }}{{ end }}{{ $a }}",
		    "2" },
		{ "{{ $a := .x }}{{ with 5 }}{{ $a }}{{ . }}{{ $.x }}{{ end }}",
		    "abc5abc" },
		{ "{{ $a = 1 }}",
		    "template: cfg:1:8: executing \"cfg\" at <1>: undefined "
		    "variable: $a" },
		{ "{{ if true }}{{ $b := 1 }}{{ end }}{{ $b }}",
		    "template: cfg:1: undefined variable \"$b\"" },
		{ "{{ range $i := 3 }}{{ $i }}{{ $x := 9 }}{{ end }}", "012" },
		{ "{{ range $i, $e := list 7 8 }}{{ $i }}{{ $e }}{{ $x := 9 "
		  "}}{{ end }}",
		    "0718" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
calls_templates_with_nothing_but_their_argument(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ define \"t\" }}<{{ . }}>{{ end }}{{ template \"t\" .x "
		  "}}{{ template \"t\" }}",
		    "<abc><<no value>>" },
		{ "{{ define \"t\" }}{{ $.x }}{{ .x }}{{ end }}{{ template "
		  "\"t\" . }}",
		    "abcabc" },
		{ "{{ $v := 1 }}{{ block \"b\" .x }}[{{ . }}]{{ end }}{{ "
		  "template \"b\" 2 }}",
		    "[abc][2]" },
		{ "{{ template \"nope\" . }}",
		    "template: cfg:1:12: executing \"cfg\" at <{{template "
		    "\"nope\" .}}>: template \"nope\" not defined" },
		{ "{{ define \"cfg\" }}own{{ end }}", "own" },
		{ "{{ define \"cfg\" }}own{{ end }}other",
		    "template: cfg:1: template: multiple definition of "
		    "template \"cfg\"" },
		{ "{{ define \"t\" }}1{{ end }}{{ define \"t\" }} {{ end }}{{ "
		  "template \"t\" }}",
		    "1" },
		{ "{{ define \"a\" }}{{ template \"b\" . }}{{ end }}{{ define "
		  "\"b\" }}\n{{ index . 9 }}{{ end }}{{ template \"a\" .x }}",
		    "template: cfg:2:3: executing \"b\" at <index . 9>: error "
		    "calling index: index out of range: (value withheld)" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
tells_where_and_why_it_failed(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ .x.y }}",
		    "template: cfg:1:5: executing \"cfg\" at <.x.y>: can't "
		    "evaluate field y in type string" },
		{ "line\n  {{ .x.y }}",
		    "template: cfg:2:7: executing \"cfg\" at <.x.y>: can't "
		    "evaluate field y in type string" },
		{ "{{ \"\303\251\" }}{{ .x.y }}",
		    "template: cfg:1:15: executing \"cfg\" at <.x.y>: can't "
		    "evaluate field y in type string" },
		{ "{{ .x 1 }}",
		    "template: cfg:1:3: executing \"cfg\" at <.x>: x is not a "
		    "method but has arguments" },
		{ "{{ 1 2 }}",
		    "template: cfg:1:3: executing \"cfg\" at <1>: can't give "
		    "argument to non-function 1" },
		{ "{{ .x | 1 }}",
		    "template: cfg:1: non executable command in pipeline stage "
		    "2" },
		{ "{{ nil }}",
		    "template: cfg:1:3: executing \"cfg\" at <nil>: nil is not "
		    "a command" },
		{ "{{ not }}",
		    "template: cfg:1:3: executing \"cfg\" at <not>: wrong "
		    "number of args for not: want 1 got 0" },
		{ "{{ not 1 2 }}",
		    "template: cfg:1:3: executing \"cfg\" at <not>: wrong "
		    "number of args for not: want 1 got 2" },
		{ "{{ printf }}",
		    "template: cfg:1:3: executing \"cfg\" at <printf>: wrong "
		    "number of args for printf: want at least 1 got 0" },
		{ "{{ printf 1 }}",
		    "template: cfg:1:10: executing \"cfg\" at <1>: expected "
		    "string; found 1" },
		{ "{{ printf .nope }}",
		    "template: cfg:1:10: executing \"cfg\" at <.nope>: invalid "
		    "value; expected string" },
		{ "{{ printf nil }}",
		    "template: cfg:1:10: executing \"cfg\" at <nil>: cannot "
		    "assign nil to string" },
		{ "{{ printf true }}",
		    "template: cfg:1:10: executing \"cfg\" at <true>: expected "
		    "string; found true" },
		{ "{{ printf . }}",
		    "template: cfg:1:10: executing \"cfg\" at <.>: wrong type "
		    "for value; expected string; got map[string]string" },
		{ "{{ len 3 }}",
		    "template: cfg:1:3: executing \"cfg\" at <len 3>: error "
		    "calling len: len of type int" },
		{ "{{ len nil }}",
		    "template: cfg:1:3: executing \"cfg\" at <len nil>: error "
		    "calling len: reflect: call of reflect.Value.Type on zero "
		    "Value" },
		{ "{{ len .nope }}",
		    "template: cfg:1:3: executing \"cfg\" at <len .nope>: "
		    "error calling len: reflect: call of reflect.Value.Type on "
		    "zero Value" },
		{ "{{ 18446744073709551615 }}",
		    "template: cfg:1:3: executing \"cfg\" at "
		    "<18446744073709551615>: 18446744073709551615 overflows "
		    "int" },
		{ "{{ call .x }}",
		    "template: cfg:1:3: executing \"cfg\" at <call .x>: error "
		    "calling call: non-function .x of type string" },
		{ "{{ call nil }}",
		    "template: cfg:1:3: executing \"cfg\" at <call nil>: error "
		    "calling call: call of nil" },
		{ "{{ .x | call }}",
		    "template: cfg:1:8: executing \"cfg\" at <call>: error "
		    "calling call: non-function (value withheld) of type "
		    "string" },
		{ "{{ (print 1).y }}",
		    "template: cfg:1:10: executing \"cfg\" at <1>: can't "
		    "evaluate field y in type string" },
		{ "{{ ($).x.z }}",
		    "template: cfg:1:4: executing \"cfg\" at <$>: can't "
		    "evaluate field z in type string" },
		{ "{{ index .x \"a\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <index .x \"a\">: "
		    "error calling index: cannot index slice/array with type "
		    "string" },
		{ "{{ template \"t\" .x.y }}",
		    "template: cfg:1:12: executing \"cfg\" at <{{template "
		    "\"t\" .x.y}}>: template \"t\" not defined" },
		{ "{{ print (index 1 2) }}",
		    "template: cfg:1:10: executing \"cfg\" at <index 1 2>: "
		    "error calling index: can't index item of type int" },
		{ "{{ range .x }}{{ end }}",
		    "template: cfg:1:9: executing \"cfg\" at <.x>: range can't "
		    "iterate over (value withheld)" },
		{ "{{ range 1.5 }}{{ end }}",
		    "template: cfg:1:9: executing \"cfg\" at <1.5>: range "
		    "can't iterate over (value withheld)" },
		{ "{{ range $i, $e := 3 }}{{ end }}",
		    "template: cfg:1:19: executing \"cfg\" at <3>: can't use "
		    "(value withheld) to iterate over more than one variable" },
		{ "{{ and }}",
		    "template: cfg:1:3: executing \"cfg\" at <and>: wrong "
		    "number of args for and: want at least 1 got 0" },
		{ "{{ lt 1 }}",
		    "template: cfg:1:3: executing \"cfg\" at <lt>: wrong "
		    "number of args for lt: want 2 got 1" },
		{ "{{ 1 | and 0 | or }}", "0" },
		{ "{{ printf \"%d\" 3 | len | printf }}",
		    "template: cfg:1:25: executing \"cfg\" at <printf>: wrong "
		    "type for value; expected string; got int" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
binary_values_pass_through(void **state UNUSED)
{
	static const char text[] = "\xfe\0{{ .bin }}\0\xfd";
	struct tmpl_source src = { "cfg", text, sizeof(text) - 1 };
	struct tmpl_datum bin = { "bin", "\xff\0\x41", 3 };
	struct tmpl_input in = {
		.sources = &src, .nsources = 1, .data = &bin, .ndata = 1
	};
	AUTO(tmpl_result) struct tmpl_result *r = tmpl_render(&in);

	assert_null(r->outputs[0].error);
	assert_int_equal(r->outputs[0].len, 7);
	assert_memory_equal(r->outputs[0].data, "\xfe\0\xff\0\x41\0\xfd", 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_values_of_actions),
		cmocka_unit_test(branches_on_go_s_truth),
		cmocka_unit_test(ranges_over_maps_lists_and_numbers),
		cmocka_unit_test(keeps_variables_within_their_block),
		cmocka_unit_test(
		    calls_templates_with_nothing_but_their_argument),
		cmocka_unit_test(tells_where_and_why_it_failed),
		cmocka_unit_test(binary_values_pass_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
