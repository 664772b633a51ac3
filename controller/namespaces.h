/*
 * Which namespaces are watched: all of them, or a fixed list.
 */
#ifndef CONTROLLER_NAMESPACES_H
#define CONTROLLER_NAMESPACES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct namespaces;

/*
 * all and no additional list: one entry, NULL (every namespace). Otherwise
 * home and the names of the comma-separated list, trimmed, blank ones and
 * repeats left out, whatever all says (as the reference does).
 */
struct namespaces *
namespaces_new(bool all, const char *additional, const char *home);
void namespaces_free(struct namespaces *n);
size_t namespaces_count(const struct namespaces *n);
/* Borrowed; NULL means all. */
const char *namespaces_at(const struct namespaces *n, size_t i);

DEFINE_AUTO(namespaces);

#endif
