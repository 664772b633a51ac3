/*
 * Rate limit; see gcra.h. A bucket is its theoretical arrival time ("tat"):
 * the moment when it will be empty.
 */
#include "gcra.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/thread.h"

#define NONE  UINT32_MAX
#define CHUNK 256 /* of a client's text, hashed at a time */

/* One client at one path, in a chain of its hash slot and in order of use. */
struct client {
	uint64_t id;
	uint64_t tat_ns;
	uint32_t chain;
	uint32_t newer, older;
};

struct gcra {
	uint64_t interval_ns, tolerance_ns;
	uint64_t shared_interval_ns, shared_tolerance_ns;
	uint64_t limit;
	uint32_t max;
	const struct clock *clock;
	struct mutex mu;
	/* guarded by mu: */
	uint64_t shared_tat_ns[GCRA_PATHS_MAX];
	struct client *clients;
	uint32_t *slots;
	uint32_t n;
	uint32_t newest, oldest;
};

struct gcra *
gcra_new(const struct gcra_config *cfg)
{
	struct gcra *g = xcalloc(1, sizeof(*g));
	size_t max = cfg->clients != 0 ? cfg->clients : GCRA_CLIENTS_MAX;

	assert(max <= GCRA_CLIENTS_MAX);
	mutex_init(&g->mu);
	g->clock = cfg->clock;
	g->max = (uint32_t)max;
	g->newest = g->oldest = NONE;
	if (cfg->rate == 0)
		return g;
	g->limit = (uint64_t)cfg->burst + 1;
	g->interval_ns = NS_PER_S / cfg->rate;
	g->tolerance_ns = g->interval_ns * g->limit;
	g->shared_interval_ns = g->interval_ns / GCRA_SHARED_FACTOR;
	g->shared_tolerance_ns = g->tolerance_ns;
	g->clients = xcalloc(max, sizeof(*g->clients));
	g->slots = xcalloc(max, sizeof(*g->slots));
	for (size_t i = 0; i < max; i++)
		g->slots[i] = NONE;
	return g;
}

void
gcra_free(struct gcra *g)
{
	if (g == NULL)
		return;
	mutex_destroy(&g->mu);
	mem_free_wiped(g->clients);
	mem_free_wiped(g->slots);
	mem_free_wiped(g);
}

bool
gcra_unlimited(const struct gcra *g)
{
	return g->limit == 0;
}

/* ---- clients ---- */

static uint64_t
client_id(unsigned path, const char *client)
{
	unsigned char part[sizeof(uint64_t) + CHUNK];
	uint64_t h = path;
	size_t n;

	do {
		memcpy(part, &h, sizeof(h));
		for (n = 0; n < CHUNK && client[n] != '\0'; n++)
			part[sizeof(h) + n] =
			    (unsigned char)tolower((unsigned char)client[n]);
		h = hash_bytes(part, sizeof(h) + n);
		client += n;
	} while (n == CHUNK);
	return h;
}

static uint32_t *
slot_locked(struct gcra *g, uint64_t id) REQUIRES(g->mu)
{
	return &g->slots[id % g->max];
}

static uint32_t
find_locked(struct gcra *g, uint64_t id) REQUIRES(g->mu)
{
	uint32_t i = *slot_locked(g, id);

	while (i != NONE && g->clients[i].id != id)
		i = g->clients[i].chain;
	return i;
}

static void
unlink_use_locked(struct gcra *g, uint32_t i) REQUIRES(g->mu)
{
	struct client *c = &g->clients[i];

	if (c->newer != NONE)
		g->clients[c->newer].older = c->older;
	else
		g->newest = c->older;
	if (c->older != NONE)
		g->clients[c->older].newer = c->newer;
	else
		g->oldest = c->newer;
}

static void
link_use_locked(struct gcra *g, uint32_t i) REQUIRES(g->mu)
{
	struct client *c = &g->clients[i];

	c->newer = NONE;
	c->older = g->newest;
	if (g->newest != NONE)
		g->clients[g->newest].newer = i;
	else
		g->oldest = i;
	g->newest = i;
}

static void
unlink_chain_locked(struct gcra *g, uint32_t i) REQUIRES(g->mu)
{
	uint32_t *at = slot_locked(g, g->clients[i].id);

	while (*at != i)
		at = &g->clients[*at].chain;
	*at = g->clients[i].chain;
}

/* A place for one that is not known yet. */
static uint32_t
place_locked(struct gcra *g, uint64_t id) REQUIRES(g->mu)
{
	uint32_t *slot = slot_locked(g, id);
	uint32_t i;

	if (g->n < g->max)
		i = g->n++;
	else {
		i = g->oldest;
		unlink_use_locked(g, i);
		unlink_chain_locked(g, i);
	}
	g->clients[i].id = id;
	g->clients[i].chain = *slot;
	*slot = i;
	link_use_locked(g, i);
	return i;
}

static void
store_locked(struct gcra *g, uint64_t id, uint64_t tat_ns) REQUIRES(g->mu)
{
	uint32_t i = find_locked(g, id);

	if (i == NONE)
		i = place_locked(g, id);
	else if (i != g->newest) {
		unlink_use_locked(g, i);
		link_use_locked(g, i);
	}
	g->clients[i].tat_ns = tat_ns;
}

/* ---- verdicts ---- */

static uint64_t
seconds_up(uint64_t ns)
{
	return (ns + NS_PER_S - 1) / NS_PER_S;
}

static uint64_t
later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* How long until a bucket takes one more; 0: now. */
static uint64_t
wait_ns(uint64_t next_tat, uint64_t tolerance, uint64_t now)
{
	return next_tat > now + tolerance ? next_tat - tolerance - now : 0;
}

static void
describe(
    const struct gcra *g, uint64_t tat, uint64_t now, struct gcra_verdict *v)
{
	uint64_t ahead = tat > now ? tat - now : 0;

	assert(g->interval_ns > 0);
	v->limit = g->limit;
	v->remaining = ahead < g->tolerance_ns
	    ? (g->tolerance_ns - ahead) / g->interval_ns
	    : 0;
	v->reset_s = seconds_up(ahead);
}

static struct gcra_verdict
take_locked(struct gcra *g, unsigned path, uint64_t id, uint64_t now)
    REQUIRES(g->mu)
{
	struct gcra_verdict v = { 0 };
	uint32_t i = find_locked(g, id);
	uint64_t old = i != NONE ? g->clients[i].tat_ns : 0;
	uint64_t own = later(now, old) + g->interval_ns;
	uint64_t shared =
	    later(now, g->shared_tat_ns[path]) + g->shared_interval_ns;
	uint64_t wait = later(wait_ns(own, g->tolerance_ns, now),
	    wait_ns(shared, g->shared_tolerance_ns, now));

	if (wait == 0) {
		v.allowed = true;
		store_locked(g, id, own);
		g->shared_tat_ns[path] = shared;
		describe(g, own, now, &v);
		return v;
	}
	describe(g, old, now, &v);
	v.retry_after_s = seconds_up(wait);
	/* Nothing is left for anybody where the shared bucket is full. */
	if (wait_ns(own, g->tolerance_ns, now) == 0) {
		v.remaining = 0;
		v.reset_s = later(v.reset_s, v.retry_after_s);
	}
	return v;
}

struct gcra_verdict
gcra_take(struct gcra *g, unsigned path, const char *client)
{
	uint64_t id = client_id(path, client);
	uint64_t now = clock_mono_ns(g->clock);
	struct gcra_verdict v;

	assert(path < GCRA_PATHS_MAX && !gcra_unlimited(g));
	mutex_lock(&g->mu);
	v = take_locked(g, path, id, now);
	mutex_unlock(&g->mu);
	return v;
}
