/*
 * Texts whose length is all that counts.
 */
#ifndef TESTS_UNIT_REPEAT_H
#define TESTS_UNIT_REPEAT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Valid until the next call. */
static inline const char *
repeat(char c, size_t n)
{
	static char text[4096];

	assert_true(n < sizeof(text));
	memset(text, c, n);
	text[n] = '\0';
	return text;
}

#endif
