/*
 * Finds out which keys the items of objects need that no run has opened: after
 * a restart everything is in order and nothing is opened, and a sealed item
 * does not name its key. One thread at the lowest priority, which gives way to
 * work at once, spends a tenth of a processor at most, and writes nothing. What
 * fails is tried again in a minute.
 */
#ifndef CONTROLLER_SEALEDSECRET_ATTRIBUTION_H
#define CONTROLLER_SEALEDSECRET_ATTRIBUTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "sealedsecret/controller.h"

struct attribution;

struct attribution_config {
	const struct controller_config *cfg; /* borrowed */
	struct kube_client *client;	     /* borrowed; its thread's alone */
	uint64_t gap_ms; /* between two objects, for the API server's sake */
	/* Milliseconds without work; 0 while there is some, and while it is
	 * too early. */
	uint64_t (*idle_ms)(void *ctx);
	void *ctx;
	/* Waits; true: stop. NULL: as it should be; for tests. */
	bool (*wait)(void *ctx, uint64_t ms);
};

struct attribution *attribution_new(const struct attribution_config *cfg);
void attribution_free(struct attribution *a);
void attribution_start(struct attribution *a);
void attribution_stop(struct attribution *a); /* joins the thread */
/* One look at every object, for tests. */
void attribution_pass(struct attribution *a);

DEFINE_AUTO(attribution);

#endif
