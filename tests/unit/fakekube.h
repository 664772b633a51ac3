/*
 * An API server in memory behind struct kube_transport: Secrets and
 * SealedSecrets with uid, resourceVersion and generation, the usual refusals,
 * and faults on demand. Knows nothing but base and the transport's struct, so
 * that every test program can link it. Thread-safe.
 */
#ifndef TESTS_UNIT_FAKEKUBE_H
#define TESTS_UNIT_FAKEKUBE_H

#include <jansson.h>
#include <stdbool.h>

#include "kube/transport.h"

struct fakekube;

enum fakekube_fault {
	FAKEKUBE_OK,
	FAKEKUBE_500,
	FAKEKUBE_429, /* Retry-After: 7 */
	FAKEKUBE_401,
	FAKEKUBE_403,	   /* as RBAC refuses */
	FAKEKUBE_422,	   /* as a policy refuses */
	FAKEKUBE_ECHO,	   /* 422 that quotes the request's body */
	FAKEKUBE_CONFLICT, /* 409 Conflict, not applied */
	FAKEKUBE_CUT,	   /* connection lost, not applied */
	FAKEKUBE_LOST,	   /* applied, the answer is lost */
};

struct fakekube *fakekube_new(void);
void fakekube_free(struct fakekube *f);
/* Belongs to the fake. */
struct kube_transport *fakekube_transport(struct fakekube *f);

/* Stores obj (stolen) as the server would on a create or update by somebody
 * else, giving uid, resourceVersion and generation. Kind decides where. */
void fakekube_put(struct fakekube *f, json_t *obj);
/* A deep copy of what is stored, owned by the caller; NULL: none. */
json_t *fakekube_get(
    struct fakekube *f, const char *plural, const char *ns, const char *name);
/* Deep copies of all objects of a resource, owned by the caller. */
json_t *fakekube_all(struct fakekube *f, const char *plural);
bool fakekube_remove(
    struct fakekube *f, const char *plural, const char *ns, const char *name);

/* Call number nth from now on (1: the next one) meets this fault, once. */
void fakekube_fail(struct fakekube *f, unsigned nth, enum fakekube_fault fault);
/* Every call whose "METHOD path" holds this text (borrowed; NULL: none) meets
 * the fault. */
void fakekube_fail_all(
    struct fakekube *f, const char *match, enum fakekube_fault fault);
/* PUT of a status finds no such subresource. */
void fakekube_no_status(struct fakekube *f, bool none);
/* Called before each request is looked at, for races. Outside the lock. */
void fakekube_hook(struct fakekube *f,
    void (*before)(void *ctx, const char *method, const char *path), void *ctx);

/* Calls so far whose "METHOD path" holds this text; NULL: all. */
unsigned fakekube_calls(struct fakekube *f, const char *match);
/* Forgets the calls so far. */
void fakekube_forget_calls(struct fakekube *f);

#endif
