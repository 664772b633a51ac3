/*
 * Durations as Go writes them: "1h15m30.5s".
 */
#ifndef TMPL_GODURATION_H
#define TMPL_GODURATION_H

#include <stdint.h>

#include "env.h"
#include "value.h"

/* ParseDuration(); -1: the error is pending. */
int
goduration_parse(struct env *e, const struct value *s, int64_t *ret) MUST_CHECK;

#endif
