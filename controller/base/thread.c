/*
 * Threads, locks and the stop token. A failing lock call is a bug of ours,
 * so it aborts.
 */
#include "base/thread.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* Address space, not memory: what is touched counts. Recursion in templates
 * needs most (TMPL_STACK_MAX), and a regular expression at its end. */
#define STACK_SIZE   (4 * 1024 * 1024)

#define NAME_MAX_LEN 15

static void
check(int rc)
{
	if (rc != 0)
		abort();
}

void
mutex_init(struct mutex *mu)
{
	check(pthread_mutex_init(&mu->m, NULL));
}

void
mutex_destroy(struct mutex *mu)
{
	check(pthread_mutex_destroy(&mu->m));
}

/* The analysis cannot look into pthread calls; the contract is in the header.
 */
TSA(no_thread_safety_analysis)
void
mutex_lock(struct mutex *mu)
{
	check(pthread_mutex_lock(&mu->m));
}

TSA(no_thread_safety_analysis)
void
mutex_unlock(struct mutex *mu)
{
	check(pthread_mutex_unlock(&mu->m));
}

void
cond_init(struct cond *c)
{
	pthread_condattr_t attr;

	check(pthread_condattr_init(&attr));
	check(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC));
	check(pthread_cond_init(&c->c, &attr));
	check(pthread_condattr_destroy(&attr));
}

void
cond_destroy(struct cond *c)
{
	check(pthread_cond_destroy(&c->c));
}

void
cond_wait(struct cond *c, struct mutex *mu)
{
	check(pthread_cond_wait(&c->c, &mu->m));
}

bool
cond_wait_for(struct cond *c, struct mutex *mu, uint64_t timeout_ns)
{
	/* A year is for ever, and keeps the sum below from overflowing. */
	const uint64_t longest = UINT64_C(366) * 24 * 3600 * NS_PER_S;
	struct timespec ts;
	uint64_t until;
	int rc;

	if (timeout_ns > longest)
		timeout_ns = longest;
	until = clock_mono_ns(&clock_system) + timeout_ns;
	ts.tv_sec = (time_t)(until / NS_PER_S);
	ts.tv_nsec = (long)(until % NS_PER_S);
	rc = pthread_cond_timedwait(&c->c, &mu->m, &ts);
	if (rc == ETIMEDOUT)
		return false;
	check(rc);
	return true;
}

void
cond_signal(struct cond *c)
{
	check(pthread_cond_signal(&c->c));
}

void
cond_broadcast(struct cond *c)
{
	check(pthread_cond_broadcast(&c->c));
}

void
thread_start(struct thread *t, const char *name, void *(*fn)(void *), void *arg)
{
	char shortname[NAME_MAX_LEN + 1];
	pthread_attr_t attr;
	sigset_t all;

	(void)sigfillset(&all);
	check(pthread_attr_init(&attr));
	check(pthread_attr_setstacksize(&attr, STACK_SIZE));
	check(pthread_attr_setsigmask_np(&attr, &all));
	check(pthread_create(&t->id, &attr, fn, arg));
	t->started = true;
	check(pthread_attr_destroy(&attr));
	(void)snprintf(shortname, sizeof(shortname), "%s", name);
	/* A name is for people who look at the process; it may fail. */
	(void)pthread_setname_np(t->id, shortname);
}

void
thread_join(struct thread *t)
{
	if (!t->started)
		return;
	check(pthread_join(t->id, NULL));
	t->started = false;
}

void
stop_init(struct stop *s)
{
	atomic_init(&s->set, false);
	s->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->fd < 0)
		abort();
}

void
stop_release(struct stop *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = -1;
}

void
stop_request(struct stop *s)
{
	const uint64_t one = 1;
	ssize_t n;

	if (atomic_exchange(&s->set, true))
		return;
	/* An eventfd at 0 always takes one write. Nobody reads it, so that it
	 * stays readable for every waiter. */
	n = write(s->fd, &one, sizeof(one));
	if (n != (ssize_t)sizeof(one))
		abort();
}

bool
stop_requested(const struct stop *s)
{
	return atomic_load(&s->set);
}

bool
stop_wait(struct stop *s, uint64_t timeout_ms)
{
	const uint64_t slice_ms = 3600 * MS_PER_S;
	uint64_t now = clock_mono_ms(&clock_system);
	uint64_t until =
	    timeout_ms > UINT64_MAX - now ? UINT64_MAX : now + timeout_ms;

	while (!stop_requested(s)) {
		struct pollfd pfd = { .fd = s->fd, .events = POLLIN };
		uint64_t left;

		now = clock_mono_ms(&clock_system);
		if (now >= until)
			return false;
		left = until - now < slice_ms ? until - now : slice_ms;
		if (poll(&pfd, 1, (int)left) < 0 && errno != EINTR)
			abort();
	}
	return true;
}
