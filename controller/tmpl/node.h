/*
 * The parse tree of a template. Nodes live in the arena.
 */
#ifndef TMPL_NODE_H
#define TMPL_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "func.h"
#include "text.h"

enum node_type {
	NODE_TEXT,
	NODE_ACTION,
	NODE_BOOL,
	NODE_CHAIN,
	NODE_COMMAND,
	NODE_DOT,
	NODE_ELSE, /* ELSE and END never get into a tree */
	NODE_END,
	NODE_FIELD,
	NODE_IDENTIFIER,
	NODE_IF,
	NODE_LIST,
	NODE_NIL,
	NODE_NUMBER,
	NODE_PIPE,
	NODE_RANGE,
	NODE_STRING,
	NODE_TEMPLATE,
	NODE_VARIABLE,
	NODE_WITH,
	NODE_BREAK,
	NODE_CONTINUE,
};

/* A name or a text: points into the template, or into the arena. */
struct span {
	const char *p;
	size_t len;
};

struct node_list {
	struct node **v;
	uint32_t len;
	uint32_t cap;
};

struct span_list {
	struct span *v;
	uint32_t len;
	uint32_t cap;
};

struct number {
	struct span text;
	bool is_int, is_uint, is_float;
	int64_t i;
	uint64_t u;
	double f;
};

struct node {
	enum node_type type;
	bool is_assign; /* PIPE: the variables are assigned, not declared */
	bool boolean;	/* BOOL */
	size_t pos;	/* of its first byte in the template's text */
	union {
		struct span text; /* TEXT, IDENTIFIER */
		struct {
			struct span quoted, text;
		} string;
		struct number number;
		/* LIST: nodes; COMMAND: arguments, the first is the word */
		struct node_list nodes;
		struct {
			struct node_list decl, cmds;
		} pipe;
		/* FIELD, VARIABLE (its name first), CHAIN (behind operand) */
		struct {
			struct span_list idents;
			struct node *operand;
		} chain;
		/* ACTION: pipe; IF, RANGE, WITH: all three, the last may be
		 * NULL; TEMPLATE: name and a pipe that may be NULL */
		struct {
			struct node *pipe, *list, *else_list;
			struct span name;
		} branch;
	} u;
	const struct func *func; /* IDENTIFIER */
};

bool span_equal(struct span a, struct span b);
/* Whether one of these characters is in it. */
bool span_has_any(struct span s, const char *chars);
int
node_list_append(struct env *e, struct node_list *l, struct node *n) MUST_CHECK;
int
span_list_append(struct env *e, struct span_list *l, struct span s) MUST_CHECK;
/* A node as Go's String() writes it, for messages. */
void node_write(const struct node *n, struct text *out);
/* Nothing but space and comments: such a definition may be replaced. */
bool node_is_empty(const struct node *n);

#endif
