/*
 * RSA key and self-signed certificate: generate, parse, write as PEM.
 *
 * A key Secret is outside data: whoever may write Secrets in the key namespace
 * chooses its bytes. So sizes are bounded before any arithmetic, and the
 * numbers are checked without primality tests, whose cost the writer of the
 * numbers would choose; one encryption and decryption shows that they work.
 */
#include "keystore/keypair.h"

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <stdatomic.h>

#include "base/buf.h"
#include "base/codec.h"
#include "base/mem.h"
#include "private.h"

/* Go's crypto/x509, and so kubeseal, reads no larger exponent. */
#define EXPONENT_BITS_MAX 31
#define CN_MAX		  1024
/* Blocks looked at in one text. */
#define PEM_BLOCKS_MAX 64
#define SERIAL_BITS    128
/* RFC 7093 method 1: the leftmost 160 bits of a SHA-256. */
#define SUBJECT_KEY_ID_LEN 20
#define ENCIPHER_ONLY_BIT  7
/* The end of year 9999, the last second that X.509 can say. */
#define TIME_MAX INT64_C(253402300799)
/* Base64 of PEM_MAX bytes, line ends, frame. */
#define CERT_PEM_MAX (2u * KEYPAIR_PEM_MAX)

struct keypair {
	atomic_uint refs;
	EVP_PKEY *pkey;
	char *cert_pem;
	int64_t not_before, not_after;
	size_t modulus_len;
	char fingerprint[KEYPAIR_FINGERPRINT_MAX];
};

OSSL_AUTO(bignum, BIGNUM, BN_clear_free);
OSSL_AUTO(bnctx, BN_CTX, BN_CTX_free);
OSSL_AUTO(encoderctx, OSSL_ENCODER_CTX, OSSL_ENCODER_CTX_free);
OSSL_AUTO(decoderctx, OSSL_DECODER_CTX, OSSL_DECODER_CTX_free);
OSSL_AUTO(asn1int, ASN1_INTEGER, ASN1_INTEGER_free);
OSSL_AUTO(asn1time, ASN1_TIME, ASN1_TIME_free);
OSSL_AUTO(asn1octets, ASN1_OCTET_STRING, ASN1_OCTET_STRING_free);
OSSL_AUTO(asn1bits, ASN1_BIT_STRING, ASN1_BIT_STRING_free);
OSSL_AUTO(constraints, BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free);

/* Life cycle and plain readers. */

struct keypair *
keypair_ref(struct keypair *kp)
{
	atomic_fetch_add_explicit(&kp->refs, 1, memory_order_relaxed);
	return kp;
}

void
keypair_free(struct keypair *kp)
{
	if (kp == NULL)
		return;
	if (atomic_fetch_sub_explicit(&kp->refs, 1, memory_order_acq_rel) != 1)
		return;
	EVP_PKEY_free(kp->pkey);
	mem_free_wiped(kp->cert_pem);
	mem_free_wiped(kp);
}

EVP_PKEY *
keypair_pkey(const struct keypair *kp)
{
	return kp->pkey;
}

const char *
keypair_fingerprint(const struct keypair *kp)
{
	return kp->fingerprint;
}

const char *
keypair_cert_pem(const struct keypair *kp)
{
	return kp->cert_pem;
}

int64_t
keypair_not_before(const struct keypair *kp)
{
	return kp->not_before;
}

int64_t
keypair_not_after(const struct keypair *kp)
{
	return kp->not_after;
}

size_t
keypair_modulus_len(const struct keypair *kp)
{
	return kp->modulus_len;
}

/* Fingerprint: SHA-256 over the SSH wire form of the public key. */

static int
hash_string(EVP_MD_CTX *md, const void *p, size_t len)
{
	unsigned char size[4] = { (unsigned char)(len >> 24),
		(unsigned char)(len >> 16), (unsigned char)(len >> 8),
		(unsigned char)len };

	return EVP_DigestUpdate(md, size, sizeof(size)) == 1 &&
		EVP_DigestUpdate(md, p, len) == 1
	    ? 0
	    : -1;
}

/* An mpint has a zero byte in front where its top bit is set. */
static int
hash_mpint(EVP_MD_CTX *md, const EVP_PKEY *pkey, const char *param)
{
	AUTO(bignum) BIGNUM *bn = NULL;
	unsigned char bytes[KEYPAIR_BITS_MAX / 8 + 1] = { 0 };
	size_t len;

	if (EVP_PKEY_get_bn_param(pkey, param, &bn) != 1 ||
	    BN_num_bits(bn) > KEYPAIR_BITS_MAX)
		return -1;
	len = (size_t)BN_num_bytes(bn);
	BN_bn2bin(bn, bytes + 1);
	if (len > 0 && (bytes[1] & 0x80) != 0)
		return hash_string(md, bytes, len + 1);
	return hash_string(md, bytes + 1, len);
}

static int
hash_public_key(const EVP_PKEY *pkey, unsigned char out[SHA256_DIGEST_LENGTH])
{
	static const char type[] = "ssh-rsa";
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	int rc = -1;

	if (md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
	    hash_string(md, type, sizeof(type) - 1) == 0 &&
	    hash_mpint(md, pkey, OSSL_PKEY_PARAM_RSA_E) == 0 &&
	    hash_mpint(md, pkey, OSSL_PKEY_PARAM_RSA_N) == 0 &&
	    EVP_DigestFinal_ex(md, out, NULL) == 1)
		rc = 0;
	EVP_MD_CTX_free(md);
	return rc;
}

static int
set_fingerprint(struct keypair *kp, struct err *err)
{
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(KEYPAIR_FINGERPRINT_MAX);
	unsigned char md[SHA256_DIGEST_LENGTH];

	if (hash_public_key(kp->pkey, md) < 0)
		return ossl_fail(err, "fingerprint");
	if (base64_encode_raw(md, sizeof(md), &text, err) < 0)
		return err_wrap(err, "fingerprint");
	(void)snprintf(kp->fingerprint, sizeof(kp->fingerprint), "SHA256:%s",
	    buf_str(&text));
	return 0;
}

/* From a private key and its certificate to a keypair. */

static int
unix_time(const ASN1_TIME *t, int64_t *ret)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) != 1)
		return -1;
	*ret = (int64_t)timegm(&tm);
	return 0;
}

static int
set_certificate(struct keypair *kp, X509 *cert, struct err *err)
{
	AUTO_RELEASE(buf) struct buf pem = BUF_INIT(CERT_PEM_MAX);
	AUTO(bio) BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	if (unix_time(X509_get0_notBefore(cert), &kp->not_before) < 0 ||
	    unix_time(X509_get0_notAfter(cert), &kp->not_after) < 0) {
		ERR_clear_error();
		return err_set(err, ERR_INVALID,
		    "the certificate's validity dates cannot be read");
	}
	if (bio == NULL || PEM_write_bio_X509(bio, cert) != 1)
		return ossl_fail(err, "write certificate");
	len = BIO_get_mem_data(bio, &text);
	if (buf_append(&pem, text, (size_t)len, err) < 0)
		return err_wrap(err, "write certificate");
	kp->cert_pem = buf_take(&pem, NULL);
	return 0;
}

/* Steals *pkey on success. */
static int
assemble(EVP_PKEY **pkey, X509 *cert, struct keypair **ret, struct err *err)
{
	AUTO(keypair) struct keypair *kp = xcalloc(1, sizeof(*kp));

	atomic_init(&kp->refs, 1);
	if (EVP_PKEY_up_ref(*pkey) != 1)
		return ossl_fail(err, "key");
	kp->pkey = *pkey;
	kp->modulus_len = (size_t)EVP_PKEY_get_size(*pkey);
	if (set_fingerprint(kp, err) < 0 || set_certificate(kp, cert, err) < 0)
		return -1;
	EVP_PKEY_free(STEAL(*pkey));
	*ret = STEAL(kp);
	return 0;
}

/* Generation. */

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
	return assemble(&pkey, cert, ret, err);
}

int
keypair_private_pem(
    const struct keypair *kp, struct secret **ret, struct err *err)
{
	AUTO(encoderctx)
	OSSL_ENCODER_CTX *ctx = OSSL_ENCODER_CTX_new_for_pkey(
	    kp->pkey, EVP_PKEY_KEYPAIR, "PEM", "type-specific", NULL);
	unsigned char *pem = NULL;
	size_t len = 0;

	if (ctx == NULL || OSSL_ENCODER_to_data(ctx, &pem, &len) != 1)
		return ossl_fail(err, "write private key");
	*ret = secret_from(pem, len);
	OPENSSL_clear_free(pem, len);
	return 0;
}

/* PEM, block by block. */

struct pem {
	const char *p;
	size_t left;
	unsigned tries;
};

struct block {
	char *name, *header;
	unsigned char *data;
	long len;
};

static void
block_release(struct block *b)
{
	OPENSSL_secure_free(b->name);
	OPENSSL_secure_free(b->header);
	OPENSSL_secure_clear_free(b->data, b->len > 0 ? (size_t)b->len : 0);
	*b = (struct block) { 0 };
}

DEFINE_AUTO_RELEASE(block);

static const char begin[] = "-----BEGIN ";

/* Moves to the next line that begins a block. */
static bool
find_begin(struct pem *pem)
{
	const char *end = pem->p + pem->left, *p = pem->p;

	while ((p = memmem(p, (size_t)(end - p), begin, sizeof(begin) - 1)) !=
	    NULL) {
		if (p == pem->p || p[-1] == '\n') {
			pem->left = (size_t)(end - p);
			pem->p = p;
			return true;
		}
		p++;
	}
	return false;
}

static void
skip(struct pem *pem, size_t n)
{
	pem->p += n;
	pem->left -= n;
}

/*
 * The next block that is whole. A broken one is passed over as Go does it: the
 * search goes on behind its first line, so that it cannot swallow the next.
 */
static bool
next_block(struct pem *pem, struct block *b)
{
	while (pem->tries++ < PEM_BLOCKS_MAX && find_begin(pem)) {
		AUTO(bio) BIO *bio = BIO_new_mem_buf(pem->p, (int)pem->left);

		block_release(b);
		/* "Secure" also means: buffers are wiped before the free. */
		if (bio != NULL &&
		    PEM_read_bio_ex(bio, &b->name, &b->header, &b->data,
			&b->len,
			PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE) == 1) {
			skip(pem, pem->left - BIO_ctrl_pending(bio));
			return true;
		}
		ERR_clear_error();
		skip(pem, sizeof(begin) - 1);
	}
	return false;
}

static int
check_pem_size(size_t len, struct err *err)
{
	if (len == 0)
		return err_set(err, ERR_INVALID, "empty");
	if (len > KEYPAIR_PEM_MAX)
		return err_set(
		    err, ERR_TOOBIG, "larger than %u bytes", KEYPAIR_PEM_MAX);
	return 0;
}

/* The certificate. */

int
keypair_read_cert(const char *pem, size_t len, X509 **ret, struct err *err)
{
	AUTO_RELEASE(block) struct block b = { 0 };
	AUTO(x509) X509 *cert = NULL;
	struct pem in = { pem, len, 0 };
	const unsigned char *p;
	EVP_PKEY *key;

	if (check_pem_size(len, err) < 0)
		return -1;
	do {
		if (!next_block(&in, &b))
			return err_set(
			    err, ERR_INVALID, "no CERTIFICATE block in it");
	} while (strcmp(b.name, PEM_STRING_X509) != 0 || b.header[0] != '\0');
	p = b.data;
	cert = d2i_X509(NULL, &p, b.len);
	key = cert != NULL ? X509_get0_pubkey(cert) : NULL;
	ERR_clear_error();
	if (cert == NULL || p != b.data + b.len)
		return err_set(err, ERR_INVALID, "not a certificate");
	if (key == NULL || !EVP_PKEY_is_a(key, "RSA"))
		return err_set(err, ERR_INVALID, "not for an RSA key");
	*ret = STEAL(cert);
	return 0;
}

/* The private key: what its blocks are, and which one is taken. */

enum block_kind {
	BLOCK_OTHER,
	BLOCK_PKCS1,
	BLOCK_PKCS8,
	BLOCK_EC,
	BLOCK_ENCRYPTED,
};

static enum block_kind
kind_of(const struct block *b)
{
	static const struct {
		const char *name;
		enum block_kind kind;
	} kinds[] = {
		{ PEM_STRING_RSA, BLOCK_PKCS1 },
		{ PEM_STRING_PKCS8INF, BLOCK_PKCS8 },
		{ PEM_STRING_PKCS8, BLOCK_ENCRYPTED },
		{ PEM_STRING_ECPRIVATEKEY, BLOCK_EC },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(b->name, kinds[i].name) != 0)
			continue;
		if (strstr(b->header, "ENCRYPTED") != NULL)
			return BLOCK_ENCRYPTED;
		return kinds[i].kind;
	}
	return BLOCK_OTHER;
}

static EVP_PKEY *
decode(const struct block *b, enum block_kind kind)
{
	AUTO(pkey) EVP_PKEY *pkey = NULL;
	AUTO(decoderctx) OSSL_DECODER_CTX *ctx = NULL;
	const unsigned char *p = b->data;
	size_t left = (size_t)b->len;
	bool pkcs1 = kind == BLOCK_PKCS1;

	ctx = OSSL_DECODER_CTX_new_for_pkey(&pkey, "DER",
	    pkcs1 ? "type-specific" : "PrivateKeyInfo", pkcs1 ? "RSA" : NULL,
	    EVP_PKEY_KEYPAIR, NULL, NULL);
	if (ctx == NULL || OSSL_DECODER_from_data(ctx, &p, &left) != 1 ||
	    left != 0) {
		ERR_clear_error();
		return NULL;
	}
	return STEAL(pkey);
}

static int
no_key(bool seen[static BLOCK_ENCRYPTED + 1], struct err *err)
{
	if (seen[BLOCK_ENCRYPTED])
		return err_set(err, ERR_INVALID, "it is encrypted");
	if (seen[BLOCK_EC])
		return err_set(err, ERR_INVALID, "not an RSA key");
	if (seen[BLOCK_PKCS1] || seen[BLOCK_PKCS8])
		return err_set(err, ERR_INVALID, "its PEM block is damaged");
	return err_set(err, ERR_INVALID, "no PEM block of a private key in it");
}

static int
read_key(const char *pem, size_t len, EVP_PKEY **ret, struct err *err)
{
	AUTO_RELEASE(block) struct block b = { 0 };
	AUTO(pkey) EVP_PKEY *pkey = NULL;
	struct pem in = { pem, len, 0 };
	bool seen[BLOCK_ENCRYPTED + 1] = { false };
	enum block_kind kind;

	if (check_pem_size(len, err) < 0)
		return -1;
	while (pkey == NULL && next_block(&in, &b)) {
		kind = kind_of(&b);
		seen[kind] = true;
		if (kind == BLOCK_PKCS1 || kind == BLOCK_PKCS8)
			pkey = decode(&b, kind);
	}
	if (pkey == NULL)
		return no_key(seen, err);
	if (!EVP_PKEY_is_a(pkey, "RSA"))
		return err_set(err, ERR_INVALID, "not an RSA key");
	*ret = STEAL(pkey);
	return 0;
}

/* Do the numbers of a private key belong together? */

enum number { N, E, D, P, Q, DP, DQ, QI, NUMBERS };

struct numbers {
	BIGNUM *bn[NUMBERS];
};

static void
numbers_release(struct numbers *k)
{
	for (size_t i = 0; i < NUMBERS; i++)
		BN_clear_free(k->bn[i]);
}

DEFINE_AUTO_RELEASE(numbers);

static int
load_numbers(const EVP_PKEY *pkey, struct numbers *k)
{
	static const char *const params[NUMBERS] = {
		[N] = OSSL_PKEY_PARAM_RSA_N,
		[E] = OSSL_PKEY_PARAM_RSA_E,
		[D] = OSSL_PKEY_PARAM_RSA_D,
		[P] = OSSL_PKEY_PARAM_RSA_FACTOR1,
		[Q] = OSSL_PKEY_PARAM_RSA_FACTOR2,
		[DP] = OSSL_PKEY_PARAM_RSA_EXPONENT1,
		[DQ] = OSSL_PKEY_PARAM_RSA_EXPONENT2,
		[QI] = OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
	};

	for (size_t i = 0; i < NUMBERS; i++)
		if (EVP_PKEY_get_bn_param(pkey, params[i], &k->bn[i]) != 1 ||
		    BN_is_zero(k->bn[i]))
			return -1;
	/* All are below the modulus: the arithmetic below is bounded. */
	for (size_t i = E; i < NUMBERS; i++)
		if (BN_ucmp(k->bn[i], k->bn[N]) >= 0)
			return -1;
	return 0;
}

/* exp is d reduced, and exp * e is 1, both modulo prime - 1. */
static bool
exponent_fits(
    const struct numbers *k, enum number prime, enum number exp, BN_CTX *ctx)
{
	AUTO(bignum) BIGNUM *order = BN_dup(k->bn[prime]);
	AUTO(bignum) BIGNUM *r = BN_new();

	if (order == NULL || r == NULL || BN_sub_word(order, 1) != 1 ||
	    BN_is_zero(order))
		return false;
	if (BN_nnmod(r, k->bn[D], order, ctx) != 1 ||
	    BN_cmp(r, k->bn[exp]) != 0)
		return false;
	return BN_mod_mul(r, k->bn[exp], k->bn[E], order, ctx) == 1 &&
	    BN_is_one(r);
}

static bool
consistent(const EVP_PKEY *pkey)
{
	AUTO_RELEASE(numbers) struct numbers k = { 0 };
	AUTO(bnctx) BN_CTX *ctx = BN_CTX_secure_new();
	AUTO(bignum) BIGNUM *r = BN_new();

	if (ctx == NULL || r == NULL || load_numbers(pkey, &k) < 0)
		return false;
	if (!BN_is_odd(k.bn[E]) || BN_is_one(k.bn[E]) ||
	    BN_num_bits(k.bn[E]) > EXPONENT_BITS_MAX)
		return false;
	if (!BN_is_odd(k.bn[P]) || !BN_is_odd(k.bn[Q]))
		return false;
	if (BN_mul(r, k.bn[P], k.bn[Q], ctx) != 1 || BN_cmp(r, k.bn[N]) != 0)
		return false;
	if (!exponent_fits(&k, P, DP, ctx) || !exponent_fits(&k, Q, DQ, ctx))
		return false;
	/* No such coefficient exists where p is q. */
	return BN_mod_mul(r, k.bn[QI], k.bn[Q], k.bn[P], ctx) == 1 &&
	    BN_is_one(r);
}

static EVP_PKEY_CTX *
oaep_new(EVP_PKEY *pkey, int (*init)(EVP_PKEY_CTX *ctx))
{
	AUTO(pkeyctx)
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);

	if (ctx == NULL || init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) != 1)
		return NULL;
	return STEAL(ctx);
}

/* What the public numbers lock, the private ones open: primes are prime. */
static bool
works(EVP_PKEY *pkey)
{
	AUTO(pkeyctx) EVP_PKEY_CTX *enc = oaep_new(pkey, EVP_PKEY_encrypt_init);
	AUTO(pkeyctx) EVP_PKEY_CTX *dec = oaep_new(pkey, EVP_PKEY_decrypt_init);
	unsigned char in[SHA256_DIGEST_LENGTH];
	unsigned char locked[KEYPAIR_BITS_MAX / 8], out[KEYPAIR_BITS_MAX / 8];
	size_t locked_len = sizeof(locked), out_len = sizeof(out);

	return enc != NULL && dec != NULL && RAND_bytes(in, sizeof(in)) == 1 &&
	    EVP_PKEY_encrypt(enc, locked, &locked_len, in, sizeof(in)) == 1 &&
	    EVP_PKEY_decrypt(dec, out, &out_len, locked, locked_len) == 1 &&
	    out_len == sizeof(in) && CRYPTO_memcmp(in, out, out_len) == 0;
}

static int
check_key(EVP_PKEY *pkey, struct err *err)
{
	int bits = EVP_PKEY_get_bits(pkey);
	bool good;

	if (bits < KEYPAIR_BITS_MIN || bits > KEYPAIR_BITS_MAX)
		return err_set(err, ERR_INVALID,
		    "RSA key of %d bits, usable are %d to %d", bits,
		    KEYPAIR_BITS_MIN, KEYPAIR_BITS_MAX);
	good = consistent(pkey) && works(pkey);
	ERR_clear_error();
	if (!good)
		return err_set(err, ERR_INVALID,
		    "the numbers of the RSA key do not belong together");
	return 0;
}

int
keypair_parse(const char *key_pem, size_t key_len, const char *cert_pem,
    size_t cert_len, struct keypair **ret, struct err *err)
{
	AUTO(pkey) EVP_PKEY *pkey = NULL;
	AUTO(x509) X509 *cert = NULL;
	int same;

	if (read_key(key_pem, key_len, &pkey, err) < 0 ||
	    check_key(pkey, err) < 0)
		return err_wrap(err, "private key");
	if (keypair_read_cert(cert_pem, cert_len, &cert, err) < 0)
		return err_wrap(err, "certificate");
	same = EVP_PKEY_eq(X509_get0_pubkey(cert), pkey);
	ERR_clear_error();
	if (same != 1)
		return err_set(err, ERR_INVALID,
		    "the certificate does not match the private key");
	return assemble(&pkey, cert, ret, err);
}
