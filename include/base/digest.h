/*
 * SHA-256 of a block of memory, and the field of HTTP that carries it.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stddef.h>

#include "base/buf.h"

#define DIGEST_SHA256_LEN 32
#define DIGEST_FIELD_MAX  54 /* what digest_put_field() appends */

void digest_sha256(
    const void *p, size_t len, unsigned char out[static DIGEST_SHA256_LEN]);
/* Appends a member of Content-Digest (RFC 9530): "sha-256=:BASE64:". Aborts
 * where it does not fit, as buf_puts() does. */
void digest_put_field(const void *p, size_t len, struct buf *out);

#endif
