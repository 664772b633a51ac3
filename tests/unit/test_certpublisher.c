/*
 * Tests of controller/certpublisher.c: turns of its loop against an API server
 * in memory and a clock that the test sets.
 * layer: main
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "controller/certpublisher.h"
#include "fakeclock.h"
#include "fakekube.h"
#include "quiet.h"
#include "tests/lib/keyring.h"
#include "tmpfiles.h"

#define NS   "kube-system"
#define NAME "sealed-secrets-cert"
#define PUT  "PUT "
#define POST "POST "

struct fixture {
	struct fakeclock fake;
	struct clock clock;
	struct fakekube *server;
	struct kube_client client;
	struct registry *keys;
	struct certpublisher *publisher;
	bool follows;
};

static bool
leads(void *ctx)
{
	const struct fixture *f = ctx;

	return !f->follows;
}

static int
setup(void **state)
{
	static struct fixture f;
	struct certpublisher_config cfg = {
		.client = &f.client,
		.clock = &f.clock,
		.ns = NS,
		.name = NAME,
		.may_write = leads,
		.ctx = &f,
	};

	quiet_log();
	memset(&f, 0, sizeof(f));
	fakeclock_init(&f.fake);
	f.clock = fakeclock_clock(&f.fake);
	f.server = fakekube_new();
	f.client.transport = fakekube_transport(f.server);
	f.keys = registry_new(&f.clock);
	cfg.keys = f.keys;
	f.publisher = certpublisher_new(&cfg);
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	certpublisher_free(f->publisher);
	registry_free(f->keys);
	fakekube_free(f->server);
	return 0;
}

/* A key that is newer than those before it. */
static void
add_key(struct fixture *f, const char *name)
{
	static int64_t order;
	struct keypair_params params = { .bits = 2048,
		.ttl_s = 3600,
		.now_s = clock_wall_s(&f->clock),
		.cn = "" };
	struct err err = ERR_INIT;
	AUTO(keypair) struct keypair *kp = NULL;

	assert_int_equal(keypair_generate(&params, &kp, &err), 0);
	assert_int_equal(keyring_add(f->keys, name, kp, ++order, &err), 0);
}

/* The ConfigMap holds what is served now. */
static void
expect_published(struct fixture *f)
{
	AUTO_RELEASE(buf) struct buf pem = BUF_INIT(65536);
	AUTO_JSON json_t *map = fakekube_get(f->server, "configmaps", NS, NAME);
	struct err err = ERR_INIT;

	assert_int_equal(registry_cert_pem(f->keys, &pem, &err), 0);
	assert_non_null(map);
	assert_string_equal(
	    jsonx_str(map, "data", CERTPUBLISHER_ITEM, NULL), buf_str(&pem));
}

static void
publishes_once_and_then_only_what_changed(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
	    certpublisher_turn(f->publisher), CERTPUBLISHER_LOOK_MS);
	assert_int_equal(fakekube_calls(f->server, NULL), 0); /* no key yet */
	add_key(f, "one");
	assert_int_equal(
	    certpublisher_turn(f->publisher), CERTPUBLISHER_LOOK_MS);
	expect_published(f);
	fakekube_forget_calls(f->server);
	for (int i = 0; i < 10; i++)
		(void)certpublisher_turn(f->publisher);
	assert_int_equal(fakekube_calls(f->server, NULL), 0);
	add_key(f, "two");
	(void)certpublisher_turn(f->publisher);
	expect_published(f);
	assert_int_equal(fakekube_calls(f->server, PUT), 1);
}

static void
holds_nothing_but_the_certificate(void **state)
{
	struct fixture *f = *state;
	AUTO_JSON json_t *map = NULL;

	add_key(f, "one");
	(void)certpublisher_turn(f->publisher);
	map = fakekube_get(f->server, "configmaps", NS, NAME);
	assert_int_equal(json_object_size(json_object_get(map, "data")), 1);
	assert_null(strstr(
	    jsonx_str(map, "data", CERTPUBLISHER_ITEM, NULL), "PRIVATE"));
}

static void
puts_right_what_another_writer_changed_within_a_minute(void **state)
{
	struct fixture *f = *state;

	add_key(f, "one");
	(void)certpublisher_turn(f->publisher);
	assert_true(fakekube_remove(f->server, "configmaps", NS, NAME));
	(void)certpublisher_turn(f->publisher);
	assert_null(fakekube_get(f->server, "configmaps", NS, NAME));
	fakeclock_advance_s(&f->fake, CERTPUBLISHER_VERIFY_MS / 1000);
	(void)certpublisher_turn(f->publisher);
	expect_published(f);
	/* Nothing is written where nothing changed. */
	fakekube_forget_calls(f->server);
	fakeclock_advance_s(&f->fake, CERTPUBLISHER_VERIFY_MS / 1000);
	(void)certpublisher_turn(f->publisher);
	assert_int_equal(fakekube_calls(f->server, NULL), 1);
	assert_int_equal(fakekube_calls(f->server, "GET "), 1);
}

static void
waits_longer_after_each_failure_and_then_catches_up(void **state)
{
	static const uint64_t want[] = { 500, 1000, 2000, 4000, 8000, 16000,
		32000, 60000, 60000 };
	struct fixture *f = *state;

	add_key(f, "one");
	fakekube_fail_all(f->server, "configmaps", FAKEKUBE_403);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		assert_int_equal(certpublisher_turn(f->publisher), want[i]);
	fakekube_fail_all(f->server, NULL, FAKEKUBE_OK);
	assert_int_equal(
	    certpublisher_turn(f->publisher), CERTPUBLISHER_LOOK_MS);
	expect_published(f);
}

/* How often the file says it. */
static unsigned
said(int fd, const char *text)
{
	char all[16384];
	ssize_t n = pread(fd, all, sizeof(all) - 1, 0);
	unsigned times = 0;

	assert_in_range(n, 1, sizeof(all) - 2);
	all[n] = '\0';
	for (const char *p = all; (p = strstr(p, text)) != NULL; p++)
		times++;
	return times;
}

static void
a_missing_right_is_told_once_and_again_only_after_a_success(void **state)
{
	static const char refused[] = "msg=\"Not permitted to publish";
	struct fixture *f = *state;
	struct tmpfiles files;
	struct log_config log = { .level = LOG_LEVEL_WARN };

	tmpfiles_init(&files);
	log.fd_high = open(tmpfiles_path(&files, "log"),
	    O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
	assert_true(log.fd_high > 0);
	log_init(&log);
	add_key(f, "one");
	fakekube_fail_all(f->server, "configmaps", FAKEKUBE_403);
	for (int i = 0; i < 10; i++)
		(void)certpublisher_turn(f->publisher);
	assert_int_equal(said(log.fd_high, refused), 1);
	assert_int_equal(said(log.fd_high, NS " configmap=" NAME), 1);
	fakekube_fail_all(f->server, NULL, FAKEKUBE_OK);
	(void)certpublisher_turn(f->publisher);
	fakekube_fail_all(f->server, "configmaps", FAKEKUBE_403);
	add_key(f, "two");
	for (int i = 0; i < 10; i++)
		(void)certpublisher_turn(f->publisher);
	assert_int_equal(said(log.fd_high, refused), 2);
	assert_int_equal(said(log.fd_high, "\n"), 2);
	(void)close(log.fd_high);
	tmpfiles_release(&files);
}

static void
a_lost_answer_or_a_conflict_is_repaired_by_the_next_turn(void **state)
{
	static const enum fakekube_fault faults[] = { FAKEKUBE_LOST,
		FAKEKUBE_CONFLICT, FAKEKUBE_CUT, FAKEKUBE_429, FAKEKUBE_500 };
	struct fixture *f = *state;
	char name[32];

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		(void)snprintf(name, sizeof(name), "key%zu", i);
		add_key(f, name);
		fakekube_fail(f->server, 2, faults[i]); /* GET, then this */
		assert_true(certpublisher_turn(f->publisher) <= 7000);
		(void)certpublisher_turn(f->publisher);
		expect_published(f);
	}
}

static void
a_follower_asks_the_server_for_nothing(void **state)
{
	struct fixture *f = *state;

	add_key(f, "one");
	f->follows = true;
	(void)certpublisher_turn(f->publisher);
	assert_int_equal(fakekube_calls(f->server, NULL), 0);
	f->follows = false;
	(void)certpublisher_turn(f->publisher);
	expect_published(f);
	/* Back in the lead it looks before it trusts its memory. */
	f->follows = true;
	(void)certpublisher_turn(f->publisher);
	assert_true(fakekube_remove(f->server, "configmaps", NS, NAME));
	f->follows = false;
	(void)certpublisher_turn(f->publisher);
	expect_published(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    publishes_once_and_then_only_what_changed, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    holds_nothing_but_the_certificate, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    puts_right_what_another_writer_changed_within_a_minute,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    waits_longer_after_each_failure_and_then_catches_up, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    a_missing_right_is_told_once_and_again_only_after_a_success,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_lost_answer_or_a_conflict_is_repaired_by_the_next_turn,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_follower_asks_the_server_for_nothing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
