/*
 * Tests of controller/tmpl/print_format.c.
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
says_in_the_output_what_is_wrong_with_a_format(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ printf \"[%.0d][%5.0d][%-5.0d][%05.0d][%.0x]\" 0 0 0 0 0 "
		  "}}",
		    "[][     ][     ][     ][]" },
		{ "{{ printf \"%\" 1 }}", "%!(NOVERB)%!(EXTRA int=1)" },
		{ "{{ printf \"%!\" 1 }}", "%!!(int=1)" },
		{ "{{ printf \"%d\" }}", "%!d(MISSING)" },
		{ "{{ printf \"x\" 1 \"a\" nil }}",
		    "x%!(EXTRA int=1, string=a, <nil>)" },
		{ "{{ printf \"%[2]d %[1]d\" 1 2 }}", "2 1" },
		{ "{{ printf \"%[3]d\" 1 }}", "%!d(BADINDEX)" },
		{ "{{ printf \"%[x]d\" 1 }}", "%!d(BADINDEX)" },
		{ "{{ printf \"%[1]d %d\" 1 2 }}", "1 2" },
		{ "{{ printf \"%*d|\" 5 1 }}", "    1|" },
		{ "{{ printf \"%-*d|\" 5 1 }}", "1    |" },
		{ "{{ printf \"%*d|\" -5 1 }}", "1    |" },
		{ "{{ printf \"%*d\" \"x\" 1 }}", "%!(BADWIDTH)1" },
		{ "{{ printf \"%*d\" 1000001 1 }}", "%!(BADWIDTH)1" },
		{ "{{ printf \"%.*f\" 2 1.5 }}", "1.50" },
		{ "{{ printf \"%.*f\" -2 1.5 }}", "%!(BADPREC)1.500000" },
		{ "{{ printf \"%[2]*[1]d|\" 1 5 }}", "    1|" },
		{ "{{ printf \"%[1]\" 1 }}", "%!(NOVERB)" },
		{ "{{ printf \"%[\" 1 }}", "%!(NOVERB)" },
		{ "{{ printf \"%[1\" 1 }}", "%!(NOVERB)" },
		{ "{{ printf \"%[]d\" 1 }}", "%!d(BADINDEX)" },
		{ "{{ printf \"%[1]5d\" 1 }}", "%!d(BADINDEX)" },
		{ "{{ printf \"%[1].2d\" 1 }}", "%!d(BADINDEX)" },
		{ "{{ printf \"%99999999999d\" 1 }}",
		    "%!(NOVERB)%!(EXTRA int=1)" },
		{ "{{ printf \"%5%|\" }}", "%|" },
		{ "{{ printf \"%d%%\" 1 }}", "1%" },
		{ "{{ printf \"%v %s %d\" nil nil nil }}",
		    "<nil> %!s(<nil>) %!d(<nil>)" },
		{ "{{ printf \"%T\" nil }}", "<nil>" },
		{ "{{ printf \"%5v|\" nil }}", "<nil>|" },
		{ "{{ printf \"%v\" true }}", "true" },
		{ "{{ printf \"%5t|\" true }}", " true|" },
		{ "{{ printf \"%d\" true }}", "%!d(bool=true)" },
		{ "{{ printf \"%v\" . }}",
		    "map[bin:\377\000A host-name:db n:42 x:abc y:]" },
		{ "{{ printf \"%d\" . }}",
		    "map[%!d(string=bin):%!d(string=\377\000A) "
		    "%!d(string=host-name):%!d(string=db) "
		    "%!d(string=n):%!d(string=42) "
		    "%!d(string=x):%!d(string=abc) "
		    "%!d(string=y):%!d(string=)]" },
		{ "{{ printf \"%q\" . }}",
		    "map[\"bin\":\"\\xff\\x00A\" \"host-name\":\"db\" "
		    "\"n\":\"42\" \"x\":\"abc\" \"y\":\"\"]" },
		{ "{{ printf \"%#v\" . }}",
		    "map[string]string{\"bin\":\"\\xff\\x00A\", "
		    "\"host-name\":\"db\", \"n\":\"42\", \"x\":\"abc\", "
		    "\"y\":\"\"}" },
		{ "{{ printf \"%T\" . }}", "map[string]string" },
		{ "{{ printf \"%x\" -255 }}", "-ff" },
		{ "{{ printf \"%X\" 3735928559 }}", "DEADBEEF" },
		{ "{{ printf \"%c%c\" 233 -1 }}", "\303\251\357\277\275" },
		{ "{{ printf \"%q\" 0x1F600 }}", "'\360\237\230\200'" },
		{ "{{ printf \"%U\" -1 }}", "U+FFFFFFFFFFFFFFFF" },
		{ "{{ printf \"%#U\" 0x1F600 }}",
		    "U+1F600 '\360\237\230\200'" },
		{ "{{ printf \"%d %d\" 1 }}", "1 %!d(MISSING)" },
		{ "{{ printf \"%.3v\" 3.14159 }}", "3.14" },
		{ "{{ printf \"%6.2v|\" 3.14159 }}", "   3.1|" },
		{ "{{ printf \"%x\" \"\" }}", "" },
		{ "{{ printf \"%8x|\" \"\" }}", "        |" },
		{ "{{ printf \"%d\" (index .x 0) }}", "97" },
		{ "{{ printf \"%v %c %T\" (index .x 0) (index .x 1) (index .x "
		  "2) }}",
		    "97 b uint8" },
		{ "{{ printf \"%#v\" (index .x 0) }}", "0x61" },
		{ "{{ printf \"%o %O %#O\" 8 8 8 }}", "10 0o10 0o010" },
		{ "{{ printf \"\303\251%\303\251\" 1 }}",
		    "\303\251%!\303\251(int=1)" },
		{ "{{ print 1e100 -1e-100 0.1 }}", "1e+100 -1e-100 0.1" },
		{ "{{ printf \"%g %G %e\" 1e100 1e-7 0.0 }}",
		    "1e+100 1E-07 0.000000e+00" },
		{ "{{ printf \"%6d|%-6d|%06d\" -42 -42 -42 }}",
		    "   -42|-42   |-00042" },
		{ "{{ printf \"%+.2e\" 12345.678 }}", "+1.23e+04" },
		{ "{{ printf \"%#x %#X %#o %#b\" 255 255 8 5 }}",
		    "0xff 0XFF 010 0b101" },
		{ "{{ printf \"% d|% d\" 5 -5 }}", " 5|-5" },
		{ "{{ printf \"%+d|%+d\" 5 -5 }}", "+5|-5" },
		{ "{{ printf \"%08.3d|\" 5 }}", "     005|" },
		{ "{{ printf \"%s\" 1.0 }}", "%!s(float64=1)" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    says_in_the_output_what_is_wrong_with_a_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
