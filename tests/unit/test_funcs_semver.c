/*
 * Tests of controller/tmpl/funcs_semver.c: versions and their methods.
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
#include "tmplrig.h"

static void
reads_versions(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ semver \"v1.2\" }} {{ (semver "
		  "\"1.2.3-beta.1+c0ff33\").Prerelease }} {{ (semver "
		  "\"1.2.3-beta.1+c0ff33\").Metadata }} {{ (semver "
		  "\"v1.2\").Original }}",
		    "1.2.0 beta.1 c0ff33 v1.2" },
		{ "{{ semver \"1.2.x\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <semver "
		    "\"1.2.x\">: error calling semver: invalid semantic "
		    "version" },
		{ "{{ semver \"1.2.3-01\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <semver "
		    "\"1.2.3-01\">: error calling semver: version segment "
		    "starts with 0" },
		{ "{{ semver \"99999999999999999999\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <semver "
		    "\"99999999999999999999\">: error calling semver: error "
		    "parsing version segment: strconv.ParseUint: parsing "
		    "(value withheld): value out of range" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
compares_versions(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ semver \"1.2.3\" | (semver \"1.3.3\").Compare }} {{ "
		  "(semver \"1.2.3-a\").LessThan (semver \"1.2.3\") }} {{ "
		  "(semver \"1.2\").Equal (semver \"1.2.0\") }} {{ (semver "
		  "\"1\").GreaterThanEqual (semver \"2\") }}",
		    "1 true true false" },
		{ "{{ (semver \"1\").Compare nil }}",
		    "template: cfg:1:15: executing \"cfg\" at <(semver "
		    "\"1\").Compare>: error calling Compare: runtime error: "
		    "invalid memory address or nil pointer dereference" },
		{ "{{ semverCompare \"^1.2.0\" \"2.2.3\" }} {{ semverCompare "
		  "\"~1.2\" \"1.2.9\" }}",
		    "false true" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
changes_versions(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ (semver \"v1.2.3-a\").IncMajor }} {{ (semver "
		  "\"1.2.3-a\").IncPatch }} {{ (semver \"1.2.3\").IncPatch }} "
		  "{{ (semver \"1.2.3\").SetPrerelease \"x\" }} {{ (semver "
		  "\"1\").SetMetadata \"m\" }}",
		    "2.0.0 1.2.3 1.2.4 1.2.3-x 1.0.0+m" },
		{ "{{ (semver \"1\").IncMajor.Original }}",
		    "template: cfg:1:11: executing \"cfg\" at <\"1\">: can't "
		    "evaluate field Original in type semver.Version" },
		{ "{{ (semver \"1\").SetPrerelease \"0_1\" }}",
		    "template: cfg:1:15: executing \"cfg\" at <(semver "
		    "\"1\").SetPrerelease>: error calling SetPrerelease: "
		    "invalid prerelease string" },
		{ "{{ (semver \"1\").major }}",
		    "template: cfg:1:11: executing \"cfg\" at <\"1\">: major "
		    "is an unexported field of struct type *semver.Version" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
long_versions_cost_what_they_take(void **state UNUSED)
{
	static const char *const methods[] = { "Equal", "LessThan", "Compare" };
	struct tmpl_budget budget = tmpl_budget_default;

	budget.cpu_ms = 100000;
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		AUTO_STR char *text = xasprintf(
		    "{{ $v := semver (print `1-` (repeat 50000 `a.`) `a`) }}"
		    "{{ range 500 }}{{ $x := $v.%s $v }}{{ end }}",
		    methods[i]);
		AUTO_STR char *error = tmplrig_error(text, &budget);

		assert_non_null(error);
		assert_non_null(strstr(error, "out of budget: steps"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_versions),
		cmocka_unit_test(compares_versions),
		cmocka_unit_test(changes_versions),
		cmocka_unit_test(long_versions_cost_what_they_take),
	};

	/* What Go rendered, it rendered with this zone. */
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
