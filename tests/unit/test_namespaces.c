/*
 * Tests of controller/namespaces.c.
 * layer: main
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/namespaces.h"

struct want {
	bool all;
	const char *additional;
	const char *names[4];
	size_t count;
};

static void
gives_all_or_the_listed_namespaces(void **state UNUSED)
{
	static const struct want cases[] = {
		{ true, "", { NULL }, 1 },
		{ false, "", { "home" }, 1 },
		{ false, "a,b", { "home", "a", "b" }, 3 },
		/* An additional list restricts whatever all says. */
		{ true, "a", { "home", "a" }, 2 },
		{ true, "a,", { "home", "a" }, 2 },
		{ true, " a , ,b\t,", { "home", "a", "b" }, 3 },
		{ true, "a,b,a", { "home", "a", "b" }, 3 },
		{ true, "home,a", { "home", "a" }, 2 },
		{ true, "homer,hom", { "home", "homer", "hom" }, 3 },
		{ true, ",,", { "home" }, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct want *w = &cases[i];
		AUTO(namespaces)
		struct namespaces *n =
		    namespaces_new(w->all, w->additional, "home");

		assert_int_equal(namespaces_count(n), w->count);
		for (size_t j = 0; j < w->count; j++) {
			if (w->names[j] == NULL)
				assert_null(namespaces_at(n, j));
			else
				assert_string_equal(
				    namespaces_at(n, j), w->names[j]);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_all_or_the_listed_namespaces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
