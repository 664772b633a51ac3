/*
 * The connections of one listener: who is where since when. libmicrohttpd's
 * own timeout starts anew with every byte and its limit turns new connections
 * away, probes among them. Hence here: absolute deadlines per phase, and at the
 * limit the connection that has waited longest goes, to let a new one in.
 * A connection is ended by shutdown(2) on its socket; libmicrohttpd then sees
 * its end and cleans up, on its own thread. Thread-safe.
 */
#ifndef HTTP_CONNS_H
#define HTTP_CONNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

enum conn_phase {
	CONN_IDLE,  /* no byte of a request's first line processed yet */
	CONN_READ,  /* request line is in; head or body to come */
	CONN_WRITE, /* answer under way */
};

struct conns_limits {
	size_t max; /* connections at once */
	/* Longest stay in a phase, each over 0. */
	uint64_t idle_ms, read_ms, write_ms;
	/* Says nothing when time is over: what goes over the socket is not
	 * ours to write (TLS). */
	bool silent;
};

struct conns;
struct conn;

/* The clock is borrowed and must outlive the table. */
struct conns *
conns_new(const struct conns_limits *limits, const struct clock *clock);
/* Every connection must have been removed. */
void conns_free(struct conns *t);

/* A new one, in CONN_IDLE. fd stays the caller's, and must stay open until
 * conns_remove(). Over the limit another one is ended: of those that wait for
 * a request the oldest, else the oldest of all. */
struct conn *conns_add(struct conns *t, int fd);
void conns_enter(struct conns *t, struct conn *c, enum conn_phase phase);
void conns_remove(struct conns *t, struct conn *c);

/* Ends those whose time is over; returns milliseconds until the next one is
 * due, UINT64_MAX where there is none. */
uint64_t conns_expire(struct conns *t);
/* Loop for a thread of its own: expires until conns_drain(). */
void conns_run(struct conns *t);
/* Ends those that wait for a request, and new ones from now on; then waits at
 * most so long for the others. True: none is left in CONN_READ or CONN_WRITE.
 */
bool conns_drain(struct conns *t, uint64_t timeout_ms);
size_t conns_count(struct conns *t);

#endif
