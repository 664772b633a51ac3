/*
 * Go templates: the values of spec.template.data, rendered as Go's
 * text/template with the sprig functions does.
 *
 * Each template stands alone under its name; all see the same data, Go's
 * map[string]string. Everything of one object draws on one budget. Error
 * texts read as Go's, except that a value which Go would quote is replaced by
 * "(value withheld)" or "(message withheld)": only names, positions, types
 * and the template's own source appear.
 *
 * Thread-safe: calls share nothing but tables that never change. A call uses
 * up to TMPL_STACK_MAX bytes of its thread's stack.
 */
#ifndef TMPL_TMPL_H
#define TMPL_TMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/compiler.h"

#define TMPL_STACK_MAX (3 * 1024 * 1024)

/* Limits for all templates of one object together. */
struct tmpl_budget {
	size_t output_bytes; /* what the templates print */
	size_t memory_bytes; /* everything they hold meanwhile */
	uint64_t steps;	     /* nodes evaluated, elements touched */
	unsigned depth;	     /* nested evaluations, template calls, values */
	unsigned cpu_ms;     /* of the calling thread; see key_cpu_ms */
	unsigned costly;     /* credits for key generation, bcrypt, scrypt */
	unsigned key_cpu_ms; /* of the first RSA or DSA key, which counts
			      * little of it against cpu_ms */
};

extern const struct tmpl_budget tmpl_budget_default;

struct tmpl_source {
	const char *name; /* the key in spec.template.data */
	const char *text; /* NULL: a null value, nothing to render */
	size_t len;
};

struct tmpl_datum {
	const char *name;
	const void *data;
	size_t len;
};

struct tmpl_input {
	const struct tmpl_source *sources;
	size_t nsources;
	const struct tmpl_datum *data; /* names are unique */
	size_t ndata;
	const struct tmpl_budget *budget; /* NULL: tmpl_budget_default */
	const struct clock *clock;	  /* NULL: clock_system */
};

/* In the order of the sources. Either error is set, or data is (len bytes and
 * a NUL behind them), or neither for a null source. */
struct tmpl_output {
	const char *name; /* the caller's */
	char *data;
	size_t len;
	char *error; /* as Go's: template: NAME:LINE:COL: ... */
};

struct tmpl_result {
	struct tmpl_output *outputs;
	size_t noutputs;
	size_t nerrors;
	/* Something that differs from run to run was called: random, time,
	 * key generation. */
	bool varies;
};

/* Owned by the caller. Never NULL: failures are per template. Once the budget
 * is used up, the remaining templates fail too. */
struct tmpl_result *tmpl_render(const struct tmpl_input *in);
/* Wipes; NULL is fine. */
void tmpl_result_free(struct tmpl_result *r);

DEFINE_AUTO(tmpl_result);

#endif
