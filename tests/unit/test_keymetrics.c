/*
 * Tests of controller/keymetrics.c.
 * layer: main
 */
#include "keystore_fixture.h"

#include "controller/keymetrics.h"

static double
of(struct metrics *m, enum metric id, unsigned key)
{
	return metrics_value(m, id, keypair_fingerprint(fixture_key(key)));
}

static void
put(struct registry *r, const char *name, unsigned key, int64_t order_s,
    bool backed_up, int64_t active_from_s)
{
	const struct registry_attrs attrs = {
		.order_s = order_s,
		.active_from_s = active_from_s,
		.backed_up = backed_up,
	};
	struct err err = ERR_INIT;

	assert_int_equal(
	    registry_put(r, name, fixture_key(key), &attrs, &err), 0);
}

static uint64_t
seven(void *ctx UNUSED)
{
	return 7;
}

static void
every_key_has_its_series_while_it_is_here(void **state UNUSED)
{
	AUTO(metrics) struct metrics *m = metrics_new("test");
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);
	AUTO(keymetrics)
	struct keymetrics *km = keymetrics_new(m, r, &fixture_clock);
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(1u << 20);
	struct err err = ERR_INIT;

	registry_set_unknown(r, seven, NULL);
	put(r, "old", 0, NOW_S - 100, true, 0);
	put(r, "new", 1, NOW_S - 10, false, NOW_S + 50);
	/* Asking for them is enough. */
	assert_int_equal(metrics_render(m, &text, &err), 0);
	assert_true(of(m, METRIC_KEY_AGE, 0) == 100);
	assert_true(of(m, METRIC_KEY_AGE, 1) == 10);
	assert_true(
	    of(m, METRIC_KEY_EXPIRY, 1) == (double)(NOW_S + 365 * DAY_S));
	assert_true(metrics_value(m, METRIC_KEYS_PENDING) == 1);
	assert_true(metrics_value(m, METRIC_KEY_UNSAVED_AGE) == 10);
	assert_true(metrics_value(m, METRIC_KEY_ITEMS_UNKNOWN) == 7);
	assert_non_null(strstr(buf_str(&text),
	    "sealed_secrets_controller_key_items{fingerprint=\"SHA256:"));
	put(r, "new", 1, NOW_S - 10, true, 0);
	assert_true(registry_remove(r, "old"));
	keymetrics_update(km);
	assert_true(of(m, METRIC_KEY_AGE, 0) == 0);
	assert_true(of(m, METRIC_KEY_AGE, 1) == 10);
	assert_true(metrics_value(m, METRIC_KEYS_PENDING) == 0);
	assert_true(metrics_value(m, METRIC_KEY_UNSAVED_AGE) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_has_its_series_while_it_is_here),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_forget);
}
