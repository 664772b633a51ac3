/*
 * P-256 certificates, for they are made quickly.
 */
#include "certs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define LIFE_S 3600L

static void
add_extension(X509 *cert, const X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, (X509 *)issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(ext);
	assert_int_equal(X509_add_ext(cert, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

static X509 *
new_x509(EVP_PKEY *key, const char *name, long from_s)
{
	X509 *x = X509_new();
	X509_NAME *subject;
	uint32_t serial = 0;

	assert_non_null(x);
	assert_int_equal(RAND_bytes((unsigned char *)&serial, 3), 1);
	assert_int_equal(X509_set_version(x, X509_VERSION_3), 1);
	assert_int_equal(
	    ASN1_INTEGER_set(X509_get_serialNumber(x), (long)serial + 1), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), from_s));
	assert_non_null(
	    X509_gmtime_adj(X509_getm_notAfter(x), from_s + LIFE_S));
	subject = X509_get_subject_name(x);
	assert_int_equal(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
			     (const unsigned char *)name, -1, -1, 0),
	    1);
	assert_int_equal(X509_set_pubkey(x, key), 1);
	return x;
}

static void
bio_text(BIO *bio, char out[static CERT_PEM_MAX])
{
	int n = BIO_read(bio, out, CERT_PEM_MAX - 1);

	assert_true(n > 0 && n < CERT_PEM_MAX - 1);
	out[n] = '\0';
	BIO_free(bio);
}

static void
fill_pem(struct cert *c)
{
	BIO *cert = BIO_new(BIO_s_mem());
	BIO *key = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_X509(cert, c->x509), 1);
	assert_int_equal(
	    PEM_write_bio_PrivateKey(key, c->pkey, NULL, NULL, 0, NULL, NULL),
	    1);
	bio_text(cert, c->pem);
	bio_text(key, c->key);
}

void
cert_authority(struct cert *c, const char *name)
{
	memset(c, 0, sizeof(*c));
	c->pkey = EVP_EC_gen("P-256");
	assert_non_null(c->pkey);
	c->x509 = new_x509(c->pkey, name, -60);
	assert_int_equal(
	    X509_set_issuer_name(c->x509, X509_get_subject_name(c->x509)), 1);
	add_extension(
	    c->x509, c->x509, NID_basic_constraints, "critical,CA:TRUE");
	add_extension(
	    c->x509, c->x509, NID_key_usage, "critical,keyCertSign,cRLSign");
	assert_true(X509_sign(c->x509, c->pkey, EVP_sha256()) > 0);
	fill_pem(c);
}

void
cert_issue(
    struct cert *c, const struct cert *authority, const char *san, long from_s)
{
	memset(c, 0, sizeof(*c));
	c->pkey = EVP_EC_gen("P-256");
	assert_non_null(c->pkey);
	c->x509 = new_x509(c->pkey, "leaf", from_s);
	assert_int_equal(X509_set_issuer_name(
			     c->x509, X509_get_subject_name(authority->x509)),
	    1);
	add_extension(c->x509, authority->x509, NID_subject_alt_name, san);
	assert_true(X509_sign(c->x509, authority->pkey, EVP_sha256()) > 0);
	fill_pem(c);
}

void
cert_release(struct cert *c)
{
	X509_free(c->x509);
	EVP_PKEY_free(c->pkey);
	c->x509 = NULL;
	c->pkey = NULL;
}

void
cert_hash_name(const struct cert *authority, char out[static 16])
{
	(void)snprintf(
	    out, 16, "%08lx.0", X509_subject_name_hash(authority->x509));
}
