/*
 * What tests of templates share: a rendering environment, and tables of
 * template text and what must come out.
 */
#ifndef TESTS_TMPLRIG_H
#define TESTS_TMPLRIG_H

#include "controller/tmpl/env.h"
#include "controller/tmpl/value.h"
#include "tmpl/tmpl.h"

struct tmplrig_case {
	const char *text;
	/* What it renders to, or the whole error text. */
	const char *want;
};

/* An environment with the default budget; release it with env_release(). */
void tmplrig_env(struct env *e);
/*
 * Renders text as the template "cfg". Dot holds x = "abc", y = "", n = "42",
 * host-name = "db", bin = "\xff\x00\x41". Owned by the caller: the
 * output or, where it failed, the error.
 */
char *tmplrig_render(const char *text);
/* Fails the test at the first case that differs. */
void tmplrig_check(const struct tmplrig_case *cases, size_t n);
/* The error of a rendering with this budget; NULL: none. */
char *tmplrig_error(const char *text, const struct tmpl_budget *budget);
/* Compares a string value. */
void tmplrig_assert_str(const struct value *v, const char *want);

/* The system's clock but for CPU time, which begins at now_ns and moves on by
 * tick_ns with each look at it. */
struct tmplrig_cpu {
	uint64_t now_ns;
	uint64_t tick_ns;
};

struct clock tmplrig_cpu_clock(struct tmplrig_cpu *cpu);

#endif
