/*
 * tests/apiserver only: the rules of misbehaviour do what they say.
 */
#include "conformance.h"

#include <pthread.h>
#include <string.h>

#include "base/jsonx.h"
#include "lib/control.h"
#include "lib/objects.h"
#include "lib/wait.h"

static const char *
secrets(void)
{
	static char path[128];

	snprintf(path, sizeof(path), "/api/v1/namespaces/default/secrets");
	return path;
}

static int
fresh(void **state UNUSED)
{
	struct api *a = conformance_fake();

	control_clear_rules(a);
	(void)api_delete(a, NULL, NULL, "%s/s", secrets());
	return 0;
}

static long
create(void)
{
	AUTO_JSON json_t *v = object_secret("default", "s", "k", "v", NULL);

	return api_post(conformance_fake(), v, NULL, "%s", secrets());
}

static long
list(json_t **ret, const char *query)
{
	return api_get(conformance_fake(), ret, "%s%s", secrets(), query);
}

static void
a_status_rule_fires_at_the_nth_request(void **state UNUSED)
{
	struct api *a = conformance_fake();
	AUTO_JSON json_t *v = NULL;
	int64_t rule;

	rule = control_rule(a,
	    json_pack("{s:s, s:s, s:i, s:i, s:s, s:i, s:s, s:s}", "verb",
		"list", "resource", "secrets", "nth", 2, "times", 2, "action",
		"status", "code", 503, "reason", "ServiceUnavailable",
		"message", "try later"));
	assert_int_equal(list(NULL, ""), 200);
	assert_int_equal(list(&v, ""), 503);
	conformance_match(
	    v, PLAIN_FAILURE(503, "ServiceUnavailable", "try later"));
	assert_int_equal(list(NULL, ""), 503);
	assert_int_equal(list(NULL, ""), 200);
	assert_int_equal(control_fired(a, rule), 2);
}

static void
a_dropped_answer_leaves_its_effect(void **state UNUSED)
{
	control_rule(conformance_fake(),
	    json_pack("{s:s, s:s, s:s}", "verb", "create", "resource",
		"secrets", "action", "drop_response"));
	assert_int_equal(create(), -1);
	assert_int_equal(create(), 409);
}

static void
a_closed_request_leaves_none(void **state UNUSED)
{
	control_rule(conformance_fake(),
	    json_pack("{s:s, s:s, s:s}", "verb", "create", "resource",
		"secrets", "action", "close"));
	assert_int_equal(create(), -1);
	assert_int_equal(create(), 201);
}

static void
an_answer_is_cut_at_any_byte(void **state UNUSED)
{
	struct api *a = conformance_fake();
	AUTO(api) struct api *raw = api_new(api_base(a), "good");
	struct api_request req = { .path = secrets() };
	struct api_reply reply;

	control_rule(a,
	    json_pack("{s:s, s:s, s:s, s:i}", "verb", "list", "resource",
		"secrets", "action", "cut", "bytes", 200));
	api_do(raw, &req, &reply);
	assert_int_equal(reply.code, -1);
	assert_true(strlen(reply.text) < 200);
	api_reply_release(&reply);
	assert_int_equal(list(NULL, ""), 200);
}

static void
a_slow_answer_is_whole(void **state UNUSED)
{
	AUTO_JSON json_t *v = NULL;

	control_rule(conformance_fake(),
	    json_pack("{s:s, s:s, s:s}", "verb", "list", "resource", "secrets",
		"action", "slow"));
	assert_int_equal(list(&v, ""), 200);
	conformance_match(v, "{'*':1,'kind':'SecretList'}");
}

static void
a_redirect_names_its_target(void **state UNUSED)
{
	control_rule(conformance_fake(),
	    json_pack("{s:s, s:s, s:s, s:s}", "verb", "list", "resource",
		"secrets", "action", "redirect", "location",
		"http://127.0.0.1:1/elsewhere"));
	assert_int_equal(list(NULL, ""), 307);
}

static void
history_expires_in_both_shapes(void **state UNUSED)
{
	struct api *a = conformance_fake();
	AUTO_JSON json_t *before = NULL;
	AUTO_JSON json_t *event = NULL;
	AUTO_JSON json_t *status = NULL;
	char query[128];
	long code;

	assert_int_equal(list(&before, ""), 200);
	control_post(a, "expire-history", NULL);
	snprintf(query, sizeof(query),
	    "?watch=true&resourceVersion=%s&timeoutSeconds=1",
	    object_version(before));
	event = api_lines(a, NULL, &code, "%s%s", secrets(), query);
	assert_int_equal(code, 200);
	conformance_match(event,
	    "[{'type':'ERROR','object':" PLAIN_FAILURE(
		410, "Expired", "^too old resource version: ") "}]");
	control_post(
	    a, "settings", json_pack("{s:s}", "watchExpiredAs", "http"));
	assert_int_equal(list(&status, query), 410);
	conformance_match(status,
	    PLAIN_FAILURE(410, "Expired", "^too old resource version: "));
	control_post(
	    a, "settings", json_pack("{s:s}", "watchExpiredAs", "event"));
}

static void
an_expired_token_offers_an_inconsistent_one(void **state UNUSED)
{
	struct api *a = conformance_fake();
	AUTO_JSON json_t *other = object_secret("default", "t", "k", "v", NULL);
	AUTO_JSON json_t *first = NULL;
	AUTO_JSON json_t *gone = NULL;
	AUTO_JSON json_t *rest = NULL;
	char query[1024];

	assert_int_equal(create(), 201);
	(void)api_post(a, other, NULL, "%s", secrets());
	assert_int_equal(list(&first, "?limit=1"), 200);
	control_post(a, "expire-continue", NULL);
	snprintf(query, sizeof(query), "?limit=1&continue=%s",
	    jsonx_str(first, "metadata", "continue", NULL));
	assert_int_equal(list(&gone, query), 410);
	conformance_match(
	    gone, "{'*':1,'reason':'Expired','metadata':{'continue':'<any>'}}");
	snprintf(query, sizeof(query), "?continue=%s",
	    jsonx_str(gone, "metadata", "continue", NULL));
	assert_int_equal(list(&rest, query), 200);
	conformance_match(
	    rest, "{'*':1,'items':[{'*':1,'metadata':{'*':1,'name':'t'}}]}");
	(void)api_delete(a, NULL, NULL, "%s/t", secrets());
}

static void
pages_can_be_forced(void **state UNUSED)
{
	struct api *a = conformance_fake();
	AUTO_JSON json_t *other = object_secret("default", "t", "k", "v", NULL);
	AUTO_JSON json_t *first = NULL;

	assert_int_equal(create(), 201);
	(void)api_post(a, other, NULL, "%s", secrets());
	control_post(a, "settings", json_pack("{s:i}", "maxPage", 1));
	assert_int_equal(list(&first, ""), 200);
	conformance_match(first,
	    "{'*':1,'metadata':{'*':1,'continue':'<any>'},"
	    "'items':[{'*':1}]}");
	control_post(a, "settings", json_pack("{s:i}", "maxPage", 0));
	(void)api_delete(a, NULL, NULL, "%s/t", secrets());
}

static void
watch_lines_can_be_garbage_or_giant(void **state UNUSED)
{
	struct api *a = conformance_fake();
	struct api_request req = {
		.path = "/api/v1/namespaces/default/secrets?watch=true"
			"&timeoutSeconds=1",
	};
	struct api_reply reply;

	control_rule(a,
	    json_pack("{s:s, s:s, s:s, s:s, s:i}", "verb", "watch", "resource",
		"secrets", "action", "watch_line", "line", "{garbage", "bytes",
		100000));
	api_do(a, &req, &reply);
	assert_int_equal(reply.code, 200);
	assert_int_equal(strcspn(reply.text, "\n"), 100008);
	assert_memory_equal(reply.text, "{garbagexxx", 11);
	api_reply_release(&reply);
}

static void
a_watch_rule_expires_a_good_version(void **state UNUSED)
{
	struct api *a = conformance_fake();
	AUTO_JSON json_t *lines = NULL;
	long code;

	control_rule(a,
	    json_pack("{s:s, s:s, s:s}", "verb", "watch", "resource", "secrets",
		"action", "watch_expired"));
	lines = api_lines(
	    a, NULL, &code, "%s?watch=true&timeoutSeconds=1", secrets());
	conformance_match(lines,
	    "[{'type':'ERROR','object':{'*':1,'code':410,"
	    "'reason':'Expired'}}]");
}

/* A watch in a thread of its own, with a client of its own. */
struct watcher {
	pthread_t thread;
	struct api *client;
	struct api_reply reply;
	const char *query;
};

static void *
watch_thread(void *arg)
{
	struct watcher *w = arg;
	char path[256];
	struct api_request req = { .path = path };

	snprintf(path, sizeof(path), "%s?watch=true%s", secrets(), w->query);
	api_do(w->client, &req, &w->reply);
	return NULL;
}

static void
watch_start(struct watcher *w, const char *query)
{
	struct api *a = conformance_fake();

	w->query = query;
	w->client = api_new(api_base(a), "good");
	assert_int_equal(pthread_create(&w->thread, NULL, watch_thread, w), 0);
	assert_true(control_wait_watches(a, "secrets", 1, 5000));
}

static void
watch_end(struct watcher *w)
{
	pthread_join(w->thread, NULL);
	api_free(w->client);
	assert_true(
	    control_wait_watches(conformance_fake(), "secrets", 0, 5000));
}

static void
watches_end_on_demand_cleanly_or_cut(void **state UNUSED)
{
	static const struct {
		int clean;
		long code;
	} cases[] = { { 1, 200 }, { 0, -1 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct watcher w;

		watch_start(&w, "");
		control_post(conformance_fake(), "drop-watches",
		    json_pack("{s:b}", "clean", cases[i].clean));
		watch_end(&w);
		assert_int_equal(w.reply.code, cases[i].code);
		api_reply_release(&w.reply);
	}
}

static void
a_bookmark_comes_on_demand(void **state UNUSED)
{
	struct api *a = conformance_fake();
	AUTO_JSON json_t *last = NULL;
	struct watcher w;
	const char *line;

	watch_start(&w, "&allowWatchBookmarks=true");
	control_post(a, "bookmark", NULL);
	/* What is written later comes later, so the bookmark is out by then. */
	assert_int_equal(create(), 201);
	control_post(a, "drop-watches", json_pack("{s:b}", "clean", 1));
	watch_end(&w);
	line = strstr(w.reply.text, "{\"type\":\"BOOKMARK\"");
	assert_non_null(line);
	last = json_loadb(line, strcspn(line, "\n"), 0, NULL);
	conformance_match(last,
	    "{'type':'BOOKMARK','object':{'kind':'Secret',"
	    "'apiVersion':'v1','metadata':{'resourceVersion':'<rv>'}}}");
	api_reply_release(&w.reply);
}

static void
a_mute_watch_has_headers_and_nothing_else(void **state UNUSED)
{
	struct api *a = conformance_fake();
	struct watcher w;

	assert_int_equal(create(), 201);
	control_rule(a,
	    json_pack("{s:s, s:s, s:s}", "verb", "watch", "resource", "secrets",
		"action", "mute"));
	watch_start(&w, "");
	control_post(a, "drop-watches", NULL);
	watch_end(&w);
	assert_string_equal(w.reply.text, "");
	api_reply_release(&w.reply);
}

static void
a_hanging_request_waits_for_the_rules_to_go(void **state UNUSED)
{
	struct api *a = conformance_fake();
	struct watcher w = { .query = "" };
	int64_t rule = control_rule(a,
	    json_pack("{s:s, s:s, s:s}", "verb", "watch", "resource", "secrets",
		"action", "hang"));

	w.client = api_new(api_base(a), "good");
	assert_int_equal(pthread_create(&w.thread, NULL, watch_thread, &w), 0);
	assert_true(control_wait_fired(a, rule, 1, 5000));
	assert_int_equal(control_open_watches(a, "secrets"), 0);
	control_clear_rules(a);
	watch_end(&w);
	assert_int_equal(w.reply.code, -1);
	api_reply_release(&w.reply);
}

static void
a_delay_comes_before_the_answer(void **state UNUSED)
{
	int64_t before = wait_now_ms();

	control_rule(conformance_fake(),
	    json_pack("{s:s, s:s, s:s, s:i}", "verb", "list", "resource",
		"secrets", "action", "delay", "delayMs", 150));
	assert_int_equal(list(NULL, ""), 200);
	assert_true(wait_now_ms() - before >= 150);
}

static void
tokens_and_permissions_change_at_run_time(void **state UNUSED)
{
	struct api *a = conformance_fake();
	AUTO_JSON json_t *v = NULL;

	control_post(a, "tokens", json_pack("{s:[s]}", "tokens", "new"));
	assert_int_equal(list(NULL, ""), 401);
	control_post(
	    a, "tokens", json_pack("{s:[s,s]}", "tokens", "new", "good"));
	assert_int_equal(list(NULL, ""), 200);
	control_post(a, "forbidden",
	    json_pack("{s:[{s:s, s:s}]}", "rules", "verb", "list", "resource",
		"secrets"));
	assert_int_equal(list(&v, ""), 403);
	conformance_match(v,
	    FAILURE(403, "Forbidden",
		"secrets is forbidden: User ~system:serviceaccount:"
		"kube-system:sealed-secrets-controller~ cannot list resource "
		"~secrets~ in API group ~~ in the namespace ~default~",
		"{'kind':'secrets'}"));
	control_post(a, "forbidden", json_pack("{s:[]}", "rules"));
	assert_int_equal(list(NULL, ""), 200);
}

static void
requests_are_logged_and_counted(void **state UNUSED)
{
	struct api *a = conformance_fake();
	AUTO_JSON json_t *log = NULL;

	control_clear_requests(a);
	assert_int_equal(create(), 201);
	assert_int_equal(create(), 409);
	assert_int_equal(control_count(a, "create secrets"), 2);
	assert_int_equal(control_writes(a), 2);
	log = control_requests(a);
	conformance_match(log,
	    "[{'*':1,'verb':'create','resource':'secrets',"
	    "'namespace':'default','name':'','query':'','status':201,"
	    "'userAgent':'test-client/1'},{'*':1,'status':409}]");
}

static bool
secret_gone(void *ctx UNUSED)
{
	return api_get(conformance_fake(), NULL, "%s/s", secrets()) == 404;
}

static void
the_collector_deletes_what_lost_its_owner(void **state UNUSED)
{
	struct api *a = conformance_fake();
	AUTO_JSON json_t *v = object_secret("default", "s", "k", "v", NULL);

	jsonx_set(jsonx_object(v, "metadata", NULL), "ownerReferences",
	    json_pack("[{s:s, s:s, s:s, s:s}]", "apiVersion",
		"bitnami.com/v1alpha1", "kind", "SealedSecret", "name", "s",
		"uid", "gone"));
	assert_int_equal(api_post(a, v, NULL, "%s", secrets()), 201);
	assert_true(wait_stays(secret_gone, NULL, 0) == false);
	control_post(a, "settings", json_pack("{s:b}", "gc", 1));
	assert_true(wait_until(secret_gone, NULL, 5000));
	control_post(a, "settings", json_pack("{s:b}", "gc", 0));
}

static void
an_absent_definition_is_page_not_found(void **state UNUSED)
{
	struct api *a = conformance_fake();

	control_post(a, "settings", json_pack("{s:b}", "crd", 0));
	assert_int_equal(
	    api_get(a, NULL, "/apis/bitnami.com/v1alpha1/sealedsecrets"), 404);
	control_post(a, "settings", json_pack("{s:b}", "crd", 1));
	assert_int_equal(
	    api_get(a, NULL, "/apis/bitnami.com/v1alpha1/sealedsecrets"), 200);
}

int
conformance_faults(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    a_status_rule_fires_at_the_nth_request, fresh),
		cmocka_unit_test_setup(
		    a_dropped_answer_leaves_its_effect, fresh),
		cmocka_unit_test_setup(a_closed_request_leaves_none, fresh),
		cmocka_unit_test_setup(an_answer_is_cut_at_any_byte, fresh),
		cmocka_unit_test_setup(a_slow_answer_is_whole, fresh),
		cmocka_unit_test_setup(a_redirect_names_its_target, fresh),
		cmocka_unit_test_setup(history_expires_in_both_shapes, fresh),
		cmocka_unit_test_setup(
		    an_expired_token_offers_an_inconsistent_one, fresh),
		cmocka_unit_test_setup(pages_can_be_forced, fresh),
		cmocka_unit_test_setup(
		    watch_lines_can_be_garbage_or_giant, fresh),
		cmocka_unit_test_setup(
		    tokens_and_permissions_change_at_run_time, fresh),
		cmocka_unit_test_setup(requests_are_logged_and_counted, fresh),
		cmocka_unit_test_setup(
		    the_collector_deletes_what_lost_its_owner, fresh),
		cmocka_unit_test_setup(
		    a_watch_rule_expires_a_good_version, fresh),
		cmocka_unit_test_setup(
		    watches_end_on_demand_cleanly_or_cut, fresh),
		cmocka_unit_test_setup(a_bookmark_comes_on_demand, fresh),
		cmocka_unit_test_setup(
		    a_mute_watch_has_headers_and_nothing_else, fresh),
		cmocka_unit_test_setup(
		    a_hanging_request_waits_for_the_rules_to_go, fresh),
		cmocka_unit_test_setup(a_delay_comes_before_the_answer, fresh),
		cmocka_unit_test_setup(
		    an_absent_definition_is_page_not_found, fresh),
	};

	return cmocka_run_group_tests_name(
	    "faults of tests/apiserver", tests, NULL, NULL);
}
