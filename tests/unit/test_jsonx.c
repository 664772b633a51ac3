/*
 * JSON trees: limits before parsing, what is mended, readers, writers.
 */
/* layer: base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include <string.h>

#include "base/jsonx.h"

static json_t *
parse(const char *text, unsigned flags)
{
	struct err err = ERR_INIT;
	json_t *v = NULL;

	assert_int_equal(jsonx_parse(text, strlen(text), flags, &v, &err), 0);
	assert_non_null(v);
	return v;
}

static void
parses_one_value_of_any_type(void **state UNUSED)
{
	static const struct {
		const char *text, *type;
	} cases[] = {
		{ "{}", "object" },
		{ "[1,2]", "array" },
		{ " \"x\" ", "string" },
		{ "1", "number" },
		{ "1.5", "number" },
		{ "true", "boolean" },
		{ "false", "boolean" },
		{ "\n\tnull\r\n", "null" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *v = parse(cases[i].text, 0);

		assert_string_equal(jsonx_type_name(v), cases[i].type);
	}
}

static void
names_the_byte_but_never_the_text_of_an_error(void **state UNUSED)
{
	static const struct {
		const char *text;
		size_t len;
		const char *want;
	} cases[] = {
		{ "", 0, "unexpected end of JSON at byte 0" },
		{ "{\"hunter2\":", 11, "unexpected end of JSON at byte 11" },
		{ "{\"a\":hunter2}", 13, "invalid JSON at byte" },
		{ "[\"hunter2\xff\"]", 12, "invalid UTF-8 at byte" },
		{ "[\"\xc0\x80\"]", 6, "invalid UTF-8 at byte" },
		{ "{} hunter2", 10, "data after the JSON value at byte" },
		{ "[1e999]", 7, "number out of range at byte" },
		{ "[\"\\ud800\"]", 10, "invalid JSON at byte" },
		{ "[1]\0", 4, "data after the JSON value at byte" },
		{ "[\"a\0b\"]", 7, "invalid JSON at byte" },
		{ "[01]", 4, "invalid JSON at byte" },
		{ "[99999999999999999999x]", 23, "invalid JSON at byte" },
		{ "\"", 1, "unexpected end of JSON at byte" },
		{ "\"\\", 2, "invalid JSON at byte" },
		{ "-", 1, "invalid JSON at byte" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;
		json_t *v = NULL;

		assert_int_equal(
		    jsonx_parse(cases[i].text, cases[i].len, 0, &v, &err), -1);
		assert_null(v);
		assert_int_equal(err.code, ERR_INVALID);
		assert_memory_equal(
		    err.msg, cases[i].want, strlen(cases[i].want));
		assert_null(strstr(err.msg, "hunter2"));
	}
}

static void
reads_no_byte_behind_the_length(void **state UNUSED)
{
	struct err err = ERR_INIT;
	AUTO_JSON json_t *v = NULL;

	assert_int_equal(jsonx_parse("12345", 3, 0, &v, &err), 0);
	assert_int_equal(json_integer_value(v), 123);
}

static void
rejects_duplicate_members_where_asked_to(void **state UNUSED)
{
	static const char text[] = "{\"a\":1,\"\\u0061\":2}";
	AUTO_JSON json_t *v = parse(text, 0);
	struct err err = ERR_INIT;
	json_t *none = NULL;

	assert_int_equal(jsonx_int(v, "a", NULL), 2);
	assert_int_equal(jsonx_parse(text, strlen(text),
			     JSONX_REJECT_DUPLICATES, &none, &err),
	    -1);
	assert_memory_equal(err.msg, "duplicate member name at byte", 29);
}

static void
nest(struct buf *b, unsigned depth)
{
	buf_clear(b);
	buf_puts(b, "{\"deep\":");
	for (unsigned i = 0; i < depth; i++)
		buf_puts(b, i % 2 == 0 ? "[" : "{\"]\\\\\":");
	buf_puts(b, "1");
	for (unsigned i = depth; i-- > 0;)
		buf_putc(b, i % 2 == 0 ? ']' : '}');
	buf_puts(b, ",\"after\":5}");
}

static void
bounds_the_nesting_before_the_parser_recurses(void **state UNUSED)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(16 << 20);
	struct err err = ERR_INIT;
	json_t *v = NULL;

	nest(&b, JSONX_DEPTH_MAX - 1);
	json_decref(parse(b.data, 0));
	nest(&b, JSONX_DEPTH_MAX);
	assert_int_equal(jsonx_parse(b.data, b.len, 0, &v, &err), -1);
	assert_memory_equal(err.msg, "JSON nested deeper than 64 at byte", 34);
	nest(&b, 1000000);
	assert_int_equal(jsonx_parse(b.data, b.len, 0, &v, &err), -1);
	assert_null(v);
	/* Brackets in texts and closed ones do not count. */
	buf_clear(&b);
	buf_puts(&b, "[\"");
	for (int i = 0; i < 100; i++)
		buf_puts(&b, "[\\\"{");
	buf_puts(&b, "\"");
	for (int i = 0; i < 100; i++)
		buf_puts(&b, ",[]");
	buf_puts(&b, "]");
	json_decref(parse(b.data, 0));
}

static void
cuts_what_is_nested_too_deep_where_asked_to(void **state UNUSED)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(16 << 20);
	static const unsigned depths[] = { JSONX_DEPTH_MAX - 1, JSONX_DEPTH_MAX,
		JSONX_DEPTH_MAX + 1, 100000 };

	for (size_t i = 0; i < ARRAY_SIZE(depths); i++) {
		AUTO_JSON json_t *v = NULL;
		const json_t *at;
		unsigned depth = 0;

		nest(&b, depths[i]);
		v = parse(b.data, JSONX_CUT_DEEP);
		assert_int_equal(jsonx_int(v, "after", NULL), 5);
		at = json_object_get(v, "deep");
		for (; json_is_array(at) || json_is_object(at); depth++)
			at = json_is_array(at) ? json_array_get(at, 0)
					       : json_object_get(at, "]\\");
		if (depths[i] < JSONX_DEPTH_MAX)
			assert_int_equal(json_integer_value(at), 1);
		else
			assert_true(json_is_null(at));
		assert_true(depth < JSONX_DEPTH_MAX);
	}
}

static void
still_refuses_a_cut_text_that_is_malformed(void **state UNUSED)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(1 << 16);
	struct err err = ERR_INIT;
	json_t *v = NULL;

	for (int i = 0; i < 1000; i++)
		buf_puts(&b, "[");
	assert_int_equal(
	    jsonx_parse(b.data, b.len, JSONX_CUT_DEEP, &v, &err), -1);
	buf_clear(&b);
	for (int i = 0; i < 1000; i++)
		buf_puts(&b, "{\"a\":");
	assert_int_equal(
	    jsonx_parse(b.data, b.len, JSONX_CUT_DEEP, &v, &err), -1);
	assert_null(v);
}

static void
reads_objects_that_the_parser_alone_would_refuse(void **state UNUSED)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "{\"a\\u0000b\":1}",
		    "{\"a\xef\xbf\xbd"
		    "b\":1}" },
		{ "{\"\\u0000\\u0000\" : 1}",
		    "{\"\xef\xbf\xbd\xef\xbf\xbd\":1}" },
		{ "{\"\\\\u0000\":1}", "{\"\\\\u0000\":1}" },
		{ "{\"\\\\\\u0000\":\"\\u0000\"}",
		    "{\"\\\\\xef\xbf\xbd\":\"\\u0000\"}" },
		{ "[\"a\\u0000b\"]", "[\"a\\u0000b\"]" },
		{ "[9223372036854775807,-9223372036854775808]",
		    "[9223372036854775807,-9223372036854775808]" },
		{ "[9223372036854775808]", "[9.2233720368547758e18]" },
		{ "[-9223372036854775809]", "[-9.2233720368547758e18]" },
		{ "[100000000000000000000, 1]", "[1e20,1]" },
		{ "{\"a\":100000000000000000000.5}", "{\"a\":1e20}" },
		{ "{\"a\\u0000\":100000000000000000000}",
		    "{\"a\xef\xbf\xbd\":1e20}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *v = parse(cases[i].text, 0);
		AUTO_RELEASE(buf) struct buf b = BUF_INIT(256);
		struct err err = ERR_INIT;

		assert_int_equal(jsonx_dump(v, &b, &err), 0);
		assert_string_equal(buf_str(&b), cases[i].want);
	}
}

static void
finds_members_by_path(void **state UNUSED)
{
	AUTO_JSON json_t *v = parse("{\"metadata\":{\"name\":\"n\","
				    "\"a.b/c\":{\"d\":\"e\"},\"gen\":7,"
				    "\"none\":null,\"yes\":true,\"no\":false,"
				    "\"list\":[1],\"nul\":\"a\\u0000b\"}}",
	    0);

	assert_string_equal(jsonx_str(v, "metadata", "name", NULL), "n");
	assert_string_equal(jsonx_str(v, "metadata", "a.b/c", "d", NULL), "e");
	assert_int_equal(jsonx_int(v, "metadata", "gen", NULL), 7);
	assert_true(jsonx_is_true(v, "metadata", "yes", NULL));
	assert_non_null(jsonx_array(v, "metadata", "list", NULL));
	assert_non_null(jsonx_object(v, "metadata", "a.b/c", NULL));
	assert_ptr_equal(jsonx_object(v, NULL), v);
	assert_ptr_equal(
	    jsonx_get(v, "metadata", NULL), json_object_get(v, "metadata"));
}

static void
reads_missing_and_mistyped_members_as_absent(void **state UNUSED)
{
	AUTO_JSON json_t *v = parse("{\"s\":\"x\",\"n\":null,\"o\":{},"
				    "\"a\":[],\"i\":1.5,\"t\":\"true\","
				    "\"nul\":\"a\\u0000b\"}",
	    0);

	assert_null(jsonx_get(v, "n", NULL));
	assert_null(jsonx_get(v, "x", NULL));
	assert_null(jsonx_get(v, "s", "x", NULL));
	assert_null(jsonx_get(v, "a", "x", "y", NULL));
	assert_null(jsonx_get(NULL, "a", NULL));
	assert_null(jsonx_str(v, "o", NULL));
	assert_null(jsonx_str(v, "nul", NULL));
	assert_null(jsonx_object(v, "a", NULL));
	assert_null(jsonx_array(v, "o", NULL));
	assert_int_equal(jsonx_int(v, "s", NULL), 0);
	assert_int_equal(jsonx_int(v, "i", NULL), 0);
	assert_false(jsonx_is_true(v, "t", NULL));
	assert_false(jsonx_is_true(v, "x", NULL));
}

static void
dumps_compactly_and_sorts_only_on_request(void **state UNUSED)
{
	AUTO_JSON json_t *v =
	    parse("{ \"b\": [1, true, null], \"a\": \"<\\u00e9>\" }", 0);
	AUTO_RELEASE(buf) struct buf plain = BUF_INIT(256);
	AUTO_RELEASE(buf) struct buf sorted = BUF_INIT(256);
	struct err err = ERR_INIT;

	buf_puts(&plain, "+");
	assert_int_equal(jsonx_dump(v, &plain, &err), 0);
	assert_string_equal(
	    buf_str(&plain), "+{\"b\":[1,true,null],\"a\":\"<\xc3\xa9>\"}");
	assert_int_equal(jsonx_dump_sorted(v, &sorted, &err), 0);
	assert_string_equal(
	    buf_str(&sorted), "{\"a\":\"<\xc3\xa9>\",\"b\":[1,true,null]}");
}

static void
leaves_the_buffer_alone_where_a_dump_does_not_fit(void **state UNUSED)
{
	AUTO_JSON json_t *v = parse("[\"0123456789\"]", 0);
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(15);
	struct err err = ERR_INIT;

	buf_puts(&b, "ab");
	assert_int_equal(jsonx_dump(v, &b, &err), -1);
	assert_int_equal(err.code, ERR_TOOBIG);
	assert_string_equal(buf_str(&b), "ab");
	buf_consume(&b, 1);
	assert_int_equal(jsonx_dump(v, &b, &err), 0);
	assert_string_equal(buf_str(&b), "b[\"0123456789\"]");
}

static void
sets_members_and_replaces_foreign_bytes(void **state UNUSED)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
		{ "a\xff"
		  "b",
		    "a\xef\xbf\xbd"
		    "b" },
		{ "\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xc3\xa9\xc3", "\xc3\xa9\xef\xbf\xbd" },
	};
	AUTO_JSON json_t *v = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		jsonx_set_str(v, "s", cases[i].in);
		assert_string_equal(jsonx_str(v, "s", NULL), cases[i].want);
	}
	jsonx_set(v, "i", json_integer(5));
	assert_int_equal(jsonx_int(v, "i", NULL), 5);
	assert_int_equal(json_object_size(v), 2);
}

static void
makes_strings_of_utf8_only(void **state UNUSED)
{
	AUTO_JSON json_t *v = jsonx_strn("a\0b", 3);

	assert_int_equal(json_string_length(v), 3);
	assert_null(jsonx_strn("\xff", 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_one_value_of_any_type),
		cmocka_unit_test(names_the_byte_but_never_the_text_of_an_error),
		cmocka_unit_test(reads_no_byte_behind_the_length),
		cmocka_unit_test(rejects_duplicate_members_where_asked_to),
		cmocka_unit_test(bounds_the_nesting_before_the_parser_recurses),
		cmocka_unit_test(cuts_what_is_nested_too_deep_where_asked_to),
		cmocka_unit_test(still_refuses_a_cut_text_that_is_malformed),
		cmocka_unit_test(
		    reads_objects_that_the_parser_alone_would_refuse),
		cmocka_unit_test(finds_members_by_path),
		cmocka_unit_test(reads_missing_and_mistyped_members_as_absent),
		cmocka_unit_test(dumps_compactly_and_sorts_only_on_request),
		cmocka_unit_test(
		    leaves_the_buffer_alone_where_a_dump_does_not_fit),
		cmocka_unit_test(sets_members_and_replaces_foreign_bytes),
		cmocka_unit_test(makes_strings_of_utf8_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
