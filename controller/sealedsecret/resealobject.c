/*
 * What a rotation gives back. Trees are copied only where they change, the
 * rest is shared with the object that came in.
 */
#include "resealobject.h"

#include "base/jsonx.h"
#include "sealedsecret.h"
#include "sealedsecret/merge.h"
#include "sealedsecret/reseal.h"

/* What API servers set; a file has no business with it. */
static const char *const server_set[] = {
	"uid",
	"resourceVersion",
	"generation",
	"creationTimestamp",
	"deletionTimestamp",
	"deletionGracePeriodSeconds",
	"managedFields",
	"selfLink",
};

/* They may hold a Secret in clear text. */
static const char *const last_applied[] = {
	"kubectl.kubernetes.io/last-applied-configuration",
	"kubecfg.ksonnet.io/last-applied-configuration",
};

static const char *const scopes[] = {
	ANNOTATION_CLUSTER_WIDE,
	ANNOTATION_NAMESPACE_WIDE,
};

/* A copy of member name of from in to, not shared; NULL in *ret where it is
 * absent. where: for the error. */
static int
copy_object(const json_t *from, const char *name, const char *where, json_t *to,
    json_t **ret, struct err *err)
{
	const json_t *v;

	*ret = NULL;
	if (sealedsecret_object(from, name, where, &v, err) < 0)
		return -1;
	if (v == NULL)
		return 0;
	*ret = json_copy((json_t *)(uintptr_t)v);
	jsonx_set(to, name, *ret);
	return 0;
}

/* Annotations without last-applied. */
static int
clean_annotations(json_t *metadata, const json_t *from, const char *where,
    json_t **ret, struct err *err)
{
	if (copy_object(from, "annotations", where, metadata, ret, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(last_applied); i++)
		(void)json_object_del(*ret, last_applied[i]);
	return 0;
}

/* No empty map where all was removed. */
static void
drop_if_emptied(json_t *metadata, const json_t *from)
{
	if (json_object_size(json_object_get(from, "annotations")) > 0 &&
	    json_object_size(json_object_get(metadata, "annotations")) == 0)
		(void)json_object_del(metadata, "annotations");
}

static int
build_metadata(const json_t *obj, json_t *out, struct err *err)
{
	const json_t *from = json_object_get(obj, "metadata");
	json_t *metadata, *annotations;

	if (copy_object(obj, "metadata", "metadata", out, &metadata, err) < 0)
		return -1;
	if (metadata == NULL)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(server_set); i++)
		(void)json_object_del(metadata, server_set[i]);
	if (clean_annotations(
		metadata, from, "metadata.annotations", &annotations, err) < 0)
		return -1;
	drop_if_emptied(metadata, from);
	return 0;
}

/* Name and namespace of a template say nothing; other ones than the object's
 * would only mislead. */
static void
own_name(json_t *metadata, const json_t *obj, const char *member)
{
	json_t *own = jsonx_get(obj, "metadata", member, NULL);

	if (json_object_get(metadata, member) == NULL)
		return;
	if (own != NULL)
		jsonx_set(metadata, member, json_incref(own));
	else
		(void)json_object_del(metadata, member);
}

/*
 * A scope that only the template claims must not come back: whoever reads
 * scopes there would take the object for a wider one.
 */
static int
clean_template_metadata(json_t *metadata, const json_t *template,
    const json_t *obj, struct err *err)
{
	const json_t *from = json_object_get(template, "metadata");
	json_t *annotations;

	own_name(metadata, obj, "name");
	own_name(metadata, obj, "namespace");
	if (clean_annotations(metadata, from,
		"spec.template.metadata.annotations", &annotations, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(scopes); i++)
		if (merge_annotated(template, scopes[i]) &&
		    !merge_annotated(obj, scopes[i]))
			(void)json_object_del(annotations, scopes[i]);
	drop_if_emptied(metadata, from);
	return 0;
}

static int
build_template(
    const json_t *obj, const json_t *from, json_t *template, struct err *err)
{
	json_t *metadata;

	if (copy_object(from, "metadata", "spec.template.metadata", template,
		&metadata, err) < 0)
		return -1;
	return metadata == NULL
	    ? 0
	    : clean_template_metadata(metadata, from, obj, err);
}

static void
take(json_t *to, const json_t *from, const char *name)
{
	json_t *v = jsonx_get(from, name, NULL);

	if (v != NULL)
		jsonx_set(to, name, json_incref(v));
}

/*
 * The template that asks for the Secret of the old form. The object's own
 * template counted for nothing there but for one annotation.
 */
static json_t *
template_of_inner(const json_t *obj, const json_t *inner)
{
	const json_t *old = jsonx_object(obj, "spec", "template", NULL);
	const json_t *from = jsonx_object(inner, "metadata", NULL);
	const json_t *annotations = jsonx_object(from, "annotations", NULL);
	json_t *template = json_object();
	json_t *metadata = json_object();

	jsonx_set(template, "metadata", metadata);
	take(metadata, jsonx_object(obj, "metadata", NULL), "name");
	take(metadata, jsonx_object(obj, "metadata", NULL), "namespace");
	take(metadata, from, "labels");
	take(metadata, from, "finalizers");
	if (annotations != NULL)
		jsonx_set(metadata, "annotations",
		    json_copy((json_t *)(uintptr_t)annotations));
	if (merge_annotated(old, ANNOTATION_SKIP_OWNER)) {
		if (annotations == NULL)
			jsonx_set(metadata, "annotations", json_object());
		jsonx_set_str(json_object_get(metadata, "annotations"),
		    ANNOTATION_SKIP_OWNER, "true");
	}
	take(template, inner, "type");
	take(template, inner, "immutable");
	return template;
}

static int
build_spec(const json_t *obj, const json_t *inner, json_t *items, json_t *out,
    struct err *err)
{
	AUTO_JSON json_t *from = NULL;
	json_t *spec, *template;

	if (copy_object(obj, "spec", "spec", out, &spec, err) < 0)
		return -1;
	(void)json_object_del(spec, "data");
	jsonx_set(spec, "encryptedData", json_incref(items));
	if (inner != NULL)
		jsonx_set(spec, "template", template_of_inner(obj, inner));
	from = json_incref(json_object_get(spec, "template"));
	if (json_is_null(from))
		(void)json_object_del(spec, "template");
	if (from == NULL || json_is_null(from))
		return 0;
	if (!json_is_object(from))
		return sealedsecret_type_error(
		    "spec.template", "object", from, err);
	template = json_copy(from);
	jsonx_set(spec, "template", template);
	return build_template(obj, from, template, err);
}

int
resealobject_build(const json_t *obj, const json_t *inner, json_t *items,
    json_t **ret, struct err *err)
{
	AUTO_JSON json_t *out = json_object();

	jsonx_set_str(out, "apiVersion", RESEAL_API_VERSION);
	jsonx_set_str(out, "kind", RESEAL_KIND);
	if (build_metadata(obj, out, err) < 0 ||
	    build_spec(obj, inner, items, out, err) < 0)
		return -1;
	*ret = STEAL(out);
	return 0;
}
