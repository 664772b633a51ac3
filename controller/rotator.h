/*
 * The rotator: loads the keys at start and whenever their Secrets changed,
 * makes a new one when it is due, when the cutoff passes, or when asked to
 * (SIGUSR1). One thread, the only one that changes the registry; every failure
 * is retried with back-off, for ever.
 *
 * Where the last key Secret goes while the program runs, a restore may be under
 * way: a new key is made only ROTATOR_EMPTY_MS later, or when asked for.
 */
#ifndef CONTROLLER_ROTATOR_H
#define CONTROLLER_ROTATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/thread.h"
#include "keystore/registry.h"
#include "keystore/rotation.h"
#include "metrics/metrics.h"

struct rotator;

/* Requests that come so soon after a requested key was made count as that. */
#define ROTATOR_ASKED_MS 2000
/* No key is made by itself for so long after the last one went. */
#define ROTATOR_EMPTY_MS (5u * 60 * 1000)

struct rotator_config {
	struct rotation_config rotation;
	struct keystore_backend backend;
	struct registry *keys;
	const struct clock *clock;
	struct metrics *metrics;
	/* Keys are made only while it says yes; NULL: always. */
	bool (*may_write)(void *ctx);
	/* After the set of keys changed, or another one serves; on the
	 * rotator's thread. */
	void (*changed)(void *ctx);
	/* The serving certificate expires within 30 days or has expired; often,
	 * on the rotator's thread. NULL: nobody wants to know. */
	void (*expiring)(void *ctx, const struct registry_current *key);
	/* After each turn, so once a minute at least. NULL: nothing. */
	void (*turned)(void *ctx);
	void *ctx;
};

/* Copies cfg; what it points to is borrowed and must outlive the rotator. */
struct rotator *rotator_new(const struct rotator_config *cfg);
void rotator_free(struct rotator *r);
void rotator_start(struct rotator *r);
/* Aborts a running generation, joins the thread. */
void rotator_stop(struct rotator *r);
/* One new key, please. Requests that come while one is being made, or soon
 * after, count as that one. From any thread. */
void rotator_trigger(struct rotator *r);
/* Key Secrets changed, or it is this replica's turn to make keys: the list is
 * read again. From any thread. */
void rotator_reload(struct rotator *r);
/* Keys are loaded and one can seal. From any thread. */
bool rotator_ready(struct rotator *r);
/* The key namespace held no usable key when this process started, so that one
 * had to be made. Copies the new key's name. */
bool
rotator_made_first_key(struct rotator *r, char name[static ROTATION_NAME_MAX]);
/* One turn of the loop without its thread, for tests: milliseconds until the
 * next turn is wanted. */
uint64_t rotator_turn(struct rotator *r);

DEFINE_AUTO(rotator);

#endif
