/*
 * SealedSecret + keys -> desired Secret.
 */
#include "sealedsecret/unseal.h"

#include <string.h>

#include "base/buf.h"
#include "base/codec.h"
#include "base/jsonx.h"
#include "base/secret.h"
#include "desired.h"
#include "itemerrs.h"
#include "keystore/seal.h"
#include "sealedsecret.h"
#include "sealedsecret/merge.h"

#define NOKEY_TEXT   "no key could decrypt secret"
#define UNTRIED_TEXT "not tried after too many failures"

/* What stays the same for all items of one object. */
struct opener {
	struct registry *keys;
	uint32_t *hint;
	char label[SCOPE_LABEL_MAX];
	size_t label_len;
	size_t trials; /* keys tried in vain so far */
};

static void
opener_init(struct opener *o, struct registry *keys,
    const struct sealedsecret *ss, uint32_t *hint)
{
	o->keys = keys;
	o->hint = hint;
	o->trials = 0;
	o->label_len = scope_label(ss->scope, &ss->key, o->label);
}

/* Base64 of a sealed blob -> its plaintext. */
static int
open_text(const struct opener *o, const json_t *text, struct secret **ret,
    struct err *err)
{
	AUTO_RELEASE(buf) struct buf blob = BUF_INIT(SEAL_BLOB_MAX);

	if (base64_decode(json_string_value(text), json_string_length(text),
		&blob, err) < 0)
		return -1;
	return registry_unseal(o->keys, o->hint, o->label, o->label_len,
	    buf_str(&blob), blob.len, ret, err);
}

/* -> base64 text as a Secret holds it. */
static int
encode(const void *p, size_t len, json_t **ret, struct err *err)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(2 * SEAL_BLOB_MAX);

	if (base64_encode(p, len, &b, err) < 0)
		return -1;
	*ret = jsonx_strn(buf_str(&b), b.len);
	return 0;
}

static int
open_item(
    const struct opener *o, const json_t *text, json_t **ret, struct err *err)
{
	AUTO(secret) struct secret *plain = NULL;

	if (open_text(o, text, &plain, err) < 0)
		return -1;
	return encode(secret_bytes(plain), secret_len(plain), ret, err);
}

static void
try_item(struct opener *o, const char *name, const json_t *v, json_t *data,
    struct itemerrs *errs)
{
	size_t len = strlen(name);
	struct err err = ERR_INIT;
	json_t *value = NULL;

	if (!sealedsecret_valid_item(name, len)) {
		itemerrs_add(
		    errs, name, len, ERR_INVALID, "invalid key name", NULL);
		return;
	}
	if (!json_is_string(v)) {
		(void)err_set(&err, ERR_INVALID, "expected text, got %s",
		    jsonx_type_name(v));
		itemerrs_add(errs, name, len, ERR_INVALID, NOKEY_TEXT, err.msg);
		return;
	}
	if (o->trials >= UNSEAL_TRIALS_MAX) {
		itemerrs_add(errs, name, len, ERR_NOKEY, UNTRIED_TEXT, NULL);
		return;
	}
	if (open_item(o, v, &value, &err) == 0) {
		jsonx_set(data, name, value);
		return;
	}
	if (err.code == ERR_NOKEY)
		o->trials += 1 + registry_count(o->keys);
	itemerrs_add(errs, name, len, err.code, err.msg, NULL);
}

static int
open_items(struct opener *o, const json_t *items, json_t **ret, struct err *err)
{
	AUTO_RELEASE(itemerrs) struct itemerrs errs = ITEMERRS_INIT;
	AUTO_JSON json_t *data = json_object();
	const char *name;
	json_t *v;

	if (json_object_size(items) > UNSEAL_ITEMS_MAX)
		return err_set(err, ERR_TOOBIG,
		    "too many items (%zu, limit %d)", json_object_size(items),
		    UNSEAL_ITEMS_MAX);
	json_object_foreach((json_t *)items, name, v)
	    try_item(o, name, v, data, &errs);
	if (itemerrs_result(&errs, err) < 0)
		return -1;
	*ret = STEAL(data);
	return 0;
}

static int
refuse_template_data(const json_t *template, struct err *err)
{
	const json_t *data;

	if (sealedsecret_object(
		template, "data", "spec.template.data", &data, err) < 0)
		return -1;
	if (json_object_size(data) == 0)
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
	    "spec.template.data is not supported by this version: "
	    "no Secret was written");
}

static bool
skips_owner(const json_t *template)
{
	return merge_annotated(template, ANNOTATION_SKIP_OWNER);
}

static int
unseal_items(struct opener *o, const struct sealedsecret *ss,
    const json_t *spec, const struct unseal_options *opt, json_t **ret,
    struct err *err)
{
	AUTO_JSON json_t *data = NULL;
	const json_t *items, *template;

	if (sealedsecret_object(
		spec, "encryptedData", "spec.encryptedData", &items, err) < 0 ||
	    sealedsecret_object(
		spec, "template", "spec.template", &template, err) < 0 ||
	    refuse_template_data(template, err) < 0 ||
	    open_items(o, items, &data, err) < 0)
		return -1;
	return desired_build(ss,
	    &(struct desired_parts) {
		.parts = template,
		.where = "spec.template.",
		.data = data,
		.skip_owner = skips_owner(template),
		.key_ns = opt->key_ns,
		.allowed_types = opt->allowed_types,
	    },
	    ret, err);
}

/* ---- the old form: one blob that holds a whole Secret as JSON ---- */

static int
check_inner_kind(const json_t *inner, struct err *err)
{
	const char *version = jsonx_str(inner, "apiVersion", NULL);
	const char *kind = jsonx_str(inner, "kind", NULL);

	if (version == NULL || kind == NULL || strcmp(version, "v1") != 0 ||
	    strcmp(kind, "Secret") != 0)
		return err_set(err, ERR_INVALID, "not a v1 Secret");
	return 0;
}

/* Values are decoded and encoded again, so that they are written as the API
 * server writes them. */
static int
copy_inner_value(const json_t *v, bool base64, json_t **ret, struct err *err)
{
	AUTO_RELEASE(buf) struct buf plain = BUF_INIT(SEAL_BLOB_MAX);

	if (json_is_null(v))
		return encode("", 0, ret, err);
	if (!json_is_string(v))
		return err_set(err, ERR_INVALID, "expected text, got %s",
		    jsonx_type_name(v));
	if (!base64)
		return encode(
		    json_string_value(v), json_string_length(v), ret, err);
	if (base64_decode(
		json_string_value(v), json_string_length(v), &plain, err) < 0)
		return -1;
	return encode(buf_str(&plain), plain.len, ret, err);
}

static int
copy_inner_data(const json_t *inner, const char *member, bool base64,
    json_t *data, struct err *err)
{
	AUTO_RELEASE(itemerrs) struct itemerrs errs = ITEMERRS_INIT;
	const json_t *from;
	const char *name;
	json_t *v;

	if (sealedsecret_object(inner, member, member, &from, err) < 0)
		return -1;
	json_object_foreach((json_t *)from, name, v)
	{
		struct err e = ERR_INIT;
		json_t *value = NULL;

		if (copy_inner_value(v, base64, &value, &e) < 0)
			itemerrs_add(
			    &errs, name, strlen(name), e.code, e.msg, NULL);
		else
			jsonx_set(data, name, value);
	}
	return itemerrs_result(&errs, err);
}

static int
parse_inner(
    const struct secret *plain, json_t **inner, json_t **data, struct err *err)
{
	AUTO_JSON json_t *obj = NULL;
	AUTO_JSON json_t *d = json_object();

	if (jsonx_parse((const char *)secret_bytes(plain), secret_len(plain), 0,
		&obj, err) < 0)
		return -1;
	if (check_inner_kind(obj, err) < 0 ||
	    copy_inner_data(obj, "data", true, d, err) < 0 ||
	    copy_inner_data(obj, "stringData", false, d, err) < 0)
		return -1;
	*inner = STEAL(obj);
	*data = STEAL(d);
	return 0;
}

static int
check_v1_use(
    const json_t *spec, const struct unseal_options *opt, struct err *err)
{
	if (!opt->accept_v1_data)
		return err_set(err, ERR_INVALID,
		    "using deprecated 'data' field, use 'encryptedData' or "
		    "flip the feature flag");
	if (json_object_size(json_object_get(spec, "encryptedData")) > 0)
		return err_set(err, ERR_INVALID,
		    "cannot use the field 'encryptedData' and the deprecated "
		    "field 'data' at the same time");
	if (!json_is_string(json_object_get(spec, "data")))
		return sealedsecret_type_error(
		    "spec.data", "text", json_object_get(spec, "data"), err);
	return 0;
}

static int
unseal_v1(const struct opener *o, const struct sealedsecret *ss,
    const json_t *spec, const struct unseal_options *opt, json_t **ret,
    struct err *err)
{
	AUTO(secret) struct secret *plain = NULL;
	AUTO_JSON json_t *inner = NULL;
	AUTO_JSON json_t *data = NULL;

	if (open_text(o, json_object_get(spec, "data"), &plain, err) < 0)
		return -1;
	if (parse_inner(plain, &inner, &data, err) < 0)
		return err_wrap(err, "spec.data");
	return desired_build(ss,
	    &(struct desired_parts) {
		.parts = inner,
		.where = "spec.data: ",
		.data = data,
		/* The template counts for nothing else here. */
		.skip_owner = skips_owner(json_object_get(spec, "template")),
		.key_ns = opt->key_ns,
		.allowed_types = opt->allowed_types,
	    },
	    ret, err);
}

int
unseal(struct registry *keys, const json_t *sealedsecret,
    const struct unseal_options *opt, uint32_t *hint, json_t **ret,
    struct err *err)
{
	struct sealedsecret ss;
	struct opener o;
	const json_t *spec;

	if (sealedsecret_view(sealedsecret, &ss, err) < 0)
		return -1;
	spec = json_object_get(sealedsecret, "spec");
	if (!json_is_object(spec))
		return sealedsecret_type_error("spec", "object", spec, err);
	opener_init(&o, keys, &ss, hint);
	/* Absent or null: not used. Empty: used, with zero bytes. */
	if (jsonx_get(spec, "data", NULL) == NULL)
		return unseal_items(&o, &ss, spec, opt, ret, err);
	if (check_v1_use(spec, opt, err) < 0)
		return -1;
	return unseal_v1(&o, &ss, spec, opt, ret, err);
}
