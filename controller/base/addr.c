/*
 * Listen addresses: text to socket and back.
 */
#include "base/addr.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT_DIGITS_MAX 5
#define PORT_MAX	65535
#define BACKLOG		SOMAXCONN
#define PORT_TEXT_MAX	8

/* ---- text to address ---- */

static int
parse_port(const char *text, uint16_t *ret, struct err *err)
{
	size_t len = strlen(text);
	unsigned port = 0;

	if (len == 0)
		return err_set(err, ERR_INVALID, "missing port");
	if (len > PORT_DIGITS_MAX || strspn(text, "0123456789") != len)
		return err_set(err, ERR_INVALID, "port is not a number");
	for (; *text != '\0'; text++)
		port = port * 10 + (unsigned)(*text - '0');
	if (port > PORT_MAX)
		return err_set(err, ERR_INVALID, "port over %d", PORT_MAX);
	*ret = (uint16_t)port;
	return 0;
}

/* Names and literals alike; what it means is for getaddrinfo. */
static bool
is_host_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':' ||
	    c == '%' || c == '_';
}

static int
set_host(struct addr *a, const char *p, size_t len, struct err *err)
{
	if (len >= sizeof(a->host))
		return err_set(err, ERR_INVALID, "host is too long");
	for (size_t i = 0; i < len; i++)
		if (!is_host_char(p[i]))
			return err_set(
			    err, ERR_INVALID, "host has a strange character");
	memcpy(a->host, p, len);
	a->host[len] = '\0';
	return 0;
}

int
addr_parse(const char *text, struct addr *ret, struct err *err)
{
	struct addr a = { .port = 0 };
	const char *colon = strrchr(text, ':'), *end;
	int rc;

	if (colon == NULL)
		return err_set(err, ERR_INVALID, "missing port");
	if (text[0] == '[') {
		end = strchr(text, ']');
		if (end == NULL || end == text + 1 || end + 1 != colon)
			return err_set(err, ERR_INVALID, "not [address]:port");
		rc = set_host(&a, text + 1, (size_t)(end - text - 1), err);
	} else if (strchr(text, ':') != colon) {
		return err_set(err, ERR_INVALID,
		    "an IPv6 address needs brackets around it");
	} else {
		rc = set_host(&a, text, (size_t)(colon - text), err);
	}
	if (rc < 0 || parse_port(colon + 1, &a.port, err) < 0)
		return -1;
	*ret = a;
	return 0;
}

/* ---- address to socket ---- */

static int
fail(const char *text, int number, struct err *err)
{
	const char *why = strerrordesc_np(number);

	if (why == NULL || why[0] == '\0')
		why = "Unknown error";
	return err_set(err, ERR_IO, "listen on %s: %c%s", text,
	    why[0] | ('a' - 'A'), why + 1);
}

/* -1 with errno set. */
static int
try_listen(const struct sockaddr *addr, socklen_t len, bool both)
{
	const int on = 1, off = 0;
	int fd, saved;

	fd = socket(
	    addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    (addr->sa_family != AF_INET6 ||
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, both ? &off : &on,
		    sizeof(on)) == 0) &&
	    bind(fd, addr, len) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	saved = errno;
	(void)close(fd);
	errno = saved;
	return -1;
}

static int
listen_everywhere(uint16_t port)
{
	const struct sockaddr_in6 six = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(port),
		.sin6_addr = IN6ADDR_ANY_INIT,
	};
	const struct sockaddr_in four = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_ANY),
	};
	int fd = try_listen((const struct sockaddr *)&six, sizeof(six), true);

	/* Only where the machine has no IPv6, not where the port is taken. */
	if (fd < 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
		fd = try_listen(
		    (const struct sockaddr *)&four, sizeof(four), false);
	return fd;
}

static int
listen_host(const struct addr *a, const char *text, struct err *err)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
	};
	struct addrinfo *list = NULL;
	char port[PORT_TEXT_MAX];
	int fd = -1, rc;

	(void)snprintf(port, sizeof(port), "%u", (unsigned)a->port);
	rc = getaddrinfo(a->host, port, &hints, &list);
	if (rc != 0)
		return err_set(
		    err, ERR_IO, "listen on %s: no such address", text);
	errno = EADDRNOTAVAIL;
	for (const struct addrinfo *i = list; i != NULL && fd < 0;
	     i = i->ai_next)
		fd = try_listen(i->ai_addr, i->ai_addrlen, false);
	if (fd < 0)
		(void)fail(text, errno, err);
	freeaddrinfo(list);
	return fd;
}

int
addr_listen(const char *text, struct err *err)
{
	struct addr a = { .port = 0 };
	int fd;

	if (addr_parse(text, &a, err) < 0)
		return err_wrap(err, "listen on %s", text);
	if (a.host[0] != '\0')
		return listen_host(&a, text, err);
	fd = listen_everywhere(a.port);
	return fd >= 0 ? fd : fail(text, errno, err);
}

void
addr_text(int fd, char out[static ADDR_TEXT_MAX])
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	char host[NI_MAXHOST], port[NI_MAXSERV];
	bool six;

	out[0] = '\0';
	if (getsockname(fd, (struct sockaddr *)&ss, &len) < 0 ||
	    getnameinfo((struct sockaddr *)&ss, len, host, sizeof(host), port,
		sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return;
	six = ss.ss_family == AF_INET6;
	(void)snprintf(out, ADDR_TEXT_MAX, "%s%.*s%s:%.*s", six ? "[" : "",
	    ADDR_HOST_MAX - 8, host, six ? "]" : "", PORT_DIGITS_MAX, port);
}
