/*
 * Tests of controller/sealedsecret/apply.c.
 * layer: sealedsecret
 */
#include "controller/sealedsecret/apply.h"
#include "keystore/secretform.h"
#include "sealedrig.h"

static struct rig rig;

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

/* A Secret demo/foo with item k, controlled by uid unless that is NULL. */
static json_t *
secret(const char *uid, const char *value)
{
	json_t *s = json_pack("{s:s,s:s,s:{s:s,s:s},s:{s:s}}", "apiVersion",
	    "v1", "kind", "Secret", "metadata", "name", RIG_NAME, "namespace",
	    RIG_NS, "data", "k", value);

	if (uid != NULL)
		jsonx_set(json_object_get(s, "metadata"), "ownerReferences",
		    json_pack("[{s:s,s:s,s:s,s:s,s:b}]", "apiVersion",
			"bitnami.com/v1alpha1", "kind", "SealedSecret", "name",
			RIG_NAME, "uid", uid, "controller", 1));
	return s;
}

static int
apply(const json_t *desired, bool absent, enum apply_outcome *ret,
    struct err *err)
{
	struct apply_result result;
	int rc;

	err_clear(err);
	rc = apply_secret(
	    &(struct apply_request) {
		.client = &rig.client,
		.key = &rig.key,
		.owner_uid = RIG_UID,
		.desired = desired,
		.key_ns = "kube-system",
		.absent = absent,
	    },
	    &result, err);
	*ret = result.outcome;
	return rc;
}

static void
a_missing_secret_is_created(void **state UNUSED)
{
	AUTO_JSON json_t *desired = secret(RIG_UID, "djE=");
	enum apply_outcome got;
	struct err err = ERR_INIT;

	assert_int_equal(apply(desired, false, &got, &err), 0);
	assert_int_equal(got, APPLY_CREATED);
	rig_expect_value(&rig, "v1");
	assert_int_equal(fakekube_calls(rig.kube, "GET "), 1);
	assert_int_equal(fakekube_calls(rig.kube, "POST "), 1);
	assert_int_equal(fakekube_calls(rig.kube, NULL), 2);
}

static void
believed_absent_it_costs_one_request(void **state UNUSED)
{
	AUTO_JSON json_t *desired = secret(RIG_UID, "djE=");
	enum apply_outcome got;
	struct err err = ERR_INIT;

	assert_int_equal(apply(desired, true, &got, &err), 0);
	assert_int_equal(got, APPLY_CREATED);
	assert_int_equal(fakekube_calls(rig.kube, NULL), 1);
}

static void
wrongly_believed_absent_it_is_read_and_updated(void **state UNUSED)
{
	AUTO_JSON json_t *desired = secret(RIG_UID, "djI=");
	enum apply_outcome got;
	struct err err = ERR_INIT;

	fakekube_put(rig.kube, secret(RIG_UID, "djE="));
	assert_int_equal(apply(desired, true, &got, &err), 0);
	assert_int_equal(got, APPLY_UPDATED);
	rig_expect_value(&rig, "v2");
}

static void
what_is_as_it_should_be_is_not_written(void **state UNUSED)
{
	AUTO_JSON json_t *desired = secret(RIG_UID, "djE=");
	enum apply_outcome got;
	struct err err = ERR_INIT;

	fakekube_put(rig.kube, secret(RIG_UID, "djE="));
	assert_int_equal(apply(desired, false, &got, &err), 0);
	assert_int_equal(got, APPLY_UNCHANGED);
	assert_int_equal(fakekube_calls(rig.kube, NULL), 1);
}

static void
a_foreign_secret_is_left_alone(void **state UNUSED)
{
	AUTO_JSON json_t *desired = secret(RIG_UID, "djE=");
	static const char *const owners[] = { NULL, "old-uid" };

	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		enum apply_outcome got;
		struct err err = ERR_INIT;

		fakekube_put(rig.kube, secret(owners[i], "Zm9yZWlnbg=="));
		assert_int_equal(apply(desired, true, &got, &err), -1);
		assert_int_equal(err.code, ERR_UNMANAGED);
		assert_string_equal(err.msg,
		    "Resource \"foo\" already exists and is not managed by "
		    "SealedSecret");
		rig_expect_value(&rig, "foreign");
		assert_int_equal(fakekube_calls(rig.kube, "PUT "), 0);
	}
}

static void
an_unowned_secret_that_is_as_it_was_made_is_no_failure(void **state UNUSED)
{
	AUTO_JSON json_t *desired = secret(NULL, "djE=");
	AUTO_JSON json_t *other = secret(NULL, "djI=");
	enum apply_outcome got;
	struct err err = ERR_INIT;

	assert_int_equal(apply(desired, false, &got, &err), 0);
	assert_int_equal(apply(desired, false, &got, &err), 0);
	assert_int_equal(got, APPLY_UNCHANGED);
	assert_int_equal(apply(other, false, &got, &err), -1);
	assert_int_equal(err.code, ERR_UNMANAGED);
	rig_expect_value(&rig, "v1");
}

/* ---- races: somebody acts between our requests ---- */

struct race {
	const char *before; /* "PUT " ... */
	unsigned times;
	enum { RACE_TOUCH, RACE_DELETE, RACE_CREATE } what;
};

static void
meddle(void *ctx, const char *method, const char *path UNUSED)
{
	struct race *r = ctx;

	if (r->times == 0 || strncmp(method, r->before, 3) != 0)
		return;
	r->times--;
	switch (r->what) {
	case RACE_TOUCH:
	case RACE_CREATE:
		fakekube_put(rig.kube, secret(RIG_UID, "eA=="));
		break;
	case RACE_DELETE:
		(void)fakekube_remove(rig.kube, "secrets", RIG_NS, RIG_NAME);
		break;
	}
}

static void
lost_races_are_run_again(void **state UNUSED)
{
	static const struct {
		struct race race;
		bool exists;
		enum apply_outcome want;
	} cases[] = {
		{ { "PUT", 1, RACE_TOUCH }, true, APPLY_UPDATED },
		{ { "PUT", APPLY_TRIES - 1, RACE_TOUCH }, true, APPLY_UPDATED },
		{ { "PUT", 1, RACE_DELETE }, true, APPLY_CREATED },
		{ { "POS", 1, RACE_CREATE }, false, APPLY_UPDATED },
	};
	AUTO_JSON json_t *desired = secret(RIG_UID, "djE=");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct race race = cases[i].race;
		enum apply_outcome got;
		struct err err = ERR_INIT;

		(void)fakekube_remove(rig.kube, "secrets", RIG_NS, RIG_NAME);
		if (cases[i].exists)
			fakekube_put(rig.kube, secret(RIG_UID, "djA="));
		fakekube_hook(rig.kube, meddle, &race);
		if (apply(desired, false, &got, &err) < 0)
			fail_msg("case %zu: %s", i, err.msg);
		assert_int_equal(got, cases[i].want);
		fakekube_hook(rig.kube, NULL, NULL);
		rig_expect_value(&rig, "v1");
	}
}

static void
a_race_lost_too_often_is_left_to_the_queue(void **state UNUSED)
{
	AUTO_JSON json_t *desired = secret(RIG_UID, "djE=");
	struct race race = { "PUT", 100, RACE_TOUCH };
	enum apply_outcome got;
	struct err err = ERR_INIT;

	fakekube_put(rig.kube, secret(RIG_UID, "djA="));
	fakekube_hook(rig.kube, meddle, &race);
	assert_int_equal(apply(desired, false, &got, &err), -1);
	assert_int_equal(err.code, ERR_CONFLICT);
	assert_true(err_retryable(&err));
	assert_int_equal(race.times, 100 - APPLY_TRIES);
}

/* ---- refusals ---- */

static void
a_frozen_secret_is_recognised(void **state UNUSED)
{
	AUTO_JSON json_t *desired = secret(RIG_UID, "djI=");
	json_t *live = secret(RIG_UID, "djE=");
	enum apply_outcome got;
	struct err err = ERR_INIT;

	jsonx_set(live, "immutable", json_true());
	fakekube_put(rig.kube, live);
	assert_int_equal(apply(desired, false, &got, &err), -1);
	assert_int_equal(err.code, ERR_IMMUTABLE);
	assert_string_equal(err.msg,
	    "Secret \"foo\" is invalid: data: Forbidden: field is immutable "
	    "when `immutable` is set");
	rig_expect_value(&rig, "v1");
}

static void
metadata_of_a_frozen_secret_is_still_updated(void **state UNUSED)
{
	AUTO_JSON json_t *desired = secret(RIG_UID, "djE=");
	json_t *live = secret(RIG_UID, "djE=");
	enum apply_outcome got;
	struct err err = ERR_INIT;

	jsonx_set(live, "immutable", json_true());
	fakekube_put(rig.kube, live);
	jsonx_set(json_object_get(desired, "metadata"), "labels",
	    json_pack("{s:s}", "l", "1"));
	assert_int_equal(apply(desired, false, &got, &err), 0);
	assert_int_equal(got, APPLY_UPDATED);
}

static void
another_type_is_the_servers_refusal(void **state UNUSED)
{
	AUTO_JSON json_t *desired = secret(RIG_UID, "djE=");
	enum apply_outcome got;
	struct err err = ERR_INIT;

	fakekube_put(rig.kube, secret(RIG_UID, "djE="));
	jsonx_set_str(desired, "type", "a/b");
	assert_int_equal(apply(desired, false, &got, &err), -1);
	assert_int_equal(err.code, ERR_UNPROCESSABLE);
	assert_non_null(strstr(err.msg, "field is immutable"));
}

static void
a_patch_never_reaches_a_sealing_key(void **state UNUSED)
{
	AUTO_JSON json_t *desired = secret(NULL, "djE=");
	json_t *live = secret(NULL, "a2V5");
	struct apply_result got;
	struct err err = ERR_INIT;

	jsonx_set(json_object_get(live, "metadata"), "labels",
	    json_pack("{s:s}", SECRETFORM_LABEL, "active"));
	jsonx_set(json_object_get(live, "metadata"), "annotations",
	    json_pack("{s:s}", ANNOTATION_PATCH, "true"));
	fakekube_put(rig.kube, live);
	assert_int_equal(apply_secret(
			     &(struct apply_request) {
				 .client = &rig.client,
				 .key = &rig.key,
				 .owner_uid = RIG_UID,
				 .desired = desired,
				 .key_ns = RIG_NS,
			     },
			     &got, &err),
	    -1);
	assert_int_equal(err.code, ERR_INVALID);
	rig_expect_value(&rig, "key");
}

static void
other_failures_come_through_as_they_are(void **state UNUSED)
{
	static const struct {
		enum fakekube_fault fault;
		enum err_code want;
	} cases[] = {
		{ FAKEKUBE_500, ERR_SERVER },
		{ FAKEKUBE_429, ERR_THROTTLED },
		{ FAKEKUBE_403, ERR_FORBIDDEN },
		{ FAKEKUBE_CUT, ERR_TRANSPORT },
	};
	AUTO_JSON json_t *desired = secret(RIG_UID, "djE=");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (unsigned nth = 1; nth <= 2; nth++) {
			enum apply_outcome got;
			struct err err = ERR_INIT;

			fakekube_fail(rig.kube, nth, cases[i].fault);
			assert_int_equal(apply(desired, false, &got, &err), -1);
			assert_int_equal(err.code, cases[i].want);
		}
}

static void
values_that_the_server_quotes_are_withheld(void **state UNUSED)
{
	AUTO_JSON json_t *desired = secret(RIG_UID, "Y2FuYXJ5LTEyMw==");
	enum apply_outcome got;
	struct err err = ERR_INIT;

	fakekube_fail(rig.kube, 2, FAKEKUBE_ECHO);
	assert_int_equal(apply(desired, false, &got, &err), -1);
	assert_int_equal(err.code, ERR_UNPROCESSABLE);
	assert_null(strstr(err.msg, "Y2FuYXJ5LTEyMw=="));
	fakekube_put(rig.kube, secret(RIG_UID, "djE="));
	fakekube_fail(rig.kube, 2, FAKEKUBE_ECHO);
	assert_int_equal(apply(desired, false, &got, &err), -1);
	assert_int_equal(err.code, ERR_UNPROCESSABLE);
	assert_null(strstr(err.msg, "Y2FuYXJ5LTEyMw=="));
}

static void
a_missing_namespace_is_not_a_race(void **state UNUSED)
{
	AUTO_JSON json_t *desired = secret(RIG_UID, "djE=");
	enum apply_outcome got;
	struct err err = ERR_INIT;

	fakekube_fail_all(rig.kube, "POST ", FAKEKUBE_403);
	assert_int_equal(apply(desired, false, &got, &err), -1);
	assert_int_equal(fakekube_calls(rig.kube, "POST "), 1);
}

/* ---- --old-gc-behavior ---- */

static void
an_orphan_is_deleted_only_where_it_is_ours(void **state UNUSED)
{
	static const struct {
		const char *uid;
		bool managed, gone;
	} cases[] = {
		{ RIG_UID, false, true },
		{ "old-uid", false, true },
		{ NULL, false, false },
		{ NULL, true, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *s = secret(cases[i].uid, "djE=");
		AUTO_JSON json_t *left = NULL;
		struct err err = ERR_INIT;

		if (cases[i].managed)
			jsonx_set(json_object_get(s, "metadata"), "annotations",
			    json_pack("{s:s}", ANNOTATION_MANAGED, "true"));
		(void)fakekube_remove(rig.kube, "secrets", RIG_NS, RIG_NAME);
		fakekube_put(rig.kube, s);
		assert_int_equal(
		    apply_delete_orphan(&rig.client, &rig.key, &err), 0);
		left = rig_secret(&rig);
		if ((left == NULL) != cases[i].gone)
			fail_msg("case %zu", i);
	}
}

static void
an_orphan_that_changed_meanwhile_is_judged_anew(void **state UNUSED)
{
	struct race race = { "DEL", 1, RACE_TOUCH };
	AUTO_JSON json_t *left = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(apply_delete_orphan(&rig.client, &rig.key, &err), 0);
	fakekube_put(rig.kube, secret(RIG_UID, "djE="));
	fakekube_hook(rig.kube, meddle, &race);
	assert_int_equal(apply_delete_orphan(&rig.client, &rig.key, &err), -1);
	assert_int_equal(err.code, ERR_CONFLICT);
	left = rig_secret(&rig);
	assert_non_null(left);
	race = (struct race) { "DEL", 1, RACE_DELETE };
	assert_int_equal(apply_delete_orphan(&rig.client, &rig.key, &err), 0);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_missing_secret_is_created),
		T(believed_absent_it_costs_one_request),
		T(wrongly_believed_absent_it_is_read_and_updated),
		T(what_is_as_it_should_be_is_not_written),
		T(a_foreign_secret_is_left_alone),
		T(an_unowned_secret_that_is_as_it_was_made_is_no_failure),
		T(lost_races_are_run_again),
		T(a_race_lost_too_often_is_left_to_the_queue),
		T(a_frozen_secret_is_recognised),
		T(metadata_of_a_frozen_secret_is_still_updated),
		T(another_type_is_the_servers_refusal),
		T(a_patch_never_reaches_a_sealing_key),
		T(other_failures_come_through_as_they_are),
		T(values_that_the_server_quotes_are_withheld),
		T(a_missing_namespace_is_not_a_race),
		T(an_orphan_is_deleted_only_where_it_is_ours),
		T(an_orphan_that_changed_meanwhile_is_judged_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
