/*
 * Tests of controller/cache/setback.c.
 * layer: cache
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "controller/cache/setback.h"

#define BEGIN_MS 1000000
#define QUIET_MS 120000
#define POLL_MS	 4000

static uint32_t
no_jitter(void)
{
	return 0;
}

static void
fresh(struct setback *s)
{
	setback_init(s, no_jitter, POLL_MS);
}

struct outcome {
	enum setback_place place;
	uint64_t wait_ms;
	enum setback_say say;
};

static void
expect(const char *what, struct setback_plan plan, struct outcome want)
{
	if (plan.place != want.place || plan.wait_ms != want.wait_ms ||
	    plan.say != want.say)
		fail_msg("%s: place %d, wait %llu, say %d", what, plan.place,
		    (unsigned long long)plan.wait_ms, plan.say);
}

/* As of a program that has listed before. */
static struct setback_plan
list_fails(struct setback *s, enum err_code code, uint64_t now_ms)
{
	struct err why = { .code = code };

	return setback_list(s,
	    &(struct setback_end) {
		.why = &why, .now_ms = now_ms, .synced = true });
}

static struct setback_plan
watch_fails(struct setback *s, enum err_code code, uint64_t now_ms)
{
	struct err why = { .code = code };

	return setback_watch(s,
	    &(struct setback_end) {
		.why = &why,
		.now_ms = now_ms,
		.synced = true,
		.age_ms = 60000,
		.eventful = true,
	    });
}

static void
the_first_failure_of_each_kind_has_its_answer(void **state UNUSED)
{
	static const struct {
		enum err_code code;
		const char *reason;
		struct outcome list, watch;
	} cases[] = {
		{ ERR_TRANSPORT, "transport",
		    { SETBACK_HERE, 800, SETBACK_NOTHING },
		    { SETBACK_HERE, 800, SETBACK_NOTHING } },
		{ ERR_SERVER, "server", { SETBACK_HERE, 800, SETBACK_NOTHING },
		    { SETBACK_HERE, 800, SETBACK_NOTHING } },
		{ ERR_TIMEOUT, "timeout",
		    { SETBACK_HERE, 800, SETBACK_NOTHING },
		    { SETBACK_HERE, 800, SETBACK_NOTHING } },
		{ ERR_INVALID, "invalid",
		    { SETBACK_HERE, 800, SETBACK_TROUBLE },
		    { SETBACK_HERE, 800, SETBACK_TROUBLE } },
		{ ERR_UNAUTHORIZED, "unauthorized",
		    { SETBACK_HERE, 0, SETBACK_NOTHING },
		    { SETBACK_HERE, 0, SETBACK_NOTHING } },
		{ ERR_FORBIDDEN, "forbidden",
		    { SETBACK_HERE, 800, SETBACK_REFUSED },
		    { SETBACK_LIST, POLL_MS, SETBACK_REFUSED } },
		{ ERR_GONE, "expired", { SETBACK_LIST, 800, SETBACK_NOTHING },
		    { SETBACK_LIST, 0, SETBACK_NOTHING } },
		{ ERR_TOOBIG, "oversize",
		    { SETBACK_HERE, 800, SETBACK_TROUBLE },
		    { SETBACK_LIST, 0, SETBACK_TROUBLE } },
		{ ERR_NONE, "ended", { .wait_ms = 0 },
		    { SETBACK_HERE, 0, SETBACK_NOTHING } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct setback_plan plan;
		struct setback s;

		fresh(&s);
		plan = watch_fails(&s, cases[i].code, BEGIN_MS);
		expect(cases[i].reason, plan, cases[i].watch);
		assert_string_equal(plan.reason, cases[i].reason);
		/* A list that ended as it should is no failure. */
		if (cases[i].code == ERR_NONE)
			continue;
		fresh(&s);
		plan = list_fails(&s, cases[i].code, BEGIN_MS);
		expect(cases[i].reason, plan, cases[i].list);
		assert_string_equal(plan.reason, cases[i].reason);
	}
}

static void
before_the_first_list_every_trouble_is_told(void **state UNUSED)
{
	struct err why = { .code = ERR_TRANSPORT };
	struct setback s;

	fresh(&s);
	expect("before",
	    setback_list(
		&s, &(struct setback_end) { .why = &why, .now_ms = BEGIN_MS }),
	    (struct outcome) { SETBACK_HERE, 800, SETBACK_TROUBLE });
}

static void
lasting_trouble_waits_longer_is_told_and_starts_over(void **state UNUSED)
{
	static const struct outcome want[] = {
		{ SETBACK_HERE, 800, SETBACK_NOTHING },
		{ SETBACK_HERE, 1600, SETBACK_TROUBLE },
		{ SETBACK_LIST, 3200, SETBACK_TROUBLE },
		/* The place is another one. */
		{ SETBACK_HERE, 6400, SETBACK_TROUBLE },
		{ SETBACK_HERE, 12800, SETBACK_TROUBLE },
		{ SETBACK_LIST, 25600, SETBACK_TROUBLE },
		{ SETBACK_HERE, 30000, SETBACK_TROUBLE },
	};
	struct setback s;

	fresh(&s);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		expect(
		    "lasting", watch_fails(&s, ERR_SERVER, BEGIN_MS), want[i]);
}

static void
progress_or_two_quiet_minutes_forgive(void **state UNUSED)
{
	static const struct outcome first = { SETBACK_HERE, 800,
		SETBACK_NOTHING };
	static const struct outcome second = { SETBACK_HERE, 1600,
		SETBACK_TROUBLE };
	struct setback s;

	fresh(&s);
	expect("one", watch_fails(&s, ERR_SERVER, BEGIN_MS), first);
	setback_progress(&s);
	expect("progress", watch_fails(&s, ERR_SERVER, BEGIN_MS), first);
	/* A page is another place, but nothing else. */
	setback_moved(&s);
	expect("page", watch_fails(&s, ERR_SERVER, BEGIN_MS), second);
	expect(
	    "quiet", watch_fails(&s, ERR_SERVER, BEGIN_MS + QUIET_MS), first);
	fresh(&s);
	expect("one", watch_fails(&s, ERR_SERVER, BEGIN_MS), first);
	expect("soon", watch_fails(&s, ERR_SERVER, BEGIN_MS + QUIET_MS - 1),
	    second);
}

static void
a_server_that_asks_for_time_gets_it_and_keeps_its_place(void **state UNUSED)
{
	static const struct {
		unsigned asked_s;
		uint64_t wait_ms;
	} cases[] = { { 0, 800 }, { 7, 7000 }, { 60, 60000 }, { 3600, 60000 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err why = { .code = ERR_THROTTLED,
			.retry_after_s = cases[i].asked_s };
		struct setback_end end = { .why = &why,
			.now_ms = BEGIN_MS,
			.synced = true,
			.age_ms = 60000 };
		struct setback s;

		fresh(&s);
		assert_int_equal(
		    setback_watch(&s, &end).wait_ms, cases[i].wait_ms);
		for (unsigned n = 0; n < 10; n++)
			assert_int_equal(
			    setback_watch(&s, &end).place, SETBACK_HERE);
	}
}

static void
a_wrong_token_is_tried_again_at_once_but_once(void **state UNUSED)
{
	struct setback s;

	fresh(&s);
	assert_int_equal(list_fails(&s, ERR_UNAUTHORIZED, BEGIN_MS).wait_ms, 0);
	assert_int_equal(
	    list_fails(&s, ERR_UNAUTHORIZED, BEGIN_MS).wait_ms, 800);
	setback_answered(&s, false);
	assert_int_equal(list_fails(&s, ERR_UNAUTHORIZED, BEGIN_MS).wait_ms, 0);
}

static void
a_refused_watch_is_polled_for_and_tried_again_later(void **state UNUSED)
{
	struct setback s;

	fresh(&s);
	assert_true(setback_may_watch(&s, BEGIN_MS));
	(void)watch_fails(&s, ERR_FORBIDDEN, BEGIN_MS);
	assert_false(setback_may_watch(&s, BEGIN_MS));
	assert_false(setback_may_watch(&s, BEGIN_MS + 59999));
	assert_true(setback_may_watch(&s, BEGIN_MS + 60000));
}

static void
a_right_that_was_there_is_believed_lost_at_the_third_refusal(
    void **state UNUSED)
{
	struct setback s;

	fresh(&s);
	/* A list grants nothing. */
	setback_answered(&s, false);
	expect("never granted", watch_fails(&s, ERR_FORBIDDEN, BEGIN_MS),
	    (struct outcome) { SETBACK_LIST, POLL_MS, SETBACK_REFUSED });
	setback_answered(&s, true);
	for (unsigned round = 0; round < 2; round++) {
		expect("first", watch_fails(&s, ERR_FORBIDDEN, BEGIN_MS),
		    (struct outcome) { SETBACK_HERE, 1000, SETBACK_NOTHING });
		expect("second", list_fails(&s, ERR_FORBIDDEN, BEGIN_MS),
		    (struct outcome) { SETBACK_HERE, 2000, SETBACK_NOTHING });
		expect("third", watch_fails(&s, ERR_FORBIDDEN, BEGIN_MS),
		    (struct outcome) {
			SETBACK_LIST, POLL_MS, SETBACK_REFUSED });
		setback_answered(&s, true);
	}
}

static void
versions_that_expire_again_and_again_are_paced(void **state UNUSED)
{
	static const struct {
		uint64_t after_ms, wait_ms;
	} cases[] = {
		{ 0, 0 },
		{ 0, 1600 },
		{ 0, 3200 },
		{ QUIET_MS - 1, 6400 },
		{ QUIET_MS, 0 },
		{ 0, 1600 },
	};
	uint64_t now = BEGIN_MS;
	struct setback s;

	fresh(&s);
	/* Failures are counted apart. */
	(void)watch_fails(&s, ERR_SERVER, now);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		now += cases[i].after_ms;
		expect("expired", watch_fails(&s, ERR_GONE, now),
		    (struct outcome) {
			SETBACK_LIST, cases[i].wait_ms, SETBACK_NOTHING });
	}
}

static void
pages_that_expire_are_read_at_one_go(void **state UNUSED)
{
	struct err why = { .code = ERR_GONE };
	struct setback s;

	fresh(&s);
	expect("paged",
	    setback_list(&s,
		&(struct setback_end) {
		    .why = &why,
		    .now_ms = BEGIN_MS,
		    .synced = true,
		    .paged = true,
		}),
	    (struct outcome) { SETBACK_WHOLE_LIST, 0, SETBACK_NOTHING });
	expect("whole", list_fails(&s, ERR_GONE, BEGIN_MS),
	    (struct outcome) { SETBACK_LIST, 800, SETBACK_NOTHING });
}

static void
short_watches_make_no_busy_loop(void **state UNUSED)
{
	static const struct {
		uint64_t age_ms;
		bool eventful;
		const char *reason;
		uint64_t wait_ms;
		enum err_code code;
	} cases[] = {
		{ 0, false, "short", 800, ERR_TRANSPORT },
		{ 999, false, "short", 800, ERR_TRANSPORT },
		{ 1000, false, "ended", 0, ERR_NONE },
		{ 0, true, "ended", 1000, ERR_NONE },
		{ 400, true, "ended", 600, ERR_NONE },
		{ 1000, true, "ended", 0, ERR_NONE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err why = ERR_INIT;
		struct setback_plan plan;
		struct setback s;

		fresh(&s);
		plan = setback_watch(&s,
		    &(struct setback_end) {
			.why = &why,
			.now_ms = BEGIN_MS,
			.synced = true,
			.age_ms = cases[i].age_ms,
			.eventful = cases[i].eventful,
		    });
		assert_string_equal(plan.reason, cases[i].reason);
		assert_int_equal(plan.wait_ms, cases[i].wait_ms);
		assert_int_equal(plan.place, SETBACK_HERE);
		assert_int_equal(why.code, cases[i].code);
	}
}

int
main(void)
{
#define T(name) cmocka_unit_test(name)
	const struct CMUnitTest tests[] = {
		T(the_first_failure_of_each_kind_has_its_answer),
		T(before_the_first_list_every_trouble_is_told),
		T(lasting_trouble_waits_longer_is_told_and_starts_over),
		T(progress_or_two_quiet_minutes_forgive),
		T(a_server_that_asks_for_time_gets_it_and_keeps_its_place),
		T(a_wrong_token_is_tried_again_at_once_but_once),
		T(a_refused_watch_is_polled_for_and_tried_again_later),
		T(a_right_that_was_there_is_believed_lost_at_the_third_refusal),
		T(versions_that_expire_again_and_again_are_paced),
		T(pages_that_expire_are_read_at_one_go),
		T(short_watches_make_no_busy_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
