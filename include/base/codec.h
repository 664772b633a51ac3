/*
 * Base64 with the rules of Go's encoding/base64.StdEncoding, and hex.
 */
#ifndef BASE_CODEC_H
#define BASE_CODEC_H

#include <stddef.h>

#include "base/buf.h"

/*
 * Decodes into out (appended). CR and LF are skipped, padding is mandatory,
 * non-zero trailing bits are tolerated, data after padding is an error.
 * Failure: -1, ERR_INVALID, text exactly Go's
 * "illegal base64 data at input byte N".
 */
int base64_decode(
    const char *in, size_t len, struct buf *out, struct err *err) MUST_CHECK;
/* Appends with padding; -1 only where out would pass its maximum. */
int base64_encode(
    const void *in, size_t len, struct buf *out, struct err *err) MUST_CHECK;
/* Appends without padding. */
int base64_encode_raw(
    const void *in, size_t len, struct buf *out, struct err *err) MUST_CHECK;
/* Lower case; out must hold 2 * len + 1 bytes. */
void hex_encode(const void *in, size_t len, char *out);

#endif
