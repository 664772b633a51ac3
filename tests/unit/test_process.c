/*
 * process_* from a made-up /proc and from the real one.
 */
/* layer: metrics */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "controller/metrics/process.h"

static char root[] = "/tmp/test_process.XXXXXX";

static const char *const dirs[] = { "self", "self/fd", "self/net" };
static const char *const files[] = { "stat", "self/stat", "self/net/netstat",
	"self/fd/0", "self/fd/1", "self/fd/2" };

static void
write_file(const char *name, const char *text)
{
	AUTO_STR char *path = xasprintf("%s/%s", root, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int
make_proc(void **state UNUSED)
{
	if (mkdtemp(root) == NULL)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		AUTO_STR char *path = xasprintf("%s/%s", root, dirs[i]);

		if (mkdir(path, 0700) != 0)
			return -1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		write_file(files[i], "");
	return 0;
}

static int
remove_proc(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		AUTO_STR char *path = xasprintf("%s/%s", root, files[i]);

		if (unlink(path) != 0)
			return -1;
	}
	for (size_t i = ARRAY_SIZE(dirs); i-- > 0;) {
		AUTO_STR char *path = xasprintf("%s/%s", root, dirs[i]);

		if (rmdir(path) != 0)
			return -1;
	}
	return rmdir(root);
}

/* Value of a sample, -1 where it is missing. */
static double
value(const char *text, const char *name)
{
	AUTO_STR char *line = xasprintf("\n%s ", name);
	const char *p = strstr(text, line);

	return p == NULL ? -1 : strtod(p + strlen(line), NULL);
}

static char *
render(const char *proc)
{
	struct buf b = BUF_INIT(1 << 16);
	struct err err = ERR_INIT;

	assert_int_equal(process_render(proc, &b, &err), 0);
	return buf_take(&b, NULL);
}

#define STAT_TAIL                                                         \
	"S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 9 0 1234 5000000 250 184" \
	"46744073709551615 1 1 0\n"

static void
reads_the_fields_of_proc(void **state UNUSED)
{
	double ticks = (double)sysconf(_SC_CLK_TCK);
	double page = (double)sysconf(_SC_PAGESIZE);
	AUTO_STR char *text = NULL;

	write_file("stat", "cpu 1 2 3\nintr 5 5\nctxt 7\nbtime 1700000000\n");
	write_file("self/stat", "42 (odd) name (x) " STAT_TAIL);
	write_file("self/net/netstat",
	    "TcpExt: InOctets Other\nTcpExt: 7 8\n"
	    "IpExt: InNoRoutes InOctets OutOctets InBcastOctets\n"
	    "IpExt: 1 123456 654321 9\n");
	text = render(root);
	assert_true(value(text, "process_cpu_seconds_total") == 200 / ticks);
	assert_true(value(text, "process_resident_memory_bytes") == 250 * page);
	assert_true(value(text, "process_virtual_memory_bytes") == 5000000);
	assert_true(value(text, "process_start_time_seconds") ==
	    1700000000 + 1234 / ticks);
	assert_true(value(text, "process_open_fds") == 3);
	assert_true(
	    value(text, "process_network_receive_bytes_total") == 123456);
	assert_true(
	    value(text, "process_network_transmit_bytes_total") == 654321);
	assert_non_null(strstr(text,
	    "# HELP process_open_fds Number of open file descriptors.\n"
	    "# TYPE process_open_fds gauge\nprocess_open_fds 3\n"));
	assert_non_null(
	    strstr(text, "# TYPE process_cpu_seconds_total counter\n"));
}

static void
leaves_out_what_it_cannot_read(void **state UNUSED)
{
	static const char *const netstats[] = {
		"",
		"IpExt: InOctets",
		"IpExt: InOctets OutOctets\n",
		"IpExt: InOctets OutOctets\nOther: 1 2\n",
		"IpExt: Nothing\nIpExt: 1\n",
		"IpExt: A InOctets OutOctets\nIpExt: 1\n",
	};

	write_file("stat", "cpu 1 2 3\n");
	write_file("self/stat", "42 (x) S 1 2 3\n");
	for (size_t i = 0; i < ARRAY_SIZE(netstats); i++) {
		AUTO_STR char *text = NULL;

		write_file("self/net/netstat", netstats[i]);
		text = render(root);
		assert_null(strstr(text, "process_network"));
		assert_null(strstr(text, "process_cpu"));
		assert_null(strstr(text, "process_start"));
		assert_true(value(text, "process_max_fds") > 0);
		assert_true(value(text, "process_open_fds") == 3);
	}
}

static void
tells_something_sensible_about_itself(void **state UNUSED)
{
	static const char *const names[] = { "process_cpu_seconds_total",
		"process_max_fds", "process_open_fds",
		"process_resident_memory_bytes", "process_start_time_seconds",
		"process_virtual_memory_bytes",
		"process_virtual_memory_max_bytes" };
	AUTO_STR char *text = render("/proc");
	AUTO_STR char *led = xasprintf("\n%s", text);
	double now = (double)time(NULL);
	double started = value(led, "process_start_time_seconds");

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_true(value(led, names[i]) >= 0);
	/* The kernel's clocks differ by adjustments: an hour is plenty. */
	assert_true(started > now - 3600 && started < now + 3600);
	assert_true(value(led, "process_resident_memory_bytes") > 100000);
}

static void
fails_where_the_text_does_not_fit(void **state UNUSED)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(20);
	struct err err = ERR_INIT;

	assert_int_equal(process_render("/proc", &b, &err), -1);
	assert_int_equal(err.code, ERR_TOOBIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_fields_of_proc),
		cmocka_unit_test(leaves_out_what_it_cannot_read),
		cmocka_unit_test(tells_something_sensible_about_itself),
		cmocka_unit_test(fails_where_the_text_does_not_fit),
	};

	return cmocka_run_group_tests(tests, make_proc, remove_proc);
}
