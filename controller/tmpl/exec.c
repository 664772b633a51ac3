/*
 * Parse trees and data -> text. The order of evaluation, the types that fit
 * and the messages are those of Go's text/template; what it asks of reflect
 * is asked of struct type here.
 *
 * Errors unwind as -1. exec.node is the node that Go would name, so that the
 * outermost function can say where it happened.
 */
#include "exec.h"

#include <string.h>

#include "base/mem.h"
#include "dict.h"
#include "print.h"
#include "quote.h"

/* Of string arguments. */
#define BYTES_PER_STEP 64

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

/* What a word was given: the arguments behind it, and what came through the
 * pipe (NULL: nothing). */
struct operands {
	struct node *const *args;
	uint32_t nargs;
	const struct value *final;
};

static const struct operands no_operands;

/* What walking a node may say beside 0 and -1. */
enum { WALK_BREAK = 1, WALK_CONTINUE = 2 };

static int walk(struct exec *x, const struct value *dot, const struct node *n);
static int eval_pipeline(struct exec *x, const struct value *dot,
    const struct node *pipe, struct value *ret);
static int eval_arg(struct exec *x, const struct value *dot,
    const struct type *type, const struct node *n, struct value *ret);

/* The canonical text of a node, for a message; cut at the first NUL. */
static const char *
node_text(struct exec *x, const struct node *n)
{
	struct text t;
	struct value v;

	text_init(&t, x->env);
	node_write(n, &t);
	return text_done(&t, &v) < 0 ? "" : v.u.s.p;
}

static const char *
span_text(struct exec *x, struct span s)
{
	const char *p = env_strndup(x->env, s.p, s.len);

	return p == NULL ? "" : p;
}

static int
fail_node(struct exec *x, const char *before, const struct node *n,
    const char *behind)
{
	return env_fail(x->env, "%s%s%s", before, node_text(x, n), behind);
}

static int
push(struct exec *x, struct span name, struct value v)
{
	size_t cap = x->vars_cap == 0 ? 16 : 2 * x->vars_cap;
	struct variable *bigger;

	if (x->nvars == x->vars_cap) {
		bigger = env_allocarray(x->env, cap, sizeof(*bigger));
		if (bigger == NULL)
			return -1;
		if (x->nvars > 0)
			memcpy(bigger, x->vars, x->nvars * sizeof(*bigger));
		x->vars = bigger;
		x->vars_cap = cap;
	}
	x->vars[x->nvars] = (struct variable) { name, v };
	x->nvars++;
	return 0;
}

static int
push_arg(struct exec *x, struct value v)
{
	size_t cap = x->argv_cap == 0 ? 16 : 2 * x->argv_cap;
	struct value *bigger;

	if (x->nargv == x->argv_cap) {
		bigger = env_allocarray(x->env, cap, sizeof(*bigger));
		if (bigger == NULL)
			return -1;
		if (x->nargv > 0)
			memcpy(bigger, x->argv, x->nargv * sizeof(*bigger));
		x->argv = bigger;
		x->argv_cap = cap;
	}
	x->argv[x->nargv] = v;
	x->nargv++;
	return 0;
}

/* The innermost variable of the running template with that name. */
static struct variable *
find_var(struct exec *x, struct span name)
{
	for (size_t i = x->nvars; i > x->vars_base; i--) {
		if (span_equal(x->vars[i - 1].name, name))
			return &x->vars[i - 1];
	}
	(void)env_fail(x->env, "undefined variable: %s", span_text(x, name));
	return NULL;
}

static int
set_var(struct exec *x, struct span name, struct value v)
{
	struct variable *var = find_var(x, name);

	if (var == NULL)
		return -1;
	var->value = v;
	return 0;
}

static bool
is_valid(const struct value *v)
{
	return v->type != NULL || v->iface;
}

static const char *
static_type_name(const struct value *v)
{
	return v->iface ? type_any.name : v->type->name;
}

static bool
can_be_nil(const struct type *t)
{
	return t->kind == KIND_INTERFACE || t->kind == KIND_MAP ||
	    t->kind == KIND_PTR || t->kind == KIND_SLICE || t == &type_value;
}

/* Go's zero value of a type that can be nil. */
static struct value
zero_of(const struct type *t)
{
	if (t->kind == KIND_INTERFACE || t == &type_value)
		return value_nil();
	return (struct value) { .type = t };
}

/* v as an argument of the type, where it fits. No type: anything. */
static int
validate(struct exec *x, const struct type *type, struct value *v)
{
	if (!is_valid(v)) {
		if (type == NULL)
			return 0;
		if (!can_be_nil(type))
			return env_fail(
			    x->env, "invalid value; expected %s", type->name);
		*v = zero_of(type);
		return 0;
	}
	if (type == NULL || type == &type_value)
		return 0;
	if (type == &type_any || v->type == type) {
		v->iface = false;
		return 0;
	}
	return env_fail(x->env, "wrong type for value; expected %s; got %s",
	    type->name, v->type == NULL ? type_any.name : v->type->name);
}

static bool
has_any(struct span s, const char *chars)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] != '\0' && strchr(chars, s.p[i]) != NULL)
			return true;
	}
	return false;
}

static bool
is_hex_int(struct span s)
{
	return s.len > 2 && s.p[0] == '0' && (s.p[1] == 'x' || s.p[1] == 'X') &&
	    !has_any(s, "pP");
}

/* A number where no type is asked for: its spelling decides. */
static int
ideal_constant(struct exec *x, const struct node *n, struct value *ret)
{
	const struct number *num = &n->u.number;

	x->node = n;
	if (num->is_float && !is_hex_int(num->text) && num->text.p[0] != '\'' &&
	    has_any(num->text, ".eEpP")) {
		*ret = value_float64(num->f);
		return 0;
	}
	if (num->is_int) {
		*ret = value_int(num->i);
		return 0;
	}
	return env_fail(x->env, "%s overflows int", span_text(x, num->text));
}

static int
not_a_function(
    struct exec *x, const struct node *word, const struct operands *ops)
{
	if (ops->nargs == 0 && ops->final == NULL)
		return 0;
	return fail_node(x, "can't give argument to non-function ", word, "");
}

/* How many parameters a signature has; *variadic: the last one repeats. */
static size_t
count_params(const char *sig, bool *variadic)
{
	size_t n = 0;

	*variadic = false;
	for (; *sig != ':'; sig++) {
		if (*sig == '*')
			*variadic = true;
		else
			n++;
	}
	return n;
}

static int
check_count(struct exec *x, const struct func *f, size_t skip, const char *name,
    const struct operands *ops)
{
	bool variadic;
	size_t want = count_params(f->sig + skip, &variadic);
	size_t got = ops->nargs + (ops->final != NULL);

	if (variadic) {
		if (got >= want - 1)
			return 0;
		return env_fail(x->env,
		    "wrong number of args for %s: want at least %zu got %zu",
		    name, want - 1, (size_t)ops->nargs);
	}
	if (got == want)
		return 0;
	return env_fail(x->env, "wrong number of args for %s: want %zu got %zu",
	    name, want, got);
}

/* The type of argument i. */
static const struct type *
param_type(const char *sig, size_t i)
{
	bool variadic;
	size_t n = count_params(sig, &variadic);

	return func_param_type(sig[i < n ? i : n - 1]);
}

/* and, or: the first argument that decides, else the last. */
static int
eval_and_or(struct exec *x, const struct value *dot, bool is_or,
    const struct operands *ops, struct value *ret)
{
	*ret = value_nil();
	for (uint32_t i = 0; i < ops->nargs; i++) {
		if (eval_arg(x, dot, &type_value, ops->args[i], ret) < 0)
			return -1;
		if (value_truth(ret) == is_or)
			return 0;
	}
	if (ops->final != NULL)
		*ret = *ops->final;
	return 0;
}

/* No function value can be reached: what Go says about everything else. */
static int
eval_call_builtin(
    struct exec *x, const struct operands *ops, const struct value *callee)
{
	const char *name = WITHHELD;

	if (callee->type == NULL)
		return env_fail(x->env, "error calling call: call of nil");
	if (ops->nargs > 0)
		name = node_text(x, ops->args[0]);
	return env_fail(x->env,
	    "error calling call: non-function %s of type %s", name,
	    callee->type->name);
}

/* "error calling NAME: " in front of what the function said. */
static int
wrap_call_error(struct exec *x, const char *name)
{
	char *cause = x->env->fault;

	if (x->env->exhausted)
		return -1;
	x->env->fault = NULL;
	(void)env_fail(x->env, "error calling %s: %s", name,
	    cause == NULL ? "failed" : cause);
	mem_free_wiped(cause);
	return -1;
}

/* Whatever a function does with its strings, it looks at each byte. */
static int
charge_strings(struct exec *x, size_t base)
{
	uint64_t n = 0;

	for (size_t i = base; i < x->nargv; i++) {
		if (x->argv[i].type == &type_string)
			n += x->argv[i].u.s.len / BYTES_PER_STEP;
	}
	return env_step(x->env, n);
}

static int
invoke(struct exec *x, const struct func *f, const char *name, size_t base,
    const struct node *node, struct value *ret)
{
	struct call c = {
		.env = x->env,
		.name = name,
		.args = x->argv + base,
		.nargs = x->nargv - base,
	};

	*ret = value_nil();
	if (f->flags & FUNC_VARIES)
		x->env->varies = true;
	if (charge_strings(x, base) < 0 || f->fn(&c, ret) < 0 ||
	    x->env->exhausted) {
		x->node = node;
		return wrap_call_error(x, name);
	}
	if (f->sig[strlen(f->sig) - 1] == 'a')
		ret->iface = true;
	return 0;
}

/* A call in the making. */
struct callee {
	const struct func *func;
	const char *name;
	const struct value *receiver; /* of a method; NULL: a function */
	const struct node *node;      /* to blame if it fails */
};

static int
eval_args(struct exec *x, const struct value *dot, const struct callee *f,
    const struct operands *ops)
{
	const char *sig = f->func->sig;
	size_t nparams = 0;
	struct value v;

	if (f->receiver != NULL) {
		if (push_arg(x, *f->receiver) < 0)
			return -1;
		nparams++;
	}
	for (uint32_t i = 0; i < ops->nargs; i++) {
		if (eval_arg(x, dot, param_type(sig, nparams), ops->args[i],
			&v) < 0 ||
		    push_arg(x, v) < 0)
			return -1;
		nparams++;
	}
	if (ops->final == NULL)
		return 0;
	v = *ops->final;
	if (validate(x, param_type(sig, nparams), &v) < 0)
		return -1;
	return push_arg(x, v);
}

/* A method whose results a template cannot take. */
static int
fail_results(struct exec *x, const struct callee *f)
{
	const char *results = strchr(f->func->sig, ':') + 1;
	size_t n = strlen(results);

	if (n > 2)
		return env_fail(x->env,
		    "function %s has %zu return values; should be 1 or 2",
		    f->name, n);
	return env_fail(x->env,
	    "invalid function signature for %s: second return value should "
	    "be error; is %s",
	    f->name, func_param_type(results[1])->name);
}

static int
eval_call(struct exec *x, const struct value *dot, const struct callee *f,
    const struct operands *ops, struct value *ret)
{
	size_t base = x->nargv;
	bool builtin = (f->func->flags & FUNC_BUILTIN) != 0;
	int rc;

	if (check_count(x, f->func, f->receiver != NULL, f->name, ops) < 0)
		return -1;
	if (f->func->fn == NULL)
		return fail_results(x, f);
	if (builtin && strcmp(f->name, "call") != 0)
		return eval_and_or(x, dot, f->name[0] == 'o', ops, ret);
	rc = eval_args(x, dot, f, ops);
	if (rc == 0 && builtin) {
		x->node = f->node;
		rc = eval_call_builtin(x, ops, &x->argv[base]);
	} else if (rc == 0) {
		rc = invoke(x, f->func, f->name, base, f->node, ret);
	}
	x->nargv = base;
	return rc;
}

static int
eval_function(struct exec *x, const struct value *dot, const struct node *id,
    const struct node *cmd, const struct operands *ops, struct value *ret)
{
	struct callee f = {
		.func = id->func,
		.name = id->func->name,
		.node = cmd,
	};

	x->node = id;
	return eval_call(x, dot, &f, ops, ret);
}

static int
struct_field(struct exec *x, const struct value *v, struct span name,
    const char *type_name, bool has_args, struct value *ret)
{
	const struct field *f = v->type->fields;
	const char *text = span_text(x, name);

	for (; f != NULL && f->name != NULL; f++) {
		if (strcmp(f->name, text) == 0)
			break;
	}
	if (f == NULL || f->name == NULL)
		return env_fail(x->env, "can't evaluate field %s in type %s",
		    text, type_name);
	if (!f->exported)
		return env_fail(x->env,
		    "%s is an unexported field of struct type %s", text,
		    type_name);
	if (has_args)
		return env_fail(x->env,
		    "%s has arguments but cannot be invoked as function", text);
	return f->get(x->env, v, ret);
}

static int
map_field(struct exec *x, const struct value *m, struct span name,
    bool has_args, struct value *ret)
{
	if (has_args)
		return env_fail(x->env, "%s is not a method but has arguments",
		    span_text(x, name));
	*ret = value_nil();
	if (dict_get(m, name.p, name.len, ret))
		ret->iface = m->type->elem == &type_any;
	return 0;
}

/* .name of a value, with the arguments that a method may have. */
static int
eval_field(struct exec *x, const struct value *dot, struct span name,
    const struct node *node, const struct operands *ops, struct value *v)
{
	struct value receiver = value_concrete(*v);
	bool has_args = ops->nargs > 0 || ops->final != NULL;
	struct callee f = { .receiver = &receiver, .node = node };
	const char *type_name;

	if (!is_valid(v))
		return 0;
	type_name = static_type_name(v);
	if (v->type == NULL)
		return env_fail(x->env, "nil pointer evaluating %s.%s",
		    type_name, span_text(x, name));
	f.func = func_method(v->type, name.p, name.len);
	if (f.func != NULL) {
		f.name = f.func->name;
		return eval_call(x, dot, &f, ops, v);
	}
	if (v->type->kind == KIND_MAP)
		return map_field(x, &receiver, name, has_args, v);
	if (v->type->kind == KIND_STRUCT || v->type->kind == KIND_PTR)
		return struct_field(x, &receiver, name, type_name, has_args, v);
	return env_fail(x->env, "can't evaluate field %s in type %s",
	    span_text(x, name), type_name);
}

/* .a.b.c from a value on; the last one gets the arguments. */
static int
eval_chain(struct exec *x, const struct value *dot, const struct node *node,
    uint32_t first, const struct operands *ops, struct value *v)
{
	const struct span_list *l = &node->u.chain.idents;

	for (uint32_t i = first; i < l->len; i++) {
		bool last = i + 1 == l->len;

		if (eval_field(x, dot, l->v[i], node, last ? ops : &no_operands,
			v) < 0)
			return -1;
	}
	return 0;
}

static int
eval_field_node(struct exec *x, const struct value *dot, const struct node *n,
    const struct operands *ops, struct value *ret)
{
	x->node = n;
	*ret = *dot;
	return eval_chain(x, dot, n, 0, ops, ret);
}

static int
eval_variable(struct exec *x, const struct value *dot, const struct node *n,
    const struct operands *ops, struct value *ret)
{
	const struct variable *var;

	x->node = n;
	var = find_var(x, n->u.chain.idents.v[0]);
	if (var == NULL)
		return -1;
	*ret = var->value;
	if (n->u.chain.idents.len == 1)
		return not_a_function(x, n, ops);
	return eval_chain(x, dot, n, 1, ops, ret);
}

static int
eval_chain_node(struct exec *x, const struct value *dot, const struct node *n,
    const struct operands *ops, struct value *ret)
{
	x->node = n;
	if (eval_arg(x, dot, NULL, n->u.chain.operand, ret) < 0)
		return -1;
	return eval_chain(x, dot, n, 0, ops, ret);
}

/* A literal for a parameter of a type of its own. */
static int
literal(struct exec *x, const struct type *type, const struct node *n,
    struct value *ret)
{
	const struct number *num = n->type == NODE_NUMBER ? &n->u.number : NULL;

	*ret = (struct value) { .type = type };
	switch (type->kind) {
	case KIND_BOOL:
		if (n->type != NODE_BOOL)
			return fail_node(x, "expected bool; found ", n, "");
		ret->u.b = n->boolean;
		return 0;
	case KIND_STRING:
		if (n->type != NODE_STRING)
			return fail_node(x, "expected string; found ", n, "");
		*ret = value_str(n->u.string.text.p, n->u.string.text.len);
		return 0;
	case KIND_INT:
	case KIND_INT32:
	case KIND_INT64:
		if (num == NULL || !num->is_int)
			return fail_node(x, "expected integer; found ", n, "");
		ret->u.i = num->i;
		return 0;
	case KIND_UINT8:
	case KIND_UINT32:
	case KIND_UINT64:
		if (num == NULL || !num->is_uint)
			return fail_node(
			    x, "expected unsigned integer; found ", n, "");
		ret->u.u =
		    type->kind == KIND_UINT32 ? (uint32_t)num->u : num->u;
		return 0;
	case KIND_FLOAT64:
		if (num == NULL || !num->is_float)
			return fail_node(x, "expected float; found ", n, "");
		ret->u.f = num->f;
		return 0;
	case KIND_INVALID:
	case KIND_SLICE:
	case KIND_MAP:
	case KIND_STRUCT:
	case KIND_PTR:
	case KIND_INTERFACE:
		break;
	}
	return env_fail(x->env, "can't handle %s for arg of type %s",
	    node_text(x, n), type->name);
}

/* A literal for a parameter that takes anything. */
static int
free_literal(struct exec *x, const struct node *n, struct value *ret)
{
	if (n->type == NODE_BOOL) {
		*ret = value_bool(n->boolean);
		return 0;
	}
	if (n->type == NODE_NUMBER)
		return ideal_constant(x, n, ret);
	*ret = value_str(n->u.string.text.p, n->u.string.text.len);
	return 0;
}

static int
eval_nil_arg(struct exec *x, const struct type *type, struct value *ret)
{
	if (!can_be_nil(type))
		return env_fail(x->env, "cannot assign nil to %s", type->name);
	*ret = zero_of(type);
	return 0;
}

/* The value of an argument that is no literal. */
static int
eval_operand(struct exec *x, const struct value *dot, const struct node *n,
    struct value *ret)
{
	switch ((int)n->type) {
	case NODE_FIELD:
		return eval_field_node(x, dot, n, &no_operands, ret);
	case NODE_VARIABLE:
		return eval_variable(x, dot, n, &no_operands, ret);
	case NODE_PIPE:
		return eval_pipeline(x, dot, n, ret);
	case NODE_IDENTIFIER:
		return eval_function(x, dot, n, n, &no_operands, ret);
	case NODE_CHAIN:
		return eval_chain_node(x, dot, n, &no_operands, ret);
	default:
		*ret = *dot;
		return 0;
	}
}

static int
eval_arg(struct exec *x, const struct value *dot, const struct type *type,
    const struct node *n, struct value *ret)
{
	int rc;

	x->node = n;
	switch ((int)n->type) {
	case NODE_NIL:
		return eval_nil_arg(x, type, ret);
	case NODE_BOOL:
	case NODE_NUMBER:
	case NODE_STRING:
		if (type == &type_any || type == &type_value)
			return free_literal(x, n, ret);
		return literal(x, type, n, ret);
	default:
		break;
	}
	if (env_enter(x->env) < 0)
		return -1;
	rc = eval_operand(x, dot, n, ret);
	env_leave(x->env);
	return rc < 0 ? -1 : validate(x, type, ret);
}

/* A first word that is neither function nor field nor variable. */
static int
eval_word(struct exec *x, const struct value *dot, const struct node *word,
    const struct operands *ops, struct value *ret)
{
	x->node = word;
	if (not_a_function(x, word, ops) < 0)
		return -1;
	if (word->type == NODE_DOT) {
		*ret = *dot;
		return 0;
	}
	if (word->type == NODE_NIL)
		return env_fail(x->env, "nil is not a command");
	return free_literal(x, word, ret);
}

static int
eval_command(struct exec *x, const struct value *dot, const struct node *cmd,
    const struct value *final, struct value *ret)
{
	const struct node *word = cmd->u.nodes.v[0];
	const struct operands ops = {
		.args = cmd->u.nodes.v + 1,
		.nargs = cmd->u.nodes.len - 1,
		.final = final,
	};

	switch ((int)word->type) {
	case NODE_FIELD:
		return eval_field_node(x, dot, word, &ops, ret);
	case NODE_CHAIN:
		return eval_chain_node(x, dot, word, &ops, ret);
	case NODE_IDENTIFIER:
		return eval_function(x, dot, word, cmd, &ops, ret);
	case NODE_PIPE:
		if (not_a_function(x, word, &ops) < 0)
			return -1;
		return eval_pipeline(x, dot, word, ret);
	case NODE_VARIABLE:
		return eval_variable(x, dot, word, &ops, ret);
	default:
		return eval_word(x, dot, word, &ops, ret);
	}
}

static int
set_pipe_vars(struct exec *x, const struct node *pipe, struct value v)
{
	const struct node_list *decl = &pipe->u.pipe.decl;

	for (uint32_t i = 0; i < decl->len; i++) {
		struct span name = decl->v[i]->u.chain.idents.v[0];
		int rc =
		    pipe->is_assign ? set_var(x, name, v) : push(x, name, v);

		if (rc < 0)
			return -1;
	}
	return 0;
}

static int
eval_commands(struct exec *x, const struct value *dot, const struct node *pipe,
    struct value *ret)
{
	const struct node_list *cmds = &pipe->u.pipe.cmds;
	struct value final;

	for (uint32_t i = 0; i < cmds->len; i++) {
		if (env_step(x->env, 1) < 0 ||
		    eval_command(
			x, dot, cmds->v[i], i > 0 ? &final : NULL, ret) < 0)
			return -1;
		/* What an interface holds, from here on. */
		ret->iface = false;
		final = *ret;
	}
	return 0;
}

static int
eval_pipeline(struct exec *x, const struct value *dot, const struct node *pipe,
    struct value *ret)
{
	int rc;

	*ret = value_nil();
	if (pipe == NULL)
		return 0;
	x->node = pipe;
	if (env_enter(x->env) < 0)
		return -1;
	rc = eval_commands(x, dot, pipe, ret);
	env_leave(x->env);
	return rc < 0 ? -1 : set_pipe_vars(x, pipe, *ret);
}

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
		if (set_var(x, decl->v[0]->u.chain.idents.v[0],
			decl->len > 1 ? index : elem) < 0)
			return -1;
		if (decl->len > 1)
			rc = set_var(x, decl->v[1]->u.chain.idents.v[0], elem);
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
	if (push(x, (struct span) { "$", 1 }, dot) < 0)
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
	bool exhausted = e->exhausted;
	char *cause = STEAL(e->fault);
	unsigned line;
	size_t column;
	struct text name;
	struct value v;

	env_reserve(e);
	position(x, &line, &column);
	text_init(&name, e);
	quote_string(&name, x->tmpl->name.p, x->tmpl->name.len, false);
	if (text_done(&name, &v) < 0)
		v = value_cstr("");
	(void)env_fail(e, "template: %s:%u:%zu: executing %s at <%s>: %s",
	    x->set->source, line, column, v.u.s.p, node_text(x, x->node),
	    cause == NULL ? "failed" : cause);
	mem_free_wiped(cause);
	e->exhausted = exhausted;
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
	if (push(&x, (struct span) { "$", 1 }, *dot) == 0 &&
	    walk(&x, dot, x.tmpl->root) == 0)
		return 0;
	locate_error(&x);
	return -1;
}
