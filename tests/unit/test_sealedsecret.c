/*
 * Tests of controller/sealedsecret/sealedsecret.c.
 * layer: sealedsecret
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "controller/sealedsecret/sealedsecret.h"
#include "jsontext.h"

static void
a_view_reads_the_identity(void **state UNUSED)
{
	AUTO_JSON json_t *obj = jsontext_parse(
	    "{\"metadata\":{\"namespace\":\"ns\",\"name\":\"n\",\"uid\":\"u\","
	    "\"resourceVersion\":\"7\",\"generation\":3,\"annotations\":{"
	    "\"sealedsecrets.bitnami.com/namespace-wide\":\"true\"}}}");
	struct err err = ERR_INIT;
	struct sealedsecret ss;

	assert_int_equal(sealedsecret_view(obj, &ss, &err), 0);
	assert_string_equal(ss.key.ns, "ns");
	assert_string_equal(ss.key.name, "n");
	assert_string_equal(ss.uid, "u");
	assert_string_equal(ss.rv, "7");
	assert_int_equal(ss.generation, 3);
	assert_int_equal(ss.scope, SCOPE_NAMESPACE_WIDE);
	assert_false(ss.deleting);
}

static void
a_view_without_identity_is_refused(void **state UNUSED)
{
	static const char *const cases[] = {
		"{}",
		"[]",
		"null",
		"{\"metadata\":null}",
		"{\"metadata\":{\"namespace\":\"ns\",\"name\":\"n\"}}",
		"{\"metadata\":{\"namespace\":\"ns\",\"name\":\"n\","
		"\"uid\":\"\"}}",
		"{\"metadata\":{\"namespace\":\"ns\",\"name\":\"n\","
		"\"uid\":4}}",
		"{\"metadata\":{\"name\":\"n\",\"uid\":\"u\"}}",
		"{\"metadata\":{\"namespace\":\"a/b\",\"name\":\"n\","
		"\"uid\":\"u\"}}",
		"{\"metadata\":{\"namespace\":\"a\",\"name\":\"b/c\","
		"\"uid\":\"u\"}}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *obj = jsontext_parse(cases[i]);
		struct err err = ERR_INIT;
		struct sealedsecret ss;

		assert_int_equal(sealedsecret_view(obj, &ss, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
	}
}

static void
a_deletion_under_way_is_seen(void **state UNUSED)
{
	AUTO_JSON json_t *obj = jsontext_parse(
	    "{\"metadata\":{\"namespace\":\"ns\",\"name\":\"n\",\"uid\":\"u\","
	    "\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"}}");
	struct err err = ERR_INIT;
	struct sealedsecret ss;

	assert_int_equal(sealedsecret_view(obj, &ss, &err), 0);
	assert_true(ss.deleting);
	assert_string_equal(ss.rv, "");
}

static void
the_digest_changes_with_spec_and_scope_alone(void **state UNUSED)
{
	static const struct {
		const char *text;
		bool same;
	} cases[] = {
		{ "{\"spec\":{\"b\":1,\"a\":\"x\"}}", true },
		{ "{\"status\":{\"observedGeneration\":4},"
		  "\"spec\":{\"a\":\"x\",\"b\":1}}",
		    true },
		{ "{\"metadata\":{\"labels\":{\"l\":\"1\"},\"annotations\":"
		  "{\"other\":\"true\"}},\"spec\":{\"a\":\"x\",\"b\":1}}",
		    true },
		{ "{\"spec\":{\"a\":\"x\",\"b\":2}}", false },
		{ "{\"spec\":{\"a\":\"x\"}}", false },
		{ "{\"spec\":null}", false },
		{ "{\"spec\":\"text\"}", false },
		{ "{}", false },
		{ "{\"metadata\":{\"annotations\":{"
		  "\"sealedsecrets.bitnami.com/cluster-wide\":\"true\"}},"
		  "\"spec\":{\"a\":\"x\",\"b\":1}}",
		    false },
		{ "{\"metadata\":{\"annotations\":{"
		  "\"sealedsecrets.bitnami.com/namespace-wide\":\"true\"}},"
		  "\"spec\":{\"a\":\"x\",\"b\":1}}",
		    false },
	};
	AUTO_JSON json_t *base =
	    jsontext_parse("{\"spec\":{\"a\":\"x\",\"b\":1}}");
	uint64_t want = sealedsecret_digest(base);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *obj = jsontext_parse(cases[i].text);
		bool same = sealedsecret_digest(obj) == want;

		if (same != cases[i].same)
			fail_msg("%s", cases[i].text);
	}
}

static json_t *
with_value(size_t len, size_t flip)
{
	char *text = test_malloc(len);
	json_t *obj;

	memset(text, 'a', len);
	if (flip < len)
		text[flip] = 'b';
	obj = json_pack("{s:{s:s%}}", "spec", "v", text, len);
	test_free(text);
	return obj;
}

static void
a_change_of_one_byte_anywhere_changes_the_digest(void **state UNUSED)
{
	const size_t len = 20000;
	AUTO_JSON json_t *base = with_value(len, len);
	uint64_t want = sealedsecret_digest(base);

	for (size_t at = 0; at < len; at += 997) {
		AUTO_JSON json_t *obj = with_value(len, at);

		assert_int_not_equal(sealedsecret_digest(obj), want);
	}
	AUTO_JSON json_t *again = with_value(len, len);
	assert_int_equal(sealedsecret_digest(again), want);
}

static void
the_instance_label_is_read_where_it_is_text(void **state UNUSED)
{
	AUTO_JSON json_t *none = jsontext_parse("{\"metadata\":{}}");
	AUTO_JSON json_t *number = jsontext_parse(
	    "{\"metadata\":{\"labels\":{\"app.kubernetes.io/instance\":1}}}");
	AUTO_JSON json_t *text =
	    jsontext_parse("{\"metadata\":{\"labels\":{\"app."
			   "kubernetes.io/instance\":\"prod\"}}}");

	assert_string_equal(sealedsecret_instance(none), "");
	assert_string_equal(sealedsecret_instance(number), "");
	assert_string_equal(sealedsecret_instance(text), "prod");
	assert_int_equal(
	    sealedsecret_instance_tag(none), sealedsecret_instance_tag(number));
	assert_int_not_equal(
	    sealedsecret_instance_tag(none), sealedsecret_instance_tag(text));
}

static void
item_names_follow_the_rules_of_secrets(void **state UNUSED)
{
	static const struct {
		const char *name;
		bool ok;
	} cases[] = {
		{ "a", true },
		{ "tls.crt", true },
		{ ".dockerconfigjson", true },
		{ "A_b-C.9", true },
		{ "a..b", true },
		{ "", false },
		{ ".", false },
		{ "..", false },
		{ "..a", false },
		{ "a/b", false },
		{ "a b", false },
		{ "\xd0\xb0", false },
		{ "a\n", false },
	};
	char longest[SECRET_KEY_MAX + 2];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (sealedsecret_valid_item(
			cases[i].name, strlen(cases[i].name)) != cases[i].ok)
			fail_msg("\"%s\"", cases[i].name);
	memset(longest, 'a', sizeof(longest));
	longest[SECRET_KEY_MAX + 1] = '\0';
	assert_false(sealedsecret_valid_item(longest, SECRET_KEY_MAX + 1));
	longest[SECRET_KEY_MAX] = '\0';
	assert_true(sealedsecret_valid_item(longest, SECRET_KEY_MAX));
	assert_false(sealedsecret_valid_item("a\0b", 3));
}

static void
a_member_of_another_type_is_named(void **state UNUSED)
{
	AUTO_JSON json_t *obj =
	    jsontext_parse("{\"n\":4,\"o\":{\"x\":1},\"z\":null}");
	const json_t *got = obj;
	struct err err = ERR_INIT;

	assert_int_equal(sealedsecret_object(obj, "n", "at.n", &got, &err), -1);
	assert_string_equal(err.msg, "at.n: expected object, got number");
	assert_int_equal(sealedsecret_object(obj, "z", "at.z", &got, &err), 0);
	assert_null(got);
	assert_int_equal(sealedsecret_object(obj, "o", "at.o", &got, &err), 0);
	assert_int_equal(json_object_size(got), 1);
	assert_int_equal(sealedsecret_object(NULL, "o", "at.o", &got, &err), 0);
	assert_null(got);
	(void)sealedsecret_type_error("at", "text", NULL, &err);
	assert_string_equal(err.msg, "at: expected text, got nothing");
}

static void
knows_when_the_specification_was_written_last(void **state UNUSED)
{
#define MADE "'creationTimestamp':'2026-01-02T03:04:05Z'"
	static const struct {
		const char *metadata;
		int64_t want;
	} cases[] = {
		{ "{}", 0 },
		{ "{" MADE "}", 1767323045 },
		{ "{'creationTimestamp':7}", 0 },
		{ "{'creationTimestamp':'yesterday'}", 0 },
		{ "{" MADE ",'managedFields':'x'}", 1767323045 },
		{ "{" MADE ",'managedFields':[7,{},"
		  "{'time':'2026-02-01T00:00:00Z','fieldsV1':"
		  "{'f:status':{}}}]}",
		    1767323045 },
		{ "{" MADE ",'managedFields':["
		  "{'time':'2026-02-01T00:00:00Z','fieldsV1':{'f:spec':{}}},"
		  "{'time':'2026-03-01T00:00:00Z','fieldsV1':{'f:spec':{}}},"
		  "{'time':'2026-04-01T00:00:00Z','fieldsV1':"
		  "{'f:metadata':{}}}]}",
		    1772323200 },
		{ "{" MADE ",'managedFields':[{'fieldsV1':{'f:spec':{}}}]}",
		    1767323045 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STR char *text =
		    xasprintf("{'metadata':%s}", cases[i].metadata);
		AUTO_JSON json_t *obj = NULL;

		for (char *p = text; *p != '\0'; p++)
			if (*p == '\'')
				*p = '"';
		obj = json_loads(text, 0, NULL);
		assert_non_null(obj);
		assert_int_equal(sealedsecret_written_s(obj), cases[i].want);
	}
#undef MADE
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_view_reads_the_identity),
		cmocka_unit_test(a_view_without_identity_is_refused),
		cmocka_unit_test(a_deletion_under_way_is_seen),
		cmocka_unit_test(the_digest_changes_with_spec_and_scope_alone),
		cmocka_unit_test(
		    a_change_of_one_byte_anywhere_changes_the_digest),
		cmocka_unit_test(the_instance_label_is_read_where_it_is_text),
		cmocka_unit_test(knows_when_the_specification_was_written_last),
		cmocka_unit_test(item_names_follow_the_rules_of_secrets),
		cmocka_unit_test(a_member_of_another_type_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
