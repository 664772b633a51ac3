/*
 * A parser in the making of a tree: between parse.c, which reads the actions
 * of a template, and parse_pipe.c, which reads the pipelines in them.
 */
#ifndef TMPL_PARSER_H
#define TMPL_PARSER_H

#include "base/compiler.h"
#include "lex.h"
#include "parse.h"
#include "text.h"

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

int parser_declare(struct parser *p, struct span name);
/* Tokens, with up to three taken back. */
struct token parser_next(struct parser *p);
void parser_backup(struct parser *p);
void parser_backup2(struct parser *p, struct token t1);
void parser_backup3(struct parser *p, struct token t2, struct token t1);
struct token parser_peek(struct parser *p);
struct token parser_next_non_space(struct parser *p);
struct token parser_peek_non_space(struct parser *p);
/* "template: NAME:LINE: " and the message; NULL for the caller to return. */
void *parser_fail_text(struct parser *p, struct text *msg);
void *parser_fail(struct parser *p, const char *fmt, ...) PRINTF(2, 3);
/* The message with a quoted piece of the source between its halves. */
void *parser_fail_quoted(
    struct parser *p, const char *before, struct span s, const char *behind);
void *parser_unexpected(struct parser *p, struct token t, const char *context);
/* NULL: out of budget. */
struct node *parser_node_new(struct parser *p, enum node_type type, size_t pos);
struct span parser_span_of(struct token t);
int parser_unquote(struct parser *p, struct token t, struct span *ret);

/* Up to the token that ends it, which is taken. NULL: the error is pending. */
struct node *
parser_pipeline(struct parser *p, const char *context, enum token_type end);

#endif
