/*
 * Tests of controller/tmpl/eval.c: values of pipelines.
 * layer: tmpl
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tmplrig.h"

static void
knows_what_an_interface_holds(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ (index (list nil) 0).Year }}", "<no value>" },
		{ "{{ range list nil 1 }}[{{ . }}]{{ end }}",
		    "[<no value>][1]" },
		{ "{{ range list nil }}{{ .x }}{{ end }}",
		    "template: cfg:1:23: executing \"cfg\" at <.x>: nil "
		    "pointer evaluating interface {}.x" },
		{ "{{ (dict \"a\" nil).a }}", "<no value>" },
		{ "{{ (dict \"a\" nil).a.b }}",
		    "template: cfg:1:13: executing \"cfg\" at <nil>: nil "
		    "pointer evaluating interface {}.b" },
		{ "{{ (dict \"a\" 1).a.b }}",
		    "template: cfg:1:13: executing \"cfg\" at <1>: can't "
		    "evaluate field b in type interface {}" },
		{ "{{ upper (index (list nil) 0) }}",
		    "template: cfg:1:27: executing \"cfg\" at <0>: invalid "
		    "value; expected string" },
		{ "{{ upper (dict \"a\" nil).a }}",
		    "template: cfg:1:19: executing \"cfg\" at <nil>: wrong "
		    "type for value; expected string; got interface {}" },
		{ "{{ upper (dict \"a\" 1).a }}",
		    "template: cfg:1:19: executing \"cfg\" at <1>: wrong type "
		    "for value; expected string; got int" },
		{ "{{ upper (dict \"a\" \"x\").a }}", "X" },
		{ "{{ upper (dict).a }}",
		    "template: cfg:1:10: executing \"cfg\" at <dict>: invalid "
		    "value; expected string" },
		{ "{{ len (dict \"a\" nil).a }}",
		    "template: cfg:1:3: executing \"cfg\" at <len (dict \"a\" "
		    "nil).a>: error calling len: len of nil pointer" },
		{ "{{ upper coalesce }}",
		    "template: cfg:1:9: executing \"cfg\" at <coalesce>: wrong "
		    "type for value; expected string; got interface {}" },
		{ "{{ $x := index (list nil) 0 }}{{ $x }}{{ $x.y }}",
		    "<no value><no value>" },
		{ "{{ with index (list nil 1) 1 }}{{ .x }}{{ end }}",
		    "template: cfg:1:34: executing \"cfg\" at <.x>: can't "
		    "evaluate field x in type int" },
		{ "{{ eq (dict \"a\" nil).a nil }}", "true" },
		{ "{{ index (dict \"a\" (list 5)).a 0 }}", "5" },
		{ "{{ not (dict \"a\" 0).a }}", "true" },
		{ "{{ (list 1).x }}",
		    "template: cfg:1:9: executing \"cfg\" at <1>: can't "
		    "evaluate field x in type []interface {}" },
		{ "{{ range $k, $v := dict \"b\" 2 \"a\" nil }}{{ $k }}={{ $v "
		  "}};{{ end }}",
		    "a=<no value>;b=2;" },
		{ "{{ $d := dict \"a\" 1 }}{{ range $k, $v := $d }}{{ $_ := "
		  "set $d \"b\" 2 }}{{ $k }}{{ end }}{{ len $d }}",
		    "a2" },
		{ "{{ printf \"%v\" (dict \"a\" nil).a }}", "<nil>" },
		{ "{{ print (dict \"a\" nil).a (list nil) }}",
		    "<nil> [<nil>]" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
fits_arguments_to_parameters(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ trunc 2 .x }} {{ .x | trunc 2 }}", "ab ab" },
		{ "{{ and 0 .y.z }}", "0" },
		{ "{{ and 0 (fail \"x\") }} {{ or 1 (fail \"x\") }}", "0 1" },
		{ "{{ trunc \"a\" .x }}",
		    "template: cfg:1:9: executing \"cfg\" at <\"a\">: expected "
		    "integer; found \"a\"" },
		{ "{{ trunc .x .x }}",
		    "template: cfg:1:9: executing \"cfg\" at <.x>: wrong type "
		    "for value; expected int; got string" },
		{ "{{ trunc 1 }}",
		    "template: cfg:1:3: executing \"cfg\" at <trunc>: wrong "
		    "number of args for trunc: want 2 got 1" },
		{ "{{ trunc nil .x }}",
		    "template: cfg:1:9: executing \"cfg\" at <nil>: cannot "
		    "assign nil to int" },
		{ "{{ 1 2 }}",
		    "template: cfg:1:3: executing \"cfg\" at <1>: can't give "
		    "argument to non-function 1" },
		{ "{{ .x.a }}",
		    "template: cfg:1:5: executing \"cfg\" at <.x.a>: can't "
		    "evaluate field a in type string" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
each_field_of_a_chain_is_a_step(void **state UNUSED)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(65536);
	struct tmpl_budget budget = tmpl_budget_default;
	AUTO_STR char *error = NULL;

	budget.cpu_ms = 100000;
	buf_puts(&b, "{{ range 20000 }}{{ with $ }}{{ $x := ");
	for (unsigned i = 0; i < 800; i++)
		buf_puts(&b, ".q");
	buf_puts(&b, " }}{{ end }}{{ end }}");
	error = tmplrig_error(buf_str(&b), &budget);
	assert_non_null(error);
	assert_non_null(strstr(error, "out of budget: steps"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_what_an_interface_holds),
		cmocka_unit_test(fits_arguments_to_parameters),
		cmocka_unit_test(each_field_of_a_chain_is_a_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
