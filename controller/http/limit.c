/*
 * Lock-out and rate of exports; see limit.h.
 */
#include "limit.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/thread.h"

/* A source, or a token. */
struct entry {
	uint64_t id;	   /* hash of it */
	uint64_t at_ns;	   /* the last refusal; when it was good */
	unsigned refusals; /* of a source */
};

struct table {
	struct entry *v;
	size_t n, max;
};

struct limit {
	const struct clock *clock;
	struct mutex mu;
	/* guarded by mu: */
	struct table sources, known;
	struct entry source_places[LIMIT_SOURCES_MAX];
	struct entry known_places[LIMIT_KNOWN_MAX];
	uint64_t exports_tat_ns; /* when the bucket will be empty */
};

struct limit *
limit_new(const struct clock *clock)
{
	struct limit *l = xcalloc(1, sizeof(*l));

	mutex_init(&l->mu);
	l->clock = clock;
	l->sources = (struct table) { l->source_places, 0, LIMIT_SOURCES_MAX };
	l->known = (struct table) { l->known_places, 0, LIMIT_KNOWN_MAX };
	return l;
}

void
limit_free(struct limit *l)
{
	if (l == NULL)
		return;
	mutex_destroy(&l->mu);
	mem_free_wiped(l);
}

static uint64_t
seconds_up(uint64_t ns)
{
	return (ns + NS_PER_S - 1) / NS_PER_S;
}

static struct entry *
find(struct table *t, uint64_t id)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].id == id)
			return &t->v[i];
	return NULL;
}

static void
forget(struct table *t, struct entry *e)
{
	*e = t->v[--t->n];
}

/* A full table forgets whom it heard longest ago. */
static struct entry *
place(struct table *t)
{
	struct entry *oldest = &t->v[0];

	if (t->n < t->max)
		return &t->v[t->n++];
	for (size_t i = 1; i < t->n; i++)
		if (t->v[i].at_ns < oldest->at_ns)
			oldest = &t->v[i];
	return oldest;
}

/* Refusals count together as long as less than the waiting time lies between
 * them. */
static uint64_t
left_ns(const struct entry *s, uint64_t now)
{
	uint64_t end = s->at_ns + LIMIT_LOCK_S * NS_PER_S;

	return end > now ? end - now : 0;
}

static bool
is_locked_out(const struct entry *s, uint64_t now)
{
	return s->refusals >= LIMIT_REFUSALS && left_ns(s, now) > 0;
}

uint64_t
limit_locked_s(struct limit *l, const char *source)
{
	uint64_t now = clock_mono_ns(l->clock), wait = 0;
	const struct entry *s;

	mutex_lock(&l->mu);
	s = find(&l->sources, hash_str(source));
	if (s != NULL && is_locked_out(s, now))
		wait = seconds_up(left_ns(s, now));
	mutex_unlock(&l->mu);
	return wait;
}

void
limit_refused(struct limit *l, const char *source)
{
	uint64_t now = clock_mono_ns(l->clock), id = hash_str(source);
	struct entry *s;

	mutex_lock(&l->mu);
	s = find(&l->sources, id);
	if (s == NULL) {
		s = place(&l->sources);
		*s = (struct entry) { .id = id };
	} else if (left_ns(s, now) == 0) {
		s->refusals = 0;
	}
	s->refusals++;
	s->at_ns = now;
	mutex_unlock(&l->mu);
}

void
limit_granted(struct limit *l, const char *source)
{
	uint64_t now = clock_mono_ns(l->clock);
	struct entry *s;

	mutex_lock(&l->mu);
	s = find(&l->sources, hash_str(source));
	if (s != NULL && !is_locked_out(s, now))
		forget(&l->sources, s);
	mutex_unlock(&l->mu);
}

size_t
limit_sources(struct limit *l)
{
	size_t n;

	mutex_lock(&l->mu);
	n = l->sources.n;
	mutex_unlock(&l->mu);
	return n;
}

static uint64_t
token_id(const struct secret *token)
{
	return hash_bytes(secret_bytes(token), secret_len(token));
}

void
limit_know(struct limit *l, const struct secret *token)
{
	uint64_t now = clock_mono_ns(l->clock), id = token_id(token);
	struct entry *k;

	mutex_lock(&l->mu);
	k = find(&l->known, id);
	if (k == NULL)
		k = place(&l->known);
	*k = (struct entry) { .id = id, .at_ns = now };
	mutex_unlock(&l->mu);
}

bool
limit_knows(struct limit *l, const struct secret *token)
{
	uint64_t now = clock_mono_ns(l->clock), id = token_id(token);
	const struct entry *k;
	bool yes;

	mutex_lock(&l->mu);
	k = find(&l->known, id);
	yes = k != NULL && now - k->at_ns < LIMIT_KNOWN_S * NS_PER_S;
	mutex_unlock(&l->mu);
	return yes;
}

void
limit_forget(struct limit *l, const struct secret *token)
{
	uint64_t id = token_id(token);
	struct entry *k;

	mutex_lock(&l->mu);
	k = find(&l->known, id);
	if (k != NULL)
		forget(&l->known, k);
	mutex_unlock(&l->mu);
}

uint64_t
limit_take_export(struct limit *l)
{
	const uint64_t each = LIMIT_EXPORT_S * NS_PER_S;
	const uint64_t room = LIMIT_EXPORTS * each;
	uint64_t now = clock_mono_ns(l->clock), tat, wait = 0;

	mutex_lock(&l->mu);
	tat = l->exports_tat_ns > now ? l->exports_tat_ns : now;
	if (tat + each > now + room)
		wait = seconds_up(tat + each - now - room);
	else
		l->exports_tat_ns = tat + each;
	mutex_unlock(&l->mu);
	return wait;
}
