/*
 * Strict second look at a request's head; see framing.h.
 */
#include "framing.h"

#include <string.h>
#include <strings.h>

#define STATUS_BAD	    400
#define STATUS_TOO_LARGE    413
#define STATUS_EXPECTATION  417
#define STATUS_HEAD_TOO_BIG 431
#define TOKEN_EXTRA	    "!#$%&'*+-.^_`|~"
#define DIGITS_MAX	    18 /* fits into 64 bits */

static bool
is_token_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') ||
	    (c != '\0' && strchr(TOKEN_EXTRA, c) != NULL);
}

static bool
is_token(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_token_char(p[i]))
			return false;
	return len > 0;
}

static bool
has_control(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)p[i] < ' ' && p[i] != '\t') || p[i] == 0x7f)
			return true;
	return false;
}

static bool
equals(const char *p, size_t len, const char *word)
{
	return len == strlen(word) && strncasecmp(p, word, len) == 0;
}

/* Digits and nothing else: no sign, no list, no space. */
static bool
parse_length(const char *p, size_t len, uint64_t *ret)
{
	uint64_t v = 0;

	if (len == 0 || len > DIGITS_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(p[i] - '0');
	}
	*ret = v;
	return true;
}

void
framing_field(struct framing *f, const char *name, size_t name_len,
    const char *value, size_t value_len)
{
	f->fields++;
	if (!is_token(name, name_len) || has_control(value, value_len))
		f->malformed = true;
	if (equals(name, name_len, "Content-Length")) {
		f->lengths++;
		if (!parse_length(value, value_len, &f->length))
			f->malformed = true;
	} else if (equals(name, name_len, "Transfer-Encoding")) {
		f->codings++;
		if (!equals(value, value_len, "chunked"))
			f->malformed = true;
	} else if (equals(name, name_len, "Host")) {
		f->hosts++;
	} else if (equals(name, name_len, "Expect")) {
		if (!equals(value, value_len, "100-continue"))
			f->expects_unknown = true;
	}
}

unsigned
framing_verdict(const struct framing *f, const char *version, uint64_t body_max)
{
	bool is_11 = strcmp(version, "HTTP/1.1") == 0;

	if (f->malformed || f->lengths + f->codings > 1 || f->hosts > 1)
		return STATUS_BAD;
	if (is_11 ? f->hosts == 0 : f->codings > 0)
		return STATUS_BAD;
	if (f->fields > FRAMING_FIELDS_MAX)
		return STATUS_HEAD_TOO_BIG;
	if (f->length > body_max)
		return STATUS_TOO_LARGE;
	if (f->expects_unknown)
		return STATUS_EXPECTATION;
	return 0;
}
