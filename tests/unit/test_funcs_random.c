/*
 * Tests of controller/tmpl/funcs_random.c: random strings and numbers.
 * layer: tmpl
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
keeps_to_its_alphabet(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ regexMatch \"^[A-Za-z0-9]{50}$\" (randAlphaNum 50) }} {{ "
		  "regexMatch \"^[A-Za-z]{50}$\" (randAlpha 50) }} {{ "
		  "regexMatch \"^[0-9]{50}$\" (randNumeric 50) }} {{ "
		  "regexMatch \"^[ -~]{50}$\" (randAscii 50) }}",
		    "true true true true" },
		{ "{{ randAlpha 0 }}|{{ randAlpha -1 }}|{{ randBytes 0 }}|{{ "
		  "randBytes 5 | b64dec | len }}",
		    "|||5" },
		{ "{{ randBytes -1 }}",
		    "template: cfg:1:3: executing \"cfg\" at <randBytes -1>: "
		    "error calling randBytes: runtime error: makeslice: len "
		    "out of range" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
differs_every_time(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ eq (randAlphaNum 30) (randAlphaNum 30) }} {{ eq uuidv4 "
		  "uuidv4 }} {{ eq (randBytes 20) (randBytes 20) }}",
		    "false false false" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
keeps_to_the_range(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ range until 50 }}{{ if or (lt (randInt 3 5) 3) (gt "
		  "(randInt 3 5) 4) }}wrong{{ end }}{{ end }}{{ randInt 4 5 }}",
		    "4" },
		{ "{{ randInt 5 5 }}",
		    "template: cfg:1:3: executing \"cfg\" at <randInt 5 5>: "
		    "error calling randInt: invalid argument to Intn" },
		{ "{{ randInt 5 4 }}",
		    "template: cfg:1:3: executing \"cfg\" at <randInt 5 4>: "
		    "error calling randInt: invalid argument to Intn" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
makes_uuids_of_version_4(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ regexMatch "
		  "\"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-["
		  "0-9a-f]{12}$\" uuidv4 }}",
		    "true" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
shuffles_characters(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ shuffle \"\" }}|{{ shuffle \"a\" }}|{{ shuffle \"aaa\" "
		  "}}|{{ len (shuffle \"h\xc3\xa9\") }}",
		    "|a|aaa|3" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_to_its_alphabet),
		cmocka_unit_test(differs_every_time),
		cmocka_unit_test(keeps_to_the_range),
		cmocka_unit_test(makes_uuids_of_version_4),
		cmocka_unit_test(shuffles_characters),
	};

	/* What Go rendered, it rendered with this zone. */
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
