/*
 * Making key Secrets and asking for the served certificate.
 */
#include "keyrig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "tests/lib/keysecret.h"

#define SECRETS "/api/v1/namespaces/kube-system/secrets"

struct keypair *
keyrig_key(int64_t ahead_s)
{
	const struct keypair_params params = {
		.bits = 2048,
		.ttl_s = 24 * 3600,
		.now_s = (int64_t)time(NULL) + ahead_s,
		.cn = "",
	};
	struct keypair *kp = NULL;
	struct err err = ERR_INIT;

	if (keypair_generate(&params, &kp, &err) < 0)
		fail_msg("%s", err.msg);
	return kp;
}

static json_t *
secret_with(const char *name, json_t *data)
{
	return json_pack("{s:s, s:s, s:s, s:{s:s, s:s, s:{s:s}}, s:o}",
	    "apiVersion", "v1", "kind", "Secret", "type", "Opaque", "metadata",
	    "namespace", "kube-system", "name", name, "labels", KEYRIG_LABEL,
	    "active", "data", data);
}

json_t *
keyrig_secret_of(const char *name, const char *key_pem, const char *crt_pem)
{
	json_t *data = json_object();

	keysecret_set(data, "tls.key", key_pem, strlen(key_pem));
	keysecret_set(data, "tls.crt", crt_pem, strlen(crt_pem));
	return secret_with(name, data);
}

json_t *
keyrig_secret(const char *name, const struct keypair *kp)
{
	return secret_with(name, keysecret_data(kp, kp));
}

static char *
bio_text(BIO *bio)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);
	char *text = xstrndup(p, (size_t)n);

	BIO_free(bio);
	return text;
}

void
keyrig_odd_pem(bool ec, char **key_pem, char **crt_pem)
{
	EVP_PKEY *key = ec ? EVP_EC_gen("P-256") : EVP_RSA_gen((unsigned)1024);
	BIO *kb = BIO_new(BIO_s_mem()), *cb = BIO_new(BIO_s_mem());
	X509 *crt = X509_new();

	assert_non_null(key);
	ASN1_INTEGER_set(X509_get_serialNumber(crt), 1);
	X509_gmtime_adj(X509_getm_notBefore(crt), 0);
	X509_gmtime_adj(X509_getm_notAfter(crt), 24 * 3600);
	X509_set_pubkey(crt, key);
	assert_true(X509_sign(crt, key, EVP_sha256()) > 0);
	PEM_write_bio_PrivateKey(kb, key, NULL, NULL, 0, NULL, NULL);
	PEM_write_bio_X509(cb, crt);
	*key_pem = bio_text(kb);
	*crt_pem = bio_text(cb);
	X509_free(crt);
	EVP_PKEY_free(key);
}

void
keyrig_put(struct harness *h, json_t *secret)
{
	harness_post(h, secret);
	json_decref(secret);
}

void
keyrig_label(struct harness *h, const char *name, const char *value)
{
	AUTO_JSON json_t *patch = json_pack(
	    "{s:{s:{s:s}}}", "metadata", "labels", KEYRIG_LABEL, value);

	assert_int_equal(
	    api_patch(h->api, API_MERGE, patch, NULL, SECRETS "/%s", name),
	    200);
}

void
keyrig_delete(struct harness *h, const char *name)
{
	assert_int_equal(
	    api_delete(h->api, NULL, NULL, SECRETS "/%s", name), 200);
}

void
keyrig_seal(struct harness *h, const char *ns, const char *name,
    const struct keypair *kp, const char *value)
{
	AUTO_JSON json_t *v = object_sealed(ns, name, OBJECT_STRICT);

	object_seal(v, keypair_cert_pem(kp), HARNESS_KEY, value);
	harness_post(h, v);
}

struct question {
	const char *http;
	const struct keypair *kp;
};

static bool
serves(void *ctx)
{
	const struct question *q = ctx;
	AUTO(api) struct api *web = api_new(q->http, NULL);
	struct api_request req = { .path = "/v1/cert.pem", .accept = "*/*" };
	struct api_reply reply;
	bool yes;

	api_do(web, &req, &reply);
	if (q->kp == NULL)
		yes = reply.code == 500;
	else
		yes = reply.code == 200 &&
		    strcmp(reply.text, keypair_cert_pem(q->kp)) == 0;
	api_reply_release(&reply);
	return yes;
}

bool
keyrig_wait_served(const char *http, const struct keypair *kp, int64_t limit_ms)
{
	struct question q = { http, kp };

	return wait_until(serves, &q, limit_ms);
}

bool
keyrig_wait_none(const char *http, int64_t limit_ms)
{
	struct question q = { http, NULL };

	return wait_until(serves, &q, limit_ms);
}
