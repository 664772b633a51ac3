/*
 * Parse trees and data -> text, as Go's text/template executes them.
 */
#ifndef TMPL_EXEC_H
#define TMPL_EXEC_H

#include "parse.h"

/* Runs the template named like its source. -1: the pending error is complete:
 * "template: NAME:LINE:COL: executing ... at <...>: ...". */
int exec_template(struct env *e, const struct tree_set *set,
    const struct value *dot, struct text *out) MUST_CHECK;

#endif
