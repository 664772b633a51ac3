/*
 * What a restore is to do, from a backup and what is in the cluster.
 * layer: http
 */
#include "keystore_fixture.h"

#include "adminrig.h"
#include "base/jsonx.h"
#include "controller/http/restore.h"

static const char *const two_names[] = { "k0", "k1", NULL };

static struct backup *
backup_of(const char *const names[], struct keypair *const keys[])
{
	AUTO_STR char *text = adminrig_backup(names, keys);
	struct backup *b = NULL;
	struct err err = ERR_INIT;

	if (backup_parse(text, strlen(text), &b, &err) < 0)
		fail_msg("%s", err.msg);
	return b;
}

static struct backup *
two_keys(void)
{
	struct keypair *const keys[] = { fixture_key(0), fixture_key(1) };

	return backup_of(two_names, keys);
}

static json_t *
live(const char *name, const struct keypair *kp)
{
	json_t *v = json_pack("{s:s}", "name", name);

	if (kp != NULL)
		jsonx_set_str(v, "fingerprint", keypair_fingerprint(kp));
	return v;
}

/* What becomes of k0 (k1 is in no cluster here). */
static void
names_and_keys_decide(void **state UNUSED)
{
	/* up to two Secrets: name, number of its key (-1: unusable) */
	static const struct {
		const char *name[2];
		int key[2];
		enum restore_result want;
		const char *as;
	} cases[] = {
		{ { NULL }, { 0 }, RESTORE_CREATED, "" },
		{ { "other" }, { 2 }, RESTORE_CREATED, "" },
		{ { "other" }, { -1 }, RESTORE_CREATED, "" },
		{ { "k0" }, { 0 }, RESTORE_UNCHANGED, "" },
		{ { "other" }, { 0 }, RESTORE_PRESENT_AS, "other" },
		{ { "k0" }, { 2 }, RESTORE_CONFLICT, "" },
		{ { "k0" }, { -1 }, RESTORE_CONFLICT, "" },
		/* the name decides, whatever comes first */
		{ { "k0", "other" }, { 0, 0 }, RESTORE_UNCHANGED, "" },
		{ { "other", "k0" }, { 0, 0 }, RESTORE_UNCHANGED, "other" },
		{ { "k0", "other" }, { 2, 0 }, RESTORE_CONFLICT, "" },
		{ { "other", "k0" }, { 0, 2 }, RESTORE_CONFLICT, "other" },
	};
	AUTO(backup) struct backup *b = two_keys();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *cluster = json_array();
		AUTO(restore_plan) struct restore_plan *p = NULL;

		for (size_t j = 0; j < 2 && cases[i].name[j] != NULL; j++)
			json_array_append_new(cluster,
			    live(cases[i].name[j],
				cases[i].key[j] < 0
				    ? NULL
				    : fixture_key((unsigned)cases[i].key[j])));
		p = restore_plan(b, cluster);
		for (size_t j = 0; j < p->count; j++) {
			if (strcmp(p->items[j].key->name, "k0") != 0)
				continue;
			assert_int_equal(p->items[j].result, cases[i].want);
			assert_string_equal(p->items[j].as, cases[i].as);
		}
		assert_int_equal(restore_count(p, cases[i].want),
		    cases[i].want == RESTORE_CREATED ? 2 : 1);
	}
}

static void
the_oldest_comes_first(void **state UNUSED)
{
	AUTO(keypair)
	struct keypair *old = fixture_make(2048, NOW_S - DAY_S, 9 * DAY_S);
	struct keypair *const keys[] = { fixture_key(0), old };
	AUTO(backup) struct backup *b = backup_of(two_names, keys);
	AUTO_JSON json_t *none = json_array();
	AUTO(restore_plan) struct restore_plan *p = restore_plan(b, none);

	assert_string_equal(p->items[0].key->name, "k1");
	assert_string_equal(p->items[1].key->name, "k0");
}

static void
the_answer_says_what_became_of_each(void **state UNUSED)
{
	AUTO(backup) struct backup *b = two_keys();
	AUTO_JSON json_t *cluster = json_array();
	AUTO(restore_plan) struct restore_plan *p = NULL;
	AUTO_JSON json_t *v = NULL;
	const json_t *k0, *k1;

	json_array_append_new(cluster, live("other", fixture_key(0)));
	json_array_append_new(cluster, live("k1", fixture_key(3)));
	p = restore_plan(b, cluster);
	v = restore_answer(p);
	assert_int_equal(json_array_size(v), 2);
	k0 = json_array_get(v, 0);
	k1 = json_array_get(v, 1);
	if (strcmp(jsonx_str(k0, "name", NULL), "k0") != 0) {
		k1 = k0;
		k0 = json_array_get(v, 1);
	}
	assert_string_equal(jsonx_str(k0, "result", NULL), "present-as");
	assert_string_equal(jsonx_str(k0, "as", NULL), "other");
	assert_null(jsonx_get(k0, "message", NULL));
	assert_string_equal(jsonx_str(k0, "fingerprint", NULL),
	    keypair_fingerprint(fixture_key(0)));
	assert_string_equal(jsonx_str(k1, "result", NULL), "conflict");
	assert_non_null(jsonx_str(k1, "message", NULL));
	assert_null(jsonx_get(k1, "as", NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_keys_decide),
		cmocka_unit_test(the_oldest_comes_first),
		cmocka_unit_test(the_answer_says_what_became_of_each),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_forget);
}
