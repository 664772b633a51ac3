/*
 * What a run tells the world: status, event, metric.
 */
#include "report.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/jsonx.h"

/* Reads the object again after a refused write. */
static enum report_status
reread(const struct report *r, struct err *err, json_t **ret)
{
	enum err_code why = err->code;
	AUTO_JSON json_t *fresh = NULL;
	struct sealedsecret now;

	if (kube_get(r->client, &KUBE_SEALEDSECRETS, &r->ss->key, &fresh, err) <
	    0)
		return err->code == ERR_NOTFOUND ? REPORT_SUPERSEDED
						 : REPORT_FAILED;
	if (sealedsecret_view(fresh, &now, err) < 0)
		return REPORT_FAILED;
	/* What this run found out is about another object or generation. */
	if (strcmp(now.uid, r->ss->uid) != 0 ||
	    now.generation != r->ss->generation)
		return REPORT_SUPERSEDED;
	if (why == ERR_NOTFOUND) {
		(void)err_set(
		    err, ERR_NOTFOUND, "the server has no status to write to");
		return REPORT_NOWHERE;
	}
	json_decref(*ret);
	*ret = STEAL(fresh);
	return REPORT_SAME;
}

enum report_status
report_status(const struct report *r, const struct condition_outcome *outcome,
    struct err *err)
{
	int64_t now_s = clock_wall_s(r->cfg->clock);
	AUTO_JSON json_t *obj = json_incref((json_t *)r->ss->json);

	for (unsigned i = 0; i < REPORT_TRIES; i++) {
		AUTO_JSON json_t *next = condition_apply(obj, outcome, now_s);
		enum report_status st;

		if (next == NULL)
			return REPORT_SAME;
		if (kube_update_status(r->client, &KUBE_SEALEDSECRETS,
			&r->ss->key, next, NULL, err) == 0)
			return REPORT_WRITTEN;
		if (err->code != ERR_CONFLICT && err->code != ERR_NOTFOUND)
			return REPORT_FAILED;
		st = reread(r, err, &obj);
		if (st != REPORT_SAME)
			return st;
	}
	(void)err_set(err, ERR_CONFLICT,
	    "the object was changed by others %d times in a row", REPORT_TRIES);
	return REPORT_FAILED;
}

static struct event_ref
event_ref_of(const struct report *r)
{
	return (struct event_ref) {
		.api_version = SEALEDSECRET_API_VERSION,
		.kind = SEALEDSECRET_KIND,
		.ns = r->ss->key.ns,
		.name = r->ss->key.name,
		.uid = r->ss->uid,
		.resource_version = r->ss->rv,
	};
}

void
report_event(const struct report *r, const char *type, const char *reason,
    const char *message)
{
	const struct event_ref ref = event_ref_of(r);

	if (r->cfg->events != NULL)
		event_record(r->cfg->events, &ref, type, reason, message);
}

void
report_event_once(const struct report *r, const char *type, const char *reason,
    const char *message, const char *about)
{
	const struct event_ref ref = event_ref_of(r);

	if (r->cfg->events != NULL)
		event_record_once(
		    r->cfg->events, &ref, type, reason, message, about);
}

void
report_forget(const struct controller_config *cfg, const struct objkey *key)
{
	if (!cfg->omit_secret_metrics)
		metrics_remove_prefix(
		    cfg->metrics, METRIC_CONDITION_INFO, 2, key->ns, key->name);
}

bool
report_metric(const struct report *r, bool ok)
{
	const struct objkey *key = &r->ss->key;
	struct index_record rec;

	if (r->cfg->omit_secret_metrics)
		return true;
	metrics_set(r->cfg->metrics, METRIC_CONDITION_INFO, ok ? 1 : -1,
	    key->ns, key->name, "Synced", sealedsecret_instance(r->ss->json));
	/* Looked up after the set: whatever the watch told meanwhile is seen
	 * either here or by the handler, which removes what is set. */
	if (!index_get(r->cfg->sealedsecrets, key, &rec)) {
		report_forget(r->cfg, key);
		return true;
	}
	if (rec.flags == sealedsecret_instance_tag(r->ss->json))
		return true;
	report_forget(r->cfg, key);
	return false;
}

/* ": SHA256:..., SHA256:... and 3 more", behind the number of keys. */
static void
append_keys(const struct report *r, struct buf *out)
{
	char prints[REPORT_KEYS_MAX][KEYPAIR_FINGERPRINT_MAX];
	size_t n = registry_fingerprints(r->cfg->keys, prints, REPORT_KEYS_MAX);
	size_t shown = n < REPORT_KEYS_MAX ? n : REPORT_KEYS_MAX;

	buf_printf(out, " with %zu key%s", n, n == 1 ? "" : "s");
	for (size_t i = 0; i < shown; i++)
		buf_printf(out, "%s%s", i == 0 ? ": " : ", ", prints[i]);
	if (n > shown)
		buf_printf(out, " and %zu more", n - shown);
}

/* "\ntried scope strict (ns/name) with 2 keys: ..." */
static void
append_attempt(const struct report *r, char *out, size_t size)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(REPORT_MESSAGE_MAX);
	char label[SCOPE_LABEL_MAX];
	size_t len = scope_label(r->ss->scope, &r->ss->key, label);

	buf_printf(&b, "\ntried scope %s%s%s%s", scope_name(r->ss->scope),
	    len > 0 ? " (" : "", label, len > 0 ? ")" : "");
	append_keys(r, &b);
	(void)snprintf(out, size, "%s", buf_str(&b));
}

void
report_message(const struct report *r, const struct err *failure,
    char out[static REPORT_MESSAGE_MAX])
{
	size_t len = strlen(failure->msg);

	memcpy(out, failure->msg, len + 1);
	if (failure->code == ERR_NOKEY)
		append_attempt(r, out + len, REPORT_MESSAGE_MAX - len);
}
