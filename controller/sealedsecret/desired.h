/*
 * The Secret that a SealedSecret asks for, from the parts that describe it
 * (spec.template, or the Secret inside an old blob) and the decrypted data.
 */
#ifndef CONTROLLER_SEALEDSECRET_DESIRED_H
#define CONTROLLER_SEALEDSECRET_DESIRED_H

#include <jansson.h>
#include <stdbool.h>

#include "base/compiler.h"
#include "base/err.h"
#include "sealedsecret.h"

/*
 * parts: an object with metadata, type and immutable, or NULL. where: how its
 * members are called in errors ("spec.template."). data is borrowed: values
 * in base64. skip_owner: no owner reference of ours, those of the parts stay.
 * key_ns, allowed_types: see unseal.h. ret is owned by the caller.
 */
struct desired_parts {
	const json_t *parts;
	const char *where;
	json_t *data;
	bool skip_owner;
	const char *key_ns;
	const char *allowed_types;
};

/* Bytes -> base64 text as a Secret's data holds it; ret is owned by the
 * caller. */
int desired_value(
    const void *p, size_t len, json_t **ret, struct err *err) MUST_CHECK;
int desired_build(const struct sealedsecret *ss, const struct desired_parts *p,
    json_t **ret, struct err *err) MUST_CHECK;
/* ERR_INVALID where the Secret carries the label of sealing keys in their
 * namespace: nobody may plant a key through a SealedSecret. */
int desired_check_key_label(
    const json_t *secret, const char *key_ns, struct err *err) MUST_CHECK;
/*
 * ERR_INVALID where the Secret has a type that makes the API server hand out,
 * or accept, credentials: service account tokens and bootstrap tokens, unless
 * allowed_types (separated by commas; NULL: none) lists it.
 */
int desired_check_type(const json_t *secret, const char *allowed_types,
    struct err *err) MUST_CHECK;

#endif
