/*
 * Reviews. Tokens are made up and remembered here; they are good for the
 * audiences that were asked for, and not for requests to this server.
 */
#include "review.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings.h"
#include "status.h"
#include "store.h"

#define AUTHN	 "authentication.k8s.io"
#define AUTHZ	 "authorization.k8s.io"
#define AUDIENCE "https://kubernetes.default.svc"

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static json_t *issued; /* token -> {"user", "audiences"} */
static json_t *grants;

enum review { REVIEW_NONE, REVIEW_TOKEN, REVIEW_ACCESS, REVIEW_REQUEST };

static bool
path_is(const struct http_request *req, const char *const words[], size_t n)
{
	if (req->nseg != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (words[i] != NULL && strcmp(req->seg[i], words[i]) != 0)
			return false;
	return true;
}

static enum review
which(const struct http_request *req)
{
	static const char *const token[] = { "apis", AUTHN, "v1",
		"tokenreviews" };
	static const char *const access[] = { "apis", AUTHZ, "v1",
		"subjectaccessreviews" };
	static const char *const request[] = { "api", "v1", "namespaces", NULL,
		"serviceaccounts", NULL, "token" };

	if (strcmp(req->method, "POST") != 0)
		return REVIEW_NONE;
	if (path_is(req, token, ARRAY_SIZE(token)))
		return REVIEW_TOKEN;
	if (path_is(req, access, ARRAY_SIZE(access)))
		return REVIEW_ACCESS;
	if (path_is(req, request, ARRAY_SIZE(request)))
		return REVIEW_REQUEST;
	return REVIEW_NONE;
}

bool
review_route(struct call *c)
{
	static const char *const names[] = {
		[REVIEW_TOKEN] = "tokenreviews",
		[REVIEW_ACCESS] = "subjectaccessreviews",
		[REVIEW_REQUEST] = "serviceaccounts/token",
	};
	enum review r = which(c->req);

	if (r == REVIEW_NONE)
		return false;
	c->verb = "create";
	snprintf(c->resource, sizeof(c->resource), "%s", names[r]);
	if (r == REVIEW_REQUEST) {
		c->ns = c->req->seg[3];
		c->name = c->req->seg[5];
	}
	return true;
}

/* -- tokens -- */

static json_t *
user_of(const struct call *c, const char *uid)
{
	char *name = util_format("system:serviceaccount:%s:%s", c->ns, c->name);
	char *group = util_format("system:serviceaccounts:%s", c->ns);
	char id[UUID_SIZE];
	char *jti;
	json_t *user;

	util_uuid(id);
	jti = util_format("JTI=%s", id);
	user = json_pack("{s:s, s:s, s:[s,s,s], s:{s:[s]}}", "username", name,
	    "uid", uid, "groups", "system:serviceaccounts", group,
	    "system:authenticated", "extra",
	    "authentication.kubernetes.io/credential-id", jti);
	free(name);
	free(group);
	free(jti);
	return user;
}

/* Like a signed token in its characters. */
static char *
new_token(void)
{
	char a[UUID_SIZE], b[UUID_SIZE];

	util_uuid(a);
	util_uuid(b);
	return util_format("ey%s.%s_x", a, b);
}

static void
request_token(struct call *c, json_t *body)
{
	const json_t *account;
	json_t *audiences = json_at(body, "spec", "audiences", NULL);
	char *token = new_token();
	char now[TIME_SIZE];
	const char *uid;

	util_time(now);
	store_lock();
	account = store_get(TYPES_SERVICEACCOUNTS, c->ns, c->name);
	if (account == NULL) {
		call_fail(c, status_not_found(TYPES_SERVICEACCOUNTS, c->name));
	} else {
		uid = json_str(json_object_get(account, "metadata"), "uid");
		pthread_mutex_lock(&mu);
		if (issued == NULL)
			issued = json_object();
		json_put(issued, token,
		    json_pack("{s:o, s:o}", "user", user_of(c, uid),
			"audiences",
			audiences != NULL ? json_deep_copy(audiences)
					  : json_pack("[s]", AUDIENCE)));
		pthread_mutex_unlock(&mu);
		json_put(body, "status",
		    json_pack("{s:s, s:s}", "token", token,
			"expirationTimestamp", now));
		json_put(body, "metadata",
		    json_pack(
			"{s:s, s:s}", "name", c->name, "namespace", c->ns));
		call_reply(c, 201, json_incref(body));
	}
	store_unlock();
	free(token);
}

static json_t *
common_audiences(const json_t *want, const json_t *have)
{
	json_t *out = json_array(), *w, *h;
	size_t i, j;

	json_array_foreach((json_t *)want, i, w)
	{
		json_array_foreach((json_t *)have, j, h)
		{
			if (json_equal(w, h))
				json_array_append(out, w);
		}
	}
	return out;
}

static json_t *
refusal(const json_t *want, const json_t *have)
{
	char *a, *b, *text;
	json_t *v;

	if (have == NULL)
		return json_pack(
		    "{s:{}, s:s}", "user", "error", "invalid bearer token");
	a = json_text(have);
	b = json_text(want);
	text = util_format("[invalid bearer token, token audiences %s is "
			   "invalid for the target audiences %s]",
	    a, b);
	v = json_pack("{s:{}, s:s}", "user", "error", text);
	free(a);
	free(b);
	free(text);
	return v;
}

static void
review_token(struct call *c, json_t *body)
{
	const char *token = json_str(json_object_get(body, "spec"), "token");
	json_t *asked = json_at(body, "spec", "audiences", NULL);
	json_t *want =
	    asked != NULL ? json_incref(asked) : json_pack("[s]", AUDIENCE);
	json_t *known, *common, *status;

	if (token == NULL || *token == '\0') {
		json_decref(want);
		call_fail(c,
		    status_bad_request("token is required for TokenReview in "
				       "authentication"));
		return;
	}
	pthread_mutex_lock(&mu);
	known = json_object_get(issued, token);
	common = common_audiences(want, json_object_get(known, "audiences"));
	if (json_array_size(common) == 0)
		status = refusal(want, json_object_get(known, "audiences"));
	else
		status =
		    json_pack("{s:b, s:O, s:O}", "authenticated", 1, "user",
			json_object_get(known, "user"), "audiences", common);
	pthread_mutex_unlock(&mu);
	json_put(body, "metadata", json_object());
	json_put(body, "status", status);
	call_reply(c, 201, json_incref(body));
	json_decref(common);
	json_decref(want);
}

/* -- access -- */

void
review_set_grants(const json_t *rules)
{
	pthread_mutex_lock(&mu);
	json_decref(grants);
	grants = json_deep_copy(rules);
	pthread_mutex_unlock(&mu);
}

static bool
is_master(const json_t *spec)
{
	json_t *g;
	size_t i;

	json_array_foreach(json_object_get(spec, "groups"), i, g)
	{
		if (json_is_string(g) &&
		    strcmp(json_string_value(g), "system:masters") == 0)
			return true;
	}
	return false;
}

static const char *
or_empty(const char *s)
{
	return s != NULL ? s : "";
}

static bool
is_granted(const json_t *spec)
{
	const json_t *what = json_object_get(spec, "resourceAttributes");
	const char *user = or_empty(json_str(spec, "user"));
	bool hit = false;
	json_t *rule;
	size_t i;

	pthread_mutex_lock(&mu);
	json_array_foreach(grants, i, rule)
	{
		const char *who = json_str(rule, "user");

		if ((who == NULL || strcmp(who, user) == 0) &&
		    settings_rule_matches(rule,
			or_empty(json_str(what, "verb")),
			or_empty(json_str(what, "resource")),
			or_empty(json_str(what, "namespace")), ""))
			hit = true;
	}
	pthread_mutex_unlock(&mu);
	return hit;
}

static void
review_access(struct call *c, json_t *body)
{
	const json_t *spec = json_object_get(body, "spec");

	json_put(body, "metadata", json_object());
	json_put(body, "status",
	    json_pack("{s:b}", "allowed", is_master(spec) || is_granted(spec)));
	call_reply(c, 201, json_incref(body));
}

bool
review_handle(struct call *c)
{
	enum review r = which(c->req);
	json_t *body;

	if (r == REVIEW_NONE)
		return false;
	body = json_parse(
	    c->req->body == NULL ? "" : c->req->body, c->req->body_len, NULL);
	if (!json_is_object(body)) {
		call_fail(c, status_bad_request("the body is no object"));
		json_decref(body);
		return true;
	}
	switch (r) {
	case REVIEW_TOKEN:
		review_token(c, body);
		break;
	case REVIEW_ACCESS:
		review_access(c, body);
		break;
	case REVIEW_REQUEST:
		request_token(c, body);
		break;
	case REVIEW_NONE:
		break;
	}
	json_decref(body);
	return true;
}
