/*
 * Tests of controller/sealedsecret/desired.c.
 * layer: sealedsecret
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "controller/sealedsecret/desired.h"
#include "jsontext.h"
#include "keystore/secretform.h"

static int
build(const char *parts, bool skip_owner, const char *key_ns, json_t **ret,
    struct err *err)
{
	AUTO_JSON json_t *obj = jsontext_parse(
	    "{\"metadata\":{\"name\":\"s\",\"namespace\":\"ns\",\"uid\":"
	    "\"u1\"}}");
	AUTO_JSON json_t *p = parts != NULL ? jsontext_parse(parts) : NULL;
	AUTO_JSON json_t *data = jsontext_parse("{\"k\":\"dg==\"}");
	struct sealedsecret ss;

	assert_int_equal(sealedsecret_view(obj, &ss, err), 0);
	return desired_build(&ss,
	    &(struct desired_parts) {
		.parts = p,
		.where = "spec.template.",
		.data = data,
		.skip_owner = skip_owner,
		.key_ns = key_ns,
	    },
	    ret, err);
}

#define OWNED                                                            \
	"\"ownerReferences\":[{\"apiVersion\":\"bitnami.com/v1alpha1\"," \
	"\"kind\":\"SealedSecret\",\"name\":\"s\",\"uid\":\"u1\","       \
	"\"controller\":true}]"
#define NAMES "\"name\":\"s\",\"namespace\":\"ns\""
#define SECRET(metadata, rest)                                            \
	"{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{" NAMES \
	"," metadata "}," rest "\"data\":{\"k\":\"dg==\"}}"

static void
a_secret_is_built_from_what_a_template_may_say(void **state UNUSED)
{
	static const struct {
		const char *parts;
		bool skip;
		const char *want;
	} cases[] = {
		{ NULL, false, SECRET(OWNED, "") },
		{ "{}", false, SECRET(OWNED, "") },
		{ "{\"metadata\":null,\"type\":null,\"immutable\":null}", false,
		    SECRET(OWNED, "") },
		{ "{\"metadata\":{\"labels\":{\"a\":\"1\",\"n\":null},"
		  "\"annotations\":{\"b\":\"2\"},\"finalizers\":[\"f\"]},"
		  "\"type\":\"x/y\",\"immutable\":true}",
		    false,
		    SECRET("\"labels\":{\"a\":\"1\",\"n\":\"\"},"
			   "\"annotations\":{\"b\":\"2\"},\"finalizers\":["
			   "\"f\"]," OWNED,
			"\"type\":\"x/y\",\"immutable\":true,") },
		/* Only the object itself decides on its identity. */
		{ "{\"metadata\":{\"name\":\"other\",\"namespace\":\"kube\","
		  "\"uid\":\"x\",\"resourceVersion\":\"1\",\"generateName\":"
		  "\"g\",\"managedFields\":[],\"creationTimestamp\":null,"
		  "\"ownerReferences\":[{\"uid\":\"z\"}]},\"type\":\"\"}",
		    false, SECRET(OWNED, "") },
		{ "{\"metadata\":{\"ownerReferences\":[{\"uid\":\"z\"}]}}",
		    true, SECRET("\"ownerReferences\":[{\"uid\":\"z\"}]", "") },
		{ "{\"immutable\":false}", false,
		    SECRET(OWNED, "\"immutable\":false,") },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *want = jsontext_parse(cases[i].want);
		AUTO_JSON json_t *got = NULL;
		struct err err = ERR_INIT;

		if (build(cases[i].parts, cases[i].skip, "kube-system", &got,
			&err) < 0)
			fail_msg("%s: %s", cases[i].parts, err.msg);
		if (!json_equal(got, want))
			fail_msg("case %zu", i);
	}
}

static void
a_wrong_type_is_named_with_its_field(void **state UNUSED)
{
	static const struct {
		const char *parts, *want;
	} cases[] = {
		{ "{\"metadata\":7}",
		    "spec.template.metadata: expected object, got number" },
		{ "{\"metadata\":{\"labels\":[]}}",
		    "spec.template.metadata.labels: expected object, got "
		    "array" },
		{ "{\"metadata\":{\"labels\":{\"a\":true}}}",
		    "spec.template.metadata.labels: expected texts, got "
		    "boolean" },
		{ "{\"metadata\":{\"annotations\":{\"a\":{}}}}",
		    "spec.template.metadata.annotations: expected texts, got "
		    "object" },
		{ "{\"metadata\":{\"finalizers\":{}}}",
		    "spec.template.metadata.finalizers: expected array, got "
		    "object" },
		{ "{\"metadata\":{\"finalizers\":[1]}}",
		    "spec.template.metadata.finalizers: expected texts, got "
		    "number" },
		{ "{\"type\":7}",
		    "spec.template.type: expected text, got "
		    "number" },
		{ "{\"immutable\":\"true\"}",
		    "spec.template.immutable: expected boolean, got string" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *got = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(
		    build(cases[i].parts, false, NULL, &got, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
		assert_string_equal(err.msg, cases[i].want);
		assert_null(got);
	}
}

static void
owner_references_of_the_template_are_checked_where_used(void **state UNUSED)
{
	AUTO_JSON json_t *got = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(build("{\"metadata\":{\"ownerReferences\":[\"x\"]}}",
			     true, NULL, &got, &err),
	    -1);
	assert_string_equal(err.msg,
	    "spec.template.metadata.ownerReferences: expected objects, got "
	    "string");
	err_clear(&err);
	assert_int_equal(build("{\"metadata\":{\"ownerReferences\":[\"x\"]}}",
			     false, NULL, &got, &err),
	    0);
}

static void
no_sealing_key_is_planted(void **state UNUSED)
{
	static const char labelled[] =
	    "{\"metadata\":{\"labels\":{"
	    "\"sealedsecrets.bitnami.com/sealed-secrets-key\":\"no\"}}}";
	AUTO_JSON json_t *got = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(build(labelled, false, "ns", &got, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_non_null(strstr(err.msg, SECRETFORM_LABEL));
	assert_null(got);
	err_clear(&err);
	/* Elsewhere the label means nothing. */
	assert_int_equal(build(labelled, false, "other", &got, &err), 0);
}

static void
types_that_carry_credentials_are_made_only_where_listed(void **state UNUSED)
{
	static const struct {
		const char *type, *allowed;
		bool ok;
	} cases[] = {
		{ "kubernetes.io/service-account-token", NULL, false },
		{ "bootstrap.kubernetes.io/token", "", false },
		{ "bootstrap.kubernetes.io/token",
		    "kubernetes.io/service-account-token", false },
		{ "bootstrap.kubernetes.io/token",
		    "kubernetes.io/service-account-token , "
		    "bootstrap.kubernetes.io/token",
		    true },
		{ "bootstrap.kubernetes.io/token",
		    "bootstrap.kubernetes.io/token2", false },
		{ "kubernetes.io/tls", NULL, true },
		{ "Opaque", NULL, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *s = json_pack("{s:s}", "type", cases[i].type);
		struct err err = ERR_INIT;

		if ((desired_check_type(s, cases[i].allowed, &err) == 0) !=
		    cases[i].ok)
			fail_msg("case %zu", i);
		if (!cases[i].ok)
			assert_int_equal(err.code, ERR_INVALID);
	}
}

static void
a_template_of_such_a_type_is_refused(void **state UNUSED)
{
	AUTO_JSON json_t *got = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(
	    build("{\"type\":\"kubernetes.io/service-account-token\"}", false,
		NULL, &got, &err),
	    -1);
	assert_non_null(strstr(err.msg, "--allow-secret-types"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_secret_is_built_from_what_a_template_may_say),
		cmocka_unit_test(a_wrong_type_is_named_with_its_field),
		cmocka_unit_test(
		    owner_references_of_the_template_are_checked_where_used),
		cmocka_unit_test(no_sealing_key_is_planted),
		cmocka_unit_test(
		    types_that_carry_credentials_are_made_only_where_listed),
		cmocka_unit_test(a_template_of_such_a_type_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
