/*
 * Log lines against lines of Go's slog, the choice of stream, cutting, and
 * that a line is one write. The streams are sockets that keep each write
 * apart, so that a read gives exactly one.
 */
/* layer: base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/thread.h"
#include "fakeclock.h"
#include "log_vectors.h"

#define LINE_LIMIT 16384

static struct fakeclock fake;
static struct clock clk;
static int low[2], high[2]; /* [0]: the reader's end */

static int
open_streams(void **state UNUSED)
{
	fakeclock_init(&fake);
	clk = fakeclock_clock(&fake);
	return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, low) == 0 &&
		socketpair(AF_UNIX, SOCK_SEQPACKET, 0, high) == 0
	    ? 0
	    : -1;
}

static int
close_streams(void **state UNUSED)
{
	int rc = 0;

	for (int i = 0; i < 2; i++)
		rc |= close(low[i]) | close(high[i]);
	return rc;
}

static void
configure(bool json, int level, bool info_stdout)
{
	struct log_config cfg = {
		.json = json,
		.level = level,
		.info_stdout = info_stdout,
		.clock = &clk,
		.fd_low = low[1],
		.fd_high = high[1],
	};

	log_init(&cfg);
}

/* The next write to a stream, "" where there was none. */
static const char *
next_write(int fd)
{
	static char text[2 * LINE_LIMIT];
	ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void
writes_text_lines_as_slog_does(void **state UNUSED)
{
	configure(false, LOG_LEVEL_INFO, true);
	fakeclock_advance_ms(&fake, 123);
	log_info("Starting sealed-secrets controller", "version", "v0.36.6");
	assert_string_equal(next_write(low[0]),
	    "time=2026-04-22T11:28:08.123Z level=INFO "
	    "msg=\"Starting sealed-secrets controller\" version=v0.36.6\n");
	log_warn("m", "sealed-secret", "ns/name", "empty", "");
	assert_string_equal(next_write(high[0]),
	    "time=2026-04-22T11:28:08.123Z level=WARN msg=m "
	    "sealed-secret=ns/name empty=\"\"\n");
	fakeclock_set_wall_s(&fake, FAKECLOCK_WALL_S);
	for (size_t i = 0; i < ARRAY_SIZE(log_vectors); i++) {
		char want[512];

		(void)snprintf(want, sizeof(want),
		    "time=2026-04-22T11:28:08.000Z level=INFO msg=m k=%s",
		    log_vectors[i].text);
		log_info("m", "k", log_vectors[i].value);
		assert_string_equal(next_write(low[0]), want);
	}
}

static void
writes_json_lines_as_slog_does(void **state UNUSED)
{
	configure(true, LOG_LEVEL_INFO, true);
	for (size_t i = 0; i < ARRAY_SIZE(log_vectors); i++) {
		char want[512];

		(void)snprintf(want, sizeof(want),
		    "{\"time\":\"2026-04-22T11:28:08Z\",\"level\":\"INFO\","
		    "\"msg\":\"m\",\"k\":%s",
		    log_vectors[i].json);
		log_info("m", "k", log_vectors[i].value);
		assert_string_equal(next_write(low[0]), want);
	}
}

static void
trims_the_fraction_of_json_times(void **state UNUSED)
{
	static const struct {
		int64_t ns;
		const char *want;
	} cases[] = {
		{ 1, "08.000000001Z" },
		{ 100000000, "08.1Z" },
		{ 120000000, "08.12Z" },
		{ 123456789, "08.123456789Z" },
		{ 0, "08Z" },
	};

	configure(true, LOG_LEVEL_INFO, true);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char want[128];

		fakeclock_set_wall_ns(
		    &fake, FAKECLOCK_WALL_S * (int64_t)NS_PER_S + cases[i].ns);
		(void)snprintf(want, sizeof(want),
		    "{\"time\":\"2026-04-22T11:28:%s\",\"level\":\"INFO\","
		    "\"msg\":\"\"}\n",
		    cases[i].want);
		log_info("");
		assert_string_equal(next_write(low[0]), want);
	}
	fakeclock_set_wall_ns(&fake, -1);
	log_info("");
	assert_non_null(
	    strstr(next_write(low[0]), "\"1969-12-31T23:59:59.999999999Z\""));
}

static void
prints_a_missing_value_as_an_empty_text(void **state UNUSED)
{
	const char *none = NULL;

	configure(false, LOG_LEVEL_INFO, true);
	log_info("m", "a", none, "b", "c");
	assert_non_null(strstr(next_write(low[0]), " msg=m a=\"\" b=c\n"));
}

static void
sends_each_level_to_its_stream(void **state UNUSED)
{
	configure(false, -8, true);
	log_debug("d");
	assert_non_null(strstr(next_write(low[0]), "level=DEBUG msg=d"));
	log_info("i");
	assert_non_null(strstr(next_write(low[0]), "level=INFO msg=i"));
	log_write(1, "x", (char *)NULL);
	assert_non_null(strstr(next_write(high[0]), "level=INFO+1 msg=x"));
	log_warn("w");
	assert_non_null(strstr(next_write(high[0]), "level=WARN msg=w"));
	log_error("e");
	assert_non_null(strstr(next_write(high[0]), "level=ERROR msg=e"));
	configure(false, LOG_LEVEL_INFO, false);
	log_info("i");
	assert_string_equal(next_write(low[0]), "");
	assert_non_null(strstr(next_write(high[0]), "level=INFO msg=i"));
}

static void
names_levels_between_the_four(void **state UNUSED)
{
	static const struct {
		int level;
		const char *want;
	} cases[] = {
		{ -8, " level=DEBUG-4 " },
		{ -3, " level=DEBUG+1 " },
		{ -1, " level=DEBUG+3 " },
		{ 3, " level=INFO+3 " },
		{ 5, " level=WARN+1 " },
		{ 10, " level=ERROR+2 " },
	};

	configure(false, -100, true);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		log_write(cases[i].level, "m", (char *)NULL);
		assert_non_null(
		    strstr(next_write(cases[i].level <= 0 ? low[0] : high[0]),
			cases[i].want));
	}
}

static void
drops_records_below_the_level(void **state UNUSED)
{
	configure(false, LOG_LEVEL_WARN, true);
	assert_false(log_enabled(LOG_LEVEL_INFO));
	assert_false(log_enabled(3));
	assert_true(log_enabled(LOG_LEVEL_WARN));
	log_info("i");
	assert_string_equal(next_write(low[0]), "");
	log_error("e");
	assert_non_null(strstr(next_write(high[0]), "msg=e"));
}

static void
parses_levels_as_slog_does(void **state UNUSED)
{
	static const struct {
		const char *in;
		int rc, level;
	} cases[] = {
		{ "INFO", 0, 0 },
		{ "info", 0, 0 },
		{ "Debug", 0, -4 },
		{ "WARN", 0, 4 },
		{ "ERROR", 0, 8 },
		{ "warn+2", 0, 6 },
		{ "Debug-1", 0, -5 },
		{ "ERROR-12", 0, -4 },
		{ "", -1, 0 },
		{ "WARNING", -1, 0 },
		{ "INF", -1, 0 },
		{ "INFO+", -1, 0 },
		{ "INFO+x", -1, 0 },
		{ "INFO+2 ", -1, 0 },
		{ "INFO++2", -1, 0 },
		{ "INFO+99999999999999999999", -1, 0 },
		{ "+2", -1, 0 },
		{ " INFO", -1, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int level = 77;

		assert_int_equal(
		    log_parse_level(cases[i].in, &level), cases[i].rc);
		assert_int_equal(level, cases[i].level);
	}
}

/* A value of n copies of a piece. */
static char *
repeat(struct buf *b, const char *piece, size_t n)
{
	buf_clear(b);
	while (n-- > 0)
		buf_puts(b, piece);
	return b->data;
}

static void
cuts_an_endless_line_and_keeps_its_form(void **state UNUSED)
{
	static const char *const pieces[] = { "x", " ", "\n", "\x01", "\xff",
		"\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf3\xa0\x80\x81" };
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(1 << 20);

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		const char *value = repeat(&b, pieces[i], 40000);
		const char *got;
		json_t *v;
		size_t len;

		configure(true, LOG_LEVEL_INFO, true);
		log_info("m", "k", value, "after", "lost");
		got = next_write(low[0]);
		len = strlen(got);
		assert_true(len <= LINE_LIMIT && len > LINE_LIMIT - 64);
		assert_string_equal(got + len - 6, "...\"}\n");
		assert_null(strstr(got, "lost"));
		v = json_loads(got, 0, NULL);
		assert_non_null(v);
		json_decref(v);
		configure(false, LOG_LEVEL_INFO, true);
		log_info("m", "k", value, "after", "lost");
		got = next_write(low[0]);
		len = strlen(got);
		assert_true(len <= LINE_LIMIT && len > LINE_LIMIT - 64);
		assert_non_null(strstr(got + len - 6, "..."));
		assert_int_equal(got[len - 1], '\n');
		assert_null(strstr(got, "lost"));
	}
}

static void
stays_within_the_limit_at_every_length(void **state UNUSED)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(1 << 20);

	for (size_t n = LINE_LIMIT - 200; n < LINE_LIMIT + 20; n++) {
		const char *value = repeat(&b, "x", n);
		json_t *v;
		const char *got;

		configure(true, LOG_LEVEL_INFO, true);
		log_info("m", "k", value, "a", "b", "c", "d");
		got = next_write(low[0]);
		assert_true(strlen(got) <= LINE_LIMIT);
		v = json_loads(got, 0, NULL);
		assert_non_null(v);
		json_decref(v);
	}
}

static void *
log_a_lot(void *arg)
{
	for (int i = 0; i < 500; i++)
		log_info("some message", "thread", (const char *)arg);
	return NULL;
}

static void *
read_lines(void *arg)
{
	unsigned *good = arg;
	char text[512];

	for (int i = 0; i < 1000; i++) {
		ssize_t n = recv(low[0], text, sizeof(text) - 1, 0);

		if (n <= 0)
			break;
		text[n] = '\0';
		if (strcmp(text,
			"time=2026-04-22T11:28:08.000Z level=INFO "
			"msg=\"some message\" thread=one\n") == 0 ||
		    strcmp(text,
			"time=2026-04-22T11:28:08.000Z level=INFO "
			"msg=\"some message\" thread=two\n") == 0)
			(*good)++;
	}
	return NULL;
}

static void
never_mixes_the_lines_of_two_threads(void **state UNUSED)
{
	struct thread a, b, reader;
	unsigned good = 0;

	configure(false, LOG_LEVEL_INFO, true);
	thread_start(&reader, "reader", read_lines, &good);
	thread_start(&a, "one", log_a_lot, (void *)(uintptr_t) "one");
	thread_start(&b, "two", log_a_lot, (void *)(uintptr_t) "two");
	thread_join(&a);
	thread_join(&b);
	thread_join(&reader);
	assert_int_equal(good, 1000);
}

/* A line longer than a pipe takes in one piece. */
static void *
log_long_lines(void *arg)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(1 << 20);

	(void)repeat(&b, arg, 9000);
	for (int i = 0; i < 100; i++)
		log_info("m", "k", b.data);
	return NULL;
}

struct pipe_reader {
	int fd;
	unsigned lines, good;
};

static void *
read_long_lines(void *arg)
{
	struct pipe_reader *r = arg;
	FILE *f = fdopen(r->fd, "r");
	char line[2 * LINE_LIMIT];

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		const char *value = strstr(line, " k=");

		r->lines++;
		if (value != NULL && strlen(value) == 9000 + 4 &&
		    strspn(value + 3, (char[]) { value[3], '\0' }) == 9000)
			r->good++;
	}
	if (f != NULL)
		(void)fclose(f);
	return NULL;
}

static void
never_mixes_lines_that_a_pipe_takes_in_pieces(void **state UNUSED)
{
	struct log_config cfg = { .info_stdout = true, .clock = &clk };
	struct pipe_reader r = { .lines = 0 };
	struct thread a, b, reader;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	/* One page: a writer has to wait in the middle of its line. */
	assert_true(fcntl(fds[1], F_SETPIPE_SZ, 4096) > 0);
	r.fd = fds[0];
	cfg.fd_low = fds[1];
	log_init(&cfg);
	thread_start(&reader, "reader", read_long_lines, &r);
	thread_start(&a, "x", log_long_lines, (void *)(uintptr_t) "x");
	thread_start(&b, "y", log_long_lines, (void *)(uintptr_t) "y");
	thread_join(&a);
	thread_join(&b);
	assert_int_equal(close(fds[1]), 0);
	thread_join(&reader);
	assert_int_equal(r.lines, 200);
	assert_int_equal(r.good, 200);
}

static void
survives_a_stream_that_is_gone(void **state UNUSED)
{
	configure(false, LOG_LEVEL_INFO, true);
	assert_int_equal(shutdown(low[1], SHUT_RDWR), 0);
	(void)signal(SIGPIPE, SIG_IGN);
	log_info("nobody reads this");
	log_error("but this");
	assert_non_null(strstr(next_write(high[0]), "but this"));
}

#define STREAM_TEST(fn) \
	cmocka_unit_test_setup_teardown(fn, open_streams, close_streams)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STREAM_TEST(writes_text_lines_as_slog_does),
		STREAM_TEST(writes_json_lines_as_slog_does),
		STREAM_TEST(trims_the_fraction_of_json_times),
		STREAM_TEST(prints_a_missing_value_as_an_empty_text),
		STREAM_TEST(sends_each_level_to_its_stream),
		STREAM_TEST(names_levels_between_the_four),
		STREAM_TEST(drops_records_below_the_level),
		cmocka_unit_test(parses_levels_as_slog_does),
		STREAM_TEST(cuts_an_endless_line_and_keeps_its_form),
		STREAM_TEST(stays_within_the_limit_at_every_length),
		STREAM_TEST(never_mixes_the_lines_of_two_threads),
		STREAM_TEST(never_mixes_lines_that_a_pipe_takes_in_pieces),
		STREAM_TEST(survives_a_stream_that_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
