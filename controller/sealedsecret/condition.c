/*
 * The status of a SealedSecret after a run.
 */
#include "sealedsecret/condition.h"

#include <string.h>

#include "base/jsonx.h"
#include "base/timefmt.h"
#include "sealedsecret.h"

#define CONDITION_SYNCED "Synced"

static bool
is_synced(const json_t *condition)
{
	const char *type = jsonx_str(condition, "type", NULL);

	return type != NULL && strcmp(type, CONDITION_SYNCED) == 0;
}

static const json_t *
find_synced(const json_t *obj)
{
	const json_t *list = jsonx_array(obj, "status", "conditions", NULL);
	json_t *v;
	size_t i;

	json_array_foreach(list, i, v) if (is_synced(v)) return v;
	return NULL;
}

static bool
text_is(const json_t *condition, const char *member, const char *want)
{
	const char *s = jsonx_str(condition, member, NULL);

	return strcmp(s != NULL ? s : "", want) == 0;
}

static const char *
status_word(const struct condition_outcome *o)
{
	return o->ok ? "True" : "False";
}

static bool
says_so(
    const json_t *obj, const json_t *synced, const struct condition_outcome *o)
{
	const json_t *seen =
	    jsonx_get(obj, "status", "observedGeneration", NULL);

	return synced != NULL && json_is_integer(seen) &&
	    json_integer_value(seen) ==
	    jsonx_int(obj, "metadata", "generation", NULL) &&
	    text_is(synced, "status", status_word(o)) &&
	    text_is(synced, "message", o->message) &&
	    /* The reference writes no reason; that alone is no news. */
	    (text_is(synced, "reason", o->reason) ||
		text_is(synced, "reason", ""));
}

static json_t *
new_condition(
    const json_t *old, const struct condition_outcome *o, int64_t now_s)
{
	bool flips = !text_is(old, "status", status_word(o)) ||
	    text_is(old, "lastTransitionTime", "");
	json_t *c =
	    json_is_object(old) ? json_copy((json_t *)old) : json_object();
	char now[TIMEFMT_MAX];

	timefmt_rfc3339(now_s, now);
	jsonx_set_str(c, "type", CONDITION_SYNCED);
	jsonx_set_str(c, "status", status_word(o));
	jsonx_set_str(c, "reason", o->reason);
	if (o->message[0] != '\0')
		jsonx_set_str(c, "message", o->message);
	else
		json_object_del(c, "message");
	jsonx_set_str(c, "lastUpdateTime", now);
	if (flips)
		jsonx_set_str(c, "lastTransitionTime", now);
	return c;
}

/* Ours in place of the first Synced, or in front; further ones and what is no
 * condition at all are dropped. */
static json_t *
new_conditions(const json_t *obj, const json_t *synced, json_t *ours)
{
	const json_t *list = jsonx_array(obj, "status", "conditions", NULL);
	json_t *out = json_array();
	json_t *v;
	size_t i;

	if (synced == NULL)
		(void)json_array_append(out, ours);
	json_array_foreach(list, i, v)
	{
		if (v == synced)
			(void)json_array_append(out, ours);
		else if (json_is_object(v) && !is_synced(v))
			(void)json_array_append(out, v);
	}
	json_decref(ours);
	return out;
}

json_t *
condition_apply(const json_t *sealedsecret,
    const struct condition_outcome *outcome, int64_t now_s)
{
	const json_t *synced = find_synced(sealedsecret);
	json_t *old = jsonx_object(sealedsecret, "status", NULL);
	json_t *obj, *status;

	if (says_so(sealedsecret, synced, outcome))
		return NULL;
	/* Shallow: what is not ours is shared with the original, which may be
	 * in other hands too. */
	obj = json_copy((json_t *)sealedsecret);
	status = old != NULL ? json_copy(old) : json_object();
	jsonx_set(status, "conditions",
	    new_conditions(
		sealedsecret, synced, new_condition(synced, outcome, now_s)));
	jsonx_set(status, "observedGeneration",
	    json_integer(
		jsonx_int(sealedsecret, "metadata", "generation", NULL)));
	jsonx_set(obj, "status", status);
	/* Items of a list may lack these. */
	jsonx_set_str(obj, "apiVersion", SEALEDSECRET_API_VERSION);
	jsonx_set_str(obj, "kind", SEALEDSECRET_KIND);
	return obj;
}

const char *
condition_reason(const struct err *err)
{
	static const struct {
		enum err_code code;
		const char *reason;
	} table[] = {
		{ ERR_NONE, "Unsealed" },
		{ ERR_NOKEY, "DecryptFailed" },
		{ ERR_INVALID, "InvalidSealedSecret" },
		{ ERR_TOOBIG, "TooBig" },
		{ ERR_UNSUPPORTED, "Unsupported" },
		{ ERR_UNMANAGED, "NotOwned" },
		{ ERR_IMMUTABLE, "Immutable" },
		{ ERR_CONFLICT, "Conflict" },
		{ ERR_EXISTS, "Conflict" },
		{ ERR_FORBIDDEN, "Forbidden" },
		{ ERR_UNAUTHORIZED, "Forbidden" },
		{ ERR_UNPROCESSABLE, "Rejected" },
		{ ERR_BADREQUEST, "Rejected" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].code == err->code)
			return table[i].reason;
	return "APIError";
}
