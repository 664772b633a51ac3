/*
 * Tests of controller/kube/event.c over a scripted transport.
 * layer: kube
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/jsonx.h"
#include "base/log.h"
#include "base/mem.h"
#include "cannedkube.h"
#include "fakeclock.h"
#include "jsontext.h"
#include "kube/event.h"
#include "metrics/metrics.h"
#include "tmpfiles.h"

static const struct event_ref ref = {
	.api_version = "bitnami.com/v1alpha1",
	.kind = "SealedSecret",
	.ns = "ns",
	.name = "x",
	.uid = "u-1",
	.resource_version = "42",
};

struct fixture {
	struct cannedkube kube;
	struct kube_client client;
	struct fakeclock fake;
	struct clock clock;
	struct metrics *metrics;
	struct event_recorder *r;
	struct tmpfiles files;
	int log_fd;
};

static int
setup(void **state)
{
	static struct fixture f;
	struct log_config log = { .level = LOG_LEVEL_INFO };

	tmpfiles_init(&f.files);
	f.log_fd = open(tmpfiles_path(&f.files, "log"),
	    O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
	assert_true(f.log_fd > 0);
	log.fd_low = f.log_fd;
	log.fd_high = f.log_fd;
	log_init(&log);
	cannedkube_init(&f.kube);
	f.client = (struct kube_client) { .transport = &f.kube.transport };
	fakeclock_init(&f.fake);
	f.clock = fakeclock_clock(&f.fake);
	f.metrics = metrics_new("x");
	f.r = event_recorder_new(
	    &f.client, "sealed-secrets", &f.clock, f.metrics);
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	event_recorder_free(f->r);
	metrics_free(f->metrics);
	cannedkube_release(&f->kube);
	close(f->log_fd);
	tmpfiles_release(&f->files);
	return 0;
}

static void
record(struct fixture *f, const char *message)
{
	event_record(f->r, &ref, "Warning", "ErrUnsealFailed", message);
}

static double
dropped(struct fixture *f)
{
	return metrics_value(f->metrics, METRIC_EVENTS_DROPPED);
}

static json_t *
body(struct fixture *f, unsigned nth)
{
	return jsontext_parse(cannedkube_request(&f->kube, nth)->body);
}

static void
the_first_event_is_posted_with_the_references_fields(void **state)
{
	struct fixture *f = *state;
	AUTO_STR char *want = NULL;

	cannedkube_ok(&f->kube, "{}");
	event_record(f->r, &ref, "Normal", "Unsealed",
	    "SealedSecret unsealed successfully");
	assert_int_equal(event_recorder_pump(f->r), 1);
	assert_string_equal(cannedkube_request(&f->kube, 0)->method, "POST");
	assert_string_equal(cannedkube_request(&f->kube, 0)->path,
	    "/api/v1/namespaces/ns/events");
	want = xasprintf("{\"kind\":\"Event\",\"apiVersion\":\"v1\","
			 "\"metadata\":{\"name\":\"x.%llx\","
			 "\"namespace\":\"ns\"},"
			 "\"involvedObject\":{\"kind\":\"SealedSecret\","
			 "\"namespace\":\"ns\",\"name\":\"x\",\"uid\":"
			 "\"u-1\",\"apiVersion\":\"bitnami.com/v1alpha1\","
			 "\"resourceVersion\":\"42\"},\"reason\":\"Unsealed\","
			 "\"message\":\"SealedSecret unsealed successfully\","
			 "\"source\":{\"component\":\"sealed-secrets\"},"
			 "\"firstTimestamp\":\"2026-04-22T11:28:08Z\","
			 "\"lastTimestamp\":\"2026-04-22T11:28:08Z\","
			 "\"count\":1,\"type\":\"Normal\",\"eventTime\":null,"
			 "\"reportingComponent\":\"sealed-secrets\","
			 "\"reportingInstance\":\"\"}",
	    (unsigned long long)FAKECLOCK_WALL_S * 1000000000u);
	assert_string_equal(cannedkube_request(&f->kube, 0)->body, want);
	assert_true(dropped(f) == 0);
}

static void
each_event_is_logged_as_the_reference_does(void **state)
{
	struct fixture *f = *state;
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(100000);
	struct err err = ERR_INIT;

	event_record(f->r, &ref, "Normal", "Unsealed", "all well");
	assert_int_equal(
	    file_read(tmpfiles_path(&f->files, "log"), &text, &err), 0);
	assert_non_null(strstr(buf_str(&text),
	    "Event(v1.ObjectReference{Kind:\\\"SealedSecret\\\", "
	    "Namespace:\\\"ns\\\", Name:\\\"x\\\", UID:\\\"u-1\\\", "
	    "APIVersion:\\\"bitnami.com/v1alpha1\\\", "
	    "ResourceVersion:\\\"42\\\", FieldPath:\\\"\\\"}): type: "
	    "'Normal' reason: 'Unsealed' all well"));
	assert_non_null(strstr(buf_str(&text), "level=INFO"));
	assert_int_equal(cannedkube_count(&f->kube), 0);
}

static void
repeats_are_patched_into_the_first(void **state)
{
	struct fixture *f = *state;
	char name[64];

	cannedkube_ok(&f->kube, "{}");
	record(f, "no key");
	(void)event_recorder_pump(f->r);
	fakeclock_advance_s(&f->fake, 3);
	record(f, "no key");
	fakeclock_advance_s(&f->fake, 4);
	record(f, "no key");
	assert_int_equal(event_recorder_pump(f->r), 2);
	(void)snprintf(name, sizeof(name),
	    "/api/v1/namespaces/ns/events/x.%llx",
	    (unsigned long long)FAKECLOCK_WALL_S * 1000000000u);
	assert_string_equal(cannedkube_request(&f->kube, 1)->method, "PATCH");
	assert_string_equal(cannedkube_request(&f->kube, 1)->path, name);
	assert_string_equal(cannedkube_request(&f->kube, 1)->type,
	    "application/strategic-merge-patch+json");
	assert_string_equal(cannedkube_request(&f->kube, 1)->body,
	    "{\"count\":2,\"lastTimestamp\":\"2026-04-22T11:28:11Z\","
	    "\"message\":\"no key\"}");
	assert_string_equal(cannedkube_request(&f->kube, 2)->body,
	    "{\"count\":3,\"lastTimestamp\":\"2026-04-22T11:28:15Z\","
	    "\"message\":\"no key\"}");
}

static void
a_repeat_of_a_vanished_event_creates_it_again(void **state)
{
	struct fixture *f = *state;
	AUTO_JSON json_t *again = NULL;

	cannedkube_ok(&f->kube, "{}");
	cannedkube_refuse(&f->kube, 404, "NotFound", "gone");
	cannedkube_ok(&f->kube, "{}");
	record(f, "m");
	fakeclock_advance_s(&f->fake, 60);
	record(f, "m");
	assert_int_equal(event_recorder_pump(f->r), 3);
	assert_string_equal(cannedkube_request(&f->kube, 2)->method, "POST");
	again = body(f, 2);
	assert_int_equal(jsonx_int(again, "count", NULL), 2);
	assert_string_equal(
	    jsonx_str(again, "firstTimestamp", NULL), "2026-04-22T11:28:08Z");
	assert_string_equal(
	    jsonx_str(again, "lastTimestamp", NULL), "2026-04-22T11:29:08Z");
}

static void
events_of_one_nanosecond_get_different_names(void **state)
{
	struct fixture *f = *state;
	AUTO_JSON json_t *a = NULL;
	AUTO_JSON json_t *b = NULL;

	cannedkube_ok(&f->kube, "{}");
	record(f, "one");
	record(f, "two");
	assert_int_equal(event_recorder_pump(f->r), 2);
	a = body(f, 0);
	b = body(f, 1);
	assert_string_not_equal(jsonx_str(a, "metadata", "name", NULL),
	    jsonx_str(b, "metadata", "name", NULL));
}

static void
many_different_messages_become_one_event(void **state)
{
	struct fixture *f = *state;
	AUTO_JSON json_t *combined = NULL;

	cannedkube_ok(&f->kube, "{}");
	for (int i = 0; i < 12; i++) {
		char message[32];

		(void)snprintf(message, sizeof(message), "failure %d", i);
		record(f, message);
	}
	assert_int_equal(event_recorder_pump(f->r), 12);
	combined = body(f, 9);
	assert_string_equal(cannedkube_request(&f->kube, 9)->method, "POST");
	assert_string_equal(jsonx_str(combined, "message", NULL),
	    "(combined from similar events): failure 9");
	assert_string_equal(cannedkube_request(&f->kube, 11)->method, "PATCH");
	assert_non_null(strstr(cannedkube_request(&f->kube, 11)->body,
	    "\"message\":\"(combined from similar events): failure 11\""));
}

static void
an_object_that_floods_is_cut_off(void **state)
{
	struct fixture *f = *state;

	cannedkube_ok(&f->kube, "{}");
	for (int i = 0; i < 40; i++)
		record(f, "same");
	assert_int_equal(event_recorder_pump(f->r), 25);
	assert_true(dropped(f) == 15);
}

static void
long_messages_and_names_are_cut(void **state)
{
	struct fixture *f = *state;
	struct event_ref long_ref = ref;
	AUTO_JSON json_t *got = NULL;
	char message[2048] = "";
	char name[254] = "";
	const char *text;

	memset(message, 'm', 1023);
	(void)snprintf(message + 1023, 1000, "\xe2\x82\xac and more");
	memset(name, 'n', 233);
	name[233] = '.';
	memset(name + 234, 'o', 19);
	long_ref.name = name;
	cannedkube_ok(&f->kube, "{}");
	event_record(f->r, &long_ref, "Normal", "R", message);
	assert_int_equal(event_recorder_pump(f->r), 1);
	got = body(f, 0);
	assert_int_equal(strlen(jsonx_str(got, "message", NULL)), 1023);
	text = jsonx_str(got, "metadata", "name", NULL);
	assert_true(strlen(text) <= 253);
	assert_true(objkey_valid_name(text, strlen(text)));
	assert_string_equal(
	    jsonx_str(got, "involvedObject", "name", NULL), name);
}

static void
passing_failures_are_tried_twelve_times_ten_seconds_apart(void **state)
{
	static const struct canned_answer failures[] = {
		{ .fail = ERR_TRANSPORT },
		{ .fail = ERR_TIMEOUT },
		{ .status = 429, .body = "", .no_json = true },
		{ .status = 503, .body = "", .no_json = true },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		struct event_ref other = ref;

		other.uid = i == 0 ? "a" : i == 1 ? "b" : i == 2 ? "c" : "d";
		cannedkube_reset(&f->kube);
		cannedkube_answer(&f->kube, failures[i]);
		event_record(f->r, &other, "Normal", "R", "m");
		for (unsigned n = 1; n <= 12; n++) {
			assert_int_equal(event_recorder_pump(f->r), 1);
			fakeclock_advance_ms(&f->fake, 8999);
			assert_int_equal(event_recorder_pump(f->r), 0);
			fakeclock_advance_ms(&f->fake, 2001);
		}
		assert_int_equal(event_recorder_pump(f->r), 0);
		assert_int_equal(cannedkube_count(&f->kube), 12);
		assert_true(dropped(f) == (double)i + 1);
	}
}

static void
a_retry_that_succeeds_is_the_same_event(void **state)
{
	struct fixture *f = *state;

	cannedkube_answer(
	    &f->kube, (struct canned_answer) { .fail = ERR_TRANSPORT });
	cannedkube_ok(&f->kube, "{}");
	record(f, "m");
	(void)event_recorder_pump(f->r);
	fakeclock_advance_s(&f->fake, 11);
	assert_int_equal(event_recorder_pump(f->r), 1);
	assert_string_equal(cannedkube_request(&f->kube, 0)->body,
	    cannedkube_request(&f->kube, 1)->body);
	assert_true(dropped(f) == 0);
	fakeclock_advance_s(&f->fake, 60);
	assert_int_equal(event_recorder_pump(f->r), 0);
}

static void
retry_after_is_honoured(void **state)
{
	struct fixture *f = *state;

	cannedkube_answer(&f->kube,
	    (struct canned_answer) {
		.status = 429,
		.no_json = true,
		.retry_after_s = 30,
	    });
	cannedkube_ok(&f->kube, "{}");
	record(f, "m");
	(void)event_recorder_pump(f->r);
	fakeclock_advance_ms(&f->fake, 29999);
	assert_int_equal(event_recorder_pump(f->r), 0);
	fakeclock_advance_ms(&f->fake, 1);
	assert_int_equal(event_recorder_pump(f->r), 1);
}

static void
refusals_are_logged_and_dropped(void **state)
{
	static const struct {
		int status;
		const char *reason;
	} cases[] = {
		{ 403, "Forbidden" },
		{ 404, "NotFound" },
		{ 409, "Conflict" },
		{ 422, "Invalid" },
		{ 401, "Unauthorized" },
	};
	struct fixture *f = *state;
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(100000);
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char message[16];

		cannedkube_reset(&f->kube);
		cannedkube_refuse(&f->kube, cases[i].status, cases[i].reason,
		    "events is refused");
		(void)snprintf(message, sizeof(message), "m%zu", i);
		record(f, message);
		assert_int_equal(event_recorder_pump(f->r), 1);
		fakeclock_advance_s(&f->fake, 60);
		assert_int_equal(event_recorder_pump(f->r), 0);
		assert_true(dropped(f) == (double)i + 1);
	}
	assert_int_equal(
	    file_read(tmpfiles_path(&f->files, "log"), &text, &err), 0);
	assert_non_null(strstr(buf_str(&text), "events is refused"));
}

/* Another process, or a try whose answer got lost. */
static void
an_event_that_is_there_already_is_no_trouble(void **state)
{
	struct fixture *f = *state;
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(100000);
	struct err err = ERR_INIT;

	cannedkube_refuse(&f->kube, 409, "AlreadyExists", "is there");
	record(f, "m");
	assert_int_equal(event_recorder_pump(f->r), 1);
	assert_true(dropped(f) == 0);
	assert_int_equal(
	    file_read(tmpfiles_path(&f->files, "log"), &text, &err), 0);
	assert_null(strstr(buf_str(&text), "is there"));
}

/* The name in the nth request, which is owned by the caller. */
static char *
posted_name(struct fixture *f, unsigned nth)
{
	AUTO_JSON json_t *v = body(f, nth);

	assert_string_equal(cannedkube_request(&f->kube, nth)->method, "POST");
	return xstrdup(jsonx_str(v, "metadata", "name", NULL));
}

static char *
name_in_another_process(
    struct fixture *f, const struct event_ref *of, const char *about)
{
	AUTO(event_recorder)
	struct event_recorder *r = event_recorder_new(
	    &f->client, "sealed-secrets", &f->clock, f->metrics);

	cannedkube_reset(&f->kube);
	cannedkube_ok(&f->kube, "{}");
	event_record_once(r, of, "Warning", "Drifted", "text", about);
	assert_int_equal(event_recorder_pump(r), 1);
	return posted_name(f, 0);
}

static void
what_is_told_once_has_one_name_in_all_processes(void **state)
{
	struct fixture *f = *state;
	struct event_ref made_anew = ref;
	AUTO_STR char *first = name_in_another_process(f, &ref, "s/1");
	AUTO_STR char *again = NULL;
	AUTO_STR char *later = NULL;
	AUTO_STR char *other = NULL;

	made_anew.uid = "u-2";
	fakeclock_advance_s(&f->fake, 60);
	again = name_in_another_process(f, &ref, "s/1");
	later = name_in_another_process(f, &ref, "s/2");
	other = name_in_another_process(f, &made_anew, "s/1");
	assert_string_equal(again, first);
	assert_string_not_equal(later, first);
	assert_string_not_equal(other, first);
	assert_memory_equal(first, "x.", 2);
}

static void
repeats_of_what_is_told_once_are_counted(void **state)
{
	struct fixture *f = *state;
	AUTO_STR char *name = NULL;

	cannedkube_ok(&f->kube, "{}");
	event_record_once(f->r, &ref, "Warning", "Drifted", "text", "s/1");
	event_record_once(f->r, &ref, "Warning", "Drifted", "text", "s/2");
	assert_int_equal(event_recorder_pump(f->r), 2);
	name = posted_name(f, 0);
	assert_string_equal(cannedkube_request(&f->kube, 1)->method, "PATCH");
	assert_non_null(strstr(cannedkube_request(&f->kube, 1)->path, name));
}

static void
a_waiting_retry_lets_others_pass(void **state)
{
	struct fixture *f = *state;
	struct event_ref other = ref;

	cannedkube_answer(
	    &f->kube, (struct canned_answer) { .fail = ERR_TRANSPORT });
	cannedkube_ok(&f->kube, "{}");
	record(f, "first");
	(void)event_recorder_pump(f->r);
	other.name = "y";
	event_record(f->r, &other, "Normal", "R", "second");
	assert_int_equal(event_recorder_pump(f->r), 1);
	assert_non_null(
	    strstr(cannedkube_request(&f->kube, 1)->body, "second"));
}

static void
retries_and_new_events_take_turns(void **state)
{
	struct fixture *f = *state;
	char order[16] = "";

	cannedkube_answer(
	    &f->kube, (struct canned_answer) { .fail = ERR_TRANSPORT });
	for (int i = 0; i < 4; i++) {
		char message[16];

		(void)snprintf(message, sizeof(message), "old%d", i);
		record(f, message);
	}
	(void)event_recorder_pump(f->r);
	fakeclock_advance_s(&f->fake, 12);
	cannedkube_reset(&f->kube);
	cannedkube_ok(&f->kube, "{}");
	for (int i = 0; i < 4; i++) {
		struct event_ref other = ref;
		char message[16];

		other.uid = "other";
		(void)snprintf(message, sizeof(message), "new%d", i);
		event_record(f->r, &other, "Normal", "R", message);
	}
	assert_int_equal(event_recorder_pump(f->r), 8);
	for (unsigned i = 0; i < 8; i++)
		order[i] = strstr(cannedkube_request(&f->kube, i)->body,
			       "\"old") != NULL
		    ? 'o'
		    : 'n';
	assert_true(
	    strcmp(order, "onononon") == 0 || strcmp(order, "nononono") == 0);
}

static void
a_full_queue_drops_the_newest(void **state)
{
	struct fixture *f = *state;
	struct log_config quiet = { .level = LOG_LEVEL_ERROR };

	log_init(&quiet);
	for (int i = 0; i < 1003; i++) {
		struct event_ref other = ref;
		char uid[16];

		(void)snprintf(uid, sizeof(uid), "u%d", i);
		other.uid = uid;
		event_record(f->r, &other, "Normal", "R", "m");
	}
	assert_true(dropped(f) == 3);
	cannedkube_ok(&f->kube, "{}");
	assert_int_equal(event_recorder_pump(f->r), 1000);
}

static void
without_a_namespace_the_event_goes_to_default(void **state)
{
	struct fixture *f = *state;
	static const struct event_ref bare = { .kind = "Node", .name = "n" };
	AUTO_JSON json_t *got = NULL;

	cannedkube_ok(&f->kube, "{}");
	event_record(f->r, &bare, "Normal", "R", "m");
	assert_int_equal(event_recorder_pump(f->r), 1);
	assert_string_equal(cannedkube_request(&f->kube, 0)->path,
	    "/api/v1/namespaces/default/events");
	got = body(f, 0);
	assert_null(jsonx_get(got, "involvedObject", "uid", NULL));
}

/* ---- the thread ---- */

static void
the_thread_sends_and_stop_flushes(void **state)
{
	struct fixture *f = *state;

	cannedkube_ok(&f->kube, "{}");
	event_recorder_start(f->r);
	record(f, "one");
	cannedkube_await(&f->kube, 1);
	for (int i = 0; i < 8; i++) {
		char message[16];

		(void)snprintf(message, sizeof(message), "m%d", i);
		record(f, message);
	}
	event_recorder_stop(f->r);
	assert_int_equal(cannedkube_count(&f->kube), 9);
	/* Afterwards nothing is taken any more. */
	record(f, "late");
	assert_true(dropped(f) == 1);
}

static void
stop_gives_up_a_hung_request_after_two_seconds(void **state)
{
	struct fixture *f = *state;
	uint64_t begin, took;

	f->kube.hang = true;
	cannedkube_ok(&f->kube, "{}");
	event_recorder_start(f->r);
	record(f, "one");
	record(f, "two");
	cannedkube_await(&f->kube, 1);
	begin = clock_mono_ms(&clock_system);
	event_recorder_stop(f->r);
	took = clock_mono_ms(&clock_system) - begin;
	assert_in_range(took, 1900, 4000);
	assert_true(dropped(f) == 2);
}

static void
stop_without_start_is_nothing(void **state)
{
	struct fixture *f = *state;

	record(f, "never sent");
	event_recorder_stop(f->r);
	assert_int_equal(cannedkube_count(&f->kube), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_event_is_posted_with_the_references_fields),
		TEST(each_event_is_logged_as_the_reference_does),
		TEST(repeats_are_patched_into_the_first),
		TEST(a_repeat_of_a_vanished_event_creates_it_again),
		TEST(events_of_one_nanosecond_get_different_names),
		TEST(many_different_messages_become_one_event),
		TEST(an_object_that_floods_is_cut_off),
		TEST(long_messages_and_names_are_cut),
		TEST(passing_failures_are_tried_twelve_times_ten_seconds_apart),
		TEST(a_retry_that_succeeds_is_the_same_event),
		TEST(retry_after_is_honoured),
		TEST(refusals_are_logged_and_dropped),
		TEST(an_event_that_is_there_already_is_no_trouble),
		TEST(what_is_told_once_has_one_name_in_all_processes),
		TEST(repeats_of_what_is_told_once_are_counted),
		TEST(a_waiting_retry_lets_others_pass),
		TEST(retries_and_new_events_take_turns),
		TEST(a_full_queue_drops_the_newest),
		TEST(without_a_namespace_the_event_goes_to_default),
		TEST(the_thread_sends_and_stop_flushes),
		TEST(stop_gives_up_a_hung_request_after_two_seconds),
		TEST(stop_without_start_is_nothing),
	};

	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
