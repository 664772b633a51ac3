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
		{ "{{ printf \"%d\" 42 }}", "42" },
		{ "{{ printf \"%5d\" 42 }}", "   42" },
		{ "{{ printf \"%-5d|\" 42 }}", "42   |" },
		{ "{{ printf \"%05d\" 42 }}", "00042" },
		{ "{{ printf \"%+d\" 42 }}", "+42" },
		{ "{{ printf \"% d\" 42 }}", " 42" },
		{ "{{ printf \"%x\" 42 }}", "2a" },
		{ "{{ printf \"%X\" 42 }}", "2A" },
		{ "{{ printf \"%#x\" 42 }}", "0x2a" },
		{ "{{ printf \"%o\" 42 }}", "52" },
		{ "{{ printf \"%#o\" 42 }}", "052" },
		{ "{{ printf \"%O\" 42 }}", "0o52" },
		{ "{{ printf \"%b\" 42 }}", "101010" },
		{ "{{ printf \"%#b\" 42 }}", "0b101010" },
		{ "{{ printf \"%c\" 42 }}", "*" },
		{ "{{ printf \"%q\" 42 }}", "'*'" },
		{ "{{ printf \"%U\" 42 }}", "U+002A" },
		{ "{{ printf \"%#U\" 42 }}", "U+002A '*'" },
		{ "{{ printf \"%8.3d\" 42 }}", "     042" },
		{ "{{ printf \"%.0d\" 42 }}", "42" },
		{ "{{ printf \"%e\" 42 }}", "%!e(int=42)" },
		{ "{{ printf \"%v\" 42 }}", "42" },
		{ "{{ printf \"%+v\" 42 }}", "42" },
		{ "{{ printf \"%#v\" 42 }}", "42" },
		{ "{{ printf \"%T\" 42 }}", "int" },
		{ "{{ printf \"%t\" 42 }}", "%!t(int=42)" },
		{ "{{ printf \"%s\" 42 }}", "%!s(int=42)" },
		{ "{{ printf \"%z\" 42 }}", "%!z(int=42)" },
		{ "{{ printf \"%\303\251\" 42 }}", "%!\303\251(int=42)" },
		{ "{{ printf \"%20U\" 42 }}", "              U+002A" },
		{ "{{ printf \"%-08d|\" 42 }}", "42      |" },
		{ "{{ printf \"%+q\" 42 }}", "'*'" },
		{ "{{ printf \"%#q\" 42 }}", "'*'" },
		{ "{{ printf \"%w\" 42 }}", "%!w(int=42)" },
		{ "{{ printf \"%08x\" 42 }}", "0000002a" },
		{ "{{ printf \"%#08X\" 42 }}", "0X0000002A" },
		{ "{{ printf \"% x\" 42 }}", " 2a" },
		{ "{{ printf \"%v\" 1234.5678 }}", "1234.5678" },
		{ "{{ printf \"%f\" 1234.5678 }}", "1234.567800" },
		{ "{{ printf \"%.2f\" 1234.5678 }}", "1234.57" },
		{ "{{ printf \"%8.2f|\" 1234.5678 }}", " 1234.57|" },
		{ "{{ printf \"%-8.2f|\" 1234.5678 }}", "1234.57 |" },
		{ "{{ printf \"%+f\" 1234.5678 }}", "+1234.567800" },
		{ "{{ printf \"% f\" 1234.5678 }}", " 1234.567800" },
		{ "{{ printf \"%08.3f\" 1234.5678 }}", "1234.568" },
		{ "{{ printf \"%e\" 1234.5678 }}", "1.234568e+03" },
		{ "{{ printf \"%.3E\" 1234.5678 }}", "1.235E+03" },
		{ "{{ printf \"%g\" 1234.5678 }}", "1234.5678" },
		{ "{{ printf \"%G\" 1234.5678 }}", "1234.5678" },
		{ "{{ printf \"%#g\" 1234.5678 }}", "1234.5678" },
		{ "{{ printf \"%.10g\" 1234.5678 }}", "1234.5678" },
		{ "{{ printf \"%x\" 1234.5678 }}", "0x1.34a456d5cfaadp+10" },
		{ "{{ printf \"%X\" 1234.5678 }}", "0X1.34A456D5CFAADP+10" },
		{ "{{ printf \"%b\" 1234.5678 }}", "5429686605511341p-42" },
		{ "{{ printf \"%F\" 1234.5678 }}", "1234.567800" },
		{ "{{ printf \"%d\" 1234.5678 }}", "%!d(float64=1234.5678)" },
		{ "{{ printf \"%#v\" 1234.5678 }}", "1234.5678" },
		{ "{{ printf \"%#.3x\" 1234.5678 }}", "0x1.34ap+10" },
		{ "{{ printf \"%+08.1f\" 1234.5678 }}", "+01234.6" },
		{ "{{ printf \"%.0f\" 1234.5678 }}", "1235" },
		{ "{{ printf \"%#.0f\" 1234.5678 }}", "1235." },
		{ "{{ printf \"%s\" 1234.5678 }}", "%!s(float64=1234.5678)" },
		{ "{{ printf \"%20e|\" 1234.5678 }}", "        1.234568e+03|" },
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
