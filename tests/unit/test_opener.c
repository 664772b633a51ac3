/*
 * Tests of keystore/opener.c: which keys are tried in which order, and the
 * vectors that the stock kubeseal sealed.
 * layer: keystore
 */
#include "registryrig.h"

#include <jansson.h>

#include "base/codec.h"
#include "textfile.h"
#include "vectors.h"

#define VECTORS	 "tests/vectors/"
#define ITEM_MAX (2u * 1024 * 1024)

static void
tries_hint_then_latest_hit_then_newest_first(void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);
	uint32_t none = 0, hint_b = 0, hint_a = 0;

	add(r, "a", 0, NOW_S);
	add(r, "b", 1, NOW_S + 1);
	add(r, "c", 2, NOW_S + 2);
	add(r, "d", 3, NOW_S + 3);
	open_sealed(r, 1, &hint_b, "dcb");
	/* b was the latest hit. */
	open_sealed(r, 0, &hint_a, "bdca");
	/* a was. */
	open_sealed(r, 2, &none, "adc");
	/* c was, but the object knows better, or wrong. */
	open_sealed(r, 1, &hint_b, "b");
	open_sealed(r, 3, &hint_a, "abd");
	open_sealed(r, 3, &hint_a, "d");
}

/* Opens what key sealed and somebody wrote at that time. */
static void
open_written(
    struct registry *r, unsigned key, int64_t when_s, const char *want_tried)
{
	AUTO_RELEASE(buf) struct buf blob = BUF_INIT(SEAL_BLOB_MAX);
	AUTO(secret) struct secret *s = NULL;
	struct err err = ERR_INIT;
	uint32_t hint = 0;

	seal_with(key, &blob);
	tried.n = 0;
	assert_int_equal(registry_open(r,
			     &(struct registry_sealed) {
				 .label = LABEL,
				 .label_len = LABEL_LEN,
				 .blob = blob.data,
				 .blob_len = blob.len,
				 .sealed_by_s = when_s,
			     },
			     &hint, &s, &err),
	    0);
	assert_tried(want_tried);
}

static void
the_key_of_its_time_comes_first_then_older_ones(void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);

	add(r, "a", 0, NOW_S);
	add(r, "b", 1, NOW_S + 10);
	add(r, "c", 2, NOW_S + 20);
	add(r, "d", 3, NOW_S + 30);
	open_written(r, 2, NOW_S + 29, "c");
	open_written(r, 1, NOW_S + 10, "b");
	/* Neither that of its time nor the latest hit. */
	open_written(r, 0, NOW_S + 25, "cba");
	open_written(r, 3, NOW_S + 19, "bad");
	/* Older than all keys. */
	open_written(r, 2, NOW_S - 1, "dc");
}

static void
where_times_mislead_the_latest_hit_comes_first(void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);

	add(r, "a", 0, NOW_S);
	add(r, "b", 1, NOW_S + 10);
	add(r, "c", 2, NOW_S + 20);
	open_written(r, 0, NOW_S + 100, "cba");
	open_written(r, 0, NOW_S + 100, "ca");
	open_written(r, 0, NOW_S + 100, "a");
	/* Right again. */
	open_written(r, 2, NOW_S + 100, "ac");
	open_written(r, 1, NOW_S + 10, "cb");
	open_written(r, 2, NOW_S + 100, "c");
}

static void
a_key_that_serves_nowhere_is_not_that_of_a_time(void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);
	AUTO(nsrule) struct nsrule *rule = NULL;
	struct registry_attrs attrs = { .order_s = NOW_S + 10 };
	struct err err = ERR_INIT;

	assert_int_equal(nsrule_parse("team-b", &rule, &err), 0);
	attrs.rule = rule;
	add(r, "a", 0, NOW_S);
	assert_int_equal(registry_put(r, "b", fixture_key(1), &attrs, &err), 0);
	open_written(r, 0, NOW_S + 100, "a");
}

/* Opens what a sealed, whose place is the last. */
static void
searches(struct opener *o, const struct keyset *set, const char *want_tried)
{
	AUTO_RELEASE(buf) struct buf blob = BUF_INIT(SEAL_BLOB_MAX);
	AUTO(secret) struct secret *s = NULL;

	seal_with(0, &blob);
	tried.n = 0;
	assert_int_equal(opener_open(o, set,
			     &(struct registry_sealed) {
				 .label = LABEL,
				 .label_len = LABEL_LEN,
				 .blob = blob.data,
				 .blob_len = blob.len,
			     },
			     0, &s),
	    3);
	assert_memory_equal(secret_bytes(s), "value", 5);
	assert_tried(want_tried);
}

static void
what_another_search_finds_is_tried_next(void **state UNUSED)
{
	AUTO(keyset) struct keyset *set = keyset_new(FIXTURE_KEYS);
	struct opener o;

	opener_init(&o);
	/* Newest first; the number of a is 1. */
	for (unsigned i = FIXTURE_KEYS; i-- > 0;)
		(void)keyset_add(set, i + 1, fixture_key(i), NOW_S + i, NULL);
	searches(&o, set, "dcba");
	o.last_hit = 0;
	/* While the first key is tried. */
	meanwhile.o = &o;
	meanwhile.hit = 1;
	searches(&o, set, "da");
	meanwhile.o = NULL;
	/* A second search begins elsewhere. */
	o.last_hit = 0;
	o.searches = 2;
	searches(&o, set, "ba");
	assert_int_equal(o.searches, 2);
	opener_release(&o);
}

static void
a_hint_of_a_key_that_went_does_no_harm(void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);
	uint32_t hint = 0, wild = 12345;

	add(r, "a", 0, NOW_S);
	add(r, "b", 1, NOW_S + 1);
	open_sealed(r, 0, &hint, "ba");
	assert_true(registry_remove(r, "a"));
	add(r, "c", 2, NOW_S - 1);
	open_sealed(r, 2, &hint, "bc");
	open_sealed(r, 1, &wild, "cb");
	assert_int_not_equal(wild, 12345);
}

static void
tries_no_key_of_another_length_and_none_for_bad_framing(void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);
	AUTO(keypair)
	struct keypair *big = vectors_key("rsa4096", "pkcs1");
	AUTO_RELEASE(buf) struct buf blob = BUF_INIT(SEAL_BLOB_MAX);
	AUTO(secret) struct secret *s = NULL;
	struct err err = ERR_INIT;
	uint32_t hint = 0;

	assert_int_equal(keyring_add(r, "big", big, NOW_S + 5, &err), 0);
	add(r, "a", 0, NOW_S);
	open_sealed(r, 0, &hint, "a");
	hint = 0;
	assert_int_equal(seal_encrypt(big, "", 0, "value", 5, &blob, &err), 0);
	tried.n = 0;
	assert_int_equal(
	    keyring_open(r, &hint, "", 0, blob.data, blob.len, &s, &err), 0);
	assert_int_equal(tried.n, 1);
	assert_ptr_equal(tried.kp[0], big);
	tried.n = 0;
	for (size_t len = 0; len < 2 + 512 + 16; len++)
		assert_int_equal(
		    keyring_open(r, &hint, "", 0, blob.data, len, &s, &err),
		    -1);
	assert_int_equal(tried.n, 0);
}

/* Vectors: the label is worked out here, apart from the code under test. */

static json_t *
load_json(const char *dir, const char *name)
{
	AUTO_STR char *path = xasprintf("%s%s", dir, name);
	json_t *root = json_load_file(path, 0, NULL);

	if (root == NULL)
		fail_msg("cannot read %s", path);
	return root;
}

static bool
annotated(json_t *metadata, const char *name)
{
	const char *value = json_string_value(
	    json_object_get(json_object_get(metadata, "annotations"), name));

	return value != NULL && strcmp(value, "true") == 0;
}

static char *
label_of(json_t *sealed)
{
	json_t *m = json_object_get(sealed, "metadata");
	const char *ns = json_string_value(json_object_get(m, "namespace"));

	if (annotated(m, "sealedsecrets.bitnami.com/cluster-wide"))
		return xstrdup("");
	if (annotated(m, "sealedsecrets.bitnami.com/namespace-wide"))
		return xstrdup(ns);
	return xasprintf(
	    "%s/%s", ns, json_string_value(json_object_get(m, "name")));
}

/* NULL: it does not open. */
static struct secret *
open_item(struct registry *r, const char *label, json_t *text, struct err *err)
{
	AUTO_RELEASE(buf) struct buf blob = BUF_INIT(ITEM_MAX);
	struct secret *s = NULL;
	uint32_t hint = 0;

	if (base64_decode(json_string_value(text), json_string_length(text),
		&blob, err) < 0)
		return NULL;
	if (keyring_open(r, &hint, label, strlen(label), blob.data, blob.len,
		&s, err) < 0)
		return NULL;
	return s;
}

static void
items_become(struct registry *r, json_t *sealed, json_t *data)
{
	AUTO_STR char *label = label_of(sealed);
	json_t *text;
	const char *name;
	json_t *items =
	    json_object_get(json_object_get(sealed, "spec"), "encryptedData");

	assert_int_equal(json_object_size(items), json_object_size(data));
	json_object_foreach(items, name, text)
	{
		AUTO_RELEASE(buf) struct buf want = BUF_INIT(ITEM_MAX);
		AUTO(secret) struct secret *got = NULL;
		json_t *value = json_object_get(data, name);
		struct err err = ERR_INIT;

		assert_non_null(value);
		assert_int_equal(base64_decode(json_string_value(value),
				     json_string_length(value), &want, &err),
		    0);
		got = open_item(r, label, text, &err);
		if (got == NULL)
			fail_msg("%s: %s", name, err.msg);
		assert_int_equal(secret_len(got), want.len);
		if (want.len > 0)
			assert_memory_equal(
			    secret_bytes(got), want.data, want.len);
	}
}

/* At least one item fails, with the text that the status shows. */
static void
items_fail(struct registry *r, json_t *sealed, const char *status)
{
	AUTO_STR char *label = label_of(sealed);
	unsigned failed = 0;
	json_t *text;
	const char *name;
	json_t *items =
	    json_object_get(json_object_get(sealed, "spec"), "encryptedData");

	json_object_foreach(items, name, text)
	{
		struct err err = ERR_INIT;
		struct secret *got = open_item(r, label, text, &err);

		if (got == NULL) {
			failed++;
			assert_non_null(strstr(status, err.msg));
			assert_non_null(strstr(status, name));
		}
		secret_free(got);
	}
	assert_int_not_equal(failed, 0);
}

static void
run_case(json_t *entry, struct keypair *kp)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);
	const char *name = json_string_value(json_object_get(entry, "case"));
	const char *outcome =
	    json_string_value(json_object_get(entry, "outcome"));
	AUTO_STR char *dir = xasprintf(VECTORS "cases/%s/", name);
	AUTO_STR char *status_path = xasprintf("%serror.txt", dir);
	json_t *sealed = load_json(dir, "sealed.json");
	struct err err = ERR_INIT;

	assert_int_equal(keyring_add(r, "key", kp, NOW_S, &err), 0);
	if (strcmp(outcome, "secret") == 0) {
		json_t *secret = load_json(dir, "secret.json");

		items_become(r, sealed, json_object_get(secret, "data"));
		json_decref(secret);
	} else {
		AUTO_STR char *status = textfile_read(status_path);

		items_fail(r, sealed, status);
	}
	json_decref(sealed);
}

static void
opens_everything_that_the_stock_kubeseal_sealed(void **state UNUSED)
{
	static const char *const forms[] = { "pkcs1", "pkcs8" };
	json_t *index = load_json(VECTORS, "index.json");
	json_t *entry;
	size_t i;

	assert_true(json_array_size(index) > 20);
	json_array_foreach(index, i, entry)
	{
		const char *key =
		    json_string_value(json_object_get(entry, "key"));
		AUTO(keypair)
		struct keypair *kp = vectors_key(key, forms[i % 2]);

		run_case(entry, kp);
	}
	json_decref(index);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tries_hint_then_latest_hit_then_newest_first),
		cmocka_unit_test(
		    the_key_of_its_time_comes_first_then_older_ones),
		cmocka_unit_test(
		    where_times_mislead_the_latest_hit_comes_first),
		cmocka_unit_test(
		    a_key_that_serves_nowhere_is_not_that_of_a_time),
		cmocka_unit_test(what_another_search_finds_is_tried_next),
		cmocka_unit_test(a_hint_of_a_key_that_went_does_no_harm),
		cmocka_unit_test(
		    tries_no_key_of_another_length_and_none_for_bad_framing),
		cmocka_unit_test(
		    opens_everything_that_the_stock_kubeseal_sealed),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_forget);
}
