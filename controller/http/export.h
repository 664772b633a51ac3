/*
 * POST /v1/keys/export.
 */
#ifndef HTTP_EXPORT_H
#define HTTP_EXPORT_H

#include "call.h"

/* The answer goes into c->reply. */
void export_run(struct call *c);

#endif
