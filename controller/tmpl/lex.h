/*
 * Template text -> tokens, as Go's text/template/parse scans it.
 */
#ifndef TMPL_LEX_H
#define TMPL_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "env.h"
#include "text.h"

enum token_type {
	TOKEN_ERROR, /* val is the message */
	TOKEN_BOOL,
	TOKEN_CHAR, /* a comma and other single ASCII characters */
	TOKEN_CHAR_CONSTANT,
	TOKEN_COMPLEX,
	TOKEN_ASSIGN,
	TOKEN_DECLARE,
	TOKEN_EOF,
	TOKEN_FIELD, /* with its dot */
	TOKEN_IDENTIFIER,
	TOKEN_LEFT_DELIM,
	TOKEN_LEFT_PAREN,
	TOKEN_NUMBER,
	TOKEN_PIPE,
	TOKEN_RAW_STRING, /* with its quotes, as TOKEN_STRING */
	TOKEN_RIGHT_DELIM,
	TOKEN_RIGHT_PAREN,
	TOKEN_SPACE,
	TOKEN_STRING,
	TOKEN_TEXT,
	TOKEN_VARIABLE, /* with its dollar */
	TOKEN_KEYWORD,	/* keywords come behind this one */
	TOKEN_BLOCK,
	TOKEN_BREAK,
	TOKEN_CONTINUE,
	TOKEN_DOT,
	TOKEN_DEFINE,
	TOKEN_ELSE,
	TOKEN_END,
	TOKEN_IF,
	TOKEN_NIL,
	TOKEN_RANGE,
	TOKEN_TEMPLATE,
	TOKEN_WITH,
};

/* val points into the template's text, or into the arena for errors. */
struct token {
	enum token_type type;
	size_t pos;
	const char *val;
	size_t len;
	unsigned line;
};

struct lexer {
	struct env *env;
	const char *input;
	size_t len;
	size_t pos;
	size_t start;
	unsigned line;
	unsigned start_line;
	int paren_depth;
	bool at_eof;
	bool inside_action;
	struct token token;
};

void lexer_init(struct lexer *l, struct env *e, const char *input, size_t len);
struct token lexer_next(struct lexer *l);
/* How messages name a token: EOF, <end>, "text". */
void token_describe(const struct token *t, struct text *out);

#endif
