/*
 * Go's own template functions. slice is not here: sprig's hides it.
 */
#include "func.h"
#include "print.h"
#include "unicode.h"
#include "utf8.h"

#include <string.h>

#define INVALID_COMPARISON "invalid type for comparison"

/* and, or, call: the engine does not evaluate their arguments in the ordinary
 * way, and never gets here. */
static int
special(struct call *c, struct value *ret UNUSED)
{
	return call_fail(c, "%s is not an ordinary function", c->name);
}

static int
fn_not(struct call *c, struct value *ret)
{
	*ret = value_bool(!value_truth(&c->args[0]));
	return 0;
}

/* The type that Go finds behind a pointer. */
static const char *
pointee_name(const struct value *v)
{
	const char *name = v->type->name;

	return v->type->kind == KIND_PTR && *name == '*' ? name + 1 : name;
}

static int
fn_len(struct call *c, struct value *ret)
{
	const struct value *v = &c->args[0];

	switch (value_kind(v)) {
	case KIND_STRING:
		*ret = value_int((int64_t)v->u.s.len);
		return 0;
	case KIND_SLICE:
		*ret = value_int((int64_t)list_len(v));
		return 0;
	case KIND_MAP:
		*ret = value_int((int64_t)dict_len(v));
		return 0;
	case KIND_INVALID:
		/* Go asks for the type of an invalid value here. */
		return call_fail(c,
		    v->iface
			? "len of nil pointer"
			: "reflect: call of reflect.Value.Type on zero Value");
	default:
		return call_fail(c, "len of type %s", pointee_name(v));
	}
}

/* An index into len elements. */
static int
index_arg(struct call *c, const struct value *v, size_t len, size_t *ret)
{
	bool is_signed = value_is_signed(v);

	if (v->type == NULL)
		return call_fail(c, "cannot index slice/array with nil");
	if (!is_signed && !value_is_unsigned(v))
		return call_fail(
		    c, "cannot index slice/array with type %s", v->type->name);
	if (v->u.i < 0 || v->u.u > len)
		return call_fail(c, "index out of range: %s", WITHHELD);
	*ret = (size_t)v->u.u;
	return 0;
}

static int
index_sequence(struct call *c, const struct value *index, struct value *item)
{
	bool is_string = value_kind(item) == KIND_STRING;
	size_t len = is_string ? item->u.s.len : list_len(item);
	size_t i = 0;

	if (index_arg(c, index, len, &i) < 0)
		return -1;
	/* Go lets the length itself pass, and reflect stops it. */
	if (i == len)
		return call_fail(c, "reflect: %s index out of range",
		    is_string ? "string" : "slice");
	*item =
	    is_string ? value_uint8((uint8_t)item->u.s.p[i]) : item->u.l.v[i];
	return 0;
}

static int
index_map(struct call *c, const struct value *key, struct value *item)
{
	const struct type *elem = item->type->elem;
	struct value found;

	if (key->type == NULL)
		return call_fail(c, "value is nil; should be of type string");
	if (key->type != &type_string)
		return call_fail(
		    c, "value has type %s; should be string", key->type->name);
	if (!dict_get(item, key->u.s.p, key->u.s.len, &found))
		found = elem == &type_string ? value_str("", 0) : value_nil();
	found.iface = elem == &type_any;
	*item = found;
	return 0;
}

static int
fn_index(struct call *c, struct value *ret)
{
	struct value item = value_concrete(c->args[0]);

	if (item.type == NULL)
		return call_fail(c, "index of untyped nil");
	for (size_t i = 1; i < c->nargs; i++) {
		int rc;

		if (item.type == NULL)
			return call_fail(c, "index of nil pointer");
		if (value_kind(&item) == KIND_MAP)
			rc = index_map(c, &c->args[i], &item);
		else if (value_kind(&item) == KIND_SLICE ||
		    value_kind(&item) == KIND_STRING)
			rc = index_sequence(c, &c->args[i], &item);
		else
			rc = call_fail(c, "can't index item of type %s",
			    pointee_name(&item));
		if (rc < 0)
			return -1;
	}
	*ret = item;
	return 0;
}

/* Kinds that compare with each other. */
enum basic {
	BASIC_NONE,
	BASIC_BOOL,
	BASIC_INT,
	BASIC_UINT,
	BASIC_FLOAT,
	BASIC_STRING
};

static enum basic
basic_kind(const struct value *v)
{
	if (value_is_signed(v))
		return BASIC_INT;
	if (value_is_unsigned(v))
		return BASIC_UINT;
	switch ((int)value_kind(v)) {
	case KIND_BOOL:
		return BASIC_BOOL;
	case KIND_FLOAT64:
		return BASIC_FLOAT;
	case KIND_STRING:
		return BASIC_STRING;
	default:
		return BASIC_NONE;
	}
}

static int
compare_strings(const struct value *a, const struct value *b)
{
	size_t n = a->u.s.len < b->u.s.len ? a->u.s.len : b->u.s.len;
	int r = n == 0 ? 0 : memcmp(a->u.s.p, b->u.s.p, n);

	if (r != 0)
		return r;
	return a->u.s.len < b->u.s.len ? -1 : a->u.s.len > b->u.s.len;
}

static bool
is_nil(const struct value *v)
{
	switch ((int)value_kind(v)) {
	case KIND_INVALID:
		return true;
	case KIND_SLICE:
		return v->u.l.v == NULL;
	case KIND_MAP:
		return v->u.m == NULL;
	case KIND_PTR:
		return v->u.obj == NULL;
	default:
		return false;
	}
}

/* Neither is of a basic kind. */
static int
eq_others(
    struct call *c, const struct value *a, const struct value *b, bool *ret)
{
	if (value_kind(a) != value_kind(b) && a->type != NULL &&
	    b->type != NULL)
		return call_fail(c, "non-comparable types %s: %s, %s: %s",
		    WITHHELD, a->type->name, b->type->name, WITHHELD);
	if (is_nil(a) || is_nil(b)) {
		*ret = is_nil(a) == is_nil(b);
		return 0;
	}
	if (value_kind(b) == KIND_SLICE || value_kind(b) == KIND_MAP)
		return call_fail(c, "non-comparable type %s: %s", WITHHELD,
		    value_type_name(b));
	return value_identical(c->env, a, b, ret);
}

static int
eq_mixed(
    struct call *c, const struct value *a, const struct value *b, bool *ret)
{
	enum basic ka = basic_kind(a), kb = basic_kind(b);

	*ret = false;
	if (ka == BASIC_INT && kb == BASIC_UINT)
		*ret = a->u.i >= 0 && a->u.u == b->u.u;
	else if (ka == BASIC_UINT && kb == BASIC_INT)
		*ret = b->u.i >= 0 && a->u.u == b->u.u;
	else if (a->type != NULL && b->type != NULL)
		return call_fail(c,
		    "incompatible types for comparison: %s and %s",
		    a->type->name, b->type->name);
	return 0;
}

static int
eq(struct call *c, const struct value *a, const struct value *b, bool *ret)
{
	if (basic_kind(a) != basic_kind(b))
		return eq_mixed(c, a, b, ret);
	switch (basic_kind(a)) {
	case BASIC_BOOL:
		*ret = a->u.b == b->u.b;
		return 0;
	case BASIC_FLOAT:
		*ret = a->u.f <= b->u.f && a->u.f >= b->u.f;
		return 0;
	case BASIC_INT:
	case BASIC_UINT:
		*ret = a->u.u == b->u.u;
		return 0;
	case BASIC_STRING:
		*ret = compare_strings(a, b) == 0;
		return 0;
	case BASIC_NONE:
		break;
	}
	return eq_others(c, a, b, ret);
}

static int
fn_eq(struct call *c, struct value *ret)
{
	bool equal = false;

	if (c->nargs < 2)
		return call_fail(c, "missing argument for comparison");
	for (size_t i = 1; i < c->nargs && !equal; i++) {
		if (eq(c, &c->args[0], &c->args[i], &equal) < 0)
			return -1;
	}
	*ret = value_bool(equal);
	return 0;
}

static int
fn_ne(struct call *c, struct value *ret)
{
	bool equal = false;

	if (eq(c, &c->args[0], &c->args[1], &equal) < 0)
		return -1;
	*ret = value_bool(!equal);
	return 0;
}

static int
lt_mixed(
    struct call *c, const struct value *a, const struct value *b, bool *ret)
{
	enum basic ka = basic_kind(a), kb = basic_kind(b);

	if (ka == BASIC_INT && kb == BASIC_UINT)
		*ret = a->u.i < 0 || a->u.u < b->u.u;
	else if (ka == BASIC_UINT && kb == BASIC_INT)
		*ret = b->u.i >= 0 && a->u.u < b->u.u;
	else
		return call_fail(c,
		    "incompatible types for comparison: %s and %s",
		    a->type->name, b->type->name);
	return 0;
}

static int
lt(struct call *c, const struct value *a, const struct value *b, bool *ret)
{
	enum basic k = basic_kind(a);

	if (k == BASIC_NONE || basic_kind(b) == BASIC_NONE)
		return call_fail(c, INVALID_COMPARISON);
	if (k != basic_kind(b))
		return lt_mixed(c, a, b, ret);
	switch (k) {
	case BASIC_FLOAT:
		*ret = a->u.f < b->u.f;
		return 0;
	case BASIC_INT:
		*ret = a->u.i < b->u.i;
		return 0;
	case BASIC_UINT:
		*ret = a->u.u < b->u.u;
		return 0;
	case BASIC_STRING:
		*ret = compare_strings(a, b) < 0;
		return 0;
	case BASIC_NONE:
	case BASIC_BOOL:
		break;
	}
	return call_fail(c, INVALID_COMPARISON);
}

static int
le(struct call *c, bool *ret)
{
	if (lt(c, &c->args[0], &c->args[1], ret) < 0)
		return -1;
	return *ret ? 0 : eq(c, &c->args[0], &c->args[1], ret);
}

static int
fn_lt(struct call *c, struct value *ret)
{
	bool r = false;

	if (lt(c, &c->args[0], &c->args[1], &r) < 0)
		return -1;
	*ret = value_bool(r);
	return 0;
}

static int
fn_le(struct call *c, struct value *ret)
{
	bool r = false;

	if (le(c, &r) < 0)
		return -1;
	*ret = value_bool(r);
	return 0;
}

static int
fn_gt(struct call *c, struct value *ret)
{
	bool r = false;

	if (le(c, &r) < 0)
		return -1;
	*ret = value_bool(!r);
	return 0;
}

static int
fn_ge(struct call *c, struct value *ret)
{
	bool r = false;

	if (lt(c, &c->args[0], &c->args[1], &r) < 0)
		return -1;
	*ret = value_bool(!r);
	return 0;
}

static int
fn_print(struct call *c, struct value *ret)
{
	struct text t;

	text_init(&t, c->env);
	print_sprint(&t, c->args, c->nargs);
	return text_done(&t, ret);
}

static int
fn_println(struct call *c, struct value *ret)
{
	struct text t;

	text_init(&t, c->env);
	print_sprintln(&t, c->args, c->nargs);
	return text_done(&t, ret);
}

static int
fn_printf(struct call *c, struct value *ret)
{
	struct text t;

	text_init(&t, c->env);
	print_sprintf(&t, c->args[0].u.s.p, c->args[0].u.s.len, c->args + 1,
	    c->nargs - 1);
	return text_done(&t, ret);
}

/* The arguments as one text: as print does, but nil is "<no value>". */
static int
joined(struct call *c, struct value *ret)
{
	struct value *args;
	struct text t;

	if (c->nargs == 1 && c->args[0].type == &type_string) {
		*ret = c->args[0];
		return 0;
	}
	args = env_allocarray(c->env, c->nargs, sizeof(*args));
	if (args == NULL)
		return -1;
	for (size_t i = 0; i < c->nargs; i++)
		args[i] = c->args[i].type == NULL ? value_cstr("<no value>")
						  : c->args[i];
	text_init(&t, c->env);
	print_sprint(&t, args, c->nargs);
	return text_done(&t, ret);
}

static const char *
html_escape(char ch)
{
	switch (ch) {
	case '\0':
		return "\xEF\xBF\xBD";
	case '"':
		return "&#34;";
	case '\'':
		return "&#39;";
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	default:
		return NULL;
	}
}

static int
fn_html(struct call *c, struct value *ret)
{
	struct value s = value_nil();
	struct text t;

	if (joined(c, &s) < 0)
		return -1;
	text_init(&t, c->env);
	for (size_t i = 0; i < s.u.s.len && !t.failed; i++) {
		const char *escaped = html_escape(s.u.s.p[i]);

		if (escaped != NULL)
			text_puts(&t, escaped);
		else
			text_putc(&t, s.u.s.p[i]);
	}
	return text_done(&t, ret);
}

static void
js_ascii(struct text *t, char ch)
{
	if (ch == '\\' || ch == '\'' || ch == '"')
		text_printf(t, "\\%c", ch);
	else if ((unsigned char)ch < ' ' || strchr("<>&=", ch) != NULL)
		text_printf(t, "\\u%04X", (unsigned char)ch);
	else
		text_putc(t, ch);
}

static int
fn_js(struct call *c, struct value *ret)
{
	const char *p;
	struct value s = value_nil();
	struct text t;
	size_t w;

	if (joined(c, &s) < 0)
		return -1;
	text_init(&t, c->env);
	p = s.u.s.p;
	for (size_t i = 0; i < s.u.s.len && !t.failed; i += w) {
		uint32_t r;

		w = utf8_decode(p + i, s.u.s.len - i, &r);
		if (r < 0x80)
			js_ascii(&t, p[i]);
		else if (unicode_is_print(r))
			text_append(&t, p + i, w);
		else
			text_printf(&t, "\\u%04X", r);
	}
	return text_done(&t, ret);
}

static bool
url_plain(char ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
	    (ch >= '0' && ch <= '9') ||
	    (ch != '\0' && strchr("-_.~", ch) != NULL);
}

static int
fn_urlquery(struct call *c, struct value *ret)
{
	struct value s = value_nil();
	struct text t;

	if (joined(c, &s) < 0)
		return -1;
	text_init(&t, c->env);
	for (size_t i = 0; i < s.u.s.len && !t.failed; i++) {
		char ch = s.u.s.p[i];

		if (ch == ' ')
			text_putc(&t, '+');
		else if (url_plain(ch))
			text_putc(&t, ch);
		else
			text_printf(&t, "%%%02X", (unsigned char)ch);
	}
	return text_done(&t, ret);
}

const struct func funcs_builtin[] = {
	{ "and", "vv*:v", special, FUNC_BUILTIN },
	{ "call", "vv*:v", special, FUNC_BUILTIN },
	{ "eq", "vv*:b", fn_eq, 0 },
	{ "ge", "vv:b", fn_ge, 0 },
	{ "gt", "vv:b", fn_gt, 0 },
	{ "html", "a*:s", fn_html, 0 },
	{ "index", "vv*:v", fn_index, 0 },
	{ "js", "a*:s", fn_js, 0 },
	{ "le", "vv:b", fn_le, 0 },
	{ "len", "v:i", fn_len, 0 },
	{ "lt", "vv:b", fn_lt, 0 },
	{ "ne", "vv:b", fn_ne, 0 },
	{ "not", "v:b", fn_not, 0 },
	{ "or", "vv*:v", special, FUNC_BUILTIN },
	{ "print", "a*:s", fn_print, 0 },
	{ "printf", "sa*:s", fn_printf, 0 },
	{ "println", "a*:s", fn_println, 0 },
	{ "urlquery", "a*:s", fn_urlquery, 0 },
	{ NULL, NULL, NULL, 0 },
};
