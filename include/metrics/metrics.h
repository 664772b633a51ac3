/*
 * The program's metrics: one table of names, types, labels and HELP texts
 * (family.c) and their Prometheus text exposition, version 0.0.4. Names,
 * labels and buckets are those of the reference controller. Every function is
 * thread-safe. The number of series per family is bounded; past the bound new
 * series are counted in a metric of their own and dropped.
 */
#ifndef METRICS_METRICS_H
#define METRICS_METRICS_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"

struct metrics;

/* Labels in brackets, given in this order to the functions below. */
enum metric {
	METRIC_BUILD_INFO,	/* gauge {revision}, value 0 */
	METRIC_UNSEAL_REQUESTS, /* counter */
	METRIC_UNSEAL_ERRORS,	/* counter {reason, namespace} */
	METRIC_CONDITION_INFO,	/* gauge {namespace, name, condition,
				   ss_app_kubernetes_io_instance} */
	METRIC_HTTP_REQUESTS,	/* counter {path, code, method} */
	METRIC_HTTP_DURATION,	/* histogram {path, method}, seconds */
	/* Ours, behind the same prefix. */
	METRIC_QUEUE_DEPTH,	    /* gauge: keys waiting */
	METRIC_QUEUE_OLDEST,	    /* gauge: seconds */
	METRIC_KEYS,		    /* gauge: keys that decrypt */
	METRIC_KEY_NOT_BEFORE,	    /* gauge: newest key, unix seconds */
	METRIC_KEY_NOT_AFTER,	    /* gauge: newest key, unix seconds */
	METRIC_KEY_RENEWAL_DUE,	    /* gauge: unix seconds; 0: never */
	METRIC_KEY_SECRETS_SKIPPED, /* gauge: labelled, but unusable */
	METRIC_KEYS_PENDING,	    /* gauge: waiting for their time */
	METRIC_KEY_AGE,		    /* gauge {fingerprint}: seconds */
	METRIC_KEY_EXPIRY,	    /* gauge {fingerprint}: unix seconds */
	METRIC_KEY_ITEMS_OPENED,    /* counter {fingerprint} */
	METRIC_KEY_ITEMS,	    /* gauge {fingerprint}: that need it */
	METRIC_KEY_ITEMS_UNKNOWN,   /* gauge: whose key is not known */
	METRIC_KEY_ITEMS_LOST,	    /* gauge: whose key is not here */
	METRIC_KEY_UNSAVED_AGE,	    /* gauge: seconds, newest, no backup */
	METRIC_WATCH_RESTARTS,	    /* counter {resource, reason} */
	METRIC_WATCH_LAST_SEEN,	    /* gauge {resource, namespace}: unix s */
	METRIC_WATCH_LAST_SYNC,	    /* gauge {resource, namespace}: unix s */
	METRIC_API_REQUESTS,	    /* counter {verb, resource, code} */
	METRIC_RECONCILE_DURATION,  /* histogram, seconds */
	METRIC_DRIFT,		    /* counter {action}: repaired, detected */
	METRIC_ADMIN_ACTIONS,	    /* counter {action}: export, restore */
	METRIC_EVENTS_DROPPED,	    /* counter */
	METRIC_SERIES_DROPPED,	    /* counter */
	METRIC_COUNT
};

/* revision: the version text of build_info. */
struct metrics *metrics_new(const char *revision);
void metrics_free(struct metrics *m);

/*
 * Label values follow, as many as the family has, const char *, never NULL.
 * They are copied. A NULL m makes every call a no-op, for tests.
 */
void metrics_inc(struct metrics *m, enum metric id, ...);
void metrics_add(struct metrics *m, enum metric id, double v, ...);
void metrics_set(struct metrics *m, enum metric id, double v, ...);
void metrics_observe(struct metrics *m, enum metric id, double v, ...);
/* Removes one series. */
void metrics_remove(struct metrics *m, enum metric id, ...);
/* Removes every series whose first n label values are those given. */
void metrics_remove_prefix(struct metrics *m, enum metric id, unsigned n, ...);
/* Current value of a counter or gauge series; 0 where absent. For tests. */
double metrics_value(struct metrics *m, enum metric id, ...);

/*
 * Called at the start of each rendering, outside the lock: sets gauges that
 * are a matter of the moment. Four at most. ctx must outlive all renderings
 * that began before metrics_off_render().
 */
void
metrics_on_render(struct metrics *m, void (*refresh)(void *ctx), void *ctx);
/* Families sorted by name, with process_* from /proc; appended to out. */
int
metrics_render(struct metrics *m, struct buf *out, struct err *err) MUST_CHECK;
/* No more calls with this ctx from now on. */
void metrics_off_render(struct metrics *m, const void *ctx);

DEFINE_AUTO(metrics);

#endif
