/*
 * YAML to a jansson tree, for kubeconfig files and request bodies. JSON is
 * YAML, so it reads both. Plain scalars are typed by YAML 1.1 core rules as
 * Kubernetes' own reader does (null, booleans, integers, floats; all else
 * text). Limits: nesting 64, 20,000 nodes; aliases, merge keys, duplicate keys
 * and tags other than the standard scalars are refused.
 */
#ifndef BASE_YAMLX_H
#define BASE_YAMLX_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/err.h"

/*
 * First document of the text. more (may be NULL): whether a second document,
 * even an empty one, follows. An empty text gives JSON null.
 */
int yamlx_parse(const char *p, size_t len, json_t **ret, bool *more,
    struct err *err) MUST_CHECK;

#endif
