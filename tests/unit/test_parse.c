/*
 * Tests of controller/tmpl/parse.c.
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
#include "controller/tmpl/parse.h"
#include "tmplrig.h"

static void
refuses_what_go_refuses_with_its_words(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ nope }}",
		    "template: cfg:1: function \"nope\" not defined" },
		{ "{{ $x }}", "template: cfg:1: undefined variable \"$x\"" },
		{ "{{ if }}{{ end }}",
		    "template: cfg:1: missing value for if" },
		{ "{{ if 1 }}", "template: cfg:1: unexpected EOF" },
		{ "{{ end }}", "template: cfg:1: unexpected {{end}}" },
		{ "{{ else }}", "template: cfg:1: unexpected {{else}}" },
		{ "{{ if 1 }}{{ else }}{{ else }}{{ end }}",
		    "template: cfg:1: expected end; found {{else}}" },
		{ "{{ range }}{{ end }}",
		    "template: cfg:1: missing value for range" },
		{ "{{ with }}{{ end }}",
		    "template: cfg:1: missing value for with" },
		{ "{{", "template: cfg:1: unclosed action" },
		{ "{{ 1", "template: cfg:1: unclosed action" },
		{ "{{ (1 }}", "template: cfg:1: unclosed left paren" },
		{ "{{ 1) }}", "template: cfg:1: unexpected right paren" },
		{ "{{ \"a }}", "template: cfg:1: unterminated quoted string" },
		{ "{{ `a }}",
		    "template: cfg:1: unterminated raw quoted string" },
		{ "{{ 'a }}",
		    "template: cfg:1: unterminated character constant" },
		{ "{{ 'ab' }}",
		    "template: cfg:1: malformed character constant: 'ab'" },
		{ "{{ '' }}", "template: cfg:1: invalid syntax" },
		{ "{{ /* x */ }}",
		    "template: cfg:1: unexpected \"/\" in command" },
		{ "{{/* x }}", "template: cfg:1: unclosed comment" },
		{ "{{ }}", "template: cfg:1: missing value for command" },
		{ "{{ | }}", "template: cfg:1: unexpected \"|\" in command" },
		{ "{{ 1 | 2 }}",
		    "template: cfg:1: non executable command in pipeline stage "
		    "2" },
		{ "{{ print | .x | true }}",
		    "template: cfg:1: non executable command in pipeline stage "
		    "3" },
		{ "{{ print | nil }}",
		    "template: cfg:1: non executable command in pipeline stage "
		    "2" },
		{ "{{ break }}",
		    "template: cfg:1: {{break}} outside {{range}}" },
		{ "{{ continue }}",
		    "template: cfg:1: {{continue}} outside {{range}}" },
		{ "{{ if 1 }}{{ break }}{{ end }}",
		    "template: cfg:1: {{break}} outside {{range}}" },
		{ "{{ with 1 }}{{ continue }}{{ end }}",
		    "template: cfg:1: {{continue}} outside {{range}}" },
		{ "{{ range 1 }}{{ end }}{{ break }}",
		    "template: cfg:1: {{break}} outside {{range}}" },
		{ "{{ range 1 }}{{ block \"b\" . }}{{ break }}{{ end }}{{ end "
		  "}}",
		    "template: cfg:1: {{break}} outside {{range}}" },
		{ "{{ range 1 }}{{ else }}{{ break }}{{ end }}",
		    "template: cfg:1: {{break}} outside {{range}}" },
		{ "{{ break 1 }}",
		    "template: cfg:1: unexpected \"1\" in {{break}}" },
		{ "{{ define }}",
		    "template: cfg:1: unexpected \"}}\" in define clause" },
		{ "{{ define x }}{{ end }}",
		    "template: cfg:1: unexpected \"x\" in define clause" },
		{ "{{ if 1 }}{{ define \"t\" }}{{ end }}{{ end }}",
		    "template: cfg:1: unexpected <define> in command" },
		{ "{{ define \"t\" }}", "template: cfg:1: unexpected EOF" },
		{ "{{ define \"t\" }}{{ else }}{{ end }}",
		    "template: cfg:1: unexpected {{else}} in define clause" },
		{ "{{ block \"t\" }}{{ end }}",
		    "template: cfg:1: missing value for block clause" },
		{ "{{ template }}",
		    "template: cfg:1: unexpected \"}}\" in template clause" },
		{ "{{ template x }}",
		    "template: cfg:1: unexpected \"x\" in template clause" },
		{ "{{ template \"x\" | }}",
		    "template: cfg:1: unexpected \"|\" in template clause" },
		{ "{{ $a, $b := 1 }}",
		    "template: cfg:1: too many declarations in command" },
		{ "{{ range $a, $b, $c := . }}{{ end }}",
		    "template: cfg:1: too many declarations in range" },
		{ "{{ range $a, 1 }}{{ end }}",
		    "template: cfg:1: range can only initialize variables" },
		{ "{{ $a := }}", "template: cfg:1: missing value for command" },
		{ "{{ 1.2.3 }}",
		    "template: cfg:1: unexpected \".3\" in operand" },
		{ "{{ 08 }}", "template: cfg:1: integer overflow: \"08\"" },
		{ "{{ 99999999999999999999 }}",
		    "template: cfg:1: integer overflow: "
		    "\"99999999999999999999\"" },
		{ "{{ 1__0 }}",
		    "template: cfg:1: illegal number syntax: \"1__0\"" },
		{ "{{ 0x }}",
		    "template: cfg:1: illegal number syntax: \"0x\"" },
		{ "{{ 1e }}",
		    "template: cfg:1: illegal number syntax: \"1e\"" },
		{ "{{ 3x }}", "template: cfg:1: bad number syntax: \"3x\"" },
		{ "{{ .x- }}", "template: cfg:1: bad character U+002D '-'" },
		{ "{{ print- }}", "template: cfg:1: bad character U+002D '-'" },
		{ "{{ $x- }}", "template: cfg:1: bad character U+002D '-'" },
		{ "{{ - }}", "template: cfg:1: illegal number syntax: \"-\"" },
		{ "{{ a:b }}", "template: cfg:1: function \"a\" not defined" },
		{ "{{ len(.x) }}",
		    "template: cfg:1: unexpected \"(\" in operand" },
		{ "{{ 1.x }}", "template: cfg:1: bad number syntax: \"1.x\"" },
		{ "{{ nil.x }}",
		    "template: cfg:1: unexpected . after term \"nil\"" },
		{ "{{ true.x }}",
		    "template: cfg:1: unexpected . after term \"true\"" },
		{ "{{ \"a\".x }}",
		    "template: cfg:1: unexpected . after term \"\\\"a\\\"\"" },
		{ "{{ ..x }}",
		    "template: cfg:1: unexpected . after term \".\"" },
		{ "{{ @ }}", "template: cfg:1: unexpected \"@\" in command" },
		{ "{{ \302\240 }}",
		    "template: cfg:1: unrecognized character in action: "
		    "U+00A0" },
		{ "{{ \"\\q\" }}", "template: cfg:1: invalid syntax" },
		{ "{{ define \"a\\qb\" }}{{ end }}",
		    "template: cfg:1: invalid syntax" },
		{ "\n\n{{ nope }}",
		    "template: cfg:3: function \"nope\" not defined" },
		{ "{{ print\n nope }}",
		    "template: cfg:2: function \"nope\" not defined" },
		{ "{{ print\n \"x }}",
		    "template: cfg:2: unterminated quoted string in action "
		    "started at cfg:1" },
		{ "{{ print\n (1 }}",
		    "template: cfg:2: unclosed left paren in action started at "
		    "cfg:1" },
		{ "{{ .x }}\n{{ if", "template: cfg:2: unclosed action" },
		{ "{{ if 1 }}\n{{ end", "template: cfg:2: unclosed action" },
		{ "{{ else if 1 }}", "template: cfg:1: unexpected {{else}}" },
		{ "{{ print = 1 }}",
		    "template: cfg:1: unexpected \"=\" in operand" },
		{ "{{ env \"HOME\" }}",
		    "template: cfg:1: function \"env\" not defined" },
		{ "{{ expandenv \"$HOME\" }}",
		    "template: cfg:1: function \"expandenv\" not defined" },
		{ "{{ getHostByName \"h\" }}",
		    "template: cfg:1: function \"getHostByName\" not defined" },
		{ "{{ {{ }}", "template: cfg:1: unexpected \"{\" in command" },
		{ "{{ if 1 }}{{ else with 1 }}{{ end }}{{ end }}",
		    "template: cfg:1: unexpected <with> in input" },
		{ "{{ print , 1 }}",
		    "template: cfg:1: unexpected \",\" in operand" },
		{ "{{ end 1 }}", "template: cfg:1: unexpected \"1\" in end" },
		{ "{{ else 1 }}", "template: cfg:1: unexpected \"1\" in else" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
accepts_what_go_accepts(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "", "" },
		{ "{{ 1 | }}", "1" },
		{ "{{/* a */}}x{{- /* b */ -}} y", "xy" },
		{ "a {{- 1 -}} b", "a1b" },
		{ "a\n\n{{- 1 }} {{ 2 -}}\n\t b", "a1 2b" },
		{ "{{-3}}", "-3" },
		{ "{{ 3 -}} a", "3a" },
		{ "{{ \"a\" \n | print }}", "a" },
		{ "{{if 1}}{{end}}{{define \"x\"}}{{end}}", "" },
		{ "{{ $break := 1 }}{{ $break }}", "1" },
		{ "{{ .if }}{{ .range.end }}", "<no value><no value>" },
		{ "{{ if 1 }}a{{ else }}{{ if 2 }}b{{ end }}{{ end }}", "a" },
		{ "{{(1)}}{{((.x))}}", "1abc" },
		{ "{{ '\\n' }}{{ '\\'' }}{{ '\\x41' }}", "103965" },
		{ "{{print 1|print}}", "1" },
		{ "a }} b", "a }} b" },
		{ "{{ ``}}x", "x" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
finds_every_definition_of_a_source(void **state UNUSED)
{
	static const char text[] =
	    "a{{ define \"t\" }}b{{ end }}{{ block \"u\" . }}c{{ end }}";
	struct tree_set set;
	struct env e;

	tmplrig_env(&e);
	assert_int_equal(parse_source(&e, "cfg", text, strlen(text), &set), 0);
	assert_non_null(tree_find(&set, (struct span) { "cfg", 3 }));
	assert_non_null(tree_find(&set, (struct span) { "t", 1 }));
	assert_non_null(tree_find(&set, (struct span) { "u", 1 }));
	assert_null(tree_find(&set, (struct span) { "b", 1 }));
	env_release(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_go_refuses_with_its_words),
		cmocka_unit_test(accepts_what_go_accepts),
		cmocka_unit_test(finds_every_definition_of_a_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
