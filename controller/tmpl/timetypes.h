/*
 * Types of Go's package time that functions and signatures name.
 */
#ifndef TMPL_TIMETYPES_H
#define TMPL_TIMETYPES_H

#include "func.h"
#include "gotime.h"

/* type_time and type_duration are in func.h: u.obj is a struct gotime, u.i
 * nanoseconds. */
extern const struct type type_location;

/* The time in a value of type_time. */
const struct gotime *timetypes_time(const struct value *v);
/* A copy of t as a function's result. -1: out of budget. */
int timetypes_ret(
    struct call *c, const struct gotime *t, struct value *ret) MUST_CHECK;

#endif
