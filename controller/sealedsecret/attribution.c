/*
 * Which keys are needed by what is in order. See attribution.h.
 */
#include "attribution.h"

#include <string.h>
#include <unistd.h>

#include <sys/resource.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "base/thread.h"
#include "handlers.h"
#include "sealedsecret.h"
#include "sealedsecret/unseal.h"

#define NICE 19
/* Work that was done a moment ago is likely to be followed by more. Not so
 * long that objects which are tried again and again stand in the way. */
#define QUIET_MS 100
/* How often it is looked whether there is time. */
#define POLL_MS 200
/* So many times as long as an item took, it rests. */
#define REST_FACTOR 9
#define REST_MAX_MS 5000
/* Between two looks at every object. */
#define PASS_MS	 5000
#define RETRY_MS 60000

struct attribution {
	struct attribution_config cfg;
	struct stop stop;
	struct thread thread;
	uint64_t begun_ns; /* when the item in work was begun; 0: none is */
	bool stopped;
};

static bool
wait_for_stop(void *ctx, uint64_t ms)
{
	struct attribution *a = ctx;

	return stop_wait(&a->stop, ms);
}

struct attribution *
attribution_new(const struct attribution_config *cfg)
{
	struct attribution *a = xcalloc(1, sizeof(*a));

	a->cfg = *cfg;
	stop_init(&a->stop);
	return a;
}

void
attribution_free(struct attribution *a)
{
	if (a == NULL)
		return;
	stop_release(&a->stop);
	mem_free_wiped(a);
}

static bool
rest(struct attribution *a, uint64_t ms)
{
	bool end = a->cfg.wait != NULL ? a->cfg.wait(a->cfg.ctx, ms)
				       : wait_for_stop(a, ms);

	a->stopped = a->stopped || end;
	return !a->stopped;
}

/* False: stop. */
static bool
wait_until_idle(struct attribution *a)
{
	while (!a->stopped && a->cfg.idle_ms(a->cfg.ctx) < QUIET_MS)
		(void)rest(a, POLL_MS);
	return !a->stopped;
}

/* After an item, and before the next. */
static bool
go_on(void *ctx)
{
	struct attribution *a = ctx;
	const struct clock *clock = a->cfg.cfg->clock;
	uint64_t ms;

	if (a->begun_ns != 0) {
		ms = (clock_mono_ns(clock) - a->begun_ns) * REST_FACTOR /
		    NS_PER_MS;
		if (!rest(a, ms < REST_MAX_MS ? ms : REST_MAX_MS))
			return false;
	}
	if (!wait_until_idle(a))
		return false;
	a->begun_ns = clock_mono_ns(clock);
	return true;
}

static void
attribute(struct attribution *a, const struct objkey *key)
{
	const struct controller_config *cfg = a->cfg.cfg;
	AUTO_RELEASE(registry_uses) struct registry_uses uses = { .n = 0 };
	AUTO_JSON json_t *obj = NULL;
	uint64_t keys_before = registry_generation(cfg->keys);
	struct err err = ERR_INIT;
	struct sealedsecret ss;

	/* What cannot be read or opened now is looked at again. */
	if (kube_get(a->cfg.client, &KUBE_SEALEDSECRETS, key, &obj, &err) < 0 ||
	    sealedsecret_view(obj, &ss, &err) < 0 ||
	    !objkey_equal(&ss.key, key) ||
	    unseal_uses(cfg->keys, obj, go_on, a, &uses, &err) < 0)
		return;
	/* Keys that came meanwhile were perhaps not tried. */
	if (registry_generation(cfg->keys) != keys_before)
		return;
	handlers_note_uses(cfg, key, ss.uid, sealedsecret_digest(obj), &uses);
}

static void
look_at(void *ctx, const struct objkey *key, const struct index_record *rec)
{
	struct attribution *a = ctx;

	if (a->stopped || rec->items == 0 || rec->uses != 0 ||
	    !wait_until_idle(a))
		return;
	a->begun_ns = 0;
	attribute(a, key);
	(void)rest(a, a->cfg.gap_ms);
}

void
attribution_pass(struct attribution *a)
{
	index_walk(a->cfg.cfg->sealedsecrets, look_at, a);
}

static void *
attribution_main(void *arg)
{
	struct attribution *a = arg;
	struct index *ix = a->cfg.cfg->sealedsecrets;

	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
	(void)wait_until_idle(a);
	while (!a->stopped) {
		if (index_unnoted_items(ix) > 0)
			attribution_pass(a);
		(void)rest(a, index_unnoted_items(ix) > 0 ? RETRY_MS : PASS_MS);
	}
	return NULL;
}

void
attribution_start(struct attribution *a)
{
	thread_start(&a->thread, "attribution", attribution_main, a);
}

void
attribution_stop(struct attribution *a)
{
	stop_request(&a->stop);
	thread_join(&a->thread);
}
