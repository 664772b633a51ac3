/*
 * An API server in memory behind struct kube_transport.
 */
#include "fakekube.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "base/thread.h"

#define CALLS_MAX 4096
#define BODY_MAX  (8 * 1024 * 1024)

struct fakekube {
	struct kube_transport transport;
	struct mutex mu;
	json_t *objects;	/* guarded by mu: "plural/ns/name" -> object */
	unsigned serial;	/* guarded by mu: resourceVersion and UIDs */
	char *calls[CALLS_MAX]; /* guarded by mu: "METHOD path" */
	unsigned ncalls;	/* guarded by mu */
	unsigned fail_in;
	enum fakekube_fault fault;
	const char *match;
	enum fakekube_fault match_fault;
	bool no_status;
	void (*before)(void *ctx, const char *method, const char *path);
	void *before_ctx;
};

/* ---- answers ---- */

static void
answer(struct kube_response *ret, int status, const json_t *body)
{
	struct err err = ERR_INIT;

	*ret = (struct kube_response) {
		.status = status,
		.json = true,
		.retry_after_s = status == 429 ? 7 : -1,
		.body = BUF_INIT(BODY_MAX),
	};
	if (jsonx_dump(body, &ret->body, &err) < 0)
		abort();
}

static void PRINTF(4, 5) refuse(struct kube_response *ret, int status,
    const char *reason, const char *fmt, ...)
{
	AUTO_JSON json_t *body = json_object();
	char message[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	jsonx_set_str(body, "kind", "Status");
	jsonx_set_str(body, "apiVersion", "v1");
	jsonx_set_str(body, "status", "Failure");
	jsonx_set_str(body, "reason", reason);
	jsonx_set_str(body, "message", message);
	jsonx_set(body, "code", json_integer(status));
	answer(ret, status, body);
}

/* ---- the store ---- */

/* What a request or an object is about. */
struct target {
	char plural[32], ns[64], name[256], sub[16];
	char key[384];
};

static void
target_key(struct target *t)
{
	snprintf(t->key, sizeof(t->key), "%s/%s/%s", t->plural, t->ns, t->name);
}

static void
target_of_object(const json_t *obj, const char *plural, struct target *t)
{
	const char *ns = jsonx_str(obj, "metadata", "namespace", NULL);
	const char *name = jsonx_str(obj, "metadata", "name", NULL);

	memset(t, 0, sizeof(*t));
	snprintf(t->plural, sizeof(t->plural), "%s", plural);
	snprintf(t->ns, sizeof(t->ns), "%s", ns != NULL ? ns : "");
	snprintf(t->name, sizeof(t->name), "%s", name != NULL ? name : "");
	target_key(t);
}

static bool
target_of_path(const char *path, struct target *t)
{
	const char *p = strstr(path, "/namespaces/");

	memset(t, 0, sizeof(*t));
	if (p == NULL ||
	    sscanf(p, "/namespaces/%63[^/?]/%31[^/?]/%255[^/?]/%15[^/?]", t->ns,
		t->plural, t->name, t->sub) < 2)
		return false;
	target_key(t);
	return true;
}

static void
stamp(struct fakekube *f, json_t *obj)
{
	char rv[32];

	snprintf(rv, sizeof(rv), "%u", ++f->serial);
	jsonx_set_str(
	    jsonx_object(obj, "metadata", NULL), "resourceVersion", rv);
}

/* The new state of an object, old being the present one or NULL. */
static void
store(
    struct fakekube *f, const struct target *t, json_t *obj, const json_t *old)
{
	json_t *metadata = jsonx_object(obj, "metadata", NULL);
	const char *uid = jsonx_str(old, "metadata", "uid", NULL);
	int64_t generation = jsonx_int(old, "metadata", "generation", NULL);
	char fresh[64];

	snprintf(fresh, sizeof(fresh), "uid-%u", f->serial + 1);
	if (uid == NULL && jsonx_str(metadata, "uid", NULL) == NULL)
		uid = fresh;
	if (uid != NULL)
		jsonx_set_str(metadata, "uid", uid);
	if (strcmp(t->plural, "sealedsecrets") == 0 &&
	    !json_equal(
		json_object_get(obj, "spec"), json_object_get(old, "spec")))
		jsonx_set(metadata, "generation", json_integer(generation + 1));
	else if (generation > 0)
		jsonx_set(metadata, "generation", json_integer(generation));
	if (strcmp(t->plural, "secrets") == 0 &&
	    jsonx_str(obj, "type", NULL) == NULL)
		jsonx_set_str(obj, "type", "Opaque");
	stamp(f, obj);
	jsonx_set(f->objects, t->key, json_incref(obj));
}

void
fakekube_put(struct fakekube *f, json_t *obj)
{
	const char *kind = jsonx_str(obj, "kind", NULL);
	struct target t;

	target_of_object(
	    obj, strcmp(kind, "Secret") == 0 ? "secrets" : "sealedsecrets", &t);
	mutex_lock(&f->mu);
	store(f, &t, obj, json_object_get(f->objects, t.key));
	mutex_unlock(&f->mu);
	json_decref(obj);
}

json_t *
fakekube_get(
    struct fakekube *f, const char *plural, const char *ns, const char *name)
{
	char key[384];
	json_t *v;

	snprintf(key, sizeof(key), "%s/%s/%s", plural, ns, name);
	mutex_lock(&f->mu);
	v = json_deep_copy(json_object_get(f->objects, key));
	mutex_unlock(&f->mu);
	return v;
}

json_t *
fakekube_all(struct fakekube *f, const char *plural)
{
	json_t *all = json_array();
	const char *key;
	json_t *v;

	mutex_lock(&f->mu);
	json_object_foreach(
	    f->objects, key, v) if (strncmp(key, plural, strlen(plural)) == 0 &&
	    key[strlen(plural)] == '/')(void)
	    json_array_append_new(all, json_deep_copy(v));
	mutex_unlock(&f->mu);
	return all;
}

bool
fakekube_remove(
    struct fakekube *f, const char *plural, const char *ns, const char *name)
{
	char key[384];
	bool had;

	snprintf(key, sizeof(key), "%s/%s/%s", plural, ns, name);
	mutex_lock(&f->mu);
	had = json_object_del(f->objects, key) == 0;
	mutex_unlock(&f->mu);
	return had;
}

/* ---- requests ---- */

static const char *
qualified(const struct target *t)
{
	return strcmp(t->plural, "sealedsecrets") == 0
	    ? "sealedsecrets.bitnami.com"
	    : t->plural;
}

static void
not_found(struct kube_response *ret, const struct target *t)
{
	refuse(
	    ret, 404, "NotFound", "%s \"%s\" not found", qualified(t), t->name);
}

static void
conflict(struct kube_response *ret, const struct target *t)
{
	refuse(ret, 409, "Conflict",
	    "Operation cannot be fulfilled on %s \"%s\": the object has been "
	    "modified; please apply your changes to the latest version and try "
	    "again",
	    qualified(t), t->name);
}

static bool
text_differs(const json_t *a, const json_t *b, const char *member)
{
	const char *x = jsonx_str(a, "metadata", member, NULL);
	const char *y = jsonx_str(b, "metadata", member, NULL);

	return x != NULL && (y == NULL || strcmp(x, y) != 0);
}

static void
do_create(struct fakekube *f, struct target *t, json_t *body,
    struct kube_response *ret)
{
	struct target named;

	target_of_object(body, t->plural, &named);
	*t = named;
	if (json_object_get(f->objects, t->key) != NULL) {
		refuse(ret, 409, "AlreadyExists", "%s \"%s\" already exists",
		    qualified(t), t->name);
		return;
	}
	store(f, t, body, NULL);
	answer(ret, 201, body);
}

/* What the server's validation of an updated Secret refuses. */
static bool
refuse_update(const struct target *t, const json_t *old, const json_t *body,
    struct kube_response *ret)
{
	const char *type = jsonx_str(body, "type", NULL);

	if (type == NULL)
		type = "Opaque";
	if (strcmp(type, jsonx_str(old, "type", NULL)) != 0) {
		refuse(ret, 422, "Invalid",
		    "Secret \"%s\" is invalid: type: Invalid value: \"%s\": "
		    "field is immutable",
		    t->name, type);
		return true;
	}
	if (jsonx_is_true(old, "immutable", NULL) &&
	    !json_equal(
		json_object_get(old, "data"), json_object_get(body, "data"))) {
		refuse(ret, 422, "Invalid",
		    "Secret \"%s\" is invalid: data: Forbidden: field is "
		    "immutable when `immutable` is set",
		    t->name);
		return true;
	}
	return false;
}

static void
do_update(struct fakekube *f, const struct target *t, json_t *body,
    struct kube_response *ret)
{
	json_t *old = json_object_get(f->objects, t->key);

	if (old == NULL) {
		not_found(ret, t);
		return;
	}
	if (text_differs(body, old, "resourceVersion") ||
	    text_differs(body, old, "uid")) {
		conflict(ret, t);
		return;
	}
	if (strcmp(t->plural, "secrets") == 0 &&
	    refuse_update(t, old, body, ret))
		return;
	json_incref(old);
	store(f, t, body, old);
	json_decref(old);
	answer(ret, 200, body);
}

static void
do_update_status(struct fakekube *f, const struct target *t, json_t *body,
    struct kube_response *ret)
{
	json_t *old = json_object_get(f->objects, t->key);
	AUTO_JSON json_t *next = NULL;

	if (f->no_status) {
		refuse(ret, 404, "NotFound",
		    "the server could not find the requested resource");
		return;
	}
	if (old == NULL) {
		not_found(ret, t);
		return;
	}
	if (text_differs(body, old, "resourceVersion") ||
	    text_differs(body, old, "uid")) {
		conflict(ret, t);
		return;
	}
	next = json_deep_copy(old);
	jsonx_set(next, "status", json_incref(json_object_get(body, "status")));
	stamp(f, next);
	jsonx_set(f->objects, t->key, json_incref(next));
	answer(ret, 200, next);
}

static void
do_delete(struct fakekube *f, const struct target *t, const json_t *body,
    struct kube_response *ret)
{
	json_t *old = json_object_get(f->objects, t->key);
	AUTO_JSON json_t *want = json_object();

	if (old == NULL) {
		not_found(ret, t);
		return;
	}
	jsonx_set(want, "metadata",
	    json_incref(json_object_get(body, "preconditions")));
	if (text_differs(want, old, "resourceVersion") ||
	    text_differs(want, old, "uid")) {
		conflict(ret, t);
		return;
	}
	(void)json_object_del(f->objects, t->key);
	refuse(ret, 200, "", "deleted");
}

/* Enough for events: members are replaced. */
static void
do_patch(struct fakekube *f, const struct target *t, json_t *body,
    struct kube_response *ret)
{
	json_t *old = json_object_get(f->objects, t->key);

	if (old == NULL) {
		not_found(ret, t);
		return;
	}
	json_object_update(old, body);
	answer(ret, 200, old);
}

static void
serve_locked(struct fakekube *f, const struct kube_request *req,
    struct kube_response *ret)
{
	AUTO_JSON json_t *body = NULL;
	struct target t;
	json_t *v;

	if (req->body != NULL)
		body = json_loadb(req->body, req->body_len, 0, NULL);
	if (!target_of_path(req->path, &t)) {
		refuse(ret, 404, "NotFound", "no such path");
	} else if (strcmp(req->method, "POST") == 0) {
		do_create(f, &t, body, ret);
	} else if (strcmp(req->method, "PUT") == 0) {
		if (strcmp(t.sub, "status") == 0)
			do_update_status(f, &t, body, ret);
		else
			do_update(f, &t, body, ret);
	} else if (strcmp(req->method, "PATCH") == 0) {
		do_patch(f, &t, body, ret);
	} else if (strcmp(req->method, "DELETE") == 0) {
		do_delete(f, &t, body, ret);
	} else if ((v = json_object_get(f->objects, t.key)) != NULL) {
		answer(ret, 200, v);
	} else {
		not_found(ret, &t);
	}
}

static enum fakekube_fault
next_fault_locked(struct fakekube *f, const char *call)
{
	if (f->fail_in > 0 && --f->fail_in == 0)
		return f->fault;
	if (f->match != NULL && strstr(call, f->match) != NULL)
		return f->match_fault;
	return FAKEKUBE_OK;
}

/* The answer of a fault, or false: to be served. */
static bool
faulty(enum fakekube_fault fault, const struct kube_request *req,
    struct kube_response *ret)
{
	switch (fault) {
	case FAKEKUBE_500:
		refuse(ret, 500, "InternalError", "etcdserver: timed out");
		return true;
	case FAKEKUBE_429:
		refuse(ret, 429, "TooManyRequests", "too many requests");
		return true;
	case FAKEKUBE_401:
		refuse(ret, 401, "Unauthorized", "Unauthorized");
		return true;
	case FAKEKUBE_403:
		refuse(ret, 403, "Forbidden", "forbidden: no such right");
		return true;
	case FAKEKUBE_422:
		refuse(ret, 422, "Invalid", "denied by a policy");
		return true;
	case FAKEKUBE_ECHO:
		refuse(ret, 422, "Invalid", "denied: %.*s", (int)req->body_len,
		    req->body != NULL ? (const char *)req->body : "");
		return true;
	case FAKEKUBE_CONFLICT:
		refuse(ret, 409, "Conflict", "the object has been modified");
		return true;
	case FAKEKUBE_OK:
	case FAKEKUBE_CUT:
	case FAKEKUBE_LOST:
		break;
	}
	return false;
}

static int
perform(void *ctx, const struct kube_request *req, struct kube_response *ret,
    struct err *err)
{
	struct fakekube *f = ctx;
	enum fakekube_fault fault;
	char *call = xasprintf("%s %s", req->method, req->path);

	if (f->before != NULL)
		f->before(f->before_ctx, req->method, req->path);
	mutex_lock(&f->mu);
	if (f->ncalls == CALLS_MAX)
		abort();
	f->calls[f->ncalls++] = call;
	fault = next_fault_locked(f, call);
	if (fault != FAKEKUBE_CUT && !faulty(fault, req, ret))
		serve_locked(f, req, ret);
	mutex_unlock(&f->mu);
	if (fault == FAKEKUBE_LOST)
		buf_release(&ret->body);
	if (fault == FAKEKUBE_CUT || fault == FAKEKUBE_LOST)
		return err_set(err, ERR_TRANSPORT, "connection lost");
	return 0;
}

/* ---- the fake itself ---- */

struct fakekube *
fakekube_new(void)
{
	struct fakekube *f = xcalloc(1, sizeof(*f));

	f->transport.ctx = f;
	f->transport.perform = perform;
	f->objects = json_object();
	mutex_init(&f->mu);
	return f;
}

void
fakekube_free(struct fakekube *f)
{
	if (f == NULL)
		return;
	fakekube_forget_calls(f);
	json_decref(f->objects);
	mutex_destroy(&f->mu);
	mem_free_wiped(f);
}

struct kube_transport *
fakekube_transport(struct fakekube *f)
{
	return &f->transport;
}

void
fakekube_fail(struct fakekube *f, unsigned nth, enum fakekube_fault fault)
{
	f->fail_in = nth;
	f->fault = fault;
}

void
fakekube_fail_all(
    struct fakekube *f, const char *match, enum fakekube_fault fault)
{
	f->match = match;
	f->match_fault = fault;
}

void
fakekube_no_status(struct fakekube *f, bool none)
{
	f->no_status = none;
}

void
fakekube_hook(struct fakekube *f,
    void (*before)(void *ctx, const char *method, const char *path), void *ctx)
{
	f->before = before;
	f->before_ctx = ctx;
}

unsigned
fakekube_calls(struct fakekube *f, const char *match)
{
	unsigned n = 0;

	mutex_lock(&f->mu);
	for (unsigned i = 0; i < f->ncalls; i++)
		if (match == NULL || strstr(f->calls[i], match) != NULL)
			n++;
	mutex_unlock(&f->mu);
	return n;
}

void
fakekube_forget_calls(struct fakekube *f)
{
	mutex_lock(&f->mu);
	while (f->ncalls > 0)
		mem_free_wiped(f->calls[--f->ncalls]);
	mutex_unlock(&f->mu);
}
