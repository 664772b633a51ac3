/*
 * Inside keystore/ only: the private half of a keypair, the opening half of
 * the sealed format, and scope-based cleanup for OpenSSL's types.
 */
#ifndef KEYSTORE_PRIVATE_H
#define KEYSTORE_PRIVATE_H

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/secret.h"
#include "keystore/keypair.h"

/* AUTO(pkey) EVP_PKEY *p = ...; and so on. A type takes no parentheses. */
/* NOLINTBEGIN(bugprone-macro-parentheses) */
#define OSSL_AUTO(word, type, release)              \
	static inline void word##_cleanup(type **p) \
	{                                           \
		release(*p);                        \
	}                                           \
	struct word
/* NOLINTEND(bugprone-macro-parentheses) */
OSSL_AUTO(bignum, BIGNUM, BN_clear_free);
OSSL_AUTO(bio, BIO, BIO_free);
OSSL_AUTO(cipherctx, EVP_CIPHER_CTX, EVP_CIPHER_CTX_free);
OSSL_AUTO(pkey, EVP_PKEY, EVP_PKEY_free);
OSSL_AUTO(pkeyctx, EVP_PKEY_CTX, EVP_PKEY_CTX_free);
OSSL_AUTO(x509, X509, X509_free);

/*
 * Longest text that is read as PEM, and the moduli that are used: the bounds
 * that keep a hostile key Secret cheap.
 */
#define KEYPAIR_PEM_MAX	 (64u * 1024)
#define KEYPAIR_BITS_MIN 2048
#define KEYPAIR_BITS_MAX 8192

/* The private key. Borrowed; opener.c is the only one to decrypt with it. */
EVP_PKEY *keypair_pkey(const struct keypair *kp);
/* From a private key and its certificate. Steals *pkey on success. */
int keypair_assemble(EVP_PKEY **pkey, X509 *cert, struct keypair **ret,
    struct err *err) MUST_CHECK;
/* The first CERTIFICATE block, which must hold an RSA key. */
int keypair_read_cert(
    const char *pem, size_t len, X509 **ret, struct err *err) MUST_CHECK;

struct seal_input {
	const void *label;
	size_t label_len;
	const unsigned char *data; /* sealing: the value; opening: the blob */
	size_t len;
};

/*
 * Length of the key part where the framing is whole: key part, and room for a
 * tag behind it. 0 otherwise. Looks at nothing that a private key has touched.
 */
size_t seal_key_part(const struct seal_input *in);
/* True where a key part of this length may belong to this key. */
bool seal_fits(const struct keypair *kp, size_t key_part);
/*
 * Opens with one key that fits. There is no reason for a failure on purpose:
 * all of them cost the same RSA operation and the same pass of GCM.
 */
int seal_open(const struct keypair *kp, const struct seal_input *in,
    struct secret **ret) MUST_CHECK;

/*
 * A failure inside OpenSSL: its reason is one of its own constant strings,
 * never data. Empties the thread's error queue; -1.
 */
static inline int
ossl_fail(struct err *err, const char *what)
{
	const char *why = ERR_reason_error_string(ERR_peek_last_error());

	err_set(err, ERR_IO, "%s: %s", what, why != NULL ? why : "failed");
	ERR_clear_error();
	return -1;
}

#endif
