/*
 * Tests of controller/keysargs.c: what is taken, and the one line that says
 * what is wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "controller/keysargs.h"

#define WORDS_MAX 24
#define WHERE	  "--server=https://h:1 --ca-file ca --token-file tok"

/* Splits at blanks; "''" is an empty word. */
static int
parse(char *line, struct keysargs *ret, struct err *err)
{
	char *words[WORDS_MAX] = { line };
	int n = 1;

	err_clear(err);
	for (char *p = line; *p != '\0'; p++) {
		if (*p != ' ')
			continue;
		*p = '\0';
		assert_true(n < WORDS_MAX);
		words[n++] = p + 1;
	}
	return keysargs_parse(n, words, ret, err);
}

static void
reads_each_action_with_its_flags(void **state UNUSED)
{
	static const struct {
		const char *line;
		struct keysargs want;
	} cases[] = {
		{ "keys list " WHERE, { .action = KEYS_LIST } },
		{ "keys " WHERE " list -o json",
		    { .action = KEYS_LIST, .json = true } },
		{ "keys list -o=json --output text " WHERE,
		    { .action = KEYS_LIST } },
		{ "keys export --out f --verify " WHERE,
		    { .action = KEYS_EXPORT, .out = "f", .verify = true } },
		{ "keys export --out-dir=/d --keep 7 " WHERE,
		    { .action = KEYS_EXPORT, .out_dir = "/d", .keep = 7 } },
		{ "keys restore --dry-run " WHERE " file",
		    { .action = KEYS_RESTORE, .in = "file", .dry_run = true } },
		{ "keys restore " WHERE " -- --odd",
		    { .action = KEYS_RESTORE, .in = "--odd" } },
		{ "keys restore " WHERE " --server-name n -",
		    { .action = KEYS_RESTORE, .in = "-", .server_name = "n" } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STR char *line = xstrdup(cases[i].line);
		const struct keysargs *want = &cases[i].want;
		const char *texts[][2] = { { want->out, NULL },
			{ want->out_dir, NULL }, { want->in, NULL },
			{ want->server_name, NULL } };
		struct keysargs got;
		struct err err = ERR_INIT;

		if (parse(line, &got, &err) < 0)
			fail_msg("%s: %s", cases[i].line, err.msg);
		texts[0][1] = got.out;
		texts[1][1] = got.out_dir;
		texts[2][1] = got.in;
		texts[3][1] = got.server_name;
		for (size_t j = 0; j < ARRAY_SIZE(texts); j++) {
			assert_int_equal(
			    texts[j][0] == NULL, texts[j][1] == NULL);
			if (texts[j][0] != NULL)
				assert_string_equal(texts[j][0], texts[j][1]);
		}
		assert_int_equal(got.action, want->action);
		assert_int_equal(got.keep, want->keep);
		assert_int_equal(got.json, want->json);
		assert_int_equal(got.verify, want->verify);
		assert_int_equal(got.dry_run, want->dry_run);
		assert_string_equal(got.server, "https://h:1");
		assert_string_equal(got.ca_file, "ca");
		assert_string_equal(got.token_file, "tok");
	}
}

static void
says_what_is_wrong(void **state UNUSED)
{
	static const struct {
		const char *line;
		const char *want;
	} cases[] = {
		{ "keys " WHERE, "what to do is missing" },
		{ "keys lst " WHERE, "\"lst\" is none of list, export" },
		{ "keys list more " WHERE, "unexpected word \"more\"" },
		{ "keys restore a b " WHERE, "unexpected word \"b\"" },
		{ "keys list --serve x", "unknown flag --serve" },
		{ "keys list -x", "unknown flag -x" },
		{ "keys list -server x", "unknown flag -server" },
		{ "keys list --o json", "unknown flag --o" },
		{ "keys list --server", "--server needs a value" },
		{ "keys list --server=", "--server is empty" },
		{ "keys restore --dry-run=yes", "--dry-run takes no value" },
		{ "keys list", "--server is missing" },
		{ "keys list --server=x", "--ca-file is missing" },
		{ "keys list --server=x --ca-file=y", "--token-file is missi" },
		{ "keys list --out f " WHERE, "--out does not go with list" },
		{ "keys export --dry-run " WHERE,
		    "--dry-run does not go with export" },
		{ "keys restore --verify " WHERE,
		    "--verify does not go with restore" },
		{ "keys export --out f --out-dir d " WHERE,
		    "--out and --out-dir do not go together" },
		{ "keys export --keep 3 --out f " WHERE,
		    "--keep goes with --out-dir only" },
		{ "keys export --keep 0 " WHERE, "--keep: \"0\" is not a n" },
		{ "keys export --keep -1 " WHERE, "--keep: \"-1\" is not" },
		{ "keys export --keep 3x " WHERE, "--keep: \"3x\" is not" },
		{ "keys export --keep 10001 " WHERE, "--keep: \"10001\" is" },
		{ "keys list -o yaml " WHERE, "--output: \"yaml\" is neither" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STR char *line = xstrdup(cases[i].line);
		struct keysargs got;
		struct err err = ERR_INIT;

		assert_int_equal(parse(line, &got, &err), -1);
		if (strstr(err.msg, cases[i].want) == NULL)
			fail_msg("%s: \"%s\"", cases[i].line, err.msg);
	}
}

static void
help_needs_nothing_else(void **state UNUSED)
{
	static const char *const lines[] = { "keys", "keys --help", "keys -h",
		"keys list --help", "keys export --out f -h" };

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		AUTO_STR char *line = xstrdup(lines[i]);
		struct keysargs got;
		struct err err = ERR_INIT;

		assert_int_equal(parse(line, &got, &err), 0);
		assert_true(got.help);
	}
}

static void
help_names_every_flag_and_fits_a_screen(void **state UNUSED)
{
	static const char *const flags[] = { "--server URL", "--ca-file FILE",
		"--token-file FILE", "--out FILE", "--out-dir DIR", "--keep N",
		"--dry-run", "--verify", "--output json|text",
		"--server-name NAME" };
	char text[8192] = "";
	FILE *f = fmemopen(text, sizeof(text), "w");

	assert_non_null(f);
	keysargs_usage(f);
	assert_int_equal(fclose(f), 0);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		assert_non_null(strstr(text, flags[i]));
	for (const char *p = text; *p != '\0';) {
		size_t n = strcspn(p, "\n");

		if (n > 80)
			fail_msg("%zu columns: %.*s", n, (int)n, p);
		p += n + (p[n] == '\n');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_each_action_with_its_flags),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(help_needs_nothing_else),
		cmocka_unit_test(help_names_every_flag_and_fits_a_screen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
