/*
 * Tells of additional namespaces that do not exist, each once: most often a
 * misspelt name. They are watched all the same, so that one which is made
 * later is served. Where reading namespaces is not granted, nothing is said.
 */
#ifndef CONTROLLER_NSCHECK_H
#define CONTROLLER_NSCHECK_H

#include <stdint.h>

#include "base/compiler.h"
#include "kube/client.h"
#include "namespaces.h"

struct nscheck;

/* Borrows both; the first of the namespaces is the home and not asked for. */
struct nscheck *
nscheck_new(struct kube_client *client, const struct namespaces *namespaces);
void nscheck_free(struct nscheck *n);
/* Asks until all is answered; returns the milliseconds to wait before the next
 * try, 0: done. What the thread does, for tests. */
uint64_t nscheck_turn(struct nscheck *n);
/* Its thread ends by itself when all is answered. */
void nscheck_start(struct nscheck *n);
void nscheck_stop(struct nscheck *n);

DEFINE_AUTO(nscheck);

#endif
