/*
 * Authentication and authorisation of the admin port; see auth.h.
 */
#include "auth.h"

#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"

#define SCHEME	    "Bearer "
#define TOKEN_EXTRA "-._~+/="

void
admin_user_release(struct admin_user *u)
{
	json_decref(u->info);
	memset(u, 0, sizeof(*u));
}

const char *
auth_action_name(enum admin_action action)
{
	switch (action) {
	case ADMIN_LIST:
		return "list";
	case ADMIN_EXPORT:
		return "export";
	case ADMIN_RESTORE:
		return "restore";
	}
	return "";
}

static bool
is_token(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') ||
			(c != '\0' && strchr(TOKEN_EXTRA, c) != NULL)))
			return false;
	}
	return len > 0 && len <= AUTH_TOKEN_MAX;
}

struct secret *
auth_bearer(const struct head *head)
{
	const size_t scheme = strlen(SCHEME);
	const char *p;
	size_t len;

	if (head->authorizations != 1 || head->authorization == NULL)
		return NULL;
	p = (const char *)secret_bytes(head->authorization);
	len = secret_len(head->authorization);
	if (len <= scheme || strncasecmp(p, SCHEME, scheme) != 0 ||
	    !is_token(p + scheme, len - scheme))
		return NULL;
	return secret_from(p + scheme, len - scheme);
}

static void
refuse(struct http_reply *reply, unsigned status)
{
	if (status == 401) {
		http_reply_text_field(reply, "WWW-Authenticate", "Bearer");
		http_reply_error(reply, 401, "unauthorized");
	} else
		http_reply_error(reply, 403, "forbidden");
}

static void
tell(const struct head *head, const char *what, const char *why)
{
	log_warn(
	    what, "source", head->peer, "method", head->method, "error", why);
}

bool
auth_admit(
    struct limit *limit, const struct head *head, struct http_reply *reply)
{
	AUTO(secret) struct secret *token = auth_bearer(head);
	uint64_t wait_s = limit_locked_s(limit, head->peer);

	if (wait_s > 0 && (token == NULL || !limit_knows(limit, token))) {
		http_reply_field(reply, "Retry-After", wait_s);
		http_reply_error(reply, 429, "too many refused requests");
		return false;
	}
	if (token != NULL)
		return true;
	limit_refused(limit, head->peer);
	tell(head, "Admin request without a token", "no bearer token");
	refuse(reply, 401);
	return false;
}

/* Always false. What could not be asked says nothing about who asks. */
static bool
deny(struct limit *limit, const struct head *head, const struct secret *token,
    const struct err *err, struct http_reply *reply)
{
	if (err->code == ERR_UNAUTHORIZED || err->code == ERR_FORBIDDEN) {
		limit_refused(limit, head->peer);
		if (token != NULL)
			limit_forget(limit, token);
		refuse(reply, err->code == ERR_UNAUTHORIZED ? 401 : 403);
	} else
		http_reply_error(
		    reply, 503, "the API server could not be asked");
	return false;
}

bool
auth_grant(const struct admin_backend *backend, struct limit *limit,
    const struct head *head, enum admin_action action, struct admin_user *user,
    struct http_reply *reply)
{
	AUTO(secret) struct secret *token = auth_bearer(head);
	struct err err = ERR_INIT;

	if (token == NULL)
		(void)err_set(&err, ERR_UNAUTHORIZED, "no bearer token");
	if (token == NULL ||
	    backend->review_token(backend->ctx, token, user, &err) < 0) {
		tell(head, "Admin request with a token that is refused",
		    err.msg);
		return deny(limit, head, token, &err, reply);
	}
	if (backend->review_access(backend->ctx, user, action, &err) < 0) {
		log_warn("Admin request of a user who may not", "action",
		    auth_action_name(action), "user", user->name, "uid",
		    user->uid, "source", head->peer, "error", err.msg);
		admin_user_release(user);
		return deny(limit, head, token, &err, reply);
	}
	limit_granted(limit, head->peer);
	limit_know(limit, token);
	return true;
}
