/*
 * Types of dates that other functions meet: printing as JSON, signatures.
 */
#ifndef TMPL_FUNCS_DATE_H
#define TMPL_FUNCS_DATE_H

#include "func.h"
#include "gotime.h"

/* type_time and type_duration are in func.h: u.obj is a struct gotime, u.i
 * nanoseconds. */
extern const struct type type_month;	/* u.i from 1 */
extern const struct type type_weekday;	/* u.i from 0, Sunday */
extern const struct type type_location; /* u.obj is a struct location */
extern const struct type type_bytes;	/* []uint8 */

struct location {
	const struct gozone *zone; /* NULL: UTC */
};

#endif
