/*
 * HTTP/1.1 parsing and writing for the API server.
 */
#include "http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_HEAD  (64 * 1024)
#define MAX_BODY  (3 * 1024 * 1024)
#define MAX_DRAIN (64 * 1024 * 1024)
#define READ_SIZE 16384

static int
hexval(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static char *
url_decode(const char *s, size_t len, bool plus)
{
	char *out = util_alloc(len + 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (s[i] == '%' && i + 2 < len && hexval(s[i + 1]) >= 0 &&
		    hexval(s[i + 2]) >= 0) {
			out[n++] =
			    (char)(hexval(s[i + 1]) * 16 + hexval(s[i + 2]));
			i += 2;
		} else if (s[i] == '+' && plus) {
			out[n++] = ' ';
		} else {
			out[n++] = s[i];
		}
	}
	return out;
}

static int
fill(struct conn *c, struct sbuf *in)
{
	char buf[READ_SIZE];
	ssize_t n = conn_read(c, buf, sizeof(buf));

	if (n <= 0)
		return -1;
	sbuf_add(in, buf, (size_t)n);
	return 0;
}

static void
consume(struct sbuf *in, size_t n)
{
	memmove(in->data, in->data + n, in->len - n);
	in->len -= n;
	in->data[in->len] = '\0';
}

static void
split_path(struct http_request *req)
{
	const char *p = req->path;

	while (*p != '\0' && req->nseg < HTTP_MAX_SEGMENTS) {
		size_t n;

		while (*p == '/')
			p++;
		n = strcspn(p, "/");
		if (n == 0)
			break;
		req->seg[req->nseg++] = url_decode(p, n, false);
		p += n;
	}
}

static void
split_query(struct http_request *req)
{
	const char *p = req->query;

	while (*p != '\0' && req->nparams < HTTP_MAX_HEADERS) {
		size_t n = strcspn(p, "&");
		const char *eq = memchr(p, '=', n);
		size_t k = eq == NULL ? n : (size_t)(eq - p);
		struct http_pair *kv = &req->params[req->nparams];

		if (n > 0) {
			kv->name = url_decode(p, k, true);
			kv->value = eq == NULL
			    ? util_strdup("")
			    : url_decode(eq + 1, n - k - 1, true);
			req->nparams++;
		}
		p += n;
		if (*p == '&')
			p++;
	}
}

static int
parse_request_line(struct http_request *req, const char *line, size_t len)
{
	const char *sp = memchr(line, ' ', len);
	const char *target, *end, *q;

	if (sp == NULL)
		return -1;
	target = sp + 1;
	end = memchr(target, ' ', len - (size_t)(target - line));
	if (end == NULL || *target != '/')
		return -1;
	req->method = util_strndup(line, (size_t)(sp - line));
	req->target = util_strndup(target, (size_t)(end - target));
	q = strchr(req->target, '?');
	if (q == NULL) {
		req->path = util_strdup(req->target);
		req->query = util_strdup("");
	} else {
		req->path =
		    util_strndup(req->target, (size_t)(q - req->target));
		req->query = util_strdup(q + 1);
	}
	req->close = strncmp(end + 1, "HTTP/1.1", 8) != 0;
	split_path(req);
	split_query(req);
	return 0;
}

static int
parse_header(struct http_request *req, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	const char *v, *end = line + len;

	if (colon == NULL || req->nheaders == HTTP_MAX_HEADERS)
		return -1;
	for (v = colon + 1; v < end && (*v == ' ' || *v == '\t'); v++)
		;
	while (end > v && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	req->headers[req->nheaders].name =
	    util_strndup(line, (size_t)(colon - line));
	req->headers[req->nheaders].value = util_strndup(v, (size_t)(end - v));
	req->nheaders++;
	return 0;
}

static int
parse_head(struct http_request *req, const char *head, size_t len)
{
	const char *p = head, *stop = head + len;
	bool first = true;

	while (p < stop) {
		const char *eol = memmem(p, (size_t)(stop - p), "\r\n", 2);
		size_t n;

		if (eol == NULL)
			return -1;
		n = (size_t)(eol - p);
		if (first && parse_request_line(req, p, n) < 0)
			return -1;
		if (!first && parse_header(req, p, n) < 0)
			return -1;
		first = false;
		p = eol + 2;
	}
	return first ? -1 : 0;
}

static int
read_sized(
    struct conn *c, struct sbuf *in, struct http_request *req, uint64_t want)
{
	if (want > MAX_DRAIN)
		return -1;
	while (in->len < want) {
		if (fill(c, in) < 0)
			return -1;
	}
	if (want > MAX_BODY) {
		req->body_too_large = true;
		req->body = util_strdup("");
	} else {
		req->body = util_alloc(want + 1);
		if (want > 0)
			memcpy(req->body, in->data, want);
		req->body_len = want;
	}
	if (want > 0)
		consume(in, want);
	return 0;
}

static int
read_line(struct conn *c, struct sbuf *in, char *out, size_t size)
{
	const char *eol;
	size_t n;

	while ((eol = in->len == 0 ? NULL : strstr(in->data, "\r\n")) == NULL) {
		if (in->len > size || fill(c, in) < 0)
			return -1;
	}
	n = (size_t)(eol - in->data);
	if (n >= size)
		return -1;
	memcpy(out, in->data, n);
	out[n] = '\0';
	consume(in, n + 2);
	return 0;
}

static int
read_chunked(struct conn *c, struct sbuf *in, struct http_request *req)
{
	struct sbuf body = { 0 };
	char line[64];

	for (;;) {
		unsigned long n;

		if (read_line(c, in, line, sizeof(line)) < 0)
			goto fail;
		n = strtoul(line, NULL, 16);
		if (n > MAX_BODY || body.len + n > MAX_BODY)
			goto fail;
		while (in->len < n + 2) {
			if (fill(c, in) < 0)
				goto fail;
		}
		if (n == 0) {
			consume(in, 2);
			break;
		}
		sbuf_add(&body, in->data, n);
		consume(in, n + 2);
	}
	req->body_len = body.len;
	req->body = body.data == NULL ? util_strdup("") : body.data;
	return 0;
fail:
	sbuf_release(&body);
	return -1;
}

static int
read_body(struct conn *c, struct sbuf *in, struct http_request *req)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	const char *len = http_header(req, "Content-Length");
	const char *te = http_header(req, "Transfer-Encoding");
	const char *expect = http_header(req, "Expect");
	uint64_t want = 0;

	if (len != NULL && !util_parse_u64(len, &want))
		return -1;
	if (expect != NULL && strcasecmp(expect, "100-continue") == 0 &&
	    conn_write(c, go_on, sizeof(go_on) - 1) < 0)
		return -1;
	if (te != NULL && strcasecmp(te, "chunked") == 0)
		return read_chunked(c, in, req);
	return read_sized(c, in, req, want);
}

int
http_read_request(struct conn *c, struct sbuf *in, struct http_request *req)
{
	const char *end, *conn_hdr;
	size_t head;

	memset(req, 0, sizeof(*req));
	for (;;) {
		end = in->len == 0 ? NULL
				   : memmem(in->data, in->len, "\r\n\r\n", 4);
		if (end != NULL)
			break;
		if (in->len > MAX_HEAD || fill(c, in) < 0)
			return -1;
	}
	head = (size_t)(end - in->data) + 2;
	if (parse_head(req, in->data, head) < 0)
		return -1;
	consume(in, head + 2);
	conn_hdr = http_header(req, "Connection");
	if (conn_hdr != NULL && strcasecmp(conn_hdr, "close") == 0)
		req->close = true;
	return read_body(c, in, req);
}

void
http_request_release(struct http_request *req)
{
	free(req->method);
	free(req->target);
	free(req->path);
	free(req->query);
	free(req->body);
	for (size_t i = 0; i < req->nseg; i++)
		free(req->seg[i]);
	for (size_t i = 0; i < req->nparams; i++) {
		free(req->params[i].name);
		free(req->params[i].value);
	}
	for (size_t i = 0; i < req->nheaders; i++) {
		free(req->headers[i].name);
		free(req->headers[i].value);
	}
	memset(req, 0, sizeof(*req));
}

const char *
http_header(const struct http_request *req, const char *name)
{
	for (size_t i = 0; i < req->nheaders; i++) {
		if (strcasecmp(req->headers[i].name, name) == 0)
			return req->headers[i].value;
	}
	return NULL;
}

const char *
http_param(const struct http_request *req, const char *name)
{
	for (size_t i = 0; i < req->nparams; i++) {
		if (strcmp(req->params[i].name, name) == 0)
			return req->params[i].value;
	}
	return NULL;
}

bool
http_param_true(const struct http_request *req, const char *name)
{
	const char *v = http_param(req, name);

	return v != NULL && (strcmp(v, "true") == 0 || strcmp(v, "1") == 0);
}

const char *
http_reason(int code)
{
	static const struct {
		int code;
		const char *text;
	} table[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 307, "Temporary Redirect" },
		{ 308, "Permanent Redirect" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 413, "Request Entity Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 422, "Unprocessable Entity" },
		{ 429, "Too Many Requests" },
		{ 500, "Internal Server Error" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (table[i].code == code)
			return table[i].text;
	}
	return "Unknown";
}

static void
start_head(struct sbuf *out, int code, const char *type)
{
	char id[UUID_SIZE];

	util_uuid(id);
	sbuf_addf(out, "HTTP/1.1 %d %s\r\nAudit-Id: %s\r\n", code,
	    http_reason(code), id);
	sbuf_adds(out, "Cache-Control: no-cache, private\r\n");
	if (type != NULL)
		sbuf_addf(out, "Content-Type: %s\r\n", type);
}

int
http_write_reply(struct conn *c, int code, const char *type,
    const json_t *extra, const char *body, size_t len)
{
	struct sbuf out = { 0 };
	const char *k;
	json_t *v;
	int ret;

	start_head(&out, code, type);
	json_object_foreach((json_t *)extra, k, v)
	    sbuf_addf(&out, "%s: %s\r\n", k, json_string_value(v));
	sbuf_addf(&out, "Content-Length: %zu\r\n\r\n", len);
	sbuf_add(&out, body, len);
	ret = conn_write(c, out.data, out.len);
	sbuf_release(&out);
	return ret;
}

int
http_start_chunked(struct conn *c, int code, const char *type)
{
	struct sbuf out = { 0 };
	int ret;

	start_head(&out, code, type);
	sbuf_adds(&out, "Transfer-Encoding: chunked\r\n\r\n");
	ret = conn_write(c, out.data, out.len);
	sbuf_release(&out);
	return ret;
}

int
http_write_chunk(struct conn *c, const void *data, size_t len)
{
	struct sbuf out = { 0 };
	int ret;

	if (len == 0)
		return 0;
	sbuf_addf(&out, "%zx\r\n", len);
	sbuf_add(&out, data, len);
	sbuf_adds(&out, "\r\n");
	ret = conn_write(c, out.data, out.len);
	sbuf_release(&out);
	return ret;
}

int
http_end_chunked(struct conn *c)
{
	return conn_write(c, "0\r\n\r\n", 5);
}
