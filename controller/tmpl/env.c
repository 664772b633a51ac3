/*
 * What one rendering shares: an arena, a budget, the pending error.
 */
#include "env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* One chunk holds a small rendering; larger ones grow in larger steps. */
#define CHUNK_FIRST (16 * 1024)
#define CHUNK_MAX   (1024 * 1024)
#define ALIGN	    ((size_t)16)
#define FAULT_MAX   4096
/* Steps between two looks at the clock. */
#define CHECK_EVERY 2048
/* What an error message may need. */
#define RESERVE_BYTES ((size_t)64 * 1024)
#define RESERVE_STEPS 4096
#define RESERVE_DEPTH 50
#define STACK_LIMIT   ((size_t)TMPL_STACK_MAX)
/* A call that cannot be stopped takes up to so much: none begins later. */
#define COSTLY_ROOM_NS (200 * NS_PER_MS)
/* So much of the first key counts. */
#define FIRST_KEY_NS (100 * NS_PER_MS)

struct env_chunk {
	struct env_chunk *next;
	size_t used;
	size_t size;
	_Alignas(16) char data[];
};

const struct tmpl_budget tmpl_budget_default = {
	.output_bytes = (size_t)2 * 1024 * 1024,
	.memory_bytes = (size_t)64 * 1024 * 1024,
	.steps = 10 * 1000 * 1000,
	.depth = 100000,
	.cpu_ms = 900,
	.costly = 40,
	.key_cpu_ms = 5000,
};

void
env_init(
    struct env *e, const struct tmpl_budget *limit, const struct clock *clock)
{
	memset(e, 0, sizeof(*e));
	e->limit = *limit;
	e->left = *limit;
	e->clock = clock;
	e->stack_top = __builtin_frame_address(0);
	e->cpu_limit_ns = limit->cpu_ms * NS_PER_MS;
	e->cpu_start_ns = clock_cpu_ns(clock);
	e->next_check =
	    limit->steps > CHECK_EVERY ? limit->steps - CHECK_EVERY : 0;
}

void
env_release(struct env *e)
{
	struct env_chunk *next;

	for (struct env_chunk *c = e->chunks; c != NULL; c = next) {
		next = c->next;
		mem_free_wiped(c);
	}
	e->chunks = NULL;
	mem_free_wiped(e->fault);
	e->fault = NULL;
}

int
env_exhaust(struct env *e, const char *what)
{
	if (e->exhausted)
		return -1;
	env_forgive(e);
	(void)env_fail(e, "out of budget: %s", what);
	e->exhausted = true;
	e->exhausted_of = what;
	return -1;
}

struct env_reserve
env_reserve_begin(struct env *e)
{
	struct env_reserve before = { e->left.depth, e->next_check, e->chunks,
		e->exhausted };

	e->exhausted = false;
	e->left.memory_bytes += RESERVE_BYTES;
	e->left.steps += RESERVE_STEPS;
	e->left.depth += RESERVE_DEPTH;
	e->next_check = 0;
	return before;
}

/* What was used counts as used of the budget, as far as that goes. */
void
env_reserve_end(struct env *e, const struct env_reserve *before)
{
	struct tmpl_budget *left = &e->left;

	left->memory_bytes = left->memory_bytes > RESERVE_BYTES
	    ? left->memory_bytes - RESERVE_BYTES
	    : 0;
	left->steps =
	    left->steps > RESERVE_STEPS ? left->steps - RESERVE_STEPS : 0;
	left->depth = before->depth;
	/* A block that was made of the reserve is for the message alone. */
	if (left->memory_bytes == 0 && e->chunks != before->chunks)
		e->chunks->used = e->chunks->size;
	e->next_check = before->next_check;
	e->exhausted = before->exhausted;
}

int
env_charge_memory(struct env *e, size_t size)
{
	if (e->exhausted)
		return -1;
	if (size > e->left.memory_bytes)
		return env_exhaust(e, "memory");
	e->left.memory_bytes -= size;
	return 0;
}

static struct env_chunk *
chunk_new(struct env *e, size_t size)
{
	size_t want = CHUNK_FIRST;
	struct env_chunk *c;

	if (e->chunks != NULL)
		want = e->chunks->size < CHUNK_MAX ? 2 * e->chunks->size
						   : CHUNK_MAX;
	/* A large block gets what it needs, a small one what is left. */
	if (want > e->left.memory_bytes)
		want = e->left.memory_bytes;
	if (want < size)
		want = size;
	if (env_charge_memory(e, want) < 0)
		return NULL;
	c = xcalloc(1, sizeof(*c) + want);
	c->size = want;
	c->next = e->chunks;
	e->chunks = c;
	return c;
}

void *
env_alloc(struct env *e, size_t size)
{
	struct env_chunk *c = e->chunks;
	void *p;

	if (size > SIZE_MAX / 2) {
		(void)env_exhaust(e, "memory");
		return NULL;
	}
	size = (size + ALIGN - 1) & ~(ALIGN - 1);
	if (c == NULL || c->size - c->used < size) {
		c = chunk_new(e, size);
		if (c == NULL)
			return NULL;
	}
	p = c->data + c->used;
	c->used += size;
	return p;
}

void *
env_allocarray(struct env *e, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total)) {
		(void)env_exhaust(e, "memory");
		return NULL;
	}
	return env_alloc(e, total);
}

void *
env_grow(
    struct env *e, void *v, size_t len, size_t *cap, size_t least, size_t size)
{
	size_t want = *cap == 0 ? least : 2 * *cap;
	void *bigger;

	if (len < *cap)
		return v;
	bigger = env_allocarray(e, want, size);
	if (bigger == NULL)
		return NULL;
	if (*cap > 0)
		memcpy(bigger, v, *cap * size);
	*cap = want;
	return bigger;
}

bool
env_extend(struct env *e, void *p, size_t old, size_t size)
{
	struct env_chunk *c = e->chunks;
	size_t have = (old + ALIGN - 1) & ~(ALIGN - 1);
	size_t want = (size + ALIGN - 1) & ~(ALIGN - 1);

	if (c == NULL || c->used < have || c->data + c->used - have != p)
		return false;
	if (want < size || want < have || want - have > c->size - c->used)
		return false;
	c->used += want - have;
	return true;
}

char *
env_strndup(struct env *e, const char *s, size_t n)
{
	char *p = env_alloc(e, n + 1);

	if (p != NULL && n > 0)
		memcpy(p, s, n);
	return p;
}

/* What counts of the CPU time so far. */
static uint64_t
cpu_used_ns(const struct env *e)
{
	return clock_cpu_ns(e->clock) - e->cpu_start_ns - e->cpu_spared_ns;
}

static int
check_clock(struct env *e)
{
	e->next_check =
	    e->left.steps > CHECK_EVERY ? e->left.steps - CHECK_EVERY : 0;
	if (cpu_used_ns(e) > e->cpu_limit_ns)
		return env_exhaust(e, "CPU time");
	return 0;
}

int
env_step(struct env *e, uint64_t n)
{
	if (e->exhausted)
		return -1;
	if (n > e->left.steps)
		return env_exhaust(e, "steps");
	e->left.steps -= n;
	if (e->left.steps < e->next_check)
		return check_clock(e);
	return 0;
}

int
env_enter(struct env *e)
{
	const char *here = __builtin_frame_address(0);
	size_t used = e->stack_top > here ? (size_t)(e->stack_top - here)
					  : (size_t)(here - e->stack_top);

	if (e->exhausted)
		return -1;
	if (e->left.depth == 0 || used > STACK_LIMIT)
		return env_exhaust(e, "nested too deeply");
	e->left.depth--;
	return 0;
}

void
env_leave(struct env *e)
{
	e->left.depth++;
}

int
env_costly(struct env *e, unsigned credits)
{
	if (e->exhausted)
		return -1;
	if (credits > e->left.costly)
		return env_exhaust(e, "costly functions");
	if (cpu_used_ns(e) + COSTLY_ROOM_NS > e->cpu_limit_ns)
		return env_exhaust(e, "CPU time");
	e->left.costly -= credits;
	return 0;
}

int
env_key_begin(struct env *e, unsigned credits)
{
	uint64_t now = clock_cpu_ns(e->clock);

	if (e->exhausted)
		return -1;
	if (credits > e->left.costly)
		return env_exhaust(e, "costly functions");
	/* Later keys are made in what the first one left of the time. */
	e->key_end_ns = e->key_made ? e->cpu_start_ns + e->cpu_limit_ns
				    : now + e->limit.key_cpu_ms * NS_PER_MS;
	e->key_start_ns = now;
	if (now >= e->key_end_ns)
		return env_exhaust(e, "CPU time");
	e->left.costly -= credits;
	return 0;
}

bool
env_key_goes_on(const struct env *e)
{
	return clock_cpu_ns(e->clock) < e->key_end_ns;
}

int
env_key_end(struct env *e)
{
	uint64_t took = clock_cpu_ns(e->clock) - e->key_start_ns;

	if (!env_key_goes_on(e))
		return env_exhaust(e, "CPU time");
	if (!e->key_made && took > FIRST_KEY_NS)
		e->cpu_spared_ns = took - FIRST_KEY_NS;
	e->key_made = true;
	return 0;
}

int
env_vfail(struct env *e, const char *fmt, va_list ap)
{
	if (e->fault != NULL)
		return -1;
	e->fault = xmalloc(FAULT_MAX);
	(void)vsnprintf(e->fault, FAULT_MAX, fmt, ap);
	return -1;
}

int
env_fail(struct env *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)env_vfail(e, fmt, ap);
	va_end(ap);
	return -1;
}

void
env_forgive(struct env *e)
{
	if (e->exhausted)
		return;
	mem_free_wiped(e->fault);
	e->fault = NULL;
}
