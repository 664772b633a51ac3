/*
 * Bodies of requests.
 * layer: http
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/jsonx.h"
#include "controller/http/body.h"

#define HEAD "\"apiVersion\":\"bitnami.com/v1alpha1\",\"kind\":\"SealedSecret\""
#define JSON "{" HEAD ",\"metadata\":{\"name\":\"s\"}}"
#define YAML                                             \
	"apiVersion: bitnami.com/v1alpha1\nkind: Sealed" \
	"Secret\nmetadata:\n  name: s\n"
#define TEXT_MAX ((size_t)8 * 1024 * 1024)

static int
parse(const char *text, enum body_documents documents, json_t **ret,
    struct err *err)
{
	return body_parse(text, strlen(text), documents, ret, err);
}

static void
json_and_yaml_give_the_same_object(void **state UNUSED)
{
	static const char *const texts[] = {
		JSON,
		"\n  " JSON "\n",
		YAML,
		"---\n" YAML,
		"---\n" JSON "\n",
		"# a comment\n" YAML "...\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		AUTO_JSON json_t *obj = NULL;
		struct err err = ERR_INIT;

		if (parse(texts[i], BODY_ONE_DOCUMENT, &obj, &err) < 0)
			fail_msg("%s: %s", texts[i], err.msg);
		assert_string_equal(
		    jsonx_str(obj, "metadata", "name", NULL), "s");
	}
}

static void
a_second_document_is_refused_or_not_looked_at(void **state UNUSED)
{
	static const char *const texts[] = {
		YAML "---\n",
		YAML "---\n" YAML,
		"---\n" YAML "---\n",
		JSON "\n---\n" JSON,
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		AUTO_JSON json_t *obj = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(
		    parse(texts[i], BODY_ONE_DOCUMENT, &obj, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
		assert_non_null(
		    strstr(err.msg, "Multistream YAML not supported yet"));
		assert_int_equal(
		    parse(texts[i], BODY_FIRST_DOCUMENT, &obj, &err), 0);
	}
}

static void
what_is_not_a_sealedsecret_is_refused(void **state UNUSED)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "got nothing" },
		{ " \n\t", NULL },
		{ "null", "got nothing" },
		{ "[]", "got array" },
		{ "\"text\"", "got string" },
		{ "{}", "apiVersion or kind is missing" },
		{ "{\"kind\":\"SealedSecret\"}", "is missing" },
		{ "{\"apiVersion\":\"bitnami.com/v1alpha1\"}", "is missing" },
		{ "{\"apiVersion\":\"v1\",\"kind\":\"Secret\"}", "expected" },
		{ "{\"apiVersion\":\"v1\",\"kind\":\"SealedSecret\"}",
		    "expected kind SealedSecret" },
		{ "{\"apiVersion\":\"bitnami.com/v1alpha1\",\"kind\":"
		  "\"SealedSecretList\"}",
		    "expected kind SealedSecret" },
		{ "{\"apiVersion\":\"bitnami.com/v1alpha1\",\"kind\":"
		  "\"SealedSecret\\u0000\"}",
		    "is missing" },
		/* Member names have one case only. */
		{ "{\"apiversion\":\"bitnami.com/v1alpha1\",\"Kind\":"
		  "\"SealedSecret\"}",
		    "is missing" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *obj = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(
		    parse(cases[i].text, BODY_FIRST_DOCUMENT, &obj, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
		assert_null(obj);
		if (cases[i].want != NULL)
			assert_non_null(strstr(err.msg, cases[i].want));
	}
}

static void
what_two_readers_may_read_differently_is_refused(void **state UNUSED)
{
	static const char *const texts[] = {
		/* Names twice. */
		"{" HEAD ",\"kind\":\"SealedSecret\"}",
		"{" HEAD ",\"metadata\":{\"annotations\":{\"a\":\"true\","
		"\"a\":\"false\"}}}",
		YAML "kind: SealedSecret\n",
		/* Aliases, merge keys, tags. */
		YAML "spec: &a {x: 1}\nb: *a\n",
		YAML "<<: {x: 1}\n",
		YAML "spec: !!python/object {x: 1}\n",
		/* Cut off, more behind it, not text. */
		"{" HEAD,
		JSON "}",
		JSON JSON,
		"{" HEAD ",\"a\":\"\xff\"}",
		YAML "a: \"\xff\"\n",
		"\xfe\xff\0{",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		AUTO_JSON json_t *obj = NULL;
		struct err err = ERR_INIT;

		if (parse(texts[i], BODY_ONE_DOCUMENT, &obj, &err) == 0)
			fail_msg("taken: %s", texts[i]);
		assert_int_equal(err.code, ERR_INVALID);
	}
}

static void
a_nul_in_a_name_does_not_make_another_name(void **state UNUSED)
{
	static const char json[] =
	    "{" HEAD
	    ",\"metadata\":{\"annotations\":{\"a\\u0000b\":\"true\"}}}";
	static const char yaml[] =
	    YAML "  annotations: {\"a\\0b\": \"true\"}\n";
	AUTO_JSON json_t *obj = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(parse(json, BODY_ONE_DOCUMENT, &obj, &err), 0);
	assert_null(jsonx_get(obj, "metadata", "annotations", "a", NULL));
	json_decref(obj);
	obj = NULL;
	assert_int_equal(parse(yaml, BODY_ONE_DOCUMENT, &obj, &err), -1);
}

static void
repeat(struct buf *b, const char *part, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_puts(b, part);
}

static void
deep_and_wide_bodies_are_refused_before_they_cost_anything(void **state UNUSED)
{
	static const struct {
		const char *head, *part;
		size_t n;
		enum err_code code;
	} cases[] = {
		{ "", "[", 100, ERR_INVALID },
		{ "", "[", 1000000, ERR_TOOBIG },
		{ "", "{\"a\":", 10000, ERR_INVALID },
		{ "{" HEAD ",\"a\":[", "0,", 1000000, ERR_TOOBIG },
		{ "{" HEAD ",\"a\":[", "{},", 1000000, ERR_TOOBIG },
		{ "{" HEAD ",\"a\":[", "\"\",", 1000000, ERR_TOOBIG },
		{ YAML "a: ", "[", 100000, ERR_INVALID },
		{ YAML "a:\n", "- 0\n", 1000000, ERR_INVALID },
		{ YAML "a:\n", "- - - - ", 100000, ERR_INVALID },
		{ "", "%TAG !a! tag:b\n", 100000, ERR_INVALID },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RELEASE(buf) struct buf b = BUF_INIT(TEXT_MAX);
		AUTO_JSON json_t *obj = NULL;
		struct err err = ERR_INIT;

		buf_puts(&b, cases[i].head);
		repeat(&b, cases[i].part, cases[i].n);
		assert_int_equal(
		    parse(buf_str(&b), BODY_FIRST_DOCUMENT, &obj, &err), -1);
		assert_int_equal(err.code, cases[i].code);
	}
}

static void
commas_and_brackets_in_texts_are_not_counted(void **state UNUSED)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(TEXT_MAX);
	AUTO_JSON json_t *obj = NULL;
	struct err err = ERR_INIT;

	buf_puts(&b, "{" HEAD ",\"a\":\"\\\"");
	repeat(&b, ",[{\\\"", 3 * BODY_NODES_MAX);
	buf_puts(&b, "\"}");
	assert_int_equal(parse(buf_str(&b), BODY_ONE_DOCUMENT, &obj, &err), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_and_yaml_give_the_same_object),
		cmocka_unit_test(a_second_document_is_refused_or_not_looked_at),
		cmocka_unit_test(what_is_not_a_sealedsecret_is_refused),
		cmocka_unit_test(
		    what_two_readers_may_read_differently_is_refused),
		cmocka_unit_test(a_nul_in_a_name_does_not_make_another_name),
		cmocka_unit_test(
		    deep_and_wide_bodies_are_refused_before_they_cost_anything),
		cmocka_unit_test(commas_and_brackets_in_texts_are_not_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
