/*
 * One listener on libmicrohttpd: its threads, requests from head to answer.
 *
 * Order of the library's callbacks on a connection: connection started; then
 * per request line read (our struct request is made), head complete, pieces of
 * the body, body complete (the answer is given), request completed; then
 * connection closed. All of one connection come on the same thread.
 */
#include "http/server.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdatomic.h>
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

/* The library's own limit is only a second line: per thread, and over ours by
 * so many, since an ended connection takes a moment to go. */
#define CONNECTION_SLACK 64u
#define THREAD_STACK	 ((size_t)256 * 1024)
#define TIMEOUT_MAX_MS	 UINT64_C(86400000)
#define STOP_MS		 2000
#define CODE_MAX	 8
#define BUSY_RETRY_S	 1

#define container_of(p, type, member) \
	((type *)(void *)((char *)(p)-offsetof(type, member)))

struct http_server {
	struct http_listener_config cfg;
	struct MHD_Daemon *daemon;
	int fd; /* it listens on; the library's to close */
	struct conns *conns;
	struct pool *pool;    /* NULL: no tasks */
	atomic_size_t bodies; /* bytes of the tasks' bodies */
	struct thread expirer;
	char addr[ADDR_TEXT_MAX];
};

struct request {
	bool begun; /* its head has been judged */
	uint64_t started_ns;
	uint64_t body_len;
	/* Of a task: */
	const struct http_task *task;
	struct pool_job job;
	struct http_server *server;
	struct MHD_Connection *mc; /* rests while the job is under way */
	struct head *head;
	struct buf body;
	size_t held;	/* its share of the server's bodies */
	bool denied;	/* the body is dropped */
	bool submitted; /* the job has been made */
	struct http_reply reply;
};

/* ---- connections ---- */

static int
socket_of(struct MHD_Connection *mc)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(mc, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info != NULL ? info->connect_fd : -1;
}

/* NULL: the connection is not encrypted. */
static gnutls_session_t
session_of(struct MHD_Connection *mc)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(mc, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	return info != NULL ? info->tls_session : NULL;
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
		if (s->cfg.tls != NULL)
			tls_attach(s->cfg.tls, session_of(mc));
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

static enum MHD_Result
send_reply(
    struct http_server *s, struct MHD_Connection *mc, struct http_reply *r)
{
	struct MHD_Response *resp = http_reply_response(r);
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
	case MHD_HTTP_SERVICE_UNAVAILABLE:
		return "busy: too many requests at once\n";
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
	gnutls_session_t session = session_of(mc);
	int fd = socket_of(mc);

	buf_printf(&head,
	    "HTTP/1.1 %u Refused\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "X-Content-Type-Options: nosniff\r\n"
	    "Content-Length: %zu\r\n"
	    "Connection: close\r\n\r\n%s",
	    status, strlen(text), text);
	/* A full socket buffer means a peer that does not read: no loss. */
	if (session != NULL) {
		(void)gnutls_record_send(session, head.data, head.len);
		(void)gnutls_bye(session, GNUTLS_SHUT_WR);
	} else {
		(void)send(
		    fd, head.data, head.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
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
count_request(const struct http_server *s, const char *path,
    const struct request *rq, const char *method, unsigned status)
{
	const char *label = method_label(method);
	char code[CODE_MAX];
	uint64_t took = clock_mono_ns(s->cfg.clock) - rq->started_ns;

	(void)snprintf(code, sizeof(code), "%u", status);
	metrics_inc(s->cfg.metrics, METRIC_HTTP_REQUESTS, path, code, label);
	metrics_observe(s->cfg.metrics, METRIC_HTTP_DURATION,
	    (double)took / (double)NS_PER_S, path, label);
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

static const struct http_task *
find_task(const struct http_server *s, const char *path)
{
	for (size_t i = 0; i < s->cfg.ntasks; i++)
		if (strcmp(s->cfg.tasks[i].path, path) == 0)
			return &s->cfg.tasks[i];
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
		count_request(s, route->path, rq, method, reply.status);
	rc = send_reply(s, mc, &reply);
	http_reply_release(&reply);
	return rc;
}

static enum MHD_Result
see_field(void *cls, enum MHD_ValueKind kind UNUSED, const char *key,
    size_t key_len, const char *value, size_t value_len)
{
	framing_field(cls, key, key_len, value != NULL ? value : "", value_len);
	return MHD_YES;
}

static size_t
body_max(const struct http_server *s, const struct request *rq)
{
	if (rq->task == NULL)
		return s->cfg.body_max;
	return rq->task->body_max != 0 ? rq->task->body_max
				       : HTTP_TASK_BODY_MAX;
}

static void
begin_task(struct http_server *s, struct MHD_Connection *mc, struct request *rq,
    const char *method)
{
	rq->server = s;
	rq->mc = mc;
	buf_init(&rq->body, HTTP_TASK_BODY_MAX);
	buf_init(&rq->reply.body, HTTP_TASK_REPLY_MAX);
	rq->head = head_new(mc, method, rq->task->credentials);
	rq->denied = !rq->task->admit(s->cfg.ctx, rq->head, &rq->reply);
}

static enum MHD_Result
begin(struct http_server *s, struct MHD_Connection *mc, struct request *rq,
    const char *path, const char *method, const char *version)
{
	struct framing f = { 0 };
	unsigned status;

	rq->begun = true;
	rq->started_ns = clock_mono_ns(s->cfg.clock);
	rq->task = find_task(s, path);
	(void)MHD_get_connection_values_n(mc, MHD_HEADER_KIND, see_field, &f);
	status = framing_verdict(&f, version, body_max(s, rq));
	if (status != 0)
		return refuse(mc, status);
	if (rq->task != NULL)
		begin_task(s, mc, rq, method);
	return MHD_YES;
}

/* Counts n more bytes; false: all bodies together would be too large. */
static bool
hold(struct http_server *s, struct request *rq, size_t n)
{
	size_t now = atomic_load(&s->bodies);

	do
		if (now + n > HTTP_TASK_BODIES_MAX)
			return false;
	while (!atomic_compare_exchange_weak(&s->bodies, &now, now + n));
	rq->held += n;
	return true;
}

static void
let_go(struct http_server *s, struct request *rq)
{
	buf_release(&rq->body);
	(void)atomic_fetch_sub(&s->bodies, rq->held);
	rq->held = 0;
}

static enum MHD_Result
take_body(struct http_server *s, struct MHD_Connection *mc, struct request *rq,
    const char *data, size_t *len)
{
	size_t n = *len;
	struct err err;

	rq->body_len += n;
	*len = 0;
	if (rq->body_len > body_max(s, rq))
		return refuse(mc, 413);
	if (rq->task == NULL || rq->denied)
		return MHD_YES;
	if (!hold(s, rq, n)) {
		let_go(s, rq);
		return refuse(mc, MHD_HTTP_SERVICE_UNAVAILABLE);
	}
	return buf_append(&rq->body, data, n, &err) == 0 ? MHD_YES
							 : refuse(mc, 413);
}

/* ---- tasks ---- */

static void
reply_busy(struct http_reply *reply)
{
	http_reply_field(reply, "Retry-After", BUSY_RETRY_S);
	http_reply_text(reply, MHD_HTTP_SERVICE_UNAVAILABLE,
	    "busy: too many requests at once\n");
}

/* The last thing it does is to wake the connection: from then on the request
 * belongs to the listener's thread again. */
static void
run_job(struct pool_job *job, bool cancelled)
{
	struct request *rq = container_of(job, struct request, job);
	struct http_server *s = rq->server;

	if (cancelled)
		reply_busy(&rq->reply);
	else
		rq->task->work(
		    s->cfg.ctx, rq->head, &rq->body, s->pool, &rq->reply);
	MHD_resume_connection(rq->mc);
}

/* The connection rests before the job can run, so that waking it comes later
 * whatever happens. */
static enum MHD_Result
submit(struct http_server *s, struct MHD_Connection *mc, struct request *rq)
{
	rq->submitted = true;
	rq->job.run = run_job;
	enter(s, mc, CONN_WRITE);
	MHD_suspend_connection(mc);
	if (!pool_submit(s->pool, &rq->job)) {
		reply_busy(&rq->reply);
		MHD_resume_connection(mc);
	}
	return MHD_YES;
}

static enum MHD_Result
answer_task(struct http_server *s, struct MHD_Connection *mc,
    struct request *rq, const char *method)
{
	if (!rq->denied && !rq->submitted)
		return submit(s, mc, rq);
	count_request(s, rq->task->path, rq, method, rq->reply.status);
	return send_reply(s, mc, &rq->reply);
}

static void
request_free(struct http_server *s, struct request *rq)
{
	if (rq == NULL)
		return;
	let_go(s, rq);
	http_reply_release(&rq->reply);
	head_free(rq->head);
	mem_free_wiped(rq);
}

static void
finish(struct http_server *s, struct request *rq, bool sent)
{
	struct pool_job *after = rq != NULL ? STEAL(rq->reply.after) : NULL;

	if (after != NULL && (!sent || !pool_submit(s->pool, after)))
		after->run(after, true);
}

static void *
on_request_line(void *cls, const char *uri UNUSED, struct MHD_Connection *mc)
{
	enter(cls, mc, CONN_READ);
	return xcalloc(1, sizeof(struct request));
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *mc, const char *path,
    const char *method, const char *version, const char *data, size_t *len,
    void **context)
{
	struct http_server *s = cls;
	struct request *rq = *context;

	if (rq == NULL)
		return MHD_NO;
	if (!rq->begun)
		return begin(s, mc, rq, path, method, version);
	if (*len > 0)
		return take_body(s, mc, rq, data, len);
	if (rq->task != NULL)
		return answer_task(s, mc, rq, method);
	return answer(s, mc, rq, path, method);
}

static void
on_completed(void *cls, struct MHD_Connection *mc, void **context,
    enum MHD_RequestTerminationCode code)
{
	finish(cls, *context, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
	request_free(cls, *context);
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
	static char priorities[] = TLS_PRIORITIES;
	struct MHD_OptionItem extra[3] = {
		[0 ... 2] = { .option = MHD_OPTION_END },
	};
	size_t memory = cfg->connection_memory != 0 ? cfg->connection_memory
						    : HTTP_CONNECTION_MEMORY;
	uint64_t quiet_ms = cfg->conns.idle_ms > cfg->conns.read_ms
	    ? cfg->conns.idle_ms
	    : cfg->conns.read_ms;

	if (cfg->conns.write_ms > quiet_ms)
		quiet_ms = cfg->conns.write_ms;
	if (cfg->tls != NULL) {
		extra[0] =
		    (struct MHD_OptionItem) { MHD_OPTION_HTTPS_PRIORITIES, 0,
			    priorities };
		extra[1] =
		    (struct MHD_OptionItem) { MHD_OPTION_HTTPS_CERT_CALLBACK2,
			    0, (void *)tls_retrieve };
	}
	return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC |
		(cfg->tls != NULL ? MHD_USE_TLS : 0) |
		(cfg->ntasks > 0 ? MHD_ALLOW_SUSPEND_RESUME : 0),
	    0, NULL, NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET, fd,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_THREAD_POOL_SIZE,
	    cfg->threads > 1 ? cfg->threads : 0, MHD_OPTION_CONNECTION_LIMIT,
	    cfg->threads * ((unsigned)cfg->conns.max + CONNECTION_SLACK),
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory,
	    MHD_OPTION_THREAD_STACK_SIZE, THREAD_STACK,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(quiet_ms / MS_PER_S + 2),
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
	    MHD_OPTION_URI_LOG_CALLBACK, on_request_line, s,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
	    MHD_OPTION_UNESCAPE_CALLBACK, keep_escaped, NULL, MHD_OPTION_ARRAY,
	    extra, MHD_OPTION_END);
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
	pool_free(s->pool);
	if (s->cfg.release != NULL)
		s->cfg.release(s->cfg.ctx);
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
	assert(cfg->tls == NULL || cfg->threads == 1);
	s->cfg.conns.silent = cfg->tls != NULL;
	s->conns = conns_new(&s->cfg.conns, cfg->clock);
	s->fd = fd;
	addr_text(fd, s->addr);
	if (cfg->ntasks > 0)
		s->pool = pool_new(cfg->task_threads, HTTP_TASK_QUEUE_MAX);
	s->daemon = start_daemon(s, fd);
	if (s->daemon == NULL) {
		if (s->pool != NULL)
			pool_stop(s->pool);
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

/*
 * Nobody gets in any more. MHD_quiesce_daemon() is not for this: it and the
 * library's threads take the socket out of the same epoll set, and whoever
 * comes second ends the process. A socket that listens to nobody takes the
 * place of ours instead; the library closes it. Without one, who comes late is
 * sent away by the drain.
 */
static void
stop_listening(struct http_server *s)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	(void)dup3(fd, s->fd, O_CLOEXEC);
	(void)close(fd);
}

void
http_server_stop(struct http_server *s)
{
	if (s == NULL)
		return;
	stop_listening(s);
	(void)conns_drain(s->conns, STOP_MS);
	thread_join(&s->expirer);
	/* No connection may rest when the library stops. */
	if (s->pool != NULL)
		pool_stop(s->pool);
	MHD_stop_daemon(s->daemon);
	free_server(s);
}
