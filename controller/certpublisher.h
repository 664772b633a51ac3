/*
 * Publishes the served certificate in a ConfigMap of the key namespace, so that
 * whoever may read that one object can seal without any other right. Only what
 * /v1/cert.pem serves goes there.
 *
 * One thread. It compares what is served with what was stored last every
 * CERTPUBLISHER_LOOK_MS and at once when told to, and with the ConfigMap itself
 * every CERTPUBLISHER_VERIFY_MS, so that another writer's change goes. Other
 * items of the ConfigMap are left alone. Failures are retried for ever, with
 * back-off up to a minute; of a missing right one line is logged.
 */
#ifndef CONTROLLER_CERTPUBLISHER_H
#define CONTROLLER_CERTPUBLISHER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "keystore/registry.h"
#include "kube/client.h"

#define CERTPUBLISHER_LOOK_MS	2000
#define CERTPUBLISHER_VERIFY_MS 60000
/* The item of the ConfigMap, named as the path that serves the same. */
#define CERTPUBLISHER_ITEM "cert.pem"

struct certpublisher;

struct certpublisher_config {
	struct kube_client *client; /* of this thread alone */
	struct registry *keys;
	const struct clock *clock;
	const char *ns, *name; /* of the ConfigMap */
	/* Nothing is read or written while it says no; NULL: always yes. */
	bool (*may_write)(void *ctx);
	void *ctx;
};

/* Copies cfg; what it points to is borrowed and must outlive the publisher. */
struct certpublisher *certpublisher_new(const struct certpublisher_config *cfg);
void certpublisher_free(struct certpublisher *p);
void certpublisher_start(struct certpublisher *p);
/* Joins the thread; a running request ends by the client's stop token. */
void certpublisher_stop(struct certpublisher *p);
/* The set of keys changed. From any thread. */
void certpublisher_hurry(struct certpublisher *p);
/* One turn of the loop without its thread, for tests: milliseconds until the
 * next turn is wanted. */
uint64_t certpublisher_turn(struct certpublisher *p);

DEFINE_AUTO(certpublisher);

#endif
