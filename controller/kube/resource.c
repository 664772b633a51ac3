/*
 * The resources we speak of and their URLs.
 */
#include <string.h>

#include "kube/client.h"

const struct kube_resource KUBE_SECRETS = {
	.prefix = "/api/v1",
	.plural = "secrets",
	.kind = "Secret",
	.api_version = "v1",
	.manager = KUBE_MANAGER,
};
const struct kube_resource KUBE_SECRETS_META = {
	.prefix = "/api/v1",
	.plural = "secrets",
	.kind = "Secret",
	.api_version = "v1",
	.metadata_only = true,
	.manager = KUBE_MANAGER,
};
const struct kube_resource KUBE_SEALEDSECRETS = {
	.prefix = "/apis/bitnami.com/v1alpha1",
	.plural = "sealedsecrets",
	.kind = "SealedSecret",
	.api_version = "bitnami.com/v1alpha1",
};
const struct kube_resource KUBE_EVENTS = {
	.prefix = "/api/v1",
	.plural = "events",
	.kind = "Event",
	.api_version = "v1",
};
const struct kube_resource KUBE_LEASES = {
	.prefix = "/apis/coordination.k8s.io/v1",
	.plural = "leases",
	.kind = "Lease",
	.api_version = "coordination.k8s.io/v1",
};
const struct kube_resource KUBE_CONFIGMAPS = {
	.prefix = "/api/v1",
	.plural = "configmaps",
	.kind = "ConfigMap",
	.api_version = "v1",
	.manager = KUBE_MANAGER,
};
const struct kube_resource KUBE_NAMESPACES = {
	.prefix = "/api/v1",
	.plural = "namespaces",
	.kind = "Namespace",
	.api_version = "v1",
	.cluster_scoped = true,
};
const struct kube_resource KUBE_TOKEN_REVIEWS = {
	.prefix = "/apis/authentication.k8s.io/v1",
	.plural = "tokenreviews",
	.kind = "TokenReview",
	.api_version = "authentication.k8s.io/v1",
	.cluster_scoped = true,
};
const struct kube_resource KUBE_ACCESS_REVIEWS = {
	.prefix = "/apis/authorization.k8s.io/v1",
	.plural = "subjectaccessreviews",
	.kind = "SubjectAccessReview",
	.api_version = "authorization.k8s.io/v1",
	.cluster_scoped = true,
};

/* No fall-back to full objects: a server that cannot reduce them must say so
 * rather than send every Secret's contents. */
const char *
kube_accept(const struct kube_resource *res, bool list)
{
	if (!res->metadata_only)
		return "application/json";
	if (list)
		return "application/json;as=PartialObjectMetadataList;"
		       "g=meta.k8s.io;v=v1";
	return "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
}

/* RFC 3986: all but the unreserved characters. */
static void
put_encoded(struct buf *out, const char *s)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "abcdefghijklmnopqrstuvwxyz"
					 "0123456789-._~";

	for (; *s != '\0'; s++) {
		if (strchr(unreserved, *s) != NULL)
			buf_putc(out, *s);
		else
			buf_printf(out, "%%%02X", (unsigned char)*s);
	}
}

/* A whole segment "." or ".." would be taken as a step in the path. */
static void
put_segment(struct buf *out, const char *s)
{
	buf_putc(out, '/');
	if (strcmp(s, ".") == 0)
		buf_puts(out, "%2E");
	else if (strcmp(s, "..") == 0)
		buf_puts(out, "%2E%2E");
	else
		put_encoded(out, s);
}

/* ns is looked at where the path has one. */
static void
put_collection(const struct kube_resource *res, bool namespaced, const char *ns,
    struct buf *out)
{
	buf_puts(out, res->prefix);
	if (namespaced) {
		buf_puts(out, "/namespaces");
		put_segment(out, ns);
	}
	put_segment(out, res->plural);
}

void
kube_path_collection(
    const struct kube_resource *res, const char *ns, struct buf *out)
{
	put_collection(res, ns != NULL && !res->cluster_scoped, ns, out);
}

void
kube_path_object(const struct kube_resource *res, const struct objkey *key,
    const char *subresource, struct buf *out)
{
	put_collection(res, !res->cluster_scoped, key->ns, out);
	put_segment(out, key->name);
	if (subresource != NULL)
		put_segment(out, subresource);
}

void
kube_path_query(struct buf *path, const char *name, const char *value)
{
	buf_putc(path, strchr(buf_str(path), '?') == NULL ? '?' : '&');
	put_encoded(path, name);
	buf_putc(path, '=');
	put_encoded(path, value);
}
