/*
 * The table of connections, on socket pairs and a clock that stands still.
 * layer: http
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/thread.h"
#include "controller/http/conns.h"
#include "fakeclock.h"

#define MAX	 3
#define IDLE_MS	 1000
#define READ_MS	 2000
#define WRITE_MS 3000

/* One connection: ours in the table, the peer's to look at. */
struct pair {
	int ours, peer;
	struct conn *c;
};

struct fixture {
	struct fakeclock fake;
	struct clock clock;
	struct conns *t;
	struct pair pairs[8];
	size_t n;
};

static int
setup(void **state)
{
	static struct fixture f;
	const struct conns_limits limits = {
		.max = MAX,
		.idle_ms = IDLE_MS,
		.read_ms = READ_MS,
		.write_ms = WRITE_MS,
	};

	memset(&f, 0, sizeof(f));
	fakeclock_init(&f.fake);
	f.clock = fakeclock_clock(&f.fake);
	f.t = conns_new(&limits, &f.clock);
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < f->n; i++) {
		if (f->pairs[i].c != NULL)
			conns_remove(f->t, f->pairs[i].c);
		(void)close(f->pairs[i].ours);
		(void)close(f->pairs[i].peer);
	}
	assert_int_equal(conns_count(f->t), 0);
	conns_free(f->t);
	return 0;
}

static struct pair *
add(struct fixture *f)
{
	struct pair *p = &f->pairs[f->n++];
	int fds[2];

	assert_true(f->n <= 8);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	p->ours = fds[0];
	p->peer = fds[1];
	p->c = conns_add(f->t, p->ours);
	return p;
}

static bool
ended(const struct pair *p)
{
	struct pollfd pfd = { .fd = p->peer, .events = POLLRDHUP };

	return poll(&pfd, 1, 0) == 1;
}

static void
each_phase_has_its_own_deadline(void **state)
{
	static const struct {
		enum conn_phase phase;
		uint64_t limit_ms;
	} cases[] = {
		{ CONN_IDLE, IDLE_MS },
		{ CONN_READ, READ_MS },
		{ CONN_WRITE, WRITE_MS },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pair *p = add(f);

		fakeclock_advance_ms(&f->fake, IDLE_MS - 1);
		conns_enter(f->t, p->c, cases[i].phase);
		assert_int_equal(conns_expire(f->t), cases[i].limit_ms);
		fakeclock_advance_ms(&f->fake, cases[i].limit_ms - 1);
		assert_int_equal(conns_expire(f->t), 1);
		assert_false(ended(p));
		fakeclock_advance_ms(&f->fake, 1);
		assert_true(conns_expire(f->t) == UINT64_MAX);
		assert_true(ended(p));
	}
}

static void
the_next_deadline_is_that_of_the_first_due(void **state)
{
	struct fixture *f = *state;
	struct pair *a = add(f), *b;

	conns_enter(f->t, a->c, CONN_WRITE);
	fakeclock_advance_ms(&f->fake, 500);
	b = add(f);
	assert_int_equal(conns_expire(f->t), IDLE_MS);
	conns_remove(f->t, b->c);
	b->c = NULL;
	assert_int_equal(conns_expire(f->t), WRITE_MS - 500);
}

static void
over_the_limit_the_longest_wait_ends(void **state)
{
	struct fixture *f = *state;
	struct pair *a = add(f), *b, *c, *d, *e;

	fakeclock_advance_ms(&f->fake, 1);
	b = add(f);
	fakeclock_advance_ms(&f->fake, 1);
	c = add(f);
	fakeclock_advance_ms(&f->fake, 1);
	/* It has waited shortest since its request was answered. */
	conns_enter(f->t, a->c, CONN_WRITE);
	conns_enter(f->t, a->c, CONN_IDLE);
	fakeclock_advance_ms(&f->fake, 1);
	d = add(f);
	assert_true(ended(b));
	assert_false(ended(a) || ended(c) || ended(d));
	/* b counts no more, though it is still in the table. */
	assert_int_equal(conns_count(f->t), 4);
	e = add(f);
	assert_true(ended(c));
	assert_false(ended(a) || ended(d) || ended(e));
}

static void
those_at_work_end_only_if_all_others_work_too(void **state)
{
	struct fixture *f = *state;
	struct pair *p[MAX], *late;

	for (size_t i = 0; i < MAX; i++) {
		p[i] = add(f);
		fakeclock_advance_ms(&f->fake, 1);
		if (i != 1)
			conns_enter(f->t, p[i]->c, CONN_READ);
	}
	late = add(f);
	assert_true(ended(p[1]));
	assert_false(ended(p[0]) || ended(p[2]));
	conns_enter(f->t, late->c, CONN_READ);
	late = add(f);
	assert_true(ended(p[0]));
	assert_false(ended(p[2]) || ended(late));
}

static void
draining_ends_the_idle_and_waits_for_the_busy(void **state)
{
	struct fixture *f = *state;
	struct pair *idle = add(f), *busy = add(f), *late;

	conns_enter(f->t, busy->c, CONN_READ);
	assert_false(conns_drain(f->t, 0));
	assert_true(ended(idle));
	assert_false(ended(busy));
	conns_enter(f->t, busy->c, CONN_WRITE);
	assert_false(ended(busy));
	conns_enter(f->t, busy->c, CONN_IDLE);
	assert_true(ended(busy));
	late = add(f);
	assert_true(ended(late));
	assert_true(conns_drain(f->t, 0));
}

static void *
run_main(void *arg)
{
	struct fixture *f = arg;

	conns_run(f->t);
	return NULL;
}

static void
its_thread_expires_on_the_clock_and_ends_with_the_drain(void **state)
{
	const struct conns_limits limits = {
		.max = MAX, .idle_ms = 20, .read_ms = 40, .write_ms = 60
	};
	struct fixture *f = *state;
	struct thread t = { .started = false };
	struct pollfd pfd = { .events = POLLRDHUP };

	conns_free(f->t);
	f->t = conns_new(&limits, &clock_system);
	thread_start(&t, "expirer", run_main, f);
	pfd.fd = add(f)->peer;
	assert_int_equal(poll(&pfd, 1, 5000), 1);
	assert_true(conns_drain(f->t, 0));
	thread_join(&t);
}

int
main(void)
{
#define TABLE(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		TABLE(each_phase_has_its_own_deadline),
		TABLE(the_next_deadline_is_that_of_the_first_due),
		TABLE(over_the_limit_the_longest_wait_ends),
		TABLE(those_at_work_end_only_if_all_others_work_too),
		TABLE(draining_ends_the_idle_and_waits_for_the_busy),
		TABLE(its_thread_expires_on_the_clock_and_ends_with_the_drain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
