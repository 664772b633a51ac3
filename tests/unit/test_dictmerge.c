/*
 * Tests of controller/tmpl/dictmerge.c: merging and copying of dictionaries.
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
takes_what_is_missing_or_empty(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ merge (dict \"a\" 0 \"b\" \"\" \"c\" false \"d\" nil "
		  "\"e\" (list) \"f\" (dict) \"g\" 1) (dict \"a\" 1 \"b\" 2 "
		  "\"c\" 3 \"d\" 4 \"e\" 5 \"f\" 6 \"g\" 7) | toJson }}",
		    "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":"
		    "1}" },
		{ "{{ merge (dict \"a\" 1) (dict \"a\" nil \"b\" nil) | toJson "
		  "}} {{ merge (dict) (dict \"l\" (list 1)) (dict \"l\" (list "
		  "2)) | toJson }} {{ merge (dict \"l\" (list)) (dict \"l\" "
		  "(list 1)) | toJson }}",
		    "{\"a\":1} {\"l\":[1]} {\"l\":[1]}" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
overwrites_with_everything_but_empty_maps(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ mergeOverwrite (dict \"a\" 1 \"b\" 1 \"c\" 1 \"d\" 1 "
		  "\"e\" 1 \"f\" (dict \"x\" 1)) (dict \"a\" nil \"b\" \"\" "
		  "\"c\" 0 \"d\" (list) \"e\" (dict) \"f\" (dict)) | toJson }}",
		    "{\"a\":null,\"b\":\"\",\"c\":0,\"d\":[],\"e\":{},\"f\":{"
		    "\"x\":1}}" },
		{ "{{ mergeOverwrite (dict \"a\" (dict \"x\" 1)) (dict \"a\" "
		  "5) | toJson }} {{ mergeOverwrite (dict \"a\" 5) (dict \"a\" "
		  "(dict \"x\" 1)) | toJson }} {{ mergeOverwrite (dict) (dict "
		  "\"a\" (rest (list))) | toJson }}",
		    "{\"a\":5} {\"a\":{\"x\":1}} {\"a\":null}" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
shares_nested_maps_that_it_takes(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ $t := dict }}{{ $one := dict \"a\" (dict \"x\" 1) }}{{ "
		  "$two := dict \"a\" (dict \"x\" 2 \"y\" 3) }}{{ $_ := "
		  "mergeOverwrite $t $one }}{{ $_ := mergeOverwrite $t $two "
		  "}}{{ $one }} {{ $two }}",
		    "map[a:map[x:2 y:3]] map[a:map[x:2 y:3]]" },
		{ "{{ $d := dict \"a\" (dict) }}{{ $s := dict \"a\" (dict "
		  "\"x\" 1) }}{{ $_ := merge $d $s }}{{ $_ := set $d.a \"y\" 2 "
		  "}}{{ $s }} {{ $d }}",
		    "map[a:map[x:1]] map[a:map[x:1 y:2]]" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
makes_a_map_for_nil(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ merge nil (dict \"a\" 1) | toJson }} {{ merge nil nil | "
		  "toJson }} {{ merge (dict \"a\" 1) nil | toJson }} {{ merge "
		  "(dict \"a\" 1) | toJson }}",
		    "{\"a\":1} null {\"a\":1} {\"a\":1}" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
merges_maps_of_strings(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ merge (dict \"a\" (dict \"_0\" \"x\")) (dict \"a\" "
		  "(split \",\" \"y,z\")) | toJson }} {{ $s := split \",\" "
		  "\"y,\" }}{{ merge (dict \"a\" $s) (dict \"a\" (split \",\" "
		  "\"1,2,3\")) | toJson }}",
		    "{\"a\":{\"_0\":\"x\",\"_1\":\"z\"}} "
		    "{\"a\":{\"_0\":\"y\",\"_1\":\"2\",\"_2\":\"3\"}}" },
		{ "{{ merge (dict \"a\" (split \",\" \"y\")) (dict \"a\" (dict "
		  "\"b\" \"c\")) }}",
		    "template: cfg:1:3: executing \"cfg\" at <merge (dict "
		    "\"a\" (split \",\" \"y\")) (dict \"a\" (dict \"b\" "
		    "\"c\"))>: error calling merge: reflect.Value.SetMapIndex: "
		    "value of type interface {} is not assignable to type "
		    "string" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
merges_a_map_into_itself(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ $d := dict \"a\" (dict \"b\" 1) }}{{ merge $d $d | "
		  "toJson }} {{ mergeOverwrite $d $d | toJson }}",
		    "{\"a\":{\"b\":1}} {\"a\":{\"b\":1}}" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
copies_typed_lists(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ $l := splitList \",\" \"b,a\" }}{{ $c := deepCopy $l "
		  "}}{{ sortAlpha $c }} {{ $l }} {{ typeOf $c }} {{ typeOf "
		  "(deepCopy (chunk 1 (list 1))) }} {{ deepCopy (list) | "
		  "toJson }} {{ deepCopy (dict) | toJson }}",
		    "[a b] [b a] []string [][]interface {} [] {}" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_is_missing_or_empty),
		cmocka_unit_test(overwrites_with_everything_but_empty_maps),
		cmocka_unit_test(shares_nested_maps_that_it_takes),
		cmocka_unit_test(makes_a_map_for_nil),
		cmocka_unit_test(merges_maps_of_strings),
		cmocka_unit_test(merges_a_map_into_itself),
		cmocka_unit_test(copies_typed_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
