/*
 * Error value: see the header. Texts are built in a buffer of their own, so
 * that an argument may point into the error that is being replaced.
 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Length of s after dropping a UTF-8 sequence that the cut left unfinished. */
static size_t
cut_at_rune(const char *s, size_t len)
{
	size_t start = len;
	size_t need;
	unsigned char c;

	while (start > 0 && len - start < 3 &&
	    ((unsigned char)s[start - 1] & 0xc0) == 0x80)
		start--;
	if (start == 0)
		return len;
	start--;
	c = (unsigned char)s[start];
	if (c < 0xc0)
		return len;
	need = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	return len - start < need ? start : len;
}

static void
finish(struct err *err, char *text, int wanted)
{
	size_t len = strlen(text);

	if (wanted >= ERR_TEXT_MAX)
		len = cut_at_rune(text, len);
	text[len] = '\0';
	memcpy(err->msg, text, len + 1);
}

int
err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		text[0] = '\0';
	finish(err, text, n);
	err->code = code;
	err->retry_after_s = 0;
	return -1;
}

int
err_wrap(struct err *err, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	size_t len;
	va_list ap;
	int n, m;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0) {
		text[0] = '\0';
		n = 0;
	}
	len = strlen(text);
	m = snprintf(text + len, sizeof(text) - len, ": %s", err->msg);
	if (m > 0 && n < ERR_TEXT_MAX)
		n += m;
	finish(err, text, n);
	return -1;
}

void
err_clear(struct err *err)
{
	err->code = ERR_NONE;
	err->retry_after_s = 0;
	err->msg[0] = '\0';
}

bool
err_retryable(const struct err *err)
{
	switch (err->code) {
	case ERR_NONE:
	case ERR_INVALID:
	case ERR_TOOBIG:
	case ERR_NOKEY:
	case ERR_IMMUTABLE:
	case ERR_UNSUPPORTED:
		return false;
	case ERR_NOTFOUND:
	case ERR_EXISTS:
	case ERR_CONFLICT:
	case ERR_FORBIDDEN:
	case ERR_UNAUTHORIZED:
	case ERR_GONE:
	case ERR_UNPROCESSABLE:
	case ERR_BADREQUEST:
	case ERR_THROTTLED:
	case ERR_SERVER:
	case ERR_TIMEOUT:
	case ERR_TRANSPORT:
	case ERR_CANCELLED:
	case ERR_IO:
	case ERR_UNMANAGED:
		return true;
	}
	return true;
}

const char *
err_code_name(enum err_code code)
{
	static const char *const names[] = {
		[ERR_NONE] = "none",
		[ERR_INVALID] = "invalid",
		[ERR_TOOBIG] = "toobig",
		[ERR_NOTFOUND] = "notfound",
		[ERR_EXISTS] = "exists",
		[ERR_CONFLICT] = "conflict",
		[ERR_FORBIDDEN] = "forbidden",
		[ERR_UNAUTHORIZED] = "unauthorized",
		[ERR_GONE] = "gone",
		[ERR_UNPROCESSABLE] = "unprocessable",
		[ERR_BADREQUEST] = "badrequest",
		[ERR_THROTTLED] = "throttled",
		[ERR_SERVER] = "server",
		[ERR_TIMEOUT] = "timeout",
		[ERR_TRANSPORT] = "transport",
		[ERR_CANCELLED] = "cancelled",
		[ERR_IO] = "io",
		[ERR_NOKEY] = "nokey",
		[ERR_UNMANAGED] = "unmanaged",
		[ERR_IMMUTABLE] = "immutable",
		[ERR_UNSUPPORTED] = "unsupported",
	};

	if ((size_t)code >= ARRAY_SIZE(names) || names[code] == NULL)
		return "unknown";
	return names[code];
}
