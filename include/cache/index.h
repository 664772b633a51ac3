/*
 * namespace/name -> a small record: what we know of an object without keeping
 * it. Contents are never cached: a record is the same few hundred bytes
 * whether the object holds one byte or a megabyte. Thread-safe; records are
 * copied out under the index's lock.
 */
#ifndef CACHE_INDEX_H
#define CACHE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "kube/objkey.h"

/* A longer one is stored as a keyed hash of it, as every UUID is: they are
 * compared, never shown. */
#define INDEX_UID_MAX 20
#define INDEX_RV_MAX  20

struct index_record {
	char uid[INDEX_UID_MAX];
	char rv[INDEX_RV_MAX];
	char owner_uid[INDEX_UID_MAX]; /* Secrets: controller reference */
	int64_t generation;
	uint64_t digest; /* SealedSecrets: of what triggers a run */
	uint64_t shape;	 /* of a Secret's metadata: as it is, or should be */
	uint32_t flags;	 /* meaning is the owner's of the index */
	uint32_t state;	 /* likewise */
	uint32_t items;	 /* SealedSecrets: how many are sealed */
	/* Written by workers through index_note*(); a reflector keeps them. */
	uint32_t hint;	     /* registry's key hint */
	uint32_t result;     /* outcome of the last run */
	uint32_t applied_s;  /* applied held then, Unix seconds; 0: not known */
	uint64_t note;	     /* free for the owner */
	uint64_t applied;    /* digest that the last run was about */
	uint64_t accepted;   /* look of the Secret that a run found right */
	uint32_t repairs;    /* in a row */
	uint32_t repaired_s; /* when the last one was, monotonic */
	uint32_t marks;
	uint32_t uses; /* what is noted of the items' keys; 0: nothing. Goes
			  with the digest */
};

struct index;

struct index *index_new(void);
void index_free(struct index *ix);

/*
 * Stores a record as seen in list number epoch (see index_sweep). What workers
 * wrote into a record already there with the same UID is kept. old (may be
 * NULL) receives the record before; returns whether there was one.
 */
bool index_put(struct index *ix, const struct objkey *key,
    const struct index_record *rec, uint64_t epoch, struct index_record *old);
/* What a writer knows before any list or watch told of it: stored only where
 * there is no record, as not seen by any list. So a list that does not hold the
 * object reports it gone. */
bool index_add(
    struct index *ix, const struct objkey *key, const struct index_record *rec);
bool
index_get(struct index *ix, const struct objkey *key, struct index_record *ret);
bool index_remove(
    struct index *ix, const struct objkey *key, struct index_record *old);
/* A worker's result, stored only where the record still has this UID. */
bool index_note(struct index *ix, const struct objkey *key, const char *uid,
    uint32_t hint, uint32_t result, uint64_t note);
/* The other things that workers write, each under the same condition. */
bool index_note_applied(struct index *ix, const struct objkey *key,
    const char *uid, uint64_t applied, uint32_t applied_s, uint64_t accepted);
bool index_note_repair(struct index *ix, const struct objkey *key,
    const char *uid, uint32_t repairs, uint32_t repaired_s);
bool index_note_marks(struct index *ix, const struct objkey *key,
    const char *uid, uint32_t set, uint32_t clear);
/*
 * Notes uses (0: takes the note away) where the record has this UID and this
 * digest; old (may be NULL) receives the note before, which is the caller's to
 * release. False: nothing was stored.
 */
bool index_note_uses(struct index *ix, const struct objkey *key,
    const char *uid, uint64_t digest, uint32_t uses, uint32_t *old);
/* Items of all records without a note on their keys. */
uint64_t index_unnoted_items(struct index *ix);
/* Copies what workers have written. */
void index_keep_notes(struct index_record *to, const struct index_record *from);
size_t index_count(struct index *ix);
/*
 * Calls each() for every record of a namespace (NULL: all) that was not put
 * with this epoch, and removes it. each() runs outside the lock.
 */
size_t index_sweep(struct index *ix, const char *ns, uint64_t epoch,
    void (*each)(
	void *ctx, const struct objkey *key, const struct index_record *rec),
    void *ctx);
/* Calls each() outside the lock with a copy of every record. */
void index_walk(struct index *ix,
    void (*each)(
	void *ctx, const struct objkey *key, const struct index_record *rec),
    void *ctx);

/* Text into a fixed field: as it is, or a keyed hash in hex where too long. */
void index_copy_id(char *dst, size_t size, const char *src);

DEFINE_AUTO(index);

#endif
