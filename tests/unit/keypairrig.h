/*
 * Key pairs and certificates from their texts and back, for the tests of
 * keystore/keypair*.c.
 */
#ifndef TESTS_UNIT_KEYPAIRRIG_H
#define TESTS_UNIT_KEYPAIRRIG_H

#include "keystore_fixture.h"

#include <openssl/pem.h>

/* Owned by the caller. */
static inline struct keypair *
keypairrig_parse(const char *key, const char *cert)
{
	struct keypair *kp = NULL;
	struct err err = ERR_INIT;

	if (keypair_parse(key, strlen(key), cert, strlen(cert), &kp, &err) < 0)
		fail_msg("%s", err.msg);
	return kp;
}

/* Owned by the caller. */
static inline char *
keypairrig_private_pem(const struct keypair *kp)
{
	struct secret *pem = NULL;
	struct err err = ERR_INIT;
	char *text;

	assert_int_equal(keypair_private_pem(kp, &pem, &err), 0);
	text = xstrndup((const char *)secret_bytes(pem), secret_len(pem));
	secret_free(pem);
	return text;
}

/* Owned by the caller. */
static inline X509 *
keypairrig_certificate(const struct keypair *kp)
{
	BIO *bio = BIO_new_mem_buf(keypair_cert_pem(kp), -1);
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	assert_non_null(cert);
	BIO_free(bio);
	return cert;
}

#endif
