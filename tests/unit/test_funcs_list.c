/*
 * Tests of controller/tmpl/funcs_list.c: sprig's functions on lists.
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
makes_and_grows_lists(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ list 1 nil \"a\" }} {{ tuple }} {{ append (list 1) 2 }} "
		  "{{ push (list) nil }} {{ prepend (list 1) 0 }} {{ concat "
		  "(list 1) (list nil) (until 2) }} {{ concat | toJson }}",
		    "[1 <nil> a] [] [1 2] [<nil>] [0 1] [1 <nil> 0 1] null" },
		{ "{{ $l := list 1 }}{{ $m := append $l 2 }}{{ $n := append $l "
		  "3 }}{{ $l }} {{ $m }} {{ $n }}",
		    "[1] [1 2] [1 3]" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
takes_ends(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ first (list 1 2) }} {{ last (list 1 2) }} {{ rest (list "
		  "1 2 3) }} {{ initial (list 1 2 3) }} {{ first (list) }} {{ "
		  "last (list) }} {{ rest (list) | toJson }} {{ initial (list) "
		  "| toJson }} {{ rest (list 1) | toJson }}",
		    "1 2 [2 3] [1 2] <no value> <no value> null null []" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
reverses_and_leaves_out(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ reverse (list 1 2 3) }} {{ compact (list 1 0 \"\" nil "
		  "\"a\" (list)) }} {{ uniq (list 1 1 \"1\" (list 1) (list 1) "
		  "nil nil) }} {{ without (list 1 1 2) 1 }} {{ without (list 1 "
		  "\"1\" (list 2)) \"1\" (list 2) }} {{ compact (list) | "
		  "toJson }}",
		    "[3 2 1] [1 a] [1 1 [1] <nil>] [2] [1] []" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
finds_by_type_and_value(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ has 1 (list 1) }} {{ has 1 (list \"1\") }} {{ has \"a\" "
		  "(splitList \",\" \"a,b\") }} {{ has 1 nil }} {{ has nil "
		  "(list nil) }} {{ has (dict \"a\" 1) (list (dict \"a\" 1)) "
		  "}}",
		    "true false true false true true" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
slices_within_the_length(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ slice (list 1 2 3) }} {{ slice (list 1 2 3) 1 }} {{ "
		  "slice (list 1 2 3) 1 2 }} {{ slice (list 1 2 3) \"1\" 2.9 "
		  "}} {{ slice (list) 5 | toJson }} {{ typeOf (slice (until 3) "
		  "1) }}",
		    "[1 2 3] [2 3] [2] [2] null []int" },
		{ "{{ slice (list 1 2) 1 5 }}",
		    "template: cfg:1:3: executing \"cfg\" at <slice (list 1 2) "
		    "1 5>: error calling slice: reflect.Value.Slice: slice "
		    "index out of bounds" },
		{ "{{ slice (list 1 2) -1 }}",
		    "template: cfg:1:3: executing \"cfg\" at <slice (list 1 2) "
		    "-1>: error calling slice: reflect.Value.Slice: slice "
		    "index out of bounds" },
		{ "{{ slice (list 1 2) 2 1 }}",
		    "template: cfg:1:3: executing \"cfg\" at <slice (list 1 2) "
		    "2 1>: error calling slice: reflect.Value.Slice: slice "
		    "index out of bounds" },
		{ "{{ slice \"abc\" 1 }}",
		    "template: cfg:1:3: executing \"cfg\" at <slice \"abc\" "
		    "1>: error calling slice: list should be type of slice or "
		    "array but string" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
chunks_with_any_size(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ chunk 2 (list 1 2 3) }} {{ chunk 5 (list 1) }} {{ chunk "
		  "1 (list) | toJson }} {{ chunk -1 (list 1 2) }} {{ chunk -2 "
		  "(list 1 2 3) }} {{ chunk -3 (list 1) }} {{ typeOf (chunk 1 "
		  "(list)) }}",
		    "[[1 2] [3]] [[1]] [] [] [] [[1]] [][]interface {}" },
		{ "{{ chunk 0 (list 1 2) }}",
		    "template: cfg:1:3: executing \"cfg\" at <chunk 0 (list 1 "
		    "2)>: error calling chunk: runtime error: makeslice: len "
		    "out of range" },
		{ "{{ chunk 0 (list) }}",
		    "template: cfg:1:3: executing \"cfg\" at <chunk 0 (list)>: "
		    "error calling chunk: runtime error: makeslice: len out of "
		    "range" },
		{ "{{ chunk -1 (list) }}",
		    "template: cfg:1:3: executing \"cfg\" at <chunk -1 "
		    "(list)>: error calling chunk: runtime error: makeslice: "
		    "len out of range" },
		{ "{{ chunk -1 (list 1) }}",
		    "template: cfg:1:3: executing \"cfg\" at <chunk -1 (list "
		    "1)>: error calling chunk: runtime error: makeslice: len "
		    "out of range" },
		{ "{{ chunk -1 (list 1 2 3) }}",
		    "template: cfg:1:3: executing \"cfg\" at <chunk -1 (list 1 "
		    "2 3)>: error calling chunk: runtime error: makeslice: len "
		    "out of range" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
names_the_type_of_what_is_no_list(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ first \"a\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <first \"a\">: "
		    "error calling first: Cannot find first on type string" },
		{ "{{ last 1 }}",
		    "template: cfg:1:3: executing \"cfg\" at <last 1>: error "
		    "calling last: Cannot find last on type int" },
		{ "{{ rest (dict) }}",
		    "template: cfg:1:3: executing \"cfg\" at <rest (dict)>: "
		    "error calling rest: Cannot find rest on type map" },
		{ "{{ initial true }}",
		    "template: cfg:1:3: executing \"cfg\" at <initial true>: "
		    "error calling initial: Cannot find initial on type bool" },
		{ "{{ append \"a\" 1 }}",
		    "template: cfg:1:3: executing \"cfg\" at <append \"a\" 1>: "
		    "error calling append: Cannot push on type string" },
		{ "{{ prepend \"a\" 1 }}",
		    "template: cfg:1:3: executing \"cfg\" at <prepend \"a\" "
		    "1>: error calling prepend: Cannot prepend on type "
		    "string" },
		{ "{{ concat (list) \"a\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <concat (list) "
		    "\"a\">: error calling concat: Cannot concat type string "
		    "as list" },
		{ "{{ reverse \"a\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <reverse \"a\">: "
		    "error calling reverse: Cannot find reverse on type "
		    "string" },
		{ "{{ compact 1.5 }}",
		    "template: cfg:1:3: executing \"cfg\" at <compact 1.5>: "
		    "error calling compact: Cannot compact on type float64" },
		{ "{{ uniq \"a\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <uniq \"a\">: "
		    "error calling uniq: Cannot find uniq on type string" },
		{ "{{ without \"a\" 1 }}",
		    "template: cfg:1:3: executing \"cfg\" at <without \"a\" "
		    "1>: error calling without: Cannot find without on type "
		    "string" },
		{ "{{ has 1 \"a\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <has 1 \"a\">: "
		    "error calling has: Cannot find has on type string" },
		{ "{{ chunk 1 \"a\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <chunk 1 \"a\">: "
		    "error calling chunk: Cannot chunk type string" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
dereferences_nil_as_go_does(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ first nil }}",
		    "template: cfg:1:3: executing \"cfg\" at <first nil>: "
		    "error calling first: runtime error: invalid memory "
		    "address or nil pointer dereference" },
		{ "{{ append nil 1 }}",
		    "template: cfg:1:3: executing \"cfg\" at <append nil 1>: "
		    "error calling append: runtime error: invalid memory "
		    "address or nil pointer dereference" },
		{ "{{ concat nil }}",
		    "template: cfg:1:3: executing \"cfg\" at <concat nil>: "
		    "error calling concat: runtime error: invalid memory "
		    "address or nil pointer dereference" },
		{ "{{ slice nil }}",
		    "template: cfg:1:3: executing \"cfg\" at <slice nil>: "
		    "error calling slice: runtime error: invalid memory "
		    "address or nil pointer dereference" },
		{ "{{ mustUniq .nope }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustUniq .nope>: "
		    "error calling mustUniq: runtime error: invalid memory "
		    "address or nil pointer dereference" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
splits(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ splitList \",\" \"a,,b\" | len }} {{ splitList \"\" "
		  "\"a\303\251\" }} {{ splitList \"\" \"\" | len }} {{ "
		  "splitList \",\" \"\" | len }} {{ splitList \"ab\" "
		  "\"xabyabz\" }}",
		    "3 [a \303\251] 0 1 [x y z]" },
		{ "{{ split \"$\" \"foo$bar\" }} {{ (split \",\" \"a,b\")._1 "
		  "}} {{ splitn \"$\" 2 \"a$b$c\" }} {{ splitn \",\" 0 \"a\" "
		  "}} {{ splitn \"\" 2 \"abc\" }} {{ splitn \",\" -1 \"a,b\" "
		  "}}",
		    "map[_0:foo _1:bar] b map[_0:a _1:b$c] map[] map[_0:a "
		    "_1:bc] map[_0:a _1:b]" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
joins_and_stringifies(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ join \"-\" (list 1 nil \"x\" 2.5) }} {{ join \"-\" "
		  "\"abc\" }} {{ join \"-\" nil }}| {{ join \", \" (until 3) "
		  "}} {{ join \"\" (list) }}| {{ toStrings (list 1 nil true) "
		  "}} {{ toStrings nil | len }} {{ typeOf (toStrings 1) }}",
		    "1-x-2.5 abc | 0, 1, 2 | [1 true] 0 []string" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
sorts_strings_in_place_and_others_not(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ $s := splitList \",\" \"c,a,b,a\" }}{{ sortAlpha $s }} "
		  "{{ $s }} {{ $l := list 10 9 nil \"1\" }}{{ sortAlpha $l }} "
		  "{{ $l }} {{ sortAlpha \"x\" }} {{ sortAlpha nil }} {{ "
		  "sortAlpha (list) }}",
		    "[a a b c] [a a b c] [1 10 9] [10 9 <nil> 1] [x] [<nil>] "
		    "[]" },
		{ "{{ sortAlpha (list \"b\" \"\303\251\" \"a\" \"Z\" \"\" "
		  "\"aa\" \"ab\" \"a\") }}",
		    "[ Z a a aa ab b \303\251]" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
large_results_and_long_work_end_with_the_budget(void **state UNUSED)
{
	static const char *const texts[] = {
		"{{ $l := until 100000 }}{{ $u := uniq $l }}",
		"{{ $s := repeat 2000000 \"x\" }}{{ $l := list (print $s 1) "
		"(print $s 2) }}{{ range until 20 }}{{ $l = concat $l $l }}{{ "
		"end }}{{ $t := sortAlpha (toStrings $l) }}",
		"{{ $l := list 1 }}{{ range until 30 }}{{ $l = concat $l $l "
		"}}{{ end }}",
		"{{ $s := repeat 1000000 \"x,\" }}{{ range until 100 }}{{ $l "
		":= splitList \",\" $s }}{{ end }}",
		"{{ $l := list (repeat 1000000 \"x\") }}{{ range until 15 }}{{ "
		"$l = concat $l $l }}{{ end }}{{ $t := join \",\" $l }}",
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
		cmocka_unit_test(makes_and_grows_lists),
		cmocka_unit_test(takes_ends),
		cmocka_unit_test(reverses_and_leaves_out),
		cmocka_unit_test(finds_by_type_and_value),
		cmocka_unit_test(slices_within_the_length),
		cmocka_unit_test(chunks_with_any_size),
		cmocka_unit_test(names_the_type_of_what_is_no_list),
		cmocka_unit_test(dereferences_nil_as_go_does),
		cmocka_unit_test(splits),
		cmocka_unit_test(joins_and_stringifies),
		cmocka_unit_test(sorts_strings_in_place_and_others_not),
		cmocka_unit_test(
		    large_results_and_long_work_end_with_the_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
