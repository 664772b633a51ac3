/*
 * Inside keystore/ only: the distinct sealing keys, newest first, as a set that
 * no longer changes once it is built. Reference-counted (atomic), so that RSA
 * runs on it without a lock.
 */
#ifndef KEYSTORE_KEYSET_H
#define KEYSTORE_KEYSET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "keystore/keypair.h"
#include "keystore/nsrule.h"
#include "order.h"

struct keyset {
	atomic_uint refs;
	size_t n;
	struct keyset_key {
		struct keypair *kp;
		int64_t order_s;
		uint32_t id;
		struct nsrule **rules; /* all of them must allow it */
		size_t nrules;
	} key[];
};

/* Empty, with room for so many. */
struct keyset *keyset_new(size_t max);
/* While it is built, newest first: a key of this id, or one more rule (NULL:
 * none) for the one that is there; returns its place. Takes its own references.
 */
size_t keyset_add(struct keyset *set, uint32_t id, struct keypair *kp,
    int64_t order_s, struct nsrule *rule);
struct keyset *keyset_ref(struct keyset *set);
void keyset_free(struct keyset *set); /* drops one reference */

/* NULL, ORDER_NONE: none has this id. */
const struct keyset_key *keyset_find(const struct keyset *set, uint32_t id);
size_t keyset_place(const struct keyset *set, uint32_t id);
/* The key that a sealer had at that time: the newest one, of those that serve.
 * 0: not known. */
size_t keyset_place_by_time(const struct keyset *set, int64_t s);

/* Two rules say the same; NULL: no rule. */
bool keyset_same_rule(const struct nsrule *a, const struct nsrule *b);
/* Both keys are for the same namespaces, in the same words; like NULL: the key
 * is for all of them. */
bool keyset_is_like(const struct keyset_key *k, const struct keyset_key *like);
/* The rules for people, owned by the caller; NULL: there are none. */
char *keyset_rules_text(const struct keyset_key *k);

DEFINE_AUTO(keyset);

#endif
