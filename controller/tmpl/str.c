/*
 * Borrowed strings.
 */
#include "str.h"

#include <string.h>

#include "unicode.h"
#include "utf8.h"

/* Bytes that count as one step where a function looks at each. */
#define STEP_BYTES 16

struct str
str_c(const char *s)
{
	return (struct str) { s, strlen(s) };
}

bool
str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

int
str_compare(struct str a, struct str b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int r = n == 0 ? 0 : memcmp(a.p, b.p, n);

	if (r != 0)
		return r;
	return a.len < b.len ? -1 : a.len > b.len;
}

bool
str_has_prefix(struct str s, struct str prefix)
{
	return s.len >= prefix.len &&
	    str_eq(str_slice(s, 0, prefix.len), prefix);
}

bool
str_has_suffix(struct str s, struct str suffix)
{
	return s.len >= suffix.len &&
	    str_eq(str_slice(s, s.len - suffix.len, s.len), suffix);
}

size_t
str_find(struct str s, size_t from, struct str x)
{
	const char *at;

	if (from > s.len)
		return STR_NONE;
	if (x.len == 0)
		return from;
	if (from == s.len)
		return STR_NONE;
	at = memmem(s.p + from, s.len - from, x.p, x.len);
	return at == NULL ? STR_NONE : (size_t)(at - s.p);
}

size_t
str_rfind(struct str s, char c)
{
	const char *at = s.len == 0 ? NULL : memrchr(s.p, c, s.len);

	return at == NULL ? STR_NONE : (size_t)(at - s.p);
}

size_t
str_find_char(struct str s, char c)
{
	const char *at = s.len == 0 ? NULL : memchr(s.p, c, s.len);

	return at == NULL ? STR_NONE : (size_t)(at - s.p);
}

struct str
str_trim_space(struct str s)
{
	uint32_t r;
	size_t w;

	while ((w = utf8_decode(s.p, s.len, &r)) > 0 && unicode_is_space(r))
		s = str_slice(s, w, s.len);
	while (
	    (w = utf8_decode_last(s.p, s.len, &r)) > 0 && unicode_is_space(r))
		s.len -= w;
	return s;
}

int
str_charge(struct call *c)
{
	uint64_t n = 1;

	for (size_t i = 0; i < c->nargs; i++) {
		if (c->args[i].type == &type_string)
			n += c->args[i].u.s.len / STEP_BYTES;
	}
	return env_step(c->env, n);
}
