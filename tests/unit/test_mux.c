/*
 * Tests of controller/kube/mux.c against servers on loopback addresses.
 * layer: kube
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "httpd.h"
#include "kube/transport.h"
#include "metrics/metrics.h"
#include "tmpfiles.h"

#define PATIENCE_MS 20000u

/* ---- a stream and what was seen of it ---- */

struct seen {
	struct kube_mux *mux;
	struct kube_stream *stream;
	int status, retry_after;
	bool json;
	struct buf body;
	unsigned begins, pieces, dones;
	struct err err;
	/* What to do in callbacks. */
	bool cancel_in_begin, cancel_in_data, refuse_data;
	struct seen *start_in_done, *cancel_in_done;
	const char *path;
	unsigned *open; /* counted down in done */
};

static void start_stream(struct seen *s, uint64_t idle_ms, uint64_t total_ms);

static void
on_begin(void *ctx, int status, bool json, int retry_after_s)
{
	struct seen *s = ctx;

	assert_int_equal(s->begins, 0);
	assert_int_equal(s->dones, 0);
	s->begins++;
	s->status = status;
	s->json = json;
	s->retry_after = retry_after_s;
	if (s->cancel_in_begin)
		s->mux->cancel(s->mux->ctx, s->stream);
}

static bool
on_data(void *ctx, const char *p, size_t len)
{
	struct seen *s = ctx;
	struct err err = ERR_INIT;

	assert_int_equal(s->begins, 1);
	assert_int_equal(s->dones, 0);
	s->pieces++;
	assert_int_equal(buf_append(&s->body, p, len, &err), 0);
	if (s->cancel_in_data)
		s->mux->cancel(s->mux->ctx, s->stream);
	return !s->refuse_data;
}

static void
on_done(void *ctx, const struct err *err)
{
	struct seen *s = ctx;

	assert_int_equal(s->dones, 0);
	s->dones++;
	s->err = *err;
	if (s->open != NULL)
		--*s->open;
	if (s->start_in_done != NULL)
		start_stream(s->start_in_done, 0, 0);
	if (s->cancel_in_done != NULL)
		s->mux->cancel(s->mux->ctx, s->cancel_in_done->stream);
}

static void
start_stream(struct seen *s, uint64_t idle_ms, uint64_t total_ms)
{
	const struct kube_stream_handler handler = {
		.ctx = s,
		.begin = on_begin,
		.data = on_data,
		.done = on_done,
	};
	/* Copied by start(). */
	char path[64];
	const struct kube_stream_request req = {
		.path = path,
		.idle_timeout_ms = idle_ms,
		.total_timeout_ms = total_ms,
	};

	(void)snprintf(path, sizeof(path), "%s", s->path);
	s->stream = s->mux->start(s->mux->ctx, &req, &handler);
	assert_non_null(s->stream);
	memset(path, 'x', sizeof(path));
}

static void
seen_init(struct seen *s, struct kube_mux *mux, const char *path)
{
	memset(s, 0, sizeof(*s));
	s->mux = mux;
	s->path = path;
	buf_init(&s->body, 1 << 20);
}

static void
poll_until_done(struct seen *s)
{
	uint64_t end = clock_mono_ms(&clock_system) + PATIENCE_MS;

	while (s->dones == 0 && clock_mono_ms(&clock_system) < end)
		s->mux->poll(s->mux->ctx, 100);
	assert_int_equal(s->dones, 1);
}

/* ---- servers ---- */

/* Hanging connections that the client closed. */
static atomic_uint left;

/* /events: two events, then what the rest of the path says. */
static void
stream_server(
    void *ctx UNUSED, struct httpd_conn *c, const struct httpd_request *req)
{
	if (strcmp(req->path, "/json") == 0) {
		httpd_json(c, 200, "{\"items\":[]}");
		return;
	}
	if (strcmp(req->path, "/gone") == 0) {
		httpd_reply(c, 410, "application/json", "Retry-After: 3\r\n",
		    "{\"code\":410}");
		return;
	}
	if (strcmp(req->path, "/half-head") == 0) {
		httpd_puts(c, "HTTP/1.1 200 OK\r\nContent-T");
		httpd_close(c);
		return;
	}
	if (strcmp(req->path, "/silent") == 0) {
		httpd_wait(c);
		return;
	}
	httpd_puts(c,
	    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n");
	httpd_chunk(c, "one\n", 4);
	httpd_chunk(c, "two\n", 4);
	if (strcmp(req->path, "/events-end") == 0) {
		httpd_puts(c, "0\r\n\r\n");
	} else if (strcmp(req->path, "/events-cut") == 0) {
		httpd_close(c);
	} else {
		httpd_wait(c);
		atomic_fetch_add(&left, 1);
	}
}

struct fixture {
	struct httpd *h;
	struct kube_config cfg;
	struct metrics *metrics;
	struct kube_mux *mux;
};

static int
setup(void **state)
{
	static struct fixture f;

	f.h = httpd_new(stream_server, NULL, NULL);
	f.cfg = (struct kube_config) { .server = (char *)httpd_url(f.h) };
	f.metrics = metrics_new("x");
	f.mux = kube_mux_new(&f.cfg, f.metrics);
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	kube_mux_free(f->mux);
	metrics_free(f->metrics);
	httpd_free(f->h);
	return 0;
}

/* ---- tests ---- */

static void
streams_end_as_their_bodies_do(void **state)
{
	static const struct {
		const char *path;
		int status, retry_after;
		const char *body;
		enum err_code want;
	} cases[] = {
		{ "/json", 200, -1, "{\"items\":[]}", ERR_NONE },
		{ "/gone", 410, 3, "{\"code\":410}", ERR_NONE },
		{ "/events-end", 200, -1, "one\ntwo\n", ERR_NONE },
		{ "/events-cut", 200, -1, "one\ntwo\n", ERR_TRANSPORT },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct seen s;

		seen_init(&s, f->mux, cases[i].path);
		start_stream(&s, 0, 0);
		assert_int_equal(s.begins, 0);
		poll_until_done(&s);
		assert_int_equal(s.begins, 1);
		assert_int_equal(s.status, cases[i].status);
		assert_true(s.json);
		assert_int_equal(s.retry_after, cases[i].retry_after);
		assert_string_equal(buf_str(&s.body), cases[i].body);
		assert_int_equal(s.err.code, cases[i].want);
		buf_release(&s.body);
	}
	/* One kept connection served them in turn. */
	assert_int_equal(httpd_connections(f->h), 1);
	assert_true(metrics_value(f->metrics, METRIC_API_REQUESTS, "list", "",
			"200") == 3);
	assert_true(metrics_value(f->metrics, METRIC_API_REQUESTS, "list", "",
			"410") == 1);
}

static void
a_head_that_is_cut_off_never_begins(void **state)
{
	struct fixture *f = *state;
	struct seen s;

	seen_init(&s, f->mux, "/half-head");
	start_stream(&s, 0, 0);
	poll_until_done(&s);
	assert_int_equal(s.begins, 0);
	assert_int_equal(s.err.code, ERR_TRANSPORT);
	assert_true(metrics_value(f->metrics, METRIC_API_REQUESTS, "list", "",
			"error") == 1);
}

static void
a_silent_stream_is_dropped_after_its_idle_time(void **state)
{
	static const char *const paths[] = { "/silent", "/events-hang" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		uint64_t begin = clock_mono_ms(&clock_system);
		struct seen s;

		seen_init(&s, f->mux, paths[i]);
		start_stream(&s, 100, 0);
		while (s.dones == 0)
			f->mux->poll(f->mux->ctx, PATIENCE_MS);
		assert_int_equal(s.err.code, ERR_TIMEOUT);
		assert_in_range(
		    clock_mono_ms(&clock_system) - begin, 100, 5000);
		assert_int_equal(s.begins, i);
		buf_release(&s.body);
	}
}

static void
a_total_time_ends_a_lively_stream(void **state)
{
	struct fixture *f = *state;
	struct seen s;

	seen_init(&s, f->mux, "/events-hang");
	start_stream(&s, 0, 100);
	poll_until_done(&s);
	assert_int_equal(s.err.code, ERR_TIMEOUT);
	buf_release(&s.body);
}

static void
a_reader_that_wants_no_more_ends_its_stream(void **state)
{
	struct fixture *f = *state;
	struct seen s;

	seen_init(&s, f->mux, "/events-hang");
	s.refuse_data = true;
	start_stream(&s, 0, 0);
	poll_until_done(&s);
	assert_int_equal(s.err.code, ERR_CANCELLED);
	assert_int_equal(s.pieces, 1);
	buf_release(&s.body);
}

static void
cancelled_streams_are_not_heard_of_again(void **state)
{
	struct fixture *f = *state;
	struct seen before, at_begin, at_data, other;

	seen_init(&before, f->mux, "/json");
	seen_init(&at_begin, f->mux, "/json");
	seen_init(&at_data, f->mux, "/events-end");
	seen_init(&other, f->mux, "/events-end");
	at_begin.cancel_in_begin = true;
	at_data.cancel_in_data = true;
	start_stream(&before, 0, 0);
	start_stream(&at_begin, 0, 0);
	start_stream(&at_data, 0, 0);
	start_stream(&other, 0, 0);
	f->mux->cancel(f->mux->ctx, before.stream);
	poll_until_done(&other);
	while (at_begin.begins == 0 || at_data.pieces == 0)
		f->mux->poll(f->mux->ctx, 100);
	for (int i = 0; i < 5; i++)
		f->mux->poll(f->mux->ctx, 0);
	assert_int_equal(before.begins + before.dones, 0);
	assert_int_equal(at_begin.pieces + at_begin.dones, 0);
	assert_int_equal(at_data.pieces, 1);
	assert_int_equal(at_data.dones, 0);
	buf_release(&at_data.body);
	buf_release(&other.body);
}

static void
a_cancelled_stream_gives_up_its_connection(void **state)
{
	struct fixture *f = *state;
	uint64_t end = clock_mono_ms(&clock_system) + PATIENCE_MS;
	struct seen s;

	atomic_store(&left, 0);
	seen_init(&s, f->mux, "/events-hang");
	start_stream(&s, 0, 0);
	while (s.pieces == 0)
		f->mux->poll(f->mux->ctx, 100);
	f->mux->cancel(f->mux->ctx, s.stream);
	while (atomic_load(&left) == 0 && clock_mono_ms(&clock_system) < end)
		f->mux->poll(f->mux->ctx, 1);
	assert_int_equal(atomic_load(&left), 1);
	assert_int_equal(s.dones, 0);
	buf_release(&s.body);
}

static void
done_may_start_a_stream_and_cancel_another(void **state)
{
	struct fixture *f = *state;
	struct seen first, next, victim;

	seen_init(&first, f->mux, "/json");
	seen_init(&next, f->mux, "/json");
	seen_init(&victim, f->mux, "/events-hang");
	first.start_in_done = &next;
	first.cancel_in_done = &victim;
	start_stream(&victim, 0, 0);
	start_stream(&first, 0, 0);
	poll_until_done(&first);
	poll_until_done(&next);
	assert_int_equal(next.err.code, ERR_NONE);
	assert_int_equal(victim.dones, 0);
	buf_release(&first.body);
	buf_release(&next.body);
	buf_release(&victim.body);
}

static void
open_streams_are_dropped_with_the_mux(void **state)
{
	struct fixture *f = *state;
	struct kube_mux *m = kube_mux_new(&f->cfg, NULL);
	struct seen running, waiting;

	seen_init(&running, m, "/events-hang");
	seen_init(&waiting, m, "/json");
	start_stream(&running, 0, 0);
	while (running.pieces == 0)
		m->poll(m->ctx, 100);
	start_stream(&waiting, 0, 0);
	m->cancel(m->ctx, running.stream);
	kube_mux_free(m);
	assert_int_equal(running.dones + waiting.dones, 0);
	buf_release(&running.body);
}

static void *
waker(void *arg)
{
	struct kube_mux *m = arg;

	m->wakeup(m->ctx);
	return NULL;
}

static void
wakeup_ends_the_wait_of_poll(void **state)
{
	struct fixture *f = *state;
	uint64_t begin = clock_mono_ms(&clock_system);
	struct thread t = { 0 };

	thread_start(&t, "waker", waker, f->mux);
	f->mux->poll(f->mux->ctx, PATIENCE_MS);
	thread_join(&t);
	assert_true(clock_mono_ms(&clock_system) - begin < PATIENCE_MS / 2);
}

static void
nobody_listening_ends_the_stream(void **state)
{
	struct fixture *f = *state;
	struct httpd *h = httpd_new(stream_server, NULL, NULL);
	AUTO_STR char *url = xstrdup(httpd_url(h));
	struct kube_config cfg = { .server = url };
	struct kube_mux *m = kube_mux_new(&cfg, f->metrics);
	struct seen s;

	httpd_free(h);
	seen_init(&s, m, "/json");
	start_stream(&s, 0, 0);
	poll_until_done(&s);
	assert_int_equal(s.err.code, ERR_TRANSPORT);
	assert_int_equal(s.begins, 0);
	kube_mux_free(m);
}

/* Accepts "good" only. */
static void
guarded(void *ctx UNUSED, struct httpd_conn *c, const struct httpd_request *req)
{
	char auth[64] = "";

	(void)httpd_header(req, "Authorization", auth, sizeof(auth));
	if (strcmp(auth, "Bearer good") == 0)
		httpd_json(c, 200, "{}");
	else
		httpd_json(c, 401, "{\"code\":401}");
}

static void
a_401_reads_the_token_again_and_tries_once_more(void **state UNUSED)
{
	struct tmpfiles files;
	struct httpd *h = httpd_new(guarded, NULL, NULL);
	struct kube_config cfg = { .server = (char *)httpd_url(h) };
	struct kube_mux *m;
	struct err err = ERR_INIT;
	struct seen good, bad, again;

	tmpfiles_init(&files);
	tmpfiles_write(&files, "token", "old");
	cfg.token = kube_token_file(tmpfiles_path(&files, "token"), NULL);
	m = kube_mux_new(&cfg, NULL);
	secret_free(kube_token_get(cfg.token, &err));
	tmpfiles_swap(&files, "token", "good");
	seen_init(&good, m, "/x");
	start_stream(&good, 0, 0);
	poll_until_done(&good);
	assert_int_equal(good.status, 200);
	assert_string_equal(buf_str(&good.body), "{}");
	assert_int_equal(httpd_requests(h), 2);

	/* One that stays bad is shown, once. */
	tmpfiles_swap(&files, "token", "bad");
	kube_token_invalidate(cfg.token);
	seen_init(&bad, m, "/x");
	start_stream(&bad, 0, 0);
	poll_until_done(&bad);
	assert_int_equal(bad.status, 401);
	assert_int_equal(bad.err.code, ERR_NONE);
	assert_string_equal(buf_str(&bad.body), "{\"code\":401}");
	assert_int_equal(httpd_requests(h), 4);

	tmpfiles_swap(&files, "token", "good");
	seen_init(&again, m, "/x");
	start_stream(&again, 0, 0);
	poll_until_done(&again);
	assert_int_equal(again.status, 200);
	assert_int_equal(httpd_requests(h), 5);
	kube_mux_free(m);
	kube_token_free(cfg.token);
	buf_release(&good.body);
	buf_release(&bad.body);
	buf_release(&again.body);
	tmpfiles_release(&files);
	httpd_free(h);
}

static void
a_replaced_authority_counts_for_the_next_stream(void **state UNUSED)
{
	struct tmpfiles files;
	struct cert ca, other_ca, server;
	struct httpd_tls tls = { .cert = &server };
	struct kube_config cfg = { 0 };
	struct httpd *h;
	struct kube_mux *m;
	struct seen s;

	tmpfiles_init(&files);
	cert_authority(&ca, "ca one");
	cert_authority(&other_ca, "ca two");
	cert_issue(&server, &ca, "IP:127.0.0.1", -60);
	tmpfiles_write(&files, "ca.crt", ca.pem);
	h = httpd_new(stream_server, NULL, &tls);
	cfg.server = (char *)httpd_url(h);
	cfg.ca_file = (char *)tmpfiles_path(&files, "ca.crt");
	m = kube_mux_new(&cfg, NULL);
	for (int i = 0; i < 3; i++) {
		/* ours, another, ours again */
		tmpfiles_swap(&files, "ca.crt", i == 1 ? other_ca.pem : ca.pem);
		seen_init(&s, m, "/json");
		start_stream(&s, 0, 0);
		poll_until_done(&s);
		assert_int_equal(s.err.code, i == 1 ? ERR_TRANSPORT : ERR_NONE);
		buf_release(&s.body);
	}
	kube_mux_free(m);
	httpd_free(h);
	cert_release(&ca);
	cert_release(&other_ca);
	cert_release(&server);
	tmpfiles_release(&files);
}

/* ---- many ---- */

#define MANY 600

/* All streams stay open until the last one has come. */
struct gate {
	struct mutex mu;
	struct cond all_here;
	unsigned here; /* guarded by mu */
};

static void
gated(void *ctx, struct httpd_conn *c, const struct httpd_request *req UNUSED)
{
	struct gate *g = ctx;

	httpd_puts(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	httpd_chunk(c, "one\n", 4);
	mutex_lock(&g->mu);
	if (++g->here == MANY)
		cond_broadcast(&g->all_here);
	while (g->here < MANY)
		cond_wait(&g->all_here, &g->mu);
	mutex_unlock(&g->mu);
	httpd_chunk(c, "two\n", 4);
	httpd_puts(c, "0\r\n\r\n");
}

static void
six_hundred_streams_are_open_at_once(void **state UNUSED)
{
	static struct seen streams[MANY];
	struct gate g = { .here = 0 };
	struct rlimit files;
	struct httpd *h;
	struct kube_config cfg = { 0 };
	struct kube_mux *m;
	uint64_t end = clock_mono_ms(&clock_system) + 6 * PATIENCE_MS;
	unsigned open = MANY;

	/* Both ends are in this process. */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = files.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	assert_true(files.rlim_cur >= 2 * MANY + 50);
	mutex_init(&g.mu);
	cond_init(&g.all_here);
	h = httpd_new(gated, &g, NULL);
	cfg.server = (char *)httpd_url(h);
	m = kube_mux_new(&cfg, NULL);
	for (int i = 0; i < MANY; i++) {
		seen_init(&streams[i], m, "/watch");
		streams[i].open = &open;
		start_stream(&streams[i], 0, 0);
	}
	while (open > 0 && clock_mono_ms(&clock_system) < end)
		m->poll(m->ctx, 100);
	assert_int_equal(open, 0);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(streams[i].err.code, ERR_NONE);
		assert_string_equal(buf_str(&streams[i].body), "one\ntwo\n");
		buf_release(&streams[i].body);
	}
	assert_int_equal(httpd_connections(h), MANY);
	kube_mux_free(m);
	httpd_free(h);
	cond_destroy(&g.all_here);
	mutex_destroy(&g.mu);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(streams_end_as_their_bodies_do),
		TEST(a_head_that_is_cut_off_never_begins),
		TEST(a_silent_stream_is_dropped_after_its_idle_time),
		TEST(a_total_time_ends_a_lively_stream),
		TEST(a_reader_that_wants_no_more_ends_its_stream),
		TEST(cancelled_streams_are_not_heard_of_again),
		TEST(a_cancelled_stream_gives_up_its_connection),
		TEST(done_may_start_a_stream_and_cancel_another),
		TEST(open_streams_are_dropped_with_the_mux),
		TEST(wakeup_ends_the_wait_of_poll),
		TEST(nobody_listening_ends_the_stream),
		cmocka_unit_test(
		    a_401_reads_the_token_again_and_tries_once_more),
		cmocka_unit_test(
		    a_replaced_authority_counts_for_the_next_stream),
		cmocka_unit_test(six_hundred_streams_are_open_at_once),
	};

	return cmocka_run_group_tests_name("mux", tests, NULL, NULL);
}
