/*
 * Semantic versions: reading, printing, order.
 */
#include "semver.h"

#include <string.h>

#include "strconv.h"
#include "text.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS	"0123456789"
#define ALLOWED LETTERS "-" DIGITS

/* What is still to be read. */
struct reader {
	const char *p;
	size_t len;
};

static size_t
span(const struct reader *r, const char *set)
{
	size_t n = 0;

	while (n < r->len && r->p[n] != '\0' && strchr(set, r->p[n]) != NULL)
		n++;
	return n;
}

static struct value
take(struct reader *r, size_t n)
{
	struct value v = value_str(r->p, n);

	r->p += n;
	r->len -= n;
	return v;
}

static bool
take_char(struct reader *r, char c)
{
	if (r->len == 0 || r->p[0] != c)
		return false;
	(void)take(r, 1);
	return true;
}

/* Identifiers with dots between them, behind mark; nothing is read where it
 * is not there, or no identifier follows. */
static struct value
take_identifiers(struct reader *r, char mark)
{
	struct reader start = *r;
	const char *from = r->p + 1;
	size_t n;

	if (!take_char(r, mark) || span(r, ALLOWED) == 0) {
		*r = start;
		return value_str("", 0);
	}
	for (;;) {
		struct reader before;

		(void)take(r, span(r, ALLOWED));
		before = *r;
		if (!take_char(r, '.') || span(r, ALLOWED) == 0) {
			*r = before;
			break;
		}
	}
	n = (size_t)(r->p - from);
	return value_str(from, n);
}

static int
parse_segment(struct env *e, const struct value *s, uint64_t *ret)
{
	*ret = 0;
	if (s->u.s.len == 0)
		return 0;
	if (strconv_parse_uint(s->u.s.p, s->u.s.len, 10, ret) == STRCONV_OK)
		return 0;
	return env_fail(e,
	    "error parsing version segment: strconv.ParseUint: parsing "
	    "%s: value out of range",
	    WITHHELD);
}

/* Calls check for each identifier between dots. */
static int
each_identifier(struct env *e, const struct value *s,
    int (*check)(struct env *e, const char *p, size_t len))
{
	const char *p = s->u.s.p, *end = p + s->u.s.len;

	for (;;) {
		const char *dot = memchr(p, '.', (size_t)(end - p));
		const char *stop = dot == NULL ? end : dot;

		if (check(e, p, (size_t)(stop - p)) < 0)
			return -1;
		if (dot == NULL)
			return 0;
		p = dot + 1;
	}
}

static bool
only(const char *p, size_t len, const char *set)
{
	struct reader r = { p, len };

	return span(&r, set) == len;
}

static int
check_pre_part(struct env *e, const char *p, size_t len)
{
	if (only(p, len, DIGITS)) {
		if (len > 1 && p[0] == '0')
			return env_fail(e, "version segment starts with 0");
		return 0;
	}
	if (!only(p, len, ALLOWED))
		return env_fail(e, "invalid prerelease string");
	return 0;
}

static int
check_metadata_part(struct env *e, const char *p, size_t len)
{
	if (!only(p, len, ALLOWED))
		return env_fail(e, "invalid metadata string");
	return 0;
}

int
version_check_pre(struct env *e, const struct value *s)
{
	return s->u.s.len == 0 ? 0 : each_identifier(e, s, check_pre_part);
}

int
version_check_metadata(struct env *e, const struct value *s)
{
	return s->u.s.len == 0 ? 0 : each_identifier(e, s, check_metadata_part);
}

int
version_parse(struct env *e, const struct value *s, struct version *ret)
{
	struct reader r = { s->u.s.p, s->u.s.len };
	struct value parts[3] = { value_str("", 0), value_str("", 0),
		value_str("", 0) };
	size_t n;

	if (env_step(e, 1 + s->u.s.len / 64) < 0)
		return -1;
	*ret = (struct version) { .original = *s };
	(void)take_char(&r, 'v');
	parts[0] = take(&r, span(&r, DIGITS));
	if (parts[0].u.s.len == 0)
		return env_fail(e, "invalid semantic version");
	for (n = 1; n < 3 && r.len > 0 && r.p[0] == '.'; n++) {
		(void)take(&r, 1);
		parts[n] = take(&r, span(&r, DIGITS));
		if (parts[n].u.s.len == 0)
			return env_fail(e, "invalid semantic version");
	}
	ret->pre = take_identifiers(&r, '-');
	ret->metadata = take_identifiers(&r, '+');
	if (r.len > 0)
		return env_fail(e, "invalid semantic version");
	if (parse_segment(e, &parts[0], &ret->major) < 0 ||
	    parse_segment(e, &parts[1], &ret->minor) < 0 ||
	    parse_segment(e, &parts[2], &ret->patch) < 0)
		return -1;
	return version_check_pre(e, &ret->pre);
}

void
version_print(struct text *out, const struct version *v)
{
	text_printf(out, "%llu.%llu.%llu", (unsigned long long)v->major,
	    (unsigned long long)v->minor, (unsigned long long)v->patch);
	if (v->pre.u.s.len > 0) {
		text_putc(out, '-');
		text_append(out, v->pre.u.s.p, v->pre.u.s.len);
	}
	if (v->metadata.u.s.len > 0) {
		text_putc(out, '+');
		text_append(out, v->metadata.u.s.p, v->metadata.u.s.len);
	}
}

static int
compare_bytes(const struct reader *a, const struct reader *b)
{
	size_t n = a->len < b->len ? a->len : b->len;
	int r = n == 0 ? 0 : memcmp(a->p, b->p, n);

	if (r != 0)
		return r < 0 ? -1 : 1;
	return a->len < b->len ? -1 : a->len > b->len;
}

/* One identifier; numbers are lower than others. */
static int
compare_part(const struct reader *a, const struct reader *b)
{
	uint64_t x, y;
	bool a_number, b_number;

	if (compare_bytes(a, b) == 0)
		return 0;
	if (a->len == 0 || b->len == 0)
		return a->len == 0 ? -1 : 1;
	a_number = strconv_parse_uint(a->p, a->len, 10, &x) == STRCONV_OK;
	b_number = strconv_parse_uint(b->p, b->len, 10, &y) == STRCONV_OK;
	if (!a_number && !b_number)
		return compare_bytes(a, b);
	if (a_number && b_number)
		return x > y ? 1 : -1;
	return a_number ? -1 : 1;
}

/* The next identifier; empty at the end. */
static struct reader
next_part(struct reader *r)
{
	const char *dot = r->len == 0 ? NULL : memchr(r->p, '.', r->len);
	struct reader part = { r->p,
		dot == NULL ? r->len : (size_t)(dot - r->p) };

	(void)take(r, part.len + (dot != NULL));
	return part;
}

int
version_compare_pre(const struct value *a, const struct value *b)
{
	struct reader x = { a->u.s.p, a->u.s.len },
		      y = { b->u.s.p, b->u.s.len };
	int r = 0;

	while (r == 0 && (x.len > 0 || y.len > 0)) {
		struct reader p = next_part(&x), q = next_part(&y);

		r = compare_part(&p, &q);
	}
	return r;
}

int
version_compare(const struct version *a, const struct version *b)
{
	if (a->major != b->major)
		return a->major < b->major ? -1 : 1;
	if (a->minor != b->minor)
		return a->minor < b->minor ? -1 : 1;
	if (a->patch != b->patch)
		return a->patch < b->patch ? -1 : 1;
	if (a->pre.u.s.len == 0 || b->pre.u.s.len == 0)
		return (a->pre.u.s.len == 0) - (b->pre.u.s.len == 0);
	return version_compare_pre(&a->pre, &b->pre);
}
