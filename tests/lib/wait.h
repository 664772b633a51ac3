/*
 * Waiting for a condition with a deadline, instead of sleeping.
 */
#ifndef LIB_WAIT_H
#define LIB_WAIT_H

#include <stdbool.h>
#include <stdint.h>

/* Milliseconds of the monotonic clock. */
int64_t wait_now_ms(void);

/* A time limit, made longer for programs under a sanitizer. */
int64_t wait_scaled(int64_t ms);

/* Asks every few milliseconds; false when the (scaled) limit has passed. */
bool wait_until(bool (*holds)(void *ctx), void *ctx, int64_t limit_ms);

/* True while the condition holds all the time; false as soon as it fails. */
bool wait_stays(bool (*holds)(void *ctx), void *ctx, int64_t ms);

#endif
