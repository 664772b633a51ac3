/*
 * Go's maps with string keys: map[string]interface {} and map[string]string.
 * References: every copy of the value sees what dict_set() does. Iteration is
 * in key order (bytes), the order in which Go prints and ranges.
 */
#ifndef TMPL_DICT_H
#define TMPL_DICT_H

#include "value.h"

struct dict_entry {
	const char *key;
	size_t keylen;
	struct value value;
};

/* type is &type_dict or &type_strmap. */
int
dict_new(struct env *e, const struct type *type, struct value *ret) MUST_CHECK;
/* m is a map; a nil one has length 0 and no entries. */
size_t dict_len(const struct value *m);
/* Unwrapped; false (and *ret untouched) where there is no such key. */
bool dict_get(
    const struct value *m, const char *key, size_t keylen, struct value *ret);
bool dict_has(const struct value *m, const char *key, size_t keylen);
/* Borrows the key, which lives in the arena or for ever. Marks the value as
 * an element. A nil map: Go's "assignment to entry in nil map". */
int dict_set(struct env *e, const struct value *m, const char *key,
    size_t keylen, struct value v) MUST_CHECK;
int dict_delete(struct env *e, const struct value *m, const char *key,
    size_t keylen) MUST_CHECK;
/*
 * The entries in key order, dict_len() of them: a copy, so that the map may
 * change while the caller goes through it. Values are marked as elements: use
 * value_concrete() before storing or returning one.
 */
int dict_entries(
    struct env *e, const struct value *m, struct dict_entry **ret) MUST_CHECK;

#endif
