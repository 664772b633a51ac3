/*
 * Tests of controller/base/dns.c.
 * layer: base
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/dns.h"
#include "repeat.h"

struct sample {
	const char *text;
	bool want;
};

static void
a_label_is_lower_case_letters_digits_and_inner_dashes(void **state UNUSED)
{
	static const struct sample cases[] = {
		{ "a", true },
		{ "0", true },
		{ "kube-system", true },
		{ "a--b", true },
		{ "", false },
		{ "-", false },
		{ "-a", false },
		{ "a-", false },
		{ "A", false },
		{ "aB", false },
		{ "a.b", false },
		{ "a_b", false },
		{ "a b", false },
		{ "a/b", false },
		{ "..", false },
		{ "\xc3\xa4", false },
		{ "a\xc3\xa4z", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(
		    dns_is_label(cases[i].text, strlen(cases[i].text)),
		    cases[i].want);
}

static void
a_label_has_up_to_63_bytes(void **state UNUSED)
{
	assert_true(dns_is_label(repeat('a', 63), 63));
	assert_false(dns_is_label(repeat('a', 64), 64));
}

static void
a_subdomain_is_labels_with_a_dot_between_them(void **state UNUSED)
{
	static const struct sample cases[] = {
		{ "a", true },
		{ "a.b-c.d0", true },
		{ "", false },
		{ ".", false },
		{ "..", false },
		{ "a.", false },
		{ ".a", false },
		{ "a..b", false },
		{ "a.-b", false },
		{ "a-.b", false },
		{ "a.B", false },
		{ "a/b", false },
		{ "a%2Fb", false },
		{ "a\nb", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *s = cases[i].text;

		assert_int_equal(dns_is_subdomain(s, strlen(s), DNS_LABEL_MAX),
		    cases[i].want);
		assert_int_equal(
		    dns_is_subdomain(s, strlen(s), DNS_SUBDOMAIN_MAX),
		    cases[i].want);
	}
}

static void
the_caller_says_whether_labels_of_a_subdomain_are_limited(void **state UNUSED)
{
	assert_true(dns_is_subdomain(repeat('a', 63), 63, DNS_LABEL_MAX));
	assert_false(dns_is_subdomain(repeat('a', 64), 64, DNS_LABEL_MAX));
	assert_true(dns_is_subdomain(repeat('a', 64), 64, DNS_SUBDOMAIN_MAX));
}

static void
a_subdomain_has_up_to_253_bytes(void **state UNUSED)
{
	char dotted[255];

	assert_true(dns_is_subdomain(repeat('a', 253), 253, DNS_SUBDOMAIN_MAX));
	assert_false(
	    dns_is_subdomain(repeat('a', 254), 254, DNS_SUBDOMAIN_MAX));
	for (size_t i = 0; i < sizeof(dotted); i++)
		dotted[i] = i % 2 == 0 ? 'a' : '.';
	assert_true(dns_is_subdomain(dotted, 253, DNS_LABEL_MAX));
	assert_false(dns_is_subdomain(dotted, 255, DNS_LABEL_MAX));
}

static void
a_nul_is_no_part_of_a_name(void **state UNUSED)
{
	assert_false(dns_is_label("a\0b", 3));
	assert_false(dns_is_subdomain("a\0b", 3, DNS_LABEL_MAX));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_label_is_lower_case_letters_digits_and_inner_dashes),
		cmocka_unit_test(a_label_has_up_to_63_bytes),
		cmocka_unit_test(a_subdomain_is_labels_with_a_dot_between_them),
		cmocka_unit_test(
		    the_caller_says_whether_labels_of_a_subdomain_are_limited),
		cmocka_unit_test(a_subdomain_has_up_to_253_bytes),
		cmocka_unit_test(a_nul_is_no_part_of_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
