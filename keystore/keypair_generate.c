/*
 * Makes an RSA key and the self-signed certificate that the reference gives it.
 */
#include "keystore/keypair.h"

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "private.h"

#define CN_MAX	    1024
#define SERIAL_BITS 128
/* RFC 7093 method 1: the leftmost 160 bits of a SHA-256. */
#define SUBJECT_KEY_ID_LEN 20
#define ENCIPHER_ONLY_BIT  7
/* The end of year 9999, the last second that X.509 can say. */
#define TIME_MAX INT64_C(253402300799)

OSSL_AUTO(asn1int, ASN1_INTEGER, ASN1_INTEGER_free);
OSSL_AUTO(asn1time, ASN1_TIME, ASN1_TIME_free);
OSSL_AUTO(asn1octets, ASN1_OCTET_STRING, ASN1_OCTET_STRING_free);
OSSL_AUTO(asn1bits, ASN1_BIT_STRING, ASN1_BIT_STRING_free);
OSSL_AUTO(constraints, BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free);

static int
check_params(const struct keypair_params *params, struct err *err)
{
	int64_t end;

	if (params->bits < KEYPAIR_BITS_MIN || params->bits > KEYPAIR_BITS_MAX)
		return err_set(err, ERR_INVALID,
		    "key size %u is not between %d and %d bits", params->bits,
		    KEYPAIR_BITS_MIN, KEYPAIR_BITS_MAX);
	if (strlen(params->cn) > CN_MAX)
		return err_set(err, ERR_INVALID,
		    "common name is longer than %d bytes", CN_MAX);
	if (params->ttl_s <= 0 || params->now_s < 0 ||
	    __builtin_add_overflow(params->now_s, params->ttl_s, &end) ||
	    end > TIME_MAX)
		return err_set(err, ERR_INVALID,
		    "certificate validity does not end in the years that "
		    "X.509 can say");
	return 0;
}

static int
go_on(EVP_PKEY_CTX *ctx)
{
	const struct stop *stop = EVP_PKEY_CTX_get_app_data(ctx);

	return stop == NULL || !stop_requested(stop);
}

static EVP_PKEY *
generate_rsa(const struct keypair_params *params, struct err *err)
{
	AUTO(pkeyctx)
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *pkey = NULL;

	if (ctx == NULL || EVP_PKEY_keygen_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)params->bits) != 1) {
		ossl_fail(err, "generate key");
		return NULL;
	}
	EVP_PKEY_CTX_set_app_data(ctx, params->stop);
	EVP_PKEY_CTX_set_cb(ctx, go_on);
	if (go_on(ctx) && EVP_PKEY_generate(ctx, &pkey) == 1)
		return pkey;
	if (!go_on(ctx)) {
		ERR_clear_error();
		err_set(err, ERR_CANCELLED, "generate key: stopped");
	} else
		ossl_fail(err, "generate key");
	return NULL;
}

/* The characters for which Go writes a PrintableString. */
static bool
is_printable(const char *s)
{
	static const char set[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    " '()+,-./:=?";

	return s[strspn(s, set)] == '\0';
}

static bool
is_utf8(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	int left = (int)strlen(s);
	unsigned long rune;
	int n;

	for (; left > 0; p += n, left -= n)
		if ((n = UTF8_getc(p, left, &rune)) <= 0)
			return false;
	return true;
}

static int
set_names(X509 *cert, const char *cn, struct err *err)
{
	X509_NAME *name = X509_get_subject_name(cert);
	int type =
	    is_printable(cn) ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING;

	if (cn[0] != '\0') {
		if (!is_utf8(cn))
			return err_set(
			    err, ERR_INVALID, "common name is not UTF-8");
		/* A type without MBSTRING_FLAG: no limit of 64 characters. */
		if (X509_NAME_add_entry_by_NID(name, NID_commonName, type,
			(const unsigned char *)cn, -1, -1, 0) != 1)
			return ossl_fail(err, "common name");
	}
	if (X509_set_issuer_name(cert, name) != 1)
		return ossl_fail(err, "issuer name");
	return 0;
}

static int
set_serial(X509 *cert)
{
	AUTO(bignum) BIGNUM *bn = BN_new();
	AUTO(asn1int) ASN1_INTEGER *serial = NULL;

	if (bn == NULL ||
	    BN_rand(bn, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) != 1)
		return -1;
	serial = BN_to_ASN1_INTEGER(bn, NULL);
	if (serial == NULL || X509_set_serialNumber(cert, serial) != 1)
		return -1;
	return 0;
}

/* UTCTime until 2049, GeneralizedTime from then on, as RFC 5280 wants. */
static int
set_validity(X509 *cert, int64_t from, int64_t to)
{
	AUTO(asn1time) ASN1_TIME *a = ASN1_TIME_adj(NULL, from, 0, 0);
	AUTO(asn1time) ASN1_TIME *b = ASN1_TIME_adj(NULL, to, 0, 0);

	if (a == NULL || b == NULL || X509_set1_notBefore(cert, a) != 1 ||
	    X509_set1_notAfter(cert, b) != 1)
		return -1;
	return 0;
}

static int
add_key_usage(X509 *cert)
{
	AUTO(asn1bits) ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();

	if (bits == NULL ||
	    ASN1_BIT_STRING_set_bit(bits, ENCIPHER_ONLY_BIT, 1) != 1 ||
	    X509_add1_ext_i2d(
		cert, NID_key_usage, bits, 1, X509V3_ADD_DEFAULT) != 1)
		return -1;
	return 0;
}

static int
add_basic_constraints(X509 *cert)
{
	AUTO(constraints) BASIC_CONSTRAINTS *bc = BASIC_CONSTRAINTS_new();

	if (bc == NULL)
		return -1;
	bc->ca = 0xff;
	return X509_add1_ext_i2d(
		   cert, NID_basic_constraints, bc, 1, X509V3_ADD_DEFAULT) == 1
	    ? 0
	    : -1;
}

static int
add_subject_key_id(X509 *cert)
{
	AUTO(asn1octets) ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned len;

	if (id == NULL ||
	    X509_pubkey_digest(cert, EVP_sha256(), md, &len) != 1 ||
	    ASN1_OCTET_STRING_set(id, md, SUBJECT_KEY_ID_LEN) != 1 ||
	    X509_add1_ext_i2d(cert, NID_subject_key_identifier, id, 0,
		X509V3_ADD_DEFAULT) != 1)
		return -1;
	return 0;
}

static X509 *
self_sign(EVP_PKEY *pkey, const struct keypair_params *params, struct err *err)
{
	AUTO(x509) X509 *cert = X509_new();
	int64_t end = params->now_s + params->ttl_s;

	if (cert == NULL || X509_set_version(cert, X509_VERSION_3) != 1 ||
	    set_serial(cert) < 0 ||
	    set_validity(cert, params->now_s, end) < 0 ||
	    X509_set_pubkey(cert, pkey) != 1) {
		ossl_fail(err, "certificate");
		return NULL;
	}
	if (set_names(cert, params->cn, err) < 0) {
		err_wrap(err, "certificate");
		return NULL;
	}
	if (add_key_usage(cert) < 0 || add_basic_constraints(cert) < 0 ||
	    add_subject_key_id(cert) < 0 ||
	    X509_sign(cert, pkey, EVP_sha256()) == 0) {
		ossl_fail(err, "certificate");
		return NULL;
	}
	return STEAL(cert);
}

int
keypair_generate(
    const struct keypair_params *params, struct keypair **ret, struct err *err)
{
	AUTO(pkey) EVP_PKEY *pkey = NULL;
	AUTO(x509) X509 *cert = NULL;

	if (check_params(params, err) < 0)
		return -1;
	pkey = generate_rsa(params, err);
	if (pkey == NULL)
		return -1;
	cert = self_sign(pkey, params, err);
	if (cert == NULL)
		return -1;
	return keypair_assemble(&pkey, cert, ret, err);
}
