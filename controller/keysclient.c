/*
 * "controller keys". See keysclient.h. One request, or two with --verify; the
 * answer is checked before anything of it is kept.
 */
#include "keysclient.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/jsonx.h"
#include "base/mem.h"
#include "keysargs.h"
#include "keysfile.h"
#include "keysprint.h"
#include "keystore/backup.h"
#include "kube/config.h"
#include "kube/transport.h"
#include "version.h"

#define EXIT_USAGE 2
/* A restore reads, tries and creates each key, and waits until they serve. */
#define RESTORE_TIMEOUT_MS (10u * 60 * 1000)
#define OTHER_TIMEOUT_MS   (2u * 60 * 1000)
#define FIELD_MAX	   (96u * 1024)
#define LIST_MAX	   (4u * 1024 * 1024)
#define REASON_MAX	   300

#define CMS_BEGIN	   "-----BEGIN CMS-----"

/* What the head of an answer says about its body. */
struct announced {
	struct buf type, digest, length, fingerprints;
};

struct client {
	const struct keysclient_io *io;
	struct keysargs args;
	struct kube_config *cfg;
	struct kube_transport *transport;
};

struct answer {
	struct kube_response resp;
	json_t *json; /* NULL: not JSON */
	struct announced head;
};

static void
answer_init(struct answer *a)
{
	memset(a, 0, sizeof(*a));
	buf_init(&a->head.type, FIELD_MAX);
	buf_init(&a->head.digest, FIELD_MAX);
	buf_init(&a->head.length, FIELD_MAX);
	buf_init(&a->head.fingerprints, FIELD_MAX);
}

static void
answer_release(struct answer *a)
{
	kube_response_release(&a->resp);
	json_decref(a->json);
	buf_release(&a->head.type);
	buf_release(&a->head.digest);
	buf_release(&a->head.length);
	buf_release(&a->head.fingerprints);
}

DEFINE_AUTO_RELEASE(answer);

/* None, or "-", is standard input or output. */
static bool
is_file(const char *path)
{
	return path != NULL && strcmp(path, "-") != 0;
}

static bool
is_terminal(const struct keysclient_io *io)
{
	int fd = fileno(io->out);

	return fd >= 0 && isatty(fd);
}

static bool
wants_colour(const struct keysclient_io *io)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	return is_terminal(io) && (no == NULL || no[0] == '\0') &&
	    (term == NULL || strcmp(term, "dumb") != 0);
}

/* ---- requests ---- */

static void
on_field(void *ctx, const char *name, size_t name_len, const char *value,
    size_t value_len)
{
	struct announced *h = ctx;
	struct err ignored = ERR_INIT; /* too long: then it is missing */
	const struct {
		const char *name;
		struct buf *to;
	} fields[] = {
		{ "Content-Type", &h->type },
		{ "Content-Digest", &h->digest },
		{ "Content-Length", &h->length },
		{ "X-Key-Fingerprints", &h->fingerprints },
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (strlen(fields[i].name) != name_len ||
		    strncasecmp(fields[i].name, name, name_len) != 0)
			continue;
		buf_clear(fields[i].to);
		(void)!buf_append(fields[i].to, value, value_len, &ignored);
	}
}

/* Printable ASCII of what the server gives as its reason, or "". */
static void
reason_of(const struct answer *a, char out[static REASON_MAX])
{
	const char *s = jsonx_str(a->json, "error", NULL);

	(void)snprintf(out, REASON_MAX, "%s", s != NULL ? s : "");
	keysprint_clean(out);
}

static int
refused(const struct client *c, const struct answer *a,
    enum keysargs_action action, struct err *err)
{
	char reason[REASON_MAX];
	int wait = a->resp.retry_after_s;

	switch (a->resp.status) {
	case 401:
		return err_set(err, ERR_UNAUTHORIZED,
		    "the server does not accept the token in %s: is it "
		    "expired, or made for another audience?",
		    c->args.token_file);
	case 403:
		return err_set(err, ERR_FORBIDDEN,
		    "not permitted: the owner of the token needs %s on "
		    "secrets in the namespace of the keys",
		    action == KEYS_RESTORE ? "create" : "get and list");
	case 429:
		if (wait < 0)
			return err_set(err, ERR_THROTTLED,
			    "too many requests, try again later");
		return err_set(err, ERR_THROTTLED,
		    "too many requests, try again in %d s", wait);
	default:
		break;
	}
	reason_of(a, reason);
	return err_set(err, ERR_SERVER, "the server answers %d%s%s",
	    a->resp.status, reason[0] != '\0' ? ": " : "", reason);
}

static int
unreachable(const struct client *c, struct err *err)
{
	if (err->code != ERR_TRANSPORT && err->code != ERR_TIMEOUT)
		return err_wrap(err, "%s", c->args.server);
	if (strstr(err->msg, "certificate") != NULL)
		return err_wrap(err,
		    "the certificate of %s does not belong to the authority "
		    "in %s, or to this name",
		    c->args.server, c->args.ca_file);
	return err_wrap(err, "cannot reach %s", c->args.server);
}

static int
ask(struct client *c, const struct kube_request *what, struct answer *ret,
    struct err *err)
{
	struct kube_request req = *what;
	struct err ignored = ERR_INIT;

	req.field = on_field;
	req.field_ctx = &ret->head;
	req.once = true;
	answer_init(ret);
	if (c->transport->perform(c->transport->ctx, &req, &ret->resp, err) < 0)
		return unreachable(c, err);
	if (ret->resp.json)
		(void)!jsonx_parse(ret->resp.body.data, ret->resp.body.len,
		    JSONX_REJECT_DUPLICATES, &ret->json, &ignored);
	return 0;
}

/* ---- list ---- */

static int
flush_out(const struct client *c, struct err *err)
{
	if (fflush(c->io->out) != 0 || ferror(c->io->out))
		return err_set(
		    err, ERR_IO, "cannot write: %s", strerror(errno));
	return 0;
}

static int
run_list(struct client *c, struct err *err)
{
	const struct kube_request req = {
		.method = "GET",
		.path = "/v1/keys",
		.timeout_ms = OTHER_TIMEOUT_MS,
		.max_body = LIST_MAX,
	};
	AUTO_RELEASE(answer) struct answer a = { 0 };

	if (ask(c, &req, &a, err) < 0)
		return -1;
	if (a.resp.status != 200)
		return refused(c, &a, KEYS_LIST, err);
	if (!json_is_array(jsonx_get(a.json, "keys", NULL)))
		return err_set(
		    err, ERR_SERVER, "the answer is no list of keys");
	if (c->args.json)
		keysprint_json(a.json, c->io->out);
	else
		keysprint_list(a.json, wants_colour(c->io), c->io->out);
	return flush_out(c, err);
}

/* ---- restore ---- */

static int
post_restore(struct client *c, const struct buf *backup, bool dry_run,
    struct answer *ret, struct err *err)
{
	const struct kube_request req = {
		.method = "POST",
		.path = dry_run ? "/v1/keys/restore?dryRun=true"
				: "/v1/keys/restore",
		.content_type = "application/yaml",
		.body = buf_str(backup),
		.body_len = backup->len,
		.timeout_ms = RESTORE_TIMEOUT_MS,
		.max_body = LIST_MAX,
	};

	if (ask(c, &req, ret, err) < 0)
		return -1;
	if (ret->resp.status != 200 && ret->resp.status != 409)
		return refused(c, ret, KEYS_RESTORE, err);
	if (!json_is_array(jsonx_get(ret->json, "keys", NULL)))
		return err_set(
		    err, ERR_SERVER, "the answer says nothing about the keys");
	return 0;
}

static int
read_input(const struct client *c, struct buf *out, struct err *err)
{
	const char *path = c->args.in;
	bool named = is_file(path);
	const char *name = named ? path : "standard input";
	int fd = named ? open(path, O_RDONLY | O_CLOEXEC) : c->io->in;
	int rc;

	if (fd < 0)
		return err_set(
		    err, ERR_IO, "open %s: %s", path, strerror(errno));
	rc = file_read_fd(fd, name, out, err);
	if (named)
		(void)close(fd);
	if (rc < 0)
		return -1;
	if (out->len == 0)
		return err_set(err, ERR_INVALID, "%s is empty", name);
	if (out->len >= strlen(CMS_BEGIN) &&
	    memcmp(out->data, CMS_BEGIN, strlen(CMS_BEGIN)) == 0)
		return err_set(err, ERR_INVALID,
		    "the backup is encrypted: decrypt it first with openssl "
		    "cms -decrypt");
	return 0;
}

static int
run_restore(struct client *c, struct err *err)
{
	AUTO_RELEASE(buf) struct buf backup = BUF_INIT(BACKUP_BYTES_MAX);
	AUTO_RELEASE(answer) struct answer a = { 0 };

	if (read_input(c, &backup, err) < 0 ||
	    post_restore(c, &backup, c->args.dry_run, &a, err) < 0)
		return -1;
	if (c->args.json)
		keysprint_json(a.json, c->io->out);
	else
		keysprint_restore(a.json, wants_colour(c->io), c->io->out);
	if (flush_out(c, err) < 0)
		return -1;
	if (a.resp.status == 409)
		return err_set(err, ERR_CONFLICT,
		    "a key is in conflict with what is in the cluster, "
		    "nothing was written");
	return 0;
}

/* ---- export ---- */

/* Length and digest are the ones that the server announced. */
static int
check_body(const struct answer *a, struct err *err)
{
	AUTO_RELEASE(buf) struct buf want = BUF_INIT(DIGEST_FIELD_MAX);
	const struct buf *body = &a->resp.body;
	char length[24];

	(void)snprintf(length, sizeof(length), "%zu", body->len);
	if (strcmp(buf_str(&a->head.length), length) != 0)
		return err_set(err, ERR_TRANSPORT,
		    "the backup does not have the length that the server "
		    "announced");
	digest_put_field(buf_str(body), body->len, &want);
	if (strstr(buf_str(&a->head.digest), buf_str(&want)) == NULL)
		return err_set(err, ERR_TRANSPORT,
		    "the backup does not have the digest that the server "
		    "announced");
	return 0;
}

static bool
is_encrypted(const struct answer *a)
{
	const char *type = buf_str(&a->head.type);

	return strncasecmp(type, "application/cms", 15) == 0;
}

/* Every key of the backup must be in the cluster that it came from. */
static int
verify(
    struct client *c, const struct buf *backup, bool encrypted, struct err *err)
{
	AUTO_RELEASE(answer) struct answer a = { 0 };
	json_t *keys, *key;
	size_t i;

	if (encrypted)
		return err_set(err, ERR_UNSUPPORTED,
		    "--verify: the server encrypts its backups, so it cannot "
		    "read them");
	if (post_restore(c, backup, true, &a, err) < 0)
		return err_wrap(err, "--verify");
	keys = jsonx_array(a.json, "keys", NULL);
	json_array_foreach(keys, i, key)
	{
		const char *result = jsonx_str(key, "result", NULL);

		if (a.resp.status != 200 || result == NULL ||
		    (strcmp(result, "unchanged") != 0 &&
			strcmp(result, "present-as") != 0))
			return err_set(err, ERR_SERVER,
			    "--verify: the server would not restore what it "
			    "exported");
	}
	return json_array_size(keys) > 0
	    ? 0
	    : err_set(err, ERR_SERVER, "--verify: no key in the backup");
}

static json_t *
fingerprint_list(const struct answer *a)
{
	json_t *list = json_array();
	const char *p = buf_str(&a->head.fingerprints);

	for (;;) {
		size_t n = strcspn(p, ", ");
		json_t *word = n > 0 ? jsonx_strn(p, n) : NULL;

		if (word != NULL && json_array_append_new(list, word) != 0)
			abort();
		p += n;
		if (*p == '\0')
			return list;
		p++;
	}
}

struct kept {
	const char *path; /* NULL: standard output */
	size_t bytes, removed;
	bool encrypted;
};

static void
tell_kept(const struct client *c, const struct answer *a, const struct kept *k)
{
	AUTO_JSON json_t *prints = fingerprint_list(a);
	AUTO_JSON json_t *all = NULL;

	if (k->path == NULL)
		return;
	if (c->args.json) {
		all = json_pack("{s:s,s:I,s:b,s:s,s:O,s:b,s:I}", "file",
		    k->path, "bytes", (json_int_t)k->bytes, "encrypted",
		    k->encrypted, "contentDigest", buf_str(&a->head.digest),
		    "fingerprints", prints, "verified", c->args.verify,
		    "removed", (json_int_t)k->removed);
		if (all != NULL)
			keysprint_json(all, c->io->out);
		return;
	}
	(void)fprintf(c->io->out, "%s: %zu key%s, %zu bytes, %s%s\n", k->path,
	    json_array_size(prints), json_array_size(prints) == 1 ? "" : "s",
	    k->bytes,
	    k->encrypted ? "encrypted" : "NOT encrypted, keep it secret",
	    c->args.verify ? ", verified" : "");
	if (k->removed > 0)
		(void)fprintf(c->io->out, "%zu older backup%s deleted\n",
		    k->removed, k->removed == 1 ? "" : "s");
}

static int
keep(
    struct client *c, const struct buf *backup, struct kept *k, struct err *err)
{
	const struct keysargs *args = &c->args;

	if (k->path == NULL) {
		if (fwrite(buf_str(backup), 1, backup->len, c->io->out) !=
		    backup->len)
			return err_set(
			    err, ERR_IO, "cannot write: %s", strerror(errno));
		return 0;
	}
	if (keysfile_store(k->path, buf_str(backup), backup->len, err) < 0)
		return -1;
	if (args->keep > 0 &&
	    keysfile_prune(args->out_dir, args->keep, &k->removed, err) < 0)
		return err_wrap(err, "%s is written, but", k->path);
	return 0;
}

static bool
goes_to_stdout(const struct keysargs *args)
{
	return args->out_dir == NULL && !is_file(args->out);
}

/* Where the backup goes; owned by the caller, NULL: standard output. */
static char *
path_of(const struct client *c, bool encrypted)
{
	const struct keysargs *args = &c->args;

	if (args->out_dir != NULL)
		return keysfile_name(args->out_dir, clock_wall_s(c->io->clock),
		    encrypted ? "pem" : "yaml");
	return goes_to_stdout(args) ? NULL : xstrdup(args->out);
}

static int
run_export(struct client *c, struct err *err)
{
	const struct kube_request req = {
		.method = "POST",
		.path = "/v1/keys/export",
		.accept = "application/yaml, application/cms",
		.body = "",
		.timeout_ms = OTHER_TIMEOUT_MS,
		.max_body = BACKUP_CMS_MAX,
	};
	AUTO_RELEASE(answer) struct answer a = { 0 };
	AUTO_STR char *path = NULL;
	struct kept k = { 0 };

	if (goes_to_stdout(&c->args) && is_terminal(c->io))
		return err_set(err, ERR_INVALID,
		    "keys are not printed on a terminal: use --out FILE");
	if (ask(c, &req, &a, err) < 0)
		return -1;
	if (a.resp.status != 200)
		return refused(c, &a, KEYS_EXPORT, err);
	if (check_body(&a, err) < 0)
		return -1;
	k.bytes = a.resp.body.len;
	k.encrypted = is_encrypted(&a);
	path = path_of(c, k.encrypted);
	k.path = path;
	if ((c->args.verify && verify(c, &a.resp.body, k.encrypted, err) < 0) ||
	    keep(c, &a.resp.body, &k, err) < 0)
		return -1;
	tell_kept(c, &a, &k);
	return flush_out(c, err);
}

/* ---- the whole ---- */

static int
client_open(struct client *c, struct err *err)
{
	const struct kube_endpoint endpoint = {
		.server = c->args.server,
		.tls_server_name = c->args.server_name,
		.ca_file = c->args.ca_file,
		.token_file = c->args.token_file,
		.version = version_text,
	};

	if (kube_config_endpoint(&endpoint, c->io->clock, &c->cfg, err) < 0)
		return -1;
	c->transport = kube_transport_new(c->cfg, NULL, NULL);
	return 0;
}

static void
client_release(struct client *c)
{
	kube_transport_free(c->transport);
	kube_config_free(c->cfg);
}

DEFINE_AUTO_RELEASE(client);

static int
run(struct client *c, struct err *err)
{
	static int (*const actions[])(struct client *, struct err *) = {
		[KEYS_LIST] = run_list,
		[KEYS_EXPORT] = run_export,
		[KEYS_RESTORE] = run_restore,
	};

	if (client_open(c, err) < 0)
		return -1;
	return actions[c->args.action](c, err);
}

/* The text may quote the certificate of whoever answered. */
static void
print_error(const struct client *c, const struct err *err)
{
	AUTO_STR char *text = xstrdup(err->msg);

	keysprint_clean(text);
	(void)fprintf(c->io->errors, "controller keys %s: %s\n",
	    keysargs_action_name(c->args.action), text);
}

int
keysclient_main(int argc, char *const argv[], const struct keysclient_io *io)
{
	AUTO_RELEASE(client) struct client c = { .io = io };
	struct err err = ERR_INIT;

	/* A server or a reader that goes away is an error like others. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (keysargs_parse(argc, argv, &c.args, &err) < 0) {
		(void)fprintf(io->errors,
		    "controller keys: %s (see controller keys --help)\n",
		    err.msg);
		return EXIT_USAGE;
	}
	if (c.args.help) {
		keysargs_usage(io->out);
		return argc > 1 ? EXIT_SUCCESS : EXIT_USAGE;
	}
	if (run(&c, &err) == 0)
		return EXIT_SUCCESS;
	print_error(&c, &err);
	return EXIT_FAILURE;
}
