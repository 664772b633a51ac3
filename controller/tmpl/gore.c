/*
 * Matching with PCRE2, without JIT and with limits.
 */
#include "gore.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "utf8.h"

#define PATTERN_MAX ((size_t)64 * 1024)
/* For each place where a match may begin: steps of PCRE2 before it is given up,
 * the nesting of those, its memory. */
#define MATCH_LIMIT    200000
#define DEPTH_LIMIT    200000
#define HEAP_LIMIT_KIB (16 * 1024)
#define NEST_LIMIT     250
#define DFA_WORKSPACE  40000
/* Bytes of text times bytes of pattern that the other matcher may take. */
#define DFA_WORK_MAX 20000000
/* How often the CPU clock is looked at while PCRE2 searches: a clock that is
 * cheaper to read tells when, at each so many callouts. */
#define LOOK_EVERY     8
#define LOOK_EVERY_NS  (2 * NS_PER_MS)
#define STEPS_PER_LOOK 2048
/* What a match costs of the budget. */
#define STEPS_PER_MATCH 8
#define FOLDED_PER_STEP 64

struct gore {
	struct env *env;
	struct gore_pattern pattern;
	pcre2_general_context *general;
	pcre2_match_context *context;
	pcre2_code *code;
	pcre2_match_data *match;
	uint64_t looked_ns;
	unsigned looks;
	const char *p; /* valid UTF-8 */
	size_t len;
	/* Where p had to be mended: offsets of p in the caller's text. */
	uint32_t *origin;
	size_t origin_len;
};

static void *
re_malloc(size_t size, void *ctx UNUSED)
{
	return malloc(size);
}

static void
re_free(void *p, void *ctx UNUSED)
{
	mem_free_wiped(p);
}

void
gore_free(struct gore *re)
{
	if (re == NULL)
		return;
	pcre2_match_data_free(re->match);
	pcre2_code_free(re->code);
	pcre2_match_context_free(re->context);
	pcre2_general_context_free(re->general);
	free(re);
}

static int
refuse(struct gore *re)
{
	re->pattern.refused = true;
	return env_fail(re->env,
	    "error parsing regexp: expression is not supported here: `%s`",
	    WITHHELD);
}

static int
compile_failed(struct gore *re, int code)
{
	if (code == PCRE2_ERROR_UNKNOWN_UNICODE_PROPERTY ||
	    code == PCRE2_ERROR_MALFORMED_UNICODE_PROPERTY)
		return env_fail(re->env,
		    "error parsing regexp: invalid character class range: `%s`",
		    WITHHELD);
	return refuse(re);
}

/* Wherever the pattern has a callout: time is what PCRE2's limits do not
 * see. */
static int
look(pcre2_callout_block *block UNUSED, void *ctx)
{
	struct gore *re = ctx;
	uint64_t now;

	if (++re->looks % LOOK_EVERY != 0)
		return 0;
	now = clock_mono_ns(&clock_system);
	if (now - re->looked_ns < LOOK_EVERY_NS)
		return 0;
	re->looked_ns = now;
	return env_step(re->env, STEPS_PER_LOOK) < 0 ? PCRE2_ERROR_CALLOUT : 0;
}

static int
compile(struct gore *re)
{
	const uint32_t options = PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_DOTALL |
	    PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C;
	pcre2_compile_context *cc;
	PCRE2_SIZE at;
	int code;

	re->general = pcre2_general_context_create(re_malloc, re_free, NULL);
	re->context = pcre2_match_context_create(re->general);
	cc = pcre2_compile_context_create(re->general);
	if (cc == NULL || re->context == NULL) {
		pcre2_compile_context_free(cc);
		return env_exhaust(re->env, "memory");
	}
	(void)pcre2_set_parens_nest_limit(cc, NEST_LIMIT);
	(void)pcre2_set_newline(cc, PCRE2_NEWLINE_LF);
	(void)pcre2_set_match_limit(re->context, MATCH_LIMIT);
	(void)pcre2_set_depth_limit(re->context, DEPTH_LIMIT);
	(void)pcre2_set_heap_limit(re->context, HEAP_LIMIT_KIB);
	(void)pcre2_set_callout(re->context, look, re);
	re->code = pcre2_compile((PCRE2_SPTR)re->pattern.text.data,
	    re->pattern.text.len, options, &code, &at, cc);
	pcre2_compile_context_free(cc);
	if (re->code == NULL)
		return compile_failed(re, code);
	re->match = pcre2_match_data_create_from_pattern(re->code, re->general);
	if (re->match == NULL)
		return env_exhaust(re->env, "memory");
	return 0;
}

int
gore_compile(struct env *e, const char *p, size_t len, struct gore **ret)
{
	AUTO(gore) struct gore *re = NULL;
	struct value text;

	if (len > PATTERN_MAX)
		return env_exhaust(e, "length of a regular expression");
	if (env_step(e, 1 + len) < 0)
		return -1;
	re = xcalloc(1, sizeof(*re));
	re->env = e;
	if (gore_translate(e, p, len, &re->pattern) < 0 ||
	    text_done(&re->pattern.text, &text) < 0 || compile(re) < 0)
		return re->pattern.refused ? -2 : -1;
	if (env_step(e, re->pattern.folded / FOLDED_PER_STEP) < 0)
		return -1;
	*ret = STEAL(re);
	return 0;
}

/* Invalid bytes become U+FFFD, as Go sees them; origin leads back. */
static int
mend(struct gore *re, const char *p, size_t len)
{
	struct text out;
	size_t cap = 0, w;

	for (size_t i = 0; i < len; i += w, cap += 3) {
		uint32_t r;

		w = utf8_decode(p + i, len - i, &r);
		cap += w;
	}
	re->origin = env_allocarray(re->env, cap + 1, sizeof(*re->origin));
	if (re->origin == NULL)
		return -1;
	text_init(&out, re->env);
	for (size_t i = 0; i < len && !out.failed; i += w) {
		size_t from = out.len;
		uint32_t r;

		w = utf8_decode(p + i, len - i, &r);
		text_putrune(&out, r);
		for (size_t j = from; j < out.len; j++)
			re->origin[j] = (uint32_t)i;
	}
	if (out.failed)
		return -1;
	re->origin[out.len] = (uint32_t)len;
	re->origin_len = out.len;
	re->p = out.data;
	re->len = out.len;
	return 0;
}

int
gore_subject(struct gore *re, const char *p, size_t len)
{
	re->origin = NULL;
	re->p = p == NULL ? "" : p;
	re->len = len;
	if (len > UINT32_MAX / 8)
		return env_exhaust(re->env, "memory");
	return utf8_valid(p, len) ? 0 : mend(re, p, len);
}

/* From the caller's offsets to ours. */
static size_t
inner(const struct gore *re, size_t pos)
{
	size_t lo = 0, hi = re->origin_len;

	if (re->origin == NULL)
		return pos;
	while (lo < hi) {
		size_t middle = (lo + hi) / 2;

		if (re->origin[middle] < pos)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo;
}

static int
run(struct gore *re, size_t pos, uint32_t options)
{
	return pcre2_match(re->code, (PCRE2_SPTR)re->p, re->len, pos,
	    options | PCRE2_NO_UTF_CHECK, re->match, re->context);
}

/*
 * Backtracking took too long. PCRE2's other matcher keeps all possibilities
 * at once: it knows soon whether and where there is a match, though not which
 * one Go would take. Where there is none, that is the answer.
 */
static int
retry(struct gore *re, size_t pos)
{
	pcre2_match_data *match;
	size_t start, size = 0;
	int *space;
	int rc;

	(void)pcre2_pattern_info(re->code, PCRE2_INFO_SIZE, &size);
	if ((re->len - pos) * size > DFA_WORK_MAX)
		return PCRE2_ERROR_MATCHLIMIT;
	match = pcre2_match_data_create(1, re->general);
	space = xcalloc(DFA_WORKSPACE, sizeof(*space));
	rc = match == NULL
	    ? PCRE2_ERROR_NOMEMORY
	    : pcre2_dfa_match(re->code, (PCRE2_SPTR)re->p, re->len, pos,
		  PCRE2_NO_UTF_CHECK | PCRE2_DFA_SHORTEST, match, re->context,
		  space, DFA_WORKSPACE);
	start = rc >= 0 ? pcre2_get_ovector_pointer(match)[0] : 0;
	pcre2_match_data_free(match);
	mem_free_wiped(space);
	if (rc >= 0)
		rc = run(re, start, PCRE2_ANCHORED);
	return rc;
}

int
gore_match(struct gore *re, size_t pos)
{
	size_t found;
	int rc;

	if (env_step(re->env, STEPS_PER_MATCH) < 0)
		return -1;
	re->looked_ns = clock_mono_ns(&clock_system);
	rc = run(re, inner(re, pos), 0);
	if (rc == PCRE2_ERROR_MATCHLIMIT || rc == PCRE2_ERROR_DEPTHLIMIT ||
	    rc == PCRE2_ERROR_HEAPLIMIT)
		rc = retry(re, inner(re, pos));
	if (rc == PCRE2_ERROR_NOMATCH)
		return 0;
	if (rc < 0)
		return env_exhaust(re->env, "regular expression");
	found = pcre2_get_ovector_pointer(re->match)[1];
	return env_step(
		   re->env, (found - inner(re, pos)) / ENV_BYTES_PER_STEP) < 0
	    ? -1
	    : 1;
}

bool
gore_group(const struct gore *re, size_t i, size_t *start, size_t *end)
{
	const PCRE2_SIZE *v = pcre2_get_ovector_pointer(re->match);

	if (i > re->pattern.ngroups || v[2 * i] == PCRE2_UNSET)
		return false;
	*start = re->origin == NULL ? v[2 * i] : re->origin[v[2 * i]];
	*end = re->origin == NULL ? v[2 * i + 1] : re->origin[v[2 * i + 1]];
	return true;
}

const struct gore_pattern *
gore_pattern(const struct gore *re)
{
	return &re->pattern;
}
