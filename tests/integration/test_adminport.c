/*
 * The admin port of the whole program: who may, what is written down, what
 * leaves, and restores.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "base/thread.h"
#include "keyrig.h"
#include "lib/certs.h"
#include "lib/tlsclient.h"
#include "portrig.h"

#define START_MS 20000
#define LIMIT	 5000

static struct portrig rig;
static struct harness *h; /* of the rig */
static char *token;
static struct tls_answer answer;

static void
allow(const char *verbs)
{
	portrig_allow(&rig, verbs);
}

static void
start(const char *const more[])
{
	portrig_start(&rig, more);
}

static int
setup(void **state UNUSED)
{
	portrig_init(&rig);
	h = rig.h;
	token = portrig_token(&rig, PORTRIG_AUDIENCE);
	return 0;
}

static int
teardown(void **state UNUSED)
{
	free(token);
	return portrig_end(&rig);
}

static long
ask_as(const char *who, const char *method, const char *path, const char *body)
{
	const struct tls_ask a = {
		.addr = rig.addr,
		.ca = rig.ca,
		.method = method,
		.path = path,
		.token = who,
		.body = body,
	};

	tls_ask(&a, &answer);
	return answer.status;
}

static long
ask(const char *method, const char *path, const char *body)
{
	return ask_as(token, method, path, body);
}

static json_t *
answered(void)
{
	json_t *v = NULL;
	struct err err = ERR_INIT;

	if (jsonx_parse(answer.body, answer.body_len, 0, &v, &err) < 0)
		fail_msg("%s", err.msg);
	return v;
}

static bool
holds_key(void)
{
	return strstr(answer.body, "tls.key") != NULL ||
	    strstr(answer.body, "BEGIN CMS") != NULL;
}

/* Owned by the caller. */
static char *
first_key_name(void)
{
	AUTO_JSON json_t *v = NULL;

	assert_int_equal(ask("GET", "/v1/keys", NULL), 200);
	v = answered();
	return xstrdup(jsonx_str(
	    json_array_get(jsonx_array(v, "keys", NULL), 0), "name", NULL));
}

/* ---- off and on ---- */

static void
nowhere(const char *base)
{
	static const char *const paths[] = { "/v1/keys", "/v1/keys/export",
		"/v1/keys/restore" };
	static const char *const methods[] = { "GET", "POST" };
	AUTO(api) struct api *a = api_new(base, token);

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		for (size_t j = 0; j < ARRAY_SIZE(methods); j++) {
			AUTO_RELEASE(api_reply) struct api_reply r = { 0 };
			const struct api_request rq = {
				.method = methods[j],
				.path = paths[i],
			};

			api_do(a, &rq, &r);
			assert_int_equal(r.code, 404);
		}
}

static void
off_means_that_the_paths_are_nowhere(void **state UNUSED)
{
	harness_start_ready(h, NULL);
	nowhere(h->http);
	nowhere(h->metrics);
	assert_false(proc_said(h->controller, PORTRIG_SERVING));
}

static void
on_the_other_ports_have_nothing_of_it(void **state UNUSED)
{
	start(NULL);
	nowhere(h->http);
	nowhere(h->metrics);
	assert_int_equal(ask("GET", "/v1/cert.pem", NULL), 404);
	assert_int_equal(ask("GET", "/metrics", NULL), 404);
}

static void
refuses_to_start(const char *const flags[], const char *word)
{
	const char *argv[12] = { getenv("CONTROLLER"),
		"--listen-addr=127.0.0.1:0",
		"--listen-metrics-addr=127.0.0.1:0" };
	AUTO_STR char *kubeconfig = xasprintf("--kubeconfig=%s", h->kubeconfig);
	AUTO(proc) struct proc *p = NULL;
	int status = -1;
	size_t n = 3;

	argv[n++] = kubeconfig;
	for (size_t i = 0; flags[i] != NULL; i++)
		argv[n++] = flags[i];
	p = proc_start("refused", argv, NULL);
	assert_true(proc_wait(p, START_MS, &status));
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 2 || !proc_said(p, word))
		proc_show(p);
	assert_int_equal(WEXITSTATUS(status), 2);
	assert_true(proc_said(p, word));
}

static void
wrong_configuration_ends_the_start_with_two(void **state UNUSED)
{
	const char *c = rig.cert_flag, *k = rig.key_flag;
	AUTO_STR char *swapped = xasprintf("--admin-tls-key-file=%s", rig.cert);
	AUTO_STR char *bad = xasprintf("--backup-recipients-file=%s", rig.key);
	const char *const no_files[] = { PORTRIG_ON, NULL };
	const char *const no_key[] = { PORTRIG_ON, c, NULL };
	const char *const missing[] = { PORTRIG_ON, c,
		"--admin-tls-key-file=/nonexistent/tls.key", NULL };
	const char *const no_pair[] = { PORTRIG_ON, c, swapped, NULL };
	const char *const recipients[] = { PORTRIG_ON, c, k, bad, NULL };
	const char *const address[] = { "--admin-listen-addr=8443", c, k,
		NULL };

	refuses_to_start(no_files, "--admin-tls-cert-file");
	refuses_to_start(no_key, "--admin-tls-key-file");
	refuses_to_start(missing, "/nonexistent/tls.key");
	refuses_to_start(no_pair, rig.cert);
	refuses_to_start(recipients, rig.key);
	refuses_to_start(address, "an address such as");
}

static bool
lists_keys(void *ctx UNUSED)
{
	return ask("GET", "/v1/keys", NULL) == 200;
}

static void
a_changed_certificate_is_served_without_a_restart(void **state UNUSED)
{
	start(NULL);
	assert_int_equal(ask("GET", "/v1/keys", NULL), 200);
	certs_write(rig.ca, rig.cert, rig.key); /* another authority */
	harness_expect(h, wait_until(lists_keys, NULL, LIMIT));
	assert_true(proc_said(h->controller, "TLS certificate reloaded"));
}

/* ---- who may ---- */

static void
strangers_are_refused_alike(void **state UNUSED)
{
	AUTO_STR char *other =
	    portrig_token(&rig, "https://kubernetes.default.svc");
	const char *const tokens[] = { NULL, "garbage", other };

	start(NULL);
	for (size_t i = 0; i < ARRAY_SIZE(tokens); i++) {
		assert_int_equal(
		    ask_as(tokens[i], "POST", "/v1/keys/export", NULL), 401);
		assert_string_equal(
		    answer.body, "{\"error\":\"unauthorized\"}\n");
	}
	assert_int_equal(control_count(h->api, "create events"), 0);
}

/* Nobody is to guess which of them another program would believe. */
static void
a_good_token_that_is_given_twice_is_refused(void **state UNUSED)
{
	struct tls_ask twice = {
		.ca = rig.ca,
		.method = "POST",
		.path = "/v1/keys/export",
		.token = token,
		.twice = true,
	};

	start(NULL);
	twice.addr = rig.addr;
	control_clear_requests(h->api);
	tls_ask(&twice, &answer);
	assert_int_equal(answer.status, 401);
	assert_string_equal(answer.body, "{\"error\":\"unauthorized\"}\n");
	assert_int_equal(control_count(h->api, "create tokenreviews"), 0);
	assert_int_equal(ask("POST", "/v1/keys/export", NULL), 200);
}

static void
each_right_opens_its_own_path(void **state UNUSED)
{
	static const struct {
		const char *verbs;
		long list, export, restore; /* 400: an empty backup */
	} cases[] = {
		{ "list", 200, 403, 403 },
		{ "list get", 200, 200, 403 },
		{ "create", 403, 403, 400 },
	};

	start(NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		allow(cases[i].verbs);
		assert_int_equal(ask("GET", "/v1/keys", NULL), cases[i].list);
		assert_int_equal(
		    ask("POST", "/v1/keys/export", NULL), cases[i].export);
		assert_int_equal(holds_key(), cases[i].export == 200);
		assert_int_equal(
		    ask("POST", "/v1/keys/restore", NULL), cases[i].restore);
	}
}

static void
a_source_that_is_refused_again_and_again_has_to_wait(void **state UNUSED)
{
	start(NULL);
	for (int i = 0; i < 5; i++)
		assert_int_equal(
		    ask_as("garbage", "GET", "/v1/keys", NULL), 401);
	control_clear_requests(h->api);
	assert_int_equal(ask("GET", "/v1/keys", NULL), 429);
	assert_true(tls_has(&answer, "Retry-After: "));
	assert_int_equal(control_count(h->api, "create tokenreviews"), 0);
}

/* Here everybody has one address. */
static void
who_was_let_in_before_is_not_locked_out_by_others(void **state UNUSED)
{
	start(NULL);
	assert_int_equal(ask("GET", "/v1/keys", NULL), 200);
	for (int i = 0; i < 5; i++)
		assert_int_equal(
		    ask_as("garbage", "GET", "/v1/keys", NULL), 401);
	assert_int_equal(ask_as("garbage", "GET", "/v1/keys", NULL), 429);
	assert_int_equal(ask("POST", "/v1/keys/export", NULL), 200);
	assert_true(holds_key());
	assert_int_equal(ask_as("garbage", "GET", "/v1/keys", NULL), 429);
	/* Its right is asked for each time. */
	allow("");
	assert_int_equal(ask("POST", "/v1/keys/export", NULL), 403);
	assert_int_equal(ask("POST", "/v1/keys/export", NULL), 429);
}

/* At every step between the token and the answer. */
static void
whatever_fails_on_the_way_nothing_leaves(void **state UNUSED)
{
	static const struct {
		const char *verb, *resource, *action;
		int code;
	} faults[] = {
		{ "create", "tokenreviews", "status", 500 },
		{ "create", "tokenreviews", "status", 403 },
		{ "create", "tokenreviews", "cut", 0 },
		{ "create", "subjectaccessreviews", "status", 500 },
		{ "create", "subjectaccessreviews", "status", 403 },
		{ "create", "subjectaccessreviews", "cut", 0 },
		{ "list", "secrets", "status", 500 },
		{ "list", "secrets", "cut", 0 },
		{ "create", "events", "status", 500 },
		{ "create", "events", "status", 403 },
		{ "create", "events", "cut", 0 },
	};

	start(NULL);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		control_rule(h->api,
		    json_pack("{s:s,s:s,s:s,s:i,s:i}", "verb", faults[i].verb,
			"resource", faults[i].resource, "action",
			faults[i].action, "code", faults[i].code, "times", 0));
		if (ask("POST", "/v1/keys/export", NULL) != 503)
			fail_msg("fault %zu: %ld", i, answer.status);
		assert_false(holds_key());
		control_clear_rules(h->api);
	}
}

static void
a_review_that_hangs_denies(void **state UNUSED)
{
	start(NULL);
	control_rule(h->api,
	    json_pack("{s:s,s:s,s:s}", "verb", "create", "resource",
		"subjectaccessreviews", "action", "hang"));
	assert_int_equal(ask("POST", "/v1/keys/export", NULL), 503);
	assert_false(holds_key());
}

/* ---- export ---- */

static json_t *
export_event(const char *id)
{
	AUTO_JSON json_t *list = NULL;
	json_t *event;
	size_t i;

	assert_int_equal(
	    api_get(h->api, &list, "/api/v1/namespaces/kube-system/events"),
	    200);
	json_array_foreach(jsonx_array(list, "items", NULL), i, event)
	{
		const char *of = jsonx_str(event, "metadata", "annotations",
		    "sealedsecrets.bitnami.com/request-id", NULL);

		if (of != NULL && strcmp(of, id) == 0)
			return json_incref(event);
	}
	return NULL;
}

static bool
is_noted(void *ctx)
{
	AUTO_JSON json_t *secret = harness_secret(h, "kube-system", ctx);

	return jsonx_str(secret, "metadata", "annotations",
		   "sealedsecrets.bitnami.com/backed-up", NULL) != NULL;
}

static void
an_export_is_written_down_and_noted(void **state UNUSED)
{
	AUTO_JSON json_t *event = NULL;
	AUTO_STR char *name = NULL;
	char id[64] = "";
	const char *at;

	start(NULL);
	name = first_key_name();
	assert_int_equal(ask("POST", "/v1/keys/export", NULL), 200);
	assert_true(holds_key());
	assert_null(strstr(answer.body, "resourceVersion"));
	assert_null(strstr(answer.body, "managedFields"));
	at = strstr(answer.head, "X-Request-Id: ");
	assert_non_null(at);
	assert_int_equal(sscanf(at, "X-Request-Id: %63s", id), 1);
	event = export_event(id);
	assert_non_null(event);
	assert_string_equal(jsonx_str(event, "metadata", "annotations",
				"sealedsecrets.bitnami.com/user", NULL),
	    PORTRIG_USER);
	assert_string_equal(
	    jsonx_str(event, "reason", NULL), "SealingKeysExported");
	assert_true(proc_said(h->controller, "msg=\"Admin action\""));
	harness_expect(h, wait_until(is_noted, name, LIMIT));
}

static void
with_recipients_an_export_is_encrypted(void **state UNUSED)
{
	AUTO_STR char *to = xasprintf("--backup-recipients-file=%s", rig.cert);
	const char *const flags[] = { to, NULL };

	start(flags);
	assert_int_equal(ask("POST", "/v1/keys/export", NULL), 200);
	assert_non_null(strstr(answer.body, "-----BEGIN CMS-----"));
	assert_null(strstr(answer.body, "tls.key"));
}

/* ---- restore ---- */

static void
lose_every_key(const char *name)
{
	keyrig_delete(h, name);
	harness_expect(h, keyrig_wait_none(h->http, LIMIT));
}

static void
a_restore_brings_back_what_had_failed(void **state UNUSED)
{
	AUTO_STR char *backup = NULL;
	AUTO_JSON json_t *dry = NULL;
	AUTO_STR char *said = NULL;
	AUTO_JSON json_t *v = NULL;
	AUTO_STR char *name = NULL;

	start(NULL);
	name = first_key_name();
	(void)harness_cert(h);
	assert_int_equal(ask("POST", "/v1/keys/export", NULL), 200);
	backup = xstrdup(answer.body);
	lose_every_key(name);
	harness_create(h, "a", "one", "value");
	harness_expect(
	    h, harness_wait_synced(h, "a", "one", "False", HARNESS_SOON_MS));
	assert_int_equal(
	    ask("POST", "/v1/keys/restore?dryRun=true", backup), 200);
	dry = answered();
	assert_true(jsonx_is_true(dry, "dryRun", NULL));
	said = xasprintf("msg=\"Restore of keys\" dryRun=true keys=1 user=%s ",
	    PORTRIG_USER);
	assert_true(proc_said(h->controller, said));
	assert_int_equal(harness_keys(h), 0);
	assert_int_equal(ask("POST", "/v1/keys/restore", backup), 200);
	v = answered();
	assert_string_equal(jsonx_str(v, "seals", "name", NULL), name);
	harness_expect(h, harness_wait_value(h, "a", "one", "value", LIMIT));
	harness_expect(h, harness_wait_synced(h, "a", "one", "True", LIMIT));
	/* And once more: nothing to do. */
	control_clear_requests(h->api);
	assert_int_equal(ask("POST", "/v1/keys/restore", backup), 200);
	assert_non_null(strstr(answer.body, "\"result\":\"unchanged\""));
	assert_int_equal(control_count(h->api, "create secrets"), 0);
}

/* Objects are the leader's work, keys are everybody's. */
static void
a_replica_that_does_not_lead_exports_and_restores_too(void **state UNUSED)
{
	static const char *const elected[] = { "--leader-elect",
		"--leader-elect-lease-duration=3s",
		"--leader-elect-renew-deadline=2s",
		"--leader-elect-retry-period=500ms", NULL };
	AUTO_STR char *backup = NULL;
	AUTO(proc) struct proc *follower = NULL;
	AUTO_STR char *name = NULL;

	start(elected);
	harness_expect(
	    h, proc_wait_said(h->controller, "msg=Leads ", START_MS));
	follower = portrig_spawn(&rig, elected);
	free(harness_cert_of(h, follower)); /* it has the key */
	name = first_key_name();
	(void)harness_cert(h);
	assert_int_equal(ask("POST", "/v1/keys/export", NULL), 200);
	backup = xstrdup(answer.body);
	harness_expect(h, wait_until(is_noted, name, LIMIT));
	lose_every_key(name);
	harness_create(h, "a", "one", "value");
	harness_expect(
	    h, harness_wait_synced(h, "a", "one", "False", HARNESS_SOON_MS));
	assert_int_equal(ask("POST", "/v1/keys/restore", backup), 200);
	assert_non_null(strstr(answer.body, "\"result\":\"created\""));
	harness_expect(h, harness_wait_synced(h, "a", "one", "True", LIMIT));
	assert_false(proc_said(follower, "msg=Leads "));
}

/* Without its owner it would be a key wherever the backup is restored. */
static void
what_a_sealed_secret_produced_is_in_no_backup(void **state UNUSED)
{
	AUTO(keypair) struct keypair *planted = keyrig_key(100);
	json_t *secret = keyrig_secret("planted", planted);
	AUTO_JSON json_t *owner = NULL;

	start(NULL);
	(void)harness_cert(h);
	harness_create(h, "kube-system", "owner", "value");
	owner = harness_sealed(h, "kube-system", "owner");
	jsonx_set(json_object_get(secret, "metadata"), "ownerReferences",
	    json_pack("[{s:s,s:s,s:s,s:s}]", "apiVersion",
		"bitnami.com/v1alpha1", "kind", "SealedSecret", "name", "owner",
		"uid", jsonx_str(owner, "metadata", "uid", NULL)));
	keyrig_put(h, secret);
	assert_int_equal(ask("POST", "/v1/keys/export", NULL), 200);
	assert_true(holds_key());
	assert_null(strstr(answer.body, "planted"));
	harness_expect(
	    h, proc_wait_said(h->controller, "is not exported", LIMIT));
}

/* A List of keys a, b, c ..., owned by the caller. */
static char *
list_of(struct keypair *const keys[], size_t n)
{
	AUTO_JSON json_t *list = json_pack(
	    "{s:s,s:s,s:[]}", "apiVersion", "v1", "kind", "List", "items");
	char name[2] = "a";

	for (size_t i = 0; i < n; i++, name[0]++)
		json_array_append_new(json_object_get(list, "items"),
		    keyrig_secret(name, keys[i]));
	return json_dumps(list, JSON_COMPACT);
}

static void
a_conflict_aborts_before_the_first_write(void **state UNUSED)
{
	AUTO(keypair) struct keypair *one = keyrig_key(-100);
	AUTO(keypair) struct keypair *two = keyrig_key(-50);
	struct keypair *const keys[] = { one, two };
	AUTO_STR char *backup = list_of(keys, 2);
	AUTO_JSON json_t *foreign =
	    object_secret("kube-system", "b", "password", "not a key", NULL);

	start(NULL);
	harness_post(h, foreign);
	assert_int_equal(ask("POST", "/v1/keys/restore", backup), 409);
	assert_non_null(strstr(answer.body, "\"result\":\"conflict\""));
	assert_int_equal(harness_keys(h), 1);
	assert_int_equal(control_count(h->api, "create events"), 0);
}

static int64_t hung;

static void *
kill_when_hung(void *arg UNUSED)
{
	AUTO(api) struct api *a = api_new(api_base(h->api), NULL);

	if (control_wait_fired(a, hung, 1, LIMIT))
		harness_kill(h);
	return NULL;
}

/* At the second of three writes: the program dies, and is started again. */
static void
a_killed_restore_is_completed_by_repeating_it(void **state UNUSED)
{
	AUTO(keypair) struct keypair *one = keyrig_key(-100);
	AUTO(keypair) struct keypair *two = keyrig_key(-50);
	AUTO(keypair) struct keypair *three = keyrig_key(-10);
	struct keypair *const keys[] = { one, two, three };
	AUTO_STR char *backup = list_of(keys, 3);
	struct thread killer = { .started = false };

	start(NULL);
	/* Three rehearsals come first, then one key is created. */
	hung = control_rule(h->api,
	    json_pack("{s:s,s:s,s:s,s:i}", "verb", "create", "resource",
		"secrets", "action", "hang", "nth", 5));
	thread_start(&killer, "killer", kill_when_hung, NULL);
	assert_int_equal(ask("POST", "/v1/keys/restore", backup), 0);
	thread_join(&killer);
	control_clear_rules(h->api);
	start(NULL);
	assert_int_equal(ask("POST", "/v1/keys/restore", backup), 200);
	assert_int_equal(harness_keys(h), 4);
	assert_non_null(strstr(answer.body, "\"result\":\"unchanged\""));
}

static void
what_the_server_quotes_comes_out_nowhere(void **state UNUSED)
{
	AUTO(keypair) struct keypair *one = keyrig_key(-100);
	struct keypair *const keys[] = { one };
	AUTO_STR char *backup = list_of(keys, 1);
	AUTO_STR char *part = NULL;
	AUTO_JSON json_t *secret = keyrig_secret("a", one);
	const char *text = jsonx_str(secret, "data", "tls.key", NULL);

	part = xstrndup(text + 200, 40);
	start(NULL);
	control_rule(h->api,
	    json_pack("{s:s,s:s,s:s,s:i,s:s,s:b,s:i}", "verb", "create",
		"resource", "secrets", "action", "status", "code", 422,
		"reason", "Invalid", "echo", 1, "times", 0));
	assert_int_equal(ask("POST", "/v1/keys/restore", backup), 503);
	assert_null(strstr(answer.body, part));
	assert_false(proc_said(h->controller, part));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(off_means_that_the_paths_are_nowhere),
		T(on_the_other_ports_have_nothing_of_it),
		T(wrong_configuration_ends_the_start_with_two),
		T(a_changed_certificate_is_served_without_a_restart),
		T(strangers_are_refused_alike),
		T(a_good_token_that_is_given_twice_is_refused),
		T(each_right_opens_its_own_path),
		T(a_source_that_is_refused_again_and_again_has_to_wait),
		T(who_was_let_in_before_is_not_locked_out_by_others),
		T(whatever_fails_on_the_way_nothing_leaves),
		T(a_review_that_hangs_denies),
		T(an_export_is_written_down_and_noted),
		T(with_recipients_an_export_is_encrypted),
		T(a_restore_brings_back_what_had_failed),
		T(a_replica_that_does_not_lead_exports_and_restores_too),
		T(what_a_sealed_secret_produced_is_in_no_backup),
		T(a_conflict_aborts_before_the_first_write),
		T(a_killed_restore_is_completed_by_repeating_it),
		T(what_the_server_quotes_comes_out_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
