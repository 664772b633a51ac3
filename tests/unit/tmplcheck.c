/*
 * Checks of random results: patterns, bcrypt, keys, certificates.
 */
#include "tmplcheck.h"

#include <crypt.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/compiler.h"

#define CLOSE_S	    60
#define KEY_ID_SIZE 20

static const char *
text_of(json_t *check, const char *key)
{
	const char *s = json_string_value(json_object_get(check, key));

	return s != NULL ? s : "";
}

static const char *
check_regex(json_t *check, const char *text, size_t len)
{
	regex_t re;
	int rc;

	if (strlen(text) != len)
		return "holds a NUL";
	if (regcomp(&re, text_of(check, "pattern"), REG_EXTENDED | REG_NOSUB))
		return "bad pattern";
	rc = regexec(&re, text, 0, NULL, 0);
	regfree(&re);
	return rc == 0 ? NULL : "does not match";
}

static const char *
check_bcrypt(json_t *check, const char *text)
{
	const char *prefix = text_of(check, "prefix");
	struct crypt_data data;
	const char *again;

	if (strncmp(text, prefix, strlen(prefix)) != 0)
		return "wrong prefix";
	text += strlen(prefix);
	memset(&data, 0, sizeof(data));
	again = crypt_r(text_of(check, "password"), text, &data);
	if (again == NULL || strcmp(again, text) != 0)
		return "not the hash of the password";
	return NULL;
}

/* One PEM block of the type asked for, at the place of bio. */
static EVP_PKEY *
read_key(json_t *check, BIO *bio, const char **why)
{
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	const unsigned char *p;
	EVP_PKEY *key = NULL;
	long len = 0;

	*why = "not the PEM block asked for";
	if (PEM_read_bio(bio, &name, &header, &der, &len) != 1)
		return NULL;
	p = der;
	if (strcmp(name, text_of(check, "pem")) == 0) {
		*why = "no key in the PEM block";
		key = d2i_AutoPrivateKey(NULL, &p, len);
	}
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	if (key == NULL)
		return NULL;
	*why = NULL;
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
	    EVP_PKEY_get_bits(key) !=
		json_integer_value(json_object_get(check, "bits")))
		*why = "wrong number of bits";
	return key;
}

static const char *
check_key(json_t *check, const char *text, size_t len)
{
	BIO *bio = BIO_new_mem_buf(text, (int)len);
	const char *why;
	EVP_PKEY *key = read_key(check, bio, &why);

	if (key != NULL && why == NULL && BIO_pending(bio) > 0)
		why = "text behind the key";
	EVP_PKEY_free(key);
	BIO_free(bio);
	return why;
}

static bool
is_name(const X509_NAME *name, const char *cn)
{
	char buf[256] = "";

	return X509_NAME_entry_count(name) == 1 &&
	    X509_NAME_get_text_by_NID(
		(X509_NAME *)name, NID_commonName, buf, sizeof(buf)) >= 0 &&
	    strcmp(buf, cn) == 0;
}

static const char *
check_times(json_t *check, X509 *cert)
{
	long days = (long)json_integer_value(json_object_get(check, "days"));
	struct tm tm;
	int d, s;

	if (ASN1_TIME_diff(&d, &s, X509_get0_notBefore(cert),
		X509_get0_notAfter(cert)) != 1 ||
	    d != days || s != 0)
		return "wrong validity";
	if (ASN1_TIME_to_tm(X509_get0_notBefore(cert), &tm) != 1 ||
	    labs((long)(timegm(&tm) - time(NULL))) > CLOSE_S)
		return "does not start now";
	return NULL;
}

static bool
is_address(const char *want, const ASN1_OCTET_STRING *ip)
{
	ASN1_OCTET_STRING *a = a2i_IPADDRESS(want);
	bool same = a != NULL && ASN1_OCTET_STRING_cmp(a, ip) == 0;

	ASN1_OCTET_STRING_free(a);
	return same;
}

static bool
is_host(const char *want, const ASN1_STRING *host)
{
	size_t len = (size_t)ASN1_STRING_length(host);

	return strlen(want) == len &&
	    memcmp(want, ASN1_STRING_get0_data(host), len) == 0;
}

static bool
has_name(json_t *list, const GENERAL_NAME *name)
{
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v)
	{
		const char *want = json_string_value(v);

		if (name->type == GEN_IPADD && is_address(want, name->d.ip))
			return true;
		if (name->type == GEN_DNS && is_host(want, name->d.dNSName))
			return true;
	}
	return false;
}

static const char *
check_alternatives(json_t *check, X509 *cert)
{
	json_t *dns = json_object_get(check, "dns");
	json_t *ips = json_object_get(check, "ips");
	size_t want = json_array_size(dns) + json_array_size(ips);
	GENERAL_NAMES *names =
	    X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	const char *why = NULL;
	int n = names == NULL ? 0 : sk_GENERAL_NAME_num(names);

	if ((size_t)n != want)
		why = "wrong number of alternative names";
	for (int i = 0; i < n && why == NULL; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (!has_name(name->type == GEN_DNS ? dns : ips, name))
			why = "wrong alternative name";
	}
	GENERAL_NAMES_free(names);
	return why;
}

/* A CA names its key, a certificate of another issuer the issuer's key. */
static const char *
check_key_ids(X509 *cert, bool ca, bool own)
{
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(cert);
	const ASN1_OCTET_STRING *issuer = X509_get0_authority_key_id(cert);

	if ((id != NULL) != ca ||
	    (id != NULL && ASN1_STRING_length(id) != KEY_ID_SIZE))
		return "wrong subject key identifier";
	if ((issuer != NULL) == own ||
	    (issuer != NULL && ASN1_STRING_length(issuer) != KEY_ID_SIZE))
		return "wrong authority key identifier";
	return NULL;
}

static const char *
check_usage(json_t *check, X509 *cert)
{
	bool ca = json_is_true(json_object_get(check, "ca"));
	uint32_t usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT;
	uint32_t flags = X509_get_extension_flags(cert);

	if (ca)
		usage |= KU_KEY_CERT_SIGN;
	if ((flags & EXFLAG_BCONS) == 0 || ((flags & EXFLAG_CA) != 0) != ca ||
	    X509_get_pathlen(cert) != -1)
		return "wrong basic constraints";
	if (X509_get_key_usage(cert) != usage ||
	    X509_get_extended_key_usage(cert) !=
		(XKU_SSL_SERVER | XKU_SSL_CLIENT))
		return "wrong key usage";
	return NULL;
}

static const char *
check_fields(json_t *check, X509 *cert)
{
	const char *cn = text_of(check, "cn");
	const char *issuer = text_of(check, "issuer");
	bool ca = json_is_true(json_object_get(check, "ca"));
	const char *why;

	if (issuer[0] == '\0')
		issuer = cn;
	if (!is_name(X509_get_subject_name(cert), cn) ||
	    !is_name(X509_get_issuer_name(cert), issuer))
		return "wrong names";
	why = check_times(check, cert);
	if (why == NULL)
		why = check_usage(check, cert);
	if (why == NULL)
		why = check_alternatives(check, cert);
	if (why == NULL)
		why = check_key_ids(cert, ca, strcmp(cn, issuer) == 0);
	return why;
}

/* A certificate, its key and, if it is signed, the issuer's certificate. */
static const char *
check_cert(json_t *check, const char *text, size_t len)
{
	BIO *bio = BIO_new_mem_buf(text, (int)len);
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL), *issuer = NULL;
	const char *why = "no certificate";
	EVP_PKEY *key = NULL;

	if (cert != NULL)
		key = read_key(check, bio, &why);
	if (key != NULL && why == NULL &&
	    X509_check_private_key(cert, key) != 1)
		why = "not the certificate of the key";
	if (why == NULL)
		why = check_fields(check, cert);
	if (json_is_true(json_object_get(check, "signed")))
		issuer = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	if (why == NULL &&
	    X509_verify(
		cert, X509_get0_pubkey(issuer != NULL ? issuer : cert)) != 1)
		why = "wrong signature";
	X509_free(issuer);
	EVP_PKEY_free(key);
	X509_free(cert);
	BIO_free(bio);
	return why;
}

static const char *
check_epoch(const char *text)
{
	long long s = strtoll(text, NULL, 10);

	return llabs(s - clock_wall_s(&clock_system)) <= CLOSE_S ? NULL
								 : "not now";
}

bool
tmplcheck(json_t *check, const char *text, size_t len, const char **why)
{
	const char *kind = text_of(check, "kind");

	if (strcmp(kind, "regex") == 0)
		*why = check_regex(check, text, len);
	else if (strcmp(kind, "bcrypt") == 0)
		*why = check_bcrypt(check, text);
	else if (strcmp(kind, "key") == 0)
		*why = check_key(check, text, len);
	else if (strcmp(kind, "cert") == 0)
		*why = check_cert(check, text, len);
	else if (strcmp(kind, "epoch") == 0)
		*why = check_epoch(text);
	else if (strcmp(kind, "differs") == 0)
		*why = NULL;
	else
		*why = "unknown kind of check";
	return *why == NULL;
}
