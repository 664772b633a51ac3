/*
 * Error value: a code for decisions, a text for people.
 *
 * Fallible functions return 0 or -1 (or a pointer that is NULL on failure) and
 * describe the failure in a caller-owned struct err, their last parameter,
 * which must not be NULL. No allocation, so the error path cannot fail.
 * Texts are lower case, context first and cause last, and never hold a value
 * of a Secret, a key, a token or a body.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

#include "base/compiler.h"

enum err_code {
	ERR_NONE = 0,
	ERR_INVALID,	   /* malformed input: only a change cures it */
	ERR_TOOBIG,	   /* over one of our own limits */
	ERR_NOTFOUND,	   /* 404 */
	ERR_EXISTS,	   /* 409 AlreadyExists */
	ERR_CONFLICT,	   /* 409 Conflict: stale resourceVersion */
	ERR_FORBIDDEN,	   /* 403 */
	ERR_UNAUTHORIZED,  /* 401 */
	ERR_GONE,	   /* 410: resourceVersion or token expired */
	ERR_UNPROCESSABLE, /* 422: the server refuses the content */
	ERR_BADREQUEST,	   /* 400, 405, 406, 413, 415: our request */
	ERR_THROTTLED,	   /* 429 */
	ERR_SERVER,	   /* 5xx and anything else unexpected */
	ERR_TIMEOUT,	   /* a deadline of ours, or 504 */
	ERR_TRANSPORT,	   /* connect, TLS, cut connection */
	ERR_CANCELLED,	   /* stopped on request (shutdown) */
	ERR_IO,		   /* files, sockets of our own */
	ERR_NOKEY,	   /* no key could decrypt */
	ERR_UNMANAGED,	   /* a foreign Secret is in the way */
	ERR_IMMUTABLE,	   /* the target Secret is immutable */
	ERR_UNSUPPORTED,   /* a feature this build does not have */
};

#define ERR_TEXT_MAX 1024

struct err {
	enum err_code code;
	unsigned retry_after_s; /* from Retry-After, 0: none; at most 3600 */
	char msg[ERR_TEXT_MAX];
};

#define ERR_INIT                 \
	{                        \
		.code = ERR_NONE \
	}

/* Both always return -1, so that "return err_set(...)" reads well. The text is
 * cut at a UTF-8 boundary where it does not fit. */
int
err_set(struct err *err, enum err_code code, const char *fmt, ...) PRINTF(3, 4);
/* "context: " in front of the present text; code and retry_after_s stay. */
int err_wrap(struct err *err, const char *fmt, ...) PRINTF(2, 3);
void err_clear(struct err *err);

/*
 * True where trying the same thing again may succeed without anybody changing
 * an object (API trouble, conflicts, a foreign Secret in the way, refused by
 * policy); false where only a change helps (ERR_INVALID, ERR_NOKEY,
 * ERR_IMMUTABLE, ERR_UNSUPPORTED, ERR_TOOBIG).
 */
bool err_retryable(const struct err *err);
/* "notfound", "conflict" ...: a stable word for logs and metrics. */
const char *err_code_name(enum err_code code);

#endif
