/*
 * One scratch directory for each test program, removed when it exits. Set
 * KEEP_TMP to keep it (its name is printed then).
 */
#ifndef LIB_TEMPDIR_H
#define LIB_TEMPDIR_H

#include "base/compiler.h"

const char *tempdir(void);
/* DIR/name, owned by the caller; the name is formatted. */
char *tempdir_path(const char *fmt, ...) PRINTF(1, 2);
/* Writes a file (through a rename, so that readers see all or nothing). */
void tempdir_write(const char *path, const char *text);

#endif
