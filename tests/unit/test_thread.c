/*
 * Threads, locks and the stop token. Waits that must not happen have a limit
 * of a minute; waits that must time out last a millisecond.
 */
/* layer: base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"

#define LONG_NS (60 * NS_PER_S)

struct shared {
	struct mutex mu;
	struct cond changed;
	int counter; /* guarded by mu */
	struct stop stop;
	char name[32];
	bool blocked;
};

static int
make_shared(void **state)
{
	static struct shared sh;

	memset(&sh, 0, sizeof(sh));
	mutex_init(&sh.mu);
	cond_init(&sh.changed);
	stop_init(&sh.stop);
	*state = &sh;
	return 0;
}

static int
release_shared(void **state)
{
	struct shared *sh = *state;

	stop_release(&sh->stop);
	cond_destroy(&sh->changed);
	mutex_destroy(&sh->mu);
	return 0;
}

static void *
look_at_itself(void *arg)
{
	struct shared *sh = arg;
	sigset_t set;

	(void)pthread_sigmask(SIG_BLOCK, NULL, &set);
	sh->blocked = sigismember(&set, SIGTERM) == 1 &&
	    sigismember(&set, SIGUSR1) == 1 && sigismember(&set, SIGINT) == 1;
	/* The name is given by the starter, maybe after we began. */
	while (!stop_wait(&sh->stop, 60000))
		continue;
	(void)pthread_getname_np(pthread_self(), sh->name, sizeof(sh->name));
	return NULL;
}

static void
starts_named_threads_that_get_no_signals(void **state)
{
	struct shared *sh = *state;
	struct thread t = { .started = false };

	thread_start(&t, "a-name-that-is-too-long", look_at_itself, sh);
	assert_true(t.started);
	stop_request(&sh->stop);
	thread_join(&t);
	assert_false(t.started);
	assert_string_equal(sh->name, "a-name-that-is-");
	assert_true(sh->blocked);
}

static void
joins_a_thread_once_and_a_missing_one_never(void **state UNUSED)
{
	struct thread t = { .started = false };

	thread_join(&t);
	thread_join(&t);
	assert_false(t.started);
}

static void *
count_up(void *arg)
{
	struct shared *sh = arg;

	for (int i = 0; i < 10000; i++) {
		mutex_lock(&sh->mu);
		sh->counter++;
		mutex_unlock(&sh->mu);
	}
	mutex_lock(&sh->mu);
	cond_broadcast(&sh->changed);
	mutex_unlock(&sh->mu);
	return NULL;
}

static void
excludes_and_wakes_other_threads(void **state)
{
	struct shared *sh = *state;
	struct thread t[3];
	bool in_time = true;

	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		thread_start(&t[i], "counter", count_up, sh);
	mutex_lock(&sh->mu);
	while (sh->counter < 30000 && in_time)
		in_time = cond_wait_for(&sh->changed, &sh->mu, LONG_NS);
	mutex_unlock(&sh->mu);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		thread_join(&t[i]);
	assert_true(in_time);
	assert_int_equal(sh->counter, 30000);
}

static void *
signal_once(void *arg)
{
	struct shared *sh = arg;

	mutex_lock(&sh->mu);
	sh->counter = 1;
	cond_signal(&sh->changed);
	mutex_unlock(&sh->mu);
	return NULL;
}

static void
waits_for_a_signal_without_a_limit(void **state)
{
	struct shared *sh = *state;
	struct thread t;

	thread_start(&t, "signaller", signal_once, sh);
	mutex_lock(&sh->mu);
	while (sh->counter == 0)
		cond_wait(&sh->changed, &sh->mu);
	mutex_unlock(&sh->mu);
	thread_join(&t);
	assert_int_equal(sh->counter, 1);
}

static void
gives_up_a_wait_after_its_time(void **state)
{
	struct shared *sh = *state;
	uint64_t before = clock_mono_ns(&clock_system);
	bool woken = true;

	mutex_lock(&sh->mu);
	/* It may wake for no reason, then it has to wait again. */
	while (woken && clock_mono_ns(&clock_system) - before < LONG_NS)
		woken = cond_wait_for(&sh->changed, &sh->mu, NS_PER_MS);
	mutex_unlock(&sh->mu);
	assert_false(woken);
	assert_true(clock_mono_ns(&clock_system) - before >= NS_PER_MS);
}

static void
tells_pollers_and_waiters_to_stop(void **state)
{
	struct shared *sh = *state;
	struct pollfd pfd = { .fd = sh->stop.fd, .events = POLLIN };

	assert_false(stop_requested(&sh->stop));
	assert_false(stop_wait(&sh->stop, 0));
	assert_false(stop_wait(&sh->stop, 1));
	assert_int_equal(poll(&pfd, 1, 0), 0);
	stop_request(&sh->stop);
	stop_request(&sh->stop);
	assert_true(stop_requested(&sh->stop));
	assert_true(stop_wait(&sh->stop, UINT64_MAX));
	assert_int_equal(poll(&pfd, 1, 0), 1);
	/* Nobody drains it: the next one sees it as well. */
	assert_int_equal(poll(&pfd, 1, 0), 1);
}

static void *
wait_for_stop(void *arg)
{
	struct shared *sh = arg;

	return stop_wait(&sh->stop, UINT64_MAX) ? sh : NULL;
}

static void
wakes_a_thread_that_waits_for_ever(void **state)
{
	struct shared *sh = *state;
	struct thread t;
	void *ret = NULL;

	thread_start(&t, "waiter", wait_for_stop, sh);
	stop_request(&sh->stop);
	assert_int_equal(pthread_join(t.id, &ret), 0);
	assert_ptr_equal(ret, sh);
}

#define SHARED_TEST(fn) \
	cmocka_unit_test_setup_teardown(fn, make_shared, release_shared)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SHARED_TEST(starts_named_threads_that_get_no_signals),
		cmocka_unit_test(joins_a_thread_once_and_a_missing_one_never),
		SHARED_TEST(excludes_and_wakes_other_threads),
		SHARED_TEST(waits_for_a_signal_without_a_limit),
		SHARED_TEST(gives_up_a_wait_after_its_time),
		SHARED_TEST(tells_pollers_and_waiters_to_stop),
		SHARED_TEST(wakes_a_thread_that_waits_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
