/*
 * Tests of controller/cache/index.c.
 * layer: cache
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/thread.h"
#include "cache/index.h"
#include "lib/sanitized.h"

#define MANY 10000

static struct objkey
key_of(const char *ns, const char *name)
{
	struct objkey k = { .ns = "" };

	(void)snprintf(k.ns, sizeof(k.ns), "%s", ns);
	(void)snprintf(k.name, sizeof(k.name), "%s", name);
	return k;
}

static struct objkey
key_no(unsigned n)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "object-%u", n);
	return key_of(n % 2 == 0 ? "even" : "odd", name);
}

static struct index_record
record(const char *uid, const char *rv)
{
	struct index_record r = { .generation = 1 };

	index_copy_id(r.uid, sizeof(r.uid), uid);
	index_copy_id(r.rv, sizeof(r.rv), rv);
	return r;
}

/* What each() saw, as text. */
struct seen {
	struct index *ix;
	unsigned calls;
	char text[256];
};

static void
note_seen(void *ctx, const struct objkey *key, const struct index_record *rec)
{
	struct seen *s = ctx;
	size_t len = strlen(s->text);

	s->calls++;
	(void)snprintf(s->text + len, sizeof(s->text) - len, "%s/%s:%s ",
	    key->ns, key->name, rec->uid);
}

static void
gives_back_what_was_put(void **state UNUSED)
{
	AUTO(index) struct index *ix = index_new();
	struct objkey a = key_of("ns", "a"), b = key_of("ns", "b");
	struct index_record in = record("u1", "7"), out, old;

	in.digest = 99;
	in.flags = 3;
	assert_false(index_put(ix, &a, &in, 1, &old));
	assert_true(index_get(ix, &a, &out));
	assert_memory_equal(&in, &out, sizeof(in));
	assert_false(index_get(ix, &b, &out));
	assert_int_equal(index_count(ix), 1);

	in = record("u1", "8");
	assert_true(index_put(ix, &a, &in, 1, &old));
	assert_string_equal(old.rv, "7");
	assert_int_equal(old.digest, 99);
	assert_int_equal(index_count(ix), 1);

	assert_true(index_remove(ix, &a, &old));
	assert_string_equal(old.rv, "8");
	assert_false(index_remove(ix, &a, &old));
	assert_int_equal(index_count(ix), 0);
}

static void
keys_differ_by_namespace_and_by_name(void **state UNUSED)
{
	AUTO(index) struct index *ix = index_new();
	static const char *const keys[][2] = { { "a", "b-c" }, { "a-b", "c" },
		{ "a", "b" }, { "ab", "c" }, { "b", "a" }, { "a", "b.c" } };
	struct index_record rec;
	char uid[8];

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct objkey k = key_of(keys[i][0], keys[i][1]);

		(void)snprintf(uid, sizeof(uid), "u%zu", i);
		rec = record(uid, "1");
		assert_false(index_put(ix, &k, &rec, 1, NULL));
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct objkey k = key_of(keys[i][0], keys[i][1]);

		(void)snprintf(uid, sizeof(uid), "u%zu", i);
		assert_true(index_get(ix, &k, &rec));
		assert_string_equal(rec.uid, uid);
	}
}

static void
count_swept(void *ctx, const struct objkey *key UNUSED,
    const struct index_record *rec UNUSED)
{
	(*(unsigned *)ctx)++;
}

static void
what_a_writer_adds_counts_as_not_listed(void **state UNUSED)
{
	AUTO(index) struct index *ix = index_new();
	struct objkey a = key_of("ns", "a"), b = key_of("ns", "b");
	struct index_record rec = record("u1", "2"), late = record("u1", "1");
	unsigned swept = 0;

	assert_true(index_add(ix, &a, &rec));
	/* Seen by a list since: what the writer says is older. */
	index_put(ix, &b, &rec, 1, NULL);
	assert_false(index_add(ix, &b, &late));
	assert_true(index_get(ix, &b, &late));
	assert_string_equal(late.rv, "2");
	index_sweep(ix, NULL, 1, count_swept, &swept);
	assert_int_equal(swept, 1);
	assert_false(index_get(ix, &a, &rec));
	assert_true(index_get(ix, &b, &rec));
}

static void
a_new_version_keeps_what_a_worker_noted(void **state UNUSED)
{
	AUTO(index) struct index *ix = index_new();
	struct objkey a = key_of("ns", "a");
	struct index_record rec = record("u1", "1");

	index_put(ix, &a, &rec, 1, NULL);
	assert_true(index_note(ix, &a, "u1", 5, 6, 7));
	assert_true(index_note_applied(ix, &a, "u1", 8, 12, 9));
	assert_true(index_note_repair(ix, &a, "u1", 10, 11));
	assert_true(index_note_marks(ix, &a, "u1", 4 | 2, 0));
	assert_true(index_note_marks(ix, &a, "u1", 1, 2));
	rec = record("u1", "2");
	index_put(ix, &a, &rec, 1, NULL);
	assert_true(index_get(ix, &a, &rec));
	assert_string_equal(rec.rv, "2");
	assert_int_equal(rec.hint, 5);
	assert_int_equal(rec.result, 6);
	assert_int_equal(rec.note, 7);
	assert_int_equal(rec.applied, 8);
	assert_int_equal(rec.applied_s, 12);
	assert_int_equal(rec.accepted, 9);
	assert_int_equal(rec.repairs, 10);
	assert_int_equal(rec.repaired_s, 11);
	assert_int_equal(rec.marks, 4 | 1);
}

static void
a_new_uid_starts_without_notes(void **state UNUSED)
{
	AUTO(index) struct index *ix = index_new();
	struct objkey a = key_of("ns", "a");
	struct index_record rec = record("u1", "1");

	index_put(ix, &a, &rec, 1, NULL);
	index_note(ix, &a, "u1", 5, 6, 7);
	index_note_applied(ix, &a, "u1", 8, 12, 9);
	index_note_repair(ix, &a, "u1", 10, 11);
	index_note_marks(ix, &a, "u1", 1, 0);
	rec = record("u2", "2");
	index_put(ix, &a, &rec, 1, NULL);
	assert_true(index_get(ix, &a, &rec));
	assert_int_equal(rec.applied, 0);
	assert_int_equal(rec.applied_s, 0);
	assert_int_equal(rec.accepted, 0);
	assert_int_equal(rec.repairs, 0);
	assert_int_equal(rec.marks, 0);
	assert_int_equal(rec.hint, 0);
	assert_int_equal(rec.result, 0);
	assert_int_equal(rec.note, 0);
}

static void
a_late_result_does_not_stick_to_another_object(void **state UNUSED)
{
	AUTO(index) struct index *ix = index_new();
	struct objkey a = key_of("ns", "a"), b = key_of("ns", "b");
	struct index_record rec = record("u2", "1");

	index_put(ix, &a, &rec, 1, NULL);
	assert_false(index_note(ix, &a, "u1", 5, 6, 7));
	assert_false(index_note_applied(ix, &a, "u1", 8, 12, 9));
	assert_false(index_note_repair(ix, &a, "u1", 10, 11));
	assert_false(index_note_marks(ix, &a, "u1", 1, 0));
	assert_false(index_note(ix, &b, "u2", 5, 6, 7));
	assert_true(index_get(ix, &a, &rec));
	assert_int_equal(rec.result, 0);
}

static void
overlong_ids_are_stored_as_keyed_hashes(void **state UNUSED)
{
	AUTO(index) struct index *ix = index_new();
	struct objkey a = key_of("ns", "a");
	char longer[300], other[300], one[INDEX_UID_MAX], two[INDEX_UID_MAX];
	struct index_record rec;

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	memcpy(other, longer, sizeof(other));
	other[200] = 'y';
	index_copy_id(one, sizeof(one), longer);
	index_copy_id(two, sizeof(two), other);
	assert_int_equal(strlen(one), 17);
	assert_int_equal(one[0], '#');
	assert_string_not_equal(one, two);
	/* The longest that fits stays as it is. */
	longer[INDEX_UID_MAX - 1] = '\0';
	index_copy_id(one, sizeof(one), longer);
	assert_string_equal(one, longer);
	index_copy_id(one, sizeof(one), NULL);
	assert_string_equal(one, "");
	/* index_note() takes the server's form too. */
	rec = record(other, "1");
	index_put(ix, &a, &rec, 1, NULL);
	assert_true(index_note(ix, &a, other, 1, 1, 1));
	assert_true(index_note(ix, &a, rec.uid, 1, 1, 1));
}

static void
a_sweep_takes_what_its_list_did_not_see(void **state UNUSED)
{
	static const struct {
		const char *ns;
		uint64_t epoch;
		const char *gone;
		size_t left;
	} cases[] = {
		{ NULL, 1, "b/y:u4 ab/x:u3 ", 3 },
		{ NULL, 2, "a/z:u5 a/y:u2 a/x:u1 ", 2 },
		{ "a", 2, "a/z:u5 a/y:u2 a/x:u1 ", 2 },
		{ "a", 1, "", 5 },
		{ "ab", 1, "ab/x:u3 ", 4 },
		{ "b", 3, "b/y:u4 ", 4 },
		{ "c", 3, "", 5 },
	};
	static const struct {
		const char *ns, *name, *uid;
		uint64_t epoch;
	} have[] = { { "a", "x", "u1", 1 }, { "a", "y", "u2", 1 },
		{ "ab", "x", "u3", 2 }, { "b", "y", "u4", 2 },
		{ "a", "z", "u5", 1 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(index) struct index *ix = index_new();
		struct seen seen = { .ix = ix };

		for (size_t j = 0; j < ARRAY_SIZE(have); j++) {
			struct objkey k = key_of(have[j].ns, have[j].name);
			struct index_record r = record(have[j].uid, "1");

			index_put(ix, &k, &r, have[j].epoch, NULL);
		}
		index_sweep(ix, cases[i].ns, cases[i].epoch, note_seen, &seen);
		assert_string_equal(seen.text, cases[i].gone);
		assert_int_equal(index_count(ix), cases[i].left);
	}
}

static void
a_put_counts_for_the_newest_list_only(void **state UNUSED)
{
	AUTO(index) struct index *ix = index_new();
	struct objkey a = key_of("ns", "a");
	struct index_record rec = record("u1", "1");

	index_put(ix, &a, &rec, 1, NULL);
	index_put(ix, &a, &rec, 2, NULL);
	assert_int_equal(index_sweep(ix, NULL, 2, NULL, NULL), 0);
	assert_int_equal(index_sweep(ix, NULL, 3, NULL, NULL), 1);
}

static void
count_and_change(
    void *ctx, const struct objkey *key, const struct index_record *rec UNUSED)
{
	struct seen *s = ctx;
	struct index_record old;
	struct objkey k;

	/* Takes the lock: would hang if it were held here. Removes this one,
	 * and on every tenth call the two behind it. */
	s->calls++;
	assert_true(index_remove(s->ix, key, &old));
	for (unsigned i = 1; s->calls % 10 == 0 && i <= 2; i++) {
		k = key_no(s->calls / 10 * 12 - 2 + i - 1);
		assert_true(index_remove(s->ix, &k, &old));
	}
}

static void
a_walk_survives_removals_around_it(void **state UNUSED)
{
	AUTO(index) struct index *ix = index_new();
	struct index_record rec = record("u", "1");
	struct seen seen = { .ix = ix };

	for (unsigned i = 0; i < 120; i++) {
		struct objkey k = key_no(i);

		index_put(ix, &k, &rec, 1, NULL);
	}
	index_walk(ix, count_and_change, &seen);
	assert_int_equal(seen.calls, 100);
	assert_int_equal(index_count(ix), 0);
}

static void
walk_again(void *ctx, const struct objkey *key, const struct index_record *rec)
{
	struct seen *s = ctx;
	struct seen inner = { .calls = 0 };

	index_walk(s->ix, note_seen, &inner);
	note_seen(s, key, rec);
	assert_int_equal(inner.calls, 2);
}

static void
walks_may_be_nested(void **state UNUSED)
{
	AUTO(index) struct index *ix = index_new();
	struct objkey a = key_of("ns", "a"), b = key_of("ns", "b");
	struct index_record rec = record("u1", "1");
	struct seen seen = { .ix = ix };

	index_put(ix, &a, &rec, 1, NULL);
	index_put(ix, &b, &rec, 1, NULL);
	index_walk(ix, walk_again, &seen);
	assert_string_equal(seen.text, "ns/a:u1 ns/b:u1 ");
}

static void
holds_many_objects_in_little_memory(void **state UNUSED)
{
	AUTO(index) struct index *ix = index_new();
	struct index_record rec = record("u", "1"), out;
	size_t before = mallinfo2().uordblks, used;

	for (unsigned i = 0; i < MANY; i++) {
		struct objkey k = key_no(i);

		rec.digest = i;
		index_put(ix, &k, &rec, 1, NULL);
	}
	used = mallinfo2().uordblks - before;
	assert_int_equal(index_count(ix), MANY);
	for (unsigned i = 0; i < MANY; i++) {
		struct objkey k = key_no(i);

		assert_true(index_get(ix, &k, &out));
		assert_int_equal(out.digest, i);
	}
	/* Sanitizers count in their own way. */
	if (!SANITIZED)
		assert_in_range(used / MANY, 100, 320);
}

static void *
churn(void *arg)
{
	struct index *ix = arg;
	struct index_record rec = record("u", "1");

	for (unsigned i = 0; i < 2000; i++) {
		struct objkey k = key_no(i % 50);

		index_put(ix, &k, &rec, i, NULL);
		index_note(ix, &k, "u", i, i, i);
		if (i % 7 == 0)
			index_remove(ix, &k, NULL);
		if (i % 500 == 0)
			index_sweep(ix, "odd", i, NULL, NULL);
	}
	return NULL;
}

static void
count_only(void *ctx, const struct objkey *key UNUSED,
    const struct index_record *rec UNUSED)
{
	++*(unsigned *)ctx;
}

static void
may_be_used_by_many_threads(void **state UNUSED)
{
	AUTO(index) struct index *ix = index_new();
	struct thread threads[4] = { { .started = false } };
	unsigned calls = 0;

	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		thread_start(&threads[i], "churn", churn, ix);
	for (unsigned i = 0; i < 100; i++)
		index_walk(ix, count_only, &calls);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		thread_join(&threads[i]);
	assert_in_range(index_count(ix), 1, 50);
}

static void
a_note_on_the_keys_goes_with_what_it_was_about(void **state UNUSED)
{
	AUTO(index) struct index *ix = index_new();
	struct objkey key = key_of("a", "one"), other = key_of("a", "two");
	struct index_record rec = record("u1", "1"), got;
	uint32_t old = 7;

	rec.items = 3;
	rec.digest = 10;
	(void)index_put(ix, &key, &rec, 1, NULL);
	(void)index_put(ix, &other, &rec, 1, NULL);
	assert_int_equal(index_unnoted_items(ix), 6);
	assert_false(index_note_uses(ix, &key, "u1", 11, 5, &old));
	assert_int_equal(old, 0);
	assert_false(index_note_uses(ix, &key, "u2", 10, 5, &old));
	assert_true(index_note_uses(ix, &key, "u1", 10, 5, &old));
	assert_int_equal(old, 0);
	assert_true(index_note_uses(ix, &key, "u1", 10, 6, &old));
	assert_int_equal(old, 5);
	assert_int_equal(index_unnoted_items(ix), 3);
	/* The same content again, then another. */
	assert_true(index_put(ix, &key, &rec, 2, &got));
	assert_int_equal(got.uses, 6);
	assert_int_equal(index_unnoted_items(ix), 3);
	rec.digest = 11;
	rec.items = 4;
	assert_true(index_put(ix, &key, &rec, 2, &got));
	assert_int_equal(got.uses, 6);
	assert_true(index_get(ix, &key, &got));
	assert_int_equal(got.uses, 0);
	assert_int_equal(index_unnoted_items(ix), 7);
	assert_int_equal(index_sweep(ix, NULL, 2, NULL, NULL), 1);
	assert_int_equal(index_unnoted_items(ix), 4);
	assert_true(index_remove(ix, &key, NULL));
	assert_int_equal(index_unnoted_items(ix), 0);
	assert_true(index_add(ix, &key, &rec));
	assert_int_equal(index_unnoted_items(ix), 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_note_on_the_keys_goes_with_what_it_was_about),
		cmocka_unit_test(gives_back_what_was_put),
		cmocka_unit_test(keys_differ_by_namespace_and_by_name),
		cmocka_unit_test(what_a_writer_adds_counts_as_not_listed),
		cmocka_unit_test(a_new_version_keeps_what_a_worker_noted),
		cmocka_unit_test(a_new_uid_starts_without_notes),
		cmocka_unit_test(
		    a_late_result_does_not_stick_to_another_object),
		cmocka_unit_test(overlong_ids_are_stored_as_keyed_hashes),
		cmocka_unit_test(a_sweep_takes_what_its_list_did_not_see),
		cmocka_unit_test(a_put_counts_for_the_newest_list_only),
		cmocka_unit_test(a_walk_survives_removals_around_it),
		cmocka_unit_test(walks_may_be_nested),
		cmocka_unit_test(holds_many_objects_in_little_memory),
		cmocka_unit_test(may_be_used_by_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
