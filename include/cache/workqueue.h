/*
 * Rate-limited work queue of client-go's kind: keys, de-duplicated; a key is
 * never in two workers; an add during processing is replayed at done; delayed
 * adds, the earlier time wins; two lanes, new work ahead of the backlog of a
 * start or a re-list. A key may carry the object's body so that the worker
 * need not read it again: so many wait as there is room for, and for a minute;
 * the rest are dropped and read again. After 16 keys of the new lane in a row
 * the backlog gets one turn, so that it cannot starve. Thread-safe. Time comes
 * from the injected clock.
 */
#ifndef CACHE_WORKQUEUE_H
#define CACHE_WORKQUEUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "kube/objkey.h"

enum workqueue_lane {
	WORKQUEUE_NEW,	   /* events, new objects */
	WORKQUEUE_BACKLOG, /* first list, re-lists, slow re-checks */
};

struct workqueue;

struct workqueue *workqueue_new(const struct clock *clock);
void workqueue_free(struct workqueue *q);

/*
 * Adds a key now. body (may be NULL) is stolen; the worker gets an equal one,
 * unless a newer one takes its place or there is no room for it. An add without
 * a body drops the one that waits, which may be older than what the add is
 * about. A key already waiting in the backlog moves to the new lane when added
 * there. A pending delayed add of the key is dropped. Nothing is added after a
 * shutdown.
 */
void workqueue_add(struct workqueue *q, const struct objkey *key,
    enum workqueue_lane lane, json_t *body);
/* Adds it once the time has come, keeping a body that waits; of two delayed
 * adds the earlier one stands. A key that is ready or in a worker's hands keeps
 * its delayed add beside that. */
void workqueue_add_after(struct workqueue *q, const struct objkey *key,
    enum workqueue_lane lane, uint64_t delay_ms);
/*
 * Blocks for the next key. False: shut down. *body is owned by the caller, may
 * be NULL. Every key got must be given back with workqueue_done().
 */
bool workqueue_get(struct workqueue *q, struct objkey *key, json_t **body);
/* The same without waiting; false also where nothing is ready. For tests. */
bool workqueue_try_get(struct workqueue *q, struct objkey *key, json_t **body);
void workqueue_done(struct workqueue *q, const struct objkey *key);

/* Failures of a key since the last forget: raised by one and returned before
 * raising (0 for the first failure). */
unsigned workqueue_fail(struct workqueue *q, const struct objkey *key);
unsigned workqueue_failures(struct workqueue *q, const struct objkey *key);
void workqueue_forget(struct workqueue *q, const struct objkey *key);

/* Wakes every worker; get() returns false from now on. */
void workqueue_shutdown(struct workqueue *q);
size_t workqueue_len(struct workqueue *q); /* ready, not delayed */
/* Milliseconds that the oldest ready key waits; 0 where none. */
uint64_t workqueue_oldest_ms(struct workqueue *q);
/* Milliseconds since a worker last took or finished a key while work was
 * ready; 0 when idle and while no worker has ever asked for a key (they wait
 * for the first lists). For the liveness probe. */
uint64_t workqueue_stuck_ms(struct workqueue *q);

DEFINE_AUTO(workqueue);

#endif
