/*
 * Keeps values of a Secret out of error texts: an API server, or a webhook
 * behind it, may quote what it refuses.
 */
#ifndef CONTROLLER_SEALEDSECRET_REDACT_H
#define CONTROLLER_SEALEDSECRET_REDACT_H

#include <jansson.h>

#include "base/err.h"

/* So much of a value in a row counts as a quotation; shorter values count as
 * a whole, down to the minimum. */
#define REDACT_RUN_MAX 11
#define REDACT_MIN     6

/*
 * Replaces err's text where it quotes a value of secret.data, as it is or in
 * base64. Code and retry_after_s stay. Names (of the Secret, its namespace and
 * its items) are public and may be equal to a value.
 */
void redact_error(const json_t *secret, struct err *err);

#endif
