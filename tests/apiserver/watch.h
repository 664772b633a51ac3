/*
 * Control over the watches that are open.
 */
#ifndef APISERVER_WATCH_H
#define APISERVER_WATCH_H

#include "util.h"

/* {"secrets": 1, ..., "total": 2} */
json_t *watch_counts(void);

/* A raw line for every open watch on the resource ("*": on all). */
void watch_inject(const char *resource, const char *line, size_t giant);

#endif
