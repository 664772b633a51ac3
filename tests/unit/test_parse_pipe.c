/*
 * Tests of controller/tmpl/parse_pipe.c: pipelines and literals.
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
imaginary_numbers_are_refused(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ 2i }}",
		    "template: cfg:1: imaginary number \"2i\" is not "
		    "supported" },
		{ "\n{{ 1+2i }}",
		    "template: cfg:2: imaginary number \"1+2i\" is not "
		    "supported" },
		{ "{{ 0xi }}",
		    "template: cfg:1: illegal number syntax: \"0xi\"" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
reads_every_kind_of_literal(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ 10 }} {{ 0x1F }} {{ 0o17 }} {{ 017 }} {{ 0b101 }} {{ "
		  "1_000 }}",
		    "10 31 15 15 5 1000" },
		{ "{{ 1.5 }} {{ 1e3 }} {{ 0x1p4 }} {{ .5 }} {{ -2 }} {{ +2 }}",
		    "1.5 1000 16 0.5 -2 2" },
		{ "{{ 'a' }} {{ '\\u00e9' }}", "97 233" },
		{ "{{ \"a\\tb\" }}{{ `c\\t` }}", "a\tbc\\t" },
		{ "{{ true }} {{ false }} {{ print nil }}",
		    "true false <nil>" },
		{ "{{ 1a }}", "template: cfg:1: bad number syntax: \"1a\"" },
		{ "{{ 99999999999999999999 }}",
		    "template: cfg:1: integer overflow: "
		    "\"99999999999999999999\"" },
		{ "{{ 'ab' }}",
		    "template: cfg:1: malformed character constant: 'ab'" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
reads_commands_and_declarations(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ $a := 1 }}{{ $a = add $a 2 | add 3 }}{{ $a }}", "6" },
		{ "{{ range $i, $e := list 7 8 }}{{ $i }}{{ $e }};{{ end }}",
		    "07;18;" },
		{ "{{ (dict \"a\" (dict \"b\" 5)).a.b }}", "5" },
		{ "{{ $b }}", "template: cfg:1: undefined variable \"$b\"" },
		{ "{{ 1 | 2 }}",
		    "template: cfg:1: non executable command in pipeline stage "
		    "2" },
		{ "{{ $a, $b := 1 }}",
		    "template: cfg:1: too many declarations in command" },
		{ "{{ $x := }}", "template: cfg:1: missing value for command" },
		{ "{{ \"a\".b }}",
		    "template: cfg:1: unexpected . after term \"\\\"a\\\"\"" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(imaginary_numbers_are_refused),
		cmocka_unit_test(reads_every_kind_of_literal),
		cmocka_unit_test(reads_commands_and_declarations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
