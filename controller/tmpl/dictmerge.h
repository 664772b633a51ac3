/*
 * mergo's Merge and MergeWithOverwrite for maps, and copystructure's Copy.
 */
#ifndef TMPL_DICTMERGE_H
#define TMPL_DICTMERGE_H

#include "dict.h"

/* Merges src into *dst, both maps; a nil *dst becomes a new map where src is
 * none. *differ: mergo's "src and dst must be of same type" (0 is returned);
 * what was merged before stays. */
int dictmerge(struct env *e, struct value *dst, const struct value *src,
    bool overwrite, bool *differ) MUST_CHECK;
/* A deep copy; v is not KIND_INVALID. Strings and times are shared: they do
 * not change. */
int dictmerge_copy(
    struct env *e, const struct value *v, struct value *ret) MUST_CHECK;

#endif
