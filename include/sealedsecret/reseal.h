/*
 * What strangers may ask about a SealedSecret that they hand in: do its items
 * open (verify), and the same object sealed anew with the current key (rotate).
 * No I/O, and no templates: spec.template.data is copied, never looked at.
 *
 * Scope, name and namespace are those of the object's own metadata; the label
 * that opened an item is the label that it is sealed with again. Every failure
 * that depends on a private key, or on what it opened, is ERR_NOKEY with one
 * text. Work ends at the first item that fails.
 */
#ifndef SEALEDSECRET_RESEAL_H
#define SEALEDSECRET_RESEAL_H

#include <jansson.h>
#include <stdbool.h>

#include "base/compiler.h"
#include "base/err.h"
#include "keystore/registry.h"

#define RESEAL_API_VERSION "bitnami.com/v1alpha1"
#define RESEAL_KIND	   "SealedSecret"

struct reseal_options {
	bool accept_v1_data; /* --accept-deprecated-v1-data */
	/* Asked before each item; -1 ends the work with its error. */
	int (*go_on)(void *ctx, struct err *err);
	void *ctx;
};

/*
 * 0 where every item opens. ERR_NOKEY: one does not. ERR_INVALID: something
 * that anybody can see in the object, the text names it. ERR_TOOBIG: more than
 * UNSEAL_ITEMS_MAX items, or one of them too large.
 */
int reseal_verify(struct registry *keys, const json_t *obj,
    const struct reseal_options *opt, struct err *err) MUST_CHECK;
/*
 * The same object, owned by the caller, with new ciphertext. Its status, what
 * API servers set in metadata, and last-applied annotations are left out; so
 * are scope annotations in the template that the object itself does not have.
 * The old form (spec.data) comes out in the new one. ERR_NOTFOUND: no key.
 */
int reseal_rotate(struct registry *keys, const json_t *obj,
    const struct reseal_options *opt, json_t **ret, struct err *err) MUST_CHECK;

#endif
