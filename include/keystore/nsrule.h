/*
 * The namespaces in which a key may open: the text of an annotation of its
 * Secret, read and judged. Pure. A rule is either
 *
 *	a list of names		team-a, team-b
 *	a label selector	env=prod,tier in (a,b),!legacy
 *
 * told apart by the characters "=", "!" and "(". Inside a selector all
 * requirements must hold, with Kubernetes' meaning; that a label merely exists
 * cannot be asked for, because a word alone is a name. Whatever cannot be read
 * is refused, and the caller uses nsrule_none() instead: closed, not open.
 * Immutable, reference-counted (atomic).
 */
#ifndef KEYSTORE_NSRULE_H
#define KEYSTORE_NSRULE_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/err.h"

struct nsrule;

#define NSRULE_TEXT_MAX	 4096
#define NSRULE_TERMS_MAX 256 /* names, or requirements with their values */

int
nsrule_parse(const char *text, struct nsrule **ret, struct err *err) MUST_CHECK;
/* One that allows no namespace, for a text that cannot be read. */
struct nsrule *nsrule_none(const char *text);
struct nsrule *nsrule_ref(struct nsrule *rule);
void nsrule_free(struct nsrule *rule); /* drops one reference */

/* As it was written, cut at NSRULE_TEXT_MAX. Borrowed. */
const char *nsrule_text(const struct nsrule *rule);
/* Whether the labels of the namespace decide. */
bool nsrule_by_labels(const struct nsrule *rule);
/* A list of names: whether it holds this one. False for a selector. */
bool nsrule_has_name(const struct nsrule *rule, const char *ns);
/* A selector: whether it accepts these labels; label() gives the value of one,
 * NULL where there is none. False for a list of names. */
bool nsrule_accepts(const struct nsrule *rule,
    const char *(*label)(const void *ctx, const char *key), const void *ctx);

DEFINE_AUTO(nsrule);

#endif
