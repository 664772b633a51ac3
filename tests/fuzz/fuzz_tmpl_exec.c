/*
 * Templates, rendered: either output within the budget or an error that names
 * the template; twice the same unless something random was called; and no
 * value of the data in any error.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "tmpl/tmpl.h"

/* No keys are made (costly 0), and sanitizers are slow. */
static const struct tmpl_budget budget = {
	.output_bytes = 64 << 10,
	.memory_bytes = 16 << 20,
	.steps = 200000,
	.depth = 200,
	.cpu_ms = 2000,
};

#define CANARY "C4n4ryV4lu3"

static const struct tmpl_datum dot[] = {
	{ "x", CANARY, 11 },
	{ "y", "", 0 },
	{ "n", "42", 2 },
	{ "l", "a,b,c", 5 },
	{ "j", "{\"a\":[1,2.5,null,\"b\"],\"c\":{\"d\":true}}", 38 },
	{ "bin", "\xff\x00\xc3", 3 },
};

static struct tmpl_result *
render(const uint8_t *data, size_t size)
{
	struct tmpl_source src = { "cfg", (const char *)data, size };
	struct tmpl_input in = {
		.sources = &src,
		.nsources = 1,
		.data = dot,
		.ndata = ARRAY_SIZE(dot),
		.budget = &budget,
	};

	return tmpl_render(&in);
}

/* Whether a template could have spelt the canary itself. */
static bool
spells_canary(const uint8_t *data, size_t size)
{
	return memmem(data, size, "C4n", 3) != NULL ||
	    memmem(data, size, "4ry", 3) != NULL ||
	    memmem(data, size, "4lu", 3) != NULL;
}

static void
check_one(const struct tmpl_output *o, const uint8_t *data, size_t size)
{
	check((o->error == NULL) != (o->data == NULL));
	if (o->error == NULL) {
		check(o->len <= budget.output_bytes);
		return;
	}
	check(strncmp(o->error, "template: cfg:", 14) == 0);
	if (!spells_canary(data, size))
		check(strstr(o->error, CANARY) == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(tmpl_result) struct tmpl_result *a = render(data, size);
	AUTO(tmpl_result) struct tmpl_result *b = render(data, size);
	const struct tmpl_output *x = &a->outputs[0], *y = &b->outputs[0];

	check_one(x, data, size);
	check_one(y, data, size);
	if (a->varies || b->varies || x->error != NULL || y->error != NULL)
		return 0;
	check(x->len == y->len && memcmp(x->data, y->data, x->len) == 0);
	return 0;
}
