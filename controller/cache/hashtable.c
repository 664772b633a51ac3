/*
 * The only place where uthash's macros expand.
 */
#include "hashtable.h"

#include <string.h>

/* Long after expansion, not in the source. */
/* NOLINTBEGIN(readability-function-size) */
struct hashnode *
hashtable_find(const struct hashtable *t, const char *key)
{
	struct hashnode *n;

	HASH_FIND(hh, t->first, key, strlen(key), n);
	return n;
}

void
hashtable_add(struct hashtable *t, struct hashnode *n, const char *key)
{
	HASH_ADD_KEYPTR(hh, t->first, key, strlen(key), n);
}

void
hashtable_remove(struct hashtable *t, struct hashnode *n)
{
	HASH_DEL(t->first, n);
}
/* NOLINTEND(readability-function-size) */

size_t
hashtable_count(const struct hashtable *t)
{
	return HASH_COUNT(t->first);
}

struct hashnode *
hashtable_next(const struct hashnode *n)
{
	return n->hh.next;
}
