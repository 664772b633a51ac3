/*
 * The status of a SealedSecret after a run. Pure: builds the object to PUT to
 * the status subresource, or says that nothing needs to be written.
 */
#ifndef SEALEDSECRET_CONDITION_H
#define SEALEDSECRET_CONDITION_H

#include <jansson.h>
#include <stdint.h>

#include "base/err.h"
#include "sealedsecret/scope.h"

struct condition_outcome {
	bool ok;
	bool permanent;	     /* not ok, and only a change helps */
	const char *reason;  /* CamelCase, e.g. "Unsealed", "DecryptFailed" */
	const char *message; /* "" on success */
};

/*
 * A copy of the object with the new status (owned by the caller), or NULL
 * where everything of it already says so. Synced stays at index 0 where we
 * create it, Ready mirrors it behind, Stalled is there while the failure is
 * permanent; other conditions are kept.
 */
json_t *condition_apply(const json_t *sealedsecret,
    const struct condition_outcome *outcome, int64_t now_s);
/*
 * The status already says what the reference would have it say; it lacks only
 * what we add: a reason, Ready, Stalled.
 */
bool condition_says_enough(
    const json_t *sealedsecret, const struct condition_outcome *outcome);

/* What a status tells of the last run. */
enum condition_standing {
	CONDITION_OPEN,	   /* a run is due: failed, or out of date */
	CONDITION_EXTEND,  /* success, but not written by this version */
	CONDITION_SETTLED, /* success for this generation and scope */
};
enum condition_standing
condition_standing(const json_t *sealedsecret, enum scope scope);
/* When Synced was written last, Unix seconds; 0: not known. */
int64_t condition_written_s(const json_t *sealedsecret);
/* The reason word of success, which records the scope: "Unsealed",
 * "UnsealedNamespaceWide", "UnsealedClusterWide". */
const char *condition_success(enum scope scope);
/* The reason word of a failed run. */
const char *condition_reason(const struct err *err);

#endif
