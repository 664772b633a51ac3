/*
 * Plain backups: the Secret List of kubectl, read with all its checks, and
 * written.
 *
 * Reading trusts nothing: whoever may restore chooses these bytes. What goes
 * into the cluster is built anew from the members that are known, so nothing
 * unknown can come along.
 */
#include "keystore/backup.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/dns.h"
#include "base/jsonx.h"
#include "base/mem.h"
#include "base/yamlx.h"
#include "keystore/secretform.h"

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"
/* A key Secret has about thirty nodes, and some labels of its owner's. */
#define NODES_MAX (100u * BACKUP_KEYS_MAX)
/* What the API server takes of all data items together. */
#define SECRET_MAX (1024u * 1024)

/* ---- the Secret, rebuilt from what is known ---- */

/* json_deep_copy() without what must not travel; NULL: nothing is left. */
static json_t *
copy_annotations(const json_t *from)
{
	json_t *copy = json_deep_copy(from);

	(void)json_object_del(copy, LAST_APPLIED);
	if (json_object_size(copy) > 0)
		return copy;
	json_decref(copy);
	return NULL;
}

static void
copy_member(json_t *to, const json_t *from, const char *name)
{
	json_t *v = json_object_get(from, name);

	if (v != NULL && !json_is_null(v))
		jsonx_set(to, name, json_deep_copy(v));
}

static json_t *
bare_metadata(const json_t *from)
{
	json_t *meta = json_object();
	json_t *annotations = jsonx_object(from, "annotations", NULL);

	if (annotations != NULL)
		annotations = copy_annotations(annotations);
	if (annotations != NULL)
		jsonx_set(meta, "annotations", annotations);
	copy_member(meta, from, "labels");
	copy_member(meta, from, "name");
	copy_member(meta, from, "namespace");
	return meta;
}

/* Owned by the caller. */
static json_t *
bare_secret(const json_t *from)
{
	json_t *secret = json_object();

	jsonx_set_str(secret, "apiVersion", "v1");
	jsonx_set_str(secret, "kind", "Secret");
	jsonx_set(secret, "metadata",
	    bare_metadata(jsonx_object(from, "metadata", NULL)));
	copy_member(secret, from, "data");
	copy_member(secret, from, "immutable");
	copy_member(secret, from, "type");
	return secret;
}

/* ---- reading: one item ---- */

/* Absent, or an object of texts. */
static int
check_texts(const json_t *parent, const char *name, struct err *err)
{
	json_t *obj = jsonx_get(parent, name, NULL), *v;
	const char *key;

	if (obj == NULL)
		return 0;
	if (!json_is_object(obj))
		return err_set(err, ERR_INVALID, "%s is not an object", name);
	json_object_foreach(obj, key, v)
	{
		if (jsonx_str(obj, key, NULL) == NULL)
			return err_set(err, ERR_INVALID,
			    "a member of %s is not text", name);
	}
	return 0;
}

static int
check_metadata(const json_t *item, struct err *err)
{
	json_t *meta = jsonx_object(item, "metadata", NULL);
	const char *ns = jsonx_str(meta, "namespace", NULL);

	if (check_texts(meta, "labels", err) < 0 ||
	    check_texts(meta, "annotations", err) < 0)
		return -1;
	if (secretform_is_produced(item))
		return err_set(err, ERR_INVALID,
		    "it is owned by a SealedSecret, which no sealing key may "
		    "be");
	if (jsonx_str(meta, "labels", SECRETFORM_LABEL, NULL) == NULL)
		return err_set(err, ERR_INVALID,
		    "it does not have the label " SECRETFORM_LABEL
		    ", so it is no sealing key");
	if (jsonx_get(meta, "namespace", NULL) != NULL &&
	    (ns == NULL || !dns_is_label(ns, strlen(ns))))
		return err_set(
		    err, ERR_INVALID, "its namespace is not a valid name");
	return 0;
}

static int
check_members(const json_t *item, struct err *err)
{
	json_t *immutable = jsonx_get(item, "immutable", NULL);
	const char *type = jsonx_str(item, "type", NULL);

	if (jsonx_get(item, "type", NULL) != NULL &&
	    (type == NULL ||
		(strcmp(type, "kubernetes.io/tls") != 0 &&
		    strcmp(type, "Opaque") != 0)))
		return err_set(err, ERR_INVALID,
		    "its type is neither kubernetes.io/tls nor Opaque");
	if (immutable != NULL && !json_is_boolean(immutable))
		return err_set(err, ERR_INVALID, "immutable is not a boolean");
	if (jsonx_get(item, "stringData", NULL) != NULL)
		return err_set(err, ERR_INVALID,
		    "it has stringData, only data can be restored");
	return 0;
}

/* Items beside the two that matter are kept, so they must be storable. */
static int
check_data(const json_t *item, struct err *err)
{
	json_t *data = jsonx_object(item, "data", NULL), *v;
	AUTO_RELEASE(buf) struct buf all = BUF_INIT(SECRET_MAX);
	const char *name;

	if (check_texts(item, "data", err) < 0)
		return -1;
	json_object_foreach(data, name, v)
	{
		if (base64_decode(json_string_value(v), json_string_length(v),
			&all, err) < 0)
			return err_wrap(err, "data");
	}
	return 0;
}

static void
key_release(struct backup_key *k)
{
	json_decref(k->secret);
	keypair_free(k->kp);
	mem_wipe(k, sizeof(*k));
}

/* name was checked. On success k owns its contents. */
static int
read_item(
    const json_t *item, const char *name, struct backup_key *k, struct err *err)
{
	const char *ns = jsonx_str(item, "metadata", "namespace", NULL);
	AUTO(keypair) struct keypair *kp = NULL;

	if (check_members(item, err) < 0 || check_metadata(item, err) < 0 ||
	    check_data(item, err) < 0 || secretform_read(item, &kp, err) < 0)
		return -1;
	(void)snprintf(k->name, sizeof(k->name), "%s", name);
	(void)snprintf(k->ns, sizeof(k->ns), "%s", ns != NULL ? ns : "");
	k->secret = bare_secret(item);
	k->order_s = keypair_not_before(kp);
	k->kp = STEAL(kp);
	return 0;
}

/* ---- reading: the whole ---- */

struct reader {
	struct backup *out;
	json_t *names, *prints; /* seen: text -> true */
	size_t items;		/* looked at, for messages */
	struct err *err;
};

/* False where it was there before. */
static bool
note(json_t *seen, const char *text)
{
	if (json_object_get(seen, text) != NULL)
		return false;
	jsonx_set(seen, text, json_true());
	return true;
}

static bool
is_text(const json_t *v, const char *member, const char *want)
{
	const char *s = jsonx_str(v, member, NULL);

	return s != NULL && strcmp(s, want) == 0;
}

/* Items of a SecretList carry no kind of their own. */
static bool
is_secret(const json_t *item, bool implied)
{
	if (implied && jsonx_get(item, "kind", NULL) == NULL)
		return true;
	return is_text(item, "kind", "Secret") &&
	    is_text(item, "apiVersion", "v1");
}

static int
add_item(struct reader *r, const json_t *item, bool implied)
{
	const char *name = jsonx_str(item, "metadata", "name", NULL);
	struct backup_key *k;

	r->items++;
	if (!is_secret(item, implied))
		return err_set(r->err, ERR_INVALID,
		    "item %zu is not a Secret of version v1", r->items);
	/* As the API server, which does not limit the single labels. */
	if (name == NULL ||
	    !dns_is_subdomain(name, strlen(name), DNS_SUBDOMAIN_MAX))
		return err_set(r->err, ERR_INVALID,
		    "item %zu: its name is missing or not valid", r->items);
	if (r->out->count == BACKUP_KEYS_MAX)
		return err_set(
		    r->err, ERR_TOOBIG, "more than %u keys", BACKUP_KEYS_MAX);
	if (!note(r->names, name))
		return err_set(r->err, ERR_INVALID,
		    "item %zu: the name %s occurs twice", r->items, name);
	k = &r->out->keys[r->out->count];
	if (read_item(item, name, k, r->err) < 0)
		return err_wrap(r->err, "item %zu (%s)", r->items, name);
	r->out->count++;
	if (!note(r->prints, keypair_fingerprint(k->kp)))
		return err_set(r->err, ERR_INVALID,
		    "item %zu (%s): an item before it holds the same key",
		    r->items, name);
	return 0;
}

static int
add_document(struct reader *r, const json_t *doc)
{
	json_t *items = jsonx_array(doc, "items", NULL), *item;
	bool secrets = is_text(doc, "kind", "SecretList");
	size_t i;

	/* "---" at the end of a file. */
	if (json_is_null(doc))
		return 0;
	if (!secrets && !is_text(doc, "kind", "List"))
		return add_item(r, doc, false);
	if (!is_text(doc, "apiVersion", "v1") || items == NULL)
		return err_set(r->err, ERR_INVALID,
		    "a List without items, or not of version v1");
	json_array_foreach(items, i, item)
	{
		if (add_item(r, item, secrets) < 0)
			return -1;
	}
	return 0;
}

static int
by_age(const void *a, const void *b)
{
	const struct backup_key *x = a, *y = b;

	if (x->order_s != y->order_s)
		return x->order_s < y->order_s ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int
add_documents(struct reader *r, const json_t *docs)
{
	json_t *doc;
	size_t i;

	json_array_foreach(docs, i, doc)
	{
		if (add_document(r, doc) < 0)
			return -1;
	}
	if (r->out->count == 0)
		return err_set(r->err, ERR_INVALID, "no key in it");
	qsort(r->out->keys, r->out->count, sizeof(r->out->keys[0]), by_age);
	return 0;
}

static struct backup *
backup_new(void)
{
	struct backup *b = xcalloc(1, sizeof(*b));

	b->keys = xcalloc(BACKUP_KEYS_MAX, sizeof(b->keys[0]));
	return b;
}

void
backup_free(struct backup *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->count; i++)
		key_release(&b->keys[i]);
	mem_free_wiped(b->keys);
	mem_free_wiped(b);
}

int
backup_parse(const char *p, size_t len, struct backup **ret, struct err *err)
{
	AUTO(backup) struct backup *b = backup_new();
	AUTO_JSON json_t *names = json_object();
	AUTO_JSON json_t *prints = json_object();
	AUTO_JSON json_t *docs = NULL;
	struct reader r = {
		.out = b, .names = names, .prints = prints, .err = err
	};

	if (len > BACKUP_BYTES_MAX)
		return err_set(err, ERR_TOOBIG, "backup: larger than %u bytes",
		    BACKUP_BYTES_MAX);
	if (yamlx_parse_all(p, len, NODES_MAX, &docs, err) < 0 ||
	    add_documents(&r, docs) < 0)
		return err_wrap(err, "backup");
	*ret = STEAL(b);
	return 0;
}

/* ---- writing ---- */

static int
append_bare(json_t *items, const json_t *secret, struct err *err)
{
	if (jsonx_str(secret, "metadata", "name", NULL) == NULL)
		return err_set(err, ERR_INVALID, "a Secret without a name");
	if (json_array_append_new(items, bare_secret(secret)) != 0)
		return err_set(err, ERR_INVALID, "a Secret that is none");
	return 0;
}

static json_t *
list_of(const json_t *secrets, struct err *err)
{
	AUTO_JSON json_t *list = json_object();
	json_t *items = json_array(), *secret;
	size_t i;

	jsonx_set_str(list, "apiVersion", "v1");
	jsonx_set_str(list, "kind", "List");
	jsonx_set(list, "items", items);
	json_array_foreach(secrets, i, secret)
	{
		if (append_bare(items, secret, err) < 0)
			return NULL;
	}
	return STEAL(list);
}

int
backup_write(const json_t *secrets, struct secret **ret, struct err *err)
{
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(BACKUP_BYTES_MAX);
	AUTO_JSON json_t *list = list_of(secrets, err);

	if (list == NULL || yamlx_dump(list, &text, err) < 0)
		return err_wrap(err, "write backup");
	*ret = secret_from(text.data, text.len);
	return 0;
}
