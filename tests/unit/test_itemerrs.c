/*
 * Tests of controller/sealedsecret/itemerrs.c.
 * layer: sealedsecret
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "controller/sealedsecret/itemerrs.h"

static void
add(struct itemerrs *e, const char *name, enum err_code code,
    const char *reason, const char *detail)
{
	itemerrs_add(e, name, strlen(name), code, reason, detail);
}

static void
nothing_added_is_no_failure(void **state UNUSED)
{
	AUTO_RELEASE(itemerrs) struct itemerrs e = ITEMERRS_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(itemerrs_result(&e, &err), 0);
	assert_int_equal(err.code, ERR_NONE);
}

static void
equal_reasons_share_a_line_with_sorted_names(void **state UNUSED)
{
	AUTO_RELEASE(itemerrs) struct itemerrs e = ITEMERRS_INIT;
	struct err err = ERR_INIT;

	add(&e, "foo", ERR_NOKEY, "no key", NULL);
	add(&e, "zz", ERR_INVALID, "bad name", NULL);
	add(&e, "bar", ERR_NOKEY, "no key", NULL);
	add(&e, "num", ERR_INVALID, "no key", "expected text, got number");
	assert_int_equal(itemerrs_result(&e, &err), -1);
	assert_string_equal(err.msg,
	    "bad name (zz)\n"
	    "no key (bar, foo)\n"
	    "no key (num): expected text, got number");
	/* A key that comes later may cure part of it. */
	assert_int_equal(err.code, ERR_NOKEY);
}

static void
without_a_missing_key_the_code_is_the_items_own(void **state UNUSED)
{
	AUTO_RELEASE(itemerrs) struct itemerrs e = ITEMERRS_INIT;
	struct err err = ERR_INIT;

	add(&e, "a", ERR_INVALID, "illegal base64", NULL);
	assert_int_equal(itemerrs_result(&e, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_string_equal(err.msg, "illegal base64 (a)");
}

static void
names_are_shown_as_plain_ascii(void **state UNUSED)
{
	AUTO_RELEASE(itemerrs) struct itemerrs e = ITEMERRS_INIT;
	struct err err = ERR_INIT;

	itemerrs_add(&e, "a\nb\\\xd0\xb0\0c", 8, ERR_INVALID, "bad", NULL);
	assert_int_equal(itemerrs_result(&e, &err), -1);
	assert_string_equal(err.msg, "bad (a\\x0ab\\x5c\\xd0\\xb0\\x00c)");
}

static void
many_names_are_counted_and_the_text_is_bounded(void **state UNUSED)
{
	AUTO_RELEASE(itemerrs) struct itemerrs e = ITEMERRS_INIT;
	struct err err = ERR_INIT;
	char name[300];

	for (unsigned i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "item-%04u", i);
		add(&e, name, ERR_NOKEY, "no key", NULL);
	}
	assert_int_equal(itemerrs_result(&e, &err), -1);
	assert_non_null(strstr(err.msg, "no key (item-0000, item-0001, "));
	/* The last one shown is whole. */
	assert_non_null(strstr(err.msg, ", item-0062 and 2937 more)"));
	assert_true(strlen(err.msg) < ITEMERRS_ROOM);
}

static void
many_groups_share_the_room_and_the_rest_is_counted(void **state UNUSED)
{
	AUTO_RELEASE(itemerrs) struct itemerrs e = ITEMERRS_INIT;
	struct err err = ERR_INIT;
	char name[300], reason[64];

	for (unsigned i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "item-%04u", i);
		snprintf(reason, sizeof(reason),
		    "illegal base64 data at input byte %03u", i / 2);
		add(&e, name, ERR_INVALID, reason, NULL);
	}
	assert_int_equal(itemerrs_result(&e, &err), -1);
	assert_non_null(strstr(err.msg,
	    "illegal base64 data at input byte 000 (item-0000, item-0001)\n"));
	assert_non_null(strstr(err.msg, ")\nand "));
	assert_non_null(strstr(err.msg, " more items"));
	assert_true(strlen(err.msg) < ERR_TEXT_MAX - 32);
}

static void
many_groups_do_not_overflow(void **state UNUSED)
{
	AUTO_RELEASE(itemerrs) struct itemerrs e = ITEMERRS_INIT;
	struct err err = ERR_INIT;
	char name[300], reason[900];

	memset(name, '\n', sizeof(name));
	memset(reason, 'r', sizeof(reason));
	for (unsigned i = 0; i < 500; i++) {
		snprintf(reason, 16, "%04u", i);
		reason[strlen(reason)] = 'r';
		reason[sizeof(reason) - 1] = '\0';
		itemerrs_add(
		    &e, name, sizeof(name), ERR_INVALID, reason, reason);
	}
	assert_int_equal(itemerrs_result(&e, &err), -1);
	assert_memory_equal(err.msg, "0000", 4);
	assert_int_equal(strlen(err.msg), ERR_TEXT_MAX - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_added_is_no_failure),
		cmocka_unit_test(equal_reasons_share_a_line_with_sorted_names),
		cmocka_unit_test(
		    without_a_missing_key_the_code_is_the_items_own),
		cmocka_unit_test(names_are_shown_as_plain_ascii),
		cmocka_unit_test(
		    many_names_are_counted_and_the_text_is_bounded),
		cmocka_unit_test(
		    many_groups_share_the_room_and_the_rest_is_counted),
		cmocka_unit_test(many_groups_do_not_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
