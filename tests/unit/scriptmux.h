/*
 * A kube_mux whose streams are answered by the test: by hand, one piece at a
 * time, or (answer set) by a function that poll() calls for each new stream.
 * Only start, cancel, poll and wakeup may come from another thread than the
 * test's.
 */
#ifndef TESTS_SCRIPTMUX_H
#define TESTS_SCRIPTMUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/thread.h"
#include "kube/transport.h"

#define SCRIPTMUX_STREAMS 8

struct kube_stream {
	struct kube_stream_handler handler;
	char *path, *accept;
	uint64_t idle_timeout_ms, total_timeout_ms;
	bool answered; /* by answer() */
};

struct scriptmux {
	struct kube_mux mux;
	struct kube_stream *open[SCRIPTMUX_STREAMS];
	size_t nopen;
	unsigned started, cancelled;
	bool refuse; /* start() returns NULL */
	/* From poll(): answers a stream that is new. ctx is the test's. */
	void (*answer)(struct scriptmux *m, struct kube_stream *s);
	void *ctx;
	struct mutex mu;
	struct cond woken;
	bool wake;	  /* guarded by mu */
	bool idle;	  /* guarded by mu: poll() waits */
	uint64_t idle_ms; /* guarded by mu: for so long at most */
};

void scriptmux_init(struct scriptmux *m);
/* Fails the test where a stream is still open. */
void scriptmux_release(struct scriptmux *m);
/* The one open stream; fails the test where there is none or another. */
struct kube_stream *scriptmux_only(struct scriptmux *m);
/* Waits until poll() waits; returns for how long it would at most. */
uint64_t scriptmux_await_idle(struct scriptmux *m);
/* These answer a stream. */
void scriptmux_begin(
    struct kube_stream *s, int status, bool json, int retry_after_s);
/* False: the reader wanted no more, and the stream is gone. */
bool scriptmux_data(
    struct scriptmux *m, struct kube_stream *s, const char *p, size_t len);
bool
scriptmux_text(struct scriptmux *m, struct kube_stream *s, const char *text);
/* ERR_NONE: as it should. */
void
scriptmux_end(struct scriptmux *m, struct kube_stream *s, enum err_code code);

#endif
