/*
 * A small HTTP/1.1 server on a loopback address whose answers a test writes
 * itself, byte by byte where it wants to. One thread for each connection.
 */
#ifndef TESTS_UNIT_HTTPD_H
#define TESTS_UNIT_HTTPD_H

#include <stdbool.h>
#include <stddef.h>

#include "certs.h"

struct httpd;
struct httpd_conn;

struct httpd_request {
	char method[16];
	char path[4096]; /* with the query */
	const char *head;
	const char *body; /* NUL-terminated */
	size_t body_len;
	unsigned conn; /* number of the connection, from 1 */
	unsigned nth;  /* number of the request, from 1 */
};

/* Called on the connection's thread; may block in httpd_wait(). */
typedef void (*httpd_handler)(
    void *ctx, struct httpd_conn *c, const struct httpd_request *req);

struct httpd_tls {
	const struct cert *cert;
	const struct cert *client_authority; /* NULL: no client certificate */
	bool tls11_only;
};

/* tls NULL: plain HTTP. Certificates are copied. */
struct httpd *
httpd_new(httpd_handler handler, void *ctx, const struct httpd_tls *tls);
/* Closes all connections and joins all threads. */
void httpd_free(struct httpd *h);
/* "https://127.0.0.1:40123" */
const char *httpd_url(const struct httpd *h);
int httpd_port(const struct httpd *h);
/* So far. */
unsigned httpd_connections(struct httpd *h);
unsigned httpd_requests(struct httpd *h);

/* For handlers. A failed write (the client left) is not an error. */
void httpd_reply(struct httpd_conn *c, int status, const char *type,
    const char *headers, const char *body);
void httpd_json(struct httpd_conn *c, int status, const char *body);
void httpd_write(struct httpd_conn *c, const char *p, size_t len);
void httpd_puts(struct httpd_conn *c, const char *s);
void httpd_chunk(struct httpd_conn *c, const char *p, size_t len);
/* The connection is closed when the handler returns. */
void httpd_close(struct httpd_conn *c);
/* With a reset instead of an orderly end. */
void httpd_reset(struct httpd_conn *c);
/* Blocks until the client closed the connection or the server stops. */
void httpd_wait(struct httpd_conn *c);
/* The value of a request header, or NULL. */
const char *httpd_header(
    const struct httpd_request *req, const char *name, char *out, size_t size);

#endif
