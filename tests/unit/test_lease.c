/*
 * Tests of controller/kube/lease.c: electors take turns over an API server in
 * memory, each with a clock of its own that the test moves.
 * layer: kube
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "fakeclock.h"
#include "fakekube.h"
#include "kube/lease.h"
#include "quiet.h"

#define LASTS_MS     15000
#define RENEW_MS     10000
#define RETRY_MS     2000
#define RETRY_MAX_MS (RETRY_MS + RETRY_MS / 5)

struct replica {
	struct fakeclock fake;
	struct clock clock;
	struct lease *lease;
	unsigned ups, downs;
	bool leads; /* as told */
};

struct fixture {
	struct fakekube *kube;
	struct replica a, b;
};

static void
told(void *ctx, bool leads)
{
	struct replica *r = ctx;

	assert_true(leads != r->leads);
	/* Whoever begins may write at once, whoever ends no more. */
	assert_true(lease_held(r->lease) == leads);
	r->leads = leads;
	if (leads)
		r->ups++;
	else
		r->downs++;
}

static void
join_as(struct fixture *f, struct replica *r, const char *name, bool sole)
{
	const struct lease_config cfg = {
		.client = { .transport = fakekube_transport(f->kube) },
		.clock = &r->clock,
		.ns = "kube-system",
		.name = "lock",
		.identity = name,
		.sole_of_host = sole,
		.duration_ms = LASTS_MS,
		.renew_ms = RENEW_MS,
		.retry_ms = RETRY_MS,
		.changed = told,
		.ctx = r,
	};

	fakeclock_init(&r->fake);
	r->clock = fakeclock_clock(&r->fake);
	r->lease = lease_new(&cfg);
}

static void
join(struct fixture *f, struct replica *r, const char *name)
{
	join_as(f, r, name, false);
}

static int
setup(void **state)
{
	static struct fixture f;

	quiet_log();
	memset(&f, 0, sizeof(f));
	f.kube = fakekube_new();
	join(&f, &f.a, "a");
	join(&f, &f.b, "b");
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	lease_free(f->a.lease);
	lease_free(f->b.lease);
	fakekube_free(f->kube);
	return 0;
}

/* Takes a turn, then lets the time go by until the next one. */
static uint64_t
turn(struct replica *r)
{
	uint64_t wait = lease_turn(r->lease);

	assert_true(wait > 0);
	fakeclock_advance_ms(&r->fake, wait);
	return wait;
}

static json_t *
record(struct fixture *f)
{
	json_t *v = fakekube_get(f->kube, "leases", "kube-system", "lock");

	assert_non_null(v);
	return v;
}

static const char *
text(const json_t *v, const char *field)
{
	const char *s = jsonx_str(v, "spec", field, NULL);

	return s != NULL ? s : "(none)";
}

static void
the_first_one_makes_the_lease_and_leads(void **state)
{
	struct fixture *f = *state;
	AUTO_JSON json_t *v = NULL;

	assert_false(lease_held(f->a.lease));
	assert_int_equal(lease_turn(f->a.lease), RETRY_MS);
	assert_true(lease_held(f->a.lease));
	assert_true(f->a.leads);
	v = record(f);
	assert_string_equal(
	    jsonx_str(v, "apiVersion", NULL), "coordination.k8s.io/v1");
	assert_string_equal(text(v, "holderIdentity"), "a");
	assert_string_equal(
	    text(v, "acquireTime"), "2026-04-22T11:28:08.000000Z");
	assert_string_equal(
	    text(v, "renewTime"), "2026-04-22T11:28:08.000000Z");
	assert_int_equal(
	    jsonx_int(v, "spec", "leaseDurationSeconds", NULL), 15);
	assert_int_equal(jsonx_int(v, "spec", "leaseTransitions", NULL), 0);
}

static void
renewing_is_one_put_and_changes_the_time_alone(void **state)
{
	struct fixture *f = *state;
	AUTO_JSON json_t *v = NULL;

	turn(&f->a);
	fakekube_forget_calls(f->kube);
	for (int i = 0; i < 5; i++)
		turn(&f->a);
	assert_int_equal(fakekube_calls(f->kube, NULL), 5);
	assert_int_equal(fakekube_calls(f->kube, "PUT"), 5);
	v = record(f);
	assert_string_equal(
	    text(v, "acquireTime"), "2026-04-22T11:28:08.000000Z");
	assert_string_equal(
	    text(v, "renewTime"), "2026-04-22T11:28:18.000000Z");
	assert_int_equal(jsonx_int(v, "spec", "leaseTransitions", NULL), 0);
	assert_int_equal(f->a.ups, 1);
}

static void
a_second_one_follows_while_the_first_renews(void **state)
{
	struct fixture *f = *state;

	turn(&f->a);
	for (int i = 0; i < 100; i++) {
		assert_in_range(turn(&f->b), 1, RETRY_MAX_MS);
		turn(&f->a);
		assert_false(lease_held(f->b.lease));
	}
	assert_int_equal(f->a.ups, 1);
	assert_int_equal(f->a.downs, 0);
	assert_int_equal(f->b.ups, 0);
}

static void
a_dead_leader_is_followed_within_the_time_of_the_lease(void **state)
{
	struct fixture *f = *state;
	AUTO_JSON json_t *v = NULL;
	uint64_t waited = 0;

	turn(&f->a);
	while (!f->b.leads) {
		uint64_t ms = lease_turn(f->b.lease);

		if (f->b.leads)
			break;
		waited += ms;
		fakeclock_advance_ms(&f->b.fake, ms);
		assert_in_range(waited, 0, LASTS_MS + 1);
	}
	/* Not before, either. */
	assert_in_range(waited, LASTS_MS, LASTS_MS + 1);
	v = record(f);
	assert_string_equal(text(v, "holderIdentity"), "b");
	assert_int_equal(jsonx_int(v, "spec", "leaseTransitions", NULL), 1);
}

static void
a_wrong_wall_clock_does_not_matter(void **state)
{
	struct fixture *f = *state;

	fakeclock_set_wall_s(&f->a.fake, FAKECLOCK_WALL_S - 86400);
	turn(&f->a);
	fakeclock_set_wall_s(&f->b.fake, FAKECLOCK_WALL_S + 86400);
	for (int i = 0; i < 20; i++) {
		turn(&f->b);
		turn(&f->a);
	}
	assert_int_equal(f->b.ups, 0);
	assert_true(lease_held(f->a.lease));
}

static void
gives_it_up_when_stopped_so_that_nobody_waits(void **state)
{
	struct fixture *f = *state;
	AUTO_JSON json_t *v = NULL;

	turn(&f->a);
	turn(&f->b);
	lease_release(f->a.lease);
	assert_false(lease_held(f->a.lease));
	v = record(f);
	assert_string_equal(text(v, "holderIdentity"), "");
	assert_int_equal(jsonx_int(v, "spec", "leaseDurationSeconds", NULL), 1);
	turn(&f->b);
	assert_true(f->b.leads);
}

static void
a_follower_gives_nothing_up(void **state)
{
	struct fixture *f = *state;

	turn(&f->a);
	turn(&f->b);
	fakekube_forget_calls(f->kube);
	lease_release(f->b.lease);
	assert_int_equal(fakekube_calls(f->kube, NULL), 0);
}

static void
gives_it_up_although_a_renewal_went_unnoticed(void **state)
{
	struct fixture *f = *state;
	AUTO_JSON json_t *v = NULL;

	turn(&f->a);
	fakekube_fail(f->kube, 1, FAKEKUBE_LOST);
	turn(&f->a);
	lease_release(f->a.lease);
	v = record(f);
	assert_string_equal(text(v, "holderIdentity"), "");
}

static void
writes_stop_when_the_renewal_is_overdue_even_without_a_turn(void **state)
{
	struct fixture *f = *state;

	(void)lease_turn(f->a.lease);
	fakeclock_advance_ms(&f->a.fake, RENEW_MS - 1);
	assert_true(lease_held(f->a.lease));
	fakeclock_advance_ms(&f->a.fake, 1);
	assert_false(lease_held(f->a.lease));
	/* Long before another one may begin. */
	assert_false(f->b.leads);
	/* It hung, and goes on: both the end and the new begin are told. */
	(void)lease_turn(f->a.lease);
	assert_int_equal(f->a.downs, 1);
	assert_int_equal(f->a.ups, 2);
	assert_true(lease_held(f->a.lease));
}

static void
an_outage_of_the_server_ends_and_begins_it_again(void **state)
{
	static const enum fakekube_fault faults[] = { FAKEKUBE_CUT,
		FAKEKUBE_500, FAKEKUBE_429 };

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		struct fixture *f = *state;
		unsigned ups = f->a.ups, downs = f->a.downs;
		uint64_t waited = 0;

		turn(&f->a);
		fakekube_fail_all(f->kube, "leases", faults[i]);
		while (f->a.leads) {
			waited += turn(&f->a);
			assert_in_range(waited, 0, RENEW_MS + RETRY_MAX_MS);
		}
		for (int n = 0; n < 20; n++)
			assert_in_range(turn(&f->a), 1, RETRY_MAX_MS);
		fakekube_fail_all(f->kube, NULL, FAKEKUBE_OK);
		/* The record still names it: nobody else can have begun. */
		turn(&f->a);
		assert_true(lease_held(f->a.lease));
		assert_int_equal(f->a.ups, ups + 1 + (i == 0));
		assert_int_equal(f->a.downs, downs + 1);
	}
}

static void
a_lost_answer_costs_nothing(void **state)
{
	struct fixture *f = *state;

	fakekube_fail(f->kube, 2, FAKEKUBE_LOST); /* the POST */
	turn(&f->a);
	turn(&f->a);
	assert_true(lease_held(f->a.lease));
	for (int i = 0; i < 5; i++) {
		fakekube_fail(f->kube, 1, FAKEKUBE_LOST);
		turn(&f->a);
		turn(&f->a);
	}
	assert_true(lease_held(f->a.lease));
	assert_int_equal(f->a.ups, 1);
	assert_int_equal(f->a.downs, 0);
}

static void
a_leader_that_was_replaced_follows(void **state)
{
	struct fixture *f = *state;

	turn(&f->a);
	turn(&f->b);
	fakeclock_advance_ms(&f->b.fake, LASTS_MS);
	turn(&f->b);
	assert_true(f->b.leads);
	assert_in_range(turn(&f->a), 1, RETRY_MAX_MS);
	assert_false(f->a.leads);
	assert_false(lease_held(f->a.lease));
	turn(&f->b);
	assert_int_equal(f->b.downs, 0);
}

static void
at_any_race_at_most_one_leads(void **state)
{
	struct fixture *f = *state;
	uint32_t r = 12345;

	for (int i = 0; i < 3000; i++) {
		/* By turns both, a alone, b alone; the other one hangs. */
		unsigned phase = (unsigned)i / 20 % 3;
		bool a = phase == 0 ? (r >> 16) & 1 : phase == 1;
		struct replica *one = a ? &f->a : &f->b;

		r = r * 1103515245u + 12345u;
		if ((r >> 20) % 7 == 0)
			fakekube_fail(f->kube, 1,
			    (r >> 8) & 1 ? FAKEKUBE_LOST : FAKEKUBE_CUT);
		(void)lease_turn(one->lease);
		/* Both clocks go equally fast. */
		r = r * 1103515245u + 12345u;
		fakeclock_advance_ms(&f->a.fake, (r >> 16) % 3000);
		fakeclock_advance_ms(&f->b.fake, (r >> 16) % 3000);
		assert_false(lease_held(f->a.lease) && lease_held(f->b.lease));
	}
	assert_true(f->a.ups > 1 && f->b.ups > 1);
}

static void
without_rights_it_goes_on_as_if_alone(void **state)
{
	struct fixture *f = *state;

	fakekube_fail_all(f->kube, "leases", FAKEKUBE_403);
	assert_int_equal(lease_turn(f->a.lease), 60000);
	assert_true(f->a.leads);
	fakeclock_advance_s(&f->a.fake, 100000);
	assert_true(lease_held(f->a.lease));
	assert_int_equal(lease_turn(f->a.lease), 60000);
	assert_int_equal(f->a.ups, 1);
	fakekube_forget_calls(f->kube);
	/* Granted at last, and another one was faster. */
	fakekube_fail_all(f->kube, NULL, FAKEKUBE_OK);
	turn(&f->b);
	turn(&f->a);
	assert_false(f->a.leads);
	assert_true(f->b.leads);
}

static void
a_container_restarted_in_its_pod_takes_over_at_once(void **state)
{
	static const struct {
		const char *before, *now;
		bool sole, leads;
	} cases[] = {
		{ "pod-1_aa", "pod-1_bb", true, true },
		{ "pod-1_aa", "pod-1_bb", false, false },
		{ "pod-1_aa", "pod-2_bb", true, false },
		{ "pod_1_aa", "pod_bb", true, false },
		{ "_aa", "_bb", true, false },
		{ "aa", "bb", true, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture *f = *state;

		(void)fakekube_remove(f->kube, "leases", "kube-system", "lock");
		lease_free(f->a.lease);
		lease_free(f->b.lease);
		memset(&f->a, 0, sizeof(f->a));
		memset(&f->b, 0, sizeof(f->b));
		join_as(f, &f->a, cases[i].before, cases[i].sole);
		join_as(f, &f->b, cases[i].now, cases[i].sole);
		turn(&f->a);
		turn(&f->b);
		assert_int_equal(lease_held(f->b.lease), cases[i].leads);
		/* Once only: two that live must not take it in turns. */
		turn(&f->a);
		assert_int_equal(lease_held(f->b.lease), cases[i].leads);
		assert_int_equal(f->a.leads, !cases[i].leads);
	}
}

static void
an_odd_record_is_taken_over(void **state)
{
	static const char *const bodies[] = { "{}", "{\"spec\":null}",
		"{\"spec\":7}", "{\"spec\":{\"holderIdentity\":null}}",
		"{\"spec\":{\"holderIdentity\":\"x\","
		"\"leaseDurationSeconds\":-1}}",
		"{\"spec\":{\"holderIdentity\":\"x\","
		"\"leaseDurationSeconds\":999999999}}" };

	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		struct fixture *f = *state;
		struct kube_client client = { .transport =
						  fakekube_transport(f->kube) };
		AUTO_JSON json_t *v = json_loads(bodies[i], 0, NULL);
		struct err err = ERR_INIT;

		(void)fakekube_remove(f->kube, "leases", "kube-system", "lock");
		jsonx_set(v, "metadata",
		    json_pack("{s:s, s:s}", "name", "lock", "namespace",
			"kube-system"));
		assert_int_equal(kube_create(&client, &KUBE_LEASES,
				     "kube-system", v, NULL, &err),
		    0);
		(void)lease_turn(f->b.lease);
		fakeclock_advance_ms(&f->b.fake, LASTS_MS);
		(void)lease_turn(f->b.lease);
		assert_true(lease_held(f->b.lease));
	}
}

static void
a_lease_that_is_deleted_is_made_again(void **state)
{
	struct fixture *f = *state;

	turn(&f->a);
	assert_true(fakekube_remove(f->kube, "leases", "kube-system", "lock"));
	turn(&f->a);
	assert_true(lease_held(f->a.lease));
	assert_int_equal(f->a.ups, 1);
}

static void
its_thread_leads_and_ends(void **state)
{
	struct fixture *f = *state;
	AUTO_JSON json_t *v = NULL;

	lease_start(f->a.lease);
	while (!lease_held(f->a.lease))
		;
	lease_stop(f->a.lease);
	assert_false(lease_held(f->a.lease));
	v = record(f);
	assert_string_equal(text(v, "holderIdentity"), "");
}

static void
identities_differ(void **state UNUSED)
{
	char one[LEASE_IDENTITY_MAX], two[LEASE_IDENTITY_MAX];

	lease_identity(one);
	lease_identity(two);
	assert_string_not_equal(one, two);
	assert_true(strlen(one) > 16);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_one_makes_the_lease_and_leads),
		TEST(renewing_is_one_put_and_changes_the_time_alone),
		TEST(a_second_one_follows_while_the_first_renews),
		TEST(a_dead_leader_is_followed_within_the_time_of_the_lease),
		TEST(a_wrong_wall_clock_does_not_matter),
		TEST(gives_it_up_when_stopped_so_that_nobody_waits),
		TEST(a_follower_gives_nothing_up),
		TEST(gives_it_up_although_a_renewal_went_unnoticed),
		TEST(
		    writes_stop_when_the_renewal_is_overdue_even_without_a_turn),
		TEST(an_outage_of_the_server_ends_and_begins_it_again),
		TEST(a_lost_answer_costs_nothing),
		TEST(a_leader_that_was_replaced_follows),
		TEST(at_any_race_at_most_one_leads),
		TEST(without_rights_it_goes_on_as_if_alone),
		TEST(a_container_restarted_in_its_pod_takes_over_at_once),
		TEST(an_odd_record_is_taken_over),
		TEST(a_lease_that_is_deleted_is_made_again),
		TEST(its_thread_leads_and_ends),
		TEST(identities_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
