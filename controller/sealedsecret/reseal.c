/*
 * Opening, and sealing again, what a stranger hands in; see reseal.h.
 */
#include "sealedsecret/reseal.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/codec.h"
#include "base/jsonx.h"
#include "base/secret.h"
#include "keystore/seal.h"
#include "resealobject.h"
#include "sealedsecret.h"
#include "sealedsecret/merge.h"
#include "sealedsecret/unseal.h"

/* One text for all that depends on a private key. */
#define NOKEY_TEXT "no key could decrypt secret"

/* What stays the same for all items of one object. */
struct work {
	struct registry *keys;
	const struct reseal_options *opt;
	char label[SCOPE_LABEL_MAX];
	size_t label_len;
	struct objkey key; /* parts that the object lacks are placeholders */
	bool has_ns;
	uint32_t hint;
	bool rotate;	/* else verify only */
	json_t *sealed; /* items sealed again */
};

static void
work_release(struct work *w)
{
	json_decref(w->sealed);
}

DEFINE_AUTO_RELEASE(work);

/* ---- who the object is ---- */

/* NULL in *ret where absent or empty. */
static int
name_part(
    const json_t *obj, const char *member, const char **ret, struct err *err)
{
	const json_t *v = jsonx_get(obj, "metadata", member, NULL);
	const char *s = jsonx_str(obj, "metadata", member, NULL);

	if (v != NULL && s == NULL)
		return err_set(
		    err, ERR_INVALID, "metadata.%s is not valid", member);
	*ret = s != NULL && *s != '\0' ? s : NULL;
	return 0;
}

/*
 * A part that the label does not hold may be absent: kubeseal leaves the
 * namespace out of cluster-wide objects. One that is there must be valid.
 */
static int
identify(const json_t *obj, struct work *w, struct err *err)
{
	enum scope scope = scope_of(obj);
	const char *ns = NULL, *name = NULL;

	if (name_part(obj, "namespace", &ns, err) < 0 ||
	    name_part(obj, "name", &name, err) < 0)
		return -1;
	if (ns == NULL && scope != SCOPE_CLUSTER_WIDE)
		return err_set(err, ERR_INVALID, "metadata.namespace: missing");
	if (name == NULL && scope == SCOPE_STRICT)
		return err_set(err, ERR_INVALID, "metadata.name: missing");
	if (objkey_set(&w->key, ns != NULL ? ns : "none",
		name != NULL ? name : "none", err) < 0)
		return -1;
	w->has_ns = ns != NULL;
	w->label_len = scope_label(scope, &w->key, w->label);
	return 0;
}

/* ---- items ---- */

static int
seal_again(struct work *w, const char *name, const void *p, size_t len,
    struct err *err)
{
	AUTO_RELEASE(buf) struct buf blob = BUF_INIT(SEAL_BLOB_MAX);
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(2 * SEAL_BLOB_MAX);
	AUTO(keypair) struct keypair *to = NULL;

	if (!w->rotate)
		return 0;
	/* Of what opened: a restriction on namespaces must not get lost. */
	to = registry_resealing_key(w->keys, w->hint);
	if (to == NULL)
		return err_set(err, ERR_NOTFOUND, "no sealing key yet");
	if (seal_encrypt(to, w->label, w->label_len, p, len, &blob, err) < 0 ||
	    base64_encode(buf_str(&blob), blob.len, &text, err) < 0)
		return -1;
	jsonx_set(w->sealed, name, jsonx_strn(buf_str(&text), text.len));
	return 0;
}

static int
open_text(
    struct work *w, const json_t *text, struct secret **ret, struct err *err)
{
	AUTO_RELEASE(buf) struct buf blob = BUF_INIT(SEAL_BLOB_MAX);
	struct registry_sealed sealed = {
		.ns = w->has_ns ? w->key.ns : NULL,
		.label = w->label,
		.label_len = w->label_len,
	};

	if (base64_decode(json_string_value(text), json_string_length(text),
		&blob, err) < 0)
		return -1;
	sealed.blob = buf_str(&blob);
	sealed.blob_len = blob.len;
	return registry_open(w->keys, &sealed, &w->hint, ret, err);
}

static int
do_item(struct work *w, const char *name, const json_t *v, struct err *err)
{
	AUTO(secret) struct secret *plain = NULL;

	if (!sealedsecret_valid_item(name, strlen(name)))
		return err_set(
		    err, ERR_INVALID, "an item has an invalid key name");
	if (!json_is_string(v))
		return sealedsecret_type_error(name, "text", v, err);
	if (w->opt->go_on(w->opt->ctx, err) < 0)
		return -1;
	if (open_text(w, v, &plain, err) < 0)
		return err->code == ERR_NOKEY ? -1 : err_wrap(err, "%s", name);
	return seal_again(w, name, secret_bytes(plain), secret_len(plain), err);
}

static int
do_items(struct work *w, const json_t *spec, struct err *err)
{
	const json_t *items;
	const char *name;
	json_t *v;

	if (sealedsecret_object(
		spec, "encryptedData", "spec.encryptedData", &items, err) < 0)
		return -1;
	if (json_object_size(items) > UNSEAL_ITEMS_MAX)
		return err_set(err, ERR_TOOBIG,
		    "too many items (%zu, limit %d)", json_object_size(items),
		    UNSEAL_ITEMS_MAX);
	json_object_foreach((json_t *)(uintptr_t)items, name,
	    v) if (do_item(w, name, v, err) < 0) return -1;
	return 0;
}

/* ---- the old form: one blob that holds a whole Secret as JSON ---- */

static int
check_v1_use(
    const json_t *spec, const struct reseal_options *opt, struct err *err)
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
do_inner_value(struct work *w, const char *name, const json_t *v, bool base64,
    struct err *err)
{
	AUTO_RELEASE(buf) struct buf plain = BUF_INIT(SEAL_BLOB_MAX);

	if (!sealedsecret_valid_item(name, strlen(name)))
		return err_set(err, ERR_INVALID, "invalid key name");
	if (json_is_null(v))
		return seal_again(w, name, "", 0, err);
	if (!json_is_string(v))
		return err_set(err, ERR_INVALID, "not a text");
	if (!base64)
		return seal_again(
		    w, name, json_string_value(v), json_string_length(v), err);
	if (base64_decode(
		json_string_value(v), json_string_length(v), &plain, err) < 0)
		return -1;
	return seal_again(w, name, buf_str(&plain), plain.len, err);
}

static int
do_inner_data(struct work *w, const json_t *inner, const char *member,
    bool base64, struct err *err)
{
	const json_t *from;
	const char *name;
	json_t *v;

	if (sealedsecret_object(inner, member, member, &from, err) < 0)
		return -1;
	json_object_foreach((json_t *)(uintptr_t)from, name, v)
	{
		/* Sealing is quick; a limit all the same. */
		if (w->opt->go_on(w->opt->ctx, err) < 0 ||
		    do_inner_value(w, name, v, base64, err) < 0)
			return -1;
	}
	return 0;
}

static bool
is_secret(const json_t *inner)
{
	const char *version = jsonx_str(inner, "apiVersion", NULL);
	const char *kind = jsonx_str(inner, "kind", NULL);

	return version != NULL && kind != NULL && strcmp(version, "v1") == 0 &&
	    strcmp(kind, "Secret") == 0;
}

static int
do_inner(
    struct work *w, const struct secret *plain, json_t **ret, struct err *err)
{
	AUTO_JSON json_t *inner = NULL;

	if (jsonx_parse((const char *)secret_bytes(plain), secret_len(plain), 0,
		&inner, err) < 0)
		return -1;
	if (!is_secret(inner))
		return err_set(err, ERR_INVALID, "not a v1 Secret");
	if (do_inner_data(w, inner, "data", true, err) < 0 ||
	    do_inner_data(w, inner, "stringData", false, err) < 0)
		return -1;
	*ret = STEAL(inner);
	return 0;
}

/* Is the work over for a reason that says nothing of what was opened? */
static bool
is_about_us(const struct err *err)
{
	return err->code == ERR_TIMEOUT || err->code == ERR_CANCELLED;
}

static int
do_v1(struct work *w, const json_t *spec, json_t **inner, struct err *err)
{
	AUTO(secret) struct secret *plain = NULL;

	if (check_v1_use(spec, w->opt, err) < 0 ||
	    w->opt->go_on(w->opt->ctx, err) < 0)
		return -1;
	if (open_text(w, json_object_get(spec, "data"), &plain, err) < 0)
		return err->code == ERR_NOKEY ? -1 : err_wrap(err, "spec.data");
	if (do_inner(w, plain, inner, err) == 0)
		return 0;
	return is_about_us(err) ? -1 : err_set(err, ERR_NOKEY, NOKEY_TEXT);
}

/* ---- the whole ---- */

/* inner: the Secret of the old form, NULL in the new one. */
static int
do_object(struct work *w, const json_t *obj, json_t **inner, struct err *err)
{
	const json_t *spec = json_object_get(obj, "spec");

	if (!json_is_object(spec))
		return sealedsecret_type_error("spec", "object", spec, err);
	if (identify(obj, w, err) < 0)
		return -1;
	/* Absent or null: not used. Empty: used, with zero bytes. */
	if (jsonx_get(spec, "data", NULL) != NULL)
		return do_v1(w, spec, inner, err);
	return do_items(w, spec, err);
}

int
reseal_verify(struct registry *keys, const json_t *obj,
    const struct reseal_options *opt, struct err *err)
{
	AUTO_RELEASE(work) struct work w = { .keys = keys, .opt = opt };
	AUTO_JSON json_t *inner = NULL;

	return do_object(&w, obj, &inner, err);
}

int
reseal_rotate(struct registry *keys, const json_t *obj,
    const struct reseal_options *opt, json_t **ret, struct err *err)
{
	AUTO_RELEASE(work) struct work w = { .keys = keys, .opt = opt };
	AUTO_JSON json_t *inner = NULL;
	AUTO_JSON json_t *out = NULL;

	struct registry_current serving;

	w.rotate = true;
	w.sealed = json_object();
	if (!registry_serving(keys, &serving))
		return err_set(err, ERR_NOTFOUND, "no sealing key yet");
	if (do_object(&w, obj, &inner, err) < 0 ||
	    resealobject_build(obj, inner, w.sealed, &out, err) < 0)
		return -1;
	assert(scope_of(out) == scope_of(obj));
	*ret = STEAL(out);
	return 0;
}
