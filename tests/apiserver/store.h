/*
 * The objects in memory, their one version counter, and the history of
 * changes that watches, snapshots and expiry are made from. Everything but
 * store_init() is called with the lock held. Stored objects are immutable.
 */
#ifndef APISERVER_STORE_H
#define APISERVER_STORE_H

#include "types.h"

enum store_change {
	STORE_ADDED,
	STORE_MODIFIED,
	STORE_DELETED,
};

struct store_event {
	uint64_t rv;
	enum store_change change;
	const struct resource *res;
	char *key;
	json_t *obj;  /* the last state, when deleted, with the new version */
	json_t *prev; /* NULL when added */
};

struct store_items {
	json_t **items; /* in the order of their keys */
	size_t n;
};

void store_init(void);
void store_lock(void);
void store_unlock(void);

/* Until a change, a store_wake() or so many milliseconds from now. */
void store_wait(int64_t ms);
void store_wake(void);

uint64_t store_rv(void);
json_t *store_get(const struct resource *r, const char *ns, const char *name);
void store_put(const struct resource *r, json_t *obj); /* steals obj */
void store_delete(const struct resource *r, const char *ns, const char *name);

/* The list as it was at rv. -1 when the history does not reach back. */
int
store_snapshot(const struct resource *r, uint64_t rv, struct store_items *out);
void store_items_release(struct store_items *items);

/* Events are numbered without gaps; `end` is one past the newest. */
uint64_t store_event_end(void);
uint64_t store_event_after(uint64_t rv);
const struct store_event *store_event_at(uint64_t seq); /* NULL: dropped */

uint64_t store_floor(void); /* watches from below it have expired */
void store_expire_history(void);

void store_key(char **ret, const char *ns, const char *name);
json_t *store_dump(void);
void store_load(const json_t *state);

#endif
