/*
 * Time behind an interface, so that tests never sleep. Monotonic time judges
 * intervals; wall time is for certificates, status, events and log lines.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct clock {
	void *ctx;
	uint64_t (*mono_ns)(void *ctx);
	int64_t (*wall_ns)(void *ctx); /* since the epoch, UTC */
	/* CPU time of the calling thread. NULL: as the system counts it. */
	uint64_t (*cpu_ns)(void *ctx);
};

extern const struct clock clock_system;

uint64_t clock_mono_ns(const struct clock *c);
uint64_t clock_mono_ms(const struct clock *c);
int64_t clock_wall_ns(const struct clock *c);
int64_t clock_wall_s(const struct clock *c);
uint64_t clock_cpu_ns(const struct clock *c);

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)
#define MS_PER_S  UINT64_C(1000)

#endif
