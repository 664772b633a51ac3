/*
 * Keystore backend on labelled Secrets of the key namespace.
 */
#ifndef CONTROLLER_KEYSECRETS_H
#define CONTROLLER_KEYSECRETS_H

#include <stdbool.h>

#include "base/compiler.h"
#include "keystore/rotation.h"
#include "kube/client.h"
#include "metrics/metrics.h"

struct keysecrets;

struct keysecrets_config {
	struct kube_client *client; /* borrowed; used by one thread */
	struct metrics *metrics;
	const char *ns;		 /* key namespace */
	const char *prefix;	 /* also the legacy key's name */
	const char *labels;	 /* --privatekey-labels, validated */
	const char *annotations; /* --privatekey-annotations */
	bool order_by_creation;	 /* --key-order-priority */
};

struct keysecrets *keysecrets_new(const struct keysecrets_config *cfg);
void keysecrets_free(struct keysecrets *ks);
/* load: lists labelled Secrets (and the legacy one), registers what is good,
 * logs and skips what is not, forgets what is gone. */
struct keystore_backend keysecrets_backend(struct keysecrets *ks);

DEFINE_AUTO(keysecrets);

#endif
