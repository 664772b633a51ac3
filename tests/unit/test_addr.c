/*
 * Listen addresses, and sockets on this machine's loopback.
 * layer: base
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/addr.h"
#include "rawhttp.h"

static void
reads_addresses_as_go_writes_them(void **state UNUSED)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
	} cases[] = {
		{ ":8080", "", 8080 },
		{ ":0", "", 0 },
		{ "0.0.0.0:65535", "0.0.0.0", 65535 },
		{ "127.0.0.1:80", "127.0.0.1", 80 },
		{ "localhost:80", "localhost", 80 },
		{ "[::1]:80", "::1", 80 },
		{ "[::]:080", "::", 80 },
		{ "[fe80::1%eth0]:80", "fe80::1%eth0", 80 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct addr a = { .port = 1 };
		struct err err = ERR_INIT;

		assert_int_equal(addr_parse(cases[i].text, &a, &err), 0);
		assert_string_equal(a.host, cases[i].host);
		assert_int_equal(a.port, cases[i].port);
	}
}

static void
refuses_what_is_no_address(void **state UNUSED)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "missing port" },
		{ "8080", "missing port" },
		{ "localhost", "missing port" },
		{ ":", "missing port" },
		{ "127.0.0.1:", "missing port" },
		{ ":http", "port is not a number" },
		{ ":-1", "port is not a number" },
		{ ":+80", "port is not a number" },
		{ ": 80", "port is not a number" },
		{ ":000080", "port is not a number" },
		{ ":65536", "port over 65535" },
		{ "::1:80", "an IPv6 address needs brackets around it" },
		{ "[::1]80", "not [address]:port" },
		{ "[::1:80", "not [address]:port" },
		{ "[]:80", "not [address]:port" },
		{ "[::1]", "not [address]:port" },
		{ "a b:80", "host has a strange character" },
		{ "a\n:80", "host has a strange character" },
		{ "http://x:80", "an IPv6 address needs brackets around it" },
	};
	char text[ADDR_HOST_MAX + 8];
	struct addr a = { .port = 1 };
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(addr_parse(cases[i].text, &a, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
		assert_string_equal(err.msg, cases[i].why);
	}
	memset(text, 'a', sizeof(text));
	memcpy(text + ADDR_HOST_MAX, ":80", 4);
	assert_int_equal(addr_parse(text, &a, &err), -1);
	assert_string_equal(err.msg, "host is too long");
	assert_int_equal(a.port, 1);
}

static void
an_empty_host_takes_both_families(void **state UNUSED)
{
	struct err err = ERR_INIT;
	char text[ADDR_TEXT_MAX], addr[ADDR_TEXT_MAX];
	int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd = addr_listen(":0", &err);

	assert_true(fd >= 0);
	addr_text(fd, text);
	(void)snprintf(addr, sizeof(addr), "127.0.0.1%s", strrchr(text, ':'));
	assert_true(raw_can_connect(addr));
	/* A machine without IPv6 has the other half only. */
	if (probe >= 0) {
		assert_int_equal(strncmp(text, "[::]:", 5), 0);
		(void)close(probe);
	} else {
		assert_int_equal(strncmp(text, "0.0.0.0:", 8), 0);
	}
	(void)close(fd);
}

static void
an_address_takes_itself_alone(void **state UNUSED)
{
	struct err err = ERR_INIT;
	char text[ADDR_TEXT_MAX];
	int fd = addr_listen("127.0.0.1:0", &err);

	assert_true(fd >= 0);
	addr_text(fd, text);
	assert_int_equal(strncmp(text, "127.0.0.1:", 10), 0);
	assert_string_not_equal(text, "127.0.0.1:0");
	assert_true(raw_can_connect(text));
	assert_int_not_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	assert_int_not_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	(void)close(fd);
	assert_false(raw_can_connect(text));
}

static void
failures_name_address_and_reason(void **state UNUSED)
{
	struct err err = ERR_INIT;
	char text[ADDR_TEXT_MAX], want[ADDR_TEXT_MAX + 64];
	int fd = addr_listen("127.0.0.1:0", &err);

	assert_true(fd >= 0);
	addr_text(fd, text);
	assert_int_equal(addr_listen(text, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	(void)snprintf(
	    want, sizeof(want), "listen on %s: address already in use", text);
	assert_string_equal(err.msg, want);
	/* Every address: the port of one of them is taken. */
	(void)snprintf(want, sizeof(want),
	    "listen on %s: address already in use", strrchr(text, ':'));
	assert_int_equal(addr_listen(strrchr(text, ':'), &err), -1);
	assert_string_equal(err.msg, want);
	(void)close(fd);

	/* Of the block kept for documentation: nobody's own. */
	assert_int_equal(addr_listen("192.0.2.1:80", &err), -1);
	assert_string_equal(
	    err.msg, "listen on 192.0.2.1:80: cannot assign requested address");
	assert_int_equal(addr_listen("300.0.0.1.:80", &err), -1);
	assert_string_equal(
	    err.msg, "listen on 300.0.0.1.:80: no such address");
	assert_int_equal(addr_listen("80", &err), -1);
	assert_string_equal(err.msg, "listen on 80: missing port");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_addresses_as_go_writes_them),
		cmocka_unit_test(refuses_what_is_no_address),
		cmocka_unit_test(an_empty_host_takes_both_families),
		cmocka_unit_test(an_address_takes_itself_alone),
		cmocka_unit_test(failures_name_address_and_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
