/*
 * Create, replace, patch and delete.
 */
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "decode.h"
#include "fields.h"
#include "settings.h"
#include "status.h"
#include "store.h"
#include "validate.h"

#define MANAGER_MAX  128
#define NAME_TRIES   8
#define GENERATE_MAX 58

static void
manager_name(const struct call *c, char out[MANAGER_MAX + 1])
{
	const char *s = http_param(c->req, "fieldManager");
	size_t n;

	if (s == NULL || *s == '\0') {
		s = http_header(c->req, "User-Agent");
		if (s == NULL || *s == '\0')
			s = "unknown";
		n = strcspn(s, "/");
	} else {
		n = strlen(s);
	}
	if (n > MANAGER_MAX)
		n = MANAGER_MAX;
	memcpy(out, s, n);
	out[n] = '\0';
}

/* -- shared checks ------------------------------------------------------------
 */

static bool
namespace_matches(struct call *c, json_t *obj)
{
	json_t *meta = json_child(obj, "metadata");
	const char *ns = json_str(meta, "namespace");

	if (!c->res->namespaced) {
		json_object_del(meta, "namespace");
		return true;
	}
	if (ns != NULL && *ns != '\0' && strcmp(ns, c->ns) != 0) {
		call_fail(c,
		    status_bad_request("the namespace of the provided object "
				       "does not match the namespace sent on "
				       "the request"));
		return false;
	}
	json_puts(meta, "namespace", c->ns);
	return true;
}

static bool
is_terminating(const json_t *ns)
{
	return json_at(ns, "metadata", "deletionTimestamp", NULL) != NULL;
}

static bool
namespace_admits(struct call *c, const char *name)
{
	const json_t *ns;

	if (!c->res->namespaced)
		return true;
	ns = store_get(TYPES_NAMESPACES, NULL, c->ns);
	if (ns == NULL) {
		call_fail(c, status_not_found(TYPES_NAMESPACES, c->ns));
		return false;
	}
	if (is_terminating(ns)) {
		call_fail(c, status_terminating(c->res, name, c->ns));
		return false;
	}
	return true;
}

static bool
passes(struct call *c, const char *name, json_t *causes)
{
	bool fine = json_array_size(causes) == 0;

	if (!fine)
		call_fail(c, status_invalid(c->res, name, causes));
	json_decref(causes);
	return fine;
}

static bool
dry_run(const struct call *c)
{
	const char *v = http_param(c->req, "dryRun");

	return v != NULL && strcmp(v, "All") == 0;
}

/* -- create -- */

static void
fill_system_fields(const struct resource *r, json_t *meta)
{
	char uid[UUID_SIZE], now[TIME_SIZE];

	util_uuid(uid);
	util_time(now);
	json_puts(meta, "uid", uid);
	json_puts(meta, "creationTimestamp", now);
	json_object_del(meta, "selfLink");
	json_object_del(meta, "deletionTimestamp");
	json_object_del(meta, "deletionGracePeriodSeconds");
	json_object_del(meta, "managedFields");
	if (r->custom)
		json_put(meta, "generation", json_integer(1));
	else
		json_object_del(meta, "generation");
}

static void
generate_name(const struct resource *r, json_t *meta)
{
	const char *base = json_str(meta, "generateName");
	const char *name = json_str(meta, "name");

	if (base == NULL || *base == '\0' || (name != NULL && *name != '\0'))
		return;
	for (int i = 0; i < NAME_TRIES; i++) {
		char suffix[6];
		char *full;
		bool taken;

		util_random_suffix(suffix);
		full = util_format("%.*s%s", GENERATE_MAX, base, suffix);
		taken = store_get(r, json_str(meta, "namespace"), full) != NULL;
		json_puts(meta, "name", full);
		free(full);
		if (!taken)
			return;
	}
}

static void
namespace_label(json_t *obj)
{
	json_t *meta = json_child(obj, "metadata");
	const char *name = json_str(meta, "name");

	if (name != NULL)
		json_puts(json_child(meta, "labels"),
		    "kubernetes.io/metadata.name", name);
}

/* Set where nobody owns them. */
static void
namespace_defaults(json_t *obj)
{
	json_put(json_child(obj, "spec"), "finalizers",
	    json_pack("[s]", "kubernetes"));
	json_puts(json_child(obj, "status"), "phase", "Active");
}

/* Steals obj. */
static void
create_object(struct call *c, json_t *obj)
{
	json_t *meta = json_child(obj, "metadata");
	const char *name, *rv = json_str(meta, "resourceVersion");
	json_t *causes = json_array();
	char manager[MANAGER_MAX + 1];

	fill_system_fields(c->res, meta);
	generate_name(c->res, meta);
	name = json_str(meta, "name");
	if (name == NULL)
		name = "";
	if (c->res->status && c->res->custom)
		json_object_del(obj, "status");
	if (c->res == TYPES_NAMESPACES)
		namespace_label(obj);
	manager_name(c, manager);
	fields_record(c->res, NULL, obj, NULL, manager, "");
	if (c->res == TYPES_NAMESPACES)
		namespace_defaults(obj);
	validate_create(c->res, obj, causes);
	if (!namespace_admits(c, name)) {
		json_decref(causes);
	} else if (!passes(c, name, causes)) {
		;
	} else if (rv != NULL && *rv != '\0') {
		call_fail(c,
		    status_new(500, "",
			"resourceVersion should not be set on objects to be "
			"created",
			NULL));
	} else if (store_get(c->res, c->ns, name) != NULL) {
		call_fail(c, status_exists(c->res, name));
	} else {
		if (!dry_run(c))
			store_put(c->res, json_incref(obj));
		call_reply(c, 201, json_incref(obj));
	}
	json_decref(obj);
}

void
write_create(struct call *c)
{
	json_t *obj;

	store_lock();
	obj = decode_body(c);
	if (obj != NULL) {
		if (namespace_matches(c, obj))
			create_object(c, obj);
		else
			json_decref(obj);
	}
	store_unlock();
}

/* -- update -- */

static void
copy_field(json_t *to, const json_t *from, const char *key)
{
	json_t *v = json_object_get(from, key);

	if (v == NULL)
		json_object_del(to, key);
	else
		json_put(to, key, json_deep_copy(v));
}

static void
keep_system_fields(json_t *meta, const json_t *live)
{
	static const char *const keys[] = {
		"uid",
		"creationTimestamp",
		"generation",
		"deletionTimestamp",
		"deletionGracePeriodSeconds",
		"generateName",
		"resourceVersion",
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		copy_field(meta, live, keys[i]);
	json_object_del(meta, "selfLink");
}

static json_t *
without(const json_t *obj, const char *a, const char *b)
{
	json_t *out = json_copy((json_t *)obj);

	json_object_del(out, a);
	if (b != NULL)
		json_object_del(out, b);
	return out;
}

static bool
same_spec(const json_t *a, const json_t *b)
{
	json_t *x = without(a, "metadata", "status");
	json_t *y = without(b, "metadata", "status");
	bool same = json_equal(x, y);

	json_decref(x);
	json_decref(y);
	return same;
}

/* Equal but for the times at which managers wrote. */
static bool
same_object(const json_t *a, const json_t *b)
{
	json_t *x = json_deep_copy(a), *y = json_deep_copy(b);
	json_t *both[] = { x, y };
	bool same;

	for (size_t k = 0; k < ARRAY_SIZE(both); k++) {
		json_t *e;
		size_t i;

		json_array_foreach(
		    json_at(both[k], "metadata", "managedFields", NULL), i, e)
		    json_object_del(e, "time");
	}
	same = json_equal(x, y);
	json_decref(x);
	json_decref(y);
	return same;
}

static json_t *
check_version(const struct resource *r, const char *name, const json_t *meta,
    const json_t *live)
{
	const json_t *now = json_object_get(live, "metadata");
	const char *rv = json_str(meta, "resourceVersion");
	const char *uid = json_str(meta, "uid");
	struct resource by_plural = *r;
	json_t *causes, *s;
	uint64_t number;
	char *why;

	if (uid != NULL && *uid != '\0' &&
	    strcmp(uid, json_str(now, "uid")) != 0) {
		why = util_format("StorageError: invalid object, Code: 4, Key: "
				  "/registry/%s%s%s/%s/%s, ResourceVersion: 0, "
				  "AdditionalErrorMsg: Precondition failed: "
				  "UID in precondition: %s, UID in object "
				  "meta: %s",
		    r->group, *r->group == '\0' ? "" : "/", r->plural,
		    json_str(now, "namespace"), name, uid,
		    json_str(now, "uid"));
		s = status_conflict(r, name, why);
		free(why);
		return s;
	}
	if (rv != NULL && *rv != '\0' && !util_parse_u64(rv, &number)) {
		why = util_format("strconv.ParseUint: parsing \"%s\": invalid "
				  "syntax",
		    rv);
		s = status_new(500, "", why, NULL);
		free(why);
		return s;
	}
	if (rv != NULL && *rv != '\0')
		return strcmp(rv, json_str(now, "resourceVersion")) == 0
		    ? NULL
		    : status_conflict(r, name, NULL);
	if (r->unconditional_update)
		return NULL;
	causes = json_array();
	validate_cause(causes, "metadata.resourceVersion", "FieldValueInvalid",
	    "Invalid value: 0: must be specified for an update");
	by_plural.kind = r->plural;
	s = status_invalid(&by_plural, name, causes);
	json_decref(causes);
	return s;
}

/*
 * What next becomes once the parts that this path may not touch are back.
 * Metadata in a write of the status stays for now: the real server reckons
 * it in when it decides who owns what, and drops it only then.
 */
static json_t *
restrict_to_path(const struct call *c, json_t *next, const json_t *live)
{
	json_t *out;

	if (!c->res->custom)
		return next;
	if (*c->sub == '\0') {
		copy_field(next, live, "status");
		return next;
	}
	out = json_deep_copy(live);
	copy_field(out, next, "status");
	copy_field(out, next, "metadata");
	json_decref(next);
	return out;
}

static void
keep_metadata(json_t *next, const json_t *live)
{
	json_t *managed =
	    json_incref(json_at(next, "metadata", "managedFields", NULL));

	copy_field(next, live, "metadata");
	if (managed != NULL)
		json_put(
		    json_child(next, "metadata"), "managedFields", managed);
}

static const json_t *
managers_before(const struct call *c, const json_t *meta, const json_t *live)
{
	const json_t *given = json_object_get(meta, "managedFields");

	if (*c->sub == '\0' && json_array_size(given) > 0)
		return given;
	return json_at(live, "metadata", "managedFields", NULL);
}

static void
commit(struct call *c, json_t *next, const json_t *live)
{
	json_t *meta = json_child(next, "metadata");

	if (same_object(next, live)) {
		call_reply(c, 200, json_deep_copy(live));
		return;
	}
	if (c->res->custom && !same_spec(next, live))
		json_put(meta, "generation",
		    json_integer(json_num(meta, "generation", 0) + 1));
	if (dry_run(c)) {
		call_reply(c, 200, json_incref(next));
		return;
	}
	/* The last finalizer is gone: the object goes as it was. */
	if (json_object_get(meta, "deletionTimestamp") != NULL &&
	    json_object_get(meta, "finalizers") == NULL &&
	    c->res != TYPES_NAMESPACES)
		store_delete(c->res, c->ns, c->name);
	else
		store_put(c->res, json_incref(next));
	call_reply(c, 200, json_incref(next));
}

/* Steals next. */
static void
replace(struct call *c, json_t *next, const json_t *live)
{
	json_t *meta = json_child(next, "metadata"), *causes, *fail, *before;
	char manager[MANAGER_MAX + 1];

	fail = check_version(c->res, c->name, meta, live);
	if (fail != NULL) {
		call_fail(c, fail);
		json_decref(next);
		return;
	}
	before = json_deep_copy(managers_before(c, meta, live));
	next = restrict_to_path(c, next, live);
	meta = json_child(next, "metadata");
	keep_system_fields(meta, json_object_get(live, "metadata"));
	manager_name(c, manager);
	fields_record(c->res, live, next, before, manager, c->sub);
	json_decref(before);
	if (*c->sub != '\0')
		keep_metadata(next, live);
	causes = json_array();
	if (*c->sub != '\0')
		validate_status(c->res, next, causes);
	else
		validate_update(c->res, next, live, causes);
	if (passes(c, c->name, causes))
		commit(c, next, live);
	json_decref(next);
}

static bool
name_matches(struct call *c, json_t *obj)
{
	json_t *meta = json_child(obj, "metadata");
	const char *name = json_str(meta, "name");
	char *msg;

	if (name == NULL || *name == '\0') {
		msg = util_format("the name of the object (%s based on URL) "
				  "was undeterminable: name must be provided",
		    c->name);
		call_fail(c, status_bad_request(msg));
		free(msg);
		return false;
	}
	if (strcmp(name, c->name) == 0)
		return true;
	msg = util_format("the name of the object (%s) does not match the "
			  "name on the URL (%s)",
	    name, c->name);
	call_fail(c, status_bad_request(msg));
	free(msg);
	return false;
}

void
write_update(struct call *c)
{
	json_t *obj, *live;

	store_lock();
	obj = decode_body(c);
	if (obj != NULL &&
	    (!name_matches(c, obj) || !namespace_matches(c, obj))) {
		json_decref(obj);
		obj = NULL;
	}
	if (obj != NULL) {
		live = store_get(c->res, c->ns, c->name);
		if (live != NULL) {
			json_incref(live);
			replace(c, obj, live);
			json_decref(live);
		} else if (c->res->create_on_update) {
			create_object(c, obj);
		} else {
			call_fail(c, status_not_found(c->res, c->name));
			json_decref(obj);
		}
	}
	store_unlock();
}

/* -- patch -- */

static void
merge_patch(json_t *target, const json_t *patch)
{
	const char *k;
	json_t *v;

	json_object_foreach((json_t *)patch, k, v)
	{
		if (json_is_null(v))
			json_object_del(target, k);
		else if (json_is_object(v))
			merge_patch(json_child(target, k), v);
		else
			json_put(target, k, json_deep_copy(v));
	}
}

static bool
patch_type_fits(const struct call *c)
{
	if (decode_type_is(c, "application/merge-patch+json"))
		return true;
	return !c->res->custom &&
	    decode_type_is(c, "application/strategic-merge-patch+json");
}

static json_t *
bad_patch_type(const struct call *c)
{
	if (!c->res->custom)
		return status_new(415, "UnsupportedMediaType",
		    "415: Unsupported Media Type", json_object());
	return status_new(415, "UnsupportedMediaType",
	    "the body of the request was in an unknown format - accepted "
	    "media types include: application/json-patch+json, "
	    "application/merge-patch+json, application/apply-patch+yaml",
	    NULL);
}

static void
patch_object(struct call *c, const json_t *patch, json_t *live)
{
	json_t *target = json_deep_copy(live), *fail = NULL, *next;

	json_object_del(json_child(target, "metadata"), "resourceVersion");
	merge_patch(target, patch);
	next = decode_object(c->res, target, &fail);
	json_decref(target);
	if (next == NULL) {
		call_fail(c, fail);
		return;
	}
	if (!name_matches(c, next) || !namespace_matches(c, next)) {
		json_decref(next);
		return;
	}
	if (json_str(json_child(next, "metadata"), "resourceVersion") == NULL)
		copy_field(json_child(next, "metadata"),
		    json_object_get(live, "metadata"), "resourceVersion");
	replace(c, next, live);
}

void
write_patch(struct call *c)
{
	json_t *patch, *live;

	if (!patch_type_fits(c)) {
		call_fail(c, bad_patch_type(c));
		return;
	}
	patch = json_parse(c->req->body, c->req->body_len, NULL);
	if (!json_is_object(patch)) {
		call_fail(c,
		    status_bad_request("error decoding patch: unexpected end "
				       "of JSON input"));
		json_decref(patch);
		return;
	}
	store_lock();
	live = store_get(c->res, c->ns, c->name);
	if (live == NULL) {
		call_fail(c, status_not_found(c->res, c->name));
	} else {
		json_incref(live);
		patch_object(c, patch, live);
		json_decref(live);
	}
	store_unlock();
	json_decref(patch);
}

/* -- delete -- */

static json_t *
check_preconditions(
    const struct call *c, const json_t *options, const json_t *live)
{
	static const struct {
		const char *key;
		const char *word;
		const char *fate;
	} fields[] = {
		{ "uid", "UID", "deleted and then recreated" },
		{ "resourceVersion", "ResourceVersion", "modified" },
	};
	const json_t *pre = json_object_get(options, "preconditions");

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const char *want = json_str(pre, fields[i].key);
		const char *have =
		    json_str(json_object_get(live, "metadata"), fields[i].key);
		char *why;
		json_t *s;

		if (want == NULL || strcmp(want, have) == 0)
			continue;
		why = util_format("the %s in the precondition (%s) does not "
				  "match the %s in record (%s). The object "
				  "might have been %s",
		    fields[i].word, want, fields[i].word, have, fields[i].fate);
		s = status_conflict_by_kind(c->res, c->name, why);
		free(why);
		return s;
	}
	return NULL;
}

static bool
must_wait(const struct resource *r, const json_t *live)
{
	return r == TYPES_NAMESPACES ||
	    json_array_size(json_at(live, "metadata", "finalizers", NULL)) > 0;
}

static json_t *
mark_deleted(const struct resource *r, const json_t *live)
{
	json_t *next = json_deep_copy(live);
	json_t *meta = json_child(next, "metadata");
	char now[TIME_SIZE];

	if (json_object_get(meta, "deletionTimestamp") != NULL)
		return next;
	util_time(now);
	json_puts(meta, "deletionTimestamp", now);
	if (r == TYPES_NAMESPACES) {
		json_puts(json_child(next, "status"), "phase", "Terminating");
	} else {
		json_put(meta, "deletionGracePeriodSeconds", json_integer(0));
	}
	if (r->custom)
		json_put(meta, "generation",
		    json_integer(json_num(meta, "generation", 0) + 1));
	store_put(r, json_incref(next));
	return next;
}

static void
delete_object(struct call *c, const json_t *options, json_t *live)
{
	json_t *fail = check_preconditions(c, options, live);

	if (fail != NULL) {
		call_fail(c, fail);
		return;
	}
	if (must_wait(c->res, live)) {
		call_reply(c, 200, mark_deleted(c->res, live));
		return;
	}
	call_reply(c, 200,
	    status_deleted(c->res, c->name,
		json_str(json_object_get(live, "metadata"), "uid")));
	if (!dry_run(c))
		store_delete(c->res, c->ns, c->name);
}

void
write_delete(struct call *c)
{
	json_t *options = NULL, *live;

	if (c->req->body_len > 0) {
		options = json_parse(c->req->body, c->req->body_len, NULL);
		if (options == NULL) {
			call_fail(c,
			    status_bad_request("cannot decode the delete "
					       "options"));
			return;
		}
	}
	store_lock();
	live = store_get(c->res, c->ns, c->name);
	if (live == NULL) {
		call_fail(c, status_not_found(c->res, c->name));
	} else {
		json_incref(live);
		delete_object(c, options, live);
		json_decref(live);
	}
	store_unlock();
	json_decref(options);
}

void
write_remove(const struct resource *r, const char *ns, const char *name)
{
	json_t *live = store_get(r, ns, name);

	if (live == NULL)
		return;
	if (r != TYPES_NAMESPACES && must_wait(r, live))
		json_decref(mark_deleted(r, live));
	else
		store_delete(r, ns, name);
}

void
write_namespace(const char *name)
{
	json_t *raw, *obj, *fail = NULL;

	if (store_get(TYPES_NAMESPACES, NULL, name) != NULL)
		return;
	raw = json_pack("{s:{s:s}}", "metadata", "name", name);
	obj = decode_object(TYPES_NAMESPACES, raw, &fail);
	json_decref(raw);
	fill_system_fields(TYPES_NAMESPACES, json_child(obj, "metadata"));
	namespace_label(obj);
	fields_record(TYPES_NAMESPACES, NULL, obj, NULL, "kube-apiserver", "");
	namespace_defaults(obj);
	store_put(TYPES_NAMESPACES, obj);
}
