/*
 * Label and field selectors: equality, inequality, sets and existence.
 */
#include "selector.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum operator{
	OP_IN,
	OP_NOT_IN,
	OP_EXISTS,
	OP_NOT_EXISTS,
	OP_GREATER,
	OP_LESS,
};

struct requirement {
	char *key;
	enum operator op;
	char **values;
	size_t nvalues;
	struct requirement *next;
};

struct selector {
	bool fields;
	struct requirement *first;
};

static void
skip_space(const char **p)
{
	while (isspace((unsigned char)**p))
		(*p)++;
}

static char *
take_word(const char **p)
{
	size_t n;
	char *w;

	skip_space(p);
	n = strcspn(*p, " \t,=!()<>");
	w = util_strndup(*p, n);
	*p += n;
	skip_space(p);
	return w;
}

static void
add_value(struct requirement *r, char *value)
{
	r->values = util_grow(r->values, (r->nvalues + 1) * sizeof(char *));
	r->values[r->nvalues++] = value;
}

static int
parse_set(const char **p, struct requirement *r)
{
	skip_space(p);
	if (**p != '(')
		return -1;
	do {
		(*p)++;
		add_value(r, take_word(p));
	} while (**p == ',');
	if (**p != ')')
		return -1;
	(*p)++;
	skip_space(p);
	return 0;
}

static int
parse_symbol(const char **p, struct requirement *r)
{
	if (strncmp(*p, "!=", 2) == 0) {
		r->op = OP_NOT_IN;
		*p += 2;
	} else if (strncmp(*p, "==", 2) == 0) {
		r->op = OP_IN;
		*p += 2;
	} else if (**p == '=') {
		r->op = OP_IN;
		(*p)++;
	} else if (**p == '>' || **p == '<') {
		r->op = **p == '>' ? OP_GREATER : OP_LESS;
		(*p)++;
	} else {
		return -1;
	}
	add_value(r, take_word(p));
	return 0;
}

static int
parse_requirement(const char **p, struct requirement *r)
{
	char *word;
	int ret;

	skip_space(p);
	if (**p == '!') {
		(*p)++;
		r->key = take_word(p);
		r->op = OP_NOT_EXISTS;
		return *r->key == '\0' ? -1 : 0;
	}
	r->key = take_word(p);
	if (*r->key == '\0')
		return -1;
	r->op = OP_EXISTS;
	if (**p == '\0' || **p == ',')
		return 0;
	if (strchr("=!<>", **p) != NULL)
		return parse_symbol(p, r);
	word = take_word(p);
	if (strcmp(word, "in") == 0)
		r->op = OP_IN;
	else if (strcmp(word, "notin") == 0)
		r->op = OP_NOT_IN;
	ret = r->op == OP_EXISTS ? -1 : parse_set(p, r);
	free(word);
	return ret;
}

static int
parse(const char *text, bool fields, struct selector **ret, char **why)
{
	struct selector *s;
	struct requirement **tail;
	const char *p = text;

	if (text == NULL || *text == '\0') {
		*ret = NULL;
		return 0;
	}
	s = util_alloc(sizeof(*s));
	s->fields = fields;
	tail = &s->first;
	for (;;) {
		*tail = util_alloc(sizeof(**tail));
		if (parse_requirement(&p, *tail) < 0)
			break;
		if (*p == '\0') {
			*ret = s;
			return 0;
		}
		if (*p++ != ',')
			break;
		tail = &(*tail)->next;
	}
	*why = util_format("unable to parse requirement: %s", text);
	selector_free(s);
	return -1;
}

int
selector_parse_labels(const char *text, struct selector **ret, char **why)
{
	return parse(text, false, ret, why);
}

static bool
field_known(const struct resource *r, const char *key)
{
	return strcmp(key, "metadata.name") == 0 ||
	    (strcmp(key, "metadata.namespace") == 0 && r->namespaced) ||
	    util_str_in(key, r->field_labels, r->nfield_labels);
}

int
selector_parse_fields(const struct resource *r, const char *text,
    struct selector **ret, char **why)
{
	struct selector *s;

	if (parse(text, true, &s, why) < 0)
		return -1;
	for (struct requirement *q = s == NULL ? NULL : s->first; q != NULL;
	     q = q->next) {
		if (field_known(r, q->key))
			continue;
		*why = util_format("field label not supported: %s", q->key);
		selector_free(s);
		return -1;
	}
	*ret = s;
	return 0;
}

void
selector_free(struct selector *s)
{
	struct requirement *r, *next;

	if (s == NULL)
		return;
	for (r = s->first; r != NULL; r = next) {
		next = r->next;
		for (size_t i = 0; i < r->nvalues; i++)
			free(r->values[i]);
		free(r->values);
		free(r->key);
		free(r);
	}
	free(s);
}

/* The value at a dotted path; an absent field counts as empty. */
static const char *
field_value(const json_t *obj, const char *path)
{
	const json_t *v = obj;
	const char *p = path;

	if (strcmp(path, "source") == 0)
		path = p = "source.component";
	while (v != NULL) {
		size_t n = strcspn(p, ".");
		char *word = util_strndup(p, n);

		v = json_object_get(v, word);
		free(word);
		if (p[n] == '\0')
			break;
		p += n + 1;
	}
	return json_is_string(v) ? json_string_value(v) : "";
}

static bool
value_listed(const struct requirement *r, const char *value)
{
	for (size_t i = 0; i < r->nvalues; i++) {
		if (strcmp(r->values[i], value) == 0)
			return true;
	}
	return false;
}

static bool
number_holds(const struct requirement *r, const char *value)
{
	uint64_t have, limit;

	if (!util_parse_u64(value, &have) ||
	    !util_parse_u64(r->values[0], &limit))
		return false;
	return r->op == OP_GREATER ? have > limit : have < limit;
}

static bool
holds(const struct requirement *r, const char *value)
{
	switch (r->op) {
	case OP_IN:
		return value != NULL && value_listed(r, value);
	case OP_NOT_IN:
		return value == NULL || !value_listed(r, value);
	case OP_EXISTS:
		return value != NULL;
	case OP_NOT_EXISTS:
		return value == NULL;
	case OP_GREATER:
	case OP_LESS:
		return value != NULL && number_holds(r, value);
	}
	return false;
}

bool
selector_matches(const struct selector *s, const json_t *obj)
{
	const json_t *labels;

	if (obj == NULL)
		return false;
	if (s == NULL)
		return true;
	labels = json_at(obj, "metadata", "labels", NULL);
	for (const struct requirement *r = s->first; r != NULL; r = r->next) {
		const char *v = s->fields ? field_value(obj, r->key)
					  : json_str(labels, r->key);

		if (!holds(r, v))
			return false;
	}
	return true;
}
