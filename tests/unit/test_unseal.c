/*
 * Tests of controller/sealedsecret/unseal.c, against the vectors of the stock
 * kubeseal first of all.
 * layer: sealedsecret
 */
#include "sealedrig.h"
#include "sealedsecret/unseal.h"
#include "tests/lib/keyring.h"
#include "textfile.h"

static const struct unseal_options defaults = { true, "kube-system", NULL,
	NULL };

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

/* ---- vectors ---- */

/* What a vector says: no owner references, and an absent member is none. */
static bool
matches_vector(const json_t *got, const json_t *want)
{
	static const char *const metadata[] = { "name", "namespace", "labels",
		"annotations" };
	static const char *const members[] = { "apiVersion", "kind", "type",
		"immutable" };
	const json_t *gm = json_object_get(got, "metadata");
	const json_t *wm = json_object_get(want, "metadata");
	json_t *wd = json_object_get(want, "data");

	for (size_t i = 0; i < ARRAY_SIZE(metadata); i++)
		if (json_object_get(gm, metadata[i]) !=
			json_object_get(wm, metadata[i]) &&
		    !json_equal(json_object_get(gm, metadata[i]),
			json_object_get(wm, metadata[i])))
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (json_object_get(got, members[i]) !=
			json_object_get(want, members[i]) &&
		    !json_equal(json_object_get(got, members[i]),
			json_object_get(want, members[i])))
			return false;
	if (json_object_size(wd) == 0)
		return json_object_size(json_object_get(got, "data")) == 0;
	return json_equal(json_object_get(got, "data"), wd);
}

static json_t *
vector_file(const char *name, const char *file)
{
	AUTO_STR char *path =
	    xasprintf("tests/vectors/cases/%s/%s", name, file);
	AUTO_STR char *text = textfile_read(path);

	return jsontext_parse(text);
}

static void
check_vector(const char *name, const char *key, bool want_secret)
{
	struct registry *keys = registry_new(&rig.clock);
	struct keypair *kp = vectors_key(key, "pkcs1");
	AUTO_JSON json_t *sealed = vector_file(name, "sealed.json");
	AUTO_JSON json_t *got = NULL;
	struct err err = ERR_INIT;
	uint32_t hint = 0;
	int rc;

	/* As stored by an API server. */
	jsonx_set_str(json_object_get(sealed, "metadata"), "uid", "u");
	assert_int_equal(keyring_add(keys, "k", kp, 1, &err), 0);
	rc = unseal(keys, sealed, &defaults, &hint, &got, &err);
	if (want_secret) {
		AUTO_JSON json_t *want = vector_file(name, "secret.json");

		if (rc < 0)
			fail_msg("%s: %s", name, err.msg);
		if (!matches_vector(got, want))
			fail_msg("%s: another Secret", name);
	} else {
		AUTO_STR char *path =
		    xasprintf("tests/vectors/cases/%s/error.txt", name);
		AUTO_STR char *want = textfile_read(path);

		assert_int_equal(rc, -1);
		want[strcspn(want, "\n")] = '\0';
		if (strcmp(err.msg, want) != 0)
			fail_msg("%s: got %s", name, err.msg);
	}
	keypair_free(kp);
	registry_free(keys);
}

static void
every_vector_of_the_stock_kubeseal_gives_what_it_should(void **state UNUSED)
{
	AUTO_STR char *text = textfile_read("tests/vectors/index.json");
	AUTO_JSON json_t *index = jsontext_parse(text);
	json_t *v;
	size_t i;

	assert_true(json_array_size(index) >= 20);
	json_array_foreach(index, i, v)
	    check_vector(jsonx_str(v, "case", NULL), jsonx_str(v, "key", NULL),
		strcmp(jsonx_str(v, "outcome", NULL), "secret") == 0);
}

/* ---- bad objects ---- */

static int
unseal_with(const char *spec, const struct unseal_options *opt, json_t **ret,
    struct err *err)
{
	AUTO_JSON json_t *obj = rig_sealed(&rig, "value");
	uint32_t hint = 0;

	if (spec != NULL)
		jsonx_set(obj, "spec", jsontext_parse(spec));
	else
		(void)json_object_del(obj, "spec");
	return unseal(rig.keys, obj, opt, &hint, ret, err);
}

#define NOKEY "no key could decrypt secret"

static void
a_bad_object_is_told_what_is_wrong(void **state UNUSED)
{
	static const struct {
		const char *spec;
		enum err_code code;
		const char *want;
	} cases[] = {
		{ NULL, ERR_INVALID, "spec: expected object, got nothing" },
		{ "7", ERR_INVALID, "spec: expected object, got number" },
		{ "{\"encryptedData\":[]}", ERR_INVALID,
		    "spec.encryptedData: expected object, got array" },
		{ "{\"encryptedData\":{},\"template\":\"x\"}", ERR_INVALID,
		    "spec.template: expected object, got string" },
		{ "{\"encryptedData\":{\"k\":7}}", ERR_INVALID,
		    NOKEY " (k): expected text, got number" },
		{ "{\"encryptedData\":{\"k\":null}}", ERR_INVALID,
		    NOKEY " (k): expected text, got null" },
		{ "{\"encryptedData\":{\"k\":{}}}", ERR_INVALID,
		    NOKEY " (k): expected text, got object" },
		{ "{\"encryptedData\":{\"k\":[]}}", ERR_INVALID,
		    NOKEY " (k): expected text, got array" },
		{ "{\"encryptedData\":{\"k\":true}}", ERR_INVALID,
		    NOKEY " (k): expected text, got boolean" },
		{ "{\"encryptedData\":{\"k\":\"\"}}", ERR_NOKEY, NOKEY " (k)" },
		{ "{\"encryptedData\":{\"k\":\"AQ==\"}}", ERR_NOKEY,
		    NOKEY " (k)" },
		{ "{\"encryptedData\":{\"k\":\"AgAA\"}}", ERR_NOKEY,
		    NOKEY " (k)" },
		{ "{\"encryptedData\":{\"k\":\"NOTVALIDBASE64\"}}", ERR_INVALID,
		    "illegal base64 data at input byte 12 (k)" },
		{ "{\"encryptedData\":{\"k\":\"a b=\"}}", ERR_INVALID,
		    "illegal base64 data at input byte 1 (k)" },
		{ "{\"encryptedData\":{\"b\":\"\",\"a\":\"AQ==\","
		  "\"z\":\"!\"}}",
		    ERR_NOKEY,
		    "illegal base64 data at input byte 0 (z)\n" NOKEY
		    " (a, b)" },
		{ "{\"encryptedData\":{\"a/b\":\"\",\"..\":\"\",\"\":\"\"}}",
		    ERR_INVALID, "invalid key name (, .., a/b)" },
		{ "{\"encryptedData\":{\"a\\u0000b\":\"\"}}", ERR_INVALID,
		    "invalid key name (a\\xef\\xbf\\xbdb)" },
		{ "{\"encryptedData\":{\"k\":\"!\"},\"template\":{\"data\":"
		  "{\"t\":\"{{nope}}\"}}}",
		    ERR_INVALID,
		    "illegal base64 data at input byte 0 (k)\n"
		    "template: t:1: function \"nope\" not defined (t)" },
		{ "{\"encryptedData\":{},\"template\":{\"data\":7}}",
		    ERR_INVALID,
		    "spec.template.data: expected object, got number" },
		{ "{\"encryptedData\":{},\"template\":{\"type\":{}}}",
		    ERR_INVALID,
		    "spec.template.type: expected text, got "
		    "object" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *got = NULL;
		struct err err = ERR_INIT;

		if (unseal_with(cases[i].spec, &defaults, &got, &err) == 0)
			fail_msg("%s: accepted", cases[i].spec);
		assert_string_equal(err.msg, cases[i].want);
		assert_int_equal(err.code, cases[i].code);
		assert_null(got);
	}
}

static void
an_empty_map_gives_an_empty_secret(void **state UNUSED)
{
	static const char *const specs[] = { "{\"encryptedData\":{}}", "{}",
		"{\"encryptedData\":null,\"template\":null}",
		"{\"encryptedData\":{},\"template\":{\"data\":{}}}",
		"{\"encryptedData\":{},\"template\":{\"data\":null}}" };

	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		AUTO_JSON json_t *got = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(
		    unseal_with(specs[i], &defaults, &got, &err), 0);
		assert_int_equal(
		    json_object_size(json_object_get(got, "data")), 0);
	}
}

static void
too_many_items_are_refused_before_any_work(void **state UNUSED)
{
	AUTO_JSON json_t *obj = rig_sealed(&rig, "v");
	json_t *items = jsonx_object(obj, "spec", "encryptedData", NULL);
	json_t *got = NULL;
	struct err err = ERR_INIT;
	uint32_t hint = 0;
	char name[32];

	for (unsigned i = 0; i < UNSEAL_ITEMS_MAX; i++) {
		snprintf(name, sizeof(name), "i%u", i);
		jsonx_set_str(items, name, "AgAA");
	}
	assert_int_equal(
	    unseal(rig.keys, obj, &defaults, &hint, &got, &err), -1);
	assert_int_equal(err.code, ERR_TOOBIG);
	assert_string_equal(err.msg, "too many items (10001, limit 10000)");
}

static void
failures_without_end_are_not_tried_to_the_end(void **state UNUSED)
{
	AUTO_JSON json_t *obj = rig_sealed(&rig, "v");
	json_t *items = jsonx_object(obj, "spec", "encryptedData", NULL);
	json_t *got = NULL;
	struct err err = ERR_INIT;
	uint32_t hint = 0;
	char name[32];

	/* One key and one for the item itself: two each. */
	for (unsigned i = 0; i < UNSEAL_TRIALS_MAX / 2 + 5; i++) {
		snprintf(name, sizeof(name), "i%06u", i);
		jsonx_set_str(items, name, "AgAA");
	}
	assert_int_equal(
	    unseal(rig.keys, obj, &defaults, &hint, &got, &err), -1);
	assert_int_equal(err.code, ERR_NOKEY);
	assert_non_null(strstr(err.msg, NOKEY " (i000000, i000001, "));
	/* From i002000 on, give or take what other threads were at. */
	assert_non_null(
	    strstr(err.msg, "\nnot tried after too many failures (i00"));
	assert_non_null(strstr(err.msg, "i002002, i002003, i002004)"));
}

static void
many_items_are_opened_and_named_as_few_are(void **state UNUSED)
{
	AUTO_JSON json_t *obj = rig_sealed(&rig, "v");
	json_t *items = jsonx_object(obj, "spec", "encryptedData", NULL);
	json_t *same = json_incref(json_object_get(items, "k"));
	AUTO_JSON json_t *got = NULL;
	json_t *none = NULL;
	struct err err = ERR_INIT;
	uint32_t hint = 0;
	char name[32];

	for (unsigned i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "i%03u", i);
		jsonx_set(items, name, json_incref(same));
	}
	json_decref(same);
	assert_int_equal(
	    unseal(rig.keys, obj, &defaults, &hint, &got, &err), 0);
	assert_int_equal(json_object_size(json_object_get(got, "data")), 101);
	assert_string_equal(jsonx_str(got, "data", "i099", NULL), "dg==");
	assert_true(hint != 0);
	for (unsigned i = 0; i < 100; i += 50) {
		snprintf(name, sizeof(name), "i%03u", i);
		jsonx_set_str(items, name, "AgAA");
	}
	jsonx_set(items, "i001", json_integer(7));
	assert_int_equal(
	    unseal(rig.keys, obj, &defaults, &hint, &none, &err), -1);
	assert_string_equal(err.msg,
	    NOKEY " (i000, i050)\n" NOKEY " (i001): expected text, got number");
}

/* ---- which item comes first ---- */

/* The key part of a sealed item; both keys here have one of this length. */
#define PART_LEN 256

static bool
has_larger_part(const json_t *a, const json_t *b)
{
	AUTO_RELEASE(buf) struct buf x = BUF_INIT(SEAL_BLOB_MAX);
	AUTO_RELEASE(buf) struct buf y = BUF_INIT(SEAL_BLOB_MAX);
	struct err err = ERR_INIT;

	assert_int_equal(base64_decode(json_string_value(a),
			     json_string_length(a), &x, &err),
	    0);
	assert_int_equal(base64_decode(json_string_value(b),
			     json_string_length(b), &y, &err),
	    0);
	return memcmp(x.data + 2, y.data + 2, PART_LEN) > 0;
}

static uint32_t
key_of(const json_t *item)
{
	AUTO_JSON json_t *obj = rig_sealed(&rig, "v");
	AUTO_JSON json_t *got = NULL;
	struct err err = ERR_INIT;
	uint32_t hint = 0;

	jsonx_set(jsonx_object(obj, "spec", "encryptedData", NULL), "k",
	    json_incref((json_t *)(uintptr_t)item));
	assert_int_equal(
	    unseal(rig.keys, obj, &defaults, &hint, &got, &err), 0);
	return hint;
}

/* An object of three items, the one in the middle with the largest part. */
static json_t *
with_the_largest_in_the_middle(struct keypair *others, struct keypair *largest)
{
	static const char label[] = RIG_NS "/" RIG_NAME;
	json_t *obj = rig_sealed(&rig, "v");
	json_t *items = jsonx_object(obj, "spec", "encryptedData", NULL);
	const json_t *a, *b, *c;

	json_object_clear(items);
	do {
		jsonx_set(items, "a", rig_seal(others, label, "a"));
		jsonx_set(items, "b", rig_seal(largest, label, "b"));
		jsonx_set(items, "c", rig_seal(others, label, "c"));
		a = json_object_get(items, "a");
		b = json_object_get(items, "b");
		c = json_object_get(items, "c");
	} while (!has_larger_part(b, a) || !has_larger_part(b, c));
	return obj;
}

static bool
once(void *ctx)
{
	unsigned *asked = ctx;

	return (*asked)++ == 0;
}

static void
the_item_with_the_largest_key_part_is_tried_first(void **state UNUSED)
{
	static const struct keypair_params params = {
		.bits = 8 * PART_LEN, .ttl_s = 3600, .cn = ""
	};
	AUTO(keypair) struct keypair *kp = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(keypair_generate(&params, &kp, &err), 0);
	assert_int_equal(keyring_add(rig.keys, "second", kp, 2, &err), 0);
	for (unsigned i = 0; i < 2; i++) {
		AUTO_JSON json_t *obj = with_the_largest_in_the_middle(
		    i == 0 ? rig.kp : kp, i == 0 ? kp : rig.kp);
		const json_t *b =
		    jsonx_get(obj, "spec", "encryptedData", "b", NULL);
		AUTO_RELEASE(registry_uses)
		struct registry_uses uses = { .n = 0 };
		AUTO_JSON json_t *got = NULL;
		uint32_t hint = 0;
		unsigned asked = 0;

		assert_int_equal(
		    unseal_uses(rig.keys, obj, once, &asked, &uses, &err), -1);
		assert_int_equal(uses.n, 1);
		assert_int_equal(uses.use[0].key, key_of(b));
		/* The last one tells its key: it is one of the others. */
		assert_int_equal(
		    unseal(rig.keys, obj, &defaults, &hint, &got, &err), 0);
		assert_int_not_equal(hint, key_of(b));
		assert_int_equal(
		    json_object_size(json_object_get(got, "data")), 3);
	}
}

static void
scope_and_name_are_bound(void **state UNUSED)
{
	static const struct {
		const char *label, *annotation;
		bool ok;
	} cases[] = {
		{ "demo/foo", NULL, true },
		{ "demo", NULL, false },
		{ "", NULL, false },
		{ "demo/bar", NULL, false },
		{ "demo", ANNOTATION_NAMESPACE_WIDE, true },
		{ "demo/foo", ANNOTATION_NAMESPACE_WIDE, false },
		{ "", ANNOTATION_CLUSTER_WIDE, true },
		{ "demo", ANNOTATION_CLUSTER_WIDE, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *obj = rig_sealed(&rig, "v");
		AUTO_JSON json_t *got = NULL;
		struct err err = ERR_INIT;
		uint32_t hint = 0;
		int rc;

		jsonx_set(jsonx_object(obj, "spec", "encryptedData", NULL), "k",
		    rig_seal(rig.kp, cases[i].label, "v"));
		if (cases[i].annotation != NULL)
			jsonx_set(json_object_get(obj, "metadata"),
			    "annotations",
			    json_pack("{s:s}", cases[i].annotation, "true"));
		rc = unseal(rig.keys, obj, &defaults, &hint, &got, &err);
		if ((rc == 0) != cases[i].ok)
			fail_msg("case %zu: %s", i, err.msg);
		if (rc < 0)
			assert_string_equal(err.msg, NOKEY " (k)");
	}
}

static void
skipping_owner_references_is_read_from_the_template(void **state UNUSED)
{
	AUTO_JSON json_t *got = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(
	    unseal_with("{\"encryptedData\":{},\"template\":{\"metadata\":{"
			"\"annotations\":{\"" ANNOTATION_SKIP_OWNER
			"\":\"true\"}}}}",
		&defaults, &got, &err),
	    0);
	assert_null(jsonx_get(got, "metadata", "ownerReferences", NULL));
	assert_string_equal(jsonx_str(got, "metadata", "annotations",
				ANNOTATION_SKIP_OWNER, NULL),
	    "true");
}

/* ---- the old form ---- */

static json_t *
v1_object(const char *inner)
{
	json_t *obj = rig_sealed(&rig, "");

	jsonx_set(obj, "spec", json_object());
	jsonx_set(json_object_get(obj, "spec"), "data",
	    rig_seal(rig.kp, "demo/foo", inner));
	return obj;
}

static void
an_old_blob_holds_a_whole_secret(void **state UNUSED)
{
	AUTO_JSON json_t *obj = v1_object(
	    "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{"
	    "\"name\":\"x\",\"namespace\":\"y\",\"labels\":{\"l\":\"1\"}},"
	    "\"type\":\"a/b\",\"data\":{\"a\":\"\\nYQ==\",\"n\":null},"
	    "\"stringData\":{\"s\":\"text\"}}");
	AUTO_JSON json_t *got = NULL;
	struct err err = ERR_INIT;
	uint32_t hint = 0;

	if (unseal(rig.keys, obj, &defaults, &hint, &got, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(jsonx_str(got, "metadata", "name", NULL), "foo");
	assert_string_equal(
	    jsonx_str(got, "metadata", "namespace", NULL), "demo");
	assert_string_equal(
	    jsonx_str(got, "metadata", "labels", "l", NULL), "1");
	assert_string_equal(jsonx_str(got, "type", NULL), "a/b");
	assert_string_equal(jsonx_str(got, "data", "a", NULL), "YQ==");
	assert_string_equal(jsonx_str(got, "data", "n", NULL), "");
	assert_string_equal(jsonx_str(got, "data", "s", NULL), "dGV4dA==");
	assert_null(json_object_get(got, "stringData"));
	assert_int_equal(json_array_size(jsonx_array(
			     got, "metadata", "ownerReferences", NULL)),
	    1);
}

static void
an_old_blob_may_be_refused(void **state UNUSED)
{
	static const struct unseal_options refuse = { false, NULL, NULL, NULL };
	static const struct {
		const struct unseal_options *opt;
		const char *spec;
		enum err_code code;
		const char *want;
	} cases[] = {
		{ &refuse, "{\"data\":\"\"}", ERR_INVALID,
		    "using deprecated 'data' field, use 'encryptedData' or "
		    "flip the feature flag" },
		{ &defaults, "{\"data\":\"\",\"encryptedData\":{\"a\":\"\"}}",
		    ERR_INVALID,
		    "cannot use the field 'encryptedData' and the deprecated "
		    "field 'data' at the same time" },
		{ &defaults, "{\"data\":\"\",\"encryptedData\":{}}", ERR_NOKEY,
		    NOKEY },
		{ &defaults, "{\"data\":\"\"}", ERR_NOKEY, NOKEY },
		{ &defaults, "{\"data\":7}", ERR_INVALID,
		    "spec.data: expected text, got number" },
		{ &defaults, "{\"data\":\"!\"}", ERR_INVALID,
		    "illegal base64 data at input byte 0" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *got = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(
		    unseal_with(cases[i].spec, cases[i].opt, &got, &err), -1);
		assert_string_equal(err.msg, cases[i].want);
		assert_int_equal(err.code, cases[i].code);
	}
}

static void
what_an_old_blob_holds_is_checked_and_never_quoted(void **state UNUSED)
{
	static const struct {
		const char *inner, *want;
	} cases[] = {
		{ "hunter2", "spec.data: " },
		{ "{\"hunter2\":", "spec.data: " },
		{ "[\"hunter2\"]", "spec.data: not a v1 Secret" },
		{ "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}",
		    "spec.data: not a v1 Secret" },
		{ "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"data\":"
		  "\"hunter2\"}",
		    "spec.data: data: expected object, got string" },
		{ "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"data\":{\"a\":"
		  "\"hunter2!\"}}",
		    "spec.data: illegal base64 data at input byte 7 (a)" },
		{ "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"stringData\":{"
		  "\"a\":7}}",
		    "spec.data: expected text, got number (a)" },
		{ "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"type\":7}",
		    "spec.data: type: expected text, got number" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *obj = v1_object(cases[i].inner);
		json_t *got = NULL;
		struct err err = ERR_INIT;
		uint32_t hint = 0;

		assert_int_equal(
		    unseal(rig.keys, obj, &defaults, &hint, &got, &err), -1);
		if (strncmp(err.msg, cases[i].want, strlen(cases[i].want)) != 0)
			fail_msg("case %zu: %s", i, err.msg);
		assert_null(strstr(err.msg, "hunter2"));
	}
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(every_vector_of_the_stock_kubeseal_gives_what_it_should),
		T(a_bad_object_is_told_what_is_wrong),
		T(an_empty_map_gives_an_empty_secret),
		T(too_many_items_are_refused_before_any_work),
		T(failures_without_end_are_not_tried_to_the_end),
		T(many_items_are_opened_and_named_as_few_are),
		T(the_item_with_the_largest_key_part_is_tried_first),
		T(scope_and_name_are_bound),
		T(skipping_owner_references_is_read_from_the_template),
		T(an_old_blob_holds_a_whole_secret),
		T(an_old_blob_may_be_refused),
		T(what_an_old_blob_holds_is_checked_and_never_quoted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
