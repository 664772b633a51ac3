/*
 * Results of templates that differ from run to run: what must hold of them.
 * The same checks as in tests/tmpl/gen/check.go, which describes them.
 */
#ifndef TESTS_TMPLCHECK_H
#define TESTS_TMPLCHECK_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/*
 * Whether text (len bytes and a NUL) passes the check of a case; why is what
 * was wrong otherwise. The kind "differs" always passes: it needs a second
 * rendering.
 */
bool tmplcheck(json_t *check, const char *text, size_t len, const char **why);

#endif
