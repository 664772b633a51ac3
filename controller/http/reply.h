/*
 * An answer: status, header fields, body.
 */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include <jansson.h>
#include <stdint.h>

#include "base/buf.h"
#include "pool.h"

#define HTTP_FIELDS_MAX 8

struct http_field {
	const char *name; /* static text */
	char *text;	  /* its value, or NULL: the number */
	uint64_t value;
};

/* What a handler fills in. 404 and refusals are made the same way. */
struct http_reply {
	unsigned status;
	const char *content_type; /* static text; NULL: none */
	struct http_field fields[HTTP_FIELDS_MAX];
	unsigned nfields;
	struct buf body;
	/* Of a task, NULL: none. Runs on the pool once the whole answer has
	 * gone out; cancelled where it did not. */
	struct pool_job *after;
};

/* Status, plain text body. */
void http_reply_text(struct http_reply *r, unsigned status, const char *text);

/* Status, {"error": text} as JSON. */
void http_reply_error(struct http_reply *r, unsigned status, const char *text);
/* Status, JSON; what does not fit becomes a 500. */
void http_reply_json(struct http_reply *r, unsigned status, const json_t *v);

/* One more header field. */
void http_reply_field(struct http_reply *r, const char *name, uint64_t value);
/* The same with a text, which is copied. */
void http_reply_text_field(
    struct http_reply *r, const char *name, const char *value);
void http_reply_release(struct http_reply *r);
DEFINE_AUTO_RELEASE(http_reply);

struct MHD_Response;
/* The library's form of it, owned by the caller; the body moves there. NULL: no
 * memory, or the library takes a field for malformed. */
struct MHD_Response *http_reply_response(struct http_reply *r);

#endif
