/*
 * Rate limit of the reference: GCRA (a leaky bucket told by one time stamp)
 * per client and path. A client is what its X-Forwarded-For says, which anybody
 * who reaches the port can make up; behind it is therefore one bucket for each
 * path that all clients share. Memory is fixed: clients are hashes, the ones
 * seen longest ago are forgotten. Thread-safe.
 */
#ifndef HTTP_GCRA_H
#define HTTP_GCRA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

/* The wipe-on-free settings touch what is allocated, so that this is memory for
 * good: 160 KiB. Whoever forges more names meets the shared bucket. */
#define GCRA_CLIENTS_MAX 4096
#define GCRA_PATHS_MAX	 4
/* All clients together may do so many times what one may. */
#define GCRA_SHARED_FACTOR 4

struct gcra_config {
	unsigned rate;	/* requests per second; 0: no limit */
	unsigned burst; /* that may pass at once, beside the first */
	size_t clients; /* remembered, at most GCRA_CLIENTS_MAX; 0: that many */
	const struct clock *clock;
};

struct gcra_verdict {
	bool allowed;
	uint64_t limit, remaining;
	uint64_t reset_s;	/* until the client's bucket is empty */
	uint64_t retry_after_s; /* where not allowed, at least 1 */
};

struct gcra;

struct gcra *gcra_new(const struct gcra_config *cfg);
void gcra_free(struct gcra *g);
/* No limit is set: do not ask, and tell no limit. */
bool gcra_unlimited(const struct gcra *g);
/* One request. path: a small number under GCRA_PATHS_MAX. client: any text,
 * case does not count. What is refused uses nothing up. */
struct gcra_verdict
gcra_take(struct gcra *g, unsigned path, const char *client);

#endif
