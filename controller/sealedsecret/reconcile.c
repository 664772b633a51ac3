/*
 * One run for one SealedSecret.
 */
#include "reconcile.h"

#include <stdio.h>
#include <string.h>

#include "apply.h"
#include "base/hash.h"
#include "base/jsonx.h"
#include "base/log.h"
#include "handlers.h"
#include "report.h"
#include "sealedsecret.h"
#include "sealedsecret/unseal.h"

struct run {
	const struct controller_config *cfg;
	const struct reconcile *rc;
	const struct objkey *key;
	char text[OBJKEY_TEXT_MAX];
	struct index_record rec; /* zero where the object is not known */
	uint64_t keys_generation;
	json_t *obj; /* owned */
	struct sealedsecret ss;
	struct report report;
	struct err err;		  /* why the run failed */
	const char *event_reason; /* of the failure */
	char event[REPORT_MESSAGE_MAX + 64];
	char message[REPORT_MESSAGE_MAX]; /* for the status */
	bool written;			  /* the Secret was */
};

/* ---- the note about a run in the index: 8 bits of code, 24 of the text ----
 */

#define RESULT_OK 1u

static uint32_t
result_word(const struct err *err)
{
	uint32_t tag;

	if (err->code == ERR_NONE)
		return RESULT_OK;
	tag = (uint32_t)hash_str(err->msg) << 8;
	return tag | ((uint32_t)err->code + RESULT_OK);
}

bool
reconcile_succeeded(uint32_t result)
{
	return result == RESULT_OK;
}

bool
reconcile_failed(uint32_t result, enum err_code *code)
{
	uint32_t low = result & 0xff;

	if (low <= RESULT_OK)
		return false;
	*code = (enum err_code)(low - RESULT_OK);
	return true;
}

void
reconcile_immutable_text(
    const struct objkey *key, char out[static RECONCILE_IMMUTABLE_MAX])
{
	(void)snprintf(out, RECONCILE_IMMUTABLE_MAX,
	    "Error updating %s/%s: the target Secret is immutable. Once a "
	    "Secret is marked as immutable, it is not possible to revert this "
	    "change nor to mutate the contents of the data field. You can only "
	    "delete and recreate the Secret.",
	    key->ns, key->name);
}

static void
count_error(const struct run *r, const char *reason)
{
	metrics_inc(r->cfg->metrics, METRIC_UNSEAL_ERRORS, reason, r->key->ns);
}

/* ---- reading ---- */

/*
 * A body that waited in the queue is used only where it is of the object that
 * the index knows, and not older than what a run has seen already: a Secret
 * must never go back to an older generation.
 */
static bool
body_usable(const struct run *r, const json_t *body)
{
	const char *uid = jsonx_str(body, "metadata", "uid", NULL);
	char id[INDEX_UID_MAX];

	if (uid == NULL)
		return false;
	index_copy_id(id, sizeof(id), uid);
	return strcmp(id, r->rec.uid) == 0 &&
	    jsonx_int(body, "metadata", "generation", NULL) >=
	    (int64_t)r->rec.note;
}

static int
read_object(struct run *r, json_t *body)
{
	if (body != NULL && body_usable(r, body)) {
		r->obj = body;
	} else {
		json_decref(body);
		if (kube_get(r->rc->client, &KUBE_SEALEDSECRETS, r->key,
			&r->obj, &r->err) < 0)
			return -1;
	}
	if (sealedsecret_view(r->obj, &r->ss, &r->err) < 0)
		return -1;
	if (!objkey_equal(&r->ss.key, r->key))
		return err_set(&r->err, ERR_SERVER,
		    "the server answered with another object");
	return 0;
}

static void
handle_gone(struct run *r, struct reconcile_result *ret)
{
	report_forget(r->cfg, r->key);
	/* Two witnesses before anything is deleted: where the watch has not
	 * seen the end, it will, and that is another run. */
	if (!r->cfg->old_gc || r->rec.uid[0] != '\0')
		return;
	log_info(
	    "SealedSecret has gone, deleting Secret", "sealed-secret", r->text);
	if (apply_delete_orphan(r->rc->client, r->key, &ret->err) == 0)
		return;
	ret->next = RECONCILE_RETRY;
}

static void
handle_unread(struct run *r, struct reconcile_result *ret)
{
	if (r->err.code == ERR_NOTFOUND) {
		handle_gone(r, ret);
		return;
	}
	if (r->err.code == ERR_CANCELLED)
		return;
	count_error(r, "fetch");
	ret->err = r->err;
	ret->next =
	    err_retryable(&r->err) ? RECONCILE_RETRY : RECONCILE_RECHECK;
}

/* ---- unseal and apply ---- */

static int
unseal_failed(struct run *r)
{
	if (r->err.code == ERR_CANCELLED)
		return -1;
	count_error(r, "unseal");
	report_message(&r->report, &r->err, r->message);
	r->event_reason = "ErrUnsealFailed";
	(void)snprintf(
	    r->event, sizeof(r->event), "Failed to unseal: %s", r->message);
	return -1;
}

static int
apply_failed(struct run *r)
{
	if (r->err.code == ERR_CANCELLED)
		return -1;
	count_error(r, r->err.code == ERR_UNMANAGED ? "unmanaged" : "update");
	r->event_reason = "ErrUpdateFailed";
	if (r->err.code == ERR_IMMUTABLE) {
		reconcile_immutable_text(r->key, r->event);
	} else {
		report_message(&r->report, &r->err, r->message);
		memcpy(r->event, r->message, sizeof(r->message));
	}
	/* The event comes without this context, as in the reference. */
	if (r->err.code == ERR_UNMANAGED)
		(void)err_wrap(&r->err, "failed update");
	report_message(&r->report, &r->err, r->message);
	return -1;
}

static bool
secret_absent(const struct run *r)
{
	struct index_record rec;

	return r->rc->secrets_synced &&
	    !index_get(r->cfg->secrets, r->key, &rec);
}

static int
produce(struct run *r)
{
	const struct unseal_options opt = {
		.accept_v1_data = r->cfg->accept_v1_data,
		.key_ns = r->cfg->key_ns,
	};
	AUTO_JSON json_t *desired = NULL;
	AUTO_JSON json_t *written = NULL;
	enum apply_outcome outcome;

	if (unseal(r->cfg->keys, r->obj, &opt, &r->rec.hint, &desired,
		&r->err) < 0)
		return unseal_failed(r);
	if (apply_secret(
		&(struct apply_request) {
		    .client = r->rc->client,
		    .key = r->key,
		    .owner_uid = r->ss.uid,
		    .desired = desired,
		    .key_ns = r->cfg->key_ns,
		    .absent = secret_absent(r),
		    .written = &written,
		},
		&outcome, &r->err) < 0)
		return apply_failed(r);
	r->written = outcome != APPLY_UNCHANGED;
	if (written != NULL && r->rc->secrets_synced)
		handlers_secret_written(r->cfg, r->key, written);
	return 0;
}

/* ---- telling ---- */

static enum report_status
write_status(struct run *r, struct err *err)
{
	const struct condition_outcome outcome = {
		.ok = r->err.code == ERR_NONE,
		.reason = condition_reason(&r->err),
		.message = r->message,
	};
	enum report_status st;

	if (!r->cfg->update_status)
		return REPORT_SAME;
	st = report_status(&r->report, &outcome, err);
	if (st != REPORT_NOWHERE && st != REPORT_FAILED)
		return st;
	/* Where it cannot land, once is enough. */
	if (err->code == ERR_CANCELLED ||
	    (st == REPORT_NOWHERE && r->rec.result == result_word(&r->err)))
		return st;
	count_error(r, "status");
	log_error("Error updating SealedSecret status", "sealed-secret",
	    r->text, "error", err->msg);
	return st;
}

/* An event tells of a change of outcome or content; a failure that is worth a
 * retry tells of each try (the recorder folds them). */
static void
send_event(struct run *r, enum report_status st)
{
	bool news = r->rec.result != result_word(&r->err);
	enum err_code before;

	/* What happened to the Secret is worth telling, an outcome that has
	 * been overtaken is not. */
	if (st == REPORT_SUPERSEDED && !r->written)
		return;
	if (r->err.code == ERR_NONE) {
		if (r->written || st == REPORT_WRITTEN ||
		    reconcile_failed(r->rec.result, &before))
			report_event(&r->report, "Normal", "Unsealed",
			    "SealedSecret unsealed successfully");
		return;
	}
	if (r->cfg->update_status && st != REPORT_NOWHERE)
		news = st != REPORT_SAME;
	if (news || err_retryable(&r->err))
		report_event(&r->report, "Warning", r->event_reason, r->event);
}

static void
note_result(const struct run *r)
{
	index_note(r->cfg->sealedsecrets, r->key, r->ss.uid, r->rec.hint,
	    result_word(&r->err), (uint64_t)r->ss.generation);
}

/* A key that came while this run looked for it in vain. */
static bool
keys_came(const struct run *r)
{
	return r->err.code == ERR_NOKEY &&
	    registry_generation(r->cfg->keys) != r->keys_generation;
}

static enum reconcile_next
judge(const struct run *r, enum report_status st)
{
	switch (st) {
	case REPORT_SUPERSEDED:
		return RECONCILE_AGAIN;
	case REPORT_FAILED:
		return RECONCILE_RETRY;
	case REPORT_SAME:
	case REPORT_WRITTEN:
	case REPORT_NOWHERE:
		break;
	}
	if (r->err.code == ERR_NONE)
		return st == REPORT_NOWHERE ? RECONCILE_RECHECK
					    : RECONCILE_DONE;
	if (keys_came(r))
		return RECONCILE_AGAIN;
	return err_retryable(&r->err) ? RECONCILE_RETRY : RECONCILE_RECHECK;
}

static void
tell(struct run *r, struct reconcile_result *ret)
{
	struct err status_err = ERR_INIT;
	enum report_status st = write_status(r, &status_err);

	if (status_err.code == ERR_CANCELLED)
		return;
	send_event(r, st);
	note_result(r);
	ret->repeated = r->rec.result == result_word(&r->err);
	ret->next = judge(r, st);
	ret->err = r->err;
	if (r->err.code == ERR_NONE && st == REPORT_FAILED) {
		ret->err = status_err;
		ret->logged = true;
	}
	if (!report_metric(&r->report, r->err.code == ERR_NONE))
		ret->next = RECONCILE_AGAIN;
}

static void
run(struct run *r, json_t *body, struct reconcile_result *ret)
{
	if (read_object(r, body) < 0) {
		handle_unread(r, ret);
		return;
	}
	/* On its way out: what is made now would only be collected, or hold up
	 * a deletion that waits for its dependents. */
	if (r->ss.deleting)
		return;
	log_info("Updating", "key", r->text);
	r->report = (struct report) {
		.cfg = r->cfg,
		.client = r->rc->client,
		.ss = &r->ss,
	};
	if (produce(r) < 0 && r->err.code == ERR_CANCELLED)
		return;
	tell(r, ret);
}

void
reconcile(const struct reconcile *rc, const struct objkey *key, json_t *body,
    struct reconcile_result *ret)
{
	struct run r = { .cfg = rc->cfg, .rc = rc, .key = key };

	*ret = (struct reconcile_result) { .next = RECONCILE_DONE };
	metrics_inc(rc->cfg->metrics, METRIC_UNSEAL_REQUESTS);
	objkey_text(key, r.text);
	(void)index_get(rc->cfg->sealedsecrets, key, &r.rec);
	r.keys_generation = registry_generation(rc->cfg->keys);
	run(&r, body, ret);
	json_decref(r.obj);
}
