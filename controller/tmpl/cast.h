/*
 * spf13/cast: numbers out of anything. What does not convert is 0.
 */
#ifndef TMPL_CAST_H
#define TMPL_CAST_H

#include "value.h"

int64_t cast_int64(const struct value *v);
double cast_float64(const struct value *v);
/* Go's conversion of a float64 on amd64: out of range is the smallest. */
int64_t cast_truncate(double f);

#endif
