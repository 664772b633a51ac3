/*
 * Run-time settings behind one mutex.
 */
#include "settings.h"

#include <pthread.h>
#include <string.h>

#define BOOKMARK_MS 60000

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static struct settings now = {
	.gc = true, .crd = true, .schema = true, .bookmark_ms = BOOKMARK_MS
};
static json_t *tokens;
static json_t *forbidden;

struct settings
settings_get(void)
{
	struct settings s;

	pthread_mutex_lock(&mu);
	s = now;
	pthread_mutex_unlock(&mu);
	return s;
}

void
settings_apply(const json_t *change)
{
	const char *shape = json_str(change, "watchExpiredAs");

	pthread_mutex_lock(&mu);
	now.max_page =
	    (uint64_t)json_num(change, "maxPage", (int64_t)now.max_page);
	now.bookmark_ms = json_num(change, "bookmarkMs", now.bookmark_ms);
	now.gc = json_flag(change, "gc", now.gc);
	now.crd = json_flag(change, "crd", now.crd);
	now.schema = json_flag(change, "schema", now.schema);
	if (shape != NULL)
		now.expired_as_http = strcmp(shape, "http") == 0;
	pthread_mutex_unlock(&mu);
}

static void
raise_epoch(uint64_t *epoch)
{
	pthread_mutex_lock(&mu);
	(*epoch)++;
	pthread_mutex_unlock(&mu);
}

void
settings_expire_continue(void)
{
	raise_epoch(&now.continue_epoch);
}

void
settings_bookmark(void)
{
	raise_epoch(&now.bookmark_epoch);
}

void
settings_drop_watches(bool clean)
{
	pthread_mutex_lock(&mu);
	now.drop_epoch++;
	now.drop_clean = clean;
	pthread_mutex_unlock(&mu);
}

static void
replace(json_t **place, const json_t *with)
{
	json_t *copy = json_deep_copy(with), *old;

	pthread_mutex_lock(&mu);
	old = *place;
	*place = copy;
	pthread_mutex_unlock(&mu);
	json_decref(old);
}

void
settings_set_tokens(const json_t *list)
{
	replace(&tokens, list);
}

bool
settings_token_ok(const char *authorization)
{
	static const char bearer[] = "Bearer ";
	bool ok;
	size_t i;
	json_t *t;

	pthread_mutex_lock(&mu);
	ok = json_array_size(tokens) == 0;
	if (authorization != NULL &&
	    strncmp(authorization, bearer, sizeof(bearer) - 1) == 0) {
		json_array_foreach(tokens, i, t)
		{
			if (json_is_string(t) &&
			    strcmp(json_string_value(t),
				authorization + sizeof(bearer) - 1) == 0)
				ok = true;
		}
	}
	pthread_mutex_unlock(&mu);
	return ok;
}

void
settings_set_forbidden(const json_t *rules)
{
	replace(&forbidden, rules);
}

static bool
field_matches(const json_t *rule, const char *key, const char *value)
{
	const char *want = json_str(rule, key);

	return want == NULL || strcmp(want, "*") == 0 ||
	    strcmp(want, value) == 0;
}

bool
settings_rule_matches(const json_t *rule, const char *verb,
    const char *resource, const char *ns, const char *name)
{
	return field_matches(rule, "verb", verb) &&
	    field_matches(rule, "resource", resource) &&
	    field_matches(rule, "namespace", ns) &&
	    field_matches(rule, "name", name);
}

bool
settings_forbidden(
    const char *verb, const char *resource, const char *ns, const char *name)
{
	bool hit = false;
	size_t i;
	json_t *rule;

	pthread_mutex_lock(&mu);
	json_array_foreach(forbidden, i, rule) hit =
	    hit || settings_rule_matches(rule, verb, resource, ns, name);
	pthread_mutex_unlock(&mu);
	return hit;
}
