/*
 * The order of trial. See order.h.
 */
#include "order.h"

#include "base/mem.h"

/* Searches that begin apart. */
#define SPREAD 4
/* So many hits of the other kind turn the order round. */
#define TRUST_MAX 4

void
order_init(struct order *o, size_t n, size_t from)
{
	o->n = n;
	o->from = from;
	o->i = 0;
	o->tried = xcalloc(n, sizeof(*o->tried));
}

void
order_release(struct order *o)
{
	mem_free_wiped(o->tried);
	o->tried = NULL;
}

bool
order_take(struct order *o, size_t place)
{
	if (place >= o->n || o->tried[place])
		return false;
	o->tried[place] = true;
	return true;
}

size_t
order_next(struct order *o)
{
	while (o->i < o->n) {
		size_t place = (o->from + o->i++) % o->n;

		if (order_take(o, place))
			return place;
	}
	return ORDER_NONE;
}

size_t
order_spread(size_t n, size_t from, unsigned others)
{
	return n == 0 ? 0 : (from + others % SPREAD * n / SPREAD) % n;
}

bool
order_time_first(const struct order_trust *t)
{
	return t->score >= 0;
}

void
order_judge(struct order_trust *t, size_t hit, size_t by_time, size_t latest)
{
	if (by_time == latest || by_time == ORDER_NONE || latest == ORDER_NONE)
		return;
	if (hit == by_time && t->score < TRUST_MAX)
		t->score++;
	else if (hit == latest && t->score > -TRUST_MAX)
		t->score--;
}
