/*
 * YAML to JSON: typing against vectors from the reader Kubernetes uses, and
 * the limits.
 */
/* layer: base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/jsonx.h"
#include "base/yamlx.h"
#include "jsontext.h"
#include "yaml_vectors.h"

/* JSON that the reference's YAML reader refuses; it has a JSON reader in front
 * of it, and so does this one. */
static const char *const json_only[] = {
	"{\"a\":\"\\u00e9\\ud83d\\ude00\"}",
	"{\"a\":\"x\\/y\"}",
};

static bool
is_json_only(const char *yaml)
{
	for (size_t i = 0; i < ARRAY_SIZE(json_only); i++)
		if (strcmp(json_only[i], yaml) == 0)
			return true;
	return false;
}

static void
reads_documents_as_the_reference_does(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(yaml_vectors); i++) {
		AUTO_JSON json_t *v = NULL;
		AUTO_JSON json_t *want = NULL;
		struct err err = ERR_INIT;
		const char *yaml = yaml_vectors[i].yaml;
		int rc = yamlx_parse(yaml, strlen(yaml), &v, NULL, &err);

		if (is_json_only(yaml)) {
			assert_int_equal(rc, 0);
			continue;
		}
		if (yaml_vectors[i].json != NULL)
			want = jsontext_parse(yaml_vectors[i].json);
		if ((rc == 0) != (want != NULL))
			print_error("'%s'\n", yaml);
		assert_int_equal(rc, want != NULL ? 0 : -1);
		assert_true(rc < 0 || json_equal(v, want));
		if (rc < 0) {
			assert_int_equal(err.code, ERR_INVALID);
			assert_memory_equal(err.msg, "yaml: ", 6);
		}
	}
}

static void
reads_json_with_surrogate_pairs_and_escaped_slashes(void **state UNUSED)
{
	static const char text[] =
	    " {\"a\":\"\\ud83d\\ude00\",\"b\":\"x\\/y\"}\n";
	AUTO_JSON json_t *v = NULL;
	struct err err = ERR_INIT;
	bool more = true;

	assert_int_equal(yamlx_parse(text, strlen(text), &v, &more, &err), 0);
	assert_string_equal(jsonx_str(v, "a", NULL), "\xf0\x9f\x98\x80");
	assert_string_equal(jsonx_str(v, "b", NULL), "x/y");
	assert_false(more);
}

static void
tells_whether_another_document_follows(void **state UNUSED)
{
	static const struct {
		const char *yaml;
		bool more;
	} cases[] = {
		{ "", false },
		{ "a: b", false },
		{ "---\na: b\n", false },
		{ "a: b\n...\n", false },
		{ "a: b\n---\n", true },
		{ "a: b\n---\nc: d\n", true },
		{ "---\n---\n", true },
		{ "{\"a\": 1}", false },
		{ "{\"a\": 1}\n---\n{\"b\": 1}", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *v = NULL;
		struct err err = ERR_INIT;
		bool more = !cases[i].more;

		assert_int_equal(yamlx_parse(cases[i].yaml,
				     strlen(cases[i].yaml), &v, &more, &err),
		    0);
		assert_int_equal(more, cases[i].more);
	}
}

static void
refuses_what_could_mislead_or_explode(void **state UNUSED)
{
	static const struct {
		const char *yaml;
		const char *error;
	} cases[] = {
		{ "a: &x 1\nb: *x\n",
		    "yaml: line 2: aliases are not supported" },
		{ "<<: {a: b}", "yaml: line 1: mapping key not supported" },
		{ "a: 1\na: 2", "yaml: line 2: duplicate mapping key" },
		{ "1: a\n'1': b", "yaml: line 2: duplicate mapping key" },
		{ "{\"a\": 1, \"a\": 2}",
		    "yaml: line 1: duplicate mapping key" },
		{ "a: !!binary aGk=",
		    "yaml: line 1: value does not fit its tag" },
		{ "a: !custom x", "yaml: line 1: tag not supported" },
		{ "a: !!set {x: }", "yaml: line 1: tag not supported" },
		{ "!!python/object x",
		    "yaml: line 1: value does not fit its tag" },
		{ "a: !!int x", "yaml: line 1: value does not fit its tag" },
		{ "? [a]\n: b", "yaml: line 1: mapping key not supported" },
		{ "a: .inf",
		    "yaml: line 1: infinity and NaN have no JSON form" },
		{ "\"a\\0b\": c", "yaml: line 1: mapping key not supported" },
		{ "a: 'x", "yaml: line 1: found unexpected end of stream" },
		{ "a: b\n%", NULL },
		{ "a: \xff", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *v = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(yamlx_parse(cases[i].yaml,
				     strlen(cases[i].yaml), &v, NULL, &err),
		    -1);
		assert_null(v);
		assert_int_equal(err.code, ERR_INVALID);
		if (cases[i].error != NULL)
			assert_string_equal(err.msg, cases[i].error);
	}
}

static void
keeps_quoted_merge_keys_and_nul_bytes_of_values(void **state UNUSED)
{
	static const char text[] = "'<<': \"a\\0b\"";
	AUTO_JSON json_t *v = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(yamlx_parse(text, strlen(text), &v, NULL, &err), 0);
	assert_int_equal(json_string_length(json_object_get(v, "<<")), 3);
}

static int
parse_nested(char open, char close, unsigned depth)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(4096);
	AUTO_JSON json_t *v = NULL;
	struct err err = ERR_INIT;

	/* The comment keeps the JSON reader out of it. */
	buf_puts(&b, "# c\n");
	for (unsigned i = 0; i < depth; i++) {
		buf_putc(&b, open);
		if (open == '{')
			buf_puts(&b, i + 1 < depth ? "a: " : "");
	}
	for (unsigned i = 0; i < depth; i++)
		buf_putc(&b, close);
	return yamlx_parse(buf_str(&b), b.len, &v, NULL, &err);
}

static void
bounds_the_nesting(void **state UNUSED)
{
	assert_int_equal(parse_nested('[', ']', 64), 0);
	assert_int_equal(parse_nested('[', ']', 65), -1);
	assert_int_equal(parse_nested('{', '}', 64), 0);
	assert_int_equal(parse_nested('{', '}', 65), -1);
}

static int
parse_items(const char *begin, const char *item, const char *end, unsigned n)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(1 << 20);
	AUTO_JSON json_t *v = NULL;
	struct err err = ERR_INIT;

	buf_puts(&b, begin);
	for (unsigned i = 0; i < n; i++)
		buf_puts(&b, item);
	buf_puts(&b, end);
	return yamlx_parse(buf_str(&b), b.len, &v, NULL, &err);
}

static void
bounds_the_number_of_nodes(void **state UNUSED)
{
	/* The sequence is a node too. */
	assert_int_equal(parse_items("", "- a\n", "", 19999), 0);
	assert_int_equal(parse_items("", "- a\n", "", 20000), -1);
	assert_int_equal(parse_items("[", "1,", "1]", 19998), 0);
	assert_int_equal(parse_items("[", "1,", "1]", 20000), -1);
}

static int
parse_directives(unsigned n)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(1 << 20);
	AUTO_JSON json_t *v = NULL;
	struct err err = ERR_INIT;

	for (unsigned i = 0; i < n; i++)
		buf_printf(&b, "%%TAG !a%u! x\n", i);
	buf_puts(&b, "---\na: b\n");
	return yamlx_parse(buf_str(&b), b.len, &v, NULL, &err);
}

static void
bounds_directives_that_cost_quadratic_time(void **state UNUSED)
{
	assert_int_equal(parse_directives(16), 0);
	assert_int_equal(parse_directives(17), -1);
	assert_int_equal(parse_directives(10000), -1);
}

static void
reads_utf8_only(void **state UNUSED)
{
	static const char marked[] = "\xef\xbb\xbf"
				     "a: b\n";
	static const char wide[] = "\xff\xfe"
				   "a\0:\0 \0b\0";
	AUTO_JSON json_t *v = NULL;
	json_t *none = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(
	    yamlx_parse(marked, sizeof(marked) - 1, &v, NULL, &err), 0);
	assert_string_equal(jsonx_str(v, "a", NULL), "b");
	assert_int_equal(
	    yamlx_parse(wide, sizeof(wide) - 1, &none, NULL, &err), -1);
	assert_null(none);
}

static void
never_quotes_the_document_in_an_error(void **state UNUSED)
{
	static const char *const texts[] = {
		"password: \"hunter2",
		"hunter2: [",
		"- hunter2: *hunter2",
		"!hunter2 hunter2",
		"%hunter2 x\n---\n'hunter2",
		"{\"hunter2\": hunter2 ",
		"&hunter2 &hunter2 hunter2",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		json_t *v = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(
		    yamlx_parse(texts[i], strlen(texts[i]), &v, NULL, &err),
		    -1);
		assert_null(strstr(err.msg, "hunter2"));
	}
}

/* ---- several documents ---- */

static void
reads_every_document_of_a_text(void **state UNUSED)
{
	static const struct {
		const char *yaml;
		const char *json;
	} cases[] = {
		{ "", "[]" },
		{ "# nothing\n", "[]" },
		{ "a: 1\n", "[{\"a\":1}]" },
		{ "{\"a\": 1}", "[{\"a\":1}]" },
		{ "---\na: 1\n---\n---\n- b\n...\n",
		    "[{\"a\":1},null,[\"b\"]]" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *v = NULL;
		AUTO_JSON json_t *want = jsontext_parse(cases[i].json);
		struct err err = ERR_INIT;

		assert_int_equal(yamlx_parse_all(cases[i].yaml,
				     strlen(cases[i].yaml), 100, &v, &err),
		    0);
		assert_true(json_equal(v, want));
	}
}

static void
counts_the_nodes_of_all_documents_together(void **state UNUSED)
{
	static const char *const texts[] = { "a: 1\n---\na: 1\n",
		"{\"a\": [1, 2, 3, 4]}" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct err err = ERR_INIT;
		json_t *v = NULL;

		assert_int_equal(
		    yamlx_parse_all(texts[i], strlen(texts[i]), 5, &v, &err),
		    -1);
		assert_null(v);
		assert_non_null(strstr(err.msg, "too many nodes"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_documents_as_the_reference_does),
		cmocka_unit_test(
		    reads_json_with_surrogate_pairs_and_escaped_slashes),
		cmocka_unit_test(tells_whether_another_document_follows),
		cmocka_unit_test(refuses_what_could_mislead_or_explode),
		cmocka_unit_test(
		    keeps_quoted_merge_keys_and_nul_bytes_of_values),
		cmocka_unit_test(bounds_the_nesting),
		cmocka_unit_test(bounds_the_number_of_nodes),
		cmocka_unit_test(bounds_directives_that_cost_quadratic_time),
		cmocka_unit_test(reads_utf8_only),
		cmocka_unit_test(never_quotes_the_document_in_an_error),
		cmocka_unit_test(reads_every_document_of_a_text),
		cmocka_unit_test(counts_the_nodes_of_all_documents_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
