/*
 * Tests of controller/kube/watch.c.
 * layer: kube
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <malloc.h>
#include <stdlib.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "kube/watch.h"

#define MAX_LINE 1000

/* Events in a text: "ADDED a;OVERSIZE;". */
struct seen {
	char text[4096];
	unsigned n, stop_after;
};

static const char *const type_names[] = {
	[WATCH_ADDED] = "ADDED",
	[WATCH_MODIFIED] = "MODIFIED",
	[WATCH_DELETED] = "DELETED",
	[WATCH_BOOKMARK] = "BOOKMARK",
	[WATCH_ERROR] = "ERROR",
	[WATCH_UNKNOWN] = "UNKNOWN",
	[WATCH_OVERSIZE] = "OVERSIZE",
	[WATCH_BAD] = "BAD",
};

static bool
note(void *ctx, const struct watch_event *ev)
{
	struct seen *s = ctx;
	size_t len = strlen(s->text);
	const char *name = jsonx_str(ev->object, "name", NULL);

	assert_int_equal(ev->object == NULL,
	    ev->type == WATCH_OVERSIZE || ev->type == WATCH_BAD);
	assert_int_equal(ev->detail != NULL,
	    ev->type == WATCH_UNKNOWN || ev->type == WATCH_BAD);
	if (ev->detail != NULL)
		assert_null(strstr(ev->detail, "sesame"));
	(void)snprintf(s->text + len, sizeof(s->text) - len, "%s%s%s;",
	    type_names[ev->type], name != NULL ? " " : "",
	    name != NULL ? name : "");
	s->n++;
	return s->stop_after == 0 || s->n < s->stop_after;
}

/* The whole text in pieces of this size. */
static void
decode(const char *text, size_t len, size_t piece, struct seen *s)
{
	AUTO(watch_decoder)
	struct watch_decoder *d = watch_decoder_new(MAX_LINE, note, s);

	for (size_t at = 0; at < len; at += piece)
		assert_true(watch_decoder_feed(
		    d, text + at, len - at < piece ? len - at : piece));
}

static const char stream[] =
    "{\"type\":\"ADDED\",\"object\":{\"name\":\"a\"}}\n"
    "{\"object\":{\"name\":\"b\"},\"type\":\"MODIFIED\"}\r\n"
    "\n \n"
    "{\"type\":\"DELETED\",\"object\":{\"name\":\"\xc3\xa4\"}}\n"
    "{\"type\":\"BOOKMARK\",\"object\":{}}\n"
    "{\"type\":\"NOVEL\",\"object\":{\"name\":\"c\"}}\n"
    "sesame\n"
    "{\"type\":\"ADDED\",\"object\":{\"name\":\"sesame\n"
    "{\"type\":\"ADDED\"}\n"
    "{\"type\":\"ADDED\",\"object\":\"sesame\"}\n"
    "{\"type\":1,\"object\":{}}\n"
    "[]\n"
    "{\"type\":\"ERROR\",\"object\":{\"code\":410}}\n";
static const char stream_events[] =
    "ADDED a;MODIFIED b;DELETED \xc3\xa4;BOOKMARK;UNKNOWN c;BAD;BAD;BAD;"
    "BAD;BAD;BAD;ERROR;";

static void
every_chunking_gives_the_same_events(void **state UNUSED)
{
	for (size_t piece = 1; piece <= sizeof(stream); piece++) {
		struct seen s = { .n = 0 };

		decode(stream, sizeof(stream) - 1, piece, &s);
		assert_string_equal(s.text, stream_events);
	}
}

static char *
line_of(size_t len)
{
	char *line = xmalloc(len + 2);

	/* A valid event padded to exactly this length. */
	memset(line, ' ', len);
	(void)snprintf(line, len, "{\"type\":\"ADDED\",\"object\":{}");
	line[strlen(line)] = ' ';
	line[len - 1] = '}';
	line[len] = '\n';
	line[len + 1] = '\0';
	return line;
}

static void
a_line_of_the_limit_passes_and_a_longer_one_is_skipped(void **state UNUSED)
{
	static const char after[] =
	    "{\"type\":\"ADDED\",\"object\":{\"name\":\"next\"}}\n";
	AUTO_STR char *exact = line_of(MAX_LINE);
	AUTO_STR char *longer = line_of(MAX_LINE + 1);
	AUTO_STR char *far_longer = line_of(MAX_LINE * 20);
	AUTO_STR char *text =
	    xasprintf("%s%s%s%s%s", exact, longer, exact, far_longer, after);
	static const size_t pieces[] = { 1, 7, 64, 999, 1000, 1001, 1002, 2003,
		4096, 100000 };

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct seen s = { .n = 0 };

		decode(text, strlen(text), pieces[i], &s);
		assert_string_equal(
		    s.text, "ADDED;OVERSIZE;ADDED;OVERSIZE;ADDED next;");
	}
}

static void
an_oversize_line_is_told_before_it_ends(void **state UNUSED)
{
	struct seen s = { .n = 0 };
	AUTO(watch_decoder)
	struct watch_decoder *d = watch_decoder_new(MAX_LINE, note, &s);
	static char junk[MAX_LINE];

	memset(junk, 'x', sizeof(junk));
	assert_true(watch_decoder_feed(d, junk, sizeof(junk)));
	assert_int_equal(s.n, 0);
	assert_true(watch_decoder_feed(d, junk, 1));
	assert_string_equal(s.text, "OVERSIZE;");
	for (int i = 0; i < 100; i++)
		assert_true(watch_decoder_feed(d, junk, sizeof(junk)));
	assert_int_equal(s.n, 1);
	assert_true(watch_decoder_partial(d));
	assert_true(watch_decoder_feed(d, "\n", 1));
	assert_false(watch_decoder_partial(d));
}

static void
the_reader_can_stop_it(void **state UNUSED)
{
	struct seen s = { .stop_after = 2 };
	AUTO(watch_decoder)
	struct watch_decoder *d = watch_decoder_new(MAX_LINE, note, &s);

	assert_false(watch_decoder_feed(d, stream, sizeof(stream) - 1));
	assert_string_equal(s.text, "ADDED a;MODIFIED b;");
}

static void
partial_tells_whether_a_line_was_cut(void **state UNUSED)
{
	struct seen s = { .n = 0 };
	AUTO(watch_decoder)
	struct watch_decoder *d = watch_decoder_new(MAX_LINE, note, &s);

	assert_false(watch_decoder_partial(d));
	assert_true(watch_decoder_feed(d, "{\"type\"", 7));
	assert_true(watch_decoder_partial(d));
	assert_int_equal(s.n, 0);
	assert_true(watch_decoder_feed(d, "\n", 1));
	assert_false(watch_decoder_partial(d));
	assert_string_equal(s.text, "BAD;");
}

static void
what_is_nested_too_deep_reads_as_null(void **state UNUSED)
{
	struct seen s = { .n = 0 };
	char text[512] = "{\"type\":\"ADDED\",\"object\":{\"a\":";
	size_t len = strlen(text);

	memset(text + len, '[', 100);
	memset(text + len + 100, ']', 100);
	(void)snprintf(text + len + 200, sizeof(text) - len - 200, "}}\n");
	decode(text, strlen(text), sizeof(text), &s);
	/* One odd object must not hide the others. */
	assert_string_equal(s.text, "ADDED;");
}

static void
the_memory_of_a_big_line_is_given_back(void **state UNUSED)
{
	struct seen s = { .n = 0 };
	AUTO(watch_decoder)
	struct watch_decoder *d = watch_decoder_new(4 << 20, note, &s);
	AUTO_STR char *line = line_of(3 << 20);
	size_t len = strlen(line), piece = 1 << 16;
	size_t before, after;

	assert_true(watch_decoder_feed(d, stream, 10));
	before = mallinfo2().uordblks + mallinfo2().hblkhd;
	assert_true(watch_decoder_feed(d, "\n", 1));
	for (size_t at = 0; at < len; at += piece)
		assert_true(watch_decoder_feed(
		    d, line + at, len - at < piece ? len - at : piece));
	assert_string_equal(s.text, "BAD;ADDED;");
	after = mallinfo2().uordblks + mallinfo2().hblkhd;
	assert_true(after <= before + 65536);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_chunking_gives_the_same_events),
		cmocka_unit_test(
		    a_line_of_the_limit_passes_and_a_longer_one_is_skipped),
		cmocka_unit_test(an_oversize_line_is_told_before_it_ends),
		cmocka_unit_test(the_reader_can_stop_it),
		cmocka_unit_test(partial_tells_whether_a_line_was_cut),
		cmocka_unit_test(what_is_nested_too_deep_reads_as_null),
		cmocka_unit_test(the_memory_of_a_big_line_is_given_back),
	};

	return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
