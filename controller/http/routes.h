/*
 * What one listener serves: a table of routes and its limits.
 */
#ifndef HTTP_ROUTES_H
#define HTTP_ROUTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "conns.h"
#include "http/server.h"

/* Longest answer: the metrics of a very large cluster. */
#define HTTP_REPLY_MAX (64u * 1024 * 1024)

/* What a handler fills in. 404 and refusals are made the same way. */
struct http_reply {
	unsigned status;
	const char *content_type; /* static text */
	struct buf body;
};

/* Status, plain text body. */
void http_reply_text(struct http_reply *r, unsigned status, const char *text);

/* Any method reaches the handler, as with the reference; HEAD gets no body,
 * and bodies of requests are read and dropped. */
struct http_route {
	const char *path; /* compared as it came: no decoding, no cleaning */
	void (*handle)(void *ctx, struct http_reply *reply);
	bool counted; /* in METRIC_HTTP_REQUESTS and METRIC_HTTP_DURATION */
};

struct http_listener_config {
	const char *listen_addr;
	const struct http_route *routes; /* borrowed, like all but ctx */
	size_t nroutes;
	void *ctx; /* for the handlers; stolen, freed by mem_free_wiped() */
	struct metrics *metrics;
	const struct clock *clock;
	unsigned threads;
	size_t body_max; /* of a request */
	struct conns_limits conns;
};

/* ERR_IO where the address cannot be bound. Ends with http_server_stop(). */
int http_server_start(const struct http_listener_config *cfg,
    struct http_server **ret, struct err *err) MUST_CHECK;
/* A time as conns_limits takes it: at least 1 ms, at most a day. */
uint64_t http_server_timeout_ms(int64_t ns);

#endif
