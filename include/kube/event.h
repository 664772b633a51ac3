/*
 * Event recorder (core/v1 Events) with its own bounded queue and thread, so
 * that it never delays work. Repeats of one event are folded into a count and
 * sent as a PATCH; more than 10 distinct messages of one object, type and
 * reason within 10 minutes are folded into one; per object 25 at once, then
 * one per 5 minutes. When the queue is full, events are dropped and counted.
 * Transport errors and 429/5xx are retried up to 12 times about 10 s apart
 * (without blocking other events for longer than one request); refusals of
 * the API server are logged and dropped.
 */
#ifndef KUBE_EVENT_H
#define KUBE_EVENT_H

#include "base/clock.h"
#include "base/compiler.h"
#include "kube/client.h"

struct event_recorder;
struct metrics;

struct event_ref { /* involvedObject */
	const char *api_version, *kind, *ns, *name, *uid, *resource_version;
};

/* component: "sealed-secrets". The client belongs to the recorder's thread
 * from start to stop. */
struct event_recorder *event_recorder_new(struct kube_client *client,
    const char *component, const struct clock *clock, struct metrics *metrics);
/* Starts the sender thread. */
void event_recorder_start(struct event_recorder *r);
/* Sends what is waiting for at most two seconds, then ends the thread. */
void event_recorder_stop(struct event_recorder *r);
void event_recorder_free(struct event_recorder *r);

/*
 * From any thread; never blocks on the network. type: "Normal" or "Warning".
 * The message is cut at 1,024 bytes at a character boundary. Also writes the
 * reference's log line (Event(v1.ObjectReference{...}): type: ... reason: ...)
 * at info.
 */
void event_record(struct event_recorder *r, const struct event_ref *ref,
    const char *type, const char *reason, const char *message);
/*
 * The same for what another process may have told already: the event's name
 * follows from object, reason and about, and where there is one of that name
 * nothing is sent anew. Repeats within this process are counted as ever.
 */
void event_record_once(struct event_recorder *r, const struct event_ref *ref,
    const char *type, const char *reason, const char *message,
    const char *about);

/* One step of the sender without its thread, for tests: handles what is due
 * now; returns how many requests were made. */
unsigned event_recorder_pump(struct event_recorder *r);

DEFINE_AUTO(event_recorder);

#endif
