/*
 * Tests of controller/tmpl/funcs_path.c: paths.
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
cleans(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ range list \"\" \".\" \"/\" \"//\" \"a/b/../c\" \"../a\" "
		  "\"a/../..\" \"/..\" \"/../a\" \"./a/.\" \"a//b/\" "
		  "\"../../a/..\" \"/a/b/../../..\" \".../x\" }}{{ clean . }} "
		  "{{ osClean . }}, {{ end }}",
		    ". ., . ., / /, / /, a/c a/c, ../a ../a, .. .., / /, /a "
		    "/a, a a, a/b a/b, ../.. ../.., / /, .../x .../x, " },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
takes_paths_apart(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ range list \"\" \"/\" \"a\" \"a/b\" \"a/b/\" \"/a\" "
		  "\"a//b//\" \".\" \"..\" \"a/.bashrc\" \"x.tar.gz\" "
		  "\"a.b/c\" }}{{ base . }} {{ dir . }} {{ ext . }} {{ isAbs . "
		  "}} {{ osBase . }} {{ osDir . }} {{ osExt . }} {{ osIsAbs . "
		  "}}, {{ end }}",
		    ". .  false . .  false, / /  true / /  true, a .  false a "
		    ".  false, b a  false b a  false, b a/b  false b a/b  "
		    "false, a /  true a /  true, b a/b  false b a/b  false, . "
		    ". . false . . . false, .. . . false .. . . false, .bashrc "
		    "a .bashrc false .bashrc a .bashrc false, x.tar.gz . .gz "
		    "false x.tar.gz . .gz false, c a.b  false c a.b  false, " },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
large_results_and_long_work_end_with_the_budget(void **state UNUSED)
{
	static const char *const texts[] = {
		"{{ $s := repeat 3000000 \"a/\" }}{{ range until 1000000 }}{{ "
		"$t := ext $s }}{{ end }}",
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
		cmocka_unit_test(cleans),
		cmocka_unit_test(takes_paths_apart),
		cmocka_unit_test(
		    large_results_and_long_work_end_with_the_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
