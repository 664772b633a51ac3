/*
 * Table of one listener's connections; see conns.h.
 */
#include "conns.h"

#include <assert.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/thread.h"

#define NEVER UINT64_MAX

struct conn {
	struct conn *prev, *next;
	int fd;
	enum conn_phase phase;
	uint64_t since_ns; /* when it entered its phase */
	bool ended;	   /* shutdown was called; waits for its removal */
};

struct conns {
	struct conns_limits limits;
	const struct clock *clock;
	struct mutex mu;
	/* guarded by mu: */
	struct cond changed;
	struct conn *first;
	size_t live;	  /* not ended */
	size_t total;	  /* ended ones too */
	uint64_t wake_ms; /* when the expiring thread looks again */
	bool stopping;
};

struct conns *
conns_new(const struct conns_limits *limits, const struct clock *clock)
{
	struct conns *t = xcalloc(1, sizeof(*t));

	assert(limits->max > 0 && limits->idle_ms > 0 && limits->read_ms > 0 &&
	    limits->write_ms > 0);
	t->limits = *limits;
	t->clock = clock;
	t->wake_ms = NEVER;
	mutex_init(&t->mu);
	cond_init(&t->changed);
	return t;
}

void
conns_free(struct conns *t)
{
	if (t == NULL)
		return;
	assert(t->first == NULL);
	cond_destroy(&t->changed);
	mutex_destroy(&t->mu);
	mem_free_wiped(t);
}

static uint64_t
due_ms(const struct conns *t, const struct conn *c)
{
	uint64_t since_ms = c->since_ns / NS_PER_MS;

	switch (c->phase) {
	case CONN_IDLE:
		return since_ms + t->limits.idle_ms;
	case CONN_READ:
		return since_ms + t->limits.read_ms;
	case CONN_WRITE:
		return since_ms + t->limits.write_ms;
	}
	return NEVER;
}

/*
 * Under the lock on purpose: the descriptor is closed only after conns_remove,
 * so it cannot have become somebody else's. The call never blocks.
 */
static void
end_locked(struct conns *t, struct conn *c) REQUIRES(t->mu)
{
	if (c->ended)
		return;
	c->ended = true;
	t->live--;
	(void)shutdown(c->fd, SHUT_RDWR);
}

static void
enter_locked(struct conns *t, struct conn *c, enum conn_phase phase)
    REQUIRES(t->mu)
{
	c->phase = phase;
	c->since_ns = clock_mono_ns(t->clock);
	if (due_ms(t, c) < t->wake_ms || t->stopping)
		cond_broadcast(&t->changed);
}

/* Waiting ones go first, the longest wait first. */
static bool
goes_before(const struct conn *a, const struct conn *b)
{
	if ((a->phase == CONN_IDLE) != (b->phase == CONN_IDLE))
		return a->phase == CONN_IDLE;
	return a->since_ns < b->since_ns;
}

static void
evict_locked(struct conns *t, const struct conn *newcomer) REQUIRES(t->mu)
{
	struct conn *victim = NULL;

	for (struct conn *c = t->first; c != NULL; c = c->next)
		if (c != newcomer && !c->ended &&
		    (victim == NULL || goes_before(c, victim)))
			victim = c;
	if (victim != NULL)
		end_locked(t, victim);
}

struct conn *
conns_add(struct conns *t, int fd)
{
	struct conn *c = xcalloc(1, sizeof(*c));

	c->fd = fd;
	mutex_lock(&t->mu);
	c->next = t->first;
	if (c->next != NULL)
		c->next->prev = c;
	t->first = c;
	t->live++;
	t->total++;
	enter_locked(t, c, CONN_IDLE);
	if (t->live > t->limits.max)
		evict_locked(t, c);
	/* One that slipped in after the drain began. */
	if (t->stopping)
		end_locked(t, c);
	mutex_unlock(&t->mu);
	return c;
}

void
conns_enter(struct conns *t, struct conn *c, enum conn_phase phase)
{
	mutex_lock(&t->mu);
	enter_locked(t, c, phase);
	if (t->stopping && phase == CONN_IDLE)
		end_locked(t, c);
	mutex_unlock(&t->mu);
}

void
conns_remove(struct conns *t, struct conn *c)
{
	mutex_lock(&t->mu);
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		t->first = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	t->total--;
	if (!c->ended)
		t->live--;
	if (t->stopping)
		cond_broadcast(&t->changed);
	mutex_unlock(&t->mu);
	mem_free_wiped(c);
}

/* Nothing else is being sent before the answer. A peer that does not read
 * loses nothing by it. */
static void
say_timeout(const struct conn *c)
{
	static const char text[] = "HTTP/1.1 408 Request Timeout\r\n"
				   "Content-Length: 0\r\n"
				   "Connection: close\r\n\r\n";

	if (c->phase == CONN_READ)
		(void)send(
		    c->fd, text, sizeof(text) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static uint64_t
expire_locked(struct conns *t) REQUIRES(t->mu)
{
	uint64_t now = clock_mono_ms(t->clock), next = NEVER;

	for (struct conn *c = t->first; c != NULL; c = c->next) {
		if (c->ended)
			continue;
		if (due_ms(t, c) <= now) {
			if (!t->limits.silent)
				say_timeout(c);
			end_locked(t, c);
		} else if (due_ms(t, c) < next)
			next = due_ms(t, c);
	}
	t->wake_ms = next;
	return next == NEVER ? NEVER : next - now;
}

uint64_t
conns_expire(struct conns *t)
{
	uint64_t wait_ms;

	mutex_lock(&t->mu);
	wait_ms = expire_locked(t);
	mutex_unlock(&t->mu);
	return wait_ms;
}

void
conns_run(struct conns *t)
{
	mutex_lock(&t->mu);
	while (!t->stopping) {
		uint64_t wait_ms = expire_locked(t);

		if (wait_ms == NEVER)
			cond_wait(&t->changed, &t->mu);
		else
			(void)cond_wait_for(
			    &t->changed, &t->mu, wait_ms * NS_PER_MS);
	}
	mutex_unlock(&t->mu);
}

static size_t
busy_locked(const struct conns *t) REQUIRES(t->mu)
{
	size_t n = 0;

	for (const struct conn *c = t->first; c != NULL; c = c->next)
		n += !c->ended && c->phase != CONN_IDLE;
	return n;
}

bool
conns_drain(struct conns *t, uint64_t timeout_ms)
{
	uint64_t end = clock_mono_ms(t->clock) + timeout_ms, now;
	bool done;

	mutex_lock(&t->mu);
	t->stopping = true;
	cond_broadcast(&t->changed);
	for (struct conn *c = t->first; c != NULL; c = c->next)
		if (c->phase == CONN_IDLE)
			end_locked(t, c);
	while (busy_locked(t) > 0 && (now = clock_mono_ms(t->clock)) < end)
		(void)cond_wait_for(
		    &t->changed, &t->mu, (end - now) * NS_PER_MS);
	done = busy_locked(t) == 0;
	mutex_unlock(&t->mu);
	return done;
}

size_t
conns_count(struct conns *t)
{
	size_t n;

	mutex_lock(&t->mu);
	n = t->total;
	mutex_unlock(&t->mu);
	return n;
}
