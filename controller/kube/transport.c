/*
 * The blocking transport: one request at a time over one kept-alive
 * connection; and the curl handles of both transports. The handle sits in a
 * multi handle of its own, so that waiting for the answer and waiting for a
 * stop are one poll.
 */
#include "kube/transport.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/mem.h"
#include "easy.h"
#include "metrics/metrics.h"
#include "verb.h"

#define HEADER_LINE_MAX	   (32u * 1024)
#define CONNECT_TIMEOUT_MS 5000L
#define KEEPALIVE_IDLE_S   30L
#define KEEPALIVE_INTVL_S  10L
#define KEEPALIVE_PROBES   3
#define USER_TIMEOUT_MS	   30000u
#define REQUEST_TIMEOUT_MS 30000u
#define STOP_GRACE_MS	   5000u
#define POLL_MS		   1000
#define BODY_MAX	   (8u * 1024 * 1024)
#define RECV_BUFFER	   8192L  /* one for each of several hundred watches */
#define SEND_BUFFER	   16384L /* the least; kept with the handle */

/* ---- curl handles, for both transports ---- */

/* Curl sets the keepalive times; the number of probes and how long sent data
 * may stay unacknowledged are ours. Best effort. */
static int
on_socket(void *ctx UNUSED, curl_socket_t fd, curlsocktype purpose UNUSED)
{
	int probes = KEEPALIVE_PROBES;
	unsigned user_timeout = USER_TIMEOUT_MS;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout,
	    sizeof(user_timeout));
	return CURL_SOCKOPT_OK;
}

#define SET(option, value)                                       \
	do {                                                     \
		if (rc == CURLE_OK)                              \
			rc = curl_easy_setopt(h, option, value); \
	} while (0)

static CURLcode
set_http(CURL *h, const struct target *t)
{
	CURLcode rc = CURLE_OK;

	SET(CURLOPT_PROTOCOLS_STR, target_uses_tls(t->cfg) ? "https" : "http");
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOPROXY, "*");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_PATH_AS_IS, 1L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
	SET(CURLOPT_TCP_KEEPINTVL, KEEPALIVE_INTVL_S);
	SET(CURLOPT_SOCKOPTFUNCTION, on_socket);
	SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	SET(CURLOPT_BUFFERSIZE, RECV_BUFFER);
	SET(CURLOPT_UPLOAD_BUFFERSIZE, SEND_BUFFER);
	if (t->cfg->user_agent != NULL)
		SET(CURLOPT_USERAGENT, t->cfg->user_agent);
	if (t->connect_list != NULL)
		SET(CURLOPT_CONNECT_TO, (struct curl_slist *)t->connect_list);
	return rc;
}

/* The blob replaces curl's built-in file; its built-in directory must go too,
 * or everything in it would be trusted besides. */
static CURLcode
set_trust(CURL *h, const struct target *t)
{
	struct curl_blob ca = {
		.data = t->ca.data,
		.len = t->ca.len,
		.flags = CURL_BLOB_COPY,
	};
	CURLcode rc = CURLE_OK;

	SET(CURLOPT_SSL_VERIFYPEER, t->cfg->insecure ? 0L : 1L);
	SET(CURLOPT_SSL_VERIFYHOST, t->cfg->insecure ? 0L : 2L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
	SET(CURLOPT_CAPATH, NULL);
	SET(CURLOPT_CAINFO, NULL);
#if LIBCURL_VERSION_NUM >= 0x075700
	SET(CURLOPT_CA_CACHE_TIMEOUT, 0L);
#endif
	if (!t->cfg->insecure)
		SET(CURLOPT_CAINFO_BLOB, &ca);
	return rc;
}

static CURLcode
set_client_certificate(CURL *h, const struct kube_config *cfg)
{
	struct curl_blob cert = { .flags = CURL_BLOB_NOCOPY };
	struct curl_blob key = { .flags = CURL_BLOB_NOCOPY };
	CURLcode rc = CURLE_OK;

	if (cfg->cert_pem != NULL) {
		cert.data = cfg->cert_pem;
		cert.len = strlen(cfg->cert_pem);
		SET(CURLOPT_SSLCERT_BLOB, &cert);
	} else if (cfg->cert_file != NULL) {
		SET(CURLOPT_SSLCERT, cfg->cert_file);
	}
	if (cfg->key_pem != NULL) {
		key.data = secret_data(cfg->key_pem);
		key.len = secret_len(cfg->key_pem);
		SET(CURLOPT_SSLKEY_BLOB, &key);
	} else if (cfg->key_file != NULL) {
		SET(CURLOPT_SSLKEY, cfg->key_file);
	}
	return rc;
}

void *
transport_easy_new(struct target *t, struct err *err)
{
	CURL *h = curl_easy_init();
	CURLcode rc = CURLE_OUT_OF_MEMORY;

	if (t->connect_to != NULL && t->connect_list == NULL)
		t->connect_list = curl_slist_append(NULL, t->connect_to);
	if (h != NULL)
		rc = set_http(h, t);
	if (rc == CURLE_OK && target_uses_tls(t->cfg)) {
		rc = set_trust(h, t);
		if (rc == CURLE_OK)
			rc = set_client_certificate(h, t->cfg);
	}
	if (rc == CURLE_OK)
		return h;
	err_set(err, ERR_TRANSPORT, "libcurl: %s", curl_easy_strerror(rc));
	curl_easy_cleanup(h);
	return NULL;
}

void
transport_target_release(struct target *t)
{
	curl_slist_free_all(t->connect_list);
	target_release(t);
}

static int
add_authorization(struct target *t, struct curl_slist **list, struct err *err)
{
	AUTO_RELEASE(buf) struct buf line = BUF_INIT(HEADER_LINE_MAX);
	AUTO(secret) struct secret *token = NULL;

	if (t->cfg->token == NULL)
		return 0;
	token = kube_token_get(t->cfg->token, err);
	if (token == NULL) {
		/* A missing file must not look like a missing object. */
		err->code = ERR_TRANSPORT;
		return err_wrap(err, "token");
	}
	buf_puts(&line, "Authorization: Bearer ");
	if (buf_append(&line, secret_bytes(token), secret_len(token), err) < 0)
		return err_wrap(err, "token");
	*list = curl_slist_append(*list, buf_str(&line));
	return 0;
}

int
transport_headers(struct target *t, const char *accept,
    const char *content_type, void **ret, struct err *err)
{
	AUTO_STR char *accept_line = xasprintf(
	    "Accept: %s", accept != NULL ? accept : "application/json");
	AUTO_STR char *type_line = NULL;
	/* Curl would wait a second for "100 Continue" before a large body. */
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");

	list = curl_slist_append(list, accept_line);
	if (content_type != NULL) {
		type_line = xasprintf("Content-Type: %s", content_type);
		list = curl_slist_append(list, type_line);
	}
	if (add_authorization(t, &list, err) < 0) {
		transport_headers_free(list);
		return -1;
	}
	*ret = list;
	return 0;
}

void
transport_headers_free(void *list)
{
	for (struct curl_slist *i = list; i != NULL; i = i->next)
		mem_wipe(i->data, strlen(i->data));
	curl_slist_free_all(list);
}

int
transport_fail(int curl_code, const char *method, const char *path,
    const char *text, struct err *err)
{
	enum err_code code =
	    curl_code == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT : ERR_TRANSPORT;

	/* Without the query: it holds continue tokens. */
	return err_set(err, code, "%s %.*s: %s", method,
	    (int)strcspn(path, "?"), path,
	    text[0] != '\0' ? text : curl_easy_strerror((CURLcode)curl_code));
}

void
transport_count(
    struct metrics *m, const char *method, const char *path, int status)
{
	char code[12] = "error";
	struct verb verb;

	if (status != 0)
		(void)snprintf(code, sizeof(code), "%d", status);
	verb_of(method, path, &verb);
	metrics_inc(m, METRIC_API_REQUESTS, verb.name, verb.resource, code);
}

/* ---- the blocking transport ---- */

struct transport {
	struct kube_transport pub;
	struct target target;
	struct metrics *metrics; /* borrowed */
	struct stop *stop;	 /* borrowed, may be NULL */
	CURLM *multi;
	CURL *easy;
};

/* One attempt at one request. */
struct call {
	struct transport *t;
	const struct kube_request *req;
	struct kube_response *resp;
	struct target_head head;
	void *headers;
	char text[CURL_ERROR_SIZE];
	bool stop_seen;
	uint64_t stop_deadline_ms;
	struct err err; /* ours, ahead of what curl makes of it */
};

static size_t
on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct call *c = ctx;
	struct target_field f;

	if (c->req->field != NULL && target_head_field(p, size * n, &f))
		c->req->field(c->req->field_ctx, f.name, f.name_len, f.value,
		    f.value_len);
	if (target_head_line(&c->head, p, size * n))
		return size * n;
	err_set(&c->err, ERR_TOOBIG, "head of the answer is too large");
	return 0;
}

static size_t
on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct call *c = ctx;
	size_t len = size * n;

	if (c->req->sink != NULL && c->head.status / 100 == 2) {
		if (c->req->sink(c->req->sink_ctx, p, len))
			return len;
		err_set(&c->err, ERR_CANCELLED, "ended by the reader");
		return 0;
	}
	if (buf_append(&c->resp->body, p, len, &c->err) == 0)
		return len;
	err_wrap(&c->err, "answer");
	return 0;
}

static bool
is_read(const struct kube_request *req)
{
	return strcmp(req->method, "GET") == 0;
}

static CURLcode
set_method(CURL *h, const struct kube_request *req)
{
	CURLcode rc = CURLE_OK;

	if (req->body != NULL) {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDS, req->body);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body_len);
	} else {
		/* In this order: POSTFIELDS, even NULL, makes it a POST. */
		SET(CURLOPT_POSTFIELDS, NULL);
		SET(CURLOPT_HTTPGET, 1L);
	}
	SET(CURLOPT_CUSTOMREQUEST, req->method);
	return rc;
}

static CURLcode
set_request(struct call *c, const char *url)
{
	CURL *h = c->t->easy;
	uint64_t timeout_ms =
	    c->req->timeout_ms > 0 ? c->req->timeout_ms : REQUEST_TIMEOUT_MS;
	CURLcode rc = set_method(h, c->req);

	SET(CURLOPT_URL, url);
	SET(CURLOPT_HTTPHEADER, (struct curl_slist *)c->headers);
	SET(CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	SET(CURLOPT_ERRORBUFFER, c->text);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, (void *)c);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, (void *)c);
	return rc;
}

/* Nothing of this call may stay in the handle: it outlives the call. */
static void
unset_request(CURL *h)
{
	(void)curl_easy_setopt(h, CURLOPT_HTTPHEADER, NULL);
	(void)curl_easy_setopt(h, CURLOPT_POSTFIELDS, NULL);
	(void)curl_easy_setopt(h, CURLOPT_ERRORBUFFER, NULL);
	(void)curl_easy_setopt(h, CURLOPT_HEADERDATA, NULL);
	(void)curl_easy_setopt(h, CURLOPT_WRITEDATA, NULL);
}

static bool
has_begun(struct call *c)
{
	long sent = 0;

	(void)curl_easy_getinfo(c->t->easy, CURLINFO_REQUEST_SIZE, &sent);
	return sent > 0;
}

/* True where the call must end now; c->err says why. */
static bool
must_stop(struct call *c)
{
	struct stop *stop = c->t->stop;
	uint64_t now;

	if (c->req->abort != NULL && stop_requested(c->req->abort)) {
		err_set(&c->err, ERR_CANCELLED, "stopped");
		return true;
	}
	if (stop == NULL || !stop_requested(stop))
		return false;
	now = clock_mono_ms(&clock_system);
	if (!c->stop_seen && (is_read(c->req) || !has_begun(c))) {
		err_set(&c->err, ERR_CANCELLED, "stopped");
		return true;
	}
	if (!c->stop_seen) {
		c->stop_seen = true;
		c->stop_deadline_ms = now + STOP_GRACE_MS;
	}
	if (now < c->stop_deadline_ms)
		return false;
	err_set(&c->err, ERR_TIMEOUT, "stopped before the answer came");
	return true;
}

static void
wait_for_news(struct call *c)
{
	struct curl_waitfd fds[2] = { 0 };
	unsigned n = 0;

	/* Once seen, the token stays readable and would make this spin. */
	if (c->t->stop != NULL && !c->stop_seen)
		fds[n++] = (struct curl_waitfd) {
			.fd = c->t->stop->fd,
			.events = CURL_WAIT_POLLIN,
		};
	if (c->req->abort != NULL)
		fds[n++] = (struct curl_waitfd) {
			.fd = c->req->abort->fd,
			.events = CURL_WAIT_POLLIN,
		};
	(void)curl_multi_poll(c->t->multi, fds, n, POLL_MS, NULL);
}

static CURLcode
drive(struct call *c)
{
	CURLM *multi = c->t->multi;
	CURLcode rc = CURLE_FAILED_INIT;
	CURLMsg *msg;
	int n;

	if (curl_multi_add_handle(multi, c->t->easy) != CURLM_OK)
		return rc;
	for (;;) {
		if (curl_multi_perform(multi, &n) != CURLM_OK)
			break;
		msg = curl_multi_info_read(multi, &n);
		if (msg != NULL && msg->msg == CURLMSG_DONE) {
			rc = msg->data.result;
			break;
		}
		if (must_stop(c))
			break;
		wait_for_news(c);
	}
	(void)curl_multi_remove_handle(multi, c->t->easy);
	return rc;
}

static int
attempt(struct call *c, struct err *err)
{
	const struct kube_request *req = c->req;
	AUTO_STR char *url = xasprintf("%s%s", c->t->target.base, req->path);
	const char *type =
	    req->content_type != NULL ? req->content_type : "application/json";
	CURLcode rc;

	target_head_reset(&c->head);
	buf_clear(&c->resp->body);
	if (transport_headers(&c->t->target, req->accept,
		req->body != NULL ? type : NULL, &c->headers, err) < 0)
		return -1;
	rc = set_request(c, url);
	if (rc == CURLE_OK)
		rc = drive(c);
	unset_request(c->t->easy);
	transport_headers_free(c->headers);
	/* Libcurl takes a head that was cut off for a whole answer. */
	if (rc == CURLE_OK && !c->head.complete)
		rc = CURLE_RECV_ERROR;
	transport_count(c->t->metrics, req->method, req->path,
	    rc == CURLE_OK ? c->head.status : 0);
	if (c->err.code != ERR_NONE)
		return err_set(err, c->err.code, "%s", c->err.msg);
	if (rc != CURLE_OK)
		return transport_fail(
		    (int)rc, req->method, req->path, c->text, err);
	return 0;
}

static void
drop_handles(struct transport *t)
{
	curl_easy_cleanup(t->easy);
	t->easy = NULL;
	(void)curl_multi_cleanup(t->multi);
	t->multi = NULL;
}

static int
ready_handles(struct transport *t, struct err *err)
{
	bool changed;

	if (target_refresh(&t->target, &changed, err) < 0)
		return -1;
	if (changed)
		drop_handles(t);
	if (t->easy == NULL)
		t->easy = transport_easy_new(&t->target, err);
	if (t->easy == NULL)
		return -1;
	if (t->multi == NULL) {
		t->multi = curl_multi_init();
		if (t->multi == NULL)
			return err_set(
			    err, ERR_TRANSPORT, "libcurl: no handle");
		(void)curl_multi_setopt(t->multi, CURLMOPT_MAXCONNECTS, 1L);
		(void)curl_multi_setopt(
		    t->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	}
	return 0;
}

static bool
is_stopped(const struct transport *t, const struct kube_request *req)
{
	return (t->stop != NULL && stop_requested(t->stop)) ||
	    (req->abort != NULL && stop_requested(req->abort));
}

static int
perform(void *ctx, const struct kube_request *req, struct kube_response *ret,
    struct err *err)
{
	struct transport *t = ctx;
	struct call c = { .t = t, .req = req, .resp = ret, .err = ERR_INIT };
	int rc;

	memset(ret, 0, sizeof(*ret));
	buf_init(&ret->body, req->max_body > 0 ? req->max_body : BODY_MAX);
	if (is_stopped(t, req))
		return err_set(err, ERR_CANCELLED, "stopped");
	if (ready_handles(t, err) < 0)
		return -1;
	rc = attempt(&c, err);
	if (rc == 0 && c.head.status == 401 && !req->once &&
	    t->target.cfg->token != NULL) {
		kube_token_invalidate(t->target.cfg->token);
		rc = attempt(&c, err);
		if (rc == 0 && c.head.status == 401)
			kube_token_invalidate(t->target.cfg->token);
	}
	ret->status = c.head.status;
	ret->json = c.head.json;
	ret->retry_after_s = c.head.retry_after_s;
	if (rc < 0)
		kube_response_release(ret);
	return rc;
}

static void
destroy(void *ctx)
{
	struct transport *t = ctx;

	drop_handles(t);
	transport_target_release(&t->target);
	mem_free_wiped(t);
}

struct kube_transport *
kube_transport_new(
    const struct kube_config *cfg, struct metrics *metrics, struct stop *stop)
{
	struct transport *t = xcalloc(1, sizeof(*t));

	target_init(&t->target, cfg);
	t->metrics = metrics;
	t->stop = stop;
	t->pub.ctx = t;
	t->pub.perform = perform;
	t->pub.free = destroy;
	return &t->pub;
}

void
kube_transport_free(struct kube_transport *t)
{
	if (t != NULL)
		t->free(t->ctx);
}

void
kube_response_release(struct kube_response *r)
{
	buf_release(&r->body);
}
