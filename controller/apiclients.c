/*
 * Clients and the transport behind each: the named ones, then the workers'.
 */
#include "apiclients.h"

#include <stdlib.h>

#include "base/compiler.h"
#include "base/mem.h"

/* Of one request for the admin port. */
#define ADMIN_TIMEOUT_MS 10000
/* A request that the answer of a stranger's question waits for. */
#define LABELS_TIMEOUT_MS 3000

struct traits {
	/* Goes on after the stop: events are still sent for a while, and then
	 * the Lease is given up. */
	bool late;
	/* Neither limited nor bound to the Lease. What the admin port asks and
	 * creates is its user's doing: any replica may, one request after the
	 * other. */
	bool free;
	uint64_t timeout_ms; /* 0: the usual */
};

static const struct traits traits[APICLIENT_COUNT] = {
	[APICLIENT_EVENTS] = { .late = true },
	[APICLIENT_LEASE] = { .late = true, .free = true },
	[APICLIENT_ADMIN] = { .free = true, .timeout_ms = ADMIN_TIMEOUT_MS },
	[APICLIENT_LABELS] = { .timeout_ms = LABELS_TIMEOUT_MS },
};

/* Every request that the program may make, in any of its settings, and the
 * answer that is hoped for. */
static const struct {
	const char *verb, *resource, *code;
} requests[] = {
	{ "get", "configmaps", "200" },
	{ "create", "configmaps", "201" },
	{ "update", "configmaps", "200" },
	{ "create", "events", "201" },
	{ "patch", "events", "200" },
	{ "get", "leases", "200" },
	{ "create", "leases", "201" },
	{ "update", "leases", "200" },
	{ "get", "namespaces", "200" },
	{ "get", "sealedsecrets", "200" },
	{ "list", "sealedsecrets", "200" },
	{ "watch", "sealedsecrets", "200" },
	{ "update", "sealedsecrets/status", "200" },
	{ "get", "secrets", "200" },
	{ "list", "secrets", "200" },
	{ "watch", "secrets", "200" },
	{ "create", "secrets", "201" },
	{ "update", "secrets", "200" },
	{ "delete", "secrets", "200" },
	{ "create", "subjectaccessreviews", "201" },
	{ "create", "tokenreviews", "201" },
};

struct apiclients {
	unsigned n;
	struct kube_client *all;
};

static struct kube_client
make(const struct apiclients_config *cfg, const struct traits *t)
{
	struct stop *stop = t->late ? NULL : cfg->stop;
	struct kube_client c = {
		.transport = kube_transport_new(cfg->kube, cfg->metrics, stop),
		.stop = stop,
		.timeout_ms = t->timeout_ms,
	};

	if (t->free)
		return c;
	c.limiter = cfg->limiter;
	c.may_write = cfg->may_write;
	c.may_write_ctx = cfg->ctx;
	return c;
}

/* So that a rate is known from the first request on. */
static void
start_series(struct metrics *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		metrics_add(m, METRIC_API_REQUESTS, 0.0, requests[i].verb,
		    requests[i].resource, requests[i].code);
}

struct apiclients *
apiclients_new(const struct apiclients_config *cfg)
{
	static const struct traits worker = { .late = false };
	struct apiclients *c = xcalloc(1, sizeof(*c));

	start_series(cfg->metrics);
	c->n = APICLIENT_COUNT + cfg->workers;
	c->all = xcalloc(c->n, sizeof(*c->all));
	for (unsigned i = 0; i < c->n; i++)
		c->all[i] =
		    make(cfg, i < APICLIENT_COUNT ? &traits[i] : &worker);
	return c;
}

void
apiclients_free(struct apiclients *c)
{
	if (c == NULL)
		return;
	for (unsigned i = 0; i < c->n; i++)
		kube_transport_free(c->all[i].transport);
	free(c->all);
	free(c);
}

struct kube_client *
apiclients_of(const struct apiclients *c, enum apiclient who)
{
	return &c->all[who];
}

struct kube_client *
apiclients_workers(const struct apiclients *c)
{
	return &c->all[APICLIENT_COUNT];
}
