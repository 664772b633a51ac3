/*
 * Tests of controller/cache/reflectors.c: the thread that drives reflectors,
 * on a mux that answers from poll().
 * layer: cache
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/jsonx.h"
#include "base/mem.h"
#include "base/thread.h"
#include "cache/reflector.h"
#include "fakeclock.h"
#include "scriptmux.h"

#define EMPTY_LIST "{\"items\":[],\"metadata\":{\"resourceVersion\":\"1\"}}"
/* Far under what a poll waits when nothing wakes it. */
#define AT_ONCE_MS 5000

struct fixture {
	struct fakeclock clock;
	struct clock as_clock;
	struct scriptmux mux;
	struct index *index;
	struct reflector_loop *loop;
	unsigned refusals; /* lists still to be refused; loop's thread only */
	int refusal;	   /* status of them; 0: 500 */
	struct mutex mu;
	struct cond changed;
	unsigned synced; /* guarded by mu */
};

static void
answer(struct scriptmux *m, struct kube_stream *s)
{
	struct fixture *f = m->ctx;
	bool list = strstr(s->path, "watch=") == NULL;

	if (list && f->refusals > 0) {
		f->refusals--;
		scriptmux_begin(
		    s, f->refusal == 0 ? 500 : f->refusal, false, -1);
		scriptmux_end(m, s, ERR_NONE);
		/* Past the back-off. */
		fakeclock_advance_s(&f->clock, 31);
		return;
	}
	scriptmux_begin(s, 200, true, -1);
	if (!list)
		return;
	if (scriptmux_text(m, s, EMPTY_LIST))
		scriptmux_end(m, s, ERR_NONE);
}

static bool
on_reduce(
    void *ctx UNUSED, const json_t *obj UNUSED, struct index_record *rec UNUSED)
{
	return true;
}

static void
on_synced(void *ctx)
{
	struct fixture *f = ctx;

	mutex_lock(&f->mu);
	f->synced++;
	cond_signal(&f->changed);
	mutex_unlock(&f->mu);
}

static void
wait_for_synced(struct fixture *f, unsigned n)
{
	mutex_lock(&f->mu);
	while (f->synced < n)
		cond_wait(&f->changed, &f->mu);
	mutex_unlock(&f->mu);
}

static struct reflector *
reflector_of(struct fixture *f, const char *ns)
{
	const struct reflector_config cfg = { .resource = &KUBE_SECRETS,
		.ns = ns,
		.mux = &f->mux.mux,
		.index = f->index,
		.clock = &f->as_clock,
		.handler = {
		    .ctx = f, .reduce = on_reduce, .synced = on_synced } };

	return reflector_new(&cfg);
}

static int
setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	fakeclock_init(&f.clock);
	f.as_clock = fakeclock_clock(&f.clock);
	scriptmux_init(&f.mux);
	f.mux.answer = answer;
	f.mux.ctx = &f;
	f.index = index_new();
	mutex_init(&f.mu);
	cond_init(&f.changed);
	f.loop = reflector_loop_new(&f.mux.mux);
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	reflector_loop_free(f->loop);
	scriptmux_release(&f->mux);
	index_free(f->index);
	cond_destroy(&f->changed);
	mutex_destroy(&f->mu);
	return 0;
}

static void
brings_every_reflector_into_sync(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = { "a", "b", "c" };

	assert_true(reflector_loop_has_synced(f->loop));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		reflector_loop_add(f->loop, reflector_of(f, names[i]));
	assert_false(reflector_loop_has_synced(f->loop));
	reflector_loop_start(f->loop);
	wait_for_synced(f, ARRAY_SIZE(names));
	assert_true(reflector_loop_has_synced(f->loop));
	reflector_loop_stop(f->loop);
}

static void
is_synced_only_when_all_are(void **state)
{
	struct fixture *f = *state;
	struct reflector *first = reflector_of(f, "a");

	reflector_loop_add(f->loop, first);
	reflector_loop_add(f->loop, reflector_of(f, "b"));
	/* By hand: the thread is not running. */
	(void)reflector_tick(first);
	f->mux.mux.poll(f->mux.mux.ctx, 0);
	assert_true(reflector_has_synced(first));
	assert_false(reflector_loop_has_synced(f->loop));
	assert_false(reflector_loop_is_settled(f->loop));
}

static void
is_settled_where_the_rest_is_refused(void **state)
{
	struct fixture *f = *state;
	struct reflector *first = reflector_of(f, "a");
	struct reflector *second = reflector_of(f, "b");

	reflector_loop_add(f->loop, first);
	reflector_loop_add(f->loop, second);
	(void)reflector_tick(first);
	f->mux.mux.poll(f->mux.mux.ctx, 0);
	f->refusals = 1;
	f->refusal = 403;
	(void)reflector_tick(second);
	f->mux.mux.poll(f->mux.mux.ctx, 0);
	assert_false(reflector_loop_has_synced(f->loop));
	assert_true(reflector_loop_is_settled(f->loop));
}

static void
tries_again_when_it_is_time(void **state)
{
	struct fixture *f = *state;

	f->refusals = 3;
	reflector_loop_add(f->loop, reflector_of(f, "a"));
	reflector_loop_start(f->loop);
	wait_for_synced(f, 1);
	reflector_loop_stop(f->loop);
	assert_int_equal(f->refusals, 0);
}

static void
does_not_spin_while_nothing_happens(void **state)
{
	struct fixture *f = *state;

	reflector_loop_add(f->loop, reflector_of(f, "a"));
	reflector_loop_start(f->loop);
	wait_for_synced(f, 1);
	assert_in_range(scriptmux_await_idle(&f->mux), 1000, 60000);
	reflector_loop_stop(f->loop);
}

static void
stopping_wakes_the_thread(void **state)
{
	struct fixture *f = *state;
	uint64_t before;

	reflector_loop_add(f->loop, reflector_of(f, "a"));
	reflector_loop_start(f->loop);
	wait_for_synced(f, 1);
	(void)scriptmux_await_idle(&f->mux);
	before = clock_mono_ms(&clock_system);
	reflector_loop_stop(f->loop);
	assert_in_range(clock_mono_ms(&clock_system) - before, 0, AT_ONCE_MS);
	/* Once more does no harm. */
	reflector_loop_stop(f->loop);
}

static void
freeing_stops_and_cancels_what_is_open(void **state)
{
	struct fixture *f = *state;
	static const char names[][2] = { "a", "b", "c", "d", "e" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		reflector_loop_add(f->loop, reflector_of(f, names[i]));
	reflector_loop_start(f->loop);
	wait_for_synced(f, ARRAY_SIZE(names));
	reflector_loop_free(f->loop);
	f->loop = NULL;
	assert_int_equal(f->mux.nopen, 0);
	assert_int_equal(index_count(f->index), 0);
	reflector_loop_free(NULL);
}

static void
may_be_freed_without_ever_having_run(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 20; i++)
		reflector_loop_add(f->loop, reflector_of(f, "a"));
	assert_int_equal(f->mux.started, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(brings_every_reflector_into_sync),
		TEST(is_synced_only_when_all_are),
		TEST(is_settled_where_the_rest_is_refused),
		TEST(tries_again_when_it_is_time),
		TEST(does_not_spin_while_nothing_happens),
		TEST(stopping_wakes_the_thread),
		TEST(freeing_stops_and_cancels_what_is_open),
		TEST(may_be_freed_without_ever_having_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
