/*
 * Tests of controller/tmpl/constraint.c: constraints on versions.
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
holds_versions_against_constraints(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ semverCompare \"^1.2.0\" \"2.2.3\" }}{{ semverCompare "
		  "\"^0.2.3\" \"0.2.9\" }}{{ semverCompare \"^0.0.3\" "
		  "\"0.0.4\" }}{{ semverCompare \"~1\" \"1.9.9\" }}",
		    "falsetruefalsetrue" },
		{ "{{ semverCompare \">1 <3\" \"2.0.0\" }}{{ semverCompare "
		  "\">=1.2, <2 || ^3\" \"3.1.0\" }}{{ semverCompare \"1.2 - "
		  "1.4\" \"1.4.9\" }}{{ semverCompare \"!=1.2\" \"1.2.3\" }}",
		    "truetruetruefalse" },
		{ "{{ semverCompare \">11\" \"11.1.0\" }}{{ semverCompare "
		  "\"<=11\" \"11.5.0\" }}{{ semverCompare \"*\" \"1.2.3\" }}{{ "
		  "semverCompare \"^*\" \"1.2.3\" }}{{ semverCompare \"1.x\" "
		  "\"1.9.0\" }}{{ semverCompare \"=>1.0\" \"1.0.0\" }}",
		    "falsetruetruefalsetruetrue" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
takes_pre_releases_only_where_asked_for(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ semverCompare \">1.0.0\" \"1.2.3-beta\" }}{{ "
		  "semverCompare \">1.0.0-0\" \"1.2.3-beta\" }}{{ "
		  "semverCompare \"~1.2.3-b\" \"1.2.3-c\" }}",
		    "falsetruetrue" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
refuses_what_is_no_constraint(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ semverCompare \"\" \"1\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <semverCompare "
		    "\"\" \"1\">: error calling semverCompare: improper "
		    "constraint: (value withheld)" },
		{ "{{ semverCompare .x \"1\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <semverCompare .x "
		    "\"1\">: error calling semverCompare: improper constraint: "
		    "(value withheld)" },
		{ "{{ semverCompare \">1.0<2.0\" \"1\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <semverCompare "
		    "\">1.0<2.0\" \"1\">: error calling semverCompare: "
		    "improper constraint: (value withheld)" },
		{ "{{ semverCompare \"=18446744073709551616\" \"1\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <semverCompare "
		    "\"=18446744073709551616\" \"1\">: error calling "
		    "semverCompare: constraint parser error" },
		{ "{{ semverCompare \"1\" .x }}",
		    "template: cfg:1:3: executing \"cfg\" at <semverCompare "
		    "\"1\" .x>: error calling semverCompare: invalid semantic "
		    "version" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_versions_against_constraints),
		cmocka_unit_test(takes_pre_releases_only_where_asked_for),
		cmocka_unit_test(refuses_what_is_no_constraint),
	};

	/* What Go rendered, it rendered with this zone. */
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
