/*
 * What a restore is to do: the keys of a backup compared with what the cluster
 * has. Pure but for the plan's own memory.
 */
#ifndef HTTP_RESTORE_H
#define HTTP_RESTORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "keystore/backup.h"

enum restore_result {
	RESTORE_CREATED,    /* is not there: to be created */
	RESTORE_UNCHANGED,  /* the same key is there under the same name */
	RESTORE_PRESENT_AS, /* the same key is there under another name */
	RESTORE_CONFLICT,   /* the name is taken by something else */
};

struct restore_item {
	const struct backup_key *key; /* borrowed from the backup */
	enum restore_result result;
	char as[BACKUP_NAME_MAX]; /* RESTORE_PRESENT_AS */
	char message[256];	  /* RESTORE_CONFLICT */
};

struct restore_plan {
	struct restore_item *items; /* in the backup's order: oldest first */
	size_t count;
};

/*
 * live: an array of {"name", "fingerprint"}, without the latter for Secrets
 * that hold no usable key. Owned by the caller; the backup must outlive it.
 */
struct restore_plan *restore_plan(const struct backup *b, const json_t *live);
void restore_plan_free(struct restore_plan *p);

/* How many have this result. */
size_t restore_count(const struct restore_plan *p, enum restore_result result);
/* The name turned out to be taken. */
void restore_conflict(struct restore_item *item, const char *message);
/* [{"name", "fingerprint", "result", ...}], owned by the caller. */
json_t *restore_answer(const struct restore_plan *p);

DEFINE_AUTO(restore_plan);

#endif
