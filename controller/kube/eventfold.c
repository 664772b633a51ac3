/*
 * Three bounded tables: similar events (to combine them), exact events (to
 * count them), objects (to limit them).
 */
#include "eventfold.h"

#include "base/clock.h"
#include "base/mem.h"
#include "lru.h"

#define TABLE_MAX      4096u
#define SIMILAR_MAX    10u /* distinct messages from which on we combine */
#define SIMILAR_AGE_NS (600 * NS_PER_S)
#define BURST	       25.0
#define REFILL_NS      (300.0 * (double)NS_PER_S)

struct similar {
	uint64_t last_ns;
	unsigned n;
	uint32_t messages[SIMILAR_MAX - 1]; /* half a hash is enough */
};

struct counted {
	unsigned count;
	int64_t first_s;
	uint64_t name;
};

struct allowance {
	double tokens;
	uint64_t last_ns;
};

struct eventfold {
	struct lru *similar;
	struct lru *counted;
	struct lru *allowances;
};

struct eventfold *
eventfold_new(void)
{
	struct eventfold *f = xcalloc(1, sizeof(*f));

	f->similar = lru_new(TABLE_MAX, sizeof(struct similar));
	f->counted = lru_new(TABLE_MAX, sizeof(struct counted));
	f->allowances = lru_new(TABLE_MAX, sizeof(struct allowance));
	return f;
}

void
eventfold_free(struct eventfold *f)
{
	if (f == NULL)
		return;
	lru_free(f->similar);
	lru_free(f->counted);
	lru_free(f->allowances);
	mem_free_wiped(f);
}

size_t
eventfold_size(const struct eventfold *f)
{
	return lru_count(f->counted);
}

static bool
knows_message(const struct similar *s, uint32_t message)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->messages[i] == message)
			return true;
	return false;
}

/* Whether this message is one too many of its kind. The set never holds the
 * one that was too many, so that the first nine stay events of their own. */
static bool
must_combine(
    struct eventfold *f, const struct eventfold_key *key, uint64_t mono_ns)
{
	bool fresh;
	struct similar *s = lru_use(f->similar, key->similar, &fresh);
	uint32_t message = (uint32_t)key->exact;

	if (!fresh && mono_ns - s->last_ns > SIMILAR_AGE_NS)
		s->n = 0;
	s->last_ns = mono_ns;
	if (knows_message(s, message))
		return false;
	if (s->n == ARRAY_SIZE(s->messages))
		return true;
	s->messages[s->n++] = message;
	return false;
}

static bool
is_allowed(struct eventfold *f, uint64_t object, uint64_t mono_ns)
{
	bool fresh;
	struct allowance *a = lru_use(f->allowances, object, &fresh);

	if (fresh)
		a->tokens = BURST;
	else
		a->tokens += (double)(mono_ns - a->last_ns) / REFILL_NS;
	if (a->tokens > BURST)
		a->tokens = BURST;
	a->last_ns = mono_ns;
	if (a->tokens < 1)
		return false;
	a->tokens -= 1;
	return true;
}

void
eventfold_observe(struct eventfold *f, const struct eventfold_key *key,
    uint64_t name, int64_t wall_s, uint64_t mono_ns,
    struct eventfold_result *ret)
{
	bool combined = must_combine(f, key, mono_ns);
	bool fresh;
	struct counted *c =
	    lru_use(f->counted, combined ? key->similar : key->exact, &fresh);

	if (fresh) {
		c->first_s = wall_s;
		c->name = name;
	}
	c->count++;
	*ret = (struct eventfold_result) {
		.drop = !is_allowed(f, key->object, mono_ns),
		.combined = combined,
		.count = c->count,
		.first_s = c->first_s,
		.name = c->name,
	};
}
