/*
 * Tests of controller/sealedsecret/scope.c.
 * layer: sealedsecret
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "jsontext.h"
#include "sealedsecret/scope.h"

#define CW "\"sealedsecrets.bitnami.com/cluster-wide\":"
#define NW "\"sealedsecrets.bitnami.com/namespace-wide\":"

static void
only_the_exact_text_true_widens_the_scope(void **state UNUSED)
{
	static const struct {
		const char *annotations;
		enum scope want;
	} cases[] = {
		{ "{}", SCOPE_STRICT },
		{ "null", SCOPE_STRICT },
		{ "7", SCOPE_STRICT },
		{ "[1]", SCOPE_STRICT },
		{ "{" CW "\"true\"}", SCOPE_CLUSTER_WIDE },
		{ "{" NW "\"true\"}", SCOPE_NAMESPACE_WIDE },
		{ "{" NW "\"true\"," CW "\"true\"}", SCOPE_CLUSTER_WIDE },
		{ "{" NW "\"true\"," CW "\"false\"}", SCOPE_NAMESPACE_WIDE },
		{ "{" CW "\"TRUE\"}", SCOPE_STRICT },
		{ "{" CW "\"True\"}", SCOPE_STRICT },
		{ "{" CW "\"1\"}", SCOPE_STRICT },
		{ "{" CW "\" true\"}", SCOPE_STRICT },
		{ "{" CW "\"true \"}", SCOPE_STRICT },
		{ "{" CW "\"\"}", SCOPE_STRICT },
		{ "{" CW "true}", SCOPE_STRICT },
		{ "{" CW "\"true\\u0000\"}", SCOPE_STRICT },
		{ "{\"sealedsecrets.bitnami.com/cluster-wide\\u0000\":"
		  "\"true\"}",
		    SCOPE_STRICT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *a = jsontext_parse(cases[i].annotations);
		AUTO_JSON json_t *obj =
		    json_pack("{s:{s:O}}", "metadata", "annotations", a);

		if (scope_of(obj) != cases[i].want)
			fail_msg("%s: got %s", cases[i].annotations,
			    scope_name(scope_of(obj)));
	}
}

static void
the_template_has_no_say_in_the_scope(void **state UNUSED)
{
	AUTO_JSON json_t *obj = jsontext_parse(
	    "{\"metadata\":{},\"spec\":{\"template\":"
	    "{\"metadata\":{\"annotations\":{" CW "\"true\"}}}}}");

	assert_int_equal(scope_of(obj), SCOPE_STRICT);
	assert_int_equal(scope_of(NULL), SCOPE_STRICT);
}

static void
the_label_is_what_the_scope_binds(void **state UNUSED)
{
	static const struct {
		enum scope scope;
		const char *want, *name;
	} cases[] = {
		{ SCOPE_STRICT, "ns/the.name", "strict" },
		{ SCOPE_NAMESPACE_WIDE, "ns", "namespace-wide" },
		{ SCOPE_CLUSTER_WIDE, "", "cluster-wide" },
	};
	struct err err = ERR_INIT;
	struct objkey key;

	assert_int_equal(objkey_set(&key, "ns", "the.name", &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char label[SCOPE_LABEL_MAX];

		assert_int_equal(scope_label(cases[i].scope, &key, label),
		    strlen(cases[i].want));
		assert_string_equal(label, cases[i].want);
		assert_string_equal(scope_name(cases[i].scope), cases[i].name);
	}
}

static void
the_longest_name_fits_the_label(void **state UNUSED)
{
	char ns[OBJKEY_NS_MAX], name[OBJKEY_NAME_MAX], out[SCOPE_LABEL_MAX];
	struct err err = ERR_INIT;
	struct objkey key;

	memset(ns, 'n', sizeof(ns) - 1);
	memset(name, 'x', sizeof(name) - 1);
	ns[sizeof(ns) - 1] = name[sizeof(name) - 1] = '\0';
	assert_int_equal(objkey_set(&key, ns, name, &err), 0);
	assert_int_equal(scope_label(SCOPE_STRICT, &key, out), 63 + 1 + 253);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_exact_text_true_widens_the_scope),
		cmocka_unit_test(the_template_has_no_say_in_the_scope),
		cmocka_unit_test(the_label_is_what_the_scope_binds),
		cmocka_unit_test(the_longest_name_fits_the_label),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
