/*
 * Pipelines: declarations, commands, operands and literals, as Go's
 * text/template/parse reads them. Imaginary numbers are refused.
 */
#include <string.h>

#include "parser.h"
#include "quote.h"
#include "strconv.h"

/* "a.b.c" in pieces. */
static int
split_idents(struct parser *p, struct span s, struct span_list *ret)
{
	for (;;) {
		const char *dot = memchr(s.p, '.', s.len);
		size_t n = dot == NULL ? s.len : (size_t)(dot - s.p);

		if (span_list_append(p->env, ret, (struct span) { s.p, n }) < 0)
			return -1;
		if (dot == NULL)
			return 0;
		s.p += n + 1;
		s.len -= n + 1;
	}
}

static struct node *
variable_new(struct parser *p, struct token t)
{
	struct node *n = parser_node_new(p, NODE_VARIABLE, t.pos);

	if (n == NULL ||
	    split_idents(p, parser_span_of(t), &n->u.chain.idents) < 0)
		return NULL;
	return n;
}

static int
add_declaration(struct parser *p, struct node *pipe, struct token t)
{
	struct node *n = variable_new(p, t);

	if (n == NULL || node_list_append(p->env, &pipe->u.pipe.decl, n) < 0)
		return -1;
	return parser_declare(p, parser_span_of(t));
}

static bool
is_comma(struct token t)
{
	return t.type == TOKEN_CHAR && t.len == 1 && *t.val == ',';
}

/* Behind "$i," of a range; 1: another variable may follow. */
static int
after_comma(struct parser *p, const struct node *pipe, const char *context)
{
	enum token_type type;

	if (strcmp(context, "range") != 0 || pipe->u.pipe.decl.len >= 2) {
		(void)parser_fail(p, "too many declarations in %s", context);
		return -1;
	}
	type = parser_peek_non_space(p).type;
	if (type == TOKEN_VARIABLE || type == TOKEN_RIGHT_DELIM ||
	    type == TOKEN_RIGHT_PAREN)
		return 1;
	(void)parser_fail(p, "range can only initialize variables");
	return -1;
}

/* "$x :=", "$x =", "$i, $x :=" in front of a pipeline. 1: look again. */
static int
declarations(struct parser *p, struct node *pipe, const char *context)
{
	struct token var = parser_peek_non_space(p), after, t;

	if (var.type != TOKEN_VARIABLE)
		return 0;
	(void)parser_next(p);
	/* "$x foo": three tokens, the space included, to see that $x is an
	 * argument. */
	after = parser_peek(p);
	t = parser_peek_non_space(p);
	if (t.type == TOKEN_ASSIGN || t.type == TOKEN_DECLARE) {
		pipe->is_assign = t.type == TOKEN_ASSIGN;
		(void)parser_next_non_space(p);
		return add_declaration(p, pipe, var);
	}
	if (is_comma(t)) {
		(void)parser_next_non_space(p);
		if (add_declaration(p, pipe, var) < 0)
			return -1;
		return after_comma(p, pipe, context);
	}
	if (after.type == TOKEN_SPACE)
		parser_backup3(p, var, after);
	else
		parser_backup2(p, var);
	return 0;
}

static int
check_pipeline(struct parser *p, const struct node *pipe, const char *context)
{
	const struct node_list *cmds = &pipe->u.pipe.cmds;

	if (cmds->len == 0) {
		(void)parser_fail(p, "missing value for %s", context);
		return -1;
	}
	for (uint32_t i = 1; i < cmds->len; i++) {
		switch ((int)cmds->v[i]->u.nodes.v[0]->type) {
		case NODE_BOOL:
		case NODE_DOT:
		case NODE_NIL:
		case NODE_NUMBER:
		case NODE_STRING:
			(void)parser_fail(p,
			    "non executable command in pipeline stage %u",
			    i + 1);
			return -1;
		default:
			break;
		}
	}
	return 0;
}

static bool
starts_operand(enum token_type type)
{
	switch ((int)type) {
	case TOKEN_BOOL:
	case TOKEN_CHAR_CONSTANT:
	case TOKEN_COMPLEX:
	case TOKEN_DOT:
	case TOKEN_FIELD:
	case TOKEN_IDENTIFIER:
	case TOKEN_NUMBER:
	case TOKEN_NIL:
	case TOKEN_RAW_STRING:
	case TOKEN_STRING:
	case TOKEN_VARIABLE:
	case TOKEN_LEFT_PAREN:
		return true;
	default:
		return false;
	}
}

static double
uint_to_double(uint64_t u)
{
	return (double)u;
}

/* Which integers a number with a point or an exponent stands for. */
static void
integers_of(struct number *n)
{
	double f = n->f;

	if (f >= -0x1p63 && f < 0x1p63 && __builtin_trunc(f) - f == 0) {
		n->is_int = true;
		n->i = (int64_t)f;
	}
	if (f >= 0 && f < 0x1p64 && __builtin_trunc(f) - f == 0) {
		n->is_uint = true;
		n->u = (uint64_t)f;
	}
}

static int
parse_number(struct parser *p, struct number *n)
{
	struct span s = n->text;

	n->is_uint = strconv_parse_uint(s.p, s.len, 0, &n->u) == STRCONV_OK;
	n->is_int = strconv_parse_int(s.p, s.len, 0, &n->i) == STRCONV_OK;
	if (n->is_int && n->i == 0) {
		n->is_uint = true;
		n->u = 0;
	}
	if (n->is_int || n->is_uint) {
		n->is_float = true;
		n->f = n->is_int ? (double)n->i : uint_to_double(n->u);
		return 0;
	}
	if (strconv_parse_float(s.p, s.len, &n->f) != STRCONV_OK) {
		(void)parser_fail_quoted(p, "illegal number syntax: ", s, "");
		return -1;
	}
	if (!span_has_any(s, ".eEpP")) {
		(void)parser_fail_quoted(p, "integer overflow: ", s, "");
		return -1;
	}
	n->is_float = true;
	integers_of(n);
	return 0;
}

static int
parse_char_constant(struct parser *p, struct number *n)
{
	struct span s = n->text;
	bool multibyte;
	struct text msg;
	uint32_t r;
	size_t used;

	used = quote_unquote_char(s.p + 1, s.len - 1, '\'', &r, &multibyte);
	if (used == 0) {
		(void)parser_fail(p, "invalid syntax");
		return -1;
	}
	if (used + 2 != s.len) {
		text_init(&msg, p->env);
		text_puts(&msg, "malformed character constant: ");
		text_append(&msg, s.p, s.len);
		(void)parser_fail_text(p, &msg);
		return -1;
	}
	n->is_int = n->is_uint = n->is_float = true;
	n->i = r;
	n->u = r;
	n->f = r;
	return 0;
}

static struct node *
number_new(struct parser *p, struct token t)
{
	struct node *n = parser_node_new(p, NODE_NUMBER, t.pos);
	double imaginary;
	int rc;

	if (n == NULL)
		return NULL;
	n->u.number.text = parser_span_of(t);
	if (t.type == TOKEN_COMPLEX ||
	    (t.type == TOKEN_NUMBER && t.val[t.len - 1] == 'i' &&
		strconv_parse_float(t.val, t.len - 1, &imaginary) ==
		    STRCONV_OK))
		return parser_fail_quoted(p, "imaginary number ",
		    parser_span_of(t), " is not supported");
	if (t.type == TOKEN_CHAR_CONSTANT)
		rc = parse_char_constant(p, &n->u.number);
	else
		rc = parse_number(p, &n->u.number);
	return rc < 0 ? NULL : n;
}

static struct node *
use_variable(struct parser *p, struct token t)
{
	struct span name = parser_span_of(t);

	for (uint32_t i = 0; i < p->vars.len; i++) {
		if (span_equal(p->vars.v[i], name))
			return variable_new(p, t);
	}
	return parser_fail_quoted(p, "undefined variable ", name, "");
}

static struct node *
identifier_new(struct parser *p, struct token t)
{
	const struct func *f = func_find(t.val, t.len);
	struct node *n;

	if (f == NULL)
		return parser_fail_quoted(
		    p, "function ", parser_span_of(t), " not defined");
	n = parser_node_new(p, NODE_IDENTIFIER, t.pos);
	if (n != NULL) {
		n->u.text = parser_span_of(t);
		n->func = f;
	}
	return n;
}

static struct node *
field_new(struct parser *p, struct token t)
{
	struct node *n = parser_node_new(p, NODE_FIELD, t.pos);
	struct span name = { t.val + 1, t.len - 1 };

	if (n == NULL || split_idents(p, name, &n->u.chain.idents) < 0)
		return NULL;
	return n;
}

static struct node *
string_new(struct parser *p, struct token t)
{
	struct node *n = parser_node_new(p, NODE_STRING, t.pos);

	if (n == NULL || parser_unquote(p, t, &n->u.string.text) < 0)
		return NULL;
	n->u.string.quoted = parser_span_of(t);
	return n;
}

static struct node *
parenthesized(struct parser *p)
{
	struct node *n;

	if (env_enter(p->env) < 0)
		return NULL;
	n = parser_pipeline(p, "parenthesized pipeline", TOKEN_RIGHT_PAREN);
	env_leave(p->env);
	return n;
}

/* A simple expression; *none where the next token is none. */
static struct node *
term(struct parser *p, bool *none)
{
	struct token t = parser_next_non_space(p);
	struct node *n;

	switch ((int)t.type) {
	case TOKEN_IDENTIFIER:
		return identifier_new(p, t);
	case TOKEN_DOT:
		return parser_node_new(p, NODE_DOT, t.pos);
	case TOKEN_NIL:
		return parser_node_new(p, NODE_NIL, t.pos);
	case TOKEN_VARIABLE:
		return use_variable(p, t);
	case TOKEN_FIELD:
		return field_new(p, t);
	case TOKEN_BOOL:
		n = parser_node_new(p, NODE_BOOL, t.pos);
		if (n != NULL)
			n->boolean = *t.val == 't';
		return n;
	case TOKEN_CHAR_CONSTANT:
	case TOKEN_COMPLEX:
	case TOKEN_NUMBER:
		return number_new(p, t);
	case TOKEN_LEFT_PAREN:
		return parenthesized(p);
	case TOKEN_STRING:
	case TOKEN_RAW_STRING:
		return string_new(p, t);
	default:
		*none = true;
		parser_backup(p);
		return NULL;
	}
}

static void *
fail_dot_after(struct parser *p, const struct node *n)
{
	struct text term_text;
	struct value v;

	text_init(&term_text, p->env);
	node_write(n, &term_text);
	if (text_done(&term_text, &v) < 0)
		return NULL;
	return parser_fail_quoted(p, "unexpected . after term ",
	    (struct span) { v.u.s.p, v.u.s.len }, "");
}

/* The fields behind a term go to the term itself where that has some. */
static struct node *
chain_of(struct parser *p, struct node *operand)
{
	struct node *n = operand;
	size_t pos = parser_peek(p).pos;

	if (operand->type == NODE_FIELD || operand->type == NODE_VARIABLE) {
		n->pos = pos;
	} else {
		n = parser_node_new(p, NODE_CHAIN, pos);
		if (n == NULL)
			return NULL;
		n->u.chain.operand = operand;
	}
	while (parser_peek(p).type == TOKEN_FIELD) {
		struct token t = parser_next(p);

		if (span_list_append(p->env, &n->u.chain.idents,
			(struct span) { t.val + 1, t.len - 1 }) < 0)
			return NULL;
	}
	switch ((int)operand->type) {
	case NODE_BOOL:
	case NODE_STRING:
	case NODE_NUMBER:
	case NODE_NIL:
	case NODE_DOT:
		return fail_dot_after(p, operand);
	default:
		return n;
	}
}

static struct node *
operand(struct parser *p, bool *none)
{
	struct node *n = term(p, none);

	if (n != NULL && parser_peek(p).type == TOKEN_FIELD)
		return chain_of(p, n);
	return n;
}

/* Operands with spaces between them, up to a pipe or what ends the pipeline. */
static struct node *
command(struct parser *p)
{
	struct node *cmd =
	    parser_node_new(p, NODE_COMMAND, parser_peek_non_space(p).pos);
	struct token t;

	if (cmd == NULL)
		return NULL;
	do {
		bool none = false;
		struct node *n;

		(void)parser_peek_non_space(p);
		n = operand(p, &none);
		if (n == NULL && !none)
			return NULL;
		if (n != NULL && node_list_append(p->env, &cmd->u.nodes, n) < 0)
			return NULL;
		t = parser_next(p);
	} while (t.type == TOKEN_SPACE);
	if (t.type == TOKEN_RIGHT_DELIM || t.type == TOKEN_RIGHT_PAREN)
		parser_backup(p);
	else if (t.type != TOKEN_PIPE)
		return parser_unexpected(p, t, "operand");
	if (cmd->u.nodes.len == 0)
		return parser_fail(p, "empty command");
	return cmd;
}

struct node *
parser_pipeline(struct parser *p, const char *context, enum token_type end)
{
	struct node *pipe =
	    parser_node_new(p, NODE_PIPE, parser_peek_non_space(p).pos);
	int again;

	if (pipe == NULL)
		return NULL;
	do
		again = declarations(p, pipe, context);
	while (again > 0);
	if (again < 0)
		return NULL;
	for (;;) {
		struct token t = parser_next_non_space(p);
		struct node *cmd;

		if (t.type == end)
			return check_pipeline(p, pipe, context) < 0 ? NULL
								    : pipe;
		if (!starts_operand(t.type))
			return parser_unexpected(p, t, context);
		parser_backup(p);
		cmd = command(p);
		if (cmd == NULL ||
		    node_list_append(p->env, &pipe->u.pipe.cmds, cmd) < 0)
			return NULL;
	}
}
