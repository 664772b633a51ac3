/*
 * uthash, set up for tables whose keys come from users: keyed hash, memory
 * that is there or aborts, no way out through exit().
 */
#ifndef CACHE_HASHTABLE_H
#define CACHE_HASHTABLE_H

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"

#define HASH_FUNCTION(key, len, hashv) \
	((hashv) = (unsigned)hash_bytes((key), (len)))
#define uthash_malloc(size)    xmalloc(size)
#define uthash_free(ptr, size) free(ptr)
#define uthash_fatal(msg)      abort()

#include <uthash.h>

#endif
