/*
 * Times as text, by Go's layouts ("Mon Jan _2 15:04:05 2006").
 */
#ifndef TMPL_GOLAYOUT_H
#define TMPL_GOLAYOUT_H

#include "gotime.h"
#include "text.h"

#define GOLAYOUT_RFC3339_NANO "2006-01-02T15:04:05.999999999Z07:00"

extern const char *const golayout_months[12];
extern const char *const golayout_weekdays[7];

/* Time.Format() */
void golayout_format(
    struct text *out, const struct gotime *t, const char *layout, size_t len);
/* Time.String(), the monotonic reading included. */
void golayout_string(struct text *out, const struct gotime *t);
/* ParseInLocation(): zone is meant where the text names none. -1: the error is
 * pending, Go's with the texts withheld; *ret is Go's zero time then. */
int golayout_parse(struct env *e, const struct value *layout,
    const struct value *text, const struct gozone *zone,
    struct gotime *ret) MUST_CHECK;

#endif
