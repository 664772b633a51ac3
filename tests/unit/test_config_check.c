/*
 * Checks of single values: Kubernetes' and X.509's syntax.
 * layer: main
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "controller/config_check.h"
#include "repeat.h"

static void
key_prefixes_are_lower_case_names(void **state UNUSED)
{
	static const struct {
		const char *prefix, *why; /* NULL: accepted */
	} cases[] = {
		{ "sealed-secrets-key", NULL },
		{ "k", NULL },
		{ "0-", NULL },
		{ "", "name is empty" },
		{ "Key", "name contains illegal character K" },
		{ "a.b", "name contains illegal character ." },
		{ "a b", "name contains illegal character 0x20" },
		{ "a\n", "name contains illegal character 0x0a" },
		{ "\xc3\xa9", "name contains illegal character 0xc3" },
		{ "-a", "name begins with -" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err why = ERR_INIT;

		assert_int_equal(config_check_key_prefix(cases[i].prefix, &why),
		    cases[i].why == NULL);
		assert_string_equal(
		    why.msg, cases[i].why == NULL ? "" : cases[i].why);
	}
}

static void
key_prefixes_leave_room_for_what_is_added(void **state UNUSED)
{
	struct err why = ERR_INIT;

	assert_true(config_check_key_prefix(repeat('a', 245), &why));
	assert_false(config_check_key_prefix(repeat('a', 246), &why));
	assert_string_equal(
	    why.msg, "name is too long, must be shorter than 245, got 246");
}

static void
label_lists_have_kubernetes_syntax(void **state UNUSED)
{
	static const struct {
		const char *list;
		bool labels, annotations;
	} cases[] = {
		{ "", true, true },
		{ ",,", true, true },
		{ "a=b", true, true },
		{ "a=", true, true },
		{ "a=b,c=d,", true, true },
		{ "example.org/a=b", true, true },
		{ "a.b_c-D=x.y_z-0", true, true },
		{ "sealedsecrets.bitnami.com/sealed-secrets-key=active", true,
		    true },
		{ "a=b=c", false, true },
		{ "a=b c", false, true },
		{ "a=-b", false, true },
		{ "a=b-", false, true },
		{ "a=https://example.org/?x=y", false, true },
		{ "a", false, false },
		{ "a=b,c", false, false },
		{ "=b", false, false },
		{ " a=b", false, false },
		{ "a =b", false, false },
		{ "-a=b", false, false },
		{ "a-=b", false, false },
		{ "/a=b", false, false },
		{ "x/=b", false, false },
		{ "x/y/z=b", false, false },
		{ "Example.org/a=b", false, false },
		{ "a..b/c=d", false, false },
		{ ".a/c=d", false, false },
		{ "a./c=d", false, false },
		{ "-a/c=d", false, false },
		{ "\xc3\xa9=b", false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err why = ERR_INIT;

		if (config_check_labels(cases[i].list, &why) != cases[i].labels)
			fail_msg("labels %s: %s", cases[i].list, why.msg);
		if (config_check_annotations(cases[i].list, &why) !=
		    cases[i].annotations)
			fail_msg("annotations %s: %s", cases[i].list, why.msg);
	}
}

static void
label_keys_and_values_have_lengths(void **state UNUSED)
{
	static const struct {
		size_t name, value;
		bool ok;
	} cases[] = {
		{ 63, 63, true },
		{ 64, 63, false },
		{ 63, 64, false },
	};
	char list[512];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err why = ERR_INIT;

		(void)snprintf(list, sizeof(list), "%0*d=%0*d",
		    (int)cases[i].name, 1, (int)cases[i].value, 1);
		assert_int_equal(config_check_labels(list, &why), cases[i].ok);
	}
}

static void
label_prefixes_are_subdomains_of_253_bytes(void **state UNUSED)
{
	char list[512];
	struct err why = ERR_INIT;

	/* 63 + 3 * (1 + 63) = 255, less two. */
	(void)snprintf(
	    list, sizeof(list), "%063d.%063d.%063d.%061d/a=b", 1, 1, 1, 1);
	assert_true(config_check_labels(list, &why));
	(void)snprintf(
	    list, sizeof(list), "%063d.%063d.%063d.%062d/a=b", 1, 1, 1, 1);
	assert_false(config_check_labels(list, &why));
	(void)snprintf(list, sizeof(list), "%064d.a/a=b", 1);
	assert_false(config_check_labels(list, &why));
}

static void
refusals_say_why(void **state UNUSED)
{
	struct err why = ERR_INIT;

	assert_false(config_check_labels("a=b,c", &why));
	assert_string_equal(why.msg, "an element without \"=\"");
	assert_false(config_check_labels("a=b,-=d", &why));
	assert_string_equal(why.msg, "an element with an invalid key");
	assert_false(config_check_labels("a=b,c=!", &why));
	assert_string_equal(why.msg, "an element with an invalid value");
}

static void
common_names_fit_into_a_certificate(void **state UNUSED)
{
	struct err why = ERR_INIT;

	assert_true(config_check_common_name("", &why));
	assert_true(config_check_common_name("Sealed Secrets", &why));
	assert_true(config_check_common_name("schl\xc3\xbcssel", &why));
	assert_true(config_check_common_name(repeat('a', 64), &why));
	assert_false(config_check_common_name(repeat('a', 65), &why));
	assert_false(config_check_common_name("a\nb", &why));
	assert_false(config_check_common_name("a\x7f", &why));
}

static void
namespaces_are_dns_labels(void **state UNUSED)
{
	static const char *const good[] = { "", "a", "a,b-1", " a , b ,,", "0a",
		"," };
	static const char *const bad[] = { "A", "a.b", "a b", "-a", "a-", "a/b",
		"a,B" };
	struct err why = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (!config_check_namespaces(good[i], &why))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (config_check_namespaces(bad[i], &why))
			fail_msg("%s", bad[i]);
	assert_true(config_check_namespaces(repeat('a', 63), &why));
	assert_false(config_check_namespaces(repeat('a', 64), &why));
}

static void
label_selectors_have_kubernetes_syntax(void **state UNUSED)
{
	static const char *const good[] = { "", " ", "a", "!a", " ! a ", "a=b",
		"a==b", "a!=b", "a=", "a!=", "a = b , c", "x.io/a in (b,c)",
		"a notin (b)", "a in ()", "a in (b,)", "a in(b)", "in in (in)",
		"a>1", "a < 22", "a,b,!c,d=e" };
	static const char *const bad[] = { ",", "a,", ",a", "a=b=c", "a b",
		"a in", "a in b", "a in (b", "a in b)", "a in (b))", "a>",
		"a>x", "!a=b", "=b", "a=b c", "-a", "a=-b", "a=b/c", "x//a",
		"a within (b)", "(a)", "a&b" };
	struct err why = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (!config_check_selector(good[i], &why))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (config_check_selector(bad[i], &why))
			fail_msg("%s", bad[i]);
	assert_false(config_check_selector(repeat('a', 1025), &why));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_prefixes_are_lower_case_names),
		cmocka_unit_test(key_prefixes_leave_room_for_what_is_added),
		cmocka_unit_test(label_lists_have_kubernetes_syntax),
		cmocka_unit_test(label_keys_and_values_have_lengths),
		cmocka_unit_test(label_prefixes_are_subdomains_of_253_bytes),
		cmocka_unit_test(refusals_say_why),
		cmocka_unit_test(namespaces_are_dns_labels),
		cmocka_unit_test(label_selectors_have_kubernetes_syntax),
		cmocka_unit_test(common_names_fit_into_a_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
