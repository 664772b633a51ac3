/*
 * Threads, sockets and OpenSSL, with no more HTTP than the tests need.
 */
#include "httpd.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "base/mem.h"
#include "base/thread.h"

#define REQUEST_MAX (4u * 1024 * 1024)
#define BACKLOG	    1024

struct httpd_conn {
	struct httpd_conn *next;
	struct httpd *h;
	struct thread thread;
	int fd;
	SSL *ssl;
	unsigned number;
	bool closing;
	char *in; /* head and body of one request */
	size_t in_len, in_cap;
};

struct httpd {
	httpd_handler handler;
	void *ctx;
	SSL_CTX *tls;
	int fd, port;
	char url[64];
	struct thread thread;
	struct mutex mu;
	struct httpd_conn *conns;   /* guarded by mu */
	unsigned nconns, nrequests; /* guarded by mu */
};

/* ---- bytes ---- */

static bool
write_some(struct httpd_conn *c, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = c->ssl != NULL ? SSL_write(c->ssl, p, (int)len)
					   : send(c->fd, p, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

void
httpd_write(struct httpd_conn *c, const char *p, size_t len)
{
	if (!write_some(c, p, len))
		c->closing = true;
}

void
httpd_puts(struct httpd_conn *c, const char *s)
{
	httpd_write(c, s, strlen(s));
}

void
httpd_chunk(struct httpd_conn *c, const char *p, size_t len)
{
	char head[32];

	(void)snprintf(head, sizeof(head), "%zx\r\n", len);
	httpd_puts(c, head);
	httpd_write(c, p, len);
	httpd_puts(c, "\r\n");
}

void
httpd_reply(struct httpd_conn *c, int status, const char *type,
    const char *headers, const char *body)
{
	char *head = xasprintf("HTTP/1.1 %d X\r\nContent-Type: %s\r\n"
			       "Content-Length: %zu\r\n%s\r\n",
	    status, type, strlen(body), headers);

	httpd_puts(c, head);
	httpd_puts(c, body);
	mem_free_wiped(head);
}

void
httpd_json(struct httpd_conn *c, int status, const char *body)
{
	httpd_reply(c, status, "application/json", "", body);
}

void
httpd_close(struct httpd_conn *c)
{
	c->closing = true;
}

void
httpd_reset(struct httpd_conn *c)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	c->closing = true;
}

static ssize_t
read_some(struct httpd_conn *c, char *p, size_t len)
{
	if (c->ssl != NULL)
		return SSL_read(c->ssl, p, (int)len);
	return recv(c->fd, p, len, 0);
}

void
httpd_wait(struct httpd_conn *c)
{
	char sink[256];

	while (read_some(c, sink, sizeof(sink)) > 0)
		;
	c->closing = true;
}

/* ---- requests ---- */

static bool
read_more(struct httpd_conn *c)
{
	ssize_t n;

	if (c->in_len + 1 >= c->in_cap) {
		if (c->in_cap >= REQUEST_MAX)
			return false;
		c->in_cap = c->in_cap == 0 ? 4096 : c->in_cap * 2;
		c->in = xreallocarray(c->in, c->in_cap, 1);
	}
	n = read_some(c, c->in + c->in_len, c->in_cap - c->in_len - 1);
	if (n <= 0)
		return false;
	c->in_len += (size_t)n;
	c->in[c->in_len] = '\0';
	return true;
}

const char *
httpd_header(
    const struct httpd_request *req, const char *name, char *out, size_t size)
{
	size_t n = strlen(name);
	const char *line = req->head;

	while ((line = strstr(line, "\r\n")) != NULL) {
		line += 2;
		if (strncasecmp(line, name, n) == 0 && line[n] == ':') {
			const char *v =
			    line + n + 1 + strspn(line + n + 1, " ");

			(void)snprintf(
			    out, size, "%.*s", (int)strcspn(v, "\r\n"), v);
			return out;
		}
	}
	return NULL;
}

static bool
read_request(struct httpd_conn *c, struct httpd_request *req, size_t *total)
{
	char text[32];
	char *end;
	size_t head, body = 0;

	while (c->in_len == 0 || (end = strstr(c->in, "\r\n\r\n")) == NULL)
		if (!read_more(c))
			return false;
	head = (size_t)(end - c->in) + 4;
	memset(req, 0, sizeof(*req));
	req->head = c->in;
	if (httpd_header(req, "Content-Length", text, sizeof(text)) != NULL)
		body = strtoul(text, NULL, 10);
	while (c->in_len < head + body)
		if (!read_more(c))
			return false;
	req->head = c->in;
	c->in[head - 1] = '\0';
	req->body = c->in + head;
	req->body_len = body;
	*total = head + body;
	(void)sscanf(c->in, "%15s %4095s", req->method, req->path);
	req->conn = c->number;
	return true;
}

static void
serve(struct httpd_conn *c)
{
	struct httpd *h = c->h;
	struct httpd_request req;
	size_t total;

	if (c->ssl != NULL && SSL_accept(c->ssl) != 1)
		return;
	while (!c->closing && read_request(c, &req, &total)) {
		mutex_lock(&h->mu);
		req.nth = ++h->nrequests;
		mutex_unlock(&h->mu);
		h->handler(h->ctx, c, &req);
		memmove(c->in, c->in + total, c->in_len - total);
		c->in_len -= total;
		c->in[c->in_len] = '\0';
	}
}

static void *
conn_main(void *arg)
{
	struct httpd_conn *c = arg;

	serve(c);
	mutex_lock(&c->h->mu);
	close(c->fd);
	c->fd = -1;
	mutex_unlock(&c->h->mu);
	return NULL;
}

/* ---- connections ---- */

static void
accept_one(struct httpd *h, int fd)
{
	struct httpd_conn *c = xcalloc(1, sizeof(*c));
	int one = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->h = h;
	c->fd = fd;
	if (h->tls != NULL) {
		c->ssl = SSL_new(h->tls);
		SSL_set_fd(c->ssl, fd);
	}
	mutex_lock(&h->mu);
	c->number = ++h->nconns;
	c->next = h->conns;
	h->conns = c;
	thread_start(&c->thread, "httpd-conn", conn_main, c);
	mutex_unlock(&h->mu);
}

static void *
accept_main(void *arg)
{
	struct httpd *h = arg;
	int fd;

	while ((fd = accept4(h->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		accept_one(h, fd);
	return NULL;
}

static X509 *
parse_cert(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	assert_non_null(x);
	return x;
}

static void
trust_clients_of(SSL_CTX *ctx, const struct cert *authority)
{
	X509 *x = parse_cert(authority->pem);

	assert_int_equal(
	    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), x), 1);
	SSL_CTX_set_verify(
	    ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	X509_free(x);
}

static SSL_CTX *
tls_new(const struct httpd_tls *tls)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	X509 *x = parse_cert(tls->cert->pem);

	assert_non_null(ctx);
	if (tls->tls11_only) {
		SSL_CTX_set_security_level(ctx, 0);
		assert_int_equal(
		    SSL_CTX_set_min_proto_version(ctx, TLS1_1_VERSION), 1);
		assert_int_equal(
		    SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION), 1);
	}
	assert_int_equal(SSL_CTX_use_certificate(ctx, x), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, tls->cert->pkey), 1);
	if (tls->client_authority != NULL)
		trust_clients_of(ctx, tls->client_authority);
	X509_free(x);
	return ctx;
}

static void
listen_on_loopback(struct httpd *h)
{
	struct sockaddr_in sa = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(sa);

	h->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(h->fd >= 0);
	assert_int_equal(bind(h->fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(h->fd, BACKLOG), 0);
	assert_int_equal(getsockname(h->fd, (struct sockaddr *)&sa, &len), 0);
	h->port = ntohs(sa.sin_port);
}

struct httpd *
httpd_new(httpd_handler handler, void *ctx, const struct httpd_tls *tls)
{
	struct httpd *h = xcalloc(1, sizeof(*h));

	(void)signal(SIGPIPE, SIG_IGN);
	h->handler = handler;
	h->ctx = ctx;
	h->tls = tls != NULL ? tls_new(tls) : NULL;
	mutex_init(&h->mu);
	listen_on_loopback(h);
	(void)snprintf(h->url, sizeof(h->url), "http%s://127.0.0.1:%d",
	    tls != NULL ? "s" : "", h->port);
	thread_start(&h->thread, "httpd", accept_main, h);
	return h;
}

void
httpd_free(struct httpd *h)
{
	struct httpd_conn *c, *next;

	if (h == NULL)
		return;
	(void)shutdown(h->fd, SHUT_RDWR);
	thread_join(&h->thread);
	close(h->fd);
	mutex_lock(&h->mu);
	for (c = h->conns; c != NULL; c = c->next)
		if (c->fd >= 0)
			(void)shutdown(c->fd, SHUT_RDWR);
	c = h->conns;
	mutex_unlock(&h->mu);
	for (; c != NULL; c = next) {
		next = c->next;
		thread_join(&c->thread);
		SSL_free(c->ssl);
		mem_free_wiped(c->in);
		mem_free_wiped(c);
	}
	SSL_CTX_free(h->tls);
	mutex_destroy(&h->mu);
	mem_free_wiped(h);
}

const char *
httpd_url(const struct httpd *h)
{
	return h->url;
}

int
httpd_port(const struct httpd *h)
{
	return h->port;
}

unsigned
httpd_connections(struct httpd *h)
{
	unsigned n;

	mutex_lock(&h->mu);
	n = h->nconns;
	mutex_unlock(&h->mu);
	return n;
}

unsigned
httpd_requests(struct httpd *h)
{
	unsigned n;

	mutex_lock(&h->mu);
	n = h->nrequests;
	mutex_unlock(&h->mu);
	return n;
}
