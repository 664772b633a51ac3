/*
 * Connections to the API server over libcurl, one easy handle each.
 */
#include "conn.h"

#include <curl/curl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tool.h"

struct conn {
	CURL *easy;
	struct curl_slist *json, *merge, *none;
	struct buf *answer; /* of the request under way */
	/* Of a watch: */
	struct buf partial;
	bool (*line)(void *ctx, const char *text, size_t len);
	void *ctx;
	bool ended;
};

static const char *server, *pki;

void
conn_setup(void)
{
	server = tool_env("BENCH_SERVER");
	pki = tool_env("BENCH_PKI");
}

static size_t
on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct conn *c = ctx;
	struct err err = ERR_INIT;

	if (c->answer != NULL && buf_append(c->answer, p, size * n, &err) < 0)
		return 0;
	return size * n;
}

static size_t
on_watch(char *p, size_t size, size_t n, void *ctx)
{
	struct conn *c = ctx;
	struct err err = ERR_INIT;
	char *end;

	if (buf_append(&c->partial, p, size * n, &err) < 0)
		return 0;
	while (!c->ended && c->partial.len > 0 &&
	    (end = memchr(c->partial.data, '\n', c->partial.len)) != NULL) {
		size_t len = (size_t)(end - c->partial.data);

		c->ended = !c->line(c->ctx, c->partial.data, len);
		buf_consume(&c->partial, len + 1);
	}
	return c->ended ? 0 : size * n;
}

static void
set_file(CURL *easy, CURLoption option, const char *name)
{
	AUTO_STR char *path = xasprintf("%s/%s", pki, name);

	(void)curl_easy_setopt(easy, option, path);
}

struct conn *
conn_new(void)
{
	struct conn *c = xcalloc(1, sizeof(*c));

	c->easy = curl_easy_init();
	if (c->easy == NULL)
		tool_die("libcurl: no handle");
	set_file(c->easy, CURLOPT_CAINFO, "ca.crt");
	set_file(c->easy, CURLOPT_SSLCERT, "admin.crt");
	set_file(c->easy, CURLOPT_SSLKEY, "admin.key");
	(void)curl_easy_setopt(
	    c->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(c->easy, CURLOPT_TCP_NODELAY, 1L);
	(void)curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, (void *)c);
	c->json = curl_slist_append(NULL, "Content-Type: application/json");
	c->merge = curl_slist_append(
	    NULL, "Content-Type: application/merge-patch+json");
	c->none = curl_slist_append(NULL, "Accept: application/json");
	buf_init(&c->partial, CONN_BODY_MAX);
	return c;
}

void
conn_free(struct conn *c)
{
	if (c == NULL)
		return;
	curl_easy_cleanup(c->easy);
	curl_slist_free_all(c->json);
	curl_slist_free_all(c->merge);
	curl_slist_free_all(c->none);
	buf_release(&c->partial);
	free(c);
}

static CURLcode
perform(struct conn *c, const char *method, const char *path, const char *body)
{
	AUTO_STR char *url = xasprintf("%s%s", server, path);
	struct curl_slist *headers = c->none;

	if (body != NULL) {
		headers = strcmp(method, "PATCH") == 0 ? c->merge : c->json;
		(void)curl_easy_setopt(c->easy, CURLOPT_POST, 1L);
		(void)curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, body);
		(void)curl_easy_setopt(
		    c->easy, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
	} else {
		(void)curl_easy_setopt(c->easy, CURLOPT_HTTPGET, 1L);
	}
	(void)curl_easy_setopt(c->easy, CURLOPT_CUSTOMREQUEST, method);
	(void)curl_easy_setopt(c->easy, CURLOPT_URL, url);
	(void)curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, headers);
	return curl_easy_perform(c->easy);
}

long
conn_do(struct conn *c, const char *method, const char *path, const char *body,
    struct buf *answer)
{
	long code = 0;

	c->answer = answer;
	if (answer != NULL)
		buf_clear(answer);
	(void)curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_body);
	if (perform(c, method, path, body) != CURLE_OK)
		return 0;
	(void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &code);
	return code;
}

void
conn_must(struct conn *c, const char *method, const char *path,
    const char *body, struct buf *answer)
{
	long code = conn_do(c, method, path, body, answer);

	if (code / 100 != 2)
		tool_die("%s %s: HTTP %ld %.300s", method, path, code,
		    answer != NULL ? buf_str(answer) : "");
}

void
conn_watch(struct conn *c, const char *path,
    bool (*line)(void *ctx, const char *text, size_t len), void *ctx)
{
	c->line = line;
	c->ctx = ctx;
	c->ended = false;
	buf_clear(&c->partial);
	(void)curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_watch);
	(void)perform(c, "GET", path, NULL);
}
