/*
 * Arithmetic of waiting: exponential back-off with caps and jitter. Pure.
 */
#include "cache/ratelimit.h"

#define SLOW_BASE_MS	  1000
#define REFLECTOR_BASE_MS 800
#define REFLECTOR_CAP_MS  30000
#define REPAIR_BASE_MS	  1000
#define REPAIRS_FREE	  5
#define REPAIR_CAP_MS	  300000

/* base * 2^n, at most cap; no shift that could overflow. */
static uint64_t
doubled(uint64_t base, unsigned n, uint64_t cap)
{
	while (n > 0 && base < cap) {
		base *= 2;
		n--;
	}
	return base < cap ? base : cap;
}

/* A point in [0, span]; r counts as a fraction of 2^32. */
static uint64_t
fraction(uint64_t span, uint32_t r)
{
	return ((span + 1) * r) >> 32;
}

uint64_t
ratelimit_backoff_ms(unsigned failures)
{
	return doubled(RATELIMIT_FAST_BASE_MS, failures, RATELIMIT_CAP_MS);
}

uint64_t
ratelimit_delay_ms(
    unsigned failures, unsigned fast, uint32_t r, unsigned retry_after_s)
{
	uint64_t asked = (uint64_t)retry_after_s * 1000;
	uint64_t d;

	if (failures < fast) {
		d = ratelimit_backoff_ms(failures);
	} else {
		d = doubled(SLOW_BASE_MS, failures - fast, RATELIMIT_CAP_MS);
		d = d - d / 2 + fraction(d / 2, r);
	}
	if (asked > RATELIMIT_CAP_MS)
		asked = RATELIMIT_CAP_MS;
	return asked > d ? asked : d;
}

uint64_t
ratelimit_reflector_ms(unsigned failures, uint32_t r)
{
	uint64_t d = doubled(REFLECTOR_BASE_MS, failures, REFLECTOR_CAP_MS);

	d += fraction(d, r);
	return d < REFLECTOR_CAP_MS ? d : REFLECTOR_CAP_MS;
}

uint64_t
ratelimit_repair_ms(unsigned repairs)
{
	if (repairs <= REPAIRS_FREE)
		return REPAIR_BASE_MS;
	return doubled(REPAIR_BASE_MS, repairs - REPAIRS_FREE, REPAIR_CAP_MS);
}
