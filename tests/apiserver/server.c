/*
 * From a request to its handler: route, authenticate, authorise, negotiate,
 * carry out fault rules, answer.
 */
#include "server.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "call.h"
#include "control.h"
#include "discovery.h"
#include "faults.h"
#include "proxy.h"
#include "reqlog.h"
#include "review.h"
#include "settings.h"
#include "status.h"

#define HANG_TICK_MS 20
#define ANONYMOUS    "system:anonymous"
#define MEDIA_BUILTIN                                        \
	"406: Not Acceptable\n\nAvailable representations: " \
	"application/json, application/yaml, "               \
	"application/vnd.kubernetes.protobuf, "              \
	"application/json;stream=watch, "                    \
	"application/vnd.kubernetes.protobuf;stream=watch"
#define MEDIA_CUSTOM                                                      \
	"only the following media types are accepted: application/json, " \
	"application/yaml, application/vnd.kubernetes.protobuf"

static struct server_options opts;

struct accepted {
	int fd;
};

static void
pause_ms(int64_t ms)
{
	struct timespec ts = {
		.tv_sec = ms / 1000,
		.tv_nsec = (ms % 1000) * 1000000,
	};

	nanosleep(&ts, NULL);
}

/* -- routing -- */

static const char *
segment(const struct http_request *req, size_t i)
{
	return i < req->nseg ? req->seg[i] : "";
}

static const char *
collection_verb(const struct http_request *req)
{
	if (strcmp(req->method, "GET") == 0)
		return http_param_true(req, "watch") ? "watch" : "list";
	if (strcmp(req->method, "POST") == 0)
		return "create";
	if (strcmp(req->method, "DELETE") == 0)
		return "deletecollection";
	return "";
}

static const char *
object_verb(const struct http_request *req)
{
	static const struct {
		const char *method;
		const char *verb;
	} table[] = {
		{ "GET", "get" },
		{ "PUT", "update" },
		{ "PATCH", "patch" },
		{ "DELETE", "delete" },
		{ "POST", "create" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (strcmp(req->method, table[i].method) == 0)
			return table[i].verb;
	}
	return "";
}

static void
route_service(struct call *c)
{
	c->sub = c->req->nseg > 6 ? "proxy" : "";
	c->verb = object_verb(c->req);
	snprintf(c->resource, sizeof(c->resource), "services%s",
	    *c->sub == '\0' ? "" : "/proxy");
}

/* at: the index of the first segment behind the version. */
static void
route_resource(
    struct call *c, const char *group, const char *version, size_t at)
{
	const struct http_request *req = c->req;
	size_t i = at;

	if (strcmp(segment(req, i), "namespaces") == 0 && req->nseg > i + 2) {
		c->ns = req->seg[i + 1];
		i += 2;
	}
	c->name = segment(req, i + 1);
	if (strcmp(segment(req, i), "services") == 0 && *c->ns != '\0' &&
	    *c->name != '\0') {
		route_service(c);
		return;
	}
	c->sub = segment(req, i + 2);
	c->res = types_find(group, version, segment(req, i));
	c->verb = *c->name == '\0' ? collection_verb(req) : object_verb(req);
	if (c->res == NULL)
		return;
	snprintf(c->resource, sizeof(c->resource), "%s%s%s", c->res->plural,
	    *c->sub == '\0' ? "" : "/", c->sub);
	if (req->nseg > i + 3 ||
	    (*c->sub != '\0' &&
		!(c->res->status && strcmp(c->sub, "status") == 0)) ||
	    (c->res->namespaced && *c->ns == '\0' && *c->name != '\0'))
		c->res = NULL;
}

static void
route(struct call *c)
{
	const struct http_request *req = c->req;

	c->ns = c->name = c->sub = "";
	c->verb = "";
	if (review_route(c))
		return;
	if (strcmp(segment(req, 0), "api") == 0 && req->nseg > 2)
		route_resource(c, "", segment(req, 1), 2);
	else if (strcmp(segment(req, 0), "apis") == 0 && req->nseg > 3)
		route_resource(c, segment(req, 1), segment(req, 2), 3);
	if (*c->verb == '\0')
		c->verb = "other";
}

/* -- gates -- */

static json_t *
forbidden_path(const struct call *c, const char *user)
{
	char *msg = util_format("forbidden: User \"%s\" cannot %s path \"%s\"",
	    user, c->verb, c->req->path);
	json_t *s = status_new(403, "Forbidden", msg, json_object());

	free(msg);
	return s;
}

static json_t *
forbidden_resource(const struct call *c, const char *user)
{
	const struct resource *r = c->res;
	json_t *details = status_details(r, c->name), *s;
	char *scope = *c->ns == '\0'
	    ? util_strdup("at the cluster scope")
	    : util_format("in the namespace \"%s\"", c->ns);
	char *name = *c->name == '\0' ? util_strdup("")
				      : util_format(" \"%s\"", c->name);
	char *msg = util_format("%s%s is forbidden: User \"%s\" cannot %s "
				"resource \"%s\" in API group \"%s\" %s",
	    r->full_name, name, user, c->verb, c->resource, r->group, scope);

	s = status_new(403, "Forbidden", msg, details);
	free(scope);
	free(name);
	free(msg);
	return s;
}

static json_t *
forbidden(const struct call *c, const char *user)
{
	return c->res == NULL ? forbidden_path(c, user)
			      : forbidden_resource(c, user);
}

static void
media_param(const char *media, const char *key, char *out, size_t size)
{
	const char *p = media;
	size_t k = strlen(key);

	*out = '\0';
	while ((p = strchr(p, ';')) != NULL) {
		p++;
		while (*p == ' ')
			p++;
		if (strncmp(p, key, k) == 0 && p[k] == '=') {
			size_t n = strcspn(p + k + 1, ";, ");

			if (n < size) {
				memcpy(out, p + k + 1, n);
				out[n] = '\0';
			}
			return;
		}
	}
}

static bool
media_fits(const char *media)
{
	static const char *const fine[] = { "application/json", "*/*",
		"application/*" };
	size_t n = strcspn(media, "; ");

	for (size_t i = 0; i < ARRAY_SIZE(fine); i++) {
		if (strlen(fine[i]) == n && strncmp(media, fine[i], n) == 0)
			return true;
	}
	return false;
}

/* A transformation that the object asked for does not allow. */
static json_t *
bad_transform(const struct call *c, const char *as, bool list)
{
	char *msg;
	json_t *s;

	if (list)
		msg = util_format("you requested %s, but the requested object "
				  "is a list (*%s%sList)",
		    as, c->res->custom ? "unstructured." : "core.",
		    c->res->custom ? "Unstructured" : c->res->kind);
	else
		msg = util_format("you requested %s, but the requested object "
				  "is not a list (*%s%s)",
		    as, c->res->custom ? "unstructured." : "core.",
		    c->res->custom ? "Unstructured" : c->res->kind);
	s = status_new(406, "NotAcceptable", msg, NULL);
	free(msg);
	return s;
}

/* 1: this one it is; 0: try the next; -1: refused. */
static int
take_media(struct call *c, const char *media)
{
	char as[64], group[64], version[16];
	bool list = strcmp(c->verb, "list") == 0;
	bool as_list;

	if (!media_fits(media))
		return 0;
	media_param(media, "as", as, sizeof(as));
	media_param(media, "g", group, sizeof(group));
	media_param(media, "v", version, sizeof(version));
	if (*as == '\0')
		return 1;
	as_list = strcmp(as, "PartialObjectMetadataList") == 0;
	if (strcmp(group, "meta.k8s.io") != 0 || strcmp(version, "v1") != 0 ||
	    (!as_list && strcmp(as, "PartialObjectMetadata") != 0))
		return 0;
	if (as_list != list) {
		call_fail(c, bad_transform(c, as, list));
		return -1;
	}
	c->partial = true;
	return 1;
}

static bool
negotiate(struct call *c)
{
	const char *p = http_header(c->req, "Accept");

	if (p == NULL || *p == '\0')
		return true;
	while (*p != '\0') {
		size_t n;
		char *media;
		int taken;

		while (*p == ' ' || *p == ',')
			p++;
		n = strcspn(p, ",");
		media = util_strndup(p, n);
		taken = n > 0 ? take_media(c, media) : 0;
		free(media);
		if (taken != 0)
			return taken > 0;
		p += n;
	}
	if (c->res->custom)
		call_fail(
		    c, status_new(406, "NotAcceptable", MEDIA_CUSTOM, NULL));
	else
		call_fail(c,
		    status_new(
			406, "NotAcceptable", MEDIA_BUILTIN, json_object()));
	return false;
}

static bool
admitted(struct call *c)
{
	const char *auth = http_header(c->req, "Authorization");
	bool known = settings_token_ok(auth);

	if (!known && auth != NULL) {
		call_fail(
		    c, status_new(401, "Unauthorized", "Unauthorized", NULL));
		return false;
	}
	if (!known && !discovery_public(c)) {
		call_fail(c, forbidden(c, ANONYMOUS));
		return false;
	}
	if (c->res != NULL &&
	    settings_forbidden(c->verb, c->resource, c->ns, c->name)) {
		call_fail(c, forbidden(c, opts.user));
		return false;
	}
	if (c->req->body_too_large) {
		call_fail(c,
		    status_new(413, "RequestEntityTooLarge",
			"Request entity too large: limit is 3145728", NULL));
		return false;
	}
	return true;
}

/* -- handling -- */

static void
dispatch_resource(struct call *c)
{
	static const struct {
		const char *verb;
		bool named;
		void (*run)(struct call *c);
	} handlers[] = {
		{ "get", true, read_get },
		{ "list", false, read_list },
		{ "watch", false, watch_serve },
		{ "create", false, write_create },
		{ "update", true, write_update },
		{ "patch", true, write_patch },
		{ "delete", true, write_delete },
	};
	bool named = *c->name != '\0';
	bool writes =
	    strcmp(c->verb, "list") != 0 && strcmp(c->verb, "watch") != 0;

	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++) {
		if (strcmp(handlers[i].verb, c->verb) != 0 ||
		    handlers[i].named != named)
			continue;
		if (!named && writes && c->res->namespaced && *c->ns == '\0')
			break;
		if (*c->sub != '\0' &&
		    (strcmp(c->verb, "delete") == 0 ||
			strcmp(c->verb, "watch") == 0))
			break;
		handlers[i].run(c);
		return;
	}
	call_fail(c, status_method());
}

/* Only the group of the built-in types answers with a Status. */
static void
no_such_path(struct call *c)
{
	if (strcmp(segment(c->req, 0), "api") == 0) {
		call_fail(c, status_no_such_path());
		return;
	}
	c->code = 404;
	c->type = "text/plain; charset=utf-8";
	c->body = util_strdup("404 page not found\n");
}

/* The custom resource does as its own handler does on the real server. */
static bool
custom_path_exists(const struct call *c)
{
	if (!c->res->custom)
		return true;
	return settings_get().crd &&
	    (*c->ns != '\0' || strcmp(c->verb, "create") != 0);
}

static void
dispatch(struct call *c)
{
	if (!admitted(c))
		return;
	if (c->res != NULL && !custom_path_exists(c)) {
		no_such_path(c);
		return;
	}
	if (review_handle(c))
		return;
	if (strcmp(c->resource, "services") == 0 ||
	    strcmp(c->resource, "services/proxy") == 0)
		proxy_handle(c);
	else if (c->res != NULL) {
		if (negotiate(c))
			dispatch_resource(c);
	} else if (!discovery_handle(c)) {
		no_such_path(c);
	}
}

/* -- faults
 * ----------------------------------------------------------------------------
 */

static void
hang(struct call *c)
{
	uint64_t epoch = faults_epoch();

	while (!conn_peer_gone(c->conn) && faults_epoch() == epoch)
		pause_ms(HANG_TICK_MS);
	conn_abort(c->conn);
}

/* An admission webhook that quotes what it refuses. */
static char *
fault_message(const struct call *c, int code)
{
	const char *message = json_str(c->fault, "message");

	if (message == NULL)
		message = http_reason(code);
	if (!json_flag(c->fault, "echo", false) || c->req->body == NULL)
		return util_strdup(message);
	return util_format(
	    "%s: %.*s", message, (int)c->req->body_len, c->req->body);
}

static void
fault_status(struct call *c)
{
	int code = (int)json_num(c->fault, "code", 500);
	const char *body = json_str(c->fault, "body");
	const char *type = json_str(c->fault, "contentType");
	const char *reason = json_str(c->fault, "reason");
	char *message = fault_message(c, code);
	const json_t *headers = json_object_get(c->fault, "headers");

	if (body == NULL) {
		call_fail(c,
		    status_new(code, reason == NULL ? "" : reason, message,
			json_deep_copy(json_object_get(c->fault, "details"))));
	} else {
		free(c->body);
		c->body = util_strdup(body);
		c->code = code;
		c->type = "text/plain; charset=utf-8";
	}
	free(message);
	json_decref(c->headers);
	c->headers = headers == NULL ? json_object() : json_deep_copy(headers);
	if (type != NULL) {
		json_puts(c->headers, "Content-Type", type);
		c->type = NULL;
	}
}

static void
fault_redirect(struct call *c)
{
	const char *location = json_str(c->fault, "location");

	c->code = (int)json_num(c->fault, "code", 307);
	c->body = util_strdup("");
	c->type = NULL;
	c->headers = json_pack("{s:s}", "Location",
	    location == NULL ? "http://127.0.0.1:1/" : location);
}

/* True when the rule answered in the handler's place. */
static bool
fault_before(struct call *c, const char *action)
{
	pause_ms(json_num(c->fault, "delayMs", 0));
	if (strcmp(action, "close") == 0) {
		conn_abort(c->conn);
	} else if (strcmp(action, "hang") == 0) {
		hang(c);
	} else if (strcmp(action, "redirect") == 0) {
		fault_redirect(c);
	} else if (strcmp(action, "status") == 0) {
		if (json_flag(c->fault, "apply", false))
			return false;
		fault_status(c);
	} else {
		if (strcmp(action, "cut") == 0)
			conn_cut_after(c->conn,
			    (uint64_t)json_num(c->fault, "bytes", 0),
			    json_flag(c->fault, "reset", false));
		if (strcmp(action, "slow") == 0)
			conn_slow(c->conn,
			    (unsigned)json_num(c->fault, "delayUs", 0));
		return false;
	}
	return true;
}

static void
fault_after(struct call *c, const char *action)
{
	if (strcmp(action, "drop_response") == 0)
		conn_abort(c->conn);
	else if (strcmp(action, "status") == 0)
		fault_status(c);
}

static void
handle_api(struct call *c)
{
	const char *action;
	uint64_t id;

	route(c);
	c->fault = faults_match(c->verb, c->resource, c->ns, c->name);
	id = reqlog_start(c);
	action = json_str(c->fault, "action");
	if (c->fault == NULL) {
		dispatch(c);
	} else if (!fault_before(c, action == NULL ? "" : action)) {
		dispatch(c);
		if (!c->streamed)
			fault_after(c, action == NULL ? "" : action);
	}
	/* Noted before the client can know of it. */
	reqlog_end(id, conn_broken(c->conn) && !c->streamed ? 0 : c->code);
	if (!c->streamed && !conn_broken(c->conn) && c->body != NULL)
		http_write_reply(c->conn, c->code, c->type, c->headers, c->body,
		    strlen(c->body));
}

/* False when the connection is over. */
static bool
serve_one(struct conn *conn, struct sbuf *pending)
{
	struct http_request req;
	struct call c = { .conn = conn, .req = &req };
	bool more;

	if (http_read_request(conn, pending, &req) < 0) {
		http_request_release(&req);
		return false;
	}
	if (req.nseg > 0 && strcmp(req.seg[0], "_test") == 0) {
		control_handle(&c);
		http_write_reply(
		    conn, c.code, c.type, NULL, c.body, strlen(c.body));
	} else {
		handle_api(&c);
	}
	conn_shape_reset(conn);
	more = !req.close && !conn_broken(conn) && !req.body_too_large;
	free(c.body);
	json_decref(c.headers);
	json_decref(c.fault);
	http_request_release(&req);
	return more;
}

static void *
connection(void *arg)
{
	struct accepted *a = arg;
	struct conn *conn = conn_accept(a->fd, opts.tls_cert, opts.tls_key);
	struct sbuf pending = { 0 };

	free(a);
	if (conn == NULL)
		return NULL;
	while (serve_one(conn, &pending))
		;
	sbuf_release(&pending);
	conn_free(conn);
	return NULL;
}

static void
spawn(void *(*run)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 512 * 1024);
	if (pthread_create(&t, &attr, run, arg) != 0)
		abort();
	pthread_attr_destroy(&attr);
}

static void *
accept_loop(void *arg)
{
	struct accepted *listening = arg;

	for (;;) {
		struct accepted *a;
		int fd = accept4(listening->fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0) {
			pause_ms(HANG_TICK_MS);
			continue;
		}
		a = util_alloc(sizeof(*a));
		a->fd = fd;
		spawn(connection, a);
	}
	return NULL;
}

void
server_start(int listen_fd, const struct server_options *options)
{
	struct accepted *a = util_alloc(sizeof(*a));

	opts = *options;
	a->fd = listen_fd;
	spawn(accept_loop, a);
}
