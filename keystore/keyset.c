/*
 * The immutable set of keys. See keyset.h.
 */
#include "keyset.h"

#include <string.h>

#include "base/mem.h"

struct keyset *
keyset_new(size_t max)
{
	struct keyset *set =
	    xcalloc(1, sizeof(*set) + max * sizeof(set->key[0]));

	atomic_init(&set->refs, 1);
	return set;
}

struct keyset *
keyset_ref(struct keyset *set)
{
	atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
	return set;
}

void
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

bool
keyset_same_rule(const struct nsrule *a, const struct nsrule *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(nsrule_text(a), nsrule_text(b)) == 0;
}

static void
add_rule(struct keyset_key *k, struct nsrule *rule)
{
	for (size_t i = 0; i < k->nrules; i++)
		if (keyset_same_rule(k->rules[i], rule))
			return;
	k->rules = xreallocarray(k->rules, k->nrules + 1, sizeof(*k->rules));
	k->rules[k->nrules++] = nsrule_ref(rule);
}

size_t
keyset_add(struct keyset *set, uint32_t id, struct keypair *kp, int64_t order_s,
    struct nsrule *rule)
{
	size_t place = keyset_place(set, id);

	if (place == ORDER_NONE) {
		place = set->n++;
		set->key[place].kp = keypair_ref(kp);
		set->key[place].order_s = order_s;
		set->key[place].id = id;
	}
	if (rule != NULL)
		add_rule(&set->key[place], rule);
	return place;
}

const struct keyset_key *
keyset_find(const struct keyset *set, uint32_t id)
{
	for (size_t i = 0; id != 0 && i < set->n; i++)
		if (set->key[i].id == id)
			return &set->key[i];
	return NULL;
}

size_t
keyset_place(const struct keyset *set, uint32_t id)
{
	const struct keyset_key *k = keyset_find(set, id);

	return k != NULL ? (size_t)(k - set->key) : ORDER_NONE;
}

size_t
keyset_place_by_time(const struct keyset *set, int64_t s)
{
	for (size_t i = 0; s != 0 && i < set->n; i++)
		if (set->key[i].order_s <= s && set->key[i].nrules == 0)
			return i;
	return ORDER_NONE;
}

bool
keyset_is_like(const struct keyset_key *k, const struct keyset_key *like)
{
	if (like == NULL)
		return k->nrules == 0;
	return k == like ||
	    (k->nrules == 1 && like->nrules == 1 &&
		keyset_same_rule(k->rules[0], like->rules[0]));
}

/* Several Secrets with one key may have a rule each. */
char *
keyset_rules_text(const struct keyset_key *k)
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
