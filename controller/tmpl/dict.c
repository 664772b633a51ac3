/*
 * Go's maps with string keys: entries in one array, found through a table of
 * their places once there are more than a few; sorted when somebody asks.
 */
#include "dict.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* Up to here a look at each entry is quicker than a hash. */
#define LINEAR_MAX  8
#define ENTRIES_MAX (UINT32_MAX / 4)

struct dict {
	struct dict_entry *entries;
	uint32_t len;
	uint32_t cap;
	uint32_t *slots; /* place + 1 of an entry, 0: free; NULL: no table */
	uint32_t nslots; /* a power of two */
	size_t keybytes; /* of all keys together */
	bool sorted;
};

int
dict_new(struct env *e, const struct type *type, struct value *ret)
{
	struct dict *m = env_alloc(e, sizeof(*m));

	if (m == NULL)
		return -1;
	m->sorted = true;
	*ret = (struct value) { .type = type };
	ret->u.m = m;
	return 0;
}

size_t
dict_len(const struct value *m)
{
	return m->u.m == NULL ? 0 : m->u.m->len;
}

static int
compare(const char *a, size_t alen, const char *b, size_t blen)
{
	size_t n = alen < blen ? alen : blen;
	int c = n == 0 ? 0 : memcmp(a, b, n);

	if (c != 0)
		return c;
	return alen < blen ? -1 : alen > blen;
}

static bool
is_key(const struct dict_entry *e, const char *key, size_t keylen)
{
	return e->keylen == keylen &&
	    (keylen == 0 || memcmp(e->key, key, keylen) == 0);
}

static struct dict_entry *
find(const struct dict *m, const char *key, size_t keylen)
{
	uint32_t mask, i;

	if (m->slots == NULL) {
		for (i = 0; i < m->len; i++) {
			if (is_key(&m->entries[i], key, keylen))
				return &m->entries[i];
		}
		return NULL;
	}
	mask = m->nslots - 1;
	for (i = (uint32_t)hash_bytes(key, keylen) & mask; m->slots[i] != 0;
	     i = (i + 1) & mask) {
		if (is_key(&m->entries[m->slots[i] - 1], key, keylen))
			return &m->entries[m->slots[i] - 1];
	}
	return NULL;
}

static void
slot_put(struct dict *m, uint32_t place)
{
	const struct dict_entry *e = &m->entries[place];
	uint32_t mask = m->nslots - 1;
	uint32_t i = (uint32_t)hash_bytes(e->key, e->keylen) & mask;

	while (m->slots[i] != 0)
		i = (i + 1) & mask;
	m->slots[i] = place + 1;
}

/* Work on each entry: few that have long keys cost as much as many. */
static uint64_t
steps_for_all(const struct dict *m)
{
	return m->len / 16 + m->keybytes / ENV_BYTES_PER_STEP;
}

static void
reindex(struct dict *m)
{
	if (m->slots == NULL)
		return;
	memset(m->slots, 0, m->nslots * sizeof(*m->slots));
	for (uint32_t i = 0; i < m->len; i++)
		slot_put(m, i);
}

static int
grow(struct env *e, struct dict *m)
{
	uint32_t cap = m->cap == 0 ? LINEAR_MAX : 2 * m->cap;
	struct dict_entry *entries;

	if (cap > ENTRIES_MAX)
		return env_exhaust(e, "memory");
	if (env_step(e, steps_for_all(m)) < 0)
		return -1;
	entries = env_allocarray(e, cap, sizeof(*entries));
	if (entries == NULL)
		return -1;
	if (m->len > 0)
		memcpy(entries, m->entries, m->len * sizeof(*entries));
	m->entries = entries;
	if (cap > LINEAR_MAX) {
		m->slots =
		    env_allocarray(e, 2 * (size_t)cap, sizeof(*m->slots));
		if (m->slots == NULL)
			return -1;
		m->nslots = 2 * cap;
	}
	m->cap = cap;
	reindex(m);
	return 0;
}

bool
dict_get(
    const struct value *m, const char *key, size_t keylen, struct value *ret)
{
	const struct dict_entry *e;

	if (m->u.m == NULL)
		return false;
	e = find(m->u.m, key, keylen);
	if (e == NULL)
		return false;
	*ret = value_concrete(e->value);
	return true;
}

bool
dict_has(const struct value *m, const char *key, size_t keylen)
{
	return m->u.m != NULL && find(m->u.m, key, keylen) != NULL;
}

static int
insert(struct env *e, struct dict *m, const char *key, size_t keylen,
    struct value v)
{
	const struct dict_entry *last;

	if (m->len == m->cap && grow(e, m) < 0)
		return -1;
	if (m->sorted && m->len > 0) {
		last = &m->entries[m->len - 1];
		m->sorted = compare(last->key, last->keylen, key, keylen) < 0;
	}
	m->entries[m->len] = (struct dict_entry) { key, keylen, v };
	m->len++;
	m->keybytes += keylen;
	if (m->slots != NULL)
		slot_put(m, m->len - 1);
	return 0;
}

int
dict_set(struct env *e, const struct value *m, const char *key, size_t keylen,
    struct value v)
{
	struct dict_entry *have;

	if (m->u.m == NULL)
		return env_fail(e, "assignment to entry in nil map");
	if (env_step(e, 1 + keylen / ENV_BYTES_PER_STEP) < 0)
		return -1;
	v.iface = m->type->elem == &type_any;
	have = find(m->u.m, key, keylen);
	if (have == NULL)
		return insert(e, m->u.m, key, keylen, v);
	have->value = v;
	return 0;
}

int
dict_delete(
    struct env *e, const struct value *m, const char *key, size_t keylen)
{
	struct dict *d = m->u.m;
	struct dict_entry *have;
	size_t behind;

	if (d == NULL)
		return 0;
	have = find(d, key, keylen);
	if (have == NULL)
		return 0;
	behind = d->len - 1 - (size_t)(have - d->entries);
	if (env_step(e, 1 + steps_for_all(d)) < 0)
		return -1;
	d->keybytes -= have->keylen;
	memmove(have, have + 1, behind * sizeof(*have));
	d->len--;
	reindex(d);
	return 0;
}

static int
by_key(const void *a, const void *b)
{
	const struct dict_entry *x = a, *y = b;

	return compare(x->key, x->keylen, y->key, y->keylen);
}

static int
sort(struct env *e, struct dict *d)
{
	uint64_t rounds = 1;

	for (uint32_t n = d->len; n > 1; n /= 2)
		rounds++;
	if (env_step(e, d->len + rounds * steps_for_all(d)) < 0)
		return -1;
	qsort(d->entries, d->len, sizeof(*d->entries), by_key);
	d->sorted = true;
	reindex(d);
	return 0;
}

int
dict_entries(struct env *e, const struct value *m, struct dict_entry **ret)
{
	struct dict *d = m->u.m;
	struct dict_entry *copy;
	size_t len = dict_len(m);

	if (env_step(e, 1 + len / 4) < 0)
		return -1;
	/* Whoever asks for them looks at the keys. */
	if (len > 0 && env_step(e, steps_for_all(d)) < 0)
		return -1;
	copy = env_allocarray(e, len, sizeof(*copy));
	if (copy == NULL)
		return -1;
	if (len > 0 && !d->sorted && sort(e, d) < 0)
		return -1;
	if (len > 0)
		memcpy(copy, d->entries, len * sizeof(*copy));
	*ret = copy;
	return 0;
}
