/*
 * Inside keystore/ only: finds the key of a set that opens an item, and learns
 * from it where to begin with the next one. What it learns has a lock of its
 * own. Thread-safe.
 */
#ifndef KEYSTORE_OPENER_H
#define KEYSTORE_OPENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"
#include "base/thread.h"
#include "keyset.h"
#include "keystore/nsrule.h"
#include "keystore/registry.h"
#include "order.h"

struct opener {
	/* See registry_set_labels(). */
	bool (*fits)(void *ctx, const char *ns, const struct nsrule *rule);
	void *fits_ctx;
	struct mutex mu;
	/* guarded by mu: */
	uint32_t last_hit; /* id of a key */
	struct order_trust trust;
	unsigned searches; /* under way */
};

void opener_init(struct opener *o);
void opener_release(struct opener *o);

/* The place of the key that opened it, see registry_open(); ORDER_NONE: none
 * did. hint: id of a key, 0: none. */
size_t opener_open(struct opener *o, const struct keyset *set,
    const struct registry_sealed *sealed, uint32_t hint, struct secret **ret);

#endif
