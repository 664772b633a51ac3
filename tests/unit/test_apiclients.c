/*
 * Tests of controller/apiclients.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "base/clock.h"
#include "base/thread.h"
#include "controller/apiclients.h"

#define WORKERS 3

struct rig {
	struct stop stop;
	struct kube_limiter *limiter;
	struct kube_config kube;
	struct metrics *metrics;
	struct apiclients *c;
};

static bool
never(void *ctx UNUSED)
{
	return false;
}

static int
set_up(void **state)
{
	static struct rig r;
	struct apiclients_config cfg;

	r = (struct rig) {
		.kube = { .server = (char *)"https://127.0.0.1:1",
		    .user_agent = (char *)"controller/test" },
		.limiter = kube_limiter_new(1, 1, &clock_system),
		.metrics = metrics_new("test"),
	};
	stop_init(&r.stop);
	cfg = (struct apiclients_config) {
		.kube = &r.kube,
		.metrics = r.metrics,
		.limiter = r.limiter,
		.stop = &r.stop,
		.workers = WORKERS,
		.may_write = never,
		.ctx = &r,
	};
	r.c = apiclients_new(&cfg);
	*state = &r;
	return 0;
}

static int
tear_down(void **state)
{
	struct rig *r = *state;

	apiclients_free(r->c);
	kube_limiter_free(r->limiter);
	metrics_free(r->metrics);
	stop_release(&r->stop);
	return 0;
}

static void
nobody_shares_a_connection(void **state)
{
	const struct rig *r = *state;
	const struct kube_client *all = apiclients_of(r->c, 0);

	assert_ptr_equal(apiclients_workers(r->c), all + APICLIENT_COUNT);
	for (int i = 0; i < APICLIENT_COUNT + WORKERS; i++) {
		assert_non_null(all[i].transport);
		for (int k = 0; k < i; k++)
			assert_ptr_not_equal(
			    all[i].transport, all[k].transport);
	}
}

static void
only_the_lease_and_the_admin_port_go_without_limit_and_lease(void **state)
{
	const struct rig *r = *state;
	const struct kube_client *all = apiclients_of(r->c, 0);

	for (int i = 0; i < APICLIENT_COUNT + WORKERS; i++) {
		bool without = i == APICLIENT_LEASE || i == APICLIENT_ADMIN;

		assert_ptr_equal(all[i].limiter, without ? NULL : r->limiter);
		assert_ptr_equal(all[i].may_write, without ? NULL : never);
		assert_true(without || all[i].may_write_ctx == r);
	}
}

static void
only_events_and_the_lease_go_on_after_the_stop(void **state)
{
	struct rig *r = *state;
	struct kube_request req = { .method = "GET", .path = "/version" };

	stop_request(&r->stop);
	for (int i = 0; i < APICLIENT_COUNT + WORKERS; i++) {
		const struct kube_client *c = apiclients_of(r->c, 0) + i;
		AUTO_RELEASE(kube_response)
		struct kube_response resp = { .status = 0 };
		bool late = i == APICLIENT_EVENTS || i == APICLIENT_LEASE;
		struct err err = ERR_INIT;

		assert_ptr_equal(c->stop, late ? NULL : &r->stop);
		/* Nobody listens there. */
		assert_int_equal(
		    c->transport->perform(c->transport->ctx, &req, &resp, &err),
		    -1);
		assert_int_equal(
		    err.code, late ? ERR_TRANSPORT : ERR_CANCELLED);
	}
}

static void
waits_less_where_somebody_waits_for_the_answer(void **state)
{
	const struct rig *r = *state;

	for (int i = 0; i < APICLIENT_COUNT + WORKERS; i++) {
		const struct kube_client *c = apiclients_of(r->c, 0) + i;

		assert_int_equal(c->timeout_ms,
		    i == APICLIENT_ADMIN	? 10000
			: i == APICLIENT_LABELS ? 3000
						: 0);
	}
}

static void
requests_have_their_series_before_the_first_one(void **state)
{
#define SERIES "\nsealed_secrets_controller_api_requests_total{"
	static const char *const wants[] = {
		SERIES "code=\"200\",resource=\"secrets\",verb=\"watch\"} 0\n",
		SERIES "code=\"201\",resource=\"events\",verb=\"create\"} 0\n",
		SERIES "code=\"200\",resource=\"sealedsecrets/status\","
		       "verb=\"update\"} 0\n",
	};
	const struct rig *r = *state;
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(SIZE_MAX / 2);
	struct err err = ERR_INIT;

	assert_int_equal(metrics_render(r->metrics, &text, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(wants); i++)
		if (strstr(buf_str(&text), wants[i]) == NULL)
			fail_msg("missing: %s", wants[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    nobody_shares_a_connection, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    only_the_lease_and_the_admin_port_go_without_limit_and_lease,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    only_events_and_the_lease_go_on_after_the_stop, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    waits_less_where_somebody_waits_for_the_answer, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    requests_have_their_series_before_the_first_one, set_up,
		    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
