/*
 * Constraints on versions: ">=1.2, <2 || ^3". The grammar is the library's
 * own, which is one of regular expressions, so these are used here too.
 */
#include "semver.h"

#include <string.h>

#include "gore.h"
#include "text.h"

#define IDENTIFIERS "[0-9A-Za-z\\-]+(\\.[0-9A-Za-z\\-]+)*"
#define VERSION                                                        \
	"v?([0-9|x|X|\\*]+)(\\.[0-9|x|X|\\*]+)?(\\.[0-9|x|X|\\*]+)?(-" \
	"(" IDENTIFIERS "))?(\\+(" IDENTIFIERS "))?"
#define OPERATORS  "=||!=|>|<|>=|=>|<=|=<|~|~>|\\^"
#define CONSTRAINT "(" OPERATORS ")\\s*(" VERSION ")"
#define RANGE	   "\\s*(" VERSION ")\\s+-\\s+(" VERSION ")\\s*"
#define ONE	   "^\\s*" CONSTRAINT "\\s*$"
#define ALL	   "^(\\s*" CONSTRAINT "\\s*)((?:\\s+|,\\s*)" CONSTRAINT "\\s*)*$"

/* Groups of ONE and RANGE. */
#define GROUP_OPERATOR 1
#define GROUP_MAJOR    3
#define GROUP_PRE      6 /* with its hyphen */
#define RANGE_FIRST    1
#define RANGE_SECOND   11

#define IMPROPER       "improper constraint: %s"

struct constraint {
	struct value op;
	struct version version;
	bool minor_dirty; /* 1.x */
	bool patch_dirty; /* 1.2.x */
	bool dirty;
};

/* The patterns, compiled for one call. */
struct grammar {
	struct env *env;
	struct gore *range, *all, *find, *one;
};

static int
compile(struct env *e, const char *pattern, struct gore **ret)
{
	return gore_compile(e, pattern, strlen(pattern), ret);
}

static void
grammar_release(struct grammar *g)
{
	gore_free(g->range);
	gore_free(g->all);
	gore_free(g->find);
	gore_free(g->one);
}

static int
grammar_init(struct grammar *g, struct env *e)
{
	*g = (struct grammar) { .env = e };
	return compile(e, RANGE, &g->range) < 0 ||
		compile(e, ALL, &g->all) < 0 ||
		compile(e, CONSTRAINT, &g->find) < 0 ||
		compile(e, ONE, &g->one) < 0
	    ? -1
	    : 0;
}

/* Group i of the last match in s; empty where it took no part. */
static struct value
group(const struct gore *re, const char *s, size_t i)
{
	size_t start, end;

	if (!gore_group(re, i, &start, &end))
		return value_str("", 0);
	return value_str(s + start, end - start);
}

static void
put(struct text *out, struct value v)
{
	text_append(out, v.u.s.p, v.u.s.len);
}

static bool
is(const struct value *v, const char *s)
{
	return v->u.s.len == strlen(s) && memcmp(v->u.s.p, s, v->u.s.len) == 0;
}

/* The first what in *s becomes with. */
static int
replace_first(
    struct env *e, struct value *s, struct value what, struct value with)
{
	const char *at = memmem(s->u.s.p, s->u.s.len, what.u.s.p, what.u.s.len);
	size_t before;
	struct text out;

	if (at == NULL)
		return 0;
	before = (size_t)(at - s->u.s.p);
	text_init(&out, e);
	text_append(&out, s->u.s.p, before);
	put(&out, with);
	text_append(
	    &out, at + what.u.s.len, s->u.s.len - before - what.u.s.len);
	return text_done(&out, s);
}

/* "1 - 2" becomes ">= 1, <= 2 ". */
static int
rewrite_ranges(struct grammar *g, struct value *constraint)
{
	const struct value s = *constraint;
	size_t pos = 0, start, end;
	int rc;

	if (gore_subject(g->range, s.u.s.p, s.u.s.len) < 0)
		return -1;
	while ((rc = gore_match(g->range, pos)) == 1) {
		struct text out;
		struct value with;

		(void)gore_group(g->range, 0, &start, &end);
		text_init(&out, g->env);
		text_puts(&out, ">= ");
		put(&out, group(g->range, s.u.s.p, RANGE_FIRST));
		text_puts(&out, ", <= ");
		put(&out, group(g->range, s.u.s.p, RANGE_SECOND));
		text_putc(&out, ' ');
		if (text_done(&out, &with) < 0 ||
		    replace_first(g->env, constraint,
			value_str(s.u.s.p + start, end - start), with) < 0)
			return -1;
		pos = end;
	}
	return rc;
}

static bool
is_x(struct value v)
{
	if (v.u.s.len > 0 && v.u.s.p[0] == '.')
		v = value_str(v.u.s.p + 1, v.u.s.len - 1);
	return v.u.s.len == 0 ||
	    (v.u.s.len == 1 && strchr("xX*", v.u.s.p[0]) != NULL);
}

/* The version of a constraint, without its wildcards. */
static int
read_version(struct grammar *g, const struct value *s, struct constraint *ret)
{
	struct value parts[3], text;
	size_t given = 0;
	struct text out;

	for (; given < 3; given++) {
		parts[given] = group(g->one, s->u.s.p, GROUP_MAJOR + given);
		if (is_x(parts[given]))
			break;
	}
	ret->dirty = given < 3;
	ret->minor_dirty = given == 1;
	ret->patch_dirty = given == 2;
	if (given == 3) {
		text = group(g->one, s->u.s.p, GROUP_MAJOR - 1);
	} else {
		text_init(&out, g->env);
		for (size_t i = 0; i < given; i++)
			put(&out, parts[i]);
		text_puts(&out,
		    given == 0	     ? "0.0.0"
			: given == 1 ? ".0.0"
				     : ".0");
		put(&out, group(g->one, s->u.s.p, GROUP_PRE));
		if (text_done(&out, &text) < 0)
			return -1;
	}
	if (version_parse(g->env, &text, &ret->version) < 0) {
		env_forgive(g->env);
		return env_fail(g->env, "constraint parser error");
	}
	return 0;
}

static int
read_constraint(
    struct grammar *g, const struct value *s, struct constraint *ret)
{
	int rc;

	if (gore_subject(g->one, s->u.s.p, s->u.s.len) < 0)
		return -1;
	rc = gore_match(g->one, 0);
	if (rc == 0)
		return env_fail(g->env, IMPROPER, WITHHELD);
	if (rc < 0)
		return -1;
	ret->op = group(g->one, s->u.s.p, GROUP_OPERATOR);
	return read_version(g, s, ret);
}

/* ~1.2 */
static bool
check_tilde(const struct version *v, const struct constraint *c)
{
	const struct version *w = &c->version;

	if (version_compare(v, w) < 0)
		return false;
	if (w->major == 0 && w->minor == 0 && w->patch == 0 &&
	    !c->minor_dirty && !c->patch_dirty)
		return true;
	return v->major == w->major && (v->minor == w->minor || c->minor_dirty);
}

/* ^1.2 */
static bool
check_caret(const struct version *v, const struct constraint *c)
{
	const struct version *w = &c->version;

	if (version_compare(v, w) < 0)
		return false;
	if (w->major > 0 || c->minor_dirty)
		return v->major == w->major;
	if (v->major > 0)
		return false;
	if (w->minor > 0 || c->patch_dirty)
		return v->minor == w->minor;
	return v->minor == 0 && v->patch == w->patch;
}

static bool
check_not(const struct version *v, const struct constraint *c)
{
	const struct version *w = &c->version;

	if (c->dirty) {
		if (v->major != w->major)
			return true;
		if (c->minor_dirty)
			return false;
		if (v->minor != w->minor)
			return true;
		if (c->patch_dirty)
			return version_compare_pre(&v->pre, &w->pre) != 0;
		if (v->patch != w->patch)
			return true;
	}
	return version_compare(v, w) != 0;
}

static bool
check_greater(const struct version *v, const struct constraint *c)
{
	const struct version *w = &c->version;

	if (c->dirty) {
		if (v->major != w->major)
			return v->major > w->major;
		if (c->minor_dirty)
			return false;
		if (c->patch_dirty)
			return v->minor > w->minor;
	}
	return version_compare(v, w) > 0;
}

static bool
check_less_equal(const struct version *v, const struct constraint *c)
{
	const struct version *w = &c->version;

	if (!c->dirty)
		return version_compare(v, w) <= 0;
	return v->major < w->major ||
	    (v->major == w->major && (v->minor <= w->minor || c->minor_dirty));
}

static bool
check(const struct version *v, const struct constraint *c, bool with_pre)
{
	if (v->pre.u.s.len > 0 && !with_pre)
		return false;
	if (is(&c->op, "!="))
		return check_not(v, c);
	if (is(&c->op, ">"))
		return check_greater(v, c);
	if (is(&c->op, "<"))
		return version_compare(v, &c->version) < 0;
	if (is(&c->op, ">=") || is(&c->op, "=>"))
		return version_compare(v, &c->version) >= 0;
	if (is(&c->op, "<=") || is(&c->op, "=<"))
		return check_less_equal(v, c);
	if (is(&c->op, "~") || is(&c->op, "~>") || c->dirty)
		return is(&c->op, "^") ? check_caret(v, c) : check_tilde(v, c);
	if (is(&c->op, "^"))
		return check_caret(v, c);
	return version_compare(v, &c->version) == 0;
}

/* Constraints that hold together. */
struct all {
	struct constraint *v;
	size_t n;
	bool has_pre;
	struct all *next;
};

static int
read_all(struct grammar *g, const struct value *s, struct all *ret)
{
	size_t pos = 0, start, end, cap = s->u.s.len + 1;
	int rc;

	if (gore_subject(g->all, s->u.s.p, s->u.s.len) < 0 ||
	    gore_subject(g->find, s->u.s.p, s->u.s.len) < 0)
		return -1;
	rc = gore_match(g->all, 0);
	if (rc <= 0)
		return rc < 0 ? -1 : env_fail(g->env, IMPROPER, WITHHELD);
	ret->v = env_allocarray(g->env, cap, sizeof(*ret->v));
	if (ret->v == NULL)
		return -1;
	while ((rc = gore_match(g->find, pos)) == 1) {
		struct value one;

		(void)gore_group(g->find, 0, &start, &end);
		one = value_str(s->u.s.p + start, end - start);
		if (read_constraint(g, &one, &ret->v[ret->n]) < 0)
			return -1;
		if (ret->v[ret->n++].version.pre.u.s.len > 0)
			ret->has_pre = true;
		pos = end;
	}
	return rc;
}

static int
read_any(struct grammar *g, struct value constraint, struct all **ret)
{
	struct all **end = ret;

	*ret = NULL;
	if (rewrite_ranges(g, &constraint) < 0)
		return -1;
	for (;;) {
		const char *p = constraint.u.s.p;
		const char * or = memmem(p, constraint.u.s.len, "||", 2);
		size_t n = or == NULL ? constraint.u.s.len : (size_t)(or -p);
		struct value part = value_str(p, n);

		*end = env_alloc(g->env, sizeof(**end));
		if (*end == NULL || read_all(g, &part, *end) < 0)
			return -1;
		end = &(*end)->next;
		if (or == NULL)
			return 0;
		constraint = value_str(or +2, constraint.u.s.len - n - 2);
	}
}

int
constraint_check(struct env *e, const struct value *constraint,
    const struct value *version, bool *ret)
{
	struct grammar g;
	struct version v;
	struct all *any = NULL;
	int rc = -1;

	if (grammar_init(&g, e) < 0 || read_any(&g, *constraint, &any) < 0 ||
	    version_parse(e, version, &v) < 0)
		goto out;
	*ret = false;
	for (; any != NULL && !*ret; any = any->next) {
		*ret = true;
		for (size_t i = 0; i < any->n && *ret; i++)
			*ret = check(&v, &any->v[i], any->has_pre);
	}
	rc = 0;
out:
	grammar_release(&g);
	return rc;
}
