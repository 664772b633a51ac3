/*
 * json.Marshal and json.MarshalIndent.
 */
#include <math.h>
#include <string.h>

#include "func.h"
#include "json.h"
#include "strconv.h"
#include "utf8.h"

#define TIME_LAYOUT "2006-01-02T15:04:05.999999999Z07:00"
/* Plain decimals within these, exponents outside. */
#define PLAIN_MIN 1e-6
#define PLAIN_MAX 1e21
#define INDENT	  2

/* The maps around a value. */
struct outer {
	const struct outer *up;
	const struct dict *map;
};

struct encoder {
	struct env *env;
	struct text *out;
	struct json_style style;
	size_t depth;
};

static int
encode(struct encoder *j, const struct value *v, const struct outer *outer);

static void
escape_ascii(struct text *out, unsigned char c)
{
	static const char named[] = "\\\\\"\"\bb\ff\nn\rr\tt";
	const char *at = c == '\0' ? NULL : strchr(named, c);

	/* Pairs: the character, and the letter that stands for it. */
	if (at != NULL && (at - named) % 2 == 0)
		text_printf(out, "\\%c", at[1]);
	else
		text_printf(out, "\\u%04x", c);
}

static bool
is_plain(unsigned char c, bool html)
{
	if (c < ' ' || c == '"' || c == '\\')
		return false;
	return !html || (c != '<' && c != '>' && c != '&');
}

/* How many bytes of s need no escape, at most up to the first that does. */
static size_t
plain_run(struct str s, bool html)
{
	size_t i = 0;

	while (i < s.len) {
		unsigned char c = (unsigned char)s.p[i];
		uint32_t r;
		size_t w;

		if (c < 0x80) {
			if (!is_plain(c, html))
				break;
			i++;
			continue;
		}
		w = utf8_decode(s.p + i, s.len - i, &r);
		if ((r == UTF8_ERROR && w == 1) || r == 0x2028 || r == 0x2029)
			break;
		i += w;
	}
	return i;
}

static void
put_string(struct encoder *j, struct str s)
{
	struct text *out = j->out;

	text_putc(out, '"');
	while (s.len > 0 && !out->failed) {
		size_t n = plain_run(s, j->style.html);
		uint32_t r;

		text_append(out, s.p, n);
		s = str_slice(s, n, s.len);
		if (s.len == 0)
			break;
		n = utf8_decode(s.p, s.len, &r);
		if (r < 0x80)
			escape_ascii(out, (unsigned char)r);
		else
			text_printf(out, "\\u%04x", r);
		s = str_slice(s, n, s.len);
	}
	text_putc(out, '"');
}

static int
put_float(struct encoder *j, double f)
{
	char *data;
	size_t len;

	if (!isfinite(f))
		return env_fail(
		    j->env, "json: unsupported value: %s", WITHHELD);
	if (fpclassify(f) == FP_ZERO ||
	    (fabs(f) >= PLAIN_MIN && fabs(f) < PLAIN_MAX)) {
		strconv_format_float(j->out, f, 'f', -1);
		return 0;
	}
	strconv_format_float(j->out, f, 'e', -1);
	/* 1e-07 is 1e-7. */
	data = j->out->data;
	len = j->out->len;
	if (!j->out->failed && len >= 4 &&
	    memcmp(data + len - 4, "e-0", 3) == 0) {
		data[len - 2] = data[len - 1];
		j->out->len--;
	}
	return 0;
}

static void
newline(struct encoder *j)
{
	if (!j->style.pretty)
		return;
	text_putc(j->out, '\n');
	text_fill(j->out, ' ', j->depth * INDENT);
}

static int
put_list(struct encoder *j, const struct value *v, const struct outer *outer)
{
	size_t n = list_len(v);

	text_putc(j->out, '[');
	j->depth++;
	for (size_t i = 0; i < n; i++) {
		struct value item = list_get(v, i);

		if (i > 0)
			text_putc(j->out, ',');
		newline(j);
		if (encode(j, &item, outer) < 0)
			return -1;
	}
	j->depth--;
	if (n > 0)
		newline(j);
	text_putc(j->out, ']');
	return 0;
}

static void
put_key(struct encoder *j, bool first, struct str key)
{
	if (!first)
		text_putc(j->out, ',');
	newline(j);
	put_string(j, key);
	text_puts(j->out, j->style.pretty ? ": " : ":");
}

static int
put_map(struct encoder *j, const struct value *v, const struct outer *outer)
{
	struct outer here = { outer, v->u.m };
	struct dict_entry *entries;
	size_t n = dict_len(v);

	for (; outer != NULL; outer = outer->up) {
		if (outer->map == v->u.m)
			return env_fail(j->env,
			    "json: unsupported value: encountered a cycle "
			    "via %s",
			    v->type->name);
	}
	if (dict_entries(j->env, v, &entries) < 0)
		return -1;
	text_putc(j->out, '{');
	j->depth++;
	for (size_t i = 0; i < n; i++) {
		put_key(j, i == 0,
		    (struct str) { entries[i].key, entries[i].keylen });
		if (encode(j, &entries[i].value, &here) < 0)
			return -1;
	}
	j->depth--;
	if (n > 0)
		newline(j);
	text_putc(j->out, '}');
	return 0;
}

/* Exported fields, in their order. */
static int
put_struct(struct encoder *j, const struct value *v, const struct outer *outer)
{
	const struct field *f = v->type->fields;
	struct value item;
	bool first = true;

	text_putc(j->out, '{');
	j->depth++;
	for (; f != NULL && f->name != NULL; f++) {
		if (!f->exported)
			continue;
		if (f->get(j->env, v, &item) < 0)
			return -1;
		put_key(j, first, str_c(f->name));
		first = false;
		if (encode(j, &item, outer) < 0)
			return -1;
	}
	j->depth--;
	if (!first)
		newline(j);
	text_putc(j->out, '}');
	return 0;
}

/* Time.MarshalJSON */
static int
put_time(struct encoder *j, const struct value *v)
{
	const struct func *f = func_method(&type_time, "Format", 6);
	struct value args[] = { *v, value_cstr(TIME_LAYOUT) };
	struct call c = { j->env, "Format", args, 2 };
	struct value s = value_nil();

	if (f == NULL)
		return env_fail(j->env, "json: no format for a time");
	if (f->fn(&c, &s) < 0)
		return -1;
	/* A year of four digits has its first '-' there. */
	if (s.u.s.len < 5 || s.u.s.p[4] != '-' || s.u.s.p[0] == '-')
		return env_fail(j->env,
		    "json: error calling MarshalJSON for type time.Time: "
		    "Time.MarshalJSON: year outside of range [0,9999]");
	put_string(j, str_of(&s));
	return 0;
}

/* Types with a method String marshal as that text. */
static int
put_stringer(struct encoder *j, const struct value *v)
{
	struct value s;
	struct text t;

	text_init(&t, j->env);
	v->type->string(v, &t);
	if (text_done(&t, &s) < 0)
		return -1;
	put_string(j, str_of(&s));
	return 0;
}

static int
put_object(struct encoder *j, const struct value *v, const struct outer *outer)
{
	if (v->type == &type_time)
		return put_time(j, v);
	if (value_kind(v) == KIND_PTR && v->u.obj == NULL) {
		text_puts(j->out, "null");
		return 0;
	}
	if (value_kind(v) == KIND_PTR && v->type->string != NULL)
		return put_stringer(j, v);
	return put_struct(j, v, outer);
}

static int
put_scalar(struct encoder *j, const struct value *v)
{
	if (value_is_signed(v)) {
		text_printf(j->out, "%lld", (long long)v->u.i);
		return 0;
	}
	if (value_is_unsigned(v)) {
		text_printf(j->out, "%llu", (unsigned long long)v->u.u);
		return 0;
	}
	switch ((int)value_kind(v)) {
	case KIND_BOOL:
		text_puts(j->out, v->u.b ? "true" : "false");
		return 0;
	case KIND_FLOAT64:
		return put_float(j, v->u.f);
	case KIND_STRING:
		put_string(j, str_of(v));
		return 0;
	default:
		text_puts(j->out, "null");
		return 0;
	}
}

static int
encode(struct encoder *j, const struct value *v, const struct outer *outer)
{
	int rc;

	if (j->out->failed || env_step(j->env, 1) < 0 || env_enter(j->env) < 0)
		return -1;
	switch ((int)value_kind(v)) {
	case KIND_SLICE:
		rc = v->u.l.v == NULL ? put_scalar(j, &(struct value) { 0 })
				      : put_list(j, v, outer);
		break;
	case KIND_MAP:
		rc = v->u.m == NULL ? put_scalar(j, &(struct value) { 0 })
				    : put_map(j, v, outer);
		break;
	case KIND_STRUCT:
	case KIND_PTR:
		rc = put_object(j, v, outer);
		break;
	default:
		rc = put_scalar(j, v);
		break;
	}
	env_leave(j->env);
	return rc;
}

int
json_encode(struct env *e, const struct value *v, struct json_style style,
    struct text *out)
{
	struct encoder j = { e, out, style, 0 };

	return encode(&j, v, NULL);
}
