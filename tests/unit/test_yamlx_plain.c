/*
 * Plain scalars of YAML; the vectors of what the reference reads are in
 * test_yamlx.c.
 */
/* layer: base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include <string.h>

#include "base/compiler.h"
#include "base/jsonx.h"
#include "controller/base/yamlx_plain.h"

static void
tells_words_and_numbers_from_text(void **state UNUSED)
{
	static const struct {
		const char *text;
		const char *type; /* NULL: text */
	} cases[] = {
		{ "", "null" },
		{ "~", "null" },
		{ "y", "boolean" },
		{ "OFF", "boolean" },
		{ "0x1f", "number" },
		{ "017", "number" },
		{ "1_000", "number" },
		{ "+.5e3", "number" },
		{ "nope", NULL },
		{ "1.2.3", NULL },
		{ "0x", NULL },
		{ "1e", NULL },
		{ "1e999", NULL },
		{ ".inf", NULL },
		{ "2026-11-24", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *v = yamlx_plain_value(cases[i].text);

		if (cases[i].type == NULL)
			assert_null(v);
		else
			assert_string_equal(jsonx_type_name(v), cases[i].type);
	}
}

static void
takes_an_endless_number_for_text(void **state UNUSED)
{
	char text[YAMLX_NUMBER_MAX + 1];
	json_t *v;

	memset(text, '0', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_null(yamlx_plain_value(text));
	v = yamlx_plain_value(text + 1);
	assert_non_null(v);
	json_decref(v);
}

static void
knows_what_json_cannot_say(void **state UNUSED)
{
	assert_true(yamlx_plain_is_not_finite(".NaN"));
	assert_true(yamlx_plain_is_not_finite("-.Inf"));
	assert_false(yamlx_plain_is_not_finite(".nAn"));
	assert_false(yamlx_plain_is_not_finite("inf"));
}

static void
counts_the_digits_in_front(void **state UNUSED)
{
	assert_int_equal(yamlx_plain_digits("2026-11"), 4);
	assert_int_equal(yamlx_plain_digits("-1"), 0);
	assert_int_equal(yamlx_plain_digits(""), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_words_and_numbers_from_text),
		cmocka_unit_test(takes_an_endless_number_for_text),
		cmocka_unit_test(knows_what_json_cannot_say),
		cmocka_unit_test(counts_the_digits_in_front),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
