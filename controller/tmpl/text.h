/*
 * A string under construction, in the arena of a rendering. Appending never
 * reports: the first failure (budget) sticks, and text_done() tells.
 */
#ifndef TMPL_TEXT_H
#define TMPL_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "env.h"
#include "value.h"

struct text {
	struct env *env;
	char *data;
	size_t len;
	size_t cap;
	bool failed;
};

void text_init(struct text *t, struct env *e);
void text_append(struct text *t, const void *p, size_t len);
void text_puts(struct text *t, const char *s);
void text_putc(struct text *t, char c);
void text_fill(struct text *t, char c, size_t n);
/* UTF-8; what is no scalar value becomes U+FFFD, as Go's AppendRune. */
void text_putrune(struct text *t, uint32_t r);
/* For our own short texts (numbers, names): at most 511 bytes. */
void text_printf(struct text *t, const char *fmt, ...) PRINTF(2, 3);
/* The string built so far as a value; -1 where something did not fit. */
int text_done(struct text *t, struct value *ret) MUST_CHECK;

#endif
