/*
 * Letter case: Go's strings.ToUpper, ToLower and Title, goutils'
 * Uncapitalize and SwapCase, xstrings' Pascal, snake and kebab case. Invalid
 * UTF-8 becomes U+FFFD where it does in Go. The caller has charged the work.
 */
#ifndef TMPL_CASING_H
#define TMPL_CASING_H

#include "str.h"
#include "text.h"

void casing_upper(struct text *out, struct str s);
void casing_lower(struct text *out, struct str s);
void casing_title(struct text *out, struct str s);
void casing_untitle(struct text *out, struct str s);
void casing_swap(struct text *out, struct str s);
void casing_pascal(struct text *out, struct str s);
/* Words in lower case, joined by the connector: snake and kebab case. */
void casing_connected(struct text *out, struct str s, char connector);

#endif
