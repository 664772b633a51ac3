/*
 * Tests of controller/tmpl/funcs_dict.c: sprig's functions on dictionaries.
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
makes_dictionaries_of_pairs(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ dict \"b\" 1 \"a\" \"x\" }} {{ dict 1 2 \"k\" }} {{ dict "
		  "nil 1 }} {{ dict }} {{ dict \"a\" 1 \"a\" 2 }}",
		    "map[a:x b:1] map[1:2 k:] map[<nil>:1] map[] map[a:2]" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
reads(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ get (dict \"a\" 1) \"a\" }}|{{ get (dict) \"x\" }}|{{ "
		  "hasKey (dict \"a\" nil) \"a\" }} {{ hasKey (dict) \"a\" }} "
		  "{{ hasKey nil \"a\" }}|{{ get nil \"a\" }}|{{ get (dict "
		  "\"a\" nil) \"a\" }}",
		    "1||true false false||<no value>" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
changes_what_other_variables_see(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ $d := dict \"a\" 1 }}{{ $e := set $d \"b\" 2 }}{{ $d }} "
		  "{{ $f := unset $e \"a\" }}{{ $d }} {{ $e }} {{ $f }}",
		    "map[a:1 b:2] map[b:2] map[b:2] map[b:2]" },
		{ "{{ $d := dict }}{{ $l := list $d }}{{ $_ := set $d \"x\" 1 "
		  "}}{{ $l }}",
		    "[map[x:1]]" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
refuses_to_write_a_nil_map(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ set nil \"a\" 1 }}",
		    "template: cfg:1:3: executing \"cfg\" at <set nil \"a\" "
		    "1>: error calling set: assignment to entry in nil map" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
lists_keys_and_values_in_order(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ keys (dict \"b\" 1 \"a\" 2) (dict \"a\" 3) | sortAlpha "
		  "}} {{ keys | toJson }} {{ values (dict \"a\" 2) }} {{ "
		  "values (dict) | toJson }} {{ typeOf (keys (dict)) }}",
		    "[a a b] [] [2] [] []string" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
selects_keys(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ pick (dict \"a\" 1 \"b\" 2) \"a\" \"z\" }} {{ omit (dict "
		  "\"a\" 1 \"b\" 2) \"a\" \"z\" }} {{ pick (dict) }} {{ pluck "
		  "\"a\" (dict \"a\" 1) (dict) (dict \"a\" nil) }} {{ pluck "
		  "\"a\" | toJson }}",
		    "map[a:1] map[b:2] map[] [1 <nil>] []" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
digs(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ dig \"a\" \"b\" \"z\" (dict \"a\" (dict \"b\" 1)) }} {{ "
		  "dig \"a\" \"z\" \"2\" (dict \"a\" (dict \"b\" 1)) }} {{ dig "
		  "\"x\" \"d\" (dict) }} {{ dig \"a\" \"d\" (dict \"a\" nil) "
		  "}}|{{ dig \"a\" \"d\" (dict \"a\" \"\") }}|",
		    "1 2 d <no value>||" },
		{ "{{ dig \"a\" (dict) }}",
		    "template: cfg:1:3: executing \"cfg\" at <dig \"a\" "
		    "(dict)>: error calling dig: dig needs at least three "
		    "arguments" },
		{ "{{ dig \"a\" \"b\" \"d\" (dict \"a\" nil) }}",
		    "template: cfg:1:3: executing \"cfg\" at <dig \"a\" \"b\" "
		    "\"d\" (dict \"a\" nil)>: error calling dig: interface "
		    "conversion: interface {} is nil, not map[string]interface "
		    "{}" },
		{ "{{ dig \"a\" \"b\" \"d\" (dict \"a\" 1) }}",
		    "template: cfg:1:3: executing \"cfg\" at <dig \"a\" \"b\" "
		    "\"d\" (dict \"a\" 1)>: error calling dig: interface "
		    "conversion: interface {} is int, not map[string]interface "
		    "{}" },
		{ "{{ dig 1 \"d\" (dict) }}",
		    "template: cfg:1:3: executing \"cfg\" at <dig 1 \"d\" "
		    "(dict)>: error calling dig: interface conversion: "
		    "interface {} is int, not string" },
		{ "{{ dig \"a\" \"d\" (list) }}",
		    "template: cfg:1:3: executing \"cfg\" at <dig \"a\" \"d\" "
		    "(list)>: error calling dig: interface conversion: "
		    "interface {} is []interface {}, not map[string]interface "
		    "{}" },
		{ "{{ dig \"a\" \"d\" nil }}",
		    "template: cfg:1:3: executing \"cfg\" at <dig \"a\" \"d\" "
		    "nil>: error calling dig: interface conversion: interface "
		    "{} is nil, not map[string]interface {}" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
merges_into_the_first(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ $d := dict \"a\" \"one\" \"d\" (dict \"f\" 5) \"g\" "
		  "(list 8 9) \"k\" (dict \"l\" true) }}{{ $_ := merge $d "
		  "(dict \"a\" 1 \"b\" 2 \"d\" (dict \"e\" \"four\") \"g\" "
		  "(list 6 7) \"k\" (dict \"l\" false)) }}{{ toJson $d }}",
		    "{\"a\":\"one\",\"b\":2,\"d\":{\"e\":\"four\",\"f\":5},"
		    "\"g\":[8,9],\"k\":{\"l\":true}}" },
		{ "{{ $d := dict \"a\" \"one\" \"d\" (dict \"f\" 5) \"g\" "
		  "(list 8 9) \"k\" (dict \"l\" true) }}{{ $_ := "
		  "mergeOverwrite $d (dict \"a\" 1 \"b\" 2 \"d\" (dict \"e\" "
		  "\"four\") \"g\" (list 6 7) \"k\" (dict \"l\" false)) }}{{ "
		  "toJson $d }}",
		    "{\"a\":1,\"b\":2,\"d\":{\"e\":\"four\",\"f\":5},\"g\":[6,"
		    "7],\"k\":{\"l\":false}}" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
refuses_different_types_only_where_mergo_does(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ merge (dict \"a\" (semver \"1.2.3\")) (dict \"a\" (dict "
		  "\"b\" 1)) | toJson }}",
		    "\"\"" },
		{ "{{ mustMerge (dict \"a\" (semver \"1.2.3\")) (dict \"a\" "
		  "(dict \"b\" 1)) }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustMerge (dict "
		    "\"a\" (semver \"1.2.3\")) (dict \"a\" (dict \"b\" 1))>: "
		    "error calling mustMerge: src and dst must be of same "
		    "type" },
		{ "{{ mustMergeOverwrite (dict \"a\" (semver \"1.2.3\")) (dict "
		  "\"a\" (dict \"b\" 1)) }}",
		    "map[a:map[b:1]]" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
copies_deeply(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ $d := dict \"a\" (dict \"b\" (list 1 nil)) }}{{ $c := "
		  "deepCopy $d }}{{ $_ := set $c.a \"x\" 1 }}{{ $d }} {{ $c }} "
		  "{{ deepCopy \"s\" }} {{ deepCopy (rest (list)) | toJson }}",
		    "map[a:map[b:[1 <nil>]]] map[a:map[b:[1 <nil>] x:1]] s "
		    "null" },
		{ "{{ deepCopy nil }}",
		    "template: cfg:1:3: executing \"cfg\" at <deepCopy nil>: "
		    "error calling deepCopy: reflect: call of "
		    "reflect.Value.Type on zero Value" },
		{ "{{ mustDeepCopy nil }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustDeepCopy "
		    "nil>: error calling mustDeepCopy: reflect: call of "
		    "reflect.Value.Type on zero Value" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
large_results_and_long_work_end_with_the_budget(void **state UNUSED)
{
	static const char *const texts[] = {
		"{{ $d := dict }}{{ $_ := set $d \"self\" $d }}{{ $c := "
		"deepCopy $d }}",
		"{{ $a := dict }}{{ $_ := set $a \"x\" $a }}{{ $b := dict }}{{ "
		"$_ := set $b \"x\" $b }}{{ $m := merge $a $b }}",
		"{{ $d := dict }}{{ range until 100000 }}{{ $_ := set $d "
		"(toString .) 1 }}{{ end }}{{ range until 10000 }}{{ $k := "
		"keys $d }}{{ end }}",
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
		cmocka_unit_test(makes_dictionaries_of_pairs),
		cmocka_unit_test(reads),
		cmocka_unit_test(changes_what_other_variables_see),
		cmocka_unit_test(refuses_to_write_a_nil_map),
		cmocka_unit_test(lists_keys_and_values_in_order),
		cmocka_unit_test(selects_keys),
		cmocka_unit_test(digs),
		cmocka_unit_test(merges_into_the_first),
		cmocka_unit_test(refuses_different_types_only_where_mergo_does),
		cmocka_unit_test(copies_deeply),
		cmocka_unit_test(
		    large_results_and_long_work_end_with_the_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
