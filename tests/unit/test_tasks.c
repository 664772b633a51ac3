/*
 * Routes whose work is done by a pool: connections that rest, a pool that is
 * full, probes meanwhile, stopping.
 * layer: http
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/thread.h"
#include "listenrig.h"
#include "rawhttp.h"

#define OUT_MAX 65536
#define WAIT_NS (UINT64_C(10) * NS_PER_S)
#define HELLO	"POST /gate HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"

static struct mutex mu;
static struct cond changed;
/* guarded by mu: */
static unsigned entered, left;
static bool gate_open;

static struct http_server *server;
static struct metrics *metrics;
static char out[OUT_MAX];

static void
handle_ok(void *ctx UNUSED, struct http_reply *reply)
{
	http_reply_text(reply, 200, "ok\n");
}

static bool
admit_all(void *ctx UNUSED, const struct head *head, struct http_reply *reply)
{
	http_reply_field(reply, "X-Number", strlen(head->forwarded_for));
	return true;
}

static bool
admit_none(
    void *ctx UNUSED, const struct head *head UNUSED, struct http_reply *reply)
{
	http_reply_text(reply, 429, "no\n");
	return false;
}

/* Waits until the test opens the gate, then gives the body back. */
static void
work_gate(void *ctx UNUSED, const struct head *head UNUSED, struct buf *body,
    const struct pool *pool, struct http_reply *reply)
{
	mutex_lock(&mu);
	entered++;
	cond_broadcast(&changed);
	while (!gate_open && !pool_stopping(pool))
		(void)cond_wait_for(&changed, &mu, NS_PER_MS);
	left++;
	mutex_unlock(&mu);
	http_reply_text(reply, 200, buf_str(body));
}

static const struct http_route routes[] = { { "/ok", handle_ok, false } };
static const struct http_task tasks[] = {
	{ .path = "/gate", .admit = admit_all, .work = work_gate },
	{ .path = "/denied", .admit = admit_none, .work = work_gate },
};

static int
setup(void **state UNUSED)
{
	struct http_listener_config cfg = listenrig_config();

	cfg.routes = routes;
	cfg.nroutes = ARRAY_SIZE(routes);
	cfg.tasks = tasks;
	cfg.ntasks = ARRAY_SIZE(tasks);
	cfg.task_threads = cfg.threads = 2;
	mutex_init(&mu);
	cond_init(&changed);
	entered = left = 0;
	gate_open = false;
	metrics = cfg.metrics = metrics_new("test");
	server = listenrig_start(&cfg);
	return 0;
}

static int
teardown(void **state UNUSED)
{
	http_server_stop(server);
	metrics_free(metrics);
	return 0;
}

static int
ask(const char *text)
{
	int fd = raw_connect(http_server_addr(server));

	raw_puts(fd, text);
	return fd;
}

static void
expect(int fd, unsigned status, const char *body)
{
	assert_int_equal(raw_read_answer(fd, out, OUT_MAX, true), status);
	assert_string_equal(raw_body(out), body);
}

static void
wait_entered(unsigned n)
{
	mutex_lock(&mu);
	while (entered < n)
		assert_true(cond_wait_for(&changed, &mu, WAIT_NS));
	mutex_unlock(&mu);
}

static void
open_gate(void)
{
	mutex_lock(&mu);
	gate_open = true;
	cond_broadcast(&changed);
	mutex_unlock(&mu);
}

static void
a_task_gets_the_body_and_answers_on_the_same_connection(void **state UNUSED)
{
	int fd = ask(HELLO);

	open_gate();
	expect(fd, 200, "hello");
	assert_non_null(strstr(out, "\r\nX-Number: 0\r\n"));
	raw_puts(fd,
	    "POST /gate HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: abc\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
	expect(fd, 200, "abc");
	assert_non_null(strstr(out, "\r\nX-Number: 3\r\n"));
	/* Two at once on one connection come one after the other. */
	raw_puts(fd, HELLO HELLO);
	expect(fd, 200, "hello");
	expect(fd, 200, "hello");
	(void)close(fd);
	assert_true(metrics_value(metrics, METRIC_HTTP_REQUESTS, "/gate", "200",
			"post") == 4);
}

static void
what_is_not_admitted_never_reaches_the_pool(void **state UNUSED)
{
	int fd =
	    ask("POST /denied HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"
		"hello");

	expect(fd, 429, "no\n");
	raw_puts(fd, "GET /ok HTTP/1.1\r\nHost: x\r\n\r\n");
	expect(fd, 200, "ok\n");
	(void)close(fd);
	assert_int_equal(entered, 0);
	assert_true(metrics_value(metrics, METRIC_HTTP_REQUESTS, "/denied",
			"429", "post") == 1);
}

static void
with_the_pool_full_others_are_503_and_probes_answer(void **state UNUSED)
{
	struct pollfd fds[2 + HTTP_TASK_QUEUE_MAX + 1];
	unsigned refused = 0;
	int probe;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = (struct pollfd) { ask(HELLO), POLLIN, 0 };
		if (i < 2)
			wait_entered((unsigned)i + 1);
	}
	/* One too many, whichever came last. */
	assert_int_equal(poll(fds, ARRAY_SIZE(fds), 10000), 1);
	probe = ask("GET /ok HTTP/1.1\r\nHost: x\r\n\r\n");
	expect(probe, 200, "ok\n");
	(void)close(probe);
	open_gate();
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		if (fds[i].revents == 0)
			expect(fds[i].fd, 200, "hello");
		else {
			expect(fds[i].fd, 503,
			    "busy: too many requests at once\n");
			assert_non_null(strstr(out, "\r\nRetry-After: 1\r\n"));
			refused++;
		}
		(void)close(fds[i].fd);
	}
	assert_int_equal(refused, 1);
}

/* Its end is not seen while it rests; the work is done for nobody. */
static void
a_client_that_leaves_meanwhile_does_no_harm(void **state UNUSED)
{
	int gone = ask(HELLO), fd;

	wait_entered(1);
	(void)close(gone);
	open_gate();
	fd = ask(HELLO);
	expect(fd, 200, "hello");
	(void)close(fd);
}

static void
a_stop_does_not_wait_for_what_rests(void **state)
{
	int fds[4];

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = ask(HELLO);
	wait_entered(2);
	http_server_stop(server);
	assert_int_equal(left, 2);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		(void)close(fds[i]);
	metrics_free(metrics);
	(void)setup(state);
}

int
main(void)
{
#define SERVED(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		SERVED(a_task_gets_the_body_and_answers_on_the_same_connection),
		SERVED(what_is_not_admitted_never_reaches_the_pool),
		SERVED(with_the_pool_full_others_are_503_and_probes_answer),
		SERVED(a_client_that_leaves_meanwhile_does_no_harm),
		SERVED(a_stop_does_not_wait_for_what_rests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
