/*
 * Making and reading Secrets and SealedSecrets in tests. Results are owned
 * by the caller.
 */
#ifndef LIB_OBJECTS_H
#define LIB_OBJECTS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/compiler.h"

enum object_scope {
	OBJECT_STRICT,
	OBJECT_NAMESPACE_WIDE,
	OBJECT_CLUSTER_WIDE,
};

/* Pairs of key and value (text) follow and end with NULL. */
json_t *object_secret(const char *ns, const char *name, ...) SENTINEL;

/* With an empty encryptedData and a template that repeats the name. */
json_t *
object_sealed(const char *ns, const char *name, enum object_scope scope);
/* Seals the value under the certificate for the object's own identity. */
void object_seal(
    json_t *sealed, const char *cert_pem, const char *key, const char *value);

/* The decoded value of a Secret's item; NULL when it has none (free). */
char *object_value(const json_t *secret, const char *key);
bool object_has(const json_t *secret, const char *key, const char *value);

/* The Synced condition: "True", "False", or "" when there is none. */
const char *object_synced(const json_t *sealed);
const char *object_synced_message(const json_t *sealed);
const char *object_uid(const json_t *obj);
const char *object_version(const json_t *obj);

#endif
