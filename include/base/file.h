/*
 * Whole small files: tokens, certificates, configuration.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/buf.h"

/* Appends the whole file, at most out->max bytes. Opened by path every time
 * (projected volumes swap a symlink). Errors name the path: ERR_NOTFOUND,
 * ERR_TOOBIG, ERR_IO. */
int file_read(const char *path, struct buf *out, struct err *err) MUST_CHECK;
/* The same from a descriptor to its end; errors call it name. What was read
 * before a failure stays in out. */
int file_read_fd(
    int fd, const char *name, struct buf *out, struct err *err) MUST_CHECK;
/* Without leading and trailing white space; owned by the caller. */
char *file_read_trimmed(const char *path, size_t max, struct err *err);
/* Whether it looks like the same version of the same file: projected volumes
 * swap a symlink, others rewrite the file in place. One that changed twice
 * within a tick of the file system's clock looks the same. */
bool file_same(const struct stat *a, const struct stat *b);

#endif
