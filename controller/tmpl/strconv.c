/*
 * Go's package strconv for numbers. Rounding is left to the C library, which
 * is exact in both directions.
 */
#include "strconv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Digits of the largest double before the point, sign, point, exponent. */
#define FLOAT_ROOM 340
/* Every decimal of that many digits survives the way to a double and back. */
#define DIGITS_SAFE 15
#define DIGITS_ALL  17
/* Shortest %g is plain up to this exponent. */
#define SHORTEST_PLAIN 6

static char
lower(char c)
{
	return (char)(c | 0x20);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_hex_letter(char c)
{
	return lower(c) >= 'a' && lower(c) <= 'f';
}

static bool
has_prefix(const char *s, size_t len)
{
	return len >= 2 && s[0] == '0' && strchr("box", lower(s[1])) != NULL &&
	    s[1] != '\0' && lower(s[1]) != '\0';
}

/* Underscores only between digits; a base prefix counts as a digit. */
static bool
underscores_ok(const char *s, size_t len)
{
	enum { START, DIGIT, UNDERSCORE, OTHER } before = START;
	bool hex = false;
	size_t i = 0;

	if (len > 0 && (s[0] == '-' || s[0] == '+')) {
		s++;
		len--;
	}
	if (has_prefix(s, len)) {
		hex = lower(s[1]) == 'x';
		before = DIGIT;
		i = 2;
	}
	for (; i < len; i++) {
		if (is_digit(s[i]) || (hex && is_hex_letter(s[i]))) {
			before = DIGIT;
		} else if (s[i] == '_') {
			if (before != DIGIT)
				return false;
			before = UNDERSCORE;
		} else {
			if (before == UNDERSCORE)
				return false;
			before = OTHER;
		}
	}
	return before != UNDERSCORE;
}

static unsigned
digit_value(char c)
{
	if (is_digit(c))
		return (unsigned)(c - '0');
	if (lower(c) >= 'a' && lower(c) <= 'z')
		return (unsigned)(lower(c) - 'a') + 10;
	return UINT32_MAX;
}

/* The base that a literal's prefix means, and how long that is. */
static unsigned
base_of(const char *s, size_t len, size_t *skip)
{
	*skip = 0;
	if (s[0] != '0')
		return 10;
	if (len >= 3 && has_prefix(s, len)) {
		*skip = 2;
		return lower(s[1]) == 'b' ? 2 : lower(s[1]) == 'o' ? 8 : 16;
	}
	*skip = 1;
	return 8;
}

enum strconv_result
strconv_parse_uint(const char *s, size_t len, unsigned base, uint64_t *ret)
{
	bool literal = base == 0, underscores = false;
	uint64_t n = 0;
	size_t i = 0;

	*ret = 0;
	if (len == 0)
		return STRCONV_SYNTAX;
	if (literal)
		base = base_of(s, len, &i);
	for (; i < len; i++) {
		unsigned d = digit_value(s[i]);

		if (literal && s[i] == '_') {
			underscores = true;
			continue;
		}
		if (d >= base)
			return STRCONV_SYNTAX;
		if (__builtin_mul_overflow(n, base, &n) ||
		    __builtin_add_overflow(n, d, &n)) {
			*ret = UINT64_MAX;
			return STRCONV_RANGE;
		}
	}
	if (underscores && !underscores_ok(s, len))
		return STRCONV_SYNTAX;
	*ret = n;
	return STRCONV_OK;
}

enum strconv_result
strconv_parse_int(const char *s, size_t len, unsigned base, int64_t *ret)
{
	bool negative = len > 0 && s[0] == '-';
	size_t sign = negative || (len > 0 && s[0] == '+') ? 1 : 0;
	enum strconv_result r;
	uint64_t n;

	*ret = 0;
	r = strconv_parse_uint(s + sign, len - sign, base, &n);
	if (r == STRCONV_SYNTAX)
		return r;
	if (negative && n > (uint64_t)INT64_MAX + 1) {
		*ret = INT64_MIN;
		return STRCONV_RANGE;
	}
	if (!negative && n > INT64_MAX) {
		*ret = INT64_MAX;
		return STRCONV_RANGE;
	}
	*ret = negative ? (int64_t)(0 - n) : (int64_t)n;
	return STRCONV_OK;
}

static bool
is_word(const char *s, size_t len, const char *word)
{
	return len == strlen(word) && strncasecmp(s, word, len) == 0;
}

static bool
parse_special(const char *s, size_t len, double *ret)
{
	bool negative = len > 0 && s[0] == '-';
	size_t sign = negative || (len > 0 && s[0] == '+') ? 1 : 0;

	if (is_word(s + sign, len - sign, "inf") ||
	    is_word(s + sign, len - sign, "infinity")) {
		*ret = negative ? -__builtin_inf() : __builtin_inf();
		return true;
	}
	if (is_word(s, len, "nan")) {
		*ret = __builtin_nan("");
		return true;
	}
	return false;
}

/* Digits, underscores and at most one point; returns what is behind. */
static size_t
scan_mantissa(const char *s, size_t len, bool hex, bool *digits, bool *under)
{
	bool point = false;
	size_t i;

	for (i = 0; i < len; i++) {
		if (is_digit(s[i]) || (hex && is_hex_letter(s[i])))
			*digits = true;
		else if (s[i] == '_')
			*under = true;
		else if (s[i] == '.' && !point)
			point = true;
		else
			break;
	}
	return i;
}

static bool
exponent_ok(const char *s, size_t len, bool *under)
{
	size_t i = 1;

	if (i < len && (s[i] == '+' || s[i] == '-'))
		i++;
	if (i >= len || !is_digit(s[i]))
		return false;
	for (; i < len; i++) {
		if (s[i] == '_')
			*under = true;
		else if (!is_digit(s[i]))
			return false;
	}
	return true;
}

static bool
float_syntax_ok(const char *s, size_t len)
{
	size_t i = len > 0 && (s[0] == '-' || s[0] == '+') ? 1 : 0;
	bool digits = false, under = false, hex = false;

	if (len - i >= 3 && s[i] == '0' && lower(s[i + 1]) == 'x') {
		hex = true;
		i += 2;
	}
	i += scan_mantissa(s + i, len - i, hex, &digits, &under);
	if (!digits)
		return false;
	if (i < len) {
		if (lower(s[i]) != (hex ? 'p' : 'e') ||
		    !exponent_ok(s + i, len - i, &under))
			return false;
	} else if (hex) {
		return false;
	}
	return !under || underscores_ok(s, len);
}

enum strconv_result
strconv_parse_float(const char *s, size_t len, double *ret)
{
	size_t n = 0;
	char *copy;

	*ret = 0;
	if (parse_special(s, len, ret))
		return STRCONV_OK;
	if (!float_syntax_ok(s, len))
		return STRCONV_SYNTAX;
	copy = xmalloc(len + 1);
	for (size_t i = 0; i < len; i++) {
		if (s[i] != '_')
			copy[n++] = s[i];
	}
	copy[n] = '\0';
	*ret = strtod(copy, NULL);
	mem_free_wiped(copy);
	return __builtin_isinf(*ret) ? STRCONV_RANGE : STRCONV_OK;
}

/* n digits of f (finite, positive), rounded; 0.d1d2... * 10^exp. */
static void
round_digits(double f, size_t n, char *digits, int *exp)
{
	char tmp[40];
	size_t k = 0;

	(void)snprintf(tmp, sizeof(tmp), "%.*e", (int)n - 1, f);
	for (const char *p = tmp; *p != 'e'; p++) {
		if (*p != '.')
			digits[k++] = *p;
	}
	digits[k] = '\0';
	*exp = (int)strtol(strchr(tmp, 'e') + 1, NULL, 10) + 1;
}

static bool
reads_back(const char *digits, int exp, double f)
{
	char tmp[40];
	double back;

	(void)snprintf(tmp, sizeof(tmp), "0.%se%d", digits, exp);
	back = strtod(tmp, NULL);
	return back <= f && back >= f;
}

/* The last digit by one up or down, where that needs no carry. */
static bool
nudge(char *digits, size_t n, int by)
{
	if (digits[n - 1] == (by > 0 ? '9' : '0'))
		return false;
	digits[n - 1] = (char)(digits[n - 1] + by);
	return true;
}

/* Below a power of two the doubles are closer together than above it, so that
 * the nearest decimal may miss where the next one hits. */
static bool
neighbour_reads_back(char *digits, size_t n, int exp, double f)
{
	char first[DIGITS_ALL + 1];

	memcpy(first, digits, n + 1);
	for (int by = -1; by <= 1; by += 2) {
		memcpy(digits, first, n + 1);
		if (nudge(digits, n, by) && reads_back(digits, exp, f))
			return true;
	}
	memcpy(digits, first, n + 1);
	return false;
}

size_t
strconv_shortest(double f, char digits[18], int *exp)
{
	size_t n;

	*exp = 0;
	digits[0] = '\0';
	f = __builtin_fabs(f);
	if (!(f > 0))
		return 0;
	/* Subnormal numbers have fewer digits than the others. */
	n = __builtin_isnormal(f) ? DIGITS_SAFE : 1;
	for (; n < DIGITS_ALL; n++) {
		round_digits(f, n, digits, exp);
		if (reads_back(digits, *exp, f) ||
		    neighbour_reads_back(digits, n, *exp, f))
			break;
	}
	if (n == DIGITS_ALL)
		round_digits(f, n, digits, exp);
	while (n > 1 && digits[n - 1] == '0')
		n--;
	digits[n] = '\0';
	return n;
}

static void
put_exponent(struct text *out, char e, int exp)
{
	text_printf(out, "%c%c%02d", e, exp < 0 ? '-' : '+', abs(exp));
}

static void
shortest_e(struct text *out, const char *d, size_t n, int exp, char e)
{
	if (n == 0)
		text_putc(out, '0');
	else
		text_putc(out, d[0]);
	if (n > 1) {
		text_putc(out, '.');
		text_append(out, d + 1, n - 1);
	}
	put_exponent(out, e, n == 0 ? 0 : exp - 1);
}

static void
shortest_f(struct text *out, const char *d, size_t n, int exp)
{
	size_t before = exp > 0 ? (size_t)exp : 0;

	if (before == 0)
		text_putc(out, '0');
	text_append(out, d, n < before ? n : before);
	if (before > n)
		text_fill(out, '0', before - n);
	if (n > before) {
		text_putc(out, '.');
		if (exp < 0)
			text_fill(out, '0', (size_t)-exp);
		text_append(out, d + before, n - before);
	}
}

static void
format_shortest(struct text *out, double f, char verb)
{
	char digits[DIGITS_ALL + 1];
	int exp;
	size_t n = strconv_shortest(f, digits, &exp);
	bool general = lower(verb) == 'g';

	if (lower(verb) == 'e')
		shortest_e(out, digits, n, exp, verb);
	else if (general && n > 0 &&
	    (exp - 1 < -4 || exp - 1 >= SHORTEST_PLAIN))
		shortest_e(out, digits, n, exp, verb == 'g' ? 'e' : 'E');
	else
		shortest_f(out, digits, n, exp);
}

/* The sign is printed already. */
static void
format_precise(struct text *out, double f, char verb, int prec)
{
	char fmt[] = "%.*X";
	size_t size = (size_t)prec + FLOAT_ROOM;
	char *tmp = env_alloc(out->env, size);
	int n;

	if (tmp == NULL) {
		out->failed = true;
		return;
	}
	if (env_step(out->env, (uint64_t)prec / 16) < 0) {
		out->failed = true;
		return;
	}
	fmt[3] = verb;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	n = snprintf(tmp, size, fmt, prec, f);
#pragma GCC diagnostic pop
	if (n > 0)
		text_append(out, tmp, (size_t)n);
}

static uint64_t
bits_of(double f)
{
	uint64_t bits;

	memcpy(&bits, &f, sizeof(bits));
	return bits;
}

#define MANTISSA_BITS 52
#define EXP_BIAS      1023

static void
format_b(struct text *out, double f)
{
	uint64_t bits = bits_of(f);
	uint64_t mantissa = bits & ((UINT64_C(1) << MANTISSA_BITS) - 1);
	int exp = (int)(bits >> MANTISSA_BITS & 0x7FF);

	if (exp == 0)
		exp++;
	else
		mantissa |= UINT64_C(1) << MANTISSA_BITS;
	exp -= EXP_BIAS + MANTISSA_BITS;
	text_printf(out, "%llup%+d", (unsigned long long)mantissa, exp);
}

/* Rounds a mantissa of 60 bits behind the point to prec hex digits. */
static uint64_t
round_hex(uint64_t mantissa, int prec, int *exp)
{
	unsigned shift = (unsigned)prec * 4;
	uint64_t extra = (mantissa << shift) & ((UINT64_C(1) << 60) - 1);

	mantissa >>= 60 - shift;
	if ((extra | (mantissa & 1)) > UINT64_C(1) << 59)
		mantissa++;
	mantissa <<= 60 - shift;
	if (mantissa & UINT64_C(1) << 61) {
		mantissa >>= 1;
		(*exp)++;
	}
	return mantissa;
}

static void
format_x(struct text *out, double f, char verb, int prec)
{
	const char *hex = verb == 'x' ? "0123456789abcdef" : "0123456789ABCDEF";
	uint64_t bits = bits_of(f);
	uint64_t m = bits & ((UINT64_C(1) << MANTISSA_BITS) - 1);
	int exp = (int)(bits >> MANTISSA_BITS & 0x7FF);

	if (exp == 0)
		exp++;
	else
		m |= UINT64_C(1) << MANTISSA_BITS;
	exp = m == 0 ? 0 : exp - EXP_BIAS;
	m <<= 60 - MANTISSA_BITS;
	while (m != 0 && (m & UINT64_C(1) << 60) == 0) {
		m <<= 1;
		exp--;
	}
	if (prec >= 0 && prec < 15)
		m = round_hex(m, prec, &exp);
	text_printf(out, "0%c%c", verb, (m >> 60 & 1) != 0 ? '1' : '0');
	m <<= 4;
	if (prec < 0 ? m != 0 : prec > 0)
		text_putc(out, '.');
	for (int i = 0; prec < 0 ? m != 0 : i < prec && i < 16; i++) {
		text_putc(out, hex[m >> 60]);
		m <<= 4;
	}
	if (prec > 16)
		text_fill(out, '0', (size_t)prec - 16);
	put_exponent(out, verb == 'x' ? 'p' : 'P', exp);
}

void
strconv_format_float(struct text *out, double f, char verb, int prec)
{
	if (f != f) {
		text_puts(out, "NaN");
		return;
	}
	if (__builtin_isinf(f)) {
		text_puts(out, f > 0 ? "+Inf" : "-Inf");
		return;
	}
	if (__builtin_signbit(f) != 0)
		text_putc(out, '-');
	f = __builtin_fabs(f);
	if (verb == 'b')
		format_b(out, f);
	else if (verb == 'x' || verb == 'X')
		format_x(out, f, verb, prec);
	else if (prec < 0)
		format_shortest(out, f, verb);
	else
		format_precise(out, f, verb, prec);
}
