/*
 * Client-side rate limit: a token bucket in the manner of client-go. Tokens
 * may be owed, so that waiters are served in the order they came.
 */
#include <time.h>

#include "base/mem.h"
#include "base/thread.h"
#include "kube/client.h"

struct kube_limiter {
	struct mutex mu;
	double per_ns; /* 0: unlimited */
	double burst;
	const struct clock *clock;
	double tokens;	  /* guarded by mu */
	uint64_t last_ns; /* guarded by mu */
};

struct kube_limiter *
kube_limiter_new(double qps, int burst, const struct clock *clock)
{
	struct kube_limiter *l = xcalloc(1, sizeof(*l));

	mutex_init(&l->mu);
	l->clock = clock != NULL ? clock : &clock_system;
	l->per_ns = qps > 0 ? qps / (double)NS_PER_S : 0;
	/* A bucket that holds nothing would never let anybody through. */
	l->burst = burst > 1 ? burst : 1;
	l->tokens = l->burst;
	l->last_ns = clock_mono_ns(l->clock);
	return l;
}

void
kube_limiter_free(struct kube_limiter *l)
{
	if (l == NULL)
		return;
	mutex_destroy(&l->mu);
	mem_free_wiped(l);
}

uint64_t
kube_limiter_reserve(struct kube_limiter *l)
{
	uint64_t wait_ns = 0;
	uint64_t now;

	if (l == NULL || l->per_ns <= 0)
		return 0;
	mutex_lock(&l->mu);
	now = clock_mono_ns(l->clock);
	if (now > l->last_ns) {
		l->tokens += (double)(now - l->last_ns) * l->per_ns;
		l->last_ns = now;
	}
	if (l->tokens > l->burst)
		l->tokens = l->burst;
	l->tokens -= 1;
	if (l->tokens < 0)
		wait_ns = (uint64_t)(-l->tokens / l->per_ns) + 1;
	mutex_unlock(&l->mu);
	return wait_ns;
}

static void
sleep_ns(uint64_t ns)
{
	struct timespec ts = {
		.tv_sec = (time_t)(ns / NS_PER_S),
		.tv_nsec = (long)(ns % NS_PER_S),
	};

	/* Signals are blocked in every thread that comes here. */
	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
}

int
kube_limiter_wait(struct kube_limiter *l, struct stop *stop, struct err *err)
{
	uint64_t ns = kube_limiter_reserve(l);

	if (stop == NULL) {
		if (ns > 0)
			sleep_ns(ns);
		return 0;
	}
	if (ns > 0 ? stop_wait(stop, (ns + NS_PER_MS - 1) / NS_PER_MS)
		   : stop_requested(stop))
		return err_set(err, ERR_CANCELLED, "stopped");
	return 0;
}
