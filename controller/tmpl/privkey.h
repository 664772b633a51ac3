/*
 * Private keys of templates: made, read from PEM and written as sprig does.
 */
#ifndef TMPL_PRIVKEY_H
#define TMPL_PRIVKEY_H

#include <openssl/bio.h>
#include <openssl/evp.h>

#include "value.h"

/* What key generation takes of the budget's costly credits. */
#define PRIVKEY_CREDITS_RSA4096 12
#define PRIVKEY_CREDITS_RSA2048 6
#define PRIVKEY_CREDITS_DSA	20
#define PRIVKEY_CREDITS_SMALL	1

/* Owned by the caller: EVP_PKEY_free(). NULL: the error is pending. */
EVP_PKEY *privkey_rsa(struct env *e, unsigned bits) MUST_CHECK;
EVP_PKEY *privkey_ecdsa(struct env *e) MUST_CHECK;
EVP_PKEY *privkey_ed25519(struct env *e) MUST_CHECK;
EVP_PKEY *privkey_dsa(struct env *e) MUST_CHECK;
/* Errors begin with prefix. */
EVP_PKEY *privkey_parse(
    struct env *e, const struct value *pem, const char *prefix) MUST_CHECK;
/* PKCS#1, SEC 1, or PKCS#8, as the kind of key wants. */
int privkey_pem(struct env *e, EVP_PKEY *key, struct value *ret) MUST_CHECK;

/* The first PEM block of text: -1 where there is none (no error is set).
 * Freed with privkey_block_release(). */
struct privkey_block {
	char *name;
	unsigned char *der;
	long len;
};
int
privkey_block(const struct value *text, struct privkey_block *ret) MUST_CHECK;
void privkey_block_release(struct privkey_block *b);

/* What a BIO in memory holds. */
int privkey_bio_text(struct env *e, BIO *bio, struct value *ret) MUST_CHECK;

#endif
