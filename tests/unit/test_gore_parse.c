/*
 * Tests of controller/tmpl/gore_parse.c: Go's pattern syntax in PCRE2's words.
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

#include "base/mem.h"
#include "controller/tmpl/gore.h"
#include "tmplrig.h"

#define ERROR(what) "error parsing regexp: " what ": `" WITHHELD "`"

/* The translation, or the error; in the environment's memory. */
static const char *
translate(struct env *e, const char *pattern)
{
	struct gore_pattern p = { 0 };
	struct value v;

	if (gore_translate(e, pattern, strlen(pattern), &p) < 0)
		return e->fault;
	assert_int_equal(text_done(&p.text, &v), 0);
	return v.u.s.p;
}

static void
check(const char *const (*cases)[2], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct env e;

		tmplrig_env(&e);
		assert_string_equal(translate(&e, cases[i][0]), cases[i][1]);
		env_release(&e);
	}
}

static void
translates_what_differs(void **state UNUSED)
{
	static const char *const cases[][2] = {
		{ "", "(?C1)(?:)" },
		{ "a", "(?C1)(?:\\x{61})" },
		{ "^$", "(?C1)(?:(?:\\A)(?:\\z))" },
		{ "(?m)^$", "(?C1)(?:(?:(?<![^\\n]))(?:(?![^\\n])))" },
		{ ".(?s).", "(?C1)(?:\\N.)" },
		{ "(?i)k", "(?C1)(?:(?i)\\x{6b})" },
		{ "(?i:k)b", "(?C1)(?:(?:(?C1)(?i)\\x{6b})\\x{62})" },
		{ "(?U)a*b*?", "(?C1)(?:(?C1)\\x{61}*?(?C1)\\x{62}*)" },
		{ "a*(?i)*", "(?C1)(?:(?:(?C1)\\x{61}*)*)" },
		{ "(?P<n>a)(?<m>b)", "(?C1)(?:((?C1)\\x{61})((?C1)\\x{62}))" },
		{ "\\d\\W",
		    "(?C1)(?:[0-9][\\x{0}-\\x{2f}\\x{3a}-\\x{40}\\x{5b}-"
		    "\\x{5e}\\x{60}\\x{7b}-\\x{10ffff}])" },
		{ "[^a-c]", "(?C1)(?:[^\\x{61}-\\x{63}])" },
		{ "[\\x{d800}]", "(?C1)(?:(?:(?!)))" },
		{ "\\p{greek}\\PL", "(?C1)(?:[\\p{sc:Greek}][\\P{L}])" },
		{ "\\Qa*\\E+", "(?C1)(?:\\x{61}(?C1)\\x{2a}+)" },
		{ "a{2,3}|b{,2}",
		    "(?C1)(?:\\x{61}{2,3}|\\x{62}\\x{7b}\\x{2c}\\x{32}\\x{7d}"
		    ")" },
	};

	check(cases, ARRAY_SIZE(cases));
}

/* Whatever PCRE2 does without counting is short. */
static void
looks_at_the_clock_before_all_that_is_long(void **state UNUSED)
{
	static const char *const cases[][2] = {
		{ "a{15}", "(?C1)(?:\\x{61}{15,15})" },
		{ "a{16}", "(?C1)(?:(?C1)\\x{61}{16,16})" },
		{ "a{2,}[b]?", "(?C1)(?:(?C1)\\x{61}{2,}[\\x{62}]?)" },
		{ "(?:ab){9}", "(?C1)(?:(?:(?C1)\\x{61}\\x{62}){9,9})" },
	};
	char pattern[1000];
	const char *at;
	unsigned looks = 0;
	struct env e;

	check(cases, ARRAY_SIZE(cases));
	memset(pattern, 'a', sizeof(pattern) - 1);
	pattern[sizeof(pattern) - 1] = '\0';
	tmplrig_env(&e);
	at = translate(&e, pattern);
	while ((at = strstr(at, "(?C1)")) != NULL) {
		looks++;
		at++;
	}
	assert_in_range(looks, 1000 / 64, 1000 / 32);
	env_release(&e);
}

static void
refuses_what_go_refuses(void **state UNUSED)
{
	static const char *const cases[][2] = {
		{ "a**", ERROR("invalid nested repetition operator") },
		{ "*a", ERROR("missing argument to repetition operator") },
		{ "a|*", ERROR("missing argument to repetition operator") },
		{ "a++", ERROR("invalid nested repetition operator") },
		{ "a{1001}", ERROR("invalid repeat count") },
		{ "a{3,2}", ERROR("invalid repeat count") },
		{ "(a{100}){100}", ERROR("invalid repeat count") },
		{ "(a", ERROR("missing closing )") },
		{ "a)", ERROR("unexpected )") },
		{ "[a", ERROR("missing closing ]") },
		{ "[c-a]", ERROR("invalid character class range") },
		{ "[[:nope:]]", ERROR("invalid character class range") },
		{ "\\p{Grek}", ERROR("invalid character class range") },
		{ "a\\", ERROR("trailing backslash at end of expression") },
		{ "\\1", ERROR("invalid escape sequence") },
		{ "\\Z", ERROR("invalid escape sequence") },
		{ "\\K", ERROR("invalid escape sequence") },
		{ "\\C", ERROR("invalid escape sequence") },
		{ "\\x{110000}", ERROR("invalid escape sequence") },
		{ "(?=a)", ERROR("invalid or unsupported Perl syntax") },
		{ "(?>a)", ERROR("invalid or unsupported Perl syntax") },
		{ "(?P=n)", ERROR("invalid or unsupported Perl syntax") },
		{ "(?<=a)", ERROR("invalid named capture") },
		{ "\xff", ERROR("invalid UTF-8") },
		{ "(?i)\\p{Lu}", ERROR("expression is not supported here") },
	};

	check(cases, ARRAY_SIZE(cases));
}

static void
bounds_nesting(void **state UNUSED)
{
	char pattern[401] = "";
	struct env e;

	memset(pattern, '(', 49);
	memset(pattern + 49, ')', 49);
	tmplrig_env(&e);
	assert_memory_equal(translate(&e, pattern), "(?C1)", 5);
	memset(pattern, '(', 200);
	memset(pattern + 200, ')', 200);
	assert_string_equal(
	    translate(&e, pattern), ERROR("expression nests too deeply"));
	env_release(&e);
}

static void
knows_names_and_odd_groups(void **state UNUSED)
{
	struct gore_pattern p = { 0 }, q = { 0 };
	struct env e;

	tmplrig_env(&e);
	assert_int_equal(gore_translate(&e, "(a)(?P<n>b)", 11, &p), 0);
	assert_int_equal(p.ngroups, 2);
	assert_null(p.names[1].p);
	assert_memory_equal(p.names[2].p, "n", p.names[2].len);
	assert_false(p.odd_groups);
	assert_int_equal(gore_translate(&e, "(a*)+", 5, &q), 0);
	assert_true(q.odd_groups);
	env_release(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(translates_what_differs),
		cmocka_unit_test(looks_at_the_clock_before_all_that_is_long),
		cmocka_unit_test(refuses_what_go_refuses),
		cmocka_unit_test(bounds_nesting),
		cmocka_unit_test(knows_names_and_odd_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
