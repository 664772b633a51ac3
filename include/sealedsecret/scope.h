/*
 * Scope of a SealedSecret: computed once, from the object's own metadata
 * annotations, never from its template. Only the exact text "true" counts;
 * cluster-wide beats namespace-wide.
 */
#ifndef SEALEDSECRET_SCOPE_H
#define SEALEDSECRET_SCOPE_H

#include <jansson.h>
#include <stddef.h>

#include "kube/objkey.h"

enum scope { SCOPE_STRICT, SCOPE_NAMESPACE_WIDE, SCOPE_CLUSTER_WIDE };

#define SCOPE_LABEL_MAX OBJKEY_TEXT_MAX

enum scope scope_of(const json_t *sealedsecret);
const char *scope_name(enum scope s); /* "strict" ... */
/* The OAEP label: "ns/name", "ns" or nothing; returns its length. */
size_t scope_label(
    enum scope s, const struct objkey *key, char out[static SCOPE_LABEL_MAX]);

/* Annotation and label names that the controller knows. */
#define ANNOTATION_CLUSTER_WIDE	  "sealedsecrets.bitnami.com/cluster-wide"
#define ANNOTATION_NAMESPACE_WIDE "sealedsecrets.bitnami.com/namespace-wide"
#define ANNOTATION_MANAGED	  "sealedsecrets.bitnami.com/managed"
#define ANNOTATION_PATCH	  "sealedsecrets.bitnami.com/patch"
/* On the SealedSecret; "ignore": changes of the Secret by others stay. */
#define ANNOTATION_DRIFT "sealedsecrets.bitnami.com/drift"
#define ANNOTATION_SKIP_OWNER \
	"sealedsecrets.bitnami.com/skip-set-owner-references"

#endif
