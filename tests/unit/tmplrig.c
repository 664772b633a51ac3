/*
 * What tests of templates share.
 */
#include "tmplrig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "base/mem.h"

static const struct tmpl_datum data[] = {
	{ "x", "abc", 3 },
	{ "y", "", 0 },
	{ "n", "42", 2 },
	{ "host-name", "db", 2 },
	{ "bin", "\xff\x00\x41", 3 },
};

void
tmplrig_env(struct env *e)
{
	env_init(e, &tmpl_budget_default, &clock_system);
}

static struct tmpl_result *
run(const char *text, const struct tmpl_budget *budget)
{
	struct tmpl_source src = { "cfg", text, strlen(text) };
	struct tmpl_input in = {
		.sources = &src,
		.nsources = 1,
		.data = data,
		.ndata = ARRAY_SIZE(data),
		.budget = budget,
	};

	return tmpl_render(&in);
}

static uint64_t
read_cpu(void *ctx)
{
	struct tmplrig_cpu *cpu = ctx;

	cpu->now_ns += cpu->tick_ns;
	return cpu->now_ns;
}

struct clock
tmplrig_cpu_clock(struct tmplrig_cpu *cpu)
{
	struct clock c = clock_system;

	c.ctx = cpu;
	c.cpu_ns = read_cpu;
	return c;
}

char *
tmplrig_render(const char *text)
{
	AUTO(tmpl_result) struct tmpl_result *r = run(text, NULL);
	struct tmpl_output *o = &r->outputs[0];

	assert_int_equal(r->noutputs, 1);
	assert_true((o->error == NULL) != (o->data == NULL));
	return o->error != NULL ? STEAL(o->error) : STEAL(o->data);
}

void
tmplrig_check(const struct tmplrig_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		AUTO_STR char *got = tmplrig_render(cases[i].text);

		if (strcmp(got, cases[i].want) != 0)
			print_error("in %s\n", cases[i].text);
		assert_string_equal(got, cases[i].want);
	}
}

char *
tmplrig_error(const char *text, const struct tmpl_budget *budget)
{
	AUTO(tmpl_result) struct tmpl_result *r = run(text, budget);

	return STEAL(r->outputs[0].error);
}

void
tmplrig_assert_str(const struct value *v, const char *want)
{
	assert_ptr_equal(v->type, &type_string);
	assert_int_equal(v->u.s.len, strlen(want));
	assert_memory_equal(v->u.s.p, want, strlen(want));
}
