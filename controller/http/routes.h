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
#include "pool.h"

/* Longest answer: the metrics of a very large cluster. */
#define HTTP_REPLY_MAX (64u * 1024 * 1024)

/* The same for a task's answer, and for its request's body. */
#define HTTP_TASK_REPLY_MAX (8u * 1024 * 1024)
#define HTTP_TASK_BODY_MAX  (4u * 1024 * 1024)
/* Bodies of all tasks that are being read, wait or are worked on. */
#define HTTP_TASK_BODIES_MAX (8u * 1024 * 1024)
/* Tasks that wait for a thread; more are turned away with 503. */
#define HTTP_TASK_QUEUE_MAX 8

#define HTTP_FIELDS_MAX	    4

struct http_field {
	const char *name; /* static text */
	uint64_t value;
};

/* What a handler fills in. 404 and refusals are made the same way. */
struct http_reply {
	unsigned status;
	const char *content_type; /* static text; NULL: none */
	struct http_field fields[HTTP_FIELDS_MAX];
	unsigned nfields;
	struct buf body;
};

/* Status, plain text body. */
void http_reply_text(struct http_reply *r, unsigned status, const char *text);

/* One more header field. */
void http_reply_field(struct http_reply *r, const char *name, uint64_t value);

/* Any method reaches the handler, as with the reference; HEAD gets no body,
 * and bodies of requests are read and dropped. */
struct http_route {
	const char *path; /* compared as it came: no decoding, no cleaning */
	void (*handle)(void *ctx, struct http_reply *reply);
	bool counted; /* in METRIC_HTTP_REQUESTS and METRIC_HTTP_DURATION */
};

/*
 * A route that works on the body of its request, on a thread of the listener's
 * pool; the connection rests meanwhile. Always counted.
 */
struct http_task {
	const char *path;
	/* With the head, on a thread of the listener, quick. client: the first
	 * X-Forwarded-For, "" where absent. False: reply is the answer, the
	 * body is read and dropped. Fields that it sets stay. */
	bool (*admit)(void *ctx, const char *client, struct http_reply *reply);
	/* Must ask pool_stopping() now and then. May release body early. */
	void (*work)(void *ctx, struct buf *body, const struct pool *pool,
	    struct http_reply *reply);
};

struct http_listener_config {
	const char *listen_addr;
	const struct http_route *routes; /* borrowed, like all but ctx */
	size_t nroutes;
	const struct http_task *tasks;
	size_t ntasks;
	unsigned task_threads; /* over 0 where there are tasks */
	void *ctx; /* for the handlers; stolen, freed by mem_free_wiped() */
	void (*release)(void *ctx); /* before that; may be NULL */
	struct metrics *metrics;
	const struct clock *clock;
	unsigned threads;
	size_t body_max; /* of a request that is not for a task */
	struct conns_limits conns;
};

/* ERR_IO where the address cannot be bound. Ends with http_server_stop(). */
int http_server_start(const struct http_listener_config *cfg,
    struct http_server **ret, struct err *err) MUST_CHECK;
/* A time as conns_limits takes it: at least 1 ms, at most a day. */
uint64_t http_server_timeout_ms(int64_t ns);

#endif
