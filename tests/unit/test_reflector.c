/*
 * Tests of controller/cache/reflector.c: what it asks for, what becomes of
 * objects, answers in pieces. Its troubles are in test_reflector_faults.c.
 * layer: cache
 */
#include "reflectorrig.h"

/* ---- requests ---- */

static void
lists_in_pages_then_watches_from_the_version_of_the_list(void **state)
{
	struct fixture *f = *state;
	struct kube_stream *s;

	s = starts_list(f);
	assert_string_equal(s->path, LIST_PATH);
	assert_string_equal(s->accept, "application/json");
	assert_int_equal(s->idle_timeout_ms, 60000);
	answers(f, 200, PAGE("10", "to/ken+1", OBJ("a", "x", "u1", "5")));
	assert_false(reflector_has_synced(f->r));
	s = starts_list(f);
	assert_string_equal(s->path, LIST_PATH "&continue=to%2Fken%2B1");
	answers(f, 200, LIST("10", OBJ("b", "y", "u2", "6")));
	assert_true(reflector_has_synced(f->r));
	told(f, "La/x:u1@5 Lb/y:u2@6 synced ");
	s = starts(f);
	assert_string_equal(
	    s->path, "/api/v1/secrets?" WATCH_QUERY "10&timeoutSeconds=300");
	assert_string_equal(s->accept, "application/json");
	assert_int_equal(s->idle_timeout_ms, 180000);
}

static void
asks_for_one_namespace_and_a_selector(void **state)
{
	struct fixture *f = *state;
	struct kube_stream *s;

	f->cfg.page_limit = 7;
	use(f, &KUBE_SECRETS, "keys", "example.com/key=active");
	s = starts_list(f);
	assert_string_equal(s->path,
	    "/api/v1/namespaces/keys/secrets?labelSelector="
	    "example.com%2Fkey%3Dactive&limit=7");
	answers(f, 200, LIST("10", ""));
	s = starts_watch(f, "10");
	assert_non_null(strstr(s->path,
	    "/api/v1/namespaces/keys/secrets?labelSelector="
	    "example.com%2Fkey%3Dactive&watch=true"));
}

static void
asks_for_metadata_alone_where_that_is_enough(void **state)
{
	struct fixture *f = *state;
	struct kube_stream *s;

	use(f, &KUBE_SECRETS_META, NULL, NULL);
	s = starts_list(f);
	assert_string_equal(s->accept,
	    "application/json;as=PartialObjectMetadataList;"
	    "g=meta.k8s.io;v=v1");
	answers(f, 200, LIST("10", ""));
	s = starts_watch(f, "10");
	assert_string_equal(s->accept,
	    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
}

static uint32_t
largest(void)
{
	return UINT32_MAX;
}

static void
watches_last_five_to_ten_minutes(void **state)
{
	struct fixture *f = *state;
	uint32_t (*const randoms[])(void) = { smallest, largest, NULL };

	for (size_t i = 0; i < ARRAY_SIZE(randoms); i++) {
		struct kube_stream *s;
		const char *p;

		f->cfg.random = randoms[i];
		use(f, &KUBE_SECRETS, NULL, NULL);
		lists(f, LIST("10", ""));
		s = starts(f);
		p = strstr(s->path, "&timeoutSeconds=");
		assert_non_null(p);
		assert_in_range(strtoul(p + 16, NULL, 10), 300, 600);
		use(f, &KUBE_SECRETS, NULL, NULL);
	}
}

/* ---- objects ---- */

static void
reports_what_a_watch_brings(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	says(f,
	    EVENT("ADDED", OBJ("b", "y", "u2", "11"))
		EVENT("MODIFIED", OBJ("a", "x", "u1", "12"))
		    EVENT("DELETED", OBJ("a", "x", "u1", "13")));
	told(f, "Wb/y:u2@11 Wa/x:u1@5>12 -a/x:u1! ");
	assert_int_equal(index_count(f->index), 1);
}

static void
goes_on_from_the_version_of_the_last_event(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *event, *version;
	} cases[] = {
		{ EVENT("ADDED", OBJ("b", "y", "u2", "11")), "11" },
		{ EVENT("MODIFIED", OBJ("b", "y", "u2", "12")), "12" },
		{ EVENT("DELETED", OBJ("b", "y", "u2", "13")), "13" },
		{ BOOKMARK("14"), "14" },
		/* Opaque: not compared by size. */
		{ BOOKMARK("9-x/z"), "9-x%2Fz" },
		/* No version, no move. */
		{ EVENT("BOOKMARK", "{}"), "9-x%2Fz" },
	};

	comes_into_sync(f);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		says(f, cases[i].event);
		fakeclock_advance_s(&f->clock, 300);
		ends(f, ERR_NONE);
		opens_watch(f, cases[i].version);
	}
	assert_int_equal(f->troubles, 0);
	assert_int_equal(restarts(f, "ended"), ARRAY_SIZE(cases));
}

static void
duplicate_events_change_nothing(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	says(f, EVENT("MODIFIED", OBJ("a", "x", "u1", "5")));
	says(f, EVENT("ADDED", OBJ("a", "x", "u1", "5")));
	told(f, "Wa/x:u1@5>5 Wa/x:u1@5>5 ");
	assert_int_equal(index_count(f->index), 1);
}

static void
a_missed_delete_is_found_by_the_next_list(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	says(f, EVENT("ADDED", OBJ("b", "y", "u2", "11")));
	says_finally(f, EVENT("ERROR", STATUS("410", "Expired", "")));
	told(f, "Wb/y:u2@11 ");
	lists(f, LIST("20", OBJ("b", "y", "u2", "11")));
	told(f, "Lb/y:u2@11>11 -a/x:u1 ");
	opens_watch(f, "20");
}

static void
the_same_name_with_a_new_uid_is_a_new_object(void **state)
{
	struct fixture *f = *state;
	struct objkey key = { .ns = "a", .name = "x" };

	comes_into_sync(f);
	assert_true(index_note(f->index, &key, "u1", 1, 2, 3));
	says(f, EVENT("MODIFIED", OBJ("a", "x", "u9", "11")));
	told(f, "-a/x:u1 Wa/x:u9@11 ");
	says_finally(f, EVENT("ERROR", STATUS("410", "Expired", "")));
	lists(f, LIST("20", OBJ("a", "x", "u10", "15")));
	told(f, "-a/x:u9 La/x:u10@15 ");
	assert_int_equal(index_count(f->index), 1);
}

static void
results_of_workers_survive_events_and_lists(void **state)
{
	struct fixture *f = *state;
	struct objkey key = { .ns = "a", .name = "x" };
	struct index_record rec;

	comes_into_sync(f);
	assert_true(index_note(f->index, &key, "u1", 1, 2, 3));
	/* on_changed() compares with the index, notes included. */
	says(f, EVENT("MODIFIED", OBJ("a", "x", "u1", "11")));
	says_finally(f, EVENT("ERROR", STATUS("410", "Expired", "")));
	lists(f, LIST("20", OBJ("a", "x", "u1", "11")));
	assert_true(index_get(f->index, &key, &rec));
	assert_int_equal(rec.hint, 1);
	assert_int_equal(rec.result, 2);
	assert_int_equal(rec.note, 3);
}

static void
an_object_that_is_not_kept_is_not_stored(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	says(f, EVENT("ADDED", NOT_KEPT("b", "y", "u2", "11")));
	told(f, "");
	assert_int_equal(index_count(f->index), 1);
	/* No longer kept. */
	says(f, EVENT("MODIFIED", NOT_KEPT("a", "x", "u1", "12")));
	told(f, "-a/x:u1 ");
	assert_int_equal(index_count(f->index), 0);
}

static void
the_end_of_an_unknown_object_is_told_where_kept(void **state)
{
	struct fixture *f = *state;

	comes_into_sync(f);
	says(f, EVENT("DELETED", OBJ("b", "y", "u2", "11")));
	told(f, "-b/y:u2! ");
	says(f, EVENT("DELETED", NOT_KEPT("b", "z", "u3", "12")));
	told(f, "");
	says(f, EVENT("DELETED", NOT_KEPT("a", "x", "u1", "13")));
	told(f, "-a/x:u1! ");
}

static void
a_bad_object_does_not_disturb_the_good_ones(void **state)
{
	struct fixture *f = *state;
	static const char *const bad[] = {
		"{}",
		"{\"metadata\":7}",
		"{\"metadata\":{\"name\":\"x\"}}",
		OBJ("", "x", "u9", "1"),
		OBJ("a", "", "u9", "1"),
		OBJ("a", "../x", "u9", "1"),
		OBJ("A b", "x", "u9", "1"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char text[1024];

		use(f, &KUBE_SECRETS, NULL, NULL);
		f->troubles = 0;
		(void)snprintf(text, sizeof(text),
		    "{\"items\":[" OBJ("a", "x", "u1", "5") ",%s," OBJ(
			"b", "y", "u2", "6") LIST_TAIL("10", ""),
		    bad[i]);
		lists(f, text);
		assert_true(reflector_has_synced(f->r));
		assert_int_equal(f->troubles, 1);
		assert_int_equal(f->trouble.code, ERR_INVALID);
		opens_watch(f, "10");
		(void)snprintf(text, sizeof(text),
		    "{\"type\":\"ADDED\",\"object\":%s}\n" EVENT(
			"ADDED", OBJ("b", "z", "u3", "11")),
		    bad[i]);
		says(f, text);
		assert_int_equal(index_count(f->index), 3);
		/* The same trouble again: no second line. */
		assert_int_equal(f->troubles, 1);
	}
}

static void
a_bad_object_is_named_in_the_trouble(void **state)
{
	struct fixture *f = *state;

	lists(f, LIST("10", "{\"metadata\":{\"name\":\"lost\"}}"));
	assert_non_null(strstr(f->trouble.msg, "list secrets: object lost: "));
	opens_watch(f, "10");
	/* What is no name does not get into the text. */
	fakeclock_advance_s(&f->clock, 31);
	says(f, EVENT("ADDED", "{\"metadata\":{\"name\":\"a b\"}}"));
	assert_non_null(
	    strstr(f->trouble.msg, "watch secrets: object without a usable"));
	assert_null(strstr(f->trouble.msg, "a b"));
}

static void
an_object_of_another_namespace_is_not_taken(void **state)
{
	struct fixture *f = *state;

	use(f, &KUBE_SECRETS, "a", NULL);
	lists(f,
	    LIST("10", OBJ("a", "x", "u1", "5") "," OBJ("b", "y", "u2", "6")));
	told(f, "La/x:u1@5 synced ");
	assert_int_equal(f->troubles, 1);
	assert_non_null(
	    strstr(f->trouble.msg, "list secrets in namespace a: object y"));
	opens_watch(f, "10");
	says(f, EVENT("DELETED", OBJ("b", "y", "u2", "11")));
	told(f, "");
}

static void
namespaces_may_share_an_index(void **state)
{
	struct fixture *f = *state;

	use(f, &KUBE_SECRETS, "a", NULL);
	lists(f, LIST("10", OBJ("a", "x", "u1", "5")));
	use(f, &KUBE_SECRETS, "b", NULL);
	lists(f, LIST("10", OBJ("b", "x", "u2", "5")));
	/* Its own go, the others' stay. */
	opens_watch(f, "10");
	says_finally(f, EVENT("ERROR", STATUS("410", "Gone", "")));
	lists(f, LIST("20", ""));
	told(f, "La/x:u1@5 synced Lb/x:u2@5 synced -b/x:u2 ");
	assert_int_equal(index_count(f->index), 1);
}

/* ---- pieces ---- */

static void
a_list_cut_anywhere_is_never_taken_for_complete(void **state)
{
	struct fixture *f = *state;
	static const char text[] =
	    LIST("10", OBJ("a", "x", "u1", "5") "," OBJ("b", "y", "u2", "6"));
	/* All but the final newline make a complete list. */
	const size_t whole = sizeof(text) - 2;
	static const enum err_code endings[] = { ERR_NONE, ERR_TRANSPORT };

	for (size_t cut = 0; cut < 2 * whole; cut++) {
		struct kube_stream *s;

		index_free(f->index);
		f->cfg.index = f->index = index_new();
		use(f, &KUBE_SECRETS, NULL, NULL);
		lists(f, LIST("8", OBJ("c", "z", "u3", "1")));
		opens_watch(f, "8");
		says_finally(f, EVENT("ERROR", STATUS("410", "Gone", "")));
		f->log[0] = '\0';
		s = starts_list(f);
		scriptmux_begin(s, 200, true, -1);
		if (scriptmux_data(&f->mux, s, text, cut / 2))
			scriptmux_end(&f->mux, s, endings[cut % 2]);
		assert_null(strchr(f->log, '-'));
		assert_true(index_get(f->index,
		    &(struct objkey) { .ns = "c", .name = "z" }, NULL));
		assert_in_range(reflector_tick(f->r), FIRST_MS, RUNNING - 1);
	}
}

static void
a_list_in_two_pieces_is_the_same_list(void **state)
{
	struct fixture *f = *state;
	static const char text[] =
	    LIST("10", OBJ("a", "x", "u1", "5") "," OBJ("b", "y", "u2", "6"));

	for (size_t cut = 0; cut < sizeof(text); cut++) {
		struct kube_stream *s;

		index_free(f->index);
		f->cfg.index = f->index = index_new();
		use(f, &KUBE_SECRETS, NULL, NULL);
		s = starts_list(f);
		scriptmux_begin(s, 200, true, -1);
		assert_true(scriptmux_data(&f->mux, s, text, cut));
		assert_false(reflector_has_synced(f->r));
		assert_true(scriptmux_text(&f->mux, s, text + cut));
		ends(f, ERR_NONE);
		told(f, "La/x:u1@5 Lb/y:u2@6 synced ");
	}
}

static void
a_watch_cut_anywhere_gives_whole_events_only(void **state)
{
	struct fixture *f = *state;
	static const char one[] = EVENT("ADDED", OBJ("b", "y", "u2", "11"));
	static const char text[] = EVENT("ADDED", OBJ("b", "y", "u2", "11"))
	    EVENT("DELETED", OBJ("b", "y", "u2", "12"));
	const size_t whole = sizeof(text) - 1;

	for (size_t cut = 0; cut <= whole; cut++) {
		bool first = cut >= sizeof(one) - 1, both = cut == whole;
		bool clean = cut == 0 || cut == sizeof(one) - 1 || both;

		index_free(f->index);
		f->cfg.index = f->index = index_new();
		use(f, &KUBE_SECRETS, NULL, NULL);
		comes_into_sync(f);
		assert_true(scriptmux_data(
		    &f->mux, scriptmux_only(&f->mux), text, cut));
		told(f,
		    both	? "Wb/y:u2@11 -b/y:u2! "
			: first ? "Wb/y:u2@11 "
				: "");
		fakeclock_advance_s(&f->clock, 300);
		ends(f, ERR_NONE);
		/* Cut in a line, it waits; and it goes on behind the last
		 * whole event. */
		if (!clean)
			waits(f, FIRST_MS);
		opens_watch(f, both ? "12" : first ? "11" : "10");
		says(f, text);
		told(f,
		    first && !both ? "Wb/y:u2@11>11 -b/y:u2! "
				   : "Wb/y:u2@11 -b/y:u2! ");
	}
}

static void
a_watch_in_two_pieces_is_the_same_watch(void **state)
{
	struct fixture *f = *state;
	static const char text[] = EVENT("ADDED", OBJ("b", "y", "u2", "11"))
	    EVENT("DELETED", OBJ("b", "y", "u2", "12"));

	comes_into_sync(f);
	for (size_t cut = 0; cut < sizeof(text); cut++) {
		assert_true(scriptmux_data(
		    &f->mux, scriptmux_only(&f->mux), text, cut));
		says(f, text + cut);
		told(f, "Wb/y:u2@11 -b/y:u2! ");
	}
}

/* ---- stopping, signs of life ---- */

/* One more step of a life, whatever stream is open. */
static void
live(struct fixture *f, unsigned step)
{
	static const char *const texts[] = { "{\"items\":[",
		OBJ("a", "x", "u1", "5"), LIST_TAIL("10", ""), NULL,
		"{\"type\":\"ADDED\",", "\"object\":" OBJ("b", "y", "u2", "11"),
		"}\n" };

	if (f->mux.nopen == 0) {
		(void)reflector_tick(f->r);
		scriptmux_begin(scriptmux_only(&f->mux), 200, true, -1);
		return;
	}
	if (texts[step] != NULL)
		says(f, texts[step]);
	else
		ends(f, ERR_NONE);
}

static void
may_be_freed_at_any_point(void **state)
{
	struct fixture *f = *state;

	for (unsigned n = 0; n <= 9; n++) {
		unsigned cancelled = f->mux.cancelled, text = 0;
		bool open;

		use(f, &KUBE_SECRETS, NULL, NULL);
		for (unsigned i = 0; i < n; i++) {
			open = f->mux.nopen > 0;
			live(f, text);
			text += open;
		}
		open = f->mux.nopen > 0;
		reflector_free(f->r);
		f->r = NULL;
		assert_int_equal(f->mux.nopen, 0);
		assert_int_equal(f->mux.cancelled, cancelled + open);
	}
	reflector_free(NULL);
}

static void
handlers_may_be_left_out(void **state)
{
	struct fixture *f = *state;

	f->cfg.handler = (struct reflector_handler) { .reduce = on_reduce };
	use(f, &KUBE_SECRETS, NULL, NULL);
	lists(f, LIST("10", OBJ("a", "x", "u1", "5") ",{}"));
	opens_watch(f, "10");
	says(f, EVENT("DELETED", OBJ("a", "x", "u1", "11")));
	assert_int_equal(index_count(f->index), 0);
}

static void
says_when_it_was_last_seen_alive(void **state)
{
	struct fixture *f = *state;

	use(f, &KUBE_SECRETS, "a", NULL);
	assert_int_equal(reflector_last_seen_s(f->r), 0);
	lists(f, LIST("10", ""));
	assert_int_equal(reflector_last_seen_s(f->r), FAKECLOCK_WALL_S);
	opens_watch(f, "10");
	fakeclock_advance_s(&f->clock, 60);
	assert_int_equal(reflector_last_seen_s(f->r), FAKECLOCK_WALL_S);
	says(f, BOOKMARK("11"));
	assert_int_equal(reflector_last_seen_s(f->r), FAKECLOCK_WALL_S + 60);
	assert_true(metrics_value(f->metrics, METRIC_WATCH_LAST_SEEN, "secrets",
			"a") == (double)(FAKECLOCK_WALL_S + 60));
	/* The series goes with it. */
	reflector_free(f->r);
	f->r = NULL;
	assert_true(metrics_value(f->metrics, METRIC_WATCH_LAST_SEEN, "secrets",
			"a") == 0);
}

static double
in_step(const struct fixture *f)
{
	return metrics_value(
	    f->metrics, METRIC_WATCH_LAST_SYNC, "secrets", "a");
}

static void
a_refusal_is_a_sign_of_life_but_no_sync(void **state)
{
	struct fixture *f = *state;
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	use(f, &KUBE_SECRETS, "a", NULL);
	assert_int_equal(metrics_render(f->metrics, &text, &err), 0);
	assert_non_null(strstr(buf_str(&text),
	    "watch_last_sync_timestamp_seconds{"
	    "namespace=\"a\",resource=\"secrets\"} 0\n"));
	assert_non_null(strstr(buf_str(&text),
	    "watch_restarts_total{reason=\"expired\",resource=\"secrets\"} "
	    "0\n"));
	scriptmux_begin(starts_list(f), 403, true, -1);
	ends(f, ERR_NONE);
	assert_int_equal(reflector_last_seen_s(f->r), FAKECLOCK_WALL_S);
	assert_true(in_step(f) == 0);
	fakeclock_advance_s(&f->clock, 60);
	lists(f, LIST("10", ""));
	assert_true(in_step(f) == (double)(FAKECLOCK_WALL_S + 60));
	opens_watch(f, "10");
	fakeclock_advance_s(&f->clock, 60);
	says(f, BOOKMARK("11"));
	assert_true(in_step(f) == (double)(FAKECLOCK_WALL_S + 120));
}

static void
works_without_metrics_and_names_metadata_streams_apart(void **state)
{
	struct fixture *f = *state;

	f->cfg.label = "key-secrets";
	use(f, &KUBE_SECRETS_META, NULL, NULL);
	lists(f, LIST("10", ""));
	opens_watch(f, "10");
	fakeclock_advance_s(&f->clock, 2);
	ends(f, ERR_NONE);
	assert_true(metrics_value(f->metrics, METRIC_WATCH_RESTARTS,
			"key-secrets", "ended") == 1);
	f->cfg.label = NULL;

	use(f, &KUBE_SECRETS_META, NULL, NULL);
	lists(f, LIST("10", ""));
	opens_watch(f, "10");
	fakeclock_advance_s(&f->clock, 2);
	ends(f, ERR_NONE);
	assert_true(metrics_value(f->metrics, METRIC_WATCH_RESTARTS,
			"secrets-metadata", "ended") == 1);
	f->cfg.metrics = NULL;
	use(f, &KUBE_SECRETS, NULL, NULL);
	lists(f, LIST("10", ""));
	assert_true(reflector_has_synced(f->r));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lists_in_pages_then_watches_from_the_version_of_the_list),
		TEST(asks_for_one_namespace_and_a_selector),
		TEST(asks_for_metadata_alone_where_that_is_enough),
		TEST(watches_last_five_to_ten_minutes),
		TEST(reports_what_a_watch_brings),
		TEST(goes_on_from_the_version_of_the_last_event),
		TEST(duplicate_events_change_nothing),
		TEST(a_missed_delete_is_found_by_the_next_list),
		TEST(the_same_name_with_a_new_uid_is_a_new_object),
		TEST(results_of_workers_survive_events_and_lists),
		TEST(an_object_that_is_not_kept_is_not_stored),
		TEST(the_end_of_an_unknown_object_is_told_where_kept),
		TEST(a_bad_object_does_not_disturb_the_good_ones),
		TEST(a_bad_object_is_named_in_the_trouble),
		TEST(an_object_of_another_namespace_is_not_taken),
		TEST(namespaces_may_share_an_index),
		TEST(a_list_cut_anywhere_is_never_taken_for_complete),
		TEST(a_list_in_two_pieces_is_the_same_list),
		TEST(a_watch_cut_anywhere_gives_whole_events_only),
		TEST(a_watch_in_two_pieces_is_the_same_watch),
		TEST(may_be_freed_at_any_point),
		TEST(handlers_may_be_left_out),
		TEST(says_when_it_was_last_seen_alive),
		TEST(a_refusal_is_a_sign_of_life_but_no_sync),
		TEST(works_without_metrics_and_names_metadata_streams_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
