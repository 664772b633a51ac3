/*
 * Starting, stopping, dying, and the keys that are made on the way.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "harness.h"

#define SECRETS "secrets"
#define SEALED	"sealedsecrets"
#define STOP_MS 10000
#define LABEL	"sealedsecrets.bitnami.com/sealed-secrets-key"
#define KEYS	"/api/v1/namespaces/kube-system/secrets"

static void
create_some(struct harness *h, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		AUTO_STR char *name = xasprintf("some-%zu", i);

		harness_create(h, "a", name, name);
	}
}

/* -- restarts -- */

static void
a_killed_controller_that_comes_back_writes_nothing(void **state)
{
	struct harness *h = *state;

	create_some(h, 20);
	harness_expect(h, harness_wait_all_synced(h, 20, HARNESS_LATE_MS));
	harness_kill(h);
	control_clear_requests(h->api);
	harness_start_ready(h, NULL);
	/* A new object passes behind all the old ones. */
	harness_create(h, "b", "last", "value");
	harness_expect(
	    h, harness_wait_synced(h, "b", "last", "True", HARNESS_LATE_MS));
	harness_expect(h, harness_wait_all_synced(h, 21, HARNESS_LATE_MS));
	harness_expect(h, control_count(h->api, "create " SECRETS) == 1);
	harness_expect(h, control_count(h->api, "update " SECRETS) == 0);
	harness_expect(
	    h, control_count(h->api, "update sealedsecrets/status") == 1);
	harness_expect(h, harness_keys(h) == 1);
}

static void
what_happened_meanwhile_is_caught_up_with(void **state)
{
	struct harness *h = *state;

	harness_create(h, "a", "kept", "first");
	harness_create(h, "a", "gone", "first");
	harness_expect(h, harness_wait_all_synced(h, 2, HARNESS_LATE_MS));
	harness_kill(h);
	harness_change(h, "a", "kept", "second");
	harness_create(h, "a", "new", "first");
	assert_int_equal(
	    api_delete(h->api, NULL, NULL, "/api/v1/namespaces/a/secrets/gone"),
	    200);
	harness_start(h, NULL);
	harness_expect(
	    h, harness_wait_value(h, "a", "kept", "second", HARNESS_LATE_MS));
	harness_expect(
	    h, harness_wait_value(h, "a", "new", "first", HARNESS_LATE_MS));
	harness_expect(
	    h, harness_wait_value(h, "a", "gone", "first", HARNESS_LATE_MS));
}

static void
killed_in_the_middle_of_work_it_loses_nothing(void **state)
{
	struct harness *h = *state;

	create_some(h, 60);
	for (int64_t n = 5; n <= 45; n += 20) {
		control_rule(h->api,
		    json_pack("{s:s, s:s, s:i, s:s}", "verb", "create",
			"resource", SECRETS, "nth", (int)n, "action", "hang"));
		harness_kill(h);
		control_clear_rules(h->api);
		harness_start(h, NULL);
	}
	harness_expect(h, harness_wait_all_synced(h, 60, HARNESS_LATE_MS));
	harness_expect(h, harness_keys(h) == 1);
}

/* -- stopping -- */

static void
sigterm_in_the_middle_of_work_ends_in_order(void **state)
{
	struct harness *h = *state;
	int64_t id = control_rule(h->api,
	    json_pack("{s:s, s:s, s:s, s:i, s:i}", "verb", "create", "resource",
		SECRETS, "action", "delay", "delayMs", 300, "times", 0));

	create_some(h, 60);
	harness_expect(h, control_wait_fired(h->api, id, 4, HARNESS_SOON_MS));
	harness_expect(h, proc_stop(h->controller, STOP_MS) == 0);
	harness_expect(h, proc_said(h->controller, "Shutting down"));
	/* It did stop in the middle. */
	harness_expect(h, control_fired(h->api, id) < 60);
}

static void
sigterm_while_the_api_server_hangs_ends_in_time(void **state)
{
	struct harness *h = *state;
	int64_t id = control_rule(h->api,
	    json_pack("{s:s, s:s, s:s, s:i}", "verb", "create", "resource",
		SECRETS, "action", "hang", "times", 0));

	create_some(h, 8);
	harness_expect(h, control_wait_fired(h->api, id, 1, HARNESS_SOON_MS));
	harness_expect(h, proc_stop(h->controller, STOP_MS) == 0);
}

static void
sigterm_before_anything_is_ready_ends_in_time(void **state)
{
	struct harness *h = *state;

	control_rule(h->api,
	    json_pack("{s:s, s:s, s:s, s:i}", "verb", "list", "resource",
		SECRETS, "action", "hang", "times", 0));
	harness_start(h, NULL);
	harness_expect(h, proc_stop(h->controller, STOP_MS) == 0);
	control_clear_rules(h->api);
	harness_expect(h, harness_keys(h) == 0);
}

/* -- starting -- */

static int
occupy(uint16_t *port)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	*port = ntohs(sin.sin_port);
	return fd;
}

static void
a_port_in_use_is_fatal_and_says_so(void **state)
{
	static const char *const flags[] = { "listen-addr",
		"listen-metrics-addr" };
	struct harness *h = *state;
	uint16_t port;
	int fd = occupy(&port);

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		AUTO_STR char *flag =
		    xasprintf("--%s=127.0.0.1:%u", flags[i], port);
		AUTO_STR char *text = xasprintf("127.0.0.1:%u", port);
		const char *args[] = { flag, NULL };
		int status;

		h->controller = harness_spawn(h, args);
		harness_expect(h, proc_wait(h->controller, STOP_MS, &status));
		harness_expect(
		    h, WIFEXITED(status) && WEXITSTATUS(status) == 1);
		harness_expect(h, proc_said(h->controller, "level=ERROR"));
		harness_expect(h, proc_said(h->controller, text));
		proc_free(h->controller);
		h->controller = NULL;
	}
	close(fd);
	assert_int_equal(harness_keys(h), 0);
}

static void
no_key_is_made_before_the_list_of_keys_succeeded(void **state)
{
	static const int codes[] = { 403, 500, 503, 504 };
	struct harness *h = *state;

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		int64_t id = control_rule(h->api,
		    json_pack("{s:s, s:s, s:s, s:s, s:i, s:i}", "verb", "list",
			"resource", SECRETS, "namespace", "kube-system",
			"action", "status", "code", codes[i], "times", 0));
		AUTO(api) struct api *web = NULL;

		harness_start(h, NULL);
		web = api_new(h->http, NULL);
		harness_expect(
		    h, control_wait_fired(h->api, id, 2, HARNESS_LATE_MS));
		harness_expect(h, api_get(web, NULL, "/healthz") == 200);
		harness_expect(h, api_get(web, NULL, "/readyz") == 503);
		harness_expect(h, api_get(web, NULL, "/v1/cert.pem") != 200);
		control_clear_rules(h->api);
		/* Counted while nothing stands in the way of the count. */
		harness_expect(
		    h, control_count(h->api, "create " SECRETS) == 0);
		harness_kill(h);
	}
}

static void
an_absent_api_server_is_waited_for(void **state)
{
	struct harness *h = *state;
	AUTO(api) struct api *web = NULL;

	harness_stop_server(h);
	harness_start(h, NULL);
	web = api_new(h->http, NULL);
	harness_expect(h, api_get(web, NULL, "/healthz") == 200);
	harness_expect(h, api_get(web, NULL, "/readyz") == 503);
	harness_resume_server(h);
	harness_expect(h, harness_wait_ready(h, HARNESS_LATE_MS));
	harness_expect(h, harness_keys(h) == 1);
}

/* -- keys -- */

static void
delete_keys(struct harness *h)
{
	AUTO_JSON json_t *list = NULL;
	size_t i;
	json_t *key;

	assert_int_equal(api_get(h->api, &list, KEYS), 200);
	json_array_foreach(json_object_get(list, "items"), i, key)
	    assert_int_equal(api_delete(h->api, NULL, NULL, KEYS "/%s",
				 jsonx_str(key, "metadata", "name", NULL)),
		200);
}

static void
rivals_at_the_start_make_one_key(void **state)
{
	struct harness *h = *state;

	for (int round = 0; round < 5; round++) {
		AUTO(proc) struct proc *one = harness_spawn(h, NULL);
		AUTO(proc) struct proc *two = harness_spawn(h, NULL);
		AUTO_STR char *first = harness_cert_of(h, one);
		AUTO_STR char *second = harness_cert_of(h, two);

		assert_string_equal(first, second);
		harness_expect(h, harness_keys(h) == 1);
		proc_kill(one);
		proc_kill(two);
		delete_keys(h);
	}
}

static void
a_lost_answer_to_the_first_key_makes_no_second(void **state)
{
	struct harness *h = *state;
	int64_t id = control_rule(h->api,
	    json_pack("{s:s, s:s, s:s}", "verb", "create", "resource", SECRETS,
		"action", "drop_response"));

	harness_start_ready(h, NULL);
	(void)harness_cert(h);
	harness_expect(h, control_fired(h->api, id) == 1);
	harness_expect(h, harness_keys(h) == 1);
	harness_create(h, "a", "one", "value");
	harness_expect(
	    h, harness_wait_synced(h, "a", "one", "True", HARNESS_SOON_MS));
}

static void
killed_while_the_first_key_is_stored_it_makes_one(void **state)
{
	struct harness *h = *state;
	int64_t id = control_rule(h->api,
	    json_pack("{s:s, s:s, s:s, s:i}", "verb", "create", "resource",
		SECRETS, "action", "status", "apply", 1));

	/* Stored, but the answer says otherwise; then it dies. */
	harness_start(h, NULL);
	harness_expect(h, control_wait_fired(h->api, id, 1, HARNESS_LATE_MS));
	harness_kill(h);
	harness_start_ready(h, NULL);
	(void)harness_cert(h);
	harness_expect(h, harness_keys(h) == 1);
}

struct cert_change {
	struct harness *h;
	const char *old;
};

static bool
cert_changed(void *ctx)
{
	const struct cert_change *c = ctx;

	return strcmp(harness_cert(c->h), c->old) != 0;
}

static void
sigusr1_makes_one_key_and_the_old_one_still_opens(void **state)
{
	struct harness *h = *state;
	AUTO_STR char *old = xstrdup(harness_cert(h));
	struct cert_change change = { .h = h };

	harness_create(h, "a", "old", "value");
	harness_expect(
	    h, harness_wait_synced(h, "a", "old", "True", HARNESS_SOON_MS));
	proc_signal(h->controller, SIGUSR1);
	harness_expect(h, harness_wait_keys(h, 2, HARNESS_LATE_MS));
	harness_expect(h,
	    proc_wait_said(h->controller, "New key written", HARNESS_LATE_MS));
	change.old = old;
	harness_expect(h, wait_until(cert_changed, &change, HARNESS_SOON_MS));
	harness_change(h, "a", "old", "sealed with the new key");
	harness_expect(h,
	    harness_wait_value(
		h, "a", "old", "sealed with the new key", HARNESS_SOON_MS));
	harness_kill(h);
	harness_start_ready(h, NULL);
	free(h->cert);
	h->cert = STEAL(old);
	harness_create(h, "b", "old", "sealed with the old key");
	harness_expect(h,
	    harness_wait_value(
		h, "b", "old", "sealed with the old key", HARNESS_SOON_MS));
	harness_expect(h, harness_keys(h) == 2);
}

static void
a_malformed_key_is_skipped_and_named(void **state)
{
	struct harness *h = *state;
	AUTO_JSON json_t *v = object_secret("kube-system", "broken-key",
	    "tls.crt", "no certificate", "tls.key", "no key", NULL);

	jsonx_set_str(v, "type", "kubernetes.io/tls");
	jsonx_set(jsonx_object(v, "metadata", NULL), "labels",
	    json_pack("{s:s}", LABEL, "active"));
	harness_post(h, v);
	harness_start_ready(h, NULL);
	harness_create(h, "a", "one", "value");
	harness_expect(
	    h, harness_wait_synced(h, "a", "one", "True", HARNESS_SOON_MS));
	harness_expect(h, proc_said(h->controller, "broken-key"));
	harness_expect(h, !proc_said(h->controller, "no certificate"));
}

static void
a_lost_key_with_objects_about_is_said_loudly(void **state)
{
	struct harness *h = *state;
	AUTO_JSON json_t *list = NULL;
	const json_t *key;

	harness_create(h, "a", "one", "value");
	harness_expect(
	    h, harness_wait_synced(h, "a", "one", "True", HARNESS_SOON_MS));
	harness_kill(h);
	assert_int_equal(
	    api_get(h->api, &list, KEYS "?labelSelector=" LABEL), 200);
	key = json_array_get(json_object_get(list, "items"), 0);
	assert_int_equal(api_delete(h->api, NULL, NULL, KEYS "/%s",
			     jsonx_str(key, "metadata", "name", NULL)),
	    200);
	harness_start(h, NULL);
	harness_expect(
	    h, proc_wait_said(h->controller, "backup", HARNESS_LATE_MS));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_killed_controller_that_comes_back_writes_nothing,
		    harness_setup_ready, harness_teardown),
		cmocka_unit_test_setup_teardown(
		    what_happened_meanwhile_is_caught_up_with,
		    harness_setup_ready, harness_teardown),
		cmocka_unit_test_setup_teardown(
		    killed_in_the_middle_of_work_it_loses_nothing,
		    harness_setup_ready, harness_teardown),
		cmocka_unit_test_setup_teardown(
		    sigterm_in_the_middle_of_work_ends_in_order,
		    harness_setup_ready, harness_teardown),
		cmocka_unit_test_setup_teardown(
		    sigterm_while_the_api_server_hangs_ends_in_time,
		    harness_setup_ready, harness_teardown),
		cmocka_unit_test_setup_teardown(
		    sigterm_before_anything_is_ready_ends_in_time,
		    harness_setup, harness_teardown),
		cmocka_unit_test_setup_teardown(
		    a_port_in_use_is_fatal_and_says_so, harness_setup,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(
		    no_key_is_made_before_the_list_of_keys_succeeded,
		    harness_setup, harness_teardown),
		cmocka_unit_test_setup_teardown(
		    an_absent_api_server_is_waited_for, harness_setup,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(
		    rivals_at_the_start_make_one_key, harness_setup,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(
		    a_lost_answer_to_the_first_key_makes_no_second,
		    harness_setup, harness_teardown),
		cmocka_unit_test_setup_teardown(
		    killed_while_the_first_key_is_stored_it_makes_one,
		    harness_setup, harness_teardown),
		cmocka_unit_test_setup_teardown(
		    sigusr1_makes_one_key_and_the_old_one_still_opens,
		    harness_setup_ready, harness_teardown),
		cmocka_unit_test_setup_teardown(
		    a_malformed_key_is_skipped_and_named, harness_setup,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(
		    a_lost_key_with_objects_about_is_said_loudly,
		    harness_setup_ready, harness_teardown),
	};

	return cmocka_run_group_tests_name("lifecycle", tests, NULL, NULL);
}
