/*
 * mergo and copystructure, as far as values of templates have their cases.
 */
#include "dictmerge.h"

#include "func.h"
#include "semver.h"

struct merging {
	struct env *env;
	bool overwrite;
	bool differ;
};

static bool
is_object(const struct value *v)
{
	enum kind k = value_kind(v);

	return k == KIND_STRUCT || k == KIND_PTR || k == KIND_MAP;
}

/* mergo's isEmptyValue: as Go's truth, but an element of a map of strings is
 * looked at as it is. */
static bool
is_empty(bool present, const struct value *v)
{
	return !present || !value_truth(v);
}

static int
merge_maps(struct merging *m, const struct value *dst, const struct value *src);

static int
set(struct merging *m, const struct value *dst, const struct dict_entry *e,
    const struct value *v)
{
	bool is_list = value_kind(v) == KIND_SLICE;

	if (dst->type->elem == &type_any || !v->iface)
		return dict_set(
		    m->env, dst, e->key, e->keylen, value_concrete(*v));
	if (is_list && dict_has(dst, e->key, e->keylen))
		return env_fail(m->env,
		    "reflect: call of reflect.Value.IsNil on string Value");
	return env_fail(m->env,
	    "reflect.Value.SetMapIndex: value of type %s is not assignable "
	    "to type %s",
	    is_list ? value_type_name(v) : type_any.name,
	    dst->type->elem->name);
}

/* Both are there, src is a map, struct or pointer: what mergo changes within
 * dst, without an entry being replaced. */
static int
merge_objects(
    struct merging *m, const struct value *dst, const struct value *src)
{
	int rc;

	if (value_kind(dst) == KIND_PTR && value_kind(src) != KIND_PTR &&
	    !m->overwrite) {
		m->differ = true;
		return 0;
	}
	if (value_kind(dst) == KIND_STRUCT && dst->type->fields != NULL &&
	    dst->type->fields[0].exported && value_kind(src) != KIND_STRUCT)
		return env_fail(m->env,
		    "reflect: call of reflect.Value.Field on %s Value",
		    value_kind_name(src));
	if (value_kind(dst) != KIND_MAP || value_kind(src) != KIND_MAP ||
	    dst->u.m == NULL)
		return 0;
	if (env_enter(m->env) < 0)
		return -1;
	rc = merge_maps(m, dst, src);
	env_leave(m->env);
	return rc;
}

static int
merge_entry(
    struct merging *m, const struct value *dst, const struct dict_entry *e)
{
	const struct value *src = &e->value;
	struct value old = value_nil();
	bool present = dict_get(dst, e->key, e->keylen, &old);

	if (src->type == NULL)
		return m->overwrite ? set(m, dst, e, src) : 0;
	if (is_object(src) && present && merge_objects(m, &old, src) < 0)
		return -1;
	if (m->differ)
		return 0;
	if (!is_empty(present, &old)) {
		if (value_kind(src) == KIND_SLICE && !m->overwrite &&
		    dst->type->elem == &type_any)
			return 0;
		if (value_kind(src) == KIND_SLICE)
			return set(m, dst, e, src);
		if (value_kind(src) == KIND_MAP && value_kind(&old) == KIND_MAP)
			return 0;
		if (!m->overwrite)
			return 0;
	}
	return set(m, dst, e, src);
}

static int
merge_maps(struct merging *m, const struct value *dst, const struct value *src)
{
	struct dict_entry *entries;
	size_t n = dict_len(src);

	if (dict_entries(m->env, src, &entries) < 0)
		return -1;
	for (size_t i = 0; i < n && !m->differ; i++) {
		if (merge_entry(m, dst, &entries[i]) < 0)
			return -1;
	}
	return 0;
}

int
dictmerge(struct env *e, struct value *dst, const struct value *src,
    bool overwrite, bool *differ)
{
	struct merging m = { e, overwrite, false };

	*differ = false;
	if (dst->u.m == NULL && src->u.m != NULL &&
	    dict_new(e, dst->type, dst) < 0)
		return -1;
	if (merge_maps(&m, dst, src) < 0)
		return -1;
	*differ = m.differ;
	return 0;
}

static int
copy_list(struct env *e, const struct value *v, struct value *ret)
{
	struct value item, copy = value_nil();

	*ret = value_concrete(*v);
	if (v->u.l.v == NULL)
		return 0;
	if (list_new(e, v->type, list_len(v), ret) < 0)
		return -1;
	for (size_t i = 0; i < list_len(v); i++) {
		item = list_get(v, i);
		if (dictmerge_copy(e, &item, &copy) < 0 ||
		    list_append(e, ret, copy) < 0)
			return -1;
	}
	return 0;
}

static int
copy_map(struct env *e, const struct value *v, struct value *ret)
{
	struct dict_entry *entries;
	size_t n = dict_len(v);
	struct value copy = value_nil();

	*ret = value_concrete(*v);
	if (v->u.m == NULL)
		return 0;
	if (dict_entries(e, v, &entries) < 0 || dict_new(e, v->type, ret) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (dictmerge_copy(e, &entries[i].value, &copy) < 0 ||
		    dict_set(e, ret, entries[i].key, entries[i].keylen, copy) <
			0)
			return -1;
	}
	return 0;
}

/* All fields of a version are private: a copy has none of them. */
static int
copy_version(struct env *e, struct value *ret)
{
	struct version zero = { 0 };

	zero.pre = zero.metadata = zero.original = value_str("", 0);
	return value_obj_copy(e, &type_semver, &zero, sizeof(zero), ret);
}

int
dictmerge_copy(struct env *e, const struct value *v, struct value *ret)
{
	int rc = 0;

	if (env_step(e, 1) < 0 || env_enter(e) < 0)
		return -1;
	if (value_kind(v) == KIND_SLICE)
		rc = copy_list(e, v, ret);
	else if (value_kind(v) == KIND_MAP)
		rc = copy_map(e, v, ret);
	else if (v->type == &type_semver && v->u.obj != NULL)
		rc = copy_version(e, ret);
	else
		*ret = value_concrete(*v);
	env_leave(e);
	return rc;
}
