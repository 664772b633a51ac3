/*
 * Typed requests: get, list, create, update, update of the status, delete,
 * patch. One client per thread (it owns nothing but a borrowed transport and a
 * shared rate limiter). Failures of the server come as the err_code that
 * apistatus.c makes of the Status body: code for decisions, the server's own
 * message as text (cut at 512 bytes, control characters replaced), and
 * retry_after_s. A 2xx answer that is not the JSON it should be is ERR_SERVER.
 */
#ifndef KUBE_CLIENT_H
#define KUBE_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/thread.h"
#include "kube/objkey.h"
#include "kube/transport.h"

struct kube_resource {
	const char *prefix;	 /* "/api/v1" or "/apis/bitnami.com/v1alpha1" */
	const char *plural;	 /* "secrets" */
	const char *kind;	 /* "Secret" */
	const char *api_version; /* "v1" */
	bool metadata_only;  /* lists and watches as PartialObjectMetadata */
	bool cluster_scoped; /* the namespace of a key is not looked at */
	const char *manager; /* fieldManager of writes; NULL: the server makes
				it of the User-Agent */
};

/* Our name in managedFields, which is the reference's too. */
#define KUBE_MANAGER "controller"

extern const struct kube_resource KUBE_SECRETS;
extern const struct kube_resource KUBE_SECRETS_META;
extern const struct kube_resource KUBE_SEALEDSECRETS;
extern const struct kube_resource KUBE_EVENTS;
extern const struct kube_resource KUBE_LEASES;
extern const struct kube_resource KUBE_CONFIGMAPS;
extern const struct kube_resource KUBE_NAMESPACES; /* cluster-scoped */
/* Created and never stored: the answer is in the object that comes back. */
extern const struct kube_resource KUBE_TOKEN_REVIEWS;
extern const struct kube_resource KUBE_ACCESS_REVIEWS;

/* Token bucket shared by all clients of the process; NULL: unlimited. qps <= 0
 * means unlimited. */
struct kube_limiter;
struct kube_limiter *
kube_limiter_new(double qps, int burst, const struct clock *clock);
void kube_limiter_free(struct kube_limiter *l);
/* Takes one token; nanoseconds to wait before it may be used. */
uint64_t kube_limiter_reserve(struct kube_limiter *l);
/* Takes one token and waits for it. ERR_CANCELLED where stop (may be NULL) is
 * requested meanwhile. A NULL limiter never waits. */
int kube_limiter_wait(
    struct kube_limiter *l, struct stop *stop, struct err *err) MUST_CHECK;

struct kube_client {
	struct kube_transport *transport; /* borrowed */
	struct kube_limiter *limiter;	  /* borrowed, may be NULL */
	struct stop *stop;		  /* borrowed, may be NULL: ends a wait
					     for the limiter */
	struct stop *abort; /* may be NULL; see struct kube_request */
	/* Asked before each request that is no GET: false refuses it with
	 * ERR_CANCELLED. NULL: always true. From the client's thread. */
	bool (*may_write)(void *ctx);
	void *may_write_ctx;
	uint64_t timeout_ms; /* of one request; 0: 30 s, lists 60 s */
};

/* The answer's object is owned by the caller; ret may be NULL: not wanted. */
int kube_get(struct kube_client *c, const struct kube_resource *res,
    const struct objkey *key, json_t **ret, struct err *err) MUST_CHECK;
/* POST; obj is borrowed. ERR_EXISTS on AlreadyExists. */
int kube_create(struct kube_client *c, const struct kube_resource *res,
    const char *ns, const json_t *obj, json_t **ret,
    struct err *err) MUST_CHECK;
/* The same with dryRun=All: checked, admitted, not stored. */
int kube_create_dry_run(struct kube_client *c, const struct kube_resource *res,
    const char *ns, const json_t *obj, struct err *err) MUST_CHECK;
/* PUT; obj carries metadata.resourceVersion. ERR_CONFLICT where stale. */
int kube_update(struct kube_client *c, const struct kube_resource *res,
    const struct objkey *key, const json_t *obj, json_t **ret,
    struct err *err) MUST_CHECK;
/* PUT of the status subresource. */
int kube_update_status(struct kube_client *c, const struct kube_resource *res,
    const struct objkey *key, const json_t *obj, json_t **ret,
    struct err *err) MUST_CHECK;
/* DELETE with preconditions; uid and rv may be NULL. */
int kube_delete(struct kube_client *c, const struct kube_resource *res,
    const struct objkey *key, const char *uid, const char *rv,
    struct err *err) MUST_CHECK;
/* PATCH application/strategic-merge-patch+json (events). */
int kube_patch(struct kube_client *c, const struct kube_resource *res,
    const struct objkey *key, const json_t *patch, json_t **ret,
    struct err *err) MUST_CHECK;
/*
 * Whole list, page by page; each item is handed over (borrowed) as soon as it
 * is read and gone before the next one. each() returning -1 ends it. ns NULL:
 * all namespaces. The list's resourceVersion goes to rv (NULL: not wanted;
 * owned by the caller). Items of a list carry no kind and apiVersion. Where a
 * continue token has expired the list starts again once, unpaged: each() then
 * sees items a second time. Only 0 means that each() saw all of them.
 */
int kube_list(struct kube_client *c, const struct kube_resource *res,
    const char *ns, const char *selector,
    int (*each)(void *ctx, json_t *item, struct err *err), void *ctx, char **rv,
    struct err *err) MUST_CHECK;

/* ---- resource.c: URLs ---- */
/* Media type to ask for: JSON, or PartialObjectMetadata(List). */
const char *kube_accept(const struct kube_resource *res, bool list);
/* "/api/v1/namespaces/ns/secrets"; ns NULL: all. Percent-encoded. */
void kube_path_collection(
    const struct kube_resource *res, const char *ns, struct buf *out);
void kube_path_object(const struct kube_resource *res, const struct objkey *key,
    const char *subresource, struct buf *out);
/* Appends "?name=value" or "&name=value", encoded. */
void kube_path_query(struct buf *path, const char *name, const char *value);

/* ---- apistatus.c ---- */
/* A non-2xx answer -> code, text, retry_after_s. Always -1. */
int kube_status_error(const struct kube_response *resp, struct err *err);
/* The same of a Status object (ERROR event of a watch). Always -1. */
int kube_status_object_error(const json_t *status, struct err *err);

#endif
