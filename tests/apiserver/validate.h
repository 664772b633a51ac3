/*
 * The checks of the API server on objects that are created or replaced.
 * Causes are appended as {field, reason, message} objects.
 */
#ifndef APISERVER_VALIDATE_H
#define APISERVER_VALIDATE_H

#include "types.h"

void
validate_create(const struct resource *r, const json_t *obj, json_t *causes);
void validate_update(const struct resource *r, const json_t *obj,
    const json_t *old, json_t *causes);
/* Of a custom object that is written through its status subresource. */
void
validate_status(const struct resource *r, const json_t *obj, json_t *causes);
void validate_cause(json_t *causes, const char *field, const char *reason,
    const char *fmt, ...) PRINTFLIKE(4, 5);

#endif
