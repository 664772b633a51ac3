/*
 * One kept-alive connection to the API server of the run, for load: bodies in
 * and out as text, nothing is parsed. Environment: BENCH_SERVER, the base URL;
 * BENCH_PKI, the folder with ca.crt, admin.crt and admin.key. One thread.
 */
#ifndef BENCH_CONN_H
#define BENCH_CONN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/compiler.h"

#define CONN_BODY_MAX (64u * 1024 * 1024)

struct conn;

/* Both end the program with a message where something is missing. */
void conn_setup(void); /* once, before the first thread */
struct conn *conn_new(void);
void conn_free(struct conn *c);

/*
 * A request; body may be NULL. The answer's body replaces what is in *answer;
 * NULL: it is read and dropped. Returns the HTTP code, 0: no answer.
 */
long conn_do(struct conn *c, const char *method, const char *path,
    const char *body, struct buf *answer);
/* The same, but ends the program where the code is not 2xx. */
void conn_must(struct conn *c, const char *method, const char *path,
    const char *body, struct buf *answer);
/*
 * A watch: each line of the answer goes to line(), until that returns false or
 * the server ends it.
 */
void conn_watch(struct conn *c, const char *path,
    bool (*line)(void *ctx, const char *text, size_t len), void *ctx);

DEFINE_AUTO(conn);

#endif
