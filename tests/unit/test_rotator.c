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

#include "controller/rotator.h"
#include "fakeclock.h"
#include "metrics/metrics.h"
#include "quiet.h"

#define HOUR_S 3600

/* Keys stored "on the API server". */
struct store {
	struct keypair *kp[8];
	char name[8][ROTATION_NAME_MAX];
	unsigned n;
	unsigned loads, creates;
	bool list_fails, create_fails, answer_lost;
	unsigned changed, expiring;
	int64_t delay_s; /* as a backend would judge by the keys' dates */
	bool backed_up;
	bool follows;	    /* another replica leads */
	bool rival_at_load; /* makes its key just before the list */
	int64_t rival_now_s;
	const char *rival_name; /* NULL: the occasion's */
	struct rotator *trigger_while_creating;
};

struct fixture {
	struct store store;
	struct fakeclock fake;
	struct clock clock;
	struct registry *keys;
	struct metrics *metrics;
	struct rotator *rotator;
};

/* What another replica makes of the same occasion. */
static void
rival_makes_key(struct store *s)
{
	struct keypair_params params = { .bits = 2048,
		.ttl_s = 24 * HOUR_S,
		.now_s = s->rival_now_s,
		.cn = "" };
	struct err err = ERR_INIT;
	char seed[KEYPAIR_FINGERPRINT_MAX + 8];

	s->rival_at_load = false;
	(void)snprintf(
	    seed, sizeof(seed), "key %s", keypair_fingerprint(s->kp[s->n - 1]));
	rotation_name("sealed-secrets-key", seed, s->name[s->n]);
	if (s->rival_name != NULL)
		(void)snprintf(
		    s->name[s->n], sizeof(s->name[0]), "%s", s->rival_name);
	assert_int_equal(keypair_generate(&params, &s->kp[s->n], &err), 0);
	s->n++;
}

static int
store_load(void *ctx, struct registry *keys, struct err *err)
{
	struct store *s = ctx;

	s->loads++;
	if (s->list_fails)
		return err_set(err, ERR_SERVER, "the list failed");
	if (s->rival_at_load)
		rival_makes_key(s);
	for (unsigned i = 0; i < ARRAY_SIZE(s->name); i++)
		if (i >= s->n)
			(void)registry_remove(keys, s->name[i]);
	for (unsigned i = 0; i < s->n; i++) {
		struct registry_attrs attrs = {
			.order_s = keypair_not_before(s->kp[i]),
			.backed_up = s->backed_up,
		};

		if (s->delay_s > 0 && !s->backed_up)
			attrs.active_from_s = attrs.order_s + s->delay_s;
		if (registry_put(keys, s->name[i], s->kp[i], &attrs, err) < 0)
			return -1;
	}
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
note_expiring(void *ctx, const struct registry_current *key)
{
	struct fixture *f = ctx;

	assert_string_not_equal(key->name, "");
	f->store.expiring++;
}

static bool
leads(void *ctx)
{
	const struct fixture *f = ctx;

	return !f->store.follows;
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
			.activation_delay_s = f->store.delay_s,
		},
		.backend = {
			.ctx = &f->store,
			.load = store_load,
			.create = store_create,
			.occupant = store_occupant,
		},
		.keys = f->keys,
		.metrics = f->metrics,
		.clock = &f->clock,
		.may_write = leads,
		.changed = note_change,
		.expiring = note_expiring,
		.ctx = f,
	};

	f->rotator = rotator_new(&cfg);
}

static int
setup(void **state)
{
	static struct fixture f;

	quiet_log();
	memset(&f, 0, sizeof(f));
	fakeclock_init(&f.fake);
	f.clock = fakeclock_clock(&f.fake);
	f.keys = registry_new(&f.clock);
	f.metrics = metrics_new("");
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	rotator_free(f->rotator);
	registry_free(f->keys);
	metrics_free(f->metrics);
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
tells_when_a_key_is_due_and_since_when_it_is_overdue(void **state)
{
	struct fixture *f = *state;
	double first, made;

	make_rotator(f, 10 * HOUR_S);
	(void)rotator_turn(f->rotator);
	made = (double)keypair_not_before(f->store.kp[0]);
	first = metrics_value(f->metrics, METRIC_KEY_RENEWAL_DUE);
	assert_true(first == made + 10 * HOUR_S);
	f->store.create_fails = true;
	fakeclock_advance_s(&f->fake, 15 * HOUR_S);
	(void)rotator_turn(f->rotator);
	assert_true(metrics_value(f->metrics, METRIC_KEY_RENEWAL_DUE) == first);
	f->store.create_fails = false;
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.n, 2);
	assert_true(metrics_value(f->metrics, METRIC_KEY_RENEWAL_DUE) ==
	    first + 15 * HOUR_S);
}

/* As after a start without the right to create. */
static void
a_key_overdue_from_the_start_is_told(void **state)
{
	struct fixture *f = *state;
	double due;

	make_rotator(f, 10 * HOUR_S);
	(void)rotator_turn(f->rotator);
	due = metrics_value(f->metrics, METRIC_KEY_RENEWAL_DUE);
	rotator_free(f->rotator);
	metrics_free(f->metrics);
	f->metrics = metrics_new("");
	f->store.create_fails = true;
	fakeclock_advance_s(&f->fake, 100 * HOUR_S);
	make_rotator(f, 10 * HOUR_S);
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.n, 1);
	assert_true(metrics_value(f->metrics, METRIC_KEY_RENEWAL_DUE) == due);
}

static void
no_date_is_told_where_nothing_is_due(void **state)
{
	struct fixture *f = *state;

	make_rotator(f, 0);
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.n, 1);
	assert_true(metrics_value(f->metrics, METRIC_KEY_RENEWAL_DUE) == 0);
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

/* As the stream of key Secrets tells of a change. */
static void
reload(struct fixture *f)
{
	fakeclock_advance_s(&f->fake, 1);
	rotator_reload(f->rotator);
	(void)rotator_turn(f->rotator);
}

static void
requests_soon_after_count_as_the_one_before(void **state)
{
	struct fixture *f = *state;

	make_rotator(f, 0);
	(void)rotator_turn(f->rotator);
	for (unsigned i = 0; i < ROTATOR_ASKED_MS / 100; i++) {
		rotator_trigger(f->rotator);
		(void)rotator_turn(f->rotator);
		fakeclock_advance_ms(&f->fake, 100);
	}
	assert_int_equal(f->store.n, 2);
	fakeclock_advance_ms(&f->fake, 1000);
	/* The next is one of its own; none is left over. */
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.n, 2);
	rotator_trigger(f->rotator);
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.n, 3);
}

static void
reads_the_keys_again_when_their_secrets_changed(void **state)
{
	struct fixture *f = *state;
	unsigned loads, changed;

	make_rotator(f, 0);
	(void)rotator_turn(f->rotator);
	loads = f->store.loads;
	changed = f->store.changed;
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.loads, loads);
	f->store.rival_now_s = FAKECLOCK_WALL_S + 60;
	rival_makes_key(&f->store);
	reload(f);
	assert_int_equal(registry_count(f->keys), 2);
	assert_int_equal(f->store.changed, changed + 1);
	assert_int_equal(f->store.creates, 1);
}

/* No watch ever saw it, so that nothing tells of its going. */
static void
that_a_new_key_went_at_once_is_seen_by_one_more_list(void **state)
{
	struct fixture *f = *state;
	uint64_t wait_ms;

	make_rotator(f, 0);
	(void)rotator_turn(f->rotator);
	rotator_trigger(f->rotator);
	fakeclock_advance_s(&f->fake, 10);
	wait_ms = rotator_turn(f->rotator);
	assert_int_equal(registry_count(f->keys), 2);
	assert_in_range(wait_ms, 4000, 5000);
	f->store.n--;
	keypair_free(f->store.kp[f->store.n]);
	fakeclock_advance_ms(&f->fake, wait_ms - 1);
	(void)rotator_turn(f->rotator);
	assert_int_equal(registry_count(f->keys), 2);
	/* That list may fail. */
	f->store.list_fails = true;
	fakeclock_advance_ms(&f->fake, 1);
	(void)rotator_turn(f->rotator);
	f->store.list_fails = false;
	(void)rotator_turn(f->rotator);
	assert_int_equal(registry_count(f->keys), 1);
	/* Once. */
	f->store.loads = 0;
	fakeclock_advance_s(&f->fake, 3600);
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.loads, 0);
}

static void
changes_that_come_together_cost_one_list(void **state)
{
	struct fixture *f = *state;
	unsigned loads;
	uint64_t wait;

	make_rotator(f, 0);
	(void)rotator_turn(f->rotator);
	reload(f);
	loads = f->store.loads;
	for (int i = 0; i < 20; i++) {
		rotator_reload(f->rotator);
		wait = rotator_turn(f->rotator);
		assert_in_range(wait, 1, 1000);
	}
	assert_int_equal(f->store.loads, loads);
	fakeclock_advance_ms(&f->fake, wait);
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.loads, loads + 1);
}

static void
makes_no_key_at_once_where_the_last_one_went(void **state)
{
	struct fixture *f = *state;
	unsigned left = ROTATOR_EMPTY_MS / 1000;

	make_rotator(f, 0);
	(void)rotator_turn(f->rotator);
	keypair_free(f->store.kp[0]);
	f->store.n = 0;
	reload(f);
	assert_int_equal(registry_count(f->keys), 0);
	for (; left > 10; left -= 10) {
		fakeclock_advance_s(&f->fake, 10);
		assert_in_range(rotator_turn(f->rotator), 1, 60000);
		assert_int_equal(f->store.n, 0);
	}
	fakeclock_advance_s(&f->fake, 10);
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.n, 1);
}

static void
makes_a_key_on_request_where_the_last_one_went(void **state)
{
	struct fixture *f = *state;

	make_rotator(f, 0);
	(void)rotator_turn(f->rotator);
	keypair_free(f->store.kp[0]);
	f->store.n = 0;
	reload(f);
	rotator_trigger(f->rotator);
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.n, 1);
}

static void
a_rival_that_renews_first_leaves_nothing_to_do(void **state)
{
	struct fixture *f = *state;

	make_rotator(f, 10 * HOUR_S);
	(void)rotator_turn(f->rotator);
	fakeclock_advance_s(&f->fake, 10 * HOUR_S);
	f->store.rival_at_load = true;
	f->store.rival_now_s = FAKECLOCK_WALL_S + 10 * HOUR_S;
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.n, 2);
	assert_int_equal(f->store.creates, 1);
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.n, 2);
}

static void
a_key_that_somebody_brings_leaves_nothing_to_do(void **state)
{
	struct fixture *f = *state;

	f->store.rival_name = "brought-along";
	a_rival_that_renews_first_leaves_nothing_to_do(state);
}

static void
a_rival_that_was_asked_too_makes_the_same_key(void **state)
{
	struct fixture *f = *state;

	make_rotator(f, 0);
	(void)rotator_turn(f->rotator);
	fakeclock_advance_s(&f->fake, 60);
	f->store.rival_at_load = true;
	f->store.rival_now_s = FAKECLOCK_WALL_S + 60;
	rotator_trigger(f->rotator);
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.n, 2);
	assert_int_equal(f->store.creates, 1);
}

static void
a_follower_makes_no_key_and_waits_for_the_first(void **state)
{
	struct fixture *f = *state;

	f->store.follows = true;
	make_rotator(f, 10 * HOUR_S);
	assert_in_range(rotator_turn(f->rotator), 1000, 60000);
	rotator_trigger(f->rotator);
	assert_in_range(rotator_turn(f->rotator), 1000, 60000);
	assert_int_equal(f->store.creates, 0);
	assert_false(rotator_ready(f->rotator));
	/* Its turn has come; what was asked of a follower is forgotten. */
	f->store.follows = false;
	reload(f);
	assert_int_equal(f->store.n, 1);
	assert_true(rotator_ready(f->rotator));
	/* Overdue, but not ours to renew. */
	f->store.follows = true;
	fakeclock_advance_s(&f->fake, 20 * HOUR_S);
	assert_in_range(rotator_turn(f->rotator), 1000, 60000);
	assert_int_equal(f->store.n, 1);
	f->store.follows = false;
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.n, 2);
}

static void
knows_its_first_key_although_the_answer_was_lost(void **state)
{
	struct fixture *f = *state;
	char name[ROTATION_NAME_MAX];

	make_rotator(f, 0);
	f->store.answer_lost = true;
	(void)rotator_turn(f->rotator);
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.n, 1);
	assert_true(rotator_made_first_key(f->rotator, name));
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

static void
seals_with(struct registry *keys, const char *name)
{
	struct registry_current cur;

	assert_true(registry_serving(keys, &cur));
	assert_string_equal(cur.name, name);
}

static void
a_renewed_key_waits_for_its_time_or_a_backup(void **state)
{
	struct fixture *f = *state;
	AUTO(registry) struct registry *restarted = registry_new(&f->clock);
	struct err err = ERR_INIT;
	unsigned changed;

	f->store.delay_s = 60;
	make_rotator(f, 0);
	(void)rotator_turn(f->rotator);
	/* There is no other to seal with. */
	seals_with(f->keys, f->store.name[0]);
	fakeclock_advance_s(&f->fake, 100);
	rotator_trigger(f->rotator);
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.n, 2);
	fakeclock_advance_s(&f->fake, 5);
	assert_in_range(rotator_turn(f->rotator), 54000, 55000);
	seals_with(f->keys, f->store.name[0]);
	assert_int_equal(store_load(&f->store, restarted, &err), 0);
	seals_with(restarted, f->store.name[0]);
	changed = f->store.changed;
	fakeclock_advance_s(&f->fake, 55);
	(void)rotator_turn(f->rotator);
	seals_with(f->keys, f->store.name[1]);
	seals_with(restarted, f->store.name[1]);
	assert_int_equal(f->store.changed, changed + 1);
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.changed, changed + 1);
	/* The third one is backed up at once. */
	rotator_trigger(f->rotator);
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.n, 3);
	seals_with(f->keys, f->store.name[1]);
	f->store.backed_up = true;
	reload(f);
	seals_with(f->keys, f->store.name[2]);
}

static void
says_that_the_serving_certificate_expires_soon(void **state)
{
	struct fixture *f = *state;

	make_rotator(f, 0);
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.expiring, 1);
}

static void
a_restricted_key_alone_is_no_key_to_begin_with(void **state)
{
	struct fixture *f = *state;
	AUTO(nsrule) struct nsrule *rule = nsrule_none("x");
	AUTO(keypair) struct keypair *kp = NULL;
	struct registry_attrs attrs = {
		.order_s = FAKECLOCK_WALL_S,
		.rule = rule,
	};
	struct keypair_params params = { .bits = 2048,
		.ttl_s = HOUR_S,
		.now_s = FAKECLOCK_WALL_S,
		.cn = "" };
	struct err err = ERR_INIT;

	make_rotator(f, 0);
	assert_int_equal(keypair_generate(&params, &kp, &err), 0);
	assert_int_equal(registry_put(f->keys, "some", kp, &attrs, &err), 0);
	assert_false(rotator_ready(f->rotator));
	(void)rotator_turn(f->rotator);
	assert_int_equal(f->store.n, 1);
	assert_true(rotator_ready(f->rotator));
	seals_with(f->keys, f->store.name[0]);
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
		TEST(tells_when_a_key_is_due_and_since_when_it_is_overdue),
		TEST(a_key_overdue_from_the_start_is_told),
		TEST(no_date_is_told_where_nothing_is_due),
		TEST(makes_one_key_for_requests_that_come_together),
		TEST(does_not_make_a_key_where_one_is_loaded),
		TEST(requests_soon_after_count_as_the_one_before),
		TEST(reads_the_keys_again_when_their_secrets_changed),
		TEST(that_a_new_key_went_at_once_is_seen_by_one_more_list),
		TEST(changes_that_come_together_cost_one_list),
		TEST(makes_no_key_at_once_where_the_last_one_went),
		TEST(makes_a_key_on_request_where_the_last_one_went),
		TEST(a_rival_that_renews_first_leaves_nothing_to_do),
		TEST(a_key_that_somebody_brings_leaves_nothing_to_do),
		TEST(a_rival_that_was_asked_too_makes_the_same_key),
		TEST(a_follower_makes_no_key_and_waits_for_the_first),
		TEST(knows_its_first_key_although_the_answer_was_lost),
		TEST(a_renewed_key_waits_for_its_time_or_a_backup),
		TEST(says_that_the_serving_certificate_expires_soon),
		TEST(a_restricted_key_alone_is_no_key_to_begin_with),
		TEST(thread_stops_when_told_while_everything_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
