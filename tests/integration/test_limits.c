/*
 * --kubeclient-qps and --kubeclient-burst: unlimited unless given, honoured
 * exactly where given.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "keyrig.h"

#define OBJECTS 20
#define QPS	10
#define BURST	5

/* A key and objects are there before the start, so that nothing is waited for
 * but the limit. */
static int
start(void **state)
{
	struct harness *h = harness_new(NULL);
	AUTO(keypair) struct keypair *kp = keyrig_key(0);

	keyrig_put(h, keyrig_secret("mine", kp));
	for (unsigned i = 0; i < OBJECTS; i++) {
		AUTO_STR char *name = xasprintf("one-%u", i);

		keyrig_seal(h, "a", name, kp, "value");
	}
	control_clear_requests(h->api);
	*state = h;
	return 0;
}

/* Gets and writes of the program; streams are not counted. */
static int64_t
count_requests(struct harness *h)
{
	static const char *const what[] = { "get secrets", "create secrets",
		"update secrets", "get sealedsecrets",
		"update sealedsecrets/status", "create events", "patch events",
		NULL };
	int64_t n = 0;

	for (size_t i = 0; what[i] != NULL; i++)
		n += control_count(h->api, what[i]);
	return n;
}

static void
a_given_limit_is_honoured(void **state)
{
	static const char *const args[] = { "--kubeclient-qps=10",
		"--kubeclient-burst=5", NULL };
	struct harness *h = *state;
	int64_t begun = wait_now_ms(), took, n;

	harness_start(h, args);
	harness_expect(h, harness_wait_all_synced(h, OBJECTS, HARNESS_LATE_MS));
	n = count_requests(h);
	took = wait_now_ms() - begun;
	/* Two writes for each object at least. */
	harness_expect(h, n >= 2 * OBJECTS);
	harness_expect(h, n <= BURST + (took * QPS) / 1000 + 1);
}

static void
without_a_limit_nothing_waits(void **state)
{
	struct harness *h = *state;
	int64_t begun, took, n;

	harness_start_ready(h, NULL);
	n = count_requests(h);
	begun = wait_now_ms();
	harness_expect(h, harness_wait_all_synced(h, OBJECTS, HARNESS_SOON_MS));
	took = wait_now_ms() - begun;
	n = count_requests(h) - n;
	/* More than the limit above lets through. */
	harness_expect(h, n > BURST + (took * QPS) / 1000 + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_given_limit_is_honoured, start, harness_teardown_kill),
		cmocka_unit_test_setup_teardown(without_a_limit_nothing_waits,
		    start, harness_teardown_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
