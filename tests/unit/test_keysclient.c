/*
 * Tests of controller/keysclient.c against a scripted TLS server.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pty.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/codec.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/jsonx.h"
#include "base/mem.h"
#include "certs.h"
#include "controller/keysclient.h"
#include "fakeclock.h"
#include "httpd.h"
#include "tmpfiles.h"

#define TEXT_MAX  16384
#define WORDS_MAX 24
#define BACKUP	  "apiVersion: v1\nkind: List\nitems: []\n"
#define LIST_BODY                                                        \
	"{\"namespace\":\"kube-system\",\"unknownItems\":0,\"keys\":["   \
	"{\"name\":\"k1\",\"fingerprint\":\"SHA256:aa\",\"seals\":true," \
	"\"state\":\"active\"}]}"
#define RESTORED(result)                                               \
	"{\"dryRun\":false,\"keys\":[{\"name\":\"k1\",\"fingerprint\"" \
	":\"SHA256:aa\",\"result\":\"" result "\"}],"                  \
	"\"seals\":{\"name\":\"k1\",\"fingerprint\":\"SHA256:aa\"}}"

/* What the server answers, and what it was asked. */
struct script {
	int status;
	const char *type, *headers, *body;
	int restore_status; /* of the dry run behind an export */
	const char *restore_body;
	bool wrong_digest, no_digest, wrong_length, cut;
	char asked[4096];
	char got[TEXT_MAX]; /* the last body */
	unsigned times;
};

struct rig {
	struct script script;
	struct httpd *server;
	struct tmpfiles files;
	struct cert authority, leaf;
	char out[TEXT_MAX], errors[TEXT_MAX];
	char url[64];
};

static void
answer_export(struct script *s, struct httpd_conn *c)
{
	AUTO_RELEASE(buf) struct buf head = BUF_INIT(4096);
	unsigned char md[DIGEST_SHA256_LEN];
	size_t len = strlen(s->body);
	/* Read before the answer: the test goes on when it has that. */
	bool cut = s->cut || s->wrong_length;
	struct err err = ERR_INIT;

	digest_sha256(
	    s->wrong_digest ? "x" : s->body, s->wrong_digest ? 1 : len, md);
	buf_printf(&head, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\n", s->type);
	buf_printf(&head, "X-Key-Fingerprints: SHA256:aa,SHA256:bb\r\n");
	if (!s->no_digest) {
		buf_puts(&head, "content-digest: sha-256=:");
		assert_int_equal(base64_encode(md, sizeof(md), &head, &err), 0);
		buf_puts(&head, ":\r\n");
	}
	buf_printf(&head, "Content-Length: %zu\r\n\r\n", len + (cut ? 5 : 0));
	httpd_puts(c, buf_str(&head));
	httpd_puts(c, s->body);
	if (cut)
		httpd_close(c);
}

static void
handle(void *ctx, struct httpd_conn *c, const struct httpd_request *req)
{
	struct script *s = ctx;
	bool dry = strstr(req->path, "dryRun") != NULL;

	s->times++;
	(void)snprintf(s->asked, sizeof(s->asked), "%s", req->head);
	(void)snprintf(s->got, sizeof(s->got), "%s", req->body);
	if (strcmp(req->path, "/v1/keys/export") == 0 && s->status == 200)
		answer_export(s, c);
	else if (dry && s->restore_body != NULL)
		httpd_json(c, s->restore_status, s->restore_body);
	else
		httpd_reply(c, s->status,
		    s->type != NULL ? s->type : "application/json",
		    s->headers != NULL ? s->headers : "", s->body);
}

static int
setup(void **state)
{
	struct rig *r = xcalloc(1, sizeof(*r));
	struct httpd_tls tls = { .cert = &r->leaf };

	cert_authority(&r->authority, "authority");
	cert_issue(&r->leaf, &r->authority, "IP:127.0.0.1", -60);
	tmpfiles_init(&r->files);
	tmpfiles_write(&r->files, "ca", r->authority.pem);
	tmpfiles_write(&r->files, "token", "t0k\n");
	r->script.status = 200;
	r->server = httpd_new(handle, &r->script, &tls);
	(void)snprintf(r->url, sizeof(r->url), "%s", httpd_url(r->server));
	*state = r;
	return 0;
}

static int
teardown(void **state)
{
	struct rig *r = *state;

	if (r->server != NULL)
		httpd_free(r->server);
	tmpfiles_release(&r->files);
	cert_release(&r->leaf);
	cert_release(&r->authority);
	free(r);
	return 0;
}

/* Runs one command line with the usual flags behind it; its exit status. */
static int
run_on(struct rig *r, int in, FILE *out, const char *line)
{
	AUTO_STR char *all = xasprintf(
	    "keys %s --server %s --ca-file %s --token-file %s", line, r->url,
	    tmpfiles_path(&r->files, "ca"), tmpfiles_path(&r->files, "token"));
	FILE *errors = fmemopen(r->errors, sizeof(r->errors), "w");
	struct fakeclock fake;
	struct clock clock;
	struct keysclient_io io = { .in = in, .out = out, .errors = errors };
	char *words[WORDS_MAX] = { all };
	int n = 1, status;

	fakeclock_init(&fake);
	fakeclock_set_wall_s(&fake, 1795513500);
	clock = fakeclock_clock(&fake);
	io.clock = &clock;
	memset(r->errors, 0, sizeof(r->errors));
	for (char *p = all; *p != '\0'; p++) {
		if (*p != ' ')
			continue;
		*p = '\0';
		assert_true(n < WORDS_MAX);
		words[n++] = p + 1;
	}
	status = keysclient_main(n, words, &io);
	fclose(errors);
	return status;
}

static int
run(struct rig *r, const char *line)
{
	FILE *out = fmemopen(r->out, sizeof(r->out), "w");
	int status;

	memset(r->out, 0, sizeof(r->out));
	status = run_on(r, -1, out, line);
	fclose(out);
	return status;
}

static void
assert_says(const char *text, const char *want)
{
	if (strstr(text, want) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", want, text);
}

/* One line, whatever happened. */
static void
assert_fails(struct rig *r, const char *line, const char *want)
{
	assert_int_equal(run(r, line), 1);
	assert_says(r->errors, want);
	assert_ptr_equal(
	    strchr(r->errors, '\n'), r->errors + strlen(r->errors) - 1);
	assert_null(strstr(r->errors, "t0k"));
}

static char *
in_dir(struct rig *r, const char *line, const char *name)
{
	return xasprintf("%s %s", line, tmpfiles_path(&r->files, name));
}

static bool
exists(struct rig *r, const char *name)
{
	return access(tmpfiles_path(&r->files, name), F_OK) == 0;
}

static void
assert_file(struct rig *r, const char *name, const char *want)
{
	AUTO_RELEASE(buf) struct buf got = BUF_INIT(TEXT_MAX);
	struct err err = ERR_INIT;

	assert_int_equal(
	    file_read(tmpfiles_path(&r->files, name), &got, &err), 0);
	assert_string_equal(buf_str(&got), want);
}

/* ---- list ---- */

static void
list_shows_a_table_or_the_json(void **state)
{
	struct rig *r = *state;
	AUTO_JSON json_t *got = NULL;
	AUTO_JSON json_t *want = json_loads(LIST_BODY, 0, NULL);

	r->script.body = LIST_BODY;
	assert_int_equal(run(r, "list"), 0);
	assert_says(r->out, "NAME  STATE   SEALS");
	assert_says(r->out, "k1    active  yes");
	assert_null(strchr(r->out, '\033'));
	assert_string_equal(r->errors, "");
	assert_says(r->script.asked, "GET /v1/keys HTTP/1.1\r\n");
	assert_says(r->script.asked, "Authorization: Bearer t0k\r\n");

	assert_int_equal(run(r, "list -o json"), 0);
	got = json_loads(r->out, 0, NULL);
	assert_true(json_equal(got, want));
}

static void
an_answer_that_is_no_list_is_an_error(void **state)
{
	struct rig *r = *state;

	r->script.body = "{\"keys\":7}";
	assert_fails(r, "list", "keys list: the answer is no list of keys");
	r->script.body = "hello";
	assert_fails(r, "list", "the answer is no list of keys");
}

/* ---- what the server refuses ---- */

static void
each_refusal_is_one_line_that_says_what_to_do(void **state)
{
	struct rig *r = *state;
	static const struct {
		int status;
		const char *headers, *body, *line, *want;
	} cases[] = {
		{ 401, "", "{\"error\":\"unauthorized\"}", "list",
		    "keys list: the server does not accept the token in " },
		{ 403, "", "{\"error\":\"forbidden\"}", "export --out x",
		    "the owner of the token needs get and list on secrets" },
		{ 429, "Retry-After: 17\r\n", "{}", "list",
		    "too many requests, try again in 17 s" },
		{ 429, "", "{}", "list", "too many requests, try again later" },
		{ 503, "", "{\"error\":\"no\\u001b[2J audit\\nx\"}", "list",
		    "the server answers 503: no?[2J audit?x" },
		{ 500, "", "<html>", "list", "the server answers 500\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		r->script.status = cases[i].status;
		r->script.headers = cases[i].headers;
		r->script.body = cases[i].body;
		r->script.times = 0;
		assert_fails(r, cases[i].line, cases[i].want);
		/* A refused token is not tried again. */
		assert_int_equal(r->script.times, 1);
		assert_string_equal(r->out, "");
	}
}

static void
the_right_that_is_missing_for_a_restore_is_another_one(void **state)
{
	struct rig *r = *state;
	AUTO_STR char *line = in_dir(r, "restore", "backup");

	tmpfiles_write(&r->files, "backup", BACKUP);
	r->script.status = 403;
	r->script.body = "{}";
	assert_fails(r, line, "needs create on secrets in the namespace");
}

static void
a_server_of_another_authority_is_not_spoken_to(void **state)
{
	struct rig *r = *state;
	struct cert other;

	cert_authority(&other, "other");
	tmpfiles_write(&r->files, "ca", other.pem);
	cert_release(&other);
	assert_fails(
	    r, "list", "keys list: the certificate of https://127.0.0.1:");
	assert_says(r->errors, "does not belong to the authority in");
	assert_int_equal(r->script.times, 0);
}

static void
nobody_there_and_missing_files_are_one_line_each(void **state)
{
	struct rig *r = *state;

	httpd_free(STEAL(r->server));
	assert_fails(r, "list", "keys list: cannot reach https://127.0.0.1:");
	assert_says(r->errors, "connect to");
	tmpfiles_remove(&r->files, "token");
	assert_fails(r, "list", "keys list: token: ");
	tmpfiles_write(&r->files, "ca", "hello");
	assert_fails(r, "list", "holds no certificate");
	(void)snprintf(r->url, sizeof(r->url), "http://127.0.0.1:1");
	assert_fails(r, "list", "keys list: server is not an https://");
}

static void
a_wrong_command_line_exits_2(void **state)
{
	struct rig *r = *state;

	assert_int_equal(run(r, "list --nonsense"), 2);
	assert_string_equal(r->errors,
	    "controller keys: unknown flag --nonsense (see controller keys "
	    "--help)\n");
	assert_int_equal(run(r, "--help"), 0);
	assert_says(r->out, "controller keys export");
	assert_int_equal(r->script.times, 0);
}

/* ---- export ---- */

static void
export_writes_a_private_file_that_was_checked(void **state)
{
	struct rig *r = *state;
	AUTO_STR char *line = in_dir(r, "export --out", "keys.yaml");
	struct stat st;

	r->script.type = "application/yaml";
	r->script.body = BACKUP;
	assert_int_equal(run(r, line), 0);
	assert_file(r, "keys.yaml", BACKUP);
	assert_int_equal(stat(tmpfiles_path(&r->files, "keys.yaml"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_says(r->out, "keys.yaml: 2 keys, 36 bytes, NOT encrypted");
	assert_says(r->script.asked, "POST /v1/keys/export HTTP/1.1\r\n");
	assert_says(r->script.asked, "Content-Length: 0\r\n");
}

static void
a_backup_that_is_not_what_was_announced_is_not_kept(void **state)
{
	struct rig *r = *state;
	AUTO_STR char *line = in_dir(r, "export --out", "keys.yaml");

	tmpfiles_write(&r->files, "keys.yaml", "old");
	r->script.type = "application/yaml";
	r->script.body = BACKUP;
	r->script.wrong_digest = true;
	assert_fails(r, line, "does not have the digest");
	r->script.wrong_digest = false;
	r->script.no_digest = true;
	assert_fails(r, line, "does not have the digest");
	r->script.no_digest = false;
	r->script.cut = true;
	assert_fails(r, line, "cannot reach");
	assert_file(r, "keys.yaml", "old");
}

static void
export_as_json_tells_a_script_all_about_the_file(void **state)
{
	struct rig *r = *state;
	AUTO_STR char *line = in_dir(r, "export -o json --out", "keys.pem");
	AUTO_JSON json_t *v = NULL;

	r->script.type = "application/cms";
	r->script.body = "-----BEGIN CMS-----\nAA==\n-----END CMS-----\n";
	assert_int_equal(run(r, line), 0);
	v = json_loads(r->out, 0, NULL);
	assert_true(jsonx_is_true(v, "encrypted", NULL));
	assert_int_equal(jsonx_int(v, "bytes", NULL), strlen(r->script.body));
	assert_int_equal(
	    json_array_size(jsonx_array(v, "fingerprints", NULL)), 2);
	assert_string_equal(
	    jsonx_str(v, "file", NULL), tmpfiles_path(&r->files, "keys.pem"));
}

static void
a_folder_gets_dated_backups_and_keeps_the_newest(void **state)
{
	struct rig *r = *state;
	AUTO_STR char *line =
	    xasprintf("export --keep 2 --out-dir %s", r->files.dir);

	tmpfiles_write(
	    &r->files, "sealed-secrets-keys-20250101T000000Z.pem", "a");
	tmpfiles_write(
	    &r->files, "sealed-secrets-keys-20260101T000000Z.pem", "b");
	r->script.type = "application/cms";
	r->script.body = "-----BEGIN CMS-----\nAA==\n-----END CMS-----\n";
	assert_int_equal(run(r, line), 0);
	assert_true(exists(r, "sealed-secrets-keys-20261124T094500Z.pem"));
	assert_true(exists(r, "sealed-secrets-keys-20260101T000000Z.pem"));
	assert_false(exists(r, "sealed-secrets-keys-20250101T000000Z.pem"));
	assert_says(r->out, "encrypted\n1 older backup deleted\n");
	/* A failed export deletes nothing. */
	r->script.wrong_digest = true;
	assert_int_equal(run(r, line), 1);
	assert_true(exists(r, "sealed-secrets-keys-20260101T000000Z.pem"));
}

static void
verify_sends_the_backup_back_as_a_dry_run(void **state)
{
	struct rig *r = *state;
	AUTO_STR char *line = in_dir(r, "export --verify --out", "keys.yaml");

	r->script.type = "application/yaml";
	r->script.body = BACKUP;
	r->script.restore_status = 200;
	r->script.restore_body = RESTORED("unchanged");
	assert_int_equal(run(r, line), 0);
	assert_says(r->out, ": 2 keys, 36 bytes, ");
	assert_says(r->out, ", verified");
	assert_says(
	    r->script.asked, "POST /v1/keys/restore?dryRun=true HTTP/1.1");
	assert_string_equal(r->script.got, BACKUP);
	assert_true(exists(r, "keys.yaml"));
	tmpfiles_remove(&r->files, "keys.yaml");

	r->script.restore_body = RESTORED("created");
	assert_fails(r, line, "would not restore what it exported");
	r->script.restore_body = "{\"keys\":[]}";
	assert_fails(r, line, "no key in the backup");
	r->script.restore_body = RESTORED("conflict");
	r->script.restore_status = 409;
	assert_fails(r, line, "would not restore what it exported");
	r->script.type = "application/cms";
	assert_fails(r, line, "--verify: the server encrypts its backups");
	assert_false(exists(r, "keys.yaml"));
}

static void
keys_go_to_a_pipe_but_never_to_a_terminal(void **state)
{
	struct rig *r = *state;
	int master, slave;
	FILE *out;

	r->script.type = "application/yaml";
	r->script.body = BACKUP;
	assert_int_equal(run(r, "export"), 0);
	assert_string_equal(r->out, BACKUP);

	r->script.times = 0;
	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	out = fdopen(slave, "w");
	assert_int_equal(run_on(r, -1, out, "export"), 1);
	assert_says(r->errors, "keys are not printed on a terminal");
	assert_int_equal(r->script.times, 0);
	assert_int_equal(run_on(r, -1, out, "export --out -"), 1);
	fclose(out);
	close(master);
}

/* What the terminal shows of a list of one key. */
static void
read_list(int fd, char got[static TEXT_MAX])
{
	const char *last = NULL;
	size_t n = 0;

	while (last == NULL || strchr(last, '\n') == NULL) {
		ssize_t more = read(fd, got + n, TEXT_MAX - 1 - n);

		assert_true(more > 0);
		n += (size_t)more;
		got[n] = '\0';
		last = strstr(got, "SHA256:aa");
	}
}

static void
a_terminal_gets_colours(void **state)
{
	struct rig *r = *state;
	int master, slave;
	char got[TEXT_MAX] = "";
	FILE *out;

	r->script.body = LIST_BODY;
	unsetenv("NO_COLOR");
	setenv("TERM", "xterm", 1);
	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	out = fdopen(slave, "w");
	assert_int_equal(run_on(r, -1, out, "list"), 0);
	read_list(master, got);
	assert_says(got, "\033[");
	setenv("NO_COLOR", "1", 1);
	assert_int_equal(run_on(r, -1, out, "list"), 0);
	read_list(master, got);
	assert_null(strchr(got, '\033'));
	unsetenv("NO_COLOR");
	fclose(out);
	close(master);
}

/* ---- restore ---- */

static void
restore_sends_a_file_or_standard_input(void **state)
{
	struct rig *r = *state;
	AUTO_STR char *line = in_dir(r, "restore", "backup");
	FILE *out;
	int fd;

	tmpfiles_write(&r->files, "backup", BACKUP);
	r->script.body = RESTORED("created");
	assert_int_equal(run(r, line), 0);
	assert_says(r->script.asked, "POST /v1/keys/restore HTTP/1.1\r\n");
	assert_string_equal(r->script.got, BACKUP);
	assert_says(r->out, "k1    created");
	assert_says(r->out, "Sealing key: k1\n");

	fd = open(tmpfiles_path(&r->files, "backup"), O_RDONLY);
	out = fmemopen(r->out, sizeof(r->out), "w");
	r->script.got[0] = '\0';
	assert_int_equal(run_on(r, fd, out, "restore --dry-run"), 0);
	assert_says(r->script.asked, "/v1/keys/restore?dryRun=true ");
	assert_string_equal(r->script.got, BACKUP);
	fclose(out);
	close(fd);
}

static void
a_conflict_is_shown_and_fails(void **state)
{
	struct rig *r = *state;
	AUTO_STR char *line = in_dir(r, "restore", "backup");

	tmpfiles_write(&r->files, "backup", BACKUP);
	r->script.status = 409;
	r->script.body = RESTORED("conflict");
	assert_fails(r, line, "nothing was written");
	assert_says(r->out, "k1    conflict");
}

static void
what_cannot_be_a_plain_backup_is_not_sent(void **state)
{
	struct rig *r = *state;
	AUTO_STR char *line = in_dir(r, "restore", "backup");

	assert_fails(r, line, "No such file");
	assert_fails(r, "restore a\033[2J\302\233m", "a?[2J");
	for (const char *p = r->errors; *p != '\0'; p++)
		assert_true((*p >= ' ' && *p <= '~') || *p == '\n');
	tmpfiles_write(&r->files, "backup", "");
	assert_fails(r, line, "is empty");
	tmpfiles_write(&r->files, "backup", "-----BEGIN CMS-----\nAA==\n");
	assert_fails(r, line, "the backup is encrypted: decrypt it first");
	assert_int_equal(r->script.times, 0);
}

#define WITH_RIG(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_RIG(list_shows_a_table_or_the_json),
		WITH_RIG(an_answer_that_is_no_list_is_an_error),
		WITH_RIG(each_refusal_is_one_line_that_says_what_to_do),
		WITH_RIG(
		    the_right_that_is_missing_for_a_restore_is_another_one),
		WITH_RIG(a_server_of_another_authority_is_not_spoken_to),
		WITH_RIG(nobody_there_and_missing_files_are_one_line_each),
		WITH_RIG(a_wrong_command_line_exits_2),
		WITH_RIG(export_writes_a_private_file_that_was_checked),
		WITH_RIG(a_backup_that_is_not_what_was_announced_is_not_kept),
		WITH_RIG(export_as_json_tells_a_script_all_about_the_file),
		WITH_RIG(a_folder_gets_dated_backups_and_keeps_the_newest),
		WITH_RIG(verify_sends_the_backup_back_as_a_dry_run),
		WITH_RIG(keys_go_to_a_pipe_but_never_to_a_terminal),
		WITH_RIG(a_terminal_gets_colours),
		WITH_RIG(restore_sends_a_file_or_standard_input),
		WITH_RIG(a_conflict_is_shown_and_fails),
		WITH_RIG(what_cannot_be_a_plain_backup_is_not_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
