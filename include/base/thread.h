/*
 * Threads and annotated locks. Leaf locks only: one mutex per shared
 * structure, held for a few lines, no I/O, call-out or logging under it.
 * Condition variables wait on the monotonic clock.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct CAPABILITY("mutex") mutex {
	pthread_mutex_t m;
};

struct cond {
	pthread_cond_t c;
};

void mutex_init(struct mutex *mu);
void mutex_destroy(struct mutex *mu);
void mutex_lock(struct mutex *mu) ACQUIRES(*mu);
void mutex_unlock(struct mutex *mu) RELEASES(*mu);

void cond_init(struct cond *c);
void cond_destroy(struct cond *c);
void cond_wait(struct cond *c, struct mutex *mu) REQUIRES(*mu);
/* Waits at most timeout_ns of monotonic time; false: timed out. */
bool cond_wait_for(struct cond *c, struct mutex *mu, uint64_t timeout_ns)
    REQUIRES(*mu);
void cond_signal(struct cond *c);
void cond_broadcast(struct cond *c);

struct thread {
	pthread_t id;
	bool started;
};

/* Name: at most 15 bytes. Stack 4 MiB. All signals blocked. Aborts where a
 * thread cannot be made. */
void thread_start(
    struct thread *t, const char *name, void *(*fn)(void *), void *arg);
/* Nothing where it was never started. */
void thread_join(struct thread *t);

/* Stop token: set once, seen by polling threads (flag) and by waiting ones
 * (eventfd becomes readable). */
struct stop {
	atomic_bool set;
	int fd;
};

void stop_init(struct stop *s);
void stop_release(struct stop *s);
void stop_request(struct stop *s);
bool stop_requested(const struct stop *s);
/* Waits until the token is set (true) or the time is over (false). */
bool stop_wait(struct stop *s, uint64_t timeout_ms);

#endif
