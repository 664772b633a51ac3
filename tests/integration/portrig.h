/*
 * The admin port of the whole program: its certificate, and a service account
 * that asks there and may all of it at first.
 */
#ifndef INTEGRATION_PORTRIG_H
#define INTEGRATION_PORTRIG_H

#include "harness.h"

#define PORTRIG_AUDIENCE "sealed-secrets-admin"
#define PORTRIG_USER	 "system:serviceaccount:kube-system:operator"
#define PORTRIG_ON	 "--admin-listen-addr=127.0.0.1:0"
/* What the log says of the port, before its address. */
#define PORTRIG_SERVING "\"HTTPS admin server serving\" addr="

struct portrig {
	struct harness *h;
	char *ca, *cert, *key; /* files */
	char *cert_flag, *key_flag;
	char *addr; /* of the port that was waited for last */
};

/* The API server with the account, and the files. */
void portrig_init(struct portrig *r);
/* Ends the harness too; returns what harness_end() does. */
int portrig_end(struct portrig *r);

/* Starts the controller with the port and up to four more flags (NULL: none),
 * until it is ready and the port is known. */
void portrig_start(struct portrig *r, const char *const more[]);
/* Another controller of that kind beside it, whose port is known then. */
struct proc *portrig_spawn(struct portrig *r, const char *const more[]);

/* What the account may do with Secrets, words apart by blanks. */
void portrig_allow(struct portrig *r, const char *verbs);
/* A token of the account, owned by the caller. */
char *portrig_token(struct portrig *r, const char *audience);

#endif
