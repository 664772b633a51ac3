/*
 * JSON that a test writes down.
 */
#ifndef TESTS_UNIT_JSONTEXT_H
#define TESTS_UNIT_JSONTEXT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonx.h"

/* Owned by the caller; a text that is no JSON ends the test. */
static inline json_t *
jsontext_parse(const char *text)
{
	struct err err = ERR_INIT;
	json_t *v = NULL;

	if (jsonx_parse(text, strlen(text), 0, &v, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return v;
}

#endif
