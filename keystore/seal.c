/*
 * The sealed format: framing, RSA-OAEP of the session key, AES-GCM of the
 * value. Sealing is public; opening serves opener.c alone.
 */
#include "keystore/seal.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include <stdint.h>

#include "base/mem.h"
#include "base/secret.h"
#include "private.h"

#define LENGTH_LEN  2
#define SESSION_LEN 32
#define NONCE_LEN   12
/* "namespace/name" of an API object, with room to spare. */
#define LABEL_MAX 1024
/*
 * Go reads the key part as a number, so a sealer may leave out leading zero
 * bytes; one byte in 256 blobs, eight in 2^64. More than that are nobody's
 * ciphertext, and would only let short items cost RSA operations.
 */
#define KEY_PART_SLACK 8

/* A session key is used for one value only, which is why this is safe. */
static const unsigned char nonce[NONCE_LEN];

typedef int (*init_fn)(EVP_PKEY_CTX *ctx, const OSSL_PARAM params[]);

/*
 * An empty label is left out, which means the same: OpenSSL 3.0.7 refused one
 * of length zero.
 */
static EVP_PKEY_CTX *
oaep_new(EVP_PKEY *pkey, init_fn init, const void *label, size_t len)
{
	AUTO(pkeyctx)
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	char pad[] = OSSL_PKEY_RSA_PAD_MODE_OAEP;
	char md[] = "SHA256";
	unsigned char copy[LABEL_MAX];
	OSSL_PARAM params[5], *p = params;

	if (ctx == NULL || len > sizeof(copy))
		return NULL;
	*p++ = OSSL_PARAM_construct_utf8_string(
	    OSSL_ASYM_CIPHER_PARAM_PAD_MODE, pad, 0);
	*p++ = OSSL_PARAM_construct_utf8_string(
	    OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, md, 0);
	*p++ = OSSL_PARAM_construct_utf8_string(
	    OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, md, 0);
	if (len > 0) {
		memcpy(copy, label, len);
		*p++ = OSSL_PARAM_construct_octet_string(
		    OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, copy, len);
	}
	*p = OSSL_PARAM_construct_end();
	return init(ctx, params) == 1 ? STEAL(ctx) : NULL;
}

static const EVP_CIPHER *
gcm_for(size_t key_len)
{
	switch (key_len) {
	case 16:
		return EVP_aes_128_gcm();
	case 24:
		return EVP_aes_192_gcm();
	case 32:
		return EVP_aes_256_gcm();
	default:
		return NULL;
	}
}

/* Sealing. */

static int
gcm_seal(
    const unsigned char *key, const void *plain, size_t len, unsigned char *out)
{
	AUTO(cipherctx) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;

	if (ctx == NULL ||
	    EVP_EncryptInit_ex2(ctx, gcm_for(SESSION_LEN), key, nonce, NULL) !=
		1)
		return -1;
	if (len > 0 && EVP_EncryptUpdate(ctx, out, &n, plain, (int)len) != 1)
		return -1;
	if (EVP_EncryptFinal_ex(ctx, out + len, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(
		ctx, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_LEN, out + len) != 1)
		return -1;
	return 0;
}

/* Fills out: length, key part of n bytes, body, tag. */
static int
seal_into(EVP_PKEY_CTX *ctx, size_t n, const void *plain, size_t plain_len,
    unsigned char *out)
{
	AUTO(secret) struct secret *session = secret_new(SESSION_LEN);
	size_t got = n;

	out[0] = (unsigned char)(n >> 8);
	out[1] = (unsigned char)n;
	if (RAND_priv_bytes(secret_data(session), SESSION_LEN) != 1 ||
	    EVP_PKEY_encrypt(ctx, out + LENGTH_LEN, &got, secret_bytes(session),
		SESSION_LEN) != 1 ||
	    got != n)
		return -1;
	return gcm_seal(
	    secret_bytes(session), plain, plain_len, out + LENGTH_LEN + n);
}

static int
seal_to(EVP_PKEY *pkey, const struct seal_input *in, struct buf *out,
    struct err *err)
{
	AUTO(pkeyctx) EVP_PKEY_CTX *ctx = NULL;
	AUTO_STR char *blob = NULL;
	size_t n = (size_t)EVP_PKEY_get_size(pkey);
	size_t len;

	if (in->label_len > LABEL_MAX)
		return err_set(err, ERR_TOOBIG, "label is longer than %d bytes",
		    LABEL_MAX);
	if (n > UINT16_MAX || in->len > SEAL_BLOB_MAX ||
	    (len = LENGTH_LEN + n + in->len + SEAL_TAG_LEN) > SEAL_BLOB_MAX)
		return err_set(err, ERR_TOOBIG,
		    "value is larger than a sealed item may be (%u bytes)",
		    SEAL_BLOB_MAX);
	ctx =
	    oaep_new(pkey, EVP_PKEY_encrypt_init_ex, in->label, in->label_len);
	if (ctx == NULL)
		return ossl_fail(err, "seal");
	blob = xmalloc(len);
	if (seal_into(ctx, n, in->data, in->len, (unsigned char *)blob) < 0)
		return ossl_fail(err, "seal");
	return buf_append(out, blob, len, err);
}

int
seal_encrypt(const struct keypair *kp, const void *label, size_t label_len,
    const void *plain, size_t plain_len, struct buf *out, struct err *err)
{
	const struct seal_input in = { label, label_len, plain, plain_len };

	return seal_to(keypair_pkey(kp), &in, out, err);
}

int
seal_encrypt_cert(const char *cert_pem, const void *label, size_t label_len,
    const void *plain, size_t plain_len, struct buf *out, struct err *err)
{
	const struct seal_input in = { label, label_len, plain, plain_len };
	AUTO(x509) X509 *cert = NULL;

	if (keypair_read_cert(cert_pem, strlen(cert_pem), &cert, err) < 0)
		return err_wrap(err, "certificate");
	return seal_to(X509_get0_pubkey(cert), &in, out, err);
}

/* Opening. */

size_t
seal_key_part(const struct seal_input *in)
{
	size_t n;

	if (in->len < LENGTH_LEN)
		return 0;
	n = (size_t)in->data[0] << 8 | in->data[1];
	return in->len >= LENGTH_LEN + n + SEAL_TAG_LEN ? n : 0;
}

bool
seal_fits(const struct keypair *kp, size_t key_part)
{
	size_t n = keypair_modulus_len(kp);

	return key_part <= n && n - key_part <= KEY_PART_SLACK;
}

/*
 * The session key, or a failure, of which nobody learns the reason. The part
 * was checked to fit; left-padding it makes it exactly as long as the modulus.
 */
static struct secret *
open_session(const struct keypair *kp, const struct seal_input *in, size_t part)
{
	AUTO(pkeyctx) EVP_PKEY_CTX *ctx = NULL;
	AUTO(secret) struct secret *session = NULL;
	unsigned char locked[KEYPAIR_BITS_MAX / 8] = { 0 };
	size_t n = keypair_modulus_len(kp), len = n;

	ctx = oaep_new(keypair_pkey(kp), EVP_PKEY_decrypt_init_ex, in->label,
	    in->label_len);
	if (ctx == NULL || n > sizeof(locked))
		return NULL;
	memcpy(locked + (n - part), in->data + LENGTH_LEN, part);
	session = secret_new(n);
	if (EVP_PKEY_decrypt(ctx, secret_data(session), &len, locked, n) != 1)
		return NULL;
	secret_truncate(session, len);
	return STEAL(session);
}

/* NULL where the tag is wrong: no byte of an unchecked text gets out. */
static struct secret *
gcm_open(const unsigned char *key, size_t key_len, const unsigned char *in,
    size_t len)
{
	AUTO(cipherctx) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	AUTO(secret) struct secret *plain = secret_new(len);
	unsigned char tag[SEAL_TAG_LEN], none[1];
	int n;

	memcpy(tag, in + len, sizeof(tag));
	if (ctx == NULL ||
	    EVP_DecryptInit_ex2(ctx, gcm_for(key_len), key, nonce, NULL) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, sizeof(tag), tag) !=
		1)
		return NULL;
	if (len > 0 &&
	    EVP_DecryptUpdate(ctx, secret_data(plain), &n, in, (int)len) != 1)
		return NULL;
	return EVP_DecryptFinal_ex(ctx, none, &n) == 1 ? STEAL(plain) : NULL;
}

int
seal_open(
    const struct keypair *kp, const struct seal_input *in, struct secret **ret)
{
	static const unsigned char dummy[SESSION_LEN];
	AUTO(secret) struct secret *session = NULL;
	AUTO(secret) struct secret *plain = NULL;
	size_t part = seal_key_part(in);
	const unsigned char *key = dummy;
	size_t key_len = sizeof(dummy);
	bool opened;

	session = open_session(kp, in, part);
	opened = session != NULL && gcm_for(secret_len(session)) != NULL;
	if (opened) {
		key = secret_bytes(session);
		key_len = secret_len(session);
	}
	/* A failed key part takes as long as a wrong tag: see README.md. */
	plain = gcm_open(key, key_len, in->data + LENGTH_LEN + part,
	    in->len - LENGTH_LEN - part - SEAL_TAG_LEN);
	ERR_clear_error();
	if (!opened || plain == NULL)
		return -1;
	*ret = STEAL(plain);
	return 0;
}
