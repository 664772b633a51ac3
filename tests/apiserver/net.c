/*
 * Sockets of the API server: listening, TLS by OpenSSL, shaped writes.
 */
#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "util.h"

#define BACKLOG 256

struct conn {
	int fd;
	SSL *ssl;
	bool broken;
	bool cutting;
	bool cut_reset;
	uint64_t cut_left;
	bool slow;
	unsigned slow_us;
};

static int
parse_addr(const char *addr, struct sockaddr_in *sin)
{
	const char *colon = strrchr(addr, ':');
	char host[64];
	uint64_t port;

	if (colon == NULL || (size_t)(colon - addr) >= sizeof(host))
		return -1;
	memcpy(host, addr, (size_t)(colon - addr));
	host[colon - addr] = '\0';
	if (!util_parse_u64(colon + 1, &port) || port > 65535)
		return -1;
	memset(sin, 0, sizeof(*sin));
	sin->sin_family = AF_INET;
	sin->sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET, host, &sin->sin_addr) == 1 ? 0 : -1;
}

int
net_listen(const char *addr, uint16_t *port, char **why)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);
	int fd, one = 1;

	if (parse_addr(addr, &sin) < 0) {
		*why = util_format("bad address %s", addr);
		return -1;
	}
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		*why = util_format("socket: %s", strerror(errno));
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&sin, len) < 0 ||
	    listen(fd, BACKLOG) < 0 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) < 0) {
		*why = util_format("listen on %s: %s", addr, strerror(errno));
		close(fd);
		return -1;
	}
	*port = ntohs(sin.sin_port);
	return fd;
}

/*
 * The files are read for every connection, so that a test replaces a
 * certificate by replacing the file.
 */
static SSL *
handshake(int fd, const char *cert, const char *key)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	SSL *ssl = NULL;

	if (ctx == NULL)
		return NULL;
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	if (SSL_CTX_use_certificate_chain_file(ctx, cert) == 1 &&
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1)
		ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	if (ssl == NULL)
		return NULL;
	if (SSL_set_fd(ssl, fd) != 1 || SSL_accept(ssl) != 1) {
		SSL_free(ssl);
		return NULL;
	}
	return ssl;
}

struct conn *
conn_accept(int fd, const char *cert, const char *key)
{
	struct conn *c;
	SSL *ssl = NULL;
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (cert != NULL) {
		ssl = handshake(fd, cert, key);
		if (ssl == NULL) {
			close(fd);
			return NULL;
		}
	}
	c = util_alloc(sizeof(*c));
	c->fd = fd;
	c->ssl = ssl;
	return c;
}

void
conn_free(struct conn *c)
{
	if (c == NULL)
		return;
	if (c->ssl != NULL) {
		if (!c->broken)
			SSL_shutdown(c->ssl);
		SSL_free(c->ssl);
	}
	close(c->fd);
	free(c);
}

ssize_t
conn_read(struct conn *c, void *buf, size_t len)
{
	ssize_t n;

	if (c->broken)
		return -1;
	if (c->ssl != NULL) {
		int r = SSL_read(c->ssl, buf, (int)len);

		if (r <= 0)
			c->broken = true;
		return r;
	}
	do
		n = recv(c->fd, buf, len, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		c->broken = true;
	return n;
}

static int
write_raw(struct conn *c, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n;

		if (c->ssl != NULL)
			n = SSL_write(c->ssl, p, (int)len);
		else
			n = send(c->fd, p, len, MSG_NOSIGNAL);
		if (n < 0 && c->ssl == NULL && errno == EINTR)
			continue;
		if (n <= 0) {
			c->broken = true;
			return -1;
		}
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
write_slowly(struct conn *c, const char *p, size_t len)
{
	struct timespec ts = {
		.tv_sec = c->slow_us / 1000000,
		.tv_nsec = (long)(c->slow_us % 1000000) * 1000,
	};

	for (size_t i = 0; i < len; i++) {
		if (write_raw(c, p + i, 1) < 0)
			return -1;
		if (c->slow_us > 0)
			nanosleep(&ts, NULL);
	}
	return 0;
}

int
conn_write(struct conn *c, const void *data, size_t len)
{
	size_t n = len;
	int ret;

	if (c->broken)
		return -1;
	if (c->cutting && n > c->cut_left)
		n = (size_t)c->cut_left;
	ret = c->slow ? write_slowly(c, data, n) : write_raw(c, data, n);
	if (ret < 0)
		return -1;
	if (!c->cutting)
		return 0;
	c->cut_left -= n;
	if (c->cut_left > 0)
		return 0;
	conn_abort(c);
	return -1;
}

bool
conn_broken(const struct conn *c)
{
	return c->broken;
}

bool
conn_peer_gone(struct conn *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN | POLLRDHUP };
	char byte;

	if (c->broken)
		return true;
	if (poll(&p, 1, 0) <= 0)
		return false;
	if (p.revents & (POLLERR | POLLHUP | POLLNVAL | POLLRDHUP))
		return true;
	/* TLS: the only thing a waiting client sends is its farewell. */
	if (c->ssl != NULL)
		return true;
	return recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

void
conn_cut_after(struct conn *c, uint64_t bytes, bool reset)
{
	c->cutting = true;
	c->cut_left = bytes;
	c->cut_reset = reset;
	if (bytes == 0)
		conn_abort(c);
}

void
conn_slow(struct conn *c, unsigned delay_us)
{
	c->slow = true;
	c->slow_us = delay_us;
}

void
conn_shape_reset(struct conn *c)
{
	c->cutting = false;
	c->cut_reset = false;
	c->slow = false;
}

void
conn_abort(struct conn *c)
{
	struct linger hard = { .l_onoff = 1, .l_linger = 0 };

	if (c->cut_reset)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	else
		shutdown(c->fd, SHUT_RDWR);
	c->broken = true;
}
