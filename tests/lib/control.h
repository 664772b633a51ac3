/*
 * Steering tests/apiserver through its /_test/ endpoints. Every function
 * aborts the test program with a message when the server does not answer.
 */
#ifndef LIB_CONTROL_H
#define LIB_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/api.h"

/* POST /_test/<endpoint>; steals body, which may be NULL. */
void control_post(struct api *a, const char *endpoint, json_t *body);

/* Adds a fault rule (steals it), e.g. control_rule(a, json_pack(
 * "{s:s,s:s,s:s,s:i}", "verb", "create", "resource", "secrets",
 * "action", "status", "code", 500)). Returns its number. */
int64_t control_rule(struct api *a, json_t *rule);
void control_clear_rules(struct api *a);
/* How often the rule has fired. */
int64_t control_fired(struct api *a, int64_t rule);
bool control_wait_fired(
    struct api *a, int64_t rule, int64_t times, int64_t limit_ms);

/* The request log: [{"verb", "resource", "namespace", "name", "query",
 * "userAgent", "status", ...}], owned by the caller. */
json_t *control_requests(struct api *a);
void control_clear_requests(struct api *a);
/* Requests of "<verb> <resource>" since the log was cleared. */
int64_t control_count(struct api *a, const char *what);
/* The same, all verbs that write, to any resource. */
int64_t control_writes(struct api *a);

int64_t control_open_watches(struct api *a, const char *resource);
bool control_wait_watches(
    struct api *a, const char *resource, int64_t n, int64_t limit_ms);

#endif
