/*
 * The command line of "controller keys". Pure.
 */
#ifndef CONTROLLER_KEYSARGS_H
#define CONTROLLER_KEYSARGS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/compiler.h"
#include "base/err.h"

enum keysargs_action { KEYS_LIST, KEYS_EXPORT, KEYS_RESTORE };

/* Backups kept in one folder at most. */
#define KEYSARGS_KEEP_MAX 10000

/* Texts are borrowed from argv; NULL where not given. */
struct keysargs {
	bool help; /* then nothing else counts */
	enum keysargs_action action;
	const char *server, *server_name, *ca_file, *token_file;
	const char *out; /* export: file; NULL or "-": standard output */
	const char *out_dir;
	unsigned keep;	/* with out_dir; 0: all */
	const char *in; /* restore: file; NULL or "-": standard input */
	bool dry_run, verify, json;
};

/* argv[0] is "keys". The text of an error names the word that is wrong. */
int keysargs_parse(int argc, char *const argv[], struct keysargs *ret,
    struct err *err) MUST_CHECK;
const char *keysargs_action_name(enum keysargs_action action);
void keysargs_usage(FILE *out);

#endif
