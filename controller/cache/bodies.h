/*
 * Objects that wait beside their keys in the work queue, as JSON text in one
 * mapping of BODIES_MAX bytes. The text takes a fifth of a tree's memory; and
 * the mapping is given back as a whole once nothing waits, where trees that a
 * start leaves among the records of the index would keep the heap large.
 * While something always waits the room is used up and nothing more is kept.
 * Not thread-safe.
 */
#ifndef CONTROLLER_CACHE_BODIES_H
#define CONTROLLER_CACHE_BODIES_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define BODIES_MAX (4u * 1024 * 1024)

/* Zeroed: empty. */
struct bodies {
	char *map;
	size_t used;	/* bytes of bodies since it was empty, gone ones, too */
	size_t touched; /* bytes that have memory */
	size_t waiting;
};

/* Zeroed: none. */
struct body {
	uint32_t at, len;
};

void bodies_release(struct bodies *b);
/* None where there is no room. */
struct body bodies_put(struct bodies *b, const json_t *v);
/* The text, owned by the caller, NULL for none; *body is none then. */
char *bodies_take(struct bodies *b, struct body *body);
void bodies_drop(struct bodies *b, struct body *body);

#endif
