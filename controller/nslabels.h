/*
 * Labels of namespaces, for keys that are limited to some by a label selector:
 * read one by one when asked for, kept for half a minute. A namespace that
 * cannot be read fits no rule. Thread-safe; one request at a time.
 */
#ifndef CONTROLLER_NSLABELS_H
#define CONTROLLER_NSLABELS_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "keystore/nsrule.h"
#include "kube/client.h"

struct nslabels;

#define NSLABELS_MAX	  256	/* namespaces that are remembered */
#define NSLABELS_KEEP_MS  30000 /* labels */
#define NSLABELS_RETRY_MS 5000	/* a failure */
/* Namespaces that one refresh reads at most. */
#define NSLABELS_REFRESH_MAX 32

struct nslabels_config {
	struct kube_client *client; /* borrowed, nobody else's */
	const struct clock *clock;
	/* Labels are not what they were: what failed for lack of a key may
	 * open now. From the thread of nslabels_refresh(). */
	void (*changed)(void *ctx);
	void *ctx;
};

struct nslabels *nslabels_new(const struct nslabels_config *cfg);
void nslabels_free(struct nslabels *nl);
/* For registry_set_labels(): ctx is the struct nslabels. May take as long as a
 * request. */
bool nslabels_fit(void *ctx, const char *ns, const struct nsrule *rule);
/* Reads again what was asked for and is out of date, and tells of changes.
 * Ends at the first request that fails. */
void nslabels_refresh(struct nslabels *nl);

DEFINE_AUTO(nslabels);

#endif
