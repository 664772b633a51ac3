/*
 * Keyed 64-bit hash (SipHash-2-4) with a random key per process: names and
 * contents come from users, so tables must not be floodable.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Draws the key; called once before threads start. Until then the key is 0. */
void hash_seed(void);
uint64_t hash_bytes(const void *p, size_t len);
uint64_t hash_str(const char *s);

#endif
