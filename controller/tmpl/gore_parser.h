/*
 * A pattern on its way to PCRE2: between gore_parse.c, which reads its
 * structure, and gore_class.c, which reads classes and escapes.
 */
#ifndef TMPL_GORE_PARSER_H
#define TMPL_GORE_PARSER_H

#include "gore.h"

/* Go allows 1000, which needs more stack in PCRE2 than threads have. */
#define NEST_MAX    50
#define SURR_FIRST  0xD800U
#define SURR_LAST   0xDFFFU

#define FLAG_FOLD   0x1U
#define FLAG_LAZY   0x2U
#define FLAG_DOT_NL 0x4U
#define FLAG_MULTI  0x8U

/*
 * Whether an item, a branch or a group may match nothing in the middle of a
 * text, and would rather do so than take something. Where such a thing is
 * repeated without end, Go and PCRE2 differ: PCRE2 leaves the loop when a turn
 * took nothing, Go first tries what else the turn could take.
 */
struct order {
	bool empty;
	bool takes; /* something, in one of its ways */
	bool early; /* nothing comes first */
};

/* A group that is open, or the whole. */
struct level {
	unsigned flags; /* to restore */
	bool fold;	/* what PCRE2 has in force */
	size_t start;	/* of the group in the output */
	size_t atom;	/* of the last item */
	bool has_atom;
	bool repeated;	 /* the last item is repeated already */
	unsigned need;	 /* repetitions inside, multiplied: of the last item */
	unsigned most;	 /* of all items */
	bool atom_empty; /* the last item may match nothing */
	bool branch_empty;
	bool any_empty;
	struct order item, branch, all;
	size_t groups; /* numbered before it began */
	size_t atom_groups;
};

struct parser {
	struct env *env;
	const char *p, *end;
	struct gore_pattern *out;
	unsigned flags;
	struct level levels[NEST_MAX];
	size_t depth; /* of levels[], the whole is 0 */
	unsigned row; /* items since the last look at the clock */
};

#define BAD_RANGE   "invalid character class range"
#define BAD_ESCAPE  "invalid escape sequence"
#define BAD_REPEAT  "invalid repeat count"
#define BAD_NAME    "invalid named capture"
#define BAD_PERL    "invalid or unsupported Perl syntax"
#define BAD_UTF8    "invalid UTF-8"
#define TOO_DEEP    "expression nests too deeply"
#define UNSUPPORTED "expression is not supported here"

/* "error parsing regexp: WHAT"; always -1. */
int gore_fail(struct parser *x, const char *what);
/* The same, of what Go would take. */
int gore_refuse(struct parser *x, const char *what);
/* What is left of the pattern, in bytes. */
size_t gore_left(const struct parser *x);
bool gore_is_next(const struct parser *x, size_t at, char c);
int gore_next_rune(struct parser *x, uint32_t *r);
int gore_check_utf8(struct parser *x, const char *p, size_t len);
struct level *gore_level(struct parser *x);
void gore_put(struct parser *x, const char *s);
void gore_begin_atom(struct parser *x);
void gore_put_rune(struct parser *x, uint32_t r);

/* gore_class.c. \d and its kind, \p{..}: 1, or 0 where it is something else; a
 * character written as an escape; a set in brackets. */
int gore_class_perl(struct parser *x);
int gore_class_unicode(struct parser *x);
int gore_class_escape(struct parser *x, uint32_t *ret);
int gore_class_set(struct parser *x);

#endif
