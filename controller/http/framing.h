/*
 * Is a request's head unambiguous? libmicrohttpd accepts heads that two
 * parsers in a row may cut differently (request smuggling: length and chunked
 * at once, two lengths, unknown transfer codings), so every field is looked at
 * again before anything is answered. Pure.
 */
#ifndef HTTP_FRAMING_H
#define HTTP_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fields in one head. */
#define FRAMING_FIELDS_MAX 64

struct framing {
	unsigned fields, lengths, codings, hosts;
	bool malformed;
	bool expects_unknown;
	uint64_t length; /* Content-Length */
};

/* Called for each field of the head; texts need no NUL. */
void framing_field(struct framing *f, const char *name, size_t name_len,
    const char *value, size_t value_len);
/* 0 where the head is fine, else the HTTP status of the refusal: 400, 413
 * (length over body_max), 417, 431. version: "HTTP/1.1". */
unsigned framing_verdict(
    const struct framing *f, const char *version, uint64_t body_max);

#endif
