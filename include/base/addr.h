/*
 * Listen addresses as Go writes them: ":8080" (every address, IPv4 and IPv6),
 * "127.0.0.1:0", "[::1]:80", "localhost:8080"; and the listening sockets they
 * stand for.
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"

#define ADDR_HOST_MAX 256
/* Text of a bound address: "[" 45 characters "]:65535", or a host name. */
#define ADDR_TEXT_MAX (ADDR_HOST_MAX + 16)

struct addr {
	char host[ADDR_HOST_MAX]; /* without brackets; "": every one */
	uint16_t port;		  /* 0: any free one */
};

/* ERR_INVALID with a reason; text is not repeated in it. */
int addr_parse(const char *text, struct addr *ret, struct err *err) MUST_CHECK;
/*
 * A bound, listening, non-blocking socket, or -1: ERR_IO, "listen on
 * 127.0.0.1:80: permission denied". An empty host listens on IPv6 and IPv4
 * alike, on IPv4 alone where the machine has no IPv6.
 */
int addr_listen(const char *text, struct err *err) MUST_CHECK;
/* What a listening socket is bound to: "127.0.0.1:40123", "[::]:8080". */
void addr_text(int fd, char out[static ADDR_TEXT_MAX]);

#endif
