/*
 * Go's regexp/syntax: reads a pattern, refuses what Go refuses, and writes
 * the same for PCRE2. The writing keeps to a small part of PCRE2's language:
 * characters by number, classes, groups, \p{..}, and look-around for the
 * anchors.
 */
#include "gore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "utf8.h"

#define REPEAT_MAX 1000
/* Go allows 1000, which needs more stack in PCRE2 than threads have. */
#define NEST_MAX    50
#define NUMBER_MAX  100000000
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
};

/* A set that has a name, as ranges of PCRE2. */
struct group {
	const char *name;
	const char *ranges;
	/* All other characters; with those that case folding adds left out. */
	const char *others;
	const char *others_fold;
};

#define NOT_LOWER_ASCII "\\x{0}-\\x{60}\\x{7b}-\\x{10ffff}"
#define NOT_UPPER_ASCII "\\x{0}-\\x{40}\\x{5b}-\\x{10ffff}"
/* Letters a to z, with the long s and the sign of Kelvin, are left out. */
#define FOLD_TAIL      "\\x{7b}-\\x{17e}\\x{180}-\\x{2129}\\x{212b}-\\x{10ffff}"
#define NO_LETTER_FOLD "\\x{0}-\\x{40}\\x{5b}-\\x{60}" FOLD_TAIL
#define NO_ALNUM_FOLD  "\\x{0}-\\x{2f}\\x{3a}-\\x{40}\\x{5b}-\\x{60}" FOLD_TAIL
#define NO_WORD_FOLD \
	"\\x{0}-\\x{2f}\\x{3a}-\\x{40}\\x{5b}-\\x{5e}\\x{60}" FOLD_TAIL
#define NO_WORD                                                           \
	"\\x{0}-\\x{2f}\\x{3a}-\\x{40}\\x{5b}-\\x{5e}\\x{60}\\x{7b}-\\x{" \
	"10ffff}"
#define NO_DIGIT "\\x{0}-\\x{2f}\\x{3a}-\\x{10ffff}"
#define NO_XDIGIT \
	"\\x{0}-\\x{2f}\\x{3a}-\\x{40}\\x{47}-\\x{60}\\x{67}-\\x{10ffff}"
#define NO_SPACE "\\x{0}-\\x{8}\\x{b}\\x{e}-\\x{1f}\\x{21}-\\x{10ffff}"
#define NO_GRAPH_FOLD                                                    \
	"\\x{0}-\\x{20}\\x{7f}-\\x{17e}\\x{180}-\\x{2129}\\x{212b}-\\x{" \
	"10ffff}"
#define NO_PRINT_FOLD                                                    \
	"\\x{0}-\\x{1f}\\x{7f}-\\x{17e}\\x{180}-\\x{2129}\\x{212b}-\\x{" \
	"10ffff}"
#define NO_ASCII_FOLD "\\x{80}-\\x{17e}\\x{180}-\\x{2129}\\x{212b}-\\x{10ffff}"

static const struct group perl_groups[] = {
	{ "d", "0-9", NO_DIGIT, NO_DIGIT },
	{ "s", "\\x{9}\\x{a}\\x{c}\\x{d}\\x{20}", NO_SPACE, NO_SPACE },
	{ "w", "0-9A-Za-z_", NO_WORD, NO_WORD_FOLD },
};

static const struct group posix_groups[] = {
	{ "alnum", "0-9A-Za-z",
	    "\\x{0}-\\x{2f}\\x{3a}-\\x{40}\\x{5b}-\\x{60}\\x{7b}-\\x{10ffff}",
	    NO_ALNUM_FOLD },
	{ "alpha", "A-Za-z", "\\x{0}-\\x{40}\\x{5b}-\\x{60}\\x{7b}-\\x{10ffff}",
	    NO_LETTER_FOLD },
	{ "ascii", "\\x{0}-\\x{7f}", "\\x{80}-\\x{10ffff}", NO_ASCII_FOLD },
	{ "blank", "\\x{9}\\x{20}",
	    "\\x{0}-\\x{8}\\x{a}-\\x{1f}\\x{21}-\\x{10ffff}",
	    "\\x{0}-\\x{8}\\x{a}-\\x{1f}\\x{21}-\\x{10ffff}" },
	{ "cntrl", "\\x{0}-\\x{1f}\\x{7f}",
	    "\\x{20}-\\x{7e}\\x{80}-\\x{10ffff}",
	    "\\x{20}-\\x{7e}\\x{80}-\\x{10ffff}" },
	{ "digit", "0-9", NO_DIGIT, NO_DIGIT },
	{ "graph", "\\x{21}-\\x{7e}", "\\x{0}-\\x{20}\\x{7f}-\\x{10ffff}",
	    NO_GRAPH_FOLD },
	{ "lower", "a-z", NOT_LOWER_ASCII, NO_LETTER_FOLD },
	{ "print", "\\x{20}-\\x{7e}", "\\x{0}-\\x{1f}\\x{7f}-\\x{10ffff}",
	    NO_PRINT_FOLD },
	{ "punct",
	    "\\x{21}-\\x{2f}\\x{3a}-\\x{40}\\x{5b}-\\x{60}\\x{7b}-\\x{7e}",
	    "\\x{0}-\\x{20}0-9A-Za-z\\x{7f}-\\x{10ffff}",
	    "\\x{0}-\\x{20}0-9A-Za-z\\x{7f}-\\x{10ffff}" },
	{ "space", "\\x{9}-\\x{d}\\x{20}",
	    "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{10ffff}",
	    "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{10ffff}" },
	{ "upper", "A-Z", NOT_UPPER_ASCII, NO_LETTER_FOLD },
	{ "word", "0-9A-Za-z_", NO_WORD, NO_WORD_FOLD },
	{ "xdigit", "0-9A-Fa-f", NO_XDIGIT, NO_XDIGIT },
};

/* Go's names of categories that PCRE2 knows by the short one. */
static const struct {
	const char *canonical;
	const char *name;
} categories[] = {
	{ "C", "C" },
	{ "Cc", "Cc" },
	{ "Cf", "Cf" },
	{ "Cn", "Cn" },
	{ "Co", "Co" },
	{ "Cs", "Cs" },
	{ "L", "L" },
	{ "Lc", "L&" },
	{ "Ll", "Ll" },
	{ "Lm", "Lm" },
	{ "Lo", "Lo" },
	{ "Lt", "Lt" },
	{ "Lu", "Lu" },
	{ "M", "M" },
	{ "Mc", "Mc" },
	{ "Me", "Me" },
	{ "Mn", "Mn" },
	{ "N", "N" },
	{ "Nd", "Nd" },
	{ "Nl", "Nl" },
	{ "No", "No" },
	{ "P", "P" },
	{ "Pc", "Pc" },
	{ "Pd", "Pd" },
	{ "Pe", "Pe" },
	{ "Pf", "Pf" },
	{ "Pi", "Pi" },
	{ "Po", "Po" },
	{ "Ps", "Ps" },
	{ "S", "S" },
	{ "Sc", "Sc" },
	{ "Sk", "Sk" },
	{ "Sm", "Sm" },
	{ "So", "So" },
	{ "Z", "Z" },
	{ "Zl", "Zl" },
	{ "Zp", "Zp" },
	{ "Zs", "Zs" },
	{ "Other", "C" },
	{ "Control", "Cc" },
	{ "Cntrl", "Cc" },
	{ "Format", "Cf" },
	{ "Unassigned", "Cn" },
	{ "Privateuse", "Co" },
	{ "Surrogate", "Cs" },
	{ "Letter", "L" },
	{ "Casedletter", "L&" },
	{ "Lowercaseletter", "Ll" },
	{ "Modifierletter", "Lm" },
	{ "Otherletter", "Lo" },
	{ "Titlecaseletter", "Lt" },
	{ "Uppercaseletter", "Lu" },
	{ "Mark", "M" },
	{ "Combiningmark", "M" },
	{ "Spacingmark", "Mc" },
	{ "Enclosingmark", "Me" },
	{ "Nonspacingmark", "Mn" },
	{ "Number", "N" },
	{ "Decimalnumber", "Nd" },
	{ "Digit", "Nd" },
	{ "Letternumber", "Nl" },
	{ "Othernumber", "No" },
	{ "Punctuation", "P" },
	{ "Punct", "P" },
	{ "Connectorpunctuation", "Pc" },
	{ "Dashpunctuation", "Pd" },
	{ "Closepunctuation", "Pe" },
	{ "Finalpunctuation", "Pf" },
	{ "Initialpunctuation", "Pi" },
	{ "Otherpunctuation", "Po" },
	{ "Openpunctuation", "Ps" },
	{ "Symbol", "S" },
	{ "Currencysymbol", "Sc" },
	{ "Modifiersymbol", "Sk" },
	{ "Mathsymbol", "Sm" },
	{ "Othersymbol", "So" },
	{ "Separator", "Z" },
	{ "Lineseparator", "Zl" },
	{ "Paragraphseparator", "Zp" },
	{ "Spaceseparator", "Zs" },
};

/* Scripts with names as short as PCRE2's abbreviations, which Go has not. */
static const char *const short_scripts[] = { "Ahom", "Cham", "Han", "Kawi",
	"Lao", "Lisu", "Miao", "Modi", "Mro", "Newa", "Nko", "Thai", "Toto",
	"Vai", "Yi" };

/* Named sets that Go enlarges under (?i), and by what. */
static const struct {
	const char *name;
	const char *more; /* NULL: too much to list */
} folded[] = {
	{ "L", "\\x{345}" },
	{ "M", "\\x{399}\\x{3b9}\\x{1fbe}" },
	{ "Mn", "\\x{399}\\x{3b9}\\x{1fbe}" },
	{ "sc:Common", "\\x{39c}\\x{3bc}" },
	{ "sc:Greek", "\\x{b5}\\x{345}" },
	{ "sc:Inherited", "\\x{399}\\x{3b9}\\x{1fbe}" },
	{ "L&", NULL },
	{ "Ll", NULL },
	{ "Lt", NULL },
	{ "Lu", NULL },
};

static int
fail(struct parser *x, const char *what)
{
	return env_fail(
	    x->env, "error parsing regexp: %s: `%s`", what, WITHHELD);
}

/* Go would take it. */
static int
refuse(struct parser *x, const char *what)
{
	x->out->refused = true;
	return fail(x, what);
}

#define BAD_RANGE   "invalid character class range"
#define BAD_ESCAPE  "invalid escape sequence"
#define BAD_REPEAT  "invalid repeat count"
#define BAD_NAME    "invalid named capture"
#define BAD_PERL    "invalid or unsupported Perl syntax"
#define BAD_UTF8    "invalid UTF-8"
#define TOO_DEEP    "expression nests too deeply"
#define UNSUPPORTED "expression is not supported here"

static size_t
left(const struct parser *x)
{
	return (size_t)(x->end - x->p);
}

static bool
is_next(const struct parser *x, size_t at, char c)
{
	return left(x) > at && x->p[at] == c;
}

static int
next_rune(struct parser *x, uint32_t *r)
{
	size_t w = utf8_decode(x->p, left(x), r);

	if (*r == UTF8_ERROR && w == 1)
		return fail(x, BAD_UTF8);
	x->p += w;
	return 0;
}

static int
check_utf8(struct parser *x, const char *p, size_t len)
{
	return utf8_valid(p, len) ? 0 : fail(x, BAD_UTF8);
}

static struct level *
level(struct parser *x)
{
	return &x->levels[x->depth];
}

static void
put(struct parser *x, const char *s)
{
	text_puts(&x->out->text, s);
}

/* The last item goes into its branch. */
static void
end_atom(struct level *l)
{
	if (l->need > l->most)
		l->most = l->need;
	if (!l->has_atom)
		return;
	l->branch_empty = l->branch_empty && l->atom_empty;
	l->branch.empty = l->branch.empty && l->item.empty;
	l->branch.takes = l->branch.takes || l->item.takes;
	l->branch.early = l->branch.early || l->item.early;
}

/* Before an item: the case mode that it needs. */
static void
begin_atom(struct parser *x)
{
	struct level *l = level(x);
	bool fold = (x->flags & FLAG_FOLD) != 0;

	end_atom(l);
	if (fold != l->fold) {
		put(x, fold ? "(?i)" : "(?-i)");
		l->fold = fold;
	}
	l->atom = x->out->text.len;
	l->has_atom = true;
	l->repeated = false;
	l->need = 1;
	l->atom_empty = false;
	l->item = (struct order) { .takes = true };
	l->atom_groups = x->out->ngroups;
}

static void
put_rune(struct parser *x, uint32_t r)
{
	text_printf(&x->out->text, "\\x{%x}", r);
}

static void
put_literal(struct parser *x, uint32_t r)
{
	begin_atom(x);
	if (r >= SURR_FIRST && r <= SURR_LAST)
		put(x, "(?:(?!))"); /* no text holds one */
	else
		put_rune(x, r);
}

/* inside: it may hold between two characters. */
static void
put_assertion(struct parser *x, const char *s, bool inside)
{
	begin_atom(x);
	text_printf(&x->out->text, "(?:%s)", s);
	level(x)->atom_empty = true;
	level(x)->item = (struct order) { .empty = inside };
}

static void
put_range(struct parser *x, uint32_t lo, uint32_t hi)
{
	if (lo >= SURR_FIRST && lo <= SURR_LAST)
		lo = SURR_LAST + 1;
	if (hi >= SURR_FIRST && hi <= SURR_LAST)
		hi = SURR_FIRST - 1;
	if (lo > hi)
		return;
	put_rune(x, lo);
	if (hi > lo) {
		put(x, "-");
		put_rune(x, hi);
	}
}

static void
put_group(struct parser *x, const struct group *g, bool negated)
{
	if (!negated)
		put(x, g->ranges);
	else
		put(x, x->flags & FLAG_FOLD ? g->others_fold : g->others);
}

static const struct group *
find_group(const struct group *groups, size_t n, const char *name, size_t len)
{
	for (size_t i = 0; i < n; i++) {
		if (strlen(groups[i].name) == len &&
		    memcmp(groups[i].name, name, len) == 0)
			return &groups[i];
	}
	return NULL;
}

/* [:name:]; 1: read, 0: it is none. */
static int
named_class(struct parser *x)
{
	const char *name = x->p + 2, *end;
	const struct group *g;
	bool negated;

	if (!is_next(x, 0, '[') || !is_next(x, 1, ':') || left(x) <= 2)
		return 0;
	end = memmem(name, (size_t)(x->end - name), ":]", 2);
	if (end == NULL)
		return 0;
	negated = name < end && *name == '^';
	name += negated;
	g = find_group(
	    posix_groups, ARRAY_SIZE(posix_groups), name, (size_t)(end - name));
	if (g == NULL)
		return fail(x, BAD_RANGE);
	put_group(x, g, negated);
	x->p = end + 2;
	return 1;
}

/* \d \W ... */
static int
perl_class(struct parser *x)
{
	const struct group *g;
	char c;

	if (left(x) < 2 || x->p[0] != '\\')
		return 0;
	c = x->p[1];
	if (c >= 'A' && c <= 'Z')
		c = (char)(c - 'A' + 'a');
	g = find_group(perl_groups, ARRAY_SIZE(perl_groups), &c, 1);
	if (g == NULL)
		return 0;
	put_group(x, g, c != x->p[1]);
	x->p += 2;
	return 1;
}

#define SET_NAME_MAX 48

/* Go compares names of sets without regard to case and separators. */
static int
canonical_name(const char *p, size_t len, char out[static SET_NAME_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char c = p[i];

		if (c == '_' || c == '-' || c == ' ')
			continue;
		if (n == 0 && c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		else if (n > 0 && c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		else if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') &&
		    !(c >= 'A' && c <= 'Z'))
			return -1;
		if (n == SET_NAME_MAX - 1)
			return -1;
		out[n++] = c;
	}
	out[n] = '\0';
	return n == 0 ? -1 : 0;
}

/* PCRE2's name: of a category, or a script. */
static int
set_name(const char *p, size_t len, char out[static SET_NAME_MAX])
{
	char name[SET_NAME_MAX];

	if (canonical_name(p, len, name) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(categories); i++) {
		if (strcmp(name, categories[i].canonical) == 0) {
			(void)snprintf(
			    out, SET_NAME_MAX, "%s", categories[i].name);
			return 0;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(short_scripts); i++) {
		if (strcmp(name, short_scripts[i]) == 0)
			goto script;
	}
	if (strlen(name) <= 4)
		return -1;
script:
	return snprintf(out, SET_NAME_MAX, "sc:%s", name) < SET_NAME_MAX ? 0
									 : -1;
}

static int
put_set(struct parser *x, const char *name, bool negated)
{
	text_printf(&x->out->text, "\\%c{%s}", negated ? 'P' : 'p', name);
	if (!(x->flags & FLAG_FOLD))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(folded); i++) {
		if (strcmp(folded[i].name, name) != 0)
			continue;
		if (negated || folded[i].more == NULL)
			return refuse(x, UNSUPPORTED);
		put(x, folded[i].more);
	}
	return 0;
}

static int
put_named_set(struct parser *x, const char *p, size_t len, bool negated)
{
	char name[SET_NAME_MAX];

	if (canonical_name(p, len, name) == 0) {
		if (strcmp(name, "Any") == 0) {
			put(x, negated ? "" : "\\x{0}-\\x{10ffff}");
			return 0;
		}
		if (strcmp(name, "Assigned") == 0)
			return put_set(x, "Cn", !negated);
		if (strcmp(name, "Ascii") == 0) {
			put_group(x,
			    find_group(posix_groups, ARRAY_SIZE(posix_groups),
				"ascii", 5),
			    negated);
			return 0;
		}
	}
	if (set_name(p, len, name) < 0)
		return fail(x, BAD_RANGE);
	return put_set(x, name, negated);
}

/* \pL \p{Greek} \P{^Lu} */
static int
unicode_class(struct parser *x)
{
	const char *name, *end;
	bool negated;
	uint32_t r;

	if (left(x) < 2 || x->p[0] != '\\' ||
	    (x->p[1] != 'p' && x->p[1] != 'P'))
		return 0;
	negated = x->p[1] == 'P';
	x->p += 2;
	name = x->p;
	if (left(x) == 0)
		return fail(x, BAD_RANGE);
	if (next_rune(x, &r) < 0)
		return -1;
	end = x->p;
	if (r == '{') {
		name++;
		end = memchr(name, '}', left(x));
		if (end == NULL)
			return check_utf8(x, name, left(x)) < 0
			    ? -1
			    : fail(x, BAD_RANGE);
		x->p = end + 1;
		if (check_utf8(x, name, (size_t)(end - name)) < 0)
			return -1;
	}
	if (name < end && *name == '^') {
		negated = !negated;
		name++;
	}
	if (put_named_set(x, name, (size_t)(end - name), negated) < 0)
		return -1;
	return 1;
}

static int
unhex(uint32_t c)
{
	if (c >= '0' && c <= '9')
		return (int)c - '0';
	if (c >= 'a' && c <= 'f')
		return (int)c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return (int)c - 'A' + 10;
	return -1;
}

/* Behind \x. */
static int
hex_escape(struct parser *x, uint32_t *ret)
{
	uint32_t c, d;
	bool any = false;

	if (left(x) == 0)
		return fail(x, BAD_ESCAPE);
	if (next_rune(x, &c) < 0)
		return -1;
	*ret = 0;
	if (c != '{') {
		if (left(x) == 0)
			return fail(x, BAD_ESCAPE);
		if (next_rune(x, &d) < 0)
			return -1;
		if (unhex(c) < 0 || unhex(d) < 0)
			return fail(x, BAD_ESCAPE);
		*ret = (uint32_t)(unhex(c) * 16 + unhex(d));
		return 0;
	}
	for (;; any = true) {
		if (left(x) == 0)
			return fail(x, BAD_ESCAPE);
		if (next_rune(x, &c) < 0)
			return -1;
		if (c == '}')
			break;
		if (unhex(c) < 0)
			return fail(x, BAD_ESCAPE);
		*ret = *ret * 16 + (uint32_t)unhex(c);
		if (*ret > UTF8_MAX_RUNE)
			return fail(x, BAD_ESCAPE);
	}
	return any ? 0 : fail(x, BAD_ESCAPE);
}

static bool
is_octal(const struct parser *x)
{
	return left(x) > 0 && x->p[0] >= '0' && x->p[0] <= '7';
}

/* Behind a backslash that begins no class and no assertion. */
static int
escape(struct parser *x, uint32_t *ret)
{
	static const char codes[] = { 'a', '\a', 'f', '\f', 'n', '\n', 'r',
		'\r', 't', '\t', 'v', '\v' };
	uint32_t c;

	x->p++;
	if (left(x) == 0)
		return fail(x, "trailing backslash at end of expression");
	if (next_rune(x, &c) < 0)
		return -1;
	if (c == 'x')
		return hex_escape(x, ret);
	if (c == '0' || (c >= '1' && c <= '7' && is_octal(x))) {
		*ret = c - '0';
		for (int i = 1; i < 3 && is_octal(x); i++)
			*ret = *ret * 8 + (uint32_t)(*x->p++ - '0');
		return 0;
	}
	for (size_t i = 0; i < sizeof(codes); i += 2) {
		if (c == (uint32_t)codes[i]) {
			*ret = (uint32_t)codes[i + 1];
			return 0;
		}
	}
	if (c < 0x80 && !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') &&
	    !(c >= 'A' && c <= 'Z')) {
		*ret = c;
		return 0;
	}
	return fail(x, BAD_ESCAPE);
}

static int
class_char(struct parser *x, uint32_t *ret)
{
	if (left(x) == 0)
		return fail(x, "missing closing ]");
	return x->p[0] == '\\' ? escape(x, ret) : next_rune(x, ret);
}

static int
class_item(struct parser *x)
{
	uint32_t lo = 0, hi;
	int rc = named_class(x);

	if (rc == 0)
		rc = unicode_class(x);
	if (rc == 0)
		rc = perl_class(x);
	if (rc != 0)
		return rc;
	if (class_char(x, &lo) < 0)
		return -1;
	hi = lo;
	if (left(x) >= 2 && x->p[0] == '-' && x->p[1] != ']') {
		x->p++;
		if (class_char(x, &hi) < 0)
			return -1;
		if (hi < lo)
			return fail(x, BAD_RANGE);
	}
	put_range(x, lo, hi);
	return 0;
}

static int class(struct parser *x)
{
	bool negated, first = true;
	size_t empty;

	begin_atom(x);
	x->p++;
	negated = is_next(x, 0, '^');
	x->p += negated;
	put(x, negated ? "[^" : "[");
	empty = x->out->text.len;
	for (; left(x) == 0 || x->p[0] != ']' || first; first = false) {
		if (env_step(x->env, 1) < 0 || class_item(x) < 0)
			return -1;
	}
	x->p++;
	if (x->out->text.len == empty) {
		/* Only surrogates, or \P{Any}: nothing, or everything else. */
		x->out->text.len = level(x)->atom;
		put(x, negated ? "(?:.)" : "(?:(?!))");
		return 0;
	}
	put(x, "]");
	return 0;
}

/* n in {n}; false: there is none. */
static bool
read_count(struct parser *x, int *n)
{
	if (left(x) == 0 || x->p[0] < '0' || x->p[0] > '9')
		return false;
	if (left(x) >= 2 && x->p[0] == '0' && x->p[1] >= '0' && x->p[1] <= '9')
		return false;
	for (*n = 0; left(x) > 0 && x->p[0] >= '0' && x->p[0] <= '9'; x->p++) {
		if (*n >= 0)
			*n = *n >= NUMBER_MAX ? -1 : *n * 10 + (*x->p - '0');
	}
	return true;
}

/* {n} {n,} {n,m}; false, and nothing read: it is none, but literal text. */
static bool
read_repeat(struct parser *x, int *min, int *max)
{
	const char *start = x->p;

	x->p++;
	if (!read_count(x, min))
		goto none;
	*max = *min;
	if (is_next(x, 0, ',')) {
		x->p++;
		if (is_next(x, 0, '}'))
			*max = -1;
		else if (!read_count(x, max))
			goto none;
		else if (*max < 0)
			*min = -1;
	}
	if (is_next(x, 0, '}')) {
		x->p++;
		return true;
	}
none:
	x->p = start;
	return false;
}

/* The last item in a group of its own, so that it can be repeated again. */
static void
wrap_atom(struct parser *x)
{
	struct text *t = &x->out->text;
	size_t at = level(x)->atom, n;

	put(x, "(?:)");
	if (t->failed)
		return;
	n = t->len - 4 - at;
	memmove(t->data + at + 3, t->data + at, n);
	memcpy(t->data + at, "(?:", 3);
	t->data[t->len - 1] = ')';
}

/* Repetitions may not multiply to more than REPEAT_MAX. */
static int
count_repeat(struct parser *x, int min, int max)
{
	struct level *l = level(x);
	unsigned times = (unsigned)(max < 0 ? min : max);

	if (times == 0)
		l->need = 0;
	else
		l->need = l->need * times > times ? l->need * times : times;
	if ((min >= 2 || max >= 2) && l->need > REPEAT_MAX)
		return fail(x, BAD_REPEAT);
	return 0;
}

/* What the repetition makes of its item; true: PCRE2 loops over it in
 * another way. */
static bool
order_repeat(struct level *l, int min, int max, bool lazy)
{
	struct order *o = &l->item;
	bool odd = o->empty && o->early && o->takes;

	o->takes = o->takes && max != 0;
	o->empty = o->empty || min == 0;
	o->early = o->takes && (o->early || (lazy && o->empty));
	return odd;
}

/* *, + or ?: op; min to max times, max < 0: no end. */
static int
repeat(struct parser *x, char op, int min, int max, bool stacked)
{
	struct level *l = level(x);
	bool lazy = (x->flags & FLAG_LAZY) != 0;

	if (is_next(x, 0, '?')) {
		x->p++;
		lazy = !lazy;
	}
	if (stacked)
		return fail(x, "invalid nested repetition operator");
	if (!l->has_atom)
		return fail(x, "missing argument to repetition operator");
	if (op == '{' && count_repeat(x, min, max) < 0)
		return -1;
	if (l->repeated)
		wrap_atom(x);
	if (l->atom_empty && l->atom_groups < x->out->ngroups && op != '?' &&
	    max != 1)
		x->out->odd_groups = true;
	if (order_repeat(l, min, max, lazy) && max < 0)
		x->out->odd_ends = true;
	if (op != '{')
		text_putc(&x->out->text, op);
	else if (max < 0)
		text_printf(&x->out->text, "{%d,}", min);
	else
		text_printf(&x->out->text, "{%d,%d}", min, max);
	if (lazy)
		put(x, "?");
	l->repeated = true;
	if (op == '*' || op == '?' || (op == '{' && min == 0))
		l->atom_empty = true;
	return 0;
}

/* Ends a branch of the group that is open. */
static void
end_branch(struct parser *x)
{
	struct level *l = level(x);

	end_atom(l);
	l->any_empty = l->any_empty || l->branch_empty;
	l->branch_empty = true;
	l->all.early = l->all.early || (l->all.empty && l->branch.takes) ||
	    (l->branch.empty && l->branch.early);
	l->all.empty = l->all.empty || l->branch.empty;
	l->all.takes = l->all.takes || l->branch.takes;
	l->branch = (struct order) { .empty = true };
	l->has_atom = false;
	l->need = 0;
}

static int
open_group(struct parser *x, bool numbered, const char *name, size_t len)
{
	struct gore_pattern *out = x->out;
	struct level *l;
	bool fold;

	begin_atom(x);
	fold = level(x)->fold;
	if (x->depth + 1 == NEST_MAX)
		return refuse(x, TOO_DEEP);
	put(x, numbered ? "(" : "(?:");
	l = &x->levels[++x->depth];
	*l = (struct level) {
		.flags = x->flags,
		.fold = fold,
		.branch_empty = true,
		.branch = { .empty = true },
		.groups = out->ngroups,
	};
	if (!numbered)
		return 0;
	if (out->ngroups + 1 >= out->cap) {
		size_t cap = out->cap == 0 ? 8 : 2 * out->cap;
		struct gore_name *names =
		    env_allocarray(x->env, cap, sizeof(*names));

		if (names == NULL)
			return -1;
		if (out->cap > 0)
			memcpy(names, out->names, out->cap * sizeof(*names));
		out->names = names;
		out->cap = cap;
	}
	out->names[++out->ngroups] = (struct gore_name) { name, len };
	return 0;
}

static int
close_group(struct parser *x)
{
	struct level inner;

	if (x->depth == 0)
		return fail(x, "unexpected )");
	end_branch(x);
	inner = *level(x);
	x->depth--;
	put(x, ")");
	x->flags = inner.flags;
	level(x)->need = inner.most;
	level(x)->atom_empty = inner.any_empty;
	level(x)->item = inner.all;
	level(x)->atom_groups = inner.groups;
	level(x)->has_atom = true;
	x->p++;
	return 0;
}

static bool
is_name(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = p[i];

		if (c != '_' && !(c >= '0' && c <= '9') &&
		    !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z'))
			return false;
	}
	return len > 0;
}

/* (?P<name> or (?<name>, whose name begins after skip bytes. */
static int
named_group(struct parser *x, size_t skip)
{
	const char *name = x->p + skip;
	const char *end = memchr(x->p, '>', left(x));
	size_t len;

	if (end == NULL)
		return check_utf8(x, x->p, left(x)) < 0 ? -1
							: fail(x, BAD_NAME);
	len = (size_t)(end - name);
	if (check_utf8(x, name, len) < 0)
		return -1;
	if (!is_name(name, len))
		return fail(x, BAD_NAME);
	x->p = end + 1;
	return open_group(x, true, name, len);
}

/* (?flags) (?flags: */
static int
perl_flags(struct parser *x)
{
	static const char letters[] = "isUm";
	static const unsigned flags[] = { FLAG_FOLD, FLAG_DOT_NL, FLAG_LAZY,
		FLAG_MULTI };
	unsigned value = x->flags;
	bool minus = false, saw = false;
	const char *letter;
	uint32_t c;

	x->p += 2;
	while (left(x) > 0) {
		if (next_rune(x, &c) < 0)
			return -1;
		if (c == ':' || c == ')') {
			if (minus && !saw)
				break;
			if (c == ':' && open_group(x, false, NULL, 0) < 0)
				return -1;
			x->flags = value;
			return 0;
		}
		if (c == '-') {
			if (minus)
				break;
			minus = true;
			saw = false;
			continue;
		}
		letter = c > 0 && c < 0x80 ? strchr(letters, (int)c) : NULL;
		if (letter == NULL)
			break;
		saw = true;
		if (minus)
			value &= ~flags[letter - letters];
		else
			value |= flags[letter - letters];
	}
	return fail(x, BAD_PERL);
}

static int
group(struct parser *x)
{
	if (!is_next(x, 1, '?')) {
		x->p++;
		return open_group(x, true, NULL, 0);
	}
	if (left(x) > 4 && x->p[2] == 'P' && x->p[3] == '<')
		return named_group(x, 4);
	if (left(x) > 3 && x->p[2] == '<')
		return named_group(x, 3);
	return perl_flags(x);
}

/* \Q...\E */
static int
quoted(struct parser *x)
{
	const char *end;
	uint32_t r;

	x->p += 2;
	end = memmem(x->p, left(x), "\\E", 2);
	while (x->p < (end == NULL ? x->end : end)) {
		if (env_step(x->env, 1) < 0 || next_rune(x, &r) < 0)
			return -1;
		put_literal(x, r);
	}
	if (end != NULL)
		x->p = end + 2;
	return 0;
}

/* A class outside of brackets: 1 where it was one. */
static int
bare_class(struct parser *x)
{
	struct text *t = &x->out->text;
	char c = '\0';
	size_t start;
	int rc;

	if (left(x) > 1)
		c = x->p[1];
	if (c == '\0' || strchr("dDsSwWpP", c) == NULL)
		return 0;
	begin_atom(x);
	put(x, "[");
	start = t->len;
	rc = c == 'p' || c == 'P' ? unicode_class(x) : perl_class(x);
	if (t->len == start && rc == 1) {
		t->len = level(x)->atom;
		put(x, "(?:(?!))");
	} else {
		put(x, "]");
	}
	return rc;
}

static int
backslash(struct parser *x)
{
	static const struct {
		char letter;
		const char *text;
		bool inside;
	} assertions[] = {
		{ 'A', "\\A", false },
		{ 'b', "\\b", true },
		{ 'B', "\\B", true },
		{ 'z', "\\z", false },
	};
	uint32_t r;
	int rc;

	for (size_t i = 0; i < ARRAY_SIZE(assertions); i++) {
		if (is_next(x, 1, assertions[i].letter)) {
			put_assertion(
			    x, assertions[i].text, assertions[i].inside);
			x->p += 2;
			return 0;
		}
	}
	if (is_next(x, 1, 'C'))
		return fail(x, BAD_ESCAPE);
	if (is_next(x, 1, 'Q'))
		return quoted(x);
	rc = bare_class(x);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (escape(x, &r) < 0)
		return -1;
	put_literal(x, r);
	return 0;
}

static void
anchor(struct parser *x, const char *line, const char *text)
{
	bool lines = (x->flags & FLAG_MULTI) != 0;

	put_assertion(x, lines ? line : text, lines);
	x->p++;
}

static int
literal(struct parser *x)
{
	uint32_t r;

	if (next_rune(x, &r) < 0)
		return -1;
	put_literal(x, r);
	return 0;
}

/* One item; *repeated: it was a repetition, and the one before was one too. */
static int
item(struct parser *x, bool *repeated)
{
	bool stacked = *repeated;
	int min, max;
	char c = *x->p;

	*repeated = false;
	switch (c) {
	case '(':
		return group(x);
	case ')':
		return close_group(x);
	case '|':
		end_branch(x);
		put(x, "|");
		x->p++;
		return 0;
	case '^':
		anchor(x, "(?<![^\\n])", "\\A");
		return 0;
	case '$':
		anchor(x, "(?![^\\n])", "\\z");
		return 0;
	case '.':
		begin_atom(x);
		put(x, x->flags & FLAG_DOT_NL ? "." : "\\N");
		x->p++;
		return 0;
	case '[':
		return class(x);
	case '\\':
		return backslash(x);
	case '*':
	case '+':
	case '?':
		x->p++;
		*repeated = true;
		return repeat(x, c, c == '+', c == '?' ? 1 : -1, stacked);
	case '{':
		if (!read_repeat(x, &min, &max))
			return literal(x);
		if (min < 0 || min > REPEAT_MAX || max > REPEAT_MAX ||
		    (max >= 0 && min > max))
			return fail(x, BAD_REPEAT);
		*repeated = true;
		return repeat(x, c, min, max, stacked);
	default:
		return literal(x);
	}
}

static int
translate(struct parser *x)
{
	bool repeated = false;

	put(x, "(?C1)(?:");
	while (left(x) > 0) {
		if (env_step(x->env, 1) < 0 || item(x, &repeated) < 0)
			return -1;
		if (x->out->text.failed)
			return -1;
	}
	if (x->depth > 0)
		return fail(x, "missing closing )");
	put(x, ")");
	return 0;
}

int
gore_translate(
    struct env *e, const char *p, size_t len, struct gore_pattern *ret)
{
	/* Too large for a thread's stack, too short-lived for the arena. */
	struct parser *x = xcalloc(1, sizeof(*x));
	int rc;

	*x = (struct parser) {
		.env = e,
		.p = p,
		.end = p + len,
		.out = ret,
		.levels = { { .branch_empty = true,
		    .branch = { .empty = true } } },
	};
	text_init(&ret->text, e);
	rc = translate(x);
	free(x);
	return rc;
}
