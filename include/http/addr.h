/*
 * Listen addresses as Go writes them: ":8080" (every address, IPv4 and IPv6),
 * "127.0.0.1:0", "[::1]:80", "localhost:8080"; and the listening sockets they
 * stand for.
 */
#ifndef HTTP_ADDR_H
#define HTTP_ADDR_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"

#define HTTP_ADDR_HOST_MAX 256
/* Text of a bound address: "[" 45 characters "]:65535", or a host name. */
#define HTTP_ADDR_TEXT_MAX (HTTP_ADDR_HOST_MAX + 16)

struct http_addr {
	char host[HTTP_ADDR_HOST_MAX]; /* without brackets; "": every one */
	uint16_t port;		       /* 0: any free one */
};

/* ERR_INVALID with a reason; text is not repeated in it. */
int http_addr_parse(
    const char *text, struct http_addr *ret, struct err *err) MUST_CHECK;
/*
 * A bound, listening, non-blocking socket, or -1: ERR_IO, "listen on
 * 127.0.0.1:80: permission denied". An empty host listens on IPv6 and IPv4
 * alike, on IPv4 alone where the machine has no IPv6.
 */
int http_addr_listen(const char *text, struct err *err) MUST_CHECK;
/* What a listening socket is bound to: "127.0.0.1:40123", "[::]:8080". */
void http_addr_text(int fd, char out[static HTTP_ADDR_TEXT_MAX]);

#endif
