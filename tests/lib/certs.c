/*
 * An authority and a leaf, P-256, good for a day.
 */
#include "certs.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tempdir.h"

#define DAY_S (24L * 3600)

static void
must(int ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "certificates: %s failed\n", what);
		abort();
	}
}

static void
extend(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *ext;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(ext != NULL && X509_add_ext(x, ext, -1), "extension");
	X509_EXTENSION_free(ext);
}

static X509 *
certificate(EVP_PKEY *key, const char *cn, X509 *issuer, EVP_PKEY *by)
{
	static long serial = 1;
	X509 *x = X509_new();
	X509_NAME *name;

	must(x != NULL, "certificate");
	name = X509_get_subject_name(x);
	must(X509_set_version(x, 2), "version");
	ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(x), -DAY_S);
	X509_gmtime_adj(X509_getm_notAfter(x), DAY_S);
	must(X509_set_pubkey(x, key), "public key");
	must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		 (const unsigned char *)cn, -1, -1, 0),
	    "name");
	must(X509_set_issuer_name(
		 x, issuer == NULL ? name : X509_get_subject_name(issuer)),
	    "issuer");
	if (issuer == NULL) {
		extend(x, x, NID_basic_constraints, "critical,CA:TRUE");
		extend(x, x, NID_key_usage, "critical,keyCertSign");
	} else {
		extend(x, issuer, NID_subject_alt_name, "IP:127.0.0.1");
	}
	must(X509_sign(x, by, EVP_sha256()) > 0, "signature");
	return x;
}

/* Through a rename, so that a server never reads half of it. */
static void
write_pem(const char *path, X509 *x, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *text;
	long n;

	must(bio != NULL, "buffer");
	if (x != NULL)
		must(PEM_write_bio_X509(bio, x), "PEM");
	else
		must(PEM_write_bio_PrivateKey(
			 bio, key, NULL, NULL, 0, NULL, NULL),
		    "PEM");
	n = BIO_get_mem_data(bio, &data);
	text = xstrndup(data, (size_t)n);
	tempdir_write(path, text);
	free(text);
	BIO_free(bio);
}

void
certs_write(const char *ca, const char *cert, const char *key)
{
	static unsigned serial;
	AUTO_STR char *name = xasprintf("test authority %u", ++serial);
	EVP_PKEY *ca_key = EVP_EC_gen("P-256");
	EVP_PKEY *leaf_key = EVP_EC_gen("P-256");
	X509 *authority, *leaf;

	must(ca_key != NULL && leaf_key != NULL, "key generation");
	authority = certificate(ca_key, name, NULL, ca_key);
	leaf = certificate(leaf_key, "kube-apiserver", authority, ca_key);
	write_pem(key, NULL, leaf_key);
	write_pem(cert, leaf, NULL);
	write_pem(ca, authority, NULL);
	X509_free(authority);
	X509_free(leaf);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(leaf_key);
}
