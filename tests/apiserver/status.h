/*
 * The Status objects the API server answers with when it refuses. Every
 * function returns a new object that its caller owns.
 */
#ifndef APISERVER_STATUS_H
#define APISERVER_STATUS_H

#include "types.h"

/* details is stolen and may be NULL. reason may be "". */
json_t *
status_new(int code, const char *reason, const char *message, json_t *details);
int status_code(const json_t *status);

json_t *status_bad_request(const char *message);
json_t *status_not_found(const struct resource *r, const char *name);
json_t *status_no_such_path(void);
json_t *status_exists(const struct resource *r, const char *name);
json_t *
status_conflict(const struct resource *r, const char *name, const char *why);
/* The same where the server names the kind instead of the resource. */
json_t *status_conflict_by_kind(
    const struct resource *r, const char *name, const char *why);
/* causes: array of {field, reason, message}; borrowed. */
json_t *status_invalid(
    const struct resource *r, const char *name, const json_t *causes);
json_t *status_method(void);
json_t *status_too_old(uint64_t asked, uint64_t oldest);
json_t *status_too_new(uint64_t asked, uint64_t current);
json_t *
status_deleted(const struct resource *r, const char *name, const char *uid);
json_t *
status_terminating(const struct resource *r, const char *name, const char *ns);

/* {name, group, kind}; name and r may be NULL. */
json_t *status_details(const struct resource *r, const char *name);

#endif
