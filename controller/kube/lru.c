/*
 * Chained hash table whose entries also form a list from the most to the least
 * recently used one.
 */
#include "lru.h"

#include <stdalign.h>

#include "base/mem.h"

#define BUCKETS 512u /* a power of two */

struct entry {
	struct entry *chain; /* in the bucket */
	struct entry *newer, *older;
	uint64_t key;
	alignas(max_align_t) unsigned char value[];
};

struct lru {
	struct entry *buckets[BUCKETS];
	struct entry *newest, *oldest;
	size_t count, max, value_size;
};

struct lru *
lru_new(size_t max, size_t value_size)
{
	struct lru *l = xcalloc(1, sizeof(*l));

	l->max = max > 0 ? max : 1;
	l->value_size = value_size;
	return l;
}

void
lru_free(struct lru *l)
{
	struct entry *e, *older;

	if (l == NULL)
		return;
	for (e = l->newest; e != NULL; e = older) {
		older = e->older;
		mem_free_wiped(e);
	}
	mem_free_wiped(l);
}

size_t
lru_count(const struct lru *l)
{
	return l->count;
}

static struct entry **
bucket(struct lru *l, uint64_t key)
{
	return &l->buckets[key & (BUCKETS - 1)];
}

static void
unlink_age(struct lru *l, struct entry *e)
{
	if (e->newer != NULL)
		e->newer->older = e->older;
	else
		l->newest = e->older;
	if (e->older != NULL)
		e->older->newer = e->newer;
	else
		l->oldest = e->newer;
}

static void
link_newest(struct lru *l, struct entry *e)
{
	e->newer = NULL;
	e->older = l->newest;
	if (l->newest != NULL)
		l->newest->newer = e;
	else
		l->oldest = e;
	l->newest = e;
}

static void
evict_oldest(struct lru *l)
{
	struct entry *e = l->oldest;
	struct entry **at = bucket(l, e->key);

	while (*at != e)
		at = &(*at)->chain;
	*at = e->chain;
	unlink_age(l, e);
	mem_free_wiped(e);
	l->count--;
}

static struct entry *
insert(struct lru *l, uint64_t key)
{
	struct entry *e;

	if (l->count == l->max)
		evict_oldest(l);
	e = xcalloc(1, sizeof(*e) + l->value_size);
	e->key = key;
	e->chain = *bucket(l, key);
	*bucket(l, key) = e;
	l->count++;
	return e;
}

void *
lru_use(struct lru *l, uint64_t key, bool *fresh)
{
	struct entry *e = *bucket(l, key);

	while (e != NULL && e->key != key)
		e = e->chain;
	*fresh = e == NULL;
	if (e == NULL)
		e = insert(l, key);
	else
		unlink_age(l, e);
	link_newest(l, e);
	return e->value;
}
