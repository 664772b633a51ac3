/*
 * Checked view over the JSON of a SealedSecret. Everything in the object comes
 * from users: each member may be absent or of any type.
 */
#ifndef CONTROLLER_SEALEDSECRET_SEALEDSECRET_H
#define CONTROLLER_SEALEDSECRET_SEALEDSECRET_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "kube/objkey.h"
#include "sealedsecret/scope.h"

#define SEALEDSECRET_API_VERSION "bitnami.com/v1alpha1"
#define SEALEDSECRET_KIND	 "SealedSecret"
#define SECRET_KEY_MAX		 253 /* name of one data item */

/* Pointers are borrowed from the JSON, which must outlive the view. */
struct sealedsecret {
	const json_t *json;
	struct objkey key;
	const char *uid;
	const char *rv; /* "" where absent */
	int64_t generation;
	enum scope scope;
	bool deleting; /* has a deletionTimestamp */
};

/* ERR_INVALID where namespace, name or uid are missing or not valid. */
int sealedsecret_view(
    const json_t *obj, struct sealedsecret *ret, struct err *err) MUST_CHECK;
/*
 * Keyed hash of what makes a run necessary: spec and scope. Two objects that
 * differ elsewhere only (status, labels) have the same digest.
 */
uint64_t sealedsecret_digest(const json_t *obj);
/* How many items are sealed; the old form has one. */
uint32_t sealedsecret_items(const json_t *obj);
/* Label app.kubernetes.io/instance, "" where absent. Borrowed. */
const char *sealedsecret_instance(const json_t *obj);
/* A short hash of that label, so that a record can tell when it changes. */
uint32_t sealedsecret_instance_tag(const json_t *obj);

/* When the specification was written last, as managedFields tell, else when the
 * object was made; 0: not known. Unix seconds. */
int64_t sealedsecret_written_s(const json_t *obj);

/*
 * Member name of obj as an object (NULL in *ret where absent or null).
 * Another type: ERR_INVALID, "where: expected object, got ...".
 */
int sealedsecret_object(const json_t *obj, const char *name, const char *where,
    const json_t **ret, struct err *err) MUST_CHECK;
/* "where: expected want, got ..." of v. Always -1. */
int sealedsecret_type_error(
    const char *where, const char *want, const json_t *v, struct err *err);
/* A name that a Secret takes for a data item: [-._a-zA-Z0-9]+, at most 253,
 * neither "." nor "..", nor beginning with "..". */
bool sealedsecret_valid_item(const char *name, size_t len);

#endif
