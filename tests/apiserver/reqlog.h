/*
 * The log of API requests, for tests to read.
 */
#ifndef APISERVER_REQLOG_H
#define APISERVER_REQLOG_H

#include "call.h"

uint64_t reqlog_start(const struct call *c);
void reqlog_end(uint64_t id, int status); /* 0: no answer was given */
void reqlog_clear(void);

/* {"requests": [...], "counts": {"create secrets": 1, ...}} */
json_t *reqlog_dump(void);

#endif
