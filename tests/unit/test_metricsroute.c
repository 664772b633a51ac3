/*
 * The metrics listener.
 * layer: http
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/server.h"
#include "rawhttp.h"

#define OUT_MAX (1u << 20)

struct fixture {
	struct metrics *metrics;
	struct http_server *server;
	char *out;
};

static int
setup(void **state)
{
	static struct fixture f;
	struct err err = ERR_INIT;

	f = (struct fixture) { .metrics = metrics_new("v1"),
		.out = malloc(OUT_MAX) };
	assert_non_null(f.out);
	if (http_metrics_start("127.0.0.1:0", f.metrics, &f.server, &err) < 0)
		fail_msg("%s", err.msg);
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	http_server_stop(f->server);
	metrics_free(f->metrics);
	free(f->out);
	return 0;
}

static void
get(struct fixture *f, const char *path)
{
	char request[128];

	(void)snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
	raw_exchange(http_server_addr(f->server), request, f->out, OUT_MAX);
}

static void
metrics_are_text_of_version_0_0_4(void **state)
{
	struct fixture *f = *state;

	metrics_inc(f->metrics, METRIC_UNSEAL_ERRORS, "unseal", "ns\"1");
	get(f, "/metrics");
	assert_int_equal(strncmp(f->out, "HTTP/1.1 200 ", 13), 0);
	assert_non_null(strstr(f->out,
	    "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
	assert_non_null(strstr(raw_body(f->out),
	    "\nsealed_secrets_controller_unseal_errors_total{"
	    "namespace=\"ns\\\"1\",reason=\"unseal\"} 1\n"));
	assert_int_equal(f->out[strlen(f->out) - 1], '\n');
}

static void
a_large_exposition_arrives_whole(void **state)
{
	struct fixture *f = *state;
	char ns[64];
	const char *body;
	size_t length;

	for (unsigned i = 0; i < 2000; i++) {
		(void)snprintf(ns, sizeof(ns), "namespace-%u", i);
		metrics_inc(f->metrics, METRIC_UNSEAL_ERRORS, "unseal", ns);
	}
	get(f, "/metrics");
	body = raw_body(f->out);
	length = strtoul(strstr(f->out, "Content-Length: ") + 16, NULL, 10);
	assert_int_equal(strlen(body), length);
	assert_true(length > 100000);
}

static void
other_paths_are_not_there(void **state)
{
	static const char *const paths[] = { "/", "/healthz", "/v1/cert.pem",
		"/metrics/" };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		get(f, paths[i]);
		assert_int_equal(strncmp(f->out, "HTTP/1.1 404 ", 13), 0);
	}
}

static void
scrapes_are_not_counted(void **state)
{
	struct fixture *f = *state;

	get(f, "/metrics");
	assert_true(metrics_value(f->metrics, METRIC_HTTP_REQUESTS, "/metrics",
			"200", "get") == 0);
}

int
main(void)
{
#define SERVED(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		SERVED(metrics_are_text_of_version_0_0_4),
		SERVED(a_large_exposition_arrives_whole),
		SERVED(other_paths_are_not_there),
		SERVED(scrapes_are_not_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
