/*
 * Inside keystore/ only: what is counted for each public key, and which keys
 * the live objects need. Not locked: the registry's lock guards it.
 *
 * Thousands of objects need the same keys in the same numbers, so each such mix
 * is kept once and counted; an object holds its number, four bytes.
 */
#ifndef KEYSTORE_USAGE_H
#define KEYSTORE_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keystore/keypair.h"
#include "keystore/registry.h"

struct usage_key {
	uint32_t id; /* never 0, never REGISTRY_USE_UNTRIED */
	char fingerprint[KEYPAIR_FINGERPRINT_MAX];
	uint64_t opened; /* items since the start */
	uint64_t items;	 /* in live objects that need it */
};

struct usage_mix;

struct usage {
	struct usage_key *keys;
	size_t nkeys;
	uint32_t last_id;
	struct usage_mix **mixes; /* by number - 1; NULL: a free number */
	size_t nmixes, used, lowest_free;
	uint32_t *buckets; /* numbers; 0: empty */
	size_t nbuckets;   /* a power of two */
	uint64_t untried;  /* items that were counted as such */
};

void usage_release(struct usage *u);
/* The id of a public key: as long as it is kept, the same one. */
uint32_t usage_id(struct usage *u, const char *fingerprint);
/* NULL where not kept. Good until the next usage_id() or usage_forget(). */
struct usage_key *usage_find(struct usage *u, uint32_t id);
/* Forgets keys that keep() does not name and no live object needs. */
void usage_forget(struct usage *u, bool (*keep)(const void *ctx, uint32_t id),
    const void *ctx);
/* Counts one more object that needs these; the number of the mix, never 0. */
uint32_t usage_take(struct usage *u, const struct registry_uses *uses);
/* One less. 0 is nothing. */
void usage_give(struct usage *u, uint32_t mix);
/* Whether some of its items no key has opened. */
bool usage_lacks_keys(const struct usage *u, uint32_t mix);

#endif
