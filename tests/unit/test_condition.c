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
#include "sealedsecret/condition.h"

#define NOW	 1776857288
#define NOW_TEXT "2026-04-22T11:28:08Z"
#define OLD_TEXT "2020-01-01T00:00:00Z"

static const struct condition_outcome good = { true, "Unsealed", "" };
static const struct condition_outcome bad = { false, "DecryptFailed",
	"no key could decrypt secret (a)" };

static json_t *
parse(const char *text)
{
	struct err err = ERR_INIT;
	json_t *v = NULL;

	if (jsonx_parse(text, strlen(text), 0, &v, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return v;
}

/* A SealedSecret of generation 2 with this status. */
static json_t *
object(const char *status)
{
	json_t *obj = parse("{\"metadata\":{\"generation\":2,\"name\":\"s\"},"
			    "\"spec\":{\"encryptedData\":{}}}");

	if (status != NULL)
		jsonx_set(obj, "status", parse(status));
	return obj;
}

static void
check(const char *status, const struct condition_outcome *o, const char *want)
{
	AUTO_JSON json_t *obj = object(status);
	AUTO_JSON json_t *before = json_deep_copy(obj);
	AUTO_JSON json_t *got = condition_apply(obj, o, NOW);
	AUTO_JSON json_t *w = want != NULL ? parse(want) : NULL;

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
#define TRUE_SINCE(update, transition)                         \
	"{\"type\":\"Synced\",\"status\":\"True\",\"reason\":" \
	"\"Unsealed\"," TIMES(update, transition) "}"
#define FALSE_SINCE(update, transition)                                \
	"{\"type\":\"Synced\",\"status\":\"False\",\"reason\":"        \
	"\"DecryptFailed\",\"message\":\"no key could decrypt secret " \
	"(a)\"," TIMES(update, transition) "}"
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
	/* As the reference leaves it: no reason. */
	check(STATUS("2",
		  "{\"type\":\"Synced\",\"status\":\"True\"," TIMES(
		      OLD_TEXT, OLD_TEXT) "}"),
	    &good, NULL);
	check(STATUS("2",
		  "{\"type\":\"Synced\",\"status\":\"True\","
		  "\"message\":\"\"," TIMES(OLD_TEXT, OLD_TEXT) "}"),
	    &good, NULL);
}

static void
a_flip_moves_the_transition_time(void **state UNUSED)
{
	check(STATUS("2", TRUE_SINCE(OLD_TEXT, OLD_TEXT)), &bad,
	    STATUS("2", FALSE_SINCE(NOW_TEXT, NOW_TEXT)));
	check(STATUS("2", FALSE_SINCE(OLD_TEXT, OLD_TEXT)), &good,
	    STATUS("2", TRUE_SINCE(NOW_TEXT, NOW_TEXT)));
}

static void
a_new_generation_or_message_keeps_the_transition_time(void **state UNUSED)
{
	static const struct condition_outcome other = { false, "DecryptFailed",
		"another text" };

	check(STATUS("1", TRUE_SINCE(OLD_TEXT, OLD_TEXT)), &good,
	    STATUS("2", TRUE_SINCE(NOW_TEXT, OLD_TEXT)));
	check(STATUS("2", FALSE_SINCE(OLD_TEXT, OLD_TEXT)), &other,
	    STATUS("2",
		"{\"type\":\"Synced\",\"status\":\"False\",\"reason\":"
		"\"DecryptFailed\",\"message\":\"another text\"," TIMES(
		    NOW_TEXT, OLD_TEXT) "}"));
	/* The same text for another reason. */
	check(STATUS("2",
		  "{\"type\":\"Synced\",\"status\":\"False\",\"reason\":\"X\","
		  "\"message\":\"no key could decrypt secret (a)\"," TIMES(
		      OLD_TEXT, OLD_TEXT) "}"),
	    &bad, STATUS("2", FALSE_SINCE(NOW_TEXT, OLD_TEXT)));
}

#define READY "{\"type\":\"Ready\",\"status\":\"True\"}"

static void
other_conditions_stay_and_ours_is_the_first_we_make(void **state UNUSED)
{
	check(STATUS("2", READY), &good,
	    STATUS("2", TRUE_SINCE(NOW_TEXT, NOW_TEXT) "," READY));
	check(STATUS("1", READY "," TRUE_SINCE(OLD_TEXT, OLD_TEXT)), &good,
	    STATUS("2", READY "," TRUE_SINCE(NOW_TEXT, OLD_TEXT)));
	check("{\"extra\":1,\"conditions\":[" READY "]}", &good,
	    "{\"extra\":1,\"observedGeneration\":2,\"conditions\":[" TRUE_SINCE(
		NOW_TEXT, NOW_TEXT) "," READY "]}");
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
		cmocka_unit_test(a_broken_status_is_mended),
		cmocka_unit_test(argo_and_the_printer_columns_see_the_truth),
		cmocka_unit_test(every_failure_has_a_reason_in_camel_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
