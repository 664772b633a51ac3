/*
 * The elements of a layout: between golayout.c, which writes times by them, and
 * golayout_parse.c, which reads them.
 */
#ifndef TMPL_LAYOUT_H
#define TMPL_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#define NANO_DIGITS 9

enum element {
	EL_NONE,
	EL_LONG_MONTH,
	EL_MONTH,
	EL_NUM_MONTH,
	EL_ZERO_MONTH,
	EL_LONG_WEEKDAY,
	EL_WEEKDAY,
	EL_DAY,
	EL_UNDER_DAY,
	EL_ZERO_DAY,
	EL_UNDER_YEARDAY,
	EL_ZERO_YEARDAY,
	EL_HOUR,
	EL_HOUR12,
	EL_ZERO_HOUR12,
	EL_MINUTE,
	EL_ZERO_MINUTE,
	EL_SECOND,
	EL_ZERO_SECOND,
	EL_LONG_YEAR,
	EL_YEAR,
	EL_PM,
	EL_LOWER_PM,
	EL_ZONE_NAME,
	EL_OFFSET,	/* the five forms of -0700, Z0700 */
	EL_FRACTION,	/* .000 */
	EL_FRACTION_CUT /* .999 */
};

/* An element of a layout and the literal text in front of it. */
struct chunk {
	const char *prefix;
	size_t prefix_len;
	enum element element;
	const char *text; /* how the layout spells it */
	size_t len;
};

/* The next element; the layout is moved behind it. */
struct chunk golayout_next(const char **layout, size_t *len);

static inline bool
is_digit_at(const char *p, size_t len, size_t i)
{
	return i < len && p[i] >= '0' && p[i] <= '9';
}

#endif
