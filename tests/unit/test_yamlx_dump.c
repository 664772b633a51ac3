/*
 * JSON to YAML: as kubectl prints it, within the limits, and read back as it
 * was.
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

static void
writes_as_kubectl_prints(void **state UNUSED)
{
	static const struct {
		const char *json;
		const char *yaml;
	} cases[] = {
		{ "{\"kind\":\"List\",\"items\":[{\"b\":1,\"a\":{}},[]],"
		  "\"apiVersion\":\"v1\"}",
		    "apiVersion: v1\nitems:\n- a: {}\n  b: 1\n- []\n"
		    "kind: List\n" },
		{ "{\"t\":true,\"nil\":null,\"i\":-7}",
		    "i: -7\nnil: null\nt: true\n" },
		{ "{\"a\":\"true\",\"b\":\"12\",\"c\":\"\",\"d\":\"no\","
		  "\"e\":\"1e3\",\"f\":\"~\",\"g\":\".nan\",\"h\":\"0x1f\"}",
		    "a: \"true\"\nb: \"12\"\nc: \"\"\nd: \"no\"\ne: \"1e3\"\n"
		    "f: \"~\"\ng: \".nan\"\nh: \"0x1f\"\n" },
		{ "{\"t\":\"2026-11-24T06:30:02Z\",\"s\":\"1:20\"}",
		    "s: \"1:20\"\nt: \"2026-11-24T06:30:02Z\"\n" },
		{ "{\"a\":\"- x\",\"b\":\"x: y\",\"c\":\"# z\"}",
		    "a: '- x'\nb: 'x: y'\nc: '# z'\n" },
		{ "{\"a\":\"one\\ntwo\\n\",\"b\":\"one\\ntwo\"}",
		    "a: |\n  one\n  two\nb: |-\n  one\n  two\n" },
		{ "{\"true\":1}", "\"true\": 1\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RELEASE(buf) struct buf out = BUF_INIT(4096);
		AUTO_JSON json_t *v = jsontext_parse(cases[i].json);
		struct err err = ERR_INIT;

		assert_int_equal(yamlx_dump(v, &out, &err), 0);
		assert_string_equal(buf_str(&out), cases[i].yaml);
	}
}

static void
does_not_fold_long_lines(void **state UNUSED)
{
	AUTO_RELEASE(buf) struct buf out = BUF_INIT(16384);
	AUTO_JSON json_t *v = json_object();
	struct err err = ERR_INIT;
	char text[8000];

	memset(text, 'x', sizeof(text) - 1);
	for (size_t i = 50; i < sizeof(text) - 1; i += 50)
		text[i] = ' ';
	text[sizeof(text) - 1] = '\0';
	jsonx_set_str(v, "a", text);
	assert_int_equal(yamlx_dump(v, &out, &err), 0);
	assert_ptr_equal(
	    memchr(out.data, '\n', out.len), out.data + out.len - 1);
}

static void
writing_stops_where_the_buffer_ends(void **state UNUSED)
{
	AUTO_RELEASE(buf) struct buf out = BUF_INIT(20);
	AUTO_JSON json_t *v =
	    jsontext_parse("{\"a\":\"0123456789abcdefghijklmnopqrstuvwxyz\"}");
	struct err err = ERR_INIT;

	assert_int_equal(yamlx_dump(v, &out, &err), -1);
	assert_int_equal(err.code, ERR_TOOBIG);
}

static void
writes_nothing_that_the_reader_would_refuse_as_too_deep(void **state UNUSED)
{
	AUTO_RELEASE(buf) struct buf out = BUF_INIT(1 << 20);
	AUTO_JSON json_t *v = json_array();
	struct err err = ERR_INIT;

	for (int i = 0; i < 70; i++) {
		json_t *outer = json_array();

		assert_int_equal(json_array_append_new(outer, v), 0);
		v = outer;
	}
	assert_int_equal(yamlx_dump(v, &out, &err), -1);
	assert_int_equal(err.code, ERR_TOOBIG);
}

/* Whatever the reader makes a text of, as a value and as a member's name. */
static void
reads_every_text_back_as_the_text_it_was(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(yaml_vectors); i++) {
		AUTO_RELEASE(buf) struct buf out = BUF_INIT(4096);
		AUTO_JSON json_t *v = json_object();
		AUTO_JSON json_t *back = NULL;
		const char *text = yaml_vectors[i].yaml;
		json_t *s = json_string(text);
		struct err err = ERR_INIT;

		if (s == NULL) /* not UTF-8 */
			continue;
		jsonx_set(v, text, json_incref(s));
		jsonx_set(v, "also", s);
		assert_int_equal(yamlx_dump(v, &out, &err), 0);
		assert_int_equal(
		    yamlx_parse(buf_str(&out), out.len, &back, NULL, &err), 0);
		assert_true(json_equal(v, back));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_as_kubectl_prints),
		cmocka_unit_test(does_not_fold_long_lines),
		cmocka_unit_test(writing_stops_where_the_buffer_ends),
		cmocka_unit_test(
		    writes_nothing_that_the_reader_would_refuse_as_too_deep),
		cmocka_unit_test(reads_every_text_back_as_the_text_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
