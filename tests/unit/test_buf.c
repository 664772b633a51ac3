/*
 * Byte buffer: growth, maximum, wiping.
 */
/* layer: base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

static void
is_an_empty_text_from_birth(void **state UNUSED)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(10);

	assert_string_equal(buf_str(&b), "");
	assert_int_equal(b.len, 0);
}

static void
grows_up_to_its_maximum_and_not_a_byte_further(void **state UNUSED)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(1000);
	struct err err = ERR_INIT;

	for (size_t i = 0; i < 1000; i++) {
		assert_int_equal(buf_append(&b, "x", 1, &err), 0);
		assert_int_equal(b.data[b.len], '\0');
	}
	assert_int_equal(buf_append(&b, "y", 1, &err), -1);
	assert_int_equal(err.code, ERR_TOOBIG);
	assert_string_equal(err.msg, "more than 1000 bytes");
	assert_int_equal(b.len, 1000);
	assert_int_equal(strlen(buf_str(&b)), 1000);
	assert_int_equal(buf_append(&b, "", 0, &err), 0);
	assert_true(b.cap <= 1001);
}

static void
refuses_sizes_that_would_overflow(void **state UNUSED)
{
	AUTO_RELEASE(buf) struct buf small = BUF_INIT(16);
	AUTO_RELEASE(buf) struct buf endless = BUF_INIT(SIZE_MAX);
	struct err err = ERR_INIT;

	assert_int_equal(buf_append(&small, "abc", 3, &err), 0);
	assert_int_equal(buf_append(&small, "abc", SIZE_MAX, &err), -1);
	assert_int_equal(buf_append(&small, "abc", SIZE_MAX - 3, &err), -1);
	assert_int_equal(buf_append(&endless, "abc", 3, &err), 0);
	assert_int_equal(buf_append(&endless, "abc", SIZE_MAX, &err), -1);
	assert_string_equal(buf_str(&endless), "abc");
}

static void
holds_nothing_with_a_maximum_of_zero(void **state UNUSED)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(0);
	struct err err = ERR_INIT;

	assert_int_equal(buf_append(&b, "", 0, &err), 0);
	assert_int_equal(buf_append(&b, "x", 1, &err), -1);
	assert_string_equal(buf_str(&b), "");
}

static void
formats_and_appends_text(void **state UNUSED)
{
	AUTO_RELEASE(buf) struct buf b;

	buf_init(&b, 4096);
	buf_puts(&b, "a");
	buf_putc(&b, 'b');
	buf_printf(&b, "%d-%0100d", 5, 0);
	assert_int_equal(b.len, 104);
	assert_memory_equal(buf_str(&b), "ab5-000", 7);
}

static void
wipes_what_is_cleared_consumed_and_truncated(void **state UNUSED)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(64);
	static const char zeros[16];

	buf_puts(&b, "0123456789abcdef");
	buf_consume(&b, 4);
	assert_string_equal(buf_str(&b), "456789abcdef");
	assert_memory_equal(b.data + 12, zeros, 4);
	buf_consume(&b, 0);
	buf_truncate(&b, 20);
	assert_int_equal(b.len, 12);
	buf_truncate(&b, 2);
	assert_string_equal(buf_str(&b), "45");
	assert_memory_equal(b.data + 2, zeros, 14);
	buf_clear(&b);
	assert_int_equal(b.len, 0);
	assert_memory_equal(b.data, zeros, 16);
	buf_consume(&b, 0);
	buf_puts(&b, "again");
	assert_string_equal(buf_str(&b), "again");
}

static void
gives_its_contents_away(void **state UNUSED)
{
	struct buf b = BUF_INIT(64);
	size_t len = 99;
	char *p;

	p = buf_take(&b, &len);
	assert_string_equal(p, "");
	assert_int_equal(len, 0);
	mem_free_wiped(p);
	buf_puts(&b, "abc");
	p = buf_take(&b, &len);
	assert_string_equal(p, "abc");
	assert_int_equal(len, 3);
	mem_free_wiped(p);
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	/* Its maximum is still in force. */
	buf_puts(&b, "x");
	assert_int_equal(b.max, 64);
	buf_release(&b);
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_an_empty_text_from_birth),
		cmocka_unit_test(
		    grows_up_to_its_maximum_and_not_a_byte_further),
		cmocka_unit_test(refuses_sizes_that_would_overflow),
		cmocka_unit_test(holds_nothing_with_a_maximum_of_zero),
		cmocka_unit_test(formats_and_appends_text),
		cmocka_unit_test(wipes_what_is_cleared_consumed_and_truncated),
		cmocka_unit_test(gives_its_contents_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
