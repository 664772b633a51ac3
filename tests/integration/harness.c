/*
 * Starting, stopping and looking at the API server and the controller.
 */
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "lib/tempdir.h"

#define SERVING		"\"HTTP server serving\" addr="
#define SERVING_METRICS "\"HTTP metrics server serving\" addr="
#define MAX_ARGS	48
#define START_MS	20000
#define READY_MS	60000
#define STOP_MS		12000
#define KEY_LABEL	"sealedsecrets.bitnami.com/sealed-secrets-key"
#define SEALED_PATH	"/apis/bitnami.com/v1alpha1/namespaces/%s/sealedsecrets"
#define SECRETS_PATH	"/api/v1/namespaces/%s/secrets"

static const char *
program(const char *variable, const char *fallback)
{
	const char *path = getenv(variable);

	return path == NULL || *path == '\0' ? fallback : path;
}

void
harness_check(
    struct harness *h, bool holds, const char *what, const char *file, int line)
{
	if (holds)
		return;
	if (h->server != NULL)
		proc_show(h->server);
	if (h->controller != NULL)
		proc_show(h->controller);
	print_error("does not hold: %s\n", what);
	_fail(file, line);
}

/* -- the API server ----------------------------------------------------------
 */

static size_t
add_args(const char **argv, size_t n, const char *const args[])
{
	for (size_t i = 0; args != NULL && args[i] != NULL; i++) {
		assert_true(n < MAX_ARGS - 1);
		argv[n++] = args[i];
	}
	argv[n] = NULL;
	return n;
}

static void
start_server(struct harness *h, const char *listen, const char *const args[])
{
	const char *first[] = { program("APISERVER",
				    "build/release/tests/apiserver"),
		"--listen", listen, "--namespace", "a", "--namespace", "b",
		"--namespace", "c", "--state", h->state, "--write-kubeconfig",
		h->kubeconfig, NULL };
	const char *argv[MAX_ARGS];
	size_t n = add_args(argv, 0, first);

	add_args(argv, n, args);
	proc_free(h->server);
	free(h->address);
	h->server = proc_start("apiserver", argv, NULL);
	h->address = proc_wait_word(h->server, "listening on ", START_MS);
	harness_expect(h, h->address != NULL);
}

struct harness *
harness_new(const char *const args[])
{
	struct harness *h = xcalloc(1, sizeof(*h));
	static unsigned serial;
	char listen[32];

	serial++;
	h->state = tempdir_path("state.%u", serial);
	h->kubeconfig = tempdir_path("kubeconfig.%u", serial);
	(void)snprintf(
	    listen, sizeof(listen), "127.0.0.1:%u", proc_free_port());
	start_server(h, listen, args);
	h->api = api_from_kubeconfig(h->kubeconfig);
	return h;
}

void
harness_free(struct harness *h)
{
	if (h == NULL)
		return;
	proc_free(h->controller);
	proc_free(h->server);
	api_free(h->api);
	free(h->kubeconfig);
	free(h->token_file);
	free(h->state);
	free(h->address);
	free(h->http);
	free(h->metrics);
	free(h->cert);
	free(h);
}

int
harness_end(struct harness *h)
{
	bool fine = true;

	if (h->controller != NULL && proc_running(h->controller)) {
		if (proc_running(h->server))
			control_clear_rules(h->api);
		fine = proc_stop(h->controller, STOP_MS) == 0;
	}
	if (proc_running(h->server))
		fine = proc_stop(h->server, STOP_MS) == 0 && fine;
	if (!fine) {
		proc_show(h->server);
		proc_show(h->controller);
	}
	harness_free(h);
	return fine ? 0 : -1;
}

int
harness_setup(void **state)
{
	*state = harness_new(NULL);
	return 0;
}

int
harness_setup_ready(void **state)
{
	struct harness *h = harness_new(NULL);

	*state = h;
	harness_start_ready(h, NULL);
	(void)harness_cert(h);
	return 0;
}

int
harness_teardown(void **state)
{
	return harness_end(*state);
}

int
harness_teardown_kill(void **state)
{
	harness_free(*state);
	return 0;
}

void
harness_stop_server(struct harness *h)
{
	harness_expect(h, proc_stop(h->server, STOP_MS) == 0);
}

void
harness_resume_server(struct harness *h)
{
	AUTO_STR char *listen = xstrdup(h->address);

	start_server(h, listen, NULL);
}

/* -- the controller -- */

struct proc *
harness_spawn(struct harness *h, const char *const args[])
{
	static const char *const env[] = { "POD_NAMESPACE=kube-system", NULL };
	AUTO_STR char *kubeconfig = xasprintf("--kubeconfig=%s", h->kubeconfig);
	const char *first[] = { program("CONTROLLER", "build/controller"),
		kubeconfig, "--listen-addr=127.0.0.1:0",
		"--listen-metrics-addr=127.0.0.1:0", "--key-size=2048", NULL };
	const char *argv[MAX_ARGS];
	size_t n = add_args(argv, 0, first);

	add_args(argv, n, args);
	return proc_start("controller", argv, env);
}

static char *
served_at(struct proc *controller, const char *text)
{
	AUTO_STR char *addr = proc_wait_word(controller, text, START_MS);

	return addr == NULL ? NULL : xasprintf("http://%s", addr);
}

void
harness_start(struct harness *h, const char *const args[])
{
	proc_free(h->controller);
	free(h->http);
	free(h->metrics);
	h->controller = harness_spawn(h, args);
	h->http = served_at(h->controller, SERVING);
	h->metrics = served_at(h->controller, SERVING_METRICS);
	harness_expect(h, h->http != NULL && h->metrics != NULL);
}

void
harness_start_ready(struct harness *h, const char *const args[])
{
	harness_start(h, args);
	harness_expect(h, harness_wait_ready(h, READY_MS));
}

static bool
is_ready(void *ctx)
{
	const struct harness *h = ctx;
	AUTO(api) struct api *web = api_new(h->http, NULL);

	return api_get(web, NULL, "/readyz") == 200;
}

bool
harness_wait_ready(struct harness *h, int64_t limit_ms)
{
	return wait_until(is_ready, h, limit_ms);
}

void
harness_kill(struct harness *h)
{
	proc_kill(h->controller);
}

struct wanted_cert {
	const char *base;
	char *pem;
};

static bool
has_cert(void *ctx)
{
	struct wanted_cert *w = ctx;
	AUTO(api) struct api *web = api_new(w->base, NULL);
	struct api_request req = { .path = "/v1/cert.pem", .accept = "*/*" };
	struct api_reply reply;

	api_do(web, &req, &reply);
	if (reply.code == 200)
		w->pem = xstrdup(reply.text);
	api_reply_release(&reply);
	return w->pem != NULL;
}

char *
harness_cert_of(struct harness *h, struct proc *controller)
{
	AUTO_STR char *base = served_at(controller, SERVING);
	struct wanted_cert w = { .base = base };
	bool serves = base != NULL && wait_until(has_cert, &w, READY_MS);

	if (!serves)
		proc_show(controller);
	harness_expect(h, serves);
	return w.pem;
}

const char *
harness_cert(struct harness *h)
{
	free(h->cert);
	h->cert = NULL;
	h->cert = harness_cert_of(h, h->controller);
	return h->cert;
}

char *
harness_metrics(struct harness *h)
{
	AUTO(api) struct api *web = api_new(h->metrics, NULL);
	struct api_request req = { .path = "/metrics", .accept = "*/*" };
	AUTO_RELEASE(api_reply) struct api_reply reply = { 0 };

	api_do(web, &req, &reply);
	assert_int_equal(reply.code, 200);
	assert_int_equal(
	    strncmp(reply.type, "text/plain; version=0.0.4", 25), 0);
	return xstrdup(reply.text);
}

bool
harness_metrics_hold(struct harness *h, const char *text)
{
	AUTO_STR char *all = harness_metrics(h);

	return strstr(all, text) != NULL;
}

/* -- objects -- */

void
harness_post(struct harness *h, json_t *obj)
{
	const char *kind = jsonx_str(obj, "kind", NULL);
	const char *ns = jsonx_str(obj, "metadata", "namespace", NULL);

	assert_int_equal(
	    api_post(h->api, obj, NULL,
		strcmp(kind, "Secret") == 0 ? SECRETS_PATH : SEALED_PATH, ns),
	    201);
}

void
harness_create(
    struct harness *h, const char *ns, const char *name, const char *value)
{
	AUTO_JSON json_t *v = object_sealed(ns, name, OBJECT_STRICT);

	if (h->cert == NULL)
		(void)harness_cert(h);
	object_seal(v, h->cert, HARNESS_KEY, value);
	harness_post(h, v);
}

void
harness_change(
    struct harness *h, const char *ns, const char *name, const char *value)
{
	AUTO_JSON json_t *v = object_sealed(ns, name, OBJECT_STRICT);
	AUTO_JSON json_t *patch = NULL;

	object_seal(v, h->cert, HARNESS_KEY, value);
	patch = json_pack("{s:O}", "spec", json_object_get(v, "spec"));
	assert_int_equal(api_patch(h->api, API_MERGE, patch, NULL,
			     SEALED_PATH "/%s", ns, name),
	    200);
}

static json_t *
fetch(struct harness *h, const char *path)
{
	json_t *v = NULL;

	if (api_get(h->api, &v, "%s", path) == 200)
		return v;
	json_decref(v);
	return NULL;
}

json_t *
harness_secret(struct harness *h, const char *ns, const char *name)
{
	AUTO_STR char *path = xasprintf(SECRETS_PATH "/%s", ns, name);

	return fetch(h, path);
}

json_t *
harness_sealed(struct harness *h, const char *ns, const char *name)
{
	AUTO_STR char *path = xasprintf(SEALED_PATH "/%s", ns, name);

	return fetch(h, path);
}

struct wish {
	struct harness *h;
	const char *ns;
	const char *name;
	const char *text;
	size_t n;
};

static bool
value_is(void *ctx)
{
	const struct wish *w = ctx;
	AUTO_JSON json_t *v = harness_secret(w->h, w->ns, w->name);

	return v != NULL && object_has(v, HARNESS_KEY, w->text);
}

bool
harness_wait_value(struct harness *h, const char *ns, const char *name,
    const char *value, int64_t limit_ms)
{
	struct wish w = { .h = h, .ns = ns, .name = name, .text = value };

	return wait_until(value_is, &w, limit_ms);
}

static bool
synced_is(void *ctx)
{
	const struct wish *w = ctx;
	AUTO_JSON json_t *v = harness_sealed(w->h, w->ns, w->name);

	return v != NULL && strcmp(object_synced(v), w->text) == 0 &&
	    jsonx_int(v, "status", "observedGeneration", NULL) ==
	    jsonx_int(v, "metadata", "generation", NULL);
}

bool
harness_wait_synced(struct harness *h, const char *ns, const char *name,
    const char *status, int64_t limit_ms)
{
	struct wish w = { .h = h, .ns = ns, .name = name, .text = status };

	return wait_until(synced_is, &w, limit_ms);
}

static bool
metrics_hold(void *ctx)
{
	const struct wish *w = ctx;

	return harness_metrics_hold(w->h, w->text);
}

bool
harness_wait_metrics(struct harness *h, const char *text)
{
	struct wish w = { .h = h, .text = text };

	return wait_until(metrics_hold, &w, HARNESS_SOON_MS);
}

static bool
secret_missing(void *ctx)
{
	const struct wish *w = ctx;
	AUTO_JSON json_t *v = harness_secret(w->h, w->ns, w->name);

	return v == NULL;
}

bool
harness_wait_no_secret(
    struct harness *h, const char *ns, const char *name, int64_t limit_ms)
{
	struct wish w = { .h = h, .ns = ns, .name = name };

	return wait_until(secret_missing, &w, limit_ms);
}

size_t
harness_count_events(
    struct harness *h, const char *ns, const char *name, const char *reason)
{
	AUTO_JSON json_t *v = NULL;

	if (api_get(h->api, &v,
		"/api/v1/namespaces/%s/events?fieldSelector="
		"involvedObject.name%%3D%s%%2Creason%%3D%s",
		ns, name, reason) != 200)
		return 0;
	return json_array_size(json_object_get(v, "items"));
}

static bool
event_exists(void *ctx)
{
	const struct wish *w = ctx;

	return harness_count_events(w->h, w->ns, w->name, w->text) > 0;
}

bool
harness_wait_event(struct harness *h, const char *ns, const char *name,
    const char *reason, int64_t limit_ms)
{
	struct wish w = { .h = h, .ns = ns, .name = name, .text = reason };

	return wait_until(event_exists, &w, limit_ms);
}

/* Counts those of one page; the next token is owned by the caller. */
static size_t
count_synced(struct harness *h, const char *token, char **next)
{
	AUTO_JSON json_t *v = NULL;
	const char *more;
	size_t i, n = 0;
	json_t *item;

	*next = NULL;
	if (api_get(h->api, &v,
		"/apis/bitnami.com/v1alpha1/sealedsecrets?continue=%s",
		token) != 200)
		return 0;
	json_array_foreach(json_object_get(v, "items"), i, item)
	{
		if (strcmp(object_synced(item), "True") == 0)
			n++;
	}
	more = jsonx_str(v, "metadata", "continue", NULL);
	if (more != NULL && *more != '\0')
		*next = xstrdup(more);
	return n;
}

static bool
all_synced(void *ctx)
{
	const struct wish *w = ctx;
	char *token = xstrdup("");
	size_t n = 0;

	while (token != NULL) {
		char *next;

		n += count_synced(w->h, token, &next);
		free(token);
		token = next;
	}
	return n == w->n;
}

bool
harness_wait_all_synced(struct harness *h, size_t count, int64_t limit_ms)
{
	struct wish w = { .h = h, .n = count };

	return wait_until(all_synced, &w, limit_ms);
}

size_t
harness_keys(struct harness *h)
{
	AUTO_JSON json_t *v = NULL;
	long code = api_get(h->api, &v,
	    SECRETS_PATH "?labelSelector=" KEY_LABEL "%%3Dactive",
	    "kube-system");

	harness_expect(h, code == 200);
	return json_array_size(json_object_get(v, "items"));
}

static bool
keys_are(void *ctx)
{
	const struct wish *w = ctx;

	return harness_keys(w->h) == w->n;
}

bool
harness_wait_keys(struct harness *h, size_t n, int64_t limit_ms)
{
	struct wish w = { .h = h, .n = n };

	return wait_until(keys_are, &w, limit_ms);
}
