/*
 * What the admin port asks of the API server: whose a token is, what he may do,
 * the record of an action as an Event, the key Secrets. For one thread.
 */
#ifndef CONTROLLER_ADMINKEYS_H
#define CONTROLLER_ADMINKEYS_H

#include "base/clock.h"
#include "base/compiler.h"
#include "http/admin.h"
#include "kube/client.h"
#include "metrics/metrics.h"

struct adminkeys;

struct adminkeys_config {
	struct kube_client *client; /* borrowed */
	struct metrics *metrics;
	const struct clock *clock;
	const char *ns;	      /* key namespace */
	const char *audience; /* that tokens must be for */
};

struct adminkeys *adminkeys_new(const struct adminkeys_config *cfg);
void adminkeys_free(struct adminkeys *ak);
struct admin_backend adminkeys_backend(struct adminkeys *ak);

DEFINE_AUTO(adminkeys);

#endif
