/*
 * Metrics as text: families, their series in the order they are given in, and
 * of each the labels by name. key: the values of the labels in the order of the
 * family's row, one behind the other, each with its NUL.
 */
#ifndef METRICS_EXPOSITION_H
#define METRICS_EXPOSITION_H

#include <stdbool.h>

#include "base/buf.h"
#include "family.h"

/* The first failure is kept in err; the rest does nothing. */
struct exposition {
	struct buf *out;
	struct err *err;
	bool failed;
};

/* The two lines in front of its series. */
void exposition_family(struct exposition *x, const struct family *f);
void exposition_value(
    struct exposition *x, const struct family *f, const char *key, double v);
void exposition_histogram(struct exposition *x, const struct family *f,
    const char *key, const struct family_histogram *h, double total);

#endif
