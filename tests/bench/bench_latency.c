/*
 * How long a new SealedSecret takes to become a Secret, as a watch on Secrets
 * sees it.
 *
 *	bench_latency NS PREFIX COUNT INTERVAL_MS ITEMS CERT
 *
 * Prints p50, p99 and the maximum in milliseconds, from the moment the POST is
 * sent, and then the same from its answer. Environment: see conn.h.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/thread.h"
#include "conn.h"
#include "objects.h"
#include "tool.h"

#define WAIT_S 60

struct job {
	const char *ns, *prefix;
	unsigned long n, items;
	_Atomic double *seen; /* by number; 0: not yet */
	atomic_ulong count;
};

static bool
on_line(void *ctx, const char *text, size_t len)
{
	struct job *j = ctx;
	AUTO_STR char *line = xstrndup(text, len);
	AUTO_STR char *mark = xasprintf("\"name\":\"%s-", j->prefix);
	const char *at = strstr(line, mark);
	double now = tool_now();
	unsigned long i;

	if (at == NULL)
		return true;
	i = strtoul(at + strlen(mark), NULL, 10);
	if (i < 1 || i > j->n || atomic_load(&j->seen[i - 1]) > 0)
		return true;
	atomic_store(&j->seen[i - 1], now);
	return atomic_fetch_add(&j->count, 1) + 1 < j->n;
}

static void *
follow(void *arg)
{
	struct job *j = arg;
	AUTO(conn) struct conn *c = conn_new();
	AUTO_STR char *path =
	    xasprintf(OBJECTS_SECRETS "?watch=1&resourceVersion=0", j->ns);

	conn_watch(c, path, on_line, j);
	return NULL;
}

static void
post_all(struct job *j, const char *cert, unsigned long interval_ms,
    double *sent, double *answered)
{
	AUTO_RELEASE(buf) struct buf answer = BUF_INIT(CONN_BODY_MAX);
	AUTO_STR char *path = xasprintf(OBJECTS_API, j->ns);
	AUTO(conn) struct conn *c = conn_new();
	struct buf *body = xcalloc(j->n, sizeof(*body));

	/* Nothing but the POST between two of them. */
	for (unsigned long i = 0; i < j->n; i++) {
		AUTO_STR char *name = xasprintf("%s-%lu", j->prefix, i + 1);

		buf_init(&body[i], OBJECTS_MAX);
		objects_sealed(cert, j->ns, name, j->items, &body[i]);
	}
	conn_must(c, "GET", path, NULL, &answer);
	for (unsigned long i = 0; i < j->n; i++) {
		sent[i] = tool_now();
		conn_must(c, "POST", path, buf_str(&body[i]), &answer);
		answered[i] = tool_now();
		(void)usleep((useconds_t)interval_ms * 1000);
		buf_release(&body[i]);
	}
	free(body);
}

static void
print(const struct job *j, const double *from)
{
	double *v = xcalloc(j->n, sizeof(*v));

	for (unsigned long i = 0; i < j->n; i++)
		v[i] = (atomic_load(&j->seen[i]) - from[i]) * 1000;
	(void)printf("%.1f %.1f %.1f ", tool_percentile(v, j->n, 0.5),
	    tool_percentile(v, j->n, 0.99), v[j->n - 1]);
	free(v);
}

int
main(int argc, char *argv[])
{
	struct job j = { .n = 0 };
	struct thread watcher = { .started = false };
	double *sent, *answered, limit;

	mem_install_hooks();
	conn_setup();
	if (argc != 7) {
		(void)fprintf(stderr,
		    "usage: bench_latency NS PREFIX COUNT INTERVAL_MS ITEMS "
		    "CERT\n");
		return 2;
	}
	j.ns = argv[1];
	j.prefix = argv[2];
	j.n = tool_number(argv[3]);
	j.items = tool_number(argv[5]);
	j.seen = xcalloc(j.n, sizeof(*j.seen));
	sent = xcalloc(j.n, sizeof(*sent));
	answered = xcalloc(j.n, sizeof(*answered));
	thread_start(&watcher, "watch", follow, &j);
	post_all(&j, objects_certificate(argv[6]), tool_number(argv[4]), sent,
	    answered);
	limit = tool_now() + WAIT_S;
	while (atomic_load(&j.count) < j.n) {
		if (tool_now() > limit)
			tool_die("%lu of %lu Secrets came",
			    atomic_load(&j.count), j.n);
		(void)usleep(1000);
	}
	print(&j, sent);
	print(&j, answered);
	(void)printf("\n");
	return 0;
}
