/*
 * Tests of controller/sealedsecret/report.c.
 * layer: sealedsecret
 */
#include "controller/sealedsecret/report.h"
#include "sealedrig.h"
#include "tests/lib/keyring.h"

static const struct condition_outcome good = {
	.ok = true, .reason = "Unsealed", .message = ""
};

static struct rig rig;
static json_t *obj;
static struct sealedsecret ss;
static struct report report;

static void
refresh(void)
{
	struct err err = ERR_INIT;

	json_decref(obj);
	obj = rig_stored(&rig);
	assert_int_equal(sealedsecret_view(obj, &ss, &err), 0);
}

static int
setup(void **state UNUSED)
{
	rig_init(&rig);
	fakekube_put(rig.kube, rig_sealed(&rig, "v"));
	refresh();
	report = (struct report) { &rig.cfg, &rig.client, &ss };
	return 0;
}

static int
teardown(void **state UNUSED)
{
	json_decref(obj);
	obj = NULL;
	rig_release(&rig);
	return 0;
}

static void
a_status_is_written_once(void **state UNUSED)
{
	struct err err = ERR_INIT;

	assert_int_equal(report_status(&report, &good, &err), REPORT_WRITTEN);
	rig_expect_condition(&rig, "True", "");
	refresh();
	assert_int_equal(report_status(&report, &good, &err), REPORT_SAME);
	assert_int_equal(fakekube_calls(rig.kube, "PUT "), 1);
}

/* Changes the stored object before each PUT. */
enum meddling { TOUCH_LABEL, TOUCH_SPEC, REMOVE, REPLACE };

struct meddler {
	unsigned times;
	enum meddling what;
};

static void
meddle(void *ctx, const char *method, const char *path UNUSED)
{
	struct meddler *m = ctx;
	json_t *now;

	if (m->times == 0 || strcmp(method, "PUT") != 0)
		return;
	m->times--;
	if (m->what == REMOVE || m->what == REPLACE)
		(void)fakekube_remove(
		    rig.kube, "sealedsecrets", RIG_NS, RIG_NAME);
	if (m->what == REMOVE)
		return;
	now = m->what == REPLACE ? rig_sealed(&rig, "v") : rig_stored(&rig);
	if (m->what == REPLACE)
		jsonx_set_str(json_object_get(now, "metadata"), "uid", "new");
	if (m->what == TOUCH_LABEL)
		jsonx_set(json_object_get(now, "metadata"), "labels",
		    json_pack("{s:i}", "n", (int)m->times));
	if (m->what == TOUCH_SPEC)
		jsonx_set(
		    json_object_get(now, "spec"), "x", json_integer(m->times));
	fakekube_put(rig.kube, now);
}

static void
a_conflict_is_settled_with_a_fresh_copy(void **state UNUSED)
{
	struct meddler m = { REPORT_TRIES - 1, TOUCH_LABEL };
	AUTO_JSON json_t *now = NULL;
	struct err err = ERR_INIT;

	fakekube_hook(rig.kube, meddle, &m);
	assert_int_equal(report_status(&report, &good, &err), REPORT_WRITTEN);
	fakekube_hook(rig.kube, NULL, NULL);
	rig_expect_condition(&rig, "True", "");
	now = rig_stored(&rig);
	/* What the other one wrote is still there. */
	assert_int_equal(jsonx_int(now, "metadata", "labels", "n", NULL), 0);
	assert_non_null(jsonx_get(now, "metadata", "labels", "n", NULL));
}

static void
conflicts_without_end_are_left_to_the_queue(void **state UNUSED)
{
	struct meddler m = { 100, TOUCH_LABEL };
	struct err err = ERR_INIT;

	fakekube_hook(rig.kube, meddle, &m);
	assert_int_equal(report_status(&report, &good, &err), REPORT_FAILED);
	assert_int_equal(err.code, ERR_CONFLICT);
	assert_int_equal(m.times, 100 - REPORT_TRIES);
}

static void
an_outcome_is_never_written_to_another_generation_or_object(void **state UNUSED)
{
	static const enum meddling what[] = { TOUCH_SPEC, REMOVE, REPLACE };

	for (size_t i = 0; i < ARRAY_SIZE(what); i++) {
		struct meddler m = { 1, TOUCH_LABEL };
		char status[16];
		struct err err = ERR_INIT;

		m.what = what[i];
		fakekube_put(rig.kube, rig_sealed(&rig, "v"));
		refresh();
		fakekube_hook(rig.kube, meddle, &m);
		assert_int_equal(
		    report_status(&report, &good, &err), REPORT_SUPERSEDED);
		fakekube_hook(rig.kube, NULL, NULL);
		rig_condition(&rig, "status", status, sizeof(status));
		assert_string_equal(status, "");
	}
}

static void
a_resource_without_status_is_recognised(void **state UNUSED)
{
	struct err err = ERR_INIT;

	fakekube_no_status(rig.kube, true);
	assert_int_equal(report_status(&report, &good, &err), REPORT_NOWHERE);
	assert_int_equal(err.code, ERR_NOTFOUND);
}

static void
trouble_is_reported(void **state UNUSED)
{
	static const enum fakekube_fault faults[] = { FAKEKUBE_500,
		FAKEKUBE_429, FAKEKUBE_403, FAKEKUBE_CUT, FAKEKUBE_LOST };

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		struct err err = ERR_INIT;

		fakekube_fail(rig.kube, 1, faults[i]);
		assert_int_equal(
		    report_status(&report, &good, &err), REPORT_FAILED);
		assert_int_not_equal(err.code, ERR_NONE);
	}
}

static void
trouble_while_reading_again_is_reported(void **state UNUSED)
{
	struct meddler m = { 1, TOUCH_LABEL };
	struct err err = ERR_INIT;

	fakekube_hook(rig.kube, meddle, &m);
	fakekube_fail(rig.kube, 2, FAKEKUBE_500);
	assert_int_equal(report_status(&report, &good, &err), REPORT_FAILED);
	assert_int_equal(err.code, ERR_SERVER);
}

static void
the_message_says_what_was_tried(void **state UNUSED)
{
	static const struct {
		enum scope scope;
		const char *want;
	} cases[] = {
		{ SCOPE_STRICT,
		    "text\ntried scope strict (demo/foo) with 1 "
		    "key: " RIG_KEY },
		{ SCOPE_NAMESPACE_WIDE,
		    "text\ntried scope namespace-wide "
		    "(demo) with 1 key: " RIG_KEY },
		{ SCOPE_CLUSTER_WIDE,
		    "text\ntried scope cluster-wide with 1 "
		    "key: " RIG_KEY },
	};
	struct keypair *other = vectors_key("other2048", "pkcs1");
	char got[REPORT_MESSAGE_MAX];
	struct err err = ERR_INIT, ignored = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		(void)err_set(&err, ERR_NOKEY, "text");
		ss.scope = cases[i].scope;
		report_message(&report, &err, got);
		assert_string_equal(got, cases[i].want);
	}
	assert_int_equal(keyring_add(rig.keys, "other", other, 2, &ignored), 0);
	report_message(&report, &err, got);
	assert_non_null(strstr(got, " with 2 keys: SHA256:"));
	assert_non_null(strstr(got, ", " RIG_KEY));
	keypair_free(other);
	assert_true(registry_remove(rig.keys, "other"));
	assert_true(registry_remove(rig.keys, "key"));
	report_message(&report, &err, got);
	assert_string_equal(got, "text\ntried scope cluster-wide with 0 keys");
	(void)err_set(&err, ERR_INVALID, "text");
	report_message(&report, &err, got);
	assert_string_equal(got, "text");
}

static double
series(const char *instance)
{
	return metrics_value(rig.metrics, METRIC_CONDITION_INFO, RIG_NS,
	    RIG_NAME, "Synced", instance);
}

static void
known(const json_t *o)
{
	struct index_record rec = { .uid = RIG_UID,
		.flags = sealedsecret_instance_tag(o) };

	(void)index_put(rig.sealedsecrets, &rig.key, &rec, 1, NULL);
}

static void
the_series_follows_the_outcome(void **state UNUSED)
{
	known(obj);
	assert_true(report_metric(&report, true));
	assert_true(series("") > 0);
	assert_true(report_metric(&report, false));
	assert_true(series("") < 0);
	report_forget(&rig.cfg, &rig.key);
	assert_true(series("") == 0);
}

static void
an_object_that_has_gone_leaves_no_series(void **state UNUSED)
{
	assert_true(report_metric(&report, true));
	assert_true(series("") == 0);
}

static void
a_label_that_changed_meanwhile_asks_for_another_run(void **state UNUSED)
{
	AUTO_JSON json_t *later = json_pack("{s:{s:{s:s}}}", "metadata",
	    "labels", "app.kubernetes.io/instance", "prod");

	known(later);
	assert_false(report_metric(&report, true));
	assert_true(series("") == 0);
}

static void
names_may_be_kept_out_of_the_metrics(void **state UNUSED)
{
	rig.cfg.omit_secret_metrics = true;
	known(obj);
	assert_true(report_metric(&report, true));
	assert_true(series("") == 0);
}

static void
an_event_names_the_object(void **state UNUSED)
{
	AUTO_JSON json_t *all = NULL;
	const json_t *e;

	report_event(&report, "Warning", "ErrUpdateFailed", "text");
	assert_int_equal(rig_events(&rig, "ErrUpdateFailed", "text"), 1);
	all = fakekube_all(rig.sink, "events");
	e = json_array_get(all, 0);
	assert_string_equal(
	    jsonx_str(e, "involvedObject", "kind", NULL), "SealedSecret");
	assert_string_equal(jsonx_str(e, "involvedObject", "apiVersion", NULL),
	    "bitnami.com/v1alpha1");
	assert_string_equal(
	    jsonx_str(e, "involvedObject", "uid", NULL), RIG_UID);
	assert_string_equal(
	    jsonx_str(e, "involvedObject", "resourceVersion", NULL), ss.rv);
	assert_string_equal(jsonx_str(e, "type", NULL), "Warning");
	rig.cfg.events = NULL;
	report_event(&report, "Normal", "Unsealed", "nowhere to go");
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_status_is_written_once),
		T(a_conflict_is_settled_with_a_fresh_copy),
		T(conflicts_without_end_are_left_to_the_queue),
		T(an_outcome_is_never_written_to_another_generation_or_object),
		T(a_resource_without_status_is_recognised),
		T(trouble_is_reported),
		T(trouble_while_reading_again_is_reported),
		T(the_message_says_what_was_tried),
		T(the_series_follows_the_outcome),
		T(an_object_that_has_gone_leaves_no_series),
		T(a_label_that_changed_meanwhile_asks_for_another_run),
		T(names_may_be_kept_out_of_the_metrics),
		T(an_event_names_the_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
