/*
 * The flag engine on a table of the test's own.
 * layer: main
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "controller/flags.h"

#define WORDS_MAX 8

struct values {
	bool on, off;
	int64_t count, time;
	double rate;
	const char *text;
};

static bool
check_count(union flag_value v, struct err *why)
{
	if (v.i == 13)
		(void)err_set(why, ERR_INVALID, "unlucky");
	return v.i >= 0 && v.i != 13;
}

static const struct flag table[] = {
	{ .name = "count",
	    .type = FLAG_INT,
	    .offset = offsetof(struct values, count),
	    .def = "3",
	    .usage = "How many",
	    .check = check_count },
	{ .name = "off",
	    .type = FLAG_BOOL,
	    .offset = offsetof(struct values, off),
	    .def = "false",
	    .usage = "Off" },
	{ .name = "on",
	    .type = FLAG_BOOL,
	    .offset = offsetof(struct values, on),
	    .def = "true",
	    .usage = "On" },
	{ .name = "rate",
	    .type = FLAG_FLOAT,
	    .offset = offsetof(struct values, rate),
	    .def = "1.5",
	    .usage = "How fast" },
	{ .name = "some-text",
	    .type = FLAG_STRING,
	    .offset = offsetof(struct values, text),
	    .def = "",
	    .usage = "What" },
	{ .name = "time",
	    .type = FLAG_DURATION,
	    .offset = offsetof(struct values, time),
	    .def = "1m0s",
	    .usage = "How long" },
	{ .name = "zeit",
	    .type = FLAG_DURATION,
	    .offset = offsetof(struct values, time),
	    .def = "1m0s",
	    .use_instead = "time" },
};

struct run {
	struct values v;
	struct flag_set set;
	struct err err;
	bool help;
	int rc;
};

#define LIST(...)                               \
	(const char *const[])                   \
	{                                       \
		__VA_ARGS__ __VA_OPT__(, ) NULL \
	}

static void
args(struct run *r, const char *const words[])
{
	char *argv[WORDS_MAX + 2] = { (char *)(uintptr_t) "--off" };
	int argc = 1;

	memset(r, 0, sizeof(*r));
	flags_init(&r->set, table, ARRAY_SIZE(table), "X_", &r->v);
	for (; words[argc - 1] != NULL; argc++)
		argv[argc] = (char *)(uintptr_t)words[argc - 1];
	r->rc = flags_read_args(&r->set, argc, argv, &r->help, &r->err);
}

static void
env(struct run *r, const char *const vars[])
{
	char *envp[WORDS_MAX + 1] = { NULL };

	memset(r, 0, sizeof(*r));
	flags_init(&r->set, table, ARRAY_SIZE(table), "X_", &r->v);
	for (size_t i = 0; vars[i] != NULL; i++)
		envp[i] = (char *)(uintptr_t)vars[i];
	r->rc = flags_read_env(&r->set, envp, &r->err);
}

static void
defaults_are_there_before_anything_is_read(void **state UNUSED)
{
	struct run r;

	args(&r, LIST());
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.v.count, 3);
	assert_true(r.v.on);
	assert_false(r.v.off);
	assert_true(r.v.rate == 1.5);
	assert_string_equal(r.v.text, "");
	assert_int_equal(r.v.time, 60 * (int64_t)NS_PER_S);
	assert_false(flags_given(&r.set, "count"));
}

static void
reads_both_forms_and_the_last_wins(void **state UNUSED)
{
	struct run r;

	args(&r, LIST("--count=4", "--some-text", "--off", "--count", "5"));
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.v.count, 5);
	assert_string_equal(r.v.text, "--off");
	assert_false(r.v.off);
	assert_true(flags_given(&r.set, "count"));
	args(&r, LIST("--some-text=a=b", "--time=1h"));
	assert_int_equal(r.rc, 0);
	assert_string_equal(r.v.text, "a=b");
	assert_int_equal(r.v.time, 3600 * (int64_t)NS_PER_S);
	args(&r, LIST("--some-text="));
	assert_int_equal(r.rc, 0);
	assert_string_equal(r.v.text, "");
}

static void
a_bare_boolean_never_takes_the_next_word(void **state UNUSED)
{
	struct run r;

	args(&r, LIST("--on", "false", "--off", "--count=1"));
	assert_int_equal(r.rc, 0);
	assert_true(r.v.on);
	assert_true(r.v.off);
	assert_int_equal(r.v.count, 1);
	args(&r, LIST("--on=false"));
	assert_int_equal(r.rc, 0);
	assert_false(r.v.on);
}

static void
ignores_other_words_and_stops_at_two_dashes(void **state UNUSED)
{
	struct run r;

	args(&r, LIST("word", "-", "--count=1", "", "--", "--count=2"));
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.v.count, 1);
}

static void
help_ends_the_reading(void **state UNUSED)
{
	struct run r;

	args(&r, LIST("--count=1", "--help", "--no-such"));
	assert_int_equal(r.rc, 0);
	assert_true(r.help);
	args(&r, LIST("-h"));
	assert_int_equal(r.rc, 0);
	assert_true(r.help);
	args(&r, LIST("--help=false"));
	assert_int_equal(r.rc, 0);
	assert_true(r.help);
	args(&r, LIST("--some-text", "--help"));
	assert_int_equal(r.rc, 0);
	assert_false(r.help);
}

static void
tells_what_is_no_flag(void **state UNUSED)
{
	static const struct {
		const char *word, *text;
	} cases[] = {
		{ "--no-such", "unknown flag: --no-such" },
		{ "--no-such=x", "unknown flag: --no-such" },
		{ "--coun", "unknown flag: --coun" },
		{ "--count2=1", "unknown flag: --count2" },
		{ "--COUNT=1", "unknown flag: --COUNT" },
		{ "-count=1", "unknown flag: -count=1" },
		{ "-v", "unknown flag: -v" },
		{ "---count=1", "bad flag syntax: ---count=1" },
		{ "--=1", "bad flag syntax: --=1" },
		{ "--\n\x1b[1m", "unknown flag: --\\x0a\\x1b[1m" },
		{ "--count", "flag needs an argument: --count" },
		{ "--time", "flag needs an argument: --time" },
	};
	struct run r;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		args(&r, LIST(cases[i].word));
		assert_int_equal(r.rc, -1);
		assert_int_equal(r.err.code, ERR_INVALID);
		assert_string_equal(r.err.msg, cases[i].text);
	}
}

static void
reads_integers_as_go_does(void **state UNUSED)
{
	static const struct {
		const char *text;
		int64_t want; /* -1: refused */
	} cases[] = {
		{ "0", 0 },
		{ "7", 7 },
		{ "+7", 7 },
		{ "1_000", 1000 },
		{ "0x1F", 31 },
		{ "0X1f", 31 },
		{ "0x_1f", 31 },
		{ "0o17", 15 },
		{ "017", 15 },
		{ "0_17", 15 },
		{ "0b101", 5 },
		{ "0B1_0", 2 },
		{ "9223372036854775807", INT64_MAX },
		{ "9223372036854775808", -1 },
		{ "", -1 },
		{ " 1", -1 },
		{ "1 ", -1 },
		{ "1e3", -1 },
		{ "1.0", -1 },
		{ "08", -1 },
		{ "0x", -1 },
		{ "0xg", -1 },
		{ "0x0x1", -1 },
		{ "0b2", -1 },
		{ "_1", -1 },
		{ "1_", -1 },
		{ "1__0", -1 },
		{ "+", -1 },
		{ "+-1", -1 },
		{ "0x+1", -1 },
		{ "1f", -1 },
		{ "99999999999999999999999999999999999999", -1 },
	};
	struct run r;
	char word[128];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		(void)snprintf(word, sizeof(word), "--count=%s", cases[i].text);
		args(&r, LIST(word));
		if ((cases[i].want < 0) != (r.rc < 0) ||
		    (r.rc == 0 && r.v.count != cases[i].want))
			fail_msg("%s: %d %lld", cases[i].text, r.rc,
			    (long long)r.v.count);
	}
	/* The lowest one passes the parser and meets the check. */
	args(&r, LIST("--count=-9223372036854775808"));
	assert_string_equal(r.err.msg,
	    "invalid argument \"-9223372036854775808\" for \"--count\" flag: "
	    "want an integer");
}

static void
reads_floats_as_go_does(void **state UNUSED)
{
	static const struct {
		const char *text;
		double want;
		bool refused;
	} cases[] = {
		{ "5", 5, false },
		{ "-1", -1, false },
		{ ".5", .5, false },
		{ "5.", 5, false },
		{ "1e2", 100, false },
		{ "1E+2", 100, false },
		{ "1_000.5", 1000.5, false },
		{ "0x1p4", 16, false },
		{ "0x1.8p1", 3, false },
		{ "", 0, true },
		{ ".", 0, true },
		{ "e1", 0, true },
		{ "1e", 0, true },
		{ "1e+", 0, true },
		{ "1.2.3", 0, true },
		{ "0x1", 0, true },
		{ "inf", 0, true },
		{ "nan", 0, true },
		{ "1e39", 0, true },
		{ " 1", 0, true },
		{ "1f", 0, true },
		{ "1_", 0, true },
		{ "_1", 0, true },
		{ "1,5", 0, true },
	};
	struct run r;
	char word[128];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		(void)snprintf(word, sizeof(word), "--rate=%s", cases[i].text);
		args(&r, LIST(word));
		if (cases[i].refused != (r.rc < 0) ||
		    (r.rc == 0 && r.v.rate != cases[i].want))
			fail_msg("%s: %d %g", cases[i].text, r.rc, r.v.rate);
	}
}

static void
reads_booleans_as_go_does(void **state UNUSED)
{
	static const char *const yes[] = { "1", "t", "T", "TRUE", "true",
		"True" };
	static const char *const no[] = { "0", "f", "F", "FALSE", "false",
		"False" };
	static const char *const bad[] = { "", "yes", "on", "tRUE", "2", " 1" };
	struct run r;
	char word[64];

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		(void)snprintf(word, sizeof(word), "--off=%s", yes[i]);
		args(&r, LIST(word));
		assert_int_equal(r.rc, 0);
		assert_true(r.v.off);
		(void)snprintf(word, sizeof(word), "--on=%s", no[i]);
		args(&r, LIST(word));
		assert_int_equal(r.rc, 0);
		assert_false(r.v.on);
		(void)snprintf(word, sizeof(word), "--on=%s", bad[i]);
		args(&r, LIST(word));
		assert_int_equal(r.rc, -1);
	}
}

static void
reads_the_environment_under_its_prefix(void **state UNUSED)
{
	struct run r;

	env(&r,
	    LIST("X_COUNT=8", "X_SOME_TEXT=a", "X_OFF=1", "COUNT=9",
		"X_COUNT=10", "X_COUNTS=1", "x_count=1"));
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.v.count, 8);
	assert_string_equal(r.v.text, "a");
	assert_true(r.v.off);
	assert_true(flags_given(&r.set, "count"));
	env(&r, LIST("X_TIME=1s", "X_ZEIT=2s"));
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.v.time, 2 * (int64_t)NS_PER_S);
}

static void
set_but_empty_counts_as_set(void **state UNUSED)
{
	struct run r;

	env(&r, LIST("X_SOME_TEXT="));
	assert_int_equal(r.rc, 0);
	assert_true(flags_given(&r.set, "some-text"));
	env(&r, LIST("X_COUNT="));
	assert_int_equal(r.rc, -1);
	assert_string_equal(
	    r.err.msg, "invalid value \"\" for X_COUNT: want an integer");
}

static void
a_bad_value_is_told_as_one_line(void **state UNUSED)
{
	struct run r;
	char word[600] = "--time=";

	args(&r, LIST("--count=13"));
	assert_string_equal(r.err.msg,
	    "invalid argument \"13\" for \"--count\" flag: unlucky; want an "
	    "integer");
	args(&r, LIST("--time=\n\"\\\xff"));
	assert_non_null(strstr(r.err.msg, " \"\\x0a\\\"\\\\\\xff\" "));
	memset(word + 7, 'x', sizeof(word) - 8);
	args(&r, LIST(word));
	assert_int_equal(r.rc, -1);
	assert_true(strlen(r.err.msg) < 400);
	env(&r, LIST("X_TIME=30d"));
	assert_string_equal(r.err.msg,
	    "invalid value \"30d\" for X_TIME: want a duration such as 720h, "
	    "1h30m or 300ms (units ns, us, ms, s, m, h)");
}

static void
a_bad_value_leaves_the_former_one(void **state UNUSED)
{
	struct run r;

	args(&r, LIST("--count=4", "--count=13"));
	assert_int_equal(r.rc, -1);
	assert_int_equal(r.v.count, 4);
}

static void
rejecting_names_where_the_value_came_from(void **state UNUSED)
{
	struct run r;
	struct err err = ERR_INIT;

	env(&r, LIST("X_COUNT=8"));
	assert_int_equal(flags_reject(&r.set, "count", "odd", &err), -1);
	assert_string_equal(
	    err.msg, "invalid value \"8\" for X_COUNT: odd; want an integer");
	args(&r, LIST("--count=9"));
	assert_int_equal(flags_reject(&r.set, "count", "odd", &err), -1);
	assert_string_equal(err.msg,
	    "invalid argument \"9\" for \"--count\" flag: odd; want an "
	    "integer");
}

static void
usage_has_pflag_s_look(void **state UNUSED)
{
	char text[1024] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_non_null(out);
	flags_usage(table, ARRAY_SIZE(table), 0, out);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text,
	    "      --count int          How many (default 3)\n"
	    "      --off                Off\n"
	    "      --on                 On (default true)\n"
	    "      --rate float32       How fast (default 1.5)\n"
	    "      --some-text string   What\n"
	    "      --time duration      How long (default 1m0s)\n");
}

static void
usage_is_wrapped_where_a_terminal_is_narrow(void **state UNUSED)
{
	static const struct flag one[] = {
		{ .name = "some-text",
		    .type = FLAG_STRING,
		    .def = "x",
		    .usage = "One two three four five six seven eight" },
	};
	static const struct {
		unsigned columns;
		const char *want;
	} cases[] = {
		{ 0,
		    "One two three four five six seven eight (default \"x\")" },
		{ 1000,
		    "One two three four five six seven eight (default \"x\")" },
		/* Too narrow for a column of text. */
		{ 50,
		    "One two three four five six seven eight (default \"x\")" },
		{ 55,
		    "One two three four five six\n"
		    "                           seven eight (default \"x\")" },
		{ 54,
		    "One two three four five six\n"
		    "                           seven eight (default \"x\")" },
		{ 53,
		    "One two three four five\n"
		    "                           six seven eight (default\n"
		    "                           \"x\")" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STR char *want =
		    xasprintf("      --some-text string   %s\n", cases[i].want);
		char text[1024] = "";
		FILE *out = fmemopen(text, sizeof(text), "w");

		assert_non_null(out);
		flags_usage(one, 1, cases[i].columns, out);
		assert_int_equal(fclose(out), 0);
		assert_string_equal(text, want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_there_before_anything_is_read),
		cmocka_unit_test(reads_both_forms_and_the_last_wins),
		cmocka_unit_test(a_bare_boolean_never_takes_the_next_word),
		cmocka_unit_test(ignores_other_words_and_stops_at_two_dashes),
		cmocka_unit_test(help_ends_the_reading),
		cmocka_unit_test(tells_what_is_no_flag),
		cmocka_unit_test(reads_integers_as_go_does),
		cmocka_unit_test(reads_floats_as_go_does),
		cmocka_unit_test(reads_booleans_as_go_does),
		cmocka_unit_test(reads_the_environment_under_its_prefix),
		cmocka_unit_test(set_but_empty_counts_as_set),
		cmocka_unit_test(a_bad_value_is_told_as_one_line),
		cmocka_unit_test(a_bad_value_leaves_the_former_one),
		cmocka_unit_test(rejecting_names_where_the_value_came_from),
		cmocka_unit_test(usage_has_pflag_s_look),
		cmocka_unit_test(usage_is_wrapped_where_a_terminal_is_narrow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
