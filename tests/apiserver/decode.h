/*
 * What a body says: an object of the resource, cut to its schema.
 */
#ifndef APISERVER_DECODE_H
#define APISERVER_DECODE_H

#include "call.h"

/* Whether the request names this content type. */
bool decode_type_is(const struct call *c, const char *want);
/* A new object; NULL: *fail is the answer. */
json_t *
decode_object(const struct resource *r, const json_t *in, json_t **fail);
/* The body; NULL with the answer given when it is no such object. */
json_t *decode_body(struct call *c);

#endif
