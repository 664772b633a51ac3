/*
 * Metrics of the single keys, brought up to date whenever they are asked for.
 */
#ifndef CONTROLLER_KEYMETRICS_H
#define CONTROLLER_KEYMETRICS_H

#include "base/clock.h"
#include "base/compiler.h"
#include "keystore/registry.h"
#include "metrics/metrics.h"

struct keymetrics;

/* Hooks itself into the rendering of m until it is freed. Everything is
 * borrowed. */
struct keymetrics *keymetrics_new(
    struct metrics *m, struct registry *keys, const struct clock *clock);
void keymetrics_free(struct keymetrics *km);
/* What the hook does, for tests. */
void keymetrics_update(struct keymetrics *km);

DEFINE_AUTO(keymetrics);

#endif
