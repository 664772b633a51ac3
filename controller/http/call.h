/*
 * One request of the admin port whose sender may do what it asks for.
 */
#ifndef HTTP_CALL_H
#define HTTP_CALL_H

#include "head.h"
#include "http/admin.h"
#include "keystore/backup.h"
#include "limit.h"
#include "pool.h"
#include "reply.h"

#define CALL_ID_MAX 33 /* 128 bits in hex, NUL */

struct call {
	const struct admin_config *cfg;
	const struct backup_recipients *recipients; /* NULL: plain exports */
	struct limit *limit;
	const struct head *head;
	const struct pool *pool; /* NULL: none, in tests */
	const struct admin_user *user;
	char id[CALL_ID_MAX]; /* of the request */
	struct http_reply *reply;
};

/* A new request id. */
void call_id(char out[static CALL_ID_MAX]);
/* Writes down what is about to happen. False: it is not to happen, and reply is
 * the answer. */
bool call_audit(const struct call *c, struct admin_record *record);
/* "SHA256:...,SHA256:..." of [{"fingerprint"}], owned by the caller. */
char *call_fingerprints(const json_t *keys);

#endif
