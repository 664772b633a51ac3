/*
 * Tests of controller/tmpl/golayout.c: times written by Go's layouts.
 * layer: tmpl
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "base/mem.h"
#include "controller/tmpl/golayout.h"
#include "tmplrig.h"

static void
formats_each_element(void **state UNUSED)
{
	/* 2009-02-04 21:00:57.0123456 in a zone of its own. */
	static const struct {
		const char *layout, *want;
	} cases[] = {
		{ "2006 06 January Jan 01 1", "2009 09 February Feb 02 2" },
		{ "Monday Mon 02 2 _2 002 __2",
		    "Wednesday Wed 04 4  4 035  35" },
		{ "15 03 3 04 4 05 5 PM pm", "21 09 9 00 0 57 57 PM pm" },
		{ "MST -0700 -07:00 -07 Z07:00",
		    "PST -0800 -08:00 -08 -08:00" },
		{ "-070000 -07:00:00", "-080000 -08:00:00" },
		{ "05.000 05.999 05,00 .00", "57.012 57.012 57,01 .01" },
		{ ".999999999 .000000000000", ".0123456 .012345600" },
		{ "_2006 _20 Janx 2nd 00 .0x", "_2009  40 Janx 4nd 00 .0x" },
		{ "", "" },
		{ "no elements", "no elements" },
	};
	struct env e;
	struct gotime t;

	tmplrig_env(&e);
	t = gotime_unix(1233810057, gozone_fixed(&e, "PST", 3, -8 * 3600));
	t.nsec = 12345600;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct text out;
		struct value v;

		text_init(&out, &e);
		golayout_format(
		    &out, &t, cases[i].layout, strlen(cases[i].layout));
		assert_int_equal(text_done(&out, &v), 0);
		tmplrig_assert_str(&v, cases[i].want);
	}
	env_release(&e);
}

static void
shows_the_monotonic_reading(void **state UNUSED)
{
	struct gotime t = gotime_unix(0, NULL);
	struct text out;
	struct value v;
	struct env e;

	tmplrig_env(&e);
	t.has_mono = true;
	t.mono = 1000000005;
	text_init(&out, &e);
	golayout_string(&out, &t);
	assert_int_equal(text_done(&out, &v), 0);
	tmplrig_assert_str(&v, "1970-01-01 00:00:00 +0000 UTC m=+1.000000005");
	env_release(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_each_element),
		cmocka_unit_test(shows_the_monotonic_reading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
