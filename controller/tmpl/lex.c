/*
 * Template text -> tokens. The states are Go's, so that positions, lines and
 * messages agree even for malformed text.
 */
#include "lex.h"

#include <string.h>

#include "quote.h"
#include "unicode.h"
#include "utf8.h"

#define LEFT_DELIM  "{{"
#define RIGHT_DELIM "}}"
#define DELIM_LEN   ((size_t)2)
/* The minus and the space beside it. */
#define TRIM_MARKER_LEN ((size_t)2)
#define LEFT_COMMENT	"/*"
#define RIGHT_COMMENT	"*/"
/* No character: the end of the text. */
#define END_OF_TEXT UINT32_MAX
/* Longer tokens are cut in messages. */
#define DESCRIBE_MAX 10

static const struct {
	const char *word;
	enum token_type type;
} keywords[] = {
	{ "block", TOKEN_BLOCK },
	{ "break", TOKEN_BREAK },
	{ "continue", TOKEN_CONTINUE },
	{ "define", TOKEN_DEFINE },
	{ "else", TOKEN_ELSE },
	{ "end", TOKEN_END },
	{ "if", TOKEN_IF },
	{ "range", TOKEN_RANGE },
	{ "nil", TOKEN_NIL },
	{ "template", TOKEN_TEMPLATE },
	{ "with", TOKEN_WITH },
	{ "true", TOKEN_BOOL },
	{ "false", TOKEN_BOOL },
};

/* True where a token is complete, false where the next state goes on. */
enum state { STATE_DONE, STATE_TEXT, STATE_LEFT_DELIM };

void
lexer_init(struct lexer *l, struct env *e, const char *input, size_t len)
{
	memset(l, 0, sizeof(*l));
	l->env = e;
	l->input = input;
	l->len = len;
	l->line = 1;
	l->start_line = 1;
}

static const char *
rest(const struct lexer *l)
{
	return l->input + l->pos;
}

static size_t
rest_len(const struct lexer *l)
{
	return l->len - l->pos;
}

static bool
is_space(uint32_t r)
{
	return r == ' ' || r == '\t' || r == '\r' || r == '\n';
}

static bool
is_alphanumeric(uint32_t r)
{
	return r == '_' ||
	    (r != END_OF_TEXT && (unicode_is_letter(r) || unicode_is_digit(r)));
}

static bool
starts_with(const char *p, size_t len, const char *prefix)
{
	size_t n = strlen(prefix);

	return len >= n && memcmp(p, prefix, n) == 0;
}

static unsigned
count_newlines(const char *p, size_t len)
{
	const char *end = p + len;
	unsigned n = 0;

	while (len > 0 && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		n++;
		p++;
		if (p == end)
			break;
	}
	return n;
}

static uint32_t
next(struct lexer *l)
{
	uint32_t r;

	if (l->pos >= l->len) {
		l->at_eof = true;
		return END_OF_TEXT;
	}
	l->pos += utf8_decode(rest(l), rest_len(l), &r);
	if (r == '\n')
		l->line++;
	return r;
}

static void
backup(struct lexer *l)
{
	uint32_t r;

	if (l->at_eof || l->pos == 0)
		return;
	l->pos -= utf8_decode_last(l->input, l->pos, &r);
	if (r == '\n')
		l->line--;
}

static uint32_t
peek(struct lexer *l)
{
	uint32_t r = next(l);

	backup(l);
	return r;
}

static struct token
this_token(struct lexer *l, enum token_type type)
{
	struct token t = {
		.type = type,
		.pos = l->start,
		.val = l->input + l->start,
		.len = l->pos - l->start,
		.line = l->start_line,
	};

	l->start = l->pos;
	l->start_line = l->line;
	return t;
}

static enum state
emit(struct lexer *l, enum token_type type)
{
	l->token = this_token(l, type);
	return STATE_DONE;
}

static void
ignore(struct lexer *l)
{
	l->line += count_newlines(l->input + l->start, l->pos - l->start);
	l->start = l->pos;
	l->start_line = l->line;
}

/* The text is dropped: nothing can follow an error. */
static enum state
fail_text(struct lexer *l, struct text *msg)
{
	struct value v;

	/* Out of budget: the parser stops at the first error anyway. */
	if (text_done(msg, &v) < 0)
		v = value_cstr("");
	l->token = (struct token) {
		.type = TOKEN_ERROR,
		.pos = l->start,
		.val = v.u.s.p,
		.len = v.u.s.len,
		.line = l->start_line,
	};
	l->start = 0;
	l->pos = 0;
	l->len = 0;
	return STATE_DONE;
}

static enum state
fail(struct lexer *l, const char *msg)
{
	struct text t;

	text_init(&t, l->env);
	text_puts(&t, msg);
	return fail_text(l, &t);
}

static enum state
fail_char(struct lexer *l, const char *msg, uint32_t r)
{
	struct text t;

	text_init(&t, l->env);
	text_printf(&t, "%s U+%04X", msg, r);
	if (unicode_is_print(r)) {
		text_puts(&t, " '");
		text_putrune(&t, r);
		text_putc(&t, '\'');
	}
	return fail_text(l, &t);
}

static bool
has_left_trim(const char *p, size_t len)
{
	return len >= 2 && p[0] == '-' && is_space((unsigned char)p[1]);
}

static bool
has_right_trim(const char *p, size_t len)
{
	return len >= 2 && is_space((unsigned char)p[0]) && p[1] == '-';
}

static bool
at_right_delim(const struct lexer *l, bool *trim)
{
	const char *p = rest(l);
	size_t len = rest_len(l);

	*trim = has_right_trim(p, len) &&
	    starts_with(
		p + TRIM_MARKER_LEN, len - TRIM_MARKER_LEN, RIGHT_DELIM);
	return *trim || starts_with(p, len, RIGHT_DELIM);
}

static bool
at_terminator(struct lexer *l)
{
	uint32_t r = peek(l);

	if (r == END_OF_TEXT || is_space(r))
		return true;
	if (r < 0x80 && r != 0 && strchr(".,|:)(", (int)r) != NULL)
		return true;
	return starts_with(rest(l), rest_len(l), RIGHT_DELIM);
}

static size_t
spaces_before(const char *p, size_t len)
{
	size_t n = 0;

	while (n < len && is_space((unsigned char)p[len - 1 - n]))
		n++;
	return n;
}

static size_t
spaces_at(const char *p, size_t len)
{
	size_t n = 0;

	while (n < len && is_space((unsigned char)p[n]))
		n++;
	return n;
}

static enum state
lex_text(struct lexer *l)
{
	const char *delim = memmem(rest(l), rest_len(l), LEFT_DELIM, DELIM_LEN);
	struct token t;
	size_t behind, trim = 0;

	if (delim == NULL) {
		l->pos = l->len;
		if (l->pos == l->start)
			return emit(l, TOKEN_EOF);
		l->line +=
		    count_newlines(l->input + l->start, l->pos - l->start);
		return emit(l, TOKEN_TEXT);
	}
	if (delim == rest(l))
		return STATE_LEFT_DELIM;
	l->pos = (size_t)(delim - l->input);
	behind = l->pos + DELIM_LEN;
	if (has_left_trim(l->input + behind, l->len - behind))
		trim = spaces_before(l->input + l->start, l->pos - l->start);
	l->pos -= trim;
	l->line += count_newlines(l->input + l->start, l->pos - l->start);
	t = this_token(l, TOKEN_TEXT);
	l->pos += trim;
	ignore(l);
	if (t.len == 0)
		return STATE_LEFT_DELIM;
	l->token = t;
	return STATE_DONE;
}

static enum state
lex_comment(struct lexer *l)
{
	const char *end;
	bool trim;

	l->pos += strlen(LEFT_COMMENT);
	end =
	    memmem(rest(l), rest_len(l), RIGHT_COMMENT, strlen(RIGHT_COMMENT));
	if (end == NULL)
		return fail(l, "unclosed comment");
	l->pos = (size_t)(end - l->input) + strlen(RIGHT_COMMENT);
	if (!at_right_delim(l, &trim))
		return fail(l, "comment ends before closing delimiter");
	if (trim)
		l->pos += TRIM_MARKER_LEN;
	l->pos += DELIM_LEN;
	if (trim)
		l->pos += spaces_at(rest(l), rest_len(l));
	ignore(l);
	return STATE_TEXT;
}

static enum state
lex_left_delim(struct lexer *l)
{
	size_t marker;

	l->pos += DELIM_LEN;
	marker = has_left_trim(rest(l), rest_len(l)) ? TRIM_MARKER_LEN : 0;
	if (starts_with(rest(l) + marker, rest_len(l) - marker, LEFT_COMMENT)) {
		l->pos += marker;
		ignore(l);
		return lex_comment(l);
	}
	(void)emit(l, TOKEN_LEFT_DELIM);
	l->inside_action = true;
	l->pos += marker;
	ignore(l);
	l->paren_depth = 0;
	return STATE_DONE;
}

static enum state
lex_right_delim(struct lexer *l)
{
	bool trim;

	(void)at_right_delim(l, &trim);
	if (trim) {
		l->pos += TRIM_MARKER_LEN;
		ignore(l);
	}
	l->pos += DELIM_LEN;
	(void)emit(l, TOKEN_RIGHT_DELIM);
	if (trim) {
		l->pos += spaces_at(rest(l), rest_len(l));
		ignore(l);
	}
	l->inside_action = false;
	return STATE_DONE;
}

static enum state
lex_space(struct lexer *l)
{
	size_t spaces = 0;

	while (is_space(peek(l))) {
		(void)next(l);
		spaces++;
	}
	/* A minus behind the last space may belong to the delimiter. */
	if (has_right_trim(rest(l) - 1, rest_len(l) + 1) &&
	    starts_with(rest(l) + 1, rest_len(l) - 1, RIGHT_DELIM)) {
		backup(l);
		if (spaces == 1)
			return lex_right_delim(l);
	}
	return emit(l, TOKEN_SPACE);
}

static enum state
lex_identifier(struct lexer *l)
{
	const char *word = l->input + l->start;
	uint32_t r;
	size_t len;

	do
		r = next(l);
	while (is_alphanumeric(r));
	backup(l);
	len = l->pos - l->start;
	if (!at_terminator(l))
		return fail_char(l, "bad character", r);
	for (size_t i = 0; i < sizeof(keywords) / sizeof(*keywords); i++) {
		if (strlen(keywords[i].word) == len &&
		    memcmp(keywords[i].word, word, len) == 0)
			return emit(l, keywords[i].type);
	}
	return emit(l, TOKEN_IDENTIFIER);
}

/* The dot or the dollar is read already. */
static enum state
lex_field_or_variable(struct lexer *l, enum token_type type)
{
	uint32_t r;

	if (at_terminator(l))
		return emit(l, type == TOKEN_VARIABLE ? type : TOKEN_DOT);
	do
		r = next(l);
	while (is_alphanumeric(r));
	backup(l);
	if (!at_terminator(l))
		return fail_char(l, "bad character", r);
	return emit(l, type);
}

/* The opening quote is read already. */
static enum state
lex_quoted(struct lexer *l, char quote, enum token_type type, const char *msg)
{
	for (;;) {
		uint32_t r = next(l);

		if (r == '\\' && quote != '`') {
			r = next(l);
			if (r != END_OF_TEXT && r != '\n')
				continue;
			return fail(l, msg);
		}
		if (r == END_OF_TEXT || (r == '\n' && quote != '`'))
			return fail(l, msg);
		if (r == (unsigned char)quote)
			return emit(l, type);
	}
}

static bool
accept(struct lexer *l, const char *valid)
{
	uint32_t r = next(l);

	if (r < 0x80 && r != 0 && strchr(valid, (int)r) != NULL)
		return true;
	backup(l);
	return false;
}

static void
accept_run(struct lexer *l, const char *valid)
{
	while (accept(l, valid)) {
	}
}

static bool
scan_number(struct lexer *l)
{
	const char *digits = "0123456789_";
	bool decimal = true, hex = false;

	(void)accept(l, "+-");
	if (accept(l, "0")) {
		if (accept(l, "xX")) {
			digits = "0123456789abcdefABCDEF_";
			decimal = false;
			hex = true;
		} else if (accept(l, "oO")) {
			digits = "01234567_";
			decimal = false;
		} else if (accept(l, "bB")) {
			digits = "01_";
			decimal = false;
		}
	}
	accept_run(l, digits);
	if (accept(l, "."))
		accept_run(l, digits);
	if ((decimal && accept(l, "eE")) || (hex && accept(l, "pP"))) {
		(void)accept(l, "+-");
		accept_run(l, "0123456789_");
	}
	(void)accept(l, "i");
	if (is_alphanumeric(peek(l))) {
		(void)next(l);
		return false;
	}
	return true;
}

static enum state
fail_number(struct lexer *l)
{
	struct text t;

	text_init(&t, l->env);
	text_puts(&t, "bad number syntax: ");
	quote_string(&t, l->input + l->start, l->pos - l->start, false);
	return fail_text(l, &t);
}

static enum state
lex_number(struct lexer *l)
{
	uint32_t sign;

	if (!scan_number(l))
		return fail_number(l);
	sign = peek(l);
	if (sign != '+' && sign != '-')
		return emit(l, TOKEN_NUMBER);
	if (!scan_number(l) || l->input[l->pos - 1] != 'i')
		return fail_number(l);
	return emit(l, TOKEN_COMPLEX);
}

static enum state
lex_paren(struct lexer *l, bool left)
{
	l->paren_depth += left ? 1 : -1;
	if (l->paren_depth < 0)
		return fail(l, "unexpected right paren");
	return emit(l, left ? TOKEN_LEFT_PAREN : TOKEN_RIGHT_PAREN);
}

static enum state
lex_dot(struct lexer *l)
{
	/* A dot in front of a digit starts a number. */
	if (l->pos >= l->len || (*rest(l) >= '0' && *rest(l) <= '9')) {
		backup(l);
		return lex_number(l);
	}
	return lex_field_or_variable(l, TOKEN_FIELD);
}

static enum state
lex_other(struct lexer *l, uint32_t r)
{
	if (r == '+' || r == '-' || (r >= '0' && r <= '9')) {
		backup(l);
		return lex_number(l);
	}
	if (is_alphanumeric(r)) {
		backup(l);
		return lex_identifier(l);
	}
	if (r < 0x80 && unicode_is_print(r))
		return emit(l, TOKEN_CHAR);
	return fail_char(l, "unrecognized character in action:", r);
}

static enum state
lex_inside_action(struct lexer *l)
{
	bool trim;
	uint32_t r;

	if (at_right_delim(l, &trim)) {
		if (l->paren_depth == 0)
			return lex_right_delim(l);
		return fail(l, "unclosed left paren");
	}
	r = next(l);
	switch (r) {
	case END_OF_TEXT:
		return fail(l, "unclosed action");
	case ' ':
	case '\t':
	case '\r':
	case '\n':
		backup(l);
		return lex_space(l);
	case '=':
		return emit(l, TOKEN_ASSIGN);
	case ':':
		if (next(l) != '=')
			return fail(l, "expected :=");
		return emit(l, TOKEN_DECLARE);
	case '|':
		return emit(l, TOKEN_PIPE);
	case '"':
		return lex_quoted(
		    l, '"', TOKEN_STRING, "unterminated quoted string");
	case '`':
		return lex_quoted(
		    l, '`', TOKEN_RAW_STRING, "unterminated raw quoted string");
	case '\'':
		return lex_quoted(l, '\'', TOKEN_CHAR_CONSTANT,
		    "unterminated character constant");
	case '$':
		return lex_field_or_variable(l, TOKEN_VARIABLE);
	case '.':
		return lex_dot(l);
	case '(':
	case ')':
		return lex_paren(l, r == '(');
	default:
		return lex_other(l, r);
	}
}

struct token
lexer_next(struct lexer *l)
{
	enum state s = STATE_TEXT;

	l->token = (struct token) {
		.type = TOKEN_EOF,
		.pos = l->pos,
		.val = "EOF",
		.len = 3,
		.line = l->start_line,
	};
	if (l->inside_action) {
		(void)lex_inside_action(l);
		return l->token;
	}
	while (s != STATE_DONE)
		s = s == STATE_TEXT ? lex_text(l) : lex_left_delim(l);
	return l->token;
}

void
token_describe(const struct token *t, struct text *out)
{
	size_t n = 0;
	uint32_t r;

	if (t->type == TOKEN_EOF) {
		text_puts(out, "EOF");
	} else if (t->type == TOKEN_ERROR) {
		text_append(out, t->val, t->len);
	} else if (t->type > TOKEN_KEYWORD) {
		text_putc(out, '<');
		text_append(out, t->val, t->len);
		text_putc(out, '>');
	} else if (t->len > DESCRIBE_MAX) {
		for (int i = 0; i < DESCRIBE_MAX && n < t->len; i++)
			n += utf8_decode(t->val + n, t->len - n, &r);
		quote_string(out, t->val, n, false);
		text_puts(out, "...");
	} else {
		quote_string(out, t->val, t->len, false);
	}
}
