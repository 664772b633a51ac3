/*
 * Tests of controller/rotator.c: turns of its loop against an in-memory
 * backend and a clock that the test sets.
 * layer: main
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "controller/rotator.h"
#include "fakeclock.h"

#define HOUR_S 3600

/* Keys stored "on the API server". */
struct store {
	struct keypair *kp[8];
	char name[8][ROTATION_NAME_MAX];
	unsigned n;
	unsigned loads, creates;
	bool list_fails, create_fails, answer_lost;
	unsigned changed;
	struct rotator *trigger_while_creating;
};

struct fixture {
	struct store store;
	struct fakeclock fake;
	struct clock clock;
	struct registry *keys;
	struct rotator *rotator;
};

static int
store_load(void *ctx, struct registry *keys, struct err *err)
{
	struct store *s = ctx;

	s->loads++;
	if (s->list_fails)
		return err_set(err, ERR_SERVER, "the list failed");
	for (unsigned i = 0; i < s->n; i++)
		if (registry_add(keys, s->name[i], s->kp[i],
			keypair_not_before(s->kp[i]), err) < 0)
			return -1;
	return 0;
}

static int
store_create(
    void *ctx, const char *name, const struct keypair *kp, struct err *err)
{
	struct store *s = ctx;

	s->creates++;
	if (s->trigger_while_creating != NULL)
		rotator_trigger(s->trigger_while_creating);
	if (s->create_fails)
		return err_set(err, ERR_SERVER, "the server is down");
	for (unsigned i = 0; i < s->n; i++)
		if (strcmp(s->name[i], name) == 0)
			return err_set(err, ERR_EXISTS, "already exists");
	assert_true(s->n < ARRAY_SIZE(s->kp));
	(void)snprintf(s->name[s->n], sizeof(s->name[0]), "%s", name);
	s->kp[s->n] = keypair_ref((struct keypair *)(uintptr_t)kp);
	s->n++;
	if (s->answer_lost) {
		s->answer_lost = false;
		return err_set(err, ERR_TRANSPORT, "connection reset");
	}
	return 0;
}

static int
store_occupant(
    void *ctx, const char *name, struct rotation_occupant *ret, struct err *err)
{
	struct store *s = ctx;

	memset(ret, 0, sizeof(*ret));
	for (unsigned i = 0; i < s->n; i++)
		if (strcmp(s->name[i], name) == 0) {
			ret->usable = true;
			ret->kp = keypair_ref(s->kp[i]);
			ret->order_s = keypair_not_before(s->kp[i]);
			return 0;
		}
	return err_set(err, ERR_NOTFOUND, "not found");
}

static void
note_change(void *ctx)
{
	struct fixture *f = ctx;

	f->store.changed++;
}

static void
make_rotator(struct fixture *f, int64_t period_s)
{
	struct rotator_config cfg = {
		.rotation = {
			.prefix = "sealed-secrets-key",
			.ns = "kube-system",
			.cn = "",
			.bits = 2048,
			.ttl_s = 24 * HOUR_S,
			.period_s = period_s,
		},
		.backend = {
			.ctx = &f->store,
			.load = store_load,
			.create = store_create,
			.occupant = store_occupant,
		},
		.keys = f->keys,
		.clock = &f->clock,
		.changed = note_change,
		.ctx = f,
	};

	f->rotator = rotator_new(&cfg);
}

static int
setup(void **state)
{
	static const struct log_config quiet = { .level = LOG_LEVEL_ERROR + 1 };
	static struct fixture f;

	log_init(&quiet);
	memset(&f, 0, sizeof(f));
	fakeclock_init(&f.fake);
	f.clock = fakeclock_clock(&f.fake);
	f.keys = registry_new(&f.clock);
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	rotator_free(f->rotator);
	registry_free(f->keys);
	for (unsigned i = 0; i < f->store.n; i++)
		keypair_free(f->store.kp[i]);
	return 0;
}

static void
makes_the_first_key_and_is_ready(void **state)
{
	struct fixture *f = *state;
	char name[ROTATION_NAME_MAX];

	make_rotator(f, 0);
	assert_false(rotator_ready(f->rotator));
	assert_false(rotator_made_first_key(f->rotator, name));
	assert_true(rotator_turn(f->rotator) > 0);
	assert_true(rotator_ready(f->rotator));
	assert_true(rotator_made_first_key(f->rotator, name));
	assert_string_equal(name, f->store.name[0]);
	assert_int_equal(f->store.n, 1);
	assert_true(f->store.changed > 0);
	/* With period 0 nothing follows. */
	fakeclock_advance_s(&f->fake, 1000 * HOUR_S);
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.n, 1);
}

static void
never_makes_a_key_when_the_list_failed(void **state)
{
	struct fixture *f = *state;
	uint64_t first, wait = 0;

	make_rotator(f, 0);
	f->store.list_fails = true;
	first = rotator_turn(f->rotator);
	for (int i = 0; i < 20; i++)
		wait = rotator_turn(f->rotator);
	assert_true(first < wait);
	assert_int_equal(wait, 30000);
	assert_int_equal(f->store.creates, 0);
	assert_false(rotator_ready(f->rotator));
	f->store.list_fails = false;
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.n, 1);
	assert_true(rotator_ready(f->rotator));
}

static void
retries_a_failed_creation_until_there_is_one_key(void **state)
{
	struct fixture *f = *state;

	make_rotator(f, 0);
	f->store.create_fails = true;
	(void)rotator_turn(f->rotator);
	(void)rotator_turn(f->rotator);
	assert_false(rotator_ready(f->rotator));
	assert_int_equal(registry_count(f->keys), 0);
	f->store.create_fails = false;
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.n, 1);
	assert_int_equal(registry_count(f->keys), 1);
}

static void
makes_one_key_although_the_answer_was_lost(void **state)
{
	struct fixture *f = *state;

	make_rotator(f, 0);
	f->store.answer_lost = true;
	for (int i = 0; i < 4; i++)
		(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.n, 1);
	assert_int_equal(registry_count(f->keys), 1);
}

static void
renews_when_the_period_is_over(void **state)
{
	struct fixture *f = *state;

	make_rotator(f, 10 * HOUR_S);
	(void)rotator_turn(f->rotator);
	fakeclock_advance_s(&f->fake, 9 * HOUR_S);
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.n, 1);
	fakeclock_advance_s(&f->fake, HOUR_S);
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.n, 2);
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.n, 2);
}

static void
makes_one_key_for_requests_that_come_together(void **state)
{
	struct fixture *f = *state;

	make_rotator(f, 0);
	(void)rotator_turn(f->rotator);
	fakeclock_advance_s(&f->fake, 5);
	for (int i = 0; i < 10; i++)
		rotator_trigger(f->rotator);
	/* Another one arrives while the key is being made. */
	f->store.trigger_while_creating = f->rotator;
	(void)rotator_turn(f->rotator);
	f->store.trigger_while_creating = NULL;
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.n, 2);
	fakeclock_advance_s(&f->fake, 5);
	rotator_trigger(f->rotator);
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.n, 3);
}

static void
does_not_make_a_key_where_one_is_loaded(void **state)
{
	struct fixture *f = *state;
	char name[ROTATION_NAME_MAX];
	struct keypair_params params = { .bits = 2048,
		.ttl_s = HOUR_S,
		.now_s = FAKECLOCK_WALL_S - 60,
		.cn = "" };
	struct err err = ERR_INIT;

	assert_int_equal(keypair_generate(&params, &f->store.kp[0], &err), 0);
	(void)snprintf(f->store.name[0], sizeof(f->store.name[0]), "mine");
	f->store.n = 1;
	make_rotator(f, 10 * HOUR_S);
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.creates, 0);
	assert_true(rotator_ready(f->rotator));
	assert_false(rotator_made_first_key(f->rotator, name));
}

static void
thread_stops_when_told_while_everything_fails(void **state)
{
	struct fixture *f = *state;

	make_rotator(f, 0);
	f->store.list_fails = true;
	rotator_start(f->rotator);
	rotator_trigger(f->rotator);
	rotator_stop(f->rotator);
	assert_int_equal(f->store.creates, 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(makes_the_first_key_and_is_ready),
		TEST(never_makes_a_key_when_the_list_failed),
		TEST(retries_a_failed_creation_until_there_is_one_key),
		TEST(makes_one_key_although_the_answer_was_lost),
		TEST(renews_when_the_period_is_over),
		TEST(makes_one_key_for_requests_that_come_together),
		TEST(does_not_make_a_key_where_one_is_loaded),
		TEST(thread_stops_when_told_while_everything_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
