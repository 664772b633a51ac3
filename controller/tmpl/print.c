/*
 * Go's package fmt on single values. Verbs, flags and what is printed for a
 * wrong operand are Go's. Addresses (%p) and the insides of opaque structs have
 * no counterpart here and are refused.
 */
#include "print.h"

#include <string.h>

#include "dict.h"
#include "printer.h"
#include "quote.h"
#include "strconv.h"
#include "unicode.h"
#include "utf8.h"

/* Binary digits of 64 bits. */
#define DIGITS_MAX 64
#define FLOAT_PREC 6

static const char lower_digits[] = "0123456789abcdefx";
static const char upper_digits[] = "0123456789ABCDEFX";

static void print_elem(
    struct printer *p, const struct value *v, uint32_t verb, unsigned depth);

static void
padding(struct printer *p, size_t n)
{
	text_fill(p->out, p->f.zero && !p->f.minus ? '0' : ' ', n);
}

/* s within the width, which counts characters. */
static void
pad(struct printer *p, const char *s, size_t len)
{
	size_t runes, fill = 0;

	if (p->f.has_width && p->f.width > 0) {
		runes = utf8_count(s, len);
		fill = p->f.width > runes ? p->f.width - runes : 0;
	}
	if (!p->f.minus)
		padding(p, fill);
	text_append(p->out, s, len);
	if (p->f.minus)
		padding(p, fill);
}

static void
pad_str(struct printer *p, const char *s)
{
	pad(p, s, strlen(s));
}

/* What a bad verb prints in place of the value. */
void
printer_bad_verb(struct printer *p, uint32_t verb, const struct value *v)
{
	p->erroring = true;
	text_puts(p->out, "%!");
	text_putrune(p->out, verb);
	text_putc(p->out, '(');
	if (v->type == NULL) {
		text_puts(p->out, "<nil>");
	} else {
		text_puts(p->out, v->type->name);
		text_putc(p->out, '=');
		printer_arg(p, v, 'v');
	}
	text_putc(p->out, ')');
	p->erroring = false;
}

static void
refuse(struct printer *p, const char *what, const struct value *v)
{
	(void)env_fail(p->out->env, "printing %s of %s is not supported", what,
	    value_type_name(v));
	p->out->failed = true;
}

struct digits {
	char buf[DIGITS_MAX];
	size_t len;
};

static const char *
digits_of(struct digits *d, uint64_t u, unsigned base, const char *set)
{
	char *at = d->buf + sizeof(d->buf);

	do {
		*--at = set[u % base];
		u /= base;
	} while (u > 0);
	d->len = (size_t)(d->buf + sizeof(d->buf) - at);
	return at;
}

/* Without zeros as padding: those are part of the number already. */
static void
pad_plain(struct printer *p, const struct text *t)
{
	bool zero = p->f.zero;

	p->f.zero = false;
	if (t->failed)
		p->out->failed = true;
	else
		pad(p, t->data, t->len);
	p->f.zero = zero;
}

static void
base_prefix(struct text *t, unsigned base, const char *digits, const char *set)
{
	if (base == 2)
		text_puts(t, "0b");
	else if (base == 8 && *digits != '0')
		text_putc(t, '0');
	else if (base == 16)
		text_printf(t, "0%c", set[16]);
}

/* How many digits an integer has at least. */
static size_t
min_digits(const struct printer *p, bool negative)
{
	size_t n = p->f.width;

	if (p->f.has_prec)
		return p->f.prec;
	if (!p->f.zero || p->f.minus || !p->f.has_width)
		return 0;
	if ((negative || p->f.plus || p->f.space) && n > 0)
		n--;
	return n;
}

static void
print_uint(
    struct printer *p, uint64_t u, bool negative, unsigned base, uint32_t verb)
{
	const char *set = verb == 'X' ? upper_digits : lower_digits;
	size_t prec = min_digits(p, negative), zeros;
	struct digits d;
	struct text t;
	const char *s;

	if (p->f.has_prec && prec == 0 && u == 0) {
		text_fill(p->out, ' ', p->f.width);
		return;
	}
	s = digits_of(&d, u, base, set);
	zeros = prec > d.len ? prec - d.len : 0;
	text_init(&t, p->out->env);
	if (negative)
		text_putc(&t, '-');
	else if (p->f.plus)
		text_putc(&t, '+');
	else if (p->f.space)
		text_putc(&t, ' ');
	if (verb == 'O')
		text_puts(&t, "0o");
	if (p->f.sharp)
		base_prefix(&t, base, zeros > 0 ? "0" : s, set);
	text_fill(&t, '0', zeros);
	text_append(&t, s, d.len);
	pad_plain(p, &t);
}

static void
print_0x(struct printer *p, uint64_t u)
{
	bool sharp = p->f.sharp;

	p->f.sharp = true;
	print_uint(p, u, false, 16, 'v');
	p->f.sharp = sharp;
}

static void
print_char(struct printer *p, uint64_t u, bool quoted)
{
	uint32_t r = u > UTF8_MAX_RUNE ? UTF8_ERROR : (uint32_t)u;
	struct text t;

	text_init(&t, p->out->env);
	if (quoted)
		quote_rune(&t, r, p->f.plus);
	else
		text_putrune(&t, r);
	if (t.failed)
		p->out->failed = true;
	else
		pad(p, t.data, t.len);
}

static void
print_unicode(struct printer *p, uint64_t u)
{
	size_t prec = p->f.has_prec && p->f.prec > 4 ? p->f.prec : 4;
	struct digits d;
	struct text t;
	const char *s = digits_of(&d, u, 16, upper_digits);

	text_init(&t, p->out->env);
	text_puts(&t, "U+");
	text_fill(&t, '0', prec > d.len ? prec - d.len : 0);
	text_append(&t, s, d.len);
	if (p->f.sharp && u <= UTF8_MAX_RUNE && unicode_is_print((uint32_t)u)) {
		text_puts(&t, " '");
		text_putrune(&t, (uint32_t)u);
		text_putc(&t, '\'');
	}
	pad_plain(p, &t);
}

static void
print_integer(struct printer *p, const struct value *v, uint32_t verb)
{
	bool is_signed = value_is_signed(v);
	bool negative = is_signed && v->u.i < 0;
	uint64_t raw = v->u.u;
	uint64_t magnitude = negative ? 0 - raw : raw;

	switch (verb) {
	case 'v':
		if (p->f.sharp_v && !is_signed) {
			print_0x(p, raw);
			break;
		}
		print_uint(p, magnitude, negative, 10, verb);
		break;
	case 'd':
		print_uint(p, magnitude, negative, 10, verb);
		break;
	case 'b':
		print_uint(p, magnitude, negative, 2, verb);
		break;
	case 'o':
	case 'O':
		print_uint(p, magnitude, negative, 8, verb);
		break;
	case 'x':
	case 'X':
		print_uint(p, magnitude, negative, 16, verb);
		break;
	case 'c':
		print_char(p, raw, false);
		break;
	case 'q':
		print_char(p, raw, true);
		break;
	case 'U':
		print_unicode(p, raw);
		break;
	default:
		printer_bad_verb(p, verb, v);
		break;
	}
}

/* For # : where the exponent starts, which zeros must go in front of. */
static size_t
find_tail(const struct text *num, char verb)
{
	for (size_t i = 1; i < num->len; i++) {
		char c = num->data[i];

		if (c == 'p' || c == 'P')
			return i;
		if ((c == 'e' || c == 'E') && verb != 'x' && verb != 'X')
			return i;
	}
	return num->len;
}

/* The # flag: always a point, and for %g the zeros that it drops. */
static void
sharpen(struct text *num, char verb, int prec, struct text *out)
{
	size_t tail = find_tail(num, verb);
	bool point = false, nonzero = false;
	int digits = 0;

	if (verb == 'g' || verb == 'G' || verb == 'x')
		digits = prec < 0 ? FLOAT_PREC : prec;
	for (size_t i = 1; i < tail; i++) {
		if (num->data[i] == '.') {
			point = true;
			continue;
		}
		nonzero = nonzero || num->data[i] != '0';
		digits -= nonzero;
	}
	text_append(out, num->data, tail);
	if (!point) {
		if (tail == 2 && num->data[1] == '0')
			digits--;
		text_putc(out, '.');
	}
	if (digits > 0)
		text_fill(out, '0', (size_t)digits);
	text_append(out, num->data + tail, num->len - tail);
}

/* num starts with its sign, always. */
static void
put_float(struct printer *p, const struct text *num)
{
	const char *s = num->data;

	if (!p->f.plus && s[0] == '+') {
		pad(p, s + 1, num->len - 1);
		return;
	}
	if (p->f.zero && !p->f.minus && p->f.has_width &&
	    p->f.width > num->len) {
		text_putc(p->out, s[0]);
		padding(p, p->f.width - num->len);
		text_append(p->out, s + 1, num->len - 1);
		return;
	}
	pad(p, s, num->len);
}

static void
put_inf_or_nan(struct printer *p, struct text *num)
{
	struct text t = *num;

	/* +Inf keeps its sign, NaN only where one was asked for. */
	if (t.data[1] == 'N' && !p->f.space && !p->f.plus) {
		t.data++;
		t.len--;
	}
	pad_plain(p, &t);
}

static void
format_float(struct printer *p, double f, char verb, int prec)
{
	struct text num, sharp;

	if (p->f.has_prec)
		prec = (int)p->f.prec;
	text_init(&num, p->out->env);
	if (!__builtin_signbit(f) || f != f)
		text_putc(&num, '+');
	if (__builtin_isinf(f))
		num.len = 0;
	strconv_format_float(&num, f, verb, prec);
	if (num.failed) {
		p->out->failed = true;
		return;
	}
	if (p->f.space && num.data[0] == '+' && !p->f.plus)
		num.data[0] = ' ';
	if (num.data[1] == 'I' || num.data[1] == 'N') {
		put_inf_or_nan(p, &num);
		return;
	}
	if (p->f.sharp && verb != 'b') {
		text_init(&sharp, p->out->env);
		sharpen(&num, verb, prec, &sharp);
		num = sharp;
	}
	if (num.failed)
		p->out->failed = true;
	else
		put_float(p, &num);
}

static void
print_float(struct printer *p, const struct value *v, uint32_t verb)
{
	switch (verb) {
	case 'v':
		format_float(p, v->u.f, 'g', -1);
		break;
	case 'b':
	case 'g':
	case 'G':
	case 'x':
	case 'X':
		format_float(p, v->u.f, (char)verb, -1);
		break;
	case 'f':
	case 'e':
	case 'E':
		format_float(p, v->u.f, (char)verb, FLOAT_PREC);
		break;
	case 'F':
		format_float(p, v->u.f, 'f', FLOAT_PREC);
		break;
	default:
		printer_bad_verb(p, verb, v);
		break;
	}
}

/* The first characters of s, as many as the precision allows. */
static size_t
truncated(const struct printer *p, const char *s, size_t len)
{
	size_t at = 0, n = p->f.prec;
	uint32_t r;

	if (!p->f.has_prec)
		return len;
	while (at < len && n > 0) {
		at += utf8_decode(s + at, len - at, &r);
		n--;
	}
	return at;
}

static void
print_quoted(struct printer *p, const char *s, size_t len)
{
	struct text t;

	len = truncated(p, s, len);
	text_init(&t, p->out->env);
	if (p->f.sharp && quote_can_backquote(s, len)) {
		text_putc(&t, '`');
		text_append(&t, s, len);
		text_putc(&t, '`');
	} else {
		quote_string(&t, s, len, p->f.plus);
	}
	if (t.failed)
		p->out->failed = true;
	else
		pad(p, t.data, t.len);
}

static void
print_hex(struct printer *p, const char *s, size_t len, const char *set)
{
	size_t width, fill;

	if (p->f.has_prec && p->f.prec < len)
		len = p->f.prec;
	if (len == 0) {
		if (p->f.has_width)
			padding(p, p->f.width);
		return;
	}
	width = 2 * len;
	if (p->f.space)
		width += (p->f.sharp ? width : 0) + len - 1;
	else if (p->f.sharp)
		width += 2;
	fill = p->f.has_width && p->f.width > width ? p->f.width - width : 0;
	if (!p->f.minus)
		padding(p, fill);
	for (size_t i = 0; i < len && !p->out->failed; i++) {
		unsigned char c = (unsigned char)s[i];
		char hex[5];
		size_t n = 0;

		if (p->f.space && i > 0)
			hex[n++] = ' ';
		if (p->f.sharp && (p->f.space || i == 0)) {
			hex[n++] = '0';
			hex[n++] = set[16];
		}
		hex[n++] = set[c >> 4];
		hex[n++] = set[c & 0xF];
		text_append(p->out, hex, n);
	}
	if (p->f.minus)
		padding(p, fill);
}

/* v tells what a bad verb was for. */
static void
print_string(struct printer *p, const char *s, size_t len, uint32_t verb,
    const struct value *v)
{
	switch (verb) {
	case 'v':
		if (p->f.sharp_v) {
			print_quoted(p, s, len);
			break;
		}
		pad(p, s, truncated(p, s, len));
		break;
	case 's':
		pad(p, s, truncated(p, s, len));
		break;
	case 'x':
		print_hex(p, s, len, lower_digits);
		break;
	case 'X':
		print_hex(p, s, len, upper_digits);
		break;
	case 'q':
		print_quoted(p, s, len);
		break;
	default:
		printer_bad_verb(p, verb, v);
		break;
	}
}

static void
print_bool(struct printer *p, const struct value *v, uint32_t verb)
{
	if (verb == 't' || verb == 'v')
		pad_str(p, v->u.b ? "true" : "false");
	else
		printer_bad_verb(p, verb, v);
}

/* GoString(), for %#v. */
static bool
use_go_string(struct printer *p, const struct value *v)
{
	struct text t;

	if (v->type->go_string == NULL)
		return false;
	text_init(&t, p->out->env);
	v->type->go_string(v, &t);
	if (t.failed)
		p->out->failed = true;
	else
		pad(p, t.data, truncated(p, t.data, t.len));
	return true;
}

/* String(), for the verbs that ask for it. */
static bool
use_method(struct printer *p, const struct value *v, uint32_t verb)
{
	struct text t;

	if (p->erroring || v->type == NULL)
		return false;
	if (p->f.sharp_v)
		return use_go_string(p, v);
	if (v->type->string == NULL || verb == 0 || verb > 0x7F ||
	    strchr("vsxXq", (int)verb) == NULL)
		return false;
	if (v->type->kind == KIND_PTR && v->u.obj == NULL) {
		text_puts(p->out, "<nil>");
		return true;
	}
	text_init(&t, p->out->env);
	v->type->string(v, &t);
	if (t.failed)
		p->out->failed = true;
	else
		print_string(p, t.len == 0 ? "" : t.data, t.len, verb, v);
	return true;
}

static void
separator(struct printer *p, size_t i)
{
	if (i > 0)
		text_puts(p->out, p->f.sharp_v ? ", " : " ");
}

static void
open_composite(struct printer *p, const struct value *v, const char *plain)
{
	if (p->f.sharp_v) {
		text_puts(p->out, v->type->name);
		text_putc(p->out, '{');
	} else {
		text_puts(p->out, plain);
	}
}

static void
print_map(
    struct printer *p, const struct value *v, uint32_t verb, unsigned depth)
{
	struct dict_entry *entries;
	size_t len = dict_len(v);

	if (p->f.sharp_v && v->u.m == NULL) {
		text_puts(p->out, v->type->name);
		text_puts(p->out, "(nil)");
		return;
	}
	if (dict_entries(p->out->env, v, &entries) < 0) {
		p->out->failed = true;
		return;
	}
	open_composite(p, v, "map[");
	for (size_t i = 0; i < len && !p->out->failed; i++) {
		struct value key = value_str(entries[i].key, entries[i].keylen);

		separator(p, i);
		print_elem(p, &key, verb, depth + 1);
		text_putc(p->out, ':');
		print_elem(p, &entries[i].value, verb, depth + 1);
	}
	text_putc(p->out, p->f.sharp_v ? '}' : ']');
}

static void
print_list(
    struct printer *p, const struct value *v, uint32_t verb, unsigned depth)
{
	if (p->f.sharp_v && v->u.l.v == NULL) {
		text_puts(p->out, v->type->name);
		text_puts(p->out, "(nil)");
		return;
	}
	open_composite(p, v, "[");
	for (size_t i = 0; i < list_len(v) && !p->out->failed; i++) {
		separator(p, i);
		print_elem(p, &v->u.l.v[i], verb, depth + 1);
	}
	text_putc(p->out, p->f.sharp_v ? '}' : ']');
}

static void
print_struct(
    struct printer *p, const struct value *v, uint32_t verb, unsigned depth)
{
	const struct field *f = v->type->fields;

	for (; f != NULL && f->name != NULL; f++) {
		if (f->get == NULL)
			break;
	}
	if (f == NULL || f->name != NULL) {
		refuse(p, "the fields", v);
		return;
	}
	open_composite(p, v, "{");
	for (f = v->type->fields; f->name != NULL && !p->out->failed; f++) {
		struct value field;

		separator(p, (size_t)(f - v->type->fields));
		if (p->f.plus_v || p->f.sharp_v) {
			text_puts(p->out, f->name);
			text_putc(p->out, ':');
		}
		if (f->get(p->out->env, v, &field) < 0)
			p->out->failed = true;
		else
			print_elem(p, &field, verb, depth + 1);
	}
	text_putc(p->out, '}');
}

/* At the outermost level what it points to, elsewhere an address. */
static void
print_pointer(
    struct printer *p, const struct value *v, uint32_t verb, unsigned depth)
{
	struct value target = *v;

	if (depth > 0 || v->u.obj == NULL || v->type->elem == NULL) {
		refuse(p, "the address", v);
		return;
	}
	target.type = v->type->elem;
	text_putc(p->out, '&');
	print_struct(p, &target, verb, depth + 1);
}

static void
print_kind(
    struct printer *p, const struct value *v, uint32_t verb, unsigned depth)
{
	switch (value_kind(v)) {
	case KIND_INVALID:
	case KIND_INTERFACE:
		text_puts(p->out, p->f.sharp_v ? "interface {}(nil)" : "<nil>");
		break;
	case KIND_BOOL:
		print_bool(p, v, verb);
		break;
	case KIND_INT:
	case KIND_INT32:
	case KIND_INT64:
	case KIND_UINT8:
	case KIND_UINT32:
	case KIND_UINT64:
		print_integer(p, v, verb);
		break;
	case KIND_FLOAT64:
		print_float(p, v, verb);
		break;
	case KIND_STRING:
		print_string(p, v->u.s.p, v->u.s.len, verb, v);
		break;
	case KIND_SLICE:
		print_list(p, v, verb, depth);
		break;
	case KIND_MAP:
		print_map(p, v, verb, depth);
		break;
	case KIND_STRUCT:
		print_struct(p, v, verb, depth);
		break;
	case KIND_PTR:
		print_pointer(p, v, verb, depth);
		break;
	}
}

/* An element of a list, a map, a struct. */
static void
print_elem(
    struct printer *p, const struct value *v, uint32_t verb, unsigned depth)
{
	struct env *e = p->out->env;

	if (env_step(e, 1) < 0 || env_enter(e) < 0) {
		p->out->failed = true;
		return;
	}
	if (!use_method(p, v, verb))
		print_kind(p, v, verb, depth);
	env_leave(e);
}

static void
print_address(struct printer *p, const struct value *v)
{
	enum kind k = value_kind(v);

	if (k == KIND_SLICE || k == KIND_MAP || k == KIND_PTR)
		refuse(p, "the address", v);
	else
		printer_bad_verb(p, 'p', v);
}

void
printer_arg(struct printer *p, const struct value *v, uint32_t verb)
{
	if (v->type == NULL) {
		if (verb == 'T' || verb == 'v')
			pad_str(p, "<nil>");
		else
			printer_bad_verb(p, verb, v);
		return;
	}
	if (verb == 'T')
		pad(p, v->type->name,
		    truncated(p, v->type->name, strlen(v->type->name)));
	else if (verb == 'p')
		print_address(p, v);
	else
		print_elem(p, v, verb, 0);
}

void
print_value(struct text *out, const struct value *v)
{
	struct printer p = { .out = out };

	printer_arg(&p, v, 'v');
}

void
print_sprint(struct text *out, const struct value *args, size_t n)
{
	bool before = false;

	for (size_t i = 0; i < n && !out->failed; i++) {
		bool is_string = value_kind(&args[i]) == KIND_STRING;

		if (i > 0 && !is_string && !before)
			text_putc(out, ' ');
		print_value(out, &args[i]);
		before = is_string;
	}
}

void
print_sprintln(struct text *out, const struct value *args, size_t n)
{
	for (size_t i = 0; i < n && !out->failed; i++) {
		if (i > 0)
			text_putc(out, ' ');
		print_value(out, &args[i]);
	}
	text_putc(out, '\n');
}
