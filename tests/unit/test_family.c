/*
 * The table of metrics: what holds for every row.
 */
/* layer: metrics */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "controller/metrics/family.h"

static bool
ends_in(const char *s, const char *end)
{
	return strlen(s) > strlen(end) &&
	    strcmp(s + strlen(s) - strlen(end), end) == 0;
}

static void
every_metric_has_a_row_with_a_name_of_its_own(void **state UNUSED)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz_";

	for (enum metric id = 0; id < METRIC_COUNT; id++) {
		const char *name = families[id].name;

		assert_non_null(name);
		assert_true(name[0] != '\0' && name[0] != '_');
		assert_int_equal(strspn(name, letters), strlen(name));
		assert_true(strlen(families[id].help) > 0);
		for (enum metric other = 0; other < id; other++)
			assert_string_not_equal(name, families[other].name);
	}
}

static void
counters_and_they_alone_are_totals(void **state UNUSED)
{
	for (enum metric id = 0; id < METRIC_COUNT; id++)
		assert_int_equal(ends_in(families[id].name, "_total"),
		    families[id].type == FAMILY_COUNTER);
}

static void
counts_labels_and_groups_by_no_more_than_there_are(void **state UNUSED)
{
	assert_int_equal(family_labels(METRIC_KEYS), 0);
	assert_int_equal(family_labels(METRIC_BUILD_INFO), 1);
	assert_int_equal(family_labels(METRIC_CONDITION_INFO), 4);
	for (enum metric id = 0; id < METRIC_COUNT; id++) {
		assert_true(family_labels(id) <= FAMILY_LABELS_MAX);
		assert_true(families[id].grouped <= family_labels(id));
	}
}

static void
buckets_rise(void **state UNUSED)
{
	for (size_t i = 1; i < FAMILY_BUCKETS; i++)
		assert_true(family_buckets[i] > family_buckets[i - 1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_metric_has_a_row_with_a_name_of_its_own),
		cmocka_unit_test(counters_and_they_alone_are_totals),
		cmocka_unit_test(
		    counts_labels_and_groups_by_no_more_than_there_are),
		cmocka_unit_test(buckets_rise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
