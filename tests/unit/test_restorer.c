/*
 * Restore: all or nothing, in order, repeatable, and honest about the rest.
 * layer: http
 */
#include "keystore_fixture.h"

#include "base/jsonx.h"
#include "callrig.h"
#include "controller/http/restorer.h"

static struct callrig c;

static int
setup(void **state UNUSED)
{
	callrig_init(&c);
	c.rig.keys = c.keys;
	return 0;
}

static int
teardown(void **state UNUSED)
{
	callrig_release(&c);
	return 0;
}

static void
restore_text(const char *text, bool dry_run)
{
	struct buf body = BUF_INIT(1u << 22);
	struct err err = ERR_INIT;

	assert_int_equal(buf_append(&body, text, strlen(text), &err), 0);
	restorer_run(&c.call, &body, dry_run);
	buf_release(&body);
}

/* k0, k1, k2 are the fixture's keys 0, 1, 2. */
static void
restore(bool dry_run)
{
	static const char *const names[] = { "k0", "k1", "k2", NULL };
	struct keypair *const keys[] = { fixture_key(0), fixture_key(1),
		fixture_key(2) };
	AUTO_STR char *text = adminrig_backup(names, keys);

	restore_text(text, dry_run);
}

static json_t *
answered(void)
{
	json_t *v = NULL;
	struct err err = ERR_INIT;

	assert_string_equal(c.reply.content_type, "application/json");
	assert_int_equal(
	    jsonx_parse(buf_str(&c.reply.body), c.reply.body.len, 0, &v, &err),
	    0);
	return v;
}

/* "created unchanged ..." of k0, k1, k2. */
static void
expect(unsigned status, const char *want)
{
	AUTO_JSON json_t *v = answered();
	struct buf got = BUF_INIT(500);
	char name[8];
	const json_t *k;
	size_t i;

	assert_int_equal(c.reply.status, status);
	for (unsigned char n = 0; n < 3; n++) {
		(void)snprintf(name, sizeof(name), "k%d", n);
		json_array_foreach(jsonx_array(v, "keys", NULL), i, k)
		{
			if (strcmp(jsonx_str(k, "name", NULL), name) == 0)
				buf_printf(&got, "%s%s", n > 0 ? " " : "",
				    jsonx_str(k, "result", NULL));
		}
	}
	assert_string_equal(buf_str(&got), want);
	buf_release(&got);
}

static void
all_are_rehearsed_written_down_and_then_created(void **state UNUSED)
{
	AUTO_JSON json_t *v = NULL;

	restore(false);
	expect(200, "created created created");
	assert_string_equal(
	    c.rig.story, "dry dry dry audit create create create");
	v = answered();
	assert_false(jsonx_is_true(v, "dryRun", NULL));
	assert_non_null(jsonx_str(v, "seals", "name", NULL));
	assert_non_null(
	    strstr(c.rig.recorded, "restore plain anna 10.0.0.9 3"));
	assert_non_null(
	    strstr(c.rig.recorded, keypair_fingerprint(fixture_key(1))));
}

static void
the_oldest_is_created_first(void **state UNUSED)
{
	static const char *const names[] = { "new", "old", NULL };
	AUTO(keypair)
	struct keypair *old = fixture_make(2048, NOW_S - DAY_S, 9 * DAY_S);
	struct keypair *const keys[] = { fixture_key(0), old };
	AUTO_STR char *text = adminrig_backup(names, keys);

	restore_text(text, false);
	assert_string_equal(
	    json_string_value(json_array_get(c.rig.created, 0)), "old");
	assert_string_equal(
	    json_string_value(json_array_get(c.rig.created, 1)), "new");
}

static void
a_dry_run_writes_nothing_and_asks_the_server(void **state UNUSED)
{
	AUTO_JSON json_t *v = NULL;

	restore(true);
	expect(200, "created created created");
	assert_string_equal(c.rig.story, "dry dry dry");
	v = answered();
	assert_true(jsonx_is_true(v, "dryRun", NULL));
	assert_true(json_is_null(json_object_get(v, "seals")));
}

static void
what_is_there_is_left_alone(void **state UNUSED)
{
	adminrig_put(&c.rig, "k0", fixture_key(0));
	adminrig_put(&c.rig, "elsewhere", fixture_key(1));
	restore(false);
	expect(200, "unchanged present-as created");
	assert_string_equal(c.rig.story, "dry audit create");
}

static void
with_nothing_to_create_nothing_is_written(void **state UNUSED)
{
	adminrig_put(&c.rig, "k0", fixture_key(0));
	adminrig_put(&c.rig, "k1", fixture_key(1));
	adminrig_put(&c.rig, "k2", fixture_key(2));
	restore(false);
	expect(200, "unchanged unchanged unchanged");
	assert_string_equal(c.rig.story, "");
}

static void
a_conflict_ends_it_before_the_first_write(void **state UNUSED)
{
	adminrig_put(&c.rig, "k1", fixture_key(3));
	restore(false);
	expect(409, "created conflict created");
	assert_string_equal(c.rig.story, "");
}

/* By a Secret that is no sealing key: only the server can tell. */
static void
a_conflict_found_by_the_rehearsal_ends_it_too(void **state UNUSED)
{
	c.rig.dry_run_fails = ERR_EXISTS;
	restore(false);
	expect(409, "conflict conflict conflict");
	assert_int_equal(c.rig.audits, 0);
	assert_int_equal(c.rig.creates, 0);
}

static void
what_the_server_would_not_take_is_not_begun(void **state UNUSED)
{
	c.rig.dry_run_fails = ERR_FORBIDDEN;
	restore(false);
	assert_int_equal(c.reply.status, 503);
	assert_int_equal(c.rig.audits, 0);
	assert_int_equal(c.rig.creates, 0);
	/* nor are the server's words repeated, which may quote the body */
	assert_null(strstr(buf_str(&c.reply.body), "steered"));
}

static void
what_cannot_be_written_down_is_not_done(void **state UNUSED)
{
	c.rig.audit_fails = ERR_SERVER;
	restore(false);
	assert_int_equal(c.reply.status, 503);
	assert_int_equal(c.rig.creates, 0);
}

static void
one_cut_short_says_so_and_is_completed_by_repeating(void **state UNUSED)
{
	c.rig.create_fails = ERR_TRANSPORT;
	c.rig.create_fails_at = 2;
	restore(false);
	assert_int_equal(c.reply.status, 503);
	assert_non_null(strstr(buf_str(&c.reply.body), "1 keys were created"));
	assert_int_equal(json_array_size(c.rig.created), 1);
	/* The second one was stored, its answer was lost. */
	adminrig_put(&c.rig, "k0", fixture_key(0));
	adminrig_put(&c.rig, "k1", fixture_key(1));
	http_reply_release(&c.reply);
	c.rig.story[0] = '\0';
	c.rig.create_fails = ERR_NONE;
	restore(false);
	expect(200, "unchanged unchanged created");
	assert_string_equal(c.rig.story, "dry audit create");
}

/* A rival restored the same backup at the same moment. */
static void
a_name_taken_by_the_same_key_meanwhile_is_fine(void **state UNUSED)
{
	static const char *const names[] = { "k0", NULL };
	struct keypair *const keys[] = { fixture_key(0) };
	AUTO_STR char *text = adminrig_backup(names, keys);

	c.cfg.settle_ms = 0;
	c.rig.create_fails = ERR_EXISTS;
	adminrig_put(&c.rig, "rival", fixture_key(3));
	restore_text(text, false);
	assert_int_equal(c.reply.status, 503);
	http_reply_release(&c.reply);
	/* What is live is looked at twice: not yet there, then there. */
	c.rig.appears = adminrig_secret("k0", fixture_key(0));
	c.rig.appears_as = keypair_fingerprint(fixture_key(0));
	restore_text(text, false);
	assert_int_equal(c.reply.status, 200);
}

static void
bad_backups_are_refused_with_a_reason(void **state UNUSED)
{
	static const char *const texts[] = {
		"",
		"nonsense",
		"{\"kind\":\"List\",\"apiVersion\":\"v1\",\"items\":[]}",
		"{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}",
		"a: [",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		restore_text(texts[i], false);
		assert_int_equal(c.reply.status, 400);
		assert_memory_equal(
		    buf_str(&c.reply.body), "{\"error\":\"", 10);
		http_reply_release(&c.reply);
	}
	assert_string_equal(c.rig.story, "");
}

static void
a_cluster_that_cannot_be_read_is_not_written_to(void **state UNUSED)
{
	c.rig.secrets_fails = ERR_TIMEOUT;
	restore(false);
	assert_int_equal(c.reply.status, 503);
	assert_string_equal(c.rig.story, "");
}

/* The watch is slow or not granted: the answer waits so long and no longer. */
static void
the_answer_does_not_wait_for_ever_for_the_keys(void **state UNUSED)
{
	AUTO_JSON json_t *v = NULL;

	c.rig.keys = NULL;
	c.cfg.settle_ms = 50;
	restore(false);
	expect(200, "created created created");
	v = answered();
	assert_true(json_is_null(json_object_get(v, "seals")));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(all_are_rehearsed_written_down_and_then_created),
		T(the_oldest_is_created_first),
		T(a_dry_run_writes_nothing_and_asks_the_server),
		T(what_is_there_is_left_alone),
		T(with_nothing_to_create_nothing_is_written),
		T(a_conflict_ends_it_before_the_first_write),
		T(a_conflict_found_by_the_rehearsal_ends_it_too),
		T(what_the_server_would_not_take_is_not_begun),
		T(what_cannot_be_written_down_is_not_done),
		T(one_cut_short_says_so_and_is_completed_by_repeating),
		T(a_name_taken_by_the_same_key_meanwhile_is_fine),
		T(bad_backups_are_refused_with_a_reason),
		T(a_cluster_that_cannot_be_read_is_not_written_to),
		T(the_answer_does_not_wait_for_ever_for_the_keys),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_forget);
}
