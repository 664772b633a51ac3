/*
 * The work queue. One item per key that is waiting, delayed, in a worker's
 * hands or has failed; everything else costs nothing. Ready items stand in one
 * list per lane, delayed ones in a binary heap that knows their places, so
 * that every operation is O(1) or O(log n).
 */
#include "cache/workqueue.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include <utlist.h>

#include "base/jsonx.h"
#include "base/thread.h"
#include "bodies.h"
#include "hashtable.h"

#define LANES 2
/* After so many keys of the new lane in a row one of the backlog gets its
 * turn, so that a flood of events cannot starve it. */
#define NEW_RUN_MAX 16
/* Bodies that wait longer are read again: those of a follower, whose work
 * others do, and of a queue that is never empty. */
#define BODIES_AGE_NS (60 * NS_PER_S)
/* Longest delay; a longer one is shortened to it. */
#define DELAY_MAX_MS (UINT64_C(366) * 24 * 3600 * 1000)

struct item {
	struct hashnode node;
	struct item *prev, *next; /* in its lane, while ready */
	struct body body;
	uint64_t since_ns; /* ready since */
	uint64_t due_ns;   /* delayed until */
	uint32_t heap_at;  /* place in the heap plus one; 0: not delayed */
	uint32_t failures;
	bool ready, processing;
	bool again; /* added while processing: ready at done */
	uint8_t lane;
	uint8_t due_lane;
	char key[]; /* "ns/name" */
};

static_assert(offsetof(struct item, node) == 0, "nodes are items");

struct workqueue {
	const struct clock *clock;
	struct mutex mu;
	struct cond more;
	/* guarded by mu from here on */
	struct hashtable items;
	struct item *lanes[LANES];
	size_t nready;
	unsigned new_run;
	struct item **heap;
	uint32_t nheap, heap_cap;
	struct bodies bodies;
	uint64_t bodies_since_ns; /* the first after none; while any waits */
	uint64_t moved_ns; /* a worker took or gave back, or work appeared */
	bool served;	   /* a worker has asked for work */
	bool stopping;
};

static struct item *
find_locked(struct workqueue *q, const struct objkey *key) REQUIRES(q->mu);
static struct item *
want_locked(struct workqueue *q, const struct objkey *key) REQUIRES(q->mu);
static void
drop_idle_locked(struct workqueue *q, struct item *it) REQUIRES(q->mu);
static void
place_locked(struct workqueue *q, uint32_t at, struct item *it) REQUIRES(q->mu);
static void sift_up_locked(struct workqueue *q, uint32_t at, struct item *it)
    REQUIRES(q->mu);
static void sift_down_locked(struct workqueue *q, uint32_t at, struct item *it)
    REQUIRES(q->mu);
static void
heap_remove_locked(struct workqueue *q, struct item *it) REQUIRES(q->mu);
static void
heap_push_locked(struct workqueue *q, struct item *it) REQUIRES(q->mu);
static void push_locked(struct workqueue *q, struct item *it, uint8_t lane,
    uint64_t since_ns) REQUIRES(q->mu);
static void unlist_locked(struct workqueue *q, struct item *it) REQUIRES(q->mu);
static void enqueue_locked(struct workqueue *q, struct item *it, uint8_t lane,
    uint64_t since_ns) REQUIRES(q->mu);
static void forget_bodies_locked(struct workqueue *q) REQUIRES(q->mu);
static uint64_t promote_locked(struct workqueue *q) REQUIRES(q->mu);
static void set_body_locked(struct workqueue *q, struct item *it,
    const json_t *body, uint64_t now) REQUIRES(q->mu);
static void delay_locked(struct workqueue *q, struct item *it, uint8_t lane,
    uint64_t due_ns) REQUIRES(q->mu);
static struct item *next_locked(struct workqueue *q) REQUIRES(q->mu);
static void take_locked(struct workqueue *q, uint64_t now, struct objkey *key,
    char **text) REQUIRES(q->mu);

static struct item *
item_of(struct hashnode *n)
{
	return (struct item *)n;
}

struct workqueue *
workqueue_new(const struct clock *clock)
{
	struct workqueue *q = xcalloc(1, sizeof(*q));

	q->clock = clock;
	mutex_init(&q->mu);
	cond_init(&q->more);
	return q;
}

void
workqueue_free(struct workqueue *q)
{
	struct item *it;

	if (q == NULL)
		return;
	while ((it = item_of(q->items.first)) != NULL) {
		hashtable_remove(&q->items, &it->node);
		free(it);
	}
	free(q->heap);
	bodies_release(&q->bodies);
	cond_destroy(&q->more);
	mutex_destroy(&q->mu);
	free(q);
}

/* ---- items ---- */

static struct item *
find_locked(struct workqueue *q, const struct objkey *key)
{
	char text[OBJKEY_TEXT_MAX];

	objkey_text(key, text);
	return item_of(hashtable_find(&q->items, text));
}

static struct item *
want_locked(struct workqueue *q, const struct objkey *key)
{
	struct item *it = find_locked(q, key);
	char text[OBJKEY_TEXT_MAX];
	size_t len;

	if (it != NULL)
		return it;
	objkey_text(key, text);
	len = strlen(text);
	it = xmalloc(sizeof(*it) + len + 1);
	memset(it, 0, sizeof(*it));
	memcpy(it->key, text, len + 1);
	hashtable_add(&q->items, &it->node, it->key);
	return it;
}

/* An item that nobody has a reason to remember goes. */
static void
drop_idle_locked(struct workqueue *q, struct item *it)
{
	if (it->ready || it->processing || it->heap_at != 0 ||
	    it->failures != 0)
		return;
	hashtable_remove(&q->items, &it->node);
	free(it);
}

/* ---- the heap of delayed items ---- */

static void
place_locked(struct workqueue *q, uint32_t at, struct item *it)
{
	q->heap[at] = it;
	it->heap_at = at + 1;
}

static void
sift_up_locked(struct workqueue *q, uint32_t at, struct item *it)
{
	while (at > 0 && it->due_ns < q->heap[(at - 1) / 2]->due_ns) {
		place_locked(q, at, q->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	place_locked(q, at, it);
}

static void
sift_down_locked(struct workqueue *q, uint32_t at, struct item *it)
{
	uint32_t child;

	while ((child = 2 * at + 1) < q->nheap) {
		if (child + 1 < q->nheap &&
		    q->heap[child + 1]->due_ns < q->heap[child]->due_ns)
			child++;
		if (it->due_ns <= q->heap[child]->due_ns)
			break;
		place_locked(q, at, q->heap[child]);
		at = child;
	}
	place_locked(q, at, it);
}

static void
heap_push_locked(struct workqueue *q, struct item *it)
{
	if (q->nheap == q->heap_cap) {
		q->heap_cap = q->heap_cap == 0 ? 16 : q->heap_cap * 2;
		q->heap =
		    xreallocarray(q->heap, q->heap_cap, sizeof(struct item *));
	}
	sift_up_locked(q, q->nheap++, it);
}

static void
heap_remove_locked(struct workqueue *q, struct item *it)
{
	struct item *last;
	uint32_t at;

	if (it->heap_at == 0)
		return;
	at = it->heap_at - 1;
	it->heap_at = 0;
	last = q->heap[--q->nheap];
	if (last == it)
		return;
	if (at > 0 && last->due_ns < q->heap[(at - 1) / 2]->due_ns)
		sift_up_locked(q, at, last);
	else
		sift_down_locked(q, at, last);
}

/* ---- ready items ---- */

static void
push_locked(
    struct workqueue *q, struct item *it, uint8_t lane, uint64_t since_ns)
{
	it->ready = true;
	it->lane = lane;
	it->since_ns = since_ns;
	DL_APPEND(q->lanes[lane], it);
	if (q->nready++ == 0 && q->moved_ns < since_ns)
		q->moved_ns = since_ns;
}

static void
unlist_locked(struct workqueue *q, struct item *it)
{
	DL_DELETE(q->lanes[it->lane], it);
	it->ready = false;
	q->nready--;
}

static void
enqueue_locked(
    struct workqueue *q, struct item *it, uint8_t lane, uint64_t since_ns)
{
	if (it->processing) {
		if (!it->again || lane < it->lane)
			it->lane = lane;
		it->again = true;
	} else if (!it->ready) {
		push_locked(q, it, lane, since_ns);
	} else if (lane < it->lane) {
		unlist_locked(q, it);
		push_locked(q, it, lane, since_ns);
	}
}

static void
forget_bodies_locked(struct workqueue *q)
{
	struct hashnode *n;

	for (n = q->items.first; n != NULL; n = hashtable_next(n))
		bodies_drop(&q->bodies, &item_of(n)->body);
}

/* Delayed items whose time has come become ready; returns the time. Done at
 * the start of every operation, so that lanes stay in order of waiting. */
static uint64_t
promote_locked(struct workqueue *q)
{
	uint64_t now = clock_mono_ns(q->clock);

	while (q->nheap > 0 && q->heap[0]->due_ns <= now) {
		struct item *it = q->heap[0];

		heap_remove_locked(q, it);
		enqueue_locked(q, it, it->due_lane, it->due_ns);
	}
	if (q->bodies.waiting > 0 && now - q->bodies_since_ns > BODIES_AGE_NS)
		forget_bodies_locked(q);
	return now;
}

/* An add without a body drops the one that waits: it may be older than what the
 * add is about. */
static void
set_body_locked(
    struct workqueue *q, struct item *it, const json_t *body, uint64_t now)
{
	bodies_drop(&q->bodies, &it->body);
	if (body == NULL)
		return;
	if (q->bodies.waiting == 0)
		q->bodies_since_ns = now;
	it->body = bodies_put(&q->bodies, body);
}

void
workqueue_add(struct workqueue *q, const struct objkey *key,
    enum workqueue_lane lane, json_t *body)
{
	struct item *it;
	uint64_t now;

	mutex_lock(&q->mu);
	if (!q->stopping) {
		now = promote_locked(q);
		it = want_locked(q, key);
		heap_remove_locked(q, it);
		enqueue_locked(q, it, (uint8_t)lane, now);
		set_body_locked(q, it, body, now);
		cond_signal(&q->more);
	}
	mutex_unlock(&q->mu);
	json_decref(body);
}

static void
delay_locked(
    struct workqueue *q, struct item *it, uint8_t lane, uint64_t due_ns)
{
	if (it->heap_at != 0 && it->due_ns <= due_ns)
		return;
	heap_remove_locked(q, it);
	it->due_ns = due_ns;
	it->due_lane = lane;
	heap_push_locked(q, it);
}

void
workqueue_add_after(struct workqueue *q, const struct objkey *key,
    enum workqueue_lane lane, uint64_t delay_ms)
{
	uint64_t now;

	if (delay_ms > DELAY_MAX_MS)
		delay_ms = DELAY_MAX_MS;
	mutex_lock(&q->mu);
	if (!q->stopping) {
		now = promote_locked(q);
		delay_locked(q, want_locked(q, key), (uint8_t)lane,
		    now + delay_ms * NS_PER_MS);
		(void)promote_locked(q);
		/* Even for a later time: whoever waits must know of it. */
		cond_signal(&q->more);
	}
	mutex_unlock(&q->mu);
}

/* ---- workers ---- */

static struct item *
next_locked(struct workqueue *q)
{
	struct item *fresh = q->lanes[WORKQUEUE_NEW];
	struct item *backlog = q->lanes[WORKQUEUE_BACKLOG];

	if (backlog == NULL || (fresh != NULL && q->new_run < NEW_RUN_MAX)) {
		q->new_run = backlog == NULL ? 0 : q->new_run + 1;
		return fresh;
	}
	q->new_run = 0;
	return backlog;
}

static void
take_locked(struct workqueue *q, uint64_t now, struct objkey *key, char **text)
{
	struct item *it = next_locked(q);
	const char *slash = strchr(it->key, '/');

	unlist_locked(q, it);
	it->processing = true;
	q->moved_ns = now;
	memset(key, 0, sizeof(*key));
	memcpy(key->ns, it->key, (size_t)(slash - it->key));
	memcpy(key->name, slash + 1, strlen(slash + 1));
	*text = bodies_take(&q->bodies, &it->body);
	/* Another worker takes over waiting: for the rest, or for the next
	 * delayed item, of which only this one may have known. */
	if (q->nready > 0 || q->nheap > 0)
		cond_signal(&q->more);
}

static json_t *
parse(const char *text)
{
	struct err err = ERR_INIT;
	json_t *v = NULL;

	/* Our own text; if not, the object is read again. */
	if (text != NULL && jsonx_parse(text, strlen(text), 0, &v, &err) < 0)
		err_clear(&err);
	return v;
}

bool
workqueue_get(struct workqueue *q, struct objkey *key, json_t **body)
{
	AUTO_STR char *text = NULL;
	uint64_t now;
	bool got;

	mutex_lock(&q->mu);
	q->served = true;
	for (now = promote_locked(q); q->nready == 0 && !q->stopping;
	     now = promote_locked(q)) {
		if (q->nheap == 0)
			cond_wait(&q->more, &q->mu);
		else
			(void)cond_wait_for(
			    &q->more, &q->mu, q->heap[0]->due_ns - now);
	}
	got = !q->stopping;
	if (got)
		take_locked(q, now, key, &text);
	mutex_unlock(&q->mu);
	*body = parse(text);
	return got;
}

bool
workqueue_try_get(struct workqueue *q, struct objkey *key, json_t **body)
{
	AUTO_STR char *text = NULL;
	uint64_t now;
	bool got;

	mutex_lock(&q->mu);
	q->served = true;
	now = promote_locked(q);
	got = q->nready > 0 && !q->stopping;
	if (got)
		take_locked(q, now, key, &text);
	mutex_unlock(&q->mu);
	*body = parse(text);
	return got;
}

void
workqueue_done(struct workqueue *q, const struct objkey *key)
{
	struct item *it;
	uint64_t now;

	mutex_lock(&q->mu);
	now = promote_locked(q);
	it = find_locked(q, key);
	if (it != NULL && it->processing) {
		it->processing = false;
		q->moved_ns = now;
		if (it->again) {
			it->again = false;
			push_locked(q, it, it->lane, now);
			cond_signal(&q->more);
		}
		drop_idle_locked(q, it);
	}
	mutex_unlock(&q->mu);
}

unsigned
workqueue_fail(struct workqueue *q, const struct objkey *key)
{
	struct item *it;
	unsigned before;

	mutex_lock(&q->mu);
	it = want_locked(q, key);
	before = it->failures;
	if (it->failures < UINT32_MAX)
		it->failures++;
	mutex_unlock(&q->mu);
	return before;
}

unsigned
workqueue_failures(struct workqueue *q, const struct objkey *key)
{
	const struct item *it;
	unsigned n;

	mutex_lock(&q->mu);
	it = find_locked(q, key);
	n = it == NULL ? 0 : it->failures;
	mutex_unlock(&q->mu);
	return n;
}

void
workqueue_forget(struct workqueue *q, const struct objkey *key)
{
	struct item *it;

	mutex_lock(&q->mu);
	it = find_locked(q, key);
	if (it != NULL) {
		it->failures = 0;
		drop_idle_locked(q, it);
	}
	mutex_unlock(&q->mu);
}

void
workqueue_shutdown(struct workqueue *q)
{
	mutex_lock(&q->mu);
	q->stopping = true;
	cond_broadcast(&q->more);
	mutex_unlock(&q->mu);
}

/* ---- what probes and metrics ask ---- */

size_t
workqueue_len(struct workqueue *q)
{
	size_t n;

	mutex_lock(&q->mu);
	(void)promote_locked(q);
	n = q->nready;
	mutex_unlock(&q->mu);
	return n;
}

uint64_t
workqueue_oldest_ms(struct workqueue *q)
{
	uint64_t now, oldest;

	mutex_lock(&q->mu);
	now = oldest = promote_locked(q);
	for (size_t i = 0; i < LANES; i++)
		if (q->lanes[i] != NULL && q->lanes[i]->since_ns < oldest)
			oldest = q->lanes[i]->since_ns;
	mutex_unlock(&q->mu);
	return (now - oldest) / NS_PER_MS;
}

uint64_t
workqueue_stuck_ms(struct workqueue *q)
{
	uint64_t now, stuck = 0;

	mutex_lock(&q->mu);
	now = promote_locked(q);
	if (q->served && q->nready > 0)
		stuck = (now - q->moved_ns) / NS_PER_MS;
	mutex_unlock(&q->mu);
	return stuck;
}
