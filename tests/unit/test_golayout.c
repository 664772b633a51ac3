/*
 * Tests of controller/tmpl/golayout.c: times by Go's layouts.
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

#define CANNOT                                                              \
	"parsing time " WITHHELD " as " WITHHELD ": cannot parse " WITHHELD \
	" as " WITHHELD

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

static void
parses_times(void **state UNUSED)
{
	static const struct {
		const char *layout, *text, *want;
	} cases[] = {
		{ "2006-01-02", "2017-12-31", "2017-12-31 00:00:00 +0000 UTC" },
		{ "Jan _2 2006", "fEB  3 2020",
		    "2020-02-03 00:00:00 +0000 UTC" },
		{ "3:04PM", "12:30AM", "0000-01-01 00:30:00 +0000 UTC" },
		{ "15:04:05", "01:02:03.45",
		    "0000-01-01 01:02:03.45 +0000 UTC" },
		{ "15:04 MST", "12:00 GMT+3",
		    "0000-01-01 15:00:00 +0300 GMT+3" },
		{ "15:04 MST", "12:00 PST", "0000-01-01 12:00:00 +0000 PST" },
		{ "15:04 Z07:00", "12:00 +01:30",
		    "0000-01-01 12:00:00 +0130 +0130" },
		{ "15:04 Z07:00", "12:00 Z", "0000-01-01 12:00:00 +0000 UTC" },
		{ "2006-002", "2020-060", "2020-02-29 00:00:00 +0000 UTC" },
		{ "06", "69", "1969-01-01 00:00:00 +0000 UTC" },
		{ "06", "68", "2068-01-01 00:00:00 +0000 UTC" },
		{ "2006  01", "2020 01", "2020-01-01 00:00:00 +0000 UTC" },
		{ "2006", "x", CANNOT },
		{ "2006x", "2020y", CANNOT },
		{ "2006-01-02", "2017-02-29",
		    "parsing time " WITHHELD ": day out of range" },
		{ "15", "24", "parsing time " WITHHELD ": hour out of range" },
		{ "01", "13", "parsing time " WITHHELD ": month out of range" },
		{ "2", "31x",
		    "parsing time " WITHHELD ": extra text: " WITHHELD },
		{ "-0700", "+2500",
		    "parsing time " WITHHELD
		    ": time zone offset hour out of range" },
		{ "2006-002", "2019-366",
		    "parsing time " WITHHELD ": day-of-year out of range" },
		{ "2006-01 002", "2020-03 060",
		    "parsing time " WITHHELD
		    ": day-of-year does not match month" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct value layout = value_cstr(cases[i].layout);
		struct value text = value_cstr(cases[i].text), v;
		struct gotime t;
		struct text out;
		struct env e;

		tmplrig_env(&e);
		if (golayout_parse(&e, &layout, &text, NULL, &t) < 0) {
			assert_string_equal(e.fault, cases[i].want);
			assert_int_equal(t.sec, 0);
		} else {
			text_init(&out, &e);
			golayout_string(&out, &t);
			assert_int_equal(text_done(&out, &v), 0);
			tmplrig_assert_str(&v, cases[i].want);
		}
		env_release(&e);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_each_element),
		cmocka_unit_test(shows_the_monotonic_reading),
		cmocka_unit_test(parses_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
