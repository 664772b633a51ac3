/*
 * Label and field selectors.
 */
#ifndef APISERVER_SELECTOR_H
#define APISERVER_SELECTOR_H

#include "types.h"

struct selector;

/* text may be NULL or empty: selects everything (NULL is returned). */
int selector_parse_labels(const char *text, struct selector **ret, char **why);
int selector_parse_fields(const struct resource *r, const char *text,
    struct selector **ret, char **why);
void selector_free(struct selector *s);

/* A NULL selector or a NULL object: true, false. */
bool selector_matches(const struct selector *s, const json_t *obj);

#endif
