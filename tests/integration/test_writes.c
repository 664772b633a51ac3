/*
 * Requests that go wrong, one at a time: lost, repeated, refused, delayed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "harness.h"
#include "lib/tempdir.h"

#define SECRETS "secrets"
#define SEALED	"sealedsecrets"
#define STATUS	"sealedsecrets/status"

static int
start(void **state)
{
	struct harness *h = harness_new(NULL);

	*state = h;
	harness_start_ready(h, NULL);
	(void)harness_cert(h);
	control_clear_requests(h->api);
	return 0;
}

/* A rule for `times` requests; more of it can be set in the result. */
static json_t *
rule(const char *verb, const char *resource, const char *action, int times)
{
	return json_pack("{s:s, s:s, s:s, s:i}", "verb", verb, "resource",
	    resource, "action", action, "times", times);
}

static json_t *
status_rule(const char *verb, const char *resource, int code, int times)
{
	json_t *r = rule(verb, resource, "status", times);

	json_object_set_new(r, "code", json_integer(code));
	return r;
}

static void
expect_synced(struct harness *h, const char *name, int64_t limit_ms)
{
	harness_expect(h, harness_wait_synced(h, "a", name, "True", limit_ms));
}

static void
a_create_whose_answer_is_lost_is_not_foreign(void **state)
{
	struct harness *h = *state;
	int64_t id =
	    control_rule(h->api, rule("create", SECRETS, "drop_response", 1));
	AUTO_JSON json_t *v = NULL;

	harness_create(h, "a", "one", "value");
	expect_synced(h, "one", HARNESS_SOON_MS);
	v = harness_secret(h, "a", "one");
	harness_expect(h, object_has(v, HARNESS_KEY, "value"));
	harness_expect(h, control_fired(h->api, id) == 1);
}

static void
a_create_that_took_effect_before_is_adopted(void **state)
{
	struct harness *h = *state;
	json_t *r = status_rule("create", SECRETS, 409, 1);

	json_object_set_new(r, "reason", json_string("AlreadyExists"));
	json_object_set_new(r, "apply", json_true());
	control_rule(h->api, r);
	harness_create(h, "a", "one", "value");
	expect_synced(h, "one", HARNESS_SOON_MS);
	/* Nobody is told of a failure that was none. */
	harness_expect(
	    h, harness_wait_event(h, "a", "one", "Unsealed", HARNESS_SOON_MS));
	harness_expect(
	    h, harness_count_events(h, "a", "one", "ErrUpdateFailed") == 0);
}

static void
an_update_whose_answer_is_lost_is_settled(void **state)
{
	struct harness *h = *state;
	int64_t id;

	harness_create(h, "a", "one", "first");
	expect_synced(h, "one", HARNESS_SOON_MS);
	id = control_rule(h->api, rule("update", SECRETS, "drop_response", 1));
	harness_change(h, "a", "one", "second");
	harness_expect(
	    h, harness_wait_value(h, "a", "one", "second", HARNESS_SOON_MS));
	expect_synced(h, "one", HARNESS_SOON_MS);
	harness_expect(h, control_fired(h->api, id) == 1);
}

static void
a_conflict_on_the_status_is_resolved(void **state)
{
	struct harness *h = *state;
	json_t *r = status_rule("update", STATUS, 409, 2);
	int64_t id;

	json_object_set_new(r, "reason", json_string("Conflict"));
	id = control_rule(h->api, r);
	harness_create(h, "a", "one", "value");
	expect_synced(h, "one", HARNESS_SOON_MS);
	harness_expect(h, control_fired(h->api, id) == 2);
	/* By reading again, not by starting over. */
	harness_expect(h, control_count(h->api, "get " SECRETS) <= 1);
}

static void
a_conflict_on_the_secret_is_resolved(void **state)
{
	struct harness *h = *state;
	json_t *r = status_rule("update", SECRETS, 409, 2);
	int64_t id;

	harness_create(h, "a", "one", "first");
	expect_synced(h, "one", HARNESS_SOON_MS);
	json_object_set_new(r, "reason", json_string("Conflict"));
	id = control_rule(h->api, r);
	harness_change(h, "a", "one", "second");
	harness_expect(
	    h, harness_wait_value(h, "a", "one", "second", HARNESS_SOON_MS));
	expect_synced(h, "one", HARNESS_SOON_MS);
	harness_expect(h, control_fired(h->api, id) == 2);
}

/* Milliseconds between the first two requests of a kind. */
static int64_t
pause_between(struct harness *h, const char *verb, const char *resource)
{
	AUTO_JSON json_t *log = control_requests(h->api);
	int64_t first = -1;
	size_t i;
	json_t *e;

	json_array_foreach(log, i, e)
	{
		int64_t ms = jsonx_int(e, "ms", NULL);

		if (strcmp(jsonx_str(e, "verb", NULL), verb) != 0 ||
		    strcmp(jsonx_str(e, "resource", NULL), resource) != 0)
			continue;
		if (first >= 0)
			return ms - first;
		first = ms;
	}
	return -1;
}

static void
a_429_is_obeyed_for_as_long_as_it_says(void **state)
{
	struct harness *h = *state;
	json_t *r = status_rule("create", SECRETS, 429, 1);

	json_object_set_new(
	    r, "headers", json_pack("{s:s}", "Retry-After", "2"));
	json_object_set_new(r, "body",
	    json_string("Too many requests, please try again later.\n"));
	control_rule(h->api, r);
	harness_create(h, "a", "one", "value");
	expect_synced(h, "one", HARNESS_LATE_MS);
	harness_expect(h, pause_between(h, "create", SECRETS) >= 2000);
	harness_expect(h, control_count(h->api, "list " SEALED) == 0);
}

static void
errors_of_the_server_are_outlasted(void **state)
{
	static const int codes[] = { 500, 502, 503, 504 };
	struct harness *h = *state;

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		AUTO_STR char *name = xasprintf("one-%d", codes[i]);

		/* More often than the fast retries. */
		control_rule(
		    h->api, status_rule("create", SECRETS, codes[i], 8));
		harness_create(h, "a", name, "value");
		expect_synced(h, name, HARNESS_LATE_MS);
		control_clear_rules(h->api);
	}
}

static void
an_outage_for_everything_ends_well(void **state)
{
	struct harness *h = *state;
	int64_t id;

	harness_create(h, "a", "one", "first");
	expect_synced(h, "one", HARNESS_SOON_MS);
	id = control_rule(h->api, status_rule("get", SECRETS, 500, 0));
	control_rule(h->api, status_rule("create", "events", 500, 0));
	control_rule(h->api, status_rule("update", STATUS, 500, 0));
	harness_change(h, "a", "one", "second");
	harness_expect(h, control_wait_fired(h->api, id, 4, HARNESS_LATE_MS));
	control_clear_rules(h->api);
	harness_expect(
	    h, harness_wait_value(h, "a", "one", "second", HARNESS_LATE_MS));
	expect_synced(h, "one", HARNESS_LATE_MS);
}

static void
an_answer_that_is_cut_is_asked_for_again(void **state)
{
	struct harness *h = *state;

	for (int bytes = 1; bytes < 500; bytes += 83) {
		AUTO_STR char *name = xasprintf("cut-%d", bytes);
		json_t *r = rule("create", SECRETS, "cut", 1);

		json_object_set_new(r, "bytes", json_integer(bytes));
		control_rule(h->api, r);
		harness_create(h, "a", name, "value");
		expect_synced(h, name, HARNESS_LATE_MS);
		control_clear_rules(h->api);
	}
}

static void
a_redirect_is_refused(void **state)
{
	struct harness *h = *state;
	struct harness *trap = harness_new(NULL);
	json_t *r = rule("create", SECRETS, "redirect", 2);
	AUTO_STR char *to =
	    xasprintf("%s/api/v1/namespaces/a/secrets", api_base(trap->api));

	json_object_set_new(r, "location", json_string(to));
	control_rule(h->api, r);
	harness_create(h, "a", "one", "value");
	expect_synced(h, "one", HARNESS_LATE_MS);
	harness_expect(h, control_count(trap->api, "create " SECRETS) == 0);
	harness_free(trap);
}

static void
what_is_no_status_is_still_an_error(void **state)
{
	struct harness *h = *state;
	json_t *r = status_rule("create", SECRETS, 502, 3);

	json_object_set_new(
	    r, "body", json_string("<html><body>Bad gateway</body></html>"));
	json_object_set_new(r, "contentType", json_string("text/html"));
	control_rule(h->api, r);
	harness_create(h, "a", "one", "value");
	expect_synced(h, "one", HARNESS_LATE_MS);
}

static void
a_hanging_request_holds_up_no_other_object(void **state)
{
	struct harness *h = *state;
	json_t *r = rule("create", SECRETS, "hang", 1);
	int64_t id = control_rule(h->api, r);

	harness_create(h, "a", "stuck", "value");
	harness_expect(h, control_wait_fired(h->api, id, 1, HARNESS_SOON_MS));
	harness_create(h, "a", "free", "value");
	expect_synced(h, "free", HARNESS_SOON_MS);
	control_clear_rules(h->api);
	expect_synced(h, "stuck", HARNESS_LATE_MS);
}

static void
events_that_fail_delay_nothing(void **state)
{
	struct harness *h = *state;

	control_rule(h->api, rule("create", "events", "hang", 0));
	for (int i = 0; i < 5; i++) {
		AUTO_STR char *name = xasprintf("one-%d", i);

		harness_create(h, "a", name, "value");
	}
	for (int i = 0; i < 5; i++) {
		AUTO_STR char *name = xasprintf("one-%d", i);

		expect_synced(h, name, HARNESS_SOON_MS);
	}
}

static void
a_permission_taken_away_hurts_only_what_needs_it(void **state)
{
	struct harness *h = *state;

	control_post(h->api, "forbidden",
	    json_pack("{s:[{s:s, s:s, s:s}]}", "rules", "verb", "create",
		"resource", SECRETS, "namespace", "a"));
	harness_create(h, "a", "one", "value");
	harness_create(h, "b", "two", "value");
	harness_expect(
	    h, harness_wait_synced(h, "b", "two", "True", HARNESS_SOON_MS));
	harness_expect(
	    h, harness_wait_synced(h, "a", "one", "False", HARNESS_SOON_MS));
	harness_expect(h, proc_running(h->controller));
	control_post(h->api, "forbidden", json_pack("{s:[]}", "rules"));
	expect_synced(h, "one", HARNESS_LATE_MS);
}

static void
write_kubeconfig(struct harness *h)
{
	AUTO_STR char *text = xasprintf(
	    "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
	    "clusters:\n- name: c\n  cluster:\n    server: %s\n"
	    "contexts:\n- name: c\n  context:\n    cluster: c\n    user: u\n"
	    "users:\n- name: u\n  user:\n    tokenFile: %s\n",
	    api_base(h->api), h->token_file);

	tempdir_write(h->kubeconfig, text);
}

static void
a_rotated_token_is_read_again(void **state)
{
	struct harness *h = *state;

	h->token_file = tempdir_path("token");
	tempdir_write(h->token_file, "first-token\n");
	write_kubeconfig(h);
	api_set_token(h->api, "of-the-test");
	control_post(h->api, "tokens",
	    json_pack("{s:[s,s]}", "tokens", "of-the-test", "first-token"));
	harness_start_ready(h, NULL);
	harness_create(h, "a", "one", "value");
	expect_synced(h, "one", HARNESS_SOON_MS);
	tempdir_write(h->token_file, "second-token\n");
	control_post(h->api, "tokens",
	    json_pack("{s:[s,s]}", "tokens", "of-the-test", "second-token"));
	control_post(h->api, "drop-watches", NULL);
	harness_create(h, "a", "two", "value");
	expect_synced(h, "two", HARNESS_LATE_MS);
	harness_expect(h, !proc_said(h->controller, "second-token"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_create_whose_answer_is_lost_is_not_foreign, start,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(
		    a_create_that_took_effect_before_is_adopted, start,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(
		    an_update_whose_answer_is_lost_is_settled, start,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(
		    a_conflict_on_the_status_is_resolved, start,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(
		    a_conflict_on_the_secret_is_resolved, start,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(
		    a_429_is_obeyed_for_as_long_as_it_says, start,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(
		    errors_of_the_server_are_outlasted, start,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(
		    an_outage_for_everything_ends_well, start,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(
		    an_answer_that_is_cut_is_asked_for_again, start,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(
		    a_redirect_is_refused, start, harness_teardown),
		cmocka_unit_test_setup_teardown(
		    what_is_no_status_is_still_an_error, start,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(
		    a_hanging_request_holds_up_no_other_object, start,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(
		    events_that_fail_delay_nothing, start, harness_teardown),
		cmocka_unit_test_setup_teardown(
		    a_permission_taken_away_hurts_only_what_needs_it, start,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(a_rotated_token_is_read_again,
		    harness_setup, harness_teardown),
	};

	return cmocka_run_group_tests_name("writes", tests, NULL, NULL);
}
