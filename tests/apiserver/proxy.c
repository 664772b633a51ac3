/*
 * Passing requests on: one connection each, whole answers only.
 */
#include "proxy.h"

#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "status.h"

#define MAX_ANSWER (16 * 1024 * 1024)
#define SEG_PROXY  5 /* api v1 namespaces NS services NAME */

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static char *target;

void
proxy_set_target(const char *addr)
{
	pthread_mutex_lock(&mu);
	free(target);
	target = addr == NULL ? NULL : util_strdup(addr);
	pthread_mutex_unlock(&mu);
}

static char *
get_target(void)
{
	char *out;

	pthread_mutex_lock(&mu);
	out = target == NULL ? NULL : util_strdup(target);
	pthread_mutex_unlock(&mu);
	return out;
}

static json_t *
no_service(const char *name)
{
	char *msg = util_format("services \"%s\" not found", name);
	json_t *s = status_new(404, "NotFound", msg,
	    json_pack("{s:s, s:s}", "name", name, "kind", "services"));

	free(msg);
	return s;
}

static json_t *
service(const struct call *c)
{
	return json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:[{s:s, s:s, s:i, "
			 "s:s}], s:s}, s:{s:{}}}",
	    "kind", "Service", "apiVersion", "v1", "metadata", "name", c->name,
	    "namespace", c->ns, "spec", "ports", "name", "http", "protocol",
	    "TCP", "port", 8080, "targetPort", "http", "type", "ClusterIP",
	    "status", "loadBalancer");
}

static int
dial(const char *addr)
{
	const char *colon = strrchr(addr, ':');
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	char *host;
	int fd = -1;

	if (colon == NULL)
		return -1;
	host = util_strndup(addr, (size_t)(colon - addr));
	if (getaddrinfo(host, colon + 1, &hints, &list) == 0 && list != NULL) {
		fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd >= 0 &&
		    connect(fd, list->ai_addr, list->ai_addrlen) < 0) {
			close(fd);
			fd = -1;
		}
		freeaddrinfo(list);
	}
	free(host);
	return fd;
}

static void
add_header(struct sbuf *out, const struct call *c, const char *name)
{
	const char *v = http_header(c->req, name);

	if (v != NULL)
		sbuf_addf(out, "%s: %s\r\n", name, v);
}

/* The caller's credentials stay here, as on the real server. */
static void
build_request(const struct call *c, const char *addr, struct sbuf *out)
{
	sbuf_addf(out, "%s ", c->req->method);
	for (size_t i = SEG_PROXY + 2; i < c->req->nseg; i++)
		sbuf_addf(out, "/%s", c->req->seg[i]);
	if (c->req->nseg <= SEG_PROXY + 2)
		sbuf_adds(out, "/");
	if (*c->req->query != '\0')
		sbuf_addf(out, "?%s", c->req->query);
	sbuf_addf(out, " HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", addr);
	sbuf_adds(out, "X-Forwarded-For: 127.0.0.1\r\n");
	add_header(out, c, "Accept");
	add_header(out, c, "Content-Type");
	add_header(out, c, "User-Agent");
	sbuf_addf(out, "Content-Length: %zu\r\n\r\n", c->req->body_len);
	sbuf_add(out, c->req->body, c->req->body_len);
}

static int
exchange(int fd, const struct sbuf *out, struct sbuf *in)
{
	size_t sent = 0;

	while (sent < out->len) {
		ssize_t n =
		    send(fd, out->data + sent, out->len - sent, MSG_NOSIGNAL);

		if (n <= 0)
			return -1;
		sent += (size_t)n;
	}
	for (;;) {
		char buf[8192];
		ssize_t n = recv(fd, buf, sizeof(buf), 0);

		if (n < 0 || in->len > MAX_ANSWER)
			return -1;
		if (n == 0)
			return in->len > 0 ? 0 : -1;
		sbuf_add(in, buf, (size_t)n);
	}
}

static char *
header_value(const char *head, const char *name)
{
	const char *p = strcasestr(head, name);

	if (p == NULL)
		return NULL;
	p += strlen(name);
	while (*p == ' ')
		p++;
	return util_strndup(p, strcspn(p, "\r\n"));
}

static int
take_answer(struct call *c, const struct sbuf *in)
{
	const char *end = memmem(in->data, in->len, "\r\n\r\n", 4);
	char *head, *type;

	if (end == NULL || in->len < 12)
		return -1;
	head = util_strndup(in->data, (size_t)(end - in->data));
	type = header_value(head, "\r\nContent-Type:");
	c->code = (int)strtol(head + 9, NULL, 10);
	c->type = "text/plain";
	if (type != NULL)
		c->headers = json_pack("{s:s}", "Content-Type", type);
	if (type != NULL)
		c->type = NULL;
	free(c->body);
	c->body = util_strdup(end + 4);
	free(type);
	free(head);
	return 0;
}

static void
forward(struct call *c, const char *addr)
{
	struct sbuf out = { 0 }, in = { 0 };
	int fd = dial(addr);

	build_request(c, addr, &out);
	if (fd < 0 || exchange(fd, &out, &in) < 0 || take_answer(c, &in) < 0)
		call_fail(c,
		    status_new(503, "ServiceUnavailable",
			"error trying to reach service", NULL));
	if (fd >= 0)
		close(fd);
	sbuf_release(&out);
	sbuf_release(&in);
}

void
proxy_handle(struct call *c)
{
	char *addr = get_target();

	if (addr == NULL)
		call_fail(c, no_service(c->name));
	else if (*c->sub != '\0')
		forward(c, addr);
	else
		call_reply(c, 200, service(c));
	free(addr);
}
