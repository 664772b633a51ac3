/*
 * Tests of controller/tmpl/print.c.
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
#include "controller/tmpl/dict.h"
#include "controller/tmpl/print.h"
#include "tmplrig.h"

static void
formats_operands_by_verb_and_flag(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ printf \"%s\" \"h\303\251\303\251\" }}",
		    "h\303\251\303\251" },
		{ "{{ printf \"%10s|\" \"h\303\251\303\251\" }}",
		    "       h\303\251\303\251|" },
		{ "{{ printf \"%-10s|\" \"h\303\251\303\251\" }}",
		    "h\303\251\303\251       |" },
		{ "{{ printf \"%010s\" \"h\303\251\303\251\" }}",
		    "0000000h\303\251\303\251" },
		{ "{{ printf \"%.2s\" \"h\303\251\303\251\" }}", "h\303\251" },
		{ "{{ printf \"%q\" \"h\303\251\303\251\" }}",
		    "\"h\303\251\303\251\"" },
		{ "{{ printf \"%+q\" \"h\303\251\303\251\" }}",
		    "\"h\\u00e9\\u00e9\"" },
		{ "{{ printf \"%#q\" \"h\303\251\303\251\" }}",
		    "`h\303\251\303\251`" },
		{ "{{ printf \"%x\" \"h\303\251\303\251\" }}", "68c3a9c3a9" },
		{ "{{ printf \"%X\" \"h\303\251\303\251\" }}", "68C3A9C3A9" },
		{ "{{ printf \"% x\" \"h\303\251\303\251\" }}",
		    "68 c3 a9 c3 a9" },
		{ "{{ printf \"%#x\" \"h\303\251\303\251\" }}",
		    "0x68c3a9c3a9" },
		{ "{{ printf \"% #x\" \"h\303\251\303\251\" }}",
		    "0x68 0xc3 0xa9 0xc3 0xa9" },
		{ "{{ printf \"%.2x\" \"h\303\251\303\251\" }}", "68c3" },
		{ "{{ printf \"%8.2x|\" \"h\303\251\303\251\" }}",
		    "    68c3|" },
		{ "{{ printf \"%v\" \"h\303\251\303\251\" }}",
		    "h\303\251\303\251" },
		{ "{{ printf \"%#v\" \"h\303\251\303\251\" }}",
		    "\"h\303\251\303\251\"" },
		{ "{{ printf \"%T\" \"h\303\251\303\251\" }}", "string" },
		{ "{{ printf \"%d\" \"h\303\251\303\251\" }}",
		    "%!d(string=h\303\251\303\251)" },
		{ "{{ printf \"%t\" \"h\303\251\303\251\" }}",
		    "%!t(string=h\303\251\303\251)" },
		{ "{{ printf \"%5q\" \"h\303\251\303\251\" }}",
		    "\"h\303\251\303\251\"" },
		{ "{{ printf \"%.1q\" \"h\303\251\303\251\" }}", "\"h\"" },
		{ "{{ printf \"%c\" \"h\303\251\303\251\" }}",
		    "%!c(string=h\303\251\303\251)" },
		{ "{{ printf \"%10x|\" \"h\303\251\303\251\" }}",
		    "68c3a9c3a9|" },
		{ "{{ printf \"%.0x|\" \"h\303\251\303\251\" }}", "|" },
		{ "{{ printf \"%-10x|\" \"h\303\251\303\251\" }}",
		    "68c3a9c3a9|" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
prints_operands_with_spaces_where_go_has_them(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ print 1 2 \"a\" \"b\" 3 nil true }}",
		    "1 2ab3 <nil> true" },
		{ "{{ print }}|", "|" },
		{ "{{ println 1 \"a\" nil }}", "1 a <nil>\n" },
		{ "{{ println }}", "\n" },
		{ "{{ print \"a\" 1 2 \"b\" }}", "a1 2b" },
		{ "{{ print nil nil }}", "<nil> <nil>" },
		{ "{{ print . }}",
		    "map[bin:\377\000A host-name:db n:42 x:abc y:]" },
		{ "{{ print 1.0 1e21 1e-9 }}", "1 1e+21 1e-09" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

/* A list in a list, with nil and an empty map. */
static struct value
nested(struct env *e)
{
	struct value inner, outer, m;

	assert_int_equal(list_new(e, &type_strings, 2, &inner), 0);
	assert_int_equal(list_append(e, &inner, value_cstr("a")), 0);
	assert_int_equal(list_append(e, &inner, value_cstr("b c")), 0);
	assert_int_equal(list_new(e, &type_list, 4, &outer), 0);
	assert_int_equal(dict_new(e, &type_dict, &m), 0);
	assert_int_equal(dict_set(e, &m, "k", 1, value_nil()), 0);
	assert_int_equal(list_append(e, &outer, value_int(1)), 0);
	assert_int_equal(list_append(e, &outer, inner), 0);
	assert_int_equal(list_append(e, &outer, value_nil()), 0);
	assert_int_equal(list_append(e, &outer, m), 0);
	return outer;
}

static void
prints_lists_and_maps(void **state UNUSED)
{
	static const struct {
		const char *fmt, *want;
	} cases[] = {
		{ "%v", "[1 [a b c] <nil> map[k:<nil>]]" },
		{ "%d",
		    "[1 [%!d(string=a) %!d(string=b c)] <nil> "
		    "map[%!d(string=k):<nil>]]" },
		{ "%q", "['\\x01' [\"a\" \"b c\"] <nil> map[\"k\":<nil>]]" },
		{ "%#v",
		    "[]interface {}{1, []string{\"a\", \"b c\"}, "
		    "interface {}(nil), "
		    "map[string]interface {}{\"k\":interface {}(nil)}}" },
		{ "%T", "[]interface {}" },
		{ "%3v", "[  1 [  a b c] <nil> map[  k:<nil>]]" },
	};
	struct env e;

	tmplrig_env(&e);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct value list = nested(&e), v;
		struct text t;

		text_init(&t, &e);
		print_sprintf(&t, cases[i].fmt, strlen(cases[i].fmt), &list, 1);
		assert_int_equal(text_done(&t, &v), 0);
		tmplrig_assert_str(&v, cases[i].want);
	}
	env_release(&e);
}

static void
a_map_that_holds_itself_is_an_error(void **state UNUSED)
{
	struct value m, v;
	struct text t;
	struct env e;

	tmplrig_env(&e);
	assert_int_equal(dict_new(&e, &type_dict, &m), 0);
	assert_int_equal(dict_set(&e, &m, "self", 4, m), 0);
	text_init(&t, &e);
	print_value(&t, &m);
	assert_int_equal(text_done(&t, &v), -1);
	assert_string_equal(e.fault, "out of budget: nested too deeply");
	env_release(&e);
}

static void
addresses_are_refused(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ printf \"%p\" . }}",
		    "template: cfg:1:3: executing \"cfg\" at "
		    "<printf \"%p\" .>: error calling printf: printing the "
		    "address of map[string]string is not supported" },
		{ "{{ printf \"%p\" 1 }}", "%!p(int=1)" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_operands_by_verb_and_flag),
		cmocka_unit_test(prints_operands_with_spaces_where_go_has_them),
		cmocka_unit_test(prints_lists_and_maps),
		cmocka_unit_test(a_map_that_holds_itself_is_an_error),
		cmocka_unit_test(addresses_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
