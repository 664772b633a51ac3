/*
 * What the admin port asks of the API server, request by request, and what is
 * made of each answer.
 * layer: main
 */
#include "keystore_fixture.h"

#include <stdio.h>
#include <string.h>

#include "adminrig.h"
#include "base/jsonx.h"
#include "cannedkube.h"
#include "controller/adminkeys.h"
#include "fakeclock.h"
#include "jsontext.h"

#define NS	 "kube-system"
#define AUDIENCE "ours"
#define TOKEN	 "tok.en"
#define GOOD                                                                  \
	"{\"status\":{\"authenticated\":true,\"audiences\":[\"x\",\"ours\"]," \
	"\"user\":{\"username\":\"anna\",\"uid\":\"u-1\",\"groups\":"         \
	"[\"g\"],\"extra\":{\"e\":[\"1\"]}}}}"

static struct cannedkube kube;
static struct kube_client client;
static struct fakeclock fake;
static struct clock clock_;
static struct metrics *metrics;
static struct adminkeys *ak;
static struct admin_backend backend;
static struct admin_user user;
static struct err err;

static int
setup(void **state UNUSED)
{
	struct adminkeys_config cfg = {
		.client = &client,
		.clock = &clock_,
		.ns = NS,
		.audience = AUDIENCE,
	};

	cannedkube_init(&kube);
	client = (struct kube_client) { .transport = &kube.transport };
	fakeclock_init(&fake);
	clock_ = fakeclock_clock(&fake);
	cfg.metrics = metrics = metrics_new("test");
	ak = adminkeys_new(&cfg);
	backend = adminkeys_backend(ak);
	memset(&user, 0, sizeof(user));
	err_clear(&err);
	return 0;
}

static int
teardown(void **state UNUSED)
{
	admin_user_release(&user);
	adminkeys_free(ak);
	metrics_free(metrics);
	cannedkube_release(&kube);
	return 0;
}

static json_t *
sent(unsigned nth)
{
	return jsontext_parse(cannedkube_request(&kube, nth)->body);
}

static int
review_token(void)
{
	AUTO(secret) struct secret *token = secret_from(TOKEN, strlen(TOKEN));

	return backend.review_token(backend.ctx, token, &user, &err);
}

static void
a_token_is_reviewed_for_our_audience(void **state UNUSED)
{
	AUTO_JSON json_t *v = NULL;
	AUTO_JSON json_t *want = json_pack("{s:s,s:s,s:{s:s,s:[s]}}",
	    "apiVersion", "authentication.k8s.io/v1", "kind", "TokenReview",
	    "spec", "token", TOKEN, "audiences", AUDIENCE);

	cannedkube_ok(&kube, GOOD);
	assert_int_equal(review_token(), 0);
	assert_string_equal(user.name, "anna");
	assert_string_equal(user.uid, "u-1");
	assert_string_equal(cannedkube_request(&kube, 0)->method, "POST");
	assert_string_equal(cannedkube_request(&kube, 0)->path,
	    "/apis/authentication.k8s.io/v1/tokenreviews");
	v = sent(0);
	assert_true(json_equal(v, want));
}

static void
whatever_is_not_a_clear_yes_refuses_the_token(void **state UNUSED)
{
	static const char *const answers[] = {
		"{}",
		"{\"status\":{}}",
		"{\"status\":{\"user\":{},\"error\":\"invalid\"}}",
		/* not authenticated */
		"{\"status\":{\"authenticated\":false,\"audiences\":[\"ours\"],"
		"\"user\":{\"username\":\"anna\"}}}",
		"{\"status\":{\"authenticated\":\"true\",\"audiences\":"
		"[\"ours\"],\"user\":{\"username\":\"anna\"}}}",
		/* no audience, another one, one that only begins so */
		"{\"status\":{\"authenticated\":true,"
		"\"user\":{\"username\":\"anna\"}}}",
		"{\"status\":{\"authenticated\":true,\"audiences\":[],"
		"\"user\":{\"username\":\"anna\"}}}",
		"{\"status\":{\"authenticated\":true,\"audiences\":[\"our\","
		"\"ours2\",5],\"user\":{\"username\":\"anna\"}}}",
		/* an error beside a yes */
		"{\"status\":{\"authenticated\":true,\"audiences\":[\"ours\"],"
		"\"error\":\"x\",\"user\":{\"username\":\"anna\"}}}",
		/* nobody */
		"{\"status\":{\"authenticated\":true,\"audiences\":[\"ours\"]}"
		"}",
		"{\"status\":{\"authenticated\":true,\"audiences\":[\"ours\"],"
		"\"user\":{\"username\":\"\"}}}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		cannedkube_reset(&kube);
		cannedkube_ok(&kube, answers[i]);
		assert_int_equal(review_token(), -1);
		assert_int_equal(err.code, ERR_UNAUTHORIZED);
		assert_null(user.info);
		assert_null(strstr(err.msg, TOKEN));
	}
}

/* Our own rights or token are not his. */
static void
what_the_server_refuses_to_us_is_no_refusal_of_him(void **state UNUSED)
{
	static const int codes[] = { 401, 403, 404, 429, 500, 503 };

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		cannedkube_reset(&kube);
		cannedkube_refuse(&kube, codes[i], "Forbidden", "no");
		assert_int_equal(review_token(), -1);
		assert_int_equal(err.code, ERR_SERVER);
	}
	cannedkube_reset(&kube);
	cannedkube_answer(
	    &kube, (struct canned_answer) { .fail = ERR_TIMEOUT });
	assert_int_equal(review_token(), -1);
	assert_int_equal(err.code, ERR_SERVER);
}

static void
known(void)
{
	admin_user_release(&user);
	cannedkube_reset(&kube);
	cannedkube_ok(&kube, GOOD);
	assert_int_equal(review_token(), 0);
	cannedkube_reset(&kube);
}

static void
access_is_asked_as_the_one_who_asks(void **state UNUSED)
{
	AUTO_JSON json_t *v = NULL;
	AUTO_JSON json_t *want = json_pack(
	    "{s:s,s:s,s:{s:{s:s,s:s,s:s,s:s},s:s,s:s,s:[s],s:{s:[s]}}}",
	    "apiVersion", "authorization.k8s.io/v1", "kind",
	    "SubjectAccessReview", "spec", "resourceAttributes", "namespace",
	    NS, "verb", "create", "version", "v1", "resource", "secrets",
	    "user", "anna", "uid", "u-1", "groups", "g", "extra", "e", "1");

	known();
	cannedkube_ok(&kube, "{\"status\":{\"allowed\":true}}");
	assert_int_equal(
	    backend.review_access(backend.ctx, &user, ADMIN_RESTORE, &err), 0);
	assert_string_equal(cannedkube_request(&kube, 0)->path,
	    "/apis/authorization.k8s.io/v1/subjectaccessreviews");
	v = sent(0);
	assert_true(json_equal(v, want));
}

static void
each_action_needs_its_verbs(void **state UNUSED)
{
	static const struct {
		enum admin_action action;
		const char *verbs[3];
	} cases[] = {
		{ ADMIN_LIST, { "list" } },
		{ ADMIN_EXPORT, { "list", "get" } },
		{ ADMIN_RESTORE, { "create" } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned n = 0;

		known();
		cannedkube_ok(&kube, "{\"status\":{\"allowed\":true}}");
		assert_int_equal(backend.review_access(
				     backend.ctx, &user, cases[i].action, &err),
		    0);
		for (; cases[i].verbs[n] != NULL; n++) {
			AUTO_JSON json_t *v = sent(n);

			assert_string_equal(
			    jsonx_str(
				v, "spec", "resourceAttributes", "verb", NULL),
			    cases[i].verbs[n]);
		}
		assert_int_equal(cannedkube_count(&kube), n);
		admin_user_release(&user);
	}
}

static void
whatever_is_not_a_clear_yes_refuses_access(void **state UNUSED)
{
	static const char *const answers[] = {
		"{}",
		"{\"status\":{\"allowed\":false}}",
		"{\"status\":{\"allowed\":\"true\"}}",
		"{\"status\":{\"allowed\":true,\"denied\":true}}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		known();
		cannedkube_ok(&kube, answers[i]);
		assert_int_equal(
		    backend.review_access(backend.ctx, &user, ADMIN_LIST, &err),
		    -1);
		assert_int_equal(err.code, ERR_FORBIDDEN);
		admin_user_release(&user);
	}
	/* The second verb of an export counts as much as the first. */
	known();
	cannedkube_ok(&kube, "{\"status\":{\"allowed\":true}}");
	cannedkube_ok(&kube, "{\"status\":{\"allowed\":false}}");
	assert_int_equal(
	    backend.review_access(backend.ctx, &user, ADMIN_EXPORT, &err), -1);
	known();
	cannedkube_refuse(&kube, 403, "Forbidden", "no");
	assert_int_equal(
	    backend.review_access(backend.ctx, &user, ADMIN_LIST, &err), -1);
	assert_int_equal(err.code, ERR_SERVER);
}

static struct admin_record
record(void)
{
	return (struct admin_record) {
		.action = "export",
		.user = &user,
		.source = "10.0.0.9",
		.request_id = "0123",
		.fingerprints = "SHA256:a,SHA256:b",
		.form = "plain",
		.object = "sealed-secrets-keyabcde",
		.keys = 2,
	};
}

static void
the_record_is_an_event_with_all_of_it(void **state UNUSED)
{
	static const struct {
		const char *name, *want;
	} notes[] = {
		{ "user", "anna" },
		{ "user-uid", "u-1" },
		{ "source", "10.0.0.9" },
		{ "request-id", "0123" },
		{ "fingerprints", "SHA256:a,SHA256:b" },
	};
	AUTO_JSON json_t *v = NULL;
	struct admin_record r = record();

	known();
	cannedkube_answer(&kube,
	    (struct canned_answer) {
		.status = 201, .body = "{\"kind\":\"Event\"}" });
	assert_int_equal(backend.audit(backend.ctx, &r, &err), 0);
	assert_string_equal(cannedkube_request(&kube, 0)->path,
	    "/api/v1/namespaces/kube-system/events");
	v = sent(0);
	for (size_t i = 0; i < ARRAY_SIZE(notes); i++) {
		AUTO_STR char *name =
		    xasprintf("sealedsecrets.bitnami.com/%s", notes[i].name);

		assert_string_equal(
		    jsonx_str(v, "metadata", "annotations", name, NULL),
		    notes[i].want);
	}
	assert_string_equal(jsonx_str(v, "involvedObject", "name", NULL),
	    "sealed-secrets-keyabcde");
	assert_string_equal(
	    jsonx_str(v, "reason", NULL), "SealingKeysExported");
	assert_string_equal(jsonx_str(v, "message", NULL),
	    "export of 2 sealing keys (plain) by user anna from 10.0.0.9, "
	    "request 0123: SHA256:a,SHA256:b");
	assert_string_equal(
	    jsonx_str(v, "firstTimestamp", NULL), "2026-04-22T11:28:08Z");
	assert_int_equal(
	    metrics_value(metrics, METRIC_ADMIN_ACTIONS, "export"), 1);
}

/* Names of objects may be longer than what names of events begin with. */
static void
the_event_s_name_ends_where_a_name_may(void **state UNUSED)
{
	static const char *const ends[] = { ".b", "-b", "-.b", "c.b" };

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		AUTO_STR char *name = xasprintf("%0*d%s", 199, 0, ends[i]);
		AUTO_JSON json_t *v = NULL;
		struct admin_record r = record();
		const char *prefix;

		r.object = name;
		known();
		cannedkube_reset(&kube);
		cannedkube_answer(&kube,
		    (struct canned_answer) {
			.status = 201, .body = "{\"kind\":\"Event\"}" });
		assert_int_equal(backend.audit(backend.ctx, &r, &err), 0);
		v = sent(0);
		prefix = jsonx_str(v, "metadata", "generateName", NULL);
		assert_in_range(strlen(prefix), 200, 201);
		assert_int_equal(prefix[strlen(prefix) - 1], '.');
		assert_true(prefix[strlen(prefix) - 2] != '.' &&
		    prefix[strlen(prefix) - 2] != '-');
	}
}

static void
an_event_that_is_not_stored_is_no_record(void **state UNUSED)
{
	struct admin_record r = record();

	known();
	cannedkube_refuse(&kube, 403, "Forbidden", "no");
	assert_int_equal(backend.audit(backend.ctx, &r, &err), -1);
	assert_int_equal(
	    metrics_value(metrics, METRIC_ADMIN_ACTIONS, "export"), 0);
}

static void
key_secrets_come_whole_with_their_fingerprints(void **state UNUSED)
{
	AUTO_JSON json_t *list =
	    json_pack("{s:s,s:s,s:{s:s},s:[o,o,o]}", "kind", "SecretList",
		"apiVersion", "v1", "metadata", "resourceVersion", "5", "items",
		adminrig_secret("a", fixture_key(0)),
		adminrig_secret("a", fixture_key(1)),
		json_pack("{s:{s:s}}", "metadata", "name", "broken"));
	AUTO_STR char *text = json_dumps(list, JSON_COMPACT);
	AUTO_JSON json_t *keys = NULL;
	const json_t *k;

	cannedkube_ok(&kube, text);
	assert_int_equal(backend.secrets(backend.ctx, &keys, &err), 0);
	assert_non_null(strstr(cannedkube_request(&kube, 0)->path,
	    "labelSelector=sealedsecrets.bitnami.com%2Fsealed-secrets-key&"));
	/* A name that comes twice is of a list that began anew. */
	assert_int_equal(json_array_size(keys), 2);
	k = json_array_get(keys, 0);
	assert_string_equal(jsonx_str(k, "name", NULL), "a");
	assert_string_equal(jsonx_str(k, "fingerprint", NULL),
	    keypair_fingerprint(fixture_key(0)));
	assert_string_equal(jsonx_str(k, "secret", "kind", NULL), "Secret");
	assert_string_equal(jsonx_str(k, "secret", "apiVersion", NULL), "v1");
	assert_non_null(jsonx_str(k, "secret", "data", "tls.key", NULL));
	k = json_array_get(keys, 1);
	assert_null(jsonx_get(k, "fingerprint", NULL));
}

static void
a_list_that_fails_gives_no_keys(void **state UNUSED)
{
	json_t *keys = NULL;

	cannedkube_refuse(&kube, 500, "InternalError", "no");
	assert_int_equal(backend.secrets(backend.ctx, &keys, &err), -1);
	assert_null(keys);
}

static void
creating_is_a_post_and_a_dry_run_says_so(void **state UNUSED)
{
	AUTO_JSON json_t *secret = adminrig_secret("a", fixture_key(0));

	jsonx_set_str(
	    json_object_get(secret, "metadata"), "namespace", "elsewhere");
	cannedkube_answer(
	    &kube, (struct canned_answer) { .status = 201, .body = "{}" });
	assert_int_equal(backend.create(backend.ctx, secret, true, &err), 0);
	assert_int_equal(backend.create(backend.ctx, secret, false, &err), 0);
	for (unsigned i = 0; i < 2; i++) {
		const struct canned_request *rq = cannedkube_request(&kube, i);
		AUTO_JSON json_t *v = sent(i);

		assert_string_equal(
		    jsonx_str(v, "metadata", "namespace", NULL), NS);
		assert_string_equal(
		    jsonx_str(v, "metadata", "name", NULL), "a");

		assert_string_equal(rq->method, "POST");
		assert_memory_equal(
		    rq->path, "/api/v1/namespaces/kube-system/secrets?", 39);
		assert_int_equal(
		    strstr(rq->path, "dryRun=All") != NULL, i == 0);
	}
	cannedkube_reset(&kube);
	cannedkube_refuse(&kube, 409, "AlreadyExists", "it is there");
	assert_int_equal(backend.create(backend.ctx, secret, true, &err), -1);
	assert_int_equal(err.code, ERR_EXISTS);
}

static void
a_backup_is_noted_on_the_keys_that_have_one(void **state UNUSED)
{
	AUTO_JSON json_t *secret = adminrig_secret("a", fixture_key(0));
	AUTO_STR char *text = json_dumps(secret, JSON_COMPACT);
	AUTO_JSON json_t *keys =
	    json_pack("[{s:s},{s:s,s:s}]", "name", "broken", "name", "a",
		"fingerprint", keypair_fingerprint(fixture_key(0)));
	AUTO_JSON json_t *v = NULL;

	cannedkube_ok(&kube, text);
	backend.exported(backend.ctx, keys);
	assert_int_equal(cannedkube_count(&kube), 2);
	assert_string_equal(cannedkube_request(&kube, 1)->method, "PUT");
	v = sent(1);
	assert_string_equal(jsonx_str(v, "metadata", "annotations",
				"sealedsecrets.bitnami.com/backed-up", NULL),
	    "2026-04-22T11:28:08Z");
	/* Not granted: no more than a line in the log. */
	cannedkube_reset(&kube);
	cannedkube_refuse(&kube, 403, "Forbidden", "no");
	backend.exported(backend.ctx, keys);
	assert_true(cannedkube_count(&kube) > 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_token_is_reviewed_for_our_audience),
		T(whatever_is_not_a_clear_yes_refuses_the_token),
		T(what_the_server_refuses_to_us_is_no_refusal_of_him),
		T(access_is_asked_as_the_one_who_asks),
		T(each_action_needs_its_verbs),
		T(whatever_is_not_a_clear_yes_refuses_access),
		T(the_record_is_an_event_with_all_of_it),
		T(the_event_s_name_ends_where_a_name_may),
		T(an_event_that_is_not_stored_is_no_record),
		T(key_secrets_come_whole_with_their_fingerprints),
		T(a_list_that_fails_gives_no_keys),
		T(creating_is_a_post_and_a_dry_run_says_so),
		T(a_backup_is_noted_on_the_keys_that_have_one),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_forget);
}
