/*
 * The scripted kube_mux; see scriptmux.h.
 */
#include "scriptmux.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"

static struct kube_stream *
start(void *ctx, const struct kube_stream_request *req,
    const struct kube_stream_handler *h)
{
	struct scriptmux *m = ctx;
	struct kube_stream *s;

	m->started++;
	if (m->refuse)
		return NULL;
	assert_true(m->nopen < SCRIPTMUX_STREAMS);
	s = xcalloc(1, sizeof(*s));
	s->handler = *h;
	s->path = xstrdup(req->path);
	s->accept = req->accept == NULL ? NULL : xstrdup(req->accept);
	s->idle_timeout_ms = req->idle_timeout_ms;
	s->total_timeout_ms = req->total_timeout_ms;
	m->open[m->nopen++] = s;
	return s;
}

static void
forget(struct scriptmux *m, struct kube_stream *s)
{
	size_t i = 0;

	while (i < m->nopen && m->open[i] != s)
		i++;
	assert_true(i < m->nopen);
	m->open[i] = m->open[--m->nopen];
	free(s->path);
	free(s->accept);
	free(s);
}

static void
cancel(void *ctx, struct kube_stream *s)
{
	struct scriptmux *m = ctx;

	assert_non_null(s);
	m->cancelled++;
	forget(m, s);
}

/* Answers whatever is new, else waits. */
static void
poll_streams(void *ctx, uint64_t timeout_ms)
{
	struct scriptmux *m = ctx;

	for (size_t i = 0; m->answer != NULL && i < m->nopen; i++) {
		struct kube_stream *s = m->open[i];

		if (s->answered)
			continue;
		s->answered = true;
		m->answer(m, s);
		return;
	}
	mutex_lock(&m->mu);
	m->idle = true;
	m->idle_ms = timeout_ms;
	cond_broadcast(&m->woken);
	if (!m->wake)
		(void)cond_wait_for(&m->woken, &m->mu, timeout_ms * NS_PER_MS);
	m->wake = false;
	m->idle = false;
	mutex_unlock(&m->mu);
}

uint64_t
scriptmux_await_idle(struct scriptmux *m)
{
	uint64_t ms;

	mutex_lock(&m->mu);
	while (!m->idle)
		cond_wait(&m->woken, &m->mu);
	ms = m->idle_ms;
	mutex_unlock(&m->mu);
	return ms;
}

static void
wakeup(void *ctx)
{
	struct scriptmux *m = ctx;

	mutex_lock(&m->mu);
	m->wake = true;
	cond_broadcast(&m->woken);
	mutex_unlock(&m->mu);
}

void
scriptmux_init(struct scriptmux *m)
{
	memset(m, 0, sizeof(*m));
	m->mux.ctx = m;
	m->mux.start = start;
	m->mux.cancel = cancel;
	m->mux.poll = poll_streams;
	m->mux.wakeup = wakeup;
	mutex_init(&m->mu);
	cond_init(&m->woken);
}

void
scriptmux_release(struct scriptmux *m)
{
	assert_int_equal(m->nopen, 0);
	cond_destroy(&m->woken);
	mutex_destroy(&m->mu);
}

struct kube_stream *
scriptmux_only(struct scriptmux *m)
{
	assert_int_equal(m->nopen, 1);
	return m->open[0];
}

void
scriptmux_begin(struct kube_stream *s, int status, bool json, int retry_after_s)
{
	s->handler.begin(s->handler.ctx, status, json, retry_after_s);
}

bool
scriptmux_data(
    struct scriptmux *m, struct kube_stream *s, const char *p, size_t len)
{
	if (s->handler.data(s->handler.ctx, p, len))
		return true;
	scriptmux_end(m, s, ERR_CANCELLED);
	return false;
}

bool
scriptmux_text(struct scriptmux *m, struct kube_stream *s, const char *text)
{
	return scriptmux_data(m, s, text, strlen(text));
}

void
scriptmux_end(struct scriptmux *m, struct kube_stream *s, enum err_code code)
{
	struct kube_stream_handler h = s->handler;
	struct err err = ERR_INIT;

	if (code != ERR_NONE)
		err_set(&err, code, "scripted");
	forget(m, s);
	h.done(h.ctx, &err);
}
