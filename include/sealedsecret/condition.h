/*
 * The status of a SealedSecret after a run. Pure: builds the object to PUT to
 * the status subresource, or says that nothing needs to be written.
 */
#ifndef SEALEDSECRET_CONDITION_H
#define SEALEDSECRET_CONDITION_H

#include <jansson.h>
#include <stdint.h>

#include "base/err.h"

struct condition_outcome {
	bool ok;
	const char *reason;  /* CamelCase, e.g. "Unsealed", "DecryptFailed" */
	const char *message; /* "" on success */
};

/*
 * A copy of the object with the new status (owned by the caller), or NULL
 * where status, reason, message and observedGeneration already say so (a
 * condition without a reason, as the reference leaves it, is not rewritten for
 * that alone). Synced stays at index 0 where we create it; other conditions
 * are kept.
 */
json_t *condition_apply(const json_t *sealedsecret,
    const struct condition_outcome *outcome, int64_t now_s);
/* The reason word of a failed run. */
const char *condition_reason(const struct err *err);

#endif
