/*
 * The templates of one object: parse, execute, collect.
 */
#include "tmpl/tmpl.h"

#include <string.h>

#include "base/mem.h"
#include "dict.h"
#include "exec.h"

/* Without the name and position that exec adds. */
static char *
plain_error(const char *name, const char *cause)
{
	return xasprintf("template: %s: %s", name, cause);
}

static int
make_dot(struct env *e, const struct tmpl_input *in, struct value *ret)
{
	if (dict_new(e, &type_strmap, ret) < 0)
		return -1;
	for (size_t i = 0; i < in->ndata; i++) {
		const struct tmpl_datum *d = &in->data[i];

		if (dict_set(e, ret, d->name, strlen(d->name),
			value_str(d->data, d->len)) < 0)
			return -1;
	}
	return 0;
}

static int
render(struct env *e, const struct tmpl_source *src, const struct value *dot,
    struct text *out)
{
	struct tree_set set;

	if (parse_source(e, src->name, src->text, src->len, &set) < 0)
		return -1;
	return exec_template(e, &set, dot, out);
}

/* Takes the pending error, as it reads outside. */
static char *
take_error(struct env *e, const char *name)
{
	char *error;

	if (e->fault != NULL && strncmp(e->fault, "template: ", 10) == 0) {
		error = xstrdup(e->fault);
	} else if (e->exhausted) {
		AUTO_STR char *cause =
		    xasprintf("out of budget: %s", e->exhausted_of);

		error = plain_error(name, cause);
	} else {
		error =
		    plain_error(name, e->fault == NULL ? "failed" : e->fault);
	}
	mem_free_wiped(e->fault);
	e->fault = NULL;
	return error;
}

static void
render_one(struct env *e, const struct tmpl_source *src,
    const struct value *dot, struct tmpl_output *ret)
{
	struct text out;

	if (src->text == NULL)
		return;
	text_init(&out, e);
	if (render(e, src, dot, &out) < 0) {
		ret->error = take_error(e, src->name);
		return;
	}
	ret->len = out.len;
	ret->data = xmalloc(out.len + 1);
	if (out.len > 0)
		memcpy(ret->data, out.data, out.len);
	ret->data[out.len] = '\0';
}

struct tmpl_result *
tmpl_render(const struct tmpl_input *in)
{
	const struct tmpl_budget *budget =
	    in->budget == NULL ? &tmpl_budget_default : in->budget;
	struct tmpl_result *r = xcalloc(1, sizeof(*r));
	struct value dot = value_nil();
	struct env e;

	env_init(&e, budget, in->clock == NULL ? &clock_system : in->clock);
	r->outputs = xcalloc(in->nsources + 1, sizeof(*r->outputs));
	r->noutputs = in->nsources;
	/* Where dot does not fit, the budget is used up and every template
	 * says so. */
	(void)make_dot(&e, in, &dot);
	for (size_t i = 0; i < in->nsources; i++) {
		r->outputs[i].name = in->sources[i].name;
		render_one(&e, &in->sources[i], &dot, &r->outputs[i]);
		r->nerrors += r->outputs[i].error != NULL;
	}
	r->varies = e.varies;
	env_release(&e);
	return r;
}

void
tmpl_result_free(struct tmpl_result *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->noutputs; i++) {
		mem_free_wiped(r->outputs[i].data);
		mem_free_wiped(r->outputs[i].error);
	}
	mem_free_wiped(r->outputs);
	mem_free_wiped(r);
}
