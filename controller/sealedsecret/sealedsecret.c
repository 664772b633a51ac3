/*
 * Checked view over the JSON of a SealedSecret, and its digest.
 */
#include "sealedsecret.h"

#include <string.h>

#include "base/hash.h"
#include "base/jsonx.h"
#include "base/timefmt.h"

/* Of managedFields; more are no honest object's. */
#define WRITERS_MAX 64

int
sealedsecret_view(const json_t *obj, struct sealedsecret *ret, struct err *err)
{
	const char *rv = jsonx_str(obj, "metadata", "resourceVersion", NULL);
	struct sealedsecret v = { .json = obj };

	if (objkey_of(obj, &v.key, err) < 0)
		return -1;
	v.uid = jsonx_str(obj, "metadata", "uid", NULL);
	if (v.uid == NULL || v.uid[0] == '\0')
		return err_set(err, ERR_INVALID, "metadata.uid: missing");
	v.rv = rv != NULL ? rv : "";
	v.generation = jsonx_int(obj, "metadata", "generation", NULL);
	v.scope = scope_of(obj);
	v.deleting =
	    jsonx_str(obj, "metadata", "deletionTimestamp", NULL) != NULL;
	*ret = v;
	return 0;
}

/* Hashes a stream in blocks, so that no copy of the object is made. */
struct digest {
	size_t len;
	unsigned char block[4096]; /* begins with the hash so far */
};

static void
digest_flush(struct digest *d)
{
	uint64_t h = hash_bytes(d->block, d->len);

	memcpy(d->block, &h, sizeof(h));
	d->len = sizeof(h);
}

static int
digest_feed(const char *p, size_t len, void *arg)
{
	struct digest *d = arg;

	while (len > 0) {
		size_t room = sizeof(d->block) - d->len;
		size_t n = len < room ? len : room;

		memcpy(d->block + d->len, p, n);
		d->len += n;
		p += n;
		len -= n;
		if (d->len == sizeof(d->block))
			digest_flush(d);
	}
	return 0;
}

uint64_t
sealedsecret_digest(const json_t *obj)
{
	struct digest d = { .len = sizeof(uint64_t) };
	const json_t *spec = jsonx_get(obj, "spec", NULL);
	unsigned char scope = (unsigned char)scope_of(obj);
	uint64_t h;

	(void)digest_feed((const char *)&scope, 1, &d);
	/* Absent and null read the same; a dump that fails half-way (it has no
	 * reason to) is a digest like any other. */
	if (spec != NULL)
		(void)json_dump_callback(spec, digest_feed, &d,
		    JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	digest_flush(&d);
	memcpy(&h, d.block, sizeof(h));
	return h;
}

int64_t
sealedsecret_written_s(const json_t *obj)
{
	const json_t *writers =
	    jsonx_array(obj, "metadata", "managedFields", NULL);
	int64_t latest = 0, s;

	for (size_t i = 0; i < json_array_size(writers) && i < WRITERS_MAX;
	     i++) {
		const json_t *w = json_array_get(writers, i);

		if (jsonx_get(w, "fieldsV1", "f:spec", NULL) == NULL)
			continue;
		s = timefmt_rfc3339_or(jsonx_str(w, "time", NULL), 0);
		if (s > latest)
			latest = s;
	}
	if (latest != 0)
		return latest;
	return timefmt_rfc3339_or(
	    jsonx_str(obj, "metadata", "creationTimestamp", NULL), 0);
}

uint32_t
sealedsecret_items(const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");

	if (jsonx_get(spec, "data", NULL) != NULL)
		return 1;
	return (uint32_t)json_object_size(
	    json_object_get(spec, "encryptedData"));
}

const char *
sealedsecret_instance(const json_t *obj)
{
	const char *s = jsonx_str(
	    obj, "metadata", "labels", "app.kubernetes.io/instance", NULL);

	return s != NULL ? s : "";
}

uint32_t
sealedsecret_instance_tag(const json_t *obj)
{
	return (uint32_t)hash_str(sealedsecret_instance(obj));
}

int
sealedsecret_type_error(
    const char *where, const char *want, const json_t *v, struct err *err)
{
	return err_set(err, ERR_INVALID, "%s: expected %s, got %s", where, want,
	    v != NULL ? jsonx_type_name(v) : "nothing");
}

int
sealedsecret_object(const json_t *obj, const char *name, const char *where,
    const json_t **ret, struct err *err)
{
	const json_t *v = json_object_get(obj, name);

	if (v != NULL && !json_is_null(v) && !json_is_object(v))
		return sealedsecret_type_error(where, "object", v, err);
	*ret = json_is_object(v) ? v : NULL;
	return 0;
}

bool
sealedsecret_valid_item(const char *name, size_t len)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-._";

	if (len == 0 || len > SECRET_KEY_MAX || strlen(name) != len)
		return false;
	if (strspn(name, allowed) != len)
		return false;
	return strcmp(name, ".") != 0 && strncmp(name, "..", 2) != 0;
}
