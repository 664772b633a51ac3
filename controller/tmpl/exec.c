/*
 * Parse trees and data -> text: the statements. eval.c works out the values
 * in them.
 *
 * Errors unwind as -1. exec.node is the node that Go would name, so that the
 * outermost function can say where it happened.
 */
#include "exec.h"

#include <string.h>

#include "base/mem.h"
#include "dict.h"
#include "eval.h"
#include "print.h"
#include "quote.h"

/* What walking a node may say beside 0 and -1. */
enum { WALK_BREAK = 1, WALK_CONTINUE = 2 };

static int walk(struct exec *x, const struct value *dot, const struct node *n);

/* Charges what was printed since the last time. */
static int
charge_output(struct exec *x)
{
	size_t n = x->out->len - x->output_start;

	if (x->out->failed)
		return -1;
	if (n > x->env->left.output_bytes)
		return env_exhaust(x->env, "output");
	x->env->left.output_bytes -= n;
	x->output_start = x->out->len;
	return 0;
}

static int
walk_action(struct exec *x, const struct value *dot, const struct node *n)
{
	struct value v;

	if (eval_pipeline(x, dot, n->u.branch.pipe, &v) < 0)
		return -1;
	if (n->u.branch.pipe->u.pipe.decl.len > 0)
		return 0;
	x->node = n;
	if (v.type == NULL)
		text_puts(x->out, "<no value>");
	else
		print_value(x->out, &v);
	return charge_output(x);
}

static int
walk_if_or_with(struct exec *x, const struct value *dot, const struct node *n)
{
	size_t mark = x->nvars;
	struct value v;
	int rc = 0;

	if (eval_pipeline(x, dot, n->u.branch.pipe, &v) < 0)
		return -1;
	if (value_truth(&v))
		rc = walk(x, n->type == NODE_WITH ? &v : dot, n->u.branch.list);
	else if (n->u.branch.else_list != NULL)
		rc = walk(x, dot, n->u.branch.else_list);
	x->nvars = mark;
	return rc;
}

/* One round of a range; index is the key, *stop: there was a break. */
static int
iterate(struct exec *x, const struct node *n, struct value index,
    struct value elem, bool *stop)
{
	const struct node *pipe = n->u.branch.pipe;
	const struct node_list *decl = &pipe->u.pipe.decl;
	size_t mark = x->nvars;
	int rc = 0;

	if (env_step(x->env, 1) < 0)
		return -1;
	if (decl->len > 0 && pipe->is_assign) {
		if (eval_set_var(x, decl->v[0]->u.chain.idents.v[0],
			decl->len > 1 ? index : elem) < 0)
			return -1;
		if (decl->len > 1)
			rc = eval_set_var(
			    x, decl->v[1]->u.chain.idents.v[0], elem);
	} else if (decl->len > 0) {
		x->vars[mark - 1].value = elem;
		if (decl->len > 1)
			x->vars[mark - 2].value = index;
	}
	if (rc == 0)
		rc = walk(x, &elem, n->u.branch.list);
	x->nvars = mark;
	*stop = rc == WALK_BREAK;
	return rc < 0 ? -1 : 0;
}

static int
range_int(struct exec *x, const struct node *n, const struct value *v)
{
	uint64_t count = value_is_signed(v) && v->u.i < 0 ? 0 : v->u.u;
	struct value elem = value_concrete(*v);
	bool stop = false;

	if (n->u.branch.pipe->u.pipe.decl.len > 1)
		return env_fail(x->env,
		    "can't use %s to iterate over more than one variable",
		    WITHHELD);
	for (uint64_t i = 0; i < count && !stop; i++) {
		elem.u.u = i;
		if (iterate(x, n, value_nil(), elem, &stop) < 0)
			return -1;
	}
	return count > 0;
}

static int
range_list(struct exec *x, const struct node *n, const struct value *v)
{
	size_t len = list_len(v);
	bool stop = false;

	for (size_t i = 0; i < len && !stop; i++) {
		if (iterate(x, n, value_int((int64_t)i), v->u.l.v[i], &stop) <
		    0)
			return -1;
	}
	return len > 0;
}

static int
range_map(struct exec *x, const struct node *n, const struct value *v)
{
	size_t len = dict_len(v);
	struct dict_entry *entries;
	bool stop = false;

	if (dict_entries(x->env, v, &entries) < 0)
		return -1;
	for (size_t i = 0; i < len && !stop; i++) {
		if (iterate(x, n, value_str(entries[i].key, entries[i].keylen),
			entries[i].value, &stop) < 0)
			return -1;
	}
	return len > 0;
}

/* 1: it ran, 0: it was empty. */
static int
range_over(struct exec *x, const struct node *n, const struct value *v)
{
	switch (value_kind(v)) {
	case KIND_INT:
	case KIND_INT32:
	case KIND_INT64:
	case KIND_UINT8:
	case KIND_UINT32:
	case KIND_UINT64:
		return range_int(x, n, v);
	case KIND_SLICE:
		return range_list(x, n, v);
	case KIND_MAP:
		return range_map(x, n, v);
	case KIND_INVALID:
		return 0;
	case KIND_BOOL:
	case KIND_FLOAT64:
	case KIND_STRING:
	case KIND_STRUCT:
	case KIND_PTR:
	case KIND_INTERFACE:
		break;
	}
	return env_fail(x->env, "range can't iterate over %s", WITHHELD);
}

static int
walk_range(struct exec *x, const struct value *dot, const struct node *n)
{
	size_t mark = x->nvars;
	struct value v;
	int rc;

	if (eval_pipeline(x, dot, n->u.branch.pipe, &v) < 0)
		return -1;
	rc = range_over(x, n, &v);
	if (rc == 0 && n->u.branch.else_list != NULL)
		rc = walk(x, dot, n->u.branch.else_list);
	else if (rc > 0)
		rc = 0;
	x->nvars = mark;
	/* In Go, a break in the else belongs to this range too, although the
	 * parser only lets it stand there for the sake of an outer one. */
	return rc == WALK_BREAK ? 0 : rc;
}

/* {{template}}: its own variables, nothing of the caller's but dot. */
static int
run_template(struct exec *x, const struct tree *tmpl, struct value dot)
{
	const struct tree *caller = x->tmpl;
	size_t base = x->vars_base, mark = x->nvars;
	int rc;

	x->vars_base = mark;
	x->tmpl = tmpl;
	if (eval_push_var(x, (struct span) { "$", 1 }, dot) < 0)
		return -1;
	rc = walk(x, &dot, tmpl->root);
	if (rc < 0)
		return -1;
	x->nvars = mark;
	x->vars_base = base;
	x->tmpl = caller;
	return 0;
}

static int
fail_undefined(struct exec *x, struct span name)
{
	struct text t;
	struct value v;

	text_init(&t, x->env);
	quote_string(&t, name.p, name.len, false);
	if (text_done(&t, &v) < 0)
		return -1;
	return env_fail(x->env, "template %s not defined", v.u.s.p);
}

static int
walk_template(struct exec *x, const struct value *dot, const struct node *n)
{
	const struct tree *tmpl = tree_find(x->set, n->u.branch.name);
	struct value arg;
	int rc;

	if (tmpl == NULL)
		return fail_undefined(x, n->u.branch.name);
	if (eval_pipeline(x, dot, n->u.branch.pipe, &arg) < 0)
		return -1;
	if (env_enter(x->env) < 0)
		return -1;
	rc = run_template(x, tmpl, arg);
	env_leave(x->env);
	return rc;
}

static int
walk_list(struct exec *x, const struct value *dot, const struct node *n)
{
	int rc = env_enter(x->env);

	if (rc < 0)
		return -1;
	for (uint32_t i = 0; rc == 0 && i < n->u.nodes.len; i++)
		rc = walk(x, dot, n->u.nodes.v[i]);
	env_leave(x->env);
	return rc;
}

static int
walk(struct exec *x, const struct value *dot, const struct node *n)
{
	x->node = n;
	if (env_step(x->env, 1) < 0)
		return -1;
	switch ((int)n->type) {
	case NODE_ACTION:
		return walk_action(x, dot, n);
	case NODE_BREAK:
		return WALK_BREAK;
	case NODE_CONTINUE:
		return WALK_CONTINUE;
	case NODE_IF:
	case NODE_WITH:
		return walk_if_or_with(x, dot, n);
	case NODE_LIST:
		return walk_list(x, dot, n);
	case NODE_RANGE:
		return walk_range(x, dot, n);
	case NODE_TEMPLATE:
		return walk_template(x, dot, n);
	default:
		text_append(x->out, n->u.text.p, n->u.text.len);
		return charge_output(x);
	}
}

static void
position(const struct exec *x, unsigned *line, size_t *column)
{
	const char *text = x->set->text.p;
	size_t pos = x->node->pos, start = 0;

	*line = 1;
	for (size_t i = 0; i < pos; i++) {
		if (text[i] == '\n') {
			(*line)++;
			start = i + 1;
		}
	}
	*column = pos - start;
}

/* Where it happened, in front of what happened. */
static void
locate_error(struct exec *x)
{
	struct env *e = x->env;
	char *cause = STEAL(e->fault);
	struct env_reserve before;
	unsigned line;
	size_t column;
	struct text name;
	struct value v;

	before = env_reserve_begin(e);
	position(x, &line, &column);
	text_init(&name, e);
	quote_string(&name, x->tmpl->name.p, x->tmpl->name.len, false);
	if (text_done(&name, &v) < 0)
		v = value_cstr("");
	(void)env_fail(e, "template: %s:%u:%zu: executing %s at <%s>: %s",
	    x->set->source, line, column, v.u.s.p, eval_node_text(x, x->node),
	    cause == NULL ? "failed" : cause);
	mem_free_wiped(cause);
	env_reserve_end(e, &before);
}

int
exec_template(struct env *e, const struct tree_set *set,
    const struct value *dot, struct text *out)
{
	struct span name = { set->source, strlen(set->source) };
	struct exec x = {
		.env = e,
		.set = set,
		.out = out,
		.tmpl = tree_find(set, name),
	};

	x.node = x.tmpl->root;
	if (eval_push_var(&x, (struct span) { "$", 1 }, *dot) == 0 &&
	    walk(&x, dot, x.tmpl->root) == 0)
		return 0;
	locate_error(&x);
	return -1;
}
