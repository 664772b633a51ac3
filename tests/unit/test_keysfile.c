/*
 * Tests of controller/keysfile.c: whole files or none, and which go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "controller/keysfile.h"
#include "tmpfiles.h"

static size_t
entries(const char *path)
{
	DIR *dir = opendir(path);
	size_t n = 0;

	assert_non_null(dir);
	for (const struct dirent *e; (e = readdir(dir)) != NULL;)
		n +=
		    strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(dir);
	return n;
}

static void
assert_holds(const char *path, const char *want)
{
	AUTO_RELEASE(buf) struct buf got = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	assert_int_equal(file_read(path, &got, &err), 0);
	assert_string_equal(buf_str(&got), want);
}

static void
a_file_is_for_its_owner_alone_whatever_the_umask(void **state UNUSED)
{
	static const mode_t masks[] = { 0, 077, 0277 };

	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		mode_t before = umask(masks[i]);
		struct err err = ERR_INIT;
		struct tmpfiles t;
		const char *path;
		struct stat st;

		tmpfiles_init(&t);
		path = tmpfiles_path(&t, "keys");
		assert_int_equal(keysfile_store(path, "abc", 3, &err), 0);
		umask(before);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		assert_holds(path, "abc");
		assert_int_equal(entries(t.dir), 1);
		tmpfiles_release(&t);
	}
}

static void
a_file_takes_the_place_of_an_older_one(void **state UNUSED)
{
	struct err err = ERR_INIT;
	struct tmpfiles t;

	tmpfiles_init(&t);
	tmpfiles_write(&t, "keys", "a much longer text");
	tmpfiles_write(&t, ".keys.partial", "left by one that was killed");
	assert_int_equal(
	    keysfile_store(tmpfiles_path(&t, "keys"), "abc", 3, &err), 0);
	assert_holds(tmpfiles_path(&t, "keys"), "abc");
	assert_int_equal(entries(t.dir), 1);
	tmpfiles_release(&t);
}

static void
what_is_no_regular_file_stays(void **state UNUSED)
{
	struct err err = ERR_INIT;
	struct tmpfiles t;

	tmpfiles_init(&t);
	tmpfiles_write(&t, "other", "other");
	assert_int_equal(symlink("other", tmpfiles_path(&t, "link")), 0);
	assert_int_equal(mkdir(tmpfiles_path(&t, "dir"), 0700), 0);
	assert_int_equal(
	    keysfile_store(tmpfiles_path(&t, "link"), "abc", 3, &err), -1);
	assert_non_null(strstr(err.msg, "is not a regular file"));
	assert_int_equal(
	    keysfile_store(tmpfiles_path(&t, "dir"), "abc", 3, &err), -1);
	assert_holds(tmpfiles_path(&t, "other"), "other");
	assert_int_equal(entries(t.dir), 3);
	assert_int_equal(rmdir(tmpfiles_path(&t, "dir")), 0);
	tmpfiles_release(&t);
}

static void
a_failure_leaves_nothing_behind(void **state UNUSED)
{
	struct err err = ERR_INIT;

	assert_int_equal(
	    keysfile_store("/nonexistent/keys", "abc", 3, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	assert_int_equal(keysfile_store("/tmp/", "abc", 3, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	/* A folder in which nothing can be made. */
	assert_int_equal(keysfile_store("/proc/self/keys", "abc", 3, &err), -1);
	assert_int_equal(err.code, ERR_IO);
}

static void
names_carry_the_time(void **state UNUSED)
{
	AUTO_STR char *a = keysfile_name("/d", 1795513500, "pem");
	AUTO_STR char *b = keysfile_name("/d/", 0, "yaml");

	assert_string_equal(a, "/d/sealed-secrets-keys-20261124T094500Z.pem");
	assert_string_equal(b, "/d/sealed-secrets-keys-19700101T000000Z.yaml");
}

static const char *
in(const struct tmpfiles *t, int day, const char *suffix)
{
	static char name[64];

	(void)snprintf(name, sizeof(name),
	    "sealed-secrets-keys-202611%02dT094500Z.%s", day, suffix);
	return tmpfiles_path(t, name);
}

static void
put(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static void
the_newest_backups_are_kept(void **state UNUSED)
{
	struct err err = ERR_INIT;
	struct tmpfiles t;
	size_t removed;

	tmpfiles_init(&t);
	for (int day = 1; day <= 6; day++)
		put(in(&t, day, day % 2 == 0 ? "pem" : "yaml"));
	assert_int_equal(keysfile_prune(t.dir, 4, &removed, &err), 0);
	assert_int_equal(removed, 2);
	assert_int_equal(access(in(&t, 1, "yaml"), F_OK), -1);
	assert_int_equal(access(in(&t, 2, "pem"), F_OK), -1);
	assert_int_equal(access(in(&t, 3, "yaml"), F_OK), 0);
	assert_int_equal(access(in(&t, 6, "pem"), F_OK), 0);
	assert_int_equal(keysfile_prune(t.dir, 4, &removed, &err), 0);
	assert_int_equal(removed, 0);
	/* Never all of them. */
	assert_int_equal(keysfile_prune(t.dir, 0, &removed, &err), 0);
	assert_int_equal(removed, 3);
	assert_int_equal(access(in(&t, 6, "pem"), F_OK), 0);
	tmpfiles_release(&t);
}

static void
other_files_in_the_folder_stay(void **state UNUSED)
{
	static const char *const names[] = { "sealed-secrets-keys-.pem",
		"sealed-secrets-keys-20261124T094500Z.pem.gpg",
		"sealed-secrets-keys-2026112xT094500Z.pem",
		"sealed-secrets-keys-20261124T094500Z",
		"xsealed-secrets-keys-20261124T094500Z.pem", "notes.yaml",
		".sealed-secrets-keys-20261124T094500Z.pem.partial" };
	struct err err = ERR_INIT;
	struct tmpfiles t;
	size_t removed;

	tmpfiles_init(&t);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		put(tmpfiles_path(&t, names[i]));
	assert_int_equal(keysfile_prune(t.dir, 1, &removed, &err), 0);
	assert_int_equal(removed, 0);
	assert_int_equal(entries(t.dir), ARRAY_SIZE(names));
	tmpfiles_remove(&t, names[ARRAY_SIZE(names) - 1]);
	tmpfiles_release(&t);
}

static void
temporary_files_that_nobody_writes_any_more_go(void **state UNUSED)
{
	static const struct timeval old[2] = { { .tv_sec = 1000000 },
		{ .tv_sec = 1000000 } };
	struct err err = ERR_INIT;
	struct tmpfiles t;
	const char *path;
	size_t removed;

	tmpfiles_init(&t);
	path = tmpfiles_path(
	    &t, ".sealed-secrets-keys-20261124T094500Z.pem.partial");
	put(path);
	assert_int_equal(utimes(path, old), 0);
	assert_int_equal(keysfile_prune(t.dir, 1, &removed, &err), 0);
	assert_int_equal(entries(t.dir), 0);
	assert_int_equal(keysfile_prune("/nonexistent", 1, &removed, &err), -1);
	tmpfiles_release(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_file_is_for_its_owner_alone_whatever_the_umask),
		cmocka_unit_test(a_file_takes_the_place_of_an_older_one),
		cmocka_unit_test(what_is_no_regular_file_stays),
		cmocka_unit_test(a_failure_leaves_nothing_behind),
		cmocka_unit_test(names_carry_the_time),
		cmocka_unit_test(the_newest_backups_are_kept),
		cmocka_unit_test(other_files_in_the_folder_stay),
		cmocka_unit_test(
		    temporary_files_that_nobody_writes_any_more_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
