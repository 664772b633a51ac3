/*
 * Tests of controller/kube/transport.c against servers on loopback addresses;
 * test_transport_tls.c has those with TLS.
 * layer: kube
 */
#include "transportrig.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "metrics/metrics.h"
#include "tmpfiles.h"

/* ---- what is sent ---- */

/* Answers with the request as it came. */
static void
echo(void *ctx UNUSED, struct httpd_conn *c, const struct httpd_request *req)
{
	char *text = xasprintf("%s\n--\n%s", req->head, req->body);

	httpd_reply(c, 200, "text/plain", "", text);
	mem_free_wiped(text);
}

static void
a_get_sends_what_it_should_and_nothing_else(void **state UNUSED)
{
	struct httpd *h = httpd_new(echo, NULL, NULL);
	struct kube_config cfg = config_of(h);
	AUTO_RELEASE(kube_response) struct kube_response resp = { 0 };
	struct err err = ERR_INIT;
	AUTO_STR char *want = NULL;

	cfg.token = kube_token_fixed("t0k");
	assert_int_equal(get_once(&cfg, "/api/v1/x?a=b%2Fc", &resp, &err), 0);
	want = xasprintf("GET /api/v1/x?a=b%%2Fc HTTP/1.1\r\n"
			 "Host: 127.0.0.1:%d\r\n"
			 "User-Agent: " AGENT "\r\n"
			 "Accept: application/json\r\n"
			 "Authorization: Bearer t0k\r\n\r\n--\n",
	    httpd_port(h));
	assert_string_equal(buf_str(&resp.body), want);
	assert_int_equal(resp.status, 200);
	assert_false(resp.json);
	kube_token_free(cfg.token);
	httpd_free(h);
}

static void
bodies_go_out_whole_with_their_method_and_type(void **state UNUSED)
{
	static const char *const methods[] = { "POST", "PUT", "PATCH",
		"DELETE" };
	struct httpd *h = httpd_new(echo, NULL, NULL);
	struct kube_config cfg = config_of(h);
	AUTO(kube_transport)
	struct kube_transport *t = kube_transport_new(&cfg, NULL, NULL);
	size_t len = 100000; /* large enough for "100 Continue" */
	AUTO_STR char *body = xmalloc(len + 1);

	memset(body, 'b', len);
	body[len] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		AUTO_RELEASE(kube_response) struct kube_response resp = { 0 };
		struct err err = ERR_INIT;
		struct kube_request req = {
			.method = methods[i],
			.path = "/x",
			.body = body,
			.body_len = len,
			.content_type = i == 2 ? "application/foo" : NULL,
		};
		const char *text;

		assert_int_equal(t->perform(t->ctx, &req, &resp, &err), 0);
		text = buf_str(&resp.body);
		assert_int_equal(
		    strncmp(text, methods[i], strlen(methods[i])), 0);
		assert_non_null(strstr(text, "Content-Length: 100000\r\n"));
		assert_non_null(strstr(text,
		    i == 2 ? "Content-Type: application/foo\r\n"
			   : "Content-Type: application/json\r\n"));
		assert_null(strstr(text, "Expect"));
		assert_string_equal(strstr(text, "--\n") + 3, body);
	}
	/* All over one connection; a GET behind them has no body. */
	{
		AUTO_RELEASE(kube_response) struct kube_response resp = { 0 };
		struct err err = ERR_INIT;
		struct kube_request req = { .method = "GET", .path = "/y" };

		assert_int_equal(t->perform(t->ctx, &req, &resp, &err), 0);
		assert_int_equal(strncmp(buf_str(&resp.body), "GET /y ", 7), 0);
		assert_null(strstr(buf_str(&resp.body), "Content-"));
	}
	assert_int_equal(httpd_connections(h), 1);
	httpd_free(h);
}

static void
proxies_of_the_environment_are_not_asked(void **state UNUSED)
{
	struct httpd *h = httpd_new(echo, NULL, NULL);
	struct kube_config cfg = config_of(h);
	AUTO_RELEASE(kube_response) struct kube_response resp = { 0 };
	struct err err = ERR_INIT;

	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	assert_int_equal(get_once(&cfg, "/x", &resp, &err), 0);
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	httpd_free(h);
}

static void
dots_in_a_path_stay_where_they_are(void **state UNUSED)
{
	struct httpd *h = httpd_new(echo, NULL, NULL);
	struct kube_config cfg = config_of(h);
	AUTO_RELEASE(kube_response) struct kube_response resp = { 0 };
	struct err err = ERR_INIT;

	assert_int_equal(get_once(&cfg, "/a/%2E%2E/b", &resp, &err), 0);
	assert_int_equal(
	    strncmp(buf_str(&resp.body), "GET /a/%2E%2E/b ", 16), 0);
	httpd_free(h);
}

/* Our end of the connection to this server. */
static int
client_socket(const struct httpd *h)
{
	for (int fd = 3; fd < 1024; fd++) {
		struct sockaddr_in sa = { 0 };
		socklen_t len = sizeof(sa);

		if (getpeername(fd, (struct sockaddr *)&sa, &len) == 0 &&
		    sa.sin_family == AF_INET &&
		    ntohs(sa.sin_port) == httpd_port(h))
			return fd;
	}
	return -1;
}

static int
option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

static void
a_dead_peer_is_noticed_by_the_kernel(void **state UNUSED)
{
	struct httpd *h = httpd_new(echo, NULL, NULL);
	struct kube_config cfg = config_of(h);
	AUTO(kube_transport)
	struct kube_transport *t = kube_transport_new(&cfg, NULL, NULL);
	struct err err = ERR_INIT;
	int fd;

	assert_int_equal(get_on(t, "/x", &err), 200);
	fd = client_socket(h);
	assert_true(fd >= 0);
	assert_int_equal(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 30);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 10);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 30000);
	httpd_free(h);
}

/* ---- what comes back ---- */

static void
one_by_one(struct httpd_conn *c, const char *s)
{
	for (; *s != '\0'; s++)
		httpd_write(c, s, 1);
}

static void
canned(void *ctx UNUSED, struct httpd_conn *c, const struct httpd_request *req)
{
	if (strcmp(req->path, "/json") == 0)
		httpd_json(c, 200, "{}");
	else if (strcmp(req->path, "/throttled") == 0)
		httpd_reply(c, 429, "text/plain", "Retry-After: 5\r\n", "wait");
	else if (strcmp(req->path, "/redirect") == 0)
		httpd_reply(c, 307, "text/plain",
		    "Location: http://127.0.0.1:1/stolen\r\n", "");
	else if (strcmp(req->path, "/chunked") == 0)
		httpd_puts(c,
		    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n"
		    "2\r\n{\"\r\n3\r\na\":\r\n2\r\n1}\r\n0\r\n\r\n");
	else if (strcmp(req->path, "/bytes") == 0)
		one_by_one(c,
		    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n"
		    "3\r\n{\"\xc3\r\n6\r\n\xa4\":12}\r\n0\r\n\r\n");
	else if (strcmp(req->path, "/gzip") == 0)
		httpd_reply(c, 200, "application/json",
		    "Content-Encoding: gzip\r\n", "not gzip at all");
	else
		httpd_json(c, 404, "{\"kind\":\"Status\"}");
}

static void
answers_of_any_status_are_answers(void **state UNUSED)
{
	static const struct {
		const char *path;
		int status;
		bool json;
		int retry_after;
		const char *body;
	} cases[] = {
		{ "/json", 200, true, -1, "{}" },
		{ "/throttled", 429, false, 5, "wait" },
		{ "/redirect", 307, false, -1, "" },
		{ "/chunked", 200, true, -1, "{\"a\":1}" },
		{ "/bytes", 200, true, -1, "{\"\xc3\xa4\":12}" },
		{ "/gzip", 200, true, -1, "not gzip at all" },
		{ "/none", 404, true, -1, "{\"kind\":\"Status\"}" },
	};
	struct httpd *h = httpd_new(canned, NULL, NULL);
	struct kube_config cfg = config_of(h);
	AUTO(metrics) struct metrics *m = metrics_new("x");
	AUTO(kube_transport)
	struct kube_transport *t = kube_transport_new(&cfg, m, NULL);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RELEASE(kube_response) struct kube_response resp = { 0 };
		struct err err = ERR_INIT;
		struct kube_request req = {
			.method = "GET",
			.path = cases[i].path,
		};

		assert_int_equal(t->perform(t->ctx, &req, &resp, &err), 0);
		assert_int_equal(resp.status, cases[i].status);
		assert_int_equal(resp.json, cases[i].json);
		assert_int_equal(resp.retry_after_s, cases[i].retry_after);
		assert_string_equal(buf_str(&resp.body), cases[i].body);
	}
	assert_true(
	    metrics_value(m, METRIC_API_REQUESTS, "list", "", "200") == 4);
	assert_true(
	    metrics_value(m, METRIC_API_REQUESTS, "list", "", "307") == 1);
	assert_int_equal(httpd_connections(h), 1);
	httpd_free(h);
}

/* ---- faults ---- */

static void
faulty(void *ctx UNUSED, struct httpd_conn *c, const struct httpd_request *req)
{
	static char big[200000];
	int i;

	if (strcmp(req->path, "/close") == 0) {
		httpd_close(c);
	} else if (strcmp(req->path, "/reset") == 0) {
		httpd_reset(c);
	} else if (strcmp(req->path, "/half-head") == 0) {
		httpd_puts(c, "HTTP/1.1 200 OK\r\nContent-Le");
		httpd_close(c);
	} else if (strcmp(req->path, "/half-body") == 0) {
		httpd_puts(
		    c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"a");
		httpd_close(c);
	} else if (strcmp(req->path, "/half-chunk") == 0) {
		httpd_puts(c,
		    "HTTP/1.1 200 OK\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"");
		httpd_close(c);
	} else if (strcmp(req->path, "/no-last-chunk") == 0) {
		httpd_puts(c,
		    "HTTP/1.1 200 OK\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n"
		    "2\r\n{}\r\n");
		httpd_close(c);
	} else if (strcmp(req->path, "/nonsense") == 0) {
		httpd_puts(c, "SSH-2.0-OpenSSH\r\n\r\n");
		httpd_close(c);
	} else if (strcmp(req->path, "/head") == 0) {
		memset(big, 'x', 1000);
		httpd_puts(c, "HTTP/1.1 200 OK\r\n");
		for (i = 0; i < 200; i++) {
			httpd_puts(c, "X-Pad: ");
			httpd_write(c, big, 1000);
			httpd_puts(c, "\r\n");
		}
		httpd_puts(c, "Content-Length: 0\r\n\r\n");
	} else if (strcmp(req->path, "/big") == 0) {
		memset(big, 'y', sizeof(big));
		httpd_puts(c,
		    "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n"
		    "\r\n");
		httpd_write(c, big, sizeof(big));
	} else {
		httpd_wait(c); /* never answers */
	}
}

static void
faults_have_codes_and_never_give_half_an_answer(void **state UNUSED)
{
	static const struct {
		const char *path;
		enum err_code want;
	} cases[] = {
		{ "/close", ERR_TRANSPORT },
		{ "/reset", ERR_TRANSPORT },
		{ "/half-head", ERR_TRANSPORT },
		{ "/half-body", ERR_TRANSPORT },
		{ "/half-chunk", ERR_TRANSPORT },
		{ "/no-last-chunk", ERR_TRANSPORT },
		{ "/nonsense", ERR_TRANSPORT },
		{ "/head", ERR_TOOBIG },
		{ "/big", ERR_TOOBIG },
		{ "/silence", ERR_TIMEOUT },
	};
	struct httpd *h = httpd_new(faulty, NULL, NULL);
	struct kube_config cfg = config_of(h);
	AUTO(kube_transport)
	struct kube_transport *t = kube_transport_new(&cfg, NULL, NULL);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RELEASE(kube_response) struct kube_response resp = { 0 };
		struct err err = ERR_INIT;
		struct kube_request req = {
			.method = "GET",
			.path = cases[i].path,
			.max_body = 100000,
			.timeout_ms = i == ARRAY_SIZE(cases) - 1 ? 50 : 0,
		};

		assert_int_equal(t->perform(t->ctx, &req, &resp, &err), -1);
		assert_int_equal(err.code, cases[i].want);
		assert_int_equal(resp.body.len, 0);
		assert_true(err.msg[0] != '\0');
	}
	httpd_free(h);
}

static void
nobody_listening_is_a_transport_error(void **state UNUSED)
{
	struct httpd *h = httpd_new(echo, NULL, NULL);
	AUTO_STR char *url = xstrdup(httpd_url(h));
	struct kube_config cfg = { .server = url };
	AUTO_RELEASE(kube_response) struct kube_response resp = { 0 };
	struct err err = ERR_INIT;

	httpd_free(h);
	assert_int_equal(get_once(&cfg, "/x?continue=token", &resp, &err), -1);
	assert_int_equal(err.code, ERR_TRANSPORT);
	assert_non_null(strstr(err.msg, "GET /x"));
	assert_null(strstr(err.msg, "token"));
}

/* Closes each connection behind its first answer without saying so. */
static void
one_answer_each(void *ctx UNUSED, struct httpd_conn *c,
    const struct httpd_request *req UNUSED)
{
	httpd_json(c, 200, "{}");
	httpd_close(c);
}

static void
a_kept_connection_that_died_is_replaced(void **state UNUSED)
{
	struct httpd *h = httpd_new(one_answer_each, NULL, NULL);
	struct kube_config cfg = config_of(h);
	AUTO(kube_transport)
	struct kube_transport *t = kube_transport_new(&cfg, NULL, NULL);
	struct err err = ERR_INIT;

	for (int i = 0; i < 5; i++)
		assert_int_equal(get_on(t, "/x", &err), 200);
	assert_int_equal(httpd_connections(h), 5);
	httpd_free(h);
}

/* ---- streaming ---- */

struct sunk {
	struct buf got;
	unsigned pieces, stop_after;
};

static bool
sink(void *ctx, const char *p, size_t len)
{
	struct sunk *s = ctx;
	struct err err = ERR_INIT;

	assert_int_equal(buf_append(&s->got, p, len, &err), 0);
	return ++s->pieces != s->stop_after;
}

static void
a_sink_gets_good_answers_only(void **state UNUSED)
{
	struct httpd *h = httpd_new(canned, NULL, NULL);
	struct kube_config cfg = config_of(h);
	AUTO(kube_transport)
	struct kube_transport *t = kube_transport_new(&cfg, NULL, NULL);
	struct sunk s = { .got = BUF_INIT(1000) };
	AUTO_RELEASE(kube_response) struct kube_response ok = { 0 };
	AUTO_RELEASE(kube_response) struct kube_response bad = { 0 };
	struct err err = ERR_INIT;
	struct kube_request req = {
		.method = "GET",
		.path = "/chunked",
		.sink = sink,
		.sink_ctx = &s,
	};

	assert_int_equal(t->perform(t->ctx, &req, &ok, &err), 0);
	assert_string_equal(buf_str(&s.got), "{\"a\":1}");
	assert_int_equal(ok.body.len, 0);
	req.path = "/none";
	assert_int_equal(t->perform(t->ctx, &req, &bad, &err), 0);
	assert_string_equal(buf_str(&bad.body), "{\"kind\":\"Status\"}");
	assert_string_equal(buf_str(&s.got), "{\"a\":1}");
	buf_release(&s.got);
	httpd_free(h);
}

static void
a_sink_is_not_bounded_by_the_buffer_and_can_end_the_request(void **state UNUSED)
{
	struct httpd *h = httpd_new(faulty, NULL, NULL);
	struct kube_config cfg = config_of(h);
	AUTO(kube_transport)
	struct kube_transport *t = kube_transport_new(&cfg, NULL, NULL);
	struct sunk all = { .got = BUF_INIT(1 << 20) };
	struct sunk some = { .got = BUF_INIT(1 << 20), .stop_after = 1 };
	AUTO_RELEASE(kube_response) struct kube_response resp = { 0 };
	struct err err = ERR_INIT;
	struct kube_request req = {
		.method = "GET",
		.path = "/big",
		.max_body = 10,
		.sink = sink,
		.sink_ctx = &all,
	};

	assert_int_equal(t->perform(t->ctx, &req, &resp, &err), 0);
	assert_int_equal(all.got.len, 200000);
	req.sink_ctx = &some;
	assert_int_equal(t->perform(t->ctx, &req, &resp, &err), -1);
	assert_int_equal(err.code, ERR_CANCELLED);
	assert_int_equal(some.pieces, 1);
	buf_release(&all.got);
	buf_release(&some.got);
	httpd_free(h);
}

/* ---- tokens ---- */

/* Accepts "good" only. */
static void
guarded(void *ctx UNUSED, struct httpd_conn *c, const struct httpd_request *req)
{
	char auth[64] = "";

	(void)httpd_header(req, "Authorization", auth, sizeof(auth));
	if (strcmp(auth, "Bearer good") == 0)
		httpd_json(c, 200, "{\"in\":true}");
	else
		httpd_json(c, 401, "{\"kind\":\"Status\"}");
}

static void
a_401_reads_the_token_again_and_tries_once_more(void **state UNUSED)
{
	struct tmpfiles files;
	struct httpd *h = httpd_new(guarded, NULL, NULL);
	struct kube_config cfg = config_of(h);
	struct kube_transport *t;
	struct err err = ERR_INIT;

	tmpfiles_init(&files);
	tmpfiles_write(&files, "token", "good");
	cfg.token = kube_token_file(tmpfiles_path(&files, "token"), NULL);
	t = kube_transport_new(&cfg, NULL, NULL);
	assert_int_equal(get_on(t, "/x", &err), 200);
	assert_int_equal(httpd_requests(h), 1);

	/* The kubelet wrote a new one that we have not read yet. */
	kube_token_free(cfg.token);
	tmpfiles_write(&files, "token", "old");
	cfg.token = kube_token_file(tmpfiles_path(&files, "token"), NULL);
	secret_free(kube_token_get(cfg.token, &err));
	tmpfiles_swap(&files, "token", "good");
	assert_int_equal(get_on(t, "/x", &err), 200);
	assert_int_equal(httpd_requests(h), 3);

	/* A token that stays bad is tried twice, and read again next time. */
	tmpfiles_swap(&files, "token", "bad");
	kube_token_invalidate(cfg.token);
	assert_int_equal(get_on(t, "/x", &err), 401);
	assert_int_equal(httpd_requests(h), 5);
	tmpfiles_swap(&files, "token", "good");
	assert_int_equal(get_on(t, "/x", &err), 200);
	assert_int_equal(httpd_requests(h), 6);
	kube_transport_free(t);
	kube_token_free(cfg.token);
	tmpfiles_release(&files);
	httpd_free(h);
}

static void
a_missing_token_file_does_not_look_like_a_missing_object(void **state UNUSED)
{
	struct httpd *h = httpd_new(guarded, NULL, NULL);
	struct kube_config cfg = config_of(h);
	AUTO_RELEASE(kube_response) struct kube_response resp = { 0 };
	struct err err = ERR_INIT;

	cfg.token = kube_token_file("/nonexistent/token", NULL);
	assert_int_equal(get_once(&cfg, "/x", &resp, &err), -1);
	assert_int_equal(err.code, ERR_TRANSPORT);
	assert_int_equal(httpd_requests(h), 0);
	kube_token_free(cfg.token);
	httpd_free(h);
}

/* The canary, never in clear in this process but where the code under test
 * puts it. */
#define MASK 0x5a
static const unsigned char masked[] = { 'c' ^ MASK, 'A' ^ MASK, 'n' ^ MASK,
	'4' ^ MASK, 'r' ^ MASK, 'Y' ^ MASK, '-' ^ MASK, 't' ^ MASK, '0' ^ MASK,
	'K' ^ MASK, 'e' ^ MASK, 'N' ^ MASK, '.' ^ MASK, 'q' ^ MASK, '7' ^ MASK,
	'Z' ^ MASK };

static void
write_canary(const char *path)
{
	char text[sizeof(masked)];
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	for (size_t i = 0; i < sizeof(masked); i++)
		text[i] = (char)(masked[i] ^ MASK);
	assert_int_equal(write(fd, text, sizeof(text)), sizeof(text));
	mem_wipe(text, sizeof(text));
	close(fd);
}

static unsigned
count_canaries(const unsigned char *p, size_t len)
{
	unsigned n = 0;

	for (size_t i = 0; i + sizeof(masked) <= len; i++) {
		size_t j = 0;

		while (j < sizeof(masked) && (p[i + j] ^ MASK) == masked[j])
			j++;
		n += j == sizeof(masked);
	}
	return n;
}

/* Larger mappings are a sanitizer's own. */
#define SCAN_MAX (256ul << 20)

/* Copies of the canary in the writable memory of this process. */
static unsigned
scan_memory(void)
{
	static unsigned char page[1 << 16];
	FILE *maps = fopen("/proc/self/maps", "re");
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	char line[512], perms[8];
	unsigned long from, to;
	unsigned n = 0;

	assert_non_null(maps);
	assert_true(mem >= 0);
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, perms) != 3 ||
		    strncmp(perms, "rw", 2) != 0 || to - from > SCAN_MAX)
			continue;
		for (; from < to; from += sizeof(page) - sizeof(masked)) {
			size_t len =
			    to - from < sizeof(page) ? to - from : sizeof(page);
			ssize_t got = pread(mem, page, len, (off_t)from);

			if (from >= (uintptr_t)page + sizeof(page) ||
			    from + len <= (uintptr_t)page)
				n += count_canaries(
				    page, got > 0 ? (size_t)got : 0);
			mem_wipe(page, sizeof(page));
			if (len < sizeof(page))
				break;
		}
	}
	(void)fclose(maps);
	close(mem);
	return n;
}

/* In a process of its own, whose memory is not ours. */
static pid_t
serve_elsewhere(char *url, size_t size, int *release)
{
	int out[2], in[2];
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(out), 0);
	assert_int_equal(pipe(in), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct httpd *h = httpd_new(canned, NULL, NULL);
		const char *text = httpd_url(h);
		char c;

		close(in[1]);
		(void)!write(out[1], text, strlen(text));
		(void)!read(in[0], &c, 1);
		httpd_free(h);
		_exit(0);
	}
	close(out[1]);
	close(in[0]);
	n = read(out[0], url, size - 1);
	assert_true(n > 0);
	url[n] = '\0';
	close(out[0]);
	*release = in[1];
	return pid;
}

static void
a_request_leaves_no_copy_of_the_token(void **state UNUSED)
{
	struct tmpfiles files;
	struct kube_config cfg = { 0 };
	AUTO(secret) struct secret *held = NULL;
	struct kube_transport *t;
	struct err err = ERR_INIT;
	char url[64];
	int release;
	pid_t pid = serve_elsewhere(url, sizeof(url), &release);

	tmpfiles_init(&files);
	write_canary(tmpfiles_path(&files, "token"));
	cfg.server = url;
	cfg.token = kube_token_file(tmpfiles_path(&files, "token"), NULL);
	t = kube_transport_new(&cfg, NULL, NULL);
	for (int i = 0; i < 3; i++)
		assert_int_equal(get_on(t, "/json", &err), 200);
	/* The scan sees what is there: the token's own copy and this one. */
	held = kube_token_get(cfg.token, &err);
	assert_int_equal(scan_memory(), 2);
	secret_free(STEAL(held));
	assert_int_equal(scan_memory(), 1);
	kube_token_free(cfg.token);
	assert_int_equal(scan_memory(), 0);
	kube_transport_free(t);
	assert_int_equal(scan_memory(), 0);
	close(release);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	tmpfiles_release(&files);
}

/* ---- stopping ---- */

/* A server that never answers and tells when it has the request. */
struct hang {
	struct stop *then; /* requested when the request is there */
	atomic_bool answer;
};

static void
hang(void *ctx, struct httpd_conn *c, const struct httpd_request *req UNUSED)
{
	struct hang *g = ctx;

	stop_request(g->then);
	if (atomic_load(&g->answer))
		httpd_json(c, 200, "{}");
	else
		httpd_wait(c);
}

static int
hung_request(const char *method, struct stop *stop, struct stop *abort_it,
    bool answer, struct err *err)
{
	struct hang g = { .then = stop != NULL ? stop : abort_it };
	struct httpd *h = httpd_new(hang, &g, NULL);
	struct kube_config cfg = config_of(h);
	struct kube_transport *t = kube_transport_new(&cfg, NULL, stop);
	struct kube_response resp = { 0 };
	struct kube_request req = {
		.method = method,
		.path = "/x",
		.body = strcmp(method, "GET") != 0 ? "{}" : NULL,
		.body_len = 2,
		.abort = abort_it,
	};
	int rc;

	atomic_store(&g.answer, answer);
	err_clear(err);
	rc = t->perform(t->ctx, &req, &resp, err);
	kube_response_release(&resp);
	kube_transport_free(t);
	httpd_free(h);
	return rc;
}

static void
a_stop_ends_a_read_at_once(void **state UNUSED)
{
	uint64_t begin = clock_mono_ms(&clock_system);
	struct err err = ERR_INIT;
	struct stop stop;

	stop_init(&stop);
	assert_int_equal(hung_request("GET", &stop, NULL, false, &err), -1);
	assert_int_equal(err.code, ERR_CANCELLED);
	assert_true(clock_mono_ms(&clock_system) - begin < 1000);
	/* And nothing begins afterwards. */
	assert_int_equal(hung_request("GET", &stop, NULL, true, &err), -1);
	assert_int_equal(err.code, ERR_CANCELLED);
	assert_int_equal(hung_request("PUT", &stop, NULL, true, &err), -1);
	assert_int_equal(err.code, ERR_CANCELLED);
	stop_release(&stop);
}

static void
a_write_under_way_is_finished_in_spite_of_a_stop(void **state UNUSED)
{
	struct err err = ERR_INIT;
	struct stop stop;

	stop_init(&stop);
	assert_int_equal(hung_request("PUT", &stop, NULL, true, &err), 0);
	stop_release(&stop);
}

static void
a_write_that_hangs_is_given_up_five_seconds_after_the_stop(void **state UNUSED)
{
	uint64_t begin = clock_mono_ms(&clock_system);
	struct err err = ERR_INIT;
	struct stop stop;
	uint64_t took;

	stop_init(&stop);
	assert_int_equal(hung_request("PUT", &stop, NULL, false, &err), -1);
	took = clock_mono_ms(&clock_system) - begin;
	assert_int_equal(err.code, ERR_TIMEOUT);
	assert_in_range(took, 4900, 8000);
	stop_release(&stop);
}

static void
an_abort_ends_a_write_at_once(void **state UNUSED)
{
	uint64_t begin = clock_mono_ms(&clock_system);
	struct err err = ERR_INIT;
	struct stop abort_it;

	stop_init(&abort_it);
	assert_int_equal(hung_request("PUT", NULL, &abort_it, false, &err), -1);
	assert_int_equal(err.code, ERR_CANCELLED);
	assert_true(clock_mono_ms(&clock_system) - begin < 1000);
	stop_release(&abort_it);
}

/* ---- for clients of other servers ---- */

struct fields {
	char text[256];
};

static void
note_field(void *ctx, const char *name, size_t name_len, const char *value,
    size_t value_len)
{
	struct fields *f = ctx;
	size_t n = strlen(f->text);

	if (name_len > 2 && strncmp(name, "X-", 2) == 0)
		(void)snprintf(f->text + n, sizeof(f->text) - n, "%.*s=%.*s;",
		    (int)name_len, name, (int)value_len, value);
}

static void
reply_with_fields(void *ctx UNUSED, struct httpd_conn *c,
    const struct httpd_request *req UNUSED)
{
	httpd_reply(c, 401, "text/plain",
	    "X-One: a: b \r\nX-Empty:\r\nX-Two:c\r\n", "no");
}

static void
fields_of_the_answer_are_handed_out(void **state UNUSED)
{
	struct httpd *h = httpd_new(reply_with_fields, NULL, NULL);
	struct kube_config cfg = config_of(h);
	AUTO(kube_transport)
	struct kube_transport *t = kube_transport_new(&cfg, NULL, NULL);
	AUTO_RELEASE(kube_response) struct kube_response resp = { 0 };
	struct fields f = { "" };
	struct kube_request req = {
		.method = "GET",
		.path = "/",
		.field = note_field,
		.field_ctx = &f,
	};
	struct err err = ERR_INIT;

	assert_int_equal(t->perform(t->ctx, &req, &resp, &err), 0);
	assert_string_equal(f.text, "X-One=a: b;X-Empty=;X-Two=c;");
	httpd_free(h);
}

static void
a_401_is_not_tried_again_where_the_caller_says_once(void **state UNUSED)
{
	struct httpd *h = httpd_new(reply_with_fields, NULL, NULL);
	struct kube_config cfg = config_of(h);
	AUTO(kube_transport) struct kube_transport *t = NULL;
	AUTO_RELEASE(kube_response) struct kube_response resp = { 0 };
	struct kube_request req = {
		.method = "GET",
		.path = "/",
		.once = true,
	};
	struct err err = ERR_INIT;

	cfg.token = kube_token_fixed("t0k");
	t = kube_transport_new(&cfg, NULL, NULL);
	assert_int_equal(t->perform(t->ctx, &req, &resp, &err), 0);
	assert_int_equal(resp.status, 401);
	assert_int_equal(httpd_requests(h), 1);
	req.once = false;
	kube_response_release(&resp);
	assert_int_equal(t->perform(t->ctx, &req, &resp, &err), 0);
	assert_int_equal(httpd_requests(h), 3);
	kube_token_free(cfg.token);
	httpd_free(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_get_sends_what_it_should_and_nothing_else),
		cmocka_unit_test(
		    bodies_go_out_whole_with_their_method_and_type),
		cmocka_unit_test(proxies_of_the_environment_are_not_asked),
		cmocka_unit_test(dots_in_a_path_stay_where_they_are),
		cmocka_unit_test(a_dead_peer_is_noticed_by_the_kernel),
		cmocka_unit_test(answers_of_any_status_are_answers),
		cmocka_unit_test(
		    faults_have_codes_and_never_give_half_an_answer),
		cmocka_unit_test(nobody_listening_is_a_transport_error),
		cmocka_unit_test(a_kept_connection_that_died_is_replaced),
		cmocka_unit_test(a_sink_gets_good_answers_only),
		cmocka_unit_test(
		    a_sink_is_not_bounded_by_the_buffer_and_can_end_the_request),
		cmocka_unit_test(
		    a_401_reads_the_token_again_and_tries_once_more),
		cmocka_unit_test(
		    a_missing_token_file_does_not_look_like_a_missing_object),
		cmocka_unit_test(a_request_leaves_no_copy_of_the_token),
		cmocka_unit_test(a_stop_ends_a_read_at_once),
		cmocka_unit_test(
		    a_write_under_way_is_finished_in_spite_of_a_stop),
		cmocka_unit_test(
		    a_write_that_hangs_is_given_up_five_seconds_after_the_stop),
		cmocka_unit_test(an_abort_ends_a_write_at_once),
		cmocka_unit_test(fields_of_the_answer_are_handed_out),
		cmocka_unit_test(
		    a_401_is_not_tried_again_where_the_caller_says_once),
	};

	mem_install_hooks();
	return cmocka_run_group_tests_name("transport", tests, NULL, NULL);
}
