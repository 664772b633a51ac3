/*
 * The Secret that a SealedSecret asks for.
 */
#include "desired.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/codec.h"
#include "base/jsonx.h"
#include "keystore/seal.h"
#include "keystore/secretform.h"

#define WHERE_MAX 64

static int
copy_text_map(const json_t *metadata, const char *name, const char *where,
    json_t *out, struct err *err)
{
	AUTO_JSON json_t *map = json_object();
	const json_t *from;
	const char *k;
	json_t *v;

	if (sealedsecret_object(metadata, name, where, &from, err) < 0)
		return -1;
	json_object_foreach((json_t *)from, k, v)
	{
		/* null reads as an empty text, as everywhere in Kubernetes. */
		if (json_is_null(v))
			jsonx_set_str(map, k, "");
		else if (json_is_string(v))
			jsonx_set(map, k, json_incref(v));
		else
			return sealedsecret_type_error(where, "texts", v, err);
	}
	if (json_object_size(map) > 0)
		jsonx_set(out, name, json_incref(map));
	return 0;
}

static int
copy_list(const json_t *metadata, const char *name, const char *where,
    json_type want, json_t *out, struct err *err)
{
	json_t *from = json_object_get(metadata, name);
	json_t *v;
	size_t i;

	if (from == NULL || json_is_null(from))
		return 0;
	if (!json_is_array(from))
		return sealedsecret_type_error(where, "array", from, err);
	json_array_foreach(from, i,
	    v) if (json_typeof(v) != want) return sealedsecret_type_error(where,
	    want == JSON_STRING ? "texts" : "objects", v, err);
	if (json_array_size(from) > 0)
		jsonx_set(out, name, json_incref(from));
	return 0;
}

static json_t *
owner_references(const struct sealedsecret *ss)
{
	json_t *ref = json_object();
	json_t *list = json_array();

	jsonx_set_str(ref, "apiVersion", SEALEDSECRET_API_VERSION);
	jsonx_set_str(ref, "kind", SEALEDSECRET_KIND);
	jsonx_set_str(ref, "name", ss->key.name);
	jsonx_set_str(ref, "uid", ss->uid);
	jsonx_set(ref, "controller", json_true());
	/* No blockOwnerDeletion: some clusters ask for extra rights for it. */
	(void)json_array_append_new(list, ref);
	return list;
}

/* How a member is called in an error. */
static const char *
at(char where[static WHERE_MAX], const struct desired_parts *p,
    const char *member)
{
	(void)snprintf(where, WHERE_MAX, "%s%s", p->where, member);
	return where;
}

/* Only what a template may say; uid, resourceVersion and the like are not
 * taken over, name and namespace are always the object's own. */
static int
build_metadata(const struct sealedsecret *ss, const struct desired_parts *p,
    json_t *out, struct err *err)
{
	char w[WHERE_MAX];
	const json_t *from;

	jsonx_set_str(out, "name", ss->key.name);
	jsonx_set_str(out, "namespace", ss->key.ns);
	if (sealedsecret_object(
		p->parts, "metadata", at(w, p, "metadata"), &from, err) < 0)
		return -1;
	if (copy_text_map(
		from, "labels", at(w, p, "metadata.labels"), out, err) < 0)
		return -1;
	if (copy_text_map(from, "annotations", at(w, p, "metadata.annotations"),
		out, err) < 0)
		return -1;
	if (copy_list(from, "finalizers", at(w, p, "metadata.finalizers"),
		JSON_STRING, out, err) < 0)
		return -1;
	if (p->skip_owner)
		return copy_list(from, "ownerReferences",
		    at(w, p, "metadata.ownerReferences"), JSON_OBJECT, out,
		    err);
	jsonx_set(out, "ownerReferences", owner_references(ss));
	return 0;
}

static int
build_rest(const struct desired_parts *p, json_t *out, struct err *err)
{
	json_t *type = json_object_get(p->parts, "type");
	json_t *immutable = json_object_get(p->parts, "immutable");
	char w[WHERE_MAX];

	if (type != NULL && !json_is_null(type)) {
		if (!json_is_string(type))
			return sealedsecret_type_error(
			    at(w, p, "type"), "text", type, err);
		/* Empty: the API server's default, or what is there. */
		if (json_string_length(type) > 0)
			jsonx_set(out, "type", json_incref(type));
	}
	if (immutable != NULL && !json_is_null(immutable)) {
		if (!json_is_boolean(immutable))
			return sealedsecret_type_error(
			    at(w, p, "immutable"), "boolean", immutable, err);
		jsonx_set(out, "immutable", json_incref(immutable));
	}
	return 0;
}

int
desired_value(const void *p, size_t len, json_t **ret, struct err *err)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(2 * SEAL_BLOB_MAX);

	if (base64_encode(p, len, &b, err) < 0)
		return -1;
	*ret = jsonx_strn(buf_str(&b), b.len);
	return 0;
}

int
desired_build(const struct sealedsecret *ss, const struct desired_parts *p,
    json_t **ret, struct err *err)
{
	AUTO_JSON json_t *secret = json_object();
	json_t *metadata = json_object();

	jsonx_set_str(secret, "apiVersion", "v1");
	jsonx_set_str(secret, "kind", "Secret");
	jsonx_set(secret, "metadata", metadata);
	if (build_metadata(ss, p, metadata, err) < 0 ||
	    build_rest(p, secret, err) < 0)
		return -1;
	jsonx_set(secret, "data", json_incref(p->data));
	if (desired_check_key_label(secret, p->key_ns, err) < 0 ||
	    desired_check_type(secret, p->allowed_types, err) < 0)
		return -1;
	*ret = STEAL(secret);
	return 0;
}

int
desired_check_key_label(
    const json_t *secret, const char *key_ns, struct err *err)
{
	const char *ns = jsonx_str(secret, "metadata", "namespace", NULL);
	const json_t *labels = jsonx_object(secret, "metadata", "labels", NULL);

	if (ns == NULL || key_ns == NULL || strcmp(ns, key_ns) != 0 ||
	    json_object_get(labels, SECRETFORM_LABEL) == NULL)
		return 0;
	return err_set(err, ERR_INVALID,
	    "a Secret with the label %s cannot come from a SealedSecret in the "
	    "namespace of the sealing keys",
	    SECRETFORM_LABEL);
}

/* type stands in a list separated by commas, blanks do not count. */
static bool
is_listed(const char *list, const char *type)
{
	size_t len = strlen(type);

	while (list != NULL && *list != '\0') {
		size_t n;

		list += strspn(list, ", ");
		n = strcspn(list, ", ");
		if (n == len && memcmp(list, type, n) == 0)
			return true;
		list += n;
	}
	return false;
}

int
desired_check_type(
    const json_t *secret, const char *allowed_types, struct err *err)
{
	static const char *const powerful[] = {
		"kubernetes.io/service-account-token",
		"bootstrap.kubernetes.io/token",
	};
	const char *type = jsonx_str(secret, "type", NULL);

	for (size_t i = 0; type != NULL && i < ARRAY_SIZE(powerful); i++)
		if (strcmp(type, powerful[i]) == 0 &&
		    !is_listed(allowed_types, type))
			return err_set(err, ERR_INVALID,
			    "a Secret of type %s is not made from a "
			    "SealedSecret unless --allow-secret-types lists it",
			    type);
	return 0;
}
