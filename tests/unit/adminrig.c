/*
 * A steered admin_backend; see adminrig.h.
 */
#include "adminrig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/codec.h"
#include "base/jsonx.h"
#include "base/mem.h"
#include "tests/lib/keyring.h"
#include "tests/lib/keysecret.h"

static void
note(struct adminrig *r, const char *what)
{
	size_t n = strlen(r->story);

	(void)snprintf(
	    r->story + n, sizeof(r->story) - n, "%s%s", n > 0 ? " " : "", what);
}

static int
steer(enum err_code code, struct err *err)
{
	return code == ERR_NONE ? 0 : err_set(err, code, "steered failure");
}

static int
review_token(void *ctx, const struct secret *token, struct admin_user *ret,
    struct err *err)
{
	struct adminrig *r = ctx;

	r->reviews++;
	if (steer(r->token_fails, err) < 0)
		return -1;
	if (secret_len(token) != strlen(ADMINRIG_TOKEN) ||
	    memcmp(secret_bytes(token), ADMINRIG_TOKEN,
		strlen(ADMINRIG_TOKEN)) != 0)
		return err_set(err, ERR_UNAUTHORIZED, "unknown");
	ret->info = json_pack("{s:s,s:s}", "username", "anna", "uid", "u-1");
	ret->name = jsonx_str(ret->info, "username", NULL);
	ret->uid = jsonx_str(ret->info, "uid", NULL);
	return 0;
}

static int
review_access(void *ctx, const struct admin_user *user,
    enum admin_action action, struct err *err)
{
	struct adminrig *r = ctx;

	assert_string_equal(user->name, "anna");
	r->accesses++;
	r->asked = action;
	return steer(r->access_fails, err);
}

static int
audit(void *ctx, const struct admin_record *rec, struct err *err)
{
	struct adminrig *r = ctx;

	note(r, "audit");
	r->audits++;
	(void)snprintf(r->recorded, sizeof(r->recorded),
	    "%s %s %s %s %zu %s %s %s", rec->action, rec->form, rec->user->name,
	    rec->source, rec->keys, rec->object, rec->request_id,
	    rec->fingerprints);
	return steer(r->audit_fails, err);
}

static int
secrets(void *ctx, json_t **ret, struct err *err)
{
	struct adminrig *r = ctx;

	if (steer(r->secrets_fails, err) < 0)
		return -1;
	*ret = json_deep_copy(r->live);
	if (r->appears != NULL) {
		json_array_append_new(r->live,
		    json_pack("{s:s,s:s,s:o}", "name",
			jsonx_str(r->appears, "metadata", "name", NULL),
			"fingerprint", r->appears_as, "secret", r->appears));
		r->appears = NULL;
	}
	return 0;
}

static int
create(void *ctx, const json_t *secret, bool dry_run, struct err *err)
{
	struct adminrig *r = ctx;
	const char *name = jsonx_str(secret, "metadata", "name", NULL);
	unsigned nth;

	note(r, dry_run ? "dry" : "create");
	if (dry_run) {
		r->dry_runs++;
		return steer(r->dry_run_fails, err);
	}
	nth = ++r->creates;
	if ((r->create_fails_at == 0 || r->create_fails_at == nth) &&
	    steer(r->create_fails, err) < 0)
		return -1;
	json_array_append_new(r->created, json_string(name));
	if (r->keys != NULL) {
		AUTO_RELEASE(buf) struct buf key = BUF_INIT(65536);
		AUTO_RELEASE(buf) struct buf crt = BUF_INIT(65536);
		AUTO(keypair) struct keypair *kp = NULL;
		const char *k = jsonx_str(secret, "data", "tls.key", NULL);
		const char *c = jsonx_str(secret, "data", "tls.crt", NULL);

		assert_int_equal(base64_decode(k, strlen(k), &key, err), 0);
		assert_int_equal(base64_decode(c, strlen(c), &crt, err), 0);
		assert_int_equal(keypair_parse(buf_str(&key), key.len,
				     buf_str(&crt), crt.len, &kp, err),
		    0);
		assert_int_equal(
		    keyring_add(r->keys, name, kp, keypair_not_before(kp), err),
		    0);
	}
	return 0;
}

static void
exported(void *ctx, const json_t *keys)
{
	struct adminrig *r = ctx;

	note(r, "exported");
	r->exports++;
	json_decref(r->told);
	r->told = json_deep_copy(keys);
}

void
adminrig_init(struct adminrig *r)
{
	memset(r, 0, sizeof(*r));
	r->live = json_array();
	r->created = json_array();
	r->backend = (struct admin_backend) {
		.ctx = r,
		.review_token = review_token,
		.review_access = review_access,
		.audit = audit,
		.secrets = secrets,
		.create = create,
		.exported = exported,
	};
}

void
adminrig_release(struct adminrig *r)
{
	json_decref(r->live);
	json_decref(r->created);
	json_decref(r->told);
	json_decref(r->appears);
}

json_t *
adminrig_secret(const char *name, const struct keypair *kp)
{
	return json_pack("{s:s,s:s,s:{s:s,s:s,s:s,s:s,s:{s:s}},s:s,s:o}",
	    "apiVersion", "v1", "kind", "Secret", "metadata", "name", name,
	    "namespace", ADMINRIG_NS, "uid", "some-uid", "resourceVersion",
	    "77", "labels", ADMINRIG_LABEL, "active", "type",
	    "kubernetes.io/tls", "data", keysecret_data(kp, kp));
}

void
adminrig_put(struct adminrig *r, const char *name, const struct keypair *kp)
{
	json_array_append_new(r->live,
	    json_pack("{s:s,s:s,s:o}", "name", name, "fingerprint",
		keypair_fingerprint(kp), "secret", adminrig_secret(name, kp)));
}

char *
adminrig_backup(const char *const names[], struct keypair *const keys[])
{
	AUTO_JSON json_t *list = json_pack(
	    "{s:s,s:s,s:[]}", "apiVersion", "v1", "kind", "List", "items");
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(1u << 20);
	struct err err = ERR_INIT;

	for (size_t i = 0; names[i] != NULL; i++)
		json_array_append_new(json_object_get(list, "items"),
		    adminrig_secret(names[i], keys[i]));
	assert_int_equal(jsonx_dump(list, &text, &err), 0);
	return xstrdup(buf_str(&text));
}

void
adminrig_head(struct head *h, const char *token, const char *peer)
{
	AUTO_STR char *field = NULL;

	memset(h, 0, sizeof(*h));
	(void)snprintf(h->method, sizeof(h->method), "POST");
	(void)snprintf(h->peer, sizeof(h->peer), "%s", peer);
	if (token == NULL)
		return;
	field = xasprintf("Bearer %s", token);
	h->authorization = secret_from(field, strlen(field));
	h->authorizations = 1;
}

void
adminrig_head_release(struct head *h)
{
	secret_free(h->authorization);
	memset(h, 0, sizeof(*h));
}
