/*
 * The elector. See kube/lease.h.
 *
 * Times inside the record are for people: when another replica's Lease is over
 * is reckoned from the moment we saw it change.
 */
#include "kube/lease.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/random.h>

#include "base/codec.h"
#include "base/hash.h"
#include "base/jsonx.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "base/timefmt.h"

#define NEVER UINT64_MAX
/* Between attempts where Leases are not permitted. */
#define REFUSED_MS     60000
#define RELEASE_MS     1000 /* for each of two requests */
#define REQUEST_MIN_MS 1000
/* A longer one in a record is not believed. */
#define DURATION_MAX_S 3600

struct lease {
	struct lease_config cfg;
	char identity[LEASE_IDENTITY_MAX];
	struct stop stop;
	struct thread thread;

	/* The record as last seen. */
	json_t *object; /* NULL: there is none */
	uint64_t seen_ms;

	bool looked; /* has held the Lease or seen it held */
	bool leads;
	bool alone;		       /* Leases are not permitted */
	bool failing;		       /* told so */
	char told[LEASE_IDENTITY_MAX]; /* the leader that was told */
	_Atomic uint64_t until_ms;     /* held before this; 0: not */
};

void
lease_identity(char out[static LEASE_IDENTITY_MAX])
{
	unsigned char random[8] = { 0 };
	char host[256] = "", hex[2 * sizeof(random) + 1];

	(void)gethostname(host, sizeof(host) - 1);
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
		uint64_t ns = clock_mono_ns(&clock_system);

		memcpy(random, &ns, sizeof(random));
	}
	hex_encode(random, sizeof(random), hex);
	(void)snprintf(out, LEASE_IDENTITY_MAX, "%s_%s", host, hex);
}

struct lease *
lease_new(const struct lease_config *cfg)
{
	struct lease *l = xcalloc(1, sizeof(*l));
	uint64_t timeout_ms = cfg->renew_ms / 2;

	l->cfg = *cfg;
	(void)snprintf(l->identity, sizeof(l->identity), "%s", cfg->identity);
	stop_init(&l->stop);
	l->cfg.client.abort = &l->stop;
	/* Two attempts fit before a leader has to give up. */
	l->cfg.client.timeout_ms =
	    timeout_ms < REQUEST_MIN_MS ? REQUEST_MIN_MS : timeout_ms;
	atomic_init(&l->until_ms, 0);
	return l;
}

void
lease_free(struct lease *l)
{
	if (l == NULL)
		return;
	json_decref(l->object);
	stop_release(&l->stop);
	mem_free_wiped(l);
}

/* Never 0, which stands for "not held". */
static uint64_t
now_ms(const struct lease *l)
{
	return clock_mono_ms(l->cfg.clock) + 1;
}

bool
lease_held(const struct lease *l)
{
	return now_ms(l) < atomic_load(&l->until_ms);
}

/* ---- the record ---- */

static const char *
holder(const struct lease *l)
{
	const char *h = jsonx_str(l->object, "spec", "holderIdentity", NULL);

	return h != NULL ? h : "";
}

static const char *
version(const json_t *object)
{
	const char *v = jsonx_str(object, "metadata", "resourceVersion", NULL);

	return v != NULL ? v : "";
}

/* Steals object. */
static void
see(struct lease *l, json_t *object)
{
	if (l->object == NULL ||
	    strcmp(version(l->object), version(object)) != 0)
		l->seen_ms = now_ms(l);
	json_decref(l->object);
	l->object = object;
}

static bool
is_ours(const struct lease *l)
{
	return strcmp(holder(l), l->identity) == 0;
}

/* Milliseconds until another one's Lease is over. */
static uint64_t
expires_in_ms(const struct lease *l)
{
	int64_t s = jsonx_int(l->object, "spec", "leaseDurationSeconds", NULL);
	uint64_t lasts = s < 1 || s > DURATION_MAX_S ? l->cfg.duration_ms
						     : (uint64_t)s * MS_PER_S;
	uint64_t now = now_ms(l);

	return now < l->seen_ms + lasts ? l->seen_ms + lasts - now : 0;
}

/* Identities are HOST_RANDOM. */
static bool
is_of_this_host(const struct lease *l)
{
	const char *h = holder(l), *end = strrchr(l->identity, '_');
	size_t n = end == NULL ? 0 : (size_t)(end - l->identity) + 1;

	return n > 1 && strncmp(h, l->identity, n) == 0 &&
	    strchr(h + n, '_') == NULL;
}

static bool
may_take(const struct lease *l)
{
	if (holder(l)[0] == '\0' || is_ours(l) || expires_in_ms(l) == 0)
		return true;
	return l->cfg.sole_of_host && !l->looked && is_of_this_host(l);
}

static void
set_now(const struct lease *l, json_t *spec, const char *name)
{
	char text[TIMEFMT_MAX];

	timefmt_rfc3339_us(clock_wall_ns(l->cfg.clock), text);
	jsonx_set_str(spec, name, text);
}

/* The spec of the record as it shall be; transitions count changes of hand. */
static json_t *
next_spec(const struct lease *l)
{
	json_t *old = json_object_get(l->object, "spec");
	json_t *spec =
	    json_is_object(old) ? json_deep_copy(old) : json_object();
	int64_t seconds = (int64_t)(l->cfg.duration_ms / MS_PER_S);
	int64_t changes =
	    jsonx_int(l->object, "spec", "leaseTransitions", NULL);

	if (l->object == NULL || !is_ours(l)) {
		set_now(l, spec, "acquireTime");
		jsonx_set(spec, "leaseTransitions",
		    json_integer(l->object == NULL ? 0 : changes + 1));
	}
	jsonx_set_str(spec, "holderIdentity", l->identity);
	jsonx_set(spec, "leaseDurationSeconds",
	    json_integer(seconds > 0 ? seconds : 1));
	set_now(l, spec, "renewTime");
	return spec;
}

static int
key_of(const struct lease *l, struct objkey *key, struct err *err)
{
	return objkey_set(key, l->cfg.ns, l->cfg.name, err);
}

/* Writes the record over the one that was seen last. */
static int
put(struct lease *l, struct kube_client *client, json_t *spec, struct err *err)
{
	AUTO_JSON json_t *next = json_copy(l->object);
	json_t *answer = NULL;
	struct objkey key;

	jsonx_set(next, "spec", spec);
	if (key_of(l, &key, err) < 0 ||
	    kube_update(client, &KUBE_LEASES, &key, next, &answer, err) < 0)
		return -1;
	see(l, answer);
	return 0;
}

static int
create(struct lease *l, struct err *err)
{
	AUTO_JSON json_t *object = json_pack("{s:s, s:s, s:{s:s, s:s}}",
	    "apiVersion", KUBE_LEASES.api_version, "kind", KUBE_LEASES.kind,
	    "metadata", "name", l->cfg.name, "namespace", l->cfg.ns);
	json_t *answer = NULL;

	json_decref(l->object);
	l->object = NULL;
	jsonx_set(object, "spec", next_spec(l));
	if (kube_create(&l->cfg.client, &KUBE_LEASES, l->cfg.ns, object,
		&answer, err) < 0)
		return -1;
	see(l, answer);
	return 0;
}

/* ---- one attempt ---- */

/* 0: the Lease is as the server has it; whose it is says the record. */
static int
look_and_try(struct lease *l, struct err *err)
{
	json_t *object = NULL;
	struct objkey key;

	if (key_of(l, &key, err) < 0)
		return -1;
	if (kube_get(&l->cfg.client, &KUBE_LEASES, &key, &object, err) < 0) {
		if (err->code != ERR_NOTFOUND)
			return -1;
		err_clear(err);
		return create(l, err);
	}
	see(l, object);
	if (!may_take(l))
		return 0;
	return put(l, &l->cfg.client, next_spec(l), err);
}

static int
attempt(struct lease *l, struct err *err)
{
	if (l->leads && l->object != NULL && is_ours(l)) {
		if (put(l, &l->cfg.client, next_spec(l), err) == 0)
			return 0;
		if (err->code != ERR_CONFLICT && err->code != ERR_NOTFOUND)
			return -1;
		err_clear(err);
	}
	return look_and_try(l, err);
}

/* ---- what becomes of it ---- */

static void
step_down(struct lease *l)
{
	atomic_store(&l->until_ms, 0);
	l->alone = false;
	if (!l->leads)
		return;
	l->leads = false;
	log_warn("Leads no more, following", "identity", l->identity);
	l->cfg.changed(l->cfg.ctx, false);
}

static void
step_up(struct lease *l, uint64_t until_ms)
{
	/* Writes were refused while the renewal was overdue: that was a loss
	 * of leadership, too. */
	if (l->leads && !lease_held(l))
		step_down(l);
	atomic_store(&l->until_ms, until_ms);
	if (l->leads)
		return;
	l->leads = true;
	l->told[0] = '\0';
	l->cfg.changed(l->cfg.ctx, true);
}

static uint64_t
led(struct lease *l, uint64_t since_ms)
{
	bool news = !l->leads || l->alone;

	l->alone = false;
	step_up(l, since_ms + l->cfg.renew_ms);
	if (news)
		log_info("Leads", "identity", l->identity);
	return l->cfg.retry_ms;
}

/* Up to a fifth more, so that followers do not come all at once. */
static uint64_t
jittered(const struct lease *l)
{
	uint64_t seed = now_ms(l) ^ hash_str(l->identity);

	return l->cfg.retry_ms +
	    hash_bytes(&seed, sizeof(seed)) % (l->cfg.retry_ms / 5 + 1);
}

static uint64_t
followed(struct lease *l)
{
	uint64_t wait = jittered(l), left = expires_in_ms(l);

	step_down(l);
	if (strcmp(l->told, holder(l)) != 0) {
		(void)snprintf(l->told, sizeof(l->told), "%s", holder(l));
		log_info("Follows", "leader", l->told);
	}
	if (left == 0)
		left = 1;
	return left < wait ? left : wait;
}

static uint64_t
not_permitted(struct lease *l)
{
	AUTO_STR char *name = xasprintf("%s/%s", l->cfg.ns, l->cfg.name);

	if (!l->alone)
		log_warn("Not permitted to get, create and update Leases: "
			 "going on as if this were the only replica",
		    "lease", name);
	l->alone = true;
	step_up(l, NEVER);
	return REFUSED_MS;
}

static uint64_t
failed(struct lease *l, const struct err *err)
{
	if (err->code == ERR_CANCELLED)
		return l->cfg.retry_ms;
	if (err->code == ERR_FORBIDDEN)
		return not_permitted(l);
	/* Two that try at once are no trouble. */
	if (err->code == ERR_CONFLICT || err->code == ERR_EXISTS)
		return l->leads && lease_held(l) ? 1 : jittered(l);
	if (!l->failing)
		log_warn("Cannot reach the Lease", "error", err->msg);
	l->failing = true;
	if (l->leads && !lease_held(l))
		step_down(l);
	return l->leads ? l->cfg.retry_ms / 2 + 1 : jittered(l);
}

uint64_t
lease_turn(struct lease *l)
{
	struct err err = ERR_INIT;
	/* Counted from before the request: it may hang on its way back. */
	uint64_t since_ms = now_ms(l);

	if (attempt(l, &err) < 0)
		return failed(l, &err);
	l->failing = false;
	l->looked = true;
	return is_ours(l) ? led(l, since_ms) : followed(l);
}

/* ---- giving up ---- */

static json_t *
released_spec(const struct lease *l)
{
	json_t *spec = next_spec(l);

	jsonx_set_str(spec, "holderIdentity", "");
	jsonx_set(spec, "leaseDurationSeconds", json_integer(1));
	set_now(l, spec, "acquireTime");
	return spec;
}

void
lease_release(struct lease *l)
{
	struct kube_client client = l->cfg.client;
	struct err err = ERR_INIT;
	json_t *object = NULL;
	struct objkey key;

	atomic_store(&l->until_ms, 0);
	if (!l->leads || l->alone || l->object == NULL || !is_ours(l))
		return;
	l->leads = false;
	client.abort = NULL;
	client.timeout_ms = RELEASE_MS;
	if (put(l, &client, released_spec(l), &err) == 0 ||
	    err.code != ERR_CONFLICT || key_of(l, &key, &err) < 0 ||
	    kube_get(&client, &KUBE_LEASES, &key, &object, &err) < 0)
		return;
	/* A renewal whose answer was cut off. */
	see(l, object);
	if (is_ours(l))
		(void)put(l, &client, released_spec(l), &err);
}

/* ---- the thread ---- */

static void *
elect(void *arg)
{
	struct lease *l = arg;

	while (!stop_wait(&l->stop, lease_turn(l)))
		;
	return NULL;
}

void
lease_start(struct lease *l)
{
	thread_start(&l->thread, "elector", elect, l);
}

void
lease_stop(struct lease *l)
{
	stop_request(&l->stop);
	thread_join(&l->thread);
	lease_release(l);
}
