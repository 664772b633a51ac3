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

/* The canaries as they are, and what functions might make of them; the last
 * is out of the private key. */
static const char *traces[] = { "anary7f3", "7391846205", "7.391846205",
	"CANARY7F3", "ANARY7F3", "canary7f3", "Q2FuYXJ5", "NhbmFyeT",
	"DYW5hcnk", "43616e617279", "x43\\x61", "qZ3f7yranaC", "C a n a r y",
	"7123", NULL };

static struct tmpl_datum canaries[] = {
	{ "c", CANARY, 11 },
	{ "num", CANARY_NUM, 10 },
	{ "neg", "-" CANARY_NUM, 11 },
	{ "pem",
	    "-----BEGIN " CANARY "-----\nQ2FuYXJ5\n-----END " CANARY "-----\n",
	    63 },
	{ "json", "{\"" CANARY "\":", 14 },
	{ "url", "http://[" CANARY "%zz:" CANARY_NUM, 33 },
	{ "link", "http://" CANARY ":" CANARY "@" CANARY "/" CANARY, 54 },
	{ "re", "(" CANARY "[", 13 },
	{ "layout", "2006-01-02 " CANARY, 22 },
	{ "version", "7391846205.0.0-" CANARY "+" CANARY, 38 },
	{ "year", "5103", 4 }, /* with 2020 the year 7123 */
	{ "key", NULL, 0 },
	{ "crt", NULL, 0 },
};

static char *both, *key_trace;

/* A key to look for, and a certificate with a canary as its name. */
static int
make_key(void **state UNUSED)
{
	static const char text[] =
	    "{{ $k := genPrivateKey \"ecdsa\" }}{{ $k }}"
	    "|{{ (genCAWithKey \"" CANARY "\" 9999 $k).Cert }}";
	struct tmpl_datum *key = &canaries[ARRAY_SIZE(canaries) - 2];
	char *cut;

	both = tmplrig_render(text);
	cut = strchr(both, '|');
	assert_non_null(cut);
	key[0].data = both;
	key[0].len = (size_t)(cut - both);
	key[1].data = cut + 1;
	key[1].len = strlen(cut + 1);
	/* Of its second line; the first says little but what kind it is. */
	key_trace = xstrndup(strchr(strchr(both, '\n') + 1, '\n') + 1, 16);
	traces[ARRAY_SIZE(traces) - 1] = key_trace;
	return 0;
}

static int
forget_key(void **state UNUSED)
{
	mem_free_wiped(both);
	mem_free_wiped(key_trace);
	return 0;
}

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

	/* Enough to sign, not to make a key that takes long. */
	b.costly = 1;
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

/* Values that fit a parameter; the second ones make certificates. */
static const struct {
	char letter;
	const char *texts[2];
} fitting[] = {
	{ 'i', { "1", "1" } },
	{ 'I', { "1", "1" } },
	{ 'U', { "1", "1" } },
	{ 'f', { "1.5", "1.5" } },
	{ 'b', { "true", "true" } },
	{ 'l', { "(list 1)", "(list)" } },
	{ 'm', { "(dict \"a\" 1)", "(dict)" } },
	{ 't', { "$t", "$t" } },
	{ 'd', { "($t.Sub $t)", "($t.Sub $t)" } },
	{ 'V', { "$v", "$v" } },
	{ 'c', { "$c", "$c" } },
	{ 's', { "\"a\"", ".key" } },
};

static const char *
fits(char letter, unsigned set)
{
	for (size_t i = 0; i < ARRAY_SIZE(fitting); i++) {
		if (fitting[i].letter == letter)
			return fitting[i].texts[set];
	}
	return "\"a\"";
}

/* Every type that a template can make, each with a canary in it. */
static const char *const forms[] = { ".c", "(int64 .num)", "(int .neg)",
	"(float64 .num)", "(list .c)", "(dict .c .c)", "(dict \"a\" .c)",
	"(list (list .c))", "(splitList \"n\" .c)", "(split \"n\" .c)", ".pem",
	".json", ".url", ".re", ".layout", ".key", ".crt", "(b64enc .c)",
	"(b64enc .pem)", "(b64enc .crt)", "(b64enc .key)", "(index .c 0)",
	"($t.AddDate (int .year) 0 0)", "(($t.AddDate (int .year) 0 0).Sub $t)",
	"(semver .version)", "(semver .version).IncMajor", "$c", "$c.Key",
	"$t.Location", "$t.Month", "(toStrings (list .c))", "(urlParse .link)",
	"(regexFindAll \".\" .c -1)", "(set (dict) .c (list .c))", "." };

/* What wrong values without a canary look like, beside one that has it. */
static const char *const others[] = { "nil", "\"\"", "-1", "true", "1.5",
	"(list)", "(dict)", "$.none", "$v", "$t", "$c" };

/* What the texts above call $c, $v and $t. */
static const char *const variables[][2] = {
	{ "$c", "{{ $c := buildCustomCert (b64enc .crt) (b64enc .key) }}" },
	{ "$v", "{{ $v := semver \"1.2.3\" }}" },
	{ "$t", "{{ $t := toDate \"2006\" \"2020\" }}" },
};

/* A call of a function, or of a method on its receiver. */
struct attempt {
	const char *name;
	const char *receiver; /* NULL: a function */
	const char *sig;      /* of the arguments */
	size_t n, at;	      /* arguments, and the one with the canary */
	const char *canary;
	const char *other; /* NULL: the other arguments fit */
	unsigned set;	   /* of those that fit */
};

/* Piped if at is n. */
static unsigned
try_call(const struct attempt *a)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(4096);
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(4096);
	const char *letter = a->sig;

	buf_puts(&b, "{{ ");
	if (a->at == a->n)
		buf_printf(&b, "%s | ", a->canary);
	if (a->receiver != NULL)
		buf_printf(&b, "%s.", a->receiver);
	buf_puts(&b, a->name);
	for (size_t i = 0; i < a->n; i++) {
		const char *beside =
		    a->other != NULL ? a->other : fits(*letter, a->set);

		buf_putc(&b, ' ');
		buf_puts(&b, i == a->at ? a->canary : beside);
		if (letter[0] != ':' && letter[1] != '*' && letter[1] != ':')
			letter++;
	}
	buf_puts(&b, " }}");
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		if (strstr(buf_str(&b), variables[i][0]) != NULL)
			buf_puts(&text, variables[i][1]);
	}
	buf_puts(&text, buf_str(&b));
	return check_withheld(buf_str(&text));
}

/* One argument more than the function takes, and none. */
static size_t
args_max(const char *sig)
{
	return (size_t)(strchr(sig, ':') - sig) + 1;
}

/* The canary in each place and by pipe, as argument of n. */
static unsigned
try_places(struct attempt *a)
{
	unsigned errors = 0;

	for (a->at = 0; a->at <= a->n; a->at++)
		errors += try_call(a);
	return errors;
}

static unsigned
try_all(const char *name, const char *receiver, const char *sig)
{
	struct attempt a = { .name = name, .receiver = receiver, .sig = sig };
	unsigned errors = 0;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		a.canary = forms[i];
		a.other = NULL;
		a.set = 0;
		for (a.n = 0; a.n <= args_max(sig); a.n++) {
			for (a.set = 0;
			     a.set < (a.n + 1 == args_max(sig) ? 2 : 1);
			     a.set++)
				errors += try_places(&a);
		}
		/* The right number, but wrong values in the other places. */
		a.n = args_max(sig) - 1;
		for (size_t j = 0; a.n > 1 && j < ARRAY_SIZE(others); j++) {
			a.other = others[j];
			errors += try_places(&a);
		}
	}
	return errors;
}

static unsigned
try_function(const struct func *f)
{
	return try_all(f->name, NULL, f->sig);
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
	assert_true(errors > 100000);
}

/* Methods of values that hold a canary, and given one. */
static void
no_method_says_what_it_was_given(void **state UNUSED)
{
	static const struct {
		const struct type *const type;
		const char *receiver;
	} cases[] = {
		{ &type_time, "($t.AddDate (int .year) 0 0)" },
		{ &type_duration, "(($t.AddDate (int .year) 0 0).Sub $t)" },
		{ &type_semver, "(semver .version)" },
	};
	unsigned errors = 0;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (const struct func *f = cases[i].type->methods;
		     f->name != NULL; f++)
			errors +=
			    try_all(f->name, cases[i].receiver, f->sig + 1);
	}
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
		cmocka_unit_test(no_method_says_what_it_was_given),
		cmocka_unit_test(no_statement_says_what_it_was_given),
	};

	return cmocka_run_group_tests(tests, make_key, forget_key);
}
