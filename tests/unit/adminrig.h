/*
 * An admin_backend that a test steers, and keys for it.
 */
#ifndef TESTS_UNIT_ADMINRIG_H
#define TESTS_UNIT_ADMINRIG_H

#include <jansson.h>

#include "controller/http/call.h"
#include "keystore/keypair.h"

#define ADMINRIG_NS    "kube-system"
#define ADMINRIG_TOKEN "good.token"
#define ADMINRIG_LABEL "sealedsecrets.bitnami.com/sealed-secrets-key"

struct adminrig {
	struct admin_backend backend;
	struct registry *keys; /* created ones enter it; NULL: do not */
	json_t *live;	       /* what secrets() gives */
	enum err_code token_fails, access_fails, audit_fails, secrets_fails;
	enum err_code dry_run_fails, create_fails;
	unsigned create_fails_at; /* the nth create alone, from 1; 0: all */
	unsigned reviews, accesses, audits, dry_runs, creates, exports;
	/* Is live from the second secrets() on; owned by the rig. */
	json_t *appears;
	const char *appears_as; /* its fingerprint */
	enum admin_action asked;
	json_t *created;     /* names, in order */
	json_t *told;	     /* what exported() was told */
	char recorded[2048]; /* of the last audit */
	/* What the calls were, in order: "audit create create". */
	char story[512];
};

void adminrig_init(struct adminrig *r);
void adminrig_release(struct adminrig *r);

/* A key Secret as the API gives it, server-set fields included. */
json_t *adminrig_secret(const char *name, const struct keypair *kp);
/* Adds it to what is live. */
void
adminrig_put(struct adminrig *r, const char *name, const struct keypair *kp);
/* A plain backup of these, owned by the caller; names ends with NULL. */
char *adminrig_backup(const char *const names[], struct keypair *const keys[]);

/* A request with "Bearer " and this token (NULL: none) from this address. */
void adminrig_head(struct head *h, const char *token, const char *peer);
void adminrig_head_release(struct head *h);

#endif
