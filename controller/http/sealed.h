/*
 * /v1/verify and /v1/rotate: the heavy routes of the public listener.
 */
#ifndef HTTP_SEALED_H
#define HTTP_SEALED_H

#include "http/server.h"
#include "routes.h"

/* CPU time of one request. */
#define SEALED_CPU_NS (UINT64_C(5) * NS_PER_S)

struct sealed;

struct sealed_config {
	struct registry *keys; /* borrowed */
	bool accept_v1_data;
	unsigned rate, burst; /* see gcra.h */
	const struct clock *clock;
	/* CPU time of the running thread; NULL: asks the system. */
	uint64_t (*cpu_ns)(void);
};

struct sealed *sealed_new(const struct sealed_config *cfg);
void sealed_free(struct sealed *s);

/* What struct http_task asks for. */
bool sealed_admit_verify(
    struct sealed *s, const char *client, struct http_reply *reply);
bool sealed_admit_rotate(
    struct sealed *s, const char *client, struct http_reply *reply);
/* body is released on the way. */
void sealed_verify(struct sealed *s, struct buf *body, const struct pool *pool,
    struct http_reply *reply);
void sealed_rotate(struct sealed *s, struct buf *body, const struct pool *pool,
    struct http_reply *reply);

#endif
