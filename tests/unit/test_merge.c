/*
 * Tests of controller/sealedsecret/merge.c.
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
#include "jsontext.h"
#include "sealedsecret/merge.h"
#include "sealedsecret/scope.h"

#define OWNER(uid)                                             \
	"{\"apiVersion\":\"bitnami.com/v1alpha1\",\"kind\":"   \
	"\"SealedSecret\",\"name\":\"s\",\"uid\":\"" uid "\"," \
	"\"controller\":true}"
#define MANAGED "\"sealedsecrets.bitnami.com/managed\":\"true\""
#define PATCH	"\"sealedsecrets.bitnami.com/patch\":\"true\""

static void
ownership_is_judged_by_uid_and_annotations(void **state UNUSED)
{
	static const struct {
		const char *metadata;
		bool ok;
	} cases[] = {
		{ "{\"name\":\"s\",\"ownerReferences\":[" OWNER("u1") "]}",
		    true },
		{ "{\"name\":\"s\",\"ownerReferences\":[" OWNER("old") "]}",
		    false },
		{ "{\"name\":\"s\",\"ownerReferences\":[{\"uid\":\"u1\"}]}",
		    false },
		{ "{\"name\":\"s\",\"ownerReferences\":[{\"uid\":\"u1\","
		  "\"controller\":false}]}",
		    false },
		{ "{\"name\":\"s\",\"ownerReferences\":[{\"uid\":\"x\"},"
		  "{\"uid\":\"u1\",\"controller\":true}]}",
		    true },
		{ "{\"name\":\"s\",\"ownerReferences\":{\"uid\":\"u1\"}}",
		    false },
		{ "{\"name\":\"s\",\"ownerReferences\":[7,null,\"u1\"]}",
		    false },
		{ "{\"name\":\"s\"}", false },
		{ "{\"name\":\"s\",\"annotations\":{" MANAGED "}}", true },
		{ "{\"name\":\"s\",\"annotations\":{" PATCH "}}", true },
		{ "{\"name\":\"s\",\"annotations\":{" MANAGED "," PATCH "}}",
		    true },
		{ "{\"name\":\"s\",\"annotations\":{"
		  "\"sealedsecrets.bitnami.com/managed\":\"TRUE\"}}",
		    false },
		{ "{\"name\":\"s\",\"labels\":{" MANAGED "}}", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *m = jsontext_parse(cases[i].metadata);
		AUTO_JSON json_t *live = json_pack("{s:O}", "metadata", m);
		struct err err = ERR_INIT;
		int rc = merge_check_owner(live, "u1", &err);

		if ((rc == 0) != cases[i].ok)
			fail_msg("%s", cases[i].metadata);
		if (rc == 0)
			continue;
		assert_int_equal(err.code, ERR_UNMANAGED);
		assert_string_equal(err.msg,
		    "Resource \"s\" already exists and is not managed by "
		    "SealedSecret");
	}
}

static void
a_controller_of_the_same_name_is_known_whatever_its_uid(void **state UNUSED)
{
	static const struct {
		const char *ref;
		bool yes;
	} cases[] = {
		{ OWNER("any"), true },
		{ "{\"apiVersion\":\"bitnami.com/v2\",\"kind\":"
		  "\"SealedSecret\",\"name\":\"s\",\"controller\":true}",
		    true },
		{ "{\"apiVersion\":\"apps/v1\",\"kind\":\"SealedSecret\","
		  "\"name\":\"s\",\"controller\":true}",
		    false },
		{ "{\"apiVersion\":\"bitnami.com/v1alpha1\",\"kind\":\"Other\","
		  "\"name\":\"s\",\"controller\":true}",
		    false },
		{ "{\"apiVersion\":\"bitnami.com/v1alpha1\",\"kind\":"
		  "\"SealedSecret\",\"name\":\"t\",\"controller\":true}",
		    false },
		{ "{\"apiVersion\":\"bitnami.com/v1alpha1\",\"kind\":"
		  "\"SealedSecret\",\"name\":\"s\"}",
		    false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *r = jsontext_parse(cases[i].ref);
		AUTO_JSON json_t *obj =
		    json_pack("{s:{s:[O]}}", "metadata", "ownerReferences", r);

		if (merge_controlled_by_name(obj, "s") != cases[i].yes)
			fail_msg("%s", cases[i].ref);
	}
	assert_false(merge_controlled_by_name(NULL, "s"));
	assert_null(merge_controller_uid(NULL));
}

#define DESIRED                                                     \
	"{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{" \
	"\"name\":\"s\",\"namespace\":\"ns\",\"labels\":{\"l\":"    \
	"\"new\"},\"annotations\":{\"a\":\"new\"},"                 \
	"\"ownerReferences\":[" OWNER("u1") "]},\"data\":{\"k\":\"bmV3\"}}"

/* live, desired, and the members of the result; "" where nothing changes. */
struct merge_case {
	const char *about, *live, *desired, *want;
};

static void
check(const struct merge_case *c)
{
	AUTO_JSON json_t *live = jsontext_parse(c->live);
	AUTO_JSON json_t *before = json_deep_copy(live);
	AUTO_JSON json_t *desired = jsontext_parse(c->desired);
	AUTO_JSON json_t *got = NULL;
	AUTO_JSON json_t *want =
	    c->want[0] != '\0' ? jsontext_parse(c->want) : NULL;
	struct err err = ERR_INIT;

	assert_int_equal(merge_secret(live, desired, &got, &err), 0);
	if ((want == NULL) != (got == NULL) ||
	    (want != NULL && !json_equal(got, want))) {
		AUTO_RELEASE(buf) struct buf b = BUF_INIT(65536);

		if (got != NULL)
			assert_int_equal(jsonx_dump_sorted(got, &b, &err), 0);
		fail_msg("%s: got %s", c->about, buf_str(&b));
	}
	if (!json_equal(live, before))
		fail_msg("%s: the live object was changed", c->about);
}

static void
an_owned_secret_is_replaced(void **state UNUSED)
{
	static const struct merge_case cases[] = {
		{ "foreign labels, annotations, owners and keys go; the rest "
		  "stays",
		    "{\"metadata\":{\"name\":\"s\",\"uid\":\"x\","
		    "\"resourceVersion\":\"9\",\"finalizers\":[\"f\"],"
		    "\"labels\":{\"l\":\"old\",\"m\":\"1\"},\"annotations\":"
		    "{" MANAGED "},\"ownerReferences\":[{\"uid\":\"z\"}]},"
		    "\"type\":\"Opaque\",\"data\":{\"k\":\"b2xk\","
		    "\"gone\":\"eA==\"}}",
		    DESIRED,
		    "{\"metadata\":{\"name\":\"s\",\"uid\":\"x\","
		    "\"resourceVersion\":\"9\",\"finalizers\":[\"f\"],"
		    "\"labels\":{\"l\":\"new\"},\"annotations\":{\"a\":"
		    "\"new\"},\"ownerReferences\":[" OWNER(
			"u1") "]},"
			      "\"type\":\"Opaque\",\"data\":{\"k\":\"bmV3\"}"
			      "}" },
		{ "the same is not written",
		    "{\"metadata\":{\"name\":\"s\",\"resourceVersion\":\"9\","
		    "\"labels\":{\"l\":\"new\"},\"annotations\":{\"a\":"
		    "\"new\"},\"ownerReferences\":[" OWNER(
			"u1") "]},"
			      "\"type\":\"Opaque\",\"data\":{\"k\":\"bmV3\"}}",
		    DESIRED, "" },
		{ "absent, null and empty are the same",
		    "{\"metadata\":{\"name\":\"s\",\"labels\":{},"
		    "\"annotations\":null},\"type\":\"Opaque\",\"data\":{"
		    "\"k\":null}}",
		    "{\"metadata\":{\"ownerReferences\":[]},\"data\":{\"k\":"
		    "\"\"}}",
		    "" },
		{ "one value differs",
		    "{\"metadata\":{},\"data\":{\"a\":\"eA==\",\"b\":\"eA=="
		    "\"}}",
		    "{\"metadata\":{},\"data\":{\"a\":\"eA==\",\"b\":\"eQ=="
		    "\"}}",
		    "{\"metadata\":{},\"data\":{\"a\":\"eA==\",\"b\":\"eQ=="
		    "\"}}" },
		{ "one key of the same number differs",
		    "{\"metadata\":{},\"data\":{\"a\":\"eA==\"}}",
		    "{\"metadata\":{},\"data\":{\"b\":\"eA==\"}}",
		    "{\"metadata\":{},\"data\":{\"b\":\"eA==\"}}" },
		{ "data that is no longer wanted goes",
		    "{\"metadata\":{},\"data\":{\"a\":\"eA==\"}}",
		    "{\"metadata\":{},\"data\":{}}", "{\"metadata\":{}}" },
		{ "an odd live object is mended",
		    "{\"metadata\":{\"labels\":[1],\"ownerReferences\":\"x\"},"
		    "\"data\":7}",
		    "{\"metadata\":{\"labels\":{\"l\":\"1\"}},\"data\":{\"a\":"
		    "\"eA==\"}}",
		    "{\"metadata\":{\"labels\":{\"l\":\"1\"}},\"data\":{\"a\":"
		    "\"eA==\"}}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check(&cases[i]);
}

static void
a_patched_secret_keeps_what_others_put_there(void **state UNUSED)
{
	static const struct merge_case cases[] = {
		{ "patch alone does not take ownership",
		    "{\"metadata\":{\"labels\":{\"m\":\"1\"},\"annotations\":"
		    "{" PATCH
		    "},\"ownerReferences\":[{\"uid\":\"z\"}]},\"data\":"
		    "{\"theirs\":\"eA==\",\"k\":\"b2xk\"}}",
		    DESIRED,
		    "{\"metadata\":{\"labels\":{\"m\":\"1\",\"l\":\"new\"},"
		    "\"annotations\":{" PATCH ",\"a\":\"new\"},"
		    "\"ownerReferences\":[{\"uid\":\"z\"}]},\"data\":{"
		    "\"theirs\":\"eA==\",\"k\":\"bmV3\"}}" },
		{ "patch and managed does, and both annotations stay",
		    "{\"metadata\":{\"annotations\":{" PATCH "," MANAGED "}},"
		    "\"data\":{\"theirs\":\"eA==\"}}",
		    DESIRED,
		    "{\"metadata\":{\"labels\":{\"l\":\"new\"},"
		    "\"annotations\":{" PATCH "," MANAGED ",\"a\":\"new\"},"
		    "\"ownerReferences\":[" OWNER(
			"u1") "]},\"data\":{"
			      "\"theirs\":\"eA==\",\"k\":\"bmV3\"}}" },
		{ "managed may come with the template",
		    "{\"metadata\":{\"annotations\":{" PATCH "}},\"data\":{}}",
		    "{\"metadata\":{\"annotations\":{" MANAGED "},"
		    "\"ownerReferences\":[" OWNER("u1") "]},\"data\":{}}",
		    "{\"metadata\":{\"annotations\":{" PATCH "," MANAGED "},"
		    "\"ownerReferences\":[" OWNER("u1") "]},\"data\":{}}" },
		{ "what is there already is not written",
		    "{\"metadata\":{\"labels\":{\"l\":\"new\",\"m\":\"1\"},"
		    "\"annotations\":{" PATCH ",\"a\":\"new\"}},\"data\":{"
		    "\"theirs\":\"eA==\",\"k\":\"bmV3\"}}",
		    DESIRED, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check(&cases[i]);
}

static void
type_and_immutable_go_one_way(void **state UNUSED)
{
	static const struct merge_case cases[] = {
		{ "an empty type keeps the present one",
		    "{\"metadata\":{},\"type\":\"kubernetes.io/tls\"}",
		    "{\"metadata\":{},\"type\":\"\"}", "" },
		{ "no type keeps the present one",
		    "{\"metadata\":{},\"type\":\"kubernetes.io/tls\"}",
		    "{\"metadata\":{}}", "" },
		{ "another type is asked for",
		    "{\"metadata\":{},\"type\":\"Opaque\"}",
		    "{\"metadata\":{},\"type\":\"x/y\"}",
		    "{\"metadata\":{},\"type\":\"x/y\"}" },
		{ "immutable is turned on", "{\"metadata\":{}}",
		    "{\"metadata\":{},\"immutable\":true}",
		    "{\"metadata\":{},\"immutable\":true}" },
		{ "immutable false becomes true",
		    "{\"metadata\":{},\"immutable\":false}",
		    "{\"metadata\":{},\"immutable\":true}",
		    "{\"metadata\":{},\"immutable\":true}" },
		{ "immutable is never turned off",
		    "{\"metadata\":{},\"immutable\":true}",
		    "{\"metadata\":{},\"immutable\":false}", "" },
		{ "no word on immutable leaves it",
		    "{\"metadata\":{},\"immutable\":true}", "{\"metadata\":{}}",
		    "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check(&cases[i]);
}

static void
an_answer_without_metadata_is_refused(void **state UNUSED)
{
	static const char *const cases[] = { "{}", "[]", "7",
		"{\"metadata\":[]}" };
	AUTO_JSON json_t *desired = jsontext_parse(DESIRED);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *live = jsontext_parse(cases[i]);
		json_t *got = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(merge_secret(live, desired, &got, &err), -1);
		assert_int_equal(err.code, ERR_SERVER);
		assert_null(got);
	}
}

#define FIELDS(data)                                                    \
	"\"managedFields\":[{\"manager\":\"controller\",\"fieldsV1\":{" \
	"\"f:data\":{" data "}}}]"

/* What differs was right before; want NULL: nothing to write. */
static void
check_repair(const char *live_text, const char *rendered_text, const char *want)
{
	AUTO_JSON json_t *live = jsontext_parse(live_text);
	AUTO_JSON json_t *desired = jsontext_parse(
	    "{\"metadata\":{\"name\":\"s\",\"labels\":{\"l\":\"1\"},"
	    "\"ownerReferences\":[" OWNER("u1") "]},\"data\":{\"a\":\"QQ==\","
						"\"t\":\"bmV3\"}}");
	AUTO_JSON json_t *rendered = jsontext_parse(rendered_text);
	AUTO_JSON json_t *got = NULL;
	AUTO_JSON json_t *w = want != NULL ? jsontext_parse(want) : NULL;
	struct err err = ERR_INIT;

	assert_int_equal(merge_repair(live, desired, rendered, &got, &err), 0);
	if ((got == NULL) != (w == NULL) || (w != NULL && !json_equal(got, w)))
		fail_msg("%s", live_text);
}

#define LIVE(labels, fields, data)                                            \
	"{\"metadata\":{\"name\":\"s\",\"labels\":{" labels                   \
	"},\"ownerReferences\":[" OWNER("u1") "]," fields "},\"data\":{" data \
					      "}}"

static void
a_repair_leaves_labels_of_others_alone(void **state UNUSED)
{
	check_repair(LIVE("\"l\":\"1\",\"x\":\"9\"", FIELDS(""),
			 "\"a\":\"QQ==\",\"t\":\"bmV3\""),
	    "{}", NULL);
	check_repair(LIVE("\"l\":\"2\",\"x\":\"9\"", FIELDS(""),
			 "\"a\":\"QQ==\",\"t\":\"bmV3\""),
	    "{}",
	    LIVE("\"l\":\"1\",\"x\":\"9\"", FIELDS(""),
		"\"a\":\"QQ==\",\"t\":\"bmV3\""));
	/* Items that others add are drift. */
	check_repair(LIVE("\"l\":\"1\"", FIELDS(""),
			 "\"a\":\"QQ==\",\"t\":\"bmV3\",\"z\":\"eg==\""),
	    "{}",
	    LIVE("\"l\":\"1\"", FIELDS(""), "\"a\":\"QQ==\",\"t\":\"bmV3\""));
}

static void
a_repair_renders_only_what_others_have_touched(void **state UNUSED)
{
	/* Untouched, and another text by another rendering: stays. */
	check_repair(LIVE("\"l\":\"1\"", FIELDS("\"f:a\":{},\"f:t\":{}"),
			 "\"a\":\"QQ==\",\"t\":\"b2xk\""),
	    "{\"t\":true}", NULL);
	/* Only the other one is put right. */
	check_repair(LIVE("\"l\":\"1\"", FIELDS("\"f:t\":{}"),
			 "\"a\":\"Qg==\",\"t\":\"b2xk\""),
	    "{\"t\":true}",
	    LIVE("\"l\":\"1\"", FIELDS("\"f:t\":{}"),
		"\"a\":\"QQ==\",\"t\":\"b2xk\""));
	/* Touched: rendered anew. */
	check_repair(LIVE("\"l\":\"1\"", FIELDS("\"f:a\":{}"),
			 "\"a\":\"QQ==\",\"t\":\"b2xk\""),
	    "{\"t\":true}",
	    LIVE("\"l\":\"1\"", FIELDS("\"f:a\":{}"),
		"\"a\":\"QQ==\",\"t\":\"bmV3\""));
	/* What is sealed is known, whoever claims to have written it. */
	check_repair(LIVE("\"l\":\"1\"", FIELDS("\"f:a\":{},\"f:t\":{}"),
			 "\"a\":\"Qg==\",\"t\":\"b2xk\""),
	    "{\"t\":true}",
	    LIVE("\"l\":\"1\"", FIELDS("\"f:a\":{},\"f:t\":{}"),
		"\"a\":\"QQ==\",\"t\":\"b2xk\""));
}

static void
a_difference_is_described_by_names(void **state UNUSED)
{
	AUTO_JSON json_t *live = jsontext_parse(
	    "{\"metadata\":{\"labels\":{\"l\":\"1\",\"same\":\"1\"}},"
	    "\"data\":{\"a\":\"QQ==\",\"extra\":\"QQ==\"}}");
	AUTO_JSON json_t *next = jsontext_parse(
	    "{\"metadata\":{\"labels\":{\"l\":\"2\",\"same\":\"1\"},"
	    "\"ownerReferences\":[{}]},\"data\":{\"a\":\"Qg==\"}}");
	AUTO_JSON json_t *many = jsontext_parse("{\"data\":{}}");
	AUTO_JSON json_t *none = jsontext_parse("{}");
	char text[MERGE_TEXT_MAX], name[16];

	merge_describe(live, next, text);
	assert_string_equal(
	    text, "data (a, extra), labels (l), owner reference");
	merge_describe(live, live, text);
	assert_string_equal(text, "type or immutable");
	for (unsigned i = 0; i < 500; i++) {
		(void)snprintf(name, sizeof(name), "item-%u", i);
		jsonx_set(
		    json_object_get(many, "data"), name, json_string("x"));
	}
	merge_describe(none, many, text);
	assert_true(strlen(text) < MERGE_TEXT_MAX / 2);
	assert_non_null(strstr(text, ", ...)"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ownership_is_judged_by_uid_and_annotations),
		cmocka_unit_test(
		    a_controller_of_the_same_name_is_known_whatever_its_uid),
		cmocka_unit_test(an_owned_secret_is_replaced),
		cmocka_unit_test(a_patched_secret_keeps_what_others_put_there),
		cmocka_unit_test(type_and_immutable_go_one_way),
		cmocka_unit_test(an_answer_without_metadata_is_refused),
		cmocka_unit_test(a_repair_leaves_labels_of_others_alone),
		cmocka_unit_test(
		    a_repair_renders_only_what_others_have_touched),
		cmocka_unit_test(a_difference_is_described_by_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
