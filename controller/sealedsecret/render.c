/*
 * spec.template.data: templates over the items that were opened.
 */
#include "render.h"

#include <string.h>

#include "base/buf.h"
#include "base/codec.h"
#include "base/jsonx.h"
#include "base/mem.h"
#include "desired.h"
#include "keystore/seal.h"
#include "sealedsecret.h"
#include "sealedsecret/unseal.h"
#include "tmpl/tmpl.h"

/* What the templates are given; texts are borrowed from the object. */
struct inputs {
	struct tmpl_source *sources;
	size_t nsources;
	struct tmpl_datum *data;
	size_t ndata;
	struct buf *plain; /* decoded items, the first of data */
	size_t nplain;
};

static void
inputs_release(struct inputs *in)
{
	for (size_t i = 0; i < in->nplain; i++)
		buf_release(&in->plain[i]);
	mem_free_wiped(in->plain);
	mem_free_wiped(in->data);
	mem_free_wiped(in->sources);
}

DEFINE_AUTO_RELEASE(inputs);

static void
add_datum(struct inputs *in, const char *name, const void *p, size_t len)
{
	in->data[in->ndata++] =
	    (struct tmpl_datum) { .name = name, .data = p, .len = len };
}

/* Our own base64, so that it cannot fail. */
static void
add_items(struct inputs *in, const json_t *data)
{
	struct err err = ERR_INIT;
	const char *name;
	json_t *v;

	in->plain = xcalloc(json_object_size(data) + 1, sizeof(*in->plain));
	json_object_foreach((json_t *)data, name, v)
	{
		struct buf *b = &in->plain[in->nplain++];

		buf_init(b, SEAL_BLOB_MAX);
		if (base64_decode(json_string_value(v), json_string_length(v),
			b, &err) == 0)
			add_datum(in, name, buf_str(b), b->len);
	}
}

/* A template, or an error about what is none. */
static void
add_template(struct inputs *in, const char *name, const json_t *v,
    const json_t *sealed, struct itemerrs *errs)
{
	struct err err = ERR_INIT;
	const char *text = json_string_value(v);

	if (text == NULL && !json_is_null(v)) {
		(void)err_set(&err, ERR_INVALID,
		    "template: expected text or null, got %s",
		    jsonx_type_name(v));
		itemerrs_add(
		    errs, name, strlen(name), ERR_INVALID, err.msg, NULL);
		return;
	}
	in->sources[in->nsources++] = (struct tmpl_source) {
		.name = name, .text = text, .len = json_string_length(v)
	};
	if (text != NULL && json_object_get(sealed, name) == NULL)
		add_datum(in, name, text, json_string_length(v));
}

static void
gather(struct inputs *in, const json_t *templates, const json_t *sealed,
    const json_t *data, struct itemerrs *errs)
{
	size_t n = json_object_size(templates);
	const char *name;
	json_t *v;

	in->sources = xcalloc(n, sizeof(*in->sources));
	in->data = xcalloc(n + json_object_size(data), sizeof(*in->data));
	add_items(in, data);
	json_object_foreach((json_t *)templates, name, v)
	{
		if (sealedsecret_valid_item(name, strlen(name)))
			add_template(in, name, v, sealed, errs);
		else
			itemerrs_add(errs, name, strlen(name), ERR_INVALID,
			    "invalid key name", NULL);
	}
}

static void
take(const struct tmpl_source *src, const struct tmpl_output *out,
    const json_t *sealed, json_t *data, struct itemerrs *errs)
{
	struct err err = ERR_INIT;
	json_t *value = NULL;

	if (src->text == NULL) {
		(void)json_object_del(data, src->name);
	} else if (out->error != NULL) {
		itemerrs_add(errs, src->name, strlen(src->name), ERR_INVALID,
		    out->error, NULL);
	} else if (json_object_get(sealed, src->name) == NULL) {
		if (desired_value(out->data, out->len, &value, &err) == 0)
			jsonx_set(data, src->name, value);
		else
			itemerrs_add(errs, src->name, strlen(src->name),
			    err.code, err.msg, NULL);
	}
}

int
render_templates(const json_t *templates, const json_t *sealed, json_t *data,
    struct itemerrs *errs, struct err *err)
{
	AUTO_RELEASE(inputs) struct inputs in = { .nsources = 0 };
	AUTO(tmpl_result) struct tmpl_result *res = NULL;
	size_t n = json_object_size(templates);

	if (n == 0)
		return 0;
	if (n > UNSEAL_ITEMS_MAX)
		return err_set(err, ERR_TOOBIG,
		    "too many templates (%zu, limit %d)", n, UNSEAL_ITEMS_MAX);
	gather(&in, templates, sealed, data, errs);
	res = tmpl_render(&(struct tmpl_input) {
	    .sources = in.sources,
	    .nsources = in.nsources,
	    .data = in.data,
	    .ndata = in.ndata,
	});
	for (size_t i = 0; i < in.nsources; i++)
		take(&in.sources[i], &res->outputs[i], sealed, data, errs);
	return 0;
}
