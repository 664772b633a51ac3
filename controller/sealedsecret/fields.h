/*
 * managedFields: who wrote which part of an object last. Metadata alone, so
 * it tells of a Secret's contents without showing any.
 *
 * Ours is what the manager KUBE_MANAGER wrote, this program or the reference.
 * The blind spot is another writer of that name.
 */
#ifndef CONTROLLER_SEALEDSECRET_FIELDS_H
#define CONTROLLER_SEALEDSECRET_FIELDS_H

#include <jansson.h>
#include <stdbool.h>

enum fields_group { FIELDS_DATA, FIELDS_LABELS, FIELDS_ANNOTATIONS };

/* Written by us last, and claimed by nobody else. */
bool fields_ours(const json_t *obj, enum fields_group group, const char *name);
/* Calls each() for every member that is ours. */
void fields_walk(const json_t *obj, enum fields_group group,
    void (*each)(void *ctx, const char *name), void *ctx);
/* We have written to it at all. */
bool fields_any_ours(const json_t *obj);
/* Every item of data was written by us last, and by nobody else; there is
 * one at least. */
bool fields_all_data_ours(const json_t *obj);
/* Somebody else wrote an item of data. */
bool fields_foreign_data(const json_t *obj);
/* The manager behind the last write to data, labels or annotations that was
 * not ours; NULL: none. Borrowed. */
const char *fields_last_other(const json_t *obj);

#endif
