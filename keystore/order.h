/*
 * The order in which keys are tried for one item, and what is learned from
 * hits about the next one: the key that was the newest when the item was
 * written, or the one that opened the item before, whichever was right more
 * often lately. Keys are places in a set. Pure; the caller locks.
 */
#ifndef KEYSTORE_ORDER_H
#define KEYSTORE_ORDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

#define ORDER_NONE ((size_t)-1)

/* Each place is given out once. */
struct order {
	size_t n, from, i;
	bool *tried;
};

/* Places 0 to n - 1; order_next() begins with from and wraps around. */
void order_init(struct order *o, size_t n, size_t from);
void order_release(struct order *o);
/* True the first time; ORDER_NONE: never. */
bool order_take(struct order *o, size_t place);
/* The next place that was not taken; ORDER_NONE: there is none. */
size_t order_next(struct order *o);

/* Where one of several searches begins that run at the same time, beside the
 * first one, which begins at from: apart from each other, so that together
 * they find soon what each of them looks for. */
size_t order_spread(size_t n, size_t from, unsigned others);

/* Positive: times are right more often; 0 at first. */
struct order_trust {
	int score;
};

/* Whether to try the key of the time before that of the latest hit. */
bool order_time_first(const struct order_trust *t);
/* What opened an item, ORDER_NONE: nothing; and what the two would have been.
 */
void
order_judge(struct order_trust *t, size_t hit, size_t by_time, size_t latest);

DEFINE_AUTO_RELEASE(order);

#endif
