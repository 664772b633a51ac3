/*
 * Template text -> parse trees. The grammar, its look-ahead and its messages
 * are those of Go's text/template/parse. Imaginary numbers are refused.
 */
#include "parse.h"

#include <string.h>

#include "lex.h"
#include "quote.h"
#include "strconv.h"

#define LOOKAHEAD 3

/* One tree in the making. Definitions and blocks have a parser of their own
 * on the same lexer, and see none of the variables outside. */
struct parser {
	struct env *env;
	struct lexer *lex;
	struct tree_set *set;
	struct token token[LOOKAHEAD];
	int npeeked;
	struct span_list vars;
	unsigned action_line;
	unsigned range_depth;
};

static struct node *
parse_pipeline(struct parser *p, const char *context, enum token_type end);
static struct node *text_or_action(struct parser *p);
static struct node *
control(struct parser *p, const char *word, enum node_type type);

static void
parser_init(
    struct parser *p, struct env *e, struct lexer *lex, struct tree_set *set)
{
	memset(p, 0, sizeof(*p));
	p->env = e;
	p->lex = lex;
	p->set = set;
}

/* Every parser knows $. */
static int
declare(struct parser *p, struct span name)
{
	return span_list_append(p->env, &p->vars, name);
}

static struct token
next(struct parser *p)
{
	if (p->npeeked > 0)
		p->npeeked--;
	else
		p->token[0] = lexer_next(p->lex);
	return p->token[p->npeeked];
}

static void
backup(struct parser *p)
{
	p->npeeked++;
}

static void
backup2(struct parser *p, struct token t1)
{
	p->token[1] = t1;
	p->npeeked = 2;
}

static void
backup3(struct parser *p, struct token t2, struct token t1)
{
	p->token[1] = t1;
	p->token[2] = t2;
	p->npeeked = 3;
}

static struct token
peek(struct parser *p)
{
	if (p->npeeked > 0)
		return p->token[p->npeeked - 1];
	p->npeeked = 1;
	p->token[0] = lexer_next(p->lex);
	return p->token[0];
}

static struct token
next_non_space(struct parser *p)
{
	struct token t;

	do
		t = next(p);
	while (t.type == TOKEN_SPACE);
	return t;
}

static struct token
peek_non_space(struct parser *p)
{
	struct token t = next_non_space(p);

	backup(p);
	return t;
}

/* "template: NAME:LINE: " and the message; NULL for the caller to return. */
static void *
fail_text(struct parser *p, struct text *msg)
{
	struct value v;

	if (text_done(msg, &v) < 0)
		return NULL;
	(void)env_fail(p->env, "template: %s:%u: %.*s", p->set->source,
	    p->token[0].line, (int)v.u.s.len, v.u.s.p);
	return NULL;
}

static void *PRINTF(2, 3) fail(struct parser *p, const char *fmt, ...)
{
	struct text msg;
	char tmp[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(tmp, sizeof(tmp), fmt, ap);
	va_end(ap);
	text_init(&msg, p->env);
	text_puts(&msg, tmp);
	return fail_text(p, &msg);
}

/* The message with a quoted piece of the source behind it. */
static void *
fail_quoted(
    struct parser *p, const char *before, struct span s, const char *behind)
{
	struct text msg;

	text_init(&msg, p->env);
	text_puts(&msg, before);
	quote_string(&msg, s.p, s.len, false);
	text_puts(&msg, behind);
	return fail_text(p, &msg);
}

static bool
ends_with(const struct token *t, const char *end)
{
	size_t n = strlen(end);

	return t->len >= n && memcmp(t->val + t->len - n, end, n) == 0;
}

static void *
unexpected(struct parser *p, struct token t, const char *context)
{
	struct text msg;

	text_init(&msg, p->env);
	if (t.type != TOKEN_ERROR)
		text_puts(&msg, "unexpected ");
	token_describe(&t, &msg);
	if (t.type != TOKEN_ERROR) {
		text_puts(&msg, " in ");
		text_puts(&msg, context);
	} else if (p->action_line != 0 && p->action_line != t.line) {
		text_puts(&msg, ends_with(&t, " action") ? "" : " in action");
		text_puts(&msg, " started at ");
		text_puts(&msg, p->set->source);
		text_printf(&msg, ":%u", p->action_line);
	}
	return fail_text(p, &msg);
}

static int
expect(struct parser *p, enum token_type type, const char *context,
    struct token *ret)
{
	*ret = next_non_space(p);
	if (ret->type == type)
		return 0;
	(void)unexpected(p, *ret, context);
	return -1;
}

static struct node *
node_new(struct parser *p, enum node_type type, size_t pos)
{
	struct node *n;

	if (env_step(p->env, 1) < 0)
		return NULL;
	n = env_alloc(p->env, sizeof(*n));
	if (n == NULL)
		return NULL;
	n->type = type;
	n->pos = pos;
	return n;
}

static struct span
span_of(struct token t)
{
	return (struct span) { t.val, t.len };
}

static int
unquote(struct parser *p, struct token t, struct span *ret)
{
	struct value v;

	if (quote_unquote(p->env, t.val, t.len, &v) < 0) {
		(void)fail(p, "invalid syntax");
		return -1;
	}
	*ret = (struct span) { v.u.s.p, v.u.s.len };
	return 0;
}

const struct tree *
tree_find(const struct tree_set *set, struct span name)
{
	for (const struct tree *t = set->trees; t != NULL; t = t->next) {
		if (span_equal(t->name, name))
			return t;
	}
	return NULL;
}

/* Two definitions of one name are fine while one of them is empty. */
static int
add_tree(struct parser *p, struct span name, struct node *root)
{
	struct tree *t;

	for (t = p->set->trees; t != NULL; t = t->next) {
		if (span_equal(t->name, name))
			break;
	}
	if (t != NULL && !node_is_empty(t->root)) {
		if (node_is_empty(root))
			return 0;
		(void)fail_quoted(
		    p, "template: multiple definition of template ", name, "");
		return -1;
	}
	if (t == NULL) {
		t = env_alloc(p->env, sizeof(*t));
		if (t == NULL)
			return -1;
		t->next = p->set->trees;
		p->set->trees = t;
	}
	t->name = name;
	t->root = root;
	return 0;
}

/* Up to the end or else that closes it, which goes to *end. */
static struct node *
item_list(struct parser *p, struct node **end)
{
	struct node *list = node_new(p, NODE_LIST, peek_non_space(p).pos);

	if (list == NULL)
		return NULL;
	while (peek_non_space(p).type != TOKEN_EOF) {
		struct node *n = text_or_action(p);

		if (n == NULL)
			return NULL;
		if (n->type == NODE_END || n->type == NODE_ELSE) {
			*end = n;
			return list;
		}
		if (node_list_append(p->env, &list->u.nodes, n) < 0)
			return NULL;
	}
	return fail(p, "unexpected EOF");
}

/* The body of a define or block, with a parser of its own; an else is blamed
 * on the line where the define ends, or the block begins. */
static int
parse_body(struct parser *p, struct parser *blame, struct span name,
    const char *context)
{
	struct node *root, *end = NULL;

	if (env_enter(p->env) < 0)
		return -1;
	root = item_list(p, &end);
	env_leave(p->env);
	if (root == NULL || end == NULL)
		return -1;
	if (end->type != NODE_END) {
		(void)fail(blame, "unexpected {{else}} in %s", context);
		return -1;
	}
	return add_tree(p, name, root);
}

static int
parse_definition(struct parser *outer)
{
	static const char context[] = "define clause";
	struct parser p;
	struct span name;
	struct token t;

	parser_init(&p, outer->env, outer->lex, outer->set);
	if (declare(&p, (struct span) { "$", 1 }) < 0)
		return -1;
	t = next_non_space(&p);
	if (t.type != TOKEN_STRING && t.type != TOKEN_RAW_STRING) {
		(void)unexpected(&p, t, context);
		return -1;
	}
	if (unquote(&p, t, &name) < 0 ||
	    expect(&p, TOKEN_RIGHT_DELIM, context, &t) < 0)
		return -1;
	return parse_body(&p, &p, name, context);
}

static struct node *
parse_text(struct parser *p, struct token t)
{
	struct node *n = node_new(p, NODE_TEXT, t.pos);

	if (n != NULL)
		n->u.text = span_of(t);
	return n;
}

static struct node *
break_or_continue(struct parser *p, enum node_type type, size_t pos)
{
	const char *word = type == NODE_BREAK ? "{{break}}" : "{{continue}}";
	struct token t = next_non_space(p);

	if (t.type != TOKEN_RIGHT_DELIM)
		return unexpected(p, t, word);
	if (p->range_depth == 0)
		return fail(p, "%s outside {{range}}", word);
	return node_new(p, type, pos);
}

static struct node *
end_control(struct parser *p)
{
	struct token t;

	if (expect(p, TOKEN_RIGHT_DELIM, "end", &t) < 0)
		return NULL;
	return node_new(p, NODE_END, t.pos);
}

/* "else if" leaves the if for parse_control(). */
static struct node *
else_control(struct parser *p)
{
	struct token t = peek_non_space(p);

	if (t.type != TOKEN_IF && t.type != TOKEN_WITH &&
	    expect(p, TOKEN_RIGHT_DELIM, "else", &t) < 0)
		return NULL;
	return node_new(p, NODE_ELSE, t.pos);
}

/* What follows {{else}}, or an if or with in the same action. */
static struct node *
else_list(struct parser *p, enum node_type type, const struct node *at)
{
	enum token_type again = type == NODE_IF ? TOKEN_IF : TOKEN_WITH;
	struct node *list, *n, *end = NULL;

	if (type == NODE_RANGE || peek(p).type != again) {
		list = item_list(p, &end);
		if (list != NULL && end != NULL && end->type != NODE_END)
			return fail(p, "expected end; found {{else}}");
		return list;
	}
	(void)next(p);
	list = node_new(p, NODE_LIST, at->pos);
	n = control(p, type == NODE_IF ? "if" : "with", type);
	if (list == NULL || n == NULL ||
	    node_list_append(p->env, &list->u.nodes, n) < 0)
		return NULL;
	return list;
}

static struct node *
control_body(struct parser *p, const char *word, enum node_type type)
{
	struct node *n = node_new(p, type, 0), *end = NULL;

	if (n == NULL)
		return NULL;
	n->u.branch.pipe = parse_pipeline(p, word, TOKEN_RIGHT_DELIM);
	if (n->u.branch.pipe == NULL)
		return NULL;
	n->pos = n->u.branch.pipe->pos;
	p->range_depth += type == NODE_RANGE;
	n->u.branch.list = item_list(p, &end);
	p->range_depth -= type == NODE_RANGE;
	if (n->u.branch.list == NULL || end == NULL)
		return NULL;
	if (end->type == NODE_ELSE) {
		n->u.branch.else_list = else_list(p, type, end);
		if (n->u.branch.else_list == NULL)
			return NULL;
	}
	return n;
}

static struct node *
control(struct parser *p, const char *word, enum node_type type)
{
	uint32_t nvars = p->vars.len;
	struct node *n;

	if (env_enter(p->env) < 0)
		return NULL;
	n = control_body(p, word, type);
	env_leave(p->env);
	p->vars.len = nvars;
	return n;
}

static int
template_name(
    struct parser *p, struct token t, const char *context, struct span *ret)
{
	if (t.type == TOKEN_STRING || t.type == TOKEN_RAW_STRING)
		return unquote(p, t, ret);
	(void)unexpected(p, t, context);
	return -1;
}

static struct node *
block_control(struct parser *outer)
{
	static const char context[] = "block clause";
	struct token t = next_non_space(outer);
	struct node *n = node_new(outer, NODE_TEMPLATE, t.pos);
	struct parser p;

	if (n == NULL ||
	    template_name(outer, t, context, &n->u.branch.name) < 0)
		return NULL;
	n->u.branch.pipe = parse_pipeline(outer, context, TOKEN_RIGHT_DELIM);
	if (n->u.branch.pipe == NULL)
		return NULL;
	parser_init(&p, outer->env, outer->lex, outer->set);
	if (declare(&p, (struct span) { "$", 1 }) < 0 ||
	    parse_body(&p, outer, n->u.branch.name, context) < 0)
		return NULL;
	return n;
}

static struct node *
template_control(struct parser *p)
{
	static const char context[] = "template clause";
	struct token t = next_non_space(p);
	struct node *n = node_new(p, NODE_TEMPLATE, t.pos);

	if (n == NULL || template_name(p, t, context, &n->u.branch.name) < 0)
		return NULL;
	if (next_non_space(p).type == TOKEN_RIGHT_DELIM)
		return n;
	backup(p);
	n->u.branch.pipe = parse_pipeline(p, context, TOKEN_RIGHT_DELIM);
	return n->u.branch.pipe == NULL ? NULL : n;
}

static struct node *
action(struct parser *p)
{
	struct token t = next_non_space(p);
	struct node *n;

	switch ((int)t.type) {
	case TOKEN_BLOCK:
		return block_control(p);
	case TOKEN_BREAK:
		return break_or_continue(p, NODE_BREAK, t.pos);
	case TOKEN_CONTINUE:
		return break_or_continue(p, NODE_CONTINUE, t.pos);
	case TOKEN_ELSE:
		return else_control(p);
	case TOKEN_END:
		return end_control(p);
	case TOKEN_IF:
		return control(p, "if", NODE_IF);
	case TOKEN_RANGE:
		return control(p, "range", NODE_RANGE);
	case TOKEN_TEMPLATE:
		return template_control(p);
	case TOKEN_WITH:
		return control(p, "with", NODE_WITH);
	default:
		break;
	}
	backup(p);
	n = node_new(p, NODE_ACTION, peek(p).pos);
	if (n == NULL)
		return NULL;
	n->u.branch.pipe = parse_pipeline(p, "command", TOKEN_RIGHT_DELIM);
	return n->u.branch.pipe == NULL ? NULL : n;
}

static struct node *
text_or_action(struct parser *p)
{
	struct token t = next_non_space(p);
	struct node *n;

	if (t.type == TOKEN_TEXT)
		return parse_text(p, t);
	if (t.type != TOKEN_LEFT_DELIM)
		return unexpected(p, t, "input");
	p->action_line = t.line;
	n = action(p);
	p->action_line = 0;
	return n;
}

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
	struct node *n = node_new(p, NODE_VARIABLE, t.pos);

	if (n == NULL || split_idents(p, span_of(t), &n->u.chain.idents) < 0)
		return NULL;
	return n;
}

static int
add_declaration(struct parser *p, struct node *pipe, struct token t)
{
	struct node *n = variable_new(p, t);

	if (n == NULL || node_list_append(p->env, &pipe->u.pipe.decl, n) < 0)
		return -1;
	return declare(p, span_of(t));
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
		(void)fail(p, "too many declarations in %s", context);
		return -1;
	}
	type = peek_non_space(p).type;
	if (type == TOKEN_VARIABLE || type == TOKEN_RIGHT_DELIM ||
	    type == TOKEN_RIGHT_PAREN)
		return 1;
	(void)fail(p, "range can only initialize variables");
	return -1;
}

/* "$x :=", "$x =", "$i, $x :=" in front of a pipeline. 1: look again. */
static int
declarations(struct parser *p, struct node *pipe, const char *context)
{
	struct token var = peek_non_space(p), after, t;

	if (var.type != TOKEN_VARIABLE)
		return 0;
	(void)next(p);
	/* "$x foo": three tokens, the space included, to see that $x is an
	 * argument. */
	after = peek(p);
	t = peek_non_space(p);
	if (t.type == TOKEN_ASSIGN || t.type == TOKEN_DECLARE) {
		pipe->is_assign = t.type == TOKEN_ASSIGN;
		(void)next_non_space(p);
		return add_declaration(p, pipe, var);
	}
	if (is_comma(t)) {
		(void)next_non_space(p);
		if (add_declaration(p, pipe, var) < 0)
			return -1;
		return after_comma(p, pipe, context);
	}
	if (after.type == TOKEN_SPACE)
		backup3(p, var, after);
	else
		backup2(p, var);
	return 0;
}

static int
check_pipeline(struct parser *p, const struct node *pipe, const char *context)
{
	const struct node_list *cmds = &pipe->u.pipe.cmds;

	if (cmds->len == 0) {
		(void)fail(p, "missing value for %s", context);
		return -1;
	}
	for (uint32_t i = 1; i < cmds->len; i++) {
		switch ((int)cmds->v[i]->u.nodes.v[0]->type) {
		case NODE_BOOL:
		case NODE_DOT:
		case NODE_NIL:
		case NODE_NUMBER:
		case NODE_STRING:
			(void)fail(p,
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

static bool
has_any(struct span s, const char *chars)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] != '\0' && strchr(chars, s.p[i]) != NULL)
			return true;
	}
	return false;
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
		(void)fail_quoted(p, "illegal number syntax: ", s, "");
		return -1;
	}
	if (!has_any(s, ".eEpP")) {
		(void)fail_quoted(p, "integer overflow: ", s, "");
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
		(void)fail(p, "invalid syntax");
		return -1;
	}
	if (used + 2 != s.len) {
		text_init(&msg, p->env);
		text_puts(&msg, "malformed character constant: ");
		text_append(&msg, s.p, s.len);
		(void)fail_text(p, &msg);
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
	struct node *n = node_new(p, NODE_NUMBER, t.pos);
	double imaginary;
	int rc;

	if (n == NULL)
		return NULL;
	n->u.number.text = span_of(t);
	if (t.type == TOKEN_COMPLEX ||
	    (t.type == TOKEN_NUMBER && t.val[t.len - 1] == 'i' &&
		strconv_parse_float(t.val, t.len - 1, &imaginary) ==
		    STRCONV_OK))
		return fail_quoted(
		    p, "imaginary number ", span_of(t), " is not supported");
	if (t.type == TOKEN_CHAR_CONSTANT)
		rc = parse_char_constant(p, &n->u.number);
	else
		rc = parse_number(p, &n->u.number);
	return rc < 0 ? NULL : n;
}

static struct node *
use_variable(struct parser *p, struct token t)
{
	struct span name = span_of(t);

	for (uint32_t i = 0; i < p->vars.len; i++) {
		if (span_equal(p->vars.v[i], name))
			return variable_new(p, t);
	}
	return fail_quoted(p, "undefined variable ", name, "");
}

static struct node *
identifier_new(struct parser *p, struct token t)
{
	const struct func *f = func_find(t.val, t.len);
	struct node *n;

	if (f == NULL)
		return fail_quoted(p, "function ", span_of(t), " not defined");
	n = node_new(p, NODE_IDENTIFIER, t.pos);
	if (n != NULL) {
		n->u.text = span_of(t);
		n->func = f;
	}
	return n;
}

static struct node *
field_new(struct parser *p, struct token t)
{
	struct node *n = node_new(p, NODE_FIELD, t.pos);
	struct span name = { t.val + 1, t.len - 1 };

	if (n == NULL || split_idents(p, name, &n->u.chain.idents) < 0)
		return NULL;
	return n;
}

static struct node *
string_new(struct parser *p, struct token t)
{
	struct node *n = node_new(p, NODE_STRING, t.pos);

	if (n == NULL || unquote(p, t, &n->u.string.text) < 0)
		return NULL;
	n->u.string.quoted = span_of(t);
	return n;
}

static struct node *
parenthesized(struct parser *p)
{
	struct node *n;

	if (env_enter(p->env) < 0)
		return NULL;
	n = parse_pipeline(p, "parenthesized pipeline", TOKEN_RIGHT_PAREN);
	env_leave(p->env);
	return n;
}

/* A simple expression; *none where the next token is none. */
static struct node *
term(struct parser *p, bool *none)
{
	struct token t = next_non_space(p);
	struct node *n;

	switch ((int)t.type) {
	case TOKEN_IDENTIFIER:
		return identifier_new(p, t);
	case TOKEN_DOT:
		return node_new(p, NODE_DOT, t.pos);
	case TOKEN_NIL:
		return node_new(p, NODE_NIL, t.pos);
	case TOKEN_VARIABLE:
		return use_variable(p, t);
	case TOKEN_FIELD:
		return field_new(p, t);
	case TOKEN_BOOL:
		n = node_new(p, NODE_BOOL, t.pos);
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
		backup(p);
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
	return fail_quoted(p, "unexpected . after term ",
	    (struct span) { v.u.s.p, v.u.s.len }, "");
}

/* The fields behind a term go to the term itself where that has some. */
static struct node *
chain_of(struct parser *p, struct node *operand)
{
	struct node *n = operand;
	size_t pos = peek(p).pos;

	if (operand->type == NODE_FIELD || operand->type == NODE_VARIABLE) {
		n->pos = pos;
	} else {
		n = node_new(p, NODE_CHAIN, pos);
		if (n == NULL)
			return NULL;
		n->u.chain.operand = operand;
	}
	while (peek(p).type == TOKEN_FIELD) {
		struct token t = next(p);

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

	if (n != NULL && peek(p).type == TOKEN_FIELD)
		return chain_of(p, n);
	return n;
}

/* Operands with spaces between them, up to a pipe or what ends the pipeline. */
static struct node *
command(struct parser *p)
{
	struct node *cmd = node_new(p, NODE_COMMAND, peek_non_space(p).pos);
	struct token t;

	if (cmd == NULL)
		return NULL;
	do {
		bool none = false;
		struct node *n;

		(void)peek_non_space(p);
		n = operand(p, &none);
		if (n == NULL && !none)
			return NULL;
		if (n != NULL && node_list_append(p->env, &cmd->u.nodes, n) < 0)
			return NULL;
		t = next(p);
	} while (t.type == TOKEN_SPACE);
	if (t.type == TOKEN_RIGHT_DELIM || t.type == TOKEN_RIGHT_PAREN)
		backup(p);
	else if (t.type != TOKEN_PIPE)
		return unexpected(p, t, "operand");
	if (cmd->u.nodes.len == 0)
		return fail(p, "empty command");
	return cmd;
}

static struct node *
parse_pipeline(struct parser *p, const char *context, enum token_type end)
{
	struct node *pipe = node_new(p, NODE_PIPE, peek_non_space(p).pos);
	int again;

	if (pipe == NULL)
		return NULL;
	do
		again = declarations(p, pipe, context);
	while (again > 0);
	if (again < 0)
		return NULL;
	for (;;) {
		struct token t = next_non_space(p);
		struct node *cmd;

		if (t.type == end)
			return check_pipeline(p, pipe, context) < 0 ? NULL
								    : pipe;
		if (!starts_operand(t.type))
			return unexpected(p, t, context);
		backup(p);
		cmd = command(p);
		if (cmd == NULL ||
		    node_list_append(p->env, &pipe->u.pipe.cmds, cmd) < 0)
			return NULL;
	}
}

/* A define, or anything else, at the top level. */
static int
top_level(struct parser *p, struct node *root)
{
	struct token delim;
	struct node *n;

	if (peek(p).type == TOKEN_LEFT_DELIM) {
		delim = next(p);
		if (next_non_space(p).type == TOKEN_DEFINE)
			return parse_definition(p);
		backup2(p, delim);
	}
	n = text_or_action(p);
	if (n == NULL)
		return -1;
	if (n->type == NODE_END || n->type == NODE_ELSE) {
		(void)fail(p, "unexpected {{%s}}",
		    n->type == NODE_END ? "end" : "else");
		return -1;
	}
	return node_list_append(p->env, &root->u.nodes, n);
}

int
parse_source(struct env *e, const char *source, const char *text, size_t len,
    struct tree_set *ret)
{
	struct span name = { source, strlen(source) };
	struct lexer lex;
	struct parser p;
	struct node *root;

	*ret = (struct tree_set) { .source = source, .text = { text, len } };
	lexer_init(&lex, e, text, len);
	parser_init(&p, e, &lex, ret);
	if (declare(&p, (struct span) { "$", 1 }) < 0)
		return -1;
	root = node_new(&p, NODE_LIST, peek(&p).pos);
	if (root == NULL)
		return -1;
	while (peek(&p).type != TOKEN_EOF) {
		if (top_level(&p, root) < 0)
			return -1;
	}
	return add_tree(&p, name, root);
}
