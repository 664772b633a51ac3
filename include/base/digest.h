/*
 * SHA-256 of a block of memory.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stddef.h>

#define DIGEST_SHA256_LEN 32

void digest_sha256(
    const void *p, size_t len, unsigned char out[static DIGEST_SHA256_LEN]);

#endif
