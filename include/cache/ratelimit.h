/*
 * Arithmetic of waiting, all pure: per-item exponential back-off, its slow
 * continuation with jitter, and the reflector's back-off.
 */
#ifndef CACHE_RATELIMIT_H
#define CACHE_RATELIMIT_H

#include <stdint.h>

#define RATELIMIT_FAST_BASE_MS 5
#define RATELIMIT_CAP_MS       60000

/* 5 ms doubling up to 60 s. */
uint64_t ratelimit_backoff_ms(unsigned failures);
/*
 * The wait before attempt number failures + 1: as above for the first fast
 * retries, then from 1 s doubling up to the 60 s cap, with jitter: a random
 * value r in [0, 2^32) picks a point in [d/2, d]. retry_after_s, where larger,
 * wins, capped at 60 s.
 */
uint64_t ratelimit_delay_ms(
    unsigned failures, unsigned fast, uint32_t r, unsigned retry_after_s);
/*
 * The least time between a repair and the next one of the same object, after
 * so many in a row (at least one): 1 s for the first five, then doubling up to
 * 5 minutes. Somebody who corrects by hand hardly notices, a program that
 * writes back again and again is not fought with.
 */
uint64_t ratelimit_repair_ms(unsigned repairs);
/* 800 ms doubling to 30 s plus up to as much again by jitter (client-go's),
 * capped at 30 s. */
uint64_t ratelimit_reflector_ms(unsigned failures, uint32_t r);

#endif
