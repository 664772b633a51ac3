/*
 * Trying keys. See opener.h.
 */
#include "opener.h"

#include "private.h"

void
opener_init(struct opener *o)
{
	*o = (struct opener) { .last_hit = 0 };
	mutex_init(&o->mu);
}

void
opener_release(struct opener *o)
{
	mutex_destroy(&o->mu);
}

/* ---- whether a key may ---- */

static bool
allows(const struct opener *o, const struct nsrule *rule, const char *ns)
{
	if (nsrule_by_labels(rule))
		return o->fits != NULL && o->fits(o->fits_ctx, ns, rule);
	return nsrule_has_name(rule, ns);
}

/* Does not depend on what is sealed, only on where it is to be opened. */
static bool
is_for(const struct opener *o, const struct keyset_key *k, const char *ns)
{
	for (size_t i = 0; i < k->nrules; i++)
		if (ns == NULL || !allows(o, k->rules[i], ns))
			return false;
	return true;
}

/* ---- one after the other ---- */

struct trial {
	struct opener *opener;
	const struct keyset *set;
	const struct registry_sealed *sealed;
	struct seal_input in;
	size_t part;
};

static bool
try_key(const struct trial *t, const struct keyset_key *k, struct secret **ret)
{
	return seal_fits(k->kp, t->part) &&
	    is_for(t->opener, k, t->sealed->ns) &&
	    seal_open(k->kp, &t->in, ret) == 0;
}

static bool
try_place(
    const struct trial *t, struct order *o, size_t place, struct secret **ret)
{
	return order_take(o, place) && try_key(t, &t->set->key[place], ret);
}

/* What a trial begins with. */
struct start {
	uint32_t latest;
	bool time_first;
};

static struct start
begin(struct opener *o)
{
	struct start s;

	mutex_lock(&o->mu);
	s.latest = o->last_hit;
	s.time_first = order_time_first(&o->trust);
	mutex_unlock(&o->mu);
	return s;
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
		place = keyset_place(t->set, begin(t->opener).latest);
		if (try_place(t, o, place, ret))
			return place;
		place = order_next(o);
		if (place == ORDER_NONE || try_key(t, &t->set->key[place], ret))
			return place;
	}
}

static size_t
search_all(const struct trial *t, struct order *o, struct secret **ret)
{
	struct opener *op = t->opener;
	size_t place;

	mutex_lock(&op->mu);
	o->from = order_spread(o->n, o->from, op->searches++);
	mutex_unlock(&op->mu);
	place = search(t, o, ret);
	mutex_lock(&op->mu);
	op->searches--;
	mutex_unlock(&op->mu);
	return place;
}

/* Where it is the hint, nothing is learned. */
static void
judge(struct opener *o, size_t hit, size_t by_time, size_t latest)
{
	mutex_lock(&o->mu);
	order_judge(&o->trust, hit, by_time, latest);
	mutex_unlock(&o->mu);
}

static size_t
try_keys(const struct trial *t, uint32_t hint, struct secret **ret)
{
	struct start s = begin(t->opener);
	size_t hinted = keyset_place(t->set, hint);
	size_t latest = keyset_place(t->set, s.latest);
	size_t by_time = keyset_place_by_time(t->set, t->sealed->sealed_by_s);
	size_t first = s.time_first ? by_time : latest;
	size_t second = s.time_first ? latest : by_time;
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
	judge(t->opener, hit, by_time, latest);
	return hit;
}

size_t
opener_open(struct opener *o, const struct keyset *set,
    const struct registry_sealed *sealed, uint32_t hint, struct secret **ret)
{
	struct trial t = {
		.opener = o,
		.set = set,
		.sealed = sealed,
		.in = { sealed->label, sealed->label_len, sealed->blob,
		    sealed->blob_len },
	};
	size_t hit;

	t.part = seal_key_part(&t.in);
	hit = try_keys(&t, hint, ret);
	if (hit == ORDER_NONE)
		return ORDER_NONE;
	mutex_lock(&o->mu);
	o->last_hit = set->key[hit].id;
	mutex_unlock(&o->mu);
	return hit;
}
