/*
 * Reading and writing JSON trees. Before jansson sees a text, one pass over it
 * bounds the nesting (jansson recurses) and mends two things that a Kubernetes
 * API server may send but jansson refuses: a NUL in a member name (read as
 * U+FFFD) and an integer over 64 bits (read as a floating-point number).
 * Without that one odd object would make a whole list unreadable.
 */
#include "base/jsonx.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define INT64_DIGITS 19

struct scan {
	const char *p;
	size_t len;
	size_t at;	 /* next byte to look at */
	size_t copied;	 /* bytes of p that copy stands for */
	struct buf copy; /* the mended text; empty while nothing was mended */
};

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
is_number_char(char c)
{
	return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' ||
	    c == 'e' || c == 'E';
}

/* Puts text in place of p[at..end). */
static void
mend(struct scan *s, size_t at, size_t end, const char *text)
{
	struct err err;

	if (buf_append(&s->copy, s->p + s->copied, at - s->copied, &err) < 0)
		abort();
	buf_puts(&s->copy, text);
	s->copied = end;
}

/* Behind the closing quote of the string that begins at s->at. */
static size_t
string_end(const struct scan *s)
{
	size_t i = s->at + 1;

	while (i < s->len && s->p[i] != '"')
		i += s->p[i] == '\\' ? 2 : 1;
	return i < s->len ? i + 1 : s->len;
}

static bool
is_member_name(const struct scan *s, size_t end)
{
	while (end < s->len && is_space(s->p[end]))
		end++;
	return end < s->len && s->p[end] == ':';
}

static void
scan_string(struct scan *s)
{
	static const char nul[] = "\\u0000";
	size_t end = string_end(s);

	if (memmem(s->p + s->at, end - s->at, nul, 6) != NULL &&
	    is_member_name(s, end)) {
		for (size_t i = s->at + 1; i + 6 <= end; i++) {
			if (memcmp(s->p + i, nul, 6) == 0)
				mend(s, i, i + 6, "\\ufffd");
			else if (s->p[i] == '\\')
				i++;
		}
	}
	s->at = end;
}

static bool
fits_int64(const char *digits, size_t n, bool negative)
{
	const char *most =
	    negative ? "9223372036854775808" : "9223372036854775807";

	return n < INT64_DIGITS ||
	    (n == INT64_DIGITS && memcmp(digits, most, INT64_DIGITS) <= 0);
}

static void
scan_number(struct scan *s)
{
	size_t first = s->at + (s->p[s->at] == '-');
	size_t end = first;

	while (end < s->len && s->p[end] >= '0' && s->p[end] <= '9')
		end++;
	if ((end == s->len || !is_number_char(s->p[end])) &&
	    !fits_int64(s->p + first, end - first, s->p[s->at] == '-'))
		mend(s, end, end, "e0");
	while (end < s->len && is_number_char(s->p[end]))
		end++;
	s->at = end;
}

/* Behind the object or array that begins at s->at. */
static void
skip_nested(struct scan *s)
{
	size_t depth = 0;

	do {
		char c = s->p[s->at];

		if (c == '"') {
			s->at = string_end(s);
			continue;
		}
		if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
		s->at++;
	} while (depth > 0 && s->at < s->len);
}

static int
scan_open(struct scan *s, unsigned *depth, unsigned flags, struct err *err)
{
	size_t begin = s->at;

	if (*depth < JSONX_DEPTH_MAX) {
		(*depth)++;
		s->at++;
		return 0;
	}
	if ((flags & JSONX_CUT_DEEP) == 0)
		return err_set(err, ERR_INVALID,
		    "JSON nested deeper than %d at byte %zu", JSONX_DEPTH_MAX,
		    begin);
	skip_nested(s);
	mend(s, begin, s->at, "null");
	return 0;
}

static int
scan_text(struct scan *s, unsigned flags, struct err *err)
{
	unsigned depth = 0;

	while (s->at < s->len) {
		char c = s->p[s->at];

		if (c == '{' || c == '[') {
			if (scan_open(s, &depth, flags, err) < 0)
				return -1;
			continue;
		}
		if (c == '"') {
			scan_string(s);
			continue;
		}
		if (c == '-' || (c >= '0' && c <= '9')) {
			scan_number(s);
			continue;
		}
		if ((c == '}' || c == ']') && depth > 0)
			depth--;
		s->at++;
	}
	return 0;
}

static const char *
complaint(const json_error_t *e)
{
	switch (json_error_code(e)) {
	case json_error_duplicate_key:
		return "duplicate member name";
	case json_error_invalid_utf8:
		return "invalid UTF-8";
	case json_error_premature_end_of_input:
		return "unexpected end of JSON";
	case json_error_end_of_input_expected:
		return "data after the JSON value";
	case json_error_numeric_overflow:
		return "number out of range";
	default:
		return "invalid JSON";
	}
}

int
jsonx_parse(
    const char *p, size_t len, unsigned flags, json_t **ret, struct err *err)
{
	/* A cut of two bytes ("{}") grows to four ("null"), a number by two:
	 * twice the text always suffices. */
	struct scan s = { .p = p, .len = len, .copy = BUF_INIT(2 * len + 64) };
	size_t how = JSON_DECODE_ANY | JSON_ALLOW_NUL;
	json_error_t e;
	json_t *v = NULL;
	int rc = scan_text(&s, flags, err);

	if ((flags & JSONX_REJECT_DUPLICATES) != 0)
		how |= JSON_REJECT_DUPLICATES;
	if (rc == 0 && s.copied > 0) {
		mend(&s, len, len, "");
		p = buf_str(&s.copy);
		len = s.copy.len;
	}
	if (rc == 0) {
		v = json_loadb(p, len, how, &e);
		if (v == NULL)
			rc = err_set(err, ERR_INVALID, "%s at byte %d",
			    complaint(&e), e.position);
	}
	buf_release(&s.copy);
	if (rc == 0)
		*ret = v;
	return rc;
}

struct dump {
	struct buf *out;
	struct err *err;
	bool failed; /* err tells why */
};

static int
append_piece(const char *p, size_t len, void *arg)
{
	struct dump *d = arg;

	if (buf_append(d->out, p, len, d->err) == 0)
		return 0;
	d->failed = true;
	return -1;
}

static int
dump(const json_t *v, size_t flags, struct buf *out, struct err *err)
{
	struct dump d = { .out = out, .err = err };
	size_t before = out->len;

	flags |= JSON_COMPACT | JSON_ENCODE_ANY;
	if (json_dump_callback(v, append_piece, &d, flags) == 0)
		return 0;
	buf_truncate(out, before);
	if (d.failed)
		return -1;
	return err_set(err, ERR_INVALID, "not representable as JSON");
}

int
jsonx_dump(const json_t *v, struct buf *out, struct err *err)
{
	return dump(v, 0, out, err);
}

int
jsonx_dump_sorted(const json_t *v, struct buf *out, struct err *err)
{
	return dump(v, JSON_SORT_KEYS, out, err);
}

static json_t *
walk(const json_t *v, va_list ap)
{
	const char *name;
	json_t *at = (json_t *)(uintptr_t)v;

	while ((name = va_arg(ap, const char *)) != NULL)
		at = json_object_get(at, name);
	return json_is_null(at) ? NULL : at;
}

json_t *
jsonx_get(const json_t *v, ...)
{
	json_t *at;
	va_list ap;

	va_start(ap, v);
	at = walk(v, ap);
	va_end(ap);
	return at;
}

const char *
jsonx_str(const json_t *v, ...)
{
	const json_t *at;
	va_list ap;

	va_start(ap, v);
	at = walk(v, ap);
	va_end(ap);
	/* A cut value would be another value. */
	if (!json_is_string(at) ||
	    strlen(json_string_value(at)) != json_string_length(at))
		return NULL;
	return json_string_value(at);
}

bool
jsonx_is_true(const json_t *v, ...)
{
	const json_t *at;
	va_list ap;

	va_start(ap, v);
	at = walk(v, ap);
	va_end(ap);
	return json_is_true(at);
}

int64_t
jsonx_int(const json_t *v, ...)
{
	const json_t *at;
	va_list ap;

	va_start(ap, v);
	at = walk(v, ap);
	va_end(ap);
	return json_integer_value(at);
}

json_t *
jsonx_object(const json_t *v, ...)
{
	json_t *at;
	va_list ap;

	va_start(ap, v);
	at = walk(v, ap);
	va_end(ap);
	return json_is_object(at) ? at : NULL;
}

json_t *
jsonx_array(const json_t *v, ...)
{
	json_t *at;
	va_list ap;

	va_start(ap, v);
	at = walk(v, ap);
	va_end(ap);
	return json_is_array(at) ? at : NULL;
}

void
jsonx_set(json_t *obj, const char *name, json_t *value)
{
	/* Fails without memory, or where a caller broke the contract. */
	if (json_object_set_new(obj, name, value) != 0)
		abort();
}

/* Bytes of the UTF-8 sequence at p, 0 where there is none. */
static size_t
utf8_len(const char *p, size_t len)
{
	size_t n = strnlen(p, len < 4 ? len : 4);

	for (size_t i = 1; i <= n; i++) {
		json_t *v = json_stringn(p, i);

		if (v != NULL) {
			json_decref(v);
			return i;
		}
	}
	return 0;
}

void
jsonx_set_str(json_t *obj, const char *name, const char *s)
{
	size_t len = strlen(s);
	json_t *v = json_stringn(s, len);
	struct buf b = BUF_INIT(3 * len);

	if (v == NULL) {
		while (len > 0) {
			size_t n = utf8_len(s, len);

			if (n == 0)
				buf_puts(&b, "\xef\xbf\xbd");
			for (size_t i = 0; i < n; i++)
				buf_putc(&b, s[i]);
			s += n == 0 ? 1 : n;
			len -= n == 0 ? 1 : n;
		}
		v = json_stringn(buf_str(&b), b.len);
	}
	buf_release(&b);
	jsonx_set(obj, name, v);
}

json_t *
jsonx_strn(const char *p, size_t len)
{
	return json_stringn(p, len);
}

const char *
jsonx_type_name(const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return "object";
	case JSON_ARRAY:
		return "array";
	case JSON_STRING:
		return "string";
	case JSON_INTEGER:
	case JSON_REAL:
		return "number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "boolean";
	case JSON_NULL:
		return "null";
	}
	return "unknown";
}
