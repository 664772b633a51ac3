/*
 * Bodies of requests as objects, or the refusal that the real server has for
 * them.
 */
#include "decode.h"

#include <stdlib.h>
#include <string.h>

#include "settings.h"
#include "status.h"
#include "validate.h"

bool
decode_type_is(const struct call *c, const char *want)
{
	const char *got = http_header(c->req, "Content-Type");
	size_t n;

	if (got == NULL)
		return false;
	n = strcspn(got, "; ");
	return strlen(want) == n && strncmp(got, want, n) == 0;
}

static json_t *
bad_object(const struct resource *r, const char *why)
{
	char *msg = util_format("%s in version \"%s\" cannot be handled as a "
				"%s: %s",
	    r->kind, r->version, r->kind, why);
	json_t *s = status_bad_request(msg);

	free(msg);
	return s;
}

/* Steals why. */
static json_t *
refuse(char *why)
{
	json_t *s = status_bad_request(why);

	free(why);
	return s;
}

static json_t *
unrecognized(const struct resource *r, const char *why)
{
	return refuse(util_format("the object provided is unrecognized (must "
				  "be of type %s): %s",
	    r->kind, why));
}

static json_t *
wrong_custom_kind(const struct resource *r, const json_t *obj, const char *kind)
{
	struct resource as = *r;
	const char *name = json_str(json_object_get(obj, "metadata"), "name");
	json_t *causes = json_array(), *s;

	as.kind = kind;
	validate_cause(causes, "kind", "FieldValueInvalid",
	    "Invalid value: \"%s\": must be %s", kind, r->kind);
	s = status_invalid(&as, name == NULL ? "" : name, causes);
	json_decref(causes);
	return s;
}

static json_t *
check_custom_type(const struct resource *r, const json_t *obj)
{
	const char *version = json_str(obj, "apiVersion");
	const char *kind = json_str(obj, "kind");

	if (kind == NULL || *kind == '\0')
		return unrecognized(r, "Object 'Kind' is missing");
	if (version == NULL || *version == '\0')
		return unrecognized(r, "Object 'apiVersion' is missing");
	if (strcmp(version, r->api_version) != 0)
		return refuse(util_format("the API version in the data (%s) "
					  "does not match the expected API "
					  "version (%s)",
		    version, r->api_version));
	if (strcmp(kind, r->kind) != 0)
		return wrong_custom_kind(r, obj, kind);
	return NULL;
}

static json_t *
check_builtin_type(const struct resource *r, const json_t *obj)
{
	const char *version = json_str(obj, "apiVersion");
	const char *kind = json_str(obj, "kind");

	if (kind == NULL || *kind == '\0')
		kind = r->kind;
	if (version == NULL || *version == '\0')
		version = r->api_version;
	if (strcmp(version, r->api_version) != 0)
		return refuse(
		    util_format("%s in version \"%s\" cannot be "
				"handled as a %s: no kind \"%s\" is "
				"registered for version \"%s\" in "
				"scheme \"pkg/runtime/scheme.go:110\"",
			kind, version, r->kind, kind, version));
	if (strcmp(kind, r->kind) != 0)
		return refuse(util_format("%s in version \"%s\" cannot be "
					  "handled as a %s: converting "
					  "(v1.%s) to (core.%s): unknown "
					  "conversion",
		    kind, r->version, r->kind, kind, r->kind));
	return NULL;
}

static void
merge_string_data(json_t *secret)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	json_t *from = json_object_get(secret, "stringData");
	const char *k;
	json_t *v;

	json_object_foreach(from, k, v)
	{
		const unsigned char *p =
		    (const unsigned char *)json_string_value(v);
		size_t n = json_string_length(v);
		struct sbuf out = { 0 };

		sbuf_add(&out, "", 0);
		for (size_t i = 0; i < n; i += 3) {
			size_t left = n - i;
			unsigned b = (unsigned)p[i] << 16 |
			    (left > 1 ? (unsigned)p[i + 1] << 8 : 0) |
			    (left > 2 ? (unsigned)p[i + 2] : 0);
			char q[4] = {
				alphabet[b >> 18 & 63],
				alphabet[b >> 12 & 63],
				left > 1 ? alphabet[b >> 6 & 63] : '=',
				left > 2 ? alphabet[b & 63] : '=',
			};

			sbuf_add(&out, q, sizeof(q));
		}
		json_puts(json_child(secret, "data"), k, out.data);
		sbuf_release(&out);
	}
	json_object_del(secret, "stringData");
}

static json_t *
decode_builtin(const struct resource *r, const json_t *in, json_t **fail)
{
	char *why = NULL;
	json_t *obj = schema_decode(r->schema, in, &why);

	if (obj == NULL) {
		*fail = bad_object(r, why);
		free(why);
		return NULL;
	}
	if (r == TYPES_SECRETS) {
		if (json_object_get(obj, "stringData") != NULL)
			merge_string_data(obj);
		if (json_object_get(obj, "type") == NULL)
			json_puts(obj, "type", "Opaque");
	}
	return obj;
}

static json_t *
decode_custom(const struct resource *r, const json_t *in, json_t **fail)
{
	char *why = NULL;
	json_t *meta = NULL, *obj;
	const json_t *given = json_object_get(in, "metadata");

	if (given != NULL && !json_is_null(given)) {
		if (json_is_object(given))
			meta = schema_decode(&types_object_meta, given, &why);
		if (meta == NULL) {
			*fail = bad_object(
			    r, why == NULL ? "metadata is not an object" : why);
			free(why);
			return NULL;
		}
	}
	obj = json_deep_copy(in);
	json_put(obj, "metadata", meta == NULL ? json_object() : meta);
	if (settings_get().schema)
		schema_prune(r->schema, obj);
	return obj;
}

json_t *
decode_object(const struct resource *r, const json_t *in, json_t **fail)
{
	json_t *obj;

	if (!json_is_object(in)) {
		*fail = unrecognized(r, "couldn't get version/kind");
		return NULL;
	}
	*fail =
	    r->custom ? check_custom_type(r, in) : check_builtin_type(r, in);
	if (*fail != NULL)
		return NULL;
	obj = r->custom ? decode_custom(r, in, fail)
			: decode_builtin(r, in, fail);
	if (obj != NULL) {
		json_puts(obj, "apiVersion", r->api_version);
		json_puts(obj, "kind", r->kind);
	}
	return obj;
}

json_t *
decode_body(struct call *c)
{
	json_t *raw, *obj, *fail = NULL;
	char *why = NULL;

	if (http_header(c->req, "Content-Type") != NULL &&
	    !decode_type_is(c, "application/json")) {
		call_fail(c,
		    status_new(415, "UnsupportedMediaType",
			"the body of the request was in an unknown format - "
			"accepted media types include: application/json, "
			"application/yaml, "
			"application/vnd.kubernetes.protobuf",
			NULL));
		return NULL;
	}
	raw = json_parse(c->req->body, c->req->body_len, &why);
	if (raw == NULL) {
		char *text = util_format("couldn't get version/kind; json "
					 "parse error: %s",
		    why);

		call_fail(c, unrecognized(c->res, text));
		free(text);
		free(why);
		return NULL;
	}
	obj = decode_object(c->res, raw, &fail);
	json_decref(raw);
	if (obj == NULL)
		call_fail(c, fail);
	return obj;
}
