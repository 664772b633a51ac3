/*
 * SealedSecret + keys -> desired Secret. No I/O.
 *
 * Every item is tried; failures are grouped by text, keys sorted inside a
 * group, groups sorted and joined with a newline: "no key could decrypt secret
 * (bar, foo)". Then the templates of spec.template.data are rendered over what
 * opened; their failures join the others. Any failure means no Secret.
 */
#ifndef SEALEDSECRET_UNSEAL_H
#define SEALEDSECRET_UNSEAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "keystore/registry.h"
#include "kube/objkey.h"

#define UNSEAL_ITEMS_MAX 10000
/* Private key operations that may fail for one object; items left then are
 * reported as not tried. Keeps one object from taking a worker for minutes. */
#define UNSEAL_TRIALS_MAX 4000

struct unseal_options {
	bool accept_v1_data; /* --accept-deprecated-v1-data */
	const char *key_ns;  /* controller namespace: no key-labelled Secret
				may be produced there */
	const char *allowed_types; /* --allow-secret-types; NULL: none */
	/* Receives the key of every item; untouched where none was tried.
	 * NULL: not wanted. */
	struct registry_uses *uses;
};

/*
 * ret: the whole Secret object (apiVersion, kind, metadata with name,
 * namespace, labels, annotations, ownerReferences ..., type, immutable, data
 * in base64), owned by the caller. hint: see registry_open.
 */
int unseal(struct registry *keys, const json_t *sealedsecret,
    const struct unseal_options *opt, uint32_t *hint, json_t **ret,
    struct err *err) MUST_CHECK;

/*
 * Only finds out which keys the items need: nothing is kept of what they hold.
 * go_on is asked before each item and may wait; false ends it with
 * ERR_CANCELLED. An object without anything to open is ERR_INVALID.
 */
int unseal_uses(struct registry *keys, const json_t *sealedsecret,
    bool (*go_on)(void *ctx), void *ctx, struct registry_uses *uses,
    struct err *err) MUST_CHECK;

#endif
