/*
 * Answers from a list.
 */
#include "cannedkube.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

#define BODY_MAX (1u << 20)
#define HANG_MS	 20000u

static void
note(struct cannedkube *k, const struct kube_request *req)
{
	struct canned_request *r;

	if (k->n == CANNED_MAX)
		return;
	r = &k->requests[k->n++];
	(void)snprintf(r->method, sizeof(r->method), "%s", req->method);
	(void)snprintf(r->path, sizeof(r->path), "%s", req->path);
	(void)snprintf(r->type, sizeof(r->type), "%s",
	    req->content_type != NULL ? req->content_type : "");
	(void)snprintf(r->accept, sizeof(r->accept), "%s",
	    req->accept != NULL ? req->accept : "");
	r->body = req->body != NULL ? xstrndup(req->body, req->body_len)
				    : xstrdup("");
	r->timeout_ms = req->timeout_ms;
}

static int
sink_pieces(const struct canned_answer *a, const struct kube_request *req,
    struct err *err)
{
	size_t len = strlen(a->body);

	for (size_t at = 0; at < len; at += a->piece)
		if (!req->sink(req->sink_ctx, a->body + at,
			len - at < a->piece ? len - at : a->piece))
			return err_set(err, ERR_CANCELLED, "ended by reader");
	return a->cut ? err_set(err, ERR_TRANSPORT, "cut") : 0;
}

static int
perform(void *ctx, const struct kube_request *req, struct kube_response *ret,
    struct err *err)
{
	struct cannedkube *k = ctx;
	const struct canned_answer *a;

	mutex_lock(&k->mu);
	assert_true(k->nanswers > 0);
	a = &k->answers[k->n < k->nanswers ? k->n : k->nanswers - 1];
	note(k, req);
	cond_broadcast(&k->asked);
	mutex_unlock(&k->mu);
	if (k->hang && stop_wait(req->abort, HANG_MS))
		return err_set(err, ERR_CANCELLED, "stopped");
	memset(ret, 0, sizeof(*ret));
	buf_init(&ret->body, BODY_MAX);
	ret->retry_after_s = a->retry_after_s > 0 ? a->retry_after_s : -1;
	if (a->fail != ERR_NONE)
		return err_set(err, a->fail, "canned failure");
	ret->status = a->status;
	ret->json = !a->no_json;
	if (req->sink != NULL && a->piece > 0 && a->status / 100 == 2)
		return sink_pieces(a, req, err);
	return buf_append(&ret->body, a->body, strlen(a->body), err);
}

void
cannedkube_init(struct cannedkube *k)
{
	memset(k, 0, sizeof(*k));
	mutex_init(&k->mu);
	cond_init(&k->asked);
	k->transport.ctx = k;
	k->transport.perform = perform;
}

void
cannedkube_reset(struct cannedkube *k)
{
	mutex_lock(&k->mu);
	for (unsigned i = 0; i < k->n; i++)
		mem_free_wiped(k->requests[i].body);
	k->n = 0;
	k->nanswers = 0;
	mutex_unlock(&k->mu);
}

void
cannedkube_release(struct cannedkube *k)
{
	cannedkube_reset(k);
	cond_destroy(&k->asked);
	mutex_destroy(&k->mu);
}

void
cannedkube_answer(struct cannedkube *k, struct canned_answer a)
{
	assert_true(k->nanswers < CANNED_MAX);
	if (a.body == NULL)
		a.body = "";
	k->answers[k->nanswers++] = a;
}

void
cannedkube_ok(struct cannedkube *k, const char *body)
{
	cannedkube_answer(
	    k, (struct canned_answer) { .status = 200, .body = body });
}

void
cannedkube_refuse(
    struct cannedkube *k, int status, const char *reason, const char *message)
{
	/* Kept until the program ends: answers are few. */
	static char texts[CANNED_MAX][256];
	static unsigned next;
	char *text = texts[next++ % CANNED_MAX];

	(void)snprintf(text, sizeof(texts[0]),
	    "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"%s\","
	    "\"message\":\"%s\",\"code\":%d}",
	    reason, message, status);
	cannedkube_answer(
	    k, (struct canned_answer) { .status = status, .body = text });
}

unsigned
cannedkube_count(struct cannedkube *k)
{
	unsigned n;

	mutex_lock(&k->mu);
	n = k->n;
	mutex_unlock(&k->mu);
	return n;
}

void
cannedkube_await(struct cannedkube *k, unsigned n)
{
	bool in_time = true;

	mutex_lock(&k->mu);
	while (k->n < n && in_time)
		in_time =
		    cond_wait_for(&k->asked, &k->mu, UINT64_C(20000000000));
	mutex_unlock(&k->mu);
	assert_true(in_time);
}

const struct canned_request *
cannedkube_request(struct cannedkube *k, unsigned nth)
{
	assert_true(nth < cannedkube_count(k));
	return &k->requests[nth];
}
