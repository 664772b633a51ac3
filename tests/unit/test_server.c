/*
 * The listener over raw sockets: framing, limits, deadlines, stopping.
 */
/* layer: http */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <dirent.h>

#include "base/mem.h"
#include "base/thread.h"
#include "listenrig.h"
#include "rawhttp.h"

#define BODY_MAX 1000
#define OUT_MAX	 65536
#define LONG_MS	 60000
#define BIG_LEN	 ((size_t)16 * 1024 * 1024)
#define GET(p)	 "GET " p " HTTP/1.1\r\nHost: x\r\n"
#define CLOSE	 "Connection: close\r\n"

static atomic_uint calls, smuggled;
static struct mutex gate_mu;
static struct cond gate_changed;
static bool gate_entered, gate_open; /* guarded by gate_mu */

static void
handle_ok(void *ctx UNUSED, struct http_reply *reply)
{
	atomic_fetch_add(&calls, 1);
	http_reply_text(reply, 200, "ok\n");
}

static void
handle_smuggled(void *ctx UNUSED, struct http_reply *reply)
{
	atomic_fetch_add(&smuggled, 1);
	http_reply_text(reply, 200, "smuggled\n");
}

/* Waits inside until the test opens the gate. */
static void
handle_gate(void *ctx UNUSED, struct http_reply *reply)
{
	mutex_lock(&gate_mu);
	gate_entered = true;
	cond_broadcast(&gate_changed);
	while (!gate_open)
		cond_wait(&gate_changed, &gate_mu);
	mutex_unlock(&gate_mu);
	http_reply_text(reply, 200, "passed\n");
}

static void
handle_big(void *ctx UNUSED, struct http_reply *reply)
{
	static const char zeros[65536];
	struct err err = ERR_INIT;

	http_reply_text(reply, 200, "");
	for (size_t i = 0; i < BIG_LEN / sizeof(zeros); i++)
		assert_int_equal(
		    buf_append(&reply->body, zeros, sizeof(zeros), &err), 0);
}

#define STOPS 500

static const struct http_route routes[] = {
	{ "/ok", handle_ok, true },
	{ "/plain", handle_ok, false },
	{ "/smuggled", handle_smuggled, false },
	{ "/gate", handle_gate, false },
	{ "/big", handle_big, false },
};

struct fixture {
	struct http_server *server;
	struct metrics *metrics;
	const char *addr;
	char out[OUT_MAX];
};

static void
start(struct fixture *f, struct conns_limits limits)
{
	struct http_listener_config cfg = {
		.listen_addr = "127.0.0.1:0",
		.routes = routes,
		.nroutes = ARRAY_SIZE(routes),
		.metrics = f->metrics,
		.clock = &clock_system,
		.threads = 2,
		.body_max = BODY_MAX,
		.conns = limits,
	};

	f->server = listenrig_start(&cfg);
	f->addr = http_server_addr(f->server);
}

static int
setup_bare(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	atomic_store(&calls, 0);
	atomic_store(&smuggled, 0);
	gate_entered = gate_open = false;
	f->metrics = metrics_new("test");
	*state = f;
	return 0;
}

static int
setup(void **state)
{
	(void)setup_bare(state);
	start(*state,
	    (struct conns_limits) { .max = 32,
		.idle_ms = LONG_MS,
		.read_ms = LONG_MS,
		.write_ms = LONG_MS });
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	http_server_stop(f->server);
	metrics_free(f->metrics);
	mem_free_wiped(f);
	return 0;
}

static void
any_method_reaches_a_route(void **state)
{
	static const char *const methods[] = {
		"GET",
		"POST",
		"PUT",
		"DELETE",
		"PATCH",
		"OPTIONS",
		"TRACE",
		"BREW",
	};
	struct fixture *f = *state;
	char request[128];

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		(void)snprintf(request, sizeof(request),
		    "%s /ok HTTP/1.1\r\nHost: x\r\n" CLOSE "\r\n", methods[i]);
		raw_exchange(f->addr, request, f->out, OUT_MAX);
		assert_int_equal(strncmp(f->out, "HTTP/1.1 200 ", 13), 0);
		assert_string_equal(raw_body(f->out), "ok\n");
	}
	assert_int_equal(atomic_load(&calls), ARRAY_SIZE(methods));
}

static void
head_gets_the_head_alone_and_the_connection_stays(void **state)
{
	struct fixture *f = *state;
	int fd = raw_connect(f->addr);

	raw_puts(fd, "HEAD /ok HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_int_equal(raw_read_answer(fd, f->out, OUT_MAX, false), 200);
	assert_non_null(strstr(f->out, "Content-Length: 3\r\n"));
	raw_puts(fd, GET("/ok") CLOSE "\r\n");
	assert_int_equal(raw_read_answer(fd, f->out, OUT_MAX, true), 200);
	assert_string_equal(raw_body(f->out), "ok\n");
	(void)close(fd);
}

static void
answers_carry_type_and_no_banner(void **state)
{
	struct fixture *f = *state;

	raw_exchange(f->addr, GET("/ok") CLOSE "\r\n", f->out, OUT_MAX);
	assert_non_null(
	    strstr(f->out, "Content-Type: text/plain; charset=utf-8\r\n"));
	assert_non_null(strstr(f->out, "X-Content-Type-Options: nosniff\r\n"));
	assert_null(strstr(f->out, "Server:"));
}

static void
paths_are_compared_as_they_came(void **state)
{
	static const char *const strange[] = {
		"/",
		"/OK",
		"/ok/",
		"//ok",
		"/./ok",
		"/ok%00",
		"/ok%00x",
		"/o%6b",
		"/..%2fok",
		"http://x/ok",
		"*",
		"/ok;x",
	};
	struct fixture *f = *state;
	char request[128];

	for (size_t i = 0; i < ARRAY_SIZE(strange); i++) {
		(void)snprintf(request, sizeof(request),
		    "GET %s HTTP/1.1\r\nHost: x\r\n" CLOSE "\r\n", strange[i]);
		raw_exchange(f->addr, request, f->out, OUT_MAX);
		if (strncmp(f->out, "HTTP/1.1 404 ", 13) != 0)
			fail_msg("%s: %s", strange[i], f->out);
		assert_string_equal(raw_body(f->out), "404 page not found\n");
		assert_non_null(
		    strstr(f->out, "X-Content-Type-Options: nosniff\r\n"));
	}
	raw_exchange(f->addr, GET("/ok?a=b&c") CLOSE "\r\n", f->out, OUT_MAX);
	assert_string_equal(raw_body(f->out), "ok\n");
	assert_int_equal(atomic_load(&calls), 1);
}

static void
a_request_may_come_byte_by_byte(void **state)
{
	static const char request[] =
	    "POST /ok HTTP/1.1\r\nHost: x\r\n"
	    "Content-Length: 5\r\n\r\nhello" GET("/ok") CLOSE "\r\n";
	struct fixture *f = *state;
	int fd = raw_connect(f->addr);

	for (size_t i = 0; i + 1 < sizeof(request); i++)
		raw_send(fd, request + i, 1);
	raw_read_all(fd, f->out, OUT_MAX);
	assert_int_equal(raw_count(f->out, "HTTP/1.1 200 "), 2);
	(void)close(fd);
}

static void
pipelined_requests_are_answered_in_order(void **state)
{
	struct fixture *f = *state;
	const char *first, *second, *third;

	raw_exchange(f->addr,
	    GET("/ok") "\r\n" GET("/none") "\r\n" GET("/smuggled") CLOSE "\r\n",
	    f->out, OUT_MAX);
	first = strstr(f->out, "\r\nok\n");
	second = strstr(f->out, "404 page not found\n");
	third = strstr(f->out, "\r\nsmuggled\n");
	assert_true(first != NULL && second > first && third > second);
	assert_int_equal(raw_count(f->out, "HTTP/1.1 "), 3);
}

/* Whatever follows the head must never be taken for a request. */
static void
refuses_heads_that_can_be_cut_in_two_ways(void **state)
{
	static const struct {
		const char *version, *fields;
	} heads[] = {
		{ "1.1",
		    "Host: x\r\nContent-Length: 4\r\n"
		    "Transfer-Encoding: chunked\r\n" },
		{ "1.1",
		    "Host: x\r\nTransfer-Encoding: chunked\r\n"
		    "Content-Length: 4\r\n" },
		{ "1.1",
		    "Host: x\r\nContent-Length: 0\r\n"
		    "Transfer-Encoding: chunked\r\n" },
		{ "1.1",
		    "Host: x\r\nContent-Length: 4\r\n"
		    "Content-Length: 4\r\n" },
		{ "1.1",
		    "Host: x\r\nContent-Length: 0\r\n"
		    "Content-Length: 40\r\n" },
		{ "1.1",
		    "Host: x\r\nContent-Length: 40\r\n"
		    "Content-Length: 0\r\n" },
		{ "1.1", "Host: x\r\nContent-Length: +4\r\n" },
		{ "1.1", "Host: x\r\nContent-Length: -4\r\n" },
		{ "1.1", "Host: x\r\nContent-Length: 4, 4\r\n" },
		{ "1.1", "Host: x\r\nContent-Length: 0x4\r\n" },
		{ "1.1", "Host: x\r\nContent-Length: \r\n" },
		{ "1.1",
		    "Host: x\r\n"
		    "Content-Length: 99999999999999999999\r\n" },
		{ "1.1", "Host: x\r\nTransfer-Encoding: gzip, chunked\r\n" },
		{ "1.1", "Host: x\r\nTransfer-Encoding: chunked, gzip\r\n" },
		{ "1.1", "Host: x\r\nTransfer-Encoding: identity\r\n" },
		{ "1.1",
		    "Host: x\r\nTransfer-Encoding: chunked\r\n"
		    "Transfer-Encoding: chunked\r\n" },
		{ "1.0", "Host: x\r\nTransfer-Encoding: chunked\r\n" },
		{ "1.1", "Host: x\r\nHost: y\r\n" },
		{ "1.1", "X: y\r\n" },
		{ "1.1", "Host: x\r\nContent-Length : 4\r\n" },
		{ "1.1", "Host: x\r\nX\x01: y\r\n" },
		{ "1.1", "Host: x\r\nX: \x02y\r\n" },
	};
	static const char *const methods[] = { "GET", "POST", "PUT", "BREW" };
	struct fixture *f = *state;
	char request[512];

	for (size_t i = 0; i < ARRAY_SIZE(heads) * ARRAY_SIZE(methods); i++) {
		size_t h = i / ARRAY_SIZE(methods);
		const char *m = methods[i % ARRAY_SIZE(methods)];

		(void)snprintf(request, sizeof(request),
		    "%s /ok HTTP/%s\r\n%s\r\n0\r\n\r\n" GET("/smuggled") "\r\n",
		    m, heads[h].version, heads[h].fields);
		raw_exchange(f->addr, request, f->out, OUT_MAX);
		if (strncmp(f->out, "HTTP/1.", 7) != 0 ||
		    strncmp(f->out + 8, " 4", 2) != 0 ||
		    raw_count(f->out, "</html>") +
			    raw_count(f->out, "bad request\n") !=
			1)
			fail_msg("%s %s: %s", m, heads[h].fields, f->out);
	}
	assert_int_equal(atomic_load(&smuggled), 0);
	assert_int_equal(atomic_load(&calls), 0);
}

/* The library may take such bytes or not; what counts is one reading. */
static void
strange_bytes_never_make_a_second_request(void **state)
{
	static const struct {
		const char *p;
		size_t len;
	} requests[] = {
#define BYTES(s) { s, sizeof(s) - 1 }
		BYTES("POST /ok HTTP/1.1\nHost: x\nContent-Length: 42\n"
		      "Connection: close\n\n" GET("/smuggled") "\r\n......."),
		BYTES("POST /ok HTTP/1.1\r\nHost: x\r\nX: a\r\n"
		      " Content-Length: 0\r\nContent-Length: 42\r\n" CLOSE
		      "\r\n" GET("/smuggled") "\r\n......."),
		BYTES("POST /ok HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n"
		      "Content-Length: 42\r\n" CLOSE
		      "\r\n" GET("/smuggled") "\r\n......."),
		BYTES("POST /ok HTTP/1.1\r\nHost: x\r\n"
		      "Transfer-Encoding: chunked\r\n" CLOSE
		      "\r\n2a;a=\"b\"\r\n" GET(
			  "/smuggled") "\r\n.......\r\n0\r\n\r\n"),
		BYTES("POST /ok HTTP/1.1\r\nHost: x\r\n"
		      "Transfer-Encoding: chunked\r\n" CLOSE
		      "\r\nFFFFFFFFFFFFFFFFF\r\n" GET("/smuggled") "\r\n"),
		BYTES("POST /ok HTTP/1.1\r\nHost: x\r\n"
		      "Transfer-Encoding: chunked\r\n" CLOSE
		      "\r\n-1\r\n" GET("/smuggled") "\r\n"),
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		int fd = raw_connect(f->addr);

		raw_send(fd, requests[i].p, requests[i].len);
		(void)shutdown(fd, SHUT_WR);
		raw_read_all(fd, f->out, OUT_MAX);
		if (raw_count(f->out, "HTTP/1.1 ") > 1)
			fail_msg("%zu: %s", i, f->out);
		(void)close(fd);
	}
	assert_int_equal(atomic_load(&smuggled), 0);
}

static void
refuses_oversized_heads(void **state)
{
	struct fixture *f = *state;
	struct buf b = BUF_INIT(4u << 20);
	int fd;

	/* One field of 1 MiB. */
	buf_puts(&b, GET("/ok") "X: ");
	for (size_t i = 0; i < 1u << 20; i++)
		buf_putc(&b, 'a');
	buf_puts(&b, "\r\n\r\n");
	fd = raw_connect(f->addr);
	raw_send(fd, b.data, b.len);
	raw_read_all(fd, f->out, OUT_MAX);
	(void)close(fd);
	assert_null(strstr(f->out, " 200 "));

	/* Many small ones. */
	buf_clear(&b);
	buf_puts(&b, GET("/ok"));
	for (size_t i = 0; i < 100; i++)
		buf_printf(&b, "X%zu: a\r\n", i);
	buf_puts(&b, "\r\n");
	raw_exchange(f->addr, b.data, f->out, OUT_MAX);
	assert_int_equal(strncmp(f->out, "HTTP/1.1 431 ", 13), 0);

	/* A head of ordinary size passes. */
	buf_clear(&b);
	buf_puts(&b, GET("/ok") CLOSE "Cookie: ");
	for (size_t i = 0; i < 8000; i++)
		buf_putc(&b, 'c');
	buf_puts(&b, "\r\n\r\n");
	raw_exchange(f->addr, b.data, f->out, OUT_MAX);
	assert_string_equal(raw_body(f->out), "ok\n");
	assert_int_equal(atomic_load(&calls), 1);
	buf_release(&b);
}

static void
send_chunks(int fd, size_t total)
{
	char chunk[128];

	for (size_t sent = 0; sent < total; sent += 100) {
		(void)snprintf(chunk, sizeof(chunk), "64\r\n%0100d\r\n", 7);
		raw_puts(fd, chunk);
	}
}

static void
bodies_are_dropped_up_to_the_limit_and_refused_over_it(void **state)
{
	struct fixture *f = *state;
	char request[BODY_MAX * 2];
	int fd;

	(void)snprintf(request, sizeof(request),
	    "POST /ok HTTP/1.1\r\nHost: x\r\n" CLOSE
	    "Content-Length: 1000\r\n\r\n%01000d",
	    7);
	raw_exchange(f->addr, request, f->out, OUT_MAX);
	assert_string_equal(raw_body(f->out), "ok\n");

	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(request, sizeof(request),
		    "%s /ok HTTP/1.1\r\nHost: x\r\nContent-Length: "
		    "1001\r\n\r\n",
		    i == 0 ? "POST" : "GET");
		raw_exchange(f->addr, request, f->out, OUT_MAX);
		assert_int_equal(strncmp(f->out, "HTTP/1.1 413 ", 13), 0);
	}

	fd = raw_connect(f->addr);
	raw_puts(fd,
	    "POST /ok HTTP/1.1\r\nHost: x\r\n" CLOSE
	    "Transfer-Encoding: chunked\r\n\r\n");
	send_chunks(fd, 1000);
	raw_puts(fd, "0\r\n\r\n");
	raw_read_all(fd, f->out, OUT_MAX);
	(void)close(fd);
	assert_string_equal(raw_body(f->out), "ok\n");

	fd = raw_connect(f->addr);
	raw_puts(fd,
	    "POST /ok HTTP/1.1\r\nHost: x\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n");
	send_chunks(fd, 1100);
	raw_read_all(fd, f->out, OUT_MAX);
	(void)close(fd);
	assert_int_equal(strncmp(f->out, "HTTP/1.1 413 ", 13), 0);
	assert_int_equal(atomic_load(&calls), 2);
}

static void
expect_is_honoured_for_100_continue_alone(void **state)
{
	struct fixture *f = *state;
	int fd = raw_connect(f->addr);

	raw_puts(fd,
	    "POST /ok HTTP/1.1\r\nHost: x\r\n" CLOSE
	    "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
	assert_int_equal(raw_read_answer(fd, f->out, OUT_MAX, true), 100);
	raw_puts(fd, "ab");
	assert_int_equal(raw_read_answer(fd, f->out, OUT_MAX, true), 200);
	(void)close(fd);

	raw_exchange(f->addr,
	    "POST /ok HTTP/1.1\r\nHost: x\r\n"
	    "Content-Length: 2\r\nExpect: 200-ok\r\n\r\n",
	    f->out, OUT_MAX);
	assert_int_equal(strncmp(f->out, "HTTP/1.1 417 ", 13), 0);
}

static void
upgrades_are_ignored(void **state)
{
	struct fixture *f = *state;

	raw_exchange(f->addr,
	    GET("/ok") "Connection: Upgrade, HTTP2-Settings, close\r\n"
		       "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
	    f->out, OUT_MAX);
	assert_int_equal(strncmp(f->out, "HTTP/1.1 200 ", 13), 0);
}

/* Every byte in time, the whole not: the connection must end. */
static void
trickle(struct fixture *f, const char *beginning, const char *byte)
{
	struct pollfd p = { .fd = raw_connect(f->addr), .events = POLLRDHUP };
	uint64_t start_ms = clock_mono_ms(&clock_system);

	raw_puts(p.fd, beginning);
	do {
		assert_true(clock_mono_ms(&clock_system) - start_ms < 8000);
		raw_puts(p.fd, byte);
	} while (poll(&p, 1, 20) == 0);
	(void)close(p.fd);
}

static void
a_slow_head_or_body_meets_its_deadline(void **state)
{
	struct fixture *f = *state;

	start(f,
	    (struct conns_limits) { .max = 32,
		.idle_ms = LONG_MS,
		.read_ms = 200,
		.write_ms = LONG_MS });
	trickle(f, GET("/ok") "X: ", "a");
	trickle(f, GET("/ok"), "X: a\r\n");
	trickle(f,
	    "POST /ok HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n", "a");
	trickle(f,
	    "POST /ok HTTP/1.1\r\nHost: x\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n",
	    "1\r\na\r\n");
	raw_exchange(f->addr,
	    "POST /ok HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab",
	    f->out, OUT_MAX);
	assert_int_equal(strncmp(f->out, "HTTP/1.1 408 ", 13), 0);
	assert_int_equal(atomic_load(&calls), 0);
}

static void
a_peer_that_does_not_read_its_answer_is_cut_off(void **state)
{
	static char junk[262144];
	struct fixture *f = *state;
	struct pollfd p = { .events = 0 };

	start(f,
	    (struct conns_limits) { .max = 32,
		.idle_ms = LONG_MS,
		.read_ms = LONG_MS,
		.write_ms = 200 });
	p.fd = raw_connect(f->addr);
	raw_puts(p.fd, GET("/big") "\r\n");
	/* What the server has not read makes its close a reset, which is seen
	 * though the answer fills all buffers. */
	assert_true(
	    send(p.fd, junk, sizeof(junk), MSG_DONTWAIT | MSG_NOSIGNAL) > 0);
	assert_int_equal(poll(&p, 1, 8000), 1);
	assert_true((p.revents & (POLLHUP | POLLERR)) != 0);
	(void)close(p.fd);
}

static void
an_idle_connection_ends_before_and_between_requests(void **state)
{
	struct fixture *f = *state;
	int fd;

	start(f,
	    (struct conns_limits) { .max = 32,
		.idle_ms = 100,
		.read_ms = LONG_MS,
		.write_ms = LONG_MS });
	assert_int_equal(raw_exchange(f->addr, "", f->out, OUT_MAX), 0);
	/* A request line that never ends is idle too. */
	trickle(f, "GET /ok", "a");
	fd = raw_connect(f->addr);
	raw_puts(fd, GET("/ok") "\r\n");
	assert_int_equal(raw_read_answer(fd, f->out, OUT_MAX, true), 200);
	assert_int_equal(raw_read_all(fd, f->out, OUT_MAX), 0);
	(void)close(fd);
}

/* How many of them the server has ended, once that is at least want. */
static size_t
await_ended(struct pollfd *p, size_t n, size_t want)
{
	uint64_t start_ms = clock_mono_ms(&clock_system);
	size_t ended;

	do {
		assert_true(clock_mono_ms(&clock_system) - start_ms < 8000);
		assert_true(poll(p, (nfds_t)n, 20) >= 0);
		ended = 0;
		for (size_t i = 0; i < n; i++)
			ended += p[i].revents != 0;
	} while (ended < want);
	return ended;
}

static void
at_the_limit_the_longest_wait_ends_and_a_probe_gets_in(void **state)
{
	enum { LIMIT = 8, FLOOD = 400 };
	struct fixture *f = *state;
	struct pollfd p[FLOOD];
	size_t last = 0;

	start(f,
	    (struct conns_limits) { .max = LIMIT,
		.idle_ms = LONG_MS,
		.read_ms = LONG_MS,
		.write_ms = LONG_MS });
	for (size_t i = 0; i < FLOOD; i++)
		p[i] = (struct pollfd) { .fd = raw_connect(f->addr),
			.events = POLLRDHUP };
	raw_exchange(f->addr, GET("/ok") CLOSE "\r\n", f->out, OUT_MAX);
	assert_string_equal(raw_body(f->out), "ok\n");
	assert_true(await_ended(p, FLOOD, FLOOD - LIMIT) < FLOOD);
	assert_int_not_equal(p[0].revents, 0);
	for (size_t i = 0; i < FLOOD; i++)
		last = p[i].revents == 0 ? i : last;
	assert_true(last > FLOOD / 2);
	raw_puts(p[last].fd, GET("/ok") "\r\n");
	assert_int_equal(
	    raw_read_answer(p[last].fd, f->out, OUT_MAX, true), 200);
	for (size_t i = 0; i < FLOOD; i++)
		(void)close(p[i].fd);
}

static void
counts_requests_by_route_code_and_known_method(void **state)
{
	struct fixture *f = *state;

	raw_exchange(f->addr, GET("/ok") "\r\n" GET("/ok?x") CLOSE "\r\n",
	    f->out, OUT_MAX);
	raw_exchange(f->addr, "BREW /ok HTTP/1.1\r\nHost: x\r\n" CLOSE "\r\n",
	    f->out, OUT_MAX);
	raw_exchange(f->addr, GET("/plain") "\r\n" GET("/none") CLOSE "\r\n",
	    f->out, OUT_MAX);
	assert_true(metrics_value(f->metrics, METRIC_HTTP_REQUESTS, "/ok",
			"200", "get") == 2);
	assert_true(metrics_value(f->metrics, METRIC_HTTP_REQUESTS, "/ok",
			"200", "unknown") == 1);
	assert_true(metrics_value(f->metrics, METRIC_HTTP_REQUESTS, "/plain",
			"200", "get") == 0);
	assert_true(metrics_value(f->metrics, METRIC_HTTP_REQUESTS, "/none",
			"404", "get") == 0);
}

/* Asks, until the handler waits inside. */
static void
enter_gate(int fd)
{
	raw_puts(fd, GET("/gate") "\r\n");
	mutex_lock(&gate_mu);
	while (!gate_entered)
		cond_wait(&gate_changed, &gate_mu);
	mutex_unlock(&gate_mu);
}

static void
open_gate(void)
{
	mutex_lock(&gate_mu);
	gate_open = true;
	cond_broadcast(&gate_changed);
	mutex_unlock(&gate_mu);
}

static void *
stop_main(void *arg)
{
	struct fixture *f = arg;

	http_server_stop(f->server);
	return NULL;
}

static void
stopping_lets_a_running_request_end(void **state)
{
	struct fixture *f = *state;
	struct thread stopper = { .started = false };
	int fd = raw_connect(f->addr), idle = raw_connect(f->addr);
	char addr[64];

	(void)snprintf(addr, sizeof(addr), "%s", f->addr);
	enter_gate(fd);
	thread_start(&stopper, "stopper", stop_main, f);
	/* The idle one goes at once, so stopping has begun. */
	assert_int_equal(raw_read_all(idle, f->out, OUT_MAX), 0);
	assert_false(raw_can_connect(addr));
	open_gate();
	assert_int_equal(raw_read_answer(fd, f->out, OUT_MAX, true), 200);
	assert_string_equal(raw_body(f->out), "passed\n");
	assert_int_equal(raw_read_all(fd, f->out, OUT_MAX), 0);
	thread_join(&stopper);
	f->server = NULL;
	assert_false(raw_can_connect(addr));
	(void)close(fd);
	(void)close(idle);
}

static void
stopping_waits_for_the_rest_of_a_body(void **state)
{
	struct fixture *f = *state;
	struct thread stopper = { .started = false };
	int fd = raw_connect(f->addr), idle = raw_connect(f->addr);

	raw_puts(fd,
	    "POST /ok HTTP/1.1\r\nHost: x\r\n"
	    "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
	assert_int_equal(raw_read_answer(fd, f->out, OUT_MAX, true), 100);
	thread_start(&stopper, "stopper", stop_main, f);
	assert_int_equal(raw_read_all(idle, f->out, OUT_MAX), 0);
	raw_puts(fd, "ab");
	assert_int_equal(raw_read_answer(fd, f->out, OUT_MAX, true), 200);
	thread_join(&stopper);
	f->server = NULL;
	(void)close(fd);
	(void)close(idle);
}

/* They end before the request that is still waited for, not with it. */
static void
stopping_does_not_wait_for_idle_connections(void **state)
{
	struct fixture *f = *state;
	struct thread stopper = { .started = false };
	int idle = raw_connect(f->addr), fd = raw_connect(f->addr);

	raw_puts(idle, GET("/ok") "\r\n");
	assert_int_equal(raw_read_answer(idle, f->out, OUT_MAX, true), 200);
	enter_gate(fd);
	thread_start(&stopper, "stopper", stop_main, f);
	assert_int_equal(raw_read_all(idle, f->out, OUT_MAX), 0);
	open_gate();
	assert_int_equal(raw_read_answer(fd, f->out, OUT_MAX, true), 200);
	thread_join(&stopper);
	f->server = NULL;
	(void)close(fd);
	(void)close(idle);
}

static unsigned
open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

/* Connections that come and go just then wake the library's threads. */
static void
stopping_over_and_over_ends_well(void **state)
{
	struct fixture *f = *state;
	unsigned before = open_files();

	for (int i = 0; i < STOPS; i++) {
		int fds[4];

		for (size_t n = 0; n < ARRAY_SIZE(fds); n++)
			fds[n] = raw_connect(f->addr);
		for (size_t n = 0; n < ARRAY_SIZE(fds) / 2; n++)
			(void)close(fds[n]);
		http_server_stop(f->server);
		for (size_t n = ARRAY_SIZE(fds) / 2; n < ARRAY_SIZE(fds); n++)
			(void)close(fds[n]);
		start(f,
		    (struct conns_limits) { .max = 32,
			.idle_ms = LONG_MS,
			.read_ms = LONG_MS,
			.write_ms = LONG_MS });
	}
	assert_int_equal(open_files(), before);
}

static void
a_taken_port_is_an_error_that_names_it(void **state)
{
	struct fixture *f = *state;
	struct http_listener_config cfg = {
		.listen_addr = f->addr,
		.clock = &clock_system,
		.threads = 1,
		.conns = { .max = 1,
		    .idle_ms = 1,
		    .read_ms = 1,
		    .write_ms = 1 },
	};
	struct http_server *second = NULL;
	struct err err = ERR_INIT;
	char want[128];

	(void)snprintf(want, sizeof(want),
	    "listen on %s: address already in use", f->addr);
	assert_int_equal(http_server_start(&cfg, &second, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	assert_string_equal(err.msg, want);
	assert_null(second);
}

static void
timeouts_are_at_least_a_millisecond_and_at_most_a_day(void **state UNUSED)
{
	assert_int_equal(http_server_timeout_ms(1), 1);
	assert_int_equal(http_server_timeout_ms(0), 1);
	assert_int_equal(http_server_timeout_ms(INT64_C(1500000000)), 1500);
	assert_int_equal(http_server_timeout_ms(INT64_MAX), 86400000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH_SERVER(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
#define BARE(t)	       cmocka_unit_test_setup_teardown(t, setup_bare, teardown)
		WITH_SERVER(any_method_reaches_a_route),
		WITH_SERVER(head_gets_the_head_alone_and_the_connection_stays),
		WITH_SERVER(answers_carry_type_and_no_banner),
		WITH_SERVER(paths_are_compared_as_they_came),
		WITH_SERVER(a_request_may_come_byte_by_byte),
		WITH_SERVER(pipelined_requests_are_answered_in_order),
		WITH_SERVER(refuses_heads_that_can_be_cut_in_two_ways),
		WITH_SERVER(strange_bytes_never_make_a_second_request),
		WITH_SERVER(refuses_oversized_heads),
		WITH_SERVER(
		    bodies_are_dropped_up_to_the_limit_and_refused_over_it),
		WITH_SERVER(expect_is_honoured_for_100_continue_alone),
		WITH_SERVER(upgrades_are_ignored),
		BARE(a_slow_head_or_body_meets_its_deadline),
		BARE(a_peer_that_does_not_read_its_answer_is_cut_off),
		BARE(an_idle_connection_ends_before_and_between_requests),
		BARE(at_the_limit_the_longest_wait_ends_and_a_probe_gets_in),
		WITH_SERVER(counts_requests_by_route_code_and_known_method),
		WITH_SERVER(stopping_lets_a_running_request_end),
		WITH_SERVER(stopping_waits_for_the_rest_of_a_body),
		WITH_SERVER(stopping_does_not_wait_for_idle_connections),
		WITH_SERVER(stopping_over_and_over_ends_well),
		WITH_SERVER(a_taken_port_is_an_error_that_names_it),
		cmocka_unit_test(
		    timeouts_are_at_least_a_millisecond_and_at_most_a_day),
	};

	mutex_init(&gate_mu);
	cond_init(&gate_changed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
