/*
 * managedFields. A set of fields is handled as a flat JSON object whose keys
 * are paths (elements joined by a separator), and turned into the nested
 * FieldsV1 form only for storing.
 */
#include "fields.h"

#include <stdlib.h>
#include <string.h>

#define SEP	 "\x1f"
#define SEP_CHAR '\x1f'

struct diff {
	json_t *added;
	json_t *modified;
	json_t *removed;
};

static const char *const stripped_meta[] = {
	"name",
	"namespace",
	"creationTimestamp",
	"deletionTimestamp",
	"deletionGracePeriodSeconds",
	"selfLink",
	"uid",
	"generation",
	"managedFields",
	"resourceVersion",
};

static void
put(json_t *set, const char *path)
{
	json_put(set, path, json_true());
}

/* -- FieldsV1 <-> flat set -- */

static void
flatten(const json_t *v1, const char *prefix, json_t *out)
{
	const char *k;
	json_t *v;

	json_object_foreach((json_t *)v1, k, v)
	{
		char *path;

		if (strcmp(k, ".") == 0) {
			put(out, prefix);
			continue;
		}
		path = *prefix == '\0' ? util_strdup(k)
				       : util_format("%s" SEP "%s", prefix, k);
		if (json_object_size(v) == 0)
			put(out, path);
		else
			flatten(v, path, out);
		free(path);
	}
}

static void
insert_nested(json_t *root, const char *path)
{
	json_t *at = root;
	const char *p = path;

	for (;;) {
		size_t n = strcspn(p, SEP);
		char *word = util_strndup(p, n);

		at = json_child(at, word);
		free(word);
		if (p[n] != SEP_CHAR)
			break;
		p += n + 1;
	}
	/* A mark that is taken away again from members without children. */
	json_put(at, ".", json_object());
}

static void
drop_lone_dots(json_t *v)
{
	const char *k;
	json_t *child;

	json_object_foreach(v, k, child)
	{
		if (strcmp(k, ".") == 0)
			continue;
		if (json_object_size(child) == 1 &&
		    json_object_get(child, ".") != NULL)
			json_object_clear(child);
		else
			drop_lone_dots(child);
	}
}

static json_t *
nest(const json_t *set)
{
	json_t *root = json_object();
	const char *k;
	json_t *v;

	json_object_foreach((json_t *)set, k, v) insert_nested(root, k);
	drop_lone_dots(root);
	return root;
}

static void
subtract(json_t *set, const json_t *minus)
{
	const char *k;
	json_t *v;

	json_object_foreach((json_t *)minus, k, v) json_object_del(set, k);
}

/* -- comparing two objects -- */

static void compare(const struct schema *s, const json_t *a, const json_t *b,
    const char *path, struct diff *d);

static char *
join(const char *path, const char *element)
{
	return *path == '\0' ? util_strdup(element)
			     : util_format("%s" SEP "%s", path, element);
}

static void
compare_member(const struct schema *s, const json_t *a, const json_t *b,
    const char *path, char *element, struct diff *d)
{
	char *at = join(path, element);

	compare(s, a, b, at, d);
	free(at);
	free(element);
}

static void
compare_map(const struct schema *s, const json_t *a, const json_t *b,
    const char *path, struct diff *d)
{
	static const struct schema any = { .kind = SCHEMA_ANY };
	const char *k;
	json_t *v;

	for (int pass = 0; pass < 2; pass++) {
		json_object_foreach((json_t *)(pass == 0 ? a : b), k, v)
		{
			const struct schema_field *f = schema_field(s, k);
			const struct schema *cs = f != NULL ? f->type : s->elem;

			if (pass == 1 && json_object_get(a, k) != NULL)
				continue;
			compare_member(cs == NULL ? &any : cs,
			    json_object_get(a, k), json_object_get(b, k), path,
			    util_format("f:%s", k), d);
		}
	}
}

static char *
element_name(const struct schema *s, const json_t *v)
{
	json_t *key;
	char *text, *out;

	if (s->flags & SCHEMA_SET) {
		text = json_text(v);
		out = util_format("v:%s", text);
	} else {
		key = json_object();
		json_object_set(key, s->key, json_object_get(v, s->key));
		text = json_text(key);
		out = util_format("k:%s", text);
		json_decref(key);
	}
	free(text);
	return out;
}

static const json_t *
find_element(const struct schema *s, const json_t *list, const char *name)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)list, i, v)
	{
		char *other = element_name(s, v);
		bool same = strcmp(other, name) == 0;

		free(other);
		if (same)
			return v;
	}
	return NULL;
}

static void
compare_list(const struct schema *s, const json_t *a, const json_t *b,
    const char *path, struct diff *d)
{
	size_t i;
	json_t *v;

	for (int pass = 0; pass < 2; pass++) {
		const json_t *list = pass == 0 ? a : b;
		const json_t *other = pass == 0 ? b : a;

		json_array_foreach((json_t *)list, i, v)
		{
			char *name = element_name(s, v);
			const json_t *twin = find_element(s, other, name);

			if (pass == 1 && twin != NULL) {
				free(name);
				continue;
			}
			compare_member(s->elem, pass == 0 ? v : NULL,
			    pass == 0 ? twin : v, path, name, d);
		}
	}
}

static bool
is_granular_map(const struct schema *s, const json_t *a, const json_t *b)
{
	if (s->flags & SCHEMA_ATOMIC)
		return false;
	if (s->kind == SCHEMA_STRUCT || s->kind == SCHEMA_MAP)
		return true;
	if (s->kind != SCHEMA_ANY)
		return false;
	return (a == NULL || json_is_object(a)) &&
	    (b == NULL || json_is_object(b));
}

static bool
is_granular_list(const struct schema *s)
{
	return s->kind == SCHEMA_LIST && !(s->flags & SCHEMA_ATOMIC) &&
	    ((s->flags & SCHEMA_SET) || s->key != NULL);
}

static void
compare(const struct schema *s, const json_t *a, const json_t *b,
    const char *path, struct diff *d)
{
	bool leaf = false;

	if (is_granular_map(s, a, b))
		compare_map(s, a, b, path, d);
	else if (is_granular_list(s))
		compare_list(s, a, b, path, d);
	else
		leaf = true;
	if (*path == '\0')
		return;
	if (a == NULL)
		put(d->added, path);
	else if (b == NULL)
		put(d->removed, path);
	else if (leaf && !json_equal(a, b))
		put(d->modified, path);
}

/* A copy without what is never owned. */
static json_t *
strip(const struct resource *r, const json_t *obj)
{
	json_t *out = obj == NULL ? json_object() : json_deep_copy(obj);
	json_t *meta;

	if (obj == NULL && !r->custom) {
		json_decref(out);
		out = schema_decode(r->schema, NULL, NULL);
	}
	json_object_del(out, "apiVersion");
	json_object_del(out, "kind");
	meta = json_child(out, "metadata");
	for (size_t i = 0; i < ARRAY_SIZE(stripped_meta); i++)
		json_object_del(meta, stripped_meta[i]);
	return out;
}

/* -- the entries ------------------------------------------------------------
 */

static bool
same_entry(const json_t *e, const char *manager, const char *subresource)
{
	const char *sub = json_str(e, "subresource");
	const char *op = json_str(e, "operation");
	const char *m = json_str(e, "manager");

	return m != NULL && strcmp(m, manager) == 0 && op != NULL &&
	    strcmp(op, "Update") == 0 &&
	    strcmp(sub == NULL ? "" : sub, subresource) == 0;
}

static json_t *
new_entry(
    const struct resource *r, const char *manager, const char *subresource)
{
	json_t *e = json_pack("{s:s, s:s, s:s, s:s}", "manager", manager,
	    "operation", "Update", "apiVersion", r->api_version, "fieldsType",
	    "FieldsV1");

	if (*subresource != '\0')
		json_puts(e, "subresource", subresource);
	return e;
}

static void
touch(json_t *e, json_t *set)
{
	char now[TIME_SIZE];

	util_time(now);
	json_puts(e, "time", now);
	json_put(e, "fieldsV1", nest(set));
}

static const char *
text_or_empty(const json_t *e, const char *key)
{
	const char *s = json_str(e, key);

	return s == NULL ? "" : s;
}

static int
entry_order(const json_t *a, const json_t *b)
{
	static const char *const keys[] = {
		"operation",
		"time",
		"manager",
		"apiVersion",
		"subresource",
	};
	int c = 0;

	for (size_t i = 0; i < ARRAY_SIZE(keys) && c == 0; i++)
		c = strcmp(
		    text_or_empty(a, keys[i]), text_or_empty(b, keys[i]));
	return c;
}

static void
insert_sorted(json_t *list, json_t *entry)
{
	size_t i, n = json_array_size(list);

	for (i = 0; i < n; i++) {
		if (entry_order(entry, json_array_get(list, i)) < 0)
			break;
	}
	json_array_insert_new(list, i, entry);
}

/* What is left of an older entry once the change took its fields. */
static json_t *
remaining(const json_t *entry, const struct diff *d)
{
	json_t *set = json_object();
	size_t before;
	json_t *out;

	flatten(json_object_get(entry, "fieldsV1"), "", set);
	before = json_object_size(set);
	subtract(set, d->added);
	subtract(set, d->modified);
	subtract(set, d->removed);
	if (json_object_size(set) == 0) {
		json_decref(set);
		return NULL;
	}
	out = json_deep_copy(entry);
	if (json_object_size(set) != before)
		json_put(out, "fieldsV1", nest(set));
	json_decref(set);
	return out;
}

static void
rebuild(const struct resource *r, const struct diff *d, const json_t *before,
    const char *manager, const char *subresource, json_t *out)
{
	json_t *taken = json_object(), *own = NULL, *e;
	size_t i;

	json_object_update(taken, d->added);
	json_object_update(taken, d->modified);
	json_array_foreach((json_t *)before, i, e)
	{
		json_t *rest = remaining(e, d);

		if (rest == NULL)
			continue;
		if (own == NULL && same_entry(rest, manager, subresource))
			own = rest;
		else
			insert_sorted(out, rest);
	}
	if (json_object_size(taken) > 0) {
		if (own == NULL)
			own = new_entry(r, manager, subresource);
		else
			flatten(json_object_get(own, "fieldsV1"), "", taken);
		touch(own, taken);
	}
	if (own != NULL)
		insert_sorted(out, own);
	json_decref(taken);
}

void
fields_record(const struct resource *r, const json_t *live, json_t *next,
    const json_t *before, const char *manager, const char *subresource)
{
	struct diff d = { json_object(), json_object(), json_object() };
	json_t *a = strip(r, live), *b = strip(r, next);
	json_t *out = json_array();
	json_t *meta = json_child(next, "metadata");

	compare(r->schema, a, b, "", &d);
	/* Metadata itself is nobody's. */
	json_object_del(d.added, "f:metadata");
	rebuild(r, &d, before, manager, subresource, out);
	if (json_array_size(out) > 0) {
		json_put(meta, "managedFields", out);
	} else {
		json_object_del(meta, "managedFields");
		json_decref(out);
	}
	json_decref(a);
	json_decref(b);
	json_decref(d.added);
	json_decref(d.modified);
	json_decref(d.removed);
}
