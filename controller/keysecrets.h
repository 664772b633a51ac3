/*
 * Keystore backend on labelled Secrets of the key namespace, and the handler
 * of the stream that tells when they change. One thread reads them into the
 * registry, always as a whole list: the stream carries metadata only and says
 * no more than that it is time to read again.
 */
#ifndef CONTROLLER_KEYSECRETS_H
#define CONTROLLER_KEYSECRETS_H

#include <stdbool.h>

#include "base/compiler.h"
#include "cache/reflector.h"
#include "keystore/rotation.h"
#include "kube/client.h"
#include "kube/event.h"
#include "metrics/metrics.h"

struct keysecrets;

/* Label selector of key Secrets. */
extern const char keysecrets_selector[];
/* When the key was backed up, RFC 3339; any other text but "false" says that it
 * was. Set by hand, or by keysecrets_mark_backed_up(). */
#define KEYSECRETS_BACKED_UP "sealedsecrets.bitnami.com/backed-up"
/* The namespaces for which the key is; see keystore/nsrule.h. */
#define KEYSECRETS_NAMESPACES "sealedsecrets.bitnami.com/namespaces"
/* Between lists where watching them is refused. */
#define KEYSECRETS_POLL_MS 4000

struct keysecrets_config {
	struct kube_client *client; /* borrowed; used by one thread */
	struct metrics *metrics;
	const char *ns;		 /* key namespace */
	const char *prefix;	 /* also the legacy key's name */
	const char *labels;	 /* --privatekey-labels, validated */
	const char *annotations; /* --privatekey-annotations */
	bool order_by_creation;	 /* --key-order-priority */
	/* --key-activation-delay: a key is pending until it is so old or was
	 * backed up; 0: never. */
	int64_t activation_delay_s;
	struct event_recorder *events; /* borrowed; NULL: none */
	/* Whether this replica may write events now; NULL: always. */
	bool (*may_write)(void *ctx);
	/* Key Secrets are not what they were; on the stream's thread. */
	void (*changed)(void *ctx);
	void *ctx;
};

struct keysecrets *keysecrets_new(const struct keysecrets_config *cfg);
void keysecrets_free(struct keysecrets *ks);
/* load: lists labelled Secrets (and the legacy one), registers what is good,
 * skips what is not (with a log line and an event, once for each version of
 * the Secret), forgets what is gone. For one thread. */
struct keystore_backend keysecrets_backend(struct keysecrets *ks);
/*
 * A Warning event on the Secret of a key, once for each key and process: its
 * certificate serves and expires soon. For the same thread.
 */
void keysecrets_tell_expiry(
    struct keysecrets *ks, const struct registry_current *key, int64_t now_s);

/* A key that somebody has a copy of. */
struct keysecrets_copy {
	const char *name;	 /* of the Secret */
	const char *fingerprint; /* of the key that was copied */
};
/*
 * Notes at key Secrets that they were backed up now_s: each is read and written
 * back with its version, three times where others write too. Passed over: a
 * Secret that has gone or holds another key by now. Needs get and update on
 * secrets in the key namespace. What could be noted is; the first failure is
 * returned. From any thread that has a client of its own.
 */
int keysecrets_mark_backed_up(struct kube_client *client, const char *ns,
    const struct keysecrets_copy *copies, size_t n, int64_t now_s,
    struct err *err) MUST_CHECK;

/* The key in such a Secret, unless a SealedSecret produced it; ret is owned by
 * the caller. */
int keysecrets_read(
    const json_t *secret, struct keypair **ret, struct err *err) MUST_CHECK;
/* For a reflector of KUBE_SECRETS_META with the selector above. */
struct reflector_handler keysecrets_handler(struct keysecrets *ks);

DEFINE_AUTO(keysecrets);

#endif
