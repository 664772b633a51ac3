/*
 * Keeps an index in step with one resource: paged list, then watch, for ever.
 *
 * A reflector is a state machine on a kube_mux; every list and watch of the
 * process is driven by the one thread that polls the mux, and handlers run on
 * it: they only note and enqueue. Items are reduced to records one at a time.
 * 410 (as a status and as an ERROR event) re-lists; a re-list diffs: vanished
 * objects are reported. Bookmarks move the version. Failures back off with
 * jitter; 401 re-reads the token (transport); 429 waits Retry-After at the
 * same version. A watch without a byte for 3 minutes is dropped and started
 * again. A line over the limit is skipped, reported, and the stream re-listed
 * (items of a list over the limit are skipped and reported without a re-list,
 * so never in a loop: an oversize line makes one re-list, then further ones at
 * back-off pace). Objects over the limit count as not there.
 *
 * Metrics: METRIC_WATCH_RESTARTS counts every stream that did not lead on
 * (reason: ended, short, expired, oversize, or the name of the error code);
 * METRIC_WATCH_LAST_SEEN is the time of the last sign of life, a refusal
 * included; METRIC_WATCH_LAST_SYNC that of the last complete list, event or
 * bookmark (the server sends one a minute), 0 where there has been none. All
 * are there from the start. The label
 * resource is the plural, "secrets-metadata" for metadata-only Secrets, or the
 * label that the configuration gives.
 *
 * A list that is refused (403) is tried again at back-off pace, for ever. Where
 * the list is granted but the watch is refused, the list is repeated every
 * poll_ms, and the watch tried now and then.
 *
 * Not for cluster-scoped resources: every object needs a namespace.
 */
#ifndef CACHE_REFLECTOR_H
#define CACHE_REFLECTOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/err.h"
#include "cache/index.h"
#include "kube/client.h"
#include "kube/transport.h"

struct metrics;
struct reflector;

enum reflector_via { REFLECTOR_LIST, REFLECTOR_WATCH };

/* On the mux's thread. reduce() is a must, the others may be NULL. None may
 * free the reflector. */
struct reflector_handler {
	void *ctx;
	/* Object -> record. False: not kept in the index. Fills uid, rv,
	 * owner_uid, generation, digest, shape, flags, state. obj is borrowed.
	 */
	bool (*reduce)(void *ctx, const json_t *obj, struct index_record *rec);
	/* Stored or changed; old is NULL for a new one. Also called where the
	 * record did not change. obj is borrowed: json_incref to keep it; the
	 * reflector does not look at it again. now carries what
	 * workers wrote, as kept by the index. */
	void (*changed)(void *ctx, const struct objkey *key,
	    const struct index_record *old, const struct index_record *now,
	    json_t *obj, enum reflector_via via);
	/* Gone from the index: by a DELETED event (obj: last state, borrowed),
	 * by a re-list, no longer kept by reduce(), or replaced by an object
	 * of the same name with another UID, which changed() then reports as
	 * new (obj NULL for these three). A DELETED event of an object that
	 * was not in the index is reported too, with old reduced from its last
	 * state, where reduce() keeps that. */
	void (*gone)(void *ctx, const struct objkey *key,
	    const struct index_record *old, json_t *obj);
	/* The first complete list is in (once). */
	void (*synced)(void *ctx);
	/* Trouble worth a log line: undecodable, oversize. Rate limited by the
	 * reflector to one per 30 s and kind of trouble. ERR_FORBIDDEN comes
	 * once, until the watch was granted: its text names the stream, such
	 * as "watch secrets in namespace a", and not what the server said. */
	void (*trouble)(void *ctx, const struct err *err);
};

struct reflector_config {
	const struct kube_resource *resource; /* static */
	const char *ns;			      /* NULL: all; copied */
	const char *selector;	   /* label selector or NULL; copied */
	const char *label;	   /* in metrics; static; NULL: see above */
	unsigned page_limit;	   /* 0: 500 */
	uint64_t poll_ms;	   /* where it may not watch; 0: 30 s */
	struct kube_mux *mux;	   /* borrowed */
	struct index *index;	   /* borrowed */
	const struct clock *clock; /* borrowed */
	struct metrics *metrics;   /* borrowed, may be NULL */
	struct reflector_handler handler;
	uint32_t (*random)(void); /* NULL: the kernel's; for tests */
};

struct reflector *reflector_new(const struct reflector_config *cfg);
/* Cancels its stream. On the mux's thread outside its callbacks, or after it
 * ended. */
void reflector_free(struct reflector *r);
/*
 * Advances: starts what is due, judges timeouts. Called by the mux's thread
 * before each poll; returns milliseconds until it wants to be called again.
 */
uint64_t reflector_tick(struct reflector *r);
/* From any thread. */
bool reflector_has_synced(const struct reflector *r);
/* It has synced, or was refused: waiting for more may be waiting for ever. */
bool reflector_is_settled(const struct reflector *r);
/* Wall time in seconds of the last sign of life; 0: none yet. */
int64_t reflector_last_seen_s(const struct reflector *r);

DEFINE_AUTO(reflector);

/* ---- the thread that drives them: reflectors.c ---- */
struct reflector_loop;
/* Borrows the mux; takes ownership of nothing. */
struct reflector_loop *reflector_loop_new(struct kube_mux *mux);
void reflector_loop_free(struct reflector_loop *l);
/* Before start only; the loop owns the reflector from here on. */
void reflector_loop_add(struct reflector_loop *l, struct reflector *r);
void reflector_loop_start(struct reflector_loop *l);
void reflector_loop_stop(struct reflector_loop *l); /* joins the thread */
/* All reflectors of the loop have synced. */
bool reflector_loop_has_synced(const struct reflector_loop *l);
bool reflector_loop_is_settled(const struct reflector_loop *l);

#endif
