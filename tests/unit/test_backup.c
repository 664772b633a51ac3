/*
 * Tests of keystore/backup.c: the files of kubectl are read, everything that
 * is wrong is refused with one text that names the item and no value, and what
 * is written is what kubectl prints.
 * layer: keystore
 */
#include "tests/unit/keystore_fixture.h"

#include "base/jsonx.h"
#include "base/yamlx.h"
#include "tests/lib/keysecret.h"
#include "textfile.h"
#include "vectors.h"

/* A limit that a test can reach; the file itself is compiled in below. */
#include "keystore/backup.h"
#undef BACKUP_KEYS_MAX
#define BACKUP_KEYS_MAX 3u
#include "keystore/backup.c"

#define CANARY "hunter2"

/* ---- Secrets to build files from ---- */

/* A key Secret as the API server gives it. */
static json_t *
key_secret(const char *name, const struct keypair *kp)
{
	json_t *obj =
	    json_pack("{s:s,s:s,s:s,s:o,s:{s:s,s:s,s:s,s:s,s:s,s:{s:s}}}",
		"apiVersion", "v1", "kind", "Secret", "type",
		"kubernetes.io/tls", "data", keysecret_data(kp, kp), "metadata",
		"name", name, "namespace", "kube-system", "uid", "6c1f",
		"resourceVersion", "7", "creationTimestamp",
		"2026-11-24T06:30:02Z", "labels", SECRETFORM_LABEL, "active");
	assert_non_null(obj);
	return obj;
}

static json_t *
list_with(json_t *a, json_t *b)
{
	json_t *list = json_pack("{s:s,s:s,s:[o,o*]}", "apiVersion", "v1",
	    "kind", "List", "items", a, b);

	assert_non_null(list);
	return list;
}

static int
parse_tree(const json_t *v, struct backup **ret, struct err *err)
{
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(TEXTFILE_MAX);

	assert_int_equal(jsonx_dump(v, &text, err), 0);
	return backup_parse(text.data, text.len, ret, err);
}

static struct backup *
parse_text(const char *text)
{
	struct backup *b = NULL;
	struct err err = ERR_INIT;

	if (backup_parse(text, strlen(text), &b, &err) < 0)
		fail_msg("%s", err.msg);
	return b;
}

/* ---- reading ---- */

static void
reads_what_kubectl_prints(void **state UNUSED)
{
	static const struct {
		const char *path;
		size_t keys;
	} cases[] = {
		{ "tests/vectors/backup/list.yaml", 2 },
		{ "tests/vectors/backup/list.json", 2 },
		{ "tests/vectors/backup/secret.yaml", 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STR char *text = textfile_read(cases[i].path);
		AUTO(backup) struct backup *b = parse_text(text);
		AUTO(keypair)
		struct keypair *want = vectors_key("rsa2048", "pkcs1");

		assert_int_equal(b->count, cases[i].keys);
		assert_string_equal(
		    b->keys[0].name, "sealed-secrets-keyrsa2048");
		assert_string_equal(b->keys[0].ns, "vectors");
		assert_string_equal(keypair_fingerprint(b->keys[0].kp),
		    keypair_fingerprint(want));
		assert_int_equal(b->keys[0].order_s, keypair_not_before(want));
	}
}

static void
reads_single_secrets_in_several_documents(void **state UNUSED)
{
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(TEXTFILE_MAX);
	AUTO_JSON json_t *a = key_secret("a", fixture_key(0));
	AUTO_JSON json_t *b = key_secret("b", fixture_key(1));
	AUTO(backup) struct backup *got = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(yamlx_dump(a, &text, &err), 0);
	buf_puts(&text, "---\n");
	assert_int_equal(yamlx_dump(b, &text, &err), 0);
	buf_puts(&text, "---\n");
	got = parse_text(buf_str(&text));
	assert_int_equal(got->count, 2);
}

static void
items_of_a_secret_list_need_no_kind(void **state UNUSED)
{
	AUTO_JSON json_t *list =
	    list_with(key_secret("a", fixture_key(0)), NULL);
	json_t *item = json_array_get(json_object_get(list, "items"), 0);
	struct backup *b = NULL;
	struct err err = ERR_INIT;

	(void)json_object_del(item, "kind");
	(void)json_object_del(item, "apiVersion");
	assert_int_equal(parse_tree(list, &b, &err), -1);
	jsonx_set_str(list, "kind", "SecretList");
	assert_int_equal(parse_tree(list, &b, &err), 0);
	assert_string_equal(
	    jsonx_str(b->keys[0].secret, "kind", NULL), "Secret");
	backup_free(b);
}

static void
drops_what_belongs_to_the_old_cluster(void **state UNUSED)
{
	AUTO_JSON json_t *item = key_secret("a", fixture_key(0));
	json_t *meta = json_object_get(item, "metadata");
	AUTO(backup) struct backup *b = NULL;
	AUTO_JSON json_t *want = json_deep_copy(item);
	struct err err = ERR_INIT;

	jsonx_set(meta, "annotations",
	    json_pack("{s:s,s:s}", LAST_APPLIED, "{}", "team", "db"));
	jsonx_set(meta, "finalizers", json_pack("[s]", "x/y"));
	jsonx_set(meta, "managedFields", json_array());
	jsonx_set(meta, "ownerReferences",
	    json_pack("[{s:s,s:s}]", "kind", "App", "uid", "1"));
	jsonx_set(item, "immutable", json_true());
	jsonx_set(item, "surprise", json_true());
	assert_int_equal(parse_tree(item, &b, &err), 0);

	jsonx_set(want, "immutable", json_true());
	jsonx_set(want, "metadata",
	    json_pack("{s:s,s:s,s:{s:s},s:{s:s}}", "name", "a", "namespace",
		"kube-system", "labels", SECRETFORM_LABEL, "active",
		"annotations", "team", "db"));
	assert_true(json_equal(b->keys[0].secret, want));
}

static void
keeps_the_value_of_the_key_label(void **state UNUSED)
{
	AUTO_JSON json_t *item = key_secret("a", fixture_key(0));
	AUTO(backup) struct backup *b = NULL;
	struct err err = ERR_INIT;

	jsonx_set_str(
	    json_object_get(json_object_get(item, "metadata"), "labels"),
	    SECRETFORM_LABEL, "compromised");
	assert_int_equal(parse_tree(item, &b, &err), 0);
	assert_string_equal(jsonx_str(b->keys[0].secret, "metadata", "labels",
				SECRETFORM_LABEL, NULL),
	    "compromised");
}

static void
puts_the_oldest_first(void **state UNUSED)
{
	struct keypair *old = fixture_make(2048, NOW_S - DAY_S, DAY_S);
	AUTO_JSON json_t *list =
	    list_with(key_secret("a", fixture_key(0)), key_secret("z", old));
	AUTO(backup) struct backup *b = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(parse_tree(list, &b, &err), 0);
	assert_string_equal(b->keys[0].name, "z");
	assert_int_equal(b->keys[0].order_s, NOW_S - DAY_S);
	assert_string_equal(b->keys[1].name, "a");
	keypair_free(old);
}

/* ---- refusals ---- */

static void
refuses_an_item_and_names_it(void **state UNUSED)
{
	static const struct {
		const char *patch; /* merged into the Secret "b" */
		const char *want;
	} cases[] = {
		{ "{\"kind\":\"ConfigMap\"}", "item 2 is not a Secret" },
		{ "{\"apiVersion\":\"v2\"}", "item 2 is not a Secret" },
		{ "{\"metadata\":{\"name\":\"-" CANARY "\"}}",
		    "item 2: its name is missing or not valid" },
		{ "{\"metadata\":{\"name\":\"../" CANARY "\"}}",
		    "item 2: its name is missing or not valid" },
		{ "{\"metadata\":{\"name\":7}}",
		    "item 2: its name is missing or not valid" },
		{ "{\"metadata\":{\"name\":\"a\"}}",
		    "item 2: the name a occurs twice" },
		{ "{\"metadata\":{\"namespace\":\"" CANARY "/x\"}}",
		    "item 2 (b): its namespace is not a valid name" },
		{ "{\"metadata\":{\"namespace\":7}}",
		    "item 2 (b): its namespace is not a valid name" },
		{ "{\"metadata\":{\"labels\":{\"" SECRETFORM_LABEL "\":7}}}",
		    "item 2 (b): a member of labels is not text" },
		{ "{\"metadata\":{\"labels\":null}}",
		    "item 2 (b): it does not have the "
		    "label " SECRETFORM_LABEL },
		{ "{\"metadata\":{\"annotations\":\"" CANARY "\"}}",
		    "item 2 (b): annotations is not an object" },
		{ "{\"metadata\":{\"ownerReferences\":[{\"kind\":"
		  "\"SealedSecret\"}]}}",
		    "item 2 (b): it is owned by a SealedSecret" },
		{ "{\"type\":\"" CANARY "\"}",
		    "item 2 (b): its type is neither" },
		{ "{\"type\":7}", "item 2 (b): its type is neither" },
		{ "{\"immutable\":\"" CANARY "\"}",
		    "item 2 (b): immutable is not a boolean" },
		{ "{\"stringData\":{\"tls.key\":\"" CANARY "\"}}",
		    "item 2 (b): it has stringData" },
		{ "{\"data\":null}", "item 2 (b): it has no data item" },
		{ "{\"data\":\"" CANARY "\"}",
		    "item 2 (b): data is not an object" },
		{ "{\"data\":{\"tls.key\":\"" CANARY "\"}}",
		    "item 2 (b): data: illegal base64 data" },
		{ "{\"data\":{\"other\":\"" CANARY "\"}}",
		    "item 2 (b): data: illegal base64 data" },
		/* base64 of the canary */
		{ "{\"data\":{\"tls.key\":\"aHVudGVyMg==\"}}",
		    "item 2 (b): private key: no PEM block" },
		{ "{\"data\":{\"tls.crt\":\"aHVudGVyMg==\"}}",
		    "item 2 (b): certificate: no CERTIFICATE block" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *list =
		    list_with(key_secret("a", fixture_key(0)),
			key_secret("b", fixture_key(1)));
		AUTO_JSON json_t *patch = json_loads(cases[i].patch, 0, NULL);
		json_t *item =
		    json_array_get(json_object_get(list, "items"), 1);
		struct backup *b = NULL;
		struct err err = ERR_INIT;

		assert_non_null(patch);
		assert_int_equal(json_object_update_recursive(item, patch), 0);
		assert_int_equal(parse_tree(list, &b, &err), -1);
		assert_null(b);
		assert_int_equal(err.code, ERR_INVALID);
		assert_ptr_equal(strstr(err.msg, "backup: "), err.msg);
		if (strstr(err.msg, cases[i].want) == NULL)
			fail_msg(
			    "\"%s\" is not in \"%s\"", cases[i].want, err.msg);
		assert_null(strstr(err.msg, CANARY));
	}
}

static void
refuses_the_same_key_under_two_names(void **state UNUSED)
{
	AUTO_JSON json_t *list = list_with(
	    key_secret("a", fixture_key(0)), key_secret("b", fixture_key(0)));
	struct backup *b = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(parse_tree(list, &b, &err), -1);
	assert_non_null(strstr(
	    err.msg, "item 2 (b): an item before it holds the same key"));
}

static void
refuses_a_certificate_of_another_key(void **state UNUSED)
{
	AUTO_JSON json_t *item = key_secret("a", fixture_key(0));
	struct backup *b = NULL;
	struct err err = ERR_INIT;

	keysecret_set(json_object_get(item, "data"), "tls.crt",
	    keypair_cert_pem(fixture_key(1)),
	    strlen(keypair_cert_pem(fixture_key(1))));
	assert_int_equal(parse_tree(item, &b, &err), -1);
	assert_non_null(strstr(err.msg,
	    "item 1 (a): the certificate does not match the private key"));
}

static void
refuses_files_that_hold_no_list_of_keys(void **state UNUSED)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{ "", "backup: no key in it" },
		{ "---\n---\n", "backup: no key in it" },
		{ "apiVersion: v1\nkind: List\nitems: []\n",
		    "backup: no key in it" },
		{ "apiVersion: v1\nkind: List\n", "List without items" },
		{ "kind: List\nitems: []\n", "List without items" },
		{ "apiVersion: v1\nkind: List\nitems:\n- x\n",
		    "item 1 is not a Secret" },
		{ "[]", "item 1 is not a Secret" },
		{ "-----BEGIN CMS-----\n", "item 1 is not a Secret" },
		{ "a: [" CANARY, "backup: yaml: line" },
		{ "a: &x b\nc: *x\n", "aliases are not supported" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct backup *b = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(backup_parse(cases[i].text,
				     strlen(cases[i].text), &b, &err),
		    -1);
		assert_int_equal(err.code, ERR_INVALID);
		if (strstr(err.msg, cases[i].want) == NULL)
			fail_msg(
			    "\"%s\" is not in \"%s\"", cases[i].want, err.msg);
		assert_null(strstr(err.msg, CANARY));
	}
}

static void
bounds_the_number_of_keys(void **state UNUSED)
{
	AUTO_JSON json_t *list = list_with(
	    key_secret("k0", fixture_key(0)), key_secret("k1", fixture_key(1)));
	json_t *items = json_object_get(list, "items");
	struct backup *b = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(
	    json_array_append_new(items, key_secret("k2", fixture_key(2))), 0);
	assert_int_equal(parse_tree(list, &b, &err), 0);
	assert_int_equal(b->count, 3);
	backup_free(STEAL(b));
	assert_int_equal(
	    json_array_append_new(items, key_secret("k3", fixture_key(3))), 0);
	assert_int_equal(parse_tree(list, &b, &err), -1);
	assert_int_equal(err.code, ERR_TOOBIG);
}

static void
bounds_the_size(void **state UNUSED)
{
	size_t len = BACKUP_BYTES_MAX + 1;
	char *text = xmalloc(len);
	struct backup *b = NULL;
	struct err err = ERR_INIT;

	memset(text, ' ', len);
	assert_int_equal(backup_parse(text, len, &b, &err), -1);
	assert_int_equal(err.code, ERR_TOOBIG);
	free(text);
}

static void
bounds_the_data_of_an_item(void **state UNUSED)
{
	AUTO_JSON json_t *item = key_secret("a", fixture_key(0));
	char *big = xcalloc(1, SECRET_MAX);
	struct backup *b = NULL;
	struct err err = ERR_INIT;

	keysecret_set(json_object_get(item, "data"), "other", big, SECRET_MAX);
	assert_int_equal(parse_tree(item, &b, &err), -1);
	assert_int_equal(err.code, ERR_TOOBIG);
	free(big);
}

/* ---- writing ---- */

/* The file of kubectl without the lines that only a server can set. */
static void
strip_server_lines(const char *text, struct buf *out)
{
	static const char *const prefixes[] = { "    creationTimestamp:",
		"    resourceVersion:", "    uid:", "metadata:",
		"  resourceVersion:" };
	const char *end;

	for (; *text != '\0'; text = end) {
		struct err err = ERR_INIT;
		bool drop = false;

		end = strchrnul(text, '\n');
		end += *end == '\n';
		for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
			drop |= strncmp(text, prefixes[i],
				    strlen(prefixes[i])) == 0;
		if (!drop)
			assert_int_equal(
			    buf_append(out, text, (size_t)(end - text), &err),
			    0);
	}
}

static void
writes_what_kubectl_prints_without_the_servers_fields(void **state UNUSED)
{
	AUTO_STR char *yaml = textfile_read("tests/vectors/backup/list.yaml");
	AUTO_STR char *json = textfile_read("tests/vectors/backup/list.json");
	AUTO_RELEASE(buf) struct buf want = BUF_INIT(TEXTFILE_MAX);
	AUTO_JSON json_t *list = json_loads(json, 0, NULL);
	AUTO(secret) struct secret *got = NULL;
	struct err err = ERR_INIT;

	strip_server_lines(yaml, &want);
	assert_int_equal(
	    backup_write(json_object_get(list, "items"), &got, &err), 0);
	assert_int_equal(secret_len(got), want.len);
	assert_memory_equal(secret_bytes(got), want.data, want.len);
}

static void
what_is_written_reads_back_the_same(void **state UNUSED)
{
	AUTO_JSON json_t *items = json_pack("[o,o]",
	    key_secret("a", fixture_key(0)), key_secret("b", fixture_key(1)));
	AUTO(secret) struct secret *first = NULL;
	AUTO(secret) struct secret *second = NULL;
	AUTO(backup) struct backup *b = NULL;
	AUTO_JSON json_t *again = json_array();
	struct err err = ERR_INIT;

	assert_int_equal(backup_write(items, &first, &err), 0);
	assert_int_equal(backup_parse((const char *)secret_bytes(first),
			     secret_len(first), &b, &err),
	    0);
	for (size_t i = 0; i < b->count; i++)
		assert_int_equal(
		    json_array_append(again, b->keys[i].secret), 0);
	assert_int_equal(backup_write(again, &second, &err), 0);
	assert_int_equal(secret_len(first), secret_len(second));
	assert_memory_equal(
	    secret_bytes(first), secret_bytes(second), secret_len(first));
}

static void
does_not_write_what_has_no_name(void **state UNUSED)
{
	AUTO_JSON json_t *items = json_pack("[{s:s}]", "kind", "Secret");
	struct secret *got = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(backup_write(items, &got, &err), -1);
	assert_null(got);
	assert_string_equal(err.msg, "write backup: a Secret without a name");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_kubectl_prints),
		cmocka_unit_test(reads_single_secrets_in_several_documents),
		cmocka_unit_test(items_of_a_secret_list_need_no_kind),
		cmocka_unit_test(drops_what_belongs_to_the_old_cluster),
		cmocka_unit_test(keeps_the_value_of_the_key_label),
		cmocka_unit_test(puts_the_oldest_first),
		cmocka_unit_test(refuses_an_item_and_names_it),
		cmocka_unit_test(refuses_the_same_key_under_two_names),
		cmocka_unit_test(refuses_a_certificate_of_another_key),
		cmocka_unit_test(refuses_files_that_hold_no_list_of_keys),
		cmocka_unit_test(bounds_the_number_of_keys),
		cmocka_unit_test(bounds_the_size),
		cmocka_unit_test(bounds_the_data_of_an_item),
		cmocka_unit_test(
		    writes_what_kubectl_prints_without_the_servers_fields),
		cmocka_unit_test(what_is_written_reads_back_the_same),
		cmocka_unit_test(does_not_write_what_has_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_forget);
}
