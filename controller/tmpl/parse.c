/*
 * Template text -> parse trees. The grammar, its look-ahead and its messages
 * are those of Go's text/template/parse. Pipelines are in parse_pipe.c.
 */
#include "parse.h"

#include <string.h>

#include "lex.h"
#include "parser.h"
#include "quote.h"

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
int
parser_declare(struct parser *p, struct span name)
{
	return span_list_append(p->env, &p->vars, name);
}

struct token
parser_next(struct parser *p)
{
	if (p->npeeked > 0)
		p->npeeked--;
	else
		p->token[0] = lexer_next(p->lex);
	return p->token[p->npeeked];
}

void
parser_backup(struct parser *p)
{
	p->npeeked++;
}

void
parser_backup2(struct parser *p, struct token t1)
{
	p->token[1] = t1;
	p->npeeked = 2;
}

void
parser_backup3(struct parser *p, struct token t2, struct token t1)
{
	p->token[1] = t1;
	p->token[2] = t2;
	p->npeeked = 3;
}

struct token
parser_peek(struct parser *p)
{
	if (p->npeeked > 0)
		return p->token[p->npeeked - 1];
	p->npeeked = 1;
	p->token[0] = lexer_next(p->lex);
	return p->token[0];
}

struct token
parser_next_non_space(struct parser *p)
{
	struct token t;

	do
		t = parser_next(p);
	while (t.type == TOKEN_SPACE);
	return t;
}

struct token
parser_peek_non_space(struct parser *p)
{
	struct token t = parser_next_non_space(p);

	parser_backup(p);
	return t;
}

/* "template: NAME:LINE: " and the message; NULL for the caller to return. */
void *
parser_fail_text(struct parser *p, struct text *msg)
{
	struct value v;

	if (text_done(msg, &v) < 0)
		return NULL;
	(void)env_fail(p->env, "template: %s:%u: %.*s", p->set->source,
	    p->token[0].line, (int)v.u.s.len, v.u.s.p);
	return NULL;
}

void *
parser_fail(struct parser *p, const char *fmt, ...)
{
	struct text msg;
	char tmp[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(tmp, sizeof(tmp), fmt, ap);
	va_end(ap);
	text_init(&msg, p->env);
	text_puts(&msg, tmp);
	return parser_fail_text(p, &msg);
}

/* The message with a quoted piece of the source behind it. */
void *
parser_fail_quoted(
    struct parser *p, const char *before, struct span s, const char *behind)
{
	struct text msg;

	text_init(&msg, p->env);
	text_puts(&msg, before);
	quote_string(&msg, s.p, s.len, false);
	text_puts(&msg, behind);
	return parser_fail_text(p, &msg);
}

static bool
ends_with(const struct token *t, const char *end)
{
	size_t n = strlen(end);

	return t->len >= n && memcmp(t->val + t->len - n, end, n) == 0;
}

void *
parser_unexpected(struct parser *p, struct token t, const char *context)
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
	return parser_fail_text(p, &msg);
}

static int
expect(struct parser *p, enum token_type type, const char *context,
    struct token *ret)
{
	*ret = parser_next_non_space(p);
	if (ret->type == type)
		return 0;
	(void)parser_unexpected(p, *ret, context);
	return -1;
}

struct node *
parser_node_new(struct parser *p, enum node_type type, size_t pos)
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

struct span
parser_span_of(struct token t)
{
	return (struct span) { t.val, t.len };
}

int
parser_unquote(struct parser *p, struct token t, struct span *ret)
{
	struct value v;

	if (quote_unquote(p->env, t.val, t.len, &v) < 0) {
		(void)parser_fail(p, "invalid syntax");
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
		(void)parser_fail_quoted(
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
	struct node *list =
	    parser_node_new(p, NODE_LIST, parser_peek_non_space(p).pos);

	if (list == NULL)
		return NULL;
	while (parser_peek_non_space(p).type != TOKEN_EOF) {
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
	return parser_fail(p, "unexpected EOF");
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
		(void)parser_fail(blame, "unexpected {{else}} in %s", context);
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
	if (parser_declare(&p, (struct span) { "$", 1 }) < 0)
		return -1;
	t = parser_next_non_space(&p);
	if (t.type != TOKEN_STRING && t.type != TOKEN_RAW_STRING) {
		(void)parser_unexpected(&p, t, context);
		return -1;
	}
	if (parser_unquote(&p, t, &name) < 0 ||
	    expect(&p, TOKEN_RIGHT_DELIM, context, &t) < 0)
		return -1;
	return parse_body(&p, &p, name, context);
}

static struct node *
parse_text(struct parser *p, struct token t)
{
	struct node *n = parser_node_new(p, NODE_TEXT, t.pos);

	if (n != NULL)
		n->u.text = parser_span_of(t);
	return n;
}

static struct node *
break_or_continue(struct parser *p, enum node_type type, size_t pos)
{
	const char *word = type == NODE_BREAK ? "{{break}}" : "{{continue}}";
	struct token t = parser_next_non_space(p);

	if (t.type != TOKEN_RIGHT_DELIM)
		return parser_unexpected(p, t, word);
	if (p->range_depth == 0)
		return parser_fail(p, "%s outside {{range}}", word);
	return parser_node_new(p, type, pos);
}

static struct node *
end_control(struct parser *p)
{
	struct token t;

	if (expect(p, TOKEN_RIGHT_DELIM, "end", &t) < 0)
		return NULL;
	return parser_node_new(p, NODE_END, t.pos);
}

/* "else if" leaves the if for parse_control(). */
static struct node *
else_control(struct parser *p)
{
	struct token t = parser_peek_non_space(p);

	if (t.type != TOKEN_IF && t.type != TOKEN_WITH &&
	    expect(p, TOKEN_RIGHT_DELIM, "else", &t) < 0)
		return NULL;
	return parser_node_new(p, NODE_ELSE, t.pos);
}

/* What follows {{else}}, or an if or with in the same action. */
static struct node *
else_list(struct parser *p, enum node_type type, const struct node *at)
{
	enum token_type again = type == NODE_IF ? TOKEN_IF : TOKEN_WITH;
	struct node *list, *n, *end = NULL;

	if (type == NODE_RANGE || parser_peek(p).type != again) {
		list = item_list(p, &end);
		if (list != NULL && end != NULL && end->type != NODE_END)
			return parser_fail(p, "expected end; found {{else}}");
		return list;
	}
	(void)parser_next(p);
	list = parser_node_new(p, NODE_LIST, at->pos);
	n = control(p, type == NODE_IF ? "if" : "with", type);
	if (list == NULL || n == NULL ||
	    node_list_append(p->env, &list->u.nodes, n) < 0)
		return NULL;
	return list;
}

static struct node *
control_body(struct parser *p, const char *word, enum node_type type)
{
	struct node *n = parser_node_new(p, type, 0), *end = NULL;

	if (n == NULL)
		return NULL;
	n->u.branch.pipe = parser_pipeline(p, word, TOKEN_RIGHT_DELIM);
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
		return parser_unquote(p, t, ret);
	(void)parser_unexpected(p, t, context);
	return -1;
}

static struct node *
block_control(struct parser *outer)
{
	static const char context[] = "block clause";
	struct token t = parser_next_non_space(outer);
	struct node *n = parser_node_new(outer, NODE_TEMPLATE, t.pos);
	struct parser p;

	if (n == NULL ||
	    template_name(outer, t, context, &n->u.branch.name) < 0)
		return NULL;
	n->u.branch.pipe = parser_pipeline(outer, context, TOKEN_RIGHT_DELIM);
	if (n->u.branch.pipe == NULL)
		return NULL;
	parser_init(&p, outer->env, outer->lex, outer->set);
	if (parser_declare(&p, (struct span) { "$", 1 }) < 0 ||
	    parse_body(&p, outer, n->u.branch.name, context) < 0)
		return NULL;
	return n;
}

static struct node *
template_control(struct parser *p)
{
	static const char context[] = "template clause";
	struct token t = parser_next_non_space(p);
	struct node *n = parser_node_new(p, NODE_TEMPLATE, t.pos);

	if (n == NULL || template_name(p, t, context, &n->u.branch.name) < 0)
		return NULL;
	if (parser_next_non_space(p).type == TOKEN_RIGHT_DELIM)
		return n;
	parser_backup(p);
	n->u.branch.pipe = parser_pipeline(p, context, TOKEN_RIGHT_DELIM);
	return n->u.branch.pipe == NULL ? NULL : n;
}

static struct node *
action(struct parser *p)
{
	struct token t = parser_next_non_space(p);
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
	parser_backup(p);
	n = parser_node_new(p, NODE_ACTION, parser_peek(p).pos);
	if (n == NULL)
		return NULL;
	n->u.branch.pipe = parser_pipeline(p, "command", TOKEN_RIGHT_DELIM);
	return n->u.branch.pipe == NULL ? NULL : n;
}

static struct node *
text_or_action(struct parser *p)
{
	struct token t = parser_next_non_space(p);
	struct node *n;

	if (t.type == TOKEN_TEXT)
		return parse_text(p, t);
	if (t.type != TOKEN_LEFT_DELIM)
		return parser_unexpected(p, t, "input");
	p->action_line = t.line;
	n = action(p);
	p->action_line = 0;
	return n;
}

/* A define, or anything else, at the top level. */
static int
top_level(struct parser *p, struct node *root)
{
	struct token delim;
	struct node *n;

	if (parser_peek(p).type == TOKEN_LEFT_DELIM) {
		delim = parser_next(p);
		if (parser_next_non_space(p).type == TOKEN_DEFINE)
			return parse_definition(p);
		parser_backup2(p, delim);
	}
	n = text_or_action(p);
	if (n == NULL)
		return -1;
	if (n->type == NODE_END || n->type == NODE_ELSE) {
		(void)parser_fail(p, "unexpected {{%s}}",
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
	if (parser_declare(&p, (struct span) { "$", 1 }) < 0)
		return -1;
	root = parser_node_new(&p, NODE_LIST, parser_peek(&p).pos);
	if (root == NULL)
		return -1;
	while (parser_peek(&p).type != TOKEN_EOF) {
		if (top_level(&p, root) < 0)
			return -1;
	}
	return add_tree(&p, name, root);
}
