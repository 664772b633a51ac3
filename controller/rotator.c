/*
 * The rotator's thread. See rotator.h. When and under which name a key is made
 * is keystore/rotation.c's; here is only the loop around it, and its log lines.
 */
#include "rotator.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timefmt.h"
#include "keysecrets.h"

/* Waits after failures: doubling from the first to the last. */
#define RETRY_FIRST_MS 500
#define RETRY_LAST_MS  30000
/* The schedule is judged again at least so often: a wall clock may be set. */
#define JUDGE_MS 60000
/* Changes of key Secrets that come together cost one list in this time. */
#define RELOAD_MS 500
/*
 * So long after a key was made the list is read in any case. Where key Secrets
 * are listed now and then instead of watched, one that is relabelled before the
 * next list was never seen there, so that nothing tells of its going.
 */
#define CONFIRM_MS (KEYSECRETS_POLL_MS + 1000)
/* A certificate about to expire is told so long before, once a day. */
#define EXPIRY_AHEAD_S (INT64_C(30) * 24 * 3600)
#define EXPIRY_TELL_MS (UINT64_C(24) * 3600 * 1000)

struct rotator {
	struct rotator_config cfg;
	struct rotation_occasion occasion;
	struct stop stop;
	struct thread thread;
	uint64_t retry_ms;   /* 0 after a success */
	uint64_t loaded_ms;  /* last list; 0: never */
	uint64_t emptied_ms; /* when the last key went; 0: there are keys */
	uint64_t asked_ms;   /* last requested key; 0: none */
	uint64_t confirm_ms; /* the list is read then; 0: not for that */
	uint64_t expiry_ms;  /* last told of expiry; 0: never */
	char serving[KEYPAIR_FINGERPRINT_MAX]; /* as of the last turn */
	uint64_t generation;		       /* likewise */
	bool had_keys;
	bool attempted; /* the open occasion: a key may have been stored */
	bool first;	/* the open occasion: there was no key */
	struct mutex mu;
	struct cond cond;
	bool triggered;			   /* guarded by mu */
	bool reload;			   /* guarded by mu */
	bool hurry;			   /* guarded by mu */
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

/* Never 0, which stands for "never". */
static uint64_t
now_ms(const struct rotator *r)
{
	return clock_mono_ms(r->cfg.clock) + 1;
}

static bool
may_write(const struct rotator *r)
{
	return r->cfg.may_write == NULL || r->cfg.may_write(r->cfg.ctx);
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
drop_trigger(struct rotator *r)
{
	mutex_lock(&r->mu);
	r->triggered = false;
	mutex_unlock(&r->mu);
}

/* Whether a key was asked for; what counts as asked before is dropped. */
static bool
is_asked(struct rotator *r)
{
	if (!is_triggered(r))
		return false;
	if (!may_write(r)) {
		drop_trigger(r);
		log_warn("No key is made here: another replica leads, ask that "
			 "one");
		return false;
	}
	if (r->asked_ms != 0 && now_ms(r) < r->asked_ms + ROTATOR_ASKED_MS) {
		drop_trigger(r);
		log_info("A key was made a moment ago, this request counts as "
			 "the same");
		return false;
	}
	return true;
}

static bool
take_reload(struct rotator *r)
{
	bool yes;

	mutex_lock(&r->mu);
	yes = r->reload;
	r->reload = false;
	mutex_unlock(&r->mu);
	return yes;
}

/* A due date that has passed stays as it is until there is a key. */
static void
publish_due(struct rotator *r)
{
	struct registry_current cur;
	int64_t due_s = 0;

	if (registry_current(r->cfg.keys, &cur))
		due_s = rotation_due_s(&r->cfg.rotation, &cur);
	metrics_set(r->cfg.metrics, METRIC_KEY_RENEWAL_DUE,
	    due_s == INT64_MAX ? 0.0 : (double)due_s);
}

static void
publish_metrics(struct rotator *r)
{
	struct registry_current cur;

	publish_due(r);
	metrics_set(
	    r->cfg.metrics, METRIC_KEYS, (double)registry_count(r->cfg.keys));
	if (!registry_serving(r->cfg.keys, &cur)) {
		metrics_remove(r->cfg.metrics, METRIC_KEY_NOT_BEFORE);
		metrics_remove(r->cfg.metrics, METRIC_KEY_NOT_AFTER);
		return;
	}
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

/* kubeseal refuses a certificate that has expired. */
static void
tell_expiry(struct rotator *r)
{
	int64_t now_s = clock_wall_s(r->cfg.clock);
	struct registry_current cur;
	char text[TIMEFMT_MAX];

	if (!registry_serving(r->cfg.keys, &cur) ||
	    cur.not_after > now_s + EXPIRY_AHEAD_S)
		return;
	if (r->cfg.expiring != NULL)
		r->cfg.expiring(r->cfg.ctx, &cur);
	if (r->expiry_ms != 0 && now_ms(r) < r->expiry_ms + EXPIRY_TELL_MS)
		return;
	r->expiry_ms = now_ms(r);
	timefmt_rfc3339(cur.not_after, text);
	log_warn(cur.not_after < now_s
		? "The sealing certificate has expired: kubeseal refuses it"
		: "The sealing certificate expires soon",
	    "notAfter", text, "fingerprint", cur.fingerprint);
}

/* Time alone makes another key the serving one. */
static void
note_serving(struct rotator *r)
{
	struct registry_current cur = { .fingerprint = "" };
	uint64_t generation = registry_generation(r->cfg.keys);
	/* Another set of keys was told already. */
	bool by_time = generation == r->generation;

	r->generation = generation;
	(void)registry_serving(r->cfg.keys, &cur);
	if (strcmp(cur.fingerprint, r->serving) == 0)
		return;
	memcpy(r->serving, cur.fingerprint, sizeof(r->serving));
	log_info("This key seals now", "secretname", cur.name, "fingerprint",
	    cur.fingerprint);
	if (by_time)
		r->cfg.changed(r->cfg.ctx);
}

static uint64_t
failed(struct rotator *r, const char *msg, const struct err *err)
{
	if (err->code == ERR_CANCELLED && stop_requested(&r->stop))
		return 0;
	/* Cancelled otherwise: this replica leads no more. */
	if (err->code != ERR_CANCELLED)
		log_error(msg, "error", err->msg);
	if (r->retry_ms == 0)
		r->retry_ms = RETRY_FIRST_MS;
	else if (r->retry_ms < RETRY_LAST_MS / 2)
		r->retry_ms *= 2;
	else
		r->retry_ms = RETRY_LAST_MS;
	return r->retry_ms;
}

/* Restricted keys seal for nobody who does not have them already. */
static bool
has_key(const struct rotator *r)
{
	struct registry_current cur;

	return registry_current(r->cfg.keys, &cur);
}

static void
judge_emptiness(struct rotator *r)
{
	if (has_key(r)) {
		r->had_keys = true;
		r->emptied_ms = 0;
	} else if (r->had_keys && r->emptied_ms == 0) {
		r->emptied_ms = now_ms(r);
		log_error("Every key Secret is gone: restore them from backup. "
			  "A new key is made in 5 minutes, or at once on "
			  "SIGUSR1",
		    "namespace", r->cfg.rotation.ns);
	}
}

/* Reads the list of keys; no key is ever made unless this succeeded. */
static int
load(struct rotator *r, struct err *err)
{
	uint64_t before = registry_generation(r->cfg.keys);
	bool first = r->loaded_ms == 0;

	if (first)
		log_info("Searching for existing private keys");
	if (r->cfg.backend.load(r->cfg.backend.ctx, r->cfg.keys, err) < 0)
		return -1;
	if (first && has_key(r))
		log_certificate(r, "Serving the certificate of the newest key");
	r->loaded_ms = now_ms(r);
	judge_emptiness(r);
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

/* That it was made and does not serve wants an explanation. */
static void
tell_pending(struct rotator *r, const char *name)
{
	struct registry_current made, cur;
	char text[TIMEFMT_MAX];

	if (!registry_current(r->cfg.keys, &made) ||
	    !registry_serving(r->cfg.keys, &cur) ||
	    strcmp(made.name, name) != 0 ||
	    strcmp(made.fingerprint, cur.fingerprint) == 0)
		return;
	timefmt_rfc3339(
	    made.order_s + r->cfg.rotation.activation_delay_s, text);
	log_info("The new key is pending: another one seals until then, or "
		 "until a backup of the new one is noted",
	    "name", name, "until", text, "sealing", cur.name);
}

/* The occasion got its key. Requests that came meanwhile are served by it. */
static void
occasion_done(struct rotator *r, const char *name)
{
	bool asked;

	mutex_lock(&r->mu);
	asked = r->triggered;
	r->triggered = false;
	if (r->first)
		(void)snprintf(r->first_key, sizeof(r->first_key), "%s", name);
	mutex_unlock(&r->mu);
	if (asked)
		r->asked_ms = now_ms(r);
	r->confirm_ms = now_ms(r) + CONFIRM_MS;
	judge_emptiness(r);
	r->cfg.changed(r->cfg.ctx);
}

static int
make_key(struct rotator *r, struct err *err)
{
	char name[ROTATION_NAME_MAX];
	bool created = false;

	r->attempted = true;
	if (rotation_step(&r->occasion, &r->cfg.rotation, r->cfg.clock,
		&r->cfg.backend, r->cfg.keys, &r->stop, name, &created,
		err) < 0)
		return -1;
	announce(r, name, created);
	tell_pending(r, name);
	occasion_done(r, name);
	return 0;
}

static int64_t
due_in_ns(struct rotator *r)
{
	struct registry_current cur;
	bool any = registry_current(r->cfg.keys, &cur);
	uint64_t since;

	if (!any && r->emptied_ms != 0) {
		since = now_ms(r) - r->emptied_ms;
		return since >= ROTATOR_EMPTY_MS
		    ? 0
		    : (int64_t)((ROTATOR_EMPTY_MS - since) * NS_PER_MS);
	}
	return rotation_due_in_ns(
	    &r->cfg.rotation, any ? &cur : NULL, clock_wall_ns(r->cfg.clock));
}

/*
 * An occasion is fixed by what was known when it arose, before the list is
 * read: a rival's key of the same occasion then stands under the same name.
 */
static void
open_occasion(struct rotator *r)
{
	if (!may_write(r)) {
		r->occasion.open = false;
		(void)is_asked(r);
		return;
	}
	if (r->occasion.open || (!is_asked(r) && due_in_ns(r) > 0))
		return;
	rotation_begin(&r->occasion, &r->cfg.rotation, r->cfg.keys);
	r->attempted = false;
	r->first = !has_key(r);
}

/* The list may have brought the key that was due. */
static void
close_if_served(struct rotator *r)
{
	if (r->occasion.open && !r->attempted && !is_triggered(r) &&
	    due_in_ns(r) > 0)
		r->occasion.open = false;
}

static void
set_ready(struct rotator *r)
{
	mutex_lock(&r->mu);
	r->ready = r->ready || has_key(r);
	mutex_unlock(&r->mu);
}

static bool
take_confirm(struct rotator *r)
{
	if (r->confirm_ms == 0 || now_ms(r) < r->confirm_ms)
		return false;
	r->confirm_ms = 0;
	return true;
}

static uint64_t
next_turn_ms(struct rotator *r)
{
	int64_t confirm = (int64_t)(r->confirm_ms - now_ms(r));
	int64_t due = due_in_ns(r) / (int64_t)NS_PER_MS + 1;
	int64_t change_s =
	    registry_next_change_s(r->cfg.keys) - clock_wall_s(r->cfg.clock);

	if (!may_write(r))
		due = JUDGE_MS;
	if (change_s < JUDGE_MS / 1000 && change_s * 1000 < due)
		due = change_s * 1000;
	if (r->confirm_ms != 0 && confirm < due)
		due = confirm;
	return due > JUDGE_MS ? JUDGE_MS : (uint64_t)(due > 0 ? due : 1);
}

/* Milliseconds until the list may be read once more; 0: now. */
static uint64_t
reload_in_ms(const struct rotator *r)
{
	uint64_t now = now_ms(r);

	if (r->loaded_ms == 0 || now >= r->loaded_ms + RELOAD_MS)
		return 0;
	return r->loaded_ms + RELOAD_MS - now;
}

static void
keep_reload(struct rotator *r)
{
	mutex_lock(&r->mu);
	r->reload = true;
	mutex_unlock(&r->mu);
}

static int
reload(struct rotator *r, struct err *err)
{
	if (load(r, err) == 0) {
		publish_metrics(r);
		set_ready(r);
		return 0;
	}
	keep_reload(r);
	return -1;
}

static uint64_t
turn_done(struct rotator *r)
{
	r->retry_ms = 0;
	publish_metrics(r);
	note_serving(r);
	tell_expiry(r);
	set_ready(r);
	if (r->cfg.turned != NULL)
		r->cfg.turned(r->cfg.ctx);
	return next_turn_ms(r);
}

uint64_t
rotator_turn(struct rotator *r)
{
	struct err err = ERR_INIT;
	bool wanted = take_reload(r) || r->loaded_ms == 0;

	/* Where reading fails, it is asked for again like any other. */
	if (take_confirm(r))
		wanted = true;
	if (r->loaded_ms != 0)
		open_occasion(r);
	if (wanted && !r->occasion.open && reload_in_ms(r) > 0) {
		keep_reload(r);
		return reload_in_ms(r);
	}
	if ((wanted || r->occasion.open) && reload(r, &err) < 0)
		return failed(r, "Cannot list key secrets", &err);
	close_if_served(r);
	open_occasion(r);
	if (r->occasion.open && make_key(r, &err) < 0)
		return failed(r, "Failed to generate new key", &err);
	return turn_done(r);
}

static void *
rotator_main(void *arg)
{
	struct rotator *r = arg;
	uint64_t wait_ms;
	bool now;

	while (!stop_requested(&r->stop)) {
		wait_ms = rotator_turn(r);
		mutex_lock(&r->mu);
		/* A request that came during a failing turn waits like it. */
		now = r->hurry || (r->triggered && r->retry_ms == 0);
		if (!stop_requested(&r->stop) && wait_ms > 0 && !now)
			(void)cond_wait_for(
			    &r->cond, &r->mu, wait_ms * NS_PER_MS);
		r->hurry = false;
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

void
rotator_reload(struct rotator *r)
{
	mutex_lock(&r->mu);
	r->reload = true;
	r->hurry = true;
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
