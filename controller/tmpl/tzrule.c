/*
 * POSIX TZ rules, read and applied the way Go does.
 */
#include "tzrule.h"

#include <string.h>

#include "gotime.h"

#define HOUR_S	      3600
#define DAY_S	      86400
#define HOURS_MAX     (24 * 7)
#define DEFAULT_TIME  (2 * HOUR_S)
#define DEFAULT_RULES "M3.2.0,M11.1.0"

enum kind { KIND_JULIAN, KIND_DAY, KIND_WEEKDAY };

/* A date of the year on which the zone changes. */
struct change {
	enum kind kind;
	int day;
	int week;
	int month;
	int time;
};

struct part {
	const char *name;
	size_t name_len;
	int offset;
	bool is_dst;
};

static bool
read_name(const char **s, struct part *part)
{
	const char *p = *s;

	if (*p == '<') {
		part->name = p + 1;
		part->name_len = strcspn(p + 1, ">");
		if (p[1 + part->name_len] == '\0')
			return false;
		*s = p + part->name_len + 2;
		return true;
	}
	part->name = p;
	part->name_len = strcspn(p, "0123456789,-+");
	*s = p + part->name_len;
	return part->name_len >= 3;
}

static bool
read_number(const char **s, int min, int max, int *ret)
{
	const char *p = *s;
	int n = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		n = n * 10 + (*p - '0');
		if (n > max)
			return false;
	}
	if (p == *s || n < min)
		return false;
	*s = p;
	*ret = n;
	return true;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool
read_offset(const char **s, int *ret)
{
	static const int units[] = { HOUR_S, 60, 1 };
	bool negative = **s == '-';
	int total = 0, n;

	if (**s == '+' || **s == '-')
		(*s)++;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (i > 0 && **s != ':')
			break;
		if (i > 0)
			(*s)++;
		if (!read_number(s, 0, i == 0 ? HOURS_MAX : 59, &n))
			return false;
		total += n * units[i];
	}
	*ret = negative ? -total : total;
	return true;
}

static bool
read_dot(const char **s)
{
	if (**s != '.')
		return false;
	(*s)++;
	return true;
}

static bool
read_weekday(const char **s, struct change *c)
{
	c->kind = KIND_WEEKDAY;
	return read_number(s, 1, 12, &c->month) && read_dot(s) &&
	    read_number(s, 1, 5, &c->week) && read_dot(s) &&
	    read_number(s, 0, 6, &c->day);
}

static bool
read_change(const char **s, struct change *c)
{
	bool good;

	*c = (struct change) { .kind = KIND_DAY, .time = DEFAULT_TIME };
	if (**s == 'J') {
		(*s)++;
		c->kind = KIND_JULIAN;
		good = read_number(s, 1, 365, &c->day);
	} else if (**s == 'M') {
		(*s)++;
		good = read_weekday(s, c);
	} else {
		good = read_number(s, 0, 365, &c->day);
	}
	if (!good || **s != '/')
		return good;
	(*s)++;
	return read_offset(s, &c->time);
}

/* Days from the start of the year to a weekday of a month. */
static int
weekday_day(const struct change *c, int64_t year)
{
	int m1 = (c->month + 9) % 12 + 1;
	int64_t y = c->month <= 2 ? year - 1 : year;
	int64_t century = y / 100, rest = y % 100;
	int first = (int)(((26 * m1 - 2) / 10 + 1 + rest + rest / 4 +
			      century / 4 - 2 * century) %
	    7);
	int day;

	if (first < 0)
		first += 7;
	day = c->day - first;
	if (day < 0)
		day += 7;
	for (int i = 1; i < c->week; i++) {
		if (day + 7 >= gotime_days_in(c->month, year))
			break;
		day += 7;
	}
	day += gotime_days_before(c->month);
	return gotime_is_leap(year) && c->month > 2 ? day + 1 : day;
}

/* Seconds from the start of the year, UTC. */
static int
change_second(const struct change *c, int64_t year, int offset)
{
	int day = c->day;

	if (c->kind == KIND_JULIAN) {
		day--;
		if (gotime_is_leap(year) && c->day >= 60)
			day++;
	} else if (c->kind == KIND_WEEKDAY) {
		day = weekday_day(c, year);
	}
	return day * DAY_S + c->time - offset;
}

static void
set(struct gozone_at *ret, const struct part *part, int64_t start, int64_t end)
{
	*ret = (struct gozone_at) { part->name, part->name_len, part->offset,
		start, end, part->is_dst };
}

static bool
read_changes(const char *s, struct change changes[2])
{
	if (*s == '\0')
		s = "," DEFAULT_RULES;
	if (*s != ',' && *s != ';')
		return false;
	s++;
	if (!read_change(&s, &changes[0]) || *s != ',')
		return false;
	s++;
	return read_change(&s, &changes[1]) && *s == '\0';
}

static void
apply(const struct change changes[2], struct part *standard,
    struct part *summer, int64_t unix_s, struct gozone_at *ret)
{
	int yday;
	int64_t year = gotime_year(unix_s, &yday);
	int64_t second = (int64_t)(yday - 1) * DAY_S + unix_s % DAY_S;
	int64_t start_of_year = unix_s - second;
	int64_t from = change_second(&changes[0], year, standard->offset);
	int64_t until = change_second(&changes[1], year, summer->offset);

	/* In the southern half it is at both ends of the year. */
	if (until < from) {
		int64_t time = from;
		struct part part = *standard;

		from = until;
		until = time;
		*standard = *summer;
		*summer = part;
	}
	if (second < from)
		set(ret, standard, start_of_year, from + start_of_year);
	else if (second >= until)
		set(ret, standard, until + start_of_year,
		    start_of_year + (int64_t)365 * DAY_S);
	else
		set(ret, summer, from + start_of_year, until + start_of_year);
}

bool
tzrule_lookup(
    const char *rule, int64_t last, int64_t unix_s, struct gozone_at *ret)
{
	struct part standard = { 0 }, summer = { .is_dst = true };
	struct change changes[2];

	if (!read_name(&rule, &standard) ||
	    !read_offset(&rule, &standard.offset))
		return false;
	standard.offset = -standard.offset;
	if (*rule == '\0' || *rule == ',') {
		set(ret, &standard, last, INT64_MAX);
		return true;
	}
	if (!read_name(&rule, &summer))
		return false;
	if (*rule == '\0' || *rule == ',')
		summer.offset = standard.offset + HOUR_S;
	else if (read_offset(&rule, &summer.offset))
		summer.offset = -summer.offset;
	else
		return false;
	if (!read_changes(rule, changes))
		return false;
	apply(changes, &standard, &summer, unix_s, ret);
	return true;
}
