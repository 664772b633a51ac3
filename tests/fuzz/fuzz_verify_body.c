/*
 * Fuzz target: a request's body for /v1/verify and /v1/rotate, JSON or YAML.
 * Items may be sealed to the fixed key of testkey.h. What comes out of a
 * rotation has the scope, name and namespace that went in, opens, and is the
 * same but for its ciphertext when it is rotated again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/jsonx.h"
#include "controller/http/body.h"
#include "fuzz.h"
#include "keystore/registry.h"
#include "sealedsecret/merge.h"
#include "sealedsecret/reseal.h"
#include "sealedsecret/scope.h"
#include "tests/fuzz/testkey.h"
#include "tests/lib/keyring.h"

/* Items tried for one input, so that one input does not take seconds. */
#define ITEMS_MAX 50

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

static int
few(void *ctx, struct err *err)
{
	unsigned *n = ctx;

	return ++*n <= ITEMS_MAX ? 0 : err_set(err, ERR_TIMEOUT, "enough");
}

static void
check_same(const json_t *a, const json_t *b, const char *member)
{
	const json_t *x = jsonx_get(a, "metadata", member, NULL);
	const json_t *y = jsonx_get(b, "metadata", member, NULL);

	expect(x == y || json_equal(x, y));
}

/* The template claims no scope that the object does not have. */
static void
check_template(const json_t *obj)
{
	static const char *const scopes[] = { ANNOTATION_CLUSTER_WIDE,
		ANNOTATION_NAMESPACE_WIDE };
	const json_t *template = jsonx_get(obj, "spec", "template", NULL);

	for (size_t i = 0; i < ARRAY_SIZE(scopes); i++)
		expect(!merge_annotated(template, scopes[i]) ||
		    merge_annotated(obj, scopes[i]));
}

static json_t *
without_items(const json_t *obj)
{
	json_t *copy = json_deep_copy(obj);

	(void)json_object_del(json_object_get(copy, "spec"), "encryptedData");
	return copy;
}

static void
check_rotated(const json_t *in, const json_t *out)
{
	unsigned n = 0;
	const struct reseal_options opt = { false, few, &n };
	AUTO_JSON json_t *again = NULL;
	AUTO_JSON json_t *bare = without_items(out);
	AUTO_JSON json_t *bare_again = NULL;
	struct err err = ERR_INIT;

	expect(scope_of(in) == scope_of(out));
	check_same(in, out, "name");
	check_same(in, out, "namespace");
	check_template(out);
	if (reseal_rotate(test_registry(), out, &opt, &again, &err) < 0) {
		expect(err.code == ERR_TIMEOUT);
		return;
	}
	bare_again = without_items(again);
	expect(json_equal(bare, bare_again));
}

static void
check_code(const struct err *err)
{
	expect(err->code == ERR_INVALID || err->code == ERR_TOOBIG ||
	    err->code == ERR_NOKEY || err->code == ERR_TIMEOUT);
}

static void
check_object(const json_t *obj)
{
	unsigned n = 0;
	const struct reseal_options opt = { true, few, &n };
	AUTO_JSON json_t *before = json_deep_copy(obj);
	AUTO_JSON json_t *out = NULL;
	struct err err = ERR_INIT;
	bool opens = reseal_verify(test_registry(), obj, &opt, &err) == 0;

	if (!opens)
		check_code(&err);
	n = 0;
	if (reseal_rotate(test_registry(), obj, &opt, &out, &err) == 0) {
		expect(opens);
		check_rotated(obj, out);
	} else {
		expect(out == NULL);
		check_code(&err);
	}
	expect(json_equal(obj, before));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum body_documents ways[] = { BODY_ONE_DOCUMENT,
		BODY_FIRST_DOCUMENT };

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		AUTO_JSON json_t *obj = NULL;
		struct err err = ERR_INIT;

		if (body_parse((const char *)data, size, ways[i], &obj, &err) <
		    0) {
			expect(obj == NULL);
			check_code(&err);
		} else if (i == 0)
			check_object(obj);
	}
	return 0;
}
