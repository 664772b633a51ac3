/*
 * Tests of controller/kube/apistatus.c.
 * layer: kube
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "kube/client.h"

static void
fill(struct kube_response *r, int status, bool json, const char *body)
{
	struct err err = ERR_INIT;

	memset(r, 0, sizeof(*r));
	r->status = status;
	r->json = json;
	r->retry_after_s = -1;
	buf_init(&r->body, 1 << 20);
	assert_int_equal(buf_append(&r->body, body, strlen(body), &err), 0);
}

static void
reasons_decide_before_http_codes(void **state UNUSED)
{
	static const struct {
		int status;
		const char *reason;
		enum err_code want;
	} cases[] = {
		{ 409, "AlreadyExists", ERR_EXISTS },
		{ 409, "Conflict", ERR_CONFLICT },
		{ 409, "", ERR_CONFLICT },
		{ 404, "NotFound", ERR_NOTFOUND },
		{ 404, "Unheard", ERR_NOTFOUND },
		{ 403, "Forbidden", ERR_FORBIDDEN },
		{ 401, "Unauthorized", ERR_UNAUTHORIZED },
		{ 410, "Expired", ERR_GONE },
		{ 410, "Gone", ERR_GONE },
		{ 422, "Invalid", ERR_UNPROCESSABLE },
		{ 400, "BadRequest", ERR_BADREQUEST },
		{ 405, "MethodNotAllowed", ERR_BADREQUEST },
		{ 406, "NotAcceptable", ERR_BADREQUEST },
		{ 413, "RequestEntityTooLarge", ERR_BADREQUEST },
		{ 415, "UnsupportedMediaType", ERR_BADREQUEST },
		{ 429, "TooManyRequests", ERR_THROTTLED },
		{ 500, "InternalError", ERR_SERVER },
		{ 500, "ServerTimeout", ERR_SERVER },
		{ 503, "ServiceUnavailable", ERR_SERVER },
		{ 504, "Timeout", ERR_TIMEOUT },
		{ 500, "Expired", ERR_GONE },
		{ 504, "", ERR_TIMEOUT },
		{ 502, "", ERR_SERVER },
		{ 418, "", ERR_SERVER },
		{ 301, "", ERR_SERVER },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RELEASE(kube_response) struct kube_response r;
		struct err err = ERR_INIT;
		char body[256];

		(void)snprintf(body, sizeof(body),
		    "{\"kind\":\"Status\",\"message\":\"m\","
		    "\"reason\":\"%s\",\"code\":%d}",
		    cases[i].reason, cases[i].status);
		fill(&r, cases[i].status, true, body);
		assert_int_equal(kube_status_error(&r, &err), -1);
		assert_int_equal(err.code, cases[i].want);
		assert_string_equal(err.msg, "m");
	}
}

static void
the_message_is_the_servers_alone(void **state UNUSED)
{
	static const char body[] =
	    "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},"
	    "\"status\":\"Failure\",\"message\":\"secrets \\\"x\\\" is "
	    "forbidden: User \\\"u\\\" cannot get\",\"reason\":"
	    "\"Forbidden\",\"code\":403}";
	AUTO_RELEASE(kube_response) struct kube_response r;
	struct err err = ERR_INIT;

	fill(&r, 403, true, body);
	(void)kube_status_error(&r, &err);
	assert_string_equal(
	    err.msg, "secrets \"x\" is forbidden: User \"u\" cannot get");
}

static void
a_message_is_cut_between_characters_and_cleaned(void **state UNUSED)
{
	AUTO_RELEASE(kube_response) struct kube_response r, longer;
	struct err err = ERR_INIT;
	char body[2048];
	char text[1024];

	fill(&r, 500, true,
	    "{\"kind\":\"Status\",\"message\":"
	    "\"a\\nb\\tc\\u001bd\\u007fe\\u0085f\\u00e4\"}");
	(void)kube_status_error(&r, &err);
	assert_string_equal(err.msg, "a b c d e  f\xc3\xa4");

	/* 511 bytes, then a character of two. */
	memset(text, 'x', 511);
	(void)snprintf(text + 511, sizeof(text) - 511, "\xc3\xa4yyy");
	(void)snprintf(body, sizeof(body),
	    "{\"kind\":\"Status\",\"message\":\"%s\"}", text);
	fill(&longer, 500, true, body);
	(void)kube_status_error(&longer, &err);
	assert_int_equal(strlen(err.msg), 511);
}

static void
other_bodies_are_quoted_in_part(void **state UNUSED)
{
	static const struct {
		bool json;
		const char *body, *want;
	} cases[] = {
		{ false, "Too many requests, please try again later.\n",
		    "the server answered 429: Too many requests, please try "
		    "again later." },
		{ false, "", "the server answered 429" },
		{ false, "<html>\r\n\t<b>\xff\x01 gone</b>",
		    "the server answered 429: <html> <b> gone</b>" },
		{ true, "{\"kind\":\"Sta",
		    "the server answered 429: {\"kind\":\"Sta" },
		{ true, "[]", "the server answered 429: []" },
		{ true, "{\"kind\":\"Pod\"}",
		    "the server answered 429: {\"kind\":\"Pod\"}" },
		{ false, "{\"kind\":\"Status\",\"message\":\"m\"}",
		    "the server answered 429: "
		    "{\"kind\":\"Status\",\"message\":\"m\"}" },
		{ true, "{\"kind\":\"Status\"}",
		    "the server answered 429 without a message" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RELEASE(kube_response) struct kube_response r;
		struct err err = ERR_INIT;

		fill(&r, 429, cases[i].json, cases[i].body);
		(void)kube_status_error(&r, &err);
		assert_string_equal(err.msg, cases[i].want);
		assert_int_equal(err.code, ERR_THROTTLED);
	}
}

static void
a_long_page_gives_128_characters(void **state UNUSED)
{
	AUTO_RELEASE(kube_response) struct kube_response r;
	struct err err = ERR_INIT;
	char body[4097];

	memset(body, 'x', sizeof(body) - 1);
	body[sizeof(body) - 1] = '\0';
	fill(&r, 502, false, body);
	(void)kube_status_error(&r, &err);
	assert_int_equal(
	    strlen(err.msg), strlen("the server answered 502: ") + 128);
}

static void
retry_after_comes_from_header_or_details(void **state UNUSED)
{
	static const struct {
		int header;
		const char *details;
		unsigned want;
	} cases[] = {
		{ -1, "", 0 },
		{ 7, "", 7 },
		{ 0, "", 0 },
		{ -1, ",\"details\":{\"retryAfterSeconds\":4}", 4 },
		{ 2, ",\"details\":{\"retryAfterSeconds\":4}", 4 },
		{ 9, ",\"details\":{\"retryAfterSeconds\":4}", 9 },
		{ -1, ",\"details\":{\"retryAfterSeconds\":-4}", 0 },
		{ -1, ",\"details\":{\"retryAfterSeconds\":\"4\"}", 0 },
		{ -1, ",\"details\":{\"retryAfterSeconds\":1000000000}", 3600 },
		{ 3600, ",\"details\":null", 3600 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RELEASE(kube_response) struct kube_response r;
		struct err err = ERR_INIT;
		char body[256];

		(void)snprintf(body, sizeof(body),
		    "{\"kind\":\"Status\",\"message\":\"m\"%s}",
		    cases[i].details);
		fill(&r, 429, true, body);
		r.retry_after_s = cases[i].header;
		(void)kube_status_error(&r, &err);
		assert_int_equal(err.retry_after_s, cases[i].want);
	}
}

static void
a_plain_text_answer_keeps_its_retry_after(void **state UNUSED)
{
	AUTO_RELEASE(kube_response) struct kube_response r;
	struct err err = ERR_INIT;

	fill(&r, 429, false, "wait");
	r.retry_after_s = 1;
	(void)kube_status_error(&r, &err);
	assert_int_equal(err.retry_after_s, 1);
	assert_int_equal(err.code, ERR_THROTTLED);
}

static void
status_objects_of_a_watch_carry_their_own_code(void **state UNUSED)
{
	static const struct {
		const char *json;
		enum err_code want;
	} cases[] = {
		{ "{\"kind\":\"Status\",\"code\":410,\"message\":\"old\"}",
		    ERR_GONE },
		{ "{\"kind\":\"Status\",\"reason\":\"Expired\"}", ERR_GONE },
		{ "{\"code\":429}", ERR_THROTTLED },
		{ "{\"code\":410000000000}", ERR_SERVER },
		{ "{\"code\":\"410\"}", ERR_SERVER },
		{ "{}", ERR_SERVER },
		{ "[]", ERR_SERVER },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *v = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(jsonx_parse(cases[i].json,
				     strlen(cases[i].json), 0, &v, &err),
		    0);
		assert_int_equal(kube_status_object_error(v, &err), -1);
		assert_int_equal(err.code, cases[i].want);
		assert_true(err.msg[0] != '\0');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reasons_decide_before_http_codes),
		cmocka_unit_test(the_message_is_the_servers_alone),
		cmocka_unit_test(
		    a_message_is_cut_between_characters_and_cleaned),
		cmocka_unit_test(other_bodies_are_quoted_in_part),
		cmocka_unit_test(a_long_page_gives_128_characters),
		cmocka_unit_test(retry_after_comes_from_header_or_details),
		cmocka_unit_test(a_plain_text_answer_keeps_its_retry_after),
		cmocka_unit_test(
		    status_objects_of_a_watch_carry_their_own_code),
	};

	return cmocka_run_group_tests_name("apistatus", tests, NULL, NULL);
}
