/*
 * Desired Secret against live Secret: may we touch it, and what would it be?
 * Pure. See the branch table in controller/sealedsecret/README.md.
 */
#ifndef SEALEDSECRET_MERGE_H
#define SEALEDSECRET_MERGE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/compiler.h"
#include "base/err.h"

/* Controlled by this UID, or annotated managed or patch. Otherwise
 * ERR_UNMANAGED with the reference's text. */
int merge_check_owner(
    const json_t *live, const char *owner_uid, struct err *err) MUST_CHECK;
/*
 * The Secret to PUT (owned by the caller, with the live resourceVersion), or
 * NULL in *ret where it would equal the live one.
 */
int merge_secret(const json_t *live, const json_t *desired, json_t **ret,
    struct err *err) MUST_CHECK;
/*
 * The same where what is asked for was applied before, so that a difference is
 * somebody else's doing: labels and annotations that others added stay, and
 * the items named in rendered (an object; NULL: none) are left as they are
 * where nobody else has touched them, because rendering them again may give
 * another text.
 */
int merge_repair(const json_t *live, const json_t *desired,
    const json_t *rendered, json_t **ret, struct err *err) MUST_CHECK;
#define MERGE_TEXT_MAX 512
/* What next changes in live, for people: "data (a, b), labels (c)". Names
 * only; cut where there are many. */
void merge_describe(
    const json_t *live, const json_t *next, char out[static MERGE_TEXT_MAX]);
/* Annotation is exactly "true". */
bool merge_annotated(const json_t *obj, const char *annotation);
/* UID of the controller reference, or NULL. Borrowed. */
const char *merge_controller_uid(const json_t *obj);
/* The controller reference names a SealedSecret of this name, whatever its
 * UID: one that was deleted and made again included. */
bool merge_controlled_by_name(const json_t *obj, const char *name);

#endif
