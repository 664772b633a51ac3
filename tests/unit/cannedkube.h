/*
 * A kube_transport that notes requests and gives answers written down before:
 * one after the other, the last one for ever. Thread-safe.
 */
#ifndef TESTS_UNIT_CANNEDKUBE_H
#define TESTS_UNIT_CANNEDKUBE_H

#include <stdbool.h>

#include "base/thread.h"
#include "kube/transport.h"

#define CANNED_MAX 64

struct canned_answer {
	enum err_code fail; /* instead of an answer */
	int status;
	const char *body;
	bool no_json;
	int retry_after_s; /* 0: none */
	size_t piece;	   /* of what a sink gets; 0: into the response */
	bool cut;	   /* ERR_TRANSPORT behind the body (sinks) */
};

struct canned_request {
	char method[16];
	char path[4096];
	char type[64], accept[128];
	char *body;
	uint64_t timeout_ms;
};

struct cannedkube {
	struct kube_transport transport;
	struct canned_answer answers[CANNED_MAX];
	unsigned nanswers;
	struct mutex mu;
	struct cond asked;
	struct canned_request requests[CANNED_MAX]; /* guarded by mu */
	unsigned n;				    /* guarded by mu */
	/* Requests wait for abort while this is set. */
	bool hang;
};

void cannedkube_init(struct cannedkube *k);
void cannedkube_release(struct cannedkube *k);
void cannedkube_answer(struct cannedkube *k, struct canned_answer a);
/* 200 with this body. */
void cannedkube_ok(struct cannedkube *k, const char *body);
/* A Status. */
void cannedkube_refuse(
    struct cannedkube *k, int status, const char *reason, const char *message);
/* Forgets answers and requests. */
void cannedkube_reset(struct cannedkube *k);
unsigned cannedkube_count(struct cannedkube *k);
/* Waits until so many requests came. */
void cannedkube_await(struct cannedkube *k, unsigned n);
/* The nth request, from 0. Fails the test where there is none. */
const struct canned_request *
cannedkube_request(struct cannedkube *k, unsigned nth);

#endif
