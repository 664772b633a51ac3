/*
 * Event recorder: callers put events into a bounded queue, one thread folds
 * and sends them. An event that could not be sent waits in a list of its own,
 * so that the others pass it.
 */
#include "kube/event.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/hash.h"
#include "base/jsonx.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timefmt.h"
#include "eventfold.h"
#include "metrics/metrics.h"

#define QUEUE_MAX	   1000u
#define RETRYING_MAX	   1000u
#define TRIES_MAX	   12u
#define RETRY_MS	   9000u /* to 11000 */
#define RETRY_JITTER_MS	   2000u
#define REQUEST_TIMEOUT_MS 10000u
#define FLUSH_NS	   (2 * NS_PER_S)
#define QUIET_NS	   (2 * NS_PER_S)
#define MESSAGE_MAX	   1024u
#define NAME_SUFFIX_MAX	   18u /* dot and 64 bits in hex, and NUL */
#define COMBINED	   "(combined from similar events): "

struct item {
	struct item *next;
	char *api_version, *kind, *ns, *name, *uid, *resource_version;
	char *type, *reason, *message;
	uint64_t name_end; /* what sets its name apart */
	int64_t first_s, last_s;
	unsigned count; /* 0: not folded yet */
	unsigned tries;
	uint64_t due_ms; /* of the next try */
};

struct queue {
	struct item *first, **end;
	unsigned n;
};

struct event_recorder {
	struct kube_client client; /* the sender's */
	char *component;
	const struct clock *clock;
	struct metrics *metrics; /* borrowed */
	struct eventfold *fold;	 /* the sender's */
	struct queue retrying;	 /* the sender's */
	bool retry_next;	 /* the sender's: whose turn it is */
	struct stop abort;
	struct thread thread;
	struct mutex mu;
	struct cond news;
	struct cond ended_cond;
	bool untidy; /* the sender's: events went out since the last trim */
	struct queue fresh; /* guarded by mu */
	int64_t last_ns;    /* guarded by mu: of the last name */
	bool stopping;	    /* guarded by mu */
	bool ended;	    /* guarded by mu */
};

static void
item_free(struct item *i)
{
	if (i == NULL)
		return;
	mem_free_wiped(i->api_version);
	mem_free_wiped(i->kind);
	mem_free_wiped(i->ns);
	mem_free_wiped(i->name);
	mem_free_wiped(i->uid);
	mem_free_wiped(i->resource_version);
	mem_free_wiped(i->type);
	mem_free_wiped(i->reason);
	mem_free_wiped(i->message);
	mem_free_wiped(i);
}

static void
queue_init(struct queue *q)
{
	q->first = NULL;
	q->end = &q->first;
	q->n = 0;
}

static void
queue_add(struct queue *q, struct item *i)
{
	i->next = NULL;
	*q->end = i;
	q->end = &i->next;
	q->n++;
}

/* *at is the link that leads to the item. */
static struct item *
queue_remove(struct queue *q, struct item **at)
{
	struct item *i = *at;

	*at = i->next;
	if (q->end == &i->next)
		q->end = at;
	q->n--;
	return i;
}

static void
queue_release(struct queue *q)
{
	while (q->first != NULL)
		item_free(queue_remove(q, &q->first));
}

struct event_recorder *
event_recorder_new(struct kube_client *client, const char *component,
    const struct clock *clock, struct metrics *metrics)
{
	struct event_recorder *r = xcalloc(1, sizeof(*r));

	stop_init(&r->abort);
	r->client = *client;
	r->client.stop = &r->abort;
	r->client.abort = &r->abort;
	r->client.timeout_ms = REQUEST_TIMEOUT_MS;
	r->component = xstrdup(component);
	r->clock = clock != NULL ? clock : &clock_system;
	r->metrics = metrics;
	r->fold = eventfold_new();
	mutex_init(&r->mu);
	cond_init(&r->news);
	cond_init(&r->ended_cond);
	queue_init(&r->fresh);
	queue_init(&r->retrying);
	return r;
}

void
event_recorder_free(struct event_recorder *r)
{
	if (r == NULL)
		return;
	queue_release(&r->fresh);
	queue_release(&r->retrying);
	eventfold_free(r->fold);
	mem_free_wiped(r->component);
	cond_destroy(&r->news);
	cond_destroy(&r->ended_cond);
	mutex_destroy(&r->mu);
	stop_release(&r->abort);
	mem_free_wiped(r);
}

/* ---- recording ---- */

static char *
copy(const char *s)
{
	return xstrdup(s != NULL ? s : "");
}

/* Cut between characters. */
static char *
copy_message(const char *s)
{
	size_t n = strnlen(s, MESSAGE_MAX + 1);

	if (n > MESSAGE_MAX)
		for (n = MESSAGE_MAX; n > 0 && (s[n] & 0xc0) == 0x80;)
			n--;
	return xstrndup(s, n);
}

static struct item *
item_new(const struct event_ref *ref, const char *type, const char *reason,
    const char *message)
{
	struct item *i = xcalloc(1, sizeof(*i));

	i->api_version = copy(ref->api_version);
	i->kind = copy(ref->kind);
	i->ns = copy(ref->ns);
	i->name = copy(ref->name);
	i->uid = copy(ref->uid);
	i->resource_version = copy(ref->resource_version);
	i->type = copy(type);
	i->reason = copy(reason);
	i->message = copy_message(message);
	return i;
}

static void
log_item(const struct item *i)
{
	AUTO_STR char *line = xasprintf("Event(v1.ObjectReference{Kind:\"%s\", "
					"Namespace:\"%s\", Name:\"%s\", "
					"UID:\"%s\", APIVersion:\"%s\", "
					"ResourceVersion:\"%s\", "
					"FieldPath:\"\"}): type: '%s' "
					"reason: '%s' %s",
	    i->kind, i->ns, i->name, i->uid, i->api_version,
	    i->resource_version, i->type, i->reason, i->message);

	log_info(line);
}

static void
drop(struct event_recorder *r, struct item *i)
{
	metrics_inc(r->metrics, METRIC_EVENTS_DROPPED);
	item_free(i);
}

/* Steals i. */
static void
put(struct event_recorder *r, struct item *i)
{
	int64_t now = clock_wall_ns(r->clock);
	bool taken;

	log_item(i);
	i->last_s = now / (int64_t)NS_PER_S;
	mutex_lock(&r->mu);
	/* Two events of one nanosecond would get one name. */
	r->last_ns = now > r->last_ns ? now : r->last_ns + 1;
	if (i->name_end == 0)
		i->name_end = (uint64_t)r->last_ns;
	taken = !r->stopping && r->fresh.n < QUEUE_MAX;
	if (taken) {
		queue_add(&r->fresh, i);
		cond_signal(&r->news);
	}
	mutex_unlock(&r->mu);
	if (!taken)
		drop(r, i);
}

void
event_record(struct event_recorder *r, const struct event_ref *ref,
    const char *type, const char *reason, const char *message)
{
	put(r, item_new(ref, type, reason, message));
}

static void
put_part(struct buf *b, const char *s)
{
	buf_puts(b, s);
	buf_putc(b, '\0');
}

/* Other processes must come to the same, so no keyed hash. */
static uint64_t
name_end_of(const struct item *i, const char *about)
{
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(SIZE_MAX / 2);
	unsigned char md[DIGEST_SHA256_LEN];
	uint64_t n;

	put_part(&text, i->uid);
	put_part(&text, i->reason);
	put_part(&text, about);
	digest_sha256(text.data, text.len, md);
	memcpy(&n, md, sizeof(n));
	return n | 1; /* 0: none */
}

void
event_record_once(struct event_recorder *r, const struct event_ref *ref,
    const char *type, const char *reason, const char *message,
    const char *about)
{
	struct item *i = item_new(ref, type, reason, message);

	i->name_end = name_end_of(i, about);
	put(r, i);
}

/* ---- sending ---- */

static void
fill_key(const struct event_recorder *r, const struct item *i,
    struct eventfold_key *key)
{
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(SIZE_MAX / 2);

	put_part(&text, r->component);
	put_part(&text, i->kind);
	put_part(&text, i->ns);
	put_part(&text, i->name);
	put_part(&text, i->uid);
	put_part(&text, i->api_version);
	key->object = hash_bytes(text.data, text.len);
	put_part(&text, i->type);
	put_part(&text, i->reason);
	key->similar = hash_bytes(text.data, text.len);
	put_part(&text, i->message);
	key->exact = hash_bytes(text.data, text.len);
}

static void
mark_combined(struct item *i)
{
	AUTO_STR char *text = xasprintf(COMBINED "%s", i->message);

	mem_free_wiped(i->message);
	i->message = copy_message(text);
}

/* False: not to be sent. */
static bool
fold(struct event_recorder *r, struct item *i)
{
	struct eventfold_result f;
	struct eventfold_key key;

	fill_key(r, i, &key);
	eventfold_observe(
	    r->fold, &key, i->name_end, i->last_s, clock_mono_ns(r->clock), &f);
	if (f.combined)
		mark_combined(i);
	i->count = f.count;
	i->first_s = f.first_s;
	i->name_end = f.name;
	return !f.drop;
}

/* "<object>.<hex>", most often of the nanoseconds; a long name of the object is
 * cut, for the event's name must not be longer than any name. */
static int
event_key(const struct item *i, struct objkey *key, struct err *err)
{
	const char *ns = i->ns[0] != '\0' ? i->ns : "default";
	char name[OBJKEY_NAME_MAX];
	size_t n = strnlen(i->name, sizeof(name) - NAME_SUFFIX_MAX);

	while (n > 0 && (i->name[n - 1] == '-' || i->name[n - 1] == '.'))
		n--;
	(void)snprintf(name, sizeof(name), "%.*s.%llx", (int)n, i->name,
	    (unsigned long long)i->name_end);
	return objkey_set(key, ns, name, err);
}

static void
set_time(json_t *obj, const char *name, int64_t unix_s)
{
	char text[TIMEFMT_MAX];

	timefmt_rfc3339(unix_s, text);
	jsonx_set_str(obj, name, text);
}

static void
set_if_any(json_t *obj, const char *name, const char *value)
{
	if (value[0] != '\0')
		jsonx_set_str(obj, name, value);
}

static json_t *
involved_object(const struct item *i)
{
	json_t *o = json_object();

	set_if_any(o, "kind", i->kind);
	set_if_any(o, "namespace", i->ns);
	set_if_any(o, "name", i->name);
	set_if_any(o, "uid", i->uid);
	set_if_any(o, "apiVersion", i->api_version);
	set_if_any(o, "resourceVersion", i->resource_version);
	return o;
}

static json_t *
metadata(const struct objkey *key)
{
	json_t *o = json_object();

	jsonx_set_str(o, "name", key->name);
	jsonx_set_str(o, "namespace", key->ns);
	return o;
}

static json_t *
event_object(const struct event_recorder *r, const struct item *i,
    const struct objkey *key)
{
	json_t *source = json_object();
	json_t *o = json_object();

	jsonx_set_str(source, "component", r->component);
	jsonx_set_str(o, "kind", "Event");
	jsonx_set_str(o, "apiVersion", "v1");
	jsonx_set(o, "metadata", metadata(key));
	jsonx_set(o, "involvedObject", involved_object(i));
	jsonx_set_str(o, "reason", i->reason);
	jsonx_set_str(o, "message", i->message);
	jsonx_set(o, "source", source);
	set_time(o, "firstTimestamp", i->first_s);
	set_time(o, "lastTimestamp", i->last_s);
	jsonx_set(o, "count", json_integer((json_int_t)i->count));
	jsonx_set_str(o, "type", i->type);
	jsonx_set(o, "eventTime", json_null());
	jsonx_set_str(o, "reportingComponent", r->component);
	jsonx_set_str(o, "reportingInstance", "");
	return o;
}

static json_t *
patch_object(const struct item *i)
{
	json_t *o = json_object();

	jsonx_set(o, "count", json_integer((json_int_t)i->count));
	set_time(o, "lastTimestamp", i->last_s);
	jsonx_set_str(o, "message", i->message);
	return o;
}

/* A repeat goes to the event sent before, unless that is gone. One that is
 * there already was told by another process, or before an answer got lost. */
static int
deliver(struct event_recorder *r, const struct item *i, unsigned *requests,
    struct err *err)
{
	AUTO_JSON json_t *event = NULL;
	AUTO_JSON json_t *patch = NULL;
	struct objkey key;

	if (event_key(i, &key, err) < 0)
		return -1;
	if (i->count > 1) {
		patch = patch_object(i);
		++*requests;
		if (kube_patch(
			&r->client, &KUBE_EVENTS, &key, patch, NULL, err) == 0)
			return 0;
		if (err->code != ERR_NOTFOUND)
			return -1;
		err_clear(err);
	}
	event = event_object(r, i, &key);
	++*requests;
	if (kube_create(&r->client, &KUBE_EVENTS, key.ns, event, NULL, err) < 0)
		return err->code == ERR_EXISTS ? 0 : -1;
	return 0;
}

static bool
is_passing(const struct err *err)
{
	return err->code == ERR_TRANSPORT || err->code == ERR_TIMEOUT ||
	    err->code == ERR_THROTTLED || err->code == ERR_SERVER;
}

static void
log_lost(const struct item *i, const char *what, const struct err *err)
{
	AUTO_STR char *object = xasprintf("%s/%s", i->ns, i->name);

	/* Roles of one namespace do not grant events in another; nothing to
	 * look for in a log. */
	if (err->code == ERR_FORBIDDEN)
		log_info("Not permitted to write an event", "object", object,
		    "reason", i->reason);
	else
		log_error(what, "object", object, "reason", i->reason, "error",
		    err->msg);
}

/* Somewhere in the middle of two seconds, so that events of one outage do not
 * come back all at once. */
static uint64_t
retry_delay_ms(const struct item *i, const struct err *err)
{
	uint64_t seed = i->name_end ^ i->tries;
	uint64_t ms =
	    RETRY_MS + hash_bytes(&seed, sizeof(seed)) % RETRY_JITTER_MS;
	uint64_t asked_ms = err->retry_after_s * MS_PER_S;

	return asked_ms > ms ? asked_ms : ms;
}

static void
put_off_or_drop(struct event_recorder *r, struct item *i, const struct err *err)
{
	i->tries++;
	if (err->code == ERR_CANCELLED) {
		drop(r, i);
	} else if (!is_passing(err)) {
		log_lost(i, "Server rejected event (will not retry!)", err);
		drop(r, i);
	} else if (i->tries >= TRIES_MAX || r->retrying.n >= RETRYING_MAX) {
		log_lost(i, "Unable to write event (giving up)", err);
		drop(r, i);
	} else {
		i->due_ms = clock_mono_ms(r->clock) + retry_delay_ms(i, err);
		queue_add(&r->retrying, i);
	}
}

/* Steals i; returns the number of requests. */
static unsigned
handle(struct event_recorder *r, struct item *i)
{
	struct err err = ERR_INIT;
	unsigned requests = 0;

	if (i->count == 0 && !fold(r, i))
		drop(r, i);
	else if (deliver(r, i, &requests, &err) == 0)
		item_free(i);
	else
		put_off_or_drop(r, i, &err);
	return requests;
}

static struct item *
take_fresh(struct event_recorder *r)
{
	struct item *i = NULL;

	mutex_lock(&r->mu);
	if (r->fresh.first != NULL)
		i = queue_remove(&r->fresh, &r->fresh.first);
	mutex_unlock(&r->mu);
	return i;
}

static struct item *
take_retry(struct event_recorder *r)
{
	uint64_t now = clock_mono_ms(r->clock);

	for (struct item **at = &r->retrying.first; *at != NULL;
	     at = &(*at)->next)
		if ((*at)->due_ms <= now)
			return queue_remove(&r->retrying, at);
	return NULL;
}

/* By turns, so that neither kind waits for more than one of the other. */
static struct item *
take_due(struct event_recorder *r)
{
	bool retry = r->retry_next;
	struct item *i = retry ? take_retry(r) : take_fresh(r);

	if (i == NULL)
		i = retry ? take_fresh(r) : take_retry(r);
	r->retry_next = !retry;
	return i;
}

unsigned
event_recorder_pump(struct event_recorder *r)
{
	unsigned requests = 0;
	struct item *i;

	while ((i = take_due(r)) != NULL)
		requests += handle(r, i);
	return requests;
}

/* ---- the thread ---- */

static uint64_t
next_retry_ns(const struct event_recorder *r)
{
	uint64_t now = clock_mono_ms(r->clock);
	uint64_t wait_ms = UINT64_C(3600) * MS_PER_S;

	for (const struct item *i = r->retrying.first; i != NULL; i = i->next) {
		if (i->due_ms <= now)
			return 0;
		if (i->due_ms - now < wait_ms)
			wait_ms = i->due_ms - now;
	}
	return wait_ms * NS_PER_MS;
}

/*
 * False: stopping, and nothing is left that was not tried once. Events are the
 * last that is heard of a burst of work: when they have ceased, the heap has
 * holes worth giving back.
 */
static bool
wait_for_news(struct event_recorder *r)
{
	uint64_t wait_ns = next_retry_ns(r);
	bool more, quiet = false;

	if (r->untidy && wait_ns > QUIET_NS)
		wait_ns = QUIET_NS;
	mutex_lock(&r->mu);
	if (r->fresh.first == NULL && !r->stopping && wait_ns > 0)
		quiet = !cond_wait_for(&r->news, &r->mu, wait_ns);
	more = r->fresh.first != NULL || !r->stopping;
	mutex_unlock(&r->mu);
	if (quiet && r->untidy) {
		mem_trim();
		r->untidy = false;
	}
	return more;
}

static void *
sender(void *arg)
{
	struct event_recorder *r = arg;

	do {
		if (event_recorder_pump(r) > 0)
			r->untidy = true;
	} while (wait_for_news(r));
	mutex_lock(&r->mu);
	r->ended = true;
	cond_signal(&r->ended_cond);
	mutex_unlock(&r->mu);
	return NULL;
}

void
event_recorder_start(struct event_recorder *r)
{
	thread_start(&r->thread, "events", sender, r);
}

void
event_recorder_stop(struct event_recorder *r)
{
	uint64_t end = clock_mono_ns(&clock_system) + FLUSH_NS;
	uint64_t now;

	if (!r->thread.started)
		return;
	mutex_lock(&r->mu);
	r->stopping = true;
	cond_signal(&r->news);
	while (!r->ended && (now = clock_mono_ns(&clock_system)) < end)
		(void)cond_wait_for(&r->ended_cond, &r->mu, end - now);
	mutex_unlock(&r->mu);
	/* Whatever request hangs now is given up. */
	stop_request(&r->abort);
	thread_join(&r->thread);
}
