/*
 * The store: sorted arrays of objects and one list of changes.
 */
#include "store.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIRST_RV     1000
#define HISTORY_MAX  200000
#define HISTORY_DROP 50000

struct entry {
	char *key;
	json_t *obj;
};

struct table {
	struct entry *rows;
	size_t n;
	size_t cap;
};

static struct {
	pthread_mutex_t mu;
	pthread_cond_t changed;
	struct table tables[TYPES_COUNT];
	uint64_t rv;
	uint64_t floor;
	struct store_event *events;
	size_t nevents;
	size_t cap_events;
	uint64_t base; /* number of events[0] */
} st;

void
store_init(void)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&st.mu, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&st.changed, &attr);
	pthread_condattr_destroy(&attr);
	st.rv = FIRST_RV;
	st.floor = FIRST_RV;
}

void
store_lock(void)
{
	pthread_mutex_lock(&st.mu);
}

void
store_unlock(void)
{
	pthread_mutex_unlock(&st.mu);
}

void
store_wait(int64_t ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += ms / 1000;
	ts.tv_nsec += (ms % 1000) * 1000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_nsec -= 1000000000;
		ts.tv_sec++;
	}
	pthread_cond_timedwait(&st.changed, &st.mu, &ts);
}

void
store_wake(void)
{
	pthread_cond_broadcast(&st.changed);
}

uint64_t
store_rv(void)
{
	return st.rv;
}

void
store_key(char **ret, const char *ns, const char *name)
{
	*ret = ns == NULL || *ns == '\0' ? util_strdup(name)
					 : util_format("%s/%s", ns, name);
}

static size_t
lower_bound(const struct table *t, const char *key)
{
	size_t lo = 0, hi = t->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(t->rows[mid].key, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool
row_is(const struct table *t, size_t i, const char *key)
{
	return i < t->n && strcmp(t->rows[i].key, key) == 0;
}

/* Steals key and obj. */
static void
row_insert(struct table *t, size_t i, char *key, json_t *obj)
{
	if (t->n == t->cap) {
		t->cap = t->cap == 0 ? 64 : t->cap * 2;
		t->rows = util_grow(t->rows, t->cap * sizeof(*t->rows));
	}
	memmove(&t->rows[i + 1], &t->rows[i], (t->n - i) * sizeof(*t->rows));
	t->rows[i].key = key;
	t->rows[i].obj = obj;
	t->n++;
}

static void
row_remove(struct table *t, size_t i)
{
	free(t->rows[i].key);
	json_decref(t->rows[i].obj);
	memmove(
	    &t->rows[i], &t->rows[i + 1], (t->n - i - 1) * sizeof(*t->rows));
	t->n--;
}

json_t *
store_get(const struct resource *r, const char *ns, const char *name)
{
	const struct table *t = &st.tables[r->index];
	char *key;
	size_t i;

	store_key(&key, ns, name);
	i = lower_bound(t, key);
	if (!row_is(t, i, key))
		i = t->n;
	free(key);
	return i == t->n ? NULL : t->rows[i].obj;
}

static void
event_release(struct store_event *e)
{
	free(e->key);
	json_decref(e->obj);
	json_decref(e->prev);
}

static void
drop_old_events(void)
{
	if (st.nevents < HISTORY_MAX)
		return;
	for (size_t i = 0; i < HISTORY_DROP; i++)
		event_release(&st.events[i]);
	if (st.floor < st.events[HISTORY_DROP - 1].rv)
		st.floor = st.events[HISTORY_DROP - 1].rv;
	memmove(st.events, st.events + HISTORY_DROP,
	    (st.nevents - HISTORY_DROP) * sizeof(*st.events));
	st.nevents -= HISTORY_DROP;
	st.base += HISTORY_DROP;
}

/* Takes its own references. */
static void
record(const struct resource *r, enum store_change change, const char *key,
    json_t *obj, json_t *prev)
{
	struct store_event *e;

	drop_old_events();
	if (st.nevents == st.cap_events) {
		st.cap_events = st.cap_events == 0 ? 1024 : st.cap_events * 2;
		st.events =
		    util_grow(st.events, st.cap_events * sizeof(*st.events));
	}
	e = &st.events[st.nevents++];
	e->rv = st.rv;
	e->change = change;
	e->res = r;
	e->key = util_strdup(key);
	e->obj = json_incref(obj);
	e->prev = json_incref(prev);
	store_wake();
}

static void
stamp(json_t *obj)
{
	char rv[24];

	st.rv++;
	snprintf(rv, sizeof(rv), "%llu", (unsigned long long)st.rv);
	json_puts(json_child(obj, "metadata"), "resourceVersion", rv);
}

static char *
key_of(const json_t *obj)
{
	const json_t *meta = json_object_get(obj, "metadata");
	char *key;

	store_key(&key, json_str(meta, "namespace"), json_str(meta, "name"));
	return key;
}

void
store_put(const struct resource *r, json_t *obj)
{
	struct table *t = &st.tables[r->index];
	char *key = key_of(obj);
	size_t i = lower_bound(t, key);

	stamp(obj);
	if (row_is(t, i, key)) {
		json_t *prev = t->rows[i].obj;

		record(r, STORE_MODIFIED, key, obj, prev);
		json_decref(prev);
		t->rows[i].obj = obj;
		free(key);
	} else {
		record(r, STORE_ADDED, key, obj, NULL);
		row_insert(t, i, key, obj);
	}
}

void
store_delete(const struct resource *r, const char *ns, const char *name)
{
	struct table *t = &st.tables[r->index];
	json_t *last;
	char *key;
	size_t i;

	store_key(&key, ns, name);
	i = lower_bound(t, key);
	if (row_is(t, i, key)) {
		last = json_deep_copy(t->rows[i].obj);
		stamp(last);
		record(r, STORE_DELETED, key, last, t->rows[i].obj);
		json_decref(last);
		row_remove(t, i);
	}
	free(key);
}

static void
undo(struct table *t, const struct store_event *e)
{
	size_t i = lower_bound(t, e->key);

	switch (e->change) {
	case STORE_ADDED:
		if (row_is(t, i, e->key))
			row_remove(t, i);
		break;
	case STORE_MODIFIED:
		if (row_is(t, i, e->key)) {
			json_decref(t->rows[i].obj);
			t->rows[i].obj = json_incref(e->prev);
		}
		break;
	case STORE_DELETED:
		row_insert(t, i, util_strdup(e->key), json_incref(e->prev));
		break;
	}
}

int
store_snapshot(const struct resource *r, uint64_t rv, struct store_items *out)
{
	const struct table *now = &st.tables[r->index];
	struct table t = { 0 };

	if (rv < st.floor)
		return -1;
	for (size_t i = 0; i < now->n; i++)
		row_insert(&t, i, util_strdup(now->rows[i].key),
		    json_incref(now->rows[i].obj));
	for (size_t i = st.nevents; i > 0 && st.events[i - 1].rv > rv; i--) {
		if (st.events[i - 1].res == r)
			undo(&t, &st.events[i - 1]);
	}
	out->items = util_alloc((t.n + 1) * sizeof(json_t *));
	out->n = t.n;
	for (size_t i = 0; i < t.n; i++) {
		out->items[i] = t.rows[i].obj;
		free(t.rows[i].key);
	}
	free(t.rows);
	return 0;
}

void
store_items_release(struct store_items *items)
{
	for (size_t i = 0; i < items->n; i++)
		json_decref(items->items[i]);
	free(items->items);
	memset(items, 0, sizeof(*items));
}

uint64_t
store_event_end(void)
{
	return st.base + st.nevents;
}

uint64_t
store_event_after(uint64_t rv)
{
	size_t lo = 0, hi = st.nevents;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (st.events[mid].rv <= rv)
			lo = mid + 1;
		else
			hi = mid;
	}
	return st.base + lo;
}

const struct store_event *
store_event_at(uint64_t seq)
{
	if (seq < st.base || seq >= st.base + st.nevents)
		return NULL;
	return &st.events[seq - st.base];
}

uint64_t
store_floor(void)
{
	return st.floor;
}

void
store_expire_history(void)
{
	/* A version of its own, so that even the newest known is too old. */
	st.rv++;
	st.floor = st.rv;
}

json_t *
store_dump(void)
{
	json_t *all = json_array();

	for (size_t i = 0; i < TYPES_COUNT; i++) {
		for (size_t k = 0; k < st.tables[i].n; k++)
			json_array_append(all, st.tables[i].rows[k].obj);
	}
	return json_pack("{s:I, s:o}", "rv", (json_int_t)st.rv, "objects", all);
}

void
store_load(const json_t *state)
{
	size_t i;
	json_t *obj;

	st.rv = (uint64_t)json_num(state, "rv", FIRST_RV);
	st.floor = st.rv;
	json_array_foreach(json_object_get(state, "objects"), i, obj)
	{
		const struct resource *r = types_by_kind(
		    json_str(obj, "apiVersion"), json_str(obj, "kind"));
		struct table *t = &st.tables[r->index];
		char *key = key_of(obj);

		row_insert(t, lower_bound(t, key), key, json_incref(obj));
	}
}
