/*
 * What the two watches mean for the work queue. Handlers run on the
 * reflectors' thread: they note and enqueue, nothing else.
 */
#ifndef CONTROLLER_SEALEDSECRET_HANDLERS_H
#define CONTROLLER_SEALEDSECRET_HANDLERS_H

#include "sealedsecret/controller.h"

struct handlers {
	const struct controller_config *cfg;
};

/* h must outlive the reflectors. */
struct reflector_handler handlers_sealedsecret(struct handlers *h);
struct reflector_handler handlers_secret(struct handlers *h);
/* Enqueues every object whose last run found no key. */
void handlers_keys_changed(struct handlers *h);

#endif
