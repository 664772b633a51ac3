/*
 * Metrics of the single keys. See keymetrics.h.
 */
#include "keymetrics.h"

#include <string.h>

#include "base/mem.h"
#include "base/thread.h"

struct keymetrics {
	struct metrics *metrics;
	struct registry *keys;
	const struct clock *clock;
	struct mutex mu;
	struct registry_listing shown; /* guarded by mu: series that exist */
};

static void
update(void *ctx)
{
	keymetrics_update(ctx);
}

struct keymetrics *
keymetrics_new(
    struct metrics *m, struct registry *keys, const struct clock *clock)
{
	struct keymetrics *km = xcalloc(1, sizeof(*km));

	km->metrics = m;
	km->keys = keys;
	km->clock = clock;
	mutex_init(&km->mu);
	metrics_on_render(m, update, km);
	return km;
}

void
keymetrics_free(struct keymetrics *km)
{
	if (km == NULL)
		return;
	metrics_off_render(km->metrics, km);
	registry_listing_release(&km->shown);
	mutex_destroy(&km->mu);
	mem_free_wiped(km);
}

static bool
is_listed(const struct registry_listing *l, const char *fingerprint)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->key[i].fingerprint, fingerprint) == 0)
			return true;
	return false;
}

static void
remove_series(struct metrics *m, const char *fingerprint)
{
	static const enum metric families[] = { METRIC_KEY_AGE,
		METRIC_KEY_EXPIRY, METRIC_KEY_ITEMS_OPENED, METRIC_KEY_ITEMS };

	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		metrics_remove(m, families[i], fingerprint);
}

static void
show(struct metrics *m, const struct registry_key *k, int64_t now_s)
{
	metrics_set(
	    m, METRIC_KEY_AGE, (double)(now_s - k->order_s), k->fingerprint);
	metrics_set(m, METRIC_KEY_EXPIRY, (double)k->not_after, k->fingerprint);
	metrics_set(
	    m, METRIC_KEY_ITEMS_OPENED, (double)k->opened, k->fingerprint);
	metrics_set(m, METRIC_KEY_ITEMS, (double)k->items, k->fingerprint);
}

/* Newest first. */
static void
show_sums(struct metrics *m, const struct registry_listing *l, int64_t now_s)
{
	double unsaved = 0;
	unsigned pending = 0;

	for (size_t i = l->n; i-- > 0;) {
		const struct registry_key *k = &l->key[i];

		pending += k->pending;
		/* A key of this second is without a backup, too. */
		if (!k->backed_up)
			unsaved = now_s > k->order_s
			    ? (double)(now_s - k->order_s)
			    : 1;
	}
	metrics_set(m, METRIC_KEYS_PENDING, (double)pending);
	metrics_set(m, METRIC_KEY_UNSAVED_AGE, unsaved);
	metrics_set(m, METRIC_KEY_ITEMS_UNKNOWN, (double)l->unknown_items);
	metrics_set(m, METRIC_KEY_ITEMS_LOST, (double)l->lost_items);
}

/* Series of keys that stay are never taken away, not for a moment: another
 * thread may be rendering. */
void
keymetrics_update(struct keymetrics *km)
{
	AUTO_RELEASE(registry_listing) struct registry_listing old = { .n = 0 };
	int64_t now_s = clock_wall_s(km->clock);
	struct registry_listing now;

	registry_list(km->keys, &now);
	for (size_t i = 0; i < now.n; i++)
		show(km->metrics, &now.key[i], now_s);
	show_sums(km->metrics, &now, now_s);
	mutex_lock(&km->mu);
	old = km->shown;
	km->shown = now;
	for (size_t i = 0; i < old.n; i++)
		if (!is_listed(&now, old.key[i].fingerprint))
			remove_series(km->metrics, old.key[i].fingerprint);
	mutex_unlock(&km->mu);
}
