/*
 * Requests to an API server with libcurl.
 */
#include "api.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/codec.h"
#include "base/file.h"
#include "base/jsonx.h"
#include "base/mem.h"
#include "base/yamlx.h"
#include "tempdir.h"

#define REPLY_MAX      (64u * 1024 * 1024)
#define CONFIG_MAX     (1024u * 1024)
#define REQUEST_TIME_S 120L

struct api {
	CURL *curl;
	char *base;
	char *token;
	char *agent;
	char *ca;
	char *cert;
	char *key;
};

struct api *
api_new(const char *base, const char *token)
{
	struct api *a = xcalloc(1, sizeof(*a));

	a->curl = curl_easy_init();
	a->base = xstrdup(base);
	a->agent = xstrdup("test-client/1");
	if (token != NULL)
		a->token = xstrdup(token);
	return a;
}

void
api_free(struct api *a)
{
	if (a == NULL)
		return;
	curl_easy_cleanup(a->curl);
	free(a->base);
	free(a->token);
	free(a->agent);
	free(a->ca);
	free(a->cert);
	free(a->key);
	free(a);
}

const char *
api_base(const struct api *a)
{
	return a->base;
}

static void
set_text(char **place, const char *text)
{
	free(*place);
	*place = text == NULL ? NULL : xstrdup(text);
}

void
api_set_token(struct api *a, const char *token)
{
	set_text(&a->token, token);
}

void
api_set_credentials(struct api *a, const char *token)
{
	set_text(&a->token, token);
	set_text(&a->cert, NULL);
	set_text(&a->key, NULL);
}

void
api_set_agent(struct api *a, const char *agent)
{
	set_text(&a->agent, agent);
}

/* -- kubeconfig -- */

static void NORETURN
give_up(const char *path, const char *why)
{
	fprintf(stderr, "kubeconfig %s: %s\n", path, why);
	abort();
}

static const json_t *
named(const json_t *config, const char *list, const char *name,
    const char *member)
{
	size_t i;
	json_t *e;

	json_array_foreach(json_object_get(config, list), i, e)
	{
		const char *n = jsonx_str(e, "name", NULL);

		if (n != NULL && name != NULL && strcmp(n, name) == 0)
			return json_object_get(e, member);
	}
	return NULL;
}

/* A file named as `key`, or written out from `key-data`. */
static char *
credential_file(const json_t *from, const char *key, const char *path)
{
	AUTO_RELEASE(buf) struct buf raw = BUF_INIT(CONFIG_MAX);
	AUTO_STR char *data_key = xasprintf("%s-data", key);
	const char *data = jsonx_str(from, data_key, NULL);
	const char *file = jsonx_str(from, key, NULL);
	static unsigned serial;
	struct err err = ERR_INIT;
	char *out;

	if (data == NULL)
		return file == NULL ? NULL : xstrdup(file);
	if (base64_decode(data, strlen(data), &raw, &err) < 0)
		give_up(path, err.msg);
	out = tempdir_path("credential.%u", ++serial);
	tempdir_write(out, buf_str(&raw));
	return out;
}

struct api *
api_from_kubeconfig(const char *path)
{
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(CONFIG_MAX);
	AUTO_JSON json_t *config = NULL;
	const json_t *context, *cluster, *user;
	struct err err = ERR_INIT;
	struct api *a;

	if (file_read(path, &text, &err) < 0 ||
	    yamlx_parse(text.data, text.len, &config, NULL, &err) < 0)
		give_up(path, err.msg);
	context = named(config, "contexts",
	    jsonx_str(config, "current-context", NULL), "context");
	cluster = named(
	    config, "clusters", jsonx_str(context, "cluster", NULL), "cluster");
	user = named(config, "users", jsonx_str(context, "user", NULL), "user");
	if (jsonx_str(cluster, "server", NULL) == NULL)
		give_up(path, "no current cluster");
	a = api_new(
	    jsonx_str(cluster, "server", NULL), jsonx_str(user, "token", NULL));
	a->ca = credential_file(cluster, "certificate-authority", path);
	a->cert = credential_file(user, "client-certificate", path);
	a->key = credential_file(user, "client-key", path);
	return a;
}

/* -- requests ----------------------------------------------------------------
 */

static size_t
collect(char *data, size_t size, size_t n, void *ctx)
{
	struct err err = ERR_INIT;

	return buf_append(ctx, data, size * n, &err) < 0 ? 0 : size * n;
}

static struct curl_slist *
add_header(struct curl_slist *list, const char *name, const char *value)
{
	AUTO_STR char *line = xasprintf("%s: %s", name, value);

	return curl_slist_append(list, line);
}

static struct curl_slist *
build_headers(const struct api *a, const struct api_request *req, bool body)
{
	struct curl_slist *list = NULL;

	list = add_header(
	    list, "Accept", req->accept == NULL ? API_JSON : req->accept);
	if (body)
		list = add_header(list, "Content-Type",
		    req->type == NULL ? API_JSON : req->type);
	if (a->token != NULL) {
		AUTO_STR char *bearer = xasprintf("Bearer %s", a->token);

		list = add_header(list, "Authorization", bearer);
	}
	return curl_slist_append(list, "Expect:");
}

static void
set_options(struct api *a, const struct api_request *req, const char *url,
    const char *body)
{
	CURL *c = a->curl;

	curl_easy_reset(c);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	/* On a used connection libcurl repeats a request that got no answer. */
	curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_TIMEOUT, REQUEST_TIME_S);
	curl_easy_setopt(
	    c, CURLOPT_USERAGENT, req->agent == NULL ? a->agent : req->agent);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	if (a->ca != NULL)
		curl_easy_setopt(c, CURLOPT_CAINFO, a->ca);
	if (a->cert != NULL)
		curl_easy_setopt(c, CURLOPT_SSLCERT, a->cert);
	if (a->key != NULL)
		curl_easy_setopt(c, CURLOPT_SSLKEY, a->key);
	if (body != NULL) {
		curl_easy_setopt(
		    c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
	}
	if (req->method != NULL)
		curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, req->method);
}

static void
take_reply(struct api *a, struct buf *text, struct api_reply *ret)
{
	struct err err = ERR_INIT;
	char *type = NULL;

	curl_easy_getinfo(a->curl, CURLINFO_RESPONSE_CODE, &ret->code);
	curl_easy_getinfo(a->curl, CURLINFO_CONTENT_TYPE, &type);
	ret->type = xstrdup(type == NULL ? "" : type);
	ret->text = xstrdup(buf_str(text));
	if (jsonx_parse(
		buf_str(text), text->len, JSONX_CUT_DEEP, &ret->json, &err) < 0)
		ret->json = NULL;
}

void
api_do(struct api *a, const struct api_request *req, struct api_reply *ret)
{
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(REPLY_MAX);
	AUTO_STR char *url = xasprintf("%s%s", a->base, req->path);
	char *dumped = NULL;
	const char *body = req->raw;
	struct curl_slist *headers;
	CURLcode rc;

	memset(ret, 0, sizeof(*ret));
	if (body == NULL && req->body != NULL)
		body = dumped = json_dumps(req->body, JSON_COMPACT);
	headers = build_headers(a, req, body != NULL);
	set_options(a, req, url, body);
	curl_easy_setopt(a->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(a->curl, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(a->curl, CURLOPT_WRITEDATA, &text);
	rc = curl_easy_perform(a->curl);
	if (rc == CURLE_OK) {
		take_reply(a, &text, ret);
	} else {
		ret->code = -1;
		ret->text = xstrdup(buf_str(&text));
		ret->type = xstrdup("");
		ret->error = xstrdup(curl_easy_strerror(rc));
	}
	curl_slist_free_all(headers);
	free(dumped);
}

void
api_reply_release(struct api_reply *r)
{
	json_decref(r->json);
	free(r->text);
	free(r->type);
	free(r->error);
	memset(r, 0, sizeof(*r));
}

static char *
vpath(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

static char *
vpath(const char *fmt, va_list ap)
{
	char *out = NULL;

	if (vasprintf(&out, fmt, ap) < 0)
		abort();
	return out;
}

/* Steals path. */
static long
simple(struct api *a, const struct api_request *req, char *path, json_t **ret)
{
	struct api_request full = *req;
	struct api_reply reply;
	long code;

	full.path = path;
	api_do(a, &full, &reply);
	code = reply.code;
	if (ret != NULL) {
		*ret = reply.json;
		reply.json = NULL;
	}
	api_reply_release(&reply);
	free(path);
	return code;
}

long
api_get(struct api *a, json_t **ret, const char *fmt, ...)
{
	struct api_request req = { 0 };
	va_list ap;
	char *path;

	va_start(ap, fmt);
	path = vpath(fmt, ap);
	va_end(ap);
	return simple(a, &req, path, ret);
}

long
api_post(struct api *a, const json_t *body, json_t **ret, const char *fmt, ...)
{
	struct api_request req = { .method = "POST", .body = body };
	va_list ap;
	char *path;

	if (body == NULL)
		req.raw = "";
	va_start(ap, fmt);
	path = vpath(fmt, ap);
	va_end(ap);
	return simple(a, &req, path, ret);
}

long
api_put(struct api *a, const json_t *body, json_t **ret, const char *fmt, ...)
{
	struct api_request req = { .method = "PUT", .body = body };
	va_list ap;
	char *path;

	va_start(ap, fmt);
	path = vpath(fmt, ap);
	va_end(ap);
	return simple(a, &req, path, ret);
}

long
api_patch(struct api *a, const char *type, const json_t *body, json_t **ret,
    const char *fmt, ...)
{
	struct api_request req = {
		.method = "PATCH",
		.body = body,
		.type = type,
	};
	va_list ap;
	char *path;

	va_start(ap, fmt);
	path = vpath(fmt, ap);
	va_end(ap);
	return simple(a, &req, path, ret);
}

long
api_delete(
    struct api *a, const json_t *options, json_t **ret, const char *fmt, ...)
{
	struct api_request req = { .method = "DELETE", .body = options };
	va_list ap;
	char *path;

	va_start(ap, fmt);
	path = vpath(fmt, ap);
	va_end(ap);
	return simple(a, &req, path, ret);
}

static json_t *
split_lines(const char *text)
{
	json_t *out = json_array();

	while (*text != '\0') {
		size_t n = strcspn(text, "\n");
		json_t *v = json_loadb(text, n, 0, NULL);

		if (v != NULL)
			json_array_append_new(out, v);
		text += n;
		if (*text == '\n')
			text++;
	}
	return out;
}

json_t *
api_lines(struct api *a, const char *accept, long *code, const char *fmt, ...)
{
	struct api_request req = { .accept = accept };
	struct api_reply reply;
	json_t *out;
	va_list ap;
	char *path;

	va_start(ap, fmt);
	path = vpath(fmt, ap);
	va_end(ap);
	req.path = path;
	api_do(a, &req, &reply);
	*code = reply.code;
	out = reply.code == 200 ? split_lines(reply.text) : NULL;
	api_reply_release(&reply);
	free(path);
	return out;
}
