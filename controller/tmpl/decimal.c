/*
 * Exact decimal fractions.
 */
#include "decimal.h"

#include <string.h>

#include "strconv.h"
#include "text.h"

#define BASE	    1000000000U
#define BASE_DIGITS 9
/* decimal.DivisionPrecision */
#define DIV_PLACES 16

static const uint32_t powers[BASE_DIGITS] = { 1, 10, 100, 1000, 10000, 100000,
	1000000, 10000000, 100000000 };

static int
digits_new(struct env *e, size_t n, struct decimal *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->digits = env_allocarray(e, n, sizeof(*ret->digits));
	if (ret->digits == NULL)
		return -1;
	ret->n = n;
	return 0;
}

static void
trim(struct decimal *d)
{
	while (d->n > 0 && d->digits[d->n - 1] == 0)
		d->n--;
	if (d->n == 0)
		d->neg = false;
}

/* In place; the room for the carry is there. */
static void
multiply_small(uint32_t *v, size_t n, uint32_t m)
{
	uint64_t carry = 0;

	for (size_t i = 0; i < n; i++) {
		carry += (uint64_t)v[i] * m;
		v[i] = (uint32_t)(carry % BASE);
		carry /= BASE;
	}
}

/* The remainder. */
static uint32_t
divide_small(uint32_t *v, size_t n, uint32_t by)
{
	uint64_t rest = 0;

	for (size_t i = n; i > 0; i--) {
		rest = rest * BASE + v[i - 1];
		v[i - 1] = (uint32_t)(rest / by);
		rest %= by;
	}
	return (uint32_t)rest;
}

int
decimal_from_float(struct env *e, double f, struct decimal *ret)
{
	char digits[18];
	uint64_t all = 0;
	size_t n;
	int exp;

	if (digits_new(e, 2, ret) < 0)
		return -1;
	n = strconv_shortest(f, digits, &exp);
	for (size_t i = 0; i < n; i++)
		all = all * 10 + (uint64_t)(digits[i] - '0');
	ret->digits[0] = (uint32_t)(all % BASE);
	ret->digits[1] = (uint32_t)(all / BASE);
	ret->exp = exp - (int64_t)n;
	ret->neg = f < 0;
	trim(ret);
	return 0;
}

int
decimal_to_float(struct env *e, const struct decimal *d, double *ret)
{
	struct value s;
	struct text t;

	*ret = 0;
	if (d->n == 0)
		return 0;
	if (env_step(e, 1 + d->n) < 0)
		return -1;
	text_init(&t, e);
	if (d->neg)
		text_putc(&t, '-');
	for (size_t i = d->n; i > 0; i--)
		text_printf(&t, "%09u", d->digits[i - 1]);
	text_printf(&t, "e%lld", (long long)d->exp);
	if (text_done(&t, &s) < 0)
		return -1;
	/* Out of range: infinite, as big.Rat says it. */
	(void)strconv_parse_float(s.u.s.p, s.u.s.len, ret);
	return 0;
}

/* d with an exponent smaller by places. */
static int
scale(
    struct env *e, const struct decimal *d, int64_t places, struct decimal *ret)
{
	size_t whole = (size_t)places / BASE_DIGITS;

	if (d->n == 0 || places == 0) {
		*ret = *d;
		ret->exp = d->exp - places;
		return 0;
	}
	if (env_step(e, 1 + d->n + whole) < 0 ||
	    digits_new(e, d->n + whole + 1, ret) < 0)
		return -1;
	memcpy(ret->digits + whole, d->digits, d->n * sizeof(*d->digits));
	multiply_small(ret->digits + whole, d->n + 1,
	    powers[(size_t)places % BASE_DIGITS]);
	ret->exp = d->exp - places;
	ret->neg = d->neg;
	trim(ret);
	return 0;
}

static int
compare(const struct decimal *a, const struct decimal *b)
{
	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	for (size_t i = a->n; i > 0; i--) {
		if (a->digits[i - 1] != b->digits[i - 1])
			return a->digits[i - 1] < b->digits[i - 1] ? -1 : 1;
	}
	return 0;
}

static uint32_t
digit(const struct decimal *d, size_t i)
{
	return i < d->n ? d->digits[i] : 0;
}

/* |a| + |b|, or |a| - |b| where a is the larger; exponents are equal. */
static int
combine(struct env *e, const struct decimal *a, const struct decimal *b,
    bool minus, struct decimal *ret)
{
	size_t n = (a->n > b->n ? a->n : b->n) + 1;
	int64_t carry = 0;

	if (env_step(e, 1 + n) < 0 || digits_new(e, n, ret) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		carry += digit(a, i);
		carry += minus ? -(int64_t)digit(b, i) : (int64_t)digit(b, i);
		ret->digits[i] = (uint32_t)((carry + BASE) % BASE);
		carry = carry < 0 ? -1 : carry / BASE;
	}
	ret->exp = a->exp;
	return 0;
}

int
decimal_add(struct env *e, const struct decimal *a, const struct decimal *b,
    struct decimal *ret)
{
	int64_t exp = a->exp < b->exp ? a->exp : b->exp;
	struct decimal x, y, *large = &x, *small = &y;
	bool neg;

	if (scale(e, a, a->exp - exp, &x) < 0 ||
	    scale(e, b, b->exp - exp, &y) < 0)
		return -1;
	if (compare(&x, &y) < 0) {
		large = &y;
		small = &x;
	}
	neg = large->neg;
	if (combine(e, large, small, x.neg != y.neg, ret) < 0)
		return -1;
	ret->neg = neg;
	trim(ret);
	return 0;
}

int
decimal_sub(struct env *e, const struct decimal *a, const struct decimal *b,
    struct decimal *ret)
{
	struct decimal minus = *b;

	minus.neg = !b->neg;
	trim(&minus);
	return decimal_add(e, a, &minus, ret);
}

int
decimal_mul(struct env *e, const struct decimal *a, const struct decimal *b,
    struct decimal *ret)
{
	if (env_step(e, 1 + a->n * b->n) < 0 ||
	    digits_new(e, a->n + b->n, ret) < 0)
		return -1;
	for (size_t i = 0; i < a->n; i++) {
		uint64_t carry = 0;

		for (size_t j = 0; j < b->n || carry > 0; j++) {
			carry += ret->digits[i + j] +
			    (uint64_t)a->digits[i] * digit(b, j);
			ret->digits[i + j] = (uint32_t)(carry % BASE);
			carry /= BASE;
		}
	}
	ret->exp = a->exp + b->exp;
	ret->neg = a->neg != b->neg;
	trim(ret);
	return 0;
}

/* One digit of the quotient (Knuth, algorithm D): the guess from the leading
 * digits is at most 2 too large before the correction, 1 behind it. */
static uint32_t
quotient_digit(uint32_t *u, const uint32_t *v, size_t n)
{
	uint64_t num = (uint64_t)u[n] * BASE + u[n - 1];
	uint64_t q = num / v[n - 1], rest = num % v[n - 1];
	uint64_t carry = 0;
	int64_t t, borrow = 0;

	while (q >= BASE || (n > 1 && q * v[n - 2] > rest * BASE + u[n - 2])) {
		q--;
		rest += v[n - 1];
		if (rest >= BASE)
			break;
	}
	for (size_t i = 0; i <= n; i++) {
		carry += i < n ? q * v[i] : 0;
		t = (int64_t)u[i] - borrow - (int64_t)(carry % BASE);
		borrow = t < 0;
		u[i] = (uint32_t)(t + (borrow != 0 ? BASE : 0));
		carry /= BASE;
	}
	if (borrow == 0)
		return (uint32_t)q;
	carry = 0;
	for (size_t i = 0; i <= n; i++) {
		carry += (uint64_t)u[i] + (i < n ? v[i] : 0);
		u[i] = (uint32_t)(carry % BASE);
		carry /= BASE;
	}
	return (uint32_t)(q - 1);
}

/* |a| / |b| as whole numbers; b is not 0. */
static int
divide(struct env *e, const struct decimal *a, const struct decimal *b,
    struct decimal *quotient, struct decimal *rest)
{
	uint32_t factor = BASE / (b->digits[b->n - 1] + 1);
	struct decimal v;

	if (env_step(e, 1 + (a->n + 1) * b->n) < 0 ||
	    digits_new(e, a->n + 1, rest) < 0 || digits_new(e, b->n, &v) < 0 ||
	    digits_new(e, a->n + 1, quotient) < 0)
		return -1;
	memcpy(rest->digits, a->digits, a->n * sizeof(*a->digits));
	memcpy(v.digits, b->digits, b->n * sizeof(*b->digits));
	multiply_small(rest->digits, rest->n, factor);
	multiply_small(v.digits, v.n, factor);
	for (size_t i = a->n + 1 - b->n; a->n >= b->n && i > 0; i--)
		quotient->digits[i - 1] =
		    quotient_digit(rest->digits + i - 1, v.digits, v.n);
	(void)divide_small(rest->digits, rest->n, factor);
	trim(quotient);
	trim(rest);
	return 0;
}

/* 2 * rest >= divisor */
static int
at_least_half(struct env *e, const struct decimal *rest,
    const struct decimal *divisor, bool *ret)
{
	struct decimal twice;

	if (combine(e, rest, rest, false, &twice) < 0)
		return -1;
	trim(&twice);
	*ret = compare(&twice, divisor) >= 0;
	return 0;
}

int
decimal_div(struct env *e, const struct decimal *a, const struct decimal *b,
    struct decimal *ret)
{
	int64_t shift = a->exp - b->exp + DIV_PLACES;
	uint32_t one_digit = 1;
	struct decimal x, y, q, rest;
	struct decimal one = { &one_digit, 1, -DIV_PLACES, a->neg != b->neg };
	bool up;

	if (scale(e, a, shift > 0 ? shift : 0, &x) < 0 ||
	    scale(e, b, shift < 0 ? -shift : 0, &y) < 0 ||
	    divide(e, &x, &y, &q, &rest) < 0 ||
	    at_least_half(e, &rest, &y, &up) < 0)
		return -1;
	q.exp = -DIV_PLACES;
	q.neg = q.n > 0 && a->neg != b->neg;
	if (up)
		return decimal_add(e, &q, &one, ret);
	*ret = q;
	return 0;
}
