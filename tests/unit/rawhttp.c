/*
 * Raw HTTP client; see rawhttp.h.
 */
#include "rawhttp.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT_S 10

static int
try_connect(const char *addr)
{
	const char *colon = strrchr(addr, ':');
	struct sockaddr_in four = { .sin_family = AF_INET };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	const struct timeval wait = { .tv_sec = WAIT_S };
	bool is_six = addr[0] == '[';
	uint16_t port;
	int fd, rc;

	assert_non_null(colon);
	port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	four.sin_port = port;
	four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	six.sin6_port = port;
	six.sin6_addr = in6addr_loopback;
	fd = socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)), 0);
	assert_int_equal(
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)), 0);
	rc = is_six ? connect(fd, (struct sockaddr *)&six, sizeof(six))
		    : connect(fd, (struct sockaddr *)&four, sizeof(four));
	if (rc == 0)
		return fd;
	(void)close(fd);
	return -1;
}

int
raw_connect(const char *addr)
{
	int fd = try_connect(addr);

	assert_true(fd >= 0);
	return fd;
}

bool
raw_can_connect(const char *addr)
{
	int fd = try_connect(addr);

	if (fd < 0)
		return false;
	(void)close(fd);
	return true;
}

/* The peer may have ended the connection already: not an error here. */
void
raw_send(int fd, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n < 0) {
			assert_true(errno == EPIPE || errno == ECONNRESET);
			return;
		}
		p += n;
		len -= (size_t)n;
	}
}

void
raw_puts(int fd, const char *s)
{
	raw_send(fd, s, strlen(s));
}

/* 0: ended. */
static size_t
receive(int fd, char *out, size_t size)
{
	ssize_t n = recv(fd, out, size, 0);

	if (n >= 0)
		return (size_t)n;
	if (errno == EAGAIN)
		fail_msg("no answer within %d s", WAIT_S);
	assert_int_equal(errno, ECONNRESET);
	return 0;
}

size_t
raw_read_all(int fd, char *out, size_t size)
{
	size_t len = 0, n;

	while (
	    len + 1 < size && (n = receive(fd, out + len, size - 1 - len)) > 0)
		len += n;
	out[len] = '\0';
	return len;
}

unsigned
raw_read_answer(int fd, char *out, size_t size, bool with_body)
{
	size_t len = 0, want = 0;
	const char *end, *length;

	out[0] = '\0';
	/* Byte by byte, so as not to read into a pipelined next one. */
	while ((end = strstr(out, "\r\n\r\n")) == NULL) {
		assert_true(len + 1 < size);
		if (receive(fd, out + len, 1) == 0)
			return 0;
		out[++len] = '\0';
	}
	length = strstr(out, "Content-Length: ");
	if (with_body && length != NULL)
		want = strtoul(length + 16, NULL, 10);
	assert_true(len + want < size);
	for (size_t got = 0, n; got < want; got += n) {
		n = receive(fd, out + len, want - got);
		if (n == 0)
			return 0;
		len += n;
	}
	out[len] = '\0';
	return (unsigned)strtoul(out + strlen("HTTP/1.1 "), NULL, 10);
}

const char *
raw_body(const char *answer)
{
	const char *end = strstr(answer, "\r\n\r\n");

	return end != NULL ? end + 4 : "";
}

size_t
raw_exchange(const char *addr, const char *request, char *out, size_t size)
{
	int fd = raw_connect(addr);
	size_t len;

	raw_puts(fd, request);
	len = raw_read_all(fd, out, size);
	(void)close(fd);
	return len;
}

unsigned
raw_count(const char *text, const char *needle)
{
	unsigned n = 0;

	for (; (text = strstr(text, needle)) != NULL; text += strlen(needle))
		n++;
	return n;
}
