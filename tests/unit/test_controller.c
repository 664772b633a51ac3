/*
 * Tests of controller/sealedsecret/controller.c: what becomes of results,
 * workers, and that every fault at every place heals.
 * layer: sealedsecret
 */
#include "sealedrig.h"
#include "tests/lib/keyring.h"

static struct rig rig;
static struct controller *controller;

static int
setup(void **state UNUSED)
{
	rig_init(&rig);
	controller = controller_new(&rig.cfg);
	return 0;
}

static int
teardown(void **state UNUSED)
{
	controller_free(controller);
	rig_release(&rig);
	return 0;
}

/* The watch tells of what is stored now. */
static void
watch(void)
{
	struct reflector_handler h =
	    controller_sealedsecret_handler(controller);
	AUTO_JSON json_t *obj = rig_stored(&rig);

	rig_tell(&h, rig.sealedsecrets, obj, REFLECTOR_WATCH);
}

static void
put(json_t *obj)
{
	fakekube_put(rig.kube, obj);
	watch();
}

static unsigned
work_all(void)
{
	return rig_work_all(&rig, controller);
}

static void
spoil(json_t *obj)
{
	jsonx_set_str(
	    jsonx_object(obj, "spec", "encryptedData", NULL), "k", "AgAA");
}

/* ---- results ---- */

static void
success_leaves_nothing_behind(void **state UNUSED)
{
	put(rig_sealed(&rig, "v1"));
	assert_int_equal(work_all(), 1);
	watch();
	fakeclock_advance_s(&rig.fc, 24 * 3600);
	assert_int_equal(work_all(), 0);
	rig_expect_value(&rig, "v1");
	assert_int_equal(workqueue_failures(rig.queue, &rig.key), 0);
	assert_int_equal(controller_count(controller), 1);
}

static void
released_it_creates_without_looking(void **state UNUSED)
{
	controller_release(controller);
	put(rig_sealed(&rig, "v1"));
	assert_int_equal(work_all(), 1);
	assert_int_equal(fakekube_calls(rig.kube, "GET "), 0);
	rig_expect_value(&rig, "v1");
}

static void
without_a_watch_of_secrets_it_always_looks(void **state UNUSED)
{
	rig.cfg.skip_recreate = true;
	controller_free(controller);
	controller = controller_new(&rig.cfg);
	controller_release(controller);
	put(rig_sealed(&rig, "v1"));
	assert_int_equal(work_all(), 1);
	assert_int_equal(fakekube_calls(rig.kube, "GET "), 1);
}

static void
a_scrape_tells_how_long_the_oldest_key_waits(void **state UNUSED)
{
	struct buf text = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	put(rig_sealed(&rig, "v1"));
	fakeclock_advance_ms(&rig.fc, 2500);
	assert_int_equal(metrics_render(rig.cfg.metrics, &text, &err), 0);
	assert_non_null(strstr(buf_str(&text), "queue_depth 1\n"));
	assert_non_null(
	    strstr(buf_str(&text), "queue_oldest_age_seconds 2.5\n"));
	assert_int_equal(work_all(), 1);
	buf_clear(&text);
	assert_int_equal(metrics_render(rig.cfg.metrics, &text, &err), 0);
	assert_non_null(strstr(buf_str(&text), "queue_depth 0\n"));
	assert_non_null(strstr(buf_str(&text), "queue_oldest_age_seconds 0\n"));
	buf_release(&text);
}

static void
fast_retries_come_first_and_slow_ones_never_end(void **state UNUSED)
{
	/* Up to which time each attempt has been made, in ms after the one
	 * before. */
	static const uint64_t at_most[] = { 5, 10, 20, 40, 80, 1000, 2000, 4000,
		8000, 16000, 32000, 60000, 60000, 60000 };

	put(rig_sealed(&rig, "v1"));
	fakekube_fail_all(rig.kube, "POST ", FAKEKUBE_500);
	assert_int_equal(work_all(), 1);
	for (size_t i = 0; i < ARRAY_SIZE(at_most); i++) {
		fakeclock_advance_ms(&rig.fc, at_most[i] / 2 - 1);
		assert_int_equal(work_all(), 0);
		fakeclock_advance_ms(&rig.fc, at_most[i] / 2 + 2);
		assert_int_equal(work_all(), 1);
	}
	fakekube_fail_all(rig.kube, NULL, FAKEKUBE_OK);
	fakeclock_advance_s(&rig.fc, 60);
	assert_int_equal(work_all(), 1);
	rig_expect_value(&rig, "v1");
	rig_expect_condition(&rig, "True", "");
	assert_int_equal(workqueue_failures(rig.queue, &rig.key), 0);
}

static void
no_fast_retries_means_slow_ones_at_once(void **state UNUSED)
{
	rig.cfg.max_unseal_retries = 0;
	controller_free(controller);
	controller = controller_new(&rig.cfg);
	put(rig_sealed(&rig, "v1"));
	fakekube_fail(rig.kube, 2, FAKEKUBE_500);
	assert_int_equal(work_all(), 1);
	fakeclock_advance_ms(&rig.fc, 499);
	assert_int_equal(work_all(), 0);
	fakeclock_advance_ms(&rig.fc, 501);
	assert_int_equal(work_all(), 1);
}

static void
a_longer_wait_that_the_server_asks_for_is_kept(void **state UNUSED)
{
	put(rig_sealed(&rig, "v1"));
	fakekube_fail(rig.kube, 2, FAKEKUBE_429);
	assert_int_equal(work_all(), 1);
	fakeclock_advance_ms(&rig.fc, 6999);
	assert_int_equal(work_all(), 0);
	fakeclock_advance_ms(&rig.fc, 1);
	assert_int_equal(work_all(), 1);
	rig_expect_value(&rig, "v1");
}

static void
what_only_a_change_cures_waits_for_it(void **state UNUSED)
{
	json_t *obj = rig_sealed(&rig, "v1");

	spoil(obj);
	put(obj);
	assert_int_equal(work_all(), 1);
	watch();
	fakeclock_advance_s(&rig.fc, 599);
	assert_int_equal(work_all(), 0);
	fakeclock_advance_s(&rig.fc, 301);
	fakekube_forget_calls(rig.kube);
	assert_int_equal(work_all(), 1);
	assert_int_equal(fakekube_calls(rig.kube, NULL), 1);
	assert_int_equal(rig_events(&rig, NULL, NULL), 1);
	put(rig_sealed(&rig, "v1"));
	assert_int_equal(work_all(), 1);
	rig_expect_value(&rig, "v1");
}

static void
a_new_key_cures_what_waited_for_it(void **state UNUSED)
{
	struct keypair *other = vectors_key("other2048", "pkcs1");
	json_t *obj = rig_sealed(&rig, "v1");
	struct err err = ERR_INIT;

	jsonx_set(jsonx_object(obj, "spec", "encryptedData", NULL), "k",
	    rig_seal(other, "demo/foo", "v1"));
	put(obj);
	assert_int_equal(work_all(), 1);
	rig_expect_value(&rig, "");
	assert_int_equal(keyring_add(rig.keys, "other", other, 2, &err), 0);
	controller_keys_changed(controller);
	assert_int_equal(work_all(), 1);
	rig_expect_value(&rig, "v1");
	rig_expect_condition(&rig, "True", "");
	keypair_free(other);
}

static void
a_blocked_object_heals_when_the_foreign_secret_goes(void **state UNUSED)
{
	json_t *foreign =
	    json_pack("{s:s,s:s,s:{s:s,s:s}}", "apiVersion", "v1", "kind",
		"Secret", "metadata", "name", RIG_NAME, "namespace", RIG_NS);

	fakekube_put(rig.kube, foreign);
	put(rig_sealed(&rig, "v1"));
	for (unsigned i = 0; i < 20; i++) {
		(void)work_all();
		fakeclock_advance_s(&rig.fc, 60);
	}
	rig_expect_condition(&rig, "False",
	    "failed update: Resource \"foo\" already exists and is not managed "
	    "by SealedSecret");
	assert_true(fakekube_remove(rig.kube, "secrets", RIG_NS, RIG_NAME));
	assert_int_equal(work_all(), 1);
	rig_expect_value(&rig, "v1");
	rig_expect_condition(&rig, "True", "");
}

static void
a_foreign_secret_is_not_replaced_within_a_second(void **state UNUSED)
{
	json_t *foreign =
	    json_pack("{s:s,s:s,s:{s:s,s:s}}", "apiVersion", "v1", "kind",
		"Secret", "metadata", "name", RIG_NAME, "namespace", RIG_NS);

	fakekube_put(rig.kube, foreign);
	put(rig_sealed(&rig, "v1"));
	assert_int_equal(work_all(), 1);
	assert_true(fakekube_remove(rig.kube, "secrets", RIG_NS, RIG_NAME));
	fakeclock_advance_ms(&rig.fc, 999);
	assert_int_equal(work_all(), 0);
	fakeclock_advance_ms(&rig.fc, 1);
	assert_int_equal(work_all(), 1);
	rig_expect_value(&rig, "v1");
}

/* Every fourth is good, the others are each wrong in another way. */
#define FLOOD 200

static json_t *
flood_object(unsigned i, bool *good)
{
	static const char *const bad[] = { "null", "7", "[]", "\"x\"",
		"{\"encryptedData\":7}", "{\"encryptedData\":{\"k\":7}}",
		"{\"encryptedData\":{\"k\":null}}",
		"{\"encryptedData\":{\"k\":{\"a\":[]}}}",
		"{\"encryptedData\":{\"k\":\"%\"}}",
		"{\"encryptedData\":{\"k\":\"AgA=\"}}",
		"{\"encryptedData\":{\"a/b\":\"AgAA\"}}",
		"{\"encryptedData\":{},\"template\":[]}",
		"{\"encryptedData\":{},\"template\":{\"metadata\":7}}",
		"{\"encryptedData\":{},\"template\":{\"metadata\":{"
		"\"labels\":{\"a\":true}}}}",
		"{\"encryptedData\":{},\"template\":{\"type\":[]}}",
		"{\"encryptedData\":{},\"template\":{\"data\":{\"a\":"
		"\"{{\"}}}",
		"{\"data\":7}", "{\"data\":\"\"}" };
	json_t *obj = rig_sealed(&rig, "v");
	AUTO_STR char *name = xasprintf("f%u", i);
	AUTO_STR char *label = xasprintf("demo/f%u", i);

	*good = i % 4 == 0;
	jsonx_set_str(json_object_get(obj, "metadata"), "name", name);
	jsonx_set_str(json_object_get(obj, "metadata"), "uid", label);
	if (*good)
		jsonx_set(jsonx_object(obj, "spec", "encryptedData", NULL), "k",
		    rig_seal(rig.kp, label, "v"));
	else
		jsonx_set(
		    obj, "spec", jsontext_parse(bad[i % ARRAY_SIZE(bad)]));
	return obj;
}

static void
a_flood_of_bad_objects_leaves_the_good_ones_alone(void **state UNUSED)
{
	struct reflector_handler h =
	    controller_sealedsecret_handler(controller);
	bool good[FLOOD];

	for (unsigned i = 0; i < FLOOD; i++) {
		json_t *obj = flood_object(i, &good[i]);

		fakekube_put(rig.kube, json_incref(obj));
		rig_tell(&h, rig.sealedsecrets, obj, REFLECTOR_WATCH);
		json_decref(obj);
	}
	assert_int_equal(work_all(), FLOOD);
	for (unsigned i = 0; i < FLOOD; i++) {
		AUTO_STR char *name = xasprintf("f%u", i);
		AUTO_JSON json_t *obj =
		    fakekube_get(rig.kube, "sealedsecrets", RIG_NS, name);
		AUTO_JSON json_t *s =
		    fakekube_get(rig.kube, "secrets", RIG_NS, name);
		const json_t *c = json_array_get(
		    jsonx_array(obj, "status", "conditions", NULL), 0);
		const char *message = jsonx_str(c, "message", NULL);

		assert_string_equal(
		    jsonx_str(c, "status", NULL), good[i] ? "True" : "False");
		assert_int_equal(s != NULL, good[i]);
		if (!good[i])
			assert_true(strlen(message) > 0);
	}
	/* None of them keeps anybody busy. */
	fakeclock_advance_s(&rig.fc, 300);
	assert_int_equal(work_all(), 0);
}

static void
one_bad_object_does_not_disturb_another(void **state UNUSED)
{
	json_t *bad = rig_sealed(&rig, "bad");
	struct reflector_handler h =
	    controller_sealedsecret_handler(controller);

	jsonx_set_str(json_object_get(bad, "metadata"), "name", "bad");
	jsonx_set_str(json_object_get(bad, "metadata"), "uid", "bad-uid");
	jsonx_set(bad, "spec", json_integer(7));
	fakekube_put(rig.kube, json_incref(bad));
	rig_tell(&h, rig.sealedsecrets, bad, REFLECTOR_WATCH);
	json_decref(bad);
	put(rig_sealed(&rig, "v1"));
	assert_int_equal(work_all(), 2);
	rig_expect_value(&rig, "v1");
	rig_expect_condition(&rig, "True", "");
}

/* ---- faults ---- */

static bool
settled(void)
{
	AUTO_JSON json_t *obj = rig_stored(&rig);
	AUTO_JSON json_t *s = rig_secret(&rig);
	json_t *c =
	    json_array_get(jsonx_array(obj, "status", "conditions", NULL), 0);
	const char *status = jsonx_str(c, "status", NULL);

	return s != NULL && status != NULL && strcmp(status, "True") == 0 &&
	    jsonx_int(obj, "status", "observedGeneration", NULL) ==
	    jsonx_int(obj, "metadata", "generation", NULL);
}

/* Runs until nothing is left to do; the watch tells of each change. */
static void
run_to_rest(void)
{
	for (unsigned i = 0; i < 100; i++) {
		unsigned n = work_all();

		watch();
		n += work_all();
		if (n == 0 && settled())
			return;
		fakeclock_advance_s(&rig.fc, 61);
	}
	fail_msg("never came to rest");
}

/* First life, update, and a deleted Secret: each meets the fault at its nth
 * request. Returns whether the fault was met. */
static bool
live_through(enum fakekube_fault fault, unsigned nth)
{
	json_t *obj;
	unsigned before;

	fakekube_fail(rig.kube, nth, fault);
	put(rig_sealed(&rig, "v1"));
	run_to_rest();
	rig_expect_value(&rig, "v1");

	fakekube_fail(rig.kube, nth, fault);
	obj = rig_stored(&rig);
	jsonx_set(jsonx_object(obj, "spec", "encryptedData", NULL), "k",
	    rig_seal(rig.kp, "demo/foo", "v2"));
	put(obj);
	run_to_rest();
	rig_expect_value(&rig, "v2");

	before = fakekube_calls(rig.kube, NULL);
	fakekube_fail(rig.kube, nth, fault);
	assert_true(fakekube_remove(rig.kube, "secrets", RIG_NS, RIG_NAME));
	workqueue_add(rig.queue, &rig.key, WORKQUEUE_NEW, NULL);
	run_to_rest();
	rig_expect_value(&rig, "v2");
	return fakekube_calls(rig.kube, NULL) - before >= nth;
}

static void
every_fault_at_every_request_heals(void **state UNUSED)
{
	static const enum fakekube_fault faults[] = { FAKEKUBE_500,
		FAKEKUBE_429, FAKEKUBE_403, FAKEKUBE_422, FAKEKUBE_CONFLICT,
		FAKEKUBE_CUT, FAKEKUBE_LOST };

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		bool met = true;

		for (unsigned nth = 1; met; nth++) {
			(void)teardown(NULL);
			(void)setup(NULL);
			met = live_through(faults[i], nth);
			assert_true(nth < 50);
		}
	}
}

static void
at_rest_nothing_is_written_and_nothing_told(void **state UNUSED)
{
	int64_t told;

	put(rig_sealed(&rig, "v1"));
	run_to_rest();
	told = rig_events(&rig, NULL, NULL);
	fakekube_forget_calls(rig.kube);
	for (unsigned i = 0; i < 10; i++) {
		watch();
		fakeclock_advance_s(&rig.fc, 3600);
		assert_int_equal(work_all(), 0);
	}
	assert_int_equal(fakekube_calls(rig.kube, NULL), 0);
	assert_int_equal(rig_events(&rig, NULL, NULL), told);
}

/* ---- workers ---- */

#define OBJECTS 40
#define WORKERS 4

static json_t *
numbered(unsigned i)
{
	json_t *obj = rig_sealed(&rig, "v");
	AUTO_STR char *name = xasprintf("n%u", i);
	AUTO_STR char *uid = xasprintf("uid-of-n%u", i);
	AUTO_STR char *label = xasprintf("demo/n%u", i);

	jsonx_set_str(json_object_get(obj, "metadata"), "name", name);
	jsonx_set_str(json_object_get(obj, "metadata"), "uid", uid);
	jsonx_set(jsonx_object(obj, "spec", "encryptedData", NULL), "k",
	    rig_seal(rig.kp, label, "v"));
	return obj;
}

struct counter {
	struct mutex mu;
	struct cond changed;
	unsigned posts, statuses;
};

static void
count(void *ctx, const char *method, const char *path)
{
	struct counter *c = ctx;

	mutex_lock(&c->mu);
	if (strcmp(method, "POST") == 0)
		c->posts++;
	if (strstr(path, "/status") != NULL)
		c->statuses++;
	cond_broadcast(&c->changed);
	mutex_unlock(&c->mu);
}

static void
workers_wait_for_the_release_and_share_the_work(void **state UNUSED)
{
	struct reflector_handler h =
	    controller_sealedsecret_handler(controller);
	struct kube_client clients[WORKERS];
	struct counter c = { .posts = 0 };
	AUTO_JSON json_t *all = NULL;

	mutex_init(&c.mu);
	cond_init(&c.changed);
	fakekube_hook(rig.kube, count, &c);
	for (unsigned i = 0; i < WORKERS; i++)
		clients[i] = rig.client;
	controller_start_workers(controller, WORKERS, clients);
	for (unsigned i = 0; i < OBJECTS; i++) {
		json_t *obj = numbered(i);

		fakekube_put(rig.kube, json_incref(obj));
		rig_tell(&h, rig.sealedsecrets, obj, REFLECTOR_WATCH);
		json_decref(obj);
	}
	assert_int_equal(workqueue_len(rig.queue), OBJECTS);
	assert_int_equal(fakekube_calls(rig.kube, NULL), 0);
	controller_release(controller);
	mutex_lock(&c.mu);
	while (c.statuses < OBJECTS)
		if (!cond_wait_for(&c.changed, &c.mu, 60 * NS_PER_S))
			break;
	mutex_unlock(&c.mu);
	workqueue_shutdown(rig.queue);
	controller_join_workers(controller);
	assert_int_equal(c.posts, OBJECTS);
	all = fakekube_all(rig.kube, "secrets");
	assert_int_equal(json_array_size(all), OBJECTS);
	cond_destroy(&c.changed);
	mutex_destroy(&c.mu);
}

static void
held_workers_take_nothing_until_they_are_released_again(void **state UNUSED)
{
	struct kube_client clients[2] = { rig.client, rig.client };
	struct counter c = { .posts = 0 };
	bool ran;

	mutex_init(&c.mu);
	cond_init(&c.changed);
	fakekube_hook(rig.kube, count, &c);
	controller_start_workers(controller, 2, clients);
	controller_release(controller);
	controller_lead(controller, false);
	put(rig_sealed(&rig, "v1"));
	mutex_lock(&c.mu);
	ran = cond_wait_for(&c.changed, &c.mu, NS_PER_S / 5);
	mutex_unlock(&c.mu);
	assert_false(ran);
	assert_int_equal(fakekube_calls(rig.kube, NULL), 0);
	controller_lead(controller, true);
	mutex_lock(&c.mu);
	while (c.statuses < 1)
		if (!cond_wait_for(&c.changed, &c.mu, 60 * NS_PER_S))
			break;
	mutex_unlock(&c.mu);
	workqueue_shutdown(rig.queue);
	controller_join_workers(controller);
	rig_expect_value(&rig, "v1");
	cond_destroy(&c.changed);
	mutex_destroy(&c.mu);
}

static void
workers_that_were_never_released_can_be_joined(void **state UNUSED)
{
	struct kube_client clients[2] = { rig.client, rig.client };

	put(rig_sealed(&rig, "v1"));
	controller_start_workers(controller, 2, clients);
	workqueue_shutdown(rig.queue);
	controller_join_workers(controller);
	assert_int_equal(fakekube_calls(rig.kube, NULL), 0);
}

static bool
refuse_writes(void *ctx)
{
	const bool *leads = ctx;

	return *leads;
}

static void
what_was_stopped_by_a_loss_of_leadership_is_done_later(void **state UNUSED)
{
	bool leads = false;

	controller_release(controller);
	rig.client.may_write = refuse_writes;
	rig.client.may_write_ctx = &leads;
	put(rig_sealed(&rig, "v1"));
	assert_int_equal(work_all(), 1);
	assert_int_equal(fakekube_calls(rig.kube, "POST "), 0);
	assert_int_equal(fakekube_calls(rig.kube, "PUT "), 0);
	/* Not a failure, and no busy loop. */
	assert_int_equal(workqueue_failures(rig.queue, &rig.key), 0);
	assert_int_equal(work_all(), 0);
	leads = true;
	fakeclock_advance_s(&rig.fc, 1);
	assert_int_equal(work_all(), 1);
	rig_expect_value(&rig, "v1");
}

static void
a_follower_keeps_its_keys_until_it_leads(void **state UNUSED)
{
	struct kube_client clients[2] = { rig.client, rig.client };
	struct counter c = { .posts = 0 };

	mutex_init(&c.mu);
	cond_init(&c.changed);
	fakekube_hook(rig.kube, count, &c);
	controller_lead(controller, false);
	controller_start_workers(controller, 2, clients);
	controller_release(controller);
	put(rig_sealed(&rig, "v1"));
	/* Workers that did not wait would be done long before. */
	mutex_lock(&c.mu);
	assert_false(cond_wait_for(&c.changed, &c.mu, NS_PER_S / 5));
	mutex_unlock(&c.mu);
	assert_int_equal(workqueue_len(rig.queue), 1);
	assert_int_equal(fakekube_calls(rig.kube, NULL), 0);
	controller_lead(controller, true);
	mutex_lock(&c.mu);
	while (c.statuses < 1)
		if (!cond_wait_for(&c.changed, &c.mu, 60 * NS_PER_S))
			break;
	mutex_unlock(&c.mu);
	controller_lead(controller, false);
	workqueue_shutdown(rig.queue);
	controller_join_workers(controller);
	assert_int_equal(c.posts, 1);
	cond_destroy(&c.changed);
	mutex_destroy(&c.mu);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_scrape_tells_how_long_the_oldest_key_waits, setup,
		    teardown),
		T(success_leaves_nothing_behind),
		T(released_it_creates_without_looking),
		T(without_a_watch_of_secrets_it_always_looks),
		T(fast_retries_come_first_and_slow_ones_never_end),
		T(no_fast_retries_means_slow_ones_at_once),
		T(a_longer_wait_that_the_server_asks_for_is_kept),
		T(what_only_a_change_cures_waits_for_it),
		T(a_new_key_cures_what_waited_for_it),
		T(a_blocked_object_heals_when_the_foreign_secret_goes),
		T(a_foreign_secret_is_not_replaced_within_a_second),
		T(a_flood_of_bad_objects_leaves_the_good_ones_alone),
		T(one_bad_object_does_not_disturb_another),
		T(every_fault_at_every_request_heals),
		T(at_rest_nothing_is_written_and_nothing_told),
		T(workers_wait_for_the_release_and_share_the_work),
		T(held_workers_take_nothing_until_they_are_released_again),
		T(workers_that_were_never_released_can_be_joined),
		T(what_was_stopped_by_a_loss_of_leadership_is_done_later),
		T(a_follower_keeps_its_keys_until_it_leads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
