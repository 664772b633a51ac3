/*
 * A clock that stands still until a test moves it. Safe to read from other
 * threads while the test moves it.
 */
#ifndef TESTS_FAKECLOCK_H
#define TESTS_FAKECLOCK_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/clock.h"

struct fakeclock {
	_Atomic uint64_t mono_ns;
	_Atomic int64_t wall_ns;
};

/* 2026-04-22T11:28:08Z. */
#define FAKECLOCK_WALL_S INT64_C(1776857288)

/* Monotonic time begins at 1000 s, wall time at FAKECLOCK_WALL_S. */
void fakeclock_init(struct fakeclock *f);
/* To hand to the code under test; valid as long as f is. */
struct clock fakeclock_clock(struct fakeclock *f);
/* Moves both times. */
void fakeclock_advance_ms(struct fakeclock *f, uint64_t ms);
void fakeclock_advance_s(struct fakeclock *f, uint64_t s);
/* Sets wall time alone: somebody has put the clock right. */
void fakeclock_set_wall_s(struct fakeclock *f, int64_t s);
void fakeclock_set_wall_ns(struct fakeclock *f, int64_t ns);

#endif
