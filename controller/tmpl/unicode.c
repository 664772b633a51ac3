/*
 * Go's package unicode, on the tables of utf8proc.
 */
#include "unicode.h"

#include <utf8proc.h>

/* Has no capital form of one character in Go's tables. */
#define SHARP_S 0xDFU

static utf8proc_category_t
category(uint32_t r)
{
	if (r > 0x10FFFF)
		return UTF8PROC_CATEGORY_CN;
	return utf8proc_category((utf8proc_int32_t)r);
}

bool
unicode_is_letter(uint32_t r)
{
	utf8proc_category_t c;

	if (r < 0x80)
		return (r | 0x20) - 'a' < 26;
	c = category(r);
	return c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_LO;
}

bool
unicode_is_digit(uint32_t r)
{
	if (r < 0x80)
		return r - '0' < 10;
	return category(r) == UTF8PROC_CATEGORY_ND;
}

bool
unicode_is_number(uint32_t r)
{
	utf8proc_category_t c = category(r);

	return c >= UTF8PROC_CATEGORY_ND && c <= UTF8PROC_CATEGORY_NO;
}

bool
unicode_is_upper(uint32_t r)
{
	return category(r) == UTF8PROC_CATEGORY_LU;
}

bool
unicode_is_lower(uint32_t r)
{
	return category(r) == UTF8PROC_CATEGORY_LL;
}

bool
unicode_is_title(uint32_t r)
{
	return category(r) == UTF8PROC_CATEGORY_LT;
}

bool
unicode_is_space(uint32_t r)
{
	if (r < 0x80)
		return r == ' ' || (r >= '\t' && r <= '\r');
	switch (r) {
	case 0x85:
	case 0xA0:
	case 0x1680:
	case 0x2028:
	case 0x2029:
	case 0x202F:
	case 0x205F:
	case 0x3000:
		return true;
	default:
		return r >= 0x2000 && r <= 0x200A;
	}
}

bool
unicode_is_punct(uint32_t r)
{
	utf8proc_category_t c = category(r);

	return c >= UTF8PROC_CATEGORY_PC && c <= UTF8PROC_CATEGORY_PO;
}

bool
unicode_is_print(uint32_t r)
{
	utf8proc_category_t c;

	if (r < 0x80)
		return r >= 0x20 && r < 0x7F;
	c = category(r);
	return c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_SO;
}

uint32_t
unicode_to_upper(uint32_t r)
{
	if (r > 0x10FFFF || r == SHARP_S)
		return r;
	return (uint32_t)utf8proc_toupper((utf8proc_int32_t)r);
}

uint32_t
unicode_to_lower(uint32_t r)
{
	if (r > 0x10FFFF)
		return r;
	return (uint32_t)utf8proc_tolower((utf8proc_int32_t)r);
}

uint32_t
unicode_to_title(uint32_t r)
{
	if (r > 0x10FFFF || r == SHARP_S)
		return r;
	return (uint32_t)utf8proc_totitle((utf8proc_int32_t)r);
}
