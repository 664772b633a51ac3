/*
 * YAML to a jansson tree on libyaml's events, with an explicit stack, so that
 * every limit is checked before anything grows. What a plain scalar is says
 * yamlx_plain.c.
 */
#include "base/yamlx.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "yamlx_plain.h"

#define NODES_MAX 20000
/* Of %TAG directives, which nobody uses: libyaml compares each with all before
 * it, and a megabyte of them kept it busy for seconds. */
#define TAGS_MAX   16
#define TAG_PREFIX "tag:yaml.org,2002:"

/*
 * libyaml has no allocator to set, but calls its own allocation functions
 * through the dynamic linker: these take their place in a dynamically linked
 * program, so that values do not stay in freed memory.
 */
#define INTERPOSED __attribute__((visibility("default"), used))
void *yaml_malloc(size_t size);
void *yaml_realloc(void *p, size_t size);
void yaml_free(void *p);
yaml_char_t *yaml_strdup(const yaml_char_t *s);

INTERPOSED void *
yaml_malloc(size_t size)
{
	return xmalloc(size);
}

INTERPOSED void *
yaml_realloc(void *p, size_t size)
{
	return mem_realloc_wiped(p, size);
}

INTERPOSED void
yaml_free(void *p)
{
	mem_free_wiped(p);
}

INTERPOSED yaml_char_t *
yaml_strdup(const yaml_char_t *s)
{
	return s == NULL ? NULL : (yaml_char_t *)xstrdup((const char *)s);
}

struct level {
	json_t *container; /* owned by its parent, the first by the caller */
	json_t *key;	   /* of a mapping, once seen: a string */
};

struct reader {
	yaml_parser_t parser;
	struct level stack[YAMLX_DEPTH_MAX];
	unsigned depth;
	unsigned nodes, nodes_max;
	json_t *root;
	struct err *err;
};

static int
fail(struct reader *r, const yaml_event_t *ev, const char *what)
{
	return err_set(r->err, ERR_INVALID, "yaml: line %zu: %s",
	    ev->start_mark.line + 1, what);
}

/* libyaml's texts are constants, none quotes the document. */
static int
parser_error(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	const char *what = p->problem != NULL ? p->problem : "malformed";

	if (p->error == YAML_READER_ERROR)
		return err_set(r->err, ERR_INVALID, "yaml: offset %zu: %s",
		    p->problem_offset, what);
	return err_set(r->err, ERR_INVALID, "yaml: line %zu: %s",
	    p->problem_mark.line + 1, what);
}

/* What a plain or tagged scalar is; NULL with err set where it is refused. */
static json_t *
resolve_scalar(struct reader *r, const yaml_event_t *ev, const char *tag)
{
	const char *s = (const char *)ev->data.scalar.value;
	size_t len = ev->data.scalar.length;
	json_t *v = NULL;

	if (strlen(s) == len && *tag != 's') {
		if (yamlx_plain_is_not_finite(s)) {
			(void)fail(r, ev, "infinity and NaN have no JSON form");
			return NULL;
		}
		v = yamlx_plain_value(s);
	}
	if (v == NULL)
		v = json_stringn(s, len);
	if (v == NULL)
		(void)fail(r, ev, "invalid UTF-8");
	return v;
}

static bool
fits_tag(const json_t *v, const char *tag)
{
	static const struct {
		const char *tag;
		const char *type;
	} tags[] = {
		{ "str", "string" },
		{ "int", "number" },
		{ "float", "number" },
		{ "bool", "boolean" },
		{ "null", "null" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(tags); i++)
		if (strcmp(tag, tags[i].tag) == 0)
			return strcmp(jsonx_type_name(v), tags[i].type) == 0 &&
			    (*tag != 'i' || json_is_integer(v));
	return false;
}

static json_t *
read_scalar(struct reader *r, const yaml_event_t *ev)
{
	const char *tag = (const char *)ev->data.scalar.tag;
	bool plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	json_t *v;

	if (tag == NULL || *tag == '\0')
		return resolve_scalar(r, ev, plain ? "" : "str");
	if (strcmp(tag, "!") == 0)
		return resolve_scalar(r, ev, "str");
	if (strncmp(tag, TAG_PREFIX, strlen(TAG_PREFIX)) != 0) {
		(void)fail(r, ev, "tag not supported");
		return NULL;
	}
	tag += strlen(TAG_PREFIX);
	v = resolve_scalar(r, ev, tag);
	if (v == NULL)
		return NULL;
	if (!fits_tag(v, tag)) {
		json_decref(v);
		(void)fail(r, ev, "value does not fit its tag");
		return NULL;
	}
	return v;
}

/* The member name a scalar key stands for, as a JSON string; steals v. */
static json_t *
key_of(struct reader *r, const yaml_event_t *ev, json_t *v)
{
	char text[64];

	if (json_is_string(v)) {
		if (ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
		    strcmp(json_string_value(v), "<<") == 0)
			goto refused;
		if (strlen(json_string_value(v)) != json_string_length(v))
			goto refused;
		return v;
	}
	if (json_is_integer(v))
		(void)snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT,
		    json_integer_value(v));
	else if (json_is_boolean(v))
		(void)snprintf(text, sizeof(text), "%s",
		    json_is_true(v) ? "true" : "false");
	else
		goto refused;
	json_decref(v);
	return json_string(text);
refused:
	json_decref(v);
	(void)fail(r, ev, "mapping key not supported");
	return NULL;
}

/* Puts v where the next node belongs; steals v. */
static int
place(struct reader *r, const yaml_event_t *ev, json_t *v)
{
	struct level *top;

	if (r->depth == 0) {
		r->root = v;
		return 0;
	}
	top = &r->stack[r->depth - 1];
	if (json_is_array(top->container)) {
		if (json_array_append_new(top->container, v) == 0)
			return 0;
		return fail(r, ev, "invalid value");
	}
	if (json_object_set_new(
		top->container, json_string_value(top->key), v) != 0)
		return fail(r, ev, "invalid value");
	json_decref(top->key);
	top->key = NULL;
	return 0;
}

static bool
wants_key(const struct reader *r)
{
	const struct level *top;

	if (r->depth == 0)
		return false;
	top = &r->stack[r->depth - 1];
	return json_is_object(top->container) && top->key == NULL;
}

static int
on_scalar(struct reader *r, const yaml_event_t *ev)
{
	json_t *v = read_scalar(r, ev);
	struct level *top;

	if (v == NULL)
		return -1;
	if (!wants_key(r))
		return place(r, ev, v);
	v = key_of(r, ev, v);
	if (v == NULL)
		return -1;
	top = &r->stack[r->depth - 1];
	if (json_object_get(top->container, json_string_value(v)) != NULL) {
		json_decref(v);
		return fail(r, ev, "duplicate mapping key");
	}
	top->key = v;
	return 0;
}

static int
on_start(struct reader *r, const yaml_event_t *ev, json_t *container,
    const yaml_char_t *tag, const char *standard)
{
	if (tag != NULL && *tag != '\0' &&
	    strcmp((const char *)tag, standard) != 0) {
		json_decref(container);
		return fail(r, ev, "tag not supported");
	}
	if (wants_key(r)) {
		json_decref(container);
		return fail(r, ev, "mapping key not supported");
	}
	if (r->depth == YAMLX_DEPTH_MAX) {
		json_decref(container);
		return fail(r, ev, "nested too deep");
	}
	if (place(r, ev, container) < 0)
		return -1;
	r->stack[r->depth++] = (struct level) { .container = container };
	return 0;
}

/* 1: the document is complete, 0: go on, -1: refused. */
static int
on_event(struct reader *r, const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_SCALAR_EVENT:
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		if (++r->nodes > r->nodes_max)
			return fail(r, ev, "too many nodes");
		break;
	default:
		break;
	}
	switch (ev->type) {
	case YAML_SCALAR_EVENT:
		return on_scalar(r, ev);
	case YAML_SEQUENCE_START_EVENT:
		return on_start(r, ev, json_array(),
		    ev->data.sequence_start.tag, TAG_PREFIX "seq");
	case YAML_MAPPING_START_EVENT:
		return on_start(r, ev, json_object(),
		    ev->data.mapping_start.tag, TAG_PREFIX "map");
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		r->depth--;
		return 0;
	case YAML_ALIAS_EVENT:
		return fail(r, ev, "aliases are not supported");
	case YAML_DOCUMENT_END_EVENT:
	case YAML_STREAM_END_EVENT:
		return 1;
	default:
		return 0;
	}
}

/* Next event to on_event(). */
static int
step(struct reader *r)
{
	yaml_event_t ev;
	int rc;

	if (!yaml_parser_parse(&r->parser, &ev))
		return parser_error(r);
	rc = on_event(r, &ev);
	yaml_event_delete(&ev);
	return rc;
}

/* Whether something follows the first document. */
static int
peek_more(struct reader *r, bool *more)
{
	yaml_event_t ev;

	if (!yaml_parser_parse(&r->parser, &ev))
		return parser_error(r);
	*more = ev.type == YAML_DOCUMENT_START_EVENT;
	yaml_event_delete(&ev);
	return 0;
}

static unsigned
count_nodes(const json_t *v)
{
	unsigned n = 1;
	size_t i;
	const char *key;
	json_t *child;

	if (json_is_object(v)) {
		json_object_foreach((json_t *)(uintptr_t)v, key, child) n +=
		    1 + count_nodes(child);
	} else if (json_is_array(v)) {
		json_array_foreach(v, i, child) n += count_nodes(child);
	}
	return n;
}

/*
 * YAML contains JSON, but libyaml refuses its surrogate pairs; whatever reads
 * as JSON is therefore taken as JSON. NULL: not JSON.
 */
static json_t *
try_json(const char *p, size_t len)
{
	struct err ignored = ERR_INIT;
	json_t *v = NULL;
	size_t i = 0;

	while (i < len && strchr(" \t\r\n", p[i]) != NULL && p[i] != '\0')
		i++;
	if (i == len || (p[i] != '{' && p[i] != '['))
		return NULL;
	if (jsonx_parse(p, len, JSONX_REJECT_DUPLICATES, &v, &ignored) < 0)
		return NULL;
	return v;
}

static bool
has_many_tag_directives(const char *p, size_t len)
{
	static const char word[] = "%TAG";
	const char *end = p + len;
	unsigned n = 0;

	while (n <= TAGS_MAX &&
	    (p = memmem(p, (size_t)(end - p), word, 4)) != NULL) {
		p += 4;
		n++;
	}
	return n > TAGS_MAX;
}

static int
read_document(struct reader *r)
{
	int rc;

	do
		rc = step(r);
	while (rc == 0);
	return rc;
}

static int
read_first(struct reader *r, bool *more)
{
	*more = false;
	if (read_document(r) < 0)
		return -1;
	/* No document at all: null. Nothing follows the end of the stream. */
	if (r->root == NULL) {
		r->root = json_null();
		return 0;
	}
	return peek_more(r, more);
}

/* Appends to all, which belongs to the caller. */
static int
read_all(struct reader *r, json_t *all)
{
	for (;;) {
		if (read_document(r) < 0)
			return -1;
		if (r->root == NULL)
			return 0;
		if (json_array_append_new(all, STEAL(r->root)) != 0)
			abort();
	}
}

static void
reader_start(struct reader *r, const char *p, size_t len)
{
	if (!yaml_parser_initialize(&r->parser))
		abort();
	/* No UTF-16: the search for directives would not see through it. */
	yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r->parser, (const unsigned char *)p, len);
}

static void
reader_end(struct reader *r)
{
	for (unsigned i = 0; i < r->depth; i++)
		json_decref(r->stack[i].key);
	yaml_parser_delete(&r->parser);
}

/* What reads as JSON; *ret is NULL where it does not. */
static int
read_json(const char *p, size_t len, unsigned nodes_max, json_t **ret,
    struct err *err)
{
	json_t *v = try_json(p, len);

	if (v != NULL && count_nodes(v) > nodes_max) {
		json_decref(v);
		return err_set(err, ERR_INVALID, "yaml: too many nodes");
	}
	if (v == NULL && has_many_tag_directives(p, len))
		return err_set(err, ERR_INVALID, "yaml: too many directives");
	*ret = v;
	return 0;
}

int
yamlx_parse(
    const char *p, size_t len, json_t **ret, bool *more, struct err *err)
{
	struct reader r = { .err = err, .nodes_max = NODES_MAX };
	json_t *v = NULL;
	bool follows = false;
	int rc;

	if (read_json(p, len, NODES_MAX, &v, err) < 0)
		return -1;
	if (v == NULL) {
		reader_start(&r, p, len);
		rc = read_first(&r, &follows);
		reader_end(&r);
		if (rc < 0) {
			json_decref(r.root);
			return -1;
		}
		v = r.root;
	}
	if (more != NULL)
		*more = follows;
	*ret = v;
	return 0;
}

int
yamlx_parse_all(const char *p, size_t len, unsigned nodes_max, json_t **ret,
    struct err *err)
{
	struct reader r = { .err = err, .nodes_max = nodes_max };
	AUTO_JSON json_t *all = json_array();
	json_t *v = NULL;
	int rc = 0;

	if (read_json(p, len, nodes_max, &v, err) < 0)
		return -1;
	if (v != NULL) {
		if (json_array_append_new(all, v) != 0)
			abort();
	} else {
		reader_start(&r, p, len);
		rc = read_all(&r, all);
		reader_end(&r);
		json_decref(r.root);
	}
	if (rc == 0)
		*ret = STEAL(all);
	return rc;
}
