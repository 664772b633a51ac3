/*
 * Lock-out and rate of exports; see limit.h.
 */
#include "limit.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/thread.h"

struct source {
	uint64_t id; /* hash of its address */
	unsigned refusals;
	uint64_t last_ns; /* the last refusal */
};

struct known {
	uint64_t id; /* hash of the token */
	uint64_t since_ns;
};

struct limit {
	const struct clock *clock;
	struct mutex mu;
	/* guarded by mu: */
	struct source sources[LIMIT_SOURCES_MAX];
	size_t n;
	struct known known[LIMIT_KNOWN_MAX];
	size_t nknown;
	uint64_t exports_tat_ns; /* when the bucket will be empty */
};

struct limit *
limit_new(const struct clock *clock)
{
	struct limit *l = xcalloc(1, sizeof(*l));

	mutex_init(&l->mu);
	l->clock = clock;
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

static struct source *
find_locked(struct limit *l, uint64_t id) REQUIRES(l->mu)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->sources[i].id == id)
			return &l->sources[i];
	return NULL;
}

static void
forget_locked(struct limit *l, struct source *s) REQUIRES(l->mu)
{
	*s = l->sources[--l->n];
}

/* A full table forgets whom it heard longest ago. */
static struct source *
place_locked(struct limit *l) REQUIRES(l->mu)
{
	struct source *oldest = &l->sources[0];

	if (l->n < LIMIT_SOURCES_MAX)
		return &l->sources[l->n++];
	for (size_t i = 1; i < l->n; i++)
		if (l->sources[i].last_ns < oldest->last_ns)
			oldest = &l->sources[i];
	return oldest;
}

/* Refusals count together as long as less than the waiting time lies between
 * them. */
static uint64_t
left_ns(const struct source *s, uint64_t now)
{
	uint64_t end = s->last_ns + LIMIT_LOCK_S * NS_PER_S;

	return end > now ? end - now : 0;
}

static bool
is_locked_out(const struct source *s, uint64_t now)
{
	return s->refusals >= LIMIT_REFUSALS && left_ns(s, now) > 0;
}

uint64_t
limit_locked_s(struct limit *l, const char *source)
{
	uint64_t now = clock_mono_ns(l->clock), wait = 0;
	const struct source *s;

	mutex_lock(&l->mu);
	s = find_locked(l, hash_str(source));
	if (s != NULL && is_locked_out(s, now))
		wait = seconds_up(left_ns(s, now));
	mutex_unlock(&l->mu);
	return wait;
}

void
limit_refused(struct limit *l, const char *source)
{
	uint64_t now = clock_mono_ns(l->clock), id = hash_str(source);
	struct source *s;

	mutex_lock(&l->mu);
	s = find_locked(l, id);
	if (s == NULL) {
		s = place_locked(l);
		*s = (struct source) { .id = id };
	} else if (left_ns(s, now) == 0) {
		s->refusals = 0;
	}
	s->refusals++;
	s->last_ns = now;
	mutex_unlock(&l->mu);
}

void
limit_granted(struct limit *l, const char *source)
{
	uint64_t now = clock_mono_ns(l->clock);
	struct source *s;

	mutex_lock(&l->mu);
	s = find_locked(l, hash_str(source));
	if (s != NULL && !is_locked_out(s, now))
		forget_locked(l, s);
	mutex_unlock(&l->mu);
}

size_t
limit_sources(struct limit *l)
{
	size_t n;

	mutex_lock(&l->mu);
	n = l->n;
	mutex_unlock(&l->mu);
	return n;
}

static uint64_t
token_id(const struct secret *token)
{
	return hash_bytes(secret_bytes(token), secret_len(token));
}

static struct known *
find_known_locked(struct limit *l, uint64_t id) REQUIRES(l->mu)
{
	for (size_t i = 0; i < l->nknown; i++)
		if (l->known[i].id == id)
			return &l->known[i];
	return NULL;
}

/* A full table forgets the one that was good longest ago. */
static struct known *
place_known_locked(struct limit *l) REQUIRES(l->mu)
{
	struct known *oldest = &l->known[0];

	if (l->nknown < LIMIT_KNOWN_MAX)
		return &l->known[l->nknown++];
	for (size_t i = 1; i < l->nknown; i++)
		if (l->known[i].since_ns < oldest->since_ns)
			oldest = &l->known[i];
	return oldest;
}

void
limit_know(struct limit *l, const struct secret *token)
{
	uint64_t now = clock_mono_ns(l->clock), id = token_id(token);
	struct known *k;

	mutex_lock(&l->mu);
	k = find_known_locked(l, id);
	if (k == NULL)
		k = place_known_locked(l);
	*k = (struct known) { .id = id, .since_ns = now };
	mutex_unlock(&l->mu);
}

bool
limit_knows(struct limit *l, const struct secret *token)
{
	uint64_t now = clock_mono_ns(l->clock), id = token_id(token);
	const struct known *k;
	bool yes;

	mutex_lock(&l->mu);
	k = find_known_locked(l, id);
	yes = k != NULL && now - k->since_ns < LIMIT_KNOWN_S * NS_PER_S;
	mutex_unlock(&l->mu);
	return yes;
}

void
limit_forget(struct limit *l, const struct secret *token)
{
	uint64_t id = token_id(token);
	struct known *k;

	mutex_lock(&l->mu);
	k = find_known_locked(l, id);
	if (k != NULL)
		*k = l->known[--l->nknown];
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
