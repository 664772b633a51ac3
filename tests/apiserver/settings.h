/*
 * What can be changed while the server runs. All functions may be called
 * from any thread.
 */
#ifndef APISERVER_SETTINGS_H
#define APISERVER_SETTINGS_H

#include "util.h"

struct settings {
	uint64_t max_page;	 /* 0: none */
	bool expired_as_http;	 /* watch: 410 as status, not as event */
	bool gc;		 /* the garbage collector runs */
	bool crd;		 /* SealedSecrets are known */
	bool schema;		 /* ... and held to their schema */
	int64_t bookmark_ms;	 /* between bookmarks */
	uint64_t continue_epoch; /* tokens of earlier epochs are expired */
	uint64_t bookmark_epoch; /* a bookmark is sent when it rises */
	uint64_t drop_epoch;	 /* watches end when it rises */
	bool drop_clean;	 /* ... with the closing chunk */
};

struct settings settings_get(void);
/* {"maxPage", "watchExpiredAs", "gc", "crd", "schema", "bookmarkMs"}; others
 * are ignored.
 */
void settings_apply(const json_t *change);
void settings_expire_continue(void);
void settings_bookmark(void);
void settings_drop_watches(bool clean);

/* Accepted tokens; none: every request is let in. */
void settings_set_tokens(const json_t *tokens);
bool settings_token_ok(const char *authorization);

/* Rules that refuse: [{"verb", "resource", "namespace", "name"}]. */
void settings_set_forbidden(const json_t *rules);
bool settings_forbidden(
    const char *verb, const char *resource, const char *ns, const char *name);

/* A rule's fields that are given must all be equal; "*" and none: any. */
bool settings_rule_matches(const json_t *rule, const char *verb,
    const char *resource, const char *ns, const char *name);

#endif
