/*
 * Tests of controller/tmpl/funcs_core.c: sprig's defaults, logic and
 * reflection. layer: tmpl
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
falls_back_on_what_is_empty(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ default \"d\" \"\" }} {{ default \"d\" 0 }} {{ default "
		  "\"d\" nil }} {{ default \"d\" }} {{ default \"d\" (list) }} "
		  "{{ default \"d\" \"v\" 5 }} {{ default \"d\" false }} {{ "
		  "default nil \"\" }} {{ default \"d\" (toDate \"2006\" "
		  "\"x\") }}",
		    "d d d d d v d <no value> 0001-01-01 00:00:00 +0000 UTC" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
knows_what_is_empty(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ range list nil 0 0.0 \"\" false (list) (dict) }}{{ empty "
		  ". }} {{ end }}{{ range list 1 \"a\" true (list 0) (dict "
		  "\"a\" 1) }}{{ empty . }} {{ end }}{{ empty (float64 "
		  "\"nan\") }}",
		    "true true true true true true true false false false "
		    "false false false" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
chooses(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ coalesce \"\" 0 nil 2 3 }} {{ coalesce }} {{ all \"\" 1 "
		  "}} {{ all 1 2 }} {{ all }} {{ any 0 1 }} {{ any 0 }} {{ any "
		  "}} {{ ternary \"t\" \"f\" true }} {{ ternary \"t\" \"f\" "
		  "false }}",
		    "2 <no value> false true true true false false t f" },
		{ "{{ ternary 1 2 3 }}",
		    "template: cfg:1:15: executing \"cfg\" at <3>: expected "
		    "bool; found 3" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
names_types_and_kinds(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ range list nil 1 2.5 \"a\" true (list) (dict) (until 1) "
		  "(splitList \"\" \"a\") (split \"\" \"a\") (add 1) (chunk 1 "
		  "(list 1)) }}{{ typeOf . }} {{ kindOf . }}, {{ end }}",
		    "<nil> invalid, int int, float64 float64, string string, "
		    "bool bool, []interface {} slice, map[string]interface {} "
		    "map, []int slice, []string slice, map[string]string map, "
		    "int64 int64, [][]interface {} slice, " },
		{ "{{ typeIs \"string\" \"a\" }} {{ typeIs \"int\" \"a\" }} {{ "
		  "typeIs \"<nil>\" nil }} {{ kindIs \"map\" (dict) }} {{ "
		  "kindIs \"slice\" \"a\" }} {{ kindIs \"invalid\" nil }} {{ "
		  "typeIsLike \"semver.Version\" (semver \"1.0.0\") }} {{ "
		  "typeIsLike \"*semver.Version\" (semver \"1.0.0\") }} {{ "
		  "typeIsLike \"tring\" \"a\" }}",
		    "true false true true false true true true false" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
compares_deeply(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ deepEqual 1 1 }} {{ deepEqual 1 1.0 }} {{ deepEqual "
		  "(list 1 (dict \"a\" nil)) (list 1 (dict \"a\" nil)) }} {{ "
		  "deepEqual (list) nil }} {{ deepEqual nil nil }} {{ "
		  "deepEqual (list) (rest (list)) }} {{ deepEqual (until 1) "
		  "(list 0) }}",
		    "true false true false true false false" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
fails_without_the_message(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ fail \"the reason\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <fail \"the "
		    "reason\">: error calling fail: (message withheld)" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(falls_back_on_what_is_empty),
		cmocka_unit_test(knows_what_is_empty),
		cmocka_unit_test(chooses),
		cmocka_unit_test(names_types_and_kinds),
		cmocka_unit_test(compares_deeply),
		cmocka_unit_test(fails_without_the_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
