/*
 * The sealed format, bytes in and bytes out:
 *
 *	u16 big-endian N || N bytes RSA-OAEP(SHA-256, label) of a session key
 *	|| AES-GCM(session key, 12 zero bytes nonce) with a 16-byte tag
 *
 * Sealing uses a fresh 32-byte session key; opening accepts 16, 24 and 32.
 * Base64 is the caller's. Opening is in registry.h: only the registry uses
 * private keys.
 */
#ifndef KEYSTORE_SEAL_H
#define KEYSTORE_SEAL_H

#include <stddef.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "keystore/keypair.h"

#define SEAL_TAG_LEN 16
/* One item: a Secret holds 1 MiB, plus framing. */
#define SEAL_BLOB_MAX (2u * 1024 * 1024)

/* Seals under kp's certificate; appended to out. */
int seal_encrypt(const struct keypair *kp, const void *label, size_t label_len,
    const void *plain, size_t plain_len, struct buf *out,
    struct err *err) MUST_CHECK;
/* The same from a certificate PEM alone (tools and tests). */
int seal_encrypt_cert(const char *cert_pem, const void *label, size_t label_len,
    const void *plain, size_t plain_len, struct buf *out,
    struct err *err) MUST_CHECK;

#endif
