/*
 * Go's package net/url: Parse and URL.String.
 */
#ifndef TMPL_URL_H
#define TMPL_URL_H

#include "str.h"
#include "text.h"

/* Unescaped, but for query and opaque. */
struct url {
	struct str scheme;
	struct str opaque;
	struct str host; /* with the port */
	struct str path;
	struct str query;
	struct str fragment;
	struct str user;
	struct str password;
	bool has_user;
	bool has_password;
};

/* -1: *why is Go's text behind "parse URL: ", or NULL where the budget is used
 * up. Strings lie in s or in the arena. */
int url_parse(
    struct env *e, struct str s, struct url *ret, const char **why) MUST_CHECK;
/* Without the port and the brackets. */
struct str url_hostname(const struct url *u);
/* Userinfo.String: nothing where there is none. */
void url_put_user(struct text *out, const struct url *u);
void url_put(struct text *out, const struct url *u);

#endif
