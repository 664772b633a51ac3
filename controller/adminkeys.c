/*
 * The admin port's view of the API server; see adminkeys.h.
 *
 * Refusals of the API server that concern ourselves (our token, our rights)
 * must not look like refusals of the one who asks: they come out as
 * ERR_SERVER.
 */
#include "adminkeys.h"

#include <stdio.h>
#include <string.h>

#include "base/jsonx.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timefmt.h"
#include "keysecrets.h"
#include "keystore/backup.h"
#include "keystore/secretform.h"

#define COMPONENT      "sealed-secrets"
#define ANNOTATION     "sealedsecrets.bitnami.com/"
#define MESSAGE_MAX    1024
#define EVENT_NAME_MAX 200 /* the server puts five characters behind it */

struct adminkeys {
	struct adminkeys_config cfg;
};

struct adminkeys *
adminkeys_new(const struct adminkeys_config *cfg)
{
	struct adminkeys *ak = xcalloc(1, sizeof(*ak));

	ak->cfg = *cfg;
	return ak;
}

void
adminkeys_free(struct adminkeys *ak)
{
	mem_free_wiped(ak);
}

/* ---- reviews ---- */

static json_t *
review(const struct kube_resource *res, json_t *spec)
{
	json_t *v = json_object();

	jsonx_set_str(v, "apiVersion", res->api_version);
	jsonx_set_str(v, "kind", res->kind);
	jsonx_set(v, "spec", spec);
	return v;
}

/* The answer's status, in *ret, which the caller releases. */
static int
ask(struct adminkeys *ak, const struct kube_resource *res, json_t *spec,
    json_t **ret, struct err *err)
{
	AUTO_JSON json_t *v = review(res, spec);

	if (kube_create(ak->cfg.client, res, NULL, v, ret, err) == 0)
		return 0;
	err->code = ERR_SERVER;
	return err_wrap(err, "create %s", res->plural);
}

static bool
is_for_us(const json_t *answer, const char *audience)
{
	json_t *all = jsonx_array(answer, "status", "audiences", NULL);
	json_t *v;
	size_t i;

	json_array_foreach(all, i, v)
	{
		const char *s = json_string_value(v);

		if (s != NULL && strcmp(s, audience) == 0)
			return true;
	}
	return false;
}

static const char *
text_of(const json_t *v, const char *name)
{
	const char *s = jsonx_str(v, name, NULL);

	return s != NULL ? s : "";
}

/* Servers that know nothing of audiences accept a token and name none. */
static int
judge_token(const json_t *answer, const char *audience, struct admin_user *ret,
    struct err *err)
{
	json_t *user = jsonx_object(answer, "status", "user", NULL);

	if (!jsonx_is_true(answer, "status", "authenticated", NULL))
		return err_set(
		    err, ERR_UNAUTHORIZED, "the API server does not know it");
	if (jsonx_str(answer, "status", "error", NULL) != NULL)
		return err_set(err, ERR_UNAUTHORIZED,
		    "the API server has an objection to it");
	if (!is_for_us(answer, audience))
		return err_set(err, ERR_UNAUTHORIZED,
		    "it is not for the audience %s", audience);
	if (text_of(user, "username")[0] == '\0')
		return err_set(err, ERR_UNAUTHORIZED, "it names no user");
	ret->info = json_incref(user);
	ret->name = text_of(user, "username");
	ret->uid = text_of(user, "uid");
	return 0;
}

static int
review_token(void *ctx, const struct secret *token, struct admin_user *ret,
    struct err *err)
{
	struct adminkeys *ak = ctx;
	AUTO_JSON json_t *answer = NULL;
	json_t *spec = json_object(), *audiences = json_array();
	json_t *text =
	    jsonx_strn((const char *)secret_bytes(token), secret_len(token));

	(void)json_array_append_new(audiences, json_string(ak->cfg.audience));
	jsonx_set(spec, "token", text != NULL ? text : json_string(""));
	jsonx_set(spec, "audiences", audiences);
	if (ask(ak, &KUBE_TOKEN_REVIEWS, spec, &answer, err) < 0)
		return -1;
	return judge_token(answer, ak->cfg.audience, ret, err);
}

static void
copy_user(json_t *spec, const struct admin_user *user)
{
	static const char *const same[] = { "uid", "groups", "extra" };

	jsonx_set_str(spec, "user", user->name);
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		json_t *v = json_object_get(user->info, same[i]);

		if (v != NULL)
			jsonx_set(spec, same[i], json_incref(v));
	}
}

static int
review_verb(struct adminkeys *ak, const struct admin_user *user,
    const char *verb, struct err *err)
{
	AUTO_JSON json_t *answer = NULL;
	json_t *spec = json_object(), *what = json_object();

	jsonx_set_str(what, "namespace", ak->cfg.ns);
	jsonx_set_str(what, "verb", verb);
	jsonx_set_str(what, "version", "v1");
	jsonx_set_str(what, "resource", KUBE_SECRETS.plural);
	jsonx_set(spec, "resourceAttributes", what);
	copy_user(spec, user);
	if (ask(ak, &KUBE_ACCESS_REVIEWS, spec, &answer, err) < 0)
		return -1;
	if (jsonx_is_true(answer, "status", "allowed", NULL) &&
	    !jsonx_is_true(answer, "status", "denied", NULL))
		return 0;
	return err_set(
	    err, ERR_FORBIDDEN, "may not %s secrets in %s", verb, ak->cfg.ns);
}

static int
review_access(void *ctx, const struct admin_user *user,
    enum admin_action action, struct err *err)
{
	switch (action) {
	case ADMIN_LIST:
		return review_verb(ctx, user, "list", err);
	case ADMIN_EXPORT:
		if (review_verb(ctx, user, "list", err) < 0)
			return -1;
		return review_verb(ctx, user, "get", err);
	case ADMIN_RESTORE:
		return review_verb(ctx, user, "create", err);
	}
	return err_set(err, ERR_FORBIDDEN, "no such action");
}

/* ---- the record ---- */

static const char *
reason_of(const struct admin_record *r)
{
	return strcmp(r->action, "export") == 0 ? "SealingKeysExported"
						: "SealingKeysRestored";
}

/* What the event's name begins with: the object's, cut where a name may end. */
static char *
event_prefix(const char *object)
{
	int n = (int)strnlen(object, EVENT_NAME_MAX);

	while (n > 0 && (object[n - 1] == '.' || object[n - 1] == '-'))
		n--;
	return xasprintf("%.*s.", n, object);
}

static json_t *
event_metadata(const struct adminkeys *ak, const struct admin_record *r)
{
	json_t *meta = json_object(), *notes = json_object();
	AUTO_STR char *prefix = event_prefix(r->object);

	jsonx_set_str(notes, ANNOTATION "user", r->user->name);
	jsonx_set_str(notes, ANNOTATION "user-uid", r->user->uid);
	jsonx_set_str(notes, ANNOTATION "source", r->source);
	jsonx_set_str(notes, ANNOTATION "request-id", r->request_id);
	jsonx_set_str(notes, ANNOTATION "fingerprints", r->fingerprints);
	jsonx_set_str(meta, "generateName", prefix);
	jsonx_set_str(meta, "namespace", ak->cfg.ns);
	jsonx_set(meta, "annotations", notes);
	return meta;
}

static json_t *
involved(const struct adminkeys *ak, const struct admin_record *r)
{
	json_t *v = json_object();

	jsonx_set_str(v, "apiVersion", "v1");
	jsonx_set_str(v, "kind", "Secret");
	jsonx_set_str(v, "namespace", ak->cfg.ns);
	jsonx_set_str(v, "name", r->object);
	return v;
}

static void
set_message(json_t *v, const struct admin_record *r)
{
	char text[MESSAGE_MAX];

	(void)snprintf(text, sizeof(text),
	    "%s of %zu sealing keys (%s) by user %s from %s, request %s: %s",
	    r->action, r->keys, r->form, r->user->name, r->source,
	    r->request_id, r->fingerprints);
	jsonx_set_str(v, "message", text);
}

static json_t *
event_object(const struct adminkeys *ak, const struct admin_record *r)
{
	json_t *v = json_object(), *source = json_object();
	char now[TIMEFMT_MAX];

	timefmt_rfc3339(clock_wall_s(ak->cfg.clock), now);
	jsonx_set_str(source, "component", COMPONENT);
	jsonx_set_str(v, "apiVersion", KUBE_EVENTS.api_version);
	jsonx_set_str(v, "kind", KUBE_EVENTS.kind);
	jsonx_set(v, "metadata", event_metadata(ak, r));
	jsonx_set(v, "involvedObject", involved(ak, r));
	jsonx_set_str(v, "reason", reason_of(r));
	set_message(v, r);
	jsonx_set(v, "source", source);
	jsonx_set_str(v, "firstTimestamp", now);
	jsonx_set_str(v, "lastTimestamp", now);
	jsonx_set(v, "count", json_integer(1));
	jsonx_set_str(v, "type", "Normal");
	jsonx_set_str(v, "reportingComponent", COMPONENT);
	return v;
}

static int
audit(void *ctx, const struct admin_record *r, struct err *err)
{
	struct adminkeys *ak = ctx;
	AUTO_JSON json_t *event = event_object(ak, r);

	log_info("Admin action", "action", r->action, "form", r->form, "user",
	    r->user->name, "uid", r->user->uid, "source", r->source, "request",
	    r->request_id, "fingerprints", r->fingerprints);
	if (kube_create(
		ak->cfg.client, &KUBE_EVENTS, ak->cfg.ns, event, NULL, err) < 0)
		return err_wrap(err, "create an event in %s", ak->cfg.ns);
	metrics_inc(ak->cfg.metrics, METRIC_ADMIN_ACTIONS, r->action);
	return 0;
}

/* ---- key Secrets ---- */

struct gathering {
	json_t *keys;
	json_t *seen; /* names: a list may begin anew in its middle */
};

static int
gather(void *ctx, json_t *item, struct err *err)
{
	struct gathering *g = ctx;
	const char *name = jsonx_str(item, "metadata", "name", NULL);
	AUTO(keypair) struct keypair *kp = NULL;
	struct err why = ERR_INIT;
	json_t *v;

	if (name == NULL || json_object_get(g->seen, name) != NULL)
		return 0;
	if (json_array_size(g->keys) >= BACKUP_KEYS_MAX)
		return err_set(
		    err, ERR_TOOBIG, "over %d key Secrets", BACKUP_KEYS_MAX);
	jsonx_set(g->seen, name, json_true());
	jsonx_set_str(item, "apiVersion", KUBE_SECRETS.api_version);
	jsonx_set_str(item, "kind", KUBE_SECRETS.kind);
	v = json_object();
	jsonx_set_str(v, "name", name);
	if (keysecrets_read(item, &kp, &why) == 0)
		jsonx_set_str(v, "fingerprint", keypair_fingerprint(kp));
	jsonx_set(v, "secret", json_incref(item));
	(void)json_array_append_new(g->keys, v);
	return 0;
}

static int
secrets(void *ctx, json_t **ret, struct err *err)
{
	struct adminkeys *ak = ctx;
	AUTO_JSON json_t *keys = json_array();
	AUTO_JSON json_t *seen = json_object();
	struct gathering g = { .keys = keys, .seen = seen };

	if (kube_list(ak->cfg.client, &KUBE_SECRETS, ak->cfg.ns,
		SECRETFORM_LABEL, gather, &g, NULL, err) < 0)
		return err_wrap(err, "list key secrets in %s", ak->cfg.ns);
	*ret = STEAL(keys);
	return 0;
}

static int
create(void *ctx, const json_t *secret, bool dry_run, struct err *err)
{
	struct adminkeys *ak = ctx;
	AUTO_JSON json_t *own = json_copy((json_t *)secret);
	json_t *meta = jsonx_object(secret, "metadata", NULL);

	/* A backup may come from where the keys lived elsewhere. */
	meta = meta != NULL ? json_copy(meta) : json_object();
	jsonx_set_str(meta, "namespace", ak->cfg.ns);
	jsonx_set(own, "metadata", meta);
	if (dry_run)
		return kube_create_dry_run(
		    ak->cfg.client, &KUBE_SECRETS, ak->cfg.ns, own, err);
	return kube_create(
	    ak->cfg.client, &KUBE_SECRETS, ak->cfg.ns, own, NULL, err);
}

/* Not every role grants it, and the backup is fine without. */
static void
exported(void *ctx, const json_t *keys)
{
	struct adminkeys *ak = ctx;
	struct keysecrets_copy *copies =
	    xcalloc(json_array_size(keys) + 1, sizeof(*copies));
	struct err err = ERR_INIT;
	const json_t *v;
	size_t i, n = 0;

	json_array_foreach((json_t *)keys, i, v)
	{
		copies[n].name = jsonx_str(v, "name", NULL);
		copies[n].fingerprint = jsonx_str(v, "fingerprint", NULL);
		n += copies[n].name != NULL && copies[n].fingerprint != NULL;
	}
	if (keysecrets_mark_backed_up(ak->cfg.client, ak->cfg.ns, copies, n,
		clock_wall_s(ak->cfg.clock), &err) < 0)
		log_warn("Cannot note the backup on every key secret", "error",
		    err.msg);
	mem_free_wiped(copies);
}

struct admin_backend
adminkeys_backend(struct adminkeys *ak)
{
	return (struct admin_backend) {
		.ctx = ak,
		.review_token = review_token,
		.review_access = review_access,
		.audit = audit,
		.secrets = secrets,
		.create = create,
		.exported = exported,
	};
}
