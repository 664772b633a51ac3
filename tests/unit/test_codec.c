/*
 * Base64 against vectors from Go, round trips, limits; hex.
 */
/* layer: base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include <string.h>

#include "base/codec.h"
#include "base64_vectors.h"

static void
decodes_and_refuses_exactly_as_go_does(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(base64_vectors); i++) {
		AUTO_RELEASE(buf) struct buf out = BUF_INIT(1024);
		struct err err = ERR_INIT;
		char want[128], hex[2 * 64 + 1];
		int rc = base64_decode(
		    base64_vectors[i].in, base64_vectors[i].len, &out, &err);

		if (base64_vectors[i].hex != NULL) {
			assert_int_equal(rc, 0);
			assert_true(out.len <= 64);
			hex_encode(buf_str(&out), out.len, hex);
			assert_string_equal(hex, base64_vectors[i].hex);
			continue;
		}
		(void)snprintf(want, sizeof(want),
		    "illegal base64 data at input byte %zu",
		    base64_vectors[i].at);
		assert_int_equal(rc, -1);
		assert_string_equal(err.msg, want);
		assert_int_equal(err.code, ERR_INVALID);
		assert_int_equal(out.len, 0);
	}
}

static void
leaves_the_buffer_as_it_was_after_a_late_error(void **state UNUSED)
{
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(8192);
	AUTO_RELEASE(buf) struct buf out = BUF_INIT(8192);
	struct err err = ERR_INIT;

	for (int i = 0; i < 4000; i++)
		buf_putc(&text, 'A');
	buf_putc(&text, '!');
	buf_puts(&out, "kept");
	assert_int_equal(base64_decode(text.data, text.len, &out, &err), -1);
	assert_string_equal(err.msg, "illegal base64 data at input byte 4000");
	assert_string_equal(buf_str(&out), "kept");
}

static void
refuses_to_pass_the_maximum_of_the_buffer(void **state UNUSED)
{
	AUTO_RELEASE(buf) struct buf out = BUF_INIT(5);
	struct err err = ERR_INIT;

	buf_puts(&out, "abc");
	assert_int_equal(base64_decode("Zm9v", 4, &out, &err), -1);
	assert_int_equal(err.code, ERR_TOOBIG);
	assert_string_equal(buf_str(&out), "abc");
	assert_int_equal(base64_encode("foo", 3, &out, &err), -1);
	assert_int_equal(err.code, ERR_TOOBIG);
	assert_string_equal(buf_str(&out), "abc");
	assert_int_equal(base64_decode("Zm8=", 4, &out, &err), 0);
	assert_string_equal(buf_str(&out), "abcfo");
}

static void
round_trips_every_length_up_to_several_blocks(void **state UNUSED)
{
	unsigned char bytes[2000];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 7 + i / 256);
	for (size_t len = 0; len <= sizeof(bytes); len += 1 + len / 40) {
		AUTO_RELEASE(buf) struct buf text = BUF_INIT(4096);
		AUTO_RELEASE(buf) struct buf back = BUF_INIT(4096);
		struct err err = ERR_INIT;

		assert_int_equal(base64_encode(bytes, len, &text, &err), 0);
		assert_int_equal(text.len, (len + 2) / 3 * 4);
		assert_int_equal(
		    base64_decode(buf_str(&text), text.len, &back, &err), 0);
		assert_int_equal(back.len, len);
		assert_memory_equal(buf_str(&back), bytes, len);
	}
}

static void
encodes_known_texts_with_and_without_padding(void **state UNUSED)
{
	static const struct {
		const char *in, *padded, *raw;
	} cases[] = {
		{ "", "", "" },
		{ "f", "Zg==", "Zg" },
		{ "fo", "Zm8=", "Zm8" },
		{ "foo", "Zm9v", "Zm9v" },
		{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
		{ "\xfb\xff\xfe", "+//+", "+//+" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RELEASE(buf) struct buf a = BUF_INIT(64);
		AUTO_RELEASE(buf) struct buf b = BUF_INIT(64);
		struct err err = ERR_INIT;
		size_t len = strlen(cases[i].in);

		assert_int_equal(base64_encode(cases[i].in, len, &a, &err), 0);
		assert_int_equal(
		    base64_encode_raw(cases[i].in, len, &b, &err), 0);
		assert_string_equal(buf_str(&a), cases[i].padded);
		assert_string_equal(buf_str(&b), cases[i].raw);
	}
}

static void
writes_hex_in_lower_case(void **state UNUSED)
{
	char out[9];

	hex_encode("\x00\x9f\xab\xff", 4, out);
	assert_string_equal(out, "009fabff");
	hex_encode("", 0, out);
	assert_string_equal(out, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_and_refuses_exactly_as_go_does),
		cmocka_unit_test(
		    leaves_the_buffer_as_it_was_after_a_late_error),
		cmocka_unit_test(refuses_to_pass_the_maximum_of_the_buffer),
		cmocka_unit_test(round_trips_every_length_up_to_several_blocks),
		cmocka_unit_test(encodes_known_texts_with_and_without_padding),
		cmocka_unit_test(writes_hex_in_lower_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
