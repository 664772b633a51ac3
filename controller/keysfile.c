/*
 * Files with keys in them. See keysfile.h.
 */
#include "keysfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/timefmt.h"

#define PREFIX	      "sealed-secrets-keys-"
#define PARTIAL	      ".partial"
#define PARTIAL_AGE_S 3600
/* Names of backups looked at in one folder. */
#define FILES_MAX 100000u

static int
fail(struct err *err, const char *what, const char *path)
{
	return err_set(err, ERR_IO, "%s %s: %s", what, path, strerror(errno));
}

/* ---- one file ---- */

struct place {
	const char *path;
	const char *base; /* in path */
	int dir;
	char *partial; /* name of the temporary file */
};

static int
place_open(struct place *at, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	AUTO_STR char *dir = NULL;

	*at = (struct place) { .path = path, .dir = -1 };
	at->base = slash != NULL ? slash + 1 : path;
	at->partial = xasprintf(".%s" PARTIAL, at->base);
	if (at->base[0] == '\0')
		return err_set(err, ERR_INVALID, "%s is not a file name", path);
	dir = slash == NULL ? xstrdup(".")
			    : xstrndup(path, (size_t)(slash - path) + 1);
	at->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (at->dir < 0)
		return fail(err, "open folder", dir);
	return 0;
}

static void
place_release(struct place *at)
{
	if (at->dir >= 0)
		(void)close(at->dir);
	mem_free_wiped(at->partial);
}

DEFINE_AUTO_RELEASE(place);

/* A device or a link under that name is not ours to replace. */
static int
check_target(const struct place *at, struct err *err)
{
	struct stat st;

	if (fstatat(at->dir, at->base, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : fail(err, "look at", at->path);
	if (!S_ISREG(st.st_mode))
		return err_set(
		    err, ERR_INVALID, "%s is not a regular file", at->path);
	return 0;
}

static int
write_all(int fd, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
check_contents(
    int fd, const struct place *at, const void *p, size_t len, struct err *err)
{
	AUTO_RELEASE(buf) struct buf back = BUF_INIT(len + 1);

	if (lseek(fd, 0, SEEK_SET) < 0)
		return fail(err, "read back", at->path);
	if (file_read_fd(fd, at->path, &back, err) < 0)
		return -1;
	if (back.len != len || (len > 0 && memcmp(back.data, p, len) != 0))
		return err_set(
		    err, ERR_IO, "%s does not hold what was written", at->path);
	return 0;
}

static int
fill(int fd, const struct place *at, const void *p, size_t len, struct err *err)
{
	/* Whatever the umask says. */
	if (fchmod(fd, 0600) < 0 || write_all(fd, p, len) < 0 || fsync(fd) < 0)
		return fail(err, "write", at->path);
	if (check_contents(fd, at, p, len, err) < 0)
		return -1;
	if (renameat(at->dir, at->partial, at->dir, at->base) < 0)
		return fail(err, "rename to", at->path);
	return 0;
}

static int
store_at(const struct place *at, const void *p, size_t len, struct err *err)
{
	int fd, rc;

	/* Left by one that was killed. */
	(void)unlinkat(at->dir, at->partial, 0);
	fd = openat(at->dir, at->partial,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(err, "create", at->path);
	rc = fill(fd, at, p, len, err);
	if (rc < 0)
		(void)unlinkat(at->dir, at->partial, 0);
	(void)close(fd);
	if (rc == 0 && fsync(at->dir) < 0)
		return fail(err, "sync the folder of", at->path);
	return rc;
}

int
keysfile_store(const char *path, const void *p, size_t len, struct err *err)
{
	AUTO_RELEASE(place) struct place at = { .dir = -1 };
	sigset_t ending, before;
	int rc;

	if (place_open(&at, path, err) < 0 || check_target(&at, err) < 0)
		return -1;
	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, &ending, &before);
	rc = store_at(&at, p, len, err);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

/* ---- a folder of backups ---- */

char *
keysfile_name(const char *dir, int64_t unix_s, const char *suffix)
{
	char time[TIMEFMT_MAX], plain[TIMEFMT_MAX];
	size_t n = 0, len = strlen(dir);

	timefmt_rfc3339(unix_s, time);
	for (const char *p = time; *p != '\0'; p++)
		if (*p != '-' && *p != ':')
			plain[n++] = *p;
	plain[n] = '\0';
	return xasprintf("%s%s" PREFIX "%s.%s", dir,
	    len > 0 && dir[len - 1] == '/' ? "" : "/", plain, suffix);
}

static bool
is_backup(const char *name)
{
	static const char form[] = "dddddddd"
				   "T"
				   "dddddd"
				   "Z.";
	const char *p = name + strlen(PREFIX);

	if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 ||
	    strlen(p) <= strlen(form))
		return false;
	for (const char *f = form; *f != '\0'; f++, p++)
		if (*f == 'd' ? *p < '0' || *p > '9' : *p != *f)
			return false;
	return strcmp(p, "yaml") == 0 || strcmp(p, "pem") == 0;
}

static bool
is_stale(int dir, const char *name)
{
	size_t len = strlen(name), tail = strlen(PARTIAL);
	struct stat st;

	if (strncmp(name, "." PREFIX, strlen("." PREFIX)) != 0 || len <= tail ||
	    strcmp(name + len - tail, PARTIAL) != 0)
		return false;
	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) &&
	    (int64_t)st.st_mtim.tv_sec + PARTIAL_AGE_S <
	    clock_wall_s(&clock_system);
}

struct names {
	char **all;
	size_t count, room;
};

static void
names_release(struct names *n)
{
	for (size_t i = 0; i < n->count; i++)
		mem_free_wiped(n->all[i]);
	mem_free_wiped(n->all);
}

DEFINE_AUTO_RELEASE(names);

static void
names_add(struct names *n, const char *name)
{
	if (n->count == n->room) {
		n->room = n->room == 0 ? 64 : 2 * n->room;
		n->all = xreallocarray(n->all, n->room, sizeof(n->all[0]));
	}
	n->all[n->count++] = xstrdup(name);
}

static int
newest_first(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*y, *x);
}

/* Backups into n; temporary files that nobody writes any more go. */
static void
look_through(DIR *dir, struct names *n)
{
	const struct dirent *e;

	while (n->count < FILES_MAX && (e = readdir(dir)) != NULL) {
		if (is_backup(e->d_name))
			names_add(n, e->d_name);
		else if (is_stale(dirfd(dir), e->d_name))
			(void)unlinkat(dirfd(dir), e->d_name, 0);
	}
	if (n->count > 0)
		qsort(n->all, n->count, sizeof(n->all[0]), newest_first);
}

int
keysfile_prune(const char *path, size_t keep, size_t *removed, struct err *err)
{
	AUTO_RELEASE(names) struct names n = { 0 };
	DIR *dir = opendir(path);
	int rc = 0;

	if (dir == NULL)
		return fail(err, "open folder", path);
	look_through(dir, &n);
	*removed = 0;
	for (size_t i = keep > 0 ? keep : 1; i < n.count; i++) {
		if (unlinkat(dirfd(dir), n.all[i], 0) == 0)
			++*removed;
		else if (errno != ENOENT)
			rc = fail(err, "delete", n.all[i]);
	}
	(void)closedir(dir);
	return rc;
}
