/*
 * A request's body as a SealedSecret: JSON or YAML, whatever its Content-Type
 * says. Pure.
 */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include <jansson.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/err.h"

/* Values, names and containers in one body: bounds the tree's memory. */
#define BODY_NODES_MAX 20000

enum body_documents {
	BODY_ONE_DOCUMENT,   /* a second one is refused */
	BODY_FIRST_DOCUMENT, /* others are not looked at */
};

/*
 * ret is owned by the caller. ERR_INVALID: not JSON or YAML, duplicate names,
 * aliases, nested too deep, not a SealedSecret; the text says what and where,
 * never what stands there. ERR_TOOBIG: over BODY_NODES_MAX.
 */
int body_parse(const char *p, size_t len, enum body_documents documents,
    json_t **ret, struct err *err) MUST_CHECK;

#endif
