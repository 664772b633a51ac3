/*
 * Answers as handlers fill them in; what goes over the wire is in
 * test_server.c.
 * layer: http
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/jsonx.h"
#include "controller/http/reply.h"

static void
the_last_body_counts(void **state UNUSED)
{
	AUTO_RELEASE(http_reply)
	struct http_reply r = { .body = BUF_INIT(64) };
	AUTO_JSON json_t *v = json_pack("{s:i}", "a", 1);

	http_reply_json(&r, 201, v);
	assert_int_equal(r.status, 201);
	assert_string_equal(r.content_type, "application/json");
	assert_string_equal(buf_str(&r.body), "{\"a\":1}\n");
	http_reply_text(&r, 404, "gone\n");
	assert_int_equal(r.status, 404);
	assert_string_equal(r.content_type, "text/plain; charset=utf-8");
	assert_string_equal(buf_str(&r.body), "gone\n");
}

static void
the_text_of_an_error_is_escaped(void **state UNUSED)
{
	AUTO_RELEASE(http_reply)
	struct http_reply r = { .body = BUF_INIT(64) };

	http_reply_error(&r, 405, "\"no\"");
	assert_int_equal(r.status, 405);
	assert_string_equal(buf_str(&r.body), "{\"error\":\"\\\"no\\\"\"}\n");
}

static void
json_that_does_not_fit_becomes_a_500(void **state UNUSED)
{
	AUTO_RELEASE(http_reply)
	struct http_reply r = { .body = BUF_INIT(40) };
	AUTO_JSON json_t *v = json_pack("{s:s}", "a",
	    "some text that takes more than the forty bytes there are");

	http_reply_json(&r, 200, v);
	assert_int_equal(r.status, 500);
	assert_string_equal(
	    buf_str(&r.body), "{\"error\":\"the answer is too large\"}\n");
}

static void
fields_keep_their_order_and_a_copy_of_their_text(void **state UNUSED)
{
	struct http_reply r = { .body = BUF_INIT(64) };
	char text[] = "value";

	http_reply_field(&r, "Retry-After", 7);
	http_reply_text_field(&r, "Allow", text);
	text[0] = 'x';
	assert_int_equal(r.nfields, 2);
	assert_string_equal(r.fields[0].name, "Retry-After");
	assert_null(r.fields[0].text);
	assert_int_equal(r.fields[0].value, 7);
	assert_string_equal(r.fields[1].name, "Allow");
	assert_string_equal(r.fields[1].text, "value");
	http_reply_release(&r);
	assert_int_equal(r.nfields, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_body_counts),
		cmocka_unit_test(the_text_of_an_error_is_escaped),
		cmocka_unit_test(json_that_does_not_fit_becomes_a_500),
		cmocka_unit_test(
		    fields_keep_their_order_and_a_copy_of_their_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
