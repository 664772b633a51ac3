/*
 * The set of sealing keys; private keys are used through it alone.
 *
 * Every key decrypts, whatever its certificate's dates. The newest one (by
 * order time, ties: by fingerprint, so that every replica agrees) seals and is
 * served; a key whose certificate has expired is not served while a valid one
 * exists, nor a pending one while another valid one is not pending. Where all
 * valid ones are pending, the oldest of them serves. A key for some namespaces
 * only opens nowhere else, whatever the label, and never serves: what it sealed
 * is sealed again under a key with the same restriction. Two names with the
 * same public key count as one key, restricted where one of them is.
 * Thread-safe; RSA work happens outside the lock.
 */
#ifndef KEYSTORE_REGISTRY_H
#define KEYSTORE_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/secret.h"
#include "keystore/keypair.h"
#include "keystore/nsrule.h"

struct registry;

/* Number of keys at most; more are refused with ERR_TOOBIG. */
#define REGISTRY_KEYS_MAX 1024

struct registry *registry_new(const struct clock *clock);
void registry_free(struct registry *r); /* wipes */

/* What is known of a key beside the key. */
struct registry_attrs {
	int64_t order_s;       /* decides which key is newest */
	int64_t active_from_s; /* pending until then; 0: never was */
	bool backed_up;
	int64_t backed_up_s; /* when; 0: not known */
	/* Opens in these namespaces only; NULL: everywhere. Borrowed, the
	 * registry takes a reference of its own. */
	struct nsrule *rule;
};
/* Adds or replaces the key known under name (the Secret's name). Takes its own
 * reference. */
int registry_put(struct registry *r, const char *name, struct keypair *kp,
    const struct registry_attrs *attrs, struct err *err) MUST_CHECK;
/* Forgets a name; false where it was unknown. */
bool registry_remove(struct registry *r, const char *name);
/* Forgets every name that keep() refuses; returns how many went. keep() is
 * called without the lock. */
size_t registry_retain(
    struct registry *r, bool (*keep)(void *ctx, const char *name), void *ctx);
/* Distinct public keys. */
size_t registry_count(struct registry *r);
/* Fingerprints of the first max of them, newest first; returns how many there
 * are. */
size_t registry_fingerprints(
    struct registry *r, char (*out)[KEYPAIR_FINGERPRINT_MAX], size_t max);
bool registry_knows(struct registry *r, const char *name);
/* Raised by every change of the set of keys, not by adding what is there
 * already; starts at 0. */
uint64_t registry_generation(struct registry *r);

struct registry_current {
	char fingerprint[KEYPAIR_FINGERPRINT_MAX];
	char name[256];
	int64_t order_s, not_before, not_after;
};
/* The newest unrestricted key, even where its certificate has expired or it is
 * pending; false: none. */
bool registry_current(struct registry *r, struct registry_current *ret);
/* The key that seals and is served; false: none. */
bool registry_serving(struct registry *r, struct registry_current *ret);
/* Unix seconds at which time alone may make another key the serving one;
 * INT64_MAX: never. */
int64_t registry_next_change_s(struct registry *r);
/* The served certificate, appended to out. ERR_NOTFOUND: no keys. */
int registry_cert_pem(
    struct registry *r, struct buf *out, struct err *err) MUST_CHECK;
/* The keypair that seals and whose certificate is served, a reference of the
 * caller's; NULL: none. */
struct keypair *registry_sealing_key(struct registry *r);

/*
 * Opens one sealed blob. hint (in and out, 0: none, private to the registry,
 * kept by the caller per object) names the key that last opened this object.
 * Order of trial: hint; the key that was the newest at sealed_by_s, and the
 * most recent hit of all, that one first which was right more often lately; the
 * others, from sealed_by_s on back in time, then the newer ones. Searches at
 * the same time begin apart and tell each other. Keys whose modulus
 * does not have the length of the blob's key part are not tried; a part may
 * lack up to eight leading zero bytes, as Go allows.
 * Failures that need no private key (too short, bad framing) and those that do
 * give the same text, "no key could decrypt secret", code ERR_NOKEY, and after
 * a failed OAEP a GCM pass over a dummy key is made all the same. A key that is
 * not for this namespace counts as not there. A blob over SEAL_BLOB_MAX:
 * ERR_TOOBIG.
 */
struct registry_sealed {
	const char *ns; /* in which it is to be opened; NULL: not known */
	const void *label;
	size_t label_len;
	const void *blob;
	size_t blob_len;
	int64_t sealed_by_s; /* no later than this; 0: not known */
};
int registry_open(struct registry *r, const struct registry_sealed *sealed,
    uint32_t *hint, struct secret **ret, struct err *err) MUST_CHECK;

/* The key that seals again what the key of a hint has opened, a reference of
 * the caller's: the serving one, or the newest with the same restriction.
 * NULL: that key has gone, or no key serves. */
struct keypair *registry_resealing_key(struct registry *r, uint32_t hint);
/* Who answers whether the labels of a namespace fit a rule; from the thread
 * that opens, may do I/O. Without it no such key opens anything. Before other
 * threads use the registry. */
void registry_set_labels(struct registry *r,
    bool (*fits)(void *ctx, const char *ns, const struct nsrule *rule),
    void *ctx);

/* ---- which keys live objects need ---- */

/* Items of one object that need a key. */
struct registry_use {
	uint32_t key; /* a hint after opening; 0: no key opens them */
	uint32_t items;
};
#define REGISTRY_USE_UNTRIED UINT32_MAX /* as a key: not tried */
struct registry_uses {
	struct registry_use *use; /* sorted by key */
	size_t n;
};
/* One more item. */
void registry_uses_add(struct registry_uses *uses, uint32_t key);
void registry_uses_release(struct registry_uses *uses);
DEFINE_AUTO_RELEASE(registry_uses);

/*
 * An object needs these keys, until registry_release_uses() of what this
 * returns. 0: one of the keys has gone meanwhile, nothing was counted. Objects
 * with equal needs get equal numbers, each with a count of its own.
 */
uint32_t
registry_count_uses(struct registry *r, const struct registry_uses *uses);
void registry_release_uses(struct registry *r, uint32_t uses); /* 0: nothing */
/* Whether no key opened some of its items: a new key may. */
bool registry_uses_lack_keys(struct registry *r, uint32_t uses);
/* Who knows the number of items whose keys are not known yet. */
void registry_set_unknown(
    struct registry *r, uint64_t (*items)(void *ctx), void *ctx);

/* ---- for people: what there is ---- */

struct registry_key {
	char **names; /* Secrets with this key, the newest first */
	size_t nnames;
	char fingerprint[KEYPAIR_FINGERPRINT_MAX];
	int64_t not_before, not_after, order_s;
	int64_t active_from_s;
	bool seals;   /* its certificate is served */
	bool pending; /* newer than the one that seals, and waits */
	bool expired; /* its certificate; it still decrypts */
	bool backed_up;
	int64_t backed_up_s; /* 0: time not known */
	uint64_t opened;     /* items since the start, by whomever asked for */
	uint64_t items;	     /* in live objects that are known to need it */
	char *namespaces;    /* text of the restriction; NULL: none */
};

struct registry_listing {
	struct registry_key *key; /* distinct keys, newest first */
	size_t n;
	/* Items of live objects of which it is not known yet which key they
	 * need: while it is not 0, a key with 0 items may be needed. */
	uint64_t unknown_items;
	/* Items that need a key which is no longer here. */
	uint64_t lost_items;
};

void registry_list(struct registry *r, struct registry_listing *ret);
void registry_listing_release(struct registry_listing *l);
DEFINE_AUTO_RELEASE(registry_listing);

DEFINE_AUTO(registry);

#endif
