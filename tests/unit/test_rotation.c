/*
 * Tests of keystore/rotation.c: when a key is due, what its name is, and that
 * one occasion gives one key whatever happens between the replicas and the
 * store, which is kept in memory here.
 * layer: keystore
 */
#include "tests/unit/keystore_fixture.h"

#include "base/thread.h"
#include "keystore/rotation.h"
#include "tests/lib/keyring.h"

#define PREFIX "sealed-secrets-key"
#define STORED 64

/* Key Secrets "on the API server", and the faults that wait there. */
struct store {
	struct {
		char name[ROTATION_NAME_MAX];
		struct keypair *kp; /* NULL: malformed */
		bool active;
		char uid[64];
	} secret[STORED];
	unsigned n;
	unsigned creates, reads; /* calls */
	bool answer_lost;	 /* the next create is applied, but fails */
	bool create_fails;	 /* every create fails and is not applied */
	bool read_fails;
	bool taken_once; /* the next create meets a Secret that then goes */
	bool all_taken;	 /* every name is occupied by something unusable */
	/* Runs once, between the read of a free name and the create. */
	void (*before_create)(struct store *s, const char *name);
	bool registered_early; /* a key was in the registry before create */
	struct registry *watched;
	const char *identity; /* NULL: not told */
	bool identity_fails;
};

struct replica {
	struct registry *keys;
	struct rotation_occasion occasion;
	struct keystore_backend backend;
};

static struct store *
store_of(void *ctx)
{
	return ctx;
}

static int
find(const struct store *s, const char *name)
{
	for (unsigned i = 0; i < s->n; i++)
		if (strcmp(s->secret[i].name, name) == 0)
			return (int)i;
	return -1;
}

static void
put(struct store *s, const char *name, const struct keypair *kp, bool active)
{
	unsigned i = s->n++;
	union {
		const struct keypair *c;
		struct keypair *p;
	} key = { .c = kp };

	assert_true(i < STORED);
	(void)snprintf(
	    s->secret[i].name, sizeof(s->secret[i].name), "%s", name);
	s->secret[i].kp = kp != NULL ? keypair_ref(key.p) : NULL;
	s->secret[i].active = active;
	(void)snprintf(
	    s->secret[i].uid, sizeof(s->secret[i].uid), "uid-of-%s", name);
}

static int
load(void *ctx, struct registry *r, struct err *err)
{
	struct store *s = store_of(ctx);

	for (unsigned i = 0; i < s->n; i++)
		if (s->secret[i].active && s->secret[i].kp != NULL &&
		    keyring_add(r, s->secret[i].name, s->secret[i].kp,
			keypair_not_before(s->secret[i].kp), err) < 0)
			return -1;
	return 0;
}

static int
create(void *ctx, const char *name, const struct keypair *kp, struct err *err)
{
	struct store *s = store_of(ctx);
	void (*before)(struct store *, const char *) = s->before_create;

	s->creates++;
	if (s->watched != NULL && registry_count(s->watched) > 0)
		s->registered_early = true;
	s->before_create = NULL;
	if (before != NULL)
		before(s, name);
	if (s->create_fails)
		return err_set(err, ERR_SERVER, "the server is away");
	if (s->taken_once) {
		s->taken_once = false;
		return err_set(err, ERR_EXISTS, "already exists");
	}
	if (find(s, name) >= 0)
		return err_set(err, ERR_EXISTS, "already exists");
	put(s, name, kp, true);
	if (s->answer_lost) {
		s->answer_lost = false;
		return err_set(err, ERR_TRANSPORT, "the connection was cut");
	}
	return 0;
}

static int
occupant(
    void *ctx, const char *name, struct rotation_occupant *ret, struct err *err)
{
	struct store *s = store_of(ctx);
	int i = find(s, name);

	s->reads++;
	if (s->read_fails)
		return err_set(err, ERR_SERVER, "the server is away");
	memset(ret, 0, sizeof(*ret));
	if (s->all_taken) {
		(void)snprintf(ret->uid, sizeof(ret->uid), "%s", name);
		return 0;
	}
	if (i < 0)
		return err_set(err, ERR_NOTFOUND, "not found");
	(void)snprintf(ret->uid, sizeof(ret->uid), "%s", s->secret[i].uid);
	ret->usable = s->secret[i].active && s->secret[i].kp != NULL;
	if (ret->usable) {
		ret->kp = keypair_ref(s->secret[i].kp);
		ret->order_s = keypair_not_before(s->secret[i].kp);
	}
	return 0;
}

static int
identity(void *ctx, char out[static ROTATION_IDENTITY_MAX], struct err *err)
{
	const struct store *s = store_of(ctx);

	if (s->identity_fails)
		return err_set(err, ERR_SERVER, "the server is away");
	(void)snprintf(out, ROTATION_IDENTITY_MAX, "%s",
	    s->identity != NULL ? s->identity : "");
	return 0;
}

static void
store_release(struct store *s)
{
	for (unsigned i = 0; i < s->n; i++)
		keypair_free(s->secret[i].kp);
}

static void
replica_start(struct replica *p, struct store *s)
{
	struct err err = ERR_INIT;

	memset(p, 0, sizeof(*p));
	p->keys = registry_new(&fixture_clock);
	p->backend =
	    (struct keystore_backend) { s, load, create, occupant, identity };
	assert_int_equal(load(s, p->keys, &err), 0);
}

static void
replica_stop(struct replica *p)
{
	registry_free(p->keys);
}

static const struct rotation_config config = { .prefix = PREFIX,
	.ns = "kube-system",
	.cn = "",
	.bits = 2048,
	.ttl_s = 365 * DAY_S,
	.period_s = 30 * DAY_S };

static void
begin(struct replica *p)
{
	rotation_begin(&p->occasion, &config, p->keys);
	assert_true(p->occasion.open);
}

static int
step(struct replica *p, char *name, bool *created, struct err *err)
{
	return rotation_step(&p->occasion, &config, &fixture_clock, &p->backend,
	    p->keys, NULL, name, created, err);
}

/* One attempt that must succeed. */
static void
succeed(struct replica *p, char *name, bool want_created)
{
	struct err err = ERR_INIT;
	bool created = !want_created;

	if (step(p, name, &created, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(created, want_created);
	assert_false(p->occasion.open);
	assert_true(registry_knows(p->keys, name));
	assert_int_equal(err.code, ERR_NONE);
}

static void
fail_step(struct replica *p, enum err_code code)
{
	struct err err = ERR_INIT;
	char name[ROTATION_NAME_MAX];
	bool created;

	assert_int_equal(step(p, name, &created, &err), -1);
	assert_int_equal(err.code, code);
	assert_true(p->occasion.open);
}

/* A whole occasion: SIGUSR1, or a renewal that is due. */
static void
occasion(struct replica *p, char *name)
{
	begin(p);
	succeed(p, name, true);
}

/* Due. */

static void
due_follows_age_period_and_cutoff(void **state UNUSED)
{
	const int64_t s = (int64_t)NS_PER_S;
	static const struct {
		int64_t order_s, period_s, cutoff_s, now_s, want_s;
	} cases[] = {
		{ 1000, 100, 0, 1000, 100 },
		{ 1000, 100, 0, 1099, 1 },
		{ 1000, 100, 0, 1100, 0 },
		{ 1000, 100, 0, 5000, 0 },
		/* No schedule. */
		{ 1000, 0, 0, 5000, -1 },
		/* The clock went back, or the key comes from the future. */
		{ 1000, 100, 0, 900, 200 },
		{ 1000, 100, 0, -5, 1105 },
		/* A cutoff in the past: once, for keys made before it. */
		{ 1000, 0, 1001, 2000, 0 },
		{ 1000, 0, 1000, 2000, -1 },
		{ 1000, 5000, 1001, 2000, 0 },
		{ 1000, 5000, 999, 2000, 4000 },
		/* One in the future counts from then on. */
		{ 1000, 0, 3000, 2000, 1000 },
		{ 1000, 1500, 3000, 2000, 500 },
		{ 1000, 5000, 3000, 2000, 1000 },
		{ 3000, 5000, 3000, 3000, 5000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rotation_config cfg = config;
		const struct registry_current current = {
			.order_s = cases[i].order_s
		};
		int64_t want =
		    cases[i].want_s < 0 ? INT64_MAX : cases[i].want_s * s;

		cfg.period_s = cases[i].period_s;
		cfg.cutoff_s = cases[i].cutoff_s;
		if (rotation_due_in_ns(&cfg, &current, cases[i].now_s * s) !=
		    want)
			fail_msg("case %zu", i);
	}
}

static void
a_key_is_due_at_once_where_there_is_none(void **state UNUSED)
{
	struct rotation_config cfg = config;

	cfg.period_s = 0;
	assert_int_equal(rotation_due_in_ns(&cfg, NULL, 0), 0);
}

static void
due_counts_parts_of_a_second(void **state UNUSED)
{
	const struct registry_current current = { .order_s = NOW_S };

	assert_int_equal(rotation_due_in_ns(&config, &current,
			     (NOW_S + 30 * DAY_S) * (int64_t)NS_PER_S - 1),
	    1);
	assert_int_equal(rotation_due_in_ns(&config, &current,
			     (NOW_S + 30 * DAY_S) * (int64_t)NS_PER_S + 1),
	    0);
}

/* Ordered by its Secret, whose date another clock set, it is no older. */
static void
a_certificate_made_after_the_cutoff_satisfies_it(void **state UNUSED)
{
	struct rotation_config cfg = config;
	struct registry_current current = { .order_s = 995,
		.not_before = 1000 };

	cfg.period_s = 0;
	cfg.cutoff_s = 1000;
	assert_int_equal(
	    rotation_due_in_ns(&cfg, &current, 1000 * (int64_t)NS_PER_S),
	    INT64_MAX);
	current.not_before = 999;
	assert_int_equal(
	    rotation_due_in_ns(&cfg, &current, 1000 * (int64_t)NS_PER_S), 0);
}

static void
extreme_times_do_not_overflow(void **state UNUSED)
{
	static const int64_t times[] = { INT64_MIN, INT64_MIN + 1, -1, 0, 1,
		NOW_S, INT64_MAX / 2, INT64_MAX - 1, INT64_MAX };
	struct rotation_config cfg = config;

	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		for (size_t j = 0; j < ARRAY_SIZE(times); j++)
			for (size_t k = 0; k < ARRAY_SIZE(times); k++) {
				const struct registry_current current = {
					.order_s = times[i],
					.not_before = times[k]
				};

				cfg.period_s = times[k];
				cfg.cutoff_s = times[k];
				assert_true(rotation_due_in_ns(
						&cfg, &current, times[j]) >= 0);
			}
	cfg.cutoff_s = 0;
	cfg.period_s = INT64_MAX;
	assert_int_equal(
	    rotation_due_in_ns(
		&cfg, &(struct registry_current) { .order_s = NOW_S }, 0),
	    INT64_MAX);
}

/* Names. */

/* Replicas of different versions must agree: these may never change. */
static void
names_follow_from_prefix_and_seed_alone(void **state UNUSED)
{
	static const struct {
		const char *prefix, *seed, *want;
	} cases[] = {
		{ PREFIX, "", "sealed-secrets-keyk4m9f" },
		{ PREFIX, "namespace kube-system", "sealed-secrets-keygs5kk" },
		{ "k-", "key SHA256:abc", "k-2nrzk" },
	};
	char name[ROTATION_NAME_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		rotation_name(cases[i].prefix, cases[i].seed, name);
		assert_string_equal(name, cases[i].want);
	}
}

static void
the_longest_prefix_keeps_its_five_characters(void **state UNUSED)
{
	char prefix[ROTATION_PREFIX_MAX + 1], name[ROTATION_NAME_MAX];

	memset(prefix, 'p', sizeof(prefix) - 1);
	prefix[sizeof(prefix) - 1] = '\0';
	rotation_name(prefix, "seed", name);
	assert_int_equal(strlen(name), ROTATION_PREFIX_MAX + 5);
	assert_int_equal(strspn(name, "p"), ROTATION_PREFIX_MAX);
}

static void
names_use_the_letters_of_generated_names_evenly(void **state UNUSED)
{
	static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";
	unsigned count[256] = { 0 };
	char name[ROTATION_NAME_MAX], seed[32];

	for (int i = 0; i < 5400; i++) {
		(void)snprintf(seed, sizeof(seed), "seed %d", i);
		rotation_name("", seed, name);
		assert_int_equal(strlen(name), 5);
		assert_int_equal(strspn(name, alphabet), 5);
		for (const char *p = name; *p != '\0'; p++)
			count[(unsigned char)*p]++;
	}
	/* 1000 are expected of each; 150 is over four sigma. */
	for (const char *p = alphabet; *p != '\0'; p++)
		assert_in_range(count[(unsigned char)*p], 850, 1150);
}

/* Occasions. */

static void
a_start_without_a_key_makes_one(void **state UNUSED)
{
	struct store s = { 0 };
	struct replica a;
	char name[ROTATION_NAME_MAX];
	struct registry_current current;

	replica_start(&a, &s);
	s.watched = a.keys;
	occasion(&a, name);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.secret[0].name, name);
	assert_memory_equal(name, PREFIX, sizeof(PREFIX) - 1);
	assert_false(s.registered_early);
	assert_true(registry_current(a.keys, &current));
	assert_string_equal(current.name, name);
	assert_int_equal(current.order_s, NOW_S);
	assert_int_equal(current.not_before, NOW_S);
	assert_int_equal(current.not_after, NOW_S + config.ttl_s);
	replica_stop(&a);
	store_release(&s);
}

static void
rivals_at_a_first_start_share_one_key(void **state UNUSED)
{
	struct store s = { 0 };
	struct replica a, b;
	char name_a[ROTATION_NAME_MAX], name_b[ROTATION_NAME_MAX];
	struct registry_current current_a, current_b;

	replica_start(&a, &s);
	replica_start(&b, &s);
	begin(&a);
	begin(&b);
	succeed(&a, name_a, true);
	succeed(&b, name_b, false);
	assert_string_equal(name_a, name_b);
	assert_int_equal(s.n, 1);
	assert_true(registry_current(a.keys, &current_a));
	assert_true(registry_current(b.keys, &current_b));
	assert_string_equal(current_a.fingerprint, current_b.fingerprint);
	replica_stop(&a);
	replica_stop(&b);
	store_release(&s);
}

/* Whoever stores its key first, and however long after the other it began. */
static void
a_slow_rival_at_a_first_start_takes_the_other_s_key(void **state UNUSED)
{
	struct store s = { .identity = "uid-1" };
	struct replica a, b;
	char name_a[ROTATION_NAME_MAX], name_b[ROTATION_NAME_MAX];

	replica_start(&a, &s);
	replica_start(&b, &s);
	begin(&a);
	fixture_now_s = NOW_S + 60;
	begin(&b);
	succeed(&b, name_b, true);
	succeed(&a, name_a, false);
	fixture_now_s = NOW_S;
	assert_string_equal(name_a, name_b);
	assert_int_equal(s.n, 1);
	replica_stop(&a);
	replica_stop(&b);
	store_release(&s);
}

static void
first_name(const char *identity, char name[static ROTATION_NAME_MAX])
{
	struct store s = { .identity = identity };
	struct replica a;

	replica_start(&a, &s);
	begin(&a);
	succeed(&a, name, true);
	replica_stop(&a);
	store_release(&s);
}

static void
the_first_key_of_a_new_cluster_leaves_the_name_to_a_backup(void **state UNUSED)
{
	char before[ROTATION_NAME_MAX], same[ROTATION_NAME_MAX],
	    after[ROTATION_NAME_MAX];

	first_name("uid-1", before);
	first_name("uid-1", same);
	first_name("uid-2", after);
	assert_string_equal(before, same);
	assert_string_not_equal(before, after);
}

static void
no_key_is_made_before_it_is_known_whose_it_is(void **state UNUSED)
{
	struct store s = { .identity = "uid-1", .identity_fails = true };
	struct replica a;
	char name[ROTATION_NAME_MAX], want[ROTATION_NAME_MAX];

	replica_start(&a, &s);
	begin(&a);
	fail_step(&a, ERR_SERVER);
	assert_int_equal(s.creates, 0);
	s.identity_fails = false;
	succeed(&a, name, true);
	first_name("uid-1", want);
	assert_string_equal(name, want);
	replica_stop(&a);
	store_release(&s);
}

static void
a_rival_is_quicker(struct store *s, const char *name)
{
	put(s, name, fixture_key(1), true);
}

static void
a_rival_between_read_and_create_wins(void **state UNUSED)
{
	struct store s = { .before_create = a_rival_is_quicker };
	struct replica a;
	char name[ROTATION_NAME_MAX];
	struct registry_current current;

	replica_start(&a, &s);
	begin(&a);
	succeed(&a, name, false);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.creates, 1);
	assert_int_equal(registry_count(a.keys), 1);
	assert_true(registry_current(a.keys, &current));
	assert_string_equal(
	    current.fingerprint, keypair_fingerprint(fixture_key(1)));
	replica_stop(&a);
	store_release(&s);
}

static void
rivals_at_a_renewal_share_one_key(void **state UNUSED)
{
	struct store s = { 0 };
	struct replica a, b;
	char name_a[ROTATION_NAME_MAX], name_b[ROTATION_NAME_MAX];

	put(&s, "first", fixture_key(0), true);
	replica_start(&a, &s);
	replica_start(&b, &s);
	begin(&a);
	begin(&b);
	succeed(&b, name_b, true);
	succeed(&a, name_a, false);
	assert_string_equal(name_a, name_b);
	assert_int_equal(s.n, 2);
	replica_stop(&a);
	replica_stop(&b);
	store_release(&s);
}

static void
a_lost_answer_makes_no_second_key(void **state UNUSED)
{
	struct store s = { .answer_lost = true };
	struct replica a;
	char name[ROTATION_NAME_MAX];

	replica_start(&a, &s);
	begin(&a);
	fail_step(&a, ERR_TRANSPORT);
	assert_int_equal(registry_count(a.keys), 0);
	succeed(&a, name, false);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.creates, 1);
	assert_int_equal(registry_count(a.keys), 1);
	replica_stop(&a);
	store_release(&s);
}

/* The list is read between the attempts and shows the key already. */
static void
a_lost_answer_and_a_reload_make_no_second_key(void **state UNUSED)
{
	struct store s = { .answer_lost = true };
	struct replica a;
	struct err err = ERR_INIT;
	char name[ROTATION_NAME_MAX];

	put(&s, "first", fixture_key(0), true);
	replica_start(&a, &s);
	begin(&a);
	fail_step(&a, ERR_TRANSPORT);
	assert_int_equal(load(&s, a.keys, &err), 0);
	begin(&a);
	succeed(&a, name, false);
	assert_int_equal(s.n, 2);
	replica_stop(&a);
	store_release(&s);
}

static void
failures_keep_the_occasion_open_under_one_name(void **state UNUSED)
{
	struct store s = { .read_fails = true };
	struct replica a;
	char want[ROTATION_NAME_MAX], name[ROTATION_NAME_MAX];

	replica_start(&a, &s);
	begin(&a);
	rotation_name(PREFIX, a.occasion.seed, want);
	fail_step(&a, ERR_SERVER);
	/* No key is generated for an answer that does not come. */
	assert_int_equal(s.creates, 0);
	s.read_fails = false;
	s.create_fails = true;
	fail_step(&a, ERR_SERVER);
	fail_step(&a, ERR_SERVER);
	assert_int_equal(registry_count(a.keys), 0);
	s.create_fails = false;
	succeed(&a, name, true);
	assert_string_equal(name, want);
	replica_stop(&a);
	store_release(&s);
}

static void
the_next_occasion_makes_another_key(void **state UNUSED)
{
	struct store s = { 0 };
	struct replica a;
	char name[8][ROTATION_NAME_MAX];
	struct registry_current current;

	/* All within one second: dates and names must differ all the same. */
	replica_start(&a, &s);
	for (unsigned i = 0; i < 4; i++) {
		occasion(&a, name[i]);
		assert_true(registry_current(a.keys, &current));
		assert_string_equal(current.name, name[i]);
		assert_int_equal(current.order_s, NOW_S + i);
		assert_int_equal(current.not_before, NOW_S + i);
	}
	assert_int_equal(s.n, 4);
	assert_int_equal(registry_count(a.keys), 4);
	replica_stop(&a);
	store_release(&s);
}

/*
 * The newest key stays the newest, because it is dated into the future, so
 * that the same seed comes up again.
 */
static void
a_newest_key_from_the_future_does_not_stop_new_keys(void **state UNUSED)
{
	struct store s = { 0 };
	struct replica a, b;
	AUTO(keypair)
	struct keypair *future =
	    fixture_make(2048, NOW_S + 3650 * DAY_S, DAY_S);
	char name_a[ROTATION_NAME_MAX], name_b[ROTATION_NAME_MAX];

	put(&s, "future", future, true);
	replica_start(&a, &s);
	occasion(&a, name_a);
	occasion(&a, name_a);
	assert_int_equal(s.n, 3);
	/* And rivals still meet under one name. */
	replica_start(&b, &s);
	begin(&a);
	begin(&b);
	succeed(&a, name_a, true);
	succeed(&b, name_b, false);
	assert_string_equal(name_a, name_b);
	assert_int_equal(s.n, 4);
	replica_stop(&a);
	replica_stop(&b);
	store_release(&s);
}

/* The user takes the newest key out of use and asks for a new one. */
static void
an_inactive_occupant_gives_way_to_the_next_name(void **state UNUSED)
{
	struct store s = { 0 };
	struct replica a, b;
	char first[ROTATION_NAME_MAX], second[ROTATION_NAME_MAX];
	char third[ROTATION_NAME_MAX];

	replica_start(&a, &s);
	occasion(&a, first);
	occasion(&a, second);
	s.secret[1].active = false;
	assert_true(registry_remove(a.keys, second));
	replica_start(&b, &s);
	begin(&a);
	begin(&b);
	succeed(&a, third, true);
	assert_string_not_equal(third, second);
	assert_string_not_equal(third, first);
	assert_int_equal(s.n, 3);
	/* A rival in the same place goes the same way. */
	succeed(&b, first, false);
	assert_string_equal(first, third);
	assert_int_equal(s.n, 3);
	replica_stop(&a);
	replica_stop(&b);
	store_release(&s);
}

static void
a_malformed_occupant_gives_way_to_the_next_name(void **state UNUSED)
{
	struct store s = { 0 };
	struct replica a;
	char taken[ROTATION_NAME_MAX], name[ROTATION_NAME_MAX];

	replica_start(&a, &s);
	begin(&a);
	rotation_name(PREFIX, a.occasion.seed, taken);
	put(&s, taken, NULL, true);
	succeed(&a, name, true);
	assert_string_not_equal(name, taken);
	assert_int_equal(s.n, 2);
	replica_stop(&a);
	store_release(&s);
}

static void
an_occupant_that_vanishes_leaves_its_name(void **state UNUSED)
{
	struct store s = { .taken_once = true };
	struct replica a;
	char want[ROTATION_NAME_MAX], name[ROTATION_NAME_MAX];

	replica_start(&a, &s);
	begin(&a);
	rotation_name(PREFIX, a.occasion.seed, want);
	succeed(&a, name, true);
	assert_string_equal(name, want);
	assert_int_equal(s.creates, 2);
	assert_int_equal(s.n, 1);
	replica_stop(&a);
	store_release(&s);
}

static void
a_lost_answer_behind_an_occupied_name_makes_no_second_key(void **state UNUSED)
{
	struct store s = { .answer_lost = true };
	struct replica a;
	char taken[ROTATION_NAME_MAX], name[ROTATION_NAME_MAX];

	replica_start(&a, &s);
	begin(&a);
	rotation_name(PREFIX, a.occasion.seed, taken);
	put(&s, taken, NULL, true);
	fail_step(&a, ERR_TRANSPORT);
	/* What was in the way has gone meanwhile. */
	s.secret[0].name[0] = '\0';
	succeed(&a, name, false);
	assert_string_not_equal(name, taken);
	assert_int_equal(s.n, 2);
	replica_stop(&a);
	store_release(&s);
}

static void
gives_up_after_sixteen_names(void **state UNUSED)
{
	struct store s = { .all_taken = true };
	struct replica a;

	replica_start(&a, &s);
	begin(&a);
	fail_step(&a, ERR_EXISTS);
	assert_int_equal(s.reads, ROTATION_TRIES_MAX);
	assert_int_equal(s.creates, 0);
	replica_stop(&a);
	store_release(&s);
}

static void
an_aborted_generation_stores_nothing(void **state UNUSED)
{
	struct store s = { 0 };
	struct replica a;
	struct stop stop;
	struct err err = ERR_INIT;
	char name[ROTATION_NAME_MAX];
	bool created;

	stop_init(&stop);
	stop_request(&stop);
	replica_start(&a, &s);
	begin(&a);
	assert_int_equal(rotation_step(&a.occasion, &config, &fixture_clock,
			     &a.backend, a.keys, &stop, name, &created, &err),
	    -1);
	assert_int_equal(err.code, ERR_CANCELLED);
	assert_true(a.occasion.open);
	assert_int_equal(s.creates, 0);
	assert_int_equal(registry_count(a.keys), 0);
	stop_release(&stop);
	replica_stop(&a);
	store_release(&s);
}

static void
an_open_occasion_stays_what_it_is(void **state UNUSED)
{
	struct store s = { 0 };
	struct replica a;
	struct rotation_occasion before;
	struct err err = ERR_INIT;

	replica_start(&a, &s);
	begin(&a);
	before = a.occasion;
	assert_int_equal(
	    keyring_add(a.keys, "late", fixture_key(0), NOW_S, &err), 0);
	begin(&a);
	assert_string_equal(a.occasion.seed, before.seed);
	replica_stop(&a);
	store_release(&s);
}

static void
other_namespaces_begin_with_other_names(void **state UNUSED)
{
	struct rotation_config cfg = config;
	struct rotation_occasion a = { 0 }, b = { 0 };
	AUTO(registry) struct registry *r = registry_new(&fixture_clock);

	rotation_begin(&a, &cfg, r);
	cfg.ns = "other";
	rotation_begin(&b, &cfg, r);
	assert_string_not_equal(a.seed, b.seed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(due_follows_age_period_and_cutoff),
		cmocka_unit_test(a_key_is_due_at_once_where_there_is_none),
		cmocka_unit_test(due_counts_parts_of_a_second),
		cmocka_unit_test(
		    a_certificate_made_after_the_cutoff_satisfies_it),
		cmocka_unit_test(extreme_times_do_not_overflow),
		cmocka_unit_test(names_follow_from_prefix_and_seed_alone),
		cmocka_unit_test(the_longest_prefix_keeps_its_five_characters),
		cmocka_unit_test(
		    names_use_the_letters_of_generated_names_evenly),
		cmocka_unit_test(a_start_without_a_key_makes_one),
		cmocka_unit_test(rivals_at_a_first_start_share_one_key),
		cmocka_unit_test(
		    a_slow_rival_at_a_first_start_takes_the_other_s_key),
		cmocka_unit_test(
		    the_first_key_of_a_new_cluster_leaves_the_name_to_a_backup),
		cmocka_unit_test(no_key_is_made_before_it_is_known_whose_it_is),
		cmocka_unit_test(a_rival_between_read_and_create_wins),
		cmocka_unit_test(rivals_at_a_renewal_share_one_key),
		cmocka_unit_test(a_lost_answer_makes_no_second_key),
		cmocka_unit_test(a_lost_answer_and_a_reload_make_no_second_key),
		cmocka_unit_test(
		    failures_keep_the_occasion_open_under_one_name),
		cmocka_unit_test(the_next_occasion_makes_another_key),
		cmocka_unit_test(
		    a_newest_key_from_the_future_does_not_stop_new_keys),
		cmocka_unit_test(
		    an_inactive_occupant_gives_way_to_the_next_name),
		cmocka_unit_test(
		    a_malformed_occupant_gives_way_to_the_next_name),
		cmocka_unit_test(an_occupant_that_vanishes_leaves_its_name),
		cmocka_unit_test(
		    a_lost_answer_behind_an_occupied_name_makes_no_second_key),
		cmocka_unit_test(gives_up_after_sixteen_names),
		cmocka_unit_test(an_aborted_generation_stores_nothing),
		cmocka_unit_test(an_open_occasion_stays_what_it_is),
		cmocka_unit_test(other_namespaces_begin_with_other_names),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_forget);
}
