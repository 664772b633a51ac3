/*
 * uthash as functions: an intrusive hash table of text keys that remembers the
 * order of insertion. Keys come from users, so the hash is keyed. No lock.
 *
 * A node is the first member of what it is embedded in; the key lives there
 * too and must not change or move.
 */
#ifndef CACHE_HASHTABLE_H
#define CACHE_HASHTABLE_H

#include <stddef.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"

#define HASH_FUNCTION(key, len, hashv) \
	((hashv) = (unsigned)hash_bytes((key), (len)))
#define uthash_malloc(size)    xmalloc(size)
#define uthash_free(ptr, size) free(ptr)
#define uthash_fatal(msg)      abort()

#include <uthash.h>

struct hashnode {
	UT_hash_handle hh;
};

struct hashtable {
	struct hashnode *first; /* NULL: empty */
};

struct hashnode *hashtable_find(const struct hashtable *t, const char *key);
/* The key must not be there yet; it is borrowed. */
void hashtable_add(struct hashtable *t, struct hashnode *n, const char *key);
void hashtable_remove(struct hashtable *t, struct hashnode *n);
size_t hashtable_count(const struct hashtable *t);
/* In order of insertion; NULL: none behind it. */
struct hashnode *hashtable_next(const struct hashnode *n);

#endif
