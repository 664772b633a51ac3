/*
 * The process_* metrics of Prometheus' client libraries, read from /proc.
 */
#ifndef METRICS_PROCESS_H
#define METRICS_PROCESS_H

#include "base/buf.h"

/* Families sorted by name, appended to out. proc: "/proc". What cannot be read
 * is left out; fails only where out would pass its maximum. */
int
process_render(const char *proc, struct buf *out, struct err *err) MUST_CHECK;

#endif
