/*
 * What a task sees of its request's head.
 * layer: http
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "controller/http/head.h"
#include "listenrig.h"
#include "rawhttp.h"

static struct http_server *server;

/* Everything of it as one line; "none" where admission is refused. */
static void
show(const struct head *h, struct http_reply *reply)
{
	http_reply_text(reply, 200, "");
	buf_printf(&reply->body, "%s %s auth=%u", h->method, h->peer,
	    h->authorizations);
	if (h->authorization != NULL)
		buf_printf(&reply->body, ":%.*s",
		    (int)secret_len(h->authorization),
		    (const char *)secret_bytes(h->authorization));
	for (unsigned i = 0; i < h->nargs; i++)
		buf_printf(&reply->body, " [%s=%s]", h->args[i].name,
		    h->args[i].value);
	if (h->odd_args)
		buf_puts(&reply->body, " odd");
}

static bool
admit(void *ctx UNUSED, const struct head *h, struct http_reply *reply)
{
	if (strcmp(h->method, "DELETE") != 0)
		return true;
	http_reply_text_field(reply, "Allow", "GET");
	http_reply_error(reply, 405, "\"no\"");
	return false;
}

static void
work(void *ctx UNUSED, const struct head *h, struct buf *body UNUSED,
    const struct pool *pool UNUSED, struct http_reply *reply)
{
	show(h, reply);
}

static const struct http_task tasks[] = {
	{ .path = "/head",
	    .credentials = true,
	    .admit = admit,
	    .work = work,
	    .body_max = 10 },
	{ .path = "/public", .admit = admit, .work = work },
};

static int
setup(void **state UNUSED)
{
	struct http_listener_config cfg = listenrig_config();

	cfg.tasks = tasks;
	cfg.ntasks = ARRAY_SIZE(tasks);
	server = listenrig_start(&cfg);
	return 0;
}

static int
teardown(void **state UNUSED)
{
	http_server_stop(server);
	return 0;
}

static const char *
ask(const char *target, const char *fields)
{
	static char out[65536];
	char request[32768];

	(void)snprintf(request, sizeof(request),
	    "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n", target,
	    fields);
	raw_exchange(http_server_addr(server), request, out, sizeof(out));
	return out;
}

static void
method_peer_credentials_and_arguments_are_seen(void **state UNUSED)
{
	static const struct {
		const char *target, *fields, *want;
	} cases[] = {
		{ "GET /head", "", "GET 127.0.0.1 auth=0" },
		{ "POST /head?dryRun=true",
		    "authorization: Bearer abc\r\nContent-Length: 0\r\n",
		    "POST 127.0.0.1 auth=1:Bearer abc [dryRun=true]" },
		{ "GET /head?a&b=%20&c=d",
		    "Authorization: x\r\nAuthorization: y\r\n",
		    "GET 127.0.0.1 auth=2:x [a=] [b=%20] [c=d]" },
		{ "GET /head", "Authorization:\r\n", "GET 127.0.0.1 auth=1:" },
		{ "GET /head", "X-Authorization: z\r\n",
		    "GET 127.0.0.1 auth=0" },
		{ "PROPPATCH-AND-MORE-OF-IT /head", "",
		    "PROPPATCH-AND-M 127.0.0.1 auth=0" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(
		    raw_body(ask(cases[i].target, cases[i].fields)),
		    cases[i].want);
}

static void
credentials_are_left_alone_where_nobody_wants_them(void **state UNUSED)
{
	assert_string_equal(
	    raw_body(ask("GET /public?a=b", "Authorization: Bearer abc\r\n")),
	    "GET 127.0.0.1 auth=0 [a=b]");
}

static void
arguments_are_bounded(void **state UNUSED)
{
	assert_non_null(
	    strstr(ask("GET /head?a=1&b=2&c=3&d=4&e=5", ""), "[d=4] odd"));
	assert_non_null(strstr(
	    ask("GET /head?a=0123456789012345678901234567890123456789", ""),
	    "auth=0 odd"));
}

static void
a_refusal_of_the_admission_is_json_with_its_fields(void **state UNUSED)
{
	const char *out = ask("DELETE /head", "");

	assert_non_null(strstr(out, " 405 "));
	assert_non_null(strstr(out, "Allow: GET\r\n"));
	assert_non_null(strstr(out, "Content-Type: application/json\r\n"));
	assert_string_equal(raw_body(out), "{\"error\":\"\\\"no\\\"\"}\n");
}

static void
a_task_may_take_less_of_a_body_than_others(void **state UNUSED)
{
	const char *out = ask("POST /head", "Content-Length: 11\r\n");

	assert_non_null(strstr(out, " 413 "));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(method_peer_credentials_and_arguments_are_seen),
		T(credentials_are_left_alone_where_nobody_wants_them),
		T(arguments_are_bounded),
		T(a_refusal_of_the_admission_is_json_with_its_fields),
		T(a_task_may_take_less_of_a_body_than_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
