/*
 * Error values: wrapping, cutting, classes.
 */
/* layer: base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include <string.h>

#include "base/err.h"

static void
sets_code_and_text_and_returns_minus_one(void **state UNUSED)
{
	struct err err = { .code = ERR_SERVER, .retry_after_s = 7 };

	assert_int_equal(err_set(&err, ERR_NOTFOUND, "%s/%d", "a", 5), -1);
	assert_int_equal(err.code, ERR_NOTFOUND);
	assert_int_equal(err.retry_after_s, 0);
	assert_string_equal(err.msg, "a/5");
}

static void
wraps_context_in_front_and_keeps_the_code(void **state UNUSED)
{
	struct err err = ERR_INIT;

	(void)err_set(&err, ERR_THROTTLED, "too many requests");
	err.retry_after_s = 5;
	assert_int_equal(err_wrap(&err, "get %s", "ns/name"), -1);
	assert_string_equal(err.msg, "get ns/name: too many requests");
	assert_int_equal(err.code, ERR_THROTTLED);
	assert_int_equal(err.retry_after_s, 5);
}

static void
accepts_its_own_text_as_an_argument(void **state UNUSED)
{
	struct err err = ERR_INIT;

	(void)err_set(&err, ERR_IO, "cause");
	(void)err_set(&err, ERR_SERVER, "again: %s", err.msg);
	assert_string_equal(err.msg, "again: cause");
	(void)err_wrap(&err, "seen %s", err.msg);
	assert_string_equal(err.msg, "seen again: cause: again: cause");
}

/* A text of fill bytes, then a sequence of its own, then much more. */
static void
check_cut(size_t fill, const char *seq, size_t want_len)
{
	char text[3 * ERR_TEXT_MAX];
	struct err err = ERR_INIT;

	memset(text, 'x', sizeof(text));
	memcpy(text + fill, seq, strlen(seq));
	text[sizeof(text) - 1] = '\0';
	(void)err_set(&err, ERR_IO, "%s", text);
	assert_int_equal(strlen(err.msg), want_len);
	(void)err_wrap(&err, "%s", text);
	assert_int_equal(strlen(err.msg), want_len);
	assert_memory_equal(err.msg, text, want_len);
}

static void
cuts_a_long_text_between_characters(void **state UNUSED)
{
	const size_t full = ERR_TEXT_MAX - 1;

	check_cut(0, "x", full);
	check_cut(full - 1, "\xc3\xa9", full - 1);
	check_cut(full - 2, "\xc3\xa9", full);
	check_cut(full - 1, "\xe2\x82\xac", full - 1);
	check_cut(full - 2, "\xe2\x82\xac", full - 2);
	check_cut(full - 3, "\xe2\x82\xac", full);
	check_cut(full - 3, "\xf0\x9f\x98\x80", full - 3);
	check_cut(full - 4, "\xf0\x9f\x98\x80", full);
}

static void
cuts_a_wrapped_cause_between_characters(void **state UNUSED)
{
	struct err err = ERR_INIT;
	char text[ERR_TEXT_MAX];

	memset(text, 'x', sizeof(text));
	memcpy(text + sizeof(text) - 4, "\xc3\xa9", 3);
	(void)err_set(&err, ERR_IO, "%s", text);
	assert_int_equal(strlen(err.msg), sizeof(text) - 2);
	/* "a: " pushes the last character half out. */
	(void)err_wrap(&err, "%s", "");
	assert_int_equal(err.msg[strlen(err.msg) - 1], 'x');
	assert_int_equal(strlen(err.msg), ERR_TEXT_MAX - 2);
}

static void
clears_everything(void **state UNUSED)
{
	struct err err = ERR_INIT;

	(void)err_set(&err, ERR_IO, "cause");
	err.retry_after_s = 5;
	err_clear(&err);
	assert_int_equal(err.code, ERR_NONE);
	assert_int_equal(err.retry_after_s, 0);
	assert_string_equal(err.msg, "");
}

static void
retries_only_what_may_pass_without_a_change(void **state UNUSED)
{
	static const struct {
		enum err_code code;
		bool retry;
		const char *name;
	} cases[] = {
		{ ERR_NONE, false, "none" },
		{ ERR_INVALID, false, "invalid" },
		{ ERR_TOOBIG, false, "toobig" },
		{ ERR_NOTFOUND, true, "notfound" },
		{ ERR_EXISTS, true, "exists" },
		{ ERR_CONFLICT, true, "conflict" },
		{ ERR_FORBIDDEN, true, "forbidden" },
		{ ERR_UNAUTHORIZED, true, "unauthorized" },
		{ ERR_GONE, true, "gone" },
		{ ERR_UNPROCESSABLE, true, "unprocessable" },
		{ ERR_BADREQUEST, true, "badrequest" },
		{ ERR_THROTTLED, true, "throttled" },
		{ ERR_SERVER, true, "server" },
		{ ERR_TIMEOUT, true, "timeout" },
		{ ERR_TRANSPORT, true, "transport" },
		{ ERR_CANCELLED, true, "cancelled" },
		{ ERR_IO, true, "io" },
		{ ERR_NOKEY, false, "nokey" },
		{ ERR_UNMANAGED, true, "unmanaged" },
		{ ERR_IMMUTABLE, false, "immutable" },
		{ ERR_UNSUPPORTED, false, "unsupported" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = { .code = cases[i].code };

		assert_int_equal(err_retryable(&err), cases[i].retry);
		assert_string_equal(
		    err_code_name(cases[i].code), cases[i].name);
	}
	assert_string_equal(err_code_name((enum err_code)99), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_code_and_text_and_returns_minus_one),
		cmocka_unit_test(wraps_context_in_front_and_keeps_the_code),
		cmocka_unit_test(accepts_its_own_text_as_an_argument),
		cmocka_unit_test(cuts_a_long_text_between_characters),
		cmocka_unit_test(cuts_a_wrapped_cause_between_characters),
		cmocka_unit_test(clears_everything),
		cmocka_unit_test(retries_only_what_may_pass_without_a_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
