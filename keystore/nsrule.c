/*
 * In which namespaces a key may open. See keystore/nsrule.h.
 */
#include "keystore/nsrule.h"

#include <ctype.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "base/dns.h"
#include "base/mem.h"

#define LABEL_MAX  63  /* a label's name or value */
#define PREFIX_MAX 253 /* of a label's key */

enum kind { KIND_NONE, KIND_NAMES, KIND_SELECTOR };
enum op { OP_IN, OP_NOT_IN, OP_ABSENT };

/* A namespace's name (in values[0]), or a requirement. */
struct term {
	enum op op;
	char *key;
	char **values;
	size_t n;
};

struct nsrule {
	atomic_uint refs;
	enum kind kind;
	char *text;
	struct term *terms;
	size_t n;
	size_t words; /* names and values, which are limited */
};

/* Life cycle. */

static struct nsrule *
rule_new(const char *text)
{
	struct nsrule *rule = xcalloc(1, sizeof(*rule));

	atomic_init(&rule->refs, 1);
	rule->text = xstrndup(text, NSRULE_TEXT_MAX);
	return rule;
}

struct nsrule *
nsrule_none(const char *text)
{
	return rule_new(text);
}

struct nsrule *
nsrule_ref(struct nsrule *rule)
{
	if (rule != NULL)
		atomic_fetch_add_explicit(&rule->refs, 1, memory_order_relaxed);
	return rule;
}

static void
term_release(struct term *t)
{
	mem_free_wiped(t->key);
	for (size_t i = 0; i < t->n; i++)
		mem_free_wiped(t->values[i]);
	mem_free_wiped(t->values);
}

void
nsrule_free(struct nsrule *rule)
{
	if (rule == NULL ||
	    atomic_fetch_sub_explicit(&rule->refs, 1, memory_order_acq_rel) !=
		1)
		return;
	for (size_t i = 0; i < rule->n; i++)
		term_release(&rule->terms[i]);
	mem_free_wiped(rule->terms);
	mem_free_wiped(rule->text);
	mem_free_wiped(rule);
}

/* Words. */

/* A piece of the text. */
struct word {
	const char *p;
	size_t len;
};

static bool
is_alnum(char c)
{
	return isascii((unsigned char)c) && isalnum((unsigned char)c);
}

/* Letters and digits, and inside also the others. */
static bool
is_made_of(struct word w, const char *others, size_t max)
{
	if (w.len == 0 || w.len > max || !is_alnum(w.p[0]) ||
	    !is_alnum(w.p[w.len - 1]))
		return false;
	for (size_t i = 0; i < w.len; i++)
		if (!is_alnum(w.p[i]) &&
		    memchr(others, w.p[i], strlen(others)) == NULL)
			return false;
	return true;
}

static bool
is_lower(struct word w)
{
	for (size_t i = 0; i < w.len; i++)
		if (w.p[i] >= 'A' && w.p[i] <= 'Z')
			return false;
	return true;
}

static bool
is_namespace(struct word w)
{
	return dns_is_label(w.p, w.len);
}

static bool
is_value(struct word w)
{
	return w.len == 0 || is_made_of(w, "-_.", LABEL_MAX);
}

static bool
is_key(struct word w)
{
	const char *slash = memchr(w.p, '/', w.len);
	struct word prefix = { w.p, 0 };

	if (slash == NULL)
		return is_made_of(w, "-_.", LABEL_MAX);
	prefix.len = (size_t)(slash - w.p);
	w.p = slash + 1;
	w.len -= prefix.len + 1;
	return is_made_of(prefix, "-.", PREFIX_MAX) && is_lower(prefix) &&
	    is_made_of(w, "-_.", LABEL_MAX);
}

/* Parsing. */

struct parser {
	const char *p;
	struct nsrule *rule;
	struct err *err;
};

static void
skip_space(struct parser *ps)
{
	ps->p += strspn(ps->p, " \t\r\n");
}

static struct word
next_word(struct parser *ps)
{
	struct word w = { ps->p, 0 };

	w.len = strcspn(ps->p, " \t\r\n,=!()");
	ps->p += w.len;
	skip_space(ps);
	return w;
}

static bool
take(struct parser *ps, const char *text)
{
	size_t len = strlen(text);

	if (strncmp(ps->p, text, len) != 0)
		return false;
	ps->p += len;
	skip_space(ps);
	return true;
}

static bool
is(struct word w, const char *text)
{
	return w.len == strlen(text) && memcmp(w.p, text, w.len) == 0;
}

static struct term *
add_term(struct nsrule *rule)
{
	rule->terms =
	    xreallocarray(rule->terms, rule->n + 1, sizeof(*rule->terms));
	rule->terms[rule->n] = (struct term) { .n = 0 };
	return &rule->terms[rule->n++];
}

static int
count_word(struct parser *ps)
{
	if (++ps->rule->words > NSRULE_TERMS_MAX)
		return err_set(ps->err, ERR_TOOBIG,
		    "more than %d names or values", NSRULE_TERMS_MAX);
	return 0;
}

static int
add_value(struct parser *ps, struct term *t, struct word w)
{
	if (count_word(ps) < 0)
		return -1;
	t->values = xreallocarray(t->values, t->n + 1, sizeof(*t->values));
	t->values[t->n++] = xstrndup(w.p, w.len);
	return 0;
}

static int
parse_names(struct parser *ps)
{
	struct word w;

	do {
		w = next_word(ps);
		if (!is_namespace(w))
			return err_set(ps->err, ERR_INVALID,
			    "it holds what is no name of a namespace");
		if (add_value(ps, add_term(ps->rule), w) < 0)
			return -1;
		/* A comma at the end is no mistake. */
	} while (take(ps, ",") && *ps->p != '\0');
	if (*ps->p != '\0')
		return err_set(
		    ps->err, ERR_INVALID, "names without a comma between them");
	return 0;
}

static int
parse_value(struct parser *ps, struct term *t)
{
	struct word w = next_word(ps);

	if (!is_value(w))
		return err_set(ps->err, ERR_INVALID,
		    "it holds what is no value of a label");
	return add_value(ps, t, w);
}

static int
parse_set(struct parser *ps, struct term *t)
{
	if (!take(ps, "("))
		return err_set(
		    ps->err, ERR_INVALID, "values in brackets are missing");
	do
		if (parse_value(ps, t) < 0)
			return -1;
	while (take(ps, ","));
	if (!take(ps, ")"))
		return err_set(
		    ps->err, ERR_INVALID, "a closing bracket is missing");
	return 0;
}

static int
parse_key(struct parser *ps, struct term *t)
{
	struct word w = next_word(ps);

	if (!is_key(w))
		return err_set(ps->err, ERR_INVALID,
		    "it holds what is no name of a label");
	if (count_word(ps) < 0)
		return -1;
	t->key = xstrndup(w.p, w.len);
	return 0;
}

static int
parse_requirement(struct parser *ps)
{
	struct term *t = add_term(ps->rule);
	struct word w;

	if (take(ps, "!")) {
		t->op = OP_ABSENT;
		return parse_key(ps, t);
	}
	if (parse_key(ps, t) < 0)
		return -1;
	if (take(ps, "!=")) {
		t->op = OP_NOT_IN;
		return parse_value(ps, t);
	}
	if (take(ps, "==") || take(ps, "="))
		return parse_value(ps, t);
	w = next_word(ps);
	if (is(w, "in"))
		return parse_set(ps, t);
	if (!is(w, "notin"))
		return err_set(ps->err, ERR_INVALID,
		    "it holds a name of a label without a condition");
	t->op = OP_NOT_IN;
	return parse_set(ps, t);
}

static int
parse_selector(struct parser *ps)
{
	do
		if (parse_requirement(ps) < 0)
			return -1;
	while (take(ps, ","));
	if (*ps->p != '\0')
		return err_set(
		    ps->err, ERR_INVALID, "it holds something unexpected");
	return 0;
}

int
nsrule_parse(const char *text, struct nsrule **ret, struct err *err)
{
	AUTO(nsrule) struct nsrule *rule = rule_new(text);
	struct parser ps = { .p = text, .rule = rule, .err = err };
	int rc;

	if (strlen(text) > NSRULE_TEXT_MAX)
		return err_set(err, ERR_TOOBIG, "it is longer than %d bytes",
		    NSRULE_TEXT_MAX);
	skip_space(&ps);
	rule->kind = strpbrk(text, "=!(") != NULL ? KIND_SELECTOR : KIND_NAMES;
	rc = rule->kind == KIND_NAMES ? parse_names(&ps) : parse_selector(&ps);
	if (rc < 0)
		return -1;
	*ret = STEAL(rule);
	return 0;
}

/* Judging. */

const char *
nsrule_text(const struct nsrule *rule)
{
	return rule->text;
}

bool
nsrule_by_labels(const struct nsrule *rule)
{
	return rule->kind == KIND_SELECTOR;
}

static bool
has_value(const struct term *t, const char *value)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->values[i], value) == 0)
			return true;
	return false;
}

bool
nsrule_has_name(const struct nsrule *rule, const char *ns)
{
	if (rule->kind != KIND_NAMES)
		return false;
	for (size_t i = 0; i < rule->n; i++)
		if (has_value(&rule->terms[i], ns))
			return true;
	return false;
}

static bool
holds(const struct term *t, const char *value)
{
	switch (t->op) {
	case OP_IN:
		return value != NULL && has_value(t, value);
	case OP_NOT_IN:
		return value == NULL || !has_value(t, value);
	case OP_ABSENT:
		return value == NULL;
	}
	return false;
}

bool
nsrule_accepts(const struct nsrule *rule,
    const char *(*label)(const void *ctx, const char *key), const void *ctx)
{
	if (rule->kind != KIND_SELECTOR)
		return false;
	for (size_t i = 0; i < rule->n; i++)
		if (!holds(&rule->terms[i], label(ctx, rule->terms[i].key)))
			return false;
	return true;
}
