/*
 * The process's clients of the Kubernetes API, one for each thread that asks,
 * and what distinguishes them: which are bound to the rate limit and to the
 * Lease, which go on for a while after the stop, and how long one waits.
 */
#ifndef CONTROLLER_APICLIENTS_H
#define CONTROLLER_APICLIENTS_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/thread.h"
#include "kube/client.h"
#include "kube/config.h"
#include "metrics/metrics.h"

/* Beside the workers'. */
enum apiclient {
	APICLIENT_KEYS,
	APICLIENT_EVENTS,
	APICLIENT_LEASE,
	APICLIENT_CERT,	  /* the publisher's */
	APICLIENT_ADMIN,  /* what the admin port asks and creates */
	APICLIENT_NAMES,  /* which namespaces exist */
	APICLIENT_LABELS, /* of namespaces */
	APICLIENT_USAGE,  /* objects, to see which keys they need */
	APICLIENT_COUNT
};

struct apiclients;

/* All borrowed. */
struct apiclients_config {
	const struct kube_config *kube;
	struct metrics *metrics;
	struct kube_limiter *limiter; /* NULL: no limit */
	struct stop *stop;
	unsigned workers;
	bool (*may_write)(void *ctx);
	void *ctx;
};

/* The metric of requests has its series from then on, with 0. */
struct apiclients *apiclients_new(const struct apiclients_config *cfg);
/* After all who use one have ended. */
void apiclients_free(struct apiclients *c);
struct kube_client *
apiclients_of(const struct apiclients *c, enum apiclient who);
/* As many as there are workers. */
struct kube_client *apiclients_workers(const struct apiclients *c);

DEFINE_AUTO(apiclients);

#endif
