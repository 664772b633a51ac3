/*
 * Go's package strconv for numbers.
 */
#ifndef TMPL_STRCONV_H
#define TMPL_STRCONV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

enum strconv_result { STRCONV_OK, STRCONV_SYNTAX, STRCONV_RANGE };

/* ParseInt, ParseUint with 64 bits. base 0: by prefix, underscores allowed.
 * On STRCONV_RANGE *ret is the nearest limit. */
enum strconv_result
strconv_parse_int(const char *s, size_t len, unsigned base, int64_t *ret);
enum strconv_result
strconv_parse_uint(const char *s, size_t len, unsigned base, uint64_t *ret);
/* ParseFloat with 64 bits: decimal, hex, inf, nan, underscores between
 * digits. On STRCONV_RANGE *ret is +-Inf. */
enum strconv_result strconv_parse_float(const char *s, size_t len, double *ret);
/* AppendFloat: verb b e E f g G x X, prec -1: the fewest digits that read
 * back as the same number. */
void strconv_format_float(struct text *out, double f, char verb, int prec);
/* The shortest decimal digits of |f| (finite), without trailing zeros, and
 * the decimal point's place: 0.d1d2d3... * 10^exp. Returns their number,
 * at most 17; 0.0 gives none and *exp 0. */
size_t strconv_shortest(double f, char digits[18], int *exp);

#endif
