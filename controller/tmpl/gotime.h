/*
 * Go's time.Time: the arithmetic, overflow included.
 */
#ifndef TMPL_GOTIME_H
#define TMPL_GOTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gozone.h"

/* From year 1 to 1970, in seconds. */
#define GOTIME_UNIX_TO_INTERNAL INT64_C(62135596800)

struct gotime {
	int64_t sec; /* since year 1, UTC; wraps as in Go */
	int32_t nsec;
	bool has_mono; /* of now: differences use mono */
	int64_t mono;
	const struct gozone *zone; /* NULL: UTC */
};

/* Broken down in a zone. */
struct gotime_parts {
	struct gozone_at at;
	int64_t year;
	int month, day;
	int yday;    /* from 1 */
	int weekday; /* from Sunday, 0 */
	int hour, min, sec;
};

/* What Go's Date() takes: any values, it normalises. */
struct gotime_date {
	int64_t year, month, day, hour, min, sec, nsec;
};

struct gotime gotime_unix(int64_t s, const struct gozone *zone);
struct gotime
gotime_date(const struct gotime_date *d, const struct gozone *zone);
int64_t gotime_unix_s(const struct gotime *t);
void gotime_split(const struct gotime *t, struct gotime_parts *ret);

struct gotime gotime_add(struct gotime t, int64_t d);
int64_t gotime_sub(const struct gotime *t, const struct gotime *u);
struct gotime gotime_add_date(
    const struct gotime *t, int64_t years, int64_t months, int64_t days);
/* Multiples of d since year 1; without the monotonic reading. */
struct gotime gotime_truncate(struct gotime t, int64_t d);
struct gotime gotime_round(struct gotime t, int64_t d);
/* -1, 0, 1 */
int gotime_compare(const struct gotime *t, const struct gotime *u);

/* The calendar. Months count from 1. */
bool gotime_is_leap(int64_t year);
int gotime_days_in(int month, int64_t year);
/* In a year that is no leap year. */
int gotime_days_before(int month);
/* The year of an instant in UTC, and its day, from 1. */
int64_t gotime_year(int64_t unix_s, int *yday);

#endif
