/*
 * Tests of controller/tmpl/funcs_encoding.c: base64 and base32.
 * layer: tmpl
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "base/mem.h"
#include "tmplrig.h"

static void
encodes_any_bytes(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ b64enc \"\" }}|{{ b64enc \"a\" }} {{ b64enc "
		  "\"\\xff\\x00\\xfe\" }} {{ b32enc \"\" }}|{{ b32enc \"a\" }} "
		  "{{ b32enc \"ab\" }} {{ b32enc \"abc\" }} {{ b32enc \"abcd\" "
		  "}} {{ b32enc \"abcde\" }} {{ b32enc \"abcdef\" }}",
		    "|YQ== /wD+ |ME====== MFRA==== MFRGG=== MFRGGZA= MFRGGZDF "
		    "MFRGGZDFMY======" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
decodes_with_newlines(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ b64dec \"YQ\\r\\n==\\n\" }} {{ b64dec \"YR==\" }} {{ "
		  "b64dec \"\" }}| {{ b32dec \"ME======\" }} {{ b32dec "
		  "\"MFRA\\n====\" }} {{ b32dec \"MFRGGZDFMY======\" }} {{ "
		  "b32dec \"\" }}|",
		    "a a | a ab abcdef |" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
gives_the_error_as_text(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ b64dec \"!!\" }}|{{ b64dec \"aGVsbG8\" }}|{{ b64dec "
		  "\"aGVsbG8==\" }}|{{ b64dec \"YQ=\" }}",
		    "illegal base64 data at input byte 0|illegal base64 data "
		    "at input byte 4|illegal base64 data at input byte "
		    "8|illegal base64 data at input byte 3" },
		{ "{{ b32dec \"ME\" }}|{{ b32dec \"ME=====\" }}|{{ b32dec "
		  "\"me======\" }}|{{ b32dec \"M=======\" }}|{{ b32dec "
		  "\"MFR=====\" }}|{{ b32dec \"ME=A====\" }}|{{ b32dec "
		  "\"ME======ME======\" }}|{{ b32dec \"=\" }}|{{ b32dec "
		  "\"MFRGG===x\" }}|{{ b32dec \"MFRGGZDF1\" }}|{{ b32dec "
		  "\"MFRGGZ==\" }}",
		    "illegal base32 data at input byte 0|illegal base32 data "
		    "at input byte 7|illegal base32 data at input byte "
		    "0|illegal base32 data at input byte 1|illegal base32 data "
		    "at input byte 3|illegal base32 data at input byte "
		    "2|illegal base32 data at input byte 2|illegal base32 data "
		    "at input byte 0|abc|illegal base32 data at input byte "
		    "8|illegal base32 data at input byte 6" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
large_results_and_long_work_end_with_the_budget(void **state UNUSED)
{
	static const char *const texts[] = {
		"{{ $s := repeat 10000000 \"x\" }}{{ range until 10 }}{{ $t := "
		"b64enc $s }}{{ end }}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		AUTO_STR char *why = tmplrig_error(texts[i], NULL);

		if (why == NULL)
			print_error("in %s\n", texts[i]);
		assert_non_null(why);
		assert_non_null(strstr(why, "out of budget: "));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodes_any_bytes),
		cmocka_unit_test(decodes_with_newlines),
		cmocka_unit_test(gives_the_error_as_text),
		cmocka_unit_test(
		    large_results_and_long_work_end_with_the_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
