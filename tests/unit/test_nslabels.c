/*
 * Tests of controller/nslabels.c: what is asked of the API server, and what
 * follows from its answers.
 * layer: main
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cannedkube.h"
#include "controller/nslabels.h"
#include "fakeclock.h"
#include "quiet.h"

#define PROD	"{\"metadata\":{\"name\":\"a\",\"labels\":{\"env\":\"prod\"}}}"
#define TEST_NS "{\"metadata\":{\"name\":\"a\",\"labels\":{\"env\":\"test\"}}}"
#define BARE	"{\"metadata\":{\"name\":\"a\"}}"

static struct cannedkube kube;
static struct fakeclock fake;
static struct clock clock_now;
static struct kube_client client;
static struct nslabels *nl;
static struct nsrule *prod, *not_prod;
static unsigned changes;

static void
note_change(void *ctx UNUSED)
{
	changes++;
}

static int
setup(void **state UNUSED)
{
	struct nslabels_config cfg = {
		.client = &client,
		.clock = &clock_now,
		.changed = note_change,
	};
	struct err err = ERR_INIT;

	quiet_log();
	cannedkube_init(&kube);
	fakeclock_init(&fake);
	clock_now = fakeclock_clock(&fake);
	client = (struct kube_client) { .transport = &kube.transport };
	nl = nslabels_new(&cfg);
	changes = 0;
	assert_int_equal(nsrule_parse("env=prod", &prod, &err), 0);
	assert_int_equal(nsrule_parse("env!=prod", &not_prod, &err), 0);
	return 0;
}

static int
teardown(void **state UNUSED)
{
	nslabels_free(nl);
	nsrule_free(prod);
	nsrule_free(not_prod);
	cannedkube_release(&kube);
	return 0;
}

static void
labels_decide_and_are_kept_for_a_while(void **state UNUSED)
{
	cannedkube_ok(&kube, PROD);
	for (int i = 0; i < 3; i++) {
		assert_true(nslabels_fit(nl, "a", prod));
		assert_false(nslabels_fit(nl, "a", not_prod));
	}
	assert_int_equal(cannedkube_count(&kube), 1);
	assert_string_equal(
	    cannedkube_request(&kube, 0)->path, "/api/v1/namespaces/a");
	fakeclock_advance_ms(&fake, NSLABELS_KEEP_MS);
	assert_true(nslabels_fit(nl, "a", prod));
	assert_int_equal(cannedkube_count(&kube), 2);
}

static void
a_namespace_without_labels_is_one_that_exists(void **state UNUSED)
{
	cannedkube_ok(&kube, BARE);
	assert_false(nslabels_fit(nl, "a", prod));
	assert_true(nslabels_fit(nl, "a", not_prod));
}

static void
what_cannot_be_read_fits_no_rule(void **state UNUSED)
{
	static const struct {
		int status;
		const char *reason;
	} cases[] = { { 403, "Forbidden" }, { 404, "NotFound" },
		{ 500, "InternalError" } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STR char *ns = xasprintf("ns-%zu", i);

		cannedkube_reset(&kube);
		cannedkube_refuse(
		    &kube, cases[i].status, cases[i].reason, "no");
		assert_false(nslabels_fit(nl, ns, prod));
		assert_false(nslabels_fit(nl, ns, not_prod));
		assert_int_equal(cannedkube_count(&kube), 1);
		cannedkube_reset(&kube);
		cannedkube_ok(&kube, PROD);
		assert_false(nslabels_fit(nl, ns, prod));
		fakeclock_advance_ms(&fake, NSLABELS_RETRY_MS);
		assert_true(nslabels_fit(nl, ns, prod));
	}
	assert_false(nslabels_fit(nl, "Not/Valid", not_prod));
	assert_false(nslabels_fit(nl, "", not_prod));
}

static void
a_refresh_tells_of_changes_and_only_of_those(void **state UNUSED)
{
	cannedkube_ok(&kube, TEST_NS);
	assert_false(nslabels_fit(nl, "a", prod));
	nslabels_refresh(nl);
	assert_int_equal(cannedkube_count(&kube), 1);
	fakeclock_advance_ms(&fake, NSLABELS_KEEP_MS);
	nslabels_refresh(nl);
	assert_int_equal(cannedkube_count(&kube), 2);
	assert_int_equal(changes, 0);
	cannedkube_reset(&kube);
	cannedkube_ok(&kube, PROD);
	fakeclock_advance_ms(&fake, NSLABELS_KEEP_MS);
	nslabels_refresh(nl);
	assert_int_equal(changes, 1);
	assert_true(nslabels_fit(nl, "a", prod));
	/* Somebody who asked came first. */
	cannedkube_reset(&kube);
	cannedkube_ok(&kube, TEST_NS);
	fakeclock_advance_ms(&fake, NSLABELS_KEEP_MS);
	assert_false(nslabels_fit(nl, "a", prod));
	nslabels_refresh(nl);
	assert_int_equal(changes, 2);
}

static void
more_namespaces_than_fit_push_out_the_oldest(void **state UNUSED)
{
	cannedkube_ok(&kube, PROD);
	/* Requests are noted up to a limit, so their number is not looked
	 * at. */
	for (unsigned i = 0; i < 2 * NSLABELS_MAX; i++) {
		AUTO_STR char *ns = xasprintf("ns-%u", i);

		if (i % 32 == 0) {
			cannedkube_reset(&kube);
			cannedkube_ok(&kube, PROD);
		}
		fakeclock_advance_ms(&fake, 1);
		assert_true(nslabels_fit(nl, ns, prod));
	}
	cannedkube_reset(&kube);
	cannedkube_ok(&kube, PROD);
	assert_true(nslabels_fit(nl, "ns-511", prod));
	assert_int_equal(cannedkube_count(&kube), 0);
	assert_true(nslabels_fit(nl, "ns-0", prod));
	assert_int_equal(cannedkube_count(&kube), 1);
}

static void *
ask_often(void *arg UNUSED)
{
	for (int i = 0; i < 500; i++)
		if (!nslabels_fit(nl, i % 2 == 0 ? "a" : "b", prod))
			return nl;
	return NULL;
}

static void
threads_wait_for_one_another_s_answer(void **state UNUSED)
{
	struct thread t[4] = { { .started = false } };

	cannedkube_ok(&kube, PROD);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		thread_start(&t[i], "ask", ask_often, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		thread_join(&t[i]);
	assert_int_equal(cannedkube_count(&kube), 2);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(labels_decide_and_are_kept_for_a_while),
		CASE(a_namespace_without_labels_is_one_that_exists),
		CASE(what_cannot_be_read_fits_no_rule),
		CASE(a_refresh_tells_of_changes_and_only_of_those),
		CASE(more_namespaces_than_fit_push_out_the_oldest),
		CASE(threads_wait_for_one_another_s_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
