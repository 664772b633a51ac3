/*
 * Go's regular expressions (RE2 syntax) on PCRE2: what Go refuses is refused
 * with Go's texts, the rest is translated so that it means the same.
 * Backtracking is bounded; README.md lists what cannot be done.
 */
#ifndef TMPL_GORE_H
#define TMPL_GORE_H

#include <stdbool.h>
#include <stddef.h>

#include "env.h"
#include "text.h"
#include "value.h"

struct gore;

struct gore_name {
	const char *p; /* NULL: the group has no name */
	size_t len;
};

/* A pattern in PCRE2's words, with callouts that look at the clock. */
struct gore_pattern {
	struct text text;
	struct gore_name *names; /* of groups, from 1 */
	size_t ngroups;
	size_t cap; /* of names */
	/* Characters whose other cases PCRE2 looks up while it compiles. */
	uint32_t folded;
	/* A repeated group may match nothing and has groups inside: what those
	 * hold afterwards differs. */
	bool odd_groups;
	/* A repeated group would rather match nothing than something: where
	 * matches end differs, whether there is one does not. */
	bool odd_ends;
	/* It is not Go that refuses it, but this translation. */
	bool refused;
};

/* gore_parse.c: -1: the error is pending ("error parsing regexp: ..."). */
int gore_translate(struct env *e, const char *p, size_t len,
    struct gore_pattern *ret) MUST_CHECK;

/* -1: the error is pending, -2: and it is not Go's. Freed with gore_free(). */
int gore_compile(
    struct env *e, const char *p, size_t len, struct gore **ret) MUST_CHECK;
void gore_free(struct gore *re);
/* The text to search, borrowed; ends the previous one. */
int gore_subject(struct gore *re, const char *p, size_t len) MUST_CHECK;
/* The first match at or behind pos: 1, 0 none, -1: the error is pending.
 * Offsets come from gore_group(). */
int gore_match(struct gore *re, size_t pos) MUST_CHECK;
/* false: the group took no part in the match, or does not exist. */
bool gore_group(const struct gore *re, size_t i, size_t *start, size_t *end);
const struct gore_pattern *gore_pattern(const struct gore *re);

DEFINE_AUTO(gore);

#endif
