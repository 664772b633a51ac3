/*
 * Tests of controller/tmpl/text.c.
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
#include "controller/tmpl/text.h"
#include "tmplrig.h"

static void
builds_a_string_of_any_bytes(void **state UNUSED)
{
	struct value v;
	struct text t;
	struct env e;

	tmplrig_env(&e);
	text_init(&t, &e);
	text_append(&t, "a\0b", 3);
	text_puts(&t, "cd");
	text_putc(&t, 'e');
	text_fill(&t, '-', 3);
	text_putrune(&t, 0xE9);
	text_putrune(&t, 0xD800);
	text_printf(&t, "%d", 42);
	assert_int_equal(text_done(&t, &v), 0);
	assert_int_equal(v.u.s.len, 16);
	assert_memory_equal(v.u.s.p,
	    "a\0bcde---\xC3\xA9\xEF\xBF\xBD"
	    "42",
	    17);
	env_release(&e);
}

static void
an_empty_text_is_an_empty_string(void **state UNUSED)
{
	struct value v;
	struct text t;
	struct env e;

	tmplrig_env(&e);
	text_init(&t, &e);
	text_append(&t, NULL, 0);
	assert_int_equal(text_done(&t, &v), 0);
	tmplrig_assert_str(&v, "");
	assert_int_equal(v.u.s.p[0], '\0');
	env_release(&e);
}

static void
the_first_failure_sticks(void **state UNUSED)
{
	struct tmpl_budget b = tmpl_budget_default;
	struct value v;
	struct text t;
	struct env e;

	b.memory_bytes = 50000;
	env_init(&e, &b, &clock_system);
	text_init(&t, &e);
	text_fill(&t, 'x', 10000);
	assert_false(t.failed);
	text_fill(&t, 'x', 1000000);
	assert_true(t.failed);
	text_putc(&t, 'y');
	assert_int_equal(t.len, 10000);
	assert_int_equal(text_done(&t, &v), -1);
	assert_string_equal(e.fault, "out of budget: memory");
	env_release(&e);
}

static void
keeps_what_it_has_while_it_grows(void **state UNUSED)
{
	struct text t;
	struct env e;

	tmplrig_env(&e);
	text_init(&t, &e);
	for (int i = 0; i < 100000; i++) {
		/* Now and then something in between, so that it must move. */
		if (i % 1000 == 0)
			assert_non_null(env_alloc(&e, 1));
		text_putc(&t, (char)('a' + i % 26));
	}
	assert_int_equal(t.len, 100000);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(t.data[i], 'a' + i % 26);
	env_release(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builds_a_string_of_any_bytes),
		cmocka_unit_test(an_empty_text_is_an_empty_string),
		cmocka_unit_test(the_first_failure_sticks),
		cmocka_unit_test(keeps_what_it_has_while_it_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
