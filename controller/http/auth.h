/*
 * Who may use the admin port: bearer tokens, judged by the API server.
 */
#ifndef HTTP_AUTH_H
#define HTTP_AUTH_H

#include <stdbool.h>

#include "head.h"
#include "http/admin.h"
#include "limit.h"
#include "reply.h"

/* Bytes of a token. */
#define AUTH_TOKEN_MAX 16384

/*
 * The token of a well-formed Authorization field ("Bearer " and one word of the
 * characters that tokens have), owned by the caller; NULL: none, two fields,
 * another scheme, too long.
 */
struct secret *auth_bearer(const struct head *head);

/* On the listener's thread: false where reply is the answer, because the source
 * has to wait (429) or there is no token (401). */
bool auth_admit(
    struct limit *limit, const struct head *head, struct http_reply *reply);

/*
 * Asks the API server. True: user (owned by the caller) may. False: reply is
 * the answer: 401 or 403, always the same bytes, or 503 where it could not be
 * asked; the reason is in the log alone.
 */
bool auth_grant(const struct admin_backend *backend, struct limit *limit,
    const struct head *head, enum admin_action action, struct admin_user *user,
    struct http_reply *reply);

/* "list", "export", "restore" */
const char *auth_action_name(enum admin_action action);

#endif
