/*
 * Go's time.Time: calendar and arithmetic. Numbers wrap where Go's do, so
 * most of it is done in unsigned ones.
 */
#include "gotime.h"

#include "goduration.h"

#define DAY_S	       INT64_C(86400)
#define ABSOLUTE_YEARS UINT64_C(292277022400)
/* Days from March to the end of the year. */
#define MARCH_TO_DECEMBER  306
#define DAYS_PER_400_YEARS UINT64_C(146097)
/* From the first of March of year -ABSOLUTE_YEARS to 1970, in seconds. */
#define ABSOLUTE_TO_UNIX                                                   \
	((ABSOLUTE_YEARS / 400 * DAYS_PER_400_YEARS + MARCH_TO_DECEMBER) * \
		(uint64_t)DAY_S +                                          \
	    (uint64_t)GOTIME_UNIX_TO_INTERNAL)

static int64_t
wrapping_add(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int64_t
wrapping_sub(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a - (uint64_t)b);
}

static int64_t
wrapping_mul(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a * (uint64_t)b);
}

bool
gotime_is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int
gotime_days_before(int month)
{
	static const int days[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273,
		304, 334, 365 };

	return days[month - 1];
}

int
gotime_days_in(int month, int64_t year)
{
	if (month == 2)
		return gotime_is_leap(year) ? 29 : 28;
	return gotime_days_before(month + 1) - gotime_days_before(month);
}

/* Days since the first of March of year -ABSOLUTE_YEARS. */
static uint64_t
days_of(int64_t year, int month, int64_t day)
{
	unsigned early = month < 3;
	uint64_t m = (uint64_t)month + 12 * early;
	uint64_t y = (uint64_t)year - early + ABSOLUTE_YEARS;
	uint64_t century = y / 100, rest = y % 100;

	return DAYS_PER_400_YEARS * century / 4 + 1461 * rest / 4 +
	    (153 * m - 457) / 5 + (uint64_t)day - 1;
}

/* Years of the calculation begin in March. */
static void
split_days(uint64_t days, struct gotime_parts *ret)
{
	uint64_t d = 4 * days + 3;
	uint64_t century = d / DAYS_PER_400_YEARS;
	uint64_t cday = (d % DAYS_PER_400_YEARS) | 3;
	uint64_t cyear = cday / 1461;
	int day = (int)(cday % 1461 / 4);
	int early = day >= MARCH_TO_DECEMBER;
	bool leap = cyear % 4 == 0 && (cyear != 0 || century % 4 == 0);
	int m = 5 * day + 461;

	ret->year =
	    (int64_t)(century * 100 - ABSOLUTE_YEARS + cyear + (unsigned)early);
	ret->month = m / 153 - 12 * early;
	ret->day = 1 + m % 153 / 5;
	ret->yday = day + 1 + 31 + 28 + (leap && !early) - 365 * early;
	/* That first of March was a Wednesday. */
	ret->weekday = (int)((days + 3) % 7);
}

int64_t
gotime_year(int64_t unix_s, int *yday)
{
	struct gotime_parts parts;

	split_days(((uint64_t)unix_s + ABSOLUTE_TO_UNIX) / DAY_S, &parts);
	*yday = parts.yday;
	return parts.year;
}

struct gotime
gotime_unix(int64_t s, const struct gozone *zone)
{
	return (struct gotime) {
		.sec = wrapping_add(s, GOTIME_UNIX_TO_INTERNAL),
		.zone = zone,
	};
}

int64_t
gotime_unix_s(const struct gotime *t)
{
	return wrapping_sub(t->sec, GOTIME_UNIX_TO_INTERNAL);
}

void
gotime_split(const struct gotime *t, struct gotime_parts *ret)
{
	int64_t s = gotime_unix_s(t);
	uint64_t abs;
	int clock;

	gozone_lookup(t->zone, s, &ret->at);
	abs = (uint64_t)wrapping_add(s, ret->at.offset) + ABSOLUTE_TO_UNIX;
	split_days(abs / DAY_S, ret);
	clock = (int)(abs % DAY_S);
	ret->hour = clock / 3600;
	ret->min = clock / 60 % 60;
	ret->sec = clock % 60;
}

/* Moves what is beyond base from lo to hi. */
static void
normalise(int64_t *hi, int64_t *lo, int64_t base)
{
	int64_t n = *lo / base;

	if (*lo % base < 0)
		n--;
	*hi = wrapping_add(*hi, n);
	*lo -= n * base;
}

struct gotime
gotime_date(const struct gotime_date *d, const struct gozone *zone)
{
	struct gotime_date v = *d;
	struct gozone_at at;
	struct gotime t;
	int64_t s, utc;

	v.month = wrapping_sub(v.month, 1);
	normalise(&v.year, &v.month, 12);
	normalise(&v.sec, &v.nsec, GODURATION_SECOND);
	normalise(&v.min, &v.sec, 60);
	normalise(&v.hour, &v.min, 60);
	normalise(&v.day, &v.hour, 24);
	s = (int64_t)(days_of(v.year, (int)v.month + 1, v.day) *
		(uint64_t)DAY_S +
	    (uint64_t)(v.hour * 3600 + v.min * 60 + v.sec) - ABSOLUTE_TO_UNIX);
	gozone_lookup(zone, s, &at);
	if (at.offset != 0) {
		utc = wrapping_sub(s, at.offset);
		if (utc < at.start || utc >= at.end)
			gozone_lookup(zone, utc, &at);
		s = wrapping_sub(s, at.offset);
	}
	t = gotime_unix(s, zone);
	t.nsec = (int32_t)v.nsec;
	return t;
}

struct gotime
gotime_add(struct gotime t, int64_t d)
{
	int64_t mono = wrapping_add(t.mono, d);

	t.sec = wrapping_add(t.sec, d / GODURATION_SECOND);
	t.nsec += (int32_t)(d % GODURATION_SECOND);
	if (t.nsec >= GODURATION_SECOND) {
		t.sec = wrapping_add(t.sec, 1);
		t.nsec -= (int32_t)GODURATION_SECOND;
	} else if (t.nsec < 0) {
		t.sec = wrapping_sub(t.sec, 1);
		t.nsec += (int32_t)GODURATION_SECOND;
	}
	if ((d < 0 && mono > t.mono) || (d > 0 && mono < t.mono))
		t.has_mono = false;
	t.mono = t.has_mono ? mono : 0;
	return t;
}

int
gotime_compare(const struct gotime *t, const struct gotime *u)
{
	if (t->has_mono && u->has_mono)
		return t->mono < u->mono ? -1 : t->mono > u->mono;
	if (t->sec != u->sec)
		return t->sec < u->sec ? -1 : 1;
	return t->nsec < u->nsec ? -1 : t->nsec > u->nsec;
}

int64_t
gotime_sub(const struct gotime *t, const struct gotime *u)
{
	struct gotime sum;
	int64_t d;

	if (t->has_mono && u->has_mono) {
		if (!__builtin_sub_overflow(t->mono, u->mono, &d))
			return d;
		return t->mono < u->mono ? INT64_MIN : INT64_MAX;
	}
	d = wrapping_mul(wrapping_sub(t->sec, u->sec), GODURATION_SECOND);
	d = wrapping_add(d, t->nsec - u->nsec);
	sum = gotime_add(*u, d);
	sum.has_mono = false;
	if (gotime_compare(&sum, t) == 0)
		return d;
	return gotime_compare(t, u) < 0 ? INT64_MIN : INT64_MAX;
}

struct gotime
gotime_add_date(
    const struct gotime *t, int64_t years, int64_t months, int64_t days)
{
	struct gotime_parts p;
	struct gotime_date d;

	gotime_split(t, &p);
	d = (struct gotime_date) {
		.year = wrapping_add(p.year, years),
		.month = wrapping_add(p.month, months),
		.day = wrapping_add(p.day, days),
		.hour = p.hour,
		.min = p.min,
		.sec = p.sec,
		.nsec = t->nsec,
	};
	return gotime_date(&d, t->zone);
}

/* What is left of the time since year 1 after multiples of d. */
static int64_t
remainder_of(const struct gotime *t, int64_t d)
{
	__int128 n = (__int128)t->sec * GODURATION_SECOND + t->nsec;
	int64_t r = (int64_t)(n % d);

	return r < 0 ? r + d : r;
}

static struct gotime
without_mono(struct gotime t)
{
	t.has_mono = false;
	t.mono = 0;
	return t;
}

struct gotime
gotime_truncate(struct gotime t, int64_t d)
{
	t = without_mono(t);
	return d <= 0 ? t : gotime_add(t, -remainder_of(&t, d));
}

struct gotime
gotime_round(struct gotime t, int64_t d)
{
	int64_t r;

	t = without_mono(t);
	if (d <= 0)
		return t;
	r = remainder_of(&t, d);
	return gotime_add(t, goduration_less_than_half(r, d) ? -r : d - r);
}
