/*
 * managedFields: who wrote which part of an object last.
 */
#include "fields.h"

#include <stdio.h>
#include <string.h>

#include "base/jsonx.h"
#include "kube/client.h"

/* Entries looked at; more are no honest object's. */
#define ENTRIES_MAX 64
/* "f:" and the name of a label, with its prefix. */
#define MEMBER_MAX 512

static const json_t *
entries(const json_t *obj)
{
	return jsonx_array(obj, "metadata", "managedFields", NULL);
}

static bool
is_ours(const json_t *entry)
{
	const char *manager = jsonx_str(entry, "manager", NULL);

	return manager != NULL && strcmp(manager, KUBE_MANAGER) == 0;
}

static const json_t *
group_of(const json_t *entry, enum fields_group group)
{
	switch (group) {
	case FIELDS_DATA:
		return jsonx_object(entry, "fieldsV1", "f:data", NULL);
	case FIELDS_LABELS:
		return jsonx_object(
		    entry, "fieldsV1", "f:metadata", "f:labels", NULL);
	case FIELDS_ANNOTATIONS:
		return jsonx_object(
		    entry, "fieldsV1", "f:metadata", "f:annotations", NULL);
	}
	return NULL;
}

static size_t
count(const json_t *list)
{
	size_t n = json_array_size(list);

	return n < ENTRIES_MAX ? n : ENTRIES_MAX;
}

static bool
claimed_by_others(const json_t *list, enum fields_group group, const char *f)
{
	for (size_t i = 0; i < count(list); i++) {
		const json_t *e = json_array_get(list, i);

		if (!is_ours(e) &&
		    json_object_get(group_of(e, group), f) != NULL)
			return true;
	}
	return false;
}

bool
fields_ours(const json_t *obj, enum fields_group group, const char *name)
{
	const json_t *list = entries(obj);
	char f[MEMBER_MAX];
	bool ours = false;

	if ((size_t)snprintf(f, sizeof(f), "f:%s", name) >= sizeof(f))
		return false;
	for (size_t i = 0; i < count(list) && !ours; i++) {
		const json_t *e = json_array_get(list, i);

		ours = is_ours(e) &&
		    json_object_get(group_of(e, group), f) != NULL;
	}
	return ours && !claimed_by_others(list, group, f);
}

void
fields_walk(const json_t *obj, enum fields_group group,
    void (*each)(void *ctx, const char *name), void *ctx)
{
	const json_t *list = entries(obj);
	const char *f;
	json_t *v;

	for (size_t i = 0; i < count(list); i++) {
		const json_t *e = json_array_get(list, i);

		if (!is_ours(e))
			continue;
		json_object_foreach((json_t *)group_of(e, group), f, v)
		{
			if (strncmp(f, "f:", 2) == 0 &&
			    !claimed_by_others(list, group, f))
				each(ctx, f + 2);
		}
	}
}

bool
fields_any_ours(const json_t *obj)
{
	const json_t *list = entries(obj);

	for (size_t i = 0; i < count(list); i++)
		if (is_ours(json_array_get(list, i)))
			return true;
	return false;
}

bool
fields_all_data_ours(const json_t *obj)
{
	const json_t *data = jsonx_object(obj, "data", NULL);
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)data, name, v)
	{
		if (!fields_ours(obj, FIELDS_DATA, name))
			return false;
	}
	return json_object_size(data) > 0 && !fields_foreign_data(obj);
}

bool
fields_foreign_data(const json_t *obj)
{
	const json_t *list = entries(obj);
	const char *f;
	json_t *v;

	for (size_t i = 0; i < count(list); i++) {
		const json_t *e = json_array_get(list, i);

		if (is_ours(e))
			continue;
		json_object_foreach((json_t *)group_of(e, FIELDS_DATA), f, v)
		{
			if (strncmp(f, "f:", 2) == 0)
				return true;
		}
	}
	return false;
}

const char *
fields_last_other(const json_t *obj)
{
	const json_t *list = entries(obj);
	const char *name = NULL, *latest = "";

	for (size_t i = 0; i < count(list); i++) {
		const json_t *e = json_array_get(list, i);
		const char *at = jsonx_str(e, "time", NULL);

		if (is_ours(e) || jsonx_str(e, "manager", NULL) == NULL)
			continue;
		/* RFC 3339 in UTC sorts as text. */
		if (name != NULL && (at == NULL || strcmp(at, latest) < 0))
			continue;
		name = jsonx_str(e, "manager", NULL);
		latest = at != NULL ? at : "";
	}
	return name;
}
