/*
 * One thread that looks at the store after every change.
 */
#include "gc.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "settings.h"
#include "store.h"

#define TICK_MS 200

static bool
owner_exists(const json_t *ref, const char *ns)
{
	const char *version = json_str(ref, "apiVersion");
	const char *kind = json_str(ref, "kind");
	const struct resource *r;
	const json_t *owner;

	r = version == NULL || kind == NULL ? NULL
					    : types_by_kind(version, kind);
	/* Kinds that this server does not hold are taken to exist. */
	if (r == NULL)
		return true;
	owner = store_get(r, r->namespaced ? ns : NULL, json_str(ref, "name"));
	return owner != NULL &&
	    strcmp(json_str(json_object_get(owner, "metadata"), "uid"),
		json_str(ref, "uid")) == 0;
}

static bool
is_garbage(const json_t *obj)
{
	const json_t *meta = json_object_get(obj, "metadata");
	const json_t *refs = json_object_get(meta, "ownerReferences");
	size_t i;
	json_t *ref;

	if (json_array_size(refs) == 0 ||
	    json_object_get(meta, "deletionTimestamp") != NULL)
		return false;
	json_array_foreach((json_t *)refs, i, ref)
	{
		if (owner_exists(ref, json_str(meta, "namespace")))
			return false;
	}
	return true;
}

static bool
in_ending_namespace(const json_t *obj)
{
	const char *name =
	    json_str(json_object_get(obj, "metadata"), "namespace");
	const json_t *ns =
	    name == NULL ? NULL : store_get(TYPES_NAMESPACES, NULL, name);

	return json_at(ns, "metadata", "deletionTimestamp", NULL) != NULL;
}

static void
sweep_resource(const struct resource *r)
{
	struct store_items all;

	if (store_snapshot(r, store_rv(), &all) < 0)
		return;
	for (size_t i = 0; i < all.n; i++) {
		const json_t *meta = json_object_get(all.items[i], "metadata");

		if (is_garbage(all.items[i]) ||
		    in_ending_namespace(all.items[i]))
			write_remove(r, json_str(meta, "namespace"),
			    json_str(meta, "name"));
	}
	store_items_release(&all);
}

static void
sweep_namespaces(void)
{
	struct store_items all;

	if (store_snapshot(TYPES_NAMESPACES, store_rv(), &all) < 0)
		return;
	for (size_t i = 0; i < all.n; i++) {
		const json_t *meta = json_object_get(all.items[i], "metadata");

		if (json_object_get(meta, "deletionTimestamp") != NULL)
			write_remove(
			    TYPES_NAMESPACES, NULL, json_str(meta, "name"));
	}
	store_items_release(&all);
}

static void
sweep(void)
{
	for (size_t i = 0; i < TYPES_COUNT; i++) {
		if (types_all[i].namespaced)
			sweep_resource(&types_all[i]);
	}
	sweep_namespaces();
}

static void *
run(void *arg UNUSED)
{
	uint64_t seen = UINT64_MAX;
	bool was_on = false;

	for (;;) {
		bool on = settings_get().gc;

		store_lock();
		if (on && (!was_on || store_event_end() != seen)) {
			sweep();
			seen = store_event_end();
		}
		store_wait(TICK_MS);
		store_unlock();
		was_on = on;
	}
	return NULL;
}

void
gc_start(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, run, NULL) != 0)
		abort();
	pthread_detach(t);
}
