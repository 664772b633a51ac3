/*
 * Tests of controller/sealedsecret/reconcile.c: one run after another against
 * an API server in memory.
 * layer: sealedsecret
 */
#include "controller/sealedsecret/handlers.h"
#include "controller/sealedsecret/reconcile.h"
#include "controller/sealedsecret/sealedsecret.h"
#include "sealedrig.h"
#include "tests/lib/keyring.h"

#define NOKEY "no key could decrypt secret (k)"
#define TRIED "\ntried scope strict (demo/foo) with 1 key: " RIG_KEY
#define UNMANAGED \
	"Resource \"foo\" already exists and is not managed by SealedSecret"

static struct rig rig;
static struct reconcile_result res;

/* What the watch would have told of the stored object. */
static void
observe(void)
{
	AUTO_JSON json_t *obj = rig_stored(&rig);
	struct index_record rec = { .flags = sealedsecret_instance_tag(obj) };

	index_copy_id(
	    rec.uid, sizeof(rec.uid), jsonx_str(obj, "metadata", "uid", NULL));
	(void)index_put(rig.sealedsecrets, &rig.key, &rec, 1, NULL);
}

static void
put(json_t *obj)
{
	fakekube_put(rig.kube, obj);
	observe();
}

static void
run_body(json_t *body)
{
	const struct reconcile rc = { &rig.cfg, &rig.client, false };

	reconcile(&rc, &rig.key, body, &res);
}

static void
run(void)
{
	run_body(NULL);
}

static int
setup(void **state UNUSED)
{
	rig_init(&rig);
	return 0;
}

static int
teardown(void **state UNUSED)
{
	rig_release(&rig);
	return 0;
}

static int64_t
observed(void)
{
	AUTO_JSON json_t *obj = rig_stored(&rig);

	return jsonx_int(obj, "status", "observedGeneration", NULL);
}

static double
errors(const char *reason)
{
	return metrics_value(rig.metrics, METRIC_UNSEAL_ERRORS, reason, RIG_NS);
}

/* ---- success ---- */

static void
a_sealed_secret_becomes_a_secret(void **state UNUSED)
{
	AUTO_JSON json_t *secret = NULL;
	json_t *ref;

	put(rig_sealed(&rig, "v1"));
	run();
	assert_int_equal(res.next, RECONCILE_DONE);
	assert_int_equal(res.err.code, ERR_NONE);
	rig_expect_value(&rig, "v1");
	rig_expect_condition(&rig, "True", "");
	assert_int_equal(observed(), 1);
	assert_int_equal(rig_events(&rig, NULL, NULL), 1);
	assert_int_equal(
	    rig_events(&rig, "Unsealed", "SealedSecret unsealed successfully"),
	    1);
	secret = rig_secret(&rig);
	ref = json_array_get(
	    jsonx_array(secret, "metadata", "ownerReferences", NULL), 0);
	assert_string_equal(jsonx_str(ref, "uid", NULL), RIG_UID);
	assert_true(jsonx_is_true(ref, "controller", NULL));
	assert_null(json_object_get(ref, "blockOwnerDeletion"));
	assert_true(metrics_value(rig.metrics, METRIC_CONDITION_INFO, RIG_NS,
			RIG_NAME, "Synced", "") == 1);
	assert_true(metrics_value(rig.metrics, METRIC_UNSEAL_REQUESTS) == 1);
}

static void
a_second_run_reads_and_does_nothing(void **state UNUSED)
{
	put(rig_sealed(&rig, "v1"));
	run();
	(void)rig_events(&rig, NULL, NULL);
	fakekube_forget_calls(rig.kube);
	/* As after a restart: nothing is remembered. */
	(void)index_remove(rig.sealedsecrets, &rig.key, NULL);
	observe();
	run();
	assert_int_equal(res.next, RECONCILE_DONE);
	assert_int_equal(fakekube_calls(rig.kube, NULL), 2);
	assert_int_equal(fakekube_calls(rig.kube, "GET "), 2);
	assert_int_equal(rig_events(&rig, NULL, NULL), 1);
}

static void
a_new_spec_is_applied(void **state UNUSED)
{
	json_t *obj;

	put(rig_sealed(&rig, "v1"));
	run();
	obj = rig_stored(&rig);
	jsonx_set(jsonx_object(obj, "spec", "encryptedData", NULL), "k",
	    rig_seal(rig.kp, "demo/foo", "v2"));
	put(obj);
	run();
	rig_expect_value(&rig, "v2");
	assert_int_equal(observed(), 2);
	assert_int_equal(rig_events(&rig, "Unsealed", NULL), 2);
}

static void
with_a_body_and_a_complete_index_two_requests_suffice(void **state UNUSED)
{
	const struct reconcile rc = { &rig.cfg, &rig.client, true };

	put(rig_sealed(&rig, "v1"));
	reconcile(&rc, &rig.key, rig_stored(&rig), &res);
	assert_int_equal(res.next, RECONCILE_DONE);
	rig_expect_value(&rig, "v1");
	assert_int_equal(fakekube_calls(rig.kube, "POST "), 1);
	assert_int_equal(fakekube_calls(rig.kube, "PUT "), 1);
	assert_int_equal(fakekube_calls(rig.kube, NULL), 2);
}

static void
gone(void *ctx, const struct objkey *key, const struct index_record *rec)
{
	const struct reflector_handler *h = ctx;

	h->gone(h->ctx, key, rec, NULL);
}

/* Its watch is down, and it is deleted before the next list. */
static void
a_written_secret_is_missed_before_its_watch_told_of_it(void **state UNUSED)
{
	const struct reconcile rc = { &rig.cfg, &rig.client, true };
	struct handlers handlers = { &rig.cfg };
	struct reflector_handler h = handlers_secret(&handlers);

	put(rig_sealed(&rig, "v1"));
	reconcile(&rc, &rig.key, rig_stored(&rig), &res);
	assert_int_equal(workqueue_len(rig.queue), 0);
	assert_int_equal(index_sweep(rig.secrets, NULL, 1, gone, &h), 1);
	assert_int_equal(workqueue_len(rig.queue), 1);
}

static void
without_status_updates_none_is_written(void **state UNUSED)
{
	rig.cfg.update_status = false;
	put(rig_sealed(&rig, "v1"));
	run();
	rig_expect_value(&rig, "v1");
	rig_expect_condition(&rig, "", "");
	assert_int_equal(rig_events(&rig, "Unsealed", NULL), 1);
	run();
	assert_int_equal(rig_events(&rig, "Unsealed", NULL), 1);
	assert_int_equal(fakekube_calls(rig.kube, "PUT "), 0);
}

/* ---- the table of ownership ---- */

enum found { NONE, OWNED, OLD_UID, FOREIGN, MANAGED, PATCHED, BOTH };

static void
place(enum found what, const char *value)
{
	AUTO_JSON json_t *annotations = json_object();
	json_t *s, *metadata;

	if (what == NONE)
		return;
	s = json_pack("{s:s,s:s,s:{s:s,s:s,s:{s:s}},s:{s:s,s:s}}", "apiVersion",
	    "v1", "kind", "Secret", "metadata", "name", RIG_NAME, "namespace",
	    RIG_NS, "labels", "theirs", "1", "data", "k", value, "other",
	    "eA==");
	metadata = json_object_get(s, "metadata");
	if (what == OWNED || what == OLD_UID)
		jsonx_set(metadata, "ownerReferences",
		    json_pack("[{s:s,s:s,s:s,s:s,s:b}]", "apiVersion",
			"bitnami.com/v1alpha1", "kind", "SealedSecret", "name",
			RIG_NAME, "uid", what == OWNED ? RIG_UID : "old-uid",
			"controller", 1));
	if (what == MANAGED || what == BOTH)
		jsonx_set_str(annotations, ANNOTATION_MANAGED, "true");
	if (what == PATCHED || what == BOTH)
		jsonx_set_str(annotations, ANNOTATION_PATCH, "true");
	jsonx_set(metadata, "annotations", json_incref(annotations));
	fakekube_put(rig.kube, s);
}

struct table_row {
	enum found found;
	bool ok;
	bool owned;	/* by us afterwards */
	bool keeps;	/* label and item of others */
	bool annotated; /* managed or patch still there */
};

static void
check_row(const struct table_row *row)
{
	AUTO_JSON json_t *s = rig_secret(&rig);
	json_t *refs = jsonx_array(s, "metadata", "ownerReferences", NULL);
	const char *uid = jsonx_str(json_array_get(refs, 0), "uid", NULL);
	json_t *a = jsonx_object(s, "metadata", "annotations", NULL);
	bool owned = uid != NULL && strcmp(uid, RIG_UID) == 0;
	bool kept = jsonx_get(s, "data", "other", NULL) != NULL &&
	    jsonx_get(s, "metadata", "labels", "theirs", NULL) != NULL;

	if ((res.err.code == ERR_NONE) != row->ok || owned != row->owned ||
	    kept != row->keeps || (json_object_size(a) > 0) != row->annotated)
		fail_msg("found %d: ok %d owned %d kept %d annotations %zu",
		    (int)row->found, res.err.code == ERR_NONE, owned, kept,
		    json_object_size(a));
}

static void
the_table_of_ownership_holds(void **state UNUSED)
{
	static const struct table_row table[] = {
		{ NONE, true, true, false, false },
		{ OWNED, true, true, false, false },
		{ OLD_UID, false, false, true, false },
		{ FOREIGN, false, false, true, false },
		{ MANAGED, true, true, false, false },
		{ PATCHED, true, false, true, true },
		{ BOTH, true, true, true, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct table_row *row = &table[i];
		json_t *obj;

		/* create: the SealedSecret comes to what is there */
		rig_release(&rig);
		rig_init(&rig);
		place(row->found, "Zm9yZWlnbg==");
		put(rig_sealed(&rig, "v1"));
		run();
		check_row(row);
		rig_expect_value(&rig, row->ok ? "v1" : "foreign");
		rig_expect_condition(&rig, row->ok ? "True" : "False",
		    row->ok ? "" : "failed update: " UNMANAGED);
		assert_int_equal(
		    rig_events(&rig, row->ok ? "Unsealed" : "ErrUpdateFailed",
			row->ok ? NULL : UNMANAGED),
		    1);
		assert_true(errors("unmanaged") == (row->ok ? 0 : 1));
		assert_int_equal(
		    res.next, row->ok ? RECONCILE_DONE : RECONCILE_RETRY);

		/* update: its spec changes */
		obj = rig_stored(&rig);
		jsonx_set(jsonx_object(obj, "spec", "encryptedData", NULL), "k",
		    rig_seal(rig.kp, "demo/foo", "v2"));
		put(obj);
		run();
		check_row(row);
		rig_expect_value(&rig, row->ok ? "v2" : "foreign");
		assert_int_equal(observed(), 2);
	}
}

static void
a_secret_made_without_owner_stays_a_success(void **state UNUSED)
{
	json_t *obj = rig_sealed(&rig, "v1");

	jsonx_set(jsonx_object(obj, "spec", "template", "metadata", NULL),
	    "annotations", json_pack("{s:s}", ANNOTATION_SKIP_OWNER, "true"));
	put(obj);
	run();
	assert_int_equal(res.next, RECONCILE_DONE);
	(void)index_remove(rig.sealedsecrets, &rig.key, NULL);
	observe();
	run();
	assert_int_equal(res.next, RECONCILE_DONE);
	rig_expect_condition(&rig, "True", "");
	/* Writing to it later needs a right. */
	obj = rig_stored(&rig);
	jsonx_set(jsonx_object(obj, "spec", "encryptedData", NULL), "k",
	    rig_seal(rig.kp, "demo/foo", "v2"));
	put(obj);
	run();
	assert_int_equal(res.err.code, ERR_UNMANAGED);
	rig_expect_value(&rig, "v1");
}

static void
the_old_uid_heals_when_the_secret_is_collected(void **state UNUSED)
{
	place(OLD_UID, "b2xk");
	put(rig_sealed(&rig, "v1"));
	run();
	assert_int_equal(res.next, RECONCILE_RETRY);
	assert_true(fakekube_remove(rig.kube, "secrets", RIG_NS, RIG_NAME));
	run();
	assert_int_equal(res.next, RECONCILE_DONE);
	rig_expect_value(&rig, "v1");
	rig_expect_condition(&rig, "True", "");
}

/* ---- failures ---- */

static void
spoil(json_t *obj, const char *value)
{
	jsonx_set_str(
	    jsonx_object(obj, "spec", "encryptedData", NULL), "k", value);
}

static void
a_failure_is_told_once_and_looked_at_again(void **state UNUSED)
{
	json_t *obj = rig_sealed(&rig, "v1");

	jsonx_set(jsonx_object(obj, "spec", "encryptedData", NULL), "k",
	    rig_seal(rig.kp, "demo/other", "v1"));
	put(obj);
	run();
	assert_int_equal(res.next, RECONCILE_RECHECK);
	assert_false(res.repeated);
	assert_string_equal(res.err.msg, NOKEY);
	rig_expect_condition(&rig, "False", NOKEY TRIED);
	assert_int_equal(
	    rig_events(&rig, "ErrUnsealFailed", "Failed to unseal: " NOKEY), 1);
	assert_true(errors("unseal") == 1);
	assert_true(metrics_value(rig.metrics, METRIC_CONDITION_INFO, RIG_NS,
			RIG_NAME, "Synced", "") == -1);
	fakekube_forget_calls(rig.kube);
	run();
	assert_int_equal(res.next, RECONCILE_RECHECK);
	assert_true(res.repeated);
	assert_int_equal(fakekube_calls(rig.kube, NULL), 1);
	assert_int_equal(rig_events(&rig, NULL, NULL), 1);
	/* After a restart too. */
	(void)index_remove(rig.sealedsecrets, &rig.key, NULL);
	observe();
	run();
	assert_int_equal(rig_events(&rig, NULL, NULL), 1);
	assert_int_equal(fakekube_calls(rig.kube, "PUT "), 0);
}

static void
a_new_cause_is_a_new_message(void **state UNUSED)
{
	json_t *obj = rig_sealed(&rig, "v1");
	char got[64];

	spoil(obj, "!");
	put(obj);
	run();
	rig_expect_condition(
	    &rig, "False", "illegal base64 data at input byte 0 (k)");
	rig_condition(&rig, "reason", got, sizeof(got));
	assert_string_equal(got, "InvalidSealedSecret");
	obj = rig_stored(&rig);
	spoil(obj, "AgAA");
	put(obj);
	run();
	rig_expect_condition(&rig, "False", NOKEY TRIED);
	rig_condition(&rig, "reason", got, sizeof(got));
	assert_string_equal(got, "DecryptFailed");
	assert_int_equal(rig_events(&rig, "ErrUnsealFailed", NULL), 2);
	assert_int_equal(observed(), 2);
	/* And a success after a failure is told. */
	put(rig_sealed(&rig, "v1"));
	run();
	rig_expect_condition(&rig, "True", "");
	assert_int_equal(rig_events(&rig, "Unsealed", NULL), 1);
}

static void
a_success_after_a_failure_is_told_without_status_too(void **state UNUSED)
{
	rig.cfg.update_status = false;
	put(rig_sealed(&rig, "v1"));
	run();
	assert_int_equal(rig_events(&rig, "Unsealed", NULL), 1);
	fakekube_fail(rig.kube, 2, FAKEKUBE_500);
	run();
	assert_int_equal(res.next, RECONCILE_RETRY);
	run();
	assert_int_equal(rig_events(&rig, "Unsealed", NULL), 2);
}

static void
templates_are_rendered(void **state UNUSED)
{
	json_t *obj = rig_sealed(&rig, "v1");
	AUTO_JSON json_t *secret = NULL;

	jsonx_set(jsonx_object(obj, "spec", "template", NULL), "data",
	    json_pack("{s:s, s:n}", "t", "<{{ .k }}>", "k"));
	put(obj);
	run();
	assert_int_equal(res.next, RECONCILE_DONE);
	secret = rig_secret(&rig);
	/* "<v1>"; the item itself is taken out. */
	assert_string_equal(jsonx_str(secret, "data", "t", NULL), "PHYxPg==");
	assert_null(jsonx_get(secret, "data", "k", NULL));
}

static void
a_template_that_fails_writes_nothing(void **state UNUSED)
{
	json_t *obj = rig_sealed(&rig, "v1");
	AUTO_JSON json_t *secret = NULL;

	jsonx_set(jsonx_object(obj, "spec", "template", NULL), "data",
	    json_pack("{s:s}", "t", "{{ fail .k }}"));
	put(obj);
	run();
	assert_int_equal(res.next, RECONCILE_RECHECK);
	rig_expect_condition(&rig, "False",
	    "template: t:1:3: executing \"t\" at <fail .k>: error calling "
	    "fail: (message withheld) (t)");
	secret = rig_secret(&rig);
	assert_null(secret);
}

static void
a_frozen_secret_is_a_message_without_a_retry(void **state UNUSED)
{
	static const char formatted[] =
	    "Error updating demo/foo: the target Secret is immutable. Once a "
	    "Secret is marked as immutable, it is not possible to revert this "
	    "change nor to mutate the contents of the data field. You can only "
	    "delete and recreate the Secret.";
	json_t *obj = rig_sealed(&rig, "v1");
	AUTO_JSON json_t *made = NULL;

	put(obj);
	run();
	/* Turned on later: applied. */
	obj = rig_stored(&rig);
	jsonx_set(jsonx_object(obj, "spec", "template", NULL), "immutable",
	    json_true());
	put(obj);
	run();
	assert_int_equal(res.next, RECONCILE_DONE);
	made = rig_secret(&rig);
	assert_true(jsonx_is_true(made, "immutable", NULL));
	obj = rig_stored(&rig);
	jsonx_set(jsonx_object(obj, "spec", "encryptedData", NULL), "k",
	    rig_seal(rig.kp, "demo/foo", "v2"));
	put(obj);
	run();
	assert_int_equal(res.next, RECONCILE_RECHECK);
	assert_int_equal(res.err.code, ERR_IMMUTABLE);
	rig_expect_condition(&rig, "False",
	    "Secret \"foo\" is invalid: data: Forbidden: field is immutable "
	    "when `immutable` is set");
	assert_int_equal(rig_events(&rig, "ErrUpdateFailed", formatted), 1);
	run();
	assert_true(res.repeated);
	assert_int_equal(rig_events(&rig, "ErrUpdateFailed", NULL), 1);
	rig_expect_value(&rig, "v1");
}

static void
trouble_of_the_server_is_retried(void **state UNUSED)
{
	static const struct {
		enum fakekube_fault fault;
		const char *message, *reason;
	} cases[] = {
		{ FAKEKUBE_500, "etcdserver: timed out", "APIError" },
		{ FAKEKUBE_403, "forbidden: no such right", "Forbidden" },
		{ FAKEKUBE_422, "denied by a policy", "Rejected" },
		{ FAKEKUBE_CUT, "connection lost", "APIError" },
	};

	put(rig_sealed(&rig, "v1"));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char got[64];

		fakekube_fail_all(rig.kube, "POST ", cases[i].fault);
		run();
		assert_int_equal(res.next, RECONCILE_RETRY);
		rig_expect_condition(&rig, "False", cases[i].message);
		rig_condition(&rig, "reason", got, sizeof(got));
		assert_string_equal(got, cases[i].reason);
		assert_int_equal(
		    rig_events(&rig, "ErrUpdateFailed", cases[i].message), 1);
	}
	assert_true(errors("update") == 4);
}

static void
what_the_server_asks_to_wait_is_handed_on(void **state UNUSED)
{
	put(rig_sealed(&rig, "v1"));
	fakekube_fail(rig.kube, 2, FAKEKUBE_429);
	run();
	assert_int_equal(res.next, RECONCILE_RETRY);
	assert_int_equal(res.err.retry_after_s, 7);
}

static void
an_object_that_cannot_be_read_is_retried(void **state UNUSED)
{
	put(rig_sealed(&rig, "v1"));
	fakekube_fail(rig.kube, 1, FAKEKUBE_500);
	run();
	assert_int_equal(res.next, RECONCILE_RETRY);
	assert_true(errors("fetch") == 1);
	assert_int_equal(fakekube_calls(rig.kube, NULL), 1);
}

static void
a_status_that_did_not_land_is_retried_until_it_does(void **state UNUSED)
{
	put(rig_sealed(&rig, "v1"));
	fakekube_fail_all(rig.kube, "/status", FAKEKUBE_500);
	for (unsigned i = 1; i <= 3; i++) {
		run();
		assert_int_equal(res.next, RECONCILE_RETRY);
		assert_true(res.logged);
		assert_true(errors("status") == i);
	}
	rig_expect_value(&rig, "v1");
	/* Told once, although three runs succeeded but for the status. */
	assert_int_equal(rig_events(&rig, "Unsealed", NULL), 1);
	fakekube_fail_all(rig.kube, NULL, FAKEKUBE_OK);
	run();
	assert_int_equal(res.next, RECONCILE_DONE);
	rig_expect_condition(&rig, "True", "");
}

static void
a_failures_status_is_retried_as_well(void **state UNUSED)
{
	json_t *obj = rig_sealed(&rig, "v1");

	spoil(obj, "AgAA");
	put(obj);
	fakekube_fail_all(rig.kube, "/status", FAKEKUBE_CUT);
	run();
	assert_int_equal(res.next, RECONCILE_RETRY);
	fakekube_fail_all(rig.kube, NULL, FAKEKUBE_OK);
	run();
	assert_int_equal(res.next, RECONCILE_RECHECK);
	rig_expect_condition(&rig, "False", NOKEY TRIED);
}

static void
a_resource_without_status_does_not_keep_it_busy(void **state UNUSED)
{
	put(rig_sealed(&rig, "v1"));
	fakekube_no_status(rig.kube, true);
	run();
	assert_int_equal(res.next, RECONCILE_RECHECK);
	assert_true(errors("status") == 1);
	rig_expect_value(&rig, "v1");
	assert_int_equal(rig_events(&rig, "Unsealed", NULL), 1);
	run();
	assert_int_equal(rig_events(&rig, "Unsealed", NULL), 1);
	assert_true(errors("status") == 1);
}

/* ---- what is out of date ---- */

static void
an_older_body_is_not_used(void **state UNUSED)
{
	json_t *old, *obj;

	put(rig_sealed(&rig, "v1"));
	old = rig_stored(&rig);
	obj = rig_stored(&rig);
	jsonx_set(jsonx_object(obj, "spec", "encryptedData", NULL), "k",
	    rig_seal(rig.kp, "demo/foo", "v2"));
	put(obj);
	run();
	rig_expect_value(&rig, "v2");
	run_body(old);
	rig_expect_value(&rig, "v2");
	assert_int_equal(observed(), 2);
}

static void
a_body_of_a_predecessor_is_not_used(void **state UNUSED)
{
	json_t *old = rig_sealed(&rig, "old");

	jsonx_set_str(json_object_get(old, "metadata"), "uid", "old-uid");
	put(rig_sealed(&rig, "v1"));
	run_body(old);
	rig_expect_value(&rig, "v1");
}

static void
a_body_of_an_object_that_has_gone_is_not_used(void **state UNUSED)
{
	AUTO_JSON json_t *secret = NULL;

	run_body(rig_sealed(&rig, "v1"));
	assert_int_equal(res.next, RECONCILE_DONE);
	secret = rig_secret(&rig);
	assert_null(secret);
}

static void
change_spec(void *ctx, const char *method UNUSED, const char *path)
{
	bool *done = ctx;
	json_t *obj;

	if (*done || strstr(path, "/status") == NULL)
		return;
	*done = true;
	obj = rig_stored(&rig);
	jsonx_set(jsonx_object(obj, "spec", "encryptedData", NULL), "k",
	    rig_seal(rig.kp, "demo/foo", "v2"));
	fakekube_put(rig.kube, obj);
}

static void
a_spec_that_changes_during_a_run_is_run_again(void **state UNUSED)
{
	bool done = false;

	put(rig_sealed(&rig, "v1"));
	fakekube_hook(rig.kube, change_spec, &done);
	run();
	assert_int_equal(res.next, RECONCILE_AGAIN);
	rig_expect_condition(&rig, "", "");
	run();
	assert_int_equal(res.next, RECONCILE_DONE);
	rig_expect_value(&rig, "v2");
	assert_int_equal(observed(), 2);
}

static void
add_key(void *ctx, const char *method UNUSED, const char *path UNUSED)
{
	struct keypair *kp = ctx;
	struct err err = ERR_INIT;

	assert_int_equal(keyring_add(rig.keys, "late", kp, 2, &err), 0);
}

static void
a_key_that_comes_during_a_run_is_tried(void **state UNUSED)
{
	struct keypair *other = vectors_key("other2048", "pkcs1");
	json_t *obj = rig_sealed(&rig, "v1");

	jsonx_set(jsonx_object(obj, "spec", "encryptedData", NULL), "k",
	    rig_seal(other, "demo/foo", "v1"));
	put(obj);
	/* The status is written after the keys were tried. */
	fakekube_hook(rig.kube, add_key, other);
	run_body(rig_stored(&rig));
	assert_int_equal(res.next, RECONCILE_AGAIN);
	fakekube_hook(rig.kube, NULL, NULL);
	run();
	assert_int_equal(res.next, RECONCILE_DONE);
	rig_expect_value(&rig, "v1");
	keypair_free(other);
}

/* ---- the end ---- */

static void
an_object_that_has_gone_is_nothing_to_do(void **state UNUSED)
{
	place(OWNED, "djE=");
	run();
	assert_int_equal(res.next, RECONCILE_DONE);
	assert_int_equal(fakekube_calls(rig.kube, NULL), 1);
	rig_expect_value(&rig, "v1");
}

static void
an_object_on_its_way_out_is_left_alone(void **state UNUSED)
{
	json_t *obj = rig_sealed(&rig, "v1");

	jsonx_set_str(json_object_get(obj, "metadata"), "deletionTimestamp",
	    "2026-01-01T00:00:00Z");
	put(obj);
	run();
	assert_int_equal(res.next, RECONCILE_DONE);
	assert_int_equal(fakekube_calls(rig.kube, NULL), 1);
}

static void
the_old_way_of_deleting_takes_what_is_ours(void **state UNUSED)
{
	AUTO_JSON json_t *left = NULL;

	rig.cfg.old_gc = true;
	/* A 404 alone is no proof while the watch knows the object. */
	put(rig_sealed(&rig, "v1"));
	place(OWNED, "djE=");
	assert_true(
	    fakekube_remove(rig.kube, "sealedsecrets", RIG_NS, RIG_NAME));
	run();
	rig_expect_value(&rig, "v1");
	(void)index_remove(rig.sealedsecrets, &rig.key, NULL);
	(void)fakekube_remove(rig.kube, "secrets", RIG_NS, RIG_NAME);
	place(FOREIGN, "djE=");
	run();
	rig_expect_value(&rig, "v1");
	place(OWNED, "djE=");
	fakekube_fail_all(rig.kube, "DELETE ", FAKEKUBE_500);
	run();
	assert_int_equal(res.next, RECONCILE_RETRY);
	fakekube_fail_all(rig.kube, NULL, FAKEKUBE_OK);
	run();
	assert_int_equal(res.next, RECONCILE_DONE);
	left = rig_secret(&rig);
	assert_null(left);
}

static void
another_object_in_the_answer_is_refused(void **state UNUSED)
{
	json_t *obj = rig_sealed(&rig, "v1");
	struct objkey other;
	struct err err = ERR_INIT;
	const struct reconcile rc = { &rig.cfg, &rig.client, false };

	put(obj);
	assert_int_equal(objkey_set(&other, RIG_NS, "bar", &err), 0);
	index_put(rig.sealedsecrets, &other,
	    &(struct index_record) { .uid = RIG_UID }, 1, NULL);
	reconcile(&rc, &other, rig_stored(&rig), &res);
	assert_int_equal(res.err.code, ERR_SERVER);
	assert_int_equal(fakekube_calls(rig.kube, NULL), 0);
}

static void
the_word_of_a_result_can_be_read_back(void **state UNUSED)
{
	enum err_code code = ERR_NONE;

	assert_false(reconcile_failed(0, &code));
	assert_false(reconcile_succeeded(0));
	put(rig_sealed(&rig, "v1"));
	run();
	struct index_record rec;
	assert_true(index_get(rig.sealedsecrets, &rig.key, &rec));
	assert_true(reconcile_succeeded(rec.result));
	assert_false(reconcile_failed(rec.result, &code));
	assert_int_equal(rec.note, 1);
	assert_int_not_equal(rec.hint, 0);
	fakekube_fail(rig.kube, 2, FAKEKUBE_403);
	run();
	assert_true(index_get(rig.sealedsecrets, &rig.key, &rec));
	assert_true(reconcile_failed(rec.result, &code));
	assert_int_equal(code, ERR_FORBIDDEN);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_sealed_secret_becomes_a_secret),
		T(a_second_run_reads_and_does_nothing),
		T(a_new_spec_is_applied),
		T(with_a_body_and_a_complete_index_two_requests_suffice),
		T(a_written_secret_is_missed_before_its_watch_told_of_it),
		T(without_status_updates_none_is_written),
		T(the_table_of_ownership_holds),
		T(a_secret_made_without_owner_stays_a_success),
		T(the_old_uid_heals_when_the_secret_is_collected),
		T(a_failure_is_told_once_and_looked_at_again),
		T(a_new_cause_is_a_new_message),
		T(a_success_after_a_failure_is_told_without_status_too),
		T(templates_are_rendered),
		T(a_template_that_fails_writes_nothing),
		T(a_frozen_secret_is_a_message_without_a_retry),
		T(trouble_of_the_server_is_retried),
		T(what_the_server_asks_to_wait_is_handed_on),
		T(an_object_that_cannot_be_read_is_retried),
		T(a_status_that_did_not_land_is_retried_until_it_does),
		T(a_failures_status_is_retried_as_well),
		T(a_resource_without_status_does_not_keep_it_busy),
		T(an_older_body_is_not_used),
		T(a_body_of_a_predecessor_is_not_used),
		T(a_body_of_an_object_that_has_gone_is_not_used),
		T(a_spec_that_changes_during_a_run_is_run_again),
		T(a_key_that_comes_during_a_run_is_tried),
		T(an_object_that_has_gone_is_nothing_to_do),
		T(an_object_on_its_way_out_is_left_alone),
		T(the_old_way_of_deleting_takes_what_is_ours),
		T(another_object_in_the_answer_is_refused),
		T(the_word_of_a_result_can_be_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
