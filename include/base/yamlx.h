/*
 * YAML to a jansson tree, for kubeconfig files and request bodies, and back.
 *
 * Plain scalars get the types that sigs.k8s.io/yaml gives them, which kubectl
 * and the reference controller read with: "~", null and nothing are null; y,
 * yes, true, on and their opposites (as written: lower case, Capital, UPPER)
 * are booleans; 0x1f, 0b11, 0o17, 017 and 1_000 are integers; a whole
 * floating-point number is an integer; dates are text; infinity and NaN are
 * refused. Keys that are integers or booleans become text.
 *
 * What reads as JSON is read as JSON, which libyaml cannot do fully. Limits:
 * nesting 64, 20,000 nodes; aliases, merge keys, duplicate keys and tags other
 * than the standard scalars are refused.
 */
#ifndef BASE_YAMLX_H
#define BASE_YAMLX_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"

/*
 * First document of the text. more (may be NULL): whether a second document,
 * even an empty one, follows. An empty text gives JSON null.
 */
int yamlx_parse(const char *p, size_t len, json_t **ret, bool *more,
    struct err *err) MUST_CHECK;
/*
 * Every document of the text, in an array; no document: an empty one. At most
 * nodes_max nodes together.
 */
int yamlx_parse_all(const char *p, size_t len, unsigned nodes_max, json_t **ret,
    struct err *err) MUST_CHECK;
/*
 * One document as kubectl prints it, appended to out: block style, members
 * sorted, lines not folded, quotes where the text would read as another type.
 * ERR_TOOBIG where out is full or nesting passes the reader's limit.
 */
int yamlx_dump(const json_t *v, struct buf *out, struct err *err) MUST_CHECK;

#endif
