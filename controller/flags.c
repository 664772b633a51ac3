/*
 * The engine behind flags.h: one parser for values, whichever way they come.
 */
#include "flags.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/timefmt.h"

/* Name of a variable or flag in an error. */
#define NAME_MAX_LEN 96
/* A number's text, underscores taken out. */
#define NUMBER_MAX 128
/* Part of a bad value that an error repeats. */
#define QUOTE_BYTES 120
#define QUOTE_MAX   (QUOTE_BYTES * 4 + 8)

/* Text of one flag, and the least width that wrapping leaves it. */
#define USAGE_MAX      1024
#define USAGE_TEXT_MIN 24

/* ---- values ---- */

static const char *const true_texts[] = { "1", "t", "T", "TRUE", "true",
	"True" };
static const char *const false_texts[] = { "0", "f", "F", "FALSE", "false",
	"False" };

static bool
one_of(const char *s, const char *const texts[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(s, texts[i]) == 0)
			return true;
	return false;
}

static bool
parse_bool(const char *s, bool *ret)
{
	bool is_true = one_of(s, true_texts, ARRAY_SIZE(true_texts));

	if (!is_true && !one_of(s, false_texts, ARRAY_SIZE(false_texts)))
		return false;
	*ret = is_true;
	return true;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char
lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static bool
is_hex_digit(char c)
{
	return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
}

static int
base_of(const char *s)
{
	if (s[0] != '0' || s[1] == '\0')
		return 10;
	switch (lower(s[1])) {
	case 'x':
		return 16;
	case 'o':
		return 8;
	case 'b':
		return 2;
	default:
		return 0; /* none, but perhaps octal by its leading 0 */
	}
}

/*
 * Go's rule for literals: an underscore stands between two digits, or between
 * base prefix and digit. Copies s without them; sign stays.
 */
static bool
strip_underscores(const char *s, char out[static NUMBER_MAX])
{
	enum { START, DIGIT, UNDERSCORE, OTHER } last = START;
	size_t n = 0;
	bool hex = false;

	if (strlen(s) >= NUMBER_MAX)
		return false;
	if (*s == '+' || *s == '-')
		out[n++] = *s++;
	if (base_of(s) != 10 && base_of(s) != 0) {
		hex = base_of(s) == 16;
		out[n++] = *s++;
		out[n++] = *s++;
		last = DIGIT;
	}
	for (; *s != '\0'; s++) {
		bool digit = is_digit(*s) || (hex && is_hex_digit(*s));

		if ((*s == '_' && last != DIGIT) ||
		    (*s != '_' && !digit && last == UNDERSCORE))
			return false;
		last = digit ? DIGIT : *s == '_' ? UNDERSCORE : OTHER;
		if (*s != '_')
			out[n++] = *s;
	}
	out[n] = '\0';
	return last != UNDERSCORE;
}

static bool
parse_int(const char *s, int64_t *ret)
{
	char text[NUMBER_MAX] = "", *p = text, *end;
	int base;
	bool negative;
	unsigned long long v;

	if (!strip_underscores(s, text))
		return false;
	negative = *p == '-';
	if (*p == '+' || *p == '-')
		p++;
	base = base_of(p);
	if (base == 0)
		base = 8;
	else if (base != 10)
		p += 2;
	/* strtoull alone would take spaces, a sign, a second prefix. */
	if (!is_hex_digit(*p) || (base == 16 && lower(p[1]) == 'x'))
		return false;
	errno = 0;
	v = strtoull(p, &end, base);
	if (*end != '\0' || errno != 0 ||
	    v > (uint64_t)INT64_MAX + (negative ? 1u : 0u))
		return false;
	*ret = negative ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

/* Shape of a Go float literal, so that strtod's extras stay out. */
static bool
is_float_text(const char *p)
{
	bool hex, exponent;
	size_t digits = 0, dots = 0;

	if (*p == '+' || *p == '-')
		p++;
	hex = p[0] == '0' && lower(p[1]) == 'x';
	if (hex)
		p += 2;
	for (; is_digit(*p) || *p == '.' || (hex && is_hex_digit(*p)); p++) {
		dots += *p == '.';
		digits += *p != '.';
	}
	if (digits == 0 || dots > 1)
		return false;
	exponent = lower(*p) == (hex ? 'p' : 'e');
	if (!exponent)
		return *p == '\0' && !hex;
	p++;
	if (*p == '+' || *p == '-')
		p++;
	return *p != '\0' && p[strspn(p, "0123456789")] == '\0';
}

static bool
parse_float(const char *s, double *ret)
{
	char text[NUMBER_MAX] = "";
	float f;

	if (!strip_underscores(s, text) || !is_float_text(text))
		return false;
	f = strtof(text, NULL);
	if (!isfinite(f))
		return false;
	*ret = (double)f;
	return true;
}

static bool
parse_value(enum flag_type type, const char *text, union flag_value *ret)
{
	struct err ignored = ERR_INIT;

	switch (type) {
	case FLAG_BOOL:
		return parse_bool(text, &ret->b);
	case FLAG_INT:
		return parse_int(text, &ret->i);
	case FLAG_FLOAT:
		return parse_float(text, &ret->f);
	case FLAG_DURATION:
		/* The accepted form says more than its text. */
		return timefmt_parse_duration(text, &ret->i, &ignored) == 0;
	case FLAG_STRING:
		ret->s = text;
		return true;
	}
	return false;
}

static void
store_value(const struct flag *f, void *values, union flag_value v)
{
	void *target = (char *)values + f->offset;

	switch (f->type) {
	case FLAG_BOOL:
		*(bool *)target = v.b;
		break;
	case FLAG_INT:
	case FLAG_DURATION:
		*(int64_t *)target = v.i;
		break;
	case FLAG_FLOAT:
		*(double *)target = v.f;
		break;
	case FLAG_STRING:
		*(const char **)target = v.s;
		break;
	}
}

/* ---- errors ---- */

static const char *
type_want(enum flag_type type)
{
	switch (type) {
	case FLAG_BOOL:
		return "true or false (or 1, t, T, TRUE, True, 0, f, F, "
		       "FALSE, False)";
	case FLAG_INT:
		return "an integer";
	case FLAG_FLOAT:
		return "a number";
	case FLAG_DURATION:
		return "a duration such as 720h, 1h30m or 300ms (units ns, us, "
		       "ms, s, m, h)";
	case FLAG_STRING:
		return "a text";
	}
	return "";
}

/* Whatever somebody typed becomes one harmless line of ASCII. */
static void
quote(const char *s, char out[static QUOTE_MAX])
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	out[n++] = '"';
	for (size_t i = 0; s[i] != '\0' && i < QUOTE_BYTES; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '"' || c == '\\') {
			out[n++] = '\\';
			out[n++] = (char)c;
		} else if (c >= ' ' && c < 0x7f) {
			out[n++] = (char)c;
		} else {
			out[n++] = '\\';
			out[n++] = 'x';
			out[n++] = hex[c >> 4];
			out[n++] = hex[c & 15];
		}
	}
	out[n++] = '"';
	out[n] = '\0';
}

static void
env_name(const struct flag_set *set, const struct flag *f,
    char out[static NAME_MAX_LEN])
{
	size_t n;

	(void)snprintf(out, NAME_MAX_LEN, "%s%s", set->env_prefix, f->name);
	n = strlen(set->env_prefix);
	for (; out[n] != '\0'; n++) {
		if (out[n] == '-')
			out[n] = '_';
		else if (out[n] >= 'a' && out[n] <= 'z')
			out[n] = (char)(out[n] - ('a' - 'A'));
	}
}

static int
bad_value(const struct flag_set *set, const struct flag *f,
    const struct flag_origin *from, const char *why, struct err *err)
{
	char quoted[QUOTE_MAX], variable[NAME_MAX_LEN];
	const char *want = f->want != NULL ? f->want : type_want(f->type);
	const char *gap = why[0] != '\0' ? "; " : "";

	quote(from->text, quoted);
	env_name(set, f, variable);
	if (from->from_env)
		return err_set(err, ERR_INVALID,
		    "invalid value %s for %s: %s%swant %s", quoted, variable,
		    why, gap, want);
	return err_set(err, ERR_INVALID,
	    "invalid argument %s for \"--%s\" flag: %s%swant %s", quoted,
	    f->name, why, gap, want);
}

/* As pflag prints a word: bare. */
static int
bad_word(const char *what, const char *word, struct err *err)
{
	char quoted[QUOTE_MAX];

	quote(word, quoted);
	return err_set(err, ERR_INVALID, "%s%.*s", what,
	    (int)(strlen(quoted) - 2), quoted + 1);
}

/* ---- one value in ---- */

static int
assign(struct flag_set *set, const struct flag *f, struct flag_origin from,
    struct err *err)
{
	union flag_value v;
	struct err why = ERR_INIT;

	if (!parse_value(f->type, from.text, &v) ||
	    (f->check != NULL && !f->check(v, &why)))
		return bad_value(set, f, &from, why.msg, err);
	store_value(f, set->values, v);
	set->origin[f - set->flags] = from;
	return 0;
}

void
flags_init(struct flag_set *set, const struct flag *flags, size_t nflags,
    const char *env_prefix, void *values)
{
	assert(nflags <= FLAGS_MAX);
	*set = (struct flag_set) {
		.flags = flags,
		.nflags = nflags,
		.env_prefix = env_prefix,
		.values = values,
	};
	for (size_t i = 0; i < nflags; i++) {
		union flag_value v;
		bool ok = parse_value(flags[i].type, flags[i].def, &v);

		assert(ok);
		(void)ok;
		store_value(&flags[i], values, v);
	}
}

/* ---- environment ---- */

static const char *
env_lookup(char *const envp[], const char *name)
{
	size_t len = strlen(name);

	for (; envp != NULL && *envp != NULL; envp++)
		if (strncmp(*envp, name, len) == 0 && (*envp)[len] == '=')
			return *envp + len + 1;
	return NULL;
}

int
flags_read_env(struct flag_set *set, char *const envp[], struct err *err)
{
	char name[NAME_MAX_LEN];

	for (size_t i = 0; i < set->nflags; i++) {
		struct flag_origin from = { .from_env = true };

		env_name(set, &set->flags[i], name);
		from.text = env_lookup(envp, name);
		if (from.text != NULL &&
		    assign(set, &set->flags[i], from, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- command line ---- */

static const struct flag *
find(const struct flag_set *set, const char *name, size_t len)
{
	for (size_t i = 0; i < set->nflags; i++)
		if (strncmp(set->flags[i].name, name, len) == 0 &&
		    set->flags[i].name[len] == '\0')
			return &set->flags[i];
	return NULL;
}

static void
notice_deprecated(const struct flag_set *set, const struct flag *f)
{
	if (f->use_instead == NULL || set->notices == NULL)
		return;
	(void)fprintf(set->notices,
	    "Flag --%s has been deprecated, please use %s instead\n", f->name,
	    f->use_instead);
}

/* word begins with "--"; next: the word behind it or NULL. used_next: it was
 * this flag's value. */
static int
read_long(struct flag_set *set, const char *word, const char *next,
    bool *used_next, bool *help, struct err *err)
{
	const char *name = word + 2;
	size_t len = strcspn(name, "=");
	const struct flag *f = find(set, name, len);
	struct flag_origin from = { .from_env = false };

	if (len == 0 || name[0] == '-')
		return bad_word("bad flag syntax: ", word, err);
	if (f == NULL && len == 4 && strncmp(name, "help", 4) == 0) {
		*help = true;
		return 0;
	}
	if (f == NULL) {
		char shown[NAME_MAX_LEN];

		(void)snprintf(shown, sizeof(shown), "--%.*s",
		    (int)(len < QUOTE_BYTES ? len : QUOTE_BYTES), name);
		return bad_word("unknown flag: ", shown, err);
	}
	if (name[len] == '=') {
		from.text = name + len + 1;
	} else if (f->type == FLAG_BOOL) {
		from.text = "true";
	} else {
		if (next == NULL)
			return err_set(err, ERR_INVALID,
			    "flag needs an argument: --%s", f->name);
		from.text = next;
		*used_next = true;
	}
	if (assign(set, f, from, err) < 0)
		return -1;
	notice_deprecated(set, f);
	return 0;
}

/* One dash: single-letter flags, of which only -h exists. */
static int
read_short(const char *word, bool *help, struct err *err)
{
	if (word[1] != 'h')
		return bad_word("unknown flag: ", word, err);
	*help = true;
	return 0;
}

int
flags_read_args(struct flag_set *set, int argc, char *const argv[], bool *help,
    struct err *err)
{
	*help = false;
	for (int i = 1; i < argc && !*help; i++) {
		const char *word = argv[i];
		const char *next = i + 1 < argc ? argv[i + 1] : NULL;
		bool used_next = false;
		int rc = 0;

		if (word[0] != '-' || word[1] == '\0')
			continue;
		if (strcmp(word, "--") == 0)
			break;
		if (word[1] == '-')
			rc = read_long(set, word, next, &used_next, help, err);
		else
			rc = read_short(word, help, err);
		if (rc < 0)
			return -1;
		i += used_next;
	}
	return 0;
}

bool
flags_given(const struct flag_set *set, const char *name)
{
	const struct flag *f = find(set, name, strlen(name));

	assert(f != NULL);
	return set->origin[f - set->flags].text != NULL;
}

int
flags_reject(const struct flag_set *set, const char *name, const char *why,
    struct err *err)
{
	const struct flag *f = find(set, name, strlen(name));

	assert(f != NULL && set->origin[f - set->flags].text != NULL);
	return bad_value(set, f, &set->origin[f - set->flags], why, err);
}

/* ---- usage ---- */

static const char *
type_word(enum flag_type type)
{
	switch (type) {
	case FLAG_BOOL:
		return "";
	case FLAG_INT:
		return " int";
	case FLAG_FLOAT:
		return " float32";
	case FLAG_DURATION:
		return " duration";
	case FLAG_STRING:
		return " string";
	}
	return "";
}

static bool
is_zero_default(const struct flag *f)
{
	return f->def[0] == '\0' || strcmp(f->def, "0") == 0 ||
	    strcmp(f->def, "false") == 0 || strcmp(f->def, "0s") == 0;
}

static int
left_width(const struct flag *f)
{
	return (int)(strlen(f->name) + strlen(type_word(f->type)));
}

/* At most so many columns in a line; a word that is longer stays whole. */
static void
print_wrapped(const char *text, unsigned indent, unsigned columns, FILE *out)
{
	unsigned room =
	    columns > indent + USAGE_TEXT_MIN ? columns - indent : UINT_MAX;
	unsigned used = 0;

	for (const char *p = text; *p != '\0'; p += strspn(p, " ")) {
		unsigned len = (unsigned)strcspn(p, " ");

		if (used > 0 && used + 1 + len > room) {
			(void)fprintf(out, "\n%*s", (int)indent, "");
			used = 0;
		}
		(void)fprintf(out, "%s%.*s", used > 0 ? " " : "", (int)len, p);
		used += len + (used > 0);
		p += len;
	}
	(void)fputc('\n', out);
}

static void
print_flag(const struct flag *f, int width, unsigned columns, FILE *out)
{
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(USAGE_MAX);
	const char *quotes = f->type == FLAG_STRING ? "\"" : "";
	int lead = fprintf(out, "      --%s%s%*s   ", f->name,
	    type_word(f->type), width - left_width(f), "");

	buf_puts(&text, f->usage);
	if (!is_zero_default(f))
		buf_printf(&text, " (default %s%s%s)", quotes, f->def, quotes);
	print_wrapped(
	    buf_str(&text), lead > 0 ? (unsigned)lead : 0, columns, out);
}

void
flags_usage(
    const struct flag *flags, size_t nflags, unsigned columns, FILE *out)
{
	int width = 0;

	for (size_t i = 0; i < nflags; i++)
		if (flags[i].use_instead == NULL &&
		    left_width(&flags[i]) > width)
			width = left_width(&flags[i]);
	for (size_t i = 0; i < nflags; i++)
		if (flags[i].use_instead == NULL)
			print_flag(&flags[i], width, columns, out);
}
