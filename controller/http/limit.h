/*
 * Limits of the admin port: sources whose requests were refused again and
 * again have to wait, and exports are few in a time. Thread-safe; memory is
 * fixed.
 */
#ifndef HTTP_LIMIT_H
#define HTTP_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/secret.h"

/* Refusals of one source within LIMIT_LOCK_S before it has to wait. */
#define LIMIT_REFUSALS 5
#define LIMIT_LOCK_S   UINT64_C(300)
/* Sources remembered; of more the one that was heard longest ago goes. */
#define LIMIT_SOURCES_MAX 256
/* Tokens whose request was granted; they are heard from a locked source too,
 * since many may share an address. Kept as keyed hashes. */
#define LIMIT_KNOWN_MAX 64
#define LIMIT_KNOWN_S	UINT64_C(3600)
/* Exports that may come at once, and seconds until one more may. */
#define LIMIT_EXPORTS  6
#define LIMIT_EXPORT_S UINT64_C(600)

struct limit;

struct limit *limit_new(const struct clock *clock);
void limit_free(struct limit *l);

/* Seconds that a source has to wait; 0: none. */
uint64_t limit_locked_s(struct limit *l, const char *source);
/* One more refusal; and a request that was granted, which clears them unless
 * the source is locked. */
void limit_refused(struct limit *l, const char *source);
void limit_granted(struct limit *l, const char *source);
size_t limit_sources(struct limit *l);

/* A token was good; is it one that was; it was refused. */
void limit_know(struct limit *l, const struct secret *token);
bool limit_knows(struct limit *l, const struct secret *token);
void limit_forget(struct limit *l, const struct secret *token);

/* Takes one export: 0, or the seconds to wait. */
uint64_t limit_take_export(struct limit *l);

#endif
