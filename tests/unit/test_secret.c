/*
 * Secret memory: contents, sizes, what the kernel knows about it.
 */
/* layer: base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/secret.h"

static void
holds_a_copy_of_the_bytes(void **state UNUSED)
{
	char text[] = "correct horse";
	AUTO(secret) struct secret *s = secret_from(text, sizeof(text));

	text[0] = 'X';
	assert_int_equal(secret_len(s), sizeof(text));
	assert_memory_equal(secret_bytes(s), "correct horse", sizeof(text));
	assert_ptr_equal(secret_data(s), secret_bytes(s));
}

static void
starts_with_zeros_at_any_size(void **state UNUSED)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 100000 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		AUTO(secret) struct secret *s = secret_new(sizes[i]);
		unsigned char sum = 0;

		assert_int_equal(secret_len(s), sizes[i]);
		for (size_t k = 0; k < sizes[i]; k++)
			sum |= secret_data(s)[k];
		assert_int_equal(sum, 0);
		memset(secret_data(s), 0xff, sizes[i]);
	}
}

/* Pages are used again; nothing of the secret before is seen in the next. */
static void
the_next_secret_sees_nothing_of_the_last(void **state UNUSED)
{
	enum { MANY = 20 };
	struct secret *all[MANY];

	for (int round = 0; round < 2; round++) {
		for (unsigned i = 0; i < MANY; i++) {
			all[i] = secret_new(100);
			for (unsigned k = 0; k < i; k++)
				assert_ptr_not_equal(
				    secret_data(all[i]), secret_data(all[k]));
			for (size_t k = 0; k < 100; k++)
				assert_int_equal(secret_data(all[i])[k], 0);
			memset(secret_data(all[i]), 0xff, 100);
		}
		for (unsigned i = 0; i < MANY; i++)
			secret_free(all[i]);
	}
}

static void
accepts_nothing_at_all(void **state UNUSED)
{
	AUTO(secret) struct secret *s = secret_from(NULL, 0);

	assert_int_equal(secret_len(s), 0);
	assert_non_null(secret_bytes(s));
	secret_free(NULL);
}

static void
shortens_and_wipes_the_tail(void **state UNUSED)
{
	AUTO(secret) struct secret *s = secret_from("0123456789", 10);

	secret_truncate(s, 20);
	assert_int_equal(secret_len(s), 10);
	secret_truncate(s, 4);
	assert_int_equal(secret_len(s), 4);
	assert_memory_equal(secret_bytes(s), "0123\0\0\0\0\0\0", 10);
}

/* Whether the flags of the mapping that holds p name this one. */
static int
mapping_has_flag(const void *p, const char *flag)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	char line[512];
	int found = 0, here = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		unsigned long from, to;

		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			here = (uintptr_t)p >= from && (uintptr_t)p < to;
		if (here && strncmp(line, "VmFlags:", 8) == 0)
			found = strstr(line, flag) != NULL;
	}
	assert_int_equal(fclose(f), 0);
	return found;
}

static void
stays_out_of_core_dumps(void **state UNUSED)
{
	AUTO(secret) struct secret *s = secret_from("x", 1);
	int local = 0;

	assert_true(mapping_has_flag(secret_bytes(s), " dd"));
	/* Also in a page that had another one in it. */
	secret_free(s);
	s = secret_from("y", 1);
	assert_true(mapping_has_flag(secret_bytes(s), " dd"));
	assert_false(mapping_has_flag(&local, " dd"));
}

static int
exit_status_of(void (*fn)(void))
{
	pid_t pid = fork();
	int status = -1;

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)fclose(stderr);
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
make_an_impossible_one(void)
{
	volatile size_t size = SIZE_MAX - 10;

	secret_free(secret_new(size));
}

static void
aborts_on_a_size_that_overflows(void **state UNUSED)
{
	assert_true(WIFSIGNALED(exit_status_of(make_an_impossible_one)));
}

static void
harden_and_look(void)
{
	struct rlimit lim;

	secret_harden_process();
	if (getrlimit(RLIMIT_CORE, &lim) != 0 || lim.rlim_cur != 0 ||
	    lim.rlim_max != 0)
		_exit(2);
	if (prctl(PR_GET_DUMPABLE) != 0)
		_exit(3);
}

static void
turns_core_dumps_off_for_the_process(void **state UNUSED)
{
	/* In a child: it cannot be undone. */
	assert_int_equal(exit_status_of(harden_and_look), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_a_copy_of_the_bytes),
		cmocka_unit_test(starts_with_zeros_at_any_size),
		cmocka_unit_test(the_next_secret_sees_nothing_of_the_last),
		cmocka_unit_test(accepts_nothing_at_all),
		cmocka_unit_test(shortens_and_wipes_the_tail),
		cmocka_unit_test(stays_out_of_core_dumps),
		cmocka_unit_test(aborts_on_a_size_that_overflows),
		cmocka_unit_test(turns_core_dumps_off_for_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
