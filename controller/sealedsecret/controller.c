/*
 * The SealedSecret controller: workers, and what becomes of a run's result.
 */
#include "sealedsecret/controller.h"

#include <stdio.h>
#include <string.h>

#include "attribution.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "cache/ratelimit.h"
#include "handlers.h"
#include "reconcile.h"

/* A failure that only a change cures is looked at again after one to one and a
 * half times this, in case the change went unseen. */
#define RECHECK_MS (UINT64_C(10) * 60 * 1000)
/* A foreign Secret does not go away in milliseconds, and users who delete one
 * expect to see it gone for a moment. */
#define FOREIGN_MIN_MS 1000

/* Between two statuses that are written only because they lack what the
 * reference does not write: thousands of them must not be a storm. */
#define PACE_MS 1000

struct worker {
	struct controller *controller;
	struct kube_client *client;
	struct thread thread;
};

struct controller {
	struct controller_config cfg;
	struct handlers handlers;
	struct mutex mu;
	struct cond opened;
	bool leads;	      /* guarded by mu: workers may take keys */
	bool ending;	      /* guarded by mu: nothing waits any more */
	uint64_t paced_ms;    /* guarded by mu: the last turn given away */
	atomic_bool released; /* the first lists are in */
	struct worker *workers;
	unsigned nworkers;
	struct attribution *attribution; /* NULL: not wanted */
	atomic_uint busy;		 /* runs under way */
	_Atomic uint64_t worked_ms;	 /* when the last one ended */
	_Atomic uint64_t released_ms;
	uint64_t attribution_delay_ms;
};

/* The age grows without anybody's doing. */
static void
update_queue(void *ctx)
{
	const struct controller *c = ctx;

	metrics_set(c->cfg.metrics, METRIC_QUEUE_DEPTH,
	    (double)workqueue_len(c->cfg.queue));
	metrics_set(c->cfg.metrics, METRIC_QUEUE_OLDEST,
	    (double)workqueue_oldest_ms(c->cfg.queue) / MS_PER_S);
}

struct controller *
controller_new(const struct controller_config *cfg)
{
	struct controller *c = xcalloc(1, sizeof(*c));

	c->cfg = *cfg;
	c->handlers.cfg = &c->cfg;
	mutex_init(&c->mu);
	cond_init(&c->opened);
	c->leads = true;
	atomic_init(&c->worked_ms, clock_mono_ms(cfg->clock));
	/* Known labels are there from the start. */
	metrics_add(cfg->metrics, METRIC_DRIFT, 0.0, "repaired");
	metrics_add(cfg->metrics, METRIC_DRIFT, 0.0, "detected");
	metrics_on_render(cfg->metrics, update_queue, c);
	return c;
}

void
controller_free(struct controller *c)
{
	if (c == NULL)
		return;
	metrics_off_render(c->cfg.metrics, c);
	attribution_free(c->attribution);
	cond_destroy(&c->opened);
	mutex_destroy(&c->mu);
	mem_free_wiped(c->workers);
	mem_free_wiped(c);
}

struct reflector_handler
controller_sealedsecret_handler(struct controller *c)
{
	return handlers_sealedsecret(&c->handlers);
}

struct reflector_handler
controller_secret_handler(struct controller *c)
{
	return handlers_secret(&c->handlers);
}

size_t
controller_count(struct controller *c)
{
	return index_count(c->cfg.sealedsecrets);
}

void
controller_keys_changed(struct controller *c)
{
	handlers_keys_changed(&c->handlers);
}

/* ---- what becomes of a result ---- */

/* Jitter needs no secrecy, only that objects differ. */
static uint32_t
jitter(const struct controller *c, const struct objkey *key)
{
	struct {
		uint64_t now;
		struct objkey key;
	} seed;

	memset(&seed, 0, sizeof(seed));
	seed.now = clock_mono_ns(c->cfg.clock);
	memcpy(seed.key.ns, key->ns, strlen(key->ns));
	memcpy(seed.key.name, key->name, strlen(key->name));
	return (uint32_t)hash_bytes(&seed, sizeof(seed));
}

static void
retry(struct controller *c, const struct objkey *key, const char *text,
    const struct reconcile_result *res)
{
	bool foreign = res->err.code == ERR_UNMANAGED;
	unsigned fast = foreign ? 0 : c->cfg.max_unseal_retries;
	unsigned failures = workqueue_fail(c->cfg.queue, key);
	uint64_t delay = ratelimit_delay_ms(
	    failures, fast, jitter(c, key), res->err.retry_after_s);

	if (foreign && delay < FOREIGN_MIN_MS)
		delay = FOREIGN_MIN_MS;
	if (!res->logged)
		log_error("Error updating, will retry", "key", text, "error",
		    res->err.msg);
	workqueue_add_after(c->cfg.queue, key,
	    failures < fast ? WORKQUEUE_NEW : WORKQUEUE_BACKLOG, delay);
}

static void
log_waiting(const struct objkey *key, const char *text,
    const struct reconcile_result *res)
{
	char immutable[RECONCILE_IMMUTABLE_MAX];
	int level = res->repeated ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR;

	if (res->err.code == ERR_IMMUTABLE) {
		reconcile_immutable_text(key, immutable);
		log_write(level, immutable, "key", text, (char *)NULL);
	} else if (res->err.code != ERR_NONE) {
		log_write(level, "Error updating, giving up", "key", text,
		    "error", res->err.msg, "until", "a change", (char *)NULL);
	}
}

static void
recheck(struct controller *c, const struct objkey *key, const char *text,
    const struct reconcile_result *res)
{
	uint64_t extra = (uint64_t)jitter(c, key) % (RECHECK_MS / 2);

	log_waiting(key, text, res);
	workqueue_forget(c->cfg.queue, key);
	workqueue_add_after(
	    c->cfg.queue, key, WORKQUEUE_BACKLOG, RECHECK_MS + extra);
}

/* Milliseconds until the next turn that nobody has yet. */
static uint64_t
turn_ms(struct controller *c)
{
	uint64_t now = clock_mono_ms(c->cfg.clock), wait;

	mutex_lock(&c->mu);
	if (c->paced_ms < now)
		c->paced_ms = now;
	c->paced_ms += PACE_MS;
	wait = c->paced_ms - now;
	mutex_unlock(&c->mu);
	return wait;
}

static void
settle(struct controller *c, const struct objkey *key,
    const struct reconcile_result *res)
{
	char text[OBJKEY_TEXT_MAX];

	objkey_text(key, text);
	switch (res->next) {
	case RECONCILE_DONE:
		workqueue_forget(c->cfg.queue, key);
		break;
	case RECONCILE_AGAIN:
		workqueue_add(c->cfg.queue, key, WORKQUEUE_NEW, NULL);
		break;
	case RECONCILE_RETRY:
		retry(c, key, text, res);
		break;
	case RECONCILE_RECHECK:
		recheck(c, key, text, res);
		break;
	case RECONCILE_LATER:
		workqueue_add_after(
		    c->cfg.queue, key, WORKQUEUE_NEW, res->delay_ms);
		break;
	case RECONCILE_PACED:
		workqueue_forget(c->cfg.queue, key);
		workqueue_add_after(
		    c->cfg.queue, key, WORKQUEUE_BACKLOG, turn_ms(c));
		break;
	}
}

void
controller_process(struct controller *c, struct kube_client *client,
    const struct objkey *key, json_t *body)
{
	const struct reconcile rc = {
		.cfg = &c->cfg,
		.client = client,
		.secrets_synced =
		    !c->cfg.skip_recreate && atomic_load(&c->released),
	};
	uint64_t start = clock_mono_ns(c->cfg.clock);
	struct reconcile_result res;

	atomic_fetch_add(&c->busy, 1);
	reconcile(&rc, key, body, &res);
	settle(c, key, &res);
	atomic_store(&c->worked_ms, clock_mono_ms(c->cfg.clock));
	atomic_fetch_sub(&c->busy, 1);
	metrics_observe(c->cfg.metrics, METRIC_RECONCILE_DURATION,
	    (double)(clock_mono_ns(c->cfg.clock) - start) / (double)NS_PER_S);
}

/* ---- workers ---- */

static bool
is_open_locked(const struct controller *c) REQUIRES(c->mu)
{
	return c->ending || (c->leads && atomic_load(&c->released));
}

static bool
is_open(struct controller *c)
{
	bool yes;

	mutex_lock(&c->mu);
	yes = is_open_locked(c);
	mutex_unlock(&c->mu);
	return yes;
}

static void
wait_until_open(struct controller *c)
{
	mutex_lock(&c->mu);
	while (!is_open_locked(c))
		cond_wait(&c->opened, &c->mu);
	mutex_unlock(&c->mu);
}

static bool
next_key(struct controller *c, struct objkey *key, json_t **body)
{
	wait_until_open(c);
	return workqueue_get(c->cfg.queue, key, body);
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct controller *c = w->controller;
	struct objkey key;
	json_t *body;

	while (next_key(c, &key, &body)) {
		/* The gate may have closed while this worker waited for a
		 * key. */
		if (is_open(c))
			controller_process(c, w->client, &key, body);
		else
			workqueue_add(c->cfg.queue, &key, WORKQUEUE_NEW, body);
		workqueue_done(c->cfg.queue, &key);
	}
	return NULL;
}

void
controller_start_workers(
    struct controller *c, unsigned n, struct kube_client *clients)
{
	c->workers = xcalloc(n, sizeof(*c->workers));
	c->nworkers = n;
	for (unsigned i = 0; i < n; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "worker-%u", i % 1000);
		c->workers[i].controller = c;
		c->workers[i].client = &clients[i];
		thread_start(&c->workers[i].thread, name, work, &c->workers[i]);
	}
}

/* ---- which keys are needed ---- */

/* A follower's queue fills, and that is no work of its. */
static uint64_t
idle_ms(void *ctx)
{
	struct controller *c = ctx;
	uint64_t now = clock_mono_ms(c->cfg.clock);
	uint64_t worked = atomic_load(&c->worked_ms);
	uint64_t from = atomic_load(&c->released_ms) + c->attribution_delay_ms;

	if (!atomic_load(&c->released) || now < from ||
	    atomic_load(&c->busy) > 0 ||
	    (is_open(c) && workqueue_len(c->cfg.queue) > 0))
		return 0;
	return now > worked ? now - worked : 0;
}

void
controller_start_attribution(struct controller *c, struct kube_client *client,
    uint64_t delay_ms, uint64_t gap_ms)
{
	const struct attribution_config cfg = {
		.cfg = &c->cfg,
		.client = client,
		.gap_ms = gap_ms,
		.idle_ms = idle_ms,
		.ctx = c,
	};

	c->attribution_delay_ms = delay_ms;
	c->attribution = attribution_new(&cfg);
	attribution_start(c->attribution);
}

void
controller_join_attribution(struct controller *c)
{
	if (c->attribution != NULL)
		attribution_stop(c->attribution);
}

void
controller_release(struct controller *c)
{
	atomic_store(&c->released_ms, clock_mono_ms(c->cfg.clock));

	mutex_lock(&c->mu);
	atomic_store(&c->released, true);
	cond_broadcast(&c->opened);
	mutex_unlock(&c->mu);
}

void
controller_lead(struct controller *c, bool leads)
{
	mutex_lock(&c->mu);
	c->leads = leads;
	cond_broadcast(&c->opened);
	mutex_unlock(&c->mu);
}

void
controller_join_workers(struct controller *c)
{
	/* The queue is shut down: those at the gate find it so. */
	mutex_lock(&c->mu);
	c->ending = true;
	cond_broadcast(&c->opened);
	mutex_unlock(&c->mu);
	for (unsigned i = 0; i < c->nworkers; i++)
		thread_join(&c->workers[i].thread);
}
