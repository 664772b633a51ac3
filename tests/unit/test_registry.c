/*
 * Tests of keystore/registry.c: which key serves, what readers see while keys
 * come and go, and which keys live objects need.
 * layer: keystore
 */
#include "registryrig.h"

static void
serves(struct registry *r, unsigned key)
{
	AUTO_RELEASE(buf) struct buf pem = BUF_INIT(SEAL_BLOB_MAX);
	AUTO(keypair) struct keypair *kp = registry_sealing_key(r);
	struct err err = ERR_INIT;

	assert_ptr_equal(kp, fixture_key(key));
	assert_int_equal(registry_cert_pem(r, &pem, &err), 0);
	assert_string_equal(buf_str(&pem), keypair_cert_pem(fixture_key(key)));
}

static void
newest_is(struct registry *r, const char *name)
{
	struct registry_current current;

	assert_true(registry_current(r, &current));
	assert_string_equal(current.name, name);
}

/* Contents. */

static void
an_empty_one_serves_and_opens_nothing(void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);
	AUTO_RELEASE(buf) struct buf blob = BUF_INIT(SEAL_BLOB_MAX);
	struct registry_current current;
	struct secret *s = NULL;
	struct err err = ERR_INIT;
	uint32_t hint = 7;

	seal_with(0, &blob);
	assert_int_equal(registry_count(r), 0);
	assert_int_equal(registry_generation(r), 0);
	assert_false(registry_current(r, &current));
	assert_null(registry_sealing_key(r));
	assert_false(registry_remove(r, "a"));
	assert_int_equal(keyring_open(r, &hint, LABEL, LABEL_LEN, blob.data,
			     blob.len, &s, &err),
	    -1);
	assert_int_equal(err.code, ERR_NOKEY);
	assert_string_equal(err.msg, "no key could decrypt secret");
	assert_int_equal(hint, 7);
	assert_int_equal(registry_cert_pem(r, &blob, &err), -1);
	assert_int_equal(err.code, ERR_NOTFOUND);
}

static void
the_greatest_order_time_serves_whatever_the_order_of_adding(void **state UNUSED)
{
	static const char *const orders[] = { "abc", "acb", "bac", "bca", "cab",
		"cba" };

	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		AUTO(registry)
		struct registry *r = registry_new(&fixture_clock);

		for (const char *p = orders[i]; *p != '\0'; p++) {
			char name[] = { *p, '\0' };
			unsigned key = (unsigned)(*p - 'a');

			add(r, name, key, NOW_S + key % 3 * 10);
		}
		newest_is(r, "c");
		serves(r, 2);
	}
}

static void
equal_order_times_are_decided_by_the_fingerprint(void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);
	AUTO(registry) struct registry *other = registry_new(&fixture_clock);
	unsigned want = strcmp(keypair_fingerprint(fixture_key(0)),
			    keypair_fingerprint(fixture_key(1))) < 0
	    ? 0
	    : 1;

	add(r, "x", 0, NOW_S);
	add(r, "y", 1, NOW_S);
	add(other, "y", 1, NOW_S);
	add(other, "x", 0, NOW_S);
	serves(r, want);
	serves(other, want);
}

static void
says_what_the_newest_key_is(void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);
	struct registry_current current = { 0 };

	add(r, "old", 0, NOW_S - 1);
	add(r, "new", 1, NOW_S + 5);
	assert_true(registry_current(r, &current));
	assert_string_equal(current.name, "new");
	assert_string_equal(
	    current.fingerprint, keypair_fingerprint(fixture_key(1)));
	assert_int_equal(current.order_s, NOW_S + 5);
	assert_int_equal(current.not_before, NOW_S);
	assert_int_equal(current.not_after, NOW_S + 365 * DAY_S);
}

static void
two_names_of_one_key_count_once(void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);
	uint32_t hint = 0;

	add(r, "a", 0, NOW_S);
	add(r, "also-a", 0, NOW_S + 9);
	add(r, "b", 1, NOW_S + 5);
	assert_int_equal(registry_count(r), 2);
	newest_is(r, "also-a");
	open_sealed(r, 1, &hint, "ab");
	assert_true(registry_remove(r, "also-a"));
	assert_int_equal(registry_count(r), 2);
	newest_is(r, "b");
	hint = 0;
	open_sealed(r, 0, &hint, "ba");
	assert_true(registry_remove(r, "a"));
	assert_int_equal(registry_count(r), 1);
}

static void
fingerprints_come_newest_first_and_no_more_than_asked_for(void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);
	char prints[2][KEYPAIR_FINGERPRINT_MAX] = { "", "untouched" };

	assert_int_equal(registry_fingerprints(r, prints, 2), 0);
	add(r, "a", 0, NOW_S);
	add(r, "b", 1, NOW_S + 5);
	assert_int_equal(registry_fingerprints(r, prints, 1), 2);
	assert_string_equal(prints[0], keypair_fingerprint(fixture_key(1)));
	assert_string_equal(prints[1], "untouched");
	assert_int_equal(registry_fingerprints(r, prints, 2), 2);
	assert_string_equal(prints[1], keypair_fingerprint(fixture_key(0)));
}

static void
adding_a_name_again_replaces_its_key(void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);

	add(r, "a", 0, NOW_S);
	add(r, "a", 1, NOW_S - 5);
	assert_int_equal(registry_count(r), 1);
	serves(r, 1);
}

static void
the_generation_moves_with_changes_only(void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);

	add(r, "a", 0, NOW_S);
	assert_int_equal(registry_generation(r), 1);
	add(r, "a", 0, NOW_S);
	assert_int_equal(registry_generation(r), 1);
	add(r, "a", 0, NOW_S + 1);
	assert_int_equal(registry_generation(r), 2);
	add(r, "a", 1, NOW_S + 1);
	assert_int_equal(registry_generation(r), 3);
	assert_false(registry_remove(r, "b"));
	assert_int_equal(registry_generation(r), 3);
	assert_true(registry_remove(r, "a"));
	assert_int_equal(registry_generation(r), 4);
	assert_false(registry_knows(r, "a"));
}

static bool
keep_some(void *ctx, const char *name)
{
	return strchr(ctx, name[0]) != NULL;
}

static void
retain_forgets_what_is_not_kept(void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);
	char keep[] = "ad";

	for (unsigned i = 0; i < 4; i++) {
		char name[] = { (char)('a' + i), '\0' };

		add(r, name, i, NOW_S + i);
	}
	assert_int_equal(registry_retain(r, keep_some, keep), 2);
	assert_int_equal(registry_count(r), 2);
	assert_true(registry_knows(r, "a"));
	assert_false(registry_knows(r, "b"));
	assert_false(registry_knows(r, "c"));
	assert_true(registry_knows(r, "d"));
	serves(r, 3);
	assert_int_equal(registry_retain(r, keep_some, keep), 0);
}

static void
refuses_bad_names_and_more_keys_than_the_limit(void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);
	struct err err = ERR_INIT;
	char name[258];

	memset(name, 'n', sizeof(name) - 1);
	name[256] = '\0';
	assert_int_equal(keyring_add(r, name, fixture_key(0), 0, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_int_equal(keyring_add(r, "", fixture_key(0), 0, &err), -1);
	name[255] = '\0';
	add(r, name, 0, 0);
	for (int i = 1; i < REGISTRY_KEYS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "key-%d", i);
		add(r, name, (unsigned)i % 2, i);
	}
	assert_int_equal(
	    keyring_add(r, "one-more", fixture_key(2), 0, &err), -1);
	assert_int_equal(err.code, ERR_TOOBIG);
	assert_string_equal(
	    err.msg, "more than 1024 keys: delete old key secrets");
	assert_int_equal(registry_count(r), 2);
	add(r, "key-5", 2, 5);
	assert_int_equal(registry_count(r), 3);
}

static void
an_expired_certificate_is_not_served_while_a_valid_one_exists(
    void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);
	AUTO(keypair)
	struct keypair *expired = fixture_make(2048, NOW_S - 2 * DAY_S, DAY_S);
	AUTO(keypair) struct keypair *served = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(
	    keyring_add(r, "expired", expired, NOW_S + 50, &err), 0);
	served = registry_sealing_key(r);
	assert_ptr_equal(served, expired);
	add(r, "valid", 0, NOW_S);
	add(r, "older", 1, NOW_S - 5);
	serves(r, 0);
	newest_is(r, "expired");
	/* The last second of its validity still counts. */
	fixture_now_s = NOW_S + 365 * DAY_S;
	serves(r, 0);
	fixture_now_s++;
	keypair_free(served);
	served = registry_sealing_key(r);
	assert_ptr_equal(served, expired);
	fixture_now_s = NOW_S;
}

static void
a_key_opens_after_its_certificate_has_expired(void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);
	uint32_t hint = 0;

	add(r, "a", 0, NOW_S);
	fixture_now_s = NOW_S + 3650 * DAY_S;
	open_sealed(r, 0, &hint, "a");
	fixture_now_s = NOW_S;
}

/* Pending keys. */

static void
put(struct registry *r, const char *name, struct keypair *kp, int64_t order_s,
    int64_t active_from_s)
{
	const struct registry_attrs attrs = {
		.order_s = order_s,
		.active_from_s = active_from_s,
	};
	struct err err = ERR_INIT;

	assert_int_equal(registry_put(r, name, kp, &attrs, &err), 0);
}

static void
serving_is(struct registry *r, const char *name)
{
	struct registry_current current;

	assert_true(registry_serving(r, &current));
	assert_string_equal(current.name, name);
}

static void
a_pending_key_opens_and_does_not_serve_until_its_time_has_come(
    void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);
	uint32_t hint = 0;

	add(r, "old", 0, NOW_S - 100);
	put(r, "new", fixture_key(1), NOW_S, NOW_S + 60);
	newest_is(r, "new");
	serving_is(r, "old");
	serves(r, 0);
	open_sealed(r, 1, &hint, "b");
	assert_int_equal(registry_next_change_s(r), NOW_S + 60);
	fixture_now_s = NOW_S + 59;
	serves(r, 0);
	fixture_now_s = NOW_S + 60;
	serves(r, 1);
	serving_is(r, "new");
	assert_true(registry_next_change_s(r) > NOW_S + 60);
	fixture_now_s = NOW_S;
	put(r, "new", fixture_key(1), NOW_S, 0);
	serves(r, 1);
}

static void
of_pending_keys_alone_the_oldest_serves(void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);

	put(r, "first", fixture_key(0), NOW_S, NOW_S + 60);
	serves(r, 0);
	put(r, "second", fixture_key(1), NOW_S + 10, NOW_S + 70);
	put(r, "third", fixture_key(2), NOW_S + 20, NOW_S + 80);
	serves(r, 0);
	fixture_now_s = NOW_S + 60;
	serves(r, 0);
	fixture_now_s = NOW_S + 70;
	serves(r, 1);
	fixture_now_s = NOW_S;
}

static void
a_valid_pending_key_is_preferred_to_an_expired_one(void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);
	AUTO(keypair)
	struct keypair *expired = fixture_make(2048, NOW_S - 2 * DAY_S, DAY_S);

	put(r, "expired", expired, NOW_S - 100, 0);
	put(r, "pending", fixture_key(0), NOW_S, NOW_S + 60);
	serves(r, 0);
}

/* For people. */

static void
the_list_says_what_each_key_is(void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);
	AUTO_RELEASE(registry_listing) struct registry_listing l = { .n = 0 };
	const struct registry_attrs backed_up = {
		.order_s = NOW_S - 100,
		.backed_up = true,
		.backed_up_s = NOW_S - 5,
	};
	struct err err = ERR_INIT;
	uint32_t hint = 0;

	registry_list(r, &l);
	assert_int_equal(l.n, 0);
	registry_listing_release(&l);
	assert_int_equal(
	    registry_put(r, "old", fixture_key(0), &backed_up, &err), 0);
	put(r, "new", fixture_key(1), NOW_S, NOW_S + 60);
	put(r, "same", fixture_key(0), NOW_S - 90, 0);
	open_sealed(r, 0, &hint, "ba");
	open_sealed(r, 0, &hint, "a");
	registry_list(r, &l);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.key[0].names[0], "new");
	assert_true(l.key[0].pending);
	assert_false(l.key[0].seals);
	assert_false(l.key[0].backed_up);
	assert_int_equal(l.key[0].opened, 0);
	assert_int_equal(l.key[0].active_from_s, NOW_S + 60);
	assert_string_equal(
	    l.key[1].fingerprint, keypair_fingerprint(fixture_key(0)));
	assert_int_equal(l.key[1].nnames, 2);
	assert_string_equal(l.key[1].names[0], "same");
	assert_string_equal(l.key[1].names[1], "old");
	assert_true(l.key[1].seals);
	assert_false(l.key[1].pending);
	assert_false(l.key[1].expired);
	assert_true(l.key[1].backed_up);
	assert_int_equal(l.key[1].backed_up_s, NOW_S - 5);
	assert_int_equal(l.key[1].order_s, NOW_S - 90);
	assert_int_equal(l.key[1].not_after, NOW_S + 365 * DAY_S);
	assert_int_equal(l.key[1].opened, 2);
}

/* Keys for some namespaces. */

static void
put_for(struct registry *r, const char *name, unsigned key, int64_t order_s,
    const char *namespaces)
{
	AUTO(nsrule) struct nsrule *rule = NULL;
	struct registry_attrs attrs = { .order_s = order_s };
	struct err err = ERR_INIT;

	if (nsrule_parse(namespaces, &rule, &err) < 0)
		rule = nsrule_none(namespaces);
	attrs.rule = rule;
	assert_int_equal(
	    registry_put(r, name, fixture_key(key), &attrs, &err), 0);
}

/* Tries to open in ns what key sealed for everywhere. */
static bool
opens_in(
    struct registry *r, unsigned key, const char *ns, const char *want_tried)
{
	AUTO_RELEASE(buf) struct buf blob = BUF_INIT(SEAL_BLOB_MAX);
	AUTO(secret) struct secret *s = NULL;
	struct registry_sealed sealed = { .ns = ns, .label = "" };
	struct err err = ERR_INIT;
	uint32_t hint = 0;

	assert_int_equal(
	    seal_encrypt(fixture_key(key), "", 0, "value", 5, &blob, &err), 0);
	sealed.blob = blob.data;
	sealed.blob_len = blob.len;
	tried.n = 0;
	if (registry_open(r, &sealed, &hint, &s, &err) == 0) {
		assert_tried(want_tried);
		return true;
	}
	assert_tried(want_tried);
	assert_int_equal(err.code, ERR_NOKEY);
	assert_string_equal(err.msg, "no key could decrypt secret");
	return false;
}

static void
a_restricted_key_opens_in_its_namespaces_only(void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);

	add(r, "all", 0, NOW_S);
	put_for(r, "some", 1, NOW_S + 1, "team-a,team-b");
	assert_true(opens_in(r, 1, "team-a", "b"));
	assert_true(opens_in(r, 1, "team-b", "b"));
	assert_false(opens_in(r, 1, "team-c", "a"));
	assert_false(opens_in(r, 1, NULL, "a"));
	assert_true(opens_in(r, 0, "team-c", "a"));
	assert_true(opens_in(r, 0, NULL, "a"));
	/* Without the annotation it is a key like any other. */
	add(r, "some", 1, NOW_S + 1);
	assert_true(opens_in(r, 1, "team-c", "ab"));
}

static void
a_restriction_that_cannot_be_read_closes_the_key(void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);

	put_for(r, "broken", 0, NOW_S, "team-a env=prod");
	assert_false(opens_in(r, 0, "team-a", ""));
	assert_null(registry_sealing_key(r));
	/* Another Secret with the same key does not open it. */
	add(r, "again", 0, NOW_S);
	assert_false(opens_in(r, 0, "team-a", ""));
	assert_null(registry_sealing_key(r));
}

static bool
fits(void *ctx UNUSED, const char *ns, const struct nsrule *rule)
{
	return strcmp(ns, "prod") == 0 &&
	    strcmp(nsrule_text(rule), "env=prod") == 0;
}

static void
labels_are_asked_for_and_without_an_answer_it_stays_closed(void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);

	put_for(r, "labelled", 0, NOW_S, "env=prod");
	assert_false(opens_in(r, 0, "prod", ""));
	registry_set_labels(r, fits, NULL);
	assert_true(opens_in(r, 0, "prod", "a"));
	assert_false(opens_in(r, 0, "test", ""));
	assert_false(opens_in(r, 0, NULL, ""));
}

static void
a_restricted_key_never_serves_and_is_no_newest_key(void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);
	AUTO(keypair) struct keypair *expired = NULL;
	struct registry_current current;

	put_for(r, "some", 1, NOW_S + 9, "team-a");
	assert_false(registry_current(r, &current));
	assert_false(registry_serving(r, &current));
	assert_null(registry_sealing_key(r));
	/* Not even to an expired one. */
	expired = fixture_make(2048, NOW_S - 2 * DAY_S, DAY_S);
	put(r, "expired", expired, NOW_S - 100, 0);
	newest_is(r, "expired");
	serving_is(r, "expired");
}

static void
resealing_is(struct registry *r, unsigned opened_by, const char *ns, int want)
{
	AUTO_RELEASE(buf) struct buf blob = BUF_INIT(SEAL_BLOB_MAX);
	AUTO(secret) struct secret *s = NULL;
	AUTO(keypair) struct keypair *kp = NULL;
	struct registry_sealed sealed = { .ns = ns, .label = "" };
	struct err err = ERR_INIT;
	uint32_t hint = 0;

	assert_int_equal(
	    seal_encrypt(fixture_key(opened_by), "", 0, "v", 1, &blob, &err),
	    0);
	sealed.blob = blob.data;
	sealed.blob_len = blob.len;
	assert_int_equal(registry_open(r, &sealed, &hint, &s, &err), 0);
	kp = registry_resealing_key(r, hint);
	assert_ptr_equal(kp, want < 0 ? NULL : fixture_key((unsigned)want));
}

static void
sealing_again_keeps_the_restriction(void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);

	put_for(r, "old", 0, NOW_S, "team-a");
	resealing_is(r, 0, "team-a", 0);
	add(r, "all", 1, NOW_S + 1);
	put_for(r, "other", 2, NOW_S + 2, "team-a,team-b");
	resealing_is(r, 0, "team-a", 0);
	resealing_is(r, 1, "team-a", 1);
	resealing_is(r, 2, "team-a", 2);
	put_for(r, "new", 3, NOW_S + 3, "team-a");
	resealing_is(r, 0, "team-a", 3);
	assert_null(registry_resealing_key(r, 0));
	assert_null(registry_resealing_key(r, 1000));
}

/* Which keys live objects need. */

static uint64_t
eleven(void *ctx UNUSED)
{
	return 11;
}

static uint32_t
hint_of(struct registry *r, unsigned key)
{
	AUTO_RELEASE(buf) struct buf blob = BUF_INIT(SEAL_BLOB_MAX);
	AUTO(secret) struct secret *s = NULL;
	struct err err = ERR_INIT;
	uint32_t hint = 0;

	seal_with(key, &blob);
	assert_int_equal(keyring_open(r, &hint, LABEL, LABEL_LEN, blob.data,
			     blob.len, &s, &err),
	    0);
	return hint;
}

static uint32_t
count_for(struct registry *r, unsigned a, unsigned b, unsigned none)
{
	AUTO_RELEASE(registry_uses) struct registry_uses uses = { .n = 0 };
	uint32_t hint_a = hint_of(r, 0), hint_b = hint_of(r, 1);

	while (b-- > 0)
		registry_uses_add(&uses, hint_b);
	while (none-- > 0)
		registry_uses_add(&uses, 0);
	while (a-- > 0)
		registry_uses_add(&uses, hint_a);
	return registry_count_uses(r, &uses);
}

static void
items_are(struct registry *r, const char *fingerprint, uint64_t want)
{
	AUTO_RELEASE(registry_listing) struct registry_listing l = { .n = 0 };

	registry_list(r, &l);
	for (size_t i = 0; i < l.n; i++)
		if (strcmp(l.key[i].fingerprint, fingerprint) == 0) {
			assert_int_equal(l.key[i].items, want);
			return;
		}
	fail_msg("no such key");
}

static void
items_are_counted_for_the_keys_they_need_until_they_go(void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);
	AUTO_RELEASE(registry_listing) struct registry_listing l = { .n = 0 };
	AUTO_RELEASE(registry_uses) struct registry_uses gone = { .n = 0 };
	const char *print_a = keypair_fingerprint(fixture_key(0));
	const char *print_b = keypair_fingerprint(fixture_key(1));
	uint32_t one, two, three;

	registry_set_unknown(r, eleven, NULL);
	add(r, "b", 1, NOW_S);
	add(r, "a", 0, NOW_S + 1);
	one = count_for(r, 2, 1, 0);
	items_are(r, print_a, 2);
	items_are(r, print_b, 1);
	(void)registry_remove(r, "b");
	(void)registry_list(r, &l);
	assert_int_equal(l.lost_items, 1);
	assert_int_equal(l.unknown_items, 11);
	/* It is the same key when it comes back. */
	add(r, "b-restored", 1, NOW_S);
	items_are(r, print_b, 1);
	two = count_for(r, 2, 1, 0);
	three = count_for(r, 1, 0, 3);
	assert_int_equal(one, two);
	assert_int_not_equal(one, three);
	items_are(r, print_a, 5);
	assert_false(registry_uses_lack_keys(r, one));
	assert_true(registry_uses_lack_keys(r, three));
	registry_release_uses(r, one);
	items_are(r, print_a, 3);
	items_are(r, print_b, 1);
	registry_release_uses(r, two);
	registry_release_uses(r, 0);
	items_are(r, print_b, 0);
	registry_release_uses(r, three);
	items_are(r, print_a, 0);
	registry_uses_add(&gone, 12345);
	assert_int_equal(registry_count_uses(r, &gone), 0);
}

/* Threads: what one of them opens does not depend on what others change. */

#define READERS 3
#define ROUNDS	40

struct reader {
	struct registry *r;
	const struct buf *blob;
	unsigned opened, served;
};

static void *
open_often(void *arg)
{
	struct reader *o = arg;
	uint32_t hint = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct err err = ERR_INIT;
		struct secret *s = NULL;
		struct keypair *kp = registry_sealing_key(o->r);
		struct registry_current current;

		if (i % 8 == 0)
			hint = 0;
		if (keyring_open(o->r, &hint, LABEL, LABEL_LEN, o->blob->data,
			o->blob->len, &s, &err) == 0)
			o->opened += secret_len(s) == 5;
		secret_free(s);
		if (kp != NULL && registry_current(o->r, &current))
			o->served += strlen(keypair_cert_pem(kp)) > 0;
		keypair_free(kp);
	}
	return NULL;
}

static void
keys_may_come_and_go_while_others_open(void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);
	AUTO_RELEASE(buf) struct buf blob = BUF_INIT(SEAL_BLOB_MAX);
	struct reader readers[READERS];
	struct thread threads[READERS] = { 0 };
	char keep[] = "a";

	for (unsigned i = 0; i < FIXTURE_KEYS; i++)
		(void)fixture_key(i);
	add(r, "a", 0, NOW_S);
	seal_with(0, &blob);
	for (size_t i = 0; i < READERS; i++) {
		readers[i] = (struct reader) { .r = r, .blob = &blob };
		thread_start(&threads[i], "reader", open_often, &readers[i]);
	}
	for (int i = 0; i < 20 * ROUNDS; i++) {
		add(r, "b", 1, NOW_S + i);
		add(r, "c", 2, NOW_S + 2 * i);
		add(r, "b", 3, NOW_S - i);
		if (i % 3 == 0)
			assert_int_equal(
			    registry_retain(r, keep_some, keep), 2);
		else
			assert_true(registry_remove(r, "c"));
	}
	for (size_t i = 0; i < READERS; i++) {
		thread_join(&threads[i]);
		assert_int_equal(readers[i].opened, ROUNDS);
		assert_int_equal(readers[i].served, ROUNDS);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_one_serves_and_opens_nothing),
		cmocka_unit_test(
		    the_greatest_order_time_serves_whatever_the_order_of_adding),
		cmocka_unit_test(
		    equal_order_times_are_decided_by_the_fingerprint),
		cmocka_unit_test(says_what_the_newest_key_is),
		cmocka_unit_test(two_names_of_one_key_count_once),
		cmocka_unit_test(
		    fingerprints_come_newest_first_and_no_more_than_asked_for),
		cmocka_unit_test(adding_a_name_again_replaces_its_key),
		cmocka_unit_test(the_generation_moves_with_changes_only),
		cmocka_unit_test(retain_forgets_what_is_not_kept),
		cmocka_unit_test(
		    refuses_bad_names_and_more_keys_than_the_limit),
		cmocka_unit_test(
		    an_expired_certificate_is_not_served_while_a_valid_one_exists),
		cmocka_unit_test(a_key_opens_after_its_certificate_has_expired),
		cmocka_unit_test(
		    a_pending_key_opens_and_does_not_serve_until_its_time_has_come),
		cmocka_unit_test(of_pending_keys_alone_the_oldest_serves),
		cmocka_unit_test(
		    a_valid_pending_key_is_preferred_to_an_expired_one),
		cmocka_unit_test(the_list_says_what_each_key_is),
		cmocka_unit_test(a_restricted_key_opens_in_its_namespaces_only),
		cmocka_unit_test(
		    a_restriction_that_cannot_be_read_closes_the_key),
		cmocka_unit_test(
		    labels_are_asked_for_and_without_an_answer_it_stays_closed),
		cmocka_unit_test(
		    a_restricted_key_never_serves_and_is_no_newest_key),
		cmocka_unit_test(sealing_again_keeps_the_restriction),
		cmocka_unit_test(
		    items_are_counted_for_the_keys_they_need_until_they_go),
		cmocka_unit_test(keys_may_come_and_go_while_others_open),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_forget);
}
