/*
 * The public listener's routes: certificate and health.
 * layer: http
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "http/server.h"
#include "keystore_fixture.h"
#include "rawhttp.h"
#include "tests/lib/keyring.h"
#include "vectors.h"

#define OUT_MAX	   65536
#define FIRST_KEY  "rsa2048"
#define SECOND_KEY "other2048"
#define MINUTE_NS  (INT64_C(60) * (int64_t)NS_PER_S)

struct fixture {
	struct registry *keys;
	struct metrics *metrics;
	struct http_server *server;
	atomic_bool healthy, ready;
	FILE *log;
	char out[OUT_MAX];
};

static bool
is_healthy(void *ctx)
{
	struct fixture *f = ctx;

	return atomic_load(&f->healthy);
}

static bool
is_ready(void *ctx)
{
	struct fixture *f = ctx;

	return atomic_load(&f->ready);
}

static int
setup(void **state)
{
	static struct fixture f;
	struct http_public_config cfg = {
		.listen_addr = "127.0.0.1:0",
		.read_timeout_ns = MINUTE_NS,
		.write_timeout_ns = MINUTE_NS,
		.healthy = is_healthy,
		.ready = is_ready,
		.ctx = &f,
	};
	struct log_config log = { .level = LOG_LEVEL_INFO };
	struct err err = ERR_INIT;

	memset(&f, 0, sizeof(f));
	f.log = tmpfile();
	assert_non_null(f.log);
	log.fd_low = log.fd_high = fileno(f.log);
	log_init(&log);
	f.keys = cfg.keys = registry_new(&fixture_clock);
	f.metrics = cfg.metrics = metrics_new("test");
	atomic_store(&f.healthy, true);
	if (http_public_start(&cfg, &f.server, &err) < 0)
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
	registry_free(f->keys);
	log_init(&(struct log_config) { .level = LOG_LEVEL_INFO });
	fclose(f->log);
	return 0;
}

static void
get(struct fixture *f, const char *method, const char *path)
{
	char request[128];

	(void)snprintf(request, sizeof(request),
	    "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", method,
	    path);
	raw_exchange(http_server_addr(f->server), request, f->out, OUT_MAX);
}

static void
expect(const struct fixture *f, unsigned status, const char *type,
    const char *body)
{
	char line[128];

	(void)snprintf(line, sizeof(line), "HTTP/1.1 %u ", status);
	assert_int_equal(strncmp(f->out, line, strlen(line)), 0);
	(void)snprintf(line, sizeof(line), "\r\nContent-Type: %s\r\n", type);
	assert_non_null(strstr(f->out, line));
	assert_string_equal(raw_body(f->out), body);
}

static void
add_key(struct fixture *f, const char *name, int64_t order_s)
{
	struct keypair *kp = vectors_key(name, "pkcs1");
	struct err err = ERR_INIT;

	assert_int_equal(keyring_add(f->keys, name, kp, order_s, &err), 0);
	keypair_free(kp);
}

static void
healthz_tells_whether_the_program_works(void **state)
{
	struct fixture *f = *state;

	get(f, "GET", "/healthz");
	expect(f, 200, "text/plain; charset=utf-8", "ok\n");
	atomic_store(&f->healthy, false);
	get(f, "GET", "/healthz");
	expect(f, 503, "text/plain; charset=utf-8", "not healthy\n");
}

static void
readyz_turns_green_once_ready(void **state)
{
	struct fixture *f = *state;

	get(f, "GET", "/readyz");
	expect(f, 503, "text/plain; charset=utf-8", "not ready\n");
	atomic_store(&f->ready, true);
	get(f, "GET", "/readyz");
	expect(f, 200, "text/plain; charset=utf-8", "ok\n");
}

static void
cert_pem_is_the_newest_key_s_certificate(void **state)
{
	struct fixture *f = *state;
	struct buf want = BUF_INIT(65536);
	struct err err = ERR_INIT;

	get(f, "GET", "/v1/cert.pem");
	expect(f, 500, "text/plain; charset=utf-8", "cannot get certificate\n");
	assert_non_null(strstr(f->out, "X-Content-Type-Options: nosniff\r\n"));

	add_key(f, FIRST_KEY, 1);
	assert_int_equal(registry_cert_pem(f->keys, &want, &err), 0);
	get(f, "GET", "/v1/cert.pem");
	expect(f, 200, "application/x-pem-file", buf_str(&want));
	assert_int_equal(raw_count(f->out, "BEGIN CERTIFICATE"), 1);
	assert_null(strstr(f->out, "PRIVATE"));

	/* It follows a renewal at once. */
	add_key(f, SECOND_KEY, 2);
	get(f, "GET", "/v1/cert.pem");
	assert_string_not_equal(raw_body(f->out), buf_str(&want));
	buf_clear(&want);
	assert_int_equal(registry_cert_pem(f->keys, &want, &err), 0);
	expect(f, 200, "application/x-pem-file", buf_str(&want));
	buf_release(&want);
}

static size_t
logged(const struct fixture *f, const char *line)
{
	char text[8192];
	ssize_t len = pread(fileno(f->log), text, sizeof(text) - 1, 0);
	size_t n = 0;

	assert_true(len >= 0);
	text[len] = '\0';
	for (const char *p = text; (p = strstr(p, line)) != NULL; p++)
		n++;
	return n;
}

static void
that_there_is_no_key_is_logged_once_each_time(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 3; i++)
		get(f, "GET", "/v1/cert.pem");
	assert_int_equal(logged(f, "cannot get certificates"), 1);
	add_key(f, FIRST_KEY, 1);
	get(f, "GET", "/v1/cert.pem");
	assert_true(registry_remove(f->keys, FIRST_KEY));
	for (unsigned i = 0; i < 3; i++)
		get(f, "GET", "/v1/cert.pem");
	assert_int_equal(logged(f, "cannot get certificates"), 2);
}

static void
requests_for_the_certificate_alone_are_counted(void **state)
{
	struct fixture *f = *state;

	get(f, "GET", "/v1/cert.pem");
	add_key(f, FIRST_KEY, 1);
	get(f, "GET", "/v1/cert.pem");
	get(f, "HEAD", "/v1/cert.pem");
	get(f, "GET", "/healthz");
	get(f, "GET", "/readyz");
	assert_true(metrics_value(f->metrics, METRIC_HTTP_REQUESTS,
			"/v1/cert.pem", "500", "get") == 1);
	assert_true(metrics_value(f->metrics, METRIC_HTTP_REQUESTS,
			"/v1/cert.pem", "200", "get") == 1);
	assert_true(metrics_value(f->metrics, METRIC_HTTP_REQUESTS,
			"/v1/cert.pem", "200", "head") == 1);
	assert_true(metrics_value(f->metrics, METRIC_HTTP_REQUESTS, "/healthz",
			"200", "get") == 0);
}

static void
other_paths_are_not_there(void **state)
{
	static const char *const paths[] = { "/", "/metrics", "/v1", "/v1/cert",
		"/v1/keys", "/debug/pprof/" };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		get(f, "GET", paths[i]);
		expect(f, 404, "text/plain; charset=utf-8",
		    "404 page not found\n");
	}
}

static void
a_body_of_over_a_mebibyte_is_refused(void **state)
{
	struct fixture *f = *state;
	const char *addr = http_server_addr(f->server);

	raw_exchange(addr,
	    "POST /healthz HTTP/1.1\r\nHost: x\r\n"
	    "Content-Length: 1048577\r\n\r\n",
	    f->out, OUT_MAX);
	expect(f, 413, "text/plain; charset=utf-8", "request body too large\n");
}

int
main(void)
{
#define SERVED(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		SERVED(healthz_tells_whether_the_program_works),
		SERVED(readyz_turns_green_once_ready),
		SERVED(cert_pem_is_the_newest_key_s_certificate),
		SERVED(that_there_is_no_key_is_logged_once_each_time),
		SERVED(requests_for_the_certificate_alone_are_counted),
		SERVED(other_paths_are_not_there),
		SERVED(a_body_of_over_a_mebibyte_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
