/*
 * Strangers on port 8080 who mean no good: the whole program stays small,
 * answers probes, serves the certificate and goes on making Secrets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "harness.h"
#include "lib/sanitized.h"

#define IDLE	    10000
#define PROBE_EVERY 1000
#define FLOODERS    32
#define ROUNDS_MIN  40
#define PEAK_MAX_KB (64L * 1024)

static const char *const no_limit[] = { "--rate-limit=0", NULL };

static int
start(void **state)
{
	struct rlimit limit;

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	*state = harness_new(NULL);
	harness_start_ready(*state, no_limit);
	return 0;
}

static int
dial(const struct harness *h)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unsigned port;

	assert_int_equal(sscanf(h->http, "http://127.0.0.1:%u", &port), 1);
	to.sin_port = htons((uint16_t)port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void
expect_answers(struct harness *h)
{
	static const char *const paths[] = { "/healthz", "/readyz",
		"/v1/cert.pem" };
	AUTO(api) struct api *a = api_new(h->http, NULL);

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		harness_expect(h, api_get(a, NULL, "%s", paths[i]) == 200);
}

static void
expect_small(struct harness *h)
{
	long kb = proc_status(h->controller, "VmHWM");

	assert_true(kb > 0);
	/* A sanitizer's shadow counts as memory of the program. */
	if (!SANITIZED && kb > PEAK_MAX_KB)
		fail_msg("peak of %ld kB", kb);
}

static void
ten_thousand_idle_connections_keep_nobody_out(void **state)
{
	struct harness *h = *state;
	int *fds = xcalloc(IDLE, sizeof(*fds));

	for (int i = 0; i < IDLE; i++) {
		fds[i] = dial(h);
		harness_expect(h, fds[i] >= 0);
		if (i % PROBE_EVERY == PROBE_EVERY - 1)
			expect_answers(h);
	}
	harness_create(h, "a", "one", "value");
	harness_expect(
	    h, harness_wait_value(h, "a", "one", "value", HARNESS_SOON_MS));
	expect_small(h);
	for (int i = 0; i < IDLE; i++)
		close(fds[i]);
	free(fds);
	expect_answers(h);
}

/* ---- bodies ---- */

struct flood {
	struct harness *h;
	atomic_bool stop;
	atomic_uint rounds;
};

/* Beginnings that are repeated up to the length announced. */
static const char *const pieces[] = { "[", "{\"a\":", "[1,2,3,4,5,6,7,8],",
	"- - - - ", "a: &a [*a, *a]\n", "\"\\u0000\",", "{\"a\":1,\"a\":1}," };

static const char *const heads[] = {
	"POST /v1/verify HTTP/1.1\r\nHost: x\r\nContent-Length: "
	"4194304\r\n\r\n",
	"POST /v1/rotate HTTP/1.1\r\nHost: x\r\nContent-Length: "
	"4194304\r\n\r\n",
	"POST /v1/verify HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000000"
	"\r\n\r\n",
	"POST /v1/rotate HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked"
	"\r\n\r\n100000\r\n",
	"POST /v1/verify HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
	"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"POST /v1/cert.pem HTTP/1.1\r\nHost: x\r\nContent-Length: 4194304"
	"\r\n\r\n",
};

/* Sends what the peer takes of one bad request, and reads no answer. */
static void
send_one(const struct harness *h, unsigned n)
{
	static const struct timeval patience = { .tv_usec = 200000 };
	const char *head = heads[n % ARRAY_SIZE(heads)];
	const char *piece = pieces[n % ARRAY_SIZE(pieces)];
	char block[16384];
	size_t len = strlen(piece), fill = sizeof(block) / len * len;
	int fd = dial(h);

	if (fd < 0)
		return;
	for (size_t at = 0; at < fill; at += len)
		memcpy(block + at, piece, len);
	(void)setsockopt(
	    fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (send(fd, head, strlen(head), MSG_NOSIGNAL) > 0)
		for (size_t sent = 0; sent < 4194304; sent += fill)
			if (send(fd, block, fill, MSG_NOSIGNAL) < 0)
				break;
	close(fd);
}

static void *
flooder(void *arg)
{
	struct flood *f = arg;

	while (!atomic_load(&f->stop))
		send_one(f->h, atomic_fetch_add(&f->rounds, 1));
	return NULL;
}

static bool
enough_rounds(void *ctx)
{
	struct flood *f = ctx;

	return atomic_load(&f->rounds) >= ROUNDS_MIN * FLOODERS;
}

static void
a_flood_of_the_worst_bodies_leaves_it_small_and_at_work(void **state)
{
	struct harness *h = *state;
	struct flood f = { .h = h };
	pthread_t threads[FLOODERS];
	bool made = true;

	for (size_t i = 0; i < FLOODERS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, flooder, &f), 0);
	for (unsigned i = 0; i < 20 || !enough_rounds(&f); i++) {
		AUTO_STR char *name = xasprintf("one-%u", i);

		harness_create(h, "a", name, "value");
		made = made &&
		    harness_wait_value(h, "a", name, "value", HARNESS_SOON_MS);
		if (!made)
			break;
	}
	expect_answers(h);
	atomic_store(&f.stop, true);
	for (size_t i = 0; i < FLOODERS; i++)
		pthread_join(threads[i], NULL);
	harness_expect(h, made);
	expect_small(h);
	expect_answers(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    ten_thousand_idle_connections_keep_nobody_out, start,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(
		    a_flood_of_the_worst_bodies_leaves_it_small_and_at_work,
		    start, harness_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
