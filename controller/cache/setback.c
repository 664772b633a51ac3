/*
 * What a reflector does after a stream that did not lead on. See setback.h.
 */
#include "setback.h"

#include "base/clock.h"
#include "cache/ratelimit.h"

#define SHORT_WATCH_MS	 1000
#define QUIET_MS	 120000 /* without a failure: forgiven */
#define STALLED_MAX	 3	/* failures at one place */
#define RETRY_AFTER_MS	 60000	/* at most waited on request */
#define REFUSED_MS	 60000	/* between attempts at a refused watch */
#define REFUSALS_PASSING 2	/* not believed where it was granted before */

void
setback_init(struct setback *s, uint32_t (*random)(void), uint64_t poll_ms)
{
	*s = (struct setback) { .random = random, .poll_ms = poll_ms };
}

void
setback_answered(struct setback *s, bool watch)
{
	s->reauthorized = false;
	if (!watch)
		return;
	s->granted = true;
	s->refusals = 0;
}

void
setback_moved(struct setback *s)
{
	s->stalled = 0;
}

void
setback_progress(struct setback *s)
{
	s->stalled = 0;
	s->failures = 0;
}

bool
setback_may_watch(const struct setback *s, uint64_t now_ms)
{
	return now_ms >= s->watch_ms;
}

/* Counts a failure; returns the wait. */
static uint64_t
back_off(struct setback *s, uint64_t now)
{
	if (now - s->failed_ms >= QUIET_MS)
		s->failures = 0;
	s->failed_ms = now;
	return ratelimit_reflector_ms(s->failures++, s->random());
}

/* Trouble of the path or the server heals by itself: worth a line only when
 * it lasts, or when nothing works yet. Expiry is normal. */
static enum setback_say
worth_telling(const struct setback *s, const struct setback_end *end)
{
	enum err_code code = end->why->code;
	bool passing = code == ERR_THROTTLED || code == ERR_SERVER ||
	    code == ERR_TIMEOUT || code == ERR_TRANSPORT;

	if (code == ERR_GONE)
		return SETBACK_NOTHING;
	return !passing || s->failures > 1 || !end->synced ? SETBACK_TROUBLE
							   : SETBACK_NOTHING;
}

/* An API server that is just starting refuses everybody for a moment. */
static bool
may_pass(struct setback *s, const struct err *why, struct setback_plan *plan)
{
	if (why->code != ERR_FORBIDDEN || !s->granted ||
	    s->refusals >= REFUSALS_PASSING)
		return false;
	plan->wait_ms = ++s->refusals * MS_PER_S;
	return true;
}

static bool
unauthorized_once(struct setback *s, const struct err *why)
{
	if (why->code != ERR_UNAUTHORIZED || s->reauthorized)
		return false;
	s->reauthorized = true;
	return true;
}

static void
from_the_start(
    struct setback *s, struct setback_plan *plan, enum setback_place place)
{
	s->stalled = 0;
	plan->place = place;
}

/* Waiting at the same place, but not for ever where the place may be what is
 * wrong: then from the start of a list. */
static void
failed_here(
    struct setback *s, const struct setback_end *end, struct setback_plan *plan)
{
	const struct err *why = end->why;
	uint64_t asked = (uint64_t)why->retry_after_s * MS_PER_S;

	if (unauthorized_once(s, why) || may_pass(s, why, plan))
		return;
	plan->wait_ms = back_off(s, end->now_ms);
	if (asked > RETRY_AFTER_MS)
		asked = RETRY_AFTER_MS;
	if (asked > plan->wait_ms)
		plan->wait_ms = asked;
	plan->say = why->code == ERR_FORBIDDEN ? SETBACK_REFUSED
					       : worth_telling(s, end);
	if (why->code == ERR_THROTTLED || why->code == ERR_UNAUTHORIZED ||
	    why->code == ERR_FORBIDDEN)
		return;
	if (++s->stalled >= STALLED_MAX)
		from_the_start(s, plan, SETBACK_LIST);
}

/* The first list after quiet times starts at once, further ones are paced.
 * Counted apart from failures: after an outage the version has often expired,
 * and the server that says so is there to be asked. */
static void
list_again(
    struct setback *s, const struct setback_end *end, struct setback_plan *plan)
{
	uint64_t wait;

	if (end->now_ms - s->relisted_ms >= QUIET_MS)
		s->relists = 0;
	s->relisted_ms = end->now_ms;
	wait = ratelimit_reflector_ms(s->relists++, s->random());
	plan->wait_ms = s->relists == 1 ? 0 : wait;
	plan->say = worth_telling(s, end);
	from_the_start(s, plan, SETBACK_LIST);
}

/* Lists instead of a watch, until one is granted. */
static void
watch_refused(
    struct setback *s, const struct setback_end *end, struct setback_plan *plan)
{
	if (may_pass(s, end->why, plan))
		return;
	s->watch_ms = end->now_ms + REFUSED_MS;
	plan->say = SETBACK_REFUSED;
	plan->wait_ms = s->poll_ms;
	from_the_start(s, plan, SETBACK_LIST);
}

static const char *
reason_of(const struct err *why)
{
	if (why->code == ERR_NONE)
		return "ended";
	if (why->code == ERR_GONE)
		return "expired";
	if (why->code == ERR_TOOBIG)
		return "oversize";
	return err_code_name(why->code);
}

struct setback_plan
setback_watch(struct setback *s, const struct setback_end *end)
{
	struct setback_plan plan = { .reason = reason_of(end->why) };
	bool early = end->age_ms < SHORT_WATCH_MS;

	if (end->why->code == ERR_NONE && !end->eventful && early) {
		plan.reason = "short";
		(void)err_set(end->why, ERR_TRANSPORT,
		    "the stream ended at once without an event");
		failed_here(s, end, &plan);
	} else if (end->why->code == ERR_NONE) {
		/* Even where each brings an event: no more than one watch a
		 * second. */
		plan.wait_ms = early ? SHORT_WATCH_MS - end->age_ms : 0;
	} else if (end->why->code == ERR_GONE || end->why->code == ERR_TOOBIG) {
		list_again(s, end, &plan);
	} else if (end->why->code == ERR_FORBIDDEN) {
		watch_refused(s, end, &plan);
	} else {
		failed_here(s, end, &plan);
	}
	return plan;
}

struct setback_plan
setback_list(struct setback *s, const struct setback_end *end)
{
	struct setback_plan plan = { .reason = reason_of(end->why) };

	/* The pages had expired, and are read at one go. */
	if (end->why->code == ERR_GONE && end->paged) {
		from_the_start(s, &plan, SETBACK_WHOLE_LIST);
		return plan;
	}
	failed_here(s, end, &plan);
	if (end->why->code == ERR_GONE)
		from_the_start(s, &plan, SETBACK_LIST);
	return plan;
}
