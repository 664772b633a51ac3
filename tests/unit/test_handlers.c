/*
 * Tests of controller/sealedsecret/handlers.c: what the two watches enqueue.
 * layer: sealedsecret
 */
#include "controller/sealedsecret/handlers.h"
#include "sealedrig.h"

static struct rig rig;
static struct handlers handlers;
static struct reflector_handler sealed, secrets;

static int
setup(void **state UNUSED)
{
	rig_init(&rig);
	handlers.cfg = &rig.cfg;
	sealed = handlers_sealedsecret(&handlers);
	secrets = handlers_secret(&handlers);
	return 0;
}

static int
teardown(void **state UNUSED)
{
	rig_release(&rig);
	return 0;
}

/* What a reflector does with an object (stolen). */
static void
tell(const struct reflector_handler *h, struct index *ix, json_t *obj,
    enum reflector_via via)
{
	rig_tell(h, ix, obj, via);
	json_decref(obj);
}

static void
tell_gone(const struct reflector_handler *h, struct index *ix)
{
	struct index_record old;

	assert_true(index_remove(ix, &rig.key, &old));
	h->gone(h->ctx, &rig.key, &old, NULL);
}

/* Takes what is ready: 'b' with a body, 'k' without, '-' nothing. */
static char
taken(void)
{
	struct objkey key;
	json_t *body = NULL;
	bool got = workqueue_try_get(rig.queue, &key, &body);
	char c = body != NULL ? 'b' : 'k';

	json_decref(body);
	if (!got)
		return '-';
	assert_true(objkey_equal(&key, &rig.key));
	workqueue_done(rig.queue, &key);
	return c;
}

static json_t *
object(void)
{
	json_t *obj = rig_sealed(&rig, "v");

	/* The same text each time. */
	jsonx_set(json_object_get(obj, "spec"), "encryptedData",
	    json_pack("{s:s}", "k", "AgAA"));
	return obj;
}

static json_t *
with(json_t *obj, const char *member, const char *name, const char *value)
{
	json_t *m = json_object_get(obj, "metadata");

	if (value == NULL) {
		jsonx_set_str(m, member, name);
		return obj;
	}
	if (json_object_get(m, member) == NULL)
		jsonx_set(m, member, json_object());
	jsonx_set_str(json_object_get(m, member), name, value);
	return obj;
}

static void
new_objects_are_enqueued_with_their_body(void **state UNUSED)
{
	tell(&sealed, rig.sealedsecrets, object(), REFLECTOR_WATCH);
	assert_int_equal(taken(), 'b');
	assert_int_equal(taken(), '-');
}

static void
a_first_list_goes_behind_events(void **state UNUSED)
{
	struct objkey key;
	json_t *body;
	json_t *later = object();

	tell(&sealed, rig.sealedsecrets, object(), REFLECTOR_LIST);
	jsonx_set_str(json_object_get(later, "metadata"), "name", "later");
	tell(&sealed, rig.sealedsecrets, later, REFLECTOR_WATCH);
	assert_true(workqueue_try_get(rig.queue, &key, &body));
	json_decref(body);
	assert_string_equal(key.name, "later");
	workqueue_done(rig.queue, &key);
	assert_int_equal(taken(), 'b');
}

static void
echoes_of_status_and_re_lists_are_not(void **state UNUSED)
{
	json_t *echo = object();

	tell(&sealed, rig.sealedsecrets, object(), REFLECTOR_WATCH);
	assert_int_equal(taken(), 'b');
	jsonx_set(echo, "status", json_pack("{s:i}", "observedGeneration", 1));
	tell(&sealed, rig.sealedsecrets, with(echo, "labels", "a", "1"),
	    REFLECTOR_WATCH);
	tell(&sealed, rig.sealedsecrets, object(), REFLECTOR_LIST);
	assert_int_equal(taken(), '-');
}

static void
what_makes_a_difference_is_enqueued(void **state UNUSED)
{
	json_t *spec = object();

	tell(&sealed, rig.sealedsecrets, object(), REFLECTOR_WATCH);
	assert_int_equal(taken(), 'b');
	jsonx_set_str(json_object_get(spec, "spec"), "x", "y");
	tell(&sealed, rig.sealedsecrets, spec, REFLECTOR_WATCH);
	assert_int_equal(taken(), 'b');
	tell(&sealed, rig.sealedsecrets,
	    with(object(), "annotations", ANNOTATION_CLUSTER_WIDE, "true"),
	    REFLECTOR_WATCH);
	assert_int_equal(taken(), 'b');
	tell(&sealed, rig.sealedsecrets,
	    with(object(), "annotations", ANNOTATION_CLUSTER_WIDE, "yes"),
	    REFLECTOR_LIST);
	assert_int_equal(taken(), 'b');
	/* The same but for its UID: another object. */
	tell(&sealed, rig.sealedsecrets, with(object(), "uid", "new", NULL),
	    REFLECTOR_LIST);
	assert_int_equal(taken(), 'b');
}

static double
series(const char *instance)
{
	return metrics_value(rig.metrics, METRIC_CONDITION_INFO, RIG_NS,
	    RIG_NAME, "Synced", instance);
}

static void
series_go_with_the_object_and_follow_its_label(void **state UNUSED)
{
	tell(&sealed, rig.sealedsecrets, object(), REFLECTOR_WATCH);
	assert_int_equal(taken(), 'b');
	metrics_set(rig.metrics, METRIC_CONDITION_INFO, -1.0, RIG_NS, RIG_NAME,
	    "Synced", "");
	assert_true(index_note(
	    rig.sealedsecrets, &rig.key, RIG_UID, 0, ERR_NOKEY + 1, 1));
	tell(&sealed, rig.sealedsecrets,
	    with(object(), "labels", "app.kubernetes.io/instance", "prod"),
	    REFLECTOR_WATCH);
	assert_true(series("") == 0);
	assert_true(series("prod") == -1);
	assert_int_equal(taken(), '-');
	tell_gone(&sealed, rig.sealedsecrets);
	assert_true(series("prod") == 0);
	assert_int_equal(taken(), '-');
}

static void
an_object_that_never_ran_has_no_series_to_move(void **state UNUSED)
{
	tell(&sealed, rig.sealedsecrets, object(), REFLECTOR_WATCH);
	tell(&sealed, rig.sealedsecrets,
	    with(object(), "labels", "app.kubernetes.io/instance", "prod"),
	    REFLECTOR_WATCH);
	assert_true(series("prod") == 0);
}

static void
the_old_way_of_deleting_needs_a_run(void **state UNUSED)
{
	rig.cfg.old_gc = true;
	tell(&sealed, rig.sealedsecrets, object(), REFLECTOR_WATCH);
	assert_int_equal(taken(), 'b');
	tell_gone(&sealed, rig.sealedsecrets);
	assert_int_equal(taken(), 'k');
}

/* ---- Secrets ---- */

static json_t *
meta(const char *owner_name, const char *uid)
{
	json_t *m = json_pack("{s:{s:s,s:s,s:s}}", "metadata", "name", RIG_NAME,
	    "namespace", RIG_NS, "uid", "s-uid");

	if (owner_name != NULL)
		jsonx_set(json_object_get(m, "metadata"), "ownerReferences",
		    json_pack("[{s:s,s:s,s:s,s:s,s:b}]", "apiVersion",
			"bitnami.com/v1alpha1", "kind", "SealedSecret", "name",
			owner_name, "uid", uid, "controller", 1));
	return m;
}

static void
a_deleted_secret_comes_back_where_it_was_ours(void **state UNUSED)
{
	const struct {
		json_t *obj;
		char want;
	} cases[] = {
		{ meta(RIG_NAME, RIG_UID), 'k' },
		{ meta(RIG_NAME, "old-uid"), 'k' },
		{ meta("other", RIG_UID), '-' },
		{ meta(NULL, NULL), '-' },
		{ with(meta(NULL, NULL), "annotations", ANNOTATION_MANAGED,
		      "true"),
		    'k' },
		{ with(meta(NULL, NULL), "annotations", ANNOTATION_PATCH,
		      "true"),
		    '-' },
	};

	tell(&sealed, rig.sealedsecrets, object(), REFLECTOR_WATCH);
	assert_int_equal(taken(), 'b');
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		tell(&secrets, rig.secrets, cases[i].obj, REFLECTOR_WATCH);
		assert_int_equal(taken(), '-');
		tell_gone(&secrets, rig.secrets);
		if (taken() != cases[i].want)
			fail_msg("case %zu", i);
	}
}

static void
a_deleted_secret_without_a_sealed_one_is_nothing(void **state UNUSED)
{
	tell(&secrets, rig.secrets, meta(RIG_NAME, RIG_UID), REFLECTOR_LIST);
	tell_gone(&secrets, rig.secrets);
	assert_int_equal(taken(), '-');
}

static void
a_record_of_a_secret_holds_no_contents(void **state UNUSED)
{
	AUTO_JSON json_t *obj = meta(RIG_NAME, RIG_UID);
	struct index_record rec = { 0 };

	assert_true(secrets.reduce(secrets.ctx, obj, &rec));
	assert_string_equal(rec.owner_uid, RIG_UID);
	assert_string_equal(rec.uid, "s-uid");
	assert_int_equal(rec.digest, 0);
}

static void
an_annotation_that_gives_the_right_ends_the_wait(void **state UNUSED)
{
	tell(&sealed, rig.sealedsecrets, object(), REFLECTOR_WATCH);
	assert_int_equal(taken(), 'b');
	tell(&secrets, rig.secrets, meta(NULL, NULL), REFLECTOR_WATCH);
	tell(&secrets, rig.secrets,
	    with(meta(NULL, NULL), "annotations", ANNOTATION_MANAGED, "true"),
	    REFLECTOR_WATCH);
	/* Nobody waits for it. */
	assert_int_equal(taken(), '-');
	assert_true(index_note(
	    rig.sealedsecrets, &rig.key, RIG_UID, 0, ERR_UNMANAGED + 1, 1));
	tell(&secrets, rig.secrets, meta(NULL, NULL), REFLECTOR_WATCH);
	assert_int_equal(taken(), 'k');
	/* Unchanged in what matters. */
	tell(&secrets, rig.secrets, with(meta(NULL, NULL), "labels", "a", "1"),
	    REFLECTOR_WATCH);
	assert_int_equal(taken(), '-');
}

/* ---- keys ---- */

static void
new_keys_wake_those_that_found_none(void **state UNUSED)
{
	static const struct {
		uint32_t result;
		char want;
	} cases[] = {
		{ 0, '-' },
		{ 1, '-' },
		{ ERR_NOKEY + 1, 'k' },
		{ (77u << 8) | (ERR_NOKEY + 1), 'k' },
		{ ERR_INVALID + 1, '-' },
		{ ERR_UNMANAGED + 1, '-' },
	};

	tell(&sealed, rig.sealedsecrets, object(), REFLECTOR_WATCH);
	assert_int_equal(taken(), 'b');
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(index_note(rig.sealedsecrets, &rig.key, RIG_UID, 0,
		    cases[i].result, 1));
		handlers_keys_changed(&handlers);
		if (taken() != cases[i].want)
			fail_msg("case %zu", i);
	}
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(new_objects_are_enqueued_with_their_body),
		T(a_first_list_goes_behind_events),
		T(echoes_of_status_and_re_lists_are_not),
		T(what_makes_a_difference_is_enqueued),
		T(series_go_with_the_object_and_follow_its_label),
		T(an_object_that_never_ran_has_no_series_to_move),
		T(the_old_way_of_deleting_needs_a_run),
		T(a_deleted_secret_comes_back_where_it_was_ours),
		T(a_deleted_secret_without_a_sealed_one_is_nothing),
		T(a_record_of_a_secret_holds_no_contents),
		T(an_annotation_that_gives_the_right_ends_the_wait),
		T(new_keys_wake_those_that_found_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
