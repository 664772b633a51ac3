/*
 * Tests of controller/cache/workqueue.c: the cases of client-go's own queue
 * tests, two lanes, delayed adds, bodies, what probes ask.
 * layer: cache
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/jsonx.h"
#include "base/mem.h"
#include "base/thread.h"
#include "cache/workqueue.h"
#include "controller/cache/bodies.h"
#include "fakeclock.h"

struct fixture {
	struct fakeclock clock;
	struct clock as_clock;
	struct workqueue *q;
};

static int
setup(void **state)
{
	static struct fixture f;

	fakeclock_init(&f.clock);
	f.as_clock = fakeclock_clock(&f.clock);
	f.q = workqueue_new(&f.as_clock);
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	workqueue_free(f->q);
	return 0;
}

static struct objkey
key_of(const char *name)
{
	struct objkey k = { .ns = "ns" };

	(void)snprintf(k.name, sizeof(k.name), "%s", name);
	return k;
}

static void
add(struct fixture *f, const char *name, enum workqueue_lane lane)
{
	struct objkey k = key_of(name);

	workqueue_add(f->q, &k, lane, NULL);
}

static void
add_after(struct fixture *f, const char *name, uint64_t ms)
{
	struct objkey k = key_of(name);

	workqueue_add_after(f->q, &k, WORKQUEUE_NEW, ms);
}

static void
done(struct fixture *f, const char *name)
{
	struct objkey k = key_of(name);

	workqueue_done(f->q, &k);
}

/* want NULL: nothing is ready. Leaves the key in the worker's hands. */
static void
takes(struct fixture *f, const char *want)
{
	struct objkey k;
	json_t *body = NULL;
	bool got = workqueue_try_get(f->q, &k, &body);

	assert_int_equal(got, want != NULL);
	if (!got)
		return;
	assert_string_equal(k.ns, "ns");
	assert_string_equal(k.name, want);
	json_decref(body);
}

static void
takes_and_finishes(struct fixture *f, const char *want)
{
	takes(f, want);
	done(f, want);
}

/* ---- client-go's cases ---- */

static void
hands_out_in_order_of_arrival(void **state)
{
	struct fixture *f = *state;

	add(f, "a", WORKQUEUE_NEW);
	add(f, "b", WORKQUEUE_NEW);
	add(f, "c", WORKQUEUE_NEW);
	assert_int_equal(workqueue_len(f->q), 3);
	takes(f, "a");
	takes(f, "b");
	takes(f, "c");
	takes(f, NULL);
}

static void
collapses_adds_of_a_waiting_key(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 10; i++)
		add(f, "a", WORKQUEUE_NEW);
	assert_int_equal(workqueue_len(f->q), 1);
	takes_and_finishes(f, "a");
	takes(f, NULL);
	assert_int_equal(workqueue_len(f->q), 0);
}

static void
an_add_while_processing_is_replayed_at_done(void **state)
{
	struct fixture *f = *state;

	add(f, "a", WORKQUEUE_NEW);
	takes(f, "a");
	add(f, "a", WORKQUEUE_NEW);
	add(f, "a", WORKQUEUE_NEW);
	/* Never in two workers. */
	assert_int_equal(workqueue_len(f->q), 0);
	takes(f, NULL);
	done(f, "a");
	assert_int_equal(workqueue_len(f->q), 1);
	takes_and_finishes(f, "a");
	takes(f, NULL);
}

static void
a_replayed_key_stands_behind_those_that_waited(void **state)
{
	struct fixture *f = *state;

	add(f, "a", WORKQUEUE_NEW);
	takes(f, "a");
	add(f, "a", WORKQUEUE_NEW);
	add(f, "b", WORKQUEUE_NEW);
	done(f, "a");
	takes(f, "b");
	takes(f, "a");
}

static void
done_of_a_key_nobody_holds_does_nothing(void **state)
{
	struct fixture *f = *state;

	done(f, "a");
	add(f, "a", WORKQUEUE_NEW);
	done(f, "a");
	assert_int_equal(workqueue_len(f->q), 1);
	takes_and_finishes(f, "a");
	done(f, "a");
	takes(f, NULL);
}

static void
may_be_added_again_after_done(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++) {
		add(f, "a", WORKQUEUE_NEW);
		takes_and_finishes(f, "a");
		takes(f, NULL);
	}
}

static void
adds_after_shutdown_are_dropped(void **state)
{
	struct fixture *f = *state;
	struct objkey k = key_of("a");
	json_t *body = json_object();

	add(f, "b", WORKQUEUE_NEW);
	workqueue_shutdown(f->q);
	workqueue_add(f->q, &k, WORKQUEUE_NEW, json_incref(body));
	assert_int_equal(body->refcount, 1);
	workqueue_add_after(f->q, &k, WORKQUEUE_NEW, 0);
	assert_int_equal(workqueue_len(f->q), 1);
	json_decref(body);
}

static void
gives_nothing_after_shutdown_even_where_keys_wait(void **state)
{
	struct fixture *f = *state;
	struct objkey k;
	json_t *body;

	add(f, "a", WORKQUEUE_NEW);
	add(f, "b", WORKQUEUE_NEW);
	takes(f, "a");
	workqueue_shutdown(f->q);
	assert_false(workqueue_get(f->q, &k, &body));
	assert_false(workqueue_try_get(f->q, &k, &body));
	done(f, "a");
}

/* ---- delayed adds ---- */

static void
a_delayed_key_comes_when_its_time_has_come(void **state)
{
	struct fixture *f = *state;

	add_after(f, "a", 50);
	takes(f, NULL);
	fakeclock_advance_ms(&f->clock, 49);
	assert_int_equal(workqueue_len(f->q), 0);
	takes(f, NULL);
	fakeclock_advance_ms(&f->clock, 1);
	assert_int_equal(workqueue_len(f->q), 1);
	takes_and_finishes(f, "a");
	takes(f, NULL);
}

static void
of_two_delays_the_earlier_wins(void **state)
{
	struct fixture *f = *state;
	static const uint64_t delays[][2] = { { 100, 20 }, { 20, 100 } };

	for (size_t i = 0; i < ARRAY_SIZE(delays); i++) {
		add_after(f, "a", delays[i][0]);
		add_after(f, "a", delays[i][1]);
		fakeclock_advance_ms(&f->clock, 19);
		takes(f, NULL);
		fakeclock_advance_ms(&f->clock, 1);
		takes_and_finishes(f, "a");
		fakeclock_advance_ms(&f->clock, 1000);
		takes(f, NULL);
	}
}

static void
a_delay_of_nothing_is_an_add(void **state)
{
	struct fixture *f = *state;

	add_after(f, "a", 0);
	takes(f, "a");
}

static void
an_endless_delay_does_not_overflow(void **state)
{
	struct fixture *f = *state;

	add_after(f, "a", UINT64_MAX);
	fakeclock_advance_s(&f->clock, 365 * 24 * 3600);
	takes(f, NULL);
	fakeclock_advance_s(&f->clock, 2 * 24 * 3600);
	takes(f, "a");
}

static void
an_add_drops_the_delayed_one(void **state)
{
	struct fixture *f = *state;

	add_after(f, "a", 50);
	add(f, "a", WORKQUEUE_NEW);
	takes_and_finishes(f, "a");
	fakeclock_advance_ms(&f->clock, 1000);
	takes(f, NULL);
}

static void
a_delay_that_ends_while_processing_is_replayed_at_done(void **state)
{
	struct fixture *f = *state;

	add(f, "a", WORKQUEUE_NEW);
	takes(f, "a");
	add_after(f, "a", 50);
	fakeclock_advance_ms(&f->clock, 60);
	takes(f, NULL);
	done(f, "a");
	takes_and_finishes(f, "a");
	takes(f, NULL);
}

static void
a_delay_asked_for_while_processing_survives_done(void **state)
{
	struct fixture *f = *state;

	add(f, "a", WORKQUEUE_NEW);
	takes(f, "a");
	add_after(f, "a", 50);
	done(f, "a");
	takes(f, NULL);
	fakeclock_advance_ms(&f->clock, 50);
	takes(f, "a");
}

static void
a_delay_that_ends_while_the_key_waits_changes_nothing(void **state)
{
	struct fixture *f = *state;

	add(f, "a", WORKQUEUE_NEW);
	add_after(f, "a", 50);
	fakeclock_advance_ms(&f->clock, 60);
	assert_int_equal(workqueue_len(f->q), 1);
	takes_and_finishes(f, "a");
	takes(f, NULL);
}

/* Every order of a few hundred delays comes out sorted; some are added
 * directly in between, which takes them out of the middle of the heap. */
static void
many_delays_come_in_order(void **state)
{
	struct fixture *f = *state;
	unsigned left = 0, last = 0;
	char name[16];

	for (unsigned i = 0; i < 500; i++) {
		unsigned ms = (i * 7919) % 500 + 1;

		(void)snprintf(name, sizeof(name), "k%u", ms);
		add_after(f, name, ms);
	}
	for (unsigned ms = 3; ms <= 500; ms += 3, left++) {
		(void)snprintf(name, sizeof(name), "k%u", ms);
		add(f, name, WORKQUEUE_NEW);
		takes_and_finishes(f, name);
	}
	fakeclock_advance_ms(&f->clock, 1000);
	assert_int_equal(workqueue_len(f->q), 500 - left);
	for (unsigned ms = 1; ms <= 500; ms++) {
		if (ms % 3 == 0)
			continue;
		(void)snprintf(name, sizeof(name), "k%u", ms);
		takes_and_finishes(f, name);
		last = ms;
	}
	assert_int_equal(last, 500);
	takes(f, NULL);
}

/* ---- lanes ---- */

static void
new_work_goes_ahead_of_the_backlog(void **state)
{
	struct fixture *f = *state;

	add(f, "old1", WORKQUEUE_BACKLOG);
	add(f, "old2", WORKQUEUE_BACKLOG);
	add(f, "new1", WORKQUEUE_NEW);
	add(f, "new2", WORKQUEUE_NEW);
	takes(f, "new1");
	takes(f, "new2");
	takes(f, "old1");
	takes(f, "old2");
}

static void
an_event_moves_a_key_out_of_the_backlog(void **state)
{
	struct fixture *f = *state;

	add(f, "a", WORKQUEUE_BACKLOG);
	add(f, "b", WORKQUEUE_BACKLOG);
	add(f, "b", WORKQUEUE_NEW);
	/* And never back. */
	add(f, "b", WORKQUEUE_BACKLOG);
	assert_int_equal(workqueue_len(f->q), 2);
	takes(f, "b");
	takes(f, "a");
}

static void
a_replay_takes_the_better_lane_it_was_added_to(void **state)
{
	struct fixture *f = *state;

	add(f, "a", WORKQUEUE_NEW);
	takes(f, "a");
	add(f, "a", WORKQUEUE_BACKLOG);
	add(f, "a", WORKQUEUE_NEW);
	add(f, "a", WORKQUEUE_BACKLOG);
	add(f, "b", WORKQUEUE_BACKLOG);
	done(f, "a");
	takes_and_finishes(f, "a");
	takes(f, "b");
	done(f, "b");
	/* Having been new once does not make it new for ever. */
	add(f, "c", WORKQUEUE_NEW);
	takes(f, "c");
	add(f, "c", WORKQUEUE_BACKLOG);
	done(f, "c");
	add(f, "d", WORKQUEUE_NEW);
	takes(f, "d");
	takes(f, "c");
}

static void
a_flood_of_events_does_not_starve_the_backlog(void **state)
{
	struct fixture *f = *state;
	unsigned turns = 0;
	struct objkey k;
	json_t *body;
	char name[16];

	for (unsigned i = 0; i < 10; i++) {
		(void)snprintf(name, sizeof(name), "old%u", i);
		add(f, name, WORKQUEUE_BACKLOG);
	}
	for (unsigned i = 0; i < 170; i++) {
		(void)snprintf(name, sizeof(name), "new%u", i);
		add(f, name, WORKQUEUE_NEW);
		assert_true(workqueue_try_get(f->q, &k, &body));
		turns += strncmp(k.name, "old", 3) == 0;
		workqueue_done(f->q, &k);
	}
	assert_int_equal(turns, 10);
}

/* ---- bodies ---- */

static void
add_body(struct fixture *f, const char *name, int n)
{
	struct objkey k = key_of(name);

	workqueue_add(
	    f->q, &k, WORKQUEUE_NEW, json_pack("{s:i, s:s}", "n", n, "s", "é"));
}

/* The number in it; -1: there is none. */
static int
take_body(struct fixture *f, const char *want)
{
	AUTO_JSON json_t *body = NULL;
	struct objkey k;

	assert_true(workqueue_try_get(f->q, &k, &body));
	assert_string_equal(k.name, want);
	if (body == NULL)
		return -1;
	assert_string_equal(jsonx_str(body, "s", NULL), "é");
	return (int)jsonx_int(body, "n", NULL);
}

static void
hands_over_the_newest_body(void **state)
{
	struct fixture *f = *state;

	add_body(f, "a", 1);
	add_body(f, "a", 2);
	assert_int_equal(take_body(f, "a"), 2);
	/* Once only. */
	add(f, "a", WORKQUEUE_NEW);
	done(f, "a");
	assert_int_equal(take_body(f, "a"), -1);
}

static void
an_add_without_a_body_makes_the_worker_read_again(void **state)
{
	struct fixture *f = *state;

	add_body(f, "a", 1);
	add(f, "a", WORKQUEUE_NEW);
	assert_int_equal(take_body(f, "a"), -1);
}

static void
a_body_waits_for_the_replay(void **state)
{
	struct fixture *f = *state;

	add(f, "a", WORKQUEUE_NEW);
	takes(f, "a");
	add_body(f, "a", 1);
	/* A delay that ends meanwhile brings no news about the object. */
	add_after(f, "a", 5);
	fakeclock_advance_ms(&f->clock, 5);
	done(f, "a");
	assert_int_equal(take_body(f, "a"), 1);
}

static void
a_key_whose_body_has_no_room_waits_without(void **state)
{
	struct fixture *f = *state;
	AUTO_STR char *half = xmalloc(BODIES_MAX / 2 + 1);
	AUTO_JSON json_t *got = NULL;
	struct objkey k = key_of("a");

	memset(half, 'x', BODIES_MAX / 2);
	half[BODIES_MAX / 2] = '\0';
	workqueue_add(f->q, &k, WORKQUEUE_NEW, json_pack("{s:s}", "s", half));
	k = key_of("b");
	workqueue_add(f->q, &k, WORKQUEUE_NEW, json_pack("{s:s}", "s", half));
	assert_int_equal(workqueue_len(f->q), 2);
	assert_true(workqueue_try_get(f->q, &k, &got));
	assert_string_equal(jsonx_str(got, "s", NULL), half);
	assert_int_equal(take_body(f, "b"), -1);
}

/* Those of a follower, whose queue nobody empties. */
static void
bodies_wait_for_a_minute(void **state)
{
	struct fixture *f = *state;

	add_body(f, "a", 1);
	fakeclock_advance_ms(&f->clock, 60000);
	add_body(f, "b", 2);
	assert_int_equal(workqueue_len(f->q), 2);
	assert_int_equal(take_body(f, "a"), 1);
	add_body(f, "c", 3);
	fakeclock_advance_ms(&f->clock, 1);
	assert_int_equal(workqueue_len(f->q), 2);
	assert_int_equal(take_body(f, "b"), -1);
	assert_int_equal(take_body(f, "c"), -1);
	add_body(f, "d", 4);
	fakeclock_advance_ms(&f->clock, 60000);
	assert_int_equal(take_body(f, "d"), 4);
}

static void
the_body_that_is_added_belongs_to_the_queue(void **state)
{
	struct fixture *f = *state;
	struct objkey k = key_of("a");
	json_t *body = json_object();

	workqueue_add(f->q, &k, WORKQUEUE_NEW, json_incref(body));
	add_after(f, "b", 50);
	workqueue_free(f->q);
	f->q = NULL;
	assert_int_equal(body->refcount, 1);
	json_decref(body);
}

/* ---- failures ---- */

static void
counts_failures_until_forgotten(void **state)
{
	struct fixture *f = *state;
	struct objkey a = key_of("a"), b = key_of("b");

	assert_int_equal(workqueue_fail(f->q, &a), 0);
	assert_int_equal(workqueue_fail(f->q, &a), 1);
	assert_int_equal(workqueue_fail(f->q, &b), 0);
	assert_int_equal(workqueue_failures(f->q, &a), 2);
	add(f, "a", WORKQUEUE_NEW);
	takes_and_finishes(f, "a");
	assert_int_equal(workqueue_failures(f->q, &a), 2);
	workqueue_forget(f->q, &a);
	assert_int_equal(workqueue_failures(f->q, &a), 0);
	assert_int_equal(workqueue_failures(f->q, &b), 1);
	assert_int_equal(workqueue_fail(f->q, &a), 0);
}

static void
forgetting_does_not_take_a_key_out_of_the_queue(void **state)
{
	struct fixture *f = *state;
	struct objkey a = key_of("a");

	workqueue_fail(f->q, &a);
	add_after(f, "a", 10);
	workqueue_forget(f->q, &a);
	fakeclock_advance_ms(&f->clock, 10);
	takes(f, "a");
	workqueue_forget(f->q, &a);
	add(f, "a", WORKQUEUE_NEW);
	done(f, "a");
	takes(f, "a");
}

/* ---- what probes ask ---- */

static void
tells_how_long_the_oldest_key_waits(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(workqueue_oldest_ms(f->q), 0);
	add(f, "old", WORKQUEUE_BACKLOG);
	fakeclock_advance_ms(&f->clock, 100);
	add(f, "new", WORKQUEUE_NEW);
	add(f, "old", WORKQUEUE_BACKLOG);
	fakeclock_advance_ms(&f->clock, 10);
	assert_int_equal(workqueue_oldest_ms(f->q), 110);
	takes(f, "new");
	assert_int_equal(workqueue_oldest_ms(f->q), 110);
	takes(f, "old");
	assert_int_equal(workqueue_oldest_ms(f->q), 0);
	/* A delayed key waits from the time it was due. */
	add_after(f, "late", 50);
	fakeclock_advance_ms(&f->clock, 80);
	assert_int_equal(workqueue_oldest_ms(f->q), 30);
}

static void
is_stuck_only_while_work_is_ready_and_nobody_moves(void **state)
{
	struct fixture *f = *state;

	/* Workers that have not begun are waiting, not stuck. */
	add(f, "a", WORKQUEUE_NEW);
	add(f, "b", WORKQUEUE_NEW);
	fakeclock_advance_ms(&f->clock, 1000);
	assert_int_equal(workqueue_stuck_ms(f->q), 0);
	takes(f, "a");
	assert_int_equal(workqueue_stuck_ms(f->q), 0);
	fakeclock_advance_ms(&f->clock, 70);
	assert_int_equal(workqueue_stuck_ms(f->q), 70);
	/* Somebody finishes: it moves. */
	done(f, "a");
	assert_int_equal(workqueue_stuck_ms(f->q), 0);
	fakeclock_advance_ms(&f->clock, 5);
	takes(f, "b");
	fakeclock_advance_ms(&f->clock, 500);
	/* One long run alone is not stuck: nothing else waits. */
	assert_int_equal(workqueue_stuck_ms(f->q), 0);
	add(f, "c", WORKQUEUE_NEW);
	fakeclock_advance_ms(&f->clock, 20);
	assert_int_equal(workqueue_stuck_ms(f->q), 20);
	/* Idle for long, then work: counted from the work on. */
	takes_and_finishes(f, "c");
	done(f, "b");
	fakeclock_advance_ms(&f->clock, 9000);
	add_after(f, "d", 1000);
	fakeclock_advance_ms(&f->clock, 1030);
	assert_int_equal(workqueue_stuck_ms(f->q), 30);
}

static void
remembers_nothing_of_finished_keys(void **state)
{
	struct fixture *f = *state;
	size_t before = 0;
	char name[32];

	for (unsigned i = 0; i < 4000; i++) {
		struct objkey k;

		/* The table has its size by then. */
		if (i == 2000)
			before = mallinfo2().uordblks;
		(void)snprintf(name, sizeof(name), "key-%u", i);
		k = key_of(name);
		workqueue_fail(f->q, &k);
		add(f, name, WORKQUEUE_NEW);
		takes(f, name);
		add_after(f, name, 5);
		workqueue_forget(f->q, &k);
		done(f, name);
		fakeclock_advance_ms(&f->clock, 5);
		takes_and_finishes(f, name);
	}
	assert_in_range(mallinfo2().uordblks, 0, before + 4096);
}

/* ---- threads ---- */

struct pool {
	struct workqueue *q;
	struct mutex mu;
	struct cond changed;
	unsigned runs[8]; /* of key number i */
	bool held[8];
	bool twice; /* a key was in two workers */
	unsigned ended;
};

static unsigned
key_number(const struct objkey *k)
{
	return (unsigned)(k->name[0] - 'a');
}

static void *
worker(void *arg)
{
	struct pool *p = arg;
	struct objkey k;
	json_t *body;

	while (workqueue_get(p->q, &k, &body)) {
		unsigned n = key_number(&k);

		json_decref(body);
		mutex_lock(&p->mu);
		p->twice |= p->held[n];
		p->held[n] = true;
		mutex_unlock(&p->mu);
		mutex_lock(&p->mu);
		p->held[n] = false;
		p->runs[n]++;
		cond_broadcast(&p->changed);
		mutex_unlock(&p->mu);
		workqueue_done(p->q, &k);
	}
	mutex_lock(&p->mu);
	p->ended++;
	mutex_unlock(&p->mu);
	return NULL;
}

static void
pool_init(struct pool *p, struct thread *threads, size_t n)
{
	memset(p, 0, sizeof(*p));
	mutex_init(&p->mu);
	cond_init(&p->changed);
	/* Real time: workers wait in it. */
	p->q = workqueue_new(&clock_system);
	for (size_t i = 0; i < n; i++)
		thread_start(&threads[i], "worker", worker, p);
}

static void
pool_stop(struct pool *p, struct thread *threads, size_t n)
{
	workqueue_shutdown(p->q);
	for (size_t i = 0; i < n; i++)
		thread_join(&threads[i]);
	assert_int_equal(p->ended, n);
	workqueue_free(p->q);
	cond_destroy(&p->changed);
	mutex_destroy(&p->mu);
}

static void
wait_for_run(struct pool *p, unsigned n)
{
	mutex_lock(&p->mu);
	while (p->runs[n] == 0)
		cond_wait(&p->changed, &p->mu);
	mutex_unlock(&p->mu);
}

static void
a_key_is_never_in_two_workers(void **state UNUSED)
{
	struct thread threads[4] = { { .started = false } };
	struct pool p;

	pool_init(&p, threads, ARRAY_SIZE(threads));
	for (unsigned i = 0; i < 4000; i++) {
		char name[2] = { (char)('a' + i % 8), '\0' };
		struct objkey k = key_of(name);

		if (i % 5 == 0)
			workqueue_add_after(p.q, &k, WORKQUEUE_BACKLOG, i % 3);
		else
			workqueue_add(p.q, &k, WORKQUEUE_NEW, json_object());
	}
	for (unsigned n = 0; n < 8; n++)
		wait_for_run(&p, n);
	pool_stop(&p, threads, ARRAY_SIZE(threads));
	assert_false(p.twice);
}

static void
waiting_workers_wake_for_a_shorter_delay(void **state UNUSED)
{
	struct thread threads[2] = { { .started = false } };
	struct objkey a = key_of("a"), b = key_of("b");
	struct pool p;

	pool_init(&p, threads, ARRAY_SIZE(threads));
	workqueue_add_after(p.q, &a, WORKQUEUE_NEW, 3600 * MS_PER_S);
	workqueue_add_after(p.q, &b, WORKQUEUE_NEW, 20);
	wait_for_run(&p, 1);
	assert_int_equal(p.runs[0], 0);
	pool_stop(&p, threads, ARRAY_SIZE(threads));
}

static void
shutdown_wakes_every_worker(void **state UNUSED)
{
	struct thread threads[4] = { { .started = false } };
	struct pool p;

	pool_init(&p, threads, ARRAY_SIZE(threads));
	pool_stop(&p, threads, ARRAY_SIZE(threads));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hands_out_in_order_of_arrival),
		TEST(collapses_adds_of_a_waiting_key),
		TEST(an_add_while_processing_is_replayed_at_done),
		TEST(a_replayed_key_stands_behind_those_that_waited),
		TEST(done_of_a_key_nobody_holds_does_nothing),
		TEST(may_be_added_again_after_done),
		TEST(adds_after_shutdown_are_dropped),
		TEST(gives_nothing_after_shutdown_even_where_keys_wait),
		TEST(a_delayed_key_comes_when_its_time_has_come),
		TEST(of_two_delays_the_earlier_wins),
		TEST(a_delay_of_nothing_is_an_add),
		TEST(an_endless_delay_does_not_overflow),
		TEST(an_add_drops_the_delayed_one),
		TEST(a_delay_that_ends_while_processing_is_replayed_at_done),
		TEST(a_delay_asked_for_while_processing_survives_done),
		TEST(a_delay_that_ends_while_the_key_waits_changes_nothing),
		TEST(many_delays_come_in_order),
		TEST(new_work_goes_ahead_of_the_backlog),
		TEST(an_event_moves_a_key_out_of_the_backlog),
		TEST(a_replay_takes_the_better_lane_it_was_added_to),
		TEST(a_flood_of_events_does_not_starve_the_backlog),
		TEST(hands_over_the_newest_body),
		TEST(an_add_without_a_body_makes_the_worker_read_again),
		TEST(a_body_waits_for_the_replay),
		TEST(a_key_whose_body_has_no_room_waits_without),
		TEST(bodies_wait_for_a_minute),
		TEST(the_body_that_is_added_belongs_to_the_queue),
		TEST(counts_failures_until_forgotten),
		TEST(forgetting_does_not_take_a_key_out_of_the_queue),
		TEST(tells_how_long_the_oldest_key_waits),
		TEST(is_stuck_only_while_work_is_ready_and_nobody_moves),
		TEST(remembers_nothing_of_finished_keys),
		cmocka_unit_test(a_key_is_never_in_two_workers),
		cmocka_unit_test(waiting_workers_wake_for_a_shorter_delay),
		cmocka_unit_test(shutdown_wakes_every_worker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
