/*
 * Tests of controller/tmpl/gore.c: matching within bounds.
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

#include "base/buf.h"
#include "base/mem.h"
#include "base/thread.h"
#include "controller/tmpl/gore.h"
#include "tmplrig.h"

static struct gore *
compile(struct env *e, const char *pattern)
{
	struct gore *re = NULL;

	assert_int_equal(gore_compile(e, pattern, strlen(pattern), &re), 0);
	return re;
}

static void
finds_groups_from_a_place_on(void **state UNUSED)
{
	AUTO(gore) struct gore *re = NULL;
	size_t start, end;
	struct env e;

	tmplrig_env(&e);
	re = compile(&e, "(a)|(b)");
	assert_int_equal(gore_subject(re, "xab", 3), 0);
	assert_int_equal(gore_match(re, 0), 1);
	assert_true(gore_group(re, 0, &start, &end));
	assert_int_equal(start, 1);
	assert_int_equal(gore_match(re, 2), 1);
	assert_false(gore_group(re, 1, &start, &end));
	assert_true(gore_group(re, 2, &start, &end));
	assert_int_equal(start, 2);
	assert_int_equal(end, 3);
	assert_false(gore_group(re, 3, &start, &end));
	assert_int_equal(gore_match(re, 3), 0);
	gore_free(STEAL(re));
	env_release(&e);
}

static void
maps_offsets_of_invalid_bytes(void **state UNUSED)
{
	AUTO(gore) struct gore *re = NULL;
	size_t start, end;
	struct env e;

	tmplrig_env(&e);
	re = compile(&e, "b|\\x{fffd}");
	assert_int_equal(gore_subject(re,
			     "a\xff\xe2\x82"
			     "b",
			     5),
	    0);
	for (size_t i = 1; i < 5; i++) {
		assert_int_equal(gore_match(re, i), 1);
		assert_true(gore_group(re, 0, &start, &end));
		assert_int_equal(start, i);
		assert_int_equal(end, i + 1);
	}
	gore_free(STEAL(re));
	env_release(&e);
}

/* Without any processor time left. */
static void
check_gives_up(const char *pattern, const char *text, size_t len)
{
	AUTO(gore) struct gore *re = NULL;
	struct env e;

	tmplrig_env(&e);
	re = compile(&e, pattern);
	assert_int_equal(gore_subject(re, text, len), 0);
	e.cpu_limit_ns = 0;
	assert_int_equal(gore_match(re, 0), -1);
	assert_string_equal(e.fault, "out of budget: CPU time");
	gore_free(STEAL(re));
	env_release(&e);
}

static void
gives_up_in_time(void **state UNUSED)
{
	size_t len = 20000;
	AUTO_STR char *text = xmalloc(len);

	memset(text, 'a', len);
	for (size_t i = 80; i < len; i += 81)
		text[i] = 'c';
	text[len - 1] = 'b';
	check_gives_up("a*a*a*b[0-9]", text, len);
}

/* What PCRE2 does between two of the decisions that it counts. */
static void
gives_up_in_time_where_each_step_is_long(void **state UNUSED)
{
	static const char *const patterns[] = { "^.*?a*[bc]",
		"^.*?(?:(?:aaaaaaaaaaaaaaa)){999}[bc]", "(?i)^.*?[^bc]*[BC]",
		"^.*?a{1000}a{1000}a{1000}[bc]" };
	size_t len = 200000;
	AUTO_STR char *text = xmalloc(len);

	memset(text, 'a', len);
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
		check_gives_up(patterns[i], text, len);
}

/* PCRE2 goes through all characters of each, and cannot be stopped. */
static void
bounds_the_sets_without_case(void **state UNUSED)
{
	static const char *const sets[] = { "[\\x{1}-\\x{10ffff}]", "\\W",
		"\\p{Any}", "[[:^alpha:]]" };

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		AUTO_RELEASE(buf) struct buf b = BUF_INIT(16384);
		struct gore *re = NULL;
		uint64_t steps;
		struct env e;

		tmplrig_env(&e);
		steps = e.left.steps;
		buf_printf(&b, "(?i)%s", sets[i]);
		gore_free(compile(&e, buf_str(&b)));
		assert_true(steps - e.left.steps > 10000);
		for (unsigned j = 0; j < 200; j++)
			buf_puts(&b, sets[i]);
		assert_int_equal(gore_compile(&e, buf_str(&b), b.len, &re), -1);
		assert_string_equal(
		    e.fault, "out of budget: regular expression");
		env_release(&e);
	}
}

static void
bounds_the_pattern(void **state UNUSED)
{
	size_t len = 70000;
	AUTO_STR char *pattern = xmalloc(len);
	struct gore *re = NULL;
	struct env e;

	memset(pattern, 'a', len);
	tmplrig_env(&e);
	assert_int_equal(gore_compile(&e, pattern, len, &re), -1);
	assert_true(e.exhausted);
	env_release(&e);
	tmplrig_env(&e);
	assert_int_equal(gore_compile(&e, pattern, 60000, &re), -2);
	assert_string_equal(e.fault,
	    "error parsing regexp: expression is not supported here: "
	    "`" WITHHELD "`");
	env_release(&e);
}

static void *
compile_deep(void *arg UNUSED)
{
	char pattern[99] = "";
	struct env e;

	memset(pattern, '(', 49);
	memset(pattern + 49, ')', 49);
	tmplrig_env(&e);
	gore_free(compile(&e, pattern));
	env_release(&e);
	return NULL;
}

static void
fits_the_stack_of_a_thread(void **state UNUSED)
{
	struct thread t;

	thread_start(&t, "deep", compile_deep, NULL);
	thread_join(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_groups_from_a_place_on),
		cmocka_unit_test(maps_offsets_of_invalid_bytes),
		cmocka_unit_test(gives_up_in_time),
		cmocka_unit_test(gives_up_in_time_where_each_step_is_long),
		cmocka_unit_test(bounds_the_sets_without_case),
		cmocka_unit_test(bounds_the_pattern),
		cmocka_unit_test(fits_the_stack_of_a_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
