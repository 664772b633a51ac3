/*
 * Tests of controller/tmpl/lex.c.
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
#include "controller/tmpl/lex.h"
#include "tmplrig.h"

/* One letter for each token. */
static const char letters[] = {
	[TOKEN_ERROR] = '!',
	[TOKEN_BOOL] = 'b',
	[TOKEN_CHAR] = ',',
	[TOKEN_CHAR_CONSTANT] = 'c',
	[TOKEN_COMPLEX] = 'i',
	[TOKEN_ASSIGN] = '=',
	[TOKEN_DECLARE] = ':',
	[TOKEN_EOF] = '$',
	[TOKEN_FIELD] = 'f',
	[TOKEN_IDENTIFIER] = 'w',
	[TOKEN_LEFT_DELIM] = '{',
	[TOKEN_LEFT_PAREN] = '(',
	[TOKEN_NUMBER] = 'n',
	[TOKEN_PIPE] = '|',
	[TOKEN_RAW_STRING] = 'r',
	[TOKEN_RIGHT_DELIM] = '}',
	[TOKEN_RIGHT_PAREN] = ')',
	[TOKEN_SPACE] = ' ',
	[TOKEN_STRING] = 's',
	[TOKEN_TEXT] = 't',
	[TOKEN_VARIABLE] = 'v',
	[TOKEN_BLOCK] = 'B',
	[TOKEN_BREAK] = 'K',
	[TOKEN_CONTINUE] = 'C',
	[TOKEN_DOT] = '.',
	[TOKEN_DEFINE] = 'D',
	[TOKEN_ELSE] = 'L',
	[TOKEN_END] = 'E',
	[TOKEN_IF] = 'I',
	[TOKEN_NIL] = 'N',
	[TOKEN_RANGE] = 'R',
	[TOKEN_TEMPLATE] = 'T',
	[TOKEN_WITH] = 'W',
};

static void
cuts_text_into_tokens(void **state UNUSED)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "$" },
		{ "plain }} {", "t$" },
		{ "a{{.}}b", "t{.}t$" },
		{ "{{ .a.b }}", "{ ff }$" },
		{ "{{$x:=1|print}}", "{v:n|w}$" },
		{ "{{ $ }}{{$x.y}}", "{ v }{vf}$" },
		{ "{{\"a\" `b` 'c' true nil}}", "{s r c b N}$" },
		{ "{{(1)}}", "{(n)}$" },
		{ "{{1+2i}}", "{i}$" },
		{ "{{if else end range with}}", "{I L E R W}$" },
		{ "{{block define template break continue}}", "{B D T K C}$" },
		{ "{{/* c */}}a{{- /* d */ -}} b", "tt$" },
		{ "a {{- 1 -}} b", "t{n}t$" },
		{ "a {{- 1 - }}", "t{n n }$" },
		{ "{{-3}}{{.5}}{{+1}}{{0x1p-2}}", "{n}{n}{n}{n}$" },
		{ "{{a,b =c}}", "{w,w =w}$" },
		{ "{{ ..a }}", "{ .f }$" },
		{ "{{", "{!" },
		{ "{{\"", "{!" },
		{ "{{/*", "!" },
		{ "{{:}}", "{!" },
		{ "{{)}}", "{!" },
		{ "{{(}}", "{(!" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char got[64] = "";
		struct lexer l;
		struct token t;
		struct env e;
		size_t n = 0;

		tmplrig_env(&e);
		lexer_init(&l, &e, cases[i].text, strlen(cases[i].text));
		do {
			t = lexer_next(&l);
			got[n++] = letters[t.type];
		} while (t.type != TOKEN_EOF && t.type != TOKEN_ERROR);
		if (strcmp(got, cases[i].want) != 0)
			print_error("in %s\n", cases[i].text);
		assert_string_equal(got, cases[i].want);
		env_release(&e);
	}
}

static void
counts_lines_and_positions(void **state UNUSED)
{
	static const char text[] = "a\n\n{{- /* \n */}}\n{{ `\n`\n.x }}";
	static const struct {
		enum token_type type;
		size_t pos;
		unsigned line;
	} want[] = {
		{ TOKEN_TEXT, 0, 1 },
		{ TOKEN_TEXT, 16, 4 },
		{ TOKEN_LEFT_DELIM, 17, 5 },
		{ TOKEN_SPACE, 19, 5 },
		{ TOKEN_RAW_STRING, 20, 5 },
		{ TOKEN_SPACE, 23, 6 },
		{ TOKEN_FIELD, 24, 7 },
		{ TOKEN_SPACE, 26, 7 },
		{ TOKEN_RIGHT_DELIM, 27, 7 },
		{ TOKEN_EOF, 29, 7 },
	};
	struct lexer l;
	struct env e;

	tmplrig_env(&e);
	lexer_init(&l, &e, text, strlen(text));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		struct token t = lexer_next(&l);

		assert_int_equal(t.type, want[i].type);
		assert_int_equal(t.pos, want[i].pos);
		assert_int_equal(t.line, want[i].line);
	}
	env_release(&e);
}

static void
names_tokens_for_messages(void **state UNUSED)
{
	static const struct {
		struct token token;
		const char *want;
	} cases[] = {
		{ { TOKEN_EOF, 0, "EOF", 3, 1 }, "EOF" },
		{ { TOKEN_END, 0, "end", 3, 1 }, "<end>" },
		{ { TOKEN_TEXT, 0, "a\"b", 3, 1 }, "\"a\\\"b\"" },
		{ { TOKEN_TEXT, 0, "0123456789", 10, 1 }, "\"0123456789\"" },
		{ { TOKEN_TEXT, 0, "0123456789a", 11, 1 },
		    "\"0123456789\"..." },
		{ { TOKEN_ERROR, 0, "unclosed action", 15, 1 },
		    "unclosed action" },
	};
	struct env e;

	tmplrig_env(&e);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct value v;
		struct text t;

		text_init(&t, &e);
		token_describe(&cases[i].token, &t);
		assert_int_equal(text_done(&t, &v), 0);
		tmplrig_assert_str(&v, cases[i].want);
	}
	env_release(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_text_into_tokens),
		cmocka_unit_test(counts_lines_and_positions),
		cmocka_unit_test(names_tokens_for_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
