/*
 * Tests of controller/tmpl/timetypes.c: the methods of times.
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

#include "tmplrig.h"

static void
calls_methods_of_times(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ $t := (toDate \"2006-01-02\" \"2020-02-28\") }}{{ "
		  "$t.Year }} {{ $t.Month }} {{ $t.Weekday }} {{ $t.YearDay }} "
		  "{{ $t.Unix }} {{ $t.UnixMilli }} {{ $t.IsZero }} {{ "
		  "$t.Location }} {{ $t.UTC.Location }}",
		    "2020 February Friday 59 1582848000 1582848000000 false "
		    "UTC UTC" },
		{ "{{ $t := (toDate \"2006-01-02\" \"2020-02-28\") }}{{ "
		  "$t.AddDate 0 1 1 }}|{{ $t.Add 1000000000 }}|{{ $t.Before "
		  "now }}|{{ $t.Sub ($t.AddDate 0 0 -1) }}|{{ $t.Format "
		  "\"Jan\" }}",
		    "2020-03-29 00:00:00 +0000 UTC|2020-02-28 00:00:01 +0000 "
		    "UTC|true|24h0m0s|Feb" },
		{ "{{ $t := (toDate \"2006-01-02\" \"2020-02-28\") }}{{ "
		  "($t.AddDate 0 0 1).Sub $t | printf \"%d\" }} {{ "
		  "(($t.AddDate 0 0 1).Sub $t).Hours }} {{ $t.Month.String }} "
		  "{{ $t.GoString }}",
		    "86400000000000 24 February time.Date(2020, time.February, "
		    "28, 0, 0, 0, 0, time.Local)" },
		{ "{{ (toDate \"2006-01-02\" \"2020-02-28\").Date }}",
		    "template: cfg:1:24: executing \"cfg\" at "
		    "<\"2020-02-28\">: function Date has 3 return values; "
		    "should be 1 or 2" },
		{ "{{ (toDate \"2006-01-02\" \"2020-02-28\").ISOWeek }}",
		    "template: cfg:1:24: executing \"cfg\" at "
		    "<\"2020-02-28\">: invalid function signature for ISOWeek: "
		    "second return value should be error; is int" },
		{ "{{ (toDate \"2006-01-02\" \"2020-02-28\").In \"UTC\" }}",
		    "template: cfg:1:41: executing \"cfg\" at <\"UTC\">: can't "
		    "handle \"UTC\" for arg of type *time.Location" },
		{ "{{ (toDate \"2006-01-02\" \"2020-02-28\").Nope }}",
		    "template: cfg:1:24: executing \"cfg\" at "
		    "<\"2020-02-28\">: can't evaluate field Nope in type "
		    "time.Time" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
compares_times(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ eq (toDate \"2006-01-02\" \"2020-02-28\") (toDate "
		  "\"2006-01-02\" \"2020-02-28\") }}{{ eq (toDate "
		  "\"2006-01-02\" \"2020-02-28\") ((toDate \"2006-01-02\" "
		  "\"2020-02-28\").UTC) }}{{ deepEqual (toDate \"2006-01-02\" "
		  "\"2020-02-28\") (toDate \"2006-01-02\" \"2020-02-28\") }}",
		    "truefalsetrue" },
		{ "{{ lt (toDate \"2006-01-02\" \"2020-02-28\") now }}",
		    "template: cfg:1:3: executing \"cfg\" at <lt (toDate "
		    "\"2006-01-02\" \"2020-02-28\") now>: error calling lt: "
		    "invalid type for comparison" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_methods_of_times),
		cmocka_unit_test(compares_times),
	};

	/* What Go rendered, it rendered with this zone. */
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
