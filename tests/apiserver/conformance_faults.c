/*
 * tests/apiserver only: the rules of misbehaviour do what they say.
 */
#include "conformance.h"

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
		    an_absent_definition_is_page_not_found, fresh),
	};

	return cmocka_run_group_tests_name(
	    "faults of tests/apiserver", tests, NULL, NULL);
}
