/*
 * sprig's functions on strings.
 */
#include "casing.h"
#include "func.h"
#include "print.h"
#include "quote.h"
#include "str.h"
#include "unicode.h"
#include "utf8.h"

#include <string.h>

/* Widths below which goutils abbreviates nothing. */
#define ABBREV_MIN	4
#define ABBREV_BOTH_MIN 7
#define ABBREV_MARK	"..."
#define ABBREV_MARK_LEN 3

#define NEGATIVE_REPEAT "strings: negative Repeat count"
#define OUT_OF_BOUNDS	"runtime error: slice bounds out of range " WITHHELD

static int
fn_hello(struct call *c, struct value *ret)
{
	return ret_cstr(c, "Hello!", ret);
}

static int
fn_trim(struct call *c, struct value *ret)
{
	if (str_charge(c) < 0)
		return -1;
	*ret = str_value(str_trim_space(str_arg(c, 0)));
	return 0;
}

static bool
in_set(struct str set, uint32_t r)
{
	uint32_t member;

	while (set.len > 0) {
		size_t w = utf8_decode(set.p, set.len, &member);

		if (member == r)
			return true;
		set = str_slice(set, w, set.len);
	}
	return false;
}

static int
fn_trim_all(struct call *c, struct value *ret)
{
	struct str set = str_arg(c, 0), s = str_arg(c, 1);
	uint32_t r;
	size_t w;

	while ((w = utf8_decode(s.p, s.len, &r)) > 0 && in_set(set, r)) {
		if (str_charge(c) < 0)
			return -1;
		s = str_slice(s, w, s.len);
	}
	while ((w = utf8_decode_last(s.p, s.len, &r)) > 0 && in_set(set, r)) {
		if (str_charge(c) < 0)
			return -1;
		s.len -= w;
	}
	*ret = str_value(s);
	return 0;
}

static int
fn_trim_prefix(struct call *c, struct value *ret)
{
	struct str x = str_arg(c, 0), s = str_arg(c, 1);

	if (str_charge(c) < 0)
		return -1;
	if (str_has_prefix(s, x))
		s = str_slice(s, x.len, s.len);
	*ret = str_value(s);
	return 0;
}

static int
fn_trim_suffix(struct call *c, struct value *ret)
{
	struct str x = str_arg(c, 0), s = str_arg(c, 1);

	if (str_charge(c) < 0)
		return -1;
	if (str_has_suffix(s, x))
		s.len -= x.len;
	*ret = str_value(s);
	return 0;
}

/* A function from a string to a string that builds its result. */
static int
transform(struct call *c, void (*fn)(struct text *out, struct str s),
    struct value *ret)
{
	struct text t;

	if (str_charge(c) < 0)
		return -1;
	text_init(&t, c->env);
	fn(&t, str_arg(c, 0));
	return text_done(&t, ret);
}

static int
fn_upper(struct call *c, struct value *ret)
{
	return transform(c, casing_upper, ret);
}

static int
fn_lower(struct call *c, struct value *ret)
{
	return transform(c, casing_lower, ret);
}

static int
fn_title(struct call *c, struct value *ret)
{
	return transform(c, casing_title, ret);
}

static int
fn_untitle(struct call *c, struct value *ret)
{
	return transform(c, casing_untitle, ret);
}

static int
fn_swapcase(struct call *c, struct value *ret)
{
	return transform(c, casing_swap, ret);
}

static int
fn_camelcase(struct call *c, struct value *ret)
{
	return transform(c, casing_pascal, ret);
}

static void
snake(struct text *out, struct str s)
{
	casing_connected(out, s, '_');
}

static void
kebab(struct text *out, struct str s)
{
	casing_connected(out, s, '-');
}

static int
fn_snakecase(struct call *c, struct value *ret)
{
	return transform(c, snake, ret);
}

static int
fn_kebabcase(struct call *c, struct value *ret)
{
	return transform(c, kebab, ret);
}

/* goutils takes each byte for a Latin-1 character, here and in nospace. */
static void
initials(struct text *out, struct str s)
{
	bool gap = true;

	for (size_t i = 0; i < s.len && !out->failed; i++) {
		uint32_t r = (unsigned char)s.p[i];

		if (!unicode_is_space(r) && gap)
			text_putrune(out, r);
		gap = unicode_is_space(r);
	}
}

static int
fn_initials(struct call *c, struct value *ret)
{
	return transform(c, initials, ret);
}

static void
nospace(struct text *out, struct str s)
{
	bool found = false;

	for (size_t i = 0; i < s.len && !found; i++)
		found = unicode_is_space((unsigned char)s.p[i]);
	if (!found) {
		text_append(out, s.p, s.len);
		return;
	}
	for (size_t i = 0; i < s.len && !out->failed; i++) {
		uint32_t r = (unsigned char)s.p[i];

		if (!unicode_is_space(r))
			text_putrune(out, r);
	}
}

static int
fn_nospace(struct call *c, struct value *ret)
{
	return transform(c, nospace, ret);
}

static int
fn_repeat(struct call *c, struct value *ret)
{
	struct str s = str_arg(c, 1);
	int64_t n = c->args[0].u.i;
	size_t total;
	struct text t;

	if (n < 0)
		return call_fail(c, NEGATIVE_REPEAT);
	if (__builtin_mul_overflow((size_t)n, s.len, &total))
		return env_exhaust(c->env, "memory");
	if (env_step(c->env, 1 + total / 64) < 0)
		return -1;
	text_init(&t, c->env);
	if (s.len == 1) {
		text_fill(&t, s.p[0], total);
		return text_done(&t, ret);
	}
	while (t.len < total && !t.failed)
		text_append(&t, s.p, s.len);
	return text_done(&t, ret);
}

static int
fn_substr(struct call *c, struct value *ret)
{
	int64_t start = c->args[0].u.i, end = c->args[1].u.i, len;
	struct str s = str_arg(c, 2);

	len = (int64_t)s.len;
	if (start < 0) {
		start = 0;
		if (end < 0 || end > len)
			return call_fail(c, OUT_OF_BOUNDS);
	} else if (end < 0 || end > len) {
		end = len;
	}
	if (start > end)
		return call_fail(c, OUT_OF_BOUNDS);
	*ret = str_value(str_slice(s, (size_t)start, (size_t)end));
	return 0;
}

static int
fn_trunc(struct call *c, struct value *ret)
{
	int64_t n = c->args[0].u.i;
	struct str s = str_arg(c, 1);
	int64_t len = (int64_t)s.len;

	if (n < 0 && len + n > 0)
		s = str_slice(s, (size_t)(len + n), s.len);
	if (n >= 0 && len > n)
		s.len = (size_t)n;
	*ret = str_value(s);
	return 0;
}

/* goutils' AbbreviateFull; width is at least ABBREV_MIN. */
static int
abbreviate(struct call *c, struct str s, int64_t left, int64_t width,
    struct value *ret)
{
	int64_t len = (int64_t)s.len, keep = width - ABBREV_MARK_LEN, room;
	struct text t;

	if (len <= width) {
		*ret = str_value(s);
		return 0;
	}
	text_init(&t, c->env);
	if (left > len)
		left = len;
	/* Wraps in Go too, for offsets near the smallest int. */
	if (__builtin_sub_overflow(len, left, &room) || room < keep)
		left = len - keep;
	if (left <= ABBREV_MIN) {
		text_append(&t, s.p, (size_t)keep);
		text_puts(&t, ABBREV_MARK);
		return text_done(&t, ret);
	}
	/* Only a wrapped offset gets here with so little room. */
	if (width < ABBREV_BOTH_MIN)
		return text_done(&t, ret);
	text_puts(&t, ABBREV_MARK);
	if (left + keep < len) {
		text_append(&t, s.p + left, (size_t)(keep - ABBREV_MARK_LEN));
		text_puts(&t, ABBREV_MARK);
	} else {
		text_append(&t, s.p + (len - keep), (size_t)keep);
	}
	return text_done(&t, ret);
}

static int
fn_abbrev(struct call *c, struct value *ret)
{
	int64_t width = c->args[0].u.i;

	if (width < ABBREV_MIN) {
		*ret = c->args[1];
		return 0;
	}
	return abbreviate(c, str_arg(c, 1), 0, width, ret);
}

static int
fn_abbrevboth(struct call *c, struct value *ret)
{
	int64_t left = c->args[0].u.i, width = c->args[1].u.i;

	if (width < ABBREV_MIN || (left > 0 && width < ABBREV_BOTH_MIN)) {
		*ret = c->args[2];
		return 0;
	}
	return abbreviate(c, str_arg(c, 2), left, width, ret);
}

struct wrapping {
	size_t width;
	struct str eol;
	bool cut_words;
};

/* A word longer than the width stands at the front of s; how much of s it
 * and the line's end take. */
static size_t
wrap_long_word(struct text *out, const struct wrapping *w, struct str s)
{
	size_t end;

	if (w->cut_words) {
		text_append(out, s.p, w->width);
		text_append(out, w->eol.p, w->eol.len);
		return w->width;
	}
	end = str_find_char(str_slice(s, w->width, s.len), ' ');
	if (end == STR_NONE) {
		text_append(out, s.p, s.len);
		return s.len;
	}
	end += w->width;
	text_append(out, s.p, end);
	text_append(out, w->eol.p, w->eol.len);
	return end + 1;
}

static int
wrap(struct call *c, const struct wrapping *w, struct str s, struct value *ret)
{
	struct text t;

	text_init(&t, c->env);
	while (s.len > w->width && !t.failed) {
		size_t used, space;

		if (s.p[0] == ' ') {
			s = str_slice(s, 1, s.len);
			continue;
		}
		if (env_step(c->env, 1 + w->width / 64) < 0)
			return -1;
		space = str_rfind(str_slice(s, 0, w->width + 1), ' ');
		if (space == STR_NONE) {
			used = wrap_long_word(&t, w, s);
		} else {
			text_append(&t, s.p, space);
			text_append(&t, w->eol.p, w->eol.len);
			used = space + 1;
		}
		s = str_slice(s, used, s.len);
	}
	text_append(&t, s.p, s.len);
	return text_done(&t, ret);
}

static size_t
wrap_width(const struct value *v)
{
	return v->u.i < 1 ? 1 : (size_t)v->u.i;
}

static int
fn_wrap(struct call *c, struct value *ret)
{
	struct wrapping w = { wrap_width(&c->args[0]), str_c("\n"), false };

	if (str_charge(c) < 0)
		return -1;
	return wrap(c, &w, str_arg(c, 1), ret);
}

static int
fn_wrap_with(struct call *c, struct value *ret)
{
	struct wrapping w = { wrap_width(&c->args[0]), str_arg(c, 1), true };

	if (str_charge(c) < 0)
		return -1;
	if (w.eol.len == 0)
		w.eol = str_c("\n");
	return wrap(c, &w, str_arg(c, 2), ret);
}

static int
fn_contains(struct call *c, struct value *ret)
{
	if (str_charge(c) < 0)
		return -1;
	*ret =
	    value_bool(str_find(str_arg(c, 1), 0, str_arg(c, 0)) != STR_NONE);
	return 0;
}

static int
fn_has_prefix(struct call *c, struct value *ret)
{
	if (str_charge(c) < 0)
		return -1;
	*ret = value_bool(str_has_prefix(str_arg(c, 1), str_arg(c, 0)));
	return 0;
}

static int
fn_has_suffix(struct call *c, struct value *ret)
{
	if (str_charge(c) < 0)
		return -1;
	*ret = value_bool(str_has_suffix(str_arg(c, 1), str_arg(c, 0)));
	return 0;
}

/* Go puts new before each character and at the end. */
static void
insert_everywhere(struct text *out, struct str new, struct str s)
{
	uint32_t r;

	while (s.len > 0 && !out->failed) {
		size_t w = utf8_decode(s.p, s.len, &r);

		text_append(out, new.p, new.len);
		text_append(out, s.p, w);
		s = str_slice(s, w, s.len);
	}
	text_append(out, new.p, new.len);
}

static void
replace(struct text *out, struct str old, struct str new, struct str s)
{
	size_t from = 0, at;

	if (str_eq(old, new)) {
		text_append(out, s.p, s.len);
		return;
	}
	if (old.len == 0) {
		insert_everywhere(out, new, s);
		return;
	}
	while ((at = str_find(s, from, old)) != STR_NONE && !out->failed) {
		text_append(out, s.p + from, at - from);
		text_append(out, new.p, new.len);
		from = at + old.len;
	}
	text_append(out, s.p + from, s.len - from);
}

static int
fn_replace(struct call *c, struct value *ret)
{
	struct text t;

	if (str_charge(c) < 0)
		return -1;
	text_init(&t, c->env);
	replace(&t, str_arg(c, 0), str_arg(c, 1), str_arg(c, 2));
	return text_done(&t, ret);
}

static int
fn_plural(struct call *c, struct value *ret)
{
	*ret = c->args[2].u.i == 1 ? c->args[0] : c->args[1];
	return 0;
}

static int
fn_cat(struct call *c, struct value *ret)
{
	bool first = true;
	struct text t;

	text_init(&t, c->env);
	for (size_t i = 0; i < c->nargs; i++) {
		if (c->args[i].type == NULL)
			continue;
		if (!first)
			text_putc(&t, ' ');
		first = false;
		print_value(&t, &c->args[i]);
	}
	return text_done(&t, ret);
}

static int
indent(struct call *c, const char *before, struct value *ret)
{
	struct str s = str_arg(c, 1);
	int64_t n = c->args[0].u.i;
	size_t from = 0, at;
	struct text t;

	if (n < 0)
		return call_fail(c, NEGATIVE_REPEAT);
	if (str_charge(c) < 0)
		return -1;
	text_init(&t, c->env);
	text_puts(&t, before);
	text_fill(&t, ' ', (size_t)n);
	while ((at = str_find(s, from, str_c("\n"))) != STR_NONE && !t.failed) {
		text_append(&t, s.p + from, at + 1 - from);
		text_fill(&t, ' ', (size_t)n);
		from = at + 1;
	}
	text_append(&t, s.p + from, s.len - from);
	return text_done(&t, ret);
}

static int
fn_indent(struct call *c, struct value *ret)
{
	return indent(c, "", ret);
}

static int
fn_nindent(struct call *c, struct value *ret)
{
	return indent(c, "\n", ret);
}

static int
fn_quote(struct call *c, struct value *ret)
{
	bool first = true;
	struct value s;
	struct text t;

	if (str_charge(c) < 0)
		return -1;
	text_init(&t, c->env);
	for (size_t i = 0; i < c->nargs; i++) {
		if (c->args[i].type == NULL)
			continue;
		if (value_strval(c->env, &c->args[i], &s) < 0)
			return -1;
		if (!first)
			text_putc(&t, ' ');
		first = false;
		quote_string(&t, s.u.s.p, s.u.s.len, false);
	}
	return text_done(&t, ret);
}

static int
fn_squote(struct call *c, struct value *ret)
{
	bool first = true;
	struct text t;

	text_init(&t, c->env);
	for (size_t i = 0; i < c->nargs; i++) {
		if (c->args[i].type == NULL)
			continue;
		if (!first)
			text_putc(&t, ' ');
		first = false;
		text_putc(&t, '\'');
		print_value(&t, &c->args[i]);
		text_putc(&t, '\'');
	}
	return text_done(&t, ret);
}

static int
fn_to_string(struct call *c, struct value *ret)
{
	return value_strval(c->env, &c->args[0], ret);
}

const struct func funcs_string[] = {
	{ "abbrev", "is:s", fn_abbrev, 0 },
	{ "abbrevboth", "iis:s", fn_abbrevboth, 0 },
	{ "camelcase", "s:s", fn_camelcase, 0 },
	{ "cat", "a*:s", fn_cat, 0 },
	{ "contains", "ss:b", fn_contains, 0 },
	{ "hasPrefix", "ss:b", fn_has_prefix, 0 },
	{ "hasSuffix", "ss:b", fn_has_suffix, 0 },
	{ "hello", ":s", fn_hello, 0 },
	{ "indent", "is:s", fn_indent, 0 },
	{ "initials", "s:s", fn_initials, 0 },
	{ "kebabcase", "s:s", fn_kebabcase, 0 },
	{ "lower", "s:s", fn_lower, 0 },
	{ "nindent", "is:s", fn_nindent, 0 },
	{ "nospace", "s:s", fn_nospace, 0 },
	{ "plural", "ssi:s", fn_plural, 0 },
	{ "quote", "a*:s", fn_quote, 0 },
	{ "repeat", "is:s", fn_repeat, 0 },
	{ "replace", "sss:s", fn_replace, 0 },
	{ "snakecase", "s:s", fn_snakecase, 0 },
	{ "squote", "a*:s", fn_squote, 0 },
	{ "substr", "iis:s", fn_substr, 0 },
	{ "swapcase", "s:s", fn_swapcase, 0 },
	{ "title", "s:s", fn_title, 0 },
	{ "toString", "a:s", fn_to_string, 0 },
	{ "trim", "s:s", fn_trim, 0 },
	{ "trimAll", "ss:s", fn_trim_all, 0 },
	{ "trimPrefix", "ss:s", fn_trim_prefix, 0 },
	{ "trimSuffix", "ss:s", fn_trim_suffix, 0 },
	{ "trimall", "ss:s", fn_trim_all, 0 },
	{ "trunc", "is:s", fn_trunc, 0 },
	{ "untitle", "s:s", fn_untitle, 0 },
	{ "upper", "s:s", fn_upper, 0 },
	{ "wrap", "is:s", fn_wrap, 0 },
	{ "wrapWith", "iss:s", fn_wrap_with, 0 },
	{ NULL, NULL, NULL, 0 },
};
