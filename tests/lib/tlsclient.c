/*
 * HTTPS requests over libcurl; see tlsclient.h.
 */
#include "tlsclient.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define TIMEOUT_MS 20000L

struct sink {
	char *at;
	size_t len, max;
};

static size_t
take(char *p, size_t size, size_t n, void *ctx)
{
	struct sink *s = ctx;

	if (size * n > s->max - s->len - 1)
		return 0;
	memcpy(s->at + s->len, p, size * n);
	s->len += size * n;
	s->at[s->len] = '\0';
	return size * n;
}

static size_t
refuse(char *p, size_t size, size_t n, void *ctx)
{
	(void)p;
	(void)size;
	(void)n;
	(void)ctx;
	return 0;
}

/* So that little of an answer is under way when the client hangs up. */
static int
small_window(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
	int size = 65536;

	(void)ctx;
	(void)purpose;
	return setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) == 0
	    ? CURL_SOCKOPT_OK
	    : CURL_SOCKOPT_ERROR;
}

static struct curl_slist *
fields(const struct tls_ask *ask)
{
	/* Unless asked to, it does not wait before it sends a body. */
	struct curl_slist *list = curl_slist_append(
	    NULL, ask->waits ? "Expect: 100-continue" : "Expect:");
	char line[1024];

	if (ask->token != NULL) {
		(void)snprintf(
		    line, sizeof(line), "Authorization: Bearer %s", ask->token);
		list = curl_slist_append(list, line);
		if (ask->twice)
			list = curl_slist_append(list, line);
	}
	return list;
}

void
tls_ask(const struct tls_ask *ask, struct tls_answer *ret)
{
	CURL *c = curl_easy_init();
	struct curl_slist *list = fields(ask);
	struct sink head = { ret->head, 0, sizeof(ret->head) };
	struct sink body = { ret->body, 0, sizeof(ret->body) };
	char url[512];

	ret->status = 0;
	ret->head[0] = ret->body[0] = '\0';
	(void)snprintf(url, sizeof(url), "https://%s%s", ask->addr, ask->path);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_CAINFO, ask->ca);
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, ask->method);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, &head);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, &body);
	if (ask->cuts) {
		curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, refuse);
		curl_easy_setopt(c, CURLOPT_SOCKOPTFUNCTION, small_window);
	}
	/* The lowest that this libcurl speaks, so that a refusal is the
	 * server's. */
	curl_easy_setopt(c, CURLOPT_SSL_CIPHER_LIST, "DEFAULT:@SECLEVEL=0");
	curl_easy_setopt(
	    c, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_0 | ask->max_version);
	if (ask->body != NULL)
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, ask->body);
	else if (strcmp(ask->method, "POST") == 0)
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, "");
	ret->error = (int)curl_easy_perform(c);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &ret->status);
	ret->body_len = body.len;
	curl_slist_free_all(list);
	curl_easy_cleanup(c);
}

bool
tls_has(const struct tls_answer *a, const char *text)
{
	return strstr(a->head, text) != NULL;
}
