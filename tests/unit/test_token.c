/*
 * Tests of controller/kube/token.c.
 * layer: kube
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fakeclock.h"
#include "kube/config.h"
#include "tmpfiles.h"

struct fixture {
	struct tmpfiles files;
	struct fakeclock fake;
	struct clock clock;
};

static int
setup(void **state)
{
	static struct fixture f;

	tmpfiles_init(&f.files);
	fakeclock_init(&f.fake);
	f.clock = fakeclock_clock(&f.fake);
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	tmpfiles_release(&f->files);
	return 0;
}

static void
assert_token(struct kube_token *t, const char *want)
{
	struct err err = ERR_INIT;
	AUTO(secret) struct secret *s = kube_token_get(t, &err);

	assert_non_null(s);
	assert_int_equal(secret_len(s), strlen(want));
	assert_memory_equal(secret_bytes(s), want, strlen(want));
}

static void
a_fixed_token_stays(void **state UNUSED)
{
	struct kube_token *t = kube_token_fixed("abc");

	assert_token(t, "abc");
	kube_token_invalidate(t);
	assert_token(t, "abc");
	kube_token_free(t);
}

static void
a_file_is_trimmed_and_read_again_after_a_minute(void **state)
{
	struct fixture *f = *state;
	struct kube_token *t =
	    kube_token_file(tmpfiles_path(&f->files, "token"), &f->clock);

	tmpfiles_write(&f->files, "token", "  one\n");
	assert_token(t, "one");
	tmpfiles_swap(&f->files, "token", "two");
	fakeclock_advance_ms(&f->fake, 59999);
	assert_token(t, "one");
	fakeclock_advance_ms(&f->fake, 1);
	assert_token(t, "two");
	kube_token_free(t);
}

static void
an_invalidated_token_is_read_again_at_once(void **state)
{
	struct fixture *f = *state;
	struct kube_token *t =
	    kube_token_file(tmpfiles_path(&f->files, "token"), &f->clock);

	tmpfiles_write(&f->files, "token", "one");
	assert_token(t, "one");
	tmpfiles_swap(&f->files, "token", "two");
	kube_token_invalidate(t);
	assert_token(t, "two");
	/* Once only. */
	tmpfiles_swap(&f->files, "token", "three");
	assert_token(t, "two");
	kube_token_free(t);
}

static void
an_unreadable_file_keeps_the_old_token(void **state)
{
	struct fixture *f = *state;
	struct kube_token *t =
	    kube_token_file(tmpfiles_path(&f->files, "token"), &f->clock);

	tmpfiles_write(&f->files, "token", "one");
	assert_token(t, "one");
	tmpfiles_remove(&f->files, "token");
	fakeclock_advance_s(&f->fake, 3600);
	assert_token(t, "one");
	/* What is no token is no better than no file. */
	tmpfiles_write(&f->files, "token", "");
	assert_token(t, "one");
	tmpfiles_write(&f->files, "token", "two\r\nX-Other: header");
	assert_token(t, "one");
	tmpfiles_write(&f->files, "token", "two");
	assert_token(t, "two");
	kube_token_free(t);
}

static void
without_any_token_the_reason_is_told_without_contents(void **state)
{
	static const struct {
		const char *text;
		enum err_code want;
	} cases[] = {
		{ NULL, ERR_NOTFOUND },
		{ "", ERR_INVALID },
		{ " \n", ERR_INVALID },
		{ "sesame opens", ERR_INVALID },
		{ "sesame\x01", ERR_INVALID },
		{ "sesame\xc3\xa4", ERR_INVALID },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kube_token *t = kube_token_file(
		    tmpfiles_path(&f->files, "token"), &f->clock);
		struct err err = ERR_INIT;

		if (cases[i].text != NULL)
			tmpfiles_write(&f->files, "token", cases[i].text);
		assert_null(kube_token_get(t, &err));
		assert_int_equal(err.code, cases[i].want);
		assert_null(strstr(err.msg, "sesame"));
		kube_token_free(t);
	}
}

static void
a_file_of_any_size_is_refused_past_the_limit(void **state)
{
	struct fixture *f = *state;
	struct kube_token *t =
	    kube_token_file(tmpfiles_path(&f->files, "token"), &f->clock);
	struct err err = ERR_INIT;
	static char text[20000];

	memset(text, 'x', sizeof(text) - 1);
	tmpfiles_write(&f->files, "token", text);
	assert_null(kube_token_get(t, &err));
	assert_int_equal(err.code, ERR_TOOBIG);
	text[16384] = '\0';
	tmpfiles_write(&f->files, "token", text);
	assert_token(t, text);
	kube_token_free(t);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_fixed_token_stays),
		TEST(a_file_is_trimmed_and_read_again_after_a_minute),
		TEST(an_invalidated_token_is_read_again_at_once),
		TEST(an_unreadable_file_keeps_the_old_token),
		TEST(without_any_token_the_reason_is_told_without_contents),
		TEST(a_file_of_any_size_is_refused_past_the_limit),
	};

	return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
