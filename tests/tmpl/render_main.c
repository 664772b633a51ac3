/*
 * Renders templates: JSON lines in, JSON lines out; see README.md.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/codec.h"
#include "base/jsonx.h"
#include "base/mem.h"
#include "tmpl/tmpl.h"

#define LINE_MAX_BYTES (64u * 1024 * 1024)
#define ITEMS_MAX      1024

struct job {
	struct tmpl_source sources[ITEMS_MAX];
	struct tmpl_datum data[ITEMS_MAX];
	struct buf bytes[2 * ITEMS_MAX];
	size_t nbytes;
	struct tmpl_input in;
	int64_t now_s;
};

static uint64_t
job_mono(void *ctx)
{
	(void)ctx;
	return clock_mono_ns(&clock_system);
}

static int64_t
job_wall(void *ctx)
{
	const struct job *j = ctx;

	return j->now_s * (int64_t)NS_PER_S;
}

static int
decode(struct job *j, const json_t *v, const char **p, size_t *len,
    struct err *err)
{
	struct buf *b = &j->bytes[j->nbytes++];

	buf_init(b, LINE_MAX_BYTES);
	if (!json_is_string(v))
		return err_set(err, ERR_INVALID, "expected a string");
	if (base64_decode(json_string_value(v), json_string_length(v), b, err) <
	    0)
		return -1;
	*p = buf_str(b);
	*len = b->len;
	return 0;
}

static int
add_source(struct job *j, const char *name, const json_t *v, bool base64,
    struct err *err)
{
	struct tmpl_source *s = &j->sources[j->in.nsources];

	if (j->in.nsources == ITEMS_MAX)
		return err_set(err, ERR_TOOBIG, "too many templates");
	j->in.nsources++;
	s->name = name;
	if (json_is_null(v))
		return 0;
	if (base64)
		return decode(j, v, &s->text, &s->len, err);
	if (!json_is_string(v))
		return err_set(err, ERR_INVALID, "expected a string");
	s->text = json_string_value(v);
	s->len = json_string_length(v);
	return 0;
}

static int
add_datum(struct job *j, const char *name, const json_t *v, struct err *err)
{
	struct tmpl_datum *d = &j->data[j->in.ndata];
	const char *p;

	if (j->in.ndata == ITEMS_MAX)
		return err_set(err, ERR_TOOBIG, "too many data");
	j->in.ndata++;
	d->name = name;
	if (decode(j, v, &p, &d->len, err) < 0)
		return -1;
	d->data = p;
	return 0;
}

static int
read_job(struct job *j, json_t *line, struct err *err)
{
	const char *name;
	json_t *v;

	json_object_foreach(json_object_get(line, "templates"), name, v)
	{
		if (add_source(j, name, v, false, err) < 0)
			return err_wrap(err, "templates: %s", name);
	}
	json_object_foreach(json_object_get(line, "templates64"), name, v)
	{
		if (add_source(j, name, v, true, err) < 0)
			return err_wrap(err, "templates64: %s", name);
	}
	json_object_foreach(json_object_get(line, "data"), name, v)
	{
		if (add_datum(j, name, v, err) < 0)
			return err_wrap(err, "data: %s", name);
	}
	return 0;
}

static json_t *
encoded(const char *p, size_t len)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(LINE_MAX_BYTES);
	struct err err = ERR_INIT;

	if (base64_encode(p, len, &b, &err) < 0)
		return json_null();
	return json_stringn(buf_str(&b), b.len);
}

static json_t *
render(const struct tmpl_input *in)
{
	AUTO(tmpl_result) struct tmpl_result *r = tmpl_render(in);
	json_t *ret = json_object(), *out = json_object();
	json_t *errors = json_object();

	for (size_t i = 0; i < r->noutputs; i++) {
		const struct tmpl_output *o = &r->outputs[i];

		if (o->error != NULL)
			jsonx_set_str(errors, o->name, o->error);
		else if (o->data != NULL)
			json_object_set_new(
			    out, o->name, encoded(o->data, o->len));
		else
			json_object_set_new(out, o->name, json_null());
	}
	json_object_set_new(ret, "out", out);
	if (json_object_size(errors) > 0)
		json_object_set(ret, "errors", errors);
	json_decref(errors);
	if (r->varies)
		json_object_set_new(ret, "varies", json_true());
	return ret;
}

static json_t *
answer(const char *line, size_t len)
{
	struct job *j = xcalloc(1, sizeof(*j));
	struct err err = ERR_INIT;
	json_error_t where;
	AUTO_JSON json_t *v = json_loadb(line, len, JSON_ALLOW_NUL, &where);
	struct clock clock = {
		.ctx = j, .mono_ns = job_mono, .wall_ns = job_wall
	};
	json_t *ret;

	j->in.sources = j->sources;
	j->in.data = j->data;
	if (json_is_integer(json_object_get(v, "clock"))) {
		j->now_s = json_integer_value(json_object_get(v, "clock"));
		j->in.clock = &clock;
	}
	if (v == NULL)
		(void)err_set(&err, ERR_INVALID, "%s", where.text);
	if (v == NULL || read_job(j, v, &err) < 0)
		ret = json_pack("{s:s}", "fatal", err.msg);
	else
		ret = render(&j->in);
	for (size_t i = 0; i < j->nbytes; i++)
		buf_release(&j->bytes[i]);
	free(j);
	return ret;
}

int
main(void)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;

	mem_install_hooks();
	while ((len = getline(&line, &cap, stdin)) > 0) {
		AUTO_JSON json_t *v = answer(line, (size_t)len);

		if (json_dumpf(v, stdout, JSON_COMPACT) < 0 ||
		    putchar('\n') == EOF || fflush(stdout) != 0)
			return 1;
	}
	free(line);
	return 0;
}
