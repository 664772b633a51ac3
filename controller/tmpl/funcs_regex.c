/*
 * Regular expressions: sprig's functions on Go's package regexp.
 */
#include "func.h"

#include <string.h>

#include "base/mem.h"
#include "gore.h"
#include "unicode.h"
#include "utf8.h"

#define NUMBER_MAX 100000000

/* args[0] is the pattern. The functions without must panic in Go, with a text
 * of their own. -2: Go would take the pattern. */
static int
compile(struct call *c, struct gore **ret)
{
	const struct value *p = &c->args[0];
	char *cause;
	int rc = gore_compile(c->env, p->u.s.p, p->u.s.len, ret);

	if (rc == 0 || rc == -2)
		return rc;
	if (strncmp(c->name, "must", 4) == 0 || c->env->exhausted)
		return -1;
	cause = STEAL(c->env->fault);
	(void)call_fail(c, "regexp: Compile(%s): %s", WITHHELD,
	    cause == NULL ? "failed" : cause);
	mem_free_wiped(cause);
	return -1;
}

/* The pattern, about to search args[1]; only_whether: where does not matter. */
static int
prepare(struct call *c, bool only_whether, struct gore **ret)
{
	const struct value *s = &c->args[1];
	AUTO(gore) struct gore *re = NULL;

	int rc = compile(c, &re);

	if (rc < 0)
		return rc;
	if (gore_pattern(re)->odd_ends && !only_whether) {
		(void)call_fail(c,
		    "a repeated group that would rather match nothing is not "
		    "supported");
		return -2;
	}
	if (gore_subject(re, s->u.s.p, s->u.s.len) < 0)
		return -2;
	*ret = STEAL(re);
	return 0;
}

static int
fn_match(struct call *c, struct value *ret)
{
	AUTO(gore) struct gore *re = NULL;
	int rc = prepare(c, true, &re);

	if (rc < 0) {
		/* Without must, a bad pattern matches nothing. */
		if (rc == -2 || strncmp(c->name, "must", 4) == 0 ||
		    c->env->exhausted)
			return -1;
		env_forgive(c->env);
		*ret = value_bool(false);
		return 0;
	}
	rc = gore_match(re, 0);
	*ret = value_bool(rc == 1);
	return rc < 0 ? -1 : 0;
}

static struct value
part(const struct value *s, size_t start, size_t end)
{
	return value_str(s->u.s.len == 0 ? "" : s->u.s.p + start, end - start);
}

static int
fn_find(struct call *c, struct value *ret)
{
	AUTO(gore) struct gore *re = NULL;
	size_t start, end;
	int rc;

	if (prepare(c, false, &re) < 0)
		return -1;
	rc = gore_match(re, 0);
	*ret = value_str("", 0);
	if (rc == 1 && gore_group(re, 0, &start, &end))
		*ret = part(&c->args[1], start, end);
	return rc < 0 ? -1 : 0;
}

/* Goes through the matches as Go does: none that is empty right behind
 * another one. */
struct walk {
	struct gore *re;
	const char *p;
	size_t len;
	size_t pos;
	size_t last_end; /* SIZE_MAX: none yet */
	size_t start, end;
};

static int
next_match(struct walk *w)
{
	for (;;) {
		bool accept = true;
		uint32_t r;
		int rc;

		if (w->pos > w->len)
			return 0;
		rc = gore_match(w->re, w->pos);
		if (rc <= 0)
			return rc;
		(void)gore_group(w->re, 0, &w->start, &w->end);
		if (w->end == w->pos) {
			size_t width;

			accept = w->start != w->last_end;
			width = utf8_decode(w->p + w->pos, w->len - w->pos, &r);
			w->pos += width > 0 ? width : 1;
		} else {
			w->pos = w->end;
		}
		w->last_end = w->end;
		if (accept)
			return 1;
	}
}

static struct walk
walk_of(struct gore *re, const struct value *s)
{
	return (struct walk) {
		.re = re,
		.p = s->u.s.p,
		.len = s->u.s.len,
		.last_end = SIZE_MAX,
	};
}

static int
fn_find_all(struct call *c, struct value *ret)
{
	int64_t n = c->args[2].u.i;
	AUTO(gore) struct gore *re = NULL;
	struct walk w;
	int rc = 0;

	*ret = list_nil(&type_strings);
	if (prepare(c, false, &re) < 0)
		return -1;
	w = walk_of(re, &c->args[1]);
	for (int64_t i = 0; n < 0 || i < n; i++) {
		rc = next_match(&w);
		if (rc <= 0)
			break;
		if (list_append(
			c->env, ret, part(&c->args[1], w.start, w.end)) < 0)
			return -1;
	}
	return rc < 0 ? -1 : 0;
}

static int
split(struct call *c, struct gore *re, int64_t n, struct value *ret)
{
	const struct value *s = &c->args[1];
	struct walk w = walk_of(re, s);
	size_t begin = 0, end = 0;
	int rc;

	for (int64_t i = 0; n < 0 || i < n; i++) {
		rc = next_match(&w);
		if (rc < 0)
			return -1;
		if (rc == 0 || (n > 0 && (int64_t)list_len(ret) >= n - 1))
			break;
		end = w.start;
		if (w.end != 0 &&
		    list_append(c->env, ret, part(s, begin, end)) < 0)
			return -1;
		begin = w.end;
	}
	if (end != s->u.s.len)
		return list_append(c->env, ret, part(s, begin, s->u.s.len));
	return 0;
}

static int
fn_split(struct call *c, struct value *ret)
{
	const struct value *s = &c->args[1];
	int64_t n = c->args[2].u.i;
	AUTO(gore) struct gore *re = NULL;

	*ret = list_nil(&type_strings);
	if (prepare(c, false, &re) < 0)
		return -1;
	if (n == 0)
		return 0;
	if (list_new(c->env, &type_strings, 0, ret) < 0)
		return -1;
	if (c->args[0].u.s.len > 0 && s->u.s.len == 0)
		return list_append(c->env, ret, value_str("", 0));
	return split(c, re, n, ret);
}

/* A reference in a replacement: number, or name where that is -1. */
struct reference {
	const char *name;
	size_t len;
	int number;
};

static int
reference_number(const char *p, size_t len)
{
	int n = 0;

	if (len > 1 && p[0] == '0')
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (p[i] < '0' || p[i] > '9' || n >= NUMBER_MAX)
			return -1;
		n = n * 10 + (p[i] - '0');
	}
	return n;
}

/* What stands behind a $: its length, 0 where it is no reference. */
static size_t
read_reference(const char *p, size_t len, struct reference *ret)
{
	bool brace = len > 0 && p[0] == '{';
	size_t i = brace, w;

	for (; i < len; i += w) {
		uint32_t r;

		w = utf8_decode(p + i, len - i, &r);
		if (!unicode_is_letter(r) && !unicode_is_digit(r) && r != '_')
			break;
	}
	if (i == brace || (brace && (i >= len || p[i] != '}')))
		return 0;
	ret->name = p + brace;
	ret->len = i - brace;
	ret->number = reference_number(ret->name, ret->len);
	return i + brace;
}

static void
put_reference(struct text *out, const struct gore *re, const char *subject,
    const struct reference *ref)
{
	const struct gore_pattern *p = gore_pattern(re);
	size_t start, end;

	if (ref->number != 0 && p->odd_groups) {
		(void)env_fail(out->env,
		    "groups inside a repeated group that may match nothing "
		    "are not supported");
		out->failed = true;
		return;
	}
	if (ref->number >= 0) {
		if (gore_group(re, (size_t)ref->number, &start, &end))
			text_append(out, subject + start, end - start);
		return;
	}
	for (size_t i = 1; i <= p->ngroups; i++) {
		if (p->names[i].len != ref->len ||
		    memcmp(p->names[i].p, ref->name, ref->len) != 0 ||
		    !gore_group(re, i, &start, &end))
			continue;
		text_append(out, subject + start, end - start);
		return;
	}
}

static void
expand(struct text *out, const struct gore *re, const char *subject,
    const struct value *repl)
{
	const char *p = repl->u.s.p, *dollar;
	size_t len = repl->u.s.len;

	while (len > 0 && !out->failed) {
		struct reference ref;
		size_t n;

		dollar = memchr(p, '$', len);
		if (dollar == NULL)
			break;
		n = (size_t)(dollar - p);
		text_append(out, p, n);
		p += n + 1;
		len -= n + 1;
		if (len > 0 && p[0] == '$') {
			text_putc(out, '$');
			n = 1;
		} else {
			n = read_reference(p, len, &ref);
			if (n == 0)
				text_putc(out, '$');
			else
				put_reference(out, re, subject, &ref);
		}
		p += n;
		len -= n;
	}
	text_append(out, p, len);
}

/* Behind a match that ended at end, by one character at least. */
static size_t
search_behind(const struct value *s, size_t pos, size_t end)
{
	uint32_t r;
	size_t w = utf8_decode(s->u.s.p + pos, s->u.s.len - pos, &r);

	if (pos + w > end)
		return pos + w;
	return pos + 1 > end ? pos + 1 : end;
}

static int
replace_all(struct call *c, struct gore *re, bool is_literal, struct text *out)
{
	const struct value *s = &c->args[1], *repl = &c->args[2];
	size_t last_end = 0, pos = 0, start, end;

	while (pos <= s->u.s.len) {
		int rc = gore_match(re, pos);

		if (rc < 0)
			return -1;
		if (rc == 0)
			break;
		(void)gore_group(re, 0, &start, &end);
		text_append(out, s->u.s.p + last_end, start - last_end);
		if (end > last_end || start == 0) {
			if (is_literal)
				text_append(out, repl->u.s.p, repl->u.s.len);
			else
				expand(out, re, s->u.s.p, repl);
		}
		last_end = end;
		if (out->failed)
			return -1;
		pos = search_behind(s, pos, end);
	}
	text_append(out, s->u.s.p + last_end, s->u.s.len - last_end);
	return 0;
}

static int
replace(struct call *c, bool is_literal, struct value *ret)
{
	AUTO(gore) struct gore *re = NULL;
	struct text out;

	if (prepare(c, false, &re) < 0)
		return -1;
	text_init(&out, c->env);
	if (replace_all(c, re, is_literal, &out) < 0)
		return -1;
	return text_done(&out, ret);
}

static int
fn_replace_all(struct call *c, struct value *ret)
{
	return replace(c, false, ret);
}

static int
fn_replace_all_literal(struct call *c, struct value *ret)
{
	return replace(c, true, ret);
}

static int
fn_quote_meta(struct call *c, struct value *ret)
{
	const struct value *s = &c->args[0];
	struct text out;

	text_init(&out, c->env);
	for (size_t i = 0; i < s->u.s.len && !out.failed; i++) {
		char ch = s->u.s.p[i];

		if (ch != '\0' && strchr("\\.+*?()|[]{}^$", ch) != NULL)
			text_putc(&out, '\\');
		text_putc(&out, ch);
	}
	return text_done(&out, ret);
}

const struct func funcs_regex[] = {
	{ "mustRegexFind", "ss:s", fn_find, 0 },
	{ "mustRegexFindAll", "ssi:S", fn_find_all, 0 },
	{ "mustRegexMatch", "ss:b", fn_match, 0 },
	{ "mustRegexReplaceAll", "sss:s", fn_replace_all, 0 },
	{ "mustRegexReplaceAllLiteral", "sss:s", fn_replace_all_literal, 0 },
	{ "mustRegexSplit", "ssi:S", fn_split, 0 },
	{ "regexFind", "ss:s", fn_find, 0 },
	{ "regexFindAll", "ssi:S", fn_find_all, 0 },
	{ "regexMatch", "ss:b", fn_match, 0 },
	{ "regexQuoteMeta", "s:s", fn_quote_meta, 0 },
	{ "regexReplaceAll", "sss:s", fn_replace_all, 0 },
	{ "regexReplaceAllLiteral", "sss:s", fn_replace_all_literal, 0 },
	{ "regexSplit", "ssi:S", fn_split, 0 },
	{ NULL, NULL, NULL, 0 },
};
