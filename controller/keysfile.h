/*
 * Files with keys in them: written whole or not at all, readable by their
 * owner alone; and a folder of such files of which the newest are kept.
 */
#ifndef CONTROLLER_KEYSFILE_H
#define CONTROLLER_KEYSFILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"

/*
 * A temporary file of mode 0600 in the same folder, synced, read back and
 * compared, renamed to path, folder synced. On failure nothing new is there
 * and what was under path is as before. Refused where path is something else
 * than a regular file. Signals that would end the program wait meanwhile.
 */
int keysfile_store(
    const char *path, const void *p, size_t len, struct err *err) MUST_CHECK;

/* "DIR/sealed-secrets-keys-20261124T094500Z.SUFFIX"; owned by the caller. */
char *keysfile_name(const char *dir, int64_t unix_s, const char *suffix);
/*
 * Deletes files with such names but the newest keep (by the time in the name,
 * at least 1), and temporary ones over an hour old; says how many backups
 * went. Nothing else in the folder is touched.
 */
int keysfile_prune(
    const char *dir, size_t keep, size_t *removed, struct err *err) MUST_CHECK;

#endif
