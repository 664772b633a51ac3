/*
 * Tests of controller/base/digest.c: known answers of FIPS 180-4, the field.
 * layer: base
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/codec.h"
#include "base/compiler.h"
#include "base/digest.h"

static void
gives_the_known_answers(void **state UNUSED)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{ "",
		    "e3b0c44298fc1c149afbf4c8996fb924"
		    "27ae41e4649b934ca495991b7852b855" },
		{ "abc",
		    "ba7816bf8f01cfea414140de5dae2223"
		    "b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		    "248d6a61d20638b8e5c026930c3e6039"
		    "a33ce45964ff2167f6ecedd419db06c1" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned char out[DIGEST_SHA256_LEN];
		char hex[2 * DIGEST_SHA256_LEN + 1];

		digest_sha256(cases[i].text, strlen(cases[i].text), out);
		hex_encode(out, sizeof(out), hex);
		assert_string_equal(hex, cases[i].want);
	}
}

static void
the_field_is_appended_in_base64(void **state UNUSED)
{
	AUTO_RELEASE(buf)
	struct buf out = BUF_INIT(sizeof("x, ") - 1 + DIGEST_FIELD_MAX);

	buf_puts(&out, "x, ");
	digest_put_field("abc", 3, &out);
	assert_string_equal(buf_str(&out),
	    "x, sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_the_known_answers),
		cmocka_unit_test(the_field_is_appended_in_base64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
