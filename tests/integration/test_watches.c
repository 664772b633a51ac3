/*
 * Lists and watches that go wrong: whatever happens to them, the objects
 * reach their state, and a quiet server sees no needless writes.
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

#define SEALED	"sealedsecrets"
#define SECRETS "secrets"
#define GIANT	(12 * 1024 * 1024) /* more than any line may have */

static int
start(void **state)
{
	struct harness *h = harness_new(NULL);

	*state = h;
	harness_start_ready(h, NULL);
	harness_create(h, "a", "before", "v1");
	harness_expect(
	    h, harness_wait_synced(h, "a", "before", "True", HARNESS_SOON_MS));
	harness_expect(h,
	    harness_wait_event(h, "a", "before", "Unsealed", HARNESS_SOON_MS));
	return 0;
}

/* Both kinds of change still arrive. */
static void
expect_alive(struct harness *h)
{
	harness_create(h, "b", "after", "v1");
	harness_change(h, "a", "before", "v2");
	harness_expect(
	    h, harness_wait_value(h, "b", "after", "v1", HARNESS_LATE_MS));
	harness_expect(
	    h, harness_wait_value(h, "a", "before", "v2", HARNESS_LATE_MS));
	harness_expect(
	    h, harness_wait_synced(h, "b", "after", "True", HARNESS_LATE_MS));
	harness_expect(
	    h, control_wait_watches(h->api, SECRETS, 2, HARNESS_LATE_MS));
	assert_int_equal(api_delete(h->api, NULL, NULL,
			     "/api/v1/namespaces/b/secrets/after"),
	    200);
	harness_expect(
	    h, harness_wait_value(h, "b", "after", "v1", HARNESS_LATE_MS));
}

struct counted {
	struct harness *h;
	const char *what;
	int64_t n;
};

static bool
count_reached(void *ctx)
{
	const struct counted *c = ctx;

	return control_count(c->h->api, c->what) >= c->n;
}

static bool
wait_count(struct harness *h, const char *what, int64_t n)
{
	struct counted c = { .h = h, .what = what, .n = n };

	return wait_until(count_reached, &c, HARNESS_LATE_MS);
}

static void
a_cut_watch_is_taken_up_again(void **state)
{
	struct harness *h = *state;

	control_clear_requests(h->api);
	control_post(h->api, "drop-watches", NULL);
	harness_expect(h, wait_count(h, "watch " SEALED, 1));
	expect_alive(h);
	harness_expect(h, control_count(h->api, "list " SEALED) == 0);
}

static void
a_watch_that_ends_is_taken_up_where_it_was(void **state)
{
	struct harness *h = *state;

	control_clear_requests(h->api);
	control_post(h->api, "drop-watches", json_pack("{s:b}", "clean", 1));
	harness_expect(h, wait_count(h, "watch " SEALED, 1));
	expect_alive(h);
	harness_expect(h, control_count(h->api, "list " SEALED) == 0);
}

static void
expire(struct harness *h, const char *shape)
{
	control_post(
	    h->api, "settings", json_pack("{s:s}", "watchExpiredAs", shape));
	control_clear_requests(h->api);
	control_post(h->api, "expire-history", NULL);
	control_post(h->api, "drop-watches", json_pack("{s:b}", "clean", 1));
	harness_expect(h, wait_count(h, "list " SEALED, 1));
	harness_expect(h, wait_count(h, "list " SECRETS, 1));
	harness_expect(
	    h, control_wait_watches(h->api, SEALED, 1, HARNESS_LATE_MS));
	/* At once: one watch refused, one list, one watch that stands. */
	harness_expect(h, control_count(h->api, "list " SEALED) == 1);
	harness_expect(h, control_count(h->api, "watch " SEALED) == 2);
	/* The fresh list shows nothing new: nothing is written. */
	harness_expect(h, control_writes(h->api) == 0);
	expect_alive(h);
}

static void
a_410_as_an_event_leads_to_a_fresh_list(void **state)
{
	expire(*state, "event");
}

static void
a_410_as_a_status_leads_to_a_fresh_list(void **state)
{
	expire(*state, "http");
}

static void
what_vanished_unseen_is_noticed_by_the_fresh_list(void **state)
{
	struct harness *h = *state;

	/* No watch gets through while the Secret goes and history expires. */
	control_rule(h->api,
	    json_pack("{s:s, s:s, s:s, s:i, s:i}", "verb", "watch", "resource",
		SECRETS, "action", "status", "code", 503, "times", 0));
	control_post(h->api, "drop-watches", NULL);
	harness_expect(
	    h, control_wait_watches(h->api, SECRETS, 0, HARNESS_SOON_MS));
	assert_int_equal(api_delete(h->api, NULL, NULL,
			     "/api/v1/namespaces/a/secrets/before"),
	    200);
	control_post(h->api, "expire-history", NULL);
	control_clear_rules(h->api);
	harness_expect(
	    h, harness_wait_value(h, "a", "before", "v1", HARNESS_LATE_MS));
}

static void
what_came_and_went_unseen_is_made_again(void **state)
{
	struct harness *h = *state;

	/* The Secret is made and deleted while nobody watches, and history
	 * does not tell. */
	control_rule(h->api,
	    json_pack("{s:s, s:s, s:s, s:i, s:i}", "verb", "watch", "resource",
		SECRETS, "action", "status", "code", 503, "times", 0));
	control_post(h->api, "drop-watches", NULL);
	harness_create(h, "b", "unseen", "v1");
	harness_expect(
	    h, harness_wait_value(h, "b", "unseen", "v1", HARNESS_LATE_MS));
	harness_expect(
	    h, harness_wait_synced(h, "b", "unseen", "True", HARNESS_LATE_MS));
	assert_int_equal(api_delete(h->api, NULL, NULL,
			     "/api/v1/namespaces/b/secrets/unseen"),
	    200);
	control_post(h->api, "expire-history", NULL);
	control_clear_rules(h->api);
	harness_expect(
	    h, harness_wait_value(h, "b", "unseen", "v1", HARNESS_LATE_MS));
}

static void
line_is_survived(struct harness *h, const char *line, int bytes)
{
	control_post(h->api, "watch-line",
	    json_pack("{s:s, s:s, s:i}", "resource", "*", "line", line, "bytes",
		bytes));
	expect_alive(h);
	harness_expect(h, proc_running(h->controller));
}

static void
a_giant_line_is_survived(void **state)
{
	struct harness *h = *state;

	control_clear_requests(h->api);
	line_is_survived(
	    h, "{\"type\":\"MODIFIED\",\"object\":{\"x\":\"", GIANT);
	/* Its stream is listed again, and that not in a loop. */
	harness_expect(h, control_count(h->api, "list " SEALED) >= 1);
	harness_expect(h, control_count(h->api, "list " SEALED) <= 3);
}

static void
a_garbage_line_is_survived(void **state)
{
	line_is_survived(*state, "}this is no JSON{", 0);
}

static void
an_event_of_an_unknown_type_is_survived(void **state)
{
	line_is_survived(*state,
	    "{\"type\":\"INVENTED\",\"object\":{\"kind\":\"Thing\"}}", 0);
}

static void
an_answer_in_single_bytes_is_read(void **state)
{
	struct harness *h = *state;

	control_rule(h->api,
	    json_pack("{s:s, s:s, s:s}", "verb", "watch", "resource", SEALED,
		"action", "slow"));
	control_post(h->api, "drop-watches", NULL);
	expect_alive(h);
}

static void
an_api_server_that_restarts_is_followed(void **state)
{
	struct harness *h = *state;

	harness_stop_server(h);
	harness_resume_server(h);
	expect_alive(h);
	harness_expect(h, harness_keys(h) == 1);
}

static void
an_api_server_that_stands_still_is_waited_for(void **state)
{
	struct harness *h = *state;

	control_rule(h->api,
	    json_pack("{s:s, s:s, s:i}", "verb", "watch", "action", "hang",
		"times", 2));
	control_post(h->api, "drop-watches", NULL);
	harness_expect(
	    h, control_wait_watches(h->api, SEALED, 0, HARNESS_SOON_MS));
	/* Released, the next tries come through. */
	control_clear_rules(h->api);
	expect_alive(h);
}

static void
create_many(struct harness *h, size_t each)
{
	static const char *const spaces[] = { "a", "b", "c" };

	for (size_t k = 0; k < ARRAY_SIZE(spaces); k++) {
		for (size_t i = 0; i < each; i++) {
			AUTO_STR char *name = xasprintf("many-%zu", i);

			harness_create(h, spaces[k], name, name);
		}
	}
}

static void
expect_many(struct harness *h, size_t each)
{
	static const char *const spaces[] = { "a", "b", "c" };

	harness_expect(
	    h, harness_wait_all_synced(h, 3 * each, HARNESS_LATE_MS));
	for (size_t k = 0; k < ARRAY_SIZE(spaces); k++) {
		for (size_t i = 0; i < each; i++) {
			AUTO_STR char *name = xasprintf("many-%zu", i);
			AUTO_JSON json_t *v =
			    harness_secret(h, spaces[k], name);

			harness_expect(h, object_has(v, HARNESS_KEY, name));
		}
	}
}

/* A first start makes the key, then the objects come while it is away. */
static void
prepare_many(struct harness *h, size_t each)
{
	harness_start_ready(h, NULL);
	(void)harness_cert(h);
	harness_expect(h, proc_stop(h->controller, HARNESS_SOON_MS) == 0);
	create_many(h, each);
	control_post(h->api, "settings", json_pack("{s:i}", "maxPage", 7));
}

static void
many_objects_come_in_pages(void **state)
{
	struct harness *h = *state;

	prepare_many(h, 50);
	control_clear_requests(h->api);
	harness_start(h, NULL);
	expect_many(h, 50);
	harness_expect(h, control_count(h->api, "list " SEALED) >= 22);
}

static void
a_page_whose_token_expired_starts_the_list_anew(void **state)
{
	struct harness *h = *state;

	prepare_many(h, 10);
	/* Held at the third page until the tokens are out of date. */
	control_rule(h->api,
	    json_pack("{s:s, s:s, s:i, s:s, s:i, s:s, s:s}", "verb", "list",
		"resource", SEALED, "nth", 3, "action", "status", "code", 410,
		"reason", "Expired", "message",
		"The provided continue parameter is too old"));
	harness_start(h, NULL);
	expect_many(h, 10);
	/* Nothing was taken for deleted on the way. */
	harness_expect(h, control_count(h->api, "delete " SECRETS) == 0);
}

static void
a_list_that_is_cut_is_not_believed(void **state)
{
	struct harness *h = *state;

	prepare_many(h, 10);
	control_rule(h->api,
	    json_pack("{s:s, s:s, s:i, s:s, s:i, s:i}", "verb", "list",
		"resource", SEALED, "nth", 2, "action", "cut", "bytes", 2000,
		"times", 2));
	harness_start(h, NULL);
	expect_many(h, 10);
}

static void
an_absent_definition_is_waited_for(void **state)
{
	struct harness *h = *state;

	control_post(h->api, "settings", json_pack("{s:b}", "crd", 0));
	harness_start(h, NULL);
	harness_expect(h, wait_count(h, "list " SEALED, 2));
	harness_expect(h, proc_running(h->controller));
	control_post(h->api, "settings", json_pack("{s:b}", "crd", 1));
	harness_create(h, "a", "one", "value");
	harness_expect(
	    h, harness_wait_value(h, "a", "one", "value", HARNESS_LATE_MS));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_cut_watch_is_taken_up_again, start, harness_teardown),
		cmocka_unit_test_setup_teardown(
		    a_watch_that_ends_is_taken_up_where_it_was, start,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(
		    a_410_as_an_event_leads_to_a_fresh_list, start,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(
		    a_410_as_a_status_leads_to_a_fresh_list, start,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(
		    what_vanished_unseen_is_noticed_by_the_fresh_list, start,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(
		    what_came_and_went_unseen_is_made_again, start,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(
		    a_giant_line_is_survived, start, harness_teardown),
		cmocka_unit_test_setup_teardown(
		    a_garbage_line_is_survived, start, harness_teardown),
		cmocka_unit_test_setup_teardown(
		    an_event_of_an_unknown_type_is_survived, start,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(
		    an_answer_in_single_bytes_is_read, start, harness_teardown),
		cmocka_unit_test_setup_teardown(
		    an_api_server_that_restarts_is_followed, start,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(
		    an_api_server_that_stands_still_is_waited_for, start,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(many_objects_come_in_pages,
		    harness_setup, harness_teardown),
		cmocka_unit_test_setup_teardown(
		    a_page_whose_token_expired_starts_the_list_anew,
		    harness_setup, harness_teardown),
		cmocka_unit_test_setup_teardown(
		    a_list_that_is_cut_is_not_believed, harness_setup,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(
		    an_absent_definition_is_waited_for, harness_setup,
		    harness_teardown),
	};

	return cmocka_run_group_tests_name(
	    "lists and watches", tests, NULL, NULL);
}
