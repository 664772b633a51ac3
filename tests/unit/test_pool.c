/*
 * Threads for heavy requests.
 * layer: http
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/thread.h"
#include "controller/http/pool.h"

#define JOBS   16
#define WAIT_S UINT64_C(10)

struct job {
	struct pool_job job; /* first */
	int order;	     /* of its end, from 1; 0: has not ended */
	bool cancelled;
	int nice;
};

static struct mutex mu;
static struct cond changed;
/* guarded by mu: */
static bool gate_open;
static unsigned entered, ended;

static struct job jobs[JOBS];

static void
reset(bool open)
{
	mutex_init(&mu);
	cond_init(&changed);
	gate_open = open;
	entered = ended = 0;
	memset(jobs, 0, sizeof(jobs));
}

/* Waits at the gate; nothing is certain about a thread but what it tells. */
static void
run(struct pool_job *pj, bool cancelled)
{
	struct job *j = (struct job *)pj;

	mutex_lock(&mu);
	entered++;
	cond_broadcast(&changed);
	while (!cancelled && !gate_open)
		cond_wait(&changed, &mu);
	j->order = (int)++ended;
	j->cancelled = cancelled;
	j->nice = getpriority(PRIO_PROCESS, 0);
	cond_broadcast(&changed);
	mutex_unlock(&mu);
}

static bool
submit(struct pool *p, unsigned i)
{
	jobs[i].job.run = run;
	return pool_submit(p, &jobs[i].job);
}

static void
wait_for(const unsigned *count, unsigned n)
{
	mutex_lock(&mu);
	while (*count < n)
		assert_true(cond_wait_for(&changed, &mu, WAIT_S * NS_PER_S));
	mutex_unlock(&mu);
}

static void
open_gate(void)
{
	mutex_lock(&mu);
	gate_open = true;
	cond_broadcast(&changed);
	mutex_unlock(&mu);
}

static void
jobs_run_in_the_order_they_came(void **state UNUSED)
{
	struct pool *p;

	reset(true);
	p = pool_new(1, JOBS);
	for (unsigned i = 0; i < JOBS; i++)
		assert_true(submit(p, i));
	wait_for(&ended, JOBS);
	pool_stop(p);
	pool_free(p);
	for (unsigned i = 0; i < JOBS; i++) {
		assert_int_equal(jobs[i].order, i + 1);
		assert_false(jobs[i].cancelled);
	}
}

static void
more_than_the_queue_holds_is_turned_away(void **state UNUSED)
{
	struct pool *p;

	reset(false);
	p = pool_new(2, 3);
	for (unsigned i = 0; i < 2; i++)
		assert_true(submit(p, i));
	wait_for(&entered, 2);
	for (unsigned i = 2; i < 5; i++)
		assert_true(submit(p, i));
	assert_false(submit(p, 5));
	open_gate();
	wait_for(&ended, 5);
	/* There is room again. */
	assert_true(submit(p, 6));
	wait_for(&ended, 6);
	pool_stop(p);
	pool_free(p);
	assert_int_equal(jobs[5].order, 0);
}

static void *
open_later(void *arg)
{
	struct pool *p = arg;

	/* The waiting ones have been cancelled while the first one works. */
	wait_for(&ended, 2);
	assert_true(pool_stopping(p));
	open_gate();
	return NULL;
}

static void
stopping_cancels_what_waits_and_waits_for_what_runs(void **state UNUSED)
{
	struct thread opener = { 0 };
	struct pool *p;

	reset(false);
	p = pool_new(1, 4);
	assert_false(pool_stopping(p));
	for (unsigned i = 0; i < 3; i++)
		assert_true(submit(p, i));
	wait_for(&entered, 1);
	thread_start(&opener, "opener", open_later, p);
	pool_stop(p);
	thread_join(&opener);
	assert_int_equal(ended, 3);
	assert_false(jobs[0].cancelled);
	assert_int_equal(jobs[0].order, 3);
	assert_true(jobs[1].cancelled);
	assert_true(jobs[2].cancelled);
	assert_false(submit(p, 3));
	pool_free(p);
}

static void
its_threads_give_way_to_the_others(void **state UNUSED)
{
	struct pool *p;
	int own;

	reset(true);
	p = pool_new(1, 1);
	assert_true(submit(p, 0));
	wait_for(&ended, 1);
	pool_stop(p);
	pool_free(p);
	/* 19 is as far as it goes. */
	own = getpriority(PRIO_PROCESS, 0);
	assert_int_equal(jobs[0].nice, own + 10 > 19 ? 19 : own + 10);
}

static void
half_of_the_processors_is_left_to_others(void **state UNUSED)
{
	cpu_set_t before, one;

	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	assert_true(pool_threads(1024) * 2 <= (unsigned)CPU_COUNT(&before) ||
	    pool_threads(1024) == 1);
	assert_int_equal(pool_threads(1), 1);
	CPU_ZERO(&one);
	for (size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
		if (CPU_ISSET(i, &before))
			CPU_SET(i, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(pool_threads(2), 1);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_run_in_the_order_they_came),
		cmocka_unit_test(more_than_the_queue_holds_is_turned_away),
		cmocka_unit_test(
		    stopping_cancels_what_waits_and_waits_for_what_runs),
		cmocka_unit_test(its_threads_give_way_to_the_others),
		cmocka_unit_test(half_of_the_processors_is_left_to_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
