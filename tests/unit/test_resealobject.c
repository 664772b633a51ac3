/*
 * The object that a rotation gives back.
 * layer: sealedsecret
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "controller/sealedsecret/resealobject.h"
#include "jsontext.h"

#define TOP	"\"apiVersion\":\"bitnami.com/v1alpha1\",\"kind\":\"SealedSecret\""
#define META	"\"metadata\":{\"name\":\"s\",\"namespace\":\"n\"}"
#define LAST	"kubectl.kubernetes.io/last-applied-configuration"
#define KUBECFG "kubecfg.ksonnet.io/last-applied-configuration"
#define WIDE	"sealedsecrets.bitnami.com/cluster-wide"
#define NSWIDE	"sealedsecrets.bitnami.com/namespace-wide"
#define SKIP	"sealedsecrets.bitnami.com/skip-set-owner-references"
#define SPEC(t) "\"spec\":{\"encryptedData\":{\"new\":\"x\"}" t "}"

static void
expect(const char *obj_text, const char *inner_text, const char *want_text)
{
	AUTO_JSON json_t *obj = jsontext_parse(obj_text);
	AUTO_JSON json_t *before = json_deep_copy(obj);
	AUTO_JSON json_t *inner =
	    inner_text != NULL ? jsontext_parse(inner_text) : NULL;
	AUTO_JSON json_t *items = jsontext_parse("{\"new\":\"x\"}");
	AUTO_JSON json_t *want = jsontext_parse(want_text);
	AUTO_JSON json_t *out = NULL;
	struct err err = ERR_INIT;

	if (resealobject_build(obj, inner, items, &out, &err) < 0)
		fail_msg("%s: %s", obj_text, err.msg);
	if (!json_equal(out, want))
		fail_msg(
		    "%s became %s", obj_text, json_dumps(out, JSON_COMPACT));
	assert_true(json_equal(obj, before));
}

static void
each_part_is_kept_or_left_out(void **state UNUSED)
{
	static const struct {
		const char *obj, *want;
	} cases[] = {
		/* No template, none of it, an empty one. */
		{ "{" META ",\"spec\":{}}", "{" TOP "," META "," SPEC("") "}" },
		{ "{" META ",\"spec\":{\"template\":null,\"data\":null}}",
		    "{" TOP "," META "," SPEC("") "}" },
		{ "{" META ",\"spec\":{\"template\":{}}}",
		    "{" TOP "," META "," SPEC(",\"template\":{}") "}" },
		{ "{" META
		  ",\"spec\":{\"template\":{\"metadata\":null}},\"status\":{}}",
		    "{" TOP "," META
		    "," SPEC(",\"template\":{\"metadata\":null}") "}" },
		/* What API servers set. */
		{ "{\"metadata\":{\"name\":\"s\",\"namespace\":\"n\",\"uid\":"
		  "\"u\",\"resourceVersion\":\"1\",\"generation\":1,"
		  "\"selfLink\":\"/\",\"creationTimestamp\":null,"
		  "\"deletionTimestamp\":\"t\",\"deletionGracePeriodSeconds\":0"
		  ",\"managedFields\":[]},\"spec\":{}}",
		    "{" TOP "," META "," SPEC("") "}" },
		/* Annotations that may hold a Secret; empty maps stay. */
		{ "{\"metadata\":{\"annotations\":{\"" LAST "\":\"x\"}},"
		  "\"spec\":{\"template\":{\"metadata\":{\"annotations\":{"
		  "\"" KUBECFG "\":\"x\",\"a\":\"b\"}}}}}",
		    "{" TOP ",\"metadata\":{}," SPEC(
			",\"template\":{\"metadata\":{\"annotations\":"
			"{\"a\":\"b\"}}}") "}" },
		{ "{\"metadata\":{\"annotations\":{}},\"spec\":{\"template\":{"
		  "\"metadata\":{\"annotations\":null}}}}",
		    "{" TOP
		    ",\"metadata\":{\"annotations\":{}}," SPEC(",\"template\":{"
							       "\"metadata\":{"
							       "\"annotations\""
							       ":null}}") "}" },
		/* A template's scope stays only where it is the object's. */
		{ "{\"metadata\":{\"annotations\":{\"" NSWIDE "\":\"true\"}},"
		  "\"spec\":{\"template\":{\"metadata\":{\"annotations\":{"
		  "\"" WIDE "\":\"true\",\"" NSWIDE "\":\"true\"}}}}}",
		    "{" TOP ",\"metadata\":{\"annotations\":{\"" NSWIDE
		    "\":\"true\"}}," SPEC(
			",\"template\":{\"metadata\":{\"annotations\":{"
			"\"" NSWIDE "\":\"true\"}}}") "}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect(cases[i].obj, NULL, cases[i].want);
}

static void
the_old_form_s_secret_becomes_the_template(void **state UNUSED)
{
	static const struct {
		const char *obj, *inner, *want;
	} cases[] = {
		{ "{" META ",\"spec\":{\"data\":\"x\",\"template\":{\"type\":"
		  "\"ignored\"}}}",
		    "{}",
		    "{" TOP "," META "," SPEC(",\"template\":{" META "}") "}" },
		{ "{" META ",\"spec\":{\"data\":\"x\",\"template\":{"
		  "\"metadata\":{\"annotations\":{\"" SKIP "\":\"true\"}}}}}",
		    "{\"type\":\"t\",\"immutable\":true,\"metadata\":{"
		    "\"uid\":\"u\",\"labels\":{\"a\":\"b\"},\"finalizers\":["
		    "\"f\"],\"ownerReferences\":[]}}",
		    "{" TOP "," META
		    "," SPEC(",\"template\":{\"type\":\"t\",\"immutable\":true,"
			     "\"metadata\":{\"name\":\"s\",\"namespace\":\"n\","
			     "\"labels\":{\"a\":\"b\"},\"finalizers\":[\"f\"],"
			     "\"annotations\":{\"" SKIP "\":\"true\"}}}") "}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect(cases[i].obj, cases[i].inner, cases[i].want);
}

static void
a_part_of_another_type_is_named(void **state UNUSED)
{
	static const struct {
		const char *obj, *want;
	} cases[] = {
		{ "{\"metadata\":[],\"spec\":{}}",
		    "metadata: expected object, got array" },
		{ "{\"metadata\":{\"annotations\":1},\"spec\":{}}",
		    "metadata.annotations: expected object, got number" },
		{ "{\"spec\":{\"template\":\"t\"}}",
		    "spec.template: expected object, got string" },
		{ "{\"spec\":{\"template\":{\"metadata\":true}}}",
		    "spec.template.metadata: expected object, got boolean" },
		{ "{\"spec\":{\"template\":{\"metadata\":{\"annotations\":"
		  "[]}}}}",
		    "spec.template.metadata.annotations: expected object, "
		    "got array" },
	};
	AUTO_JSON json_t *items = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *obj = jsontext_parse(cases[i].obj);
		json_t *out = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(
		    resealobject_build(obj, NULL, items, &out, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
		assert_string_equal(err.msg, cases[i].want);
		assert_null(out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_part_is_kept_or_left_out),
		cmocka_unit_test(the_old_form_s_secret_becomes_the_template),
		cmocka_unit_test(a_part_of_another_type_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
