/*
 * Curl handles set up alike for the blocking transport and the mux. Handles
 * and lists travel as void *, so that curl's headers stay in transport.c and
 * mux.c.
 */
#ifndef KUBE_EASY_H
#define KUBE_EASY_H

#include "base/compiler.h"
#include "base/err.h"
#include "target.h"

struct metrics;

/* A new easy handle for this server; NULL on failure. */
void *transport_easy_new(struct target *t, struct err *err);
/* Instead of target_release() where handles were made. */
void transport_target_release(struct target *t);
/* Request headers with the token. Freed (and wiped) by transport_headers_free.
 * content_type NULL: no body. */
int transport_headers(struct target *t, const char *accept,
    const char *content_type, void **list, struct err *err) MUST_CHECK;
void transport_headers_free(void *list);
/* CURLcode -> err; text: curl's own, or "". Always -1. */
int transport_fail(int curl_code, const char *method, const char *path,
    const char *text, struct err *err);
/* Counts a request; status 0: no answer. */
void transport_count(
    struct metrics *m, const char *method, const char *path, int status);

#endif
