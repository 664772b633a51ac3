/*
 * Which namespaces are served, and what it means when some are not granted.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "keyrig.h"

#define MANY 300

static void
add_rule(json_t *rules, const char *verb, const char *resource, const char *ns)
{
	json_array_append_new(rules,
	    json_pack("{s:s, s:s, s:s}", "verb", verb, "resource", resource,
		"namespace", ns));
}

static void
add_streams(json_t *rules, const char *ns)
{
	add_rule(rules, "list", "sealedsecrets", ns);
	add_rule(rules, "watch", "sealedsecrets", ns);
	add_rule(rules, "list", "secrets", ns);
	add_rule(rules, "watch", "secrets", ns);
}

static void
forbid(struct harness *h, json_t *rules)
{
	control_post(h->api, "forbidden", json_pack("{s:o}", "rules", rules));
}

/* What the reference's chart grants with namespaced roles: everything in the
 * additional namespaces, in its own one key Secrets to list and create. */
static void
grant_namespaced_roles(struct harness *h)
{
	json_t *rules = json_array();

	add_rule(rules, "*", "sealedsecrets", "kube-system");
	add_rule(rules, "*", "events", "kube-system");
	add_rule(rules, "watch", "secrets", "kube-system");
	add_rule(rules, "get", "secrets", "kube-system");
	add_rule(rules, "update", "secrets", "kube-system");
	add_rule(rules, "delete", "secrets", "kube-system");
	add_rule(rules, "*", "namespaces", "*");
	add_rule(rules, "*", "secrets", "");
	add_rule(rules, "*", "sealedsecrets", "");
	forbid(h, rules);
}

static void
expect_served(struct harness *h, const char *ns, const char *name)
{
	harness_create(h, ns, name, "value");
	harness_expect(
	    h, harness_wait_synced(h, ns, name, "True", HARNESS_SOON_MS));
	harness_expect(
	    h, harness_wait_value(h, ns, name, "value", HARNESS_SOON_MS));
}

static void
namespaced_roles_of_the_reference_are_enough(void **state)
{
	static const char *const args[] = { "--additional-namespaces= a, b ,,a",
		NULL };
	struct harness *h = *state;
	AUTO(keypair) struct keypair *kp = keyrig_key(60);

	grant_namespaced_roles(h);
	harness_start_ready(h, args);
	expect_served(h, "a", "one");
	expect_served(h, "b", "one");
	assert_int_equal(
	    api_delete(h->api, NULL, NULL, "/api/v1/namespaces/a/secrets/one"),
	    200);
	harness_expect(
	    h, harness_wait_value(h, "a", "one", "value", HARNESS_SOON_MS));
	keyrig_put(h, keyrig_secret("mine", kp));
	harness_expect(h, keyrig_wait_served(h->http, kp, KEYRIG_LIMIT_MS));
	/* A malformed one may not even have an event. */
	keyrig_put(h, keyrig_secret_of("bad", "x", "y"));
	harness_expect(h,
	    proc_wait_said(
		h->controller, "secret=kube-system/bad", KEYRIG_LIMIT_MS));
	proc_signal(h->controller, SIGUSR1);
	harness_expect(h, harness_wait_keys(h, 4, HARNESS_SOON_MS));
	harness_expect(h, !proc_said(h->controller, "orbidden"));
	harness_expect(h,
	    proc_said_times(h->controller,
		"stream=\"list sealedsecrets in namespace kube-system\"") == 1);
	/* It may not ask whether they exist, and keeps quiet about it. */
	harness_expect(h, !proc_said(h->controller, "doesn't exist"));
	/* Others are not touched. */
	harness_create(h, "c", "one", "value");
	harness_expect(h, !harness_wait_synced(h, "c", "one", "True", 500));
}

static void
its_own_namespace_alone_is_served_when_told_so(void **state)
{
	static const char *const args[] = { "--all-namespaces=false", NULL };
	struct harness *h = *state;

	harness_start_ready(h, args);
	expect_served(h, "kube-system", "one");
	harness_create(h, "a", "one", "value");
	harness_expect(h, !harness_wait_synced(h, "a", "one", "True", 500));
}

static void
a_namespace_without_rights_does_not_affect_others(void **state)
{
	static const char *const args[] = { "--additional-namespaces=a,b",
		NULL };
	struct harness *h = *state;
	json_t *rules = json_array();

	add_streams(rules, "b");
	forbid(h, rules);
	harness_start_ready(h, args);
	expect_served(h, "a", "one");
	harness_create(h, "b", "one", "value");
	/* While running, rights go and come back. */
	rules = json_array();
	add_streams(rules, "a");
	forbid(h, rules);
	harness_expect(
	    h, harness_wait_value(h, "b", "one", "value", HARNESS_LATE_MS));
	harness_expect(h, harness_wait_ready(h, HARNESS_SOON_MS));
}

static void
only_secrets_being_refused_still_leads_to_a_start(void **state)
{
	struct harness *h = *state;
	json_t *rules = json_array();

	/* Single Secrets may be read and written, but not all of them seen. */
	add_rule(rules, "list", "secrets", "");
	add_rule(rules, "watch", "secrets", "");
	forbid(h, rules);
	harness_start_ready(h, NULL);
	expect_served(h, "a", "one");
	harness_change(h, "a", "one", "second");
	harness_expect(
	    h, harness_wait_value(h, "a", "one", "second", HARNESS_SOON_MS));
	harness_expect(h, !proc_said(h->controller, "orbidden"));
}

static void
everything_refused_is_ready_and_heals_when_granted(void **state)
{
	struct harness *h = *state;
	json_t *rules = json_array();

	add_rule(rules, "*", "secrets", "");
	add_rule(rules, "*", "sealedsecrets", "");
	forbid(h, rules);
	harness_start_ready(h, NULL);
	harness_create(h, "a", "one", "value");
	forbid(h, json_array());
	harness_expect(
	    h, harness_wait_value(h, "a", "one", "value", HARNESS_LATE_MS));
}

static void
a_namespace_that_appears_later_is_picked_up(void **state)
{
	static const char *const args[] = { "--additional-namespaces=a,later",
		NULL };
	struct harness *h = *state;
	AUTO_JSON json_t *ns = json_pack("{s:s, s:s, s:{s:s}}", "apiVersion",
	    "v1", "kind", "Namespace", "metadata", "name", "later");

	harness_start_ready(h, args);
	harness_expect(h,
	    proc_wait_said(h->controller,
		"\"namespace doesn't exist\" namespace=later",
		HARNESS_SOON_MS));
	assert_int_equal(api_post(h->api, ns, NULL, "/api/v1/namespaces"), 201);
	expect_served(h, "later", "one");
	harness_expect(
	    h, proc_said_times(h->controller, "namespace doesn't exist") == 1);
}

static void
a_label_selector_limits_what_is_served(void **state)
{
	static const char *const args[] = { "--label-selector=team=x", NULL };
	struct harness *h = *state;
	AUTO_JSON json_t *patch =
	    json_pack("{s:{s:{s:s}}}", "metadata", "labels", "team", "x");

	harness_start_ready(h, args);
	harness_create(h, "a", "one", "value");
	harness_expect(h, !harness_wait_synced(h, "a", "one", "True", 500));
	assert_int_equal(api_patch(h->api, API_MERGE, patch, NULL,
			     "/apis/bitnami.com/v1alpha1/namespaces/a/"
			     "sealedsecrets/one"),
	    200);
	harness_expect(
	    h, harness_wait_value(h, "a", "one", "value", HARNESS_SOON_MS));
}

/* ---- many namespaces ---- */

static char *
many_names(void)
{
	char *list = xstrdup("--additional-namespaces=a");

	for (unsigned i = 0; i < MANY; i++) {
		char *more = xasprintf("%s,many-%u", list, i);

		free(list);
		list = more;
	}
	return list;
}

struct count {
	struct harness *h;
	long want;
};

static bool
threads_are(void *ctx)
{
	const struct count *c = ctx;

	return proc_status(c->h->controller, "Threads") == c->want;
}

static void
three_hundred_namespaces_cost_connections_but_no_threads(void **state)
{
	struct harness *h = *state;
	AUTO_STR char *list = many_names();
	const char *args[] = { list, NULL };
	struct count count = { h, 0 };

	harness_start_ready(h, NULL);
	count.want = proc_status(h->controller, "Threads");
	harness_kill(h);
	for (unsigned i = 0; i < MANY; i++) {
		AUTO_STR char *name = xasprintf("many-%u", i);
		AUTO_JSON json_t *ns =
		    json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", "v1", "kind",
			"Namespace", "metadata", "name", name);

		assert_int_equal(
		    api_post(h->api, ns, NULL, "/api/v1/namespaces"), 201);
	}
	harness_start_ready(h, args);
	harness_expect(h, wait_until(threads_are, &count, HARNESS_SOON_MS));
	/* Its own, a, and the others. */
	harness_expect(h,
	    control_wait_watches(
		h->api, "sealedsecrets", MANY + 2, HARNESS_LATE_MS));
	expect_served(h, "many-0", "one");
	expect_served(h, "many-299", "one");
	harness_expect(h, proc_stop(h->controller, 12000) == 0);
}

int
main(void)
{
#define ALONE(test)                      \
	cmocka_unit_test_setup_teardown( \
	    test, harness_setup, harness_teardown_kill)
	const struct CMUnitTest tests[] = {
		ALONE(namespaced_roles_of_the_reference_are_enough),
		ALONE(its_own_namespace_alone_is_served_when_told_so),
		ALONE(a_namespace_without_rights_does_not_affect_others),
		ALONE(only_secrets_being_refused_still_leads_to_a_start),
		ALONE(everything_refused_is_ready_and_heals_when_granted),
		ALONE(a_namespace_that_appears_later_is_picked_up),
		ALONE(a_label_selector_limits_what_is_served),
		ALONE(three_hundred_namespaces_cost_connections_but_no_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
