/*
 * POST /v1/keys/restore.
 */
#ifndef HTTP_RESTORER_H
#define HTTP_RESTORER_H

#include "call.h"

/* body is a plain backup; it is released on the way. The answer goes into
 * c->reply. */
void restorer_run(struct call *c, struct buf *body, bool dry_run);

#endif
