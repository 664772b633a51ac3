/*
 * The rotator's thread. See rotator.h. When and under which name a key is made
 * is keystore/rotation.c's; here is only the loop around it, and its log lines.
 */
#include "rotator.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"

/* Waits after failures: doubling from the first to the last. */
#define RETRY_FIRST_MS 500
#define RETRY_LAST_MS  30000
/* The schedule is judged again at least so often: a wall clock may be set. */
#define JUDGE_MS 60000

struct rotator {
	struct rotator_config cfg;
	struct rotation_occasion occasion;
	struct stop stop;
	struct thread thread;
	uint64_t retry_ms; /* 0 after a success */
	bool loaded;	   /* the key list was read at least once */
	struct mutex mu;
	struct cond cond;
	bool triggered;			   /* guarded by mu */
	bool ready;			   /* guarded by mu */
	char first_key[ROTATION_NAME_MAX]; /* guarded by mu */
};

struct rotator *
rotator_new(const struct rotator_config *cfg)
{
	struct rotator *r = xcalloc(1, sizeof(*r));

	r->cfg = *cfg;
	stop_init(&r->stop);
	mutex_init(&r->mu);
	cond_init(&r->cond);
	return r;
}

void
rotator_free(struct rotator *r)
{
	if (r == NULL)
		return;
	cond_destroy(&r->cond);
	mutex_destroy(&r->mu);
	stop_release(&r->stop);
	mem_free_wiped(r);
}

static bool
is_triggered(struct rotator *r)
{
	bool yes;

	mutex_lock(&r->mu);
	yes = r->triggered;
	mutex_unlock(&r->mu);
	return yes;
}

static void
publish_metrics(struct rotator *r)
{
	struct registry_current cur;

	metrics_set(
	    r->cfg.metrics, METRIC_KEYS, (double)registry_count(r->cfg.keys));
	if (!registry_current(r->cfg.keys, &cur))
		return;
	metrics_set(
	    r->cfg.metrics, METRIC_KEY_NOT_BEFORE, (double)cur.not_before);
	metrics_set(
	    r->cfg.metrics, METRIC_KEY_NOT_AFTER, (double)cur.not_after);
}

/* The served certificate at start, so that it can be copied from the log. */
static void
log_certificate(struct rotator *r, const char *msg)
{
	AUTO_RELEASE(buf) struct buf pem = BUF_INIT(64 * 1024);
	struct err err = ERR_INIT;

	if (registry_cert_pem(r->cfg.keys, &pem, &err) == 0)
		log_info(msg, "certificate", buf_str(&pem));
}

static uint64_t
failed(struct rotator *r, const char *msg, const struct err *err)
{
	if (err->code == ERR_CANCELLED)
		return 0;
	log_error(msg, "error", err->msg);
	if (r->retry_ms == 0)
		r->retry_ms = RETRY_FIRST_MS;
	else if (r->retry_ms < RETRY_LAST_MS / 2)
		r->retry_ms *= 2;
	else
		r->retry_ms = RETRY_LAST_MS;
	return r->retry_ms;
}

/* Reads the list of keys; no key is ever made unless this succeeded. */
static int
load(struct rotator *r, struct err *err)
{
	uint64_t before = registry_generation(r->cfg.keys);

	if (!r->loaded)
		log_info("Searching for existing private keys");
	if (r->cfg.backend.load(r->cfg.backend.ctx, r->cfg.keys, err) < 0)
		return -1;
	if (!r->loaded && registry_count(r->cfg.keys) > 0)
		log_certificate(r, "Serving the certificate of the newest key");
	r->loaded = true;
	if (registry_generation(r->cfg.keys) != before)
		r->cfg.changed(r->cfg.ctx);
	return 0;
}

static void
announce(struct rotator *r, const char *name, bool created)
{
	if (!created) {
		log_info(
		    "Another writer made this occasion's key", "name", name);
		return;
	}
	log_info(
	    "New key written", "namespace", r->cfg.rotation.ns, "name", name);
	log_certificate(r, "Certificate generated");
}

/* The occasion got its key. Requests that came meanwhile are served by it. */
static void
occasion_done(struct rotator *r, const char *name, bool first)
{
	mutex_lock(&r->mu);
	r->triggered = false;
	if (first)
		(void)snprintf(r->first_key, sizeof(r->first_key), "%s", name);
	mutex_unlock(&r->mu);
	r->cfg.changed(r->cfg.ctx);
}

static int
make_key(struct rotator *r, struct err *err)
{
	char name[ROTATION_NAME_MAX];
	bool created = false, first;

	if (!r->occasion.open)
		rotation_begin(&r->occasion, &r->cfg.rotation, r->cfg.keys);
	first = registry_count(r->cfg.keys) == 0;
	if (rotation_step(&r->occasion, &r->cfg.rotation, r->cfg.clock,
		&r->cfg.backend, r->cfg.keys, &r->stop, name, &created,
		err) < 0)
		return -1;
	announce(r, name, created);
	occasion_done(r, name, first);
	return 0;
}

static int64_t
due_in_ns(struct rotator *r)
{
	struct registry_current cur;
	bool any = registry_current(r->cfg.keys, &cur);

	return rotation_due_in_ns(
	    &r->cfg.rotation, any ? &cur : NULL, clock_wall_ns(r->cfg.clock));
}

static void
set_ready(struct rotator *r)
{
	mutex_lock(&r->mu);
	r->ready = true;
	mutex_unlock(&r->mu);
}

uint64_t
rotator_turn(struct rotator *r)
{
	struct err err = ERR_INIT;
	int64_t due = r->loaded ? due_in_ns(r) : 0;

	/* The list is read again before anything is made of it. */
	if (due <= 0 || r->occasion.open || is_triggered(r)) {
		if (load(r, &err) < 0)
			return failed(r, "Cannot list key secrets", &err);
		due = due_in_ns(r);
		if (registry_count(r->cfg.keys) > 0)
			set_ready(r);
	}
	if (due <= 0 || r->occasion.open || is_triggered(r)) {
		if (make_key(r, &err) < 0)
			return failed(r, "Failed to generate new key", &err);
		due = due_in_ns(r);
	}
	r->retry_ms = 0;
	publish_metrics(r);
	set_ready(r);
	due = due / (int64_t)NS_PER_MS + 1;
	return due > JUDGE_MS ? JUDGE_MS : (uint64_t)due;
}

static void *
rotator_main(void *arg)
{
	struct rotator *r = arg;
	uint64_t wait_ms;

	while (!stop_requested(&r->stop)) {
		wait_ms = rotator_turn(r);
		mutex_lock(&r->mu);
		/* A request that came during a failing turn waits like it. */
		if (!stop_requested(&r->stop) && wait_ms > 0 &&
		    (!r->triggered || r->retry_ms > 0))
			(void)cond_wait_for(
			    &r->cond, &r->mu, wait_ms * NS_PER_MS);
		mutex_unlock(&r->mu);
	}
	return NULL;
}

void
rotator_start(struct rotator *r)
{
	thread_start(&r->thread, "rotator", rotator_main, r);
}

void
rotator_stop(struct rotator *r)
{
	stop_request(&r->stop);
	mutex_lock(&r->mu);
	cond_broadcast(&r->cond);
	mutex_unlock(&r->mu);
	thread_join(&r->thread);
}

void
rotator_trigger(struct rotator *r)
{
	mutex_lock(&r->mu);
	r->triggered = true;
	cond_broadcast(&r->cond);
	mutex_unlock(&r->mu);
}

bool
rotator_ready(struct rotator *r)
{
	bool yes;

	mutex_lock(&r->mu);
	yes = r->ready;
	mutex_unlock(&r->mu);
	return yes;
}

bool
rotator_made_first_key(struct rotator *r, char name[static ROTATION_NAME_MAX])
{
	bool yes;

	mutex_lock(&r->mu);
	yes = r->first_key[0] != '\0';
	(void)snprintf(name, ROTATION_NAME_MAX, "%s", r->first_key);
	mutex_unlock(&r->mu);
	return yes;
}
