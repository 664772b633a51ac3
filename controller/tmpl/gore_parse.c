/*
 * Go's regexp/syntax: reads a pattern, refuses what Go refuses, and writes
 * the same for PCRE2. The writing keeps to a small part of PCRE2's language:
 * characters by number, classes, groups, \p{..}, and look-around for the
 * anchors.
 */
#include "gore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "gore_parser.h"
#include "utf8.h"

#define REPEAT_MAX 1000
#define NUMBER_MAX 100000000

/*
 * PCRE2 counts its decisions, and neither the characters that one item runs
 * over nor those of a long row of items without a choice. So that the time
 * for one decision is bounded, too, a callout, which looks at the clock,
 * stands before each item that may take so many characters, at the beginning
 * of each group and at least between so many items.
 */
#define LOOK	 "(?C1)"
#define LONG_RUN 16
#define LONG_ROW 64

int
gore_fail(struct parser *x, const char *what)
{
	return env_fail(
	    x->env, "error parsing regexp: %s: `%s`", what, WITHHELD);
}

/* Go would take it. */
int
gore_refuse(struct parser *x, const char *what)
{
	x->out->refused = true;
	return gore_fail(x, what);
}

size_t
gore_left(const struct parser *x)
{
	return (size_t)(x->end - x->p);
}

bool
gore_is_next(const struct parser *x, size_t at, char c)
{
	return gore_left(x) > at && x->p[at] == c;
}

int
gore_next_rune(struct parser *x, uint32_t *r)
{
	size_t w = utf8_decode(x->p, gore_left(x), r);

	if (*r == UTF8_ERROR && w == 1)
		return gore_fail(x, BAD_UTF8);
	x->p += w;
	return 0;
}

int
gore_check_utf8(struct parser *x, const char *p, size_t len)
{
	return utf8_valid(p, len) ? 0 : gore_fail(x, BAD_UTF8);
}

struct level *
gore_level(struct parser *x)
{
	return &x->levels[x->depth];
}

void
gore_put(struct parser *x, const char *s)
{
	text_puts(&x->out->text, s);
}

/* The last item goes into its branch. */
static void
end_atom(struct level *l)
{
	if (l->need > l->most)
		l->most = l->need;
	if (!l->has_atom)
		return;
	l->branch_empty = l->branch_empty && l->atom_empty;
	l->branch.empty = l->branch.empty && l->item.empty;
	l->branch.takes = l->branch.takes || l->item.takes;
	l->branch.early = l->branch.early || l->item.early;
}

/* Before an item: the case mode that it needs. */
void
gore_begin_atom(struct parser *x)
{
	struct level *l = gore_level(x);
	bool fold = (x->flags & FLAG_FOLD) != 0;

	end_atom(l);
	if (++x->row >= LONG_ROW) {
		gore_put(x, LOOK);
		x->row = 0;
	}
	if (fold != l->fold) {
		gore_put(x, fold ? "(?i)" : "(?-i)");
		l->fold = fold;
	}
	l->atom = x->out->text.len;
	l->has_atom = true;
	l->repeated = false;
	l->need = 1;
	l->atom_empty = false;
	l->item = (struct order) { .takes = true };
	l->atom_groups = x->out->ngroups;
}

void
gore_put_rune(struct parser *x, uint32_t r)
{
	text_printf(&x->out->text, "\\x{%x}", r);
}

static void
put_literal(struct parser *x, uint32_t r)
{
	gore_begin_atom(x);
	if (r >= SURR_FIRST && r <= SURR_LAST)
		gore_put(x, "(?:(?!))"); /* no text holds one */
	else
		gore_put_rune(x, r);
}

/* inside: it may hold between two characters. */
static void
put_assertion(struct parser *x, const char *s, bool inside)
{
	gore_begin_atom(x);
	text_printf(&x->out->text, "(?:%s)", s);
	gore_level(x)->atom_empty = true;
	gore_level(x)->item = (struct order) { .empty = inside };
}

/* n in {n}; false: there is none. */
static bool
read_count(struct parser *x, int *n)
{
	if (gore_left(x) == 0 || x->p[0] < '0' || x->p[0] > '9')
		return false;
	if (gore_left(x) >= 2 && x->p[0] == '0' && x->p[1] >= '0' &&
	    x->p[1] <= '9')
		return false;
	for (*n = 0; gore_left(x) > 0 && x->p[0] >= '0' && x->p[0] <= '9';
	     x->p++) {
		if (*n >= 0)
			*n = *n >= NUMBER_MAX ? -1 : *n * 10 + (*x->p - '0');
	}
	return true;
}

/* {n} {n,} {n,m}; false, and nothing read: it is none, but literal text. */
static bool
read_repeat(struct parser *x, int *min, int *max)
{
	const char *start = x->p;

	x->p++;
	if (!read_count(x, min))
		goto none;
	*max = *min;
	if (gore_is_next(x, 0, ',')) {
		x->p++;
		if (gore_is_next(x, 0, '}'))
			*max = -1;
		else if (!read_count(x, max))
			goto none;
		else if (*max < 0)
			*min = -1;
	}
	if (gore_is_next(x, 0, '}')) {
		x->p++;
		return true;
	}
none:
	x->p = start;
	return false;
}

/* The last item in a group of its own, so that it can be repeated again. */
static void
wrap_atom(struct parser *x)
{
	struct text *t = &x->out->text;
	size_t at = gore_level(x)->atom, n;

	gore_put(x, "(?:)");
	if (t->failed)
		return;
	n = t->len - 4 - at;
	memmove(t->data + at + 3, t->data + at, n);
	memcpy(t->data + at, "(?:", 3);
	t->data[t->len - 1] = ')';
}

/* Puts a look at the clock before the last item, which takes up to max
 * characters; groups have one inside. */
static void
look_before(struct parser *x, int max)
{
	struct text *t = &x->out->text;
	size_t at = gore_level(x)->atom, n = strlen(LOOK);

	if (max >= 0 && max < LONG_RUN) {
		x->row += (unsigned)max;
		return;
	}
	if (t->failed || t->data[at] == '(')
		return;
	gore_put(x, LOOK);
	if (t->failed)
		return;
	memmove(t->data + at + n, t->data + at, t->len - at - n);
	memcpy(t->data + at, LOOK, n);
}

/* Repetitions may not multiply to more than REPEAT_MAX. */
static int
count_repeat(struct parser *x, int min, int max)
{
	struct level *l = gore_level(x);
	unsigned times = (unsigned)(max < 0 ? min : max);

	if (times == 0)
		l->need = 0;
	else
		l->need = l->need * times > times ? l->need * times : times;
	if ((min >= 2 || max >= 2) && l->need > REPEAT_MAX)
		return gore_fail(x, BAD_REPEAT);
	return 0;
}

/* What the repetition makes of its item; true: PCRE2 loops over it in
 * another way. */
static bool
order_repeat(struct level *l, int min, int max, bool lazy)
{
	struct order *o = &l->item;
	bool odd = o->empty && o->early && o->takes;

	o->takes = o->takes && max != 0;
	o->empty = o->empty || min == 0;
	o->early = o->takes && (o->early || (lazy && o->empty));
	return odd;
}

/* *, + or ?: op; min to max times, max < 0: no end. */
static int
repeat(struct parser *x, char op, int min, int max, bool stacked)
{
	struct level *l = gore_level(x);
	bool lazy = (x->flags & FLAG_LAZY) != 0;

	if (gore_is_next(x, 0, '?')) {
		x->p++;
		lazy = !lazy;
	}
	if (stacked)
		return gore_fail(x, "invalid nested repetition operator");
	if (!l->has_atom)
		return gore_fail(x, "missing argument to repetition operator");
	if (op == '{' && count_repeat(x, min, max) < 0)
		return -1;
	if (l->repeated)
		wrap_atom(x);
	look_before(x, max);
	if (l->atom_empty && l->atom_groups < x->out->ngroups && op != '?' &&
	    max != 1)
		x->out->odd_groups = true;
	if (order_repeat(l, min, max, lazy) && max < 0)
		x->out->odd_ends = true;
	if (op != '{')
		text_putc(&x->out->text, op);
	else if (max < 0)
		text_printf(&x->out->text, "{%d,}", min);
	else
		text_printf(&x->out->text, "{%d,%d}", min, max);
	if (lazy)
		gore_put(x, "?");
	l->repeated = true;
	if (op == '*' || op == '?' || (op == '{' && min == 0))
		l->atom_empty = true;
	return 0;
}

/* Ends a branch of the group that is open. */
static void
end_branch(struct parser *x)
{
	struct level *l = gore_level(x);

	end_atom(l);
	l->any_empty = l->any_empty || l->branch_empty;
	l->branch_empty = true;
	l->all.early = l->all.early || (l->all.empty && l->branch.takes) ||
	    (l->branch.empty && l->branch.early);
	l->all.empty = l->all.empty || l->branch.empty;
	l->all.takes = l->all.takes || l->branch.takes;
	l->branch = (struct order) { .empty = true };
	l->has_atom = false;
	l->need = 0;
}

static int
open_group(struct parser *x, bool numbered, const char *name, size_t len)
{
	struct gore_pattern *out = x->out;
	struct gore_name *names;
	struct level *l;
	bool fold;

	gore_begin_atom(x);
	fold = gore_level(x)->fold;
	if (x->depth + 1 == NEST_MAX)
		return gore_refuse(x, TOO_DEEP);
	gore_put(x, numbered ? "(" LOOK : "(?:" LOOK);
	l = &x->levels[++x->depth];
	*l = (struct level) {
		.flags = x->flags,
		.fold = fold,
		.branch_empty = true,
		.branch = { .empty = true },
		.groups = out->ngroups,
	};
	if (!numbered)
		return 0;
	names = env_grow(
	    x->env, out->names, out->ngroups + 1, &out->cap, 8, sizeof(*names));
	if (names == NULL)
		return -1;
	out->names = names;
	out->names[++out->ngroups] = (struct gore_name) { name, len };
	return 0;
}

static int
close_group(struct parser *x)
{
	struct level inner;

	if (x->depth == 0)
		return gore_fail(x, "unexpected )");
	end_branch(x);
	inner = *gore_level(x);
	x->depth--;
	gore_put(x, ")");
	x->flags = inner.flags;
	gore_level(x)->need = inner.most;
	gore_level(x)->atom_empty = inner.any_empty;
	gore_level(x)->item = inner.all;
	gore_level(x)->atom_groups = inner.groups;
	gore_level(x)->has_atom = true;
	x->p++;
	return 0;
}

static bool
is_name(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = p[i];

		if (c != '_' && !(c >= '0' && c <= '9') &&
		    !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z'))
			return false;
	}
	return len > 0;
}

/* (?P<name> or (?<name>, whose name begins after skip bytes. */
static int
named_group(struct parser *x, size_t skip)
{
	const char *name = x->p + skip;
	const char *end = memchr(x->p, '>', gore_left(x));
	size_t len;

	if (end == NULL)
		return gore_check_utf8(x, x->p, gore_left(x)) < 0
		    ? -1
		    : gore_fail(x, BAD_NAME);
	len = (size_t)(end - name);
	if (gore_check_utf8(x, name, len) < 0)
		return -1;
	if (!is_name(name, len))
		return gore_fail(x, BAD_NAME);
	x->p = end + 1;
	return open_group(x, true, name, len);
}

/* (?flags) (?flags: */
static int
perl_flags(struct parser *x)
{
	static const char letters[] = "isUm";
	static const unsigned flags[] = { FLAG_FOLD, FLAG_DOT_NL, FLAG_LAZY,
		FLAG_MULTI };
	unsigned value = x->flags;
	bool minus = false, saw = false;
	const char *letter;
	uint32_t c;

	x->p += 2;
	while (gore_left(x) > 0) {
		if (gore_next_rune(x, &c) < 0)
			return -1;
		if (c == ':' || c == ')') {
			if (minus && !saw)
				break;
			if (c == ':' && open_group(x, false, NULL, 0) < 0)
				return -1;
			x->flags = value;
			return 0;
		}
		if (c == '-') {
			if (minus)
				break;
			minus = true;
			saw = false;
			continue;
		}
		letter = c > 0 && c < 0x80 ? strchr(letters, (int)c) : NULL;
		if (letter == NULL)
			break;
		saw = true;
		if (minus)
			value &= ~flags[letter - letters];
		else
			value |= flags[letter - letters];
	}
	return gore_fail(x, BAD_PERL);
}

static int
group(struct parser *x)
{
	if (!gore_is_next(x, 1, '?')) {
		x->p++;
		return open_group(x, true, NULL, 0);
	}
	if (gore_left(x) > 4 && x->p[2] == 'P' && x->p[3] == '<')
		return named_group(x, 4);
	if (gore_left(x) > 3 && x->p[2] == '<')
		return named_group(x, 3);
	return perl_flags(x);
}

/* \Q...\E */
static int
quoted(struct parser *x)
{
	const char *end;
	uint32_t r;

	x->p += 2;
	end = memmem(x->p, gore_left(x), "\\E", 2);
	while (x->p < (end == NULL ? x->end : end)) {
		if (env_step(x->env, 1) < 0 || gore_next_rune(x, &r) < 0)
			return -1;
		put_literal(x, r);
	}
	if (end != NULL)
		x->p = end + 2;
	return 0;
}

/* A class outside of brackets: 1 where it was one. */
static int
bare_class(struct parser *x)
{
	struct text *t = &x->out->text;
	char c = '\0';
	size_t start;
	int rc;

	if (gore_left(x) > 1)
		c = x->p[1];
	if (c == '\0' || strchr("dDsSwWpP", c) == NULL)
		return 0;
	gore_begin_atom(x);
	gore_put(x, "[");
	start = t->len;
	rc = c == 'p' || c == 'P' ? gore_class_unicode(x) : gore_class_perl(x);
	if (t->len == start && rc == 1) {
		t->len = gore_level(x)->atom;
		gore_put(x, "(?:(?!))");
	} else {
		gore_put(x, "]");
	}
	return rc;
}

static int
backslash(struct parser *x)
{
	static const struct {
		char letter;
		const char *text;
		bool inside;
	} assertions[] = {
		{ 'A', "\\A", false },
		{ 'b', "\\b", true },
		{ 'B', "\\B", true },
		{ 'z', "\\z", false },
	};
	uint32_t r;
	int rc;

	for (size_t i = 0; i < ARRAY_SIZE(assertions); i++) {
		if (gore_is_next(x, 1, assertions[i].letter)) {
			put_assertion(
			    x, assertions[i].text, assertions[i].inside);
			x->p += 2;
			return 0;
		}
	}
	if (gore_is_next(x, 1, 'C'))
		return gore_fail(x, BAD_ESCAPE);
	if (gore_is_next(x, 1, 'Q'))
		return quoted(x);
	rc = bare_class(x);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (gore_class_escape(x, &r) < 0)
		return -1;
	put_literal(x, r);
	return 0;
}

static void
anchor(struct parser *x, const char *line, const char *text)
{
	bool lines = (x->flags & FLAG_MULTI) != 0;

	put_assertion(x, lines ? line : text, lines);
	x->p++;
}

static int
literal(struct parser *x)
{
	uint32_t r;

	if (gore_next_rune(x, &r) < 0)
		return -1;
	put_literal(x, r);
	return 0;
}

/* One item; *repeated: it was a repetition, and the one before was one too. */
static int
item(struct parser *x, bool *repeated)
{
	bool stacked = *repeated;
	int min, max;
	char c = *x->p;

	*repeated = false;
	switch (c) {
	case '(':
		return group(x);
	case ')':
		return close_group(x);
	case '|':
		end_branch(x);
		gore_put(x, "|");
		x->p++;
		return 0;
	case '^':
		anchor(x, "(?<![^\\n])", "\\A");
		return 0;
	case '$':
		anchor(x, "(?![^\\n])", "\\z");
		return 0;
	case '.':
		gore_begin_atom(x);
		gore_put(x, x->flags & FLAG_DOT_NL ? "." : "\\N");
		x->p++;
		return 0;
	case '[':
		return gore_class_set(x);
	case '\\':
		return backslash(x);
	case '*':
	case '+':
	case '?':
		x->p++;
		*repeated = true;
		return repeat(x, c, c == '+', c == '?' ? 1 : -1, stacked);
	case '{':
		if (!read_repeat(x, &min, &max))
			return literal(x);
		if (min < 0 || min > REPEAT_MAX || max > REPEAT_MAX ||
		    (max >= 0 && min > max))
			return gore_fail(x, BAD_REPEAT);
		*repeated = true;
		return repeat(x, c, min, max, stacked);
	default:
		return literal(x);
	}
}

static int
translate(struct parser *x)
{
	bool repeated = false;

	gore_put(x, LOOK "(?:");
	while (gore_left(x) > 0) {
		if (env_step(x->env, 1) < 0 || item(x, &repeated) < 0)
			return -1;
		if (x->out->text.failed)
			return -1;
	}
	if (x->depth > 0)
		return gore_fail(x, "missing closing )");
	gore_put(x, ")");
	return 0;
}

int
gore_translate(
    struct env *e, const char *p, size_t len, struct gore_pattern *ret)
{
	/* Too large for a thread's stack, too short-lived for the arena. */
	struct parser *x = xcalloc(1, sizeof(*x));
	int rc;

	*x = (struct parser) {
		.env = e,
		.p = p,
		.end = p + len,
		.out = ret,
		.levels = { { .branch_empty = true,
		    .branch = { .empty = true } } },
	};
	text_init(&ret->text, e);
	rc = translate(x);
	free(x);
	return rc;
}
