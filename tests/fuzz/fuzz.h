/*
 * What every fuzz target is: a function that the fuzzer, or replay_main.c,
 * calls with each input, and that ends the program where a promise is broken.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void
check(bool ok)
{
	if (!ok)
		abort();
}

#endif
