/*
 * Durations as Go writes them: "1h15m30.5s".
 */
#ifndef TMPL_GODURATION_H
#define TMPL_GODURATION_H

#include <stdint.h>

#include "env.h"
#include "value.h"

#define GODURATION_SECOND INT64_C(1000000000)
#define GODURATION_MINUTE (60 * GODURATION_SECOND)
#define GODURATION_HOUR	  (60 * GODURATION_MINUTE)
#define GODURATION_MAX	  32 /* of the text, NUL included */

/* ParseDuration(); -1: the error is pending. */
int
goduration_parse(struct env *e, const struct value *s, int64_t *ret) MUST_CHECK;

int64_t goduration_round(int64_t d, int64_t m);
/* String(): "1h2m3.5s". */
void goduration_string(int64_t d, char out[static GODURATION_MAX]);
/* x + x < y, both not negative. */
bool goduration_less_than_half(int64_t x, int64_t y);

#endif
