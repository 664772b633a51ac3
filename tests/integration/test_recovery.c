/*
 * Whatever stood in the way of an object and goes: within a minute it is
 * served, without a restart and without many attempts before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "harness.h"

#define SECRET_PATH "/api/v1/namespaces/a/secrets/%s"
/* Attempts within a few seconds: one, five fast ones, and after 1 and 2 s. */
#define HELD_MS	     3000
#define ATTEMPTS_MAX 9

static bool
is_failed(struct harness *h, const char *name, const char *reason)
{
	AUTO_JSON json_t *v = harness_sealed(h, "a", name);
	const json_t *c =
	    json_array_get(jsonx_array(v, "status", "conditions", NULL), 0);
	const char *s = jsonx_str(c, "reason", NULL);

	return strcmp(object_synced(v), "False") == 0 && s != NULL &&
	    strcmp(s, reason) == 0;
}

struct failure {
	struct harness *h;
	const char *name, *reason;
};

static bool
stays_failed(void *ctx)
{
	const struct failure *f = ctx;

	return is_failed(f->h, f->name, f->reason);
}

static void
expect_failure(struct harness *h, const char *name, const char *reason)
{
	struct failure f = { h, name, reason };

	harness_expect(
	    h, harness_wait_synced(h, "a", name, "False", HARNESS_SOON_MS));
	harness_expect(h, wait_stays(stays_failed, &f, HELD_MS));
}

static void
a_quota_that_is_lifted_is_noticed(void **state)
{
	struct harness *h = *state;
	int64_t rule = control_rule(h->api,
	    json_pack("{s:s,s:s,s:s,s:s,s:i,s:s,s:s,s:i}", "verb", "create",
		"resource", "secrets", "namespace", "a", "action", "status",
		"code", 403, "reason", "Forbidden", "message",
		"secrets \"quota\" is forbidden: exceeded quota", "times", 0));

	harness_create(h, "a", "quota", "v");
	expect_failure(h, "quota", "Forbidden");
	assert_in_range(control_fired(h->api, rule), 2, ATTEMPTS_MAX);
	control_clear_rules(h->api);
	harness_expect(
	    h, harness_wait_value(h, "a", "quota", "v", HARNESS_LATE_MS));
	harness_expect(
	    h, harness_wait_synced(h, "a", "quota", "True", HARNESS_SOON_MS));
}

static void
create_foreign(struct harness *h, const char *name)
{
	AUTO_JSON json_t *s = object_secret("a", name, "theirs", "t", NULL);

	harness_post(h, s);
}

static void
a_foreign_secret_that_goes_makes_room(void **state)
{
	struct harness *h = *state;

	create_foreign(h, "goes");
	harness_create(h, "a", "goes", "v");
	expect_failure(h, "goes", "NotOwned");
	assert_int_equal(
	    api_delete(h->api, NULL, NULL, SECRET_PATH, "goes"), 200);
	harness_expect(
	    h, harness_wait_value(h, "a", "goes", "v", HARNESS_LATE_MS));
	harness_expect(
	    h, harness_wait_synced(h, "a", "goes", "True", HARNESS_SOON_MS));
}

static void
a_foreign_secret_that_is_given_away_is_taken_at_once(void **state)
{
	struct harness *h = *state;
	AUTO_JSON json_t *patch = json_pack("{s:{s:{s:s}}}", "metadata",
	    "annotations", "sealedsecrets.bitnami.com/managed", "true");

	create_foreign(h, "given");
	harness_create(h, "a", "given", "v");
	expect_failure(h, "given", "NotOwned");
	assert_int_equal(
	    api_patch(h->api, API_MERGE, patch, NULL, SECRET_PATH, "given"),
	    200);
	harness_expect(
	    h, harness_wait_value(h, "a", "given", "v", HARNESS_SOON_MS));
	harness_expect(
	    h, harness_wait_synced(h, "a", "given", "True", HARNESS_SOON_MS));
}

static void
a_refused_status_lands_when_it_may(void **state)
{
	struct harness *h = *state;
	int64_t rule = control_rule(h->api,
	    json_pack("{s:s,s:s,s:s,s:s,s:s,s:i,s:s,s:i}", "verb", "update",
		"resource", "sealedsecrets/status", "namespace", "a", "name",
		"status", "action", "status", "code", 403, "reason",
		"Forbidden", "times", 0));

	harness_create(h, "a", "status", "v");
	harness_expect(
	    h, harness_wait_value(h, "a", "status", "v", HARNESS_SOON_MS));
	harness_expect(h, control_wait_fired(h->api, rule, 3, HARNESS_SOON_MS));
	control_clear_rules(h->api);
	harness_expect(
	    h, harness_wait_synced(h, "a", "status", "True", HARNESS_LATE_MS));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quota_that_is_lifted_is_noticed),
		cmocka_unit_test(a_foreign_secret_that_goes_makes_room),
		cmocka_unit_test(
		    a_foreign_secret_that_is_given_away_is_taken_at_once),
		cmocka_unit_test(a_refused_status_lands_when_it_may),
	};

	return cmocka_run_group_tests(
	    tests, harness_setup_ready, harness_teardown_kill);
}
