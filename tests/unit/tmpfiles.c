/*
 * Temporary files, flat in one directory.
 */
#include "tmpfiles.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define PATHS 256

void
tmpfiles_init(struct tmpfiles *t)
{
	const char *base = getenv("TMPDIR");

	(void)snprintf(t->dir, sizeof(t->dir), "%.40s/unit-XXXXXX",
	    base != NULL && strlen(base) <= 40 ? base : "/tmp");
	assert_non_null(mkdtemp(t->dir));
}

const char *
tmpfiles_path(const struct tmpfiles *t, const char *name)
{
	static char paths[PATHS][512];
	static unsigned next;
	char *path = paths[next++ % PATHS];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", t->dir, name);
	return path;
}

void
tmpfiles_write(const struct tmpfiles *t, const char *name, const char *text)
{
	FILE *f = fopen(tmpfiles_path(t, name), "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

void
tmpfiles_swap(const struct tmpfiles *t, const char *name, const char *text)
{
	tmpfiles_write(t, "swap.tmp", text);
	assert_int_equal(
	    rename(tmpfiles_path(t, "swap.tmp"), tmpfiles_path(t, name)), 0);
}

void
tmpfiles_remove(const struct tmpfiles *t, const char *name)
{
	assert_int_equal(unlink(tmpfiles_path(t, name)), 0);
}

void
tmpfiles_release(struct tmpfiles *t)
{
	DIR *d = opendir(t->dir);
	const struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			(void)unlink(tmpfiles_path(t, e->d_name));
	(void)closedir(d);
	assert_int_equal(rmdir(t->dir), 0);
}
