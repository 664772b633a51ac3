/*
 * Requests to one path over kept-alive connections, each with one request
 * under way, from one thread; and two servers that do nothing, to learn what
 * this client and this machine reach at best.
 *
 *	bench_http get ADDRESS PORT PATH CONNECTIONS SECONDS
 *		prints answers per second
 *	bench_http epoll PORT BYTES THREADS
 *	bench_http microhttpd PORT BYTES THREADS
 *		answer everything on 127.0.0.1 with so many bytes, until killed
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/thread.h"
#include "tool.h"

#define EVENTS	   64
#define ANSWER_MAX 16384

/* ---- the client ---- */

struct link {
	int fd;
	size_t have;
	char in[ANSWER_MAX];
};

struct client {
	char request[512];
	size_t len;
	int epoll;
	struct link *links;
	unsigned long answers;
};

static struct sockaddr_in
address_of(const char *host, const char *port)
{
	struct sockaddr_in sa = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)tool_number(port)),
	};

	if (inet_pton(AF_INET, host, &sa.sin_addr) != 1)
		tool_die("not an address: %s", host);
	return sa;
}

static void
set_nodelay(int fd)
{
	int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void
send_request(const struct client *c, const struct link *l)
{
	if (send(l->fd, c->request, c->len, MSG_NOSIGNAL) != (ssize_t)c->len)
		tool_die("the server takes no request");
}

/* The length of a whole answer, 0: not all of it is there. */
static size_t
whole_answer(struct link *l)
{
	char *body, *len;
	size_t n;

	l->in[l->have] = '\0';
	body = strstr(l->in, "\r\n\r\n");
	if (body == NULL)
		return 0;
	len = strcasestr(l->in, "content-length:");
	if (strncmp(l->in, "HTTP/1.1 200", 12) != 0 || len == NULL)
		tool_die("an answer that is not 200 with a length");
	n = (size_t)(body + 4 - l->in) + strtoul(len + 15, NULL, 10);
	if (n >= ANSWER_MAX)
		tool_die("an answer of %zu bytes", n);
	return l->have >= n ? n : 0;
}

static void
receive(struct client *c, struct link *l)
{
	ssize_t n = recv(l->fd, l->in + l->have, ANSWER_MAX - 1 - l->have, 0);

	if (n <= 0)
		tool_die("the server closed a connection");
	l->have += (size_t)n;
	if (whole_answer(l) == 0)
		return;
	l->have = 0;
	c->answers++;
	send_request(c, l);
}

static void
connect_all(struct client *c, const struct sockaddr_in *sa, unsigned n)
{
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	c->links = xcalloc(n, sizeof(*c->links));
	for (unsigned i = 0; i < n; i++) {
		struct link *l = &c->links[i];
		struct epoll_event ev = { .events = EPOLLIN, .data.ptr = l };

		l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(l->fd, (const struct sockaddr *)sa, sizeof(*sa)) <
		    0)
			tool_die("cannot connect");
		set_nodelay(l->fd);
		(void)epoll_ctl(c->epoll, EPOLL_CTL_ADD, l->fd, &ev);
		send_request(c, l);
	}
}

static double
run_client(struct client *c, double seconds)
{
	struct epoll_event ev[EVENTS];
	double start = tool_now(), now = start;

	while (now - start < seconds) {
		int n = epoll_wait(c->epoll, ev, EVENTS, 1000);

		for (int i = 0; i < n; i++)
			receive(c, ev[i].data.ptr);
		now = tool_now();
	}
	return (double)c->answers / (now - start);
}

static int
get(char **arg)
{
	struct sockaddr_in sa = address_of(arg[0], arg[1]);
	struct client c = { .answers = 0 };

	c.len = (size_t)snprintf(c.request, sizeof(c.request),
	    "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", arg[2], arg[0]);
	if (c.len >= sizeof(c.request))
		tool_die("the path is too long");
	connect_all(&c, &sa, (unsigned)tool_number(arg[3]));
	/* Warm up, then count. */
	(void)run_client(&c, 0.3);
	c.answers = 0;
	(void)printf("%.0f\n", run_client(&c, (double)tool_number(arg[4])));
	return 0;
}

/* ---- the bare epoll server ---- */

struct server {
	struct sockaddr_in sa;
	char answer[ANSWER_MAX];
	size_t len;
};

static int
listen_at(const struct sockaddr_in *sa)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)sa, sizeof(*sa)) < 0 ||
	    listen(fd, 64) < 0)
		tool_die("cannot listen");
	return fd;
}

static void
accept_one(int epoll, int listener)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	set_nodelay(fd);
	ev.data.fd = fd;
	(void)epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev);
}

/* Each of the client's requests comes in one piece. */
static void *
serve(void *arg)
{
	const struct server *s = arg;
	int epoll = epoll_create1(EPOLL_CLOEXEC), listener = listen_at(&s->sa);
	struct epoll_event ev[EVENTS] = { { .events = EPOLLIN,
	    .data.fd = listener } };
	char in[4096];

	(void)epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &ev[0]);
	for (;;) {
		int n = epoll_wait(epoll, ev, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			int fd = ev[i].data.fd;

			if (fd == listener)
				accept_one(epoll, listener);
			else if (recv(fd, in, sizeof(in), 0) <= 0)
				(void)close(fd);
			else
				(void)!send(
				    fd, s->answer, s->len, MSG_NOSIGNAL);
		}
	}
	return NULL;
}

static int
serve_epoll(char **arg)
{
	struct server s = { .sa = address_of("127.0.0.1", arg[0]) };
	unsigned long bytes = tool_number(arg[1]);
	unsigned n = (unsigned)tool_number(arg[2]);
	struct thread *t = xcalloc(n, sizeof(*t));

	s.len = (size_t)snprintf(s.answer, sizeof(s.answer),
	    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
	    "Content-Length: %lu\r\n\r\n",
	    bytes);
	if (s.len + bytes > sizeof(s.answer))
		tool_die("too many bytes");
	memset(s.answer + s.len, 'x', bytes);
	s.len += bytes;
	for (unsigned i = 0; i < n; i++)
		thread_start(&t[i], "server", serve, &s);
	thread_join(&t[0]);
	return 0;
}

/* ---- libmicrohttpd with one ready answer ---- */

static enum MHD_Result
answer_all(void *cls, struct MHD_Connection *mc, const char *path UNUSED,
    const char *method UNUSED, const char *version UNUSED,
    const char *data UNUSED, size_t *len UNUSED, void **context)
{
	static int seen;

	if (*context == NULL) {
		*context = &seen;
		return MHD_YES;
	}
	return MHD_queue_response(mc, MHD_HTTP_OK, cls);
}

static int
serve_microhttpd(char **arg)
{
	struct sockaddr_in sa = address_of("127.0.0.1", arg[0]);
	size_t bytes = tool_number(arg[1]);
	unsigned n = (unsigned)tool_number(arg[2]);
	char *body = xmalloc(bytes);
	struct MHD_Response *resp;

	memset(body, 'x', bytes);
	resp = MHD_create_response_from_buffer(
	    bytes, body, MHD_RESPMEM_PERSISTENT);
	if (resp == NULL ||
	    MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL,
		answer_all, resp, MHD_OPTION_SOCK_ADDR, &sa,
		MHD_OPTION_THREAD_POOL_SIZE, n > 1 ? n : 0,
		MHD_OPTION_END) == NULL)
		tool_die("libmicrohttpd does not start");
	for (;;)
		(void)pause();
}

int
main(int argc, char *argv[])
{
	if (argc == 7 && strcmp(argv[1], "get") == 0)
		return get(argv + 2);
	if (argc == 5 && strcmp(argv[1], "epoll") == 0)
		return serve_epoll(argv + 2);
	if (argc == 5 && strcmp(argv[1], "microhttpd") == 0)
		return serve_microhttpd(argv + 2);
	(void)fprintf(stderr,
	    "usage: bench_http get ADDRESS PORT PATH CONNECTIONS SECONDS\n"
	    "       bench_http epoll|microhttpd PORT BYTES THREADS\n");
	return 2;
}
