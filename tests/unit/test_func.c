/*
 * Tests of controller/tmpl/func.c.
 * layer: tmpl
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "controller/tmpl/func.c"
#include "tmplrig.h"

static void
what_the_reference_removed_is_not(void **state UNUSED)
{
	static const char *const names[] = { "env", "expandenv",
		"getHostByName", "", "prin", "printff", "Print" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_null(func_find(names[i], strlen(names[i])));
}

static bool
known_letter(char c)
{
	for (size_t i = 0; i < ARRAY_SIZE(params); i++) {
		if (params[i].letter == c)
			return true;
	}
	return false;
}

static void
check_signature(const struct func *f)
{
	const char *s = f->sig;

	for (; *s != ':'; s++) {
		if (*s == '*')
			assert_true(s > f->sig && s[1] == ':');
		else
			assert_true(known_letter(*s));
	}
	assert_true(known_letter(s[1]) && s[2] == '\0');
}

static void
signatures_are_well_formed(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		for (const struct func *f = tables[i]; f->name != NULL; f++) {
			assert_non_null(f->fn);
			check_signature(f);
		}
	}
}

static void
a_name_stands_in_one_table_only(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		for (const struct func *f = tables[i]; f->name != NULL; f++)
			assert_ptr_equal(
			    func_find(f->name, strlen(f->name)), f);
	}
}

/*
 * Canaries. Errors reach logs, events and the status of objects; whatever a
 * function says about a wrong argument, the value must not be in it.
 */
#define CANARY	   "Canary7f3Zq"
#define CANARY_NUM "7391846205"

/* The canaries as they are, and what functions might make of them. */
static const char *const traces[] = { "anary7f3", "7391846205", "7.391846205",
	"CANARY7F3", "ANARY7F3", "canary7f3", "Q2FuYXJ5", "43616e617279",
	"x43\\x61", "qZ3f7yranaC", "C a n a r y" };

static const struct tmpl_datum canaries[] = {
	{ "c", CANARY, 11 },
	{ "num", CANARY_NUM, 10 },
	{ "neg", "-" CANARY_NUM, 11 },
	{ "pem",
	    "-----BEGIN " CANARY "-----\nQ2FuYXJ5\n-----END " CANARY "-----\n",
	    63 },
	{ "json", "{\"" CANARY "\":", 14 },
	{ "url", "http://[" CANARY "%zz:" CANARY_NUM, 33 },
	{ "re", "(" CANARY "[", 13 },
};

static char *
error_of(const char *text)
{
	struct tmpl_source src = { "cfg", text, strlen(text) };
	struct tmpl_budget b = tmpl_budget_default;
	struct tmpl_input in = {
		.sources = &src,
		.nsources = 1,
		.data = canaries,
		.ndata = ARRAY_SIZE(canaries),
		.budget = &b,
	};
	struct tmpl_result *r;
	char *error;

	/* No keys are made here: that takes seconds. */
	b.costly = 0;
	r = tmpl_render(&in);
	error = STEAL(r->outputs[0].error);
	tmpl_result_free(r);
	return error;
}

static unsigned
check_withheld(const char *text)
{
	AUTO_STR char *error = error_of(text);

	if (error == NULL)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(traces); i++) {
		if (strstr(error, traces[i]) != NULL)
			print_error("in %s\n%s\n", text, error);
		assert_null(strstr(error, traces[i]));
	}
	return 1;
}

/* Something that fits the parameter. */
static const char *
fitting(char letter)
{
	switch (letter) {
	case 'i':
	case 'I':
	case 'U':
		return "1";
	case 'f':
		return "1.5";
	case 'b':
		return "true";
	case 'l':
		return "(list 1)";
	case 'm':
		return "(dict \"a\" 1)";
	case 't':
		return "(now)";
	default:
		return "\"a\"";
	}
}

/* f with the canary as argument number at, of n; piped if at is n. */
static unsigned
try_call(const struct func *f, const char *canary, size_t n, size_t at)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(4096);
	const char *letter = f->sig;

	buf_puts(&b, "{{ ");
	if (at == n)
		buf_printf(&b, "%s | ", canary);
	buf_puts(&b, f->name);
	for (size_t i = 0; i < n; i++) {
		buf_putc(&b, ' ');
		buf_puts(&b, i == at ? canary : fitting(*letter));
		if (letter[0] != ':' && letter[1] != '*' && letter[1] != ':')
			letter++;
	}
	buf_puts(&b, " }}");
	return check_withheld(buf_str(&b));
}

static unsigned
try_function(const struct func *f)
{
	static const char *const forms[] = { ".c", "(int64 .num)", "(int .neg)",
		"(float64 .num)", "(list .c)", "(dict .c .c)",
		"(dict \"a\" .c)", "(list (list .c))", "(splitList \"n\" .c)",
		".pem", ".json", ".url", ".re", "(b64enc .c)",
		"(b64enc .pem)" };
	unsigned errors = 0;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		for (size_t n = 0; n <= 5; n++) {
			for (size_t at = 0; at <= n; at++)
				errors += try_call(f, forms[i], n, at);
		}
	}
	return errors;
}

static void
no_function_says_what_it_was_given(void **state UNUSED)
{
	unsigned errors = 0;

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		for (const struct func *f = tables[i]; f->name != NULL; f++)
			errors += try_function(f);
	}
	/* Most of these calls are wrong. */
	assert_true(errors > 10000);
}

static void
no_statement_says_what_it_was_given(void **state UNUSED)
{
	static const char *const texts[] = {
		"{{ range .c }}{{ end }}",
		"{{ range (float64 .num) }}{{ end }}",
		"{{ range $i, $e := (int64 .num) }}{{ end }}",
		"{{ .c.x }}",
		"{{ .c 1 }}",
		"{{ $x := .c }}{{ $x.y }}",
		"{{ $x := .c }}{{ $x 1 }}",
		"{{ (list .c).x }}",
		"{{ (dict \"a\" .c).a.b }}",
		"{{ (dict .c 1) 1 }}",
		"{{ template \"t\" .c.x }}",
		"{{ define \"t\" }}{{ .x }}{{ end }}{{ template \"t\" .c }}",
		"{{ .c | 1 }}",
		"{{ .c | .c }}",
		"{{ .c | call }}",
		"{{ call .c }}",
		"{{ with .c }}{{ .x }}{{ end }}",
		"{{ range splitList \"n\" .c }}{{ .x }}{{ end }}",
		"{{ range $k, $v := . }}{{ $v.x }}{{ end }}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(check_withheld(texts[i]), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_reference_removed_is_not),
		cmocka_unit_test(signatures_are_well_formed),
		cmocka_unit_test(a_name_stands_in_one_table_only),
		cmocka_unit_test(no_function_says_what_it_was_given),
		cmocka_unit_test(no_statement_says_what_it_was_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
