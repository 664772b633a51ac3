/*
 * Tests of controller/tmpl/golayout_parse.c: times read by Go's layouts.
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
		cmocka_unit_test(parses_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
