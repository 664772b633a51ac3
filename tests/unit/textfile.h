/*
 * Files that a test reads.
 */
#ifndef TESTS_UNIT_TEXTFILE_H
#define TESTS_UNIT_TEXTFILE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"

#define TEXTFILE_MAX (4u * 1024 * 1024)

/* Owned by the caller. */
static inline char *
textfile_read(const char *path)
{
	struct buf text = BUF_INIT(TEXTFILE_MAX);
	struct err err = ERR_INIT;

	if (file_read(path, &text, &err) < 0)
		fail_msg("%s", err.msg);
	buf_putc(&text, '\0');
	return buf_take(&text, NULL);
}

#endif
