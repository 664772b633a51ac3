/*
 * The life of keys: pending until backed up, for some namespaces only, and how
 * it is known that one is needed no more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "keyrig.h"

#define LIMIT	   KEYRIG_LIMIT_MS
#define BACKED_UP  "sealedsecrets.bitnami.com/backed-up"
#define NAMESPACES "sealedsecrets.bitnami.com/namespaces"
#define PREFIX	   "sealed_secrets_controller_"

static json_t *
annotated(json_t *secret, const char *name, const char *value)
{
	jsonx_set(json_object_get(secret, "metadata"), "annotations",
	    json_pack("{s:s}", name, value));
	return secret;
}

static void
annotate(struct harness *h, const char *secret, const char *name, json_t *value)
{
	AUTO_JSON json_t *patch =
	    json_pack("{s:{s:{s:o}}}", "metadata", "annotations", name, value);

	assert_int_equal(
	    api_patch(h->api, API_MERGE, patch, NULL,
		"/api/v1/namespaces/kube-system/secrets/%s", secret),
	    200);
}

static char *
items_of(const struct keypair *kp, unsigned n)
{
	return xasprintf(PREFIX "key_items{fingerprint=\"%s\"} %u\n",
	    keypair_fingerprint(kp), n);
}

static void
a_new_key_waits_for_its_backup_through_restarts(void **state)
{
	static const char *const args[] = { "--key-activation-delay=1h", NULL };
	struct harness *h = *state;
	AUTO(keypair) struct keypair *first = keyrig_key(0);
	AUTO(keypair) struct keypair *second = keyrig_key(60);

	/* The first one has no other to wait behind. */
	keyrig_put(h, keyrig_secret("first", first));
	harness_start_ready(h, args);
	harness_expect(h, keyrig_wait_served(h->http, first, LIMIT));
	keyrig_put(h, keyrig_secret("second", second));
	harness_expect(h, harness_wait_metrics(h, PREFIX "keys_pending 1\n"));
	harness_expect(h, keyrig_wait_served(h->http, first, LIMIT));
	/* It decrypts all the same. */
	keyrig_seal(h, "a", "one", second, "value");
	harness_expect(h, harness_wait_value(h, "a", "one", "value", LIMIT));
	harness_kill(h);
	harness_start_ready(h, args);
	harness_expect(h, keyrig_wait_served(h->http, first, LIMIT));
	annotate(h, "second", BACKED_UP, json_string("2026-01-01T00:00:00Z"));
	harness_expect(h, keyrig_wait_served(h->http, second, LIMIT));
	harness_expect(h, harness_wait_metrics(h, PREFIX "keys_pending 0\n"));
}

static void
a_pending_key_seals_when_its_time_has_come(void **state)
{
	static const char *const args[] = { "--key-activation-delay=3s", NULL };
	struct harness *h = *state;
	AUTO(keypair) struct keypair *first = keyrig_key(-3600);
	AUTO(keypair) struct keypair *second = keyrig_key(0);

	keyrig_put(h, keyrig_secret("first", first));
	harness_start_ready(h, args);
	keyrig_put(h, keyrig_secret("second", second));
	harness_expect(h, keyrig_wait_served(h->http, second, HARNESS_SOON_MS));
}

static void
a_key_for_some_namespaces_opens_there_and_nowhere_else(void **state)
{
	struct harness *h = *state;
	AUTO(keypair) struct keypair *open = keyrig_key(0);
	AUTO(keypair) struct keypair *closed = keyrig_key(60);

	keyrig_put(h, keyrig_secret("open", open));
	keyrig_put(
	    h, annotated(keyrig_secret("closed", closed), NAMESPACES, "a"));
	harness_start_ready(h, NULL);
	/* Although it is the newest. */
	harness_expect(h, keyrig_wait_served(h->http, open, LIMIT));
	keyrig_seal(h, "a", "one", closed, "value");
	keyrig_seal(h, "b", "two", closed, "value");
	harness_expect(h, harness_wait_value(h, "a", "one", "value", LIMIT));
	harness_expect(h, harness_wait_synced(h, "b", "two", "False", LIMIT));
	/* What cannot be read closes it. */
	annotate(h, "closed", NAMESPACES, json_string("a b"));
	harness_expect(h,
	    harness_wait_event(
		h, "kube-system", "closed", "InvalidSealingKey", LIMIT));
	keyrig_seal(h, "a", "three", closed, "value");
	harness_expect(h, harness_wait_synced(h, "a", "three", "False", LIMIT));
	/* Without it, it is a key like any other. */
	annotate(h, "closed", NAMESPACES, json_null());
	harness_expect(h, harness_wait_value(h, "b", "two", "value", LIMIT));
	harness_expect(h, harness_wait_value(h, "a", "three", "value", LIMIT));
}

static void
labels_of_the_namespace_open_a_key(void **state)
{
	struct harness *h = *state;
	AUTO(keypair) struct keypair *kp = keyrig_key(60);

	keyrig_put(h,
	    annotated(
		keyrig_secret("labelled", kp), NAMESPACES, "team in (x,y)"));
	harness_start_ready(h, NULL);
	keyrig_seal(h, "b", "two", kp, "value");
	harness_expect(h, harness_wait_synced(h, "b", "two", "False", LIMIT));
	annotate(h, "labelled", NAMESPACES, json_string("team!=x"));
	harness_expect(h, harness_wait_value(h, "b", "two", "value", LIMIT));
}

static void
a_key_that_no_item_needs_can_be_retired(void **state)
{
	static const char *const args[] = { "--key-usage-delay=1s", NULL };
	struct harness *h = *state;
	AUTO(keypair) struct keypair *old = keyrig_key(0);
	AUTO(keypair) struct keypair *new = keyrig_key(60);
	AUTO_STR char *old_2 = items_of(old, 2);
	AUTO_STR char *old_0 = items_of(old, 0);
	AUTO_STR char *new_2 = items_of(new, 2);

	keyrig_put(h, keyrig_secret("old", old));
	keyrig_put(h, keyrig_secret("new", new));
	harness_start_ready(h, args);
	keyrig_seal(h, "a", "one", old, "1");
	keyrig_seal(h, "a", "two", old, "2");
	keyrig_seal(h, "b", "three", new, "3");
	harness_expect(h, harness_wait_all_synced(h, 3, HARNESS_SOON_MS));
	harness_expect(h, harness_wait_metrics(h, old_2));
	/* A restart opens nothing at once, and finds out later. */
	harness_kill(h);
	harness_start_ready(h, args);
	harness_expect(h, harness_wait_metrics(h, old_2));
	harness_expect(
	    h, harness_wait_metrics(h, PREFIX "key_items_unknown 0\n"));
	/* One goes, the other is sealed anew. */
	(void)harness_cert(h);
	assert_int_equal(api_delete(h->api, NULL, NULL,
			     "/apis/bitnami.com/v1alpha1/namespaces/a/"
			     "sealedsecrets/one"),
	    200);
	harness_change(h, "a", "two", "22");
	harness_expect(h, harness_wait_value(h, "a", "two", "22", LIMIT));
	harness_expect(h, harness_wait_metrics(h, old_0));
	harness_expect(h, harness_wait_metrics(h, new_2));
	harness_expect(
	    h, harness_wait_metrics(h, PREFIX "key_items_unknown 0\n"));
	keyrig_label(h, "old", "retired");
	harness_expect(h,
	    proc_wait_said(h->controller,
		"\"Private key is no longer used\" secretname=old", LIMIT));
	harness_change(h, "b", "three", "33");
	harness_expect(h, harness_wait_value(h, "b", "three", "33", LIMIT));
	harness_expect(h, harness_wait_all_synced(h, 2, LIMIT));
	harness_expect(h, harness_wait_metrics(h, PREFIX "key_items_lost 0\n"));
}

static bool
has_posted_event(void *ctx)
{
	const struct harness *h = ctx;

	return control_count(h->api, "create events") > 0;
}

static void
a_certificate_that_expires_soon_has_an_event(void **state)
{
	struct harness *h = *state;
	AUTO(keypair) struct keypair *kp = keyrig_key(0);

	/* Keys of the rig are good for a day. */
	keyrig_put(h, keyrig_secret("mine", kp));
	harness_start_ready(h, NULL);
	harness_expect(h,
	    harness_wait_event(
		h, "kube-system", "mine", "SealingCertificateExpires", LIMIT));
	/* Nor does the next process add one. */
	harness_kill(h);
	control_clear_requests(h->api);
	harness_start_ready(h, NULL);
	harness_expect(h, wait_until(has_posted_event, h, LIMIT));
	harness_expect(h,
	    harness_count_events(
		h, "kube-system", "mine", "SealingCertificateExpires") == 1);
	harness_expect(h, !proc_said(h->controller, "rejected event"));
}

int
main(void)
{
#define CASE(test)                       \
	cmocka_unit_test_setup_teardown( \
	    test, harness_setup, harness_teardown_kill)
	const struct CMUnitTest tests[] = {
		CASE(a_new_key_waits_for_its_backup_through_restarts),
		CASE(a_pending_key_seals_when_its_time_has_come),
		CASE(a_key_for_some_namespaces_opens_there_and_nowhere_else),
		CASE(labels_of_the_namespace_open_a_key),
		CASE(a_key_that_no_item_needs_can_be_retired),
		CASE(a_certificate_that_expires_soon_has_an_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
