/*
 * Several replicas: with an elected leader, and overlapping without one.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "keyrig.h"
#include "lib/sanitized.h"

#define LEASE                                                         \
	"/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/" \
	"sealed-secrets-controller"
#define LASTS_MS 3000
/* The time of the Lease and five seconds. */
#define FAILOVER_MS (LASTS_MS + 5000)
/* REPLICA_TRIES asks for another number. Several at a time, each pair with a
 * server of its own: they mostly wait. */
#define TRIES		100
#define TRIES_SANITIZED 20
#define LANES		4
#define OBJECTS		20
#define LEADS		"msg=Leads "

static const char *const elected[] = { "--leader-elect",
	"--leader-elect-lease-duration=3s", "--leader-elect-renew-deadline=2s",
	"--leader-elect-retry-period=500ms", NULL };

struct pair {
	struct harness *h;
	struct proc *proc[2];
	char *http[2];
};

static int
start(void **state)
{
	static struct pair p;

	memset(&p, 0, sizeof(p));
	p.h = harness_new(NULL);
	*state = &p;
	return 0;
}

static void
end_replicas(struct pair *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(p->proc); i++) {
		proc_free(p->proc[i]);
		free(p->http[i]);
		p->proc[i] = NULL;
		p->http[i] = NULL;
	}
}

static int
stop(void **state)
{
	struct pair *p = *state;

	end_replicas(p);
	harness_free(p->h);
	return 0;
}

static void
expect(struct pair *p, bool holds, const char *what, int line)
{
	if (holds)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(p->proc); i++)
		if (p->proc[i] != NULL)
			proc_show(p->proc[i]);
	harness_check(p->h, holds, what, __FILE__, line);
}

#define EXPECT(p, what) expect(p, what, #what, __LINE__)

static bool
is_ready(void *ctx)
{
	AUTO(api) struct api *web = api_new(ctx, NULL);

	return api_get(web, NULL, "/readyz") == 200;
}

static void
wait_address(struct pair *p, size_t i)
{
	AUTO_STR char *addr = proc_wait_word(
	    p->proc[i], "\"HTTP server serving\" addr=", HARNESS_SOON_MS);

	EXPECT(p, addr != NULL);
	p->http[i] = xasprintf("http://%s", addr);
}

/* Both at the same moment. */
static void
spawn_replicas(struct pair *p, const char *const args[])
{
	for (size_t i = 0; i < ARRAY_SIZE(p->proc); i++)
		p->proc[i] = harness_spawn(p->h, args);
}

static void
wait_replicas(struct pair *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(p->proc); i++)
		wait_address(p, i);
	for (size_t i = 0; i < ARRAY_SIZE(p->proc); i++)
		EXPECT(p, wait_until(is_ready, p->http[i], HARNESS_LATE_MS));
}

static void
start_replicas(struct pair *p, const char *const args[])
{
	spawn_replicas(p, args);
	wait_replicas(p);
}

static bool
one_leads(void *ctx)
{
	const struct pair *p = ctx;

	return proc_said(p->proc[0], LEADS) != proc_said(p->proc[1], LEADS);
}

/* 0 or 1: who leads, now that exactly one does. */
static size_t
leader(struct pair *p)
{
	EXPECT(p, wait_until(one_leads, p, HARNESS_SOON_MS));
	return proc_said(p->proc[0], LEADS) ? 0 : 1;
}

/* The harness seals under what this one serves. */
static void
use_certificate(struct pair *p, size_t i)
{
	free(p->h->cert);
	p->h->cert = NULL;
	p->h->cert = harness_cert_of(p->h, p->proc[i]);
}

static void
delete_keys(struct pair *p)
{
	AUTO_JSON json_t *list = NULL;
	size_t i;
	json_t *item;

	assert_int_equal(
	    api_get(p->h->api, &list, "/api/v1/namespaces/kube-system/secrets"),
	    200);
	json_array_foreach(json_object_get(list, "items"), i, item)
	{
		keyrig_delete(p->h, jsonx_str(item, "metadata", "name", NULL));
	}
}

static void
expect_one_key(struct pair *p)
{
	AUTO_STR char *first = NULL;

	EXPECT(p, harness_keys(p->h) == 1);
	use_certificate(p, 0);
	first = xstrdup(p->h->cert);
	/* The second one serves the same. */
	use_certificate(p, 1);
	EXPECT(p, strcmp(first, p->h->cert) == 0);
	end_replicas(p);
	EXPECT(p, harness_keys(p->h) == 1);
	delete_keys(p);
	(void)api_delete(p->h->api, NULL, NULL, LEASE);
}

static unsigned long
tries(void)
{
	const char *asked = getenv("REPLICA_TRIES");

	if (asked != NULL)
		return strtoul(asked, NULL, 10);
	return SANITIZED ? TRIES_SANITIZED : TRIES;
}

static void
make_one_key(
    struct pair lanes[LANES], const char *const args[], unsigned long n)
{
	for (unsigned long i = 0; i < n; i += LANES) {
		for (size_t k = 0; k < LANES; k++)
			spawn_replicas(&lanes[k], args);
		for (size_t k = 0; k < LANES; k++)
			wait_replicas(&lanes[k]);
		for (size_t k = 0; k < LANES; k++)
			expect_one_key(&lanes[k]);
	}
}

static int
start_lanes(void **state)
{
	static struct pair lanes[LANES];

	memset(lanes, 0, sizeof(lanes));
	for (size_t k = 0; k < LANES; k++)
		lanes[k].h = harness_new(NULL);
	*state = lanes;
	return 0;
}

static int
stop_lanes(void **state)
{
	struct pair *lanes = *state;

	for (size_t k = 0; k < LANES; k++) {
		end_replicas(&lanes[k]);
		harness_free(lanes[k].h);
	}
	return 0;
}

static void
two_that_start_at_once_make_one_key(void **state)
{
	make_one_key(*state, NULL, tries());
}

static void
two_that_are_elected_make_one_key(void **state)
{
	/* Only one of them ever asks for a key, so fewer will do. */
	make_one_key(*state, elected, tries() / 5);
}

static void
only_the_leader_works_and_every_replica_serves(void **state)
{
	struct pair *p = *state;
	size_t i;

	start_replicas(p, elected);
	i = leader(p);
	use_certificate(p, 1 - i);
	harness_create(p->h, "a", "one", "value");
	EXPECT(
	    p, harness_wait_synced(p->h, "a", "one", "True", HARNESS_SOON_MS));
	EXPECT(p,
	    harness_wait_event(p->h, "a", "one", "Unsealed", HARNESS_SOON_MS));
	EXPECT(p, proc_said(p->proc[i], "msg=Updating key=a/one"));
	EXPECT(p, !proc_said(p->proc[1 - i], "msg=Updating"));
	/* A new key is the leader's to make, and both serve it. */
	proc_signal(p->proc[1 - i], SIGUSR1);
	EXPECT(p,
	    proc_wait_said(
		p->proc[1 - i], "another replica leads", HARNESS_SOON_MS));
	proc_signal(p->proc[i], SIGUSR1);
	EXPECT(p, harness_wait_keys(p->h, 2, HARNESS_SOON_MS));
	EXPECT(p,
	    proc_wait_said(
		p->proc[1 - i], "registered private key", KEYRIG_LIMIT_MS));
}

static void
a_dead_leader_is_replaced_in_time(void **state)
{
	struct pair *p = *state;
	size_t i;

	start_replicas(p, elected);
	i = leader(p);
	use_certificate(p, 1 - i);
	proc_kill(p->proc[i]);
	harness_create(p->h, "a", "one", "value");
	EXPECT(p, harness_wait_synced(p->h, "a", "one", "True", FAILOVER_MS));
	EXPECT(p, proc_said(p->proc[1 - i], LEADS));
}

static void
a_leader_that_is_stopped_hands_over_at_once(void **state)
{
	struct pair *p = *state;
	size_t i;

	start_replicas(p, elected);
	i = leader(p);
	use_certificate(p, 1 - i);
	EXPECT(p, proc_stop(p->proc[i], 12000) == 0);
	EXPECT(p, proc_wait_said(p->proc[1 - i], LEADS, LASTS_MS / 2));
	harness_create(p->h, "a", "one", "value");
	EXPECT(
	    p, harness_wait_synced(p->h, "a", "one", "True", HARNESS_SOON_MS));
}

static bool
two_is_missing(void *ctx)
{
	AUTO_JSON json_t *v = harness_secret(ctx, "a", "two");

	return v == NULL;
}

/* Somebody writes another name over the Lease: the worst case of a split. */
static void
a_leader_that_lost_the_lease_stops_writing_and_comes_back(void **state)
{
	struct pair *p = *state;
	AUTO_JSON json_t *patch = json_pack("{s:{s:s, s:i}}", "spec",
	    "holderIdentity", "somebody-else", "leaseDurationSeconds", 4);

	p->proc[0] = harness_spawn(p->h, elected);
	wait_address(p, 0);
	use_certificate(p, 0);
	harness_create(p->h, "a", "one", "value");
	EXPECT(
	    p, harness_wait_synced(p->h, "a", "one", "True", HARNESS_SOON_MS));
	assert_int_equal(
	    api_patch(p->h->api, API_MERGE, patch, NULL, LEASE), 200);
	EXPECT(p, proc_wait_said(p->proc[0], "Leads no more", HARNESS_SOON_MS));
	harness_create(p->h, "a", "two", "value");
	/* In real time, also for slow programs: the Lease of somebody else
	 * lasts four seconds. */
	EXPECT(p, wait_stays(two_is_missing, p->h, 1500));
	EXPECT(p,
	    api_delete(p->h->api, NULL, NULL,
		"/api/v1/namespaces/a/secrets/one") == 200);
	/* It serves all the while, and leads again when the other one is
	 * silent. */
	EXPECT(p, is_ready(p->http[0]));
	EXPECT(p, harness_wait_value(p->h, "a", "two", "value", 10000));
	EXPECT(p, harness_wait_value(p->h, "a", "one", "value", 10000));
	EXPECT(p, proc_said_times(p->proc[0], LEADS) == 2);
	EXPECT(p, proc_running(p->proc[0]));
}

static void
without_rights_on_leases_it_goes_on_alone(void **state)
{
	struct pair *p = *state;

	control_post(p->h->api, "forbidden",
	    json_pack("{s:[{s:s, s:s}]}", "rules", "verb", "*", "resource",
		"leases"));
	start_replicas(p, elected);
	use_certificate(p, 0);
	harness_create(p->h, "a", "one", "value");
	EXPECT(
	    p, harness_wait_synced(p->h, "a", "one", "True", HARNESS_SOON_MS));
	EXPECT(p, harness_keys(p->h) == 1);
	for (size_t i = 0; i < ARRAY_SIZE(p->proc); i++) {
		EXPECT(p,
		    proc_said_times(
			p->proc[i], "Not permitted to get, create and") == 1);
		EXPECT(p, !proc_said(p->proc[i], "orbidden"));
	}
}

static void
an_outage_of_the_server_ends_no_replica(void **state)
{
	struct pair *p = *state;

	start_replicas(p, elected);
	(void)leader(p);
	use_certificate(p, 0);
	harness_stop_server(p->h);
	EXPECT(p,
	    proc_wait_said(p->proc[0], "Leads no more", LASTS_MS * 2) ||
		proc_wait_said(p->proc[1], "Leads no more", LASTS_MS * 2));
	harness_resume_server(p->h);
	harness_create(p->h, "a", "one", "value");
	EXPECT(
	    p, harness_wait_synced(p->h, "a", "one", "True", HARNESS_LATE_MS));
	EXPECT(p, proc_running(p->proc[0]) && proc_running(p->proc[1]));
}

static bool
writes_happen(void *ctx)
{
	const struct pair *p = ctx;

	return control_writes(p->h->api) > 0;
}

/* Late events and lost races may still write; then nothing does any more. */
static bool
comes_to_rest(struct pair *p)
{
	for (unsigned i = 0; i < 5; i++) {
		control_clear_requests(p->h->api);
		if (!wait_until(writes_happen, p, 3000))
			return true;
	}
	return false;
}

/* A SealedSecret whose template makes up an item of its own. */
static void
create_random(struct harness *h, const char *name)
{
	AUTO_JSON json_t *v = object_sealed("a", name, OBJECT_STRICT);

	jsonx_set(jsonx_object(v, "spec", "template", NULL), "data",
	    json_pack("{s:s,s:s}", "made-1", "{{ randAlphaNum 16 }}", "made-2",
		"{{ randAlphaNum 16 }}"));
	object_seal(v, h->cert, HARNESS_KEY, "right");
	harness_post(h, v);
	harness_expect(
	    h, harness_wait_synced(h, "a", name, "True", HARNESS_SOON_MS));
}

static void
two_that_overlap_keep_what_random_templates_made(void **state)
{
	struct pair *p = *state;

	start_replicas(p, NULL);
	use_certificate(p, 0);
	for (unsigned i = 0; i < 5; i++) {
		AUTO_STR char *name = xasprintf("random-%u", i);

		create_random(p->h, name);
	}
	EXPECT(p, comes_to_rest(p));
	/* A repair by either renders anew what was touched, and no more. */
	for (unsigned i = 0; i < 5; i++) {
		AUTO_STR char *name = xasprintf("random-%u", i);
		AUTO_JSON json_t *before = harness_secret(p->h, "a", name);
		AUTO_JSON json_t *after = NULL;
		AUTO_JSON json_t *edit =
		    json_pack("{s:{s:s}}", "data", "made-2", "d3Jvbmc=");
		AUTO_STR char *made = object_value(before, "made-1");
		AUTO_STR char *other = NULL;

		EXPECT(p, made != NULL && strlen(made) == 16);
		assert_int_equal(api_patch(p->h->api, API_MERGE, edit, NULL,
				     "/api/v1/namespaces/a/secrets/%s", name),
		    200);
		EXPECT(p,
		    harness_wait_event(
			p->h, "a", name, "Drifted", HARNESS_SOON_MS));
		after = harness_secret(p->h, "a", name);
		EXPECT(p, object_has(after, "made-1", made));
		EXPECT(p, object_has(after, HARNESS_KEY, "right"));
		other = object_value(after, "made-2");
		EXPECT(p, other != NULL && strlen(other) == 16);
	}
	EXPECT(p, comes_to_rest(p));
}

/* A rolling update: old and new at the same time, without an election. */
static void
two_that_overlap_agree_and_come_to_rest(void **state)
{
	struct pair *p = *state;

	start_replicas(p, NULL);
	use_certificate(p, 0);
	for (unsigned i = 0; i < OBJECTS; i++) {
		AUTO_STR char *name = xasprintf("one-%u", i);

		harness_create(p->h, "a", name, "first");
		if (i % 2 == 0)
			harness_change(p->h, "a", name, "second");
	}
	EXPECT(p, harness_wait_all_synced(p->h, OBJECTS, HARNESS_SOON_MS));
	EXPECT(p, harness_wait_value(p->h, "a", "one-0", "second", 2000));
	assert_int_equal(api_delete(p->h->api, NULL, NULL,
			     "/api/v1/namespaces/a/secrets/one-1"),
	    200);
	EXPECT(p, harness_wait_value(p->h, "a", "one-1", "first", 5000));
	EXPECT(p, comes_to_rest(p));
	EXPECT(p, harness_keys(p->h) == 1);
	/* The old one goes; the new one does not mind. */
	EXPECT(p, proc_stop(p->proc[0], 12000) == 0);
	control_clear_requests(p->h->api);
	EXPECT(p, !wait_until(writes_happen, p, 1500));
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, start, stop)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    two_that_start_at_once_make_one_key, start_lanes,
		    stop_lanes),
		cmocka_unit_test_setup_teardown(
		    two_that_are_elected_make_one_key, start_lanes, stop_lanes),
		T(only_the_leader_works_and_every_replica_serves),
		T(a_dead_leader_is_replaced_in_time),
		T(a_leader_that_is_stopped_hands_over_at_once),
		T(a_leader_that_lost_the_lease_stops_writing_and_comes_back),
		T(without_rights_on_leases_it_goes_on_alone),
		T(an_outage_of_the_server_ends_no_replica),
		T(two_that_overlap_agree_and_come_to_rest),
		T(two_that_overlap_keep_what_random_templates_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
