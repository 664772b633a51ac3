/*
 * What a task may look at of its request's head: method, arguments of the
 * query, who sent it, and, where it wants them, its credentials.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <stdbool.h>

#include "base/secret.h"

#define HEAD_METHOD_MAX 16
#define HEAD_PEER_MAX	48
#define HEAD_ARGS_MAX	4
#define HEAD_ARG_MAX	32

struct head_arg {
	char name[HEAD_ARG_MAX], value[HEAD_ARG_MAX];
};

struct head {
	char method[HEAD_METHOD_MAX]; /* cut where longer */
	char peer[HEAD_PEER_MAX];     /* address alone: "10.0.0.7", "fd00::1" */
	/* The first X-Forwarded-For, "" where absent. The library's; lives as
	 * long as the request. */
	const char *forwarded_for;
	struct head_arg args[HEAD_ARGS_MAX]; /* as they came, not decoded */
	unsigned nargs;
	bool odd_args;		      /* more, or longer ones */
	struct secret *authorization; /* the field's value; NULL: none */
	unsigned authorizations;      /* fields of that name */
};

struct MHD_Connection;

/* Without credentials their fields are not even counted. */
struct head *
head_new(struct MHD_Connection *mc, const char *method, bool credentials);
void head_free(struct head *h); /* wipes */

DEFINE_AUTO(head);

#endif
