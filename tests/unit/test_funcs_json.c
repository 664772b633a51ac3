/*
 * Tests of controller/tmpl/funcs_json.c: sprig's JSON functions.
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
writes_the_three_styles(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ dict \"h\" \"<&>\" \"l\" (list 1 nil) | toJson }} {{ "
		  "dict \"h\" \"<&>\" | toRawJson }} {{ dict \"a\" (list 1 "
		  "(dict)) \"b\" (list) \"c\" (dict \"<\" nil) | toPrettyJson "
		  "}}",
		    "{\"h\":\"\\u003c\\u0026\\u003e\",\"l\":[1,null]} "
		    "{\"h\":\"<&>\"} {\n  \"a\": [\n    1,\n    {}\n  ],\n  "
		    "\"b\": [],\n  \"c\": {\n    \"\\u003c\": null\n  }\n}" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
reads_everything(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ fromJson "
		  "\"{\\\"a\\\":[1,true,null,\\\"x\\\"],\\\"b\\\":{\\\"c\\\":1."
		  "5}}\" }} {{ typeOf (fromJson \"1\") }} {{ fromJson \"null\" "
		  "}} {{ mustFromJson \"[]\" | toJson }}",
		    "map[a:[1 true <nil> x] b:map[c:1.5]] float64 <no value> "
		    "[]" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
gives_nothing_for_what_is_malformed(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ fromJson \"not json\" }} {{ fromJson \"\" }} {{ fromJson "
		  "\"{\\\"a\\\":1,\\\"b\\\":1e999,\\\"c\\\":3}\" | toJson }} "
		  "{{ fromJson \"[1\" | toJson }}|{{ toJson (float64 \"inf\") "
		  "}}|{{ toPrettyJson (list (float64 \"nan\")) }}|",
		    "<no value> <no value> {\"a\":1,\"b\":null,\"c\":3} "
		    "null|||" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
reports_errors_where_asked_to(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ mustFromJson \"x\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"x\">: error calling mustFromJson: invalid character "
		    "(value withheld) looking for beginning of value" },
		{ "{{ mustFromJson \"\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"\">: error calling mustFromJson: unexpected end of JSON "
		    "input" },
		{ "{{ mustFromJson \"1e999\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustFromJson "
		    "\"1e999\">: error calling mustFromJson: json: cannot "
		    "unmarshal number (value withheld) into Go value of type "
		    "float64" },
		{ "{{ mustToJson (float64 \"inf\") }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustToJson "
		    "(float64 \"inf\")>: error calling mustToJson: json: "
		    "unsupported value: (value withheld)" },
		{ "{{ toRawJson (float64 \"nan\") }}",
		    "template: cfg:1:3: executing \"cfg\" at <toRawJson "
		    "(float64 \"nan\")>: error calling toRawJson: json: "
		    "unsupported value: (value withheld)" },
		{ "{{ mustToPrettyJson (list (float64 \"nan\")) }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustToPrettyJson "
		    "(list (float64 \"nan\"))>: error calling "
		    "mustToPrettyJson: json: unsupported value: (value "
		    "withheld)" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
detects_cycles(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ $d := dict }}{{ $_ := set $d \"a\" (list $d) }}{{ toJson "
		  "$d }}|",
		    "|" },
		{ "{{ $d := dict }}{{ $_ := set $d \"a\" $d }}{{ mustToJson $d "
		  "}}",
		    "template: cfg:1:44: executing \"cfg\" at <mustToJson $d>: "
		    "error calling mustToJson: json: unsupported value: "
		    "encountered a cycle via map[string]interface {}" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
large_results_and_long_work_end_with_the_budget(void **state UNUSED)
{
	static const char *const texts[] = {
		"{{ $s := repeat 1000000 \"[],\" }}{{ range until 100 }}{{ $l "
		":= fromJson (print \"[\" $s \"1]\") }}{{ end }}",
		"{{ $l := list 1 }}{{ range until 20 }}{{ $l = list $l $l $l "
		"$l }}{{ end }}{{ $s := toJson $l }}",
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
		cmocka_unit_test(writes_the_three_styles),
		cmocka_unit_test(reads_everything),
		cmocka_unit_test(gives_nothing_for_what_is_malformed),
		cmocka_unit_test(reports_errors_where_asked_to),
		cmocka_unit_test(detects_cycles),
		cmocka_unit_test(
		    large_results_and_long_work_end_with_the_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
