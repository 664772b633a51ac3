/*
 * Values and their types.
 */
#include "value.h"

#include <string.h>

#include "dict.h"
#include "text.h"

const struct type type_any = { .name = "interface {}", .kind = KIND_INTERFACE };
const struct type type_bool = { .name = "bool", .kind = KIND_BOOL };
const struct type type_int = { .name = "int", .kind = KIND_INT };
const struct type type_int32 = { .name = "int32", .kind = KIND_INT32 };
const struct type type_int64 = { .name = "int64", .kind = KIND_INT64 };
const struct type type_uint8 = { .name = "uint8", .kind = KIND_UINT8 };
const struct type type_uint32 = { .name = "uint32", .kind = KIND_UINT32 };
const struct type type_uint64 = { .name = "uint64", .kind = KIND_UINT64 };
const struct type type_float64 = { .name = "float64", .kind = KIND_FLOAT64 };
const struct type type_string = { .name = "string", .kind = KIND_STRING };
const struct type type_list = {
	.name = "[]interface {}", .kind = KIND_SLICE, .elem = &type_any
};
const struct type type_strings = {
	.name = "[]string", .kind = KIND_SLICE, .elem = &type_string
};
const struct type type_bytes = {
	.name = "[]uint8", .kind = KIND_SLICE, .elem = &type_uint8
};
const struct type type_ints = {
	.name = "[]int", .kind = KIND_SLICE, .elem = &type_int
};
const struct type type_lists = {
	.name = "[][]interface {}", .kind = KIND_SLICE, .elem = &type_list
};
const struct type type_dict = {
	.name = "map[string]interface {}", .kind = KIND_MAP, .elem = &type_any
};
const struct type type_strmap = {
	.name = "map[string]string", .kind = KIND_MAP, .elem = &type_string
};

static const char *const kind_names[] = {
	[KIND_INVALID] = "invalid",
	[KIND_BOOL] = "bool",
	[KIND_INT] = "int",
	[KIND_INT32] = "int32",
	[KIND_INT64] = "int64",
	[KIND_UINT8] = "uint8",
	[KIND_UINT32] = "uint32",
	[KIND_UINT64] = "uint64",
	[KIND_FLOAT64] = "float64",
	[KIND_STRING] = "string",
	[KIND_SLICE] = "slice",
	[KIND_MAP] = "map",
	[KIND_STRUCT] = "struct",
	[KIND_PTR] = "ptr",
	[KIND_INTERFACE] = "interface",
};

const char *
kind_name(enum kind k)
{
	return kind_names[k];
}

enum kind
value_kind(const struct value *v)
{
	return v->type == NULL ? KIND_INVALID : v->type->kind;
}

const char *
value_type_name(const struct value *v)
{
	return v->type == NULL ? "<nil>" : v->type->name;
}

const char *
value_kind_name(const struct value *v)
{
	return kind_name(value_kind(v));
}

struct value
value_nil(void)
{
	return (struct value) { .type = NULL };
}

struct value
value_bool(bool b)
{
	return (struct value) { .type = &type_bool, .u.b = b };
}

struct value
value_int(int64_t i)
{
	return (struct value) { .type = &type_int, .u.i = i };
}

struct value
value_int64(int64_t i)
{
	return (struct value) { .type = &type_int64, .u.i = i };
}

struct value
value_uint8(uint8_t u)
{
	return (struct value) { .type = &type_uint8, .u.u = u };
}

struct value
value_float64(double f)
{
	return (struct value) { .type = &type_float64, .u.f = f };
}

struct value
value_str(const char *p, size_t len)
{
	return (struct value) { .type = &type_string, .u.s = { p, len } };
}

struct value
value_cstr(const char *s)
{
	return value_str(s, strlen(s));
}

int
value_strdup(struct env *e, const char *p, size_t len, struct value *ret)
{
	const char *copy = env_strndup(e, p, len);

	if (copy == NULL)
		return -1;
	*ret = value_str(copy, len);
	return 0;
}

struct value
value_obj(const struct type *type, void *obj)
{
	return (struct value) { .type = type, .u.obj = obj };
}

int
value_obj_copy(struct env *e, const struct type *type, const void *obj,
    size_t size, struct value *ret)
{
	void *copy = env_alloc(e, size);

	if (copy == NULL)
		return -1;
	memcpy(copy, obj, size);
	*ret = value_obj(type, copy);
	return 0;
}

struct value
value_concrete(struct value v)
{
	v.iface = false;
	return v;
}

bool
value_is_signed(const struct value *v)
{
	enum kind k = value_kind(v);

	return k == KIND_INT || k == KIND_INT32 || k == KIND_INT64;
}

bool
value_is_unsigned(const struct value *v)
{
	enum kind k = value_kind(v);

	return k == KIND_UINT8 || k == KIND_UINT32 || k == KIND_UINT64;
}

bool
value_truth(const struct value *v)
{
	switch (value_kind(v)) {
	case KIND_INVALID:
	case KIND_INTERFACE:
		return false;
	case KIND_BOOL:
		return v->u.b;
	case KIND_INT:
	case KIND_INT32:
	case KIND_INT64:
		return v->u.i != 0;
	case KIND_UINT8:
	case KIND_UINT32:
	case KIND_UINT64:
		return v->u.u != 0;
	case KIND_FLOAT64:
		return v->u.f < 0 || v->u.f > 0 || v->u.f != v->u.f;
	case KIND_STRING:
		return v->u.s.len > 0;
	case KIND_SLICE:
		return v->u.l.len > 0;
	case KIND_MAP:
		return dict_len(v) > 0;
	case KIND_STRUCT:
		return true;
	case KIND_PTR:
		return v->u.obj != NULL;
	}
	return false;
}

/* Types are equal; neither slice nor map. */
static bool
scalar_equal(const struct value *a, const struct value *b)
{
	switch (value_kind(a)) {
	case KIND_BOOL:
		return a->u.b == b->u.b;
	case KIND_INT:
	case KIND_INT32:
	case KIND_INT64:
		return a->u.i == b->u.i;
	case KIND_UINT8:
	case KIND_UINT32:
	case KIND_UINT64:
		return a->u.u == b->u.u;
	case KIND_FLOAT64:
		return a->u.f <= b->u.f && a->u.f >= b->u.f;
	case KIND_STRING:
		return a->u.s.len == b->u.s.len &&
		    (a->u.s.len == 0 ||
			memcmp(a->u.s.p, b->u.s.p, a->u.s.len) == 0);
	case KIND_STRUCT:
	case KIND_PTR:
		return a->u.obj == b->u.obj ||
		    (a->u.obj != NULL && b->u.obj != NULL &&
			a->type->equal != NULL && a->type->equal(a, b));
	case KIND_INVALID:
	case KIND_INTERFACE:
		return true;
	case KIND_SLICE:
	case KIND_MAP:
		break;
	}
	return false;
}

static int
lists_deep_equal(
    struct env *e, const struct value *a, const struct value *b, bool *ret)
{
	*ret = false;
	if (list_len(a) != list_len(b) ||
	    (a->u.l.v == NULL) != (b->u.l.v == NULL))
		return 0;
	*ret = true;
	if (a->u.l.v == b->u.l.v)
		return 0;
	for (size_t i = 0; *ret && i < list_len(a); i++) {
		if (value_deep_equal(e, &a->u.l.v[i], &b->u.l.v[i], ret) < 0)
			return -1;
	}
	return 0;
}

static int
maps_deep_equal(
    struct env *e, const struct value *a, const struct value *b, bool *ret)
{
	struct dict_entry *entries;
	struct value other;

	*ret = false;
	if (dict_len(a) != dict_len(b) || (a->u.m == NULL) != (b->u.m == NULL))
		return 0;
	*ret = true;
	if (a->u.m == b->u.m)
		return 0;
	if (dict_entries(e, a, &entries) < 0)
		return -1;
	for (size_t i = 0; *ret && i < dict_len(a); i++) {
		*ret = dict_get(b, entries[i].key, entries[i].keylen, &other);
		if (*ret &&
		    value_deep_equal(e, &entries[i].value, &other, ret) < 0)
			return -1;
	}
	return 0;
}

int
value_deep_equal(
    struct env *e, const struct value *a, const struct value *b, bool *ret)
{
	uint64_t steps = 1;
	int rc = 0;

	*ret = false;
	if (a->type != b->type)
		return 0;
	if (a->type == &type_string)
		steps += a->u.s.len / ENV_BYTES_PER_STEP;
	if (env_step(e, steps) < 0 || env_enter(e) < 0)
		return -1;
	if (value_kind(a) == KIND_SLICE)
		rc = lists_deep_equal(e, a, b, ret);
	else if (value_kind(a) == KIND_MAP)
		rc = maps_deep_equal(e, a, b, ret);
	else if (a->type != NULL && a->type->deep_equal != NULL &&
	    a->u.obj != NULL && b->u.obj != NULL)
		*ret = a->type->deep_equal(a, b);
	else
		*ret = scalar_equal(a, b);
	env_leave(e);
	return rc;
}

int
value_identical(
    struct env *e, const struct value *a, const struct value *b, bool *ret)
{
	enum kind k = value_kind(a);

	*ret = false;
	if (a->type != b->type)
		return 0;
	if (k == KIND_SLICE || k == KIND_MAP ||
	    (k == KIND_STRUCT && a->type->equal == NULL))
		return env_fail(e,
		    "runtime error: comparing uncomparable type %s",
		    a->type->name);
	*ret = scalar_equal(a, b);
	return 0;
}

static struct value
marked(const struct type *elem, struct value v)
{
	v.iface = elem == &type_any;
	return v;
}

int
list_new(struct env *e, const struct type *type, size_t cap, struct value *ret)
{
	struct value *v;

	if (cap > UINT32_MAX / 2)
		return env_exhaust(e, "memory");
	v = env_allocarray(e, cap, sizeof(*v));
	if (v == NULL)
		return -1;
	*ret = (struct value) { .type = type };
	ret->u.l.v = v;
	ret->u.l.cap = (uint32_t)cap;
	return 0;
}

struct value
list_nil(const struct type *type)
{
	return (struct value) { .type = type };
}

static int
list_grow(struct env *e, struct value *list)
{
	uint32_t cap = list->u.l.cap < 4 ? 4 : list->u.l.cap * 2;
	struct value bigger = list_nil(list->type);

	if (env_extend(e, list->u.l.v, list->u.l.cap * sizeof(struct value),
		cap * sizeof(struct value))) {
		list->u.l.cap = cap;
		return 0;
	}
	if (list_new(e, list->type, cap, &bigger) < 0)
		return -1;
	if (list->u.l.len > 0)
		memcpy(bigger.u.l.v, list->u.l.v,
		    list->u.l.len * sizeof(struct value));
	list->u.l.v = bigger.u.l.v;
	list->u.l.cap = cap;
	return 0;
}

int
list_append(struct env *e, struct value *list, struct value v)
{
	if (env_step(e, 1) < 0)
		return -1;
	if (list->u.l.len == list->u.l.cap && list_grow(e, list) < 0)
		return -1;
	list->u.l.v[list->u.l.len] = marked(list->type->elem, v);
	list->u.l.len++;
	return 0;
}

struct value
list_get(const struct value *list, size_t i)
{
	return value_concrete(list->u.l.v[i]);
}
