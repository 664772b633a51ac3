/*
 * Which keys are needed. See usage.h.
 */
#include "usage.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

#define BUCKETS_FIRST 16

struct usage_mix {
	uint64_t objects;
	uint64_t hash;
	uint32_t next; /* number in the same bucket; 0: none */
	size_t n;
	struct registry_use use[]; /* sorted by key */
};

void
usage_release(struct usage *u)
{
	for (size_t i = 0; i < u->nmixes; i++)
		mem_free_wiped(u->mixes[i]);
	mem_free_wiped(u->mixes);
	mem_free_wiped(u->buckets);
	mem_free_wiped(u->keys);
	*u = (struct usage) { .nkeys = 0 };
}

/* Keys. */

struct usage_key *
usage_find(struct usage *u, uint32_t id)
{
	for (size_t i = 0; i < u->nkeys; i++)
		if (u->keys[i].id == id)
			return &u->keys[i];
	return NULL;
}

uint32_t
usage_id(struct usage *u, const char *fingerprint)
{
	struct usage_key *k;

	for (size_t i = 0; i < u->nkeys; i++)
		if (strcmp(u->keys[i].fingerprint, fingerprint) == 0)
			return u->keys[i].id;
	do
		u->last_id++;
	while (u->last_id == 0 || u->last_id == REGISTRY_USE_UNTRIED ||
	    usage_find(u, u->last_id) != NULL);
	u->keys = xreallocarray(u->keys, u->nkeys + 1, sizeof(*u->keys));
	k = &u->keys[u->nkeys++];
	*k = (struct usage_key) { .id = u->last_id };
	(void)snprintf(
	    k->fingerprint, sizeof(k->fingerprint), "%s", fingerprint);
	return k->id;
}

void
usage_forget(struct usage *u, bool (*keep)(const void *ctx, uint32_t id),
    const void *ctx)
{
	size_t kept = 0;

	for (size_t i = 0; i < u->nkeys; i++)
		if (u->keys[i].items > 0 || keep(ctx, u->keys[i].id))
			u->keys[kept++] = u->keys[i];
	u->nkeys = kept;
}

/* Mixes. */

static uint32_t *
bucket(const struct usage *u, uint64_t hash)
{
	return &u->buckets[hash & (u->nbuckets - 1)];
}

static void
link_mix(struct usage *u, uint32_t number)
{
	struct usage_mix *m = u->mixes[number - 1];
	uint32_t *head = bucket(u, m->hash);

	m->next = *head;
	*head = number;
}

static void
unlink_mix(struct usage *u, uint32_t number)
{
	uint32_t *at = bucket(u, u->mixes[number - 1]->hash);

	while (*at != number)
		at = &u->mixes[*at - 1]->next;
	*at = u->mixes[number - 1]->next;
}

static void
grow_buckets(struct usage *u)
{
	if (u->used < u->nbuckets)
		return;
	mem_free_wiped(u->buckets);
	u->nbuckets = u->nbuckets == 0 ? BUCKETS_FIRST : 2 * u->nbuckets;
	u->buckets = xcalloc(u->nbuckets, sizeof(*u->buckets));
	for (size_t i = 0; i < u->nmixes; i++)
		if (u->mixes[i] != NULL)
			link_mix(u, (uint32_t)(i + 1));
}

static uint32_t
find_mix(const struct usage *u, const struct registry_uses *uses, uint64_t hash)
{
	uint32_t at = u->nbuckets == 0 ? 0 : *bucket(u, hash);

	for (; at != 0; at = u->mixes[at - 1]->next) {
		const struct usage_mix *m = u->mixes[at - 1];

		if (m->hash == hash && m->n == uses->n &&
		    (m->n == 0 ||
			memcmp(m->use, uses->use, m->n * sizeof(m->use[0])) ==
			    0))
			return at;
	}
	return 0;
}

/* The lowest number that is free. */
static uint32_t
free_number(struct usage *u)
{
	size_t i = u->lowest_free;

	while (i < u->nmixes && u->mixes[i] != NULL)
		i++;
	if (i == u->nmixes) {
		u->nmixes = u->nmixes == 0 ? BUCKETS_FIRST : 2 * u->nmixes;
		u->mixes =
		    xreallocarray(u->mixes, u->nmixes, sizeof(*u->mixes));
		for (size_t j = i; j < u->nmixes; j++)
			u->mixes[j] = NULL;
	}
	u->lowest_free = i + 1;
	return (uint32_t)(i + 1);
}

static uint32_t
add_mix(struct usage *u, const struct registry_uses *uses, uint64_t hash)
{
	size_t size = uses->n * sizeof(uses->use[0]);
	struct usage_mix *m = xcalloc(1, sizeof(*m) + size);
	uint32_t number;

	m->hash = hash;
	m->n = uses->n;
	if (size > 0)
		memcpy(m->use, uses->use, size);
	grow_buckets(u);
	number = free_number(u);
	u->mixes[number - 1] = m;
	u->used++;
	link_mix(u, number);
	return number;
}

static void
count(struct usage *u, const struct usage_mix *m, bool more)
{
	for (size_t i = 0; i < m->n; i++) {
		struct usage_key *k = usage_find(u, m->use[i].key);
		uint64_t *sum = k != NULL ? &k->items : NULL;

		if (m->use[i].key == REGISTRY_USE_UNTRIED)
			sum = &u->untried;
		if (sum == NULL)
			continue;
		if (more)
			*sum += m->use[i].items;
		else
			*sum -= m->use[i].items;
	}
}

uint32_t
usage_take(struct usage *u, const struct registry_uses *uses)
{
	uint64_t hash = hash_bytes(uses->use, uses->n * sizeof(uses->use[0]));
	uint32_t number = find_mix(u, uses, hash);

	if (number == 0)
		number = add_mix(u, uses, hash);
	u->mixes[number - 1]->objects++;
	count(u, u->mixes[number - 1], true);
	return number;
}

void
usage_give(struct usage *u, uint32_t mix)
{
	struct usage_mix *m;

	if (mix == 0)
		return;
	m = u->mixes[mix - 1];
	count(u, m, false);
	if (--m->objects > 0)
		return;
	unlink_mix(u, mix);
	u->mixes[mix - 1] = NULL;
	u->used--;
	if (mix - 1 < u->lowest_free)
		u->lowest_free = mix - 1;
	mem_free_wiped(m);
}

bool
usage_lacks_keys(const struct usage *u, uint32_t mix)
{
	const struct usage_mix *m = mix != 0 ? u->mixes[mix - 1] : NULL;

	/* Sorted, and 0 stands for no key. */
	return m != NULL && m->n > 0 && m->use[0].key == 0;
}
