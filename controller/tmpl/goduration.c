/*
 * Go's time.Duration: ParseDuration(), Round() and String().
 */
#include "goduration.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int64_t ns;
} units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "\xc2\xb5s", 1000 }, /* micro sign */
	{ "\xce\xbcs", 1000 }, /* Greek mu */
	{ "ms", 1000000 },
	{ "s", GODURATION_SECOND },
	{ "m", GODURATION_MINUTE },
	{ "h", GODURATION_HOUR },
};

static bool
is_digit_at(const char *p, size_t len, size_t i)
{
	return i < len && p[i] >= '0' && p[i] <= '9';
}

static int
invalid_duration(struct env *e)
{
	return env_fail(e, "time: invalid duration %s", WITHHELD);
}

/* The digits in front: their number; *ret is 2^63 at most, or *overflow. */
static size_t
leading_digits(const char *p, size_t len, uint64_t *ret, bool *overflow)
{
	const uint64_t limit = UINT64_C(1) << 63;
	size_t n = 0;

	*ret = 0;
	*overflow = false;
	for (; is_digit_at(p, len, n); n++) {
		if (*overflow || *ret > limit / 10 ||
		    *ret * 10 + (uint64_t)(p[n] - '0') > limit) {
			*overflow = true;
			continue;
		}
		*ret = *ret * 10 + (uint64_t)(p[n] - '0');
	}
	return n;
}

/* Digits behind the point: as many as fit, and what they are divided by. */
static size_t
leading_fraction(const char *p, size_t len, uint64_t *ret, double *scale)
{
	bool overflow = false;
	size_t n = 0;

	for (; is_digit_at(p, len, n); n++) {
		if (overflow || *ret > (uint64_t)INT64_MAX / 10 ||
		    *ret * 10 + (uint64_t)(p[n] - '0') > UINT64_C(1) << 63) {
			overflow = true;
			continue;
		}
		*ret = *ret * 10 + (uint64_t)(p[n] - '0');
		*scale *= 10;
	}
	return n;
}

static int64_t
find_unit(const char *p, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strlen(units[i].name) == len &&
		    memcmp(units[i].name, p, len) == 0)
			return units[i].ns;
	}
	return 0;
}

/* One number with its unit, added to *sum. */
static int
take_duration(struct env *e, const char **p, size_t *len, uint64_t *sum)
{
	const uint64_t limit = UINT64_C(1) << 63;
	uint64_t v, f = 0, unit;
	double scale = 1;
	bool overflow;
	size_t digits = leading_digits(*p, *len, &v, &overflow), n = digits;
	size_t start;

	if (n < *len && (*p)[n] == '.') {
		size_t more =
		    leading_fraction(*p + n + 1, *len - n - 1, &f, &scale);

		n += 1 + more;
		digits += more;
	}
	if (digits == 0 || overflow)
		return invalid_duration(e);
	for (start = n; n < *len && (*p)[n] != '.' && !is_digit_at(*p, *len, n);
	     n++)
		;
	if (n == start)
		return env_fail(
		    e, "time: missing unit in duration %s", WITHHELD);
	unit = (uint64_t)find_unit(*p + start, n - start);
	if (unit == 0)
		return env_fail(e, "time: unknown unit %s in duration %s",
		    WITHHELD, WITHHELD);
	if (v > limit / unit)
		return invalid_duration(e);
	v *= unit;
	if (f > 0)
		v += (uint64_t)((double)f * ((double)unit / scale));
	if (v > limit || *sum + v > limit)
		return invalid_duration(e);
	*sum += v;
	*p += n;
	*len -= n;
	return 0;
}

int
goduration_parse(struct env *e, const struct value *s, int64_t *ret)
{
	const char *p = s->u.s.p;
	size_t len = s->u.s.len;
	uint64_t sum = 0;
	bool negative = len > 0 && p[0] == '-';

	*ret = 0;
	if (len > 0 && (p[0] == '-' || p[0] == '+')) {
		p++;
		len--;
	}
	if (len == 1 && p[0] == '0')
		return 0;
	if (len == 0)
		return invalid_duration(e);
	while (len > 0) {
		if (env_step(e, 1) < 0 || take_duration(e, &p, &len, &sum) < 0)
			return -1;
	}
	if (!negative && sum > (uint64_t)INT64_MAX)
		return invalid_duration(e);
	*ret = (int64_t)(negative ? 0 - sum : sum);
	return 0;
}

bool
goduration_less_than_half(int64_t x, int64_t y)
{
	return (uint64_t)x + (uint64_t)x < (uint64_t)y;
}

int64_t
goduration_round(int64_t d, int64_t m)
{
	int64_t r, rounded;

	if (m <= 0)
		return d;
	r = d % m;
	if (d < 0) {
		if (goduration_less_than_half(-r, m))
			return d - r;
		return __builtin_sub_overflow(d - r, m, &rounded) ? INT64_MIN
								  : rounded;
	}
	if (goduration_less_than_half(r, m))
		return d - r;
	return __builtin_add_overflow(d - r, m, &rounded) ? INT64_MAX : rounded;
}

/* value / 10^places without trailing zeros. */
static int
print_fraction(char *out, size_t size, uint64_t value, int places)
{
	char digits[12];
	uint64_t unit = 1;
	int n;

	for (int i = 0; i < places; i++)
		unit *= 10;
	n = snprintf(digits, sizeof(digits), "%0*llu", places,
	    (unsigned long long)(value % unit));
	while (n > 0 && digits[n - 1] == '0')
		n--;
	return snprintf(out, size, "%llu%s%.*s",
	    (unsigned long long)(value / unit), n > 0 ? "." : "", n, digits);
}

void
goduration_string(int64_t d, char out[static GODURATION_MAX])
{
	uint64_t u = d < 0 ? 0 - (uint64_t)d : (uint64_t)d;
	uint64_t s = u / (uint64_t)GODURATION_SECOND;
	size_t size = GODURATION_MAX;
	const char *unit = "s";
	int n = 0, places = 9;

	if (d < 0)
		out[n++] = '-';
	if (u == 0) {
		(void)snprintf(out, size, "0s");
		return;
	}
	if (s == 0) {
		places = u < 1000 ? 0 : u < 1000000 ? 3 : 6;
		unit = u < 1000 ? "ns" : u < 1000000 ? "\xc2\xb5s" : "ms";
	}
	if (s >= 3600)
		n += snprintf(out + n, size - (size_t)n, "%lluh",
		    (unsigned long long)(s / 3600));
	if (s >= 60) {
		n += snprintf(out + n, size - (size_t)n, "%llum",
		    (unsigned long long)(s / 60 % 60));
		u %= (uint64_t)GODURATION_MINUTE;
	}
	n += print_fraction(out + n, size - (size_t)n, u, places);
	(void)snprintf(out + n, size - (size_t)n, "%s", unit);
}
