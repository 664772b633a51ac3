/*
 * Borrowed strings, and the parts of Go's package strings that several
 * functions share. Nothing here allocates.
 */
#ifndef TMPL_STR_H
#define TMPL_STR_H

#include <stdbool.h>
#include <stddef.h>

#include "func.h"

#define STR_NONE ((size_t)-1)

struct str {
	const char *p;
	size_t len;
};

static inline struct str
str_of(const struct value *v)
{
	return (struct str) { v->u.s.p, v->u.s.len };
}

/* Argument i, a string. */
static inline struct str
str_arg(const struct call *c, size_t i)
{
	return str_of(&c->args[i]);
}

static inline struct value
str_value(struct str s)
{
	return value_str(s.p, s.len);
}

/* s[from:to]; the caller has checked the bounds. */
static inline struct str
str_slice(struct str s, size_t from, size_t to)
{
	return (struct str) { s.p + from, to - from };
}

struct str str_c(const char *s);
bool str_eq(struct str a, struct str b);
int str_compare(struct str a, struct str b);
bool str_has_prefix(struct str s, struct str prefix);
bool str_has_suffix(struct str s, struct str suffix);
/* The place of the first x in s at or behind from; STR_NONE: none. */
size_t str_find(struct str s, size_t from, struct str x);
/* The place of the last c; STR_NONE: none. */
size_t str_rfind(struct str s, char c);
size_t str_find_char(struct str s, char c);
struct str str_trim_space(struct str s);

/* Counts the work of one pass over all string arguments of a call. */
int str_charge(struct call *c) MUST_CHECK;

#endif
