/*
 * Tests of controller/kube/objkey.c.
 * layer: kube
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "kube/objkey.h"
#include "repeat.h"

/* What these are is tested with base/dns.c. */
static void
a_namespace_is_a_label_and_a_name_a_subdomain(void **state UNUSED)
{
	assert_true(objkey_valid_ns("a-b", 3));
	assert_false(objkey_valid_ns("a.b", 3));
	assert_true(objkey_valid_name("a-b", 3));
	assert_true(objkey_valid_name("a.b", 3));
	assert_false(objkey_valid_ns("a/b", 3));
	assert_false(objkey_valid_name("a/b", 3));
	assert_true(objkey_valid_ns(repeat('a', 63), 63));
	assert_false(objkey_valid_ns(repeat('a', 64), 64));
	assert_true(objkey_valid_name(repeat('a', 253), 253));
	assert_false(objkey_valid_name(repeat('a', 254), 254));
}

static void
a_nul_inside_the_length_is_no_part_of_a_name(void **state UNUSED)
{
	assert_false(objkey_valid_name("a\0b", 3));
	assert_false(objkey_valid_ns("a\0b", 3));
}

static void
text_and_key_convert_into_each_other(void **state UNUSED)
{
	struct err err = ERR_INIT;
	struct objkey a, b;
	char text[OBJKEY_TEXT_MAX];

	assert_int_equal(objkey_set(&a, "default", "my.secret", &err), 0);
	objkey_text(&a, text);
	assert_string_equal(text, "default/my.secret");
	assert_int_equal(objkey_parse(text, &b, &err), 0);
	assert_true(objkey_equal(&a, &b));
	assert_int_equal(objkey_parse("default/other", &b, &err), 0);
	assert_false(objkey_equal(&a, &b));
	assert_int_equal(objkey_parse("other/my.secret", &b, &err), 0);
	assert_false(objkey_equal(&a, &b));
}

static void
the_longest_key_fits_its_text(void **state UNUSED)
{
	struct err err = ERR_INIT;
	struct objkey k;
	char text[OBJKEY_TEXT_MAX];
	char ns[64] = "";

	memset(ns, 'n', 63);
	assert_int_equal(objkey_set(&k, ns, repeat('a', 253), &err), 0);
	objkey_text(&k, text);
	assert_int_equal(strlen(text), 63 + 1 + 253);
}

static void
a_refused_key_leaves_the_old_one(void **state UNUSED)
{
	static const char *const bad[] = { "a", "/", "/a", "a/", "a/b/c", "A/b",
		"a/B", "a/../b" };
	struct err err = ERR_INIT;
	struct objkey k;

	assert_int_equal(objkey_set(&k, "ns", "name", &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		err_clear(&err);
		assert_int_equal(objkey_parse(bad[i], &k, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
	}
	assert_int_equal(objkey_set(&k, NULL, "x", &err), -1);
	assert_int_equal(objkey_set(&k, "x", NULL, &err), -1);
	assert_string_equal(k.ns, "ns");
	assert_string_equal(k.name, "name");
}

static void
reads_the_key_of_an_object(void **state UNUSED)
{
	static const struct {
		const char *json;
		int want;
	} cases[] = {
		{ "{\"metadata\":{\"namespace\":\"ns\",\"name\":\"n\"}}", 0 },
		{ "{\"metadata\":{\"name\":\"n\"}}", -1 },
		{ "{\"metadata\":{\"namespace\":\"ns\"}}", -1 },
		{ "{\"metadata\":{\"namespace\":1,\"name\":\"n\"}}", -1 },
		{ "{}", -1 },
		{ "[]", -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_JSON json_t *obj = NULL;
		struct err err = ERR_INIT;
		struct objkey k;

		assert_int_equal(jsonx_parse(cases[i].json,
				     strlen(cases[i].json), 0, &obj, &err),
		    0);
		assert_int_equal(objkey_of(obj, &k, &err), cases[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_namespace_is_a_label_and_a_name_a_subdomain),
		cmocka_unit_test(a_nul_inside_the_length_is_no_part_of_a_name),
		cmocka_unit_test(text_and_key_convert_into_each_other),
		cmocka_unit_test(the_longest_key_fits_its_text),
		cmocka_unit_test(a_refused_key_leaves_the_old_one),
		cmocka_unit_test(reads_the_key_of_an_object),
	};

	return cmocka_run_group_tests_name("objkey", tests, NULL, NULL);
}
