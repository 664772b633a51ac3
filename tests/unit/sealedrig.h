/*
 * What the tests of controller/sealedsecret/ share: a key, an API server in
 * memory, a controller over both, and SealedSecrets sealed to that key.
 */
#ifndef TESTS_UNIT_SEALEDRIG_H
#define TESTS_UNIT_SEALEDRIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/codec.h"
#include "base/jsonx.h"
#include "base/mem.h"
#include "fakeclock.h"
#include "fakekube.h"
#include "jsontext.h"
#include "keystore/keypair.h"
#include "keystore/registry.h"
#include "keystore/seal.h"
#include "quiet.h"
#include "sealedsecret/controller.h"
#include "sealedsecret/scope.h"
#include "tests/lib/keyring.h"
#include "vectors.h"

#define RIG_NS	 "demo"
#define RIG_NAME "foo"
#define RIG_UID	 "uid-of-foo"
/* As ssh-keygen -l has it of tests/vectors/keys/rsa2048. */
#define RIG_KEY "SHA256:HLnf+/YPPA1k3VC4k7L2nC5EgG2w4k4BIUBAg0+WSEg"

struct rig {
	struct fakeclock fc;
	struct clock clock;
	struct fakekube *kube; /* objects */
	struct fakekube *sink; /* events */
	struct kube_client client, sink_client;
	struct event_recorder *events;
	struct registry *keys;
	struct keypair *kp;
	struct workqueue *queue;
	struct index *sealedsecrets, *secrets;
	struct metrics *metrics;
	struct controller_config cfg;
	struct objkey key;
};

/* value sealed under kp with this label, in base64. */
static inline json_t *
rig_seal(const struct keypair *kp, const char *label, const char *value)
{
	AUTO_RELEASE(buf) struct buf blob = BUF_INIT(SEAL_BLOB_MAX);
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(2 * SEAL_BLOB_MAX);
	struct err err = ERR_INIT;

	if (seal_encrypt(kp, label, strlen(label), value, strlen(value), &blob,
		&err) < 0 ||
	    base64_encode(buf_str(&blob), blob.len, &text, &err) < 0)
		fail_msg("seal: %s", err.msg);
	return jsonx_strn(buf_str(&text), text.len);
}

/* A SealedSecret demo/foo with one item "k". */
static inline json_t *
rig_sealed(const struct rig *r, const char *value)
{
	return json_pack("{s:s,s:s,s:{s:s,s:s,s:s},s:{s:{s:o},s:{s:{}}}}",
	    "apiVersion", "bitnami.com/v1alpha1", "kind", "SealedSecret",
	    "metadata", "name", RIG_NAME, "namespace", RIG_NS, "uid", RIG_UID,
	    "spec", "encryptedData", "k",
	    rig_seal(r->kp, RIG_NS "/" RIG_NAME, value), "template",
	    "metadata");
}

static inline void
rig_init(struct rig *r)
{
	struct err err = ERR_INIT;

	quiet_log();
	memset(r, 0, sizeof(*r));
	fakeclock_init(&r->fc);
	r->clock = fakeclock_clock(&r->fc);
	r->kube = fakekube_new();
	r->sink = fakekube_new();
	r->client.transport = fakekube_transport(r->kube);
	r->sink_client.transport = fakekube_transport(r->sink);
	r->metrics = metrics_new("test");
	r->events = event_recorder_new(
	    &r->sink_client, "sealed-secrets", &r->clock, r->metrics);
	r->keys = registry_new(&r->clock);
	r->kp = vectors_key("rsa2048", "pkcs1");
	assert_int_equal(keyring_add(r->keys, "key", r->kp, 1, &err), 0);
	r->queue = workqueue_new(&r->clock);
	r->sealedsecrets = index_new();
	r->secrets = index_new();
	assert_int_equal(objkey_set(&r->key, RIG_NS, RIG_NAME, &err), 0);
	r->cfg = (struct controller_config) {
		.keys = r->keys,
		.queue = r->queue,
		.sealedsecrets = r->sealedsecrets,
		.secrets = r->secrets,
		.events = r->events,
		.metrics = r->metrics,
		.clock = &r->clock,
		.key_ns = "kube-system",
		.max_unseal_retries = 5,
		.accept_v1_data = true,
		.update_status = true,
	};
}

static inline void
rig_release(struct rig *r)
{
	workqueue_free(r->queue);
	index_free(r->sealedsecrets);
	index_free(r->secrets);
	event_recorder_free(r->events);
	registry_free(r->keys);
	keypair_free(r->kp);
	metrics_free(r->metrics);
	fakekube_free(r->kube);
	fakekube_free(r->sink);
}

/* ---- what a reflector and a worker do ---- */

/* A list, or a watch, tells of obj. */
static inline void
rig_tell(const struct reflector_handler *h, struct index *ix, json_t *obj,
    enum reflector_via via)
{
	struct index_record now = { 0 }, old;
	struct objkey key;
	struct err err = ERR_INIT;
	bool had;

	assert_int_equal(objkey_of(obj, &key, &err), 0);
	assert_true(h->reduce(h->ctx, obj, &now));
	had = index_put(ix, &key, &now, 1, &old);
	if (had)
		index_keep_notes(&now, &old);
	h->changed(h->ctx, &key, had ? &old : NULL, &now, obj, via);
}

/* Works on whatever is ready; returns how often that was. */
static inline unsigned
rig_work_all(struct rig *r, struct controller *c)
{
	struct objkey key;
	json_t *body;
	unsigned n = 0;

	for (; workqueue_try_get(r->queue, &key, &body); n++) {
		controller_process(c, &r->client, &key, body);
		workqueue_done(r->queue, &key);
	}
	return n;
}

/* ---- what came of it ---- */

static inline json_t *
rig_secret(const struct rig *r)
{
	return fakekube_get(r->kube, "secrets", RIG_NS, RIG_NAME);
}

static inline json_t *
rig_stored(const struct rig *r)
{
	return fakekube_get(r->kube, "sealedsecrets", RIG_NS, RIG_NAME);
}

/* The stored condition's member; "" where there is none. */
static inline void
rig_condition(const struct rig *r, const char *member, char *out, size_t size)
{
	AUTO_JSON json_t *obj = rig_stored(r);
	json_t *list = jsonx_array(obj, "status", "conditions", NULL);
	const char *s = jsonx_str(json_array_get(list, 0), member, NULL);

	snprintf(out, size, "%s", s != NULL ? s : "");
}

static inline void
rig_expect_condition(
    const struct rig *r, const char *status, const char *message)
{
	char got[2048];

	rig_condition(r, "status", got, sizeof(got));
	assert_string_equal(got, status);
	rig_condition(r, "message", got, sizeof(got));
	assert_string_equal(got, message);
}

/* Value of item k of the Secret, decoded; "" where there is none. */
static inline void
rig_expect_value(const struct rig *r, const char *want)
{
	AUTO_JSON json_t *secret = rig_secret(r);
	const char *text = jsonx_str(secret, "data", "k", NULL);
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(65536);
	struct err err = ERR_INIT;

	if (text != NULL)
		assert_int_equal(
		    base64_decode(text, strlen(text), &b, &err), 0);
	assert_string_equal(buf_str(&b), want);
}

/* Sends what waits; returns the sum of the counts of events of this reason
 * whose message begins so. */
static inline int64_t
rig_events(const struct rig *r, const char *reason, const char *message)
{
	AUTO_JSON json_t *all = NULL;
	int64_t n = 0;
	json_t *e;
	size_t i;

	while (event_recorder_pump(r->events) > 0)
		continue;
	all = fakekube_all(r->sink, "events");
	json_array_foreach(all, i, e)
	{
		const char *re = jsonx_str(e, "reason", NULL);
		const char *m = jsonx_str(e, "message", NULL);

		if ((reason == NULL || strcmp(re, reason) == 0) &&
		    (message == NULL ||
			strncmp(m, message, strlen(message)) == 0))
			n += jsonx_int(e, "count", NULL);
	}
	return n;
}

#endif
