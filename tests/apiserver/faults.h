/*
 * Rules of misbehaviour. A rule names requests (verb, resource, namespace,
 * name), which of them it is for (nth, times, every) and an action; the
 * actions are carried out by the server.
 */
#ifndef APISERVER_FAULTS_H
#define APISERVER_FAULTS_H

#include "util.h"

uint64_t faults_add(const json_t *rule);
void faults_clear(void);
json_t *faults_list(void); /* the rules with "seen" and "fired" */

/* Rises with each faults_clear(), which releases hanging requests. */
uint64_t faults_epoch(void);

/* The rule that fires for this request (a copy), or NULL. */
json_t *faults_match(
    const char *verb, const char *resource, const char *ns, const char *name);

#endif
