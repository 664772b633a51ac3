/*
 * HTTP/1.1 on a connection: one request read, its parts, one answer written.
 */
#ifndef APISERVER_HTTP_H
#define APISERVER_HTTP_H

#include <jansson.h>

#include "net.h"
#include "util.h"

#define HTTP_MAX_SEGMENTS 16
#define HTTP_MAX_HEADERS  100

struct http_pair {
	char *name;
	char *value;
};

struct http_request {
	char *method;
	char *target;		      /* as sent */
	char *path;		      /* as sent, without the query */
	char *query;		      /* as sent, "" when there is none */
	char *seg[HTTP_MAX_SEGMENTS]; /* path segments, decoded */
	size_t nseg;
	struct http_pair params[HTTP_MAX_HEADERS];
	size_t nparams;
	struct http_pair headers[HTTP_MAX_HEADERS];
	size_t nheaders;
	char *body;
	size_t body_len;
	bool body_too_large;
	bool close;
};

/* Bytes that were read beyond the request stay in *pending. */
int http_read_request(
    struct conn *c, struct sbuf *pending, struct http_request *req);
void http_request_release(struct http_request *req);

const char *http_header(const struct http_request *req, const char *name);
const char *http_param(const struct http_request *req, const char *name);
bool http_param_true(const struct http_request *req, const char *name);

const char *http_reason(int code);

/* `extra` is a JSON object of header names and values, or NULL. */
int http_write_reply(struct conn *c, int code, const char *type,
    const json_t *extra, const char *body, size_t len);
int http_start_chunked(struct conn *c, int code, const char *type);
int http_write_chunk(struct conn *c, const void *data, size_t len);
int http_end_chunked(struct conn *c);

#endif
