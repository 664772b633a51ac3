/*
 * Does a Secret still look as its SealedSecret has it?
 */
#include "shape.h"

#include <string.h>

#include "base/hash.h"
#include "base/jsonx.h"
#include "fields.h"
#include "sealedsecret.h"
#include "sealedsecret/condition.h"
#include "sealedsecret/merge.h"
#include "sealedsecret/scope.h"

/*
 * A set's shape is the sum of its members' keyed hashes: the order does not
 * matter, and nobody outside can find two sets with the same sum.
 */
static uint64_t
member(enum fields_group group, const char *name, const json_t *value)
{
	unsigned char part[1 + 2 * sizeof(uint64_t)];
	uint64_t names = hash_str(name);
	uint64_t values = json_is_string(value)
	    ? hash_bytes(json_string_value(value), json_string_length(value))
	    : 0;

	part[0] = (unsigned char)group;
	memcpy(part + 1, &names, sizeof(names));
	memcpy(part + 1 + sizeof(names), &values, sizeof(values));
	return hash_bytes(part, 1 + sizeof(names) + sizeof(values));
}

/* The two are told by flags: what matters is that they hold, not who said
 * so, and templates repeat what was there before. */
static bool
is_flag(enum fields_group group, const char *name)
{
	return group == FIELDS_ANNOTATIONS &&
	    (strcmp(name, ANNOTATION_MANAGED) == 0 ||
		strcmp(name, ANNOTATION_PATCH) == 0);
}

/* ---- as it should be ---- */

static uint64_t
expected_items(const json_t *spec, const json_t *template)
{
	const json_t *sealed = jsonx_object(spec, "encryptedData", NULL);
	const json_t *texts = jsonx_object(template, "data", NULL);
	uint64_t sum = 0;
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)sealed, name, v)
	{
		/* null in the template takes the item out. */
		if (!json_is_null(json_object_get(texts, name)) ||
		    json_object_get(texts, name) == NULL)
			sum += member(FIELDS_DATA, name, NULL);
	}
	json_object_foreach((json_t *)texts, name, v)
	{
		if (!json_is_null(v) && json_object_get(sealed, name) == NULL)
			sum += member(FIELDS_DATA, name, NULL);
	}
	return sum;
}

static uint64_t
expected_texts(
    const json_t *template, enum fields_group group, const char *name)
{
	const json_t *map = jsonx_object(template, "metadata", name, NULL);
	AUTO_JSON json_t *empty = json_string("");
	uint64_t sum = 0;
	const char *k;
	json_t *v;

	json_object_foreach((json_t *)map, k, v)
	{
		if (!is_flag(group, k))
			sum += member(group, k, json_is_null(v) ? empty : v);
	}
	return sum;
}

static uint32_t
status_state(const json_t *obj)
{
	switch (condition_standing(obj, scope_of(obj))) {
	case CONDITION_SETTLED:
		return SEALED_SETTLED;
	case CONDITION_EXTEND:
		return SEALED_EXTEND;
	case CONDITION_OPEN:
		break;
	}
	return 0;
}

static uint32_t
template_state(const json_t *template)
{
	uint32_t state = 0;

	if (merge_annotated(template, ANNOTATION_MANAGED))
		state |= SEALED_WANT_MANAGED;
	if (merge_annotated(template, ANNOTATION_PATCH))
		state |= SEALED_WANT_PATCH;
	if (!merge_annotated(template, ANNOTATION_SKIP_OWNER))
		return state;
	state |= SEALED_SKIP_OWNER;
	/* References of the template's own. */
	if (json_array_size(
		jsonx_array(template, "metadata", "ownerReferences", NULL)) > 0)
		state |= SEALED_SHAPELESS;
	return state;
}

void
shape_of_sealed(const json_t *obj, struct index_record *rec)
{
	const json_t *spec = jsonx_object(obj, "spec", NULL);
	const json_t *template = jsonx_object(spec, "template", NULL);
	const char *drift =
	    jsonx_str(obj, "metadata", "annotations", ANNOTATION_DRIFT, NULL);

	rec->state = status_state(obj) | template_state(template);
	if (drift != NULL && strcmp(drift, "ignore") == 0)
		rec->state |= SEALED_IGNORE_DRIFT;
	/* Which items the old form has is under its seal. */
	if (jsonx_get(spec, "data", NULL) != NULL)
		rec->state |= SEALED_SHAPELESS;
	rec->shape = expected_items(spec, template) +
	    expected_texts(template, FIELDS_LABELS, "labels") +
	    expected_texts(template, FIELDS_ANNOTATIONS, "annotations");
}

/* ---- as it is ---- */

struct sum {
	enum fields_group group;
	const json_t *values; /* NULL: not looked at */
	uint64_t sum;
};

static void
add(void *ctx, const char *name)
{
	struct sum *s = ctx;

	if (!is_flag(s->group, name))
		s->sum +=
		    member(s->group, name, json_object_get(s->values, name));
}

static uint64_t
seen(const json_t *obj, enum fields_group group, const char *values)
{
	struct sum s = { .group = group };

	if (values != NULL)
		s.values = jsonx_object(obj, "metadata", values, NULL);
	fields_walk(obj, group, add, &s);
	return s.sum;
}

static uint32_t
reference_flags(const json_t *obj)
{
	const json_t *refs =
	    jsonx_array(obj, "metadata", "ownerReferences", NULL);

	switch (json_array_size(refs)) {
	case 0:
		return SECRET_NO_REF;
	case 1:
		return SECRET_ONE_REF;
	}
	return 0;
}

void
shape_of_secret(const json_t *obj, struct index_record *rec)
{
	const char *owner = merge_controller_uid(obj);
	const char *name = jsonx_str(obj, "metadata", "name", NULL);

	if (owner != NULL)
		index_copy_id(rec->owner_uid, sizeof(rec->owner_uid), owner);
	rec->flags = reference_flags(obj);
	if (merge_annotated(obj, ANNOTATION_MANAGED))
		rec->flags |= SECRET_MANAGED;
	if (merge_annotated(obj, ANNOTATION_PATCH))
		rec->flags |= SECRET_PATCH;
	if (name != NULL && merge_controlled_by_name(obj, name))
		rec->flags |= SECRET_OWNED;
	if (fields_foreign_data(obj))
		rec->flags |= SECRET_FOREIGN_DATA;
	rec->shape = seen(obj, FIELDS_DATA, NULL) +
	    seen(obj, FIELDS_LABELS, "labels") +
	    seen(obj, FIELDS_ANNOTATIONS, "annotations");
}

/* ---- the comparison ---- */

bool
shape_owner_fits(
    const struct index_record *sealed, const struct index_record *secret)
{
	uint32_t patch = secret->flags & SECRET_PATCH;

	if ((sealed->state & SEALED_SKIP_OWNER) != 0)
		return (secret->flags & SECRET_NO_REF) != 0;
	/* What is only patched is not owned. */
	if (patch != 0 && (secret->flags & SECRET_MANAGED) == 0)
		return true;
	return (secret->flags & SECRET_OWNED) != 0 &&
	    (secret->flags & SECRET_ONE_REF) != 0 &&
	    strcmp(secret->owner_uid, sealed->uid) == 0;
}

static bool
wanted(uint32_t state, uint32_t want, uint32_t flags, uint32_t flag)
{
	return (state & want) == 0 || (flags & flag) != 0;
}

bool
shape_fits(const struct index_record *sealed, const struct index_record *secret)
{
	uint32_t state = sealed->state, flags = secret->flags;

	if ((state & SEALED_SHAPELESS) != 0 || sealed->shape != secret->shape)
		return false;
	/* Under patch others may add what they like. */
	if ((flags & SECRET_PATCH) == 0 && (flags & SECRET_FOREIGN_DATA) != 0)
		return false;
	return wanted(state, SEALED_WANT_MANAGED, flags, SECRET_MANAGED) &&
	    wanted(state, SEALED_WANT_PATCH, flags, SECRET_PATCH) &&
	    shape_owner_fits(sealed, secret);
}

uint64_t
shape_print(const struct index_record *secret)
{
	struct {
		uint64_t shape, owner;
		uint64_t flags;
	} look = { secret->shape, hash_str(secret->owner_uid), secret->flags };

	return hash_bytes(&look, sizeof(look)) | 1;
}
