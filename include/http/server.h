/*
 * The two plain HTTP listeners: public (certificate, verify, rotate, health)
 * and metrics. On libmicrohttpd, strict parsing, bounded connections, bodies
 * and times. Handlers run on the listener's own threads, verify and rotate on
 * a small pool beside them.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "keystore/registry.h"
#include "metrics/metrics.h"

struct http_server;

struct http_public_config {
	const char *listen_addr; /* ":8080", "127.0.0.1:0", "[::1]:80" */
	struct registry *keys;
	struct metrics *metrics;
	int64_t read_timeout_ns, write_timeout_ns;
	/* Of /v1/verify and /v1/rotate: requests per second of one client, 0
	 * for no limit, and how many more may come at once. */
	unsigned rate_limit, rate_limit_burst;
	bool accept_v1_data; /* --accept-deprecated-v1-data */
	/* Health: true = 200. Called on server threads; quick. */
	bool (*healthy)(void *ctx);
	bool (*ready)(void *ctx);
	void *ctx;
};

/* /v1/cert.pem, /v1/verify, /v1/rotate, /healthz, /readyz. ERR_IO where the
 * address cannot be bound, naming it and the reason. */
int http_public_start(const struct http_public_config *cfg,
    struct http_server **ret, struct err *err) MUST_CHECK;
/* /metrics. */
int http_metrics_start(const char *listen_addr, struct metrics *metrics,
    struct http_server **ret, struct err *err) MUST_CHECK;
/* "addr:port" actually bound (port 0 was asked for). Borrowed. */
const char *http_server_addr(const struct http_server *s);
/* Stops listening, lets running requests end (at most 2 s), frees. */
void http_server_stop(struct http_server *s);

#endif
