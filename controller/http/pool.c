/*
 * Threads for heavy requests; see pool.h.
 */
#include "pool.h"

#include <assert.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/thread.h"

#define THREADS_MAX 16
#define NICE	    10

struct pool {
	struct thread threads[THREADS_MAX];
	unsigned nthreads;
	size_t queue_max;
	atomic_bool stopping;
	struct mutex mu;
	struct cond changed;
	/* guarded by mu: */
	struct pool_job *first, **last;
	size_t waiting;
	bool closed;
};

static struct pool_job *
pop_locked(struct pool *p) REQUIRES(p->mu)
{
	struct pool_job *job = p->first;

	if (job == NULL)
		return NULL;
	p->first = job->next;
	if (p->first == NULL)
		p->last = &p->first;
	p->waiting--;
	return job;
}

/* NULL: the pool stops. */
static struct pool_job *
next_job(struct pool *p)
{
	struct pool_job *job = NULL;

	mutex_lock(&p->mu);
	while (!p->closed && (job = pop_locked(p)) == NULL)
		cond_wait(&p->changed, &p->mu);
	mutex_unlock(&p->mu);
	return job;
}

static void *
work(void *arg)
{
	struct pool *p = arg;
	struct pool_job *job;

	/* Below the others, whatever the process was started with; of this
	 * thread alone on Linux. Without it, it works as well. */
	(void)setpriority(
	    PRIO_PROCESS, (id_t)gettid(), getpriority(PRIO_PROCESS, 0) + NICE);
	while ((job = next_job(p)) != NULL)
		job->run(job, false);
	return NULL;
}

struct pool *
pool_new(unsigned threads, size_t queue_max)
{
	struct pool *p = xcalloc(1, sizeof(*p));

	assert(threads > 0 && threads <= THREADS_MAX && queue_max > 0);
	mutex_init(&p->mu);
	cond_init(&p->changed);
	p->last = &p->first;
	p->queue_max = queue_max;
	p->nthreads = threads;
	for (unsigned i = 0; i < threads; i++)
		thread_start(&p->threads[i], "http-work", work, p);
	return p;
}

bool
pool_submit(struct pool *p, struct pool_job *job)
{
	bool taken = false;

	mutex_lock(&p->mu);
	if (!p->closed && p->waiting < p->queue_max) {
		job->next = NULL;
		*p->last = job;
		p->last = &job->next;
		p->waiting++;
		taken = true;
		cond_signal(&p->changed);
	}
	mutex_unlock(&p->mu);
	return taken;
}

bool
pool_stopping(const struct pool *p)
{
	return atomic_load(&p->stopping);
}

void
pool_stop(struct pool *p)
{
	struct pool_job *job, *next;

	atomic_store(&p->stopping, true);
	mutex_lock(&p->mu);
	p->closed = true;
	job = p->first;
	p->first = NULL;
	p->last = &p->first;
	p->waiting = 0;
	cond_broadcast(&p->changed);
	mutex_unlock(&p->mu);
	for (; job != NULL; job = next) {
		next = job->next;
		job->run(job, true);
	}
	for (unsigned i = 0; i < p->nthreads; i++)
		thread_join(&p->threads[i]);
}

void
pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	cond_destroy(&p->changed);
	mutex_destroy(&p->mu);
	mem_free_wiped(p);
}

unsigned
pool_threads(unsigned max)
{
	cpu_set_t set;
	unsigned half = 1;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		half = (unsigned)CPU_COUNT(&set) / 2;
	if (half > max)
		half = max;
	return half > 0 ? half : 1;
}
