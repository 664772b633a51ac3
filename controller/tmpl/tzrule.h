/*
 * POSIX TZ rules ("CET-1CEST,M3.5.0,M10.5.0/3"), as zone files carry them for
 * the time behind their last transition.
 */
#ifndef TMPL_TZRULE_H
#define TMPL_TZRULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "gozone.h"

/* What the rule says about unix_s, if it can be read; otherwise *ret stays as
 * it is. last is the time of the last transition. Names point into rule. */
bool tzrule_lookup(
    const char *rule, int64_t last, int64_t unix_s, struct gozone_at *ret);

#endif
