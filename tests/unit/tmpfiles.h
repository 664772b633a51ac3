/*
 * Files of a test in a directory of its own. Failures fail the test.
 */
#ifndef TESTS_UNIT_TMPFILES_H
#define TESTS_UNIT_TMPFILES_H

struct tmpfiles {
	char dir[64];
};

void tmpfiles_init(struct tmpfiles *t);
void tmpfiles_release(struct tmpfiles *t);
/* Path of a file in it; valid for the next 255 calls. */
const char *tmpfiles_path(const struct tmpfiles *t, const char *name);
/* Writes in place. */
void
tmpfiles_write(const struct tmpfiles *t, const char *name, const char *text);
/* Writes another file and renames it over this one, as volumes do. */
void
tmpfiles_swap(const struct tmpfiles *t, const char *name, const char *text);
void tmpfiles_remove(const struct tmpfiles *t, const char *name);

#endif
