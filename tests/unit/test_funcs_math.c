/*
 * Tests of controller/tmpl/funcs_math.c: sprig's numbers.
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
#include "tmplrig.h"

static void
converts(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ int \"010\" }} {{ int \"08\" }} {{ int \"3.00\" }} {{ "
		  "int \"3.5\" }} {{ int \"0x1f\" }} {{ int nil }} {{ int true "
		  "}} {{ int 2.9 }} {{ int -2.9 }} {{ int (list) }} {{ typeOf "
		  "(int 1) }} {{ typeOf (int64 1) }} {{ float64 \"1_000.5\" }} "
		  "{{ float64 \"1e400\" }} {{ float64 \"x\" }} {{ typeOf "
		  "(float64 1) }}",
		    "8 0 3 0 31 0 1 2 -2 0 int int64 1000.5 0 0 float64" },
		{ "{{ atoi \"12\" }} {{ atoi \"x\" }} {{ atoi \"0x1\" }} {{ "
		  "atoi \"99999999999999999999\" }} {{ atoi "
		  "\"-99999999999999999999\" }} {{ atoi \"\" }}",
		    "12 0 0 9223372036854775807 -9223372036854775808 0" },
		{ "{{ toDecimal 777 }} {{ toDecimal \"755\" }} {{ toDecimal 8 "
		  "}} {{ toDecimal nil }} {{ toDecimal "
		  "\"7777777777777777777777777\" }}",
		    "511 493 0 0 0" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
adds_and_multiplies_and_wraps(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ add }} {{ add 1 \"2\" 3.9 true nil }} {{ add1 -1 }} {{ "
		  "sub 3 5 }} {{ mul 2 \"3\" 4 }} {{ mul 5 }} {{ add "
		  "9223372036854775807 1 }} {{ add1 9223372036854775807 }} {{ "
		  "sub -9223372036854775808 1 }} {{ mul 9223372036854775807 2 "
		  "}}",
		    "0 7 0 -2 24 5 -9223372036854775808 -9223372036854775808 "
		    "9223372036854775807 -2" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
divides_towards_zero(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ div 7 2 }} {{ div -7 2 }} {{ mod -7 3 }} {{ mod 7 -3 }} "
		  "{{ div -9223372036854775808 -1 }} {{ mod "
		  "-9223372036854775808 -1 }}",
		    "3 -3 -1 1 -9223372036854775808 0" },
		{ "{{ div 1 0 }}",
		    "template: cfg:1:3: executing \"cfg\" at <div 1 0>: error "
		    "calling div: runtime error: integer divide by zero" },
		{ "{{ mod 1 \"x\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mod 1 \"x\">: "
		    "error calling mod: runtime error: integer divide by "
		    "zero" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
finds_extremes(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ max 1 \"5\" 3 }} {{ min 1 \"0x0\" 3 }} {{ biggest 2 1 }} "
		  "{{ maxf 1.5 \"2.5\" }} {{ minf 1.5 \"nan\" }} {{ maxf "
		  "\"nan\" \"inf\" }} {{ minf \"-inf\" \"nan\" }} {{ maxf -0.0 "
		  "0.0 }} {{ minf 0.0 -0.0 }} {{ minf 3 }}",
		    "5 0 2 2.5 NaN +Inf -Inf 0 -0 3" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
rounds(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ round 123.5555 3 }} {{ round 123.233 2 .3 }} {{ round "
		  "123.2329999 2 .3 }} {{ round -1.2 0 }} {{ round 5 -1 }} {{ "
		  "round 1.5 400 }} {{ round 1.5 -400 }} {{ round \"inf\" 2 }} "
		  "{{ round \"nan\" 2 }} {{ round 2.5 22 }} {{ floor -1.5 }} "
		  "{{ ceil -0.5 }} {{ ceil \"1.2\" }} {{ floor \"x\" }}",
		    "123.556 123.24 123.23 -2 10 NaN NaN +Inf NaN 2.5 -2 -0 2 "
		    "0" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
computes_in_decimals(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ addf 0.1 0.2 }} {{ add1f 3.4 }} {{ subf 5 1.1 \"2\" }} "
		  "{{ mulf \"2.4\" 10 \"4\" 1.2 }} {{ divf 5 4 2 }} {{ divf "
		  "1e-10 3 }} {{ addf }} {{ mulf 1e300 1e300 }} {{ divf 0 5 }} "
		  "{{ divf 1 3 }}",
		    "0.3 4.4 1.9 115.2 0.625 3.33333e-11 0 +Inf 0 "
		    "0.3333333333333333" },
		{ "{{ divf 1 0 }}",
		    "template: cfg:1:3: executing \"cfg\" at <divf 1 0>: error "
		    "calling divf: decimal division by 0" },
		{ "{{ addf \"nan\" 1 }}",
		    "template: cfg:1:3: executing \"cfg\" at <addf \"nan\" 1>: "
		    "error calling addf: Cannot create a Decimal from (value "
		    "withheld)" },
		{ "{{ mulf \"inf\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <mulf \"inf\">: "
		    "error calling mulf: Cannot create a Decimal from (value "
		    "withheld)" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
counts(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ until 3 }} {{ until -3 }} {{ until 0 }} {{ untilStep 0 "
		  "-10 -2 }} {{ untilStep 3 99 0 }} {{ untilStep 0 10 3 }} {{ "
		  "untilStep 5 1 1 }} {{ typeOf (until 0) }}",
		    "[0 1 2] [0 -1 -2] [] [0 -2 -4 -6 -8] [] [0 3 6 9] [] "
		    "[]int" },
		{ "{{ seq 5 }}|{{ seq -5 }}|{{ seq 0 }}|{{ seq 0 -4 }}|{{ seq "
		  "0 3 10 }}|{{ seq 3 -3 2 }}|{{ seq 3 3 2 }}|{{ seq }}|{{ seq "
		  "1 2 3 4 }}|{{ seq 1 0 5 }}|{{ seq 2 5 }}",
		    "1 2 3 4 5|1 0 -1 -2 -3 -4 -5|1 0|0 -1 -2 -3 -4|0 3 6 "
		    "9|3|||||2 3 4 5" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
large_results_and_long_work_end_with_the_budget(void **state UNUSED)
{
	static const char *const texts[] = {
		"{{ $l := until 1000000000 }}",
		"{{ $l := untilStep 0 9223372036854775807 1 }}",
		"{{ $l := seq 1000000000 }}",
		"{{ $l := seq -9223372036854775808 9223372036854775806 }}",
		("{{ $l := untilStep 9223372036854775807 -9223372036854775808 "
		 "-1 }}"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		AUTO_STR char *why = tmplrig_error(texts[i], NULL);

		if (why == NULL)
			print_error("in %s\n", texts[i]);
		assert_non_null(why);
		assert_non_null(strstr(why, "out of budget: "));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(converts),
		cmocka_unit_test(adds_and_multiplies_and_wraps),
		cmocka_unit_test(divides_towards_zero),
		cmocka_unit_test(finds_extremes),
		cmocka_unit_test(rounds),
		cmocka_unit_test(computes_in_decimals),
		cmocka_unit_test(counts),
		cmocka_unit_test(
		    large_results_and_long_work_end_with_the_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
