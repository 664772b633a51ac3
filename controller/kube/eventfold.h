/*
 * Which events are sent, and as what: repeats are counted, many different
 * messages of one kind are combined, and one object cannot flood the API
 * server. The rules and numbers are those of client-go's correlator. Knows
 * hashes and times only; not thread-safe.
 */
#ifndef KUBE_EVENTFOLD_H
#define KUBE_EVENTFOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct eventfold;

/* Hashes over growing parts of an event. */
struct eventfold_key {
	uint64_t object;  /* component and object */
	uint64_t similar; /* and type and reason */
	uint64_t exact;	  /* and message */
};

struct eventfold_result {
	bool drop;	 /* the object's allowance is used up */
	bool combined;	 /* one event stands for many messages */
	unsigned count;	 /* over 1: an event sent before is repeated */
	int64_t first_s; /* wall time of the first one */
	uint64_t name;	 /* that of the first one */
};

struct eventfold *eventfold_new(void);
void eventfold_free(struct eventfold *f);
/* name: of this event, should it be one of its own. mono_ns judges intervals.
 */
void eventfold_observe(struct eventfold *f, const struct eventfold_key *key,
    uint64_t name, int64_t wall_s, uint64_t mono_ns,
    struct eventfold_result *ret);
/* Entries of the largest table, for tests of its bound. */
size_t eventfold_size(const struct eventfold *f);

DEFINE_AUTO(eventfold);

#endif
