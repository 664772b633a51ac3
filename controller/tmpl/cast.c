/*
 * spf13/cast: numbers out of anything.
 */
#include "cast.h"

#include "str.h"
#include "strconv.h"

/* 2^63 */
#define INT64_LIMIT 0x1p63

int64_t
cast_truncate(double f)
{
	if (f >= -INT64_LIMIT && f < INT64_LIMIT)
		return (int64_t)f;
	return INT64_MIN;
}

/* "3.00" -> "3": a point with zeros only behind it goes. */
static struct str
without_zero_decimals(struct str s)
{
	bool zero = false;

	for (size_t i = s.len; i > 0; i--) {
		if (s.p[i - 1] == '.' && zero)
			return str_slice(s, 0, i - 1);
		if (s.p[i - 1] != '.' && s.p[i - 1] != '0')
			break;
		zero = s.p[i - 1] == '0';
	}
	return s;
}

static int64_t
int64_of_string(const struct value *v)
{
	struct str s = without_zero_decimals(str_of(v));
	int64_t i;

	if (strconv_parse_int(s.p, s.len, 0, &i) != STRCONV_OK)
		return 0;
	return i;
}

int64_t
cast_int64(const struct value *v)
{
	/* time.Month and time.Weekday count as int, time.Duration does not
	 * count as int64. */
	if (value_kind(v) == KIND_INT || v->type == &type_int32 ||
	    v->type == &type_int64)
		return v->u.i;
	if (v->type == &type_uint8 || v->type == &type_uint32 ||
	    v->type == &type_uint64)
		return (int64_t)v->u.u;
	if (v->type == &type_float64)
		return cast_truncate(v->u.f);
	if (v->type == &type_bool)
		return v->u.b;
	if (v->type == &type_string)
		return int64_of_string(v);
	return 0;
}

double
cast_float64(const struct value *v)
{
	double f;

	if (v->type == &type_string) {
		if (strconv_parse_float(v->u.s.p, v->u.s.len, &f) != STRCONV_OK)
			return 0;
		return f;
	}
	if (v->type == &type_float64)
		return v->u.f;
	if (v->type == &type_uint8 || v->type == &type_uint32 ||
	    v->type == &type_uint64)
		return (double)v->u.u;
	return (double)cast_int64(v);
}
