/*
 * Tests of controller/tmpl/funcs_date.c: dates.
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
formats_what_is_a_date(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ date \"2006-01-02 15:04:05 MST\" 1560458379 }}|{{ "
		  "htmlDate 0 }}|{{ date \"2006\" (int64 -62135596800) }}",
		    "2019-06-13 20:39:39 UTC|1970-01-01|0001" },
		{ "{{ dateInZone \"02 Jan 06 15:04 -0700\" 1560458379 \"UTC\" "
		  "}}|{{ htmlDateInZone 1483225200 \"Asia/Tokyo\" }}|{{ "
		  "date_in_zone \"15:04 MST\" 0 \"nowhere\" }}",
		    "13 Jun 19 20:39 +0000|2017-01-01|00:00 UTC" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
reads_dates_or_gives_zero(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ toDate \"2006-01-02\" \"2017-12-31\" | date "
		  "\"02/01/2006\" }}",
		    "31/12/2017" },
		{ "{{ toDate \"2006-01-02\" \"x\" }}",
		    "0001-01-01 00:00:00 +0000 UTC" },
		{ "{{ mustToDate \"2006-01-02\" .x }}",
		    "template: cfg:1:3: executing \"cfg\" at <mustToDate "
		    "\"2006-01-02\" .x>: error calling mustToDate: parsing "
		    "time (value withheld) as (value withheld): cannot parse "
		    "(value withheld) as (value withheld)" },
		{ "{{ toDate \"\" \"\" | unixEpoch }}", "-62167219200" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
moves_dates_by_durations(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ dateModify \"-1h30m\" (toDate \"2006-01-02\" "
		  "\"2020-02-28\") }}|{{ date_modify \"x\" (toDate "
		  "\"2006-01-02\" \"2020-02-28\") }}",
		    "2020-02-27 22:30:00 +0000 UTC|2020-02-28 00:00:00 +0000 "
		    "UTC" },
		{ "{{ mustDateModify .x (toDate \"2006-01-02\" \"2020-02-28\") "
		  "}}",
		    "template: cfg:1:3: executing \"cfg\" at <mustDateModify "
		    ".x (toDate \"2006-01-02\" \"2020-02-28\")>: error calling "
		    "mustDateModify: time: invalid duration (value withheld)" },
		{ "{{ must_date_modify \"24h\" (toDate \"2006-01-02\" "
		  "\"2020-02-28\") }}",
		    "2020-02-29 00:00:00 +0000 UTC" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
prints_durations(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ duration \"93784\" }}|{{ duration 5 }}|{{ duration "
		  "(int64 61) }}|{{ duration \"9223372037\" }}",
		    "26h3m4s|0s|1m1s|-2562047h47m16.709551616s" },
		{ "{{ durationRound \"2400h5s\" }}|{{ durationRound \"2h5s\" "
		  "}}|{{ durationRound \"61s\" }}|{{ durationRound \"-25h\" "
		  "}}|{{ durationRound 5 }}",
		    "3mo|2h|1m|1d|0s" },
		{ "{{ ago \"x\" }}|{{ ago 1.5 }}", "0s|0s" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_what_is_a_date),
		cmocka_unit_test(reads_dates_or_gives_zero),
		cmocka_unit_test(moves_dates_by_durations),
		cmocka_unit_test(prints_durations),
	};

	/* What Go rendered, it rendered with this zone. */
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
