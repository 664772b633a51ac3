/*
 * Reading whole small files.
 */
/* layer: base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

static char dir[] = "/tmp/test_file.XXXXXX";

static int
make_dir(void **state UNUSED)
{
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static int
remove_dir(void **state UNUSED)
{
	return rmdir(dir);
}

/* Path of a file with these contents; owned by the caller. */
static char *
file_with(const void *data, size_t len)
{
	char *path = xasprintf("%s/f", dir);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	return path;
}

static void
appends_the_whole_file(void **state UNUSED)
{
	static char data[10000];
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(20000);
	struct err err = ERR_INIT;
	AUTO_STR char *path = NULL;

	memset(data, 'x', sizeof(data));
	data[5000] = '\0';
	path = file_with(data, sizeof(data));
	buf_puts(&b, "before");
	assert_int_equal(file_read(path, &b, &err), 0);
	assert_int_equal(b.len, sizeof(data) + 6);
	assert_memory_equal(buf_str(&b), "beforexxx", 9);
	assert_memory_equal(buf_str(&b) + 6, data, sizeof(data));
	assert_int_equal(unlink(path), 0);
}

static void
accepts_a_file_of_exactly_the_maximum_only(void **state UNUSED)
{
	AUTO_RELEASE(buf) struct buf exact = BUF_INIT(8);
	AUTO_RELEASE(buf) struct buf small = BUF_INIT(8);
	struct err err = ERR_INIT;
	AUTO_STR char *path = file_with("12345678", 8);
	AUTO_STR char *want = xasprintf("read %s: more than 8 bytes", path);

	assert_int_equal(file_read(path, &exact, &err), 0);
	buf_puts(&small, "k");
	assert_int_equal(file_read(path, &small, &err), -1);
	assert_int_equal(err.code, ERR_TOOBIG);
	assert_string_equal(err.msg, want);
	assert_string_equal(buf_str(&small), "k");
	assert_int_equal(unlink(path), 0);
}

static void
takes_back_what_it_read_of_a_file_that_is_too_big(void **state UNUSED)
{
	static char data[10000];
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(9000);
	struct err err = ERR_INIT;
	AUTO_STR char *path = NULL;

	memset(data, 'x', sizeof(data));
	path = file_with(data, sizeof(data));
	buf_puts(&b, "kept");
	assert_int_equal(file_read(path, &b, &err), -1);
	assert_int_equal(err.code, ERR_TOOBIG);
	assert_string_equal(buf_str(&b), "kept");
	assert_int_equal(unlink(path), 0);
}

static void
names_the_path_and_the_reason(void **state UNUSED)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(8);
	struct err err = ERR_INIT;

	assert_int_equal(file_read("/nonexistent/x", &b, &err), -1);
	assert_int_equal(err.code, ERR_NOTFOUND);
	assert_string_equal(
	    err.msg, "open /nonexistent/x: no such file or directory");
	assert_int_equal(file_read(dir, &b, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	assert_non_null(strstr(err.msg, ": is a directory"));
	assert_null(file_read_trimmed("/nonexistent/x", 8, &err));
	assert_int_equal(err.code, ERR_NOTFOUND);
}

static void
reading_a_descriptor_is_bounded_too(void **state UNUSED)
{
	AUTO_RELEASE(buf) struct buf out = BUF_INIT(4);
	struct err err = ERR_INIT;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "12345", 5), 5);
	close(fds[1]);
	assert_int_equal(file_read_fd(fds[0], "the pipe", &out, &err), -1);
	assert_int_equal(err.code, ERR_TOOBIG);
	assert_non_null(strstr(err.msg, "read the pipe: "));
	close(fds[0]);
}

static void
any_of_what_tells_versions_apart_makes_another_one(void **state UNUSED)
{
	const struct stat a = { .st_dev = 1, .st_ino = 2, .st_size = 3 };
	struct stat others[7];

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		others[i] = a;
	others[0].st_dev++;
	others[1].st_ino++;
	others[2].st_size++;
	others[3].st_mtim.tv_sec++;
	others[4].st_mtim.tv_nsec++;
	others[5].st_ctim.tv_sec++;
	others[6].st_ctim.tv_nsec++;
	assert_true(file_same(&a,
	    &(struct stat) {
		.st_dev = 1, .st_ino = 2, .st_size = 3, .st_nlink = 9 }));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_false(file_same(&a, &others[i]));
}

static void
trims_white_space_at_both_ends(void **state UNUSED)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "", "" },
		{ " \n\t\r\n", "" },
		{ "token", "token" },
		{ "\n  a b\tc \r\n", "a b\tc" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;
		AUTO_STR char *path =
		    file_with(cases[i].in, strlen(cases[i].in));
		AUTO_STR char *got = file_read_trimmed(path, 64, &err);

		assert_non_null(got);
		assert_string_equal(got, cases[i].want);
		assert_int_equal(unlink(path), 0);
	}
}

static void
refuses_a_text_that_a_nul_byte_would_cut(void **state UNUSED)
{
	struct err err = ERR_INIT;
	AUTO_STR char *path = file_with("tok\0en", 6);

	assert_null(file_read_trimmed(path, 64, &err));
	assert_int_equal(err.code, ERR_INVALID);
	assert_null(strstr(err.msg, "tok"));
	assert_int_equal(unlink(path), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_the_whole_file),
		cmocka_unit_test(accepts_a_file_of_exactly_the_maximum_only),
		cmocka_unit_test(
		    takes_back_what_it_read_of_a_file_that_is_too_big),
		cmocka_unit_test(names_the_path_and_the_reason),
		cmocka_unit_test(reading_a_descriptor_is_bounded_too),
		cmocka_unit_test(
		    any_of_what_tells_versions_apart_makes_another_one),
		cmocka_unit_test(trims_white_space_at_both_ends),
		cmocka_unit_test(refuses_a_text_that_a_nul_byte_would_cut),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
