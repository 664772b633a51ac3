/*
 * One listener on libmicrohttpd: its threads, requests from head to answer.
 *
 * Order of the library's callbacks on a connection: connection started; then
 * per request line read (our struct request is made), head complete, pieces of
 * the body, body complete (the answer is given), request completed; then
 * connection closed. All of one connection come on the same thread.
 */
#include "http/server.h"

#include <errno.h>
#include <microhttpd.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "conns.h"
#include "framing.h"
#include "routes.h"

/* Memory of one connection: bounds the head of a request. */
#define CONNECTION_MEMORY ((size_t)32 * 1024)
/* The library's own limit is only a second line: per thread, and over ours by
 * so many, since an ended connection takes a moment to go. */
#define CONNECTION_SLACK 64u
#define THREAD_STACK	 ((size_t)256 * 1024)
#define TIMEOUT_MAX_MS	 UINT64_C(86400000)
#define STOP_MS		 2000
#define CODE_MAX	 8

struct http_server {
	struct http_listener_config cfg;
	struct MHD_Daemon *daemon;
	struct conns *conns;
	struct thread expirer;
	char addr[ADDR_TEXT_MAX];
};

struct request {
	bool begun; /* its head has been judged */
	uint64_t started_ns;
	uint64_t body_len;
};

/* ---- connections ---- */

static int
socket_of(struct MHD_Connection *mc)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(mc, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info != NULL ? info->connect_fd : -1;
}

static struct conn *
conn_of(struct MHD_Connection *mc)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(mc, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info != NULL ? info->socket_context : NULL;
}

static void
on_connection(void *cls, struct MHD_Connection *mc, void **context,
    enum MHD_ConnectionNotificationCode code)
{
	struct http_server *s = cls;

	switch (code) {
	case MHD_CONNECTION_NOTIFY_STARTED:
		*context = conns_add(s->conns, socket_of(mc));
		break;
	case MHD_CONNECTION_NOTIFY_CLOSED:
		conns_remove(s->conns, *context);
		*context = NULL;
		break;
	}
}

static void
enter(struct http_server *s, struct MHD_Connection *mc, enum conn_phase phase)
{
	struct conn *c = conn_of(mc);

	if (c != NULL)
		conns_enter(s->conns, c, phase);
}

static void *
expire_main(void *arg)
{
	struct http_server *s = arg;

	conns_run(s->conns);
	return NULL;
}

/* ---- answers ---- */

void
http_reply_text(struct http_reply *r, unsigned status, const char *text)
{
	buf_clear(&r->body);
	r->status = status;
	r->content_type = "text/plain; charset=utf-8";
	buf_puts(&r->body, text);
}

/* The body moves into the response. */
static struct MHD_Response *
make_response(struct http_reply *r, bool last)
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
	if (MHD_add_response_header(resp, MHD_HTTP_HEADER_CONTENT_TYPE,
		r->content_type) == MHD_NO ||
	    MHD_add_response_header(
		resp, "X-Content-Type-Options", "nosniff") == MHD_NO ||
	    (last &&
		MHD_add_response_header(
		    resp, MHD_HTTP_HEADER_CONNECTION, "close") == MHD_NO)) {
		MHD_destroy_response(resp);
		return NULL;
	}
	return resp;
}

/* last: the connection ends with this answer. */
static enum MHD_Result
send_reply(struct http_server *s, struct MHD_Connection *mc,
    struct http_reply *r, bool last)
{
	struct MHD_Response *resp = make_response(r, last);
	enum MHD_Result rc;

	if (resp == NULL)
		return MHD_NO;
	enter(s, mc, CONN_WRITE);
	rc = MHD_queue_response(mc, r->status, resp);
	MHD_destroy_response(resp);
	return rc;
}

static const char *
refusal_text(unsigned status)
{
	switch (status) {
	case MHD_HTTP_EXPECTATION_FAILED:
		return "expectation failed\n";
	case 413:
		return "request body too large\n";
	case MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE:
		return "too many request header fields\n";
	default:
		return "bad request\n";
	}
}

/*
 * An answer before the body was read, written to the socket by ourselves: the
 * library takes none in the middle of a body, and with one before it some
 * versions still wait for the body. Nothing of another answer can be in
 * between, since answers go out in order and each wholly before the next
 * request is looked at. The connection ends after it.
 */
static enum MHD_Result
refuse(struct MHD_Connection *mc, unsigned status)
{
	struct buf head = BUF_INIT(512);
	const char *text = refusal_text(status);
	int fd = socket_of(mc);

	buf_printf(&head,
	    "HTTP/1.1 %u Refused\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "X-Content-Type-Options: nosniff\r\n"
	    "Content-Length: %zu\r\n"
	    "Connection: close\r\n\r\n%s",
	    status, strlen(text), text);
	/* A full socket buffer means a peer that does not read: no loss. */
	(void)send(fd, head.data, head.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)shutdown(fd, SHUT_WR);
	buf_release(&head);
	return MHD_NO;
}

/* ---- metrics ---- */

/* The reference's label values: no peer can invent new ones. */
static const char *
method_label(const char *method)
{
	static const char *const known[] = {
		"get",
		"put",
		"head",
		"post",
		"delete",
		"connect",
		"options",
		"notify",
		"trace",
		"patch",
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcasecmp(method, known[i]) == 0)
			return known[i];
	return "unknown";
}

static void
count_request(const struct http_server *s, const struct http_route *route,
    const struct request *rq, const char *method, unsigned status)
{
	const char *label = method_label(method);
	char code[CODE_MAX];
	uint64_t took = clock_mono_ns(s->cfg.clock) - rq->started_ns;

	(void)snprintf(code, sizeof(code), "%u", status);
	metrics_inc(
	    s->cfg.metrics, METRIC_HTTP_REQUESTS, route->path, code, label);
	metrics_observe(s->cfg.metrics, METRIC_HTTP_DURATION,
	    (double)took / (double)NS_PER_S, route->path, label);
}

/* ---- requests ---- */

static const struct http_route *
find_route(const struct http_server *s, const char *path)
{
	for (size_t i = 0; i < s->cfg.nroutes; i++)
		if (strcmp(s->cfg.routes[i].path, path) == 0)
			return &s->cfg.routes[i];
	return NULL;
}

static enum MHD_Result
answer(struct http_server *s, struct MHD_Connection *mc,
    const struct request *rq, const char *path, const char *method)
{
	const struct http_route *route = find_route(s, path);
	struct http_reply reply = { .body = BUF_INIT(HTTP_REPLY_MAX) };
	enum MHD_Result rc;

	if (route == NULL)
		http_reply_text(
		    &reply, MHD_HTTP_NOT_FOUND, "404 page not found\n");
	else
		route->handle(s->cfg.ctx, &reply);
	if (route != NULL && route->counted)
		count_request(s, route, rq, method, reply.status);
	rc = send_reply(s, mc, &reply, false);
	buf_release(&reply.body);
	return rc;
}

static enum MHD_Result
see_field(void *cls, enum MHD_ValueKind kind UNUSED, const char *key,
    size_t key_len, const char *value, size_t value_len)
{
	framing_field(cls, key, key_len, value != NULL ? value : "", value_len);
	return MHD_YES;
}

static enum MHD_Result
begin(struct http_server *s, struct MHD_Connection *mc, struct request *rq,
    const char *version)
{
	struct framing f = { 0 };
	unsigned status;

	rq->begun = true;
	rq->started_ns = clock_mono_ns(s->cfg.clock);
	(void)MHD_get_connection_values_n(mc, MHD_HEADER_KIND, see_field, &f);
	status = framing_verdict(&f, version, s->cfg.body_max);
	return status == 0 ? MHD_YES : refuse(mc, status);
}

static enum MHD_Result
drop_body(const struct http_server *s, struct MHD_Connection *mc,
    struct request *rq, size_t *len)
{
	rq->body_len += *len;
	*len = 0;
	return rq->body_len <= s->cfg.body_max ? MHD_YES : refuse(mc, 413);
}

static void *
on_request_line(void *cls, const char *uri UNUSED, struct MHD_Connection *mc)
{
	enter(cls, mc, CONN_READ);
	return xcalloc(1, sizeof(struct request));
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *mc, const char *path,
    const char *method, const char *version, const char *data UNUSED,
    size_t *len, void **context)
{
	struct http_server *s = cls;
	struct request *rq = *context;

	if (rq == NULL)
		return MHD_NO;
	if (!rq->begun)
		return begin(s, mc, rq, version);
	if (*len > 0)
		return drop_body(s, mc, rq, len);
	return answer(s, mc, rq, path, method);
}

static void
on_completed(void *cls, struct MHD_Connection *mc, void **context,
    enum MHD_RequestTerminationCode code UNUSED)
{
	mem_free_wiped(*context);
	*context = NULL;
	enter(cls, mc, CONN_IDLE);
}

/* Paths are compared as they came: "%00" must not end one early. */
static size_t
keep_escaped(void *cls UNUSED, struct MHD_Connection *mc UNUSED, char *s)
{
	return strlen(s);
}

/* ---- life cycle ---- */

static struct MHD_Daemon *
start_daemon(struct http_server *s, int fd)
{
	const struct http_listener_config *cfg = &s->cfg;
	uint64_t quiet_ms = cfg->conns.idle_ms > cfg->conns.read_ms
	    ? cfg->conns.idle_ms
	    : cfg->conns.read_ms;

	if (cfg->conns.write_ms > quiet_ms)
		quiet_ms = cfg->conns.write_ms;
	return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0,
	    NULL, NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET, fd,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_THREAD_POOL_SIZE,
	    cfg->threads > 1 ? cfg->threads : 0, MHD_OPTION_CONNECTION_LIMIT,
	    cfg->threads * ((unsigned)cfg->conns.max + CONNECTION_SLACK),
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
	    MHD_OPTION_THREAD_STACK_SIZE, THREAD_STACK,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(quiet_ms / MS_PER_S + 2),
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
	    MHD_OPTION_URI_LOG_CALLBACK, on_request_line, s,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
	    MHD_OPTION_UNESCAPE_CALLBACK, keep_escaped, NULL, MHD_OPTION_END);
}

uint64_t
http_server_timeout_ms(int64_t ns)
{
	uint64_t ms = ns > 0 ? (uint64_t)ns / NS_PER_MS : 0;

	if (ms == 0)
		return 1;
	return ms < TIMEOUT_MAX_MS ? ms : TIMEOUT_MAX_MS;
}

static void
free_server(struct http_server *s)
{
	conns_free(s->conns);
	mem_free_wiped(s->cfg.ctx);
	mem_free_wiped(s);
}

int
http_server_start(const struct http_listener_config *cfg,
    struct http_server **ret, struct err *err)
{
	struct http_server *s = xcalloc(1, sizeof(*s));
	int fd = addr_listen(cfg->listen_addr, err);

	s->cfg = *cfg;
	if (fd < 0) {
		free_server(s);
		return -1;
	}
	s->conns = conns_new(&cfg->conns, cfg->clock);
	addr_text(fd, s->addr);
	s->daemon = start_daemon(s, fd);
	if (s->daemon == NULL) {
		(void)err_set(err, ERR_IO, "serve HTTP on %s: %s",
		    cfg->listen_addr, strerrordesc_np(errno));
		(void)close(fd);
		free_server(s);
		return -1;
	}
	thread_start(&s->expirer, "http-deadline", expire_main, s);
	*ret = s;
	return 0;
}

const char *
http_server_addr(const struct http_server *s)
{
	return s->addr;
}

void
http_server_stop(struct http_server *s)
{
	int fd;

	if (s == NULL)
		return;
	/* The library's threads still take the socket out of their epoll sets:
	 * it stays open until they have ended, but listens no more. */
	fd = MHD_quiesce_daemon(s->daemon);
	if (fd >= 0)
		(void)shutdown(fd, SHUT_RDWR);
	(void)conns_drain(s->conns, STOP_MS);
	thread_join(&s->expirer);
	MHD_stop_daemon(s->daemon);
	if (fd >= 0)
		(void)close(fd);
	free_server(s);
}
