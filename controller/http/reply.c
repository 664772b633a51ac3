/*
 * An answer, from its parts to what the library sends; see reply.h.
 */
#include "reply.h"

#include <assert.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <stdio.h>

#include "base/jsonx.h"
#include "base/mem.h"

#define NUMBER_MAX 24

void
http_reply_text(struct http_reply *r, unsigned status, const char *text)
{
	buf_clear(&r->body);
	r->status = status;
	r->content_type = "text/plain; charset=utf-8";
	buf_puts(&r->body, text);
}

static bool
put_json(struct http_reply *r, unsigned status, const json_t *v)
{
	struct err ignored = ERR_INIT;

	buf_clear(&r->body);
	r->status = status;
	r->content_type = "application/json";
	return jsonx_dump(v, &r->body, &ignored) == 0 &&
	    buf_append(&r->body, "\n", 1, &ignored) == 0;
}

void
http_reply_json(struct http_reply *r, unsigned status, const json_t *v)
{
	if (!put_json(r, status, v))
		http_reply_error(r, 500, "the answer is too large");
}

void
http_reply_error(struct http_reply *r, unsigned status, const char *text)
{
	AUTO_JSON json_t *v = json_object();

	jsonx_set_str(v, "error", text);
	(void)put_json(r, status, v); /* one line always fits */
}

void
http_reply_field(struct http_reply *r, const char *name, uint64_t value)
{
	assert(r->nfields < HTTP_FIELDS_MAX);
	r->fields[r->nfields++] = (struct http_field) {
		.name = name,
		.value = value,
	};
}

void
http_reply_text_field(struct http_reply *r, const char *name, const char *value)
{
	assert(r->nfields < HTTP_FIELDS_MAX);
	r->fields[r->nfields++] = (struct http_field) {
		.name = name,
		.text = xstrdup(value),
	};
}

void
http_reply_release(struct http_reply *r)
{
	for (unsigned i = 0; i < r->nfields; i++)
		mem_free_wiped(r->fields[i].text);
	r->nfields = 0;
	buf_release(&r->body);
}

static bool
add_fields(struct MHD_Response *resp, const struct http_reply *r)
{
	char text[NUMBER_MAX];

	for (unsigned i = 0; i < r->nfields; i++) {
		const struct http_field *f = &r->fields[i];

		(void)snprintf(text, sizeof(text), "%" PRIu64, f->value);
		if (MHD_add_response_header(resp, f->name,
			f->text != NULL ? f->text : text) == MHD_NO)
			return false;
	}
	return true;
}

struct MHD_Response *
http_reply_response(struct http_reply *r)
{
	struct MHD_Response *resp;
	size_t len = 0;
	char *body = buf_take(&r->body, &len);

	resp = MHD_create_response_from_buffer_with_free_callback(
	    len, body, mem_free_wiped);
	if (resp == NULL) {
		mem_free_wiped(body);
		return NULL;
	}
	if ((r->content_type != NULL &&
		MHD_add_response_header(resp, MHD_HTTP_HEADER_CONTENT_TYPE,
		    r->content_type) == MHD_NO) ||
	    MHD_add_response_header(
		resp, "X-Content-Type-Options", "nosniff") == MHD_NO ||
	    !add_fields(resp, r)) {
		MHD_destroy_response(resp);
		return NULL;
	}
	return resp;
}
