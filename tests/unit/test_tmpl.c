/*
 * Tests of controller/tmpl/tmpl.c.
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
#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "lib/sanitized.h"
#include "tmplrig.h"

static struct tmpl_result *
render_all(
    const struct tmpl_source *src, size_t n, const struct tmpl_budget *budget)
{
	static const struct tmpl_datum data[] = { { "x", "abc", 3 } };
	struct tmpl_input in = {
		.sources = src,
		.nsources = n,
		.data = data,
		.ndata = 1,
		.budget = budget,
	};

	return tmpl_render(&in);
}

static struct tmpl_source
source(const char *name, const char *text)
{
	return (
	    struct tmpl_source) { name, text, text == NULL ? 0 : strlen(text) };
}

static void
each_template_stands_alone(void **state UNUSED)
{
	struct tmpl_source src[] = {
		source("a", "{{ define \"t\" }}x{{ end }}{{ template \"t\" }}"),
		source("b", "{{ template \"t\" }}"),
		source("c", NULL),
		source("d", ""),
		source("e", "{{ .x }}"),
	};
	AUTO(tmpl_result)
	struct tmpl_result *r = render_all(src, ARRAY_SIZE(src), NULL);

	assert_int_equal(r->noutputs, 5);
	assert_int_equal(r->nerrors, 1);
	assert_string_equal(r->outputs[0].data, "x");
	assert_string_equal(r->outputs[1].error,
	    "template: b:1:12: executing \"b\" at <{{template \"t\"}}>: "
	    "template \"t\" not defined");
	assert_null(r->outputs[1].data);
	assert_null(r->outputs[2].data);
	assert_null(r->outputs[2].error);
	assert_string_equal(r->outputs[3].data, "");
	assert_int_equal(r->outputs[3].len, 0);
	assert_string_equal(r->outputs[4].data, "abc");
	assert_string_equal(r->outputs[4].name, "e");
	assert_false(r->varies);
}

static void
nothing_to_render_is_no_error(void **state UNUSED)
{
	AUTO(tmpl_result) struct tmpl_result *r = render_all(NULL, 0, NULL);

	assert_int_equal(r->noutputs, 0);
	assert_int_equal(r->nerrors, 0);
	tmpl_result_free(NULL);
}

static void
what_one_template_uses_up_is_gone_for_the_others(void **state UNUSED)
{
	struct tmpl_source src[] = {
		source("a", "{{ range 1000000000 }}x{{ end }}"),
		source("b", "fine"),
	};
	AUTO(tmpl_result)
	struct tmpl_result *r = render_all(src, ARRAY_SIZE(src), NULL);

	assert_int_equal(r->nerrors, 2);
	assert_string_equal(r->outputs[0].error,
	    "template: a:1:22: executing \"a\" at <x>: "
	    "out of budget: output");
	assert_string_equal(
	    r->outputs[1].error, "template: b: out of budget: output");
}

static void
an_ordinary_error_leaves_the_others_alone(void **state UNUSED)
{
	struct tmpl_source src[] = {
		source("a", "{{ index 1 2 }}"),
		source("b", "{{"),
		source("c", "{{ .x }}"),
	};
	AUTO(tmpl_result)
	struct tmpl_result *r = render_all(src, ARRAY_SIZE(src), NULL);

	assert_int_equal(r->nerrors, 2);
	assert_string_equal(r->outputs[2].data, "abc");
}

/* The message of an error gets a little of everything, and gives it back. */
static void
what_failed_adds_nothing_to_the_budget(void **state UNUSED)
{
	static const struct {
		const char *text;
		const char *what;
		struct tmpl_budget budget;
	} cases[] = {
		{ "{{ $x := repeat 60000 \"x\" }}{{ fail \"\" }}", "memory",
		    { 1000, 1000000, 1000000, 100, 100, 0, 0 } },
		{ "{{ range 900 }}{{ end }}{{ fail \"\" }}", "steps",
		    { 1000, 1000000, 9000, 100, 100, 0, 0 } },
	};
	struct tmpl_source src[100];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(src); j++)
			src[j] = source("a", cases[i].text);
		AUTO(tmpl_result)
		struct tmpl_result *r =
		    render_all(src, ARRAY_SIZE(src), &cases[i].budget);

		assert_non_null(
		    strstr(r->outputs[0].error, "(message withheld)"));
		for (size_t j = 30; j < ARRAY_SIZE(src); j++) {
			assert_non_null(
			    strstr(r->outputs[j].error, "out of budget: "));
			assert_non_null(
			    strstr(r->outputs[j].error, cases[i].what));
		}
	}
}

static void
the_clock_is_looked_at_behind_an_error_too(void **state UNUSED)
{
	struct tmplrig_cpu cpu = { .tick_ns = 150 * NS_PER_MS };
	struct clock clock = tmplrig_cpu_clock(&cpu);
	struct tmpl_source src[] = {
		source("a", "{{ fail \"\" }}"),
		source("b", "{{ range 1000000 }}{{ end }}"),
	};
	struct tmpl_input in = {
		.sources = src,
		.nsources = ARRAY_SIZE(src),
		.clock = &clock,
	};
	AUTO(tmpl_result) struct tmpl_result *r = tmpl_render(&in);

	assert_non_null(strstr(r->outputs[0].error, "(message withheld)"));
	assert_non_null(strstr(r->outputs[1].error, "out of budget: CPU time"));
}

static uint64_t
cpu_ms(void)
{
	struct timespec ts;

	assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts), 0);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Sanitizers make everything several times slower, and frames larger. */
#if SANITIZED
#define BOMB_MS 5000
#define NESTED	8000
#define LEVELS	"500"
#else
#define BOMB_MS 1000
#define NESTED	20000
#define LEVELS	"2500"
#endif

static void
a_bomb_ends_within_a_second_of_cpu_time(void **state UNUSED)
{
	static const char *const bombs[] = {
		"{{ range 9223372036854775807 }}{{ end }}",
		"{{ range 1000000 }}{{ range 1000000 }}{{ end }}{{ end }}",
		"{{ range 1000000000 }}x{{ end }}",
		"{{ range 100000000 }}{{ print . }}{{ end }}",
		"{{ range 1000000 }}{{ $x := printf \"%99999d\" . }}{{ end }}",
		"{{ range 1000000 }}{{ $x := printf \"%.9999f\" 1.5 }}{{ end "
		"}}",
		"{{ printf \"%9999999d\" 1 }}",
		"{{ $s := \"x\" }}{{ range 100 }}{{ $s = print $s $s }}{{ end "
		"}}",
		"{{ define \"t\" }}{{ template \"t\" . }}{{ end }}"
		"{{ template \"t\" . }}",
		"{{ define \"t\" }}{{ range 10 }}{{ template \"t\" . }}{{ end "
		"}}"
		"{{ end }}{{ template \"t\" . }}",
		"{{ template \"cfg\" . }}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bombs); i++) {
		uint64_t start = cpu_ms();
		AUTO_STR char *error = tmplrig_error(bombs[i], NULL);

		if (error == NULL)
			print_error("in %s\n", bombs[i]);
		assert_non_null(error);
		assert_non_null(strstr(error, ": out of budget: "));
		assert_in_range(cpu_ms() - start, 0, BOMB_MS);
	}
}

static struct tmpl_result *
render_on(struct tmplrig_cpu *cpu, const char *text)
{
	struct clock clock = tmplrig_cpu_clock(cpu);
	struct tmpl_source src = source("cfg", text);
	struct tmpl_input in = {
		.sources = &src,
		.nsources = 1,
		.clock = &clock,
	};

	return tmpl_render(&in);
}

/* CPU time as the engine counts it while it renders; it must fail. */
static uint64_t
cpu_of_bomb(const char *text, uint64_t tick_ns)
{
	struct tmplrig_cpu cpu = { .tick_ns = tick_ns };
	AUTO(tmpl_result) struct tmpl_result *r = render_on(&cpu, text);

	if (r->nerrors == 0)
		print_error("in %s\n", text);
	assert_int_equal(r->nerrors, 1);
	assert_non_null(strstr(r->outputs[0].error, ": out of budget: "));
	return cpu.now_ns;
}

#define IN_A_LOOP(call) "{{ range 100 }}{{ $x := " call " }}{{ end }}"

static void
costly_functions_in_a_loop_end_with_the_cpu_time(void **state UNUSED)
{
	static const char *const bombs[] = {
		IN_A_LOOP("bcrypt \"p\""),
		IN_A_LOOP("htpasswd \"u\" \"p\""),
		IN_A_LOOP("derivePassword 1 \"long\" \"p\" \"u\" \"s\""),
		IN_A_LOOP("genPrivateKey \"ecdsa\""),
		IN_A_LOOP("genPrivateKey \"ed25519\""),
		"{{ $k := genPrivateKey \"ecdsa\" }}" IN_A_LOOP(
		    "genCAWithKey \"n\" 1 $k"),
	};

	/* Each call costs what the longest takes on a slow machine. */
	for (size_t i = 0; i < ARRAY_SIZE(bombs); i++)
		assert_in_range(
		    cpu_of_bomb(bombs[i], 150 * NS_PER_MS), 0, NS_PER_S);
}

static void
keys_in_a_loop_end_with_the_cpu_time(void **state UNUSED)
{
	static const char *const bombs[] = {
		IN_A_LOOP("genPrivateKey \"rsa\""),
		IN_A_LOOP("genPrivateKey \"dsa\""),
		IN_A_LOOP("genCA \"n\" 1"),
		IN_A_LOOP("genSelfSignedCert \"n\" nil nil 1"),
		"{{ $ca := genCA \"n\" 1 }}" IN_A_LOOP(
		    "genSignedCert \"n\" nil nil 1 $ca"),
	};

	/* The search looks at the clock often: one key is all there is. */
	for (size_t i = 0; i < ARRAY_SIZE(bombs); i++)
		assert_in_range(
		    cpu_of_bomb(bombs[i], 500 * 1000), 0, 5 * NS_PER_S);
}

static void
a_chain_of_certificates_is_no_bomb(void **state UNUSED)
{
	static const char text[] =
	    "{{ $ca := genCA \"ca\" 365 }}"
	    "{{ $s := genSignedCert \"s\" nil (list \"s.local\") 365 $ca }}"
	    "{{ $c := genSignedCert \"c\" nil nil 365 $ca }}"
	    "{{ htpasswd \"u\" \"p\" | len }} {{ $ca.Cert | len | lt 500 }}"
	    "{{ $s.Key | len | lt 500 }}{{ $c.Key | len | lt 500 }}";
	/* A machine four times as fast as the clock says. */
	struct tmplrig_cpu cpu = { .tick_ns = 20 * 1000 };
	AUTO(tmpl_result) struct tmpl_result *r = render_on(&cpu, text);

	if (r->nerrors > 0)
		print_error("%s\n", r->outputs[0].error);
	assert_int_equal(r->nerrors, 0);
	assert_string_equal(r->outputs[0].data, "62 truetruetrue");
}

/* Renders where the controller does: on a worker's stack. */
static void *
render_on_worker(void *arg)
{
	struct tmplrig_case *c = arg;

	c->want = tmplrig_render(c->text);
	return NULL;
}

static char *
render_by_worker(const char *text)
{
	struct tmplrig_case c = { text, NULL };
	struct thread t = { 0 };

	thread_start(&t, "worker", render_on_worker, &c);
	thread_join(&t);
	return (char *)c.want;
}

static void
text_nested_too_deeply_is_refused(void **state UNUSED)
{
	static const struct {
		const char *open, *middle, *close;
	} cases[] = {
		{ "(", "1", ")" },
		{ "{{ if 1 }}", "x", "{{ end }}" },
		{ "{{ range 1 }}", "x", "{{ end }}" },
		{ "{{ with 1 }}{{ else }}", "x", "{{ end }}" },
		{ "{{ block \"b\" . }}", "x", "{{ end }}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RELEASE(buf) struct buf b = BUF_INIT(4 * 1024 * 1024);
		AUTO_STR char *error = NULL;

		if (i == 0)
			buf_puts(&b, "{{ ");
		for (int n = 0; n < NESTED; n++)
			buf_puts(&b, cases[i].open);
		buf_puts(&b, cases[i].middle);
		for (int n = 0; n < NESTED; n++)
			buf_puts(&b, cases[i].close);
		if (i == 0)
			buf_puts(&b, " }}");
		error = render_by_worker(buf_str(&b));
		assert_string_equal(
		    error, "template: cfg: out of budget: nested too deeply");
	}
}

static void
each_limit_is_named(void **state UNUSED)
{
	static const struct {
		struct tmpl_budget budget;
		const char *text, *want;
	} cases[] = {
		{ { 9, 1000000, 1000, 100, 1000, 1, 1000 }, "0123456789",
		    "template: cfg:1:0: executing \"cfg\" at <0123456789>: "
		    "out of budget: output" },
		{ { 99, 1000000, 30, 100, 1000, 1, 1000 },
		    "{{ range 100 }}{{ end }}",
		    "template: cfg:1:15: executing \"cfg\" at <>: "
		    "out of budget: steps" },
		{ { 99, 1000000, 1000, 3, 1000, 1, 1000 }, "{{ (((1))) }}",
		    "template: cfg:1:5: executing \"cfg\" at <(1)>: "
		    "out of budget: nested too deeply" },
		{ { 99, 1000000, 1000, 2, 1000, 1, 1000 }, "{{ (((1))) }}",
		    "template: cfg: out of budget: nested too deeply" },
		{ { 99, 100, 1000, 3, 1000, 1, 1000 }, "x",
		    "template: cfg: out of budget: memory" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STR char *error =
		    tmplrig_error(cases[i].text, &cases[i].budget);

		assert_non_null(error);
		assert_string_equal(error, cases[i].want);
	}
}

#define RECURSION(levels)                                              \
	"{{ define \"t\" }}{{ if lt . " levels " }}{{ template \"t\" " \
	"(add 1 . | int) }}{{ else }}{{ . }}{{ end }}{{ end }}"        \
	"{{ template \"t\" 0 }}"

static void
hundreds_of_levels_of_templates_are_fine(void **state UNUSED)
{
	static const char *const cases[] = {
		RECURSION(LEVELS),
		"{{ $l := list }}{{ range " LEVELS " }}{{ $l = list $l }}"
		"{{ end }}{{ $s := toJson $l }}"
		"{{ $s | fromJson | toString | len | add -" LEVELS
		" | add -2 }}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STR char *got = render_by_worker(cases[i]);

		assert_string_equal(got, LEVELS);
	}
}

#define NEST(value) "{{ range 100000 }}{{ " value " }}{{ end }}"

static void
endless_recursion_ends_before_the_stack_of_a_worker(void **state UNUSED)
{
	static const char *const cases[] = {
		RECURSION("1000000"),
		/* A regular expression at the deepest point. */
		"{{ define \"t\" }}{{ $x := regexMatch \"(a|b(c))*d\" "
		"(repeat 50 \"abc\") }}{{ template \"t\" . }}{{ end }}"
		"{{ template \"t\" 0 }}",
		"{{ define \"t\" }}{{ $x := htpasswd \"u\" \"p\" }}"
		"{{ template \"r\" . }}{{ end }}"
		"{{ define \"r\" }}{{ template \"r\" . }}{{ end }}"
		"{{ template \"t\" 0 }}",
		"{{ $l := list }}" NEST("$l = list $l") "{{ print $l }}",
		"{{ $l := list }}" NEST("$l = list $l") "{{ toJson $l }}",
		"{{ $l := list }}" NEST("$l = list $l") "{{ deepCopy $l }}",
		"{{ $l := dict }}{{ $m := dict }}" NEST(
		    "$l = dict \"a\" $l }}{{ $m = dict \"a\" $m") "{{ "
								  "deepEqual "
								  "$l $m }}",
		"{{ $l := dict \"b\" 1 }}{{ $m := dict \"c\" 1 }}" NEST(
		    "$l = dict \"a\" $l }}{{ $m = dict \"a\" $m") "{{ merge $l "
								  "$m }}",
		"{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ $d }}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STR char *got = render_by_worker(cases[i]);

		if (strstr(got, ": out of budget: ") == NULL)
			print_error("in %s\n%s\n", cases[i], got);
		assert_non_null(strstr(got, ": out of budget: "));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_template_stands_alone),
		cmocka_unit_test(nothing_to_render_is_no_error),
		cmocka_unit_test(
		    what_one_template_uses_up_is_gone_for_the_others),
		cmocka_unit_test(an_ordinary_error_leaves_the_others_alone),
		cmocka_unit_test(what_failed_adds_nothing_to_the_budget),
		cmocka_unit_test(the_clock_is_looked_at_behind_an_error_too),
		cmocka_unit_test(a_bomb_ends_within_a_second_of_cpu_time),
		cmocka_unit_test(
		    costly_functions_in_a_loop_end_with_the_cpu_time),
		cmocka_unit_test(keys_in_a_loop_end_with_the_cpu_time),
		cmocka_unit_test(a_chain_of_certificates_is_no_bomb),
		cmocka_unit_test(text_nested_too_deeply_is_refused),
		cmocka_unit_test(each_limit_is_named),
		cmocka_unit_test(hundreds_of_levels_of_templates_are_fine),
		cmocka_unit_test(
		    endless_recursion_ends_before_the_stack_of_a_worker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
