/*
 * Tests of controller/sealedsecret/redact.c.
 * layer: sealedsecret
 */
#include "controller/sealedsecret/redact.h"
#include "sealedrig.h"

static json_t *
secret(const char *item, const char *value)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(65536);
	struct err err = ERR_INIT;

	assert_int_equal(base64_encode(value, strlen(value), &b, &err), 0);
	return json_pack("{s:{s:s,s:s},s:{s:s}}", "metadata", "name",
	    "my-database", "namespace", "production", "data", item,
	    buf_str(&b));
}

static bool
withheld(const json_t *obj, const char *text)
{
	struct err err = ERR_INIT;

	(void)err_set(&err, ERR_UNPROCESSABLE, "%s", text);
	err.retry_after_s = 3;
	redact_error(obj, &err);
	assert_int_equal(err.code, ERR_UNPROCESSABLE);
	assert_int_equal(err.retry_after_s, 3);
	if (strcmp(err.msg, text) == 0)
		return false;
	assert_non_null(strstr(err.msg, "withheld"));
	return true;
}

static void
a_quoted_value_is_withheld(void **state UNUSED)
{
	static const struct {
		const char *value, *text;
		bool want;
	} cases[] = {
		{ "correct horse battery", "no: correct horse battery!", true },
		{ "correct horse battery", "no: orse battery", true },
		{ "correct horse battery", "no: rect horse b", true },
		{ "correct horse battery", "no: horse", false },
		{ "correct horse battery", "no", false },
		{ "hunter2", "bad value \"hunter2\"", true },
		{ "hunter2", "bad value \"hunter3\"", false },
		{ "admin", "admin is no good", false },
		/* base64 of the first */
		{ "correct horse battery", "Y29ycmVjdCBob3JzZSBiYXR0ZXJ5",
		    true },
		{ "", "text", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *obj = secret("k", cases[i].value);

		if (withheld(obj, cases[i].text) != cases[i].want)
			fail_msg("case %zu", i);
	}
}

static void
any_long_run_of_a_value_is_found(void **state UNUSED)
{
	static const char value[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	AUTO_JSON json_t *obj = secret("k", value);
	char text[64];

	for (size_t i = 0; i + REDACT_RUN_MAX <= strlen(value); i++) {
		snprintf(
		    text, sizeof(text), "<%.*s>", REDACT_RUN_MAX, value + i);
		assert_true(withheld(obj, text));
	}
}

static void
public_names_are_no_quotation(void **state UNUSED)
{
	AUTO_JSON json_t *a = secret("k", "my-database");
	AUTO_JSON json_t *b = secret("password", "password");

	assert_false(withheld(a, "secrets \"my-database\" is forbidden"));
	assert_false(withheld(b, "data[password]: Invalid"));
	assert_true(withheld(b, "data[password]: Invalid: cGFzc3dvcmQ="));
}

static void
odd_objects_are_taken_as_they_are(void **state UNUSED)
{
	AUTO_JSON json_t *odd =
	    json_pack("{s:{s:i,s:s}}", "data", "a", 1, "b", "!!!!!!!!");

	assert_false(withheld(NULL, "a text of some length"));
	assert_false(withheld(odd, "a text of some length"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quoted_value_is_withheld),
		cmocka_unit_test(any_long_run_of_a_value_is_found),
		cmocka_unit_test(public_names_are_no_quotation),
		cmocka_unit_test(odd_objects_are_taken_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
