/*
 * Scope annotations and the OAEP label that they select.
 */
#include "sealedsecret/scope.h"

#include <assert.h>
#include <string.h>

#include "sealedsecret/merge.h"

enum scope
scope_of(const json_t *sealedsecret)
{
	if (merge_annotated(sealedsecret, ANNOTATION_CLUSTER_WIDE))
		return SCOPE_CLUSTER_WIDE;
	if (merge_annotated(sealedsecret, ANNOTATION_NAMESPACE_WIDE))
		return SCOPE_NAMESPACE_WIDE;
	return SCOPE_STRICT;
}

const char *
scope_name(enum scope s)
{
	static const char *const names[] = {
		[SCOPE_STRICT] = "strict",
		[SCOPE_NAMESPACE_WIDE] = "namespace-wide",
		[SCOPE_CLUSTER_WIDE] = "cluster-wide",
	};

	return names[s];
}

size_t
scope_label(
    enum scope s, const struct objkey *key, char out[static SCOPE_LABEL_MAX])
{
	/* Two identities must never share a label: see objkey_set(). */
	assert(strchr(key->ns, '/') == NULL && strchr(key->name, '/') == NULL);
	assert(key->ns[0] != '\0' && key->name[0] != '\0');

	out[0] = '\0';
	switch (s) {
	case SCOPE_STRICT:
		objkey_text(key, out);
		break;
	case SCOPE_NAMESPACE_WIDE:
		memcpy(out, key->ns, strlen(key->ns) + 1);
		break;
	case SCOPE_CLUSTER_WIDE:
		break;
	}
	return strlen(out);
}
