/*
 * Bare private RSA operations.
 */
#include "rsa.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <stdlib.h>

#include "base/mem.h"
#include "tool.h"

#define BITS 4096

struct rsa_work {
	EVP_PKEY *key;
	unsigned char locked[BITS / 8];
	size_t len;
};

struct rsa_opener {
	const struct rsa_work *work;
	EVP_PKEY_CTX *ctx;
};

static EVP_PKEY_CTX *
context(EVP_PKEY *key, int (*init)(EVP_PKEY_CTX *ctx))
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

	if (ctx == NULL || init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) != 1)
		tool_die("OpenSSL: no RSA-OAEP");
	return ctx;
}

struct rsa_work *
rsa_work_new(void)
{
	static const unsigned char session[32] = { 1, 2, 3 };
	struct rsa_work *w = xcalloc(1, sizeof(*w));
	EVP_PKEY_CTX *ctx;

	w->key = EVP_RSA_gen(BITS);
	if (w->key == NULL)
		tool_die("OpenSSL: no key");
	ctx = context(w->key, EVP_PKEY_encrypt_init);
	w->len = sizeof(w->locked);
	if (EVP_PKEY_encrypt(
		ctx, w->locked, &w->len, session, sizeof(session)) != 1)
		tool_die("OpenSSL: cannot encrypt");
	EVP_PKEY_CTX_free(ctx);
	return w;
}

struct rsa_opener *
rsa_opener_new(const struct rsa_work *w)
{
	struct rsa_opener *o = xcalloc(1, sizeof(*o));

	o->work = w;
	o->ctx = context(w->key, EVP_PKEY_decrypt_init);
	return o;
}

void
rsa_opener_free(struct rsa_opener *o)
{
	EVP_PKEY_CTX_free(o->ctx);
	free(o);
}

void
rsa_open(struct rsa_opener *o)
{
	unsigned char out[BITS / 8];
	size_t len = sizeof(out);

	if (EVP_PKEY_decrypt(
		o->ctx, out, &len, o->work->locked, o->work->len) != 1)
		tool_die("OpenSSL: cannot decrypt");
}
