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
#include "order.h"
#include "private.h"
#include "usage.h"

#define NAME_MAX_LEN (sizeof(((struct registry_current *)0)->name) - 1)

struct entry {
	char *name;
	struct keypair *kp;
	struct registry_attrs attrs; /* with a reference to the rule */
	uint32_t id;  /* the same for the same public key; never 0 */
	size_t place; /* of its key in the set */
};

struct keyset {
	atomic_uint refs;
	size_t n;
	struct key {
		struct keypair *kp;
		int64_t order_s;
		uint32_t id;
		struct nsrule **rules; /* all of them must allow it */
		size_t nrules;
	} key[];
};

struct registry {
	const struct clock *clock;
	bool (*fits)(void *ctx, const char *ns, const struct nsrule *rule);
	void *fits_ctx;
	uint64_t (*unknown)(void *ctx);
	void *unknown_ctx;
	struct mutex mu;
	/* guarded by mu: */
	struct entry *entries; /* sorted, newest first */
	size_t n;
	struct keyset *set; /* the distinct keys of entries, same order */
	struct usage usage;
	uint32_t last_hit;
	struct order_trust trust;
	unsigned searches; /* under way */
	uint64_t generation;
};

/* The immutable set. */

static void
keyset_free(struct keyset *set)
{
	if (set == NULL ||
	    atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < set->n; i++) {
		keypair_free(set->key[i].kp);
		for (size_t j = 0; j < set->key[i].nrules; j++)
			nsrule_free(set->key[i].rules[j]);
		mem_free_wiped(set->key[i].rules);
	}
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

static bool
same_rule(const struct nsrule *a, const struct nsrule *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(nsrule_text(a), nsrule_text(b)) == 0;
}

static void
add_rule(struct key *k, struct nsrule *rule)
{
	for (size_t i = 0; i < k->nrules; i++)
		if (same_rule(k->rules[i], rule))
			return;
	k->rules = xreallocarray(k->rules, k->nrules + 1, sizeof(*k->rules));
	k->rules[k->nrules++] = nsrule_ref(rule);
}

/* Notes in the entries where their keys are. */
static struct keyset *
keyset_of(struct entry *entries, size_t n)
{
	struct keyset *set = xcalloc(1, sizeof(*set) + n * sizeof(set->key[0]));

	atomic_init(&set->refs, 1);
	for (size_t i = 0; i < n; i++) {
		struct entry *e = &entries[i];
		const struct key *known = keyset_find(set, e->id);

		e->place = known != NULL ? (size_t)(known - set->key) : set->n;
		if (known == NULL) {
			set->key[set->n].kp = keypair_ref(e->kp);
			set->key[set->n].order_s = e->attrs.order_s;
			set->key[set->n++].id = e->id;
		}
		if (e->attrs.rule != NULL)
			add_rule(&set->key[e->place], e->attrs.rule);
	}
	return set;
}

/* What a trial begins with. */
struct start {
	uint32_t latest;
	bool time_first;
};

static struct keyset *
take_set(struct registry *r, struct start *start)
{
	struct keyset *set;

	mutex_lock(&r->mu);
	set = r->set;
	atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
	start->latest = r->last_hit;
	start->time_first = order_time_first(&r->trust);
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
	r->set = keyset_of(r->entries, r->n);
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
	    same_rule(a->rule, b->rule);
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

/* Both keys are for the same namespaces, in the same words; like NULL: the key
 * is for all of them. */
static bool
is_like(const struct key *k, const struct key *like)
{
	if (like == NULL)
		return k->nrules == 0;
	return k == like ||
	    (k->nrules == 1 && like->nrules == 1 &&
		same_rule(k->rules[0], like->rules[0]));
}

/*
 * The newest one whose certificate is still good and that is not pending, else
 * the oldest pending one: it waits for nothing but its successor. Where all
 * have expired, the newest, pending or not.
 */
static const struct entry *
pick_locked(struct registry *r, int64_t now_s, const struct key *like)
    REQUIRES(r->mu)
{
	const struct entry *pending = NULL, *newest = NULL;

	for (size_t i = 0; i < r->n; i++) {
		const struct entry *e = &r->entries[i];

		if (!is_like(&r->set->key[e->place], like))
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
		if (is_like(&r->set->key[r->entries[i].place], NULL))
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
	const struct key *k;

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
	r->fits = fits;
	r->fits_ctx = ctx;
}

static bool
allows(const struct registry *r, const struct nsrule *rule, const char *ns)
{
	if (nsrule_by_labels(rule))
		return r->fits != NULL && r->fits(r->fits_ctx, ns, rule);
	return nsrule_has_name(rule, ns);
}

/* Does not depend on what is sealed, only on where it is to be opened. */
static bool
is_for(const struct registry *r, const struct key *k, const char *ns)
{
	for (size_t i = 0; i < k->nrules; i++)
		if (ns == NULL || !allows(r, k->rules[i], ns))
			return false;
	return true;
}

struct trial {
	struct registry *r;
	const struct keyset *set;
	const char *ns;
	int64_t sealed_by_s;
	struct seal_input in;
	size_t part;
};

static bool
try_key(const struct trial *t, const struct key *k, struct secret **ret)
{
	return seal_fits(k->kp, t->part) && is_for(t->r, k, t->ns) &&
	    seal_open(k->kp, &t->in, ret) == 0;
}

static size_t
place_of(const struct keyset *set, uint32_t id)
{
	const struct key *k = keyset_find(set, id);

	return k != NULL ? (size_t)(k - set->key) : ORDER_NONE;
}

/* The key that a sealer had at that time: the newest one, of those that serve.
 */
static size_t
place_by_time(const struct keyset *set, int64_t s)
{
	for (size_t i = 0; s != 0 && i < set->n; i++)
		if (set->key[i].order_s <= s && set->key[i].nrules == 0)
			return i;
	return ORDER_NONE;
}

static bool
try_place(
    const struct trial *t, struct order *o, size_t place, struct secret **ret)
{
	return order_take(o, place) && try_key(t, &t->set->key[place], ret);
}

static uint32_t
latest_hit(struct registry *r)
{
	uint32_t id;

	mutex_lock(&r->mu);
	id = r->last_hit;
	mutex_unlock(&r->mu);
	return id;
}

/*
 * One key after the other; but what another search finds meanwhile is likely
 * to be the key here, too.
 */
static size_t
search(const struct trial *t, struct order *o, struct secret **ret)
{
	size_t place;

	for (;;) {
		place = place_of(t->set, latest_hit(t->r));
		if (try_place(t, o, place, ret))
			return place;
		place = order_next(o);
		if (place == ORDER_NONE || try_key(t, &t->set->key[place], ret))
			return place;
	}
}

static size_t
search_all(struct trial *t, struct order *o, struct secret **ret)
{
	struct registry *r = t->r;
	size_t place;

	mutex_lock(&r->mu);
	o->from = order_spread(o->n, o->from, r->searches++);
	mutex_unlock(&r->mu);
	place = search(t, o, ret);
	mutex_lock(&r->mu);
	r->searches--;
	mutex_unlock(&r->mu);
	return place;
}

/* Where it is the hint, nothing is learned. */
static void
judge(struct registry *r, size_t hit, size_t by_time, size_t latest)
{
	mutex_lock(&r->mu);
	order_judge(&r->trust, hit, by_time, latest);
	mutex_unlock(&r->mu);
}

/* The place of the key that opened it. */
static size_t
try_keys(
    struct trial *t, uint32_t hint, const struct start *s, struct secret **ret)
{
	size_t hinted = place_of(t->set, hint);
	size_t latest = place_of(t->set, s->latest);
	size_t by_time = place_by_time(t->set, t->sealed_by_s);
	size_t first = s->time_first ? by_time : latest;
	size_t second = s->time_first ? latest : by_time;
	AUTO_RELEASE(order) struct order o;
	size_t hit = ORDER_NONE;

	order_init(&o, t->set->n, by_time == ORDER_NONE ? 0 : by_time);
	if (t->part == 0)
		return ORDER_NONE;
	if (try_place(t, &o, hinted, ret))
		return hinted;
	if (try_place(t, &o, first, ret))
		hit = first;
	else if (try_place(t, &o, second, ret))
		hit = second;
	else
		hit = search_all(t, &o, ret);
	judge(t->r, hit, by_time, latest);
	return hit;
}

static void
count_hit(struct registry *r, uint32_t hit)
{
	struct usage_key *k;

	mutex_lock(&r->mu);
	r->last_hit = hit;
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
	struct trial t = {
		.r = r, .ns = sealed->ns, .sealed_by_s = sealed->sealed_by_s
	};
	AUTO(keyset) struct keyset *set = NULL;
	struct start start;
	size_t hit;

	if (sealed->blob_len > SEAL_BLOB_MAX)
		return err_set(err, ERR_TOOBIG,
		    "sealed item is larger than %u bytes", SEAL_BLOB_MAX);
	t.in = (struct seal_input) { sealed->label, sealed->label_len,
		sealed->blob, sealed->blob_len };
	t.part = seal_key_part(&t.in);
	t.set = set = take_set(r, &start);
	hit = try_keys(&t, *hint, &start, ret);
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

/* Several Secrets with one key may have a rule each. */
static char *
rules_text(const struct key *k)
{
	char *text = NULL;

	for (size_t i = 0; i < k->nrules; i++) {
		const char *rule = nsrule_text(k->rules[i]);
		char *longer = text == NULL
		    ? xstrdup(rule)
		    : xasprintf("%s; and %s", text, rule);

		mem_free_wiped(text);
		text = longer;
	}
	return text;
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
		k->namespaces = rules_text(&r->set->key[i]);
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
