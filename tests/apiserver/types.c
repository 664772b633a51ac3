/*
 * The resource table and the schemas behind it.
 */
#include "types.h"

#include <string.h>

#define END                   \
	{                     \
		NULL, NULL, 0 \
	}

static const struct schema t_string = { .kind = SCHEMA_STRING };
static const struct schema t_nullstring = {
	.kind = SCHEMA_STRING,
	.flags = SCHEMA_NULLABLE,
};
static const struct schema t_int = { .kind = SCHEMA_INT };
static const struct schema t_int32 = { .kind = SCHEMA_INT, .go_name = "int32" };
static const struct schema t_bool = { .kind = SCHEMA_BOOL };
static const struct schema t_time = { .kind = SCHEMA_TIME };
static const struct schema t_bytes = { .kind = SCHEMA_BYTES };
static const struct schema t_any = { .kind = SCHEMA_ANY };

static const struct schema t_string_map = {
	.kind = SCHEMA_MAP,
	.elem = &t_string,
};
static const struct schema t_bytes_map = {
	.kind = SCHEMA_MAP,
	.elem = &t_bytes,
	.go_name = "map[string][]uint8",
};
static const struct schema t_string_set = {
	.kind = SCHEMA_LIST,
	.elem = &t_string,
	.flags = SCHEMA_SET,
};
static const struct schema t_any_list = {
	.kind = SCHEMA_LIST,
	.elem = &t_any,
	.flags = SCHEMA_ATOMIC,
};

static const struct schema_field owner_fields[] = {
	{ "apiVersion", &t_string, FIELD_KEEP },
	{ "kind", &t_string, FIELD_KEEP },
	{ "name", &t_string, FIELD_KEEP },
	{ "uid", &t_string, FIELD_KEEP },
	{ "controller", &t_bool, FIELD_POINTER },
	{ "blockOwnerDeletion", &t_bool, FIELD_POINTER },
	END,
};
static const struct schema t_owner = {
	.kind = SCHEMA_STRUCT,
	.fields = owner_fields,
	.flags = SCHEMA_ATOMIC,
	.go_name = "OwnerReference",
};
static const struct schema t_owners = {
	.kind = SCHEMA_LIST,
	.elem = &t_owner,
	.key = "uid",
	.go_name = "[]v1.OwnerReference",
};

static const struct schema_field meta_fields[] = {
	{ "name", &t_string, 0 },
	{ "generateName", &t_string, 0 },
	{ "namespace", &t_string, 0 },
	{ "selfLink", &t_string, 0 },
	{ "uid", &t_string, 0 },
	{ "resourceVersion", &t_string, 0 },
	{ "generation", &t_int, 0 },
	{ "creationTimestamp", &t_time, 0 },
	{ "deletionTimestamp", &t_time, 0 },
	{ "deletionGracePeriodSeconds", &t_int, FIELD_POINTER },
	{ "labels", &t_string_map, 0 },
	{ "annotations", &t_string_map, 0 },
	{ "ownerReferences", &t_owners, 0 },
	{ "finalizers", &t_string_set, 0 },
	{ "managedFields", &t_any_list, 0 },
	END,
};
const struct schema types_object_meta = {
	.kind = SCHEMA_STRUCT,
	.fields = meta_fields,
	.go_name = "ObjectMeta",
};

static const struct schema_field secret_fields[] = {
	{ "apiVersion", &t_string, 0 },
	{ "kind", &t_string, 0 },
	{ "metadata", &types_object_meta, FIELD_KEEP },
	{ "immutable", &t_bool, FIELD_POINTER },
	{ "data", &t_bytes_map, 0 },
	{ "stringData", &t_string_map, 0 },
	{ "type", &t_string, 0 },
	END,
};
static const struct schema t_secret = {
	.kind = SCHEMA_STRUCT,
	.fields = secret_fields,
	.go_name = "Secret",
};

static const struct schema_field configmap_fields[] = {
	{ "apiVersion", &t_string, 0 },
	{ "kind", &t_string, 0 },
	{ "metadata", &types_object_meta, FIELD_KEEP },
	{ "immutable", &t_bool, FIELD_POINTER },
	{ "data", &t_string_map, 0 },
	{ "binaryData", &t_bytes_map, 0 },
	END,
};
static const struct schema t_configmap = {
	.kind = SCHEMA_STRUCT,
	.fields = configmap_fields,
	.go_name = "ConfigMap",
};

static const struct schema_field objref_fields[] = {
	{ "kind", &t_string, 0 },
	{ "namespace", &t_string, 0 },
	{ "name", &t_string, 0 },
	{ "uid", &t_string, 0 },
	{ "apiVersion", &t_string, 0 },
	{ "resourceVersion", &t_string, 0 },
	{ "fieldPath", &t_string, 0 },
	END,
};
static const struct schema t_objref = {
	.kind = SCHEMA_STRUCT,
	.fields = objref_fields,
	.flags = SCHEMA_ATOMIC,
	.go_name = "ObjectReference",
};
static const struct schema_field source_fields[] = {
	{ "component", &t_string, 0 },
	{ "host", &t_string, 0 },
	END,
};
static const struct schema t_source = {
	.kind = SCHEMA_STRUCT,
	.fields = source_fields,
	.go_name = "EventSource",
};
static const struct schema_field series_fields[] = {
	{ "count", &t_int32, 0 },
	{ "lastObservedTime", &t_time, FIELD_KEEP },
	END,
};
static const struct schema t_series = {
	.kind = SCHEMA_STRUCT,
	.fields = series_fields,
	.go_name = "EventSeries",
};
static const struct schema_field event_fields[] = {
	{ "apiVersion", &t_string, 0 },
	{ "kind", &t_string, 0 },
	{ "metadata", &types_object_meta, FIELD_KEEP },
	{ "involvedObject", &t_objref, FIELD_KEEP },
	{ "reason", &t_string, 0 },
	{ "message", &t_string, 0 },
	{ "source", &t_source, FIELD_KEEP },
	{ "firstTimestamp", &t_time, FIELD_KEEP },
	{ "lastTimestamp", &t_time, FIELD_KEEP },
	{ "count", &t_int32, 0 },
	{ "type", &t_string, 0 },
	{ "eventTime", &t_time, FIELD_KEEP },
	{ "series", &t_series, FIELD_POINTER },
	{ "action", &t_string, 0 },
	{ "related", &t_objref, FIELD_POINTER },
	{ "reportingComponent", &t_string, FIELD_KEEP },
	{ "reportingInstance", &t_string, FIELD_KEEP },
	END,
};
static const struct schema t_event = {
	.kind = SCHEMA_STRUCT,
	.fields = event_fields,
	.go_name = "Event",
};

static const struct schema_field nsspec_fields[] = {
	{ "finalizers", &t_string_set, 0 },
	END,
};
static const struct schema t_nsspec = {
	.kind = SCHEMA_STRUCT,
	.fields = nsspec_fields,
	.go_name = "NamespaceSpec",
};
static const struct schema_field nsstatus_fields[] = {
	{ "phase", &t_string, 0 },
	END,
};
static const struct schema t_nsstatus = {
	.kind = SCHEMA_STRUCT,
	.fields = nsstatus_fields,
	.go_name = "NamespaceStatus",
};
static const struct schema_field namespace_fields[] = {
	{ "apiVersion", &t_string, 0 },
	{ "kind", &t_string, 0 },
	{ "metadata", &types_object_meta, FIELD_KEEP },
	{ "spec", &t_nsspec, FIELD_KEEP },
	{ "status", &t_nsstatus, FIELD_KEEP },
	END,
};
static const struct schema t_namespace = {
	.kind = SCHEMA_STRUCT,
	.fields = namespace_fields,
	.go_name = "Namespace",
};

static const struct schema_field leasespec_fields[] = {
	{ "holderIdentity", &t_string, FIELD_POINTER },
	{ "leaseDurationSeconds", &t_int32, FIELD_POINTER },
	{ "acquireTime", &t_time, FIELD_POINTER },
	{ "renewTime", &t_time, FIELD_POINTER },
	{ "leaseTransitions", &t_int32, FIELD_POINTER },
	{ "strategy", &t_string, FIELD_POINTER },
	{ "preferredHolder", &t_string, FIELD_POINTER },
	END,
};
static const struct schema t_leasespec = {
	.kind = SCHEMA_STRUCT,
	.fields = leasespec_fields,
	.go_name = "LeaseSpec",
};
static const struct schema_field lease_fields[] = {
	{ "apiVersion", &t_string, 0 },
	{ "kind", &t_string, 0 },
	{ "metadata", &types_object_meta, FIELD_KEEP },
	{ "spec", &t_leasespec, FIELD_KEEP },
	END,
};
static const struct schema t_lease = {
	.kind = SCHEMA_STRUCT,
	.fields = lease_fields,
	.go_name = "Lease",
};

static const struct schema_field account_fields[] = {
	{ "apiVersion", &t_string, 0 },
	{ "kind", &t_string, 0 },
	{ "metadata", &types_object_meta, FIELD_KEEP },
	{ "secrets", &t_any_list, 0 },
	{ "imagePullSecrets", &t_any_list, 0 },
	{ "automountServiceAccountToken", &t_bool, FIELD_POINTER },
	END,
};
static const struct schema t_account = {
	.kind = SCHEMA_STRUCT,
	.fields = account_fields,
	.go_name = "ServiceAccount",
};

/* -- the SealedSecret definition -- */

static const struct schema t_encrypted = {
	.kind = SCHEMA_MAP,
	.elem = &t_string,
	.flags = SCHEMA_PRESERVE,
};
static const struct schema t_template_data = {
	.kind = SCHEMA_MAP,
	.elem = &t_nullstring,
	.flags = SCHEMA_NULLABLE,
};
static const struct schema t_string_list = {
	.kind = SCHEMA_LIST,
	.elem = &t_string,
	.flags = SCHEMA_ATOMIC,
};
static const struct schema_field tmeta_fields[] = {
	{ "annotations", &t_string_map, 0 },
	{ "finalizers", &t_string_list, 0 },
	{ "labels", &t_string_map, 0 },
	{ "name", &t_string, 0 },
	{ "namespace", &t_string, 0 },
	END,
};
static const struct schema t_template_meta = {
	.kind = SCHEMA_STRUCT,
	.fields = tmeta_fields,
	.flags = SCHEMA_PRESERVE | SCHEMA_NULLABLE,
};
static const struct schema_field template_fields[] = {
	{ "data", &t_template_data, 0 },
	{ "immutable", &t_bool, 0 },
	{ "metadata", &t_template_meta, 0 },
	{ "type", &t_string, 0 },
	END,
};
static const struct schema t_template = {
	.kind = SCHEMA_STRUCT,
	.fields = template_fields,
};
static const struct schema_field spec_fields[] = {
	{ "data", &t_bytes, 0 },
	{ "encryptedData", &t_encrypted, FIELD_REQUIRED },
	{ "template", &t_template, 0 },
	END,
};
static const struct schema t_spec = {
	.kind = SCHEMA_STRUCT,
	.fields = spec_fields,
};
static const struct schema_field condition_fields[] = {
	{ "lastTransitionTime", &t_time, 0 },
	{ "lastUpdateTime", &t_time, 0 },
	{ "message", &t_string, 0 },
	{ "reason", &t_string, 0 },
	{ "status", &t_string, FIELD_REQUIRED },
	{ "type", &t_string, FIELD_REQUIRED },
	END,
};
static const struct schema t_condition = {
	.kind = SCHEMA_STRUCT,
	.fields = condition_fields,
};
static const struct schema t_conditions = {
	.kind = SCHEMA_LIST,
	.elem = &t_condition,
	.flags = SCHEMA_ATOMIC,
};
static const struct schema_field status_fields[] = {
	{ "conditions", &t_conditions, 0 },
	{ "observedGeneration", &t_int, 0 },
	END,
};
static const struct schema t_status = {
	.kind = SCHEMA_STRUCT,
	.fields = status_fields,
};
static const struct schema_field sealedsecret_fields[] = {
	{ "apiVersion", &t_string, 0 },
	{ "kind", &t_string, 0 },
	{ "metadata", &types_object_meta, 0 },
	{ "spec", &t_spec, FIELD_REQUIRED },
	{ "status", &t_status, 0 },
	END,
};
static const struct schema t_sealedsecret = {
	.kind = SCHEMA_STRUCT,
	.fields = sealedsecret_fields,
};

/* -- the table -- */

static const char *const secret_labels[] = { "type" };
static const char *const namespace_labels[] = { "status.phase" };
static const char *const event_labels[] = {
	"involvedObject.kind",
	"involvedObject.namespace",
	"involvedObject.name",
	"involvedObject.uid",
	"involvedObject.apiVersion",
	"involvedObject.resourceVersion",
	"involvedObject.fieldPath",
	"reason",
	"reportingComponent",
	"source",
	"type",
};

const struct resource types_all[TYPES_COUNT] = {
	{
	    .version = "v1",
	    .group = "",
	    .api_version = "v1",
	    .plural = "secrets",
	    .singular = "secret",
	    .kind = "Secret",
	    .full_name = "secrets",
	    .schema = &t_secret,
	    .field_labels = secret_labels,
	    .nfield_labels = ARRAY_SIZE(secret_labels),
	    .namespaced = true,
	    .unconditional_update = true,
	    .index = 0,
	},
	{
	    .version = "v1",
	    .group = "",
	    .api_version = "v1",
	    .plural = "events",
	    .singular = "event",
	    .kind = "Event",
	    .full_name = "events",
	    .schema = &t_event,
	    .field_labels = event_labels,
	    .nfield_labels = ARRAY_SIZE(event_labels),
	    .namespaced = true,
	    .unconditional_update = true,
	    .create_on_update = true,
	    .index = 1,
	},
	{
	    .version = "v1",
	    .group = "",
	    .api_version = "v1",
	    .plural = "namespaces",
	    .singular = "namespace",
	    .kind = "Namespace",
	    .full_name = "namespaces",
	    .schema = &t_namespace,
	    .field_labels = namespace_labels,
	    .nfield_labels = ARRAY_SIZE(namespace_labels),
	    .unconditional_update = true,
	    .index = 2,
	},
	{
	    .version = "v1alpha1",
	    .group = "bitnami.com",
	    .api_version = "bitnami.com/v1alpha1",
	    .plural = "sealedsecrets",
	    .singular = "sealedsecret",
	    .kind = "SealedSecret",
	    .full_name = "sealedsecrets.bitnami.com",
	    .schema = &t_sealedsecret,
	    .namespaced = true,
	    .custom = true,
	    .status = true,
	    .index = 3,
	},
	{
	    .version = "v1",
	    .group = "coordination.k8s.io",
	    .api_version = "coordination.k8s.io/v1",
	    .plural = "leases",
	    .singular = "lease",
	    .kind = "Lease",
	    .full_name = "leases.coordination.k8s.io",
	    .schema = &t_lease,
	    .namespaced = true,
	    .create_on_update = true,
	    .index = 4,
	},
	{
	    .version = "v1",
	    .group = "",
	    .api_version = "v1",
	    .plural = "configmaps",
	    .singular = "configmap",
	    .kind = "ConfigMap",
	    .full_name = "configmaps",
	    .schema = &t_configmap,
	    .namespaced = true,
	    .unconditional_update = true,
	    .index = 5,
	},
	{
	    .version = "v1",
	    .group = "",
	    .api_version = "v1",
	    .plural = "serviceaccounts",
	    .singular = "serviceaccount",
	    .kind = "ServiceAccount",
	    .full_name = "serviceaccounts",
	    .schema = &t_account,
	    .namespaced = true,
	    .unconditional_update = true,
	    .index = 6,
	},
};

const struct resource *
types_find(const char *group, const char *version, const char *plural)
{
	for (size_t i = 0; i < TYPES_COUNT; i++) {
		const struct resource *r = &types_all[i];

		if (strcmp(r->group, group) == 0 &&
		    strcmp(r->version, version) == 0 &&
		    strcmp(r->plural, plural) == 0)
			return r;
	}
	return NULL;
}

const struct resource *
types_by_kind(const char *api_version, const char *kind)
{
	for (size_t i = 0; i < TYPES_COUNT; i++) {
		const struct resource *r = &types_all[i];

		if (strcmp(r->api_version, api_version) == 0 &&
		    strcmp(r->kind, kind) == 0)
			return r;
	}
	return NULL;
}
