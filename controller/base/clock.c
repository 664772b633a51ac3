/*
 * The system's clocks behind struct clock.
 */
#include "base/clock.h"

#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include "base/compiler.h"

static int64_t
read_clock(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) != 0)
		abort();
	return (int64_t)ts.tv_sec * (int64_t)NS_PER_S + ts.tv_nsec;
}

static uint64_t
system_mono_ns(void *ctx UNUSED)
{
	return (uint64_t)read_clock(CLOCK_MONOTONIC);
}

static int64_t
system_wall_ns(void *ctx UNUSED)
{
	return read_clock(CLOCK_REALTIME);
}

static uint64_t
system_cpu_ns(void *ctx UNUSED)
{
	return (uint64_t)read_clock(CLOCK_THREAD_CPUTIME_ID);
}

const struct clock clock_system = {
	.ctx = NULL,
	.mono_ns = system_mono_ns,
	.wall_ns = system_wall_ns,
	.cpu_ns = system_cpu_ns,
};

uint64_t
clock_mono_ns(const struct clock *c)
{
	return c->mono_ns(c->ctx);
}

uint64_t
clock_mono_ms(const struct clock *c)
{
	return c->mono_ns(c->ctx) / NS_PER_MS;
}

int64_t
clock_wall_ns(const struct clock *c)
{
	return c->wall_ns(c->ctx);
}

int64_t
clock_wall_s(const struct clock *c)
{
	int64_t ns = c->wall_ns(c->ctx);
	int64_t s = ns / (int64_t)NS_PER_S;

	/* Towards the past, also before the epoch. */
	return ns % (int64_t)NS_PER_S < 0 ? s - 1 : s;
}

uint64_t
clock_cpu_ns(const struct clock *c)
{
	return c->cpu_ns == NULL ? system_cpu_ns(NULL) : c->cpu_ns(c->ctx);
}
