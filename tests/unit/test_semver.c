/*
 * Tests of controller/tmpl/semver.c: versions.
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

#include "base/compiler.h"
#include "controller/tmpl/semver.h"
#include "controller/tmpl/text.h"
#include "tmplrig.h"

static void
reads_and_prints_versions(void **state UNUSED)
{
	static const char *const cases[][2] = {
		{ "1.2.3", "1.2.3" },
		{ "v1", "1.0.0" },
		{ "01.02", "1.2.0" },
		{ "1.2.3-a.b+c.d", "1.2.3-a.b+c.d" },
		{ "1+b", "1.0.0+b" },
		{ "1.2.3--", "1.2.3--" },
		{ "18446744073709551615.0.0", "18446744073709551615.0.0" },
		{ "", NULL },
		{ "v", NULL },
		{ "V1", NULL },
		{ "1.", NULL },
		{ "1.2.3.4", NULL },
		{ "1.2.3-", NULL },
		{ "1.2.3-a..b", NULL },
		{ "1.2.3+a+b", NULL },
		{ "1.2.3-01", NULL },
		{ " 1", NULL },
		{ "18446744073709551616", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct value s = value_cstr(cases[i][0]), printed;
		struct version v;
		struct text out;
		struct env e;
		int rc;

		tmplrig_env(&e);
		rc = version_parse(&e, &s, &v);
		assert_int_equal(rc, cases[i][1] == NULL ? -1 : 0);
		if (rc == 0) {
			text_init(&out, &e);
			version_print(&out, &v);
			assert_int_equal(text_done(&out, &printed), 0);
			tmplrig_assert_str(&printed, cases[i][1]);
		}
		env_release(&e);
	}
}

static void
orders_versions(void **state UNUSED)
{
	static const char *const ascending[] = { "0.9.9", "1.0.0-1", "1.0.0-2",
		"1.0.0-10", "1.0.0-A", "1.0.0-a", "1.0.0-a.1", "1.0.0-a.b",
		"1.0.0-b", "1.0.0", "1.0.1", "1.1.0", "2.0.0" };
	const size_t n = ARRAY_SIZE(ascending);
	struct env e;

	tmplrig_env(&e);
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < n; j++) {
			struct value s = value_cstr(ascending[i]);
			struct value t = value_cstr(ascending[j]);
			struct version v, w;

			assert_int_equal(version_parse(&e, &s, &v), 0);
			assert_int_equal(version_parse(&e, &t, &w), 0);
			assert_int_equal(
			    version_compare(&v, &w), i < j ? -1 : i > j);
		}
	}
	env_release(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_prints_versions),
		cmocka_unit_test(orders_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
