/*
 * Desired Secret against live Secret.
 */
#include "sealedsecret/merge.h"

#include <string.h>

#include "base/buf.h"
#include "base/jsonx.h"
#include "fields.h"
#include "sealedsecret/scope.h"

/* A name in a text; Kubernetes allows labels no more than that. */
#define NAME_SHOWN_MAX 63

bool
merge_annotated(const json_t *obj, const char *annotation)
{
	const json_t *v =
	    jsonx_get(obj, "metadata", "annotations", annotation, NULL);

	/* By length: a text may hold a NUL byte. */
	return json_is_string(v) && json_string_length(v) == 4 &&
	    memcmp(json_string_value(v), "true", 4) == 0;
}

static const json_t *
controller_reference(const json_t *obj)
{
	const json_t *refs =
	    jsonx_array(obj, "metadata", "ownerReferences", NULL);
	json_t *ref;
	size_t i;

	json_array_foreach(refs, i,
	    ref) if (jsonx_is_true(ref, "controller", NULL)) return ref;
	return NULL;
}

const char *
merge_controller_uid(const json_t *obj)
{
	return jsonx_str(controller_reference(obj), "uid", NULL);
}

bool
merge_controlled_by_name(const json_t *obj, const char *name)
{
	static const char group[] = "bitnami.com/";
	const json_t *ref = controller_reference(obj);
	const char *version = jsonx_str(ref, "apiVersion", NULL);
	const char *kind = jsonx_str(ref, "kind", NULL);
	const char *owner = jsonx_str(ref, "name", NULL);

	return version != NULL && kind != NULL && owner != NULL &&
	    strncmp(version, group, sizeof(group) - 1) == 0 &&
	    strcmp(kind, "SealedSecret") == 0 && strcmp(owner, name) == 0;
}

int
merge_check_owner(const json_t *live, const char *owner_uid, struct err *err)
{
	const char *uid = merge_controller_uid(live);
	const char *name = jsonx_str(live, "metadata", "name", NULL);

	if (uid != NULL && strcmp(uid, owner_uid) == 0)
		return 0;
	if (merge_annotated(live, ANNOTATION_MANAGED) ||
	    merge_annotated(live, ANNOTATION_PATCH))
		return 0;
	return err_set(err, ERR_UNMANAGED,
	    "Resource \"%s\" already exists and is not managed by SealedSecret",
	    name != NULL ? name : "");
}

static bool
is_empty(const json_t *v)
{
	return v == NULL || json_is_null(v) ||
	    (json_is_object(v) && json_object_size(v) == 0) ||
	    (json_is_array(v) && json_array_size(v) == 0) ||
	    (json_is_string(v) && json_string_length(v) == 0);
}

static bool
same_value(const json_t *a, const json_t *b)
{
	return (is_empty(a) && is_empty(b)) ||
	    json_equal((json_t *)a, (json_t *)b) == 1;
}

/* Like json_equal(), but absent, null and empty are the same, inside too: the
 * API server may give an empty value back as null. */
static bool
same(const json_t *a, const json_t *b)
{
	const char *k;
	json_t *v;

	if (!json_is_object(a) || !json_is_object(b))
		return same_value(a, b);
	if (json_object_size(a) != json_object_size(b))
		return false;
	json_object_foreach((json_t *)a, k, v)
	{
		const json_t *w = json_object_get(b, k);

		if (w == NULL || !same_value(v, w))
			return false;
	}
	return true;
}

/* Sets a member, or removes it where the value is empty. Borrows value. True
 * where that made a difference. */
static bool
replace(json_t *obj, const char *name, const json_t *value)
{
	if (same(json_object_get(obj, name), value))
		return false;
	if (is_empty(value))
		json_object_del(obj, name);
	else
		jsonx_set(obj, name, json_incref((json_t *)value));
	return true;
}

static bool
overlay(json_t *obj, const char *name, const json_t *value)
{
	json_t *live = json_object_get(obj, name);
	AUTO_JSON json_t *both =
	    json_is_object(live) ? json_copy(live) : json_object();

	if (json_is_object(value))
		json_object_update(both, (json_t *)value);
	return replace(obj, name, both);
}

static bool
merge_contents(json_t *u, const json_t *desired)
{
	const json_t *type = json_object_get(desired, "type");
	bool changed = false;

	/* An empty type keeps the present one: it cannot be changed anyway. */
	if (!is_empty(type))
		changed = replace(u, "type", type);
	/* One way only: the API server refuses the other. */
	if (json_is_true(json_object_get(desired, "immutable")) &&
	    !json_is_true(json_object_get(u, "immutable"))) {
		jsonx_set(u, "immutable", json_true());
		changed = true;
	}
	return changed;
}

/* Annotated patch: others keep what is theirs. */
static bool
merge_patch(json_t *u, json_t *metadata, const json_t *desired)
{
	const json_t *d = json_object_get(desired, "metadata");
	bool changed;

	changed = overlay(u, "data", json_object_get(desired, "data"));
	changed |= overlay(metadata, "labels", json_object_get(d, "labels"));
	changed |=
	    overlay(metadata, "annotations", json_object_get(d, "annotations"));
	/* Judged after the merge: the template may say it too. */
	if (merge_annotated(u, ANNOTATION_MANAGED))
		changed |= replace(metadata, "ownerReferences",
		    json_object_get(d, "ownerReferences"));
	return changed;
}

static bool
merge_replace(json_t *u, json_t *metadata, const json_t *desired)
{
	static const char *const taken[] = { "labels", "annotations",
		"ownerReferences" };
	const json_t *d = json_object_get(desired, "metadata");
	bool changed;

	changed = replace(u, "data", json_object_get(desired, "data"));
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		changed |=
		    replace(metadata, taken[i], json_object_get(d, taken[i]));
	return changed;
}

/* What others added stays, what the template says is put right. */
static bool
merge_back(json_t *u, json_t *metadata, const json_t *desired)
{
	const json_t *d = json_object_get(desired, "metadata");
	bool changed;

	changed = replace(u, "data", json_object_get(desired, "data"));
	changed |= overlay(metadata, "labels", json_object_get(d, "labels"));
	changed |=
	    overlay(metadata, "annotations", json_object_get(d, "annotations"));
	changed |= replace(
	    metadata, "ownerReferences", json_object_get(d, "ownerReferences"));
	return changed;
}

static int
merge(const json_t *live, const json_t *desired,
    bool (*own)(json_t *u, json_t *metadata, const json_t *desired),
    json_t **ret, struct err *err)
{
	json_t *live_metadata = jsonx_object(live, "metadata", NULL);
	AUTO_JSON json_t *u = json_copy((json_t *)live);
	json_t *metadata;
	bool changed;

	if (live_metadata == NULL)
		return err_set(err, ERR_SERVER, "secret without metadata");
	/* Shallow copies of what changes: the live object stays as it is. */
	metadata = json_copy(live_metadata);
	jsonx_set(u, "metadata", metadata);
	if (merge_annotated(live, ANNOTATION_PATCH))
		changed = merge_patch(u, metadata, desired);
	else
		changed = own(u, metadata, desired);
	changed |= merge_contents(u, desired);
	*ret = changed ? STEAL(u) : NULL;
	return 0;
}

int
merge_secret(
    const json_t *live, const json_t *desired, json_t **ret, struct err *err)
{
	return merge(live, desired, merge_replace, ret, err);
}

/* desired with the untouched ones of the rendered items as they are. */
static json_t *
keep_rendered(const json_t *live, const json_t *desired, const json_t *rendered)
{
	json_t *kept = json_copy((json_t *)desired);
	json_t *data = jsonx_object(desired, "data", NULL);
	const char *name;
	json_t *v;

	data = data != NULL ? json_copy(data) : json_object();
	json_object_foreach((json_t *)rendered, name, v)
	{
		json_t *is = jsonx_get(live, "data", name, NULL);

		if (is != NULL && json_object_get(data, name) != NULL &&
		    fields_ours(live, FIELDS_DATA, name))
			jsonx_set(data, name, json_incref(is));
	}
	jsonx_set(kept, "data", data);
	return kept;
}

int
merge_repair(const json_t *live, const json_t *desired, const json_t *rendered,
    json_t **ret, struct err *err)
{
	AUTO_JSON json_t *kept = keep_rendered(live, desired, rendered);

	return merge(live, kept, merge_back, ret, err);
}

/* ---- for people ---- */

/* Names in a and not the same in b. */
static void
put_names(const json_t *a, const json_t *b, bool missing, struct buf *names)
{
	const char *k;
	json_t *v;

	json_object_foreach((json_t *)a, k, v)
	{
		const json_t *w = json_object_get(b, k);

		if (missing ? w != NULL : w != NULL && same_value(v, w))
			continue;
		if (names->len > MERGE_TEXT_MAX / 4) {
			buf_puts(names, ", ...");
			return;
		}
		buf_printf(names, "%s%.*s", names->len > 0 ? ", " : "",
		    NAME_SHOWN_MAX, k);
	}
}

static void
describe(
    const char *what, const json_t *live, const json_t *next, struct buf *out)
{
	AUTO_RELEASE(buf) struct buf names = BUF_INIT(MERGE_TEXT_MAX);

	put_names(next, live, false, &names);
	put_names(live, next, true, &names);
	if (names.len > 0)
		buf_printf(out, "%s%s (%s)", out->len > 0 ? ", " : "", what,
		    buf_str(&names));
}

void
merge_describe(
    const json_t *live, const json_t *next, char out[static MERGE_TEXT_MAX])
{
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(4 * MERGE_TEXT_MAX);
	static const char *const maps[] = { "labels", "annotations" };
	size_t len;

	describe("data", json_object_get(live, "data"),
	    json_object_get(next, "data"), &text);
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		describe(maps[i], jsonx_object(live, "metadata", maps[i], NULL),
		    jsonx_object(next, "metadata", maps[i], NULL), &text);
	if (!same_value(jsonx_get(live, "metadata", "ownerReferences", NULL),
		jsonx_get(next, "metadata", "ownerReferences", NULL)))
		buf_printf(
		    &text, "%sowner reference", text.len > 0 ? ", " : "");
	if (text.len == 0)
		buf_puts(&text, "type or immutable");
	len = text.len < MERGE_TEXT_MAX ? text.len : MERGE_TEXT_MAX - 1;
	memcpy(out, buf_str(&text), len);
	out[len] = '\0';
}
