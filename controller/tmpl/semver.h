/*
 * Semantic versions and constraints, as Masterminds' semver v3 has them.
 */
#ifndef TMPL_SEMVER_H
#define TMPL_SEMVER_H

#include <stdint.h>

#include "value.h"

struct version {
	uint64_t major, minor, patch;
	struct value pre; /* strings */
	struct value metadata;
	struct value original;
};

/* NewVersion(); -1: the error is pending. */
int version_parse(
    struct env *e, const struct value *s, struct version *ret) MUST_CHECK;
/* String() */
void version_print(struct text *out, const struct version *v);
int version_compare(const struct version *a, const struct version *b);
/* comparePrerelease() */
int version_compare_pre(const struct value *a, const struct value *b);
int version_check_pre(struct env *e, const struct value *s) MUST_CHECK;
int version_check_metadata(struct env *e, const struct value *s) MUST_CHECK;

/* semverCompare: constraint, then version, are read; Go's errors. */
int constraint_check(struct env *e, const struct value *constraint,
    const struct value *version, bool *ret) MUST_CHECK;

#endif
