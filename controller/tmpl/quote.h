/*
 * Go's package strconv for strings and characters.
 */
#ifndef TMPL_QUOTE_H
#define TMPL_QUOTE_H

#include "text.h"

/* Quote; ascii: QuoteToASCII. */
void quote_string(struct text *out, const char *p, size_t len, bool ascii);
/* QuoteRune, QuoteRuneToASCII: 'x'. */
void quote_rune(struct text *out, uint32_t r, bool ascii);
bool quote_can_backquote(const char *p, size_t len);
/* Unquote of "..." or `...`; -1: invalid syntax (no error is set). */
int quote_unquote(
    struct env *e, const char *p, size_t len, struct value *ret) MUST_CHECK;
/* UnquoteChar: one character or escape sequence at the front of p; the number
 * of bytes used, 0: invalid syntax. *multibyte: the value is a rune, not a
 * single byte (\x, octal). */
size_t quote_unquote_char(
    const char *p, size_t len, char quote, uint32_t *ret, bool *multibyte);

#endif
