/*
 * Verifying and rotating, against the vectors of the stock kubeseal and what
 * has gone wrong elsewhere.
 * layer: sealedsecret
 */
#include "sealedrig.h"
#include "sealedsecret/reseal.h"
#include "sealedsecret/unseal.h"
#include "tests/lib/keyring.h"
#include "textfile.h"

#define PLAIN	     "the plain text"
#define NEW_KEY	     "other2048"
#define NOKEY_TEXT   "no key could decrypt secret"
#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

static struct rig rig;

static int
always(void *ctx UNUSED, struct err *err UNUSED)
{
	return 0;
}

static const struct reseal_options defaults = { true, always, NULL };

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

/* A registry with only this key. */
static struct registry *
registry_with(const char *key)
{
	struct registry *keys = registry_new(&rig.clock);
	struct keypair *kp = vectors_key(key, "pkcs1");
	struct err err = ERR_INIT;

	assert_int_equal(keyring_add(keys, key, kp, 1, &err), 0);
	keypair_free(kp);
	return keys;
}

/* The rig's keys, and a newer one that seals from now on. */
static void
add_new_key(void)
{
	struct keypair *kp = vectors_key(NEW_KEY, "pkcs1");
	struct err err = ERR_INIT;

	assert_int_equal(keyring_add(rig.keys, NEW_KEY, kp, 2, &err), 0);
	keypair_free(kp);
}

static json_t *
sealed_to(const char *label)
{
	return rig_seal(rig.kp, label, PLAIN);
}

static void
annotate(json_t *owner, const char *name, const char *value)
{
	json_t *metadata = json_object_get(owner, "metadata");
	json_t *annotations = json_object_get(metadata, "annotations");

	if (annotations == NULL) {
		annotations = json_object();
		jsonx_set(metadata, "annotations", annotations);
	}
	jsonx_set_str(annotations, name, value);
}

static void
claim_scope(json_t *owner, enum scope scope)
{
	if (scope == SCOPE_NAMESPACE_WIDE)
		annotate(owner, ANNOTATION_NAMESPACE_WIDE, "true");
	if (scope == SCOPE_CLUSTER_WIDE)
		annotate(owner, ANNOTATION_CLUSTER_WIDE, "true");
}

/* ns/name with one item that was sealed with this label. */
static json_t *
object(const char *ns, const char *name, const char *label)
{
	json_t *metadata = json_object();
	json_t *obj = json_pack("{s:s,s:s,s:o,s:{s:{s:o},s:{s:{}}}}",
	    "apiVersion", "bitnami.com/v1alpha1", "kind", "SealedSecret",
	    "metadata", metadata, "spec", "encryptedData", "k",
	    sealed_to(label), "template", "metadata");

	if (ns != NULL)
		jsonx_set_str(metadata, "namespace", ns);
	if (name != NULL)
		jsonx_set_str(metadata, "name", name);
	return obj;
}

static int
verify(const json_t *obj, struct err *err)
{
	return reseal_verify(rig.keys, obj, &defaults, err);
}

static json_t *
rotate(const json_t *obj)
{
	json_t *out = NULL;
	struct err err = ERR_INIT;

	if (reseal_rotate(rig.keys, obj, &defaults, &out, &err) < 0)
		fail_msg("%s", err.msg);
	return out;
}

static void
expect_refused(const json_t *obj, enum err_code code, const char *text)
{
	json_t *out = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(verify(obj, &err), -1);
	assert_int_equal(err.code, code);
	assert_non_null(strstr(err.msg, text));
	assert_int_equal(
	    reseal_rotate(rig.keys, obj, &defaults, &out, &err), -1);
	assert_int_equal(err.code, code);
	assert_non_null(strstr(err.msg, text));
	assert_null(out);
}

/* The Secret that an API server with these keys makes of it. */
static json_t *
secret_of(struct registry *keys, const json_t *obj)
{
	const struct unseal_options opt = {
		.accept_v1_data = true,
		.key_ns = "kube-system",
	};
	AUTO_JSON json_t *stored = json_deep_copy(obj);
	json_t *secret = NULL;
	struct err err = ERR_INIT;
	uint32_t hint = 0;

	jsonx_set_str(json_object_get(stored, "metadata"), "uid", "u");
	if (unseal(keys, stored, &opt, &hint, &secret, &err) < 0)
		fail_msg("%s", err.msg);
	return secret;
}

/* ---- vectors ---- */

static json_t *
vector_file(const char *name, const char *file)
{
	AUTO_STR char *path =
	    xasprintf("tests/vectors/cases/%s/%s", name, file);
	AUTO_STR char *text = textfile_read(path);

	return jsontext_parse(text);
}

static bool
has_templates(const json_t *obj)
{
	return jsonx_get(obj, "spec", "template", "data", NULL) != NULL;
}

static void
check_vector(const char *name, const char *key, bool opens)
{
	AUTO(registry) struct registry *keys = registry_with(key);
	AUTO_JSON json_t *obj = vector_file(name, "sealed.json");
	AUTO_JSON json_t *out = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(
	    reseal_verify(keys, obj, &defaults, &err), opens ? 0 : -1);
	assert_int_equal(
	    reseal_rotate(keys, obj, &defaults, &out, &err), opens ? 0 : -1);
	if (!opens || has_templates(obj))
		return;
	AUTO_JSON json_t *before = secret_of(keys, obj);
	AUTO_JSON json_t *after = secret_of(keys, out);

	if (!json_equal(before, after))
		fail_msg("%s: another Secret", name);
}

static void
every_vector_of_kubeseal_opens_or_not_and_gives_the_same_secret(
    void **state UNUSED)
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

/* ---- scopes ---- */

static const char *const labels[] = {
	[SCOPE_STRICT] = RIG_NS "/" RIG_NAME,
	[SCOPE_NAMESPACE_WIDE] = RIG_NS,
	[SCOPE_CLUSTER_WIDE] = "",
};

static const struct {
	const char *ns, *name;
	bool opens[3];
} moves[] = {
	{ RIG_NS, RIG_NAME, { true, true, true } },
	{ RIG_NS, "other", { false, true, true } },
	{ "other", RIG_NAME, { false, false, true } },
};

/* Sealed in one scope, said to be of another, put somewhere: only the truth
 * in the right place opens. */
static void
only_the_scope_it_was_sealed_in_opens_an_item(void **state UNUSED)
{
	add_new_key();
	for (int was = 0; was < 3; was++)
		for (int says = 0; says < 3; says++)
			for (size_t m = 0; m < ARRAY_SIZE(moves); m++) {
				AUTO_JSON json_t *obj = object(
				    moves[m].ns, moves[m].name, labels[was]);
				AUTO_JSON json_t *out = NULL;

				claim_scope(obj, (enum scope)says);
				if (was != says || !moves[m].opens[was]) {
					expect_refused(
					    obj, ERR_NOKEY, NOKEY_TEXT);
					continue;
				}
				out = rotate(obj);
				assert_int_equal(scope_of(out), was);
			}
}

/* What comes back must not open elsewhere, whatever the template claims. */
static void
rotating_never_widens_a_scope(void **state UNUSED)
{
	add_new_key();
	for (int was = 0; was < 3; was++)
		for (int claims = 0; claims < 3; claims++)
			for (size_t m = 0; m < ARRAY_SIZE(moves); m++) {
				AUTO_JSON json_t *obj =
				    object(RIG_NS, RIG_NAME, labels[was]);
				AUTO_JSON json_t *out = NULL;
				json_t *template =
				    jsonx_get(obj, "spec", "template", NULL);
				struct err err = ERR_INIT;
				json_t *metadata;

				claim_scope(obj, (enum scope)was);
				claim_scope(template, (enum scope)claims);
				annotate(template, "innocent", "yes");
				out = rotate(obj);
				metadata = json_object_get(out, "metadata");
				jsonx_set_str(
				    metadata, "namespace", moves[m].ns);
				jsonx_set_str(metadata, "name", moves[m].name);
				assert_int_equal(scope_of(out), was);
				assert_int_equal(verify(out, &err),
				    moves[m].opens[was] ? 0 : -1);
			}
}

static void
a_scope_that_only_the_template_claims_does_not_come_back(void **state UNUSED)
{
	AUTO_JSON json_t *obj = object(RIG_NS, RIG_NAME, RIG_NS "/" RIG_NAME);
	json_t *template = jsonx_get(obj, "spec", "template", NULL);
	AUTO_JSON json_t *out = NULL;
	json_t *got;

	annotate(template, ANNOTATION_CLUSTER_WIDE, "true");
	annotate(template, ANNOTATION_NAMESPACE_WIDE, "false");
	annotate(template, "innocent", "yes");
	out = rotate(obj);
	got =
	    jsonx_get(out, "spec", "template", "metadata", "annotations", NULL);
	assert_null(json_object_get(got, ANNOTATION_CLUSTER_WIDE));
	/* Claims nothing, so it may stay. */
	assert_non_null(json_object_get(got, ANNOTATION_NAMESPACE_WIDE));
	assert_string_equal(jsonx_str(got, "innocent", NULL), "yes");
}

static void
only_the_exact_word_true_counts(void **state UNUSED)
{
	static const char *const words[] = { "TRUE", "True", "1", " true",
		"true ", "yes", "" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		AUTO_JSON json_t *strict =
		    object(RIG_NS, RIG_NAME, RIG_NS "/" RIG_NAME);
		AUTO_JSON json_t *wide = object(RIG_NS, RIG_NAME, "");
		struct err err = ERR_INIT;

		annotate(strict, ANNOTATION_CLUSTER_WIDE, words[i]);
		annotate(wide, ANNOTATION_CLUSTER_WIDE, words[i]);
		assert_int_equal(verify(strict, &err), 0);
		assert_int_equal(verify(wide, &err), -1);
	}
}

/* Different objects whose labels would be the same bytes. */
static void
names_that_are_not_valid_never_make_a_label(void **state UNUSED)
{
	static const struct {
		const char *ns, *name, *label;
		enum scope scope;
	} cases[] = {
		{ "a", "b/c", "a/b/c", SCOPE_STRICT },
		{ "a/b", "c", "a/b/c", SCOPE_STRICT },
		{ "a/b", "c", "a/b", SCOPE_NAMESPACE_WIDE },
		{ "", "c", "", SCOPE_NAMESPACE_WIDE },
		{ NULL, "c", "", SCOPE_NAMESPACE_WIDE },
		{ "", "c", "/c", SCOPE_STRICT },
		{ "a", "", "a/", SCOPE_STRICT },
		{ NULL, NULL, "/", SCOPE_STRICT },
		{ "A", "b", "A/b", SCOPE_STRICT },
		{ "a-", "b", "a-/b", SCOPE_STRICT },
		{ "a", "b..c", "a/b..c", SCOPE_STRICT },
		{ "a", "../b", "", SCOPE_CLUSTER_WIDE },
		{ "a/b", "c", "", SCOPE_CLUSTER_WIDE },
		{ "a\nb", "c", "", SCOPE_CLUSTER_WIDE },
		{ "a234567890123456789012345678901234567890123456789012345678"
		  "901234",
		    "b", "", SCOPE_CLUSTER_WIDE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *obj =
		    object(cases[i].ns, cases[i].name, cases[i].label);

		claim_scope(obj, cases[i].scope);
		expect_refused(obj, ERR_INVALID, "name");
	}
}

static void
a_nul_in_a_name_is_not_the_end_of_it(void **state UNUSED)
{
	AUTO_JSON json_t *obj = object(RIG_NS, RIG_NAME, RIG_NS "/" RIG_NAME);

	jsonx_set(json_object_get(obj, "metadata"), "name",
	    json_stringn(RIG_NAME "\0x", sizeof(RIG_NAME) + 1));
	expect_refused(obj, ERR_INVALID, "metadata.name is not valid");
}

static void
parts_that_no_label_holds_may_be_absent(void **state UNUSED)
{
	AUTO_JSON json_t *wide = object(NULL, NULL, "");
	AUTO_JSON json_t *in_ns = object(RIG_NS, NULL, RIG_NS);
	struct err err = ERR_INIT;

	claim_scope(wide, SCOPE_CLUSTER_WIDE);
	claim_scope(in_ns, SCOPE_NAMESPACE_WIDE);
	assert_int_equal(verify(wide, &err), 0);
	assert_int_equal(verify(in_ns, &err), 0);
	json_decref(rotate(wide));
}

/* ---- the same object ---- */

static json_t *
full_object(void)
{
	json_t *obj = json_pack(
	    "{s:s,s:s,"
	    "s:{s:s,s:s,s:s,s:s,s:i,s:s,s:[{}],s:{s:s},s:{s:s,s:s},s:[s]},"
	    "s:{s:{s:o,s:o},"
	    "s:{s:{s:s,s:s,s:n,s:{s:s,s:s},s:{s:s,s:s},s:[s]},"
	    "s:s,s:b,s:{s:s,s:s,s:n}}},"
	    "s:{s:i,s:[{}]}}",
	    "apiVersion", RESEAL_API_VERSION, "kind", RESEAL_KIND, "metadata",
	    "name", RIG_NAME, "namespace", RIG_NS, "uid", "u",
	    "resourceVersion", "7", "generation", 3, "creationTimestamp",
	    "2024-01-01T00:00:00Z", "managedFields", "labels", "team", "a",
	    "annotations", "wave", "1", LAST_APPLIED, "{\"data\":\"x\"}",
	    "finalizers", "f/g", "spec", "encryptedData", "k",
	    sealed_to(RIG_NS "/" RIG_NAME), "empty",
	    rig_seal(rig.kp, RIG_NS "/" RIG_NAME, ""), "template", "metadata",
	    "name", RIG_NAME, "namespace", RIG_NS, "creationTimestamp",
	    "labels", "app", "x", "n", "2", "annotations", "note", "kept",
	    LAST_APPLIED, "{\"stringData\":\"x\"}", "finalizers", "a/b", "type",
	    "kubernetes.io/tls", "immutable", 1, "data", "conf",
	    "{{ .k }} {{ fail \"x\" }} {{", "plain", "text", "gone", "status",
	    "observedGeneration", 3, "conditions");

	assert_non_null(obj);
	return obj;
}

/* What full_object() must come back as, but for its ciphertext. */
static json_t *
expected_object(const json_t *obj)
{
	static const char *const dropped[] = { "uid", "resourceVersion",
		"generation", "creationTimestamp", "managedFields" };
	json_t *want = json_deep_copy(obj);

	json_object_del(want, "status");
	for (size_t i = 0; i < ARRAY_SIZE(dropped); i++)
		json_object_del(json_object_get(want, "metadata"), dropped[i]);
	json_object_del(
	    jsonx_get(want, "metadata", "annotations", NULL), LAST_APPLIED);
	json_object_del(jsonx_get(want, "spec", "template", "metadata",
			    "annotations", NULL),
	    LAST_APPLIED);
	return want;
}

static void
rotating_changes_ciphertext_and_nothing_else(void **state UNUSED)
{
	AUTO_JSON json_t *obj = full_object();
	AUTO_JSON json_t *before = json_deep_copy(obj);
	AUTO_JSON json_t *want = expected_object(obj);
	AUTO_JSON json_t *out = NULL;
	json_t *items, *old_items;
	const char *name;
	json_t *v;

	add_new_key();
	out = rotate(obj);
	items = jsonx_get(out, "spec", "encryptedData", NULL);
	old_items = jsonx_get(want, "spec", "encryptedData", NULL);
	assert_int_equal(json_object_size(items), 2);
	json_object_foreach(old_items, name, v)
	    assert_false(json_equal(json_object_get(items, name), v));
	jsonx_set(
	    json_object_get(want, "spec"), "encryptedData", json_incref(items));
	assert_true(json_equal(out, want));
	/* And nothing in what was handed in. */
	assert_true(json_equal(obj, before));
}

static void
it_opens_with_the_new_key_alone_and_gives_the_same_secret(void **state UNUSED)
{
	AUTO_JSON json_t *obj = full_object();
	AUTO(registry) struct registry *old_only = registry_with("rsa2048");
	AUTO(registry) struct registry *new_only = registry_with(NEW_KEY);
	AUTO_JSON json_t *out = NULL;
	AUTO_JSON json_t *before = NULL;
	AUTO_JSON json_t *after = NULL;
	struct err err = ERR_INIT;

	/* Templates are for others to test; these would fail on purpose. */
	json_object_del(jsonx_get(obj, "spec", "template", NULL), "data");
	json_object_del(
	    jsonx_get(obj, "spec", "template", "metadata", "annotations", NULL),
	    LAST_APPLIED);
	add_new_key();
	out = rotate(obj);
	assert_int_equal(reseal_verify(new_only, out, &defaults, &err), 0);
	assert_int_equal(reseal_verify(old_only, out, &defaults, &err), -1);
	before = secret_of(old_only, obj);
	after = secret_of(new_only, out);
	assert_true(json_equal(before, after));
}

static void
a_template_says_nothing_of_name_and_namespace(void **state UNUSED)
{
	AUTO_JSON json_t *obj = object(RIG_NS, RIG_NAME, RIG_NS "/" RIG_NAME);
	json_t *metadata = jsonx_get(obj, "spec", "template", "metadata", NULL);
	AUTO_JSON json_t *out = NULL;

	jsonx_set_str(metadata, "name", "victim");
	jsonx_set_str(metadata, "namespace", "kube-system");
	out = rotate(obj);
	metadata = jsonx_get(out, "spec", "template", "metadata", NULL);
	assert_string_equal(jsonx_str(metadata, "name", NULL), RIG_NAME);
	assert_string_equal(jsonx_str(metadata, "namespace", NULL), RIG_NS);
}

/* A template that would tell one value from another, one that does not parse,
 * one that never ends: the answer is that of no template. */
static void
templates_are_never_looked_at(void **state UNUSED)
{
	static const char *const texts[] = {
		"{{ if eq .k \"x\" }}{{ fail \"no\" }}{{ end }}",
		"{{ if ne .k \"x\" }}{{ fail \"no\" }}{{ end }}",
		"{{ range until 1000000000 }}x{{ end }}",
		"{{ nope",
		"",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		AUTO_JSON json_t *obj =
		    object(RIG_NS, RIG_NAME, RIG_NS "/" RIG_NAME);
		AUTO_JSON json_t *out = NULL;
		json_t *template = jsonx_get(obj, "spec", "template", NULL);
		struct err err = ERR_INIT;

		jsonx_set(template, "data", json_pack("{s:s}", "k", texts[i]));
		assert_int_equal(verify(obj, &err), 0);
		out = rotate(obj);
		assert_true(json_equal(
		    jsonx_get(out, "spec", "template", NULL), template));
	}
}

/* ---- failures ---- */

/* All that depends on a private key: one code, one text. */
static void
what_depends_on_a_key_fails_in_one_way(void **state UNUSED)
{
	AUTO(registry) struct registry *other = registry_with(NEW_KEY);
	AUTO_JSON json_t *good = object(RIG_NS, RIG_NAME, RIG_NS "/" RIG_NAME);
	const char *text = jsonx_str(good, "spec", "encryptedData", "k", NULL);
	/* Of the text: length, key part, its end, body, tag. */
	const size_t at[] = { 0, 8, 200, 340, strlen(text) - 8 };
	struct err err = ERR_INIT;

	assert_int_equal(reseal_verify(other, good, &defaults, &err), -1);
	assert_int_equal(err.code, ERR_NOKEY);
	assert_string_equal(err.msg, NOKEY_TEXT);
	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		AUTO_JSON json_t *bad = json_deep_copy(good);
		AUTO_STR char *changed = xstrdup(text);
		json_t *out = NULL;

		changed[at[i]] = changed[at[i]] == 'B' ? 'C' : 'B';
		jsonx_set_str(jsonx_get(bad, "spec", "encryptedData", NULL),
		    "k", changed);
		assert_int_equal(verify(bad, &err), -1);
		assert_int_equal(err.code, ERR_NOKEY);
		assert_string_equal(err.msg, NOKEY_TEXT);
		assert_int_equal(
		    reseal_rotate(rig.keys, bad, &defaults, &out, &err), -1);
		assert_string_equal(err.msg, NOKEY_TEXT);
	}
}

static void
what_anybody_can_see_is_named(void **state UNUSED)
{
	static const struct {
		const char *item, *text, *want;
	} cases[] = {
		{ "k", "NOTVALIDBASE64",
		    "k: illegal base64 data at input "
		    "byte 12" },
		{ "a/b", "AAAA", "invalid key name" },
		{ "..", "AAAA", "invalid key name" },
	};
	AUTO_JSON json_t *obj = object(RIG_NS, RIG_NAME, RIG_NS "/" RIG_NAME);
	json_t *spec = json_object_get(obj, "spec");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		jsonx_set(spec, "encryptedData",
		    json_pack("{s:s}", cases[i].item, cases[i].text));
		expect_refused(obj, ERR_INVALID, cases[i].want);
	}
	jsonx_set(spec, "encryptedData", json_pack("{s:i}", "k", 1));
	expect_refused(obj, ERR_INVALID, "k: expected text, got number");
	jsonx_set(spec, "encryptedData", json_array());
	expect_refused(obj, ERR_INVALID, "spec.encryptedData: expected object");
	jsonx_set(obj, "spec", json_null());
	expect_refused(obj, ERR_INVALID, "spec: expected object");
}

static void
too_many_items_are_refused_before_any_is_tried(void **state UNUSED)
{
	AUTO_JSON json_t *obj = object(RIG_NS, RIG_NAME, RIG_NS "/" RIG_NAME);
	json_t *items = json_object();
	char name[16];

	for (int i = 0; i <= UNSEAL_ITEMS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "k%d", i);
		jsonx_set_str(items, name, "AAAA");
	}
	jsonx_set(json_object_get(obj, "spec"), "encryptedData", items);
	expect_refused(obj, ERR_TOOBIG, "too many items (10001, limit 10000)");
}

static int
three_times(void *ctx, struct err *err)
{
	unsigned *n = ctx;

	return ++*n <= 3 ? 0 : err_set(err, ERR_TIMEOUT, "enough");
}

static void
the_budget_is_asked_before_each_item(void **state UNUSED)
{
	unsigned n = 0;
	const struct reseal_options opt = { true, three_times, &n };
	AUTO_JSON json_t *obj = object(RIG_NS, RIG_NAME, RIG_NS "/" RIG_NAME);
	json_t *items = jsonx_get(obj, "spec", "encryptedData", NULL);
	struct err err = ERR_INIT;
	json_t *out = NULL;
	char name[16];

	for (int i = 0; i < 9; i++) {
		(void)snprintf(name, sizeof(name), "k%d", i);
		jsonx_set(
		    items, name, json_incref(json_object_get(items, "k")));
	}
	assert_int_equal(reseal_verify(rig.keys, obj, &opt, &err), -1);
	assert_int_equal(err.code, ERR_TIMEOUT);
	assert_int_equal(n, 4);
	assert_int_equal(reseal_rotate(rig.keys, obj, &opt, &out, &err), -1);
	assert_int_equal(err.code, ERR_TIMEOUT);
	assert_null(out);
}

static void
without_a_key_nothing_is_rotated(void **state UNUSED)
{
	AUTO(registry) struct registry *none = registry_new(&rig.clock);
	AUTO_JSON json_t *obj = object(RIG_NS, RIG_NAME, RIG_NS "/" RIG_NAME);
	json_t *out = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(reseal_rotate(none, obj, &defaults, &out, &err), -1);
	assert_int_equal(err.code, ERR_NOTFOUND);
	assert_int_equal(reseal_verify(none, obj, &defaults, &err), -1);
	assert_int_equal(err.code, ERR_NOKEY);
}

/* ---- the old form ---- */

static json_t *
v1_object(const char *inner)
{
	json_t *obj = object(RIG_NS, RIG_NAME, "");
	json_t *spec = json_object_get(obj, "spec");

	jsonx_set(spec, "encryptedData", json_null());
	jsonx_set(spec, "data", rig_seal(rig.kp, RIG_NS "/" RIG_NAME, inner));
	return obj;
}

static void
the_old_form_comes_out_in_the_new_one(void **state UNUSED)
{
	AUTO_JSON json_t *obj = v1_object(
	    "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":"
	    "\"inner\",\"labels\":{\"a\":\"b\"},\"annotations\":{\"c\":\"d\","
	    "\"" LAST_APPLIED "\":\"x\",\"" ANNOTATION_CLUSTER_WIDE
	    "\":\"true\"}},\"type\":\"Opaque\",\"data\":{\"k\":\"djE=\","
	    "\"both\":\"b2xk\",\"null\":null},"
	    "\"stringData\":{\"s\":\"text\",\"both\":\"new\"}}");
	AUTO_JSON json_t *out = NULL;
	AUTO_JSON json_t *secret = NULL;
	AUTO_JSON json_t *want = jsontext_parse(
	    "{\"k\":\"djE=\",\"both\":\"bmV3\",\"null\":\"\",\"s\":"
	    "\"dGV4dA==\"}");
	AUTO_JSON json_t *want_template = jsontext_parse(
	    "{\"metadata\":{\"name\":\"" RIG_NAME "\",\"namespace\":\"" RIG_NS
	    "\",\"labels\":{\"a\":\"b\"},\"annotations\":{\"c\":\"d\"}},"
	    "\"type\":\"Opaque\"}");
	struct err err = ERR_INIT;

	assert_int_equal(verify(obj, &err), 0);
	out = rotate(obj);
	assert_null(jsonx_get(out, "spec", "data", NULL));
	assert_int_equal(scope_of(out), SCOPE_STRICT);
	assert_true(json_equal(
	    jsonx_get(out, "spec", "template", NULL), want_template));
	secret = secret_of(rig.keys, out);
	assert_true(json_equal(json_object_get(secret, "data"), want));
}

static void
the_old_form_has_the_reference_s_rules(void **state UNUSED)
{
	const struct reseal_options off = { false, always, NULL };
	AUTO_JSON json_t *obj = v1_object("{}");
	json_t *spec = json_object_get(obj, "spec");
	struct err err = ERR_INIT;

	assert_int_equal(reseal_verify(rig.keys, obj, &off, &err), -1);
	assert_non_null(strstr(err.msg, "deprecated"));
	jsonx_set(spec, "encryptedData", json_pack("{s:s}", "k", "AAAA"));
	jsonx_set_str(spec, "data", "");
	expect_refused(obj, ERR_INVALID, "at the same time");
	jsonx_set(spec, "encryptedData", json_object());
	jsonx_set(spec, "data", json_true());
	expect_refused(obj, ERR_INVALID, "spec.data: expected text");
	/* Empty is used, with no bytes. */
	jsonx_set_str(spec, "data", "");
	expect_refused(obj, ERR_NOKEY, NOKEY_TEXT);
	jsonx_set_str(spec, "data", "!");
	expect_refused(obj, ERR_INVALID, "illegal base64");
}

/* Texts that tell what was wrong inside would tell of the plain text. */
static void
what_the_old_form_held_inside_is_not_told(void **state UNUSED)
{
	static const char *const inner[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"apiVersion\":\"v1\",\"kind\":\"List\"}",
		"{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"data\":[]}",
		"{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"data\":{\"a\":1}"
		"}",
		"{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"data\":{\"a\":"
		"\"!\"}}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(inner); i++) {
		AUTO_JSON json_t *obj = v1_object(inner[i]);
		json_t *out = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(verify(obj, &err), -1);
		assert_int_equal(err.code, ERR_NOKEY);
		assert_string_equal(err.msg, NOKEY_TEXT);
		assert_int_equal(
		    reseal_rotate(rig.keys, obj, &defaults, &out, &err), -1);
		assert_string_equal(err.msg, NOKEY_TEXT);
	}
}

/* The rig's key, for team-a only, and a newer one for everybody. */
static void
restrict_key(const char *namespaces)
{
	AUTO(nsrule) struct nsrule *rule = NULL;
	struct registry_attrs attrs = { .order_s = 1 };
	struct registry_current cur;
	struct err err = ERR_INIT;

	assert_int_equal(nsrule_parse(namespaces, &rule, &err), 0);
	attrs.rule = rule;
	assert_true(registry_current(rig.keys, &cur));
	assert_int_equal(
	    registry_put(rig.keys, cur.name, rig.kp, &attrs, &err), 0);
	add_new_key();
}

static void
a_key_for_some_namespaces_opens_nothing_elsewhere_whatever_the_scope(
    void **state UNUSED)
{
	AUTO_JSON json_t *here = object("team-a", "db", "");
	AUTO_JSON json_t *there = object("team-b", "db", "");
	AUTO_JSON json_t *nowhere = object(NULL, NULL, "");
	struct err err = ERR_INIT;

	restrict_key("team-a");
	claim_scope(here, SCOPE_CLUSTER_WIDE);
	claim_scope(there, SCOPE_CLUSTER_WIDE);
	claim_scope(nowhere, SCOPE_CLUSTER_WIDE);
	assert_int_equal(verify(here, &err), 0);
	expect_refused(there, ERR_NOKEY, NOKEY_TEXT);
	expect_refused(nowhere, ERR_NOKEY, NOKEY_TEXT);
}

static void
rotating_does_not_lift_a_restriction(void **state UNUSED)
{
	AUTO_JSON json_t *obj = object("team-a", "db", "");
	AUTO_JSON json_t *out = NULL;
	AUTO(registry) struct registry *public = registry_with(NEW_KEY);
	struct err err = ERR_INIT;

	restrict_key("team-a");
	claim_scope(obj, SCOPE_CLUSTER_WIDE);
	out = rotate(obj);
	assert_int_equal(verify(out, &err), 0);
	assert_int_equal(reseal_verify(public, out, &defaults, &err), -1);
	jsonx_set_str(json_object_get(out, "metadata"), "namespace", "team-b");
	expect_refused(out, ERR_NOKEY, NOKEY_TEXT);
}

int
main(void)
{
#define RIGGED(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		RIGGED(
		    a_key_for_some_namespaces_opens_nothing_elsewhere_whatever_the_scope),
		RIGGED(rotating_does_not_lift_a_restriction),
		RIGGED(
		    every_vector_of_kubeseal_opens_or_not_and_gives_the_same_secret),
		RIGGED(only_the_scope_it_was_sealed_in_opens_an_item),
		RIGGED(rotating_never_widens_a_scope),
		RIGGED(
		    a_scope_that_only_the_template_claims_does_not_come_back),
		RIGGED(only_the_exact_word_true_counts),
		RIGGED(names_that_are_not_valid_never_make_a_label),
		RIGGED(a_nul_in_a_name_is_not_the_end_of_it),
		RIGGED(parts_that_no_label_holds_may_be_absent),
		RIGGED(rotating_changes_ciphertext_and_nothing_else),
		RIGGED(
		    it_opens_with_the_new_key_alone_and_gives_the_same_secret),
		RIGGED(a_template_says_nothing_of_name_and_namespace),
		RIGGED(templates_are_never_looked_at),
		RIGGED(what_depends_on_a_key_fails_in_one_way),
		RIGGED(what_anybody_can_see_is_named),
		RIGGED(too_many_items_are_refused_before_any_is_tried),
		RIGGED(the_budget_is_asked_before_each_item),
		RIGGED(without_a_key_nothing_is_rotated),
		RIGGED(the_old_form_comes_out_in_the_new_one),
		RIGGED(the_old_form_has_the_reference_s_rules),
		RIGGED(what_the_old_form_held_inside_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
