/*
 * sprig's functions on dictionaries.
 */
#include "dictmerge.h"
#include "func.h"
#include "str.h"

#define DIFFERENT_TYPES "src and dst must be of same type"
#define NIL_COPY	"reflect: call of reflect.Value.Type on zero Value"
#define DIG_MIN		3

static int
fn_dict(struct call *c, struct value *ret)
{
	struct value key, v;

	if (dict_new(c->env, &type_dict, ret) < 0)
		return -1;
	for (size_t i = 0; i < c->nargs; i += 2) {
		if (value_strval(c->env, &c->args[i], &key) < 0)
			return -1;
		v = i + 1 < c->nargs ? c->args[i + 1] : value_str("", 0);
		if (dict_set(c->env, ret, key.u.s.p, key.u.s.len, v) < 0)
			return -1;
	}
	return 0;
}

static int
fn_get(struct call *c, struct value *ret)
{
	struct str key = str_arg(c, 1);

	*ret = value_str("", 0);
	(void)dict_get(&c->args[0], key.p, key.len, ret);
	return 0;
}

static int
fn_set(struct call *c, struct value *ret)
{
	struct str key = str_arg(c, 1);

	*ret = c->args[0];
	return dict_set(c->env, ret, key.p, key.len, c->args[2]);
}

static int
fn_unset(struct call *c, struct value *ret)
{
	struct str key = str_arg(c, 1);

	*ret = c->args[0];
	return dict_delete(c->env, ret, key.p, key.len);
}

static int
fn_has_key(struct call *c, struct value *ret)
{
	struct str key = str_arg(c, 1);

	*ret = value_bool(dict_has(&c->args[0], key.p, key.len));
	return 0;
}

static int
fn_pluck(struct call *c, struct value *ret)
{
	struct str key = str_arg(c, 0);
	struct value v;

	if (list_new(c->env, &type_list, 0, ret) < 0)
		return -1;
	for (size_t i = 1; i < c->nargs; i++) {
		if (dict_get(&c->args[i], key.p, key.len, &v) &&
		    list_append(c->env, ret, v) < 0)
			return -1;
	}
	return 0;
}

/* Go gives keys and values in random order; ours is the order of the keys. */
static int
fn_keys(struct call *c, struct value *ret)
{
	struct dict_entry *entries;

	if (list_new(c->env, &type_strings, 0, ret) < 0)
		return -1;
	for (size_t i = 0; i < c->nargs; i++) {
		size_t n = dict_len(&c->args[i]);

		if (dict_entries(c->env, &c->args[i], &entries) < 0)
			return -1;
		for (size_t k = 0; k < n; k++) {
			if (list_append(c->env, ret,
				value_str(entries[k].key, entries[k].keylen)) <
			    0)
				return -1;
		}
	}
	return 0;
}

static int
fn_values(struct call *c, struct value *ret)
{
	size_t n = dict_len(&c->args[0]);
	struct dict_entry *entries;

	if (dict_entries(c->env, &c->args[0], &entries) < 0 ||
	    list_new(c->env, &type_list, n, ret) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (list_append(c->env, ret, entries[i].value) < 0)
			return -1;
	}
	return 0;
}

static int
fn_pick(struct call *c, struct value *ret)
{
	struct value v;

	if (dict_new(c->env, &type_dict, ret) < 0)
		return -1;
	for (size_t i = 1; i < c->nargs; i++) {
		struct str key = str_arg(c, i);

		if (dict_get(&c->args[0], key.p, key.len, &v) &&
		    dict_set(c->env, ret, key.p, key.len, v) < 0)
			return -1;
	}
	return 0;
}

static int
fn_omit(struct call *c, struct value *ret)
{
	size_t n = dict_len(&c->args[0]);
	struct dict_entry *entries;

	if (dict_entries(c->env, &c->args[0], &entries) < 0 ||
	    dict_new(c->env, &type_dict, ret) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (dict_set(c->env, ret, entries[i].key, entries[i].keylen,
			entries[i].value) < 0)
			return -1;
	}
	for (size_t i = 1; i < c->nargs; i++) {
		struct str key = str_arg(c, i);

		if (dict_delete(c->env, ret, key.p, key.len) < 0)
			return -1;
	}
	return 0;
}

/* *differ is set where mergo gives an error. */
static int
merge_all(struct call *c, bool overwrite, bool *differ, struct value *ret)
{
	*differ = false;
	*ret = c->args[0];
	for (size_t i = 1; i < c->nargs && !*differ; i++) {
		if (dictmerge(c->env, ret, &c->args[i], overwrite, differ) < 0)
			return -1;
	}
	return 0;
}

static int
merge(struct call *c, bool overwrite, struct value *ret)
{
	bool differ;

	if (merge_all(c, overwrite, &differ, ret) < 0)
		return -1;
	if (differ)
		*ret = value_str("", 0);
	return 0;
}

static int
must_merge(struct call *c, bool overwrite, struct value *ret)
{
	bool differ;

	if (merge_all(c, overwrite, &differ, ret) < 0)
		return -1;
	return differ ? call_fail(c, DIFFERENT_TYPES) : 0;
}

static int
fn_merge(struct call *c, struct value *ret)
{
	return merge(c, false, ret);
}

static int
fn_merge_overwrite(struct call *c, struct value *ret)
{
	return merge(c, true, ret);
}

static int
fn_must_merge(struct call *c, struct value *ret)
{
	return must_merge(c, false, ret);
}

static int
fn_must_merge_overwrite(struct call *c, struct value *ret)
{
	return must_merge(c, true, ret);
}

static int
fn_deep_copy(struct call *c, struct value *ret)
{
	if (c->args[0].type == NULL)
		return call_fail(c, NIL_COPY);
	return dictmerge_copy(c->env, &c->args[0], ret);
}

static int
need_type(struct call *c, const struct value *v, const struct type *type)
{
	if (v->type == type)
		return 0;
	return call_fail(c, "interface conversion: interface {} is %s, not %s",
	    v->type == NULL ? "nil" : v->type->name, type->name);
}

static int
fn_dig(struct call *c, struct value *ret)
{
	size_t nkeys = c->nargs - 2;
	struct value v;

	if (c->nargs < DIG_MIN)
		return call_fail(c, "dig needs at least three arguments");
	v = c->args[c->nargs - 1];
	if (need_type(c, &v, &type_dict) < 0)
		return -1;
	for (size_t i = 0; i < nkeys; i++) {
		if (need_type(c, &c->args[i], &type_string) < 0)
			return -1;
	}
	for (size_t i = 0; i < nkeys; i++) {
		struct str key = str_arg(c, i);

		if (env_step(c->env, 1) < 0 || need_type(c, &v, &type_dict) < 0)
			return -1;
		if (!dict_get(&v, key.p, key.len, &v)) {
			v = c->args[nkeys];
			break;
		}
	}
	*ret = v;
	return 0;
}

const struct func funcs_dict[] = {
	{ "deepCopy", "a:a", fn_deep_copy, 0 },
	{ "dict", "a*:m", fn_dict, 0 },
	{ "dig", "a*:a", fn_dig, 0 },
	{ "get", "ms:a", fn_get, 0 },
	{ "hasKey", "ms:b", fn_has_key, 0 },
	{ "keys", "m*:S", fn_keys, 0 },
	{ "merge", "mm*:a", fn_merge, 0 },
	{ "mergeOverwrite", "mm*:a", fn_merge_overwrite, 0 },
	{ "mustDeepCopy", "a:a", fn_deep_copy, 0 },
	{ "mustMerge", "mm*:a", fn_must_merge, 0 },
	{ "mustMergeOverwrite", "mm*:a", fn_must_merge_overwrite, 0 },
	{ "omit", "ms*:m", fn_omit, 0 },
	{ "pick", "ms*:m", fn_pick, 0 },
	{ "pluck", "sm*:l", fn_pluck, 0 },
	{ "set", "msa:m", fn_set, 0 },
	{ "unset", "ms:m", fn_unset, 0 },
	{ "values", "m:l", fn_values, 0 },
	{ NULL, NULL, NULL, 0 },
};
