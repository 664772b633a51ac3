/*
 * Classes and escapes of Go's regexp/syntax, as sets and characters by number
 * for PCRE2.
 */
#include <stdlib.h>
#include <string.h>

#include "gore_parser.h"
#include "utf8.h"

/* So many sets of all characters take PCRE2 about 0.15 s. */
#define FOLDED_MAX (64 * UTF8_MAX_RUNE)

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

/* Under (?i) PCRE2 looks up the other cases of each character of a range,
 * while it compiles and cannot be stopped. */
static void
count_folded(struct parser *x, uint32_t lo, uint32_t hi)
{
	struct gore_pattern *out = x->out;

	if (!(x->flags & FLAG_FOLD))
		return;
	out->folded += hi - lo;
	if (out->folded > FOLDED_MAX) {
		(void)env_exhaust(x->env, "regular expression");
		out->text.failed = true;
	}
}

static void
put_range(struct parser *x, uint32_t lo, uint32_t hi)
{
	count_folded(x, lo, hi);
	if (lo >= SURR_FIRST && lo <= SURR_LAST)
		lo = SURR_LAST + 1;
	if (hi >= SURR_FIRST && hi <= SURR_LAST)
		hi = SURR_FIRST - 1;
	if (lo > hi)
		return;
	gore_put_rune(x, lo);
	if (hi > lo) {
		gore_put(x, "-");
		gore_put_rune(x, hi);
	}
}

static void
put_group(struct parser *x, const struct group *g, bool negated)
{
	if (!negated) {
		gore_put(x, g->ranges);
		return;
	}
	count_folded(x, 0, UTF8_MAX_RUNE);
	gore_put(x, x->flags & FLAG_FOLD ? g->others_fold : g->others);
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

	if (!gore_is_next(x, 0, '[') || !gore_is_next(x, 1, ':') ||
	    gore_left(x) <= 2)
		return 0;
	end = memmem(name, (size_t)(x->end - name), ":]", 2);
	if (end == NULL)
		return 0;
	negated = name < end && *name == '^';
	name += negated;
	g = find_group(
	    posix_groups, ARRAY_SIZE(posix_groups), name, (size_t)(end - name));
	if (g == NULL)
		return gore_fail(x, BAD_RANGE);
	put_group(x, g, negated);
	x->p = end + 2;
	return 1;
}

/* \d \W ... */
int
gore_class_perl(struct parser *x)
{
	const struct group *g;
	char c;

	if (gore_left(x) < 2 || x->p[0] != '\\')
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
			return gore_refuse(x, UNSUPPORTED);
		gore_put(x, folded[i].more);
	}
	return 0;
}

static int
put_named_set(struct parser *x, const char *p, size_t len, bool negated)
{
	char name[SET_NAME_MAX];

	if (canonical_name(p, len, name) == 0) {
		if (strcmp(name, "Any") == 0) {
			if (!negated)
				put_range(x, 0, UTF8_MAX_RUNE);
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
		return gore_fail(x, BAD_RANGE);
	return put_set(x, name, negated);
}

/* \pL \p{Greek} \P{^Lu} */
int
gore_class_unicode(struct parser *x)
{
	const char *name, *end;
	bool negated;
	uint32_t r;

	if (gore_left(x) < 2 || x->p[0] != '\\' ||
	    (x->p[1] != 'p' && x->p[1] != 'P'))
		return 0;
	negated = x->p[1] == 'P';
	x->p += 2;
	name = x->p;
	if (gore_left(x) == 0)
		return gore_fail(x, BAD_RANGE);
	if (gore_next_rune(x, &r) < 0)
		return -1;
	end = x->p;
	if (r == '{') {
		name++;
		end = memchr(name, '}', gore_left(x));
		if (end == NULL)
			return gore_check_utf8(x, name, gore_left(x)) < 0
			    ? -1
			    : gore_fail(x, BAD_RANGE);
		x->p = end + 1;
		if (gore_check_utf8(x, name, (size_t)(end - name)) < 0)
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

	if (gore_left(x) == 0)
		return gore_fail(x, BAD_ESCAPE);
	if (gore_next_rune(x, &c) < 0)
		return -1;
	*ret = 0;
	if (c != '{') {
		if (gore_left(x) == 0)
			return gore_fail(x, BAD_ESCAPE);
		if (gore_next_rune(x, &d) < 0)
			return -1;
		if (unhex(c) < 0 || unhex(d) < 0)
			return gore_fail(x, BAD_ESCAPE);
		*ret = (uint32_t)(unhex(c) * 16 + unhex(d));
		return 0;
	}
	for (;; any = true) {
		if (gore_left(x) == 0)
			return gore_fail(x, BAD_ESCAPE);
		if (gore_next_rune(x, &c) < 0)
			return -1;
		if (c == '}')
			break;
		if (unhex(c) < 0)
			return gore_fail(x, BAD_ESCAPE);
		*ret = *ret * 16 + (uint32_t)unhex(c);
		if (*ret > UTF8_MAX_RUNE)
			return gore_fail(x, BAD_ESCAPE);
	}
	return any ? 0 : gore_fail(x, BAD_ESCAPE);
}

static bool
is_octal(const struct parser *x)
{
	return gore_left(x) > 0 && x->p[0] >= '0' && x->p[0] <= '7';
}

/* Behind a backslash that begins no class and no assertion. */
int
gore_class_escape(struct parser *x, uint32_t *ret)
{
	static const char codes[] = { 'a', '\a', 'f', '\f', 'n', '\n', 'r',
		'\r', 't', '\t', 'v', '\v' };
	uint32_t c;

	x->p++;
	if (gore_left(x) == 0)
		return gore_fail(x, "trailing backslash at end of expression");
	if (gore_next_rune(x, &c) < 0)
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
	return gore_fail(x, BAD_ESCAPE);
}

static int
class_char(struct parser *x, uint32_t *ret)
{
	if (gore_left(x) == 0)
		return gore_fail(x, "missing closing ]");
	return x->p[0] == '\\' ? gore_class_escape(x, ret)
			       : gore_next_rune(x, ret);
}

static int
class_item(struct parser *x)
{
	uint32_t lo = 0, hi;
	int rc = named_class(x);

	if (rc == 0)
		rc = gore_class_unicode(x);
	if (rc == 0)
		rc = gore_class_perl(x);
	if (rc != 0)
		return rc;
	if (class_char(x, &lo) < 0)
		return -1;
	hi = lo;
	if (gore_left(x) >= 2 && x->p[0] == '-' && x->p[1] != ']') {
		x->p++;
		if (class_char(x, &hi) < 0)
			return -1;
		if (hi < lo)
			return gore_fail(x, BAD_RANGE);
	}
	put_range(x, lo, hi);
	return 0;
}

int
gore_class_set(struct parser *x)
{
	bool negated, first = true;
	size_t empty;

	gore_begin_atom(x);
	x->p++;
	negated = gore_is_next(x, 0, '^');
	x->p += negated;
	gore_put(x, negated ? "[^" : "[");
	empty = x->out->text.len;
	for (; gore_left(x) == 0 || x->p[0] != ']' || first; first = false) {
		if (env_step(x->env, 1) < 0 || class_item(x) < 0)
			return -1;
	}
	x->p++;
	if (x->out->text.len == empty) {
		/* Only surrogates, or \P{Any}: nothing, or everything else. */
		x->out->text.len = gore_level(x)->atom;
		gore_put(x, negated ? "(?:.)" : "(?:(?!))");
		return 0;
	}
	gore_put(x, "]");
	return 0;
}
