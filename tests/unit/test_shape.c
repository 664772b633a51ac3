/*
 * Tests of controller/sealedsecret/shape.c.
 * layer: sealedsecret
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "controller/sealedsecret/shape.h"
#include "jsontext.h"

/* A SealedSecret "s" with this spec. */
static struct index_record
sealed(const char *spec)
{
	AUTO_STR char *text = xasprintf(
	    "{\"metadata\":{\"name\":\"s\",\"uid\":\"u\"},\"spec\":%s}", spec);
	AUTO_JSON json_t *obj = jsontext_parse(text);
	struct index_record rec = { .uid = "u" };

	shape_of_sealed(obj, &rec);
	return rec;
}

/* A Secret "s" with these members of metadata. */
static struct index_record
secret(const char *members)
{
	AUTO_STR char *text = xasprintf(
	    "{\"metadata\":{\"name\":\"s\",\"uid\":\"x\"%s}}", members);
	AUTO_JSON json_t *obj = jsontext_parse(text);
	struct index_record rec = { .uid = "x" };

	shape_of_secret(obj, &rec);
	return rec;
}

#define SPEC                                                                   \
	"{\"encryptedData\":{\"a\":\"A\",\"gone\":\"A\"},\"template\":{"       \
	"\"data\":{\"t\":\"x\",\"a\":\"y\",\"gone\":null,\"none\":null},"      \
	"\"metadata\":{\"labels\":{\"l\":\"1\"},\"annotations\":{\"n\":null}}" \
	"}}"
#define OWNER_OF(uid)                                                     \
	",\"ownerReferences\":[{\"apiVersion\":\"bitnami.com/v1alpha1\"," \
	"\"kind\":\"SealedSecret\",\"name\":\"s\",\"uid\":\"" uid         \
	"\",\"controller\":true}]"
#define OWNER OWNER_OF("u")
#define TEXTS \
	",\"labels\":{\"l\":\"1\",\"x\":\"9\"},\"annotations\":{\"n\":\"\"}"
#define OUR_DATA "\"f:data\":{\".\":{},\"f:a\":{},\"f:t\":{}}"
#define OUR_TEXTS                                    \
	"\"f:metadata\":{\"f:labels\":{\"f:l\":{}}," \
	"\"f:annotations\":{\"f:n\":{}}}"
#define MANAGED(entries) ",\"managedFields\":[" entries "]"
#define OURS(fields)	 "{\"manager\":\"controller\",\"fieldsV1\":{" fields "}}"
#define THEIRS(fields)	 "{\"manager\":\"kubectl\",\"fieldsV1\":{" fields "}}"
#define AS_WRITTEN	 OURS(OUR_DATA "," OUR_TEXTS)
#define FOREIGN_LABEL	 THEIRS("\"f:metadata\":{\"f:labels\":{\"f:x\":{}}}")

#define LABEL_TAKEN                                                       \
	OURS(OUR_DATA ",\"f:metadata\":{\"f:annotations\":{\"f:n\":{}}}") \
	"," THEIRS("\"f:metadata\":{\"f:labels\":{\"f:l\":{}}}")

static void
a_secret_fits_while_it_is_as_it_was_written(void **state UNUSED)
{
	static const struct {
		const char *what, *secret;
		bool fits;
	} cases[] = {
		{ "untouched", OWNER TEXTS MANAGED(AS_WRITTEN), true },
		{ "foreign label",
		    OWNER TEXTS MANAGED(AS_WRITTEN "," FOREIGN_LABEL), true },
		{ "item changed by another",
		    OWNER TEXTS MANAGED(
			OURS("\"f:data\":{\"f:a\":{}}," OUR_TEXTS) "," THEIRS(
			    "\"f:data\":{\"f:t\":{}}")),
		    false },
		{ "item removed",
		    OWNER TEXTS MANAGED(
			OURS("\"f:data\":{\"f:a\":{}}," OUR_TEXTS)),
		    false },
		{ "item added",
		    OWNER TEXTS MANAGED(
			AS_WRITTEN "," THEIRS("\"f:data\":{\"f:z\":{}}")),
		    false },
		{ "label has another value",
		    OWNER ",\"labels\":{\"l\":\"2\"},\"annotations\":{\"n\":"
			  "\"\"}" MANAGED(AS_WRITTEN),
		    false },
		{ "label belongs to another", OWNER TEXTS MANAGED(LABEL_TAKEN),
		    false },
		{ "no owner", TEXTS MANAGED(AS_WRITTEN), false },
		{ "old owner", OWNER_OF("old") TEXTS MANAGED(AS_WRITTEN),
		    false },
		{ "nothing known", OWNER TEXTS, false },
		{ "patched, another's item, no owner",
		    ",\"labels\":{\"l\":\"1\"},\"annotations\":{\"n\":\"\","
		    "\"sealedsecrets.bitnami.com/patch\":\"true\"}" MANAGED(
			AS_WRITTEN "," THEIRS("\"f:data\":{\"f:z\":{}}")),
		    true },
		{ "patched and managed, no owner",
		    ",\"labels\":{\"l\":\"1\"},\"annotations\":{\"n\":\"\","
		    "\"sealedsecrets.bitnami.com/patch\":\"true\","
		    "\"sealedsecrets.bitnami.com/managed\":\"true\"}" MANAGED(
			AS_WRITTEN),
		    false },
	};
	struct index_record want = sealed(SPEC);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct index_record is = secret(cases[i].secret);

		if (shape_fits(&want, &is) != cases[i].fits)
			fail_msg("%s", cases[i].what);
	}
}

static void
another_spec_asks_for_another_secret(void **state UNUSED)
{
	static const char *const specs[] = {
		"{\"encryptedData\":{\"a\":\"A\"}}",
		"{\"encryptedData\":{\"a\":\"A\",\"t\":\"A\",\"b\":\"A\"},"
		"\"template\":{\"metadata\":{\"labels\":{\"l\":\"1\"},"
		"\"annotations\":{\"n\":\"\"}}}}",
		"{\"encryptedData\":{\"a\":\"A\",\"t\":\"A\"},"
		"\"template\":{\"metadata\":{\"labels\":{\"l\":\"2\"},"
		"\"annotations\":{\"n\":\"\"}}}}",
		/* Which items the old form has, nobody can tell. */
		"{\"data\":\"AA==\",\"encryptedData\":{\"a\":\"A\",\"t\":\"A\"}"
		","
		"\"template\":{\"metadata\":{\"labels\":{\"l\":\"1\"},"
		"\"annotations\":{\"n\":\"\"}}}}",
		"7",
		"{\"encryptedData\":7,\"template\":[]}",
	};
	struct index_record is = secret(OWNER TEXTS MANAGED(AS_WRITTEN));

	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		struct index_record want = sealed(specs[i]);

		if (shape_fits(&want, &is))
			fail_msg("%s", specs[i]);
	}
}

#define SKIP "\"sealedsecrets.bitnami.com/skip-set-owner-references\":\"true\""

static void
without_an_owner_reference_none_is_looked_for(void **state UNUSED)
{
	struct index_record want =
	    sealed("{\"encryptedData\":{\"a\":\"A\"},\"template\":{"
		   "\"metadata\":{\"annotations\":{" SKIP "}}}}");
	struct index_record odd =
	    sealed("{\"encryptedData\":{\"a\":\"A\"},\"template\":{"
		   "\"metadata\":{\"annotations\":{" SKIP
		   "},\"ownerReferences\":[{}]}}}");
	struct index_record is = secret(",\"annotations\":{" SKIP "}" MANAGED(
	    OURS("\"f:data\":{\"f:a\":{}},\"f:metadata\":{\"f:annotations\":{"
		 "\"f:sealedsecrets.bitnami.com/skip-set-owner-references\":"
		 "{}}}")));
	struct index_record owned = is;

	assert_true(shape_fits(&want, &is));
	assert_false(shape_fits(&odd, &is));
	owned.flags &= ~(uint32_t)SECRET_NO_REF;
	assert_false(shape_fits(&want, &owned));
}

static void
a_wanted_flag_must_hold_whoever_set_it(void **state UNUSED)
{
	struct index_record want =
	    sealed("{\"encryptedData\":{\"a\":\"A\"},\"template\":{"
		   "\"metadata\":{\"annotations\":{\"sealedsecrets.bitnami.com/"
		   "managed\":\"true\"}}}}");
	struct index_record with = secret(
	    OWNER ",\"annotations\":{\"sealedsecrets.bitnami.com/managed\":"
		  "\"true\"}" MANAGED(OURS("\"f:data\":{\"f:a\":{}}")));
	struct index_record without =
	    secret(OWNER MANAGED(OURS("\"f:data\":{\"f:a\":{}}")));

	assert_true(shape_fits(&want, &with));
	assert_false(shape_fits(&want, &without));
}

static void
a_print_changes_with_everything_that_counts(void **state UNUSED)
{
	struct index_record a = secret(OWNER TEXTS MANAGED(AS_WRITTEN));
	struct index_record b =
	    secret(OWNER TEXTS MANAGED(AS_WRITTEN "," FOREIGN_LABEL));
	struct index_record c = secret(OWNER_OF("v") TEXTS MANAGED(AS_WRITTEN));
	struct index_record d = secret(OWNER TEXTS);

	assert_true(shape_print(&a) == shape_print(&b));
	assert_true(shape_print(&a) != shape_print(&c));
	assert_true(shape_print(&a) != shape_print(&d));
	assert_true(shape_print(&d) != 0);
}

static void
the_opt_out_is_read_from_the_object(void **state UNUSED)
{
	static const struct {
		const char *value;
		bool ignore;
	} cases[] = {
		{ "\"ignore\"", true },
		{ "\"Ignore\"", false },
		{ "\"repair\"", false },
		{ "true", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STR char *text = xasprintf(
		    "{\"metadata\":{\"annotations\":{\"sealedsecrets.bitnami."
		    "com/drift\":%s}},\"spec\":{}}",
		    cases[i].value);
		AUTO_JSON json_t *obj = jsontext_parse(text);
		struct index_record rec = { .state = 0 };

		shape_of_sealed(obj, &rec);
		assert_int_equal(
		    (rec.state & SEALED_IGNORE_DRIFT) != 0, cases[i].ignore);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_fits_while_it_is_as_it_was_written),
		cmocka_unit_test(another_spec_asks_for_another_secret),
		cmocka_unit_test(without_an_owner_reference_none_is_looked_for),
		cmocka_unit_test(a_wanted_flag_must_hold_whoever_set_it),
		cmocka_unit_test(a_print_changes_with_everything_that_counts),
		cmocka_unit_test(the_opt_out_is_read_from_the_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
