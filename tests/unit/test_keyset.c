/*
 * Tests of keystore/keyset.c.
 * layer: keystore
 */
#include "tests/unit/keystore_fixture.h"

#include "keystore/keyset.h"

static struct nsrule *
rule_of(const char *text)
{
	struct nsrule *rule = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(nsrule_parse(text, &rule, &err), 0);
	return rule;
}

static void
a_key_has_one_place_whatever_its_names(void **state UNUSED)
{
	AUTO(keyset) struct keyset *set = keyset_new(3);

	assert_int_equal(keyset_add(set, 7, fixture_key(0), 30, NULL), 0);
	assert_int_equal(keyset_add(set, 9, fixture_key(1), 20, NULL), 1);
	assert_int_equal(keyset_add(set, 7, fixture_key(0), 10, NULL), 0);
	assert_int_equal(set->n, 2);
	assert_int_equal(set->key[0].order_s, 30);
	assert_int_equal(keyset_place(set, 9), 1);
	assert_ptr_equal(keyset_find(set, 9)->kp, fixture_key(1));
	assert_null(keyset_find(set, 8));
	/* No id. */
	assert_int_equal(keyset_place(set, 0), ORDER_NONE);
}

static void
the_rules_of_all_names_count_each_once(void **state UNUSED)
{
	AUTO(keyset) struct keyset *set = keyset_new(4);
	AUTO(nsrule) struct nsrule *a = rule_of("team-a");
	AUTO(nsrule) struct nsrule *again = rule_of("team-a");
	AUTO(nsrule) struct nsrule *b = rule_of("env=prod");
	AUTO_STR char *text = NULL;

	(void)keyset_add(set, 1, fixture_key(0), 0, NULL);
	assert_null(keyset_rules_text(&set->key[0]));
	(void)keyset_add(set, 1, fixture_key(0), 0, a);
	(void)keyset_add(set, 1, fixture_key(0), 0, again);
	(void)keyset_add(set, 1, fixture_key(0), 0, b);
	assert_int_equal(set->key[0].nrules, 2);
	text = keyset_rules_text(&set->key[0]);
	assert_string_equal(text, "team-a; and env=prod");
}

static void
keys_are_alike_where_their_only_rule_says_the_same(void **state UNUSED)
{
	AUTO(keyset) struct keyset *set = keyset_new(3);
	AUTO(nsrule) struct nsrule *a = rule_of("team-a");
	AUTO(nsrule) struct nsrule *again = rule_of("team-a");
	AUTO(nsrule) struct nsrule *b = rule_of("team-b");
	const struct keyset_key *k = set->key;

	(void)keyset_add(set, 1, fixture_key(0), 0, NULL);
	(void)keyset_add(set, 2, fixture_key(1), 0, a);
	(void)keyset_add(set, 3, fixture_key(2), 0, again);
	assert_true(keyset_is_like(&k[0], NULL));
	assert_false(keyset_is_like(&k[1], NULL));
	assert_true(keyset_is_like(&k[1], &k[2]));
	assert_false(keyset_is_like(&k[0], &k[1]));
	/* Two rules are like nothing but themselves. */
	(void)keyset_add(set, 3, fixture_key(2), 0, b);
	assert_false(keyset_is_like(&k[1], &k[2]));
	assert_true(keyset_is_like(&k[2], &k[2]));
}

static void
the_key_of_a_time_is_the_newest_that_serves(void **state UNUSED)
{
	AUTO(keyset) struct keyset *set = keyset_new(3);
	AUTO(nsrule) struct nsrule *a = rule_of("team-a");

	(void)keyset_add(set, 1, fixture_key(0), 30, NULL);
	(void)keyset_add(set, 2, fixture_key(1), 20, a);
	(void)keyset_add(set, 3, fixture_key(2), 10, NULL);
	assert_int_equal(keyset_place_by_time(set, 30), 0);
	assert_int_equal(keyset_place_by_time(set, 29), 2);
	assert_int_equal(keyset_place_by_time(set, 9), ORDER_NONE);
	assert_int_equal(keyset_place_by_time(set, 0), ORDER_NONE);
}

static void
it_lives_until_the_last_reference_is_dropped(void **state UNUSED)
{
	struct keyset *set = keyset_new(1);

	(void)keyset_add(set, 1, fixture_key(0), 0, NULL);
	assert_ptr_equal(keyset_ref(set), set);
	keyset_free(set);
	assert_int_equal(set->n, 1);
	keyset_free(set);
	keyset_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_has_one_place_whatever_its_names),
		cmocka_unit_test(the_rules_of_all_names_count_each_once),
		cmocka_unit_test(
		    keys_are_alike_where_their_only_rule_says_the_same),
		cmocka_unit_test(the_key_of_a_time_is_the_newest_that_serves),
		cmocka_unit_test(it_lives_until_the_last_reference_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_forget);
}
