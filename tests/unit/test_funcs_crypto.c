/*
 * Tests of controller/tmpl/funcs_crypto.c: hashes, passwords, AES and single
 * keys. layer: tmpl
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "tmplrig.h"

static void
hashes(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ sha1sum \"abc\" }} {{ sha256sum \"abc\" }} {{ adler32sum "
		  "\"abc\" }}",
		    "a9993e364706816aba3e25717850c26c9cd0d89d "
		    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f2"
		    "0015ad 38600999" },
		{ "{{ sha512sum \"\" }}",
		    "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d3"
		    "6ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538"
		    "327af927da3e" },
		{ "{{ sha256sum .bin }}",
		    "0fa3e62511779f0398b77cad37b3cc4763bb96253b91fcd61500f8a979"
		    "ad9920" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
derives_passwords(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ derivePassword 1 \"long\" \"password\" \"user\" "
		  "\"example.com\" }} {{ derivePassword 2 \"long\" "
		  "\"password\" \"user\" \"example.com\" }}",
		    "ZedaFaxcZaso9* Fovi2@JifpTupx" },
		{ "{{ derivePassword 1 \"maximum\" \"password\" \"user\" "
		  "\"example.com\" }} {{ derivePassword 1 \"medium\" "
		  "\"password\" \"user\" \"example.com\" }} {{ derivePassword "
		  "1 \"basic\" \"password\" \"user\" \"example.com\" }}",
		    "pf4zS1LjCg&LjhsZ7T2~ ZedJuz8$ pIS54PLs" },
		{ "{{ derivePassword 1 \"short\" \"password\" \"user\" "
		  "\"example.com\" }} {{ derivePassword 1 \"pin\" \"password\" "
		  "\"user\" \"example.com\" }} {{ derivePassword 1 \"nope\" "
		  "\"a\" \"b\" \"c\" }}",
		    "Zed5 6685 cannot find password template nope" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
opens_what_it_encrypted(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ encryptAES \"k\" .x | decryptAES \"k\" }}|{{ encryptAES "
		  "\"k\" \"\" }}|{{ decryptAES \"secretkey\" "
		  "\"30tEfhuJSVRhpG97XCuWgz2okj7L8vQ1s6V9zVUPeDQ=\" }}",
		    "abc||plaintext" },
		{ "{{ encryptAES \"k\" \"0123456789abcdef\" | decryptAES \"k\" "
		  "}}{{ eq (encryptAES \"k\" .x) (encryptAES \"k\" .x) }}",
		    "0123456789abcdeffalse" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
refuses_broken_ciphertext(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ decryptAES \"k\" \"!\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <decryptAES \"k\" "
		    "\"!\">: error calling decryptAES: illegal base64 data at "
		    "input byte 0" },
		{ "{{ decryptAES \"k\" \"AAAA\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <decryptAES \"k\" "
		    "\"AAAA\">: error calling decryptAES: runtime error: slice "
		    "bounds out of range [:16] with capacity (value "
		    "withheld)" },
		{ "{{ decryptAES \"k\" \"AAAAAAAAAAAAAAAAAAAAAA==\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <decryptAES \"k\" "
		    "\"AAAAAAAAAAAAAAAAAAAAAA==\">: error calling decryptAES: "
		    "runtime error: index out of range [-1]" },
		{ "{{ decryptAES \"k\" \"AAAAAAAAAAAAAAAAAAAAAAA=\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <decryptAES \"k\" "
		    "\"AAAAAAAAAAAAAAAAAAAAAAA=\">: error calling decryptAES: "
		    "crypto/cipher: input not full blocks" },
		{ "{{ decryptAES \"k\" "
		  "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <decryptAES \"k\" "
		    "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\">: error "
		    "calling decryptAES: runtime error: slice bounds out of "
		    "range [:(value withheld)]" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
makes_bcrypt_hashes(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ regexMatch \"^[$]2a[$]10[$][./A-Za-z0-9]{53}$\" (bcrypt "
		  ".x) }} {{ regexMatch \"^u:[$]2a\" (htpasswd \"u\" .x) }} {{ "
		  "htpasswd \"a:b\" \"c\" }}",
		    "true true invalid username: a:b" },
		{ "{{ bcrypt (repeat 73 \"x\") }}",
		    "failed to encrypt string with bcrypt: bcrypt: password "
		    "length exceeds 72 bytes" },
		{ "{{ bcrypt .bin }}",
		    "template: cfg:1:3: executing \"cfg\" at <bcrypt .bin>: "
		    "error calling bcrypt: a password with a NUL byte is not "
		    "supported" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
makes_keys(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ genPrivateKey \"ecdsa\" | trunc 30 }} {{ genPrivateKey "
		  "\"ed25519\" | trunc 27 }} {{ genPrivateKey \"bad\" }}",
		    "-----BEGIN EC PRIVATE KEY----- -----BEGIN PRIVATE "
		    "KEY----- Unknown type bad" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes),
		cmocka_unit_test(derives_passwords),
		cmocka_unit_test(opens_what_it_encrypted),
		cmocka_unit_test(refuses_broken_ciphertext),
		cmocka_unit_test(makes_bcrypt_hashes),
		cmocka_unit_test(makes_keys),
	};

	/* What Go rendered, it rendered with this zone. */
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
