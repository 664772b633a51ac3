/*
 * Rows in the order of enum metric.
 */
#include "family.h"

#include <stddef.h>

const struct family families[METRIC_COUNT] = {
	[METRIC_BUILD_INFO] = { "build_info", "Build information.",
	    FAMILY_GAUGE, 0, { "revision" } },
	[METRIC_UNSEAL_REQUESTS] = { "unseal_requests_total",
	    "Total number of sealed secret unseal requests", FAMILY_COUNTER, 0,
	    { NULL } },
	[METRIC_UNSEAL_ERRORS] = { "unseal_errors_total",
	    "Total number of sealed secret unseal errors by reason",
	    FAMILY_COUNTER, 0, { "reason", "namespace" } },
	[METRIC_CONDITION_INFO] = { "condition_info",
	    "Current SealedSecret condition status. Values are -1 (false), "
	    "0 (unknown or absent), 1 (true)",
	    FAMILY_GAUGE, 2,
	    { "namespace", "name", "condition",
		"ss_app_kubernetes_io_instance" } },
	[METRIC_HTTP_REQUESTS] = { "http_requests_total",
	    "A counter for requests to the wrapped handler.", FAMILY_COUNTER, 0,
	    { "path", "code", "method" } },
	[METRIC_HTTP_DURATION] = { "http_request_duration_seconds",
	    "A histogram of latencies for requests.", FAMILY_HISTOGRAM, 0,
	    { "path", "method" } },
	[METRIC_QUEUE_DEPTH] = { "queue_depth",
	    "SealedSecrets waiting for a worker.", FAMILY_GAUGE, 0, { NULL } },
	[METRIC_QUEUE_OLDEST] = { "queue_oldest_age_seconds",
	    "Time that the SealedSecret waiting longest has been waiting.",
	    FAMILY_GAUGE, 0, { NULL } },
	[METRIC_KEYS] = { "keys", "Private keys that can decrypt.",
	    FAMILY_GAUGE, 0, { NULL } },
	[METRIC_KEY_NOT_BEFORE] = { "key_not_before_timestamp_seconds",
	    "Start of validity of the certificate in use.", FAMILY_GAUGE, 0,
	    { NULL } },
	[METRIC_KEY_NOT_AFTER] = { "key_not_after_timestamp_seconds",
	    "End of validity of the certificate in use.", FAMILY_GAUGE, 0,
	    { NULL } },
	[METRIC_KEY_RENEWAL_DUE] = { "key_renewal_due_timestamp_seconds",
	    "Time at which the next key is due; 0: never.", FAMILY_GAUGE, 0,
	    { NULL } },
	[METRIC_KEY_SECRETS_SKIPPED] = { "key_secrets_skipped",
	    "Secrets labelled as keys that cannot be used.", FAMILY_GAUGE, 0,
	    { NULL } },
	[METRIC_KEYS_PENDING] = { "keys_pending",
	    "Keys that decrypt and do not seal yet.", FAMILY_GAUGE, 0,
	    { NULL } },
	[METRIC_KEY_AGE] = { "key_age_seconds",
	    "Age of a key, by the time that decides which is newest.",
	    FAMILY_GAUGE, 0, { "fingerprint" } },
	[METRIC_KEY_EXPIRY] = { "key_expiry_timestamp_seconds",
	    "End of validity of a key's certificate.", FAMILY_GAUGE, 0,
	    { "fingerprint" } },
	[METRIC_KEY_ITEMS_OPENED] = { "key_items_opened_total",
	    "Sealed items that a key has opened.", FAMILY_COUNTER, 0,
	    { "fingerprint" } },
	[METRIC_KEY_ITEMS] = { "key_items",
	    "Items of live SealedSecrets that are known to need a key.",
	    FAMILY_GAUGE, 0, { "fingerprint" } },
	[METRIC_KEY_ITEMS_UNKNOWN] = { "key_items_unknown",
	    "Items of live SealedSecrets whose key is not known yet.",
	    FAMILY_GAUGE, 0, { NULL } },
	[METRIC_KEY_ITEMS_LOST] = { "key_items_lost",
	    "Items of live SealedSecrets whose key has been taken away.",
	    FAMILY_GAUGE, 0, { NULL } },
	[METRIC_KEY_UNSAVED_AGE] = { "key_without_backup_age_seconds",
	    "Age of the newest key that is not marked as backed up; 0: none.",
	    FAMILY_GAUGE, 0, { NULL } },
	[METRIC_WATCH_RESTARTS] = { "watch_restarts_total",
	    "Watches that ended and were opened again.", FAMILY_COUNTER, 0,
	    { "resource", "reason" } },
	[METRIC_WATCH_LAST_SEEN] = { "watch_last_seen_timestamp_seconds",
	    "Time of the last sign of life of a watch.", FAMILY_GAUGE, 0,
	    { "resource", "namespace" } },
	[METRIC_WATCH_LAST_SYNC] = { "watch_last_sync_timestamp_seconds",
	    "Time when a list or watch last told the state of the cluster.",
	    FAMILY_GAUGE, 0, { "resource", "namespace" } },
	[METRIC_API_REQUESTS] = { "api_requests_total",
	    "Requests to the Kubernetes API by verb, resource and status.",
	    FAMILY_COUNTER, 0, { "verb", "resource", "code" } },
	[METRIC_RECONCILE_DURATION] = { "reconcile_duration_seconds",
	    "Time to bring one SealedSecret to its desired state.",
	    FAMILY_HISTOGRAM, 0, { NULL } },
	[METRIC_DRIFT] = { "drift_total",
	    "Secrets that others had changed, by what was done about it.",
	    FAMILY_COUNTER, 0, { "action" } },
	[METRIC_ADMIN_ACTIONS] = { "admin_actions_total",
	    "Exports and restores of keys through the admin port.",
	    FAMILY_COUNTER, 0, { "action" } },
	[METRIC_EVENTS_DROPPED] = { "events_dropped_total",
	    "Events that were not sent because their queue was full.",
	    FAMILY_COUNTER, 0, { NULL } },
	[METRIC_SERIES_DROPPED] = { "series_dropped_total",
	    "New label values that were not counted because a metric had too "
	    "many.",
	    FAMILY_COUNTER, 0, { NULL } },
};

const double family_buckets[FAMILY_BUCKETS] = { 0.005, 0.01, 0.025, 0.05, 0.1,
	0.25, 0.5, 1, 2.5, 5, 10 };

unsigned
family_labels(enum metric id)
{
	unsigned n = 0;

	while (n < FAMILY_LABELS_MAX && families[id].labels[n] != NULL)
		n++;
	return n;
}
