/*
 * Go's package encoding/json for values of templates.
 */
#ifndef TMPL_JSON_H
#define TMPL_JSON_H

#include "str.h"
#include "text.h"
#include "value.h"

struct json_style {
	bool html;   /* escape <, > and & */
	bool pretty; /* indent by two spaces */
};

/* json.Marshal. -1: an unsupported value is pending as an error, or the
 * budget is used up. */
int json_encode(struct env *e, const struct value *v, struct json_style style,
    struct text *out) MUST_CHECK;
/* json.Unmarshal into an interface {}. -1: the error is pending; *ret holds
 * what Go leaves there: nil, or everything with nil for numbers out of range.
 */
int json_decode(struct env *e, struct str in, struct value *ret) MUST_CHECK;

#endif
