/*
 * Tests of keystore/registry.c: which key serves, which keys are tried in
 * which order, what readers see while keys come and go, and the vectors that
 * the stock kubeseal sealed.
 * layer: keystore
 */
#include "tests/unit/keystore_fixture.h"

#include <jansson.h>

/* White box: opening is watched on its way from the registry to the format. */
#define seal_open logged_seal_open
#include "keystore/registry.c" /* NOLINT(bugprone-suspicious-include) */
#undef seal_open
int seal_open(
    const struct keypair *kp, const struct seal_input *in, struct secret **ret);

#include "base/codec.h"
#include "tests/lib/keyring.h"
#include "textfile.h"
#include "vectors.h"

#define LABEL	  "team-a/db"
#define LABEL_LEN (sizeof(LABEL) - 1)
#define VECTORS	  "tests/vectors/"
#define ITEM_MAX  (2u * 1024 * 1024)

/* The keys that were tried since the log was emptied, per thread. */
static _Thread_local struct {
	const struct keypair *kp[64];
	unsigned n;
} tried;

/* Another search's hit, while a key is tried. */
static struct {
	struct registry *r;
	uint32_t hit;
} meanwhile;

int
logged_seal_open(
    const struct keypair *kp, const struct seal_input *in, struct secret **ret)
{
	if (meanwhile.r != NULL)
		meanwhile.r->last_hit = meanwhile.hit;
	tried.kp[tried.n++ % ARRAY_SIZE(tried.kp)] = kp;
	return seal_open(kp, in, ret);
}

/* Letters stand for fixture keys: "ba" for key 1, then key 0. */
static void
assert_tried(const char *want)
{
	char got[ARRAY_SIZE(tried.kp) + 1] = "";

	for (unsigned i = 0; i < tried.n; i++)
		for (unsigned k = 0; k < FIXTURE_KEYS; k++)
			if (tried.kp[i] == fixture_key(k))
				got[i] = (char)('a' + k);
	assert_string_equal(got, want);
}

static void
add(struct registry *r, const char *name, unsigned key, int64_t order_s)
{
	struct err err = ERR_INIT;

	assert_int_equal(
	    keyring_add(r, name, fixture_key(key), order_s, &err), 0);
}

static void
seal_with(unsigned key, struct buf *out)
{
	struct err err = ERR_INIT;

	buf_clear(out);
	assert_int_equal(seal_encrypt(fixture_key(key), LABEL, LABEL_LEN,
			     "value", 5, out, &err),
	    0);
}

/* Opens what key sealed; want_tried as in assert_tried. */
static void
open_sealed(
    struct registry *r, unsigned key, uint32_t *hint, const char *want_tried)
{
	AUTO_RELEASE(buf) struct buf blob = BUF_INIT(SEAL_BLOB_MAX);
	AUTO(secret) struct secret *s = NULL;
	struct err err = ERR_INIT;

	seal_with(key, &blob);
	tried.n = 0;
	assert_int_equal(keyring_open(r, hint, LABEL, LABEL_LEN, blob.data,
			     blob.len, &s, &err),
	    0);
	assert_int_equal(secret_len(s), 5);
	assert_memory_equal(secret_bytes(s), "value", 5);
	assert_tried(want_tried);
}

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

/* Order of trial. */

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

static void
what_another_search_finds_is_tried_next(void **state UNUSED)
{
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);
	uint32_t hint = 0, none = 0;

	add(r, "a", 0, NOW_S);
	add(r, "b", 1, NOW_S + 1);
	add(r, "c", 2, NOW_S + 2);
	add(r, "d", 3, NOW_S + 3);
	open_sealed(r, 0, &hint, "dcba");
	r->last_hit = 0;
	/* While the first key is tried. */
	meanwhile.r = r;
	meanwhile.hit = hint;
	open_sealed(r, 0, &none, "da");
	meanwhile.r = NULL;
	/* A second search begins elsewhere. */
	r->last_hit = none = 0;
	r->searches = 2;
	open_sealed(r, 0, &none, "ba");
	assert_int_equal(r->searches, 2);
	r->searches = 0;
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

/* Threads: what one of them opens does not depend on what others change. */

#define OPENERS 3
#define ROUNDS	40

struct opener {
	struct registry *r;
	const struct buf *blob;
	unsigned opened, served;
};

static void *
open_often(void *arg)
{
	struct opener *o = arg;
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
	struct opener openers[OPENERS];
	struct thread threads[OPENERS] = { 0 };
	char keep[] = "a";

	for (unsigned i = 0; i < FIXTURE_KEYS; i++)
		(void)fixture_key(i);
	add(r, "a", 0, NOW_S);
	seal_with(0, &blob);
	for (size_t i = 0; i < OPENERS; i++) {
		openers[i] = (struct opener) { .r = r, .blob = &blob };
		thread_start(&threads[i], "opener", open_often, &openers[i]);
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
	for (size_t i = 0; i < OPENERS; i++) {
		thread_join(&threads[i]);
		assert_int_equal(openers[i].opened, ROUNDS);
		assert_int_equal(openers[i].served, ROUNDS);
	}
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
		cmocka_unit_test(keys_may_come_and_go_while_others_open),
		cmocka_unit_test(
		    opens_everything_that_the_stock_kubeseal_sealed),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_forget);
}
