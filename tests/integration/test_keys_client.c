/*
 * "controller keys" against the admin port of the whole program.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "keyrig.h"
#include "lib/certs.h"
#include "lib/tempdir.h"
#include "portrig.h"

#define CLIENT_MS 60000
#define WORDS_MAX 24

static struct portrig rig;
static struct harness *h; /* of the rig */
static char *token_file;
static char *said; /* by the last client, standard output and error */

static void
take_token(const char *audience)
{
	AUTO_STR char *token = portrig_token(&rig, audience);

	tempdir_write(token_file, token);
}

static int
setup(void **state UNUSED)
{
	portrig_init(&rig);
	h = rig.h;
	portrig_start(&rig, NULL);
	token_file = tempdir_path("token");
	take_token(PORTRIG_AUDIENCE);
	return 0;
}

static int
teardown(void **state UNUSED)
{
	free(token_file);
	free(said);
	said = NULL;
	return portrig_end(&rig);
}

/* One command line, words separated by blanks; its exit status. */
static int
keys(const char *line)
{
	AUTO_STR char *all = xasprintf(
	    "keys %s --server https://%s --ca-file %s --token-file %s", line,
	    rig.addr, rig.ca, token_file);
	const char *words[WORDS_MAX] = { getenv("CONTROLLER"), all };
	AUTO(proc) struct proc *p = NULL;
	int n = 2, status;

	for (char *c = all; *c != '\0'; c++) {
		if (*c != ' ')
			continue;
		*c = '\0';
		assert_true(n < WORDS_MAX - 1);
		words[n++] = c + 1;
	}
	p = proc_start("keys", words, NULL);
	assert_true(proc_wait(p, CLIENT_MS, &status));
	free(said);
	said = proc_output(p);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
keys_with(const char *line, const char *path)
{
	AUTO_STR char *all = xasprintf("%s %s", line, path);

	return keys(all);
}

static void
assert_said(const char *want)
{
	if (strstr(said, want) == NULL)
		fail_msg("\"%s\" is not in: %s", want, said);
}

static void
assert_refused(const char *line, const char *want)
{
	assert_int_equal(keys(line), 1);
	assert_said(want);
	assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
}

/* The first key, as the client tells; owned by the caller. */
static char *
key_name(void)
{
	AUTO_JSON json_t *v = NULL;

	assert_int_equal(keys("list -o json"), 0);
	v = json_loads(said, 0, NULL);
	return xstrdup(jsonx_str(
	    json_array_get(jsonx_array(v, "keys", NULL), 0), "name", NULL));
}

/* ---- cases ---- */

static void
an_export_is_listed_verified_and_restored(void **state UNUSED)
{
	AUTO_STR char *path = tempdir_path("keys.yaml");
	AUTO_STR char *name = key_name();
	struct stat st;

	assert_int_equal(keys("list"), 0);
	assert_said(name);
	assert_int_equal(keys_with("export --verify --out", path), 0);
	assert_said(": 1 key, ");
	assert_said("NOT encrypted, keep it secret, verified\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);

	harness_create(h, "a", "s", "value");
	assert_true(harness_wait_value(h, "a", "s", "value", HARNESS_SOON_MS));
	keyrig_delete(h, name);
	assert_true(harness_wait_keys(h, 0, HARNESS_SOON_MS));
	assert_int_equal(keys_with("restore --dry-run", path), 0);
	assert_said("would be 1 created, 0 already there.");
	assert_int_equal(harness_keys(h), 0);
	assert_int_equal(keys_with("restore", path), 0);
	assert_said("\n1 created, 0 already there.\nSealing key: ");
	assert_int_equal(harness_keys(h), 1);
	assert_int_equal(keys_with("restore", path), 0);
	assert_said("\n0 created, 1 already there.\n");
	harness_change(h, "a", "s", "other");
	assert_true(harness_wait_value(h, "a", "s", "other", HARNESS_SOON_MS));
}

static void
a_damaged_backup_is_refused_in_one_line(void **state UNUSED)
{
	AUTO_STR char *path = tempdir_path("damaged.yaml");
	AUTO_STR char *line = xasprintf("restore %s", path);

	tempdir_write(path, "apiVersion: v1\nkind: List\nitems:\n- kind: x\n");
	assert_refused(line,
	    "the server answers 400: backup: item 1 is not a Secret of "
	    "version v1");
	assert_int_equal(harness_keys(h), 1);
}

static void
what_the_server_refuses_is_said_in_one_line(void **state UNUSED)
{
	AUTO_STR char *path = tempdir_path("never.yaml");
	AUTO_STR char *export = xasprintf("export --out %s", path);

	portrig_allow(&rig, "list");
	assert_refused(export, "needs get and list on secrets");
	portrig_allow(&rig, "list get");
	take_token("another");
	assert_refused("list", "the server does not accept the token in ");
	tempdir_write(token_file, "not-a-token");
	assert_refused("list", "the server does not accept the token in ");
	assert_int_equal(access(path, F_OK), -1);
}

static void
one_who_is_refused_too_often_is_told_how_long_to_wait(void **state UNUSED)
{
	bool told = false;

	tempdir_write(token_file, "not-a-token");
	for (int i = 0; i < 20 && !told; i++) {
		assert_int_equal(keys("list"), 1);
		told = strstr(said, "too many requests, try again in ") != NULL;
	}
	assert_true(told);
}

static void
the_wrong_authority_is_noticed(void **state UNUSED)
{
	AUTO_STR char *cert = tempdir_path("other.crt");
	AUTO_STR char *key = tempdir_path("other.key");

	certs_write(rig.ca, cert, key);
	assert_refused("list", "does not belong to the authority in ");
}

#define WHOLE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WHOLE(an_export_is_listed_verified_and_restored),
		WHOLE(a_damaged_backup_is_refused_in_one_line),
		WHOLE(what_the_server_refuses_is_said_in_one_line),
		WHOLE(one_who_is_refused_too_often_is_told_how_long_to_wait),
		WHOLE(the_wrong_authority_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
