/*
 * The table of metrics: a row for each, with what it is called and labelled.
 */
#ifndef METRICS_FAMILY_H
#define METRICS_FAMILY_H

#include <stdint.h>

#include "metrics/metrics.h"

#define FAMILY_PREFIX	  "sealed_secrets_controller_"
#define FAMILY_LABELS_MAX 4
#define FAMILY_BUCKETS	  11

enum family_type { FAMILY_COUNTER, FAMILY_GAUGE, FAMILY_HISTOGRAM };

struct family {
	const char *name; /* without the prefix */
	const char *help;
	enum family_type type;
	unsigned grouped; /* leading labels that make the key; 0: all */
	const char *labels[FAMILY_LABELS_MAX + 1];
};

/* Of every histogram: upper bounds. */
extern const double family_buckets[FAMILY_BUCKETS];
extern const struct family families[METRIC_COUNT];

struct family_histogram {
	uint64_t count;
	uint64_t in[FAMILY_BUCKETS]; /* not cumulative */
};

/* How many labels it has. */
unsigned family_labels(enum metric id);

#endif
