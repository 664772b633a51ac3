/*
 * Tests of controller/sealedsecret/ as a whole: what others do to a Secret is
 * put right, a restart does nothing without need, and whatever goes wrong
 * heals by itself. An API server in memory, and a clock that tests move.
 * layer: sealedsecret
 */
#include "base/timefmt.h"
#include "sealedrig.h"

#define WRONG "d3Jvbmc="
/* A back-off step is no longer. */
#define STEP_S 60

static struct rig rig;
static struct controller *controller;

static int
setup(void **state UNUSED)
{
	rig_init(&rig);
	controller = controller_new(&rig.cfg);
	controller_release(controller);
	return 0;
}

static int
teardown(void **state UNUSED)
{
	controller_free(controller);
	rig_release(&rig);
	return 0;
}

/* The watches, or a list, tell of what is stored now. */
static void
watch(enum reflector_via via)
{
	struct reflector_handler sh =
	    controller_sealedsecret_handler(controller);
	struct reflector_handler h = controller_secret_handler(controller);
	AUTO_JSON json_t *obj = rig_stored(&rig);
	AUTO_JSON json_t *s = rig_secret(&rig);
	struct index_record old;

	if (s != NULL)
		rig_tell(&h, rig.secrets, s, via);
	else if (index_remove(rig.secrets, &rig.key, &old))
		h.gone(h.ctx, &rig.key, &old, NULL);
	rig_tell(&sh, rig.sealedsecrets, obj, via);
}

static unsigned
work_all(void)
{
	return rig_work_all(&rig, controller);
}

/* Who wrote what, as the server would have it after a write by this one. */
static json_t *
entry(const char *manager, const json_t *secret)
{
	json_t *e = json_pack("{s:s,s:s,s:{s:{},s:{s:{},s:{}}}}", "manager",
	    manager, "time", "2026-01-01T00:00:00Z", "fieldsV1", "f:data",
	    "f:metadata", "f:labels", "f:annotations");
	const char *k;
	json_t *v;

#define COPY(from, ...)                                                      \
	json_object_foreach(from, k, v)                                      \
	{                                                                    \
		AUTO_STR char *f = xasprintf("f:%s", k);                     \
                                                                             \
		jsonx_set(jsonx_object(e, "fieldsV1", __VA_ARGS__, NULL), f, \
		    json_object());                                          \
	}
	COPY(json_object_get(secret, "data"), "f:data")
	COPY(jsonx_object(secret, "metadata", "labels", NULL), "f:metadata",
	    "f:labels")
	COPY(jsonx_object(secret, "metadata", "annotations", NULL),
	    "f:metadata", "f:annotations")
	return e;
}

/* We wrote all of the Secret. */
static void
mark_ours(void)
{
	json_t *s = rig_secret(&rig);
	json_t *list = json_array();

	(void)json_array_append_new(list, entry("controller", s));
	jsonx_set(json_object_get(s, "metadata"), "managedFields", list);
	fakekube_put(rig.kube, s);
}

/* Somebody else writes one item. */
static void
edit(const char *value)
{
	json_t *s = rig_secret(&rig);
	AUTO_JSON json_t *theirs = json_pack("{s:{s:s}}", "data", "k", value);
	json_t *list = json_array();

	jsonx_set_str(json_object_get(s, "data"), "k", value);
	(void)json_array_append_new(list, entry("kubectl-edit", theirs));
	jsonx_set(json_object_get(s, "metadata"), "managedFields", list);
	fakekube_put(rig.kube, s);
}

static json_t *
sealed(void)
{
	json_t *obj = rig_sealed(&rig, "v1");

	jsonx_set(jsonx_object(obj, "spec", "template", "metadata", NULL),
	    "labels", json_pack("{s:s}", "team", "blue"));
	return obj;
}

/* To the state after a first success. */
static void
begin(void)
{
	fakekube_put(rig.kube, sealed());
	watch(REFLECTOR_WATCH);
	assert_int_equal(work_all(), 1);
	mark_ours();
	watch(REFLECTOR_WATCH);
	assert_int_equal(work_all(), 0);
	assert_int_equal(rig_events(&rig, NULL, NULL), 1);
	fakekube_forget_calls(rig.kube);
}

/* With other settings; what there is stays. */
static void
start_anew(void)
{
	controller_free(controller);
	controller = controller_new(&rig.cfg);
	controller_release(controller);
}

/* Nothing of the process survives. */
static void
restart(void)
{
	controller_free(controller);
	workqueue_free(rig.queue);
	index_free(rig.sealedsecrets);
	index_free(rig.secrets);
	rig.cfg.queue = rig.queue = workqueue_new(&rig.clock);
	rig.cfg.sealedsecrets = rig.sealedsecrets = index_new();
	rig.cfg.secrets = rig.secrets = index_new();
	controller = controller_new(&rig.cfg);
	controller_release(controller);
	fakekube_forget_calls(rig.kube);
	watch(REFLECTOR_LIST);
}

static double
drifts(const char *action)
{
	return metrics_value(rig.metrics, METRIC_DRIFT, action);
}

/* ---- restart ---- */

static void
a_restart_on_an_unchanged_object_makes_no_request(void **state UNUSED)
{
	begin();
	restart();
	assert_int_equal(work_all(), 1);
	assert_int_equal(fakekube_calls(rig.kube, NULL), 0);
	assert_int_equal(rig_events(&rig, NULL, NULL), 1);
	assert_true(metrics_value(rig.metrics, METRIC_CONDITION_INFO, RIG_NS,
			RIG_NAME, "Synced", "") == 1);
	fakeclock_advance_s(&rig.fc, 24 * 3600);
	assert_int_equal(work_all(), 0);
}

/* Items, so far. */
static uint64_t
opened(void)
{
	AUTO_RELEASE(registry_listing) struct registry_listing l = { .n = 0 };

	registry_list(rig.keys, &l);
	return l.key[0].opened;
}

/* --skip-recreate: what the index holds of Secrets counts for nothing. */
static void
without_a_watch_on_secrets_a_restart_only_looks(void **state UNUSED)
{
	rig.cfg.skip_recreate = true;
	start_anew();
	begin();
	restart();
	assert_int_equal(work_all(), 1);
	assert_int_equal(fakekube_calls(rig.kube, NULL), 1);
	assert_int_equal(
	    fakekube_calls(rig.kube, "GET /api/v1/namespaces/demo/secrets/foo"),
	    1);
	assert_int_equal(opened(), 1);
	assert_int_equal(rig_events(&rig, NULL, NULL), 1);
	edit(WRONG);
	restart();
	assert_int_equal(work_all(), 1);
	rig_expect_value(&rig, "v1");
	assert_int_equal(rig_events(&rig, "Drifted", NULL), 1);
}

static void
what_was_edited_while_down_is_put_right(void **state UNUSED)
{
	begin();
	edit(WRONG);
	restart();
	assert_int_equal(work_all(), 1);
	rig_expect_value(&rig, "v1");
	assert_int_equal(rig_events(&rig, "Drifted",
			     "The Secret was changed by "
			     "kubectl-edit: data (k)"),
	    1);
	assert_int_equal(rig_events(&rig, "Unsealed", NULL), 1);
	assert_true(drifts("repaired") == 1);
}

static void
what_was_deleted_while_down_comes_back(void **state UNUSED)
{
	begin();
	assert_true(fakekube_remove(rig.kube, "secrets", RIG_NS, RIG_NAME));
	restart();
	assert_int_equal(work_all(), 1);
	rig_expect_value(&rig, "v1");
	assert_true(drifts("repaired") == 0);
}

static void
another_scope_is_noticed_after_a_restart(void **state UNUSED)
{
	json_t *obj;

	begin();
	obj = rig_stored(&rig);
	jsonx_set(json_object_get(obj, "metadata"), "annotations",
	    json_pack("{s:s}", ANNOTATION_CLUSTER_WIDE, "true"));
	fakekube_put(rig.kube, obj);
	restart();
	assert_int_equal(work_all(), 1);
	rig_expect_condition(&rig, "False",
	    "no key could decrypt secret (k)\n"
	    "tried scope cluster-wide with 1 key: " RIG_KEY);
}

static void
without_a_status_or_a_watch_every_object_is_looked_at(void **state UNUSED)
{
	begin();
	rig.cfg.skip_recreate = true;
	restart();
	assert_int_equal(work_all(), 1);
	assert_int_equal(fakekube_calls(rig.kube, "GET "), 1);
	assert_int_equal(fakekube_calls(rig.kube, NULL), 1);
}

/* As the reference leaves it. */
static void
make_old_status(void)
{
	json_t *obj = rig_stored(&rig);
	json_t *list = jsonx_array(obj, "status", "conditions", NULL);

	json_object_del(json_array_get(list, 0), "reason");
	(void)json_array_remove(list, 1);
	fakekube_put(rig.kube, obj);
}

static void
an_old_status_is_extended_in_its_turn_and_without_an_event(void **state UNUSED)
{
	AUTO_JSON json_t *obj = NULL;

	begin();
	make_old_status();
	restart();
	assert_int_equal(work_all(), 1);
	assert_int_equal(fakekube_calls(rig.kube, NULL), 0);
	fakeclock_advance_ms(&rig.fc, 999);
	assert_int_equal(work_all(), 0);
	fakeclock_advance_ms(&rig.fc, 1);
	assert_int_equal(work_all(), 1);
	assert_int_equal(fakekube_calls(rig.kube, "PUT "), 1);
	assert_int_equal(fakekube_calls(rig.kube, "/status"), 1);
	assert_int_equal(rig_events(&rig, NULL, NULL), 1);
	obj = rig_stored(&rig);
	assert_int_equal(
	    json_array_size(jsonx_array(obj, "status", "conditions", NULL)), 2);
	watch(REFLECTOR_WATCH);
	fakeclock_advance_s(&rig.fc, 3600);
	assert_int_equal(work_all(), 0);
}

static void
a_run_for_another_reason_does_not_extend_it_before(void **state UNUSED)
{
	begin();
	make_old_status();
	/* Who wrote the Secret cannot be told, so it is looked at. */
	edit("djE=");
	restart();
	assert_int_equal(work_all(), 1);
	assert_int_equal(fakekube_calls(rig.kube, "GET "), 1);
	assert_int_equal(fakekube_calls(rig.kube, NULL), 1);
	fakeclock_advance_s(&rig.fc, 1);
	assert_int_equal(work_all(), 1);
	assert_int_equal(fakekube_calls(rig.kube, "/status"), 1);
}

static void
what_failed_is_tried_again_after_a_restart(void **state UNUSED)
{
	json_t *obj = sealed();

	jsonx_set_str(
	    jsonx_object(obj, "spec", "encryptedData", NULL), "k", "AgAA");
	fakekube_put(rig.kube, obj);
	watch(REFLECTOR_WATCH);
	assert_int_equal(work_all(), 1);
	restart();
	/* The reason has gone unseen. */
	obj = rig_stored(&rig);
	assert_int_equal(work_all(), 1);
	assert_true(metrics_value(rig.metrics, METRIC_UNSEAL_ERRORS, "unseal",
			RIG_NS) == 2);
	assert_int_equal(rig_events(&rig, NULL, NULL), 1);
	json_decref(obj);
}

/* ---- drift ---- */

static void
an_edit_is_put_right_at_once_and_told_once(void **state UNUSED)
{
	begin();
	edit(WRONG);
	watch(REFLECTOR_WATCH);
	assert_int_equal(work_all(), 1);
	rig_expect_value(&rig, "v1");
	assert_int_equal(rig_events(&rig, "Drifted", NULL), 1);
	assert_int_equal(rig_events(&rig, NULL, NULL), 2);
	mark_ours();
	watch(REFLECTOR_WATCH);
	assert_int_equal(work_all(), 0);
	assert_int_equal(fakekube_calls(rig.kube, "PUT "), 1);
}

static void
a_secret_of_a_form_that_nothing_is_known_of_is_looked_at_once(
    void **state UNUSED)
{
	begin();
	edit("djE=");
	watch(REFLECTOR_WATCH);
	assert_int_equal(work_all(), 1);
	assert_int_equal(fakekube_calls(rig.kube, "PUT "), 0);
	for (unsigned i = 0; i < 5; i++) {
		watch(REFLECTOR_WATCH);
		assert_int_equal(work_all(), 0);
	}
}

static void
a_lost_owner_reference_is_put_back(void **state UNUSED)
{
	AUTO_JSON json_t *after = NULL;
	json_t *s;

	begin();
	s = rig_secret(&rig);
	json_object_del(json_object_get(s, "metadata"), "ownerReferences");
	fakekube_put(rig.kube, s);
	watch(REFLECTOR_WATCH);
	assert_int_equal(work_all(), 1);
	after = rig_secret(&rig);
	assert_int_equal(json_array_size(jsonx_array(
			     after, "metadata", "ownerReferences", NULL)),
	    1);
	rig_expect_condition(&rig, "True", "");
}

static void
a_stranger_without_owner_stays_untouched(void **state UNUSED)
{
	json_t *s;

	begin();
	s = rig_secret(&rig);
	/* Not the Secret that was ours, but another of its name. */
	jsonx_set_str(json_object_get(s, "metadata"), "uid", "another");
	json_object_del(json_object_get(s, "metadata"), "ownerReferences");
	jsonx_set_str(json_object_get(s, "data"), "k", WRONG);
	assert_true(fakekube_remove(rig.kube, "secrets", RIG_NS, RIG_NAME));
	fakekube_put(rig.kube, s);
	watch(REFLECTOR_WATCH);
	assert_int_equal(work_all(), 1);
	rig_expect_value(&rig, "wrong");
	rig_expect_condition(&rig, "False",
	    "failed update: Resource \"foo\" already exists and is not managed "
	    "by SealedSecret");
}

/* Somebody takes the owner reference away; the server has given the Secret
 * a time of its making. */
static void
detach(int64_t made_s)
{
	char made[TIMEFMT_MAX];
	json_t *s = rig_secret(&rig);

	timefmt_rfc3339(made_s, made);
	jsonx_set_str(
	    json_object_get(s, "metadata"), "creationTimestamp", made);
	json_object_del(json_object_get(s, "metadata"), "ownerReferences");
	fakekube_put(rig.kube, s);
}

static size_t
owners(void)
{
	AUTO_JSON json_t *s = rig_secret(&rig);

	return json_array_size(
	    jsonx_array(s, "metadata", "ownerReferences", NULL));
}

static void
a_reference_lost_while_down_is_put_back(void **state UNUSED)
{
	begin();
	detach(clock_wall_s(&rig.clock));
	restart();
	assert_int_equal(work_all(), 1);
	assert_int_equal(owners(), 1);
	rig_expect_value(&rig, "v1");
	rig_expect_condition(&rig, "True", "");
	assert_int_equal(rig_events(&rig, "Drifted",
			     "The Secret was changed: owner reference"),
	    1);
	assert_true(drifts("repaired") == 1);
}

/* Whatever fails first, and although the status tells of that now. */
static void
it_is_put_back_later_where_that_fails_at_first(void **state UNUSED)
{
	static const char *const failing[] = { "GET /api/v1", "PUT /api/v1" };

	for (size_t i = 0; i < ARRAY_SIZE(failing); i++) {
		if (i > 0) {
			teardown(state);
			setup(state);
		}
		begin();
		detach(clock_wall_s(&rig.clock));
		restart();
		fakekube_fail_all(rig.kube, failing[i], FAKEKUBE_500);
		assert_int_equal(work_all(), 1);
		watch(REFLECTOR_WATCH);
		assert_int_equal(owners(), 0);
		fakekube_fail_all(rig.kube, NULL, FAKEKUBE_OK);
		fakeclock_advance_s(&rig.fc, 2 * STEP_S);
		assert_true(work_all() > 0);
		assert_int_equal(owners(), 1);
		rig_expect_condition(&rig, "True", "");
	}
}

static void
expect_foreign(void)
{
	AUTO_JSON json_t *before = rig_secret(&rig);
	AUTO_JSON json_t *after = NULL;

	restart();
	assert_int_equal(work_all(), 1);
	fakeclock_advance_s(&rig.fc, 10 * STEP_S);
	(void)work_all();
	after = rig_secret(&rig);
	assert_true(json_equal(before, after));
	rig_expect_condition(&rig, "False",
	    "failed update: Resource \"foo\" already exists and is not managed "
	    "by SealedSecret");
}

static void
what_was_made_after_the_status_is_foreign(void **state UNUSED)
{
	begin();
	detach(clock_wall_s(&rig.clock) + 1);
	expect_foreign();
}

static void
what_somebody_wrote_to_meanwhile_is_foreign(void **state UNUSED)
{
	json_t *s, *list;

	begin();
	/* An item of his own beside ours. */
	s = rig_secret(&rig);
	list = jsonx_array(s, "metadata", "managedFields", NULL);
	(void)json_array_append_new(list,
	    json_pack("{s:s,s:{s:{s:{}}}}", "manager", "kubectl-edit",
		"fieldsV1", "f:data", "f:more"));
	jsonx_set_str(json_object_get(s, "data"), "more", WRONG);
	fakekube_put(rig.kube, s);
	detach(clock_wall_s(&rig.clock));
	expect_foreign();
}

static void
contents_that_we_did_not_write_are_foreign(void **state UNUSED)
{
	json_t *s;

	/* By a writer of our name. */
	begin();
	s = rig_secret(&rig);
	jsonx_set_str(json_object_get(s, "data"), "k", WRONG);
	fakekube_put(rig.kube, s);
	detach(clock_wall_s(&rig.clock));
	expect_foreign();
	/* By nobody knows whom. */
	teardown(NULL);
	setup(NULL);
	begin();
	s = rig_secret(&rig);
	json_object_del(json_object_get(s, "metadata"), "managedFields");
	fakekube_put(rig.kube, s);
	detach(clock_wall_s(&rig.clock));
	expect_foreign();
}

static void
what_has_another_owner_is_foreign(void **state UNUSED)
{
	json_t *s;

	begin();
	detach(clock_wall_s(&rig.clock));
	s = rig_secret(&rig);
	jsonx_set(json_object_get(s, "metadata"), "ownerReferences",
	    json_pack("[{s:s,s:s,s:s,s:s}]", "apiVersion", "v1", "kind",
		"ConfigMap", "name", "theirs", "uid", "u9"));
	fakekube_put(rig.kube, s);
	expect_foreign();
}

static void
check_late_repair(bool after_restart)
{
	AUTO_JSON json_t *after = NULL;
	json_t *s;

	begin();
	edit(WRONG);
	s = rig_secret(&rig);
	jsonx_set_str(
	    jsonx_object(s, "metadata", "labels", NULL), "theirs", "1");
	fakekube_put(rig.kube, s);
	fakekube_fail_all(rig.kube, "PUT /api/v1", FAKEKUBE_500);
	if (after_restart)
		restart();
	else
		watch(REFLECTOR_WATCH);
	assert_int_equal(work_all(), 1);
	fakekube_fail_all(rig.kube, NULL, FAKEKUBE_OK);
	fakeclock_advance_s(&rig.fc, 1);
	assert_int_equal(work_all(), 1);
	rig_expect_value(&rig, "v1");
	after = rig_secret(&rig);
	assert_string_equal(
	    jsonx_str(after, "metadata", "labels", "theirs", NULL), "1");
	assert_true(drifts("repaired") == 1);
	rig_expect_condition(&rig, "True", "");
}

static void
a_repair_that_fails_at_first_is_still_one(void **state UNUSED)
{
	check_late_repair(false);
	(void)teardown(NULL);
	(void)setup(NULL);
	check_late_repair(true);
}

static void
detection_tells_once_and_leaves_it(void **state UNUSED)
{
	rig.cfg.drift = DRIFT_DETECT;
	start_anew();
	begin();
	edit(WRONG);
	for (unsigned i = 0; i < 5; i++) {
		watch(REFLECTOR_WATCH);
		(void)work_all();
	}
	rig_expect_value(&rig, "wrong");
	assert_int_equal(rig_events(&rig, "Drifted", NULL), 1);
	assert_true(drifts("detected") == 1);
	assert_int_equal(fakekube_calls(rig.kube, "PUT "), 0);
}

static void
switched_off_nothing_is_looked_at(void **state UNUSED)
{
	rig.cfg.drift = DRIFT_OFF;
	start_anew();
	begin();
	edit(WRONG);
	watch(REFLECTOR_WATCH);
	assert_int_equal(work_all(), 0);
	restart();
	assert_int_equal(work_all(), 1);
	assert_int_equal(fakekube_calls(rig.kube, NULL), 0);
	rig_expect_value(&rig, "wrong");
}

/* Writes back whenever it was put right; returns how often that was. */
static unsigned
fight(unsigned seconds)
{
	unsigned before = (unsigned)drifts("repaired");

	for (unsigned i = 0; i < 4 * seconds; i++) {
		AUTO_JSON json_t *s = rig_secret(&rig);

		if (strcmp(jsonx_str(s, "data", "k", NULL), WRONG) != 0)
			edit(WRONG);
		watch(REFLECTOR_WATCH);
		(void)work_all();
		fakeclock_advance_ms(&rig.fc, 250);
	}
	return (unsigned)drifts("repaired") - before;
}

static void
a_writer_that_fights_back_meets_a_growing_wait(void **state UNUSED)
{
	unsigned n;

	begin();
	n = fight(10);
	assert_in_range(n, 5, 8);
	n = fight(600);
	assert_in_range(n, 4, 9);
	/* In the end once in five minutes. */
	n = fight(3600);
	assert_in_range(n, 10, 13);
	/* Peace is believed in after a while. */
	fakeclock_advance_s(&rig.fc, 3600);
	watch(REFLECTOR_WATCH);
	(void)work_all();
	edit(WRONG);
	watch(REFLECTOR_WATCH);
	(void)work_all();
	n = fight(4);
	assert_in_range(n, 3, 5);
}

/* Deletes whenever it is there; returns how often that was. */
static unsigned
keep_deleting(unsigned seconds)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 4 * seconds; i++) {
		n += fakekube_remove(rig.kube, "secrets", RIG_NS, RIG_NAME);
		watch(REFLECTOR_WATCH);
		(void)work_all();
		watch(REFLECTOR_WATCH);
		fakeclock_advance_ms(&rig.fc, 250);
	}
	return n;
}

static void
whoever_keeps_deleting_meets_the_same_wait(void **state UNUSED)
{
	unsigned n;
	json_t *obj;

	begin();
	/* The first time, at once. */
	assert_true(fakekube_remove(rig.kube, "secrets", RIG_NS, RIG_NAME));
	watch(REFLECTOR_WATCH);
	assert_int_equal(work_all(), 1);
	rig_expect_value(&rig, "v1");
	watch(REFLECTOR_WATCH);
	n = keep_deleting(10);
	assert_in_range(n, 4, 8);
	n = keep_deleting(600);
	assert_in_range(n, 4, 9);
	n = keep_deleting(3600);
	assert_in_range(n, 10, 13);
	/* In the midst of it a new specification does not wait. */
	obj = rig_stored(&rig);
	jsonx_set(jsonx_object(obj, "spec", "encryptedData", NULL), "k",
	    rig_seal(rig.kp, RIG_NS "/" RIG_NAME, "v2"));
	fakekube_put(rig.kube, obj);
	watch(REFLECTOR_WATCH);
	assert_int_equal(work_all(), 1);
	rig_expect_value(&rig, "v2");
	/* Peace is believed in after a while. */
	watch(REFLECTOR_WATCH);
	fakeclock_advance_s(&rig.fc, 3600);
	assert_true(fakekube_remove(rig.kube, "secrets", RIG_NS, RIG_NAME));
	watch(REFLECTOR_WATCH);
	assert_int_equal(work_all(), 1);
	rig_expect_value(&rig, "v2");
}

/* ---- what goes wrong heals ---- */

/* Ten minutes of it; returns the attempts made. */
static unsigned
endure(void)
{
	unsigned n = work_all();

	for (unsigned i = 0; i < 2400; i++) {
		fakeclock_advance_ms(&rig.fc, 250);
		n += work_all();
	}
	return n;
}

/* Half a second at most in 5 fast steps, then 1 to 60 s with jitter. */
#define ATTEMPTS_MAX (1 + 5 + 7 + (600 - 31) / 30)

static void
every_trouble_of_the_server_heals_within_a_step(void **state UNUSED)
{
	static const struct {
		const char *what, *match;
		enum fakekube_fault fault;
	} cases[] = {
		{ "quota, terminating namespace", "POST /api/v1",
		    FAKEKUBE_403 },
		{ "RBAC", "/secrets", FAKEKUBE_403 },
		{ "RBAC of status", "/status", FAKEKUBE_403 },
		{ "refused status", "/status", FAKEKUBE_422 },
		{ "token", "", FAKEKUBE_401 },
		{ "outage", "", FAKEKUBE_CUT },
		{ "server", "", FAKEKUBE_500 },
		{ "policy", "POST /api/v1", FAKEKUBE_422 },
		{ "throttled", "", FAKEKUBE_429 },
		{ "conflicts", "/status", FAKEKUBE_CONFLICT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned n;

		(void)teardown(NULL);
		(void)setup(NULL);
		fakekube_put(rig.kube, sealed());
		watch(REFLECTOR_WATCH);
		fakekube_fail_all(rig.kube, cases[i].match, cases[i].fault);
		n = endure();
		if (n < 10 || n > ATTEMPTS_MAX)
			fail_msg("%s: %u attempts", cases[i].what, n);
		fakekube_fail_all(rig.kube, NULL, FAKEKUBE_OK);
		fakeclock_advance_s(&rig.fc, STEP_S);
		assert_in_range(work_all(), 1, 2);
		rig_expect_value(&rig, "v1");
		rig_expect_condition(&rig, "True", "");
	}
}

static json_t *
foreign(const char *owner_uid)
{
	json_t *s = json_pack("{s:s,s:s,s:{s:s,s:s},s:{s:s}}", "apiVersion",
	    "v1", "kind", "Secret", "metadata", "name", RIG_NAME, "namespace",
	    RIG_NS, "data", "k", WRONG);

	if (owner_uid != NULL)
		jsonx_set(json_object_get(s, "metadata"), "ownerReferences",
		    json_pack("[{s:s,s:s,s:s,s:s,s:b}]", "apiVersion",
			"bitnami.com/v1alpha1", "kind", "SealedSecret", "name",
			RIG_NAME, "uid", owner_uid, "controller", 1));
	return s;
}

static size_t
conditions(void)
{
	AUTO_JSON json_t *obj = rig_stored(&rig);

	return json_array_size(jsonx_array(obj, "status", "conditions", NULL));
}

static void
a_foreign_secret_that_goes_makes_room(void **state UNUSED)
{
	fakekube_put(rig.kube, foreign(NULL));
	fakekube_put(rig.kube, sealed());
	watch(REFLECTOR_WATCH);
	assert_in_range(endure(), 10, ATTEMPTS_MAX);
	/* Only a human can cure it: Stalled says so. */
	assert_int_equal(conditions(), 3);
	assert_true(fakekube_remove(rig.kube, "secrets", RIG_NS, RIG_NAME));
	watch(REFLECTOR_WATCH);
	fakeclock_advance_s(&rig.fc, STEP_S);
	assert_int_equal(work_all(), 1);
	rig_expect_value(&rig, "v1");
	rig_expect_condition(&rig, "True", "");
	assert_int_equal(conditions(), 2);
}

static void
a_foreign_secret_that_is_given_away_is_taken(void **state UNUSED)
{
	json_t *s = foreign(NULL);

	fakekube_put(rig.kube, json_incref(s));
	fakekube_put(rig.kube, sealed());
	watch(REFLECTOR_WATCH);
	(void)endure();
	jsonx_set(json_object_get(s, "metadata"), "annotations",
	    json_pack("{s:s}", ANNOTATION_MANAGED, "true"));
	fakekube_put(rig.kube, s);
	watch(REFLECTOR_WATCH);
	assert_int_equal(work_all(), 1);
	rig_expect_value(&rig, "v1");
	rig_expect_condition(&rig, "True", "");
}

static void
what_garbage_collection_takes_is_made_anew(void **state UNUSED)
{
	/* Of a SealedSecret that was deleted and made again. */
	fakekube_put(rig.kube, foreign("uid-before"));
	fakekube_put(rig.kube, sealed());
	watch(REFLECTOR_WATCH);
	assert_in_range(endure(), 10, ATTEMPTS_MAX);
	/* It passes: nobody has to do anything. */
	assert_int_equal(conditions(), 2);
	assert_true(fakekube_remove(rig.kube, "secrets", RIG_NS, RIG_NAME));
	watch(REFLECTOR_WATCH);
	assert_int_equal(work_all(), 1);
	rig_expect_value(&rig, "v1");
	rig_expect_condition(&rig, "True", "");
}

static void
the_message_follows_the_cause(void **state UNUSED)
{
	char got[256];

	fakekube_put(rig.kube, sealed());
	watch(REFLECTOR_WATCH);
	fakekube_fail_all(rig.kube, "POST /api/v1", FAKEKUBE_403);
	(void)endure();
	rig_condition(&rig, "reason", got, sizeof(got));
	assert_string_equal(got, "Forbidden");
	fakekube_fail_all(rig.kube, "POST /api/v1", FAKEKUBE_422);
	(void)endure();
	rig_condition(&rig, "reason", got, sizeof(got));
	assert_string_equal(got, "Rejected");
	rig_expect_condition(&rig, "False", "denied by a policy");
}

static void
a_powerful_type_is_refused_unless_it_is_allowed(void **state UNUSED)
{
	json_t *obj = sealed();
	char got[256];

	jsonx_set_str(jsonx_object(obj, "spec", "template", NULL), "type",
	    "bootstrap.kubernetes.io/token");
	fakekube_put(rig.kube, obj);
	watch(REFLECTOR_WATCH);
	assert_int_equal(work_all(), 1);
	rig_expect_value(&rig, "");
	rig_condition(&rig, "reason", got, sizeof(got));
	assert_string_equal(got, "InvalidSealedSecret");
	assert_int_equal(conditions(), 3);
	rig.cfg.allowed_types = "bootstrap.kubernetes.io/token";
	controller_free(controller);
	controller = controller_new(&rig.cfg);
	workqueue_add(rig.queue, &rig.key, WORKQUEUE_NEW, NULL);
	assert_int_equal(work_all(), 1);
	rig_expect_value(&rig, "v1");
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_restart_on_an_unchanged_object_makes_no_request),
		T(without_a_watch_on_secrets_a_restart_only_looks),
		T(what_was_edited_while_down_is_put_right),
		T(what_was_deleted_while_down_comes_back),
		T(another_scope_is_noticed_after_a_restart),
		T(without_a_status_or_a_watch_every_object_is_looked_at),
		T(an_old_status_is_extended_in_its_turn_and_without_an_event),
		T(a_run_for_another_reason_does_not_extend_it_before),
		T(what_failed_is_tried_again_after_a_restart),
		T(an_edit_is_put_right_at_once_and_told_once),
		T(a_secret_of_a_form_that_nothing_is_known_of_is_looked_at_once),
		T(a_lost_owner_reference_is_put_back),
		T(a_reference_lost_while_down_is_put_back),
		T(it_is_put_back_later_where_that_fails_at_first),
		T(what_was_made_after_the_status_is_foreign),
		T(what_somebody_wrote_to_meanwhile_is_foreign),
		T(contents_that_we_did_not_write_are_foreign),
		T(what_has_another_owner_is_foreign),
		T(a_stranger_without_owner_stays_untouched),
		T(a_repair_that_fails_at_first_is_still_one),
		T(detection_tells_once_and_leaves_it),
		T(switched_off_nothing_is_looked_at),
		T(a_writer_that_fights_back_meets_a_growing_wait),
		T(whoever_keeps_deleting_meets_the_same_wait),
		T(every_trouble_of_the_server_heals_within_a_step),
		T(a_foreign_secret_that_goes_makes_room),
		T(a_foreign_secret_that_is_given_away_is_taken),
		T(what_garbage_collection_takes_is_made_anew),
		T(the_message_follows_the_cause),
		T(a_powerful_type_is_refused_unless_it_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
