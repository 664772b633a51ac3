/*
 * SealedSecret + keys -> desired Secret.
 */
#include "sealedsecret/unseal.h"

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/codec.h"
#include "base/jsonx.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/thread.h"
#include "desired.h"
#include "itemerrs.h"
#include "keystore/seal.h"
#include "render.h"
#include "sealedsecret.h"
#include "sealedsecret/merge.h"

#define NOKEY_TEXT   "no key could decrypt secret"
#define UNTRIED_TEXT "not tried after too many failures"

/* Items for which a thread is worth its while, and threads for one object. Of
 * all objects, one at a time gets help. */
#define ITEMS_PER_THREAD 16
#define HELPERS_MAX	 7

/* As much of a text as tells the length of the key part and begins the part
 * itself, and what that is in bytes. */
#define HEAD_TEXT 12
#define HEAD_LEN  9

/* What stays the same for all items of one object. */
struct opener {
	struct registry *keys;
	uint32_t *hint;
	const char *ns;
	int64_t sealed_by_s;
	char label[SCOPE_LABEL_MAX];
	size_t label_len;
};

static void
opener_init(struct opener *o, struct registry *keys,
    const struct sealedsecret *ss, uint32_t *hint)
{
	o->keys = keys;
	o->hint = hint;
	o->ns = ss->key.ns;
	o->sealed_by_s = sealedsecret_written_s(ss->json);
	o->label_len = scope_label(ss->scope, &ss->key, o->label);
}

/* Base64 of a sealed blob -> its plaintext. */
static int
open_text(const struct opener *o, const json_t *text, uint32_t *hint,
    struct secret **ret, struct err *err)
{
	AUTO_RELEASE(buf) struct buf blob = BUF_INIT(SEAL_BLOB_MAX);
	struct registry_sealed sealed = {
		.ns = o->ns,
		.label = o->label,
		.label_len = o->label_len,
		.sealed_by_s = o->sealed_by_s,
	};

	if (base64_decode(json_string_value(text), json_string_length(text),
		&blob, err) < 0)
		return -1;
	sealed.blob = buf_str(&blob);
	sealed.blob_len = blob.len;
	return registry_open(o->keys, &sealed, hint, ret, err);
}

static int
open_item(const struct opener *o, const json_t *text, uint32_t *hint,
    json_t **ret, struct err *err)
{
	AUTO(secret) struct secret *plain = NULL;

	if (open_text(o, text, hint, &plain, err) < 0)
		return -1;
	return desired_value(secret_bytes(plain), secret_len(plain), ret, err);
}

/* One item: what is sealed, and its value or why there is none. */
struct item {
	const char *name;
	const json_t *sealed;
	json_t *value;	       /* owned */
	enum err_code code;    /* ERR_NONE: there is a value */
	char *reason, *detail; /* owned */
	uint32_t key;	       /* that opened it; see registry_uses */
};

/* The items of an object, shared by the threads that open them: each takes the
 * next one. */
struct items {
	const struct opener *o;
	struct item *v;
	size_t n;
	size_t first; /* changes places with the one at 0; see item_at() */
	atomic_size_t next;
	atomic_size_t trials; /* keys tried in vain so far */
	_Atomic uint32_t hint;
};

static void
items_release(struct items *t)
{
	for (size_t i = 0; i < t->n; i++) {
		json_decref(t->v[i].value);
		mem_free_wiped(t->v[i].reason);
		mem_free_wiped(t->v[i].detail);
	}
	mem_free_wiped(t->v);
}

DEFINE_AUTO_RELEASE(items);

/* Of two items that tell it, the one with the larger key part has the larger
 * head. */
static void
read_head(const json_t *sealed, unsigned char head[static HEAD_LEN])
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(HEAD_LEN);
	struct err err = ERR_INIT;

	memset(head, 0, HEAD_LEN);
	if (json_string_length(sealed) >= HEAD_TEXT &&
	    base64_decode(json_string_value(sealed), HEAD_TEXT, &b, &err) ==
		0 &&
	    b.len == HEAD_LEN)
		memcpy(head, b.data, HEAD_LEN);
}

/*
 * The item to begin with is the one with the largest key part: a key whose
 * modulus is not larger than that number is refused without any arithmetic, and
 * which key opens one item is known for the others.
 */
static void
list_items(const json_t *sealed, struct items *t)
{
	unsigned char head[HEAD_LEN], largest[HEAD_LEN] = { 0 };
	const char *name;
	json_t *v;

	t->v = xcalloc(json_object_size(sealed) + 1, sizeof(*t->v));
	json_object_foreach((json_t *)(uintptr_t)sealed, name, v)
	{
		read_head(v, head);
		if (memcmp(head, largest, HEAD_LEN) > 0) {
			memcpy(largest, head, HEAD_LEN);
			t->first = t->n;
		}
		t->v[t->n++] = (struct item) { .name = name, .sealed = v };
	}
}

/* The i-th to be tried. */
static struct item *
item_at(const struct items *t, size_t i)
{
	if (i == 0)
		return &t->v[t->first];
	return &t->v[i == t->first ? 0 : i];
}

static void
fail_item(
    struct item *it, enum err_code code, const char *reason, const char *detail)
{
	it->code = code;
	it->reason = xstrdup(reason);
	it->detail = detail != NULL ? xstrdup(detail) : NULL;
}

static void
try_item(struct items *t, struct item *it)
{
	uint32_t hint = atomic_load(&t->hint);
	struct err err = ERR_INIT;

	if (!sealedsecret_valid_item(it->name, strlen(it->name))) {
		fail_item(it, ERR_INVALID, "invalid key name", NULL);
	} else if (!json_is_string(it->sealed)) {
		(void)err_set(&err, ERR_INVALID, "expected text, got %s",
		    jsonx_type_name(it->sealed));
		fail_item(it, ERR_INVALID, NOKEY_TEXT, err.msg);
	} else if (atomic_load(&t->trials) >= UNSEAL_TRIALS_MAX) {
		fail_item(it, ERR_NOKEY, UNTRIED_TEXT, NULL);
		it->key = REGISTRY_USE_UNTRIED;
	} else if (open_item(t->o, it->sealed, &hint, &it->value, &err) == 0) {
		atomic_store(&t->hint, hint);
		it->key = hint;
	} else {
		if (err.code == ERR_NOKEY)
			atomic_fetch_add(
			    &t->trials, 1 + registry_count(t->o->keys));
		fail_item(it, err.code, err.msg, NULL);
	}
}

static void *
try_items(void *arg)
{
	struct items *t = arg;
	size_t i;

	while ((i = atomic_fetch_add(&t->next, 1)) < t->n)
		try_item(t, item_at(t, i));
	return NULL;
}

/* Beside the thread that asks. */
static unsigned
helpers_for(size_t items)
{
	size_t n = items / ITEMS_PER_THREAD;
	long cpus;

	if (n < 2)
		return 0;
	cpus = sysconf(_SC_NPROCESSORS_ONLN);
	if (cpus > 0 && n > (size_t)cpus)
		n = (size_t)cpus;
	n--;
	return (unsigned)(n < HELPERS_MAX ? n : HELPERS_MAX);
}

/* Big objects get the other cores' help, unless another one has it. */
static void
try_all(struct items *t)
{
	static atomic_flag busy = ATOMIC_FLAG_INIT;
	struct thread helpers[HELPERS_MAX] = { { .started = false } };
	unsigned n = helpers_for(t->n);
	bool mine = n > 0 && !atomic_flag_test_and_set(&busy);

	for (unsigned i = 0; mine && i < n; i++)
		thread_start(&helpers[i], "unseal", try_items, t);
	(void)try_items(t);
	for (unsigned i = 0; i < HELPERS_MAX; i++)
		thread_join(&helpers[i]);
	if (mine)
		atomic_flag_clear(&busy);
}

/* What opens goes to data, what does not to errs. */
static int
open_items(struct opener *o, const json_t *sealed, json_t *data,
    struct registry_uses *uses, struct itemerrs *errs, struct err *err)
{
	AUTO_RELEASE(items) struct items t = { .o = o };

	if (json_object_size(sealed) > UNSEAL_ITEMS_MAX)
		return err_set(err, ERR_TOOBIG,
		    "too many items (%zu, limit %d)", json_object_size(sealed),
		    UNSEAL_ITEMS_MAX);
	atomic_init(&t.hint, *o->hint);
	list_items(sealed, &t);
	try_all(&t);
	*o->hint = atomic_load(&t.hint);
	for (size_t i = 0; i < t.n; i++) {
		struct item *it = &t.v[i];

		if (uses != NULL)
			registry_uses_add(uses, it->key);
		if (it->code == ERR_NONE)
			jsonx_set(data, it->name, STEAL(it->value));
		else
			itemerrs_add(errs, it->name, strlen(it->name), it->code,
			    it->reason, it->detail);
	}
	return 0;
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
	AUTO_RELEASE(itemerrs) struct itemerrs errs = ITEMERRS_INIT;
	AUTO_JSON json_t *data = json_object();
	const json_t *items, *template, *texts;

	if (sealedsecret_object(
		spec, "encryptedData", "spec.encryptedData", &items, err) < 0 ||
	    sealedsecret_object(
		spec, "template", "spec.template", &template, err) < 0 ||
	    sealedsecret_object(
		template, "data", "spec.template.data", &texts, err) < 0)
		return -1;
	/* All of it is tried, so that all errors are told at once. */
	if (open_items(o, items, data, opt->uses, &errs, err) < 0 ||
	    render_templates(texts, items, data, &errs, err) < 0 ||
	    itemerrs_result(&errs, err) < 0)
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
		return desired_value("", 0, ret, err);
	if (!json_is_string(v))
		return err_set(err, ERR_INVALID, "expected text, got %s",
		    jsonx_type_name(v));
	if (!base64)
		return desired_value(
		    json_string_value(v), json_string_length(v), ret, err);
	if (base64_decode(
		json_string_value(v), json_string_length(v), &plain, err) < 0)
		return -1;
	return desired_value(buf_str(&plain), plain.len, ret, err);
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
	int rc =
	    open_text(o, json_object_get(spec, "data"), o->hint, &plain, err);

	if (opt->uses != NULL)
		registry_uses_add(opt->uses, rc == 0 ? *o->hint : 0);
	if (rc < 0)
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

/* ---- which keys they need ---- */

/* Of one item. What cannot be opened needs no key. */
static void
use_of(const struct opener *o, const json_t *text, size_t *trials,
    struct registry_uses *uses)
{
	AUTO(secret) struct secret *plain = NULL;
	uint32_t key = *o->hint;
	struct err err = ERR_INIT;

	if (*trials >= UNSEAL_TRIALS_MAX)
		key = REGISTRY_USE_UNTRIED;
	else if (!json_is_string(text))
		key = 0;
	else if (open_text(o, text, &key, &plain, &err) == 0)
		*o->hint = key;
	else {
		*trials +=
		    err.code == ERR_NOKEY ? 1 + registry_count(o->keys) : 0;
		key = 0;
	}
	registry_uses_add(uses, key);
}

static int
uses_of_items(const struct opener *o, const json_t *items,
    bool (*go_on)(void *ctx), void *ctx, struct registry_uses *uses,
    struct err *err)
{
	AUTO_RELEASE(items) struct items t = { .o = o };
	size_t trials = 0;

	if (json_object_size(items) > UNSEAL_ITEMS_MAX)
		return err_set(err, ERR_TOOBIG,
		    "too many items (%zu, limit %d)", json_object_size(items),
		    UNSEAL_ITEMS_MAX);
	list_items(items, &t);
	for (size_t i = 0; i < t.n; i++) {
		if (!go_on(ctx))
			return err_set(err, ERR_CANCELLED, "stopped");
		use_of(o, item_at(&t, i)->sealed, &trials, uses);
	}
	return 0;
}

int
unseal_uses(struct registry *keys, const json_t *sealedsecret,
    bool (*go_on)(void *ctx), void *ctx, struct registry_uses *uses,
    struct err *err)
{
	const json_t *spec = json_object_get(sealedsecret, "spec");
	struct sealedsecret ss;
	struct opener o;
	const json_t *items;
	uint32_t hint = 0;
	size_t trials = 0;

	if (sealedsecret_view(sealedsecret, &ss, err) < 0)
		return -1;
	opener_init(&o, keys, &ss, &hint);
	if (jsonx_get(spec, "data", NULL) != NULL) {
		if (!go_on(ctx))
			return err_set(err, ERR_CANCELLED, "stopped");
		use_of(&o, json_object_get(spec, "data"), &trials, uses);
		return 0;
	}
	items = json_object_get(spec, "encryptedData");
	if (json_object_size(items) == 0)
		return err_set(err, ERR_INVALID, "nothing to open");
	return uses_of_items(&o, items, go_on, ctx, uses, err);
}
