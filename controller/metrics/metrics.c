/*
 * The registry of series; their families are in family.c, their text is
 * exposition.c's. Series live in hash tables per family, keyed by their first
 * label values: of the condition metric by namespace and name, so that all
 * series of an object are found at once when it goes. One lock, held for
 * look-ups and, a few times a minute, for a rendering.
 */
#include "metrics/metrics.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/thread.h"
#include "exposition.h"
#include "family.h"
#include "process.h"

#define uthash_malloc(size)  xmalloc(size)
#define uthash_free(p, size) mem_free_wiped(p)
#define uthash_fatal(msg)    abort()
#define HASH_FUNCTION(key, len, hashv) \
	((hashv) = (unsigned)hash_bytes((key), (len)))
#include <uthash.h>

/* Of one family; a hundred thousand objects must not fill the memory of this
 * process and of the one that scrapes it. */
#define SERIES_MAX 20000
#define HOOKS_MAX  4

struct series {
	struct series *next;	       /* of the same group */
	struct family_histogram *hist; /* histograms only */
	double value;		       /* of a histogram: the sum */
	size_t key_len;
	char key[]; /* label values, each with its NUL */
};

struct group {
	UT_hash_handle hh;
	struct series *list;
	size_t key_len;
	char key[]; /* the first label values */
};

struct hook {
	void (*refresh)(void *ctx);
	void *ctx;
};

struct metrics {
	struct mutex mu;
	struct group *groups[METRIC_COUNT]; /* guarded by mu */
	unsigned nseries[METRIC_COUNT];	    /* guarded by mu */
	struct hook hooks[HOOKS_MAX];	    /* guarded by mu */
	size_t nhooks;			    /* guarded by mu */
};

static unsigned
grouped_labels(enum metric id)
{
	unsigned n = families[id].grouped;

	return n != 0 ? n : family_labels(id);
}

struct labels {
	const char *values[FAMILY_LABELS_MAX];
	unsigned n;
};

static struct labels
take_labels(unsigned n, va_list ap)
{
	struct labels l = { .n = n };

	for (unsigned i = 0; i < n; i++) {
		const char *v = va_arg(ap, const char *);

		l.values[i] = v != NULL ? v : "";
	}
	return l;
}

static size_t
key_size(const struct labels *l, unsigned n)
{
	size_t size = 0;

	for (unsigned i = 0; i < n && i < l->n; i++)
		size += strlen(l->values[i]) + 1;
	return size;
}

/* Writes the first n values one behind the other, each with its NUL. */
static void
make_key(const struct labels *l, unsigned n, char *key)
{
	for (unsigned i = 0; i < n; i++) {
		size_t size = strlen(l->values[i]) + 1;

		memcpy(key, l->values[i], size);
		key += size;
	}
}

/* uthash's macros are long, nest deep and puzzle the analyzer.
 * NOLINTBEGIN(readability-function-size,clang-analyzer-core.NullDereference) */
static struct group *
find_group_locked(struct metrics *m, enum metric id, const char *key,
    size_t key_len) REQUIRES(m->mu)
{
	struct group *g;

	HASH_FIND(hh, m->groups[id], key, key_len, g);
	return g;
}

static struct group *
add_group_locked(struct metrics *m, enum metric id, const char *key,
    size_t key_len) REQUIRES(m->mu)
{
	struct group *g = xcalloc(1, sizeof(*g) + key_len);

	memcpy(g->key, key, key_len);
	g->key_len = key_len;
	HASH_ADD_KEYPTR(hh, m->groups[id], g->key, key_len, g);
	return g;
}

static void
unlink_group_locked(struct metrics *m, enum metric id, struct group *g)
    REQUIRES(m->mu)
{
	HASH_DELETE(hh, m->groups[id], g);
}
/* NOLINTEND(readability-function-size,clang-analyzer-core.NullDereference) */

static struct series *
find_series(const struct group *g, const char *key, size_t key_len)
{
	struct series *s = g == NULL ? NULL : g->list;

	while (s != NULL &&
	    (s->key_len != key_len || memcmp(s->key, key, key_len) != 0))
		s = s->next;
	return s;
}

static struct series *
add_series_locked(struct metrics *m, enum metric id, struct group *g,
    const char *key, size_t key_len) REQUIRES(m->mu)
{
	struct series *s = xcalloc(1, sizeof(*s) + key_len);

	memcpy(s->key, key, key_len);
	s->key_len = key_len;
	if (families[id].type == FAMILY_HISTOGRAM)
		s->hist = xcalloc(1, sizeof(*s->hist));
	s->next = g->list;
	g->list = s;
	m->nseries[id]++;
	return s;
}

/* The series of these labels, made where it is missing; NULL: no room. */
static struct series *
series_locked(struct metrics *m, enum metric id, const struct labels *l)
    REQUIRES(m->mu)
{
	size_t group_len = key_size(l, grouped_labels(id));
	size_t key_len = key_size(l, l->n);
	char *key = xmalloc(key_len);
	struct group *g;
	struct series *s;

	make_key(l, l->n, key);
	g = find_group_locked(m, id, key, group_len);
	s = find_series(g, key, key_len);
	if (s == NULL && m->nseries[id] < SERIES_MAX) {
		if (g == NULL)
			g = add_group_locked(m, id, key, group_len);
		s = add_series_locked(m, id, g, key, key_len);
	} else if (s == NULL) {
		const struct labels none = { .n = 0 };

		series_locked(m, METRIC_SERIES_DROPPED, &none)->value++;
	}
	free(key);
	return s;
}

static void
free_series_locked(struct metrics *m, enum metric id, struct series *s)
    REQUIRES(m->mu)
{
	m->nseries[id]--;
	free(s->hist);
	free(s);
}

static void
free_group_locked(struct metrics *m, enum metric id, struct group *g)
    REQUIRES(m->mu)
{
	unlink_group_locked(m, id, g);
	while (g->list != NULL) {
		struct series *next = g->list->next;

		free_series_locked(m, id, g->list);
		g->list = next;
	}
	free(g);
}

/* Drops the series of g whose keys begin with prefix, and g with the last. */
static void
prune_group_locked(struct metrics *m, enum metric id, struct group *g,
    const char *prefix, size_t len) REQUIRES(m->mu)
{
	struct series **at = &g->list;

	while (*at != NULL) {
		struct series *s = *at;

		if (s->key_len >= len && memcmp(s->key, prefix, len) == 0) {
			*at = s->next;
			free_series_locked(m, id, s);
		} else {
			at = &s->next;
		}
	}
	if (g->list == NULL)
		free_group_locked(m, id, g);
}

/* Values end in a NUL, so a prefix of keys is a prefix of whole values. */
static void
remove_locked(struct metrics *m, enum metric id, const struct labels *l)
    REQUIRES(m->mu)
{
	unsigned grouped = grouped_labels(id);
	size_t len = key_size(l, l->n);
	char *prefix = xmalloc(len);
	struct group *g, *next;

	make_key(l, l->n, prefix);
	if (l->n >= grouped) {
		g = find_group_locked(m, id, prefix, key_size(l, grouped));
		if (g != NULL)
			prune_group_locked(m, id, g, prefix, len);
	} else {
		HASH_ITER(hh, m->groups[id], g, next)
		prune_group_locked(m, id, g, prefix, len);
	}
	free(prefix);
}

struct metrics *
metrics_new(const char *revision)
{
	struct metrics *m = xcalloc(1, sizeof(*m));
	const struct labels none = { .n = 0 };
	const struct labels build = { .values = { revision }, .n = 1 };

	mutex_init(&m->mu);
	mutex_lock(&m->mu);
	(void)series_locked(m, METRIC_BUILD_INFO, &build);
	for (enum metric id = 0; id < METRIC_COUNT; id++)
		if (family_labels(id) == 0)
			(void)series_locked(m, id, &none);
	mutex_unlock(&m->mu);
	return m;
}

void
metrics_free(struct metrics *m)
{
	struct group *g, *next;

	if (m == NULL)
		return;
	mutex_lock(&m->mu);
	for (enum metric id = 0; id < METRIC_COUNT; id++)
		HASH_ITER(hh, m->groups[id], g, next)
	free_group_locked(m, id, g);
	mutex_unlock(&m->mu);
	mutex_destroy(&m->mu);
	free(m);
}

static void
add(struct series *s, double v)
{
	s->value += v;
}

static void
set(struct series *s, double v)
{
	s->value = v;
}

static void
observe(struct series *s, double v)
{
	s->value += v;
	s->hist->count++;
	for (size_t i = 0; i < FAMILY_BUCKETS; i++) {
		if (v <= family_buckets[i]) {
			s->hist->in[i]++;
			return;
		}
	}
}

/* The series that the arguments name, made where it is missing. */
static void
change(struct metrics *m, enum metric id, void (*how)(struct series *, double),
    double v, va_list ap)
{
	struct labels l = take_labels(family_labels(id), ap);
	struct series *s;

	if (m == NULL)
		return;
	mutex_lock(&m->mu);
	s = series_locked(m, id, &l);
	if (s != NULL)
		how(s, v);
	mutex_unlock(&m->mu);
}

void
metrics_inc(struct metrics *m, enum metric id, ...)
{
	va_list ap;

	va_start(ap, id);
	change(m, id, add, 1, ap);
	va_end(ap);
}

void
metrics_add(struct metrics *m, enum metric id, double v, ...)
{
	va_list ap;

	va_start(ap, v);
	change(m, id, add, v, ap);
	va_end(ap);
}

void
metrics_set(struct metrics *m, enum metric id, double v, ...)
{
	va_list ap;

	va_start(ap, v);
	change(m, id, set, v, ap);
	va_end(ap);
}

void
metrics_observe(struct metrics *m, enum metric id, double v, ...)
{
	va_list ap;

	va_start(ap, v);
	change(m, id, observe, v, ap);
	va_end(ap);
}

/* All series that begin with n values. */
static void
drop(struct metrics *m, enum metric id, unsigned n, va_list ap)
{
	struct labels l = take_labels(n, ap);

	if (m == NULL)
		return;
	mutex_lock(&m->mu);
	remove_locked(m, id, &l);
	mutex_unlock(&m->mu);
}

void
metrics_remove(struct metrics *m, enum metric id, ...)
{
	va_list ap;

	va_start(ap, id);
	drop(m, id, family_labels(id), ap);
	va_end(ap);
}

void
metrics_remove_prefix(struct metrics *m, enum metric id, unsigned n, ...)
{
	va_list ap;

	va_start(ap, n);
	drop(m, id, n < family_labels(id) ? n : family_labels(id), ap);
	va_end(ap);
}

double
metrics_value(struct metrics *m, enum metric id, ...)
{
	struct series *s = NULL;
	struct labels l;
	size_t len;
	char *key;
	double v;
	va_list ap;

	va_start(ap, id);
	l = take_labels(family_labels(id), ap);
	va_end(ap);
	if (m == NULL)
		return 0;
	len = key_size(&l, l.n);
	key = xmalloc(len);
	make_key(&l, l.n, key);
	mutex_lock(&m->mu);
	s = find_series(
	    find_group_locked(m, id, key, key_size(&l, grouped_labels(id))),
	    key, len);
	v = s == NULL ? 0 : s->value;
	mutex_unlock(&m->mu);
	free(key);
	return v;
}

static int
compare_series(const void *a, const void *b)
{
	const struct series *x = *(struct series *const *)a;
	const struct series *y = *(struct series *const *)b;
	size_t n = x->key_len < y->key_len ? x->key_len : y->key_len;
	int c = memcmp(x->key, y->key, n);

	return c != 0 ? c
		      : (x->key_len > y->key_len) - (x->key_len < y->key_len);
}

/* Owned by the caller: the series of a family in the order of their values. */
static struct series **
sorted_locked(struct metrics *m, enum metric id) REQUIRES(m->mu)
{
	struct series **all = xcalloc(m->nseries[id], sizeof(*all));
	struct group *g, *next;
	size_t n = 0;

	HASH_ITER(hh, m->groups[id], g, next)
	for (struct series *s = g->list; s != NULL; s = s->next)
		all[n++] = s;
	qsort(all, n, sizeof(struct series *), compare_series);
	return all;
}

static void
put_family_locked(struct exposition *x, struct metrics *m, enum metric id)
    REQUIRES(m->mu)
{
	const struct family *f = &families[id];
	struct series **all;

	if (m->nseries[id] == 0)
		return;
	exposition_family(x, f);
	all = sorted_locked(m, id);
	for (size_t i = 0; i < m->nseries[id]; i++) {
		const struct series *s = all[i];

		if (f->type == FAMILY_HISTOGRAM)
			exposition_histogram(x, f, s->key, s->hist, s->value);
		else
			exposition_value(x, f, s->key, s->value);
	}
	free(all);
}

static int
compare_families(const void *a, const void *b)
{
	return strcmp(families[*(const enum metric *)a].name,
	    families[*(const enum metric *)b].name);
}

void
metrics_on_render(struct metrics *m, void (*refresh)(void *ctx), void *ctx)
{
	if (m == NULL)
		return;
	mutex_lock(&m->mu);
	assert(m->nhooks < HOOKS_MAX);
	m->hooks[m->nhooks++] = (struct hook) { refresh, ctx };
	mutex_unlock(&m->mu);
}

void
metrics_off_render(struct metrics *m, const void *ctx)
{
	size_t kept = 0;

	if (m == NULL)
		return;
	mutex_lock(&m->mu);
	for (size_t i = 0; i < m->nhooks; i++)
		if (m->hooks[i].ctx != ctx)
			m->hooks[kept++] = m->hooks[i];
	m->nhooks = kept;
	mutex_unlock(&m->mu);
}

static void
refresh_gauges(struct metrics *m)
{
	struct hook hooks[HOOKS_MAX];
	size_t n;

	mutex_lock(&m->mu);
	n = m->nhooks;
	memcpy(hooks, m->hooks, sizeof(hooks));
	mutex_unlock(&m->mu);
	for (size_t i = 0; i < n; i++)
		hooks[i].refresh(hooks[i].ctx);
}

int
metrics_render(struct metrics *m, struct buf *out, struct err *err)
{
	struct exposition x = { .out = out, .err = err };
	size_t before = out->len;
	enum metric ids[METRIC_COUNT];

	for (enum metric id = 0; id < METRIC_COUNT; id++)
		ids[id] = id;
	qsort(ids, METRIC_COUNT, sizeof(ids[0]), compare_families);
	/* "process_" sorts before our own prefix. */
	x.failed = process_render("/proc", out, err) < 0;
	if (m != NULL) {
		refresh_gauges(m);
		mutex_lock(&m->mu);
		for (size_t i = 0; i < METRIC_COUNT; i++)
			put_family_locked(&x, m, ids[i]);
		mutex_unlock(&m->mu);
	}
	if (!x.failed)
		return 0;
	buf_truncate(out, before);
	return err_wrap(err, "metrics");
}
