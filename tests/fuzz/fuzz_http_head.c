/*
 * Fuzz target: the second look at a request's head. Input: the version byte
 * ('0': HTTP/1.0, else 1.1), then lines "name:value", taken as they are.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controller/http/framing.h"
#include "fuzz.h"

#define BODY_MAX 1000

static void
feed(struct framing *f, const char *p, size_t len)
{
	while (len > 0) {
		const char *end = memchr(p, '\n', len);
		size_t line = end != NULL ? (size_t)(end - p) : len;
		const char *colon = memchr(p, ':', line);
		size_t name = colon != NULL ? (size_t)(colon - p) : line;
		size_t value = colon != NULL ? line - name - 1 : 0;

		framing_field(f, p, name, p + line - value, value);
		len -= end != NULL ? line + 1 : line;
		p += end != NULL ? line + 1 : line;
	}
}

/* What passes can be cut in one way only. */
static void
check_passed(const struct framing *f, const char *version)
{
	if (f->malformed || f->lengths + f->codings > 1 || f->hosts > 1 ||
	    f->fields > FRAMING_FIELDS_MAX || f->length > BODY_MAX)
		abort();
	if (strcmp(version, "HTTP/1.0") == 0 ? f->codings > 0 : f->hosts != 1)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct framing f = { 0 };
	const char *version = "HTTP/1.1";
	unsigned status;

	if (size == 0)
		return 0;
	if (data[0] == '0')
		version = "HTTP/1.0";
	feed(&f, (const char *)data + 1, size - 1);
	status = framing_verdict(&f, version, BODY_MAX);
	if (status == 0)
		check_passed(&f, version);
	else if (status != 400 && status != 413 && status != 417 &&
	    status != 431)
		abort();
	return 0;
}
