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
#include "cache/ratelimit.h"
#include "handlers.h"
#include "report.h"
#include "sealedsecret.h"
#include "sealedsecret/unseal.h"
#include "shape.h"

/* So long without a repair, beyond twice the wait, and the count begins
 * anew. */
#define REPAIRS_FORGOTTEN_MS (UINT64_C(60) * 1000)

/* What was cancelled is looked at again after this. */
#define CANCELLED_MS 1000

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
	bool applied;	   /* this very spec and scope were, by a run before */
	int64_t applied_s; /* and held then; 0: not known */
	bool lacking;	/* the status lacks what the reference does not write */
	bool permanent; /* only a change cures the failure */
	uint64_t digest; /* of obj */
	struct apply_result result;
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

/* Stopped from outside: no outcome, and still to be done where the program
 * goes on, as a replica that leads no more and may lead again. */
static void
put_off(struct reconcile_result *ret)
{
	ret->next = RECONCILE_LATER;
	ret->delay_ms = CANCELLED_MS;
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
	if (ret->err.code == ERR_CANCELLED)
		put_off(ret);
}

static void
handle_unread(struct run *r, struct reconcile_result *ret)
{
	if (r->err.code == ERR_NOTFOUND) {
		handle_gone(r, ret);
		return;
	}
	if (r->err.code == ERR_CANCELLED) {
		put_off(ret);
		return;
	}
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
	r->permanent = !err_retryable(&r->err);
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
	/* A foreign Secret stays in the way until somebody does something. */
	r->permanent = !err_retryable(&r->err) ||
	    (r->err.code == ERR_UNMANAGED && !r->result.collectable);
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

/* ---- drift ---- */

static uint32_t
now_s(const struct run *r)
{
	return (uint32_t)(clock_mono_ms(r->cfg->clock) / 1000);
}

/* Repairs in a row that still count. */
static uint32_t
recent_repairs(const struct run *r)
{
	uint64_t wait;

	if (r->rec.repairs == 0)
		return 0;
	wait = ratelimit_repair_ms(r->rec.repairs);
	if ((uint64_t)(now_s(r) - r->rec.repaired_s) * 1000 >
	    2 * wait + REPAIRS_FORGOTTEN_MS)
		return 0;
	return r->rec.repairs;
}

/* Milliseconds until the Secret may be put right again. */
static uint64_t
repair_wait_ms(const struct run *r)
{
	uint32_t n = recent_repairs(r);
	uint64_t due, now = clock_mono_ms(r->cfg->clock);

	if (n == 0)
		return 0;
	due = (uint64_t)r->rec.repaired_s * 1000 + ratelimit_repair_ms(n);
	return due > now ? due - now : 0;
}

static enum drift_mode
drift_mode_of(const struct controller_config *cfg, uint32_t state)
{
	return (state & SEALED_IGNORE_DRIFT) != 0 ? DRIFT_OFF : cfg->drift;
}

/* This generation and scope were applied, as a run of this process knows, or
 * as the status has it where there has been none. */
static bool
was_applied(const struct run *r, uint32_t state)
{
	if (r->rec.applied != 0)
		return r->rec.applied == r->digest;
	return r->rec.result == 0 && (state & SEALED_SETTLED) != 0;
}

/* When was_applied() held last: a failed run keeps it, for the status tells of
 * the failure from then on. */
static int64_t
last_applied_s(const struct run *r, uint32_t state)
{
	if (!r->applied)
		return 0;
	if (r->rec.applied_s != 0)
		return r->rec.applied_s;
	return (state & SEALED_SETTLED) != 0 ? condition_written_s(r->obj) : 0;
}

/* Items that are rendered, so that a second time may give another text. */
static json_t *
rendered_items(const json_t *obj)
{
	const json_t *texts =
	    jsonx_object(obj, "spec", "template", "data", NULL);
	const json_t *sealed = jsonx_object(obj, "spec", "encryptedData", NULL);
	json_t *names = json_object();
	const char *k;
	json_t *v;

	json_object_foreach((json_t *)texts, k, v)
	{
		if (json_object_get(sealed, k) == NULL)
			jsonx_set(names, k, json_true());
	}
	return names;
}

static void
count_repair(struct run *r)
{
	bool repaired = r->result.outcome == APPLY_REPAIRED;
	/* Whoever deletes it again and again is not fought with either. */
	bool made_again = r->applied && r->result.outcome == APPLY_CREATED;

	if (repaired || r->result.outcome == APPLY_DRIFTED)
		metrics_inc(r->cfg->metrics, METRIC_DRIFT,
		    repaired ? "repaired" : "detected");
	if (repaired || made_again)
		(void)index_note_repair(r->cfg->sealedsecrets, r->key,
		    r->ss.uid, recent_repairs(r) + 1, now_s(r));
}

static void
report_drift(struct run *r)
{
	const char *other = r->result.other;
	bool repaired = r->result.outcome == APPLY_REPAIRED;

	(void)snprintf(r->event, sizeof(r->event),
	    "The Secret was changed%s%s: %s; %s",
	    other[0] != '\0' ? " by " : "", other, r->result.drift,
	    repaired ? "it was put right" : "it was left as it is");
	/* What is left is found again after a restart. */
	if (repaired)
		report_event(&r->report, "Warning", "Drifted", r->event);
	else
		report_event_once(
		    &r->report, "Warning", "Drifted", r->event, r->result.seen);
}

/* ---- the Secret ---- */

static bool
secret_absent(const struct run *r)
{
	return r->rc->secrets_synced &&
	    !index_get(r->cfg->secrets, r->key, NULL);
}

static int
apply(struct run *r, const json_t *desired, uint32_t state, json_t **written)
{
	AUTO_JSON json_t *rendered = rendered_items(r->obj);
	struct index_record secret;
	char id[INDEX_UID_MAX];
	bool known;

	index_copy_id(id, sizeof(id), r->ss.uid);
	known = index_get(r->cfg->secrets, r->key, &secret) &&
	    secret.note == hash_str(id);
	/* From here on the watch may tell of what others did to it. */
	(void)index_note_marks(r->cfg->sealedsecrets, r->key, r->ss.uid,
	    RECONCILE_MARK_WRITING, 0);
	return apply_secret(
	    &(struct apply_request) {
		.client = r->rc->client,
		.key = r->key,
		.owner_uid = r->ss.uid,
		.desired = desired,
		.key_ns = r->cfg->key_ns,
		.allowed_types = r->cfg->allowed_types,
		.absent = secret_absent(r),
		.applied = r->applied,
		.applied_s = r->applied_s,
		.drift = drift_mode_of(r->cfg, state),
		.rendered = rendered,
		.made_uid = known ? secret.uid : NULL,
		.written = written,
	    },
	    &r->result, &r->err);
}

/* Whatever came of it, which keys opened what is known now. */
static void
note_uses(const struct run *r, const struct registry_uses *uses)
{
	if (uses->n > 0)
		handlers_note_uses(r->cfg, r->key, r->ss.uid, r->digest, uses);
}

static int
produce(struct run *r)
{
	AUTO_RELEASE(registry_uses) struct registry_uses uses = { .n = 0 };
	const struct unseal_options opt = {
		.accept_v1_data = r->cfg->accept_v1_data,
		.key_ns = r->cfg->key_ns,
		.allowed_types = r->cfg->allowed_types,
		.uses = &uses,
	};
	AUTO_JSON json_t *desired = NULL;
	AUTO_JSON json_t *written = NULL;
	struct index_record now = { .state = 0 };
	int rc;

	shape_of_sealed(r->obj, &now);
	r->digest = sealedsecret_digest(r->obj);
	r->applied = was_applied(r, now.state);
	r->applied_s = last_applied_s(r, now.state);
	rc =
	    unseal(r->cfg->keys, r->obj, &opt, &r->rec.hint, &desired, &r->err);
	note_uses(r, &uses);
	if (rc < 0)
		return unseal_failed(r);
	if (apply(r, desired, now.state, &written) < 0)
		return apply_failed(r);
	r->written = r->result.outcome == APPLY_CREATED ||
	    r->result.outcome == APPLY_UPDATED ||
	    r->result.outcome == APPLY_REPAIRED;
	count_repair(r);
	if (written != NULL && r->rc->secrets_synced)
		handlers_secret_written(r->cfg, r->key, written);
	return 0;
}

/* ---- telling ---- */

/* After a switch from the reference every status lacks what we add; that alone
 * is written in its turn. */
static bool
is_early(const struct run *r)
{
	return r->lacking && !r->written &&
	    (r->rec.marks & RECONCILE_MARK_PACED) == 0;
}

static enum report_status
write_status(struct run *r, struct err *err)
{
	const struct condition_outcome outcome = {
		.ok = r->err.code == ERR_NONE,
		.permanent = r->permanent,
		.reason = r->err.code == ERR_NONE
		    ? condition_success(r->ss.scope)
		    : condition_reason(&r->err),
		.message = r->message,
	};
	enum report_status st;

	if (!r->cfg->update_status)
		return REPORT_SAME;
	r->lacking = outcome.ok && condition_says_enough(r->obj, &outcome);
	if (is_early(r))
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
	if (r->result.drift[0] != '\0' && r->err.code == ERR_NONE) {
		report_drift(r);
		return;
	}
	if (r->err.code == ERR_NONE) {
		if (r->written || (st == REPORT_WRITTEN && !r->lacking) ||
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
	struct index *ix = r->cfg->sealedsecrets;
	uint64_t applied = r->rec.applied;
	int64_t at_s = r->rec.applied_s;

	if (r->err.code == ERR_NONE || r->applied) {
		applied = r->digest;
		at_s = r->err.code == ERR_NONE ? clock_wall_s(r->cfg->clock)
					       : r->applied_s;
	}
	(void)index_note_applied(
	    ix, r->key, r->ss.uid, applied, (uint32_t)at_s, r->result.print);
	(void)index_note(ix, r->key, r->ss.uid, r->rec.hint,
	    result_word(&r->err), (uint64_t)r->ss.generation);
	(void)index_note_marks(
	    ix, r->key, r->ss.uid, 0, RECONCILE_MARK_WRITING);
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
pace(const struct controller_config *cfg, const struct objkey *key,
    const char *uid, struct reconcile_result *ret)
{
	(void)index_note_marks(
	    cfg->sealedsecrets, key, uid, RECONCILE_MARK_PACED, 0);
	ret->next = RECONCILE_PACED;
}

static void
tell(struct run *r, struct reconcile_result *ret)
{
	struct err status_err = ERR_INIT;
	enum report_status st = write_status(r, &status_err);

	if (status_err.code == ERR_CANCELLED) {
		put_off(ret);
		return;
	}
	send_event(r, st);
	note_result(r);
	ret->repeated = r->rec.result == result_word(&r->err);
	ret->next = judge(r, st);
	if (is_early(r))
		pace(r->cfg, r->key, r->ss.uid, ret);
	ret->err = r->err;
	if (r->err.code == ERR_NONE && st == REPORT_FAILED) {
		ret->err = status_err;
		ret->logged = true;
	}
	if (!report_metric(&r->report, r->err.code == ERR_NONE))
		ret->next = RECONCILE_AGAIN;
}

/* ---- from records alone ---- */

static bool
looks_right(const struct run *r, const struct index_record *secret)
{
	if (drift_mode_of(r->cfg, r->rec.state) == DRIFT_OFF)
		return shape_owner_fits(&r->rec, secret);
	return shape_fits(&r->rec, secret) ||
	    (r->rec.accepted != 0 && r->rec.accepted == shape_print(secret));
}

/* What the index holds of the object was applied, by a run of this process or
 * of one before, as the status says. */
static bool
record_applied(const struct run *r)
{
	if (reconcile_succeeded(r->rec.result))
		return r->rec.note == (uint64_t)r->rec.generation &&
		    r->rec.applied == r->rec.digest;
	return r->rec.result == 0 &&
	    (r->rec.state & (SEALED_SETTLED | SEALED_EXTEND)) != 0;
}

static void
note_quiet(const struct run *r)
{
	struct index *ix = r->cfg->sealedsecrets;

	(void)index_note_applied(ix, r->key, r->rec.uid, r->rec.digest,
	    r->rec.applied_s, r->rec.accepted);
	(void)index_note(ix, r->key, r->rec.uid, r->rec.hint, RESULT_OK,
	    (uint64_t)r->rec.generation);
}

/* What the Secret looks like: from the index, or where none is kept by asking
 * for its metadata. Whatever is wrong with it, a run will find out. */
static bool
look_at_secret(const struct run *r, struct index_record *ret)
{
	AUTO_JSON json_t *live = NULL;
	struct err err = ERR_INIT;

	if (r->rc->secrets_synced)
		return index_get(r->cfg->secrets, r->key, ret);
	if (kube_get(r->rc->client, &KUBE_SECRETS_META, r->key, &live, &err) <
	    0)
		return false;
	*ret = (struct index_record) { .flags = 0 };
	shape_of_secret(live, ret);
	return true;
}

/*
 * The usual case after a start: status and Secret are as they should be. True
 * where nothing has to be done, or not now.
 */
static bool
settle_quietly(const struct run *r, struct reconcile_result *ret)
{
	struct index_record secret;

	if (!record_applied(r))
		return false;
	if (!look_at_secret(r, &secret) || !looks_right(r, &secret)) {
		ret->delay_ms = repair_wait_ms(r);
		if (ret->delay_ms > 0)
			ret->next = RECONCILE_LATER;
		return ret->delay_ms > 0;
	}
	if ((r->rec.state & SEALED_SETTLED) != 0) {
		note_quiet(r);
		return true;
	}
	if ((r->rec.state & SEALED_EXTEND) == 0 ||
	    (r->rec.marks & RECONCILE_MARK_PACED) != 0)
		return false;
	note_quiet(r);
	pace(r->cfg, r->key, r->rec.uid, ret);
	return true;
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
		put_off(ret);
	else
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
	if (settle_quietly(&r, ret)) {
		json_decref(body);
		return;
	}
	run(&r, body, ret);
	json_decref(r.obj);
}
