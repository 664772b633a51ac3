/*
 * The publisher's thread. See certpublisher.h.
 */
#include "certpublisher.h"

#include <jansson.h>
#include <string.h>

#include "base/buf.h"
#include "base/jsonx.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "kube/objkey.h"

#define PEM_MAX (64u * 1024)
/* Waits after failures: doubling from the first to the last. */
#define RETRY_FIRST_MS 500
#define RETRY_LAST_MS  60000

struct certpublisher {
	struct certpublisher_config cfg;
	struct buf stored;   /* the certificate known to be in the ConfigMap */
	uint64_t verify_ms;  /* when the ConfigMap is read again */
	uint64_t retry_ms;   /* 0 after a success */
	bool told_forbidden; /* and nothing else happened since */
	struct stop stop;
	struct thread thread;
	struct mutex mu;
	struct cond cond;
	bool hurry; /* guarded by mu */
};

struct certpublisher *
certpublisher_new(const struct certpublisher_config *cfg)
{
	struct certpublisher *p = xcalloc(1, sizeof(*p));

	p->cfg = *cfg;
	buf_init(&p->stored, PEM_MAX);
	stop_init(&p->stop);
	mutex_init(&p->mu);
	cond_init(&p->cond);
	return p;
}

void
certpublisher_free(struct certpublisher *p)
{
	if (p == NULL)
		return;
	cond_destroy(&p->cond);
	mutex_destroy(&p->mu);
	stop_release(&p->stop);
	buf_release(&p->stored);
	mem_free_wiped(p);
}

static int
create(struct certpublisher *p, const char *pem, struct err *err)
{
	AUTO_JSON json_t *obj = json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:s}}",
	    "apiVersion", "v1", "kind", "ConfigMap", "metadata", "namespace",
	    p->cfg.ns, "name", p->cfg.name, "data", CERTPUBLISHER_ITEM, pem);

	return kube_create(
	    p->cfg.client, &KUBE_CONFIGMAPS, p->cfg.ns, obj, NULL, err);
}

static void
set_item(json_t *obj, const char *pem)
{
	json_t *data = json_object_get(obj, "data");

	if (!json_is_object(data)) {
		data = json_object();
		jsonx_set(obj, "data", data);
	}
	jsonx_set(data, CERTPUBLISHER_ITEM, json_string(pem));
}

/* Writes only what is not there already. */
static int
store(struct certpublisher *p, const char *pem, bool *wrote, struct err *err)
{
	AUTO_JSON json_t *obj = NULL;
	struct objkey key;
	const char *now;

	*wrote = true;
	if (objkey_set(&key, p->cfg.ns, p->cfg.name, err) < 0)
		return -1;
	if (kube_get(p->cfg.client, &KUBE_CONFIGMAPS, &key, &obj, err) < 0)
		return err->code == ERR_NOTFOUND ? create(p, pem, err) : -1;
	now = jsonx_str(obj, "data", CERTPUBLISHER_ITEM, NULL);
	if (now != NULL && strcmp(now, pem) == 0) {
		*wrote = false;
		return 0;
	}
	set_item(obj, pem);
	return kube_update(
	    p->cfg.client, &KUBE_CONFIGMAPS, &key, obj, NULL, err);
}

static void
tell(struct certpublisher *p, const struct err *err)
{
	bool forbidden = err->code == ERR_FORBIDDEN;

	/* Cancelled: the program stops, or this replica leads no more. */
	if (err->code == ERR_CANCELLED || (forbidden && p->told_forbidden))
		return;
	if (forbidden)
		log_warn("Not permitted to publish the certificate in a "
			 "ConfigMap: going on without",
		    "namespace", p->cfg.ns, "configmap", p->cfg.name, "error",
		    err->msg);
	else
		log_error("Cannot publish the certificate", "namespace",
		    p->cfg.ns, "configmap", p->cfg.name, "error", err->msg);
	p->told_forbidden = forbidden;
}

static uint64_t
failed(struct certpublisher *p, const struct err *err)
{
	tell(p, err);
	p->retry_ms = p->retry_ms == 0 ? RETRY_FIRST_MS : 2 * p->retry_ms;
	if (err->retry_after_s * MS_PER_S > p->retry_ms)
		p->retry_ms = err->retry_after_s * MS_PER_S;
	if (p->retry_ms > RETRY_LAST_MS)
		p->retry_ms = RETRY_LAST_MS;
	return p->retry_ms;
}

static bool
is_stored(const struct certpublisher *p, const char *pem)
{
	return strcmp(buf_str(&p->stored), pem) == 0 &&
	    clock_mono_ms(p->cfg.clock) < p->verify_ms;
}

uint64_t
certpublisher_turn(struct certpublisher *p)
{
	AUTO_RELEASE(buf) struct buf pem = BUF_INIT(PEM_MAX);
	struct err err = ERR_INIT;
	bool wrote = false;

	if ((p->cfg.may_write != NULL && !p->cfg.may_write(p->cfg.ctx)) ||
	    registry_cert_pem(p->cfg.keys, &pem, &err) < 0) {
		/* Somebody else may write meanwhile. */
		buf_clear(&p->stored);
		return CERTPUBLISHER_LOOK_MS;
	}
	if (is_stored(p, buf_str(&pem)))
		return CERTPUBLISHER_LOOK_MS;
	if (store(p, buf_str(&pem), &wrote, &err) < 0)
		return failed(p, &err);
	p->retry_ms = 0;
	p->told_forbidden = false;
	p->verify_ms = clock_mono_ms(p->cfg.clock) + CERTPUBLISHER_VERIFY_MS;
	buf_clear(&p->stored);
	buf_puts(&p->stored, buf_str(&pem));
	if (wrote)
		log_info("Certificate published", "namespace", p->cfg.ns,
		    "configmap", p->cfg.name);
	return CERTPUBLISHER_LOOK_MS;
}

static void *
certpublisher_main(void *arg)
{
	struct certpublisher *p = arg;
	uint64_t wait_ms;

	while (!stop_requested(&p->stop)) {
		wait_ms = certpublisher_turn(p);
		mutex_lock(&p->mu);
		/* After a failure a hint does not shorten the wait. */
		if (!stop_requested(&p->stop) &&
		    (!p->hurry || p->retry_ms != 0))
			(void)cond_wait_for(
			    &p->cond, &p->mu, wait_ms * NS_PER_MS);
		p->hurry = false;
		mutex_unlock(&p->mu);
	}
	return NULL;
}

void
certpublisher_start(struct certpublisher *p)
{
	thread_start(&p->thread, "publisher", certpublisher_main, p);
}

void
certpublisher_stop(struct certpublisher *p)
{
	stop_request(&p->stop);
	mutex_lock(&p->mu);
	cond_broadcast(&p->cond);
	mutex_unlock(&p->mu);
	thread_join(&p->thread);
}

void
certpublisher_hurry(struct certpublisher *p)
{
	mutex_lock(&p->mu);
	p->hurry = true;
	cond_broadcast(&p->cond);
	mutex_unlock(&p->mu);
}
