/*
 * Private keys of templates.
 */
#include "privkey.h"

#include <limits.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "text.h"

#define RSA_BITS_MAX 8192 /* of keys that somebody brings */
#define DSA_P_BITS   2048
#define DSA_Q_BITS   256
#define SUFFIX	     " PRIVATE KEY"

static EVP_PKEY *
generation_failed(struct env *e)
{
	ERR_clear_error();
	(void)env_fail(e, "key generation failed");
	return NULL;
}

/* OpenSSL asks between two candidates for a prime. */
static int
may_go_on(EVP_PKEY_CTX *ctx)
{
	return env_key_goes_on(EVP_PKEY_CTX_get_app_data(ctx));
}

static void
watch(EVP_PKEY_CTX *ctx, struct env *e)
{
	EVP_PKEY_CTX_set_app_data(ctx, e);
	EVP_PKEY_CTX_set_cb(ctx, may_go_on);
}

/* What came of it in time. */
static EVP_PKEY *
finish(struct env *e, EVP_PKEY *key)
{
	if (env_key_end(e) == 0)
		return key == NULL ? generation_failed(e) : key;
	EVP_PKEY_free(key);
	ERR_clear_error();
	return NULL;
}

EVP_PKEY *
privkey_rsa(struct env *e, unsigned bits)
{
	EVP_PKEY_CTX *ctx;
	EVP_PKEY *key = NULL;

	if (env_key_begin(e,
		bits > 2048 ? PRIVKEY_CREDITS_RSA4096
			    : PRIVKEY_CREDITS_RSA2048) < 0)
		return NULL;
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	if (ctx != NULL && EVP_PKEY_keygen_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits) == 1) {
		watch(ctx, e);
		(void)EVP_PKEY_generate(ctx, &key);
	}
	EVP_PKEY_CTX_free(ctx);
	return finish(e, key);
}

EVP_PKEY *
privkey_ecdsa(struct env *e)
{
	EVP_PKEY *key;

	if (env_costly(e, PRIVKEY_CREDITS_SMALL) < 0)
		return NULL;
	key = EVP_EC_gen("P-256");
	return key == NULL ? generation_failed(e) : key;
}

EVP_PKEY *
privkey_ed25519(struct env *e)
{
	EVP_PKEY *key;

	if (env_costly(e, PRIVKEY_CREDITS_SMALL) < 0)
		return NULL;
	key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return key == NULL ? generation_failed(e) : key;
}

static EVP_PKEY *
dsa_parameters(struct env *e)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
	size_t p = DSA_P_BITS, q = DSA_Q_BITS;
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_FFC_PBITS, &p),
		OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_FFC_QBITS, &q),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY *ret = NULL;

	if (ctx != NULL && EVP_PKEY_paramgen_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_params(ctx, params) == 1) {
		watch(ctx, e);
		(void)EVP_PKEY_paramgen(ctx, &ret);
	}
	EVP_PKEY_CTX_free(ctx);
	return ret;
}

EVP_PKEY *
privkey_dsa(struct env *e)
{
	EVP_PKEY *params, *key = NULL;
	EVP_PKEY_CTX *ctx = NULL;

	if (env_key_begin(e, PRIVKEY_CREDITS_DSA) < 0)
		return NULL;
	params = dsa_parameters(e);
	if (params != NULL)
		ctx = EVP_PKEY_CTX_new(params, NULL);
	if (ctx != NULL && EVP_PKEY_keygen_init(ctx) == 1)
		(void)EVP_PKEY_keygen(ctx, &key);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(params);
	return finish(e, key);
}

int
privkey_block(const struct value *text, struct privkey_block *ret)
{
	BIO *bio;
	char *header = NULL;
	int rc;

	*ret = (struct privkey_block) { 0 };
	if (text->u.s.len == 0 || text->u.s.len > INT_MAX)
		return -1;
	bio = BIO_new_mem_buf(text->u.s.p, (int)text->u.s.len);
	if (bio == NULL)
		return -1;
	rc = PEM_read_bio(bio, &ret->name, &header, &ret->der, &ret->len);
	OPENSSL_free(header);
	BIO_free(bio);
	ERR_clear_error();
	return rc == 1 ? 0 : -1;
}

void
privkey_block_release(struct privkey_block *b)
{
	OPENSSL_free(b->name);
	OPENSSL_clear_free(b->der, (size_t)b->len);
	*b = (struct privkey_block) { 0 };
}

static EVP_PKEY *
read_pkcs8(const struct privkey_block *b)
{
	const unsigned char *p = b->der;
	PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, b->len);
	EVP_PKEY *key = info == NULL ? NULL : EVP_PKCS82PKEY(info);

	PKCS8_PRIV_KEY_INFO_free(info);
	return key;
}

/* The form of one kind of key alone. */
static EVP_PKEY *
read_own(const struct privkey_block *b, const char *type)
{
	const unsigned char *p = b->der;
	size_t len = (size_t)b->len;
	EVP_PKEY *key = NULL;
	OSSL_DECODER_CTX *ctx = OSSL_DECODER_CTX_new_for_pkey(
	    &key, "DER", "type-specific", type, EVP_PKEY_KEYPAIR, NULL, NULL);

	if (ctx != NULL)
		(void)OSSL_DECODER_from_data(ctx, &p, &len);
	OSSL_DECODER_CTX_free(ctx);
	return key;
}

static EVP_PKEY *
read_block(struct env *e, const struct privkey_block *b, const char *prefix)
{
	size_t len = strlen(b->name), suffix = sizeof(SUFFIX) - 1;
	EVP_PKEY *key = NULL;

	if (strcmp(b->name, "PRIVATE KEY") == 0) {
		key = read_pkcs8(b);
		if (key == NULL)
			(void)env_fail(e, "%s: decoding PEM as PKCS#8: %s",
			    prefix, MESSAGE_WITHHELD);
		return key;
	}
	if (len < suffix || strcmp(b->name + len - suffix, SUFFIX) != 0) {
		(void)env_fail(e,
		    "%s: no private key data in PEM block of type %s", prefix,
		    WITHHELD);
		return NULL;
	}
	for (size_t i = 0; i < 3; i++) {
		static const char *const types[] = { "RSA", "EC", "DSA" };

		if (strlen(types[i]) != len - suffix ||
		    strncmp(b->name, types[i], len - suffix) != 0)
			continue;
		key = read_own(b, types[i]);
		if (key == NULL)
			(void)env_fail(e,
			    "%s: parsing %s private key from PEM: %s", prefix,
			    types[i], MESSAGE_WITHHELD);
		return key;
	}
	(void)env_fail(e, "%s: invalid private key type %s", prefix, WITHHELD);
	return NULL;
}

EVP_PKEY *
privkey_parse(struct env *e, const struct value *pem, const char *prefix)
{
	struct privkey_block b;
	EVP_PKEY *key;

	if (env_step(e, 1 + pem->u.s.len / 8) < 0)
		return NULL;
	if (privkey_block(pem, &b) < 0) {
		privkey_block_release(&b);
		(void)env_fail(e, "%s: no PEM data in input", prefix);
		return NULL;
	}
	key = read_block(e, &b, prefix);
	privkey_block_release(&b);
	ERR_clear_error();
	if (key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
	    EVP_PKEY_get_bits(key) > RSA_BITS_MAX) {
		EVP_PKEY_free(key);
		(void)env_exhaust(e, "size of a key");
		return NULL;
	}
	return key;
}

int
privkey_bio_text(struct env *e, BIO *bio, struct value *ret)
{
	char *p;
	long len = BIO_get_mem_data(bio, &p);

	return value_strdup(e, p, len < 0 ? 0 : (size_t)len, ret);
}

int
privkey_pem(struct env *e, EVP_PKEY *key, struct value *ret)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	int id = EVP_PKEY_get_base_id(key), good = 0, rc;

	if (bio == NULL)
		return env_fail(e, "key generation failed");
	if (id == EVP_PKEY_RSA || id == EVP_PKEY_EC || id == EVP_PKEY_DSA)
		good = PEM_write_bio_PrivateKey_traditional(
		    bio, key, NULL, NULL, 0, NULL, NULL);
	else
		good = PEM_write_bio_PKCS8PrivateKey(
		    bio, key, NULL, NULL, 0, NULL, NULL);
	rc = good == 1 ? privkey_bio_text(e, bio, ret)
		       : env_fail(e, "key generation failed");
	BIO_free(bio);
	ERR_clear_error();
	return rc;
}
