/*
 * Template text -> parse trees, one for the template itself and one for each
 * define and block in it.
 */
#ifndef TMPL_PARSE_H
#define TMPL_PARSE_H

#include "node.h"

struct tree {
	struct tree *next;
	struct span name;
	struct node *root; /* a list */
};

/* Everything that one source text defines. */
struct tree_set {
	const char *source; /* the name in messages */
	struct span text;
	struct tree *trees;
};

/* -1: the pending error is Go's complete text. */
int parse_source(struct env *e, const char *source, const char *text,
    size_t len, struct tree_set *ret) MUST_CHECK;
/* NULL: not defined. */
const struct tree *tree_find(const struct tree_set *set, struct span name);

#endif
