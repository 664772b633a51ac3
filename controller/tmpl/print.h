/*
 * Go's package fmt: Sprint, Sprintln, Sprintf, %v of any value. Arguments are
 * unwrapped values; KIND_INVALID is nil. Failures (budget, values nested too
 * deep) stick in the text.
 */
#ifndef TMPL_PRINT_H
#define TMPL_PRINT_H

#include "text.h"
#include "value.h"

/* %v */
void print_value(struct text *out, const struct value *v);
void print_sprint(struct text *out, const struct value *args, size_t n);
void print_sprintln(struct text *out, const struct value *args, size_t n);
void print_sprintf(struct text *out, const char *fmt, size_t fmtlen,
    const struct value *args, size_t n);

#endif
