/*
 * Tests of controller/tmpl/print_number.c.
 * layer: tmpl
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "tmplrig.h"

static void
formats_numbers_by_verb_and_flag(void **state UNUSED)
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
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_numbers_by_verb_and_flag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
