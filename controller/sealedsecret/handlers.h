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
/* A Secret that was just written, before its watch tells of it: one that is
 * deleted while nobody watches must be missed all the same. Any thread. */
void handlers_secret_written(const struct controller_config *cfg,
    const struct objkey *key, const json_t *secret);
/* Which keys the items of this digest need, for the record of the object; NULL:
 * not known any more. Any thread. */
void handlers_note_uses(const struct controller_config *cfg,
    const struct objkey *key, const char *uid, uint64_t digest,
    const struct registry_uses *uses);
/* Enqueues every object whose last run found no key. */
void handlers_keys_changed(struct handlers *h);

#endif
