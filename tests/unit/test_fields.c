/*
 * Tests of controller/sealedsecret/fields.c.
 * layer: sealedsecret
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "controller/sealedsecret/fields.h"
#include "jsontext.h"

#define OURS(fields)                                                     \
	"{\"manager\":\"controller\",\"time\":\"2026-01-01T00:00:00Z\"," \
	"\"fieldsV1\":{" fields "}}"
#define THEIRS(name, time, fields)                   \
	"{\"manager\":\"" name "\",\"time\":\"" time \
	"\",\"fieldsV1\":{" fields "}}"
#define DATA(keys)   "\"f:data\":{\".\":{}," keys "}"
#define KEY(name)    "\"f:" name "\":{}"
#define LABELS(keys) "\"f:metadata\":{\"f:labels\":{\".\":{}," keys "}}"

static json_t *
secret(const char *entries)
{
	return json_pack(
	    "{s:{s:o}}", "metadata", "managedFields", jsontext_parse(entries));
}

static void
an_item_is_ours_where_nobody_else_claims_it(void **state UNUSED)
{
	static const struct {
		const char *entries;
		bool ours, foreign, any;
	} cases[] = {
		{ "[" OURS(DATA(KEY("k"))) "]", true, false, true },
		{ "[" OURS(DATA(KEY("other"))) "]", false, false, true },
		{ "[" OURS(DATA(KEY("other"))) "," THEIRS(
		      "kubectl", "", DATA(KEY("k"))) "]",
		    false, true, true },
		/* Two that agree. */
		{ "[" OURS(DATA(KEY("k"))) "," THEIRS(
		      "kubectl", "", DATA(KEY("k"))) "]",
		    false, true, true },
		{ "[" OURS(DATA(KEY("k"))) "," THEIRS(
		      "kubectl", "", LABELS(KEY("k"))) "]",
		    true, false, true },
		/* What is left of one whose keys were all taken. */
		{ "[" OURS(DATA(KEY("k"))) "," THEIRS(
		      "kubectl", "", "\"f:data\":{\".\":{}}") "]",
		    true, false, true },
		{ "[" THEIRS("controller2", "", DATA(KEY("k"))) "]", false,
		    true, false },
		{ "[]", false, false, false },
		{ "[7,null,{\"manager\":7,\"fieldsV1\":[]}]", false, false,
		    false },
		{ "{}", false, false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *s = secret(cases[i].entries);

		if (fields_ours(s, FIELDS_DATA, "k") != cases[i].ours ||
		    fields_foreign_data(s) != cases[i].foreign ||
		    fields_any_ours(s) != cases[i].any)
			fail_msg("case %zu", i);
	}
	assert_false(fields_ours(NULL, FIELDS_DATA, "k"));
}

static void
all_of_the_data_is_ours_where_each_item_is(void **state UNUSED)
{
	static const struct {
		const char *entries, *data;
		bool ours;
	} cases[] = {
		{ "[" OURS(DATA(KEY("k"))) "]", "{\"k\":\"\"}", true },
		{ "[" OURS(DATA(KEY("k"))) "]", "{}", false },
		{ "[" OURS(DATA(KEY("k"))) "]", "null", false },
		{ "[]", "{\"k\":\"\"}", false },
		{ "[" OURS(DATA(KEY("k"))) "]",
		    "{\"k\":\"\",\"of\":\"nobody\"}", false },
		{ "[" OURS(DATA(KEY("k"))) "," THEIRS(
		      "kubectl", "", DATA(KEY("gone"))) "]",
		    "{\"k\":\"\"}", false },
		{ "[" OURS(DATA(KEY("k"))) "," THEIRS(
		      "kubectl", "", LABELS(KEY("k"))) "]",
		    "{\"k\":\"\"}", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *s = secret(cases[i].entries);
		struct err err = ERR_INIT;
		json_t *data = NULL;

		assert_int_equal(
		    jsonx_parse(cases[i].data, strlen(cases[i].data),
			JSON_DECODE_ANY, &data, &err),
		    0);
		jsonx_set(s, "data", data);
		if (fields_all_data_ours(s) != cases[i].ours)
			fail_msg("%s of %s", cases[i].data, cases[i].entries);
	}
}

static void
a_name_that_is_too_long_is_nobodys(void **state UNUSED)
{
	AUTO_JSON json_t *s = secret("[" OURS(DATA(KEY("k"))) "]");
	char name[4096];

	memset(name, 'k', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_false(fields_ours(s, FIELDS_DATA, name));
}

struct seen {
	char names[64];
};

static void
see(void *ctx, const char *name)
{
	struct seen *s = ctx;

	size_t len = strlen(s->names);

	(void)snprintf(s->names + len, sizeof(s->names) - len, "%s", name);
}

static void
the_walk_passes_what_is_ours_alone(void **state UNUSED)
{
	AUTO_JSON json_t *s = secret("[" OURS(
	    DATA(KEY("a") "," KEY("b")) "," LABELS(KEY("l"))) "," THEIRS("x",
	    "", DATA(KEY("b") "," KEY("c"))) "]");
	struct seen seen = { "" };

	fields_walk(s, FIELDS_DATA, see, &seen);
	assert_string_equal(seen.names, "a");
	fields_walk(s, FIELDS_LABELS, see, &seen);
	fields_walk(s, FIELDS_ANNOTATIONS, see, &seen);
	assert_string_equal(seen.names, "al");
}

static void
the_last_of_the_others_is_named(void **state UNUSED)
{
	AUTO_JSON json_t *none = secret("[" OURS(DATA(KEY("a"))) "]");
	AUTO_JSON json_t *two = secret("[" THEIRS(
	    "new", "2026-03-01T00:00:00Z", DATA(KEY("a"))) "," THEIRS("old",
	    "2026-02-01T00:00:00Z", DATA(KEY("b"))) "]");

	assert_null(fields_last_other(none));
	assert_string_equal(fields_last_other(two), "new");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_item_is_ours_where_nobody_else_claims_it),
		cmocka_unit_test(all_of_the_data_is_ours_where_each_item_is),
		cmocka_unit_test(a_name_that_is_too_long_is_nobodys),
		cmocka_unit_test(the_walk_passes_what_is_ours_alone),
		cmocka_unit_test(the_last_of_the_others_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
