/*
 * Decoding, pruning and validating by a schema.
 */
#include "schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct schema_field *
schema_field(const struct schema *s, const char *name)
{
	if (s->fields == NULL)
		return NULL;
	for (const struct schema_field *f = s->fields; f->name != NULL; f++) {
		if (strcmp(f->name, name) == 0)
			return f;
	}
	return NULL;
}

/* -- base64 as encoding/base64.StdEncoding reads it -- */

static int
sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	if (c == '/')
		return 63;
	return -1;
}

static size_t
skip_newlines(const char *s, size_t len, size_t i)
{
	while (i < len && (s[i] == '\n' || s[i] == '\r'))
		i++;
	return i;
}

/* The text after a first '=' that followed `have` good characters. */
static long
finish_padding(const char *s, size_t len, size_t i, unsigned have, size_t *bad)
{
	if (have < 2) {
		*bad = i - 1;
		return -1;
	}
	if (have == 2) {
		i = skip_newlines(s, len, i);
		if (i == len || s[i] != '=') {
			*bad = i == len ? len : i - 1;
			return -1;
		}
		i++;
	}
	i = skip_newlines(s, len, i);
	if (i < len) {
		*bad = i;
		return -1;
	}
	return have - 1;
}

long
schema_base64_len(const char *s, size_t len, size_t *bad)
{
	unsigned have = 0;
	long total = 0;

	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\n' || s[i] == '\r')
			continue;
		if (s[i] == '=') {
			long n = finish_padding(s, len, i + 1, have, bad);

			return n < 0 ? -1 : total + n;
		}
		if (sextet(s[i]) < 0) {
			*bad = i;
			return -1;
		}
		if (++have == 4) {
			have = 0;
			total += 3;
		}
	}
	if (have == 0)
		return total;
	*bad = len - have;
	return -1;
}

char *
schema_base64_decode(const char *s, size_t len, size_t *ret)
{
	char *out = util_alloc(len + 1);
	unsigned bits = 0, have = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int v = sextet(s[i]);

		if (v < 0)
			continue;
		bits = bits << 6 | (unsigned)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (char)(bits >> have & 0xff);
		}
	}
	*ret = n;
	return out;
}

/* -- decoding built-in types -- */

static const char *
json_word(const json_t *v)
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
		return "bool";
	case JSON_NULL:
		return "null";
	}
	return "?";
}

static const char *
go_word(const struct schema *s)
{
	if (s->go_name != NULL)
		return s->go_name;
	switch (s->kind) {
	case SCHEMA_STRING:
		return "string";
	case SCHEMA_INT:
		return "int64";
	case SCHEMA_BOOL:
		return "bool";
	case SCHEMA_TIME:
		return "string";
	case SCHEMA_BYTES:
		return "[]uint8";
	case SCHEMA_STRUCT:
		return "struct";
	case SCHEMA_MAP:
		return "map[string]string";
	case SCHEMA_LIST:
		return "[]string";
	case SCHEMA_ANY:
		return "interface {}";
	}
	return "?";
}

struct place {
	const struct place *outer;
	const struct schema *owner;
	const char *field;
};

static json_t *decode_value(const struct schema *s, const json_t *in,
    const struct place *at, char **why);
static json_t *decode_struct(const struct schema *s, const json_t *in,
    const struct place *at, char **why);

/* The fields from the top of the object down to this one. */
static void
add_path(struct sbuf *out, const struct place *at)
{
	if (at->outer != NULL) {
		add_path(out, at->outer);
		sbuf_adds(out, ".");
	}
	sbuf_adds(out, at->field);
}

static json_t *
mismatch(const struct schema *s, const json_t *in, const struct place *at,
    char **why)
{
	struct sbuf path = { 0 };
	const char *prefix = s->kind == SCHEMA_STRUCT ? "v1." : "";

	add_path(&path, at);
	*why = util_format("json: cannot unmarshal %s into Go struct field "
			   "%s.%s of type %s%s",
	    json_word(in), go_word(at->owner), path.data, prefix, go_word(s));
	sbuf_release(&path);
	return NULL;
}

static bool
is_empty(const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return json_object_size(v) == 0;
	case JSON_ARRAY:
		return json_array_size(v) == 0;
	case JSON_STRING:
		return json_string_length(v) == 0;
	case JSON_INTEGER:
		return json_integer_value(v) == 0;
	case JSON_REAL:
		return json_real_value(v) == 0;
	case JSON_TRUE:
		return false;
	case JSON_FALSE:
	case JSON_NULL:
		return true;
	}
	return true;
}

static json_t *
zero_value(const struct schema *s)
{
	switch (s->kind) {
	case SCHEMA_STRING:
	case SCHEMA_BYTES:
		return json_string("");
	case SCHEMA_INT:
		return json_integer(0);
	case SCHEMA_BOOL:
		return json_false();
	case SCHEMA_STRUCT:
		return schema_decode(s, NULL, NULL);
	case SCHEMA_TIME:
	case SCHEMA_MAP:
	case SCHEMA_LIST:
	case SCHEMA_ANY:
		return json_null();
	}
	return json_null();
}

static int
decode_field(const struct schema *s, const struct schema_field *f,
    const json_t *in, json_t *out, const struct place *outer, char **why)
{
	struct place at = { .outer = outer, .owner = s, .field = f->name };
	const json_t *v = json_object_get(in, f->name);
	json_t *got;

	if (v == NULL || json_is_null(v)) {
		if (f->flags & FIELD_KEEP)
			json_put(out, f->name, zero_value(f->type));
		return 0;
	}
	got = decode_value(f->type, v, &at, why);
	if (got == NULL)
		return -1;
	if (is_empty(got) && !(f->flags & (FIELD_KEEP | FIELD_POINTER)))
		json_decref(got);
	else
		json_put(out, f->name, got);
	return 0;
}

static json_t *
decode_struct(const struct schema *s, const json_t *in, const struct place *at,
    char **why)
{
	json_t *out = json_object();

	for (const struct schema_field *f = s->fields; f->name != NULL; f++) {
		if (decode_field(s, f, in, out, at, why) < 0) {
			json_decref(out);
			return NULL;
		}
	}
	return out;
}

json_t *
schema_decode(const struct schema *s, const json_t *in, char **why)
{
	return decode_struct(s, in, NULL, why);
}

static json_t *
decode_map(const struct schema *s, const json_t *in, const struct place *at,
    char **why)
{
	json_t *out = json_object();
	const char *k;
	json_t *v;

	json_object_foreach((json_t *)in, k, v)
	{
		json_t *got;

		got = json_is_null(v) ? zero_value(s->elem)
				      : decode_value(s->elem, v, at, why);
		if (got == NULL) {
			json_decref(out);
			return NULL;
		}
		json_put(out, k, got);
	}
	return out;
}

static json_t *
decode_list(const struct schema *s, const json_t *in, const struct place *at,
    char **why)
{
	json_t *out = json_array();
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)in, i, v)
	{
		json_t *got = decode_value(s->elem, v, at, why);

		if (got == NULL) {
			json_decref(out);
			return NULL;
		}
		json_array_append_new(out, got);
	}
	return out;
}

static json_t *
decode_bytes(const json_t *in, char **why)
{
	const char *text = json_string_value(in);
	size_t len = json_string_length(in), n = 0, bad;
	char *clean;
	json_t *out;

	if (schema_base64_len(text, len, &bad) < 0) {
		*why =
		    util_format("illegal base64 data at input byte %zu", bad);
		return NULL;
	}
	clean = util_alloc(len + 1);
	for (size_t i = 0; i < len; i++) {
		if (text[i] != '\n' && text[i] != '\r')
			clean[n++] = text[i];
	}
	out = json_stringn(clean, n);
	free(clean);
	return out;
}

static bool
kind_fits(enum schema_kind kind, const json_t *in)
{
	switch (kind) {
	case SCHEMA_STRING:
	case SCHEMA_TIME:
	case SCHEMA_BYTES:
		return json_is_string(in);
	case SCHEMA_INT:
		return json_is_integer(in);
	case SCHEMA_BOOL:
		return json_is_boolean(in);
	case SCHEMA_STRUCT:
	case SCHEMA_MAP:
		return json_is_object(in);
	case SCHEMA_LIST:
		return json_is_array(in);
	case SCHEMA_ANY:
		return true;
	}
	return false;
}

static json_t *
decode_value(const struct schema *s, const json_t *in, const struct place *at,
    char **why)
{
	if (!kind_fits(s->kind, in))
		return mismatch(s, in, at, why);
	switch (s->kind) {
	case SCHEMA_STRUCT:
		return decode_struct(s, in, at, why);
	case SCHEMA_MAP:
		return decode_map(s, in, at, why);
	case SCHEMA_LIST:
		return decode_list(s, in, at, why);
	case SCHEMA_BYTES:
		return decode_bytes(in, why);
	case SCHEMA_STRING:
	case SCHEMA_INT:
	case SCHEMA_BOOL:
	case SCHEMA_TIME:
	case SCHEMA_ANY:
		return json_deep_copy(in);
	}
	return NULL;
}

/* -- custom objects -- */

static const struct schema *
child_schema(const struct schema *s, const char *key)
{
	const struct schema_field *f = schema_field(s, key);

	if (f != NULL)
		return f->type;
	return s->kind == SCHEMA_MAP ? s->elem : NULL;
}

static void
prune_object(const struct schema *s, json_t *v)
{
	const char *k;
	json_t *child;
	void *next;

	json_object_foreach_safe(v, next, k, child)
	{
		const struct schema *cs = child_schema(s, k);

		if (cs == NULL) {
			if (!(s->flags & SCHEMA_PRESERVE))
				json_object_del(v, k);
		} else if (json_is_null(child)) {
			if (!(cs->flags & SCHEMA_NULLABLE))
				json_object_del(v, k);
		} else {
			schema_prune(cs, child);
		}
	}
}

void
schema_prune(const struct schema *s, json_t *v)
{
	size_t i;
	json_t *child;

	if (s->kind == SCHEMA_ANY)
		return;
	if (json_is_object(v) &&
	    (s->kind == SCHEMA_STRUCT || s->kind == SCHEMA_MAP)) {
		prune_object(s, v);
	} else if (json_is_array(v) && s->kind == SCHEMA_LIST) {
		json_array_foreach(v, i, child) schema_prune(s->elem, child);
	}
}

static void
add_cause(
    json_t *causes, const char *field, const char *reason, const char *message)
{
	json_array_append_new(causes,
	    json_pack("{s:s, s:s, s:s}", "field", field, "reason", reason,
		"message", message));
}

static const char *
openapi_type(enum schema_kind kind)
{
	switch (kind) {
	case SCHEMA_STRING:
	case SCHEMA_TIME:
	case SCHEMA_BYTES:
		return "string";
	case SCHEMA_INT:
		return "integer";
	case SCHEMA_BOOL:
		return "boolean";
	case SCHEMA_STRUCT:
	case SCHEMA_MAP:
	case SCHEMA_ANY:
		return "object";
	case SCHEMA_LIST:
		return "array";
	}
	return "?";
}

static const char *
openapi_word(const json_t *v)
{
	if (json_is_integer(v))
		return "integer";
	if (json_is_boolean(v))
		return "boolean";
	return json_word(v);
}

/* value: as it is shown, quoted; type: the one it should have. */
static void
type_cause(const char *value, const char *type, const char *path, size_t skip,
    json_t *causes)
{
	char *msg = util_format("Invalid value: \"%s\": %s in body must be of "
				"type %s: \"%s\"",
	    value, path + skip, type, value);

	add_cause(causes, path, "FieldValueTypeInvalid", msg);
	free(msg);
}

static char *
child_path(const char *path, const char *key)
{
	return util_format("%s%s%s", path, *path == '\0' ? "" : ".", key);
}

static void
validate_object(const struct schema *s, const json_t *v, const char *path,
    size_t skip, json_t *causes)
{
	const char *k;
	json_t *child;

	for (const struct schema_field *f = s->fields;
	     f != NULL && f->name != NULL; f++) {
		char *at;

		if (!(f->flags & FIELD_REQUIRED) ||
		    json_object_get(v, f->name) != NULL)
			continue;
		at = child_path(path, f->name);
		add_cause(causes, at, "FieldValueRequired", "Required value");
		free(at);
	}
	json_object_foreach((json_t *)v, k, child)
	{
		const struct schema *cs = child_schema(s, k);
		char *at = child_path(path, k);

		if (cs != NULL)
			schema_validate(cs, child, at, skip, causes);
		free(at);
	}
}

static bool
is_date_time(const char *s)
{
	int y, mo, d, h, mi, sec, used = 0;

	return sscanf(s, "%4d-%2d-%2dT%2d:%2d:%2d%n", &y, &mo, &d, &h, &mi,
		   &sec, &used) == 6 &&
	    used == 19 && s[used] != '\0';
}

static void
validate_format(const struct schema *s, const json_t *v, const char *path,
    size_t skip, json_t *causes)
{
	const char *text = json_string_value(v);
	size_t bad;

	if (s->kind == SCHEMA_BYTES &&
	    schema_base64_len(text, json_string_length(v), &bad) < 0)
		type_cause(text, "byte", path, skip, causes);
	if (s->kind == SCHEMA_TIME && !is_date_time(text))
		type_cause(text, "date-time", path, skip, causes);
}

void
schema_validate(const struct schema *s, const json_t *v, const char *path,
    size_t skip, json_t *causes)
{
	size_t i;
	json_t *child;

	if (s->kind == SCHEMA_ANY ||
	    (json_is_null(v) && (s->flags & SCHEMA_NULLABLE)))
		return;
	if (!kind_fits(s->kind, v)) {
		type_cause(
		    openapi_word(v), openapi_type(s->kind), path, skip, causes);
		return;
	}
	validate_format(s, v, path, skip, causes);
	if (s->kind == SCHEMA_STRUCT || s->kind == SCHEMA_MAP) {
		validate_object(s, v, path, skip, causes);
	} else if (s->kind == SCHEMA_LIST) {
		json_array_foreach((json_t *)v, i, child)
		{
			char *at = util_format("%s[%zu]", path, i);

			schema_validate(s->elem, child, at, skip, causes);
			free(at);
		}
	}
}
