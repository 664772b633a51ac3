/*
 * Tests of controller/sealedsecret/attribution.c, and of how runs and watches
 * keep the numbers of items that need a key.
 * layer: sealedsecret
 */
#include "sealedrig.h"

#include "controller/sealedsecret/attribution.h"
#include "tests/lib/keyring.h"

static struct rig rig;
static struct controller *controller;
static uint64_t idle_for;   /* what the clock of work says */
static uint64_t waited;	    /* in all */
static unsigned stop_after; /* waits; 0: never */
static unsigned waits;

static int
setup(void **state UNUSED)
{
	rig_init(&rig);
	controller = controller_new(&rig.cfg);
	idle_for = 1000000;
	waited = 0;
	stop_after = waits = 0;
	return 0;
}

static int
teardown(void **state UNUSED)
{
	controller_free(controller);
	rig_release(&rig);
	return 0;
}

/* As the list of a start finds it: nothing is to be done for it. */
static void
list(json_t *obj)
{
	struct reflector_handler h =
	    controller_sealedsecret_handler(controller);

	rig_tell(&h, rig.sealedsecrets, obj, REFLECTOR_LIST);
}

static void
put(json_t *obj)
{
	AUTO_JSON json_t *stored = NULL;
	const char *name = jsonx_str(obj, "metadata", "name", NULL);
	AUTO_STR char *copy = xstrdup(name);

	fakekube_put(rig.kube, obj);
	stored = fakekube_get(rig.kube, "sealedsecrets", RIG_NS, copy);
	list(stored);
}

static json_t *
sealed(const char *name, const struct keypair *kp)
{
	json_t *obj = rig_sealed(&rig, "v");
	AUTO_STR char *label = xasprintf("%s/%s", RIG_NS, name);

	jsonx_set_str(json_object_get(obj, "metadata"), "name", name);
	jsonx_set_str(json_object_get(obj, "metadata"), "uid", name);
	jsonx_set(jsonx_object(obj, "spec", "encryptedData", NULL), "k",
	    rig_seal(kp, label, "v"));
	return obj;
}

static uint64_t
idle_ms(void *ctx UNUSED)
{
	return idle_for;
}

static bool
wait(void *ctx UNUSED, uint64_t ms)
{
	waited += ms;
	fakeclock_advance_ms(&rig.fc, ms);
	if (idle_for < 1000000)
		idle_for += ms;
	return ++waits == stop_after;
}

static void
pass(void)
{
	const struct attribution_config cfg = {
		.cfg = &rig.cfg,
		.client = &rig.client,
		.gap_ms = 100,
		.idle_ms = idle_ms,
		.wait = wait,
	};
	AUTO(attribution) struct attribution *a = attribution_new(&cfg);

	attribution_pass(a);
}

/* Items of the rig's key, of others that went, and unknown ones. */
static void
expect(uint64_t items, uint64_t lost, uint64_t unknown)
{
	AUTO_RELEASE(registry_listing) struct registry_listing l = { .n = 0 };
	uint64_t got = 0;

	registry_list(rig.keys, &l);
	for (size_t i = 0; i < l.n; i++)
		if (strcmp(l.key[i].fingerprint, RIG_KEY) == 0)
			got = l.key[i].items;
	assert_int_equal(got, items);
	assert_int_equal(l.lost_items, lost);
	assert_int_equal(
	    l.unknown_items + index_unnoted_items(rig.sealedsecrets), unknown);
}

static void
a_run_notes_the_keys_of_its_items(void **state UNUSED)
{
	put(rig_sealed(&rig, "v"));
	expect(0, 0, 1);
	(void)rig_work_all(&rig, controller);
	rig_expect_value(&rig, "v");
	expect(1, 0, 0);
	/* Again, and nothing is counted twice. */
	workqueue_add(rig.queue, &rig.key, WORKQUEUE_NEW, NULL);
	(void)rig_work_all(&rig, controller);
	expect(1, 0, 0);
}

static void
a_pass_opens_what_no_run_has_and_writes_nothing(void **state UNUSED)
{
	for (int i = 0; i < 5; i++) {
		AUTO_STR char *name = xasprintf("one-%d", i);

		put(sealed(name, rig.kp));
	}
	expect(0, 0, 5);
	fakekube_forget_calls(rig.kube);
	pass();
	expect(5, 0, 0);
	assert_int_equal(fakekube_calls(rig.kube, NULL), 5);
	assert_int_equal(fakekube_calls(rig.kube, "GET "), 5);
	assert_true(waited >= 500);
	assert_int_equal(rig_events(&rig, NULL, NULL), 0);
	/* What is known is not opened again. */
	pass();
	assert_int_equal(fakekube_calls(rig.kube, NULL), 5);
}

static void
it_waits_while_there_is_work_and_stops_when_told(void **state UNUSED)
{
	put(sealed("one", rig.kp));
	put(sealed("two", rig.kp));
	idle_for = 0;
	stop_after = 1;
	fakekube_forget_calls(rig.kube);
	pass();
	assert_int_equal(fakekube_calls(rig.kube, NULL), 0);
	expect(0, 0, 2);
	stop_after = 0;
	idle_for = 0;
	pass();
	expect(2, 0, 0);
	assert_true(waited >= 100);
}

static void
what_cannot_be_read_is_looked_at_again(void **state UNUSED)
{
	put(sealed("one", rig.kp));
	fakekube_fail(rig.kube, 1, FAKEKUBE_500);
	pass();
	expect(0, 0, 1);
	pass();
	expect(1, 0, 0);
}

static void
changed_and_deleted_objects_are_subtracted(void **state UNUSED)
{
	struct reflector_handler h =
	    controller_sealedsecret_handler(controller);
	AUTO(keypair) struct keypair *other = vectors_key("other2048", "pkcs1");
	struct index_record old;

	put(rig_sealed(&rig, "v"));
	pass();
	expect(1, 0, 0);
	/* Only its status: still known. */
	put(rig_stored(&rig));
	expect(1, 0, 0);
	put(sealed(RIG_NAME, other));
	expect(0, 0, 1);
	put(rig_sealed(&rig, "w"));
	pass();
	expect(1, 0, 0);
	assert_true(index_remove(rig.sealedsecrets, &rig.key, &old));
	h.gone(h.ctx, &rig.key, &old, NULL);
	expect(0, 0, 0);
}

static void
items_without_a_key_are_looked_at_again_when_one_comes(void **state UNUSED)
{
	AUTO(keypair) struct keypair *other = vectors_key("other2048", "pkcs1");
	struct err err = ERR_INIT;

	put(sealed("one", other));
	pass();
	/* It needs none of the keys that are here. */
	expect(0, 0, 0);
	assert_int_equal(keyring_add(rig.keys, "other", other, 0, &err), 0);
	controller_keys_changed(controller);
	expect(0, 0, 1);
	pass();
	expect(0, 0, 0);
	assert_true(registry_remove(rig.keys, "other"));
	expect(0, 1, 0);
}

static void
two_keys_of_one_object_are_both_needed(void **state UNUSED)
{
	AUTO(keypair) struct keypair *other = vectors_key("other2048", "pkcs1");
	json_t *obj = sealed("one", rig.kp);
	struct err err = ERR_INIT;

	assert_int_equal(keyring_add(rig.keys, "other", other, 0, &err), 0);
	jsonx_set(jsonx_object(obj, "spec", "encryptedData", NULL), "k2",
	    rig_seal(other, RIG_NS "/one", "v"));
	jsonx_set(jsonx_object(obj, "spec", "encryptedData", NULL), "k3",
	    json_integer(5));
	put(obj);
	expect(0, 0, 3);
	pass();
	expect(1, 0, 0);
	assert_true(registry_remove(rig.keys, "other"));
	expect(1, 1, 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_run_notes_the_keys_of_its_items),
		TEST(a_pass_opens_what_no_run_has_and_writes_nothing),
		TEST(it_waits_while_there_is_work_and_stops_when_told),
		TEST(what_cannot_be_read_is_looked_at_again),
		TEST(changed_and_deleted_objects_are_subtracted),
		TEST(items_without_a_key_are_looked_at_again_when_one_comes),
		TEST(two_keys_of_one_object_are_both_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
