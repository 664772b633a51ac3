/*
 * The status of a SealedSecret after a run.
 */
#include "sealedsecret/condition.h"

#include <string.h>

#include "base/jsonx.h"
#include "base/timefmt.h"
#include "sealedsecret.h"

#define SYNCED	"Synced"
#define READY	"Ready"
#define STALLED "Stalled"

static bool
is_type(const json_t *condition, const char *type)
{
	const char *t = jsonx_str(condition, "type", NULL);

	return t != NULL && strcmp(t, type) == 0;
}

static const json_t *
find(const json_t *obj, const char *type)
{
	const json_t *list = jsonx_array(obj, "status", "conditions", NULL);
	json_t *v;
	size_t i;

	json_array_foreach(list, i, v) if (is_type(v, type)) return v;
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
is_observed(const json_t *obj)
{
	const json_t *seen =
	    jsonx_get(obj, "status", "observedGeneration", NULL);

	return json_is_integer(seen) &&
	    json_integer_value(seen) ==
	    jsonx_int(obj, "metadata", "generation", NULL);
}

/* The condition is there with this status and message. */
static bool
says(const json_t *condition, const char *status,
    const struct condition_outcome *o)
{
	return condition != NULL && text_is(condition, "status", status) &&
	    text_is(condition, "message", o->message);
}

static bool
says_all(const json_t *condition, const char *status,
    const struct condition_outcome *o)
{
	return says(condition, status, o) &&
	    text_is(condition, "reason", o->reason);
}

static bool
says_everything(const json_t *obj, const struct condition_outcome *o)
{
	const json_t *stalled = find(obj, STALLED);

	return is_observed(obj) &&
	    says_all(find(obj, SYNCED), status_word(o), o) &&
	    says_all(find(obj, READY), status_word(o), o) &&
	    (o->permanent ? says_all(stalled, "True", o) : stalled == NULL);
}

bool
condition_says_enough(
    const json_t *sealedsecret, const struct condition_outcome *outcome)
{
	const json_t *synced = find(sealedsecret, SYNCED);

	/* Nothing of ours that would be untrue now. */
	return is_observed(sealedsecret) &&
	    says(synced, status_word(outcome), outcome) &&
	    (text_is(synced, "reason", "") ||
		text_is(synced, "reason", outcome->reason)) &&
	    find(sealedsecret, READY) == NULL &&
	    find(sealedsecret, STALLED) == NULL;
}

static json_t *
new_condition(const json_t *old, const char *type, const char *status,
    const struct condition_outcome *o, const char *now)
{
	bool flips = !text_is(old, "status", status) ||
	    text_is(old, "lastTransitionTime", "");
	json_t *c =
	    json_is_object(old) ? json_copy((json_t *)old) : json_object();

	jsonx_set_str(c, "type", type);
	jsonx_set_str(c, "status", status);
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

/* Ours, with what has to be kept of the present ones. */
struct ours {
	const json_t *synced, *ready, *stalled; /* as they are; NULL: none */
	json_t *new_synced, *new_ready, *new_stalled; /* stolen when placed */
};

static void
make_ours(const json_t *obj, const struct condition_outcome *o, int64_t now_s,
    struct ours *ours)
{
	char now[TIMEFMT_MAX];

	timefmt_rfc3339(now_s, now);
	ours->synced = find(obj, SYNCED);
	ours->ready = find(obj, READY);
	ours->stalled = find(obj, STALLED);
	ours->new_synced =
	    new_condition(ours->synced, SYNCED, status_word(o), o, now);
	/* One that is new has been so for as long as what it mirrors. */
	ours->new_ready =
	    new_condition(ours->ready != NULL ? ours->ready : ours->new_synced,
		READY, status_word(o), o, now);
	ours->new_stalled = o->permanent
	    ? new_condition(ours->stalled, STALLED, "True", o, now)
	    : NULL;
}

static void
place(json_t *out, json_t **condition)
{
	if (*condition != NULL)
		(void)json_array_append_new(out, *condition);
	*condition = NULL;
}

/* Ours in place of the first of its type, or Synced in front and the others
 * behind; further ones and what is no condition at all are dropped. */
static json_t *
new_conditions(const json_t *obj, struct ours *ours)
{
	const json_t *list = jsonx_array(obj, "status", "conditions", NULL);
	json_t *out = json_array();
	json_t *v;
	size_t i;

	if (ours->synced == NULL)
		place(out, &ours->new_synced);
	json_array_foreach(list, i, v)
	{
		if (is_type(v, SYNCED))
			place(out, &ours->new_synced);
		else if (is_type(v, READY))
			place(out, &ours->new_ready);
		else if (is_type(v, STALLED))
			place(out, &ours->new_stalled);
		else if (json_is_object(v))
			(void)json_array_append(out, v);
	}
	place(out, &ours->new_ready);
	place(out, &ours->new_stalled);
	return out;
}

json_t *
condition_apply(const json_t *sealedsecret,
    const struct condition_outcome *outcome, int64_t now_s)
{
	json_t *old = jsonx_object(sealedsecret, "status", NULL);
	json_t *obj, *status;
	struct ours ours;

	if (says_everything(sealedsecret, outcome))
		return NULL;
	make_ours(sealedsecret, outcome, now_s, &ours);
	/* Shallow: what is not ours is shared with the original, which may be
	 * in other hands too. */
	obj = json_copy((json_t *)sealedsecret);
	status = old != NULL ? json_copy(old) : json_object();
	jsonx_set(status, "conditions", new_conditions(sealedsecret, &ours));
	jsonx_set(status, "observedGeneration",
	    json_integer(
		jsonx_int(sealedsecret, "metadata", "generation", NULL)));
	jsonx_set(obj, "status", status);
	/* Items of a list may lack these. */
	jsonx_set_str(obj, "apiVersion", SEALEDSECRET_API_VERSION);
	jsonx_set_str(obj, "kind", SEALEDSECRET_KIND);
	return obj;
}

enum condition_standing
condition_standing(const json_t *sealedsecret, enum scope scope)
{
	const struct condition_outcome good = {
		.ok = true, .reason = condition_success(scope), .message = ""
	};

	if (says_everything(sealedsecret, &good))
		return CONDITION_SETTLED;
	/* Without Ready the reason tells nothing of the scope. */
	return condition_says_enough(sealedsecret,
		   &(struct condition_outcome) { .ok = true,
		       .reason = condition_success(SCOPE_STRICT),
		       .message = "" })
	    ? CONDITION_EXTEND
	    : CONDITION_OPEN;
}

int64_t
condition_written_s(const json_t *sealedsecret)
{
	return timefmt_rfc3339_or(
	    jsonx_str(find(sealedsecret, SYNCED), "lastUpdateTime", NULL), 0);
}

const char *
condition_success(enum scope scope)
{
	static const char *const reasons[] = {
		[SCOPE_STRICT] = "Unsealed",
		[SCOPE_NAMESPACE_WIDE] = "UnsealedNamespaceWide",
		[SCOPE_CLUSTER_WIDE] = "UnsealedClusterWide",
	};

	return reasons[scope];
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
