/*
 * The index: one hash table of small records behind one mutex. Call-outs
 * happen outside the lock: a sweep first unlinks its victims, a walk keeps its
 * place in a cursor that removals push forward.
 */
#include "cache/index.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/thread.h"
#include "hashtable.h"

struct entry {
	union {
		struct hashnode node;
		struct entry *swept; /* unlinked: next victim of a sweep */
	};
	struct index_record rec;
	uint64_t epoch;
	char key[]; /* "ns/name", no longer than needed */
};

static_assert(offsetof(struct entry, node) == 0, "nodes are entries");

struct cursor {
	struct entry *next;
	struct cursor *older;
};

struct index {
	struct mutex mu;
	struct hashtable table; /* of entries; guarded by mu */
	struct cursor *cursors; /* guarded by mu: walks under way */
	uint64_t unnoted;	/* guarded by mu: items without a note */
};

static struct entry *
entry_of(struct hashnode *n)
{
	return (struct entry *)n;
}

struct index *
index_new(void)
{
	struct index *ix = xcalloc(1, sizeof(*ix));

	mutex_init(&ix->mu);
	return ix;
}

static void unlink_locked(struct index *ix, struct entry *e) REQUIRES(ix->mu);
static struct entry *
find_locked(struct index *ix, const char *text) REQUIRES(ix->mu);
static struct entry *
add_locked(struct index *ix, const char *text) REQUIRES(ix->mu);
static struct entry *find_uid_locked(struct index *ix, const struct objkey *key,
    const char *uid) REQUIRES(ix->mu);
static struct entry *unlink_stale_locked(
    struct index *ix, const char *ns, uint64_t epoch) REQUIRES(ix->mu);

/* What a record adds to the items without a note. */
static uint32_t
unnoted(const struct index_record *rec)
{
	return rec->uses == 0 ? rec->items : 0;
}

static void
unlink_locked(struct index *ix, struct entry *e)
{
	ix->unnoted -= unnoted(&e->rec);
	for (struct cursor *c = ix->cursors; c != NULL; c = c->older)
		if (c->next == e)
			c->next = entry_of(hashtable_next(&e->node));
	hashtable_remove(&ix->table, &e->node);
}

void
index_free(struct index *ix)
{
	if (ix == NULL)
		return;
	mutex_lock(&ix->mu);
	while (ix->table.first != NULL) {
		struct entry *e = entry_of(ix->table.first);

		unlink_locked(ix, e);
		free(e);
	}
	mutex_unlock(&ix->mu);
	mutex_destroy(&ix->mu);
	free(ix);
}

static struct entry *
find_locked(struct index *ix, const char *text)
{
	return entry_of(hashtable_find(&ix->table, text));
}

static struct entry *
add_locked(struct index *ix, const char *text)
{
	size_t len = strlen(text);
	struct entry *e = xmalloc(sizeof(*e) + len + 1);

	memset(e, 0, sizeof(*e));
	memcpy(e->key, text, len + 1);
	hashtable_add(&ix->table, &e->node, e->key);
	return e;
}

/* The text was made from an objkey, so both halves fit. */
static void
entry_key(const struct entry *e, struct objkey *key)
{
	const char *slash = strchr(e->key, '/');
	size_t len = (size_t)(slash - e->key);

	memset(key, 0, sizeof(*key));
	memcpy(key->ns, e->key, len);
	memcpy(key->name, slash + 1, strlen(slash + 1));
}

bool
index_put(struct index *ix, const struct objkey *key,
    const struct index_record *rec, uint64_t epoch, struct index_record *old)
{
	char text[OBJKEY_TEXT_MAX];
	struct index_record before;
	struct entry *e;
	bool had;

	objkey_text(key, text);
	mutex_lock(&ix->mu);
	e = find_locked(ix, text);
	had = e != NULL;
	if (!had)
		e = add_locked(ix, text);
	before = e->rec;
	e->rec = *rec;
	e->epoch = epoch;
	e->rec.uses = 0;
	if (had && strcmp(before.uid, rec->uid) == 0)
		index_keep_notes(&e->rec, &before);
	ix->unnoted += unnoted(&e->rec);
	ix->unnoted -= had ? unnoted(&before) : 0;
	mutex_unlock(&ix->mu);
	if (had && old != NULL)
		*old = before;
	return had;
}

bool
index_add(
    struct index *ix, const struct objkey *key, const struct index_record *rec)
{
	char text[OBJKEY_TEXT_MAX];
	struct entry *e;
	bool added;

	objkey_text(key, text);
	mutex_lock(&ix->mu);
	added = find_locked(ix, text) == NULL;
	if (added) {
		e = add_locked(ix, text);
		e->rec = *rec;
		e->epoch = 0;
		ix->unnoted += unnoted(rec);
	}
	mutex_unlock(&ix->mu);
	return added;
}

bool
index_get(struct index *ix, const struct objkey *key, struct index_record *ret)
{
	char text[OBJKEY_TEXT_MAX];
	struct entry *e;

	objkey_text(key, text);
	mutex_lock(&ix->mu);
	e = find_locked(ix, text);
	if (e != NULL && ret != NULL)
		*ret = e->rec;
	mutex_unlock(&ix->mu);
	return e != NULL;
}

bool
index_remove(
    struct index *ix, const struct objkey *key, struct index_record *old)
{
	char text[OBJKEY_TEXT_MAX];
	struct entry *e;

	objkey_text(key, text);
	mutex_lock(&ix->mu);
	e = find_locked(ix, text);
	if (e != NULL)
		unlink_locked(ix, e);
	mutex_unlock(&ix->mu);
	if (e == NULL)
		return false;
	if (old != NULL)
		*old = e->rec;
	free(e);
	return true;
}

/* NULL where there is no record, or one of another UID. */
static struct entry *
find_uid_locked(struct index *ix, const struct objkey *key, const char *uid)
{
	char text[OBJKEY_TEXT_MAX], id[INDEX_UID_MAX];
	struct entry *e;

	objkey_text(key, text);
	index_copy_id(id, sizeof(id), uid);
	e = find_locked(ix, text);
	return e != NULL && strcmp(e->rec.uid, id) == 0 ? e : NULL;
}

/* Lets set() change the record of this UID; false: there is none. */
static bool
note(struct index *ix, const struct objkey *key, const char *uid,
    void (*set)(struct index_record *rec, const struct index_record *from),
    const struct index_record *from)
{
	struct entry *e;

	mutex_lock(&ix->mu);
	e = find_uid_locked(ix, key, uid);
	if (e != NULL)
		set(&e->rec, from);
	mutex_unlock(&ix->mu);
	return e != NULL;
}

static void
set_result(struct index_record *rec, const struct index_record *from)
{
	rec->hint = from->hint;
	rec->result = from->result;
	rec->note = from->note;
}

static void
set_applied(struct index_record *rec, const struct index_record *from)
{
	rec->applied = from->applied;
	rec->applied_s = from->applied_s;
	rec->accepted = from->accepted;
}

static void
set_repair(struct index_record *rec, const struct index_record *from)
{
	rec->repairs = from->repairs;
	rec->repaired_s = from->repaired_s;
}

/* from->flags: those to clear. */
static void
set_marks(struct index_record *rec, const struct index_record *from)
{
	rec->marks = (rec->marks & ~from->flags) | from->marks;
}

bool
index_note(struct index *ix, const struct objkey *key, const char *uid,
    uint32_t hint, uint32_t result, uint64_t word)
{
	return note(ix, key, uid, set_result,
	    &(struct index_record) {
		.hint = hint, .result = result, .note = word });
}

bool
index_note_applied(struct index *ix, const struct objkey *key, const char *uid,
    uint64_t applied, uint32_t applied_s, uint64_t accepted)
{
	return note(ix, key, uid, set_applied,
	    &(struct index_record) {
		.applied = applied,
		.applied_s = applied_s,
		.accepted = accepted,
	    });
}

bool
index_note_repair(struct index *ix, const struct objkey *key, const char *uid,
    uint32_t repairs, uint32_t repaired_s)
{
	return note(ix, key, uid, set_repair,
	    &(struct index_record) {
		.repairs = repairs, .repaired_s = repaired_s });
}

bool
index_note_marks(struct index *ix, const struct objkey *key, const char *uid,
    uint32_t set, uint32_t clear)
{
	return note(ix, key, uid, set_marks,
	    &(struct index_record) { .marks = set, .flags = clear });
}

bool
index_note_uses(struct index *ix, const struct objkey *key, const char *uid,
    uint64_t digest, uint32_t uses, uint32_t *old)
{
	uint32_t before = 0;
	struct entry *e;

	mutex_lock(&ix->mu);
	e = find_uid_locked(ix, key, uid);
	if (e != NULL && e->rec.digest != digest)
		e = NULL;
	if (e != NULL) {
		before = e->rec.uses;
		ix->unnoted -= unnoted(&e->rec);
		e->rec.uses = uses;
		ix->unnoted += unnoted(&e->rec);
	}
	mutex_unlock(&ix->mu);
	if (old != NULL)
		*old = before;
	return e != NULL;
}

uint64_t
index_unnoted_items(struct index *ix)
{
	uint64_t n;

	mutex_lock(&ix->mu);
	n = ix->unnoted;
	mutex_unlock(&ix->mu);
	return n;
}

void
index_keep_notes(struct index_record *to, const struct index_record *from)
{
	to->hint = from->hint;
	to->result = from->result;
	to->note = from->note;
	to->applied = from->applied;
	to->applied_s = from->applied_s;
	to->accepted = from->accepted;
	to->repairs = from->repairs;
	to->repaired_s = from->repaired_s;
	to->marks = from->marks;
	to->uses = to->digest == from->digest ? from->uses : 0;
}

size_t
index_count(struct index *ix)
{
	size_t n;

	mutex_lock(&ix->mu);
	n = hashtable_count(&ix->table);
	mutex_unlock(&ix->mu);
	return n;
}

static bool
in_namespace(const struct entry *e, const char *ns)
{
	size_t len;

	if (ns == NULL)
		return true;
	len = strlen(ns);
	return strncmp(e->key, ns, len) == 0 && e->key[len] == '/';
}

static struct entry *
unlink_stale_locked(struct index *ix, const char *ns, uint64_t epoch)
{
	struct entry *stale = NULL, *e, *next;

	for (e = entry_of(ix->table.first); e != NULL; e = next) {
		next = entry_of(hashtable_next(&e->node));
		if (e->epoch == epoch || !in_namespace(e, ns))
			continue;
		unlink_locked(ix, e);
		e->swept = stale;
		stale = e;
	}
	return stale;
}

size_t
index_sweep(struct index *ix, const char *ns, uint64_t epoch,
    void (*each)(
	void *ctx, const struct objkey *key, const struct index_record *rec),
    void *ctx)
{
	struct entry *stale, *next;
	struct objkey key;
	size_t n = 0;

	mutex_lock(&ix->mu);
	stale = unlink_stale_locked(ix, ns, epoch);
	mutex_unlock(&ix->mu);
	for (; stale != NULL; stale = next, n++) {
		next = stale->swept;
		entry_key(stale, &key);
		if (each != NULL)
			each(ctx, &key, &stale->rec);
		free(stale);
	}
	return n;
}

void
index_walk(struct index *ix,
    void (*each)(
	void *ctx, const struct objkey *key, const struct index_record *rec),
    void *ctx)
{
	struct cursor here, **link;
	struct index_record rec;
	struct objkey key;

	mutex_lock(&ix->mu);
	here.next = entry_of(ix->table.first);
	here.older = ix->cursors;
	ix->cursors = &here;
	while (here.next != NULL) {
		entry_key(here.next, &key);
		rec = here.next->rec;
		here.next = entry_of(hashtable_next(&here.next->node));
		mutex_unlock(&ix->mu);
		each(ctx, &key, &rec);
		mutex_lock(&ix->mu);
	}
	for (link = &ix->cursors; *link != &here; link = &(*link)->older)
		;
	*link = here.older;
	mutex_unlock(&ix->mu);
}

void
index_copy_id(char *dst, size_t size, const char *src)
{
	size_t len = src == NULL ? 0 : strlen(src);

	if (len >= size) {
		/* '#' stands in no UID or version of a real server. */
		(void)snprintf(dst, size, "#%016" PRIx64, hash_bytes(src, len));
		return;
	}
	if (len > 0)
		memcpy(dst, src, len);
	memset(dst + len, 0, size - len);
}
