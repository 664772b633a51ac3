/*
 * What a plain scalar of YAML is: shared by the reader and by the writer, which
 * must quote text that the reader would take for something else.
 */
#ifndef CONTROLLER_BASE_YAMLX_PLAIN_H
#define CONTROLLER_BASE_YAMLX_PLAIN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Of both directions. */
#define YAMLX_DEPTH_MAX 64
/* A plain scalar of a number's form that is longer is text. */
#define YAMLX_NUMBER_MAX 400

/* A boolean, null or number, owned by the caller; NULL: it is text. */
json_t *yamlx_plain_value(const char *s);
/* Infinity or NaN: JSON cannot say these, and neither can the reference. */
bool yamlx_plain_is_not_finite(const char *s);
/* How many digits the text begins with. */
size_t yamlx_plain_digits(const char *s);

#endif
