/*
 * Bounded table from 64-bit keys (keyed hashes of texts) to small values of
 * one size; the entry used longest ago makes room. Not thread-safe.
 */
#ifndef KUBE_LRU_H
#define KUBE_LRU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct lru;

struct lru *lru_new(size_t max, size_t value_size);
void lru_free(struct lru *l);
/* The value, now the most recent one; a new one is zero-filled and *fresh is
 * set. Borrowed until the next call. */
void *lru_use(struct lru *l, uint64_t key, bool *fresh);
size_t lru_count(const struct lru *l);

DEFINE_AUTO(lru);

#endif
