/*
 * What the blocking transport and the mux share, but for curl itself: the
 * server, whom we trust there, and the heads of answers. Thread-confined.
 */
#ifndef KUBE_TARGET_H
#define KUBE_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "kube/config.h"

struct target {
	const struct kube_config *cfg; /* borrowed */
	char *base;		       /* what paths are appended to */
	char *connect_to;    /* NULL, or where connections really go */
	void *connect_list;  /* the same for curl, made by transport.c */
	struct buf ca;	     /* what is trusted now */
	uint64_t ca_seen_ms; /* when ca_stat was first seen */
	uint64_t ca_read_ms; /* when ca was last read */
	struct stat ca_stat; /* of the file ca was read from */
};

/* The head of an answer, line by line. */
struct target_head {
	int status;
	bool json;
	int retry_after_s; /* -1: none */
	size_t bytes;
	bool complete; /* the empty line was seen */
};

bool target_uses_tls(const struct kube_config *cfg);
void target_init(struct target *t, const struct kube_config *cfg);
void target_release(struct target *t);
/* Reads the CA file where it is another one than before. *changed: what is
 * trusted changed, connections made before must not be used again. A file that
 * cannot be read keeps what is known; -1 only where there is nothing yet. */
int target_refresh(struct target *t, bool *changed, struct err *err) MUST_CHECK;
/* One header line; false where there are too many. */
bool
target_head_line(struct target_head *h, const char *p, size_t len) MUST_CHECK;
void target_head_reset(struct target_head *h);

struct target_field {
	const char *name, *value;
	size_t name_len, value_len;
};
/* A header line taken apart, value without white space around it. False: it is
 * none (status line, end of the head). */
bool target_head_field(const char *p, size_t len, struct target_field *ret);

#endif
