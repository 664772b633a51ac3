/*
 * What the measuring programs share: ending with a message, arguments, time,
 * a percentile, and threads that share out numbered work.
 */
#ifndef BENCH_TOOL_H
#define BENCH_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

NORETURN void tool_die(const char *fmt, ...) PRINTF(1, 2);
const char *tool_env(const char *name);	  /* ends where it is not set */
unsigned long tool_number(const char *s); /* ends where it is none */

double tool_now(void); /* seconds since the epoch */
double tool_cpu(void); /* seconds of this process */

/* Calls once(ctx) until so many seconds of this thread's processor time are
 * used, or it fails (false); *rate is how often that was in a second. */
bool tool_rate(
    unsigned long seconds, bool (*once)(void *ctx), void *ctx, double *rate);

/* Sorts v; p from 0 to 1. */
double tool_percentile(double *v, size_t n, double p);

/*
 * Calls work(shared, state, i) for all i from 1 to n, each once, from so many
 * threads; state is what begin(shared) gave that thread, and goes to end().
 */
struct tool_crew {
	unsigned threads;
	unsigned long n;
	void *shared;
	void *(*begin)(void *shared);
	void (*work)(void *shared, void *state, unsigned long i);
	void (*end)(void *state);
};
void tool_share(const struct tool_crew *crew);

#endif
