/*
 * Polling with deadlines.
 */
#include "wait.h"

#include <stdlib.h>
#include <time.h>

#include "sanitized.h"

#define POLL_MS		10
#define SANITIZED_TIMES 4

int64_t
wait_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
wait_scaled(int64_t ms)
{
	return SANITIZED ? ms * SANITIZED_TIMES : ms;
}

static void
tick(void)
{
	struct timespec ts = { .tv_nsec = POLL_MS * 1000000L };

	nanosleep(&ts, NULL);
}

bool
wait_until(bool (*holds)(void *ctx), void *ctx, int64_t limit_ms)
{
	int64_t end = wait_now_ms() + wait_scaled(limit_ms);

	for (;;) {
		if (holds(ctx))
			return true;
		if (wait_now_ms() >= end)
			return false;
		tick();
	}
}

bool
wait_stays(bool (*holds)(void *ctx), void *ctx, int64_t ms)
{
	int64_t end = wait_now_ms() + ms;

	for (;;) {
		if (!holds(ctx))
			return false;
		if (wait_now_ms() >= end)
			return true;
		tick();
	}
}
