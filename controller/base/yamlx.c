/*
 * YAML to a jansson tree on libyaml's events, with an explicit stack, so that
 * every limit is checked before anything grows. Plain scalars follow
 * sigs.k8s.io/yaml (goyaml.v2), which kubectl and the reference controller
 * use: y, yes, on, n, no and off are booleans too.
 */
#include "base/yamlx.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/jsonx.h"
#include "base/mem.h"

#define DEPTH_MAX 64
#define NODES_MAX 20000
/* Of %TAG directives, which nobody uses: libyaml compares each with all before
 * it, and a megabyte of them kept it busy for seconds. */
#define TAGS_MAX 16
/* A plain scalar of a number's form that is longer is text. */
#define NUMBER_MAX 400
/* Up to here a double holds every whole number. */
#define WHOLE_MAX  9007199254740992.0
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
	struct level stack[DEPTH_MAX];
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

static bool
is_one_of(const char *s, const char *const words[])
{
	for (; *words != NULL; words++)
		if (strcmp(s, *words) == 0)
			return true;
	return false;
}

/* A word of the core rules, NULL: none. */
static json_t *
resolve_word(const char *s)
{
	static const char *const yes[] = { "y", "Y", "yes", "Yes", "YES",
		"true", "True", "TRUE", "on", "On", "ON", NULL };
	static const char *const no[] = { "n", "N", "no", "No", "NO", "false",
		"False", "FALSE", "off", "Off", "OFF", NULL };
	static const char *const none[] = { "", "~", "null", "Null", "NULL",
		NULL };

	if (is_one_of(s, yes))
		return json_true();
	if (is_one_of(s, no))
		return json_false();
	if (is_one_of(s, none))
		return json_null();
	return NULL;
}

/* JSON cannot say these, and neither can the reference. */
static bool
is_not_finite(const char *s)
{
	static const char *const words[] = { ".nan", ".NaN", ".NAN", ".inf",
		".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf",
		"-.INF", NULL };

	return is_one_of(s, words);
}

/* Digits of the base Go's ParseInt(s, 0, 64) sees in front of them. */
static int
split_base(const char **s)
{
	const char *p = *s;
	int base = 10;

	if (p[0] != '0' || p[1] == '\0')
		return 10;
	switch (p[1]) {
	case 'x':
	case 'X':
		base = 16;
		break;
	case 'b':
	case 'B':
		base = 2;
		break;
	case 'o':
	case 'O':
		base = 8;
		break;
	default:
		*s = p + 1;
		return 8;
	}
	*s = p + 2;
	return base;
}

static json_t *
resolve_int(const char *s)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	bool neg = *s == '-';
	unsigned long long v;
	size_t allowed;
	int base;
	char *end;

	if (*s == '-' || *s == '+')
		s++;
	base = split_base(&s);
	allowed = base == 16 ? strlen(digits) : (size_t)base;
	if (*s == '\0')
		return NULL;
	for (const char *p = s; *p != '\0'; p++) {
		const char *d = strchr(digits, *p);

		if (d == NULL || (size_t)(d - digits) >= allowed)
			return NULL;
	}
	errno = 0;
	v = strtoull(s, &end, base);
	if (errno != 0 || *end != '\0')
		return NULL;
	if (neg && v == 1ULL + LLONG_MAX)
		return json_integer(LLONG_MIN);
	if (v > LLONG_MAX)
		return neg ? NULL : json_real((double)v);
	return json_integer(neg ? -(json_int_t)v : (json_int_t)v);
}

static size_t
span_digits(const char *s)
{
	return strspn(s, "0123456789");
}

/* [-+]? ( . digits | digits ( . digits? )? ) ( [eE] [-+]? digits )? */
static bool
is_float(const char *s)
{
	size_t before, after = 0;

	if (*s == '-' || *s == '+')
		s++;
	before = span_digits(s);
	s += before;
	if (*s == '.') {
		after = span_digits(++s);
		s += after;
	}
	if (before == 0 && after == 0)
		return false;
	if (*s != 'e' && *s != 'E')
		return *s == '\0';
	s++;
	if (*s == '-' || *s == '+')
		s++;
	return *s != '\0' && s[span_digits(s)] == '\0';
}

/* A whole number loses its point, as in the JSON the reference makes. */
static json_t *
from_double(double d)
{
	if (fabs(d) < WHOLE_MAX && d == (double)(json_int_t)d)
		return json_integer((json_int_t)d);
	return json_real(d);
}

/* A number, NULL: none. strtod() is safe here: the program never leaves the C
 * locale. */
static json_t *
resolve_number(const char *s)
{
	char plain[NUMBER_MAX];
	size_t n = 0;
	json_t *v;
	double d;

	if (strchr("+-.0123456789", *s) == NULL || strlen(s) >= sizeof(plain))
		return NULL;
	for (; *s != '\0'; s++)
		if (*s != '_')
			plain[n++] = *s;
	plain[n] = '\0';
	v = resolve_int(plain);
	if (v != NULL || !is_float(plain))
		return v;
	d = strtod(plain, NULL);
	return isfinite(d) ? from_double(d) : NULL;
}

/* What a plain or tagged scalar is; NULL with err set where it is refused. */
static json_t *
resolve_scalar(struct reader *r, const yaml_event_t *ev, const char *tag)
{
	const char *s = (const char *)ev->data.scalar.value;
	size_t len = ev->data.scalar.length;
	json_t *v = NULL;

	if (strlen(s) == len && *tag != 's') {
		if (is_not_finite(s)) {
			(void)fail(r, ev, "infinity and NaN have no JSON form");
			return NULL;
		}
		v = resolve_word(s);
		if (v == NULL)
			v = resolve_number(s);
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
	if (r->depth == DEPTH_MAX) {
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

/* ---- writing ---- */

struct writer {
	yaml_emitter_t emitter;
	struct buf *out;
	struct err *err;
};

static int
on_write(void *ctx, unsigned char *p, size_t len)
{
	struct writer *w = ctx;

	return buf_append(w->out, p, len, w->err) == 0;
}

/* The emitter takes the event over, also where it fails. */
static int
emit(struct writer *w, yaml_event_t *ev, int made)
{
	if (!made)
		abort();
	if (yaml_emitter_emit(&w->emitter, ev))
		return 0;
	if (w->err->code == ERR_NONE)
		err_set(w->err, ERR_INVALID, "yaml: cannot be written");
	return -1;
}

static int
emit_scalar(
    struct writer *w, const char *s, size_t len, yaml_scalar_style_t style)
{
	yaml_event_t ev;

	return emit(w, &ev,
	    yaml_scalar_event_initialize(&ev, NULL, NULL,
		(const yaml_char_t *)s, (int)len, 1, 1, style));
}

/* A date, or a number of base 60: some readers know these, ours does not. */
static bool
looks_like_time(const char *s)
{
	if (span_digits(s) == 4 && s[4] == '-')
		return true;
	if (*s == '+' || *s == '-')
		s++;
	return span_digits(s) > 0 && strchr(s, ':') != NULL;
}

static bool
reads_as_text(const char *s, size_t len)
{
	json_t *number;

	if (strlen(s) != len)
		return true;
	if (resolve_word(s) != NULL || is_not_finite(s) ||
	    strcmp(s, "<<") == 0 || looks_like_time(s))
		return false;
	number = resolve_number(s);
	json_decref(number);
	return number == NULL;
}

static int
emit_text(struct writer *w, const char *s, size_t len)
{
	yaml_scalar_style_t style = YAML_PLAIN_SCALAR_STYLE;

	if (len > INT_MAX)
		return err_set(w->err, ERR_TOOBIG, "yaml: text is too long");
	if (memchr(s, '\n', len) != NULL)
		style = YAML_LITERAL_SCALAR_STYLE;
	else if (!reads_as_text(s, len))
		style = YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	return emit_scalar(w, s, len, style);
}

/* A number, a boolean or null. */
static int
emit_word(struct writer *w, const json_t *v)
{
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(NUMBER_MAX);

	if (jsonx_dump(v, &text, w->err) < 0)
		return -1;
	return emit_scalar(w, text.data, text.len, YAML_PLAIN_SCALAR_STYLE);
}

static int emit_value(struct writer *w, const json_t *v, unsigned depth);

static int
emit_array(struct writer *w, const json_t *v, unsigned depth)
{
	yaml_event_t ev;
	json_t *child;
	size_t i;

	if (emit(w, &ev,
		yaml_sequence_start_event_initialize(
		    &ev, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE)) < 0)
		return -1;
	json_array_foreach(v, i, child)
	{
		if (emit_value(w, child, depth + 1) < 0)
			return -1;
	}
	return emit(w, &ev, yaml_sequence_end_event_initialize(&ev));
}

static int
by_name(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* Member names sorted; freed with the array alone. */
static const char **
sorted_names(const json_t *v)
{
	const char **names =
	    xreallocarray(NULL, json_object_size(v) + 1, sizeof(*names));
	const char *name;
	json_t *child;
	size_t n = 0;

	json_object_foreach((json_t *)(uintptr_t)v, name, child) names[n++] =
	    name;
	qsort(names, n, sizeof(*names), by_name);
	names[n] = NULL;
	return names;
}

static int
emit_object(struct writer *w, const json_t *v, unsigned depth)
{
	const char **names;
	yaml_event_t ev;
	int rc;

	if (emit(w, &ev,
		yaml_mapping_start_event_initialize(
		    &ev, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE)) < 0)
		return -1;
	names = sorted_names(v);
	rc = 0;
	for (size_t i = 0; rc == 0 && names[i] != NULL; i++) {
		rc = emit_text(w, names[i], strlen(names[i]));
		if (rc == 0)
			rc = emit_value(
			    w, json_object_get(v, names[i]), depth + 1);
	}
	free(names);
	return rc < 0 ? rc
		      : emit(w, &ev, yaml_mapping_end_event_initialize(&ev));
}

static int
emit_value(struct writer *w, const json_t *v, unsigned depth)
{
	if (depth > DEPTH_MAX)
		return err_set(w->err, ERR_TOOBIG, "yaml: nested too deep");
	if (json_is_object(v))
		return emit_object(w, v, depth);
	if (json_is_array(v))
		return emit_array(w, v, depth);
	if (json_is_string(v))
		return emit_text(
		    w, json_string_value(v), json_string_length(v));
	return emit_word(w, v);
}

int
yamlx_dump(const json_t *v, struct buf *out, struct err *err)
{
	struct writer w = { .out = out, .err = err };
	yaml_event_t ev;
	int rc;

	if (!yaml_emitter_initialize(&w.emitter))
		abort();
	yaml_emitter_set_output(&w.emitter, on_write, &w);
	yaml_emitter_set_unicode(&w.emitter, 1);
	yaml_emitter_set_width(&w.emitter, -1);
	rc = emit(&w, &ev,
	    yaml_stream_start_event_initialize(&ev, YAML_UTF8_ENCODING));
	if (rc == 0)
		rc = emit(&w, &ev,
		    yaml_document_start_event_initialize(
			&ev, NULL, NULL, NULL, 1));
	if (rc == 0)
		rc = emit_value(&w, v, 1);
	if (rc == 0)
		rc = emit(&w, &ev, yaml_document_end_event_initialize(&ev, 1));
	if (rc == 0)
		rc = emit(&w, &ev, yaml_stream_end_event_initialize(&ev));
	yaml_emitter_delete(&w.emitter);
	return rc;
}
