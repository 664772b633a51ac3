/*
 * Go's package strconv for strings and characters.
 */
#include "quote.h"

#include <string.h>

#include "unicode.h"
#include "utf8.h"

#define BYTE_ORDER_MARK 0xFEFFU

static const char escapes_from[] = "abfnrtv";
static const char escapes_to[] = "\a\b\f\n\r\t\v";

static void
put_escaped(struct text *out, uint32_t r, char quote, bool ascii)
{
	const char *special;

	if (r == (unsigned char)quote || r == '\\') {
		text_putc(out, '\\');
		text_putc(out, (char)r);
		return;
	}
	if (unicode_is_print(r) && (r < 0x80 || !ascii)) {
		text_putrune(out, r);
		return;
	}
	special = r == 0 || r >= 0x80 ? NULL : strchr(escapes_to, (int)r);
	if (special != NULL) {
		text_putc(out, '\\');
		text_putc(out, escapes_from[special - escapes_to]);
	} else if (r < 0x80) {
		text_printf(out, "\\x%02x", r);
	} else if (r < 0x10000) {
		text_printf(out, "\\u%04x", r);
	} else {
		text_printf(out, "\\U%08x", r);
	}
}

void
quote_string(struct text *out, const char *p, size_t len, bool ascii)
{
	text_putc(out, '"');
	while (len > 0 && !out->failed) {
		uint32_t r;
		size_t w = utf8_decode(p, len, &r);

		if (w == 1 && r == UTF8_ERROR)
			text_printf(out, "\\x%02x", (unsigned char)*p);
		else
			put_escaped(out, r, '"', ascii);
		p += w;
		len -= w;
	}
	text_putc(out, '"');
}

void
quote_rune(struct text *out, uint32_t r, bool ascii)
{
	if (r > UTF8_MAX_RUNE || (r >= 0xD800 && r <= 0xDFFF))
		r = UTF8_ERROR;
	text_putc(out, '\'');
	put_escaped(out, r, '\'', ascii);
	text_putc(out, '\'');
}

bool
quote_can_backquote(const char *p, size_t len)
{
	while (len > 0) {
		uint32_t r;
		size_t w = utf8_decode(p, len, &r);

		p += w;
		len -= w;
		if (w > 1) {
			if (r == BYTE_ORDER_MARK)
				return false;
			continue;
		}
		if (r == UTF8_ERROR || (r < ' ' && r != '\t') || r == '`' ||
		    r == 0x7F)
			return false;
	}
	return true;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* \xHH, \uXXXX, \UXXXXXXXX; p is behind the backslash. */
static size_t
unquote_hex(const char *p, size_t len, uint32_t *ret)
{
	size_t n = p[0] == 'x' ? 2 : p[0] == 'u' ? 4 : 8;
	uint32_t v = 0;

	if (len < n + 1)
		return 0;
	for (size_t i = 1; i <= n; i++) {
		int d = hex_digit(p[i]);

		if (d < 0 || v > UINT32_MAX >> 4)
			return 0;
		v = v << 4 | (uint32_t)d;
	}
	if (n > 2 && (v > UTF8_MAX_RUNE || (v >= 0xD800 && v <= 0xDFFF)))
		return 0;
	*ret = v;
	return n + 1;
}

static size_t
unquote_octal(const char *p, size_t len, uint32_t *ret)
{
	uint32_t v = 0;

	if (len < 3)
		return 0;
	for (size_t i = 0; i < 3; i++) {
		if (p[i] < '0' || p[i] > '7')
			return 0;
		v = v << 3 | (uint32_t)(p[i] - '0');
	}
	if (v > 0xFF)
		return 0;
	*ret = v;
	return 3;
}

/* What follows a backslash. */
static size_t
unquote_escape(
    const char *p, size_t len, char quote, uint32_t *ret, bool *multibyte)
{
	const char *known;

	if (len == 0 || *p == '\0')
		return 0;
	known = strchr(escapes_from, *p);
	if (known != NULL) {
		*ret = (unsigned char)escapes_to[known - escapes_from];
		return 1;
	}
	if (*p == 'x' || *p == 'u' || *p == 'U') {
		*multibyte = *p != 'x';
		return unquote_hex(p, len, ret);
	}
	if (*p >= '0' && *p <= '7')
		return unquote_octal(p, len, ret);
	if (*p != '\\' && (*p != quote || (*p != '"' && *p != '\'')))
		return 0;
	*ret = (unsigned char)*p;
	return 1;
}

size_t
quote_unquote_char(
    const char *p, size_t len, char quote, uint32_t *ret, bool *multibyte)
{
	size_t n;

	*ret = 0;
	*multibyte = false;
	if (len == 0 || *p == quote)
		return 0;
	if ((unsigned char)*p >= 0x80) {
		*multibyte = true;
		return utf8_decode(p, len, ret);
	}
	if (*p != '\\') {
		*ret = (unsigned char)*p;
		return 1;
	}
	n = unquote_escape(p + 1, len - 1, quote, ret, multibyte);
	return n == 0 ? 0 : n + 1;
}

static int
unquote_raw(struct text *out, const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (p[i] == '`')
			return -1;
		if (p[i] != '\r')
			text_putc(out, p[i]);
	}
	return 0;
}

static int
unquote_double(struct text *out, const char *p, size_t len)
{
	while (len > 0) {
		bool multibyte;
		uint32_t r;
		size_t n = quote_unquote_char(p, len, '"', &r, &multibyte);

		if (n == 0 || *p == '\n')
			return -1;
		if (r < 0x80 || !multibyte)
			text_putc(out, (char)r);
		else
			text_putrune(out, r);
		p += n;
		len -= n;
	}
	return 0;
}

int
quote_unquote(struct env *e, const char *p, size_t len, struct value *ret)
{
	struct text out;
	int rc;

	if (len < 2 || p[0] != p[len - 1])
		return -1;
	text_init(&out, e);
	if (p[0] == '`')
		rc = unquote_raw(&out, p + 1, len - 2);
	else if (p[0] == '"')
		rc = unquote_double(&out, p + 1, len - 2);
	else
		rc = -1;
	if (rc < 0)
		return -1;
	return text_done(&out, ret);
}
