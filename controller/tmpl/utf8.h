/*
 * UTF-8 as Go's package unicode/utf8: an invalid byte is U+FFFD of width 1.
 */
#ifndef TMPL_UTF8_H
#define TMPL_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_ERROR    0xFFFDU
#define UTF8_MAX_RUNE 0x10FFFFU

/* DecodeRune, DecodeLastRune: the width, 0 for empty input (*r UTF8_ERROR). */
size_t utf8_decode(const char *p, size_t len, uint32_t *r);
size_t utf8_decode_last(const char *p, size_t len, uint32_t *r);
/* EncodeRune: 1 to 4 bytes; not a scalar value: U+FFFD. */
size_t utf8_encode(uint32_t r, char out[4]);
size_t utf8_count(const char *p, size_t len);
bool utf8_valid(const char *p, size_t len);

#endif
