/*
 * HTTP to the API server; the test seam. Two shapes:
 *
 * struct kube_transport: one request, one buffered answer, blocking, with a
 * deadline. Thread-confined: one per worker, one kept-alive connection each.
 *
 * struct kube_mux: many streams (lists and watches) driven by one thread on
 * one curl multi handle, answers delivered in pieces through callbacks.
 *
 * HTTP/1.1; TLS 1.2 or newer, verified against the configured CA alone; a CA
 * file that changes counts for every request and stream begun afterwards, on
 * new connections (streams under way run to their end); no
 * proxy, redirect, cookie, netrc, Accept-Encoding. The token goes into the
 * Authorization header and is wiped afterwards. A 401 re-reads the token and
 * is tried once more at once. Stopping: a requested struct stop makes a
 * running request fail with ERR_CANCELLED within a second, unless it has begun
 * to write (method other than GET): that is finished or runs into its deadline
 * of at most 5 s after the stop. After the stop no request begins.
 */
#ifndef KUBE_TRANSPORT_H
#define KUBE_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/thread.h"
#include "kube/config.h"

struct metrics;

struct kube_request {
	const char *method;	  /* "GET" ... */
	const char *path;	  /* "/api/v1/...?x=y", encoded */
	const char *accept;	  /* NULL: application/json */
	const char *content_type; /* NULL: application/json */
	const void *body;	  /* NULL: none */
	size_t body_len;
	uint64_t timeout_ms; /* 0: 30 s */
	size_t max_body;     /* of the answer; 0: 8 MiB */
	/* Where set, the body of a 2xx answer goes here in pieces instead of
	 * into the response, and max_body is for other answers. False ends the
	 * request with ERR_CANCELLED. A transport that cannot stream may put
	 * the body into the response all the same. */
	bool (*sink)(void *ctx, const char *p, size_t len);
	void *sink_ctx;
	/* May be NULL: requesting it ends the request at once, whatever its
	 * method, with ERR_CANCELLED. */
	struct stop *abort;
	/* May be NULL: each header field of the answer, also of one before it
	 * (100, or the first 401). Not NUL-terminated, valid for the call. */
	void (*field)(void *ctx, const char *name, size_t name_len,
	    const char *value, size_t value_len);
	void *field_ctx;
	/* A 401 is an answer like others: no second attempt. For servers that
	 * count failures. */
	bool once;
};

struct kube_response {
	int status;	   /* HTTP status */
	bool json;	   /* Content-Type says JSON */
	int retry_after_s; /* integer Retry-After, capped at 3600; -1 */
	struct buf body;
};

void kube_response_release(struct kube_response *r);
DEFINE_AUTO_RELEASE(kube_response);

struct kube_transport {
	void *ctx;
	/* 0: an answer came, whatever its status. -1: ERR_TRANSPORT,
	 * ERR_TIMEOUT, ERR_TOOBIG, ERR_CANCELLED. ret->body initialised by
	 * the callee. */
	int (*perform)(void *ctx, const struct kube_request *req,
	    struct kube_response *ret, struct err *err);
	void (*free)(void *ctx);
};

/* Over libcurl. cfg and stop (may be NULL) are borrowed and must outlive it. */
struct kube_transport *kube_transport_new(
    const struct kube_config *cfg, struct metrics *metrics, struct stop *stop);
void kube_transport_free(struct kube_transport *t);
DEFINE_AUTO(kube_transport);

/* ---- streams ---- */

struct kube_stream;

struct kube_stream_handler {
	void *ctx;
	/* Headers are in; called once before any data, whatever the status
	 * (of a 401 only the second one in a row is seen). */
	void (*begin)(void *ctx, int status, bool json, int retry_after_s);
	/* A piece of the body. Return false to end the stream (done follows,
	 * with ERR_CANCELLED). */
	bool (*data)(void *ctx, const char *p, size_t len);
	/* The end: err->code ERR_NONE where the body ended as it should. The
	 * stream is gone when this returns; starting another from here is
	 * allowed. Not called for cancelled streams. ERR_NONE says nothing
	 * about the status: that came with begin(). */
	void (*done)(void *ctx, const struct err *err);
};

struct kube_stream_request {
	const char *path;	   /* GET; copied */
	const char *accept;	   /* NULL: application/json; copied */
	uint64_t idle_timeout_ms;  /* no byte for so long: ERR_TIMEOUT */
	uint64_t total_timeout_ms; /* 0: none */
};

struct kube_mux {
	void *ctx;
	/* Only notes the request: callbacks come from poll() alone. All but
	 * wakeup() on the polling thread. start() and cancel() may be called
	 * from callbacks. */
	struct kube_stream *(*start)(void *ctx,
	    const struct kube_stream_request *req,
	    const struct kube_stream_handler *h);
	void (*cancel)(void *ctx, struct kube_stream *s);
	/* Runs callbacks; waits at most timeout_ms for something to do. */
	void (*poll)(void *ctx, uint64_t timeout_ms);
	/* From any thread: makes poll return. */
	void (*wakeup)(void *ctx);
	void (*free)(void *ctx);
};

struct kube_mux *
kube_mux_new(const struct kube_config *cfg, struct metrics *metrics);
void kube_mux_free(struct kube_mux *m);
DEFINE_AUTO(kube_mux);

#endif
