/*
 * The data of a Secret that holds a sealing key, as tests make it.
 */
#ifndef TESTS_KEYSECRET_H
#define TESTS_KEYSECRET_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/codec.h"
#include "base/jsonx.h"
#include "keystore/keypair.h"

#define KEYSECRET_ITEM_MAX (4u * 1024 * 1024)

/* An item of the data. */
static inline void
keysecret_set(json_t *data, const char *name, const void *p, size_t len)
{
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(KEYSECRET_ITEM_MAX);
	struct err err = ERR_INIT;

	assert_int_equal(base64_encode(p, len, &text, &err), 0);
	jsonx_set_str(data, name, buf_str(&text));
}

/* The private key of one pair and the certificate of one; owned by the
 * caller. */
static inline json_t *
keysecret_data(const struct keypair *key, const struct keypair *crt)
{
	AUTO(secret) struct secret *pem = NULL;
	const char *cert = keypair_cert_pem(crt);
	json_t *data = json_object();
	struct err err = ERR_INIT;

	assert_int_equal(keypair_private_pem(key, &pem, &err), 0);
	keysecret_set(data, "tls.key", secret_bytes(pem), secret_len(pem));
	keysecret_set(data, "tls.crt", cert, strlen(cert));
	return data;
}

#endif
