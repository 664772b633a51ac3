/*
 * A jansson tree to YAML on libyaml's emitter. What it allocates passes through
 * the functions in yamlx.c.
 */
#include "base/yamlx.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "yamlx_plain.h"

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
	if (yamlx_plain_digits(s) == 4 && s[4] == '-')
		return true;
	if (*s == '+' || *s == '-')
		s++;
	return yamlx_plain_digits(s) > 0 && strchr(s, ':') != NULL;
}

static bool
reads_as_text(const char *s, size_t len)
{
	AUTO_JSON json_t *other = NULL;

	if (strlen(s) != len)
		return true;
	other = yamlx_plain_value(s);
	return other == NULL && !yamlx_plain_is_not_finite(s) &&
	    strcmp(s, "<<") != 0 && !looks_like_time(s);
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
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(YAMLX_NUMBER_MAX);

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
	if (depth > YAMLX_DEPTH_MAX)
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
