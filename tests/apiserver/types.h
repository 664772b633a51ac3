/*
 * The resources this server knows, and the shapes of their objects.
 */
#ifndef APISERVER_TYPES_H
#define APISERVER_TYPES_H

#include "schema.h"

struct resource {
	const char *group; /* "" for core */
	const char *version;
	const char *api_version; /* as in the objects */
	const char *plural;
	const char *singular;
	const char *kind;
	const char *full_name; /* plural with group, as in error texts */
	const struct schema *schema;
	const char *const *field_labels; /* beyond metadata.name/namespace */
	size_t nfield_labels;
	bool namespaced;
	bool custom;		   /* defined by a CRD */
	bool status;		   /* has a status subresource */
	bool unconditional_update; /* PUT without resourceVersion */
	bool create_on_update;
	unsigned index; /* in types_all */
};

#define TYPES_COUNT 7

extern const struct resource types_all[TYPES_COUNT];

#define TYPES_SECRETS	      (&types_all[0])
#define TYPES_EVENTS	      (&types_all[1])
#define TYPES_NAMESPACES      (&types_all[2])
#define TYPES_SEALEDSECRETS   (&types_all[3])
#define TYPES_LEASES	      (&types_all[4])
#define TYPES_SERVICEACCOUNTS (&types_all[6])

const struct resource *
types_find(const char *group, const char *version, const char *plural);
const struct resource *types_by_kind(const char *api_version, const char *kind);

extern const struct schema types_object_meta;

#endif
