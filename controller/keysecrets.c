/*
 * Keystore backend on labelled Secrets. See keysecrets.h.
 *
 * Reading is forgiving: a Secret that is labelled as a key but cannot be one
 * costs a log line and a metric, never the start. Writing uses the name that
 * keystore/rotation.c derived, so that a repeated POST cannot make two keys.
 */
#include "keysecrets.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/codec.h"
#include "base/jsonx.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timefmt.h"
#include "kube/objkey.h"

#define KEY_LABEL	 "sealedsecrets.bitnami.com/sealed-secrets-key"
#define KEY_LABEL_ACTIVE "active"
#define KEY_SELECTOR	 KEY_LABEL "=" KEY_LABEL_ACTIVE
#define OWNER_KIND	 "SealedSecret"
#define TLS_KEY		 "tls.key"
#define TLS_CRT		 "tls.crt"
#define PEM_MAX		 (64u * 1024)

struct keysecrets {
	struct keysecrets_config cfg;
};

/* One pass over the list: what was found good, by name. */
struct pass {
	struct keysecrets *ks;
	struct registry *keys;
	json_t *good; /* object: name -> true */
	unsigned skipped;
};

struct keysecrets *
keysecrets_new(const struct keysecrets_config *cfg)
{
	struct keysecrets *ks = xcalloc(1, sizeof(*ks));

	ks->cfg = *cfg;
	return ks;
}

void
keysecrets_free(struct keysecrets *ks)
{
	mem_free_wiped(ks);
}

static int
decode_item(
    const json_t *secret, const char *name, struct buf *out, struct err *err)
{
	const char *text = jsonx_str(secret, "data", name, NULL);

	if (text == NULL)
		return err_set(
		    err, ERR_INVALID, "it has no data item %s", name);
	if (base64_decode(text, strlen(text), out, err) < 0)
		return err_wrap(err, "data item %s", name);
	return 0;
}

/* A key that a SealedSecret produced is known to whoever sealed it. */
static int
check_not_produced(const json_t *secret, struct err *err)
{
	json_t *refs = jsonx_array(secret, "metadata", "ownerReferences", NULL);
	json_t *ref;
	size_t i;

	json_array_foreach(refs, i, ref)
	{
		const char *kind = jsonx_str(ref, "kind", NULL);

		if (kind != NULL && strcmp(kind, OWNER_KIND) == 0)
			return err_set(
			    err, ERR_INVALID, "it is owned by a SealedSecret");
	}
	return 0;
}

static int
read_keypair(const json_t *secret, struct keypair **ret, struct err *err)
{
	AUTO_RELEASE(buf) struct buf key = BUF_INIT(PEM_MAX);
	AUTO_RELEASE(buf) struct buf crt = BUF_INIT(PEM_MAX);

	if (check_not_produced(secret, err) < 0)
		return -1;
	if (decode_item(secret, TLS_KEY, &key, err) < 0 ||
	    decode_item(secret, TLS_CRT, &crt, err) < 0)
		return -1;
	return keypair_parse(
	    buf_str(&key), key.len, buf_str(&crt), crt.len, ret, err);
}

static int64_t
order_time(
    const struct keysecrets *ks, const json_t *secret, const struct keypair *kp)
{
	const char *created;
	struct err ignored = ERR_INIT;
	int64_t t;

	created = jsonx_str(secret, "metadata", "creationTimestamp", NULL);
	if (ks->cfg.order_by_creation && created != NULL &&
	    timefmt_parse_rfc3339(created, &t, &ignored) == 0)
		return t;
	return keypair_not_before(kp);
}

static void
skip(struct pass *p, const char *name, const struct err *err)
{
	AUTO_STR char *secret = xasprintf("%s/%s", p->ks->cfg.ns, name);

	p->skipped++;
	log_error("Error reading key", "secret", secret, "error", err->msg);
}

/* Registers one Secret; a bad one is logged and skipped. */
static void
take_secret(struct pass *p, const json_t *secret)
{
	const char *name = jsonx_str(secret, "metadata", "name", NULL);
	AUTO(keypair) struct keypair *kp = NULL;
	struct err err = ERR_INIT;

	if (name == NULL || json_object_get(p->good, name) != NULL)
		return;
	if (read_keypair(secret, &kp, &err) < 0 ||
	    registry_add(
		p->keys, name, kp, order_time(p->ks, secret, kp), &err) < 0) {
		skip(p, name, &err);
		return;
	}
	jsonx_set(p->good, name, json_true());
	log_info("registered private key", "secretname", name);
}

static int
each_secret(void *ctx, json_t *item, struct err *err UNUSED)
{
	take_secret(ctx, item);
	return 0;
}

/* The one key of versions before 0.9: no label, named like the prefix. */
static int
take_legacy(struct pass *p, struct err *err)
{
	struct keysecrets *ks = p->ks;
	AUTO_JSON json_t *secret = NULL;
	struct objkey key;

	if (objkey_set(&key, ks->cfg.ns, ks->cfg.prefix, err) < 0)
		return -1;
	if (kube_get(ks->cfg.client, &KUBE_SECRETS, &key, &secret, err) == 0) {
		take_secret(p, secret);
		return 0;
	}
	/* Not granted by every role, and hardly ever there. */
	if (err->code == ERR_NOTFOUND || err->code == ERR_FORBIDDEN) {
		err_clear(err);
		return 0;
	}
	return err_wrap(err, "read the legacy key secret");
}

static bool
is_good(void *ctx, const char *name)
{
	const struct pass *p = ctx;

	return json_object_get(p->good, name) != NULL;
}

static int
backend_load(void *ctx, struct registry *keys, struct err *err)
{
	struct keysecrets *ks = ctx;
	AUTO_JSON json_t *good = json_object();
	struct pass p = { .ks = ks, .keys = keys, .good = good };

	if (kube_list(ks->cfg.client, &KUBE_SECRETS, ks->cfg.ns, KEY_SELECTOR,
		each_secret, &p, NULL, err) < 0)
		return err_wrap(err, "list key secrets in %s", ks->cfg.ns);
	if (take_legacy(&p, err) < 0)
		return -1;
	/* Deleted or relabelled ones decrypt no longer. */
	(void)registry_retain(keys, is_good, &p);
	metrics_set(
	    ks->cfg.metrics, METRIC_KEY_SECRETS_SKIPPED, (double)p.skipped);
	if (p.skipped > 0 && registry_count(keys) == 0)
		log_error("No key secret could be loaded: restore the master "
			  "key from backup",
		    "namespace", ks->cfg.ns);
	return 0;
}

/* "k=v,k2=v2" -> members; validated when the flags were parsed. */
static json_t *
pairs_object(const char *list)
{
	json_t *obj = json_object();
	const char *p = list, *end, *eq;

	while (p != NULL && *p != '\0') {
		end = strchrnul(p, ',');
		eq = memchr(p, '=', (size_t)(end - p));
		if (eq != NULL) {
			AUTO_STR char *name = xstrndup(p, (size_t)(eq - p));
			AUTO_STR char *value =
			    xstrndup(eq + 1, (size_t)(end - eq - 1));

			jsonx_set_str(obj, name, value);
		}
		p = *end == '\0' ? end : end + 1;
	}
	return obj;
}

static void
set_base64(json_t *data, const char *name, const void *p, size_t len)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(2 * PEM_MAX);
	struct err err = ERR_INIT;

	/* Our own PEM texts are far below the maximum. */
	if (base64_encode(p, len, &b, &err) == 0)
		jsonx_set_str(data, name, buf_str(&b));
}

static json_t *
secret_object(const struct keysecrets *ks, const char *name,
    const struct keypair *kp, const struct secret *key_pem)
{
	json_t *obj = json_object(), *meta = json_object();
	json_t *labels = pairs_object(ks->cfg.labels);
	json_t *annotations = pairs_object(ks->cfg.annotations);
	json_t *data = json_object();
	const char *crt = keypair_cert_pem(kp);

	jsonx_set_str(labels, KEY_LABEL, KEY_LABEL_ACTIVE);
	jsonx_set_str(meta, "name", name);
	jsonx_set_str(meta, "namespace", ks->cfg.ns);
	jsonx_set(meta, "labels", labels);
	if (json_object_size(annotations) > 0)
		jsonx_set(meta, "annotations", annotations);
	else
		json_decref(annotations);
	set_base64(data, TLS_CRT, crt, strlen(crt));
	set_base64(data, TLS_KEY, secret_bytes(key_pem), secret_len(key_pem));
	jsonx_set_str(obj, "apiVersion", "v1");
	jsonx_set_str(obj, "kind", "Secret");
	jsonx_set(obj, "metadata", meta);
	jsonx_set_str(obj, "type", "kubernetes.io/tls");
	jsonx_set(obj, "data", data);
	return obj;
}

static int
backend_create(
    void *ctx, const char *name, const struct keypair *kp, struct err *err)
{
	struct keysecrets *ks = ctx;
	AUTO(secret) struct secret *pem = NULL;
	AUTO_JSON json_t *obj = NULL;

	if (keypair_private_pem(kp, &pem, err) < 0)
		return -1;
	obj = secret_object(ks, name, kp, pem);
	if (kube_create(
		ks->cfg.client, &KUBE_SECRETS, ks->cfg.ns, obj, NULL, err) < 0)
		return err_wrap(err, "create %s/%s", ks->cfg.ns, name);
	return 0;
}

static bool
is_active(const json_t *secret)
{
	const char *v =
	    jsonx_str(secret, "metadata", "labels", KEY_LABEL, NULL);

	return v != NULL && strcmp(v, KEY_LABEL_ACTIVE) == 0;
}

static int
backend_occupant(
    void *ctx, const char *name, struct rotation_occupant *ret, struct err *err)
{
	struct keysecrets *ks = ctx;
	AUTO_JSON json_t *secret = NULL;
	struct err why = ERR_INIT;
	struct objkey key;
	const char *uid;

	memset(ret, 0, sizeof(*ret));
	if (objkey_set(&key, ks->cfg.ns, name, err) < 0)
		return -1;
	if (kube_get(ks->cfg.client, &KUBE_SECRETS, &key, &secret, err) < 0)
		return err_wrap(err, "read %s/%s", ks->cfg.ns, name);
	uid = jsonx_str(secret, "metadata", "uid", NULL);
	(void)snprintf(ret->uid, sizeof(ret->uid), "%s", uid ? uid : "");
	if (!is_active(secret) || read_keypair(secret, &ret->kp, &why) < 0)
		return 0;
	ret->usable = true;
	ret->order_s = order_time(ks, secret, ret->kp);
	return 0;
}

struct keystore_backend
keysecrets_backend(struct keysecrets *ks)
{
	return (struct keystore_backend) {
		.ctx = ks,
		.load = backend_load,
		.create = backend_create,
		.occupant = backend_occupant,
	};
}
