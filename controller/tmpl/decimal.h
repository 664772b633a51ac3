/*
 * shopspring/decimal, as far as sprig's arithmetic needs it: exact decimal
 * fractions of any length, in the arena.
 */
#ifndef TMPL_DECIMAL_H
#define TMPL_DECIMAL_H

#include "env.h"

/* +-digits * 10^exp; digits little-endian, each below 10^9; no digits: 0. */
struct decimal {
	uint32_t *digits;
	size_t n;
	int64_t exp;
	bool neg;
};

/* The shortest decimal that reads back as f, which is finite. */
int decimal_from_float(struct env *e, double f, struct decimal *ret) MUST_CHECK;
/* The nearest double. */
int decimal_to_float(
    struct env *e, const struct decimal *d, double *ret) MUST_CHECK;
int decimal_add(struct env *e, const struct decimal *a, const struct decimal *b,
    struct decimal *ret) MUST_CHECK;
int decimal_sub(struct env *e, const struct decimal *a, const struct decimal *b,
    struct decimal *ret) MUST_CHECK;
int decimal_mul(struct env *e, const struct decimal *a, const struct decimal *b,
    struct decimal *ret) MUST_CHECK;
/* Rounded to 16 places behind the point, half away from zero; b is not 0. */
int decimal_div(struct env *e, const struct decimal *a, const struct decimal *b,
    struct decimal *ret) MUST_CHECK;

#endif
