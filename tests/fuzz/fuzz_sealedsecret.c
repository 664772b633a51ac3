/*
 * Fuzz target: arbitrary JSON as a SealedSecret, and as the Secret that is
 * already there. Input: the SealedSecret, and, behind a NUL byte, the Secret
 * (without one, what the SealedSecret asks for counts as there). Items may be
 * sealed to the fixed key of testkey.h.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/jsonx.h"
#include "controller/sealedsecret/shape.h"
#include "fuzz.h"
#include "keystore/registry.h"
#include "keystore/secretform.h"
#include "sealedsecret/condition.h"
#include "sealedsecret/merge.h"
#include "sealedsecret/scope.h"
#include "sealedsecret/unseal.h"
#include "tests/fuzz/testkey.h"
#include "tests/lib/keyring.h"

#define KEY_NS	 "kube-system"
#define NOW_S	 1800000000
#define TEXT_MAX (16 * 1024 * 1024)

static void
expect(bool truth)
{
	if (!truth)
		abort();
}

/* One key for the whole run, still reachable at its end. */
static struct registry *
test_registry(void)
{
	static struct registry *r;
	struct err err = ERR_INIT;

	if (r == NULL) {
		struct keypair *kp = NULL;

		expect(keypair_parse(TESTKEY_PKCS1, strlen(TESTKEY_PKCS1),
			   TESTKEY_CERT, strlen(TESTKEY_CERT), &kp, &err) == 0);
		r = registry_new(&clock_system);
		expect(keyring_add(r, "key", kp, 0, &err) == 0);
		keypair_free(kp);
	}
	return r;
}

static bool
same_text(const json_t *a, const json_t *b, const char *member)
{
	const char *x = jsonx_str(a, "metadata", member, NULL);
	const char *y = jsonx_str(b, "metadata", member, NULL);

	return x != NULL && y != NULL && strcmp(x, y) == 0;
}

static void
check_texts(const json_t *map)
{
	const char *k;
	json_t *v;

	expect(map == NULL || json_is_object(map));
	json_object_foreach((json_t *)map, k, v) expect(json_is_string(v));
}

static void
check_data(const json_t *secret)
{
	json_t *data = json_object_get(secret, "data");
	const char *k;
	json_t *v;

	expect(json_is_object(data));
	json_object_foreach(data, k, v)
	{
		AUTO_RELEASE(buf) struct buf b = BUF_INIT(TEXT_MAX);
		struct err err = ERR_INIT;

		expect(json_is_string(v));
		expect(base64_decode(json_string_value(v),
			   json_string_length(v), &b, &err) == 0);
	}
}

static void
check_secret(const json_t *secret, const json_t *sealed)
{
	const char *ns = jsonx_str(secret, "metadata", "namespace", NULL);
	json_t *labels = jsonx_get(secret, "metadata", "labels", NULL);

	expect(strcmp(jsonx_str(secret, "kind", NULL), "Secret") == 0);
	expect(strcmp(jsonx_str(secret, "apiVersion", NULL), "v1") == 0);
	expect(same_text(secret, sealed, "name"));
	expect(same_text(secret, sealed, "namespace"));
	check_texts(labels);
	check_texts(jsonx_get(secret, "metadata", "annotations", NULL));
	check_data(secret);
	expect(strcmp(ns, KEY_NS) != 0 ||
	    json_object_get(labels, SECRETFORM_LABEL) == NULL);
}

/* What was merged once is not merged again, and the live one is not touched. */
static void
check_merge(const json_t *live, const json_t *desired)
{
	AUTO_JSON json_t *before = json_deep_copy(live);
	AUTO_JSON json_t *once = NULL;
	AUTO_JSON json_t *twice = NULL;
	struct err err = ERR_INIT;

	if (merge_check_owner(live, "uid", &err) < 0)
		expect(err.code == ERR_UNMANAGED);
	if (merge_secret(live, desired, &once, &err) < 0) {
		expect(once == NULL);
		return;
	}
	expect(json_equal((json_t *)live, before));
	/* A template may turn the patch annotation off. */
	if (once == NULL ||
	    merge_annotated(live, ANNOTATION_PATCH) !=
		merge_annotated(once, ANNOTATION_PATCH))
		return;
	expect(merge_secret(once, desired, &twice, &err) == 0);
	expect(twice == NULL);
}

/* A repair ends too, and what it made looks right or is not known to. */
static void
check_repair(const json_t *live, const json_t *desired)
{
	AUTO_JSON json_t *before = json_deep_copy(live);
	AUTO_JSON json_t *once = NULL;
	AUTO_JSON json_t *twice = NULL;
	const json_t *rendered = jsonx_object(desired, "data", NULL);
	struct index_record rec = { .flags = 0 };
	char text[MERGE_TEXT_MAX];
	struct err err = ERR_INIT;

	shape_of_secret(live, &rec);
	expect(shape_print(&rec) != 0);
	if (merge_repair(live, desired, rendered, &once, &err) < 0)
		return;
	expect(json_equal((json_t *)live, before));
	if (once == NULL)
		return;
	merge_describe(live, once, text);
	expect(text[0] != '\0' && strlen(text) < sizeof(text));
	if (merge_annotated(live, ANNOTATION_PATCH) !=
	    merge_annotated(once, ANNOTATION_PATCH))
		return;
	expect(merge_repair(once, desired, rendered, &twice, &err) == 0);
	expect(twice == NULL);
}

static void
check_shape(const json_t *sealed)
{
	struct index_record a = { .flags = 0 }, b = { .flags = 0 };

	shape_of_sealed(sealed, &a);
	shape_of_sealed(sealed, &b);
	expect(a.shape == b.shape && a.state == b.state);
}

static void
check_status(const json_t *sealed, const struct err *failure)
{
	const struct condition_outcome outcome = {
		.ok = failure->code == ERR_NONE,
		.reason = condition_reason(failure),
		.message = failure->msg,
	};
	AUTO_JSON json_t *once = NULL;
	AUTO_JSON json_t *twice = NULL;
	AUTO_JSON json_t *before = json_deep_copy(sealed);

	if (!json_is_object(sealed))
		return;
	once = condition_apply(sealed, &outcome, NOW_S);
	expect(json_equal((json_t *)sealed, before));
	if (once == NULL)
		return;
	twice = condition_apply(once, &outcome, NOW_S + 1);
	expect(twice == NULL);
}

static void
check_object(const json_t *sealed, const json_t *live)
{
	const struct unseal_options opt = { true, KEY_NS, NULL, NULL };
	AUTO_JSON json_t *secret = NULL;
	struct err err = ERR_INIT;
	uint32_t hint = 0;

	if (unseal(test_registry(), sealed, &opt, &hint, &secret, &err) < 0) {
		expect(secret == NULL && err.code != ERR_NONE);
		expect(err.msg[0] != '\0');
	} else {
		err_clear(&err);
		check_secret(secret, sealed);
		check_merge(live != NULL ? live : secret, secret);
		check_repair(live != NULL ? live : secret, secret);
	}
	check_status(sealed, &err);
	check_shape(sealed);
}

static json_t *
parse(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	json_t *v = NULL;

	if (jsonx_parse((const char *)data, size, 0, &v, &err) < 0)
		return NULL;
	return v;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size > 0 ? memchr(data, 0, size) : NULL;
	size_t first = nul != NULL ? (size_t)(nul - data) : size;
	AUTO_JSON json_t *sealed = parse(data, first);
	AUTO_JSON json_t *live =
	    nul != NULL ? parse(nul + 1, size - first - 1) : NULL;

	if (sealed != NULL)
		check_object(sealed, live);
	return 0;
}
