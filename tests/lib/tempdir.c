/*
 * The scratch directory.
 */
#include "tempdir.h"

#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define MAX_OPEN_DIRS 16

static char dir[64];
static pid_t owner;

static int
remove_one(const char *path, const struct stat *st UNUSED, int flag UNUSED,
    struct FTW *ftw UNUSED)
{
	return remove(path);
}

static void
remove_all(void)
{
	/* A forked child that exits must not take the directory along. */
	if (getpid() != owner)
		return;
	if (getenv("KEEP_TMP") != NULL)
		fprintf(stderr, "kept %s\n", dir);
	else
		(void)nftw(
		    dir, remove_one, MAX_OPEN_DIRS, FTW_DEPTH | FTW_PHYS);
}

const char *
tempdir(void)
{
	if (*dir != '\0')
		return dir;
	snprintf(dir, sizeof(dir), "/tmp/sealed-test.XXXXXX");
	if (mkdtemp(dir) == NULL) {
		fprintf(stderr, "mkdtemp: %s\n", strerror(errno));
		abort();
	}
	owner = getpid();
	atexit(remove_all);
	return dir;
}

char *
tempdir_path(const char *fmt, ...)
{
	char name[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	return xasprintf("%s/%s", tempdir(), name);
}

void
tempdir_write(const char *path, const char *text)
{
	AUTO_STR char *tmp = xasprintf("%s.new", path);
	FILE *f = fopen(tmp, "w");

	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0 ||
	    rename(tmp, path) < 0) {
		fprintf(stderr, "write %s: %s\n", path, strerror(errno));
		abort();
	}
}
