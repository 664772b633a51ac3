/*
 * Labels of namespaces. See nslabels.h.
 */
#include "nslabels.h"

#include <stdio.h>
#include <string.h>

#include "base/jsonx.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"

struct entry {
	char ns[OBJKEY_NS_MAX]; /* empty: a free place */
	json_t *labels;		/* NULL: there are none to judge by */
	uint64_t good_until_ms; /* 0: was never read */
	uint64_t used_ms;
};

struct nslabels {
	struct nslabels_config cfg;
	struct mutex mu;
	struct cond answered;
	bool asking;		      /* guarded by mu: a request is made */
	struct entry v[NSLABELS_MAX]; /* guarded by mu */
	bool told;		      /* guarded by mu: that one failed */
	bool changed; /* guarded by mu: since the last refresh */
};

struct nslabels *
nslabels_new(const struct nslabels_config *cfg)
{
	struct nslabels *nl = xcalloc(1, sizeof(*nl));

	nl->cfg = *cfg;
	mutex_init(&nl->mu);
	cond_init(&nl->answered);
	return nl;
}

void
nslabels_free(struct nslabels *nl)
{
	if (nl == NULL)
		return;
	for (size_t i = 0; i < NSLABELS_MAX; i++)
		json_decref(nl->v[i].labels);
	cond_destroy(&nl->answered);
	mutex_destroy(&nl->mu);
	mem_free_wiped(nl);
}

static struct entry *
find_locked(struct nslabels *nl, const char *ns) REQUIRES(nl->mu)
{
	for (size_t i = 0; i < NSLABELS_MAX; i++)
		if (strcmp(nl->v[i].ns, ns) == 0)
			return &nl->v[i];
	return NULL;
}

/* Of this name, or the place of the one used longest ago. */
static struct entry *
place_locked(struct nslabels *nl, const char *ns) REQUIRES(nl->mu)
{
	struct entry *e = find_locked(nl, ns);

	if (e != NULL)
		return e;
	e = &nl->v[0];
	for (size_t i = 1; i < NSLABELS_MAX; i++)
		if (nl->v[i].used_ms < e->used_ms)
			e = &nl->v[i];
	json_decref(e->labels);
	*e = (struct entry) { .labels = NULL };
	(void)snprintf(e->ns, sizeof(e->ns), "%s", ns);
	return e;
}

/* NULL in *labels: there is no such namespace. */
static int
ask(const struct nslabels *nl, const char *ns, json_t **labels, struct err *err)
{
	AUTO_JSON json_t *obj = NULL;
	struct objkey key;

	*labels = NULL;
	if (objkey_set(&key, ns, ns, err) < 0)
		return -1;
	if (kube_get(nl->cfg.client, &KUBE_NAMESPACES, &key, &obj, err) < 0) {
		if (err->code != ERR_NOTFOUND)
			return -1;
		err_clear(err);
		return 0;
	}
	*labels = jsonx_object(obj, "metadata", "labels", NULL);
	*labels = *labels != NULL ? json_incref(*labels) : json_object();
	return 0;
}

static bool
same_labels(const json_t *a, const json_t *b)
{
	return a == b || (a != NULL && b != NULL && json_equal(a, b));
}

/* Steals labels. */
static void
store_locked(struct nslabels *nl, const char *ns, json_t *labels,
    uint64_t keep_ms) REQUIRES(nl->mu)
{
	struct entry *e = place_locked(nl, ns);
	uint64_t now = clock_mono_ms(nl->cfg.clock);

	if (e->good_until_ms != 0 && !same_labels(labels, e->labels))
		nl->changed = true;
	json_decref(e->labels);
	e->labels = labels;
	e->good_until_ms = now + keep_ms;
	if (e->used_ms == 0)
		e->used_ms = now + 1;
}

/* A kind of failure that lasts is told once, until one succeeds. */
static void
tell(struct nslabels *nl, const char *ns, const struct err *err)
{
	bool told;

	mutex_lock(&nl->mu);
	told = nl->told;
	nl->told = err != NULL;
	mutex_unlock(&nl->mu);
	if (err != NULL && !told)
		log_warn("Cannot read the labels of a namespace: keys with a "
			 "label selector open nothing there",
		    "namespace", ns, "error", err->msg);
}

/*
 * One request. The lock is not held meanwhile; who comes in waits for the
 * answer. False where the request failed.
 */
static bool
fetch(struct nslabels *nl, const char *ns)
{
	struct err err = ERR_INIT;
	json_t *labels;
	int rc = ask(nl, ns, &labels, &err);

	mutex_lock(&nl->mu);
	store_locked(nl, ns, labels,
	    labels != NULL ? NSLABELS_KEEP_MS : NSLABELS_RETRY_MS);
	nl->asking = false;
	cond_broadcast(&nl->answered);
	mutex_unlock(&nl->mu);
	if (rc == 0)
		tell(nl, ns, NULL);
	else if (err.code != ERR_CANCELLED)
		tell(nl, ns, &err);
	return rc == 0;
}

static const char *
label_of(const void *ctx, const char *key)
{
	return json_string_value(json_object_get(ctx, key));
}

static bool
is_fresh(const struct nslabels *nl, const struct entry *e)
{
	return e != NULL && clock_mono_ms(nl->cfg.clock) < e->good_until_ms;
}

bool
nslabels_fit(void *ctx, const char *ns, const struct nsrule *rule)
{
	struct nslabels *nl = ctx;
	struct entry *e;
	bool fits;

	if (!objkey_valid_ns(ns, strlen(ns)))
		return false;
	mutex_lock(&nl->mu);
	/* An answer that another thread waited for is good, however late. */
	for (e = find_locked(nl, ns); !is_fresh(nl, e);
	     e = find_locked(nl, ns)) {
		if (nl->asking) {
			cond_wait(&nl->answered, &nl->mu);
			continue;
		}
		nl->asking = true;
		mutex_unlock(&nl->mu);
		(void)fetch(nl, ns);
		mutex_lock(&nl->mu);
	}
	e->used_ms = clock_mono_ms(nl->cfg.clock) + 1;
	fits = e->labels != NULL && nsrule_accepts(rule, label_of, e->labels);
	mutex_unlock(&nl->mu);
	return fits;
}

/* The one that is out of date for longest, to be asked for; false: none. */
static bool
next_stale(struct nslabels *nl, char ns[static OBJKEY_NS_MAX])
{
	const struct entry *oldest = NULL;

	mutex_lock(&nl->mu);
	for (size_t i = 0; !nl->asking && i < NSLABELS_MAX; i++) {
		const struct entry *e = &nl->v[i];

		if (e->ns[0] != '\0' && !is_fresh(nl, e) &&
		    (oldest == NULL ||
			e->good_until_ms < oldest->good_until_ms))
			oldest = e;
	}
	if (oldest != NULL) {
		memcpy(ns, oldest->ns, sizeof(oldest->ns));
		nl->asking = true;
	}
	mutex_unlock(&nl->mu);
	return oldest != NULL;
}

static bool
take_changed(struct nslabels *nl)
{
	bool yes;

	mutex_lock(&nl->mu);
	yes = nl->changed;
	nl->changed = false;
	mutex_unlock(&nl->mu);
	return yes;
}

void
nslabels_refresh(struct nslabels *nl)
{
	char ns[OBJKEY_NS_MAX];

	for (unsigned i = 0; i < NSLABELS_REFRESH_MAX; i++)
		if (!next_stale(nl, ns) || !fetch(nl, ns))
			break;
	if (take_changed(nl) && nl->cfg.changed != NULL)
		nl->cfg.changed(nl->cfg.ctx);
}
