/*
 * RSA key and its certificate: what is known of them, and the private key as
 * PEM. keypair_generate.c and keypair_parse.c make them.
 */
#include "keystore/keypair.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/encoder.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include <stdatomic.h>

#include "base/buf.h"
#include "base/codec.h"
#include "base/mem.h"
#include "private.h"

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

OSSL_AUTO(encoderctx, OSSL_ENCODER_CTX, OSSL_ENCODER_CTX_free);

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

int
keypair_assemble(
    EVP_PKEY **pkey, X509 *cert, struct keypair **ret, struct err *err)
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

/* The private half. */

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
