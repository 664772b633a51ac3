/*
 * The thread that drives all reflectors: tick each, poll the mux, repeat.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/thread.h"
#include "cache/reflector.h"

/* A wake-up that got lost costs at most this. */
#define POLL_MAX_MS 10000

struct reflector_loop {
	struct kube_mux *mux;
	struct reflector **all;
	size_t count, cap;
	struct thread thread;
	atomic_bool stopping;
};

struct reflector_loop *
reflector_loop_new(struct kube_mux *mux)
{
	struct reflector_loop *l = xcalloc(1, sizeof(*l));

	l->mux = mux;
	atomic_init(&l->stopping, false);
	return l;
}

void
reflector_loop_free(struct reflector_loop *l)
{
	if (l == NULL)
		return;
	reflector_loop_stop(l);
	for (size_t i = 0; i < l->count; i++)
		reflector_free(l->all[i]);
	free(l->all);
	free(l);
}

void
reflector_loop_add(struct reflector_loop *l, struct reflector *r)
{
	if (l->count == l->cap) {
		l->cap = l->cap == 0 ? 8 : l->cap * 2;
		l->all =
		    xreallocarray(l->all, l->cap, sizeof(struct reflector *));
	}
	l->all[l->count++] = r;
}

static uint64_t
tick_all(struct reflector_loop *l)
{
	uint64_t wait = POLL_MAX_MS;

	for (size_t i = 0; i < l->count; i++) {
		uint64_t ms = reflector_tick(l->all[i]);

		if (ms < wait)
			wait = ms;
	}
	return wait;
}

static void *
loop_main(void *arg)
{
	struct reflector_loop *l = arg;

	while (!atomic_load(&l->stopping)) {
		uint64_t wait = tick_all(l);

		l->mux->poll(l->mux->ctx, wait);
	}
	return NULL;
}

void
reflector_loop_start(struct reflector_loop *l)
{
	thread_start(&l->thread, "reflectors", loop_main, l);
}

void
reflector_loop_stop(struct reflector_loop *l)
{
	atomic_store(&l->stopping, true);
	l->mux->wakeup(l->mux->ctx);
	thread_join(&l->thread);
}

bool
reflector_loop_has_synced(const struct reflector_loop *l)
{
	for (size_t i = 0; i < l->count; i++)
		if (!reflector_has_synced(l->all[i]))
			return false;
	return true;
}

bool
reflector_loop_is_settled(const struct reflector_loop *l)
{
	for (size_t i = 0; i < l->count; i++)
		if (!reflector_is_settled(l->all[i]))
			return false;
	return true;
}
