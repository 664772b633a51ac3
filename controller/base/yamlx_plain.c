/*
 * Plain scalars as sigs.k8s.io/yaml (goyaml.v2) reads them, which kubectl and
 * the reference controller use: y, yes, on, n, no and off are booleans too.
 */
#include "yamlx_plain.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Up to here a double holds every whole number. */
#define WHOLE_MAX 9007199254740992.0

static bool
is_one_of(const char *s, const char *const words[])
{
	for (; *words != NULL; words++)
		if (strcmp(s, *words) == 0)
			return true;
	return false;
}

/* A word of the core rules, NULL: none. */
static json_t *
resolve_word(const char *s)
{
	static const char *const yes[] = { "y", "Y", "yes", "Yes", "YES",
		"true", "True", "TRUE", "on", "On", "ON", NULL };
	static const char *const no[] = { "n", "N", "no", "No", "NO", "false",
		"False", "FALSE", "off", "Off", "OFF", NULL };
	static const char *const none[] = { "", "~", "null", "Null", "NULL",
		NULL };

	if (is_one_of(s, yes))
		return json_true();
	if (is_one_of(s, no))
		return json_false();
	if (is_one_of(s, none))
		return json_null();
	return NULL;
}

bool
yamlx_plain_is_not_finite(const char *s)
{
	static const char *const words[] = { ".nan", ".NaN", ".NAN", ".inf",
		".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf",
		"-.INF", NULL };

	return is_one_of(s, words);
}

/* Digits of the base Go's ParseInt(s, 0, 64) sees in front of them. */
static int
split_base(const char **s)
{
	const char *p = *s;
	int base = 10;

	if (p[0] != '0' || p[1] == '\0')
		return 10;
	switch (p[1]) {
	case 'x':
	case 'X':
		base = 16;
		break;
	case 'b':
	case 'B':
		base = 2;
		break;
	case 'o':
	case 'O':
		base = 8;
		break;
	default:
		*s = p + 1;
		return 8;
	}
	*s = p + 2;
	return base;
}

static json_t *
resolve_int(const char *s)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	bool neg = *s == '-';
	unsigned long long v;
	size_t allowed;
	int base;
	char *end;

	if (*s == '-' || *s == '+')
		s++;
	base = split_base(&s);
	allowed = base == 16 ? strlen(digits) : (size_t)base;
	if (*s == '\0')
		return NULL;
	for (const char *p = s; *p != '\0'; p++) {
		const char *d = strchr(digits, *p);

		if (d == NULL || (size_t)(d - digits) >= allowed)
			return NULL;
	}
	errno = 0;
	v = strtoull(s, &end, base);
	if (errno != 0 || *end != '\0')
		return NULL;
	if (neg && v == 1ULL + LLONG_MAX)
		return json_integer(LLONG_MIN);
	if (v > LLONG_MAX)
		return neg ? NULL : json_real((double)v);
	return json_integer(neg ? -(json_int_t)v : (json_int_t)v);
}

size_t
yamlx_plain_digits(const char *s)
{
	return strspn(s, "0123456789");
}

/* [-+]? ( . digits | digits ( . digits? )? ) ( [eE] [-+]? digits )? */
static bool
is_float(const char *s)
{
	size_t before, after = 0;

	if (*s == '-' || *s == '+')
		s++;
	before = yamlx_plain_digits(s);
	s += before;
	if (*s == '.') {
		after = yamlx_plain_digits(++s);
		s += after;
	}
	if (before == 0 && after == 0)
		return false;
	if (*s != 'e' && *s != 'E')
		return *s == '\0';
	s++;
	if (*s == '-' || *s == '+')
		s++;
	return *s != '\0' && s[yamlx_plain_digits(s)] == '\0';
}

/* A whole number loses its point, as in the JSON the reference makes. */
static json_t *
from_double(double d)
{
	if (fabs(d) < WHOLE_MAX && d == (double)(json_int_t)d)
		return json_integer((json_int_t)d);
	return json_real(d);
}

/* A number, NULL: none. strtod() is safe here: the program never leaves the C
 * locale. */
static json_t *
resolve_number(const char *s)
{
	char plain[YAMLX_NUMBER_MAX];
	size_t n = 0;
	json_t *v;
	double d;

	if (strchr("+-.0123456789", *s) == NULL || strlen(s) >= sizeof(plain))
		return NULL;
	for (; *s != '\0'; s++)
		if (*s != '_')
			plain[n++] = *s;
	plain[n] = '\0';
	v = resolve_int(plain);
	if (v != NULL || !is_float(plain))
		return v;
	d = strtod(plain, NULL);
	return isfinite(d) ? from_double(d) : NULL;
}

json_t *
yamlx_plain_value(const char *s)
{
	json_t *v = resolve_word(s);

	return v != NULL ? v : resolve_number(s);
}
