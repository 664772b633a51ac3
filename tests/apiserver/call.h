/*
 * One request on its way through the server: what was asked, and the answer.
 */
#ifndef APISERVER_CALL_H
#define APISERVER_CALL_H

#include "http.h"
#include "types.h"

struct call {
	struct conn *conn;
	const struct http_request *req;
	const struct resource *res; /* NULL: not one of our resources */
	const char *verb;	    /* get, list, watch, create, ... */
	char resource[64];	    /* "secrets", "sealedsecrets/status" */
	const char *ns;		    /* "" when cluster-wide */
	const char *name;	    /* "" when none */
	const char *sub;	    /* "" or "status" */
	bool partial;		    /* PartialObjectMetadata(List) asked for */
	json_t *fault;		    /* the rule that fires, or NULL */

	int code;
	const char *type;
	json_t *headers; /* extra ones, or NULL */
	char *body;
	bool streamed; /* a watch: already written */
};

/* The answer; both steal. The store's lock is held when v is stored. */
void call_reply(struct call *c, int code, json_t *v);
void call_fail(struct call *c, json_t *status);

/* v cut down to its metadata; a new object. */
json_t *call_partial(const json_t *v);

void read_get(struct call *c);
void read_list(struct call *c);
void watch_serve(struct call *c);
void write_create(struct call *c);
void write_update(struct call *c);
void write_patch(struct call *c);
void write_delete(struct call *c);

/* Deletes on behalf of the server itself; the lock is held. */
void write_remove(const struct resource *r, const char *ns, const char *name);
void write_namespace(const char *name);

#endif
