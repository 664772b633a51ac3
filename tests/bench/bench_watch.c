/*
 * Watches a namespace from the first object on and tells when so many of each
 * kind had come: Secrets with an owner, SealedSecrets that say Synced, events.
 *
 *	bench_watch NS COUNT SECONDS
 *
 * Prints three times, in seconds since the epoch; ends with a message where
 * they did not come within so many seconds.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/thread.h"
#include "conn.h"
#include "tool.h"

/* An object counts once, however often it comes. */
struct names {
	char **v;
	size_t n;
};

struct stream {
	const char *ns, *api, *plural, *mark;
	unsigned long want;
	struct names names;
	_Atomic double done;
	struct thread thread;
};

/* The first "name" in an object's line is its own: metadata come sorted, with
 * managed fields and owners around it, so that the one behind "metadata" and
 * before "namespace" is looked for. */
static char *
name_of(const char *line)
{
	const char *ns = strstr(line, "\",\"namespace\":\""), *p;

	if (ns == NULL)
		return NULL;
	for (p = ns; p > line && *(p - 1) != '"'; p--)
		;
	return xstrndup(p, (size_t)(ns - p));
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t
distinct(struct names *names)
{
	size_t n = 0;

	qsort(names->v, names->n, sizeof(*names->v), compare);
	for (size_t i = 0; i < names->n; i++)
		if (i == 0 || strcmp(names->v[i], names->v[i - 1]) != 0)
			n++;
	return n;
}

static bool
on_line(void *ctx, const char *text, size_t len)
{
	struct stream *s = ctx;
	AUTO_STR char *line = xstrndup(text, len);
	double now = tool_now();
	char *name;

	if (strstr(line, s->mark) == NULL || (name = name_of(line)) == NULL)
		return true;
	s->names.v =
	    xreallocarray(s->names.v, s->names.n + 1, sizeof(*s->names.v));
	s->names.v[s->names.n++] = name;
	if (s->names.n < s->want || distinct(&s->names) < s->want)
		return true;
	atomic_store(&s->done, now);
	return false;
}

static void *
follow(void *arg)
{
	struct stream *s = arg;
	AUTO(conn) struct conn *c = conn_new();
	AUTO_STR char *path =
	    xasprintf("%s/namespaces/%s/%s?watch=1&resourceVersion=0", s->api,
		s->ns, s->plural);

	conn_watch(c, path, on_line, s);
	return NULL;
}

int
main(int argc, char *argv[])
{
	struct stream s[] = {
		{ .api = "/api/v1",
		    .plural = "secrets",
		    .mark = "\"ownerReferences\":" },
		{ .api = "/apis/bitnami.com/v1alpha1",
		    .plural = "sealedsecrets",
		    .mark = "\"status\":\"True\"" },
		{ .api = "/api/v1",
		    .plural = "events",
		    .mark = "\"involvedObject\":" },
	};
	double limit;
	size_t done = 0;

	mem_install_hooks();
	conn_setup();
	if (argc != 4) {
		(void)fprintf(stderr, "usage: bench_watch NS COUNT SECONDS\n");
		return 2;
	}
	for (size_t i = 0; i < ARRAY_SIZE(s); i++) {
		s[i].ns = argv[1];
		s[i].want = tool_number(argv[2]);
		thread_start(&s[i].thread, "watch", follow, &s[i]);
	}
	limit = tool_now() + (double)tool_number(argv[3]);
	while (done < ARRAY_SIZE(s)) {
		if (tool_now() > limit)
			tool_die("they did not come");
		(void)usleep(2000);
		for (done = 0;
		     done < ARRAY_SIZE(s) && atomic_load(&s[done].done) > 0;
		     done++)
			;
	}
	(void)printf("%.3f %.3f %.3f\n", atomic_load(&s[0].done),
	    atomic_load(&s[1].done), atomic_load(&s[2].done));
	return 0;
}
