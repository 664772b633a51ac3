/*
 * What a client may ask about the server itself: versions, groups, health.
 */
#ifndef APISERVER_DISCOVERY_H
#define APISERVER_DISCOVERY_H

#include "call.h"

/* False when the path is none of these. */
bool discovery_handle(struct call *c);
/* True for what everybody may see. */
bool discovery_public(const struct call *c);

#endif
