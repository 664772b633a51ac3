/*
 * Command line flags and their environment variables from one table, with the
 * rules of Go's pflag: --name=value, --name value, bare booleans, no
 * abbreviations, words that are no flags ignored, "--" ends the flags, the
 * last occurrence wins. Knows nothing of the program's own flags.
 */
#ifndef CONTROLLER_FLAGS_H
#define CONTROLLER_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/compiler.h"
#include "base/err.h"

/* Rows of one table at most. */
#define FLAGS_MAX 64

/* What the offset of a row points at: bool, int64_t, double, int64_t
 * (nanoseconds), const char *. */
enum flag_type { FLAG_BOOL, FLAG_INT, FLAG_FLOAT, FLAG_DURATION, FLAG_STRING };

union flag_value {
	bool b;
	int64_t i;
	double f;
	const char *s;
};

struct flag {
	const char *name; /* without dashes; the table is sorted by it */
	enum flag_type type;
	size_t offset;	   /* of the target in the struct of values */
	const char *def;   /* as it would be written on the command line */
	const char *usage; /* one line for --help; NULL where hidden */
	const char *want;  /* accepted form in errors; NULL: the type's */
	/* Range and the like, NULL: everything of the type. Its text explains
	 * a refusal, or is empty where the accepted form says it all. */
	bool (*check)(union flag_value v, struct err *why);
	/* Hidden, deprecated name of this other flag; NULL: neither. */
	const char *use_instead;
};

/* Where the present value of a row came from. */
struct flag_origin {
	const char *text; /* as it was written; NULL: the default */
	bool from_env;
};

struct flag_set {
	const struct flag *flags;
	size_t nflags;
	const char *env_prefix; /* "SEALED_SECRETS_" */
	void *values;
	FILE *notices; /* deprecated flags are told here */
	struct flag_origin origin[FLAGS_MAX];
};

void flags_init(struct flag_set *set, const struct flag *flags, size_t nflags,
    const char *env_prefix, void *values);
/*
 * Every row in table order: a later one wins over an earlier one with the same
 * target. Set but empty counts as set; of two equal variables the first counts.
 */
int flags_read_env(
    struct flag_set *set, char *const envp[], struct err *err) MUST_CHECK;
/* argv[1..]. help: --help or -h was met, the words behind it are not read. */
int flags_read_args(struct flag_set *set, int argc, char *const argv[],
    bool *help, struct err *err) MUST_CHECK;
/* True where environment or command line gave the flag. */
bool flags_given(const struct flag_set *set, const char *name);
/* For checks over several flags: the error of a bad value of this one, which
 * must have been given. Returns -1. */
int flags_reject(const struct flag_set *set, const char *name, const char *why,
    struct err *err);
/* The rows that are not hidden, aligned, in table order; wrapped to so many
 * columns, 0: one line each, as pflag has it. */
void flags_usage(
    const struct flag *flags, size_t nflags, unsigned columns, FILE *out);

#endif
