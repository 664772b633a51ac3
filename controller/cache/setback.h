/*
 * What a reflector does after a stream that did not lead on: go on at the same
 * place or list from the start, when, and whether that is worth a line. Pure:
 * it counts and judges, the reflector acts.
 */
#ifndef CONTROLLER_CACHE_SETBACK_H
#define CONTROLLER_CACHE_SETBACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct setback {
	uint32_t (*random)(void);
	uint64_t poll_ms;   /* between lists where watching is refused */
	uint64_t failed_ms; /* last failure */
	unsigned failures;  /* without progress or quiet minutes between */
	unsigned relists;   /* without two quiet minutes between */
	uint64_t relisted_ms;
	unsigned stalled;  /* failures at this place */
	bool reauthorized; /* a 401 was answered by trying again at once */
	uint64_t watch_ms; /* no watch before; it was refused */
	bool granted;	   /* a watch was */
	unsigned refusals; /* since */
};

/* A stream that has ended. */
struct setback_end {
	struct err *why; /* ERR_NONE: as it should; a watch that ended too soon
			    gets its error here */
	uint64_t now_ms;
	bool synced;	 /* a list was complete before */
	uint64_t age_ms; /* watch: so long it lasted */
	bool eventful;	 /* watch: something came */
	bool paged;	 /* list: a page was read, with a limit */
};

enum setback_place {
	SETBACK_HERE,	    /* the same step again */
	SETBACK_LIST,	    /* a list from its start */
	SETBACK_WHOLE_LIST, /* likewise, without a limit */
};

enum setback_say { SETBACK_NOTHING, SETBACK_TROUBLE, SETBACK_REFUSED };

struct setback_plan {
	const char *reason; /* label of the restart metric; static */
	enum setback_place place;
	uint64_t wait_ms;
	enum setback_say say;
};

void
setback_init(struct setback *s, uint32_t (*random)(void), uint64_t poll_ms);
/* A watch ended, for whatever reason. */
struct setback_plan
setback_watch(struct setback *s, const struct setback_end *end);
/* A list failed. */
struct setback_plan
setback_list(struct setback *s, const struct setback_end *end);

/* An answer 200 to a list or a watch. */
void setback_answered(struct setback *s, bool watch);
/* A page was taken: the place is another one. */
void setback_moved(struct setback *s);
/* The version moved: the next failure is a first one. */
void setback_progress(struct setback *s);
/* False: it was refused a moment ago. */
bool setback_may_watch(const struct setback *s, uint64_t now_ms);

#endif
