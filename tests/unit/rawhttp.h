/*
 * A raw HTTP client for tests: bytes out as given, bytes in as they come.
 * Every wait is bounded; a failure fails the test.
 */
#ifndef TESTS_RAWHTTP_H
#define TESTS_RAWHTTP_H

#include <stdbool.h>
#include <stddef.h>

/* "127.0.0.1:40123", "[::]:40123" (connects to ::1). */
int raw_connect(const char *addr);
/* False where the peer refuses or is not there. */
bool raw_can_connect(const char *addr);
void raw_send(int fd, const char *p, size_t len);
void raw_puts(int fd, const char *s);
/* Until the peer closes (a reset counts), NUL-terminated; returns the length.
 */
size_t raw_read_all(int fd, char *out, size_t size);
/* One answer: head and, with_body, as much as its Content-Length says. Returns
 * the status; 0: the connection ended before it. */
unsigned raw_read_answer(int fd, char *out, size_t size, bool with_body);
/* Behind the head; "" where there is none. */
const char *raw_body(const char *answer);
/* Connects, sends, reads all, closes. */
size_t
raw_exchange(const char *addr, const char *request, char *out, size_t size);
/* How often needle occurs. */
unsigned raw_count(const char *text, const char *needle);

#endif
