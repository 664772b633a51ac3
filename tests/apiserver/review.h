/*
 * Whose a token is and what somebody may do: TokenRequest, TokenReview,
 * SubjectAccessReview.
 */
#ifndef APISERVER_REVIEW_H
#define APISERVER_REVIEW_H

#include "call.h"

/* Fills in verb and resource where the path is one of theirs. */
bool review_route(struct call *c);
/* False: the path is none of theirs. */
bool review_handle(struct call *c);

/* What users may do: [{"user", "verb", "resource", "namespace"}]; what a rule
 * leaves out matches all. The group system:masters may everything. */
void review_set_grants(const json_t *rules);

#endif
