/*
 * Small change of the measuring programs.
 */
#include "tool.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"

struct share {
	const struct tool_crew *crew;
	atomic_ulong next;
};

void
tool_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	exit(1);
}

const char *
tool_env(const char *name)
{
	const char *v = getenv(name);

	if (v == NULL)
		tool_die("%s is not set", name);
	return v;
}

unsigned long
tool_number(const char *s)
{
	unsigned long v;
	char *end;

	errno = 0;
	v = strtoul(s, &end, 10);
	if (end == s || *end != '\0' || errno != 0)
		tool_die("not a number: %s", s);
	return v;
}

static double
read_clock(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

double
tool_now(void)
{
	return read_clock(CLOCK_REALTIME);
}

double
tool_cpu(void)
{
	return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double
tool_percentile(double *v, size_t n, double p)
{
	size_t i = (size_t)(p * (double)n);

	if (n == 0)
		return 0.0;
	qsort(v, n, sizeof(*v), compare);
	return v[i < n ? i : n - 1];
}

bool
tool_rate(
    unsigned long seconds, bool (*once)(void *ctx), void *ctx, double *rate)
{
	uint64_t start = clock_cpu_ns(&clock_system), used, n = 0;

	do {
		if (!once(ctx))
			return false;
		n++;
		used = clock_cpu_ns(&clock_system) - start;
	} while (used < seconds * NS_PER_S);
	*rate = (double)n * (double)NS_PER_S / (double)used;
	return true;
}

static void *
take_part(void *arg)
{
	struct share *s = arg;
	const struct tool_crew *c = s->crew;
	void *state = c->begin(c->shared);
	unsigned long i;

	while ((i = atomic_fetch_add(&s->next, 1)) <= c->n)
		c->work(c->shared, state, i);
	c->end(state);
	return NULL;
}

void
tool_share(const struct tool_crew *crew)
{
	struct share s = { .crew = crew };
	struct thread *t = xcalloc(crew->threads, sizeof(*t));

	atomic_init(&s.next, 1);
	for (unsigned i = 0; i < crew->threads; i++)
		thread_start(&t[i], "crew", take_part, &s);
	for (unsigned i = 0; i < crew->threads; i++)
		thread_join(&t[i]);
	free(t);
}
