/*
 * Keystore backend on labelled Secrets of the key namespace, and the handler
 * of the stream that tells when they change. One thread reads them into the
 * registry, always as a whole list: the stream carries metadata only and says
 * no more than that it is time to read again.
 */
#ifndef CONTROLLER_KEYSECRETS_H
#define CONTROLLER_KEYSECRETS_H

#include <stdbool.h>

#include "base/compiler.h"
#include "cache/reflector.h"
#include "keystore/rotation.h"
#include "kube/client.h"
#include "kube/event.h"
#include "metrics/metrics.h"

struct keysecrets;

/* Label selector of key Secrets. */
extern const char keysecrets_selector[];
/* Between lists where watching them is refused. */
#define KEYSECRETS_POLL_MS 4000

struct keysecrets_config {
	struct kube_client *client; /* borrowed; used by one thread */
	struct metrics *metrics;
	const char *ns;		       /* key namespace */
	const char *prefix;	       /* also the legacy key's name */
	const char *labels;	       /* --privatekey-labels, validated */
	const char *annotations;       /* --privatekey-annotations */
	bool order_by_creation;	       /* --key-order-priority */
	struct event_recorder *events; /* borrowed; NULL: none */
	/* Whether this replica may write events now; NULL: always. */
	bool (*may_write)(void *ctx);
	/* Key Secrets are not what they were; on the stream's thread. */
	void (*changed)(void *ctx);
	void *ctx;
};

struct keysecrets *keysecrets_new(const struct keysecrets_config *cfg);
void keysecrets_free(struct keysecrets *ks);
/* load: lists labelled Secrets (and the legacy one), registers what is good,
 * skips what is not (with a log line and an event, once for each version of
 * the Secret), forgets what is gone. For one thread. */
struct keystore_backend keysecrets_backend(struct keysecrets *ks);
/* For a reflector of KUBE_SECRETS_META with the selector above. */
struct reflector_handler keysecrets_handler(struct keysecrets *ks);

DEFINE_AUTO(keysecrets);

#endif
