/*
 * UTF-8 as Go's package unicode/utf8.
 */
#include "utf8.h"

static bool
is_cont(unsigned char c)
{
	return (c & 0xC0) == 0x80;
}

/* Length by the first byte and the range that the second must be in. */
static size_t
lead(unsigned char c, unsigned char *lo, unsigned char *hi)
{
	*lo = 0x80;
	*hi = 0xBF;
	if (c >= 0xC2 && c <= 0xDF)
		return 2;
	if (c >= 0xE0 && c <= 0xEF) {
		if (c == 0xE0)
			*lo = 0xA0;
		if (c == 0xED)
			*hi = 0x9F;
		return 3;
	}
	if (c >= 0xF0 && c <= 0xF4) {
		if (c == 0xF0)
			*lo = 0x90;
		if (c == 0xF4)
			*hi = 0x8F;
		return 4;
	}
	return 0;
}

size_t
utf8_decode(const char *p, size_t len, uint32_t *r)
{
	const unsigned char *s = (const unsigned char *)p;
	unsigned char lo, hi;
	uint32_t v;
	size_t n;

	*r = UTF8_ERROR;
	if (len == 0)
		return 0;
	if (s[0] < 0x80) {
		*r = s[0];
		return 1;
	}
	n = lead(s[0], &lo, &hi);
	if (n == 0 || len < n || s[1] < lo || s[1] > hi)
		return 1;
	v = s[0] & (0xFFU >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if (!is_cont(s[i]))
			return 1;
		v = v << 6 | (s[i] & 0x3FU);
	}
	*r = v;
	return n;
}

size_t
utf8_decode_last(const char *p, size_t len, uint32_t *r)
{
	size_t start;

	*r = UTF8_ERROR;
	if (len == 0)
		return 0;
	/* Back to what may be a first byte, at most four bytes in all. */
	for (start = len - 1; start > 0 && len - start < 4; start--) {
		if (!is_cont((unsigned char)p[start]))
			break;
	}
	if (utf8_decode(p + start, len - start, r) == len - start)
		return len - start;
	*r = UTF8_ERROR;
	return 1;
}

size_t
utf8_encode(uint32_t r, char out[4])
{
	if (r > UTF8_MAX_RUNE || (r >= 0xD800 && r <= 0xDFFF))
		r = UTF8_ERROR;
	if (r < 0x80) {
		out[0] = (char)r;
		return 1;
	}
	if (r < 0x800) {
		out[0] = (char)(0xC0 | r >> 6);
		out[1] = (char)(0x80 | (r & 0x3F));
		return 2;
	}
	if (r < 0x10000) {
		out[0] = (char)(0xE0 | r >> 12);
		out[1] = (char)(0x80 | (r >> 6 & 0x3F));
		out[2] = (char)(0x80 | (r & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | r >> 18);
	out[1] = (char)(0x80 | (r >> 12 & 0x3F));
	out[2] = (char)(0x80 | (r >> 6 & 0x3F));
	out[3] = (char)(0x80 | (r & 0x3F));
	return 4;
}

size_t
utf8_count(const char *p, size_t len)
{
	size_t n = 0;
	uint32_t r;

	while (len > 0) {
		size_t w = utf8_decode(p, len, &r);

		p += w;
		len -= w;
		n++;
	}
	return n;
}

bool
utf8_valid(const char *p, size_t len)
{
	uint32_t r;

	while (len > 0) {
		size_t w = utf8_decode(p, len, &r);

		if (r == UTF8_ERROR && w == 1)
			return false;
		p += w;
		len -= w;
	}
	return true;
}
