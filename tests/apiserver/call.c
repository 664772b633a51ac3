/*
 * The answer of a call.
 */
#include "call.h"

#include <stdlib.h>

#include "status.h"

json_t *
call_partial(const json_t *v)
{
	return json_pack("{s:s, s:s, s:O}", "kind", "PartialObjectMetadata",
	    "apiVersion", "meta.k8s.io/v1", "metadata",
	    json_object_get(v, "metadata"));
}

void
call_reply(struct call *c, int code, json_t *v)
{
	free(c->body);
	c->code = code;
	c->type = "application/json";
	c->body = json_text(v);
	json_decref(v);
}

void
call_fail(struct call *c, json_t *status)
{
	call_reply(c, status_code(status), status);
}
