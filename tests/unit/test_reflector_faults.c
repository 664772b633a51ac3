/*
 * Tests of controller/cache/reflector.c and setback.c: expired versions,
 * refusals, cut and silent streams, answers over the limit; the cases of
 * client-go's reflector tests and those of our own.
 * layer: cache
 */
#include "reflectorrig.h"

/* ---- expired versions and tokens ---- */

static void
an_expired_version_means_one_list_at_once(void **state)
{
	struct fixture *f = *state;

	for (int as_event = 0; as_event < 2; as_event++) {
		use(f, &KUBE_SECRETS, NULL, NULL);
		lists(f, LIST("10", OBJ("a", "x", "u1", "5")));
		starts_watch(f, "10");
		if (as_event == 1) {
			scriptmux_begin(scriptmux_only(&f->mux), 200, true, -1);
			says_finally(
			    f, EVENT("ERROR", STATUS("410", "Expired", "")));
		} else {
			answers(f, 410, STATUS("410", "Expired", ""));
		}
		f->log[0] = '\0';
		lists(f, LIST("20", OBJ("a", "x", "u1", "5")));
		told(f, "La/x:u1@5>5 ");
		opens_watch(f, "20");
		assert_int_equal(f->troubles, 0);
	}
	assert_int_equal(restarts(f, "expired"), 2);
}

static void
versions_that_expire_all_the_time_are_paced(void **state)
{
	struct fixture *f = *state;
	static const uint64_t want[] = { 0, 1600, 3200, 6400, 12800, 25600,
		30000, 30000 };

	lists(f, LIST("10", ""));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		starts_watch(f, "10");
		answers(f, 410, STATUS("410", "Expired", ""));
		if (want[i] > 0)
			waits(f, want[i]);
		lists(f, LIST("10", ""));
	}
	/* Two quiet minutes later all is forgiven. */
	opens_watch(f, "10");
	fakeclock_advance_ms(&f->clock, QUIET_MS);
	says_finally(f, EVENT("ERROR", STATUS("410", "Gone", "")));
	lists(f, LIST("10", ""));
}

static void
an_expired_token_means_one_whole_list(void **state)
{
	struct fixture *f = *state;
	struct kube_stream *s;

	comes_into_sync(f);
	says(f, EVENT("ADDED", OBJ("b", "y", "u2", "11")));
	says_finally(f, EVENT("ERROR", STATUS("410", "Expired", "")));
	f->log[0] = '\0';
	/* b/y is seen by the list that is given up, and gone in the next. */
	lists(f, PAGE("20", "next", OBJ("b", "y", "u2", "11")));
	starts_list(f);
	answers(f, 410, STATUS("410", "Expired", ""));
	told(f, "Lb/y:u2@11>11 ");
	s = starts_list(f);
	assert_string_equal(s->path, "/api/v1/secrets");
	answers(f, 200, LIST("21", OBJ("a", "x", "u1", "5")));
	told(f, "La/x:u1@5>5 -b/y:u2 ");
	opens_watch(f, "21");
	/* The next one has pages again. */
	fakeclock_advance_ms(&f->clock, QUIET_MS);
	says_finally(f, EVENT("ERROR", STATUS("410", "Expired", "")));
	assert_string_equal(starts_list(f)->path, LIST_PATH);
}

static void
a_whole_list_that_expires_waits(void **state)
{
	struct fixture *f = *state;

	lists(f, PAGE("20", "next", OBJ("b", "y", "u2", "11")));
	starts_list(f);
	answers(f, 410, STATUS("410", "Expired", ""));
	starts_list(f);
	answers(f, 410, STATUS("410", "Expired", ""));
	waits(f, FIRST_MS);
	assert_string_equal(starts_list(f)->path, LIST_PATH);
	answers(f, 410, STATUS("410", "Expired", ""));
	waits(f, 2 * FIRST_MS);
	assert_false(reflector_has_synced(f->r));
}

static void
pages_that_never_end_are_given_up(void **state)
{
	struct fixture *f = *state;

	lists(f, PAGE("20", "same", OBJ("b", "y", "u2", "11")));
	lists(f, PAGE("20", "same", OBJ("b", "y", "u2", "11")));
	/* Once more without a limit, then in peace. */
	assert_string_equal(starts_list(f)->path, "/api/v1/secrets");
	answers(f, 200, PAGE("20", "same", ""));
	lists(f, PAGE("20", "same", ""));
	waits(f, FIRST_MS);
	assert_false(reflector_has_synced(f->r));
}

static void
a_version_from_the_future_waits_then_lists(void **state)
{
	struct fixture *f = *state;
	static const char too_large[] = STATUS("504", "Timeout",
	    ",\"details\":{\"retryAfterSeconds\":1,\"causes\":[{\"reason\":"
	    "\"ResourceVersionTooLarge\"}]}");

	comes_into_sync(f);
	ends(f, ERR_TRANSPORT);
	waits(f, FIRST_MS);
	starts_watch(f, "10");
	answers(f, 504, too_large);
	waits(f, 1600);
	starts_watch(f, "10");
	answers(f, 504, too_large);
	waits(f, 3200);
	lists(f, LIST("3", OBJ("a", "x", "u1", "2")));
	told(f, "La/x:u1@5>2 ");
	opens_watch(f, "3");
}

/* ---- refusals and cuts ---- */

static void
too_many_requests_means_waiting_not_listing(void **state)
{
	struct fixture *f = *state;
	static const struct {
		int retry_after;
		uint64_t want;
	} cases[] = {
		{ -1, 800 },
		{ 0, 1600 },
		{ 1, 3200 },
		{ 30, 30000 },
		{ 2, 12800 },
		{ 3600, 60000 },
	};

	comes_into_sync(f);
	ends(f, ERR_NONE);
	waits(f, FIRST_MS);
	fakeclock_advance_ms(&f->clock, QUIET_MS);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		starts_watch(f, "10");
		refuses(f, 429, cases[i].retry_after);
		waits(f, cases[i].want);
	}
	starts_watch(f, "10");
	assert_int_equal(restarts(f, "throttled"), ARRAY_SIZE(cases));
}

static void
a_throttled_page_is_asked_for_again(void **state)
{
	struct fixture *f = *state;

	lists(f, PAGE("10", "next", OBJ("a", "x", "u1", "5")));
	for (uint64_t n = 0; n < 5; n++) {
		assert_string_equal(
		    starts_list(f)->path, LIST_PATH "&continue=next");
		refuses(f, 429, -1);
		waits(f, FIRST_MS << n);
	}
	lists(f, LIST("10", OBJ("b", "y", "u2", "5")));
	told(f, "La/x:u1@5 Lb/y:u2@5 synced ");
}

static void
a_page_that_keeps_failing_starts_the_list_over(void **state)
{
	struct fixture *f = *state;

	lists(f, PAGE("10", "next", OBJ("a", "x", "u1", "5")));
	for (uint64_t n = 0; n < 3; n++) {
		assert_string_equal(
		    starts_list(f)->path, LIST_PATH "&continue=next");
		refuses(f, 500, -1);
		waits(f, FIRST_MS << n);
	}
	assert_string_equal(starts_list(f)->path, LIST_PATH);
	answers(f, 200, LIST("11", OBJ("b", "y", "u2", "5")));
	told(f, "La/x:u1@5 Lb/y:u2@5 -a/x:u1 synced ");
}

static void
errors_of_the_server_wait_then_list(void **state)
{
	struct fixture *f = *state;
	static const char event[] =
	    EVENT("ERROR", STATUS("500", "InternalError", ""));

	comes_into_sync(f);
	says_finally(f, event);
	waits(f, FIRST_MS);
	opens_watch(f, "10");
	says_finally(f, event);
	waits(f, 2 * FIRST_MS);
	starts_watch(f, "10");
	refuses(f, 503, -1);
	waits(f, 4 * FIRST_MS);
	starts_list(f);
	/* Ten minutes of it: never more than 30 s apart, never the end. */
	for (int i = 0; i < 20; i++) {
		refuses(f, 502, -1);
		if (i > 2)
			waits(f, 30000);
		else
			waits(f, FIRST_MS << (3 + i));
		starts_list(f);
	}
	answers(f, 200, LIST("30", OBJ("a", "x", "u1", "5")));
	told(f, "La/x:u1@5>5 ");
}

static void
progress_forgives_the_failures_before_it(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	for (uint64_t n = 0; n < 2; n++) {
		ends(f, ERR_TRANSPORT);
		waits(f, FIRST_MS << n);
		opens_watch(f, "10");
	}
	says(f, BOOKMARK("11"));
	for (uint64_t n = 0; n < 2; n++) {
		ends(f, ERR_TRANSPORT);
		waits(f, FIRST_MS << n);
		opens_watch(f, "11");
	}
	ends(f, ERR_TRANSPORT);
	waits(f, FIRST_MS << 2);
	starts_list(f);
}

/* An outage long enough for the version to expire: once the server answers,
 * nothing is waited for any more. */
static void
an_expired_version_after_an_outage_means_one_list_at_once(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	for (uint64_t n = 0; n < 2; n++) {
		ends(f, ERR_TRANSPORT);
		waits(f, FIRST_MS << n);
		starts_watch(f, "10");
	}
	answers(f, 410, STATUS("410", "Expired", ""));
	lists(f, LIST("20", ""));
	opens_watch(f, "20");
}

static void
a_wrong_token_is_tried_again_at_once_but_once(void **state)
{
	struct fixture *f = *state;

	starts_list(f);
	refuses(f, 401, -1);
	assert_int_equal(f->troubles, 0);
	starts_list(f);
	refuses(f, 401, -1);
	assert_int_equal(f->troubles, 1);
	assert_int_equal(f->trouble.code, ERR_UNAUTHORIZED);
	waits(f, FIRST_MS);
	starts_list(f);
	refuses(f, 401, -1);
	waits(f, 2 * FIRST_MS);
	/* An answer in between: the next one is new. */
	lists(f, LIST("10", ""));
	for (int i = 0; i < 3; i++) {
		starts_watch(f, "10");
		refuses(f, 401, -1);
		opens_watch(f, "10");
		fakeclock_advance_s(&f->clock, 300);
		ends(f, ERR_NONE);
	}
}

static void
a_refused_list_is_told_and_tried_for_ever(void **state)
{
	struct fixture *f = *state;
	static const struct {
		int status;
		enum err_code code;
	} cases[] = {
		{ 404, ERR_NOTFOUND },
		{ 406, ERR_BADREQUEST },
		{ 301, ERR_SERVER },
		{ 204, ERR_SERVER },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t waited = 0, ms;
		unsigned tries = 0;

		use(f, &KUBE_SECRETS, NULL, NULL);
		f->troubles = 0;
		while (waited < 600000) {
			starts_list(f);
			refuses(f, cases[i].status, -1);
			tries++;
			ms = reflector_tick(f->r);
			assert_in_range(ms, FIRST_MS, 30000);
			waits(f, ms);
			waited += ms;
		}
		assert_in_range(tries, 20, 26);
		/* At most one line in 30 s. */
		assert_in_range(f->troubles, 18, 21);
		assert_int_equal(f->trouble.code, cases[i].code);
		assert_non_null(strstr(f->trouble.msg, "list secrets: "));
		assert_false(reflector_has_synced(f->r));
		/* Cured. */
		lists(f, LIST("10", ""));
		assert_true(reflector_has_synced(f->r));
	}
}

/* As an API server does to everybody while it starts: not believed yet. */
static void
refuses_for_a_moment(struct fixture *f)
{
	for (uint64_t n = 1; n < 3; n++) {
		starts_watch(f, "10");
		refuses(f, 403, -1);
		waits(f, n * 1000);
	}
	assert_int_equal(f->troubles, 0);
}

static void
a_watch_that_is_refused_for_a_moment_goes_on(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	/* A long outage before it counts for nothing here. */
	for (uint64_t n = 0; n < 2; n++) {
		ends(f, ERR_TRANSPORT);
		waits(f, FIRST_MS << n);
		if (n < 1)
			starts_watch(f, "10");
	}
	f->troubles = 0;
	refuses_for_a_moment(f);
	opens_watch(f, "10");
	says(f, EVENT("ADDED", OBJ("a", "y", "u2", "13")));
	told(f, "Wa/y:u2@13 ");
}

static void
a_list_that_is_not_granted_is_told_once_in_our_words(void **state)
{
	struct fixture *f = *state;
	uint64_t ms;

	use(f, &KUBE_SECRETS, "a", NULL);
	assert_false(reflector_is_settled(f->r));
	for (unsigned n = 0; n < 20; n++) {
		starts_list(f);
		refuses(f, 403, -1);
		assert_true(reflector_is_settled(f->r));
		ms = reflector_tick(f->r);
		assert_in_range(ms, FIRST_MS, 30000);
		waits(f, ms);
	}
	assert_int_equal(f->troubles, 1);
	assert_int_equal(f->trouble.code, ERR_FORBIDDEN);
	assert_string_equal(f->trouble.msg, "list secrets in namespace a");
	assert_false(reflector_has_synced(f->r));
	/* Granted, and taken away again: that is news. */
	lists(f, LIST("10", ""));
	assert_true(reflector_has_synced(f->r));
	opens_watch(f, "10");
	ends(f, ERR_TRANSPORT);
	waits(f, reflector_tick(f->r));
	f->troubles = 0;
	refuses_for_a_moment(f);
	starts_watch(f, "10");
	refuses(f, 403, -1);
	assert_int_equal(f->troubles, 1);
	assert_string_equal(f->trouble.msg, "watch secrets in namespace a");
}

static void
lists_now_and_then_where_it_may_not_watch(void **state)
{
	struct fixture *f = *state;

	f->cfg.poll_ms = 4000;
	use(f, &KUBE_SECRETS, NULL, NULL);
	lists(f, LIST("10", OBJ("a", "x", "u1", "5")));
	told(f, "La/x:u1@5 synced ");
	starts_watch(f, "10");
	refuses(f, 403, -1);
	/* The watch is tried again after a minute, not at each list. */
	for (unsigned n = 0; n < 14; n++) {
		waits(f, 4000);
		lists(f, LIST("11", OBJ("a", "x", "u1", "5")));
		told(f, "La/x:u1@5>5 ");
	}
	waits(f, 4000);
	lists(f, LIST("12", ""));
	told(f, "-a/x:u1 ");
	assert_int_equal(f->troubles, 1);
	assert_string_equal(f->trouble.msg, "watch secrets");
	/* Granted at last. */
	opens_watch(f, "12");
	says(f, EVENT("ADDED", OBJ("a", "y", "u2", "13")));
	told(f, "Wa/y:u2@13 ");
}

static void
losing_the_right_to_watch_removes_nothing(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	ends(f, ERR_TRANSPORT);
	waits(f, FIRST_MS);
	refuses_for_a_moment(f);
	starts_watch(f, "10");
	refuses(f, 403, -1);
	waits(f, 30000);
	for (uint64_t n = 1; n < 10; n++) {
		starts_list(f);
		refuses(f, 403, -1);
		waits(f, n < 6 ? FIRST_MS << n : 30000);
	}
	assert_int_equal(f->trouble.code, ERR_FORBIDDEN);
	assert_int_equal(f->troubles, 1);
	told(f, "");
	assert_true(reflector_has_synced(f->r));
	assert_int_equal(index_count(f->index), 1);
}

static void
a_vanished_resource_removes_nothing_until_a_list_says_so(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	ends(f, ERR_TRANSPORT);
	waits(f, FIRST_MS);
	for (uint64_t n = 1; n < 3; n++) {
		starts_watch(f, "10");
		refuses(f, 404, -1);
		waits(f, FIRST_MS << n);
	}
	for (uint64_t n = 3; n < 6; n++) {
		starts_list(f);
		refuses(f, 404, -1);
		waits(f, FIRST_MS << n);
	}
	told(f, "");
	lists(f, LIST("50", ""));
	told(f, "-a/x:u1 ");
}

static void
the_answer_of_a_refusal_is_read_only_so_far(void **state)
{
	struct fixture *f = *state;
	static char page[4096];
	bool more = true;
	unsigned n = 0;

	memset(page, 'x', sizeof(page));
	scriptmux_begin(starts_list(f), 500, false, -1);
	while (more && n++ < 100)
		more = scriptmux_data(
		    &f->mux, scriptmux_only(&f->mux), page, sizeof(page));
	assert_in_range(n, 2, 10);
	assert_int_equal(f->trouble.code, ERR_SERVER);
	waits(f, FIRST_MS);
}

static void
garbage_is_told_and_never_taken_for_a_list(void **state)
{
	struct fixture *f = *state;
	static const struct {
		bool json;
		const char *body;
	} cases[] = {
		{ false, "<html>It works</html>" },
		{ false, LIST("10", "") },
		{ true, "<html>It works</html>" },
		{ true, "{}" },
		{ true, "[]" },
		{ true, "" },
		{ true, "{\"kind\":\"Status\",\"status\":\"Success\"}" },
		{ true, "{\"items\":[]}" },
		{ true, LIST("", "") },
		{ true, "{\"items\":[7]" LIST_TAIL("10", "") },
		{ true, "{\"items\":[" LIST_TAIL("10", "") "{}" },
	};

	comes_into_sync(f);
	says_finally(f, EVENT("ERROR", STATUS("410", "Expired", "")));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kube_stream *s = starts_list(f);

		f->troubles = 0;
		scriptmux_begin(s, 200, cases[i].json, -1);
		if (scriptmux_text(&f->mux, s, cases[i].body))
			scriptmux_end(&f->mux, s, ERR_NONE);
		assert_int_equal(f->troubles, 1);
		assert_int_equal(f->trouble.code, ERR_INVALID);
		waits(f, reflector_tick(f->r));
		fakeclock_advance_s(&f->clock, 31);
	}
	/* Nobody was declared gone for it. */
	told(f, "");
	assert_int_equal(index_count(f->index), 1);
}

static void
garbage_in_a_watch_waits_then_lists(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	says_finally(f, "no event\n" EVENT("ADDED", OBJ("b", "y", "u2", "9")));
	assert_int_equal(f->trouble.code, ERR_INVALID);
	waits(f, FIRST_MS);
	opens_watch(f, "10");
	says_finally(f, "{\"type\":\"ADDED\"}\n");
	waits(f, 2 * FIRST_MS);
	scriptmux_begin(starts_watch(f, "10"), 200, false, -1);
	says_finally(f, "<html>");
	waits(f, 4 * FIRST_MS);
	starts_list(f);
	told(f, "");
}

static void
an_unknown_event_is_skipped(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	says(f,
	    EVENT("RENAMED", OBJ("a", "x", "u1", "11"))
		EVENT("ADDED", OBJ("b", "y", "u2", "12")));
	told(f, "Wb/y:u2@12 ");
	assert_int_equal(f->troubles, 1);
	assert_non_null(strstr(f->trouble.msg, "event skipped"));
}

/* ---- short, silent and cut streams ---- */

static void
very_short_watches_do_not_make_a_busy_loop(void **state)
{
	struct fixture *f = *state;
	uint64_t waited = 0;
	unsigned watches = 0;

	lists(f, LIST("10", ""));
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t ms = reflector_tick(f->r);

		if (f->mux.nopen == 0) {
			fakeclock_advance_ms(&f->clock, ms);
			waited += ms;
			continue;
		}
		scriptmux_begin(scriptmux_only(&f->mux), 200, true, -1);
		if (strstr(scriptmux_only(&f->mux)->path, "watch=") == NULL)
			says(f, LIST("10", ""));
		else
			watches++;
		ends(f, ERR_NONE);
	}
	assert_true(watches > 300);
	/* Once the waits have grown, one request in 30 s and the list that
	 * each third failure brings. */
	assert_true(waited / watches > 29000);
	assert_true(f->troubles > 0);
	assert_int_equal(restarts(f, "short"), watches);
}

static void
short_watches_with_events_come_once_a_second(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	for (int i = 0; i < 10; i++) {
		fakeclock_advance_ms(&f->clock, 300);
		says(f, EVENT("MODIFIED", OBJ("a", "x", "u1", "11")));
		ends(f, ERR_NONE);
		waits(f, 700);
		opens_watch(f, "11");
	}
	assert_int_equal(f->troubles, 0);
}

static void
a_watch_that_ends_in_time_goes_on_at_once(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	for (int i = 0; i < 5; i++) {
		fakeclock_advance_s(&f->clock, i == 0 ? 1 : 300);
		ends(f, ERR_NONE);
		opens_watch(f, "10");
	}
	assert_int_equal(f->troubles, 0);
	assert_int_equal(f->mux.started, 7);
}

static void
a_silent_watch_is_started_again_from_its_version(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	says(f, BOOKMARK("11"));
	fakeclock_advance_s(&f->clock, 180);
	ends(f, ERR_TIMEOUT);
	waits(f, FIRST_MS);
	opens_watch(f, "11");
	fakeclock_advance_s(&f->clock, 180);
	ends(f, ERR_TIMEOUT);
	waits(f, FIRST_MS);
	/* Not worth a line while it heals at once. */
	assert_int_equal(f->troubles, 0);
	assert_int_equal(restarts(f, "timeout"), 2);
}

static void
lasting_trouble_of_the_path_is_told(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	ends(f, ERR_TRANSPORT);
	assert_int_equal(f->troubles, 0);
	waits(f, FIRST_MS);
	starts_watch(f, "10");
	ends(f, ERR_TRANSPORT);
	assert_int_equal(f->troubles, 1);
	assert_int_equal(f->trouble.code, ERR_TRANSPORT);
	/* Before the first list is in, at once. */
	use(f, &KUBE_SECRETS, NULL, NULL);
	starts_list(f);
	ends(f, ERR_TRANSPORT);
	assert_int_equal(f->troubles, 2);
}

static void
failures_are_forgiven_after_two_quiet_minutes(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	ends(f, ERR_TRANSPORT);
	waits(f, FIRST_MS);
	opens_watch(f, "10");
	fakeclock_advance_ms(&f->clock, QUIET_MS - FIRST_MS - 1);
	ends(f, ERR_TRANSPORT);
	waits(f, 2 * FIRST_MS);
	opens_watch(f, "10");
	fakeclock_advance_ms(&f->clock, QUIET_MS - 2 * FIRST_MS);
	ends(f, ERR_TRANSPORT);
	waits(f, FIRST_MS);
}

static void
a_request_that_cannot_start_waits(void **state)
{
	struct fixture *f = *state;

	f->mux.refuse = true;
	assert_int_equal(reflector_tick(f->r), FIRST_MS);
	assert_int_equal(f->trouble.code, ERR_TRANSPORT);
	fakeclock_advance_ms(&f->clock, FIRST_MS);
	assert_int_equal(reflector_tick(f->r), 2 * FIRST_MS);
	fakeclock_advance_ms(&f->clock, 2 * FIRST_MS);
	f->mux.refuse = false;
	starts_list(f);
}

static void
an_end_without_an_answer_is_a_failure(void **state)
{
	struct fixture *f = *state;

	starts_list(f);
	ends(f, ERR_NONE);
	assert_int_equal(f->trouble.code, ERR_TRANSPORT);
	waits(f, FIRST_MS);
}

/* ---- over the limit ---- */

/* One string value of more than KUBE_ITEM_MAX bytes. */
static bool
says_too_much(struct fixture *f)
{
	static char piece[256 * 1024];

	memset(piece, 'x', sizeof(piece));
	for (size_t n = 0; n <= KUBE_ITEM_MAX; n += sizeof(piece))
		if (!scriptmux_data(
			&f->mux, scriptmux_only(&f->mux), piece, sizeof(piece)))
			return false;
	return true;
}

static void
an_oversize_line_means_one_list_then_paced_ones(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	for (uint64_t n = 0; n < 4; n++) {
		says(f, "{\"type\":\"ADDED\",\"object\":{\"x\":\"");
		assert_false(says_too_much(f));
		if (n > 0)
			waits(f, FIRST_MS << n);
		lists(f, LIST("10", OBJ("a", "x", "u1", "5")));
		opens_watch(f, "10");
	}
	assert_int_equal(f->troubles, 1);
	assert_int_equal(f->trouble.code, ERR_TOOBIG);
	assert_int_equal(restarts(f, "oversize"), 4);
	says(f, EVENT("ADDED", OBJ("b", "y", "u2", "11")));
	assert_int_equal(index_count(f->index), 2);
}

static void
an_oversize_item_of_a_list_is_skipped_and_told(void **state)
{
	struct fixture *f = *state;

	scriptmux_begin(starts_list(f), 200, true, -1);
	says(f,
	    "{\"items\":[" OBJ("a", "x", "u1", "5") ",{\"metadata\":"
						    "{\"name\":\"");
	assert_true(says_too_much(f));
	says(f, "\"}}," OBJ("b", "y", "u2", "6") LIST_TAIL("10", ""));
	ends(f, ERR_NONE);
	told(f, "La/x:u1@5 Lb/y:u2@6 synced ");
	assert_int_equal(f->troubles, 1);
	assert_int_equal(f->trouble.code, ERR_TOOBIG);
	opens_watch(f, "10");
}

static void
an_absurd_version_is_not_remembered(void **state)
{
	struct fixture *f = *state;
	char text[4096];
	size_t len;

	comes_into_sync(f);
	len = (size_t)snprintf(text, sizeof(text),
	    "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":"
	    "{\"resourceVersion\":\"");
	memset(text + len, '1', 2000);
	(void)snprintf(text + len + 2000, sizeof(text) - len - 2000, "\"}}}\n");
	says(f, text);
	fakeclock_advance_s(&f->clock, 300);
	ends(f, ERR_NONE);
	starts_watch(f, "10");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_expired_version_means_one_list_at_once),
		TEST(versions_that_expire_all_the_time_are_paced),
		TEST(an_expired_token_means_one_whole_list),
		TEST(a_whole_list_that_expires_waits),
		TEST(pages_that_never_end_are_given_up),
		TEST(a_version_from_the_future_waits_then_lists),
		TEST(too_many_requests_means_waiting_not_listing),
		TEST(a_throttled_page_is_asked_for_again),
		TEST(a_page_that_keeps_failing_starts_the_list_over),
		TEST(errors_of_the_server_wait_then_list),
		TEST(progress_forgives_the_failures_before_it),
		TEST(an_expired_version_after_an_outage_means_one_list_at_once),
		TEST(a_wrong_token_is_tried_again_at_once_but_once),
		TEST(a_refused_list_is_told_and_tried_for_ever),
		TEST(a_watch_that_is_refused_for_a_moment_goes_on),
		TEST(a_list_that_is_not_granted_is_told_once_in_our_words),
		TEST(lists_now_and_then_where_it_may_not_watch),
		TEST(losing_the_right_to_watch_removes_nothing),
		TEST(a_vanished_resource_removes_nothing_until_a_list_says_so),
		TEST(the_answer_of_a_refusal_is_read_only_so_far),
		TEST(garbage_is_told_and_never_taken_for_a_list),
		TEST(garbage_in_a_watch_waits_then_lists),
		TEST(an_unknown_event_is_skipped),
		TEST(very_short_watches_do_not_make_a_busy_loop),
		TEST(short_watches_with_events_come_once_a_second),
		TEST(a_watch_that_ends_in_time_goes_on_at_once),
		TEST(a_silent_watch_is_started_again_from_its_version),
		TEST(lasting_trouble_of_the_path_is_told),
		TEST(failures_are_forgiven_after_two_quiet_minutes),
		TEST(a_request_that_cannot_start_waits),
		TEST(an_end_without_an_answer_is_a_failure),
		TEST(an_oversize_line_means_one_list_then_paced_ones),
		TEST(an_oversize_item_of_a_list_is_skipped_and_told),
		TEST(an_absurd_version_is_not_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
