/*
 * The admin listener, off by default: keys are listed, exported and restored
 * by whoever may read or create the key Secrets anyway.
 *
 *	GET  /v1/keys			what there is; nothing private
 *	POST /v1/keys/export		a backup, plain or encrypted
 *	POST /v1/keys/restore[?dryRun=true]
 *
 * TLS only. Each request carries a bearer token, which the API server judges
 * (TokenReview with an audience of our own), and what its owner may do is asked
 * there too (SubjectAccessReview), every time. What goes wrong on the way
 * denies. This component speaks to the API server through struct
 * admin_backend alone.
 */
#ifndef HTTP_ADMIN_H
#define HTTP_ADMIN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/secret.h"
#include "http/server.h"
#include "keystore/registry.h"
#include "metrics/metrics.h"

/* Who sends a request, as the API server knows him. */
struct admin_user {
	json_t *info; /* the review's user: name, uid, groups, extra */
	const char *name, *uid; /* in info; "" where there is none */
};

void admin_user_release(struct admin_user *u);
DEFINE_AUTO_RELEASE(admin_user);

enum admin_action { ADMIN_LIST, ADMIN_EXPORT, ADMIN_RESTORE };

/* What is written down before a key leaves, or before one is created. */
struct admin_record {
	const char *action; /* "export", "restore" */
	const struct admin_user *user;
	const char *source;	  /* address */
	const char *request_id;	  /* as the answer says */
	const char *fingerprints; /* separated by commas; "" for none */
	const char *form;	  /* "plain", "encrypted", ... */
	const char *object;	  /* name of a key Secret concerned */
	size_t keys;
};

/* All on one thread of the listener. */
struct admin_backend {
	void *ctx;
	/* ERR_UNAUTHORIZED: not a token, not ours, expired. Any other failure:
	 * could not be judged. */
	int (*review_token)(void *ctx, const struct secret *token,
	    struct admin_user *ret, struct err *err);
	/* ERR_FORBIDDEN: he may not. */
	int (*review_access)(void *ctx, const struct admin_user *user,
	    enum admin_action action, struct err *err);
	/* 0: it is stored in the cluster, in the log and in the metrics. */
	int (*audit)(
	    void *ctx, const struct admin_record *record, struct err *err);
	/* The labelled Secrets of the key namespace, an array of {"name",
	 * "fingerprint", "secret"}, the second one only where it holds a usable
	 * key; owned by the caller. */
	int (*secrets)(void *ctx, json_t **ret, struct err *err);
	/* POST and nothing else, into the key namespace, whatever the Secret
	 * says. ERR_EXISTS: the name is taken. */
	int (*create)(
	    void *ctx, const json_t *secret, bool dry_run, struct err *err);
	/* A backup with these keys has gone out whole: as from secrets(), but
	 * without the Secrets. Logs by itself where that cannot be noted. */
	void (*exported)(void *ctx, const json_t *keys);
};

struct admin_config {
	const char *listen_addr;
	const char *cert_file, *key_file;
	const char *recipients_file; /* "": plain exports */
	const char *ns;		     /* key namespace */
	struct registry *keys;
	struct metrics *metrics;
	struct admin_backend backend;
	/* How long a restore waits for the registry to take its keys up. */
	uint64_t settle_ms;
};

/* Borrows all that cfg points to. ERR_INVALID: a file, which the text names;
 * ERR_IO: the address cannot be bound. Ends with http_server_stop(). */
int http_admin_start(const struct admin_config *cfg, struct http_server **ret,
    struct err *err) MUST_CHECK;

#endif
