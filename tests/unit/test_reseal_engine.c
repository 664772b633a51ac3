/*
 * Verify and rotate never enter the template engine. This program is linked
 * without it: tmpl_render() here only counts who calls.
 * layer: reseal
 */
#include "sealedrig.h"
#include "sealedsecret/reseal.h"
#include "sealedsecret/unseal.h"
#include "tmpl/tmpl.h"

static struct rig rig;
static unsigned entries;

struct tmpl_result *
tmpl_render(const struct tmpl_input *in)
{
	struct tmpl_result *r = xcalloc(1, sizeof(*r));

	entries++;
	r->outputs = xcalloc(in->nsources, sizeof(*r->outputs));
	r->noutputs = in->nsources;
	for (size_t i = 0; i < in->nsources; i++)
		r->outputs[i] = (struct tmpl_output) {
			.name = in->sources[i].name,
			.data = xstrdup(""),
		};
	return r;
}

void
tmpl_result_free(struct tmpl_result *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->noutputs; i++)
		free(r->outputs[i].data);
	free(r->outputs);
	free(r);
}

static int
always(void *ctx UNUSED, struct err *err UNUSED)
{
	return 0;
}

/* Templates of all sorts: good, broken, costly, one that fails by itself. */
static json_t *
with_templates(void)
{
	static const char *const texts[] = { "{{ .k }}", "{{ .k",
		"{{ fail .k }}", "{{ range until 1000000000 }}x{{ end }}",
		"{{ genPrivateKey \"rsa\" }}", "" };
	json_t *obj = rig_sealed(&rig, "the plain text");
	json_t *data = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		AUTO_STR char *name = xasprintf("t%zu", i);

		jsonx_set_str(data, name, texts[i]);
	}
	jsonx_set(jsonx_object(obj, "spec", "template", NULL), "data", data);
	return obj;
}

static int
setup(void **state UNUSED)
{
	rig_init(&rig);
	entries = 0;
	return 0;
}

static int
teardown(void **state UNUSED)
{
	rig_release(&rig);
	return 0;
}

static void
verify_and_rotate_never_enter_the_template_engine(void **state UNUSED)
{
	static const struct reseal_options opt = { true, always, NULL };
	AUTO_JSON json_t *obj = with_templates();
	AUTO_JSON json_t *out = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(reseal_verify(rig.keys, obj, &opt, &err), 0);
	assert_int_equal(reseal_rotate(rig.keys, obj, &opt, &out, &err), 0);
	assert_int_equal(entries, 0);
	/* The texts come back as they were. */
	assert_true(json_equal(jsonx_get(obj, "spec", "template", "data", NULL),
	    jsonx_get(out, "spec", "template", "data", NULL)));
}

/* The counter counts: making the Secret of the same object does enter it. */
static void
making_the_secret_enters_it_once(void **state UNUSED)
{
	const struct unseal_options opt = { .key_ns = "kube-system" };
	AUTO_JSON json_t *obj = with_templates();
	AUTO_JSON json_t *secret = NULL;
	struct err err = ERR_INIT;
	uint32_t hint = 0;

	assert_int_equal(unseal(rig.keys, obj, &opt, &hint, &secret, &err), 0);
	assert_int_equal(entries, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    verify_and_rotate_never_enter_the_template_engine, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    making_the_secret_enters_it_once, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
