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
	int64_t order_s;
	uint32_t id; /* the same for the same public key; never 0 */
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
	uint32_t last_id;   /* last one given to a key */
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

	if (x->order_s != y->order_s)
		return x->order_s > y->order_s ? -1 : 1;
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

/* After a change of the entries. The caller frees the old set, unlocked. */
static struct keyset *
changed_locked(struct registry *r) REQUIRES(r->mu)
{
	struct keyset *old = r->set;

	if (r->n > 1)
		qsort(r->entries, r->n, sizeof(*r->entries), compare);
	r->set = keyset_of(r->entries, r->n);
	r->generation++;
	return old;
}

static uint32_t
id_for_locked(struct registry *r, const struct keypair *kp) REQUIRES(r->mu)
{
	const char *fp = keypair_fingerprint(kp);

	for (size_t i = 0; i < r->set->n; i++)
		if (strcmp(keypair_fingerprint(r->set->key[i].kp), fp) == 0)
			return r->set->key[i].id;
	do
		r->last_id++;
	while (r->last_id == 0 || keyset_find(r->set, r->last_id) != NULL);
	return r->last_id;
}

static bool
same(const struct entry *e, const struct keypair *kp, int64_t order_s)
{
	return e->order_s == order_s &&
	    strcmp(keypair_fingerprint(e->kp), keypair_fingerprint(kp)) == 0 &&
	    strcmp(keypair_cert_pem(e->kp), keypair_cert_pem(kp)) == 0;
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

	if (slot != NULL && same(slot, e->kp, e->order_s))
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
registry_add(struct registry *r, const char *name, struct keypair *kp,
    int64_t order_s, struct err *err)
{
	AUTO(keyset) struct keyset *old = NULL;
	struct entry e = { .order_s = order_s };
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
registry_current(struct registry *r, struct registry_current *ret)
{
	const struct entry *e;
	bool any;

	mutex_lock(&r->mu);
	any = r->n > 0;
	if (any) {
		e = &r->entries[0];
		(void)snprintf(ret->fingerprint, sizeof(ret->fingerprint), "%s",
		    keypair_fingerprint(e->kp));
		(void)snprintf(ret->name, sizeof(ret->name), "%s", e->name);
		ret->order_s = e->order_s;
		ret->not_before = keypair_not_before(e->kp);
		ret->not_after = keypair_not_after(e->kp);
	}
	mutex_unlock(&r->mu);
	return any;
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

/* The newest one whose certificate is still good, else the newest. */
static struct keypair *
serving_locked(struct registry *r, int64_t now_s) REQUIRES(r->mu)
{
	for (size_t i = 0; i < r->n; i++)
		if (now_s <= keypair_not_after(r->entries[i].kp))
			return keypair_ref(r->entries[i].kp);
	return r->n > 0 ? keypair_ref(r->entries[0].kp) : NULL;
}

struct keypair *
registry_sealing_key(struct registry *r)
{
	int64_t now_s = clock_wall_s(r->clock);
	struct keypair *kp;

	mutex_lock(&r->mu);
	kp = serving_locked(r, now_s);
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
	if (hit != first[1]) {
		mutex_lock(&r->mu);
		r->last_hit = hit;
		mutex_unlock(&r->mu);
	}
	return 0;
}
