/*
 * The parse tree of a template: lists of nodes, and their canonical text.
 */
#include "node.h"

#include <string.h>

#include "quote.h"
#include "unicode.h"
#include "utf8.h"

#define LIST_LEAST 4

bool
span_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

bool
span_has_any(struct span s, const char *chars)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] != '\0' && strchr(chars, s.p[i]) != NULL)
			return true;
	}
	return false;
}

int
node_list_append(struct env *e, struct node_list *l, struct node *n)
{
	size_t cap = l->cap;
	struct node **v =
	    env_grow(e, l->v, l->len, &cap, LIST_LEAST, sizeof(struct node *));

	if (v == NULL)
		return -1;
	l->v = v;
	l->cap = (uint32_t)cap;
	l->v[l->len++] = n;
	return 0;
}

int
span_list_append(struct env *e, struct span_list *l, struct span s)
{
	size_t cap = l->cap;
	struct span *v =
	    env_grow(e, l->v, l->len, &cap, LIST_LEAST, sizeof(*v));

	if (v == NULL)
		return -1;
	l->v = v;
	l->cap = (uint32_t)cap;
	l->v[l->len++] = s;
	return 0;
}

static void
put(struct text *out, struct span s)
{
	text_append(out, s.p, s.len);
}

static void
write_pipe(const struct node *n, struct text *out)
{
	const struct node_list *decl = &n->u.pipe.decl;
	const struct node_list *cmds = &n->u.pipe.cmds;

	for (uint32_t i = 0; i < decl->len; i++) {
		if (i > 0)
			text_puts(out, ", ");
		node_write(decl->v[i], out);
	}
	if (decl->len > 0)
		text_puts(out, n->is_assign ? " = " : " := ");
	for (uint32_t i = 0; i < cmds->len; i++) {
		if (i > 0)
			text_puts(out, " | ");
		node_write(cmds->v[i], out);
	}
}

static void
write_operand(const struct node *n, struct text *out)
{
	if (n->type != NODE_PIPE) {
		node_write(n, out);
		return;
	}
	text_putc(out, '(');
	write_pipe(n, out);
	text_putc(out, ')');
}

static void
write_command(const struct node *n, struct text *out)
{
	for (uint32_t i = 0; i < n->u.nodes.len; i++) {
		if (i > 0)
			text_putc(out, ' ');
		write_operand(n->u.nodes.v[i], out);
	}
}

static void
write_idents(const struct node *n, struct text *out)
{
	const struct span_list *l = &n->u.chain.idents;

	if (n->type == NODE_CHAIN)
		write_operand(n->u.chain.operand, out);
	for (uint32_t i = 0; i < l->len; i++) {
		if (n->type != NODE_VARIABLE || i > 0)
			text_putc(out, '.');
		put(out, l->v[i]);
	}
}

static void
write_list(const struct node *n, struct text *out)
{
	for (uint32_t i = 0; i < n->u.nodes.len; i++)
		node_write(n->u.nodes.v[i], out);
}

static void
write_branch(const struct node *n, const char *word, struct text *out)
{
	text_puts(out, "{{");
	text_puts(out, word);
	text_putc(out, ' ');
	write_pipe(n->u.branch.pipe, out);
	text_puts(out, "}}");
	write_list(n->u.branch.list, out);
	if (n->u.branch.else_list != NULL) {
		text_puts(out, "{{else}}");
		write_list(n->u.branch.else_list, out);
	}
	text_puts(out, "{{end}}");
}

static void
write_action(const struct node *n, struct text *out)
{
	text_puts(out, "{{");
	if (n->type == NODE_TEMPLATE) {
		text_puts(out, "template ");
		quote_string(
		    out, n->u.branch.name.p, n->u.branch.name.len, false);
		if (n->u.branch.pipe != NULL)
			text_putc(out, ' ');
	}
	if (n->u.branch.pipe != NULL)
		write_pipe(n->u.branch.pipe, out);
	text_puts(out, "}}");
}

/* Nodes that have children. */
static void
write_composite(const struct node *n, struct text *out)
{
	switch ((int)n->type) {
	case NODE_ACTION:
	case NODE_TEMPLATE:
		write_action(n, out);
		break;
	case NODE_CHAIN:
	case NODE_FIELD:
	case NODE_VARIABLE:
		write_idents(n, out);
		break;
	case NODE_COMMAND:
		write_command(n, out);
		break;
	case NODE_IF:
		write_branch(n, "if", out);
		break;
	case NODE_RANGE:
		write_branch(n, "range", out);
		break;
	case NODE_WITH:
		write_branch(n, "with", out);
		break;
	case NODE_LIST:
		write_list(n, out);
		break;
	default:
		write_pipe(n, out);
		break;
	}
}

/* A node that is one word; false: it is not. */
static bool
leaf_text(const struct node *n, struct span *ret)
{
	static const char *const words[] = {
		[NODE_DOT] = ".",
		[NODE_NIL] = "nil",
		[NODE_ELSE] = "{{else}}",
		[NODE_END] = "{{end}}",
		[NODE_BREAK] = "{{break}}",
		[NODE_CONTINUE] = "{{continue}}",
	};
	const char *word = words[n->type];

	if (n->type == NODE_BOOL)
		word = n->boolean ? "true" : "false";
	if (word != NULL)
		*ret = (struct span) { word, strlen(word) };
	else if (n->type == NODE_TEXT || n->type == NODE_IDENTIFIER)
		*ret = n->u.text;
	else if (n->type == NODE_NUMBER)
		*ret = n->u.number.text;
	else if (n->type == NODE_STRING)
		*ret = n->u.string.quoted;
	else
		return false;
	return true;
}

void
node_write(const struct node *n, struct text *out)
{
	struct span leaf;

	if (out->failed)
		return;
	if (leaf_text(n, &leaf)) {
		put(out, leaf);
		return;
	}
	if (env_enter(out->env) < 0) {
		out->failed = true;
		return;
	}
	write_composite(n, out);
	env_leave(out->env);
}

static bool
is_blank(struct span s)
{
	while (s.len > 0) {
		uint32_t r;
		size_t w = utf8_decode(s.p, s.len, &r);

		if (!unicode_is_space(r))
			return false;
		s.p += w;
		s.len -= w;
	}
	return true;
}

bool
node_is_empty(const struct node *n)
{
	if (n == NULL)
		return true;
	if (n->type == NODE_TEXT)
		return is_blank(n->u.text);
	if (n->type != NODE_LIST)
		return false;
	for (uint32_t i = 0; i < n->u.nodes.len; i++) {
		if (!node_is_empty(n->u.nodes.v[i]))
			return false;
	}
	return true;
}
