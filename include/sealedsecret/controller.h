/*
 * The SealedSecret controller: handlers for the two reflectors, the work
 * queue's workers, one run of reconcile.
 */
#ifndef SEALEDSECRET_CONTROLLER_H
#define SEALEDSECRET_CONTROLLER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/thread.h"
#include "cache/index.h"
#include "cache/reflector.h"
#include "cache/workqueue.h"
#include "keystore/registry.h"
#include "kube/client.h"
#include "kube/event.h"
#include "metrics/metrics.h"

struct controller;

/* What becomes of changes that others make to a Secret of ours. */
enum drift_mode {
	DRIFT_REPAIR, /* put right, with an event */
	DRIFT_DETECT, /* an event only */
	DRIFT_OFF,    /* not looked for */
};

struct controller_config {
	struct registry *keys;
	struct workqueue *queue;
	struct index *sealedsecrets;
	struct index *secrets;	       /* of the metadata-only watch */
	struct event_recorder *events; /* NULL: none */
	struct metrics *metrics;
	const struct clock *clock;
	const char *key_ns;
	unsigned max_unseal_retries; /* fast retries before slow ones */
	bool accept_v1_data;
	bool update_status;
	bool skip_recreate;	   /* no Secret watch: GET instead */
	bool old_gc;		   /* --old-gc-behavior */
	bool omit_secret_metrics;  /* --metrics-omit-secret-labels */
	enum drift_mode drift;	   /* --drift */
	const char *allowed_types; /* --allow-secret-types; NULL: none */
};

/* Everything in cfg is borrowed and must outlive the controller. */
struct controller *controller_new(const struct controller_config *cfg);
void controller_free(struct controller *c);

/* Handlers for reflectors of KUBE_SEALEDSECRETS and KUBE_SECRETS_META. */
struct reflector_handler controller_sealedsecret_handler(struct controller *c);
struct reflector_handler controller_secret_handler(struct controller *c);

/* Call once all first lists are in: workers begin to take keys. */
void controller_release(struct controller *c);
/* Whether this replica is the one that writes, which it is unless told
 * otherwise: where not, workers take no keys, and what they would have to do
 * waits. Runs under way are stopped by their clients (may_write). */
void controller_lead(struct controller *c, bool leads);
/* After new keys came: every object whose last run failed for lack of a key
 * is enqueued. */
void controller_keys_changed(struct controller *c);
/* Number of SealedSecrets known. */
size_t controller_count(struct controller *c);

/* Worker threads: each has its own client (own transport). make_client is
 * called n times before the threads start; clients and transports are owned by
 * the caller. */
void controller_start_workers(
    struct controller *c, unsigned n, struct kube_client *clients);
/* After workqueue_shutdown(): joins them. */
void controller_join_workers(struct controller *c);

/*
 * A thread that finds out which keys the items of objects need that no run has
 * opened, from delay_ms after the release on and whenever there is no work. It
 * reads objects, gap_ms apart at least, opens items slowly, and writes nothing.
 * The client is its own.
 */
void controller_start_attribution(struct controller *c,
    struct kube_client *client, uint64_t delay_ms, uint64_t gap_ms);
void controller_join_attribution(struct controller *c);

/* One run for one key; body (stolen) may be NULL. What a worker does between
 * workqueue_get and workqueue_done, for tests. */
void controller_process(struct controller *c, struct kube_client *client,
    const struct objkey *key, json_t *body);

DEFINE_AUTO(controller);

#endif
