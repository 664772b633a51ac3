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
#include "harness.h"
#include "keyrig.h"
#include "lib/certs.h"
#include "lib/tempdir.h"

#define AUDIENCE  "sealed-secrets-admin"
#define USER	  "system:serviceaccount:kube-system:operator"
#define SERVING	  "\"HTTPS admin server serving\" addr="
#define START_MS  20000
#define CLIENT_MS 60000
#define WORDS_MAX 24

static struct harness *h;
static char *ca, *server, *token_file;
static char *said; /* by the last client, standard output and error */

static void
allow(const char *verbs)
{
	json_t *rules = json_array();
	AUTO_STR char *copy = xstrdup(verbs);
	char *rest = copy, *verb;

	while ((verb = strsep(&rest, " ")) != NULL && *verb != '\0')
		json_array_append_new(rules,
		    json_pack("{s:s,s:s,s:s,s:s}", "user", USER, "verb", verb,
			"resource", "secrets", "namespace", "kube-system"));
	control_post(h->api, "grants", json_pack("{s:o}", "rules", rules));
}

static void
write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void
take_token(const char *audience)
{
	AUTO_JSON json_t *ask =
	    json_pack("{s:{s:[s]}}", "spec", "audiences", audience);
	AUTO_JSON json_t *got = NULL;

	assert_int_equal(
	    api_post(h->api, ask, &got,
		"/api/v1/namespaces/kube-system/serviceaccounts/operator/"
		"token"),
	    201);
	write_text(token_file, jsonx_str(got, "status", "token", NULL));
}

static void
start(void)
{
	AUTO_STR char *cert = tempdir_path("admin.crt");
	AUTO_STR char *key = tempdir_path("admin.key");
	AUTO_STR char *c = xasprintf("--admin-tls-cert-file=%s", cert);
	AUTO_STR char *k = xasprintf("--admin-tls-key-file=%s", key);
	const char *args[] = { "--admin-listen-addr=127.0.0.1:0", c, k, NULL };
	AUTO_STR char *addr = NULL;

	certs_write(ca, cert, key);
	harness_start_ready(h, args);
	addr = proc_wait_word(h->controller, SERVING, START_MS);
	assert_non_null(addr);
	server = xasprintf("https://%s", addr);
}

static int
setup(void **state UNUSED)
{
	AUTO_JSON json_t *account =
	    json_pack("{s:{s:s}}", "metadata", "name", "operator");

	h = harness_new(NULL);
	assert_int_equal(api_post(h->api, account, NULL,
			     "/api/v1/namespaces/kube-system/serviceaccounts"),
	    201);
	ca = tempdir_path("admin-ca.crt");
	token_file = tempdir_path("token");
	start();
	take_token(AUDIENCE);
	allow("list get create");
	return 0;
}

static int
teardown(void **state UNUSED)
{
	int rc = harness_end(h);

	free(ca);
	free(server);
	free(token_file);
	free(said);
	said = NULL;
	return rc;
}

/* One command line, words separated by blanks; its exit status. */
static int
keys(const char *line)
{
	AUTO_STR char *all =
	    xasprintf("keys %s --server %s --ca-file %s --token-file %s", line,
		server, ca, token_file);
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

	write_text(path, "apiVersion: v1\nkind: List\nitems:\n- kind: x\n");
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

	allow("list");
	assert_refused(export, "needs get and list on secrets");
	allow("list get");
	take_token("another");
	assert_refused("list", "the server does not accept the token in ");
	write_text(token_file, "not-a-token");
	assert_refused("list", "the server does not accept the token in ");
	assert_int_equal(access(path, F_OK), -1);
}

static void
one_who_is_refused_too_often_is_told_how_long_to_wait(void **state UNUSED)
{
	int status = 0;

	write_text(token_file, "not-a-token");
	for (int i = 0; i < 20 && status != 2; i++) {
		assert_int_equal(keys("list"), 1);
		if (strstr(said, "too many requests, try again in ") != NULL)
			status = 2;
	}
	assert_int_equal(status, 2);
}

static void
the_wrong_authority_is_noticed(void **state UNUSED)
{
	AUTO_STR char *cert = tempdir_path("other.crt");
	AUTO_STR char *key = tempdir_path("other.key");

	certs_write(ca, cert, key);
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
