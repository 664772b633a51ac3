/*
 * Go's package fmt on single values; numbers are in print_number.c. Verbs,
 * flags and what is printed for a wrong operand are Go's. Addresses (%p) and
 * the insides of opaque structs have no counterpart here and are refused.
 */
#include "print.h"

#include <string.h>

#include "dict.h"
#include "printer.h"
#include "quote.h"
#include "utf8.h"

static void print_elem(
    struct printer *p, const struct value *v, uint32_t verb, unsigned depth);

void
printer_padding(struct printer *p, size_t n)
{
	text_fill(p->out, p->f.zero && !p->f.minus ? '0' : ' ', n);
}

/* s within the width, which counts characters. */
void
printer_pad(struct printer *p, const char *s, size_t len)
{
	size_t runes, fill = 0;

	if (p->f.has_width && p->f.width > 0) {
		runes = utf8_count(s, len);
		fill = p->f.width > runes ? p->f.width - runes : 0;
	}
	if (!p->f.minus)
		printer_padding(p, fill);
	text_append(p->out, s, len);
	if (p->f.minus)
		printer_padding(p, fill);
}

static void
pad_str(struct printer *p, const char *s)
{
	printer_pad(p, s, strlen(s));
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
		printer_pad(p, t.data, t.len);
}

static void
print_hex(struct printer *p, const char *s, size_t len, const char *set)
{
	size_t width, fill;

	if (p->f.has_prec && p->f.prec < len)
		len = p->f.prec;
	if (len == 0) {
		if (p->f.has_width)
			printer_padding(p, p->f.width);
		return;
	}
	width = 2 * len;
	if (p->f.space)
		width += (p->f.sharp ? width : 0) + len - 1;
	else if (p->f.sharp)
		width += 2;
	fill = p->f.has_width && p->f.width > width ? p->f.width - width : 0;
	if (!p->f.minus)
		printer_padding(p, fill);
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
		printer_padding(p, fill);
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
		printer_pad(p, s, truncated(p, s, len));
		break;
	case 's':
		printer_pad(p, s, truncated(p, s, len));
		break;
	case 'x':
		print_hex(p, s, len, printer_lower);
		break;
	case 'X':
		print_hex(p, s, len, printer_upper);
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
		printer_pad(p, t.data, truncated(p, t.data, t.len));
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
		printer_integer(p, v, verb);
		break;
	case KIND_FLOAT64:
		printer_float(p, v, verb);
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
		printer_pad(p, v->type->name,
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
