/*
 * The command line of "controller keys". See keysargs.h. Stricter than the
 * program's own flags, which follow the reference: here a mistyped word must
 * not be passed over.
 */
#include "keysargs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 32

static const char *const actions[] = {
	[KEYS_LIST] = "list",
	[KEYS_EXPORT] = "export",
	[KEYS_RESTORE] = "restore",
};

enum {
	FOR_LIST = 1u << KEYS_LIST,
	FOR_EXPORT = 1u << KEYS_EXPORT,
	FOR_RESTORE = 1u << KEYS_RESTORE,
	FOR_ALL = FOR_LIST | FOR_EXPORT | FOR_RESTORE
};

struct parser {
	struct keysargs *args;
	struct err *err;
	int argc;
	char *const *argv;
	int at;
	bool have_action;
	unsigned used; /* rows of the table that were given */
};

static int
set_keep(struct keysargs *args, const char *value, struct err *err)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 ||
	    n == 0 || n > KEYSARGS_KEEP_MAX)
		return err_set(err, ERR_INVALID,
		    "--keep: \"%.40s\" is not a number from 1 to %d", value,
		    KEYSARGS_KEEP_MAX);
	args->keep = (unsigned)n;
	return 0;
}

static int
set_output(struct keysargs *args, const char *value, struct err *err)
{
	if (strcmp(value, "json") != 0 && strcmp(value, "text") != 0)
		return err_set(err, ERR_INVALID,
		    "--output: \"%.40s\" is neither json nor text", value);
	args->json = value[0] == 'j';
	return 0;
}

/* Exactly one of text, flag and set says what a row does. */
static const struct row {
	const char *name;
	unsigned actions;
	const char *what; /* the value in --help; NULL: none is taken */
	const char *usage;
	size_t text, flag; /* offsets; 0: not this kind (help is there) */
	int (*set)(struct keysargs *args, const char *value, struct err *err);
} rows[] = {
	{ "ca-file", FOR_ALL, "FILE",
	    "authority of the server's certificate (PEM)",
	    offsetof(struct keysargs, ca_file), 0, NULL },
	{ "dry-run", FOR_RESTORE, NULL, "restore: check all, write nothing", 0,
	    offsetof(struct keysargs, dry_run), NULL },
	{ "keep", FOR_EXPORT, "N", "export: keep the newest N backups in DIR",
	    0, 0, set_keep },
	{ "out", FOR_EXPORT, "FILE",
	    "export: write here; default: standard output",
	    offsetof(struct keysargs, out), 0, NULL },
	{ "out-dir", FOR_EXPORT, "DIR",
	    "export: write here, under a name with the time",
	    offsetof(struct keysargs, out_dir), 0, NULL },
	{ "output", FOR_ALL, "json|text", "form of what is printed; also -o", 0,
	    0, set_output },
	{ "server", FOR_ALL, "URL", "the admin port: https://HOST:PORT",
	    offsetof(struct keysargs, server), 0, NULL },
	{ "server-name", FOR_ALL, "NAME",
	    "name in the server's certificate, if not URL's",
	    offsetof(struct keysargs, server_name), 0, NULL },
	{ "token-file", FOR_ALL, "FILE",
	    "bearer token for the audience of the admin port",
	    offsetof(struct keysargs, token_file), 0, NULL },
	{ "verify", FOR_EXPORT, NULL,
	    "export: first let the server try a restore (dry)", 0,
	    offsetof(struct keysargs, verify), NULL },
};

const char *
keysargs_action_name(enum keysargs_action action)
{
	return actions[action];
}

static const struct row *
find_row(const char *name, size_t len)
{
	if (len == 1 && name[0] == 'o')
		return find_row("output", strlen("output"));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strlen(rows[i].name) == len &&
		    memcmp(rows[i].name, name, len) == 0)
			return &rows[i];
	return NULL;
}

static int
apply(struct parser *p, const struct row *row, const char *value)
{
	char *base = (char *)p->args;

	p->used |= 1u << (row - rows);
	if (row->set != NULL)
		return row->set(p->args, value, p->err);
	if (row->what == NULL)
		*(bool *)(void *)(base + row->flag) = true;
	else
		*(const char **)(void *)(base + row->text) = value;
	return 0;
}

/* word begins with a dash. */
static int
take_flag(struct parser *p, const char *word)
{
	const char *name = word + (word[1] == '-' ? 2 : 1);
	size_t len = strcspn(name, "=");
	const struct row *row = find_row(name, len);
	const char *value = name[len] == '=' ? name + len + 1 : NULL;

	if (row == NULL || (word[1] != '-' && len > 1) ||
	    (word[1] == '-' && len == 1))
		return err_set(p->err, ERR_INVALID, "unknown flag %.*s",
		    NAME_MAX_LEN, word);
	if (row->what == NULL && value != NULL)
		return err_set(
		    p->err, ERR_INVALID, "--%s takes no value", row->name);
	if (row->what != NULL && value == NULL) {
		if (p->at == p->argc)
			return err_set(p->err, ERR_INVALID,
			    "--%s needs a value", row->name);
		value = p->argv[p->at++];
	}
	if (value != NULL && value[0] == '\0')
		return err_set(p->err, ERR_INVALID, "--%s is empty", row->name);
	return apply(p, row, value);
}

static int
take_word(struct parser *p, const char *word)
{
	if (p->have_action) {
		if (p->args->action != KEYS_RESTORE || p->args->in != NULL)
			return err_set(p->err, ERR_INVALID,
			    "unexpected word \"%.*s\"", NAME_MAX_LEN, word);
		p->args->in = word;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (strcmp(word, actions[i]) != 0)
			continue;
		p->args->action = (enum keysargs_action)i;
		p->have_action = true;
		return 0;
	}
	return err_set(p->err, ERR_INVALID,
	    "\"%.*s\" is none of list, export, restore", NAME_MAX_LEN, word);
}

static int
take_all(struct parser *p)
{
	bool flags = true;

	while (p->at < p->argc) {
		const char *word = p->argv[p->at++];

		if (flags && strcmp(word, "--") == 0) {
			flags = false;
			continue;
		}
		if (flags &&
		    (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)) {
			p->args->help = true;
			return 0;
		}
		if (flags && word[0] == '-' && word[1] != '\0') {
			if (take_flag(p, word) < 0)
				return -1;
		} else if (take_word(p, word) < 0)
			return -1;
	}
	return 0;
}

static int
check_together(const struct parser *p)
{
	const struct keysargs *a = p->args;

	if (!p->have_action)
		return err_set(p->err, ERR_INVALID,
		    "what to do is missing: list, export or restore");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if ((p->used & 1u << i) != 0 &&
		    (rows[i].actions & 1u << a->action) == 0)
			return err_set(p->err, ERR_INVALID,
			    "--%s does not go with %s", rows[i].name,
			    actions[a->action]);
	if (a->server == NULL || a->ca_file == NULL || a->token_file == NULL)
		return err_set(p->err, ERR_INVALID, "--%s is missing",
		    a->server == NULL	     ? "server"
			: a->ca_file == NULL ? "ca-file"
					     : "token-file");
	if (a->out != NULL && a->out_dir != NULL)
		return err_set(p->err, ERR_INVALID,
		    "--out and --out-dir do not go together");
	if (a->keep > 0 && a->out_dir == NULL)
		return err_set(
		    p->err, ERR_INVALID, "--keep goes with --out-dir only");
	return 0;
}

int
keysargs_parse(
    int argc, char *const argv[], struct keysargs *ret, struct err *err)
{
	struct parser p = {
		.args = ret, .err = err, .argc = argc, .argv = argv, .at = 1
	};

	memset(ret, 0, sizeof(*ret));
	if (argc <= 1)
		ret->help = true;
	if (take_all(&p) < 0)
		return -1;
	return ret->help ? 0 : check_together(&p);
}

static const char usage_head[] =
    "Lists, backs up and restores the sealing keys through the admin port.\n"
    "\n"
    "  controller keys list    --server URL --ca-file FILE --token-file FILE\n"
    "  controller keys export  ... --out FILE | --out-dir DIR [--keep N]\n"
    "  controller keys restore ... [--dry-run] [FILE]\n"
    "\n"
    "export writes a file that only its owner can read, and keeps it only "
    "where it is\n"
    "whole. restore reads a plain backup (YAML or JSON) from FILE or standard "
    "input;\n"
    "either all keys in it can be restored, or nothing is written.\n"
    "\n"
    "--verify sends a plain backup back as a dry run, which needs the right\n"
    "to restore.\n"
    "\n"
    "Exit status: 0 done, 1 failed (one line on standard error says why), 2 "
    "usage.\n"
    "\n";

void
keysargs_usage(FILE *out)
{
	(void)fputs(usage_head, out);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		const char *what = row->what != NULL ? row->what : "";
		int width = 22 - (int)strlen(row->name);

		(void)fprintf(
		    out, "  --%s %-*s%s\n", row->name, width, what, row->usage);
	}
}
