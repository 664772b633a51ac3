/*
 * Tests of controller/sealedsecret/condition.c.
 * layer: sealedsecret
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "jsontext.h"
#include "sealedsecret/condition.h"

#define NOW	 1776857288
#define NOW_TEXT "2026-04-22T11:28:08Z"
#define OLD_TEXT "2020-01-01T00:00:00Z"

static const struct condition_outcome good = {
	.ok = true, .reason = "Unsealed", .message = ""
};
static const struct condition_outcome bad = { .permanent = true,
	.reason = "DecryptFailed",
	.message = "no key could decrypt secret (a)" };
/* It may pass: nobody has to do anything. */
static const struct condition_outcome trouble = { .reason = "APIError",
	.message = "etcdserver: timed out" };

static size_t
count_conditions(const json_t *obj)
{
	return json_array_size(jsonx_array(obj, "status", "conditions", NULL));
}

/* A SealedSecret of generation 2 with this status. */
static json_t *
object(const char *status)
{
	json_t *obj =
	    jsontext_parse("{\"metadata\":{\"generation\":2,\"name\":\"s\"},"
			   "\"spec\":{\"encryptedData\":{}}}");

	if (status != NULL)
		jsonx_set(obj, "status", jsontext_parse(status));
	return obj;
}

static void
check(const char *status, const struct condition_outcome *o, const char *want)
{
	AUTO_JSON json_t *obj = object(status);
	AUTO_JSON json_t *before = json_deep_copy(obj);
	AUTO_JSON json_t *got = condition_apply(obj, o, NOW);
	AUTO_JSON json_t *w = want != NULL ? jsontext_parse(want) : NULL;

	assert_true(json_equal(obj, before));
	if (w == NULL) {
		if (got != NULL)
			fail_msg("written though it says so: %s", status);
		return;
	}
	if (got == NULL)
		fail_msg("not written: %s", status);
	if (!json_equal(json_object_get(got, "status"), w)) {
		AUTO_RELEASE(buf) struct buf b = BUF_INIT(65536);
		struct err err = ERR_INIT;

		assert_int_equal(
		    jsonx_dump_sorted(json_object_get(got, "status"), &b, &err),
		    0);
		fail_msg("got %s", buf_str(&b));
	}
	assert_string_equal(
	    jsonx_str(got, "apiVersion", NULL), "bitnami.com/v1alpha1");
	assert_string_equal(jsonx_str(got, "kind", NULL), "SealedSecret");
	assert_true(json_equal(
	    json_object_get(got, "spec"), json_object_get(obj, "spec")));
}

#define TIMES(update, transition)      \
	"\"lastUpdateTime\":\"" update \
	"\",\"lastTransitionTime\":\"" transition "\""
#define TRUE_OF(type, update, transition)                        \
	"{\"type\":\"" type "\",\"status\":\"True\",\"reason\":" \
	"\"Unsealed\"," TIMES(update, transition) "}"
#define BAD_OF(type, status, update, transition)                      \
	"{\"type\":\"" type "\",\"status\":\"" status                 \
	"\",\"reason\":\"DecryptFailed\",\"message\":\"no key could " \
	"decrypt secret (a)\"," TIMES(update, transition) "}"
/* Our conditions in full. */
#define TRUE_SINCE(update, transition)        \
	TRUE_OF("Synced", update, transition) \
	"," TRUE_OF("Ready", update, transition)
#define FALSE_SINCE(update, transition)                              \
	BAD_OF("Synced", "False", update, transition)                \
	"," BAD_OF("Ready", "False", update, transition) "," BAD_OF( \
	    "Stalled", "True", update, transition)
/* As the reference leaves it. */
#define BARE_TRUE                                          \
	"{\"type\":\"Synced\",\"status\":\"True\"," TIMES( \
	    OLD_TEXT, OLD_TEXT) "}"
#define STATUS(gen, conditions) \
	"{\"observedGeneration\":" gen ",\"conditions\":[" conditions "]}"

static void
the_first_run_writes_a_condition(void **state UNUSED)
{
	check(NULL, &good, STATUS("2", TRUE_SINCE(NOW_TEXT, NOW_TEXT)));
	check(NULL, &bad, STATUS("2", FALSE_SINCE(NOW_TEXT, NOW_TEXT)));
	check("null", &good, STATUS("2", TRUE_SINCE(NOW_TEXT, NOW_TEXT)));
	check("{}", &good, STATUS("2", TRUE_SINCE(NOW_TEXT, NOW_TEXT)));
}

static void
nothing_is_written_where_nothing_changed(void **state UNUSED)
{
	check(STATUS("2", TRUE_SINCE(OLD_TEXT, OLD_TEXT)), &good, NULL);
	check(STATUS("2", FALSE_SINCE(OLD_TEXT, OLD_TEXT)), &bad, NULL);
}

static void
a_flip_moves_the_transition_time(void **state UNUSED)
{
	check(STATUS("2", TRUE_SINCE(OLD_TEXT, OLD_TEXT)), &bad,
	    STATUS("2", FALSE_SINCE(NOW_TEXT, NOW_TEXT)));
	check(STATUS("2", FALSE_SINCE(OLD_TEXT, OLD_TEXT)), &good,
	    STATUS("2", TRUE_SINCE(NOW_TEXT, NOW_TEXT)));
	/* Ready and Synced each by its own. */
	check(STATUS("2",
		  TRUE_OF("Synced", OLD_TEXT, OLD_TEXT) "," BAD_OF(
		      "Ready", "False", OLD_TEXT, OLD_TEXT)),
	    &good,
	    STATUS("2",
		TRUE_OF("Synced", NOW_TEXT, OLD_TEXT) "," TRUE_OF(
		    "Ready", NOW_TEXT, NOW_TEXT)));
}

static void
a_new_generation_or_message_keeps_the_transition_time(void **state UNUSED)
{
	static const struct condition_outcome other = { .permanent = true,
		.reason = "DecryptFailed",
		.message = "another text" };
	AUTO_JSON json_t *was =
	    object(STATUS("2", FALSE_SINCE(OLD_TEXT, OLD_TEXT)));
	AUTO_JSON json_t *is = condition_apply(was, &other, NOW);
	json_t *list = jsonx_array(is, "status", "conditions", NULL);

	check(STATUS("1", TRUE_SINCE(OLD_TEXT, OLD_TEXT)), &good,
	    STATUS("2", TRUE_SINCE(NOW_TEXT, OLD_TEXT)));
	assert_int_equal(json_array_size(list), 3);
	for (size_t i = 0; i < 3; i++) {
		const json_t *c = json_array_get(list, i);

		assert_string_equal(
		    jsonx_str(c, "message", NULL), "another text");
		assert_string_equal(
		    jsonx_str(c, "lastTransitionTime", NULL), OLD_TEXT);
	}
	/* The same text for another reason. */
	check(STATUS("2",
		  "{\"type\":\"Synced\",\"status\":\"False\",\"reason\":\"X\","
		  "\"message\":\"no key could decrypt secret (a)\"," TIMES(
		      OLD_TEXT, OLD_TEXT) "}"),
	    &bad,
	    STATUS("2",
		BAD_OF("Synced", "False", NOW_TEXT, OLD_TEXT) "," BAD_OF(
		    "Ready", "False", NOW_TEXT, OLD_TEXT) "," BAD_OF("Stalled",
		    "True", NOW_TEXT, NOW_TEXT)));
}

static void
stalled_is_there_only_while_a_failure_is_permanent(void **state UNUSED)
{
	AUTO_JSON json_t *fresh = object(NULL);
	AUTO_JSON json_t *passing = condition_apply(fresh, &trouble, NOW);
	AUTO_JSON json_t *lasting = condition_apply(passing, &bad, NOW);
	AUTO_JSON json_t *again = condition_apply(lasting, &trouble, NOW);
	AUTO_JSON json_t *fixed = condition_apply(lasting, &good, NOW);

	assert_int_equal(count_conditions(passing), 2);
	assert_int_equal(count_conditions(lasting), 3);
	assert_int_equal(count_conditions(again), 2);
	assert_int_equal(count_conditions(fixed), 2);
	assert_null(condition_apply(lasting, &bad, NOW));
	assert_null(condition_apply(again, &trouble, NOW));
}

static void
a_status_of_the_reference_says_enough_and_is_extended_on_request(
    void **state UNUSED)
{
	static const struct {
		const char *status;
		bool enough;
	} cases[] = {
		{ STATUS("2", BARE_TRUE), true },
		{ STATUS("1", BARE_TRUE), false },
		{ STATUS("2", TRUE_OF("Synced", OLD_TEXT, OLD_TEXT)), true },
		{ STATUS("2", TRUE_SINCE(OLD_TEXT, OLD_TEXT)), false },
		{ STATUS("2", FALSE_SINCE(OLD_TEXT, OLD_TEXT)), false },
		{ "{}", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *obj = object(cases[i].status);

		if (condition_says_enough(obj, &good) != cases[i].enough)
			fail_msg("case %zu", i);
	}
	/* Ready has been so for as long as Synced. */
	check(STATUS("2", BARE_TRUE), &good,
	    STATUS("2", TRUE_SINCE(NOW_TEXT, OLD_TEXT)));
}

static void
a_status_tells_whether_this_generation_and_scope_were_applied(
    void **state UNUSED)
{
	static const struct {
		const char *status;
		enum scope scope;
		enum condition_standing want;
	} cases[] = {
		{ NULL, SCOPE_STRICT, CONDITION_OPEN },
		{ STATUS("2", TRUE_SINCE(OLD_TEXT, OLD_TEXT)), SCOPE_STRICT,
		    CONDITION_SETTLED },
		{ STATUS("1", TRUE_SINCE(OLD_TEXT, OLD_TEXT)), SCOPE_STRICT,
		    CONDITION_OPEN },
		{ STATUS("2", TRUE_SINCE(OLD_TEXT, OLD_TEXT)),
		    SCOPE_CLUSTER_WIDE, CONDITION_OPEN },
		{ STATUS("2", FALSE_SINCE(OLD_TEXT, OLD_TEXT)), SCOPE_STRICT,
		    CONDITION_OPEN },
		{ STATUS("2", BARE_TRUE), SCOPE_STRICT, CONDITION_EXTEND },
		{ STATUS("2", BARE_TRUE), SCOPE_NAMESPACE_WIDE,
		    CONDITION_EXTEND },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *obj = object(cases[i].status);

		if (condition_standing(obj, cases[i].scope) != cases[i].want)
			fail_msg("case %zu", i);
	}
	for (enum scope s = SCOPE_STRICT; s <= SCOPE_CLUSTER_WIDE; s++) {
		const struct condition_outcome o = {
			.ok = true,
			.reason = condition_success(s),
			.message = "",
		};
		AUTO_JSON json_t *obj = object(NULL);
		AUTO_JSON json_t *done = condition_apply(obj, &o, NOW);

		assert_int_equal(
		    condition_standing(done, s), CONDITION_SETTLED);
	}
}

#define OTHER	   "{\"type\":\"Audited\",\"status\":\"True\"}"
#define SYNCED_NOW TRUE_OF("Synced", NOW_TEXT, NOW_TEXT)
#define READY_NOW  TRUE_OF("Ready", NOW_TEXT, NOW_TEXT)

static void
other_conditions_stay_and_ours_is_the_first_we_make(void **state UNUSED)
{
	check(STATUS("2", OTHER), &good,
	    STATUS("2", SYNCED_NOW "," OTHER "," READY_NOW));
	check(STATUS("1",
		  OTHER "," TRUE_OF("Ready", OLD_TEXT, OLD_TEXT) "," TRUE_OF(
		      "Synced", OLD_TEXT, OLD_TEXT)),
	    &good,
	    STATUS("2",
		OTHER "," TRUE_OF("Ready", NOW_TEXT, OLD_TEXT) "," TRUE_OF(
		    "Synced", NOW_TEXT, OLD_TEXT)));
	check("{\"extra\":1,\"conditions\":[" OTHER "]}", &good,
	    "{\"extra\":1,\"observedGeneration\":2,\"conditions\":[" SYNCED_NOW
	    "," OTHER "," READY_NOW "]}");
}

static void
a_broken_status_is_mended(void **state UNUSED)
{
	static const char *const broken[] = { "7", "[]", "\"x\"",
		"{\"conditions\":7}", "{\"conditions\":[7,null,\"Synced\"]}",
		"{\"conditions\":{\"type\":\"Synced\"}}",
		"{\"observedGeneration\":\"2\"}" };

	for (size_t i = 0; i < ARRAY_SIZE(broken); i++)
		check(broken[i], &good,
		    STATUS("2", TRUE_SINCE(NOW_TEXT, NOW_TEXT)));
	/* Two of ours: one stays. */
	check(STATUS("1",
		  TRUE_SINCE(OLD_TEXT, OLD_TEXT) "," FALSE_SINCE(
		      OLD_TEXT, OLD_TEXT)),
	    &good, STATUS("2", TRUE_SINCE(NOW_TEXT, OLD_TEXT)));
	/* No transition time to keep. */
	check(STATUS("1", "{\"type\":\"Synced\",\"status\":\"True\"}"), &good,
	    STATUS("2", TRUE_SINCE(NOW_TEXT, NOW_TEXT)));
}

/* The rule of Argo CD's health check: the first Synced decides. */
static const char *
argo_health(const json_t *obj)
{
	json_t *list = jsonx_array(obj, "status", "conditions", NULL);
	json_t *c;
	size_t i;

	json_array_foreach(list, i, c)
	{
		const char *status = jsonx_str(c, "status", NULL);

		if (strcmp(jsonx_str(c, "type", NULL), "Synced") != 0)
			continue;
		if (strcmp(status, "False") == 0)
			return "Degraded";
		if (strcmp(status, "True") == 0)
			return "Healthy";
	}
	return "Progressing";
}

/* Flux asks whether all Synced conditions have this status, "failed" before
 * "current", and before both whether the generation was observed. */
static bool
all_synced_are(const json_t *obj, const char *want)
{
	json_t *list = jsonx_array(obj, "status", "conditions", NULL);
	json_t *c;
	size_t i;

	json_array_foreach(list, i, c)
	{
		if (strcmp(jsonx_str(c, "type", NULL), "Synced") == 0 &&
		    strcmp(jsonx_str(c, "status", NULL), want) != 0)
			return false;
	}
	return true;
}

static bool
is_behind(const json_t *obj)
{
	return jsonx_get(obj, "status", "observedGeneration", NULL) != NULL &&
	    jsonx_int(obj, "status", "observedGeneration", NULL) !=
	    jsonx_int(obj, "metadata", "generation", NULL);
}

static const char *
flux_health(const json_t *obj)
{
	if (is_behind(obj))
		return "InProgress";
	if (all_synced_are(obj, "False"))
		return "Failed";
	return all_synced_are(obj, "True") ? "Current" : "InProgress";
}

static const char *
status_of(const json_t *obj, const char *type)
{
	json_t *list = jsonx_array(obj, "status", "conditions", NULL);
	json_t *c;
	size_t i;

	json_array_foreach(list, i, c)
	{
		if (strcmp(jsonx_str(c, "type", NULL), type) == 0)
			return jsonx_str(c, "status", NULL);
	}
	return "";
}

/* kstatus: generation, Reconciling, Stalled, Ready, in this order. */
static const char *
kstatus(const json_t *obj)
{
	const char *ready = status_of(obj, "Ready");

	if (is_behind(obj) ||
	    strcmp(status_of(obj, "Reconciling"), "True") == 0)
		return "InProgress";
	if (strcmp(status_of(obj, "Stalled"), "True") == 0)
		return "Failed";
	return ready[0] == '\0' || strcmp(ready, "True") == 0 ? "Current"
							      : "InProgress";
}

static void
health_rules_give_the_right_verdict_through_fail_fix_and_edit(
    void **state UNUSED)
{
	AUTO_JSON json_t *fresh = object(NULL);
	AUTO_JSON json_t *failed = condition_apply(fresh, &bad, NOW);
	AUTO_JSON json_t *passing = condition_apply(failed, &trouble, NOW);
	AUTO_JSON json_t *fixed = condition_apply(passing, &good, NOW);
	AUTO_JSON json_t *edited = json_deep_copy(fixed);
	const struct {
		const json_t *obj;
		const char *argo, *flux, *kstatus;
	} cases[] = {
		{ failed, "Degraded", "Failed", "Failed" },
		{ passing, "Degraded", "Failed", "InProgress" },
		{ fixed, "Healthy", "Current", "Current" },
		/* Argo CD does not read the generation. */
		{ edited, "Healthy", "InProgress", "InProgress" },
	};

	jsonx_set(
	    json_object_get(edited, "metadata"), "generation", json_integer(3));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_string_equal(argo_health(cases[i].obj), cases[i].argo);
		assert_string_equal(flux_health(cases[i].obj), cases[i].flux);
		assert_string_equal(kstatus(cases[i].obj), cases[i].kstatus);
	}
}

static void
argo_and_the_printer_columns_see_the_truth(void **state UNUSED)
{
	AUTO_JSON json_t *fresh = object(NULL);
	AUTO_JSON json_t *failed = condition_apply(fresh, &bad, NOW);
	AUTO_JSON json_t *fixed = condition_apply(failed, &good, NOW);
	json_t *first;

	assert_string_equal(argo_health(fresh), "Progressing");
	assert_string_equal(argo_health(failed), "Degraded");
	assert_string_equal(argo_health(fixed), "Healthy");
	first = json_array_get(
	    jsonx_array(failed, "status", "conditions", NULL), 0);
	assert_string_equal(jsonx_str(first, "message", NULL), bad.message);
	assert_string_equal(jsonx_str(first, "status", NULL), "False");
}

static void
every_failure_has_a_reason_in_camel_case(void **state UNUSED)
{
	static const struct {
		enum err_code code;
		const char *want;
	} cases[] = {
		{ ERR_NONE, "Unsealed" },
		{ ERR_NOKEY, "DecryptFailed" },
		{ ERR_INVALID, "InvalidSealedSecret" },
		{ ERR_TOOBIG, "TooBig" },
		{ ERR_UNSUPPORTED, "Unsupported" },
		{ ERR_UNMANAGED, "NotOwned" },
		{ ERR_IMMUTABLE, "Immutable" },
		{ ERR_CONFLICT, "Conflict" },
		{ ERR_FORBIDDEN, "Forbidden" },
		{ ERR_UNPROCESSABLE, "Rejected" },
		{ ERR_TRANSPORT, "APIError" },
		{ ERR_SERVER, "APIError" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = { .code = cases[i].code };

		assert_string_equal(condition_reason(&err), cases[i].want);
	}
}

static void
the_time_of_a_status_is_read(void **state UNUSED)
{
	static const struct {
		const char *status;
		int64_t s;
	} cases[] = {
		{ "{}", 0 },
		{ "{\"conditions\":[{\"type\":\"Synced\"}]}", 0 },
		{ "{\"conditions\":[{\"type\":\"Synced\","
		  "\"lastUpdateTime\":\"soon\"}]}",
		    0 },
		{ "{\"conditions\":[{\"type\":\"Ready\","
		  "\"lastUpdateTime\":\"1970-01-01T00:00:09Z\"},"
		  "{\"type\":\"Synced\","
		  "\"lastUpdateTime\":\"1970-01-01T00:01:00Z\"}]}",
		    60 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *obj = json_object();

		jsonx_set(obj, "status", json_loads(cases[i].status, 0, NULL));
		assert_int_equal(condition_written_s(obj), cases[i].s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_run_writes_a_condition),
		cmocka_unit_test(nothing_is_written_where_nothing_changed),
		cmocka_unit_test(a_flip_moves_the_transition_time),
		cmocka_unit_test(
		    a_new_generation_or_message_keeps_the_transition_time),
		cmocka_unit_test(
		    other_conditions_stay_and_ours_is_the_first_we_make),
		cmocka_unit_test(
		    stalled_is_there_only_while_a_failure_is_permanent),
		cmocka_unit_test(
		    a_status_of_the_reference_says_enough_and_is_extended_on_request),
		cmocka_unit_test(
		    a_status_tells_whether_this_generation_and_scope_were_applied),
		cmocka_unit_test(the_time_of_a_status_is_read),
		cmocka_unit_test(a_broken_status_is_mended),
		cmocka_unit_test(
		    health_rules_give_the_right_verdict_through_fail_fix_and_edit),
		cmocka_unit_test(argo_and_the_printer_columns_see_the_truth),
		cmocka_unit_test(every_failure_has_a_reason_in_camel_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
