/*
 * The set of sealing keys. Names (of key Secrets) point to keys; what readers
 * need is a sorted, immutable, reference-counted set that is made anew by each
 * change, so that the lock is held for a few lines and RSA runs without it.
 */
#include "keystore/registry.h"

#include <stdatomic.h>

#include "base/mem.h"
#include "base/thread.h"
#include "keystore/seal.h"
#include "private.h"

#define NAME_MAX_LEN (sizeof(((struct registry_current *)0)->name) - 1)

struct entry {
	char *name;
	struct keypair *kp;
	struct registry_attrs attrs;
	uint32_t id; /* the same for the same public key; never 0 */
};

/* What is counted for a public key. */
struct tally {
	uint32_t id;
	char fingerprint[KEYPAIR_FINGERPRINT_MAX];
	uint64_t opened;
};

struct keyset {
	atomic_uint refs;
	size_t n;
	struct key {
		struct keypair *kp;
		uint32_t id;
	} key[];
};

struct registry {
	const struct clock *clock;
	struct mutex mu;
	/* guarded by mu: */
	struct entry *entries; /* sorted, newest first */
	size_t n;
	struct keyset *set; /* the distinct keys of entries, same order */
	struct tally *tallies;
	size_t ntallies;
	uint32_t last_id; /* last one given to a key */
	uint32_t last_hit;
	uint64_t generation;
};

/* The immutable set. */

static void
keyset_free(struct keyset *set)
{
	if (set == NULL ||
	    atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < set->n; i++)
		keypair_free(set->key[i].kp);
	mem_free_wiped(set);
}

DEFINE_AUTO(keyset);

static const struct key *
keyset_find(const struct keyset *set, uint32_t id)
{
	for (size_t i = 0; id != 0 && i < set->n; i++)
		if (set->key[i].id == id)
			return &set->key[i];
	return NULL;
}

static struct keyset *
keyset_of(const struct entry *entries, size_t n)
{
	struct keyset *set = xcalloc(1, sizeof(*set) + n * sizeof(set->key[0]));

	atomic_init(&set->refs, 1);
	for (size_t i = 0; i < n; i++) {
		if (keyset_find(set, entries[i].id) != NULL)
			continue;
		set->key[set->n].kp = keypair_ref(entries[i].kp);
		set->key[set->n++].id = entries[i].id;
	}
	return set;
}

static struct keyset *
take_set(struct registry *r, uint32_t *last_hit)
{
	struct keyset *set;

	mutex_lock(&r->mu);
	set = r->set;
	atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
	*last_hit = r->last_hit;
	mutex_unlock(&r->mu);
	return set;
}

/* Life cycle. */

struct registry *
registry_new(const struct clock *clock)
{
	struct registry *r = xcalloc(1, sizeof(*r));

	mutex_init(&r->mu);
	r->clock = clock;
	r->set = keyset_of(NULL, 0);
	return r;
}

static void
entry_release(struct entry *e)
{
	mem_free_wiped(e->name);
	keypair_free(e->kp);
}

void
registry_free(struct registry *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->n; i++)
		entry_release(&r->entries[i]);
	mem_free_wiped(r->entries);
	mem_free_wiped(r->tallies);
	keyset_free(r->set);
	mutex_destroy(&r->mu);
	mem_free_wiped(r);
}

/* Changes. */

/* Newest first; among equals whatever every replica finds the same way. */
static int
compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int c;

	if (x->attrs.order_s != y->attrs.order_s)
		return x->attrs.order_s > y->attrs.order_s ? -1 : 1;
	c = strcmp(keypair_fingerprint(x->kp), keypair_fingerprint(y->kp));
	return c != 0 ? c : strcmp(x->name, y->name);
}

static struct entry *
find_locked(struct registry *r, const char *name) REQUIRES(r->mu)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->entries[i].name, name) == 0)
			return &r->entries[i];
	return NULL;
}

static struct tally *
tally_locked(struct registry *r, uint32_t id) REQUIRES(r->mu)
{
	for (size_t i = 0; i < r->ntallies; i++)
		if (r->tallies[i].id == id)
			return &r->tallies[i];
	return NULL;
}

/* Those of keys that are gone. */
static void
drop_tallies_locked(struct registry *r) REQUIRES(r->mu)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->ntallies; i++)
		if (keyset_find(r->set, r->tallies[i].id) != NULL)
			r->tallies[kept++] = r->tallies[i];
	r->ntallies = kept;
}

/* After a change of the entries. The caller frees the old set, unlocked. */
static struct keyset *
changed_locked(struct registry *r) REQUIRES(r->mu)
{
	struct keyset *old = r->set;

	if (r->n > 1)
		qsort(r->entries, r->n, sizeof(*r->entries), compare);
	r->set = keyset_of(r->entries, r->n);
	drop_tallies_locked(r);
	r->generation++;
	return old;
}

static uint32_t
id_for_locked(struct registry *r, const struct keypair *kp) REQUIRES(r->mu)
{
	const char *fp = keypair_fingerprint(kp);
	struct tally *t;

	for (size_t i = 0; i < r->ntallies; i++)
		if (strcmp(r->tallies[i].fingerprint, fp) == 0)
			return r->tallies[i].id;
	do
		r->last_id++;
	while (r->last_id == 0 || tally_locked(r, r->last_id) != NULL);
	r->tallies =
	    xreallocarray(r->tallies, r->ntallies + 1, sizeof(*r->tallies));
	t = &r->tallies[r->ntallies++];
	*t = (struct tally) { .id = r->last_id };
	(void)snprintf(t->fingerprint, sizeof(t->fingerprint), "%s", fp);
	return t->id;
}

static bool
same_attrs(const struct registry_attrs *a, const struct registry_attrs *b)
{
	return a->order_s == b->order_s &&
	    a->active_from_s == b->active_from_s &&
	    a->backed_up == b->backed_up && a->backed_up_s == b->backed_up_s;
}

static bool
same(const struct entry *a, const struct entry *b)
{
	return same_attrs(&a->attrs, &b->attrs) &&
	    strcmp(keypair_fingerprint(a->kp), keypair_fingerprint(b->kp)) ==
	    0 &&
	    strcmp(keypair_cert_pem(a->kp), keypair_cert_pem(b->kp)) == 0;
}

/*
 * Puts *e into the table. What has to be freed without the lock, the replaced
 * entry or the unused new one, comes back in *e.
 */
static int
put_locked(struct registry *r, struct entry *e, struct keyset **old)
    REQUIRES(r->mu)
{
	struct entry *slot = find_locked(r, e->name);
	struct entry replaced = { 0 };

	if (slot != NULL && same(slot, e))
		return 0;
	if (slot == NULL) {
		if (r->n == REGISTRY_KEYS_MAX)
			return -1;
		r->entries =
		    xreallocarray(r->entries, r->n + 1, sizeof(*r->entries));
		slot = &r->entries[r->n++];
	} else
		replaced = *slot;
	e->id = id_for_locked(r, e->kp);
	*slot = *e;
	*e = replaced;
	*old = changed_locked(r);
	return 0;
}

int
registry_put(struct registry *r, const char *name, struct keypair *kp,
    const struct registry_attrs *attrs, struct err *err)
{
	AUTO(keyset) struct keyset *old = NULL;
	struct entry e = { .attrs = *attrs };
	int rc;

	if (name[0] == '\0' || strlen(name) > NAME_MAX_LEN)
		return err_set(err, ERR_INVALID,
		    "name of a key is empty or longer than %zu bytes",
		    NAME_MAX_LEN);
	e.name = xstrdup(name);
	e.kp = keypair_ref(kp);
	mutex_lock(&r->mu);
	rc = put_locked(r, &e, &old);
	mutex_unlock(&r->mu);
	entry_release(&e);
	if (rc < 0)
		return err_set(err, ERR_TOOBIG,
		    "more than %d keys: delete old key secrets",
		    REGISTRY_KEYS_MAX);
	return 0;
}

int
registry_add(struct registry *r, const char *name, struct keypair *kp,
    int64_t order_s, struct err *err)
{
	const struct registry_attrs attrs = { .order_s = order_s };

	return registry_put(r, name, kp, &attrs, err);
}

bool
registry_remove(struct registry *r, const char *name)
{
	AUTO(keyset) struct keyset *old = NULL;
	struct entry gone = { 0 };
	struct entry *slot;

	mutex_lock(&r->mu);
	slot = find_locked(r, name);
	if (slot != NULL) {
		gone = *slot;
		*slot = r->entries[--r->n];
		old = changed_locked(r);
	}
	mutex_unlock(&r->mu);
	entry_release(&gone);
	return old != NULL;
}

static char **
copy_names(struct registry *r, size_t *n)
{
	char **names;

	mutex_lock(&r->mu);
	*n = r->n;
	names = xcalloc(r->n + 1, sizeof(*names));
	for (size_t i = 0; i < r->n; i++)
		names[i] = xstrdup(r->entries[i].name);
	mutex_unlock(&r->mu);
	return names;
}

/* keep() runs without the lock, on a copy of the names. */
size_t
registry_retain(
    struct registry *r, bool (*keep)(void *ctx, const char *name), void *ctx)
{
	size_t n, gone = 0;
	char **names = copy_names(r, &n);

	for (size_t i = 0; i < n; i++) {
		if (!keep(ctx, names[i]) && registry_remove(r, names[i]))
			gone++;
		mem_free_wiped(names[i]);
	}
	mem_free_wiped(names);
	return gone;
}

/* What is in it. */

size_t
registry_count(struct registry *r)
{
	size_t n;

	mutex_lock(&r->mu);
	n = r->set->n;
	mutex_unlock(&r->mu);
	return n;
}

size_t
registry_fingerprints(
    struct registry *r, char (*out)[KEYPAIR_FINGERPRINT_MAX], size_t max)
{
	size_t n;

	mutex_lock(&r->mu);
	n = r->set->n;
	for (size_t i = 0; i < n && i < max; i++)
		(void)snprintf(out[i], sizeof(out[i]), "%s",
		    keypair_fingerprint(r->set->key[i].kp));
	mutex_unlock(&r->mu);
	return n;
}

uint64_t
registry_generation(struct registry *r)
{
	uint64_t generation;

	mutex_lock(&r->mu);
	generation = r->generation;
	mutex_unlock(&r->mu);
	return generation;
}

bool
registry_knows(struct registry *r, const char *name)
{
	bool known;

	mutex_lock(&r->mu);
	known = find_locked(r, name) != NULL;
	mutex_unlock(&r->mu);
	return known;
}

static void
describe(const struct entry *e, struct registry_current *ret)
{
	(void)snprintf(ret->fingerprint, sizeof(ret->fingerprint), "%s",
	    keypair_fingerprint(e->kp));
	(void)snprintf(ret->name, sizeof(ret->name), "%s", e->name);
	ret->order_s = e->attrs.order_s;
	ret->not_before = keypair_not_before(e->kp);
	ret->not_after = keypair_not_after(e->kp);
}

bool
registry_current(struct registry *r, struct registry_current *ret)
{
	bool any;

	mutex_lock(&r->mu);
	any = r->n > 0;
	if (any)
		describe(&r->entries[0], ret);
	mutex_unlock(&r->mu);
	return any;
}

/* Who serves. */

static bool
is_valid(const struct entry *e, int64_t now_s)
{
	return now_s <= keypair_not_after(e->kp);
}

static bool
is_pending(const struct entry *e, int64_t now_s)
{
	return now_s < e->attrs.active_from_s;
}

/*
 * The newest one whose certificate is still good and that is not pending, else
 * the oldest pending one: it waits for nothing but its successor. Where all
 * have expired, the newest, pending or not.
 */
static const struct entry *
serving_locked(struct registry *r, int64_t now_s) REQUIRES(r->mu)
{
	const struct entry *pending = NULL;

	for (size_t i = 0; i < r->n; i++) {
		if (!is_valid(&r->entries[i], now_s))
			continue;
		if (!is_pending(&r->entries[i], now_s))
			return &r->entries[i];
		pending = &r->entries[i];
	}
	return pending != NULL || r->n == 0 ? pending : &r->entries[0];
}

bool
registry_serving(struct registry *r, struct registry_current *ret)
{
	int64_t now_s = clock_wall_s(r->clock);
	const struct entry *e;

	mutex_lock(&r->mu);
	e = serving_locked(r, now_s);
	if (e != NULL)
		describe(e, ret);
	mutex_unlock(&r->mu);
	return e != NULL;
}

/* Whether a time is still to come, and before *next. */
static void
soonest(int64_t *next, int64_t at_s, int64_t now_s)
{
	if (at_s > now_s && at_s < *next)
		*next = at_s;
}

int64_t
registry_next_change_s(struct registry *r)
{
	int64_t now_s = clock_wall_s(r->clock), next = INT64_MAX;

	mutex_lock(&r->mu);
	for (size_t i = 0; i < r->n; i++) {
		const struct entry *e = &r->entries[i];

		soonest(&next, e->attrs.active_from_s, now_s);
		if (keypair_not_after(e->kp) < INT64_MAX)
			soonest(&next, keypair_not_after(e->kp) + 1, now_s);
	}
	mutex_unlock(&r->mu);
	return next;
}

struct keypair *
registry_sealing_key(struct registry *r)
{
	int64_t now_s = clock_wall_s(r->clock);
	const struct entry *e;
	struct keypair *kp;

	mutex_lock(&r->mu);
	e = serving_locked(r, now_s);
	kp = e != NULL ? keypair_ref(e->kp) : NULL;
	mutex_unlock(&r->mu);
	return kp;
}

int
registry_cert_pem(struct registry *r, struct buf *out, struct err *err)
{
	AUTO(keypair) struct keypair *kp = registry_sealing_key(r);
	const char *pem;

	if (kp == NULL)
		return err_set(err, ERR_NOTFOUND, "no sealing key yet");
	pem = keypair_cert_pem(kp);
	return buf_append(out, pem, strlen(pem), err);
}

/* Opening. */

/* The id of the key that opened it, 0 for none. */
static uint32_t
try_keys(const struct keyset *set, const uint32_t first[2],
    const struct seal_input *in, struct secret **ret)
{
	size_t part = seal_key_part(in);
	const struct key *k;

	if (part == 0)
		return 0;
	for (size_t i = 0; i < 2; i++) {
		k = keyset_find(set, first[i]);
		if (k == NULL || (i == 1 && first[1] == first[0]))
			continue;
		if (seal_fits(k->kp, part) && seal_open(k->kp, in, ret) == 0)
			return k->id;
	}
	for (size_t i = 0; i < set->n; i++) {
		k = &set->key[i];
		if (k->id == first[0] || k->id == first[1])
			continue;
		if (seal_fits(k->kp, part) && seal_open(k->kp, in, ret) == 0)
			return k->id;
	}
	return 0;
}

static void
count_hit(struct registry *r, uint32_t hit)
{
	struct tally *t;

	mutex_lock(&r->mu);
	r->last_hit = hit;
	/* The key may have gone meanwhile. */
	t = tally_locked(r, hit);
	if (t != NULL)
		t->opened++;
	mutex_unlock(&r->mu);
}

int
registry_unseal(struct registry *r, uint32_t *hint, const void *label,
    size_t label_len, const void *blob, size_t blob_len, struct secret **ret,
    struct err *err)
{
	const struct seal_input in = { label, label_len, blob, blob_len };
	AUTO(keyset) struct keyset *set = NULL;
	uint32_t first[2] = { *hint, 0 };
	uint32_t hit;

	if (blob_len > SEAL_BLOB_MAX)
		return err_set(err, ERR_TOOBIG,
		    "sealed item is larger than %u bytes", SEAL_BLOB_MAX);
	set = take_set(r, &first[1]);
	hit = try_keys(set, first, &in, ret);
	if (hit == 0)
		return err_set(err, ERR_NOKEY, "no key could decrypt secret");
	*hint = hit;
	count_hit(r, hit);
	return 0;
}

/* For people. */

static void
add_name(struct registry_key *k, const char *name)
{
	k->names = xreallocarray(k->names, k->nnames + 1, sizeof(*k->names));
	k->names[k->nnames++] = xstrdup(name);
}

/* The first entry of a key describes it; others add to it. */
static void
describe_key(struct registry_key *k, const struct entry *e)
{
	bool first = k->nnames == 0;

	add_name(k, e->name);
	if (first) {
		(void)snprintf(k->fingerprint, sizeof(k->fingerprint), "%s",
		    keypair_fingerprint(e->kp));
		k->not_before = keypair_not_before(e->kp);
		k->not_after = keypair_not_after(e->kp);
		k->order_s = e->attrs.order_s;
	}
	if (first || e->attrs.active_from_s < k->active_from_s)
		k->active_from_s = e->attrs.active_from_s;
	k->backed_up = k->backed_up || e->attrs.backed_up;
	if (e->attrs.backed_up_s > k->backed_up_s)
		k->backed_up_s = e->attrs.backed_up_s;
}

static size_t
place_of(const struct keyset *set, uint32_t id)
{
	return (size_t)(keyset_find(set, id) - set->key);
}

static void
list_locked(struct registry *r, struct registry_listing *ret, int64_t now_s)
    REQUIRES(r->mu)
{
	const struct entry *serving = serving_locked(r, now_s);

	ret->n = r->set->n;
	ret->key = xcalloc(ret->n + 1, sizeof(*ret->key));
	for (size_t i = 0; i < r->n; i++)
		describe_key(&ret->key[place_of(r->set, r->entries[i].id)],
		    &r->entries[i]);
	for (size_t i = 0; i < ret->n; i++) {
		struct registry_key *k = &ret->key[i];
		uint32_t id = r->set->key[i].id;
		const struct tally *t = tally_locked(r, id);

		k->seals = serving != NULL && serving->id == id;
		k->pending = !k->seals && now_s < k->active_from_s;
		k->expired = now_s > k->not_after;
		k->opened = t != NULL ? t->opened : 0;
	}
}

void
registry_list(struct registry *r, struct registry_listing *ret)
{
	int64_t now_s = clock_wall_s(r->clock);

	*ret = (struct registry_listing) { .n = 0 };
	mutex_lock(&r->mu);
	list_locked(r, ret, now_s);
	mutex_unlock(&r->mu);
}

void
registry_listing_release(struct registry_listing *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct registry_key *k = &l->key[i];

		for (size_t j = 0; j < k->nnames; j++)
			mem_free_wiped(k->names[j]);
		mem_free_wiped(k->names);
		mem_free_wiped(k->namespaces);
	}
	mem_free_wiped(l->key);
	*l = (struct registry_listing) { .n = 0 };
}
