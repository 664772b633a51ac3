/*
 * Export: what is in it, what is announced about it, and that nothing of a key
 * is in the answer unless it was written down before.
 * layer: http
 */
#include "keystore_fixture.h"

#include <openssl/evp.h>

#include "base/codec.h"
#include "base/jsonx.h"
#include "callrig.h"
#include "certs.h"
#include "controller/http/export.h"

static struct callrig c;

static int
setup(void **state UNUSED)
{
	callrig_init(&c);
	adminrig_put(&c.rig, "k0", fixture_key(0));
	adminrig_put(&c.rig, "k1", fixture_key(1));
	return 0;
}

static int
teardown(void **state UNUSED)
{
	backup_recipients_free((struct backup_recipients *)c.call.recipients);
	callrig_release(&c);
	return 0;
}

/* The private key's first base64 line is in no answer but a granted one. */
static bool
holds_key(unsigned i)
{
	AUTO_JSON json_t *secret = adminrig_secret("x", fixture_key(i));
	const char *key = jsonx_str(secret, "data", "tls.key", NULL);
	AUTO_STR char *part = xstrndup(key + 200, 60);

	return strstr(buf_str(&c.reply.body), part) != NULL;
}

static void
a_plain_export_reads_back_and_says_what_it_holds(void **state UNUSED)
{
	AUTO(backup) struct backup *b = NULL;
	AUTO_STR char *want =
	    xasprintf("%s,%s", keypair_fingerprint(fixture_key(0)),
		keypair_fingerprint(fixture_key(1)));
	struct err err = ERR_INIT;

	export_run(&c.call);
	assert_int_equal(c.reply.status, 200);
	assert_string_equal(c.reply.content_type, "application/yaml");
	assert_string_equal(callrig_field(&c, "X-Key-Fingerprints"), want);
	assert_int_equal(
	    backup_parse(buf_str(&c.reply.body), c.reply.body.len, &b, &err),
	    0);
	assert_int_equal(b->count, 2);
	assert_null(strstr(buf_str(&c.reply.body), "resourceVersion"));
	assert_null(strstr(buf_str(&c.reply.body), "some-uid"));
	assert_true(holds_key(0) && holds_key(1));
}

static void
the_digest_is_that_of_the_body(void **state UNUSED)
{
	unsigned char digest[32];
	struct buf text = BUF_INIT(200);
	struct err err = ERR_INIT;

	export_run(&c.call);
	assert_int_equal(EVP_Digest(buf_str(&c.reply.body), c.reply.body.len,
			     digest, NULL, EVP_sha256(), NULL),
	    1);
	buf_puts(&text, "sha-256=:");
	assert_int_equal(base64_encode(digest, sizeof(digest), &text, &err), 0);
	buf_putc(&text, ':');
	assert_string_equal(
	    callrig_field(&c, "Content-Digest"), buf_str(&text));
	buf_release(&text);
}

static void
it_is_written_down_before_and_noted_on_the_keys_after(void **state UNUSED)
{
	AUTO_STR char *want =
	    xasprintf("export plain anna 10.0.0.9 2 k0 0123 %s,%s",
		keypair_fingerprint(fixture_key(0)),
		keypair_fingerprint(fixture_key(1)));

	export_run(&c.call);
	assert_string_equal(c.rig.story, "audit");
	callrig_sent(&c, true);
	assert_string_equal(c.rig.story, "audit exported");
	assert_string_equal(c.rig.recorded, want);
	assert_int_equal(json_array_size(c.rig.told), 2);
	assert_string_equal(
	    jsonx_str(json_array_get(c.rig.told, 1), "name", NULL), "k1");
	assert_null(jsonx_get(json_array_get(c.rig.told, 1), "secret", NULL));
}

static void
what_did_not_go_out_whole_is_no_backup(void **state UNUSED)
{
	export_run(&c.call);
	callrig_sent(&c, false);
	assert_string_equal(c.rig.story, "audit");
}

static void
nothing_leaves_that_could_not_be_written_down(void **state UNUSED)
{
	c.rig.audit_fails = ERR_TIMEOUT;
	export_run(&c.call);
	assert_int_equal(c.reply.status, 503);
	assert_false(holds_key(0) || holds_key(1));
	assert_null(callrig_field(&c, "Content-Digest"));
	assert_null(callrig_field(&c, "X-Key-Fingerprints"));
	assert_int_equal(c.rig.exports, 0);
}

static void
what_cannot_be_read_is_not_exported(void **state UNUSED)
{
	c.rig.secrets_fails = ERR_TRANSPORT;
	export_run(&c.call);
	assert_int_equal(c.reply.status, 503);
	assert_string_equal(c.rig.story, "");
}

static void
without_keys_there_is_nothing_to_export(void **state UNUSED)
{
	json_array_clear(c.rig.live);
	export_run(&c.call);
	assert_int_equal(c.reply.status, 404);
	assert_string_equal(c.rig.story, "");
}

static void
with_recipients_no_key_leaves_in_the_clear(void **state UNUSED)
{
	struct backup_recipients *to = NULL;
	struct cert authority, leaf;
	struct err err = ERR_INIT;

	cert_authority(&authority, "a");
	cert_issue(&leaf, &authority, "DNS:x", 0);
	assert_int_equal(
	    backup_recipients_load(leaf.pem, strlen(leaf.pem), &to, &err), 0);
	c.call.recipients = to;
	export_run(&c.call);
	assert_int_equal(c.reply.status, 200);
	assert_string_equal(c.reply.content_type, "application/cms");
	assert_memory_equal(buf_str(&c.reply.body), "-----BEGIN CMS-----", 19);
	assert_false(holds_key(0) || holds_key(1));
	assert_non_null(strstr(c.rig.recorded, "export encrypted"));
	cert_release(&leaf);
	cert_release(&authority);
}

static void
exports_are_limited_in_time(void **state UNUSED)
{
	for (unsigned i = 0; i < LIMIT_EXPORTS; i++) {
		export_run(&c.call);
		assert_int_equal(c.reply.status, 200);
		callrig_sent(&c, true);
		http_reply_release(&c.reply);
	}
	export_run(&c.call);
	assert_int_equal(c.reply.status, 429);
	assert_string_equal(c.reply.fields[0].name, "Retry-After");
	assert_int_equal(c.rig.audits, LIMIT_EXPORTS);
}

/* Kubectl would give it too; it has no fingerprint. */
static void
a_secret_without_a_usable_key_is_exported_all_the_same(void **state UNUSED)
{
	json_t *bad = adminrig_secret("bad", fixture_key(2));

	jsonx_set(bad, "data", json_pack("{s:s}", "tls.key", "eA=="));
	json_array_append_new(
	    c.rig.live, json_pack("{s:s,s:o}", "name", "bad", "secret", bad));
	export_run(&c.call);
	assert_int_equal(c.reply.status, 200);
	assert_non_null(strstr(buf_str(&c.reply.body), "name: bad"));
	callrig_sent(&c, true);
	assert_int_equal(json_array_size(c.rig.told), 3);
}

static json_t *
produced(const char *name, const struct keypair *kp)
{
	json_t *secret = adminrig_secret(name, kp);

	jsonx_set(json_object_get(secret, "metadata"), "ownerReferences",
	    json_pack("[{s:s,s:s,s:s,s:s}]", "apiVersion",
		"bitnami.com/v1alpha1", "kind", "SealedSecret", "name", name,
		"uid", "u"));
	return json_pack("{s:s,s:o}", "name", name, "secret", secret);
}

/* Whoever sealed it knows it; without its owner it would be a sealing key in
 * the cluster that it is restored into. */
static void
what_a_sealed_secret_produced_is_not_exported(void **state UNUSED)
{
	json_array_append_new(c.rig.live, produced("planted", fixture_key(2)));
	export_run(&c.call);
	assert_int_equal(c.reply.status, 200);
	assert_null(strstr(buf_str(&c.reply.body), "planted"));
	assert_false(holds_key(2));
	assert_true(holds_key(0) && holds_key(1));
	callrig_sent(&c, true);
	assert_int_equal(json_array_size(c.rig.told), 2);
}

static void
of_produced_secrets_alone_there_is_nothing_to_export(void **state UNUSED)
{
	json_array_clear(c.rig.live);
	json_array_append_new(c.rig.live, produced("planted", fixture_key(2)));
	export_run(&c.call);
	assert_int_equal(c.reply.status, 404);
	assert_string_equal(c.rig.story, "");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_plain_export_reads_back_and_says_what_it_holds),
		T(the_digest_is_that_of_the_body),
		T(it_is_written_down_before_and_noted_on_the_keys_after),
		T(what_did_not_go_out_whole_is_no_backup),
		T(nothing_leaves_that_could_not_be_written_down),
		T(what_cannot_be_read_is_not_exported),
		T(without_keys_there_is_nothing_to_export),
		T(with_recipients_no_key_leaves_in_the_clear),
		T(exports_are_limited_in_time),
		T(a_secret_without_a_usable_key_is_exported_all_the_same),
		T(what_a_sealed_secret_produced_is_not_exported),
		T(of_produced_secrets_alone_there_is_nothing_to_export),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_forget);
}
