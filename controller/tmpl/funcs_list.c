/*
 * sprig's functions on lists, and those that split and join.
 */
#include "cast.h"
#include "func.h"
#include "str.h"
#include "utf8.h"

#include <math.h>
#include <string.h>

#define NIL_DEREFERENCE \
	"runtime error: invalid memory address or nil pointer dereference"
#define MAKESLICE    "runtime error: makeslice: len out of range"
#define SLICE_BOUNDS "reflect.Value.Slice: slice index out of bounds"
/* "_" and a number that fits size_t. */
#define SPLIT_KEY_MAX 24

/* Argument i must be a list of any type; what: the message for others. */
static int
need_list(struct call *c, size_t i, const char *what)
{
	const struct value *v = &c->args[i];

	if (v->type == NULL)
		return call_fail(c, NIL_DEREFERENCE);
	if (value_kind(v) != KIND_SLICE)
		return call_fail(c, "%s %s", what, value_kind_name(v));
	return 0;
}

/* Appends elements from <= i < to. */
static int
append_range(struct call *c, struct value *list, const struct value *of,
    size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		if (list_append(c->env, list, list_get(of, i)) < 0)
			return -1;
	}
	return 0;
}

/* A []interface {} of elements from <= i < to. */
static int
new_list(struct call *c, const struct value *of, size_t from, size_t to,
    struct value *ret)
{
	if (list_new(c->env, &type_list, to - from, ret) < 0)
		return -1;
	return append_range(c, ret, of, from, to);
}

static int
fn_list(struct call *c, struct value *ret)
{
	if (list_new(c->env, &type_list, c->nargs, ret) < 0)
		return -1;
	for (size_t i = 0; i < c->nargs; i++) {
		if (list_append(c->env, ret, c->args[i]) < 0)
			return -1;
	}
	return 0;
}

static int
fn_append(struct call *c, struct value *ret)
{
	const struct value *list = &c->args[0];

	if (need_list(c, 0, "Cannot push on type") < 0 ||
	    list_new(c->env, &type_list, list_len(list) + 1, ret) < 0 ||
	    append_range(c, ret, list, 0, list_len(list)) < 0)
		return -1;
	return list_append(c->env, ret, c->args[1]);
}

static int
fn_prepend(struct call *c, struct value *ret)
{
	const struct value *list = &c->args[0];

	if (need_list(c, 0, "Cannot prepend on type") < 0 ||
	    list_new(c->env, &type_list, list_len(list) + 1, ret) < 0 ||
	    list_append(c->env, ret, c->args[1]) < 0)
		return -1;
	return append_range(c, ret, list, 0, list_len(list));
}

static int
fn_concat(struct call *c, struct value *ret)
{
	*ret = list_nil(&type_list);
	for (size_t i = 0; i < c->nargs; i++) {
		const struct value *v = &c->args[i];

		if (v->type == NULL)
			return call_fail(c, NIL_DEREFERENCE);
		if (value_kind(v) != KIND_SLICE)
			return call_fail(c, "Cannot concat type %s as list",
			    value_kind_name(v));
		if (append_range(c, ret, v, 0, list_len(v)) < 0)
			return -1;
	}
	return 0;
}

static int
fn_first(struct call *c, struct value *ret)
{
	if (need_list(c, 0, "Cannot find first on type") < 0)
		return -1;
	if (list_len(&c->args[0]) > 0)
		*ret = list_get(&c->args[0], 0);
	return 0;
}

static int
fn_last(struct call *c, struct value *ret)
{
	size_t len;

	if (need_list(c, 0, "Cannot find last on type") < 0)
		return -1;
	len = list_len(&c->args[0]);
	if (len > 0)
		*ret = list_get(&c->args[0], len - 1);
	return 0;
}

static int
fn_rest(struct call *c, struct value *ret)
{
	const struct value *list = &c->args[0];

	if (need_list(c, 0, "Cannot find rest on type") < 0)
		return -1;
	*ret = list_nil(&type_list);
	if (list_len(list) == 0)
		return 0;
	return new_list(c, list, 1, list_len(list), ret);
}

static int
fn_initial(struct call *c, struct value *ret)
{
	const struct value *list = &c->args[0];

	if (need_list(c, 0, "Cannot find initial on type") < 0)
		return -1;
	*ret = list_nil(&type_list);
	if (list_len(list) == 0)
		return 0;
	return new_list(c, list, 0, list_len(list) - 1, ret);
}

static int
fn_reverse(struct call *c, struct value *ret)
{
	const struct value *list = &c->args[0];

	if (need_list(c, 0, "Cannot find reverse on type") < 0 ||
	    list_new(c->env, &type_list, list_len(list), ret) < 0)
		return -1;
	for (size_t i = list_len(list); i > 0; i--) {
		if (list_append(c->env, ret, list_get(list, i - 1)) < 0)
			return -1;
	}
	return 0;
}

static int
fn_compact(struct call *c, struct value *ret)
{
	const struct value *list = &c->args[0];

	if (need_list(c, 0, "Cannot compact on type") < 0 ||
	    list_new(c->env, &type_list, 0, ret) < 0)
		return -1;
	for (size_t i = 0; i < list_len(list); i++) {
		struct value v = list_get(list, i);

		if (env_step(c->env, 1) < 0)
			return -1;
		if (value_truth(&v) && list_append(c->env, ret, v) < 0)
			return -1;
	}
	return 0;
}

/* reflect.DeepEqual with any of n values. */
static int
among(struct call *c, const struct value *v, const struct value *values,
    size_t n, bool *ret)
{
	*ret = false;
	for (size_t i = 0; i < n && !*ret; i++) {
		if (value_deep_equal(c->env, v, &values[i], ret) < 0)
			return -1;
	}
	return 0;
}

static int
fn_uniq(struct call *c, struct value *ret)
{
	const struct value *list = &c->args[0];

	if (need_list(c, 0, "Cannot find uniq on type") < 0 ||
	    list_new(c->env, &type_list, 0, ret) < 0)
		return -1;
	for (size_t i = 0; i < list_len(list); i++) {
		struct value v = list_get(list, i);
		bool seen;

		if (among(c, &v, ret->u.l.v, list_len(ret), &seen) < 0)
			return -1;
		if (!seen && list_append(c->env, ret, v) < 0)
			return -1;
	}
	return 0;
}

static int
fn_without(struct call *c, struct value *ret)
{
	const struct value *list = &c->args[0];

	if (need_list(c, 0, "Cannot find without on type") < 0 ||
	    list_new(c->env, &type_list, 0, ret) < 0)
		return -1;
	for (size_t i = 0; i < list_len(list); i++) {
		struct value v = list_get(list, i);
		bool omitted;

		if (env_step(c->env, 1) < 0 ||
		    among(c, &v, c->args + 1, c->nargs - 1, &omitted) < 0)
			return -1;
		if (!omitted && list_append(c->env, ret, v) < 0)
			return -1;
	}
	return 0;
}

static int
fn_has(struct call *c, struct value *ret)
{
	const struct value *list = &c->args[1];
	bool found;

	*ret = value_bool(false);
	if (list->type == NULL)
		return 0;
	if (need_list(c, 1, "Cannot find has on type") < 0 ||
	    among(c, &c->args[0], list->u.l.v, list_len(list), &found) < 0)
		return -1;
	*ret = value_bool(found);
	return 0;
}

static int
fn_slice(struct call *c, struct value *ret)
{
	const struct value *list = &c->args[0];
	int64_t len, start = 0, end;

	if (need_list(c, 0, "list should be type of slice or array but") < 0)
		return -1;
	len = end = (int64_t)list_len(list);
	if (len == 0)
		return 0;
	if (c->nargs > 1)
		start = cast_int64(&c->args[1]);
	if (c->nargs > 2)
		end = cast_int64(&c->args[2]);
	if (start < 0 || end < start || end > len)
		return call_fail(c, SLICE_BOUNDS);
	*ret = value_concrete(*list);
	ret->u.l.v += start;
	ret->u.l.len = ret->u.l.cap = (uint32_t)(end - start);
	return 0;
}

/* The number of groups, computed in floating point as sprig does: sizes
 * below 1 have results, too. */
static int
chunk_count(struct call *c, size_t len, int64_t size, int64_t *ret)
{
	double n = floor(((double)len - 1) / (double)size) + 1;

	/* The comparison is false for NaN, too. */
	if (size == 0 || !(n >= 0 && n <= (double)len + 1))
		return call_fail(c, MAKESLICE);
	*ret = (int64_t)n;
	return 0;
}

static int
fn_chunk(struct call *c, struct value *ret)
{
	const struct value *list = &c->args[1];
	int64_t size = c->args[0].u.i, count = 0, len;

	if (need_list(c, 1, "Cannot chunk type") < 0 ||
	    chunk_count(c, list_len(list), size, &count) < 0 ||
	    list_new(c->env, &type_lists, (size_t)count, ret) < 0)
		return -1;
	len = (int64_t)list_len(list);
	for (int64_t i = 0; i < count; i++) {
		int64_t n = size;
		struct value group;

		if (i == count - 1 && len % size != 0)
			n = len % size;
		if (n < 0)
			return call_fail(c, MAKESLICE);
		if (new_list(c, list, (size_t)(i * size),
			(size_t)(i * size + n), &group) < 0 ||
		    list_append(c->env, ret, group) < 0)
			return -1;
	}
	return 0;
}

/* sprig's strslice: a []string of the elements that are not nil, or of the
 * one value. A []string is itself. */
static int
strings_of(struct call *c, const struct value *v, struct value *ret)
{
	struct value s;

	if (v->type == &type_strings) {
		*ret = *v;
		return 0;
	}
	if (list_new(c->env, &type_strings, 0, ret) < 0)
		return -1;
	if (v->type == NULL)
		return 0;
	if (value_kind(v) != KIND_SLICE) {
		if (value_strval(c->env, v, &s) < 0)
			return -1;
		return list_append(c->env, ret, s);
	}
	for (size_t i = 0; i < list_len(v); i++) {
		struct value item = list_get(v, i);

		if (env_step(c->env, 1) < 0)
			return -1;
		if (item.type == NULL)
			continue;
		if (value_strval(c->env, &item, &s) < 0 ||
		    list_append(c->env, ret, s) < 0)
			return -1;
	}
	return 0;
}

static int
fn_to_strings(struct call *c, struct value *ret)
{
	return strings_of(c, &c->args[0], ret);
}

static int
fn_join(struct call *c, struct value *ret)
{
	struct str sep = str_arg(c, 0);
	struct value list;
	struct text t;

	if (strings_of(c, &c->args[1], &list) < 0 ||
	    env_step(c->env, list_len(&list)) < 0)
		return -1;
	text_init(&t, c->env);
	for (size_t i = 0; i < list_len(&list) && !t.failed; i++) {
		struct str s = str_of(&list.u.l.v[i]);

		if (i > 0)
			text_append(&t, sep.p, sep.len);
		text_append(&t, s.p, s.len);
	}
	return text_done(&t, ret);
}

/* Merges two sorted halves of v through tmp. */
static int
merge_halves(
    struct env *e, struct value *v, size_t mid, size_t n, struct value *tmp)
{
	size_t a = 0, b = mid;

	for (size_t i = 0; i < n; i++) {
		bool second = a == mid;

		if (a < mid && b < n) {
			struct str x = str_of(&v[a]), y = str_of(&v[b]);

			if (env_step(e, 1 + x.len / 64) < 0)
				return -1;
			second = str_compare(y, x) < 0;
		}
		tmp[i] = second ? v[b++] : v[a++];
	}
	memcpy(v, tmp, n * sizeof(*v));
	return 0;
}

/* Not qsort(): the work counts, and may end before it is done. */
static int
sort_strings(struct env *e, struct value *v, size_t n)
{
	struct value *tmp = env_allocarray(e, n, sizeof(*tmp));

	if (tmp == NULL)
		return -1;
	for (size_t half = 1; half < n; half *= 2) {
		for (size_t at = 0; at + half < n; at += 2 * half) {
			size_t both = n - at < 2 * half ? n - at : 2 * half;

			if (merge_halves(e, v + at, half, both, tmp) < 0)
				return -1;
		}
	}
	return 0;
}

static int
fn_sort_alpha(struct call *c, struct value *ret)
{
	struct value s;

	if (value_kind(&c->args[0]) != KIND_SLICE) {
		if (value_strval(c->env, &c->args[0], &s) < 0 ||
		    list_new(c->env, &type_strings, 1, ret) < 0)
			return -1;
		return list_append(c->env, ret, s);
	}
	/* In place where it is a []string: other variables see it. */
	if (strings_of(c, &c->args[0], ret) < 0)
		return -1;
	return sort_strings(c->env, ret->u.l.v, list_len(ret));
}

/* strings.Split of an empty separator: characters, at most n parts. */
static int
explode(struct call *c, struct str s, int64_t n, struct value *ret)
{
	uint32_t r;

	while (s.len > 0) {
		size_t w = utf8_decode(s.p, s.len, &r);

		if (n > 0 && (int64_t)list_len(ret) == n - 1)
			w = s.len;
		if (list_append(c->env, ret, str_value(str_slice(s, 0, w))) < 0)
			return -1;
		s = str_slice(s, w, s.len);
	}
	return 0;
}

/* strings.SplitN; n < 0: all. */
static int
split(
    struct call *c, struct str sep, struct str s, int64_t n, struct value *ret)
{
	size_t from = 0, at;

	if (str_charge(c) < 0 || list_new(c->env, &type_strings, 0, ret) < 0)
		return -1;
	if (n == 0)
		return 0;
	if (sep.len == 0)
		return explode(c, s, n, ret);
	while ((n < 0 || (int64_t)list_len(ret) < n - 1) &&
	    (at = str_find(s, from, sep)) != STR_NONE) {
		if (list_append(
			c->env, ret, str_value(str_slice(s, from, at))) < 0)
			return -1;
		from = at + sep.len;
	}
	return list_append(c->env, ret, str_value(str_slice(s, from, s.len)));
}

static int
fn_split_list(struct call *c, struct value *ret)
{
	return split(c, str_arg(c, 0), str_arg(c, 1), -1, ret);
}

/* {_0: first, _1: second ...} */
static int
numbered(struct call *c, const struct value *list, struct value *ret)
{
	char key[SPLIT_KEY_MAX];
	const char *p;
	int n;

	if (dict_new(c->env, &type_strmap, ret) < 0)
		return -1;
	for (size_t i = 0; i < list_len(list); i++) {
		n = snprintf(key, sizeof(key), "_%zu", i);
		p = env_strndup(c->env, key, (size_t)n);
		if (p == NULL ||
		    dict_set(c->env, ret, p, (size_t)n, list_get(list, i)) < 0)
			return -1;
	}
	return 0;
}

static int
fn_split(struct call *c, struct value *ret)
{
	struct value list;

	if (split(c, str_arg(c, 0), str_arg(c, 1), -1, &list) < 0)
		return -1;
	return numbered(c, &list, ret);
}

static int
fn_splitn(struct call *c, struct value *ret)
{
	struct value list;

	if (split(c, str_arg(c, 0), str_arg(c, 2), c->args[1].u.i, &list) < 0)
		return -1;
	return numbered(c, &list, ret);
}

const struct func funcs_list[] = {
	{ "append", "aa:l", fn_append, 0 },
	{ "chunk", "ia:l", fn_chunk, 0 },
	{ "compact", "a:l", fn_compact, 0 },
	{ "concat", "a*:a", fn_concat, 0 },
	{ "first", "a:a", fn_first, 0 },
	{ "has", "aa:b", fn_has, 0 },
	{ "initial", "a:l", fn_initial, 0 },
	{ "join", "sa:s", fn_join, 0 },
	{ "last", "a:a", fn_last, 0 },
	{ "list", "a*:l", fn_list, 0 },
	{ "mustAppend", "aa:l", fn_append, 0 },
	{ "mustChunk", "ia:l", fn_chunk, 0 },
	{ "mustCompact", "a:l", fn_compact, 0 },
	{ "mustFirst", "a:a", fn_first, 0 },
	{ "mustHas", "aa:b", fn_has, 0 },
	{ "mustInitial", "a:l", fn_initial, 0 },
	{ "mustLast", "a:a", fn_last, 0 },
	{ "mustPrepend", "aa:l", fn_prepend, 0 },
	{ "mustPush", "aa:l", fn_append, 0 },
	{ "mustRest", "a:l", fn_rest, 0 },
	{ "mustReverse", "a:l", fn_reverse, 0 },
	{ "mustSlice", "aa*:a", fn_slice, 0 },
	{ "mustUniq", "a:l", fn_uniq, 0 },
	{ "mustWithout", "aa*:l", fn_without, 0 },
	{ "prepend", "aa:l", fn_prepend, 0 },
	{ "push", "aa:l", fn_append, 0 },
	{ "rest", "a:l", fn_rest, 0 },
	{ "reverse", "a:l", fn_reverse, 0 },
	{ "slice", "aa*:a", fn_slice, 0 },
	{ "sortAlpha", "a:S", fn_sort_alpha, 0 },
	{ "split", "ss:M", fn_split, 0 },
	{ "splitList", "ss:S", fn_split_list, 0 },
	{ "splitn", "sis:M", fn_splitn, 0 },
	{ "toStrings", "a:S", fn_to_strings, 0 },
	{ "tuple", "a*:l", fn_list, 0 },
	{ "uniq", "a:l", fn_uniq, 0 },
	{ "without", "aa*:l", fn_without, 0 },
	{ NULL, NULL, NULL, 0 },
};
