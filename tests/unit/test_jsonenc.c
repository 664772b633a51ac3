/*
 * Tests of controller/tmpl/jsonenc.c: the JSON encoder.
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
escapes_as_go_does(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ toJson "
		  "\"\\\"\\\\\\b\\f\\n\\r\\t\\x01\\x1f\\x7f<>&"
		  "\\u2028\\u2029\303\251\\xff\\x00\" }}",
		    "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\177\\u003c\\u003e"
		    "\\u0026\\u2028\\u2029\303\251\\ufffd\\u0000\"" },
		{ "{{ toRawJson \"<>&\\u2028\\\"\" }} {{ toJson (dict "
		  "\"\\xff<\" 1) }}",
		    "\"<>&\\u2028\\\"\" {\"\\ufffd\\u003c\":1}" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
writes_floats_as_go_does(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ range list 0.0 -0.0 1.5 100000.0 1e20 1e21 1.5e300 "
		  "0.000001 0.0000001 -1e-10 1e-320 123456789.0 0.1 }}{{ "
		  "toJson . }} {{ end }}",
		    "0 -0 1.5 100000 100000000000000000000 1e+21 1.5e+300 "
		    "0.000001 1e-7 -1e-10 1e-320 123456789 0.1 " },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
writes_every_kind(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ toJson (list nil true 1 (add 1) 2.5 \"a\" (list) (rest "
		  "(list)) (dict) (until 2) (split \",\" \"a,b\") (index \"a\" "
		  "0) (semver \"1.2.3\")) }}",
		    "[null,true,1,1,2.5,\"a\",[],null,{},[0,1],{\"_0\":\"a\","
		    "\"_1\":\"b\"},97,\"1.2.3\"]" },
		{ "{{ toJson (toDate \"2006-01-02\" \"2020-03-04\") }}",
		    "\"2020-03-04T00:00:00Z\"" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
indents(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ toPrettyJson (list (list) (dict) (list (list 1)) (dict "
		  "\"a\" (dict \"b\" 2) \"c\" 3)) }} {{ toPrettyJson 1 }}",
		    "[\n  [],\n  {},\n  [\n    [\n      1\n    ]\n  ],\n  {\n  "
		    "  \"a\": {\n      \"b\": 2\n    },\n    \"c\": 3\n  }\n] "
		    "1" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes_as_go_does),
		cmocka_unit_test(writes_floats_as_go_does),
		cmocka_unit_test(writes_every_kind),
		cmocka_unit_test(indents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
