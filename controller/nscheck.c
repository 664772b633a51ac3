/*
 * Additional namespaces, asked for one after the other.
 */
#include "nscheck.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"

/* After trouble of the API server. */
#define RETRY_MS 10000

struct nscheck {
	struct kube_client *client;
	const struct namespaces *namespaces;
	size_t next;
	struct stop stop;
	struct thread thread;
};

struct nscheck *
nscheck_new(struct kube_client *client, const struct namespaces *namespaces)
{
	struct nscheck *n = xcalloc(1, sizeof(*n));

	n->client = client;
	n->namespaces = namespaces;
	n->next = 1;
	stop_init(&n->stop);
	return n;
}

void
nscheck_free(struct nscheck *n)
{
	if (n == NULL)
		return;
	stop_release(&n->stop);
	mem_free_wiped(n);
}

/* A name that cannot be one of a namespace has none. */
static bool
is_missing(struct nscheck *n, const char *name, struct err *err)
{
	struct objkey key;

	if (objkey_set(&key, name, name, err) < 0)
		return true;
	return kube_get(n->client, &KUBE_NAMESPACES, &key, NULL, err) < 0 &&
	    err->code == ERR_NOTFOUND;
}

uint64_t
nscheck_turn(struct nscheck *n)
{
	while (n->next < namespaces_count(n->namespaces) &&
	    !stop_requested(&n->stop)) {
		const char *name = namespaces_at(n->namespaces, n->next);
		struct err err = ERR_INIT;

		if (is_missing(n, name, &err))
			log_error("namespace doesn't exist", "namespace", name);
		else if (err.code != ERR_NONE && err.code != ERR_FORBIDDEN &&
		    err_retryable(&err))
			return RETRY_MS;
		n->next++;
	}
	return 0;
}

static void *
nscheck_main(void *arg)
{
	struct nscheck *n = arg;
	uint64_t wait_ms;

	while ((wait_ms = nscheck_turn(n)) > 0)
		if (stop_wait(&n->stop, wait_ms))
			break;
	return NULL;
}

void
nscheck_start(struct nscheck *n)
{
	if (namespaces_count(n->namespaces) > 1)
		thread_start(&n->thread, "namespaces", nscheck_main, n);
}

void
nscheck_stop(struct nscheck *n)
{
	stop_request(&n->stop);
	thread_join(&n->thread);
}
