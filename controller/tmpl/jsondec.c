/*
 * json.Unmarshal into an interface {}. Not recursive: Go's limit of nesting
 * is beyond what a stack should hold.
 */
#include <string.h>

#include "json.h"
#include "strconv.h"
#include "utf8.h"

#define DEPTH_MAX   10000
#define END	    (-1)

#define BEGIN_VALUE "looking for beginning of value"
#define BEGIN_KEY   "looking for beginning of object key string"
#define IN_HEX	    "in \\u hexadecimal character escape"

struct frame {
	struct value container;
	struct str key; /* of the value being read, in an object */
};

struct decoder {
	struct env *env;
	struct str in;
	size_t at;
	struct frame *frames;
	size_t depth;
	size_t cap;
	bool range; /* a number was out of range */
};

static int
peek(const struct decoder *d)
{
	return d->at < d->in.len ? (unsigned char)d->in.p[d->at] : END;
}

/* The next character does not fit. */
static int
unexpected(struct decoder *d, const char *where)
{
	return env_fail(d->env, "invalid character %s %s", WITHHELD, where);
}

static int
too_short(struct decoder *d)
{
	return env_fail(d->env, "unexpected end of JSON input");
}

/* The end of the input counts as a space within numbers, literals, escapes. */
static int
bad_structure(struct decoder *d, const char *where)
{
	return peek(d) == END ? too_short(d) : unexpected(d, where);
}

static int
skip_space(struct decoder *d)
{
	while (peek(d) != END && strchr(" \t\r\n", peek(d)) != NULL &&
	    peek(d) != 0)
		d->at++;
	return peek(d);
}

static bool
is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static void
skip_digits(struct decoder *d)
{
	while (is_digit(peek(d)))
		d->at++;
}

static int
scan_number(struct decoder *d)
{
	if (peek(d) == '-')
		d->at++;
	if (!is_digit(peek(d)))
		return unexpected(d, "in numeric literal");
	if (peek(d) == '0')
		d->at++;
	else
		skip_digits(d);
	if (peek(d) == '.') {
		d->at++;
		if (!is_digit(peek(d)))
			return unexpected(
			    d, "after decimal point in numeric literal");
		skip_digits(d);
	}
	if (peek(d) == 'e' || peek(d) == 'E') {
		d->at++;
		if (peek(d) == '+' || peek(d) == '-')
			d->at++;
		if (!is_digit(peek(d)))
			return unexpected(d, "in exponent of numeric literal");
		skip_digits(d);
	}
	return 0;
}

static int
read_number(struct decoder *d, struct value *ret)
{
	size_t from = d->at;
	double f;

	if (scan_number(d) < 0)
		return -1;
	if (env_step(d->env, (d->at - from) / 16) < 0)
		return -1;
	*ret = value_nil();
	if (strconv_parse_float(d->in.p + from, d->at - from, &f) == STRCONV_OK)
		*ret = value_float64(f);
	else
		d->range = true;
	return 0;
}

static int
read_literal(
    struct decoder *d, const char *word, struct value v, struct value *ret)
{
	for (const char *p = word; *p != '\0'; p++, d->at++) {
		if (peek(d) != *p) {
			char where[64];

			(void)snprintf(where, sizeof(where),
			    "in literal %s (expecting '%c')", word, *p);
			return unexpected(d, where);
		}
	}
	*ret = v;
	return 0;
}

static int
hex_digit(int c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Behind \u */
static int
read_hex(struct decoder *d, uint32_t *ret)
{
	*ret = 0;
	for (int i = 0; i < 4; i++, d->at++) {
		int digit = hex_digit(peek(d));

		if (digit < 0)
			return unexpected(d, IN_HEX);
		*ret = *ret << 4 | (uint32_t)digit;
	}
	return 0;
}

/* Behind \u, perhaps the first half of a pair. */
static int
read_unicode_escape(struct decoder *d, struct text *out)
{
	uint32_t r, low;
	size_t behind;

	if (read_hex(d, &r) < 0)
		return -1;
	if (r < 0xD800 || r > 0xDBFF ||
	    !str_has_prefix(str_slice(d->in, d->at, d->in.len), str_c("\\u"))) {
		text_putrune(out, r);
		return 0;
	}
	behind = d->at;
	d->at += 2;
	if (read_hex(d, &low) < 0)
		return -1;
	if (low >= 0xDC00 && low <= 0xDFFF) {
		r = 0x10000 + ((r - 0xD800) << 10 | (low - 0xDC00));
	} else {
		/* No pair: what follows stands for itself. */
		d->at = behind;
	}
	text_putrune(out, r);
	return 0;
}

static int
read_escape(struct decoder *d, struct text *out)
{
	static const char named[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
	int c = peek(d);

	if (c == 'u') {
		d->at++;
		return read_unicode_escape(d, out);
	}
	for (size_t i = 0; i + 1 < sizeof(named); i += 2) {
		if (named[i] == c) {
			d->at++;
			text_putc(out, named[i + 1]);
			return 0;
		}
	}
	return unexpected(d, "in string escape code");
}

/* A string without escapes and invalid bytes is part of the input. */
static bool
read_plain_string(struct decoder *d, struct str *ret)
{
	size_t i = d->at;

	while (i < d->in.len && d->in.p[i] != '"') {
		unsigned char c = (unsigned char)d->in.p[i];
		uint32_t r;
		size_t w = utf8_decode(d->in.p + i, d->in.len - i, &r);

		if (c == '\\' || c < ' ' || (r == UTF8_ERROR && w == 1))
			return false;
		i += w;
	}
	if (i == d->in.len)
		return false;
	*ret = str_slice(d->in, d->at, i);
	d->at = i + 1;
	return true;
}

/* At the opening quote. */
static int
read_string(struct decoder *d, struct str *ret)
{
	struct value v;
	struct text t;
	uint32_t r;
	int c;

	d->at++;
	if (read_plain_string(d, ret))
		return 0;
	text_init(&t, d->env);
	while ((c = peek(d)) != '"' && !t.failed) {
		if (c == END)
			return too_short(d);
		if (c < ' ')
			return unexpected(d, "in string literal");
		if (c == '\\') {
			d->at++;
			if (read_escape(d, &t) < 0)
				return -1;
			continue;
		}
		d->at += utf8_decode(d->in.p + d->at, d->in.len - d->at, &r);
		text_putrune(&t, r);
	}
	d->at++;
	if (text_done(&t, &v) < 0)
		return -1;
	*ret = str_of(&v);
	return 0;
}

static struct frame *
top(const struct decoder *d)
{
	return &d->frames[d->depth - 1];
}

static int
push(struct decoder *d, const struct value *container)
{
	struct frame *frames;

	if (d->depth == DEPTH_MAX)
		return unexpected(d, "exceeded max depth");
	frames =
	    env_grow(d->env, d->frames, d->depth, &d->cap, 8, sizeof(*frames));
	if (frames == NULL)
		return -1;
	d->frames = frames;
	d->frames[d->depth++] = (struct frame) { .container = *container };
	return 0;
}

/* Up to the value's beginning. */
static int
read_key(struct decoder *d)
{
	if (skip_space(d) != '"')
		return bad_structure(d, BEGIN_KEY);
	if (read_string(d, &top(d)->key) < 0)
		return -1;
	if (skip_space(d) != ':')
		return bad_structure(d, "after object key");
	d->at++;
	return 0;
}

/* At [ or {. *complete: it was empty, and is *ret. */
static int
open_container(struct decoder *d, bool *complete, struct value *ret)
{
	bool object = peek(d) == '{';

	if (object ? dict_new(d->env, &type_dict, ret) < 0
		   : list_new(d->env, &type_list, 0, ret) < 0)
		return -1;
	if (push(d, ret) < 0)
		return -1;
	d->at++;
	*complete = skip_space(d) == (object ? '}' : ']');
	if (*complete) {
		d->at++;
		d->depth--;
		return 0;
	}
	return object ? read_key(d) : 0;
}

/* *complete false: a container was opened instead. */
static int
begin_value(struct decoder *d, bool *complete, struct value *ret)
{
	struct str s = { 0 };
	int c = skip_space(d);

	*complete = true;
	if (env_step(d->env, 1) < 0)
		return -1;
	if (c == '{' || c == '[')
		return open_container(d, complete, ret);
	if (c == '-' || is_digit(c))
		return read_number(d, ret);
	if (c == 't')
		return read_literal(d, "true", value_bool(true), ret);
	if (c == 'f')
		return read_literal(d, "false", value_bool(false), ret);
	if (c == 'n')
		return read_literal(d, "null", value_nil(), ret);
	if (c != '"')
		return bad_structure(d, BEGIN_VALUE);
	if (read_string(d, &s) < 0)
		return -1;
	*ret = str_value(s);
	return 0;
}

/* Puts a complete value into the innermost container. */
static int
store(struct decoder *d, const struct value *v)
{
	struct frame *f = top(d);

	if (value_kind(&f->container) == KIND_MAP)
		return dict_set(
		    d->env, &f->container, f->key.p, f->key.len, *v);
	return list_append(d->env, &f->container, *v);
}

/* Behind a value in a container: a comma, or its end. *closed: the container
 * is the complete value now. */
static int
next_or_close(struct decoder *d, bool *closed, struct value *ret)
{
	bool object = value_kind(&top(d)->container) == KIND_MAP;
	int c = skip_space(d);

	*closed = c == (object ? '}' : ']');
	if (*closed) {
		*ret = top(d)->container;
		d->depth--;
	} else if (c != ',') {
		return bad_structure(d,
		    object ? "after object key:value pair"
			   : "after array element");
	}
	d->at++;
	return object && !*closed ? read_key(d) : 0;
}

static int
decode(struct decoder *d, struct value *ret)
{
	bool complete;

	do {
		if (begin_value(d, &complete, ret) < 0)
			return -1;
		while (complete && d->depth > 0) {
			if (store(d, ret) < 0 ||
			    next_or_close(d, &complete, ret) < 0)
				return -1;
		}
	} while (!complete);
	if (skip_space(d) != END)
		return unexpected(d, "after top-level value");
	return 0;
}

int
json_decode(struct env *e, struct str in, struct value *ret)
{
	struct decoder d = { .env = e, .in = in };

	if (env_step(e, 1 + in.len / 16) < 0 || decode(&d, ret) < 0) {
		*ret = value_nil();
		return -1;
	}
	if (d.range)
		return env_fail(e,
		    "json: cannot unmarshal number %s into Go value of type "
		    "float64",
		    WITHHELD);
	return 0;
}
