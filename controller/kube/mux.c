/*
 * Many streams on one curl multi handle, driven by one thread. libcurl must
 * not be called back into from its callbacks, so start() and cancel() only
 * note what is wanted, and poll() acts on it between libcurl's turns.
 */
#include <curl/curl.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "easy.h"
#include "kube/transport.h"
#include "metrics/metrics.h"
#include "target.h"

enum stream_state { STREAM_WAITING, STREAM_RUNNING };

struct kube_stream {
	struct kube_stream *prev, *next;
	struct mux *mux;
	enum stream_state state;
	char *path, *accept;
	uint64_t idle_timeout_ms, total_timeout_ms;
	struct kube_stream_handler handler;
	CURL *easy;
	void *headers;
	char text[CURL_ERROR_SIZE];
	struct target_head head;
	uint64_t last_ms; /* of the last byte */
	bool retried;	  /* after a 401 */
	bool began;	  /* begin() was called */
	bool cancelled;	  /* no callback any more */
	struct err err;	  /* ours, ahead of what curl makes of it */
};

struct mux {
	struct kube_mux pub;
	struct target target;
	struct metrics *metrics; /* borrowed */
	CURLM *multi;
	struct kube_stream *first, *last;
	unsigned nwaiting;   /* to be started */
	unsigned ncancelled; /* to be freed */
	bool called_back;    /* in this poll */
};

static void
list_add(struct mux *m, struct kube_stream *s)
{
	s->prev = m->last;
	s->next = NULL;
	if (m->last != NULL)
		m->last->next = s;
	else
		m->first = s;
	m->last = s;
}

static void
list_remove(struct mux *m, struct kube_stream *s)
{
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		m->first = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	else
		m->last = s->prev;
}

static struct kube_stream *
start(void *ctx, const struct kube_stream_request *req,
    const struct kube_stream_handler *h)
{
	struct mux *m = ctx;
	struct kube_stream *s = xcalloc(1, sizeof(*s));

	s->mux = m;
	s->path = xstrdup(req->path);
	s->accept = req->accept != NULL ? xstrdup(req->accept) : NULL;
	s->idle_timeout_ms = req->idle_timeout_ms;
	s->total_timeout_ms = req->total_timeout_ms;
	s->handler = *h;
	s->state = STREAM_WAITING;
	list_add(m, s);
	m->nwaiting++;
	return s;
}

static void
cancel(void *ctx, struct kube_stream *s)
{
	struct mux *m = ctx;

	if (s->cancelled)
		return;
	s->cancelled = true;
	m->ncancelled++;
}

/* Takes the stream out of libcurl; a transfer under way loses its
 * connection. */
static void
halt(struct kube_stream *s)
{
	if (s->easy != NULL) {
		(void)curl_multi_remove_handle(s->mux->multi, s->easy);
		curl_easy_cleanup(s->easy);
		s->easy = NULL;
	}
	transport_headers_free(s->headers);
	s->headers = NULL;
}

static void
stream_free(struct kube_stream *s)
{
	struct mux *m = s->mux;

	halt(s);
	if (s->state == STREAM_WAITING)
		m->nwaiting--;
	if (s->cancelled)
		m->ncancelled--;
	list_remove(m, s);
	mem_free_wiped(s->path);
	mem_free_wiped(s->accept);
	mem_free_wiped(s);
}

static void
finish(struct kube_stream *s, const struct err *err)
{
	struct mux *m = s->mux;

	halt(s);
	if (!s->cancelled) {
		m->called_back = true;
		if (!s->began)
			transport_count(m->metrics, "GET", s->path, 0);
		s->handler.done(s->handler.ctx, err);
	}
	stream_free(s);
}

/* A first 401 is not shown: the token may just have been replaced. */
static bool
is_hidden(const struct kube_stream *s)
{
	return s->head.status == 401 && !s->retried &&
	    s->mux->target.cfg->token != NULL;
}

static void
call_begin(struct kube_stream *s)
{
	s->began = true;
	s->mux->called_back = true;
	transport_count(s->mux->metrics, "GET", s->path, s->head.status);
	s->handler.begin(s->handler.ctx, s->head.status, s->head.json,
	    s->head.retry_after_s);
}

static size_t
on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct kube_stream *s = ctx;

	if (s->cancelled)
		return 0;
	s->last_ms = clock_mono_ms(&clock_system);
	if (!target_head_line(&s->head, p, size * n)) {
		err_set(&s->err, ERR_TOOBIG, "head of the answer is too large");
		return 0;
	}
	if (s->head.complete && !s->began && !is_hidden(s))
		call_begin(s);
	return s->cancelled ? 0 : size * n;
}

static size_t
on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct kube_stream *s = ctx;

	if (s->cancelled)
		return 0;
	s->last_ms = clock_mono_ms(&clock_system);
	if (is_hidden(s))
		return size * n;
	s->mux->called_back = true;
	if (!s->handler.data(s->handler.ctx, p, size * n)) {
		err_set(&s->err, ERR_CANCELLED, "ended by the reader");
		return 0;
	}
	return s->cancelled ? 0 : size * n;
}

#define SET(option, value)                                       \
	do {                                                     \
		if (rc == CURLE_OK)                              \
			rc = curl_easy_setopt(h, option, value); \
	} while (0)

static CURLcode
set_request(struct kube_stream *s)
{
	CURL *h = s->easy;
	AUTO_STR char *url = xasprintf("%s%s", s->mux->target.base, s->path);
	CURLcode rc = CURLE_OK;

	SET(CURLOPT_URL, url);
	SET(CURLOPT_HTTPHEADER, (struct curl_slist *)s->headers);
	SET(CURLOPT_TIMEOUT_MS, (long)s->total_timeout_ms);
	SET(CURLOPT_ERRORBUFFER, s->text);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, (void *)s);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, (void *)s);
	SET(CURLOPT_PRIVATE, (void *)s);
	return rc;
}

static int
launch(struct kube_stream *s, struct err *err)
{
	struct mux *m = s->mux;
	CURLcode rc;

	s->easy = transport_easy_new(&m->target, err);
	if (s->easy == NULL)
		return -1;
	if (transport_headers(&m->target, s->accept, NULL, &s->headers, err) <
	    0)
		return -1;
	target_head_reset(&s->head);
	s->last_ms = clock_mono_ms(&clock_system);
	rc = set_request(s);
	if (rc == CURLE_OK && curl_multi_add_handle(m->multi, s->easy) != 0)
		rc = CURLE_FAILED_INIT;
	if (rc != CURLE_OK)
		return transport_fail((int)rc, "GET", s->path, "", err);
	return 0;
}

/* Ahead of the first stream of a turn: connections made under another trust
 * are not used again, because libcurl compares the settings; those of streams
 * under way end with their streams. */
static int
ready(struct mux *m, struct err *err)
{
	bool changed;

	if (target_refresh(&m->target, &changed, err) < 0)
		return -1;
	if (m->multi == NULL)
		return err_set(err, ERR_TRANSPORT, "libcurl: no handle");
	return 0;
}

/* What callbacks start meanwhile has its turn in the next poll. */
static void
start_waiting(struct mux *m)
{
	struct err ready_err = ERR_INIT;
	struct kube_stream *s, *next, *stop;
	bool is_ready;

	if (m->nwaiting == 0)
		return;
	is_ready = ready(m, &ready_err) == 0;
	stop = m->last;
	for (s = m->first; s != NULL; s = next) {
		struct err err = ready_err;
		bool was_last = s == stop;

		next = was_last ? NULL : s->next;
		if (s->state != STREAM_WAITING || s->cancelled)
			continue;
		s->state = STREAM_RUNNING;
		m->nwaiting--;
		if (!is_ready || launch(s, &err) < 0)
			finish(s, &err);
	}
}

static void
free_cancelled(struct mux *m)
{
	struct kube_stream *s, *next;

	if (m->ncancelled == 0)
		return;
	for (s = m->first; s != NULL; s = next) {
		next = s->next;
		if (s->cancelled)
			stream_free(s);
	}
}

static void
retry_with_new_token(struct kube_stream *s)
{
	struct err err = ERR_INIT;

	kube_token_invalidate(s->mux->target.cfg->token);
	transport_count(s->mux->metrics, "GET", s->path, s->head.status);
	s->retried = true;
	s->err = (struct err)ERR_INIT;
	halt(s);
	if (launch(s, &err) < 0)
		finish(s, &err);
}

static void
reap(struct kube_stream *s, CURLcode rc)
{
	struct err err = s->err;

	if (rc == CURLE_OK && s->head.complete && is_hidden(s) &&
	    !s->cancelled) {
		retry_with_new_token(s);
		return;
	}
	/* Libcurl takes a head that was cut off for a whole answer. */
	if (rc == CURLE_OK && !s->head.complete)
		rc = CURLE_RECV_ERROR;
	if (s->head.status == 401 && s->mux->target.cfg->token != NULL)
		kube_token_invalidate(s->mux->target.cfg->token);
	if (err.code == ERR_NONE && rc != CURLE_OK)
		transport_fail((int)rc, "GET", s->path, s->text, &err);
	finish(s, &err);
}

static void
run(struct mux *m)
{
	CURLMsg *msg;
	int n;

	if (m->multi == NULL)
		return;
	(void)curl_multi_perform(m->multi, &n);
	while ((msg = curl_multi_info_read(m->multi, &n)) != NULL) {
		struct kube_stream *s = NULL;
		CURLcode rc = msg->data.result;

		if (msg->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(
		    msg->easy_handle, CURLINFO_PRIVATE, (char **)&s);
		if (s != NULL)
			reap(s, rc);
	}
}

/* Ends streams that went silent; milliseconds until the next one would be. */
static uint64_t
check_idle(struct mux *m, uint64_t wait_ms)
{
	struct kube_stream *s, *next, *stop = m->last;
	uint64_t now = clock_mono_ms(&clock_system);

	for (s = m->first; s != NULL; s = next) {
		struct err err = ERR_INIT;
		uint64_t idle;

		next = s == stop ? NULL : s->next;
		if (s->state != STREAM_RUNNING || s->idle_timeout_ms == 0 ||
		    s->cancelled)
			continue;
		idle = now > s->last_ms ? now - s->last_ms : 0;
		if (idle < s->idle_timeout_ms) {
			if (s->idle_timeout_ms - idle < wait_ms)
				wait_ms = s->idle_timeout_ms - idle;
			continue;
		}
		err_set(&err, ERR_TIMEOUT, "GET %.*s: no byte for %.3g s",
		    (int)strcspn(s->path, "?"), s->path,
		    (double)s->idle_timeout_ms / (double)MS_PER_S);
		finish(s, &err);
	}
	return wait_ms;
}

static void
turn(struct mux *m)
{
	free_cancelled(m);
	start_waiting(m);
	run(m);
	free_cancelled(m);
}

static void
mux_poll(void *ctx, uint64_t timeout_ms)
{
	struct mux *m = ctx;
	uint64_t wait_ms = timeout_ms < INT32_MAX ? timeout_ms : INT32_MAX;

	m->called_back = false;
	turn(m);
	wait_ms = check_idle(m, wait_ms);
	/* Whoever was called back wants to look at the clock again. */
	if (m->called_back || m->nwaiting > 0 || m->multi == NULL)
		return;
	(void)curl_multi_poll(m->multi, NULL, 0, (int)wait_ms, NULL);
	turn(m);
	(void)check_idle(m, 0);
}

static void
wakeup(void *ctx)
{
	struct mux *m = ctx;

	if (m->multi != NULL)
		(void)curl_multi_wakeup(m->multi);
}

static void
destroy(void *ctx)
{
	struct mux *m = ctx;

	while (m->first != NULL)
		stream_free(m->first);
	(void)curl_multi_cleanup(m->multi);
	transport_target_release(&m->target);
	mem_free_wiped(m);
}

struct kube_mux *
kube_mux_new(const struct kube_config *cfg, struct metrics *metrics)
{
	struct mux *m = xcalloc(1, sizeof(*m));

	target_init(&m->target, cfg);
	m->metrics = metrics;
	m->multi = curl_multi_init();
	if (m->multi != NULL)
		(void)curl_multi_setopt(
		    m->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	m->pub = (struct kube_mux) {
		.ctx = m,
		.start = start,
		.cancel = cancel,
		.poll = mux_poll,
		.wakeup = wakeup,
		.free = destroy,
	};
	return &m->pub;
}

void
kube_mux_free(struct kube_mux *m)
{
	if (m != NULL)
		m->free(m->ctx);
}
