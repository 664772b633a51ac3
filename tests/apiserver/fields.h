/*
 * managedFields: which manager owns which field of an object.
 */
#ifndef APISERVER_FIELDS_H
#define APISERVER_FIELDS_H

#include "types.h"

/*
 * Computes the managedFields of `next`, which replaces `live` (NULL when it
 * is created), and sets them in next.metadata. Entries are taken from
 * `before` (an array or NULL).
 */
void fields_record(const struct resource *r, const json_t *live, json_t *next,
    const json_t *before, const char *manager, const char *subresource);

#endif
