/*
 * Templates, parsed only: what is accepted can be written again, and the
 * canonical form parses to the same canonical form; errors name the template.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controller/tmpl/parse.h"
#include "fuzz.h"

/* Sanitizers are slow: a smaller budget than in earnest. */
static const struct tmpl_budget budget = {
	.output_bytes = 1 << 20,
	.memory_bytes = 16 << 20,
	.steps = 200000,
	.depth = 200,
	.cpu_ms = 2000,
};

/* -1: it does not parse. */
static int
canonical(struct env *e, const char *text, size_t len, struct value *ret)
{
	struct tree_set set;
	struct text t;

	if (parse_source(e, "cfg", text, len, &set) < 0)
		return -1;
	text_init(&t, e);
	for (const struct tree *tree = set.trees; tree != NULL;
	     tree = tree->next)
		node_write(tree->root, &t);
	return text_done(&t, ret);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct value first, second;
	struct env e;

	env_init(&e, &budget, &clock_system);
	if (canonical(&e, (const char *)data, size, &first) < 0) {
		check(e.fault != NULL);
		check(
		    e.exhausted || strncmp(e.fault, "template: cfg:", 14) == 0);
		env_release(&e);
		return 0;
	}
	/* Texts with definitions lose them on the way, and where a comment was
	 * two braces may meet. */
	if (memmem(data, size, "/*", 2) == NULL &&
	    memmem(data, size, "define", 6) == NULL &&
	    memmem(data, size, "block", 5) == NULL &&
	    memmem(data, size, "{{", 2) != NULL &&
	    canonical(&e, first.u.s.p, first.u.s.len, &second) == 0) {
		check(first.u.s.len == second.u.s.len);
		check(memcmp(first.u.s.p, second.u.s.p, first.u.s.len) == 0);
	}
	env_release(&e);
	return 0;
}
