/*
 * A few threads of their own for work that takes CPU time, and a bounded queue
 * before them: listeners' threads stay free for probes. The threads run at a
 * lower priority than all others of the program, so that reconciliation comes
 * first.
 */
#ifndef HTTP_POOL_H
#define HTTP_POOL_H

#include <stdbool.h>
#include <stddef.h>

/* Embedded in what the work is about; belongs to the pool from a successful
 * pool_submit() until run() begins to hand it back. */
struct pool_job {
	struct pool_job *next;
	/* On a thread of the pool. cancelled: it never came to its turn, the
	 * pool stops; called on the thread that stops it. */
	void (*run)(struct pool_job *job, bool cancelled);
};

struct pool;

/* threads, queue_max: over 0. Starts the threads. */
struct pool *pool_new(unsigned threads, size_t queue_max);
/* False: the queue is full, or the pool stops. */
bool pool_submit(struct pool *p, struct pool_job *job);
/* For long work: should it end early? */
bool pool_stopping(const struct pool *p);
/* Cancels what waits, waits for what runs. Submitting fails afterwards. */
void pool_stop(struct pool *p);
/* After pool_stop(). */
void pool_free(struct pool *p);
/* Threads for work that must leave at least half of the processors to others:
 * at most max, at least 1. */
unsigned pool_threads(unsigned max);

#endif
