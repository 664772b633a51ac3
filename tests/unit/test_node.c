/*
 * Tests of controller/tmpl/node.c.
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
#include "controller/tmpl/node.h"
#include "controller/tmpl/parse.h"
#include "tmplrig.h"

static void
writes_nodes_in_their_canonical_form(void **state UNUSED)
{
	static const struct {
		const char *text;
		const char *want; /* NULL: the text itself */
	} cases[] = {
		{ "a{{.x}}b", NULL },
		{ "{{  .x  |  print  }}", "{{.x | print}}" },
		{ "{{print (print 1 | len) .a.b $.c}}", NULL },
		{ "{{(print).a.b}}", NULL },
		{ "{{$x := 1}}{{$x = 0x1F}}{{$x}}", NULL },
		{ "{{if true}}a{{else}}b{{end}}", NULL },
		{ "{{if 1}}{{else if 2}}{{end}}",
		    "{{if 1}}{{else}}{{if 2}}{{end}}{{end}}" },
		{ "{{range $i, $e := .}}{{break}}{{continue}}{{end}}", NULL },
		{ "{{with nil}}{{end}}", NULL },
		{ "{{template `a\"b`}}", "{{template \"a\\\"b\"}}" },
		{ "{{block \"t\" .}}x{{end}}", "{{template \"t\" .}}" },
		{ "{{print `raw` \"q\\n\" 'c' nil}}", NULL },
		{ "{{/* gone */}}{{- print . -}} ", "{{print .}}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tree_set set;
		struct value v;
		struct text t;
		struct env e;

		tmplrig_env(&e);
		assert_int_equal(parse_source(&e, "cfg", cases[i].text,
				     strlen(cases[i].text), &set),
		    0);
		text_init(&t, &e);
		node_write(
		    tree_find(&set, (struct span) { "cfg", 3 })->root, &t);
		assert_int_equal(text_done(&t, &v), 0);
		tmplrig_assert_str(
		    &v, cases[i].want == NULL ? cases[i].text : cases[i].want);
		env_release(&e);
	}
}

static void
space_and_comments_are_empty(void **state UNUSED)
{
	static const struct {
		const char *text;
		bool want;
	} cases[] = {
		{ "", true },
		{ " \t\n\xC2\xA0", true },
		{ "{{/* c */}} ", true },
		{ "a", false },
		{ "{{ 1 }}", false },
		{ " {{ if 1 }}{{ end }}", false },
	};

	assert_true(node_is_empty(NULL));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tree_set set;
		struct env e;

		tmplrig_env(&e);
		assert_int_equal(parse_source(&e, "cfg", cases[i].text,
				     strlen(cases[i].text), &set),
		    0);
		assert_int_equal(
		    node_is_empty(
			tree_find(&set, (struct span) { "cfg", 3 })->root),
		    cases[i].want);
		env_release(&e);
	}
}

static void
lists_keep_what_they_have_while_they_grow(void **state UNUSED)
{
	struct node_list l = { 0 };
	struct span_list s = { 0 };
	struct node nodes[100];
	struct env e;

	tmplrig_env(&e);
	for (uint32_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		assert_int_equal(node_list_append(&e, &l, &nodes[i]), 0);
		assert_int_equal(
		    span_list_append(&e, &s, (struct span) { "x", i }), 0);
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		assert_ptr_equal(l.v[i], &nodes[i]);
		assert_int_equal(s.v[i].len, i);
	}
	env_release(&e);
}

static void
finds_one_of_some_characters(void **state UNUSED)
{
	static const struct {
		struct span s;
		const char *chars;
		bool want;
	} cases[] = {
		{ { "1e5", 3 }, ".eE", true },
		{ { "1e5", 1 }, ".eE", false },
		{ { "15", 2 }, ".eE", false },
		{ { "a\0.", 3 }, ".", true },
		{ { "a\0", 2 }, ".", false },
		{ { NULL, 0 }, ".", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(
		    span_has_any(cases[i].s, cases[i].chars), cases[i].want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_nodes_in_their_canonical_form),
		cmocka_unit_test(space_and_comments_are_empty),
		cmocka_unit_test(finds_one_of_some_characters),
		cmocka_unit_test(lists_keep_what_they_have_while_they_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
