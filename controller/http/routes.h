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
#include "head.h"
#include "http/server.h"
#include "pool.h"
#include "reply.h"
#include "tls.h"

/* Memory of one connection: bounds the head of a request, and of an answer. */
#define HTTP_CONNECTION_MEMORY ((size_t)32 * 1024)

/* Longest answer: the metrics of a very large cluster. */
#define HTTP_REPLY_MAX (64u * 1024 * 1024)

/* The same for a task's answer, and for its request's body. */
#define HTTP_TASK_REPLY_MAX (8u * 1024 * 1024)
#define HTTP_TASK_BODY_MAX  (4u * 1024 * 1024)
/* Bodies of all tasks that are being read, wait or are worked on. */
#define HTTP_TASK_BODIES_MAX (8u * 1024 * 1024)
/* Tasks that wait for a thread; more are turned away with 503. */
#define HTTP_TASK_QUEUE_MAX 8

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
	/* With the head, on a thread of the listener, quick. False: reply is
	 * the answer, the body is read and dropped. Fields that it sets stay.
	 */
	bool (*admit)(
	    void *ctx, const struct head *head, struct http_reply *reply);
	/* Must ask pool_stopping() now and then. May release body early. */
	void (*work)(void *ctx, const struct head *head, struct buf *body,
	    const struct pool *pool, struct http_reply *reply);
	bool credentials; /* the head is to hold them */
	size_t body_max;  /* 0: HTTP_TASK_BODY_MAX, which is the most */
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
	size_t body_max;	   /* of a request that is not for a task */
	struct conns_limits conns; /* silent with TLS, whatever it says */
	struct tls *tls;	   /* NULL: plain; with it, threads must be 1 */
	size_t connection_memory;  /* 0: HTTP_CONNECTION_MEMORY */
};

/* ERR_IO where the address cannot be bound. Ends with http_server_stop(). */
int http_server_start(const struct http_listener_config *cfg,
    struct http_server **ret, struct err *err) MUST_CHECK;
/* A time as conns_limits takes it: at least 1 ms, at most a day. */
uint64_t http_server_timeout_ms(int64_t ns);

#endif
