/*
 * The set of sealing keys. Names (of key Secrets) point to keys; what readers
 * need is a sorted, immutable, reference-counted set that is made anew by each
 * change, so that the lock is held for a few lines and RSA runs without it.
 */
#include "keystore/registry.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/thread.h"
#include "keyset.h"
#include "keystore/seal.h"
#include "opener.h"
#include "usage.h"

#define NAME_MAX_LEN (sizeof(((struct registry_current *)0)->name) - 1)

struct entry {
	char *name;
	struct keypair *kp;
	struct registry_attrs attrs; /* with a reference to the rule */
	uint32_t id;  /* the same for the same public key; never 0 */
	size_t place; /* of its key in the set */
};

struct registry {
	const struct clock *clock;
	struct opener opener;
	uint64_t (*unknown)(void *ctx);
	void *unknown_ctx;
	struct mutex mu;
	/* guarded by mu: */
	struct entry *entries; /* sorted, newest first */
	size_t n;
	struct keyset *set; /* the distinct keys of entries, same order */
	struct usage usage;
	uint64_t generation;
};

/* Notes in the entries where their keys are. */
static struct keyset *
set_of(struct entry *entries, size_t n)
{
	struct keyset *set = keyset_new(n);

	for (size_t i = 0; i < n; i++) {
		struct entry *e = &entries[i];

		e->place = keyset_add(
		    set, e->id, e->kp, e->attrs.order_s, e->attrs.rule);
	}
	return set;
}

static struct keyset *
take_set(struct registry *r)
{
	struct keyset *set;

	mutex_lock(&r->mu);
	set = keyset_ref(r->set);
	mutex_unlock(&r->mu);
	return set;
}

/* Life cycle. */

struct registry *
registry_new(const struct clock *clock)
{
	struct registry *r = xcalloc(1, sizeof(*r));

	mutex_init(&r->mu);
	opener_init(&r->opener);
	r->clock = clock;
	r->set = set_of(NULL, 0);
	return r;
}

static void
entry_release(struct entry *e)
{
	mem_free_wiped(e->name);
	keypair_free(e->kp);
	nsrule_free(e->attrs.rule);
}

void
registry_free(struct registry *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->n; i++)
		entry_release(&r->entries[i]);
	mem_free_wiped(r->entries);
	usage_release(&r->usage);
	keyset_free(r->set);
	opener_release(&r->opener);
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

static bool
in_set(const void *ctx, uint32_t id)
{
	return keyset_find(ctx, id) != NULL;
}

/* After a change of the entries. The caller frees the old set, unlocked. */
static struct keyset *
changed_locked(struct registry *r) REQUIRES(r->mu)
{
	struct keyset *old = r->set;

	if (r->n > 1)
		qsort(r->entries, r->n, sizeof(*r->entries), compare);
	r->set = set_of(r->entries, r->n);
	usage_forget(&r->usage, in_set, r->set);
	r->generation++;
	return old;
}

static bool
same_attrs(const struct registry_attrs *a, const struct registry_attrs *b)
{
	return a->order_s == b->order_s &&
	    a->active_from_s == b->active_from_s &&
	    a->backed_up == b->backed_up && a->backed_up_s == b->backed_up_s &&
	    keyset_same_rule(a->rule, b->rule);
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
	e->id = usage_id(&r->usage, keypair_fingerprint(e->kp));
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
	(void)nsrule_ref(e.attrs.rule);
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
pick_locked(struct registry *r, int64_t now_s, const struct keyset_key *like)
    REQUIRES(r->mu)
{
	const struct entry *pending = NULL, *newest = NULL;

	for (size_t i = 0; i < r->n; i++) {
		const struct entry *e = &r->entries[i];

		if (!keyset_is_like(&r->set->key[e->place], like))
			continue;
		if (newest == NULL)
			newest = e;
		if (!is_valid(e, now_s))
			continue;
		if (!is_pending(e, now_s))
			return e;
		pending = e;
	}
	return pending != NULL ? pending : newest;
}

bool
registry_current(struct registry *r, struct registry_current *ret)
{
	const struct entry *e = NULL;

	mutex_lock(&r->mu);
	for (size_t i = 0; e == NULL && i < r->n; i++)
		if (keyset_is_like(&r->set->key[r->entries[i].place], NULL))
			e = &r->entries[i];
	if (e != NULL)
		describe(e, ret);
	mutex_unlock(&r->mu);
	return e != NULL;
}

bool
registry_serving(struct registry *r, struct registry_current *ret)
{
	int64_t now_s = clock_wall_s(r->clock);
	const struct entry *e;

	mutex_lock(&r->mu);
	e = pick_locked(r, now_s, NULL);
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
	e = pick_locked(r, now_s, NULL);
	kp = e != NULL ? keypair_ref(e->kp) : NULL;
	mutex_unlock(&r->mu);
	return kp;
}

struct keypair *
registry_resealing_key(struct registry *r, uint32_t hint)
{
	int64_t now_s = clock_wall_s(r->clock);
	const struct entry *e = NULL;
	struct keypair *kp;
	const struct keyset_key *k;

	mutex_lock(&r->mu);
	k = keyset_find(r->set, hint);
	if (k != NULL)
		e = pick_locked(r, now_s, k->nrules > 0 ? k : NULL);
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

void
registry_set_labels(struct registry *r,
    bool (*fits)(void *ctx, const char *ns, const struct nsrule *rule),
    void *ctx)
{
	r->opener.fits = fits;
	r->opener.fits_ctx = ctx;
}

static void
count_hit(struct registry *r, uint32_t hit)
{
	struct usage_key *k;

	mutex_lock(&r->mu);
	/* The key may have gone meanwhile. */
	k = usage_find(&r->usage, hit);
	if (k != NULL)
		k->opened++;
	mutex_unlock(&r->mu);
}

int
registry_open(struct registry *r, const struct registry_sealed *sealed,
    uint32_t *hint, struct secret **ret, struct err *err)
{
	AUTO(keyset) struct keyset *set = NULL;
	size_t hit;

	if (sealed->blob_len > SEAL_BLOB_MAX)
		return err_set(err, ERR_TOOBIG,
		    "sealed item is larger than %u bytes", SEAL_BLOB_MAX);
	set = take_set(r);
	hit = opener_open(&r->opener, set, sealed, *hint, ret);
	if (hit == ORDER_NONE)
		return err_set(err, ERR_NOKEY, "no key could decrypt secret");
	*hint = set->key[hit].id;
	count_hit(r, *hint);
	return 0;
}

/* Which keys live objects need. */

void
registry_uses_add(struct registry_uses *uses, uint32_t key)
{
	size_t i = 0;

	while (i < uses->n && uses->use[i].key < key)
		i++;
	if (i == uses->n || uses->use[i].key != key) {
		uses->use =
		    xreallocarray(uses->use, uses->n + 1, sizeof(*uses->use));
		memmove(&uses->use[i + 1], &uses->use[i],
		    (uses->n - i) * sizeof(*uses->use));
		uses->use[i] = (struct registry_use) { .key = key };
		uses->n++;
	}
	uses->use[i].items++;
}

void
registry_uses_release(struct registry_uses *uses)
{
	mem_free_wiped(uses->use);
	*uses = (struct registry_uses) { .n = 0 };
}

static bool
are_kept_locked(struct registry *r, const struct registry_uses *uses)
    REQUIRES(r->mu)
{
	for (size_t i = 0; i < uses->n; i++) {
		uint32_t key = uses->use[i].key;

		if (key != 0 && key != REGISTRY_USE_UNTRIED &&
		    usage_find(&r->usage, key) == NULL)
			return false;
	}
	return true;
}

uint32_t
registry_count_uses(struct registry *r, const struct registry_uses *uses)
{
	uint32_t number = 0;

	mutex_lock(&r->mu);
	if (are_kept_locked(r, uses))
		number = usage_take(&r->usage, uses);
	mutex_unlock(&r->mu);
	return number;
}

void
registry_release_uses(struct registry *r, uint32_t uses)
{
	if (uses == 0)
		return;
	mutex_lock(&r->mu);
	usage_give(&r->usage, uses);
	if (r->usage.nkeys > r->set->n)
		usage_forget(&r->usage, in_set, r->set);
	mutex_unlock(&r->mu);
}

bool
registry_uses_lack_keys(struct registry *r, uint32_t uses)
{
	bool yes;

	if (uses == 0)
		return false;
	mutex_lock(&r->mu);
	yes = usage_lacks_keys(&r->usage, uses);
	mutex_unlock(&r->mu);
	return yes;
}

void
registry_set_unknown(
    struct registry *r, uint64_t (*items)(void *ctx), void *ctx)
{
	r->unknown = items;
	r->unknown_ctx = ctx;
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

static void
count_items_locked(struct registry *r, struct registry_listing *ret)
    REQUIRES(r->mu)
{
	uint64_t here = 0, all = 0;

	for (size_t i = 0; i < r->usage.nkeys; i++)
		all += r->usage.keys[i].items;
	for (size_t i = 0; i < ret->n; i++)
		here += ret->key[i].items;
	ret->lost_items = all - here;
	ret->unknown_items += r->usage.untried;
}

static void
list_locked(struct registry *r, struct registry_listing *ret, int64_t now_s)
    REQUIRES(r->mu)
{
	const struct entry *serving = pick_locked(r, now_s, NULL);
	bool overtaken = false; /* by the one that seals */

	ret->n = r->set->n;
	ret->key = xcalloc(ret->n + 1, sizeof(*ret->key));
	for (size_t i = 0; i < r->n; i++)
		describe_key(&ret->key[r->entries[i].place], &r->entries[i]);
	for (size_t i = 0; i < ret->n; i++) {
		struct registry_key *k = &ret->key[i];
		uint32_t id = r->set->key[i].id;
		const struct usage_key *t = usage_find(&r->usage, id);

		k->seals = serving != NULL && serving->id == id;
		overtaken = overtaken || k->seals;
		k->pending = !overtaken && r->set->key[i].nrules == 0 &&
		    now_s < k->active_from_s;
		k->expired = now_s > k->not_after;
		k->opened = t != NULL ? t->opened : 0;
		k->items = t != NULL ? t->items : 0;
		k->namespaces = keyset_rules_text(&r->set->key[i]);
	}
	count_items_locked(r, ret);
}

void
registry_list(struct registry *r, struct registry_listing *ret)
{
	int64_t now_s = clock_wall_s(r->clock);

	*ret = (struct registry_listing) { .n = 0 };
	/* First: what becomes known meanwhile is then counted twice, and never
	 * not at all. */
	if (r->unknown != NULL)
		ret->unknown_items = r->unknown(r->unknown_ctx);
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
