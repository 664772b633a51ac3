/*
 * Tests of keystore/secretform.c.
 * layer: keystore
 */
#include "tests/unit/keystore_fixture.h"

#include "base/jsonx.h"
#include "jsontext.h"
#include "keystore/secretform.h"
#include "tests/lib/keysecret.h"

#define CANARY "hunter2"

/* {"data": a private key and a certificate} */
static json_t *
secret_of(const struct keypair *key, const struct keypair *crt)
{
	return json_pack("{s:o}", "data", keysecret_data(key, crt));
}

static void
reads_the_key_in_the_data(void **state UNUSED)
{
	AUTO_JSON json_t *obj = secret_of(fixture_key(0), fixture_key(0));
	AUTO(keypair) struct keypair *kp = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(secretform_read(obj, &kp, &err), 0);
	assert_string_equal(
	    keypair_fingerprint(kp), keypair_fingerprint(fixture_key(0)));
}

static void
refuses_a_certificate_of_another_key(void **state UNUSED)
{
	AUTO_JSON json_t *obj = secret_of(fixture_key(0), fixture_key(1));
	AUTO(keypair) struct keypair *kp = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(secretform_read(obj, &kp, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_null(kp);
}

static void
names_the_item_that_is_wrong_and_no_value(void **state UNUSED)
{
	static const struct {
		const char *item, *value; /* NULL: none */
		const char *want;
	} cases[] = {
		{ "tls.key", NULL, "it has no data item tls.key" },
		{ "tls.crt", NULL, "it has no data item tls.crt" },
		{ "tls.key", CANARY "!", "data item tls.key: " },
		{ "tls.crt", CANARY "!", "data item tls.crt: " },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *obj =
		    secret_of(fixture_key(0), fixture_key(0));
		json_t *data = json_object_get(obj, "data");
		AUTO(keypair) struct keypair *kp = NULL;
		struct err err = ERR_INIT;

		(void)json_object_del(data, cases[i].item);
		if (cases[i].value != NULL)
			jsonx_set_str(data, cases[i].item, cases[i].value);
		assert_int_equal(secretform_read(obj, &kp, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
		assert_memory_equal(
		    err.msg, cases[i].want, strlen(cases[i].want));
		assert_null(strstr(err.msg, CANARY));
	}
}

static void
a_sealed_secret_among_the_owners_is_seen(void **state UNUSED)
{
	static const struct {
		const char *text;
		bool want;
	} cases[] = {
		{ "{}", false },
		{ "{\"metadata\":{\"ownerReferences\":[]}}", false },
		{ "{\"metadata\":{\"ownerReferences\":7}}", false },
		{ "{\"metadata\":{\"ownerReferences\":[{\"kind\":7}]}}",
		    false },
		{ "{\"metadata\":{\"ownerReferences\":[{\"kind\":"
		  "\"Certificate\"}]}}",
		    false },
		{ "{\"metadata\":{\"ownerReferences\":[{\"kind\":"
		  "\"Certificate\"},{\"kind\":\"SealedSecret\"}]}}",
		    true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *obj = jsontext_parse(cases[i].text);

		assert_int_equal(secretform_is_produced(obj), cases[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_key_in_the_data),
		cmocka_unit_test(refuses_a_certificate_of_another_key),
		cmocka_unit_test(names_the_item_that_is_wrong_and_no_value),
		cmocka_unit_test(a_sealed_secret_among_the_owners_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_forget);
}
