/*
 * Leader election on a Lease (coordination.k8s.io/v1), as client-go does it:
 * one replica holds the Lease and renews it, the others wait until it is given
 * up or has not changed for as long as it lasts, by their own monotonic clock.
 *
 * Losing the Lease is an everyday event: the replica becomes a follower and
 * stands for election again. Whoever leads must ask lease_held() before each
 * write: it says no as soon as the renewal is overdue, even while the elector
 * hangs in a request. Where Leases are not permitted, that is said once, and
 * the replica acts as if it were alone.
 */
#ifndef KUBE_LEASE_H
#define KUBE_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "kube/client.h"

#define LEASE_IDENTITY_MAX 300

struct lease;

struct lease_config {
	/* Copied; its transport is used by the elector's thread alone and must
	 * not end with the rest of the program. */
	struct kube_client client;
	const struct clock *clock;
	const char *ns, *name;
	const char *identity; /* of this replica, unique; copied */
	/* A holder of this host's name is an earlier run of this very pod, and
	 * dead: at the first look its Lease is taken without a wait. */
	bool sole_of_host;
	uint64_t duration_ms; /* how long the Lease lasts unrenewed */
	uint64_t renew_ms;    /* a leader gives up after so long */
	uint64_t retry_ms;    /* between attempts */
	/* Begins or ends to lead; on the elector's thread. */
	void (*changed)(void *ctx, bool leads);
	void *ctx;
};

/* Host name (a pod's is its own) and 16 random hexadecimal digits. */
void lease_identity(char out[static LEASE_IDENTITY_MAX]);

/* Copies cfg; ns and name are borrowed. */
struct lease *lease_new(const struct lease_config *cfg);
void lease_free(struct lease *l);
void lease_start(struct lease *l);
/* Joins the thread and gives the Lease up, so that another one need not wait.
 * Takes two seconds at most. */
void lease_stop(struct lease *l);
/* Whether this replica leads now. From any thread. */
bool lease_held(const struct lease *l);

/* One turn of the elector without its thread, for tests: milliseconds until
 * the next one. */
uint64_t lease_turn(struct lease *l);
/* What lease_stop() does once the thread has ended; for tests. */
void lease_release(struct lease *l);

DEFINE_AUTO(lease);

#endif
