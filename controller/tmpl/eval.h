/*
 * A template that runs: between exec.c, which walks its statements, and
 * eval.c, which works out the values in them.
 */
#ifndef TMPL_EVAL_H
#define TMPL_EVAL_H

#include "node.h"
#include "parse.h"
#include "text.h"
#include "value.h"

struct variable {
	struct span name;
	struct value value;
};

struct exec {
	struct env *env;
	const struct tree_set *set;
	const struct tree *tmpl;
	const struct node *node;
	struct text *out;
	size_t output_start; /* of out, charged already */
	struct variable *vars;
	size_t nvars, vars_cap;
	size_t vars_base;   /* the running template's first */
	struct value *argv; /* arguments of all calls in progress */
	size_t nargv, argv_cap;
};

/* A pipeline, whose variables are set too. NULL: nil. */
int eval_pipeline(struct exec *x, const struct value *dot,
    const struct node *pipe, struct value *ret) MUST_CHECK;
/* A variable of the running template. */
int eval_push_var(struct exec *x, struct span name, struct value v) MUST_CHECK;
int eval_set_var(struct exec *x, struct span name, struct value v) MUST_CHECK;
/* The canonical text of a node, for a message; cut at the first NUL. */
const char *eval_node_text(struct exec *x, const struct node *n);

#endif
