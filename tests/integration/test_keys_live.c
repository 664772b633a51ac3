/*
 * Key Secrets that come, change and go while the program runs.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "keyrig.h"

#define LIMIT	KEYRIG_LIMIT_MS
#define SKIPPED "sealed_secrets_controller_key_secrets_skipped"

static int
start_ready(void **state)
{
	struct harness *h = harness_new(NULL);

	*state = h;
	harness_start_ready(h, NULL);
	return 0;
}

static void
a_restored_key_opens_what_waited_for_it(void **state)
{
	struct harness *h = *state;
	AUTO(keypair) struct keypair *kp = keyrig_key(60);

	for (int i = 0; i < 20; i++) {
		AUTO_STR char *name = xasprintf("one-%d", i);

		keyrig_seal(h, "a", name, kp, "value");
	}
	harness_expect(
	    h, harness_wait_synced(h, "a", "one-19", "False", HARNESS_SOON_MS));
	keyrig_put(h, keyrig_secret("restored", kp));
	harness_expect(h, harness_wait_all_synced(h, 20, LIMIT));
	harness_expect(h, keyrig_wait_served(h->http, kp, LIMIT));
	/* Nobody made one beside it. */
	harness_expect(h, harness_keys(h) == 2);
}

static void
a_relabelled_key_is_used_no_more_until_it_is_labelled_again(void **state)
{
	struct harness *h = *state;
	AUTO(keypair) struct keypair *kp = keyrig_key(60);

	keyrig_put(h, keyrig_secret("mine", kp));
	harness_expect(h, keyrig_wait_served(h->http, kp, LIMIT));
	keyrig_seal(h, "a", "one", kp, "first");
	harness_expect(
	    h, harness_wait_value(h, "a", "one", "first", HARNESS_SOON_MS));
	keyrig_label(h, "mine", "compromised");
	harness_expect(h,
	    proc_wait_said(h->controller,
		"\"Private key is no longer used\" secretname=mine", LIMIT));
	harness_expect(h, !keyrig_wait_served(h->http, kp, 100));
	keyrig_seal(h, "a", "two", kp, "second");
	harness_expect(
	    h, harness_wait_synced(h, "a", "two", "False", HARNESS_SOON_MS));
	keyrig_label(h, "mine", "active");
	harness_expect(h, harness_wait_value(h, "a", "two", "second", LIMIT));
	harness_expect(h, keyrig_wait_served(h->http, kp, LIMIT));
}

static void
the_certificate_follows_when_the_current_key_is_deleted(void **state)
{
	struct harness *h = *state;
	AUTO(keypair) struct keypair *older = keyrig_key(60);
	AUTO(keypair) struct keypair *newer = keyrig_key(120);

	keyrig_put(h, keyrig_secret("older", older));
	keyrig_put(h, keyrig_secret("newer", newer));
	harness_expect(h, keyrig_wait_served(h->http, newer, LIMIT));
	keyrig_delete(h, "newer");
	harness_expect(h, keyrig_wait_served(h->http, older, LIMIT));
}

static void
another_key_under_a_known_name_replaces_the_first(void **state)
{
	struct harness *h = *state;
	AUTO(keypair) struct keypair *first = keyrig_key(60);
	AUTO(keypair) struct keypair *second = keyrig_key(120);
	AUTO_JSON json_t *full = keyrig_secret("mine", second);
	AUTO_JSON json_t *patch =
	    json_pack("{s:O}", "data", json_object_get(full, "data"));

	keyrig_put(h, keyrig_secret("mine", first));
	harness_expect(h, keyrig_wait_served(h->http, first, LIMIT));
	assert_int_equal(api_patch(h->api, API_MERGE, patch, NULL,
			     "/api/v1/namespaces/kube-system/secrets/mine"),
	    200);
	harness_expect(h, keyrig_wait_served(h->http, second, LIMIT));
}

static void
no_key_is_made_at_once_where_all_are_gone(void **state)
{
	struct harness *h = *state;
	AUTO_JSON json_t *list = NULL;
	AUTO(keypair) struct keypair *kp = keyrig_key(60);
	size_t i;
	json_t *item;

	assert_int_equal(api_get(h->api, &list,
			     "/api/v1/namespaces/kube-system/secrets"
			     "?labelSelector=" KEYRIG_LABEL "%%3Dactive"),
	    200);
	json_array_foreach(json_object_get(list, "items"), i, item)
	{
		keyrig_delete(h, jsonx_str(item, "metadata", "name", NULL));
	}
	harness_expect(h, keyrig_wait_none(h->http, LIMIT));
	harness_expect(h, proc_said(h->controller, "Every key Secret is gone"));
	harness_expect(h, !harness_wait_keys(h, 1, 2000));
	/* The restore that was under way. */
	keyrig_put(h, keyrig_secret("restored", kp));
	harness_expect(h, keyrig_wait_served(h->http, kp, LIMIT));
	harness_expect(h, harness_keys(h) == 1);
}

static const char *const kinds[] = { "bad-pem", "no-certificate", "mismatch",
	"ec", "short" };

static json_t *
bad_secret(const char *kind)
{
	AUTO(keypair) struct keypair *one = keyrig_key(60);
	AUTO(keypair) struct keypair *two = keyrig_key(60);
	AUTO_STR char *key = NULL;
	AUTO_STR char *crt = NULL;
	json_t *v;

	if (strcmp(kind, "bad-pem") == 0)
		return keyrig_secret_of(kind, "no PEM", "none either");
	if (strcmp(kind, "ec") == 0 || strcmp(kind, "short") == 0) {
		keyrig_odd_pem(strcmp(kind, "ec") == 0, &key, &crt);
		return keyrig_secret_of(kind, key, crt);
	}
	v = keyrig_secret(kind, one);
	if (strcmp(kind, "no-certificate") == 0) {
		json_object_del(json_object_get(v, "data"), "tls.crt");
	} else {
		AUTO_JSON json_t *other = keyrig_secret(kind, two);

		json_object_set(json_object_get(v, "data"), "tls.crt",
		    jsonx_get(other, "data", "tls.crt", NULL));
	}
	return v;
}

static void
expect_told_once(struct harness *h, const char *kind)
{
	AUTO_STR char *line =
	    xasprintf("\"Error reading key\" secret=kube-system/%s ", kind);

	harness_expect(h, proc_wait_said(h->controller, line, LIMIT));
	harness_expect(h,
	    harness_wait_event(
		h, "kube-system", kind, "InvalidSealingKey", LIMIT));
}

static void
a_malformed_key_secret_costs_a_line_an_event_and_a_metric(void **state)
{
	struct harness *h = *state;
	AUTO(keypair) struct keypair *kp = keyrig_key(60);

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		keyrig_put(h, bad_secret(kinds[i]));
		expect_told_once(h, kinds[i]);
	}
	/* Good ones go on working, and the lists that this takes repeat
	 * nothing. */
	keyrig_put(h, keyrig_secret("good", kp));
	harness_expect(h, keyrig_wait_served(h->http, kp, LIMIT));
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		AUTO_STR char *line = xasprintf(
		    "\"Error reading key\" secret=kube-system/%s ", kinds[i]);

		harness_expect(h, proc_said_times(h->controller, line) == 1);
	}
	harness_expect(h, harness_metrics_hold(h, SKIPPED " 5\n"));
	harness_expect(h, harness_wait_ready(h, LIMIT));
}

static void
malformed_key_secrets_do_not_stop_the_start(void **state)
{
	struct harness *h = *state;
	AUTO(keypair) struct keypair *kp = keyrig_key(0);

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		keyrig_put(h, bad_secret(kinds[i]));
	keyrig_put(h, keyrig_secret("good", kp));
	harness_start_ready(h, NULL);
	harness_expect(h, keyrig_wait_served(h->http, kp, LIMIT));
	harness_expect(h, harness_keys(h) == ARRAY_SIZE(kinds) + 1);
}

static void
keys_are_listed_where_watching_them_is_not_granted(void **state)
{
	static const char *const args[] = { "--watch-for-secrets", NULL };
	struct harness *h = *state;
	AUTO(keypair) struct keypair *kp = keyrig_key(60);

	control_post(h->api, "forbidden",
	    json_pack("{s:[{s:s, s:s, s:s}, {s:s, s:s, s:s}]}", "rules", "verb",
		"watch", "resource", "secrets", "namespace", "kube-system",
		"verb", "get", "resource", "secrets", "namespace",
		"kube-system"));
	harness_start_ready(h, args);
	keyrig_seal(h, "a", "one", kp, "value");
	harness_expect(
	    h, harness_wait_synced(h, "a", "one", "False", HARNESS_SOON_MS));
	keyrig_put(h, keyrig_secret("mine", kp));
	harness_expect(h, harness_wait_value(h, "a", "one", "value", LIMIT));
	keyrig_delete(h, "mine");
	harness_expect(h,
	    proc_wait_said(h->controller,
		"\"Private key is no longer used\" secretname=mine", LIMIT));
	harness_expect(h,
	    proc_said_times(h->controller,
		"stream=\"watch secrets in namespace kube-system\"") == 1);
	harness_expect(h, !proc_said(h->controller, "orbidden"));
}

static void
a_storm_of_requests_makes_one_key(void **state)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	struct harness *h = *state;

	for (int i = 0; i < 100; i++) {
		proc_signal(h->controller, SIGUSR1);
		(void)nanosleep(&pause, NULL);
	}
	harness_expect(h, harness_wait_keys(h, 2, HARNESS_SOON_MS));
	harness_expect(h, !harness_wait_keys(h, 3, 1500));
}

static void
a_second_replica_follows_a_new_key(void **state)
{
	struct harness *h = *state;
	AUTO(proc) struct proc *second = harness_spawn(h, NULL);
	AUTO_STR char *addr = proc_wait_word(
	    second, "\"HTTP server serving\" addr=", HARNESS_SOON_MS);
	AUTO_STR char *http = NULL;
	AUTO(keypair) struct keypair *kp = keyrig_key(60);

	harness_expect(h, addr != NULL);
	http = xasprintf("http://%s", addr);
	keyrig_put(h, keyrig_secret("mine", kp));
	harness_expect(h, keyrig_wait_served(http, kp, LIMIT));
	harness_expect(h, keyrig_wait_served(h->http, kp, LIMIT));
	keyrig_delete(h, "mine");
	proc_signal(h->controller, SIGUSR1);
	harness_expect(h, harness_wait_keys(h, 2, HARNESS_SOON_MS));
	harness_expect(
	    h, proc_wait_said(second, "registered private key", LIMIT));
}

static void
an_expired_certificate_is_told_once_and_served_only_alone(void **state)
{
	static const char *const args[] = { "--key-renew-period=0", NULL };
	struct harness *h = *state;
	AUTO(keypair) struct keypair *expired = keyrig_key(-48 * 3600);
	AUTO(keypair) struct keypair *valid = keyrig_key(-20 * 3600);

	keyrig_put(h, keyrig_secret("expired", expired));
	harness_start_ready(h, args);
	harness_expect(h, keyrig_wait_served(h->http, expired, LIMIT));
	harness_expect(h,
	    proc_wait_said(
		h->controller, "The sealing certificate has expired", LIMIT));
	keyrig_put(h, keyrig_secret("valid", valid));
	harness_expect(h, keyrig_wait_served(h->http, valid, LIMIT));
	keyrig_delete(h, "valid");
	harness_expect(h, keyrig_wait_served(h->http, expired, LIMIT));
	harness_expect(h,
	    proc_said_times(
		h->controller, "The sealing certificate has expired") == 1);
	harness_expect(h, harness_keys(h) == 1);
}

int
main(void)
{
#define ALONE(test)                      \
	cmocka_unit_test_setup_teardown( \
	    test, harness_setup, harness_teardown_kill)
#define READY(test)                      \
	cmocka_unit_test_setup_teardown( \
	    test, start_ready, harness_teardown_kill)
	const struct CMUnitTest tests[] = {
		READY(a_restored_key_opens_what_waited_for_it),
		READY(
		    a_relabelled_key_is_used_no_more_until_it_is_labelled_again),
		READY(the_certificate_follows_when_the_current_key_is_deleted),
		READY(another_key_under_a_known_name_replaces_the_first),
		READY(no_key_is_made_at_once_where_all_are_gone),
		READY(
		    a_malformed_key_secret_costs_a_line_an_event_and_a_metric),
		ALONE(malformed_key_secrets_do_not_stop_the_start),
		ALONE(keys_are_listed_where_watching_them_is_not_granted),
		ALONE(
		    an_expired_certificate_is_told_once_and_served_only_alone),
		READY(a_storm_of_requests_makes_one_key),
		READY(a_second_replica_follows_a_new_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
