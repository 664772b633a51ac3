/*
 * When the next sealing key is due (pure), and the step that makes exactly one
 * key for one occasion (start with no key, renewal, cutoff, SIGUSR1) through a
 * backend that stores keys.
 *
 * The name of a new key is the prefix and five characters derived from the
 * occasion: from the newest key's fingerprint, or from the key namespace and
 * the identity of the store where there is no key. So a repeated POST (lost
 * answer) and a rival's POST meet "already exists" instead of making a second
 * key, and the first key of a new cluster does not have the name of the lost
 * cluster's, which "kubectl apply" of a backup would stumble over. The occupant
 * of the name is then read: an active, loadable key counts as this occasion's
 * key; otherwise its UID is mixed into the hash and the next name is tried.
 */
#ifndef KEYSTORE_ROTATION_H
#define KEYSTORE_ROTATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/thread.h"
#include "keystore/keypair.h"
#include "keystore/registry.h"

/* Longest prefix; five characters follow. */
#define ROTATION_PREFIX_MAX 245
#define ROTATION_NAME_MAX   256
/* Names tried for one occasion before it fails. */
#define ROTATION_TRIES_MAX 16
/* With its NUL; a UID has 36 bytes. */
#define ROTATION_IDENTITY_MAX 64

struct rotation_config {
	const char *prefix;
	const char *ns; /* key namespace */
	const char *cn;
	unsigned bits;
	int64_t ttl_s;
	int64_t period_s;	    /* 0: no schedule */
	int64_t cutoff_s;	    /* 0: none; unix seconds */
	int64_t activation_delay_s; /* a new key is pending so long */
};

/* What the backend found under an occupied name. */
struct rotation_occupant {
	bool usable;	    /* active, loadable: its keypair is in kp */
	struct keypair *kp; /* owned by the caller; NULL where unusable */
	int64_t order_s;
	int64_t active_from_s;
	char uid[64];
};

struct keystore_backend {
	void *ctx;
	/* Reads every key into the registry; 0 only after a complete,
	 * consistent list. */
	int (*load)(void *ctx, struct registry *r, struct err *err);
	/* Stores a key under exactly this name. ERR_EXISTS where taken. Any
	 * other failure leaves it open whether it was stored. */
	int (*create)(void *ctx, const char *name, const struct keypair *kp,
	    struct err *err);
	/* Reads what occupies a name. ERR_NOTFOUND: it went meanwhile. */
	int (*occupant)(void *ctx, const char *name,
	    struct rotation_occupant *ret, struct err *err);
	/* What tells this store from another one of the same name, as of a
	 * cluster that was made anew; the same for every rival, "" where this
	 * program may not know. NULL: it never does. */
	int (*identity)(
	    void *ctx, char out[static ROTATION_IDENTITY_MAX], struct err *err);
};

/* One occasion, fixed when it begins and kept until it has its key. */
struct rotation_occasion {
	bool open;
	bool anonymous; /* the store's identity is still to go into the seed */
	char seed[KEYPAIR_FINGERPRINT_MAX + 300];
};

/*
 * The second at which a key is due, which may be long ago: 0 where there is
 * none (current is NULL); INT64_MAX never.
 */
int64_t rotation_due_s(
    const struct rotation_config *cfg, const struct registry_current *current);
/*
 * Nanoseconds from now until a key is due: 0 due at once (current is NULL,
 * newest key made before the cutoff, or older than the period); INT64_MAX
 * never. A cutoff in the future counts from the moment it is reached, so that
 * a restart before it makes no key, and one key comes of it.
 */
int64_t rotation_due_in_ns(const struct rotation_config *cfg,
    const struct registry_current *current, int64_t now_ns);

/* Fixes the occasion by what the registry holds now; an open one stays. */
void rotation_begin(struct rotation_occasion *o,
    const struct rotation_config *cfg, struct registry *r);
/*
 * One attempt to give the occasion its key: generates, stores, registers. The
 * key enters the registry only after it was stored. On success the occasion is
 * closed and *name says which key it is; created: whether this call made it.
 * The name is read before a key is generated for it, so that attempts while
 * the API server is away cost no CPU.
 * On failure it stays open, to be tried again later with the same name.
 */
int
rotation_step(struct rotation_occasion *o, const struct rotation_config *cfg,
    const struct clock *clock, const struct keystore_backend *backend,
    struct registry *r, struct stop *stop, char name[static ROTATION_NAME_MAX],
    bool *created, struct err *err) MUST_CHECK;

/* prefix + five characters of "bcdfghjklmnpqrstvwxz2456789". */
void rotation_name(
    const char *prefix, const char *seed, char out[static ROTATION_NAME_MAX]);

#endif
