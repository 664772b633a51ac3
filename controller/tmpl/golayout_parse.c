/*
 * Times read by Go's layouts.
 */
#include "golayout.h"

#include <string.h>
#include <strings.h>

#include "layout.h"
#include "strconv.h"

/* A time in the making, and the text that is still to be read. */
struct parser {
	struct env *env;
	const char *p;
	size_t len;
	const char *out_of_range; /* "hour" */
	int64_t year;
	int month, day, yday; /* -1: not seen */
	int hour, min, sec, nsec;
	bool am, pm;
	bool is_utc;
	bool has_offset;
	int offset;
	const char *zone_name;
	size_t zone_name_len;
};

static void
advance(struct parser *x, size_t n)
{
	x->p += n;
	x->len -= n;
}

/* Up to max digits; fixed: exactly so many. */
static int
take_digits(struct parser *x, size_t max, bool fixed, int *ret)
{
	size_t n = 0;
	int v = 0;

	while (n < max && is_digit_at(x->p, x->len, n))
		v = v * 10 + (x->p[n++] - '0');
	if (n == 0 || (fixed && n != max))
		return -1;
	advance(x, n);
	*ret = v;
	return 0;
}

static int
take_ranged(struct parser *x, bool fixed, int limit, const char *what, int *ret)
{
	if (take_digits(x, 2, fixed, ret) < 0)
		return -1;
	if (*ret >= limit)
		x->out_of_range = what;
	return 0;
}

static bool
same_letters(const char *a, const char *b, size_t n)
{
	return strncasecmp(a, b, n) == 0;
}

/* One of n names, the first width bytes of each (0: all). */
static int
take_name(struct parser *x, const char *const *names, int n, size_t width)
{
	for (int i = 0; i < n; i++) {
		size_t len = width > 0 ? width : strlen(names[i]);

		if (x->len >= len && same_letters(x->p, names[i], len)) {
			advance(x, len);
			return i;
		}
	}
	return -1;
}

/* The fraction in the next n bytes, its point included. */
static int
take_fraction(struct parser *x, size_t n)
{
	int v = 0;

	if (x->p[0] != '.' && x->p[0] != ',')
		return -1;
	for (size_t i = 1; i <= NANO_DIGITS; i++) {
		if (i < n && !is_digit_at(x->p, x->len, i))
			return -1;
		v = v * 10 + (i < n ? x->p[i] - '0' : 0);
	}
	x->nsec = v;
	advance(x, n);
	return 0;
}

static size_t
count_digits(const struct parser *x, size_t from)
{
	size_t n = from;

	while (is_digit_at(x->p, x->len, n))
		n++;
	return n - from;
}

static int
take_optional_fraction(struct parser *x)
{
	if (x->len < 2 || (x->p[0] != '.' && x->p[0] != ',') ||
	    !is_digit_at(x->p, x->len, 1))
		return 0;
	return take_fraction(x, 1 + count_digits(x, 1));
}

static int
take_second(struct parser *x, bool fixed, const char *layout, size_t layout_len)
{
	struct chunk next;

	if (take_ranged(x, fixed, 60, "second", &x->sec) < 0)
		return -1;
	if (x->out_of_range != NULL)
		return 0;
	next = golayout_next(&layout, &layout_len);
	if (next.element == EL_FRACTION || next.element == EL_FRACTION_CUT)
		return 0;
	return take_optional_fraction(x);
}

static int
take_year(struct parser *x, bool is_long)
{
	int v = 0;
	bool negative = false;

	if (is_long) {
		if (x->len < 4 || take_digits(x, 4, true, &v) < 0)
			return -1;
		x->year = v;
		return 0;
	}
	/* Two bytes that are a number for strconv: "+5" is one. */
	if (x->len < 2)
		return -1;
	if (x->p[0] == '+' || x->p[0] == '-') {
		negative = x->p[0] == '-';
		advance(x, 1);
		if (take_digits(x, 1, true, &v) < 0)
			return -1;
	} else if (take_digits(x, 2, true, &v) < 0) {
		return -1;
	}
	v = negative ? -v : v;
	x->year = v >= 69 ? v + 1900 : v + 2000;
	return 0;
}

static int
take_pm(struct parser *x, const char *am, const char *pm)
{
	if (x->len < 2)
		return -1;
	if (memcmp(x->p, pm, 2) == 0)
		x->pm = true;
	else if (memcmp(x->p, am, 2) == 0)
		x->am = true;
	else
		return -1;
	advance(x, 2);
	return 0;
}

/* An offset as form spells it: +hh[[:]mm[[:]ss]]. */
static int
take_offset(struct parser *x, const char *form, size_t len)
{
	static const char *const names[] = { "time zone offset hour",
		"time zone offset minute", "time zone offset second" };
	static const int limits[] = { 24, 60, 60 };
	bool colon = len > 3 && form[3] == ':';
	int v[3] = { 0 };
	bool bad = false;
	char sign;

	if (form[0] == 'Z' && x->len >= 1 && x->p[0] == 'Z') {
		x->is_utc = true;
		advance(x, 1);
		return 0;
	}
	if (x->len < len || (colon && x->p[3] != ':') ||
	    (len == 9 && x->p[6] != ':'))
		return -1;
	sign = x->p[0];
	for (size_t i = 0, at = 1; i < 3 && at < len;
	     i++, at += colon ? 3 : 2) {
		bad = !is_digit_at(x->p, len, at) ||
		    !is_digit_at(x->p, len, at + 1);
		if (bad)
			break;
		v[i] = (x->p[at] - '0') * 10 + (x->p[at + 1] - '0');
		if (v[i] > limits[i])
			x->out_of_range = names[i];
	}
	advance(x, len);
	/* Go tells what is out of range before what is no offset. */
	if (x->out_of_range == NULL && (bad || (sign != '+' && sign != '-')))
		return -1;
	x->offset = (v[0] * 60 + v[1]) * 60 + v[2];
	if (sign == '-')
		x->offset = -x->offset;
	/* Go keeps -1 for "none". */
	x->has_offset = x->offset != -1;
	return 0;
}

/* "+03": its length, 0 where it is none. */
static size_t
signed_offset_length(const char *p, size_t len)
{
	size_t n = 1;
	int v = 0;

	if (len == 0 || (p[0] != '+' && p[0] != '-'))
		return 0;
	for (; is_digit_at(p, len, n); n++) {
		v = v * 10 + (p[n] - '0');
		if (v > 23)
			return 0;
	}
	return n == 1 ? 0 : n;
}

/* The length of what looks like a zone's abbreviation; 0: nothing does. */
static size_t
zone_name_length(const char *p, size_t len)
{
	size_t upper = 0;

	if (len < 3)
		return 0;
	if (len >= 4 &&
	    (memcmp(p, "ChST", 4) == 0 || memcmp(p, "MeST", 4) == 0))
		return 4;
	if (memcmp(p, "GMT", 3) == 0)
		return 3 + signed_offset_length(p + 3, len - 3);
	if (p[0] == '+' || p[0] == '-')
		return signed_offset_length(p, len);
	while (upper < 6 && upper < len && p[upper] >= 'A' && p[upper] <= 'Z')
		upper++;
	if (upper == 3)
		return 3;
	if (upper == 4 && (p[3] == 'T' || memcmp(p, "WITA", 4) == 0))
		return 4;
	return upper == 5 && p[4] == 'T' ? 5 : 0;
}

static int
take_zone_name(struct parser *x)
{
	size_t n;

	if (x->len >= 3 && memcmp(x->p, "UTC", 3) == 0) {
		x->is_utc = true;
		advance(x, 3);
		return 0;
	}
	n = zone_name_length(x->p, x->len);
	if (n == 0)
		return -1;
	x->zone_name = x->p;
	x->zone_name_len = n;
	advance(x, n);
	return 0;
}

static void
skip_space(struct parser *x)
{
	if (x->len > 0 && x->p[0] == ' ')
		advance(x, 1);
}

static int
take_month(struct parser *x, enum element el)
{
	if (el == EL_MONTH || el == EL_LONG_MONTH) {
		x->month =
		    take_name(x, golayout_months, 12, el == EL_MONTH ? 3 : 0) +
		    1;
		return x->month == 0 ? -1 : 0;
	}
	if (take_digits(x, 2, el == EL_ZERO_MONTH, &x->month) < 0)
		return -1;
	if (x->month <= 0 || x->month > 12)
		x->out_of_range = "month";
	return 0;
}

static int
take_date(struct parser *x, enum element el)
{
	switch ((int)el) {
	case EL_YEAR:
	case EL_LONG_YEAR:
		return take_year(x, el == EL_LONG_YEAR);
	case EL_MONTH:
	case EL_LONG_MONTH:
	case EL_NUM_MONTH:
	case EL_ZERO_MONTH:
		return take_month(x, el);
	case EL_WEEKDAY:
	case EL_LONG_WEEKDAY:
		return take_name(x, golayout_weekdays, 7,
			   el == EL_WEEKDAY ? 3 : 0) < 0
		    ? -1
		    : 0;
	case EL_UNDER_DAY:
		skip_space(x);
		return take_digits(x, 2, false, &x->day);
	case EL_DAY:
	case EL_ZERO_DAY:
		return take_digits(x, 2, el == EL_ZERO_DAY, &x->day);
	case EL_UNDER_YEARDAY:
		skip_space(x);
		skip_space(x);
		return take_digits(x, 3, false, &x->yday);
	default:
		return take_digits(x, 3, true, &x->yday);
	}
}

static int
take_clock(struct parser *x, enum element el)
{
	switch ((int)el) {
	case EL_HOUR:
		return take_ranged(x, false, 24, "hour", &x->hour);
	case EL_HOUR12:
	case EL_ZERO_HOUR12:
		return take_ranged(
		    x, el == EL_ZERO_HOUR12, 13, "hour", &x->hour);
	case EL_MINUTE:
	case EL_ZERO_MINUTE:
		return take_ranged(
		    x, el == EL_ZERO_MINUTE, 60, "minute", &x->min);
	case EL_PM:
		return take_pm(x, "AM", "PM");
	default:
		return take_pm(x, "am", "pm");
	}
}

/* layout is what follows the chunk. */
static int
take_element(struct parser *x, const struct chunk *c, const char *layout,
    size_t layout_len)
{
	switch ((int)c->element) {
	case EL_HOUR:
	case EL_HOUR12:
	case EL_ZERO_HOUR12:
	case EL_MINUTE:
	case EL_ZERO_MINUTE:
	case EL_PM:
	case EL_LOWER_PM:
		return take_clock(x, c->element);
	case EL_SECOND:
	case EL_ZERO_SECOND:
		return take_second(
		    x, c->element == EL_ZERO_SECOND, layout, layout_len);
	case EL_OFFSET:
		return take_offset(x, c->text, c->len);
	case EL_ZONE_NAME:
		return take_zone_name(x);
	case EL_FRACTION:
		return x->len < c->len ? -1 : take_fraction(x, c->len);
	case EL_FRACTION_CUT:
		return take_optional_fraction(x);
	default:
		return take_date(x, c->element);
	}
}

static int
fail_parse(struct parser *x)
{
	return env_fail(x->env, "parsing time %s as %s: cannot parse %s as %s",
	    WITHHELD, WITHHELD, WITHHELD, WITHHELD);
}

static int
fail_range(struct parser *x, const char *what)
{
	return env_fail(x->env, "parsing time %s: %s", WITHHELD, what);
}

/* Literal text of the layout; runs of spaces match each other. */
static int
skip_literal(struct parser *x, const char *p, size_t len)
{
	while (len > 0) {
		if (*p == ' ') {
			if (x->len > 0 && x->p[0] != ' ')
				return -1;
			for (; len > 0 && *p == ' '; p++, len--)
				;
			while (x->len > 0 && x->p[0] == ' ')
				advance(x, 1);
			continue;
		}
		if (x->len == 0 || x->p[0] != *p)
			return -1;
		advance(x, 1);
		p++;
		len--;
	}
	return 0;
}

static int
take_all(struct parser *x, const char *layout, size_t len)
{
	for (;;) {
		struct chunk c = golayout_next(&layout, &len);

		if (env_step(x->env, 1) < 0)
			return -1;
		if (skip_literal(x, c.prefix, c.prefix_len) < 0)
			return fail_parse(x);
		if (c.element == EL_NONE)
			break;
		if (take_element(x, &c, layout, len) < 0)
			return fail_parse(x);
		if (x->out_of_range != NULL)
			return env_fail(x->env,
			    "parsing time %s: %s out of range", WITHHELD,
			    x->out_of_range);
	}
	if (x->len > 0)
		return env_fail(x->env, "parsing time %s: extra text: %s",
		    WITHHELD, WITHHELD);
	return 0;
}

static int
apply_yday(struct parser *x)
{
	int day = x->yday, month;

	if (gotime_is_leap(x->year)) {
		if (day == 31 + 29) {
			month = 2;
			day = 29;
			goto found;
		}
		if (day > 31 + 29)
			day--;
	}
	if (day < 1 || day > 365)
		return fail_range(x, "day-of-year out of range");
	month = (day - 1) / 31 + 1;
	if (gotime_days_before(month + 1) < day)
		month++;
	day -= gotime_days_before(month);
found:
	if (x->month >= 0 && x->month != month)
		return fail_range(x, "day-of-year does not match month");
	x->month = month;
	if (x->day >= 0 && x->day != day)
		return fail_range(x, "day-of-year does not match day");
	x->day = day;
	return 0;
}

static int
check_date(struct parser *x)
{
	if (x->pm && x->hour < 12)
		x->hour += 12;
	else if (x->am && x->hour == 12)
		x->hour = 0;
	if (x->yday >= 0 && apply_yday(x) < 0)
		return -1;
	if (x->month < 0)
		x->month = 1;
	if (x->day < 0)
		x->day = 1;
	if (x->day < 1 || x->day > gotime_days_in(x->month, x->year))
		return fail_range(x, "day out of range");
	return 0;
}

/* A zone of its own for an offset or a name that the zone does not know. */
static int
set_fixed(struct parser *x, struct gotime *t, int offset)
{
	const char *name = x->zone_name == NULL ? "" : x->zone_name;

	t->zone = gozone_fixed(x->env, name, x->zone_name_len, offset);
	return t->zone == NULL ? -1 : 0;
}

static int
with_offset(struct parser *x, const struct gozone *zone, struct gotime *t)
{
	struct gozone_at at;

	t->sec -= x->offset;
	gozone_lookup(zone, gotime_unix_s(t), &at);
	if (at.offset == x->offset &&
	    (x->zone_name_len == 0 ||
		(at.name_len == x->zone_name_len &&
		    memcmp(at.name, x->zone_name, at.name_len) == 0))) {
		t->zone = zone;
		return 0;
	}
	return set_fixed(x, t, x->offset);
}

static int
with_name(struct parser *x, const struct gozone *zone, struct gotime *t)
{
	int64_t hours = 0;
	int offset;

	if (gozone_lookup_name(zone, x->zone_name, x->zone_name_len,
		gotime_unix_s(t), &offset)) {
		t->sec -= offset;
		t->zone = zone;
		return 0;
	}
	if (x->zone_name_len > 3 && memcmp(x->zone_name, "GMT", 3) == 0)
		(void)strconv_parse_int(
		    x->zone_name + 3, x->zone_name_len - 3, 10, &hours);
	return set_fixed(x, t, (int)hours * 3600);
}

int
golayout_parse(struct env *e, const struct value *layout,
    const struct value *text, const struct gozone *zone, struct gotime *ret)
{
	struct parser x = {
		.env = e,
		.p = text->u.s.p,
		.len = text->u.s.len,
		.month = -1,
		.day = -1,
		.yday = -1,
	};
	struct gotime_date d;
	struct gotime t;

	*ret = (struct gotime) { 0 };
	if (env_step(e, 1 + layout->u.s.len) < 0)
		return -1;
	if (take_all(&x, layout->u.s.p, layout->u.s.len) < 0 ||
	    check_date(&x) < 0)
		return -1;
	d = (struct gotime_date) { x.year, x.month, x.day, x.hour, x.min, x.sec,
		x.nsec };
	t = gotime_date(&d, NULL);
	if (!x.is_utc) {
		if (x.has_offset && with_offset(&x, zone, &t) < 0)
			return -1;
		if (!x.has_offset && x.zone_name_len > 0 &&
		    with_name(&x, zone, &t) < 0)
			return -1;
		if (!x.has_offset && x.zone_name_len == 0)
			t = gotime_date(&d, zone);
	}
	*ret = t;
	return 0;
}
