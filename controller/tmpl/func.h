/*
 * The table of template functions, and what their authors use.
 *
 * A function is a row of a table: name, signature, C function. The engine
 * checks the number of arguments and converts each one as Go's reflection
 * does, with Go's texts for what does not fit, so that a function sees only
 * arguments of its types.
 *
 * Signature: parameters, a colon, the result; one letter each:
 *
 *	s string     b bool        i int          I int64      U uint32
 *	f float64    a interface {} (anything, unwrapped; KIND_INVALID: nil)
 *	l []interface {}           m map[string]interface {}
 *	S []string   M map[string]string  (of results)  v reflect.Value
 *	c sprig.certificate   t time.Time   d time.Duration  V *semver.Version
 *	L *time.Location      B []uint8
 *
 * A * behind the last parameter makes it variadic: "sa*:s". In results only
 * 'a' matters to the engine (a nil of interface type). Examples:
 *
 *	{ "trunc", "is:s", fn_trunc },
 *	{ "add", "a*:I", fn_add },
 *	{ "now", ":t", fn_now, FUNC_VARIES },
 *
 * A nil (missing value) reaches l, m, V, a and v parameters as a nil list, a
 * nil map, a nil pointer, KIND_INVALID.
 */
#ifndef TMPL_FUNC_H
#define TMPL_FUNC_H

#include "dict.h"
#include "env.h"
#include "text.h"
#include "value.h"

/* Result differs from run to run. */
#define FUNC_VARIES 0x1U
/* Go's own: and, or short-circuit, call has its own rules. */
#define FUNC_BUILTIN 0x2U

struct call {
	struct env *env;
	const char *name; /* as the template wrote it */
	const struct value *args;
	size_t nargs;
};

struct func {
	const char *name;
	const char *sig;
	/* *ret is value_nil() before. 0, or -1 with a pending error: what
	 * call_fail() set becomes "error calling NAME: text". NULL: a method
	 * with results that templates cannot take, all named in sig. */
	int (*fn)(struct call *c, struct value *ret);
	unsigned flags;
};

/* One table per file funcs_*.c, each ended by a NULL name; func.c lists them:
 * a new file adds its row there.
 * A name in a later table hides the earlier one, as sprig's slice hides Go's.
 */
extern const struct func funcs_builtin[]; /* builtins.c */
extern const struct func funcs_core[];	  /* default, empty, reflection, fail */
extern const struct func funcs_string[];
extern const struct func funcs_list[];
extern const struct func funcs_dict[];
extern const struct func funcs_math[];
extern const struct func funcs_date[];
extern const struct func funcs_encoding[];
extern const struct func funcs_json[];
extern const struct func funcs_crypto[];
extern const struct func funcs_cert[];
extern const struct func funcs_random[];
extern const struct func funcs_regex[];
extern const struct func funcs_semver[];
extern const struct func funcs_path[];
extern const struct func funcs_url[];

/* Types with methods or fields. */
extern const struct type type_certificate; /* funcs_cert.c */
extern const struct type type_time;	   /* timetypes.c */
extern const struct type type_duration;	   /* timetypes.c */
extern const struct type type_semver;	   /* funcs_semver.c */

/* NULL: not defined. */
const struct func *func_find(const char *name, size_t len);
/* The method of a type; NULL: none. */
const struct func *
func_method(const struct type *t, const char *name, size_t len);
/* The type of a parameter letter. */
const struct type *func_param_type(char letter);
/* reflect.Value: a parameter that takes anything as it is. */
extern const struct type type_value;

/* The text behind "error calling NAME: "; see env_fail(). Always -1. */
int call_fail(struct call *c, const char *fmt, ...) PRINTF(2, 3);

/* Results; all return 0, or -1 where the budget does not allow it. */
int ret_str(struct call *c, const char *p, size_t len,
    struct value *ret) MUST_CHECK; /* copies */
int ret_cstr(struct call *c, const char *s, struct value *ret) MUST_CHECK;

/* sprig's strval: how toString, join, cat, quote ... see a value: strings as
 * they are, String() where there is one, else %v; nil is "<nil>". */
int value_strval(
    struct env *e, const struct value *v, struct value *ret) MUST_CHECK;

#endif
