/*
 * A client for a Kubernetes API server, for tests: one request after the
 * other over libcurl, bodies as JSON. Not thread-safe.
 */
#ifndef LIB_API_H
#define LIB_API_H

#include <jansson.h>

#include "base/compiler.h"

#define API_JSON      "application/json"
#define API_MERGE     "application/merge-patch+json"
#define API_STRATEGIC "application/strategic-merge-patch+json"
#define API_PARTIAL \
	"application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
#define API_PARTIAL_LIST \
	"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

struct api;

struct api_request {
	const char *method; /* NULL: GET */
	const char *path;   /* with the query */
	const char *accept; /* NULL: application/json */
	const char *type;   /* of the body; NULL: application/json */
	const char *agent;  /* User-Agent; NULL: the client's */
	const json_t *body;
	const char *raw; /* instead of body */
};

struct api_reply {
	long code;    /* -1: no answer */
	json_t *json; /* NULL: the body is no JSON */
	char *text;   /* the body */
	char *type;   /* Content-Type or "" */
	char *error;  /* for code -1 */
};

/* base: "http://127.0.0.1:1234"; token may be NULL. */
struct api *api_new(const char *base, const char *token);
/* Reads the current context; aborts with a message when it cannot. */
struct api *api_from_kubeconfig(const char *path);
void api_free(struct api *a);

const char *api_base(const struct api *a);
void api_set_token(struct api *a, const char *token);
/* The token (NULL: none) instead of any client certificate. */
void api_set_credentials(struct api *a, const char *token);
void api_set_agent(struct api *a, const char *agent);

void
api_do(struct api *a, const struct api_request *req, struct api_reply *ret);
void api_reply_release(struct api_reply *r);

/*
 * Shorthands: the HTTP code (-1: no answer); the body, if wanted and JSON,
 * goes to *ret (NULL otherwise) and is owned by the caller. Paths are
 * formatted.
 */
long api_get(struct api *a, json_t **ret, const char *fmt, ...) PRINTF(3, 4);
long api_post(struct api *a, const json_t *body, json_t **ret, const char *fmt,
    ...) PRINTF(4, 5);
long api_put(struct api *a, const json_t *body, json_t **ret, const char *fmt,
    ...) PRINTF(4, 5);
long api_patch(struct api *a, const char *type, const json_t *body,
    json_t **ret, const char *fmt, ...) PRINTF(5, 6);
long api_delete(struct api *a, const json_t *options, json_t **ret,
    const char *fmt, ...) PRINTF(4, 5);

/*
 * A watch that ends by its own timeoutSeconds: every line of the body that
 * is JSON, as an array. NULL when the answer was no stream; *code says what.
 */
json_t *api_lines(struct api *a, const char *accept, long *code,
    const char *fmt, ...) PRINTF(4, 5);

DEFINE_AUTO(api);
DEFINE_AUTO_RELEASE(api_reply);

#endif
