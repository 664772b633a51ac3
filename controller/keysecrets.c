/*
 * Keystore backend on labelled Secrets. See keysecrets.h.
 *
 * Reading is forgiving: a Secret that is labelled as a key but cannot be one
 * costs a log line, an event and a metric, never the start. What did not change
 * since the last list is not parsed again. Writing uses the name that
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
#include "keystore/secretform.h"
#include "kube/objkey.h"

#define LABEL_ACTIVE "active"
#define BASE64_MAX   (128u * 1024)
#define VERSION_MAX  256
/* For one Secret that others write too. */
#define MARK_TRIES_MAX 3

const char keysecrets_selector[] = SECRETFORM_LABEL "=" LABEL_ACTIVE;

struct keysecrets {
	struct keysecrets_config cfg;
	json_t *seen; /* what the last whole list held; see struct pass */
	bool told_none;
	json_t *told_expiry; /* fingerprints, as members */
	/* The last name that was taken, for roles which may not read it. */
	char taken[ROTATION_NAME_MAX];
};

/* One pass over the list. seen: name -> "+" for good, "!" for good but closed
 * (its restriction cannot be read) or "-" for bad, and which version of the
 * Secret it was. */
struct pass {
	struct keysecrets *ks;
	struct registry *keys;
	json_t *seen;
	unsigned skipped;
};

struct keysecrets *
keysecrets_new(const struct keysecrets_config *cfg)
{
	struct keysecrets *ks = xcalloc(1, sizeof(*ks));

	ks->cfg = *cfg;
	ks->seen = json_object();
	ks->told_expiry = json_object();
	return ks;
}

void
keysecrets_free(struct keysecrets *ks)
{
	if (ks == NULL)
		return;
	json_decref(ks->seen);
	json_decref(ks->told_expiry);
	mem_free_wiped(ks);
}

int
keysecrets_read(const json_t *secret, struct keypair **ret, struct err *err)
{
	if (secretform_is_produced(secret))
		return err_set(
		    err, ERR_INVALID, "it is owned by a SealedSecret");
	return secretform_read(secret, ret, err);
}

/* When the server got it, or the certificate says it was made. */
static int64_t
created_at(const json_t *secret, const struct keypair *kp)
{
	return timefmt_rfc3339_or(
	    jsonx_str(secret, "metadata", "creationTimestamp", NULL),
	    keypair_not_before(kp));
}

static int64_t
order_time(
    const struct keysecrets *ks, const json_t *secret, const struct keypair *kp)
{
	return ks->cfg.order_by_creation ? created_at(secret, kp)
					 : keypair_not_before(kp);
}

static const char *
meta(const json_t *secret, const char *field)
{
	const char *v = jsonx_str(secret, "metadata", field, NULL);

	return v != NULL ? v : "";
}

/* ---- what its metadata say of a key ---- */

static const char *
annotation(const json_t *secret, const char *name)
{
	return jsonx_str(secret, "metadata", "annotations", name, NULL);
}

static void
read_backed_up(const json_t *secret, struct registry_attrs *attrs)
{
	const char *v = annotation(secret, KEYSECRETS_BACKED_UP);

	if (v == NULL || *v == '\0' || strcmp(v, "false") == 0)
		return;
	attrs->backed_up = true;
	attrs->backed_up_s = timefmt_rfc3339_or(v, 0);
}

/* From what every replica sees alike. A restored key is as old as its
 * certificate, however young its Secret. */
static int64_t
active_from(const struct keysecrets *ks, const json_t *secret,
    const struct keypair *kp, const struct registry_attrs *attrs)
{
	int64_t made_s = keypair_not_before(kp);
	int64_t created_s = created_at(secret, kp);

	if (ks->cfg.activation_delay_s <= 0 || attrs->backed_up)
		return 0;
	return (created_s < made_s ? created_s : made_s) +
	    ks->cfg.activation_delay_s;
}

/* The rule is the caller's. Where the annotation cannot be read, err says why
 * and the rule allows nothing. */
static void
read_attrs(const struct keysecrets *ks, const json_t *secret,
    const struct keypair *kp, struct registry_attrs *attrs, struct err *err)
{
	const json_t *rule = jsonx_get(
	    secret, "metadata", "annotations", KEYSECRETS_NAMESPACES, NULL);
	const char *text = json_string_value(rule);

	*attrs = (struct registry_attrs) {
		.order_s = order_time(ks, secret, kp),
	};
	read_backed_up(secret, attrs);
	attrs->active_from_s = active_from(ks, secret, kp, attrs);
	if (rule == NULL || json_is_null(rule))
		return;
	if (text == NULL)
		(void)err_set(err, ERR_INVALID, "it is no text");
	else if (nsrule_parse(text, &attrs->rule, err) == 0)
		return;
	(void)err_wrap(err, "annotation %s", KEYSECRETS_NAMESPACES);
	attrs->rule = nsrule_none(text != NULL ? text : "");
}

/* ---- telling ---- */

static bool
may_send(const struct keysecrets *ks)
{
	return ks->cfg.events != NULL &&
	    (ks->cfg.may_write == NULL || ks->cfg.may_write(ks->cfg.ctx));
}

/* To its owner, who may not read our log. */
static void
send_event(
    const struct keysecrets *ks, const json_t *secret, const struct err *why)
{
	struct event_ref ref = {
		.api_version = "v1",
		.kind = "Secret",
		.ns = ks->cfg.ns,
		.name = meta(secret, "name"),
		.uid = meta(secret, "uid"),
		.resource_version = meta(secret, "resourceVersion"),
	};
	AUTO_STR char *text = NULL;

	if (!may_send(ks))
		return;
	text = xasprintf("This Secret is labelled as a sealing key but cannot "
			 "be used as one: %s",
	    why->msg);
	event_record(
	    ks->cfg.events, &ref, "Warning", "InvalidSealingKey", text);
}

static void
tell_bad(const struct pass *p, const json_t *secret, const struct err *why)
{
	AUTO_STR char *name =
	    xasprintf("%s/%s", p->ks->cfg.ns, meta(secret, "name"));

	log_error("Error reading key", "secret", name, "error", why->msg);
	send_event(p->ks, secret, why);
}

/* What it is: see struct pass. */
static char
add_key(struct pass *p, const json_t *secret, struct err *err)
{
	const char *name = meta(secret, "name");
	bool known = registry_knows(p->keys, name);
	AUTO(keypair) struct keypair *kp = NULL;
	struct err added = ERR_INIT;
	struct registry_attrs attrs;
	int rc;

	if (keysecrets_read(secret, &kp, err) < 0)
		return '-';
	read_attrs(p->ks, secret, kp, &attrs, err);
	rc = registry_put(p->keys, name, kp, &attrs, &added);
	nsrule_free(attrs.rule);
	if (rc < 0) {
		*err = added;
		return '-';
	}
	if (!known)
		log_info("registered private key", "secretname", name);
	return err->code == ERR_NONE ? '+' : '!';
}

/* Registers one Secret; a bad one is told and skipped. */
static void
take_secret(struct pass *p, const json_t *secret)
{
	const char *name = meta(secret, "name"), *last;
	char now[VERSION_MAX];
	struct err err = ERR_INIT;

	if (name[0] == '\0' || json_object_get(p->seen, name) != NULL)
		return;
	(void)snprintf(now, sizeof(now), "+%s/%s", meta(secret, "uid"),
	    meta(secret, "resourceVersion"));
	last = jsonx_str(p->ks->seen, name, NULL);
	if (last != NULL && strcmp(last + 1, now + 1) == 0 &&
	    (last[0] == '-' || registry_knows(p->keys, name)))
		now[0] = last[0];
	else
		now[0] = add_key(p, secret, &err);
	if (err.code != ERR_NONE)
		tell_bad(p, secret, &err);
	p->skipped += now[0] != '+';
	jsonx_set_str(p->seen, name, now);
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
	const char *now = jsonx_str(p->seen, name, NULL);

	if (now != NULL && now[0] != '-')
		return true;
	log_info("Private key is no longer used", "secretname", name);
	return false;
}

static void
tell_none(struct pass *p)
{
	bool none = p->skipped > 0 && registry_count(p->keys) == 0;

	if (none && !p->ks->told_none)
		log_error("No key secret could be loaded: restore the master "
			  "key from backup",
		    "namespace", p->ks->cfg.ns);
	p->ks->told_none = none;
}

static int
backend_load(void *ctx, struct registry *keys, struct err *err)
{
	struct keysecrets *ks = ctx;
	AUTO_JSON json_t *seen = json_object();
	struct pass p = { .ks = ks, .keys = keys, .seen = seen };

	if (kube_list(ks->cfg.client, &KUBE_SECRETS, ks->cfg.ns,
		keysecrets_selector, each_secret, &p, NULL, err) < 0)
		return err_wrap(err, "list key secrets in %s", ks->cfg.ns);
	if (take_legacy(&p, err) < 0)
		return -1;
	/* Deleted or relabelled ones decrypt no longer. */
	(void)registry_retain(keys, is_good, &p);
	metrics_set(
	    ks->cfg.metrics, METRIC_KEY_SECRETS_SKIPPED, (double)p.skipped);
	tell_none(&p);
	json_decref(ks->seen);
	ks->seen = STEAL(seen);
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
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(BASE64_MAX);
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

	jsonx_set_str(labels, SECRETFORM_LABEL, LABEL_ACTIVE);
	jsonx_set_str(meta, "name", name);
	jsonx_set_str(meta, "namespace", ks->cfg.ns);
	jsonx_set(meta, "labels", labels);
	if (json_object_size(annotations) > 0)
		jsonx_set(meta, "annotations", annotations);
	else
		json_decref(annotations);
	set_base64(data, SECRETFORM_CRT, crt, strlen(crt));
	set_base64(
	    data, SECRETFORM_KEY, secret_bytes(key_pem), secret_len(key_pem));
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
		ks->cfg.client, &KUBE_SECRETS, ks->cfg.ns, obj, NULL, err) == 0)
		return 0;
	if (err->code == ERR_EXISTS)
		(void)snprintf(ks->taken, sizeof(ks->taken), "%s", name);
	return err_wrap(err, "create %s/%s", ks->cfg.ns, name);
}

static bool
is_active(const json_t *secret)
{
	const char *v =
	    jsonx_str(secret, "metadata", "labels", SECRETFORM_LABEL, NULL);

	return v != NULL && strcmp(v, LABEL_ACTIVE) == 0;
}

static void
take_occupant(const struct keysecrets *ks, const json_t *secret,
    struct rotation_occupant *ret)
{
	AUTO(nsrule) struct nsrule *rule = NULL;
	struct registry_attrs attrs;
	struct err why = ERR_INIT;

	(void)snprintf(ret->uid, sizeof(ret->uid), "%s", meta(secret, "uid"));
	if (!is_active(secret) || keysecrets_read(secret, &ret->kp, &why) < 0)
		return;
	read_attrs(ks, secret, ret->kp, &attrs, &why);
	rule = attrs.rule;
	/* A restricted key cannot serve, so it is no occasion's key. */
	ret->usable = rule == NULL;
	ret->order_s = attrs.order_s;
	ret->active_from_s = attrs.active_from_s;
}

struct search {
	const struct keysecrets *ks;
	const char *name;
	struct rotation_occupant *ret;
	bool found;
};

static int
each_candidate(void *ctx, json_t *item, struct err *err UNUSED)
{
	struct search *s = ctx;

	if (s->found || strcmp(meta(item, "name"), s->name) != 0)
		return 0;
	s->found = true;
	take_occupant(s->ks, item, s->ret);
	return 0;
}

/*
 * The reference's namespaced role lets us list key Secrets and create them, but
 * read a single one only under the legacy name. What the list does not hold and
 * is taken all the same is no active key.
 */
static int
search_occupant(struct keysecrets *ks, const char *name,
    struct rotation_occupant *ret, struct err *err)
{
	struct search s = { .ks = ks, .name = name, .ret = ret };

	err_clear(err);
	if (kube_list(ks->cfg.client, &KUBE_SECRETS, ks->cfg.ns,
		keysecrets_selector, each_candidate, &s, NULL, err) < 0) {
		keypair_free(ret->kp);
		return err_wrap(err, "list key secrets in %s", ks->cfg.ns);
	}
	if (s.found)
		return 0;
	if (strcmp(ks->taken, name) != 0)
		return err_set(err, ERR_NOTFOUND, "no key secret %s", name);
	(void)snprintf(ret->uid, sizeof(ret->uid), "not readable");
	return 0;
}

static int
backend_occupant(
    void *ctx, const char *name, struct rotation_occupant *ret, struct err *err)
{
	struct keysecrets *ks = ctx;
	AUTO_JSON json_t *secret = NULL;
	struct objkey key;

	memset(ret, 0, sizeof(*ret));
	if (objkey_set(&key, ks->cfg.ns, name, err) < 0)
		return -1;
	if (kube_get(ks->cfg.client, &KUBE_SECRETS, &key, &secret, err) < 0) {
		if (err->code == ERR_FORBIDDEN)
			return search_occupant(ks, name, ret, err);
		return err_wrap(err, "read %s/%s", ks->cfg.ns, name);
	}
	take_occupant(ks, secret, ret);
	return 0;
}

/* A new cluster's namespace has another UID. The reference's namespaced roles
 * do not let it be read. */
static int
backend_identity(
    void *ctx, char out[static ROTATION_IDENTITY_MAX], struct err *err)
{
	struct keysecrets *ks = ctx;
	AUTO_JSON json_t *ns = NULL;
	struct objkey key;

	out[0] = '\0';
	if (objkey_set(&key, ks->cfg.ns, ks->cfg.ns, err) < 0)
		return -1;
	if (kube_get(ks->cfg.client, &KUBE_NAMESPACES, &key, &ns, err) == 0)
		(void)snprintf(
		    out, ROTATION_IDENTITY_MAX, "%s", meta(ns, "uid"));
	else if (err->code != ERR_FORBIDDEN)
		return err_wrap(err, "read namespace %s", ks->cfg.ns);
	err_clear(err);
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
		.identity = backend_identity,
	};
}

/* ---- expiry ---- */

void
keysecrets_tell_expiry(
    struct keysecrets *ks, const struct registry_current *key, int64_t now_s)
{
	struct event_ref ref = {
		.api_version = "v1",
		.kind = "Secret",
		.ns = ks->cfg.ns,
		.name = key->name,
		.resource_version = "",
	};
	AUTO_STR char *uid = NULL;
	AUTO_STR char *text = NULL;
	char date[TIMEFMT_MAX];
	const char *seen = jsonx_str(ks->seen, key->name, NULL);

	if (!may_send(ks) ||
	    json_object_get(ks->told_expiry, key->fingerprint) != NULL)
		return;
	jsonx_set(ks->told_expiry, key->fingerprint, json_true());
	/* "+uid/version" */
	uid = seen == NULL ? xstrdup("")
			   : xstrndup(seen + 1, strcspn(seen + 1, "/"));
	ref.uid = uid;
	timefmt_rfc3339(key->not_after, date);
	text = xasprintf("The certificate that seals %s at %s, and kubeseal "
			 "refuses it then: make a new key",
	    key->not_after < now_s ? "expired" : "expires", date);
	event_record_once(ks->cfg.events, &ref, "Warning",
	    "SealingCertificateExpires", text, text);
}

/* ---- backups ---- */

/* 0: noted, or nothing to note. */
static int
mark_once(struct kube_client *client, const struct objkey *key,
    const char *fingerprint, const char *date, struct err *err)
{
	AUTO_JSON json_t *secret = NULL;
	AUTO(keypair) struct keypair *kp = NULL;
	struct err why = ERR_INIT;
	json_t *annotations;

	if (kube_get(client, &KUBE_SECRETS, key, &secret, err) < 0)
		return -1;
	if (keysecrets_read(secret, &kp, &why) < 0 ||
	    strcmp(keypair_fingerprint(kp), fingerprint) != 0)
		return 0;
	annotations = jsonx_object(secret, "metadata", "annotations", NULL);
	if (annotations == NULL) {
		annotations = json_object();
		jsonx_set(json_object_get(secret, "metadata"), "annotations",
		    annotations);
	}
	jsonx_set_str(annotations, KEYSECRETS_BACKED_UP, date);
	return kube_update(client, &KUBE_SECRETS, key, secret, NULL, err);
}

static int
mark(struct kube_client *client, const char *ns,
    const struct keysecrets_copy *copy, const char *date, struct err *err)
{
	struct objkey key;
	int rc = -1;

	if (objkey_set(&key, ns, copy->name, err) < 0)
		return -1;
	for (unsigned i = 0; rc < 0 && i < MARK_TRIES_MAX; i++) {
		err_clear(err);
		rc = mark_once(client, &key, copy->fingerprint, date, err);
		if (rc < 0 && err->code != ERR_CONFLICT)
			break;
	}
	if (rc == 0 || err->code == ERR_NOTFOUND) {
		err_clear(err);
		return 0;
	}
	return err_wrap(
	    err, "mark key secret %s/%s as backed up", ns, copy->name);
}

int
keysecrets_mark_backed_up(struct kube_client *client, const char *ns,
    const struct keysecrets_copy *copies, size_t n, int64_t now_s,
    struct err *err)
{
	char date[TIMEFMT_MAX];
	int rc = 0;

	timefmt_rfc3339(now_s, date);
	for (size_t i = 0; i < n; i++) {
		struct err e = ERR_INIT;

		if (mark(client, ns, &copies[i], date, &e) == 0)
			continue;
		if (rc == 0)
			*err = e;
		rc = -1;
	}
	return rc;
}

/* ---- the stream of changes ---- */

static bool
stream_reduce(void *ctx UNUSED, const json_t *obj, struct index_record *rec)
{
	index_copy_id(rec->uid, sizeof(rec->uid), meta(obj, "uid"));
	index_copy_id(rec->rv, sizeof(rec->rv), meta(obj, "resourceVersion"));
	return true;
}

static void
stream_changed(void *ctx, const struct objkey *key UNUSED,
    const struct index_record *old, const struct index_record *now,
    json_t *obj UNUSED, enum reflector_via via UNUSED)
{
	const struct keysecrets *ks = ctx;

	if (old == NULL || strcmp(old->rv, now->rv) != 0)
		ks->cfg.changed(ks->cfg.ctx);
}

static void
stream_gone(void *ctx, const struct objkey *key UNUSED,
    const struct index_record *old UNUSED, json_t *obj UNUSED)
{
	const struct keysecrets *ks = ctx;

	ks->cfg.changed(ks->cfg.ctx);
}

static void
stream_trouble(void *ctx UNUSED, const struct err *err)
{
	if (err->code == ERR_FORBIDDEN)
		log_info("Not permitted, listing key Secrets every 4 s instead",
		    "stream", err->msg);
	else
		log_warn("Error watching key Secrets", "error", err->msg);
}

struct reflector_handler
keysecrets_handler(struct keysecrets *ks)
{
	return (struct reflector_handler) {
		.ctx = ks,
		.reduce = stream_reduce,
		.changed = stream_changed,
		.gone = stream_gone,
		.trouble = stream_trouble,
	};
}
