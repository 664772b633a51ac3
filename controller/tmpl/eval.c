/*
 * Pipelines, commands, operands and calls. Arguments are fitted to parameters
 * as Go's reflect does; the order of evaluation and the messages are those of
 * Go's text/template.
 */
#include "eval.h"

#include <string.h>

#include "base/mem.h"
#include "dict.h"
#include "func.h"
#include "quote.h"

/* Room for variables, and for arguments, at first. */
#define STACK_LEAST 16

/* What a word was given: the arguments behind it, and what came through the
 * pipe (NULL: nothing). */
struct operands {
	struct node *const *args;
	uint32_t nargs;
	const struct value *final;
};

static const struct operands no_operands;

static int eval_arg(struct exec *x, const struct value *dot,
    const struct type *type, const struct node *n, struct value *ret);

const char *
eval_node_text(struct exec *x, const struct node *n)
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
	return env_fail(x->env, "%s%s%s", before, eval_node_text(x, n), behind);
}

int
eval_push_var(struct exec *x, struct span name, struct value v)
{
	struct variable *vars = env_grow(x->env, x->vars, x->nvars,
	    &x->vars_cap, STACK_LEAST, sizeof(*vars));

	if (vars == NULL)
		return -1;
	x->vars = vars;
	x->vars[x->nvars++] = (struct variable) { name, v };
	return 0;
}

static int
push_arg(struct exec *x, struct value v)
{
	struct value *argv = env_grow(x->env, x->argv, x->nargv, &x->argv_cap,
	    STACK_LEAST, sizeof(*argv));

	if (argv == NULL)
		return -1;
	x->argv = argv;
	x->argv[x->nargv++] = v;
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

int
eval_set_var(struct exec *x, struct span name, struct value v)
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
is_hex_int(struct span s)
{
	return s.len > 2 && s.p[0] == '0' && (s.p[1] == 'x' || s.p[1] == 'X') &&
	    !span_has_any(s, "pP");
}

/* A number where no type is asked for: its spelling decides. */
static int
ideal_constant(struct exec *x, const struct node *n, struct value *ret)
{
	const struct number *num = &n->u.number;

	x->node = n;
	if (num->is_float && !is_hex_int(num->text) && num->text.p[0] != '\'' &&
	    span_has_any(num->text, ".eEpP")) {
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
		name = eval_node_text(x, ops->args[0]);
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
			n += x->argv[i].u.s.len / ENV_BYTES_PER_STEP;
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

		if (i > first && env_step(x->env, 1) < 0)
			return -1;
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
	    eval_node_text(x, n), type->name);
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
		int rc = pipe->is_assign ? eval_set_var(x, name, v)
					 : eval_push_var(x, name, v);

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

int
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
